/* bounces.h - what bounces say of an address, in points. Pure: no store, no clock.
 *
 * A mail that could not be delivered because nobody is there counts 1, at most once a day and not within 12 hours of another
 * (a fault around midnight is one); one that a full or unreachable
 * mailbox did not take 0.25, at most once a day; one of which nobody can tell why 0.25 in all. What is refused for who we are
 * or what we write says nothing of the reader and counts 0. A mail that was not returned within three days halves the points,
 * and 30 days without a bounce end them. At 2 points, one of them of a dead address, the address is not mailed any more: so
 * never for the fault of a single day. One that is full on 7 days within 14 is left alone for 14 days, then tried, and if
 * it is full still for 30. */
#ifndef DIGEST_RUN_BOUNCES_H
#define DIGEST_RUN_BOUNCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "digest/smtp.h"
#include "digest/returned.h"

enum {
	BOUNCE_EXPIRY_DAYS = 30,	/* points end so long after the last bounce */
	BOUNCE_SUCCESS_DAYS = 3,	/* a mail that is not back by then has arrived */
	BOUNCE_TOKEN_DAYS = 30,		/* no relay tries for longer: a return of an older mail says nothing */
	BOUNCE_KNOWN_DAYS = 90,		/* how far back anything counts: a pause of 30 days, and the tries after it */
	BOUNCE_FULL_DAYS = 7, BOUNCE_FULL_WITHIN = 14,
	BOUNCE_FIRST_PAUSE = 14, BOUNCE_LATER_PAUSE = 30,	/* days */
	BOUNCE_APART_S = 12 * 3600,	/* two of a dead address */
	BREAKER_LEAST = 5, BREAKER_PERCENT = 5, BREAKER_SPAN_S = 3600,
};
#define BOUNCE_LIMIT 2.0

enum bounce_verdict { BOUNCE_GO_ON, BOUNCE_PAUSE, BOUNCE_SUPPRESS };

struct bounce_score {
	double points;		/* as of now; in quarters and their halves, so exact */
	bool has_dead;		/* one of them at least is of a dead address */
	unsigned nfull;		/* days of the last 14 on which it was full or out of reach, since a pause */
	int64_t expires_utc;	/* when the points end without another bounce; 0 = there are none */
	enum bounce_verdict verdict;
	int pause_days;		/* of BOUNCE_PAUSE */
};

/*
 * Score one reader.
 * bounces	counted bounces of the last BOUNCE_KNOWN_DAYS, the newest first, as the store loads them; other kinds and those
 *		that do not count are passed over
 * deliveries	editions of that time, in any order
 */
void	bounces_score(const struct store_returned *bounces, size_t nbounces, const struct store_delivery *deliveries,
	    size_t ndeliveries, int64_t now_utc, struct bounce_score *out);

/* So many of an edition's readers cannot all have gone within an hour: rather a relay is broken. */
bool	bounces_are_too_many(size_t ndead, size_t nsent);

/* Whether it is a bounce, whichever way it came. */
bool	bounces_is_one(const struct store_returned *r);
/* What a refusal counts as; of SMTP_CLASS_NONE and what is none BOUNCE_UNKNOWN. */
enum bounce_class	bounces_class_of(uint32_t class);
/* "dead", "temporary", "policy", "ours", "unknown". */
const char *bounces_class_name(enum bounce_class class);

#endif
