/* words.h - header values inside mail/: folding and RFC 2047 words. Every function appends to a
 * line on which `column` columns are used and returns how many are used after it. */
#ifndef MAIL_WORDS_H
#define MAIL_WORDS_H

#include <stddef.h>

#include "digest/strbuf.h"

/* A display name or list name: atoms, a quoted string or encoded words, whichever is the
 * plainest that is right. */
size_t	words_add_phrase(struct strbuf *out, const char *text, size_t column);

/* "<text>" after one blank, on a line of its own when it does not fit. */
size_t	words_add_bracketed(struct strbuf *out, const char *text, size_t column);

#endif
