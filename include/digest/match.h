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
#include "digest/strbuf.h"
#include "digest/subscriber.h"

/* The papers of a window, tokenised once. */
struct match_index;

/* Weights of the parts of a score, 0..10 each. */
struct match_weights {
	double text, votes, trend, freshness;
};

/* The different words, phrases and conditions of many queries, each kept once, so that a program is a few bytes and a word
 * is looked up once, however many readers ask for it. Grows only. */
struct match_literals;
int	match_literals_new(struct match_literals **out, struct error *err);
void	match_literals_free(struct match_literals *literals);

/* A query ready to be evaluated, with all @names expanded. The tree may be freed afterwards; literals must outlive it. */
struct program;
int	match_compile(struct match_literals *literals, const struct query *q, struct program **out,
	    struct error *err);
void	match_program_free(struct program *program);
bool	match_reads_signals(const struct program *program);
bool	match_reads_versions(const struct program *program);

/*
 * To keep compiled queries: literals in the order of their numbers, into an empty set, and programs that refer to them.
 * What one compiler wrote only the same one may read; match_compiler() names it. Reading fails with ERR_DATA when the
 * bytes are damaged.
 */
#define MATCH_COMPILER_SIZE 64
void	match_compiler(char out[MATCH_COMPILER_SIZE]);
size_t	match_literals_count(const struct match_literals *literals);
void	match_literal_pack(const struct match_literals *literals, size_t number, struct strbuf *out);
int	match_literal_unpack(struct match_literals *literals, const unsigned char *bytes, size_t len, struct error *err);
void	match_program_pack(const struct program *program, struct strbuf *out);
/* The program lives in a. */
int	match_program_unpack(const struct match_literals *literals, const unsigned char *bytes, size_t len,
	    struct arena *a, struct program **out, struct error *err);

/*
 * papers	borrowed, as are literals; must outlive the index; at most 2^20
 * now_utc	age and freshness are measured from it
 * literals	of all programs that will be run on it; may grow meanwhile
 */
int	match_index_new(struct paper *const *papers, size_t n, int64_t now_utc,
	    const struct match_weights *weights, const struct match_literals *literals,
	    struct match_index **out, struct error *err);
void	match_index_free(struct match_index *index);

/* Find the papers of each literal of a program, unless they are known already. The functions below do it themselves; once it
 * was done for all programs of a request, match_run() only reads the index and may run in several threads. */
int	match_prepare(struct match_index *index, const struct program *program, struct error *err);

/*
 * Forget what literals were found in when it takes more than half of MAX_FOUND_BYTES, so that the next request has the other
 * half to itself. Between requests, while no other thread reads the index. A request that needs more fails with ERR_DATA.
 */
void	match_trim(struct match_index *index);

/* Set bit i of out ((n + 63) / 64 words) where paper i satisfies the query; sent and eligibility aside.
 * sent		papers this reader was sent (for is:sent), NULL = none */
int	match_evaluate(struct match_index *index, const struct program *program, const uint64_t *sent,
	    uint64_t *out, struct error *err);

/*
 * Whether the query held for a paper of the index when its signals were others; nobody had been sent it yet.
 * then		the paper with the signals it had; of the rest of it only dates are read
 * then_utc	the age was measured from then
 * a		scratch
 */
int	match_held(struct match_index *index, const struct program *program, uint32_t paper,
	    const struct paper *then, int64_t then_utc, struct arena *a, bool *out, struct error *err);

struct pick {
	uint32_t paper;		/* index into the papers */
	double score;		/* sum of its parts; under SORT_BEST higher is earlier */
	double text, votes, trend, freshness;	/* its parts, already weighted, each rounded to 6 digits */
	const char *why;	/* what matched, at most 5, "a, b, votes>=30"; in the arena; "" in a cut pick */
	const uint32_t *also_in;	/* other sections of the request that matched; none in a cut pick */
	size_t nalso_in;
	bool replaced;
};

struct match_section {
	const struct program *program;
	uint32_t limit;
	enum sort_order sort;
	/* Instead of those of the request, for a section that looks at a period of its own; plain NULL = no own ones. */
	const uint64_t *plain, *signals, *replaced;
	/* out */
	struct pick *picks;
	size_t npicks;
	struct pick *cut;	/* matched but over a limit, same order, at most MAX_CUT_TITLES; each paper is named
				   once, under its first section */
	size_t ncut;
	size_t nmore;		/* cut and not named */
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
	uint32_t outside;	/* how many popular papers that no section matched are wanted: of plain, with votes,
				   by trend, then votes */
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

/*
 * The papers that those of an index are a part of: a search takes a store in portions, and scores each paper as one of all.
 * npapers	there are in all
 */
struct match_corpus;
int	match_corpus_new(struct match_literals *literals, size_t npapers, struct match_corpus **out, struct error *err);
void	match_corpus_free(struct match_corpus *corpus);
/* How many papers of the corpus have a term of an expanded query. */
int	match_corpus_count(struct match_corpus *corpus, const struct query *term, size_t npapers, struct error *err);
/* Score the papers of an index, on which no program was run yet, as part of the corpus: lengths of texts are measured against
 * the means of the index that joined first. The corpus must outlive it. */
void	match_join_corpus(struct match_index *index, struct match_corpus *corpus);
/* The order of picks of different indexes: below 0 when p is earlier than q. Reads dates, key and signals of the papers. */
int	match_compare_picks(enum sort_order sort, const struct pick *p, const struct paper *of_p, const struct pick *q,
	    const struct paper *of_q);

/* Bytes of a text. */
struct match_span {
	uint32_t start, end;
};
/*
 * Where the words of a program stand in one text of a paper, for highlighting and explanation: terms that are not negated
 * and ask for this field.
 * field	FIELD_TITLE, FIELD_ABSTRACT, FIELD_ORG or FIELD_VENUE (paper.venue); others have no text of their own and no
 *		spans
 * out		ascending, none touches another; bytes of the text as it stands in the paper
 */
int	match_find_spans(struct match_index *index, const struct program *program, uint32_t paper,
	    enum query_field field, struct arena *a, struct match_span **out, size_t *n, struct error *err);

/* What a program looks for in texts, read once for all the papers it found. Lives in a. */
struct match_terms;
int	match_read_terms(struct match_index *index, const struct program *program, struct arena *a,
	    struct match_terms **out, struct error *err);

/* The same in the texts that a card shows, by text, at most max of them; a summary counts as part of the abstract. Many readers
 * ask for the same papers: what was read of a text is kept with the index, up to MAX_READ_TEXTS_BYTES, and what was found in it
 * up to MAX_FOUND_TERMS_BYTES. */
int	match_find_marks(struct match_index *index, const struct match_terms *terms, uint32_t paper,
	    size_t max, struct arena *a, struct paper_mark **out, size_t *n, struct error *err);

/* One clause of a query and what it says of a paper, for `explain`. */
struct match_clause {
	const struct query *query;
	unsigned depth;		/* how many clauses it stands in */
	bool holds;
	/* Where a term that holds was found first: */
	enum query_field field;	/* FIELD_TITLE, FIELD_ABSTRACT, FIELD_KEYWORD, FIELD_AUTHOR ... */
	const char *place;	/* the text that holds it; an author, a keyword, a category; "" = nowhere, as of conditions */
	struct match_span hit;	/* in place */
};
/*
 * Every clause of an expanded query, each before the clauses in it.
 * literals	those of the index
 * sent		as in match_evaluate
 */
int	match_explain(struct match_index *index, struct match_literals *literals, const struct query *q,
	    uint32_t paper, const uint64_t *sent, struct arena *a, struct match_clause **out, size_t *n,
	    struct error *err);

/* A paper that a query nearly found. */
struct near_miss {
	uint32_t paper;		/* index into the papers */
	double nearness;	/* above 0, below 1 */
};
/*
 * The papers that come nearest to one of some expanded queries and satisfy none, the nearest first; ties by votes, then by
 * key. How near: of AND the mean of its parts, of OR its best part; a part that is taken away (-x) adds nothing, but makes
 * it 0 where it is there; of a phrase or a group of words the share of them that stand in the paper; all else is 0 or 1.
 * literals	those of the index
 * candidates	which papers are asked, a bitmap
 * sent		as in match_evaluate
 */
int	match_near(struct match_index *index, struct match_literals *literals, const struct query *const *queries,
	    size_t nqueries, const uint64_t *candidates, const uint64_t *sent, size_t max, struct arena *a,
	    struct near_miss **out, size_t *n, struct error *err);

#endif
