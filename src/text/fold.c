#include "digest/text.h"
#include "digest/utf8.h"

#include <utf8proc.h>

/* A cluster is a character and the marks on it. U+FDFA becomes 18 characters, none becomes more. */
enum { MAX_CLUSTER = 32, MAX_DECOMPOSED = MAX_CLUSTER * 18 };

/* Letters that Unicode does not take apart, but that people leave out or write so on another
 * keyboard. The capitals and ß have gone through case folding. Ascending. */
static const struct {
	uint32_t cp;
	const char *ascii;
} plain_letters[] = {
	{ 0x00e6, "ae" }, /* æ */
	{ 0x00f0, "d" },  /* ð */
	{ 0x00f8, "o" },  /* ø */
	{ 0x00fe, "th" }, /* þ */
	{ 0x0111, "d" },  /* đ */
	{ 0x0127, "h" },  /* ħ */
	{ 0x0131, "i" },  /* ı */
	{ 0x0142, "l" },  /* ł */
	{ 0x0153, "oe" }, /* œ */
	{ 0x0167, "t" },  /* ŧ */
};

static bool
is_mark(uint32_t cp)
{
	utf8proc_category_t c;

	if (cp < 0x300)
		return false;
	c = utf8proc_category((utf8proc_int32_t)cp);
	return c == UTF8PROC_CATEGORY_MN || c == UTF8PROC_CATEGORY_MC || c == UTF8PROC_CATEGORY_ME;
}

/* Characters that may melt into the one before them: marks, the half-width voiced marks of
 * katakana, and the vowels and finals of hangul. */
static bool
continues_cluster(uint32_t cp)
{
	return is_mark(cp) || cp == 0xff9e || cp == 0xff9f || (cp >= 0x1160 && cp <= 0x11ff);
}

/* Latin, Greek and Cyrillic letters lose their marks; a Japanese か and が are other words. */
static bool
loses_marks(uint32_t cp)
{
	return (cp >= 'a' && cp <= 'z') || (cp >= 0xc0 && cp < 0x2b0) ||
	    (cp >= 0x370 && cp < 0x530) || (cp >= 0x1e00 && cp < 0x2000);
}

static const char *
plain_letter(uint32_t cp)
{
	for (size_t i = 0; i < sizeof(plain_letters) / sizeof(plain_letters[0]); i++)
		if (plain_letters[i].cp == cp)
			return plain_letters[i].ascii;
	return NULL;
}

/* From text, at least one character, at most MAX_CLUSTER; what is stacked higher is passed over. */
static size_t
cluster_length(const char *text, size_t len, size_t *used)
{
	uint32_t cp;
	size_t at = utf8_decode(text, len, &cp), n = 1;
	unsigned step;

	*used = at;
	while ((step = utf8_decode(text + at, len - at, &cp)) > 0 && continues_cluster(cp)) {
		at += step;
		if (++n <= MAX_CLUSTER)
			*used = at;
	}
	return at;
}

static void
add_cluster(struct strbuf *out, const char *text, size_t len)
{
	utf8proc_int32_t cps[MAX_DECOMPOSED];
	utf8proc_ssize_t n, kept = 0;
	bool plain = false;

	n = utf8proc_decompose((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)len, cps,
	    MAX_DECOMPOSED,
	    UTF8PROC_STABLE | UTF8PROC_COMPAT | UTF8PROC_DECOMPOSE | UTF8PROC_CASEFOLD |
		UTF8PROC_IGNORE);
	if (n < 0 || n > MAX_DECOMPOSED)
		return;
	for (utf8proc_ssize_t i = 0; i < n; i++) {
		bool mark = is_mark((uint32_t)cps[i]);

		if (!mark)
			plain = loses_marks((uint32_t)cps[i]);
		if (!mark || !plain)
			cps[kept++] = cps[i];
	}
	n = utf8proc_normalize_utf32(cps, kept, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
	for (utf8proc_ssize_t i = 0; i < n; i++) {
		const char *ascii = plain_letter((uint32_t)cps[i]);

		if (ascii != NULL)
			strbuf_add(out, ascii);
		else
			strbuf_add_codepoint(out, (uint32_t)cps[i]);
	}
}

void
text_add_folded(struct strbuf *out, const char *text, size_t len)
{
	size_t at = 0;

	while (at < len) {
		unsigned char c = (unsigned char)text[at];
		uint32_t cp;
		size_t used;

		/* Most text is ASCII with no mark after it. */
		if (c < 0x80 && (at + 1 == len || (unsigned char)text[at + 1] < 0x80)) {
			strbuf_addc(out, (char)(c >= 'A' && c <= 'Z' ? c + 32 : c));
			at++;
		} else if (utf8_decode(text + at, len - at, &cp) == 0) {
			strbuf_add_codepoint(out, 0xfffd);
			at++;
		} else {
			size_t whole = cluster_length(text + at, len - at, &used);

			add_cluster(out, text + at, used);
			at += whole;
		}
	}
}

const char *
text_unicode_version(void)
{
	return utf8proc_unicode_version();
}
