#include "digest/utf8.h"

#include <string.h>

/* Whether the eight bytes at text are ASCII: most of what anybody reads is. */
static bool
is_ascii_word(const char *text)
{
	uint64_t word;

	memcpy(&word, text, sizeof(word));
	return (word & UINT64_C(0x8080808080808080)) == 0;
}

/* Whether the eight bytes at text are printable ASCII. */
static bool
is_plain_word(const char *text)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), high = UINT64_C(0x8080808080808080);
	uint64_t word;

	memcpy(&word, text, sizeof(word));
	return ((word | (word + ones) | (word - ' ' * ones)) & high) == 0;
}

size_t
utf8_plain_run(const char *text, size_t len)
{
	size_t n = 0;

	while (n + sizeof(uint64_t) <= len && is_plain_word(text + n))
		n += sizeof(uint64_t);
	while (n < len && text[n] >= ' ' && text[n] <= '~')
		n++;
	return n;
}

unsigned
utf8_decode(const char *text, size_t len, uint32_t *cp)
{
	const unsigned char *s = (const unsigned char *)text;
	unsigned need;
	uint32_t min, c;

	if (len == 0)
		return 0;
	if (s[0] < 0x80) {
		*cp = s[0];
		return 1;
	}
	if ((s[0] & 0xe0) == 0xc0) {
		need = 2, min = 0x80, c = s[0] & 0x1fu;
	} else if ((s[0] & 0xf0) == 0xe0) {
		need = 3, min = 0x800, c = s[0] & 0x0fu;
	} else if ((s[0] & 0xf8) == 0xf0) {
		need = 4, min = 0x10000, c = s[0] & 0x07u;
	} else {
		return 0;
	}
	if (len < need)
		return 0;
	for (unsigned i = 1; i < need; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3fu);
	}
	if (c < min || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*cp = c;
	return need;
}

unsigned
utf8_encode(uint32_t cp, char out[4])
{
	if (cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
		cp = 0xfffd;
	if (cp < 0x80) {
		out[0] = (char)cp;
		return 1;
	}
	if (cp < 0x800) {
		out[0] = (char)(0xc0 | cp >> 6);
		out[1] = (char)(0x80 | (cp & 0x3f));
		return 2;
	}
	if (cp < 0x10000) {
		out[0] = (char)(0xe0 | cp >> 12);
		out[1] = (char)(0x80 | (cp >> 6 & 0x3f));
		out[2] = (char)(0x80 | (cp & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | cp >> 18);
	out[1] = (char)(0x80 | (cp >> 12 & 0x3f));
	out[2] = (char)(0x80 | (cp >> 6 & 0x3f));
	out[3] = (char)(0x80 | (cp & 0x3f));
	return 4;
}

bool
utf8_is_valid(const char *text, size_t len)
{
	uint32_t cp;

	for (size_t i = 0; i < len;) {
		unsigned n;

		while (len - i >= sizeof(uint64_t) && is_ascii_word(text + i))
			i += sizeof(uint64_t);
		if (i == len)
			break;
		if ((n = utf8_decode(text + i, len - i, &cp)) == 0)
			return false;
		i += n;
	}
	return true;
}

/* How many bytes of a broken sequence one U+FFFD stands for (Unicode 3.9, table 3-7). */
static size_t
broken_length(const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;
	unsigned char low = 0x80, high = 0xbf;
	size_t need, n;

	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		need = 2;
	else if (s[0] >= 0xe0 && s[0] <= 0xef)
		need = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		need = 4;
	else
		return 1;
	if (s[0] == 0xe0)
		low = 0xa0;
	else if (s[0] == 0xed)
		high = 0x9f;
	else if (s[0] == 0xf0)
		low = 0x90;
	else if (s[0] == 0xf4)
		high = 0x8f;
	for (n = 1; n < need && n < len && s[n] >= low && s[n] <= high; n++)
		low = 0x80, high = 0xbf;
	return n;
}

size_t
utf8_add_repaired(struct strbuf *out, const char *text, size_t len)
{
	size_t nrepaired = 0, start = 0;

	for (size_t i = 0; i < len;) {
		uint32_t cp;
		unsigned n = utf8_decode(text + i, len - i, &cp);

		if (n > 0 && cp != 0) {
			i += n;
			continue;
		}
		strbuf_addn(out, text + start, i - start);
		if (n == 0) {
			strbuf_add_codepoint(out, 0xfffd);
			nrepaired++;
			i += broken_length(text + i, len - i);
		} else {
			i++;
		}
		start = i;
	}
	strbuf_addn(out, text + start, len - start);
	return nrepaired;
}
