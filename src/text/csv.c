#include "digest/csv.h"

#include "digest/limits.h"
#include "digest/utf8.h"

#include <stdbool.h>
#include <string.h>

static bool
is_line_end(char c)
{
	return c == '\n' || c == '\r';
}

/* The separator of which the first line has most, quoted text aside. */
static char
find_separator(const char *p, const char *end)
{
	static const char separators[] = ",;\t";
	size_t counts[sizeof(separators) - 1] = { 0 };
	bool quoted = false;
	char best = ',';
	size_t most = 0;

	for (; p < end && (quoted || !is_line_end(*p)); p++) {
		const char *at = *p != '\0' ? strchr(separators, *p) : NULL;

		if (*p == '"')
			quoted = !quoted;
		if (at != NULL && !quoted)
			counts[at - separators]++;
	}
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		if (counts[i] > most) {
			most = counts[i];
			best = separators[i];
		}
	return best;
}

void
csv_init(struct csv *csv, const char *bytes, size_t len)
{
	*csv = (struct csv){ .bytes = bytes, .len = len, .line = 1 };
	if (len >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0)
		csv->pos = 3;
	csv->separator = find_separator(bytes + csv->pos, bytes + len);
}

/* Over one end of a line, of which CR LF is one. */
static size_t
after_line_end(const struct csv *csv, size_t pos)
{
	if (csv->bytes[pos] == '\r' && pos + 1 < csv->len && csv->bytes[pos + 1] == '\n')
		return pos + 2;
	return pos + 1;
}

static void
skip_empty_lines(struct csv *csv)
{
	while (csv->pos < csv->len && is_line_end(csv->bytes[csv->pos])) {
		csv->pos = after_line_end(csv, csv->pos);
		csv->line++;
	}
}

/* One record at work. */
struct reading {
	struct csv *csv;
	struct arena *arena;
	size_t pos;
	size_t alloc;
	uint32_t line;
	struct csv_record *out;
	struct error *err;
};

static char
byte_at(const struct reading *r, size_t pos)
{
	return pos < r->csv->len ? r->csv->bytes[pos] : '\n';
}

static bool
ends_field(const struct reading *r, size_t pos)
{
	return pos >= r->csv->len || is_line_end(r->csv->bytes[pos]) ||
	    r->csv->bytes[pos] == r->csv->separator;
}

static int
add_field(struct reading *r, const char *text, size_t len)
{
	const char **grown;

	if (text == NULL)
		return err_nomem(r->err, "CSV record");
	if (memchr(text, '\0', len) != NULL)
		return err_set(r->err, ERR_DATA, "a NUL byte; expected text");
	if (!utf8_is_valid(text, len))
		return err_set(r->err, ERR_DATA, "not UTF-8; save the table as \"CSV UTF-8\"");
	if (r->out->n == MAX_CSV_FIELDS)
		return err_set(r->err, ERR_DATA, "more than %d fields", MAX_CSV_FIELDS);
	grown = arena_grow(r->arena, r->out->fields, r->out->n, &r->alloc, sizeof(*r->out->fields));
	if (grown == NULL || (text = arena_strndup(r->arena, text, len)) == NULL)
		return err_nomem(r->err, "CSV record");
	r->out->fields = grown;
	r->out->fields[r->out->n++] = text;
	return 0;
}

/* Up to the closing quote; two of them mean one. */
static int
read_quoted(struct reading *r)
{
	const char *bytes = r->csv->bytes;
	size_t start = r->pos + 1, pos = start, len = 0;
	char *text;

	for (;; pos++) {
		if (pos >= r->csv->len || pos - start > MAX_CSV_RECORD)
			return err_set(
			    r->err, ERR_DATA, "a quote that is not closed; expected another '\"'");
		if (bytes[pos] == '"' && byte_at(r, pos + 1) != '"')
			break;
		pos += bytes[pos] == '"';
	}
	if (!ends_field(r, pos + 1))
		return err_set(r->err, ERR_DATA,
		    "text behind a closing quote; expected '%s' or the end of the line (a quote "
		    "inside "
		    "is written twice)",
		    r->csv->separator == '\t' ? "a tab"
					      : (const char[]){ r->csv->separator, '\0' });
	if ((text = arena_alloc(r->arena, pos - start + 1)) == NULL)
		return err_nomem(r->err, "CSV record");
	for (size_t i = start; i < pos; i++) {
		text[len++] = bytes[i];
		if (bytes[i] == '"')
			i++;
		if (bytes[i] == '\n' || (bytes[i] == '\r' && byte_at(r, i + 1) != '\n'))
			r->line++;
	}
	r->pos = pos + 1;
	return add_field(r, text, len);
}

static int
read_plain(struct reading *r)
{
	size_t start = r->pos;

	for (; !ends_field(r, r->pos); r->pos++) {
		if (r->csv->bytes[r->pos] == '"')
			return err_set(r->err, ERR_DATA,
			    "a quote inside a field; expected the whole field in quotes, and this "
			    "one twice");
		if (r->pos - start > MAX_CSV_RECORD)
			return err_set(
			    r->err, ERR_DATA, "a field of more than %u bytes", MAX_CSV_RECORD);
	}
	return add_field(r, r->csv->bytes + start, r->pos - start);
}

static int
read_fields(struct reading *r)
{
	for (;; r->pos++) {
		if ((byte_at(r, r->pos) == '"' ? read_quoted(r) : read_plain(r)) == -1)
			return -1;
		if (r->pos - r->csv->pos > MAX_CSV_RECORD)
			return err_set(
			    r->err, ERR_DATA, "a record of more than %u bytes", MAX_CSV_RECORD);
		if (r->pos >= r->csv->len || is_line_end(r->csv->bytes[r->pos]))
			return 0;
	}
}

/* A record that cannot be read may have lost a quote: what stands on the lines after it is read for itself. */
static void
skip_line(struct csv *csv)
{
	while (csv->pos < csv->len && !is_line_end(csv->bytes[csv->pos]))
		csv->pos++;
}

int
csv_next(
    struct csv *csv, struct arena *a, struct csv_record *out, size_t *column, struct error *err)
{
	struct reading r = { .csv = csv, .arena = a, .out = out, .err = err };

	skip_empty_lines(csv);
	*out = (struct csv_record){ .line = csv->line };
	if (csv->pos >= csv->len)
		return 0;
	r.pos = csv->pos;
	r.line = csv->line;
	if (read_fields(&r) == -1) {
		*column = out->n + 1;
		skip_line(csv);
		return -1;
	}
	csv->pos = r.pos;
	csv->line = r.line;
	return 1;
}
