/*
 * sink.c - an SMTP server that takes every mail, forgets it and is never the slow end.
 *   sink [-c] [-n] [-d ms] [-p port] [-k file [-t]] [-o file] [-f 'where:what:n ...']
 *   -c  hash the mails
 *   -n  offer no PIPELINING; what comes behind a command without waiting for its answer is refused
 *   -d  every answer leaves that much after what it answers came: a round trip of so long
 *   -k  certificates and key, one PEM file: STARTTLS is offered; with -t, TLS from the first byte
 *   -o  a line for each mail: recipients, Message-ID, hash, the code that answered its dot, or "drop"
 *   -f  faults. where is connect ehlo helo mail rcpt data dot rset noop quit starttls other; what is a code, or drop; n is
 *       the how manieth, "3+" = from the third on: 'rcpt:450:3 dot:drop:7'. 421 closes. data:354 asks for the content though
 *       no recipient was accepted
 * The first line printed is the port on 127.0.0.1; SIGTERM prints "mails bytes checksum" of the accepted ones (see sum.h): the
 * bytes as they came, so with doubled dots, without the last one; 0 for each hash without -c and -o.
 * Answers to what came together leave together. By hand: build/bench/sink -p 2525
 */
#include "sink.h"
#include "sum.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	MAX_OUT = 1024 * 1024
}; /* answers of a client that does not read them; then it is not read either */

static volatile sig_atomic_t stopped;

static void
stop(int signal)
{
	stopped = signal;
}

void
sink_die(const char *what)
{
	perror(what);
	exit(1);
}

static int64_t
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* ---- a connection ---- */

static void
free_conn(struct conn *c)
{
	if (c->hash != NULL)
		XXH3_freeState(c->hash);
	free(c->out);
	free(c);
}

static void
close_conn(struct conn *c)
{
	tls_free(c->tls);
	close(c->fd);
	c->dead = true;
	if (c->nwaiting == 0)
		free_conn(c);
}

/* Returns -1 when the connection is lost. */
static int
flush(struct conn *c)
{
	while (c->ndue > 0) {
		ssize_t n = c->tls != NULL
		    ? tls_send(c->tls, c->out, c->ndue)
		    : send(c->fd, c->out, c->ndue, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n == -1)
			return errno == EAGAIN || errno == EINTR ? 0 : -1;
		c->ndue -= (size_t)n;
		c->nout -= (size_t)n;
		memmove(c->out, c->out + n, c->nout);
	}
	return 0;
}

static void
watch(const struct sink *s, struct conn *c)
{
	struct epoll_event ev = { .data.ptr = c };

	if (c->tls != NULL && tls_waits_for(c->tls) != 0)
		ev.events = tls_waits_for(c->tls);
	else
		ev.events = (c->ndue > 0 ? EPOLLOUT : 0) |
		    (c->shut || (c->ending == STAYS && c->nout < MAX_OUT) ? EPOLLIN : 0);
	if (ev.events != c->events &&
	    epoll_ctl(
		s->epoll, c->events == NO_EVENTS ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, c->fd, &ev) == -1)
		sink_die("epoll_ctl");
	c->events = ev.events;
}

/* Send what may leave, and what is to be done once all has left. May free the connection. */
static void
go_on(struct sink *s, struct conn *c)
{
	bool lost = flush(c) == -1;

	if (c->nout == 0 && c->starts_tls && !lost) {
		c->starts_tls = false;
		c->nrest = 0; /* RFC 3207 4.2: what came before in the clear is forgotten */
		lost = (c->tls = tls_new(s->keys, c->fd)) == NULL;
	}
	if (c->nout == 0 && c->ending == ENDS && !c->shut) {
		if (c->tls != NULL)
			tls_shut(c->tls);
		shutdown(c->fd, SHUT_WR);
		c->shut = true;
	}
	if (lost || (c->nout == 0 && c->ending == DROPS))
		close_conn(c);
	else
		watch(s, c);
}

/* The last n bytes of the answers leave now, or later. */
static void
schedule(struct sink *s, struct conn *c, size_t n)
{
	if (s->delay_ns == 0 || n == 0) {
		c->ndue += n;
		return;
	}
	if (s->first_late + s->nlate == s->late_alloc) {
		if (s->first_late == 0) {
			s->late_alloc = s->late_alloc * 2 + 64;
			if ((s->late = realloc(s->late, s->late_alloc * sizeof(*s->late))) == NULL)
				sink_die("answers");
		}
		memmove(s->late, s->late + s->first_late, s->nlate * sizeof(*s->late));
		s->first_late = 0;
	}
	s->late[s->first_late + s->nlate++] = (struct late){ c, n, now_ns() + s->delay_ns };
	c->nwaiting++;
}

/* Send what is due. Returns how long to wait for the next one, or NULL. */
static const struct timespec *
send_due(struct sink *s, struct timespec *ts)
{
	int64_t now = s->nlate > 0 ? now_ns() : 0;

	for (; s->nlate > 0 && s->late[s->first_late].due_ns <= now; s->first_late++, s->nlate--) {
		struct conn *c = s->late[s->first_late].conn;

		c->nwaiting--;
		c->ndue += s->late[s->first_late].n;
		if (!c->dead)
			go_on(s, c);
		else if (c->nwaiting == 0)
			free_conn(c);
	}
	if (s->nlate == 0)
		return NULL;
	now = s->late[s->first_late].due_ns - now;
	*ts = (struct timespec){ now / 1000000000, now % 1000000000 };
	return ts;
}

/* Read once and answer. False when there is nothing to be read now. */
static bool
serve_once(struct sink *s, struct conn *c)
{
	size_t n = c->nrest, before = c->nout, used;
	ssize_t got;

	memcpy(s->buf, c->rest, n);
	got = c->tls != NULL ? tls_recv(c->tls, s->buf + n, READ_SIZE)
			     : recv(c->fd, s->buf + n, READ_SIZE, MSG_DONTWAIT);
	if (got == -1 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (got <= 0) {
		c->ending = DROPS;
		if (got == -1)
			c->nout = c->ndue = 0;
		return false;
	}
	if (c->ending != STAYS)
		return true;
	n += (size_t)got;
	used = talk_take(s, c, s->buf, n);
	c->nrest = n - used;
	if (c->ending == STAYS && c->nrest > LINE_SIZE)
		c->ending = DROPS;
	if (c->ending != STAYS || c->starts_tls)
		c->nrest = 0;
	memcpy(c->rest, s->buf + used, c->nrest);
	schedule(s, c, c->nout - before);
	return true;
}

static void
serve(struct sink *s, struct conn *c)
{
	while (serve_once(s, c) && c->tls != NULL && tls_has_more(c->tls))
		;
	go_on(s, c);
}

/* ---- all of them ---- */

static void
greet(struct sink *s)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (c == NULL || (c->fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC)) == -1) {
		free(c);
		return;
	}
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
	c->events = NO_EVENTS;
	if (s->implicit_tls && (c->tls = tls_new(s->keys, c->fd)) == NULL)
		sink_die("TLS");
	talk_greet(s, c);
	schedule(s, c, c->nout);
	go_on(s, c);
}

static void
work(struct sink *s)
{
	struct epoll_event events[64];
	struct timespec ts;
	sigset_t terms, none;

	sigemptyset(&none);
	sigemptyset(&terms);
	sigaddset(&terms, SIGTERM);
	sigaddset(&terms, SIGINT);
	sigprocmask(SIG_BLOCK, &terms, NULL);
	signal(SIGTERM, stop);
	signal(SIGINT, stop);
	while (!stopped) {
		int n = epoll_pwait2(s->epoll, events, 64, send_due(s, &ts), &none);

		for (int i = 0; i < n; i++) {
			if (events[i].data.ptr == NULL)
				greet(s);
			else if (events[i].events == EPOLLOUT)
				go_on(s, events[i].data.ptr);
			else
				serve(s, events[i].data.ptr);
		}
	}
}

static void
listen_at(struct sink *s, uint16_t port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };
	socklen_t len = sizeof(at);
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = NULL };
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(s->listener, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
	if (bind(s->listener, (struct sockaddr *)&at, len) == -1 ||
	    listen(s->listener, 1024) == -1 ||
	    getsockname(s->listener, (struct sockaddr *)&at, &len) == -1 ||
	    epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->listener, &ev) == -1)
		sink_die("listen");
	printf("%d\n", ntohs(at.sin_port));
	fflush(stdout);
}

static uint16_t
parse_options(struct sink *s, int argc, char **argv)
{
	const char *wrong;
	uint16_t port = 0;
	int opt;

	while ((opt = getopt(argc, argv, "cd:f:k:no:p:t")) != -1) {
		if (opt == 'c')
			s->hashes = true;
		else if (opt == 'd')
			s->delay_ns = (int64_t)(strtod(optarg, NULL) * 1e6);
		else if (opt == 'k')
			s->keys = tls_load(optarg);
		else if (opt == 'n')
			s->no_pipelining = true;
		else if (opt == 'o' && (s->log = fopen(optarg, "w")) == NULL)
			sink_die(optarg);
		else if (opt == 'p')
			port = (uint16_t)strtoul(optarg, NULL, 10);
		else if (opt == 't')
			s->implicit_tls = true;
		else if (opt == 'f' && (wrong = talk_parse_faults(s, optarg)) != NULL) {
			fprintf(stderr, "sink: -f: not understood: %s\n", wrong);
			exit(64);
		} else if (opt == '?')
			exit(64);
	}
	if (optind < argc || (s->implicit_tls && s->keys == NULL)) {
		fputs(optind < argc ? "sink: only options\n" : "sink: -t needs -k\n", stderr);
		exit(64);
	}
	s->hashes = s->hashes || s->log != NULL;
	return port;
}

int
main(int argc, char **argv)
{
	struct sink *s = calloc(1, sizeof(*s));

	if (s == NULL)
		sink_die("sink");
	listen_at(s, parse_options(s, argc, argv));
	prctl(
	    PR_SET_TIMERSLACK, 1UL); /* ns; the 50 us that it has else are 5 % of a delay of 1 ms */
	work(s);
	sum_print(s->mails, s->nmails, s->nbytes);
	tls_unload(s->keys);
	free(s->mails);
	free(s->late);
	free(s);
	return 0;
}
