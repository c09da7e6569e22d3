#include "digest/text.h"
#include "digest/utf8.h"

#include <string.h>

enum { LATIN, KANA, HAN, HANGUL, ARABIC, HEBREW, GREEK, THAI, OTHER, NSCRIPTS };

/* Letters; what stands in no range belongs to no script. By code point. */
static const struct {
	uint32_t first, last;
	int script;
} ranges[] = {
	{ 'A', 'Z', LATIN },
	{ 'a', 'z', LATIN },
	{ 0xc0, 0x24f, LATIN },
	{ 0x370, 0x3ff, GREEK },
	{ 0x400, 0x58f, OTHER }, /* Cyrillic, Armenian */
	{ 0x5d0, 0x5f4, HEBREW },
	{ 0x620, 0x77f, ARABIC },
	{ 0x8a0, 0x8ff, ARABIC },
	{ 0x900, 0xdff, OTHER }, /* of India */
	{ 0xe01, 0xe5b, THAI },
	{ 0xe81, 0x10ff, OTHER }, /* Lao, Tibetan, Burmese, Georgian */
	{ 0x1200, 0x139f, OTHER },
	{ 0x1780, 0x17ff, OTHER },
	{ 0x1e00, 0x1eff, LATIN },
	{ 0x1f00, 0x1fff, GREEK },
	{ 0x3041, 0x30ff, KANA },
	{ 0x3400, 0x9fff, HAN },
	{ 0xac00, 0xd7a3, HANGUL },
	{ 0xf900, 0xfaff, HAN },
	{ 0xfb1d, 0xfb4f, HEBREW },
	{ 0xfb50, 0xfdff, ARABIC },
	{ 0xfe70, 0xfefc, ARABIC },
	{ 0x20000, 0x3ffff, HAN },
};

static const char *const languages[NSCRIPTS] = { "", "ja", "zh", "ko", "ar", "he", "el", "th",
	"und" };

/* How many letters of a word are Greek before it is none of mathematics. */
enum { GREEK_WORD = 5 };

static int
script_of(uint32_t cp)
{
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]) && ranges[i].first <= cp; i++)
		if (cp <= ranges[i].last)
			return ranges[i].script;
	return -1;
}

const char *
text_script_language(const char *text)
{
	size_t len = strlen(text), counts[NSCRIPTS] = { 0 };
	int best = KANA;

	for (size_t i = 0, n; i < len; i += n) {
		uint32_t cp;
		int script;

		n = utf8_decode(text + i, len - i, &cp);
		if (n == 0)
			return "";
		script = script_of(cp);
		if (script >= 0)
			counts[script]++;
	}
	if (counts[KANA] > 0)
		counts[KANA] += counts[HAN]; /* Japanese is written in both */
	for (int s = best + 1; s < NSCRIPTS; s++)
		if (counts[s] > counts[best])
			best = s;
	if (counts[best] == 0 || 2 * counts[best] < counts[LATIN] ||
	    (best == GREEK && counts[best] < GREEK_WORD))
		return "";
	return languages[best];
}
