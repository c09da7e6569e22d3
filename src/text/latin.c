#include "digest/text.h"

#include "digest/utf8.h"

#include <string.h>

enum { NONE = 0xfffd, MAX_ROUNDS = 3 };

unsigned
text_windows_1252(unsigned char byte)
{
	static const uint16_t high[32] = { 0x20ac, NONE, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020,
		0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, NONE, 0x017d, NONE, NONE, 0x2018,
		0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a,
		0x0153, NONE, 0x017e, 0x0178 };

	return byte >= 0x80 && byte <= 0x9f ? high[byte - 0x80] : byte;
}

/* The byte a character came from when bytes were read as Latin-1 or windows-1252; -1 = from none. */
static int
byte_of(uint32_t cp)
{
	if (cp <= 0xff)
		return (int)cp;
	for (unsigned byte = 0x80; byte <= 0x9f; byte++)
		if (text_windows_1252((unsigned char)byte) == cp && cp != NONE)
			return (int)byte;
	return -1;
}

/* What stands in the names of people and is not ASCII: Latin letters with marks, quotes and dashes. */
static bool
is_usual(uint32_t cp)
{
	return cp < 0x80 || (cp >= 0xc0 && cp <= 0x24f && cp != 0xd7 && cp != 0xf7) ||
	    (cp >= 0x1e00 && cp <= 0x1eff) || (cp >= 0x2010 && cp <= 0x201f);
}

/* The text read back into bytes, when these are UTF-8 of usual characters. */
static bool
undo_once(const struct strbuf *in, struct strbuf *out)
{
	bool changed = false;
	uint32_t cp;

	strbuf_reset(out);
	for (size_t i = 0; i < in->len;) {
		unsigned n = utf8_decode(in->buf + i, in->len - i, &cp);
		int byte = n > 0 ? byte_of(cp) : -1;

		if (byte == -1)
			return false;
		strbuf_addc(out, (char)byte);
		i += n;
	}
	for (size_t i = 0; i < out->len;) {
		unsigned n = utf8_decode(out->buf + i, out->len - i, &cp);

		/* Twice mangled, it is Latin-1 again after the first round. */
		if (n == 0 || (!is_usual(cp) && byte_of(cp) == -1))
			return false;
		changed |= n > 1;
		i += n;
	}
	return changed && out->state == STRBUF_OK;
}

static bool
all_usual(const struct strbuf *text)
{
	uint32_t cp;

	for (size_t i = 0; i < text->len;) {
		unsigned n = utf8_decode(text->buf + i, text->len - i, &cp);

		if (n == 0 || !is_usual(cp))
			return false;
		i += n;
	}
	return true;
}

bool
text_add_unmangled(struct strbuf *out, const char *text, size_t len)
{
	struct strbuf rounds[MAX_ROUNDS + 1];
	const struct strbuf *best = NULL;

	for (size_t i = 0; i <= MAX_ROUNDS; i++)
		strbuf_init(&rounds[i], len + 1);
	strbuf_addn(&rounds[0], text, len);
	for (size_t i = 0; i < MAX_ROUNDS && undo_once(&rounds[i], &rounds[i + 1]); i++)
		best = &rounds[i + 1];
	if (best != NULL && !all_usual(best))
		best = NULL;
	if (best != NULL)
		strbuf_addn(out, best->buf, best->len);
	else
		strbuf_addn(out, text, len);
	for (size_t i = 0; i <= MAX_ROUNDS; i++)
		strbuf_release(&rounds[i]);
	return best != NULL;
}
