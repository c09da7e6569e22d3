#include "stages.h"
#include "digest/limits.h"

enum { DAY_SECONDS = 86400, RECENT_DAYS = 3 };

int64_t
settle_time_of(const struct config_source *source)
{
	const struct source_type *type = source_type_find(source->type, NULL);
	int64_t settle_s = source->settle_s;

	if (settle_s < 0 && type != NULL)
		settle_s = type->settle_s;
	return settle_s > 0 ? settle_s : 0;
}

/*
 * The days of a source that may have to wait, and those that waited and have filled up. Only the newest half-filled day can
 * be held: the one before it has been waited for since a day.
 */
static int
hold_half_days(struct run *run, const struct config_source *source, const struct half_day *half,
    int64_t now_utc, struct arena *a, size_t *nheld, struct error *err)
{
	int32_t oldest = (int32_t)(now_utc / DAY_SECONDS) - RECENT_DAYS + 1;
	struct store_day *days;
	size_t n;

	if (store_load_days(run->store, source->name, oldest, a, &days, &n, err) == -1)
		return -1;
	for (size_t i = 0; i < n; i++) {
		bool held = half->held && half->day == days[i].day;
		int64_t counts_utc = (int64_t)days[i].day * DAY_SECONDS + settle_time_of(source);
		size_t nchanged;

		if (days[i].ncounted == days[i].nlisted)
			continue;
		if (store_postpone_listings(run->store, source->name, days[i].day,
			held ? half->until_utc : counts_utc, &nchanged, err) == -1)
			return -1;
		if (held)
			*nheld += nchanged;
	}
	return 0;
}

static int
settle(
    struct run *run, int64_t now_utc, struct arena *a, struct run_report *report, struct error *err)
{
	const struct config *cfg = run->cfg;
	struct source_silence *before;

	report->nheld = 0;
	if (silence_of_all(run, now_utc, a, &before, err) == -1)
		return -1;
	for (size_t i = 0; i < cfg->nsources; i++)
		if (hold_half_days(run, &cfg->sources[i], &before[i].half, now_utc, a,
			&report->nheld, err) == -1)
			return -1;
	return store_settle_listings(run->store, now_utc, &report->nsettled, err);
}

int
settle_listings(struct run *run, int64_t now_utc, struct run_report *report, struct error *err)
{
	struct arena a;
	int rc = -1;

	arena_init(&a, MAX_RUN_BYTES);
	if (store_begin(run->store, err) == 0)
		rc = store_end(run->store, settle(run, now_utc, &a, report, err), false, err);
	arena_release(&a);
	if (rc == -1 ||
	    store_count_waiting(run->store, &report->nwaiting, &report->next_settled_utc, err) ==
		-1)
		return -1;
	return silence_of_all(run, now_utc, &report->arena, &report->silences, err);
}

int
settle_now(struct run *run, int64_t now_utc, struct error *err)
{
	size_t nsettled;

	if (store_begin(run->store, err) == -1)
		return -1;
	return store_end(
	    run->store, store_settle_listings(run->store, now_utc, &nsettled, err), false, err);
}
