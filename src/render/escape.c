#include "render/escape.h"

#include "digest/limits.h"
#include "digest/render.h"
#include "digest/utf8.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

void
escape_add_html(struct strbuf *out, const char *text)
{
	for (;;) {
		size_t n = strcspn(text, "&<>\"'");

		strbuf_addn(out, text, n);
		text += n;
		switch (*text++) {
		case '&':
			strbuf_add(out, "&amp;");
			break;
		case '<':
			strbuf_add(out, "&lt;");
			break;
		case '>':
			strbuf_add(out, "&gt;");
			break;
		case '"':
			strbuf_add(out, "&quot;");
			break;
		case '\'':
			strbuf_add(out, "&#39;");
			break;
		default:
			return; /* the end */
		}
	}
}

/* C0, DEL, C1, and the separators that some programs take for a line's end. */
static bool
is_control(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == 0x2028 || cp == 0x2029;
}

void
escape_add_header(struct strbuf *out, const char *text, size_t len)
{
	for (size_t i = 0, n; i < len; i += n) {
		uint32_t cp;

		n = utf8_decode(text + i, len - i, &cp);
		if (n == 0) {
			n = 1;
			strbuf_add_codepoint(out, 0xfffd);
		} else if (is_control(cp)) {
			strbuf_addc(out, ' ');
		} else {
			strbuf_addn(out, text + i, n);
		}
	}
}

static bool
is_hex(char c)
{
	return c != '\0' && strchr("0123456789abcdefABCDEF", c) != NULL;
}

/* What RFC 3986 section 2 lets stand in a URL as it is; quotes are left out, they only ever break something. */
static bool
is_url_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	    (c != '\0' && strchr("-._~:/?#[]@!$&()*+,;=", c) != NULL);
}

static void
add_encoded(struct strbuf *out, const char *url)
{
	for (; *url != '\0'; url++) {
		if (is_url_char(*url) || (*url == '%' && is_hex(url[1]) && is_hex(url[2])))
			strbuf_addc(out, *url);
		else
			strbuf_addf(out, "%%%02X", (unsigned)(unsigned char)*url);
	}
}

static bool
is_web_url(const char *url)
{
	size_t scheme = strncasecmp(url, "https://", 8) == 0 ? 8
	    : strncasecmp(url, "http://", 7) == 0	     ? 7
							     : 0;

	return scheme > 0 && strchr("/?#", url[scheme]) == NULL && strlen(url) <= MAX_URL_BYTES;
}

void
render_add_url(struct strbuf *out, const char *url)
{
	if (is_web_url(url))
		add_encoded(out, url);
	else
		strbuf_addc(out, '#');
}

void
escape_add_link(struct strbuf *out, const char *url)
{
	if (strncasecmp(url, "mailto:", 7) == 0 && strlen(url) <= MAX_URL_BYTES)
		add_encoded(out, url);
	else
		render_add_url(out, url);
}

/* Octets of one character, at the beginning or end of a line where that matters. */
static size_t
qp_char_size(const char *text, size_t n, bool first, bool last)
{
	unsigned char c = (unsigned char)text[0];

	if (n > 1 || c >= 0x7f || c == '=' || (c < 0x20 && c != '\t'))
		return 3 * n;
	return (last && (c == ' ' || c == '\t')) || (first && c == '.') ? 3 : 1;
}

/* Bytes of the character at text; what is none counts as a byte of its own. */
static size_t
char_len(const char *text, size_t len)
{
	uint32_t cp;
	size_t n = (unsigned char)text[0] < 0x80 ? 1 : utf8_decode(text, len, &cp);

	return n > 0 ? n : 1;
}

size_t
escape_qp_size(const char *text, size_t len)
{
	size_t total = 0, column = 0;

	for (size_t i = 0, n; i < len; i += n) {
		size_t size;
		bool last;

		n = char_len(text + i, len - i);
		if (text[i] == '\n') {
			total += 2;
			column = 0;
			continue;
		}
		last = i + n == len || text[i + n] == '\n';
		size = qp_char_size(text + i, n, column == 0, last);
		if (column + size > (last ? 76u : 75u)) {
			total += 3; /* "=" CRLF; what follows begins a line */
			column = 0;
			size = qp_char_size(text + i, n, true, last);
		}
		total += size;
		column += size;
	}
	return total;
}
