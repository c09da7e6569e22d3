/* How far back an edition looks, and when it is labelled as one that catches up; zones that are gone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "run/stages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { DAY_S = 86400 };

static int
setup(void **state)
{
	static const char path[] = "/nowhere/digest.db";
	struct run *run = calloc(1, sizeof(*run));
	struct log *log = calloc(1, sizeof(*log));
	struct error err;

	if (run == NULL || log == NULL)
		return -1;
	log_init(log, "test", -1, LOG_LEVEL_ERROR);
	run->log = log;
	if (zones_new(&run->zones, &err) == -1 ||
	    store_open(path, STORE_OVERLAY, NULL, &run->store, &err) == -1)
		return -1;
	snprintf(run->zone, sizeof(run->zone), "Europe/London");
	*state = run;
	return 0;
}

static int
teardown(void **state)
{
	struct run *run = *state;

	store_close(run->store);
	zones_free(run->zones);
	free(run->log);
	free(run);
	return 0;
}

static int32_t
day_of(const char *text)
{
	int32_t day = 0;

	if (text[0] != '\0' && date_parse_day(text, &day, NULL) == -1)
		fail_msg("%s", text);
	return day;
}

static int64_t
moment(const char *text)
{
	int64_t utc = 0;

	if (text[0] != '\0' && date_parse(text, &utc, NULL) == -1)
		fail_msg("%s", text);
	return utc;
}

static const struct {
	const char *label, *when;
	const char *last_day, *last_utc, *paused_until; /* of the reader; "" = none */
	bool newcomer;
	const char *now, *newest; /* newest: of the papers, "" = of today */
	int due;
	const char *day, *since_day; /* of the edition; since_day "" = the same */
	const char *since;	     /* papers listed from then on */
	uint32_t nperiods;
} rows[] = {
	{ "daily", "daily 07:30", "2026-11-19", "2026-11-19T07:30:00Z", "", false,
	    "2026-11-20T08:00:00Z", "", 1, "2026-11-20", "", "2026-11-13", 1 },
	{ "not yet", "daily 07:30", "2026-11-20", "2026-11-20T07:30:00Z", "", false,
	    "2026-11-20T08:00:00Z", "", 0, "2026-11-21", "", "2026-11-14", 1 },
	{ "three days missed", "daily 07:30", "2026-11-16", "2026-11-16T07:30:00Z", "", false,
	    "2026-11-20T08:00:00Z", "", 1, "2026-11-20", "2026-11-17", "2026-11-10", 4 },
	{ "a weekend is no miss", "weekdays 07:30", "2026-11-20", "2026-11-20T07:30:00Z", "", false,
	    "2026-11-23T08:00:00Z", "", 1, "2026-11-23", "", "2026-11-16", 1 },
	{ "weekly: all of it", "mon 08:00", "2026-11-16", "2026-11-16T08:00:00Z", "", false,
	    "2026-11-23T08:00:00Z", "", 1, "2026-11-23", "", "2026-11-14", 1 },
	{ "monthly: all of it", "monthly 1 08:00", "2026-10-01", "2026-10-01T08:00:00Z", "", false,
	    "2026-11-01T08:00:00Z", "", 1, "2026-11-01", "", "2026-09-29", 1 },
	{ "a month missed", "monthly 1 08:00", "2026-09-01", "2026-09-01T08:00:00Z", "", false,
	    "2026-11-01T08:00:00Z", "", 1, "2026-11-01", "2026-10-01", "2026-09-24", 2 },
	{ "forty days", "daily 07:30", "2026-10-11", "2026-10-11T07:30:00Z", "", false,
	    "2026-11-20T08:00:00Z", "", 1, "2026-11-20", "2026-10-20", "2026-10-13", 32 },
	{ "the clock ran ahead, the papers did not", "daily 07:30", "2026-11-19",
	    "2026-11-19T07:30:00Z", "", false, "2027-11-20T08:00:00Z", "2026-11-20", 1,
	    "2027-11-20", "2026-11-20", "2026-11-13", 100 },
	{ "a pause is no miss", "daily 07:30", "2026-10-11", "2026-10-11T07:30:00Z", "2026-11-20",
	    false, "2026-11-20T08:00:00Z", "", 1, "2026-11-20", "", "2026-11-13", 1 },
	{ "in the pause", "daily 07:30", "2026-10-11", "2026-10-11T07:30:00Z", "2026-11-21", false,
	    "2026-11-20T23:59:59Z", "", 0, "2026-11-21", "", "2026-11-14", 1 },
	{ "days missed behind a pause", "daily 07:30", "2026-10-11", "2026-10-11T07:30:00Z",
	    "2026-11-17", false, "2026-11-20T08:00:00Z", "", 1, "2026-11-20", "2026-11-17",
	    "2026-11-10", 4 },
	{ "each run", "always", "", "2026-11-19T07:30:00Z", "", false, "2026-11-20T08:00:00Z", "",
	    1, "2026-11-20", "", "2026-11-13", 1 },
	{ "each run, after days without one", "always", "", "2026-11-01T07:30:00Z", "", false,
	    "2026-11-20T08:00:00Z", "", 1, "2026-11-20", "", "2026-10-30", 1 },
	{ "each run, after months", "always", "", "2026-06-01T07:30:00Z", "", false,
	    "2026-11-20T08:00:00Z", "", 1, "2026-11-20", "", "2026-10-20", 1 },
	{ "from each run to days", "daily 07:30", "", "2026-11-20T07:45:00Z", "", false,
	    "2026-11-20T08:00:00Z", "", 0, "2026-11-21", "", "2026-11-14", 1 },
	/* The first period is none: that of the last edition is of another store. */
	{ "moved in", "daily 07:30", "1970-01-01", "2026-11-19T07:30:00Z", "", false,
	    "2026-11-20T08:00:00Z", "", 1, "2026-11-20", "", "2026-11-19", 1 },
	{ "moved in after days", "daily 07:30", "1970-01-01", "2026-11-16T07:30:00Z", "", false,
	    "2026-11-20T08:00:00Z", "", 1, "2026-11-20", "2026-11-17", "2026-11-16", 4 },
	{ "moved in, each run", "always", "1970-01-01", "2026-11-19T07:30:00Z", "", false,
	    "2026-11-20T08:00:00Z", "", 1, "2026-11-20", "", "2026-11-19", 1 },
	{ "moved in, not due yet", "mon 07:30", "1970-01-01", "2026-11-16T07:30:00Z", "", false,
	    "2026-11-20T08:00:00Z", "", 0, "2026-11-23", "", "2026-11-16", 1 },
	{ "a welcome is of today, and of a week", "monthly 1", "", "", "", true,
	    "2026-11-20T08:00:00Z", "", 1, "2026-11-20", "", "2026-11-13", 1 },
	{ "found nothing yet", "daily 07:30", "2026-11-10", "2026-11-10T07:30:00Z", "", true,
	    "2026-11-20T08:00:00Z", "", 1, "2026-11-20", "", "2026-11-13", 1 },
};

static void
test_windows(void **state)
{
	struct run *run = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *since_day =
		    rows[i].since_day[0] != '\0' ? rows[i].since_day : rows[i].day;
		struct store_reader reader = {
			.sub = { .address = "ada@example.org",
			    .timezone = "UTC",
			    .when = rows[i].when,
			    .paused_until = day_of(rows[i].paused_until) },
			.created_utc = moment("2026-06-01T00:00:00Z"),
			.cursor_seq = rows[i].newcomer ? -1 : 5,
			.last_period = rows[i].last_day[0] != '\0' ? day_of(rows[i].last_day)
			    : rows[i].newcomer			   ? 0
								   : PERIOD_ALWAYS + 7,
			.last_edition_utc = moment(rows[i].last_utc),
		};
		struct due due = { 0 };
		struct error err = { 0 };
		int found;

		run->newest_day = rows[i].newest[0] != '\0' ? day_of(rows[i].newest) : INT32_MAX;
		found = due_find(run, &reader, moment(rows[i].now), 8, &due, &err);
		if (found != rows[i].due || due.day != day_of(rows[i].day) ||
		    due.since_day != day_of(since_day) ||
		    due.since_utc != (int64_t)day_of(rows[i].since) * DAY_S ||
		    due.nperiods != rows[i].nperiods)
			fail_msg("row %zu (%s): %d, day %d since %d (%d expected), papers of %lld "
				 "(%d expected), %u periods %s",
			    i, rows[i].label, found, due.day, due.since_day, day_of(since_day),
			    (long long)due.since_utc / DAY_S, day_of(rows[i].since), due.nperiods,
			    err.msg);
	}
}

/* This machine's zone stands in for one that is gone, and UTC for that. */
static void
test_gone(void **state)
{
	struct run *run = *state;
	struct error err = { 0 };
	const struct tz *tz;
	bool stands_in;

	tz = zones_get_any(run, "Asia/Tokyo", &stands_in, &err);
	assert_non_null(tz);
	assert_false(stands_in);
	assert_string_equal(tz_name(tz), "Asia/Tokyo");
	for (int i = 0; i < 2; i++) {
		tz = zones_get_any(run, "Europe/Atlantis", &stands_in, &err);
		assert_non_null(tz);
		assert_true(stands_in);
		assert_string_equal(tz_name(tz), "Europe/London");
		assert_null(zones_get(run->zones, "Europe/Atlantis", &err));
		assert_non_null(strstr(err.msg, "Europe/Atlantis"));
	}
	snprintf(run->zone, sizeof(run->zone), "Here/Nowhere");
	tz = zones_get_any(run, "Moon/Crater", &stands_in, &err);
	assert_non_null(tz);
	assert_true(stands_in);
	assert_string_equal(tz_name(tz), "UTC");
	tz = zones_get_any(run, "", &stands_in, &err);
	assert_non_null(tz);
	assert_true(stands_in);
	assert_string_equal(tz_name(tz), "UTC");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_windows, setup, teardown),
		cmocka_unit_test_setup_teardown(test_gone, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
