/* mailing.h - mail that comes back: bounces, complaints, and readers who ask by mail to leave, to pause or to go on. What a mail
 * says is read in a locked child (incoming.h), where it lies is a mailbox or standard input (mailbox.h), and what becomes of it
 * is decided here. Part of run.h, for the command line. */
#ifndef DIGEST_MAILING_H
#define DIGEST_MAILING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "digest/arena.h"
#include "digest/error.h"
#include "digest/run.h"
#include "digest/value.h"

/* What became of the mails of one reading. */
enum run_inbox_count {
	INBOX_COUNTED,		/* bounces, each of another delivery */
	INBOX_COMPLAINTS,
	INBOX_LEFT, INBOX_PAUSED, INBOX_RESUMED,	/* readers who asked for it */
	INBOX_REPEATED,		/* said what was known */
	INBOX_NO_EFFECT,	/* of ours or not, there was nothing to do */
	INBOX_UNREADABLE,
	INBOX_POISON,		/* the parser died of them */
	INBOX_ANSWERED,		/* readers who were told */
	INBOX_SUPPRESSED,	/* readers who are not mailed any more, by their bounces */
	INBOX_FULL,		/* readers who are left alone for a while, by their bounces */
	INBOX_COUNTS,
};
enum { RUN_INBOX_KINDS = 9 };	/* of mails, as incoming.h has them */

struct run_inbox {
	size_t nfound;		/* new mails that were there */
	size_t nread;		/* of them, by this reading */
	size_t nmarked;		/* flagged, moved or deleted */
	size_t kinds[RUN_INBOX_KINDS];
	size_t counts[INBOX_COUNTS];
	bool frozen;		/* bounces wait for a person, see struct run_inbox_state */
	char trouble[512];	/* why it ended early, or the first mail that could not be fetched or ended the parser; "" = nothing did */
};
/* The members that digest(1) lists under `mailbox`. */
struct value *run_inbox_value(const struct run_inbox *inbox, struct arena *a);
/* A line for each kind of mail, and for what was done. */
void	run_inbox_add_lines(const struct run_inbox *inbox, struct strbuf *out);

/* Whether the configuration says where mail comes back, for a run to read. */
bool	run_has_inbox(const struct run *run);
/* ... or that it is piped to us as it comes. Mails then say of whom they are. */
bool	run_has_returns(const struct run *run);
/*
 * Read what is new, act on it, mark what was acted on, answer, and score.
 * from_stdin	one mail, from standard input to its end, and not the mailbox of the configuration
 * Fails with ERR_NET, ERR_TEMP, ERR_CONFIG and ERR_IO as mailbox.h says, and for the store; inbox has what was done before.
 */
int	run_read_inbox(struct run *run, bool from_stdin, struct run_inbox *inbox, struct error *err);

/* A domain that gets no mail for a while, since it refuses ours by policy. */
struct run_refusing {
	const char *domain;
	const char *reply;	/* what was said last */
};

/* How things stand with it. */
struct run_inbox_state {
	int64_t read_utc;	/* when it was last read to the end; 0 = never */
	int64_t failing_since_utc;	/* 0 = it was */
	bool needs_person;	/* it does not come back by itself: the login, the certificate, the folder */
	const char *trouble;	/* why it could not be, "" = it could */
	int64_t frozen_since_utc;	/* since when scoring waits for a person; 0 = it does not */
	const char *frozen;	/* why, in a sentence */
	size_t nwaiting;	/* bounces that are not scored yet */
	size_t nbounced, ncomplained;	/* addresses that are not mailed any more for that */
	size_t npolicy, nours;	/* bounces of the last two days that say nothing of readers, but of us */
	const char *policy;	/* what the newest of them said, "" = there are none */
	struct run_refusing *refusing;
	size_t nrefusing;
};
int	run_load_inbox_state(struct run *run, struct arena *a, struct run_inbox_state *out, struct error *err);

/* Score what waits, whatever it looks like; forget: it never counts. *n = how many bounces that were. */
int	run_thaw(struct run *run, bool forget, size_t *n, struct run_inbox *inbox, struct error *err);

/* What outside mails said of one reader. */
struct run_returned {
	int64_t at_utc;
	const char *kind;	/* "bounce" (by mail), "refusal" (by a relay we spoke to), "complaint", "unsubscribe", "pause", "resume" */
	const char *class;	/* of a bounce or refusal "dead", "temporary", "policy", "ours", "unknown"; else "" */
	char period[32];	/* of the edition it is about, "" = none is told */
	const char *status, *reply, *decided;
	bool waits;		/* to be scored */
};
struct run_score {
	const char *address;
	double points;
	int64_t expires_utc;	/* when they end without another bounce; 0 = there are none */
	const char *next;	/* what would happen next, in words */
	struct run_returned *reasons;	/* the newest first */
	size_t nreasons;
};
/* Each reader with a bounce of the last 90 days, or the one named (ERR_USAGE for somebody who is no reader). What visit gets lives until
 * it returns; stops when that is not 0, and returns it. */
int	run_each_score(struct run *run, const char *address, int (*visit)(void *arg, const struct run_score *s), void *arg,
	    struct error *err);
/* All that is known of one reader, the newest first. */
int	run_load_returned(struct run *run, int64_t reader, size_t max, struct arena *a, struct run_returned **out, size_t *n,
	    struct error *err);
struct value *run_returned_value(const struct run_returned *r, struct arena *a);

/* How one mail is read, and what would be done about it; nothing is. The store is open as an overlay. path "-" is standard
 * input. */
int	run_explain_mail(struct run *run, const char *path, struct arena *a, struct value **out, struct error *err);

#endif
