/* index.h - the papers of a window as an inverted index, and what was found out about them so far.
 * Shared by the files of src/match/. */
#ifndef DIGEST_MATCH_INDEX_H
#define DIGEST_MATCH_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "digest/arena.h"
#include "digest/error.h"
#include "digest/map.h"
#include "digest/match.h"
#include "digest/paper.h"

#include "literals.h"
#include "places.h"
#include "program.h"

/* A position is the field in the upper 4 bits and a count of words below, so that no phrase
 * crosses fields. */
enum { FIELD_SHIFT = 28, AUTHOR_STRIDE = 128 };

/* Fields whose lengths count in the text relevance. */
enum { NLENGTHS = 3 };

struct posting {
	uint32_t paper, position;
};

/*
 * A distinct spelling. Joined forms of hyphenated words ("pretraining" of "pre-training") have
 * entries of their own for each number of words they span; their spelling begins with that number
 * as a byte, so that no spelling of a word is equal.
 */
struct entry {
	const char *spelling, *folded;
	uint32_t next;		/* the next entry with the same normal form, UINT32_MAX = none */
	uint32_t first, count;	/* of the postings */
	uint32_t span;		/* words it stands for */
};

/* What is known of one literal: the papers it is true for, in order. */
struct literal {
	uint32_t npapers;
	const uint32_t *papers;	/* NULL when only bits are kept */
	const float *gains;	/* of text terms: what each of papers gains in text relevance; else NULL */
	const uint64_t *bits;	/* NULL when npapers is small */
};

/* Orders of the papers that do not depend on a query; ties by published (newer first), then by key. */
enum index_order {
	ORDER_WORTH,	/* by score without text relevance */
	ORDER_VOTES,
	ORDER_TREND,
	ORDER_NEWEST,
	ORDER_POPULAR,	/* by trend, then votes */
	NORDERS
};

/* The parts of a score that do not depend on a query, weighted. */
struct paper_score {
	double votes, trend, freshness;
};

/* Texts as they were read for places of words, see marks.c; may be NULL. */
struct mark_cache;
void	mark_cache_free(struct mark_cache *cache);

struct match_index {
	struct paper *const *papers;
	size_t npapers, nwords;	/* nwords: 64-bit words of a bitmap */
	int64_t now_utc;
	struct match_weights weights;
	struct arena arena;	/* of forms and orders */
	struct arena found;	/* of results: what literals found */
	struct arena scratch;	/* of the literal being worked out */
	struct mark_cache *marks; /* NULL until one is asked for */
	struct entry *entries;
	uint32_t nentries, alloc_entries;
	uint32_t *by_folded;	/* entries by folded form */
	struct map by_spelling, by_normal;	/* of entries */
	struct posting *postings;
	uint32_t *lengths;	/* NLENGTHS for each paper: title, abstract, keywords */
	double mean_lengths[NLENGTHS];
	struct paper_score *scores;	/* of each paper */
	const uint32_t *orders[NORDERS];	/* numbers of papers, the first first */
	const uint32_t *ties;	/* of each paper its place in ORDER_NEWEST */
	const struct match_corpus *corpus;	/* whose rarities and lengths count; NULL = those of the papers */
	const struct match_literals *literals;	/* of the programs */
	const struct literal **results;	/* by number of the literal; NULL = nobody asked yet */
	uint32_t nresults;
};

/* Who is asked by index_places_of_word: the fields that count. */
struct index_reader {
	const struct match_index *index;
	uint32_t fields;	/* a bit for each field of a posting */
};

/* The bits of an index_reader for a field of the language. */
uint32_t index_field_bits(enum query_field field);

/* A places_of_word; arg is a struct index_reader. */
int	index_places_of_word(void *arg, const char *form, enum word_sense sense,
	    struct place_list *out, struct error *err);

bool	literal_has(const struct literal *l, uint32_t paper);
/* 0 when it is not true for the paper or is no text. */
double	literal_gain(const struct literal *l, uint32_t paper);

/*
 * Run a program that match_prepare() has seen.
 * stack	room for program->max_stack bitmaps of index->nwords; the answer is the first of them
 */
void	index_run(const struct match_index *index, const struct program *program, const uint64_t *sent,
	    uint64_t *stack);

/* Fill orders and ties; needs papers and scores. */
int	index_make_orders(struct match_index *index, struct error *err);

/* What a paper is worth whatever the query; needs papers, now_utc and weights of the index. */
struct paper_score score_paper(const struct match_index *index, const struct paper *p);

/* How rare a literal is that npapers of the index have. */
double	corpus_rarity(const struct match_index *index, uint32_t number, uint32_t npapers);

/* Weight of a place in the text relevance, by its field and the length of that text. */
double	score_place(const struct match_index *index, const struct place *p);

/* How rare a term is that n papers have, of those that there are. */
double	score_rarity(double n, double of);
/* What a paper gains by a term whose weighted places in it add up to count. */
double	score_gain(double rarity, double count);
/* From the sum of the gains of all terms: 0 .. 1, not weighted. */
double	score_relevance(double gains);
/* The weighted text relevance, rounded, and all of a score. */
double	score_text(const struct match_index *index, double relevance);
double	score_sum(double text, const struct paper_score *s);
/* Fill score and its parts. */
void	score_fill(const struct match_index *index, double relevance, struct pick *pick);

/* Whether a paper satisfies a literal that is no text: a condition, property, category or id. */
bool	check_paper(const struct literal_spec *spec, const struct paper *p, int64_t now_utc);

/* Whether a term of cat: or primary: means this category: "cs" is "cs" and every "cs.XX". */
bool	check_category(const struct literal_spec *spec, const char *category);

/* Authors that a term names; each stands as one place in out. */
int	author_places(const struct match_index *index, const struct literal_spec *spec,
	    struct place_list *out, struct error *err);

#endif
