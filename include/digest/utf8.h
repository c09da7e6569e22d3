/* utf8.h - UTF-8 as RFC 3629 defines it: no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef DIGEST_UTF8_H
#define DIGEST_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "digest/strbuf.h"

/* The character at text (len bytes are readable): its length 1..4, or 0 when it is not valid or len is 0. */
unsigned utf8_decode(const char *text, size_t len, uint32_t *cp);

/* Write cp as 1..4 bytes and return how many; what is no character becomes U+FFFD. */
unsigned utf8_encode(uint32_t cp, char out[4]);

/* True when all len bytes are valid; NUL counts as a character. */
bool	utf8_is_valid(const char *text, size_t len);

/* How many bytes at text are printable ASCII, blanks included: most of what anybody writes. */
size_t	utf8_plain_run(const char *text, size_t len);

/*
 * Append text with every invalid byte sequence replaced by one U+FFFD (the "maximal subpart" rule of
 * Unicode 3.9), NUL dropped.
 * Returns how many replacements were made.
 */
size_t	utf8_add_repaired(struct strbuf *out, const char *text, size_t len);

#endif
