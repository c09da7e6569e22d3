/* The SMTP engine under TLS: certificates, STARTTLS and its attacks, logins. The server is tests/e2e/smtp_server.py, the
 * certificates are made on the spot by openssl; without either the tests are skipped. Run from the project root. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "digest/file.h"
#include "digest/smtp.h"

#include "smtp_books.h"

#include <dirent.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static const char canary[] = "c4nary-Pa55word";

/* Makes in the folder $1: ca.pem; good, expired, other-name .pem signed by it, self.pem by itself; one .key for all. */
static const char make_certificates[] =
    "set -e; cd \"$1\"; exec >/dev/null 2>&1\n"
    "key='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'\n"
    "openssl req -x509 $key -keyout ca.key -out ca.pem -days 30 -subj /CN=Authority\n"
    "openssl req $key -keyout s.key -out s.csr -subj /CN=localhost\n"
    "echo 'subjectAltName=DNS:localhost,IP:127.0.0.1' >here\n"
    "echo 'subjectAltName=DNS:elsewhere.example.org' >there\n"
    "sign() { openssl x509 -req -in s.csr -CA ca.pem -CAkey ca.key -CAcreateserial \"$@\"; }\n"
    "sign -days 30 -extfile here -out good.pem\n"
    "sign -days -1 -extfile here -out expired.pem\n"
    "sign -days 30 -extfile there -out other-name.pem\n"
    "openssl x509 -req -in s.csr -signkey s.key -days 30 -extfile here -out self.pem\n";

struct place {
	char folder[64];
	bool ready;
};

extern char **environ;

static int
run_program(char *const argv[])
{
	pid_t pid;
	int status;

	if (posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ) != 0 ||
	    waitpid(pid, &status, 0) == -1)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int
make_place(void **state)
{
	static struct place place;
	char *const certificates[] = { "sh", "-c", (char *)make_certificates, "sh", place.folder,
		NULL };
	char *const python[] = { "python3", "-c", "import ssl", NULL };

	snprintf(place.folder, sizeof(place.folder), "/tmp/digest-tls.XXXXXX");
	if (mkdtemp(place.folder) == NULL)
		return -1;
	place.ready = run_program(certificates) == 0 && run_program(python) == 0;
	*state = &place;
	return 0;
}

static int
remove_place(void **state)
{
	struct place *p = *state;
	char *const argv[] = { "rm", "-rf", p->folder, NULL };

	return run_program(argv);
}

struct server {
	pid_t pid;
	unsigned port;
	char log[100];
};

/* words: the options of the server, a NULL behind the last. */
static void
start(const struct place *p, struct server *s, const char *certificate, const char *const *words)
{
	char cert[100], key[100], port[16] = "";
	char *argv[40] = { "python3", "tests/e2e/smtp_server.py", "--log", s->log, "--cert", cert,
		"--key", key };
	posix_spawn_file_actions_t actions;
	int out[2], n = 8;

	snprintf(cert, sizeof(cert), "%s/%s.pem", p->folder, certificate);
	snprintf(key, sizeof(key), "%s/s.key", p->folder);
	snprintf(s->log, sizeof(s->log), "%s/log", p->folder);
	unlink(s->log);
	for (; *words != NULL; words++)
		argv[n++] = (char *)*words;
	argv[n] = NULL;
	assert_int_equal(pipe(out), 0);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, out[1], 1);
	posix_spawn_file_actions_addclose(&actions, out[0]);
	posix_spawn_file_actions_addclose(&actions, out[1]);
	assert_int_equal(posix_spawnp(&s->pid, argv[0], &actions, NULL, argv, environ), 0);
	posix_spawn_file_actions_destroy(&actions);
	close(out[1]);
	while (strchr(port, '\n') == NULL) {
		size_t len = strlen(port);

		assert_true(read(out[0], port + len, sizeof(port) - 1 - len) > 0);
	}
	close(out[0]);
	s->port = (unsigned)strtoul(port, NULL, 10);
}

static void
stop(struct server *s, struct strbuf *log)
{
	kill(s->pid, SIGKILL);
	waitpid(s->pid, NULL, 0);
	file_read(s->log, log, NULL);
}

static const struct {
	const char *name, *certificate;
	const char *options[12];	/* of the server */
	const char *scheme, *host, *ca; /* ca "" = the system's */
	const char *user;
	enum err_kind kind; /* ERR_NONE = the mail goes out */
	const char *says;
	bool secret_sent; /* AUTH was reached */
} rows[] = {
	{ "smtps", "good", { "--tls", "implicit" }, "smtps", "localhost", "ca", "", ERR_NONE, "",
	    false },
	{ "smtps by address", "good", { "--tls", "implicit" }, "smtps", "127.0.0.1", "ca", "",
	    ERR_NONE, "", false },
	{ "smtps with login", "good", { "--tls", "implicit", "--auth", "ada:c4nary-Pa55word" },
	    "smtps", "localhost", "ca", "ada", ERR_NONE, "", true },
	{ "starttls", "good", { "--tls", "starttls" }, "smtp", "localhost", "ca", "", ERR_NONE, "",
	    false },
	{ "starttls with login", "good", { "--tls", "starttls", "--auth", "ada:c4nary-Pa55word" },
	    "smtp", "localhost", "ca", "ada", ERR_NONE, "", true },
	{ "starttls, LOGIN", "good",
	    { "--tls", "starttls", "--auth", "ada:c4nary-Pa55word", "--mechanisms", "LOGIN" },
	    "smtp", "localhost", "ca", "ada", ERR_NONE, "", true },
	{ "wrong password", "good", { "--tls", "implicit", "--auth", "ada:other" }, "smtps",
	    "localhost", "ca", "ada", ERR_CONFIG, "refuses user and password (535 5.7.8", true },
	{ "no AUTH after TLS", "good", { "--tls", "starttls" }, "smtp", "localhost", "ca", "ada",
	    ERR_CONFIG, "does not offer AUTH", false },
	{ "AUTH before TLS only", "good",
	    { "--tls", "starttls", "--auth", "ada:c4nary-Pa55word", "--auth-before" }, "smtp",
	    "localhost", "ca", "ada", ERR_CONFIG, "does not offer AUTH", false },
	{ "AUTH before TLS only, PIPELINING", "good",
	    { "--tls", "starttls", "--auth", "ada:c4nary-Pa55word", "--auth-before", "--extension",
		"PIPELINING" },
	    "smtp", "localhost", "ca", "ada", ERR_CONFIG, "does not offer AUTH", false },
	{ "starttls with login, PIPELINING", "good",
	    { "--tls", "starttls", "--auth", "ada:c4nary-Pa55word", "--extension", "PIPELINING" },
	    "smtp", "localhost", "ca", "ada", ERR_NONE, "", true },
	{ "no STARTTLS", "good", { "--auth", "ada:x", "--auth-plain" }, "smtp", "localhost", "ca",
	    "ada", ERR_CONFIG, "does not offer STARTTLS", false },
	{ "expired", "expired", { "--tls", "implicit", "--auth", "ada:x" }, "smtps", "localhost",
	    "ca", "ada", ERR_CONFIG, "has expired", false },
	{ "self-signed", "self", { "--tls", "implicit", "--auth", "ada:x" }, "smtps", "localhost",
	    "ca", "ada", ERR_CONFIG, "signed by nobody this machine trusts", false },
	{ "unknown authority", "good", { "--tls", "starttls", "--auth", "ada:x" }, "smtp",
	    "localhost", "", "ada", ERR_CONFIG, "signed by nobody this machine trusts", false },
	{ "wrong name", "other-name", { "--tls", "starttls", "--auth", "ada:x" }, "smtp",
	    "localhost", "ca", "ada", ERR_CONFIG, "for another name", false },
	{ "expired, starttls", "expired", { "--tls", "starttls", "--auth", "ada:x" }, "smtp",
	    "localhost", "ca", "ada", ERR_CONFIG, "has expired", false },
	{ "no such ca-file", "good", { "--tls", "implicit" }, "smtps", "localhost", "missing", "",
	    ERR_CONFIG, "ca-file", false },
	{ "TLS 1.1", "good", { "--tls", "implicit", "--max-tls", "1.1" }, "smtps", "localhost",
	    "ca", "", ERR_CONFIG, "no TLS 1.2", false },
	{ "TLS 1.0, PIPELINING", "good",
	    { "--tls", "starttls", "--max-tls", "1.0", "--auth", "ada:x", "--extension",
		"PIPELINING" },
	    "smtp", "localhost", "ca", "ada", ERR_CONFIG, "no TLS 1.2", false },
	{ "no TLS at all", "good", { "--tls", "none" }, "smtps", "localhost", "ca", "", ERR_CONFIG,
	    "no TLS 1.2", false },
	{ "injection of a login", "good",
	    { "--tls", "starttls", "--auth", "ada:x", "--extension", "PIPELINING", "--inject",
		"235 2.7.0 welcome\\r\\n250 Ok\\r\\n250 Ok\\r\\n354 go on\\r\\n250 Ok\\r\\n" },
	    "smtp", "localhost", "ca", "ada", ERR_CONFIG, "more before TLS", false },
	{ "injection", "good",
	    { "--tls", "starttls", "--auth", "ada:x", "--inject",
		"250-relay\\r\\n250 AUTH PLAIN\\r\\n" },
	    "smtp", "localhost", "ca", "ada", ERR_CONFIG, "more before TLS", false },
};

static void
test_rows(void **state)
{
	const struct place *p = *state;

	if (!p->ready) {
		print_message("skipped: openssl or python3 is missing\n");
		skip();
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char url[100], ca[100] = "";
		struct smtp_options options = { .url = url,
			.user = rows[i].user,
			.password = rows[i].user[0] != '\0' ? canary : "",
			.tls_required = true,
			.ca_file = ca,
			.helo = "client.example.org",
			.connections = 2,
			.timeout_scale = 0.05 };
		struct books *b = calloc(1, sizeof(*b));
		const struct delivery_queue queue = {
			.arg = b, .next = books_next, .intend = books_intend, .settle = books_settle
		};
		struct sink *sink = NULL;
		struct server server;
		struct strbuf text;
		struct error err = { 0 };
		struct log log;
		FILE *file = tmpfile();
		char logged[4096] = "";
		int rc;

		assert_non_null(b);
		assert_non_null(file);
		strbuf_init(&text, 1 << 20);
		log_init(&log, "test", fileno(file), LOG_LEVEL_DEBUG);
		start(p, &server, rows[i].certificate, rows[i].options);
		snprintf(url, sizeof(url), "%s://%s:%u", rows[i].scheme, rows[i].host, server.port);
		if (rows[i].ca[0] != '\0')
			snprintf(ca, sizeof(ca), "%s/%s.pem", p->folder, rows[i].ca);
		b->nmails = 20;
		rc = sink_open_smtp(&options, 1, &log, &sink, &err);
		assert_int_equal(rc, 0);
		rc = sink_run(sink, &queue, &err);
		sink_free(sink);
		stop(&server, &text);
		rewind(file);
		logged[fread(logged, 1, sizeof(logged) - 1, file)] = '\0';
		fclose(file);

		if (rows[i].kind == ERR_NONE && (rc != 0 || b->n[OUTCOME_SENT] != 20))
			fail_msg("%s: %d sent, '%s'", rows[i].name, b->n[OUTCOME_SENT], err.msg);
		if (rows[i].kind != ERR_NONE &&
		    (rc != -1 || err.kind != rows[i].kind ||
			strstr(err.msg, rows[i].says) == NULL ||
			b->n[OUTCOME_DEFERRED] != b->next || strstr(text.buf, "MAIL") != NULL))
			fail_msg(
			    "%s: rc %d, kind %d, '%s'", rows[i].name, rc, (int)err.kind, err.msg);
		if ((strstr(text.buf, "AUTH") != NULL) != rows[i].secret_sent)
			fail_msg("%s: AUTH or not:\n%s", rows[i].name, text.buf);
		for (int m = 0; m < b->next; m++)
			if (strstr(b->reply[m], canary) != NULL)
				fail_msg("%s: a reply shows the password", rows[i].name);
		if (strstr(err.msg, canary) != NULL || strstr(logged, canary) != NULL)
			fail_msg("%s: the password is shown", rows[i].name);
		assert_false(b->wrong);
		strbuf_release(&text);
		free(b);
	}
}

/* Mails of many TLS records each way, replies byte by byte: nothing stays in libcurl's buffers. */
static void
test_large_under_tls(void **state)
{
	static const char script[] = "[{\"expect\": \"RCPT\", \"bytes\": true, \"times\": 0},"
				     " {\"expect\": \".\", \"bytes\": true, \"times\": 0,"
				     "  \"reply\": [\"250-one\", \"250-two\", \"250 three\"]}]";
	static char bytes[400 * 1024];
	const struct place *p = *state;
	char url[100], ca[100], path[100], dump[100], mail[140];
	const char *const words[] = { "--tls", "implicit", "--script", path, "--dump", dump, NULL };
	struct smtp_options options = { .url = url,
		.tls_required = true,
		.ca_file = ca,
		.helo = "client.example.org",
		.connections = 2 };
	struct books *b = calloc(1, sizeof(*b));
	const struct delivery_queue queue = {
		.arg = b, .next = books_next, .intend = books_intend, .settle = books_settle
	};
	struct sink *sink = NULL;
	struct server server;
	struct strbuf text;
	struct error err = { 0 };
	struct log log;

	assert_non_null(b);
	if (!p->ready) {
		free(b);
		skip();
	}
	for (size_t i = 0; i < sizeof(bytes); i += 8)
		memcpy(bytes + i, i % 24 == 0 ? ".1234.\r\n" : "abcdef\r\n", 8);
	snprintf(path, sizeof(path), "%s/script", p->folder);
	snprintf(dump, sizeof(dump), "%s", p->folder);
	snprintf(ca, sizeof(ca), "%s/ca.pem", p->folder);
	assert_int_equal(file_write(path, 0600, script, strlen(script), &err), 0);
	start(p, &server, "good", words);
	snprintf(url, sizeof(url), "smtps://localhost:%u", server.port);
	log_init(&log, "test", -1, LOG_LEVEL_ERROR);
	b->nmails = 4;
	b->bytes = bytes;
	b->nbytes = sizeof(bytes);
	assert_int_equal(sink_open_smtp(&options, 1, &log, &sink, &err), 0);
	if (sink_run(sink, &queue, &err) == -1)
		fail_msg("%s", err.msg);
	sink_free(sink);
	assert_int_equal(b->n[OUTCOME_SENT], 4);
	assert_string_equal(b->reply[0], "250 one two three");
	strbuf_init(&text, 1 << 20);
	stop(&server, &text);
	for (int i = 1; i <= 4; i++) {
		strbuf_reset(&text);
		snprintf(mail, sizeof(mail), "%s/%06d.eml", dump, i);
		assert_int_equal(file_read(mail, &text, &err), 0);
		assert_true(text.len > sizeof(bytes));
		assert_memory_equal(text.buf + text.len - sizeof(bytes), bytes, sizeof(bytes));
	}
	strbuf_release(&text);
	free(b);
}

/*
 * All answers to what went out at once come in one TLS record, longer than one read takes, and then nothing: what libcurl
 * has taken off the socket is read to its end, since epoll says no more about it.
 */
static void
test_one_record(void **state)
{
	static const enum smtp_level levels[] = { SMTP_LOCK_STEP, SMTP_ENVELOPE, SMTP_BEHIND };
	const struct place *p = *state;
	char script[16 * 1024] = "[{\"expect\": \"RCPT\", \"times\": 0, \"reply\": [";
	char url[100], ca[100], path[100];
	const char *const words[] = { "--tls", "implicit", "--script", path, "--together",
		"--extension", "PIPELINING", NULL };
	struct error err = { 0 };
	struct server server;
	struct strbuf text;

	if (!p->ready)
		skip();
	for (int i = 0; i < 120; i++)
		snprintf(script + strlen(script), sizeof(script) - strlen(script),
		    "\"250-2.1.5 this is line %d of very many that say that it is fine\", ", i);
	snprintf(script + strlen(script), sizeof(script) - strlen(script), "\"250 Ok\"]}]");
	snprintf(path, sizeof(path), "%s/script", p->folder);
	snprintf(ca, sizeof(ca), "%s/ca.pem", p->folder);
	assert_int_equal(file_write(path, 0600, script, strlen(script), &err), 0);
	strbuf_init(&text, 1 << 20);
	for (size_t v = 0; v < sizeof(levels) / sizeof(levels[0]); v++) {
		struct smtp_options options = { .url = url,
			.tls_required = true,
			.ca_file = ca,
			.helo = "client.example.org",
			.connections = 2,
			.level = levels[v],
			.timeout_scale = 0.02 };
		struct books *b = calloc(1, sizeof(*b));
		const struct delivery_queue queue = {
			.arg = b, .next = books_next, .intend = books_intend, .settle = books_settle
		};
		struct sink *sink = NULL;
		struct log log;

		assert_non_null(b);
		start(p, &server, "good", words);
		snprintf(url, sizeof(url), "smtps://localhost:%u", server.port);
		log_init(&log, "test", -1, LOG_LEVEL_ERROR);
		b->nmails = 20;
		assert_int_equal(sink_open_smtp(&options, 1, &log, &sink, &err), 0);
		if (sink_run(sink, &queue, &err) == -1 || b->n[OUTCOME_SENT] != 20 || b->wrong)
			fail_msg("level %d: %d sent, '%s', '%s'", (int)levels[v],
			    b->n[OUTCOME_SENT], err.msg, b->reply[0]);
		sink_free(sink);
		strbuf_reset(&text);
		stop(&server, &text);
		free(b);
	}
	strbuf_release(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_large_under_tls),
		cmocka_unit_test(test_one_record),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, make_place, remove_place);
}
