#include "stages.h"
#include "digest/limits.h"

#include <stdio.h>

enum {
	DAY_SECONDS = 86400,
	SLACK_DAYS =
	    2, /* so late after the beginning of its day a listing may begin to count, see settle.c */
};

void
period_format(int64_t period, char out[DATE_RFC3339_SIZE])
{
	if (period >= PERIOD_ALWAYS)
		snprintf(out, DATE_RFC3339_SIZE, "run-%lld", (long long)(period - PERIOD_ALWAYS));
	else
		date_format_day((int32_t)period, out);
}

static int32_t
local_day(const struct tz *tz, int64_t utc)
{
	struct civil wall;

	tz_local(tz, utc, &wall, NULL, NULL);
	return date_day(wall.year, wall.month, wall.day);
}

/* On the clock of a zone. */
static int64_t
start_of_day(const struct tz *tz, int32_t day)
{
	struct civil midnight;

	date_civil_of_day(day, &midnight);
	return tz_utc(tz, &midnight);
}

/* Of UTC, as listings have it. */
static int64_t
start_of(int32_t day)
{
	return (int64_t)day * DAY_SECONDS;
}

static int32_t
earlier(int32_t a, int32_t b)
{
	return a < b ? a : b;
}

/* A reader who never had an edition. */
static bool
is_new(const struct store_reader *reader)
{
	return reader->last_period == 0 && reader->last_edition_utc == 0;
}

/* An import told of the last edition elsewhere; none was made here. */
static bool
is_moved(const struct store_reader *reader)
{
	return reader->last_period == 0 && reader->last_edition_utc > 0;
}

/* The reader's last edition was one of a schedule of days. */
static bool
has_last_day(const struct store_reader *reader)
{
	return reader->last_period > 0 && reader->last_period < PERIOD_ALWAYS;
}

/*
 * The newest day that needs no edition any more, 0 = none: that of the last one; those before one of `always`; those of a
 * pause, which are left out.
 */
static int32_t
find_last(const struct store_reader *reader, const struct schedule *s, const struct tz *tz)
{
	int32_t last = 0;

	if (has_last_day(reader))
		last = (int32_t)reader->last_period;
	else if (reader->last_edition_utc > 0 && s->kind != SCHEDULE_ALWAYS)
		last = schedule_last_day(s, tz, reader->last_edition_utc);
	return last < reader->sub.paused_until ? reader->sub.paused_until - 1 : last;
}

bool
due_is_merged(const struct due *due, const struct edition *e)
{
	/* A section between the reader's own days would leave the papers of that edition behind. */
	return e->period != due->period && e->copies == 0 && e->state != EDITION_HELD && due->own;
}

/* Editions before this one that were planned and never left. One between the reader's own days moved no cursor: its sections
 * find their papers again by themselves. */
static bool
is_unsent(const struct due *due, const struct edition *e)
{
	if (e->cursor_from == e->cursor_to)
		return false;
	switch (e->state) {
	case EDITION_MERGED:
	case EDITION_EXPIRED:
		return true;
	case EDITION_LEASED:
	case EDITION_DEFERRED:
		return due_is_merged(due, e);
	default:
		return false;
	}
}

/* The first day that the newest edition covers, if that never left: its papers go with this one. 0 = it left. */
static int
find_unsent(struct run *run, const struct store_reader *reader, const struct schedule *s,
    const struct tz *tz, const struct due *due, int32_t *since_day, bool *expired,
    struct error *err)
{
	struct edition *last;
	struct arena a;
	int found;

	*since_day = 0;
	*expired = false;
	/* Nearly all left at their time, which is seen without a look at them. */
	if (!has_last_day(reader) || reader->last_period < reader->sub.paused_until ||
	    reader->last_edition_utc >= schedule_due_utc(s, tz, (int32_t)reader->last_period))
		return 0;
	arena_init(&a, MAX_READER_BYTES);
	found = store_load_edition(run->store, reader->last_period, reader->sub.id, &a, &last, err);
	if (found == 1 && is_unsent(due, last))
		*since_day = last->since_day;
	*expired = *since_day != 0 && last->state == EDITION_EXPIRED;
	arena_release(&a);
	return found == -1 ? -1 : 0;
}

/*
 * The first day that a missed edition may have been of. It is counted back from the newest paper when that is older: a clock
 * that ran ahead, or sources that brought nothing for long, make no paper old.
 */
static int
find_oldest(struct run *run, int32_t day, int32_t *out, struct error *err)
{
	int32_t newest;

	if (run->newest_day == 0) {
		if (store_load_last_day(run->store, &newest, err) == -1)
			return -1;
		run->newest_day = newest > 0 ? newest : day;
	}
	*out = earlier(day, run->newest_day) - MAX_MISSED_DAYS;
	return 0;
}

/*
 * How far back papers are new: a week before the nominal day, and not less than a period, so that a weekly or monthly edition
 * chooses from all of it. When editions were missed or never left, as far back as the first of them would have looked, and
 * not before `oldest`: a paper may come to us days after it was listed. Only then the edition is labelled with its first
 * day, and has room for the papers of all of them. A newcomer gets the best of the last week.
 */
static void
set_window(const struct store_reader *reader, const struct schedule *s, int32_t last,
    int32_t unsent, int32_t oldest, struct due *due)
{
	int32_t since = due->day - WINDOW_DAYS, previous;

	due->since_day = due->day;
	due->nperiods = 1;
	due->since_utc = start_of(since);
	if (reader->cursor_seq == -1)
		return;
	if (s->kind == SCHEDULE_ALWAYS) {
		previous = (int32_t)(reader->last_edition_utc / DAY_SECONDS);
		if (reader->last_edition_utc > 0)
			since = earlier(since, previous - SLACK_DAYS);
		due->since_utc = start_of(since > oldest ? since : oldest);
		return;
	}
	previous = schedule_previous_day(s, due->day);
	oldest = earlier(previous, oldest);
	if (last > 0 && schedule_next_day(s, last) < due->day)
		due->since_day = last + 1;
	if (unsent != 0)
		due->since_day = earlier(due->since_day, unsent);
	if (due->since_day < oldest)
		due->since_day = oldest;
	since = earlier(since, previous - SLACK_DAYS);
	if (due->since_day < due->day)
		since = earlier(since, due->since_day - WINDOW_DAYS);
	/* In place of one that expired it may be on no day of the schedule. */
	if (due->since_day < due->day && schedule_next_day(s, due->day - 1) != due->day)
		due->nperiods = 0;
	for (; previous >= due->since_day && due->nperiods < MAX_CATCH_UP_PAPERS;
	     previous = schedule_previous_day(s, previous))
		due->nperiods++;
	due->since_utc = start_of(since);
}

/* What was listed before the day of the last edition went with that, wherever it was made. */
static void
forget_earlier(const struct store_reader *reader, struct due *due)
{
	const int64_t since_utc = start_of((int32_t)(reader->last_edition_utc / DAY_SECONDS));

	due->moved = is_moved(reader);
	if (due->moved && due->since_utc < since_utc)
		due->since_utc = since_utc;
}

/* Since when the reader waits: since the first edition that was missed. */
static int64_t
find_wait(const struct store_reader *reader, const struct schedule *s, const struct tz *tz,
    int32_t last, const struct due *due)
{
	int32_t first;

	if (reader->last_edition_utc == 0)
		return reader->created_utc;
	/* Behind those who never had one. */
	if (s->kind == SCHEDULE_ALWAYS)
		return reader->last_edition_utc + 60;
	if (last <= 0)
		return due->due_utc;
	first = schedule_next_day(s, last);
	return first < due->day ? schedule_due_utc(s, tz, first) : due->due_utc;
}

/* The day of the edition that is due, or of the next: 1 = due now, 0 = not. */
static int
find_day(const struct store_reader *reader, const struct schedule *s, const struct tz *tz,
    int64_t now_utc, int32_t last, struct due *out)
{
	int32_t today = local_day(tz, now_utc), day = schedule_last_day(s, tz, now_utc);
	int32_t next = schedule_next_day(s, last > day ? last : day);
	int due = 1;

	/* A newcomer is welcomed at once, unless the first hour of the schedule comes yet today: that would be two mails in one
	 * day. */
	if (last >= day ||
	    (is_new(reader) && next == today &&
		schedule_due_utc(s, tz, day) < reader->created_utc)) {
		day = next;
		due = 0;
	}
	out->period = day;
	out->day = day;
	out->due_utc = schedule_due_utc(s, tz, day);
	if (due == 1 && is_new(reader)) {
		out->day = today;
		if (out->due_utc < reader->created_utc && reader->created_utc <= now_utc)
			out->due_utc = reader->created_utc;
	}
	return due;
}

/* By the reader's own schedule: 1 = due now, 0 = out is the next one. *last is as find_last() has it. */
static int
find_own(struct run *run, const struct store_reader *reader, const struct tz *tz, int64_t now_utc,
    int64_t run_id, struct due *out, int32_t *last, struct error *err)
{
	struct schedule schedule;
	int32_t unsent = 0, oldest, today = local_day(tz, now_utc);
	bool expired;
	int due = 1;

	if (schedule_parse(reader->sub.when, &schedule, NULL, err) == -1)
		return -1;
	out->own = true;
	*last = find_last(reader, &schedule, tz);
	if (schedule.kind == SCHEDULE_ALWAYS) {
		out->day = today;
		out->period = PERIOD_ALWAYS + run_id;
		out->due_utc = now_utc;
	} else {
		due = find_day(reader, &schedule, tz, now_utc, *last, out);
		if (find_unsent(run, reader, &schedule, tz, out, &unsent, &expired, err) == -1)
			return -1;
		/* Nobody waits a week or a month longer because a relay was down for two days. */
		if (due == 0 && expired && today > *last && today != out->day) {
			out->period = out->day = today;
			out->due_utc = start_of_day(tz, *last + 1);
			due = 1;
		}
	}
	out->waits_since_min = (int32_t)(find_wait(reader, &schedule, tz, *last, out) / 60);
	if (find_oldest(run, out->day, &oldest, err) == -1)
		return -1;
	set_window(reader, &schedule, *last, unsent, oldest, out);
	forget_earlier(reader, out);
	return due;
}

/* ---- filters with schedules of their own ---- */

/* What the store calls a filter, by its name (FNV-1a, 63 bits, not 0). */
static int64_t
slot_number(const char *name)
{
	uint64_t hash = 14695981039346656037u;

	for (; *name != '\0'; name++)
		hash = (hash ^ (unsigned char)*name) * 1099511628211u;
	return (int64_t)(hash >> 1 | 1);
}

/*
 * The turn of one filter at a time: 1 = due, and out is filled; 0 = not. *due_utc is when this turn, or the next, is due. Days
 * before paused_until are left out.
 */
static int
find_turn(struct run *run, const struct filter *f, const struct tz *tz,
    const struct store_slot *from, int32_t paused_until, int64_t at_utc, struct due_slot *out,
    int64_t *due_utc, struct error *err)
{
	struct schedule schedule;
	int32_t last = (int32_t)from->last_period, since, previous, oldest;

	if (schedule_parse(f->when, &schedule, NULL, err) == -1)
		return -1;
	out->from = *from;
	out->day = schedule_last_day(&schedule, tz, at_utc);
	if (last < paused_until)
		last = paused_until - 1;
	if (last >= out->day) {
		*due_utc = schedule_due_utc(&schedule, tz, schedule_next_day(&schedule, last));
		return 0;
	}
	*due_utc = schedule_due_utc(&schedule, tz, out->day);
	previous = schedule_previous_day(&schedule, out->day);
	since = last > 0 ? earlier(previous, last) : previous;
	since = earlier(since - SLACK_DAYS, out->day - WINDOW_DAYS);
	if (find_oldest(run, out->day, &oldest, err) == -1)
		return -1;
	oldest = earlier(previous - SLACK_DAYS, oldest);
	out->since_utc = start_of(since > oldest ? since : oldest);
	return 1;
}

static struct store_slot
find_slot(const struct store_slot *slots, size_t n, const char *name)
{
	struct store_slot slot = { .slot = slot_number(name), .cursor_seq = -1 };

	for (size_t i = 0; i < n; i++)
		if (slots[i].slot == slot.slot)
			return slots[i];
	return slot;
}

static bool
has_schedules(const struct subscriber *sub)
{
	for (size_t i = 0; i < sub->nfilters; i++)
		if (sub->filters[i].when[0] != '\0')
			return true;
	return false;
}

static const struct tz *
zone_of(struct run *run, const struct store_reader *reader, bool *stands_in, struct error *err)
{
	return zones_get_any(run, reader->sub.timezone, stands_in, err);
}

int
due_load_slots(struct run *run, const struct store_reader *reader, const struct due *due,
    int64_t now_utc, struct arena *a, struct due_slot **out, size_t *n, struct error *err)
{
	const struct subscriber *sub = &reader->sub;
	int64_t at_utc = due->due_utc > now_utc ? due->due_utc : now_utc, due_utc;
	const struct tz *tz;
	struct store_slot *slots;
	size_t nslots;
	bool stands_in;

	*out = NULL;
	*n = 0;
	if (!has_schedules(sub))
		return 0;
	if ((tz = zone_of(run, reader, &stands_in, err)) == NULL ||
	    store_load_slots(run->store, sub->id, a, &slots, &nslots, err) == -1)
		return -1;
	if ((*out = arena_array(a, sub->nfilters, sizeof(**out))) == NULL)
		return err_nomem(err, "filters");
	for (size_t i = 0; i < sub->nfilters; i++) {
		const struct filter *f = &sub->filters[i];
		struct store_slot from = find_slot(slots, nslots, f->name);
		int found;

		if (f->when[0] == '\0')
			continue;
		found = find_turn(
		    run, f, tz, &from, sub->paused_until, at_utc, &(*out)[*n], &due_utc, err);
		if (found == -1)
			return err_prefix(err, "filter \"%s\"", f->name);
		(*out)[*n].filter = i;
		*n += (size_t)found;
	}
	return 0;
}

int
due_find_turn(struct run *run, const struct store_reader *reader, size_t filter, int64_t now_utc,
    struct arena *a, int64_t *due_utc, int64_t *cursor_seq, struct error *err)
{
	const struct filter *f = &reader->sub.filters[filter];
	struct store_slot *slots, from;
	struct due_slot turn;
	bool stands_in;
	const struct tz *tz = zone_of(run, reader, &stands_in, err);
	size_t n;

	if (tz == NULL || store_load_slots(run->store, reader->sub.id, a, &slots, &n, err) == -1)
		return -1;
	from = find_slot(slots, n, f->name);
	*cursor_seq = from.cursor_seq;
	return find_turn(
		   run, f, tz, &from, reader->sub.paused_until, now_utc, &turn, due_utc, err) == -1
	    ? -1
	    : 0;
}

/*
 * An edition for a filter whose day the reader's own schedule does not have; on a day that has an edition it goes with
 * that one, or, when that is out, with the next. Takes the place of the reader's own in out where it comes earlier.
 */
static int
find_between(struct run *run, const struct store_reader *reader, const struct tz *tz,
    const struct store_slot *slots, size_t nslots, int64_t now_utc, int32_t last, struct due *out,
    struct error *err)
{
	const int32_t own_day = out->day;
	const int64_t floor_utc = last > 0 ? start_of_day(tz, last + 1) : 0;

	for (size_t i = 0; i < reader->sub.nfilters; i++) {
		const struct filter *f = &reader->sub.filters[i];
		struct store_slot from = find_slot(slots, nslots, f->name);
		struct due_slot turn;
		int64_t due_utc;
		int32_t day;

		if (f->when[0] == '\0')
			continue;
		if (find_turn(run, f, tz, &from, reader->sub.paused_until, now_utc, &turn, &due_utc,
			err) == -1)
			return err_prefix(err, "filter \"%s\"", f->name);
		due_utc = due_utc > floor_utc ? due_utc : floor_utc;
		day = local_day(tz, due_utc > now_utc ? due_utc : now_utc);
		if (day == own_day || due_utc >= out->due_utc)
			continue;
		out->own = false;
		out->period = out->day = out->since_day = day;
		out->nperiods = 1;
		out->due_utc = due_utc;
	}
	return 0;
}

/* A window as long as the longest of the sections. */
static int
widen(struct run *run, const struct store_reader *reader, int64_t now_utc, struct arena *a,
    struct due *out, struct error *err)
{
	struct due_slot *turns;
	size_t n;

	if (due_load_slots(run, reader, out, now_utc, a, &turns, &n, err) == -1)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (turns[i].since_utc < out->window_utc)
			out->window_utc = turns[i].since_utc;
	return 0;
}

int
due_find(struct run *run, const struct store_reader *reader, int64_t now_utc, int64_t run_id,
    struct due *out, struct error *err)
{
	const struct tz *tz = zone_of(run, reader, &out->stands_in, err);
	struct store_slot *slots;
	struct arena a;
	int32_t last;
	size_t n;
	int due, rc = -1;

	out->reader = reader->sub.id;
	if (tz == NULL || (due = find_own(run, reader, tz, now_utc, run_id, out, &last, err)) == -1)
		return -1;
	out->window_utc = out->since_utc;
	out->paused = local_day(tz, now_utc) < reader->sub.paused_until;
	if (out->paused) {
		out->due_utc = start_of_day(tz, reader->sub.paused_until);
		return 0;
	}
	if (!has_schedules(&reader->sub))
		return due;
	arena_init(&a, MAX_READER_BYTES);
	if (store_load_slots(run->store, reader->sub.id, &a, &slots, &n, err) == 0 &&
	    (due == 1 || find_between(run, reader, tz, slots, n, now_utc, last, out, err) == 0) &&
	    widen(run, reader, now_utc, &a, out, err) == 0)
		rc = out->due_utc <= now_utc;
	arena_release(&a);
	return rc;
}

int32_t
due_local_day(struct run *run, const struct store_reader *reader, int64_t now_utc)
{
	bool stands_in;
	const struct tz *tz = zone_of(run, reader, &stands_in, NULL);

	return tz != NULL ? local_day(tz, now_utc) : (int32_t)(now_utc / DAY_SECONDS);
}

bool
due_is_paused(struct run *run, const struct store_reader *reader, int64_t now_utc)
{
	return due_local_day(run, reader, now_utc) < reader->sub.paused_until;
}

int64_t
due_last_hour(struct run *run, const struct store_reader *reader, int64_t now_utc)
{
	struct schedule s;
	bool stands_in;
	const struct tz *tz = zone_of(run, reader, &stands_in, NULL);
	int64_t due_utc;
	int32_t day;

	if (tz == NULL || schedule_parse(reader->sub.when, &s, NULL, NULL) == -1 ||
	    s.kind == SCHEDULE_ALWAYS || (s.hour == 0 && s.minute == 0))
		return 0;
	day = schedule_last_day(&s, tz, now_utc);
	due_utc = schedule_due_utc(&s, tz, day);
	return day < reader->sub.paused_until || due_utc < reader->created_utc ? 0 : due_utc;
}
