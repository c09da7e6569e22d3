/* When a paper is new for a reader: listings of several sources on several days, read in time or late. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store_test.h"

enum { HOUR_S = 3600 };

/* One listing: days are counted from today; cursor is the newest day of the source read before, 1 = never read. */
struct seen {
	const char *source;
	int day, read_day, cursor;
};

/* Is the paper new today for somebody who reads daily (since a week), with queries about votes (two weeks), monthly (since
 * 30 days), and daily but with a cursor of yesterday evening? */
static const struct {
	const char *what;
	struct seen listings[3];
	bool daily, votes, monthly, since_yesterday;
} cases[] = {
	{ "listed today", { { "arxiv", 0, 0, -1 } }, true, true, true, true },
	{ "listed yesterday, considered then", { { "arxiv", -1, -1, -2 } }, true, true, true,
	    false },
	{ "arXiv yesterday, Hugging Face today",
	    { { "arxiv", -1, -1, -2 }, { "huggingface", 0, 0, -1 } }, true, true, true, true },
	{ "the same, the second read first",
	    { { "huggingface", 0, 0, -1 }, { "arxiv", -1, 0, -2 } }, true, true, true, true },
	{ "a week ago", { { "arxiv", -7, -7, -8 } }, true, true, true, false },
	{ "eight days ago, another source today",
	    { { "arxiv", -8, -8, -9 }, { "huggingface", 0, 0, -1 } }, false, true, true, true },
	{ "in votes' time only", { { "huggingface", -13, -13, -14 } }, false, true, true, false },
	{ "three weeks ago, in time", { { "arxiv", -21, -21, -22 } }, false, false, true, false },
	{ "three weeks ago, by a back-fill today", { { "arxiv", -21, 0, -1 } }, false, false, false,
	    false },
	{ "three weeks ago, by a new source today", { { "arxiv", -21, 0, 1 } }, false, false, false,
	    false },
	{ "three weeks ago, read today after a time without runs", { { "arxiv", -21, 0, -30 } },
	    false, false, true, true },
	{ "a back-fill, then a listing today",
	    { { "arxiv", -21, 0, -1 }, { "huggingface", 0, 0, -1 } }, false, false, false, false },
	{ "in time, then a back-fill of a younger day",
	    { { "arxiv", -28, -28, -29 }, { "huggingface", -20, 0, 1 } }, false, false, true,
	    true },
	{ "today, then a back-fill of the past",
	    { { "huggingface", 0, 0, -1 }, { "arxiv", -300, 0, -1 } }, false, false, false, false },
	{ "in the future, by a clock ahead", { { "arxiv", 1, 0, 0 } }, false, false, false, false },
};

static void
put_seen(struct fixture *fx, const char *name, const struct seen *s)
{
	struct store_source source = { .name = s->source,
		.cursor_day = s->cursor == 1 ? 0 : T_TODAY + s->cursor };
	struct paper *p = make_paper(fx, name, T_TODAY + s->day);
	int64_t read_utc = (int64_t)(T_TODAY + s->read_day) * T_DAY_S + 6 * HOUR_S;

	must(fx, store_begin(fx->store, &fx->err));
	must(fx, store_save_source(fx->store, &source, &fx->err));
	must(fx, store_commit(fx->store, false, &fx->err));
	put_papers(fx, s->source, &p, 1, 0, read_utc);
	settle(fx, read_utc);
}

static bool
is_new(struct fixture *fx, int since_day, int signal_day, int64_t cursor_seq, bool signals)
{
	const struct eligibility e = { .cursor_seq = cursor_seq,
		.since_utc = (int64_t)(T_TODAY + since_day) * T_DAY_S,
		.signal_since_utc = (int64_t)(T_TODAY + signal_day) * T_DAY_S };
	const struct sent_list none = { NULL, 0 };
	struct paper **window;
	uint64_t plain = 0, voted = 0;

	if (load_window(fx, e.signal_since_utc, T_NOW, &window) == 0)
		return false;
	store_mark_eligible(&e, &none, window, 1, &plain, &voted, NULL);
	return (signals ? voted : plain) == 1;
}

static void
test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		void *own = NULL;
		struct fixture *fx;
		int64_t yesterday = 0;
		bool got[4];

		assert_int_equal(fixture_setup(&own), 0);
		fx = own;
		for (size_t j = 0; j < 3 && cases[i].listings[j].source != NULL; j++) {
			put_seen(fx, "2401.00001", &cases[i].listings[j]);
			if (cases[i].listings[j].read_day < 0)
				must(fx, store_change_seq(fx->store, &yesterday, &fx->err));
		}
		got[0] = is_new(fx, -7, -14, -1, false);
		got[1] = is_new(fx, -7, -14, -1, true);
		got[2] = is_new(fx, -30, -30, -1, false);
		got[3] = is_new(fx, -30, -30, yesterday, false);
		if (got[0] != cases[i].daily || got[1] != cases[i].votes ||
		    got[2] != cases[i].monthly || got[3] != cases[i].since_yesterday)
			fail_msg("row %zu: %s: daily %d, votes %d, monthly %d, since yesterday %d",
			    i, cases[i].what, got[0], got[1], got[2], got[3]);
		fixture_teardown(&own);
	}
}

/* What was back-filled is there for search, explain and back-tests. */
static void
test_backfill_can_be_read(void **state)
{
	const struct seen old = { "arxiv", -300, 0, -1 };
	struct fixture *fx = *state;
	struct store_listing *listings;
	struct paper **window;
	size_t n;

	put_seen(fx, "2401.00001", &old);
	assert_int_equal(load_window(fx, (T_TODAY - 400) * (int64_t)T_DAY_S, T_NOW, &window), 1);
	assert_true(window[0]->late);
	assert_int_equal(window[0]->first_listed_utc, (T_TODAY - 300) * (int64_t)T_DAY_S);
	must(fx, store_load_listings(fx->store, 1, &fx->a, &listings, &n, &fx->err));
	assert_true(listings[0].late && listings[0].counted);
}

/* A version seen later makes the paper a replacement for those who had it, and for nobody a new paper. */
static void
test_replacement(void **state)
{
	const struct eligibility e = { .cursor_seq = -1 };
	struct fixture *fx = *state;
	struct paper *p = make_paper(fx, "2401.00001", T_TODAY), **window;
	const unsigned char sent_v1[] = { 1, 1 }, sent_v2[] = { 1, 2 };
	const struct sent_list lists[] = { { sent_v1, 2 }, { sent_v2, 2 } };
	uint64_t plain, signals, replaced;

	put_one(fx, "arxiv", p, T_NOW);
	p->version = 2;
	p->kind = PAPER_REPLACE;
	p->listed_day = T_TODAY + 1;
	put_one(fx, "arxiv", p, T_NOW + T_DAY_S);
	settle(fx, T_NOW + T_DAY_S);
	assert_int_equal(load_window(fx, 0, T_NOW + T_DAY_S, &window), 1);
	for (int i = 0; i < 2; i++) {
		store_mark_eligible(&e, &lists[i], window, 1, &plain, &signals, &replaced);
		assert_int_equal(plain | signals, 0);
		assert_int_equal(replaced, i == 0);
	}
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		T(test_backfill_can_be_read),
		T(test_replacement),
	};

	return cmocka_run_group_tests_name("store_new", tests, NULL, NULL);
}
