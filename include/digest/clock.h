/* clock.h - the only clock. Wall time can be frozen (--now, tests); waiting uses monotonic time, which
 * never is. */
#ifndef DIGEST_CLOCK_H
#define DIGEST_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct clock {
	bool frozen;
	int64_t frozen_utc;	/* seconds since 1970-01-01T00:00:00Z */
};

/* Seconds since 1970-01-01T00:00:00Z. */
int64_t	clock_now_utc(const struct clock *clock);
/* The same in milliseconds. */
int64_t	clock_now_ms(const struct clock *clock);
/* Milliseconds since some fixed moment; only differences mean something. */
int64_t	clock_monotonic_ms(void);

#endif
