#include "render/card.h"
#include "render/frame.h"
#include "render/parts.h"
#include "render/program.h"
#include "digest/limits.h"
#include "digest/render.h"
#include "digest/text.h"

#include <stdint.h>
#include <string.h>

enum { MAX_SUBJECT_BYTES = 1000 };

/* The two parts of a mail: which templates draw them, and how many bytes they may hold, encoded. */
struct part {
	const char *digest;
	const char *cards[CARD_NONE]; /* by size */
	const char *more; /* the words for papers of which not even the section is left */
	size_t max_bytes;
	enum writer_kind kind;
};

static const struct part html_part = { "digest.html",
	{ "card.html", "card.html", "card-line.html" }, "more-papers-plain", MAX_HTML_BYTES,
	WRITER_HTML };
static const struct part text_part = { "digest.txt", { "card.txt", "card.txt", "card-line.txt" },
	"more-papers", MAX_TEXT_BYTES, WRITER_TEXT };
/* For the context alone: nothing is drawn. */
static const struct part no_part = { NULL, { NULL, NULL, NULL }, "more-papers", SIZE_MAX,
	WRITER_PLAIN };

/* The items of one section are neighbours. */
struct block {
	struct value *value;
	size_t first, npicks;	/* in the edition's items */
	size_t first_cut, ncut; /* in its cuts */
	size_t more;		/* cut and not named */
};

struct edition {
	struct render *r;
	struct context c;
	struct error *err;
	struct value *value; /* the whole context */
	struct block *blocks;
	size_t nblocks;
	struct item *items, *cuts;
	size_t nitems, ncuts;
	size_t max_html_bytes;
};

/*
 * How far the cards are stepped down: from 0, everything is drawn in full, one paper more loses its abstract with each
 * step, by its rank; then one more becomes a line, but for the best; then the titles of cut papers go, then the lines. Where
 * even that is too much the best ones become lines and go, up to max_level(), where nothing is left of papers but their
 * number.
 */
static size_t
max_level(const struct edition *ed)
{
	return 3 * ed->nitems + ed->ncuts;
}

/* How many papers keep their sentence as long as any other is there. */
static size_t
count_best(const struct edition *ed)
{
	return ed->nitems < MAX_BEST_CARDS ? ed->nitems : MAX_BEST_CARDS;
}

/* The level at which all others are lines, and nothing is left out yet. */
static size_t
level_of_lines(const struct edition *ed)
{
	return 2 * ed->nitems - count_best(ed);
}

/* Of n things, how many the steps in level have reached that come after the first `before` ones. */
static size_t
reached(size_t at, size_t before, size_t n)
{
	if (at <= before)
		return 0;
	return at - before < n ? at - before : n;
}

static enum card_size
size_at(const struct edition *ed, size_t at, size_t i)
{
	size_t n = ed->nitems, best = count_best(ed), others = n - best;
	size_t from_end = n - ed->items[i].rank, end = level_of_lines(ed) + ed->ncuts + others;

	if (at == 0)
		return CARD_FULL;
	if (from_end > others) {
		if (from_end - others <= reached(at, end + best, best))
			return CARD_NONE;
		if (from_end - others <= reached(at, end, best))
			return CARD_LINE;
	} else {
		if (from_end <= reached(at, end - others, others))
			return CARD_NONE;
		if (from_end <= reached(at, n, others))
			return CARD_LINE;
	}
	return from_end <= reached(at, 0, n) ? CARD_SHORT : CARD_FULL;
}

static size_t
cuts_at(const struct edition *ed, size_t at)
{
	return ed->ncuts - reached(at, level_of_lines(ed), ed->ncuts);
}

static struct block *
add_block(struct edition *ed, const struct edition_view *view, const struct section_view *s)
{
	struct block *b = &ed->blocks[ed->nblocks++];

	b->value = context_section(&ed->c, view, s);
	b->first = ed->nitems;
	b->npicks = s->npicks;
	b->first_cut = ed->ncuts;
	b->ncut = s->ncut < MAX_CUT_TITLES ? s->ncut : MAX_CUT_TITLES;
	b->more = s->nmore + (s->ncut - b->ncut);
	return b;
}

static void
add_item(struct edition *ed, const struct section_view *s, struct item *item,
    const struct pick_view *pick, size_t number)
{
	item->pick = pick;
	item->filter = s->risen ? pick->filter : s->name;
	item->number = number;
	item->what = context_what(&ed->c, pick);
	if (item->what == NULL) {
		ed->c.a->failed = true;
		item->what = "";
	}
}

/* The best of each section are the last to shrink: first all first ones, then all second ones ... */
static void
rank_items(struct edition *ed)
{
	size_t rank = 0;

	for (size_t place = 0; rank < ed->nitems; place++)
		for (size_t i = 0; i < ed->nblocks; i++)
			if (place < ed->blocks[i].npicks)
				ed->items[ed->blocks[i].first + place].rank = rank++;
}

/* Build all values once; what depends on the level is set by lay_out(). */
static int
edition_init(struct edition *ed, struct render *r, const struct edition_view *view, struct arena *a,
    struct error *err)
{
	size_t npicks = 0, ncuts = 0;

	memset(ed, 0, sizeof(*ed));
	ed->r = r;
	ed->err = err;
	ed->c = (struct context){ a, set_find_words(r, view->subscriber->language) };
	ed->value = context_edition(&ed->c, view);
	for (size_t i = 0; i < view->nsections; i++) {
		npicks += view->sections[i].npicks;
		ncuts += view->sections[i].ncut;
	}
	ed->blocks = arena_array(a, view->nsections, sizeof(*ed->blocks));
	ed->items = arena_array(a, npicks, sizeof(*ed->items));
	ed->cuts = arena_array(a, ncuts, sizeof(*ed->cuts));
	if (ed->blocks == NULL || ed->items == NULL || ed->cuts == NULL)
		return err_nomem(err, "edition");
	for (size_t i = 0; i < view->nsections; i++) {
		const struct section_view *s = &view->sections[i];
		struct block *b = add_block(ed, view, s);

		for (size_t k = 0; k < b->npicks; k++, ed->nitems++)
			add_item(ed, s, &ed->items[ed->nitems], &s->picks[k], ed->nitems + 1);
		for (size_t k = 0; k < b->ncut; k++)
			add_item(ed, s, &ed->cuts[ed->ncuts++], &s->cut[k], 0);
	}
	rank_items(ed);
	ed->max_html_bytes = view->max_html_bytes > 0 ? view->max_html_bytes : html_part.max_bytes;
	return value_check(a, err);
}

/* What a card template sees. A short card is a full one without the rest of the abstract. */
static struct value *
card_data(struct edition *ed, const struct item *item, enum card_size size)
{
	struct arena *a = ed->c.a;
	struct value *data = value_object(a), *paper = context_paper(&ed->c, item->pick->paper);

	if (size == CARD_SHORT) {
		value_set_string(a, paper, "rest", "");
		value_set_string(a, paper, "marked_rest", "");
	}
	value_set(a, data, "paper", paper);
	value_set(a, data, "list", (struct value *)(uintptr_t)value_member(ed->value, "list", 4));
	value_set(a, data, "text", strings_value(ed->c.words));
	return data;
}

static const struct card *
draw_card(struct edition *ed, const struct part *part, const struct item *item, enum card_size size)
{
	const struct template *t = set_find_template(ed->r, part->cards[size]);
	struct value *data = card_data(ed, item, size);
	struct spots spots = { .a = ed->c.a };
	struct card *card = NULL;
	struct writer w;
	struct strbuf sb;

	if (value_check(ed->c.a, ed->err) == -1)
		return NULL;
	strbuf_init(&sb, MAX_RENDER_BYTES);
	/* Text is filled when all of a line is known. */
	writer_init(&w, part->kind == WRITER_HTML ? WRITER_HTML : WRITER_PLAIN, &sb);
	w.qp.columns = QP_CARD_COLUMNS;
	w.spots = &spots;
	if (template_write(t, data, set_find_template, ed->r, &w, ed->err) == 0) {
		card = part->kind == WRITER_HTML ? card_of_html(ed->c.a, &sb, &spots)
						 : card_of_text(ed->c.a, &sb, &spots);
		if (card == NULL)
			err_nomem(ed->err, "card");
	}
	writer_release(&w);
	strbuf_release(&sb);
	return card;
}

static struct card_key
key_of(
    const struct edition *ed, const struct part *part, const struct item *item, enum card_size size)
{
	return (struct card_key){ .paper = item->pick->id,
		.revision = item->pick->revision,
		.part = (uint16_t)part->kind,
		.size = (uint16_t)size,
		.words = ed->c.words };
}

/* A new card, unless another thread has drawn it meanwhile. */
static const struct card *
take_card(struct edition *ed, const struct part *part, const struct item *item, enum card_size size)
{
	const struct card_key key = key_of(ed, part, item, size);
	const struct card *card = draw_card(ed, part, item, size), *kept;

	if (card == NULL || key.paper == 0)
		return card;
	kept = cards_add(ed->r->cards, &key, card);
	return kept != NULL ? kept : card;
}

/* The card that was drawn for somebody before, if there is one. */
static void
find_card(struct edition *ed, const struct part *part, struct item *item, enum card_size size)
{
	const struct card_key key = key_of(ed, part, item, size);

	if (item->cards[size] == NULL && key.paper != 0)
		item->cards[size] = cards_find(ed->r->cards, &key);
	if (item->cards[size] != NULL)
		__builtin_prefetch(item->cards[size]);
}

/* Cards come from far: ask for all of them, and memory brings the first ones while others are looked for. */
static void
find_cards(struct edition *ed, const struct part *part, size_t at)
{
	for (size_t i = 0; i < ed->nitems; i++)
		if (size_at(ed, at, i) != CARD_NONE)
			find_card(ed, part, &ed->items[i], size_at(ed, at, i));
	for (size_t i = 0; i < ed->ncuts; i++)
		find_card(ed, part, &ed->cuts[i], CARD_LINE);
}

/* The same for what is in it: it is copied when all are counted. */
static void
fetch_card(const struct card *card)
{
	__builtin_prefetch(card->spots);
	__builtin_prefetch(card->bytes);
	__builtin_prefetch(card->bytes + 64);
	__builtin_prefetch(card->bytes + card->len);
}

/* Let the item have its card of a size; counts the card's bytes. */
static int
place_item(struct edition *ed, const struct part *part, struct item *item, enum card_size size,
    size_t *bytes)
{
	item->is_line = size == CARD_LINE;
	if (part->digest == NULL)
		return 0;
	if (item->cards[size] == NULL &&
	    (item->cards[size] = take_card(ed, part, item, size)) == NULL)
		return -1;
	*bytes += item->cards[size]->len;
	fetch_card(item->cards[size]);
	item->placed = (struct placed_card){ .card = item->cards[size],
		.style = part->kind == WRITER_HTML ? &ed->r->html_mark : &ed->r->text_mark,
		.marks = item->pick->marks,
		.nmarks = item->pick->nmarks };
	return 0;
}

/* A list of items as templates see it. */
static struct value *
list_items(struct edition *ed, struct item *items, size_t n)
{
	struct shelf *shelf = arena_alloc(ed->c.a, sizeof(*shelf));

	if (shelf == NULL)
		return NULL;
	*shelf = (struct shelf){ ed->c, items };
	return value_list_of(ed->c.a, n, shelf_make_value, shelf);
}

/* The papers of one section at a level, of which the last ones are the first to go. */
static int
lay_out_block(
    struct edition *ed, const struct part *part, struct block *b, size_t at, size_t *bytes)
{
	size_t ncuts = cuts_at(ed, at), npapers = 0, ncut = 0;

	for (size_t i = 0; i < b->npicks && *bytes <= part->max_bytes; i++) {
		enum card_size size = size_at(ed, at, b->first + i);

		if (size == CARD_NONE)
			break;
		if (place_item(ed, part, &ed->items[b->first + i], size, bytes) == -1)
			return -1;
		npapers++;
	}
	for (size_t i = b->first_cut; i < b->first_cut + b->ncut && *bytes <= part->max_bytes;
	     i++) {
		if (i >= ncuts)
			break;
		if (place_item(ed, part, &ed->cuts[i], CARD_LINE, bytes) == -1)
			return -1;
		ncut++;
	}
	value_set_bool(ed->c.a, b->value, "has_cut", ncut > 0);
	value_set(ed->c.a, b->value, "papers", list_items(ed, ed->items + b->first, npapers));
	value_set(ed->c.a, b->value, "cut", list_items(ed, ed->cuts + b->first_cut, ncut));
	context_set_more(
	    &ed->c, b->value, "more", b->more + (b->npicks - npapers) + (b->ncut - ncut));
	return 0;
}

/*
 * Put the cards of a level into the context. A section of which nothing is left is told by a number at the end.
 * bytes	gets the size of the cards, or something above the part's bound when they alone exceed it
 */
static int
lay_out(struct edition *ed, const struct part *part, size_t at, size_t *bytes)
{
	struct value *sections = value_list(ed->c.a);
	struct value *about = (struct value *)(uintptr_t)value_member(ed->value, "edition", 7);
	size_t more = 0;

	*bytes = 0;
	for (size_t i = 0; i < ed->nblocks; i++) {
		struct block *b = &ed->blocks[i];

		if (lay_out_block(ed, part, b, at, bytes) == -1)
			return -1;
		if (value_count(value_member(b->value, "papers", 6)) > 0 ||
		    value_truth(value_member(b->value, "has_cut", 7)))
			value_append(ed->c.a, sections, b->value);
		else
			more += (size_t)value_integer(value_member(b->value, "more", 4));
	}
	context_set_more(&ed->c, about, part->more, more);
	value_set(ed->c.a, ed->value, "sections", sections);
	return 0;
}

/* Draw a part at a level: 1 = it fits, 0 = it is too large, -1 = error. */
static int
try_level(struct edition *ed, const struct part *part, size_t at, struct strbuf *out)
{
	const struct template *t = set_find_template(ed->r, part->digest);
	struct writer w;
	size_t bytes;
	int rc;

	strbuf_reset(out);
	out->max_bytes = part->max_bytes;
	find_cards(ed, part, at);
	if (lay_out(ed, part, at, &bytes) == -1)
		return -1;
	if (bytes > part->max_bytes)
		return 0;
	writer_init(&w, part->kind, out);
	rc = template_write(t, ed->value, set_find_template, ed->r, &w, ed->err);
	if (rc == 0) {
		writer_end(&w);
		rc = strbuf_check(out, ed->err);
	}
	writer_release(&w);
	if (rc == 0)
		return value_check(ed->c.a, ed->err) == 0 ? 1 : -1;
	if (out->state != STRBUF_TOO_LONG)
		return -1;
	if (ed->err != NULL)
		err_clear(ed->err);
	return 0;
}

/* The least stepping down that fits, by halving: at most 15 drawings of a part even for 5,000 papers. */
static int
fit(struct edition *ed, const struct part *part, size_t *at, struct strbuf *out)
{
	size_t low = *at, high = max_level(ed);
	int fits = try_level(ed, part, low, out);

	if (fits != 0)
		return fits == 1 ? 0 : -1;
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		fits = try_level(ed, part, middle, out);
		if (fits == -1)
			return -1;
		if (fits)
			high = middle;
		else
			low = middle;
	}
	fits = try_level(ed, part, high, out);
	if (fits == 0)
		return err_set(ed->err, ERR_CONFIG, "%s: more than %zu bytes without any paper",
		    part->digest, part->max_bytes);
	*at = high;
	return fits == 1 ? 0 : -1;
}

/* One line, whatever a template made of it. */
static int
draw_subject(struct edition *ed, struct strbuf *out)
{
	struct strbuf line;
	int rc;

	strbuf_init(&line, MAX_SUBJECT_BYTES);
	rc = render_template(ed->r, "subject.txt", ed->value, &line, ed->err);
	strbuf_reset(out);
	if (rc == 0)
		text_add_clean(out, line.buf, line.len, MAX_SUBJECT_BYTES);
	strbuf_release(&line);
	return rc == 0 ? strbuf_check(out, ed->err) : -1;
}

static void
forget_cards(struct edition *ed)
{
	for (size_t i = 0; i < ed->nitems; i++)
		memset(ed->items[i].cards, 0, sizeof(ed->items[i].cards));
	for (size_t i = 0; i < ed->ncuts; i++)
		memset(ed->cuts[i].cards, 0, sizeof(ed->cuts[i].cards));
}

static int
draw_html(struct edition *ed, struct rendered *out, size_t *at)
{
	struct part part = html_part;

	part.max_bytes = ed->max_html_bytes;
	if (fit(ed, &part, at, &out->html) == -1)
		return -1;
	out->nfull = out->nshort = out->nline = 0;
	for (size_t i = 0; i < ed->nitems; i++) {
		enum card_size size = size_at(ed, *at, i);

		out->nfull += size == CARD_FULL;
		out->nshort += size == CARD_SHORT;
		out->nline += size == CARD_LINE;
	}
	return 0;
}

/* The text part has the cards of the HTML part, and names the papers for which that had no room. */
static int
draw_text(struct edition *ed, struct strbuf *out, size_t at)
{
	if (at > level_of_lines(ed))
		at = level_of_lines(ed);
	forget_cards(ed);
	return fit(ed, &text_part, &at, out);
}

int
render_edition(struct render *r, const struct edition_view *view, struct arena *scratch,
    struct rendered *out, struct error *err)
{
	struct edition ed;
	size_t at = 0;

	if (edition_init(&ed, r, view, scratch, err) == -1 ||
	    draw_subject(&ed, &out->subject) == -1 || draw_html(&ed, out, &at) == -1)
		return -1;
	return draw_text(&ed, &out->text, at);
}

struct value *
render_context(struct render *r, const struct edition_view *view, struct arena *scratch)
{
	struct edition ed;
	size_t bytes;

	if (edition_init(&ed, r, view, scratch, NULL) == -1 ||
	    lay_out(&ed, &no_part, 0, &bytes) == -1)
		return NULL;
	return value_check(scratch, NULL) == 0 ? ed.value : NULL;
}

void
rendered_init(struct rendered *out)
{
	memset(out, 0, sizeof(*out));
	strbuf_init(&out->subject, MAX_SUBJECT_BYTES);
	strbuf_init(&out->html, MAX_HTML_BYTES);
	strbuf_init(&out->text, MAX_TEXT_BYTES);
}

void
rendered_release(struct rendered *out)
{
	strbuf_release(&out->subject);
	strbuf_release(&out->html);
	strbuf_release(&out->text);
}
