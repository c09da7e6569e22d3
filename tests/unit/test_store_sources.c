/* Sources: their state, their days, listings held back; services that several sources ask. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store_test.h"

enum { HOUR_S = 3600 };

static void
test_sources(void **state)
{
	struct fixture *fx = *state;
	int32_t day;
	const struct store_page page = { "2026-08-21", "\"abc\"", "Fri, 21 Aug 2026 00:00:00 GMT",
		T_NOW };
	struct store_source *s,
	    put = { .name = "huggingface",
		    .cursor_day = T_TODAY,
		    .last_try_utc = T_NOW,
		    .failing_since_utc = 5,
		    .nfailures = 2,
		    .last_error = "503",
		    .fault = SOURCE_DOWN,
		    .newest = "arxiv:2608.00009",
		    .newest_since_utc = T_NOW - 7,
		    .made_utc = T_NOW - 9,
		    .nlisted = 412 };

	must(fx, store_load_source(fx->store, "huggingface", &fx->a, &s, &fx->err));
	assert_int_equal(s->cursor_day, 0);
	assert_string_equal(s->last_error, "");
	assert_string_equal(s->newest, "");
	assert_int_equal(s->fault, SOURCE_FINE);
	must(fx, store_begin(fx->store, &fx->err));
	must(fx, store_save_source(fx->store, &put, &fx->err));
	must(fx, store_save_page(fx->store, "huggingface", &page, &fx->err));
	must(fx, store_save_page(fx->store, "huggingface", &page, &fx->err));
	must(fx, store_commit(fx->store, true, &fx->err));
	must(fx, store_load_source(fx->store, "huggingface", &fx->a, &s, &fx->err));
	assert_int_equal(s->cursor_day, T_TODAY);
	assert_int_equal(s->nfailures, 2);
	assert_string_equal(s->last_error, "503");
	assert_int_equal(s->fault, SOURCE_DOWN);
	assert_string_equal(s->newest, "arxiv:2608.00009");
	assert_int_equal(s->newest_since_utc, T_NOW - 7);
	assert_int_equal(s->made_utc, T_NOW - 9);
	assert_int_equal(s->nlisted, 412);
	assert_int_equal(s->npages, 1);
	assert_string_equal(s->pages[0].etag, "\"abc\"");
	must(fx, store_load_newest_day(fx->store, "nobody", &day, &fx->err));
	assert_int_equal(day, 0);
	put_one(fx, "days", make_paper(fx, "2608.00001", T_TODAY - 2), T_NOW);
	put_one(fx, "days", make_paper(fx, "2608.00002", T_TODAY - 3), T_NOW);
	must(fx, store_load_newest_day(fx->store, "days", &day, &fx->err));
	assert_int_equal(day, T_TODAY - 2);
	must(fx, store_check(fx->store, &fx->err));
}

static size_t
load_days(struct fixture *fx, const char *source, int32_t since_day, struct store_day **out)
{
	size_t n;

	must(fx, store_load_days(fx->store, source, since_day, &fx->a, out, &n, &fx->err));
	return n;
}

static size_t
postpone(struct fixture *fx, const char *source, int32_t day, int64_t until_utc)
{
	size_t n;

	must(fx, store_begin(fx->store, &fx->err));
	must(fx, store_postpone_listings(fx->store, source, day, until_utc, &n, &fx->err));
	must(fx, store_commit(fx->store, true, &fx->err));
	return n;
}

static void
test_days(void **state)
{
	struct fixture *fx = *state;
	struct paper *papers[20];
	struct store_day *days;

	assert_int_equal(load_days(fx, "daily", 0, &days), 0);
	for (int32_t i = 0; i < 20; i++) {
		char name[32];

		snprintf(name, sizeof(name), "2608.%05d", i);
		papers[i] = make_paper(fx, name, T_TODAY - i / 2);
	}
	put_papers(fx, "daily", papers, 20, 12 * HOUR_S, T_NOW);
	put_papers(fx, "other", papers, 1, 0, T_NOW);
	settle(fx, (int64_t)T_TODAY * T_DAY_S);
	assert_int_equal(load_days(fx, "daily", 0, &days), 10);
	for (int32_t i = 0; i < 10; i++)
		if (days[i].day != T_TODAY - 9 + i || days[i].nlisted != 2 ||
		    days[i].ncounted != (days[i].day < T_TODAY ? 2u : 0u))
			fail_msg("row %d: day %d, %zu listed, %zu counted", i, days[i].day,
			    days[i].nlisted, days[i].ncounted);
	assert_int_equal(load_days(fx, "daily", T_TODAY, &days), 1);
	assert_int_equal(load_days(fx, "daily", T_TODAY + 1, &days), 0);
}

/* A half-filled day waits; what counts already counts on, another source's day is its own. */
static void
test_postponed_listings(void **state)
{
	struct fixture *fx = *state;
	struct paper *papers[3];
	int64_t noon = T_TODAY * (int64_t)T_DAY_S + 12 * HOUR_S, next;
	size_t n;

	for (int32_t i = 0; i < 3; i++) {
		char name[32];

		snprintf(name, sizeof(name), "2608.%05d", i);
		papers[i] = make_paper(fx, name, T_TODAY);
	}
	put_papers(fx, "daily", papers, 1, 0, noon - 6 * HOUR_S);
	assert_int_equal(settle(fx, noon - 6 * HOUR_S), 1);
	put_papers(fx, "daily", papers + 1, 2, 12 * HOUR_S, noon - HOUR_S);
	put_papers(fx, "other", papers + 1, 1, 12 * HOUR_S, noon - HOUR_S);
	assert_int_equal(postpone(fx, "daily", T_TODAY, noon + HOUR_S), 2);
	assert_int_equal(postpone(fx, "daily", T_TODAY - 1, noon + HOUR_S), 0);
	assert_int_equal(settle(fx, noon), 1); /* of the other source */
	/* Reading the day again does not call them back. */
	papers[2]->votes = 5;
	put_papers(fx, "daily", papers + 1, 2, 12 * HOUR_S, noon);
	must(fx, store_count_waiting(fx->store, &n, &next, &fx->err));
	assert_int_equal(n, 2);
	assert_int_equal(next, noon + HOUR_S);
	assert_int_equal(settle(fx, noon + HOUR_S - 1), 0);
	/* An earlier time does: the day has filled up. */
	assert_int_equal(postpone(fx, "daily", T_TODAY, noon), 2);
	assert_int_equal(settle(fx, noon), 2);
	assert_int_equal(postpone(fx, "daily", T_TODAY, noon + HOUR_S), 0);
}

static int64_t
reserve(struct fixture *fx, const char *service, int64_t now_ms, int64_t gap_ms)
{
	int64_t at_ms;

	must(fx, store_begin(fx->store, &fx->err));
	must(fx, store_reserve_request(fx->store, service, now_ms, gap_ms, &at_ms, &fx->err));
	must(fx, store_commit(fx->store, false, &fx->err));
	return at_ms;
}

static void
delay(struct fixture *fx, const char *service, int64_t until_utc)
{
	must(fx, store_begin(fx->store, &fx->err));
	must(fx, store_delay_service(fx->store, service, until_utc, &fx->err));
	must(fx, store_commit(fx->store, false, &fx->err));
}

/* Requests in the order of the rows, in ms after a time; pause_s > 0 asks for that pause before it. */
static const struct {
	const char *what, *service;
	int64_t now_ms, gap_ms, pause_s, at_ms;
} requests[] = {
	{ "the first", "arxiv.org", 0, 3000, 0, 0 },
	{ "at once after it", "arxiv.org", 1, 3000, 0, 3000 },
	{ "a third in the queue", "arxiv.org", 2, 3000, 0, 6000 },
	{ "another service", "hf.co", 2, 1000, 0, 2 },
	{ "long after", "arxiv.org", 60000, 3000, 0, 60000 },
	{ "a longer gap", "arxiv.org", 61000, 10000, 0, 70000 },
	{ "a clock set back is no reason to wait for an hour", "arxiv.org", -4000000, 3000, 0,
	    -4000000 },
	{ "a pause", "arxiv.org", -4000000, 3000, 36000, 36000000 },
	{ "behind the pause they stand in a queue", "arxiv.org", -4000000, 3000, 0, 36003000 },
	{ "a shorter pause does not end it", "arxiv.org", 0, 3000, 5, 36006000 },
	{ "after the pause", "arxiv.org", 36010000, 3000, 0, 36010000 },
	{ "the other was not paused", "hf.co", 3, 1000, 0, 1002 },
};

static void
test_queue_of_a_service(void **state)
{
	struct fixture *fx = *state;
	int64_t base_ms = T_NOW * (int64_t)1000, until;

	must(fx, store_find_delay(fx->store, "arxiv.org", &until, &fx->err));
	assert_int_equal(until, 0);
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		int64_t at;

		if (requests[i].pause_s > 0)
			delay(fx, requests[i].service, T_NOW + requests[i].pause_s);
		at = reserve(
		    fx, requests[i].service, base_ms + requests[i].now_ms, requests[i].gap_ms);
		if (at != base_ms + requests[i].at_ms)
			fail_msg(
			    "row %zu: %s: %lld ms", i, requests[i].what, (long long)(at - base_ms));
		reopen(fx, STORE_WRITE); /* the queue outlives a process */
	}
	must(fx, store_find_delay(fx->store, "arxiv.org", &until, &fx->err));
	assert_int_equal(until, T_NOW + 36000);
	must(fx, store_find_delay(fx->store, "hf.co", &until, &fx->err));
	assert_int_equal(until, 0);
}

/* A dry run asks too, and waits for its turn, but leaves no trace. */
static void
test_queue_in_a_dry_run(void **state)
{
	struct fixture *fx = *state;
	int64_t base_ms = T_NOW * (int64_t)1000;

	reserve(fx, "arxiv.org", base_ms, 3000);
	reopen(fx, STORE_OVERLAY);
	assert_int_equal(reserve(fx, "arxiv.org", base_ms, 3000), base_ms + 3000);
	assert_int_equal(reserve(fx, "arxiv.org", base_ms, 3000), base_ms + 6000);
	reopen(fx, STORE_WRITE);
	assert_int_equal(reserve(fx, "arxiv.org", base_ms, 3000), base_ms + 3000);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		T(test_sources),
		T(test_days),
		T(test_postponed_listings),
		T(test_queue_of_a_service),
		T(test_queue_in_a_dry_run),
	};

	return cmocka_run_group_tests_name("store_sources", tests, NULL, NULL);
}
