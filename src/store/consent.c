/* The record of consents: one line each, "1772524800 import form on example.org". */
#include "store/db.h"
#include "digest/limits.h"
#include "digest/utf8.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_HOW_BYTES = 31 };

void
store_add_consent(struct strbuf *record, const struct store_consent *c)
{
	size_t start;

	strbuf_addf(record, "%" PRId64 " %s ", c->at_utc, c->how[0] != '\0' ? c->how : "-");
	start = record->len;
	utf8_add_repaired(record, c->text, strlen(c->text));
	for (size_t i = start; i < record->len; i++)
		if ((unsigned char)record->buf[i] < 0x20 || record->buf[i] == 0x7f)
			record->buf[i] = ' ';
	strbuf_addc(record, '\n');
}

/* One line without its end. What is not of our form is a text of an old store. */
static int
read_line(const char *line, size_t len, struct arena *a, struct store_consent *out)
{
	char *copy = arena_strndup(a, line, len), *how, *text;
	int64_t at_utc;

	if (copy == NULL)
		return -1;
	*out = (struct store_consent){ .how = "", .text = copy };
	at_utc = strtoll(copy, &how, 10);
	if (how == copy || *how != ' ' || (text = strchr(how + 1, ' ')) == NULL ||
	    text == how + 1 || text - how > MAX_HOW_BYTES)
		return 0;
	*text = '\0';
	out->at_utc = at_utc;
	out->how = strcmp(how + 1, "-") == 0 ? "" : how + 1;
	out->text = text + 1;
	return 0;
}

int
store_read_consents(
    const char *record, struct arena *a, struct store_consent **out, size_t *n, struct error *err)
{
	struct store_consent *list;
	size_t lines = 1;

	for (const char *p = record; *p != '\0'; p++)
		lines += *p == '\n';
	if ((list = arena_array(a, lines, sizeof(*list))) == NULL)
		return err_nomem(err, "consents");
	*n = 0;
	while (*record != '\0') {
		size_t len = strcspn(record, "\n");

		if (len > 0 && read_line(record, len, a, &list[(*n)++]) == -1)
			return err_nomem(err, "consents");
		record += len + (record[len] == '\n');
	}
	*out = list;
	return 0;
}

/* A line is there already: to the letter, or of an import that only comes again. */
static bool
has_line(const char *record, const char *line, size_t len)
{
	static const char import[] = " import ";
	size_t digits = strspn(line, "0123456789");
	bool again = strncmp(line + digits, import, sizeof(import) - 1) == 0;

	for (size_t n; *record != '\0'; record += n + (record[n] == '\n')) {
		size_t skip = again ? strspn(record, "0123456789") : 0;
		size_t from = again ? digits : 0;

		n = strcspn(record, "\n");
		if (skip <= n && n - skip == len - from &&
		    memcmp(record + skip, line + from, len - from) == 0)
			return true;
	}
	return false;
}

static void
add_new_lines(struct strbuf *record, const char *before, const char *added)
{
	for (size_t n; *added != '\0'; added += n + (added[n] == '\n')) {
		n = strcspn(added, "\n");
		if (n == 0 || has_line(before, added, n))
			continue;
		strbuf_addn(record, added, n);
		strbuf_addc(record, '\n');
	}
}

/* The first says how it began and stays; of the others the oldest give way. */
int
readers_join_consents(
    const char *before, const char *added, struct strbuf *record, struct error *err)
{
	size_t first = strcspn(before, "\n"), nbefore = strlen(before), nadded = strlen(added);
	const char *rest;

	first += before[first] == '\n';
	rest = before + first;
	while (*rest != '\0' && nbefore + nadded > MAX_CONSENT_BYTES) {
		size_t len = strcspn(rest, "\n");

		len += rest[len] == '\n';
		rest += len;
		nbefore -= len;
	}
	strbuf_addn(record, before, first);
	if (first > 0 && before[first - 1] != '\n')
		strbuf_addc(record, '\n');
	strbuf_add(record, rest);
	add_new_lines(record, before, added);
	return strbuf_check(record, err);
}
