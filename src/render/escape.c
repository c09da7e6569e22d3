#include "render/escape.h"

#include "digest/limits.h"
#include "digest/render.h"
#include "digest/text.h"
#include "digest/utf8.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

void
escape_add_html(struct strbuf *out, const char *text, size_t len)
{
	const char *end = text + len;

	while (text < end) {
		const char *stop = text;

		while (stop < end && strchr("&<>\"'", *stop) == NULL)
			stop++;
		strbuf_addn(out, text, (size_t)(stop - text));
		if (stop < end)
			strbuf_add(out, text_entity(*stop++));
		text = stop;
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

		if ((n = utf8_plain_run(text + i, len - i)) > 0) {
			strbuf_addn(out, text + i, n);
			continue;
		}
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
	while (*url != '\0') {
		size_t n = 0;

		while (is_url_char(url[n]) ||
		    (url[n] == '%' && is_hex(url[n + 1]) && is_hex(url[n + 2])))
			n++;
		strbuf_addn(out, url, n);
		url += n;
		if (*url != '\0')
			strbuf_addf(out, "%%%02X", (unsigned)(unsigned char)*url++);
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
