#include "index.h"

#include <stdlib.h>
#include <string.h>

/* What a literal may take besides its lists: a bitmap, and the end of a block that it did not fit in. */
enum { FOUND_SLACK = 1024 * 1024 };

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
	uint64_t *bits = arena_array(&index->found, index->nwords, sizeof(*bits));

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

/* Places become papers, each with what it gains by the weighted number of its places. */
static int
keep_places(struct match_index *index, uint32_t number, const struct place_list *places,
    struct literal *out)
{
	uint32_t *papers;
	float *gains;
	size_t n = 0;
	double rarity;

	for (size_t i = 0; i < places->len; i++)
		n += i == 0 || places->items[i].paper != places->items[i - 1].paper;
	papers = arena_array(&index->found, n, sizeof(*papers));
	gains = arena_array(&index->found, n, sizeof(*gains));
	if (papers == NULL || gains == NULL)
		return -1;
	rarity = corpus_rarity(index, number, (uint32_t)n);
	n = 0;
	for (size_t i = 0; i < places->len;) {
		uint32_t paper = places->items[i].paper;
		double sum = 0;

		for (; i < places->len && places->items[i].paper == paper; i++)
			sum += score_place(index, &places->items[i]);
		papers[n] = paper;
		gains[n++] = (float)score_gain(rarity, sum);
	}
	out->npapers = (uint32_t)n;
	out->papers = papers;
	out->gains = gains;
	if (!is_dense(index, n))
		return 0;
	out->bits = new_bits(index, papers, n);
	return out->bits != NULL ? 0 : -1;
}

static int
make_text(struct match_index *index, uint32_t number, const struct literal_spec *spec,
    struct literal *out, struct error *err)
{
	struct index_reader r = { index, index_field_bits(spec->field) };
	struct place_list places;
	int rc;

	places_init(&places);
	if (is_author(spec->field))
		rc = author_places(index, spec, &places, err);
	else
		rc = places_of_term(spec, index_places_of_word, &r, &places, err);
	if (rc == 0 && places.len > 0 && keep_places(index, number, &places, out) == -1)
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
	if ((kept = arena_alloc(&index->found, n * sizeof(*kept))) == NULL)
		return err_nomem(err, "index");
	memcpy(kept, papers, n * sizeof(*kept));
	out->papers = kept;
	return 0;
}

/* Work out one literal. NULL when memory is short. */
static const struct literal *
make_literal(struct match_index *index, uint32_t number, struct error *err)
{
	struct literal_spec spec;
	struct literal l = { 0 }, *kept;

	arena_reset(&index->scratch);
	if (literals_read(index->literals, number, &index->scratch, &spec, err) == -1 ||
	    (is_text(&spec) ? make_text(index, number, &spec, &l, err)
			    : make_check(index, &spec, &l, err)) == -1)
		return NULL;
	if (l.npapers == 0)
		return &no_papers;
	if ((kept = arena_alloc(&index->found, sizeof(*kept))) == NULL) {
		err_nomem(err, "index");
		return NULL;
	}
	*kept = l;
	return kept;
}

static int
grow_results(struct match_index *index, struct error *err)
{
	uint32_t n = index->literals->len;
	const struct literal **results;

	if (n <= index->nresults)
		return 0;
	n += n / 2;
	if ((results = realloc(index->results, n * sizeof(struct literal *))) == NULL)
		return err_nomem(err, "index");
	memset(results + index->nresults, 0, (n - index->nresults) * sizeof(struct literal *));
	index->results = results;
	index->nresults = n;
	return 0;
}

/* Memory that runs out at its bound is the fault of these filters alone. */
static int
explain_failure(const struct match_index *index, struct error *err)
{
	size_t most_of_one = index->npapers * (sizeof(uint32_t) + sizeof(float)) + FOUND_SLACK;

	if (err->kind != ERR_NOMEM ||
	    index->found.used_bytes + most_of_one < index->found.max_bytes)
		return -1;
	return err_set(err, ERR_DATA,
	    "the filters find more than is kept in memory (%zu MB); use fewer or narrower ones",
	    index->found.max_bytes >> 20);
}

void
match_trim(struct match_index *index)
{
	size_t max = index->found.max_bytes;

	if (index->found.used_bytes <= max / 2)
		return;
	arena_release(&index->found);
	arena_init(&index->found, max);
	if (index->nresults > 0)
		memset(index->results, 0, index->nresults * sizeof(struct literal *));
}

int
match_prepare(struct match_index *index, const struct program *program, struct error *err)
{
	struct step_reader r = program_open(program);

	if (grow_results(index, err) == -1)
		return -1;
	while (r.at < r.end) {
		uint32_t step = program_next(&r), number, meaning;

		if (step < STEP_LITERAL)
			continue;
		number = step_literal(step);
		if (index->results[number] != NULL)
			continue;
		meaning = index->literals->entries[number].meaning;
		if (index->results[meaning] == NULL &&
		    (index->results[meaning] = make_literal(index, meaning, err)) == NULL)
			return explain_failure(index, err);
		index->results[number] = index->results[meaning];
	}
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
literal_gain(const struct literal *l, uint32_t paper)
{
	uint32_t at;

	if (l->gains == NULL)
		return 0;
	at = find_paper(l, paper);
	return at < l->npapers ? (double)l->gains[at] : 0;
}

/* Bits behind the last paper stay 0. */
static void
clear_tail(const struct match_index *index, uint64_t *bits)
{
	if (index->npapers % 64 != 0)
		bits[index->nwords - 1] &= ((uint64_t)1 << (index->npapers % 64)) - 1;
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

static void
or_literal(const struct match_index *index, const struct literal *l, uint64_t *bits)
{
	if (l->bits != NULL)
		for (size_t i = 0; i < index->nwords; i++)
			bits[i] |= l->bits[i];
	else
		for (uint32_t i = 0; i < l->npapers; i++)
			bits[l->papers[i] / 64] |= (uint64_t)1 << (l->papers[i] % 64);
}

static void
and_literal(const struct match_index *index, const struct literal *l, uint64_t *bits)
{
	uint32_t at = 0;

	if (l->bits != NULL) {
		for (size_t i = 0; i < index->nwords; i++)
			bits[i] &= l->bits[i];
		return;
	}
	for (size_t i = 0; i < index->nwords; i++) {
		uint64_t mask = 0;

		for (; at < l->npapers && l->papers[at] / 64 == i; at++)
			mask |= (uint64_t)1 << (l->papers[at] % 64);
		bits[i] &= mask;
	}
}

static void
put_literal(const struct match_index *index, const struct literal *l, uint64_t *bits)
{
	if (l->bits != NULL) {
		memcpy(bits, l->bits, index->nwords * sizeof(*bits));
		return;
	}
	memset(bits, 0, index->nwords * sizeof(*bits));
	or_literal(index, l, bits);
}

/* top is the first free bitmap; returns the one after the step. */
static uint64_t *
combine(const struct match_index *index, uint32_t step, uint64_t *top)
{
	uint64_t *right = top - index->nwords, *left = right - index->nwords;

	switch (step) {
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

/* A literal; where its operator is the next step, the bitmap below takes it in and none is made of it. */
static uint64_t *
run_literal(
    const struct match_index *index, const struct literal *l, struct step_reader *r, uint64_t *top)
{
	uint32_t next = r->at < r->end ? *r->at : STEP_ALL;

	if (next == STEP_AND)
		and_literal(index, l, top - index->nwords);
	else if (next == STEP_OR)
		or_literal(index, l, top - index->nwords);
	if (next == STEP_AND || next == STEP_OR) {
		r->at++;
		return top;
	}
	put_literal(index, l, top);
	return top + index->nwords;
}

void
index_run(const struct match_index *index, const struct program *program, const uint64_t *sent,
    uint64_t *stack)
{
	struct step_reader r = program_open(program);
	uint64_t *top = stack;

	if (index->nwords == 0)
		return;
	while (r.at < r.end) {
		uint32_t step = program_next(&r);

		if (step >= STEP_LITERAL) {
			top = run_literal(index, index->results[step_literal(step)], &r, top);
		} else if (step == STEP_ALL) {
			put_all(index, top);
			top += index->nwords;
		} else if (step == STEP_SENT) {
			put_sent(index, sent, top);
			top += index->nwords;
		} else {
			top = combine(index, step, top);
		}
	}
}

int
match_evaluate(struct match_index *index, const struct program *program, const uint64_t *sent,
    uint64_t *out, struct error *err)
{
	uint64_t *stack;

	if (match_prepare(index, program, err) == -1)
		return -1;
	arena_reset(&index->scratch);
	stack = arena_alloc(&index->scratch, program->max_stack * index->nwords * sizeof(*stack));
	if (stack == NULL)
		return err_nomem(err, "index");
	index_run(index, program, sent, stack);
	if (index->nwords > 0)
		memcpy(out, stack, index->nwords * sizeof(*out));
	return 0;
}
