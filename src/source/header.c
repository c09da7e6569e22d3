#include "header.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* A value that would be sent back later, so only what is safe in a header line; too long or odd means none. */
static void
keep_text(char *out, size_t size, const char *value, size_t len)
{
	out[0] = '\0';
	if (len >= size)
		return;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)value[i] < 0x20 || (unsigned char)value[i] > 0x7e)
			return;
	memcpy(out, value, len);
	out[len] = '\0';
}

static void
read_etag(struct http_answer *answer, const char *value, size_t len)
{
	keep_text(answer->etag, sizeof(answer->etag), value, len);
}

static void
read_last_modified(struct http_answer *answer, const char *value, size_t len)
{
	keep_text(answer->last_modified, sizeof(answer->last_modified), value, len);
}

static void
read_content_type(struct http_answer *answer, const char *value, size_t len)
{
	keep_text(answer->content_type, sizeof(answer->content_type), value, len);
}

/* Length of value up to the separator outside quotes and angle brackets. */
static size_t
item_length(const char *value, size_t len, char separator)
{
	bool quoted = false, bracket = false;
	size_t i;

	for (i = 0; i < len; i++) {
		if (value[i] == '"')
			quoted = !quoted;
		else if (!quoted && (value[i] == '<' || value[i] == '>'))
			bracket = value[i] == '<';
		else if (value[i] == separator && !quoted && !bracket)
			break;
	}
	return i;
}

static void
trim(const char **text, size_t *len)
{
	while (*len > 0 && (**text == ' ' || **text == '\t')) {
		(*text)++;
		(*len)--;
	}
	while (*len > 0 && strchr(" \t\r\n", (*text)[*len - 1]) != NULL)
		(*len)--;
}

/* The value of a parameter "; name=value" of an item, unquoted. False when there is none. */
static bool
find_parameter(
    const char *item, size_t len, const char *name, const char **value, size_t *value_len)
{
	size_t name_len = strlen(name);

	for (size_t at = 0, n; at < len; at += n + 1) {
		const char *part = item + at;
		size_t part_len;

		n = part_len = item_length(part, len - at, ';');
		trim(&part, &part_len);
		if (part_len <= name_len || strncasecmp(part, name, name_len) != 0)
			continue;
		part += name_len;
		part_len -= name_len;
		trim(&part, &part_len);
		if (part_len == 0 || *part != '=')
			continue;
		part++;
		part_len--;
		trim(&part, &part_len);
		if (part_len >= 2 && part[0] == '"' && part[part_len - 1] == '"') {
			part++;
			part_len -= 2;
		}
		*value = part;
		*value_len = part_len;
		return true;
	}
	return false;
}

/* Whether a blank-separated list of relation types holds "next" (RFC 8288 3.3). */
static bool
holds_next(const char *rel, size_t len)
{
	for (size_t at = 0, n; at < len; at += n + 1) {
		n = item_length(rel + at, len - at, ' ');
		if (n == 4 && strncasecmp(rel + at, "next", 4) == 0)
			return true;
	}
	return false;
}

/* RFC 8288 3: Link: <target>; rel="next", <other>; rel="last" */
static void
read_link(struct http_answer *answer, const char *value, size_t len)
{
	for (size_t at = 0, n; at < len; at += n + 1) {
		const char *item = value + at, *end, *rel;
		size_t item_len, rel_len;

		n = item_len = item_length(item, len - at, ',');
		trim(&item, &item_len);
		if (item_len == 0 || *item != '<' || (end = memchr(item, '>', item_len)) == NULL)
			continue;
		if (find_parameter(
			end + 1, item_len - (size_t)(end + 1 - item), "rel", &rel, &rel_len) &&
		    holds_next(rel, rel_len) && answer->next[0] == '\0')
			keep_text(
			    answer->next, sizeof(answer->next), item + 1, (size_t)(end - item) - 1);
	}
}

/* A count of at most nine digits, or -1. */
static int64_t
parse_count(const char *text, size_t len)
{
	int64_t n = 0;

	if (len == 0 || len > 9)
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (!isdigit((unsigned char)text[i]))
			return -1;
		n = n * 10 + text[i] - '0';
	}
	return n;
}

/*
 * Hugging Face sends RateLimit: "api";r=499;t=300 (draft-ietf-httpapi-ratelimit-headers); of several policies the
 * tightest counts. An older draft wrote limit=500, remaining=499, reset=300 as items of their own.
 */
static void
read_rate_limit(struct http_answer *answer, const char *value, size_t len)
{
	for (size_t at = 0, n; at < len; at += n + 1) {
		const char *text;
		size_t text_len;
		int64_t left = -1, reset = -1;

		n = item_length(value + at, len - at, ',');
		if (find_parameter(value + at, n, "r", &text, &text_len) ||
		    find_parameter(value + at, n, "remaining", &text, &text_len))
			left = parse_count(text, text_len);
		if (find_parameter(value + at, n, "t", &text, &text_len) ||
		    find_parameter(value + at, n, "reset", &text, &text_len))
			reset = parse_count(text, text_len);
		if (left >= 0 && answer->quota_left >= 0 && left >= answer->quota_left)
			continue;
		if (left >= 0)
			answer->quota_left = left;
		if (reset >= 0)
			answer->quota_reset_s = reset;
	}
}

static void
read_rate_remaining(struct http_answer *answer, const char *value, size_t len)
{
	answer->quota_left = parse_count(value, len);
}

static void
read_rate_reset(struct http_answer *answer, const char *value, size_t len)
{
	int64_t n = parse_count(value, len);

	answer->quota_reset_s = n > 0 ? n : 0;
}

static const struct {
	const char *name;
	void (*read)(struct http_answer *answer, const char *value, size_t len);
} headers[] = {
	{ "ETag", read_etag },
	{ "Last-Modified", read_last_modified },
	{ "Content-Type", read_content_type },
	{ "Link", read_link },
	{ "RateLimit", read_rate_limit },
	{ "RateLimit-Remaining", read_rate_remaining },
	{ "RateLimit-Reset", read_rate_reset },
};

void
header_read_line(struct http_answer *answer, const char *line, size_t len)
{
	const char *colon, *value;
	size_t name_len, value_len;

	if (len >= 5 && memcmp(line, "HTTP/", 5) == 0) {
		answer->etag[0] = answer->last_modified[0] = answer->content_type[0] = '\0';
		answer->next[0] = '\0';
		answer->quota_left = -1;
		answer->quota_reset_s = 0;
		return;
	}
	if ((colon = memchr(line, ':', len)) == NULL)
		return;
	name_len = (size_t)(colon - line);
	value = colon + 1;
	value_len = len - name_len - 1;
	trim(&value, &value_len);
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		if (strlen(headers[i].name) == name_len &&
		    strncasecmp(line, headers[i].name, name_len) == 0)
			headers[i].read(answer, value, value_len);
}
