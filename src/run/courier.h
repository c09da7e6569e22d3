/* courier.h - what deliver.c and lane.c share: the work of one sending run. Each way out has a lane of its own, with the mails
 * that are made ready for it, so that none waits for another. */
#ifndef DIGEST_RUN_COURIER_H
#define DIGEST_RUN_COURIER_H

#include <pthread.h>

#include "digest/mailing.h"
#include "run/limit.h"
#include "run/routes.h"
#include "run/stages.h"

enum {
	/* Editions planned, composed and leased in one transaction, which waits for the disk. As many are made while these leave:
	 * twice as many would save 40 syncs in 10,000 mails, and take 30 MB more. */
	BATCH_MAILS = 128,
	LANE_VIA_SIZE = 256,
};

/* A reader who is due. There may be a million of them, so that it has 16 bytes, and all else is found again when the turn comes. */
struct turn {
	uint64_t reader : 48, lane : 16;
	uint32_t period;
	int32_t waits_since_min; /* see struct due */
};

/* A deferred edition that is due again. */
struct retry {
	int64_t period, reader;
	unsigned lane;
};

/* Mails that are leased; what they consist of lives in the batch that made them, or in the lane's arena. */
struct stock {
	struct batch *batch;
	struct composed mails[BATCH_MAILS];
	size_t n, next;			/* those before next were handed out */
};

/* Mails for one way out, a batch at a time: first those that were deferred, then the new ones. */
struct lane {
	const struct config_smtp *smtp;	/* NULL in a preview, which has one lane for all ways */
	char via[LANE_VIA_SIZE];	/* "main (smtp.example.org:465, TLS)" */
	struct limit limit;
	bool over;			/* the limit leaves nothing more to this run; that was told */

	size_t next_retry;		/* in the courier's */
	size_t next_turn, end_turn;	/* its part of the courier's */

	struct stock stocks[2];		/* the mails at hand, and those that are made and leased meanwhile */
	unsigned at;			/* the former */
	size_t nmaking;			/* readers the latter is being made for, 0 = nothing is */
	bool leased;			/* it is made, and its lease is on the way to the disk */
	struct arena arena;		/* of mails that are tried again, and of the lease */
	bool rehashed;			/* of a mail that is tried again the bytes are others now */
};

struct courier {
	struct run *run;
	const struct run_options *options;
	struct run_report *report;
	struct planner *planner;
	struct composer *composer;
	int64_t now_utc, run_id;
	int64_t start_us;    /* since 1970, of the monotonic moment start_ms */
	int64_t start_ms;
	int64_t deadline_ms; /* monotonic: what is not on its way by then waits for the next run */
	int64_t look_ms;     /* monotonic: when to look for the brake again */
	bool held;	     /* it is on */
	bool stopped;	     /* and that was told */
	int64_t others_ms;   /* monotonic: when to look again whether others write to the store */
	bool others_wrote;   /* they did, since this run began */

	struct run_refusing *refusing; /* domains that get no mail now; in the report's arena */
	size_t nrefusing;

	struct routes routes;
	struct lane *lanes;
	unsigned nlanes;

	struct turn *turns; /* of the readers who are due; in the order of the readers, then of the lanes */
	size_t nturns, turns_alloc;
	int64_t since_utc; /* the oldest moment any of them looks back to */
	struct retry *retries;
	size_t nretries, retries_alloc;

	struct batch_settings settings;
	struct pool *pool;
	pthread_mutex_t planning, lock;	/* see batch_settings; lock is that of the store */
	struct batch *running;	/* that batch, NULL = none */
	size_t nbegun; /* of the turns */
	size_t *counts;	/* readers with a mail, by smtp block */
	size_t nwayless; /* readers whose domain no smtp block takes */
	struct arena scratch;
	char broken[512]; /* the first digest that cannot be made, and why; "" = none */
};

/* ---- deliver.c ---- */

int	courier_skip(struct courier *c, const struct store_reader *reader, enum run_skip why, int64_t next_utc,
	    struct error *err);
/* This digest fails closed, the others go on; it is due as long as it has not gone out. */
void	courier_note_broken(struct courier *c, const struct store_reader *reader, const char *why);
/* A signal came, the time of this run is up, or a person stopped all mail. */
bool	courier_must_stop(struct courier *c);

/* ---- recheck.c ---- */

/* The run leases from now on. */
int	courier_watch_others(struct courier *c, struct error *err);
/* Whether a leased mail is still to leave. If its reader is not mailed any more, the edition is settled and counted as left
 * out. */
bool	courier_is_wanted(struct courier *c, int64_t period, int64_t reader);

/* An edition was deferred. If it is tried for longer than delivery.max-age, and does not expire since a copy may be out, it is
 * held from now on. */
int	courier_hold_stale(struct courier *c, const struct delivery_outcome *o, int64_t now_utc, struct error *err);

/* ---- lane.c ---- */

/* smtp NULL: of a preview. The limits go on from the last run. */
int	lane_init(struct courier *c, struct lane *l, const struct config_smtp *smtp, struct error *err);
void	lane_release(struct lane *l);
/* What the configuration allows a way out, going on from what earlier runs used; now_us -1 = afresh. */
int	lane_load_limit(struct run *run, const struct config_smtp *smtp, int64_t now_us, struct limit *out, struct error *err);
/* How many mails it has not handed out. */
size_t	lane_count_left(const struct courier *c, const struct lane *l);
/* As delivery_queue.next. */
int	lane_next(struct courier *c, struct lane *l, struct delivery *out, struct error *err);
/* The run is over: what the limits reserved and did not use is given back. */
int	lane_close(struct courier *c, struct lane *l, struct error *err);

#endif
