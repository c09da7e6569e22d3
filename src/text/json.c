#include "digest/json.h"

#include "digest/limits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What a count of the document found before it was parsed. */
struct census {
	size_t ntokens, depth, max_depth;
};

static size_t
skip_string(const char *bytes, size_t len, size_t at)
{
	for (at++; at < len && bytes[at] != '"'; at++)
		at += bytes[at] == '\\';
	return at < len ? at + 1 : len;
}

static bool
is_scalar_byte(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    c == '+' || c == '-' || c == '.';
}

/* Brackets, strings and scalars, each a token; commas and colons cost nothing. The document need
 * not be valid. */
static int
take_census(const char *bytes, size_t len, struct error *err)
{
	struct census n = { 0 };

	for (size_t at = 0; at < len;) {
		char c = bytes[at];

		if (c == '"') {
			at = skip_string(bytes, len, at);
			n.ntokens++;
		} else if (is_scalar_byte(c)) {
			while (at < len && is_scalar_byte(bytes[at]))
				at++;
			n.ntokens++;
		} else {
			at++;
			n.ntokens += c == '{' || c == '[' || c == '}' || c == ']';
			n.depth += c == '{' || c == '[';
			n.depth -= (c == '}' || c == ']') && n.depth > 0;
			n.max_depth = n.depth > n.max_depth ? n.depth : n.max_depth;
		}
		if (n.ntokens > MAX_JSON_TOKENS)
			return err_set(
			    err, ERR_NOMEM, "JSON has more than %u values", MAX_JSON_TOKENS);
		if (n.max_depth > MAX_JSON_DEPTH)
			return err_set(
			    err, ERR_NOMEM, "JSON is nested deeper than %d", MAX_JSON_DEPTH);
	}
	return 0;
}

/* The number of "\uXXXX" at text, or -1. */
static int
read_escape(const char *text, size_t len)
{
	int value = 0;

	if (len < 6 || text[0] != '\\' || text[1] != 'u')
		return -1;
	for (size_t i = 2; i < 6; i++) {
		char c = text[i];

		value <<= 4;
		if (c >= '0' && c <= '9')
			value += c - '0';
		else if ((c | 32) >= 'a' && (c | 32) <= 'f')
			value += (c | 32) - 'a' + 10;
		else
			return -1;
	}
	return value;
}

static bool
is_high(int unit)
{
	return unit >= 0xd800 && unit <= 0xdbff;
}

static bool
is_low(int unit)
{
	return unit >= 0xdc00 && unit <= 0xdfff;
}

/* Write \ufffd over every escaped surrogate that has no other half. Returns how many there were. */
static size_t
replace_lone_surrogates(char *text, size_t len)
{
	size_t nreplaced = 0;

	for (size_t at = 0; at < len;) {
		int unit;

		if (text[at] != '\\') {
			at++;
			continue;
		}
		unit = read_escape(text + at, len - at);
		if (unit == -1) {
			at += 2; /* another escape, perhaps a backslash */
		} else if (is_high(unit) && is_low(read_escape(text + at + 6, len - at - 6))) {
			at += 12;
		} else {
			if (is_high(unit) || is_low(unit)) {
				memcpy(text + at, "\\ufffd", 6);
				nreplaced++;
			}
			at += 6;
		}
	}
	return nreplaced;
}

/* jansson takes a NUL byte at the end for the end. */
static int
check_no_nul(const char *bytes, size_t len, struct error *err)
{
	const char *nul = memchr(bytes, '\0', len);
	int line = 1, column = 1;

	if (nul == NULL)
		return 0;
	for (const char *s = bytes; s < nul; s++) {
		column = *s == '\n' ? 1 : column + 1;
		line += *s == '\n';
	}
	return err_set(
	    err, ERR_DATA, "JSON line %d, column %d: a NUL byte; expected text", line, column);
}

static int
set_parse_error(struct error *err, const json_error_t *why)
{
	if (json_error_code(why) == json_error_out_of_memory)
		return err_nomem(err, "JSON");
	return err_set(
	    err, ERR_DATA, "JSON line %d, column %d: %s", why->line, why->column, why->text);
}

/* jansson refuses the whole document for one integer above 64 bits, unless all become reals. */
static json_t *
parse(const char *bytes, size_t len, json_error_t *why)
{
	const size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL;
	json_t *root = json_loadb(bytes, len, flags, why);

	if (root == NULL && json_error_code(why) == json_error_numeric_overflow)
		root = json_loadb(bytes, len, flags | JSON_DECODE_INT_AS_REAL, why);
	return root;
}

/* It refuses it also for one lone surrogate, which services send where they cut a title. */
static json_t *
parse_repaired(const char *bytes, size_t len, json_error_t *why)
{
	char *copy = malloc(len + 1);
	json_t *root = NULL;

	if (copy == NULL)
		return NULL;
	memcpy(copy, bytes, len);
	if (replace_lone_surrogates(copy, len) > 0)
		root = parse(copy, len, why);
	free(copy);
	return root;
}

int
json_read(const char *bytes, size_t len, size_t max_bytes, json_t **out, struct error *err)
{
	static const char bom[] = "\xef\xbb\xbf";
	json_error_t why;
	json_t *root;

	if (len > max_bytes)
		return err_set(
		    err, ERR_NOMEM, "JSON of %zu bytes; at most %zu are read", len, max_bytes);
	if (len >= 3 && memcmp(bytes, bom, 3) == 0) {
		bytes += 3;
		len -= 3;
	}
	if (check_no_nul(bytes, len, err) == -1 || take_census(bytes, len, err) == -1)
		return -1;
	root = parse(bytes, len, &why);
	if (root == NULL)
		root = parse_repaired(bytes, len, &why);
	if (root == NULL)
		return set_parse_error(err, &why);
	*out = root;
	return 0;
}

const char *
json_get_string(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

const char *
json_get_text(const json_t *object, const char *name, size_t *len)
{
	const json_t *value = json_object_get(object, name);

	*len = json_string_length(value);
	return json_string_value(value);
}

static bool
parse_int64(const char *text, int64_t *out)
{
	long long value;
	char *end;

	if (*text != '-' && (*text < '0' || *text > '9'))
		return false;
	errno = 0;
	value = strtoll(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0')
		return false;
	*out = value;
	return true;
}

bool
json_get_int64(const json_t *object, const char *name, int64_t *out)
{
	const json_t *value = json_object_get(object, name);
	double real;

	if (json_is_integer(value)) {
		*out = json_integer_value(value);
		return true;
	}
	if (json_is_string(value))
		return parse_int64(json_string_value(value), out);
	if (!json_is_real(value))
		return false;
	/* 2^63 is the first double that does not fit. */
	real = json_real_value(value);
	if (!(real >= -9223372036854775808.0 && real < 9223372036854775808.0) ||
	    real != (double)(int64_t)real)
		return false;
	*out = (int64_t)real;
	return true;
}

bool
json_get_bool(const json_t *object, const char *name, bool *out)
{
	const json_t *value = json_object_get(object, name);

	if (!json_is_boolean(value))
		return false;
	*out = json_is_true(value);
	return true;
}

const json_t *
json_get_object(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	return json_is_object(value) ? value : NULL;
}

const json_t *
json_get_array(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	return json_is_array(value) ? value : NULL;
}
