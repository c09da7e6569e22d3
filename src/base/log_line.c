#include "base/log_line.h"

#include "digest/date.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { MAX_EVENT_WORDS = 6, MAX_EVENT_BYTES = 64, END_BYTES = 8 };

static const struct {
	const char *name;
	int priority; /* syslog(3) */
} levels[] = {
	[LOG_LEVEL_ERROR] = { "error", 3 },
	[LOG_LEVEL_WARN] = { "warning", 4 },
	[LOG_LEVEL_INFO] = { "info", 6 },
	[LOG_LEVEL_DEBUG] = { "debug", 7 },
};

static bool
is_small(char c)
{
	return c >= 'a' && c <= 'z';
}

/* ---- fields ---- */

struct field {
	const char *key, *value;
	size_t key_len, value_len;
};

/* "key=value" or key="some words" at text; returns where it ends, or NULL. */
static const char *
read_field(const char *text, struct field *f)
{
	f->key = text;
	f->key_len = strspn(text, "abcdefghijklmnopqrstuvwxyz_");
	f->value = text + f->key_len + 1;
	if (f->key_len == 0 || text[f->key_len] != '=')
		return NULL;
	if (*f->value != '"') {
		f->value_len = strcspn(f->value, " ");
		return f->value + f->value_len;
	}
	f->value++;
	f->value_len = strcspn(f->value, "\"");
	return f->value[f->value_len] == '"' ? f->value + f->value_len + 1 : NULL;
}

/* Where the fields at the end of a sentence begin; at its NUL when it has none. */
static const char *
find_fields(const char *text)
{
	struct field f;

	for (const char *from = strchr(text, ' '); from != NULL; from = strchr(from + 1, ' ')) {
		const char *at = from;

		while (at != NULL && *at == ' ')
			at = read_field(at + 1, &f);
		if (at != NULL && *at == '\0')
			return from;
	}
	return text + strlen(text);
}

/* ---- the event ---- */

/* Behind a conversion of printf(3). */
static const char *
skip_conversion(const char *fmt)
{
	fmt += strcspn(fmt, "diouxXeEfFgGaAcspn%");
	return *fmt != '\0' ? fmt + 1 : fmt;
}

/* "%zu mail%s of an earlier run may ..." is mail-of-an-earlier-run-may. */
static void
add_event(char out[MAX_EVENT_BYTES], const char *fmt)
{
	const char *fields = find_fields(fmt);
	size_t len = 0, nwords = 0;
	bool in_word = false;

	while (fmt < fields && len + 2 < MAX_EVENT_BYTES) {
		if (*fmt == '%') {
			fmt = skip_conversion(fmt + 1);
			continue;
		}
		if (is_small(*fmt)) {
			if (!in_word && ++nwords > MAX_EVENT_WORDS)
				break;
			if (!in_word && len > 0)
				out[len++] = '-';
			out[len++] = *fmt;
		}
		in_word = is_small(*fmt);
		fmt++;
	}
	out[len] = '\0';
}

/* ---- JSON ---- */

struct line {
	char *buf;
	size_t len, size; /* size leaves room for the end of the object */
	bool full;
};

static void
add_bytes(struct line *l, const char *bytes, size_t n)
{
	l->full = l->full || l->len + n > l->size;
	if (l->full)
		return;
	memcpy(l->buf + l->len, bytes, n);
	l->len += n;
}

/* The text is printable UTF-8. A character is put in whole or not at all. */
static void
add_string(struct line *l, const char *text, size_t n)
{
	add_bytes(l, "\"", 1);
	for (size_t i = 0; i < n;) {
		size_t width = 1;

		while (i + width < n && ((unsigned char)text[i + width] & 0xc0) == 0x80)
			width++;
		/* Escaped and all, or the string would end in the middle of it. */
		if (text[i] == '"' || text[i] == '\\') {
			char pair[2] = { '\\', text[i] };

			add_bytes(l, pair, 2);
		} else {
			add_bytes(l, text + i, width);
		}
		i += width;
	}
	/* Room for this is kept. */
	l->buf[l->len++] = '"';
}

__attribute__((format(printf, 2, 3))) static void
add(struct line *l, const char *fmt, ...)
{
	char part[128];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(part, sizeof(part), fmt, ap);
	va_end(ap);
	if (n > 0)
		add_bytes(l, part, (size_t)n < sizeof(part) ? (size_t)n : sizeof(part) - 1);
}

static void
add_fields(struct line *l, const char *fields)
{
	struct field f;

	while (*fields == ' ' && (fields = read_field(fields + 1, &f)) != NULL) {
		struct line before = *l;

		add(l, ",\"%.*s\":", (int)f.key_len, f.key);
		add_string(l, f.value, f.value_len);
		if (l->full) { /* a field whole or not at all */
			*l = before;
			return;
		}
	}
}

static size_t
json_line(const struct log_record *e, char *out, size_t size)
{
	struct line l = { .buf = out, .size = size - END_BYTES };
	const char *fields = find_fields(e->text);
	char time[DATE_RFC3339_SIZE], event[MAX_EVENT_BYTES];

	date_format_rfc3339(e->now_ms / 1000, time);
	time[strcspn(time, "Z")] = '\0';
	if (e->event != NULL)
		snprintf(event, sizeof(event), "%s", e->event);
	else
		add_event(event, e->fmt);
	add(&l, "{\"time\":\"%s.%03dZ\",\"level\":\"%s\"", time, (int)(e->now_ms % 1000),
	    levels[e->level].name);
	add(&l, ",\"event\":\"%s\",\"pid\":%ld,\"text\":",
	    event[0] != '\0' ? event : levels[e->level].name, e->pid);
	add_string(&l, e->text, (size_t)(fields - e->text));
	add_fields(&l, fields);
	memcpy(l.buf + l.len, "}\n", 2);
	return l.len + 2;
}

size_t
log_line(enum log_format format, const struct log_record *e, char *out, size_t size)
{
	int n;

	if (format == LOG_JSON)
		return json_line(e, out, size);
	if (format == LOG_JOURNAL)
		n = snprintf(out, size - 1, "<%d>%s", levels[e->level].priority, e->text);
	else
		n = snprintf(out, size - 1, "%s: %s%s", e->name,
		    e->level == LOG_LEVEL_WARN ? "warning: " : "", e->text);
	if (n < 0)
		return 0;
	if ((size_t)n > size - 2)
		n = (int)size - 2;
	out[n] = '\n';
	return (size_t)n + 1;
}
