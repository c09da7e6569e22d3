/* The SMTP engine against a scripted server: every fault at every point, and what is told of it. */
#include "smtp_trial.h"

#include "digest/clock.h"

static const char canary[] = "c4nary-Pa55word";
static const char canary_base64[] = "YzRuYXJ5LVBhNTV3b3Jk";

/* ---- the cells: 9 points x 6 faults ---- */

enum fault { FAULT_4XX, FAULT_5XX, FAULT_421, FAULT_CLOSE, FAULT_STALL, FAULT_GARBAGE, NFAULTS };

static const struct {
	const char *reply;
	bool close;
} faults[NFAULTS] = {
	[FAULT_4XX] = { "451 4.3.0 not now\r\n", false },
	[FAULT_5XX] = { "554 5.5.0 never\r\n", false },
	[FAULT_421] = { "421 4.3.2 closing\r\n", true },
	[FAULT_CLOSE] = { "", true },
	[FAULT_STALL] = { "", false },
	[FAULT_GARBAGE] = { "\x01\x02 what is this\r\n", false },
};

#define S OUTCOME_SENT
#define D OUTCOME_DEFERRED
#define F OUTCOME_FAILED
#define U OUTCOME_UNKNOWN

/* The outcome of the one mail, and whether the account stops. */
static const struct {
	const char *name;
	enum outcome outcome[NFAULTS];
	bool stops[NFAULTS];
	const char *awaited; /* said when it falls silent there */
} cells[] = {
	[AT_GREETING] = { "greeting", { D, D, D, D, D, D }, { 1, 1, 1, 1, 1, 1 }, NULL },
	[AT_EHLO] = { "EHLO", { D, D, D, D, D, D }, { 1, 1, 1, 1, 1, 1 }, NULL },
	[AT_STARTTLS] = { "STARTTLS", { D, D, D, D, D, D }, { 1, 1, 1, 1, 1, 1 }, NULL },
	[AT_AUTH] = { "AUTH", { D, D, D, D, D, D }, { 1, 1, 1, 1, 1, 1 }, NULL },
	[AT_MAIL] = { "MAIL", { D, D, D, D, D, D }, { 0, 1, 0, 0, 0, 0 },
	    "no answer to MAIL within 300 s" },
	[AT_RCPT] = { "RCPT", { D, F, D, D, D, D }, { 0, 0, 0, 0, 0, 0 },
	    "no answer to RCPT within 300 s" },
	[AT_DATA] = { "DATA", { D, F, D, D, D, D }, { 0, 0, 0, 0, 0, 0 },
	    "no answer to DATA within 120 s" },
	[AT_DOT] = { "dot", { D, F, U, U, U, U }, { 0, 0, 0, 0, 0, 0 },
	    "no answer to the final dot within 600 s" },
	[AT_QUIT] = { "QUIT", { S, S, S, S, S, S }, { 0, 0, 0, 0, 0, 0 }, NULL },
};

#undef S
#undef D
#undef F
#undef U

static void
try_cell(size_t v, int point, int fault)
{
	/* At the highest level the envelope that meets the fault is behind the dot of another mail. */
	bool behind = levels[v].pipelining && levels[v].level == SMTP_AS_OFFERED;
	int victim = behind && point >= AT_MAIL;
	struct smtp_script script = { .ehlo = "250-STARTTLS\r\n250-AUTH PLAIN LOGIN\r\n",
		.pipelining = levels[v].pipelining,
		.first_bad = (unsigned)victim };
	struct trial t;
	bool stops = cells[point].stops[fault];
	enum outcome want = cells[point].outcome[fault];

	script.reply[point] = faults[fault].reply;
	script.close[point] = faults[fault].close;
	begin(&t, &script, victim + 1);
	t.options.level = levels[v].level;
	t.options.tls_required = point == AT_STARTTLS;
	t.options.user = point == AT_AUTH ? "ada" : "";
	t.options.password = point == AT_AUTH ? canary : "";
	t.options.timeout_scale = fault == FAULT_STALL ? 0.002 : 1.0;
	run(&t);
	if (t.books->nsettled != victim + 1 || t.books->wrong || t.books->outcome[victim] != want ||
	    (t.rc == -1) != stops || (victim > 0 && t.books->outcome[0] != OUTCOME_SENT))
		fail_msg("%s, %s, fault %d: %d settled, %s ('%s'), rc %d (%s)", levels[v].name,
		    cells[point].name, fault, t.books->nsettled,
		    name_of((int)t.books->outcome[victim]), t.books->reply[victim], t.rc,
		    t.err.msg);
	if (t.books->reply[victim][0] == '\0' || (stops && t.err.msg[0] == '\0'))
		fail_msg("%s, fault %d: without a word", cells[point].name, fault);
	if (strstr(t.err.msg, canary) != NULL || strstr(t.log, canary) != NULL)
		fail_msg("%s, fault %d: the password is shown", cells[point].name, fault);
	if (fault == FAULT_STALL && cells[point].awaited != NULL &&
	    strcmp(t.books->reply[victim], cells[point].awaited) != 0)
		fail_msg("%s, %s: waited for '%s'", levels[v].name, cells[point].name,
		    t.books->reply[victim]);
	if (t.server.seen->nleaks > 0)
		fail_msg("%s, fault %d: a mail for nobody went out", cells[point].name, fault);
	end(&t);
}

/* A reply that goes on and on is late all the same. */
static void
test_dribble(void **state)
{
	static char reply[60000];

	(void)state;
	memset(reply, 'x', sizeof(reply) - 1);
	memcpy(reply, "250-", 4);
	for (size_t v = 0; v < NLEVELS; v++) {
		struct smtp_script script = { .dribbles = true,
			.pipelining = levels[v].pipelining };
		int64_t start_ms = clock_monotonic_ms();
		struct trial t;

		script.reply[AT_RCPT] = reply;
		begin(&t, &script, 1);
		t.options.level = levels[v].level;
		t.options.timeout_scale = 0.003;
		run(&t);
		if (t.books->outcome[0] != OUTCOME_DEFERRED ||
		    strcmp(t.books->reply[0], "no answer to RCPT within 300 s") != 0 ||
		    clock_monotonic_ms() - start_ms > 10000)
			fail_msg("%s: %s, '%s'", levels[v].name, name_of((int)t.books->outcome[0]),
			    t.books->reply[0]);
		end(&t);
	}
}

static void
test_cells(void **state)
{
	(void)state;
	/* How the link is opened is the same at all levels. */
	for (size_t v = 0; v < NLEVELS; v++)
		for (int point = v == 0 ? 0 : AT_MAIL; point <= AT_QUIT; point++)
			for (int fault = 0; fault < NFAULTS; fault++)
				try_cell(v, point, fault);
}

/* The second mail meets the fault; the others go out over this or another connection (F-36). */
static void
test_others_go_on(void **state)
{
	static const char *const tos[] = { "a@example.net", "b@example.net", "bad@example.net",
		"c@example.net" };
	struct smtp_script script = { .bad_rcpt = "bad@" };
	struct trial t;

	(void)state;
	begin(&t, &script, 4);
	t.books->tos = tos;
	run(&t);
	assert_int_equal(t.rc, 0);
	assert_int_equal(t.books->n[OUTCOME_SENT], 3);
	assert_int_equal(t.books->outcome[2], OUTCOME_FAILED);
	assert_string_equal(t.books->reply[2], "550 5.1.1 no such 5.1.1 user");
	assert_string_equal(t.books->reply[0], "250 2.0.0 Ok: queued as 4711");
	assert_int_equal(t.server.seen->nconnections, 1);
	assert_int_equal(smtp_server_count(&t.server, "RSET"), 1);
	assert_int_equal(smtp_server_count(&t.server, "QUIT"), 1);
	assert_false(t.books->wrong);
	end(&t);
}

/* One bad address among 1,000 (F-36), over four connections. */
static void
test_thousand(void **state)
{
	(void)state;
	for (size_t v = 0; v < NLEVELS; v++) {
		struct smtp_script script = { .pipelining = levels[v].pipelining,
			.bad_rcpt = "<reader500@" };
		struct trial t;

		begin(&t, &script, 1000);
		t.options.level = levels[v].level;
		t.options.connections = 4;
		run(&t);
		assert_int_equal(t.rc, 0);
		assert_int_equal(t.books->n[OUTCOME_SENT], 999);
		assert_int_equal(t.books->outcome[500], OUTCOME_FAILED);
		assert_int_equal(t.server.seen->nmails, 999);
		assert_int_equal(t.server.seen->most_open, 4);
		assert_int_equal(t.server.seen->nleaks, 0);
		assert_false(t.books->wrong);
		end(&t);
	}
}

/* No dot leaves before its intent is recorded; the intents of all links go in groups. */
static void
test_intent_first(void **state)
{
	struct smtp_script script = { 0 };
	struct trial t;

	(void)state;
	begin(&t, &script, 100);
	t.options.connections = 8;
	t.books->arrived = &t.server.seen->nmails;
	run(&t);
	assert_int_equal(t.rc, 0);
	assert_int_equal(t.books->n[OUTCOME_SENT], 100);
	assert_false(t.books->wrong);
	assert_int_equal(t.books->nintended, 100);
	assert_true(t.books->nintends < 100);
	end(&t);
}

/* Counts of connections: one mail needs one, and an empty queue none. */
static void
test_connections(void **state)
{
	static const struct {
		int nmails;
		unsigned connections, max_messages, server_max;
		unsigned least, most; /* made in all */
	} rows[] = {
		{ 0, 4, 0, 0, 0, 0 },
		{ 1, 4, 0, 0, 1, 1 },
		{ 100, 1, 0, 0, 1, 1 },
		{ 100, 4, 0, 0, 2, 4 },
		{ 100, 8, 0, 2, 2, 9 },
		{ 30, 1, 10, 0, 3, 3 },
		{ 31, 1, 10, 0, 4, 4 },
		{ 60, 3, 7, 0, 9, 12 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct smtp_script script = { .max_connections = rows[i].server_max };
		struct trial t;
		unsigned n;

		begin(&t, &script, rows[i].nmails);
		t.options.connections = rows[i].connections;
		t.options.max_messages = rows[i].max_messages;
		run(&t);
		n = t.server.seen->nconnections;
		if (t.rc != 0 || t.books->n[OUTCOME_SENT] != rows[i].nmails || t.books->wrong ||
		    n < rows[i].least || n > rows[i].most)
			fail_msg("row %zu: %d sent, %u connections, %s", i,
			    t.books->n[OUTCOME_SENT], n, t.err.msg);
		end(&t);
	}
}

/* ---- the account stops ---- */

/* F-35: MAIL, and then the link goes, or it is not now, each time: five tries in a row, then one after each pause, and nobody is skipped. */
static void
test_pauses(void **state)
{
	static const struct {
		enum smtp_point point;
		const char *reply, *says;
		enum outcome outcome;
		bool stays; /* the link */
	} rows[] = {
		{ AT_MAIL, "", "the connection was lost", OUTCOME_DEFERRED, false },
		{ AT_RCPT, "421 4.3.2 later\r\n", "421 4.3.2 later", OUTCOME_DEFERRED, false },
		{ AT_DOT, "", "the connection was lost", OUTCOME_UNKNOWN, false },
		{ AT_MAIL, "451 4.3.0 not now\r\n", "451 4.3.0 not now", OUTCOME_DEFERRED, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t v = i % NLEVELS;
		struct smtp_script script = { .pipelining = levels[v].pipelining };
		struct trial t;
		int64_t took_ms = clock_monotonic_ms();

		script.reply[rows[i].point] = rows[i].reply;
		script.close[rows[i].point] = !rows[i].stays;
		begin(&t, &script, 6);
		t.options.level = levels[v].level;
		t.options.timeout_scale = 0.002; /* a pause of 1.2 s */
		run(&t);
		took_ms = clock_monotonic_ms() - took_ms;
		if (t.rc != 0 || t.books->wrong || t.books->nsettled != 6 ||
		    t.books->n[rows[i].outcome] != 6 || took_ms < 1100 ||
		    t.server.seen->nconnections < (rows[i].stays ? 1 : 6) ||
		    t.server.seen->nconnections > 8 || strstr(t.log, "waits 10 min") == NULL ||
		    strstr(t.log, rows[i].says) == NULL)
			fail_msg("row %zu: rc %d, %d settled, %u connections in %d ms, '%s'", i,
			    t.rc, t.books->nsettled, t.server.seen->nconnections, (int)took_ms,
			    t.log);
		end(&t);
	}
}

/* A pause that would outlast the run ends it, and what was pulled waits for another. */
static void
test_pause_is_cut(void **state)
{
	struct smtp_script script = { .reply[AT_MAIL] = "", .close[AT_MAIL] = true };
	struct trial t;
	int64_t took_ms = clock_monotonic_ms();

	(void)state;
	begin(&t, &script, 100);
	t.books->stop_at = 6; /* 5 tries, and one mail at hand */
	run(&t);
	took_ms = clock_monotonic_ms() - took_ms;
	/* Who sees the stop first, the account or the loop, says why or nothing. */
	assert_true(t.rc == 0 ||
	    (t.err.kind == ERR_NET && strstr(t.err.msg, "5 failures in a row") != NULL));
	assert_non_null(strstr(t.log, "5 failures in a row"));
	assert_non_null(strstr(t.log, "waits 10 min"));
	assert_int_equal(t.books->next, 6);
	assert_int_equal(t.books->n[OUTCOME_DEFERRED], 6);
	/* A pause were 600 s. */
	assert_true(took_ms < 100000);
	end(&t);
}

/* Policy (5.7.x): the run ends for a domain after twenty in a row; all of five domains that refuse mean us. */
static void
test_policy(void **state)
{
	static const char *const tos[] = { "a@a.example", "b@b.example", "c@c.example",
		"d@d.example", "e@e.example", "f@f.example" };
	struct smtp_script script = { .reply[AT_RCPT] = "550 5.7.1 no relaying\r\n" };
	struct trial t;

	(void)state;
	begin(&t, &script, 50);
	run(&t);
	assert_int_equal(t.rc, 0);
	assert_int_equal(t.books->n[OUTCOME_DEFERRED], 50);
	assert_int_equal(smtp_server_count(&t.server, "RCPT"), 20);
	assert_non_null(strstr(t.books->reply[49], "550 5.7.1 no relaying (not tried"));
	end(&t);
	begin(&t, &script, 6);
	t.books->tos = tos;
	run(&t);
	assert_int_equal(t.rc, -1);
	assert_int_equal(t.err.kind, ERR_CONFIG);
	assert_non_null(strstr(t.err.msg, "by policy, to 5 domains"));
	assert_int_equal(smtp_server_count(&t.server, "RCPT"), 5);
	end(&t);
}

/* A failure now and then is no row. */
static void
test_lost_once(void **state)
{
	struct smtp_script script = { .first_bad = 50 };
	struct trial t;

	(void)state;
	script.reply[AT_MAIL] = "";
	script.close[AT_MAIL] = true;
	begin(&t, &script, 100);
	t.books->stop_at = 55;
	run(&t);
	assert_non_null(strstr(t.log, "waits 10 min"));
	assert_int_equal(t.books->n[OUTCOME_SENT], 50);
	/* One of the five is tried over another link, unless its own was seen to go before; one more is pulled. */
	assert_in_range(t.books->n[OUTCOME_DEFERRED], 5, 6);
	assert_int_equal(t.books->nsettled, t.books->next);
	end(&t);
}

static void
test_refused_sender(void **state)
{
	struct smtp_script script = { 0 };
	struct trial t;

	(void)state;
	script.reply[AT_MAIL] = "553 5.7.1 <me@example.org>: not yours\r\n";
	begin(&t, &script, 100);
	run(&t);
	assert_int_equal(t.rc, -1);
	assert_int_equal(t.err.kind, ERR_CONFIG);
	assert_non_null(strstr(t.err.msg, "refuses mail from me@example.org"));
	assert_int_equal(t.books->n[OUTCOME_DEFERRED], t.books->next);
	assert_true(t.books->next <= 2);
	assert_int_equal(smtp_server_count(&t.server, "QUIT"), 1);
	end(&t);
}

static void
test_nobody_there(void **state)
{
	static const struct {
		const char *url;
		const char *says;
	} rows[] = {
		{ "smtp://127.0.0.1:1", "refused" },
		{ "smtp://no-such-host.invalid", "no such host name" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct smtp_script script = { 0 };
		struct trial t;

		begin(&t, &script, 3);
		t.options.url = rows[i].url;
		t.options.insecure = true;
		run(&t);
		if (t.rc != -1 || t.err.kind != ERR_NET || t.books->next != 1 ||
		    t.books->n[OUTCOME_DEFERRED] != 1 || strstr(t.err.msg, rows[i].says) == NULL)
			fail_msg("row %zu: %d pulled, '%s'", i, t.books->next, t.err.msg);
		end(&t);
	}
}

/* ---- the login ---- */

static void
test_login(void **state)
{
	static const struct {
		const char *ehlo, *auth, *reply;
		enum err_kind kind; /* ERR_NONE = goes well */
		const char *sent;   /* the line of the log */
		const char *says;
	} rows[] = {
		{ "250-AUTH PLAIN LOGIN\r\n", "auto", NULL, ERR_NONE, "AUTH PLAIN AGFkYQ", "" },
		{ "250-AUTH LOGIN PLAIN\r\n", "", NULL, ERR_NONE, "AUTH PLAIN AGFkYQ", "" },
		{ "250-AUTH CRAM-MD5 PLAIN\r\n", "auto", NULL, ERR_NONE, "AUTH PLAIN", "" },
		{ "250-AUTH PLAIN LOGIN\r\n", "login", "535 no\r\n", ERR_CONFIG, "AUTH LOGIN YWRh",
		    "refuses user and password (535 no)" },
		{ "250-AUTH CRAM-MD5\r\n", "auto", NULL, ERR_CONFIG, NULL,
		    "offers AUTH CRAM-MD5 only" },
		{ "250-AUTH LOGIN\r\n", "plain", NULL, ERR_CONFIG, NULL, "expected PLAIN" },
		{ "", "auto", NULL, ERR_CONFIG, NULL, "does not offer AUTH" },
		{ "250-AUTH PLAIN\r\n", "auto", "535-5.7.8 wrong\r\n535 5.7.8 again\r\n",
		    ERR_CONFIG, "AUTH PLAIN", "app password" },
		{ "250-AUTH PLAIN\r\n", "auto", "454 4.7.0 later\r\n", ERR_NET, "AUTH PLAIN",
		    "try again later" },
		{ "250-AUTH PLAIN\r\n", "auto", "250 what\r\n", ERR_CONFIG, "AUTH PLAIN", "" },
		{ "250-AUTH PLAIN\r\n", "auto", "535 you said c4nary-Pa55word\r\n", ERR_CONFIG,
		    "AUTH PLAIN", "words are left out" },
		{ "250-AUTH PLAIN\r\n", "auto",
		    "535 you said AGFkYQBjNG5hcnktUGE1NXdvcmQ= I think\r\n", ERR_CONFIG,
		    "AUTH PLAIN", "words are left out" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct smtp_script script = { .ehlo = rows[i].ehlo };
		struct trial t;

		script.reply[AT_AUTH] = rows[i].reply;
		begin(&t, &script, 2);
		t.options.user = "ada";
		t.options.password = canary;
		t.options.auth = rows[i].auth;
		run(&t);
		if (t.rc != (rows[i].kind == ERR_NONE ? 0 : -1) ||
		    (t.rc == -1 && t.err.kind != rows[i].kind) ||
		    (t.rc == -1 && strstr(t.err.msg, rows[i].says) == NULL) ||
		    (rows[i].sent == NULL && smtp_server_count(&t.server, "AUTH") != 0) ||
		    (rows[i].sent != NULL && strstr(t.server.seen->log, rows[i].sent) == NULL) ||
		    (t.rc == -1 && smtp_server_count(&t.server, "MAIL") != 0))
			fail_msg("row %zu: rc %d '%s', log:\n%s", i, t.rc, t.err.msg,
			    t.server.seen->log);
		for (int m = 0; m < t.books->next; m++)
			if (strstr(t.books->reply[m], canary) != NULL ||
			    strstr(t.books->reply[m], canary_base64) != NULL)
				fail_msg("row %zu: a reply shows the password", i);
		if (strstr(t.err.msg, canary) != NULL || strstr(t.log, canary) != NULL ||
		    strstr(t.err.msg, "AGFkYQBj") != NULL)
			fail_msg("row %zu: the password is shown", i);
		end(&t);
	}
}

/* A server that repeats the password later. */
static void
test_password_in_reply(void **state)
{
	struct smtp_script script = { .ehlo = "250-AUTH PLAIN\r\n" };
	struct trial t;

	(void)state;
	script.reply[AT_RCPT] = "550 5.1.1 c4nary-Pa55word is no user\r\n";
	begin(&t, &script, 1);
	t.options.user = "ada";
	t.options.password = canary;
	run(&t);
	assert_int_equal(t.books->outcome[0], OUTCOME_FAILED);
	assert_null(strstr(t.books->reply[0], "c4nary"));
	assert_non_null(strstr(t.books->reply[0], "550"));
	end(&t);
}

/* STARTTLS stripped from EHLO, and TLS required: nothing goes out. */
static void
test_starttls_stripped(void **state)
{
	struct smtp_script script = { .ehlo = "250-AUTH PLAIN\r\n" };
	struct trial t;

	(void)state;
	begin(&t, &script, 2);
	t.options.tls_required = true;
	t.options.user = "ada";
	t.options.password = canary;
	run(&t);
	assert_int_equal(t.rc, -1);
	assert_int_equal(t.err.kind, ERR_CONFIG);
	assert_non_null(strstr(t.err.msg, "does not offer STARTTLS"));
	assert_int_equal(smtp_server_count(&t.server, "EHLO"), 1);
	assert_int_equal(smtp_server_count(&t.server, "AUTH"), 0);
	assert_int_equal(smtp_server_count(&t.server, "MAIL"), 0);
	end(&t);
}

/* ---- replies ---- */

static void
test_odd_replies(void **state)
{
	static char long_reply[210 * 16], huge[70000];
	const struct {
		enum smtp_point point;
		const char *reply;
		enum outcome outcome;
		const char *says;
	} rows[] = {
		{ AT_RCPT, "250-one\r\n250-two\r\n250 three\r\n", OUTCOME_SENT, "queued" },
		{ AT_RCPT, "251 will forward\r\n", OUTCOME_SENT, "queued" },
		{ AT_RCPT, "250\r\n", OUTCOME_SENT, "queued" },
		{ AT_RCPT, "250 only LF\n", OUTCOME_SENT, "queued" },
		{ AT_RCPT, "250-one\r\n550 two\r\n", OUTCOME_DEFERRED, "not SMTP" },
		{ AT_RCPT, "354 go on\r\n", OUTCOME_DEFERRED, "out of order" },
		{ AT_RCPT, "25 short\r\n", OUTCOME_DEFERRED, "not SMTP" },
		{ AT_RCPT, "650 class\r\n", OUTCOME_DEFERRED, "not SMTP" },
		{ AT_RCPT, "250 one\r\n250 two\r\n", OUTCOME_DEFERRED, "out of order" },
		{ AT_RCPT, "550 \x1b[31mred\x07\r\n", OUTCOME_FAILED, "\\x1B[31mred\\x07" },
		{ AT_DATA, "250 no 354\r\n", OUTCOME_DEFERRED, "out of order" },
		{ AT_DOT, "354 go on\r\n", OUTCOME_UNKNOWN, "out of order" },
		{ AT_DOT, "251 forwarded\r\n", OUTCOME_SENT, "251 forwarded" },
		{ AT_DOT, "554 5.6.0 bad\r\n", OUTCOME_FAILED, "554 5.6.0 bad" },
		{ AT_DOT, "452-4.2.2 full\r\n452 4.2.2 really\r\n", OUTCOME_DEFERRED, "452 4.2.2" },
		{ AT_MAIL, "552 5.3.4 too big\r\n", OUTCOME_FAILED, "552 5.3.4" },
		{ AT_RCPT, long_reply, OUTCOME_DEFERRED, "not SMTP" },
		{ AT_DOT, huge, OUTCOME_UNKNOWN, "not SMTP" },
	};

	(void)state;
	for (int i = 0; i < 205; i++)
		snprintf(long_reply + 10 * i, 11, "250-line\r\n");
	memset(huge, 'x', sizeof(huge) - 3);
	memcpy(huge, "250-", 4);
	memcpy(huge + sizeof(huge) - 3, "\r\n", 3);
	for (size_t k = 0; k < NLEVELS * sizeof(rows) / sizeof(rows[0]); k++) {
		size_t i = k / NLEVELS, v = k % NLEVELS;
		struct smtp_script script = { .by_bytes = i % 2 == 0 && i < 14,
			.pipelining = levels[v].pipelining };
		struct trial t;

		script.reply[rows[i].point] = rows[i].reply;
		begin(&t, &script, 1);
		t.options.level = levels[v].level;
		run(&t);
		if (t.books->outcome[0] != rows[i].outcome || t.books->nsettled != 1 ||
		    t.books->wrong || strstr(t.books->reply[0], rows[i].says) == NULL)
			fail_msg("row %zu, %s: %s, '%s' (%s)", i, levels[v].name,
			    name_of((int)t.books->outcome[0]), t.books->reply[0], t.err.msg);
		end(&t);
	}
}

/* The server speaks while the body goes out: refused, or nothing delivered. */
static void
test_mid_body(void **state)
{
	static char bytes[3 << 20];
	static const struct {
		const char *says;
		enum outcome outcome;
		bool answers; /* it would be a good answer to the dot */
	} rows[] = {
		{ "552 5.3.4 enough\r\n", OUTCOME_FAILED, false },
		{ "451 4.3.0 disk full\r\n", OUTCOME_DEFERRED, false },
		{ "250 early\r\n", OUTCOME_DEFERRED, true },
		{ "421 bye\r\n", OUTCOME_DEFERRED, false },
		{ "", OUTCOME_DEFERRED, false },
	};

	(void)state;
	for (size_t i = 0; i + 2 < sizeof(bytes); i += 64) {
		memset(bytes + i, 'x', 64);
		memcpy(bytes + i + 62, "\r\n", 2);
	}
	for (size_t k = 0; k < NLEVELS * sizeof(rows) / sizeof(rows[0]); k++) {
		size_t i = k / NLEVELS, v = k % NLEVELS;
		struct smtp_script script = { .mid_body = rows[i].says,
			.pipelining = levels[v].pipelining };
		struct trial t;

		begin(&t, &script, 1);
		t.options.level = levels[v].level;
		t.books->bytes = bytes;
		t.books->nbytes = 1000 * 1024;
		run(&t);
		/* The last words may be lost when the server resets the link, and the whole mail
		 * may be on its way by then; what comes after that is the answer to it. */
		if (t.books->outcome[0] != rows[i].outcome &&
		    t.books->outcome[0] != OUTCOME_DEFERRED &&
		    t.books->outcome[0] != OUTCOME_UNKNOWN &&
		    !(rows[i].answers && t.books->outcome[0] == OUTCOME_SENT))
			fail_msg("row %zu: %s, '%s'", i, name_of((int)t.books->outcome[0]),
			    t.books->reply[0]);
		assert_false(t.books->wrong);
		end(&t);
	}
}

/* ---- what goes out ---- */

static void
test_envelope(void **state)
{
	static const struct {
		const char *ehlo, *to;
		enum outcome outcome;
		const char *line, *says;
	} rows[] = {
		{ "", "ada@example.net", OUTCOME_SENT, "MAIL FROM:<me@example.org>\r\n", "" },
		{ "250-SIZE\r\n", "ada@example.net", OUTCOME_SENT,
		    "MAIL FROM:<me@example.org> SIZE=56\r\n", "" },
		{ "250-SIZE 0\r\n", "ada@example.net", OUTCOME_SENT, " SIZE=56\r\n", "" },
		{ "250-size 56\r\n", "ada@example.net", OUTCOME_SENT, " SIZE=56\r\n", "" },
		{ "250-SIZE 55\r\n", "ada@example.net", OUTCOME_FAILED, NULL,
		    "552 5.3.4 larger than the server's limit" },
		{ "250-SMTPUTF8\r\n250-SIZE\r\n", "ad\xc3\xa4@example.net", OUTCOME_SENT,
		    "MAIL FROM:<me@example.org> SIZE=56 SMTPUTF8\r\n", "" },
		{ "250-SMTPUTF8\r\n", "ada@example.net", OUTCOME_SENT, "<me@example.org>\r\n", "" },
		{ "", "ad\xc3\xa4@example.net", OUTCOME_FAILED, NULL, "address needs SMTPUTF8" },
		{ "250-DSN\r\n", "ada@example.net", OUTCOME_SENT,
		    "MAIL FROM:<me@example.org> RET=HDRS ENVID=20260821.0\r\n"
		    "RCPT TO:<ada@example.net> NOTIFY=FAILURE\r\n",
		    "" },
		{ "", "\"a b\"@example.net", OUTCOME_SENT, "RCPT TO:<\"a b\"@example.net>\r\n",
		    "" },
		{ "", "\"a\\\"b\"@example.net", OUTCOME_SENT, "RCPT TO:<\"a\\\"b\"@", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct smtp_script script = { .ehlo = rows[i].ehlo };
		struct trial t;

		begin(&t, &script, 1);
		t.books->to = rows[i].to;
		run(&t);
		if (t.rc != 0 || t.books->outcome[0] != rows[i].outcome ||
		    strstr(t.books->reply[0], rows[i].says) == NULL ||
		    (rows[i].line != NULL && strstr(t.server.seen->log, rows[i].line) == NULL) ||
		    (rows[i].line == NULL && smtp_server_count(&t.server, "MAIL") != 0))
			fail_msg("row %zu: %s, '%s', log:\n%s", i,
			    name_of((int)t.books->outcome[0]), t.books->reply[0],
			    t.server.seen->log);
		assert_non_null(strstr(t.server.seen->log, "EHLO client.example.org\r\n"));
		end(&t);
	}
}

/* S-03: 200 addresses that would be commands, or end one. */
static void
test_hostile_addresses(void **state)
{
	static const char *const pieces[] = { "\r\nRCPT TO:<b@c.org>", ">\r\nDATA\r\n", "\n", "\r",
		">", "<", "> SIZE=1", " ", "\t", "\x01", "\x7f", "\x1b[2J", "\v", "\f", "<x>",
		"a b", "\rQUIT\r", "\n.\n", " NOTIFY=NEVER", ">,<b@c.org" };
	static const char *const shapes[] = { "%s@example.net", "a%s@example.net", "a@%s",
		"a@example%s.net", "a@example.net%s", "%sa@example.net", "\"a%s\"@example.net>",
		"<a%s@example.net", "\"%s@example.net", "a%s" };
	static char texts[200][MAX_ADDRESS_BYTES];
	const char *tos[200];
	struct smtp_script script = { 0 };
	struct trial t;
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		for (size_t k = 0; k < sizeof(pieces) / sizeof(pieces[0]); k++) {
			const char *cut = strstr(shapes[i], "%s");

			snprintf(texts[n], sizeof(texts[n]), "%.*s%s%s", (int)(cut - shapes[i]),
			    shapes[i], pieces[k], cut + 2);
			tos[n] = texts[n];
			n++;
		}
	}
	assert_int_equal(n, 200);
	begin(&t, &script, 200);
	t.books->tos = tos;
	run(&t);
	assert_int_equal(t.rc, 0);
	for (size_t i = 0; i < n; i++)
		if (t.books->outcome[i] != OUTCOME_FAILED)
			fail_msg("address %zu '%s' was not refused", i, tos[i]);
	assert_int_equal(t.books->n[OUTCOME_FAILED], 200);
	assert_string_equal(t.server.seen->log, "EHLO client.example.org\r\nQUIT\r\n");
	end(&t);

	begin(&t, &script, 1);
	t.books->sender = "me@example.org>\r\nRCPT TO:<b@c.org";
	run(&t);
	assert_int_equal(t.books->outcome[0], OUTCOME_FAILED);
	assert_int_equal(smtp_server_count(&t.server, "MAIL"), 0);
	end(&t);
}

/* RFC 5321 4.5.5: to an answer nothing may come back. */
static void
test_null_sender(void **state)
{
	struct smtp_script script = { 0 };
	struct trial t;

	(void)state;
	begin(&t, &script, 1);
	t.books->sender = "";
	run(&t);
	assert_int_equal(t.rc, 0);
	assert_int_equal(t.books->outcome[0], OUTCOME_SENT);
	assert_non_null(strstr(t.server.seen->log, "\nMAIL FROM:<>"));
	end(&t);
}

/* The mail arrives as it was, whatever dots it has; with bare line ends it does not leave. */
static void
test_bodies(void **state)
{
	static char dots[60000];
	const struct {
		const char *bytes, *arrives; /* NULL = as it was */
		bool refused;
	} rows[] = {
		{ "a\r\n", NULL, false },
		{ ".\r\n", NULL, false },
		{ ".\r\n.\r\n..\r\n.x\r\n", NULL, false },
		{ "a\r\n.\r\nMAIL FROM:<x@y.org>\r\n", NULL, false },
		{ "no line end", "no line end\r\n", false },
		{ "x\r\n.", "x\r\n.\r\n", false },
		{ "", "", false },
		{ dots, NULL, false },
		{ "a\n.\nb\r\n", NULL, true },
		{ "a\r\n.\r", NULL, true },
		{ "a\rb\r\n", NULL, true },
		{ "a\n\r\n", NULL, true },
		{ "a\r\r\n", NULL, true },
	};

	(void)state;
	for (size_t i = 0; i + 4 < sizeof(dots); i += 4)
		memcpy(dots + i, i % 12 == 0 ? "..\r\n" : i % 8 == 0 ? ".x\r\n" : "yy\r\n", 5);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct smtp_script script = { 0 };
		struct trial t;
		const char *arrives = rows[i].arrives != NULL ? rows[i].arrives : rows[i].bytes;

		begin(&t, &script, 2);
		t.books->bytes = rows[i].bytes;
		t.books->nbytes = strlen(rows[i].bytes);
		t.books->nmails = 1;
		run(&t);
		if (t.books->outcome[0] != (rows[i].refused ? OUTCOME_FAILED : OUTCOME_SENT))
			fail_msg("row %zu: %s, '%s'", i, name_of((int)t.books->outcome[0]),
			    t.books->reply[0]);
		if (!rows[i].refused && strcmp(t.server.seen->mail, arrives) != 0)
			fail_msg("row %zu: arrived as '%.200s'", i, t.server.seen->mail);
		if (rows[i].refused && smtp_server_count(&t.server, "MAIL") != 0)
			fail_msg("row %zu: something left", i);
		end(&t);
	}
}

/* ---- the queue fails ---- */

static void
test_queue_fails(void **state)
{
	static const struct {
		int next, intend, settle;
		int nsent; /* at most */
		const char *says;
	} rows[] = {
		{ 1, 0, 0, 0, "queue broke" },
		{ 5, 0, 0, 4, "queue broke" },
		{ 0, 1, 0, 0, "store broke" },
		{ 0, 3, 0, 8, "store broke" },
		{ 0, 0, 1, 8, "books broke" },
		{ 0, 0, 4, 16, "books broke" },
	};

	(void)state;
	for (size_t k = 0; k < NLEVELS * sizeof(rows) / sizeof(rows[0]); k++) {
		size_t i = k / NLEVELS, v = k % NLEVELS;
		struct smtp_script script = { .pipelining = levels[v].pipelining };
		struct trial t;

		begin(&t, &script, 100);
		t.options.level = levels[v].level;
		t.options.connections = 4;
		t.books->fail_next = rows[i].next;
		t.books->fail_intend = rows[i].intend;
		t.books->fail_settle = rows[i].settle;
		run(&t);
		if (t.rc != -1 || t.err.kind != ERR_IO || strstr(t.err.msg, rows[i].says) == NULL ||
		    t.books->wrong || (int)t.server.seen->nmails > rows[i].nsent ||
		    (rows[i].settle == 0 && t.books->nsettled != t.books->next))
			fail_msg("row %zu, %s: rc %d '%s', %d pulled, %d settled, %u arrived", i,
			    levels[v].name, t.rc, t.err.msg, t.books->next, t.books->nsettled,
			    (unsigned)t.server.seen->nmails);
		/* Nothing arrives that was not announced. */
		if ((int)t.server.seen->nmails > t.books->nintended)
			fail_msg("row %zu: more arrived than were announced", i);
		end(&t);
	}
}

static void
test_probe(void **state)
{
	struct smtp_script script = { .ehlo =
					  "250-PIPELINING\r\n250-SIZE 35882577\r\n250-8BITMIME\r\n"
					  "250-SMTPUTF8\r\n250-ENHANCEDSTATUSCODES\r\n"
					  "250-AUTH PLAIN LOGIN\r\n250-DSN\r\n"
					  "250-LIMITS MAILMAX=50 RCPTDOMAINMAX=9\r\n" };
	struct smtp_probe probe;
	struct trial t;

	(void)state;
	begin(&t, &script, 0);
	t.options.user = "ada";
	t.options.password = canary;
	if (smtp_probe(&t.options, &probe, &t.err) == -1)
		fail_msg("%s", t.err.msg);
	assert_int_equal(probe.max_size, 35882577);
	assert_true(probe.pipelining && probe.size && probe.eightbit && probe.smtputf8 &&
	    probe.enhanced_codes && probe.dsn && probe.logged_in && !probe.tls);
	assert_int_equal(probe.max_mails, 50);
	assert_int_equal(probe.max_recipients, 0);
	assert_int_equal(probe.max_domains, 9);
	assert_string_equal(probe.auth, "PLAIN LOGIN");
	assert_int_equal(smtp_server_count(&t.server, "QUIT"), 1);
	end(&t);

	script.reply[AT_AUTH] = "535 5.7.8 no\r\n";
	begin(&t, &script, 0);
	t.options.user = "ada";
	t.options.password = canary;
	assert_int_equal(smtp_probe(&t.options, &probe, &t.err), -1);
	assert_non_null(strstr(t.err.msg, "127.0.0.1:"));
	assert_non_null(strstr(t.err.msg, "refuses user and password"));
	end(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cells),
		cmocka_unit_test(test_dribble),
		cmocka_unit_test(test_others_go_on),
		cmocka_unit_test(test_thousand),
		cmocka_unit_test(test_intent_first),
		cmocka_unit_test(test_connections),
		cmocka_unit_test(test_pauses),
		cmocka_unit_test(test_pause_is_cut),
		cmocka_unit_test(test_policy),
		cmocka_unit_test(test_lost_once),
		cmocka_unit_test(test_refused_sender),
		cmocka_unit_test(test_null_sender),
		cmocka_unit_test(test_nobody_there),
		cmocka_unit_test(test_login),
		cmocka_unit_test(test_password_in_reply),
		cmocka_unit_test(test_starttls_stripped),
		cmocka_unit_test(test_odd_replies),
		cmocka_unit_test(test_mid_body),
		cmocka_unit_test(test_envelope),
		cmocka_unit_test(test_hostile_addresses),
		cmocka_unit_test(test_bodies),
		cmocka_unit_test(test_queue_fails),
		cmocka_unit_test(test_probe),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
