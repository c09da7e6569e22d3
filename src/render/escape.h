/* escape.h - the ways in which bytes from outside get into a mail. */
#ifndef DIGEST_RENDER_ESCAPE_H
#define DIGEST_RENDER_ESCAPE_H

#include <stddef.h>

#include "digest/strbuf.h"

/* Safe as HTML text and in attributes quoted either way. */
void escape_add_html(struct strbuf *out, const char *text, size_t len);
/* One line: every control character, line and paragraph separator becomes a blank. */
void escape_add_header(struct strbuf *out, const char *text, size_t len);
/* As render_add_url(), but a mailto: link passes too: for links of our own. */
void escape_add_link(struct strbuf *out, const char *url);

#endif
