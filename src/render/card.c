#include "render/card.h"

#include "digest/limits.h"
#include "render/fill.h"

#include <string.h>

static const char blanks[CARD_INDENT + 1] = "     ";

static void *
copy_of(struct arena *a, const void *items, size_t n, size_t size)
{
	void *copy = arena_array(a, n, size);

	if (copy != NULL && n > 0)
		memcpy(copy, items, n * size);
	return copy;
}

struct card *
card_copy(struct arena *a, const struct card *card)
{
	struct card *copy = copy_of(a, card, 1, sizeof(*card));

	if (copy == NULL)
		return NULL;
	copy->bytes = arena_strndup(a, card->bytes, card->len);
	copy->spots = copy_of(a, card->spots, card->nspots, sizeof(*card->spots));
	copy->steps = NULL;
	if (card->nspots > 0) {
		const struct spot *last = &card->spots[card->nspots - 1];

		copy->steps =
		    copy_of(a, card->steps, last->first_step + last->nsteps, sizeof(*card->steps));
	}
	copy->plain = NULL;
	copy->lines = copy_of(a, card->lines, card->nlines, sizeof(*card->lines));
	if (card->nlines > 0) {
		const struct card_line *last = &card->lines[card->nlines - 1];

		copy->plain = arena_strndup(a, card->plain, last->start + last->len);
	}
	if (copy->bytes == NULL || copy->spots == NULL || copy->lines == NULL ||
	    (copy->steps == NULL && card->nspots > 0) || (copy->plain == NULL && card->nlines > 0))
		return NULL;
	return copy;
}

struct card *
card_of_html(struct arena *a, struct strbuf *html, const struct spots *spots)
{
	struct card *card = arena_zalloc(a, sizeof(*card));

	if (card == NULL || a->failed)
		return NULL;
	/* The line ends behind a card are its place's; it ends in a soft break. */
	while (html->len >= 2 && memcmp(html->buf + html->len - 2, "\r\n", 2) == 0 &&
	    (html->len == 2 || html->buf[html->len - 3] != '='))
		strbuf_truncate(html, html->len - 2);
	if (html->len > 0 && html->buf[html->len - 1] != '\n')
		strbuf_add(html, "=\r\n");
	if (html->state != STRBUF_OK)
		return NULL;
	card->len = html->len;
	card->bytes = arena_strndup(a, html->buf, html->len);
	card->spots = spots->items;
	card->nspots = spots->len;
	card->steps = spots->steps;
	return card->bytes != NULL ? card : NULL;
}

/* Fill the lines of what a template wrote; returns how many there are, of several blank ones one. */
static size_t
fill_lines(struct writer *w, const char *text, size_t len, struct card_line *lines)
{
	size_t nlines = 0;

	for (size_t start = 0, n; start <= len; start += n + 1) {
		const char *newline = memchr(text + start, '\n', len - start);
		size_t used;

		n = (newline != NULL ? (size_t)(newline - text) : len) - start;
		used = fill_trimmed(text + start, n);
		if (used == 0 && nlines > 0 && lines[nlines - 1].len == 0)
			continue;
		lines[nlines] = (struct card_line){ start, used, w->out->len };
		if (nlines++ == 0)
			strbuf_add(&w->line, blanks);
		strbuf_addn(&w->line, text + start, used);
		writer_end_line(w, nlines == 1 ? CARD_INDENT : OWN_INDENT);
	}
	return nlines;
}

struct card *
card_of_text(struct arena *a, struct strbuf *text, const struct spots *spots)
{
	struct card *card = arena_zalloc(a, sizeof(*card));
	size_t len = fill_trimmed(text->buf, text->len), nlines = 1;
	struct card_line *lines;
	struct strbuf bytes;
	struct writer w;

	for (size_t i = 0; i < len; i++)
		nlines += text->buf[i] == '\n';
	lines = arena_array(a, nlines, sizeof(*lines));
	if (card == NULL || lines == NULL || a->failed)
		return NULL;
	strbuf_init(&bytes, MAX_RENDER_BYTES);
	writer_init(&w, WRITER_TEXT, &bytes);
	card->nlines = fill_lines(&w, text->buf, len, lines);
	writer_release(&w);
	if (bytes.state == STRBUF_OK) {
		/* The blanks that stood for the indentation are the place's. */
		card->len = bytes.len - CARD_INDENT;
		card->bytes = arena_strndup(a, bytes.buf + CARD_INDENT, card->len);
	}
	for (size_t i = 1; i < card->nlines; i++)
		lines[i].at -= CARD_INDENT;
	strbuf_release(&bytes);
	card->plain = arena_strndup(a, text->buf, len);
	card->lines = lines;
	card->spots = spots->items;
	card->nspots = spots->len;
	return card->bytes != NULL && card->plain != NULL ? card : NULL;
}

/*
 * The next mark in a spot that begins at or behind `from`, cut to the spot; marks may overlap and be out of all bounds.
 * Returns false when there is none.
 */
static bool
next_mark(const struct placed_card *p, const struct spot *spot, size_t *i, size_t from,
    size_t *start, size_t *end)
{
	for (; *i < p->nmarks; ++*i) {
		const struct paper_mark *m = &p->marks[*i];

		*start = m->start > from ? m->start : from;
		*end = m->end < spot->start + spot->len ? m->end : spot->start + spot->len;
		if (m->text == spot->text && *start < *end) {
			++*i;
			return true;
		}
	}
	return false;
}

/* Where a byte of the paper's text stands in the card. */
static const char *
find_byte(const struct card *card, const struct spot *spot, size_t start)
{
	const struct spot_step *steps = card->steps + spot->first_step;
	size_t low = 0, high = spot->nsteps, at;
	const char *p, *end = card->bytes + card->len;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (steps[middle].start <= start)
			low = middle;
		else
			high = middle;
	}
	p = card->bytes + steps[low].at;
	for (at = steps[low].start; at < start && p < end;) {
		size_t n;

		p = qp_skip_html(p, end, &n);
		at += n;
	}
	return p;
}

void
card_add_html(struct writer *w, const struct placed_card *placed)
{
	const struct card *card = placed->card;
	const char *at = card->bytes, *end = at + card->len;

	qp_break(&w->qp);
	for (size_t k = 0; k < card->nspots && placed->nmarks > 0; k++) {
		const struct spot *spot = &card->spots[k];
		size_t i = 0, start, stop, from = spot->start;

		while (next_mark(placed, spot, &i, from, &start, &stop)) {
			const char *open = find_byte(card, spot, start);
			const char *close = find_byte(card, spot, stop);

			qp_add_ready(&w->qp, at, (size_t)(open - at));
			qp_add_ready(&w->qp, placed->style->open, strlen(placed->style->open));
			qp_add_ready(&w->qp, open, (size_t)(close - open));
			qp_add_ready(&w->qp, placed->style->close, strlen(placed->style->close));
			at = close;
			from = stop;
		}
	}
	qp_add_ready(&w->qp, at, (size_t)(end - at));
}

/*
 * The line of the card as it was before it was filled, with its marks, in w->line; what is ready before it is put in first.
 * Returns false, and does nothing, when nothing is marked in it.
 */
static bool
add_marked_line(
    struct writer *w, const struct placed_card *placed, const struct card_line *line, size_t *ready)
{
	const struct card *card = placed->card;
	size_t at = line->start, end = line->start + line->len, start, stop;

	for (size_t k = 0; k < card->nspots; k++) {
		const struct spot *spot = &card->spots[k];
		size_t i = 0, from = spot->start;

		if (spot->at < line->start || spot->at >= end)
			continue;
		while (next_mark(placed, spot, &i, from, &start, &stop)) {
			size_t open = spot->at + (start - spot->start);
			size_t close = spot->at + (stop - spot->start);

			/* Blanks at the end of a line are gone. */
			close = close < end ? close : end;
			if (open >= close)
				continue;
			if (at == line->start && line->at > *ready) {
				strbuf_addn(w->out, card->bytes + *ready, line->at - *ready);
				w->qp.column = 0;
			}
			strbuf_addn(&w->line, card->plain + at, open - at);
			strbuf_add(&w->line, placed->style->open);
			strbuf_addn(&w->line, card->plain + open, close - open);
			strbuf_add(&w->line, placed->style->close);
			at = close;
			from = stop;
		}
	}
	if (at == line->start)
		return false;
	strbuf_addn(&w->line, card->plain + at, end - at);
	return true;
}

/* The first line where no ready one fits: behind another indentation, or with nothing of its own. */
static void
add_first_line(struct writer *w, const struct card *card, size_t indent)
{
	strbuf_addn(&w->line, card->plain + card->lines[0].start, card->lines[0].len);
	strbuf_truncate(&w->line, fill_trimmed(w->line.buf, w->line.len));
	writer_end_line(w, indent < w->line.len ? indent : w->line.len);
}

void
card_add_text(struct writer *w, const struct placed_card *placed)
{
	const struct card *card = placed->card;
	size_t indent = fill_indent(w->line.buf),
	       ready = 0; /* of the card's bytes, what was put in */
	bool fits = indent == CARD_INDENT && w->line.len == CARD_INDENT && card->lines[0].len > 0;

	for (size_t i = 0; i < card->nlines; i++) {
		const struct card_line *line = &card->lines[i];
		size_t end = i + 1 < card->nlines ? line[1].at : card->len;

		if (placed->nmarks > 0 && add_marked_line(w, placed, line, &ready)) {
			writer_end_line(w, i == 0 ? indent : OWN_INDENT);
			ready = end;
		} else if (i == 0 && !fits) {
			add_first_line(w, card, indent);
			ready = end;
		} else if (i == 0) {
			qp_add(&w->qp, w->line.buf, w->line.len);
			strbuf_reset(&w->line);
		}
	}
	strbuf_addn(w->out, card->bytes + ready, card->len - ready);
	w->qp.column = 0;
	w->blank = false;
	w->after_card = true;
}
