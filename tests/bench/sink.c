/*
 * An SMTP server that takes every mail, forgets it and is never the slow end.
 *   sink [-n] [-c] [-p port] [-d ms] [-o file] [-f 'where:what:n ...']
 *   -n  offer no PIPELINING        -c  hash the mails            -d  answer that much later
 *   -o  a line for each mail: recipients, Message-ID, hash, the reply to its dot or "drop"
 *   -f  where is connect ehlo helo mail rcpt data dot rset noop quit; what is a code, or drop; n counts from 1, "3+" = from the
 *       third on: 'rcpt:450:3 dot:drop:7'
 * The first line printed is the port on 127.0.0.1; SIGTERM prints "mails bytes checksum", the last over the sorted hashes.
 * Sending may block: a client that never reads its replies stops all.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { READ_SIZE = 256 * 1024, LINE_SIZE = 4096, HEAD_SIZE = 4096, MAX_FAULTS = 32 };
enum where {
	AT_CONNECT,
	AT_EHLO,
	AT_MAIL,
	AT_RCPT,
	AT_DATA,
	AT_DOT,
	AT_RSET,
	AT_NOOP,
	AT_QUIT,
	AT_HELO,
	AT_OTHER,
	NWHERE
};

static const struct {
	const char *name, *verb, *reply;
} wheres[NWHERE] = {
	{ "connect", "\n", "220 sink ESMTP\r\n" },
	{ "ehlo", "EHLO", "" }, /* depends on -n */
	{ "mail", "MAIL", "250 2.1.0 Ok\r\n" },
	{ "rcpt", "RCPT", "250 2.1.5 Ok\r\n" },
	{ "data", "DATA", "354 End data with <CR><LF>.<CR><LF>\r\n" },
	{ "dot", "\n", "250 2.0.0 Ok\r\n" },
	{ "rset", "RSET", "250 2.0.0 Ok\r\n" },
	{ "noop", "NOOP", "250 2.0.0 Ok\r\n" },
	{ "quit", "QUIT", "221 2.0.0 Bye\r\n" },
	{ "helo", "HELO", "250 sink\r\n" },
	{ "other", "", "502 5.5.2 What?\r\n" },
};

struct fault {
	enum where where;
	int code; /* 0 = drop */
	unsigned long n;
	bool onwards;
};

struct conn {
	int fd;
	bool in_data, fresh, waits, closing;
	size_t nrest, nout, nhead, nrcpt, nword, nbytes;
	uint64_t hash, word;
	int64_t due_ns;
	struct conn *next; /* who is answered after this one */
	char rest[LINE_SIZE], out[65536], head[HEAD_SIZE], rcpt[1024];
};

struct sink {
	int epoll, listener;
	bool no_pipelining, hashes;
	int64_t delay_ns;
	FILE *log;
	struct fault faults[MAX_FAULTS];
	size_t nfaults;
	unsigned long seen[NWHERE];
	uint64_t *mails, nbytes;
	size_t nmails, alloc;
	struct conn *first, *last; /* with answers that wait */
	char buf[LINE_SIZE + READ_SIZE];
};

static volatile sig_atomic_t stopped;

static void
stop(int signal)
{
	stopped = signal;
}

static void
die(const char *what)
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

/* Words of eight bytes, however the bytes come in pieces. */
static void
hash_add(struct conn *c, const char *p, size_t n)
{
	while (n > 0) {
		size_t k = 8 - c->nword < n ? 8 - c->nword : n;

		memcpy((char *)&c->word + c->nword, p, k);
		c->nword += k;
		p += k;
		n -= k;
		if (c->nword < 8)
			break;
		c->hash = (c->hash ^ c->word) * 0x9E3779B97F4A7C15u;
		c->hash ^= c->hash >> 32;
		c->word = c->nword = 0;
	}
}

static void
add_body(struct sink *s, struct conn *c, const char *p, size_t n)
{
	size_t k = HEAD_SIZE - 1 - c->nhead < n ? HEAD_SIZE - 1 - c->nhead : n;

	c->nbytes += n;
	if (s->log != NULL) {
		memcpy(c->head + c->nhead, p, k);
		c->nhead += k;
	}
	if (s->hashes)
		hash_add(c, p, n);
}

static void
flush(struct conn *c)
{
	if (c->nout > 0 && send(c->fd, c->out, c->nout, MSG_NOSIGNAL) != (ssize_t)c->nout)
		c->closing = true;
	c->nout = 0;
}

/* Answer as the script says, or well. Returns the code, 0 = the connection is dropped. */
static int
answer(struct sink *s, struct conn *c, enum where where)
{
	const char *reply = wheres[where].reply;
	unsigned long n = ++s->seen[where];
	char own[128];

	if (where == AT_EHLO) {
		snprintf(own, sizeof(own),
		    "250-sink\r\n%s250-SIZE\r\n250-8BITMIME\r\n250 ENHANCEDSTATUSCODES\r\n",
		    s->no_pipelining ? "" : "250-PIPELINING\r\n");
		reply = own;
	}
	for (size_t i = 0; i < s->nfaults; i++) {
		const struct fault *f = &s->faults[i];

		if (f->where != where || !(f->onwards ? n >= f->n : n == f->n))
			continue;
		if (f->code == 0) {
			c->closing = true;
			return 0;
		}
		snprintf(
		    own, sizeof(own), "%d %d.0.0 as the script says\r\n", f->code, f->code / 100);
		reply = own;
		c->closing = f->code == 421;
	}
	if (c->nout + strlen(reply) > sizeof(c->out))
		flush(c);
	memcpy(c->out + c->nout, reply, strlen(reply));
	c->nout += strlen(reply);
	return (int)strtol(reply, NULL, 10);
}

static void
end_mail(struct sink *s, struct conn *c)
{
	static const char zeros[8];
	const char *id;
	int code;

	if (c->nword > 0)
		hash_add(c, zeros, 8 - c->nword);
	code = answer(s, c, AT_DOT);
	if (s->log != NULL) {
		c->head[c->nhead] = '\0';
		id = strcasestr(c->head, "\nMessage-ID: ");
		id = id != NULL ? id + 13 : "-";
		fprintf(s->log, "%s %.*s %016llx ", c->rcpt, (int)strcspn(id, " \r\n"), id,
		    (unsigned long long)c->hash);
		fprintf(s->log, code != 0 ? "%d\n" : "drop\n", code);
		fflush(s->log);
	}
	if (s->nmails == s->alloc) {
		s->alloc = s->alloc * 2 + 1024;
		if ((s->mails = realloc(s->mails, s->alloc * sizeof(*s->mails))) == NULL)
			die("mails");
	}
	s->mails[s->nmails++] = c->hash;
	s->nbytes += c->nbytes;
	c->in_data = false;
	c->nrcpt = 0;
}

static void
take_command(struct sink *s, struct conn *c, const char *line, size_t len)
{
	enum where where = AT_EHLO;
	int code;

	while (strncasecmp(line, wheres[where].verb, strlen(wheres[where].verb)) != 0)
		where++;
	code = answer(s, c, where);
	if (where == AT_QUIT)
		c->closing = true;
	if (where == AT_MAIL || where == AT_RSET)
		c->nrcpt = 0;
	if (where == AT_RCPT && code == 250 && c->nrcpt + len < sizeof(c->rcpt)) {
		const char *from = memchr(line, '<', len), *to = memchr(line, '>', len);

		if (from != NULL && to != NULL)
			c->nrcpt += (size_t)snprintf(c->rcpt + c->nrcpt, len, "%s%.*s",
			    c->nrcpt > 0 ? "," : "", (int)(to - from - 1), from + 1);
	}
	if (where == AT_DATA && code == 354) {
		c->in_data = c->fresh = true;
		c->nbytes = c->nword = c->word = c->hash = 0;
		c->head[0] = '\n';
		c->nhead = 1;
	}
}

/* Returns how many bytes were used; what is left needs more behind it. */
static size_t
take_data(struct sink *s, struct conn *c, const char *p, size_t n)
{
	const char *end;

	if (c->fresh && n < 3)
		return 0;
	if (c->fresh && memcmp(p, ".\r\n", 3) == 0) {
		end_mail(s, c);
		return 3;
	}
	c->fresh = false;
	end = memmem(p, n, "\r\n.\r\n", 5);
	if (end == NULL) {
		n = n > 4 ? n - 4 : 0;
		add_body(s, c, p, n);
		return n;
	}
	add_body(s, c, p, (size_t)(end - p) + 2);
	end_mail(s, c);
	return (size_t)(end - p) + 5;
}

static void
close_conn(struct conn *c)
{
	close(c->fd);
	free(c);
}

static void
send_later(struct sink *s, struct conn *c)
{
	struct epoll_event ev = { .events = 0, .data.ptr = c };

	c->due_ns = now_ns() + s->delay_ns;
	c->waits = true;
	c->next = NULL;
	*(s->first != NULL ? &s->last->next : &s->first) = c;
	s->last = c;
	epoll_ctl(s->epoll, EPOLL_CTL_MOD, c->fd, &ev);
}

static void
finish_turn(struct sink *s, struct conn *c)
{
	if (s->delay_ns > 0 && c->nout > 0) {
		send_later(s, c);
		return;
	}
	flush(c);
	if (c->closing)
		close_conn(c);
}

static void
serve(struct sink *s, struct conn *c)
{
	size_t n = c->nrest, pos = 0, used;
	ssize_t got;

	memcpy(s->buf, c->rest, n);
	got = recv(c->fd, s->buf + n, READ_SIZE, MSG_DONTWAIT);
	if (got == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		close_conn(c);
		return;
	}
	n += (size_t)got;
	while (pos < n && !c->closing) {
		const char *p = s->buf + pos, *nl;

		if (c->in_data)
			used = take_data(s, c, p, n - pos);
		else if ((nl = memchr(p, '\n', n - pos)) != NULL)
			take_command(s, c, p, used = (size_t)(nl - p) + 1);
		else
			used = 0;
		if (used == 0)
			break;
		pos += used;
	}
	c->nrest = n - pos;
	if (c->nrest > LINE_SIZE)
		c->closing = true;
	else
		memcpy(c->rest, s->buf + pos, c->nrest);
	finish_turn(s, c);
}

static void
greet(struct sink *s)
{
	struct conn *c = calloc(1, sizeof(*c));
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = c };

	if (c == NULL || (c->fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC)) == -1) {
		free(c);
		return;
	}
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
	epoll_ctl(s->epoll, EPOLL_CTL_ADD, c->fd, &ev);
	answer(s, c, AT_CONNECT);
	finish_turn(s, c);
}

/* Send what is due. Returns how long to wait for the next one, or NULL. */
static const struct timespec *
send_due(struct sink *s, struct timespec *ts)
{
	int64_t now = s->first != NULL ? now_ns() : 0;

	while (s->first != NULL && s->first->due_ns <= now) {
		struct conn *c = s->first;
		struct epoll_event ev = { .events = EPOLLIN, .data.ptr = c };

		s->first = c->next;
		c->waits = false;
		flush(c);
		if (c->closing)
			close_conn(c);
		else
			epoll_ctl(s->epoll, EPOLL_CTL_MOD, c->fd, &ev);
	}
	if (s->first == NULL)
		return NULL;
	now = s->first->due_ns - now;
	*ts = (struct timespec){ now / 1000000000, now % 1000000000 };
	return ts;
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
			struct conn *c = events[i].data.ptr;

			if (c == NULL)
				greet(s);
			else if (!c->waits)
				serve(s, c);
		}
	}
}

static void
parse_faults(struct sink *s, const char *p)
{
	char where[16], what[16], onwards;
	int used;

	for (; s->nfaults < MAX_FAULTS; p += used) {
		struct fault *f = &s->faults[s->nfaults++];
		int n = sscanf(p, " %15[a-z]:%15[0-9a-z]:%lu%n", where, what, &f->n, &used);

		if (n == EOF) {
			s->nfaults--;
			return;
		}
		while (n == 3 && f->where < NWHERE && strcmp(wheres[f->where].name, where) != 0)
			f->where++;
		f->code = strcmp(what, "drop") == 0 ? 0 : (int)strtol(what, NULL, 10);
		if (n != 3 || f->where == NWHERE ||
		    (f->code != 0 && (f->code < 200 || f->code > 599)))
			break;
		if (sscanf(p + used, "%c", &onwards) == 1 && onwards == '+') {
			f->onwards = true;
			used++;
		}
	}
	fprintf(stderr, "sink: -f: not understood: %s\n", p);
	exit(64);
}

static void
listen_at(struct sink *s, uint16_t port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };
	socklen_t len = sizeof(at);
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = NULL };

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(s->listener, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
	if (bind(s->listener, (struct sockaddr *)&at, len) == -1 ||
	    listen(s->listener, 1024) == -1 ||
	    getsockname(s->listener, (struct sockaddr *)&at, &len) == -1 ||
	    epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->listener, &ev) == -1)
		die("listen");
	printf("%d\n", ntohs(at.sin_port));
	fflush(stdout);
}

static int
compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

int
main(int argc, char **argv)
{
	struct sink *s = calloc(1, sizeof(*s));
	uint64_t sum = 0;
	uint16_t port = 0;
	int opt;

	if (s == NULL)
		die("sink");
	while ((opt = getopt(argc, argv, "cnd:f:o:p:")) != -1) {
		if (opt == 'c')
			s->hashes = true;
		else if (opt == 'n')
			s->no_pipelining = true;
		else if (opt == 'd')
			s->delay_ns = (int64_t)(strtod(optarg, NULL) * 1e6);
		else if (opt == 'f')
			parse_faults(s, optarg);
		else if (opt == 'o' && (s->log = fopen(optarg, "w")) == NULL)
			die(optarg);
		else if (opt == 'p')
			port = (uint16_t)strtoul(optarg, NULL, 10);
		else if (opt == '?')
			return 64;
	}
	s->hashes = s->hashes || s->log != NULL;
	listen_at(s, port);
	work(s);
	qsort(s->mails, s->nmails, sizeof(*s->mails), compare);
	for (size_t i = 0; i < s->nmails; i++)
		sum = (sum ^ s->mails[i]) * 0x9E3779B97F4A7C15u;
	printf("%zu %llu %016llx\n", s->nmails, (unsigned long long)s->nbytes,
	    (unsigned long long)sum);
	return 0;
}
