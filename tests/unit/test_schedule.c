/* When an edition is due: the text of `when`, local days, clock changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "digest/date.h"
#include "digest/schedule.h"

static const struct {
	const char *text;
	bool good;
	size_t offset; /* of the error */
	enum schedule_kind kind;
	unsigned weekdays;
	int month_day, hour, minute;
} texts[] = {
	{ "always", true, 0, SCHEDULE_ALWAYS, 0x7f, 0, 0, 0 },
	{ "daily", true, 0, SCHEDULE_WEEKDAYS, 0x7f, 0, 0, 0 },
	{ "daily 07:30", true, 0, SCHEDULE_WEEKDAYS, 0x7f, 0, 7, 30 },
	{ "Daily 7:05", true, 0, SCHEDULE_WEEKDAYS, 0x7f, 0, 7, 5 },
	{ "weekdays 23:59", true, 0, SCHEDULE_WEEKDAYS, 0x3e, 0, 23, 59 },
	{ "mon,thu 08:00", true, 0, SCHEDULE_WEEKDAYS, 0x12, 0, 8, 0 },
	{ "sun", true, 0, SCHEDULE_WEEKDAYS, 0x01, 0, 0, 0 },
	{ " sat , sun  09:15 ", true, 0, SCHEDULE_WEEKDAYS, 0x41, 0, 9, 15 },
	{ "monthly 31 08:00", true, 0, SCHEDULE_MONTHLY, 0x7f, 31, 8, 0 },
	{ "monthly 1", true, 0, SCHEDULE_MONTHLY, 0x7f, 1, 0, 0 },
	{ "", false, 0, 0, 0, 0, 0, 0 },
	{ "dayly", false, 0, 0, 0, 0, 0, 0 },
	{ "daily 24:00", false, 6, 0, 0, 0, 0, 0 },
	{ "daily 7", false, 7, 0, 0, 0, 0, 0 },
	{ "daily 07:60", false, 9, 0, 0, 0, 0, 0 },
	{ "daily 7:5", false, 8, 0, 0, 0, 0, 0 }, /* 07:05 or 07:50? */
	{ "daily 07:30 sharp", false, 12, 0, 0, 0, 0, 0 },
	{ "mon, 08:00", false, 5, 0, 0, 0, 0, 0 },
	{ "monthly 0", false, 9, 0, 0, 0, 0, 0 },
	{ "monthly 32", false, 8, 0, 0, 0, 0, 0 },
	{ "always 07:30", false, 7, 0, 0, 0, 0, 0 },
};

static void
test_texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct schedule s = { 0 };
		struct error err = { 0 };
		size_t offset = 99;
		int rc = schedule_parse(texts[i].text, &s, &offset, &err);

		if ((rc == 0) != texts[i].good)
			fail_msg("row %zu: '%s' gave %d (%s)", i, texts[i].text, rc, err.msg);
		if (!texts[i].good) {
			if (err.kind != ERR_CONFIG || offset != texts[i].offset)
				fail_msg("row %zu: '%s' is wrong at %zu, not %zu: %s", i,
				    texts[i].text, texts[i].offset, offset, err.msg);
			continue;
		}
		if (s.kind != texts[i].kind || s.weekdays != texts[i].weekdays ||
		    s.month_day != texts[i].month_day || s.hour != texts[i].hour ||
		    s.minute != texts[i].minute)
			fail_msg("row %zu: '%s' was read as %d %x %d %d:%d", i, texts[i].text,
			    s.kind, s.weekdays, s.month_day, s.hour, s.minute);
	}
}

static const struct {
	const char *when, *zone, *now;
	const char *last, *due, *next; /* newest due day, when it was due, next day */
} moments[] = {
	{ "daily 07:30", "Europe/London", "2026-08-21T06:29:59Z", "2026-08-20",
	    "2026-08-20T06:30:00Z", "2026-08-21" },
	{ "daily 07:30", "Europe/London", "2026-08-21T06:30:00Z", "2026-08-21",
	    "2026-08-21T06:30:00Z", "2026-08-22" },
	{ "daily", "Pacific/Auckland", "2026-08-20T12:00:00Z", "2026-08-21", "2026-08-20T12:00:00Z",
	    "2026-08-22" },
	{ "weekdays 07:30", "UTC", "2026-08-23T12:00:00Z", "2026-08-21", "2026-08-21T07:30:00Z",
	    "2026-08-24" },
	{ "mon,thu 08:00", "UTC", "2026-08-20T07:00:00Z", "2026-08-17", "2026-08-17T08:00:00Z",
	    "2026-08-20" },
	{ "monthly 31 08:00", "UTC", "2027-03-01T00:00:00Z", "2027-02-28", "2027-02-28T08:00:00Z",
	    "2027-03-31" },
	/* 02:30 does not exist on the day London's clocks go forward: the moment of the jump counts. */
	{ "daily 01:30", "Europe/London", "2026-03-29T01:00:00Z", "2026-03-29",
	    "2026-03-29T01:00:00Z", "2026-03-30" },
	{ "daily 01:30", "Europe/London", "2026-03-29T00:59:59Z", "2026-03-28",
	    "2026-03-28T01:30:00Z", "2026-03-29" },
	/* 01:30 comes twice in autumn: the first one counts. */
	{ "daily 01:30", "Europe/London", "2026-10-25T00:30:00Z", "2026-10-25",
	    "2026-10-25T00:30:00Z", "2026-10-26" },
};

static int64_t
moment(const char *text)
{
	int64_t utc = 0;

	assert_int_equal(date_parse(text, &utc, NULL), 0);
	return utc;
}

static int32_t
day_of(const char *text)
{
	int32_t day = 0;

	assert_int_equal(date_parse_day(text, &day, NULL), 0);
	return day;
}

static void
test_moments(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
		struct schedule s;
		struct tz *tz;
		int32_t day;

		assert_int_equal(schedule_parse(moments[i].when, &s, NULL, NULL), 0);
		assert_int_equal(tz_load(moments[i].zone, NULL, &tz, NULL), 0);
		day = schedule_last_day(&s, tz, moment(moments[i].now));
		if (day != day_of(moments[i].last) ||
		    schedule_due_utc(&s, tz, day) != moment(moments[i].due) ||
		    schedule_next_day(&s, day) != day_of(moments[i].next) ||
		    schedule_previous_day(&s, schedule_next_day(&s, day)) != day)
			fail_msg("row %zu: %s %s at %s: day %d", i, moments[i].when,
			    moments[i].zone, moments[i].now, day);
		tz_free(tz);
	}
}

/* Quarter-hour by quarter-hour through a year: every local day has exactly one edition. */
static void
test_a_year(void **state)
{
	static const char *const zones[] = { "Europe/London", "America/New_York",
		"Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia" };

	(void)state;
	for (size_t z = 0; z < sizeof(zones) / sizeof(zones[0]); z++) {
		struct schedule s;
		struct tz *tz;
		int64_t start = moment("2026-01-05T12:00:00Z");
		int32_t last, first;
		size_t n = 0;

		assert_int_equal(schedule_parse("daily 01:45", &s, NULL, NULL), 0);
		assert_int_equal(tz_load(zones[z], NULL, &tz, NULL), 0);
		first = last = schedule_last_day(&s, tz, start);
		for (int64_t now = start; now < start + 366 * 86400; now += 900) {
			int32_t day = schedule_last_day(&s, tz, now);

			if (day != last && day != last + 1)
				fail_msg("%s: day %d after %d", zones[z], day, last);
			n += day != last;
			last = day;
		}
		assert_int_equal(n, last - first);
		assert_in_range(n, 365, 366);
		tz_free(tz);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_moments),
		cmocka_unit_test(test_a_year),
	};

	return cmocka_run_group_tests_name("schedule", tests, NULL, NULL);
}
