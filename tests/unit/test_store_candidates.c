/* Which papers the index of words proposes: what is asked for and what is not indexed yet; how many have a word, what is
 * spelled nearly so, what has the most of some words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store_test.h"

#include "store/db.h"
#include "store/wordset.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { EVERYWHERE = 63 };

static void
index_all(struct fixture *fx)
{
	size_t left;

	must(fx, store_begin(fx->store, &fx->err));
	must(fx, store_update_search(fx->store, 1000, &left, &fx->err));
	must(fx, store_commit(fx->store, false, &fx->err));
	assert_int_equal(left, 0);
}

/* Papers 1, 2 and 3. */
static void
fill(struct fixture *fx)
{
	static const char *authors[] = { "Ada O'Brien" }, *keywords[] = { "radiance fields" };
	struct paper *p = make_paper(fx, "2401.00001", T_TODAY);

	p->title = "Pre-training in C++ and .NET";
	p->abstract = "Studies of H$_2$O \xe2\x84\x80 by \\\"Uber k-NN.";
	p->authors = authors;
	p->nauthors = 1;
	put_one(fx, "arxiv", p, T_NOW);
	p = make_paper(fx, "2401.00002", T_TODAY - 30);
	p->title = "\xe5\xad\xa6\xe7\xbf\x92 models";
	p->abstract = "A model, GPT-4o.";
	p->keywords = keywords;
	p->nkeywords = 1;
	p->comment = "NeurIPS 2025";
	put_one(fx, "arxiv", p, T_NOW);
	p = make_paper(fx, "2401.00003", T_TODAY - 3);
	p->title = "Training";
	p->abstract = "Nothing.";
	p->org = "Model Works";
	put_one(fx, "arxiv", p, T_NOW);
	settle(fx, T_NOW);
}

/* "1 3": the papers proposed for one word. */
static void
expect(struct fixture *fx, size_t row, const struct store_words *words, int64_t since_utc,
    const char *want)
{
	char got[64] = "";
	int64_t *ids;
	size_t n;

	must(fx, store_propose_papers(fx->store, words, since_utc, &fx->a, &ids, &n, &fx->err));
	for (size_t i = 0; i < n; i++)
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%d", i > 0 ? " " : "",
		    (int)ids[i]);
	if (strcmp(got, want) != 0)
		fail_msg("row %zu (%s): got '%s', expected '%s'", row,
		    words->form != NULL ? words->form : "a list", got, want);
}

static void
test_words(void **state)
{
	static const struct {
		const char *form;
		bool prefix;
		unsigned texts;
		const char *papers;
	} cases[] = {
		{ "c++", false, EVERYWHERE, "1" },
		{ "c", false, EVERYWHERE, "" },
		{ "net", false, EVERYWHERE, "" },
		{ ".net", false, EVERYWHERE, "1" },
		{ "training", false, EVERYWHERE, "1 3" },
		{ "pretraining", false, STORE_TITLE, "1" }, /* joined */
		{ "pretrain", true, STORE_TITLE, "1" },
		{ "train", false, EVERYWHERE, "" },	   /* whole words */
		{ "study", false, STORE_ABSTRACT, "1" },   /* normal form ... */
		{ "studies", false, STORE_ABSTRACT, "1" }, /* and as it stands */
		{ "studie", true, STORE_ABSTRACT, "1" },
		{ "h2o", false, STORE_ABSTRACT, "1" },
		{ "uber", false, STORE_ABSTRACT, "1" }, /* LaTeX */
		{ "knn", false, STORE_ABSTRACT, "1" },
		{ "gpt4o", false, STORE_ABSTRACT, "2" },
		{ "\xe5\xad\xa6", false, STORE_TITLE, "2" },
		{ "\xe7\xbf\x92", false, STORE_TITLE, "2" },
		{ "model", false, STORE_TITLE, "2" },
		{ "model", false, STORE_ORG, "3" },
		{ "model", false, STORE_TITLE | STORE_ORG, "2 3" },
		{ "obrien", false, STORE_AUTHORS, "1" },
		{ "obrien", false, EVERYWHERE & ~(unsigned)STORE_AUTHORS, "" },
		{ "field", false, STORE_KEYWORDS, "2" },
		{ "neurips", false, STORE_VENUE, "2" },
		{ "\"", false, EVERYWHERE, "" }, /* nothing of FTS5 gets through */
		{ "c* OR training", false, EVERYWHERE, "" },
		{ "NOT", false, EVERYWHERE, "" },
		{ "title : training", false, EVERYWHERE, "" },
	};
	struct fixture *fx = *state;

	fill(fx);
	index_all(fx);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct store_words w = { .op = WORDS_ONE,
			.form = cases[i].form,
			.prefix = cases[i].prefix,
			.texts = cases[i].texts };
		size_t n, want = (strlen(cases[i].papers) + 1) / 2;

		expect(fx, i, &w, 0, cases[i].papers);
		must(fx, store_count_words(fx->store, &w, &n, &fx->err));
		if (n != want)
			fail_msg("row %zu: counted %zu, expected %zu", i, n, want);
	}
}

static void
test_lists_and_days(void **state)
{
	static const struct store_words any = { .op = WORDS_ANY },
					training = { .op = WORDS_ONE,
						.form = "training",
						.texts = 63 },
					model = { .op = WORDS_ONE, .form = "model", .texts = 63 },
					nothing = {
						.op = WORDS_ONE, .form = "nothing", .texts = 63
					};
	const struct store_words *both[] = { &training, &model };
	struct store_words all = { .op = WORDS_ALL, .parts = both, .nparts = 2 };
	struct store_words some = { .op = WORDS_SOME, .parts = both, .nparts = 2 };
	const struct store_words *mixed[] = { &some, &nothing };
	struct store_words deep = { .op = WORDS_ALL, .parts = mixed, .nparts = 2 };
	struct fixture *fx = *state;
	size_t n;

	fill(fx);
	index_all(fx);
	expect(fx, 0, &any, 0, "1 2 3");
	expect(fx, 1, &all, 0, "3");
	expect(fx, 2, &some, 0, "1 2 3");
	expect(fx, 3, &deep, 0, "3");
	expect(fx, 4, &any, (T_TODAY - 10) * (int64_t)T_DAY_S, "1 3");
	expect(fx, 5, &some, (T_TODAY - 10) * (int64_t)T_DAY_S, "1 3");
	expect(fx, 6, &model, (T_TODAY - 10) * (int64_t)T_DAY_S, "3");
	expect(fx, 7, &some, (T_TODAY + 1) * (int64_t)T_DAY_S, "");
	must(fx, store_count_papers(fx->store, &n, &fx->err));
	assert_int_equal(n, 3);
	must(fx, store_count_words(fx->store, &any, &n, &fx->err));
	assert_int_equal(n, 3);
}

/* Lists inside each other to the depth that is allowed: the parser of FTS5 takes them. */
static void
test_depth(void **state)
{
	struct store_words one = { .op = WORDS_ONE, .form = "training", .texts = EVERYWHERE };
	struct store_words lists[MAX_WORDS_DEPTH];
	const struct store_words *parts[MAX_WORDS_DEPTH][2];
	struct fixture *fx = *state;

	fill(fx);
	index_all(fx);
	for (size_t i = 0; i < MAX_WORDS_DEPTH; i++) {
		parts[i][0] = &one;
		parts[i][1] = i == 0 ? &one : &lists[i - 1];
		lists[i] = (struct store_words){
			.op = i % 2 == 0 ? WORDS_ALL : WORDS_SOME, .parts = parts[i], .nparts = 2
		};
	}
	expect(fx, 0, &lists[MAX_WORDS_DEPTH - 1], 0, "1 3");
}

/* Until its words are indexed a paper is always proposed; one that is gone never is. */
static void
test_lag(void **state)
{
	static const struct store_words word = { .op = WORDS_ONE, .form = "nowhere", .texts = 63 };
	struct fixture *fx = *state;
	struct paper *p;
	int64_t ids[] = { 3, 99, 1 };
	struct paper **found;
	size_t n;

	fill(fx);
	expect(fx, 0, &word, 0, "1 2 3");
	index_all(fx);
	expect(fx, 1, &word, 0, "");
	p = make_paper(fx, "2401.00003", T_TODAY - 3);
	p->title = "Now it is Nowhere";
	put_one(fx, "arxiv", p, T_NOW + 1);
	expect(fx, 2, &word, 0, "3");
	expect(fx, 3, &word, T_TODAY * (int64_t)T_DAY_S, "");
	reopen(fx, STORE_READ);
	expect(fx, 4, &word, 0, "3");
	reopen(fx, STORE_WRITE);
	index_all(fx);
	expect(fx, 5, &word, 0, "3");
	/* Comment, journal and venue are words too. */
	p->comment = "nowhere else";
	put_one(fx, "arxiv", p, T_NOW + 2);
	expect(fx, 6, &(struct store_words){ .op = WORDS_ONE, .form = "zzz", .texts = 63 }, 0, "3");

	must(fx, store_load_papers(fx->store, ids, 3, T_NOW, &fx->a, &found, &n, &fx->err));
	assert_int_equal(n, 2);
	assert_int_equal(found[0]->id, 3);
	assert_int_equal(found[1]->id, 1);
	assert_string_equal(found[0]->sources[0], "arxiv");
}

static void
test_rank(void **state)
{
	static const char *const forms[] = { "training", "model", "c++" };
	static const double weights[] = { 1, 3, 1 };
	struct fixture *fx = *state;
	int64_t *ids;
	size_t n, nunknown;

	fill(fx);
	index_all(fx);
	must(fx,
	    store_rank_papers(fx->store, forms, weights, 3, EVERYWHERE, 0, &fx->a, &ids, &n,
		&nunknown, &fx->err));
	assert_int_equal(n, 3);
	assert_int_equal(nunknown, 0);
	assert_int_equal(ids[0], 3); /* 4 */
	assert_int_equal(ids[1], 2); /* 3 */
	assert_int_equal(ids[2], 1); /* 2 */
	must(fx,
	    store_rank_papers(fx->store, forms, weights, 1, STORE_ABSTRACT, 0, &fx->a, &ids, &n,
		&nunknown, &fx->err));
	assert_int_equal(n, 0);
	put_one(fx, "arxiv", make_paper(fx, "2401.00004", T_TODAY), T_NOW);
	must(fx,
	    store_rank_papers(fx->store, forms, weights, 1, EVERYWHERE, 0, &fx->a, &ids, &n,
		&nunknown, &fx->err));
	assert_int_equal(n, 3);
	assert_int_equal(nunknown, 1);
	assert_int_equal(ids[0], 4);
	assert_int_equal(ids[1], 3); /* the same weight: the newer */
	assert_int_equal(ids[2], 1);
}

static void
test_near(void **state)
{
	static const struct {
		const char *form, *near;
	} cases[] = {
		{ "trainign", "training" },
		{ "pretrainin", "pretraining" },
		{ "studeis", "studies" },
		{ "training", "" }, /* itself is no help */
		{ "xraining", "" }, /* nor another first letter */
		{ "zebra", "" },
		{ "\xe5\xad\xa6", "" },
		{ "", "" },
	};
	struct fixture *fx = *state;

	fill(fx);
	index_all(fx);
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *near = "";
		int found = store_find_near_word(fx->store, cases[i].form, &fx->a, &near, &fx->err);

		if (found != (cases[i].near[0] != '\0') || strcmp(near, cases[i].near) != 0)
			fail_msg("row %zu: '%s' gives %d, '%s'", i, cases[i].form, found, near);
	}
}

static void
test_wordset(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{ "", "" },
		{ "The the THE", "the" },
		{ "models of a model", "models model of a" },
		{ "pre-training", "pre pretraining training" },
		{ "C++, C# .NET", "c++ c# .net" },
		{ "\xe2\x91\xb4", "_1_" }, /* a digit in brackets folds to more than a word */
		{ "v1.2 \\alpha", "v1.2 \xce\xb1" },
	};
	struct error err;
	struct wordset w;

	(void)state;
	wordset_init(&w);
	for (size_t i = 0; i < COUNT(cases); i++) {
		wordset_reset(&w);
		assert_int_equal(wordset_add(&w, cases[i].text, &err), 0);
		if (strcmp(w.out.buf, cases[i].words) != 0)
			fail_msg("row %zu: '%s'", i, w.out.buf);
	}
	wordset_release(&w);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		T(test_words),
		T(test_lists_and_days),
		T(test_depth),
		T(test_lag),
		T(test_rank),
		T(test_near),
		cmocka_unit_test(test_wordset),
	};

	return cmocka_run_group_tests_name("store_candidates", tests, NULL, NULL);
}
