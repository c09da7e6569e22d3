#include "run/returns.h"

#include "digest/file.h"

#include <stdio.h>
#include <string.h>

enum {
	DAY_SECONDS = 86400,
	INBOX_FAULT_SECONDS = 3 * DAY_SECONDS, /* as for a source */
	MAX_LOOKED_AT = 100,		       /* editions, for those that were empty */
	MAX_RUNS = 1440,		       /* looked at: one a minute for a day */
	SILENT_SECONDS = 26 * 3600,	       /* a daily run may be two hours late */
	CLOCK_SLACK_S = 300,		       /* as far may a clock that is being set go back */
	FAULT_SECONDS = 3 * DAY_SECONDS, /* until then a source that fails is only a warning */
};

const char status_broken_note[] = "broken";

static int
load_runs(
    struct run *run, struct arena *a, int64_t now_utc, struct run_status *out, struct error *err)
{
	struct store_run *runs;
	size_t n;

	if (store_load_runs(run->store, MAX_RUNS, a, &runs, &n, err) == -1)
		return -1;
	if (n > 0)
		out->last = &runs[0];
	if (n > 1)
		out->gap_s = runs[0].started_utc - runs[1].started_utc;
	for (size_t i = 0; i < n; i++) {
		if (runs[i].finished_utc != 0 && out->finished_utc == 0)
			out->finished_utc = runs[i].finished_utc;
		if (now_utc - runs[i].started_utc >= DAY_SECONDS)
			continue;
		out->nsent_day += (size_t)runs[i].nsent;
		out->nfailed_day += (size_t)runs[i].nfailed;
	}
	return 0;
}

int
status_load_sources(struct run *run, struct arena *a, struct run_status *out, struct error *err)
{
	const struct config *cfg = run->cfg;
	int64_t now_utc = clock_now_utc(&run->clock);

	if ((out->sources = arena_array(a, cfg->nsources, sizeof(*out->sources))) == NULL)
		return err_nomem(err, "sources");
	out->nsources = cfg->nsources;
	for (size_t i = 0; i < cfg->nsources; i++) {
		struct run_source_status *s = &out->sources[i];

		s->name = cfg->sources[i].name;
		s->type = cfg->sources[i].type;
		s->silence.text = "";
		if (!out->has_store)
			continue;
		if (store_load_source(run->store, s->name, a, &s->state, err) == -1 ||
		    store_load_newest_day(run->store, s->name, &s->newest_day, err) == -1 ||
		    silence_of_source(run, &cfg->sources[i], now_utc, a, &s->silence, err) == -1)
			return -1;
	}
	return 0;
}

/* Digests of the last day that were empty, the newest first. */
static int
load_silents(
    struct run *run, struct arena *a, int64_t now_utc, struct run_status *out, struct error *err)
{
	struct edition *editions;
	size_t n;

	out->silents = arena_array(a, MAX_SILENT_SHOWN, sizeof(*out->silents));
	if (out->silents == NULL)
		return err_nomem(err, "editions");
	if (store_load_editions(run->store, 0, MAX_LOOKED_AT, a, &editions, &n, err) == -1)
		return -1;
	for (size_t i = 0; i < n && out->nsilents < MAX_SILENT_SHOWN; i++) {
		struct run_silent *s = &out->silents[out->nsilents];
		struct store_reader *reader;
		int found;

		if (editions[i].state != EDITION_EMPTY ||
		    now_utc - editions[i].composed_utc >= DAY_SECONDS)
			continue;
		found = store_load_reader(run->store, editions[i].reader, a, &reader, err);
		if (found == -1)
			return -1;
		if (found == 0)
			continue;
		s->address = reader->sub.address;
		period_format(editions[i].period, s->period);
		s->text = silence_reader_text(editions[i].note, editions[i].nread, a);
		if (s->text == NULL)
			return err_nomem(err, "editions");
		out->nsilents++;
	}
	return 0;
}

struct count {
	struct run_status *status;
	int64_t now_utc;
};

static int
count_unsettled(void *arg, const struct edition *e)
{
	struct count *c = arg;

	c->status->unsettled[e->state]++;
	if (e->state == EDITION_DEFERRED && c->now_utc - e->composed_utc > DAY_SECONDS)
		c->status->nlate++;
	return 0;
}

int
run_load_status(struct run *run, struct arena *a, struct run_status *out, struct error *err)
{
	int64_t now_utc = clock_now_utc(&run->clock);
	struct count c = { out, now_utc };
	int held;

	memset(out, 0, sizeof(*out));
	out->next.address = out->next.paused = out->broken = "";
	out->has_store = file_exists(run->cfg->store.path);
	if (!out->has_store)
		return status_load_sources(run, a, out, err);
	if (run_open_store(run, err) == -1 ||
	    store_lock_sender(run->store, &out->sender, err) == -1 ||
	    store_load_sizes(run->store, &out->sizes, err) == -1 ||
	    load_runs(run, a, now_utc, out, err) == -1 ||
	    load_silents(run, a, now_utc, out, err) == -1 ||
	    store_load_suppressions(
		run->store, MAX_SILENT_SHOWN, a, &out->stopped, &out->nstopped, err) == -1 ||
	    store_each_unsettled(run->store, count_unsettled, &c, err) == -1 ||
	    (held = run_find_hold(run, &out->hold_since_utc, err)) == -1 ||
	    store_get_note(run->store, status_broken_note, a, &out->broken, err) == -1 ||
	    report_load(run, a, &out->report, err) == -1 ||
	    status_load_sources(run, a, out, err) == -1)
		return -1;
	out->on_hold = held == 1;
	out->inbox = arena_zalloc(a, sizeof(*out->inbox));
	if (out->inbox == NULL)
		return err_nomem(err, "mailbox");
	if (run_load_inbox_state(run, a, out->inbox, err) == -1)
		return -1;
	return run_find_next(run, &out->next, a, err);
}

/* ---- what is wrong with that ---- */

static void
complain(struct strbuf *out, const char *text)
{
	strbuf_addf(out, "%s%s", out->len > 0 ? "; " : "", text);
}

static void
complain_count(struct strbuf *out, size_t n, const char *one, const char *many)
{
	char text[128];

	snprintf(text, sizeof(text), "%zu %s", n, n == 1 ? one : many);
	complain(out, text);
}

static unsigned
judge_runs(const struct run_status *s, int64_t now_utc, struct strbuf *out)
{
	char text[128], span[32];

	if (s->finished_utc == 0) {
		complain(out, "no run has finished yet");
		return RUN_FAULT_DEFERRED;
	}
	run_format_span(s->finished_utc - now_utc, span, sizeof(span));
	if (s->finished_utc > now_utc + CLOCK_SLACK_S) {
		snprintf(text, sizeof(text),
		    "the last run lies in the future (%s); is the clock right?", span);
		complain(out, text);
		return RUN_FAULT_IO;
	}
	if (now_utc - s->finished_utc <= SILENT_SECONDS)
		return 0;
	snprintf(
	    text, sizeof(text), "the last run finished %s; does cron call 'digest run'?", span);
	complain(out, text);
	return RUN_FAULT_DEFERRED;
}

static unsigned
judge_mail(const struct run_status *s, struct strbuf *out)
{
	unsigned faults = 0;

	if (s->on_hold) {
		complain(out, run_hold_words);
		faults |= RUN_FAULT_DEFERRED;
	}
	if (s->broken[0] != '\0') {
		complain(out, s->broken);
		faults |= RUN_FAULT_CONFIG;
	}
	if (s->unsettled[EDITION_HELD] > 0) {
		complain_count(out, s->unsettled[EDITION_HELD], "mail is held", "mails are held");
		faults |= RUN_FAULT_DEFERRED;
	}
	if (s->nlate > 0) {
		complain_count(out, s->nlate, "mail waits for more than a day",
		    "mails wait for more than a day");
		faults |= RUN_FAULT_DEFERRED;
	}
	return faults;
}

static unsigned
judge_sources(const struct run_status *s, int64_t now_utc, struct strbuf *out)
{
	for (size_t i = 0; i < s->nsources; i++) {
		const struct store_source *state = s->sources[i].state;

		if (state == NULL || state->failing_since_utc == 0 ||
		    now_utc - state->failing_since_utc < FAULT_SECONDS)
			return 0;
	}
	if (s->nsources == 0)
		return 0;
	complain(out, "every source fails for three days or more: ");
	strbuf_addf(out, "%s: %s", s->sources[0].name, s->sources[0].state->last_error);
	return RUN_FAULT_UNREACHABLE;
}

/* Bounces that nobody counts, and a mailbox that nobody reads, lead to being refused within weeks. */
static unsigned
judge_inbox(const struct run *run, const struct run_status *s, int64_t now_utc, struct strbuf *out)
{
	unsigned faults = 0;
	char text[700];

	if (s->inbox == NULL)
		return 0;
	if (s->inbox->frozen_since_utc != 0) {
		complain(out, s->inbox->frozen);
		faults |= RUN_FAULT_DEFERRED;
	}
	for (size_t i = 0; i < s->inbox->nrefusing; i++) {
		refusing_describe(&s->inbox->refusing[i], text, sizeof(text));
		complain(out, text);
		faults |= RUN_FAULT_DEFERRED;
	}
	if (run_has_inbox(run) && s->inbox->failing_since_utc != 0 &&
	    now_utc - s->inbox->failing_since_utc >= INBOX_FAULT_SECONDS) {
		complain(out, "the mailbox cannot be read for three days or more: ");
		strbuf_add(out, s->inbox->trouble);
		faults |= RUN_FAULT_UNREACHABLE;
	}
	return faults;
}

unsigned
run_judge_status(const struct run *run, const struct run_status *status, struct strbuf *out)
{
	int64_t now_utc = clock_now_utc(&run->clock);

	return judge_runs(status, now_utc, out) | judge_mail(status, out) |
	    judge_sources(status, now_utc, out) | judge_inbox(run, status, now_utc, out);
}
