/* digest init: a first configuration, by a few questions or by options. Until everything is answered nothing is written. */
#include "cli.h"
#include "init_next.h"
#include "digest/file.h"
#include "digest/init.h"
#include "digest/limits.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char service_user[] = "digest";

struct setup {
	struct cli *cli;
	struct run_init init;
	struct run_init_place place;
	struct run *run;	/* with what is answered so far; NULL before the address is known */
	struct strbuf line;	/* the answer at hand */
	struct strbuf password; /* wiped at the end */
	size_t npapers;		/* to try topics on */
	bool asks;		/* there is a person to ask */
};

/* One item: how its option is called, and how a person is asked for it. */
static const struct {
	enum run_init_item item;
	const char *option, *question;
	size_t given; /* of struct options */
} items[] = {
	{ INIT_ADDRESS, "--address", "Your address, to which digests go",
	    offsetof(struct options, address) },
	{ INIT_WHEN, "--when", "When", offsetof(struct options, when) },
	{ INIT_TIMEZONE, "--timezone", "Time zone", offsetof(struct options, timezone) },
	{ INIT_URL, "--smtp-url", "Relay, or sendmail", offsetof(struct options, smtp_url) },
	{ INIT_USER, "--smtp-user", "Name for the login, or - for none",
	    offsetof(struct options, smtp_user) },
	{ INIT_CA, "--ca-file", "File with its authority's certificate (PEM)",
	    offsetof(struct options, ca_file) },
	{ INIT_FROM, "--from", "From", offsetof(struct options, from) },
};

static size_t
row_of(enum run_init_item item)
{
	size_t i = 0;

	while (items[i].item != item)
		i++;
	return i;
}

static const char *
given_of(const struct cli *cli, enum run_init_item item)
{
	const char *text;

	memcpy(&text, (const char *)&cli->opt + items[row_of(item)].given, sizeof(text));
	return text;
}

/* ---- one answer ---- */

static int
accept_item(struct setup *s, enum run_init_item item, const char *text, struct error *err)
{
	/* Nobody is called so. */
	if (item == INIT_USER && (strcmp(text, "-") == 0 || text[0] == '\0')) {
		s->init.items[item] = "";
		return 0;
	}
	return run_init_accept(item, text, &s->cli->arena, &s->init.items[item], NULL, err);
}

/* By option, by question, or the proposal; without a proposal and a person to ask it stays NULL. */
static int
find_item(struct setup *s, enum run_init_item item, bool again, struct error *err)
{
	const char *given = again ? NULL : given_of(s->cli, item);
	const char *proposal = s->init.items[item];
	struct error why;

	if (given != NULL) {
		if (accept_item(s, item, given, err) == 0)
			return 0;
		err->kind = ERR_USAGE;
		return err_prefix(err, "%s", items[row_of(item)].option);
	}
	if (proposal == NULL)
		proposal = run_init_propose(&s->init, item, &s->cli->arena);
	if (!s->asks) {
		s->init.items[item] = proposal;
		return 0;
	}
	if (item == INIT_USER && proposal != NULL && proposal[0] == '\0')
		proposal = "-";
	for (;;) {
		if (ask_line(
			s->cli, items[row_of(item)].question, proposal, false, &s->line, err) == -1)
			return -1;
		if (accept_item(s, item, s->line.buf, &why) == 0)
			return 0;
		ask_tell(s->cli, "%s", why.msg);
	}
}

/* ---- topics ---- */

/* Once the reader is known, the program can run: what it reads is for trying topics on. */
static int
open_trial(struct setup *s, struct error *err)
{
	struct cli *cli = s->cli;
	struct run_settings settings = {
		.clock = cli->clock, .log = &cli->log, .mode = STORE_OVERLAY, .stop = cli->stop
	};
	enum log_level level = cli->log.level;
	struct error why;

	if (cli->term.err_tty && !cli->opt.quiet) {
		settings.ui.arg = &cli->progress;
		settings.ui.progress = term_progress;
		cli->log.before = term_clear_progress;
		cli->log.arg = &cli->progress;
	}
	if (run_init_open(&s->init, &s->place, &settings, &s->run, err) == -1)
		return -1;
	if (cli->opt.offline || !s->asks)
		return 0;
	/* What goes wrong is told below. */
	if (!cli->opt.verbose)
		cli->log.level = LOG_LEVEL_ERROR;
	if (run_init_read_papers(s->run, &s->npapers, &why) == -1)
		ask_tell(cli, "No source answers now (%s), so topics cannot be tried on papers.",
		    why.msg);
	cli->log.level = level;
	term_clear_progress(&cli->progress);
	return 0;
}

/* How many papers it finds, and the best of them. */
static void
tell_found(struct setup *s, const char *query)
{
	const struct run_try_options options = {
		.query = query, .ndays = WINDOW_DAYS, .sort = SORT_BEST, .limit = 1
	};
	struct run_trial trial;
	struct arena a;
	struct error why;

	if (s->npapers == 0)
		return; /* none came */
	arena_init(&a, MAX_RUN_BYTES);
	if (run_try(s->run, &options, &a, &trial, &why) == -1)
		ask_tell(s->cli, "%s", why.msg);
	else if (trial.npapers == 0)
		ask_tell(s->cli, "no paper of the last %d days is here to try it on", WINDOW_DAYS);
	else if (trial.nmatched == 0)
		ask_tell(s->cli, "finds none of the %zu papers of the last %d days", trial.npapers,
		    WINDOW_DAYS);
	else
		ask_tell(s->cli, "finds %zu of the %zu papers of the last %d days, as: %s",
		    trial.nmatched, trial.npapers, WINDOW_DAYS,
		    trial.nbest > 0 ? trial.best[0]->title : "");
	arena_release(&a);
}

/* Kept, or told what is wrong with it: 1 or 0; -1 = memory is short. */
static int
take_topic(struct setup *s, const char *text, struct error *why)
{
	struct strbuf caret;
	size_t wrong;

	if (s->init.ntopics == RUN_INIT_TOPICS)
		return err_set(
		    why, ERR_USAGE, "more than %d topics; add more to the file", RUN_INIT_TOPICS);
	if (run_init_accept(INIT_TOPIC, text, &s->cli->arena, &s->init.topics[s->init.ntopics],
		&wrong, why) == 0) {
		s->init.ntopics++;
		return 0;
	}
	if (wrong != SIZE_MAX) {
		strbuf_init(&caret, 2 * MAX_QUERY_BYTES + 16);
		run_add_caret(&caret, text, wrong);
		fputs(caret.buf, stderr);
		strbuf_release(&caret);
	}
	return -1;
}

static int
find_topics(struct setup *s, struct error *err)
{
	struct error why;
	char question[32];

	for (size_t i = 0; i < s->cli->opt.ntopics; i++)
		if (take_topic(s, s->cli->opt.topics[i], err) == -1) {
			err->kind = ERR_USAGE;
			return err_prefix(err, "--topic");
		}
	if (!s->asks || s->init.ntopics > 0)
		return 0;
	ask_tell(s->cli,
	    "\nTopics, one a line; each becomes a section. Words and phrases in quotes, "
	    "with OR, with - for what you do not want, such as");
	fputs("    \"gaussian splatting\" OR nerf\n    agent* benchmark -survey\n"
	      "    author:\"yann lecun\" votes>=10\n",
	    stderr);
	ask_tell(s->cli,
	    "An empty line ends them; without any you get the ten papers that rise "
	    "most. digest-filter(7) has the whole language.");
	for (;;) {
		snprintf(question, sizeof(question), "Topic %zu", s->init.ntopics + 1);
		if (ask_line(s->cli, question, NULL, false, &s->line, err) == -1)
			return -1;
		if (s->line.buf[strspn(s->line.buf, " \t")] == '\0')
			return 0;
		if (take_topic(s, s->line.buf, &why) == -1)
			ask_tell(s->cli, "%s", why.msg);
		else
			tell_found(s, s->init.topics[s->init.ntopics - 1]);
	}
}

/* ---- the way out ---- */

static bool
wants_password(const struct setup *s)
{
	return run_init_is_relay(&s->init) && s->init.items[INIT_USER] != NULL &&
	    s->init.items[INIT_USER][0] != '\0';
}

static int
find_password(struct setup *s, bool again, struct error *err)
{
	const struct config_secret secret = {
		.value = "", .file = s->cli->opt.password_file, .env = "", .command = ""
	};

	s->init.password = NULL;
	strbuf_reset(&s->password);
	if (!wants_password(s)) {
		if (s->asks || s->cli->opt.password_file == NULL)
			return 0;
		return err_set(err, ERR_USAGE,
		    "--password-file without --smtp-user; expected the name for the login");
	}
	if (s->cli->opt.password_file != NULL && !again) {
		if (config_read_secret(&secret, "--password-file", &s->password, err) == -1)
			return -1;
	} else if (!s->asks) {
		return err_set(err, ERR_USAGE,
		    "--smtp-user without --password-file; expected a file that holds the password, "
		    "as a command line is seen by others");
	} else {
		do {
			if (ask_line(s->cli, "Password (not shown)", NULL, true, &s->password,
				err) == -1)
				return -1;
		} while (s->password.len == 0);
	}
	s->init.password = s->password.buf;
	return 0;
}

/* What belongs to a relay would else be left out without a word. */
static int
refuse_relay_options(const struct cli *cli, struct error *err)
{
	const char *const given[] = { cli->opt.smtp_user, cli->opt.password_file,
		cli->opt.ca_file };
	static const char *const names[] = { "--smtp-user", "--password-file", "--ca-file" };

	for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++)
		if (given[i] != NULL)
			return err_set(err, ERR_USAGE,
			    "%s is of a relay; expected one as --smtp-url, as in "
			    "smtps://smtp.example.org",
			    names[i]);
	return 0;
}

static int
find_way_out(struct setup *s, bool again, struct error *err)
{
	const char *before = s->init.items[INIT_URL];

	if (find_item(s, INIT_URL, again, err) == -1)
		return -1;
	if (!run_init_is_relay(&s->init)) {
		s->init.items[INIT_USER] = s->init.items[INIT_CA] = NULL;
		return again ? find_password(s, again, err) : refuse_relay_options(s->cli, err);
	}
	/* Of another relay nothing is known. */
	if (before != NULL && strcmp(before, s->init.items[INIT_URL]) != 0)
		s->init.items[INIT_CA] = NULL;
	if (!again && s->cli->opt.ca_file != NULL && find_item(s, INIT_CA, false, err) == -1)
		return -1;
	/* Off a terminal nobody logs in who did not say so. */
	if (!s->asks && given_of(s->cli, INIT_USER) == NULL)
		s->init.items[INIT_USER] = "";
	else if (find_item(s, INIT_USER, again, err) == -1)
		return -1;
	return find_password(s, again, err);
}

/* What a person does about a relay that does not take us. 1 = it is to be tried again, 0 = kept as it is. */
static int
mend_way_out(struct setup *s, bool untrusted, struct error *err)
{
	static const char *const words[] = { "ca", "again", "keep", "quit", NULL };
	const char *const *offered = untrusted ? words : words + 1;
	size_t choice;

	if (ask_choice(s->cli,
		untrusted ? "Name its authority (ca), enter it again, keep it as it is, or quit"
			  : "Enter it again, keep it as it is, or quit",
		offered, &choice, err) == -1)
		return -1;
	switch (offered[choice][0]) {
	case 'c':
		return find_item(s, INIT_CA, true, err) == -1 ? -1 : 1;
	case 'a':
		return find_way_out(s, true, err) == -1 ? -1 : 1;
	case 'k':
		return 0;
	default:
		return err_set(err, ERR_USAGE, "stopped");
	}
}

/* Log in as a run would, until it does or a person leaves it at that. */
static int
try_way_out(struct setup *s, struct error *err)
{
	struct strbuf told;
	struct error why;
	bool untrusted;
	int rc = 1;

	strbuf_init(&told, MAX_HEADER_TEXT);
	while (rc == 1 && run_init_is_relay(&s->init) && !s->cli->opt.offline) {
		strbuf_reset(&told);
		if (s->asks)
			ask_tell(s->cli, "Trying %s ...", s->init.items[INIT_URL]);
		if (run_init_try_relay(s->run, &s->init, &told, &untrusted, &why) == 0) {
			if (!s->cli->opt.quiet)
				ask_tell(s->cli, "It answers: %s.", told.buf);
			break;
		}
		if (!s->asks) {
			*err = why;
			rc = err_prefix(err,
			    untrusted ? "nothing was written (--ca-file names its authority)"
				      : "nothing was written (--offline does not try it)");
			break;
		}
		ask_tell(s->cli, "%s", why.msg);
		rc = mend_way_out(s, untrusted, err);
	}
	strbuf_release(&told);
	return rc == -1 ? -1 : 0;
}

/* From whom they come, which depends on how they leave. */
static int
find_sender(struct setup *s, struct error *err)
{
	struct error why;
	bool again = false;

	for (;;) {
		if (find_item(s, INIT_FROM, again, err) == -1)
			return -1;
		if (run_init_check_sender(&s->init, &why) == 0)
			return 0;
		if (!s->asks) {
			*err = why;
			return err_prefix(err, "--from");
		}
		ask_tell(s->cli, "%s", why.msg);
		s->init.items[INIT_FROM] = NULL;
		again = true;
	}
}

/* ---- all of them ---- */

static int
check_needed(const struct setup *s, struct error *err)
{
	const char *no_address = given_of(s->cli, INIT_ADDRESS) == NULL ? " --address ADDRESS" : "";
	/* A name alone would not tell which relay. */
	const char *no_relay = given_of(s->cli, INIT_URL) == NULL &&
		(given_of(s->cli, INIT_USER) != NULL || !run_init_has_sendmail())
	    ? " --smtp-url URL"
	    : "";

	if (s->asks || (no_address[0] == '\0' && no_relay[0] == '\0'))
		return 0;
	return err_set(err, ERR_USAGE, "init asks nothing here and was not told all; missing:%s%s",
	    no_address, no_relay);
}

static int
find_answers(struct setup *s, struct error *err)
{
	if (check_needed(s, err) == -1)
		return -1;
	if (s->asks) {
		ask_tell(s->cli,
		    "This writes %s. Enter takes what stands in brackets; Ctrl-C leaves "
		    "everything as it was.",
		    s->place.config);
		fputc('\n', stderr);
	}
	if (find_item(s, INIT_ADDRESS, false, err) == -1 || open_trial(s, err) == -1 ||
	    find_topics(s, err) == -1)
		return -1;
	if (s->asks)
		ask_tell(s->cli,
		    "\nWhen they come: daily 07:30, weekdays 07:30, mon,thu 08:00, monthly 1 "
		    "08:00.");
	if (find_item(s, INIT_WHEN, false, err) == -1 ||
	    find_item(s, INIT_TIMEZONE, false, err) == -1)
		return -1;
	if (s->asks)
		ask_tell(s->cli,
		    "\nHow mail leaves: smtps://HOST of your provider, smtp://HOST (with "
		    "STARTTLS), "
		    "sendmail: for this machine's, maildir:/PATH to try things out.");
	if (find_way_out(s, false, err) == -1 || try_way_out(s, err) == -1)
		return -1;
	if (s->asks)
		ask_tell(s->cli, "\nWho the digests come from; most relays want your own address.");
	return find_sender(s, err);
}

static int
confirm(struct setup *s, struct error *err)
{
	static const char *const words[] = { "yes", "no", NULL };
	char question[4200];
	size_t choice;

	if (!s->asks)
		return 0;
	fputc('\n', stderr);
	snprintf(question, sizeof(question), "Write %.4000s", s->place.config);
	if (ask_choice(s->cli, question, words, &choice, err) == -1)
		return -1;
	return choice == 0 ? 0 : err_set(err, ERR_USAGE, "stopped");
}

/* ---- afterwards ---- */

/* For a program, which wants no preview. */
static void
put_json(const struct setup *s, const struct init_next *next)
{
	struct arena *a = &s->cli->arena;
	struct value *v = value_object(a);

	value_set_string(a, v, "config", s->place.config);
	value_set_string(a, v, "secret", next->has_secret ? s->place.secret : "");
	value_set_string(a, v, "command", next->cron.buf);
	cli_put_json(v);
}

/* The first digest as it stands, by what was written. */
static int
show_first(struct setup *s, struct error *err)
{
	struct cli *cli = s->cli;
	struct error why = { 0 };
	int rc;

	cli->opt.config = s->place.config;
	if (!cli->opt.quiet && !cli->opt.offline) {
		printf("\nThe first digest, as it stands now:\n\n");
		rc = cmd_preview(cli, &why);
		term_clear_progress(&cli->progress);
		if (rc != -1)
			return EXIT_OK;
		/* The files are there and right; the preview can be had again. */
		log_warn(&cli->log, "no preview: %s; try again by: digest --dry-run", why.msg);
		if (cli->run != NULL)
			return EXIT_OK;
	}
	return cli_open(cli, CLI_NO_STORE, err);
}

static int
tell_next(const struct init_next *next, struct error *err)
{
	struct strbuf text;
	int rc;

	strbuf_init(&text, MAX_MESSAGE_BYTES);
	init_next_add_text(&text, next);
	rc = strbuf_check(&text, err);
	if (rc == 0)
		fputs(text.buf, stdout);
	strbuf_release(&text);
	return rc;
}

static int
finish(struct setup *s, struct error *err)
{
	const char *url = s->init.items[INIT_URL];
	struct init_next next = { .place = &s->place, .has_secret = wants_password(s) };
	int rc = -1;

	next.is_given = s->place.of_machine && geteuid() == 0 && getpwnam(service_user) != NULL;
	next.by_sendmail =
	    !run_init_is_relay(&s->init) && (url == NULL || strncmp(url, "sendmail:", 9) == 0);
	if (run_init_write(&s->init, &s->place, err) == -1 ||
	    (next.is_given && run_init_give(&s->place, service_user, err) == -1))
		return -1;
	run_close(s->run);
	s->run = NULL;
	if (init_next_find(&next, err) == -1)
		goto out;
	if (s->cli->opt.json) {
		put_json(s, &next);
		rc = EXIT_OK;
		goto out;
	}
	if (!s->cli->opt.quiet)
		printf("Written: %s%s%s\n", s->place.config, next.has_secret ? " and " : "",
		    next.has_secret ? s->place.secret : "");
	rc = show_first(s, err);
	if (rc == EXIT_OK && !s->cli->opt.quiet && tell_next(&next, err) == -1)
		rc = -1;
out:
	init_next_release(&next);
	return rc;
}

int
cmd_init(struct cli *cli, struct error *err)
{
	struct setup s = { .cli = cli, .asks = ask_is_possible(cli) && !cli->opt.yes };
	int rc = -1;

	strbuf_init(&s.line, MAX_QUERY_BYTES);
	strbuf_init(&s.password, MAX_SECRET_BYTES);
	/* So long that it never moves, which would leave a copy behind. */
	strbuf_reserve(&s.password, MAX_SECRET_BYTES);
	if (run_init_find_place(cli->opt.config, &cli->arena, &s.place, err) == 0) {
		rc = find_answers(&s, err);
		if (rc == 0)
			rc = confirm(&s, err);
		if (rc == -1 && s.asks)
			err_prefix(err, "nothing was written");
		if (rc == 0)
			rc = finish(&s, err);
	}
	if (rc == -1 && *cli->stop != 0) {
		log_error(&cli->log, "%s", err->msg);
		rc = 128 + *cli->stop;
	}
	run_close(s.run);
	if (s.password.alloc > 0)
		explicit_bzero(s.password.buf, s.password.alloc);
	strbuf_release(&s.password);
	strbuf_release(&s.line);
	return rc;
}
