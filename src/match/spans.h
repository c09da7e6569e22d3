/* spans.h - where the words of a term stand in one text. Shared by the files of src/match/. */
#ifndef DIGEST_MATCH_SPANS_H
#define DIGEST_MATCH_SPANS_H

#include "digest/strbuf.h"
#include "digest/text.h"

#include "index.h"

struct span_list {
	struct match_span *items;	/* from malloc */
	size_t len, alloc;
};

int	span_list_add(struct span_list *list, struct match_span span, struct error *err);
/* Sort, and make one of spans that overlap or touch. */
void	span_list_merge(struct span_list *list);

/* A text of its own, read for the places of words. Positions are numbers of tokens. */
struct read_text {
	const char *text;	/* the caller's */
	struct match_span *tokens;
	struct form *forms;	/* in the order of the text, a word before the joined one that begins with it */
	uint32_t *hashes;	/* of their normal forms, which is what is searched */
	char *chars;		/* of the forms, each with its NUL */
	uint32_t ntokens, nforms;
	size_t bytes;		/* of memory, about */
};

/* Scratch for reading texts. */
struct reading {
	struct token_list list;
	struct strbuf normal;
};

void	reading_init(struct reading *r);
void	reading_release(struct reading *r);

/* NULL = memory is short, or there are too many words. */
struct read_text *read_text_new(struct reading *r, const char *text, struct error *err);
void	read_text_free(struct read_text *t);
/* Append the places of a text term, whatever its field, in no order. */
int	read_text_find(struct read_text *t, const struct literal_spec *spec, struct span_list *out,
	    struct error *err);

/* The same in a text that is read for it alone. */
int	spans_of_term(const struct literal_spec *spec, const char *text, struct span_list *out,
	    struct error *err);

/* What a program looks for in texts. */
struct match_terms {
	struct literal_spec *list;
	uint32_t *literals;	/* their numbers */
	size_t n;
};

#endif
