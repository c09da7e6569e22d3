/* escape.h - the ways in which bytes from outside get into a mail. */
#ifndef DIGEST_RENDER_ESCAPE_H
#define DIGEST_RENDER_ESCAPE_H

#include <stddef.h>

#include "digest/strbuf.h"

/* Safe as HTML text and in attributes quoted either way. */
void escape_add_html(struct strbuf *out, const char *text);
/* One line: every control character, line and paragraph separator becomes a blank. */
void escape_add_header(struct strbuf *out, const char *text, size_t len);
/* As render_add_url(), but a mailto: link passes too: for links of our own. */
void escape_add_link(struct strbuf *out, const char *url);

/*
 * How many bytes text takes as quoted-printable (RFC 2045 6.7), newlines as CRLF: lines of at most 76, no character of
 * UTF-8 broken by a soft break, a blank at the end of a line and a dot at its beginning encoded.
 */
size_t escape_qp_size(const char *text, size_t len);

#endif
