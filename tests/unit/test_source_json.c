/* JSON as nobody should send it (RFC 8259, F-51) through every reader of it: taken, or refused with its place; a bad
 * document costs itself and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>

#include "digest/file.h"
#include "digest/json.h"
#include "digest/limits.h"
#include "digest/source.h"

enum { NOW = 1787392800, DEEP = 1000000 };

static const struct config_source config = { .name = "mine",
	.type = "huggingface",
	.url = "",
	.path = "",
	.command = "",
	.interval_s = -1,
	.settle_s = -1,
	.file = "" };

/* What one reader makes of a document. */
struct reading {
	int rc;
	struct source_batch batch;
	struct error err;
	char title[64];
};

static void
read_huggingface(const struct strbuf *text, struct reading *out)
{
	const struct source_request request = { .key = "day",
		.url = "https://a.example/",
		.path = "",
		.command = "",
		.etag = "",
		.last_modified = "",
		.day = 20687 };
	const struct source_answer answer = { text->buf, text->len, "", "", "" };
	struct arena a;

	memset(out, 0, sizeof(*out));
	arena_init(&a, MAX_RUN_BYTES);
	out->rc = source_type_find("huggingface", NULL)
		      ->read(&config, &request, &answer, NOW, &a, &out->batch, &out->err);
	if (out->rc == 0 && out->batch.npapers > 0)
		snprintf(out->title, sizeof(out->title), "%s", out->batch.papers[0]->title);
	arena_release(&a);
}

static void
read_lines(const struct strbuf *text, struct reading *out)
{
	struct arena a;

	memset(out, 0, sizeof(*out));
	arena_init(&a, MAX_RUN_BYTES);
	out->rc = source_read_lines("mine", text->buf, text->len, NOW, &a, &out->batch, &out->err);
	if (out->rc == 0 && out->batch.npapers > 0)
		snprintf(out->title, sizeof(out->title), "%s", out->batch.papers[0]->title);
	arena_release(&a);
}

/* The document as a member that no reader knows, in what is otherwise in order. */
static void
set_daily(struct strbuf *out, const char *bytes, size_t len)
{
	strbuf_reset(out);
	strbuf_add(out, "[{\"paper\":{\"id\":\"2608.00001\",\"title\":\"t\",\"unknown\":");
	strbuf_addn(out, bytes, len);
	strbuf_add(out, "}}]");
}

static void
set_line(struct strbuf *out, const char *bytes, size_t len)
{
	strbuf_reset(out);
	strbuf_add(out, "{\"id\":\"a\",\"title\":\"t\",\"unknown\":");
	strbuf_addn(out, bytes, len);
	strbuf_add(out, "}\n{\"id\":\"b\",\"title\":\"good\"}\n");
}

/* Where the standard leaves it open, this is what we do. */
static const struct {
	const char *name;
	bool taken;
} open_cases[] = {
	{ "i_number_double_huge_neg_exp.json", true }, { "i_number_neg_int_huge_exp.json", false },
	{ "i_number_real_neg_overflow.json", false }, { "i_number_real_underflow.json", true },
	{ "i_number_too_big_pos_int.json", true }, { "i_object_key_lone_2nd_surrogate.json", true },
	{ "i_string_1st_valid_surrogate_2nd_invalid.json", true },
	{ "i_string_UTF-8_invalid_sequence.json", true },
	{ "i_string_incomplete_surrogate_and_escape_valid.json", true },
	{ "i_string_incomplete_surrogates_escape_valid.json", true },
	{ "i_string_invalid_surrogate.json", true },
	{ "i_string_inverted_surrogates_U+1D11E.json", true },
	{ "i_string_lone_second_surrogate.json", true },
	{ "i_string_not_in_unicode_range.json", true },
	{ "i_string_overlong_sequence_6_bytes.json", true },
	{ "i_string_truncated-utf-8.json", true }, { "i_string_utf16LE_no_BOM.json", false },
	{ "i_structure_UTF-8_BOM_empty_object.json",
	    false }, /* a mark belongs to the beginning of a text */
};

static bool
is_taken(const char *name)
{
	if (name[0] != 'i')
		return name[0] == 'y';
	for (size_t i = 0; i < sizeof(open_cases) / sizeof(open_cases[0]); i++)
		if (strcmp(name, open_cases[i].name) == 0)
			return open_cases[i].taken;
	fail_msg("%s: say in the table whether it is taken", name);
	return false;
}

static bool
is_refusal(const struct error *err)
{
	return (err->kind == ERR_DATA && strstr(err->msg, "line ") != NULL &&
		   strstr(err->msg, "column ") != NULL) ||
	    (err->kind == ERR_NOMEM && strstr(err->msg, "nested deeper") != NULL);
}

static void
check_daily(const char *name, const struct strbuf *document, struct strbuf *text)
{
	struct reading r;

	set_daily(text, document->buf, document->len);
	read_huggingface(text, &r);
	if (is_taken(name) != (r.rc == 0) || (r.rc == -1 && !is_refusal(&r.err)) ||
	    (r.rc == 0 && (r.batch.npapers != 1 || strcmp(r.title, "t") != 0)))
		fail_msg(
		    "%s in an answer: %d, %zu papers, %s", name, r.rc, r.batch.npapers, r.err.msg);
	/* Alone it is no list of papers, and at most an empty one. */
	read_huggingface(document, &r);
	if (r.rc == 0 ? r.batch.npapers > 0 || !is_taken(name)
		      : r.err.kind != ERR_DATA && !is_refusal(&r.err))
		fail_msg("%s alone: %d, %zu papers, %s", name, r.rc, r.batch.npapers, r.err.msg);
}

static void
check_line(const char *name, const struct strbuf *document, struct strbuf *text)
{
	struct reading r;

	if (memchr(document->buf, '\n', document->len) != NULL)
		return; /* would be several lines */
	set_line(text, document->buf, document->len);
	read_lines(text, &r);
	if (r.rc == -1 || r.batch.npapers != (is_taken(name) ? 2 : 1) ||
	    r.batch.nbroken != (is_taken(name) ? 0 : 1) ||
	    strcmp(r.title, is_taken(name) ? "t" : "good") != 0)
		fail_msg("%s in a line: %d, %zu papers, %s%s", name, r.rc, r.batch.npapers,
		    r.batch.first_broken, r.err.msg);
	if (!is_taken(name) && strncmp(r.batch.first_broken, "line 1: ", 8) != 0)
		fail_msg("%s in a line: %s", name, r.batch.first_broken);
}

static void
check_file(const char *path, const char *name)
{
	struct strbuf document, text;

	strbuf_init(&document, MAX_JSON_BYTES);
	strbuf_init(&text, MAX_JSON_BYTES);
	assert_int_equal(file_read(path, &document, NULL), 0);
	check_daily(name, &document, &text);
	check_line(name, &document, &text);
	strbuf_release(&text);
	strbuf_release(&document);
}

static void
test_suite(void **state)
{
	const char *corpus = getenv("DIGEST_CORPUS");
	struct dirent *entry;
	size_t nfiles = 0;
	char path[4096 + 300], dir[4096];
	DIR *d;

	(void)state;
	if (corpus == NULL) {
		print_message("DIGEST_CORPUS is not set; the JSON suite is not read\n");
		skip();
	}
	snprintf(dir, sizeof(dir), "%s/json", corpus);
	d = opendir(dir);
	assert_non_null(d);
	while ((entry = readdir(d)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		check_file(path, entry->d_name);
		nfiles++;
	}
	closedir(d);
	assert_true(nfiles > 100);
}

/* A million brackets, opened and, in the second half of the rows, closed again. */
static void
test_depth(void **state)
{
	static const char *const kinds[] = { "[", "{\"a\":" };
	struct strbuf text, whole;

	(void)state;
	strbuf_init(&text, (size_t)8 * DEEP);
	strbuf_init(&whole, (size_t)8 * DEEP);
	for (int i = 0; i < 4; i++) {
		struct error err = { 0 };
		struct reading r;
		json_t *root;

		strbuf_reset(&text);
		for (int n = 0; n < DEEP; n++)
			strbuf_add(&text, kinds[i % 2]);
		for (int n = 0; i >= 2 && n < DEEP; n++)
			strbuf_addc(&text, i % 2 == 0 ? ']' : '}');
		assert_int_equal(json_read(text.buf, text.len, SIZE_MAX, &root, &err), -1);
		assert_true(is_refusal(&err));
		set_daily(&whole, text.buf,
		    text.len < MAX_JSON_BYTES / 2 ? text.len : MAX_JSON_BYTES / 2);
		read_huggingface(&whole, &r);
		assert_int_equal(r.rc, -1);
		assert_true(is_refusal(&r.err));
		set_line(&whole, text.buf, MAX_JSON_LINE / 2);
		read_lines(&whole, &r);
		assert_int_equal(r.batch.nbroken, 1);
		assert_non_null(strstr(r.batch.first_broken, "line 1: JSON is nested deeper"));
		set_line(&whole, text.buf, text.len);
		read_lines(&whole, &r);
		assert_int_equal(r.batch.nbroken, 1);
		assert_int_equal(r.batch.npapers, 1);
	}
	strbuf_release(&whole);
	strbuf_release(&text);
}

/* Votes, as a number nobody should send: what is read, -1 = not told, -2 = the line is broken. */
static const struct {
	const char *number;
	int64_t daily, line;
} numbers[] = {
	{ "9223372036854775807", INT64_MAX, INT64_MAX },
	{ "9223372036854775808", -1, -2 },
	{ "123456789012345678901234567890", -1, -2 },
	{ "-1", -1, -2 },
	{ "-123456789012345678901234567890", -1, -2 },
	{ "1e3", 1000, 1000 },
	{ "1e300", -1, -2 },
	{ "1e-300", -1, -2 },
	{ "0.5", -1, -2 },
	{ "-0", 0, 0 },
	{ "\"12\"", 12, 12 },
	{ "\"many\"", -1, -2 },
	{ "true", -1, -2 },
	{ "null", -1, -1 },
	{ "[3]", -1, -2 },
};

static void
test_numbers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct strbuf text;
		struct source_batch batch;
		struct arena a;

		strbuf_init(&text, MAX_JSON_LINE);
		arena_init(&a, MAX_RUN_BYTES);
		strbuf_addf(&text,
		    "[{\"paper\":{\"id\":\"2608.00001\",\"title\":\"t\",\"upvotes\":%s,"
		    "\"githubStars\":7}}]",
		    numbers[i].number);
		assert_int_equal(
		    source_read_saved("mine", "x", text.buf, text.len, NOW, &a, &batch, NULL), 0);
		if (batch.npapers != 1 || batch.papers[0]->votes != numbers[i].daily ||
		    batch.papers[0]->stars != 7)
			fail_msg("row %zu: %lld votes", i, (long long)batch.papers[0]->votes);
		strbuf_reset(&text);
		strbuf_addf(&text, "{\"id\":\"x\",\"title\":\"t\",\"votes\":%s,\"stars\":7}",
		    numbers[i].number);
		assert_int_equal(
		    source_read_lines("mine", text.buf, text.len, NOW, &a, &batch, NULL), 0);
		if (batch.npapers == 1
			? batch.papers[0]->votes != numbers[i].line || batch.papers[0]->stars != 7
			: numbers[i].line != -2)
			fail_msg("row %zu: a line with %s", i, numbers[i].number);
		arena_release(&a);
		strbuf_release(&text);
	}
}

/* Of members that come twice the last counts, in every reader alike. */
static void
test_members_that_come_twice(void **state)
{
	static const char daily[] = "[{\"paper\":{\"id\":\"2608.00001\",\"title\":\"first\","
				    "\"id\":\"2608.00002\",\"title\":\"last\"}}]";
	static const char line[] = "{\"id\":\"2608.00001\",\"title\":7,\"title\":\"last\","
				   "\"id\":\"2608.00002\"}";
	static const char *const texts[] = { daily, line };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct source_batch batch;
		struct arena a;

		arena_init(&a, MAX_RUN_BYTES);
		assert_int_equal(source_read_saved("mine", "x", texts[i], strlen(texts[i]), NOW, &a,
				     &batch, NULL),
		    0);
		assert_int_equal(batch.npapers, 1);
		assert_string_equal(batch.papers[0]->key, "arxiv:2608.00002");
		assert_string_equal(batch.papers[0]->title, "last");
		arena_release(&a);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_suite),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_members_that_come_twice),
	};

	return cmocka_run_group_tests_name("source json", tests, NULL, NULL);
}
