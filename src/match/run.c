#include "index.h"
#include "digest/limits.h"
#include "digest/strbuf.h"

#include <stdlib.h>
#include <string.h>

/* More reasons than these say less. */
enum { MAX_WHY = 5, MAX_WHY_BYTES = 128 * 1024 };

struct candidate {
	const struct paper *p;
	double first, second; /* what it is sorted by; higher is earlier */
	struct pick pick;
};

/* One section while the request is worked on. */
struct work {
	uint64_t *matched; /* eligible papers that satisfy its query */
	struct candidate *candidates;
	size_t ncandidates;
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

/* Ties: the newer first, then by key, so that every run can be repeated. */
static int
compare_candidates(const void *x, const void *y)
{
	const struct candidate *p = x, *q = y;

	if (p->first != q->first)
		return p->first > q->first ? -1 : 1;
	if (p->second != q->second)
		return p->second > q->second ? -1 : 1;
	if (p->p->published_utc != q->p->published_utc)
		return p->p->published_utc > q->p->published_utc ? -1 : 1;
	return strcmp(p->p->key, q->p->key);
}

static void
sort_candidates(struct candidate *list, size_t n)
{
	if (n > 1)
		qsort(list, n, sizeof(*list), compare_candidates);
}

static double
sort_key(const struct candidate *c, enum sort_order sort, double relevance)
{
	switch (sort) {
	case SORT_BEST:
		return c->pick.score;
	case SORT_RELEVANCE:
		return relevance;
	case SORT_VOTES:
		return c->p->votes > 0 ? (double)c->p->votes : 0;
	case SORT_TRENDING:
		return c->p->trend;
	case SORT_NEWEST:
		return (double)c->p->published_utc;
	}
	return 0;
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

/* The papers of a set as candidates, scored, unsorted. */
static int
collect(struct run *run, const uint64_t *set, struct candidate **out, size_t *n)
{
	const struct match_index *index = run->index;
	struct candidate *list;

	*n = count_bits(set, index->nwords);
	if ((list = arena_array(run->a, *n, sizeof(*list))) == NULL)
		return err_nomem(run->err, "picks");
	*n = 0;
	for (size_t word = 0; word < index->nwords; word++) {
		for (uint64_t rest = set[word]; rest != 0; rest &= rest - 1) {
			struct candidate *c = &list[(*n)++];

			c->pick.paper = (uint32_t)(word * 64 + (size_t)__builtin_ctzll(rest));
			c->pick.why = "";
			c->pick.replaced = has_bit(run->request->replaced, c->pick.paper);
			c->p = index->papers[c->pick.paper];
		}
	}
	*out = list;
	return 0;
}

static int
match_section(struct run *run, struct match_section *s, struct work *w)
{
	struct match_index *index = run->index;
	struct scorer scorer;

	if ((w->matched = arena_array(run->a, index->nwords, sizeof(uint64_t))) == NULL)
		return err_nomem(run->err, "picks");
	if (index_run(index, s->program, run->request->sent, run->err) == -1)
		return -1;
	for (size_t i = 0; i < index->nwords; i++) {
		w->matched[i] = index->stack[i] & eligible(run->request, s->program, i);
		run->any[i] |= w->matched[i];
	}
	if (score_prepare(index, s->program, run->a, &scorer, run->err) == -1 ||
	    collect(run, w->matched, &w->candidates, &w->ncandidates) == -1)
		return -1;
	for (size_t i = 0; i < w->ncandidates; i++) {
		struct candidate *c = &w->candidates[i];
		double relevance = score_relevance(&scorer, c->pick.paper);

		score_fill(index, relevance, &c->pick);
		c->first = sort_key(c, s->sort, relevance);
	}
	sort_candidates(w->candidates, w->ncandidates);
	s->nmatched = w->ncandidates;
	return 0;
}

/* The words and conditions of the query that are true for the paper, none twice. */
static int
explain(struct run *run, const struct program *program, struct pick *pick)
{
	const char *labels[MAX_WHY];
	size_t n = 0;

	strbuf_reset(&run->why);
	for (uint32_t i = 0; i < program->nliterals && n < MAX_WHY; i++) {
		const struct literal_ref *ref = &program->literals[i];
		const struct literal *l;
		size_t same = 0;

		if (!ref->counts)
			continue;
		if (index_get_literal(run->index, program, ref, &l, run->err) == -1)
			return -1;
		if (!literal_has(l, pick->paper))
			continue;
		labels[n] = program->pool + ref->label;
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

		if (has_bit(run->shown, w->candidates[i].pick.paper))
			continue;
		*pick = w->candidates[i].pick;
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
		const struct pick *pick = &w->candidates[i].pick;

		if (has_bit(run->shown, pick->paper))
			continue;
		set_bit(run->shown, pick->paper);
		if (s->ncut < max)
			s->cut[s->ncut++] = *pick;
	}
	return 0;
}

/* Popular papers that no section matched. */
static int
fill_outside(struct run *run)
{
	struct match_index *index = run->index;
	struct match_request *r = run->request;
	struct candidate *list;
	uint64_t *set;
	size_t n;

	if (r->outside == 0)
		return 0;
	if ((set = arena_array(run->a, index->nwords, sizeof(*set))) == NULL)
		return err_nomem(run->err, "picks");
	for (uint32_t i = 0; i < index->npapers; i++)
		if (has_bit(r->plain, i) && !has_bit(run->any, i) && index->papers[i]->votes > 0)
			set_bit(set, i);
	if (collect(run, set, &list, &n) == -1)
		return -1;
	for (size_t i = 0; i < n; i++) {
		score_fill(index, 0, &list[i].pick);
		list[i].first = list[i].p->trend;
		list[i].second = (double)list[i].p->votes;
	}
	sort_candidates(list, n);
	n = n < r->outside ? n : r->outside;
	r->outside_picks = arena_array(run->a, n, sizeof(*r->outside_picks));
	if (r->outside_picks == NULL)
		return err_nomem(run->err, "picks");
	for (size_t i = 0; i < n; i++)
		r->outside_picks[i] = list[i].pick;
	r->noutside = n;
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
