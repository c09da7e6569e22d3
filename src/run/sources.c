#include "stages.h"
#include "digest/file.h"

#include <string.h>

enum { DAY_SECONDS = 86400 };

/* When a run may ask again. What the service itself asked for holds for all sources that share it. */
static int
find_next(struct run *run, const struct config_source *cfg, struct run_source_status *s,
    int64_t now_utc, struct error *err)
{
	const struct source_type *type = source_type_find(cfg->type, err);
	int64_t interval_s, pause_utc = 0;

	if (type == NULL)
		return -1;
	interval_s = cfg->interval_s >= 0 ? cfg->interval_s : type->interval_s;
	if (s->state->last_try_utc != 0 && s->state->nfailures == 0)
		s->next_utc = s->state->last_try_utc + interval_s;
	if (s->state->next_allowed_utc > s->next_utc)
		s->next_utc = s->state->next_allowed_utc;
	if (type->service[0] != '\0' &&
	    store_find_delay(run->store, type->service, &pause_utc, err) == -1)
		return -1;
	if (pause_utc > s->next_utc)
		s->next_utc = pause_utc;
	if (s->next_utc <= now_utc)
		s->next_utc = 0;
	return 0;
}

static int
count_days(struct run *run, struct run_source_status *s, struct arena *a, struct error *err)
{
	int32_t first = s->today - RUN_STATUS_DAYS + 1;
	struct store_day *days;
	size_t n;

	if (store_load_days(run->store, s->name, first, a, &days, &n, err) == -1)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (days[i].day >= first && days[i].day <= s->today)
			s->counts[days[i].day - first] = days[i].nlisted;
	return 0;
}

static int
complete_source(struct run *run, const struct config_source *cfg, struct run_source_status *s,
    struct arena *a, struct error *err)
{
	int64_t now_utc = clock_now_utc(&run->clock);
	struct paper *newest = NULL;

	s->today = (int32_t)(now_utc / DAY_SECONDS);
	if (s->state == NULL)
		return 0;
	if (store_count_listed(run->store, s->name, &s->npapers, err) == -1 ||
	    count_days(run, s, a, err) == -1 || find_next(run, cfg, s, now_utc, err) == -1)
		return -1;
	if (s->state->newest[0] != '\0' &&
	    store_find_paper(run->store, s->state->newest, a, &newest, err) == -1)
		return -1;
	s->newest = newest;
	return 0;
}

int
run_load_sources(
    struct run *run, struct arena *a, struct run_source_status **out, size_t *n, struct error *err)
{
	struct run_status status;

	memset(&status, 0, sizeof(status));
	status.has_store = file_exists(run->cfg->store.path);
	if (status.has_store && run_open_store(run, err) == -1)
		return -1;
	if (status_load_sources(run, a, &status, err) == -1)
		return -1;
	for (size_t i = 0; i < status.nsources; i++)
		if (complete_source(run, &run->cfg->sources[i], &status.sources[i], a, err) == -1)
			return -1;
	*out = status.sources;
	*n = status.nsources;
	return 0;
}
