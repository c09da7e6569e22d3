#include "run/limit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_US INT64_C(1000000)
#define DAY_US	  (86400 * SECOND_US)

static const struct {
	const char *name;
	int64_t us;
} units[] = {
	{ "s", SECOND_US },
	{ "sec", SECOND_US },
	{ "min", 60 * SECOND_US },
	{ "h", 3600 * SECOND_US },
	{ "hour", 3600 * SECOND_US },
	{ "d", DAY_US },
	{ "day", DAY_US },
};

/*
 * The mails of a burst come on top of those that are evenly spaced. So that no such time has more than n in all, the
 * others stand a little further apart: with a burst of b, n - b + 1 gaps fill the time.
 */
static void
set_rate(struct limit *l, int64_t n, int64_t unit_us)
{
	int64_t burst = 1 + n * LIMIT_BURST_MS * 1000 / unit_us;

	l->gap_us = (unit_us + n - burst) / (n - burst + 1);
	l->slack_us = (burst - 1) * l->gap_us;
}

void
limit_init(struct limit *l, const char *rate, uint32_t daily)
{
	const char *slash = strchr(rate, '/');

	memset(l, 0, sizeof(*l));
	l->daily = daily;
	for (size_t i = 0; slash != NULL && i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(slash + 1, units[i].name) == 0)
			set_rate(l, strtoll(rate, NULL, 10), units[i].us);
}

bool
limit_is_set(const struct limit *l)
{
	return l->gap_us > 0 || l->daily > 0;
}

static uint32_t
count_of_day(const struct limit *l, int64_t now_us)
{
	/* A clock that was put back begins no new day. */
	return l->day >= now_us / DAY_US ? l->count : 0;
}

void
limit_restore(struct limit *l, const char *note, int64_t now_us)
{
	const int64_t ahead_us = l->gap_us + LIMIT_AHEAD_MS * INT64_C(1000);
	char *day_text, *count_text, *end;
	int64_t next_us = strtoll(note, &day_text, 10);
	int64_t day = strtoll(day_text, &count_text, 10);
	unsigned long count = strtoul(count_text, &end, 10);

	if (end == count_text || count > UINT32_MAX)
		return;
	l->next_us = next_us < now_us + ahead_us ? next_us : now_us + ahead_us;
	l->day = day <= now_us / DAY_US + 1 ? day : now_us / DAY_US;
	l->count = (uint32_t)count;
}

void
limit_format(const struct limit *l, int64_t now_us, size_t nreserved, char out[LIMIT_NOTE_SIZE])
{
	struct limit after = *l;

	for (size_t i = 0; i < nreserved; i++)
		limit_take(&after, now_us);
	snprintf(out, LIMIT_NOTE_SIZE, "%" PRId64 " %" PRId64 " %" PRIu32, after.next_us, after.day,
	    after.count);
}

bool
limit_allows(const struct limit *l, int64_t now_us, int64_t *again_us)
{
	*again_us = INT64_MAX;
	if (l->daily > 0 && count_of_day(l, now_us) >= l->daily)
		return false;
	*again_us = l->next_us - l->slack_us;
	return l->gap_us == 0 || *again_us <= now_us;
}

void
limit_take(struct limit *l, int64_t now_us)
{
	l->count = count_of_day(l, now_us) + 1;
	if (l->day < now_us / DAY_US)
		l->day = now_us / DAY_US;
	if (l->next_us < now_us)
		l->next_us = now_us;
	l->next_us += l->gap_us;
}

size_t
limit_room(const struct limit *l, int64_t now_us, size_t max)
{
	size_t room = max, left = limit_left(l, now_us);

	if (l->gap_us > 0 && (int64_t)room > LIMIT_AHEAD_MS * INT64_C(1000) / l->gap_us)
		room = (size_t)(LIMIT_AHEAD_MS * INT64_C(1000) / l->gap_us);
	if (room == 0)
		room = 1;
	return room < left ? room : left;
}

size_t
limit_left(const struct limit *l, int64_t now_us)
{
	uint32_t count = count_of_day(l, now_us);

	if (l->daily == 0)
		return SIZE_MAX;
	return count < l->daily ? l->daily - count : 0;
}
