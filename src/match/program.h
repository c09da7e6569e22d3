/* program.h - a compiled query: a flat list of steps over literals. Shared by the files of
 * src/match/. */
#ifndef DIGEST_MATCH_PROGRAM_H
#define DIGEST_MATCH_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "digest/arena.h"
#include "digest/error.h"
#include "digest/query.h"

enum step_code {
	STEP_ALL,	/* push every paper */
	STEP_LITERAL,	/* push the papers of literals[argument] */
	STEP_SENT,	/* push what this reader was sent */
	STEP_AND,	/* of the two on top */
	STEP_OR,
	STEP_NOT,	/* of the top */
};

struct step {
	uint32_t code, argument;
};

/* One thing that is true or false of a paper. Its key says all there is to know about it, the same
 * in every program. */
struct literal_ref {
	uint32_t key, key_len;	/* in the pool */
	uint32_t label;		/* how it is shown in 'why', NUL-terminated, in the pool */
	bool positive;		/* under an even number of negations */
	bool counts;		/* positive and the first of its kind: it makes score and 'why' */
};

struct program {
	const struct step *steps;
	const struct literal_ref *literals;
	const char *pool;
	uint32_t nsteps, nliterals;
	uint32_t max_stack;
	bool reads_signals, reads_versions;
};

/* A literal taken out of its key again. */
struct literal_spec {
	enum query_op op;	/* QUERY_TERM, QUERY_CONDITION or QUERY_PROPERTY */
	enum query_field field;
	enum query_term_kind kind;
	uint32_t distance;
	enum query_measure measure;
	enum query_compare compare;
	enum query_property property;
	int64_t number;
	const struct query_word *words;	/* forms point into the key */
	size_t nwords;
};

/* Words live in a. Fails only when a is full. */
int	program_read_literal(const struct program *program, const struct literal_ref *ref,
	    struct arena *a, struct literal_spec *out, struct error *err);

#endif
