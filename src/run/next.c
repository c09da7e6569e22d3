#include "run/routes.h"
#include "run/stages.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
	DAY_SECONDS = 86400,
	HOUR_SECONDS = 3600,
	MINUTE_SECONDS = 60,
	LONG_WAIT_S = HOUR_SECONDS + 5 * MINUTE_SECONDS, /* cron every hour is often enough */
	LATE_DAYS = 7,					 /* waits before that are history */
	MAX_RUNS = 1440, /* looked at: one every ten minutes for more than a week */
};

void
run_format_wall(const struct run *run, const char *zone, int64_t utc, char *out, size_t size)
{
	const char *name = "UTC";
	const struct tz *tz;
	struct civil c;
	bool stands_in;
	int32_t day;

	if ((tz = zones_get_any(run, zone, &stands_in, NULL)) == NULL) {
		date_civil(utc, &c);
	} else {
		tz_local(tz, utc, &c, NULL, NULL);
		name = tz_name(tz);
	}
	day = date_day(c.year, c.month, c.day);
	snprintf(out, size, "%s %d %s %02d:%02d %s", date_weekday_name(date_weekday(day)), c.day,
	    date_month_name(c.month - 1), c.hour, c.minute, name);
}

void
run_format_span(int64_t seconds, char *out, size_t size)
{
	int64_t span = seconds < 0 ? -seconds : seconds;
	const char *unit = "min";
	int64_t n = (span + MINUTE_SECONDS / 2) / MINUTE_SECONDS;

	if (span >= 2 * DAY_SECONDS) {
		n = span / DAY_SECONDS;
		unit = "days";
	} else if (span >= 2 * HOUR_SECONDS) {
		n = span / HOUR_SECONDS;
		unit = "h";
	}
	if (span < MINUTE_SECONDS)
		snprintf(out, size, "now");
	else if (seconds < 0)
		snprintf(out, size, "%" PRId64 " %s ago", n, unit);
	else
		snprintf(out, size, "in %" PRId64 " %s", n, unit);
}

struct search {
	struct run *run;
	struct run_next *next;
	struct arena *arena;
	int64_t now_utc;
	struct routes routes;
	size_t *counts;		/* active readers, by smtp block */
	struct store_run *runs; /* the newest first */
	size_t nruns;
};

/* How long the reader waited for the first run after the last hour chosen, or waits still. */
static void
note_wait(struct search *s, const struct store_reader *reader)
{
	int64_t due_utc = due_last_hour(s->run, reader, s->now_utc), first_utc = s->now_utc;
	size_t i = 0;

	if (due_utc == 0 || due_utc < s->now_utc - (int64_t)LATE_DAYS * DAY_SECONDS)
		return;
	for (; i < s->nruns && s->runs[i].started_utc >= due_utc; i++)
		first_utc = s->runs[i].started_utc;
	/* Which was the first one is not known of so many. */
	if (i == MAX_RUNS || first_utc - due_utc <= LONG_WAIT_S)
		return;
	s->next->nlate++;
	if (first_utc - due_utc > s->next->longest_wait_s)
		s->next->longest_wait_s = first_utc - due_utc;
}

static int
note_pause(struct search *s, const struct store_reader *reader)
{
	if (s->next->npaused++ > 0)
		return 0;
	s->next->paused_until = reader->sub.paused_until;
	s->next->paused = arena_strdup(s->arena, reader->sub.address);
	return s->next->paused == NULL ? -1 : 0;
}

static int
look_at(void *arg, const struct store_reader *reader)
{
	struct search *s = arg;
	struct due due;
	int found, way;

	if (reader->suppressed)
		return 0;
	found = due_find(s->run, reader, s->now_utc, 0, &due, NULL);
	if (found != -1 && due.paused)
		return note_pause(s, reader);
	s->next->nactive++;
	note_wait(s, reader);
	if ((way = routes_find(&s->routes, reader->sub.canonical)) >= 0)
		s->counts[way]++;
	if (found == -1)
		return 0;
	s->next->ndue += (size_t)found;
	if (s->next->address[0] != '\0' && due.due_utc >= s->next->due_utc)
		return 0;
	s->next->due_utc = due.due_utc;
	s->next->address = arena_strdup(s->arena, reader->sub.address);
	run_format_wall(
	    s->run, reader->sub.timezone, due.due_utc, s->next->wall, sizeof(s->next->wall));
	return s->next->address == NULL ? -1 : 0;
}

int
run_find_next(struct run *run, struct run_next *out, struct arena *a, struct error *err)
{
	struct search s = {
		.run = run, .next = out, .arena = a, .now_utc = clock_now_utc(&run->clock)
	};
	int rc;

	memset(out, 0, sizeof(*out));
	out->address = out->paused = "";
	s.counts = arena_array(a, run->cfg->nsmtps, sizeof(*s.counts));
	if (s.counts == NULL)
		return err_nomem(err, "readers");
	memset(s.counts, 0, run->cfg->nsmtps * sizeof(*s.counts));
	if (store_load_runs(run->store, MAX_RUNS, a, &s.runs, &s.nruns, err) == -1 ||
	    routes_init(&s.routes, run->cfg, err) == -1)
		return -1;
	rc = store_each_reader(run->store, false, look_at, &s, err) == 0 ? 0 : -1;
	routes_release(&s.routes);
	return rc == 0 ? expect_find(run, s.counts, false, &out->all, err) : -1;
}
