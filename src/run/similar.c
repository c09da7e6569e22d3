/* More like this: the words by which a paper is told from others (TF-IDF), as a query. */
#include "digest/limits.h"
#include "digest/map.h"
#include "digest/text.h"
#include "stages.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	MAX_TERMS = 25,
	MAX_WORDS = 4000,    /* different ones that are looked at: longer than any abstract */
	MAX_WORD_BYTES = 64, /* what is longer is a formula or a link */
	MIN_PAPERS = 2,	     /* a word that only this paper has finds no other */
};

struct term {
	const char *form, *shown; /* normal, and as it stands there folded */
	double often, weight;
};

struct terms {
	struct term *items;
	size_t n;
	struct map by_form;
	struct token_list tokens;
	struct strbuf plain;
	struct arena *a;
	struct error *err;
};

/* Numbers and single letters say little of what a paper is about. */
static bool
is_telling(const char *folded)
{
	size_t len = strlen(folded), ndigits = strspn(folded, "0123456789.");

	return len > 1 && len < MAX_WORD_BYTES && ndigits < len;
}

static int
add_word(struct terms *t, const char *folded, double worth)
{
	char normal[2 * MAX_WORD_BYTES];
	struct term *term;
	uint64_t at;

	if (!is_telling(folded))
		return 0;
	text_normal_word(folded, normal, sizeof(normal));
	if (map_get(&t->by_form, normal, strlen(normal), &at)) {
		t->items[at].often += worth;
		return 0;
	}
	if (t->n == MAX_WORDS)
		return 0;
	term = &t->items[t->n];
	term->form = arena_strdup(t->a, normal);
	term->shown = arena_strdup(t->a, folded);
	term->often = worth;
	if (term->form == NULL || term->shown == NULL ||
	    map_set(&t->by_form, term->form, strlen(normal), t->n) == -1)
		return err_nomem(t->err, "similar papers");
	t->n++;
	return 0;
}

static int
add_text(struct terms *t, const char *text, double worth)
{
	strbuf_reset(&t->plain);
	tokens_reset(&t->tokens);
	text_add_latex(&t->plain, text, strlen(text));
	if (strbuf_check(&t->plain, t->err) == -1 ||
	    tokens_add(&t->tokens, t->plain.buf, t->plain.len, 0, t->err) == -1)
		return -1;
	for (size_t i = 0; i < t->tokens.len; i++)
		if (add_word(t, token_form(&t->tokens, &t->tokens.tokens[i]), worth) == -1)
			return -1;
	return 0;
}

/* With the weights that fields have in the score. */
static int
add_paper(struct terms *t, const struct paper *p)
{
	if (add_text(t, p->title, 3) == -1 || add_text(t, p->abstract, 1) == -1)
		return -1;
	for (size_t i = 0; i < p->nkeywords; i++)
		if (add_text(t, p->keywords[i], 2) == -1)
			return -1;
	return 0;
}

static int
compare_terms(const void *x, const void *y)
{
	const struct term *p = x, *q = y;

	if (p->weight != q->weight)
		return p->weight > q->weight ? -1 : 1;
	return strcmp(p->form, q->form);
}

/* How much each word tells: nothing when no other paper has it, or half of all. */
static int
weigh(struct terms *t, struct store *store, size_t npapers)
{
	size_t nknown = 0, nmissing = 0;

	for (size_t i = 0; i < t->n; i++) {
		const struct store_words word = { .op = WORDS_ONE,
			.form = t->items[i].form,
			.texts = STORE_TITLE | STORE_ABSTRACT | STORE_KEYWORDS };
		size_t n;

		if (store_count_words(store, &word, &n, t->err) == -1)
			return -1;
		t->items[i].weight = 0;
		nmissing += n == 0;
		if (n >= MIN_PAPERS && n <= npapers / 2) {
			t->items[i].weight = t->items[i].often * log((double)npapers / (double)n);
			nknown++;
		}
	}
	/* The index has not even this paper: nothing is known but its own words. */
	for (size_t i = 0; i < t->n && nknown == 0 && nmissing > 0; i++)
		t->items[i].weight = t->items[i].often;
	return 0;
}

static struct query *
make_term(const struct term *term, struct arena *a)
{
	struct query *q = arena_zalloc(a, sizeof(*q));

	if (q == NULL || (q->words = arena_array(a, 1, sizeof(*q->words))) == NULL)
		return NULL;
	q->op = QUERY_TERM;
	q->field = FIELD_TEXT;
	q->kind = TERM_WORD;
	q->text = term->shown;
	q->nwords = 1;
	q->words[0] = (struct query_word){ .form = term->form, .joined = "" };
	return q;
}

static int
make_query(struct terms *t, struct query **out, const char ***terms, size_t *nterms)
{
	struct query *q = arena_zalloc(t->a, sizeof(*q));
	size_t n = 0;

	*terms = arena_array(t->a, MAX_TERMS, sizeof(**terms));
	if (q == NULL || *terms == NULL ||
	    (q->children = arena_array(t->a, MAX_TERMS, sizeof(struct query *))) == NULL)
		return err_nomem(t->err, "similar papers");
	if (t->n > 1)
		qsort(t->items, t->n, sizeof(*t->items), compare_terms);
	for (; n < t->n && n < MAX_TERMS && t->items[n].weight > 0; n++) {
		if ((q->children[n] = make_term(&t->items[n], t->a)) == NULL)
			return err_nomem(t->err, "similar papers");
		(*terms)[n] = t->items[n].shown;
	}
	q->op = QUERY_OR;
	q->nchildren = n;
	*nterms = n;
	*out = n == 0 ? NULL : n == 1 ? q->children[0] : q;
	return 0;
}

int
similar_query(struct store *store, const struct paper *p, size_t npapers, struct arena *a,
    struct query **out, const char ***terms, size_t *nterms, struct error *err)
{
	struct terms t = { .a = a, .err = err };
	int rc = -1;

	map_init(&t.by_form);
	tokens_init(&t.tokens);
	strbuf_init(&t.plain, MAX_TEXT_BYTES);
	if ((t.items = arena_array(a, MAX_WORDS, sizeof(*t.items))) == NULL)
		err_nomem(err, "similar papers");
	else if (add_paper(&t, p) == 0 && weigh(&t, store, npapers) == 0)
		rc = make_query(&t, out, terms, nterms);
	strbuf_release(&t.plain);
	tokens_release(&t.tokens);
	map_release(&t.by_form);
	return rc;
}
