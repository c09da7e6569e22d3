#include "digest/clock.h"

#include <time.h>

int64_t
clock_now_utc(const struct clock *clock)
{
	struct timespec ts;

	if (clock->frozen)
		return clock->frozen_utc;
	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec;
}

int64_t
clock_now_ms(const struct clock *clock)
{
	struct timespec ts;

	if (clock->frozen)
		return clock->frozen_utc * 1000;
	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t
clock_monotonic_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}
