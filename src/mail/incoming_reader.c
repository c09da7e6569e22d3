#include "mail/incoming.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "digest/clock.h"

struct incoming_reader {
	incoming_parse_fn *parse;
	unsigned timeout_ms; /* for one mail */
	pid_t pid;	     /* of the child; 0 = none */
	int fd;		     /* to it */
	bool sealed;
	unsigned nread; /* mails by it */
	struct charsets charsets;
};

/* ---- one child ---- */

/* End it, whatever it does. Returns its status as of waitpid. */
static int
end_child(struct incoming_reader *r)
{
	int status = 0;

	if (r->pid == 0)
		return 0;
	close(r->fd);
	kill(r->pid, SIGKILL);
	while (waitpid(r->pid, &status, 0) == -1 && errno == EINTR)
		;
	r->pid = 0;
	r->fd = -1;
	return status;
}

/* Wait until the socket is ready for what is asked. False when it is too late. */
static bool
wait_for(const struct incoming_reader *r, short what, int64_t deadline_ms)
{
	struct pollfd p = { .fd = r->fd, .events = what };

	for (;;) {
		int64_t left = deadline_ms - clock_monotonic_ms();
		int n;

		if (left <= 0)
			return false;
		if ((n = poll(&p, 1, (int)left)) > 0)
			return true;
		if (n == -1 && errno != EINTR)
			return false;
	}
}

enum talk { TALK_DONE, TALK_LATE, TALK_LOST };

static enum talk
send_all(const struct incoming_reader *r, const void *bytes, size_t len, int64_t deadline_ms)
{
	const char *at = bytes;

	while (len > 0) {
		ssize_t n = send(r->fd, at, len, MSG_NOSIGNAL);

		if (n > 0) {
			at += n;
			len -= (size_t)n;
		} else if (n == -1 && errno == EAGAIN) {
			if (!wait_for(r, POLLOUT, deadline_ms))
				return TALK_LATE;
		} else if (n == 0 || errno != EINTR) {
			return TALK_LOST;
		}
	}
	return TALK_DONE;
}

static enum talk
receive_all(const struct incoming_reader *r, void *bytes, size_t len, int64_t deadline_ms)
{
	char *at = bytes;

	while (len > 0) {
		ssize_t n = recv(r->fd, at, len, 0);

		if (n > 0) {
			at += n;
			len -= (size_t)n;
		} else if (n == -1 && errno == EAGAIN) {
			if (!wait_for(r, POLLIN, deadline_ms))
				return TALK_LATE;
		} else if (n == 0 || errno != EINTR) {
			return TALK_LOST;
		}
	}
	return TALK_DONE;
}

static int
start_child(struct incoming_reader *r, struct error *err)
{
	int fds[2], saved;
	char hello;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == -1)
		return err_set(err, ERR_IO, "reading mail: no socket: %s", strerror(errno));
	r->pid = fork();
	saved = errno;
	if (r->pid == 0)
		incoming_child_live(fds[1], r->parse);
	close(fds[1]);
	if (r->pid == -1) {
		close(fds[0]);
		r->pid = 0;
		return err_set(err, ERR_IO, "reading mail: no process: %s", strerror(saved));
	}
	r->fd = fds[0];
	r->nread = 0;
	if (fcntl(r->fd, F_SETFL, O_NONBLOCK) == -1 ||
	    receive_all(r, &hello, 1, clock_monotonic_ms() + r->timeout_ms) != TALK_DONE) {
		end_child(r);
		return err_set(err, ERR_IO, "reading mail: the child did not start");
	}
	r->sealed = hello == CHILD_SEALED;
	return 0;
}

/* ---- one mail ---- */

static void give_up(struct incoming *out, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
give_up(struct incoming *out, const char *fmt, ...)
{
	char text[sizeof(out->why)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	*out = (struct incoming){ .kind = INCOMING_UNREADABLE };
	err_printable(out->why, sizeof(out->why), text);
}

static void
describe_death(struct incoming *out, int status)
{
	int number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

	if (number == SIGXCPU)
		give_up(
		    out, "the parser took more than %d s of the processor", MAX_INCOMING_SECONDS);
	else if (number != 0 && number != SIGKILL)
		give_up(out, "the parser was ended by signal %d (%s)", number, strsignal(number));
	else
		give_up(out, "the parser ended without a word");
}

/* Let the child there is read it. False when it does not live on; out then says why. */
static bool
ask(struct incoming_reader *r, const char *bytes, uint32_t len, struct incoming *out)
{
	int64_t deadline_ms = clock_monotonic_ms() + r->timeout_ms;
	enum talk talk;
	int status;

	r->nread++;
	if ((talk = send_all(r, &len, sizeof(len), deadline_ms)) == TALK_DONE)
		talk = send_all(r, bytes, len, deadline_ms);
	if (talk == TALK_DONE)
		talk = receive_all(r, out, sizeof(*out), deadline_ms);
	if (talk == TALK_DONE && incoming_is_sound(out))
		return true;
	/* One that was lost was ending before its socket closed: the status is its own. */
	status = end_child(r);
	if (talk == TALK_LATE)
		give_up(out, "the parser was not done in %u s", (r->timeout_ms + 999) / 1000);
	else if (talk == TALK_LOST)
		describe_death(out, status);
	else
		give_up(out, "the parser wrote what is no record");
	return false;
}

/* Let a fresh child read it, or the one there is. As ask; -1 when no child can be had. */
static int
try_mail(struct incoming_reader *r, bool fresh, const char *bytes, uint32_t len,
    struct incoming *out, struct error *err)
{
	if (fresh && r->nread > 0)
		end_child(r);
	if (r->pid == 0 && start_child(r, err) == -1)
		return -1;
	return ask(r, bytes, len, out);
}

/* A mail of which a child died: would it have died of any? Then the fault is this machine's, and no mail may pay for it. */
static int
probe(struct incoming_reader *r, const struct incoming *died, struct error *err)
{
	static const char harmless[] = "Subject: hello\n\nhello\n";
	struct incoming in;
	int rc = try_mail(r, true, harmless, sizeof(harmless) - 1, &in, err);

	if (rc == 0)
		return err_set(
		    err, ERR_IO, "reading mail: no mail can be read here: %s", died->why);
	return rc == -1 ? -1 : 0;
}

int
incoming_reader_read(struct incoming_reader *r, const char *bytes, size_t len, struct incoming *out,
    struct error *err)
{
	uint32_t n = len < MAX_INCOMING_BYTES ? (uint32_t)len : MAX_INCOMING_BYTES;
	struct incoming in;
	struct error why;
	int done;

	if (incoming_screen(bytes, n, NULL, &why) == -1) {
		give_up(out, "%s", why.msg);
		return 0;
	}
	done = try_mail(r, r->nread >= INCOMING_PER_CHILD, bytes, n, &in, err);
	if (done == 0)
		done = try_mail(r, true, bytes, n, &in, err);
	if (done == -1 || (done == 0 && probe(r, &in, err) == -1))
		return -1;
	/* These are for us to say. */
	in.flags &= ~(uint32_t)(INCOMING_CUT | INCOMING_SEALED | INCOMING_POISON);
	if (done == 0)
		in.flags |= INCOMING_POISON;
	if (len > n)
		in.flags |= INCOMING_CUT;
	if (r->sealed)
		in.flags |= INCOMING_SEALED;
	*out = in;
	return 0;
}

/* ---- life ---- */

int
incoming_reader_open(
    incoming_parse_fn *parse, unsigned timeout_ms, struct incoming_reader **out, struct error *err)
{
	struct incoming_reader *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return err_nomem(err, "reading mail");
	r->parse = parse;
	r->timeout_ms = timeout_ms;
	r->fd = -1;
	/* Here, since a child without files cannot. */
	charsets_load(&r->charsets);
	if (start_child(r, err) == -1) {
		incoming_reader_free(r);
		return -1;
	}
	*out = r;
	return 0;
}

int
incoming_reader_new(struct incoming_reader **out, struct error *err)
{
	/* The bound of the processor's time comes first; this one is for a machine that does other things as well. */
	return incoming_reader_open(incoming_parse, 2000 * MAX_INCOMING_SECONDS, out, err);
}

void
incoming_reader_free(struct incoming_reader *r)
{
	if (r == NULL)
		return;
	end_child(r);
	charsets_release(&r->charsets);
	free(r);
}
