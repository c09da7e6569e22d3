#include "stages.h"
#include "digest/limits.h"

#include <stdlib.h>
#include <string.h>

enum {
	DAY_SECONDS = 86400,
	MAX_EDITIONS = 400,
	NEXT_DAYS =
	    45, /* no digest but the first after a long pause looks further back: a month, and votes a week more */
};

/* One paper before one reader. */
struct explainer {
	struct run *run;
	struct planner *planner; /* for the next digest */
	const struct store_reader *reader;
	const struct paper *p; /* as it is now */
	struct run_explanation *out;
	struct arena *a;
	struct error *err;
};

/* ---- what became of it ---- */

static bool
is_out(enum edition_state state)
{
	return state != EDITION_EXPIRED && state != EDITION_MERGED && state != EDITION_EMPTY;
}

/* Which of its section's papers it was: those shown come first, then those cut. */
static void
find_place(struct explainer *x, const struct edition *e)
{
	const struct subscriber *sub = &x->reader->sub;
	struct run_explanation *out = x->out;

	for (size_t i = 0; i < e->npicks; i++) {
		if (e->picks[i].section != out->pick->section || note_is_near(&e->picks[i]))
			continue;
		out->nplaces += 1 + e->picks[i].more;
		if (&e->picks[i] <= out->pick)
			out->place++;
	}
	if (out->pick->section < sub->nfilters) {
		const struct filter *f = &sub->filters[out->pick->section];

		out->limit = f->limit > 0 ? f->limit : sub->limit;
	}
}

/* Where an edition has a paper as a new one; NULL = nowhere. */
static const struct edition_pick *
find_pick(const struct edition *e, int64_t paper)
{
	for (size_t i = 0; i < e->npicks; i++)
		if (e->picks[i].paper == paper && e->picks[i].section != SECTION_UPDATES &&
		    !note_is_near(&e->picks[i]))
			return &e->picks[i];
	return NULL;
}

/* The newest digest of the reader that holds the paper, else the newest that could have. */
static int
find_edition(struct explainer *x)
{
	struct run_explanation *out = x->out;
	struct edition *editions;
	size_t n;

	if (x->p->id == 0)
		return 0;
	if (store_load_editions(
		x->run->store, x->reader->sub.id, MAX_EDITIONS, x->a, &editions, &n, x->err) == -1)
		return -1;
	for (size_t i = 0; i < n && out->pick == NULL; i++)
		if (is_out(editions[i].state) &&
		    (out->pick = find_pick(&editions[i], x->p->id)) != NULL) {
			out->edition = &editions[i];
			find_place(x, &editions[i]);
		}
	for (size_t i = n; i-- > 0 && out->edition == NULL;)
		if (is_out(editions[i].state) && editions[i].composed_utc >= x->p->first_listed_utc)
			out->edition = &editions[i];
	if (out->edition != NULL)
		period_format(out->edition->period, out->period);
	return 0;
}

/* The paper with the votes it had when that digest was made. */
static int
go_back(struct explainer *x, struct paper *then)
{
	*then = *x->p;
	x->out->at_utc = clock_now_utc(&x->run->clock);
	if (x->out->edition == NULL)
		return 0;
	x->out->at_utc = x->out->edition->composed_utc;
	return risen_go_back(x->run, x->p, x->out->at_utc, x->a, then, x->err);
}

/* ---- the filters ---- */

static int
write_clauses(
    struct explainer *x, const struct match_clause *clauses, size_t n, struct run_explained *out)
{
	struct strbuf text;
	int rc = 0;

	if ((out->clauses = arena_array(x->a, n, sizeof(*out->clauses))) == NULL)
		return err_nomem(x->err, "explain");
	strbuf_init(&text, 4 * MAX_QUERY_BYTES);
	for (size_t i = 0; i < n && rc == 0; i++) {
		struct run_explained_clause *c = &out->clauses[i];

		strbuf_reset(&text);
		query_add_text(&text, clauses[i].query);
		c->text = arena_strndup(x->a, text.buf, text.len);
		c->depth = clauses[i].depth;
		c->holds = clauses[i].holds;
		c->field = clauses[i].place[0] != '\0' ? query_field_name(clauses[i].field) : "";
		c->place = clauses[i].place;
		c->start = clauses[i].hit.start;
		c->end = clauses[i].hit.end;
		if (c->text == NULL)
			rc = err_nomem(x->err, "explain");
	}
	strbuf_release(&text);
	out->nclauses = n;
	return rc;
}

static int
explain_filter(struct explainer *x, struct match_literals *literals, struct match_index *index,
    const struct filter *f, struct run_explained *out)
{
	struct match_clause *clauses;
	struct query *q;
	size_t n;

	out->name = f->name;
	if (queries_read(x->run->cfg, &x->reader->sub, f->name, f->match, x->a, &q, NULL, x->err) ==
	    -1)
		return err_prefix(x->err, "filter \"%s\"", f->name);
	/* What was sent is asked as of that digest: not yet this paper. */
	if (match_explain(index, literals, q, 0, NULL, x->a, &clauses, &n, x->err) == -1 ||
	    write_clauses(x, clauses, n, out) == -1)
		return -1;
	out->holds = clauses[0].holds;
	x->out->nholding += out->holds;
	return 0;
}

static int
explain_filters(struct explainer *x)
{
	static const struct match_weights weights = { 1, 1, 1, 1 };
	const struct subscriber *sub = &x->reader->sub;
	struct match_literals *literals = NULL;
	struct match_index *index = NULL;
	struct paper then, *papers[] = { &then };
	int rc;

	x->out->filters = arena_array(x->a, sub->nfilters, sizeof(*x->out->filters));
	if (x->out->filters == NULL)
		return err_nomem(x->err, "explain");
	rc = go_back(x, &then);
	if (rc == 0)
		rc = match_literals_new(&literals, x->err);
	if (rc == 0)
		rc = match_index_new(papers, 1, x->out->at_utc, &weights, literals, &index, x->err);
	for (size_t i = 0; i < sub->nfilters && rc == 0; i++, x->out->nfilters++)
		rc = explain_filter(x, literals, index, &sub->filters[i], &x->out->filters[i]);
	match_index_free(index);
	match_literals_free(literals);
	x->out->votes = then.votes;
	return rc;
}

/* ---- why it was not in ---- */

/* Its place in the next digest, as it stands now, if it has one. */
static int
ask_next(struct explainer *x)
{
	int64_t now_utc = clock_now_utc(&x->run->clock);
	struct edition edition;
	struct due due;

	if (due_find(x->run, x->reader, now_utc, 0, &due, x->err) == -1)
		return -1;
	x->out->next_utc = due.due_utc;
	if (planner_plan(x->planner, x->reader, &due, x->a, &edition, x->err) == -1)
		return -1;
	if ((x->out->pick = find_pick(&edition, x->p->id)) != NULL)
		find_place(x, &edition);
	return 0;
}

static bool
was_sent(struct explainer *x)
{
	struct paper *papers[] = { (struct paper *)(uintptr_t)x->p };
	struct sent_list sent;
	uint64_t bit = 0;

	if (store_load_sent(x->run->store, x->reader->sub.id, x->a, &sent, NULL) == -1)
		return false;
	store_mark_sent(&sent, papers, 1, &bit);
	return bit != 0;
}

/* Whether a filter that holds has yet to look at the paper, on a day of its own: 1, 0 or -1. */
static int
waits_for_turn(struct explainer *x)
{
	int64_t now_utc = clock_now_utc(&x->run->clock), due_utc, cursor_seq;
	const struct subscriber *sub = &x->reader->sub;

	for (size_t i = 0; i < sub->nfilters; i++) {
		if (!x->out->filters[i].holds || sub->filters[i].when[0] == '\0')
			continue;
		if (due_find_turn(
			x->run, x->reader, i, now_utc, x->a, &due_utc, &cursor_seq, x->err) == -1)
			return -1;
		if (x->p->change_seq <= cursor_seq)
			continue;
		x->out->next_utc = due_utc;
		x->out->waiting = sub->filters[i].name;
		return 1;
	}
	return 0;
}

static int
find_verdict(struct explainer *x)
{
	struct run_explanation *out = x->out;
	int waits;

	if (x->p->id == 0) {
		out->verdict = out->nholding > 0 ? EXPLAIN_UNKNOWN : EXPLAIN_NO_MATCH;
		return 0;
	}
	if (out->pick != NULL) {
		out->verdict = out->pick->cut		    ? EXPLAIN_CUT
		    : out->pick->section == SECTION_OUTSIDE ? EXPLAIN_OUTSIDE
							    : EXPLAIN_PICKED;
		return 0;
	}
	if (ask_next(x) == -1)
		return -1;
	if (out->pick != NULL)
		out->verdict = EXPLAIN_NEXT;
	else if (was_sent(x))
		out->verdict = EXPLAIN_SENT;
	else if (out->nholding == 0)
		out->verdict = EXPLAIN_NO_MATCH;
	else if (x->p->first_listed_utc == 0)
		out->verdict = EXPLAIN_UNSETTLED;
	else if (x->p->first_listed_utc <
	    x->reader->created_utc - (int64_t)WINDOW_DAYS * DAY_SECONDS)
		out->verdict = EXPLAIN_TOO_OLD;
	else if ((waits = waits_for_turn(x)) != 0) {
		if (waits == -1)
			return -1;
		out->verdict = EXPLAIN_WAITS;
	} else
		out->verdict = EXPLAIN_NOT_NAMED;
	return 0;
}

/* ---- readers ---- */

struct walk {
	struct run *run;
	struct planner *planner;
	const struct paper *p;
	int (*visit)(void *arg, const struct run_explanation *e);
	void *arg;
	struct error *err;
};

static int
explain_reader(void *arg, const struct store_reader *reader)
{
	struct walk *w = arg;
	struct run_explanation e = { .address = reader->sub.address, .reader = &reader->sub };
	struct explainer x = { w->run, w->planner, reader, w->p, &e, NULL, w->err };
	struct arena a;
	int rc = -1;

	arena_init(&a, MAX_RUN_BYTES);
	x.a = &a;
	if (find_edition(&x) == 0 && explain_filters(&x) == 0 && find_verdict(&x) == 0)
		rc = w->visit(w->arg, &e);
	arena_release(&a);
	return rc;
}

static int
explain_one(struct walk *w, const char *address)
{
	struct store_reader *reader;
	const char *canonical;
	struct arena a;
	int found, rc = -1;

	arena_init(&a, MAX_READER_BYTES);
	if (run_canonical(address, &a, &canonical, w->err) == 0) {
		found = store_find_reader(w->run->store, canonical, &a, &reader, w->err);
		if (found == 0)
			err_set(w->err, ERR_USAGE,
			    "%s is not a reader; 'digest subscribers' lists them", canonical);
		if (found == 1)
			rc = explain_reader(w, reader);
	}
	arena_release(&a);
	return rc;
}

/* As it will be in the next run: the paper is then another. */
static int
settle(struct walk *w, int64_t now_utc, struct arena *a)
{
	struct paper *settled;

	if (w->p->id == 0)
		return 0;
	if (settle_now(w->run, now_utc, w->err) == -1 ||
	    store_load_paper(w->run->store, w->p->id, a, &settled, w->err) != 1)
		return -1;
	w->p = settled;
	return 0;
}

int
run_explain(struct run *run, const char *address, const struct paper *p,
    int (*visit)(void *arg, const struct run_explanation *e), void *arg, struct error *err)
{
	int64_t now_utc = clock_now_utc(&run->clock);
	struct walk w = { run, NULL, p, visit, arg, err };
	struct arena a;
	int rc = -1;

	arena_init(&a, MAX_READER_BYTES);
	if (settle(&w, now_utc, &a) == 0 &&
	    planner_new(
		run, now_utc - (int64_t)NEXT_DAYS * DAY_SECONDS, now_utc, &w.planner, err) == 0)
		rc = address == NULL ? store_each_reader(run->store, false, explain_reader, &w, err)
				     : explain_one(&w, address);
	planner_free(w.planner);
	arena_release(&a);
	return rc;
}
