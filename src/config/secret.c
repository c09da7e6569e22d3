#include "digest/child.h"
#include "digest/clock.h"
#include "digest/config.h"
#include "digest/file.h"
#include "digest/limits.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COMMAND_MS = 10 * 1000, WAIT_STEP_MS = 20 };

/* What the command prints, up to its end. 1 = it ended, 0 = the time is over, -1 = it printed too much. */
static int
read_output(struct child *c, struct strbuf *out)
{
	int64_t deadline_ms = clock_monotonic_ms() + COMMAND_MS;
	int more = 1;

	while (more == 1 || !child_has_ended(c)) {
		struct pollfd p = { .fd = c->out, .events = POLLIN };
		int64_t left_ms = deadline_ms - clock_monotonic_ms();

		if (left_ms <= 0)
			return 0;
		poll(&p, 1, more == 1 ? (int)left_ms : WAIT_STEP_MS);
		if (more == 1 && (more = child_read(c, out)) == -1)
			return -1;
	}
	return 1;
}

/* What it says on standard error is lost, as it might hold the secret. */
static int
run_command(const char *command, const char *what, struct strbuf *out, struct error *err)
{
	struct child child;
	int rc, status;

	if (child_start(&child, command, NULL, false, err) == -1)
		return err_prefix(err, "%s", what);
	rc = read_output(&child, out);
	status = child_stop(&child);
	if (rc == -1)
		return err_set(err, ERR_CONFIG, "%s: the command printed more than %u bytes", what,
		    MAX_SECRET_BYTES);
	if (rc == 0)
		return err_set(err, ERR_CONFIG,
		    "%s: the command did not end within %d s; expected one that asks nothing", what,
		    COMMAND_MS / 1000);
	if (WIFSIGNALED(status))
		return err_set(err, ERR_CONFIG, "%s: the command was ended by signal %d", what,
		    WTERMSIG(status));
	if (WEXITSTATUS(status) != 0)
		return err_set(err, ERR_CONFIG,
		    "%s: the command ended with status %d; expected 0 (run it by hand to see why)",
		    what, WEXITSTATUS(status));
	return 0;
}

static int
read_env(const char *name, const char *what, struct strbuf *out, struct error *err)
{
	const char *value = getenv(name);

	if (value == NULL)
		return err_set(err, ERR_CONFIG,
		    "%s: environment variable '%s' is not set; set it where digest is "
		    "started, as in the crontab, or use password-file",
		    what, name);
	strbuf_add(out, value);
	return 0;
}

static int
read_private(const char *path, const char *what, struct strbuf *out, struct error *err)
{
	if (file_check_private(path, err) == -1 || file_read(path, out, err) == -1) {
		err_prefix(err, "%s", what);
		if (err != NULL)
			err->kind = ERR_CONFIG;
		return -1;
	}
	return 0;
}

int
config_read_secret(
    const struct config_secret *secret, const char *what, struct strbuf *out, struct error *err)
{
	struct strbuf text;
	int rc = 0;

	strbuf_init(&text, MAX_SECRET_BYTES);
	if (secret->file[0] != '\0')
		rc = read_private(secret->file, what, &text, err);
	else if (secret->env[0] != '\0')
		rc = read_env(secret->env, what, &text, err);
	else if (secret->command[0] != '\0')
		rc = run_command(secret->command, what, &text, err);
	else
		strbuf_add(&text, secret->value);
	/* An editor or a command ends its line; a secret has none. */
	if (rc == 0 && text.len > 0 && text.buf[text.len - 1] == '\n')
		strbuf_truncate(&text, text.len - 1);
	if (rc == 0 && text.len > 0 && text.buf[text.len - 1] == '\r')
		strbuf_truncate(&text, text.len - 1);
	if (rc == 0 && text.len == 0)
		rc = err_set(err, ERR_CONFIG, "%s is empty; expected a secret", what);
	else if (rc == 0 &&
	    (memchr(text.buf, '\0', text.len) != NULL || strchr(text.buf, '\n') != NULL))
		rc = err_set(err, ERR_CONFIG, "%s has several lines; expected one", what);
	if (rc == 0) {
		strbuf_addn(out, text.buf, text.len);
		rc = strbuf_check(out, err);
	}
	if (text.alloc > 0)
		explicit_bzero(text.buf, text.alloc);
	strbuf_release(&text);
	return rc;
}

/* Variables that hold the secret, whatever their name. */
static void
unset_copies(const char *value)
{
	char **e = environ;

	while (*e != NULL) {
		char *text = strchr(*e, '=');
		char name[256];

		if (text == NULL || strcmp(text + 1, value) != 0 ||
		    text - *e >= (long)sizeof(name)) {
			e++;
			continue;
		}
		snprintf(name, sizeof(name), "%.*s", (int)(text - *e), *e);
		/* The kernel shows the block that the process began with, also of a child before it is another program. */
		explicit_bzero(text + 1, strlen(text + 1));
		unsetenv(name);
		e = environ; /* it has moved */
	}
}

/* One that is not set is told when it is read. */
static int
keep_value(struct config *cfg, struct config_secret *secret, struct error *err)
{
	const char *value = secret->env[0] != '\0' ? getenv(secret->env) : NULL;

	if (value == NULL || value[0] == '\0')
		return 0;
	if ((secret->value = arena_strdup(&cfg->arena, value)) == NULL)
		return err_nomem(err, "secrets");
	secret->env = "";
	return 0;
}

int
config_take_secrets(struct config *cfg, struct error *err)
{
	/* Two blocks may name one variable: all are read before any goes. */
	for (size_t i = 0; i < cfg->nsmtps; i++)
		if (keep_value(cfg, &cfg->smtps[i].password, err) == -1)
			return -1;
	if (keep_value(cfg, &cfg->mailbox.password, err) == -1)
		return -1;
	for (size_t i = 0; i < cfg->nsmtps; i++)
		if (cfg->smtps[i].password.value[0] != '\0')
			unset_copies(cfg->smtps[i].password.value);
	if (cfg->mailbox.password.value[0] != '\0')
		unset_copies(cfg->mailbox.password.value);
	return 0;
}
