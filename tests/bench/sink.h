/* sink.h - what the files of the bench sink share. sink.c accepts, reads and sends; sink_talk.c is the server's side of the
 * dialogue, from bytes to answers; sink_tls.c puts TLS between them. */
#ifndef DIGEST_BENCH_SINK_H
#define DIGEST_BENCH_SINK_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#include <xxhash.h>

#define NO_EVENTS UINT32_MAX

enum { READ_SIZE = 256 * 1024, LINE_SIZE = 4096, HEAD_SIZE = 4096, MAX_FAULTS = 32 };

/* What is answered; the names that -f knows are in sink_talk.c. */
enum where {
	AT_CONNECT,
	AT_DOT,
	AT_EHLO,
	AT_HELO,
	AT_MAIL,
	AT_RCPT,
	AT_DATA,
	AT_RSET,
	AT_NOOP,
	AT_QUIT,
	AT_STARTTLS,
	AT_OTHER,
	NWHERE
};

struct fault {
	enum where where;
	int code;		/* 0 = drop */
	unsigned long n;	/* the n-th time, from 1 */
	bool onwards;		/* and from then on */
};

enum ending {
	STAYS,
	ENDS,	/* once the answers are out: what comes is thrown away until the client closes */
	DROPS,	/* once the answers are out, at once */
};

struct conn {
	int fd;
	uint32_t events;	/* what epoll looks for; NO_EVENTS = it was not told */
	enum ending ending;
	bool shut;		/* told that nothing more comes */
	bool dead;		/* closed, but entries of the queue point here */
	struct tls *tls;	/* NULL = plain */
	bool starts_tls;	/* as soon as the answers are out */

	bool has_mail, in_data, fresh;	/* fresh: at the first byte of the content */
	unsigned nrcpt;			/* accepted ones */
	XXH3_state_t *hash;
	size_t nbytes;			/* of the content so far, as they came */
	size_t nhead, nto;
	char head[HEAD_SIZE];		/* its beginning, after a line end: for the log */
	char to[1024];			/* the recipients, for the log */

	size_t nrest;
	char rest[LINE_SIZE];		/* read, but more is needed behind it */
	char *out;			/* answers: ndue of the nout bytes may leave; the rest waits for its time */
	size_t nout, ndue, alloc;
	unsigned nwaiting;		/* entries of the queue that are this one's */
};

/* So many bytes of answers of a connection may leave then. */
struct late {
	struct conn *conn;
	size_t n;
	int64_t due_ns;
};

struct sink {
	int epoll, listener;
	bool no_pipelining, hashes, implicit_tls;
	struct tls_keys *keys;		/* NULL = no TLS */
	int64_t delay_ns;
	FILE *log;
	struct fault faults[MAX_FAULTS];
	size_t nfaults;
	unsigned long seen[NWHERE];

	uint64_t *mails, nbytes;	/* the hash of each accepted mail, and their bytes */
	size_t nmails, alloc;
	struct late *late;		/* a ring, the first due first */
	size_t first_late, nlate, late_alloc;
	char buf[LINE_SIZE + READ_SIZE];
};

void	sink_die(const char *what);

/* ---- sink_talk.c ---- */

/* Read the faults of -f. Returns NULL, or where they are not understood. */
const char *talk_parse_faults(struct sink *s, const char *text);
/* The greeting of a new connection. */
void	talk_greet(struct sink *s, struct conn *c);
/* Take what the client sent; answers are added to its out. Returns how many of the n bytes were used: the others need
 * more behind them, or come too late. */
size_t	talk_take(struct sink *s, struct conn *c, const char *p, size_t n);

/* ---- sink_tls.c ---- */

/* The certificates and the key in one PEM file. */
struct tls_keys *tls_load(const char *path);
void	tls_unload(struct tls_keys *keys);
/* The server's side of a connection that stands. */
struct tls *tls_new(struct tls_keys *keys, int fd);
void	tls_free(struct tls *t);
/* As recv and send of a socket that does not block: -1 with EAGAIN when nothing can be done now. The handshake is done by
 * the first of them. */
ssize_t	tls_recv(struct tls *t, char *buf, size_t n);
ssize_t	tls_send(struct tls *t, const char *p, size_t n);
/* Say that nothing more will be sent. */
void	tls_shut(struct tls *t);
/* Whether something is read that tls_recv was not asked for yet: epoll does not know of it. */
bool	tls_has_more(const struct tls *t);
/* What the handshake waits for, EPOLLIN or EPOLLOUT; 0 when it is done. */
unsigned tls_waits_for(const struct tls *t);

#endif
