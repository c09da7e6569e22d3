/* Random queries of the whole language over random papers, against an evaluator that looks at one paper at a time and has no
 * index: it walks the tree that the query was written from and compares tokens. Both must agree on every pair. The tree is
 * the test's own, so that a bracket or an operator read wrongly is found too; only words, conditions and the like are read
 * by the parser, each alone. DIGEST_FULL=1 asks 100,000 queries of 2,000 papers, else it is a tenth of that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "digest/map.h"
#include "digest/match.h"

#include "plain_match.h"

enum { FULL_PAPERS = 2000, FULL_QUERIES = 100000, NNAMED = 40, NOW = 1790000000 };

static const struct match_weights weights = { 1, 1, 1, 1 };

/* The same numbers on every machine (xorshift64*). */
static uint32_t
random_below(uint64_t *seed, uint32_t n)
{
	*seed ^= *seed >> 12;
	*seed ^= *seed << 25;
	*seed ^= *seed >> 27;
	return (uint32_t)((*seed * 0x2545f4914f6cdd1dULL) >> 33) % n;
}

#define PICK(seed, list) ((list)[random_below(seed, sizeof(list) / sizeof((list)[0]))])

static const char *const words[] = { "model", "models", "Model", "attention", "sparse", "a", "b",
	"pre-training", "pretraining", "pre", "training", "LLM", "LLMs", "llm", "RAG", "rag",
	"diffusion", "fusion", "few-shot", "fewshot", "colour", "color", "state-of-the-art", "C++",
	"0.5", "caf\u00e9", "cafe", "\u62e1\u6563", "don't", "dont", "\u03bcP", "H\u2082O", "k-NN",
	"GPT-4o", "analyses", "analysis", "optimise", "optimize", "\u0438\u0439", "\u304c" };
/* What only papers have: the filter writes it otherwise. */
static const char *const latex_words[] = { "$\\mu$P", "caf\\'{e}", "H$_2$O", "$k$-NN",
	"\\textbf{model}", "A*", "na\u00efve" };
static const char *const prefixes[] = { "mod", "pre", "pre-tr", "train", "l", "few", "diff", "ca",
	"fewsh", "gpt-4", "kn" };
static const char *const given[] = { "Yann", "Y.", "Kaiming", "Jean-Luc", "K.", "Li", "Ada",
	"JeanLuc" };
static const char *const family[] = { "LeCun", "He", "O'Brien", "OBrien", "Li", "Picard",
	"Lovelace", "Yann", "Smith-Jones" };
static const char *const name_prefixes[] = { "lec*", "o'br*", "obri*", "\"y lec*\"", "\"jean-l*\"",
	"l*", "\"kaiming h*\"", "\"l l*\"", "smithj*", "=LeCun", "=lecun", "=Li",
	"=\"Ada Lovelace\"", "=He" };
static const char *const categories[] = { "cs.CV", "cs.LG", "math.AG", "quant-ph", "stat.ML" };
static const char *const category_terms[] = { "cs", "math", "cs.CV", "quant-ph", "c", "stat.ML",
	"cs*", "cs.*", "c*", "m*", "=cs.LG", "=cs.lg", "CS.cv" };
static const char *const conditions[] = { "votes>=10", "votes<3", "votes = 0", "upvotes>12",
	"comments>0", "stars=0", "authors<=2", "authors>1", "rank<=5", "rank>3", "rank=0", "age<7d",
	"age>=3d", "age<=36h", "age<1w", "published>=2026-09-18", "published<2026-09-15",
	"published=2026-09-17", "has:code", "has:project", "has:media", "has:doi", "is:new",
	"is:cross", "is:replaced", "is:withdrawn", "is:sent" };
static const char *const sources[] = { "huggingface", "arxiv new", "arxiv" };
static const char *const ids[] = { "2601.00007", "2601.00012v2", "arxiv:2601.00003", "10.1000/X7",
	"doi:10.1000/x3", "https://arxiv.org/abs/2601.00015", "feed:7" };
static const char *const text_fields[] = { "", "", "", "",
	"title:", "abstract:", "keyword:", "org:", "venue:", "source:" };

static const char *
random_text(uint64_t *seed, struct arena *a, uint32_t max)
{
	struct strbuf text;
	uint32_t n = random_below(seed, max + 1);
	const char *copy;

	strbuf_init(&text, 1 << 16);
	for (uint32_t i = 0; i < n; i++)
		strbuf_addf(&text, "%s%s",
		    i > 0 ? PICK(seed, ((const char *[]){ " ", ", ", " " })) : "",
		    random_below(seed, 20) == 0 ? PICK(seed, latex_words) : PICK(seed, words));
	copy = arena_strdup(a, text.buf);
	strbuf_release(&text);
	return copy;
}

static const char **
random_list(uint64_t *seed, struct arena *a, uint32_t max, size_t *n,
    const char *(*one)(uint64_t *, struct arena *))
{
	const char **list;

	*n = random_below(seed, max + 1);
	list = arena_array(a, *n, sizeof(*list));
	for (size_t i = 0; i < *n; i++)
		list[i] = one(seed, a);
	return list;
}

static const char *
random_author(uint64_t *seed, struct arena *a)
{
	return arena_printf(a, "%s %s%s", PICK(seed, given),
	    random_below(seed, 4) == 0 ? "B. " : "", PICK(seed, family));
}

static const char *
random_category(uint64_t *seed, struct arena *a)
{
	(void)a;
	return PICK(seed, categories);
}

static const char *
random_source(uint64_t *seed, struct arena *a)
{
	(void)a;
	return PICK(seed, sources);
}

static const char *
random_alias(uint64_t *seed, struct arena *a)
{
	return arena_printf(a, "feed:%u", random_below(seed, 20));
}

static const char *
random_keyword(uint64_t *seed, struct arena *a)
{
	return random_text(seed, a, 3);
}

static const char *
maybe(uint64_t *seed, const char *text)
{
	return random_below(seed, 2) == 0 ? text : "";
}

static struct paper *
random_paper(uint64_t *seed, struct arena *a, size_t number)
{
	struct paper *p = paper_new(a);

	p->key = arena_printf(a, "arxiv:2601.%05zu", number);
	p->title = random_text(seed, a, 6);
	p->abstract = random_text(seed, a, 14);
	p->org = random_text(seed, a, 2);
	p->comment = random_text(seed, a, 2);
	p->journal_ref = random_text(seed, a, 2);
	p->venue = random_text(seed, a, 2);
	p->authors = random_list(seed, a, 4, &p->nauthors, random_author);
	p->categories = random_list(seed, a, 3, &p->ncategories, random_category);
	p->keywords = random_list(seed, a, 2, &p->nkeywords, random_keyword);
	p->aliases = random_list(seed, a, 1, &p->naliases, random_alias);
	p->source = PICK(seed, sources);
	p->sources = random_list(seed, a, 2, &p->nsources, random_source);
	p->primary_known = random_below(seed, 2) == 0;
	p->votes = (int64_t)random_below(seed, 20) - 1;
	p->comments = (int64_t)random_below(seed, 3) - 1;
	p->stars = (int64_t)random_below(seed, 3) - 1;
	p->rank = random_below(seed, 9);
	p->kind = (enum paper_kind)random_below(seed, 4);
	p->version = random_below(seed, 3);
	p->published_utc =
	    random_below(seed, 5) == 0 ? 0 : NOW - (int64_t)random_below(seed, 12 * 86400);
	p->withdrawn_utc = random_below(seed, 6) == 0;
	p->code_url = maybe(seed, "https://x.example");
	p->project_url = maybe(seed, "https://y.example");
	p->media_url = maybe(seed, "https://z.example");
	p->doi = random_below(seed, 2) == 0 ? arena_printf(a, "10.1000/x%u", random_below(seed, 10))
					    : "";
	return p;
}

/* ---- random queries ---- */

/* A query as the test means it. A leaf has the text of one word, condition and so on, with its field before it. */
struct node {
	enum query_op op; /* QUERY_TERM stands for every leaf */
	struct node *children[4];
	size_t nchildren;
	const char *field;    /* of a leaf and of a group behind a field: "title:", else "" */
	const char *text;     /* of a leaf, and the name of QUERY_NAMED */
	const uint64_t *bits; /* of a leaf: the papers for which it is true */
};

/* Filters that queries name; each names only those before it. */
struct named {
	const char *name, *text;
	struct node *tree;
};

static void
add_phrase(struct strbuf *out, uint64_t *seed, uint32_t max)
{
	uint32_t n = 1 + random_below(seed, max);

	strbuf_addc(out, '"');
	if (random_below(seed, 30) == 0)
		strbuf_add(out, "A* ");
	for (uint32_t i = 0; i < n; i++)
		strbuf_addf(out, "%s%s", i > 0 ? " " : "", PICK(seed, words));
	if (random_below(seed, 6) == 0)
		strbuf_addf(out, " %s*", PICK(seed, prefixes));
	strbuf_addc(out, '"');
}

/* A word, phrase or the like, without its field. */
static void
add_text_term(struct strbuf *out, uint64_t *seed)
{
	switch (random_below(seed, 8)) {
	case 0:
	case 1:
		add_phrase(out, seed, 3);
		break;
	case 2:
		strbuf_addf(out, "\"%s %s %s\"~%u", PICK(seed, words), PICK(seed, words),
		    random_below(seed, 2) == 0 ? "" : PICK(seed, words),
		    10 + random_below(seed, 6));
		break;
	case 3:
		strbuf_addf(out, "\"%s %s\"~%u", PICK(seed, prefixes), PICK(seed, prefixes),
		    2 + random_below(seed, 5));
		break;
	case 4:
		strbuf_addf(out, "%s*", PICK(seed, prefixes));
		break;
	case 5:
		strbuf_addf(out, "=%s", PICK(seed, words));
		break;
	case 6:
		strbuf_addf(out, "=\"%s %s\"", PICK(seed, words), PICK(seed, words));
		break;
	default:
		strbuf_addf(out, "%s", PICK(seed, words));
	}
}

static void
add_author_term(struct strbuf *out, uint64_t *seed)
{
	switch (random_below(seed, 4)) {
	case 0:
		strbuf_add(out, PICK(seed, family));
		break;
	case 1:
		strbuf_add(out, PICK(seed, name_prefixes));
		break;
	case 2:
		strbuf_addf(out, "\"%s %s\"", PICK(seed, family), PICK(seed, given));
		break;
	default:
		strbuf_addf(out, "\"%s %s%s\"", PICK(seed, given),
		    random_below(seed, 4) == 0 ? "B " : "", PICK(seed, family));
	}
}

static const char *
random_field(uint64_t *seed)
{
	switch (random_below(seed, 8)) {
	case 0:
		return PICK(seed, ((const char *[]){ "author:", "first-author:", "last-author:" }));
	case 1:
		return PICK(seed, ((const char *[]){ "cat:", "primary:" }));
	case 2:
		return random_below(seed, 3) == 0 ? "id:" : "";
	default:
		return PICK(seed, text_fields);
	}
}

static struct node *
make_leaf(struct arena *a, uint64_t *seed, const char *field)
{
	struct node *n = arena_zalloc(a, sizeof(*n));
	struct strbuf text;

	strbuf_init(&text, 1 << 12);
	n->op = QUERY_TERM;
	n->field = field;
	if (strstr(field, "author") != NULL)
		add_author_term(&text, seed);
	else if (strcmp(field, "cat:") == 0 || strcmp(field, "primary:") == 0)
		strbuf_add(&text, PICK(seed, category_terms));
	else if (strcmp(field, "id:") == 0)
		strbuf_addf(&text, "\"%s\"", PICK(seed, ids));
	else if (strcmp(field, "source:") == 0)
		strbuf_addf(&text, "\"%s\"", PICK(seed, sources));
	else
		add_text_term(&text, seed);
	n->text = arena_strdup(a, text.buf);
	strbuf_release(&text);
	return n;
}

/* in_group: behind a field, where only words stand. */
static struct node *
make_node(struct arena *a, uint64_t *seed, const struct named *named, size_t nnamed, unsigned depth,
    const char *field, bool in_group)
{
	uint32_t kind = random_below(seed, depth == 0 ? 4 : 14);
	struct node *n;

	if (kind < 3 || (in_group && kind < 5) || (kind == 4 && nnamed == 0))
		return make_leaf(a, seed, in_group ? field : random_field(seed));
	n = arena_zalloc(a, sizeof(*n));
	n->field = "";
	if (kind == 3) {
		n->op = QUERY_TERM;
		n->text = PICK(seed, conditions);
	} else if (kind == 4) {
		n->op = QUERY_NAMED;
		n->text = named[random_below(seed, (uint32_t)nnamed)].name;
	} else if (kind == 5 && !in_group) {
		/* A group behind a field: marked here, its words have the field already. */
		n = make_node(a, seed, NULL, 0, depth - 1,
		    PICK(seed,
			((const char *[]){
			    "title:", "abstract:", "author:", "cat:", "org:", "first-author:" })),
		    true);
		if (n->op != QUERY_TERM && n->op != QUERY_NOT)
			n->field = "group";
	} else {
		n->op = kind <= 7 ? QUERY_NOT : kind <= 10 ? QUERY_AND : QUERY_OR;
		n->nchildren = n->op == QUERY_NOT ? 1 : 2 + random_below(seed, 3);
		for (size_t i = 0; i < n->nchildren; i++)
			n->children[i] =
			    make_node(a, seed, named, nnamed, depth - 1, field, in_group);
	}
	return n;
}

static const char *
first_field(const struct node *n)
{
	while (n->op != QUERY_TERM)
		n = n->children[0];
	return n->field;
}

/*
 * Brackets where they are needed, and sometimes where they are not: level 0 stands alone, 1 in an OR, 2 in an AND, 3
 * behind NOT.
 */
static void
add_node(struct strbuf *out, uint64_t *seed, const struct node *n, int level, bool in_group)
{
	bool group = n->field != NULL && strcmp(n->field, "group") == 0;
	bool brackets = group || random_below(seed, 12) == 0 || (n->op == QUERY_OR && level > 1) ||
	    (n->op == QUERY_AND && level > 2);

	if (group)
		strbuf_add(out, first_field(n));
	if (n->op == QUERY_TERM || n->op == QUERY_NAMED)
		brackets = false;
	strbuf_add(out, brackets ? "(" : "");
	switch (n->op) {
	case QUERY_TERM:
		strbuf_addf(out, "%s%s", in_group ? "" : n->field, n->text);
		break;
	case QUERY_NAMED:
		strbuf_addf(out, "@%s", n->text);
		break;
	case QUERY_NOT:
		strbuf_add(out,
		    n->children[0]->op == QUERY_NOT || random_below(seed, 2) == 0 ? "NOT " : "-");
		add_node(out, seed, n->children[0], 3, in_group || group);
		break;
	default:
		for (size_t i = 0; i < n->nchildren; i++) {
			if (i > 0)
				strbuf_add(out,
				    n->op == QUERY_OR		     ? " OR "
					: random_below(seed, 2) == 0 ? " AND "
								     : " ");
			add_node(out, seed, n->children[i], n->op == QUERY_OR ? 1 : 2,
			    in_group || group);
		}
	}
	strbuf_add(out, brackets ? ")" : "");
}

/* ---- the comparison ---- */

struct world {
	size_t npapers, nqueries;
	struct paper **papers;
	struct plain_paper *plain;
	uint64_t sent[FULL_PAPERS / 64 + 1];
	struct map leaves; /* text of a leaf to its bits: each is asked once of every paper */
	struct arena a;
	struct named named[NNAMED];
	struct match_literals *literals;
	struct match_index *index;
	size_t nmatches, nempty;
};

static bool
bit(const uint64_t *bits, size_t i)
{
	return (bits[i / 64] >> (i % 64) & 1) != 0;
}

static const uint64_t *
leaf_bits(struct world *w, const struct node *n)
{
	char text[1000];
	int len = snprintf(text, sizeof(text), "%s%s", n->field, n->text);
	struct query *q = NULL;
	struct error err;
	uint64_t known, *bits;

	assert_in_range(len, 1, sizeof(text) - 1);
	if (map_get(&w->leaves, text, (size_t)len, &known))
		return (const uint64_t *)(uintptr_t)known;
	if (query_parse(text, (size_t)len, &w->a, &q, NULL, &err) == -1)
		fail_msg("%s: %s", text, err.msg);
	bits = arena_array(&w->a, w->npapers / 64 + 1, sizeof(*bits));
	assert_non_null(bits);
	for (size_t i = 0; i < w->npapers; i++)
		if (leaf_holds(&w->plain[i], q, NOW, bit(w->sent, i)))
			bits[i / 64] |= (uint64_t)1 << (i % 64);
	assert_int_equal(
	    map_set(&w->leaves, arena_strdup(&w->a, text), (size_t)len, (uintptr_t)bits), 0);
	return bits;
}

static void
ask_leaves(struct world *w, struct node *n)
{
	if (n->op == QUERY_TERM)
		n->bits = leaf_bits(w, n);
	for (size_t i = 0; i < n->nchildren; i++)
		ask_leaves(w, n->children[i]);
}

static bool
holds(const struct world *w, const struct node *n, size_t paper)
{
	bool all = true, any = false;

	for (size_t i = 0; i < n->nchildren; i++) {
		bool h = holds(w, n->children[i], paper);

		all = all && h;
		any = any || h;
	}
	switch (n->op) {
	case QUERY_AND:
		return all;
	case QUERY_OR:
		return any;
	case QUERY_NOT:
		return !any;
	case QUERY_NAMED:
		for (size_t i = 0; i < NNAMED; i++)
			if (w->named[i].name != NULL && strcmp(w->named[i].name, n->text) == 0)
				return holds(w, w->named[i].tree, paper);
		fail_msg("no filter '%s'", n->text);
		return false;
	case QUERY_ALL:
		return true;
	default:
		return bit(n->bits, paper);
	}
}

static const char *
look_up(void *arg, const char *name, bool *shared)
{
	const struct world *w = arg;

	if (*shared)
		return NULL;
	for (size_t i = 0; i < NNAMED; i++)
		if (w->named[i].name != NULL && strcmp(w->named[i].name, name) == 0)
			return w->named[i].text;
	return NULL;
}

/* What `explain` says of the whole query is what decided. */
static void
check_explanation(
    const struct world *w, const struct query *q, size_t paper, bool want, struct arena *a)
{
	struct match_clause *clauses;
	struct error err;
	size_t n;

	if (match_explain(
		w->index, w->literals, q, (uint32_t)paper, w->sent, a, &clauses, &n, &err) == -1)
		fail_msg("%s", err.msg);
	if (clauses[0].holds != want)
		fail_msg("paper %zu is explained otherwise", paper);
}

static void
compare(struct world *w, const struct node *tree, const char *text)
{
	uint64_t bits[FULL_PAPERS / 64 + 1];
	struct program *program = NULL, *stored;
	struct query *q = NULL, *full = NULL;
	struct strbuf packed;
	struct arena a;
	struct error err;
	size_t n = 0;

	arena_init(&a, 1 << 26);
	if (query_parse(text, strlen(text), &a, &q, NULL, &err) == -1 ||
	    query_expand(q, "", look_up, w, &a, &full, NULL, &err) == -1 ||
	    match_compile(w->literals, full, &program, &err) == -1)
		fail_msg("%s: %s", text, err.msg);
	/* As a run has it, which reads it out of the store. */
	strbuf_init(&packed, 1 << 20);
	match_program_pack(program, &packed);
	if (match_program_unpack(w->literals, (const unsigned char *)packed.buf, packed.len, &a,
		&stored, &err) == -1 ||
	    match_evaluate(w->index, stored, w->sent, bits, &err) == -1)
		fail_msg("%s: %s", text, err.msg);
	strbuf_release(&packed);
	for (size_t i = 0; i < w->npapers; i++) {
		bool want = holds(w, tree, i);

		if (want != bit(bits, i))
			fail_msg("%s\n  paper %zu title: %s\n  abstract: %s\n  authors: %s, %s\n  "
				 "should be %s",
			    text, i, w->papers[i]->title, w->papers[i]->abstract,
			    w->papers[i]->nauthors > 0 ? w->papers[i]->authors[0] : "",
			    w->papers[i]->nauthors > 1 ? w->papers[i]->authors[1] : "",
			    want ? "true" : "false");
		n += want;
		if (i == n)
			check_explanation(w, full, i, want, &a);
	}
	w->nmatches += n;
	w->nempty += n == 0;
	match_program_free(program);
	arena_release(&a);
}

static void
make_named(struct world *w, uint64_t *seed)
{
	for (size_t i = 0; i < NNAMED; i++) {
		struct node *tree =
		    make_node(&w->a, seed, w->named, i, (unsigned)(i % 3), "", false);
		struct strbuf text;

		strbuf_init(&text, 1 << 16);
		add_node(&text, seed, tree, 0, false);
		ask_leaves(w, tree);
		w->named[i] = (struct named){ arena_printf(&w->a, "n%zu", i),
			arena_strdup(&w->a, text.buf), tree };
		strbuf_release(&text);
	}
}

static struct world *
make_world(uint64_t *seed)
{
	struct world *w = calloc(1, sizeof(*w));
	size_t part = getenv("DIGEST_FULL") != NULL ? 1 : 10;
	struct error err;

	assert_non_null(w);
	w->npapers = FULL_PAPERS / part;
	w->nqueries = FULL_QUERIES / part;
	arena_init(&w->a, 1 << 30);
	map_init(&w->leaves);
	w->papers = calloc(w->npapers, sizeof(struct paper *));
	w->plain = calloc(w->npapers, sizeof(*w->plain));
	assert_true(w->papers != NULL && w->plain != NULL);
	for (size_t i = 0; i < w->npapers; i++) {
		w->papers[i] = random_paper(seed, &w->a, i);
		read_paper(&w->plain[i], w->papers[i], &w->a);
		if (random_below(seed, 3) == 0)
			w->sent[i / 64] |= (uint64_t)1 << (i % 64);
	}
	assert_int_equal(match_literals_new(&w->literals, &err), 0);
	assert_int_equal(
	    match_index_new(w->papers, w->npapers, NOW, &weights, w->literals, &w->index, &err), 0);
	make_named(w, seed);
	return w;
}

static void
free_world(struct world *w)
{
	match_index_free(w->index);
	match_literals_free(w->literals);
	for (size_t i = 0; i < w->npapers; i++)
		for (size_t t = 0; t < NTEXTS; t++)
			tokens_release(&w->plain[i].texts[t].tokens);
	free(w->plain);
	free(w->papers);
	map_release(&w->leaves);
	arena_release(&w->a);
	free(w);
}

static void
test_random_queries(void **state)
{
	uint64_t seed = 20261121;
	struct world *w = make_world(&seed);

	(void)state;
	for (size_t i = 0; i < w->nqueries; i++) {
		struct node all = { .op = QUERY_ALL, .field = "" }, *tree;
		struct strbuf text;
		struct arena a;

		arena_init(&a, 1 << 26);
		strbuf_init(&text, 1 << 20);
		tree = make_node(&a, &seed, w->named, NNAMED, (unsigned)(i % 4), "", false);
		add_node(&text, &seed, tree, 0, false);
		ask_leaves(w, tree);
		compare(w, i % 1000 == 0 ? &all : tree, i % 1000 == 0 ? "*" : text.buf);
		strbuf_release(&text);
		arena_release(&a);
	}
	print_message("%zu queries, %zu papers, %zu different leaves; %zu pairs hold, %zu queries "
		      "find nothing\n",
	    w->nqueries, w->npapers, w->leaves.len, w->nmatches, w->nempty);
	/* A test that nothing ever passes proves nothing. */
	assert_in_range(
	    w->nmatches, w->nqueries * w->npapers / 20, w->nqueries * w->npapers * 19 / 20);
	assert_in_range(w->nempty, 1, w->nqueries / 2);
	free_world(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_queries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
