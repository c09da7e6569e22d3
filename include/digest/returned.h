/* returned.h - what the store remembers of mails from outside that had an effect, or may come to have one, and of the editions
 * they speak of: src/store/incoming.c. As store.h. */
#ifndef DIGEST_RETURNED_H
#define DIGEST_RETURNED_H

#include "digest/store.h"

/* The numbers stand in the store. */
enum returned_kind {
	RETURNED_BOUNCE = 1,	/* came back by mail */
	RETURNED_COMPLAINT, RETURNED_UNSUBSCRIBE, RETURNED_PAUSE, RETURNED_RESUME,
	RETURNED_REFUSAL,	/* a bounce as well: the relay refused it while we spoke to it */
};
enum bounce_class {
	BOUNCE_DEAD = 1,	/* nobody can be reached there */
	BOUNCE_TEMPORARY,	/* full, or not reached for as long as was tried */
	BOUNCE_POLICY,		/* the sender, the way or the content is not wanted */
	BOUNCE_OURS,		/* too long, or not understood */
	BOUNCE_UNKNOWN,
};
enum returned_count {
	COUNT_WAITS,	/* to be scored */
	COUNT_DONE,
	COUNT_NEVER,	/* a person said that it says nothing of the reader */
};

enum { RETURNED_ID_SIZE = 16 };

struct store_returned {
	unsigned char id[RETURNED_ID_SIZE];	/* the same for mails that say the same of the same */
	int64_t reader, period;	/* period 0 = no edition is told */
	int64_t at_utc;		/* when it was read */
	enum returned_kind kind;
	enum bounce_class class;	/* of a bounce */
	const char *status;	/* "5.1.1", "" = not told */
	const char *reply;	/* the beginning of what was said, for as long as answers of relays are kept */
	const char *decided;	/* what was done, in words */
	enum returned_count counted;
	bool answered;		/* the reader was told */
	int32_t paused_until;	/* day until which it made the reader pause; 0 = it did not */
};
/* 1 = added (but for paused_until), 0 = one of this id is there and stays as it is, -1. */
int	store_add_returned(struct store *store, const struct store_returned *r, struct error *err);
/* Those read at or after since_utc, of one reader or all (0), at most max; the newest first, in a. */
int	store_load_returned(struct store *store, int64_t reader, int64_t since_utc, size_t max, struct arena *a,
	    struct store_returned **out, size_t *n, struct error *err);
/* The next reader after this number who has some; waiting: some that wait to be scored. 1, 0 = none, -1. */
int	store_next_returned(struct store *store, bool waiting, int64_t after, int64_t *reader, struct error *err);
/* All of a reader's that wait are counted from now on. */
int	store_count_returned(struct store *store, int64_t reader, struct error *err);
/* What was done about one. */
int	store_decide_returned(struct store *store, const unsigned char id[RETURNED_ID_SIZE], const char *decided,
	    int32_t paused_until, struct error *err);
/* None of those that wait ever counts; *n = how many they were. */
int	store_forget_returned(struct store *store, const char *decided, size_t *n, struct error *err);
int	store_count_waiting_returned(struct store *store, size_t *n, struct error *err);
/* Bounces of a class that were read at or after since_utc. */
int	store_count_bounces(struct store *store, enum bounce_class class, int64_t since_utc, size_t *n, struct error *err);
/* Domains with at least least bounces of a class that came by mail and were read at or after since_utc; in a. */
int	store_load_bounced_domains(struct store *store, enum bounce_class class, int64_t since_utc, size_t least,
	    struct arena *a, const char ***out, size_t *n, struct error *err);
/*
 * Whether of the mails to a domain so many in a row, as they left, came back with a bounce of a class; looked at are the
 * editions of which one such bounce was read at or after since_utc. 1, and *reply is what the last of them said, in a; 0; -1.
 */
int	store_find_row(struct store *store, enum bounce_class class, const char *domain, int64_t since_utc, size_t row,
	    struct arena *a, const char **reply, struct error *err);
/* Whether the reader was told of something after since_utc: 1, 0, -1. */
int	store_was_answered(struct store *store, int64_t reader, int64_t since_utc, struct error *err);
/* Editions with at least least bounces of dead addresses that were read at or after since_utc and may count; at most max. */
struct store_dead {
	int64_t period;
	size_t ndead;
};
int	store_load_dead(struct store *store, int64_t since_utc, size_t least, struct store_dead *out, size_t max, size_t *n,
	    struct error *err);

/* An edition as far as bounces need it. */
struct store_delivery {
	int64_t period;
	int64_t composed_utc, tried_utc;	/* tried_utc 0 = no outcome was told */
	bool is_out;		/* a copy arrived at a relay, or may have */
};
/* 1, 0 = there is no such edition, -1. */
int	store_find_delivery(struct store *store, int64_t period, int64_t reader, struct store_delivery *out,
	    struct error *err);
/* Those of a reader that were composed at or after since_utc, in a. */
int	store_load_deliveries(struct store *store, int64_t reader, int64_t since_utc, struct arena *a,
	    struct store_delivery **out, size_t *n, struct error *err);
/* How many readers' mails of a period are out, or were refused for good. Reads all of them. */
int	store_count_deliveries(struct store *store, int64_t period, size_t *n, struct error *err);
int	store_count_suppressed(struct store *store, enum suppression_reason reason, size_t *n, struct error *err);

#endif
