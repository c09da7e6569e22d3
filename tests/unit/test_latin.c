/* Double-encoded names: undone when it is certain, left alone when it is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "digest/text.h"

static const struct {
	const char *text, *expected; /* NULL = left as it is */
} cases[] = {
	{ "", NULL }, { "Ada Bee", NULL }, { "Dirk W\u00c3\u00bcbben", "Dirk W\u00fcbben" },
	{ "Andr\u00c3\u00a9", "Andr\u00e9" },
	{ "\u00c3\u2030ric", "\u00c9ric" }, /* 0x89 by windows-1252 */
	{ "\u00c5\xc2\x81"
	  "ukasz",
	    "\u0141ukasz" },		    /* 0x81 has no character there */
	{ "\u00c3\u00a0 la", "\u00e0 la" }, /* a letter that ends in a blank */
	{ "Nguy\u00e1\u00ba\u00bfn", "Nguy\u1ebfn" },
	{ "O\u00e2\u20ac\u2122Neill", "O\u2019Neill" },
	{ "W\u00c3\u0192\u00c2\u00bcbben", "W\u00fcbben" }, /* twice */
	/* Right as they are. */
	{ "J\u00fcrgen M\u00fcller", NULL }, { "\u0141ukasz", NULL }, { "Jos\u00e9 \u00c3", NULL },
	{ "\u00c3lvaro", NULL }, { "\u5f20\u4e09", NULL },
	{ "\u00c3\u00bc and \u5f20", NULL },	       /* half of it cannot have been bytes */
	{ "W\u00c3\u00bcbben and M\u00fcller", NULL }, /* nor this, as a whole */
	{ "5 \u00c2\u00b0", NULL },		       /* U+00B0 is no letter */
	{ "\u00e5\u00bc\u00a0", NULL },		       /* U+5F20, in Latin-1: likely, not certain */
};

static void
test_unmangled(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *expected =
		    cases[i].expected != NULL ? cases[i].expected : cases[i].text;
		struct strbuf out;
		bool undone;

		strbuf_init(&out, 1000);
		strbuf_add(&out, ">");
		undone = text_add_unmangled(&out, cases[i].text, strlen(cases[i].text));
		if (strcmp(out.buf + 1, expected) != 0 || undone != (cases[i].expected != NULL))
			fail_msg("row %zu: '%s'; expected '%s'", i, out.buf + 1, expected);
		strbuf_release(&out);
	}
}

static void
test_windows_1252(void **state)
{
	(void)state;
	assert_int_equal(text_windows_1252('a'), 'a');
	assert_int_equal(text_windows_1252(0x80), 0x20ac);
	assert_int_equal(text_windows_1252(0x81), 0xfffd);
	assert_int_equal(text_windows_1252(0x9f), 0x178);
	assert_int_equal(text_windows_1252(0xe9), 0xe9);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unmangled),
		cmocka_unit_test(test_windows_1252),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
