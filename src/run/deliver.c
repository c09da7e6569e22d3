#include "run/courier.h"
#include "run/returns.h"
#include "digest/limits.h"
#include "digest/pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	DAY_SECONDS = 86400,
	WORTH_TELLING_S = 60, /* what takes less needs no word before it */
	LOOK_MS = 250,	      /* how often a run looks whether a person put the brake on */
	MAX_TOLD = 10, /* digests that cannot be made; the others have the same fault, as a rule */
};

/* ---- who is due ---- */

static bool
is_selected(const struct run_options *options, const char *canonical)
{
	if (options->nusers == 0)
		return true;
	for (size_t i = 0; i < options->nusers; i++)
		if (strcmp(options->users[i], canonical) == 0)
			return true;
	return false;
}

int
courier_skip(struct courier *c, const struct store_reader *reader, enum run_skip why,
    int64_t next_utc, struct error *err)
{
	c->report->nskipped++;
	c->report->skips[why]++;
	if (c->options->on_skip == NULL)
		return 0;
	return c->options->on_skip(c->options->arg, reader, why, next_utc, err);
}

static int
add_turn(struct courier *c, const struct due *due, int lane, struct error *err)
{
	if (c->nturns == c->turns_alloc) {
		size_t alloc = c->turns_alloc == 0 ? 64 : c->turns_alloc * 2;
		struct turn *turns = realloc(c->turns, alloc * sizeof(*turns));

		if (turns == NULL)
			return err_nomem(err, "readers who are due");
		c->turns = turns;
		c->turns_alloc = alloc;
	}
	/* The store counts both up from 1: others are those of a damaged file. */
	if (due->reader >> 48 != 0 || due->period >> 32 != 0)
		return err_set(err, ERR_IO, "reader %lld, period %lld: the store is damaged",
		    (long long)due->reader, (long long)due->period);
	c->turns[c->nturns++] = (struct turn){ .reader = (uint64_t)due->reader & 0xffffffffffff,
		.lane = (uint16_t)lane,
		.period = (uint32_t)due->period,
		.waits_since_min = due->waits_since_min };
	if (due->window_utc < c->since_utc)
		c->since_utc = due->window_utc;
	return 0;
}

/* The lane of an smtp block; a preview has one for all. */
static int
lane_of(const struct courier *c, int way)
{
	return c->options->preview ? 0 : way;
}

/* What one walk over the readers looks for. */
struct walk {
	struct courier *courier;
	struct error *err;
	bool ahead; /* also those whose time has not come */
	bool quiet; /* another walk follows */
};

static int
skip_wayless(struct walk *w, const struct store_reader *reader)
{
	struct courier *c = w->courier;

	if (!w->quiet && c->nwayless++ < MAX_TOLD)
		log_error(c->run->log,
		    "%s: no smtp block takes this domain; expected it, or \"*\", in the domains of "
		    "one",
		    reader->sub.address);
	c->report->faults |= RUN_FAULT_CONFIG;
	return courier_skip(c, reader, SKIP_NO_WAY, 0, w->err);
}

static int
skip_broken(struct walk *w, const struct store_reader *reader)
{
	struct courier *c = w->courier;

	log_event(c->run->log, LOG_LEVEL_WARN, "reader-not-served", "%s: %s", reader->sub.address,
	    w->err->msg);
	c->report->faults |= RUN_FAULT_CONFIG;
	return courier_skip(c, reader, SKIP_BROKEN, 0, w->err);
}

/* The mail waits: it stays due. */
static bool
is_refused(struct courier *c, const struct store_reader *reader)
{
	bool refused = refusing_has(c->refusing, c->nrefusing, reader->sub.canonical);

	if (refused)
		c->report->faults |= RUN_FAULT_DEFERRED;
	return refused;
}

static int
visit_reader(void *arg, const struct store_reader *reader)
{
	struct walk *w = arg;
	struct courier *c = w->courier;
	struct due due;
	int found, way;

	if (reader->state == READER_ENDED || !is_selected(c->options, reader->sub.canonical))
		return 0;
	c->report->nreaders++;
	if (reader->suppressed)
		return courier_skip(c, reader, SKIP_SUPPRESSED, 0, w->err);
	if (reader->vanished)
		return courier_skip(c, reader, SKIP_HELD_BACK, 0, w->err);
	found = due_find(c->run, reader, c->now_utc, c->run_id, &due, w->err);
	/* Only this reader's edition is in danger, unless the machine is. */
	if (found == -1)
		return err_is_of_machine(w->err) ? -1 : skip_broken(w, reader);
	if (due.stands_in)
		c->report->faults |= RUN_FAULT_CONFIG;
	if (due.paused)
		return courier_skip(c, reader, SKIP_PAUSED, due.due_utc, w->err);
	if ((way = routes_find(&c->routes, reader->sub.canonical)) == -1)
		return skip_wayless(w, reader);
	if (found == 0 && !w->ahead)
		return courier_skip(c, reader, SKIP_NOT_DUE, due.due_utc, w->err);
	if (found == 1)
		c->report->ndue++;
	if (is_refused(c, reader))
		return courier_skip(c, reader, SKIP_REFUSING, 0, w->err);
	c->counts[way]++;
	return add_turn(c, &due, lane_of(c, way), w->err);
}

static int
find_dues(struct courier *c, bool ahead, bool quiet, struct error *err)
{
	struct walk w = { c, err, ahead, quiet };

	c->since_utc = c->now_utc - (int64_t)WINDOW_DAYS * DAY_SECONDS;
	memset(c->counts, 0, c->run->cfg->nsmtps * sizeof(*c->counts));
	return store_each_reader(c->run->store, true, visit_reader, &w, err) == 0 ? 0 : -1;
}

/* A preview with nothing due shows everybody's next edition as it stands now: who is due is found first, quietly. */
static int
collect_dues(struct courier *c, struct error *err)
{
	const struct run_options *options = c->options;
	struct run_options quiet = *options;
	int rc;

	if (!options->preview)
		return find_dues(c, false, false, err);
	quiet.on_skip = NULL;
	c->options = &quiet;
	rc = find_dues(c, false, true, err);
	c->options = options;
	if (rc == -1)
		return -1;
	c->report->ahead = c->nturns == 0;
	c->nturns = 0;
	c->report->nreaders = c->report->nskipped = c->report->ndue = 0;
	memset(c->report->skips, 0, sizeof(c->report->skips));
	return find_dues(c, c->report->ahead, false, err);
}

/* ---- which mails are tried again ---- */

static int
compare_reader(const void *key, const void *row)
{
	int64_t reader = *(const int64_t *)key, other = (int64_t)((const struct turn *)row)->reader;

	return (reader > other) - (reader < other);
}

/*
 * Whether an edition is tried again now: its reader is one this run is about, there is a way, and no newer edition takes over its
 * papers, see clear_unsettled(). Sets its lane. 1, 0 or -1.
 */
static int
is_wanted(struct courier *c, struct retry *r, uint32_t copies, struct error *err)
{
	const struct turn *turn = NULL;
	struct store_reader *reader;
	int way = 0;

	if (c->options->nusers > 0 || c->run->cfg->nsmtps > 1 || c->nrefusing > 0) {
		arena_reset(&c->scratch);
		if (store_load_reader(c->run->store, r->reader, &c->scratch, &reader, err) != 1)
			return -1;
		if (!is_selected(c->options, reader->sub.canonical) || is_refused(c, reader) ||
		    (way = routes_find(&c->routes, reader->sub.canonical)) == -1)
			return 0;
	}
	r->lane = (unsigned)lane_of(c, way);
	/* The readers who are due still stand in the order of their numbers. */
	if (c->nturns > 0 && copies == 0 && !c->report->ahead)
		turn = bsearch(&r->reader, c->turns, c->nturns, sizeof(*c->turns), compare_reader);
	return turn == NULL || (int64_t)turn->period == r->period;
}

static int
add_retry(struct courier *c, const struct retry *r, struct error *err)
{
	if (c->nretries == c->retries_alloc) {
		size_t alloc = c->retries_alloc == 0 ? 64 : c->retries_alloc * 2;
		struct retry *retries = realloc(c->retries, alloc * sizeof(*retries));

		if (retries == NULL)
			return err_nomem(err, "deferred mails");
		c->retries = retries;
		c->retries_alloc = alloc;
	}
	c->retries[c->nretries++] = *r;
	return 0;
}

static int
collect_retries(struct courier *c, struct error *err)
{
	struct retry r = { 0 };
	uint32_t copies;
	int found, wanted;

	while ((found = store_peek_due(
		    c->run->store, c->now_utc, &r.period, &r.reader, &copies, err)) == 1) {
		if ((wanted = is_wanted(c, &r, copies, err)) == -1 ||
		    (wanted == 1 && add_retry(c, &r, err) == -1))
			return -1;
	}
	return found;
}

/* ---- lanes ---- */

/* Each lane's together; who has waited longest goes first, for a limit may leave some over. */
static int
compare_wait(const void *a, const void *b)
{
	const struct turn *x = a, *y = b;

	if (x->lane != y->lane)
		return x->lane < y->lane ? -1 : 1;
	if (x->waits_since_min != y->waits_since_min)
		return x->waits_since_min < y->waits_since_min ? -1 : 1;
	return (x->reader > y->reader) - (x->reader < y->reader);
}

/* Usually all wait alike; sorting would need as much memory again. */
static bool
is_sorted(const struct courier *c)
{
	for (size_t i = 1; i < c->nturns; i++)
		if (compare_wait(&c->turns[i - 1], &c->turns[i]) > 0)
			return false;
	return true;
}

/* A preview has one lane, in the order of the readers; a run has one for each smtp block. */
static int
make_lanes(struct courier *c, struct error *err)
{
	const struct config *cfg = c->run->cfg;
	const bool preview = c->options->preview;
	size_t n = preview ? 1 : cfg->nsmtps, next = 0;

	if ((c->lanes = calloc(n, sizeof(*c->lanes))) == NULL)
		return err_nomem(err, "ways out");
	c->nlanes = (unsigned)n;
	if (!preview && c->nturns > 0 && !is_sorted(c))
		qsort(c->turns, c->nturns, sizeof(*c->turns), compare_wait);
	for (unsigned i = 0; i < c->nlanes; i++) {
		struct lane *l = &c->lanes[i];

		if (lane_init(c, l, preview ? NULL : &cfg->smtps[i], err) == -1)
			return -1;
		l->next_turn = next;
		while (next < c->nturns && c->turns[next].lane == i)
			next++;
		l->end_turn = next;
	}
	return 0;
}

/* ---- the queue the sinks pull from ---- */

/* `outbox hold --all` stops a run that has begun, too. A store that cannot be read says so at the next transaction. */
static bool
is_held(struct courier *c)
{
	int64_t now_ms = clock_monotonic_ms(), since_utc;

	if (c->options->preview || c->held || now_ms < c->look_ms)
		return c->held;
	c->look_ms = now_ms + LOOK_MS;
	pthread_mutex_lock(&c->lock);
	c->held = run_find_hold(c->run, &since_utc, NULL) == 1;
	pthread_mutex_unlock(&c->lock);
	if (c->held)
		log_error(c->run->log, "stopped: %s", run_hold_words);
	return c->held;
}

bool
courier_must_stop(struct courier *c)
{
	bool signalled = c->run->stop != NULL && *c->run->stop != 0;
	bool stop = signalled || clock_monotonic_ms() >= c->deadline_ms || is_held(c);
	size_t nleft = 0;

	if (!stop || c->stopped)
		return stop;
	for (unsigned i = 0; i < c->nlanes; i++)
		nleft += lane_count_left(c, &c->lanes[i]);
	c->stopped = true;
	if (nleft > 0) {
		log_info(c->run->log, "stopped by %s; %zu mail%s left for the next run",
		    signalled	  ? "a signal"
			: c->held ? "a person"
				  : "delivery.deadline",
		    nleft, nleft == 1 ? " is" : "s are");
		c->report->faults |= RUN_FAULT_DEFERRED;
	}
	return true;
}

void
courier_note_broken(struct courier *c, const struct store_reader *reader, const char *why)
{
	struct run_report *r = c->report;

	if (c->broken[0] == '\0')
		snprintf(c->broken, sizeof(c->broken), "%s: %s", reader->sub.address, why);
	if (++r->nbroken <= MAX_TOLD)
		log_event(c->run->log, LOG_LEVEL_ERROR, "reader-not-served", "%s: %s",
		    reader->sub.address, why);
	r->faults |= RUN_FAULT_CONFIG;
}

static int
next_mail(void *arg, unsigned lane, struct delivery *out, struct error *err)
{
	struct courier *c = arg;

	out->lane = lane;
	return lane_next(c, &c->lanes[lane], out, err);
}

static bool
is_still_wanted(void *arg, const struct delivery *mail)
{
	return courier_is_wanted(arg, mail->period, mail->reader);
}

static bool
must_stop(void *arg)
{
	return courier_must_stop(arg);
}

/* A relay cannot be reached or does not take our mail: what was not handed over waits, and the run goes on without it. */
static void
note_stopped(void *arg, unsigned lane, const struct error *why)
{
	struct courier *c = arg;

	log_event(
	    c->run->log, LOG_LEVEL_ERROR, "way-out-failed", "%s: %s", c->lanes[lane].via, why->msg);
	report_add_stop(c->report, c->run->cfg->smtps[lane].name, why);
	if (why->kind == ERR_NET)
		c->report->faults |= RUN_FAULT_UNREACHABLE;
	else if (err_is_of_machine(why))
		c->report->faults |= RUN_FAULT_IO;
	else
		c->report->faults |= RUN_FAULT_CONFIG;
}

/* State, and the counter of the report, of each outcome. */
static enum edition_state
count_outcome(struct run_report *r, enum outcome outcome)
{
	switch (outcome) {
	case OUTCOME_SENT:
		r->nsent++;
		return EDITION_SENT;
	case OUTCOME_FAILED:
		r->nfailed++;
		return EDITION_FAILED;
	case OUTCOME_UNKNOWN:
		r->nunknown++;
		r->faults |= RUN_FAULT_DEFERRED;
		return EDITION_UNKNOWN;
	case OUTCOME_DEFERRED:
		break;
	}
	r->ndeferred++;
	r->faults |= RUN_FAULT_DEFERRED;
	return EDITION_DEFERRED;
}

static int
find_next_try(struct courier *c, const struct delivery_outcome *o, int64_t now_utc,
    int64_t *next_utc, struct error *err)
{
	uint32_t attempts;

	*next_utc = now_utc;
	if (strcmp(o->reply, sink_halted) == 0)
		return 0;
	if (store_count_attempts(c->run->store, o->period, o->reader, &attempts, err) == -1)
		return -1;
	*next_utc = now_utc + retry_wait_s(retry_classify(o->reply), attempts, o->reader);
	return 0;
}

/* A preview has no way out. */
static const char *
name_way(const struct courier *c, unsigned lane)
{
	return c->lanes[lane].smtp != NULL ? c->lanes[lane].smtp->name : "";
}

/* Asked for by -v -v alone: it names everybody. */
static void
tell_mail(struct courier *c, enum edition_state state, const struct delivery_outcome *o)
{
	struct store_reader *reader;
	struct arena a;

	if (c->run->log->level < LOG_LEVEL_DEBUG)
		return;
	arena_init(&a, MAX_READER_BYTES);
	if (store_load_reader(c->run->store, o->reader, &a, &reader, NULL) == 1)
		log_debug(c->run->log, "mail settled state=%s via=%s to=%s reply=\"%s\"",
		    edition_state_name(state), name_way(c, o->lane), reader->sub.address, o->reply);
	arena_release(&a);
}

static int
settle_all(struct courier *c, const struct delivery_outcome *outcomes, size_t n, struct error *err)
{
	struct store *store = c->run->store;
	int64_t now_utc = clock_now_utc(&c->run->clock); /* a run may last an hour */
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i++) {
		const struct delivery_outcome *o = &outcomes[i];
		enum edition_state state = count_outcome(c->report, o->outcome);
		int64_t next_utc = 0;

		report_tell_outcome(c->run, c->report, state, o);
		tell_mail(c, state, o);
		if (state == EDITION_DEFERRED)
			rc = find_next_try(c, o, now_utc, &next_utc, err);
		if (rc == 0)
			rc = store_settle_try(store, o->period, o->reader, state,
			    name_way(c, o->lane), o->reply, now_utc, next_utc, err);
		if (rc == 0 && state == EDITION_DEFERRED)
			rc = courier_hold_stale(c, o, now_utc, err);
		if (rc == 0 && state == EDITION_FAILED)
			rc = refusals_note(c->run, o->period, o->reader, o->reply, now_utc, err);
	}
	return rc;
}

static int
write_account(struct courier *c, const struct delivery_outcome *outcomes, size_t noutcomes,
    const struct delivery *const *mails, size_t nmails, struct error *err)
{
	struct store *store = c->run->store;
	int rc;

	if (store_begin(store, err) == -1)
		return -1;
	rc = settle_all(c, outcomes, noutcomes, err);
	for (size_t i = 0; i < nmails && rc == 0; i++)
		rc = store_intend_edition(store, mails[i]->period, mails[i]->reader, err);
	return store_end(store, rc, false, err);
}

/* What became of some mails, and that others are about to leave, in one commit. */
static int
account(void *arg, const struct delivery_outcome *outcomes, size_t noutcomes,
    const struct delivery *const *mails, size_t nmails, struct error *err)
{
	struct courier *c = arg;
	int rc;

	pthread_mutex_lock(&c->lock);
	rc = write_account(c, outcomes, noutcomes, mails, nmails, err);
	pthread_mutex_unlock(&c->lock);
	return rc;
}

static int
intend(void *arg, const struct delivery *const *mails, size_t n, struct error *err)
{
	return account(arg, NULL, 0, mails, n, err);
}

static int
settle(void *arg, const struct delivery_outcome *outcomes, size_t n, struct error *err)
{
	return account(arg, outcomes, n, NULL, 0, err);
}

static int
look_at_sources(struct courier *c, struct error *err)
{
	const struct config *cfg = c->run->cfg;

	for (size_t i = 0; i < cfg->nsources && !c->settings.source_fails; i++) {
		struct store_source *source;

		if (store_load_source(
			c->run->store, cfg->sources[i].name, &c->scratch, &source, err) == -1)
			return -1;
		c->settings.source_fails = source->failing_since_utc != 0;
	}
	return 0;
}

/* Queries that read signals look back a week further than the others. */
static int
start_planning(struct courier *c, struct error *err)
{
	int64_t extra = (int64_t)(SIGNAL_WINDOW_DAYS - WINDOW_DAYS) * DAY_SECONDS;

	if (c->nturns > 0 &&
	    planner_new(c->run, c->since_utc - extra, c->now_utc, &c->planner, err) == -1)
		return -1;
	if (composer_new(c->run, c->planner, &c->composer, err) == -1)
		return -1;
	c->settings.run = c->run;
	c->settings.planner = c->planner;
	c->settings.composer = c->composer;
	c->settings.silences = c->report->silences;
	c->settings.now_utc = c->now_utc;
	c->settings.run_id = c->run_id;
	c->settings.ahead = c->report->ahead;
	c->settings.planning = &c->planning;
	c->settings.store = &c->lock;
	if (c->planner != NULL)
		planner_share_store(c->planner, &c->lock);
	c->settings.keep_parts = c->options->on_mail != NULL;
	/* One reader needs no second thread. */
	return pool_new(c->nturns < 2 ? 1 : pool_processors(), &c->pool, err);
}

/* The templates cannot be used, say: all mail stays due, and the run ends in order. A preview has nothing to show. */
static int
note_no_mail(struct courier *c, const struct error *err)
{
	if (err->kind != ERR_CONFIG || c->options->preview)
		return -1;
	log_error(c->run->log, "no digest can be made: %s", err->msg);
	snprintf(c->broken, sizeof(c->broken), "%s", err->msg);
	c->report->nbroken += c->nturns;
	c->report->faults |= RUN_FAULT_CONFIG;
	return 0;
}

/*
 * For a person who looks at the status later: which digests could not be made, until all of them can. A run for some
 * readers does not know of the others.
 */
static int
save_broken(struct courier *c, struct error *err)
{
	size_t n = c->report->nbroken;
	char text[1024] = "";
	struct arena a;
	const char *last;
	int rc;

	if (c->options->preview || (c->broken[0] == '\0' && c->options->nusers > 0))
		return 0;
	if (n > MAX_TOLD)
		log_error(c->run->log, "%zu digests in all could not be made", n);
	if (c->broken[0] != '\0')
		snprintf(text, sizeof(text),
		    "%zu digest%s could not be made: %s; mail goes out at the next run after that "
		    "is mended",
		    n, n == 1 ? "" : "s", c->broken);
	arena_init(&a, MAX_READER_BYTES);
	rc = store_get_note(c->run->store, status_broken_note, &a, &last, err);
	if (rc == 0 && strcmp(last, text) != 0) {
		rc = store_begin(c->run->store, err);
		if (rc == 0)
			rc = store_end(c->run->store,
			    store_set_note(c->run->store, status_broken_note, text, err), false,
			    err);
	}
	arena_release(&a);
	return rc;
}

/* A run with nothing to send opens no way out: asking for a password, say, may cost a person's attention. */
static bool
has_work(const struct courier *c, unsigned lane)
{
	return lane_count_left(c, &c->lanes[lane]) > 0;
}

/* The numbers of the lanes with mail, into out; returns how many. */
static size_t
find_busy_lanes(const struct courier *c, unsigned *out)
{
	size_t n = 0;

	for (unsigned i = 0; i < c->nlanes; i++)
		if (has_work(c, i))
			out[n++] = i;
	return n;
}

static int
open_sinks(struct courier *c, struct sink **out, struct error *err)
{
	struct run_report *r = c->report;
	unsigned *busy;
	size_t n;
	int rc;

	if (c->options->preview)
		return sinks_open_preview(out, err);
	busy = calloc(c->nlanes, sizeof(*busy));
	r->opened = arena_array(&r->arena, c->nlanes, sizeof(*r->opened));
	if (busy == NULL || r->opened == NULL) {
		free(busy);
		return err_nomem(err, "ways out");
	}
	n = find_busy_lanes(c, busy);
	for (size_t i = 0; i < n; i++)
		r->opened[r->nopened++] = c->run->cfg->smtps[busy[i]].name;
	rc = sinks_open(c->run, busy, n, out, err);
	free(busy);
	return rc;
}

/* Before much work: how long it will take, and what will be left. */
static int
expect_work(struct courier *c, struct error *err)
{
	struct run_expectation *e = &c->report->expected;

	for (size_t i = 0; i < c->nretries && !c->options->preview; i++)
		c->counts[c->retries[i].lane]++;
	if (expect_find(c->run, c->counts, true, e, err) == -1)
		return -1;
	if (!e->limited || (e->seconds < WORTH_TELLING_S && e->nleft == 0))
		return 0;
	log_info(c->run->log, "mails: %s", e->text);
	if (c->run->ui.tell != NULL && !c->options->preview)
		c->run->ui.tell(c->run->ui.arg, e->text);
	return 0;
}

/* Plan, compose and hand over everything. */
static int
send_all(struct courier *c, struct error *err)
{
	const struct delivery_queue queue = { .arg = c,
		.next = next_mail,
		.is_wanted = is_still_wanted,
		.intend = intend,
		.settle = settle,
		.account = account,
		.must_stop = must_stop,
		.stopped = note_stopped };
	struct sink *sink;
	int rc;

	if (courier_watch_others(c, err) == -1)
		return -1;
	if (start_planning(c, err) == -1)
		return note_no_mail(c, err);
	if (open_sinks(c, &sink, err) == -1)
		return -1;
	rc = sink_run(sink, &queue, err);
	sink_free(sink);
	for (unsigned i = 0; i < c->nlanes && !c->options->preview; i++)
		c->report->nuntried += lane_count_left(c, &c->lanes[i]);
	for (unsigned i = 0; i < c->nlanes && rc == 0; i++)
		rc = lane_close(c, &c->lanes[i], err);
	return rc;
}

static void
courier_free(struct courier *c)
{
	for (unsigned i = 0; i < c->nlanes; i++)
		lane_release(&c->lanes[i]);
	pool_free(c->pool);
	pthread_mutex_destroy(&c->planning);
	pthread_mutex_destroy(&c->lock);
	composer_free(c->composer);
	planner_free(c->planner);
	arena_release(&c->scratch);
	routes_release(&c->routes);
	free(c->lanes);
	free(c->counts);
	free(c->retries);
	free(c->turns);
	free(c);
}

/* Once, and before anybody is looked for. */
static int
find_refusing(struct courier *c, struct error *err)
{
	char text[700];

	if (refusing_load(c->run, &c->report->arena, &c->refusing, &c->nrefusing, err) == -1)
		return -1;
	for (size_t i = 0; i < c->nrefusing && !c->options->preview; i++) {
		refusing_describe(&c->refusing[i], text, sizeof(text));
		log_error(c->run->log, "%s", text);
	}
	return 0;
}

static int
courier_new(struct run *run, const struct run_options *options, int64_t run_id,
    struct run_report *report, struct courier **out, struct error *err)
{
	struct courier *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return err_nomem(err, "delivery");
	if (routes_init(&c->routes, run->cfg, err) == -1) {
		free(c);
		return -1;
	}
	if ((c->counts = calloc(run->cfg->nsmtps + 1, sizeof(*c->counts))) == NULL) {
		routes_release(&c->routes);
		free(c);
		return err_nomem(err, "delivery");
	}
	arena_init(&c->scratch, MAX_RUN_BYTES);
	pthread_mutex_init(&c->planning, NULL);
	pthread_mutex_init(&c->lock, NULL);
	c->run = run;
	c->options = options;
	c->report = report;
	c->now_utc = clock_now_utc(&run->clock);
	run->newest_day = 0; /* papers came */
	c->run_id = run_id;
	c->start_us = clock_now_ms(&run->clock) * 1000;
	c->start_ms = clock_monotonic_ms();
	c->deadline_ms = c->start_ms + run->cfg->delivery.deadline_s * 1000;
	*out = c;
	return 0;
}

int
deliver_editions(struct run *run, const struct run_options *options, int64_t run_id,
    struct run_report *report, struct error *err)
{
	struct courier *c = NULL;
	int rc = -1;

	if (courier_new(run, options, run_id, report, &c, err) == -1)
		return -1;
	if (find_refusing(c, err) == 0 && collect_dues(c, err) == 0 &&
	    collect_retries(c, err) == 0 && look_at_sources(c, err) == 0)
		rc = make_lanes(c, err);
	if (rc == 0)
		rc = expect_work(c, err);
	if (rc == 0 && (c->nturns > 0 || c->nretries > 0))
		rc = send_all(c, err);
	if (rc == 0)
		rc = save_broken(c, err);
	courier_free(c);
	return rc;
}
