#include "index.h"

#include <math.h>

/* The formula stands in digest-filter(7), SCORE: change both. */
#define LENGTH_SHARE 0.75 /* b of BM25: how much a long text dilutes its words */
#define SATURATION   1.2  /* k1 of BM25: how fast repeating a word stops to count */
#define HALF_TEXT    4.0  /* sum of BM25 that makes a relevance of one half */
#define FULL_VOTES   1000.0
#define HALF_LIFE_S  (3 * 86400.0)

/* A word in the title says more than one in the abstract. */
static const double field_weights[16] = {
	[FIELD_TITLE] = 3,
	[FIELD_KEYWORD] = 2,
	[FIELD_AUTHOR] = 2,
	[FIELD_ABSTRACT] = 1,
	[FIELD_ORG] = 1,
	[FIELD_VENUE] = 1,
};

/* Which of the lengths kept a field has; -1 = its length says nothing. */
static int
length_of(enum query_field field)
{
	switch (field) {
	case FIELD_TITLE:
		return 0;
	case FIELD_ABSTRACT:
		return 1;
	case FIELD_KEYWORD:
		return 2;
	default:
		return -1;
	}
}

double
score_place(const struct match_index *index, const struct place *p)
{
	enum query_field field = (enum query_field)(p->start >> FIELD_SHIFT);
	int l = length_of(field);
	double length = 1;

	if (l >= 0)
		length = index->lengths[(size_t)p->paper * NLENGTHS + (size_t)l] /
		    index->mean_lengths[l];
	return field_weights[field] / (1 - LENGTH_SHARE + LENGTH_SHARE * length);
}

double
score_rarity(double n, double of)
{
	return log(1 + (of - n + 0.5) / (n + 0.5));
}

double
score_gain(double rarity, double count)
{
	return rarity * count * (SATURATION + 1) / (count + SATURATION);
}

/* Logarithms of two C libraries may differ in the last bit; what is ordered must not. No part of a score is negative. */
static double
round6(double x)
{
	return (double)(int64_t)(x * 1e6 + 0.5) / 1e6;
}

double
score_relevance(double gains)
{
	return round6(gains / (gains + HALF_TEXT));
}

/* 0 for nothing, 1 for FULL_VOTES and more. */
static double
on_log_scale(double n)
{
	if (!(n > 0))
		return 0;
	return fmin(1, log(1 + n) / log(1 + FULL_VOTES));
}

static double
freshness(const struct paper *p, int64_t now_utc)
{
	double age = (double)now_utc - (double)p->published_utc;

	if (p->published_utc == 0)
		return 0;
	return age <= 0 ? 1 : exp2(-age / HALF_LIFE_S);
}

struct paper_score
score_paper(const struct match_index *index, const struct paper *p)
{
	const struct match_weights *w = &index->weights;

	return (struct paper_score){
		.votes = round6(w->votes * on_log_scale((double)p->votes)),
		.trend = round6(w->trend * on_log_scale(p->trend)),
		.freshness = round6(w->freshness * freshness(p, index->now_utc)),
	};
}

double
score_text(const struct match_index *index, double relevance)
{
	return round6(index->weights.text * relevance);
}

double
score_sum(double text, const struct paper_score *s)
{
	return round6(text + s->votes + s->trend + s->freshness);
}

void
score_fill(const struct match_index *index, double relevance, struct pick *pick)
{
	const struct paper_score *s = &index->scores[pick->paper];

	pick->text = score_text(index, relevance);
	pick->votes = s->votes;
	pick->trend = s->trend;
	pick->freshness = s->freshness;
	pick->score = score_sum(pick->text, s);
}
