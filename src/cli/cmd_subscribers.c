/* digest subscribers, and the readers of digest export: the list, and what a command does to one of it. */
#include "cli.h"
#include "digest/date.h"
#include "digest/limits.h"

#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* ---- the list ---- */

struct listing {
	struct cli *cli;
	enum { LIST_TABLE, LIST_JSON, LIST_BLOCKS } form;
	bool all;
	const char *const *only; /* canonical addresses; none = all */
	size_t nonly;
	size_t n, nothers; /* shown; of the file, and therefore not shown as blocks */
	struct arena scratch;
};

static bool
is_wanted(const struct listing *l, const struct store_reader *r)
{
	for (size_t i = 0; i < l->nonly; i++)
		if (strcmp(l->only[i], r->sub.canonical) == 0)
			return true;
	return l->nonly == 0;
}

static const struct term_column columns[] = { { "address", 32 }, { "", 7 }, { "when", 17 },
	{ "", 11 }, { "from", 0 } };

static void
print_row(const struct cli *cli, const struct store_reader *r)
{
	char filters[32], from[1024];

	snprintf(filters, sizeof(filters), "%zu filter%s", r->sub.nfilters,
	    r->sub.nfilters == 1 ? "" : "s");
	if (r->sub.file[0] != '\0')
		snprintf(from, sizeof(from), "%s:%u", r->sub.file, (unsigned)r->sub.line);
	else
		snprintf(from, sizeof(from), "%s", run_reader_origin(r));
	term_put_row(&cli->term, columns, sizeof(columns) / sizeof(columns[0]),
	    (const char *const[]){
		r->sub.address, run_reader_state(cli->run, r), r->sub.when, filters, from });
}

/* Of the file only when asked for: who puts the output there wants no block twice. */
static int
print_block(struct listing *l, const struct store_reader *r)
{
	struct strbuf block;

	if (r->suppressed || r->state == READER_ENDED)
		return 0;
	if (r->sub.origin == ORIGIN_FILE && !l->all && l->nonly == 0) {
		l->nothers++;
		return 0;
	}
	strbuf_init(&block, MAX_READER_BYTES);
	run_add_reader_block(l->cli->run, &block, r, &l->scratch);
	fputs(block.buf, stdout);
	strbuf_release(&block);
	l->n++;
	return 0;
}

static int
print_reader(void *arg, const struct store_reader *r)
{
	struct listing *l = arg;

	if (!is_wanted(l, r))
		return 0;
	arena_reset(&l->scratch);
	if (l->form == LIST_BLOCKS)
		return print_block(l, r);
	l->n++;
	if (l->form == LIST_JSON)
		cli_put_json(run_reader_value(l->cli->run, r, &l->scratch));
	else
		print_row(l->cli, r);
	return 0;
}

static void
tell_end(const struct listing *l)
{
	const char *path = l->cli->run->cfg->path;

	if (l->form == LIST_BLOCKS && l->nothers > 0)
		fprintf(stderr, "%zu reader%s of %s %s not shown; --all shows them, too\n",
		    l->nothers, l->nothers == 1 ? "" : "s", path, l->nothers == 1 ? "is" : "are");
	else if (l->n == 0 && l->form == LIST_TABLE)
		fprintf(stderr,
		    "no readers; add a subscriber block to %s, or: digest subscribe ADDRESS\n",
		    path);
}

/* address	only this one; NULL = all, or those of -u */
static int
list_readers(struct cli *cli, const char *address, struct error *err)
{
	const char *format = cli->opt.format, **users, *canonical;
	struct listing l = { .cli = cli, .all = cli->opt.all };
	int rc;

	if (format != NULL && strcmp(format, "conf") != 0)
		return err_set(err, ERR_USAGE, "--format %s; expected conf", format);
	l.form = format != NULL ? LIST_BLOCKS : cli->opt.json ? LIST_JSON : LIST_TABLE;
	/* An overlay takes in the file's readers without writing, so that the list is right before the first run. */
	if (cli_open_readers(cli, CLI_OVERLAY, err) == -1 || cli_users(cli, &users, err) == -1)
		return -1;
	l.only = users;
	l.nonly = cli->opt.nusers;
	if (address != NULL) {
		if (run_canonical(address, &cli->arena, &canonical, err) == -1)
			return -1;
		l.only = &canonical;
		l.nonly = 1;
	}
	arena_init(&l.scratch, MAX_READER_BYTES);
	rc = store_each_reader(cli->run->store, cli->opt.all || l.nonly > 0, print_reader, &l, err);
	arena_release(&l.scratch);
	if (rc == 0 && l.n == 0 && l.nonly > 0)
		return err_set(err, ERR_USAGE,
		    "%s is not a reader%s; 'digest subscribers --all' lists them", l.only[0],
		    l.form == LIST_BLOCKS ? " who is mailed" : "");
	if (rc == 0)
		tell_end(&l);
	return rc;
}

/* ---- one of them ---- */

static void
put_line(void *arg, const struct value *line)
{
	(void)arg;
	cli_put_json(line);
}

static int
export_one(struct cli *cli, const char *address, struct error *err)
{
	if (cli_open_readers(cli, CLI_OVERLAY, err) == -1)
		return -1;
	return run_export_person(cli->run, address, &cli->arena, put_line, NULL, err);
}

/* What was done: a sentence, or an object with the state that came of it. */
static int
tell(struct cli *cli, const char *address, const char *state, const char *sentence,
    struct error *err)
{
	struct value *v;

	if (cli->opt.json) {
		v = value_object(&cli->arena);
		value_set_string(&cli->arena, v, "address", address);
		value_set_string(&cli->arena, v, "state", state);
		cli_put_json(v);
		return value_check(&cli->arena, err);
	}
	if (!cli->opt.quiet) {
		term_put(address);
		printf(" %s\n", sentence);
	}
	return EXIT_OK;
}

static int
pause_one(struct cli *cli, const char *address, struct error *err)
{
	char day[DATE_RFC3339_SIZE], sentence[100];
	int32_t until;

	if (cli->opt.until == NULL)
		return err_set(
		    err, ERR_USAGE, "pause needs --until DATE, the day on which mail starts again");
	if (date_parse_day(cli->opt.until, &until, err) == -1) {
		err->kind = ERR_USAGE;
		return err_prefix(err, "--until");
	}
	if (run_pause(cli->run, address, until, err) == -1)
		return -1;
	date_format_day(until, day);
	if (until <= clock_now_utc(&cli->clock) / 86400)
		return tell(
		    cli, address, "active", "is not paused: that day is not after today", err);
	snprintf(sentence, sizeof(sentence), "gets no mail until %s", day);
	return tell(cli, address, "paused", sentence, err);
}

static int
resume_one(struct cli *cli, const char *address, struct error *err)
{
	static const struct {
		const char *sentence, *state;
	} ends[] = {
		[RESUMED_NOTHING] = { "was not paused", "active" },
		[RESUMED_PAUSE] = { "gets mail again", "active" },
		[RESUMED_SUPPRESSION] = { "gets mail again", "active" },
		[RESUMED_PAUSED] = { "gets mail again after the pause in the file", "paused" },
		[RESUMED_STRANGER] = { "may be subscribed again, but is no reader", "unknown" },
	};
	enum run_resumed was;

	if (run_resume(cli->run, address, cli->opt.consent != NULL ? cli->opt.consent : "", &was,
		err) == -1)
		return -1;
	return tell(cli, address, ends[was].state, ends[was].sentence, err);
}

/* Copies that digest itself made know the reader, too. */
static void
warn_of_copies(struct cli *cli)
{
	struct strbuf pattern;
	glob_t found;

	strbuf_init(&pattern, PATH_MAX);
	strbuf_addf(&pattern, "%s.before-*", cli->run->cfg->store.path);
	if (glob(pattern.buf, 0, NULL, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc; i++)
			log_warn(&cli->log, "%s: an older copy of the store, which is as it was",
			    found.gl_pathv[i]);
		globfree(&found);
	}
	strbuf_release(&pattern);
}

static int
erase_one(struct cli *cli, const char *address, struct error *err)
{
	if (run_erase(cli->run, address, err) == -1)
		return -1;
	warn_of_copies(cli);
	return tell(cli, address, "erased",
	    "is forgotten, but for a hash that keeps mail from going there; backups and logs are "
	    "as "
	    "they were",
	    err);
}

int
cmd_subscribers(struct cli *cli, struct error *err)
{
	static const struct {
		const char *name;
		int (*act)(struct cli *cli, const char *address, struct error *err);
	} verbs[] = {
		{ "pause", pause_one },
		{ "resume", resume_one },
		{ "erase", erase_one },
		{ "export", export_one },
	};
	const char *verb = cli->nargs > 0 ? cli->args[0] : NULL;

	if (verb == NULL || (cli->nargs == 1 && strchr(verb, '@') != NULL))
		return list_readers(cli, verb, err);
	if (cli->opt.nusers > 0 || cli->opt.format != NULL)
		return err_set(err, ERR_USAGE, "--user and --format are for the list of readers");
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(verbs[i].name, verb) != 0)
			continue;
		if (cli->nargs != 2)
			return err_set(
			    err, ERR_USAGE, "usage: digest subscribers %s ADDRESS", verb);
		if (verbs[i].act != export_one && cli_open_readers(cli, CLI_WRITE, err) == -1)
			return -1;
		return verbs[i].act(cli, cli->args[1], err);
	}
	return err_set(err, ERR_USAGE,
	    "subscribers: '%s'; expected an address, or pause, resume, erase or export", verb);
}

/* ---- export ---- */

struct exported {
	struct cli *cli;
	struct arena scratch;
	struct error *err;
};

static int
export_reader(void *arg, const struct store_reader *r)
{
	struct exported *x = arg;

	return run_export_reader(x->cli->run, r, &x->scratch, put_line, NULL, x->err);
}

int
cmd_export(struct cli *cli, struct error *err)
{
	static const char *const whats[] = { "papers", "subscribers", "all", NULL };
	const char *what = cli->nargs > 0 ? cli->args[0] : "all";
	struct exported x = { .cli = cli, .err = err };
	bool known = false;
	int rc = 0;

	for (size_t i = 0; whats[i] != NULL; i++)
		known |= strcmp(what, whats[i]) == 0;
	if (!known)
		return err_set(
		    err, ERR_USAGE, "export: '%s'; expected papers, subscribers or all", what);
	if (cli_open(cli, CLI_READ, err) == -1)
		return -1;
	arena_init(&x.scratch, MAX_READER_BYTES);
	if (strcmp(what, "subscribers") != 0)
		rc = cli_export_papers(cli, err);
	if (rc == 0 && strcmp(what, "papers") != 0)
		rc = run_export_suppressions(cli->run, &x.scratch, put_line, NULL, err);
	if (rc == 0 && strcmp(what, "papers") != 0)
		rc = store_each_reader(cli->run->store, true, export_reader, &x, err);
	arena_release(&x.scratch);
	return rc;
}
