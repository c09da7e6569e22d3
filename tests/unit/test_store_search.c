/* The index of words: what is found, and that it follows papers that change, become one or are removed; what it costs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store_test.h"

#include "digest/clock.h"
#include "store/db.h"

static size_t
update(struct fixture *fx, size_t max)
{
	size_t left;

	must(fx, store_begin(fx->store, &fx->err));
	must(fx, store_update_search(fx->store, max, &left, &fx->err));
	must(fx, store_commit(fx->store, false, &fx->err));
	return left;
}

static size_t
search(struct fixture *fx, const char *words, struct paper ***out)
{
	size_t n;

	must(fx, store_search(fx->store, words, &fx->a, 10, out, &n, &fx->err));
	return n;
}

static size_t
count_found(struct fixture *fx, const char *words)
{
	struct paper **found;

	return search(fx, words, &found);
}

static int64_t
count_rows(struct fixture *fx, const char *sql)
{
	int64_t n;

	must(fx, db_pragma_int(fx->store, sql, &n, &fx->err));
	return n;
}

static struct paper *
make_words(struct fixture *fx, const char *name, const char *title, const char *abstract)
{
	static const char *authors[] = { "Yann Le Cun", "Jürgen Schmidhuber" };
	static const char *keywords[] = { "tomography" };
	struct paper *p = make_paper(fx, name, T_TODAY);

	p->title = title;
	p->abstract = abstract;
	p->authors = authors;
	p->nauthors = 2;
	p->keywords = keywords;
	p->nkeywords = 1;
	p->org = "Example Lab";
	return p;
}

static void
test_what_is_found(void **state)
{
	static const struct {
		const char *words;
		size_t n;
		const char *first;
	} cases[] = {
		{ "splatting", 2,
		    "arxiv:2401.00001" }, /* the title weighs more than the abstract */
		{ "SPLATTING phone", 1, "arxiv:2401.00001" },
		{ "phone mesh", 0, "" },
		{ "jurgen", 2, "" },
		{ "cun jürgen", 2, "" },
		{ "tomography lab", 2, "" },
		{ "splat", 0, "" }, /* whole words */
		{ "real-time", 1, "arxiv:2401.00002" },
		{ "time-real", 1, "" },		   /* the order of words does not matter */
		{ "splatting OR nothing", 0, "" }, /* no operator of FTS5 gets through */
		{ "title:splatting", 0, "" },
		{ "splat*", 0, "" },
		{ "\"splatting", 2, "arxiv:2401.00001" },
		{ "\"", 0, "" },
		{ "' OR 1=1 --", 0, "" },
		{ "   ", 0, "" },
		{ "", 0, "" },
	};
	struct fixture *fx = *state;

	put_one(fx, "arxiv", make_words(fx, "2401.00001", "Gaussian Splatting on a Phone", "Fast."),
	    T_NOW);
	put_one(fx, "arxiv",
	    make_words(fx, "2401.00002", "A Mesh for All", "Splatting in real-time."), T_NOW);
	assert_int_equal(count_found(fx, "splatting"), 0);
	assert_int_equal(update(fx, 100), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct paper **found;
		size_t n = search(fx, cases[i].words, &found);

		if (n != cases[i].n ||
		    (cases[i].first[0] != '\0' && strcmp(found[0]->key, cases[i].first) != 0))
			fail_msg("row %zu: '%s' found %zu, first %s", i, cases[i].words, n,
			    n > 0 ? found[0]->key : "none");
	}
}

static void
test_follows_changes(void **state)
{
	struct fixture *fx = *state;
	struct paper *p = make_words(fx, "2401.00001", "Gaussian Splatting", "Fast.");
	const char *alias[] = { "doi:10.1000/x" };

	put_one(fx, "arxiv", p, T_NOW);
	assert_int_equal(update(fx, 100), 0);
	/* Votes are not words. */
	p->votes = 7;
	put_one(fx, "arxiv", p, T_NOW + 1);
	assert_int_equal(count_rows(fx, "SELECT count(*) FROM search_due"), 0);
	p->title = "Gaussian Meshes";
	put_one(fx, "arxiv", p, T_NOW + 2);
	assert_int_equal(update(fx, 100), 0);
	assert_int_equal(count_found(fx, "splatting"), 0);
	assert_int_equal(count_found(fx, "meshes"), 1);

	/* Two become one: one answer, with the words of the one that stands. */
	p = make_words(fx, "x", "Another spelling", "Slow.");
	p->key = "doi:10.1000/x";
	put_one(fx, "feed", p, T_NOW + 3);
	assert_int_equal(update(fx, 100), 0);
	assert_int_equal(count_found(fx, "tomography"), 2);
	p = make_words(fx, "2401.00001", "Gaussian Meshes", "Fast.");
	p->aliases = alias;
	p->naliases = 1;
	put_one(fx, "arxiv", p, T_NOW + 4);
	assert_int_equal(count_found(fx, "tomography"), 1);
	assert_int_equal(
	    count_found(fx, "another"), 1); /* indexed before, and followed to the one */
	assert_int_equal(update(fx, 100), 0);
	assert_int_equal(count_found(fx, "another"), 0);
	assert_int_equal(count_found(fx, "tomography"), 1);

	prune(fx, T_NOW + 500 * (int64_t)T_DAY_S, 400 * (int64_t)T_DAY_S, 60 * T_DAY_S);
	assert_int_equal(count_found(fx, "tomography"), 0);
	assert_int_equal(update(fx, 100), 0);
	assert_int_equal(count_rows(fx, "SELECT count(*) FROM search"), 0);
	must(fx, store_check(fx->store, &fx->err));
}

static void
test_in_parts(void **state)
{
	struct fixture *fx = *state;

	for (int i = 0; i < 10; i++) {
		char name[32];

		snprintf(name, sizeof(name), "2401.%05d", i);
		put_one(fx, "arxiv", make_words(fx, name, "Tensors", ""), T_NOW);
	}
	assert_int_equal(update(fx, 0), 10);
	assert_int_equal(update(fx, 4), 6);
	assert_int_equal(count_found(fx, "tensors"), 4);
	assert_int_equal(update(fx, 4), 2);
	/* A transaction that is given up leaves the work to the next. */
	must(fx, store_begin(fx->store, &fx->err));
	must(fx, store_update_search(fx->store, 4, &(size_t){ 0 }, &fx->err));
	store_rollback(fx->store);
	assert_int_equal(count_found(fx, "tensors"), 8);
	assert_int_equal(update(fx, 4), 0);
	assert_int_equal(count_found(fx, "tensors"), 10);
	/* A dry run's index is its own. */
	put_one(fx, "arxiv", make_words(fx, "2401.00099", "Quantum", ""), T_NOW);
	reopen(fx, STORE_OVERLAY);
	assert_int_equal(update(fx, 100), 0);
	assert_int_equal(count_found(fx, "quantum"), 1);
	reopen(fx, STORE_READ);
	assert_int_equal(count_found(fx, "quantum"), 0);
}

/* Figures for a person; only a fall by a factor of many would fail here. */
static void
test_speed(void **state)
{
	enum { N = 10000 };
	static const char *const words[] = { "we", "show", "that", "gaussian", "splatting", "of",
		"large", "models", "improves", "the", "state", "art", "by", "sparse", "attention",
		"and", "tokens" };
	struct fixture *fx = *state;
	struct paper **papers = arena_array(&fx->a, N, sizeof(*papers));
	int64_t start, update_ms, search_ms, before;
	struct store_sizes sizes;
	uint32_t seed = 1;

	for (size_t i = 0; i < N; i++) {
		char name[32], *abstract = arena_alloc(&fx->a, 1401);
		size_t len = 0;

		while (len < 1200) {
			seed = seed * 1664525u + 1013904223u;
			len += (size_t)snprintf(abstract + len, 1401 - len, "%s%u ",
			    words[(seed >> 16) % 17], seed % 50 == 0 ? seed >> 20 : 0);
		}
		snprintf(name, sizeof(name), "%04zu.%05zu", 2401 + i / 10000, i % 10000);
		papers[i] = make_words(fx, name, "A title of usual length for a paper", abstract);
	}
	put_papers(fx, "arxiv", papers, N, 0, T_NOW);
	must(fx, store_load_sizes(fx->store, &sizes, &fx->err));
	before = sizes.bytes;
	start = clock_monotonic_ms();
	while (update(fx, 500) > 0)
		continue;
	update_ms = clock_monotonic_ms() - start;
	must(fx, store_load_sizes(fx->store, &sizes, &fx->err));
	start = clock_monotonic_ms();
	assert_int_equal(count_found(fx, "title usual"), 10);
	search_ms = clock_monotonic_ms() - start;
	print_message(
	    "10,000 papers of %d bytes indexed in %d ms, %d bytes each; searched in %d ms\n",
	    (int)(before / N), (int)update_ms, (int)((sizes.bytes - before) / N), (int)search_ms);
	assert_true(update_ms < 60000 && search_ms < 5000);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		T(test_what_is_found),
		T(test_follows_changes),
		T(test_in_parts),
		T(test_speed),
	};

	return cmocka_run_group_tests_name("store_search", tests, NULL, NULL);
}
