/* smtp.h - what the files of the SMTP engine share. smtp.c is the loop that moves all links of all accounts; smtp_open.c opens
 * a link by libcurl by what smtp_account.c made of the options; smtp_talk.c is the dialogue of one link; smtp_reply.c,
 * smtp_body.c and pace.c are pure; smtp_sink.c sets all up. */
#ifndef DIGEST_MAIL_SMTP_H
#define DIGEST_MAIL_SMTP_H

#include <curl/curl.h>

#include "digest/smtp.h"
#include "mail/dial.h"
#include "mail/login.h"
#include "mail/pace.h"

/* ---- smtp_reply.c ---- */

enum {
	MAX_REPLY_BYTES = 64 * 1024,	/* of one reply, all lines; RFC 5321 4.5.3.1.5 grants 512 a line */
	MAX_REPLY_LINES = 200,
	MAX_REPLY_TEXT = 480,		/* kept of it */
};

struct smtp_reply {
	int code;			/* 200..599 */
	char enhanced[12];		/* "5.1.1" (RFC 3463), "" = none, or one of another class than the code */
	char text[MAX_REPLY_TEXT];	/* "550 5.1.1 no such user here", lines joined by a blank; printable */
};

/* Reads replies from bytes that come in any pieces. All zero is the start. */
struct smtp_reader {
	size_t nbytes, nlines;		/* of the reply so far */
	size_t column;			/* of its line */
	int code;			/* of its first line */
	char head[4];			/* the first four bytes of the line */
	char text[MAX_REPLY_TEXT / 2];	/* raw, NUL as '?'; room is left for \xNN */
	size_t len;
};

/*
 * Read on. *used is how many of the n bytes were taken, up to the end of a reply.
 * 1 = a reply is in out, 0 = more bytes are needed, -1 = no SMTP: a line that is none, codes that differ, too long.
 */
int	smtp_read_reply(struct smtp_reader *r, const char *bytes, size_t n, size_t *used, struct smtp_reply *out);

/* What the EHLO lines say. */
struct smtp_caps {
	struct smtp_probe told;
	bool starttls;
	unsigned auth;			/* enum login_auth, or-ed */
};

/* One line of an EHLO answer after "250-": "SIZE 1000000". */
void	smtp_add_capability(struct smtp_caps *caps, const char *line);

/* ---- smtp_body.c ---- */

struct smtp_scan {
	bool clean;	/* only CRLF line ends, no NUL */
	bool has_dots;	/* a line begins with a dot; told of a clean one only, as the next */
	bool ends;	/* in CRLF */
};

struct smtp_scan smtp_scan_body(const char *bytes, size_t len);

/* Append a body with the dots at line starts doubled (RFC 5321 4.5.2). */
void	smtp_stuff_dots(const char *bytes, size_t len, struct strbuf *out);

/* Whether a mailbox can stand between < and > of a command: it cannot end it nor become another one. */
bool	smtp_is_mailbox(const char *mailbox);
bool	smtp_is_ascii(const char *text);

/* Why a mail can be given to nobody, whoever takes it; NULL = it can. scan: of its body */
const char *smtp_find_fault(const struct delivery *mail, const struct smtp_scan *scan);

/* ---- links ---- */

/* What a reply answers. */
enum smtp_step { STEP_MAIL, STEP_RCPT, STEP_DATA, STEP_DOT, STEP_NO_MAIL, STEP_RSET, STEP_QUIT };

/* A reply under way. */
struct smtp_expected {
	enum smtp_step step;
	uint64_t end;			/* where its command ends, in bytes since the link is ours */
};

enum smtp_state {
	LINK_CLOSED,
	LINK_OPENING,	/* libcurl is at work */
	LINK_IDLE,	/* nothing is asked; may take a mail */
	LINK_BUSY,	/* has a mail, or the answer to one that is out is awaited */
	LINK_RESETTING,	/* its mail is settled, the server's answer to RSET is awaited */
	LINK_QUITTING,
};

/* Where the next mail of a link is. One whose dot was queued has moved on to leaving. */
enum smtp_phase {
	PHASE_NONE,	/* there is none */
	PHASE_ENVELOPE,
	PHASE_BODY,	/* the bulk of a large one is going out */
	PHASE_INTENT,	/* the rest of it, and the final dot, wait for the intent */
	PHASE_REFUSED,	/* settled; answers to the rest of its envelope still come */
	PHASE_DROPPED,	/* settled; the link closes once the mail before it is answered */
};

enum smtp_trouble {
	TROUBLE_NONE,
	TROUBLE_LINK,	/* lost, silent, or not SMTP; counts towards SMTP_MAX_ROW */
	TROUBLE_POLICY,	/* a mail refused by policy; counts likewise */
	TROUBLE_TOKEN,	/* the token is not taken; another may be */
	TROUBLE_STOP,	/* another try would end the same way */
};

/* How far the opening of a link is, as the replies tell it. */
enum smtp_opening { OPENING_GREETING, OPENING_HELLO, OPENING_STARTTLS, OPENING_AUTH };

enum {
	MAX_EXPECTED = 8,		/* a dot and an envelope behind it need four */
	HOLD_BYTES = 128 * 1024,	/* of a mail leave together with its dot: any digest; of a larger one the end */
	MAX_OUT_BYTES = 2 * MAX_MESSAGE_BYTES,	/* a mail with its dots doubled, and commands */
};

struct smtp_link {
	struct smtp_engine *engine;
	unsigned number;		/* among all of the loop */
	enum smtp_state state;
	int64_t deadline_ms;		/* monotonic; of what is awaited, or of the next try of a closed link */

	/* Opening. One multi handle per link: in a shared one, libcurl closes idle connections of others. */
	CURL *easy;
	CURLM *multi;
	int64_t curl_timer_ms;		/* when libcurl wants to be called, -1 = not */
	enum smtp_opening opening;
	bool connected;			/* TCP stands, and the greeting is awaited */
	bool tls_up;
	unsigned secret_number;		/* of the account, that it logs in with */
	struct smtp_caps caps;
	struct smtp_reader opening_reader;
	struct smtp_reply last;		/* of the opening */
	struct error why;		/* why we ended it ourselves; ERR_NONE = we did not */
	char curl_error[CURL_ERROR_SIZE];

	/* Talking. */
	int fd;
	bool wants_write;		/* so it is registered */
	struct smtp_reader reader;
	struct smtp_expected expected[MAX_EXPECTED];
	unsigned nexpected;
	unsigned nmails;		/* begun over this connection */
	unsigned ndomains;		/* how often their domain was another one than before */
	char domain[MAX_ADDRESS_BYTES + 1];	/* of the last */

	/* Going out: commands, and the mail that is on its way, in one piece. What libcurl holds a part of stays in its place. */
	struct strbuf out;
	size_t out_sent;		/* of it */
	uint64_t out_start;		/* where it begins, in bytes since the link is ours */

	struct delivery mail;		/* see phase; its bytes are in out from PHASE_BODY on */
	struct smtp_scan scan;		/* of it */
	enum smtp_phase phase;
	enum smtp_level level;		/* how its envelope went out */
	struct delivery leaving;	/* its dot is queued, and perhaps out */
	uint64_t leaving_end;		/* of that dot; 0 = there is no such mail */
};

struct smtp_account {
	struct smtp_place place;
	char *name;			/* "smtp.example.org:465", for errors */
	char *url;			/* for libcurl, with our name as path */
	char *login_options, *ca_file;
	struct login login;
	bool tls_required;
	unsigned connections, max_messages;
	double timeout_scale;
	bool paced;			/* although it is on this machine */
	enum smtp_level level;
};

enum {
	OUTCOME_BATCH = 64,	/* told in one go */
	PULL_AHEAD = 64,	/* mails to domains that are busy, which others pass */
};

/* One account at work. */
struct smtp_engine {
	struct smtp_loop *loop;
	struct smtp_account account;
	struct log *log;
	unsigned lane;

	struct smtp_link *links;	/* its part of the loop's */
	unsigned nlinks;
	unsigned max_open;		/* of them at once; fewer once the server refused one more */
	int64_t retry_ms;		/* monotonic; no connection is tried before */

	/* One run. */
	bool drained;			/* next said that there is no more, or is not to be asked again */
	int64_t again_ms;		/* monotonic; next is not asked before */
	struct delivery *pulled;	/* for the next links with room; those given back by links that were lost, too */
	unsigned npulled, max_pulled, max_ahead;	/* max_ahead: then no more is asked for */
	struct pace pace;
	enum smtp_level level;		/* that the relay copes with, as far as we know */
	enum smtp_level proven;		/* that it coped with in this run */
	const struct smtp_link *scout;	/* the one that tries a level that is not proven, NULL = none */
	unsigned nlost;			/* in a row */
	bool lost_now;			/* a link was lost in this turn: several at once count as one */
	bool ever_open;
	bool renewed;			/* the token, and no link is open since */
	bool paused;			/* until retry_ms; why says what for */
	bool stopped;			/* why says it */
	struct error why;
};

/* All accounts of a sink, moved by one loop. */
struct smtp_loop {
	struct sink sink;
	struct log *log;
	int epoll;
	struct smtp_engine *engines;
	unsigned nengines;
	struct smtp_link *links;	/* of all */
	unsigned nlinks;

	/* One run. */
	const struct delivery_queue *queue;
	struct delivery_outcome *outcomes;	/* of this turn; OUTCOME_BATCH */
	size_t noutcomes;
	bool broken;			/* the queue failed; why says it */
	struct error why;
	bool halted;			/* queue->must_stop said so */
	int64_t look_ms;		/* monotonic, when it is asked again */
};

/* ---- smtp_account.c ---- */

int	smtp_account_init(struct smtp_account *a, const struct smtp_options *options, struct error *err);
void	smtp_account_release(struct smtp_account *a);

/* Replace text by a note if it holds the password in any spelling that was sent. */
void	smtp_hide_secret(const struct smtp_account *a, struct smtp_reply *reply);

/* ---- smtp_open.c ---- */

/* Begin to open a closed link. -1 when libcurl cannot even start. */
int	smtp_link_open(struct smtp_link *l, struct error *err);
/* Let libcurl work: fd and what epoll says of it, or CURL_SOCKET_TIMEOUT. 1 = open, 0 = not yet, -1 = failed with err and
 * *trouble. */
int	smtp_link_advance(struct smtp_link *l, curl_socket_t fd, int events, enum smtp_trouble *trouble,
	    struct error *err);
/* The deadline passed: 1 = it was moved since libcurl had got further, -1 = failed with err. */
int	smtp_link_is_late(struct smtp_link *l, struct error *err);
/* Drop the connection and what libcurl holds of it. */
void	smtp_link_close(struct smtp_link *l);

/* ---- smtp_talk.c ---- */

/* Whether it can take one more mail now. */
bool	smtp_link_has_room(const struct smtp_link *l);
/* Whether the server's limits let it take this one. */
bool	smtp_link_suits(const struct smtp_link *l, const struct delivery *mail);
/* Queue the mail's envelope (taken from *mail by swapping) for smtp_link_push(). Its outcome may be told at once. */
void	smtp_link_take(struct smtp_link *l, struct delivery *mail);
/* Whether its mail waits for the intent, and the server has not said a word against it so far. */
bool	smtp_link_is_ready(struct smtp_link *l);
/* The intent of its mail is recorded: queue the dot for smtp_link_push(). */
void	smtp_link_add_dot(struct smtp_link *l);
/* Send what is queued. */
void	smtp_link_push(struct smtp_link *l);
void	smtp_link_quit(struct smtp_link *l);
/* epoll says that there is something to read or room to write. */
void	smtp_link_move(struct smtp_link *l);
/* The link is of no use any more: settle its mails by where they are and close it. */
void	smtp_link_lose(struct smtp_link *l, const char *why);
/* The same for a deadline that passed on an open link. */
void	smtp_link_be_late(struct smtp_link *l);
/* We have no more use for it: its mail is deferred, and it is closed once the mail before that, if any, is answered. */
void	smtp_link_abandon(struct smtp_link *l, const char *why);

/* ---- smtp.c ---- */

/* The run of a sink_ops; the sink is the first member of a loop. */
int	smtp_loop_run(struct sink *sink, const struct delivery_queue *queue, struct error *err);
/* Wait until a link has something to do, and let it. */
void	smtp_loop_wait(struct smtp_loop *loop);

/* What the dialogue tells the loop. */

int64_t	smtp_deadline(const struct smtp_engine *e, double seconds);
/* Register what the loop waits for on a socket of a link. */
int	smtp_watch(struct smtp_link *l, int fd, uint32_t events);
void	smtp_unwatch(struct smtp_link *l, int fd);
void	smtp_settle(struct smtp_engine *e, const struct delivery *mail, enum outcome outcome, const char *reply);
/* A mail whose link was lost through no fault of its own is handed to another link. False if it must be settled. */
bool	smtp_give_back(struct smtp_engine *e, struct delivery *mail);
/* A link with a mail whose envelope went out that way came to grief. */
void	smtp_doubt_level(struct smtp_engine *e, enum smtp_level level, const char *why);
/* Something went wrong, or (TROUBLE_NONE) a mail was answered properly. sentence: for the operator. */
void	smtp_note(struct smtp_engine *e, enum smtp_trouble trouble, enum err_kind kind, const char *sentence);

#endif
