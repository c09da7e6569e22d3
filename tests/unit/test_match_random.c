/* Random queries over random papers against an evaluator that looks at one paper at a time and has
 * no index: it walks the tree and compares tokens. Both must agree on every pair. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "digest/match.h"
#include "digest/text.h"

enum { NPAPERS = 300, NQUERIES = 20000, NOW = 1790000000, MAX_WORDS = 64 };

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
	"0.5", "caf\u00e9", "cafe", "\u62e1\u6563", "don't", "dont" };
static const char *const near_words[] = { "model", "attention", "sparse", "a", "b", "LLM",
	"pretraining", "training", "few" };
static const char *const prefixes[] = { "mod", "pre", "pre-tr", "train", "l", "few", "diff", "ca" };
static const char *const given[] = { "Yann", "Y.", "Kaiming", "Jean-Luc", "K.", "Li", "Ada" };
static const char *const family[] = { "LeCun", "He", "O'Brien", "Li", "Picard", "Lovelace",
	"Yann" };
static const char *const categories[] = { "cs.CV", "cs.LG", "math.AG", "quant-ph", "stat.ML" };
static const char *const conditions[] = { "votes>=10", "votes<3", "comments>0", "stars=0",
	"authors<=2", "authors>1", "rank<=5", "rank>3", "age<7d", "age>=3d",
	"published>=2026-09-18", "published<2026-09-15", "has:code", "has:doi", "is:new",
	"is:cross", "is:replaced", "is:withdrawn" };
static const char *const text_fields[] = { "", "", "", "",
	"title:", "abstract:", "keyword:", "org:", "venue:" };

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
		    PICK(seed, words));
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
random_keyword(uint64_t *seed, struct arena *a)
{
	return random_text(seed, a, 3);
}

static struct paper *
random_paper(uint64_t *seed, struct arena *a)
{
	struct paper *p = paper_new(a);

	p->key = arena_printf(a, "arxiv:2601.%05u", random_below(seed, 100000));
	p->title = random_text(seed, a, 6);
	p->abstract = random_text(seed, a, 14);
	p->org = random_text(seed, a, 2);
	p->comment = random_text(seed, a, 2);
	p->venue = random_text(seed, a, 2);
	p->authors = random_list(seed, a, 4, &p->nauthors, random_author);
	p->categories = random_list(seed, a, 3, &p->ncategories, random_category);
	p->keywords = random_list(seed, a, 2, &p->nkeywords, random_keyword);
	p->primary_known = random_below(seed, 2) == 0;
	p->votes = (int64_t)random_below(seed, 20) - 1;
	p->comments = (int64_t)random_below(seed, 3) - 1;
	p->stars = (int64_t)random_below(seed, 3) - 1;
	p->rank = random_below(seed, 9);
	p->kind = (enum paper_kind)random_below(seed, 4);
	p->published_utc =
	    random_below(seed, 5) == 0 ? 0 : NOW - (int64_t)random_below(seed, 12 * 86400);
	p->withdrawn_utc = random_below(seed, 6) == 0;
	p->code_url = random_below(seed, 2) == 0 ? "https://x.example" : "";
	p->doi = random_below(seed, 2) == 0 ? "10.1000/x" : "";
	return p;
}

static void
add_phrase(struct strbuf *out, uint64_t *seed, uint32_t max)
{
	uint32_t n = 1 + random_below(seed, max);

	strbuf_addc(out, '"');
	for (uint32_t i = 0; i < n; i++)
		strbuf_addf(out, "%s%s", i > 0 ? " " : "", PICK(seed, words));
	if (random_below(seed, 6) == 0)
		strbuf_addf(out, " %s*", PICK(seed, prefixes));
	strbuf_addc(out, '"');
}

static void
add_leaf(struct strbuf *out, uint64_t *seed)
{
	switch (random_below(seed, 12)) {
	case 0:
		strbuf_add(out, PICK(seed, conditions));
		break;
	case 1:
		strbuf_addf(out, "%s:%s%s", random_below(seed, 2) == 0 ? "cat" : "primary",
		    PICK(seed,
			((const char *[]){ "cs", "math", "cs.CV", "quant-ph", "c", "stat.ML" })),
		    random_below(seed, 4) == 0 ? "*" : "");
		break;
	case 2:
		strbuf_addf(out, "%s:\"%s %s\"",
		    PICK(seed, ((const char *[]){ "author", "first-author", "last-author" })),
		    PICK(seed, given), PICK(seed, family));
		break;
	case 3:
		strbuf_addf(out, "author:%s", PICK(seed, family));
		break;
	case 4:
	case 5:
		strbuf_add(out, PICK(seed, text_fields));
		add_phrase(out, seed, 3);
		break;
	case 6:
		strbuf_addf(out, "%s\"%s %s %s\"~%u", PICK(seed, text_fields),
		    PICK(seed, near_words), PICK(seed, near_words),
		    random_below(seed, 2) == 0 ? "" : PICK(seed, near_words),
		    1 + random_below(seed, 6));
		break;
	case 7:
		strbuf_addf(out, "%s%s*", PICK(seed, text_fields), PICK(seed, prefixes));
		break;
	case 8:
		strbuf_addf(out, "%s=%s", PICK(seed, text_fields), PICK(seed, words));
		break;
	default:
		strbuf_addf(out, "%s%s", PICK(seed, text_fields), PICK(seed, words));
	}
}

static void
add_query(struct strbuf *out, uint64_t *seed, unsigned depth)
{
	uint32_t kind = depth == 0 ? 0 : random_below(seed, 6);

	if (kind >= 3) {
		uint32_t n = 2 + random_below(seed, 2);

		strbuf_addc(out, '(');
		for (uint32_t i = 0; i < n; i++) {
			if (i > 0)
				strbuf_add(out, kind == 3 ? " AND " : kind == 4 ? " OR " : " ");
			add_query(out, seed, depth - 1);
		}
		strbuf_addc(out, ')');
	} else if (kind == 2) {
		strbuf_add(out, random_below(seed, 2) == 0 ? "NOT " : "-");
		add_query(out, seed, 0);
	} else {
		add_leaf(out, seed);
	}
}

/* ---- the plain evaluator ---- */

/* A text as the slow side keeps it: its tokens and their normal forms. */
struct plain_text {
	struct token_list tokens;
	const char *text;
	const char **normal, **joined; /* of each token; NULL = begins no hyphenated run */
};

enum {
	TITLE,
	ABSTRACT,
	ORG,
	COMMENT,
	VENUE,
	KEYWORDS,
	AUTHORS = KEYWORDS + 2,
	NTEXTS = AUTHORS + 4
};

struct plain_paper {
	const struct paper *p;
	struct plain_text texts[NTEXTS];
};

static const char *
normal(const char *folded, struct arena *a)
{
	char out[128];

	text_normal_word(folded, out, sizeof(out));
	return arena_strdup(a, out);
}

static void
read_text(struct plain_text *t, const char *text, struct arena *a)
{
	t->text = text;
	tokens_init(&t->tokens);
	assert_int_equal(tokens_add(&t->tokens, text, strlen(text), 0, NULL), 0);
	t->normal = arena_array(a, t->tokens.len, sizeof(char *));
	t->joined = arena_array(a, t->tokens.len, sizeof(char *));
	for (size_t i = 0; i < t->tokens.len; i++) {
		const struct token *k = &t->tokens.tokens[i];

		t->normal[i] = normal(token_form(&t->tokens, k), a);
		if (k->njoined > 0)
			t->joined[i] = normal(t->tokens.forms.buf + k->joined, a);
	}
}

static void
read_paper(struct plain_paper *out, const struct paper *p, struct arena *a)
{
	out->p = p;
	read_text(&out->texts[TITLE], p->title, a);
	read_text(&out->texts[ABSTRACT], p->abstract, a);
	read_text(&out->texts[ORG], p->org, a);
	read_text(&out->texts[COMMENT], p->comment, a);
	read_text(&out->texts[VENUE], p->venue, a);
	for (size_t i = 0; i < p->nkeywords; i++)
		read_text(&out->texts[KEYWORDS + i], p->keywords[i], a);
	for (size_t i = 0; i < p->nauthors; i++)
		read_text(&out->texts[AUTHORS + i], p->authors[i], a);
}

/* How many tokens from at on a query word form covers: its own, or a whole hyphenated run; 0 =
 * none. n is a list of up to two answers. */
static size_t
word_at(const struct plain_text *t, size_t at, const char *form, char how, size_t lengths[2])
{
	const struct token *k = &t->tokens.tokens[at];
	const char *folded = token_form(&t->tokens, k), *joined = t->tokens.forms.buf + k->joined;
	size_t n = 0, len = strlen(form);

	if (how == '=') {
		size_t spelled = k->end - k->start;

		if ((spelled == len || (spelled == len + 1 && t->text[k->end - 1] == 's')) &&
		    memcmp(t->text + k->start, form, len) == 0)
			lengths[n++] = 1;
		return n;
	}
	if (how == '*' ? strncmp(folded, form, len) == 0 : strcmp(t->normal[at], form) == 0)
		lengths[n++] = 1;
	if (k->njoined > 0 &&
	    (how == '*' ? strncmp(joined, form, len) == 0 : strcmp(t->joined[at], form) == 0))
		lengths[n++] = k->njoined;
	return n;
}

/* The words of q from w on stand from token at on. */
static bool
phrase_at(const struct plain_text *t, size_t at, const struct query *q, size_t w)
{
	size_t lengths[2], n;

	if (w == q->nwords)
		return true;
	if (at >= t->tokens.len)
		return false;
	for (int joined = 0; joined < 2; joined++) {
		size_t step = joined ? q->words[w].njoined : 1;
		const char *form = joined ? q->words[w].joined : q->words[w].form;
		bool last = w + step == q->nwords;
		char how = q->kind == TERM_EXACT ? '=' : q->kind == TERM_PREFIX && last ? '*' : ' ';

		if (step == 0)
			continue;
		n = word_at(t, at, form, how, lengths);
		for (size_t i = 0; i < n; i++)
			if (phrase_at(t, at + lengths[i], q, w + step))
				return true;
	}
	return false;
}

/* Choose a token for every word from w on, equal words in different places; all lie within the
 * distance. */
static bool
near_from(const struct plain_text *t, const struct query *q, size_t w, size_t *chosen)
{
	size_t lengths[2];

	if (w == q->nwords) {
		size_t low = chosen[0], high = chosen[0];

		for (size_t i = 1; i < w; i++) {
			low = chosen[i] < low ? chosen[i] : low;
			high = chosen[i] > high ? chosen[i] : high;
		}
		return high - low <= (size_t)q->distance + 1;
	}
	for (size_t at = 0; at < t->tokens.len; at++) {
		bool taken = word_at(t, at, q->words[w].form, ' ', lengths) == 0;

		for (size_t i = 0; i < w && !taken; i++)
			taken = chosen[i] == at && strcmp(q->words[i].form, q->words[w].form) == 0;
		chosen[w] = at;
		if (!taken && near_from(t, q, w + 1, chosen))
			return true;
	}
	return false;
}

static bool
in_text(const struct plain_text *t, const struct query *q)
{
	size_t chosen[MAX_WORDS];

	if (q->kind == TERM_NEAR)
		return near_from(t, q, 0, chosen);
	for (size_t at = 0; at < t->tokens.len; at++)
		if (phrase_at(t, at, q, 0))
			return true;
	return false;
}

/* Some way to give every word of the query its own word of the name. */
static bool
name_from(const struct plain_text *t, const struct query *q, size_t w, bool *used)
{
	if (w == q->nwords)
		return true;
	for (int joined = 0; joined < 2; joined++) {
		const char *form = joined ? q->words[w].joined : q->words[w].form;
		size_t step = joined ? q->words[w].njoined : 1;
		bool initial = !joined && strlen(form) == 1;

		for (size_t at = 0; at < t->tokens.len && step > 0; at++) {
			const struct token *k = &t->tokens.tokens[at];
			const char *part = token_form(&t->tokens, k);
			size_t n = 0;
			bool ok = true;

			if (initial ? part[0] == form[0] : strcmp(part, form) == 0)
				n = 1;
			else if (k->njoined > 0 &&
			    strcmp(t->tokens.forms.buf + k->joined, form) == 0)
				n = k->njoined;
			for (size_t i = 0; i < n; i++)
				ok = ok && !used[at + i];
			if (n == 0 || !ok)
				continue;
			memset(used + at, true, n);
			if (name_from(t, q, w + step, used))
				return true;
			memset(used + at, false, n);
		}
	}
	return false;
}

static bool
in_authors(const struct plain_paper *pp, const struct query *q)
{
	size_t n = pp->p->nauthors;

	for (size_t i = 0; i < n; i++) {
		bool used[MAX_WORDS] = { false };

		if ((q->field == FIELD_FIRST_AUTHOR && i > 0) ||
		    (q->field == FIELD_LAST_AUTHOR && i + 1 < n))
			continue;
		if (name_from(&pp->texts[AUTHORS + i], q, 0, used))
			return true;
	}
	return false;
}

static bool
in_categories(const struct paper *p, const struct query *q)
{
	size_t n = q->field == FIELD_CAT ? p->ncategories : p->primary_known && p->ncategories > 0;

	for (size_t i = 0; i < n; i++) {
		struct strbuf folded;
		const char *form = q->words[0].form;
		size_t len = strlen(form);
		bool found;

		strbuf_init(&folded, 100);
		text_add_folded(&folded, p->categories[i], strlen(p->categories[i]));
		found = strncmp(folded.buf, form, len) == 0 &&
		    (q->kind == TERM_PREFIX || folded.len == len ||
			(strchr(form, '.') == NULL && folded.buf[len] == '.'));
		strbuf_release(&folded);
		if (found)
			return true;
	}
	return false;
}

static bool
term_holds(const struct plain_paper *pp, const struct query *q)
{
	const struct plain_text *t = pp->texts;
	bool any = q->field == FIELD_TEXT;

	if (((any || q->field == FIELD_TITLE) && in_text(&t[TITLE], q)) ||
	    ((any || q->field == FIELD_ABSTRACT) && in_text(&t[ABSTRACT], q)) ||
	    (q->field == FIELD_ORG && in_text(&t[ORG], q)) ||
	    (q->field == FIELD_VENUE && (in_text(&t[COMMENT], q) || in_text(&t[VENUE], q))))
		return true;
	for (size_t i = 0; i < pp->p->nkeywords && (any || q->field == FIELD_KEYWORD); i++)
		if (in_text(&t[KEYWORDS + i], q))
			return true;
	return false;
}

static bool
number_holds(const struct query *q, int64_t n)
{
	return q->compare == COMPARE_LT ? n < q->number
	    : q->compare == COMPARE_LE	? n <= q->number
	    : q->compare == COMPARE_EQ	? n == q->number
	    : q->compare == COMPARE_GE	? n >= q->number
					: n > q->number;
}

static bool
condition_holds(const struct paper *p, const struct query *q)
{
	switch (q->measure) {
	case MEASURE_VOTES:
		return number_holds(q, p->votes == -1 ? 0 : p->votes);
	case MEASURE_COMMENTS:
		return number_holds(q, p->comments == -1 ? 0 : p->comments);
	case MEASURE_STARS:
		return number_holds(q, p->stars == -1 ? 0 : p->stars);
	case MEASURE_AUTHORS:
		return number_holds(q, (int64_t)p->nauthors);
	case MEASURE_RANK:
		return p->rank != 0 && number_holds(q, p->rank);
	case MEASURE_AGE:
		return p->published_utc != 0 && number_holds(q, NOW - p->published_utc);
	case MEASURE_PUBLISHED:
		return p->published_utc != 0 && number_holds(q, p->published_utc / 86400 * 86400);
	}
	return false;
}

static bool
property_holds(const struct paper *p, const struct query *q)
{
	switch (q->property) {
	case HAS_CODE:
		return strlen(p->code_url) > 0;
	case HAS_DOI:
		return strlen(p->doi) > 0;
	case IS_NEW:
		return p->kind == PAPER_NEW;
	case IS_CROSS:
		return p->kind == PAPER_CROSS || p->kind == PAPER_REPLACE_CROSS;
	case IS_REPLACED:
		return p->kind == PAPER_REPLACE || p->kind == PAPER_REPLACE_CROSS;
	case IS_WITHDRAWN:
		return p->withdrawn_utc != 0;
	default:
		return false;
	}
}

static bool
holds(const struct plain_paper *pp, const struct query *q)
{
	bool all = true, any = false;

	for (size_t i = 0; i < q->nchildren; i++) {
		bool h = holds(pp, q->children[i]);

		all = all && h;
		any = any || h;
	}
	switch (q->op) {
	case QUERY_AND:
		return all;
	case QUERY_OR:
		return any;
	case QUERY_NOT:
		return !any;
	case QUERY_TERM:
		if (q->field == FIELD_CAT || q->field == FIELD_PRIMARY)
			return in_categories(pp->p, q);
		return q->field >= FIELD_AUTHOR && q->field <= FIELD_LAST_AUTHOR
		    ? in_authors(pp, q)
		    : term_holds(pp, q);
	case QUERY_CONDITION:
		return condition_holds(pp->p, q);
	case QUERY_PROPERTY:
		return property_holds(pp->p, q);
	default:
		return true;
	}
}

/* What `explain` says of the whole query is what decided. */
static void
check_explanation(struct match_literals *literals, struct match_index *index, const struct query *q,
    size_t paper, bool want, struct arena *a)
{
	struct match_clause *clauses;
	struct error err;
	size_t n;

	if (match_explain(index, literals, q, (uint32_t)paper, NULL, a, &clauses, &n, &err) == -1)
		fail_msg("%s", err.msg);
	if (clauses[0].holds != want)
		fail_msg("paper %zu is explained otherwise", paper);
}

/* One query over all papers; returns how many satisfy it. */
static size_t
compare(struct match_literals *literals, struct match_index *index,
    const struct plain_paper *papers, const char *text)
{
	uint64_t bits[(NPAPERS + 63) / 64];
	struct program *program = NULL;
	struct query *q = NULL;
	struct arena a;
	struct error err;
	size_t n = 0;

	arena_init(&a, 1 << 24);
	if (query_parse(text, strlen(text), &a, &q, NULL, &err) == -1 ||
	    match_compile(literals, q, &program, &err) == -1 ||
	    match_evaluate(index, program, NULL, bits, &err) == -1)
		fail_msg("%s: %s", text, err.msg);
	for (size_t i = 0; i < NPAPERS; i++) {
		bool want = holds(&papers[i], q), got = (bits[i / 64] >> (i % 64) & 1) != 0;

		if (want != got)
			fail_msg("%s\n  title: %s\n  abstract: %s\n  should be %s", text,
			    papers[i].p->title, papers[i].p->abstract, want ? "true" : "false");
		n += want;
		if (i % 64 == n % 64)
			check_explanation(literals, index, q, i, want, &a);
	}
	match_program_free(program);
	arena_release(&a);
	return n;
}

static void
test_random_queries(void **state)
{
	uint64_t seed = 20261121;
	struct paper *papers[NPAPERS];
	struct plain_paper *plain = calloc(NPAPERS, sizeof(*plain));
	struct match_literals *literals;
	struct match_index *index;
	size_t nmatches = 0, nempty = 0;
	struct error err;
	struct arena a;

	(void)state;
	arena_init(&a, 1 << 26);
	assert_non_null(plain);
	for (size_t i = 0; i < NPAPERS; i++) {
		papers[i] = random_paper(&seed, &a);
		read_paper(&plain[i], papers[i], &a);
	}
	assert_int_equal(match_literals_new(&literals, &err), 0);
	assert_int_equal(
	    match_index_new(papers, NPAPERS, NOW, &weights, literals, &index, &err), 0);
	for (size_t i = 0; i < NQUERIES; i++) {
		struct strbuf text;
		size_t n;

		strbuf_init(&text, 1 << 14);
		add_query(&text, &seed, i % 4 == 0 ? 0 : (unsigned)(i % 3));
		n = compare(literals, index, plain, text.buf);
		nmatches += n;
		nempty += n == 0;
		strbuf_release(&text);
	}
	/* A test that nothing ever passes proves nothing. */
	assert_in_range(nmatches, NQUERIES * NPAPERS / 20, NQUERIES * NPAPERS * 19 / 20);
	assert_in_range(nempty, 1, NQUERIES / 2);
	match_index_free(index);
	match_literals_free(literals);
	for (size_t i = 0; i < NPAPERS; i++)
		for (size_t t = 0; t < NTEXTS; t++)
			tokens_release(&plain[i].texts[t].tokens);
	free(plain);
	arena_release(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_queries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
