#include "arxiv.h"

#include "digest/date.h"

enum { HOUR = 3600, DAY = 86400, DEADLINE_HOUR = 14 };

/* The n-th Sunday of a month. */
static int32_t
nth_sunday(int year, int month, int n)
{
	int32_t first = date_day(year, month, 1);

	return first + (7 - date_weekday(first)) % 7 + 7 * (n - 1);
}

/* How far US Eastern time is behind UTC: summer time runs from 2:00 on the second Sunday of March to the first of November. */
static int64_t
behind_utc(int64_t utc)
{
	struct civil c;
	int64_t begins, ends;

	date_civil(utc, &c);
	begins = (int64_t)nth_sunday(c.year, 3, 2) * DAY + 7 * HOUR;
	ends = (int64_t)nth_sunday(c.year, 11, 1) * DAY + 6 * HOUR;
	return utc >= begins && utc < ends ? 4 * HOUR : 5 * HOUR;
}

static bool
is_weekday(int32_t day)
{
	int weekday = date_weekday(day);

	return weekday != 0 && weekday != 6;
}

/* The day in Eastern time, and the second in it. */
static int32_t
eastern_day(int64_t utc, int64_t *second)
{
	int64_t local = utc - behind_utc(utc), day = local / DAY - (local % DAY < 0);

	*second = local - day * DAY;
	return (int32_t)day;
}

int32_t
arxiv_day_at(int64_t utc)
{
	int64_t second;
	int32_t day = eastern_day(utc, &second);

	return is_weekday(day) ? day : arxiv_day_before(day);
}

int32_t
arxiv_day_before(int32_t day)
{
	do
		day--;
	while (!is_weekday(day));
	return day;
}

int32_t
arxiv_day_after(int32_t day)
{
	do
		day++;
	while (!is_weekday(day));
	return day;
}

/* The deadline of a weekday. Summer time never changes between midnight and it, weekdays have no change at all. */
static int64_t
deadline(int32_t day)
{
	int64_t noon = (int64_t)day * DAY + 12 * HOUR;

	return (int64_t)day * DAY + DEADLINE_HOUR * HOUR + behind_utc(noon);
}

void
arxiv_submissions(int32_t day, int64_t *from, int64_t *to)
{
	int32_t before = arxiv_day_before(day);

	*from = deadline(arxiv_day_before(before));
	*to = deadline(before);
}

int32_t
arxiv_day_of_submission(int64_t utc)
{
	int64_t second;
	int32_t day = eastern_day(utc, &second);

	if (!is_weekday(day) || second >= DEADLINE_HOUR * HOUR)
		day = arxiv_day_after(day);
	return arxiv_day_after(day);
}
