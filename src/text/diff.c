#include "digest/limits.h"
#include "digest/text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Lines shown around a change, and how large the table for the middle parts may be: 2,000 lines against 2,000. */
enum { AROUND = 3, MAX_CELLS = 4000000 };

struct line {
	const char *text;
	size_t len; /* with its newline */
	bool only;  /* stands on this side alone */
};

struct side {
	const struct text_side *given;
	struct line *lines;
	size_t n;
};

static int
split(const struct text_side *given, struct side *out, struct error *err)
{
	const char *text = given->text, *end = text + given->len;
	size_t n = 1;

	for (const char *at = text; at < end; at++)
		n += *at == '\n';
	out->given = given;
	out->n = 0;
	out->lines = calloc(n, sizeof(*out->lines));
	if (out->lines == NULL)
		return err_nomem(err, "difference");
	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t len = newline != NULL ? (size_t)(newline + 1 - text) : (size_t)(end - text);

		out->lines[out->n++] = (struct line){ text, len, false };
		text += len;
	}
	return 0;
}

static bool
same(const struct line *a, const struct line *b)
{
	return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

static void
mark(struct line *lines, size_t n)
{
	for (size_t i = 0; i < n; i++)
		lines[i].only = true;
}

/*
 * Mark the lines that only one side has: all but a longest common subsequence, by the table of its lengths from each pair
 * of places on. Sides that are too long for the table are taken to differ in every line.
 */
static int
mark_middle(struct line *a, size_t na, struct line *b, size_t nb, struct error *err)
{
	size_t width = nb + 1, i = 0, j = 0;
	uint16_t *best;

	if (na == 0 || nb == 0 || na > MAX_CELLS / nb) {
		mark(a, na);
		mark(b, nb);
		return 0;
	}
	best = calloc((na + 1) * width, sizeof(*best));
	if (best == NULL)
		return err_nomem(err, "difference");
	for (i = na; i-- > 0;)
		for (j = nb; j-- > 0;) {
			uint16_t skip_a = best[(i + 1) * width + j],
				 skip_b = best[i * width + j + 1];

			best[i * width + j] = skip_a > skip_b ? skip_a : skip_b;
			if (same(&a[i], &b[j]))
				best[i * width + j] = (uint16_t)(best[(i + 1) * width + j + 1] + 1);
		}
	for (i = j = 0; i < na && j < nb;) {
		if (same(&a[i], &b[j])) {
			i++;
			j++;
		} else if (best[(i + 1) * width + j] >= best[i * width + j + 1]) {
			a[i++].only = true;
		} else {
			b[j++].only = true;
		}
	}
	mark(a + i, na - i);
	mark(b + j, nb - j);
	free(best);
	return 0;
}

static int
compare(struct side *a, struct side *b, struct error *err)
{
	size_t start = 0, end = 0, n = a->n < b->n ? a->n : b->n;

	while (start < n && same(&a->lines[start], &b->lines[start]))
		start++;
	while (end < n - start && same(&a->lines[a->n - 1 - end], &b->lines[b->n - 1 - end]))
		end++;
	return mark_middle(
	    a->lines + start, a->n - start - end, b->lines + start, b->n - start - end, err);
}

static void
add_line(struct strbuf *out, char sign, const struct line *line)
{
	strbuf_addc(out, sign);
	strbuf_addn(out, line->text, line->len);
	if (line->text[line->len - 1] != '\n')
		strbuf_add(out, "\n\\ No newline at end of file\n");
}

/* "12,3": where lines from..to stand; an empty range is told by the line before it. */
static void
add_range(struct strbuf *out, char sign, const struct side *s, size_t from, size_t to)
{
	size_t first = s->given->first_line + from - (to == from);

	strbuf_addf(out, "%c%zu", sign, first);
	if (to - from != 1)
		strbuf_addf(out, ",%zu", to - from);
}

/* Steps over the lines at i and j, removed ones first; returns the sign of the line, 0 at the end. */
static char
next_line(const struct side *a, const struct side *b, size_t *i, size_t *j)
{
	if (*i < a->n && a->lines[*i].only)
		return (*i)++, '-';
	if (*j < b->n && b->lines[*j].only)
		return (*j)++, '+';
	if (*i == a->n)
		return 0;
	(*i)++;
	(*j)++;
	return ' ';
}

/* One hunk whose first change is at i, j; both are moved behind it. */
static void
add_hunk(struct strbuf *out, const struct side *a, const struct side *b, size_t *i, size_t *j)
{
	size_t before = *i < AROUND ? *i : AROUND, equal = 0, behind;
	size_t i0 = *i - before, j0 = *j - before, to_i, to_j;
	char sign;

	while (equal <= 2 * AROUND && (sign = next_line(a, b, i, j)) != 0)
		equal = sign == ' ' ? equal + 1 : 0;
	behind = equal < AROUND ? equal : AROUND;
	to_i = *i - equal + behind;
	to_j = *j - equal + behind;
	*i -= equal;
	*j -= equal;
	strbuf_add(out, "@@ ");
	add_range(out, '-', a, i0, to_i);
	strbuf_addc(out, ' ');
	add_range(out, '+', b, j0, to_j);
	strbuf_add(out, " @@\n");
	while (i0 < to_i || j0 < to_j) {
		sign = next_line(a, b, &i0, &j0);
		add_line(out, sign, sign == '+' ? &b->lines[j0 - 1] : &a->lines[i0 - 1]);
	}
}

static void
add_hunks(struct strbuf *out, const struct side *a, const struct side *b)
{
	size_t i = 0, j = 0;
	bool any = false;

	for (;;) {
		while (i < a->n && !a->lines[i].only && !b->lines[j].only) {
			i++;
			j++;
		}
		if (i == a->n && j == b->n)
			return;
		if (!any)
			strbuf_addf(out, "--- %s\n+++ %s\n", a->given->name, b->given->name);
		any = true;
		add_hunk(out, a, b, &i, &j);
	}
}

int
text_add_diff(
    struct strbuf *out, const struct text_side *from, const struct text_side *to, struct error *err)
{
	struct side a = { 0 }, b = { 0 };
	int rc = -1;

	if (split(from, &a, err) == 0 && split(to, &b, err) == 0 && compare(&a, &b, err) == 0) {
		add_hunks(out, &a, &b);
		rc = strbuf_check(out, err);
	}
	free(a.lines);
	free(b.lines);
	return rc;
}
