#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "digest/csv.h"
#include "digest/limits.h"
#include "digest/strbuf.h"

#include <stdlib.h>
#include <string.h>

/* What a text is read as: fields between '|', records between '/', a broken one as !line,column. */
static const struct {
	const char *text, *want;
} cases[] = {
	{ "", "" },
	{ "\n\r\n\r\r", "" },
	{ "a", "a" },
	{ "a,b,c", "a|b|c" },
	{ "a,b\nc,d\n", "a|b/c|d" },
	{ "a,b\r\nc,d\r\n", "a|b/c|d" },
	{ "a,b\rc,d\r", "a|b/c|d" },
	{ "a\n\n\nb\n", "a/b" },
	{ "\xEF\xBB\xBF"
	  "a,b",
	    "a|b" },
	{ "\xEF\xBB\xBF"
	  "\"a\",b",
	    "a|b" },
	{ ",", "|" },
	{ ",,\n,", "||/|" },
	{ " a , b ", " a | b " },
	/* quotes, RFC 4180 2.5 to 2.7 */
	{ "\"a\",\"b\"", "a|b" },
	{ "\"\",\"\"", "|" },
	{ "\"a,b\",c", "a,b|c" },
	{ "\"a\"\"b\"", "a\"b" },
	{ "\"\"\"\"", "\"" },
	{ "\"a\nb\",c\nd", "a\nb|c/d" },
	{ "\"a\r\nb\"\r\nd", "a\r\nb/d" },
	{ "\"\n\"\n\"", "\n/!3,1" },
	/* what is broken, and that the next line is read */
	{ "a\"b,c\nd", "!1,1/d" },
	{ "a,b\"c\nd", "!1,2/d" },
	{ "a,\"b\"c\nd", "!1,2/d" },
	{ "\"a\" ,b\nc", "!1,1/c" },
	{ "x,\"a\nb\nc,d\n", "!1,2/b/c|d" },
	{ "a\n\"b\nc\"x\nd", "a/!2,1/!3,1/d" },
	{ "a,\xE9,b\nc", "!1,2/c" },
	{ "\"\xE9\",b\nc", "!1,1/c" },
	{ "\"a\n\n\n\xE9\"\nc", "!1,1/!4,1/c" },
	/* other separators, by the first line alone */
	{ "a;b;c\nd,e;f", "a|b|c/d,e|f" },
	{ "a\tb\nc\t\"d\te\"", "a|b/c|d\te" },
	{ "\"a;b;c\",d\ne,f;g", "a;b;c|d/e|f;g" },
	{ "a\nb;c,d", "a/b;c|d" },
	{ "Zoë,😀\n", "Zoë|😀" },
};

static void
add_record(struct strbuf *out, const struct csv_record *r)
{
	for (size_t i = 0; i < r->n; i++)
		strbuf_addf(out, "%s%s", i > 0 ? "|" : "", r->fields[i]);
}

/* All records of a text, read from a copy without a NUL behind it. */
static void
read_all(const char *text, size_t len, struct strbuf *out)
{
	char *copy = malloc(len + (len == 0));
	struct csv_record record;
	struct error err;
	struct arena a;
	struct csv csv;
	size_t column = 0;
	int more;

	assert_non_null(copy);
	memcpy(copy, text, len);
	arena_init(&a, 16 << 20);
	csv_init(&csv, copy, len);
	for (size_t n = 0; (more = csv_next(&csv, &a, &record, &column, &err)) != 0; n++) {
		strbuf_add(out, n > 0 ? "/" : "");
		if (more == 1)
			add_record(out, &record);
		else
			strbuf_addf(out, "!%u,%zu", (unsigned)record.line, column);
		if (more == -1)
			assert_int_equal(err.kind, ERR_DATA);
		arena_reset(&a);
	}
	arena_release(&a);
	free(copy);
}

static void
test_records(void **state)
{
	struct strbuf got;

	(void)state;
	strbuf_init(&got, 4096);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		strbuf_reset(&got);
		read_all(cases[i].text, strlen(cases[i].text), &got);
		if (strcmp(got.buf, cases[i].want) != 0)
			fail_msg("row %zu: '%s' is read as '%s'; expected '%s'", i, cases[i].text,
			    got.buf, cases[i].want);
	}
	strbuf_release(&got);
}

static void
test_lines(void **state)
{
	static const char text[] = "a\n\n\"b\r\nb\nb\",\"\r\"\r\nc\rd\n";
	static const uint32_t want[] = { 1, 3, 7, 8 };
	struct csv_record record;
	struct error err;
	struct arena a;
	struct csv csv;
	size_t column;

	(void)state;
	arena_init(&a, 1 << 20);
	csv_init(&csv, text, sizeof(text) - 1);
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		assert_int_equal(csv_next(&csv, &a, &record, &column, &err), 1);
		if (record.line != want[i])
			fail_msg(
			    "record %zu begins on line %u; expected %u", i, record.line, want[i]);
	}
	assert_int_equal(csv_next(&csv, &a, &record, &column, &err), 0);
	arena_release(&a);
}

static void
test_nul(void **state)
{
	struct strbuf got;

	(void)state;
	strbuf_init(&got, 4096);
	read_all("a,b\0c\nd", 7, &got);
	assert_string_equal(got.buf, "!1,2/d");
	strbuf_release(&got);
}

/* One field, one byte more than may be, and a quote that swallows a file. */
static void
test_bounds(void **state)
{
	const size_t large = MAX_CSV_RECORD + 100;
	char *text = malloc(large);
	struct strbuf got;

	(void)state;
	assert_non_null(text);
	strbuf_init(&got, 4 * MAX_CSV_RECORD);
	memset(text, 'x', large);
	read_all(text, MAX_CSV_RECORD, &got);
	assert_int_equal(got.len, MAX_CSV_RECORD);
	strbuf_reset(&got);
	text[large - 2] = '\n';
	read_all(text, large, &got);
	assert_string_equal(got.buf, "!1,1/x");
	strbuf_reset(&got);
	text[0] = '"';
	text[5] = '\n';
	memset(text + 6, '\n', large - 6);
	text[large - 1] = 'y';
	read_all(text, large, &got);
	assert_string_equal(got.buf, "!1,1/y");
	strbuf_reset(&got);
	memset(text, ',', MAX_CSV_FIELDS);
	memcpy(text + MAX_CSV_FIELDS, "\nz", 2);
	read_all(text, MAX_CSV_FIELDS + 2, &got);
	assert_string_equal(got.buf, "!1,1001/z");
	strbuf_reset(&got);
	read_all(text + 1, MAX_CSV_FIELDS - 1, &got);
	assert_int_equal(got.len, MAX_CSV_FIELDS - 1);
	strbuf_release(&got);
	free(text);
}

static void
test_memory(void **state)
{
	static const char text[] = "\"some, field\",another";
	struct csv_record record;
	struct error err;
	struct csv csv;
	struct arena a;
	size_t column;

	(void)state;
	for (size_t room = 0; room < 8; room++) {
		arena_init(&a, room);
		csv_init(&csv, text, sizeof(text) - 1);
		assert_int_equal(csv_next(&csv, &a, &record, &column, &err), -1);
		assert_int_equal(err.kind, ERR_NOMEM);
		arena_release(&a);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_records),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
