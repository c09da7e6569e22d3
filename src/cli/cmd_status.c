/* digest status: how things stand, for a person, for a program, and as one line for a monitor. */
#include "cli.h"
#include "digest/date.h"

#include <stdio.h>
#include <string.h>

enum { DAY_SECONDS = 86400, LABEL_COLUMNS = 9, MAX_LINE = 2048 };

/* Why somebody gets no mail any more. */
static const char *const reasons[] = {
	[SUPPRESSED_UNSUBSCRIBED] = "unsubscribed",
	[SUPPRESSED_COMPLAINT] = "complained",
	[SUPPRESSED_BOUNCED] = "bounced",
	[SUPPRESSED_OPERATOR] = "stopped by the operator",
};

/* ---- JSON ---- */

struct value *
status_source_value(const struct run_source_status *s, struct arena *a)
{
	struct value *v = value_object(a);
	const struct store_source *state = s->state;
	char day[DATE_RFC3339_SIZE] = "";

	if (s->newest_day != 0)
		date_format_day(s->newest_day, day);
	value_set_string(a, v, "name", s->name);
	value_set_string(a, v, "type", s->type);
	value_set_number(a, v, "last_success", state != NULL ? state->last_success_utc : 0);
	value_set_number(a, v, "failing_since", state != NULL ? state->failing_since_utc : 0);
	value_set_string(a, v, "last_error", state != NULL ? state->last_error : "");
	value_set_string(a, v, "newest_day", arena_strdup(a, day));
	value_set_number(a, v, "next_allowed", state != NULL ? state->next_allowed_utc : 0);
	value_set_string(a, v, "silence", s->silence.text);
	return v;
}

static struct value *
unsettled_value(const struct run_status *s, struct arena *a)
{
	struct value *v = value_object(a);

	for (int i = 0; i <= EDITION_EMPTY; i++)
		if (s->unsettled[i] > 0)
			value_set_number(a, v, edition_state_name((enum edition_state)i),
			    (int64_t)s->unsettled[i]);
	return v;
}

static struct value *
silents_value(const struct run_status *s, struct arena *a)
{
	struct value *list = value_list(a);

	for (size_t i = 0; i < s->nsilents; i++) {
		struct value *v = value_object(a);

		value_set_string(a, v, "address", s->silents[i].address);
		value_set_string(a, v, "period", s->silents[i].period);
		value_set_string(a, v, "reason", s->silents[i].text);
		value_append(a, list, v);
	}
	return list;
}

static struct value *
stopped_value(const struct run_status *s, struct arena *a)
{
	struct value *list = value_list(a);

	for (size_t i = 0; i < s->nstopped; i++) {
		struct value *v = value_object(a);

		value_set_string(a, v, "address", s->stopped[i].address);
		value_set_string(a, v, "reason", reasons[s->stopped[i].reason]);
		value_set_number(a, v, "since", s->stopped[i].since_utc);
		value_append(a, list, v);
	}
	return list;
}

static struct value *
inbox_value(const struct run_status *s, struct arena *a)
{
	static const struct run_inbox_state none = { .trouble = "", .frozen = "", .policy = "" };
	const struct run_inbox_state *state = s->inbox != NULL ? s->inbox : &none;
	struct value *v = value_object(a), *refusing = value_list(a);

	for (size_t i = 0; i < state->nrefusing; i++)
		value_append(a, refusing, value_string(a, state->refusing[i].domain));
	value_set_number(a, v, "last_read", state->read_utc);
	value_set_number(a, v, "failing_since", state->failing_since_utc);
	value_set_string(a, v, "trouble", state->trouble);
	value_set_number(a, v, "frozen_since", state->frozen_since_utc);
	value_set_number(a, v, "waiting", (int64_t)state->nwaiting);
	value_set_number(a, v, "bounced", (int64_t)state->nbounced);
	value_set_number(a, v, "complained", (int64_t)state->ncomplained);
	value_set_number(a, v, "refused_policy", (int64_t)state->npolicy);
	value_set_number(a, v, "refused_ours", (int64_t)state->nours);
	value_set(a, v, "refusing", refusing);
	return v;
}

static struct value *
status_value(const struct cli *cli, const struct run_status *s, struct arena *a)
{
	struct value *v = value_object(a), *sources = value_list(a);

	for (size_t i = 0; i < s->nsources; i++)
		value_append(a, sources, status_source_value(&s->sources[i], a));
	value_set_string(a, v, "config", cli->run->cfg->path);
	value_set_string(a, v, "store", cli->run->cfg->store.path);
	value_set_bool(a, v, "store_exists", s->has_store);
	value_set_number(a, v, "last_run", s->last != NULL ? s->last->started_utc : 0);
	value_set_string(a, v, "last_run_summary", s->last != NULL ? s->last->summary : "");
	value_set_number(a, v, "sender", s->sender);
	value_set(a, v, "last_report", s->report != NULL ? s->report : value_object(a));
	value_set_number(a, v, "last_finished", s->finished_utc);
	value_set_number(a, v, "run_gap", s->gap_s);
	value_set_number(a, v, "waited", (int64_t)s->next.nlate);
	value_set_number(a, v, "longest_wait", s->next.longest_wait_s);
	value_set_number(a, v, "sent_day", (int64_t)s->nsent_day);
	value_set_number(a, v, "failed_day", (int64_t)s->nfailed_day);
	value_set(a, v, "unsettled", unsettled_value(s, a));
	value_set_number(a, v, "late", (int64_t)s->nlate);
	value_set_number(a, v, "on_hold_since", s->on_hold ? s->hold_since_utc : 0);
	value_set_number(a, v, "readers", (int64_t)s->sizes.nreaders);
	value_set_number(a, v, "papers", (int64_t)s->sizes.npapers);
	value_set_number(a, v, "suppressed", (int64_t)s->sizes.nsuppressed);
	value_set_number(a, v, "store_bytes", s->sizes.bytes);
	value_set_string(a, v, "next_reader", s->next.address);
	value_set_number(a, v, "next_due", s->next.due_utc);
	value_set_number(a, v, "due", (int64_t)s->next.ndue);
	value_set_number(a, v, "full_run_seconds", s->next.all.seconds);
	value_set_number(a, v, "full_run_left", (int64_t)s->next.all.nleft);
	value_set_string(a, v, "broken", s->broken);
	value_set(a, v, "empty", silents_value(s, a));
	value_set_number(a, v, "paused", (int64_t)s->next.npaused);
	value_set(a, v, "stopped", stopped_value(s, a));
	value_set(a, v, "mailbox", inbox_value(s, a));
	value_set(a, v, "sources", sources);
	return v;
}

/* ---- for a person ---- */

static void
put_label(const struct cli *cli, const char *label)
{
	fputs(term_dim(&cli->term), stdout);
	term_put_cell(label, LABEL_COLUMNS);
	fputs(term_reset(&cli->term), stdout);
}

void
status_put_line(const struct cli *cli, const char *label, const char *text)
{
	put_label(cli, label);
	term_put_filled(&cli->term, text, LABEL_COLUMNS);
	putchar('\n');
}

static void
format_moment(const struct cli *cli, int64_t utc, char *out, size_t size)
{
	char wall[64], span[32];

	run_format_wall(cli->run, "", utc, wall, sizeof(wall));
	run_format_span(utc - clock_now_utc(&cli->clock), span, sizeof(span));
	snprintf(out, size, "%s (%s)", wall, span);
}

void
status_put_last_run(const struct cli *cli, const struct run_status *s)
{
	char when[128], line[512], under_way[64];

	if (s->last == NULL) {
		status_put_line(cli, "last run", "none yet");
		return;
	}
	format_moment(cli, s->last->started_utc, when, sizeof(when));
	snprintf(under_way, sizeof(under_way), "is under way (process %ld)", s->sender);
	snprintf(line, sizeof(line), "%s: %s", when,
	    s->last->finished_utc != 0 ? s->last->summary
		: s->sender != 0       ? under_way
				       : "did not finish");
	status_put_line(cli, "last run", line);
}

static void
print_day(const struct cli *cli, const struct run_status *s)
{
	char line[128];

	if (s->last == NULL)
		return;
	snprintf(line, sizeof(line), "%zu mail%s in the last 24 h, %zu refused for good",
	    s->nsent_day, s->nsent_day == 1 ? "" : "s", s->nfailed_day);
	status_put_line(cli, "went out", line);
}

static void
print_waiting(const struct cli *cli, const struct run_status *s)
{
	struct strbuf line;

	strbuf_init(&line, MAX_LINE);
	for (int i = 0; i <= EDITION_EMPTY; i++)
		if (s->unsettled[i] > 0)
			strbuf_addf(&line, "%s%zu %s", line.len > 0 ? ", " : "", s->unsettled[i],
			    edition_state_name((enum edition_state)i));
	strbuf_add(&line, line.len > 0 ? "; see 'digest outbox'" : "nothing");
	status_put_line(cli, "waits", line.buf);
	strbuf_release(&line);
}

void
status_put_next(const struct cli *cli, const struct run_status *s)
{
	const struct run_next *next = &s->next;
	char when[128], line[512];

	if (next->address[0] == '\0') {
		status_put_line(cli, "next", "nobody gets mail");
		return;
	}
	format_moment(cli, next->due_utc, when, sizeof(when));
	if (next->ndue > 0)
		snprintf(line, sizeof(line), "%zu of %zu reader%s %s due now", next->ndue,
		    next->nactive, next->nactive == 1 ? "" : "s", next->ndue == 1 ? "is" : "are");
	else
		snprintf(line, sizeof(line), "%s, %s", next->address, when);
	status_put_line(cli, "next", line);
}

/* How long it takes to mail everybody, where that is limited. */
static void
print_pace(const struct cli *cli, const struct run_status *s)
{
	if (s->next.all.limited)
		status_put_line(cli, "all mail", s->next.all.text);
}

/* Who got nothing, and why. */
static void
print_silence(const struct cli *cli, const struct run_status *s)
{
	char line[512], day[DATE_RFC3339_SIZE], more[32] = "";

	for (size_t i = 0; i < s->nsilents; i++) {
		snprintf(line, sizeof(line), "%s, digest of %s: %s", s->silents[i].address,
		    s->silents[i].period, s->silents[i].text);
		status_put_line(cli, i == 0 ? "empty" : "", line);
	}
	if (s->next.npaused == 0)
		return;
	date_format_day(s->next.paused_until, day);
	if (s->next.npaused > 1)
		snprintf(more, sizeof(more), ", and %zu more", s->next.npaused - 1);
	snprintf(line, sizeof(line), "%s until %s%s", s->next.paused, day, more);
	status_put_line(cli, "paused", line);
}

/* Who gets no mail any more, and why; those who were erased are only counted. */
static void
print_stopped(const struct cli *cli, const struct run_status *s)
{
	char line[512], day[DATE_RFC3339_SIZE];

	for (size_t i = 0; i < s->nstopped; i++) {
		date_format_day((int32_t)(s->stopped[i].since_utc / DAY_SECONDS), day);
		snprintf(line, sizeof(line), "%s, %s on %s", s->stopped[i].address,
		    reasons[s->stopped[i].reason], day);
		status_put_line(cli, i == 0 ? "stopped" : "", line);
	}
	if (s->sizes.nsuppressed > s->nstopped && s->nstopped > 0) {
		snprintf(line, sizeof(line), "and %zu more", s->sizes.nsuppressed - s->nstopped);
		status_put_line(cli, "", line);
	}
}

static void
print_inbox(const struct cli *cli, const struct run_status *s)
{
	const struct run_inbox_state *state = s->inbox;
	char when[128] = "never";
	struct strbuf line;

	if (state == NULL ||
	    (!run_has_returns(cli->run) &&
		state->nbounced + state->ncomplained + state->nwaiting == 0))
		return;
	strbuf_init(&line, MAX_LINE);
	if (state->read_utc != 0)
		format_moment(cli, state->read_utc, when, sizeof(when));
	if (run_has_returns(cli->run))
		strbuf_addf(&line, "last read %s", when);
	else
		strbuf_add(&line, "none is read");
	strbuf_addf(&line, "; not mailed any more: %zu bounced, %zu complained", state->nbounced,
	    state->ncomplained);
	if (state->nwaiting > 0)
		strbuf_addf(&line, "; %zu bounce%s not scored yet", state->nwaiting,
		    state->nwaiting == 1 ? "" : "s");
	status_put_line(cli, "mailbox", line.buf);
	if (state->failing_since_utc != 0)
		status_put_line(cli, "", state->trouble);
	if (state->npolicy + state->nours > 0) {
		strbuf_reset(&line);
		strbuf_addf(&line, "%zu refused in two days for who we are or what we send: %s",
		    state->npolicy + state->nours, state->policy);
		status_put_line(cli, "", line.buf);
	}
	strbuf_release(&line);
}

static void
print_source(const struct cli *cli, const struct run_source_status *s)
{
	const struct store_source *state = s->state;
	bool fails = state != NULL && state->failing_since_utc != 0;
	char when[128], day[DATE_RFC3339_SIZE] = "none";
	struct strbuf line;

	strbuf_init(&line, MAX_LINE);
	strbuf_add(&line, s->name);
	if (state == NULL || state->last_try_utc == 0) {
		strbuf_add(&line, ": not read yet");
		status_put_line(cli, "source", line.buf);
		strbuf_release(&line);
		return;
	}
	if (s->newest_day != 0)
		date_format_day(s->newest_day, day);
	snprintf(when, sizeof(when), "never");
	if (state->last_success_utc != 0)
		format_moment(cli, state->last_success_utc, when, sizeof(when));
	strbuf_addf(&line, ": last read %s, newest day %s", when, day);
	status_put_line(cli, "source", line.buf);
	strbuf_reset(&line);
	strbuf_add(&line, s->silence.text);
	if (fails) {
		format_moment(cli, state->next_allowed_utc, when, sizeof(when));
		strbuf_addf(&line, "; asked again %s", when);
	}
	printf("%*s", LABEL_COLUMNS, "");
	term_put_styled(&cli->term, fails ? term_warn(&cli->term) : "", line.buf, LABEL_COLUMNS);
	putchar('\n');
	if (s->silence.half.day != 0 && s->silence.why != SILENCE_HALF)
		status_put_line(cli, "", s->silence.half.text);
	strbuf_release(&line);
}

void
status_put_warning(const struct cli *cli, const char *text)
{
	term_put_styled(&cli->term, term_warn(&cli->term), text, 0);
	putchar('\n');
}

void
status_put_faults(const struct cli *cli, const struct run_status *s)
{
	struct strbuf wrong;

	strbuf_init(&wrong, MAX_LINE);
	if (run_judge_status(cli->run, s, &wrong) != 0) {
		status_put_warning(cli, wrong.buf);
	}
	strbuf_release(&wrong);
}

static void
print_wait(const struct cli *cli, const struct run_status *s)
{
	char span[32], line[256];

	if (s->next.nlate == 0)
		return;
	run_format_span(s->next.longest_wait_s, span, sizeof(span));
	snprintf(line, sizeof(line),
	    "%zu reader%s waited for a run after the hour chosen, up to %s; let cron call "
	    "'digest run' every 15 minutes",
	    s->next.nlate, s->next.nlate == 1 ? "" : "s",
	    strncmp(span, "in ", 3) == 0 ? span + 3 : span);
	status_put_warning(cli, line);
}

static void
print_status(const struct cli *cli, const struct run_status *s)
{
	const struct config *cfg = cli->run->cfg;
	char line[1024];

	status_put_line(cli, "config", cfg->path);
	snprintf(line, sizeof(line), "%s%s", cfg->store.path,
	    s->has_store ? "" : " (made by the first run)");
	status_put_line(cli, "store", line);
	if (s->has_store) {
		snprintf(line, sizeof(line),
		    "%zu reader%s, %zu papers, %zu left or stopped, %.1f MB", s->sizes.nreaders,
		    s->sizes.nreaders == 1 ? "" : "s", s->sizes.npapers, s->sizes.nsuppressed,
		    (double)s->sizes.bytes / 1e6);
		status_put_line(cli, "holds", line);
		status_put_last_run(cli, s);
		print_day(cli, s);
		print_waiting(cli, s);
		status_put_next(cli, s);
		print_pace(cli, s);
		print_silence(cli, s);
		print_stopped(cli, s);
		print_inbox(cli, s);
	}
	for (size_t i = 0; i < s->nsources; i++)
		print_source(cli, &s->sources[i]);
	status_put_faults(cli, s);
	print_wait(cli, s);
}

/* ---- for a monitor ---- */

static void
put_verdict(struct cli *cli, bool ok, const char *text)
{
	struct value *v;

	if (!cli->opt.json) {
		term_put(text);
		putchar('\n');
		return;
	}
	v = value_object(&cli->arena);
	value_set_bool(&cli->arena, v, "ok", ok);
	value_set_string(&cli->arena, v, "text", text);
	cli_put_json(v);
}

static int
check_status(struct cli *cli, struct error *err)
{
	struct run_status s;
	struct strbuf text;
	unsigned faults;
	char when[128];

	if (cli_open(cli, CLI_NO_STORE, err) == -1 ||
	    run_load_status(cli->run, &cli->arena, &s, err) == -1) {
		put_verdict(cli, false, err->msg);
		return cli_exit_of_error(err);
	}
	strbuf_init(&text, MAX_LINE);
	faults = run_judge_status(cli->run, &s, &text);
	if (faults == 0) {
		format_moment(cli, s.finished_utc, when, sizeof(when));
		strbuf_addf(&text, "ok: last run %s, %zu sent in 24 h", when, s.nsent_day);
	}
	put_verdict(cli, faults == 0, text.buf);
	strbuf_release(&text);
	return run_exit_of_faults(faults);
}

int
cmd_status(struct cli *cli, struct error *err)
{
	bool sources = cli->nargs > 0;
	struct run_status s;

	if (sources && strcmp(cli->args[0], "sources") != 0)
		return err_set(
		    err, ERR_USAGE, "status: '%s'; expected sources, or nothing", cli->args[0]);
	if (cli->opt.check)
		return check_status(cli, err);
	if (cli_open(cli, CLI_NO_STORE, err) == -1)
		return -1;
	if (sources)
		return status_put_sources(cli, err) == 0 ? EXIT_OK : -1;
	if (run_load_status(cli->run, &cli->arena, &s, err) == -1)
		return -1;
	if (cli->opt.json)
		cli_put_json(status_value(cli, &s, &cli->arena));
	else
		print_status(cli, &s);
	return EXIT_OK;
}
