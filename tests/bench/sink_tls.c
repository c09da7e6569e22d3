/* sink_tls.c - the sink's TLS, by GnuTLS, without blocking. */
#include "sink.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

struct tls_keys {
	gnutls_certificate_credentials_t credentials;
	gnutls_priority_t priority;
};

/* GnuTLS reads the five bytes before each record alone; so they are read ahead here, many records at once. */
struct tls {
	gnutls_session_t session;
	int fd;
	bool up;
	size_t pos, have;
	bool unsent; /* GnuTLS took bytes that it could not write yet */
	char raw[128 * 1024];
};

struct tls_keys *
tls_load(const char *path)
{
	struct tls_keys *k = calloc(1, sizeof(*k));

	if (k == NULL || gnutls_certificate_allocate_credentials(&k->credentials) < 0 ||
	    gnutls_certificate_set_x509_key_file(k->credentials, path, path, GNUTLS_X509_FMT_PEM) <
		0 ||
	    gnutls_priority_init(&k->priority, NULL, NULL) < 0) {
		errno = EINVAL;
		sink_die(path);
	}
	return k;
}

void
tls_unload(struct tls_keys *k)
{
	if (k == NULL)
		return;
	gnutls_priority_deinit(k->priority);
	gnutls_certificate_free_credentials(k->credentials);
	free(k);
}

static ssize_t
pull(gnutls_transport_ptr_t arg, void *buf, size_t n)
{
	struct tls *t = arg;

	if (t->pos == t->have) {
		ssize_t got = recv(t->fd, t->raw, sizeof(t->raw), MSG_DONTWAIT);

		if (got <= 0) {
			gnutls_transport_set_errno(t->session, errno);
			return got;
		}
		t->pos = 0;
		t->have = (size_t)got;
	}
	if (n > t->have - t->pos)
		n = t->have - t->pos;
	memcpy(buf, t->raw + t->pos, n);
	t->pos += n;
	return (ssize_t)n;
}

static ssize_t
push(gnutls_transport_ptr_t arg, const void *p, size_t n)
{
	struct tls *t = arg;
	ssize_t sent = send(t->fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (sent == -1)
		gnutls_transport_set_errno(t->session, errno);
	return sent;
}

/* Whether bytes have come, for its own time-outs, which are off. */
static int
pull_wait(gnutls_transport_ptr_t arg, unsigned ms)
{
	(void)arg;
	(void)ms;
	return 1;
}

struct tls *
tls_new(struct tls_keys *keys, int fd)
{
	struct tls *t = calloc(1, sizeof(*t));

	if (t == NULL ||
	    gnutls_init(&t->session, GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL) < 0) {
		free(t);
		return NULL;
	}
	t->fd = fd;
	gnutls_priority_set(t->session, keys->priority);
	gnutls_credentials_set(t->session, GNUTLS_CRD_CERTIFICATE, keys->credentials);
	gnutls_transport_set_ptr(t->session, t);
	gnutls_transport_set_pull_function(t->session, pull);
	gnutls_transport_set_pull_timeout_function(t->session, pull_wait);
	gnutls_transport_set_push_function(t->session, push);
	return t;
}

void
tls_free(struct tls *t)
{
	if (t == NULL)
		return;
	gnutls_deinit(t->session);
	free(t);
}

/* -1 with an errno for what GnuTLS says. */
static ssize_t
fail(long code)
{
	bool waits = code == GNUTLS_E_AGAIN || code == GNUTLS_E_INTERRUPTED;

	errno = waits ? EAGAIN : EPROTO;
	return -1;
}

static int
shake_hands(struct tls *t)
{
	int rc = 0;

	while (!t->up && (rc = gnutls_handshake(t->session)) < 0)
		if (rc == GNUTLS_E_AGAIN || gnutls_error_is_fatal(rc))
			return (int)fail(rc);
	t->up = true;
	return 0;
}

ssize_t
tls_recv(struct tls *t, char *buf, size_t n)
{
	size_t have = 0;

	if (shake_hands(t) == -1)
		return -1;
	while (have < n) {
		ssize_t got = gnutls_record_recv(t->session, buf + have, n - have);

		if (got == GNUTLS_E_INTERRUPTED || got == GNUTLS_E_REHANDSHAKE)
			continue;
		if (got <= 0)
			return have > 0 ? (ssize_t)have : got == 0 ? 0 : fail(got);
		have += (size_t)got;
	}
	return (ssize_t)have;
}

ssize_t
tls_send(struct tls *t, const char *p, size_t n)
{
	ssize_t sent;

	if (shake_hands(t) == -1)
		return -1;
	/* What did not get out is to be asked for again by nothing at all. */
	sent = t->unsent ? gnutls_record_send(t->session, NULL, 0)
			 : gnutls_record_send(t->session, p, n);
	if (sent < 0) {
		if (sent == GNUTLS_E_AGAIN)
			t->unsent = true;
		return fail(sent);
	}
	t->unsent = false;
	return sent;
}

void
tls_shut(struct tls *t)
{
	gnutls_bye(t->session, GNUTLS_SHUT_WR);
}

bool
tls_has_more(const struct tls *t)
{
	return t->up && (t->pos < t->have || gnutls_record_check_pending(t->session) > 0);
}

unsigned
tls_waits_for(const struct tls *t)
{
	if (t->up)
		return 0;
	return gnutls_record_get_direction(t->session) == 1 ? EPOLLOUT : EPOLLIN;
}
