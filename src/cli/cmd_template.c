/* digest template: look after the templates of the digest. */
#include "cli.h"
#include "digest/limits.h"
#include "digest/text.h"

#include <stdio.h>
#include <string.h>

enum { NAME_COLUMNS = 18, MAX_TEMPLATES = 250 };

/* All templates there are, built in or not. */
struct templates {
	struct run_template *all;
	size_t n;
};

static const struct run_template *
find_template(const struct templates *set, const char *name, struct error *err)
{
	const char *names[MAX_TEMPLATES + 1], *near;
	size_t n = 0;

	for (size_t i = 0; i < set->n; i++) {
		if (strcmp(set->all[i].file.name, name) == 0)
			return &set->all[i];
		if (n < MAX_TEMPLATES)
			names[n++] = set->all[i].file.name;
	}
	names[n] = NULL;
	near = text_nearest(name, names);
	err_set(err, ERR_USAGE, "'%s' is not a template; %s%s%s'digest template list' names them",
	    name, near != NULL ? "did you mean '" : "", near != NULL ? near : "",
	    near != NULL ? "'? " : "");
	return NULL;
}

/* ---- what there is ---- */

/* How a copy stands to the built-in one, for a person. */
static void
add_copy(struct strbuf *out, const struct run_template *t)
{
	switch (t->copy) {
	case COPY_NONE:
		strbuf_add(out, "built in");
		break;
	case COPY_SAME:
		strbuf_add(out, "a copy of the built-in one, unchanged");
		break;
	case COPY_CHANGED:
		strbuf_add(out, "yours; the built-in one has not changed since you copied it");
		break;
	case COPY_OLDER:
		if (strcmp(t->made_of, t->file.name) == 0)
			strbuf_addf(out,
			    "older: the built-in one has changed since you copied it; "
			    "'digest template diff %s' shows where they differ",
			    t->file.name);
		else
			strbuf_addf(out, "older: the built-in %s has changed since you made it",
			    t->made_of);
		break;
	case COPY_UNKNOWN:
		strbuf_add(out,
		    "yours; its first line does not say which version it was copied from, "
		    "so changes of the built-in one cannot be told");
		break;
	case COPY_OWN:
		strbuf_add(out, "yours alone");
		break;
	}
	if (t->nmissing == 0)
		return;
	strbuf_addf(
	    out, "; %zu text%s English: ", t->nmissing, t->nmissing == 1 ? " stays" : "s stay");
	for (size_t i = 0; i < t->nmissing && i < RUN_MISSING_SHOWN; i++)
		strbuf_addf(out, "%s%s", i > 0 ? ", " : "", t->missing[i]);
	if (t->nmissing > RUN_MISSING_SHOWN)
		strbuf_add(out, " ...");
}

static struct value *
template_value(struct cli *cli, const struct run_template *t)
{
	struct arena *a = &cli->arena;
	struct value *v = value_object(a);

	value_set_string(a, v, "name", t->file.name);
	value_set_string(a, v, "path", t->file.path != NULL ? t->file.path : "");
	value_set_string(a, v, "help", t->file.help);
	value_set_string(a, v, "copy", run_copy_name(t->copy));
	value_set_string(a, v, "fault", t->file.fault != NULL ? t->file.fault : "");
	value_set_number(a, v, "missing", (int64_t)t->nmissing);
	return v;
}

static int
list(struct cli *cli, const struct templates *set, struct error *err)
{
	(void)err;
	for (size_t i = 0; i < set->n; i++) {
		const struct run_template *t = &set->all[i];

		if (cli->opt.json) {
			cli_put_json(template_value(cli, t));
			continue;
		}
		term_put_cell(t->file.name, NAME_COLUMNS);
		term_put_filled(&cli->term, t->file.help, NAME_COLUMNS);
		putchar('\n');
		if (t->file.path == NULL)
			continue;
		printf("%*s%s", NAME_COLUMNS, "", term_accent(&cli->term));
		term_put(t->file.path);
		printf("%s%s\n", term_reset(&cli->term), t->file.fault != NULL ? " (wrong)" : "");
	}
	return EXIT_OK;
}

/* Everything that is wrong with a file, a line each. */
static void
tell_faults(struct log *log, const struct render_template *file)
{
	const char *more = file->more_faults != NULL ? file->more_faults : "";

	log_error(log, "%s", file->fault);
	for (size_t n; *more != '\0'; more += n + 1) {
		n = strcspn(more, "\n");
		log_error(log, "%.*s", (int)n, more);
	}
	if (file->nfaults > MAX_TEMPLATE_FAULTS)
		log_error(log, "%s: %zu more", file->path, file->nfaults - MAX_TEMPLATE_FAULTS);
}

/* One line for each file of a person; what is wrong goes to where errors go. */
static int
check(struct cli *cli, const struct templates *set, struct error *err)
{
	size_t nown = 0, nwrong = 0;
	struct strbuf line;

	(void)err;
	strbuf_init(&line, MAX_ABSTRACT_BYTES);
	for (size_t i = 0; i < set->n; i++) {
		const struct run_template *t = &set->all[i];
		bool old = t->copy == COPY_OLDER || t->copy == COPY_UNKNOWN;

		if (t->file.path == NULL)
			continue;
		nown++;
		nwrong += t->file.fault != NULL;
		if (t->file.fault != NULL)
			tell_faults(&cli->log, &t->file);
		if (cli->opt.json)
			cli_put_json(template_value(cli, t));
		if (cli->opt.json || t->file.fault != NULL || (cli->opt.quiet && !old))
			continue;
		strbuf_reset(&line);
		strbuf_addf(&line, "%s: ", t->file.path);
		add_copy(&line, t);
		term_put_styled(&cli->term, old ? term_warn(&cli->term) : "", line.buf, 0);
		putchar('\n');
		if (t->copy == COPY_UNKNOWN)
			printf("    put this line first: %s", t->stamp);
	}
	strbuf_release(&line);
	if (nown == 0 && !cli->opt.quiet && !cli->opt.json)
		puts("no template of your own; the built-in ones are used");
	return nwrong > 0 ? EXIT_CONFIG : EXIT_OK;
}

static int
show(struct cli *cli, const struct templates *set, struct error *err)
{
	const struct run_template *t = find_template(set, cli->args[1], err);

	if (t == NULL)
		return -1;
	if (fwrite(t->file.text, 1, t->file.len, stdout) != t->file.len)
		return err_set(err, ERR_IO, "%s: cannot be written", t->file.name);
	return EXIT_OK;
}

/* ---- copies ---- */

static void
tell_path(void *arg, const char *path)
{
	struct cli *cli = arg;

	if (cli->opt.json) {
		struct value *v = value_object(&cli->arena);

		value_set_string(&cli->arena, v, "path", arena_strdup(&cli->arena, path));
		cli_put_json(v);
	} else if (!cli->opt.quiet) {
		term_put(path);
		putchar('\n');
	}
}

static int
copy(struct cli *cli, const struct templates *set, struct error *err)
{
	const char *const *names = (const char *const *)cli->args + 1;
	size_t n = (size_t)cli->nargs - 1;

	if ((n > 0) == cli->opt.all)
		return err_set(err, ERR_USAGE,
		    "usage: digest template copy NAME..., or digest template copy --all");
	for (size_t i = 0; i < n; i++)
		if (find_template(set, names[i], err) == NULL)
			return -1;
	return run_copy_templates(cli->run, cli->opt.all ? NULL : names, n, cli->opt.force,
		   tell_path, cli, err) == 0
	    ? EXIT_OK
	    : -1;
}

/* A diff with its lines in colour where there is colour. */
static void
put_diff(const struct term *term, const char *text)
{
	while (*text != '\0') {
		size_t len = strcspn(text, "\n") + 1;
		const char *style = "";
		char line[MAX_HEADER_TEXT];

		if (strncmp(text, "---", 3) == 0 || strncmp(text, "+++", 3) == 0)
			style = term_bold(term);
		else if (*text == '@')
			style = term_accent(term);
		else if (*text == '-')
			style = term_removed(term);
		else if (*text == '+')
			style = term_added(term);
		fputs(style, stdout);
		for (size_t done = 0; done < len - 1;) {
			size_t part =
			    text_cut(text + done, len - 1 - done, sizeof(line) - 1, SIZE_MAX);

			part = part == 0 ? 1 : part;
			snprintf(line, sizeof(line), "%.*s", (int)part, text + done);
			term_put(line);
			done += part;
		}
		printf("%s\n", style[0] != '\0' ? term_reset(term) : "");
		text += len;
	}
}

static int
diff_one(struct cli *cli, const struct run_template *t, struct error *err)
{
	struct strbuf text;
	int rc;

	strbuf_init(&text, 4 * MAX_TEMPLATE_BYTES);
	rc = run_diff_template(t, &text, err);
	if (rc == 0 && cli->opt.json) {
		struct value *v = template_value(cli, t);

		value_set_string(&cli->arena, v, "diff", arena_strdup(&cli->arena, text.buf));
		cli_put_json(v);
	} else if (rc == 0) {
		if (t->copy == COPY_OLDER || t->copy == COPY_UNKNOWN)
			log_warn(&cli->log,
			    "%s: %s; when you have taken over what you want, make this its first "
			    "line: %.*s",
			    t->file.path,
			    t->copy == COPY_OLDER
				? "the built-in one has changed since you copied it"
				: "which version it was copied from is not known",
			    (int)strcspn(t->stamp, "\n"), t->stamp);
		put_diff(&cli->term, text.buf);
	}
	strbuf_release(&text);
	return rc;
}

/* Those that are named, else all copies. */
static int
diff(struct cli *cli, const struct templates *set, struct error *err)
{
	for (int i = 1; i < cli->nargs; i++) {
		const struct run_template *t = find_template(set, cli->args[i], err);

		if (t == NULL)
			return -1;
		if (t->file.path == NULL)
			return err_set(err, ERR_USAGE,
			    "%s has not been copied; the built-in one is in use", t->file.name);
		if (t->file.builtin == NULL)
			return err_set(err, ERR_USAGE,
			    "%s is yours alone; nothing built in has that name", t->file.path);
		if (diff_one(cli, t, err) == -1)
			return -1;
	}
	for (size_t i = 0; i < set->n && cli->nargs == 1; i++)
		if (set->all[i].file.path != NULL && set->all[i].file.builtin != NULL &&
		    diff_one(cli, &set->all[i], err) == -1)
			return -1;
	return EXIT_OK;
}

static int
draw(struct cli *cli, const struct templates *set, struct error *err)
{
	struct strbuf out;
	int rc = -1;

	if (strchr(cli->args[1], '/') == NULL && find_template(set, cli->args[1], err) == NULL)
		return -1;
	strbuf_init(&out, MAX_RENDER_BYTES);
	if (run_draw_template(cli->run, cli->args[1], cli->args[2], &out, err) == 0)
		rc = fwrite(out.buf, 1, out.len, stdout) == out.len
		    ? EXIT_OK
		    : err_set(err, ERR_IO, "%s: cannot be written", cli->args[1]);
	strbuf_release(&out);
	return rc;
}

static const struct verb {
	const char *name, *args;
	int min_args, max_args; /* behind the verb; max -1 = any number */
	int (*run)(struct cli *cli, const struct templates *set, struct error *err);
} verbs[] = {
	{ "list", "", 0, 0, list },
	{ "check", "", 0, 0, check },
	{ "show", " NAME", 1, 1, show },
	{ "copy", " NAME...|--all", 0, -1, copy },
	{ "diff", " [NAME...]", 0, -1, diff },
	{ "render", " NAME DATA.json", 2, 2, draw },
};

int
cmd_template(struct cli *cli, struct error *err)
{
	const char *name = cli->nargs > 0 ? cli->args[0] : "list";
	int nargs = cli->nargs > 0 ? cli->nargs - 1 : 0;
	const struct verb *v = verbs;
	struct templates set;

	while (v < verbs + sizeof(verbs) / sizeof(verbs[0]) && strcmp(v->name, name) != 0)
		v++;
	if (v == verbs + sizeof(verbs) / sizeof(verbs[0]))
		return err_set(err, ERR_USAGE,
		    "template: '%s'; expected list, check, show, copy, diff or render", name);
	if (nargs < v->min_args || (v->max_args >= 0 && nargs > v->max_args))
		return err_set(err, ERR_USAGE, "usage: digest template %s%s", v->name, v->args);
	if ((cli->opt.force || cli->opt.all) && v->run != copy)
		return err_set(err, ERR_USAGE, "--%s has no meaning for 'digest template %s'",
		    cli->opt.force ? "force" : "all", v->name);
	if (cli_open(cli, CLI_NO_STORE, err) == -1 ||
	    run_list_templates(cli->run, &cli->arena, &set.all, &set.n, err) == -1)
		return -1;
	return v->run(cli, &set, err);
}
