#include "digest/text.h"
#include "digest/utf8.h"

#include <utf8proc.h>

#include <string.h>

/* More marks than any script needs on one letter only paint over the lines above. */
enum { MAX_MARKS = 8 };

static const char ellipsis[] = "\xe2\x80\xa6";

static bool
is_blank(uint32_t cp)
{
	utf8proc_category_t c;

	if (cp <= 0x20)
		return cp == ' ' || (cp >= '\t' && cp <= '\r');
	if (cp < 0x80)
		return false;
	c = utf8proc_category((utf8proc_int32_t)cp);
	return cp == 0x85 || c == UTF8PROC_CATEGORY_ZS || c == UTF8PROC_CATEGORY_ZL ||
	    c == UTF8PROC_CATEGORY_ZP;
}

/* What never belongs in a line of text. Ascending. */
static const struct {
	uint32_t first, last;
} dropped[] = {
	{ 0x0000, 0x001f }, /* control characters */
	{ 0x007f, 0x009f },
	{ 0x061c, 0x061c }, /* bidirectional controls */
	{ 0x200b, 0x200b }, /* the zero-width space */
	{ 0x200e, 0x200f },
	{ 0x202a, 0x202e },
	{ 0x2066, 0x2069 },
	{ 0xfdd0, 0xfdef }, /* no characters: an XML document with them is not well-formed */
	{ 0xfeff, 0xfeff }, /* the byte order mark */
	{ 0xfff9, 0xfffb },
	{ 0xfffe, 0xffff },
};

static bool
is_dropped(uint32_t cp)
{
	for (size_t i = 0; i < sizeof(dropped) / sizeof(dropped[0]) && cp >= dropped[i].first; i++)
		if (cp <= dropped[i].last)
			return true;
	return (cp & 0xfffe) == 0xfffe; /* the last two of every plane */
}

static bool
is_mark(uint32_t cp)
{
	utf8proc_category_t c;

	if (cp < 0x300)
		return false;
	c = utf8proc_category((utf8proc_int32_t)cp);
	return c == UTF8PROC_CATEGORY_MN || c == UTF8PROC_CATEGORY_ME;
}

/* Bytes of the word of ASCII that begins here: most of what anybody reads. */
static size_t
plain_run(const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && n < 256 && text[n] > ' ' && text[n] <= '~')
		n++;
	return n;
}

/* Valid text; stops soon after max_bytes, so that a long text costs no more than a short one. */
static void
add_valid(struct strbuf *out, const char *text, size_t len, size_t max_bytes)
{
	size_t start = out->len, nmarks = 0;
	bool blank = false;

	for (size_t at = 0, run; at < len && out->len - start <= max_bytes; at += run) {
		uint32_t cp;
		unsigned n;

		run = plain_run(text + at, len - at);
		if (run > 0) {
			strbuf_add(out, blank ? " " : "");
			strbuf_addn(out, text + at, run);
			blank = false;
			nmarks = 0;
			continue;
		}
		n = utf8_decode(text + at, len - at, &cp);
		at += n;
		if (n == 0)
			break;
		if (is_blank(cp)) {
			blank = out->len > start;
			nmarks = 0;
			continue;
		}
		if (is_dropped(cp))
			continue;
		nmarks = is_mark(cp) ? nmarks + 1 : 0;
		if (nmarks > MAX_MARKS)
			continue;
		if (blank)
			strbuf_addc(out, ' ');
		blank = false;
		strbuf_addn(out, text + at - n, n);
	}
}

static void
cut(struct strbuf *out, size_t start, size_t max_bytes)
{
	size_t room = sizeof(ellipsis) - 1;
	size_t keep;

	if (out->len - start <= max_bytes)
		return;
	room = max_bytes < room ? 0 : room;
	keep = text_cut(out->buf + start, out->len - start, max_bytes - room, SIZE_MAX);
	while (keep > 0 && out->buf[start + keep - 1] == ' ')
		keep--;
	strbuf_truncate(out, start + keep);
	if (room > 0)
		strbuf_add(out, ellipsis);
}

size_t
text_add_clean(struct strbuf *out, const char *text, size_t len, size_t max_bytes)
{
	size_t start = out->len, nrepaired = 0;

	if (utf8_is_valid(text, len)) {
		add_valid(out, text, len, max_bytes);
	} else {
		struct strbuf valid;

		strbuf_init(&valid, SIZE_MAX / 2);
		nrepaired = utf8_add_repaired(&valid, text, len);
		add_valid(out, valid.buf, valid.len, max_bytes);
		if (valid.state != STRBUF_OK)
			out->state = valid.state;
		strbuf_release(&valid);
	}
	cut(out, start, max_bytes);
	return nrepaired;
}
