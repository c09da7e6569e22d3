/* fill.h - lines of the plain text part as a terminal shows them: 72 columns. */
#ifndef DIGEST_RENDER_FILL_H
#define DIGEST_RENDER_FILL_H

#include <stdbool.h>
#include <stddef.h>

#include "digest/strbuf.h"

/* Length of what a line begins with: blanks, and a dash, a star or a number with its full stop and the blanks behind it. */
size_t fill_indent(const char *line);

/* Length without the blanks and line ends at the end. */
size_t fill_trimmed(const char *text, size_t len);

enum { FILL_WIDTH = 72 };

bool fill_fits(const char *line, size_t len, size_t width);

/*
 * Append a line without its end, filled to `width` columns: what is longer goes on below, behind `indent` blanks; a URL stays
 * whole. indent: <= the line's own length, from fill_indent()
 */
void fill_add_line(struct strbuf *out, const char *line, size_t len, size_t indent, size_t width);

#endif
