#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "digest/text.h"

#include <string.h>

#include "digest/utf8.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void
test_clean(void **state)
{
	static const struct {
		const char *text;
		size_t max_bytes;
		const char *want;
		size_t nrepaired;
	} cases[] = {
		{ "", 100, "", 0 },
		{ " \n\t ", 100, "", 0 },
		{ "A title\n  that is wrapped\r\n", 100, "A title that is wrapped", 0 },
		{ "a\xc2\xa0"
		  "b\xe2\x80\xa8"
		  "c\xe3\x80\x80"
		  "d",
		    100, "a b c d", 0 },
		{ "a\x01"
		  "b\x1b[31m\x7f\xc2\x9b"
		  "c",
		    100, "ab[31mc", 0 },
		{ "abc\xe2\x80\xae"
		  "def\xe2\x81\xa6"
		  "g\xe2\x80\x8f",
		    100, "abcdefg", 0 },
		{ "\xef\xbb\xbfx\xe2\x80\x8by\xef\xbf\xbe", 100, "xy", 0 },
		{ "a\xff\xfe"
		  "b",
		    100,
		    "a\xef\xbf\xbd\xef\xbf\xbd"
		    "b",
		    2 },
		{ "a\xe2\x82", 100, "a\xef\xbf\xbd", 1 },
		{ "12345678", 8, "12345678", 0 },
		{ "123456789", 8, "12345\xe2\x80\xa6", 0 },
		{ "1234 6789", 8, "1234\xe2\x80\xa6", 0 },
		{ "12345678   ", 8, "12345678", 0 },
		/* the e with its accent goes or stays whole */
		{ "1234e\xcc\x81xyz", 8, "1234\xe2\x80\xa6", 0 },
		{ "1234e\xcc\x81xyz", 10, "1234e\xcc\x81xyz", 0 },
		{ "abc", 2, "ab", 0 },
		{ "abc", 0, "", 0 },
		{ "1234567890", 3, "\xe2\x80\xa6", 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct strbuf got;
		size_t n;

		strbuf_init(&got, 1000);
		strbuf_add(&got, "> ");
		n = text_add_clean(&got, cases[i].text, strlen(cases[i].text), cases[i].max_bytes);
		if (strcmp(got.buf + 2, cases[i].want) != 0 || n != cases[i].nrepaired)
			fail_msg("row %zu: '%s', %zu repaired", i, got.buf, n);
		strbuf_release(&got);
	}
}

static void
test_clean_keeps_eight_marks(void **state)
{
	struct strbuf text, got;

	(void)state;
	strbuf_init(&text, 10000);
	strbuf_init(&got, 10000);
	for (int word = 0; word < 2; word++) {
		strbuf_addc(&text, 'Z');
		for (int i = 0; i < 1000; i++)
			strbuf_add(&text, "\xcc\x9b");
	}
	assert_int_equal(text_add_clean(&got, text.buf, text.len, 10000), 0);
	assert_int_equal(got.len, 2 * (1 + 8 * 2));
	strbuf_reset(&got);
	assert_int_equal(text_add_clean(&got, "a\0b", 3, 10), 0);
	assert_string_equal(got.buf, "ab");
	strbuf_release(&text);
	strbuf_release(&got);
}

static void
test_width(void **state)
{
	static const struct {
		const char *text;
		size_t want;
	} cases[] = {
		{ "", 0 },
		{ "abc", 3 },
		{ "\xc3\xa9t\xc3\xa9", 3 },
		{ "e\xcc\x81", 1 },
		{ "\xe6\x89\xa9\xe6\x95\xa3", 4 },
		{ "\xef\xbc\xa1", 2 },
		{ "\x1b\n", 0 },
		{ "\xff", 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (text_width(cases[i].text, strlen(cases[i].text)) != cases[i].want)
			fail_msg("row %zu", i);
}

static void
test_cut(void **state)
{
	static const struct {
		const char *text;
		size_t max_bytes, max_width, want;
	} cases[] = {
		{ "abc", 10, 10, 3 },
		{ "abc", 2, 10, 2 },
		{ "abc", 10, 2, 2 },
		{ "abc", 0, 10, 0 },
		{ "ae\xcc\x81", 3, 10, 1 },
		{ "ae\xcc\x81", 4, 10, 4 },
		{ "ae\xcc\x81", 4, 1, 1 },
		{ "\xe6\x89\xa9\xe6\x95\xa3", 10, 3, 3 },
		{ "\xe6\x89\xa9\xe6\x95\xa3", 5, 10, 3 },
		/* a family of three and a flag are one grapheme each */
		{ "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7x", 10, 100, 0 },
		{ "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7x", 11, 100, 11 },
		{ "\xf0\x9f\x87\xac\xf0\x9f\x87\xa7\xf0\x9f\x87\xac\xf0\x9f\x87\xa7", 12, 100, 8 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t got = text_cut(
		    cases[i].text, strlen(cases[i].text), cases[i].max_bytes, cases[i].max_width);

		if (got != cases[i].want)
			fail_msg("row %zu: %zu", i, got);
	}
}

static void
test_wrapped(void **state)
{
	static const struct {
		const char *text, *indent;
		size_t width;
		const char *want;
	} cases[] = {
		{ "", "  ", 10, "" },
		{ "  \n ", "  ", 10, "" },
		{ "one two three", "", 7, "one two\nthree" },
		{ "one two three", "  ", 7, "  one\n  two\n  three" },
		{ "one  two\nthree ", "> ", 80, "> one two three" },
		{ "see https://example.org/long here", "", 10,
		    "see\nhttps://example.org/long\nhere" },
		{ "https://example.org/long", " ", 10, " https://example.org/long" },
		{ "to mailto:ada@digest.test now", "", 10, "to\nmailto:ada@digest.test\nnow" },
		/* another long word is broken, but never inside of a character */
		{ "a longestword b", "  ", 6, "  a\n  long\n  estw\n  ord\n  b" },
		{ "o\xcc\x81o\xcc\x81o\xcc\x81", "", 2, "o\xcc\x81o\xcc\x81\no\xcc\x81" },
		{ "e\xcc\x81te\xcc\x81 xx", "", 6, "e\xcc\x81te\xcc\x81 xx" },
		/* between ideographs a line may end, but not before a full stop */
		{ "\xe6\x89\xa9\xe6\x95\xa3\xe6\xa8\xa1\xe5\x9e\x8b", "", 5,
		    "\xe6\x89\xa9\xe6\x95\xa3\n\xe6\xa8\xa1\xe5\x9e\x8b" },
		{ "\xe6\x89\xa9\xe6\x95\xa3\xe3\x80\x82", "", 4,
		    "\xe6\x89\xa9\n\xe6\x95\xa3\xe3\x80\x82" },
		{ "a b c", "", 0, "a\nb\nc" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct strbuf got;

		strbuf_init(&got, 1000);
		text_add_wrapped(
		    &got, cases[i].text, strlen(cases[i].text), cases[i].indent, cases[i].width);
		if (strcmp(got.buf, cases[i].want) != 0)
			fail_msg("row %zu: '%s'", i, got.buf);
		strbuf_release(&got);
	}
}

static void
test_first_sentence(void **state)
{
	/* '|' marks where the sentence ends; none = at the end. */
	static const char *const cases[] = {
		"",
		"No end",
		"One.",
		"One.| Two. Three.",
		"Really?| Yes! No.",
		"We use e.g. Transformers.| They work.",
		"Work of Smith et al. We differ.| So.",
		"Faster, i.e. Better.| Next.",
		"A vs. B is.| C.",
		"By J. Smith and K. Lee.| They say.",
		"See Fig. 3 there.| Next.",
		"It takes 3.5 hours.| Next.",
		"It is v1.2 of it. small letters go on.| Next.",
		"A (b. C) dd.| E.",
		"A [b. C] dd.| E.",
		"The set (0, 1] is so.| Next.",
		"A smile :( here.| Next (one).",
		"He said \"so.\"| Then.",
		"\xe6\x88\x91\xe4\xbb\xac\xe3\x80\x82|\xe5\xa5\xbd\xe3\x80\x82",
		"Use node.js.| It runs.",
		"One.|\nTwo.",
		"We got 90.| 5 runs.",
		"2. It has a number.| Next.",
		"Dots... and more.| Next.",
		"In the U.S. The law.| Next.",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *bar = strchr(cases[i], '|');
		size_t want = bar != NULL ? (size_t)(bar - cases[i]) : strlen(cases[i]), got;
		struct strbuf text;

		strbuf_init(&text, 1000);
		strbuf_addn(&text, cases[i], want);
		if (bar != NULL)
			strbuf_add(&text, bar + 1);
		got = text_first_sentence(text.buf, text.len);
		if (got != want)
			fail_msg("row %zu: '%.*s'", i, (int)got, text.buf);
		strbuf_release(&text);
	}
}

static void
test_nearest(void **state)
{
	static const char *const names[] = { "match", "limit", "sort", "when", "timezone", "is",
		NULL };
	static const struct {
		const char *word, *want;
	} cases[] = {
		{ "match", "match" },
		{ "mach", "match" },
		{ "mathc", "match" },
		{ "matchs", "match" },
		{ "martch", "match" },
		{ "limti", "limit" },
		{ "tiemzoen", "timezone" },
		{ "sotr", "sort" },
		{ "wen", "when" },
		{ "xx", NULL },
		{ "", NULL },
		{ "subscriber", NULL },
		{ "timezonexxx", NULL },
	};
	char longer[200];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *got = text_nearest(cases[i].word, names);

		if ((got == NULL) != (cases[i].want == NULL) ||
		    (got != NULL && strcmp(got, cases[i].want) != 0))
			fail_msg("row %zu: '%s' is near %s", i, cases[i].word, got);
	}
	memset(longer, 'm', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	assert_null(text_nearest(longer, names));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clean),
		cmocka_unit_test(test_clean_keeps_eight_marks),
		cmocka_unit_test(test_width),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_wrapped),
		cmocka_unit_test(test_first_sentence),
		cmocka_unit_test(test_nearest),
	};

	return cmocka_run_group_tests_name("clean", tests, NULL, NULL);
}
