/* sink.h - where finished mails go: a Maildir, SMTP, sendmail, a preview. All sinks pull: they ask for the next mail when
 * they can take one, say when one is about to leave for good, and tell what became of it. The accounting is the
 * caller's, so that no sink knows the store. */
#ifndef DIGEST_SINK_H
#define DIGEST_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "digest/error.h"
#include "digest/limits.h"
#include "digest/strbuf.h"

enum outcome {
	OUTCOME_SENT,		/* accepted for good */
	OUTCOME_DEFERRED,	/* not now; nothing was delivered */
	OUTCOME_FAILED,		/* refused for good */
	OUTCOME_UNKNOWN,	/* the link died between the final dot and the answer */
};

/* One mail on its way. */
struct delivery {
	int64_t period, reader;	/* the edition it belongs to */
	unsigned lane;		/* that it was pulled from; the queue fills it, its outcome tells it */
	char sender[MAX_ADDRESS_BYTES + 1];	/* of the envelope, a mailbox; "" = the null return path */
	char to[MAX_ADDRESS_BYTES + 1];	/* envelope recipient, a mailbox that passed the address gate */
	bool needs_smtputf8;	/* its local part is not ASCII */
	int64_t again_ms;	/* of QUEUE_LATER: monotonic, when to ask again */
	struct strbuf bytes;	/* the whole mail with CRLF; the sink does dot-stuffing where its protocol needs it */
};

struct delivery_outcome {
	int64_t period, reader;
	unsigned lane;
	enum outcome outcome;
	char reply[512];	/* the last answer, printable, "" = none */
};

/* What asking for the next mail brought. */
enum { QUEUE_EMPTY, QUEUE_MAIL, QUEUE_LATER };

/* What a sink works through: mails in lanes, one for each way out, so that none waits for another. */
struct delivery_queue {
	void *arg;
	/* Fill out (its bytes are reset before) with the next mail of a lane: QUEUE_MAIL; QUEUE_LATER = none may leave before
	 * out->again_ms; QUEUE_EMPTY = none is left; -1 = error, stop. */
	int (*next)(void *arg, unsigned lane, struct delivery *out, struct error *err);
	/* Asked of a mail just before it begins to leave, if it was not handed out in this moment: false = it is not wanted any
	 * more; the queue knows of its outcome, none is told. NULL = all are. */
	bool (*is_wanted)(void *arg, const struct delivery *mail);
	/* These n mails are about to leave for good. Must be durable when it returns 0; on -1 they must not leave. */
	int (*intend)(void *arg, const struct delivery *const *mails, size_t n, struct error *err);
	/* What became of n mails. */
	int (*settle)(void *arg, const struct delivery_outcome *outcomes, size_t n, struct error *err);
	/* Both for different mails, as one: what became of some, and which are about to leave; each may be none. A sink that
	 * works on many at once calls it instead of the two, so that a turn of its loop costs one commit. NULL = it may not. */
	int (*account)(void *arg, const struct delivery_outcome *outcomes, size_t noutcomes,
	    const struct delivery *const *mails, size_t nmails, struct error *err);
	/* Whether nothing more is to leave, asked again and again while a sink waits, for whatever; NULL = never. What has its
	 * dot out is finished; what has not is DEFERRED with sink_halted as its reply. */
	bool (*must_stop)(void *arg);
	/* The way out of a lane is closed for this run, its mails stay in the queue, other lanes go on. NULL: sink_run fails with
	 * the first one's error at its end. */
	void (*stopped)(void *arg, unsigned lane, const struct error *why);
};

/* Why a mail that was on its way did not leave: queue->must_stop. */
extern const char sink_halted[];

struct sink;

struct sink_ops {
	/* Work through the queue until it is empty. -1 when the sink or the queue failed as a whole. */
	int (*run)(struct sink *sink, const struct delivery_queue *queue, struct error *err);
	void (*free)(struct sink *sink);
};

struct sink {
	const struct sink_ops *ops;
	unsigned lane;	/* it works through; 0 until its owner says otherwise. One with several ways out has a lane for each */
};

/*
 * A Maildir (the folders tmp, new and cur are made when missing, mode 0700): each mail is written to tmp with LF line
 * ends, as delivery agents do, synced and renamed into new. Its name is "<Date in seconds>.<hash of its Message-ID>.digest":
 * a second delivery of the same mail replaces the first as long as no mail reader has moved it.
 * Mails go in batches of up to MAILDIR_BATCH: one intend, the renames, one sync of the folder, one settle. A full or
 * failing disk (also a file size limit) defers the mail it meets and the others go on.
 * Fails with ERR_IO when a folder cannot be made or opened.
 */
enum { MAILDIR_BATCH = 64 };
int	sink_open_maildir(const char *path, struct sink **out, struct error *err);

/* Work through the queue; see sink_ops. */
int	sink_run(struct sink *sink, const struct delivery_queue *queue, struct error *err);
void	sink_free(struct sink *sink);
/* For a sink that hands over one mail after the other: queue->next, but waits where that says QUEUE_LATER. */
int	sink_wait_next(const struct sink *sink, const struct delivery_queue *queue, struct delivery *out, struct error *err);

#endif
