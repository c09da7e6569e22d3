/* card.h - one paper as it was drawn once, ready to be put into any number of mails: encoded, lines ended. What a reader's
 * filter found in it is marked while it is copied. */
#ifndef DIGEST_RENDER_CARD_H
#define DIGEST_RENDER_CARD_H

#include <stddef.h>

#include "render/fill.h"
#include "render/writer.h"

/* What stands around a found word, as a part needs it. */
struct mark_style {
	const char *open, *close; /* quoted-printable */
	size_t open_len, close_len;
	size_t columns; /* of both in the text part; 0 in HTML */
};

/* A card of one part and size. */
struct card {
	const char *
	    bytes; /* begins and ends at the start of a line; of text, the first one is to stand behind CARD_INDENT */
	size_t len;
	const struct spot *spots; /* in bytes */
	size_t nspots;
	const struct spot_step *steps;
	const char *
	    first; /* text only: the first line before it was filled, and where the second begins in bytes */
	size_t first_len, second;
};

enum {
	CARD_INDENT = 5,       /* "  1. " or "   - " */
	CARD_MARK_COLUMNS = 4, /* that a mark may have in text */
	CARD_MARK_ROOM =
	    2 /* that lines of a paper's text keep for marks, which are put in without filling them again */
};

struct placed_card {
	const struct card *card;
	const struct mark_style *style;
	const struct paper_mark *marks;
	size_t nmarks;
};

/*
 * What a card template wrote, as a card in the arena, which is that of the spots. NULL when memory is short.
 * html		written by a WRITER_HTML
 * text		written by a WRITER_PLAIN
 * spots	of that writer
 */
struct card *card_of_html(struct arena *a, struct strbuf *html, const struct spots *spots);
struct card *card_of_text(struct arena *a, struct strbuf *text, const struct spots *spots);
/* The same card in another arena, all of it in one place. NULL when memory is short. */
struct card *card_copy(struct arena *a, const struct card *card);

/* Put it behind what was written; begins a line, or goes on behind the indentation in w->line. */
void card_add_html(struct writer *w, const struct placed_card *placed);
void card_add_text(struct writer *w, const struct placed_card *placed);

#endif
