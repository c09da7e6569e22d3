#include "spans.h"

#include <stdlib.h>
#include <string.h>

struct explainer {
	struct match_index *index;
	struct match_literals *literals;
	const struct paper *p;
	uint32_t paper;
	const uint64_t *sent;
	struct match_clause *clauses;
	size_t n;
	struct error *err;
};

/* A text of a paper in which a term may stand. */
struct shown {
	enum query_field field;
	const char *text;
};

static size_t
count_clauses(const struct query *q)
{
	size_t n = 1;

	for (size_t i = 0; i < q->nchildren; i++)
		n += count_clauses(q->children[i]);
	return n;
}

/* The i-th text of a paper, in the order in which a reader meets them; false after the last. */
static bool
text_at(const struct paper *p, size_t i, struct shown *out)
{
	const struct shown single[] = {
		{ FIELD_TITLE, p->title },
		{ FIELD_ABSTRACT, p->abstract },
		{ FIELD_ORG, p->org },
		{ FIELD_VENUE, p->comment },
		{ FIELD_VENUE, p->journal_ref },
		{ FIELD_VENUE, p->venue },
		{ FIELD_SOURCE, p->source },
	};
	const size_t nsingle = sizeof(single) / sizeof(single[0]);

	if (i < nsingle) {
		*out = single[i];
		return true;
	}
	i -= nsingle;
	if (i < p->nkeywords) {
		*out = (struct shown){ FIELD_KEYWORD, p->keywords[i] };
		return true;
	}
	i -= p->nkeywords;
	if (i >= p->nsources)
		return false;
	*out = (struct shown){ FIELD_SOURCE, p->sources[i] };
	return true;
}

/* The first place of a term in a text of the paper. */
static int
find_in_texts(struct explainer *x, const struct literal_spec *spec, struct match_clause *c)
{
	uint32_t fields = index_field_bits(spec->field);
	struct span_list list = { 0 };
	struct shown shown;
	int rc = 0;

	for (size_t i = 0; rc == 0 && list.len == 0 && text_at(x->p, i, &shown); i++) {
		if ((fields >> shown.field & 1) == 0)
			continue;
		rc = spans_of_term(spec, shown.text, &list, x->err);
		if (rc == 0 && list.len > 0) {
			c->field = shown.field;
			c->place = shown.text;
			c->hit = list.items[0];
		}
	}
	free(list.items);
	return rc;
}

static int
find_author(struct explainer *x, const struct literal_spec *spec, struct match_clause *c)
{
	struct place_list places;
	int rc;

	places_init(&places);
	rc = author_places(x->index, spec, &places, x->err);
	for (size_t i = 0; rc == 0 && i < places.len; i++) {
		size_t author = (places.items[i].start & ((1u << FIELD_SHIFT) - 1)) / AUTHOR_STRIDE;

		if (places.items[i].paper != x->paper || c->place[0] != '\0')
			continue;
		c->place = x->p->authors[author];
		c->hit = (struct match_span){ 0, (uint32_t)strlen(c->place) };
	}
	places_release(&places);
	return rc;
}

static void
find_category(struct explainer *x, const struct literal_spec *spec, struct match_clause *c)
{
	for (size_t i = 0; i < x->p->ncategories && c->place[0] == '\0'; i++)
		if (check_category(spec, x->p->categories[i])) {
			c->place = x->p->categories[i];
			c->hit = (struct match_span){ 0, (uint32_t)strlen(c->place) };
		}
}

static int
find_place(struct explainer *x, uint32_t number, struct match_clause *c)
{
	struct literal_spec spec;

	arena_reset(&x->index->scratch);
	if (literals_read(x->literals, number, &x->index->scratch, &spec, x->err) == -1)
		return -1;
	c->field = spec.field;
	switch (spec.field) {
	case FIELD_AUTHOR:
	case FIELD_FIRST_AUTHOR:
	case FIELD_LAST_AUTHOR:
		return find_author(x, &spec, c);
	case FIELD_CAT:
	case FIELD_PRIMARY:
		find_category(x, &spec, c);
		return 0;
	case FIELD_ID:
		return 0;
	default:
		return find_in_texts(x, &spec, c);
	}
}

static int
explain_literal(struct explainer *x, const struct query *q, struct match_clause *c)
{
	struct program *program = NULL;
	uint32_t number;
	int rc = -1;

	if (match_compile(x->literals, q, &program, x->err) == 0 &&
	    match_prepare(x->index, program, x->err) == 0 &&
	    literals_intern(x->literals, q, &number, x->err) == 0) {
		c->holds = literal_has(x->index->results[number], x->paper);
		rc = c->holds && q->op == QUERY_TERM ? find_place(x, number, c) : 0;
	}
	match_program_free(program);
	return rc;
}

static int explain(struct explainer *x, const struct query *q, unsigned depth, bool *holds);

static int
explain_children(struct explainer *x, const struct query *q, unsigned depth, bool *holds)
{
	*holds = q->op != QUERY_OR;
	for (size_t i = 0; i < q->nchildren; i++) {
		bool child;

		if (explain(x, q->children[i], depth + 1, &child) == -1)
			return -1;
		if (q->op == QUERY_OR)
			*holds |= child;
		else
			*holds &= child;
	}
	if (q->op == QUERY_NOT)
		*holds = !*holds;
	return 0;
}

static int
explain(struct explainer *x, const struct query *q, unsigned depth, bool *holds)
{
	struct match_clause *c = &x->clauses[x->n++];
	int rc = 0;

	*c = (struct match_clause){ .query = q, .depth = depth, .place = "" };
	switch (q->op) {
	case QUERY_ALL:
		c->holds = true;
		break;
	case QUERY_AND:
	case QUERY_OR:
	case QUERY_NOT:
		rc = explain_children(x, q, depth, &c->holds);
		break;
	case QUERY_PROPERTY:
		if (q->property == IS_SENT) {
			c->holds =
			    x->sent != NULL && (x->sent[x->paper / 64] >> (x->paper % 64) & 1) != 0;
			break;
		}
		/* fall through */
	case QUERY_TERM:
	case QUERY_CONDITION:
		rc = explain_literal(x, q, c);
		break;
	case QUERY_NAMED:
		rc = err_set(
		    x->err, ERR_BUG, "a query is explained before its @names were expanded");
		break;
	}
	*holds = c->holds;
	return rc;
}

int
match_explain(struct match_index *index, struct match_literals *literals, const struct query *q,
    uint32_t paper, const uint64_t *sent, struct arena *a, struct match_clause **out, size_t *n,
    struct error *err)
{
	struct explainer x = { .index = index,
		.literals = literals,
		.p = index->papers[paper],
		.paper = paper,
		.sent = sent,
		.err = err };
	bool holds;

	if ((x.clauses = arena_array(a, count_clauses(q), sizeof(*x.clauses))) == NULL)
		return err_nomem(err, "explanation");
	if (explain(&x, q, 0, &holds) == -1)
		return -1;
	*out = x.clauses;
	*n = x.n;
	return 0;
}
