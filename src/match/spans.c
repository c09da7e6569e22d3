#include "spans.h"
#include "words.h"
#include "digest/strbuf.h"
#include "digest/text.h"

#include <stdlib.h>
#include <string.h>

/* A word of a text, or a joined one that stands for several. */
struct form {
	uint32_t folded, normal; /* in chars; one where the two forms are */
	uint32_t token, span;
};

static const char *
text_of(const struct paper *p, enum query_field field)
{
	switch (field) {
	case FIELD_TITLE:
		return p->title;
	case FIELD_ABSTRACT:
		return p->abstract;
	case FIELD_ORG:
		return p->org;
	case FIELD_VENUE:
		return p->venue;
	default:
		return NULL;
	}
}

void
reading_init(struct reading *r)
{
	tokens_init(&r->list);
	strbuf_init(&r->normal, 1 << 24);
}

void
reading_release(struct reading *r)
{
	tokens_release(&r->list);
	strbuf_release(&r->normal);
}

void
read_text_free(struct read_text *t)
{
	if (t == NULL)
		return;
	free(t->tokens);
	free(t->forms);
	free(t->hashes);
	free(t->chars);
	free(t);
}

/* FNV-1a. */
static uint32_t
hash_form(const char *form)
{
	uint32_t h = 2166136261u;

	for (; *form != '\0'; form++)
		h = (h ^ (unsigned char)*form) * 16777619u;
	return h;
}

/* A normal form of its own goes behind the folded ones. */
static void
add_form(struct read_text *t, struct reading *r, uint32_t folded, uint32_t token, uint32_t span)
{
	struct strbuf *chars = &r->list.forms;
	struct form *f = &t->forms[t->nforms];

	strbuf_reset(&r->normal);
	words_add_normal(&r->normal, chars->buf + folded);
	*f = (struct form){ folded, folded, token, span };
	if (strcmp(r->normal.buf, chars->buf + folded) != 0) {
		f->normal = (uint32_t)chars->len;
		strbuf_addn(chars, r->normal.buf, r->normal.len + 1);
	}
	t->hashes[t->nforms++] = hash_form(r->normal.buf);
}

static int
fill_text(struct read_text *t, struct reading *r, struct error *err)
{
	const struct token_list *list = &r->list;
	size_t n = list->len;

	for (size_t i = 0; i < list->len; i++)
		n += list->tokens[i].njoined > 0;
	t->tokens = malloc((list->len + 1) * sizeof(*t->tokens));
	t->forms = malloc((n + 1) * sizeof(*t->forms));
	t->hashes = malloc((n + 1) * sizeof(*t->hashes));
	if (t->tokens == NULL || t->forms == NULL || t->hashes == NULL)
		return err_nomem(err, "places of words");
	for (uint32_t i = 0; i < list->len; i++) {
		const struct token *word = &list->tokens[i];

		t->tokens[t->ntokens++] = (struct match_span){ word->start, word->end };
		add_form(t, r, word->form, i, 1);
		if (word->njoined > 0)
			add_form(t, r, word->joined, i, word->njoined);
	}
	if (strbuf_check(&r->normal, err) == -1 || strbuf_check(&list->forms, err) == -1)
		return -1;
	if ((t->chars = malloc(list->forms.len + 1)) == NULL)
		return err_nomem(err, "places of words");
	memcpy(t->chars, list->forms.buf, list->forms.len);
	t->bytes = sizeof(*t) + n * (sizeof(*t->forms) + sizeof(*t->hashes)) +
	    list->len * sizeof(*t->tokens) + list->forms.len;
	return 0;
}

struct read_text *
read_text_new(struct reading *r, const char *text, struct error *err)
{
	struct read_text *t = calloc(1, sizeof(*t));

	if (t == NULL) {
		err_nomem(err, "places of words");
		return NULL;
	}
	t->text = text;
	tokens_reset(&r->list);
	if (tokens_add(&r->list, text, strlen(text), 0, err) == 0 && fill_text(t, r, err) == 0)
		return t;
	read_text_free(t);
	return NULL;
}

static bool
is_spelled(const struct read_text *t, const struct match_span *token, const char *form)
{
	size_t len = strlen(form), n = token->end - token->start;

	return n >= len && memcmp(t->text + token->start, form, len) == 0 &&
	    (n == len || (n == len + 1 && t->text[token->end - 1] == 's'));
}

/* Of the forms from *i on, the first whose normal form it is; *i moves behind it. NULL = none. */
static const struct form *
next_normal(const struct read_text *t, const char *form, uint32_t hash, uint32_t *i)
{
	while (*i < t->nforms) {
		const struct form *f = &t->forms[*i];

		if (t->hashes[(*i)++] == hash && strcmp(t->chars + f->normal, form) == 0)
			return f;
	}
	return NULL;
}

static int
places_of_normal(
    const struct read_text *t, const char *form, struct place_list *out, struct error *err)
{
	uint32_t hash = hash_form(form), i = 0;

	for (const struct form *f; (f = next_normal(t, form, hash, &i)) != NULL;)
		if (places_add(out, (struct place){ 0, f->token, f->token + f->span }, err) == -1)
			return -1;
	return 0;
}

static bool
is_word(const char *folded, const char *form, enum word_sense sense)
{
	return sense == SENSE_FOLDED
	    ? strcmp(folded, form) == 0
	    : sense == SENSE_PREFIX && strncmp(folded, form, strlen(form)) == 0;
}

/* A places_of_word. */
static int
places_in_text(
    void *arg, const char *form, enum word_sense sense, struct place_list *out, struct error *err)
{
	const struct read_text *t = arg;

	if (sense == SENSE_NORMAL)
		return places_of_normal(t, form, out, err);
	for (uint32_t i = 0; i < t->nforms; i++) {
		const struct form *f = &t->forms[i];
		bool found = sense == SENSE_EXACT
		    ? f->span == 1 && is_spelled(t, &t->tokens[f->token], form)
		    : is_word(t->chars + f->folded, form, sense);

		if (found &&
		    places_add(out, (struct place){ 0, f->token, f->token + f->span }, err) == -1)
			return -1;
	}
	return 0;
}

int
span_list_add(struct span_list *list, struct match_span span, struct error *err)
{
	if (list->len == list->alloc) {
		size_t alloc = list->alloc == 0 ? 16 : 2 * list->alloc;
		struct match_span *items = realloc(list->items, alloc * sizeof(*items));

		if (items == NULL)
			return err_nomem(err, "places of words");
		list->items = items;
		list->alloc = alloc;
	}
	list->items[list->len++] = span;
	return 0;
}

static int
add_span(const struct read_text *t, struct place p, struct span_list *out, struct error *err)
{
	struct match_span span = { t->tokens[p.start].start, t->tokens[p.end - 1].end };

	return span_list_add(out, span, err);
}

/* Whether one of the windows, which are ascending and apart, holds a place. */
static bool
is_in_window(const struct place_list *windows, struct place p)
{
	size_t low = 0, high = windows->len;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (windows->items[middle].start <= p.start)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 && p.end <= windows->items[low - 1].end;
}

/* Of a proximity group the words themselves, not what stands between them. */
static int
add_near_spans(struct read_text *t, const struct literal_spec *spec,
    const struct place_list *windows, struct span_list *out, struct error *err)
{
	struct place_list found;
	int rc = 0;

	places_init(&found);
	for (size_t w = 0; w < spec->nwords && windows->len > 0 && rc == 0; w++)
		rc = places_of_normal(t, spec->words[w].form, &found, err);
	for (size_t i = 0; i < found.len && rc == 0; i++)
		if (is_in_window(windows, found.items[i]))
			rc = add_span(t, found.items[i], out, err);
	places_release(&found);
	return rc;
}

/* A word alone, as most terms are. */
static int
add_word_spans(
    const struct read_text *t, const char *form, struct span_list *out, struct error *err)
{
	uint32_t hash = hash_form(form), i = 0;

	for (const struct form *f; (f = next_normal(t, form, hash, &i)) != NULL;)
		if (add_span(t, (struct place){ 0, f->token, f->token + f->span }, out, err) == -1)
			return -1;
	return 0;
}

int
read_text_find(
    struct read_text *t, const struct literal_spec *spec, struct span_list *out, struct error *err)
{
	struct place_list places;
	int rc;

	if (spec->kind == TERM_WORD && spec->nwords == 1 && spec->words[0].njoined == 0)
		return add_word_spans(t, spec->words[0].form, out, err);
	places_init(&places);
	rc = places_of_term(spec, places_in_text, t, &places, err);
	if (rc == 0 && spec->kind == TERM_NEAR)
		rc = add_near_spans(t, spec, &places, out, err);
	for (size_t i = 0; i < places.len && rc == 0 && spec->kind != TERM_NEAR; i++)
		rc = add_span(t, places.items[i], out, err);
	places_release(&places);
	return rc;
}

static int
compare_spans(const void *x, const void *y)
{
	const struct match_span *p = x, *q = y;

	return (p->start > q->start) - (p->start < q->start);
}

void
span_list_merge(struct span_list *list)
{
	size_t n = 0;

	if (list->len > 1)
		qsort(list->items, list->len, sizeof(list->items[0]), compare_spans);
	for (size_t i = 0; i < list->len; i++) {
		struct match_span s = list->items[i];

		if (n == 0 || s.start > list->items[n - 1].end)
			list->items[n++] = s;
		else if (s.end > list->items[n - 1].end)
			list->items[n - 1].end = s.end;
	}
	list->len = n;
}

int
spans_of_term(
    const struct literal_spec *spec, const char *text, struct span_list *out, struct error *err)
{
	struct read_text *t;
	struct reading r;
	int rc = -1;

	reading_init(&r);
	if ((t = read_text_new(&r, text, err)) != NULL)
		rc = read_text_find(t, spec, out, err);
	read_text_free(t);
	reading_release(&r);
	return rc;
}

int
match_read_terms(struct match_index *index, const struct program *program, struct arena *a,
    struct match_terms **out, struct error *err)
{
	struct match_terms *t = arena_zalloc(a, sizeof(*t));
	struct step_reader steps = program_open(program);
	size_t n = 0;

	while (steps.at < steps.end) {
		uint32_t step = program_next(&steps);

		n += step >= STEP_LITERAL && step_counts(step);
	}
	if (t == NULL || (t->list = arena_array(a, n, sizeof(*t->list))) == NULL ||
	    (t->literals = arena_array(a, n, sizeof(*t->literals))) == NULL)
		return err_nomem(err, "places of words");
	for (steps = program_open(program); steps.at < steps.end;) {
		uint32_t step = program_next(&steps);

		if (step < STEP_LITERAL || !step_counts(step))
			continue;
		if (literals_read(index->literals, step_literal(step), a, &t->list[t->n], err) ==
		    -1)
			return -1;
		t->literals[t->n] = step_literal(step);
		t->n += t->list[t->n].op == QUERY_TERM;
	}
	*out = t;
	return 0;
}

static int
find_spans(const struct match_terms *terms, enum query_field field, struct read_text *t,
    struct span_list *out, struct error *err)
{
	for (size_t i = 0; i < terms->n; i++) {
		if ((index_field_bits(terms->list[i].field) >> field & 1) != 0 &&
		    read_text_find(t, &terms->list[i], out, err) == -1)
			return -1;
		/* Thousands of terms may stand in the same places. */
		if (out->len > 2 * t->ntokens)
			span_list_merge(out);
	}
	span_list_merge(out);
	return 0;
}

/* A copy of the spans in an arena. */
static int
keep_spans(const struct span_list *list, struct arena *a, struct match_span **out, size_t *n,
    struct error *err)
{
	if (list->len == 0)
		return 0;
	if ((*out = arena_alloc(a, list->len * sizeof(**out))) == NULL)
		return err_nomem(err, "places of words");
	memcpy(*out, list->items, list->len * sizeof(**out));
	*n = list->len;
	return 0;
}

int
match_find_spans(struct match_index *index, const struct program *program, uint32_t paper,
    enum query_field field, struct arena *a, struct match_span **out, size_t *n, struct error *err)
{
	const char *text = text_of(index->papers[paper], field);
	struct span_list list = { 0 };
	struct match_terms *terms;
	struct read_text *t;
	struct reading r;
	int rc = -1;

	*n = 0;
	*out = NULL;
	if (text == NULL)
		return 0;
	arena_reset(&index->scratch);
	if (match_read_terms(index, program, &index->scratch, &terms, err) == -1)
		return -1;
	reading_init(&r);
	if ((t = read_text_new(&r, text, err)) != NULL)
		rc = find_spans(terms, field, t, &list, err);
	if (rc == 0)
		rc = keep_spans(&list, a, out, n, err);
	free(list.items);
	read_text_free(t);
	reading_release(&r);
	return rc;
}
