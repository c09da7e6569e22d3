/* rank.h - the papers a section matched, taken best first. Shared by the files of src/match/. */
#ifndef DIGEST_MATCH_RANK_H
#define DIGEST_MATCH_RANK_H

#include "index.h"

/* What a paper is sorted by: the higher value, then the lower tie, is earlier. */
struct candidate {
	double value;
	uint32_t tie, paper;
};

struct ranking {
	const struct match_index *index;
	const uint64_t *matched;	/* bitmap */
	size_t nmatched;
	const struct literal **terms;	/* whose gains make the text relevance */
	size_t nterms;
	const uint32_t *order;		/* one the index has already; NULL = by candidates */
	struct candidate *candidates;	/* those not taken yet */
	size_t ncandidates;
};

/* program has been prepared. matched and what a owns must outlive out. */
int	rank_papers(const struct match_index *index, const struct program *program, enum sort_order sort,
	    const uint64_t *matched, struct arena *a, struct ranking *out, struct error *err);
/*
 * The best papers that are not marked in shown, at most max, best first. Marks them.
 * Returns how many.
 */
size_t	rank_take(struct ranking *ranking, uint64_t *shown, size_t max, uint32_t *out);
/* Text relevance of a paper, 0 .. 1, not weighted. */
double	rank_relevance(const struct ranking *ranking, uint32_t paper);

static inline bool
has_bit(const uint64_t *bits, uint32_t i)
{
	return (bits[i / 64] >> (i % 64) & 1) != 0;
}

static inline void
set_bit(uint64_t *bits, uint32_t i)
{
	bits[i / 64] |= (uint64_t)1 << (i % 64);
}

static inline size_t
count_bits(const uint64_t *bits, size_t nwords)
{
	size_t n = 0;

	for (size_t i = 0; i < nwords; i++)
		n += (size_t)__builtin_popcountll(bits[i]);
	return n;
}

#endif
