#include "fields.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "digest/date.h"
#include "digest/json.h"
#include "digest/limits.h"
#include "digest/text.h"
#include "digest/utf8.h"

const char *
field_text(struct fields *f, const char *text, size_t len, size_t max_bytes)
{
	struct strbuf repaired, plain, clean;
	const char *copy;

	if (text == NULL || len == 0)
		return "";
	strbuf_init(&repaired, 4 * max_bytes + len * 3);
	strbuf_init(&plain, 8 * max_bytes + len * 4);
	strbuf_init(&clean, max_bytes + 16);
	f->nreplaced += utf8_add_repaired(&repaired, text, len);
	text_add_latex(&plain, repaired.buf, repaired.len);
	text_add_clean(&clean, plain.buf, plain.len, max_bytes);
	copy = arena_strndup(f->arena, clean.buf, clean.len);
	f->nomem |= copy == NULL || repaired.state != STRBUF_OK || plain.state != STRBUF_OK ||
	    clean.state != STRBUF_OK;
	strbuf_release(&clean);
	strbuf_release(&plain);
	strbuf_release(&repaired);
	return copy != NULL ? copy : "";
}

const char *
field_member(struct fields *f, const json_t *object, const char *name, size_t max_bytes)
{
	size_t len;
	const char *text = json_get_text(object, name, &len);

	return field_text(f, text, len, max_bytes);
}

const char *
field_url(struct fields *f, const char *url)
{
	const char *copy;

	if (url == NULL || strlen(url) > MAX_URL_BYTES ||
	    (strncasecmp(url, "https://", 8) != 0 && strncasecmp(url, "http://", 7) != 0) ||
	    !utf8_is_valid(url, strlen(url)))
		return "";
	for (const char *s = url; *s != '\0'; s++)
		if ((unsigned char)*s <= ' ' || *s == 0x7f || strchr("<>\"\\^`{|}", *s) != NULL)
			return "";
	copy = arena_strdup(f->arena, url);
	f->nomem |= copy == NULL;
	return copy != NULL ? copy : "";
}

const char *
field_url_member(struct fields *f, const json_t *object, const char *name)
{
	return field_url(f, json_get_string(object, name));
}

const char **
field_list(struct fields *f, const json_t *array, size_t max, size_t *n)
{
	size_t size = array != NULL ? json_array_size(array) : 0;
	const char **items;

	*n = 0;
	if (size == 0)
		return NULL;
	if (size > max)
		size = max;
	if ((items = arena_array(f->arena, size, sizeof(*items))) == NULL) {
		f->nomem = true;
		return NULL;
	}
	for (size_t i = 0; i < size; i++) {
		const json_t *item = json_array_get(array, i);
		const char *text;

		if (!json_is_string(item))
			continue;
		text = field_text(
		    f, json_string_value(item), json_string_length(item), MAX_NAME_BYTES);
		if (text[0] != '\0')
			items[(*n)++] = text;
	}
	return items;
}

int64_t
field_time(const json_t *object, const char *name)
{
	const char *text = json_get_string(object, name);
	int64_t utc = 0;

	if (text == NULL || date_parse(text, &utc, NULL) == -1)
		return 0;
	return utc;
}

int64_t
field_count(const json_t *object, const char *name)
{
	int64_t n = -1;

	if (!json_get_int64(object, name, &n) || n < 0)
		return -1;
	return n;
}

void
batch_add_broken(struct source_batch *batch, const char *where, size_t n, const char *why)
{
	if (batch->nbroken++ == 0)
		snprintf(
		    batch->first_broken, sizeof(batch->first_broken), "%s %zu: %s", where, n, why);
}
