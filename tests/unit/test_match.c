/* Which papers satisfy a query: every field, condition and property. Judged pairs are in test_match_judged.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "digest/match.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct match_weights weights = { 1, 1, 1, 1 };
enum { NOW = 1790000000 };

/* Ask an index of one or more papers; bit 0 is the answer for the first. */
static bool
ask(struct paper *const *papers, size_t n, const char *query, const uint64_t *sent, uint64_t *bits)
{
	struct match_literals *literals = NULL;
	struct match_index *index = NULL;
	struct program *program = NULL;
	struct query *q;
	struct arena a;
	struct error err;

	arena_init(&a, 1 << 24);
	if (query_parse(query, strlen(query), &a, &q, NULL, &err) == -1 ||
	    match_literals_new(&literals, &err) == -1 ||
	    match_compile(literals, q, &program, &err) == -1 ||
	    match_index_new(papers, n, NOW, &weights, literals, &index, &err) == -1 ||
	    match_evaluate(index, program, sent, bits, &err) == -1)
		fail_msg("'%s': %s", query, err.msg);
	match_index_free(index);
	match_program_free(program);
	match_literals_free(literals);
	arena_release(&a);
	return (bits[0] & 1) != 0;
}

static const struct {
	const char *query, *name;
	bool want;
} names[] = {
	{ "author:lecun", "Yann LeCun", true },
	{ "author:LeCun", "LeCun, Yann", true },
	{ "author:\"yann lecun\"", "Yann LeCun", true },
	{ "author:\"lecun yann\"", "Yann LeCun", true },
	{ "author:\"y lecun\"", "Yann LeCun", true },
	{ "author:\"Y. LeCun\"", "Yann LeCun", true },
	{ "author:\"y lecun\"", "Y. LeCun", true },
	{ "author:\"yann lecun\"", "Y. LeCun", false },
	{ "author:\"yann lecun\"", "Yann A. LeCun", true },
	{ "author:\"y a lecun\"", "Yann A. LeCun", true },
	{ "author:\"y b lecun\"", "Yann A. LeCun", false },
	{ "author:\"y y lecun\"", "Yann LeCun", false },
	{ "author:\"bengio lecun\"", "Yann LeCun", false },
	{ "author:lec", "Yann LeCun", false },
	{ "author:lec*", "Yann LeCun", true },
	{ "author:\"yann lec*\"", "Yann LeCun", true },
	{ "author:\"y lec*\"", "Yann LeCun", true },
	{ "author:\"le cun\"", "Yann LeCun", true },
	{ "author:=LeCun", "Yann LeCun", true },
	{ "author:=lecun", "Yann LeCun", false },
	{ "author:y", "Yann LeCun", true },
	{ "author:z", "Yann LeCun", false },
	{ "author:he", "Kaiming He", true },
	{ "author:he", "Hector Heming", false },
	{ "author:scholkopf", "Bernhard Sch\u00f6lkopf", true },
	{ "author:\"b sch\u00f6lkopf\"", "Bernhard Schoelkopf", false },
	{ "author:schmidhuber", "J\u00fcrgen Schmidhuber", true },
	{ "author:obrien", "Conan O'Brien", true },
	{ "author:o'brien", "Conan OBrien", true },
	{ "author:obri*", "Conan O'Brien", true },
	{ "author:o'bri*", "Conan O'Brien", true },
	{ "author:o'bri*", "Conan OBrien", true },
	{ "author:\"conan o'bri*\"", "Conan OBrien", true },
	{ "author:\"conan obri*\"", "Conan O'Brien", true },
	{ "author:obri*", "Brian O.", false },
	{ "author:\"conan o'brien\"", "Conan O\u2019Brien", true },
	{ "author:\"jean-baptiste alayrac\"", "Jean-Baptiste Alayrac", true },
	{ "author:\"jeanbaptiste alayrac\"", "Jean-Baptiste Alayrac", true },
	{ "author:\"jean alayrac\"", "Jean-Baptiste Alayrac", true },
	{ "author:\"j b alayrac\"", "Jean-Baptiste Alayrac", true },
	{ "author:jones", "Llion Jone", false },
	{ "author:jones", "Llion Jones", true },
	{ "author:\u4f55\u607a\u660e", "\u4f55\u607a\u660e", true },
	{ "author:\u4f55\u607a", "\u4f55\u607a\u660e", true },
	{ "author:\u674e", "\u4f55\u607a\u660e", false },
	{ "author:(lecun OR bengio)", "Yoshua Bengio", true },
	{ "author:(lecun -yann)", "Yann LeCun", false },
	{ "lecun", "Yann LeCun", false },
	{ "author:\"\u0141ukasz kaiser\"", "Lukasz Kaiser", true },
	{ "author:\"Erd\u0151s\"", "Paul Erd\\H{o}s", true },
};

static void
test_authors(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < COUNT(names); i++) {
		struct paper *p = paper_new(&a);
		uint64_t bits;

		assert_non_null(p);
		p->authors = (const char **)(uintptr_t)&names[i].name;
		p->nauthors = 1;
		if (ask(&p, 1, names[i].query, NULL, &bits) != names[i].want)
			fail_msg("row %zu: '%s' on '%s'", i, names[i].query, names[i].name);
	}
	arena_release(&a);
}

/* One paper with everything. */
static struct paper *
example(struct arena *a)
{
	static const char *authors[] = { "Kaiming He", "Saining Xie", "Yann LeCun" };
	static const char *categories[] = { "cs.CV", "cs.LG", "quant-ph", "stat.ML" };
	static const char *keywords[] = { "masked autoencoder", "vision transformers" };
	static const char *aliases[] = { "doi:10.1000/xyz", "huggingface:2312.00752" };
	static const char *sources[] = { "huggingface", "arxiv new" };
	struct paper *p = paper_new(a);

	assert_non_null(p);
	p->key = "arxiv:2312.00752";
	p->aliases = aliases;
	p->naliases = 2;
	p->title = "Learning to See";
	p->abstract = "We study sparse attention. Models of the world are trained on video.";
	p->authors = authors;
	p->nauthors = 3;
	p->org = "Google DeepMind";
	p->categories = categories;
	p->ncategories = 4;
	p->primary_known = true;
	p->keywords = keywords;
	p->nkeywords = 2;
	p->comment = "Accepted at NeurIPS 2026, 12 pages";
	p->journal_ref = "Nature 600, 1 (2026)";
	p->venue = "ICML";
	p->code_url = "https://github.com/x/y";
	p->doi = "10.1000/xyz";
	p->version = 1;
	p->published_utc = NOW - 3 * 86400;
	p->votes = 30;
	p->comments = 0;
	p->rank = 5;
	p->kind = PAPER_CROSS;
	p->source = "huggingface";
	p->sources = sources;
	p->nsources = 2;
	return p;
}

static const struct {
	const char *query;
	bool want;
} fields[] = {
	{ "see", true },
	{ "attention", true },
	{ "autoencoder", true },
	{ "deepmind", false },
	{ "title:see", true },
	{ "title:attention", false },
	{ "abstract:attention", true },
	{ "abstract:see", false },
	{ "keyword:autoencoder", true },
	{ "keyword:\"vision transformer\"", true },
	{ "keyword:\"autoencoder vision\"", false },
	{ "keyword:\"autoencoder vision\"~1000", false },
	{ "\"see we\"", false },
	{ "\"see we\"~1000", false },
	{ "\"attention models\"", true },
	{ "org:deepmind", true },
	{ "org:\"google deepmind\"", true },
	{ "org:deep*", true },
	{ "org:meta", false },
	{ "title:(see learning)", true },
	{ "title:(see -learning)", false },
	{ "first-author:he", true },
	{ "first-author:xie", false },
	{ "last-author:lecun", true },
	{ "last-author:\"y lecun\"", true },
	{ "last-author:xie", false },
	{ "author:xie", true },
	{ "author:\"kaiming xie\"", false },
	{ "author:(\"kaiming he\" OR \"nobody\")", true },
	{ "author:(\"kaiming he\" \"saining xie\")", true },
	{ "cat:cs.CV", true },
	{ "cat:CS.cv", true },
	{ "cat:cs", true },
	{ "cat:cs.*", true },
	{ "cat:cs*", true },
	{ "cat:cs.C", false },
	{ "cat:cs.C*", true },
	{ "cat:=cs.CV", true },
	{ "cat:=cs.cv", false },
	{ "cat:quant-ph", true },
	{ "cat:quant", false },
	{ "cat:stat", true },
	{ "cat:math", false },
	{ "cat:(math OR stat)", true },
	{ "primary:cs.CV", true },
	{ "primary:cs.LG", false },
	{ "primary:cs", true },
	{ "venue:neurips", true },
	{ "venue:nature", true },
	{ "venue:icml", true },
	{ "venue:cvpr", false },
	{ "venue:\"neurips 2026\"", true },
	{ "venue:\"pages nature\"", false },
	{ "source:huggingface", true },
	{ "source:arxiv", true },
	{ "source:\"arxiv new\"", true },
	{ "source:biorxiv", false },
	{ "id:2312.00752", true },
	{ "id:2312.00752v3", true },
	{ "id:arxiv:2312.00752", true },
	{ "id:https://huggingface.co/papers/2312.00752", true },
	{ "id:10.1000/XYZ", true },
	{ "id:https://doi.org/10.1000/xyz", true },
	{ "id:2312.00753", false },
	{ "id:huggingface:2312.00752", true },
	{ "votes>=30", true },
	{ "votes>30", false },
	{ "votes=30", true },
	{ "votes<=30", true },
	{ "votes<30", false },
	{ "upvotes>=30", true },
	{ "comments=0", true },
	{ "stars=0", true },
	{ "stars>0", false },
	{ "stars<1", true },
	{ "authors<=3", true },
	{ "authors>3", false },
	{ "rank<=5", true },
	{ "rank<5", false },
	{ "age<7d", true },
	{ "age<=3d", true },
	{ "age<3d", false },
	{ "age>2d", true },
	{ "age<1w", true },
	{ "age<48h", false },
	{ "published>=2026-01-01", true },
	{ "published<2026-01-01", false },
	{ "published=2026-09-18", true },
	{ "published>2026-09-18", false },
	{ "published>=2026-09-18", true },
	{ "published<2026-09-18", false },
	{ "has:code", true },
	{ "has:project", false },
	{ "has:media", false },
	{ "has:doi", true },
	{ "is:cross", true },
	{ "is:new", false },
	{ "is:replaced", false },
	{ "is:withdrawn", false },
	{ "is:sent", true },
	{ "-is:sent", false },
	{ "cat:cs votes>=10 -is:new", true },
};

static void
test_fields(void **state)
{
	struct arena a;
	const uint64_t sent = 1;

	(void)state;
	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < COUNT(fields); i++) {
		struct paper *p = example(&a);
		uint64_t bits;

		if (ask(&p, 1, fields[i].query, &sent, &bits) != fields[i].want)
			fail_msg("row %zu: '%s'", i, fields[i].query);
	}
	arena_release(&a);
}

static void
test_empty_paper(void **state)
{
	static const struct {
		const char *query;
		bool want;
	} rows[] = {
		{ "votes<1", true },
		{ "votes=0", true },
		{ "comments<1", true },
		{ "authors=0", true },
		{ "rank<=5", false },
		{ "rank>0", false },
		{ "age<100000d", false },
		{ "age>0h", false },
		{ "published<2999-01-01", false },
		{ "first-author:x", false },
		{ "last-author:x", false },
		{ "primary:cs", false },
		{ "cat:cs", false },
		{ "is:new", true },
		{ "is:sent", false },
		{ "x*", false },
		{ "-x", true },
		{ "source:x", false },
		{ "has:doi", false },
	};
	struct arena a;
	uint64_t bits;

	(void)state;
	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct paper *p = paper_new(&a);

		if (ask(&p, 1, rows[i].query, NULL, &bits) != rows[i].want)
			fail_msg("row %zu: '%s'", i, rows[i].query);
	}
	arena_release(&a);
}

static void
test_primary_must_be_known(void **state)
{
	struct arena a;
	struct paper *p;
	uint64_t bits;

	(void)state;
	arena_init(&a, 1 << 20);
	p = example(&a);
	p->primary_known = false;
	assert_false(ask(&p, 1, "primary:cs.CV", NULL, &bits));
	p->kind = PAPER_REPLACE;
	assert_true(ask(&p, 1, "is:replaced -is:cross", NULL, &bits));
	p->withdrawn_utc = 1;
	assert_true(ask(&p, 1, "is:withdrawn", NULL, &bits));
	arena_release(&a);
}

static void
test_no_papers(void **state)
{
	struct paper *none = NULL;
	uint64_t bits = 0;

	(void)state;
	assert_false(ask(&none, 0, "a OR -b", NULL, &bits));
}

/* Bits of papers that do not exist stay 0, whatever the number of papers. */
static void
test_sizes(void **state)
{
	static const size_t sizes[] = { 1, 2, 63, 64, 65, 127, 128, 130, 1000 };
	struct paper *papers[1000];
	uint64_t bits[16];
	struct arena a;

	(void)state;
	arena_init(&a, 1 << 24);
	for (size_t i = 0; i < COUNT(papers); i++) {
		papers[i] = paper_new(&a);
		assert_non_null(papers[i]);
		papers[i]->title = i % 3 == 0 ? "Three" : "Other";
	}
	for (size_t s = 0; s < COUNT(sizes); s++) {
		static const char *const queries[] = { "*", "three", "-three", "three OR -three",
			"NOT -three" };

		for (size_t q = 0; q < COUNT(queries); q++) {
			size_t n = sizes[s],
			       want = q == 1 || q == 4 ? (n + 2) / 3
			    : q == 2		       ? n - (n + 2) / 3
						       : n;
			size_t got = 0;

			ask(papers, n, queries[q], NULL, bits);
			for (size_t w = 0; w < (n + 63) / 64; w++)
				got += (size_t)__builtin_popcountll(bits[w]);
			if (got != want)
				fail_msg("%zu papers, '%s': %zu for %zu", n, queries[q], got, want);
		}
	}
	arena_release(&a);
}

static const struct {
	const char *query;
	enum query_field field;
	const char *marked; /* the text with brackets around what is found */
} spans[] = {
	{ "attention", FIELD_ABSTRACT,
	    "Sparse [attention], pre-training and caf\u00e9s. [Attention]!" },
	{ "attention OR nothing", FIELD_TITLE, "Is [Attention] All?" },
	{ "\"sparse attention\"", FIELD_ABSTRACT,
	    "[Sparse attention], pre-training and caf\u00e9s. Attention!" },
	{ "pretraining", FIELD_ABSTRACT,
	    "Sparse attention, [pre-training] and caf\u00e9s. Attention!" },
	{ "cafe", FIELD_ABSTRACT, "Sparse attention, pre-training and [caf\u00e9s]. Attention!" },
	{ "caf*", FIELD_ABSTRACT, "Sparse attention, pre-training and [caf\u00e9s]. Attention!" },
	{ "\"cafe sparse\"~9", FIELD_ABSTRACT,
	    "[Sparse] attention, pre-training and [caf\u00e9s]. Attention!" },
	{ "\"attention cafe\"~5", FIELD_ABSTRACT,
	    "Sparse [attention], pre-training and [caf\u00e9s]. Attention!" },
	{ "\"attention cafe\"~0", FIELD_ABSTRACT,
	    "Sparse attention, pre-training and [caf\u00e9s]. [Attention]!" },
	{ "\"attention and\"~3", FIELD_ABSTRACT,
	    "Sparse [attention], pre-training [and] caf\u00e9s. Attention!" },
	{ "\"attention sparse\"~2 OR \"cafe attention\"~1", FIELD_ABSTRACT,
	    "[Sparse] [attention], pre-training and [caf\u00e9s]. [Attention]!" },
	{ "\"pretraining sparse\"~4", FIELD_ABSTRACT,
	    "[Sparse] attention, [pre-training] and caf\u00e9s. Attention!" },
	{ "=Attention", FIELD_ABSTRACT,
	    "Sparse attention, pre-training and caf\u00e9s. [Attention]!" },
	{ "-sparse", FIELD_ABSTRACT, "Sparse attention, pre-training and caf\u00e9s. Attention!" },
	{ "title:sparse", FIELD_ABSTRACT,
	    "Sparse attention, pre-training and caf\u00e9s. Attention!" },
	{ "training OR pre OR pretraining", FIELD_ABSTRACT,
	    "Sparse attention, [pre-training] and caf\u00e9s. Attention!" },
	{ "votes>3 author:x", FIELD_ABSTRACT,
	    "Sparse attention, pre-training and caf\u00e9s. Attention!" },
};

/* Brackets around the spans. */
static void
mark(struct strbuf *out, const char *text, const struct match_span *list, size_t n)
{
	size_t at = 0;

	for (size_t i = 0; i < n; i++) {
		strbuf_addn(out, text + at, list[i].start - at);
		strbuf_addc(out, '[');
		strbuf_addn(out, text + list[i].start, list[i].end - list[i].start);
		strbuf_addc(out, ']');
		at = list[i].end;
	}
	strbuf_add(out, text + at);
}

static void
test_spans(void **state)
{
	struct arena a;
	struct paper *p;
	struct match_literals *literals = NULL;
	struct match_index *index;
	struct error err;

	(void)state;
	arena_init(&a, 1 << 24);
	p = paper_new(&a);
	p->title = "Is Attention All?";
	p->abstract = "Sparse attention, pre-training and caf\u00e9s. Attention!";
	assert_int_equal(match_literals_new(&literals, &err), 0);
	assert_int_equal(match_index_new(&p, 1, NOW, &weights, literals, &index, &err), 0);
	for (size_t i = 0; i < COUNT(spans); i++) {
		const char *text = spans[i].field == FIELD_TITLE ? p->title : p->abstract;
		struct program *program;
		struct match_span *list;
		struct strbuf out;
		struct query *q;
		size_t n;

		strbuf_init(&out, 1 << 16);
		assert_int_equal(
		    query_parse(spans[i].query, strlen(spans[i].query), &a, &q, NULL, &err), 0);
		assert_int_equal(match_compile(literals, q, &program, &err), 0);
		assert_int_equal(
		    match_find_spans(index, program, 0, spans[i].field, &a, &list, &n, &err), 0);
		mark(&out, text, list, n);
		if (strcmp(out.buf, spans[i].marked) != 0)
			fail_msg("row %zu: '%s' gave %s", i, spans[i].query, out.buf);
		strbuf_release(&out);
		match_program_free(program);
	}
	match_index_free(index);
	match_literals_free(literals);
	arena_release(&a);
}

/* What marks are remembered by: in each paper they are the spans, at first and when asked again, after matching as before. */
static void
test_marks_are_spans(void **state)
{
	static const char *const titles[] = { "Is Attention All?", "Sparse things", "",
		"Caf\u00e9 pre-training" };
	static const char *const abstracts[] = {
		"Sparse attention, pre-training and caf\u00e9s. Attention!", "Nothing of the kind.",
		"", "attention sparse attention", "Training, pre and post."
	};
	enum { NTITLES = COUNT(titles), PAPERS = NTITLES * COUNT(abstracts) };
	struct match_literals *literals = NULL;
	struct paper *papers[PAPERS];
	struct match_index *index;
	struct error err;
	struct arena a;

	(void)state;
	arena_init(&a, 1 << 24);
	for (size_t i = 0; i < PAPERS; i++) {
		papers[i] = paper_new(&a);
		papers[i]->title = titles[i % NTITLES];
		papers[i]->abstract = abstracts[i / NTITLES];
	}
	assert_int_equal(match_literals_new(&literals, &err), 0);
	assert_int_equal(match_index_new(papers, PAPERS, NOW, &weights, literals, &index, &err), 0);
	for (size_t i = 0; i < 3 * COUNT(spans); i++) {
		const char *query = spans[i / 3].query;
		struct match_terms *terms;
		struct program *program;
		struct query *q;
		uint64_t bits;

		assert_int_equal(query_parse(query, strlen(query), &a, &q, NULL, &err), 0);
		assert_int_equal(match_compile(literals, q, &program, &err), 0);
		if (i % 3 > 0) /* known which papers have it */
			assert_int_equal(match_evaluate(index, program, NULL, &bits, &err), 0);
		assert_int_equal(match_read_terms(index, program, &a, &terms, &err), 0);
		for (uint32_t k = 0; k < PAPERS; k++) {
			struct match_span *title, *abstract;
			size_t ntitle, nabstract, n, same = 0;
			struct paper_mark *marks;

			assert_int_equal(match_find_spans(index, program, k, FIELD_TITLE, &a,
					     &title, &ntitle, &err),
			    0);
			assert_int_equal(match_find_spans(index, program, k, FIELD_ABSTRACT, &a,
					     &abstract, &nabstract, &err),
			    0);
			assert_int_equal(
			    match_find_marks(index, terms, k, SIZE_MAX, &a, &marks, &n, &err), 0);
			for (size_t m = 0; m < n && n == ntitle + nabstract; m++) {
				const struct match_span *want =
				    m < ntitle ? &title[m] : &abstract[m - ntitle];

				same +=
				    marks[m].text == (m < ntitle ? PAPER_TITLE : PAPER_ABSTRACT) &&
				    marks[m].start == want->start && marks[m].end == want->end;
			}
			if (n != ntitle + nabstract || same != n)
				fail_msg("'%s' in paper %u: %zu marks, %zu of them as spans are",
				    query, k, n, same);
		}
		match_program_free(program);
	}
	match_index_free(index);
	match_literals_free(literals);
	arena_release(&a);
}

/* More texts than are kept at a time, asked for again and again: always the same places. */
static void
test_marks_of_many_texts(void **state)
{
	enum { PAPERS = 260, REPEATS = 900 };
	static const char text[] = "is attention all you need";
	struct paper *papers[PAPERS];
	struct match_literals *literals = NULL;
	struct match_index *index;
	struct match_terms *terms;
	struct program *program;
	struct strbuf abstract;
	struct error err;
	struct query *q;
	struct arena a;

	(void)state;
	arena_init(&a, 256u << 20);
	strbuf_init(&abstract, 1 << 20);
	for (int i = 0; i < REPEATS; i++)
		strbuf_add(&abstract, "Sparse attentions of ours. ");
	for (size_t i = 0; i < PAPERS; i++) {
		papers[i] = paper_new(&a);
		papers[i]->title = arena_printf(&a, "%zu times %s", i, text);
		papers[i]->summary = "Attention.";
		papers[i]->abstract = abstract.buf;
	}
	assert_int_equal(match_literals_new(&literals, &err), 0);
	assert_int_equal(match_index_new(papers, PAPERS, NOW, &weights, literals, &index, &err), 0);
	assert_int_equal(query_parse("attention", 9, &a, &q, NULL, &err), 0);
	assert_int_equal(match_compile(literals, q, &program, &err), 0);
	assert_int_equal(match_read_terms(index, program, &a, &terms, &err), 0);
	for (uint32_t round = 0; round < 3; round++)
		for (uint32_t i = 0; i < PAPERS; i++) {
			struct paper_mark *list;
			size_t n;

			assert_int_equal(
			    match_find_marks(index, terms, i, SIZE_MAX, &a, &list, &n, &err), 0);
			assert_int_equal(n, 2 + REPEATS);
			assert_int_equal(list[0].text, PAPER_TITLE);
			assert_memory_equal(papers[i]->title + list[0].start, "attention", 9);
			assert_true(list[1].text == PAPER_SUMMARY && list[1].start == 0 &&
			    list[1].end == 9);
			assert_true(list[3].text == PAPER_ABSTRACT && list[3].start == 34 &&
			    list[3].end == 44);
			assert_int_equal(
			    match_find_marks(index, terms, i, 2, &a, &list, &n, &err), 0);
			assert_true(n == 2 && list[1].text == PAPER_SUMMARY);
		}
	match_program_free(program);
	match_index_free(index);
	match_literals_free(literals);
	strbuf_release(&abstract);
	arena_release(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_authors),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_empty_paper),
		cmocka_unit_test(test_primary_must_be_known),
		cmocka_unit_test(test_no_papers),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_spans),
		cmocka_unit_test(test_marks_are_spans),
		cmocka_unit_test(test_marks_of_many_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
