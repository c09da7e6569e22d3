/* mailbox.h - where incoming mail lies: a folder of an IMAP server, a Maildir, or standard input. Hands out one mail at a
 * time, oldest first, and marks it as dealt with once its caller says so. What a mail means is the caller's business; one it does
 * not know stays as it was. Bounded whatever a server says: in memory one mail and a list of those of this run.
 *
 *	mailbox_open(&settings, &place, &mb, err)
 *	while ((more = mailbox_next(mb, &mail, err)) == 1) {
 *		... read it, commit its effect ...
 *		mailbox_finish(mb, mail.number, MAILBOX_DONE or MAILBOX_LEAVE);
 *	}
 *	mailbox_flush(mb, err)
 *	mailbox_tell_place(mb, &place)		... to be kept for the next run
 *	mailbox_free(mb)
 *
 * Whatever dies in between, a mail that was dealt with but not marked, or whose place was not kept, is handed out again under
 * the same name: effects must be fit to be repeated. */
#ifndef DIGEST_MAILBOX_H
#define DIGEST_MAILBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "digest/error.h"
#include "digest/limits.h"
#include "digest/strbuf.h"

enum {
	MAILBOX_BATCH = 50,		/* mails asked of a server, and marked, in one go */
	MAILBOX_FIRST_DAYS = 30,	/* so much of what lies in a mailbox that is new to us is looked at */
	MAILBOX_NAME_SIZE = 800,	/* a file name with every byte escaped */
};

/* NULL is taken as "". Strings are copied; the copy of the password is wiped when it is freed. */
struct mailbox_settings {
	const char *url;	/* imaps://host[:port][/FOLDER] or imap://...; ports 993 and 143, INBOX; FOLDER is UTF-8, may have %XX */
	const char *maildir;	/* instead: a path */
	int fd;			/* without both: one mail is read from there to its end */

	/* Of url. */
	const char *user;
	const char *password;	/* or token; never in an error */
	const char *auth;	/* auto (PLAIN before the command LOGIN, or a token), plain, login, xoauth2, oauthbearer */
	/* Get a token anew, once the server takes the one in password no more; NULL = that is none. May take some seconds. */
	int (*token)(void *arg, struct strbuf *out, struct error *err);
	void *token_arg;
	bool tls_required;	/* false: imap:// without STARTTLS, to loopback or with insecure only */
	bool insecure;		/* allow that elsewhere; a certificate is verified all the same */
	const char *ca_file;	/* PEM, instead of the system's authorities */

	/* What becomes of a mail that was dealt with: "seen" or "" flags it so; "move:FOLDER" moves it to a folder that is there
	 * (of a Maildir, the Maildir .FOLDER in it); "delete" removes it. */
	const char *done;
	unsigned max_mails;	/* of a run; 0 = MAX_MAILBOX_RUN */
	double timeout_scale;	/* of every time-out, for tests; 0 = 1.0 */
	bool (*must_stop)(void *arg);	/* asked again and again while something is waited for; NULL = never */
	void *stop_arg;
};

/*
 * How far a mailbox was looked at; all zero = never, as by a first run: then only mails of the last MAILBOX_FIRST_DAYS are
 * looked at, of an IMAP folder those that nobody has read. Numbers of our own, to be kept under mailbox_add_key().
 */
struct mailbox_place {
	uint64_t era;		/* UIDVALIDITY (RFC 9051 2.3.1.1): another one, and the server has numbered anew; of a Maildir 1 */
	uint64_t at;		/* UID; of a Maildir when a file came to its folder: ctime, in nanoseconds */
	uint64_t tie;		/* of a Maildir: inode, of files that came at the same time */
};

struct mailbox_item {
	size_t number;		/* in this run */
	const char *name;	/* lasting: "UIDVALIDITY-UID" or the unique part of a file name; ASCII without blanks */
	uint64_t size;		/* of the whole mail, bytes */
	const char *bytes;	/* its first MAX_INCOMING_BYTES as they lay there, with CRLF or LF; may hold a NUL */
	size_t len;
	bool cut;		/* there is more */
	/* Pointers are borrowed until the next call. */
};

enum mailbox_fate {
	MAILBOX_LEAVE,	/* unknown: it stays as it was, and is not handed out again, but for one that came to a Maildir just now */
	MAILBOX_DONE,	/* its effect is committed: it is flagged, moved or deleted, at the latest by mailbox_flush */
};

struct mailbox_counts {
	uint64_t nfound;	/* new mails that were there */
	unsigned ntaken;	/* of them, for this run; the others wait for the next */
	unsigned nhanded;	/* of these, handed out */
	unsigned nmarked;	/* flagged, moved or deleted */
	unsigned nunreadable;	/* could not be read or marked, and are passed over; trouble says of the first why */
	struct error trouble;
};

struct mailbox;

/* Whether settings can be used, without a look at network or disk. Fails with ERR_CONFIG. */
int	mailbox_check_settings(const struct mailbox_settings *settings, struct error *err);

/* Append what a place is kept under: where the mails lie, and whose they are. */
void	mailbox_add_key(struct strbuf *out, const struct mailbox_settings *settings);

/*
 * Reach the mailbox and list what is new since a place, at most as much as a run may take.
 * SIGPIPE must be ignored. Fails with ERR_NET or ERR_TEMP for what may be well at the next run, with ERR_CONFIG for what a person must mend: the login, the
 * certificate, a folder that is not there or may only be read; ERR_IO of a Maildir.
 */
int	mailbox_open(const struct mailbox_settings *settings, const struct mailbox_place *since,
	    struct mailbox **out, struct error *err);
/* The next mail: 1, or 0 when this run has seen all of its own. -1: nothing more can be done but to tell the place and free it. */
int	mailbox_next(struct mailbox *mb, struct mailbox_item *out, struct error *err);
/* What becomes of a mail that was handed out. One of which nothing is said will be handed out again by the next run. */
void	mailbox_finish(struct mailbox *mb, size_t number, enum mailbox_fate fate);
/* Mark what is done and is not marked yet. */
int	mailbox_flush(struct mailbox *mb, struct error *err);
/* Up to where all is finished and marked; also after a failure. */
void	mailbox_tell_place(const struct mailbox *mb, struct mailbox_place *out);
void	mailbox_count(const struct mailbox *mb, struct mailbox_counts *out);
void	mailbox_free(struct mailbox *mb);

#endif
