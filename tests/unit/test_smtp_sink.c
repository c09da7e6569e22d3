/* The SMTP engine against Postfix's smtp-sink, which is skipped where it is missing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "digest/smtp.h"

#include "smtp_books.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const char program[] = "/usr/sbin/smtp-sink";

extern char **environ;

/* A port that is free now, below those that Linux gives to whoever asks for any. */
static unsigned
find_port(void)
{
	for (;;) {
		unsigned port = 10000 + (unsigned)rand() % 20000;
		struct sockaddr_in address = { .sin_family = AF_INET,
			.sin_port = htons((uint16_t)port) };
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), rc;

		address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		rc = bind(fd, (struct sockaddr *)&address, sizeof(address));
		close(fd);
		if (rc == 0)
			return port;
		assert_int_equal(errno, EADDRINUSE);
	}
}

static bool
answers(unsigned port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), rc;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	rc = connect(fd, (struct sockaddr *)&address, sizeof(address));
	close(fd);
	return rc == 0;
}

static pid_t
start(unsigned port, const char *flag, const char *command)
{
	char place[40];
	char *argv[8] = { (char *)program, "-u", getuid() == 0 ? "nobody" : getenv("USER") };
	posix_spawn_file_actions_t actions;
	int n = getuid() == 0 ? 3 : 1;
	pid_t pid;

	snprintf(place, sizeof(place), "127.0.0.1:%u", port);
	if (flag != NULL) {
		argv[n++] = (char *)flag;
		argv[n++] = (char *)command;
	}
	argv[n++] = place;
	argv[n++] = "64";
	argv[n] = NULL;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", 1, 0);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", 1, 0);
	assert_int_equal(posix_spawn(&pid, program, &actions, NULL, argv, environ), 0);
	posix_spawn_file_actions_destroy(&actions);
	for (int i = 0; i < 6000 && !answers(port); i++)
		usleep(10000);
	return pid;
}

static const struct {
	const char *flag, *command;
	int nmails;
	unsigned connections;
	int rc;
	enum outcome outcome; /* of all that was pulled */
	int least;	      /* were pulled */
} rows[] = {
	{ NULL, NULL, 500, 4, 0, OUTCOME_SENT, 500 },
	{ NULL, NULL, 1, 4, 0, OUTCOME_SENT, 1 },
	{ "-r", "rcpt", 20, 2, 0, OUTCOME_DEFERRED, 20 },
	{ "-f", "rcpt", 20, 2, 0, OUTCOME_FAILED, 20 },
	{ "-r", "data", 20, 2, 0, OUTCOME_DEFERRED, 20 },
	{ "-f", "data", 20, 2, 0, OUTCOME_FAILED, 20 },
	{ "-r", ".", 20, 2, 0, OUTCOME_DEFERRED, 20 },
	{ "-f", ".", 20, 2, 0, OUTCOME_FAILED, 20 },
	{ "-q", "rcpt", 4, 1, 0, OUTCOME_DEFERRED, 4 },
	{ "-Q", "data", 4, 1, 0, OUTCOME_DEFERRED, 4 },
	{ "-q", ".", 4, 1, 0, OUTCOME_UNKNOWN, 4 },
	{ "-r", "mail", 4, 1, 0, OUTCOME_DEFERRED, 4 },
	{ "-f", "ehlo,helo", 4, 1, -1, OUTCOME_DEFERRED, 1 },
	{ "-q", "connect", 4, 1, -1, OUTCOME_DEFERRED, 1 },
	{ "-q", "quit", 4, 1, 0, OUTCOME_SENT, 4 },
};

static void
test_rows(void **state)
{
	(void)state;
	if (access(program, X_OK) == -1) {
		print_message("skipped: %s is missing\n", program);
		skip();
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned port = find_port();
		pid_t pid = start(port, rows[i].flag, rows[i].command);
		char url[64];
		struct smtp_options options = {
			.url = url, .helo = "client.example.org", .connections = rows[i].connections
		};
		struct books *b = calloc(1, sizeof(*b));
		const struct delivery_queue queue = {
			.arg = b, .next = books_next, .intend = books_intend, .settle = books_settle
		};
		struct sink *sink = NULL;
		struct error err = { 0 };
		struct log log;
		int rc;

		assert_non_null(b);
		b->nmails = rows[i].nmails;
		snprintf(url, sizeof(url), "smtp://127.0.0.1:%u", port);
		log_init(&log, "test", -1, LOG_LEVEL_ERROR);
		assert_int_equal(sink_open_smtp(&options, 1, &log, &sink, &err), 0);
		rc = sink_run(sink, &queue, &err);
		sink_free(sink);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		if (rc != rows[i].rc || b->wrong || b->next < rows[i].least ||
		    b->n[rows[i].outcome] != b->next || b->nsettled != b->next)
			fail_msg("row %zu: rc %d '%s', %d pulled: %d sent, %d deferred, %d failed, "
				 "%d unknown",
			    i, rc, err.msg, b->next, b->n[0], b->n[1], b->n[2], b->n[3]);
		free(b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows) };

	signal(SIGPIPE, SIG_IGN);
	srand((unsigned)getpid());
	return cmocka_run_group_tests(tests, NULL, NULL);
}
