/* A program of the user's: what it prints, how it ends, and that nothing of it stays behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "digest/child.h"
#include "digest/clock.h"

enum { BOUND = 1000, LIMIT_MS = 20000 };

/* Read it to its end. Returns what child_read said last. */
static int
read_all(struct child *c, struct strbuf *out)
{
	int64_t end_ms = clock_monotonic_ms() + LIMIT_MS;
	int more;

	while ((more = child_read(c, out)) == 1 && clock_monotonic_ms() < end_ms)
		poll(NULL, 0, 2);
	while (more == 0 && !child_has_ended(c) && clock_monotonic_ms() < end_ms)
		poll(NULL, 0, 2);
	return more;
}

static const struct {
	const char *command, *out, *how;
} cases[] = {
	{ "echo one; echo two", "one\ntwo\n", "" },
	{ "printf 'no line end'", "no line end", "" },
	{ "true", "", "" },
	{ "cat", "", "" }, /* there is nothing to read and nobody to ask */
	{ "tty >/dev/null || echo none", "none\n", "" },
	{ "(: </dev/tty) 2>/dev/null || echo none", "none\n", "" },
	{ "echo a; exit 3", "a\n", "exit status 3" },
	{ "echo why >&2; exit 3", "", "exit status 3: why" },
	{ "echo first >&2; echo last >&2; exit 1", "", "exit status 1: last" },
	{ "printf 'without an end' >&2; exit 1", "", "exit status 1: without an end" },
	{ "no-such-program-anywhere 2>/dev/null", "", "exit status 127" },
	{ "kill -9 $$", "", "ended by signal 9" },
};

static void
test_endings(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct child c;
		struct strbuf out;
		struct error err;
		char how[300] = "";
		int status;

		strbuf_init(&out, BOUND);
		if (child_start(&c, cases[i].command, NULL, true, &err) == -1)
			fail_msg("row %zu: %s", i, err.msg);
		if (read_all(&c, &out) != 0)
			fail_msg("row %zu: '%s' did not end", i, cases[i].command);
		if ((status = child_stop(&c)) != 0)
			child_describe(&c, status, how, sizeof(how));
		if (strcmp(out.buf, cases[i].out) != 0 || strcmp(how, cases[i].how) != 0)
			fail_msg(
			    "row %zu: '%s' printed '%s', %s", i, cases[i].command, out.buf, how);
		strbuf_release(&out);
	}
}

static void
test_too_much(void **state)
{
	struct child c;
	struct strbuf out;
	struct error err;

	(void)state;
	strbuf_init(&out, BOUND);
	assert_int_equal(
	    child_start(&c, "while :; do echo 0123456789; done", NULL, false, &err), 0);
	assert_int_equal(read_all(&c, &out), -1);
	assert_int_not_equal(child_stop(&c), 0);
	strbuf_release(&out);
}

/* What it started in the background ends with it, and a stopped child can be stopped again. */
static void
test_group_ends(void **state)
{
	struct child c;
	struct strbuf out;
	struct error err;
	long pid;

	(void)state;
	strbuf_init(&out, BOUND);
	assert_int_equal(
	    child_start(&c, "sleep 600 >/dev/null 2>&1 & echo $!", NULL, false, &err), 0);
	assert_int_equal(read_all(&c, &out), 0);
	pid = strtol(out.buf, NULL, 10);
	assert_true(pid > 1);
	assert_int_equal(kill((pid_t)pid, 0), 0);
	assert_int_equal(child_stop(&c), 0);
	/* Its new parent takes its status soon; until then it is dead, but has its number. */
	for (int i = 0; i < 1000; i++) {
		char path[64], text[200] = "";
		FILE *stat;

		snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
		if ((stat = fopen(path, "r")) == NULL)
			break;
		if (fgets(text, sizeof(text), stat) != NULL && strstr(text, ") Z ") != NULL)
			i = 1000;
		fclose(stat);
		if (i == 999)
			fail_msg("%ld lives on", pid);
		poll(NULL, 0, 2);
	}
	assert_int_equal(child_stop(&c), 0);
	strbuf_release(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_endings),
		cmocka_unit_test(test_too_much),
		cmocka_unit_test(test_group_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
