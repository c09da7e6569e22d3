/* What libcurl's own upload makes of a mail is what our engine makes of it, at each level: the same server sees the same
 * envelopes and, with the dots undone, the same bytes. */
#include "smtp_trial.h"

#include <curl/curl.h>

enum { NODD = 19, NRANDOM = 40, NMAILS = NODD + NRANDOM };

struct corpus {
	struct strbuf mails[NMAILS];
	const char *tos[NMAILS];
	char to[NMAILS][60];
};

/* Lines of every length, some that begin with dots, CRLF alone as an end. */
static void
add_random(struct strbuf *out, size_t len)
{
	static const char *const starts[] = { "", ".", "..", "...", ". ", ".\r\n", "a.", "\t." };

	while (out->len < len) {
		size_t n = (size_t)rand() % (rand() % 16 == 0 ? 990 : 80);

		strbuf_add(out, starts[(size_t)rand() % (sizeof(starts) / sizeof(starts[0]))]);
		for (size_t i = 0; i < n; i++)
			strbuf_addc(out, (char)(' ' + rand() % 95));
		strbuf_add(out, "\r\n");
	}
}

/* A line of one dot that begins just there: on the edge of somebody's buffer. */
static void
add_dot_at(struct strbuf *out, size_t at)
{
	while (out->len + 80 < at)
		strbuf_add(out, "this line is there to fill the buffer\r\n");
	while (out->len + 2 < at)
		strbuf_addc(out, 'x');
	strbuf_add(out, "\r\n.\r\nend\r\n");
}

static void
make_corpus(struct corpus *c)
{
	static const char *const odd[] = { "", "a", "\r\n", ".", ".\r\n", "..", ".\r\n.\r\n",
		"a\r\n.", "no end", "\r\n\r\n\r\n", "a\r\n..\r\n.b\r\n...c\r\n" };
	static const size_t edges[] = { 16 * 1024, 64 * 1024, 128 * 1024 };

	srand(2920);
	for (size_t i = 0; i < NMAILS; i++) {
		size_t nodd = sizeof(odd) / sizeof(odd[0]);

		strbuf_init(&c->mails[i], MAX_MESSAGE_BYTES);
		snprintf(c->to[i], sizeof(c->to[i]),
		    i % 5 == 0 ? "\"a b %zu\"@example.net" : "a.b+%zu@example.net", i);
		c->tos[i] = c->to[i];
		if (i < nodd)
			strbuf_add(&c->mails[i], odd[i]);
		else if (i < nodd + 6)
			add_dot_at(&c->mails[i], edges[(i - nodd) / 2] - (i - nodd) % 2);
		else if (i < NODD)
			add_random(&c->mails[i], i == NODD - 1 ? 1000 * 1000 : 300 * 1000);
		else
			add_random(&c->mails[i], (size_t)rand() % 20000);
		assert_int_equal(c->mails[i].state, STRBUF_OK);
	}
}

/* ---- libcurl's way ---- */

struct upload {
	const struct strbuf *mail;
	size_t at;
};

static size_t
read_mail(char *out, size_t size, size_t n, void *arg)
{
	struct upload *u = arg;
	size_t left = u->mail->len - u->at, len = size * n < left ? size * n : left;

	memcpy(out, u->mail->buf + u->at, len);
	u->at += len;
	return len;
}

static void
upload_all(const struct corpus *c, const char *url)
{
	CURL *curl = curl_easy_init();
	char place[128], to[80];

	assert_non_null(curl);
	snprintf(place, sizeof(place), "%s/client.example.org", url);
	for (size_t i = 0; i < NMAILS; i++) {
		struct upload u = { &c->mails[i], 0 };
		struct curl_slist *list;
		CURLcode rc;

		snprintf(to, sizeof(to), "<%s>", c->to[i]);
		list = curl_slist_append(NULL, to);
		curl_easy_setopt(curl, CURLOPT_URL, place);
		curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(curl, CURLOPT_MAIL_FROM, "<me@example.org>");
		curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, list);
		curl_easy_setopt(curl, CURLOPT_READFUNCTION, read_mail);
		curl_easy_setopt(curl, CURLOPT_READDATA, &u);
		rc = curl_easy_perform(curl);
		curl_slist_free_all(list);
		if (rc != CURLE_OK)
			fail_msg("mail %zu: %s", i, curl_easy_strerror(rc));
	}
	curl_easy_cleanup(curl);
}

/* ---- both ---- */

/* What the server saw, without what says nothing of the mails. */
static void
take_log(const struct smtp_server *s, struct strbuf *out)
{
	strbuf_init(out, sizeof(s->seen->log));
	for (const char *line = s->seen->log; *line != '\0';) {
		size_t len = strcspn(line, "\n") + 1;

		if (strncmp(line, "QUIT", 4) != 0)
			strbuf_addn(out, line, len);
		line += len;
	}
}

static void
check_same(const char *name, const struct smtp_seen *seen, const struct strbuf *log,
    const struct smtp_seen *oracle, const struct strbuf *oracle_log)
{
	size_t at = 0;

	if (seen->nmails != NMAILS || oracle->nmails != NMAILS)
		fail_msg("%s: %u mails, by libcurl %u", name, (unsigned)seen->nmails,
		    (unsigned)oracle->nmails);
	if (strcmp(log->buf, oracle_log->buf) != 0)
		fail_msg("%s: other envelopes:\n%.300s\nby libcurl:\n%.300s", name, log->buf,
		    oracle_log->buf);
	while (at < seen->mail_len && at < oracle->mail_len && seen->mail[at] == oracle->mail[at])
		at++;
	if (seen->mail_len != oracle->mail_len || at != seen->mail_len)
		fail_msg("%s: %zu bytes, by libcurl %zu; the first that differs is %zu: '%.20s', "
			 "by libcurl '%.20s'",
		    name, (size_t)seen->mail_len, (size_t)oracle->mail_len, at, seen->mail + at,
		    oracle->mail + at);
}

static void
test_same_bytes(void **state)
{
	static struct corpus corpus;
	const struct smtp_script lone = { 0 };
	struct smtp_server oracle;
	struct strbuf oracle_log, log;
	char url[64];

	(void)state;
	make_corpus(&corpus);
	assert_int_equal(smtp_server_start(&oracle, &lone), 0);
	snprintf(url, sizeof(url), "smtp://127.0.0.1:%u", oracle.port);
	upload_all(&corpus, url);
	take_log(&oracle, &oracle_log);
	assert_true(oracle.seen->mail_len > 1000 * 1000 &&
	    oracle.seen->mail_len < sizeof(oracle.seen->mail));
	for (size_t v = 0; v < NLEVELS; v++) {
		struct smtp_script script = { .pipelining = levels[v].pipelining };
		struct trial t;

		begin(&t, &script, NMAILS);
		t.options.level = levels[v].level;
		t.books->tos = corpus.tos;
		t.books->each = corpus.mails;
		run(&t);
		if (t.rc != 0 || t.books->n[OUTCOME_SENT] != NMAILS || t.books->wrong)
			fail_msg("%s: %d sent, '%s'", levels[v].name, t.books->n[OUTCOME_SENT],
			    t.err.msg);
		take_log(&t.server, &log);
		check_same(levels[v].name, t.server.seen, &log, oracle.seen, &oracle_log);
		strbuf_release(&log);
		end(&t);
	}
	strbuf_release(&oracle_log);
	smtp_server_stop(&oracle);
	for (size_t i = 0; i < NMAILS; i++)
		strbuf_release(&corpus.mails[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_same_bytes) };

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
