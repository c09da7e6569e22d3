/* query.h - the filter language: text to tree, tree to canonical text. digest-filter(7) is its definition. A tree lives in
 * the arena given. Every error has a byte offset into the text. */
#ifndef DIGEST_QUERY_H
#define DIGEST_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "digest/arena.h"
#include "digest/error.h"
#include "digest/strbuf.h"

enum query_op {
	QUERY_ALL,		/* * */
	QUERY_AND, QUERY_OR, QUERY_NOT,
	QUERY_TERM,		/* a word, prefix, exact word, phrase or proximity group in a field */
	QUERY_CONDITION,	/* votes>=30 */
	QUERY_PROPERTY,		/* has:code, is:new */
	QUERY_NAMED,		/* @name; gone after query_expand */
};

enum query_field {
	FIELD_TEXT,		/* no field written: title, abstract, keywords */
	FIELD_TITLE, FIELD_ABSTRACT, FIELD_AUTHOR, FIELD_FIRST_AUTHOR, FIELD_LAST_AUTHOR, FIELD_ORG, FIELD_CAT,
	FIELD_PRIMARY, FIELD_KEYWORD, FIELD_VENUE, FIELD_SOURCE, FIELD_ID,
};

enum query_term_kind { TERM_WORD, TERM_PREFIX, TERM_EXACT, TERM_PHRASE, TERM_NEAR };

enum query_measure {
	MEASURE_VOTES, MEASURE_COMMENTS, MEASURE_STARS, MEASURE_AUTHORS, MEASURE_RANK, MEASURE_AGE,	/* seconds */
	MEASURE_PUBLISHED,	/* seconds since 1970 */
};

enum query_compare { COMPARE_LT, COMPARE_LE, COMPARE_EQ, COMPARE_GE, COMPARE_GT };

enum query_property {
	HAS_CODE, HAS_PROJECT, HAS_MEDIA, HAS_DOI, IS_NEW, IS_CROSS, IS_REPLACED, IS_WITHDRAWN, IS_SENT,
};

/* A word as it is compared. The forms are folded, and normalised (text_normal_word) where English is expected: not in
 * names of authors, not the last word of a prefix. TERM_EXACT has them as written. */
struct query_word {
	const char *form;
	const char *joined;	/* stands for this word and the ones behind it ("pretraining"), "" = none */
	uint32_t njoined;	/* how many words joined stands for, 0 = none */
};

struct query {
	enum query_op op;
	uint32_t offset, length;	/* where it stands in the text */
	struct query **children;	/* AND, OR: two or more; NOT: one */
	size_t nchildren;
	enum query_field field;
	enum query_term_kind kind;
	const char *text;	/* as written, without quotes and the '*' of a prefix, white space collapsed; of
				   QUERY_NAMED the name */
	struct query_word *words;	/* of a term; cat:, primary: and id: have one */
	size_t nwords;
	uint32_t distance;	/* of TERM_NEAR: at most so many words between the first and the last */
	enum query_measure measure;
	enum query_compare compare;
	int64_t number;
	enum query_property property;
};

/*
 * Parse a query. len bytes, any bytes.
 * offset	(may be NULL) gets the byte at which it is wrong
 * Fails with ERR_DATA: "'titel:' is not a field; did you mean 'title:'?"
 */
int	query_parse(const char *text, size_t len, struct arena *a, struct query **out, size_t *offset,
	    struct error *err);

/*
 * The text of the filter called name, or NULL.
 * shared	in: look among shared filters only; out: the filter found is a shared one, and so @names in it mean
 *		shared filters only
 */
typedef const char *query_lookup(void *arg, const char *name, bool *shared);

/*
 * Replace every @name by the tree of its query, to MAX_QUERY_TERMS terms in all. A cycle is an error that shows it:
 * "@a -> @b -> @a". "*" behind an @name disappears from an AND and swallows an OR; taking it away is an error.
 * self		the name of the filter the query belongs to, "" = none; @self means the shared filter of that name
 * offset	(may be NULL) gets the place of the @name in q's text
 * out		shares nodes with q
 */
int	query_expand(struct query *q, const char *self, query_lookup *lookup, void *arg, struct arena *a,
	    struct query **out, size_t *offset, struct error *err);

/* Canonical text: parsing it again gives the same tree. */
void	query_add_text(struct strbuf *out, const struct query *q);

/* The field or condition a clause asks for as it is written ("org", "votes"), NULL for plain words, groups and properties. */
const char *query_asks_for(const struct query *q);

/* "title" of FIELD_TITLE; "" of FIELD_TEXT. */
const char *query_field_name(enum query_field field);

/* True when the answer can change without the paper changing: votes, comments, stars or rank are read. */
bool	query_reads_signals(const struct query *q);
/* True when is:replaced or is:withdrawn is asked for. */
bool	query_reads_versions(const struct query *q);

#endif
