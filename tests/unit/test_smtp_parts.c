/* The parts of the SMTP engine that do no I/O: replies in any pieces, dots, mailboxes, capabilities, options. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mail/smtp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
test_replies(void **state)
{
	static const struct {
		const char *bytes;
		int rc, code;
		const char *enhanced, *text;
	} rows[] = {
		{ "250 Ok\r\n", 1, 250, "", "250 Ok" },
		{ "250 2.1.0 Ok\r\n", 1, 250, "2.1.0", "250 2.1.0 Ok" },
		{ "550-5.1.1 no\r\n550 5.1.1 user\r\n", 1, 550, "5.1.1",
		    "550 5.1.1 no 5.1.1 user" },
		{ "421\r\n", 1, 421, "", "421 " },
		{ "354 \r\n", 1, 354, "", "354 " },
		{ "250 bare\n", 1, 250, "", "250 bare" },
		{ "550 4.1.1 other class\r\n", 1, 550, "", "550 4.1.1 other class" },
		{ "550 5.1 two numbers\r\n", 1, 550, "", "550 5.1 two numbers" },
		{ "550 5.7.515 long\r\n", 1, 550, "5.7.515", "550 5.7.515 long" },
		{ "550 5..11 dots\r\n", 1, 550, "", "550 5..11 dots" },
		{ "250 a\x01\tb\r\n", 1, 250, "", "250 a\\x01\\x09b" },
		{ "250 \xff\r\n", 1, 250, "", "250 \\xFF" },
		{ "250", 0, 0, "", "" },
		{ "250-more\r\n", 0, 0, "", "" },
		{ "25\r\n", -1, 0, "", "" },
		{ "\r\n", -1, 0, "", "" },
		{ "150 x\r\n", -1, 0, "", "" },
		{ "600 x\r\n", -1, 0, "", "" },
		{ "2500 x\r\n", -1, 0, "", "" },
		{ "250-a\r\n251 b\r\n", -1, 0, "", "" },
		{ "hello\r\n", -1, 0, "", "" },
		{ " 250 x\r\n", -1, 0, "", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t len = strlen(rows[i].bytes);

		/* In pieces of every size the same. */
		for (size_t piece = 1; piece <= len; piece++) {
			struct smtp_reader r = { 0 };
			struct smtp_reply reply = { 0 };
			size_t at = 0, used = 0;
			int rc = 0;

			while (at < len && rc == 0) {
				size_t n = piece < len - at ? piece : len - at;

				rc = smtp_read_reply(&r, rows[i].bytes + at, n, &used, &reply);
				assert_true(used <= n);
				at += used;
			}
			if (rc != rows[i].rc ||
			    (rc == 1 &&
				(at != len || reply.code != rows[i].code ||
				    strcmp(reply.enhanced, rows[i].enhanced) != 0 ||
				    strcmp(reply.text, rows[i].text) != 0)))
				fail_msg("row %zu by %zu: rc %d, %d '%s' '%s'", i, piece, rc,
				    reply.code, reply.enhanced, reply.text);
		}
	}
}

static void
test_reply_bounds(void **state)
{
	static char bytes[2 * MAX_REPLY_BYTES];
	struct smtp_reader r = { 0 };
	struct smtp_reply reply;
	size_t used;

	(void)state;
	memset(bytes, 'x', sizeof(bytes));
	memcpy(bytes, "250 ", 4);
	assert_int_equal(smtp_read_reply(&r, bytes, sizeof(bytes), &used, &reply), -1);
	assert_true(used <= MAX_REPLY_BYTES + 1);

	memset(&r, 0, sizeof(r));
	for (int i = 0; i < MAX_REPLY_LINES - 1; i++)
		assert_int_equal(smtp_read_reply(&r, "250-x\r\n", 7, &used, &reply), 0);
	assert_int_equal(smtp_read_reply(&r, "250 x\r\n", 7, &used, &reply), 1);
	assert_true(strlen(reply.text) < MAX_REPLY_TEXT);
	memset(&r, 0, sizeof(r));
	for (int i = 0; i < MAX_REPLY_LINES - 1; i++)
		assert_int_equal(smtp_read_reply(&r, "250-x\r\n", 7, &used, &reply), 0);
	assert_int_equal(smtp_read_reply(&r, "250-x\r\n", 7, &used, &reply), -1);
}

/* What a receiver makes of the stuffed bytes (RFC 5321 4.5.2). */
static size_t
unstuff(const char *bytes, size_t len, char *out)
{
	bool start = true;
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		if (!(start && bytes[i] == '.'))
			out[n++] = bytes[i];
		else
			assert_true(i + 1 < len && bytes[i + 1] != '\r'); /* never the end */
		start = !(start && bytes[i] == '.') && bytes[i] == '\n';
	}
	return n;
}

static void
test_stuffing(void **state)
{
	static const char *const rows[] = { "", ".", "..", ".x", "a", "\r\n", ".\r\n", "\r\n.\r\n",
		"\r\n..\r\n", "a\r\n.b\r\n..c\r\n...\r\n.\r\n.\r\n", "a.b.\r\nc.\r\n.d",
		"0123456789012345678901234567890123456789012345678901234567890\r\n.\r\n" };
	char random[300], back[700];
	struct strbuf out;

	(void)state;
	srand(17);
	strbuf_init(&out, 700);
	for (size_t i = 0; i < 300 + sizeof(rows) / sizeof(rows[0]); i++) {
		const char *bytes = random;
		size_t len = (size_t)rand() % sizeof(random);

		for (size_t k = 0; k < len; k++)
			random[k] = ".\r\nx"[rand() % 4];
		if (i < sizeof(rows) / sizeof(rows[0])) {
			bytes = rows[i];
			len = strlen(bytes);
		}
		strbuf_reset(&out);
		smtp_stuff_dots(bytes, len, &out);
		assert_int_equal(strbuf_check(&out, NULL), 0);
		strbuf_add(&out, "\r\n");
		if (unstuff(out.buf, out.len, back) != len + 2 || memcmp(back, bytes, len) != 0)
			fail_msg("row %zu", i);
	}
	strbuf_release(&out);
}

static void
test_scan(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		struct smtp_scan want;
	} rows[] = {
		{ "", 0, { true, false, false } },
		{ "a\r\n", 3, { true, false, true } },
		{ "a", 1, { true, false, false } },
		{ ".", 1, { true, true, false } },
		{ "a\r\n.b\r\n", 7, { true, true, true } },
		{ "a.\r\n", 4, { true, false, true } },
		{ "\n", 1, { false, false, false } },
		{ "\r", 1, { false, false, false } },
		{ "\r\r\n", 3, { false, false, true } },
		{ "\r\n\n", 3, { false, false, false } },
		{ "\n\r", 2, { false, false, false } },
		{ "a\0b\r\n", 5, { false, false, true } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct smtp_scan s = smtp_scan_body(rows[i].bytes, rows[i].len);

		if (s.clean != rows[i].want.clean ||
		    (s.clean &&
			(s.has_dots != rows[i].want.has_dots || s.ends != rows[i].want.ends)))
			fail_msg("row %zu: %d %d %d", i, s.clean, s.has_dots, s.ends);
	}
}

/* Random bytes of all lengths around the width of one look, against a look at each byte. */
static void
test_scan_random(void **state)
{
	static const char letters[] = "\r\n\r\n.xyz";
	char bytes[80];

	(void)state;
	srand(5321);
	for (int round = 0; round < 200000; round++) {
		size_t len = (size_t)rand() % sizeof(bytes);
		struct smtp_scan got, want = { .clean = true };

		for (size_t i = 0; i < len; i++) {
			bytes[i] = letters[(size_t)rand() % (rand() % 50 == 0 ? 9 : 8)];
			if (bytes[i] == '\r' && rand() % 8 != 0 && i + 1 < len)
				bytes[++i] = '\n';
			else if (bytes[i] == '\n' && rand() % 8 != 0)
				bytes[i] = 'x';
		}
		for (size_t i = 0; i < len; i++) {
			bool cr = i > 0 && bytes[i - 1] == '\r';

			want.clean = want.clean && bytes[i] != '\0' && cr == (bytes[i] == '\n');
			want.has_dots =
			    want.has_dots || (bytes[i] == '.' && (i == 0 || bytes[i - 1] == '\n'));
		}
		want.clean = want.clean && (len == 0 || bytes[len - 1] != '\r');
		want.ends = len >= 2 && memcmp(bytes + len - 2, "\r\n", 2) == 0;
		got = smtp_scan_body(bytes, len);
		if (got.clean != want.clean || got.ends != want.ends ||
		    (want.clean && got.has_dots != want.has_dots))
			fail_msg("round %d, %zu bytes: %d %d %d", round, len, got.clean,
			    got.has_dots, got.ends);
	}
}

static void
test_mailboxes(void **state)
{
	static const struct {
		const char *mailbox;
		bool fine;
	} rows[] = {
		{ "ada@example.net", true },
		{ "a.b+c@example.net", true },
		{ "\"a b\"@example.net", true },
		{ "\"a\\\" b\"@example.net", true },
		{ "\"a@b\"@example.net", true },
		{ "\xc3\xa4@example.net", true },
		{ "", false },
		{ "ada", false },
		{ "@example.net", false },
		{ "ada@", false },
		{ "a b@example.net", false },
		{ "\"a b@example.net", false },
		{ "\"a\"b c\"@example.net", false },
		{ "\"a\\\" b@example.net", false },
		{ "\"a>b\"@example.net", false },
		{ "\"a\\>b\"@example.net", false },
		{ "\"a\\\rb\"@example.net", false },
		{ "ada@example.net\r\n", false },
		{ "ada@example.net\x7f", false },
	};
	char too_long[300];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (smtp_is_mailbox(rows[i].mailbox) != rows[i].fine)
			fail_msg("row %zu: '%s'", i, rows[i].mailbox);
	memset(too_long, 'a', sizeof(too_long));
	memcpy(too_long + 200, "@example.net", 12);
	too_long[MAX_ADDRESS_BYTES + 1] = '\0';
	assert_false(smtp_is_mailbox(too_long));
	too_long[MAX_ADDRESS_BYTES] = '\0';
	assert_true(smtp_is_mailbox(too_long));
}

static void
test_capabilities(void **state)
{
	static const struct {
		const char *line;
		struct smtp_caps want;
	} rows[] = {
		{ "PIPELINING", { .told = { .pipelining = true } } },
		{ "pipelining", { .told = { .pipelining = true } } },
		{ "PIPELININGX", { .told = { .pipelining = false } } },
		{ "SIZE", { .told = { .size = true } } },
		{ "SIZE 1000", { .told = { .size = true, .max_size = 1000 } } },
		{ "SIZE -1", { .told = { .size = true } } },
		{ "SIZE 99999999999999999999999", { .told = { .size = true } } },
		{ "STARTTLS", { .starttls = true } },
		{ "AUTH PLAIN LOGIN",
		    { .told = { .auth = "PLAIN LOGIN" }, .auth = AUTH_PLAIN | AUTH_LOGIN } },
		{ "AUTH XPLAIN", { .told = { .auth = "XPLAIN" } } },
		{ "AUTH  LOGIN ", { .told = { .auth = "LOGIN " }, .auth = AUTH_LOGIN } },
		{ "AUTH xoauth2 OAUTHBEARER XOAUTH",
		    { .told = { .auth = "xoauth2 OAUTHBEARER XOAUTH" },
			.auth = AUTH_XOAUTH2 | AUTH_OAUTHBEARER } },
		{ "AUTH", { .starttls = false } },
		{ "DSN", { .told = { .dsn = true } } },
		{ "LIMITS MAILMAX=20", { .told = { .max_mails = 20 } } },
		{ "limits  rcptmax=100  RCPTDOMAINMAX=1 X=Y",
		    { .told = { .max_recipients = 100, .max_domains = 1 } } },
		{ "LIMITS MAILMAX=999999", { .told = { .max_mails = 999999 } } },
		{ "LIMITS MAILMAX=1000000 MAILMAX=0 MAILMAX=-1 MAILMAX=1x MAILMAX",
		    { .starttls = false } },
		{ "LIMITS MAILMAX= MAILMAX", { .starttls = false } },
		{ "LIMITSMAILMAX=2", { .starttls = false } },
		{ "LIMITS", { .starttls = false } },
		{ "", { .starttls = false } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct smtp_caps got = { 0 };
		const struct smtp_caps *want = &rows[i].want;

		smtp_add_capability(&got, rows[i].line);
		if (got.told.pipelining != want->told.pipelining ||
		    got.told.size != want->told.size || got.told.max_size != want->told.max_size ||
		    got.told.dsn != want->told.dsn || got.told.max_mails != want->told.max_mails ||
		    got.told.max_recipients != want->told.max_recipients ||
		    got.told.max_domains != want->told.max_domains ||
		    got.starttls != want->starttls || got.auth != want->auth ||
		    strcmp(got.told.auth, want->told.auth) != 0)
			fail_msg("row %zu: '%s'", i, rows[i].line);
	}
}

/* ---- options ---- */

static void
test_options(void **state)
{
	static const struct {
		struct smtp_options options;
		const char *says; /* NULL = fine */
	} rows[] = {
		{ { .url = "smtps://a.example.org", .connections = 1, .tls_required = true },
		    NULL },
		{ { .url = "smtp://[::1]:25", .connections = 1 }, NULL },
		{ { .url = "smtp://localhost/", .connections = 1, .helo = "[192.0.2.1]" }, NULL },
		{ { .url = "smtp://a.example.org", .connections = 1 }, "tls none" },
		{ { .url = "smtp://a.example.org", .connections = 1, .insecure = true }, NULL },
		{ { .url = "http://a", .connections = 1 }, "expected smtps://" },
		{ { .url = "smtp://", .connections = 1 }, "no host" },
		{ { .url = "smtp://a:0", .connections = 1 }, "1..65535" },
		{ { .url = "smtp://a:65536", .connections = 1 }, "1..65535" },
		{ { .url = "smtp://a:2x", .connections = 1 }, "goes on" },
		{ { .url = "smtp://me:secret@a", .connections = 1 }, "1..65535" },
		{ { .url = "smtp://me@a", .connections = 1 }, "no host" },
		{ { .url = "smtp://a/x", .connections = 1 }, "goes on" },
		{ { .url = "smtp://a\r\nb", .connections = 1 }, "no host" },
		{ { .url = "smtp://[::1", .connections = 1 }, "no host" },
		{ { .url = "smtp://127.0.0.1", .connections = 0 }, "connections" },
		{ { .url = "smtp://127.0.0.1", .connections = 1, .user = "a" },
		    "without a password" },
		{ { .url = "smtp://127.0.0.1", .connections = 1, .password = "a" },
		    "without a user" },
		{ { .url = "smtp://127.0.0.1", .connections = 1, .helo = "bare" }, "helo" },
		{ { .url = "smtp://127.0.0.1", .connections = 1, .helo = "a.b\r\nQUIT" }, "helo" },
		{ { .url = "smtp://127.0.0.1", .connections = 1, .auth = "xoauth2" }, "auth" },
	};
	struct log log;

	(void)state;
	log_init(&log, "test", -1, LOG_LEVEL_ERROR);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sink *sink = NULL;
		struct error err;
		int rc = sink_open_smtp(&rows[i].options, 1, &log, &sink, &err);

		if ((rc == 0) != (rows[i].says == NULL) ||
		    (rc == -1 && (strstr(err.msg, rows[i].says) == NULL || err.kind != ERR_CONFIG)))
			fail_msg("row %zu: rc %d, '%s'", i, rc, rc == -1 ? err.msg : "");
		sink_free(sink);
	}
}

static void
test_places(void **state)
{
	static const struct {
		const char *url;
		struct smtp_place place;
	} rows[] = {
		{ "smtps://relay.example.org", { true, false, 465, "relay.example.org" } },
		{ "smtp://relay.example.org", { false, false, 587, "relay.example.org" } },
		{ "smtp://relay.example.org:2525/", { false, false, 2525, "relay.example.org" } },
		{ "SMTP://LocalHost", { false, true, 25, "LocalHost" } },
		{ "smtp://127.0.0.7", { false, true, 25, "127.0.0.7" } },
		{ "smtps://[::1]:4465", { true, true, 4465, "::1" } },
		{ "smtp://127.0.0.1.example.org", { false, false, 587, "127.0.0.1.example.org" } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct smtp_place place;
		const struct smtp_place *want = &rows[i].place;

		if (smtp_parse_url(rows[i].url, &place, NULL) == -1 ||
		    place.implicit_tls != want->implicit_tls || place.loopback != want->loopback ||
		    place.port != want->port || strcmp(place.host, want->host) != 0)
			fail_msg("row %zu: '%s' port %u", i, place.host, place.port);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replies),
		cmocka_unit_test(test_reply_bounds),
		cmocka_unit_test(test_stuffing),
		cmocka_unit_test(test_scan),
		cmocka_unit_test(test_scan_random),
		cmocka_unit_test(test_mailboxes),
		cmocka_unit_test(test_capabilities),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
