#include "digest/message.h"
#include "digest/utf8.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum {
	LINE_COLUMNS = 75
}; /* RFC 2045 6.7 (5) allows 76, the last is kept for the '=' of a soft break */

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

/* How many bytes at text stand for themselves: printable ASCII but '=', blanks and tabs (RFC
 * 2045 6.7 (2), (3)). */
static size_t
safe_run(const char *text, size_t len)
{
	size_t n = 0;

	while (n + 8 <= len && eight_are_safe(text + n))
		n += 8;
	while (n < len && ((text[n] >= ' ' && text[n] <= '~' && text[n] != '=') || text[n] == '\t'))
		n++;
	return n;
}

/* SMTP doubles and undoubles a leading dot, mailboxes put '>' before "From ": not ours. */
static bool
is_risky_start(const char *text, size_t len)
{
	return text[0] == '.' || (len >= 5 && memcmp(text, "From ", 5) == 0);
}

/* One line of output as it is put together. */
struct qp_line {
	char bytes[LINE_COLUMNS + 4]; /* and "=\r\n" */
	size_t len;
};

static void
put_coded(struct qp_line *line, const char *bytes, unsigned len)
{
	static const char digits[] = "0123456789ABCDEF";

	for (unsigned i = 0; i < len; i++) {
		unsigned char c = (unsigned char)bytes[i];

		line->bytes[line->len++] = '=';
		line->bytes[line->len++] = digits[c >> 4];
		line->bytes[line->len++] = digits[c & 15];
	}
}

static void
end_line(struct strbuf *out, struct qp_line *line, const char *end, size_t end_len)
{
	memcpy(line->bytes + line->len, end, end_len);
	strbuf_addn(out, line->bytes, line->len + end_len);
	line->len = 0;
}

/* One line of text without its end. The last line of output stays in line. */
static void
encode_line(struct strbuf *out, struct qp_line *line, const char *text, size_t len)
{
	const char *end = text + len;

	while (text < end) {
		size_t left = (size_t)(end - text), room = LINE_COLUMNS - line->len, run = 0;
		const char *character = text;
		unsigned n, step;
		uint32_t cp;

		if (line->len > 0 || !is_risky_start(text, left))
			run = safe_run(text, left < room ? left : room);
		if (run == left && (end[-1] == ' ' || end[-1] == '\t'))
			run--; /* a blank at the end of a line may be lost on the way */
		if (run > 0) {
			memcpy(line->bytes + line->len, text, run);
			line->len += run;
			text += run;
			continue;
		}
		n = utf8_decode(text, left, &cp);
		step = n > 0 ? n : 1;
		if (n == 0) {
			character = "\xef\xbf\xbd"; /* U+FFFD */
			n = 3;
		}
		if (3 * n > room) {
			end_line(out, line, "=\r\n", 3);
			continue;
		}
		put_coded(line, character, n);
		text += step;
	}
}

void
message_add_qp(struct strbuf *out, const char *text, size_t len)
{
	const char *end = text + len;
	struct qp_line line = { .len = 0 };

	while (text < end) {
		const char *lf = memchr(text, '\n', (size_t)(end - text));
		const char *stop = lf != NULL ? lf : end;

		if (lf != NULL && stop > text && stop[-1] == '\r')
			stop--;
		encode_line(out, &line, text, (size_t)(stop - text));
		end_line(out, &line, "\r\n", lf != NULL ? 2 : 0);
		text = lf != NULL ? lf + 1 : end;
	}
}
