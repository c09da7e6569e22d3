/* smtp.h - mail submission (RFC 5321, 6409, 4954, 3207, 8314). libcurl opens each connection: name, TCP, TLS with the
 * certificate verified, STARTTLS, AUTH. Then our own engine speaks over it, several connections in one epoll loop, so
 * that no answer of one mail holds up another and the intent of every mail is recorded before its final dot leaves. */
#ifndef DIGEST_SMTP_H
#define DIGEST_SMTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "digest/error.h"
#include "digest/log.h"
#include "digest/sink.h"

/* How much is under way at once to a server that offers PIPELINING (RFC 2920); the others get one command at a time. */
enum smtp_level {
	SMTP_AS_OFFERED,
	SMTP_LOCK_STEP,		/* a command at a time */
	SMTP_ENVELOPE,		/* MAIL, RCPT and DATA of a mail together */
	SMTP_BEHIND,		/* those of the next mail right behind the final dot: one turn a mail */
};

/* One account. The strings are copied; the copy of the password is wiped when it is freed. NULL is taken as "". */
struct smtp_options {
	unsigned lane;		/* of the queue, whose mails go this way */
	const char *url;	/* smtps://host[:port] or smtp://host[:port]; see struct smtp_place for the ports */
	const char *user;	/* "" = no login */
	const char *password;	/* or token; never in a log, an error or a reply */
	const char *auth;	/* auto (PLAIN before LOGIN, or a token), plain, login, xoauth2, oauthbearer */
	/* Get a token anew, once the server takes the one in password no more; NULL = that is none. May take some seconds. */
	int (*token)(void *arg, struct strbuf *out, struct error *err);
	void *token_arg;
	bool tls_required;	/* false: smtp:// without STARTTLS, to loopback or with insecure only */
	bool insecure;		/* allow that elsewhere; a certificate is verified all the same */
	const char *ca_file;	/* PEM, instead of the system's authorities; "" = these */
	const char *helo;	/* our name, a domain with a dot or [address literal]; "" = this host's, if it is one */
	unsigned connections;	/* 1..SMTP_MAX_CONNECTIONS at once */
	unsigned max_messages;	/* of one connection, then another is opened; 0 = any */
	enum smtp_level level;	/* at most; SMTP_AS_OFFERED = SMTP_BEHIND */
	double timeout_scale;	/* of every time-out and pause, for tests; 0 = 1.0 */
	bool paced;		/* by recipient domain, as any relay that is not on this machine; for tests */
};

enum { SMTP_MAX_CONNECTIONS = 1000 };

/* What stands in a URL. */
struct smtp_place {
	bool implicit_tls;	/* smtps:// */
	bool loopback;		/* see host_is_loopback() */
	unsigned port;		/* default 465 of smtps://, 587 of smtp://, 25 of smtp:// to loopback */
	char host[256];		/* without the brackets of an IPv6 address */
};

/* Fails with ERR_CONFIG: no such scheme, no host, not a port, or a user, path or query. */
int	smtp_parse_url(const char *url, struct smtp_place *out, struct error *err);

/* Whether they can be used, without a look at the network. Fails with ERR_CONFIG. */
int	smtp_check_options(const struct smtp_options *options, struct error *err);

/*
 * A sink that submits by n accounts at once: each pulls from its own lane, all in one loop, and none waits for another.
 * Nothing is connected before sink_run. Fails with ERR_CONFIG.
 *
 * Outcomes. Refused at RCPT, DATA or after the dot: as smtp_judge() says; by 421 anywhere: DEFERRED. The link lost, silent or
 * out of order: DEFERRED before the dot, UNKNOWN after it. A mail above the server's SIZE, an address that is
 * no mailbox or needs SMTPUTF8 that is not offered, or a bare CR, LF or a NUL in the mail: FAILED without a word to the
 * server.
 *
 * A server that offers PIPELINING gets more than one command at a time, see enum smtp_level; one that does not cope with that
 * (a link lost before it ever did, an answer out of order) gets less in the rest of the run, which is logged. A mail that
 * is not the first of its link, and of which the server had not said a word when the link was lost, goes to another link.
 *
 * An account stops, and leaves the rest of its lane in the queue (queue->stopped), with ERR_CONFIG for a certificate, STARTTLS,
 * AUTH, password or sender refused; with ERR_NET for a relay that cannot be reached at first or will not serve then. Once it has
 * been reached, SMTP_MAX_ROW lost links or "not now" in a row, to a new link or to MAIL, make it pause for SMTP_PAUSE_S, and
 * after each one more; queue->must_stop ends that.
 *
 * sink_run returns 0 when the lanes are empty or stopped, -1 when the queue itself failed. Whatever was pulled is settled
 * before. SIGPIPE must be ignored.
 */
int	sink_open_smtp(const struct smtp_options *options, size_t n, struct log *log, struct sink **out,
	    struct error *err);

enum {
	SMTP_MAX_ROW = 5,	/* lost links or "not now" in a row, then the account pauses; refusals by policy, then it stops */
	SMTP_PAUSE_S = 600,
};

/* Who must do what before another try can end better. */
enum smtp_blame {
	BLAME_THEIRS,	/* the relay or the way there: it comes back by itself */
	BLAME_GREYLIST,	/* strangers are asked to come back, and let in when they do, mostly after five minutes */
	BLAME_RATE,	/* we are too fast: trying soon makes it worse */
	BLAME_READER,	/* their mailbox is full, or is none */
	BLAME_OURS,	/* our address, login, domain, content or commands: a person here repairs it */
};
/* What a refusal for good, or at the end of all tries, says of the address; the same in a report and when we hear it ourselves,
 * if it then speaks of the reader at all (BLAME_READER). */
enum smtp_class {
	SMTP_CLASS_NONE,	/* no refusal */
	SMTP_CLASS_DEAD,	/* nobody can be reached there; told by an enhanced code alone, never by words */
	SMTP_CLASS_TEMPORARY,	/* full, or it could not be reached for as long as was tried */
	SMTP_CLASS_POLICY,	/* the sender, the way or the content is not wanted */
	SMTP_CLASS_OURS,	/* too long, or not understood */
	SMTP_CLASS_UNKNOWN,
	NSMTP_CLASSES,
};
struct smtp_verdict {
	enum outcome outcome;	/* DEFERRED, or FAILED: the same bytes are refused again */
	enum smtp_blame blame;
	bool of_all;		/* so it would be for every mail */
	enum smtp_class class;	/* never NONE */
};
/*
 * What a refusal means, by its code and enhanced code (RFC 3463 and the registry of RFC 5248): "550 5.1.1 no such user".
 * A 4xx is DEFERRED, a 5xx FAILED, but DEFERRED where it speaks of the sender (x.7.x, 5.1.7, 5.1.8, 530) or of the
 * relay's own state, and 552 said of a recipient, which RFC 5321 4.5.3.1.10 wants to be read as 452. What is no reply is DEFERRED, THEIRS.
 * at_rcpt	it answers RCPT
 */
struct smtp_verdict smtp_judge(const char *reply, bool at_rcpt);
/* What may help against a refusal of all mail, without a full stop; never "". */
const char *smtp_find_cure(const char *reply);

/* What a server told about itself (RFC 5321 4.1.1.1), after STARTTLS where there is one. */
struct smtp_probe {
	uint64_t max_size;	/* bytes, 0 = none told */
	bool tls;
	bool logged_in;
	bool untrusted;	/* no connection, as its certificate is signed by nobody who is trusted */
	bool pipelining, size, eightbit, smtputf8, enhanced_codes, dsn;
	unsigned max_mails;	/* of one connection (RFC 9422 4.1 MAILMAX), 0 = none told */
	unsigned max_recipients;	/* of one mail (4.2 RCPTMAX); we name one */
	unsigned max_domains;	/* of recipients in one connection (4.3 RCPTDOMAINMAX) */
	char auth[128];		/* the mechanisms offered, blank between, "" = none */
};

/* Connect, log in if there is a user, QUIT. Errors as sink_run gives them; of out untrusted alone is then told. */
int	smtp_probe(const struct smtp_options *options, struct smtp_probe *out, struct error *err);

/*
 * The system's sendmail: one process `path -i -f SENDER -- RCPT` per mail, the mail on its standard input with LF line ends.
 * Its standard input is whole before it starts, so that no death of ours makes it deliver half a mail.
 * Exit codes by sysexits.h: 0 SENT; 65..69 and 76 (the recipient or the mail is refused) FAILED; anything else or no start
 * DEFERRED. Without one, by a signal, UNKNOWN. Codes that mean this machine's set-up (64, 70..72, 77, 78) or no start end the
 * run with ERR_CONFIG.
 * path		"" = /usr/sbin/sendmail
 * timeout_s	for one process, then it is killed; 0 = 600
 * Fails with ERR_CONFIG when path cannot be executed.
 */
int	sink_open_sendmail(const char *path, unsigned timeout_s, struct sink **out, struct error *err);

#endif
