/* match.h - which papers does a reader get, and in what order. Pure: no input or output, no clock; the same input gives
 * the same order. Results point into the papers and programs passed in and live as long. */
#ifndef DIGEST_MATCH_H
#define DIGEST_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "digest/arena.h"
#include "digest/error.h"
#include "digest/paper.h"
#include "digest/query.h"
#include "digest/subscriber.h"

/* The papers of a window, tokenised once. */
struct match_index;

/* Weights of the parts of a score, 0..10 each. */
struct match_weights {
	double text, votes, trend, freshness;
};

/*
 * papers	borrowed, must outlive the index; at most 2^20
 * now_utc	age and freshness are measured from it
 */
int	match_index_new(struct paper *const *papers, size_t n, int64_t now_utc,
	    const struct match_weights *weights, struct match_index **out, struct error *err);
void	match_index_free(struct match_index *index);

/* A query ready to be evaluated, with all @names expanded. The tree may be freed afterwards. */
struct program;
int	match_compile(const struct query *q, struct program **out, struct error *err);
void	match_program_free(struct program *program);
bool	match_reads_signals(const struct program *program);
bool	match_reads_versions(const struct program *program);

/* Set bit i of out ((n + 63) / 64 words) where paper i satisfies the query; sent and eligibility aside.
 * sent		papers this reader was sent (for is:sent), NULL = none */
int	match_evaluate(struct match_index *index, const struct program *program, const uint64_t *sent,
	    uint64_t *out, struct error *err);

struct pick {
	uint32_t paper;		/* index into the papers */
	double score;		/* higher is earlier */
	double text, votes, trend, freshness;	/* its parts, already weighted */
	const char *why;	/* the words and conditions that matched, "a, b, votes>=30"; in the arena */
	const uint32_t *also_in;	/* other sections of the request that matched */
	size_t nalso_in;
	bool replaced;
};

struct match_section {
	const struct program *program;
	uint32_t limit;
	enum sort_order sort;
	/* out */
	struct pick *picks;
	size_t npicks;
	struct pick *cut;	/* matched but over a limit, same order */
	size_t ncut;
	size_t nmatched;	/* eligible papers that satisfied the query */
};

struct match_request {
	struct match_section *sections;
	size_t nsections;
	const uint64_t *plain;	/* papers new for this reader, see store_mark_eligible */
	const uint64_t *signals;	/* the same for programs that read signals */
	const uint64_t *replaced;	/* papers sent before in a lower version, for programs that ask is:replaced; may be
					   NULL */
	const uint64_t *sent;	/* papers sent before, for is:sent; may be NULL */
	uint32_t max_papers;	/* in all sections together, those outside not counted */
	uint32_t outside;	/* popular papers that no filter found */
	/* out */
	struct pick *outside_picks;
	size_t noutside;
	size_t nmatched;	/* different papers that some section matched */
};

/*
 * Fill the sections in their order: a paper appears once, under the first of its sections that has room. Order within a
 * section by its sort; ties by published (newer first), then by key.
 * a	owns the results
 */
int	match_run(struct match_index *index, struct match_request *request, struct arena *a, struct error *err);

/* Where the words of a program stand in one text of a paper, for highlighting and explanation. */
struct match_span {
	uint32_t start, end;	/* bytes */
};
int	match_find_spans(struct match_index *index, const struct program *program, uint32_t paper,
	    enum query_field field, struct arena *a, struct match_span **out, size_t *n, struct error *err);

#endif
