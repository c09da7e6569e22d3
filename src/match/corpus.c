/* Papers of several indexes, scored and ordered as if they stood in one. */
#include "index.h"

#include <stdlib.h>
#include <string.h>

struct match_corpus {
	struct match_literals *literals;
	double npapers;
	uint32_t *counts; /* by number of the literal: papers that have it + 1; 0 = never told */
	size_t ncounts;
	double mean_lengths[NLENGTHS];
	bool has_means;
};

int
match_corpus_new(
    struct match_literals *literals, size_t npapers, struct match_corpus **out, struct error *err)
{
	struct match_corpus *corpus = calloc(1, sizeof(*corpus));

	if (corpus == NULL)
		return err_nomem(err, "corpus");
	corpus->literals = literals;
	corpus->npapers = (double)npapers;
	*out = corpus;
	return 0;
}

void
match_corpus_free(struct match_corpus *corpus)
{
	if (corpus == NULL)
		return;
	free(corpus->counts);
	free(corpus);
}

static int
grow_counts(struct match_corpus *corpus, struct error *err)
{
	size_t n = corpus->literals->len;
	uint32_t *counts;

	if (n <= corpus->ncounts)
		return 0;
	n += n / 2;
	if ((counts = realloc(corpus->counts, n * sizeof(*counts))) == NULL)
		return err_nomem(err, "corpus");
	memset(counts + corpus->ncounts, 0, (n - corpus->ncounts) * sizeof(*counts));
	corpus->counts = counts;
	corpus->ncounts = n;
	return 0;
}

int
match_corpus_count(
    struct match_corpus *corpus, const struct query *term, size_t npapers, struct error *err)
{
	uint32_t number;

	if (literals_intern(corpus->literals, term, &number, err) == -1 ||
	    grow_counts(corpus, err) == -1)
		return -1;
	number = corpus->literals->entries[number].meaning;
	corpus->counts[number] = npapers < UINT32_MAX ? (uint32_t)npapers + 1 : UINT32_MAX;
	return 0;
}

void
match_join_corpus(struct match_index *index, struct match_corpus *corpus)
{
	if (!corpus->has_means)
		memcpy(corpus->mean_lengths, index->mean_lengths, sizeof(index->mean_lengths));
	corpus->has_means = true;
	memcpy(index->mean_lengths, corpus->mean_lengths, sizeof(index->mean_lengths));
	index->corpus = corpus;
}

/* Papers that came since they were counted are taken to have it as often as the index has: what is counted is never less
 * than what was found. */
double
corpus_rarity(const struct match_index *index, uint32_t number, uint32_t npapers)
{
	const struct match_corpus *corpus = index->corpus;
	double n = npapers, of = corpus != NULL ? corpus->npapers : (double)index->npapers;

	if (corpus != NULL && number < corpus->ncounts && corpus->counts[number] > npapers)
		n = corpus->counts[number] - 1;
	return score_rarity(n, of > n ? of : n);
}

static double
value_of(enum sort_order sort, const struct pick *pick, const struct paper *p)
{
	switch (sort) {
	case SORT_BEST:
		return pick->score;
	case SORT_RELEVANCE:
		return pick->text;
	case SORT_VOTES:
		return p->votes > 0 ? (double)p->votes : 0;
	case SORT_TRENDING:
		return p->trend;
	case SORT_NEWEST:
		break;
	}
	return 0;
}

/* As the orders of one index are made, see order.c. */
int
match_compare_picks(enum sort_order sort, const struct pick *p, const struct paper *of_p,
    const struct pick *q, const struct paper *of_q)
{
	double x = value_of(sort, p, of_p), y = value_of(sort, q, of_q);

	if (x != y)
		return x > y ? -1 : 1;
	if (of_p->published_utc != of_q->published_utc)
		return of_p->published_utc > of_q->published_utc ? -1 : 1;
	return strcmp(of_p->key, of_q->key);
}
