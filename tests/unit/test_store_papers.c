/* Papers: identity over sources, whose field stands, merging, ranks, signals and trend,
 * snapshots, settling, the window, retention; and how fast it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "store_test.h"

#include "digest/clock.h"

enum { HOUR_S = 3600 };

static const char *
alias(struct fixture *fx, struct paper *p, const char *key)
{
	const char **list = arena_array(&fx->a, p->naliases + 1, sizeof(*list));

	for (size_t i = 0; i < p->naliases; i++)
		list[i] = p->aliases[i];
	list[p->naliases++] = key;
	p->aliases = list;
	return key;
}

static void
test_put_again_changes_nothing(void **state)
{
	struct fixture *fx = *state;
	struct paper *p = make_paper(fx, "2401.00001", T_TODAY);
	struct store_put_counts c;
	int64_t seq, again;

	p->votes = 3;
	c = put_one(fx, "huggingface", p, T_NOW);
	assert_int_equal(c.nnew, 1);
	assert_int_equal(c.nlistings, 1);
	must(fx, store_change_seq(fx->store, &seq, &fx->err));
	c = put_one(fx, "huggingface", p, T_NOW + HOUR_S);
	assert_int_equal(c.nnew + c.nchanged + c.nlistings, 0);
	assert_int_equal(c.nsame, 1);
	must(fx, store_change_seq(fx->store, &again, &fx->err));
	assert_int_equal(seq, again);
	assert_int_equal(find(fx, "2401.00001")->revision, 1);
}

/* Each row changes one thing of a known paper: does it get a new change_seq, and a new revision? */
static const struct {
	const char *what;
	int64_t votes;
	uint32_t version;
	int64_t withdrawn_utc;
	const char *comment;
	int32_t day;
	bool changes, revises;
} changes[] = {
	{ "nothing", 3, 1, 0, "", T_TODAY, false, false },
	{ "votes", 4, 1, 0, "", T_TODAY, true, true },
	{ "votes not told", -1, 1, 0, "", T_TODAY, false, false },
	{ "a version", 3, 2, 0, "", T_TODAY, true, true },
	{ "an older version", 3, 0, 0, "", T_TODAY, false, false },
	{ "withdrawal", 3, 1, T_NOW, "", T_TODAY, true, true },
	{ "comment", 3, 1, 0, "12 pages", T_TODAY, true, true },
	{ "listing", 3, 1, 0, "", T_TODAY + 1, true, false },
};

static void
test_what_changes_a_paper(void **state)
{
	struct fixture *fx = *state;

	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		char name[32];
		struct paper *p, *before, *after;

		snprintf(name, sizeof(name), "2402.%05zu", i);
		p = make_paper(fx, name, T_TODAY);
		p->votes = 3;
		put_one(fx, "huggingface", p, T_NOW);
		before = find(fx, name);
		p->votes = changes[i].votes;
		p->version = changes[i].version;
		p->withdrawn_utc = changes[i].withdrawn_utc;
		p->comment = changes[i].comment;
		p->listed_day = changes[i].day;
		put_one(fx, "huggingface", p, T_NOW + HOUR_S);
		after = find(fx, name);
		if ((after->change_seq > before->change_seq) != changes[i].changes ||
		    (after->revision > before->revision) != changes[i].revises)
			fail_msg("row %zu: %s", i, changes[i].what);
		if (changes[i].votes == -1 && after->votes != 3)
			fail_msg("row %zu: the votes were forgotten", i);
	}
}

/* Whose title and whose votes stand, by the order in which two sources deliver. */
static const struct {
	const char *first, *second;
	const char *title; /* "1" or "2": whose stands */
	int64_t votes;	   /* the first says 10, the second 20 */
} trusts[] = {
	{ "arxiv", "huggingface", "1", 20 }, { "huggingface", "arxiv", "2", 10 },
	{ "feed", "arxiv", "2", 10 }, { "arxiv", "feed", "1", 20 },
	{ "feed", "huggingface", "2", 20 }, { "huggingface", "feed", "1", 10 },
	{ "feed", "other", "1", 10 }, { "other", "feed", "2", 20 },
	{ "nobody", "other", "1", 10 }, /* of equal trust the first keeps its word */
	{ "other", "other", "2", 20 },	/* but may correct it */
};

static void
test_whose_field_stands(void **state)
{
	struct fixture *fx = *state;

	for (size_t i = 0; i < sizeof(trusts) / sizeof(trusts[0]); i++) {
		char name[32];
		struct paper *p, *got;

		snprintf(name, sizeof(name), "2403.%05zu", i);
		p = make_paper(fx, name, T_TODAY);
		p->title = "1";
		p->votes = 10;
		p->code_url = "https://example.org/1";
		put_one(fx, trusts[i].first, p, T_NOW);
		p->title = "2";
		p->votes = 20;
		p->code_url = "";
		put_one(fx, trusts[i].second, p, T_NOW + 1);
		got = find(fx, name);
		if (strcmp(got->title, trusts[i].title) != 0 || got->votes != trusts[i].votes)
			fail_msg("row %zu: %s then %s: title %s, %d votes", i, trusts[i].first,
			    trusts[i].second, got->title, (int)got->votes);
		assert_string_equal(got->code_url, "https://example.org/1");
		assert_int_equal(
		    got->nsources, strcmp(trusts[i].first, trusts[i].second) == 0 ? 1 : 2);
	}
}

static void
test_older_version_does_not_return(void **state)
{
	struct fixture *fx = *state;
	struct paper *p = make_paper(fx, "2401.00001", T_TODAY);

	p->version = 2;
	p->title = "Second title";
	put_one(fx, "arxiv", p, T_NOW);
	p->version = 1;
	p->title = "First title";
	put_one(fx, "arxiv", p, T_NOW + 1);
	assert_string_equal(find(fx, "2401.00001")->title, "Second title");
	assert_int_equal(find(fx, "2401.00001")->version, 2);
}

static void
test_key_is_arxiv_else_doi(void **state)
{
	struct fixture *fx = *state;
	struct paper *p = make_paper(fx, "x", T_TODAY);

	p->key = "feed:item-7";
	put_one(fx, "feed", p, T_NOW);
	assert_string_equal(find(fx, "feed:item-7")->key, "feed:item-7");
	alias(fx, p, "doi:10.1000/xyz");
	put_one(fx, "feed", p, T_NOW);
	assert_string_equal(find(fx, "feed:item-7")->key, "doi:10.1000/xyz");
	alias(fx, p, "arxiv:2401.00009");
	put_one(fx, "feed", p, T_NOW);
	assert_string_equal(find(fx, "https://doi.org/10.1000/XYZ")->key, "arxiv:2401.00009");
	assert_int_equal(find(fx, "2401.00009v3")->naliases, 2);
}

/* A record that names two known papers makes them one; editions' snapshots and both numbers
 * still work. */
static void
test_two_papers_become_one(void **state)
{
	struct fixture *fx = *state;
	struct paper *one = make_paper(fx, "2401.00001", T_TODAY),
		     *two = make_paper(fx, "x", T_TODAY - 1);
	struct paper *got, *frozen;
	struct store_listing *listings;
	int64_t old_id, new_id;
	size_t n;

	two->key = "doi:10.1000/two";
	two->org = "Somewhere";
	two->stars = 5;
	put_one(fx, "arxiv", one, T_NOW);
	put_one(fx, "feed", two, T_NOW + 1);
	old_id = find(fx, "doi:10.1000/two")->id;
	new_id = find(fx, "2401.00001")->id;
	assert_true(old_id > new_id);
	alias(fx, one, "doi:10.1000/two");
	put_one(fx, "arxiv", one, T_NOW + 2);
	got = find(fx, "10.1000/two");
	assert_int_equal(got->id, new_id);
	assert_string_equal(got->org, "Somewhere");
	assert_int_equal(got->stars, 5);
	assert_string_equal(got->key, "arxiv:2401.00001");
	assert_int_equal(store_load_paper(fx->store, old_id, &fx->a, &got, &fx->err), 1);
	assert_int_equal(got->id, new_id);
	must(fx, store_load_listings(fx->store, old_id, &fx->a, &listings, &n, &fx->err));
	assert_int_equal(n, 2);
	assert_int_equal(store_load_snapshot(fx->store, old_id, 1, &fx->a, &frozen, &fx->err), 1);
	assert_string_equal(frozen->key, "doi:10.1000/two");
	settle(fx, T_NOW);
	assert_int_equal(find(fx, "2401.00001")->first_listed_utc, (T_TODAY - 1) * T_DAY_S);
}

static void
test_ranks(void **state)
{
	static const struct {
		const char *name;
		int64_t votes;
		uint32_t rank;
	} cases[] = {
		{ "2401.00001", 5, 3 },
		{ "2401.00002", 90, 1 },
		{ "2401.00003", 5, 4 }, /* ties by key */
		{ "2401.00004", 12, 2 },
		{ "2401.00005", -1, 0 },
	};
	struct fixture *fx = *state;
	struct paper *papers[5];

	for (size_t i = 0; i < 5; i++) {
		papers[i] = make_paper(fx, cases[i].name, T_TODAY);
		papers[i]->votes = cases[i].votes;
	}
	put_papers(fx, "huggingface", papers, 5, 0, T_NOW);
	settle(fx, T_NOW);
	for (size_t i = 0; i < 5; i++)
		if (find(fx, cases[i].name)->rank != cases[i].rank)
			fail_msg("row %zu: rank %u", i, find(fx, cases[i].name)->rank);
	/* One of the day rises: the others are placed anew although they are not in the batch. */
	papers[0]->votes = 100;
	put_papers(fx, "huggingface", papers, 1, 0, T_NOW + 1);
	settle(fx, T_NOW);
	assert_int_equal(find(fx, "2401.00001")->rank, 1);
	assert_int_equal(find(fx, "2401.00002")->rank, 2);
}

/* Up to three readings of (votes, comments, stars) at hours after the listing's midnight, and
 * the trend 36 h after it. */
static const struct {
	const char *what;
	struct {
		int hour;
		int64_t votes, comments, stars;
	} at[3];
	double trend;
} trends[] = {
	{ "first votes date from the listing", { { 12, 80, -1, -1 } }, 40 },
	{ "stars of the first value count nothing", { { 12, 0, -1, 900 } }, 0 },
	{ "later votes date from when they came", { { 0, 0, -1, -1 }, { 36, 10, -1, -1 } }, 10 },
	{ "halved after 36 hours", { { 0, 8, 0, -1 }, { 0, 8, 0, -1 } }, 4 },
	{ "comments count twice", { { 0, 0, 0, -1 }, { 36, 0, 5, -1 } }, 10 },
	{ "stars a tenth", { { 0, 0, -1, 100 }, { 36, 0, -1, 150 } }, 5 },
	{ "a fall and a return count nothing",
	    { { 0, 8, -1, -1 }, { 1, 2, -1, -1 }, { 36, 8, -1, -1 } }, 4 },
	{ "none", { { 0, -1, -1, -1 } }, 0 },
};

static void
test_trend(void **state)
{
	struct fixture *fx = *state;
	int64_t midnight = T_TODAY * (int64_t)T_DAY_S;

	for (size_t i = 0; i < sizeof(trends) / sizeof(trends[0]); i++) {
		char name[32];
		struct paper *p, **window;
		size_t n;

		snprintf(name, sizeof(name), "2404.%05zu", i);
		p = make_paper(fx, name, T_TODAY);
		for (size_t j = 0; j < 3; j++) {
			if (j > 0 && trends[i].at[j].hour == 0)
				continue;
			p->votes = trends[i].at[j].votes;
			p->comments = trends[i].at[j].comments;
			p->stars = trends[i].at[j].stars;
			put_one(fx, "huggingface", p, midnight + trends[i].at[j].hour * HOUR_S);
		}
		settle(fx, midnight + 36 * HOUR_S);
		n = load_window(fx, midnight, midnight + 36 * HOUR_S, &window);
		assert_int_equal(n, i + 1);
		if (fabs(window[i]->trend - trends[i].trend) > 0.001)
			fail_msg("row %zu: %s: %f", i, trends[i].what, window[i]->trend);
	}
}

static void
test_signals_only_when_changed(void **state)
{
	static const int64_t votes[] = { 3, 3, 5, 5, -1, 8 };
	struct fixture *fx = *state;
	struct paper *p = make_paper(fx, "2401.00001", T_TODAY);
	struct store_signal *signals;
	size_t n;

	for (size_t i = 0; i < 6; i++) {
		p->votes = votes[i];
		put_one(fx, "huggingface", p, T_NOW + (int64_t)i * HOUR_S);
	}
	must(fx, store_load_signals(fx->store, 1, &fx->a, &signals, &n, &fx->err));
	assert_int_equal(n, 3);
	assert_int_equal(signals[1].votes, 5);
	assert_int_equal(signals[1].at_utc, T_NOW + 2 * HOUR_S);
	assert_int_equal(signals[2].stars, -1);
}

static void
test_settling(void **state)
{
	struct fixture *fx = *state;
	struct paper *hf = make_paper(fx, "2401.00001", T_TODAY), **window;
	int64_t midnight = T_TODAY * (int64_t)T_DAY_S, next;
	size_t n;

	put_papers(fx, "huggingface", &hf, 1, 12 * HOUR_S, midnight + HOUR_S);
	assert_int_equal(settle(fx, midnight + 2 * HOUR_S), 0);
	assert_int_equal(load_window(fx, 0, T_NOW, &window), 0);
	assert_string_equal(find(fx, "2401.00001")->source, "");
	must(fx, store_count_waiting(fx->store, &n, &next, &fx->err));
	assert_int_equal(n, 1);
	assert_int_equal(next, midnight + 12 * HOUR_S);
	assert_int_equal(settle(fx, next), 1);
	assert_int_equal(load_window(fx, midnight, next, &window), 1);
	assert_int_equal(window[0]->first_listed_utc, midnight);
	assert_int_equal(window[0]->listed_day, T_TODAY);
	assert_string_equal(window[0]->source, "huggingface");
	must(fx, store_count_waiting(fx->store, &n, &next, &fx->err));
	assert_int_equal(n + (size_t)next, 0);
	assert_int_equal(load_window(fx, midnight + 1, next, &window), 0);
}

static void
test_snapshots_freeze(void **state)
{
	struct fixture *fx = *state;
	struct paper *p = make_paper(fx, "2401.00001", T_TODAY), *frozen;

	for (int i = 0; i < 4; i++) {
		p->votes = i;
		put_one(fx, "huggingface", p, T_NOW + i * T_DAY_S);
	}
	assert_int_equal(store_load_snapshot(fx->store, 1, 4, &fx->a, &frozen, &fx->err), 1);
	assert_int_equal(frozen->votes, 3);
	/* No edition refers to the oldest, and it is older than two days. */
	assert_int_equal(store_load_snapshot(fx->store, 1, 1, &fx->a, &frozen, &fx->err), 0);
	assert_int_equal(store_load_snapshot(fx->store, 1, 3, &fx->a, &frozen, &fx->err), 1);
	assert_int_equal(frozen->votes, 2);
	assert_int_equal(frozen->revision, 3);
}

static void
test_titles(void **state)
{
	static const struct {
		const char *words;
		size_t n;
	} cases[] = {
		{ "splatting", 2 },
		{ "SPLATTING phone", 1 },
		{ "phone splatting gaussian", 1 },
		{ "%", 0 }, /* no pattern of LIKE gets through */
		{ "' OR 1=1 --", 0 },
		{ "", 0 },
		{ "   ", 0 },
	};
	struct fixture *fx = *state;
	struct paper *p, **found;
	size_t n;

	p = make_paper(fx, "2401.00001", T_TODAY);
	p->title = "Gaussian Splatting on a Phone";
	p->published_utc = 10;
	put_one(fx, "arxiv", p, T_NOW);
	p = make_paper(fx, "2401.00002", T_TODAY);
	p->title = "Splatting Everything";
	p->published_utc = 20;
	put_one(fx, "arxiv", p, T_NOW);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		must(fx,
		    store_find_titles(fx->store, cases[i].words, &fx->a, 10, &found, &n, &fx->err));
		if (n != cases[i].n)
			fail_msg("row %zu: '%s' found %zu", i, cases[i].words, n);
	}
	must(fx, store_find_titles(fx->store, "splatting", &fx->a, 1, &found, &n, &fx->err));
	assert_int_equal(n, 1);
	assert_string_equal(found[0]->title, "Splatting Everything");
}

static int
count_visit(void *arg, const struct paper *p)
{
	size_t *n = arg;

	(void)p;
	return ++*n == 3 ? 42 : 0;
}

static void
test_each_paper(void **state)
{
	struct fixture *fx = *state;
	size_t n = 0;

	for (int i = 0; i < 5; i++) {
		char name[32];

		snprintf(name, sizeof(name), "2401.%05d", i);
		put_one(fx, "arxiv", make_paper(fx, name, T_TODAY), T_NOW);
	}
	assert_int_equal(store_each_paper(fx->store, count_visit, &n, &fx->err), 42);
	assert_int_equal(n, 3);
	assert_int_equal(store_each_paper(fx->store, count_visit, &n, &fx->err), 0);
	assert_int_equal(n, 8);
}

static void
test_runs(void **state)
{
	struct fixture *fx = *state;
	struct store_run run = { .finished_utc = T_NOW + 5,
		.nsent = 3,
		.exit_code = 75,
		.summary = "3 sent, 1 deferred" },
			 *last;
	size_t n;

	assert_int_equal(store_load_last_run(fx->store, &fx->a, &last, &fx->err), 0);
	must(fx, store_begin(fx->store, &fx->err));
	must(fx, store_start_run(fx->store, T_NOW, &run.id, &fx->err));
	must(fx, store_commit(fx->store, true, &fx->err));
	assert_int_equal(store_load_last_run(fx->store, &fx->a, &last, &fx->err), 1);
	assert_int_equal(last->finished_utc, 0);
	must(fx, store_begin(fx->store, &fx->err));
	must(fx, store_finish_run(fx->store, &run, &fx->err));
	must(fx, store_commit(fx->store, true, &fx->err));
	assert_int_equal(store_load_last_run(fx->store, &fx->a, &last, &fx->err), 1);
	assert_int_equal(last->nsent, 3);
	assert_int_equal(last->exit_code, 75);
	assert_string_equal(last->summary, "3 sent, 1 deferred");
	must(fx, store_begin(fx->store, &fx->err));
	must(fx, store_start_run(fx->store, T_NOW + 900, &run.id, &fx->err));
	must(fx, store_commit(fx->store, true, &fx->err));
	must(fx, store_load_runs(fx->store, 5, &fx->a, &last, &n, &fx->err));
	assert_int_equal(n, 2);
	assert_int_equal(last[0].started_utc, T_NOW + 900);
	assert_int_equal(last[1].nsent, 3);
}

static void
test_prune(void **state)
{
	struct fixture *fx = *state;
	struct paper *old = make_paper(fx, "2401.00001", T_TODAY - 500), *got;
	struct store_sizes sizes;

	old->votes = 4;
	put_one(fx, "huggingface", old, T_NOW - 450 * (int64_t)T_DAY_S);
	put_one(fx, "huggingface", make_paper(fx, "2401.00002", T_TODAY), T_NOW);
	assert_int_equal(prune(fx, T_NOW, 400 * (int64_t)T_DAY_S, 60 * T_DAY_S), 1);
	must(fx, store_load_sizes(fx->store, &sizes, &fx->err));
	assert_int_equal(sizes.npapers, 1);
	assert_int_equal(sizes.nlistings, 1);
	assert_int_equal(store_find_paper(fx->store, "2401.00001", &fx->a, &got, &fx->err), 0);
	/* A number is never used again, because sent lists hold it. */
	put_one(fx, "huggingface", make_paper(fx, "2401.00003", T_TODAY), T_NOW);
	assert_int_equal(find(fx, "2401.00003")->id, 3);
}

static struct paper *
make_full_paper(struct fixture *fx, size_t i)
{
	static const char *authors[] = { "Ada Lovelace", "Charles Babbage", "Mary Somerville" };
	static const char *categories[] = { "cs.CV", "cs.LG" };
	char name[32], *abstract = arena_alloc(&fx->a, 1201);
	struct paper *p;

	snprintf(name, sizeof(name), "%04zu.%05zu", 2401 + i / 10000, i % 10000);
	p = make_paper(fx, name, T_TODAY);
	memset(abstract, 'a', 1200);
	abstract[1200] = '\0';
	p->abstract = abstract;
	p->authors = authors;
	p->nauthors = 3;
	p->categories = categories;
	p->ncategories = 2;
	p->votes = (int64_t)(i % 97);
	return p;
}

/* Figures for a person; only a fall by a factor of many would fail here. */
static void
test_speed(void **state)
{
	enum { N = 10000, WINDOW = 1500 };
	struct fixture *fx = *state;
	struct paper **papers = arena_array(&fx->a, N, sizeof(*papers)), **window;
	int64_t start, put_ms, again_ms, window_ms;
	size_t n;

	for (size_t i = 0; i < N; i++) {
		papers[i] = make_full_paper(fx, i);
		if (i >= WINDOW)
			papers[i]->listed_day = T_TODAY - 30;
	}
	start = clock_monotonic_ms();
	put_papers(fx, "huggingface", papers, N, 0, T_NOW);
	put_ms = clock_monotonic_ms() - start;
	start = clock_monotonic_ms();
	put_papers(fx, "huggingface", papers, N, 0, T_NOW + 1);
	again_ms = clock_monotonic_ms() - start;
	settle(fx, T_NOW);
	start = clock_monotonic_ms();
	n = load_window(fx, (T_TODAY - 14) * (int64_t)T_DAY_S, T_NOW, &window);
	window_ms = clock_monotonic_ms() - start;
	assert_int_equal(n, WINDOW);
	print_message("10,000 papers put in %d ms, again in %d ms; window of 1,500 read in %d ms\n",
	    (int)put_ms, (int)again_ms, (int)window_ms);
	assert_true(put_ms < 20000 && window_ms < 2000);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		T(test_put_again_changes_nothing),
		T(test_what_changes_a_paper),
		T(test_whose_field_stands),
		T(test_older_version_does_not_return),
		T(test_key_is_arxiv_else_doi),
		T(test_two_papers_become_one),
		T(test_ranks),
		T(test_trend),
		T(test_signals_only_when_changed),
		T(test_settling),
		T(test_snapshots_freeze),
		T(test_titles),
		T(test_each_paper),
		T(test_runs),
		T(test_prune),
		T(test_speed),
	};

	return cmocka_run_group_tests_name("store_papers", tests, NULL, NULL);
}
