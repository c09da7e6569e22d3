#include "stages.h"
#include "digest/limits.h"

#include <stdio.h>

enum { DAY_SECONDS = 86400 };

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

/*
 * How far back papers are new: a week before the nominal day, or since the last edition when that is longer ago
 * (catching up after downtime, or a monthly schedule). When an edition was missed, as far back as that one would have
 * looked: a paper may come to us days after it was listed. An edition is labelled with its first day only then.
 */
static void
set_window(const struct store_reader *reader, const struct schedule *schedule, struct due *due)
{
	int64_t since = (int64_t)(due->day - WINDOW_DAYS) * DAY_SECONDS, missed;

	due->since_day = due->day;
	if (reader->last_edition_utc > 0 && reader->last_edition_utc < since)
		since = reader->last_edition_utc;
	if (schedule->kind != SCHEDULE_ALWAYS && reader->last_period > 0 &&
	    reader->last_period < PERIOD_ALWAYS) {
		int32_t next = schedule_next_day(schedule, (int32_t)reader->last_period);

		if (next < due->day) {
			due->since_day = (int32_t)reader->last_period + 1;
			missed = (int64_t)(due->since_day - WINDOW_DAYS) * DAY_SECONDS;
			since = missed < since ? missed : since;
		}
	}
	due->since_utc = since;
}

/* Since when the reader waits: since the first edition that was missed. */
static int64_t
find_wait(const struct store_reader *reader, const struct schedule *schedule, const struct tz *tz,
    const struct due *due)
{
	int32_t first;

	if (reader->last_edition_utc == 0)
		return reader->created_utc;
	/* Behind those who never had one. */
	if (schedule->kind == SCHEDULE_ALWAYS)
		return reader->last_edition_utc + 60;
	if (reader->last_period <= 0 || reader->last_period >= PERIOD_ALWAYS)
		return due->due_utc;
	first = schedule_next_day(schedule, (int32_t)reader->last_period);
	return first < due->day ? schedule_due_utc(schedule, tz, first) : due->due_utc;
}

/* By the reader's own schedule: 1 = due now, 0 = out is the next one. */
static int
find_own(const struct store_reader *reader, const struct tz *tz, int64_t now_utc, int64_t run_id,
    struct due *out, struct error *err)
{
	struct schedule schedule;
	int due = 1;

	if (schedule_parse(reader->sub.when, &schedule, NULL, err) == -1)
		return -1;
	if (schedule.kind == SCHEDULE_ALWAYS) {
		out->day = local_day(tz, now_utc);
		out->period = PERIOD_ALWAYS + run_id;
		out->due_utc = now_utc;
	} else {
		out->day = schedule_last_day(&schedule, tz, now_utc);
		if (reader->last_period >= out->day && reader->last_period < PERIOD_ALWAYS) {
			out->day = schedule_next_day(&schedule, (int32_t)reader->last_period);
			due = 0;
		}
		out->period = out->day;
		out->due_utc = schedule_due_utc(&schedule, tz, out->day);
	}
	out->own = true;
	out->waits_since_min = (int32_t)(find_wait(reader, &schedule, tz, out) / 60);
	set_window(reader, &schedule, out);
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

/* The turn of one filter at a time: 1 = due, and out is filled; 0 = not. *due_utc is when this turn, or the next, is due. */
static int
find_turn(const struct filter *f, const struct tz *tz, const struct store_slot *from,
    int64_t at_utc, struct due_slot *out, int64_t *due_utc, struct error *err)
{
	struct schedule schedule;
	int64_t since;

	if (schedule_parse(f->when, &schedule, NULL, err) == -1)
		return -1;
	out->from = *from;
	out->day = schedule_last_day(&schedule, tz, at_utc);
	if (from->last_period >= out->day) {
		int32_t next = schedule_next_day(&schedule, (int32_t)from->last_period);

		*due_utc = schedule_due_utc(&schedule, tz, next);
		return 0;
	}
	*due_utc = schedule_due_utc(&schedule, tz, out->day);
	since = schedule_previous_day(&schedule, out->day);
	if (from->last_period > 0 && from->last_period < since)
		since = from->last_period;
	if (since > out->day - WINDOW_DAYS)
		since = out->day - WINDOW_DAYS;
	out->since_utc = since * DAY_SECONDS;
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
zone_of(struct run *run, const struct store_reader *reader, struct error *err)
{
	return zones_get(
	    run->zones, reader->sub.timezone[0] != '\0' ? reader->sub.timezone : run->zone, err);
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

	*out = NULL;
	*n = 0;
	if (!has_schedules(sub))
		return 0;
	if ((tz = zone_of(run, reader, err)) == NULL ||
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
		if ((found = find_turn(f, tz, &from, at_utc, &(*out)[*n], &due_utc, err)) == -1)
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
	const struct tz *tz = zone_of(run, reader, err);
	struct store_slot *slots, from;
	struct due_slot turn;
	size_t n;

	if (tz == NULL || store_load_slots(run->store, reader->sub.id, a, &slots, &n, err) == -1)
		return -1;
	from = find_slot(slots, n, f->name);
	*cursor_seq = from.cursor_seq;
	return find_turn(f, tz, &from, now_utc, &turn, due_utc, err) == -1 ? -1 : 0;
}

/*
 * An edition for a filter whose day the reader's own schedule does not have; on a day that has an edition it goes with
 * that one, or, when that is out, with the next. Takes the place of the reader's own in out where it comes earlier.
 */
static int
find_between(const struct store_reader *reader, const struct tz *tz, const struct store_slot *slots,
    size_t nslots, int64_t now_utc, struct due *out, struct error *err)
{
	const int32_t own_day = out->day;
	int64_t floor_utc = 0;
	struct civil midnight;

	if (reader->last_period > 0 && reader->last_period < PERIOD_ALWAYS) {
		date_civil_of_day((int32_t)reader->last_period + 1, &midnight);
		floor_utc = tz_utc(tz, &midnight);
	}
	for (size_t i = 0; i < reader->sub.nfilters; i++) {
		const struct filter *f = &reader->sub.filters[i];
		struct store_slot from = find_slot(slots, nslots, f->name);
		struct due_slot turn;
		int64_t due_utc;
		int32_t day;

		if (f->when[0] == '\0')
			continue;
		if (find_turn(f, tz, &from, now_utc, &turn, &due_utc, err) == -1)
			return err_prefix(err, "filter \"%s\"", f->name);
		due_utc = due_utc > floor_utc ? due_utc : floor_utc;
		day = local_day(tz, due_utc > now_utc ? due_utc : now_utc);
		if (day == own_day || due_utc >= out->due_utc)
			continue;
		out->own = false;
		out->period = out->day = out->since_day = day;
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
	const struct tz *tz = zone_of(run, reader, err);
	struct store_slot *slots;
	struct arena a;
	size_t n;
	int due, rc = -1;

	out->reader = reader->sub.id;
	if (tz == NULL || (due = find_own(reader, tz, now_utc, run_id, out, err)) == -1)
		return -1;
	out->window_utc = out->since_utc;
	if (!has_schedules(&reader->sub))
		return due;
	arena_init(&a, MAX_READER_BYTES);
	if (store_load_slots(run->store, reader->sub.id, &a, &slots, &n, err) == 0 &&
	    (due == 1 || find_between(reader, tz, slots, n, now_utc, out, err) == 0) &&
	    widen(run, reader, now_utc, &a, out, err) == 0)
		rc = out->due_utc <= now_utc;
	arena_release(&a);
	return rc;
}
