#include "spans.h"
#include "words.h"
#include "digest/limits.h"
#include "digest/strbuf.h"
#include "digest/text.h"

#include <stdlib.h>
#include <string.h>

/* A word of a text, or a joined one that stands for several: forms that share a slot are chained, in the order of the text. */
struct form {
	uint32_t normal; /* of its normal form, in normals */
	uint32_t token, span;
	uint32_t next; /* NO_FORM = none */
};
#define NO_FORM UINT32_MAX

/* A text of its own, read for the places of words. Positions are numbers of tokens. */
struct reader {
	const char *text;
	struct token_list tokens;
	struct strbuf normals; /* one after the other, each with its NUL */
	struct form *forms;    /* NULL until somebody asks for a normal form */
	uint32_t *slots;       /* of forms by the hash of the normal form */
	uint32_t nforms, mask;
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
	free(r->forms);
	free(r->slots);
	strbuf_release(&r->normals);
	tokens_release(&r->tokens);
}

static int
reader_read(struct reader *r, const char *text, struct error *err)
{
	r->text = text;
	return tokens_add(&r->tokens, text, strlen(text), 0, err);
}

static bool
is_spelled(const struct reader *r, const struct token *t, const char *form)
{
	size_t len = strlen(form), n = t->end - t->start;

	return n >= len && memcmp(r->text + t->start, form, len) == 0 &&
	    (n == len || (n == len + 1 && r->text[t->end - 1] == 's'));
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

static void
add_form(struct reader *r, const char *folded, uint32_t token, uint32_t span)
{
	struct form *f = &r->forms[r->nforms];
	uint32_t *slot;

	f->normal = (uint32_t)r->normals.len;
	f->token = token;
	f->span = span;
	words_add_normal(&r->normals, folded);
	strbuf_addc(&r->normals, '\0');
	if (r->normals.state != STRBUF_OK)
		return;
	slot = &r->slots[hash_form(r->normals.buf + f->normal) & r->mask];
	f->next = *slot;
	*slot = r->nforms++;
}

/* Make the forms, the last first, so that chains are in the order of the text. */
static int
make_forms(struct reader *r, struct error *err)
{
	const char *folded = r->tokens.forms.buf;
	uint32_t nslots = 16;

	while (nslots < 2 * r->tokens.len)
		nslots *= 2;
	r->mask = nslots - 1;
	r->forms = malloc((2 * r->tokens.len + 1) * sizeof(*r->forms));
	r->slots = malloc(nslots * sizeof(*r->slots));
	if (r->forms == NULL || r->slots == NULL)
		return err_nomem(err, "places of words");
	memset(r->slots, 0xff, nslots * sizeof(*r->slots)); /* NO_FORM */
	for (uint32_t i = (uint32_t)r->tokens.len; i-- > 0;) {
		const struct token *t = &r->tokens.tokens[i];

		if (t->njoined > 0)
			add_form(r, folded + t->joined, i, t->njoined);
		add_form(r, folded + t->form, i, 1);
	}
	return strbuf_check(&r->normals, err);
}

/* The first of the words with a normal form, or behind one of them the next; NULL = none. */
static const struct form *
find_form(const struct reader *r, const char *form, const struct form *behind)
{
	uint32_t i = behind != NULL ? behind->next : r->slots[hash_form(form) & r->mask];

	while (i != NO_FORM && strcmp(r->normals.buf + r->forms[i].normal, form) != 0)
		i = r->forms[i].next;
	return i != NO_FORM ? &r->forms[i] : NULL;
}

static int
places_of_normal(struct reader *r, const char *form, struct place_list *out, struct error *err)
{
	if (r->forms == NULL && make_forms(r, err) == -1)
		return -1;
	for (const struct form *f = NULL; (f = find_form(r, form, f)) != NULL;)
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
	struct reader *r = arg;
	const char *forms = r->tokens.forms.buf;

	if (sense == SENSE_NORMAL)
		return places_of_normal(r, form, out, err);
	for (uint32_t i = 0; i < r->tokens.len; i++) {
		const struct token *t = &r->tokens.tokens[i];
		bool found = sense == SENSE_EXACT ? is_spelled(r, t, form)
						  : is_word(forms + t->form, form, sense);

		if (found && places_add(out, (struct place){ 0, i, i + 1 }, err) == -1)
			return -1;
		if (t->njoined > 0 && is_word(forms + t->joined, form, sense) &&
		    places_add(out, (struct place){ 0, i, i + t->njoined }, err) == -1)
			return -1;
	}
	return 0;
}

static int
add_item(struct span_list *list, struct match_span span, struct error *err)
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
add_span(
    struct span_list *list, const struct token *first, const struct token *last, struct error *err)
{
	return add_item(list, (struct match_span){ first->start, last->end }, err);
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

/* A word alone, as most terms are. */
static int
add_word_spans(struct reader *r, const char *form, struct span_list *out, struct error *err)
{
	const struct token *tokens = r->tokens.tokens;

	if (r->forms == NULL && make_forms(r, err) == -1)
		return -1;
	for (const struct form *f = NULL; (f = find_form(r, form, f)) != NULL;)
		if (add_span(out, &tokens[f->token], &tokens[f->token + f->span - 1], err) == -1)
			return -1;
	return 0;
}

static int
add_term_spans(
    struct reader *r, const struct literal_spec *spec, struct span_list *out, struct error *err)
{
	struct place_list places;
	int rc;

	if (spec->kind == TERM_WORD && spec->nwords == 1 && spec->words[0].njoined == 0)
		return add_word_spans(r, spec->words[0].form, out, err);
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

struct match_terms {
	struct literal_spec *list;
	uint32_t *literals; /* their numbers */
	size_t n;
};

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
find_spans(const struct match_terms *terms, enum query_field field, struct reader *r,
    struct span_list *out, struct error *err)
{
	for (size_t i = 0; i < terms->n; i++) {
		if ((index_field_bits(terms->list[i].field) >> field & 1) != 0 &&
		    add_term_spans(r, &terms->list[i], out, err) == -1)
			return -1;
		/* Thousands of terms may stand in the same places. */
		if (out->len > 2 * r->tokens.len)
			merge_spans(out);
	}
	merge_spans(out);
	return 0;
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
	struct match_terms *terms;
	struct reader r;
	int rc;

	*n = 0;
	*out = NULL;
	if (text == NULL)
		return 0;
	arena_reset(&index->scratch);
	if (match_read_terms(index, program, &index->scratch, &terms, err) == -1)
		return -1;
	reader_init(&r);
	rc = reader_read(&r, text, err);
	if (rc == 0)
		rc = find_spans(terms, field, &r, &list, err);
	if (rc == 0)
		rc = keep_spans(&list, a, out, n, err);
	free(list.items);
	reader_release(&r);
	return rc;
}

enum { TEXTS = PAPER_ABSTRACT + 1 };

/* Where a term stands in the texts of a paper. */
struct found {
	uint32_t literal; /* its number and 1; 0 = a free slot */
	uint32_t paper;
	uint32_t first; /* of the spans */
	uint32_t n[TEXTS];
};

/* What was found before, for readers with the same words. */
struct found_terms {
	struct found *slots; /* by literal and paper */
	uint32_t nslots, len;
	struct span_list spans;
};

/* Texts of the papers of an index as they were read, TEXTS for each paper; NULL = not yet. */
struct read_texts {
	struct reader **readers;
	size_t n, bytes;
	struct found_terms found;
};

static size_t
reader_bytes(const struct reader *r)
{
	/* Normal forms are no longer than the others; there are up to four slots a token. */
	return sizeof(*r) + r->tokens.alloc * sizeof(*r->tokens.tokens) +
	    2 * r->tokens.forms.alloc +
	    2 * (r->tokens.len + 1) * (sizeof(*r->forms) + 2 * sizeof(*r->slots));
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
	free(texts->found.slots);
	free(texts->found.spans.items);
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

static struct found *
find_found(const struct found_terms *t, uint32_t literal, uint32_t paper)
{
	uint64_t h = ((uint64_t)literal << 32 | paper) * UINT64_C(0x9e3779b97f4a7c15);
	uint32_t i = (uint32_t)(h >> 32) & (t->nslots - 1);

	while (t->slots[i].literal != 0 &&
	    (t->slots[i].literal != literal + 1 || t->slots[i].paper != paper))
		i = (i + 1) & (t->nslots - 1);
	return &t->slots[i];
}

/* Room for one more; when there are too many, all are forgotten. */
static int
grow_found(struct found_terms *t, struct error *err)
{
	struct found_terms more = { .nslots = t->nslots > 0 ? 2 * t->nslots : 1024 };
	size_t bytes = more.nslots * sizeof(*t->slots);
	size_t spans = t->spans.len * sizeof(*t->spans.items);
	bool full = t->len >= t->nslots / 2;

	if (spans > MAX_FOUND_TERMS_BYTES || (full && bytes > MAX_FOUND_TERMS_BYTES)) {
		memset(t->slots, 0, t->nslots * sizeof(*t->slots));
		t->len = 0;
		t->spans.len = 0;
		return 0;
	}
	if (!full)
		return 0;
	if ((more.slots = calloc(more.nslots, sizeof(*more.slots))) == NULL)
		return err_nomem(err, "places of words");
	for (uint32_t i = 0; i < t->nslots; i++)
		if (t->slots[i].literal != 0)
			*find_found(&more, t->slots[i].literal - 1, t->slots[i].paper) =
			    t->slots[i];
	free(t->slots);
	t->slots = more.slots;
	t->nslots = more.nslots;
	return 0;
}

/* A summary counts as part of the abstract. */
static bool
asks_for(const struct literal_spec *spec, int text)
{
	enum query_field field = text == PAPER_TITLE ? FIELD_TITLE : FIELD_ABSTRACT;

	return (index_field_bits(spec->field) >> field & 1) != 0;
}

/* Where a term stands in a paper, as it was found before, or now. NULL = memory is short. */
static const struct found *
take_found(struct match_index *index, const struct literal_spec *spec, uint32_t literal,
    uint32_t paper, struct error *err)
{
	struct found_terms *t = &index->texts->found;
	struct found f = { literal + 1, paper, 0, { 0 } }, *slot;

	if (t->nslots > 0 && (slot = find_found(t, literal, paper))->literal != 0)
		return slot;
	if (grow_found(t, err) == -1)
		return NULL;
	f.first = (uint32_t)t->spans.len;
	for (int text = 0; text < TEXTS; text++) {
		struct reader *r = take_text(index, paper, (enum paper_text)text, err);
		size_t before = t->spans.len;

		if (r == NULL ||
		    (asks_for(spec, text) && add_term_spans(r, spec, &t->spans, err) == -1)) {
			t->spans.len = f.first;
			return NULL;
		}
		f.n[text] = (uint32_t)(t->spans.len - before);
	}
	slot = find_found(t, literal, paper);
	*slot = f;
	t->len++;
	return slot;
}

/* Of what was found, the spans in each text. */
static int
add_found(struct span_list out[TEXTS], const struct found_terms *t, const struct found *f,
    struct error *err)
{
	const struct match_span *span = t->spans.items + f->first;

	for (int text = 0; text < TEXTS; text++)
		for (size_t i = 0; i < f->n[text]; i++)
			if (add_item(&out[text], *span++, err) == -1)
				return -1;
	return 0;
}

/* Thousands of terms may stand in the same places. */
static void
merge_many(struct span_list *list, size_t *most)
{
	if (list->len <= *most)
		return;
	merge_spans(list);
	*most = 2 * list->len + 1024;
}

/* Whether a term may stand in a paper's texts: one that is false for it stands at most in the summary, which is not matched. */
static bool
may_stand(const struct match_index *index, uint32_t literal, uint32_t paper)
{
	return literal >= index->nresults || index->results[literal] == NULL ||
	    index->papers[paper]->summary[0] != '\0' || literal_has(index->results[literal], paper);
}

static int
find_marks(struct match_index *index, const struct match_terms *terms, uint32_t paper,
    struct span_list out[TEXTS], struct error *err)
{
	size_t most[TEXTS] = { 0 };

	for (size_t i = 0; i < terms->n; i++) {
		const struct found *f;

		if (!may_stand(index, terms->literals[i], paper))
			continue;
		f = take_found(index, &terms->list[i], terms->literals[i], paper, err);
		if (f == NULL || add_found(out, &index->texts->found, f, err) == -1)
			return -1;
		for (int text = 0; text < TEXTS; text++)
			merge_many(&out[text], &most[text]);
	}
	for (int text = 0; text < TEXTS; text++)
		merge_spans(&out[text]);
	return 0;
}

int
match_find_marks(struct match_index *index, const struct match_terms *terms, uint32_t paper,
    size_t max, struct arena *a, struct paper_mark **out, size_t *n, struct error *err)
{
	struct span_list lists[TEXTS] = { 0 };
	struct paper_mark *marks = NULL;
	size_t found = 0;
	int rc = -1;

	*n = 0;
	if ((index->texts == NULL && make_texts(index, err) == -1) ||
	    find_marks(index, terms, paper, lists, err) == -1)
		goto out;
	for (int text = 0; text < TEXTS; text++)
		found += lists[text].len;
	found = found < max ? found : max;
	if ((marks = arena_alloc(a, found * sizeof(*marks))) == NULL) {
		err_nomem(err, "places of words");
		goto out;
	}
	for (int text = 0; text < TEXTS; text++)
		for (size_t i = 0; i < lists[text].len && *n < found; i++)
			marks[(*n)++] = (struct paper_mark){ (enum paper_text)text,
				lists[text].items[i].start, lists[text].items[i].end };
	*out = marks;
	rc = 0;
out:
	for (int text = 0; text < TEXTS; text++)
		free(lists[text].items);
	return rc;
}
