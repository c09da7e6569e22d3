/* lex.h - the pieces of a query, each with its place. Shared by the parser and the printer of
 * src/match/. */
#ifndef DIGEST_MATCH_LEX_H
#define DIGEST_MATCH_LEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "digest/error.h"
#include "digest/query.h"

/* Names as they are written, by enum; each list ends with NULL. The first field has none. */
extern const char *const lex_field_names[];	/* "title" ..., then "has", "is" */
extern const char *const lex_measure_names[];	/* "votes" ..., then "upvotes" */
extern const char *const lex_compare_signs[];
extern const char *const lex_property_names[];	/* "has:code" ... */

enum lex_kind {
	LEX_END,
	LEX_OPEN,
	LEX_CLOSE,
	LEX_AND,
	LEX_OR,
	LEX_NOT,
	LEX_MINUS,
	LEX_STAR,
	LEX_TERM,
	LEX_FIELD,
	LEX_CONDITION,
	LEX_PROPERTY,
	LEX_NAME,
};

struct lexeme {
	enum lex_kind kind;
	size_t offset, end;	/* bytes of the query */
	const char *text;	/* a term or name without quotes and '*', a condition's value */
	size_t len;
	bool quoted, exact, prefix;
	bool near;		/* "..."~distance */
	uint32_t distance;
	enum query_field field;
	enum query_measure measure;
	enum query_compare compare;
	enum query_property property;
};

struct lexer {
	const char *text;
	size_t len, at;
	bool spaced;		/* a blank or the beginning stands before the lexeme being read */
	size_t wrong;		/* where the error is */
	struct error *err;
};

/* Refuse what no query may hold: too many bytes, NUL, other controls, invalid UTF-8. */
int	lex_check_text(struct lexer *lx);
int	lex_next(struct lexer *lx, struct lexeme *out);
/* What stands directly behind "title:": LEX_TERM or LEX_OPEN. */
int	lex_next_value(struct lexer *lx, const struct lexeme *field, struct lexeme *out);
/* Record a failure at offset; returns -1. */
int	lex_fail(struct lexer *lx, size_t offset, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));

/* How many of len bytes a message quotes: at most 40, whole characters. */
int	lex_clip(const char *text, size_t len);

/* True when text reads as one plain word wherever it stands, and so needs no quotes. */
bool	lex_is_plain(const char *text);

#endif
