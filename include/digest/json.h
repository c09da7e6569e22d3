/* json.h - a bounded reader of the JSON that services send, over jansson. The document belongs to
 * the caller (json_decref); what the getters return is borrowed from it. Strings are valid UTF-8
 * but may hold anything else, also NUL and line breaks: pass them through text_add_clean before
 * they are stored or shown. */
#ifndef DIGEST_JSON_H
#define DIGEST_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "digest/error.h"

/*
 * Parse one document (RFC 8259).
 * bytes	len of them; a byte order mark at the beginning is passed over
 * max_bytes	a longer document is refused (MAX_JSON_BYTES, MAX_JSON_LINE)
 * Tokens (MAX_JSON_TOKENS) and depth (MAX_JSON_DEPTH) are counted before anything is allocated. Integers too
 * large for 64 bits become reals; an escaped surrogate without its other half becomes U+FFFD; of members that
 * come twice the last counts.
 * Fails with ERR_DATA and line, column and what was found or expected; ERR_NOMEM when a bound is reached.
 */
int	json_read(const char *bytes, size_t len, size_t max_bytes, json_t **out, struct error *err);

/* The members of an object. Anything missing, of another type or null gives the answer "not
 * there": NULL, or false with *out untouched. object may be NULL or no object, so that a path is
 * walked without asking at each step. */
const char *json_get_string(const json_t *object, const char *name);
/* With its length, for strings that may hold NUL; *len = 0 when NULL. */
const char *json_get_text(const json_t *object, const char *name, size_t *len);
/* An integer, a real without a fraction (2.0, 1e3), or a string that is an integer ("42"). */
bool	json_get_int64(const json_t *object, const char *name, int64_t *out);
bool	json_get_bool(const json_t *object, const char *name, bool *out);
const json_t *json_get_object(const json_t *object, const char *name);
const json_t *json_get_array(const json_t *object, const char *name);

#endif
