/* words.h - what a term of a query looks for: its words as they are compared. */
#ifndef DIGEST_MATCH_WORDS_H
#define DIGEST_MATCH_WORDS_H

#include <stddef.h>

#include "digest/arena.h"
#include "digest/error.h"
#include "digest/query.h"
#include "digest/strbuf.h"
#include "digest/text.h"

#include "lex.h"

/* Scratch for making words. */
struct word_maker {
	struct token_list tokens;
	struct strbuf plain, form;
};

void	words_init(struct word_maker *m);
void	words_release(struct word_maker *m);

/* Fill kind, text, words and distance of q, whose field is set, from a LEX_TERM. */
int	words_make(struct word_maker *m, const struct lexeme *lx, struct arena *a, struct query *q,
	    struct error *err);

/* Append the normal form of a folded word: what both sides of a comparison look like. */
void	words_add_normal(struct strbuf *out, const char *folded);

#endif
