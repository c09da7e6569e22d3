/* fill.h - the plain text part as a terminal shows it. */
#ifndef DIGEST_RENDER_FILL_H
#define DIGEST_RENDER_FILL_H

#include "digest/strbuf.h"

/*
 * Append text with every line filled to 72 columns: what is longer goes on below, under the line's own indentation
 * (behind the number in "  1. Title"); a URL stays whole. Blanks at the ends of lines go, and of several blank lines one stays.
 */
void fill_add_text(struct strbuf *out, const char *text);

#endif
