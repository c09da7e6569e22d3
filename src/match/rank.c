#include "rank.h"

#include <stdlib.h>

/* Lists this many times as long as the candidates are searched and not walked through. */
enum { SEARCH_ABOVE = 16 };

static int
compare_candidates(const void *x, const void *y)
{
	const struct candidate *p = x, *q = y;

	if (p->value != q->value)
		return p->value > q->value ? -1 : 1;
	return (p->tie > q->tie) - (p->tie < q->tie);
}

static bool
is_better(const struct candidate *p, const struct candidate *q)
{
	return compare_candidates(p, q) < 0;
}

/* The terms of the query that make text relevance in this index. */
static int
find_terms(struct ranking *r, const struct program *program, struct arena *a, struct error *err)
{
	struct step_reader steps = program_open(program);

	/* A step is a byte at least. */
	r->terms = arena_alloc(a, program->len * sizeof(struct literal *));
	if (r->terms == NULL)
		return err_nomem(err, "ranking");
	while (steps.at < steps.end) {
		uint32_t step = program_next(&steps);
		const struct literal *l;

		if (step < STEP_LITERAL || !step_counts(step))
			continue;
		l = r->index->results[step_literal(step)];
		if (l->gains != NULL)
			r->terms[r->nterms++] = l;
	}
	return 0;
}

/* What the candidates, which stand in the order of their papers, gain by a term. */
static void
add_gains(struct ranking *r, const struct literal *term)
{
	bool search = term->npapers / SEARCH_ABOVE > r->nmatched;
	uint32_t at = 0;

	for (size_t i = 0; i < r->nmatched; i++) {
		struct candidate *c = &r->candidates[i];

		if (search) {
			c->value += literal_gain(term, c->paper);
			continue;
		}
		while (at < term->npapers && term->papers[at] < c->paper)
			at++;
		if (at < term->npapers && term->papers[at] == c->paper)
			c->value += (double)term->gains[at];
	}
}

static void
set_candidates(struct ranking *r, enum sort_order sort)
{
	const struct match_index *index = r->index;
	size_t n = 0;

	for (size_t word = 0; word < index->nwords; word++)
		for (uint64_t rest = r->matched[word]; rest != 0; rest &= rest - 1) {
			uint32_t paper = (uint32_t)(word * 64 + (size_t)__builtin_ctzll(rest));

			r->candidates[n++] = (struct candidate){ 0, index->ties[paper], paper };
		}
	for (size_t i = 0; i < r->nterms; i++)
		add_gains(r, r->terms[i]);
	for (size_t i = 0; i < n; i++) {
		struct candidate *c = &r->candidates[i];

		c->value = score_relevance(c->value);
		if (sort == SORT_BEST)
			c->value = score_sum(score_text(index, c->value), &index->scores[c->paper]);
	}
	r->ncandidates = n;
}

int
rank_papers(const struct match_index *index, const struct program *program, enum sort_order sort,
    const uint64_t *matched, struct arena *a, struct ranking *out, struct error *err)
{
	static const enum index_order orders[] = {
		[SORT_BEST] = ORDER_WORTH,
		[SORT_RELEVANCE] = ORDER_NEWEST,
		[SORT_VOTES] = ORDER_VOTES,
		[SORT_TRENDING] = ORDER_TREND,
		[SORT_NEWEST] = ORDER_NEWEST,
	};

	*out = (struct ranking){
		.index = index, .matched = matched, .nmatched = count_bits(matched, index->nwords)
	};
	if (find_terms(out, program, a, err) == -1)
		return -1;
	/* Without a term all papers have the same relevance. */
	if (out->nterms == 0 || (sort != SORT_BEST && sort != SORT_RELEVANCE)) {
		out->order = index->orders[orders[sort]];
		return 0;
	}
	out->candidates = arena_alloc(a, out->nmatched * sizeof(*out->candidates));
	if (out->candidates == NULL)
		return err_nomem(err, "ranking");
	set_candidates(out, sort);
	return 0;
}

double
rank_relevance(const struct ranking *r, uint32_t paper)
{
	double sum = 0;

	for (size_t i = 0; i < r->nterms; i++)
		sum += literal_gain(r->terms[i], paper);
	return score_relevance(sum);
}

/* An order the index has already: no paper needs to be compared with another. */
static size_t
take_in_order(const struct ranking *r, uint64_t *shown, size_t max, uint32_t *out)
{
	size_t n = 0;

	for (size_t i = 0, seen = 0; seen < r->nmatched && n < max; i++) {
		uint32_t paper = r->order[i];

		if (!has_bit(r->matched, paper))
			continue;
		seen++;
		if (!has_bit(shown, paper))
			out[n++] = paper;
	}
	return n;
}

/* Restore the heap of n candidates, in which the worst is first, below i. */
static void
sift_down(struct candidate *heap, size_t n, size_t i)
{
	for (;;) {
		size_t worst = i;
		struct candidate c;

		for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < n; child++)
			if (is_better(&heap[worst], &heap[child]))
				worst = child;
		if (worst == i)
			return;
		c = heap[i];
		heap[i] = heap[worst];
		heap[worst] = c;
		i = worst;
	}
}

/* Bring the best k of n to the front, in order. */
static void
select_best(struct candidate *list, size_t n, size_t k)
{
	if (k == 0)
		return;
	for (size_t i = k / 2; i-- > 0 && k < n;)
		sift_down(list, k, i);
	for (size_t i = k; i < n; i++) {
		struct candidate c = list[i];

		if (!is_better(&c, &list[0]))
			continue;
		list[i] = list[0];
		list[0] = c;
		sift_down(list, k, 0);
	}
	if (k > 1)
		qsort(list, k, sizeof(*list), compare_candidates);
}

static size_t
take_by_value(struct ranking *r, const uint64_t *shown, size_t max, uint32_t *out)
{
	size_t n = 0;

	for (size_t i = 0; i < r->ncandidates; i++)
		if (!has_bit(shown, r->candidates[i].paper))
			r->candidates[n++] = r->candidates[i];
	r->ncandidates = n;
	n = n < max ? n : max;
	select_best(r->candidates, r->ncandidates, n);
	for (size_t i = 0; i < n; i++)
		out[i] = r->candidates[i].paper;
	return n;
}

size_t
rank_take(struct ranking *r, uint64_t *shown, size_t max, uint32_t *out)
{
	size_t n = r->order != NULL ? take_in_order(r, shown, max, out)
				    : take_by_value(r, shown, max, out);

	for (size_t i = 0; i < n; i++)
		set_bit(shown, out[i]);
	return n;
}
