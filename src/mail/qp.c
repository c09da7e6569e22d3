#include "digest/message.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "digest/utf8.h"

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

/* How many bytes at text stand for themselves: printable ASCII but '=', blanks and tabs (RFC 2045 6.7 (2), (3)). */
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

/* A dot would be doubled and undoubled by SMTP, "From " gets a '>' in mailboxes: neither is left to others. */
static bool
is_risky_start(const char *text, size_t len)
{
	return text[0] == '.' || (len >= 5 && memcmp(text, "From ", 5) == 0);
}

static void
add_coded(struct strbuf *out, const char *bytes, unsigned len)
{
	static const char digits[] = "0123456789ABCDEF";

	for (unsigned i = 0; i < len; i++) {
		unsigned char c = (unsigned char)bytes[i];
		const char coded[3] = { '=', digits[c >> 4], digits[c & 15] };

		strbuf_addn(out, coded, sizeof(coded));
	}
}

/* One line of text without its end. */
static void
add_line(struct strbuf *out, const char *text, size_t len)
{
	const char *end = text + len;
	size_t column = 0;

	while (text < end) {
		size_t left = (size_t)(end - text), room = LINE_COLUMNS - column, run = 0;
		const char *character = text;
		uint32_t cp;
		unsigned n, step;

		if (column > 0 || !is_risky_start(text, left))
			run = safe_run(text, left < room ? left : room);
		if (run == left && (end[-1] == ' ' || end[-1] == '\t'))
			run--; /* a blank at the end of a line may be lost on the way */
		if (run > 0) {
			strbuf_addn(out, text, run);
			column += run;
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
			strbuf_add(out, "=\r\n");
			column = 0;
			continue;
		}
		add_coded(out, character, n);
		column += 3 * n;
		text += step;
	}
}

void
message_add_qp(struct strbuf *out, const char *text, size_t len)
{
	const char *end = text + len;

	while (text < end) {
		const char *lf = memchr(text, '\n', (size_t)(end - text));
		const char *stop = lf != NULL ? lf : end;

		if (lf != NULL && stop > text && stop[-1] == '\r')
			stop--;
		add_line(out, text, (size_t)(stop - text));
		if (lf == NULL)
			return;
		strbuf_add(out, "\r\n");
		text = lf + 1;
	}
}
