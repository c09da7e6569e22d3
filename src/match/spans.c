#include "spans.h"
#include "words.h"
#include "digest/limits.h"
#include "digest/strbuf.h"
#include "digest/text.h"

#include <stdlib.h>
#include <string.h>

/* Where the normal forms of a token begin; NOT_MADE until somebody asks for one. */
#define NOT_MADE UINT32_MAX
struct normal {
	uint32_t word, joined;
};

/* A text of its own, read for the places of words. Positions are numbers of tokens. */
struct reader {
	const char *text;
	struct token_list tokens;
	struct strbuf normals; /* one after the other, each with its NUL */
	struct normal *words;  /* of each token */
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

static void
reader_init(struct reader *r)
{
	memset(r, 0, sizeof(*r));
	tokens_init(&r->tokens);
	strbuf_init(&r->normals, 1 << 24);
}

static void
reader_release(struct reader *r)
{
	free(r->words);
	strbuf_release(&r->normals);
	tokens_release(&r->tokens);
}

static int
reader_read(struct reader *r, const char *text, struct error *err)
{
	r->text = text;
	if (tokens_add(&r->tokens, text, strlen(text), 0, err) == -1)
		return -1;
	r->words = malloc((r->tokens.len + 1) * sizeof(*r->words));
	if (r->words == NULL)
		return err_nomem(err, "places of words");
	for (size_t i = 0; i < r->tokens.len; i++)
		r->words[i] = (struct normal){ NOT_MADE, NOT_MADE };
	return 0;
}

static bool
is_spelled(const struct reader *r, const struct token *t, const char *form)
{
	size_t len = strlen(form), n = t->end - t->start;

	return n >= len && memcmp(r->text + t->start, form, len) == 0 &&
	    (n == len || (n == len + 1 && r->text[t->end - 1] == 's'));
}

/* Whether a folded word has a normal form. Those are made once, for a query may ask for thousands of words, and only of words
 * that begin with the same letter, as their normal forms do. */
static bool
is_normal(struct reader *r, const char *folded, uint32_t *made, const char *form)
{
	if (folded[0] != form[0])
		return false;
	if (*made == NOT_MADE) {
		*made = (uint32_t)r->normals.len;
		words_add_normal(&r->normals, folded);
		strbuf_addc(&r->normals, '\0');
	}
	return r->normals.state == STRBUF_OK && strcmp(r->normals.buf + *made, form) == 0;
}

static bool
is_word(
    struct reader *r, const char *folded, uint32_t *made, const char *form, enum word_sense sense)
{
	switch (sense) {
	case SENSE_FOLDED:
		return strcmp(folded, form) == 0;
	case SENSE_PREFIX:
		return strncmp(folded, form, strlen(form)) == 0;
	case SENSE_NORMAL:
		return is_normal(r, folded, made, form);
	case SENSE_EXACT:
		break;
	}
	return false;
}

/* A places_of_word. */
static int
places_in_text(
    void *arg, const char *form, enum word_sense sense, struct place_list *out, struct error *err)
{
	struct reader *r = arg;
	const char *forms = r->tokens.forms.buf;

	for (uint32_t i = 0; i < r->tokens.len; i++) {
		const struct token *t = &r->tokens.tokens[i];
		struct normal *n = &r->words[i];
		bool found = sense == SENSE_EXACT
		    ? is_spelled(r, t, form)
		    : is_word(r, forms + t->form, &n->word, form, sense);

		if (found && places_add(out, (struct place){ 0, i, i + 1 }, err) == -1)
			return -1;
		if (t->njoined > 0 && is_word(r, forms + t->joined, &n->joined, form, sense) &&
		    places_add(out, (struct place){ 0, i, i + t->njoined }, err) == -1)
			return -1;
	}
	return 0;
}

static int
add_span(
    struct span_list *list, const struct token *first, const struct token *last, struct error *err)
{
	if (list->len == list->alloc) {
		size_t alloc = list->alloc == 0 ? 16 : 2 * list->alloc;
		struct match_span *items = realloc(list->items, alloc * sizeof(*items));

		if (items == NULL)
			return err_nomem(err, "places of words");
		list->items = items;
		list->alloc = alloc;
	}
	list->items[list->len++] = (struct match_span){ first->start, last->end };
	return 0;
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
add_near_spans(struct reader *r, const struct literal_spec *spec, const struct place_list *windows,
    struct span_list *out, struct error *err)
{
	struct place_list found;
	int rc = 0;

	places_init(&found);
	for (size_t w = 0; w < spec->nwords && windows->len > 0 && rc == 0; w++)
		rc = places_in_text(r, spec->words[w].form, SENSE_NORMAL, &found, err);
	for (size_t i = 0; i < found.len && rc == 0; i++)
		if (is_in_window(windows, found.items[i]))
			rc = add_span(out, &r->tokens.tokens[found.items[i].start],
			    &r->tokens.tokens[found.items[i].end - 1], err);
	places_release(&found);
	return rc;
}

static int
add_term_spans(
    struct reader *r, const struct literal_spec *spec, struct span_list *out, struct error *err)
{
	struct place_list places;
	int rc;

	places_init(&places);
	rc = places_of_term(spec, places_in_text, r, &places, err);
	if (rc == 0 && spec->kind == TERM_NEAR)
		rc = add_near_spans(r, spec, &places, out, err);
	for (size_t i = 0; i < places.len && rc == 0 && spec->kind != TERM_NEAR; i++)
		rc = add_span(out, &r->tokens.tokens[places.items[i].start],
		    &r->tokens.tokens[places.items[i].end - 1], err);
	places_release(&places);
	return rc;
}

static int
compare_spans(const void *x, const void *y)
{
	const struct match_span *p = x, *q = y;

	return (p->start > q->start) - (p->start < q->start);
}

/* Sort, and make one of spans that overlap or touch. */
static void
merge_spans(struct span_list *list)
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

static int
find_spans(struct match_index *index, const struct program *program, enum query_field field,
    struct reader *r, struct span_list *out, struct error *err)
{
	struct step_reader steps = program_open(program);

	while (steps.at < steps.end) {
		uint32_t step = program_next(&steps);
		struct literal_spec spec;

		if (step < STEP_LITERAL || !step_counts(step))
			continue;
		arena_reset(&index->scratch);
		if (literals_read(
			index->literals, step_literal(step), &index->scratch, &spec, err) == -1)
			return -1;
		if (spec.op == QUERY_TERM && (index_field_bits(spec.field) >> field & 1) != 0 &&
		    add_term_spans(r, &spec, out, err) == -1)
			return -1;
		/* Thousands of terms may stand in the same places. */
		if (out->len > 2 * r->tokens.len)
			merge_spans(out);
	}
	merge_spans(out);
	return strbuf_check(&r->normals, err);
}

int
spans_of_term(
    const struct literal_spec *spec, const char *text, struct span_list *out, struct error *err)
{
	struct reader r;
	int rc;

	reader_init(&r);
	rc = reader_read(&r, text, err);
	if (rc == 0)
		rc = add_term_spans(&r, spec, out, err);
	if (rc == 0)
		rc = strbuf_check(&r.normals, err);
	reader_release(&r);
	return rc;
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
	struct reader r;
	int rc;

	*n = 0;
	*out = NULL;
	if (text == NULL)
		return 0;
	reader_init(&r);
	rc = reader_read(&r, text, err);
	if (rc == 0)
		rc = find_spans(index, program, field, &r, &list, err);
	if (rc == 0)
		rc = keep_spans(&list, a, out, n, err);
	free(list.items);
	reader_release(&r);
	return rc;
}

/* Texts of the papers of an index as they were read, TEXTS for each paper; NULL = not yet. */
enum { TEXTS = PAPER_ABSTRACT + 1 };
struct read_texts {
	struct reader **readers;
	size_t n, bytes;
};

static size_t
reader_bytes(const struct reader *r)
{
	return sizeof(*r) + r->tokens.alloc * sizeof(*r->tokens.tokens) + r->tokens.forms.alloc +
	    (r->tokens.len + 1) * sizeof(*r->words) +
	    r->tokens.forms.alloc; /* normals are no longer */
}

static void
forget_texts(struct read_texts *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->readers[i] != NULL) {
			reader_release(t->readers[i]);
			free(t->readers[i]);
			t->readers[i] = NULL;
		}
	t->bytes = 0;
}

void
read_texts_free(struct read_texts *texts)
{
	if (texts == NULL)
		return;
	forget_texts(texts);
	free(texts->readers);
	free(texts);
}

static int
make_texts(struct match_index *index, struct error *err)
{
	struct read_texts *t = calloc(1, sizeof(*t));

	if (t == NULL ||
	    (t->readers = calloc(index->npapers * TEXTS, sizeof(*t->readers))) == NULL) {
		free(t);
		return err_nomem(err, "places of words");
	}
	t->n = index->npapers * TEXTS;
	index->texts = t;
	return 0;
}

/* The text as it was read before, or now. NULL = memory is short. */
static struct reader *
take_text(struct match_index *index, uint32_t paper, enum paper_text text, struct error *err)
{
	const struct paper *p = index->papers[paper];
	const char *const texts[TEXTS] = { [PAPER_TITLE] = p->title,
		[PAPER_SUMMARY] = p->summary,
		[PAPER_ABSTRACT] = p->abstract };
	struct reader **slot, *r;

	if (index->texts == NULL && make_texts(index, err) == -1)
		return NULL;
	slot = &index->texts->readers[paper * TEXTS + text];
	if (*slot != NULL)
		return *slot;
	if ((r = malloc(sizeof(*r))) == NULL) {
		err_nomem(err, "places of words");
		return NULL;
	}
	reader_init(r);
	if (reader_read(r, texts[text], err) == -1) {
		reader_release(r);
		free(r);
		return NULL;
	}
	if (index->texts->bytes + reader_bytes(r) > MAX_READ_TEXTS_BYTES)
		forget_texts(index->texts);
	index->texts->bytes += reader_bytes(r);
	return *slot = r;
}

int
match_find_marks(struct match_index *index, const struct program *program, uint32_t paper,
    enum paper_text text, struct arena *a, struct match_span **out, size_t *n, struct error *err)
{
	struct reader *r = take_text(index, paper, text, err);
	struct span_list list = { 0 };
	int rc = -1;

	*n = 0;
	*out = NULL;
	if (r != NULL)
		rc = find_spans(index, program, text == PAPER_TITLE ? FIELD_TITLE : FIELD_ABSTRACT,
		    r, &list, err);
	if (rc == 0)
		rc = keep_spans(&list, a, out, n, err);
	free(list.items);
	return rc;
}
