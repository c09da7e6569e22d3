/* literals.h - what is true or false of a paper, once for all programs that ask for it. Shared by the files of
 * src/match/. */
#ifndef DIGEST_MATCH_LITERALS_H
#define DIGEST_MATCH_LITERALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "digest/arena.h"
#include "digest/error.h"
#include "digest/map.h"
#include "digest/match.h"
#include "digest/query.h"

/*
 * A literal as somebody wrote it. Its key says all that decides which papers it is true for; its label is how it is shown
 * ("NeRF" and "nerf" have the same key).
 */
struct literal_entry {
	const char *bytes;	/* the key, then the label, NUL-terminated */
	uint32_t key_len;
	uint32_t meaning;	/* number of the first literal with this key: papers are worked out for that one */
	uint32_t next;		/* the next literal with this key, NO_LITERAL = none */
	uint32_t stamp;		/* of the last query that asked for this key */
};

#define NO_LITERAL UINT32_MAX

struct match_literals {
	struct literal_entry *entries;	/* by number */
	uint32_t len, alloc;
	uint32_t stamp;			/* of the query being compiled */
	struct map by_key;		/* the first literal of each key */
	struct strbuf scratch;
	struct arena arena;		/* of the bytes */
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

/* The number of the literal that q is, which is a term, condition or property. */
int	literals_intern(struct match_literals *literals, const struct query *q, uint32_t *out, struct error *err);

/*
 * Add a literal of the bytes of another one as the next number, whatever there is already.
 * bytes	its key, key_len bytes that literals_is_key() takes, and its label: len in all, no NUL in the label
 */
int	literals_add(struct match_literals *literals, const char *bytes, size_t key_len, size_t len, struct error *err);
/* Whether literals_read() can take a key out of these bytes. */
bool	literals_is_key(const char *bytes, size_t len);

const char *literals_label(const struct match_literals *literals, uint32_t number);

/* Words live in a. Fails only when a is full. */
int	literals_read(const struct match_literals *literals, uint32_t number, struct arena *a,
	    struct literal_spec *out, struct error *err);

#endif
