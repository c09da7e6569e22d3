#include "index.h"

#include <stdlib.h>
#include <string.h>

/* A literal that is true for no paper of the window, as most are. */
static const struct literal no_papers = { 0 };

static bool
is_text(const struct literal_spec *spec)
{
	return spec->op == QUERY_TERM && spec->field != FIELD_CAT && spec->field != FIELD_PRIMARY &&
	    spec->field != FIELD_ID;
}

static bool
is_author(enum query_field field)
{
	return field == FIELD_AUTHOR || field == FIELD_FIRST_AUTHOR || field == FIELD_LAST_AUTHOR;
}

static uint64_t *
new_bits(struct match_index *index, const uint32_t *papers, size_t n)
{
	uint64_t *bits = arena_array(&index->arena, index->nwords, sizeof(*bits));

	for (size_t i = 0; bits != NULL && i < n; i++)
		bits[papers[i] / 64] |= (uint64_t)1 << (papers[i] % 64);
	return bits;
}

/* More papers than this and a bitmap is the smaller form. */
static bool
is_dense(const struct match_index *index, size_t npapers)
{
	return npapers * sizeof(uint32_t) > index->nwords * sizeof(uint64_t);
}

/* Places become papers, each with the weighted number of its places. */
static int
keep_places(struct match_index *index, const struct place_list *places, struct literal *out)
{
	uint32_t *papers;
	float *counts;
	size_t n = 0;

	for (size_t i = 0; i < places->len; i++)
		n += i == 0 || places->items[i].paper != places->items[i - 1].paper;
	papers = arena_array(&index->arena, n, sizeof(*papers));
	counts = arena_array(&index->arena, n, sizeof(*counts));
	if (papers == NULL || counts == NULL)
		return -1;
	n = 0;
	for (size_t i = 0; i < places->len;) {
		uint32_t paper = places->items[i].paper;
		double sum = 0;

		for (; i < places->len && places->items[i].paper == paper; i++)
			sum += score_place(index, &places->items[i]);
		papers[n] = paper;
		counts[n++] = (float)sum;
	}
	out->npapers = (uint32_t)n;
	out->papers = papers;
	out->counts = counts;
	if (!is_dense(index, n))
		return 0;
	out->bits = new_bits(index, papers, n);
	return out->bits != NULL ? 0 : -1;
}

static int
make_text(struct match_index *index, const struct literal_spec *spec, struct literal *out,
    struct error *err)
{
	struct index_reader r = { index, index_field_bits(spec->field) };
	struct place_list places;
	int rc;

	places_init(&places);
	if (is_author(spec->field))
		rc = author_places(index, spec, &places, err);
	else
		rc = places_of_term(spec, index_places_of_word, &r, &places, err);
	if (rc == 0 && places.len > 0 && keep_places(index, &places, out) == -1)
		rc = err_nomem(err, "index");
	places_release(&places);
	return rc;
}

static int
make_check(struct match_index *index, const struct literal_spec *spec, struct literal *out,
    struct error *err)
{
	uint32_t *papers = arena_array(&index->scratch, index->npapers, sizeof(*papers)), *kept;
	uint32_t n = 0;

	if (papers == NULL)
		return err_nomem(err, "index");
	for (uint32_t i = 0; i < index->npapers; i++)
		if (check_paper(spec, index->papers[i], index->now_utc))
			papers[n++] = i;
	out->npapers = n;
	if (n == 0)
		return 0;
	if (is_dense(index, n)) {
		out->bits = new_bits(index, papers, n);
		return out->bits != NULL ? 0 : err_nomem(err, "index");
	}
	if ((kept = arena_alloc(&index->arena, n * sizeof(*kept))) == NULL)
		return err_nomem(err, "index");
	memcpy(kept, papers, n * sizeof(*kept));
	out->papers = kept;
	return 0;
}

static int
keep_literal(struct match_index *index, const char *key, size_t len, const struct literal *l,
    struct error *err)
{
	struct literal *kept;
	char *name;

	if (index->nliterals == index->alloc_literals) {
		size_t alloc = index->alloc_literals == 0 ? 256 : 2 * index->alloc_literals;
		const struct literal **items =
		    realloc(index->literals, alloc * sizeof(struct literal *));

		if (items == NULL)
			return err_nomem(err, "index");
		index->literals = items;
		index->alloc_literals = alloc;
	}
	index->literals[index->nliterals] = &no_papers;
	if (l->npapers > 0) {
		if ((kept = arena_alloc(&index->arena, sizeof(*kept))) == NULL)
			return err_nomem(err, "index");
		*kept = *l;
		index->literals[index->nliterals] = kept;
	}
	name = arena_strndup(&index->arena, key, len);
	if (name == NULL || map_set(&index->literal_by_key, name, len, index->nliterals) == -1)
		return err_nomem(err, "index");
	index->nliterals++;
	return 0;
}

int
index_get_literal(struct match_index *index, const struct program *program,
    const struct literal_ref *ref, const struct literal **out, struct error *err)
{
	const char *key = program->pool + ref->key;
	struct literal_spec spec;
	struct literal l = { 0 };
	uint64_t number = index->nliterals;
	int rc;

	if (!map_get(&index->literal_by_key, key, ref->key_len, &number)) {
		arena_reset(&index->scratch);
		if (program_read_literal(program, ref, &index->scratch, &spec, err) == -1)
			return -1;
		rc = is_text(&spec) ? make_text(index, &spec, &l, err)
				    : make_check(index, &spec, &l, err);
		if (rc == -1 || keep_literal(index, key, ref->key_len, &l, err) == -1)
			return -1;
	}
	*out = index->literals[number];
	return 0;
}

/* The place of paper among the literal's, or npapers. */
static uint32_t
find_paper(const struct literal *l, uint32_t paper)
{
	uint32_t low = 0, high = l->npapers;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (l->papers[middle] < paper)
			low = middle + 1;
		else
			high = middle;
	}
	return low < l->npapers && l->papers[low] == paper ? low : l->npapers;
}

bool
literal_has(const struct literal *l, uint32_t paper)
{
	if (l->bits != NULL)
		return (l->bits[paper / 64] >> (paper % 64) & 1) != 0;
	return find_paper(l, paper) < l->npapers;
}

double
literal_count(const struct literal *l, uint32_t paper)
{
	uint32_t at;

	if (l->counts == NULL)
		return 0;
	at = find_paper(l, paper);
	return at < l->npapers ? (double)l->counts[at] : 0;
}

/* Bits behind the last paper stay 0. */
static void
clear_tail(const struct match_index *index, uint64_t *bits)
{
	if (index->npapers % 64 != 0)
		bits[index->nwords - 1] &= ((uint64_t)1 << (index->npapers % 64)) - 1;
}

static void
put_literal(const struct match_index *index, const struct literal *l, uint64_t *bits)
{
	if (l->bits != NULL) {
		memcpy(bits, l->bits, index->nwords * sizeof(*bits));
		return;
	}
	memset(bits, 0, index->nwords * sizeof(*bits));
	for (uint32_t i = 0; i < l->npapers; i++)
		bits[l->papers[i] / 64] |= (uint64_t)1 << (l->papers[i] % 64);
}

static void
put_all(const struct match_index *index, uint64_t *bits)
{
	memset(bits, 0xff, index->nwords * sizeof(*bits));
	clear_tail(index, bits);
}

static void
put_sent(const struct match_index *index, const uint64_t *sent, uint64_t *bits)
{
	if (sent == NULL) {
		memset(bits, 0, index->nwords * sizeof(*bits));
		return;
	}
	memcpy(bits, sent, index->nwords * sizeof(*bits));
	clear_tail(index, bits);
}

/* top is the first free bitmap. */
static uint64_t *
combine(const struct match_index *index, enum step_code code, uint64_t *top)
{
	uint64_t *right = top - index->nwords, *left = right - index->nwords;

	switch (code) {
	case STEP_AND:
		for (size_t i = 0; i < index->nwords; i++)
			left[i] &= right[i];
		return right;
	case STEP_OR:
		for (size_t i = 0; i < index->nwords; i++)
			left[i] |= right[i];
		return right;
	default: /* STEP_NOT has one operand */
		for (size_t i = 0; i < index->nwords; i++)
			right[i] = ~right[i];
		clear_tail(index, right);
		return top;
	}
}

static int
reserve_stack(struct match_index *index, size_t nbitmaps, struct error *err)
{
	size_t need = nbitmaps * index->nwords;
	uint64_t *stack;

	if (need <= index->alloc_stack)
		return 0;
	if ((stack = realloc(index->stack, need * sizeof(*stack))) == NULL)
		return err_nomem(err, "index");
	index->stack = stack;
	index->alloc_stack = need;
	return 0;
}

int
index_run(struct match_index *index, const struct program *program, const uint64_t *sent,
    struct error *err)
{
	const struct literal *l;
	uint64_t *top;

	if (index->nwords == 0)
		return 0;
	if (reserve_stack(index, program->max_stack, err) == -1)
		return -1;
	top = index->stack;
	for (uint32_t i = 0; i < program->nsteps; i++) {
		const struct step *s = &program->steps[i];

		switch ((enum step_code)s->code) {
		case STEP_LITERAL:
			if (index_get_literal(
				index, program, &program->literals[s->argument], &l, err) == -1)
				return -1;
			put_literal(index, l, top);
			top += index->nwords;
			break;
		case STEP_ALL:
			put_all(index, top);
			top += index->nwords;
			break;
		case STEP_SENT:
			put_sent(index, sent, top);
			top += index->nwords;
			break;
		case STEP_AND:
		case STEP_OR:
		case STEP_NOT:
			top = combine(index, (enum step_code)s->code, top);
			break;
		}
	}
	return 0;
}

int
match_evaluate(struct match_index *index, const struct program *program, const uint64_t *sent,
    uint64_t *out, struct error *err)
{
	if (index_run(index, program, sent, err) == -1)
		return -1;
	if (index->nwords > 0)
		memcpy(out, index->stack, index->nwords * sizeof(*out));
	return 0;
}
