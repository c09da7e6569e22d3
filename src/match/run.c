#include "index.h"
#include "digest/limits.h"
#include "digest/strbuf.h"

#include <stdlib.h>
#include <string.h>

/* More reasons than these say less. */
enum { MAX_WHY = 5, MAX_WHY_BYTES = 128 * 1024 };

/* A paper that matched, and what it is sorted by: higher is earlier, then the lower tie. */
struct candidate {
	double value;
	uint32_t tie, paper;
};

/* One section while the request is worked on. */
struct work {
	uint64_t *matched; /* eligible papers that satisfy its query */
	struct candidate *candidates;
	size_t ncandidates;
	const struct literal **terms; /* whose gains make the text relevance */
	size_t nterms;
};

struct run {
	struct match_index *index;
	struct match_request *request;
	struct work *works;
	uint64_t *shown; /* papers that stand somewhere already */
	uint64_t *any;	 /* papers that some section matched */
	size_t nshown;
	struct strbuf why;
	struct arena *a;
	struct error *err;
};

static bool
has_bit(const uint64_t *bits, uint32_t i)
{
	return bits != NULL && (bits[i / 64] >> (i % 64) & 1) != 0;
}

static void
set_bit(uint64_t *bits, uint32_t i)
{
	bits[i / 64] |= (uint64_t)1 << (i % 64);
}

static size_t
count_bits(const uint64_t *bits, size_t nwords)
{
	size_t n = 0;

	for (size_t i = 0; i < nwords; i++)
		n += (size_t)__builtin_popcountll(bits[i]);
	return n;
}

static int
compare_candidates(const void *x, const void *y)
{
	const struct candidate *p = x, *q = y;

	if (p->value != q->value)
		return p->value > q->value ? -1 : 1;
	return (p->tie > q->tie) - (p->tie < q->tie);
}

/* Which papers of the index a section may show at all. */
static uint64_t
eligible(const struct match_request *r, const struct program *program, size_t word)
{
	uint64_t bits = program->reads_signals ? r->signals[word] : r->plain[word];

	if (program->reads_versions && r->replaced != NULL)
		bits |= r->replaced[word];
	return bits;
}

/* The eligible papers that satisfy the query of a section. */
static int
find_papers(struct run *run, const struct match_section *s, struct work *w)
{
	struct match_index *index = run->index;
	uint64_t *stack =
	    arena_alloc(run->a, s->program->max_stack * index->nwords * sizeof(*stack));

	if (stack == NULL)
		return err_nomem(run->err, "picks");
	if (match_prepare(index, s->program, run->err) == -1)
		return -1;
	index_run(index, s->program, run->request->sent, stack);
	for (size_t i = 0; i < index->nwords; i++) {
		stack[i] &= eligible(run->request, s->program, i);
		run->any[i] |= stack[i];
	}
	w->matched = stack;
	w->ncandidates = count_bits(stack, index->nwords);
	return 0;
}

/* The terms of the query that make text relevance in this index. */
static int
find_terms(struct run *run, const struct program *program, struct work *w)
{
	struct step_reader r = program_open(program);

	/* A step is a byte at least. */
	w->terms = arena_alloc(run->a, program->len * sizeof(struct literal *));
	if (w->terms == NULL)
		return err_nomem(run->err, "picks");
	while (r.at < r.end) {
		uint32_t step = program_next(&r);
		const struct literal *l;

		if (step < STEP_LITERAL || !step_counts(step))
			continue;
		l = run->index->results[step_literal(step)];
		if (l->gains != NULL)
			w->terms[w->nterms++] = l;
	}
	return 0;
}

static double
relevance(const struct work *w, uint32_t paper)
{
	double sum = 0;

	for (size_t i = 0; i < w->nterms; i++)
		sum += literal_gain(w->terms[i], paper);
	return w->nterms > 0 ? score_relevance(sum) : 0;
}

/* An order the index has already: no paper needs to be compared with another. */
static void
take_in_order(struct run *run, enum index_order order, struct work *w)
{
	const uint32_t *numbers = run->index->orders[order];

	for (size_t i = 0, n = 0; n < w->ncandidates; i++)
		if (has_bit(w->matched, numbers[i]))
			w->candidates[n++].paper = numbers[i];
}

static void
take_by_value(struct run *run, enum sort_order sort, struct work *w)
{
	const struct match_index *index = run->index;
	size_t n = 0;

	for (size_t word = 0; word < index->nwords; word++) {
		for (uint64_t rest = w->matched[word]; rest != 0; rest &= rest - 1) {
			struct candidate *c = &w->candidates[n++];

			c->paper = (uint32_t)(word * 64 + (size_t)__builtin_ctzll(rest));
			c->tie = index->ties[c->paper];
			c->value = relevance(w, c->paper);
			if (sort == SORT_BEST)
				c->value = score_sum(
				    score_text(index, c->value), &index->scores[c->paper]);
		}
	}
	if (n > 1)
		qsort(w->candidates, n, sizeof(*w->candidates), compare_candidates);
}

static int
match_section(struct run *run, struct match_section *s, struct work *w)
{
	static const enum index_order orders[] = {
		[SORT_BEST] = ORDER_WORTH,
		[SORT_RELEVANCE] = ORDER_NEWEST,
		[SORT_VOTES] = ORDER_VOTES,
		[SORT_TRENDING] = ORDER_TREND,
		[SORT_NEWEST] = ORDER_NEWEST,
	};

	if (find_papers(run, s, w) == -1 || find_terms(run, s->program, w) == -1)
		return -1;
	w->candidates = arena_alloc(run->a, w->ncandidates * sizeof(*w->candidates));
	if (w->candidates == NULL)
		return err_nomem(run->err, "picks");
	/* Without a term all papers have the same relevance. */
	if (w->nterms > 0 && (s->sort == SORT_BEST || s->sort == SORT_RELEVANCE))
		take_by_value(run, s->sort, w);
	else
		take_in_order(run, orders[s->sort], w);
	s->nmatched = w->ncandidates;
	return 0;
}

/* The words and conditions of the query that are true for the paper, none twice. */
static int
explain(struct run *run, const struct program *program, struct pick *pick)
{
	struct step_reader r = program_open(program);
	const char *labels[MAX_WHY];
	size_t n = 0;

	strbuf_reset(&run->why);
	while (r.at < r.end && n < MAX_WHY) {
		uint32_t step = program_next(&r);
		size_t same = 0;

		if (step < STEP_LITERAL || !step_counts(step) ||
		    !literal_has(run->index->results[step_literal(step)], pick->paper))
			continue;
		labels[n] = literals_label(run->index->literals, step_literal(step));
		while (strcmp(labels[same], labels[n]) != 0)
			same++;
		if (same < n)
			continue;
		strbuf_addf(&run->why, "%s%s", n > 0 ? ", " : "", labels[n]);
		n++;
	}
	if (strbuf_check(&run->why, run->err) == -1)
		return -1;
	pick->why = arena_strndup(run->a, run->why.buf, run->why.len);
	return pick->why != NULL ? 0 : err_nomem(run->err, "picks");
}

static int
add_also_in(struct run *run, size_t section, struct pick *pick)
{
	size_t nsections = run->request->nsections;
	uint32_t *list;

	for (size_t s = 0; s < nsections; s++)
		pick->nalso_in += s != section && has_bit(run->works[s].matched, pick->paper);
	if (pick->nalso_in == 0)
		return 0;
	list = arena_array(run->a, pick->nalso_in, sizeof(*list));
	if (list == NULL)
		return err_nomem(run->err, "picks");
	pick->also_in = list;
	for (size_t s = 0; s < nsections; s++)
		if (s != section && has_bit(run->works[s].matched, pick->paper))
			*list++ = (uint32_t)s;
	return 0;
}

static void
fill_pick(struct run *run, const struct work *w, uint32_t paper, struct pick *out)
{
	*out = (struct pick){
		.paper = paper, .why = "", .replaced = has_bit(run->request->replaced, paper)
	};
	score_fill(run->index, relevance(w, paper), out);
}

/* A paper goes to the first of its sections that has room. */
static int
fill_section(struct run *run, size_t section)
{
	struct match_section *s = &run->request->sections[section];
	struct work *w = &run->works[section];
	size_t room = run->request->max_papers - run->nshown;

	room = s->limit < room ? s->limit : room;
	room = w->ncandidates < room ? w->ncandidates : room;
	if ((s->picks = arena_array(run->a, room, sizeof(*s->picks))) == NULL)
		return err_nomem(run->err, "picks");
	for (size_t i = 0; i < w->ncandidates && s->npicks < room; i++) {
		struct pick *pick = &s->picks[s->npicks];

		if (has_bit(run->shown, w->candidates[i].paper))
			continue;
		fill_pick(run, w, w->candidates[i].paper, pick);
		if (explain(run, s->program, pick) == -1 || add_also_in(run, section, pick) == -1)
			return -1;
		set_bit(run->shown, pick->paper);
		s->npicks++;
		run->nshown++;
	}
	return 0;
}

/* What found no room anywhere is named under its first section. */
static int
fill_cut(struct run *run, size_t section)
{
	struct match_section *s = &run->request->sections[section];
	const struct work *w = &run->works[section];
	size_t max = w->ncandidates < MAX_SECTION_PICKS ? w->ncandidates : MAX_SECTION_PICKS;

	if ((s->cut = arena_array(run->a, max, sizeof(*s->cut))) == NULL)
		return err_nomem(run->err, "picks");
	for (size_t i = 0; i < w->ncandidates; i++) {
		uint32_t paper = w->candidates[i].paper;

		if (has_bit(run->shown, paper))
			continue;
		set_bit(run->shown, paper);
		if (s->ncut < max)
			fill_pick(run, w, paper, &s->cut[s->ncut++]);
	}
	return 0;
}

/* Popular papers that no section matched. */
static int
fill_outside(struct run *run)
{
	static const struct work no_terms = { 0 };
	const struct match_index *index = run->index;
	const uint32_t *numbers = index->orders[ORDER_POPULAR];
	struct match_request *r = run->request;
	size_t max = r->outside < index->npapers ? r->outside : index->npapers;

	r->outside_picks = arena_array(run->a, max, sizeof(*r->outside_picks));
	if (r->outside_picks == NULL)
		return err_nomem(run->err, "picks");
	for (size_t i = 0; i < index->npapers && r->noutside < max; i++) {
		uint32_t paper = numbers[i];

		if (has_bit(r->plain, paper) && !has_bit(run->any, paper) &&
		    index->papers[paper]->votes > 0)
			fill_pick(run, &no_terms, paper, &r->outside_picks[r->noutside++]);
	}
	return 0;
}

static void
clear_results(struct match_request *r)
{
	for (size_t i = 0; i < r->nsections; i++) {
		struct match_section *s = &r->sections[i];

		s->picks = s->cut = NULL;
		s->npicks = s->ncut = s->nmatched = 0;
	}
	r->outside_picks = NULL;
	r->noutside = r->nmatched = 0;
}

int
match_run(
    struct match_index *index, struct match_request *request, struct arena *a, struct error *err)
{
	struct run run = { .index = index, .request = request, .a = a, .err = err };
	int rc = 0;

	clear_results(request);
	run.works = arena_array(a, request->nsections, sizeof(*run.works));
	run.shown = arena_array(a, index->nwords, sizeof(*run.shown));
	run.any = arena_array(a, index->nwords, sizeof(*run.any));
	if (run.works == NULL || run.shown == NULL || run.any == NULL)
		return err_nomem(err, "picks");
	strbuf_init(&run.why, MAX_WHY_BYTES);
	for (size_t i = 0; i < request->nsections && rc == 0; i++)
		rc = match_section(&run, &request->sections[i], &run.works[i]);
	for (size_t i = 0; i < request->nsections && rc == 0; i++)
		rc = fill_section(&run, i);
	for (size_t i = 0; i < request->nsections && rc == 0; i++)
		rc = fill_cut(&run, i);
	if (rc == 0)
		rc = fill_outside(&run);
	request->nmatched = count_bits(run.any, index->nwords);
	strbuf_release(&run.why);
	return rc;
}
