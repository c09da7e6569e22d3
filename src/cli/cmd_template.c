/* digest template: look after the templates of the digest. */
#include "cli.h"
#include "digest/file.h"
#include "digest/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct render_template *
find_template(struct render *render, const char *name, struct error *err)
{
	for (const struct render_template *t = render_templates(render); t->name != NULL; t++)
		if (strcmp(t->name, name) == 0)
			return t;
	err_set(err, ERR_USAGE, "'%s' is not a template; 'digest template list' names them", name);
	return NULL;
}

static int
list(struct cli *cli, struct render *render)
{
	for (const struct render_template *t = render_templates(render); t->name != NULL; t++) {
		if (cli->opt.json) {
			struct value *v = value_object(&cli->arena);

			value_set_string(&cli->arena, v, "name", t->name);
			value_set_string(&cli->arena, v, "path", t->path != NULL ? t->path : "");
			value_set_string(&cli->arena, v, "help", t->help);
			cli_put_json(v);
			continue;
		}
		term_put_cell(t->name, 18);
		printf("%s\n", t->help);
		if (t->path != NULL)
			printf("%18s%s\n", "", t->path);
	}
	return EXIT_OK;
}

/* Where a person's own templates live: the folder of the configuration, else beside it. */
static int
user_path(struct cli *cli, const char *name, struct strbuf *out, struct error *err)
{
	const char *dir = cli->run->cfg->templates.dir;

	if (dir[0] == '\0')
		return err_set(err, ERR_CONFIG,
		    "%s: no folder for templates; expected templates { dir = \"templates\" }",
		    cli->run->cfg->path);
	strbuf_addf(out, "%s/%s", dir, name);
	return strbuf_check(out, err);
}

static int
copy(struct cli *cli, const struct render_template *t, struct error *err)
{
	struct strbuf path;
	int rc = -1;

	strbuf_init(&path, MAX_URL_BYTES);
	if (user_path(cli, t->name, &path, err) == -1)
		goto out;
	if (file_exists(path.buf) && !cli->opt.force) {
		err_set(err, ERR_USAGE, "%s is there already; --force overwrites it", path.buf);
		goto out;
	}
	if (file_make_dirs(cli->run->cfg->templates.dir, 0755, err) == 0 &&
	    file_write(path.buf, 0644, t->text, t->len, err) == 0) {
		printf("%s\n", path.buf);
		rc = EXIT_OK;
	}
out:
	strbuf_release(&path);
	return rc;
}

/* The built-in text against the copy, by diff(1). */
static int
diff(const struct render_template *builtin, const char *path, struct error *err)
{
	int fds[2], status = 0;
	pid_t pid;

	if (pipe(fds) == -1 || (pid = fork()) == -1)
		return err_set(err, ERR_IO, "diff: cannot start");
	if (pid == 0) {
		dup2(fds[0], STDIN_FILENO);
		close(fds[0]);
		close(fds[1]);
		execlp("diff", "diff", "-u", "--label", "built-in", "-", path, (char *)NULL);
		_exit(127);
	}
	close(fds[0]);
	for (size_t done = 0; done < builtin->len;) {
		ssize_t n = write(fds[1], builtin->text + done, builtin->len - done);

		if (n <= 0)
			break;
		done += (size_t)n;
	}
	close(fds[1]);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) <= 1
	    ? EXIT_OK
	    : err_set(err, ERR_IO, "diff: not found");
}

static int
diff_one(struct cli *cli, const char *name, struct error *err)
{
	struct render *builtin = NULL, *mine = NULL;
	const struct render_template *a, *b;
	int rc = -1;

	fflush(stdout);
	if (render_new(NULL, &builtin, err) == 0 && run_load_templates(cli->run, &mine, err) == 0 &&
	    (a = find_template(builtin, name, err)) != NULL &&
	    (b = find_template(mine, name, err)) != NULL) {
		if (b->path == NULL)
			rc = err_set(err, ERR_USAGE,
			    "%s has not been copied; the built-in one is in use", name);
		else
			rc = diff(a, b->path, err);
	}
	render_free(mine);
	render_free(builtin);
	return rc;
}

static int
draw(struct cli *cli, struct render *render, struct error *err)
{
	struct strbuf out;
	struct value *data;
	int rc = -1;

	if (cli->nargs != 3)
		return err_set(err, ERR_USAGE, "usage: digest template render NAME DATA.json");
	strbuf_init(&out, MAX_RENDER_BYTES);
	if (run_read_data(cli->args[2], &cli->arena, &data, err) == 0 &&
	    render_template(render, cli->args[1], data, &out, err) == 0) {
		fputs(out.buf, stdout);
		rc = EXIT_OK;
	}
	strbuf_release(&out);
	return rc;
}

static int
with_templates(struct cli *cli, const char *verb, struct error *err)
{
	const struct render_template *t;
	struct render *render;
	int rc = -1;

	/* A copy is of the built-in one, whatever there is; its folder may still be missing. */
	if (strcmp(verb, "copy") == 0 ? render_new(NULL, &render, err) == -1
				      : run_load_templates(cli->run, &render, err) == -1)
		return -1;
	if (strcmp(verb, "list") == 0) {
		rc = list(cli, render);
	} else if (strcmp(verb, "check") == 0) {
		rc = EXIT_OK; /* loading them was the check */
	} else if (strcmp(verb, "render") == 0) {
		rc = draw(cli, render, err);
	} else if (cli->nargs != 2) {
		err_set(err, ERR_USAGE, "usage: digest template %s NAME", verb);
	} else if ((t = find_template(render, cli->args[1], err)) != NULL) {
		if (strcmp(verb, "show") == 0)
			rc = fwrite(t->text, 1, t->len, stdout) == t->len ? EXIT_OK : EXIT_IO;
		else if (strcmp(verb, "copy") == 0)
			rc = copy(cli, t, err);
		else
			rc = diff_one(cli, t->name, err);
	}
	render_free(render);
	return rc;
}

int
cmd_template(struct cli *cli, struct error *err)
{
	static const char *const verbs[] = { "list", "check", "show", "copy", "diff", "render",
		NULL };
	const char *verb = cli->nargs > 0 ? cli->args[0] : "list";

	for (size_t i = 0; verbs[i] != NULL; i++) {
		if (strcmp(verbs[i], verb) != 0)
			continue;
		return cli_open(cli, CLI_NO_STORE, err) == -1 ? -1 : with_templates(cli, verb, err);
	}
	return err_set(err, ERR_USAGE,
	    "template: '%s'; expected list, check, show, copy, diff or render", verb);
}
