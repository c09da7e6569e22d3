/* How much the SMTP engine has under way at once: what a server that copes sees of it, and what becomes of mails when one
 * does not. */
#include "smtp_trial.h"

#include <errno.h>
#include <sys/syscall.h>

/* A socket that is full at every second send and takes so little at the others; 0 = as it is. */
static struct {
	size_t most;
	unsigned nsends;
} throttle;

/* libcurl finds this one before the C library's. */
ssize_t
send(int fd, const void *bytes, size_t len, int flags)
{
	if (throttle.most > 0 && throttle.nsends++ % 2 == 0) {
		errno = EAGAIN;
		return -1;
	}
	if (throttle.most > 0 && len > throttle.most)
		len = throttle.most;
	return syscall(SYS_sendto, fd, bytes, len, flags, NULL, 0);
}

static size_t
count_words(const char *text, const char *word)
{
	size_t n = 0;

	for (const char *at = text; (at = strstr(at, word)) != NULL; at++)
		n++;
	return n;
}

/* ---- turns ---- */

/* How often the server had to read for 100 mails over one connection: once a command, once an envelope, once a mail. */
static void
test_turns(void **state)
{
	static const struct {
		unsigned least, most;
	} rows[NLEVELS] = { { 400, 500 }, { 200, 230 }, { 100, 130 } };

	(void)state;
	for (size_t v = 0; v < NLEVELS; v++) {
		struct smtp_script script = { .pipelining = levels[v].pipelining };
		struct trial t;
		unsigned n;

		begin(&t, &script, 100);
		t.options.level = levels[v].level;
		run(&t);
		n = t.server.seen->nreads;
		if (t.rc != 0 || t.books->n[OUTCOME_SENT] != 100 || t.books->wrong ||
		    n < rows[v].least || n > rows[v].most)
			fail_msg("%s: rc %d, %d sent, %u reads", levels[v].name, t.rc,
			    t.books->n[OUTCOME_SENT], n);
		assert_int_equal(t.server.seen->nconnections, 1);
		assert_int_equal(smtp_server_count(&t.server, "QUIT"), 1);
		end(&t);
	}
}

/* No dot leaves before its intent is recorded, at any level. */
static void
test_intent_first(void **state)
{
	(void)state;
	for (size_t v = 0; v < NLEVELS; v++) {
		struct smtp_script script = { .pipelining = levels[v].pipelining };
		struct trial t;

		begin(&t, &script, 60);
		t.options.level = levels[v].level;
		t.options.connections = 6;
		t.books->arrived = &t.server.seen->nmails;
		run(&t);
		if (t.rc != 0 || t.books->n[OUTCOME_SENT] != 60 || t.books->wrong ||
		    t.books->nintended != 60 || t.books->nintends >= 60)
			fail_msg("%s: %d sent, %d intended in %d", levels[v].name,
			    t.books->n[OUTCOME_SENT], t.books->nintended, t.books->nintends);
		end(&t);
	}
}

/* ---- what arrives ---- */

/* Bodies of all sizes and with dots everywhere arrive as they were, one after the other over one link, however the socket
 * takes them. */
static void
test_bodies(void **state)
{
	static char plain[700 * 1024], dots[700 * 1024];
	const struct {
		const char *bytes;
		size_t len;
		size_t most; /* at a send; 0 = any */
	} rows[] = {
		{ plain, 0, 0 },
		{ plain, 8, 0 },
		{ dots, 8, 0 },
		{ plain, 128 * 1024 - 8, 0 },
		{ plain, 128 * 1024, 0 },
		{ plain, 128 * 1024 + 8, 0 },
		{ dots, 96 * 1024, 0 },
		{ plain, sizeof(plain), 0 },
		{ dots, sizeof(dots), 0 },
		{ plain, 0, 1 },
		{ dots, 240, 1 },
		{ plain, 4096, 7 },
		{ plain, 128 * 1024 + 8, 1000 },
		{ plain, sizeof(plain), 16 * 1024 },
		{ dots, sizeof(dots), 16 * 1024 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(plain); i += 8) {
		memcpy(plain + i, "abcdef\r\n", 8);
		memcpy(dots + i, i % 24 == 0 ? ".\r\n..x\r\n" : "..\r\n..\r\n", 8);
	}
	for (size_t k = 0; k < NLEVELS * sizeof(rows) / sizeof(rows[0]); k++) {
		size_t i = k / NLEVELS, v = k % NLEVELS;
		struct smtp_script script = { .pipelining = levels[v].pipelining };
		struct trial t;

		begin(&t, &script, 3);
		t.options.level = levels[v].level;
		t.books->bytes = rows[i].bytes;
		t.books->nbytes = rows[i].len;
		throttle.most = rows[i].most;
		run(&t);
		throttle.most = 0;
		if (t.rc != 0 || t.books->n[OUTCOME_SENT] != 3 || t.books->wrong ||
		    t.server.seen->mail_len != 3 * rows[i].len)
			fail_msg("row %zu, %s: %d sent, %zu bytes, '%s'", i, levels[v].name,
			    t.books->n[OUTCOME_SENT], (size_t)t.server.seen->mail_len,
			    t.books->reply[0]);
		for (size_t m = 0; m < 3; m++)
			if (memcmp(t.server.seen->mail + m * rows[i].len, rows[i].bytes,
				rows[i].len) != 0)
				fail_msg("row %zu, %s: mail %zu differs", i, levels[v].name, m);
		end(&t);
	}
}

/* ---- refusals in a group ---- */

/* A bad recipient, by a server that refuses DATA then and by one that wants a mail all the same (RFC 2920 3.1). */
static void
test_bad_recipients(void **state)
{
	static const char *const tos[] = { "bad0@example.net", "a@example.net", "bad1@example.net",
		"bad2@example.net", "b@example.net", "c@example.net", "bad3@example.net" };

	(void)state;
	for (size_t k = 0; k < 4 * NLEVELS; k++) {
		size_t v = k / 4;
		struct smtp_script script = { .pipelining = levels[v].pipelining,
			.bad_rcpt = "bad",
			.always_354 = k % 2 == 1 };
		struct trial t;

		begin(&t, &script, 7);
		t.options.level = levels[v].level;
		t.books->tos = tos;
		throttle.most = k % 4 < 2 ? 0 : 3;
		run(&t);
		throttle.most = 0;
		if (t.rc != 0 || t.books->n[OUTCOME_SENT] != 3 || t.books->n[OUTCOME_FAILED] != 4 ||
		    t.books->wrong || t.server.seen->nmails != 3 || t.server.seen->nleaks != 0 ||
		    t.server.seen->nconnections != 1)
			fail_msg("%s, 354 %zu: rc %d '%s', %d sent, %d failed, %u arrived, %u "
				 "leaked, %u connections",
			    levels[v].name, k % 2, t.rc, t.err.msg, t.books->n[OUTCOME_SENT],
			    t.books->n[OUTCOME_FAILED], (unsigned)t.server.seen->nmails,
			    (unsigned)t.server.seen->nleaks, (unsigned)t.server.seen->nconnections);
		for (int m = 0; m < 7; m++)
			if ((strncmp(tos[m], "bad", 3) == 0) !=
				(t.books->outcome[m] == OUTCOME_FAILED) ||
			    (t.books->outcome[m] == OUTCOME_FAILED &&
				strncmp(t.books->reply[m], "550 5.1.1", 9) != 0))
				fail_msg("%s: mail %d is %s, '%s'", levels[v].name, m,
				    name_of((int)t.books->outcome[m]), t.books->reply[m]);
		end(&t);
	}
}

/* The sender is refused, the recipient is not, and a mail is wanted: not even an empty one must leave for this recipient. */
static void
test_recipient_without_sender(void **state)
{
	struct smtp_script script = { .pipelining = true, .loose = true, .first_bad = 1 };
	struct trial t;

	(void)state;
	script.reply[AT_MAIL] = "552 5.3.4 too big\r\n";
	begin(&t, &script, 2);
	run(&t);
	assert_int_equal(t.books->outcome[0], OUTCOME_SENT);
	assert_int_equal(t.books->outcome[1], OUTCOME_FAILED);
	assert_int_equal(t.server.seen->nmails, 1);
	assert_false(t.books->wrong);
	end(&t);
}

/* ---- servers that do not cope ---- */

/* Each mail is settled once, and what was tried is given up with a word. */
static void
test_no_coping(void **state)
{
	static const struct {
		const char *name;
		struct smtp_script script;
		const char *logged;	 /* once */
		int nunknown, ndeferred; /* all others are sent */
	} rows[] = {
		{ "hangs up", { .pipelining = true, .hates_behind = true },
		    "no command before a mail is answered", 1, 0 },
		{ "forgets", { .pipelining = true, .hates_groups = true }, "one command at a time",
		    0, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct trial t;
		struct books *b;

		begin(&t, &rows[i].script, 40);
		t.options.connections = 3;
		t.options.timeout_scale = rows[i].script.hates_groups ? 0.003 : 1.0;
		run(&t);
		b = t.books;
		if (t.rc != 0 || b->wrong || b->nsettled != 40 ||
		    b->n[OUTCOME_UNKNOWN] != rows[i].nunknown ||
		    b->n[OUTCOME_DEFERRED] != rows[i].ndeferred || b->n[OUTCOME_FAILED] != 0)
			fail_msg("%s: rc %d '%s', %d pulled, %d sent, %d deferred, %d unknown",
			    rows[i].name, t.rc, t.err.msg, b->next, b->n[OUTCOME_SENT],
			    b->n[OUTCOME_DEFERRED], b->n[OUTCOME_UNKNOWN]);
		if (count_words(t.log, rows[i].logged) != 1 ||
		    count_words(t.log, "does not cope") != 1)
			fail_msg("%s: log:\n%s", rows[i].name, t.log);
		end(&t);
	}
}

/* A server that ends a connection after so many mails, without having told of it: no mail is the worse for it. */
static void
test_few_mails_a_connection(void **state)
{
	(void)state;
	for (size_t k = 0; k < 3 * NLEVELS; k++) {
		size_t v = k / 3;
		struct smtp_script script = { .pipelining = levels[v].pipelining,
			.max_mails = 1 + (unsigned)(k % 3) };
		struct trial t;

		begin(&t, &script, 20);
		t.options.level = levels[v].level;
		t.options.connections = 1 + (unsigned)(k % 2);
		run(&t);
		if (t.rc != 0 || t.books->n[OUTCOME_SENT] != 20 || t.books->wrong ||
		    t.server.seen->nmails != 20 || count_words(t.log, "does not cope") != 0)
			fail_msg("%s, %u a connection: rc %d '%s', %d sent", levels[v].name,
			    script.max_mails, t.rc, t.err.msg, t.books->n[OUTCOME_SENT]);
		end(&t);
	}
}

/* The answer to a dot is lost with the link: that mail is in doubt, the one behind it goes over another link. */
static void
test_lost_behind(void **state)
{
	(void)state;
	for (size_t k = 0; k < 2 * NLEVELS; k++) {
		size_t v = k / 2;
		struct smtp_script script = { .pipelining = levels[v].pipelining, .drop_dot = 5 };
		struct trial t;

		begin(&t, &script, 10);
		t.options.level = levels[v].level;
		throttle.most = k % 2 == 0 ? 0 : 50;
		run(&t);
		throttle.most = 0;
		if (t.rc != 0 || t.books->n[OUTCOME_SENT] != 9 || t.books->wrong ||
		    t.books->outcome[4] != OUTCOME_UNKNOWN || t.server.seen->nconnections != 2)
			fail_msg("%s: rc %d, %d sent, mail 4 %s, %u connections", levels[v].name,
			    t.rc, t.books->n[OUTCOME_SENT], name_of((int)t.books->outcome[4]),
			    (unsigned)t.server.seen->nconnections);
		/* It had coped before. */
		assert_int_equal(count_words(t.log, "does not cope"), 0);
		end(&t);
	}
}

/* ---- limits that are told (RFC 9422) ---- */

static void
test_limits(void **state)
{
	static const char *const tos[] = { "a@one.example", "b@one.example", "c@ONE.example",
		"d@two.example", "e@two.example", "f@three.example", "g@one.example",
		"h@one.example", "i@one.example" };
	static const struct {
		const char *ehlo;
		unsigned max_mails, max_domains, nconnections;
	} rows[] = {
		{ "250-LIMITS MAILMAX=2\r\n", 2, 0, 5 },
		{ "250-limits rcptmax=1 mailmax=4 RCPTDOMAINMAX=7\r\n", 4, 7, 3 },
		{ "250-LIMITS RCPTDOMAINMAX=1\r\n", 0, 1, 4 },
		{ "250-LIMITS RCPTDOMAINMAX=2\r\n", 0, 2, 2 },
		{ "250-LIMITS MAILMAX=0 MAILMAX=x MAILMAX= MAILMAX=1000000 X=2\r\n", 0, 0, 1 },
	};

	(void)state;
	for (size_t k = 0; k < NLEVELS * sizeof(rows) / sizeof(rows[0]); k++) {
		size_t i = k / NLEVELS, v = k % NLEVELS;
		struct smtp_script script = { .ehlo = rows[i].ehlo,
			.pipelining = levels[v].pipelining,
			.max_mails = rows[i].max_mails,
			.max_domains = rows[i].max_domains };
		struct trial t;

		begin(&t, &script, 9);
		t.options.level = levels[v].level;
		t.books->tos = tos;
		run(&t);
		if (t.rc != 0 || t.books->n[OUTCOME_SENT] != 9 || t.books->wrong ||
		    t.server.seen->nconnections != rows[i].nconnections ||
		    smtp_server_count(&t.server, "QUIT") != rows[i].nconnections)
			fail_msg("row %zu, %s: rc %d '%s', %d sent, %u connections", i,
			    levels[v].name, t.rc, t.err.msg, t.books->n[OUTCOME_SENT],
			    (unsigned)t.server.seen->nconnections);
		end(&t);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_turns),
		cmocka_unit_test(test_intent_first),
		cmocka_unit_test(test_bodies),
		cmocka_unit_test(test_bad_recipients),
		cmocka_unit_test(test_recipient_without_sender),
		cmocka_unit_test(test_no_coping),
		cmocka_unit_test(test_few_mails_a_connection),
		cmocka_unit_test(test_lost_behind),
		cmocka_unit_test(test_limits),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
