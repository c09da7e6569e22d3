/* charset.h - bytes of any charset to UTF-8, for documents that often lie about theirs. */
#ifndef DIGEST_CHARSET_H
#define DIGEST_CHARSET_H

#include <stddef.h>

#include "digest/strbuf.h"

/* A text as UTF-8. */
struct decoded {
	const char *
	    text; /* valid UTF-8 without byte order mark: inside the bytes given, or inside the strbuf */
	size_t len;
	const char
	    *charset; /* it was in, by one name for all of its spellings: "UTF-8", "windows-1252" */
	size_t nreplaced; /* sequences that are none in that charset and became U+FFFD */
};

/*
 * Find the charset and decode. In this order: a byte order mark; NUL bytes beside the first character (UTF-16 and UTF-32
 * without a mark); the charset of content_type; declared; UTF-8.
 * Names are those of the Encoding Standard; an unknown one, and UTF-16 or UTF-32 where the bytes show it is not, count as
 * not said. Valid UTF-8 that was called Latin-1 or ASCII is UTF-8: servers say so by habit. Bytes called UTF-8, or not called
 * anything, that are not UTF-8 are windows-1252 when most of what is not ASCII in them is wrong, else UTF-8 with gaps.
 * content_type		"text/xml; charset=utf-8", "" = not told
 * declared		what the document says of itself, "" = nothing
 * scratch		at least 3 * len + 3 bytes; used only when the bytes are not valid UTF-8 already
 * Fails only with ERR_NOMEM.
 */
int charset_decode(const char *bytes, size_t len, const char *content_type, const char *declared,
    struct strbuf *scratch, struct decoded *out, struct error *err);

#endif
