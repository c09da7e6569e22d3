#include "stages.h"
#include "digest/limits.h"
#include "digest/qp.h"
#include "digest/pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	BATCH_MAILS = 64, /* editions planned, composed and leased in one transaction */
	DAY_SECONDS = 86400,
	DATE_SPAN_S = 72 * 3600, /* SpamAssassin gives points from 96 h on */
	LOOK_MS = 500,		 /* how often a run looks whether a person put the brake on */
	MAX_TOLD = 10, /* digests that cannot be made; the others have the same fault, as a rule */
};

/* The work of one sending run: readers that are due, planned and composed a batch at a time. */
struct courier {
	struct run *run;
	const struct run_options *options;
	struct run_report *report;
	struct planner *planner;
	struct composer *composer;
	int64_t now_utc, run_id;
	int64_t deadline_ms; /* monotonic: what is not on its way by then waits for the next run */
	int64_t look_ms;     /* monotonic: when to look for the brake again */
	bool held;	     /* it is on */
	bool stopped;	     /* and that was told */

	struct due *dues; /* in the order of the readers */
	size_t ndues, alloc, next_due;
	int64_t since_utc; /* the oldest moment any of them looks back to */

	struct batch_settings settings;
	struct batch *batch;
	struct batch_item items[BATCH_MAILS];
	struct arena arena; /* of mails that are tried again, and of the lease */
	struct composed mails[BATCH_MAILS];
	size_t nmails, next_mail;
	bool retries_done;
	int64_t after_period, after_reader; /* the last edition taken up again */
	char via[256];
	char broken[512]; /* the first digest that cannot be made, and why; "" = none */
};

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

static int
skip(struct courier *c, const struct store_reader *reader, enum run_skip why, int64_t next_utc,
    struct error *err)
{
	c->report->nskipped++;
	c->report->skips[why]++;
	if (c->options->on_skip == NULL)
		return 0;
	return c->options->on_skip(c->options->arg, reader, why, next_utc, err);
}

static int
add_due(struct courier *c, const struct due *due, struct error *err)
{
	if (c->ndues == c->alloc) {
		size_t alloc = c->alloc == 0 ? 64 : c->alloc * 2;
		struct due *dues = realloc(c->dues, alloc * sizeof(*dues));

		if (dues == NULL)
			return err_nomem(err, "readers who are due");
		c->dues = dues;
		c->alloc = alloc;
	}
	c->dues[c->ndues++] = *due;
	if (due->window_utc < c->since_utc)
		c->since_utc = due->window_utc;
	return 0;
}

/* What one walk over the readers looks for. */
struct walk {
	struct courier *courier;
	struct error *err;
	bool ahead; /* also those whose time has not come */
};

static int
visit_reader(void *arg, const struct store_reader *reader)
{
	struct walk *w = arg;
	struct courier *c = w->courier;
	struct due due;
	int found;

	if (reader->state == READER_ENDED || !is_selected(c->options, reader->sub.canonical))
		return 0;
	c->report->nreaders++;
	if (reader->suppressed)
		return skip(c, reader, SKIP_SUPPRESSED, 0, w->err);
	if (reader->vanished)
		return skip(c, reader, SKIP_HELD_BACK, 0, w->err);
	if (reader->sub.paused_until > c->now_utc / DAY_SECONDS)
		return skip(c, reader, SKIP_PAUSED, (int64_t)reader->sub.paused_until * DAY_SECONDS,
		    w->err);
	found = due_find(c->run, reader, c->now_utc, c->run_id, &due, w->err);
	if (found == -1) {
		log_warn(c->run->log, "%s: %s", reader->sub.address, w->err->msg);
		c->report->faults |= RUN_FAULT_CONFIG;
		return skip(c, reader, SKIP_BROKEN, 0, w->err);
	}
	if (found == 0 && !w->ahead)
		return skip(c, reader, SKIP_NOT_DUE, due.due_utc, w->err);
	if (found == 1)
		c->report->ndue++;
	return add_due(c, &due, w->err);
}

static int
find_dues(struct courier *c, bool ahead, struct error *err)
{
	struct walk w = { c, err, ahead };

	c->since_utc = c->now_utc - (int64_t)WINDOW_DAYS * DAY_SECONDS;
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
		return find_dues(c, false, err);
	quiet.on_skip = NULL;
	c->options = &quiet;
	rc = find_dues(c, false, err);
	c->options = options;
	if (rc == -1)
		return -1;
	c->report->ahead = c->ndues == 0;
	c->ndues = 0;
	c->report->nreaders = c->report->nskipped = c->report->ndue = 0;
	memset(c->report->skips, 0, sizeof(c->report->skips));
	return find_dues(c, c->report->ahead, err);
}

/* ---- the queue the sink pulls from ---- */

static void
release_batch(struct courier *c)
{
	for (size_t i = 0; i < c->nmails; i++)
		composed_release(&c->mails[i]);
	c->nmails = c->next_mail = 0;
	arena_reset(&c->arena);
	if (c->batch != NULL)
		batch_reset(c->batch);
}

/* This digest fails closed, the others go on; it is due as long as it has not gone out. */
static void
note_broken(struct courier *c, const struct store_reader *reader, const char *why)
{
	struct run_report *r = c->report;

	if (c->broken[0] == '\0')
		snprintf(c->broken, sizeof(c->broken), "%s: %s", reader->sub.address, why);
	if (++r->nbroken <= MAX_TOLD)
		log_error(c->run->log, "%s: %s", reader->sub.address, why);
	r->faults |= RUN_FAULT_CONFIG;
}

/* Into the batch, or told why not. */
static int
take_item(struct courier *c, struct batch_item *item, struct error *err)
{
	const struct store_reader *reader = item->mail.reader;

	c->report->nmerged += item->merged;
	if (item->what == BATCH_MAIL) {
		c->mails[c->nmails++] = item->mail;
		return 0;
	}
	if (item->what == BATCH_SKIPPED)
		return skip(c, reader, item->why, 0, err);
	note_broken(c, reader, item->err.msg);
	return skip(c, reader, SKIP_BROKEN, 0, err);
}

static int
lease_batch(struct courier *c, struct error *err)
{
	struct edition *editions = arena_array(&c->arena, c->nmails, sizeof(*editions));
	int rc;

	if (editions == NULL)
		return err_nomem(err, "lease");
	for (size_t i = 0; i < c->nmails; i++)
		editions[i] = c->mails[i].edition;
	if (store_begin(c->run->store, err) == -1)
		return -1;
	rc = store_lease_editions(c->run->store, editions, c->nmails, c->now_utc, err);
	if (rc == 0)
		rc = planner_save(c->planner, err);
	for (size_t i = 0; i < c->nmails; i++)
		c->mails[i].edition.state = editions[i].state;
	return store_end(c->run->store, rc, true, err);
}

static int
plan_batch(struct courier *c, struct error *err)
{
	size_t n = c->ndues - c->next_due < BATCH_MAILS ? c->ndues - c->next_due : BATCH_MAILS;
	int rc = 0;

	release_batch(c);
	if (batch_plan(c->batch, &c->dues[c->next_due], n, c->items, err) == -1)
		return -1;
	c->next_due += n;
	for (size_t i = 0; i < n; i++) {
		if (rc == 0)
			rc = take_item(c, &c->items[i], err);
		else if (c->items[i].what == BATCH_MAIL)
			composed_release(&c->items[i].mail);
	}
	if (rc == -1)
		return -1;
	if (c->run->ui.progress != NULL && c->ndues > BATCH_MAILS)
		c->run->ui.progress(c->run->ui.arg, "sending", c->next_due, c->ndues);
	c->report->nplanned += c->nmails;
	return c->nmails > 0 ? lease_batch(c, err) : 0;
}

/*
 * Templates or settings have changed since: fine while no copy can be out, but only the very same bytes may follow one
 * that may be. 1 = held.
 */
static int
note_other_bytes(
    struct courier *c, const struct edition *e, const struct composed *mail, struct error *err)
{
	static const char reason[] = "a copy may be out, and the mail would differ from it now";
	struct store *store = c->run->store;
	int rc;

	if (store_begin(store, err) == -1)
		return -1;
	if (e->copies == 0)
		rc = store_rehash_edition(
		    store, e->period, e->reader, mail->edition.hash, e->composed_utc, err);
	else
		rc = store_settle_edition(
		    store, e->period, e->reader, EDITION_HELD, reason, c->now_utc, 0, err);
	if (store_end(store, rc, false, err) == -1)
		return -1;
	if (e->copies == 0)
		return 0;
	c->report->nheld_mails++;
	log_error(c->run->log, "%s: digest of %s: %s; held", mail->reader->sub.address,
	    mail->period, reason);
	return 1;
}

/*
 * A Date some days old looks like spam: after each whole span the mail is dated anew. What a copy that may be out had is
 * found again by its bytes.
 */
static int
compose_again(struct courier *c, const struct edition *e, struct composed *mail, struct error *err)
{
	int64_t spans =
	    c->now_utc > e->composed_utc ? (c->now_utc - e->composed_utc) / DATE_SPAN_S : 0;

	for (;; spans--) {
		mail->date_utc = e->composed_utc + spans * DATE_SPAN_S;
		strbuf_reset(&mail->bytes);
		if (composer_compose(c->composer, mail, &c->arena, err) == -1)
			return -1;
		if (e->copies == 0 || spans == 0 ||
		    memcmp(e->hash, mail->edition.hash, sizeof(e->hash)) == 0)
			return 0;
	}
}

/* It stays where it is: the next run tries again, whose templates may be mended. */
static int
put_back(struct courier *c, const struct edition *e, struct error *err)
{
	struct store *store = c->run->store;
	int rc;

	if (store_begin(store, err) == -1)
		return -1;
	rc = store_settle_edition(
	    store, e->period, e->reader, EDITION_DEFERRED, e->reply, c->now_utc, c->now_utc, err);
	return store_end(store, rc, false, err);
}

/* One deferred edition into the batch, from the papers as they were then. */
static int
retry_one(struct courier *c, const struct edition *e, struct error *err)
{
	struct composed *mail = &c->mails[c->nmails];

	composed_init(mail);
	mail->edition = *e;
	mail->due.due_utc = e->composed_utc; /* it was due by then */
	if (store_load_reader(c->run->store, e->reader, &c->arena, &mail->reader, err) != 1)
		return -1;
	if (composer_prepare(c->composer, mail, &c->arena, err) == -1 ||
	    compose_again(c, e, mail, err) == -1) {
		note_broken(c, mail->reader, err->msg);
		composed_release(mail);
		return put_back(c, e, err);
	}
	if (memcmp(e->hash, mail->edition.hash, sizeof(e->hash)) != 0) {
		int rc = note_other_bytes(c, e, mail, err);

		if (rc != 0) {
			composed_release(mail);
			return rc == 1 ? 0 : -1;
		}
	}
	c->nmails++;
	return 0;
}

static int
compare_due(const void *key, const void *row)
{
	int64_t reader = *(const int64_t *)key, other = ((const struct due *)row)->reader;

	return (reader > other) - (reader < other);
}

/*
 * Whether an edition is tried again now: its reader is one this run is about, and no newer edition takes over its papers,
 * see clear_unsettled(). 1, 0 or -1.
 */
static int
is_wanted(struct courier *c, const struct edition *e, struct error *err)
{
	const struct due *due = NULL;
	struct store_reader *reader;

	if (c->options->nusers > 0) {
		if (store_load_reader(c->run->store, e->reader, &c->arena, &reader, err) != 1)
			return -1;
		if (!is_selected(c->options, reader->sub.canonical))
			return 0;
	}
	/* The readers who are due stand in the order of their numbers. */
	if (c->ndues > 0 && e->copies == 0 && !c->report->ahead)
		due = bsearch(&e->reader, c->dues, c->ndues, sizeof(*c->dues), compare_due);
	return due == NULL || due->period == e->period;
}

/* Lease the next edition that is due again; what is not wanted stays deferred. 1, 0 = there is none, -1. */
static int
lease_retry(struct courier *c, struct edition **out, struct error *err)
{
	struct store *store = c->run->store;

	for (;;) {
		int found = store_next_due(
		    store, c->now_utc, c->after_period, c->after_reader, &c->arena, out, err);
		const struct edition *e = *out;

		if (found != 1)
			return found;
		c->after_period = e->period;
		c->after_reader = e->reader;
		if ((found = is_wanted(c, e, err)) != 0)
			return found;
		if (store_settle_edition(store, e->period, e->reader, EDITION_DEFERRED, e->reply,
			c->now_utc, e->next_utc, err) == -1)
			return -1;
	}
}

/* Lease the next editions that were deferred and are due again, at most BATCH_MAILS, in one transaction. */
static int
lease_retries(struct courier *c, struct edition **out, size_t *n, struct error *err)
{
	struct store *store = c->run->store;
	int found = 0;

	*n = 0;
	if (store_begin(store, err) == -1)
		return -1;
	while (*n < BATCH_MAILS && !c->retries_done && found != -1) {
		found = lease_retry(c, &out[*n], err);
		c->retries_done = found == 0;
		*n += found == 1;
	}
	return store_end(store, found == -1 ? -1 : 0, true, err);
}

/* Mail of earlier runs that was deferred, or that a killed run left behind, and is due again. */
static int
retry_batch(struct courier *c, struct error *err)
{
	struct edition *leased[BATCH_MAILS];
	size_t n;

	release_batch(c);
	if (lease_retries(c, leased, &n, err) == -1)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (retry_one(c, leased[i], err) == -1)
			return -1;
	return 0;
}

/* Whoever looks at mails gets their parts as they are read. */
static int
show_mail(struct courier *c, struct composed *mail, struct error *err)
{
	struct rendered read;
	const struct run_mail shown = { mail->reader, &mail->edition, &mail->view, &read,
		&mail->bytes, mail->due.due_utc, c->via, mail->period };
	int rc;

	if (c->options->on_mail == NULL)
		return 0;
	rendered_init(&read);
	read.html.max_bytes = mail->rendered.html.max_bytes;
	strbuf_add(&read.subject, mail->rendered.subject.buf);
	qp_add_decoded(&read.html, mail->rendered.html.buf, mail->rendered.html.len);
	qp_add_decoded(&read.text, mail->rendered.text.buf, mail->rendered.text.len);
	rc = strbuf_check(&read.html, err) == -1 || strbuf_check(&read.text, err) == -1
	    ? -1
	    : c->options->on_mail(c->options->arg, &shown, err);
	rendered_release(&read);
	return rc;
}

/* 1 = out is filled, 0 = this one is not mailed. */
static int
hand_out(struct courier *c, struct composed *mail, struct delivery *out, struct error *err)
{
	if (mail->edition.state == EDITION_EMPTY) {
		c->report->nempty++;
		return skip(c, mail->reader, SKIP_EMPTY, 0, err);
	}
	if (mail->edition.state == EDITION_FAILED)
		return skip(c, mail->reader, SKIP_SUPPRESSED, 0, err);
	out->period = mail->edition.period;
	out->reader = mail->edition.reader;
	out->sender = composer_sender(c->composer);
	snprintf(out->to, sizeof(out->to), "%s", mail->to.mailbox);
	out->needs_smtputf8 = mail->to.needs_smtputf8;
	if (show_mail(c, mail, err) == -1)
		return -1;
	/* The bytes go on to the sink as they are, and its empty buffer comes back. */
	strbuf_swap(&out->bytes, &mail->bytes);
	return 1;
}

/* `outbox hold --all` stops a run that has begun, too. A store that cannot be read says so at the next transaction. */
static bool
is_held(struct courier *c)
{
	int64_t now_ms = clock_monotonic_ms(), since_utc;

	if (c->options->preview || c->held || now_ms < c->look_ms)
		return c->held;
	c->look_ms = now_ms + LOOK_MS;
	c->held = run_find_hold(c->run, &since_utc, NULL) == 1;
	if (c->held)
		log_error(c->run->log, "stopped: %s", run_hold_words);
	return c->held;
}

/* A signal came, the time of this run is up, or a person stopped all mail. */
static bool
must_stop(struct courier *c)
{
	bool signalled = c->run->stop != NULL && *c->run->stop != 0;
	bool stop = signalled || clock_monotonic_ms() >= c->deadline_ms || is_held(c);
	size_t nleft = c->nmails - c->next_mail + c->ndues - c->next_due;

	if (stop && nleft > 0 && !c->stopped) {
		log_info(c->run->log, "stopped by %s; %zu mails are left for the next run",
		    signalled	  ? "a signal"
			: c->held ? "a person"
				  : "delivery.deadline",
		    nleft);
		c->report->faults |= RUN_FAULT_DEFERRED;
		c->stopped = true;
	}
	return stop;
}

static int
next_mail(void *arg, struct delivery *out, struct error *err)
{
	struct courier *c = arg;

	while (!must_stop(c)) {
		if (c->next_mail < c->nmails) {
			int rc = hand_out(c, &c->mails[c->next_mail++], out, err);

			if (rc != 0)
				return rc;
		} else if (!c->retries_done) {
			if (retry_batch(c, err) == -1)
				return -1;
		} else if (c->next_due == c->ndues) {
			return 0;
		} else if (plan_batch(c, err) == -1) {
			return -1;
		}
	}
	return 0;
}

static int
intend(void *arg, const struct delivery *const *mails, size_t n, struct error *err)
{
	struct courier *c = arg;
	struct store *store = c->run->store;
	int rc = 0;

	if (store_begin(store, err) == -1)
		return -1;
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = store_intend_edition(store, mails[i]->period, mails[i]->reader, err);
	return store_end(store, rc, false, err);
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

	if (store_count_attempts(c->run->store, o->period, o->reader, &attempts, err) == -1)
		return -1;
	*next_utc = now_utc + retry_wait_s(retry_classify(o->reply), attempts, o->reader);
	return 0;
}

static int
settle(void *arg, const struct delivery_outcome *outcomes, size_t n, struct error *err)
{
	struct courier *c = arg;
	struct store *store = c->run->store;
	int64_t now_utc = clock_now_utc(&c->run->clock); /* a run may last an hour */
	int rc = 0;

	if (store_begin(store, err) == -1)
		return -1;
	for (size_t i = 0; i < n && rc == 0; i++) {
		const struct delivery_outcome *o = &outcomes[i];
		enum edition_state state = count_outcome(c->report, o->outcome);
		int64_t next_utc = 0;

		report_tell_outcome(c->run, c->report, state, o);
		if (state == EDITION_DEFERRED)
			rc = find_next_try(c, o, now_utc, &next_utc, err);
		if (rc == 0)
			rc = store_settle_edition(
			    store, o->period, o->reader, state, o->reply, now_utc, next_utc, err);
	}
	return store_end(store, rc, false, err);
}

static int
look_at_sources(struct courier *c, struct error *err)
{
	const struct config *cfg = c->run->cfg;

	for (size_t i = 0; i < cfg->nsources && !c->settings.source_fails; i++) {
		struct store_source *source;

		if (store_load_source(
			c->run->store, cfg->sources[i].name, &c->arena, &source, err) == -1)
			return -1;
		c->settings.source_fails = source->failing_since_utc != 0;
	}
	return 0;
}

/* The relay cannot be reached or does not take our mail: what was not handed over waits, and the run ends in order. */
static int
note_way_out(struct courier *c, const struct error *err)
{
	if (err->kind != ERR_NET && err->kind != ERR_CONFIG)
		return -1;
	log_error(c->run->log, "%s: %s", c->via, err->msg);
	report_add_stop(c->report, c->run->cfg->smtps[0].name, err);
	c->report->faults |= err->kind == ERR_NET ? RUN_FAULT_UNREACHABLE : RUN_FAULT_CONFIG;
	return 0;
}

/* Queries that read signals look back a week further than the others. */
static int
start_planning(struct courier *c, struct error *err)
{
	int64_t extra = (int64_t)(SIGNAL_WINDOW_DAYS - WINDOW_DAYS) * DAY_SECONDS;

	if (c->ndues > 0 &&
	    planner_new(c->run, c->since_utc - extra, c->now_utc, &c->planner, err) == -1)
		return -1;
	if (composer_new(c->run, c->planner, &c->composer, err) == -1)
		return -1;
	c->settings.run = c->run;
	c->settings.planner = c->planner;
	c->settings.composer = c->composer;
	c->settings.silences = c->report->silences;
	c->settings.now_utc = c->now_utc;
	/* One reader needs no second thread. */
	return batch_new(&c->settings, c->ndues < 2 ? 1 : pool_processors(), &c->batch, err);
}

static int
stop_at_first(void *arg, const struct edition *e)
{
	(void)arg;
	(void)e;
	return 1;
}

/* A run with nothing to send opens no way out: asking for a password, say, may cost a person's attention. 1, 0 or -1. */
static int
has_work(struct courier *c, struct error *err)
{
	return c->ndues > 0 ? 1 : store_each_unsettled(c->run->store, stop_at_first, NULL, err);
}

/* The templates cannot be used, say: all mail stays due, and the run ends in order. A preview has nothing to show. */
static int
note_no_mail(struct courier *c, const struct error *err)
{
	if (err->kind != ERR_CONFIG || c->options->preview)
		return -1;
	log_error(c->run->log, "no digest can be made: %s", err->msg);
	snprintf(c->broken, sizeof(c->broken), "%s", err->msg);
	c->report->nbroken += c->ndues;
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

/* Plan, compose and hand over everything. */
static int
send_all(struct courier *c, struct error *err)
{
	const struct delivery_queue queue = { c, next_mail, intend, settle };
	struct sink *sink;
	int rc;

	if (start_planning(c, err) == -1)
		return note_no_mail(c, err);
	if (sinks_open(c->run, c->options->preview, &sink, err) == -1)
		return -1;
	rc = sink_run(sink, &queue, err);
	sink_free(sink);
	return rc == -1 ? note_way_out(c, err) : 0;
}

int
deliver_editions(struct run *run, const struct run_options *options, int64_t run_id,
    struct run_report *report, struct error *err)
{
	struct courier *c = calloc(1, sizeof(*c));
	int rc = -1;

	if (c == NULL)
		return err_nomem(err, "delivery");
	c->run = run;
	c->options = options;
	c->report = report;
	c->now_utc = clock_now_utc(&run->clock);
	c->run_id = run_id;
	c->deadline_ms = clock_monotonic_ms() + run->cfg->delivery.deadline_s * 1000;
	arena_init(&c->arena, MAX_RUN_BYTES);
	sinks_describe(run->cfg, c->via, sizeof(c->via));
	if (collect_dues(c, err) == 0 && look_at_sources(c, err) == 0)
		rc = has_work(c, err);
	if (rc == 1)
		rc = send_all(c, err);
	if (rc == 0)
		rc = save_broken(c, err);
	release_batch(c);
	batch_free(c->batch);
	composer_free(c->composer);
	planner_free(c->planner);
	arena_release(&c->arena);
	free(c->dues);
	free(c);
	return rc;
}
