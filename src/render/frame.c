#include "render/frame.h"

#include "digest/limits.h"
#include "render/program.h"

#include <string.h>

enum step_kind {
	STEP_READY, /* bytes of the part itself: what stands before it is the start of a line */
	STEP_TEXT,
	STEP_VALUE,
	STEP_CARD,
};

enum hole_kind {
	HOLE_NONE, /* a text of the language stands there */
	HOLE_NUMBER,
	HOLE_NUMBER_TEXT,
	HOLE_WHAT,
	HOLE_STRIP,
	HOLE_CARD,
};

/* Where a text of the paper goes; the example that a frame is recorded with has these as values. */
struct hole {
	enum hole_kind kind;
	unsigned part; /* HOLE_STRIP: which one */
};

struct step {
	enum step_kind kind;
	const char *text;
	size_t len;
	const char *coded; /* STEP_TEXT: as quoted-printable, NULL = it is not at hand */
	size_t coded_len;
	unsigned column; /* STEP_READY: of the line under way behind it */
	struct hole hole;
	enum template_escape escape;
	bool raw;
};

struct frame {
	const struct step *steps;
	size_t nsteps;
};

/* The kinds of papers that a section can tell apart. */
enum { NKINDS = 8, KIND_LINE = 1, KIND_NUMBER = 2, KIND_WHAT = 4 };

struct frames {
	const struct frames *next; /* of the same section, for another language */
	const struct strings *words;
	enum writer_kind kind;
	struct {
		bool asks_strip;
		struct frame of[MAX_STRIP +
		    1]; /* by the parts it has; when they do not count the first alone */
	} kinds[NKINDS];
};

/* A frame while it is recorded. */
struct recorder {
	struct arena *a;
	enum writer_kind kind; /* of the part */
	struct step *steps;
	size_t nsteps, alloc;
	struct strbuf bytes; /* that were written since the last step */
	struct qp qp;	     /* into them, of HTML */
	bool known;	     /* how far the line has come, of HTML */
	bool strange;	     /* something was written that no frame can hold */
};

static void
add_step(struct recorder *rec, const struct step *step)
{
	struct step *steps =
	    arena_grow(rec->a, rec->steps, rec->nsteps, &rec->alloc, sizeof(*rec->steps));

	if (steps == NULL)
		return;
	rec->steps = steps;
	rec->steps[rec->nsteps++] = *step;
}

/* What was written since the last step becomes one. */
static void
end_bytes(struct recorder *rec)
{
	if (rec->bytes.len > 0)
		add_step(rec,
		    &(struct step){ .kind = rec->kind == WRITER_HTML ? STEP_READY : STEP_TEXT,
			.text = arena_strndup(rec->a, rec->bytes.buf, rec->bytes.len),
			.len = rec->bytes.len,
			.column = rec->qp.column });
	rec->strange = rec->strange || rec->bytes.state != STRBUF_OK;
	strbuf_reset(&rec->bytes);
}

/* A step of which only the writer can say how far it will bring the line, unless it ends it. */
static void
add_open_step(struct recorder *rec, const struct step *step, bool ends_line)
{
	end_bytes(rec);
	add_step(rec, step);
	rec->known = ends_line;
	rec->qp.column = 0;
}

void
recorder_add(struct recorder *rec, const char *text, size_t len)
{
	if (rec->kind == WRITER_TEXT)
		strbuf_addn(&rec->bytes, text, len);
	else if (rec->known)
		qp_add(&rec->qp, text, len);
	else if (len > 0)
		add_open_step(rec,
		    &(struct step){
			.kind = STEP_TEXT, .text = arena_strndup(rec->a, text, len), .len = len },
		    text[len - 1] == '\n');
}

void
recorder_add_coded(
    struct recorder *rec, const char *text, size_t len, const char *coded, size_t coded_len)
{
	if (rec->kind == WRITER_TEXT)
		recorder_add(rec, text, len);
	else if (rec->known)
		qp_add_ready(&rec->qp, coded, coded_len);
	else if (len > 0)
		add_open_step(rec,
		    &(struct step){ .kind = STEP_TEXT,
			.text = text,
			.len = len,
			.coded = coded,
			.coded_len = coded_len },
		    text[len - 1] == '\n');
}

/* In a template of the other part texts are escaped in other ways. */
static bool
is_own_escape(const struct recorder *rec, enum template_escape escape)
{
	return escape == (rec->kind == WRITER_HTML ? TEMPLATE_HTML : TEMPLATE_TEXT);
}

void
recorder_add_escaped(
    struct recorder *rec, enum template_escape escape, const char *text, size_t len)
{
	rec->strange = rec->strange || !is_own_escape(rec, escape);
	if (rec->kind == WRITER_TEXT)
		recorder_add(rec, text, len);
	else if (rec->known)
		qp_add_html(&rec->qp, text, len);
	else if (len > 0)
		add_open_step(rec,
		    &(struct step){ .kind = STEP_VALUE,
			.text = arena_strndup(rec->a, text, len),
			.len = len,
			.escape = escape },
		    false);
}

void
recorder_add_hole(struct recorder *rec, enum template_escape escape, bool raw, const void *hole)
{
	struct step step = { .hole = *(const struct hole *)hole, .escape = escape, .raw = raw };

	step.kind = step.hole.kind == HOLE_CARD ? STEP_CARD : STEP_VALUE;
	rec->strange =
	    rec->strange || (step.kind == STEP_VALUE && !raw && !is_own_escape(rec, escape));
	add_open_step(rec, &step, step.kind == STEP_CARD);
}

/* ---- recording ---- */

/* A paper of a kind, with holes for texts. */
struct example {
	struct arena *a;
	unsigned kind;
	size_t nstrip;
	bool asks_strip;
};

static struct value *
make_hole(struct arena *a, enum hole_kind kind, size_t part)
{
	struct hole *hole = arena_alloc(a, sizeof(*hole));

	if (hole == NULL)
		return NULL;
	*hole = (struct hole){ kind, (unsigned)part };
	return value_ready(a, hole);
}

/* What make_reasons() makes, but for what is no strip. */
static struct value *
make_strip(void *arg)
{
	struct example *e = arg;
	struct value *v = value_object(e->a), *strip = value_list(e->a);

	e->asks_strip = true;
	for (size_t i = 0; i < e->nstrip; i++) {
		struct value *part = value_object(e->a);

		value_set_bool(e->a, part, "sep", i > 0);
		value_set(e->a, part, "label", make_hole(e->a, HOLE_STRIP, i));
		value_set_string(e->a, part, "url", "");
		value_append(e->a, strip, part);
	}
	value_set(e->a, v, "strip", strip);
	value_set_bool(e->a, v, "has_strip", e->nstrip > 0);
	return v;
}

/* What context_pick() makes of such a paper, with its card. */
static struct value *
make_example(struct example *e)
{
	struct value *v = value_object(e->a);
	bool has_number = e->kind & KIND_NUMBER, has_what = e->kind & KIND_WHAT;

	value_set_base(v, make_strip, e);
	value_set(e->a, v, "number",
	    has_number ? make_hole(e->a, HOLE_NUMBER, 0) : value_number(e->a, 0));
	value_set(e->a, v, "number_text",
	    has_number ? make_hole(e->a, HOLE_NUMBER_TEXT, 0) : value_string(e->a, ""));
	value_set(
	    e->a, v, "what", has_what ? make_hole(e->a, HOLE_WHAT, 0) : value_string(e->a, ""));
	value_set(e->a, v, "card", make_hole(e->a, HOLE_CARD, 0));
	value_set_bool(e->a, v, "is_line", e->kind & KIND_LINE);
	return v;
}

/* False when the section asks for more than a frame has, or memory is short. */
static bool
record(struct render *r, const struct template *t, size_t section, struct frames *frames,
    struct example *e)
{
	struct recorder rec = { .a = &r->frames, .kind = frames->kind, .known = true };
	struct value *outer = value_object(e->a), *example = make_example(e);
	struct writer w;
	bool whole;

	strbuf_init(&rec.bytes, MAX_RENDER_BYTES);
	rec.qp = (struct qp){ &rec.bytes, 0, QP_COLUMNS };
	writer_init(&w, WRITER_FRAME, &rec.bytes);
	w.recorder = &rec;
	value_set(e->a, outer, "text", strings_value(frames->words));
	whole = !e->a->failed &&
	    template_write_item(t, section, outer, example, set_find_template, r, &w) == 0;
	end_bytes(&rec);
	writer_release(&w);
	strbuf_release(&rec.bytes);
	frames->kinds[e->kind].of[e->nstrip] = (struct frame){ rec.steps, rec.nsteps };
	return whole && !rec.strange && !e->a->failed && !r->frames.failed;
}

static bool
record_all(struct render *r, const struct template *t, size_t section, struct frames *frames,
    struct arena *scratch)
{
	for (unsigned kind = 0; kind < NKINDS; kind++) {
		struct example e = { .a = scratch, .kind = kind };

		do {
			arena_reset(scratch);
			if (!record(r, t, section, frames, &e))
				return false;
			frames->kinds[kind].asks_strip = e.asks_strip;
		} while (e.asks_strip && e.nstrip++ < MAX_STRIP);
	}
	return true;
}

/* Those of one section, for each language. */
static void
load_section(struct render *r, struct template *t, size_t section, struct arena *scratch)
{
	for (size_t i = 0; i < r->nfiles; i++) {
		struct frames *frames;

		if (r->words[i] == NULL ||
		    (frames = arena_zalloc(&r->frames, sizeof(*frames))) == NULL)
			continue;
		frames->words = r->words[i];
		frames->kind = t->escape == TEMPLATE_HTML ? WRITER_HTML : WRITER_TEXT;
		if (!record_all(r, t, section, frames, scratch))
			continue;
		frames->next = t->nodes[section].frames;
		t->nodes[section].frames = frames;
	}
}

void
frames_load(struct render *r)
{
	struct arena scratch;

	arena_init(&scratch, MAX_READER_BYTES);
	for (size_t i = 0; i < r->nfiles; i++) {
		struct template *t = r->compiled[i];

		for (size_t k = 0; t != NULL && k < t->nnodes; k++) {
			const struct node *n = &t->nodes[k];

			if (n->kind == NODE_SECTION &&
			    (strcmp(n->text, "papers") == 0 || strcmp(n->text, "cut") == 0))
				load_section(r, t, k, &scratch);
		}
	}
	arena_release(&scratch);
}

struct value *
shelf_make_value(void *arg, size_t i)
{
	const struct shelf *shelf = arg;
	const struct context *c = &shelf->c;
	const struct item *item = &shelf->items[i];
	struct value *v = context_pick(c, item->pick, item->filter, item->what, item->number);

	if (item->placed.card != NULL)
		value_set(c->a, v, "card", value_ready(c->a, &item->placed));
	value_set_bool(c->a, v, "is_line", item->is_line);
	return v;
}

/* ---- writing ---- */

const struct frames *
frames_find(const struct frames *first, const struct strings *words, enum writer_kind kind)
{
	while (first != NULL && (first->words != words || first->kind != kind))
		first = first->next;
	return first;
}

static void
write_value(struct writer *w, const struct step *step, const struct item *item)
{
	char number[NUMBER_TEXT_SIZE];
	const char *text = number;

	switch (step->hole.kind) {
	case HOLE_NUMBER:
		context_number_text(item->number, number);
		text += strspn(text, " ");
		number[strlen(number) - 1] = '\0';
		break;
	case HOLE_NUMBER_TEXT:
		context_number_text(item->number, number);
		break;
	case HOLE_WHAT:
		text = item->what;
		break;
	case HOLE_STRIP:
		text = item->strip->parts[step->hole.part];
		break;
	default:
		text = step->text;
		break;
	}
	if (step->raw)
		writer_add(w, text, strlen(text));
	else
		writer_add_escaped(w, step->escape, text, strlen(text));
}

static void
write_step(struct writer *w, const struct step *step, const struct item *item)
{
	switch (step->kind) {
	case STEP_READY:
		writer_add_run(w, step->text, step->len, step->column);
		break;
	case STEP_TEXT:
		if (step->coded != NULL)
			writer_add_coded(w, step->text, step->len, step->coded, step->coded_len);
		else
			writer_add(w, step->text, step->len);
		break;
	case STEP_VALUE:
		write_value(w, step, item);
		break;
	case STEP_CARD:
		writer_add_ready(w, step->escape, true, &item->placed);
		break;
	}
}

bool
frames_write(
    const struct frames *frames, struct writer *w, const struct context *c, struct item *item)
{
	unsigned kind = (item->is_line ? KIND_LINE : 0) | (item->number > 0 ? KIND_NUMBER : 0) |
	    (item->what[0] != '\0' ? KIND_WHAT : 0);
	bool asks_strip = frames->kinds[kind].asks_strip;
	const struct frame *frame;

	if (item->placed.card == NULL || (w->kind == WRITER_HTML && w->qp.column > 0))
		return false;
	if (asks_strip && item->strip == NULL &&
	    (item->strip = context_strip(c, item->pick, item->filter)) == NULL)
		return false;
	frame = &frames->kinds[kind].of[asks_strip ? item->strip->n : 0];
	for (size_t i = 0; i < frame->nsteps; i++)
		write_step(w, &frame->steps[i], item);
	return true;
}
