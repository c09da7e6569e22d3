#include "imap.h"

#include "digest/clock.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum {
	WAIT_ANSWER = 120, /* seconds without a byte; a search in a large folder takes some */
	WAIT_SESSION =
	    900, /* in all, so that one who sends a byte now and then does not hold a run up */
	LOOK_MS = 250, /* until we ask whether to stop */
};

static int
lost(const struct imap *m, struct error *err)
{
	if (m->bye && m->said[0] != '\0')
		return err_set(
		    err, ERR_NET, "%s: the server ended the session: %s", m->name, m->said);
	return err_set(err, ERR_NET, "%s: the connection was lost", m->name);
}

/* Wait until the socket can be read, or written; since_ms is when the server last moved. */
static int
await(struct imap *m, short events, int64_t since_ms, struct error *err)
{
	const double scale = 1000.0 * m->mailbox.timeout_scale;
	struct pollfd p = { .fd = m->fd, .events = events };
	int64_t now_ms = clock_monotonic_ms();
	int n = 0;

	while (n == 0) {
		if (mailbox_must_stop(&m->mailbox))
			return err_set(err, ERR_TEMP, "%s: stopped", m->name);
		if (now_ms - since_ms >= (int64_t)(WAIT_ANSWER * scale))
			return err_set(err, ERR_NET, "%s: no answer within %d s; try again later",
			    m->name, WAIT_ANSWER);
		if (m->waited_ms >= (int64_t)(WAIT_SESSION * scale))
			return err_set(err, ERR_NET,
			    "%s: the server is too slow: %d s were spent on waiting; try again "
			    "later",
			    m->name, WAIT_SESSION);
		n = poll(&p, 1, LOOK_MS);
		m->waited_ms += clock_monotonic_ms() - now_ms;
		now_ms = clock_monotonic_ms();
	}
	return 0;
}

void
imap_begin(struct imap *m)
{
	snprintf(m->tag, sizeof(m->tag), "D%u", ++m->ncommands);
	m->answer_bytes = 0;
	strbuf_reset(&m->out);
	strbuf_addf(&m->out, "%s ", m->tag);
}

int
imap_send(struct imap *m, struct error *err)
{
	const int64_t since_ms = clock_monotonic_ms();
	size_t sent = 0;
	int rc = strbuf_check(&m->out, err);

	while (rc == 0 && sent < m->out.len) {
		size_t n = 0;
		CURLcode code = curl_easy_send(m->easy, m->out.buf + sent, m->out.len - sent, &n);

		sent += n;
		if (code == CURLE_AGAIN)
			rc = await(m, POLLOUT, since_ms, err);
		else if (code != CURLE_OK)
			rc = lost(m, err);
	}
	if (m->out.alloc > 0)
		explicit_bzero(m->out.buf, m->out.alloc);
	strbuf_reset(&m->out);
	return rc;
}

int
imap_say(struct imap *m, struct error *err)
{
	strbuf_add(&m->out, "\r\n");
	return imap_send(m, err);
}

/* More bytes of the server. */
static int
fill(struct imap *m, struct error *err)
{
	const int64_t since_ms = clock_monotonic_ms();

	for (;;) {
		size_t n = 0;
		CURLcode code = curl_easy_recv(m->easy, m->in, sizeof(m->in), &n);

		if (code == CURLE_OK && n > 0) {
			m->in_at = 0;
			m->in_len = n;
			return 0;
		}
		if (code != CURLE_AGAIN)
			return lost(m, err);
		if (await(m, POLLIN, since_ms, err) == -1)
			return -1;
	}
}

/* What the server says of itself, for a person to read. */
static void
keep_status(struct imap *m, const char *rest)
{
	if (login_is_shown(&m->login, rest, false))
		rest = "(its words repeat the password, and are left out)";
	err_printable(m->said, sizeof(m->said), rest);
}

int
imap_hear(struct imap *m, size_t limit, enum imap_kind *kind, enum imap_status *status,
    const char **rest, struct error *err)
{
	size_t used;
	int rc = 0;

	while (rc == 0) {
		if (m->in_at == m->in_len && fill(m, err) == -1)
			return -1;
		rc = imap_read(&m->reader, m->in + m->in_at, m->in_len - m->in_at, &used);
		m->in_at += used;
		m->answer_bytes += used;
		if (m->answer_bytes > limit)
			return err_set(err, ERR_NET,
			    "%s: an answer of more than %zu bytes; expected less", m->name, limit);
	}
	if (rc == -1)
		return err_set(
		    err, ERR_NET, "%s: the answer makes no sense: %s", m->name, m->reader.why);
	*kind = imap_classify(m->reader.text, m->tag, status, rest);
	if (*kind == IMAP_ODD)
		return err_set(err, ERR_NET, "%s: the answer makes no sense: '%.60s'", m->name,
		    login_is_shown(&m->login, m->reader.text, false) ? "" : m->reader.text);
	if (*kind == IMAP_STATUS && *status == IMAP_BYE) {
		m->bye = true;
		keep_status(m, *rest);
		return lost(m, err);
	}
	if (*kind == IMAP_DONE)
		keep_status(m, *rest);
	return rc;
}

int
imap_ask(struct imap *m, size_t limit,
    int (*heed)(struct imap *m, enum imap_kind kind, const char *rest), enum imap_status *status,
    struct error *err)
{
	enum imap_kind kind;
	const char *rest;

	if (imap_say(m, err) == -1)
		return -1;
	for (;;) {
		if (imap_hear(m, limit, &kind, status, &rest, err) == -1)
			return -1;
		if (kind == IMAP_GO_ON)
			return err_set(err, ERR_NET,
			    "%s: an answer out of order; expected that to '%s'", m->name, m->tag);
		if (heed != NULL && heed(m, kind, rest) == -1) {
			*err = m->trouble;
			return -1;
		}
		if (kind == IMAP_DONE)
			return 0;
	}
}

int
imap_refuse(const struct imap *m, const char *what, const char *cure, struct error *err)
{
	/* RFC 5530 3: these pass by themselves. */
	static const char *const passing[] = { "[UNAVAILABLE]", "[INUSE]", "[LIMIT]",
		"[SERVERBUG]" };

	for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]); i++)
		if (strncasecmp(m->said, passing[i], strlen(passing[i])) == 0)
			return err_set(
			    err, ERR_NET, "%s: %s (%s); try again later", m->name, what, m->said);
	return err_set(err, ERR_CONFIG, "%s: %s (%s)%s", m->name, what, m->said, cure);
}
