#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>

#include "digest/file.h"
#include "test_config.h"

static const struct {
	struct config_secret secret;
	const char *want; /* the secret, NULL = a failure */
	const char *message;
} rows[] = {
	{ { "hunter2", "", "", "" }, "hunter2", NULL },
	{ { "", "closed", "", "" }, "from file", NULL },
	{ { "", "dos", "", "" }, "from dos", NULL },
	{ { "", "", "TEST_SECRET", "" }, "from env", NULL },
	{ { "", "", "", "echo 'from command'" }, "from command", NULL },
	{ { "", "", "", "printf '%s' \"$TEST_SECRET\"; exit 0" }, "from env", NULL },
	/* No standard input, no terminal to ask on, nothing said on our standard error. */
	{ { "", "", "", "cat; echo loud >&2; echo x" }, "x", NULL },
	{ { "", "", "", "(exec 3</dev/tty) 2>/dev/null || echo none" }, "none", NULL },
	{ { "", "open", "", "" }, NULL,
	    "smtp: open: holds a secret but others may read it; chmod 600 open" },
	{ { "", "gone", "", "" }, NULL, "smtp: gone: No such file or directory" },
	{ { "", "empty", "", "" }, NULL, "smtp is empty; expected a secret" },
	{ { "", "two", "", "" }, NULL, "smtp has several lines; expected one" },
	{ { "", "", "NOT_SET_X", "" }, NULL,
	    "smtp: environment variable 'NOT_SET_X' is not set; set it where digest is "
	    "started, as in the crontab, or use password-file" },
	{ { "", "", "", "echo hunter2; exit 3" }, NULL,
	    "smtp: the command ended with status 3; expected 0 (run it by hand to see why)" },
	{ { "", "", "", "kill -9 $$" }, NULL, "smtp: the command was ended by signal 9" },
	{ { "", "", "", "no-such-command-x" }, NULL,
	    "smtp: the command ended with status 127; expected 0 (run it by hand to see why)" },
	{ { "", "", "", "yes" }, NULL, "smtp: the command printed more than 16384 bytes" },
	{ { "", "", "", "" }, NULL, "smtp is empty; expected a secret" },
};

static void
test_secrets(void **state)
{
	(void)state;
	put_file("closed", "from file\n", 10);
	put_file("dos", "from dos\r\n", 10);
	put_file("open", "x\n", 2);
	put_file("empty", "\n", 1);
	put_file("two", "a\nb\n", 4);
	assert_int_equal(chmod("open", 0604), 0);
	assert_int_equal(setenv("TEST_SECRET", "from env", 1), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct strbuf got;
		struct error err;
		int rc;

		err_clear(&err);
		strbuf_init(&got, 100);
		rc = config_read_secret(&rows[i].secret, "smtp", &got, &err);
		if (rc != (rows[i].want != NULL ? 0 : -1))
			fail_msg("row %zu: returns %d, %s", i, rc, err.msg);
		if (rows[i].want != NULL && strcmp(got.buf, rows[i].want) != 0)
			fail_msg("row %zu: '%s'", i, got.buf);
		if (rows[i].want == NULL && strcmp(err.msg, rows[i].message) != 0)
			fail_msg("row %zu: %s", i, err.msg);
		if (rows[i].want == NULL && got.len != 0)
			fail_msg("row %zu: a failure gives '%s'", i, got.buf);
		strbuf_release(&got);
	}
}

/* A secret in the environment is taken out of it under every name, and still found. */
static void
test_taken(void **state)
{
	struct config_smtp smtps[3] = {
		{ .password = { "", "", "TEST_SECRET", "" } },
		{ .password = { "", "", "TEST_SECRET", "" } },
		{ .password = { "", "", "NOT_SET_X", "" } },
	};
	struct config cfg = { .smtps = smtps, .nsmtps = 3 };
	struct strbuf got;
	struct error err;

	(void)state;
	cfg.mailbox.password = (struct config_secret){ "other", "", "", "" };
	arena_init(&cfg.arena, 1 << 16);
	setenv("TEST_SECRET", "hunter2", 1);
	setenv("TEST_COPY", "hunter2", 1);
	setenv("TEST_OTHER", "other", 1);
	setenv("TEST_KEPT", "hunter22", 1);
	assert_int_equal(config_take_secrets(&cfg, &err), 0);
	assert_null(getenv("TEST_SECRET"));
	assert_null(getenv("TEST_COPY"));
	assert_null(getenv("TEST_OTHER"));
	assert_string_equal(getenv("TEST_KEPT"), "hunter22");
	for (int i = 0; i < 2; i++) {
		strbuf_init(&got, 100);
		assert_int_equal(config_read_secret(&smtps[i].password, "smtp", &got, &err), 0);
		assert_string_equal(got.buf, "hunter2");
		strbuf_release(&got);
	}
	strbuf_init(&got, 100);
	assert_int_equal(config_read_secret(&smtps[2].password, "smtp", &got, &err), -1);
	assert_non_null(strstr(err.msg, "'NOT_SET_X' is not set"));
	strbuf_release(&got);
	/* Once more does no harm. */
	assert_int_equal(config_take_secrets(&cfg, &err), 0);
	arena_release(&cfg.arena);
}

/* Ended, but nobody has asked for its status yet. */
static bool
is_zombie(long pid)
{
	struct strbuf stat;
	char path[64];
	bool found;

	snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
	strbuf_init(&stat, 4096);
	found = file_read(path, &stat, NULL) == 0 && strstr(stat.buf, ") Z ") != NULL;
	strbuf_release(&stat);
	return found;
}

/* What a command leaves running, with its output closed, ends with it. */
static void
test_command_leaves_nothing(void **state)
{
	const struct config_secret secret = { "", "", "",
		"sleep 300 >/dev/null & echo $! >pid; echo x" };
	struct strbuf got, pid;
	struct error err;
	long n;

	(void)state;
	strbuf_init(&got, 100);
	strbuf_init(&pid, 100);
	assert_int_equal(config_read_secret(&secret, "smtp", &got, &err), 0);
	assert_int_equal(file_read("pid", &pid, &err), 0);
	n = strtol(pid.buf, NULL, 10);
	assert_true(n > 1);
	for (int i = 0; i < 100 && kill((pid_t)n, 0) == 0 && !is_zombie(n); i++)
		usleep(10 * 1000);
	assert_true(kill((pid_t)n, 0) == -1 || is_zombie(n));
	strbuf_release(&got);
	strbuf_release(&pid);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_secrets, enter_folder, leave_folder),
		cmocka_unit_test(test_taken),
		cmocka_unit_test_setup_teardown(
		    test_command_leaves_nothing, enter_folder, leave_folder),
	};

	return cmocka_run_group_tests_name("config secrets", tests, NULL, NULL);
}
