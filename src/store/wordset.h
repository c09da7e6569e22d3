/* wordset.h - the words of a text as the index of words has them: what the tokenizer of the filters reads, folded and in
 * their normal form, those of a hyphenated word joined as well, each once. So whatever a filter finds is there. */
#ifndef DIGEST_STORE_WORDSET_H
#define DIGEST_STORE_WORDSET_H

#include "digest/arena.h"
#include "digest/error.h"
#include "digest/map.h"
#include "digest/strbuf.h"
#include "digest/text.h"

struct wordset {
	struct token_list tokens;
	struct strbuf plain, form;
	struct strbuf out;	/* the words so far, a blank between them */
	struct map met;		/* those in out; keys live in keys */
	struct arena keys;
};

void	wordset_init(struct wordset *w);
void	wordset_release(struct wordset *w);
/* Begin another column. */
void	wordset_reset(struct wordset *w);
/* Append the words of text that are new in this column. */
int	wordset_add(struct wordset *w, const char *text, struct error *err);

/* Append a form as the tokenizer of FTS5 leaves it alone: ASCII that would end a word becomes '_'. */
void	wordset_add_form(struct strbuf *out, const char *form);

#endif
