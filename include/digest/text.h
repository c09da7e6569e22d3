/* text.h - how every stage reads text alike: folding, tokens, display width, LaTeX to Unicode, plain cleaning.
 * All texts are valid UTF-8 (see utf8_add_repaired). Uses utf8proc. */
#ifndef DIGEST_TEXT_H
#define DIGEST_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "digest/strbuf.h"

/*
 * Append text as it is compared: NFKC, full case folding, marks removed from Latin, Greek and Cyrillic letters only
 * (Japanese and Indic scripts keep theirs), a table for letters without a decomposition (đ ł ø æ œ ß ı), default
 * ignorable characters dropped. Idempotent.
 */
void	text_add_folded(struct strbuf *out, const char *text, size_t len);
/* Of the tables it folds by: "15.0.0". */
const char *text_unicode_version(void);

/* One word of a text as the filter language sees it. Offsets are bytes into the text given. */
struct token {
	uint32_t start, end;	/* the word in the text, for highlighting */
	uint32_t position;	/* 0, 1, 2 ...: words are neighbours when positions are; the parts of a
				   hyphenated word take one each */
	uint32_t form;		/* offset of the NUL-terminated folded form in the token list's forms */
	uint32_t joined;	/* offset of the joined form of the whole hyphenated or apostrophed run that
				   begins here ("pretraining" at "pre" of "pre-training"), or 0 */
	uint32_t njoined;	/* how many tokens that run has; 0 when joined is 0 */
};

struct token_list {
	struct token *tokens;
	size_t len, alloc;
	struct strbuf forms;	/* "" at offset 0, then the forms, NUL-terminated */
};

void	tokens_init(struct token_list *list);
void	tokens_release(struct token_list *list);
void	tokens_reset(struct token_list *list);

/*
 * Append the words of text. A word is a run of letters, digits and marks; '+' and '#' end a word that has letters
 * ("C++", "C#"), a '.' may begin one before a letter (".NET") and stands inside numbers and versions ("0.5", "v1.2",
 * "2312.00752"); '-', '/', apostrophes and other punctuation separate; soft hyphens and zero-width characters vanish.
 * Each CJK ideograph, kana or hangul syllable is a word of its own. Super- and subscripts are digits ("H2O"); an en
 * dash separates. Words joined by '-' or an apostrophe directly between letters or digits are a run with a joined form.
 * first_position	of the first word; a caller that indexes several fields leaves gaps between them
 * Returns 0, or -1 when memory is short or there are more than 2^20 tokens.
 */
int	tokens_add(struct token_list *list, const char *text, size_t len, uint32_t first_position,
	    struct error *err);
const char *token_form(const struct token_list *list, const struct token *t);

/*
 * The singular of a folded English word, and one spelling of -ise/-ize, -our/-or, by small tables and rules stated in
 * digest-filter(7); words that only look like plurals ("bias", "loss", "analysis") stay. out has room for size bytes.
 * It begins with the letter the word begins with. Both sides of a comparison pass through it. Not a stemmer.
 */
void	text_normal_word(const char *folded, char *out, size_t size);

/*
 * Append text with LaTeX made readable: accents, Greek, operators, arrows, alphabets, sub- and superscripts, \textbf
 * and its kind dropped around their text, $...$, \(...\) and environments removed around mathematics, fractions,
 * roots and scripts that have no Unicode form written on one line as a/b, √(a+b), x^(a+b) and x_max, with brackets only
 * where they are needed, -- a dash, ``'' quotes, ~ a blank between words. A citation or reference vanishes, or is
 * "[…]" where the sentence needs it. Unknown commands stay as they are; a lone '$' is money and stays. White space is
 * not collapsed (text_add_clean does). Linear time, bounded recursion. Run it once, before cleaning; what it wrote it
 * leaves alone when it reads it again, but for text about TeX itself.
 */
void	text_add_latex(struct strbuf *out, const char *text, size_t len);

/*
 * Append the text of an HTML or JATS fragment: tags, comments and attributes removed, scripts and styles with what
 * they hold, entities decoded, a line break where a block begins or ends, <sup> and <sub> as Unicode where every
 * character has a form. Mathematics is left as its text. What follows MAX_HTML_FIELD bytes is dropped; with more than
 * MAX_HTML_ELEMENTS elements, scripts of letters are lost too. Only for fields that are markup: in plain text
 * "a<b" would lose its end. A '<' may be in the result: it is text. White space is not collapsed (text_add_clean does).
 */
void	text_add_html(struct strbuf *out, const char *html, size_t len);

/*
 * Append text as one clean line for titles and names, or as running text: invalid bytes repaired, NUL and other control
 * characters dropped, bidirectional controls dropped, white space and hard wraps collapsed to one blank, runs of
 * combining marks cut at 8, at most max_bytes, cut at the end of a grapheme with "…".
 * Returns how many invalid sequences were replaced.
 */
size_t	text_add_clean(struct strbuf *out, const char *text, size_t len, size_t max_bytes);

/* The character of a byte in windows-1252; 0xfffd for the five that have none. */
unsigned text_windows_1252(unsigned char byte);

/*
 * Append a name or title that may be UTF-8 taken for Latin-1 or windows-1252 and encoded again, up to three times
 * ("WÃ¼bben"), as it was meant. Done only when it is certain: read back into bytes, the whole text is UTF-8 of Latin letters,
 * quotes and dashes. Run it before text_add_clean, which drops control characters that are part of such letters.
 * Returns whether anything was undone; else the text is appended as it is.
 */
bool	text_add_unmangled(struct strbuf *out, const char *text, size_t len);

/* The line of text that holds a byte and a caret below it, each ended, for messages about what a person wrote; of a long line
 * the part around it. */
void	text_add_caret(struct strbuf *out, const char *text, size_t offset);

/* How & < > " ' are written in HTML so that they are text anywhere; NULL for what may stand as it is. */
const char *text_entity(char c);

/* One of two texts to compare. */
struct text_side {
	const char *name;	/* for the heading */
	const char *text;
	size_t len;
	size_t first_line;	/* number of its first line, usually 1 */
};

/*
 * Append how one text becomes the other as a unified diff with three lines around each change, as diff -u and patch(1) have it;
 * nothing when they are the same. Two texts that differ in some 2,000 lines each are shown as wholly different.
 * Fails with ERR_NOMEM.
 */
int	text_add_diff(struct strbuf *out, const struct text_side *from, const struct text_side *to, struct error *err);

/*
 * The language that the letters of a text tell: "ja", "zh", "ko", "ar", "he", "el" or "th"; "und" (RFC 5646) for a script of
 * several ones; "" for Latin letters, where they are more than twice as many as any others, and for no text. A guess for
 * titles of which nobody says it: a voice and a choice of fonts for English would be wrong for sure.
 */
const char *text_script_language(const char *text);

/* Columns on a terminal: 2 for wide East Asian characters, 0 for marks (Unicode TR 11). */
size_t	text_width(const char *text, size_t len);

/*
 * Length in bytes of the longest prefix that ends at the end of a grapheme (Unicode TR 29) and is at most max_bytes
 * long and max_width columns wide.
 */
size_t	text_cut(const char *text, size_t len, size_t max_bytes, size_t max_width);

/*
 * Append text filled to lines of at most width columns, each line begun by indent; an address longer than a line stands
 * on a line of its own, unbroken, any other word is broken; between ideographs a line may end. Ends without a newline.
 */
void	text_add_wrapped(struct strbuf *out, const char *text, size_t len, const char *indent, size_t width);

/* The first sentence of an abstract: ends at ". ", "! " or "? " before a capital, not after "e.g.", "et al.",
 * "i.e.", "vs.", "Fig.", single letters, "U.S." or inside brackets that close; or at an ideographic full stop.
 * Returns its length in bytes; all of it when there is no end. */
size_t	text_first_sentence(const char *text, size_t len);

/* The entry of names (ends with NULL) nearest to word within 2 edits (Damerau-Levenshtein) that are fewer than
 * half the letters of the shorter one, else NULL; the first of several. */
const char *text_nearest(const char *word, const char *const *names);

#endif
