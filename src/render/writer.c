#include "render/writer.h"

#include "digest/limits.h"
#include "render/card.h"
#include "render/escape.h"
#include "render/fill.h"
#include "render/frame.h"

#include <string.h>

void
writer_init(struct writer *w, enum writer_kind kind, struct strbuf *out)
{
	memset(w, 0, sizeof(*w));
	w->kind = kind;
	w->out = out;
	w->qp = (struct qp){ out, 0, QP_COLUMNS };
	w->blank = true;
	strbuf_init(&w->line, MAX_RENDER_BYTES);
	strbuf_init(&w->filled, MAX_RENDER_BYTES);
}

void
writer_release(struct writer *w)
{
	strbuf_release(&w->line);
	strbuf_release(&w->filled);
}

void
writer_end_line(struct writer *w, size_t indent)
{
	struct strbuf *filled = &w->line;

	if (!fill_fits(w->line.buf, w->line.len, FILL_WIDTH)) {
		filled = &w->filled;
		strbuf_reset(filled);
		fill_add_line(filled, w->line.buf, w->line.len,
		    indent == OWN_INDENT ? fill_indent(w->line.buf) : indent, FILL_WIDTH);
	}
	/* A scratch text that could not grow makes the whole fail. */
	if (w->line.state != STRBUF_OK)
		w->out->state = w->line.state;
	else if (w->filled.state != STRBUF_OK)
		w->out->state = w->filled.state;
	qp_add(&w->qp, filled->buf, filled->len);
	qp_add(&w->qp, "\n", 1);
	strbuf_reset(&w->line);
}

/* A line of the template is complete. Blanks at its end go, and of several blank lines one stays. */
static void
end_template_line(struct writer *w)
{
	size_t used = fill_trimmed(w->line.buf, w->line.len);
	bool skip;

	strbuf_truncate(&w->line, used);
	skip = used == 0 && (w->blank || w->after_card);
	if (!skip) {
		w->blank = used == 0;
		writer_end_line(w, OWN_INDENT);
	}
	w->after_card = false;
}

static void
add_text(struct writer *w, const char *text, size_t len)
{
	const char *end = text + len;

	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));

		strbuf_addn(&w->line, text, (size_t)((newline != NULL ? newline : end) - text));
		if (newline == NULL)
			break;
		end_template_line(w);
		text = newline + 1;
	}
}

void
writer_end(struct writer *w)
{
	if (w->kind == WRITER_TEXT && w->line.len > 0)
		end_template_line(w);
	else if (w->kind == WRITER_HTML && w->qp.column > 0)
		qp_add(&w->qp, "\n", 1);
}

void
writer_add(struct writer *w, const char *text, size_t len)
{
	switch (w->kind) {
	case WRITER_PLAIN:
		strbuf_addn(w->out, text, len);
		break;
	case WRITER_HTML:
		qp_add(&w->qp, text, len);
		break;
	case WRITER_TEXT:
		add_text(w, text, len);
		break;
	case WRITER_FRAME:
		recorder_add(w->recorder, text, len);
		break;
	}
}

void
writer_add_coded(
    struct writer *w, const char *text, size_t len, const char *coded, size_t coded_len)
{
	if (w->kind == WRITER_HTML)
		qp_add_ready(&w->qp, coded, coded_len);
	else if (w->kind == WRITER_FRAME)
		recorder_add_coded(w->recorder, text, len, coded, coded_len);
	else
		writer_add(w, text, len);
}

bool
writer_add_run(struct writer *w, const char *bytes, size_t len, unsigned column)
{
	if (w->kind != WRITER_HTML || w->qp.column > 0 || w->qp.columns != QP_COLUMNS)
		return false;
	strbuf_addn(w->out, bytes, len);
	w->qp.column = column;
	return true;
}

void
writer_add_escaped(struct writer *w, enum template_escape escape, const char *text, size_t len)
{
	struct strbuf *to = w->kind == WRITER_TEXT ? &w->line : w->out;

	if (w->kind == WRITER_FRAME)
		recorder_add_escaped(w->recorder, escape, text, len);
	else if (w->kind == WRITER_HTML && escape == TEMPLATE_HTML)
		qp_add_html(&w->qp, text, len);
	else if (escape == TEMPLATE_HTML)
		escape_add_html(to, text, len);
	else if (escape == TEMPLATE_HEADER)
		escape_add_header(to, text, len);
	else
		writer_add(w, text, len);
}

void
spots_add_step(struct spots *s, size_t start, size_t at, size_t room)
{
	struct spot_step *steps =
	    arena_grow(s->a, s->steps, s->nsteps, &s->steps_alloc, sizeof(*s->steps));

	if (steps == NULL)
		return;
	s->steps = steps;
	s->steps[s->nsteps++] = (struct spot_step){ (uint32_t)start, (uint32_t)at, (uint32_t)room };
}

void
spots_add(struct spots *s, const struct spot *spot)
{
	struct spot *items = arena_grow(s->a, s->items, s->len, &s->alloc, sizeof(*s->items));

	if (items == NULL)
		return;
	s->items = items;
	s->items[s->len++] = *spot;
}

/* The bytes of a paper's text itself, and where they went. */
static void
add_spotted(
    struct writer *w, enum template_escape escape, const char *text, size_t len, struct spot *spot)
{
	spot->at = (uint32_t)w->out->len;
	spot->len = (uint32_t)len;
	spot->first_step = (uint32_t)w->spots->nsteps;
	for (size_t i = 0, n; i < len; i += n) {
		n = len - i < STEP_BYTES ? len - i : STEP_BYTES;
		while (i + n < len && ((unsigned char)text[i + n] & 0xc0) == 0x80)
			n++;
		if (w->kind == WRITER_HTML)
			spots_add_step(w->spots, spot->start + i, w->out->len, UINT32_MAX);
		writer_add_escaped(w, escape, text + i, n);
	}
	spot->nsteps = (uint32_t)w->spots->nsteps - spot->first_step;
	spots_add(w->spots, spot);
}

void
writer_add_value(struct writer *w, enum template_escape escape, const struct value *string)
{
	const struct value_origin *from = w->spots != NULL ? value_origin(string) : NULL;
	const char *text = value_text(string);
	size_t len = strlen(text);
	struct spot spot;

	if (from == NULL || from->before + from->after > len) {
		writer_add_escaped(w, escape, text, len);
		return;
	}
	spot = (struct spot){ .text = from->text, .start = (uint32_t)from->start };
	writer_add_escaped(w, escape, text, from->before);
	add_spotted(w, escape, text + from->before, len - from->before - from->after, &spot);
	writer_add_escaped(w, escape, text + len - from->after, from->after);
}

void
writer_add_ready(struct writer *w, enum template_escape escape, bool raw, const void *ready)
{
	switch (w->kind) {
	case WRITER_PLAIN:
		break;
	case WRITER_HTML:
		card_add_html(w, ready);
		break;
	case WRITER_TEXT:
		card_add_text(w, ready);
		break;
	case WRITER_FRAME:
		recorder_add_hole(w->recorder, escape, raw, ready);
		break;
	}
}
