#include "spans.h"
#include "digest/limits.h"

#include <stdlib.h>
#include <string.h>

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

/* Texts of the papers of an index as they were read, TEXTS for each paper; NULL = not yet, or not any more. */
struct mark_cache {
	struct read_text **texts;
	size_t ntexts, bytes;
	size_t oldest; /* where the search for one to forget goes on */
	struct reading reading;
	struct found_terms found;
};

void
mark_cache_free(struct mark_cache *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->ntexts; i++)
		read_text_free(c->texts[i]);
	reading_release(&c->reading);
	free(c->found.slots);
	free(c->found.spans.items);
	free(c->texts);
	free(c);
}

static int
make_cache(struct match_index *index, struct error *err)
{
	struct mark_cache *c = calloc(1, sizeof(*c));

	if (c == NULL ||
	    (c->texts = calloc(index->npapers * TEXTS, sizeof(struct read_text *))) == NULL) {
		free(c);
		return err_nomem(err, "places of words");
	}
	c->ntexts = index->npapers * TEXTS;
	reading_init(&c->reading);
	index->marks = c;
	return 0;
}

/* Make room for one more, in turn: each text is as likely as the next to be asked for again. */
static void
forget_some(struct mark_cache *c, size_t more)
{
	for (size_t tried = 0; c->bytes + more > MAX_READ_TEXTS_BYTES && tried < c->ntexts;
	     tried++) {
		struct read_text **slot = &c->texts[c->oldest];

		c->oldest = (c->oldest + 1) % c->ntexts;
		if (*slot != NULL) {
			c->bytes -= (*slot)->bytes;
			read_text_free(*slot);
			*slot = NULL;
		}
	}
}

/* The text as it was read before, or now. NULL = memory is short. */
static struct read_text *
take_text(struct match_index *index, uint32_t paper, enum paper_text text, struct error *err)
{
	const struct paper *p = index->papers[paper];
	const char *const texts[TEXTS] = { [PAPER_TITLE] = p->title,
		[PAPER_SUMMARY] = p->summary,
		[PAPER_ABSTRACT] = p->abstract };
	struct mark_cache *c = index->marks;
	struct read_text **slot = &c->texts[paper * TEXTS + text], *t;

	if (*slot != NULL)
		return *slot;
	if ((t = read_text_new(&c->reading, texts[text], err)) == NULL)
		return NULL;
	forget_some(c, t->bytes);
	c->bytes += t->bytes;
	return *slot = t;
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
	struct found_terms *t = &index->marks->found;
	struct found f = { literal + 1, paper, 0, { 0 } }, *slot;

	if (t->nslots > 0 && (slot = find_found(t, literal, paper))->literal != 0)
		return slot;
	if (grow_found(t, err) == -1)
		return NULL;
	f.first = (uint32_t)t->spans.len;
	for (int text = 0; text < TEXTS; text++) {
		struct read_text *read = take_text(index, paper, (enum paper_text)text, err);
		size_t before = t->spans.len;

		if (read == NULL ||
		    (asks_for(spec, text) && read_text_find(read, spec, &t->spans, err) == -1)) {
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
			if (span_list_add(&out[text], *span++, err) == -1)
				return -1;
	return 0;
}

/* Thousands of terms may stand in the same places. */
static void
merge_many(struct span_list *list, size_t *most)
{
	if (list->len <= *most)
		return;
	span_list_merge(list);
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
		if (f == NULL || add_found(out, &index->marks->found, f, err) == -1)
			return -1;
		for (int text = 0; text < TEXTS; text++)
			merge_many(&out[text], &most[text]);
	}
	for (int text = 0; text < TEXTS; text++)
		span_list_merge(&out[text]);
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
	if ((index->marks == NULL && make_cache(index, err) == -1) ||
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
