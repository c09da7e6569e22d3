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
 * (catching up after downtime, or a monthly schedule). An edition is labelled with its first day only when one
 * was missed.
 */
static void
set_window(const struct store_reader *reader, const struct schedule *schedule, struct due *due)
{
	int64_t since = (int64_t)(due->day - WINDOW_DAYS) * DAY_SECONDS;

	due->since_day = due->day;
	if (reader->last_edition_utc > 0 && reader->last_edition_utc < since)
		since = reader->last_edition_utc;
	if (schedule->kind != SCHEDULE_ALWAYS && reader->last_period > 0 &&
	    reader->last_period < PERIOD_ALWAYS) {
		int32_t next = schedule_next_day(schedule, (int32_t)reader->last_period);

		if (next < due->day)
			due->since_day = (int32_t)reader->last_period + 1;
	}
	due->since_utc = since;
}

int
due_find(struct run *run, const struct store_reader *reader, int64_t now_utc, int64_t run_id,
    struct due *out, struct error *err)
{
	const char *zone = reader->sub.timezone[0] != '\0' ? reader->sub.timezone : run->zone;
	const struct tz *tz = zones_get(run->zones, zone, err);
	struct schedule schedule;
	int due = 1;

	if (tz == NULL || schedule_parse(reader->sub.when, &schedule, NULL, err) == -1)
		return -1;
	out->reader = reader->sub.id;
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
	set_window(reader, &schedule, out);
	return due;
}
