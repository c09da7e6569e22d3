#include "digest/text.h"
#include "digest/utf8.h"
#include "stages.h"

#include <string.h>

/* More words than these, or deeper ones, and the papers are looked at without the index. */
enum { MAX_PROPOSED = 1000, MAX_TREE_DEPTH = MAX_WORDS_DEPTH - 3, MAX_FORM_BYTES = 1 << 20 };

static const struct store_words any = { .op = WORDS_ANY };

struct proposer {
	struct arena *a;
	size_t nwords;
};

/* Which texts of the index a field reads; 0 = it has none of them. */
static unsigned
texts_of(enum query_field field)
{
	switch (field) {
	case FIELD_TEXT:
		return STORE_TITLE | STORE_ABSTRACT | STORE_KEYWORDS;
	case FIELD_TITLE:
		return STORE_TITLE;
	case FIELD_ABSTRACT:
		return STORE_ABSTRACT;
	case FIELD_AUTHOR:
	case FIELD_FIRST_AUTHOR:
	case FIELD_LAST_AUTHOR:
		return STORE_AUTHORS;
	case FIELD_ORG:
		return STORE_ORG;
	case FIELD_KEYWORD:
		return STORE_KEYWORDS;
	case FIELD_VENUE:
		return STORE_VENUE;
	case FIELD_CAT:
	case FIELD_PRIMARY:
	case FIELD_SOURCE:
	case FIELD_ID:
		break;
	}
	return 0;
}

/* Parts that ask for nothing fall out of ALL and make SOME ask for nothing. */
static const struct store_words *
make_list(struct proposer *p, enum store_words_op op, const struct store_words **parts, size_t n)
{
	struct store_words *list;
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		if (parts[i] == NULL)
			return NULL;
		if (parts[i]->op != WORDS_ANY)
			parts[kept++] = parts[i];
	}
	if (kept == 0 || (op == WORDS_SOME && kept < n))
		return &any;
	if (kept == 1)
		return parts[0];
	if ((list = arena_zalloc(p->a, sizeof(*list))) == NULL)
		return NULL;
	list->op = op;
	list->parts = parts;
	list->nparts = kept;
	return list;
}

static const struct store_words *
make_word(struct proposer *p, const char *form, bool prefix, unsigned texts)
{
	struct store_words *w;

	if (++p->nwords > MAX_PROPOSED)
		return &any;
	if ((w = arena_zalloc(p->a, sizeof(*w))) == NULL)
		return NULL;
	w->op = WORDS_ONE;
	w->form = form;
	w->prefix = prefix;
	w->texts = texts;
	return w;
}

/* A spelling is found by what it is folded to, with and without the s that it may have. */
static const struct store_words *
make_exact(struct proposer *p, const char *form, unsigned texts)
{
	const struct store_words **parts = arena_array(p->a, 2, sizeof(struct store_words *));
	const char *folded[2] = { NULL, NULL };
	struct strbuf text;

	strbuf_init(&text, MAX_FORM_BYTES);
	for (int plural = 0; plural < 2; plural++) {
		const char *spelled = arena_printf(p->a, "%s%s", form, plural ? "s" : "");

		strbuf_reset(&text);
		if (spelled != NULL)
			text_add_folded(&text, spelled, strlen(spelled));
		if (spelled != NULL && strbuf_check(&text, NULL) == 0)
			folded[plural] = arena_strdup(p->a, text.buf);
	}
	strbuf_release(&text);
	if (parts == NULL || folded[0] == NULL || folded[1] == NULL)
		return NULL;
	parts[0] = make_word(p, folded[0], false, texts);
	parts[1] = make_word(p, folded[1], false, texts);
	return make_list(p, WORDS_SOME, parts, 2);
}

/* An initial of a name means a longer name: its letter is no word. */
static bool
is_initial(const struct query *q, const char *form)
{
	uint32_t cp;

	return texts_of(q->field) == STORE_AUTHORS && q->kind != TERM_EXACT &&
	    utf8_decode(form, strlen(form), &cp) == strlen(form);
}

/* Word i of a term, or a joined form that stands for it and its neighbours. */
static const struct store_words *
propose_word(struct proposer *p, const struct query *q, size_t i)
{
	const struct store_words **parts = arena_array(p->a, i + 2, sizeof(struct store_words *));
	const struct query_word *w = &q->words[i];
	unsigned texts = texts_of(q->field);
	bool prefix = q->kind == TERM_PREFIX;
	size_t n = 0;

	if (parts == NULL)
		return NULL;
	if (q->kind == TERM_EXACT)
		return make_exact(p, w->form, texts);
	if (is_initial(q, w->form))
		return &any;
	parts[n++] = make_word(p, w->form, prefix && i + 1 == q->nwords, texts);
	for (size_t k = 0; k <= i; k++)
		if (k + q->words[k].njoined > i)
			parts[n++] = make_word(p, q->words[k].joined,
			    prefix && k + q->words[k].njoined == q->nwords, texts);
	return make_list(p, WORDS_SOME, parts, n);
}

static const struct store_words *
propose_term(struct proposer *p, const struct query *q)
{
	const struct store_words **parts;

	if (texts_of(q->field) == 0)
		return &any;
	if ((parts = arena_array(p->a, q->nwords, sizeof(struct store_words *))) == NULL)
		return NULL;
	for (size_t i = 0; i < q->nwords; i++)
		parts[i] = propose_word(p, q, i);
	return make_list(p, WORDS_ALL, parts, q->nwords);
}

static const struct store_words *
propose(struct proposer *p, const struct query *q, unsigned depth)
{
	const struct store_words **parts;

	if (depth > MAX_TREE_DEPTH)
		return &any;
	switch (q->op) {
	case QUERY_TERM:
		return propose_term(p, q);
	case QUERY_AND:
	case QUERY_OR:
		break;
	case QUERY_ALL:
	case QUERY_NOT:
	case QUERY_CONDITION:
	case QUERY_PROPERTY:
	case QUERY_NAMED:
		return &any;
	}
	if ((parts = arena_array(p->a, q->nchildren, sizeof(struct store_words *))) == NULL)
		return NULL;
	for (size_t i = 0; i < q->nchildren; i++)
		parts[i] = propose(p, q->children[i], depth + 1);
	return make_list(p, q->op == QUERY_AND ? WORDS_ALL : WORDS_SOME, parts, q->nchildren);
}

const struct store_words *
propose_words(const struct query *q, struct arena *a)
{
	struct proposer p = { .a = a };

	return propose(&p, q, 0);
}
