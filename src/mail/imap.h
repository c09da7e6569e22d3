/* imap.h - what the files of IMAP (RFC 9051, 3501) share. libcurl opens the connection; all that follows is our own dialogue, since
 * libcurl's reads an answer with several mails by lines, where a mail can forge the end of the answer. imap_read.c is pure: bytes
 * to answers; imap_open.c connects and logs in; imap_talk.c says commands and waits; imap.c is the mailbox. */
#ifndef DIGEST_MAIL_IMAP_H
#define DIGEST_MAIL_IMAP_H

#include "mail/dial.h"
#include "mail/login.h"
#include "mail/mailbox.h"

/* ---- imap_read.c ---- */

enum {
	IMAP_MAX_LINE = 8192,	/* of an answer without its literal; RFC 7162 4 wants so much of a command */
	IMAP_MAX_FOLDER = 255,	/* bytes of its name in UTF-8 */
	IMAP_MAX_DEPTH = 32,	/* of lists in lists, which we only skip */
};

/*
 * Reads answers from bytes that come in any pieces. A literal (RFC 9051 4.3) is taken out of its answer: text has "{5}" where it
 * stood, and goes on behind it.
 */
struct imap_reader {
	char text[IMAP_MAX_LINE + 1];	/* without the line end; ended where imap_read says 1 or 2 */
	size_t len;
	struct strbuf literal;		/* holds MAX_INCOMING_BYTES at most */
	size_t literal_left;		/* bytes that are to come */
	bool has_literal;
	size_t behind;			/* it, in text; 0 = there was none */
	size_t rest;			/* of a part: where the next one begins in text, 0 = there is none */
	bool is_over;			/* the answer in text was given out */
	const char *why;		/* of -1 */
};

void	imap_reader_init(struct imap_reader *r);
void	imap_reader_release(struct imap_reader *r);
/*
 * Read on. *used is how many of the n bytes were taken.
 * 1 = an answer is in text, 2 = a part of one that is longer than text, cut at a blank: of SEARCH only, each begins so;
 * 0 = more bytes are needed; -1 = no IMAP, or more than we take: why says it.
 */
int	imap_read(struct imap_reader *r, const char *bytes, size_t n, size_t *used);

enum imap_kind {
	IMAP_DATA,	/* "* ..." but for the next */
	IMAP_STATUS,	/* "* OK|NO|BAD|BYE|PREAUTH ..." */
	IMAP_DONE,	/* "TAG OK|NO|BAD ..." */
	IMAP_GO_ON,	/* "+ ..." */
	IMAP_ODD,	/* none of them */
};
enum imap_status { IMAP_OK, IMAP_NO, IMAP_BAD, IMAP_BYE, IMAP_PREAUTH };

/* What an answer is. rest: behind "* ", the status, or "+". tag: of the command that is under way. */
enum imap_kind imap_classify(const char *text, const char *tag, enum imap_status *status, const char **rest);

/* The number of a response code "[NAME 123]" at the start of text: 1; 0 = there is none, or not up to max. */
bool	imap_parse_code(const char *text, const char *name, uint64_t max, uint64_t *out);
bool	imap_has_code(const char *text, const char *name);

/* "SEARCH 5 7 9" behind "* ". Hands out each number that can be a UID; false = it is something else. */
bool	imap_parse_search(const char *rest, void (*add)(void *arg, uint32_t uid), void *arg);

struct imap_fetch {
	uint32_t uid;		/* 0 = none told */
	uint64_t size;		/* of the mail; 0 = none told */
	bool has_body;		/* it is in the reader's literal */
};
/* "12 FETCH (UID 5 ...)" in the reader: 1; 0 = it is something else; -1 = broken. */
int	imap_parse_fetch(struct imap_reader *r, struct imap_fetch *out);

/* ---- imap_read.c, what is said ---- */

/* A folder's name, UTF-8, as a quoted string of modified UTF-7 (RFC 3501 5.1.3). -1 = no name: too long, a control, no UTF-8. */
int	imap_add_folder(struct strbuf *out, const char *name);
/* A quoted string; -1 = it cannot be one: not all ASCII, or a control. */
int	imap_add_quoted(struct strbuf *out, const char *text);

/* ---- the mailbox ---- */

struct imap_url {
	bool implicit_tls;
	struct dial_place place;	/* with the port that is meant */
	char folder[IMAP_MAX_FOLDER + 1];	/* UTF-8 */
};
int	imap_parse_url(const char *url, struct imap_url *out, struct error *err);

/* What a server offers (RFC 9051 6.1.1, 4315, 6851, 4959). */
struct imap_caps {
	bool login_disabled, initial_response, move, uidplus;
	unsigned auth;		/* enum login_auth, or-ed; without the command LOGIN */
	char names[128];	/* of the mechanisms offered, blank between */
};

struct imap {
	struct mailbox mailbox;
	struct imap_url url;
	char *name;		/* "imap.example.org:993", for errors */
	struct login login;
	char *ca_file;
	bool tls_required;

	CURL *easy;
	int fd;			/* -1 = not connected */
	char curl_error[CURL_ERROR_SIZE];
	struct error opening_error;	/* why we ended the opening ourselves; ERR_NONE = we did not */
	char greeting[200];	/* the last line that libcurl was told, printable */
	unsigned nlines;	/* that it was told */
	bool stopped;

	/* Talking. */
	int64_t waited_ms;	/* for the server, in the whole session */
	size_t answer_bytes;	/* of the command that is under way */
	unsigned ncommands;
	char tag[16];
	struct strbuf out;
	char in[16384];
	size_t in_at, in_len;
	struct imap_reader reader;
	bool bye;		/* the server has said so */
	char said[300];		/* the last status it told, printable and without secrets */

	struct imap_caps caps;
	uint32_t validity, next;	/* of the folder; next 0 = not told */
	bool read_only;
	bool fetching;		/* an answer to FETCH is under way */
	size_t nasked;		/* of the list, from mailbox.first on */
	bool one_by_one;	/* since a batch was refused */
	unsigned nfailed;	/* mails refused in a row */
	struct error trouble;	/* of what an answer asked us to keep, and could not be */
	char mail_name[32];
};

/* ---- imap_open.c ---- */

/* Connect, up to TLS. */
int	imap_connect(struct imap *m, struct error *err);
/* Log in, and ask what is offered then. 1 = the token was refused. */
int	imap_log_in(struct imap *m, struct error *err);
void	imap_disconnect(struct imap *m);

/* ---- imap_talk.c ---- */

/* Bytes of an answer: of one that brings no mails; of one that lists a million; of a batch of mails. */
#define IMAP_SMALL_ANSWER	((size_t)1024 * 1024)
#define IMAP_LIST_ANSWER	((size_t)16 * 1024 * 1024)
#define IMAP_BATCH_ANSWER	((size_t)MAILBOX_BATCH * (MAX_INCOMING_BYTES + IMAP_MAX_LINE) + IMAP_SMALL_ANSWER)

/* Say "TAG <what is in out>"; the caller has filled out after imap_begin(). */
void	imap_begin(struct imap *m);
int	imap_say(struct imap *m, struct error *err);
/* Send what is in out as it is; it is wiped. */
int	imap_send(struct imap *m, struct error *err);
/*
 * The next answer, which may have limit bytes with those before it. What the server says of itself is kept, and a goodbye is
 * an error. *kind is never IMAP_ODD; *rest points into the reader.
 * 1 = it is whole, 2 = it is a part of SEARCH, -1.
 */
int	imap_hear(struct imap *m, size_t limit, enum imap_kind *kind, enum imap_status *status, const char **rest,
	    struct error *err);
/*
 * Say a command and hear all of its answers up to the last: its status, or -1. heed is told each, and may be NULL; it returns -1
 * with m->trouble set to end the session.
 */
int	imap_ask(struct imap *m, size_t limit, int (*heed)(struct imap *m, enum imap_kind kind, const char *rest),
	    enum imap_status *status, struct error *err);
/* The server refuses what was asked: in its own words, and what may help. ERR_NET where these say that it will pass. */
int	imap_refuse(const struct imap *m, const char *what, const char *cure, struct error *err);

#endif
