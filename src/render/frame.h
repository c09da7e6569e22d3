/* frame.h - what digest templates write around the card of a paper. A section over papers asks the same of each of them: its
 * card, its number, a few words why it is there, and whether there are any. So what it writes is found out once for each kind
 * of paper, as a list of pieces with holes between them, and into these frames the papers of all readers are put. A section
 * that asks for anything else has no frames and is drawn as any other. */
#ifndef DIGEST_RENDER_FRAME_H
#define DIGEST_RENDER_FRAME_H

#include <stdbool.h>
#include <stddef.h>

#include "render/parts.h"
#include "render/writer.h"

/* A paper at its place. */
struct item {
	const struct pick_view *pick;
	const char *filter;  /* the name of the one that found it, "" = none */
	const char *what;    /* what happened to it, "" = nothing is told */
	size_t number;	     /* from 1; 0 = it was cut */
	size_t rank;	     /* the highest one shrinks first */
	struct strip *strip; /* why it is there, made when first asked for */

	/* In the part under way: */
	const struct card *cards[CARD_NONE]; /* taken when first needed */
	bool is_line;
	struct placed_card placed; /* card NULL = none is drawn, the values alone are asked for */
};

/* The papers of a list in a section: the arg that their values are made from, by shelf_make_value. */
struct shelf {
	struct context c;
	struct item *items;
};
struct value *shelf_make_value(void *arg, size_t i);

/* Find out the frames of the set's sections, for each language. Where memory is short there are none. */
void frames_load(struct render *r);

/* Of a section's frames those for a language and a way of writing; NULL = there are none. */
const struct frames *frames_find(
    const struct frames *first, const struct strings *words, enum writer_kind kind);
/* Write a paper in its frame. False when there is none that fits to where the writer stands; nothing is written then. */
bool frames_write(
    const struct frames *frames, struct writer *w, const struct context *c, struct item *item);

/* ---- What a writer of WRITER_FRAME passes on while a frame is recorded ---- */

void recorder_add(struct recorder *rec, const char *text, size_t len);
void recorder_add_coded(
    struct recorder *rec, const char *text, size_t len, const char *coded, size_t coded_len);
void recorder_add_escaped(
    struct recorder *rec, enum template_escape escape, const char *text, size_t len);
/* hole: the ready value */
void recorder_add_hole(
    struct recorder *rec, enum template_escape escape, bool raw, const void *hole);

#endif
