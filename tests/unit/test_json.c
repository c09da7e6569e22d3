#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "digest/json.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "digest/file.h"
#include "digest/limits.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static int
read_text(const char *text, json_t **out, struct error *err)
{
	return json_read(text, strlen(text), MAX_JSON_BYTES, out, err);
}

static void
test_errors_name_the_place(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "", "line 1, column 0" },
		{ "{\n \"a\": 1,\n \"b\" 2}", "line 3, column 6: ':' expected near '2'" },
		{ "[1, 2", "line 1, column 5: ']' expected near end of file" },
		{ "[1] x", "end of file expected" },
		{ "[\"\xff\"]", "line 1" },
		{ "<html>503</html>", "line 1, column 1" },
		{ "[NaN]", "invalid token" },
		{ "[1e999]", "line 1" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct error err = { 0 };
		json_t *root = NULL;

		if (read_text(cases[i].text, &root, &err) == 0)
			fail_msg("row %zu was taken", i);
		if (err.kind != ERR_DATA || strstr(err.msg, cases[i].want) == NULL)
			fail_msg("row %zu: %s", i, err.msg);
		assert_null(root);
	}
}

static void
test_nul_bytes_are_refused(void **state)
{
	struct error err = { 0 };
	json_t *root = NULL;

	(void)state;
	assert_int_equal(json_read("123\0", 4, 100, &root, &err), -1);
	assert_string_equal(err.msg, "JSON line 1, column 4: a NUL byte; expected text");
	assert_int_equal(json_read("[1,\n \0]", 7, 100, &root, &err), -1);
	assert_string_equal(err.msg, "JSON line 2, column 2: a NUL byte; expected text");
}

static void
test_what_services_send(void **state)
{
	static const struct {
		const char *text, *want; /* of member "a" */
	} cases[] = {
		{ "\xef\xbb\xbf{\"a\":\"b\"}", "b" },
		{ "{\"a\":\"x\\ud83d\"}", "x\xef\xbf\xbd" },
		{ "{\"a\":\"\\ude00y\"}", "\xef\xbf\xbdy" },
		{ "{\"a\":\"\\ud83d\\ude00\"}", "\xf0\x9f\x98\x80" },
		{ "{\"a\":\"\\ud83d\\ud83d\\ude00\"}", "\xef\xbf\xbd\xf0\x9f\x98\x80" },
		{ "{\"b\":\"\\\\ud83d\", \"a\":\"\\\\ud83d\\ud83d\"}", "\\ud83d\xef\xbf\xbd" },
		{ "{\"a\":\"first\", \"a\":\"last\"}", "last" },
		{ "{\"n\":123456789012345678901234567890, \"a\":\"big\"}", "big" },
		{ "{\"n\":123456789012345678901234567890, \"a\":\"\\ud83d\"}", "\xef\xbf\xbd" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct error err = { 0 };
		json_t *root = NULL;

		if (read_text(cases[i].text, &root, &err) == -1)
			fail_msg("row %zu: %s", i, err.msg);
		if (strcmp(json_get_string(root, "a"), cases[i].want) != 0)
			fail_msg("row %zu: '%s'", i, json_get_string(root, "a"));
		json_decref(root);
	}
}

static void
test_bounds(void **state)
{
	struct error err = { 0 };
	struct strbuf text;
	json_t *root;

	(void)state;
	strbuf_init(&text, 4 * MAX_JSON_BYTES);
	assert_int_equal(json_read("[1, 2]", 6, 5, &root, &err), -1);
	assert_int_equal(err.kind, ERR_NOMEM);
	strbuf_addc(&text, '[');
	for (unsigned i = 0; i < MAX_JSON_TOKENS / 2; i++)
		strbuf_add(&text, "[],");
	strbuf_add(&text, "1]");
	assert_int_equal(json_read(text.buf, text.len, text.len, &root, &err), -1);
	assert_non_null(strstr(err.msg, "500000 values"));
	for (int depth = MAX_JSON_DEPTH; depth <= MAX_JSON_DEPTH + 1; depth++) {
		strbuf_reset(&text);
		for (int i = 0; i < depth; i++)
			strbuf_addc(&text, '[');
		for (int i = 0; i < depth; i++)
			strbuf_addc(&text, ']');
		if (depth > MAX_JSON_DEPTH) {
			assert_int_equal(read_text(text.buf, &root, &err), -1);
			assert_int_equal(err.kind, ERR_NOMEM);
		} else {
			assert_int_equal(read_text(text.buf, &root, &err), 0);
			json_decref(root);
		}
	}
	strbuf_release(&text);
}

static void
test_getters(void **state)
{
	static const char text[] = "{\"i\":42,\"r\":2.0,\"f\":2.5,\"s\":\"17\",\"w\":\"seven\","
				   "\"m\":\"-3\",\"e\":\"\",\"h\":1e300,"
				   "\"t\":true,\"z\":null,\"o\":{\"x\":1},\"l\":[1,2],\"n\":"
				   "\"a\\u0000b\",\"x\":\"9223372036854775808\"}";
	static const struct {
		const char *name;
		bool there;
		int64_t want;
	} numbers[] = { { "i", true, 42 }, { "r", true, 2 }, { "f", false, 0 }, { "s", true, 17 },
		{ "w", false, 0 }, { "m", true, -3 }, { "e", false, 0 }, { "h", false, 0 },
		{ "t", false, 0 }, { "z", false, 0 }, { "o", false, 0 }, { "x", false, 0 },
		{ "missing", false, 0 } };
	json_t *root = NULL;
	bool yes = false;
	int64_t n;
	size_t len;

	(void)state;
	assert_int_equal(read_text(text, &root, NULL), 0);
	for (size_t i = 0; i < COUNT(numbers); i++) {
		n = 0;
		if (json_get_int64(root, numbers[i].name, &n) != numbers[i].there ||
		    n != numbers[i].want)
			fail_msg("member %s: %lld", numbers[i].name, (long long)n);
	}
	assert_string_equal(json_get_string(root, "s"), "17");
	assert_null(json_get_string(root, "i"));
	assert_null(json_get_string(root, "z"));
	assert_null(json_get_string(NULL, "s"));
	assert_memory_equal(json_get_text(root, "n", &len), "a\0b", 4);
	assert_int_equal(len, 3);
	assert_null(json_get_text(root, "i", &len));
	assert_int_equal(len, 0);
	assert_true(json_get_bool(root, "t", &yes) && yes);
	assert_false(json_get_bool(root, "i", &yes));
	assert_non_null(json_get_object(root, "o"));
	assert_null(json_get_object(root, "l"));
	assert_int_equal(json_array_size(json_get_array(root, "l")), 2);
	assert_null(json_get_array(root, "o"));
	assert_true(json_get_int64(json_get_object(root, "o"), "x", &n));
	assert_false(json_get_int64(json_get_object(root, "none"), "x", &n));
	json_decref(root);
}

static void
check_conformance(const char *dir, const char *name)
{
	struct error err = { 0 };
	struct strbuf path, bytes;
	json_t *root;
	int rc;

	strbuf_init(&path, 4096);
	strbuf_init(&bytes, MAX_JSON_BYTES);
	strbuf_addf(&path, "%s/%s", dir, name);
	assert_int_equal(file_read(path.buf, &bytes, &err), 0);
	rc = json_read(bytes.buf, bytes.len, MAX_JSON_BYTES, &root, &err);
	if ((name[0] == 'y' && rc == -1) || (name[0] == 'n' && rc == 0))
		fail_msg("%s: %s", name, rc == -1 ? err.msg : "was taken");
	if (rc == -1 &&
	    (err.kind == ERR_DATA
		    ? strstr(err.msg, "line ") == NULL || strstr(err.msg, "column ") == NULL
		    : err.kind != ERR_NOMEM || strstr(err.msg, "nested deeper") == NULL))
		fail_msg("%s: no place: %s", name, err.msg);
	if (rc == 0)
		json_decref(root);
	strbuf_release(&bytes);
	strbuf_release(&path);
}

static void
test_conformance(void **state)
{
	const char *corpus = getenv("DIGEST_CORPUS");
	struct dirent *entry;
	size_t nfiles = 0;
	char dir[4096];
	DIR *d;

	(void)state;
	if (corpus == NULL) {
		print_message("DIGEST_CORPUS is not set\n");
		skip();
	}
	snprintf(dir, sizeof(dir), "%s/json", corpus);
	d = opendir(dir);
	assert_non_null(d);
	while ((entry = readdir(d)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		check_conformance(dir, entry->d_name);
		nfiles++;
	}
	closedir(d);
	assert_true(nfiles > 100);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_errors_name_the_place),
		cmocka_unit_test(test_nul_bytes_are_refused),
		cmocka_unit_test(test_what_services_send),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_getters),
		cmocka_unit_test(test_conformance),
	};

	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
