/* pace.h - how fast the mails of one account go to each recipient domain: slowly at first, faster as they are taken, slower
 * when the other side says so. Time is given by the caller. */
#ifndef DIGEST_MAIL_PACE_H
#define DIGEST_MAIL_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "digest/map.h"

enum {
	PACE_MOST = 5,		/* mails under way to one domain; 1 at first */
	PACE_STEP = 20,		/* mails taken, for one more of these */
	PACE_SLOW_ROW = 5,	/* answers in a row that we are too fast, for a pause */
	PACE_PAUSE_S = 600,
	PACE_POLICY_ROW = 20,	/* refusals by policy or for the content in a row, for the end of the run for that domain */
	PACE_MAX_DOMAINS = 100000,	/* kept apart; the others share what is known of the last one */
};

enum pace_verdict {
	PACE_GO,
	PACE_WAIT,	/* as many are under way as may be */
	PACE_REFUSE,	/* not in this run, or not soon */
};

struct pace_domain {
	char *name;
	char *why;		/* the answer that stopped it, NULL = none did */
	unsigned under_way, most;
	unsigned ntaken;	/* since most changed */
	unsigned nslow, npolicy;	/* in a row */
	int64_t until_ms;	/* monotonic; of a pause. INT64_MAX = to the end of the run */
};

struct pace {
	bool limited;		/* false: only refusals by policy count, as of a relay on this machine */
	double scale;		/* of PACE_PAUSE_S */
	struct map numbers;	/* of domains, by name */
	struct pace_domain **domains;
	size_t ndomains, alloc;
	size_t refusing[PACE_MOST];	/* which domains refused by policy since a mail was taken */
	unsigned nrefusing;
};

void	pace_init(struct pace *p, bool limited, double scale);
void	pace_release(struct pace *p);
/* Forget all, for another run. */
void	pace_reset(struct pace *p);

/* Whether a mail to that mailbox may go now. PACE_REFUSE: *why is the answer that others got, borrowed until the next call. */
enum pace_verdict pace_ask(struct pace *p, const char *mailbox, int64_t now_ms, const char **why);
/* It goes. */
void	pace_begin(struct pace *p, const char *mailbox);
/* It came back unasked, and may go again. */
void	pace_cancel(struct pace *p, const char *mailbox);
/* It was answered: reply as the server gave it ("451 4.7.0 slow down"), or a reason of our own. */
void	pace_end(struct pace *p, const char *mailbox, const char *reply, int64_t now_ms);
/* How many domains, PACE_MOST at most, refused mail by policy since one was taken last. */
unsigned pace_count_refusing(const struct pace *p);

#endif
