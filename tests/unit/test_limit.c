/* Rates and limits of a day, with the time passed in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "run/limit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define SECOND INT64_C(1000000)
#define HOUR   (3600 * SECOND)
#define DAY    (24 * HOUR)

static const int64_t start = 20000 * DAY + 8 * HOUR; /* a morning */

/* Mails that leave as soon as they may, asked for each millisecond or when told; their times, at most max. */
static size_t
send_all(struct limit *l, int64_t from, int64_t to, int64_t *times, size_t max)
{
	size_t n = 0;
	int64_t now = from, again;

	while (now < to && n < max) {
		if (limit_allows(l, now, &again)) {
			limit_take(l, now);
			times[n++] = now;
			continue;
		}
		/* A loop wakes to the millisecond. */
		now = again == INT64_MAX ? to : (again + 999) / 1000 * 1000;
	}
	return n;
}

static const struct {
	const char *rate;
	int64_t unit;
	size_t most;  /* in any such time */
	int64_t span; /* tried for so long */
	size_t least; /* in all of it */
} rates[] = {
	{ "600/min", 60 * SECOND, 600, 120 * SECOND, 1190 },
	{ "1/s", SECOND, 1, 10 * SECOND, 10 },
	{ "2/sec", SECOND, 2, 10 * SECOND, 20 },
	{ "3/sec", SECOND, 3, 10 * SECOND, 29 },
	{ "1000/s", SECOND, 1000, 2 * SECOND, 1950 },
	{ "20000/s", SECOND, 20000, SECOND, 19500 },
	{ "100/h", HOUR, 100, 2 * HOUR, 199 },
	{ "100/hour", HOUR, 100, HOUR, 100 },
	{ "5/d", DAY, 5, 2 * DAY, 9 },
	{ "1/day", DAY, 1, 3 * DAY, 3 },
};

static void
test_rates(void **state)
{
	enum { MAX = 50000 };
	int64_t *times = calloc(MAX, sizeof(*times));

	(void)state;
	assert_non_null(times);
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct limit l;
		size_t n, most = 0, first = 0;

		limit_init(&l, rates[i].rate, 0);
		n = send_all(&l, start, start + rates[i].span, times, MAX);
		for (size_t k = 0; k < n; k++) {
			while (times[k] - times[first] >= rates[i].unit)
				first++;
			most = k - first + 1 > most ? k - first + 1 : most;
		}
		if (most > rates[i].most || n < rates[i].least)
			fail_msg("%s: %zu in all, %zu in one time", rates[i].rate, n, most);
	}
	free(times);
}

/* Not all at once and then nothing: the largest gap is no more than the even one and a millisecond. */
static void
test_even(void **state)
{
	int64_t times[600];
	struct limit l;
	size_t n;

	(void)state;
	limit_init(&l, "600/min", 0);
	n = send_all(&l, start, start + 60 * SECOND, times, 600);
	assert_int_equal(n, 600);
	for (size_t k = 1; k < n; k++)
		if (times[k] - times[k - 1] < 99000 || times[k] - times[k - 1] > 101000)
			fail_msg("mail %zu came %" PRId64 " us after the one before", k,
			    times[k] - times[k - 1]);
}

static void
test_none(void **state)
{
	struct limit l;
	int64_t again;

	(void)state;
	limit_init(&l, "", 0);
	assert_false(limit_is_set(&l));
	for (int i = 0; i < 1000; i++) {
		assert_true(limit_allows(&l, start, &again));
		limit_take(&l, start);
	}
	assert_int_equal(limit_room(&l, start, 64), 64);
}

/* After each part a new process goes on from the note of the one before, which may have been killed. */
static void
test_restarts(void **state)
{
	static const struct {
		const char *rate;
		uint32_t daily;
		int64_t later;	    /* when the next process begins */
		size_t reserved;    /* mails that were leased then */
		size_t sent;	    /* before, all that may */
		size_t least, most; /* that the next process sends in 2 s */
	} rows[] = {
		{ "2/sec", 0, 0, 0, 4, 2, 4 },
		{ "2/sec", 0, 10 * SECOND, 0, 4, 4, 4 },
		{ "2/sec", 0, 0, 4, 4, 0, 2 }, /* killed: the four count */
		{ "1/day", 0, HOUR, 0, 1, 0, 0 },
		{ "1/day", 0, DAY, 0, 1, 1, 1 },
		{ "", 10, 0, 0, 10, 0, 0 },
		{ "", 10, 15 * HOUR, 0, 10, 0, 0 },
		{ "", 10, 16 * HOUR, 0, 10, 10, 10 }, /* midnight */
		{ "", 10, 0, 0, 7, 3, 3 },
		{ "", 10, 0, 2, 7, 1, 1 },
		{ "", 10, -3 * DAY, 0, 7, 3, 3 }, /* the clock was put back */
		{ "1/day", 0, -30 * DAY, 0, 1, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct limit l, next;
		char note[LIMIT_NOTE_SIZE];
		int64_t times[100], now = start;
		size_t n;

		limit_init(&l, rows[i].rate, rows[i].daily);
		if (rows[i].sent > 0) {
			n = send_all(&l, start, start + 100 * SECOND, times, rows[i].sent);
			if (n != rows[i].sent)
				fail_msg("row %zu: %zu sent at first", i, n);
			now = times[n - 1];
		}
		limit_format(&l, now, rows[i].reserved, note);
		now += rows[i].later;
		limit_init(&next, rows[i].rate, rows[i].daily);
		limit_restore(&next, note, now);
		n = send_all(&next, now, now + 2 * SECOND, times, 100);
		if (n < rows[i].least || n > rows[i].most)
			fail_msg("row %zu: '%s', %zu sent after the restart", i, note, n);
	}
}

/* A note that is none, or from a clock that ran ahead, stops nobody for long. */
static void
test_odd_notes(void **state)
{
	static const char *const notes[] = { "", "x", "1 2", "99999999999999999 0 0",
		"9223372036854775807 9223372036854775807 4294967295", "-1 -1 0" };
	struct limit l;
	int64_t again;

	(void)state;
	for (size_t i = 0; i < sizeof(notes) / sizeof(notes[0]); i++) {
		limit_init(&l, "60/min", 0);
		limit_restore(&l, notes[i], start);
		if (!limit_allows(&l, start, &again) && again > start + 7 * SECOND)
			fail_msg("note '%s': waits until %" PRId64, notes[i], again);
	}
}

static void
test_room(void **state)
{
	static const struct {
		const char *rate;
		uint32_t daily, sent;
		size_t max, want;
	} rows[] = {
		{ "600/min", 0, 0, 1000, 50 },
		{ "600/min", 0, 0, 10, 10 },
		{ "1/day", 0, 0, 64, 1 },
		{ "1/day", 0, 1, 64, 1 },
		{ "", 10, 0, 64, 10 },
		{ "", 10, 9, 64, 1 },
		{ "", 10, 10, 64, 0 },
		{ "600/min", 10, 10, 64, 0 },
		{ "600/min", 100, 10, 64, 50 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct limit l;
		size_t got;

		limit_init(&l, rows[i].rate, rows[i].daily);
		for (uint32_t k = 0; k < rows[i].sent; k++)
			limit_take(&l, start);
		got = limit_room(&l, start, rows[i].max);
		if (got != rows[i].want)
			fail_msg("row %zu: %zu", i, got);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_even),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_restarts),
		cmocka_unit_test(test_odd_notes),
		cmocka_unit_test(test_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
