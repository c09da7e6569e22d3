/* writer.h - where a template writes to: bytes as they are, or one of the two parts of a mail, encoded as it is written. */
#ifndef DIGEST_RENDER_WRITER_H
#define DIGEST_RENDER_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "digest/arena.h"
#include "digest/paper.h"
#include "digest/qp.h"
#include "digest/template.h"

enum writer_kind {
	WRITER_PLAIN, /* as it is */
	WRITER_HTML,  /* quoted-printable */
	WRITER_TEXT,  /* quoted-printable lines filled to 72 columns, of several blank ones one */
	WRITER_FRAME, /* not at all: see recorder */
};

/* Where bytes of a text of a paper stand in what was written. Small, as there are many in the cards of a run: nothing that is
 * written has 4 GB. */
struct spot {
	enum paper_text text;
	uint32_t start, len; /* in the paper's text */
	uint32_t at;	     /* in what was written */
	uint32_t first_step,
	    nsteps; /* so that a byte need not be counted to from the spot's beginning */
};

/* A byte, and where it was written; what follows it up to the next step was written in a row. */
enum { STEP_BYTES = 32 };
struct spot_step {
	uint32_t start, at;
	uint32_t room; /* columns that the line has left for marks */
};

/* All of what one writer wrote, in an arena. */
struct spots {
	struct arena *a;
	struct spot *items;
	struct spot_step *steps;
	size_t len, alloc, nsteps, steps_alloc;
};

struct recorder;

struct writer {
	enum writer_kind kind;
	struct strbuf *out;
	struct qp qp;
	struct spots *spots;	   /* NULL = nobody asks */
	struct recorder *recorder; /* of a WRITER_FRAME: takes what is written */

	/* Of the text part: */
	struct strbuf line;   /* as far as it has come */
	struct strbuf filled; /* scratch */
	bool blank;	      /* the line before is, or there is none */
	bool after_card;      /* a card has ended its line itself */
};

/* Memory that is short is known to the arena. */
void spots_add(struct spots *s, const struct spot *spot);
void spots_add_step(struct spots *s, size_t start, size_t at, size_t room);

void writer_init(struct writer *w, enum writer_kind kind, struct strbuf *out);
void writer_release(struct writer *w);
/* Of the text part: end the line with what it has, filled behind an indentation; OWN_INDENT = as it begins itself. */
#define OWN_INDENT SIZE_MAX
void writer_end_line(struct writer *w, size_t indent);
/* What was written so far is all: the last line is ended. */
void writer_end(struct writer *w);

/* Text of a template, or a number. */
void writer_add(struct writer *w, const char *text, size_t len);
/* The same, which is at hand as quoted-printable for QP_CARD_COLUMNS too. */
void writer_add_coded(
    struct writer *w, const char *text, size_t len, const char *coded, size_t coded_len);
/* Bytes of the HTML part from the start of a line on, and the column behind them. False where that is not where it stands; then
 * nothing is written. */
bool writer_add_run(struct writer *w, const char *bytes, size_t len, unsigned column);
/* A string, escaped. */
void writer_add_value(struct writer *w, enum template_escape escape, const struct value *string);
void writer_add_escaped(
    struct writer *w, enum template_escape escape, const char *text, size_t len);
/* A value that is ready: a card at its place, which is a struct placed_card and always goes in as it is; what the recorder
 * knows in a WRITER_FRAME. */
void writer_add_ready(struct writer *w, enum template_escape escape, bool raw, const void *ready);

#endif
