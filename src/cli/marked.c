/* Text with marked words on the screen. */
#include "cli.h"
#include "digest/text.h"

#include <stdio.h>
#include <string.h>

enum { MIN_LINE = 12 };

/* A text being written, line by line. */
struct filler {
	const struct term *term;
	const char *text;
	const struct run_mark *marks;
	size_t nmarks;
	size_t next; /* the mark that ends next */
	size_t columns, used, indent;
};

/* A word, or a part of one, on the line. Words come in their order. */
static void
put_word(struct filler *f, size_t from, size_t to)
{
	while (from < to) {
		const struct run_mark *m;
		size_t end = to;
		bool inside;

		while (f->next < f->nmarks && f->marks[f->next].end <= from)
			f->next++;
		m = f->next < f->nmarks ? &f->marks[f->next] : NULL;
		inside = m != NULL && m->start <= from;
		if (inside && m->end < to)
			end = m->end;
		else if (m != NULL && !inside && m->start < to)
			end = m->start;
		fputs(inside ? term_bold(f->term) : "", stdout);
		term_putn(f->text + from, end - from);
		fputs(inside ? term_reset(f->term) : "", stdout);
		from = end;
	}
}

static void
break_line(struct filler *f)
{
	printf("\n%*s", (int)f->indent, "");
	f->used = 0;
}

static void
fill_word(struct filler *f, size_t from, size_t to)
{
	size_t width = text_width(f->text + from, to - from);

	if (f->used > 0 && f->used + 1 + width > f->columns)
		break_line(f);
	else if (f->used > 0)
		putchar(' ');
	f->used += f->used > 0;
	/* Wider than a line: ideographs, a long formula. */
	while (width > f->columns) {
		size_t n = text_cut(f->text + from, to - from, SIZE_MAX, f->columns);

		if (n == 0 || n == to - from)
			break;
		put_word(f, from, from + n);
		break_line(f);
		from += n;
		width = text_width(f->text + from, to - from);
	}
	put_word(f, from, to);
	f->used += width;
}

void
term_put_marked(const struct term *term, const char *text, size_t from, size_t to,
    const struct run_mark *marks, size_t nmarks, size_t indent)
{
	size_t width = (size_t)term->width;
	struct filler f = { .term = term,
		.text = text,
		.marks = marks,
		.nmarks = nmarks,
		.columns = width > indent + MIN_LINE ? width - indent : MIN_LINE,
		.indent = indent };

	while (from < to) {
		size_t end;

		from += strspn(text + from, " \t\n");
		if (from >= to)
			break;
		end = from + strcspn(text + from, " \t\n");
		fill_word(&f, from, end < to ? end : to);
		from = end;
	}
}
