#include "run/bounces.h"

#include <stdlib.h>
#include <string.h>

enum { DAY_SECONDS = 86400, MAX_EVENTS = 1024 };

/* A bounce, or the moment at which it is known that a mail has arrived. */
struct event {
	int64_t at_utc;
	const struct store_returned *bounce; /* NULL = a success */
	int64_t sent_utc;		     /* of a success */
};

/* The score on its way through the events. */
struct tally {
	struct bounce_score *score;
	int64_t last_utc;		      /* of the last bounce; 0 = none since points ended */
	int64_t dead_utc, dead_day, full_day; /* when one counted last */
	double unknown;
	int64_t
	    paused_until; /* day until which the last pause went that no success followed; 0 = none */
	int64_t full_days[BOUNCE_FULL_WITHIN];
	size_t nfull_days;
};

static const char *const class_names[] = {
	[BOUNCE_DEAD] = "dead",
	[BOUNCE_TEMPORARY] = "temporary",
	[BOUNCE_POLICY] = "policy",
	[BOUNCE_OURS] = "ours",
	[BOUNCE_UNKNOWN] = "unknown",
};

const char *bounces_class_name(enum bounce_class class)
{
	size_t n = sizeof(class_names) / sizeof(class_names[0]);

	return class > 0 && class < n ? class_names[class] : "";
}

enum bounce_class
bounces_class_of(uint32_t class)
{
	static const enum bounce_class classes[NSMTP_CLASSES] = {
		[SMTP_CLASS_NONE] = BOUNCE_UNKNOWN,
		[SMTP_CLASS_DEAD] = BOUNCE_DEAD,
		[SMTP_CLASS_TEMPORARY] = BOUNCE_TEMPORARY,
		[SMTP_CLASS_POLICY] = BOUNCE_POLICY,
		[SMTP_CLASS_OURS] = BOUNCE_OURS,
		[SMTP_CLASS_UNKNOWN] = BOUNCE_UNKNOWN,
	};

	return class < NSMTP_CLASSES ? classes[class] : BOUNCE_UNKNOWN;
}

bool
bounces_is_one(const struct store_returned *r)
{
	return r->kind == RETURNED_BOUNCE || r->kind == RETURNED_REFUSAL;
}

bool
bounces_are_too_many(size_t ndead, size_t nsent)
{
	return ndead >= BREAKER_LEAST && ndead * 100 > nsent * BREAKER_PERCENT;
}

/* ---- events in the order of time ---- */

static bool
counts(const struct store_returned *r)
{
	return bounces_is_one(r) && r->counted == COUNT_DONE;
}

static bool
is_returned(const struct store_returned *bounces, size_t n, int64_t period)
{
	for (size_t i = 0; i < n; i++)
		if (bounces_is_one(&bounces[i]) && bounces[i].period == period)
			return true;
	return false;
}

static int
compare_events(const void *a, const void *b)
{
	const struct event *x = a, *y = b;

	if (x->at_utc != y->at_utc)
		return x->at_utc < y->at_utc ? -1 : 1;
	/* At the same moment a success first: it halves what was there before. */
	return (x->bounce != NULL) - (y->bounce != NULL);
}

static size_t
collect_events(const struct store_returned *bounces, size_t nbounces,
    const struct store_delivery *deliveries, size_t ndeliveries, int64_t now_utc,
    struct event events[MAX_EVENTS])
{
	size_t n = 0;

	for (size_t i = 0; i < nbounces && n < MAX_EVENTS; i++)
		if (counts(&bounces[i]))
			events[n++] = (struct event){ bounces[i].at_utc, &bounces[i], 0 };
	for (size_t i = 0; i < ndeliveries && n > 0 && n < MAX_EVENTS; i++) {
		const struct store_delivery *d = &deliveries[i];
		int64_t sent_utc = d->tried_utc != 0 ? d->tried_utc : d->composed_utc;
		int64_t known_utc = sent_utc + BOUNCE_SUCCESS_DAYS * DAY_SECONDS;

		if (d->is_out && known_utc <= now_utc && !is_returned(bounces, nbounces, d->period))
			events[n++] = (struct event){ known_utc, NULL, sent_utc };
	}
	qsort(events, n, sizeof(*events), compare_events);
	return n;
}

/* ---- points ---- */

/* Points that no bounce followed for long are gone by then. */
static void
expire(struct tally *t, int64_t at_utc)
{
	if (t->last_utc == 0 || at_utc - t->last_utc < BOUNCE_EXPIRY_DAYS * DAY_SECONDS)
		return;
	t->score->points = t->unknown = 0;
	t->score->has_dead = false;
	t->last_utc = 0;
}

static void
add_success(struct tally *t, const struct event *e)
{
	t->score->points /= 2;
	t->score->verdict = BOUNCE_GO_ON;
	if (t->paused_until != 0 && e->sent_utc / DAY_SECONDS >= t->paused_until)
		t->paused_until = 0;
}

/* The days of the last two weeks on which it was full; ascending. */
static void
note_full_day(struct tally *t, int64_t day)
{
	size_t first = 0;

	while (first < t->nfull_days && t->full_days[first] <= day - BOUNCE_FULL_WITHIN)
		first++;
	memmove(
	    t->full_days, t->full_days + first, (t->nfull_days - first) * sizeof(*t->full_days));
	t->nfull_days -= first;
	t->full_days[t->nfull_days++] = day;
}

/* Mails of before a pause come back during it, and were what it was for. */
static void
judge_full(struct tally *t, int64_t day)
{
	if (t->paused_until != 0 && day >= t->paused_until) {
		t->score->verdict = BOUNCE_PAUSE;
		t->score->pause_days = BOUNCE_LATER_PAUSE;
	} else if (t->paused_until == 0 && t->nfull_days >= BOUNCE_FULL_DAYS) {
		t->score->verdict = BOUNCE_PAUSE;
		t->score->pause_days = BOUNCE_FIRST_PAUSE;
	}
}

static void
add_full(struct tally *t, int64_t day)
{
	if (t->full_day == day)
		return;
	t->full_day = day;
	t->score->points += 0.25;
	note_full_day(t, day);
	judge_full(t, day);
}

static void
add_bounce(struct tally *t, const struct store_returned *r)
{
	int64_t day = r->at_utc / DAY_SECONDS;

	t->score->verdict = BOUNCE_GO_ON; /* only the newest decides */
	if (r->class == BOUNCE_POLICY || r->class == BOUNCE_OURS)
		return;
	t->last_utc = r->at_utc;
	if (r->class == BOUNCE_DEAD && t->dead_day != day &&
	    r->at_utc - t->dead_utc >= BOUNCE_APART_S) {
		t->dead_utc = r->at_utc;
		t->dead_day = day;
		t->score->points += 1;
		t->score->has_dead = true;
	} else if (r->class == BOUNCE_TEMPORARY) {
		add_full(t, day);
	} else if (r->class == BOUNCE_UNKNOWN && t->unknown == 0) {
		t->unknown = 0.25;
		t->score->points += t->unknown;
	}
	if (r->paused_until != 0) {
		t->paused_until = r->paused_until;
		t->nfull_days = 0;
		t->score->verdict = BOUNCE_GO_ON; /* that was done */
	}
}

void
bounces_score(const struct store_returned *bounces, size_t nbounces,
    const struct store_delivery *deliveries, size_t ndeliveries, int64_t now_utc,
    struct bounce_score *out)
{
	struct event events[MAX_EVENTS];
	struct tally t = { .score = out, .dead_day = -1, .full_day = -1 };
	size_t n = collect_events(bounces, nbounces, deliveries, ndeliveries, now_utc, events);

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < n; i++) {
		expire(&t, events[i].at_utc);
		if (events[i].bounce != NULL)
			add_bounce(&t, events[i].bounce);
		else
			add_success(&t, &events[i]);
	}
	expire(&t, now_utc);
	while (out->nfull < t.nfull_days &&
	    t.full_days[t.nfull_days - 1 - out->nfull] > now_utc / DAY_SECONDS - BOUNCE_FULL_WITHIN)
		out->nfull++;
	if (t.last_utc != 0 && out->points > 0)
		out->expires_utc = t.last_utc + BOUNCE_EXPIRY_DAYS * DAY_SECONDS;
	if (out->points >= BOUNCE_LIMIT && out->has_dead)
		out->verdict = BOUNCE_SUPPRESS;
}
