#include "run/returns.h"

#include "digest/date.h"
#include "digest/limits.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	DAY_SECONDS = 86400,
	PAUSE_DAYS = 14,  /* that a mail asks for */
	SCORE_BATCH = 50, /* readers in one transaction */
	MAX_KNOWN = 512,  /* rows of one reader that are looked at */
	MAX_DEAD_PERIODS = 16,
	MAX_ID_BYTES = 1024,
};

const char inbox_frozen_note[] = "scoring-frozen", inbox_thawed_note[] = "scoring-thawed";

/* ---- names of what was said ---- */

void
returned_make_id(unsigned char out[RETURNED_ID_SIZE], enum returned_kind kind, int64_t reader,
    int64_t period, const char *text)
{
	char bytes[MAX_ID_BYTES];
	int n = snprintf(bytes, sizeof(bytes),
	    "digest returned 1\n%d\n%" PRId64 "\n%" PRId64 "\n%s", (int)kind, reader, period, text);

	message_hash(bytes, n < MAX_ID_BYTES ? (size_t)n : MAX_ID_BYTES - 1, out);
}

/* ---- one mail ---- */

/* What effects_apply works on. */
struct work {
	struct run *run;
	const struct incoming *in;
	const struct decision *d;
	int64_t now_utc;
	struct arena *arena;
	struct store_reader *reader;
	int64_t period; /* of the edition it is about, 0 = not known */
	struct store_returned row;
	struct effect *out;
};

__attribute__((format(printf, 2, 3))) static int
nothing(struct work *w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(w->out->words, sizeof(w->out->words), fmt, ap);
	va_end(ap);
	w->out->count = INBOX_NO_EFFECT;
	w->out->keep = true;
	return 0;
}

/* 1 = it is new, 0 = it was known. */
static int
add_row(struct work *w, enum run_inbox_count count, struct error *err)
{
	int added;

	w->row.reader = w->d->reader;
	w->row.period = w->period;
	w->row.at_utc = w->now_utc;
	w->row.decided = w->out->words;
	added = store_add_returned(w->run->store, &w->row, err);
	if (added == 0)
		snprintf(w->out->words, sizeof(w->out->words), "this was known");
	w->out->count = added == 1 ? count : INBOX_REPEATED;
	return added;
}

/* Whether a copy of the edition left, and not too long ago: 1, 0 (told), -1. */
static int
check_delivery(struct work *w, struct error *err)
{
	struct store_delivery delivery;
	int found = store_find_delivery(w->run->store, w->period, w->d->reader, &delivery, err);
	int64_t sent_utc;

	if (found == -1)
		return -1;
	if (found == 0 || !delivery.is_out)
		return nothing(w, "no such digest left here");
	sent_utc = delivery.tried_utc != 0 ? delivery.tried_utc : delivery.composed_utc;
	if (w->now_utc - sent_utc > BOUNCE_TOKEN_DAYS * DAY_SECONDS)
		return nothing(w, "that digest left over %d days ago", BOUNCE_TOKEN_DAYS);
	return 1;
}

static bool
is_returned_id(const struct incoming *in, const char *id)
{
	const size_t len = strlen(id) - 2; /* < and > */

	for (size_t i = 0; i < in->ncandidates; i++)
		if (in->candidates[i].place == INCOMING_RETURNED_ID &&
		    strlen(in->candidates[i].text) == len &&
		    memcmp(in->candidates[i].text, id + 1, len) == 0)
			return true;
	return false;
}

/*
 * Which of the reader's editions came back, by the Message-ID in its header. That is no secret and proves nothing: the token
 * beside it has said whose it is. 1, 0 (told), -1.
 */
static int
find_period(struct work *w, struct error *err)
{
	const struct config *cfg = w->run->cfg;
	char id[MESSAGE_ID_SIZE], period[DATE_RFC3339_SIZE];
	struct store_delivery *sent;
	struct address from;
	size_t n;

	if (w->period != 0)
		return 1;
	if (address_parse(cfg->list.from, w->arena, &from, NULL, err) == -1 ||
	    store_load_deliveries(w->run->store, w->d->reader,
		w->now_utc - BOUNCE_KNOWN_DAYS * (int64_t)DAY_SECONDS, w->arena, &sent, &n,
		err) == -1)
		return -1;
	for (size_t i = 0; i < n; i++) {
		period_format(sent[i].period, period);
		message_make_id(id, cfg->list.id, w->reader->sub.canonical, period, from.domain);
		if (!is_returned_id(w->in, id))
			continue;
		w->period = sent[i].period;
		return 1;
	}
	return nothing(w, "it does not say which digest came back");
}

static int
apply_bounce(struct work *w, struct error *err)
{
	const struct incoming_recipient *r = decide_recipient(w->in, &w->reader->sub);
	int ok;

	if (r == NULL || r->fate != INCOMING_BOUNCE)
		return nothing(w, "the report does not say that the reader's mail failed");
	if ((ok = find_period(w, err)) != 1 || (ok = check_delivery(w, err)) != 1)
		return ok;
	w->row.kind = RETURNED_BOUNCE;
	w->row.class = bounces_class_of(r->class);
	w->row.status = r->status;
	w->row.reply = r->diagnostic;
	returned_make_id(w->row.id, RETURNED_BOUNCE, w->d->reader, w->period, "");
	snprintf(w->out->words, sizeof(w->out->words), "%s: %s; waits to be scored",
	    bounces_class_name(w->row.class), r->reason);
	/* Nobody can tell what it means: perhaps a person can. */
	w->out->keep = w->row.class == BOUNCE_UNKNOWN;
	return add_row(w, INBOX_COUNTED, err) == -1 ? -1 : 0;
}

static int
apply_complaint(struct work *w, struct error *err)
{
	int ok = w->period != 0 ? check_delivery(w, err) : 1;

	if (ok != 1)
		return ok;
	w->row.kind = RETURNED_COMPLAINT;
	w->row.counted = COUNT_DONE;
	w->row.reply = w->in->reason;
	returned_make_id(w->row.id, RETURNED_COMPLAINT, w->d->reader, w->period,
	    w->period != 0 ? "" : w->in->message_id);
	snprintf(
	    w->out->words, sizeof(w->out->words), "not mailed any more: called a digest unwanted");
	if ((ok = add_row(w, INBOX_COMPLAINTS, err)) != 1)
		return ok;
	return readers_leave(w->run, w->reader, SUPPRESSED_COMPLAINT, w->now_utc, err);
}

/* ---- what readers ask for ---- */

/* At most one answer a day, so that two machines that answer each other come to an end. */
static int
plan_answer(struct work *w, struct error *err)
{
	struct answer *a = &w->out->answer;
	int told;

	if (!w->d->may_answer)
		return 0;
	told = store_was_answered(w->run->store, w->d->reader, w->now_utc - DAY_SECONDS, err);
	if (told != 0)
		return told == -1 ? -1 : 0;
	a->reader = w->d->reader;
	a->kind = w->row.kind;
	snprintf(a->message_id, sizeof(a->message_id), "%s", w->in->message_id);
	w->row.answered = w->out->answers = true;
	return 0;
}

static int
apply_unsubscribe(struct work *w, struct error *err)
{
	int added;

	if (w->reader->suppressed) {
		snprintf(w->out->words, sizeof(w->out->words), "was not mailed any more before");
		return add_row(w, INBOX_NO_EFFECT, err) == -1 ? -1 : 0;
	}
	snprintf(w->out->words, sizeof(w->out->words), "not mailed any more: asked for it by mail");
	if (plan_answer(w, err) == -1 || (added = add_row(w, INBOX_LEFT, err)) == -1)
		return -1;
	return added == 1
	    ? readers_leave(w->run, w->reader, SUPPRESSED_UNSUBSCRIBED, w->now_utc, err)
	    : 0;
}

static int
apply_pause(struct work *w, struct error *err)
{
	int32_t until = (int32_t)(w->now_utc / DAY_SECONDS) + PAUSE_DAYS;
	char day[DATE_RFC3339_SIZE];
	int added;

	if (w->reader->suppressed || w->reader->state == READER_ENDED)
		return nothing(w, "is not mailed at all");
	if (w->reader->sub.paused_until >= until) {
		snprintf(w->out->words, sizeof(w->out->words), "pauses for longer already");
		return add_row(w, INBOX_NO_EFFECT, err) == -1 ? -1 : 0;
	}
	date_format_day(until, day);
	snprintf(
	    w->out->words, sizeof(w->out->words), "paused until %s: asked for it by mail", day);
	w->out->answer.until_day = until;
	if (plan_answer(w, err) == -1 || (added = add_row(w, INBOX_PAUSED, err)) == -1)
		return -1;
	return added == 1 ? store_pause_reader(w->run->store, w->d->reader, until, err) : 0;
}

/* Ends a pause. Who has left stays away: a person lifts that, with a consent. */
static int
apply_resume(struct work *w, struct error *err)
{
	int added;

	if (w->reader->suppressed || w->reader->state == READER_ENDED)
		return nothing(w, "is not mailed any more, which no mail lifts");
	if (!due_is_paused(w->run, w->reader, w->now_utc)) {
		snprintf(w->out->words, sizeof(w->out->words), "did not pause");
		return add_row(w, INBOX_NO_EFFECT, err) == -1 ? -1 : 0;
	}
	snprintf(w->out->words, sizeof(w->out->words), "the pause is over: asked for it by mail");
	if (plan_answer(w, err) == -1 || (added = add_row(w, INBOX_RESUMED, err)) == -1)
		return -1;
	if (added == 1)
		added = readers_end_pause(w->run, w->reader, w->now_utc, err);
	return added == -1 ? -1 : 0;
}

static int
apply_request(struct work *w, struct error *err)
{
	static const struct {
		enum returned_kind kind;
		int (*apply)(struct work *w, struct error *err);
	} verbs[] = {
		[ACT_UNSUBSCRIBE] = { RETURNED_UNSUBSCRIBE, apply_unsubscribe },
		[ACT_PAUSE] = { RETURNED_PAUSE, apply_pause },
		[ACT_RESUME] = { RETURNED_RESUME, apply_resume },
	};
	char text[MAX_ID_BYTES];
	char day[DATE_RFC3339_SIZE];
	int ok = w->period != 0 ? check_delivery(w, err) : 1;

	if (ok != 1)
		return ok;
	w->row.kind = verbs[w->d->act].kind;
	w->row.counted = COUNT_DONE;
	/* Without an id of its own it is known for the day. */
	date_format_day((int32_t)(w->now_utc / DAY_SECONDS), day);
	snprintf(text, sizeof(text), "%s\n%s",
	    w->in->message_id[0] != '\0' ? w->in->message_id : day, w->d->token);
	returned_make_id(w->row.id, w->row.kind, w->d->reader, 0, text);
	return verbs[w->d->act].apply(w, err);
}

int
effects_apply(struct run *run, const struct incoming *in, const struct decision *d, int64_t now_utc,
    struct arena *a, struct effect *out, struct error *err)
{
	struct work w = { .run = run,
		.in = in,
		.d = d,
		.now_utc = now_utc,
		.arena = a,
		.period = d->period,
		.out = out };
	int found, rc;

	*out = (struct effect){ .count = INBOX_NO_EFFECT };
	w.row.status = w.row.reply = "";
	snprintf(out->words, sizeof(out->words), "%s", d->words);
	if (in->kind == INCOMING_UNREADABLE)
		out->count = (in->flags & INCOMING_POISON) ? INBOX_POISON : INBOX_UNREADABLE;
	/* Of what had no effect only a report that a digest is late, or arrived, needs nobody any more. */
	out->keep = !d->ours || in->kind == INCOMING_AUTO_REPLY ||
	    (in->kind == INCOMING_FEEDBACK && d->act == ACT_NONE);
	if (d->act == ACT_NONE)
		return 0;
	found = store_load_reader(run->store, d->reader, a, &w.reader, err);
	if (found != 1)
		return found == -1 ? -1 : nothing(&w, "no such reader");
	if (d->act == ACT_BOUNCE)
		rc = apply_bounce(&w, err);
	else
		rc = d->act == ACT_COMPLAINT ? apply_complaint(&w, err) : apply_request(&w, err);
	out->answers = out->answers && out->count != INBOX_REPEATED;
	return rc;
}

/* ---- points ---- */

/* One reader with bounces that wait. */
struct scoring {
	struct run *run;
	int64_t now_utc;
	struct arena arena;
	struct run_inbox *inbox;
};

/* "dead; 1 of 2 points" */
static void
write_points(char *out, size_t size, const struct store_returned *r, const struct bounce_score *s)
{
	if (r->class == BOUNCE_POLICY || r->class == BOUNCE_OURS)
		snprintf(out, size, "%s: says nothing of the reader, no points",
		    bounces_class_name(r->class));
	else
		snprintf(out, size, "%s; %g of %g points", bounces_class_name(r->class), s->points,
		    BOUNCE_LIMIT);
}

static int
act_on_score(struct scoring *s, struct store_reader *reader, const struct store_returned *newest,
    const struct bounce_score *score, struct error *err)
{
	char words[200], day[DATE_RFC3339_SIZE], points[100];
	struct store *store = s->run->store;
	int32_t until = 0;

	write_points(points, sizeof(points), newest, score);
	snprintf(words, sizeof(words), "%s", points);
	if (reader->suppressed) {
		snprintf(words, sizeof(words), "%s; was not mailed any more before", points);
	} else if (score->verdict == BOUNCE_SUPPRESS) {
		snprintf(words, sizeof(words), "not mailed any more: %s", points);
		s->inbox->counts[INBOX_SUPPRESSED]++;
		log_event(s->run->log, LOG_LEVEL_INFO, "bounced", "reader %" PRId64 " %s",
		    reader->sub.id, words);
		if (store_suppress(
			store, reader->sub.canonical, SUPPRESSED_BOUNCED, s->now_utc, err) == -1)
			return -1;
	} else if (score->verdict == BOUNCE_PAUSE) {
		until = (int32_t)(s->now_utc / DAY_SECONDS) + score->pause_days;
		date_format_day(until, day);
		snprintf(words, sizeof(words), "paused until %s: full or out of reach for days; %s",
		    day, points);
		s->inbox->counts[INBOX_FULL]++;
		if (until > reader->sub.paused_until &&
		    store_pause_reader(store, reader->sub.id, until, err) == -1)
			return -1;
	}
	return store_decide_returned(store, newest->id, words, until, err);
}

/* Those that waited beside the newest one. */
static int
note_others(struct scoring *s, const struct store_returned *rows, size_t n,
    const struct store_returned *newest, struct error *err)
{
	char words[64];

	for (size_t i = 0; i < n; i++) {
		if (rows[i].counted != COUNT_WAITS || &rows[i] == newest)
			continue;
		snprintf(words, sizeof(words), "%s", bounces_class_name(rows[i].class));
		if (store_decide_returned(s->run->store, rows[i].id, words, 0, err) == -1)
			return -1;
	}
	return 0;
}

static const struct store_returned *
find_newest_waiting(const struct store_returned *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (rows[i].counted == COUNT_WAITS)
			return &rows[i];
	return NULL;
}

/* Its rows as they are once all that wait are counted. */
static int
load_counted(struct scoring *s, int64_t id, struct store_returned **rows,
    struct store_returned **counted, size_t *n, struct error *err)
{
	if (store_load_returned(s->run->store, id,
		s->now_utc - BOUNCE_KNOWN_DAYS * (int64_t)DAY_SECONDS, MAX_KNOWN, &s->arena, rows,
		n, err) == -1 ||
	    store_count_returned(s->run->store, id, err) == -1)
		return -1;
	if ((*counted = arena_array(&s->arena, *n, sizeof(**counted))) == NULL)
		return err_nomem(err, "bounces");
	for (size_t i = 0; i < *n; i++) {
		(*counted)[i] = (*rows)[i];
		if ((*rows)[i].counted == COUNT_WAITS)
			(*counted)[i].counted = COUNT_DONE;
	}
	return 0;
}

static int
score_reader(struct scoring *s, int64_t id, struct error *err)
{
	struct store_returned *rows, *counted;
	const struct store_returned *newest;
	struct store_delivery *sent;
	struct store_reader *reader;
	struct bounce_score score;
	size_t n, nsent;
	int found;

	arena_reset(&s->arena);
	found = store_load_reader(s->run->store, id, &s->arena, &reader, err);
	if (found == -1 || load_counted(s, id, &rows, &counted, &n, err) == -1)
		return -1;
	newest = find_newest_waiting(rows, n);
	if (found == 0 || newest == NULL)
		return 0;
	if (store_load_deliveries(s->run->store, id,
		s->now_utc - BOUNCE_KNOWN_DAYS * (int64_t)DAY_SECONDS, &s->arena, &sent, &nsent,
		err) == -1)
		return -1;
	bounces_score(counted, n, sent, nsent, s->now_utc, &score);
	if (note_others(s, rows, n, newest, err) == -1)
		return -1;
	return act_on_score(s, reader, newest, &score, err);
}

/* ---- the circuit breaker ---- */

/* When a person said last that all is well: what was dead before that does not freeze again. */
static int
load_time(struct run *run, const char *note, struct arena *a, int64_t *out, struct error *err)
{
	const char *text;

	if (store_get_note(run->store, note, a, &text, err) == -1)
		return -1;
	*out = strtoll(text, NULL, 10);
	return 0;
}

static int
freeze(struct scoring *s, const struct store_dead *dead, size_t nsent, struct error *err)
{
	char period[DATE_RFC3339_SIZE], note[300];

	period_format(dead->period, period);
	snprintf(note, sizeof(note),
	    "%" PRId64
	    " %zu of %zu mails of %s proved undeliverable within an hour, as when a relay "
	    "is broken; nobody is taken off for bounces until 'digest mailbox thaw', or 'thaw "
	    "--forget' "
	    "if they say nothing of the readers",
	    s->now_utc, dead->ndead, nsent, period);
	log_error(s->run->log, "%s", strchr(note, ' ') + 1);
	s->inbox->frozen = true;
	return store_set_note(s->run->store, inbox_frozen_note, note, err);
}

/* In a transaction. */
static int
check_breaker(struct scoring *s, struct error *err)
{
	struct store_dead dead[MAX_DEAD_PERIODS];
	int64_t frozen_utc, thawed_utc, since_utc = s->now_utc - BREAKER_SPAN_S;
	size_t n, nsent;

	if (load_time(s->run, inbox_frozen_note, &s->arena, &frozen_utc, err) == -1 ||
	    load_time(s->run, inbox_thawed_note, &s->arena, &thawed_utc, err) == -1)
		return -1;
	s->inbox->frozen = frozen_utc != 0;
	if (s->inbox->frozen)
		return 0;
	since_utc = since_utc > thawed_utc ? since_utc : thawed_utc + 1;
	if (store_load_dead(
		s->run->store, since_utc, BREAKER_LEAST, dead, MAX_DEAD_PERIODS, &n, err) == -1)
		return -1;
	for (size_t i = 0; i < n && !s->inbox->frozen; i++) {
		if (store_count_deliveries(s->run->store, dead[i].period, &nsent, err) == -1)
			return -1;
		if (bounces_are_too_many(dead[i].ndead, nsent) &&
		    freeze(s, &dead[i], nsent, err) == -1)
			return -1;
	}
	return 0;
}

/* The next readers of those that wait, after one, which it becomes: 1 = there may be more, 0 = none, -1. */
static int
score_batch(struct scoring *s, bool all, int64_t *reader, struct error *err)
{
	int found = 1;

	if (!all && *reader == 0 && check_breaker(s, err) == -1)
		return -1;
	for (int i = 0; i < SCORE_BATCH && found == 1 && !s->inbox->frozen; i++) {
		found = store_next_returned(s->run->store, true, *reader, reader, err);
		if (found == 1 && score_reader(s, *reader, err) == -1)
			return -1;
	}
	return s->inbox->frozen ? 0 : found;
}

int
effects_score(
    struct run *run, bool all, int64_t now_utc, struct run_inbox *inbox, struct error *err)
{
	struct scoring s = { .run = run, .now_utc = now_utc, .inbox = inbox };
	int64_t reader = 0;
	size_t nwaiting;
	int more = 1;

	if (store_count_waiting_returned(run->store, &nwaiting, err) == -1)
		return -1;
	arena_init(&s.arena, MAX_READER_BYTES);
	while (nwaiting > 0 && more == 1) {
		if (store_begin(run->store, err) == -1) {
			more = -1;
			break;
		}
		more = score_batch(&s, all, &reader, err);
		/* What is not on the disk yet after a power loss waits again. The last one takes the others along. */
		if (store_end(run->store, more == -1 ? -1 : 0, more != 1, err) == -1)
			more = -1;
	}
	arena_release(&s.arena);
	return more == -1 ? -1 : nwaiting > 0;
}

int
run_thaw(struct run *run, bool forget, size_t *n, struct run_inbox *inbox, struct error *err)
{
	const int64_t now_utc = clock_now_utc(&run->clock);
	struct strbuf now;
	int rc;

	memset(inbox, 0, sizeof(*inbox));
	strbuf_init(&now, 64);
	strbuf_add_number(&now, now_utc);
	rc = strbuf_check(&now, err);
	if (rc == 0)
		rc = store_count_waiting_returned(run->store, n, err);
	if (rc == 0 && (rc = store_begin(run->store, err)) == 0) {
		if (store_set_note(run->store, inbox_frozen_note, "", err) == -1 ||
		    store_set_note(run->store, inbox_thawed_note, now.buf, err) == -1 ||
		    (forget &&
			store_forget_returned(run->store,
			    "does not count: a person said that it says nothing of the reader", n,
			    err) == -1))
			rc = -1;
		rc = store_end(run->store, rc, true, err);
	}
	strbuf_release(&now);
	if (rc == 0 && !forget && effects_score(run, true, now_utc, inbox, err) == -1)
		rc = -1;
	return rc;
}
