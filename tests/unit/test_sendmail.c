/* The sendmail sink against small scripts that play sendmail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "digest/file.h"
#include "digest/smtp.h"

#include "smtp_books.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct place {
	char folder[64], program[80], got[80];
	struct books *books;
	struct error err;
};

static int
setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	if (p == NULL || (p->books = calloc(1, sizeof(*p->books))) == NULL)
		return -1;
	snprintf(p->folder, sizeof(p->folder), "/tmp/digest-sendmail.XXXXXX");
	if (mkdtemp(p->folder) == NULL)
		return -1;
	snprintf(p->program, sizeof(p->program), "%s/sendmail", p->folder);
	snprintf(p->got, sizeof(p->got), "%s/got", p->folder);
	*state = p;
	return 0;
}

static int
teardown(void **state)
{
	struct place *p = *state;

	unlink(p->program);
	unlink(p->got);
	rmdir(p->folder);
	free(p->books);
	free(p);
	return 0;
}

/* Deliver nmails by a shell script. */
static int
run(struct place *p, const char *script, int nmails, unsigned timeout_s)
{
	const struct delivery_queue queue = {
		.arg = p->books, .next = books_next, .intend = books_intend, .settle = books_settle
	};
	struct sink *sink = NULL;
	char text[400];
	int rc;

	p->books->nmails = nmails;
	snprintf(text, sizeof(text), "#!/bin/sh\n%s\n", script);
	assert_int_equal(file_write(p->program, 0700, text, strlen(text), &p->err), 0);
	err_clear(&p->err);
	if (sink_open_sendmail(p->program, timeout_s, &sink, &p->err) == -1)
		fail_msg("%s", p->err.msg);
	rc = sink_run(sink, &queue, &p->err);
	sink_free(sink);
	return rc;
}

static void
test_hands_over(void **state)
{
	struct place *p = *state;
	struct strbuf got;
	char script[300];

	strbuf_init(&got, 1 << 20);
	setenv("SMTP_PASSWORD", "c4nary", 1);
	snprintf(script, sizeof(script), "{ echo \"$@\"; cat; env; } >>%s", p->got);
	assert_int_equal(run(p, script, 2, 0), 0);
	unsetenv("SMTP_PASSWORD");
	assert_int_equal(file_read(p->got, &got, &p->err), 0);
	assert_non_null(strstr(got.buf,
	    "-i -f me@example.org -- reader0@example.net\nSubject: mail 0\nMessage-ID: "
	    "<0@example.org>\n\nHello.\n"));
	assert_non_null(strstr(got.buf, "-- reader1@example.net\nSubject: mail 1\n"));
	assert_null(strchr(got.buf, '\r'));
	assert_null(strstr(got.buf, "c4nary"));
	assert_int_equal(p->books->n[OUTCOME_SENT], 2);
	assert_int_equal(p->books->nintends, 2);
	assert_false(p->books->wrong);
	strbuf_release(&got);
}

/* RFC 5321 4.5.5: to an answer nothing may come back. */
static void
test_null_sender(void **state)
{
	struct place *p = *state;
	struct strbuf got;
	char script[300];

	strbuf_init(&got, 1 << 20);
	p->books->sender = "";
	snprintf(script, sizeof(script), "{ echo \"$@\"; cat; } >>%s", p->got);
	assert_int_equal(run(p, script, 1, 0), 0);
	assert_int_equal(file_read(p->got, &got, &p->err), 0);
	assert_non_null(strstr(got.buf, "-i -f <> -- reader0@example.net\nSubject: mail 0\n"));
	assert_int_equal(p->books->n[OUTCOME_SENT], 1);
	strbuf_release(&got);
}

static void
test_exits(void **state)
{
	static const struct {
		const char *script;
		enum outcome outcome;
		bool stops;
		const char *says;
	} rows[] = {
		{ "cat >/dev/null", OUTCOME_SENT, false, "exit 0 (ok)" },
		{ "exit 0", OUTCOME_SENT, false, "exit 0" },
		{ "exit 75", OUTCOME_DEFERRED, false, "exit 75 (not now)" },
		{ "echo no mailbox >&2; exit 67", OUTCOME_FAILED, false,
		    "exit 67 (no such user): no mailbox" },
		{ "exit 65", OUTCOME_FAILED, false, "65" },
		{ "exit 66", OUTCOME_FAILED, false, "66" },
		{ "exit 68", OUTCOME_FAILED, false, "68" },
		{ "exit 69", OUTCOME_FAILED, false, "69" },
		{ "exit 76", OUTCOME_FAILED, false, "76" },
		{ "exit 73", OUTCOME_DEFERRED, false, "73" },
		{ "exit 74", OUTCOME_DEFERRED, false, "74" },
		{ "exit 1", OUTCOME_DEFERRED, false, "sysexits" },
		{ "exit 127", OUTCOME_DEFERRED, false, "sysexits" },
		{ "kill -9 $$", OUTCOME_UNKNOWN, false, "signal 9" },
		{ "printf 'a\\033[2Jb'; exit 75", OUTCOME_DEFERRED, false, "a\\x1B[2Jb" },
		{ "exit 64", OUTCOME_DEFERRED, true, "64" },
		{ "exit 70", OUTCOME_DEFERRED, true, "70" },
		{ "exit 71", OUTCOME_DEFERRED, true, "71" },
		{ "exit 72", OUTCOME_DEFERRED, true, "72" },
		{ "exit 77", OUTCOME_DEFERRED, true, "77" },
		{ "echo no account; exit 78", OUTCOME_DEFERRED, true, "no account" },
	};
	struct place *p = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int rc;

		memset(p->books, 0, sizeof(*p->books));
		rc = run(p, rows[i].script, 2, 0);
		if (p->books->outcome[0] != rows[i].outcome || p->books->wrong ||
		    (rc == -1) != rows[i].stops || p->books->next != (rows[i].stops ? 1 : 2) ||
		    p->books->nsettled != p->books->next ||
		    strstr(p->books->reply[0], rows[i].says) == NULL)
			fail_msg("row %zu: rc %d, %d, '%s', '%s'", i, rc, (int)p->books->outcome[0],
			    p->books->reply[0], p->err.msg);
		if (rows[i].stops && p->err.kind != ERR_CONFIG)
			fail_msg("row %zu: kind %d", i, (int)p->err.kind);
	}
}

static void
test_takes_too_long(void **state)
{
	struct place *p = *state;

	assert_int_equal(run(p, "exec sleep 30", 1, 1), 0);
	assert_int_equal(p->books->outcome[0], OUTCOME_UNKNOWN);
	assert_non_null(strstr(p->books->reply[0], "after 1 s"));
}

/* Whoever started us may not want to hear of children, which goes on to us: then nobody knows how it ended. */
static void
test_end_not_seen(void **state)
{
	struct place *p = *state;

	signal(SIGCHLD, SIG_IGN);
	assert_int_equal(run(p, "exit 75", 1, 0), 0);
	signal(SIGCHLD, SIG_DFL);
	assert_int_equal(p->books->outcome[0], OUTCOME_UNKNOWN);
}

/* An address is an argument behind "--", and one that is no mailbox is none at all. */
static void
test_addresses(void **state)
{
	static const struct {
		const char *to;
		enum outcome outcome;
	} rows[] = {
		{ "-oQ/tmp@example.net", OUTCOME_SENT },
		{ "\"a b\"@example.net", OUTCOME_SENT },
		{ "a b@example.net", OUTCOME_FAILED },
		{ "a@example.net\nb@example.net", OUTCOME_FAILED },
		{ "<a@example.net>", OUTCOME_FAILED },
		{ "", OUTCOME_FAILED },
	};
	struct place *p = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(p->books, 0, sizeof(*p->books));
		p->books->to = rows[i].to;
		if (run(p, "test $# = 5 && test \"$4\" = --", 1, 0) != 0 ||
		    p->books->outcome[0] != rows[i].outcome)
			fail_msg(
			    "row %zu: %d, '%s'", i, (int)p->books->outcome[0], p->books->reply[0]);
	}
}

static void
test_queue_fails(void **state)
{
	struct place *p = *state;
	char script[200];

	snprintf(script, sizeof(script), "echo x >>%s", p->got);
	p->books->fail_intend = 2;
	assert_int_equal(run(p, script, 5, 0), -1);
	assert_non_null(strstr(p->err.msg, "store broke"));
	assert_int_equal(p->books->n[OUTCOME_SENT], 1);
	assert_int_equal(p->books->n[OUTCOME_DEFERRED], 1);
	assert_int_equal(p->books->next, 2);
}

static void
test_not_there(void **state)
{
	struct place *p = *state;
	struct sink *sink = NULL;

	assert_int_equal(sink_open_sendmail("/nonexistent/sendmail", 0, &sink, &p->err), -1);
	assert_int_equal(p->err.kind, ERR_CONFIG);
	assert_null(sink);
}

/* It is executable when the sink is opened, and broken when it is started. */
static void
test_does_not_start(void **state)
{
	const char nothing[] = "#!/nonexistent/shell\n";
	struct place *p = *state;
	const struct delivery_queue queue = {
		.arg = p->books, .next = books_next, .intend = books_intend, .settle = books_settle
	};
	struct sink *sink = NULL;

	p->books->nmails = 3;
	assert_int_equal(file_write(p->program, 0700, nothing, strlen(nothing), &p->err), 0);
	assert_int_equal(sink_open_sendmail(p->program, 0, &sink, &p->err), 0);
	assert_int_equal(sink_run(sink, &queue, &p->err), -1);
	sink_free(sink);
	assert_int_equal(p->err.kind, ERR_CONFIG);
	assert_int_equal(p->books->n[OUTCOME_DEFERRED], 1);
	assert_int_equal(p->books->next, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_hands_over, setup, teardown),
		cmocka_unit_test_setup_teardown(test_null_sender, setup, teardown),
		cmocka_unit_test_setup_teardown(test_exits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_takes_too_long, setup, teardown),
		cmocka_unit_test_setup_teardown(test_end_not_seen, setup, teardown),
		cmocka_unit_test_setup_teardown(test_addresses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_queue_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_there, setup, teardown),
		cmocka_unit_test_setup_teardown(test_does_not_start, setup, teardown),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
