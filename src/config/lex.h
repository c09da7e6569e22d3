/* lex.h - the words, texts and signs of digest.conf with their places, and what a text spells. */
#ifndef DIGEST_CONFIG_LEX_H
#define DIGEST_CONFIG_LEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "digest/strbuf.h"

/* Both from 1; a column is a byte of its line. */
struct config_place {
	uint32_t line, column;
};

enum config_spelling { SPELT_BARE, SPELT_RAW, SPELT_QUOTED };	/* word, '...', "..." */

/* One word or quoted text. */
struct config_scalar {
	const char *text;	/* what it means; NULL until the parser takes it */
	size_t start, end;	/* where it is spelt in the bytes, without its quotes */
	enum config_spelling spelling;
	bool plain;		/* it means its own bytes */
	bool has_env;		/* a part of it came from the environment */
	struct config_place place;	/* of its first byte, the quote included */
};

enum config_token_kind { TOKEN_END, TOKEN_PUNCT, TOKEN_WORD, TOKEN_TEXT, TOKEN_BAD };

struct config_token {
	enum config_token_kind kind;
	char punct;			/* one of { } = , */
	size_t start, next;		/* its first byte, quote included, and the byte after it */
	struct config_scalar scalar;	/* of words and texts; of all its place */
};

/* Told of everything wrong. message is "what was found; what was expected"; shown are lines that show the place, or "". */
typedef void config_complain(void *arg, struct config_place place, const char *message, const char *shown);

struct config_lexer {
	const char *bytes;
	size_t len, pos;
	size_t line_start;		/* offset of column 1 */
	uint32_t line;
	uint32_t ncomplaints;		/* also those passed over */
	config_complain *complain;	/* NULL = errors are passed over in silence */
	void *arg;
};

/* The next token. TOKEN_BAD: it is broken, which has been complained of; reading goes on after it. */
void	config_lex(struct config_lexer *lx, struct config_token *out);

/*
 * After an error at a token: resume at the next line, or at a '}' on the token's own. Quotes do not count, as one may
 * be missing, and no line is swallowed, as it may belong to another reader.
 */
void	config_lex_skip(struct config_lexer *lx, const struct config_token *from);

void	config_lex_complain(struct config_lexer *lx, struct config_place place, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));

/* Append what a spelling means. */
void	config_scalar_decode(struct strbuf *out, const char *bytes, const struct config_scalar *s);

/* The place of byte offset of a text, through quotes, escapes, line breaks and the environment. */
struct config_place config_scalar_place(const char *bytes, const struct config_scalar *s, size_t offset);

#endif
