#include "digest/qp.h"

#include "digest/text.h"
#include "digest/utf8.h"

#include <stdint.h>
#include <string.h>

enum { MAX_UNIT = 12 }; /* a character of four bytes, or an entity */

static const char digits[] = "0123456789ABCDEF";

/* True when none of the eight bytes is a control, DEL, '=' or above 0x7e. */
static bool
eight_are_safe(const char *text)
{
	const uint64_t ones = 0x0101010101010101u, high = 0x8080808080808080u;
	uint64_t x, equals;

	memcpy(&x, text, sizeof(x));
	equals = x ^ ('=' * ones);
	return ((x | (x + ones) | (x - ' ' * ones) | (equals - ones)) & high) == 0;
}

static bool
is_safe(char c)
{
	return (c >= ' ' && c <= '~' && c != '=') || c == '\t';
}

/* Whether one of the eight bytes is c. */
static bool
has_byte(uint64_t x, unsigned char c)
{
	const uint64_t ones = 0x0101010101010101u, high = 0x8080808080808080u;

	x ^= c * ones;
	return ((x - ones) & ~x & high) != 0;
}

/* Whether none of the eight bytes needs an entity. */
static bool
eight_are_text(const char *text)
{
	uint64_t x;

	memcpy(&x, text, sizeof(x));
	return !has_byte(x, '&') && !has_byte(x, '<') && !has_byte(x, '>') && !has_byte(x, '"') &&
	    !has_byte(x, '\'');
}

static bool
is_safe_html(char c)
{
	return is_safe(c) && c != '&' && c != '<' && c != '>' && c != '"' && c != '\'';
}

/* How many bytes at text stand for themselves: printable ASCII but '=', blanks and tabs (RFC 2045 6.7 (2), (3)). */
static size_t
safe_run(const char *text, size_t len)
{
	size_t n = 0;

	while (n + 8 <= len && eight_are_safe(text + n))
		n += 8;
	while (n < len && is_safe(text[n]))
		n++;
	return n;
}

static size_t
safe_html_run(const char *text, size_t len)
{
	size_t n = 0;

	while (n + 8 <= len && eight_are_safe(text + n) && eight_are_text(text + n))
		n += 8;
	while (n < len && is_safe_html(text[n]))
		n++;
	return n;
}

/* SMTP doubles and undoubles a leading dot, mailboxes put '>' before "From ": not ours. What begins like it may go on in
 * the next piece. */
static bool
is_risky_start(const char *text, size_t len)
{
	return text[0] == '.' || (text[0] == 'F' && memcmp(text, "From ", len < 5 ? len : 5) == 0);
}

void
qp_break(struct qp *qp)
{
	if (qp->column > 0)
		strbuf_addn(qp->out, "=\r\n", 3);
	qp->column = 0;
}

static void
add_unit(struct qp *qp, const char *bytes, size_t len)
{
	if (qp->column + len > qp->columns)
		qp_break(qp);
	strbuf_addn(qp->out, bytes, len);
	qp->column += (unsigned)len;
}

static void
add_coded(struct qp *qp, const char *bytes, size_t len)
{
	char unit[MAX_UNIT];

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)bytes[i];

		unit[3 * i] = '=';
		unit[3 * i + 1] = digits[c >> 4];
		unit[3 * i + 2] = digits[c & 15];
	}
	add_unit(qp, unit, 3 * len);
}

/* A blank at the end of a line may be lost on the way. */
static void
code_last_blank(struct qp *qp)
{
	struct strbuf *out = qp->out;
	char last = qp->column > 0 && out->len > 0 ? out->buf[out->len - 1] : '\0';

	if (last != ' ' && last != '\t')
		return;
	strbuf_truncate(out, out->len - 1);
	qp->column--;
	add_coded(qp, &last, 1);
}

static void
end_line(struct qp *qp)
{
	code_last_blank(qp);
	strbuf_addn(qp->out, "\r\n", 2);
	qp->column = 0;
}

/* What does not stand for itself; returns the bytes of text that it was. */
static size_t
add_character(struct qp *qp, const char *text, size_t len, bool html)
{
	const char *escaped = html ? text_entity(text[0]) : NULL;
	uint32_t cp;
	unsigned n;

	if (escaped != NULL) {
		add_unit(qp, escaped, strlen(escaped));
		return 1;
	}
	n = utf8_decode(text, len, &cp);
	if (n == 0) {
		add_coded(qp, "\xef\xbf\xbd", 3); /* U+FFFD */
		return 1;
	}
	add_coded(qp, text, n);
	return n;
}

static void
add(struct qp *qp, const char *text, size_t len, bool html)
{
	const char *end = text + len;

	while (text < end && qp->out->state == STRBUF_OK) {
		size_t left = (size_t)(end - text), room = qp->columns - qp->column, run = 0;

		if (qp->column > 0 || !is_risky_start(text, left)) {
			size_t most = left < room ? left : room;

			run = html ? safe_html_run(text, most) : safe_run(text, most);
		}
		if (run > 0) {
			strbuf_addn(qp->out, text, run);
			qp->column += (unsigned)run;
			text += run;
		} else if (text[0] == '\n') {
			end_line(qp);
			text++;
		} else if (text[0] == '\r' && left > 1 && text[1] == '\n') {
			text++;
		} else if (room == 0) {
			qp_break(qp);
		} else {
			text += add_character(qp, text, left, html);
		}
	}
}

void
qp_add(struct qp *qp, const char *text, size_t len)
{
	add(qp, text, len, false);
}

void
qp_add_html(struct qp *qp, const char *text, size_t len)
{
	add(qp, text, len, true);
}

void
qp_add_ready(struct qp *qp, const char *bytes, size_t len)
{
	const char *end = bytes + len, *cr = memchr(bytes, '\r', len), *newline;

	if (qp->column + (size_t)((cr != NULL ? cr : end) - bytes) > qp->columns)
		qp_break(qp);
	/* A soft break at the start of a line would leave an empty one. */
	if (qp->column == 0 && len >= 3 && memcmp(bytes, "=\r\n", 3) == 0)
		bytes += 3;
	if (qp->column == 0 && bytes < end && is_risky_start(bytes, (size_t)(end - bytes)))
		add_coded(qp, bytes++, 1);
	newline = memrchr(bytes, '\n', (size_t)(end - bytes));
	strbuf_addn(qp->out, bytes, (size_t)(end - bytes));
	qp->column =
	    newline != NULL ? (unsigned)(end - newline - 1) : qp->column + (unsigned)(end - bytes);
}

void
qp_add_text(struct strbuf *out, const char *text, size_t len)
{
	struct qp qp = { out, 0, QP_COLUMNS };

	add(&qp, text, len, false);
	code_last_blank(&qp);
}

static bool
is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F');
}

static unsigned
hex(char c)
{
	return (unsigned)(c <= '9' ? c - '0' : c - 'A' + 10);
}

const char *
qp_skip(const char *at, const char *end, bool html, size_t *len)
{
	const char *start;

	*len = 1;
	while (end - at >= 3 && memcmp(at, "=\r\n", 3) == 0)
		at += 3;
	if (html && at < end && at[0] == '&') {
		while (at < end && *at++ != ';')
			;
		return at;
	}
	if (at == end || at[0] != '=')
		return at < end ? at + 1 : end;
	start = at;
	/* The bytes that follow the first one of a character are 10xxxxxx. */
	do
		at += 3;
	while (end - at >= 3 && at[0] == '=' && is_hex(at[1]) && (hex(at[1]) & 0xc) == 0x8);
	*len = (size_t)(at - start) / 3;
	return at < end ? at : end;
}

void
qp_add_decoded(struct strbuf *out, const char *bytes, size_t len)
{
	const char *end = bytes + len;

	while (bytes < end) {
		const char *stop = bytes;
		char c;

		while (stop < end && *stop != '=' && *stop != '\r')
			stop++;
		strbuf_addn(out, bytes, (size_t)(stop - bytes));
		bytes = stop;
		if (end - bytes >= 3 && memcmp(bytes, "=\r\n", 3) == 0) {
			bytes += 3;
		} else if (end - bytes >= 3 && bytes[0] == '=' && is_hex(bytes[1]) &&
		    is_hex(bytes[2])) {
			c = (char)(hex(bytes[1]) << 4 | hex(bytes[2]));
			strbuf_addn(out, &c, 1);
			bytes += 3;
		} else if (end - bytes >= 2 && memcmp(bytes, "\r\n", 2) == 0) {
			strbuf_addc(out, '\n');
			bytes += 2;
		} else if (bytes < end) {
			strbuf_addn(out, bytes++, 1);
		}
	}
}
