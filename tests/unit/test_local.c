/* The two sinks of this machine: what may not leave by SMTP leaves by neither, and every exit code of sendmail has an outcome. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "digest/file.h"
#include "digest/smtp.h"
#include "mail/local.h"

#include "smtp_books.h"

#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#define HEAD	"Date: Fri, 21 Aug 2026 06:45:00 +0000\r\nMessage-ID: <1@example.org>\r\n\r\n"
#define TEXT(s) (s), sizeof(s) - 1

static const struct {
	const char *bytes;
	size_t len;
	const char *to, *sender;
	const char *fault; /* NULL = it goes */
	const char *lines; /* then, as it arrives */
} rows[] = {
	{ TEXT(HEAD "Hello.\r\n"), NULL, NULL, NULL,
	    "Date: Fri, 21 Aug 2026 06:45:00 +0000\nMessage-ID: <1@example.org>\n\nHello.\n" },
	{ TEXT(HEAD "..\r\n.\r\n. x\r\n"), NULL, NULL, NULL,
	    "Date: Fri, 21 Aug 2026 06:45:00 +0000\nMessage-ID: <1@example.org>\n\n..\n.\n. x\n" },
	{ TEXT(HEAD "no line end"), NULL, NULL, NULL,
	    "Date: Fri, 21 Aug 2026 06:45:00 +0000\nMessage-ID: <1@example.org>\n\nno line end" },
	{ TEXT(HEAD "bare\nLF\r\n"), NULL, NULL, "bare CR, a bare LF", NULL },
	{ TEXT(HEAD "bare\rCR\r\n"), NULL, NULL, "bare CR, a bare LF", NULL },
	{ TEXT(HEAD "bare CR\r\r\n"), NULL, NULL, "bare CR, a bare LF", NULL },
	{ TEXT(HEAD "at the end\r"), NULL, NULL, "bare CR, a bare LF", NULL },
	{ TEXT(HEAD "at the end\n"), NULL, NULL, "bare CR, a bare LF", NULL },
	{ TEXT(HEAD "\n.\nMAIL FROM:<x@example.org>\n"), NULL, NULL, "bare CR, a bare LF", NULL },
	{ TEXT(HEAD "a\0b\r\n"), NULL, NULL, "a NUL", NULL },
	{ TEXT(HEAD "Hello.\r\n"), "ada@example.net\nbob@example.net", NULL, "no mailbox", NULL },
	{ TEXT(HEAD "Hello.\r\n"), "ada@example.net> x", NULL, "no mailbox", NULL },
	{ TEXT(HEAD "Hello.\r\n"), "-oQ/tmp", NULL, "no mailbox", NULL },
	{ TEXT(HEAD "Hello.\r\n"), "", NULL, "no mailbox", NULL },
	{ TEXT(HEAD "Hello.\r\n"), NULL, "me@example.org\r\n", "sender's address", NULL },
	{ TEXT(HEAD "Hello.\r\n"), NULL, "nobody", "sender's address", NULL },
};

enum { NROWS = sizeof(rows) / sizeof(rows[0]) };

struct place {
	char folder[64], program[80], got[80], box[80];
	struct books books;
	struct error err;
};

static int
setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return -1;
	snprintf(p->folder, sizeof(p->folder), "/tmp/digest-local.XXXXXX");
	if (mkdtemp(p->folder) == NULL)
		return -1;
	snprintf(p->program, sizeof(p->program), "%s/sendmail", p->folder);
	snprintf(p->got, sizeof(p->got), "%s/got", p->folder);
	snprintf(p->box, sizeof(p->box), "%s/box", p->folder);
	*state = p;
	return 0;
}

/* The only mail in new, and away with it; "" = none. */
static void
take_mail(const struct place *p, struct strbuf *out)
{
	char path[400];
	struct dirent *e;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/new", p->box);
	if ((dir = opendir(path)) == NULL)
		return;
	while ((e = readdir(dir)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/new/%s", p->box, e->d_name);
		assert_int_equal(file_read(path, out, NULL), 0);
		unlink(path);
	}
	closedir(dir);
}

static int
teardown(void **state)
{
	static const char *const parts[] = { "/new", "/tmp", "/cur", "" };
	struct place *p = *state;
	char path[100];

	unlink(p->program);
	unlink(p->got);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", p->box, parts[i]);
		rmdir(path);
	}
	rmdir(p->folder);
	free(p);
	return 0;
}

static void
use_row(struct place *p, size_t i)
{
	memset(&p->books, 0, sizeof(p->books));
	p->books.nmails = 1;
	p->books.bytes = rows[i].bytes;
	p->books.nbytes = rows[i].len;
	p->books.to = rows[i].to;
	p->books.sender = rows[i].sender;
}

static int
run(struct place *p, struct sink *sink)
{
	const struct delivery_queue queue = {
		.arg = &p->books, .next = books_next, .intend = books_intend, .settle = books_settle
	};
	int rc = sink_run(sink, &queue, &p->err);

	sink_free(sink);
	return rc;
}

static void
check_row(const struct place *p, size_t i, const char *way, const struct strbuf *got)
{
	bool goes = rows[i].fault == NULL;
	enum outcome want = goes ? OUTCOME_SENT : OUTCOME_FAILED;

	if (p->books.nsettled != 1 || p->books.outcome[0] != want || p->books.wrong ||
	    p->books.nintended != goes ||
	    (!goes && strstr(p->books.reply[0], rows[i].fault) == NULL))
		fail_msg("row %zu by %s: %s, '%s'", i, way, name_of((int)p->books.outcome[0]),
		    p->books.reply[0]);
	if (strcmp(got->buf, goes ? rows[i].lines : "") != 0)
		fail_msg("row %zu by %s: '%s' arrived", i, way, got->buf);
}

static void
test_sendmail(void **state)
{
	struct place *p = *state;
	char script[200];

	snprintf(script, sizeof(script), "#!/bin/sh\ncat >%s\n", p->got);
	assert_int_equal(file_write(p->program, 0700, script, strlen(script), &p->err), 0);
	for (size_t i = 0; i < NROWS; i++) {
		struct strbuf got;
		struct sink *sink;

		use_row(p, i);
		strbuf_init(&got, 1 << 16);
		assert_int_equal(sink_open_sendmail(p->program, 0, &sink, &p->err), 0);
		assert_int_equal(run(p, sink), 0);
		if (access(p->got, F_OK) == 0)
			assert_int_equal(file_read(p->got, &got, &p->err), 0);
		unlink(p->got);
		check_row(p, i, "sendmail", &got);
		strbuf_release(&got);
	}
}

static void
test_maildir(void **state)
{
	struct place *p = *state;

	for (size_t i = 0; i < NROWS; i++) {
		struct strbuf got;
		struct sink *sink;

		use_row(p, i);
		strbuf_init(&got, 1 << 16);
		assert_int_equal(sink_open_maildir(p->box, &sink, &p->err), 0);
		assert_int_equal(run(p, sink), 0);
		take_mail(p, &got);
		check_row(p, i, "Maildir", &got);
		strbuf_release(&got);
	}
}

/* sysexits.h as digest(1) has it: the mail, the machine, or not now. */
static enum outcome
outcome_of(int code, bool *stops)
{
	static const int failed[] = { EX_DATAERR, EX_NOINPUT, EX_NOUSER, EX_NOHOST, EX_UNAVAILABLE,
		EX_PROTOCOL };
	static const int set_up[] = { EX_USAGE, EX_SOFTWARE, EX_OSERR, EX_OSFILE, EX_NOPERM,
		EX_CONFIG };

	*stops = false;
	for (size_t i = 0; i < sizeof(set_up) / sizeof(set_up[0]); i++)
		*stops = *stops || code == set_up[i];
	for (size_t i = 0; i < sizeof(failed) / sizeof(failed[0]); i++)
		if (code == failed[i])
			return OUTCOME_FAILED;
	return code == 0 ? OUTCOME_SENT : OUTCOME_DEFERRED;
}

static void
test_every_exit_code(void **state)
{
	struct place *p = *state;
	char script[100], number[20];

	for (int code = 0; code < 256; code++) {
		struct sink *sink;
		bool stops;
		enum outcome want = outcome_of(code, &stops);
		int rc;

		use_row(p, 0);
		snprintf(script, sizeof(script), "#!/bin/sh\nexit %d\n", code);
		snprintf(number, sizeof(number), "exit %d (", code);
		assert_int_equal(file_write(p->program, 0700, script, strlen(script), &p->err), 0);
		assert_int_equal(sink_open_sendmail(p->program, 0, &sink, &p->err), 0);
		rc = run(p, sink);
		if (rc != (stops ? -1 : 0) || p->books.outcome[0] != want ||
		    (stops && p->err.kind != ERR_CONFIG) ||
		    strncmp(p->books.reply[0], number, strlen(number)) != 0)
			fail_msg("exit %d: %d, %s, '%s'", code, rc,
			    name_of((int)p->books.outcome[0]), p->books.reply[0]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_sendmail, setup, teardown),
		cmocka_unit_test_setup_teardown(test_maildir, setup, teardown),
		cmocka_unit_test_setup_teardown(test_every_exit_code, setup, teardown),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
