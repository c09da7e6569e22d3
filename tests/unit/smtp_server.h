/* A scripted SMTP server for tests: a process on 127.0.0.1 that serves each connection in a child of its own, behaves
 * badly where the script says so, and writes down every command and mail in shared memory. Plain TCP; the TLS cases have
 * tests/e2e/smtp_server.py. */
#ifndef DIGEST_TEST_SMTP_SERVER_H
#define DIGEST_TEST_SMTP_SERVER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum smtp_point {
	AT_GREETING,
	AT_EHLO,
	AT_STARTTLS,
	AT_AUTH,
	AT_MAIL,
	AT_RCPT,
	AT_DATA,
	AT_DOT,
	AT_QUIT,
	AT_RSET,
	NPOINTS,
};

struct smtp_script {
	const char *ehlo;	/* further EHLO lines: "250-SIZE 1000\r\n250-AUTH PLAIN\r\n" */
	const char *reply[NPOINTS];	/* instead of the usual one; "" = silence */
	bool close[NPOINTS];	/* hang up after it (with "": silently) */
	unsigned first_bad;	/* bad from this mail of the server on, 0-based; earlier ones are served well */
	const char *bad_rcpt;	/* a recipient with this in it gets "550 5.1.1 no such user", or */
	const char *bad_reply;
	const char *mid_body;	/* said when half of the body came, and hung up */
	bool by_bytes;		/* replies come one byte at a time */
	bool dribbles;		/* those of the script do */
	unsigned max_connections;	/* more than so many at once get 421; 0 = any */
	bool pipelining;	/* offered */
	bool always_354;	/* to DATA, also without a recipient; the refusal follows the dot (RFC 2920 3.1) */
	bool loose;		/* RCPT and DATA are fine without a sender */
	bool hates_behind;	/* hangs up when there is more behind a final dot, before it says a word about that mail */
	bool hates_groups;	/* forgets what is behind a command, as servers do that read by stdio and flush */
	unsigned max_mails;	/* of a connection, then 421; 0 = any */
	unsigned max_domains;	/* of a connection, then 421; 0 = any */
	unsigned drop_dot;	/* the dot of this mail of the server, 1-based, is answered by silence and a hang-up */
};

struct smtp_seen {
	atomic_uint nconnections, nopen, most_open, nmails, nstarted;
	atomic_uint nreads;	/* that brought something */
	atomic_uint nleaks;	/* lines of mails for nobody */
	atomic_uint taken[100];	/* how often the mail with that number in its Message-ID was */
	atomic_size_t log_len, mail_len;
	char log[1 << 20];	/* every line but those of mails */
	char mail[4 << 20];	/* all mails as they came, dots undone, without the last one */
};

struct smtp_server {
	pid_t pid;
	unsigned port;
	struct smtp_seen *seen;
};

struct smtp_talk {
	const struct smtp_script *script;
	struct smtp_seen *seen;
	int fd;
	bool has_sender, slowly;
	unsigned nrcpt, nbegun, ndomains;
	unsigned id;		/* of the mail that comes in */
	char domain[256];
	char in[65536];
	size_t at, len;
};

static inline void
smtp_server_note(atomic_size_t *at, char *out, size_t size, const char *bytes, size_t len)
{
	size_t start = atomic_fetch_add(at, len);

	if (start + len < size)
		memcpy(out + start, bytes, len);
}

static inline void
smtp_server_hang_up(struct smtp_talk *t)
{
	atomic_fetch_sub(&t->seen->nopen, 1);
	close(t->fd);
	_exit(0);
}

static inline void
smtp_server_say(struct smtp_talk *t, const char *text)
{
	bool slowly = t->script->by_bytes || t->slowly;
	size_t len = strlen(text), step = slowly ? 1 : len;

	for (size_t at = 0; at < len; at += step) {
		if (send(t->fd, text + at, step, MSG_NOSIGNAL) <= 0)
			smtp_server_hang_up(t);
		if (slowly)
			usleep(200);
	}
}

/* One line with its CRLF; false at the end. */
static inline bool
smtp_server_line(struct smtp_talk *t, char *out, size_t size)
{
	for (;;) {
		char *lf = memchr(t->in + t->at, '\n', t->len - t->at);
		ssize_t n;

		if (lf != NULL) {
			size_t len = (size_t)(lf + 1 - (t->in + t->at));

			snprintf(out, size, "%.*s", (int)len, t->in + t->at);
			t->at += len;
			return true;
		}
		memmove(t->in, t->in + t->at, t->len - t->at);
		t->len -= t->at;
		t->at = 0;
		n = recv(t->fd, t->in + t->len, sizeof(t->in) - t->len, 0);
		if (n <= 0)
			return false;
		atomic_fetch_add(&t->seen->nreads, 1);
		t->len += (size_t)n;
	}
}

/* True if the answer was not a refusal. */
static inline bool
smtp_server_answer(struct smtp_talk *t, enum smtp_point point, const char *usual)
{
	const struct smtp_script *s = t->script;
	bool bad = s->reply[point] != NULL && atomic_load(&t->seen->nstarted) > s->first_bad;

	/* Before a mail was begun, the next one counts. */
	if (point < AT_MAIL)
		bad = s->reply[point] != NULL && atomic_load(&t->seen->nstarted) >= s->first_bad;
	t->slowly = bad && s->dribbles;
	smtp_server_say(t, bad ? s->reply[point] : usual);
	t->slowly = false;
	if (bad && s->close[point])
		smtp_server_hang_up(t);
	while (bad && s->reply[point][0] == '\0')
		pause();
	return !bad || s->reply[point][0] == '2' || s->reply[point][0] == '3';
}

static inline void
smtp_server_body(struct smtp_talk *t)
{
	char line[65536];

	while (smtp_server_line(t, line, sizeof(line))) {
		const char *text = line[0] == '.' ? line + 1 : line;

		if (strcmp(line, ".\r\n") == 0 && t->nrcpt == 0) {
			smtp_server_say(t, "554 5.5.1 no valid recipients\r\n");
			return;
		}
		atomic_fetch_add(&t->seen->nleaks, t->nrcpt == 0);
		if (strncmp(line, "Message-ID: <", 13) == 0)
			t->id = (unsigned)strtoul(line + 13, NULL, 10);
		if (strcmp(line, ".\r\n") == 0 &&
		    ((t->script->hates_behind && t->at < t->len) ||
			t->script->drop_dot == atomic_load(&t->seen->nstarted)))
			smtp_server_hang_up(t);
		if (strcmp(line, ".\r\n") == 0) {
			if (t->script->reply[AT_DOT] == NULL || atomic_load(&t->seen->nstarted) <= t->script->first_bad) {
				atomic_fetch_add(&t->seen->nmails, 1);
				if (t->id < sizeof(t->seen->taken) / sizeof(t->seen->taken[0]))
					atomic_fetch_add(&t->seen->taken[t->id], 1);
			}
			smtp_server_answer(t, AT_DOT, "250 2.0.0 Ok: queued as 4711\r\n");
			return;
		}
		smtp_server_note(&t->seen->mail_len, t->seen->mail, sizeof(t->seen->mail), text, strlen(text));
		if (t->script->mid_body != NULL) {
			smtp_server_say(t, t->script->mid_body);
			smtp_server_hang_up(t);
		}
	}
	smtp_server_hang_up(t);
}

/* Count mails and domains; true when one is too much. */
static inline bool
smtp_server_limits(struct smtp_talk *t, const char *line)
{
	const char *at = strrchr(line, '@');
	char domain[256];

	if (strncasecmp(line, "MAIL", 4) == 0) {
		atomic_fetch_add(&t->seen->nstarted, 1);
		t->nbegun++;
	}
	if (strncasecmp(line, "RCPT", 4) == 0 && at != NULL) {
		snprintf(domain, sizeof(domain), "%.*s", (int)strcspn(at, ">"), at);
		t->ndomains += strcasecmp(domain, t->domain) != 0;
		memcpy(t->domain, domain, sizeof(domain));
	}
	if ((t->script->max_mails == 0 || t->nbegun <= t->script->max_mails) &&
	    (t->script->max_domains == 0 || t->ndomains <= t->script->max_domains))
		return false;
	smtp_server_say(t, "421 4.7.0 over the limit\r\n");
	return true;
}

static inline void
smtp_server_command(struct smtp_talk *t, const char *line)
{
	static const struct {
		const char *verb;
		enum smtp_point point;
		const char *usual;
	} rows[] = {
		{ "STARTTLS", AT_STARTTLS, "220 2.0.0 go ahead\r\n" },
		{ "AUTH", AT_AUTH, "235 2.7.0 welcome\r\n" },
		{ "MAIL", AT_MAIL, "250 2.1.0 Ok\r\n" },
		{ "RCPT", AT_RCPT, "250 2.1.5 Ok\r\n" },
		{ "DATA", AT_DATA, "354 go on\r\n" },
		{ "RSET", AT_RSET, "250 2.0.0 Ok\r\n" },
		{ "QUIT", AT_QUIT, "221 2.0.0 bye\r\n" },
	};
	char hello[4096];

	if (strncasecmp(line, "EHLO", 4) == 0 || strncasecmp(line, "HELO", 4) == 0) {
		snprintf(hello, sizeof(hello), "250-relay.example.org\r\n%s%s250 HELP\r\n",
		    t->script->pipelining ? "250-PIPELINING\r\n" : "", t->script->ehlo != NULL ? t->script->ehlo : "");
		smtp_server_answer(t, AT_EHLO, hello);
		return;
	}
	if (smtp_server_limits(t, line))
		smtp_server_hang_up(t);
	if (strncasecmp(line, "RCPT", 4) == 0 && t->script->bad_rcpt != NULL &&
	    strstr(line, t->script->bad_rcpt) != NULL) {
		smtp_server_say(t, t->script->bad_reply != NULL ? t->script->bad_reply
		    : "550-5.1.1 no such\r\n550 5.1.1 user\r\n");
		return;
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum smtp_point point = rows[i].point;
		bool fine;

		if (strncasecmp(line, rows[i].verb, 4) != 0)
			continue;
		if (point == AT_RCPT && !t->has_sender && !t->script->loose) {
			smtp_server_say(t, "503 5.5.1 need MAIL before RCPT\r\n");
			return;
		}
		if (point == AT_DATA && t->nrcpt == 0 && !t->script->always_354) {
			smtp_server_say(t, "554 5.5.1 no valid recipients\r\n");
			return;
		}
		fine = smtp_server_answer(t, point, rows[i].usual);
		if (point == AT_QUIT)
			smtp_server_hang_up(t);
		if (point == AT_MAIL || point == AT_RSET) {
			t->has_sender = fine && point == AT_MAIL;
			t->nrcpt = 0;
		}
		t->nrcpt += point == AT_RCPT && fine;
		if (t->script->hates_groups)
			t->at = t->len;
		if (point == AT_DATA && (t->script->reply[AT_DATA] == NULL ||
		    atomic_load(&t->seen->nstarted) <= t->script->first_bad)) {
			smtp_server_body(t);
			t->has_sender = false;
			t->nrcpt = 0;
		}
		return;
	}
	smtp_server_say(t, "500 5.5.1 what?\r\n");
}

static inline void
smtp_server_serve(int fd, const struct smtp_script *script, struct smtp_seen *seen)
{
	static struct smtp_talk talk; /* too large for a stack */
	char line[65536];
	int one = 1;

	talk = (struct smtp_talk){ .script = script, .seen = seen, .fd = fd };
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (script->max_connections > 0 && atomic_load(&seen->nopen) > script->max_connections) {
		smtp_server_say(&talk, "421 4.7.0 too many connections\r\n");
		smtp_server_hang_up(&talk);
	}
	smtp_server_answer(&talk, AT_GREETING, "220 relay.example.org ESMTP\r\n");
	while (smtp_server_line(&talk, line, sizeof(line))) {
		smtp_server_note(&seen->log_len, seen->log, sizeof(seen->log), line, strlen(line));
		smtp_server_command(&talk, line);
	}
	smtp_server_hang_up(&talk);
}

static inline void
smtp_server_loop(int listener, const struct smtp_script *script, struct smtp_seen *seen)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails stops nothing */
	setpgid(0, 0);
	signal(SIGCHLD, SIG_IGN);
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		unsigned nopen;

		if (fd == -1)
			_exit(1);
		atomic_fetch_add(&seen->nconnections, 1);
		nopen = atomic_fetch_add(&seen->nopen, 1) + 1;
		if (nopen > atomic_load(&seen->most_open))
			atomic_store(&seen->most_open, nopen);
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			smtp_server_serve(fd, script, seen);
		}
		close(fd);
	}
}

/* 0, or -1 when there is no loopback to listen on. */
static inline int
smtp_server_start(struct smtp_server *s, const struct smtp_script *script)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	s->seen = mmap(NULL, sizeof(*s->seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (s->seen == MAP_FAILED || listener == -1 ||
	    bind(listener, (struct sockaddr *)&address, sizeof(address)) == -1 || listen(listener, 128) == -1 ||
	    getsockname(listener, (struct sockaddr *)&address, &len) == -1)
		return -1;
	s->port = ntohs(address.sin_port);
	fflush(NULL);
	s->pid = fork();
	if (s->pid == 0)
		smtp_server_loop(listener, script, s->seen);
	setpgid(s->pid, s->pid);
	close(listener);
	return s->pid == -1 ? -1 : 0;
}

static inline void
smtp_server_stop(struct smtp_server *s)
{
	kill(-s->pid, SIGKILL);
	waitpid(s->pid, NULL, 0);
	munmap(s->seen, sizeof(*s->seen));
}

/* How often a line of the log begins with that verb. */
static inline unsigned
smtp_server_count(const struct smtp_server *s, const char *verb)
{
	unsigned n = 0;

	for (const char *line = s->seen->log; line != NULL && *line != '\0'; line = strchr(line, '\n')) {
		line += *line == '\n';
		n += strncasecmp(line, verb, strlen(verb)) == 0;
	}
	return n;
}

#endif
