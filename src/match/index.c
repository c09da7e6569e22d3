#include "index.h"

#include "digest/limits.h"
#include "digest/strbuf.h"
#include "digest/text.h"
#include "words.h"

#include <stdlib.h>
#include <string.h>

enum {
	MAX_INDEX_PAPERS = 1 << 20,
	MAX_POSITION = 1 << 27, /* leaves room for one more text below the field */
	MAX_SPAN =
	    30, /* parts of a hyphenated word; longer ones are no words. Below any printable byte */
	MAX_SCRATCH = 64 * 1024 * 1024,
};

#define NO_ENTRY UINT32_MAX

/* A word met, before the postings are sorted by entry. */
struct occurrence {
	uint32_t entry, paper, position;
};

struct builder {
	struct match_index *index;
	struct occurrence *items;
	size_t len, alloc;
	struct token_list tokens;
	struct strbuf plain, spelling, form;
	uint32_t paper;
	struct error *err;
};

static int
grow_entries(struct match_index *index, struct error *err)
{
	uint32_t alloc = index->alloc_entries == 0 ? 1024 : 2 * index->alloc_entries;
	struct entry *entries;

	if (index->nentries < index->alloc_entries)
		return 0;
	if (index->nentries >= UINT32_MAX / 4)
		return err_set(err, ERR_NOMEM, "too many different words in the window");
	entries = realloc(index->entries, alloc * sizeof(*entries));
	if (entries == NULL)
		return err_nomem(err, "index");
	index->entries = entries;
	index->alloc_entries = alloc;
	return 0;
}

/* Put a new entry into the chain of its normal form. */
static int
link_entry(struct builder *b, uint32_t number)
{
	struct match_index *index = b->index;
	struct entry *e = &index->entries[number];
	const char *normal;
	uint64_t head = NO_ENTRY;

	strbuf_reset(&b->form);
	words_add_normal(&b->form, e->folded);
	if (strbuf_check(&b->form, b->err) == -1)
		return -1;
	map_get(&index->by_normal, b->form.buf, b->form.len, &head);
	e->next = (uint32_t)head;
	normal = arena_strdup(&index->arena, b->form.buf);
	if (normal == NULL || map_set(&index->by_normal, normal, b->form.len, number) == -1)
		return err_nomem(b->err, "index");
	return 0;
}

/* The entry of the spelling in b->spelling. */
static int
intern(struct builder *b, const char *folded, uint32_t span, uint32_t *out)
{
	struct match_index *index = b->index;
	struct entry *e;
	uint64_t number;

	if (strbuf_check(&b->spelling, b->err) == -1)
		return -1;
	if (map_get(&index->by_spelling, b->spelling.buf, b->spelling.len, &number)) {
		*out = (uint32_t)number;
		return 0;
	}
	if (grow_entries(index, b->err) == -1)
		return -1;
	*out = index->nentries;
	e = &index->entries[*out];
	memset(e, 0, sizeof(*e));
	e->span = span;
	e->spelling = arena_strndup(&index->arena, b->spelling.buf, b->spelling.len);
	e->folded = arena_strdup(&index->arena, folded);
	if (e->spelling == NULL || e->folded == NULL ||
	    map_set(&index->by_spelling, e->spelling, b->spelling.len, *out) == -1)
		return err_nomem(b->err, "index");
	index->nentries++;
	return link_entry(b, *out);
}

static int
add_occurrence(struct builder *b, uint32_t entry, uint32_t position)
{
	if (b->len == b->alloc) {
		size_t alloc = b->alloc == 0 ? 4096 : 2 * b->alloc;
		struct occurrence *items;

		if (alloc > UINT32_MAX)
			return err_set(b->err, ERR_NOMEM, "too many words in the window");
		items = realloc(b->items, alloc * sizeof(*items));
		if (items == NULL)
			return err_nomem(b->err, "index");
		b->items = items;
		b->alloc = alloc;
	}
	b->items[b->len++] = (struct occurrence){ entry, b->paper, position };
	return 0;
}

static int
add_token(struct builder *b, const struct token *t)
{
	uint32_t entry;

	strbuf_reset(&b->spelling);
	strbuf_addn(&b->spelling, b->plain.buf + t->start, t->end - t->start);
	if (intern(b, token_form(&b->tokens, t), 1, &entry) == -1 ||
	    add_occurrence(b, entry, t->position) == -1)
		return -1;
	if (t->njoined < 2 || t->njoined > MAX_SPAN)
		return 0;
	strbuf_reset(&b->spelling);
	strbuf_addc(&b->spelling, (char)t->njoined);
	strbuf_add(&b->spelling, b->tokens.forms.buf + t->joined);
	if (intern(b, b->tokens.forms.buf + t->joined, t->njoined, &entry) == -1)
		return -1;
	return add_occurrence(b, entry, t->position);
}

/* The words of one text, from position on; *position moves behind them. At most max words. */
static int
add_text(
    struct builder *b, enum query_field field, const char *text, size_t max, uint32_t *position)
{
	size_t n;

	if (text[0] == '\0' || *position > MAX_POSITION)
		return 0;
	strbuf_reset(&b->plain);
	tokens_reset(&b->tokens);
	text_add_latex(&b->plain, text, strlen(text));
	if (strbuf_check(&b->plain, b->err) == -1 ||
	    tokens_add(&b->tokens, b->plain.buf, b->plain.len,
		((uint32_t)field << FIELD_SHIFT) + *position, b->err) == -1)
		return -1;
	n = b->tokens.len < max ? b->tokens.len : max;
	for (size_t i = 0; i < n; i++)
		if (add_token(b, &b->tokens.tokens[i]) == -1)
			return -1;
	*position += (uint32_t)n;
	return 0;
}

/* Texts that are no neighbours: more words lie between them than any proximity group spans. */
static int
add_texts(
    struct builder *b, enum query_field field, const char *const *texts, size_t n, uint32_t *nwords)
{
	uint32_t position = 0, before;

	*nwords = 0;
	for (size_t i = 0; i < n; i++) {
		before = position;
		if (add_text(b, field, texts[i], SIZE_MAX, &position) == -1)
			return -1;
		*nwords += position - before;
		position += MAX_QUERY_DISTANCE + 2;
	}
	return 0;
}

static int
add_authors(struct builder *b, const struct paper *p)
{
	for (size_t i = 0; i < p->nauthors; i++) {
		uint32_t position = (uint32_t)i * AUTHOR_STRIDE;

		if (i >= MAX_POSITION / AUTHOR_STRIDE)
			break;
		if (add_text(b, FIELD_AUTHOR, p->authors[i], AUTHOR_STRIDE, &position) == -1)
			return -1;
	}
	return 0;
}

/* Fields in the order of their numbers, so that the postings of an entry come sorted. */
static int
add_paper(struct builder *b, const struct paper *p)
{
	const char *venue[] = { p->comment, p->journal_ref, p->venue };
	uint32_t *lengths = b->index->lengths + (size_t)b->paper * NLENGTHS, n;

	if (add_texts(b, FIELD_TITLE, &p->title, 1, &lengths[0]) == -1 ||
	    add_texts(b, FIELD_ABSTRACT, &p->abstract, 1, &lengths[1]) == -1 ||
	    add_authors(b, p) == -1 || add_texts(b, FIELD_ORG, &p->org, 1, &n) == -1 ||
	    add_texts(b, FIELD_KEYWORD, p->keywords, p->nkeywords, &lengths[2]) == -1 ||
	    add_texts(b, FIELD_VENUE, venue, 3, &n) == -1)
		return -1;
	if (p->nsources > 0)
		return add_texts(b, FIELD_SOURCE, p->sources, p->nsources, &n);
	return add_texts(b, FIELD_SOURCE, &p->source, 1, &n);
}

/* Counting sort: the occurrences of an entry stay in their order. */
static int
sort_postings(struct builder *b)
{
	struct match_index *index = b->index;
	uint32_t at = 0;

	index->postings = malloc((b->len + 1) * sizeof(struct posting));
	if (index->postings == NULL)
		return err_nomem(b->err, "index");
	for (size_t i = 0; i < b->len; i++)
		index->entries[b->items[i].entry].count++;
	for (uint32_t e = 0; e < index->nentries; e++) {
		index->entries[e].first = at;
		at += index->entries[e].count;
		index->entries[e].count = 0;
	}
	for (size_t i = 0; i < b->len; i++) {
		struct entry *e = &index->entries[b->items[i].entry];

		index->postings[e->first + e->count++] =
		    (struct posting){ b->items[i].paper, b->items[i].position };
	}
	return 0;
}

struct folded_entry {
	const char *folded, *spelling;
	uint32_t entry;
};

static int
compare_folded(const void *x, const void *y)
{
	const struct folded_entry *p = x, *q = y;
	int c = strcmp(p->folded, q->folded);

	return c != 0 ? c : strcmp(p->spelling, q->spelling);
}

static int
sort_entries(struct match_index *index, struct error *err)
{
	struct folded_entry *list = malloc((index->nentries + 1) * sizeof(*list));

	index->by_folded = malloc((index->nentries + 1) * sizeof(*index->by_folded));
	if (list == NULL || index->by_folded == NULL) {
		free(list);
		return err_nomem(err, "index");
	}
	for (uint32_t i = 0; i < index->nentries; i++)
		list[i] = (struct folded_entry){ index->entries[i].folded,
			index->entries[i].spelling, i };
	if (index->nentries > 1)
		qsort(list, index->nentries, sizeof(*list), compare_folded);
	for (uint32_t i = 0; i < index->nentries; i++)
		index->by_folded[i] = list[i].entry;
	free(list);
	return 0;
}

static void
set_means(struct match_index *index)
{
	for (size_t f = 0; f < NLENGTHS; f++) {
		uint64_t sum = 0;

		for (size_t i = 0; i < index->npapers; i++)
			sum += index->lengths[i * NLENGTHS + f];
		index->mean_lengths[f] = sum == 0 ? 1.0 : (double)sum / (double)index->npapers;
	}
}

static int
build(struct match_index *index, struct error *err)
{
	struct builder b = { .index = index, .err = err };
	int rc = 0;

	tokens_init(&b.tokens);
	strbuf_init(&b.plain, MAX_SCRATCH);
	strbuf_init(&b.spelling, MAX_SCRATCH);
	strbuf_init(&b.form, MAX_SCRATCH);
	for (size_t i = 0; i < index->npapers && rc == 0; i++) {
		b.paper = (uint32_t)i;
		rc = add_paper(&b, index->papers[i]);
	}
	if (rc == 0)
		rc = sort_postings(&b);
	if (rc == 0)
		rc = sort_entries(index, err);
	if (rc == 0)
		set_means(index);
	strbuf_release(&b.form);
	strbuf_release(&b.spelling);
	strbuf_release(&b.plain);
	tokens_release(&b.tokens);
	free(b.items);
	return rc;
}

int
match_index_new(struct paper *const *papers, size_t n, int64_t now_utc,
    const struct match_weights *weights, const struct match_literals *literals,
    struct match_index **out, struct error *err)
{
	struct match_index *index;

	if (n > MAX_INDEX_PAPERS)
		return err_set(err, ERR_NOMEM,
		    "%zu papers in the window; at most %d can be matched", n, MAX_INDEX_PAPERS);
	if ((index = calloc(1, sizeof(*index))) == NULL)
		return err_nomem(err, "index");
	arena_init(&index->arena, MAX_RUN_BYTES);
	arena_init(&index->found, MAX_FOUND_BYTES);
	arena_init(&index->scratch, MAX_RUN_BYTES);
	map_init(&index->by_spelling);
	map_init(&index->by_normal);
	index->papers = papers;
	index->npapers = n;
	index->nwords = (n + 63) / 64;
	index->now_utc = now_utc;
	index->weights = *weights;
	index->literals = literals;
	index->lengths = calloc(n * NLENGTHS + 1, sizeof(*index->lengths));
	index->scores = calloc(n + 1, sizeof(*index->scores));
	if (index->lengths == NULL || index->scores == NULL) {
		match_index_free(index);
		return err_nomem(err, "index");
	}
	for (size_t i = 0; i < n; i++)
		index->scores[i] = score_paper(index, papers[i]);
	if (index_make_orders(index, err) == -1 || build(index, err) == -1) {
		match_index_free(index);
		return -1;
	}
	*out = index;
	return 0;
}

void
match_index_free(struct match_index *index)
{
	if (index == NULL)
		return;
	mark_cache_free(index->marks);
	map_release(&index->by_normal);
	map_release(&index->by_spelling);
	arena_release(&index->scratch);
	arena_release(&index->found);
	arena_release(&index->arena);
	free(index->results);
	free(index->scores);
	free(index->lengths);
	free(index->postings);
	free(index->by_folded);
	free(index->entries);
	free(index);
}

uint32_t
index_field_bits(enum query_field field)
{
	switch (field) {
	case FIELD_TEXT:
		return 1u << FIELD_TITLE | 1u << FIELD_ABSTRACT | 1u << FIELD_KEYWORD;
	case FIELD_FIRST_AUTHOR:
	case FIELD_LAST_AUTHOR:
		return 1u << FIELD_AUTHOR;
	default:
		return 1u << field;
	}
}

static int
add_entry_places(
    const struct index_reader *r, uint32_t entry, struct place_list *out, struct error *err)
{
	const struct entry *e = &r->index->entries[entry];
	const struct posting *p = r->index->postings + e->first;

	for (uint32_t i = 0; i < e->count; i++) {
		struct place place = { p[i].paper, p[i].position, p[i].position + e->span };

		if ((r->fields >> (p[i].position >> FIELD_SHIFT) & 1) != 0 &&
		    places_add(out, place, err) == -1)
			return -1;
	}
	return 0;
}

/* The first entry, in the order of folded forms, that is not below form. */
static uint32_t
lower_bound(const struct match_index *index, const char *form)
{
	uint32_t low = 0, high = index->nentries;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (strcmp(index->entries[index->by_folded[middle]].folded, form) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int
add_folded(const struct index_reader *r, const char *form, bool prefix, struct place_list *out,
    struct error *err)
{
	const struct match_index *index = r->index;
	size_t len = strlen(form) + (prefix ? 0 : 1);

	for (uint32_t i = lower_bound(index, form); i < index->nentries; i++) {
		uint32_t entry = index->by_folded[i];

		if (strncmp(index->entries[entry].folded, form, len) != 0)
			break;
		if (add_entry_places(r, entry, out, err) == -1)
			return -1;
	}
	return 0;
}

static int
add_spelled(const struct index_reader *r, const char *form, size_t len, struct place_list *out,
    struct error *err)
{
	uint64_t entry;

	if (!map_get(&r->index->by_spelling, form, len, &entry))
		return 0;
	return add_entry_places(r, (uint32_t)entry, out, err);
}

/* The spelling itself and with an s behind it. */
static int
add_exact(const struct index_reader *r, const char *form, struct place_list *out, struct error *err)
{
	struct strbuf plural;
	int rc;

	strbuf_init(&plural, MAX_SCRATCH);
	strbuf_add(&plural, form);
	strbuf_addc(&plural, 's');
	rc = strbuf_check(&plural, err);
	if (rc == 0)
		rc = add_spelled(r, plural.buf, plural.len - 1, out, err);
	if (rc == 0)
		rc = add_spelled(r, plural.buf, plural.len, out, err);
	strbuf_release(&plural);
	return rc;
}

static int
add_normal(
    const struct index_reader *r, const char *form, struct place_list *out, struct error *err)
{
	uint64_t head;

	if (!map_get(&r->index->by_normal, form, strlen(form), &head))
		return 0;
	for (uint32_t e = (uint32_t)head; e != NO_ENTRY; e = r->index->entries[e].next)
		if (add_entry_places(r, e, out, err) == -1)
			return -1;
	return 0;
}

int
index_places_of_word(
    void *arg, const char *form, enum word_sense sense, struct place_list *out, struct error *err)
{
	const struct index_reader *r = arg;
	int rc = -1;

	switch (sense) {
	case SENSE_NORMAL:
		rc = add_normal(r, form, out, err);
		break;
	case SENSE_FOLDED:
	case SENSE_PREFIX:
		rc = add_folded(r, form, sense == SENSE_PREFIX, out, err);
		break;
	case SENSE_EXACT:
		rc = add_exact(r, form, out, err);
		break;
	}
	return rc == 0 ? places_sort(out, err) : -1;
}
