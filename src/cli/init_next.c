#include "init_next.h"
#include "digest/quote.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_COMMAND_BYTES = 64 * 1024 }; /* two paths, each byte of them quoted twice */

static const char no_cron[] = "    (not by a line: there is a line break in the name of a file)\n";

/* What is to be called, from anywhere and without the environment of this shell. */
struct names {
	char *program;
	char *config; /* NULL = digest looks there by itself */
};

static int
find_names(const struct run_init_place *place, struct names *out, struct error *err)
{
	*out = (struct names){ realpath("/proc/self/exe", NULL), NULL };
	if (out->program == NULL)
		out->program = strdup("digest");
	if (place->named && (out->config = realpath(place->config, NULL)) == NULL)
		out->config = strdup(place->config);
	if (out->program != NULL && (!place->named || out->config != NULL))
		return 0;
	return err_nomem(err, "init");
}

static void
add_command(struct strbuf *out, const struct names *n, const char *word)
{
	quote_add_shell(out, n->program);
	strbuf_add_all(out, " ", word, NULL);
	if (n->config != NULL) {
		strbuf_add(out, " -c ");
		quote_add_shell(out, n->config);
	}
}

/* systemd starts no program with a quote in its name; a shell does. */
static void
add_start(struct init_next *next, const struct names *n)
{
	struct strbuf *out = &next->start;

	strbuf_add(out, "ExecStart=");
	if (!quote_is_plain(n->program)) {
		strbuf_add(out, "/bin/sh -c ");
		quote_add_unit(out, next->run.buf);
		return;
	}
	strbuf_add_all(out, n->program, " run", NULL);
	if (n->config != NULL) {
		strbuf_add(out, " -c ");
		quote_add_unit(out, n->config);
	}
}

static void
add_commands(struct init_next *next, const struct names *n)
{
	add_command(&next->run, n, "run");
	(void)quote_add_cron(&next->cron, next->run.buf);
	add_start(next, n);
	if (next->place->named)
		add_command(&next->check, n, "check");
	else /* What root can read, the other may not. */
		strbuf_add_all(&next->check, next->place->of_machine ? "runuser -u digest -- " : "",
		    "digest check", NULL);
}

int
init_next_find(struct init_next *next, struct error *err)
{
	struct names names;
	int rc;

	strbuf_init(&next->run, MAX_COMMAND_BYTES);
	strbuf_init(&next->check, MAX_COMMAND_BYTES);
	strbuf_init(&next->cron, MAX_COMMAND_BYTES);
	strbuf_init(&next->start, MAX_COMMAND_BYTES);
	rc = find_names(next->place, &names, err);
	if (rc == 0) {
		add_commands(next, &names);
		if (strbuf_check(&next->run, err) == -1 || strbuf_check(&next->check, err) == -1 ||
		    strbuf_check(&next->cron, err) == -1 || strbuf_check(&next->start, err) == -1)
			rc = -1;
	}
	free(names.program);
	free(names.config);
	return rc;
}

void
init_next_release(struct init_next *next)
{
	strbuf_release(&next->run);
	strbuf_release(&next->check);
	strbuf_release(&next->cron);
	strbuf_release(&next->start);
}

/* ---- what a person is told ---- */

static void
add_user(struct strbuf *out, const struct init_next *next)
{
	const char *config = next->place->config;
	/* A folder that is there for other things as well stays as it is. */
	const char *dir = strncmp(config, "/etc/digest/", 12) == 0 ? "/etc/digest " : "";

	strbuf_add_all(out,
	    "\nMake the user who runs it, and let it read these files:\n"
	    "    useradd --system --home-dir /var/lib/digest --create-home --shell "
	    "/usr/sbin/nologin digest\n"
	    "    chgrp digest ",
	    dir, NULL);
	quote_add_shell(out, config);
	strbuf_add_all(out, " && chmod g+rX ", dir, NULL);
	quote_add_shell(out, config);
	if (next->has_secret) {
		strbuf_add(out, "\n    chown digest: ");
		quote_add_shell(out, next->place->secret);
	}
	strbuf_add(out, "\n");
}

static void
add_for_machine(struct strbuf *out, const struct init_next *next)
{
	if (!next->is_given)
		add_user(out, next);
	strbuf_add_all(out,
	    "\nThe digest goes out at the first run after its time; to send what is due now:\n"
	    "    runuser -u digest -- ",
	    next->run.buf, "\n\nThen let cron call it:\n", NULL);
	if (next->cron.len > 0) {
		strbuf_add(out, "    printf '*/15 * * * * digest %s\\n' ");
		quote_add_shell(out, next->cron.buf);
		strbuf_add(out, " >/etc/cron.d/digest\n");
	} else {
		strbuf_add(out, no_cron);
	}
	strbuf_add(out,
	    "or systemd, where its units are installed:\n"
	    "    systemctl enable --now digest.timer\n");
	if (next->by_sendmail)
		strbuf_add(out,
		    "whose sandbox keeps sendmail from its work; there the smtp block wants\n"
		    "    url = \"smtp://localhost\"  tls = none\n");
}

static void
add_for_person(struct strbuf *out, const struct init_next *next)
{
	strbuf_add_all(out,
	    "\nThe digest goes out at the first run after its time; to send what is due now:\n"
	    "    ",
	    next->run.buf, "\n\nThen let cron call it, by this line in `crontab -e`:\n", NULL);
	if (next->cron.len > 0)
		strbuf_add_all(out, "    */15 * * * * ", next->cron.buf, "\n", NULL);
	else
		strbuf_add(out, no_cron);
	strbuf_add(out,
	    "or systemd:\n"
	    "    mkdir -p ~/.config/systemd/user && cd ~/.config/systemd/user\n"
	    "    printf '%s\\n' '[Service]' Type=oneshot ");
	quote_add_shell(out, next->start.buf);
	strbuf_add(out,
	    " SuccessExitStatus=75 >digest.service\n"
	    "    printf '%s\\n' '[Timer]' 'OnCalendar=*:0/15' Persistent=true '[Install]' "
	    "WantedBy=timers.target >digest.timer\n"
	    "    systemctl --user enable --now digest.timer && loginctl enable-linger\n");
}

void
init_next_add_text(struct strbuf *out, const struct init_next *next)
{
	if (next->place->of_machine)
		add_for_machine(out, next);
	else
		add_for_person(out, next);
	strbuf_add_all(out,
	    "\nTo see whether all is in order; 'status' in its place says how things stand:\n"
	    "    ",
	    next->check.buf, "\n", NULL);
}
