/* limit.h - how many mails may leave by one account: evenly by its rate, and at most so many in a day. A mail counts when it
 * is handed to the way out, whatever becomes of it there. Time is given by the caller; nothing here reads a clock. */
#ifndef DIGEST_RUN_LIMIT_H
#define DIGEST_RUN_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct limit {
	int64_t gap_us;		/* from one mail to the next; 0 = no rate */
	int64_t slack_us;	/* how far ahead of that one may be: the burst, LIMIT_BURST_MS of the rate */
	uint32_t daily;		/* in a day of UTC; 0 = any */
	int64_t next_us;	/* when the turn of the next mail is, since 1970 */
	int64_t day;		/* since 1970, in which count mails have left */
	uint32_t count;
};

enum {
	LIMIT_BURST_MS = 10,	/* what comes late by so much is made up for: a loop wakes to the millisecond */
	LIMIT_AHEAD_MS = 5000,	/* for so long mails are made and set aside at once */
	LIMIT_NOTE_SIZE = 80,
};

/*
 * rate		"600/min" as the configuration has it, "" = none: in no such time do more leave
 * daily	0 = any number
 */
void	limit_init(struct limit *l, const char *rate, uint32_t daily);
bool	limit_is_set(const struct limit *l);

/* Go on from what an earlier run noted, "" = nothing. What only a clock that ran ahead can have written is not believed. */
void	limit_restore(struct limit *l, const char *note, int64_t now_us);
/* The note, as if nreserved more mails had left: one that is written before they do is never too small. */
void	limit_format(const struct limit *l, int64_t now_us, size_t nreserved, char out[LIMIT_NOTE_SIZE]);

/* Whether the next mail may leave. False: *again_us is when, INT64_MAX = not on this day. */
bool	limit_allows(const struct limit *l, int64_t now_us, int64_t *again_us);
/* It leaves. */
void	limit_take(struct limit *l, int64_t now_us);
/* Of max mails, how many to make ready now: at least 1 unless none may leave on this day. */
size_t	limit_room(const struct limit *l, int64_t now_us, size_t max);

/* How many more may leave on this day; SIZE_MAX = any number. */
size_t	limit_left(const struct limit *l, int64_t now_us);

#endif
