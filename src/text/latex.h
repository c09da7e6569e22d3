/* latex.h - what the files of latex.c share: the place in the text, the tables of what a command means to a reader
 * of plain text, and the work on what was appended last. */
#ifndef DIGEST_TEXT_LATEX_H
#define DIGEST_TEXT_LATEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "digest/strbuf.h"

enum {
	LATEX_MAX_DEPTH = 32,	/* of groups and arguments; what lies deeper stays as it is */
	LATEX_MAX_NEAR = 200,	/* bytes to the end of [...], of a single quote, and outside mathematics of ^{...} */
	LATEX_MAX_URL = 2000,
};

/*
 * Every function reads from at to end and appends to out. What it appended may be worked over by its caller (raised,
 * lowered, bracketed), at most once for each level of depth, so the whole takes linear time.
 */
struct latex {
	const char *text;
	size_t at, end;
	struct strbuf *out;
	size_t fresh;	/* where in out the argument began that is being read */
	size_t formula; /* where in out the mathematics began */
	size_t group;	/* where in out the group or formula began: the numerator of \over */
	size_t over;	/* where in out the denominator of \over began, SIZE_MAX = no \over in this group */
	bool choose;	/* that \over is a \choose */
	int depth;
	int nenvs;	/* open \begin{...} of mathematics */
	bool math;
	bool env_math;	/* it was the first of them that began the mathematics */
	bool rows;	/* the lines of a matrix or of cases */
	bool quoted;	/* a `` is open */
	size_t single;	/* where in text the last `...' ends */
};

enum latex_action {
	LATEX_SYMBOL,	   /* the text, close to what follows: Greek, letters */
	LATEX_OPERATOR,	   /* the text, with a blank on both sides or on none */
	LATEX_FUNCTION,	   /* a name such as log, apart from letters beside it */
	LATEX_OPENING,	   /* the text, without a blank after it */
	LATEX_CLOSING,	   /* the text, without a blank before it */
	LATEX_CUSTOM,	   /* what many authors define alike: \R, \KL; in mathematics only */
	LATEX_SHORT,	   /* \eg and its kind: the text, and a full stop after it vanishes */
	LATEX_LAST_WITHOUT_ARGUMENT = LATEX_SHORT,
	LATEX_ACCENT,	   /* a combining character on a letter that takes it; not in mathematics */
	LATEX_MATH_ACCENT, /* the same in mathematics, but any one character may take it */
	LATEX_WRAPPER,	   /* only the argument is left */
	LATEX_TEXT,	   /* the same; it is not mathematics, even inside it */
	LATEX_RAISED,	   /* the same, above the line if it can be */
	LATEX_LOWERED,
	LATEX_FIRST,	   /* of two arguments the first is left */
	LATEX_SECOND,
	LATEX_SWITCH,	   /* nothing is left */
	LATEX_COLOR,	   /* the same, with its argument; but what many write as a second argument is left */
	LATEX_LEFT,	   /* \left and \right: the delimiter alone, a dot vanishes */
	LATEX_RIGHT,
	LATEX_DROP,	   /* neither command nor argument is left, only text */
	LATEX_DEFINE,	   /* nor the second argument */
	LATEX_CITE,	   /* nor the blank before, nor [options] */
	LATEX_REF,	   /* the same, but "Section […]" */
	LATEX_NAMED,	   /* the same, but the sentence needs the name: "[…]" */
	LATEX_VERBATIM,	   /* the argument as it stands; it may stand between two equal signs */
	LATEX_LINK,	   /* second argument (first argument) */
	LATEX_QUANTITY,	   /* first argument, a blank, second argument */
	LATEX_FRACTION,	   /* a/b */
	LATEX_OVER,	   /* {a \over b}, {a \choose b} */
	LATEX_BINOMIAL,
	LATEX_ROOT,
	LATEX_BRACE,	   /* the argument; the label under it or over it goes */
	LATEX_FONT,	   /* letters of an alphabet, named by text */
	LATEX_KERN,	   /* a length follows */
	LATEX_CODEPOINT,   /* \unicode{x2013} */
	LATEX_NOT,	   /* strikes out what follows */
	LATEX_MODULO,
	LATEX_BEGIN,	   /* of an environment */
	LATEX_END,
};

struct latex_command {
	const char *name; /* without the backslash */
	enum latex_action action;
	const char *text;
};

/* Sorted by name; no name is in both. */
extern const struct latex_command latex_symbols[], latex_commands[];
extern const size_t latex_nsymbols, latex_ncommands;

/* NULL = no such command. */
const struct latex_command *latex_find(const char *name, size_t len);

/* The raised or lowered form of a character, NULL when Unicode has none. */
const char *latex_raised(uint32_t cp);
const char *latex_lowered(uint32_t cp);

/* The letter of \mathbb, \mathcal or \mathfrak (the first letter of font: 'b', 'c', 'f'), 0 = none. */
uint32_t latex_font_letter(char font, uint32_t cp);

/* ---- latex.c ---- */

bool	latex_is_letter(char c);
bool	latex_is_blank(char c);
/* The byte n places on, '\0' behind the end. */
char	latex_peek(const struct latex *x, size_t n);
char	latex_last(const struct latex *x);
void	latex_skip_blanks(struct latex *x);
/* Take blanks from the end of out, as far back as mark, but none from before the argument that is being read. */
void	latex_trim(struct latex *x, size_t mark);
/* The next thing, whatever it is. Always moves on. */
void	latex_add_item(struct latex *x);
/* The group whose '{' stands at at, without its braces. */
void	latex_add_group(struct latex *x);
/* One argument: a group, a command or a character. */
void	latex_add_argument(struct latex *x);
void	latex_drop_argument(struct latex *x);
/* [options]: dropped, if they end soon. */
void	latex_drop_options(struct latex *x);
/* From here on it is mathematics. */
void	latex_begin_math(struct latex *x);

/* ---- latex_named.c ---- */

/* A command of letters; its backslash stands at at. */
void	latex_add_named(struct latex *x);
/* A relation or operator, in mathematics with a blank on both sides or on none. */
void	latex_add_operator(struct latex *x, const char *text);
/*
 * The argument with an accent on its first letter.
 * raw	the command, to be written again when no letter takes the accent; NULL = \hat and its kind, where a
 *	single character takes any
 */
void	latex_add_accented(struct latex *x, const char *accent, const char *raw);

/* ---- latex_math.c ---- */

/* '^' or '_' stands at at. */
void	latex_add_script(struct latex *x);
void	latex_add_fraction(struct latex *x);
void	latex_add_root(struct latex *x);
void	latex_add_binomial(struct latex *x);
void	latex_add_over(struct latex *x, const struct latex_command *c);
/* The end of a group or formula that may hold an \over. */
void	latex_end_over(struct latex *x);
/* \begin{name} or \end{name}: the argument stands at at. */
void	latex_begin(struct latex *x);
void	latex_end(struct latex *x);

/* ---- latex_tail.c: work on the tail of out, the bytes from mark on; when out has failed it does nothing ---- */

/* Put text before the tail. */
void	latex_insert(struct strbuf *out, size_t mark, const char *text);

/* Replace every character of the tail by its form; all of them or, returning false, none. */
bool	latex_transform(struct strbuf *out, size_t mark, const char *(*form_of)(uint32_t cp));

/* Put brackets around the tail where a formula on one line needs them. */
enum latex_place { LATEX_RAISED_PART, LATEX_LOWERED_PART, LATEX_NUMERATOR, LATEX_DENOMINATOR, LATEX_RADICAND };
void	latex_bracket(struct strbuf *out, size_t mark, enum latex_place place);

/* Whether the tail ends in a letter, a digit, a script or a closing bracket: what stands close to it is a factor. */
bool	latex_ends_factor(const struct strbuf *out, size_t mark);

/* Put a combining character on the first letter of the tail; false when Unicode has no such letter. */
bool	latex_set_accent(struct strbuf *out, size_t mark, const char *accent);

#endif
