#include "cli.h"
#include "digest/date.h"
#include "digest/text.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_USERS = 10000, FIRST_LONG = 256 };

const struct option_info option_table[] = {
	{ 0, true, "config", 'c', "FILE",
	    "the configuration; else $DIGEST_CONFIG, ~/.config/digest/digest.conf, "
	    "/etc/digest/digest.conf" },
	{ 0, true, "user", 'u', "ADDRESS", "only this reader; may be given again" },
	{ 0, true, "now", 0, "TIME", "act as if it were this time (2026-08-21T07:00:00Z)" },
	{ 0, true, "quiet", 'q', NULL, "say only what a person must act on" },
	{ 0, true, "verbose", 'v', NULL,
	    "tell what is done; twice: each request and each mail, too" },
	{ 0, true, "log", 0, "text|json", "form of what is told; else $DIGEST_LOG" },
	{ 0, true, "json", 0, NULL, "answer in JSON, one object per line" },
	{ 0, true, "color", 0, "WHEN", "auto, always or never" },
	{ 0, true, "help", 'h', NULL, "show the help" },
	{ 0, true, "version", 'V', NULL, "show the version" },
	{ OPT_DRY_RUN, false, "dry-run", 'n', NULL,
	    "show what would be done; send and store nothing" },
	{ OPT_OFFLINE, false, "offline", 0, NULL, "do not ask the sources" },
	{ OPT_FORMAT, false, "format", 0, "FORM", "of a dry run: text, html, eml or json" },
	{ OPT_OUT, false, "out", 0, "DIR",
	    "of a dry run: write ADDRESS.txt, .html and .eml there" },
	{ OPT_OPEN, false, "open", 0, NULL, "of a dry run: show the HTML in the browser" },
	{ OPT_SINCE, false, "since", 0, "DATE", "read from this day on" },
	{ OPT_FORCE, false, "force", 'f', NULL, "replace files that are there" },
	{ OPT_FILTER, false, "filter", 0, "NAME=QUERY",
	    "a filter of the reader; may be given again" },
	{ OPT_NAME, false, "name", 0, "NAME", "the reader's name" },
	{ OPT_WHEN, false, "when", 0, "WHEN",
	    "the reader's days and hour, as in 'weekdays 07:30'" },
	{ OPT_TIMEZONE, false, "timezone", 0, "ZONE", "the reader's zone, as in Europe/London" },
	{ OPT_LANGUAGE, false, "language", 0, "LANGUAGE", "of the digest's own words: en, de" },
	{ OPT_USE, false, "use", 0, "FILTER",
	    "a shared filter of the configuration; may be given again" },
	{ OPT_TOKEN, false, "token", 0, "TOKEN", "the token of an unsubscribing mail" },
	{ OPT_CONSENT, false, "consent", 0, "TEXT", "where and when the reader agreed" },
	{ OPT_UNTIL, false, "until", 0, "DATE", "the day on which mail starts again" },
	{ OPT_ACCEPT_REMOVALS, false, "accept-removals", 0, NULL,
	    "end the subscriptions whose blocks are gone, however many" },
	{ OPT_ALL, false, "all", 'a', NULL, "all of them" },
	{ OPT_BIBTEX, false, "bibtex", 0, NULL, "as a BibTeX entry" },
	{ OPT_YES, false, "yes", 'y', NULL, "do not ask before a first run to many readers" },
	{ OPT_CHECK, false, "check", 0, NULL, "one line, and an exit code for a monitor" },
	{ OPT_SEND, false, "send", 0, "ADDRESS", "also send a test mail there" },
	{ OPT_DAYS, false, "days", 0, "N", "look back this far" },
	{ OPT_LIMIT, false, "limit", 0, "N", "papers at most" },
	{ OPT_SORT, false, "sort", 0, "ORDER", "best, relevance, votes, trending or newest" },
	{ OPT_INSTEAD_OF, false, "instead-of", 0, "FILTER",
	    "compare with this filter: papers gained and lost" },
	{ OPT_SIMILAR, false, "similar", 0, "PAPER", "more like this one" },
	{ OPT_STDIN, false, "stdin", 0, NULL, "one mail, from standard input" },
	{ OPT_EXPLAIN, false, "explain", 0, "FILE", "how a mail is read, and what would be done" },
	{ OPT_FORGET, false, "forget", 0, NULL, "bounces that wait never count" },
	{ OPT_ADOPT, false, "adopt", 0, NULL, "the store at hand is the one that sends" },
	{ OPT_ADDRESS, false, "address", 0, "ADDRESS", "whom the digests go to" },
	{ OPT_TOPIC, false, "topic", 0, "QUERY", "a filter for them; may be given again" },
	{ OPT_FROM, false, "from", 0, "ADDRESS", "who they come from; else the reader" },
	{ OPT_SMTP_URL, false, "smtp-url", 0, "URL",
	    "smtps://smtp.example.org, sendmail: or maildir:/path" },
	{ OPT_SMTP_USER, false, "smtp-user", 0, "USER", "for the login there" },
	{ OPT_PASSWORD_FILE, false, "password-file", 0, "FILE",
	    "holds its password, closed to others" },
	{ OPT_CA_FILE, false, "ca-file", 0, "FILE",
	    "who signs its certificate, where that is nobody this machine trusts" },
	{ 0, false, NULL, 0, NULL, NULL },
};

enum { NOPTIONS = sizeof(option_table) / sizeof(option_table[0]) - 1 };

/* What one means to a command that takes it in another sense. */
static const struct {
	const char *command;
	enum option_id id;
	const char *help;
} meanings[] = {
	{ "init", OPT_WHEN, "when they come, as in 'weekdays 07:30'" },
	{ "init", OPT_OFFLINE, "ask no source, do not try the relay, show no digest" },
	{ "init", OPT_YES, "ask nothing, also on a terminal" },
	{ "check", OPT_OFFLINE, "do not try sources, relays and the mailbox" },
	{ "subscribers", OPT_FORMAT, "conf: as blocks of the configuration" },
	{ "subscribers", OPT_ALL, "also those whose subscription has ended" },
	{ "subscribers", OPT_UNTIL, "of pause: the day on which mail starts again" },
	{ "subscribers", OPT_CONSENT, "of resume: where and when who had left asked for it" },
	{ "history", OPT_ALL, "the newest 10,000 in place of 20" },
	{ "explain", OPT_OFFLINE, "do not ask arXiv for a paper that is not in the store" },
	{ "explain", OPT_ALL, "each reader, however many" },
	{ "fetch", OPT_FORCE, "also sources that are not due" },
	{ "outbox", OPT_ALL, "all mail; with hold the brake, which release takes off again" },
	{ "config", OPT_ALL, "also keys that have their default" },
	{ "template", OPT_ALL, "of copy: all templates" },
	{ "template", OPT_FORCE, "of copy: overwrite" },
	{ "prune", OPT_DRY_RUN, "only tell what would go" },
	{ "import", OPT_DRY_RUN, "tell what would be taken in, and write nothing" },
};

const char *
options_help(const struct command *command, const struct option_info *option)
{
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
		if (!option->global && meanings[i].id == option->id &&
		    strcmp(meanings[i].command, command->name) == 0)
			return meanings[i].help;
	return option->help;
}

/* Where an option without special treatment goes. */
struct place {
	const char *name;
	size_t text, flag; /* offset of a const char * or of a bool; the other is 0 */
};

#define TEXT(name, member)                                       \
	{                                                        \
		name, offsetof(struct options, member), SIZE_MAX \
	}
#define FLAG(name, member)                                       \
	{                                                        \
		name, SIZE_MAX, offsetof(struct options, member) \
	}

static const struct place places[] = {
	TEXT("config", config),
	TEXT("now", now),
	TEXT("log", log),
	TEXT("color", color),
	TEXT("format", format),
	TEXT("out", out),
	TEXT("since", since),
	TEXT("until", until),
	TEXT("name", name),
	TEXT("when", when),
	TEXT("timezone", timezone),
	TEXT("language", language),
	TEXT("token", token),
	TEXT("consent", consent),
	TEXT("send", send),
	TEXT("days", days),
	TEXT("limit", limit),
	TEXT("sort", sort),
	TEXT("instead-of", instead_of),
	TEXT("similar", similar),
	TEXT("explain", explain),
	TEXT("address", address),
	TEXT("from", from),
	TEXT("smtp-url", smtp_url),
	TEXT("smtp-user", smtp_user),
	TEXT("password-file", password_file),
	TEXT("ca-file", ca_file),
	FLAG("check", check),
	FLAG("adopt", adopt),
	FLAG("stdin", from_stdin),
	FLAG("forget", forget),
	FLAG("quiet", quiet),
	FLAG("verbose", verbose),
	FLAG("json", json),
	FLAG("help", help),
	FLAG("version", version),
	FLAG("dry-run", dry_run),
	FLAG("offline", offline),
	FLAG("open", open),
	FLAG("force", force),
	FLAG("accept-removals", accept_removals),
	FLAG("all", all),
	FLAG("bibtex", bibtex),
	FLAG("yes", yes),
};

static int
append(struct cli *cli, const char ***list, size_t *n, const char *text, struct error *err)
{
	if (*list == NULL && (*list = arena_array(&cli->arena, MAX_USERS, sizeof(**list))) == NULL)
		return err_nomem(err, "options");
	if (*n == MAX_USERS)
		return err_set(err, ERR_USAGE, "more than %d of one option", MAX_USERS);
	(*list)[(*n)++] = text;
	return 0;
}

static int
take_option(struct cli *cli, const struct option_info *o, const char *arg, struct error *err)
{
	struct options *opt = &cli->opt;

	if (strcmp(o->name, "user") == 0)
		return append(cli, &opt->users, &opt->nusers, arg, err);
	if (strcmp(o->name, "verbose") == 0)
		opt->debug = opt->verbose;
	if (strcmp(o->name, "filter") == 0)
		return append(cli, &opt->filters, &opt->nfilters, arg, err);
	if (strcmp(o->name, "use") == 0)
		return append(cli, &opt->use, &opt->nuse, arg, err);
	if (strcmp(o->name, "topic") == 0)
		return append(cli, &opt->topics, &opt->ntopics, arg, err);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (strcmp(o->name, places[i].name) != 0)
			continue;
		if (places[i].text != SIZE_MAX)
			memcpy((char *)opt + places[i].text, &arg, sizeof(arg));
		else
			*(bool *)((char *)opt + places[i].flag) = true;
		return 0;
	}
	return err_set(err, ERR_BUG, "option --%s goes nowhere", o->name);
}

/* getopt's own tables, made from ours. */
static void
make_getopt_tables(struct option *longs, char *shorts)
{
	size_t n = 0;

	shorts[n++] = ':';
	for (int i = 0; i < NOPTIONS; i++) {
		const struct option_info *o = &option_table[i];

		longs[i] = (struct option){ o->name,
			o->arg != NULL ? required_argument : no_argument, NULL, FIRST_LONG + i };
		if (o->letter == 0)
			continue;
		shorts[n++] = o->letter;
		if (o->arg != NULL)
			shorts[n++] = ':';
	}
	shorts[n] = '\0';
}

static const struct option_info *
find_option(int code)
{
	if (code >= FIRST_LONG)
		return &option_table[code - FIRST_LONG];
	for (int i = 0; i < NOPTIONS; i++)
		if (option_table[i].letter == code)
			return &option_table[i];
	return NULL;
}

/* Names of options that begin so, as "--force, --format"; returns how many. */
static size_t
list_beginning(const char *name, size_t len, char *out, size_t size)
{
	size_t n = 0, used = 0;

	out[0] = '\0';
	for (int i = 0; i < NOPTIONS; i++) {
		if (strncmp(option_table[i].name, name, len) != 0 || used + 1 >= size)
			continue;
		used += (size_t)snprintf(
		    out + used, size - used, "%s--%s", n > 0 ? ", " : "", option_table[i].name);
		n++;
	}
	return n;
}

/* What getopt did not take: a word that is no option, or the beginning of several, or a value for one that has none. */
static int
fail_option(const char *word, struct error *err)
{
	const char *names[NOPTIONS + 1] = { NULL }, *near;
	char list[512], name[64];
	size_t len, n;

	if (strncmp(word, "--", 2) != 0 || word[2] == '\0')
		return err_set(
		    err, ERR_USAGE, "'%s' is not an option; 'digest help' lists them", word);
	len = strcspn(word + 2, "=");
	n = list_beginning(word + 2, len, list, sizeof(list));
	if (n == 1 && word[2 + len] == '=')
		return err_set(err, ERR_USAGE, "'%s': %s takes no value", word, list);
	if (n > 1)
		return err_set(err, ERR_USAGE, "'%s' may be %s; expected more of it", word, list);
	for (int i = 0; i < NOPTIONS; i++)
		names[i] = option_table[i].name;
	snprintf(name, sizeof(name), "%.*s", (int)len, word + 2);
	near = text_nearest(name, names);
	return err_set(err, ERR_USAGE, "'%s' is not an option; %s%s%s'digest help' lists them",
	    word, near != NULL ? "did you mean '--" : "", near != NULL ? near : "",
	    near != NULL ? "'? " : "");
}

static int
find_command(struct cli *cli, struct error *err)
{
	const char *names[64];
	const char *near;
	size_t n = 0;

	if (cli->nargs == 0)
		return 0;
	for (const struct command *c = commands; c->name != NULL; c++) {
		names[n++] = c->name;
		if (strcmp(c->name, cli->args[0]) == 0)
			cli->command = c;
	}
	names[n] = NULL;
	if (cli->command == NULL) {
		near = text_nearest(cli->args[0], names);
		return err_set(err, ERR_USAGE,
		    "'%s' is not a command; %s%s%s'digest help' lists them", cli->args[0],
		    near != NULL ? "did you mean '" : "", near != NULL ? near : "",
		    near != NULL ? "'? " : "");
	}
	cli->args++;
	cli->nargs--;
	return 0;
}

/* Options and arguments that the command does not take are errors, not silence. */
static int
check_use(const struct cli *cli, uint64_t used, struct error *err)
{
	const struct command *c = cli->command;
	uint64_t allowed = c != NULL ? c->options : OPT(OPT_DRY_RUN);

	/* 'digest --dry-run' is 'digest run --dry-run'. */
	if (c == NULL && (used & OPT(OPT_DRY_RUN)) != 0)
		for (const struct command *r = commands; r->name != NULL; r++)
			if (r->run == cmd_run)
				allowed = r->options;
	for (int i = 0; i < NOPTIONS; i++) {
		const struct option_info *o = &option_table[i];

		if (!o->global && (used & OPT(o->id)) != 0 && (allowed & OPT(o->id)) == 0)
			return err_set(err, ERR_USAGE, "--%s has no meaning for 'digest%s%s'",
			    o->name, c != NULL ? " " : "", c != NULL ? c->name : "");
	}
	if (c == NULL || cli->opt.help)
		return 0;
	if (cli->nargs < c->min_args || (c->max_args >= 0 && cli->nargs > c->max_args))
		return err_set(err, ERR_USAGE, "usage: digest %s%s%s", c->name,
		    c->args[0] != '\0' ? " " : "", c->args);
	return 0;
}

/* One that is set for a whole machine must not keep a command from working: what it does not know is text. */
static int
choose_log(struct cli *cli, struct error *err)
{
	const char *form = cli->opt.log, *env = getenv("DIGEST_LOG");

	if (log_is_journal(cli->log.fd))
		cli->log.format = LOG_JOURNAL;
	if (form != NULL && strcmp(form, "text") != 0 && strcmp(form, "json") != 0)
		return err_set(err, ERR_USAGE, "--log=%s; expected text or json", form);
	if (strcmp(form != NULL ? form : env != NULL ? env : "", "json") == 0)
		cli->log.format = LOG_JSON;
	cli->log.level = cli->opt.debug ? LOG_LEVEL_DEBUG
	    : cli->opt.verbose		? LOG_LEVEL_INFO
	    : cli->opt.quiet		? LOG_LEVEL_ERROR
					: cli->log.level;
	return 0;
}

static int
apply_globals(struct cli *cli, struct error *err)
{
	const char *when = cli->opt.color;

	if (when != NULL && strcmp(when, "auto") != 0 && strcmp(when, "always") != 0 &&
	    strcmp(when, "never") != 0)
		return err_set(err, ERR_USAGE, "--color=%s; expected auto, always or never", when);
	term_init(&cli->term, when);
	if (cli->opt.now == NULL)
		return 0;
	cli->clock.frozen = true;
	if (date_parse(cli->opt.now, &cli->clock.frozen_utc, err) == -1) {
		err->kind = ERR_USAGE;
		return err_prefix(err, "--now");
	}
	return 0;
}

int
options_parse(struct cli *cli, int argc, char **argv, struct error *err)
{
	struct option longs[NOPTIONS + 1] = { 0 };
	char shorts[3 * NOPTIONS + 2];
	uint64_t used = 0;
	int code;

	make_getopt_tables(longs, shorts);
	opterr = 0;
	while ((code = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		const struct option_info *o = code != '?' && code != ':' ? find_option(code) : NULL;

		if (code == ':')
			return err_set(err, ERR_USAGE, "%s needs a value", argv[optind - 1]);
		if (o == NULL)
			return fail_option(argv[optind - 1], err);
		if (take_option(cli, o, optarg, err) == -1)
			return -1;
		if (!o->global)
			used |= OPT(o->id);
	}
	cli->args = argv + optind;
	cli->nargs = argc - optind;
	if (choose_log(cli, err) == -1 || find_command(cli, err) == -1 ||
	    check_use(cli, used, err) == -1)
		return -1;
	return apply_globals(cli, err);
}
