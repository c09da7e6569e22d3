#include "digest/text.h"
#include "digest/utf8.h"

#include <utf8proc.h>

#include <ctype.h>
#include <string.h>
#include <strings.h>

static size_t
char_width(uint32_t cp)
{
	int w;

	if (cp < 0x80)
		return cp >= 0x20 && cp < 0x7f;
	w = utf8proc_charwidth((utf8proc_int32_t)cp);
	return w > 0 ? (size_t)w : 0;
}

/* One character, or one byte that is none and stands as a replacement character. */
static size_t
next_char(const char *text, size_t len, uint32_t *cp)
{
	size_t n = utf8_decode(text, len, cp);

	if (n > 0)
		return n;
	*cp = 0xfffd;
	return 1;
}

size_t
text_width(const char *text, size_t len)
{
	size_t width = 0;
	uint32_t cp;

	for (size_t at = 0; at < len;) {
		size_t plain = utf8_plain_run(text + at, len - at);

		at += plain;
		width += plain;
		if (at == len)
			break;
		at += next_char(text + at, len - at, &cp);
		width += char_width(cp);
	}
	return width;
}

size_t
text_cut(const char *text, size_t len, size_t max_bytes, size_t max_width)
{
	utf8proc_int32_t previous = 0, state = 0;
	size_t width = 0, fits = 0, plain = utf8_plain_run(text, len),
	       most = max_bytes < max_width ? max_bytes : max_width;

	/* Printable ASCII is a column for each byte; the last of it may have marks behind it. */
	if (plain == len || plain > most)
		return len < most ? len : most;

	for (size_t at = 0; at < len;) {
		uint32_t cp;
		size_t n = next_char(text + at, len - at, &cp);

		if (at > 0 &&
		    utf8proc_grapheme_break_stateful(previous, (utf8proc_int32_t)cp, &state))
			fits = at;
		width += char_width(cp);
		at += n;
		if (at > max_bytes || width > max_width)
			return fits;
		previous = (utf8proc_int32_t)cp;
	}
	return len;
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool
is_wide_letter(uint32_t cp)
{
	return cp >= 0x2e80 && char_width(cp) == 2 &&
	    utf8proc_category((utf8proc_int32_t)cp) == UTF8PROC_CATEGORY_LO;
}

/* The longest stretch without a place for a line to end: up to a blank, or to an ideograph; what
 * follows an ideograph and is no letter (its punctuation) stays with it. */
static size_t
unbreakable(const char *text, size_t len)
{
	bool wide = false;
	size_t at = 0;

	while (at < len && text[at] > ' ' && text[at] <= '~')
		at++;
	while (at < len && !is_space(text[at])) {
		uint32_t cp;
		size_t n = next_char(text + at, len - at, &cp);

		if (at > 0 && is_wide_letter(cp))
			break;
		if (wide && (char_width(cp) == 1 || is_wide_letter(cp)))
			break;
		wide = wide || is_wide_letter(cp);
		at += n;
	}
	return at;
}

/* An address is no address any more when it is broken. */
static bool
is_address(const char *word, size_t len)
{
	static const char mailto[] = "mailto:";

	return memmem(word, len, "://", 3) != NULL ||
	    (len >= sizeof(mailto) && strncasecmp(word, mailto, sizeof(mailto) - 1) == 0);
}

void
text_add_wrapped(struct strbuf *out, const char *text, size_t len, const char *indent, size_t width)
{
	size_t indent_width = text_width(indent, strlen(indent)), column = 0;
	size_t room = width > indent_width ? width - indent_width : 1;

	for (size_t at = 0; at < len;) {
		size_t blank = 0, n, w;

		for (; at < len && is_space(text[at]); at++)
			blank = column > 0;
		n = unbreakable(text + at, len - at);
		if (n == 0)
			break;
		w = text_width(text + at, n);
		if (w > room && !is_address(text + at, n)) {
			size_t part = text_cut(text + at, n, n, room);

			n = part > 0 ? part : n;
			w = text_width(text + at, n);
		}
		if (column == 0) {
			strbuf_add(out, indent);
			column = indent_width;
		} else if (column + blank + w > width) {
			strbuf_addc(out, '\n');
			strbuf_add(out, indent);
			column = indent_width;
		} else if (blank) {
			strbuf_addc(out, ' ');
			column++;
		}
		strbuf_addn(out, text + at, n);
		column += w;
		at += n;
	}
}
