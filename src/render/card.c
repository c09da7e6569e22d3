#include "render/card.h"

#include "digest/limits.h"
#include "digest/text.h"
#include "render/fill.h"

#include <string.h>

static const char card_blanks[CARD_INDENT + 1] = "     ";

/* Move `at` behind a copy, which begins there. */
static const void *
put_copy(unsigned char **at, const void *bytes, size_t len)
{
	void *copy = *at;

	if (len > 0)
		memcpy(copy, bytes, len);
	*at += len;
	return copy;
}

static size_t
count_steps(const struct card *card)
{
	const struct spot *last = card->nspots > 0 ? &card->spots[card->nspots - 1] : NULL;

	return last != NULL ? last->first_step + last->nsteps : 0;
}

struct card *
card_copy(struct arena *a, const struct card *card)
{
	size_t spots = card->nspots * sizeof(*card->spots);
	size_t steps = count_steps(card) * sizeof(*card->steps);
	unsigned char *at =
	    arena_alloc(a, sizeof(*card) + spots + steps + card->len + card->first_len);
	struct card *copy = (struct card *)(void *)at;

	if (at == NULL)
		return NULL;
	*copy = *card;
	at += sizeof(*card);
	copy->spots = put_copy(&at, card->spots, spots);
	copy->steps = put_copy(&at, card->steps, steps);
	copy->bytes = put_copy(&at, card->bytes, card->len);
	copy->first = put_copy(&at, card->first, card->first_len);
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
	card->first = "";
	return card->bytes != NULL ? card : NULL;
}

/* A text card on its way from what a template wrote, plain, to lines that are filled and encoded. */
struct filling {
	const char *plain;
	struct writer w;       /* out: the card's bytes */
	struct strbuf filled;  /* of one line */
	struct spots from, to; /* in plain; in the card's bytes */
	size_t spot;	       /* of from, the one under way or next */
	size_t last;	       /* in plain, where its last step is */
	size_t room;	       /* of the line under way, see struct spot_step */
};

/* The spot that a byte of plain is in, or that follows it; NULL = there is none. */
static const struct spot *
find_spot(struct filling *f, size_t at)
{
	const struct spot *items = f->from.items;

	while (f->spot < f->from.len && items[f->spot].at + items[f->spot].len <= at)
		f->spot++;
	return f->spot < f->from.len ? &items[f->spot] : NULL;
}

static bool
is_in_spot(struct filling *f, size_t at)
{
	const struct spot *s = find_spot(f, at);

	return s != NULL && at >= s->at;
}

/* The next byte of plain behind `at` whose place is to be noted, unless it moves. */
static size_t
next_step(struct filling *f, size_t at)
{
	const struct spot *s = find_spot(f, at);
	size_t next = f->last + STEP_BYTES;

	if (s == NULL)
		return SIZE_MAX;
	if (at < s->at)
		return s->at;
	if (f->spot + 1 < f->from.len && s[1].at < next)
		next = s[1].at;
	return next > at ? next : at + 1;
}

/* A byte of plain is next to be written, the first of a spot or one whose place those before do not tell. */
static void
note_step(struct filling *f, size_t at)
{
	const struct spot *s = find_spot(f, at);
	size_t start = s->start + (at - s->at);

	while (f->to.len < f->spot && !f->to.a->failed) /* one of blanks alone has no place */
		spots_add(&f->to, &(struct spot){ .text = s->text });
	if (f->to.len == f->spot)
		spots_add(&f->to,
		    &(struct spot){ .text = s->text,
			.start = (uint32_t)start,
			.len = (uint32_t)(s->start + s->len - start),
			.at = (uint32_t)f->w.out->len,
			.first_step = (uint32_t)f->to.nsteps });
	if (f->to.len == f->spot + 1) { /* or memory is short */
		spots_add_step(&f->to, start, f->w.out->len, f->room);
		f->to.items[f->spot].nsteps++;
	}
	f->last = at;
}

/* Whether it is; moved: it does not stand right behind the byte before it. */
static bool
is_step(struct filling *f, size_t at, bool moved)
{
	if (!is_in_spot(f, at) || ((unsigned char)f->plain[at] & 0xc0) == 0x80)
		return false;
	return moved || f->to.len <= f->spot || at >= f->last + STEP_BYTES;
}

/* A run of blanks may have become one, or a line end and an indentation; a line may also end where none was. */
static size_t
blanks_at(const char *text, size_t at, size_t end, bool line_ends)
{
	size_t n = 0;

	while (at + n < end && (text[at + n] == ' ' || (line_ends && text[at + n] == '\n')))
		n++;
	return n;
}

/* What marks may add to the line that begins there; they do not move where lines end. */
static size_t
room_of(const char *line, size_t len)
{
	const char *newline = memchr(line, '\n', len);
	size_t width = text_width(line, newline != NULL ? (size_t)(newline - line) : len);

	return width < FILL_WIDTH ? FILL_WIDTH - width : 0;
}

/* Encode a filled line, of which `skip` bytes are not in plain. */
static void
add_filled(struct filling *f, const char *filled, size_t len, size_t skip, size_t start, size_t end)
{
	size_t at = start, written = 0;
	bool moved = true;

	f->room = room_of(filled, len);
	for (size_t i = skip, stop; i < len && at < end;) {
		size_t blanks = blanks_at(filled, i, len, true);
		size_t were = blanks_at(f->plain, at, end, false);
		const char *newline = memchr(filled + i, '\n', blanks);

		if (newline != NULL)
			f->room = room_of(newline + 1, len - (size_t)(newline + 1 - filled));
		moved = moved || blanks != were || newline != NULL;
		i += blanks;
		at += were;
		if (i == len || at == end)
			break;
		if (is_step(f, at, moved)) {
			qp_add(&f->w.qp, filled + written, i - written);
			written = i;
			note_step(f, at);
			moved = false;
		}
		/* In the middle of a character no step can be. */
		stop = moved && is_in_spot(f, at) ? at + 1 : next_step(f, at);
		stop = stop < end ? stop : end;
		do {
			i++;
			at++;
		} while (i < len && at < stop && (unsigned char)filled[i] > ' ');
	}
	qp_add(&f->w.qp, filled + written, len - written);
	qp_add(&f->w.qp, "\n", 1);
}

/* A line of plain; the first one stands behind the indentation of its place. */
static void
add_line(struct filling *f, size_t start, size_t len)
{
	bool first = f->w.out->len == 0;
	struct strbuf *line = &f->w.line, *filled = line;
	const struct spot *spot = find_spot(f, start);
	size_t width =
	    FILL_WIDTH - (spot != NULL && spot->at < start + len ? (size_t)CARD_MARK_ROOM : 0);

	strbuf_reset(line);
	strbuf_add(line, first ? card_blanks : "");
	strbuf_addn(line, f->plain + start, len);
	if (!fill_fits(line->buf, line->len, width)) {
		filled = &f->filled;
		strbuf_reset(filled);
		fill_add_line(filled, line->buf, line->len,
		    first ? CARD_INDENT : fill_indent(line->buf), width);
	}
	if (line->state != STRBUF_OK || filled->state != STRBUF_OK)
		f->w.out->state = line->state != STRBUF_OK ? line->state : filled->state;
	else
		add_filled(
		    f, filled->buf, filled->len, first ? CARD_INDENT : 0, start, start + len);
}

/* All lines, of several blank ones one. */
static void
add_lines(struct filling *f, size_t len, struct card *card)
{
	bool blank = false;

	for (size_t start = 0, n; start <= len; start += n + 1) {
		const char *newline = memchr(f->plain + start, '\n', len - start);
		size_t used;

		n = (newline != NULL ? (size_t)(newline - f->plain) : len) - start;
		used = fill_trimmed(f->plain + start, n);
		if (used == 0 && blank)
			continue;
		blank = used == 0;
		add_line(f, start, used);
		if (start == 0) {
			card->first_len = used;
			card->second = f->w.out->len;
		}
	}
}

struct card *
card_of_text(struct arena *a, struct strbuf *text, const struct spots *spots)
{
	struct card *card = arena_zalloc(a, sizeof(*card));
	struct filling f = { .plain = text->buf, .from = *spots, .to = { .a = a } };
	struct strbuf bytes;

	if (card == NULL || a->failed || text->state != STRBUF_OK)
		return NULL;
	strbuf_init(&bytes, MAX_RENDER_BYTES);
	strbuf_init(&f.filled, MAX_RENDER_BYTES);
	writer_init(&f.w, WRITER_TEXT, &bytes);
	f.w.qp.columns = QP_CARD_COLUMNS;
	add_lines(&f, fill_trimmed(text->buf, text->len), card);
	card->first = arena_strndup(a, text->buf, card->first_len);
	/* The blanks that stood for the indentation are the place's. */
	if (bytes.state == STRBUF_OK) {
		card->len = bytes.len - CARD_INDENT;
		card->bytes = arena_strndup(a, bytes.buf + CARD_INDENT, card->len);
		card->second -= CARD_INDENT;
	}
	for (size_t i = 0; i < f.to.nsteps; i++)
		f.to.steps[i].at -= CARD_INDENT;
	card->spots = f.to.items;
	card->nspots = f.to.len;
	card->steps = f.to.steps;
	writer_release(&f.w);
	strbuf_release(&f.filled);
	strbuf_release(&bytes);
	return card->bytes != NULL && card->first != NULL && !a->failed ? card : NULL;
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

/* The last step at or before a byte of the paper's text; is_end: before it. Steps are about as far from each other. */
static const struct spot_step *
find_step(const struct card *card, const struct spot *spot, size_t start, bool is_end)
{
	const struct spot_step *steps = card->steps + spot->first_step;
	size_t i = (start - spot->start) * spot->nsteps / (spot->len + 1);

	while (i > 0 && steps[i].start + is_end > start)
		i--;
	while (i + 1 < spot->nsteps && steps[i + 1].start + is_end <= start)
		i++;
	return &steps[i];
}

/* Where a byte of the paper's text stands, or as an end what stands behind the byte before it. */
static const char *
find_byte(const struct card *card, const struct spot_step *step, size_t start, bool html)
{
	const char *p = card->bytes + step->at, *end = card->bytes + card->len;

	for (size_t at = step->start, n; at < start && p < end && *p != '\r'; at += n)
		p = qp_skip(p, end, html, &n);
	return p;
}

/* Whether a line ends there; a soft break ends none. */
static bool
has_line_end(const char *from, const char *to)
{
	for (const char *p = from; (p = memchr(p, '\n', (size_t)(to - p))) != NULL; p++)
		if (p - from < 2 || p[-2] != '=')
			return true;
	return false;
}

/* The card from `at` on with its marks, as many as its lines have room for. */
static void
add_marked(struct writer *w, const struct placed_card *placed, const char *at, bool html)
{
	const struct card *card = placed->card;
	const struct mark_style *style = placed->style;
	const char *end = card->bytes + card->len;
	size_t used = 0; /* columns, of the line under way */

	for (size_t k = 0; k < card->nspots && placed->nmarks > 0; k++) {
		const struct spot *spot = &card->spots[k];
		size_t i = 0, start, stop, from = spot->start;

		while (spot->nsteps > 0 && next_mark(placed, spot, &i, from, &start, &stop)) {
			const struct spot_step *step = find_step(card, spot, start, false);
			const char *open = find_byte(card, step, start, html), *close;

			close = find_byte(card, find_step(card, spot, stop, true), stop, html);
			from = stop;
			if (open < at || close <= open)
				continue;
			if (used > 0 && has_line_end(at, open))
				used = 0;
			if (used + style->columns > step->room)
				continue;
			used += style->columns;
			qp_add_ready(&w->qp, at, (size_t)(open - at));
			qp_add_ready(&w->qp, style->open, style->open_len);
			qp_add_ready(&w->qp, open, (size_t)(close - open));
			qp_add_ready(&w->qp, style->close, style->close_len);
			at = close;
		}
	}
	qp_add_ready(&w->qp, at, (size_t)(end - at));
}

void
card_add_html(struct writer *w, const struct placed_card *placed)
{
	qp_break(&w->qp);
	add_marked(w, placed, placed->card->bytes, true);
}

/* The first line where no ready one fits: behind another indentation, or with nothing of its own. */
static void
add_first_line(struct writer *w, const struct card *card, size_t indent)
{
	strbuf_addn(&w->line, card->first, card->first_len);
	strbuf_truncate(&w->line, fill_trimmed(w->line.buf, w->line.len));
	writer_end_line(w, indent < w->line.len ? indent : w->line.len);
}

void
card_add_text(struct writer *w, const struct placed_card *placed)
{
	const struct card *card = placed->card;
	size_t indent = fill_indent(w->line.buf), ready = 0;

	if (indent == CARD_INDENT && w->line.len == CARD_INDENT && card->first_len > 0) {
		qp_add(&w->qp, w->line.buf, w->line.len);
		strbuf_reset(&w->line);
	} else {
		add_first_line(w, card, indent);
		ready = card->second;
	}
	add_marked(w, placed, card->bytes + ready, false);
	w->blank = false;
	w->after_card = true;
}
