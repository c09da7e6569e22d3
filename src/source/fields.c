#include "fields.h"

#include "digest/date.h"
#include "digest/limits.h"
#include "digest/text.h"
#include "digest/utf8.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { DAY_SECONDS = 86400 };

void
fields_init(struct fields *f, struct arena *a)
{
	memset(f, 0, sizeof(*f));
	f->arena = a;
	/* A command of three bytes may become a character of four. */
	strbuf_init(&f->latex, 4 * MAX_JSON_BYTES);
	strbuf_init(&f->clean, 4 * MAX_JSON_BYTES);
}

void
fields_release(struct fields *f)
{
	strbuf_release(&f->latex);
	strbuf_release(&f->clean);
}

static const char *
keep(struct fields *f, const struct strbuf *text)
{
	const char *copy = NULL;

	if (text->state == STRBUF_OK)
		copy = arena_strndup(f->arena, text->buf, text->len);
	f->nomem |= copy == NULL;
	return copy != NULL ? copy : "";
}

const char *
field_plain(struct fields *f, const char *text, size_t len, size_t max_bytes)
{
	if (text == NULL || len == 0)
		return "";
	strbuf_reset(&f->clean);
	f->nreplaced += text_add_clean(&f->clean, text, len, max_bytes);
	return f->clean.len > 0 || f->clean.state != STRBUF_OK ? keep(f, &f->clean) : "";
}

const char *
field_latex(struct fields *f, const char *text, size_t len, size_t max_bytes)
{
	if (text == NULL || len == 0)
		return "";
	strbuf_reset(&f->latex);
	text_add_latex(&f->latex, text, len);
	f->nomem |= f->latex.state != STRBUF_OK;
	return field_plain(f, f->latex.buf, f->latex.len, max_bytes);
}

const char *
field_member(struct fields *f, const json_t *object, const char *name, size_t max_bytes)
{
	size_t len;
	const char *text = json_get_text(object, name, &len);

	return field_latex(f, text, len, max_bytes);
}

/* Length of "https://" or "http://" at text, in any case, else 0. */
static size_t
scheme_length(const char *text)
{
	if (strncasecmp(text, "https://", 8) == 0)
		return 8;
	return strncasecmp(text, "http://", 7) == 0 ? 7 : 0;
}

static void
add_url_byte(struct strbuf *out, unsigned char c)
{
	if (c <= ' ' || c >= 0x7f || strchr("\"<>\\^`{|}", c) != NULL)
		strbuf_addf(out, "%%%02X", c);
	else
		strbuf_addc(out, (char)c);
}

const char *
field_url(struct fields *f, const char *text)
{
	size_t scheme, host, len;

	if (text == NULL)
		return "";
	text += strspn(text, " \t\r\n");
	len = strlen(text);
	while (len > 0 && strchr(" \t\r\n", text[len - 1]) != NULL)
		len--;
	if ((scheme = scheme_length(text)) == 0 || len > MAX_URL_BYTES)
		return "";
	host = strspn(text + scheme,
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	    "-._~:[]");
	if (host == 0 || scheme + host > len ||
	    (scheme + host < len && strchr("/?#", text[scheme + host]) == NULL))
		return "";
	strbuf_reset(&f->clean);
	for (size_t i = 0; i < len; i++)
		if (i < scheme)
			strbuf_addc(&f->clean, (char)tolower((unsigned char)text[i]));
		else
			add_url_byte(&f->clean, (unsigned char)text[i]);
	return f->clean.len <= MAX_URL_BYTES ? keep(f, &f->clean) : "";
}

const char *
field_key(struct fields *f, const char *text, uint32_t *version)
{
	static const char arxiv_doi[] = "doi:10.48550/arxiv.";
	struct strbuf key;
	const char *copy = NULL;

	strbuf_init(&key, MAX_URL_BYTES);
	if (text != NULL && paper_add_key(&key, text, version) == 1) {
		copy = keep(f, &key);
		if (strncmp(copy, arxiv_doi, sizeof(arxiv_doi) - 1) == 0) {
			strbuf_reset(&key);
			if (paper_add_key(&key, copy + sizeof(arxiv_doi) - 1, version) == 1)
				copy = keep(f, &key);
		}
	}
	strbuf_release(&key);
	return copy;
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

	return json_get_int64(object, name, &n) && n >= 0 ? n : -1;
}

int32_t
field_day(int64_t utc)
{
	return (int32_t)((utc - (utc < 0 ? DAY_SECONDS - 1 : 0)) / DAY_SECONDS);
}

int
fields_check_start(
    const char *bytes, size_t len, const char *expected, size_t *start, struct error *err)
{
	size_t at = len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0, end, line = 1;

	for (; at < len && strchr(" \t\r\n", bytes[at]) != NULL && bytes[at] != '\0'; at++)
		line += bytes[at] == '\n';
	if (at == len)
		return err_set(err, ERR_DATA, "nothing at all; expected %s", expected);
	*start = at;
	if (bytes[at] != '<')
		return 0;
	for (end = at + 1; end < len && end < at + 20 && isalnum((unsigned char)bytes[end]); end++)
		;
	return err_set(err, ERR_DATA, "'%.*s' at line %zu; expected %s", (int)(end - at),
	    bytes + at, line, expected);
}

int
fields_read_json(struct fields *f, const char *bytes, size_t len, size_t max_bytes, json_t **out,
    struct error *err)
{
	struct strbuf repaired;
	int rc = -1;

	/* Repairing drops NUL bytes, which are an error of their own: what is half UTF-16 must not pass for JSON. */
	if (len > max_bytes || memchr(bytes, '\0', len) != NULL || utf8_is_valid(bytes, len))
		return json_read(bytes, len, max_bytes, out, err);
	strbuf_init(&repaired, 3 * max_bytes);
	f->nreplaced += utf8_add_repaired(&repaired, bytes, len);
	if (strbuf_check(&repaired, err) == 0)
		rc = json_read(repaired.buf, repaired.len, 3 * max_bytes, out, err);
	strbuf_release(&repaired);
	return rc;
}

void
batch_add_broken(struct source_batch *batch, const char *fmt, ...)
{
	va_list ap;

	if (batch->nbroken++ > 0)
		return;
	va_start(ap, fmt);
	vsnprintf(batch->first_broken, sizeof(batch->first_broken), fmt, ap);
	va_end(ap);
}
