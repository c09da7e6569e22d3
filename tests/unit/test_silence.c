/* Why a source brings nothing: a table of made-up facts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "run/stages.h"

#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { DAY_S = 86400, HOUR_S = 3600, MAX_DAYS = 64 };

/* Monday 2026-11-16, and the days of its week. */
enum { MON = 20773, TUE, WED, THU, FRI, SAT, SUN };

/* Papers on the days of a source: the same on each weekday of some weeks before this one. */
struct history {
	size_t nweeks;
	size_t counts[7]; /* Monday first */
};

static const struct history daily = { 8, { 30, 30, 30, 30, 30, 0, 0 } };
static const struct history young = { 2, { 30, 30, 30, 30, 30, 0, 0 } };
static const struct history busy = { 8, { 30, 30, 30, 30, 30, 12, 12 } };
static const struct history little = { 8, { 4, 4, 4, 4, 4, 4, 4 } };
static const struct history never = { 0, { 0 } };

static size_t
make_days(const struct history *h, struct store_day *days)
{
	size_t n = 0;

	for (int32_t day = MON - 7 * (int32_t)h->nweeks; day < MON; day++) {
		size_t count = h->counts[(day - MON) % 7 == 0 ? 0 : 7 + (day - MON) % 7];

		if (count > 0)
			days[n++] = (struct store_day){ day, count, count };
	}
	return n;
}

static const struct {
	const char *label;
	int32_t today;
	int hour;
	const struct history *history;
	/* This week: counts of the days from Monday on, and how many of the last of them count. */
	size_t listed[7], ncounted;
	bool weekdays_only;
	int settle_h;
	enum source_fault fault;
	bool closed;
	int32_t made, newest_since; /* days, at 5 o'clock */
	size_t nlisted;
	enum silence want;
	int32_t day;
	int32_t half; /* the half-filled day */
	bool held;
} rows[] = {
	{ "lists today", FRI, 13, &daily, { 30, 30, 30, 30, 31 }, 31, true, 12,
	    .want = SILENCE_NONE, .day = FRI },
	{ "not settled yet", FRI, 9, &daily, { 30, 30, 30, 30, 31 }, 0, true, 12,
	    .want = SILENCE_SETTLING, .day = FRI },
	{ "few so far, but the day is young", FRI, 9, &daily, { 30, 30, 30, 30, 7 }, 0, true, 12,
	    .want = SILENCE_SETTLING, .day = FRI },
	{ "half filled when it would count", FRI, 12, &daily, { 30, 30, 30, 30, 7 }, 0, true, 12,
	    .want = SILENCE_HALF, .day = FRI, .half = FRI, .held = true },
	{ "the whole night", SAT, 11, &daily, { 30, 30, 30, 30, 7 }, 0, true, 12,
	    .want = SILENCE_HALF, .day = FRI, .half = FRI, .held = true },
	{ "until the cut-off", SAT, 12, &daily, { 30, 30, 30, 30, 7 }, 0, true, 12,
	    .want = SILENCE_HALF, .day = FRI, .half = FRI },
	{ "it counts as it is", SAT, 13, &daily, { 30, 30, 30, 30, 7 }, 7, true, 12,
	    .want = SILENCE_HALF, .day = FRI, .half = FRI },
	{ "half is enough", FRI, 13, &daily, { 30, 30, 30, 30, 15 }, 0, true, 12,
	    .want = SILENCE_NONE, .day = FRI },
	{ "what counts already is not held", FRI, 13, &daily, { 30, 30, 30, 30, 7 }, 3, true, 12,
	    .want = SILENCE_HALF, .day = FRI, .half = FRI },
	{ "half filled three days ago is no news", MON + 7, 9, &daily, { 30, 30, 30, 30, 7 }, 7,
	    true, 12, .want = SILENCE_NOTHING, .day = FRI },
	{ "a day behind the half-filled one", SAT, 9, &busy, { 30, 30, 30, 30, 7, 12 }, 12, false,
	    0, .want = SILENCE_NONE, .day = SAT, .half = FRI },
	{ "two weeks are not usual yet", FRI, 13, &young, { 30, 30, 30, 30, 7 }, 0, true, 12,
	    .want = SILENCE_NONE, .day = FRI },
	{ "small numbers halve by chance", FRI, 13, &little, { 4, 4, 4, 4, 1 }, 1, false, 0,
	    .want = SILENCE_NONE, .day = FRI },
	{ "weekend by the service's word", SAT, 9, &never, { 30, 30, 30, 30, 30 }, 30, true, 12,
	    .want = SILENCE_WEEKEND, .day = SAT },
	{ "weekend by what is usual", SUN, 9, &daily, { 30, 30, 30, 30, 30 }, 30, false, 0,
	    .want = SILENCE_WEEKEND, .day = SUN },
	{ "no weekend where Saturdays are known to be busy", SAT, 9, &busy, { 30, 30, 30, 30, 30 },
	    30, false, 0, .want = SILENCE_NOTHING, .day = FRI },
	{ "nor where nothing is known", SAT, 9, &young, { 30, 30, 30, 30, 30 }, 30, false, 0,
	    .want = SILENCE_NOTHING, .day = FRI },
	{ "papers on a Saturday are papers", SAT, 9, &daily, { 30, 30, 30, 30, 30, 3 }, 3, true, 0,
	    .want = SILENCE_NONE, .day = SAT },
	{ "an empty list made on a weekday", THU, 9, &daily, { 30, 30, 30 }, 30, true, 0,
	    .made = THU, .newest_since = WED, .want = SILENCE_HOLIDAY, .day = THU },
	{ "an empty list of the day before says nothing of today", FRI, 3, &daily, { 30, 30, 30 },
	    30, true, 0, .made = THU, .newest_since = WED, .want = SILENCE_NOTHING, .day = WED },
	{ "a new list of the same papers", THU, 9, &daily, { 30, 30, 30, 30 }, 30, true, 0,
	    .made = THU, .newest_since = WED, .nlisted = 30, .want = SILENCE_STALE, .day = THU },
	{ "the list of Friday on a Saturday", SAT, 9, &daily, { 30, 30, 30, 30, 30 }, 30, true, 0,
	    .made = FRI, .newest_since = FRI, .nlisted = 30, .want = SILENCE_WEEKEND, .day = SAT },
	{ "a feed made anew every hour", THU, 9, &busy, { 30, 30, 30 }, 30, false, 0, .made = THU,
	    .newest_since = THU, .nlisted = 50, .want = SILENCE_NOTHING, .day = WED },
	{ "... with the same papers for a weekday", FRI, 9, &busy, { 30, 30, 30 }, 30, false, 0,
	    .made = FRI, .newest_since = THU, .nlisted = 50, .want = SILENCE_STALE, .day = FRI },
	{ "... over a weekend, which is no weekday", MON + 6, 9, &daily, { 30, 30, 30, 30, 30 }, 30,
	    false, 0, .made = SUN, .newest_since = FRI, .nlisted = 50, .want = SILENCE_WEEKEND,
	    .day = SUN },
	{ "a feed of which nothing is known", FRI, 9, &young, { 30, 30, 30 }, 30, false, 0,
	    .made = FRI, .newest_since = WED, .nlisted = 50, .want = SILENCE_NOTHING, .day = WED },
	{ "a holiday by the configuration", THU, 9, &daily, { 30, 30, 30 }, 30, true, 0,
	    .closed = true, .want = SILENCE_CLOSED, .day = THU },
	{ "... which is none when papers come", THU, 9, &daily, { 30, 30, 30, 20 }, 20, true, 0,
	    .closed = true, .want = SILENCE_NONE, .day = THU },
	{ "down", SAT, 9, &daily, { 30, 30, 30, 30, 30 }, 30, true, 0, .fault = SOURCE_DOWN,
	    .want = SILENCE_DOWN, .day = FRI },
	{ "refused", FRI, 13, &daily, { 30, 30, 30, 30, 7 }, 0, true, 12, .fault = SOURCE_REFUSED,
	    .want = SILENCE_REFUSED, .day = FRI, .half = FRI, .held = true },
	{ "changed shape", FRI, 13, &daily, { 30, 30, 30, 30, 30 }, 30, true, 0,
	    .fault = SOURCE_SHAPE, .want = SILENCE_SHAPE, .day = FRI },
	{ "nothing at all yet", FRI, 9, &never, { 0 }, 0, false, 0, .want = SILENCE_NOTHING },
};

static void
test_reasons(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct store_day days[MAX_DAYS];
		struct source_silence got;
		struct store_source source = { .name = "s", .newest = "arxiv:1", .last_error = "" };
		struct source_facts facts = { .weekdays_only = rows[i].weekdays_only,
			.closed = rows[i].closed,
			.settle_s = rows[i].settle_h * HOUR_S,
			.state = &source,
			.days = days };

		facts.now_utc = (int64_t)rows[i].today * DAY_S + rows[i].hour * HOUR_S;
		facts.ndays = make_days(rows[i].history, days);
		for (int32_t k = 0; k < 7; k++)
			if (rows[i].listed[k] > 0)
				days[facts.ndays++] = (struct store_day){ MON + k,
					rows[i].listed[k], rows[i].listed[k] };
		if (facts.ndays > 0)
			days[facts.ndays - 1].ncounted = rows[i].ncounted;
		source.last_try_utc = facts.now_utc;
		source.fault = rows[i].fault;
		source.failing_since_utc =
		    rows[i].fault == SOURCE_FINE ? 0 : facts.now_utc - HOUR_S;
		source.nlisted = (uint32_t)rows[i].nlisted;
		if (rows[i].made != 0) {
			source.made_utc = (int64_t)rows[i].made * DAY_S + 5 * HOUR_S;
			source.newest_since_utc =
			    (int64_t)rows[i].newest_since * DAY_S + 5 * HOUR_S;
		}
		silence_judge(&facts, &got);
		if (got.why != rows[i].want || got.day != rows[i].day ||
		    got.half.day != rows[i].half || got.half.held != rows[i].held)
			fail_msg("row '%s': why %d, day %d, half %d%s", rows[i].label, (int)got.why,
			    got.day - MON, got.half.day == 0 ? -1 : got.half.day - MON,
			    got.half.held ? " held" : "");
	}
}

/* A source never asked says nothing else, and times are those of the facts. */
static void
test_moments(void **state)
{
	struct store_source source = { .name = "s", .newest = "", .last_error = "" };
	struct store_day days[MAX_DAYS];
	struct source_facts facts = { .state = &source, .days = days, .settle_s = 12 * HOUR_S };
	struct source_silence got;

	(void)state;
	facts.now_utc = (int64_t)FRI * DAY_S + 12 * HOUR_S;
	silence_judge(&facts, &got);
	assert_int_equal(got.why, SILENCE_UNREAD);
	source.last_try_utc = facts.now_utc;
	facts.ndays = make_days(&daily, days);
	days[facts.ndays++] = (struct store_day){ FRI, 7, 0 };
	silence_judge(&facts, &got);
	assert_int_equal(got.half.until_utc, (int64_t)SAT * DAY_S + 12 * HOUR_S);
	assert_int_equal(got.half.nlisted, 7);
	assert_int_equal(got.half.usual, 30);
	facts.now_utc -= HOUR_S;
	silence_judge(&facts, &got);
	assert_int_equal(got.why, SILENCE_SETTLING);
	assert_int_equal(got.until_utc, (int64_t)FRI * DAY_S + 12 * HOUR_S);
	source.failing_since_utc = 77;
	source.fault = SOURCE_DOWN;
	silence_judge(&facts, &got);
	assert_int_equal(got.since_utc, 77);
}

/* The median of the last eight; days left out are empty ones; before the first nothing is known. */
static void
test_usual(void **state)
{
	static const struct {
		size_t counts[10]; /* of the same weekday, the oldest first */
		size_t n;
		int64_t want;
	} cases[] = {
		{ { 9 }, 1, -1 },
		{ { 9, 9 }, 2, -1 },
		{ { 9, 1, 5 }, 3, 5 },
		{ { 9, 1, 5, 6 }, 4, 5 },
		{ { 9, 0, 0 }, 3, 0 },
		{ { 9, 0, 5 }, 3, 5 },
		{ { 90, 90, 1, 2, 3, 4, 5, 6, 7, 8 }, 10, 4 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct store_day days[MAX_DAYS];
		size_t n = 0;
		int64_t got;

		for (size_t k = 0; k < cases[i].n; k++)
			if (cases[i].counts[k] > 0)
				days[n++] = (struct store_day){ FRI - 7 * (int32_t)(cases[i].n - k),
					cases[i].counts[k], 0 };
		got = silence_usual(days, n, FRI);
		if (got != cases[i].want)
			fail_msg("row %zu: %lld", i, (long long)got);
	}
}

static void
test_readers(void **state)
{
	static const struct {
		struct reader_facts facts;
		enum reader_silence want;
		const char *text;
	} cases[] = {
		{ { FRI, SAT, 9, 0, 0 }, READER_PAUSED, NULL },
		{ { FRI, FRI, 9, 0, 0 }, READER_NO_MATCH, "none of 9 new papers matched" },
		{ { FRI, 0, 1, 5, 0 }, READER_NO_MATCH, "the one new paper did not match" },
		{ { FRI, 0, 0, 5, 0 }, READER_ALL_SENT,
		    "nothing new; all that matches was sent before" },
		/* What was cut by a limit was not sent. */
		{ { FRI, 0, 0, 5, 1 }, READER_NOTHING_NEW, "no new paper to choose from" },
		{ { FRI, 0, 0, 0, 0 }, READER_NOTHING_NEW, "no new paper to choose from" },
	};
	struct arena a;

	(void)state;
	arena_init(&a, 10000);
	for (size_t i = 0; i < COUNT(cases); i++) {
		enum reader_silence got = silence_of_reader(&cases[i].facts);

		if (got != cases[i].want)
			fail_msg("row %zu: %d", i, (int)got);
		if (cases[i].text != NULL)
			assert_string_equal(
			    silence_reader_text(silence_reader_name(got), cases[i].facts.nread, &a),
			    cases[i].text);
	}
	arena_release(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_readers),
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_moments),
		cmocka_unit_test(test_usual),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
