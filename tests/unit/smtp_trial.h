/* One run of the SMTP engine against one script of the server, and the levels that it may run at. */
#ifndef DIGEST_TEST_SMTP_TRIAL_H
#define DIGEST_TEST_SMTP_TRIAL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "digest/smtp.h"

#include "smtp_books.h"
#include "smtp_server.h"

/* What is asked at once: what the server offers, and what we make of it. */
static const struct {
	const char *name;
	bool pipelining;
	enum smtp_level level;
} levels[] = {
	{ "lock-step", false, SMTP_AS_OFFERED },
	{ "envelope", true, SMTP_ENVELOPE },
	{ "behind", true, SMTP_AS_OFFERED },
};

enum { NLEVELS = 3 };

/* One run against one script. */
struct trial {
	struct smtp_server server;
	struct smtp_options options;
	struct books *books;
	char url[64];
	char log[65536]; /* what the engine logged */
	struct error err;
	int rc;
};

static inline void
begin(struct trial *t, const struct smtp_script *script, int nmails)
{
	memset(t, 0, sizeof(*t));
	t->books = calloc(1, sizeof(*t->books));
	assert_non_null(t->books);
	t->books->nmails = nmails;
	if (smtp_server_start(&t->server, script) == -1)
		fail_msg("no loopback");
	snprintf(t->url, sizeof(t->url), "smtp://127.0.0.1:%u", t->server.port);
	t->options =
	    (struct smtp_options){ .url = t->url, .helo = "client.example.org", .connections = 1 };
}

static inline void
run(struct trial *t)
{
	struct log log;
	struct sink *sink = NULL;
	const struct delivery_queue queue = {
		.arg = t->books, .next = books_next, .intend = books_intend, .settle = books_settle,
		.must_stop = books_must_stop,
	};
	FILE *file = tmpfile();
	size_t n;

	assert_non_null(file);
	log_init(&log, "test", fileno(file), LOG_LEVEL_DEBUG);
	err_clear(&t->err);
	if (sink_open_smtp(&t->options, 1, &log, &sink, &t->err) == -1)
		fail_msg("%s", t->err.msg);
	t->rc = sink_run(sink, &queue, &t->err);
	sink_free(sink);
	rewind(file);
	n = fread(t->log, 1, sizeof(t->log) - 1, file);
	t->log[n] = '\0';
	fclose(file);
}

static inline void
end(struct trial *t)
{
	smtp_server_stop(&t->server);
	free(t->books);
}

#endif
