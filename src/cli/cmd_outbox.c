/* digest outbox, history: what waits, what went out, and a person's word on the former. */
#include "cli.h"
#include "digest/limits.h"
#include "digest/text.h"

#include <stdio.h>
#include <string.h>

enum { ADDRESS_COLUMNS = 30, PERIOD_COLUMNS = 10, STATE_COLUMNS = 8, NUMBER_COLUMNS = 7 };

/* ---- the list ---- */

struct listing {
	struct cli *cli;
	size_t n;
	struct arena scratch;
};

static struct value *
unsettled_value(const struct run_unsettled *mail, struct arena *a)
{
	struct value *v = value_object(a);

	value_set_string(a, v, "address", mail->address);
	value_set_string(a, v, "period", mail->period);
	value_set_string(a, v, "state", edition_state_name(mail->edition->state));
	value_set_number(a, v, "attempts", mail->edition->attempts);
	value_set_number(a, v, "copies", mail->edition->copies);
	value_set_number(a, v, "next", mail->edition->next_utc);
	value_set_string(a, v, "reply", mail->edition->reply);
	return v;
}

/* When it is tried again, as far as that is the clock's to say. */
static void
format_next(const struct cli *cli, const struct edition *e, char *out, size_t size)
{
	int64_t left_s = e->next_utc - clock_now_utc(&cli->clock);

	if (e->state != EDITION_DEFERRED)
		snprintf(out, size, "-");
	else if (left_s <= 0)
		snprintf(out, size, "next run");
	else
		run_format_span(left_s, out, size);
}

static const struct term_column columns[] = { { "address", ADDRESS_COLUMNS },
	{ "period", PERIOD_COLUMNS }, { "state", STATE_COLUMNS }, { "tries", NUMBER_COLUMNS },
	{ "copies", NUMBER_COLUMNS }, { "next", PERIOD_COLUMNS }, { "reply", 0 } };

enum { NCOLUMNS = sizeof(columns) / sizeof(columns[0]) };

static int
print_unsettled(void *arg, const struct run_unsettled *mail)
{
	struct listing *l = arg;
	char next[32], tries[32], copies[32];

	if (l->cli->opt.json) {
		arena_reset(&l->scratch);
		cli_put_json(unsettled_value(mail, &l->scratch));
		return 0;
	}
	if (l->n++ == 0)
		term_put_heads(&l->cli->term, columns, NCOLUMNS);
	format_next(l->cli, mail->edition, next, sizeof(next));
	snprintf(tries, sizeof(tries), "%llu", (unsigned long long)mail->edition->attempts);
	snprintf(copies, sizeof(copies), "%llu", (unsigned long long)mail->edition->copies);
	term_put_row(&l->cli->term, columns, NCOLUMNS,
	    (const char *const[]){ mail->address, mail->period,
		edition_state_name(mail->edition->state), tries, copies, next,
		mail->edition->reply });
	return 0;
}

static int
list_outbox(struct cli *cli, struct error *err)
{
	struct listing l = { .cli = cli };
	int64_t since_utc = 0;
	char wall[64];
	int rc, held;

	/* An overlay stands for a store that no run has made yet. */
	if (cli_open(cli, CLI_OVERLAY, err) == -1 ||
	    (held = run_find_hold(cli->run, &since_utc, err)) == -1)
		return -1;
	if (held == 1 && !cli->opt.json) {
		run_format_wall(cli->run, "", since_utc, wall, sizeof(wall));
		printf(
		    "%sall mail is on hold since %s%s; 'digest outbox release --all' ends that\n",
		    term_warn(&cli->term), wall, term_reset(&cli->term));
	}
	arena_init(&l.scratch, MAX_READER_BYTES);
	rc = run_each_unsettled(cli->run, print_unsettled, &l, err);
	arena_release(&l.scratch);
	if (rc == 0 && l.n == 0 && !cli->opt.json)
		printf("no mail waits\n");
	return rc;
}

/* ---- a person's word ---- */

static const struct {
	const char *name;
	enum run_outbox_verb verb;
	const char *done;     /* of the mail */
	const char *done_all; /* of the brake, NULL = there is none */
} verbs[] = {
	{ "retry", OUTBOX_RETRY, "due at the next run", NULL },
	{ "hold", OUTBOX_HOLD, "held until 'digest outbox release'",
	    "all mail is on hold until 'digest outbox release --all'" },
	{ "release", OUTBOX_RELEASE, "due at the next run", "mail may leave again" },
	{ "drop", OUTBOX_DROP, "given up", NULL },
};

enum { NVERBS = sizeof(verbs) / sizeof(verbs[0]) };

static int
check_all(const struct cli *cli, const char *name, const char *address, struct error *err)
{
	if (cli->opt.all && address != NULL)
		return err_set(err, ERR_USAGE, "outbox %s: either --all or an address", name);
	if (cli->opt.all && strcmp(name, "retry") == 0)
		return err_set(err, ERR_USAGE, "--all has no meaning for 'digest outbox retry'");
	if (!cli->opt.all && address == NULL && strcmp(name, "drop") == 0)
		return err_set(
		    err, ERR_USAGE, "usage: digest outbox drop ADDRESS [PERIOD], or --all");
	return 0;
}

/* Whoever names a reader wants to hear when there was nothing to do. */
static int
tell(const struct cli *cli, size_t verb, const char *address, const struct run_outbox_counts *c,
    struct error *err)
{
	if (!cli->opt.quiet && c->nchanged > 0)
		printf("%zu mail%s %s\n", c->nchanged,
		    c->nchanged == 1 ? ":" : "s:", verbs[verb].done);
	if (c->nchanged > 0)
		return EXIT_OK;
	if (c->nbusy > 0)
		return err_set(err, ERR_TEMP,
		    "a run is sending this, or was killed while it did; the next run takes it up");
	if (address != NULL)
		return err_set(err, ERR_USAGE,
		    "%s: no mail to %s; 'digest outbox' lists what waits", address,
		    verbs[verb].name);
	if (!cli->opt.quiet)
		printf("no mail to %s\n", verbs[verb].name);
	return EXIT_OK;
}

static int
change_outbox(struct cli *cli, size_t verb, struct error *err)
{
	const char *address = cli->nargs > 1 ? cli->args[1] : NULL;
	const char *period = cli->nargs > 2 ? cli->args[2] : NULL;
	const char *name = verbs[verb].name;
	struct run_outbox_counts counts;
	bool brake = cli->opt.all && verbs[verb].done_all != NULL;

	if (check_all(cli, name, address, err) == -1 || cli_open(cli, CLI_WRITE, err) == -1)
		return -1;
	if (brake && run_hold_all(cli->run, verbs[verb].verb == OUTBOX_HOLD, err) == -1)
		return -1;
	if (brake && !cli->opt.quiet)
		puts(verbs[verb].done_all);
	if (brake && verbs[verb].verb == OUTBOX_HOLD)
		return EXIT_OK;
	if (run_change_outbox(cli->run, verbs[verb].verb, address, period, &counts, err) == -1)
		return -1;
	if (brake && counts.nchanged == 0)
		return EXIT_OK;
	return tell(cli, verb, address, &counts, err);
}

int
cmd_outbox(struct cli *cli, struct error *err)
{
	const char *name = cli->nargs > 0 ? cli->args[0] : "list";

	if (strcmp(name, "list") == 0) {
		if (cli->nargs > 1 || cli->opt.all)
			return err_set(err, ERR_USAGE, "usage: digest outbox list");
		return list_outbox(cli, err);
	}
	for (size_t i = 0; i < NVERBS; i++)
		if (strcmp(verbs[i].name, name) == 0)
			return change_outbox(cli, i, err);
	return err_set(
	    err, ERR_USAGE, "outbox: '%s'; expected list, retry, hold, release or drop", name);
}

/* ---- history ---- */

enum { SHORT_HISTORY = 20, LONG_HISTORY = 10000, TIME_COLUMNS = 25, VIA_COLUMNS = 10 };

static struct value *
past_value(const struct run_past *p, struct arena *a)
{
	struct value *v = value_object(a);

	value_set_string(a, v, "address", p->address);
	value_set_string(a, v, "period", p->period);
	value_set_string(a, v, "state", edition_state_name(p->edition->state));
	value_set_number(a, v, "papers", (int64_t)p->nshown);
	value_set_number(a, v, "matched", p->edition->nmatched);
	value_set_number(a, v, "composed", p->edition->composed_utc);
	value_set_number(a, v, "tried", p->edition->tried_utc);
	value_set_string(a, v, "via", p->edition->via);
	value_set_number(a, v, "attempts", p->edition->attempts);
	value_set_number(a, v, "copies", p->edition->copies);
	value_set_string(a, v, "reply", p->edition->reply);
	return v;
}

static const struct term_column past_columns[] = { { "address", ADDRESS_COLUMNS },
	{ "period", PERIOD_COLUMNS }, { "state", STATE_COLUMNS }, { "papers", NUMBER_COLUMNS },
	{ "composed", TIME_COLUMNS }, { "tried", TIME_COLUMNS }, { "via", VIA_COLUMNS },
	{ "reply", 0 } };

enum { NPAST_COLUMNS = sizeof(past_columns) / sizeof(past_columns[0]) };

static void
print_past(const struct cli *cli, const struct run_past *p)
{
	char composed[64], tried[64] = "-", papers[32];

	snprintf(papers, sizeof(papers), "%zu", p->nshown);
	run_format_wall(cli->run, "", p->edition->composed_utc, composed, sizeof(composed));
	if (p->edition->tried_utc != 0)
		run_format_wall(cli->run, "", p->edition->tried_utc, tried, sizeof(tried));
	term_put_row(&cli->term, past_columns, NPAST_COLUMNS,
	    (const char *const[]){ p->address, p->period, edition_state_name(p->edition->state),
		papers, composed, tried, p->edition->via[0] != '\0' ? p->edition->via : "-",
		p->edition->reply });
}

/* How the reader came to be mailed, before what was mailed. */
static int
put_consents(struct cli *cli, const char *address, struct error *err)
{
	struct store_consent *consents;
	struct store_reader *r;
	const char *canonical;
	struct strbuf line;
	char wall[64];
	size_t n;

	if (run_canonical(address, &cli->arena, &canonical, err) == -1 ||
	    store_find_reader(cli->run->store, canonical, &cli->arena, &r, err) != 1 ||
	    store_read_consents(r->consent, &cli->arena, &consents, &n, err) == -1)
		return -1;
	strbuf_init(&line, MAX_CONSENT_BYTES);
	for (size_t i = 0; i < n; i++) {
		snprintf(wall, sizeof(wall), "-");
		if (consents[i].at_utc != 0)
			run_format_wall(cli->run, "", consents[i].at_utc, wall, sizeof(wall));
		strbuf_reset(&line);
		strbuf_addf(&line, "%-*s%s", TIME_COLUMNS, wall, consents[i].how);
		if (consents[i].text[0] != '\0')
			strbuf_add_all(&line, " ", consents[i].text, NULL);
		status_put_line(cli, "consent", line.buf);
	}
	strbuf_release(&line);
	return 0;
}

/* What mails from outside said of the reader, and what was done about it, behind what was mailed. */
static int
put_returned(struct cli *cli, const char *address, struct error *err)
{
	struct run_returned *rows;
	struct store_reader *r;
	const char *canonical;
	struct value *v;
	size_t n;

	if (run_canonical(address, &cli->arena, &canonical, err) == -1 ||
	    store_find_reader(cli->run->store, canonical, &cli->arena, &r, err) != 1 ||
	    run_load_returned(cli->run, r->sub.id, cli->opt.all ? LONG_HISTORY : SHORT_HISTORY,
		&cli->arena, &rows, &n, err) == -1)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (cli->opt.json) {
			v = run_returned_value(&rows[i], &cli->arena);
			value_set_string(&cli->arena, v, "address", r->sub.address);
			cli_put_json(v);
			continue;
		}
		returned_put(cli, &rows[i], "came in  ");
	}
	return 0;
}

int
cmd_history(struct cli *cli, struct error *err)
{
	const char *address = cli->nargs > 0 ? cli->args[0] : NULL;
	struct run_past *rows;
	size_t n;

	/* The overlay takes in readers whose blocks no run has seen yet. */
	if (cli_open_readers(cli, CLI_OVERLAY, err) == -1 ||
	    run_load_history(cli->run, address, cli->opt.all ? LONG_HISTORY : SHORT_HISTORY,
		&cli->arena, &rows, &n, err) == -1)
		return -1;
	if (address != NULL && !cli->opt.json && put_consents(cli, address, err) == -1)
		return -1;
	if (n > 0 && !cli->opt.json)
		term_put_heads(&cli->term, past_columns, NPAST_COLUMNS);
	for (size_t i = 0; i < n; i++) {
		if (cli->opt.json)
			cli_put_json(past_value(&rows[i], &cli->arena));
		else
			print_past(cli, &rows[i]);
	}
	if (n == 0 && !cli->opt.json)
		printf("no digest yet\n");
	if (address != NULL && put_returned(cli, address, err) == -1)
		return -1;
	return EXIT_OK;
}
