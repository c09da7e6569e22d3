#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "digest/date.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
	const char *text;
	const char *want; /* RFC 3339, or NULL = refused */
} times[] = {
	{ "2026-08-21T00:00:00.000Z", "2026-08-21T00:00:00Z" },
	{ "2026-08-21T00:00:00Z", "2026-08-21T00:00:00Z" },
	{ "2026-08-21t00:00:00z", "2026-08-21T00:00:00Z" },
	{ "2026-08-21 06:45:10", "2026-08-21T06:45:10Z" },
	{ "2026-08-21T06:45:10", "2026-08-21T06:45:10Z" },
	{ "2026-08-21T06:45Z", "2026-08-21T06:45:00Z" },
	{ "2026-08-21T06:45:00+01:00", "2026-08-21T05:45:00Z" },
	{ "2026-08-21T06:45:00-0430", "2026-08-21T11:15:00Z" },
	{ "2026-08-21T06:45:00.123456789+00:00", "2026-08-21T06:45:00Z" },
	{ "2026-12-31T23:59:60Z", "2027-01-01T00:00:00Z" },
	{ "2024-02-29", "2024-02-29T00:00:00Z" },
	{ "  2024-02-29", "2024-02-29T00:00:00Z" },
	{ "0001-01-01", "0001-01-01T00:00:00Z" },
	{ "9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z" },
	{ "Mon, 27 Apr 2026 00:00:00 -0400", "2026-04-27T04:00:00Z" },
	{ "Monday, 27 April 2026 00:00:00 -0400", "2026-04-27T04:00:00Z" },
	{ "27 Apr 2026 00:00:00 GMT", "2026-04-27T00:00:00Z" },
	{ "27 Apr 2026 00:00 EDT", "2026-04-27T04:00:00Z" },
	{ "27 Apr 2026 00:00:00 pst", "2026-04-27T08:00:00Z" },
	{ "27 Apr 2026 00:00:00 XYZ", "2026-04-27T00:00:00Z" },
	{ "27 Apr 2026 00:00:00", "2026-04-27T00:00:00Z" },
	{ "Fri, 21 Nov 97 09:55:06 -0600", "1997-11-21T15:55:06Z" },
	{ "1 Jan 26 00:00:00 +0000", "2026-01-01T00:00:00Z" },
	{ "1 Jan 103 00:00:00 +0000", "2003-01-01T00:00:00Z" },
	{ "Thu,\r\n 13 Feb 1969 23:32:00 -0330 (Newfoundland Time)", "1969-02-14T03:02:00Z" },
	{ "", NULL },
	{ "yesterday", NULL },
	{ "1755734400", NULL },
	{ "2023-02-29", NULL },
	{ "1900-02-29", NULL },
	{ "0000-01-01", NULL },
	{ "10000-01-01", NULL },
	{ "2026-13-01", NULL },
	{ "2026-00-10", NULL },
	{ "2026-04-31", NULL },
	{ "2026-8-21", NULL },
	{ "2026-08-21T", NULL },
	{ "2026-08-21T24:00:00Z", NULL },
	{ "2026-08-21T10:60:00Z", NULL },
	{ "2026-08-21T10:00:61Z", NULL },
	{ "2026-08-21T10:00:00.Z", NULL },
	{ "2026-08-21T10:00:00+24:00", NULL },
	{ "2026-08-21T10:00:00+01:60", NULL },
	{ "2026-08-21T10:00:00Zz", NULL },
	{ "Mon 27 Apr 2026 00:00:00 GMT", NULL },
	{ "Mon, 31 Apr 2026 00:00:00 GMT", NULL },
	{ "Mon, 27 Foo 2026 00:00:00 GMT", NULL },
	{ "Mon, 27 Apr 2026 00:00:00 -0400 (EDT", NULL },
	{ "Mon, 27 Apr 2026", NULL },
};

static void
test_parse_times(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(times); i++) {
		struct error err = { 0 };
		char got[DATE_RFC3339_SIZE];
		int64_t utc = 0;
		int rc = date_parse(times[i].text, &utc, &err);

		if ((rc == 0) != (times[i].want != NULL))
			fail_msg("row %zu: '%s' gave %d", i, times[i].text, rc);
		if (rc == -1) {
			assert_int_equal(err.kind, ERR_DATA);
			assert_non_null(strstr(err.msg, "expected"));
			continue;
		}
		date_format_rfc3339(utc, got);
		if (strcmp(got, times[i].want) != 0)
			fail_msg("row %zu: '%s' is %s", i, times[i].text, got);
	}
}

/* Each day from 0001-01-01 to 9999-12-31, walked beside the arithmetic. */
static void
test_every_day_there_and_back(void **state)
{
	int32_t day = date_day(1, 1, 1);
	int weekday = 1; /* a Monday */

	(void)state;
	for (int y = 1; y <= 9999; y++) {
		for (int m = 1; m <= 12; m++) {
			for (int d = 1; d <= date_days_in_month(y, m); d++) {
				struct civil c;

				date_civil_of_day(day, &c);
				if (c.year != y || c.month != m || c.day != d ||
				    date_day(y, m, d) != day || date_weekday(day) != weekday)
					fail_msg("%04d-%02d-%02d is day %d", y, m, d, day);
				day++;
				weekday = (weekday + 1) % 7;
			}
		}
	}
	assert_int_equal(day - 1, DATE_MAX_UTC / 86400);
}

static void
test_seconds_agree_with_libc(void **state)
{
	(void)state;
	for (int64_t t = INT64_C(-62135596800); t < INT64_C(253402300799); t += 7777777777 / 3) {
		time_t libc_time = (time_t)t;
		struct tm tm;
		struct civil c;

		date_civil(t, &c);
		assert_non_null(gmtime_r(&libc_time, &tm));
		if (c.year != tm.tm_year + 1900 || c.month != tm.tm_mon + 1 ||
		    c.day != tm.tm_mday || c.hour != tm.tm_hour || c.minute != tm.tm_min ||
		    c.second != tm.tm_sec || date_seconds(&c) != t)
			fail_msg("second %lld", (long long)t);
	}
}

static void
test_times_outside_the_calendar_are_clamped(void **state)
{
	char got[DATE_RFC3339_SIZE];
	char mail[DATE_RFC5322_SIZE];
	struct civil c;

	(void)state;
	date_format_rfc3339(INT64_MAX, got);
	assert_string_equal(got, "9999-12-31T23:59:59Z");
	date_format_rfc3339(INT64_MIN, got);
	assert_string_equal(got, "0001-01-01T00:00:00Z");
	date_format_rfc5322(INT64_MAX, 3600, mail);
	assert_string_equal(mail, "Fri, 31 Dec 9999 23:59:59 +0100");
	date_civil_of_day(INT32_MAX, &c);
	assert_int_equal(c.year, 9999);
	date_civil_of_day(INT32_MIN, &c);
	assert_int_equal(c.year, 1);
}

static void
test_formats(void **state)
{
	static const struct {
		const char *utc;
		int offset_s;
		const char *want;
	} cases[] = {
		{ "2026-08-21T06:45:00Z", 3600, "Fri, 21 Aug 2026 07:45:00 +0100" },
		{ "2026-08-21T06:45:00Z", 0, "Fri, 21 Aug 2026 06:45:00 +0000" },
		{ "2026-01-01T00:10:00Z", -12600, "Wed, 31 Dec 2025 20:40:00 -0330" },
		{ "2026-08-21T06:45:00Z", 20700, "Fri, 21 Aug 2026 12:30:00 +0545" },
		{ "1847-01-01T00:00:00Z", -75, "Thu, 31 Dec 1846 23:59:00 -0001" },
		{ "1847-01-01T00:00:00Z", -15, "Fri, 01 Jan 1847 00:00:00 +0000" },
	};
	char day[DATE_RFC3339_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char got[DATE_RFC5322_SIZE];
		int64_t utc, back;

		assert_int_equal(date_parse(cases[i].utc, &utc, NULL), 0);
		date_format_rfc5322(utc, cases[i].offset_s, got);
		if (strcmp(got, cases[i].want) != 0)
			fail_msg("row %zu: %s", i, got);
		assert_int_equal(date_parse(got, &back, NULL), 0);
		if (llabs((long long)(back - utc)) >= 60)
			fail_msg("row %zu: came back as another time", i);
	}
	date_format_day(date_day(2026, 8, 21), day);
	assert_string_equal(day, "2026-08-21");
	assert_string_equal(date_month_name(0), "Jan");
	assert_string_equal(date_weekday_name(0), "Sun");
}

static void
test_parse_day(void **state)
{
	static const char *const bad[] = { "", "2026-08-21T00:00:00Z", "2026-02-30", "21-08-2026",
		"2026-08-21 ", "today" };
	int32_t day;

	(void)state;
	assert_int_equal(date_parse_day("1970-01-02", &day, NULL), 0);
	assert_int_equal(day, 1);
	for (size_t i = 0; i < COUNT(bad); i++)
		if (date_parse_day(bad[i], &day, NULL) == 0)
			fail_msg("'%s' was taken", bad[i]);
}

static void
test_parse_duration(void **state)
{
	static const struct {
		const char *text;
		int64_t want; /* -1 = refused */
	} cases[] = {
		{ "20s", 20 },
		{ "15m", 900 },
		{ "6h", 21600 },
		{ "14d", 1209600 },
		{ "2w", 1209600 },
		{ "0s", 0 },
		{ "999999999w", INT64_C(604799999395200) },
		{ "9999999999s", -1 },
		{ "", -1 },
		{ "15", -1 },
		{ "m", -1 },
		{ "1h30m", -1 },
		{ "1.5h", -1 },
		{ "-1h", -1 },
		{ " 1h", -1 },
		{ "1 h", -1 },
		{ "6q", -1 },
		{ "6M", -1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct error err = { 0 };
		int64_t got = -1;

		date_parse_duration(cases[i].text, &got, &err);
		if (got != cases[i].want)
			fail_msg("row %zu: '%s' is %lld", i, cases[i].text, (long long)got);
		if (got == -1)
			assert_int_equal(err.kind, ERR_DATA);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_times),
		cmocka_unit_test(test_every_day_there_and_back),
		cmocka_unit_test(test_seconds_agree_with_libc),
		cmocka_unit_test(test_times_outside_the_calendar_are_clamped),
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_parse_day),
		cmocka_unit_test(test_parse_duration),
	};

	return cmocka_run_group_tests_name("date", tests, NULL, NULL);
}
