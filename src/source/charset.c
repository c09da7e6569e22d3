#include "charset.h"

#include "digest/text.h"
#include "digest/utf8.h"

#include <errno.h>
#include <iconv.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

enum { LABEL_SIZE = 24, REPLACEMENT = 0xfffd };

static const char utf8_name[] = "UTF-8";
static const char latin_name[] = "windows-1252";

/* Labels of the Encoding Standard that feeds use, and what iconv calls the charset that browsers read them as. */
static const struct {
	const char *label, *name;
} labels[] = {
	{ "utf-8", utf8_name },
	{ "utf8", utf8_name },
	{ "unicode-1-1-utf-8", utf8_name },
	{ "us-ascii", latin_name },
	{ "ascii", latin_name },
	{ "iso-8859-1", latin_name },
	{ "iso8859-1", latin_name },
	{ "iso_8859-1", latin_name },
	{ "latin1", latin_name },
	{ "latin-1", latin_name },
	{ "windows-1252", latin_name },
	{ "cp1252", latin_name },
	{ "x-cp1252", latin_name },
	{ "iso-8859-2", "ISO-8859-2" },
	{ "latin2", "ISO-8859-2" },
	{ "iso-8859-3", "ISO-8859-3" },
	{ "iso-8859-4", "ISO-8859-4" },
	{ "iso-8859-5", "ISO-8859-5" },
	{ "iso-8859-6", "ISO-8859-6" },
	{ "iso-8859-7", "ISO-8859-7" },
	{ "iso-8859-8", "ISO-8859-8" },
	{ "iso-8859-9", "windows-1254" },
	{ "iso-8859-10", "ISO-8859-10" },
	{ "iso-8859-13", "ISO-8859-13" },
	{ "iso-8859-14", "ISO-8859-14" },
	{ "iso-8859-15", "ISO-8859-15" },
	{ "iso-8859-16", "ISO-8859-16" },
	{ "windows-1250", "windows-1250" },
	{ "windows-1251", "windows-1251" },
	{ "cp1251", "windows-1251" },
	{ "windows-1253", "windows-1253" },
	{ "windows-1254", "windows-1254" },
	{ "windows-1255", "windows-1255" },
	{ "windows-1256", "windows-1256" },
	{ "windows-1257", "windows-1257" },
	{ "windows-1258", "windows-1258" },
	{ "windows-874", "TIS-620" },
	{ "tis-620", "TIS-620" },
	{ "koi8-r", "KOI8-R" },
	{ "koi8-u", "KOI8-U" },
	{ "gb2312", "GB18030" },
	{ "gbk", "GB18030" },
	{ "gb18030", "GB18030" },
	{ "x-gbk", "GB18030" },
	{ "big5", "BIG5" },
	{ "big5-hkscs", "BIG5-HKSCS" },
	{ "shift_jis", "CP932" },
	{ "shift-jis", "CP932" },
	{ "sjis", "CP932" },
	{ "windows-31j", "CP932" },
	{ "x-sjis", "CP932" },
	{ "euc-jp", "EUC-JP" },
	{ "x-euc-jp", "EUC-JP" },
	{ "iso-2022-jp", "ISO-2022-JP" },
	{ "euc-kr", "CP949" },
	{ "ks_c_5601-1987", "CP949" },
	{ "windows-949", "CP949" },
};

/* The charset a label of len bytes names, NULL when it is unknown. */
static const char *
find_label(const char *label, size_t len)
{
	while (len > 0 && strchr(" \t\"'", label[0]) != NULL)
		label++, len--;
	while (len > 0 && strchr(" \t\"'", label[len - 1]) != NULL)
		len--;
	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++)
		if (strlen(labels[i].label) == len && strncasecmp(labels[i].label, label, len) == 0)
			return labels[i].name;
	return NULL;
}

static const char *
label_of_content_type(const char *content_type)
{
	const char *at = strcasestr(content_type, "charset=");

	if (at == NULL)
		return NULL;
	at += strlen("charset=");
	return find_label(at, strcspn(at, ";,"));
}

/* What the first bytes show beyond doubt. */
static const struct {
	const char *bytes;
	size_t len, skip, unit;
	const char *name;
} marks[] = {
	{ "\xef\xbb\xbf", 3, 3, 1, utf8_name },
	{ "\xff\xfe\0\0", 4, 4, 4, "UTF-32LE" },
	{ "\0\0\xfe\xff", 4, 4, 4, "UTF-32BE" },
	{ "\xff\xfe", 2, 2, 2, "UTF-16LE" },
	{ "\xfe\xff", 2, 2, 2, "UTF-16BE" },
	{ "<\0\0\0", 4, 0, 4, "UTF-32LE" },
	{ "\0\0\0<", 4, 0, 4, "UTF-32BE" },
	{ "<\0", 2, 0, 2, "UTF-16LE" },
	{ "\0<", 2, 0, 2, "UTF-16BE" },
};

/*
 * Whether the bytes are better read as windows-1252 than as UTF-8: more of what is not ASCII is wrong in UTF-8 than right.
 * Texts put together from several places have a few wrong bytes among many right characters.
 */
static bool
looks_latin(const char *bytes, size_t len)
{
	size_t right = 0, wrong = 0;

	for (size_t i = 0; i < len;) {
		uint32_t cp;
		unsigned n = utf8_decode(bytes + i, len - i, &cp);

		right += n > 1;
		wrong += n == 0;
		i += n > 0 ? n : 1;
	}
	return wrong > right;
}

static size_t
add_latin(struct strbuf *out, const char *bytes, size_t len)
{
	size_t start = 0, nreplaced = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)bytes[i];
		unsigned cp = text_windows_1252(c);

		if (c < 0x80)
			continue;
		strbuf_addn(out, bytes + start, i - start);
		strbuf_add_codepoint(out, cp);
		nreplaced += cp == REPLACEMENT;
		start = i + 1;
	}
	strbuf_addn(out, bytes + start, len - start);
	return nreplaced;
}

/* unit = how many bytes to step over where the bytes mean nothing. Returns -1 when iconv does not know the name. */
static int
add_converted(struct strbuf *out, const char *name, const char *bytes, size_t len, size_t unit,
    size_t *nreplaced)
{
	iconv_t cd = iconv_open(utf8_name, name);
	char *in = (char *)(uintptr_t)bytes, piece[4096];

	if (cd == (iconv_t)-1)
		return -1;
	while (len > 0) {
		char *to = piece;
		size_t room = sizeof(piece);
		size_t rc = iconv(cd, &in, &len, &to, &room);
		int why = errno;

		strbuf_addn(out, piece, (size_t)(to - piece));
		if (rc != (size_t)-1 || why == E2BIG)
			continue;
		/* EILSEQ, or EINVAL for a character cut off by the end. */
		strbuf_add_codepoint(out, REPLACEMENT);
		(*nreplaced)++;
		in += unit < len ? unit : len;
		len -= unit < len ? unit : len;
	}
	iconv_close(cd);
	return 0;
}

/* Step over a mark; NULL when there is none and nothing shows the width of a character. */
static const char *
find_mark(const char **bytes, size_t *len, size_t *unit)
{
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (*len >= marks[i].len && memcmp(*bytes, marks[i].bytes, marks[i].len) == 0) {
			*bytes += marks[i].skip;
			*len -= marks[i].skip;
			*unit = marks[i].unit;
			return marks[i].name;
		}
	return NULL;
}

/* What is said about the bytes and can be true; NULL when nothing is. */
static const char *
find_said(const char *content_type, const char *declared, bool is_utf8)
{
	const char *names[] = { label_of_content_type(content_type),
		find_label(declared, strlen(declared)) };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i] != NULL && (names[i] != utf8_name || is_utf8))
			return names[i];
	return NULL;
}

int
charset_decode(const char *bytes, size_t len, const char *content_type, const char *declared,
    struct strbuf *scratch, struct decoded *out, struct error *err)
{
	struct decoded d = { .charset = utf8_name };
	size_t unit = 1;
	const char *name = find_mark(&bytes, &len, &unit);
	bool is_utf8 = unit == 1 && utf8_is_valid(bytes, len);

	if (name == NULL)
		name = find_said(content_type, declared, is_utf8);
	if (is_utf8 && (name == NULL || name == utf8_name || name == latin_name)) {
		*out = (struct decoded){ bytes, len, utf8_name, 0 };
		return 0;
	}
	strbuf_reset(scratch);
	if (name == NULL || name == utf8_name || name == latin_name ||
	    add_converted(scratch, name, bytes, len, unit, &d.nreplaced) == -1) {
		d.charset = name == latin_name || looks_latin(bytes, len) ? latin_name : utf8_name;
		d.nreplaced = d.charset == latin_name ? add_latin(scratch, bytes, len)
						      : utf8_add_repaired(scratch, bytes, len);
	} else {
		d.charset = name;
	}
	d.text = scratch->buf;
	d.len = scratch->len;
	if (strbuf_check(scratch, err) == -1)
		return -1;
	*out = d;
	return 0;
}
