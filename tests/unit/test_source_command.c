/* Papers of a program: what it is asked for, and what it may print. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "digest/limits.h"
#include "digest/source.h"

/* 2026-08-22T10:00:00Z, day 20687. */
enum { NOW = 1787392800, TODAY = 20687 };

static const struct config_source config = { .name = "mine",
	.type = "command",
	.url = "",
	.path = "",
	.command = "bin/papers --all",
	.interval_s = -1,
	.settle_s = -1,
	.file = "digest.conf",
	.line = 4 };

static const struct {
	int32_t cursor, since; /* what was read, what is asked for by hand */
	int32_t want;
} plans[] = {
	{ 0, 0, TODAY - 7 }, { TODAY - 1, 0, TODAY - 2 },
	{ TODAY - 60, 0, TODAY - 61 }, /* nothing is lost after a time without runs */
	{ TODAY - 1, TODAY - 300, TODAY - 300 },
	{ TODAY + 9, 0, TODAY - 7 }, /* a clock that ran ahead */
};

static void
test_plan(void **state)
{
	const struct source_type *type = source_type_find("command", NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
		const struct source_progress progress = { .cursor_day = plans[i].cursor };
		struct source_request *r = NULL;
		struct arena a;
		size_t n = 0;

		arena_init(&a, MAX_RUN_BYTES);
		assert_int_equal(
		    type->plan(&config, &progress, NOW, plans[i].since, false, &a, &r, &n, NULL),
		    0);
		assert_int_equal(n, 1);
		assert_string_equal(r->command, "bin/papers --all");
		assert_string_equal(r->url, "");
		assert_string_equal(r->path, "");
		assert_string_equal(r->key, "output");
		assert_int_equal(r->day, TODAY - 1);
		if (r->since_day != plans[i].want)
			fail_msg("row %zu: since day %d", i, (int)r->since_day);
		arena_release(&a);
	}
}

static void
test_plan_without_a_command(void **state)
{
	const struct source_progress progress = { 0 };
	struct config_source none = config;
	struct source_request *r;
	struct error err = { 0 };
	struct arena a;
	size_t n;

	(void)state;
	none.command = "";
	arena_init(&a, MAX_RUN_BYTES);
	assert_int_equal(source_type_find("command", NULL)
			     ->plan(&none, &progress, NOW, 0, false, &a, &r, &n, &err),
	    -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_string_equal(err.msg, "digest.conf:4: a source of type command needs a 'command'");
	arena_release(&a);
	/* Memory that is short is an ordinary error. */
	arena_init(&a, 1);
	assert_int_equal(source_type_find("command", NULL)
			     ->plan(&config, &progress, NOW, 0, false, &a, &r, &n, &err),
	    -1);
	assert_int_equal(err.kind, ERR_NOMEM);
	arena_release(&a);
}

static const struct {
	const char *printed;
	size_t npapers, nbroken;
	const char *message; /* NULL = read */
} outputs[] = {
	{ "", 0, 0, NULL },
	{ "\n\n", 0, 0, NULL },
	{ "{\"id\":\"x\",\"title\":\"t\"}\n", 1, 0, NULL },
	{ "{\"id\":\"x\",\"title\":\"t\"}", 1, 0, NULL },
	{ "reading ...\n{\"id\":\"x\",\"title\":\"t\"}\ndone\n", 1, 2, NULL },
	{ "usage: papers\n", 0, 0, "the command prints no paper; line 1: column 5" },
	/* Saved answers are for files; a program that copies one says too little to be believed. */
	{ "[{\"paper\":{\"id\":\"2608.00001\",\"title\":\"t\"}}]", 0, 0,
	    "the command prints no paper; line 1: not an object" },
};

static void
test_outputs(void **state)
{
	const struct source_request request = { .key = "output", .command = "x", .day = TODAY - 1 };

	(void)state;
	for (size_t i = 0; i < sizeof(outputs) / sizeof(outputs[0]); i++) {
		const struct source_answer answer = { outputs[i].printed,
			strlen(outputs[i].printed), "", "", "" };
		struct source_batch batch = { .npapers = 99 };
		struct error err = { 0 };
		struct arena a;
		int rc;

		arena_init(&a, MAX_RUN_BYTES);
		rc = source_type_find("command", NULL)
			 ->read(&config, &request, &answer, NOW, &a, &batch, &err);
		if (rc != (outputs[i].message != NULL ? -1 : 0) ||
		    (rc == -1 &&
			(err.kind != ERR_DATA || strstr(err.msg, outputs[i].message) == NULL)))
			fail_msg("row %zu: %d '%s'", i, rc, err.msg);
		if (rc == 0 &&
		    (batch.npapers != outputs[i].npapers || batch.nbroken != outputs[i].nbroken ||
			batch.day != 0 || batch.more))
			fail_msg(
			    "row %zu: %zu papers, %zu broken", i, batch.npapers, batch.nbroken);
		if (rc == 0 && batch.npapers > 0 && batch.papers[0]->listed_day != TODAY)
			fail_msg("row %zu: listed on day %d", i, (int)batch.papers[0]->listed_day);
		arena_release(&a);
	}
}

static void
test_status_is_a_bug(void **state)
{
	const struct source_request request = { .key = "output" };
	struct error err = { 0 };

	(void)state;
	assert_int_equal(source_type_find("command", NULL)->status(&request, 404, "", 0, &err), -1);
	assert_int_equal(err.kind, ERR_BUG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan),
		cmocka_unit_test(test_plan_without_a_command),
		cmocka_unit_test(test_outputs),
		cmocka_unit_test(test_status_is_a_bug),
	};

	return cmocka_run_group_tests_name("source command", tests, NULL, NULL);
}
