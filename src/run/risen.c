#include "stages.h"

int
risen_go_back(struct run *run, const struct paper *p, int64_t at_utc, struct arena *a,
    struct paper *then, struct error *err)
{
	struct store_signal *signals;
	size_t n;

	*then = *p;
	if (store_load_signals(run->store, p->id, a, &signals, &n, err) == -1)
		return -1;
	then->votes = then->comments = then->stars = -1;
	for (size_t i = 0; i < n && signals[i].at_utc <= at_utc; i++) {
		if (signals[i].votes >= 0)
			then->votes = signals[i].votes;
		if (signals[i].comments >= 0)
			then->comments = signals[i].comments;
		if (signals[i].stars >= 0)
			then->stars = signals[i].stars;
	}
	return 0;
}

/* Whether it counted as listed at that time: 1, 0 or -1. */
static int
was_listed(
    struct run *run, const struct paper *p, int64_t at_utc, struct arena *a, struct error *err)
{
	struct store_listing *listings;
	size_t n;

	if (p->first_listed_utc > at_utc)
		return 0;
	if (store_load_listings(run->store, p->id, a, &listings, &n, err) == -1)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (listings[i].counted && listings[i].counts_utc <= at_utc)
			return 1;
	return 0;
}

int
risen_judge(struct run *run, struct match_index *index, const struct program *program,
    uint32_t number, const struct paper *p, int64_t last_utc, struct arena *a, struct error *err)
{
	struct paper then;
	bool held;
	int listed;

	if (last_utc == 0 || !match_reads_signals(program))
		return 0;
	if ((listed = was_listed(run, p, last_utc, a, err)) != 1)
		return listed;
	if (risen_go_back(run, p, last_utc, a, &then, err) == -1 ||
	    match_held(index, program, number, &then, last_utc, a, &held, err) == -1)
		return -1;
	return held ? 0 : 1;
}
