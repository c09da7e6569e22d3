/* latex.h - the tables of latex.c: what a LaTeX command means to a reader of plain text; and the
 * work on what was appended last. */
#ifndef DIGEST_TEXT_LATEX_H
#define DIGEST_TEXT_LATEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "digest/strbuf.h"

/* The first three take no argument. */
enum latex_action {
	LATEX_SYMBOL,	   /* the text, close to what follows: Greek, letters */
	LATEX_OPERATOR,	   /* the text, with a blank on both sides or on none */
	LATEX_FUNCTION,	   /* a name such as log, apart from letters beside it */
	LATEX_ACCENT,	   /* a combining character on a letter that takes it */
	LATEX_MATH_ACCENT, /* the same, but any one character may take it */
	LATEX_WRAPPER,	   /* only the argument is left */
	LATEX_TEXT,	   /* the same; it is not mathematics, even inside it */
	LATEX_SWITCH,	   /* nothing is left */
	LATEX_DELIMITER,   /* \left and its kind: nothing, and a dot after it vanishes */
	LATEX_DROP,	   /* neither command nor argument is left */
	LATEX_CITE,	   /* the same, nor the blank before, nor [options] */
	LATEX_SECOND,	   /* the second argument is left */
	LATEX_FRACTION,	   /* a/b */
	LATEX_BINOMIAL,
	LATEX_ROOT,
	LATEX_FONT,	 /* letters of an alphabet, named by text */
	LATEX_KERN,	 /* a length follows */
	LATEX_CODEPOINT, /* \unicode{x2013} */
	LATEX_NOT,	 /* strikes out what follows */
	LATEX_MODULO,
};

struct latex_command {
	const char *name; /* without the backslash */
	enum latex_action action;
	const char *text;
};

/* NULL = no such command. */
const struct latex_command *latex_find(const char *name, size_t len);

/* The raised or lowered form of a character, NULL when Unicode has none. */
const char *latex_raised(uint32_t cp);
const char *latex_lowered(uint32_t cp);

/* The letter of \mathbb, \mathcal or \mathfrak (the first letter of font: 'b', 'c', 'f'), 0 =
 * none. */
uint32_t latex_font_letter(char font, uint32_t cp);

/* The following work on the tail of out: the bytes from mark on. When out has failed they do
 * nothing. */

/* Put text before the tail. */
void latex_insert(struct strbuf *out, size_t mark, const char *text);

/* Replace every character of the tail by its form; all of them or, returning false, none. */
bool latex_transform(struct strbuf *out, size_t mark, const char *(*form_of)(uint32_t cp));

/* Put brackets around the tail when it is more than one word or number; also_products: around "2p"
 * too. */
void latex_bracket(struct strbuf *out, size_t mark, bool also_products);

/* Put a combining character on the first letter of the tail; false when Unicode has no such
 * letter. */
bool latex_set_accent(struct strbuf *out, size_t mark, const char *accent);

#endif
