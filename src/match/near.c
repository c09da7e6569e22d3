#include "index.h"

#include <stdlib.h>
#include <string.h>

/* Words that all stand in a paper, but not side by side, are nearer than anything but the phrase. */
static const double SCATTERED = 0.95;

struct nearness {
	struct match_index *index;
	struct match_literals *literals;
	const uint64_t *sent;
	struct error *err;
};

/* A number for each paper, 0 at first. */
static double *
new_numbers(const struct nearness *x)
{
	double *numbers = calloc(x->index->npapers + 1, sizeof(*numbers));

	if (numbers == NULL)
		err_nomem(x->err, "near misses");
	return numbers;
}

/* Add a weight to each paper that satisfies a query as it stands. */
static int
add_holding(struct nearness *x, const struct query *q, double weight, double *out)
{
	struct program *program = NULL;
	uint64_t *bits = calloc(x->index->nwords + 1, sizeof(*bits));
	int rc = -1;

	if (bits == NULL)
		err_nomem(x->err, "near misses");
	else if (match_compile(x->literals, q, &program, x->err) == 0)
		rc = match_evaluate(x->index, program, x->sent, bits, x->err);
	for (size_t i = 0; rc == 0 && i < x->index->npapers; i++)
		if ((bits[i / 64] >> (i % 64) & 1) != 0)
			out[i] += weight;
	match_program_free(program);
	free(bits);
	return rc;
}

/* The share of the words of a phrase or group, each alone. */
static int
add_words(struct nearness *x, const struct query *q, double *out)
{
	double *whole = new_numbers(x);
	int rc = whole != NULL ? add_holding(x, q, 1, whole) : -1;

	for (size_t i = 0; rc == 0 && i < q->nwords; i++) {
		struct query_word word = { q->words[i].form, "", 0 };
		struct query alone = *q;

		alone.kind = TERM_WORD;
		alone.text = word.form;
		alone.words = &word;
		alone.nwords = 1;
		rc = add_holding(x, &alone, 1.0 / (double)q->nwords, out);
	}
	for (size_t i = 0; rc == 0 && i < x->index->npapers; i++) {
		if (whole[i] > 0)
			out[i] = 1;
		else if (out[i] > SCATTERED)
			out[i] = SCATTERED;
	}
	free(whole);
	return rc;
}

static int measure(struct nearness *x, const struct query *q, double *out);

/* A part that is taken away from an AND adds nothing, but what it names is no miss. */
static int
measure_and(struct nearness *x, const struct query *q, double *out)
{
	double *part = new_numbers(x), *barred = new_numbers(x);
	size_t nparts = 0;
	int rc = part != NULL && barred != NULL ? 0 : -1;

	for (size_t i = 0; rc == 0 && i < q->nchildren; i++) {
		const struct query *child = q->children[i];

		if (child->op == QUERY_NOT) {
			rc = add_holding(x, child->children[0], 1, barred);
			continue;
		}
		memset(part, 0, x->index->npapers * sizeof(*part));
		rc = measure(x, child, part);
		for (size_t p = 0; p < x->index->npapers; p++)
			out[p] += part[p];
		nparts++;
	}
	for (size_t p = 0; rc == 0 && p < x->index->npapers; p++) {
		out[p] = nparts > 0 ? out[p] / (double)nparts : 1;
		if (barred[p] > 0)
			out[p] = 0;
	}
	free(part);
	free(barred);
	return rc;
}

static int
measure_or(struct nearness *x, const struct query *q, double *out)
{
	double *part = new_numbers(x);
	int rc = part != NULL ? 0 : -1;

	for (size_t i = 0; rc == 0 && i < q->nchildren; i++) {
		memset(part, 0, x->index->npapers * sizeof(*part));
		rc = measure(x, q->children[i], part);
		for (size_t p = 0; p < x->index->npapers; p++)
			if (part[p] > out[p])
				out[p] = part[p];
	}
	free(part);
	return rc;
}

/* Set how near each paper comes to a query; out is 0 before. */
static int
measure(struct nearness *x, const struct query *q, double *out)
{
	switch (q->op) {
	case QUERY_AND:
		return measure_and(x, q, out);
	case QUERY_OR:
		return measure_or(x, q, out);
	case QUERY_TERM:
		if (q->nwords > 1)
			return add_words(x, q, out);
		break;
	case QUERY_NAMED:
		return err_set(
		    x->err, ERR_BUG, "near misses of a query before its @names were expanded");
	case QUERY_ALL:
	case QUERY_NOT:
	case QUERY_CONDITION:
	case QUERY_PROPERTY:
		break;
	}
	return add_holding(x, q, 1, out);
}

static bool
is_before(const struct match_index *index, const struct near_miss *x, const struct near_miss *y)
{
	const struct paper *p = index->papers[x->paper], *q = index->papers[y->paper];

	if (x->nearness != y->nearness)
		return x->nearness > y->nearness;
	if (p->votes != q->votes)
		return p->votes > q->votes;
	return strcmp(p->key, q->key) < 0;
}

/* Into the list of the best so far, in its place. */
static void
keep(const struct match_index *index, struct near_miss miss, size_t max, struct near_miss *list,
    size_t *n)
{
	size_t at = *n;

	if (at == max && !is_before(index, &miss, &list[at - 1]))
		return;
	if (at == max)
		at--;
	else
		(*n)++;
	for (; at > 0 && is_before(index, &miss, &list[at - 1]); at--)
		list[at] = list[at - 1];
	list[at] = miss;
}

int
match_near(struct match_index *index, struct match_literals *literals,
    const struct query *const *queries, size_t nqueries, const uint64_t *candidates,
    const uint64_t *sent, size_t max, struct arena *a, struct near_miss **out, size_t *n,
    struct error *err)
{
	struct nearness x = { index, literals, sent, err };
	struct near_miss *list = arena_array(a, max, sizeof(*list));
	double *best = new_numbers(&x);
	size_t len = 0;
	int rc = -1;
	const struct query any = { .op = QUERY_OR,
		.children = (struct query **)(uintptr_t)queries,
		.nchildren = nqueries };

	if (list == NULL)
		err_nomem(err, "near misses");
	else if (best != NULL)
		rc = measure_or(&x, &any, best);
	for (uint32_t i = 0; rc == 0 && max > 0 && i < index->npapers; i++)
		if ((candidates[i / 64] >> (i % 64) & 1) != 0 && best[i] > 0 && best[i] < 1)
			keep(index, (struct near_miss){ i, best[i] }, max, list, &len);
	free(best);
	if (rc == -1)
		return -1;
	*out = list;
	*n = len;
	return 0;
}
