/* What is told before a large run: how long it takes, and what a day's limits leave over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "run/stages.h"

#include <string.h>

static const struct {
	struct config_smtp smtps[2];
	size_t nsmtps, counts[2];
	int64_t seconds;
	size_t nleft;
	const char *text; /* "" = no limit matters */
} rows[] = {
	{ { { .name = "a", .rate = "600/min" } }, 1, { 100000 }, 10000, 0,
	    "100,000 at 600/min = 2 h 47 min, in runs of 50 min" },
	{ { { .name = "a", .rate = "600/min", .daily_limit = 60000 } }, 1, { 100000 }, 6000, 40000,
	    "60,000 at 600/min = 1 h 40 min; daily-limit leaves 40,000 over, in runs of 50 min" },
	{ { { .name = "a", .rate = "600/min" } }, 1, { 6000 }, 600, 0,
	    "6,000 at 600/min = 10 min" },
	{ { { .name = "a", .rate = "10/min" } }, 1, { 7 }, 42, 0, "7 at 10/min = 42 s" },
	{ { { .name = "a", .rate = "", .daily_limit = 500 } }, 1, { 1234567 }, 0, 1234067,
	    "500; daily-limit leaves 1,234,067 over" },
	{ { { .name = "a", .rate = "", .daily_limit = 500 } }, 1, { 400 }, 0, 0, "" },
	{ { { .name = "a", .rate = "" } }, 1, { 1000000 }, 0, 0, "" },
	/* Each way works by itself: the slowest decides. */
	{ { { .name = "a", .rate = "600/min" }, { .name = "b", .rate = "60/h" } }, 2, { 6000, 30 },
	    1800, 0, "30 at 60/h = 30 min by b, the slowest" },
	{ { { .name = "a", .rate = "" }, { .name = "b", .rate = "1/s", .daily_limit = 100 } }, 2,
	    { 5000, 300 }, 100, 200,
	    "100 at 1/s = 100 s by b, the slowest; daily-limit leaves 200 over" },
	/* What has no mail limits nothing. */
	{ { { .name = "a", .rate = "" }, { .name = "b", .rate = "1/s" } }, 2, { 5000, 0 }, 0, 0,
	    "" },
};

static void
test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct config_smtp smtps[2] = { rows[i].smtps[0], rows[i].smtps[1] };
		struct config cfg = { .smtps = smtps, .nsmtps = rows[i].nsmtps };
		struct run run = { .cfg = &cfg };
		struct run_expectation e;
		struct error err;

		cfg.delivery.deadline_s = 3000;
		if (expect_find(&run, rows[i].counts, false, &e, &err) == -1)
			fail_msg("row %zu: %s", i, err.msg);
		if (e.seconds / 2 != rows[i].seconds / 2 || e.nleft != rows[i].nleft ||
		    strcmp(e.text, rows[i].text) != 0)
			fail_msg("row %zu: %lld s, %zu left, '%s'", i, (long long)e.seconds,
			    e.nleft, e.text);
		assert_int_equal(e.nmails, rows[i].counts[0] + rows[i].counts[1]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
