/* parts.h - what the files of render/ share: the set of templates, and how its parts are made. */
#ifndef DIGEST_RENDER_PARTS_H
#define DIGEST_RENDER_PARTS_H

#include <stdbool.h>
#include <stddef.h>

#include "digest/render.h"
#include "digest/template.h"
#include "render/cards.h"
#include "render/strings.h"

enum card_size { CARD_FULL, CARD_SHORT, CARD_LINE, CARD_NONE };

struct render {
	struct arena arena;	       /* owns what follows */
	struct render_template *files; /* templates and languages by name, NULL-named entry last */
	struct template **compiled;    /* beside files; NULL for a language */
	const struct strings **words; /* beside files; NULL for a template or a file with a fault */
	const struct strings *english; /* built in */
	size_t nfiles;
	struct mark_style html_mark, text_mark;
	struct cards *cards;
	struct arena frames; /* owns those of the templates' sections */
};

/* Built-in files by name, NULL-named entry last; path is NULL. */
size_t builtin_count(void);
void builtin_get(size_t i, struct render_template *out);

/* Partials of a set: a template_lookup whose arg is the set. */
template_lookup set_find_template;

/* What stands before and after a found word, by card-mark.html or card-mark.txt; lives in the set. */
int mark_load(struct render *r, const char *name, struct mark_style *out, struct error *err);

/* The words of a language ("de-AT", else "de", else English). */
const struct strings *set_find_words(const struct render *r, const char *language);

/* A name that templates may use. in_card: also in card templates. */
struct context_name {
	const char *name;
	bool in_card;
};
extern const struct context_name context_names[]; /* NULL-named entry last */

/* What all values of one edition are made with. */
struct context {
	struct arena *a;
	const struct strings *words;
};

/* A text with its words filled in, or a counted one, as a member of object. */
void context_set_text(const struct context *c, struct value *object, const char *member,
    const char *key, const struct word *words);
void context_set_count(const struct context *c, struct value *object, const char *member,
    const char *key, int64_t n, const struct word *words);
/* The bytes of sb in the arena, NULL when memory is short; releases sb. */
const char *context_keep(const struct context *c, struct strbuf *sb);
/* text itself when it is one clean line, else a copy that is. */
const char *context_clean(const struct context *c, const char *text);
/* As much of text as fits into max_width columns and max_bytes, cut at a word; returns its length. */
size_t context_cut(const char *text, size_t max_bytes, size_t max_width);

/* The first len bytes of text and "…"; NULL when memory is short. */
const char *context_shorten(const struct context *c, const char *text, size_t len);

/* What a card template sees as list. */
struct value *context_list(const struct context *c, const struct list_view *list);
/* What a card template sees as paper. "rest" is a member of its own so that a short card can do without. */
struct value *context_paper(const struct context *c, const struct paper *p);
/* A paper of a section: its number and why it is there, and the members of paper, for which pick and filter must stay.
 * filter	the name of the one that found it, "" = none
 * what		from context_what() */
struct value *context_pick(const struct context *c, const struct pick_view *pick,
    const char *filter, const char *what, size_t number);
/* What happened to a paper, "" = nothing that is told; NULL when memory is short. */
const char *context_what(const struct context *c, const struct pick_view *pick);
/* "  7." */
enum { NUMBER_TEXT_SIZE = 24 };
void context_number_text(size_t number, char out[NUMBER_TEXT_SIZE]);

/* Why a paper is there, as parts of a line. */
enum { MAX_STRIP = 4 };
struct strip {
	const char *parts[MAX_STRIP];
	size_t n;
};
/* NULL when memory is short. */
struct strip *context_strip(
    const struct context *c, const struct pick_view *pick, const char *filter);
/* A section without its papers. */
struct value *context_section(
    const struct context *c, const struct edition_view *view, const struct section_view *section);
/* "and N more" as members "more" and "more_text", with the command that finds them where object has one. key: of the words */
void context_set_more(const struct context *c, struct value *object, const char *key, size_t more);
/* Everything of the edition but "sections". */
struct value *context_edition(const struct context *c, const struct edition_view *view);

#endif
