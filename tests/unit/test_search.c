/* Search: whatever the evaluator finds is proposed by the index of words; papers of several indexes are scored and ordered as
 * if they stood in one; the words by which a paper is told from others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store_test.h"

#include "run/stages.h"
#include "digest/limits.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { NPAPERS = 120, NQUERIES = 3000 };

static const struct match_weights weights = { 1, 1, 1, 1 };

static uint32_t
pick(uint32_t *seed, size_t n)
{
	*seed = *seed * 1664525u + 1013904223u;
	return (uint32_t)((*seed >> 8) % n);
}

/* ---- what is found is proposed ---- */

/* Words that the tokenizer must think about. */
static const char *const spellings[] = { "training", "Pre-training", "pretraining", "pre", "model",
	"models", "MODELS", "study", "studies", "universe", "university", "C++", "C#", ".NET",
	"GPT-4o", "$\\mu$P", "\xce\xbcP", "H$_2$O", "k-NN", "RAG", "rag", "LLMs", "colour",
	"colors", "tokenise", "na\xc3\xafve", "Erd\\H{o}s", "\xe5\xad\xa6\xe7\xbf\x92",
	"\xe5\xad\xa6", "O'Brien", "v1.2", "2312.00752",
	"\xef\xac\x81"
	"eld",
	"state-of-the-art", "bias", "\xe2\x91\xb4", "x", "the" };

static const char *
make_text(struct arena *a, uint32_t *seed, size_t nwords)
{
	const char *text = "";

	for (size_t i = 0; i < nwords; i++)
		text = arena_printf(
		    a, "%s%s%s", text, i > 0 ? " " : "", spellings[pick(seed, COUNT(spellings))]);
	return text;
}

static void
fill(struct fixture *fx)
{
	static const char *names[] = { "Ada O'Brien", "Y. LeCun", "Yann Le Cun",
		"J\xc3\xbcrgen M\xc3\xbcller", "\xe5\xb1\xb1\xe7\x94\xb0 \xe5\xa4\xaa\xe9\x83\x8e",
		"Jean-Luc Pre Training" };
	struct paper *papers[NPAPERS];
	uint32_t seed = 7;
	size_t left;

	for (size_t i = 0; i < NPAPERS; i++) {
		char name[32];
		struct paper *p;
		const char **lists;

		snprintf(name, sizeof(name), "2401.%05zu", i);
		papers[i] = p = make_paper(fx, name, T_TODAY);
		p->title = make_text(&fx->a, &seed, 1 + pick(&seed, 4));
		p->abstract = make_text(&fx->a, &seed, pick(&seed, 10));
		p->org = make_text(&fx->a, &seed, pick(&seed, 2));
		p->comment = make_text(&fx->a, &seed, pick(&seed, 2));
		p->votes = (int64_t)pick(&seed, 10);
		lists = arena_array(&fx->a, 2, sizeof(*lists));
		lists[0] = names[pick(&seed, COUNT(names))];
		lists[1] = make_text(&fx->a, &seed, 2);
		p->authors = &lists[0];
		p->nauthors = 1;
		p->keywords = &lists[1];
		p->nkeywords = 1;
	}
	put_papers(fx, "arxiv", papers, NPAPERS, 0, T_NOW);
	settle(fx, T_NOW);
	must(fx, store_begin(fx->store, &fx->err));
	must(fx, store_update_search(fx->store, NPAPERS, &left, &fx->err));
	must(fx, store_commit(fx->store, false, &fx->err));
	assert_int_equal(left, 0);
}

static void
add_term(struct strbuf *out, uint32_t *seed)
{
	static const char *const fields[] = { "", "", "", "",
		"title:", "abstract:", "author:", "first-author:", "org:", "keyword:", "venue:" };
	static const char *const names[] = { "\"y lecun\"", "\"le cun\"", "obrien", "\"o'brien\"",
		"y*", "m\xc3\xbcll*", "muller", "\"jean luc\"", "=LeCun", "pretraining" };
	const char *field = fields[pick(seed, COUNT(fields))];
	const char *x = spellings[pick(seed, COUNT(spellings))];
	const char *y = spellings[pick(seed, COUNT(spellings))];

	strbuf_add(out, field);
	if (strstr(field, "author") != NULL && pick(seed, 3) > 0) {
		strbuf_add(out, names[pick(seed, COUNT(names))]);
		return;
	}
	switch (pick(seed, 6)) {
	case 0:
		strbuf_addf(out, "\"%s %s\"", x, y);
		break;
	case 1:
		strbuf_addf(out, "=%s", x);
		break;
	case 2:
		strbuf_addf(out, "%.*s*", 1 + (int)pick(seed, 4), x);
		break;
	case 3:
		strbuf_addf(out, "\"%s %s\"~9", x, y);
		break;
	default:
		strbuf_add(out, x);
		break;
	}
}

static void
add_query(struct strbuf *out, uint32_t *seed, int depth)
{
	switch (depth > 0 ? pick(seed, 5) : 4) {
	case 0:
	case 1:
		strbuf_addc(out, '(');
		add_query(out, seed, depth - 1);
		strbuf_add(out, pick(seed, 2) == 0 ? " OR " : " ");
		add_query(out, seed, depth - 1);
		strbuf_addc(out, ')');
		break;
	case 2:
		strbuf_add(out, "NOT (");
		add_query(out, seed, depth - 1);
		strbuf_addc(out, ')');
		break;
	case 3:
		strbuf_add(out, "votes>=5");
		break;
	default:
		add_term(out, seed);
		break;
	}
}

struct trial {
	struct fixture *fx;
	struct paper **papers;
	size_t npapers, nfound, nproposed, nqueries;
	struct match_literals *literals;
	struct match_index *index;
};

static bool
has_id(const int64_t *ids, size_t n, int64_t id)
{
	for (size_t i = 0; i < n; i++)
		if (ids[i] == id)
			return true;
	return false;
}

static void
try_query(struct trial *t, const char *text)
{
	uint64_t bits[(NPAPERS + 63) / 64];
	const struct store_words *words;
	struct program *program;
	struct query *q;
	struct arena a;
	struct error err;
	int64_t *ids;
	size_t n;

	arena_init(&a, 1 << 24);
	if (query_parse(text, strlen(text), &a, &q, NULL, &err) == -1) {
		arena_release(&a);
		return; /* half a character before a star */
	}
	assert_int_equal(match_compile(t->literals, q, &program, &err), 0);
	assert_int_equal(match_evaluate(t->index, program, NULL, bits, &err), 0);
	match_program_free(program);
	assert_non_null(words = propose_words(q, &a));
	if (store_propose_papers(t->fx->store, words, 0, &a, &ids, &n, &err) == -1)
		fail_msg("%s: %s", text, err.msg);
	for (size_t i = 0; i < t->npapers; i++) {
		bool found = (bits[i / 64] >> (i % 64) & 1) != 0;

		t->nfound += found;
		if (found && !has_id(ids, n, t->papers[i]->id))
			fail_msg("%s: '%s' / '%s' is found and not proposed", text,
			    t->papers[i]->title, t->papers[i]->abstract);
	}
	t->nproposed += n;
	t->nqueries++;
	arena_release(&a);
}

static void
test_found_is_proposed(void **state)
{
	struct fixture *fx = *state;
	struct trial t = { .fx = fx };
	struct strbuf text;
	uint32_t seed = 11;

	fill(fx);
	t.npapers = load_window(fx, 1, T_NOW, &t.papers);
	assert_int_equal(t.npapers, NPAPERS);
	must(fx, match_literals_new(&t.literals, &fx->err));
	must(fx,
	    match_index_new(t.papers, t.npapers, T_NOW, &weights, t.literals, &t.index, &fx->err));
	strbuf_init(&text, 1 << 16);
	for (size_t i = 0; i < NQUERIES; i++) {
		strbuf_reset(&text);
		add_query(&text, &seed, 3);
		assert_int_equal(strbuf_check(&text, &fx->err), 0);
		try_query(&t, text.buf);
	}
	/* Something was found, and much was not even proposed. */
	assert_true(t.nqueries > NQUERIES / 2 && t.nfound > NQUERIES);
	assert_true(t.nproposed >= t.nfound && t.nproposed < t.nqueries * NPAPERS * 3 / 4);
	strbuf_release(&text);
	match_index_free(t.index);
	match_literals_free(t.literals);
}

/* What cannot be narrowed, or is too much to ask, proposes everything; a part of AND that can be still narrows. */
static void
test_shape(void **state)
{
	static const struct {
		const char *query;
		enum store_words_op op;
	} cases[] = {
		{ "*", WORDS_ANY }, { "votes>=3", WORDS_ANY }, { "NOT model", WORDS_ANY },
		{ "cat:cs.CV", WORDS_ANY }, { "source:arxiv", WORDS_ANY },
		{ "id:2401.00001", WORDS_ANY }, { "model OR votes>=3", WORDS_ANY },
		{ "author:y", WORDS_ANY }, /* an initial */
		{ "model votes>=3", WORDS_ONE }, { "model -phone", WORDS_ONE },
		{ "author:\"y lecun\"", WORDS_SOME }, /* or "ylecun" */
		{ "=RAG", WORDS_SOME },		      /* or RAGs */
		{ "a OR b", WORDS_SOME }, { "a b", WORDS_ALL },
		{ "((((((((((((((((((((a OR b) c) OR d) e) OR f) g) OR h) i) OR j) k) OR l) m) OR "
		  "n) o) OR p) "
		  "q) OR r) s) OR t) u)",
		    WORDS_ALL }, /* too deep inside, but the outer words narrow */
	};
	struct arena a;
	struct error err;
	struct query *q;

	(void)state;
	arena_init(&a, 1 << 24);
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct store_words *w;

		if (query_parse(cases[i].query, strlen(cases[i].query), &a, &q, NULL, &err) == -1)
			fail_msg("row %zu: %s", i, err.msg);
		w = propose_words(q, &a);
		if (w == NULL || w->op != cases[i].op)
			fail_msg("row %zu: %s asks by %d", i, cases[i].query,
			    w != NULL ? (int)w->op : -1);
	}
	arena_release(&a);
}

static void
test_too_many_words(void **state)
{
	struct strbuf text;
	struct arena a;
	struct error err;
	struct query *q;

	(void)state;
	arena_init(&a, 1 << 26);
	strbuf_init(&text, MAX_QUERY_BYTES);
	for (int i = 0; i < 1500; i++)
		strbuf_addf(&text, "%sw%d", i > 0 ? " OR " : "", i);
	assert_int_equal(query_parse(text.buf, text.len, &a, &q, NULL, &err), 0);
	assert_int_equal(propose_words(q, &a)->op, WORDS_ANY);
	strbuf_release(&text);
	arena_release(&a);
}

/* ---- one corpus ---- */

enum { NSHELF = 6 };

struct shelf {
	struct arena a;
	struct paper *papers[NSHELF];
	struct match_literals *literals;
	struct query *query;
	struct program *program;
	struct error err;
};

static void
open_shelf(struct shelf *s, const char *query)
{
	/* As many words in each half, so that both have the same mean. */
	static const char *const titles[NSHELF] = { "sparse attention here now", "dense attention",
		"no word of it", "attention attention sparse too", "sparse things",
		"other words are here" };

	memset(s, 0, sizeof(*s));
	arena_init(&s->a, 1 << 24);
	for (size_t i = 0; i < NSHELF; i++) {
		struct paper *p = paper_new(&s->a);

		assert_non_null(p);
		p->key = arena_printf(&s->a, "arxiv:%zu", i);
		p->title = titles[i];
		p->votes = (int64_t)i;
		p->trend = 10.0 - (double)i;
		p->published_utc = T_NOW - (int64_t)(i % 3) * T_DAY_S;
		s->papers[i] = p;
	}
	assert_int_equal(match_literals_new(&s->literals, &s->err), 0);
	assert_int_equal(query_parse(query, strlen(query), &s->a, &s->query, NULL, &s->err), 0);
	assert_int_equal(match_compile(s->literals, s->query, &s->program, &s->err), 0);
}

static void
close_shelf(struct shelf *s)
{
	match_program_free(s->program);
	match_literals_free(s->literals);
	arena_release(&s->a);
}

/* Picks of some of the papers; returns how many. */
static size_t
run_on(struct shelf *s, size_t first, size_t n, struct match_corpus *corpus, enum sort_order sort,
    struct pick *out)
{
	uint64_t all = ((uint64_t)1 << n) - 1;
	struct match_section section = { .program = s->program, .limit = NSHELF, .sort = sort };
	struct match_request request = { .sections = &section,
		.nsections = 1,
		.plain = &all,
		.signals = &all,
		.max_papers = NSHELF };
	struct match_index *index;

	assert_int_equal(
	    match_index_new(s->papers + first, n, T_NOW, &weights, s->literals, &index, &s->err),
	    0);
	if (corpus != NULL)
		match_join_corpus(index, corpus);
	assert_int_equal(match_run(index, &request, &s->a, &s->err), 0);
	for (size_t i = 0; i < section.npicks; i++) {
		out[i] = section.picks[i];
		out[i].paper += (uint32_t)first;
	}
	match_index_free(index);
	return section.npicks;
}

static struct match_corpus *
make_corpus(struct shelf *s)
{
	static const size_t counts[] = { 3, 3 }; /* sparse, attention */
	struct match_corpus *corpus;

	assert_int_equal(match_corpus_new(s->literals, NSHELF, &corpus, &s->err), 0);
	for (size_t i = 0; i < s->query->nchildren; i++)
		assert_int_equal(
		    match_corpus_count(corpus, s->query->children[i], counts[i], &s->err), 0);
	return corpus;
}

static void
test_corpus(void **state)
{
	static const enum sort_order sorts[] = { SORT_BEST, SORT_RELEVANCE, SORT_VOTES,
		SORT_TRENDING, SORT_NEWEST };

	(void)state;
	for (size_t k = 0; k < COUNT(sorts); k++) {
		struct pick whole[NSHELF], parts[NSHELF];
		struct match_corpus *corpus;
		struct shelf s;
		size_t n, m;

		open_shelf(&s, "sparse OR attention");
		n = run_on(&s, 0, NSHELF, NULL, sorts[k], whole);
		corpus = make_corpus(&s);
		m = run_on(&s, 0, NSHELF / 2, corpus, sorts[k], parts);
		m += run_on(&s, NSHELF / 2, NSHELF / 2, corpus, sorts[k], parts + m);
		assert_int_equal(n, 4);
		assert_int_equal(m, n);
		/* Each has the score it has among all, and the order of all is that of comparing two. */
		for (size_t i = 0; i < n; i++) {
			const struct pick *other = NULL;

			for (size_t j = 0; j < m; j++)
				if (parts[j].paper == whole[i].paper)
					other = &parts[j];
			assert_non_null(other);
			if (other->text != whole[i].text || other->score != whole[i].score)
				fail_msg("sort %zu, paper %u: %f of %f", k, whole[i].paper,
				    other->score, whole[i].score);
			for (size_t j = i + 1; j < n; j++)
				assert_true(match_compare_picks(sorts[k], &whole[i],
						s.papers[whole[i].paper], &whole[j],
						s.papers[whole[j].paper]) < 0);
		}
		match_corpus_free(corpus);
		close_shelf(&s);
	}
}

/* Without a corpus a word that all papers of a part have says nothing there; a rare one of the whole says much. */
static void
test_corpus_matters(void **state)
{
	struct pick alone[NSHELF], joined[NSHELF];
	struct match_corpus *corpus;
	struct shelf s;

	(void)state;
	open_shelf(&s, "sparse OR attention");
	assert_int_equal(run_on(&s, 0, 2, NULL, SORT_RELEVANCE, alone), 2);
	corpus = make_corpus(&s);
	assert_int_equal(run_on(&s, 0, 2, corpus, SORT_RELEVANCE, joined), 2);
	assert_true(joined[0].text > alone[0].text);
	match_corpus_free(corpus);
	/* Counted before more papers came: never rarer than in the index itself. */
	assert_int_equal(match_corpus_new(s.literals, 0, &corpus, &s.err), 0);
	assert_int_equal(run_on(&s, 0, 2, corpus, SORT_RELEVANCE, joined), 2);
	assert_true(joined[0].text > 0);
	match_corpus_free(corpus);
	close_shelf(&s);
}

/* ---- more like this ---- */

static void
test_similar_query(void **state)
{
	struct fixture *fx = *state;
	struct paper *p;
	struct query *q = NULL;
	const char **terms;
	size_t n, left;

	for (int i = 0; i < 8; i++) {
		char name[32];

		snprintf(name, sizeof(name), "2401.%05d", i);
		p = make_paper(fx, name, T_TODAY);
		p->title = i < 3 ? "Gaussians splat" : "Other things";
		p->abstract =
		    i == 0 ? "We show the meshes 2024 7 x unheardof." : "We show the mesh.";
		put_one(fx, "arxiv", p, T_NOW);
	}
	p = find(fx, "2401.00000");
	/* Nothing is indexed: its own words are all that is known. */
	must(fx, similar_query(fx->store, p, 8, &fx->a, &q, &terms, &n, &fx->err));
	assert_non_null(q);
	assert_int_equal(n, 7); /* no number, no letter */
	must(fx, store_begin(fx->store, &fx->err));
	must(fx, store_update_search(fx->store, 100, &left, &fx->err));
	must(fx, store_commit(fx->store, false, &fx->err));
	must(fx, similar_query(fx->store, p, 8, &fx->a, &q, &terms, &n, &fx->err));
	assert_int_equal(n, 2);
	assert_string_equal(terms[0], "gaussians");
	assert_string_equal(terms[1], "splat");
	assert_int_equal(q->op, QUERY_OR);
	assert_string_equal(q->children[0]->words[0].form, "gaussian");
	/* What stands in every second paper tells nothing of one. */
	must(fx,
	    similar_query(fx->store, find(fx, "2401.00005"), 8, &fx->a, &q, &terms, &n, &fx->err));
	assert_null(q);
	assert_int_equal(n, 0);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		T(test_found_is_proposed),
		cmocka_unit_test(test_shape),
		cmocka_unit_test(test_too_many_words),
		cmocka_unit_test(test_corpus),
		cmocka_unit_test(test_corpus_matters),
		T(test_similar_query),
	};

	return cmocka_run_group_tests_name("search", tests, NULL, NULL);
}
