/* XML of any quality: events, namespaces, repairs, charsets, and what must end a document early. F-48, F-50, F-52. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "digest/limits.h"
#include "digest/strbuf.h"
#include "digest/utf8.h"
#include "source/xml.h"

/* Events as a line of text: "<ns|name a=value>text</name>". */
static int
write_start(void *arg, const char *ns, const char *name, const struct xml_tag *tag)
{
	static const struct {
		const char *ns, *name;
	} wanted[] = { { "", "a" }, { "rdf", "about" }, { "xml", "lang" }, { "urn:x", "a" } };
	struct strbuf *out = arg;

	strbuf_addf(out, "<%s%s%s", ns, ns[0] != '\0' ? "|" : "", name);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		const char *value = xml_attribute(tag, wanted[i].ns, wanted[i].name);

		if (value != NULL)
			strbuf_addf(out, " %s=%s", wanted[i].name, value);
	}
	strbuf_addc(out, '>');
	return 0;
}

static int
write_end(void *arg, const char *ns, const char *name)
{
	(void)ns;
	strbuf_addf(arg, "</%s>", name);
	return strcmp(name, "stop") == 0;
}

static int
write_text(void *arg, const char *text, size_t len)
{
	strbuf_addn(arg, text, len);
	return 0;
}

static const struct xml_handler writer = { write_start, write_end, write_text };

static const struct {
	const char *xml, *events, *fault; /* fault NULL = whole */
	size_t nrepaired;
} documents[] = {
	{ "<r/>", "<r></r>", NULL, 0 },
	{ "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<r>a<b a='1'/>c</r>\n",
	    "<r>a<b a=1></b>c</r>", NULL, 0 },
	{ " \n\t<?xml version='1.0'?><r/>", "<r></r>", NULL, 0 },
	{ "<!-- c --><?pi x?><r>a<!-- <b> & -->c<?pi ?>d</r>", "<r>acd</r>", NULL, 0 },
	{ "<r><![CDATA[<b> & ]] >]]></r>", "<r><b> & ]] ></r>", NULL, 0 },
	{ "<!DOCTYPE rss PUBLIC \"-//N//DTD RSS 0.91//EN\" \"http://a.example/x.dtd\"><r>x</r>",
	    "<r>x</r>", NULL, 0 },
	{ "<!DOCTYPE r [ <!ELEMENT r (#PCDATA)> ]><r>x</r>", "<r>x</r>", NULL, 0 },
	{ "<!doctype html><html/>", "<html></html>", NULL, 0 },

	/* Namespaces: by address, of any spelling, inside out, and by what a prefix usually means. */
	{ "<f xmlns='http://www.w3.org/2005/Atom'><e/></f>", "<atom|f><atom|e></e></f>", NULL, 0 },
	{ "<f xmlns='https://www.w3.org/2005/atom/'/>", "<atom|f></f>", NULL, 0 },
	{ "<f xmlns='http://purl.org/atom/ns#'/>", "<atom|f></f>", NULL, 0 },
	{ "<x:f xmlns:x='http://purl.org/dc/elements/1.1/'><x:g/></x:f>", "<dc|f><dc|g></g></f>",
	    NULL, 0 },
	{ "<f xmlns='urn:x'><g xmlns=''/><h/></f>", "<urn:x|f><g></g><urn:x|h></h></f>", NULL, 0 },
	{ "<f><a:g xmlns:a='urn:x'/><a:g xmlns:a='urn:y'/></f>",
	    "<f><urn:x|g></g><urn:y|g></g></f>", NULL, 0 },
	{ "<r xmlns='http://purl.org/rss/1.0/'><i/></r>", "<r><i></i></r>", NULL, 0 },
	{ "<r><dc:creator/><content:encoded/><media:x/><odd:y/></r>",
	    "<r><dc|creator></creator><content|encoded></encoded><media|x></x><odd|y></y></r>",
	    NULL, 0 },
	{ "<r rdf:about='u' xml:lang='de'/>", "<r about=u lang=de></r>", NULL, 0 },
	{ "<r xmlns:q='urn:x' q:a='1' a='2'/>", "<r a=2 a=1></r>", NULL, 0 },
	{ "<r xmlns='urn:x' a='2'/>", "<urn:x|r a=2></r>", NULL, 0 },

	/* Repairs. */
	{ "<r>a & b &amp; c</r>", "<r>a & b & c</r>", NULL, 1 },
	{ "<r>AT&T &lt;&gt;&quot;&apos; &</r>", "<r>AT&T <>\"' &</r>", NULL, 2 },
	{ "<r>&nbsp;&eacute;&thetasym;&bogus;&#233;&#xE9;&#XE9;</r>",
	    "<r>\u00a0\u00e9\u03d1&bogus;\u00e9\u00e9\u00e9</r>", NULL, 5 },
	{ "<r>&#146;&#0;&#31;&#xD800;&#x110000;&#99999999999;&#xFFFE;&#;&#x;&#12a;x</r>",
	    "<r>\u2019&#99999999999;&#;&#x;&#12a;x</r>", NULL, 10 },
	{ "<r a='x & y &nbsp; < z'>t</r>", "<r a=x & y \u00a0 < z>t</r>", NULL, 3 },
	{ "<r>1 < 2 <3 <<b>x</b></r>", "<r>1 < 2 <3 <<b>x</b></r>", NULL, 3 },
	{ "<r>if a <b and c<d>e</d></r>", "<r>if a <b and c<d>e</d></r>", NULL, 1 },
	{ "<r>a]]>b ]] > c</r>", "<r>a]]>b ]] > c</r>", NULL, 1 },
	{ "<r>a\001b\037c\177\tok</r>", "<r>abc\177\tok</r>", NULL, 2 },
	{ "<r>\xef\xbf\xbe\xef\xbf\xbf\xef\xbf\xbd</r>", "<r>\ufffd</r>", NULL, 2 },
	{ "<r><![CDATA[a\002b&nbsp;]]></r>", "<r>ab&nbsp;</r>", NULL, 1 },
	{ "<r>x</r><junk></wrong>", "<r>x</r>", NULL, 0 },
	{ "<r>x</r> and words", "<r>x</r>", NULL, 0 },

	/* The handler has enough. */
	{ "<r><stop/><b></r>", "<r><stop></stop>", NULL, 0 },

	/* Broken off: what came before counts. */
	{ "<r><i>1</i>\n<i>2</r>", "<r><i>1</i>\n<i>2",
	    "line 2, column 7: an end tag that fits no open element", 0 },
	{ "<r><i>1</i><i>2", "<r><i>1</i><i>2", "line 1, column 16: it ends in the middle", 0 },
	{ "<r><i>1</i><i a='2", "<r><i>1</i>", "line 1, column 12: it ends in the middle", 0 },
	{ "<r>a & b\n & <i></b>", "<r>a & b\n & <i>",
	    "line 2, column 9: an end tag that fits no open element", 2 },
	{ "<r>\n<!-- x\n -->&eacute;<i></b>", "<r>\n\u00e9<i>",
	    "line 3, column 18: an end tag that fits no open element", 1 },
	{ "<r><i a='1' a='2'/></r>", "<r>", "line 1, column 13: duplicate attribute", 0 },
	{ "<r><!-- never closed", "<r>", "line 1, column 21: it ends in the middle", 0 },
	{ "<r><![CDATA[never closed", "<r>never closed", "line 1, column 25: it ends in the middle",
	    0 },
};

static void
test_documents(void **state)
{
	struct strbuf events;

	(void)state;
	strbuf_init(&events, 100000);
	for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
		const char *fault = documents[i].fault != NULL ? documents[i].fault : "";
		struct xml_report report;
		struct error err = { 0 };

		strbuf_reset(&events);
		if (xml_read(documents[i].xml, strlen(documents[i].xml), "", &writer, &events,
			&report, &err) == -1)
			fail_msg("row %zu: %s", i, err.msg);
		if (strcmp(events.buf, documents[i].events) != 0)
			fail_msg(
			    "row %zu: '%s'; expected '%s'", i, events.buf, documents[i].events);
		if (strcmp(report.fault, fault) != 0)
			fail_msg("row %zu: fault '%s'; expected '%s'", i, report.fault, fault);
		if (report.nrepaired != documents[i].nrepaired)
			fail_msg("row %zu: %zu repairs; expected %zu", i, report.nrepaired,
			    documents[i].nrepaired);
	}
	strbuf_release(&events);
}

static const struct {
	const char *xml, *why;
} refused[] = {
	{ "", "line 1, column 1: it ends in the middle" },
	{ " \n ", "line 2, column 2: it ends in the middle" },
	{ "{\"a\": 1}", "line 1, column 1: this is not XML" },
	{ "<!-- only this -->", "line 1, column 19: it ends in the middle" },
	{ "<!DOCTYPE r [<!ENTITY a 'b'>]><r>&a;</r>",
	    "line 1, column 25: an entity is declared, which is not read" },
	{ "<!DOCTYPE r [<!ENTITY a 'b'><!ENTITY b '&a;&a;&a;'>]><r>&b;</r>",
	    "line 1, column 25: an entity is declared, which is not read" },
	{ "<!DOCTYPE r [\n <!ENTITY x SYSTEM 'file:///etc/passwd'>]><r>&x;</r>",
	    "line 2, column 40: an entity is declared, which is not read" },
	{ "<!DOCTYPE r [<!ENTITY % p SYSTEM 'http://a.example/'> %p;]><r/>",
	    "line 1, column 53: an entity is declared, which is not read" },
};

static void
test_refused(void **state)
{
	struct strbuf events;

	(void)state;
	strbuf_init(&events, 100000);
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct xml_report report;
		struct error err = { 0 };

		strbuf_reset(&events);
		if (xml_read(refused[i].xml, strlen(refused[i].xml), "", &writer, &events, &report,
			&err) != -1)
			fail_msg("row %zu: read as '%s'", i, events.buf);
		if (err.kind != ERR_DATA || strcmp(err.msg, refused[i].why) != 0)
			fail_msg("row %zu: '%s'; expected '%s'", i, err.msg, refused[i].why);
	}
	strbuf_release(&events);
}

/* Bytes with NULs in them, so with their length; what they decode to inside of <r>. */
#define BYTES(text) text, sizeof(text) - 1
static const struct {
	const char *bytes;
	size_t len;
	const char *content_type, *charset, *text;
	size_t nreplaced;
} charsets[] = {
	{ BYTES("<r>\xc3\xa9</r>"), "", "UTF-8", "\u00e9", 0 },
	{ BYTES("\xef\xbb\xbf<r>\xc3\xa9</r>"), "text/xml; charset=koi8-r", "UTF-8", "\u00e9", 0 },
	{ BYTES("<?xml version='1.0' encoding='ISO-8859-1'?><r>\xe9\x92</r>"), "", "windows-1252",
	    "\u00e9\u2019", 0 },
	{ BYTES("<?xml version=\"1.0\" encoding = \"KOI8-R\" ?><r>\xc1</r>"), "", "KOI8-R",
	    "\u0430", 0 },
	{ BYTES("<r>\xc1</r>"), "application/xml; charset=\"koi8-r\"; x=y", "KOI8-R", "\u0430", 0 },
	{ BYTES("<r>\xc1</r>"), "application/xml;Charset=KOI8-R", "KOI8-R", "\u0430", 0 },
	{ BYTES("<?xml version='1.0' encoding='gb2312'?><r>\xc4\xe3</r>"), "", "GB18030", "\u4f60",
	    0 },
	{ BYTES("<?xml version='1.0' encoding='shift_jis'?><r>\x82\xa0</r>"), "", "CP932", "\u3042",
	    0 },
	/* Lies. */
	{ BYTES("<r>\xc3\xa9</r>"), "text/xml; charset=iso-8859-1", "UTF-8", "\u00e9", 0 },
	{ BYTES("<r>\xe9</r>"), "text/xml; charset=utf-8", "windows-1252", "\u00e9", 0 },
	{ BYTES("<?xml version='1.0' encoding='utf-16'?><r>\xc3\xa9</r>"), "", "UTF-8", "\u00e9",
	    0 },
	{ BYTES("<?xml version='1.0' encoding='bogus'?><r>\xc3\xa9</r>"),
	    "text/xml; charset=", "UTF-8", "\u00e9", 0 },
	{ BYTES("<?xml version='1.0' encoding='koi8-r'?><r>\xc1</r>"), "text/xml; charset=utf-8",
	    "KOI8-R", "\u0430", 0 },
	{ BYTES("<r>\xc3\xa9\xc3\xa9\xc3\xa9 \xe9</r>"), "", "UTF-8", "\u00e9\u00e9\u00e9 \ufffd",
	    1 },
	{ BYTES("<r>\xe9\x81</r>"), "", "windows-1252", "\u00e9\ufffd", 1 },
	{ BYTES("<r>\xc3\xa9\xc0\xaf</r>"), "text/xml; charset=utf-8", "windows-1252",
	    "\u00c3\u00a9\u00c0\u00af", 0 },
	{ BYTES("<r>\xc3\xa9\xc3\xa9\xc3\xa9\xc0\xaf\xed\xa0\x80</r>"), "", "windows-1252",
	    "\u00c3\u00a9\u00c3\u00a9\u00c3\u00a9\u00c0\u00af\u00ed\u00a0\u20ac", 0 },
	{ BYTES("<?xml version='1.0' encoding='gb2312'?><r>\xc4\xe3\xff</r>"), "", "GB18030",
	    "\u4f60\ufffd", 1 },
	/* Wide ones, with and without a mark. */
	{ BYTES("\xff\xfe<\0r\0>\0\xe9\0<\0/\0r\0>\0"), "", "UTF-16LE", "\u00e9", 0 },
	{ BYTES("\xfe\xff\0<\0r\0>\0\xe9\0<\0/\0r\0>"), "text/xml; charset=utf-8", "UTF-16BE",
	    "\u00e9", 0 },
	{ BYTES("<\0r\0>\0\xe9\0<\0/\0r\0>\0"), "", "UTF-16LE", "\u00e9", 0 },
	{ BYTES("\0<\0r\0>\xd8\0\0x\0<\0/\0r\0>"), "", "UTF-16BE", "\ufffdx", 1 },
	{ BYTES("\xff\xfe\0\0<\0\0\0r\0\0\0>\0\0\0\xe9\0\0\0<\0\0\0/\0\0\0r\0\0\0>\0\0\0"), "",
	    "UTF-32LE", "\u00e9", 0 },
	{ BYTES("\0\0\0<\0\0\0r\0\0\0>\0\0\0\xe9\0\0\0<\0\0\0/\0\0\0r\0\0\0>"), "", "UTF-32BE",
	    "\u00e9", 0 },
	/* NUL bytes. */
	{ BYTES("<r>a\0b\0</r>"), "", "UTF-8", "ab", 0 },
};

static void
test_charsets(void **state)
{
	struct strbuf events, expected;

	(void)state;
	strbuf_init(&events, 100000);
	strbuf_init(&expected, 100000);
	for (size_t i = 0; i < sizeof(charsets) / sizeof(charsets[0]); i++) {
		struct xml_report report;
		struct error err = { 0 };

		strbuf_reset(&events);
		strbuf_reset(&expected);
		strbuf_addf(&expected, "<r>%s</r>", charsets[i].text);
		if (xml_read(charsets[i].bytes, charsets[i].len, charsets[i].content_type, &writer,
			&events, &report, &err) == -1)
			fail_msg("row %zu: %s", i, err.msg);
		if (strcmp(events.buf, expected.buf) != 0 ||
		    strcmp(report.charset, charsets[i].charset) != 0 ||
		    report.nreplaced != charsets[i].nreplaced)
			fail_msg("row %zu: %s '%s', %zu replaced; expected %s '%s', %zu", i,
			    report.charset, events.buf, report.nreplaced, charsets[i].charset,
			    expected.buf, charsets[i].nreplaced);
	}
	strbuf_release(&events);
	strbuf_release(&expected);
}

/* Counts events, and that text is UTF-8 wherever its pieces end. */
struct counts {
	size_t starts, ends, bytes;
};

static int
count_start(void *arg, const char *ns, const char *name, const struct xml_tag *tag)
{
	(void)ns, (void)name, (void)tag;
	((struct counts *)arg)->starts++;
	return 0;
}

static int
count_end(void *arg, const char *ns, const char *name)
{
	(void)ns, (void)name;
	((struct counts *)arg)->ends++;
	return 0;
}

static int
count_text(void *arg, const char *text, size_t len)
{
	assert_true(utf8_is_valid(text, len));
	((struct counts *)arg)->bytes += len;
	return 0;
}

static const struct xml_handler counter = { count_start, count_end, count_text };

/* What hostile documents are made of: before, then a piece n times, then after. */
static const struct {
	const char *before, *piece;
	size_t n;
	const char *after, *why;
	size_t starts;
} bombs[] = {
	{ "", "<a>", 1000000, "", "elements too deep inside each other", MAX_XML_DEPTH },
	{ "<r>", "<a>", MAX_XML_DEPTH - 1, "", "it ends in the middle", MAX_XML_DEPTH },
	{ "<r", " a='1'", 1000000, "/>", "a tag that does not end", 0 },
	{ "<r><i/><b a='", "x", 2 * MAX_XML_TAG, "'/></r>", "a tag that does not end", 2 },
	{ "<r><b a=\"", "&", MAX_XML_TAG / 2, "\"/></r>", NULL, 2 },
	{ "<!DOCTYPE r [", "<!ELEMENT a EMPTY>", 1000000, "]><r/>",
	    "a document type declaration that does not end", 0 },
	{ "<r>", "&", 1000000, "</r>", NULL, 1 },
	{ "<r>", "<", 1000000, "</r>", NULL, 1 },
	{ "<r>", "<a ", 2000000, "</r>", NULL, 1 },
	{ "<r>", "]]>", 2000000, "</r>", NULL, 1 },
	{ "<r>", "&#x10FFFF;", 1000000, "</r>", NULL, 1 },
	{ "<r>", "x", 4000000, "</r>", NULL, 1 },
	{ "<r><!--", "-", 4000000, "--></r>", NULL, 1 },
	{ "<r><?", "?", 4000000, "?></r>", NULL, 1 },
	{ "<r><![CDATA[", "]", 4000000, "]]></r>", NULL, 1 },
	{ "<r>", "<!--", 4000000, "", "it ends in the middle", 1 },
	{ "<r>", "\001", 4000000, "</r>", NULL, 1 },
	{ "<r>", "\xff", 4000000, "</r>", NULL, 1 },
	{ "<r>", "<a/>", 1000000, "</r>", NULL, 1000001 },
};

static void
test_bombs(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bombs) / sizeof(bombs[0]); i++) {
		size_t len = strlen(bombs[i].piece);
		struct counts counts = { 0 };
		struct xml_report report;
		struct error err = { 0 };
		struct strbuf xml;
		const char *why;
		int rc;

		strbuf_init(&xml, 64u * 1024 * 1024);
		strbuf_add(&xml, bombs[i].before);
		for (size_t n = 0; n < bombs[i].n; n++)
			strbuf_addn(&xml, bombs[i].piece, len);
		strbuf_add(&xml, bombs[i].after);
		rc = xml_read(xml.buf, xml.len, "", &counter, &counts, &report, &err);
		why = strstr(rc == 0 ? report.fault : err.msg, ": ");
		why = why != NULL ? why + 2 : "";
		if (strcmp(why, bombs[i].why != NULL ? bombs[i].why : "") != 0 ||
		    counts.starts != bombs[i].starts)
			fail_msg("row %zu: '%s', %zu elements; expected '%s', %zu", i, why,
			    counts.starts, bombs[i].why != NULL ? bombs[i].why : "",
			    bombs[i].starts);
		strbuf_release(&xml);
	}
}

/* The parser keeps every name it meets until the end. */
static void
test_many_names(void **state)
{
	static const char *const shapes[] = { "<a%zu/>", "<i a%zu='1'/>", "<i xmlns:a%zu='urn:x'/>",
		"<i xmlns='urn:%zu'/>" };

	(void)state;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		struct counts counts = { 0 };
		struct xml_report report;
		struct strbuf xml;

		strbuf_init(&xml, 64u * 1024 * 1024);
		strbuf_add(&xml, "<r>");
		for (size_t n = 0; n < 20000; n++) {
			char piece[64];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
			snprintf(piece, sizeof(piece), shapes[i], n);
#pragma GCC diagnostic pop
			strbuf_add(&xml, piece);
		}
		strbuf_add(&xml, "</r>");
		assert_int_equal(
		    xml_read(xml.buf, xml.len, "", &counter, &counts, &report, NULL), 0);
		if (strstr(report.fault, "too many or too long names") == NULL ||
		    counts.starts > MAX_XML_NAMES + 2)
			fail_msg(
			    "row %zu: '%s' after %zu elements", i, report.fault, counts.starts);
		strbuf_release(&xml);
	}
}

static const char small_feed[] =
    "<?xml version='1.0' encoding='utf-8'?>\n<!DOCTYPE rss>\n"
    "<rss version='2.0' xmlns:dc='http://purl.org/dc/elements/1.1/'><channel>\n"
    "<title>\xc3\x89t\xc3\xa9 &amp; co</title><!-- c --><?pi p?>\n"
    "<item><title>One &nbsp; & 1 < 2</title><dc:creator>A &#233;</dc:creator>"
    "<description><![CDATA[<p>x</p>]]></description></item>\n"
    "<item a=\"b & c\"><title>Two</title></item></channel></rss>\n";

/* Cut anywhere, what came is handed on and nothing is made up: the events are a beginning of those of the whole. */
static void
test_every_prefix(void **state)
{
	struct strbuf whole, part;
	struct xml_report report;
	size_t n = sizeof(small_feed) - 1, nwhole = 0;

	(void)state;
	strbuf_init(&whole, 100000);
	strbuf_init(&part, 100000);
	assert_int_equal(xml_read(small_feed, n, "", &writer, &whole, &report, NULL), 0);
	assert_string_equal(report.fault, "");
	for (size_t len = 0; len < n; len++) {
		char *copy = malloc(len + 1);

		assert_non_null(copy);
		memcpy(copy, small_feed, len);
		strbuf_reset(&part);
		if (xml_read(copy, len, "", &writer, &part, &report, NULL) == 0)
			nwhole += report.fault[0] == '\0';
		/* A character cut in two, or a bare '<' at the end, ends in something else. */
		for (size_t i = 0; i + 8 < part.len; i++)
			if (part.buf[i] != whole.buf[i])
				fail_msg("%zu bytes: '%s' differs at %zu", len, part.buf, i);
		free(copy);
	}
	assert_int_equal(nwhole, 1); /* without the last line end */
	strbuf_release(&whole);
	strbuf_release(&part);
}

/* Every byte changed to each of a few others: never more than a fault, and what is text stays UTF-8. */
static void
test_every_byte_changed(void **state)
{
	static const char others[] = { '<', '>', '&', '"', '\'', '\0', '\xff', '\xc3', ']', '!',
		':', ' ' };
	char copy[sizeof(small_feed)];

	(void)state;
	for (size_t at = 0; at + 1 < sizeof(small_feed); at++)
		for (size_t i = 0; i < sizeof(others); i++) {
			struct counts counts = { 0 };
			struct xml_report report;
			struct error err = { 0 };
			int rc;

			memcpy(copy, small_feed, sizeof(copy));
			copy[at] = others[i];
			rc = xml_read(copy, sizeof(copy) - 1, "", &counter, &counts, &report, &err);
			if (rc == 0 && report.fault[0] == '\0' && counts.starts != counts.ends)
				fail_msg("byte %zu as %02x: %zu elements begin, %zu end", at,
				    (unsigned)(unsigned char)others[i], counts.starts, counts.ends);
			if (rc == -1 && err.kind != ERR_DATA)
				fail_msg("byte %zu as %02x: %s", at,
				    (unsigned)(unsigned char)others[i], err.msg);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_documents),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_charsets),
		cmocka_unit_test(test_bombs),
		cmocka_unit_test(test_many_names),
		cmocka_unit_test(test_every_prefix),
		cmocka_unit_test(test_every_byte_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
