#include "rank.h"
#include "digest/limits.h"
#include "digest/strbuf.h"

#include <stdlib.h>
#include <string.h>

/* More reasons than these say less. */
enum { MAX_WHY = 5, MAX_WHY_BYTES = 128 * 1024 };

struct run {
	struct match_index *index;
	struct match_request *request;
	struct ranking *rankings; /* of the sections */
	uint64_t *shown;	  /* papers that stand somewhere already */
	uint64_t *any;		  /* papers that some section matched */
	uint32_t *taken;	  /* scratch, one for each paper */
	size_t nshown;
	struct strbuf why;
	struct arena *a;
	struct error *err;
};

/* Which papers of the index a section may show at all. */
static uint64_t
eligible(const struct match_request *r, const struct match_section *s, size_t word)
{
	const uint64_t *plain = s->plain != NULL ? s->plain : r->plain;
	const uint64_t *signals = s->plain != NULL ? s->signals : r->signals;
	const uint64_t *replaced = s->plain != NULL ? s->replaced : r->replaced;
	uint64_t bits = s->program->reads_signals ? signals[word] : plain[word];

	if (s->program->reads_versions && replaced != NULL)
		bits |= replaced[word];
	return bits;
}

/* The eligible papers that satisfy the query of a section. */
static int
match_section(struct run *run, size_t section)
{
	struct match_section *s = &run->request->sections[section];
	struct ranking *ranking = &run->rankings[section];
	struct match_index *index = run->index;
	uint64_t *stack;

	if (match_prepare(index, s->program, run->err) == -1)
		return -1;
	stack = arena_alloc(run->a, s->program->max_stack * index->nwords * sizeof(*stack));
	if (stack == NULL)
		return err_nomem(run->err, "picks");
	index_run(index, s->program, run->request->sent, stack);
	for (size_t i = 0; i < index->nwords; i++) {
		stack[i] &= eligible(run->request, s, i);
		run->any[i] |= stack[i];
	}
	if (rank_papers(index, s->program, s->sort, stack, run->a, ranking, run->err) == -1)
		return -1;
	s->nmatched = ranking->nmatched;
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
		strbuf_add_all(&run->why, n > 0 ? ", " : "", labels[n], NULL);
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
		pick->nalso_in += s != section && has_bit(run->rankings[s].matched, pick->paper);
	if (pick->nalso_in == 0)
		return 0;
	list = arena_array(run->a, pick->nalso_in, sizeof(*list));
	if (list == NULL)
		return err_nomem(run->err, "picks");
	pick->also_in = list;
	for (size_t s = 0; s < nsections; s++)
		if (s != section && has_bit(run->rankings[s].matched, pick->paper))
			*list++ = (uint32_t)s;
	return 0;
}

static void
fill_pick(
    struct run *run, const uint64_t *replaced, double relevance, uint32_t paper, struct pick *out)
{
	*out = (struct pick){
		.paper = paper, .why = "", .replaced = replaced != NULL && has_bit(replaced, paper)
	};
	score_fill(run->index, relevance, out);
}

/* The best papers of a section that stand nowhere yet, at most max. */
static int
take_picks(struct run *run, size_t section, size_t max, struct pick **out, size_t *n)
{
	const struct match_section *s = &run->request->sections[section];
	const uint64_t *replaced = s->plain != NULL ? s->replaced : run->request->replaced;
	struct ranking *ranking = &run->rankings[section];

	*n = rank_take(ranking, run->shown, max, run->taken);
	if ((*out = arena_alloc(run->a, *n * sizeof(**out))) == NULL)
		return err_nomem(run->err, "picks");
	for (size_t i = 0; i < *n; i++)
		fill_pick(run, replaced, rank_relevance(ranking, run->taken[i]), run->taken[i],
		    &(*out)[i]);
	return 0;
}

/* A paper goes to the first of its sections that has room. */
static int
fill_section(struct run *run, size_t section)
{
	struct match_section *s = &run->request->sections[section];
	size_t room = run->request->max_papers - run->nshown;

	room = s->limit < room ? s->limit : room;
	if (take_picks(run, section, room, &s->picks, &s->npicks) == -1)
		return -1;
	for (size_t i = 0; i < s->npicks; i++)
		if (explain(run, s->program, &s->picks[i]) == -1 ||
		    add_also_in(run, section, &s->picks[i]) == -1)
			return -1;
	run->nshown += s->npicks;
	return 0;
}

/* What found no room anywhere is named under its first section. */
static int
fill_cut(struct run *run, size_t section)
{
	struct match_section *s = &run->request->sections[section];
	struct ranking *ranking = &run->rankings[section];

	if (take_picks(run, section, MAX_CUT_TITLES, &s->cut, &s->ncut) == -1)
		return -1;
	for (size_t i = 0; i < run->index->nwords; i++) {
		uint64_t rest = ranking->matched[i] & ~run->shown[i];

		s->nmore += (size_t)__builtin_popcountll(rest);
		run->shown[i] |= rest;
	}
	return 0;
}

/* Popular papers that no section matched. */
static int
fill_outside(struct run *run)
{
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
			fill_pick(run, NULL, 0, paper, &r->outside_picks[r->noutside++]);
	}
	return 0;
}

static void
clear_results(struct match_request *r)
{
	for (size_t i = 0; i < r->nsections; i++) {
		struct match_section *s = &r->sections[i];

		s->picks = s->cut = NULL;
		s->npicks = s->ncut = s->nmore = s->nmatched = 0;
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
	run.rankings = arena_array(a, request->nsections, sizeof(*run.rankings));
	run.taken = arena_alloc(a, index->npapers * sizeof(*run.taken));
	run.shown = arena_array(a, index->nwords, sizeof(*run.shown));
	run.any = arena_array(a, index->nwords, sizeof(*run.any));
	if (run.rankings == NULL || run.taken == NULL || run.shown == NULL || run.any == NULL)
		return err_nomem(err, "picks");
	strbuf_init(&run.why, MAX_WHY_BYTES);
	for (size_t i = 0; i < request->nsections && rc == 0; i++)
		rc = match_section(&run, i);
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
