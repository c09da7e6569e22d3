#include "render/parts.h"

static void
add_part(const struct context *c, struct value *parts, const char *label, bool mark)
{
	struct value *part;

	if (label != NULL && label[0] == '\0')
		return;
	part = value_object(c->a);
	value_set_string(c->a, part, "label", label);
	value_set_bool(c->a, part, "mark", mark);
	value_append(c->a, parts, part);
}

static void
add_slice(const struct context *c, struct value *parts, const char *text, size_t start, size_t end,
    bool mark)
{
	if (start < end)
		add_part(c, parts, arena_strndup(c->a, text + start, end - start), mark);
}

void
context_set_piece(const struct context *c, struct value *object, const char *member,
    const struct piece *piece, enum paper_text text, const struct pick_view *pick)
{
	struct value *parts = value_list(c->a);
	size_t at = piece->start;

	add_part(c, parts, piece->before, false);
	for (size_t i = 0; i < pick->nmarks; i++) {
		const struct paper_mark *m = &pick->marks[i];
		size_t start = m->start > at ? m->start : at;
		size_t end = m->end < piece->end ? m->end : piece->end;

		if (m->text != text || start >= end)
			continue;
		add_slice(c, parts, piece->text, at, start, false);
		add_slice(c, parts, piece->text, start, end, true);
		at = end;
	}
	add_slice(c, parts, piece->text, at, piece->end, false);
	add_part(c, parts, piece->after, false);
	value_set(c->a, object, member, parts);
}
