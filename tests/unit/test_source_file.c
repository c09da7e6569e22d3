/* Papers from files: which are read and when, and what they may hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "digest/date.h"
#include "digest/file.h"
#include "digest/limits.h"
#include "digest/source.h"

enum { DAY = 86400 };

/* A folder of files. */
struct folder {
	char dir[40], conf[80], path[200];
	struct arena arena;
	struct config_source config;
	struct source_request *requests;
	size_t n;
	struct error err;
};

static void
put(const struct folder *f, const char *name, const char *text)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	assert_int_equal(file_write(path, 0600, text, strlen(text), NULL), 0);
}

static int
setup(void **state)
{
	struct folder *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return -1;
	snprintf(f->dir, sizeof(f->dir), "/tmp/digest-test-XXXXXX");
	if (mkdtemp(f->dir) == NULL)
		return -1;
	snprintf(f->conf, sizeof(f->conf), "%s/digest.conf", f->dir);
	f->config = (struct config_source){ .name = "mine",
		.type = "file",
		.url = "",
		.path = "*.json",
		.command = "",
		.interval_s = -1,
		.settle_s = -1,
		.file = f->conf,
		.line = 7 };
	arena_init(&f->arena, MAX_RUN_BYTES);
	put(f, "2026-08-20.json", "[]");
	put(f, "raw-2026-08-21.json", "[]");
	put(f, "papers.jsonl", "{}");
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	static const char *const names[] = { "2026-08-20.json", "raw-2026-08-21.json",
		"papers.jsonl" };
	struct folder *f = *state;
	char path[200];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", f->dir, names[i]);
		unlink(path);
	}
	rmdir(f->dir);
	arena_release(&f->arena);
	free(f);
	return 0;
}

static int
plan(struct folder *f, const char *pattern, const struct source_progress *progress, bool force)
{
	static const struct source_progress none = { 0 };

	/* The configuration resolves paths. */
	snprintf(f->path, sizeof(f->path), "%s/%s", f->dir, pattern);
	f->config.path = pattern[0] != '\0' ? f->path : "";
	f->requests = NULL;
	f->n = 99;
	return source_type_find("file", NULL)
	    ->plan(&f->config, progress != NULL ? progress : &none, time(NULL), 0, force, &f->arena,
		&f->requests, &f->n, &f->err);
}

static void
test_paths(void **state)
{
	struct folder *f = *state;
	char path[200];
	int32_t day;

	assert_int_equal(plan(f, "*.json", NULL, false), 0);
	assert_int_equal(f->n, 2);
	snprintf(path, sizeof(path), "%s/2026-08-20.json", f->dir);
	assert_string_equal(f->requests[0].path, path);
	assert_string_equal(f->requests[0].key, path);
	assert_string_equal(f->requests[0].url, "");
	assert_int_equal(date_parse_day("2026-08-21", &day, NULL), 0);
	assert_int_equal(f->requests[1].day, day);
	assert_int_equal(plan(f, "papers.jsonl", NULL, false), 0);
	assert_int_equal(f->n, 1);
	assert_int_equal(f->requests[0].day, 0);
	/* A pattern may match nothing; a name is asked for and fails when it is read. */
	assert_int_equal(plan(f, "*.xml", NULL, false), 0);
	assert_int_equal(f->n, 0);
	assert_int_equal(plan(f, "missing.json", NULL, false), 0);
	assert_int_equal(f->n, 1);
}

static void
test_wrong_paths(void **state)
{
	struct folder *f = *state;
	char expected[300];

	assert_int_equal(plan(f, ".", NULL, false), -1);
	snprintf(expected, sizeof(expected),
	    "%s:7: path '%s/.' is a directory; expected a file or '%s/./*.json'", f->conf, f->dir,
	    f->dir);
	assert_string_equal(f->err.msg, expected);
	assert_int_equal(f->err.kind, ERR_CONFIG);
	assert_int_equal(f->n, 99);
	assert_int_equal(plan(f, "", NULL, false), -1);
	assert_non_null(strstr(f->err.msg, ":7: a source of type file needs a 'path'"));
}

static void
test_unchanged_files_are_left_alone(void **state)
{
	struct folder *f = *state;
	struct source_page pages[2] = { { "", "", "", 0 }, { "", "", "", 0 } };
	struct source_progress progress = { 0, pages, 2 };
	int64_t now = time(NULL);

	assert_int_equal(plan(f, "*.json", NULL, false), 0);
	pages[0].key = f->requests[0].key;
	pages[1].key = f->requests[1].key;
	pages[0].read_utc = now + 10;
	pages[1].read_utc = now - 10;
	assert_int_equal(plan(f, "*.json", &progress, false), 0);
	assert_int_equal(f->n, 1);
	assert_string_equal(f->requests[0].key, pages[1].key);
	assert_int_equal(plan(f, "*.json", &progress, true), 0);
	assert_int_equal(f->n, 2);
}

#define ENTRY                                                                                   \
	"<entry><id>http://arxiv.org/abs/2608.00001v2</id><title>t</title><summary>s</summary>" \
	"<published>2026-08-20T10:00:00Z</published></entry>"
#define ATOM  "<feed xmlns=\"http://www.w3.org/2005/Atom\""
#define ARXIV ATOM " xmlns:arxiv=\"http://arxiv.org/schemas/atom\">"

static const struct {
	const char *bytes;
	size_t npapers, nbroken;
	const char *message; /* NULL = read */
} contents[] = {
	/* arXiv is known by what stands at the top, not by what papers speak of. */
	{ ARXIV ENTRY "</feed>", 1, 0, NULL },
	{ "\xef\xbb\xbf\n<?xml version=\"1.0\"?>\n" ARXIV ENTRY ENTRY "</feed>", 2, 0, NULL },
	{ ARXIV "<entry><title>no id</title></entry>" ENTRY "</feed>", 1, 1, NULL },
	{ ARXIV "</feed>", 0, 0, NULL },
	{ ARXIV "<entry><id>http://arxiv.org/api/errors#x</id><title>Error</title>"
		"<summary>bad id</summary></entry></feed>",
	    0, 0, "saved.json: the service says: bad id" },
	{ "{\"id\":\"x\",\"title\":\"http://arxiv.org/schemas/atom <b>\"}\n", 1, 0, NULL },
	/* What packs files. */
	{ "\x1f\x8b\x08", 0, 0, "saved.json: is packed; expected JSON lines" },
	{ "PK\x03\x04", 0, 0, "saved.json: is packed" },
	{ "", 0, 0, NULL },
	{ "[]", 0, 0, NULL },
	{ "\xef\xbb\xbf [{\"paper\":{\"id\":\"2608.00001\",\"title\":\"t\"}}]", 1, 0, NULL },
	{ "{\"id\":\"x\",\"title\":\"t\"}\n{\"id\":\"y\",\"title\":\"t\"}\n7\n", 2, 1, NULL },
	{ "{\"type\":\"subscriber\"}\n", 0, 0, NULL },
	{ "7\n8\n", 0, 0, "saved.json: no line is a paper; line 1: not an object" },
	{ "{\"error\":\"no\"}", 0, 0, "saved.json: no line is a paper; line 1: title is missing" },
	{ "<!DOCTYPE html>\n", 0, 0, "saved.json: a page of HTML that names no feed" },
	{ "<html><link rel=\"alternate\" type=\"application/rss+xml\" "
	  "href=\"https://a.example/f\">",
	    0, 0, "saved.json: a page of HTML that names the feed https://a.example/f" },
	{ "<rss><channel><item><title>A</title><link>https://a.example/1</link></item></channel></"
	  "rss>",
	    1, 0, NULL },
	{ "{\"version\":\"https://jsonfeed.org/version/"
	  "1\",\"items\":[{\"id\":\"1\",\"title\":\"A\"}]}",
	    1, 0, NULL },
	{ " \n\n", 0, 0, "saved.json: nothing at all" },
	{ "[{\"paper\":", 0, 0, "saved.json: expected a JSON array of daily papers: JSON line 1" },
	{ "[1]", 0, 0, "saved.json: none of 1 entries is a paper; entry 1: not an object" },
	{ "hello", 0, 0, "saved.json: no line is a paper; line 1: column" },
};

static void
test_contents(void **state)
{
	struct folder *f = *state;
	const struct source_request request = {
		.key = "saved.json", .path = "saved.json", .url = "", .day = 20687
	};

	for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++) {
		struct source_batch batch = { .npapers = 99 };
		struct error err = { 0 };
		int rc = source_type_find("file", NULL)
			     ->read(&f->config, &request,
				 &(struct source_answer){
				     contents[i].bytes, strlen(contents[i].bytes), "", "", "" },
				 20690 * (int64_t)DAY, &f->arena, &batch, &err);

		if (rc != (contents[i].message != NULL ? -1 : 0) ||
		    (rc == -1 && strstr(err.msg, contents[i].message) == NULL))
			fail_msg("row %zu: %d '%s'", i, rc, err.msg);
		if (rc == 0 &&
		    (batch.npapers != contents[i].npapers || batch.nbroken != contents[i].nbroken ||
			batch.more || batch.day != 0))
			fail_msg(
			    "row %zu: %zu papers, %zu broken", i, batch.npapers, batch.nbroken);
	}
}

/* An answer of 2024 does not say its day; the name of the file does. */
static void
test_day_of_a_saved_answer(void **state)
{
	static const char answer[] = "[{\"paper\":{\"id\":\"2405.00001\",\"title\":\"t\"},"
				     "\"publishedAt\":\"2024-05-27T03:50:58.348Z\"}]";
	const struct source_answer in = { answer, sizeof(answer) - 1, "", "", "" };
	struct folder *f = *state;
	struct source_request request = { .key = "x", .path = "x", .url = "", .day = 20687 };
	struct source_batch batch;
	const struct source_type *type = source_type_find("file", NULL);

	assert_int_equal(
	    type->read(&f->config, &request, &in, 20690 * (int64_t)DAY, &f->arena, &batch, NULL),
	    0);
	assert_int_equal(batch.papers[0]->listed_day, 20687);
	request.day = 0;
	assert_int_equal(
	    type->read(&f->config, &request, &in, 20690 * (int64_t)DAY, &f->arena, &batch, NULL),
	    0);
	assert_int_equal(batch.papers[0]->listed_day, 19870);
}

static void
test_status_is_a_bug(void **state)
{
	struct folder *f = *state;
	const struct source_request request = { .key = "x", .path = "x" };

	assert_int_equal(source_type_find("file", NULL)->status(&request, 404, "", 0, &f->err), -1);
	assert_int_equal(f->err.kind, ERR_BUG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_wrong_paths),
		cmocka_unit_test(test_unchanged_files_are_left_alone),
		cmocka_unit_test(test_contents),
		cmocka_unit_test(test_day_of_a_saved_answer),
		cmocka_unit_test(test_status_is_a_bug),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
