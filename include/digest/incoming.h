/* incoming.h - one mail from outside, read safely: bytes in, a small record of fixed size out. Nothing here knows a store, a
 * network, a configuration or a key, so that nothing here can act: the record names what the mail says of itself, and
 * candidates that the caller verifies.
 *
 * Anyone may send such a mail, and the parser (libetpan) has died of small ones. So it is looked over first, in linear time
 * and without a parser (incoming_screen); then it is parsed in a child process that has no files, no network, little memory
 * and little time, and writes the record to a socket; and what comes from there is checked as any other stranger's word.
 *
 * All strings of a record are NUL-terminated printable UTF-8, whatever the mail was. Addresses in it are only cut out: who
 * wants to use one passes it through address_parse(). */
#ifndef DIGEST_INCOMING_H
#define DIGEST_INCOMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "digest/address.h"
#include "digest/error.h"
#include "digest/limits.h"
#include "digest/smtp.h"
#include "digest/token.h"

enum incoming_kind {
	INCOMING_OTHER,		/* nothing that we act on */
	INCOMING_BOUNCE,	/* at least one recipient did not get a mail, for good or at the end of all tries */
	INCOMING_DELAYED,	/* it is still being tried: no effect (S-62) */
	INCOMING_DELIVERED,	/* delivered, relayed, expanded: no effect */
	INCOMING_COMPLAINT,	/* a reader called a mail of ours unwanted (RFC 5965 abuse, fraud) */
	INCOMING_FEEDBACK,	/* any other feedback report; which one is in reason: "opt-out", "not-spam", "auth-failure" */
	INCOMING_REQUEST,	/* somebody asks for what verb says */
	INCOMING_AUTO_REPLY,	/* written by a machine: no effect (S-64) */
	INCOMING_UNREADABLE,	/* why says what stopped us; the mail is left alone */
	NINCOMING_KINDS,
};

enum incoming_verb {
	INCOMING_NO_VERB,
	INCOMING_UNSUBSCRIBE,
	INCOMING_PAUSE,
	INCOMING_RESUME,
	NINCOMING_VERBS,
};

/* Where a candidate stood. */
enum incoming_place {
	INCOMING_TO,		/* To, Cc */
	INCOMING_DELIVERED_TO,	/* Delivered-To, X-Original-To, Envelope-To and their kind, Received ... for */
	INCOMING_SUBJECT,	/* a word of it that has the form of a token */
	INCOMING_REPORTED,	/* the report names it as the sender of what it speaks of */
	INCOMING_RETURNED_PATH,	/* Return-Path of the mail that came back */
	INCOMING_RETURNED_ID,	/* its Message-ID, without < and > */
	INCOMING_RETURNED_LINK,	/* a word of its List-Unsubscribe that has the form of a token */
	NINCOMING_PLACES,
};

enum {
	MAX_INCOMING_RECIPIENTS = 20,	/* of one report; we send each mail to one */
	MAX_INCOMING_CANDIDATES = 32,	/* those in the form of a token push out others */
	INCOMING_TEXT_SIZE = 320,	/* a Message-ID, as MESSAGE_ID_SIZE */
};

struct incoming_candidate {
	uint32_t place;			/* enum incoming_place */
	char text[INCOMING_TEXT_SIZE];	/* "bounce+<token>@example.org", a Message-ID, or the token alone */
};

/* What a report says of one recipient. */
struct incoming_recipient {
	uint32_t fate;			/* BOUNCE, DELAYED, DELIVERED or COMPLAINT of enum incoming_kind */
	uint32_t class;			/* enum smtp_class; SMTP_CLASS_NONE unless fate is BOUNCE */
	uint32_t code;			/* of the SMTP reply, 200..599; 0 = none told */
	char status[12];		/* enhanced code (RFC 3463), "5.1.1"; "" = none told */
	char address[MAX_ADDRESS_BYTES + 1];	/* that the reporting host used; "" = not told */
	char original[MAX_ADDRESS_BYTES + 1];	/* that we used, where it says so (Original-Recipient); "" = not told */
	char reason[24];		/* one word: "userunknown", "mailboxfull"; never "" */
	char diagnostic[204];		/* the beginning of what was said; "" = nothing */
};

/* Told by the header of the mail. */
enum {
	INCOMING_AUTO_SUBMITTED = 1,	/* Auto-Submitted, and not "no" (RFC 3834) */
	INCOMING_AUTO_MARKED = 2,	/* another mark of an automatic reply, or its subject */
	INCOMING_FROM_LIST = 4,		/* came through a mailing list, or is one's mail */
	INCOMING_FROM_ROBOT = 8,	/* null return path, no-reply, mailer-daemon, Precedence: bulk: never answer it */
	INCOMING_APPLE = 16,		/* X-Apple-Unsubscribe: true (S-65) */
	INCOMING_CUT = 32,		/* it has more than MAX_INCOMING_BYTES; the rest was not read */
	INCOMING_SEALED = 64,		/* system calls of the child were filtered by the kernel */
	INCOMING_MORE = 128,		/* there were more recipients than fit */
	INCOMING_POISON = 256,		/* UNREADABLE since two children died of it, were late or wrote nonsense */
	INCOMING_ALL_FLAGS = 511,
};

struct incoming {
	uint32_t kind;			/* enum incoming_kind */
	uint32_t verb;			/* enum incoming_verb; of a REQUEST */
	uint32_t flags;
	uint32_t nrecipients, ncandidates;
	char message_id[INCOMING_TEXT_SIZE];	/* without < and >; "" = none */
	char from[MAX_ADDRESS_BYTES + 1];	/* mailbox; "" = none found */
	char reply_to[MAX_ADDRESS_BYTES + 1];	/* where an answer would go: Reply-To, else from */
	char subject[204];		/* its beginning, decoded */
	char reason[24];		/* of a FEEDBACK or COMPLAINT its Feedback-Type; else that of the first recipient, or "" */
	char why[204];			/* which rule decided, in words, for people */
	struct incoming_recipient recipients[MAX_INCOMING_RECIPIENTS];
	struct incoming_candidate candidates[MAX_INCOMING_CANDIDATES];
};

/* What incoming_screen counted; of the first MAX_INCOMING_BYTES. */
struct incoming_figures {
	size_t bytes;
	size_t header;			/* of the longest header block, of the mail or of a part */
	size_t nesting;			/* comments inside each other in a header field */
	size_t heap;			/* the same anywhere, for a parser that takes text for a header */
	size_t addresses;		/* separators in one header field of addresses */
	size_t parts, depth;		/* of multiparts and messages inside each other */
	size_t types;			/* lines that look like the type of a multipart or a message, anywhere */
	size_t line;			/* longest */
	size_t nuls;			/* in the header of the mail */
};

/*
 * Look a mail over before any parser may: linear time, constant memory, no recursion. All figures are bounded in limits.h.
 * out		gets the figures up to where the first bound was crossed; may be NULL
 * Fails with ERR_DATA, the figure and its bound.
 */
int	incoming_screen(const char *bytes, size_t len, struct incoming_figures *out, struct error *err);

/* The child that parses. One reads up to INCOMING_PER_CHILD mails, then or when it dies another takes its place. */
struct incoming_reader;
enum { INCOMING_PER_CHILD = 100 };

/*
 * Forks. The child closes all descriptors, but gets a copy of this process's memory: make the reader early, before there are
 * threads and much in memory, and above all before passwords and keys are read. Children that follow are forked when they
 * are needed.
 * Fails with ERR_IO or ERR_NOMEM.
 */
int	incoming_reader_new(struct incoming_reader **out, struct error *err);
/* Ends the child. */
void	incoming_reader_free(struct incoming_reader *r);

/*
 * Read one mail. A mail that is refused by the screen, kills the child, keeps it busy for too long or makes it write nonsense
 * is INCOMING_UNREADABLE, and the reader goes on with the next one. Before that a fresh child tries once more, since the fault
 * may be that of mails before it, or of a busy machine; and one must read a harmless mail.
 * Fails, with out untouched, only when no child can be had, or none that reads anything: ERR_IO.
 */
int	incoming_reader_read(struct incoming_reader *r, const char *bytes, size_t len, struct incoming *out,
	    struct error *err);

/* Whether a record keeps its own rules: members in range, strings terminated and printable. */
bool	incoming_is_sound(const struct incoming *in);

/*
 * The token that a candidate may hold: what follows the last '+' of its local part, else the whole local part, or the word
 * itself; in lower case. False when that has not the form of one. Only token_verify() knows whether it is one.
 */
bool	incoming_token(const struct incoming_candidate *c, char out[TOKEN_LEN + 1]);

/*
 * Read what a relay answered to a mail as what a report of a bounce says is read: code, enhanced code, class, reason,
 * diagnostic; fate is BOUNCE, and no address is told. Linear, and in this process: there is nothing in it to parse.
 */
void	incoming_judge_reply(const char *reply, struct incoming_recipient *out);

/* "bounce", "auto-reply": for --explain and --json. Stable. */
const char *incoming_kind_name(enum incoming_kind kind);
const char *incoming_verb_name(enum incoming_verb verb);
const char *incoming_place_name(enum incoming_place place);
/* "dead", "temporary", "policy", "ours", "unknown", "none". */
const char *incoming_class_name(enum smtp_class class);

#endif
