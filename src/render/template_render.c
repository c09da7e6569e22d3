#include "render/program.h"
#include "render/frame.h"
#include "render/writer.h"
#include "digest/limits.h"
#include "digest/template.h"

#include <stdio.h>
#include <string.h>

struct state {
	const struct value *stack[MAX_TEMPLATE_DEPTH + 1]; /* contexts, the innermost last */
	size_t nstack;
	unsigned depth; /* sections and partials being rendered */
	unsigned steps; /* nodes rendered and contexts looked into */
	template_lookup *lookup;
	void *lookup_arg;
	struct writer *w;
	struct strbuf indent; /* of the partials being rendered */
	bool missed;	      /* a name was asked for that is nowhere */
	struct error *err;
};

static int render_nodes(struct state *st, const struct template *t, size_t from, size_t to);

static int
fail_at(struct state *st, const struct template *t, const struct node *n, const char *what)
{
	err_set(st->err, ERR_CONFIG, "%s", what);
	return err_prefix(st->err, "%s:%u:%u", t->name, n->line, n->column);
}

/* Too much text is the template's fault, which stops one mail; too little memory is not. */
static int
fail_full(struct state *st, const struct template *t, const struct node *n, const struct strbuf *sb)
{
	char what[100];

	if (sb->state != STRBUF_TOO_LONG)
		return strbuf_check(sb, st->err);
	snprintf(what, sizeof(what), "more than %zu bytes; does a section repeat too much?",
	    sb->max_bytes);
	return fail_at(st, t, n, what);
}

/* The first part of a dotted name is looked for in all contexts, the others in what it is. */
static const struct value *
find_value(struct state *st, const struct template *t, const struct node *n)
{
	const struct value_name *part = t->parts + n->first_part;
	const struct value *v = NULL;
	size_t i = st->nstack;

	if (n->nparts == 0)
		return st->stack[st->nstack - 1];
	while (v == NULL && i > 0) {
		st->steps++; /* or a name that is nowhere would be 64 times the work of one that is near */
		v = value_find(st->stack[--i], part);
	}
	for (size_t k = 1; v != NULL && k < n->nparts; k++)
		v = value_find(v, part + k);
	st->missed = st->missed || v == NULL;
	return v;
}

static void
add_value(struct state *st, const struct template *t, const struct node *n)
{
	const struct value *v = find_value(st, t, n);
	bool raw = n->kind == NODE_RAW;
	struct strbuf number;

	switch (value_kind(v)) {
	case VALUE_STRING:
		if (raw)
			writer_add(st->w, value_text(v), strlen(value_text(v)));
		else
			writer_add_value(st->w, t->escape, v);
		break;
	case VALUE_NUMBER:
		strbuf_init(&number, 24);
		strbuf_add_number(&number, value_integer(v));
		writer_add(st->w, number.buf, number.len);
		strbuf_release(&number);
		break;
	case VALUE_BOOL:
		writer_add(st->w, value_truth(v) ? "true" : "false", value_truth(v) ? 4 : 5);
		break;
	case VALUE_READY:
		writer_add_ready(st->w, t->escape, raw, value_ready_of(v));
		break;
	default:
		break; /* null, lists and objects have no text */
	}
}

/* One step of the work that a template may make. */
static int
take_step(struct state *st, const struct template *t, const struct node *n)
{
	if (++st->steps <= MAX_TEMPLATE_STEPS)
		return 0;
	return fail_at(st, t, n, "too much work; do sections repeat each other's lists?");
}

/* The inside of a section with v as its context. */
static int
render_inside(struct state *st, const struct template *t, size_t section, const struct value *v)
{
	int rc;

	st->stack[st->nstack++] = v;
	rc = render_nodes(st, t, section + 1, t->nodes[section].end);
	st->nstack--;
	return rc;
}

/* The items of a list, each with the section's inside or, where that writes the same, in its frame. */
static int
render_list(struct state *st, const struct template *t, size_t section, const struct value *list)
{
	const struct node *n = &t->nodes[section];
	struct shelf *shelf = value_list_source(list, shelf_make_value);
	const struct frames *frames = shelf != NULL && st->indent.len == 0
	    ? frames_find(n->frames, shelf->c.words, st->w->kind)
	    : NULL;

	for (size_t i = 0; i < value_count(list); i++) {
		if (take_step(st, t, n) == -1)
			return -1;
		if (frames != NULL && frames_write(frames, st->w, &shelf->c, &shelf->items[i]))
			continue;
		if (render_inside(st, t, section, value_item(list, i)) == -1)
			return -1;
	}
	return 0;
}

static int
render_section(struct state *st, const struct template *t, size_t section)
{
	const struct node *n = &t->nodes[section];
	const struct value *v = find_value(st, t, n);

	if (n->kind == NODE_INVERTED)
		return value_truth(v) ? 0 : render_nodes(st, t, section + 1, n->end);
	if (!value_truth(v))
		return 0;
	return value_kind(v) == VALUE_LIST ? render_list(st, t, section, v)
					   : render_inside(st, t, section, v);
}

static int
render_partial(struct state *st, const struct template *t, const struct node *n)
{
	const struct template *partial = n->partial;
	size_t indent = st->indent.len;
	int rc;

	if (partial == NULL && st->lookup != NULL)
		partial = st->lookup(st->lookup_arg, n->text);
	if (partial == NULL)
		return 0;
	strbuf_addn(&st->indent, n->indent, n->indent_len);
	if (st->indent.state != STRBUF_OK)
		return fail_full(st, t, n, &st->indent);
	rc = render_nodes(st, partial, 0, partial->nnodes);
	strbuf_truncate(&st->indent, indent);
	return rc;
}

/* What holds other nodes, one level deeper. */
static int
render_nested(struct state *st, const struct template *t, size_t i)
{
	const struct node *n = &t->nodes[i];
	int rc;

	if (st->depth == MAX_TEMPLATE_DEPTH)
		return fail_at(st, t, n,
		    "sections and partials are nested too deeply; does a partial use itself?");
	st->depth++;
	rc = n->kind == NODE_PARTIAL ? render_partial(st, t, n) : render_section(st, t, i);
	st->depth--;
	return rc;
}

/* The text at a node, with those behind it when they are ready for where the writer stands. Returns how many it was. */
static size_t
add_texts(struct state *st, const struct node *n)
{
	if (n->run.nnodes > 0 && st->indent.len == 0 &&
	    writer_add_run(st->w, n->run.bytes, n->run.len, n->run.column)) {
		st->steps += (unsigned)n->run.nnodes - 1;
		return n->run.nnodes;
	}
	if (n->coded != NULL)
		writer_add_coded(st->w, n->text, n->len, n->coded, n->coded_len);
	else
		writer_add(st->w, n->text, n->len);
	return 1;
}

static int
render_nodes(struct state *st, const struct template *t, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		const struct node *n = &t->nodes[i];

		if (take_step(st, t, n) == -1)
			return -1;
		if (n->line_start && st->indent.len > 0)
			writer_add(st->w, st->indent.buf, st->indent.len);
		switch (n->kind) {
		case NODE_TEXT:
			i += add_texts(st, n) - 1;
			break;
		case NODE_ESCAPED:
		case NODE_RAW:
			add_value(st, t, n);
			break;
		case NODE_SECTION:
		case NODE_INVERTED:
		case NODE_PARTIAL:
			if (render_nested(st, t, i) == -1)
				return -1;
			if (n->kind != NODE_PARTIAL)
				i = n->end;
			break;
		case NODE_END:
			break;
		}
		if (st->w->out->state != STRBUF_OK)
			return fail_full(st, t, n, st->w->out);
	}
	return 0;
}

int
template_write(const struct template *t, const struct value *data, template_lookup *lookup,
    void *lookup_arg, struct writer *w, struct error *err)
{
	struct state st = { .lookup = lookup, .lookup_arg = lookup_arg, .w = w, .err = err };
	int rc;

	strbuf_init(&st.indent, MAX_TEMPLATE_BYTES);
	st.stack[st.nstack++] = data;
	rc = render_nodes(&st, t, 0, t->nnodes);
	strbuf_release(&st.indent);
	return rc == -1 ? -1 : strbuf_check(w->out, err);
}

int
template_write_item(const struct template *t, size_t section, const struct value *outer,
    const struct value *item, template_lookup *lookup, void *lookup_arg, struct writer *w)
{
	struct error err;
	struct state st = { .lookup = lookup, .lookup_arg = lookup_arg, .w = w, .err = &err };
	int rc;

	strbuf_init(&st.indent, MAX_TEMPLATE_BYTES);
	st.stack[st.nstack++] = outer;
	rc = render_inside(&st, t, section, item);
	strbuf_release(&st.indent);
	return rc == -1 || st.missed ? -1 : 0;
}

int
template_render(const struct template *t, const struct value *data, template_lookup *lookup,
    void *lookup_arg, struct strbuf *out, struct error *err)
{
	struct writer w;
	int rc;

	writer_init(&w, WRITER_PLAIN, out);
	rc = template_write(t, data, lookup, lookup_arg, &w, err);
	writer_release(&w);
	return rc;
}
