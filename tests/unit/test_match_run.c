/* Sections, limits, order, reasons and what stands outside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "digest/limits.h"
#include "digest/match.h"

#include "match/index.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { NOW = 1790000000, DAY = 86400, MAX_PAPERS = 16, MAX_SECTIONS = 4 };

static const struct match_weights weights = { 1, 1, 1, 1 };

/* The papers of most tests, named by the last letter of their key. */
static const struct {
	const char *key, *title;
	int64_t votes;
	double trend;
	int64_t age_s;
} shelf[] = {
	{ "arxiv:a", "Sparse Attention", 10, 1.0, 1 * DAY },
	{ "arxiv:b", "Attention Models for Vision", 200, 0.5, 2 * DAY },
	{ "arxiv:c", "Diffusion Models", 50, 40.0, 3 * DAY },
	{ "arxiv:d", "Sparse Diffusion Attention", 0, 0.0, 4 * DAY },
	{ "arxiv:e", "Robots that Walk", 90, 9.0, 1 * DAY },
	{ "arxiv:f", "Proteins", 300, 9.0, 5 * DAY },
	{ "arxiv:g", "Nothing of Note", -1, 0.0, 1 * DAY },
};

struct bench {
	struct arena a;
	struct paper *papers[MAX_PAPERS];
	size_t npapers;
	struct match_index *index;
	struct match_literals *literals;
	struct program *programs[MAX_SECTIONS];
	struct match_section sections[MAX_SECTIONS];
	struct match_request request;
	uint64_t all, none, replaced, sent;
	struct error err;
};

static void
open_bench(struct bench *b)
{
	memset(b, 0, sizeof(*b));
	arena_init(&b->a, 1 << 24);
	b->npapers = COUNT(shelf);
	for (size_t i = 0; i < b->npapers; i++) {
		struct paper *p = paper_new(&b->a);

		assert_non_null(p);
		p->key = shelf[i].key;
		p->title = shelf[i].title;
		p->votes = shelf[i].votes;
		p->trend = shelf[i].trend;
		p->published_utc = NOW - shelf[i].age_s;
		b->papers[i] = p;
	}
	b->all = ((uint64_t)1 << b->npapers) - 1;
	b->request.sections = b->sections;
	b->request.plain = b->request.signals = &b->all;
	b->request.max_papers = 100;
	assert_int_equal(match_literals_new(&b->literals, &b->err), 0);
}

static void
make_index(struct bench *b)
{
	match_index_free(b->index);
	b->index = NULL;
	if (match_index_new(
		b->papers, b->npapers, NOW, &weights, b->literals, &b->index, &b->err) == -1)
		fail_msg("%s", b->err.msg);
}

static void
add_section(struct bench *b, const char *query, uint32_t limit, enum sort_order sort)
{
	size_t n = b->request.nsections++;
	struct query *q;

	if (query_parse(query, strlen(query), &b->a, &q, NULL, &b->err) == -1 ||
	    match_compile(b->literals, q, &b->programs[n], &b->err) == -1)
		fail_msg("'%s': %s", query, b->err.msg);
	b->sections[n].program = b->programs[n];
	b->sections[n].limit = limit;
	b->sections[n].sort = sort;
}

static void
run(struct bench *b)
{
	if (b->index == NULL)
		make_index(b);
	if (match_run(b->index, &b->request, &b->a, &b->err) == -1)
		fail_msg("%s", b->err.msg);
}

static void
close_bench(struct bench *b)
{
	for (size_t i = 0; i < b->request.nsections; i++)
		match_program_free(b->programs[i]);
	match_index_free(b->index);
	match_literals_free(b->literals);
	arena_release(&b->a);
}

/* "ab" for papers arxiv:a and arxiv:b. */
static const char *
letters(const struct bench *b, const struct pick *picks, size_t n, char out[MAX_PAPERS + 1])
{
	size_t i;

	for (i = 0; i < n && i < MAX_PAPERS; i++) {
		const char *key = b->papers[picks[i].paper]->key;

		out[i] = key[strlen(key) - 1];
	}
	out[i] = '\0';
	return out;
}

static void
check_picks(const struct bench *b, size_t section, const char *picks, const char *cut)
{
	const struct match_section *s = &b->sections[section];
	char got[MAX_PAPERS + 1], got_cut[MAX_PAPERS + 1];

	letters(b, s->picks, s->npicks, got);
	letters(b, s->cut, s->ncut, got_cut);
	if (strcmp(got, picks) != 0 || strcmp(got_cut, cut) != 0)
		fail_msg("section %zu: '%s' and cut '%s' for '%s' and '%s'", section, got, got_cut,
		    picks, cut);
}

static void
test_sort_orders(void **state)
{
	static const struct {
		const char *query;
		enum sort_order sort;
		const char *picks;
	} rows[] = {
		{ "*", SORT_VOTES, "fbecagd" },
		{ "*", SORT_NEWEST, "aegbcdf" },
		{ "*", SORT_TRENDING, "cefabgd" },
		{ "*", SORT_RELEVANCE, "aegbcdf" },
		{ "attention OR sparse", SORT_RELEVANCE, "adb" },
		{ "attention OR sparse", SORT_NEWEST, "abd" },
		{ "attention OR sparse", SORT_BEST, "abd" },
		{ "diffusion", SORT_RELEVANCE, "cd" },
		{ "nowhere", SORT_BEST, "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct bench b;
		char got[MAX_PAPERS + 1];

		open_bench(&b);
		add_section(&b, rows[i].query, 10, rows[i].sort);
		run(&b);
		letters(&b, b.sections[0].picks, b.sections[0].npicks, got);
		if (strcmp(got, rows[i].picks) != 0)
			fail_msg("row %zu: '%s'", i, got);
		assert_int_equal(b.sections[0].nmatched, strlen(rows[i].picks));
		close_bench(&b);
	}
}

/* A paper stands once, under the first section that has room for it. */
static void
test_sections(void **state)
{
	struct bench b;

	(void)state;
	open_bench(&b);
	add_section(&b, "attention", 1, SORT_NEWEST);
	add_section(&b, "sparse OR vision", 1, SORT_NEWEST);
	add_section(&b, "diffusion", 5, SORT_NEWEST);
	run(&b);
	check_picks(&b, 0, "a", "");
	check_picks(&b, 1, "b", "");
	check_picks(&b, 2, "cd", "");
	assert_int_equal(b.sections[0].nmatched, 3);
	assert_int_equal(b.sections[1].nmatched, 3);
	assert_int_equal(b.request.nmatched, 4);
	assert_int_equal(b.sections[0].picks[0].nalso_in, 1);
	assert_int_equal(b.sections[0].picks[0].also_in[0], 1);
	assert_int_equal(b.sections[2].picks[1].nalso_in, 2);
	assert_int_equal(b.sections[2].picks[1].also_in[1], 1);
	assert_int_equal(b.sections[2].picks[0].nalso_in, 0);
	close_bench(&b);
}

static void
test_limits(void **state)
{
	struct bench b;

	(void)state;
	open_bench(&b);
	add_section(&b, "attention", 1, SORT_NEWEST);
	add_section(&b, "attention OR diffusion", 1, SORT_NEWEST);
	run(&b);
	check_picks(&b, 0, "a", "d");
	check_picks(&b, 1, "b", "c");
	b.request.max_papers = 1;
	run(&b);
	check_picks(&b, 0, "a", "bd");
	check_picks(&b, 1, "", "c");
	b.request.max_papers = 0;
	run(&b);
	check_picks(&b, 0, "", "abd");
	b.request.max_papers = 100;
	b.sections[0].limit = 0;
	run(&b);
	check_picks(&b, 0, "", "bd");
	check_picks(&b, 1, "a", "c");
	close_bench(&b);
}

static void
test_cut_is_bounded(void **state)
{
	enum { N = MAX_CUT_TITLES + 100 };
	struct paper **papers;
	uint64_t all[(N + 63) / 64];
	struct bench b;

	(void)state;
	open_bench(&b);
	papers = arena_array(&b.a, N, sizeof(*papers));
	for (size_t i = 0; i < N; i++) {
		papers[i] = paper_new(&b.a);
		papers[i]->key = arena_printf(&b.a, "arxiv:%04zu", i);
	}
	memset(all, 0xff, sizeof(all));
	all[COUNT(all) - 1] = ((uint64_t)1 << (N % 64)) - 1;
	assert_int_equal(
	    match_index_new(papers, N, NOW, &weights, b.literals, &b.index, &b.err), 0);
	b.request.plain = all;
	add_section(&b, "*", 5, SORT_BEST);
	run(&b);
	assert_int_equal(b.sections[0].npicks, 5);
	assert_int_equal(b.sections[0].ncut, MAX_CUT_TITLES);
	assert_int_equal(b.sections[0].nmore, N - 5 - MAX_CUT_TITLES);
	assert_int_equal(b.sections[0].nmatched, N);
	assert_string_equal(papers[b.sections[0].picks[0].paper]->key, "arxiv:0000");
	assert_string_equal(papers[b.sections[0].cut[0].paper]->key, "arxiv:0005");
	close_bench(&b);
}

static void
test_eligibility(void **state)
{
	static const struct {
		const char *query, *picks;
	} rows[] = {
		{ "attention", "a" },		/* plain */
		{ "attention votes>=0", "ab" }, /* signals */
		{ "attention -rank=1", "ab" },
		{ "attention authors=0", "a" },
		{ "attention -is:withdrawn", "ad" }, /* plain and replaced */
		{ "is:replaced", "d" },
		{ "is:sent", "" }, /* what was sent is not new */
		{ "is:replaced is:sent", "d" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const uint64_t plain = 1, signals = 3, replaced = 8, sent = 8 | 16;
		struct bench b;
		char got[MAX_PAPERS + 1];

		open_bench(&b);
		b.request.plain = &plain;
		b.request.signals = &signals;
		b.request.replaced = &replaced;
		b.request.sent = &sent;
		b.papers[3]->version = 2;
		add_section(&b, rows[i].query, 10, SORT_NEWEST);
		run(&b);
		letters(&b, b.sections[0].picks, b.sections[0].npicks, got);
		if (strcmp(got, rows[i].picks) != 0)
			fail_msg("row %zu: '%s' gave '%s'", i, rows[i].query, got);
		for (size_t k = 0; k < b.sections[0].npicks; k++)
			assert_int_equal(
			    b.sections[0].picks[k].replaced, b.sections[0].picks[k].paper == 3);
		close_bench(&b);
	}
}

static void
test_why(void **state)
{
	static const struct {
		const char *query, *paper, *why;
	} rows[] = {
		{ "*", "arxiv:a", "" },
		{ "sparse attention", "arxiv:a", "sparse, attention" },
		{ "sparse OR vision OR attention", "arxiv:b", "vision, attention" },
		{ "\"sparse attention\" -survey", "arxiv:a", "sparse attention" },
		{ "atten* votes>=10", "arxiv:a", "atten*, votes>=10" },
		{ "-survey", "arxiv:a", "" },
		{ "-(-sparse OR -nowhere) OR sparse", "arxiv:a", "sparse" },
		{ "sparse title:sparse", "arxiv:a", "sparse" },
		{ "sparse OR (sparse attention)", "arxiv:a", "sparse, attention" },
		{ "=Sparse", "arxiv:a", "Sparse" },
		{ "\"attention sparse\"~3", "arxiv:a", "attention sparse" },
		{ "is:new id:\"arxiv:a\"", "arxiv:a", "is:new, id:\"arxiv:a\"" },
		{ "sparse diffusion attention votes<5 age>1d title:diff* is:new", "arxiv:d",
		    "sparse, diffusion, attention, votes<5, age>1d" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *why = NULL;
		struct bench b;

		open_bench(&b);
		add_section(&b, rows[i].query, 10, SORT_BEST);
		run(&b);
		for (size_t k = 0; k < b.sections[0].npicks; k++)
			if (strcmp(b.papers[b.sections[0].picks[k].paper]->key, rows[i].paper) == 0)
				why = b.sections[0].picks[k].why;
		if (why == NULL || strcmp(why, rows[i].why) != 0)
			fail_msg(
			    "row %zu: '%s': %s", i, rows[i].query, why != NULL ? why : "(none)");
		close_bench(&b);
	}
}

static void
test_outside(void **state)
{
	static const struct {
		uint32_t outside;
		const char *query, *picks;
	} rows[] = {
		{ 3, "attention", "cfe" },
		{ 2, "attention", "cf" },
		{ 10, "attention", "cfe" }, /* g has no votes */
		{ 10, "diffusion", "feab" },
		{ 0, "attention", "" },
		{ 5, "*", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct bench b;
		char got[MAX_PAPERS + 1];

		open_bench(&b);
		add_section(&b, rows[i].query, 1, SORT_BEST);
		b.request.outside = rows[i].outside;
		run(&b);
		letters(&b, b.request.outside_picks, b.request.noutside, got);
		if (strcmp(got, rows[i].picks) != 0)
			fail_msg("row %zu: '%s' gave '%s'", i, rows[i].query, got);
		close_bench(&b);
	}
}

static void
test_outside_is_eligible(void **state)
{
	const uint64_t plain = 4; /* c */
	struct bench b;
	char got[MAX_PAPERS + 1];

	(void)state;
	open_bench(&b);
	b.request.plain = &plain;
	b.request.outside = 5;
	run(&b);
	assert_string_equal(letters(&b, b.request.outside_picks, b.request.noutside, got), "c");
	assert_string_equal(b.request.outside_picks[0].why, "");
	close_bench(&b);
}

static void
test_score_is_the_sum_of_its_parts(void **state)
{
	struct bench b;

	(void)state;
	open_bench(&b);
	add_section(&b, "attention OR proteins", 10, SORT_BEST);
	run(&b);
	for (size_t i = 0; i < b.sections[0].npicks; i++) {
		const struct pick *p = &b.sections[0].picks[i];
		double sum = p->text + p->votes + p->trend + p->freshness;

		assert_true(p->score - sum < 1e-6 && sum - p->score < 1e-6);
		assert_true(p->text > 0 && p->text < 1);
		assert_true(p->votes >= 0 && p->votes <= 1);
		assert_true(p->trend >= 0 && p->trend <= 1);
		assert_true(p->freshness > 0 && p->freshness <= 1);
		if (i > 0)
			assert_true(p->score <= b.sections[0].picks[i - 1].score);
	}
	close_bench(&b);
}

static void
test_score_formula(void **state)
{
	struct bench b;
	const struct pick *p;

	(void)state;
	open_bench(&b);
	b.papers[0]->votes = 1000;
	b.papers[0]->trend = 5000;
	b.papers[0]->published_utc = NOW - 3 * DAY;
	b.papers[1]->published_utc = NOW + DAY;
	b.papers[2]->published_utc = 0;
	add_section(&b, "*", 10, SORT_VOTES);
	run(&b);
	p = &b.sections[0].picks[0];
	assert_int_equal(p->paper, 0);
	assert_true(p->text == 0 && p->votes == 1 && p->trend == 1 && p->freshness == 0.5);
	for (size_t i = 0; i < b.sections[0].npicks; i++) {
		p = &b.sections[0].picks[i];
		if (p->paper == 1)
			assert_true(p->freshness == 1);
		if (p->paper == 2)
			assert_true(p->freshness == 0);
		if (p->paper == 3)
			assert_true(p->votes == 0 && p->trend == 0);
	}
	close_bench(&b);
}

/* A word in the title says more than in the abstract, a rare one more than a common one, one in a
 * short text more. */
static void
test_relevance(void **state)
{
	static const struct {
		const char *query, *higher_title, *higher_abstract, *lower_title, *lower_abstract;
	} rows[] = {
		{ "nerf", "Nerf", "", "", "nerf" },
		{ "nerf", "", "nerf and nerf", "", "nerf and text" },
		{ "nerf", "", "nerf text", "", "nerf text text text text text text text" },
		{ "nerf OR fast", "Fast Nerf", "", "Slow Nerf", "" },
		{ "\"fast nerf\" OR nerf", "Fast Nerf", "", "Nerf Fast", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct bench b;

		open_bench(&b);
		b.papers[0]->title = rows[i].lower_title;
		b.papers[0]->abstract = rows[i].lower_abstract;
		b.papers[5]->title = rows[i].higher_title;
		b.papers[5]->abstract = rows[i].higher_abstract;
		add_section(&b, rows[i].query, 10, SORT_RELEVANCE);
		run(&b);
		if (b.sections[0].npicks != 2 || b.sections[0].picks[0].paper != 5)
			fail_msg("row %zu: '%s'", i, rows[i].query);
		close_bench(&b);
	}
}

/* Equal scores: newer first, then by key; whatever the order the papers came in. */
static void
test_order_does_not_depend_on_input(void **state)
{
	uint32_t seed = 7;

	(void)state;
	for (size_t round = 0; round < 200; round++) {
		struct bench b;

		open_bench(&b);
		for (size_t i = 0; i < b.npapers; i++) {
			b.papers[i]->title = "Same Words";
			b.papers[i]->votes = 3;
			b.papers[i]->trend = 0;
			b.papers[i]->published_utc = NOW - (i % 2 == 0 ? DAY : 2 * DAY);
		}
		for (size_t i = b.npapers - 1; i > 0; i--) {
			struct paper *p = b.papers[i];
			size_t k;

			seed = seed * 1664525 + 1013904223;
			k = (seed >> 8) % (i + 1);
			b.papers[i] = b.papers[k];
			b.papers[k] = p;
		}
		add_section(&b, "same", 3, SORT_BEST);
		add_section(&b, "words", 3, SORT_VOTES);
		run(&b);
		check_picks(&b, 0, "ace", "f");
		check_picks(&b, 1, "gbd", "");
		close_bench(&b);
	}
}

static void
test_nothing(void **state)
{
	struct bench b;

	(void)state;
	open_bench(&b);
	b.npapers = 0;
	add_section(&b, "*", 10, SORT_BEST);
	add_section(&b, "nerf", 10, SORT_BEST);
	b.request.outside = 3;
	run(&b);
	assert_int_equal(b.request.nmatched, 0);
	assert_int_equal(b.sections[0].npicks + b.sections[1].npicks + b.request.noutside, 0);
	close_bench(&b);
}

static int
ask_near(struct match_index *index, struct match_literals *literals, unsigned distance,
    uint64_t *bits, struct error *err)
{
	struct program *program = NULL;
	struct query *q;
	char text[40];
	struct arena a;
	int rc;

	arena_init(&a, 1 << 16);
	snprintf(text, sizeof(text), "\"a b\"~%u", distance);
	rc = query_parse(text, strlen(text), &a, &q, NULL, err);
	if (rc == 0)
		rc = match_compile(literals, q, &program, err);
	if (rc == 0)
		rc = match_evaluate(index, program, NULL, bits, err);
	match_program_free(program);
	arena_release(&a);
	return rc;
}

/* Filters that find all of too many papers fail alone; those after them have room again. */
static void
test_memory_is_bounded(void **state)
{
	enum { MANY = 20000 };
	struct paper **papers = calloc(MANY, sizeof(struct paper *));
	struct match_literals *literals;
	struct match_index *index;
	struct error err;
	uint64_t bits[MANY / 64 + 1];
	struct arena a;
	unsigned n;
	int rc;

	(void)state;
	assert_non_null(papers);
	arena_init(&a, 1 << 26);
	for (size_t i = 0; i < MANY; i++) {
		papers[i] = paper_new(&a);
		assert_non_null(papers[i]);
		papers[i]->title = "a b";
	}
	assert_int_equal(match_literals_new(&literals, &err), 0);
	assert_int_equal(match_index_new(papers, MANY, NOW, &weights, literals, &index, &err), 0);
	index->found.max_bytes = 16 << 20;
	for (int reader = 0; reader < 2; reader++) {
		rc = 0;
		for (n = 0; rc == 0 && n <= MAX_QUERY_DISTANCE; n++)
			rc = ask_near(index, literals, n, bits, &err);
		assert_int_equal(rc, -1);
		assert_int_equal(err.kind, ERR_DATA);
		assert_string_equal(err.msg,
		    "the filters find more than is kept in memory (16 MB); use fewer or narrower "
		    "ones");
		assert_in_range(n, 30, 300);
		match_trim(index);
		assert_int_equal(ask_near(index, literals, 7, bits, &err), 0);
		assert_int_equal(bits[0], UINT64_MAX);
	}
	match_index_free(index);
	match_literals_free(literals);
	free(papers);
	arena_release(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sort_orders),
		cmocka_unit_test(test_sections),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_cut_is_bounded),
		cmocka_unit_test(test_eligibility),
		cmocka_unit_test(test_why),
		cmocka_unit_test(test_outside),
		cmocka_unit_test(test_outside_is_eligible),
		cmocka_unit_test(test_score_is_the_sum_of_its_parts),
		cmocka_unit_test(test_score_formula),
		cmocka_unit_test(test_relevance),
		cmocka_unit_test(test_order_does_not_depend_on_input),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_memory_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
