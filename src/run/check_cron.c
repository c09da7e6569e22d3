/* Whether runs come often enough for the hours that readers have: by the runs there were, and by nothing else. */
#include "run/check.h"

#include "digest/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	DAY_SECONDS = 86400,
	LOOK_BACK_DAYS = 7,
	MAX_RUNS = 2500,	   /* looked at: one each five minutes for a week is 2,016 */
	MAX_WAIT_S = 3600 + 300,   /* so much later than asked a digest may leave */
	MAX_SILENCE_S = 26 * 3600, /* a daily run may be two hours late */
};

/* The starts of the last runs, ascending, and whose digests waited longest for one. */
struct cadence {
	struct run *run;
	int64_t now_utc;
	int64_t *starts;
	size_t nstarts;
	size_t nhours; /* readers with an hour */
	size_t ntold;  /* those for whom it is known whether a run came in time */
	size_t nlate;  /* who usually wait too long */
	int64_t worst_s;
	char address[MAX_ADDRESS_BYTES + 1], when[64];
};

static int
compare_waits(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* How long after a moment the next run began; up to now where none has. */
static int64_t
wait_from(const struct cadence *c, int64_t due_utc)
{
	size_t low = 0, high = c->nstarts;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (c->starts[middle] < due_utc)
			low = middle + 1;
		else
			high = middle;
	}
	return (low < c->nstarts ? c->starts[low] : c->now_utc) - due_utc;
}

/* What is usual: one night of a machine that was switched off is no fault of cron's. -1 = nothing is known yet. */
static int64_t
usual_wait(const struct cadence *c, const struct schedule *s, const struct tz *tz)
{
	int64_t waits[LOOK_BACK_DAYS], last_utc = c->starts[c->nstarts - 1];
	int32_t day = schedule_last_day(s, tz, c->now_utc);
	size_t n = 0;

	for (int i = 0; i < LOOK_BACK_DAYS; i++, day = schedule_previous_day(s, day)) {
		int64_t due_utc = schedule_due_utc(s, tz, day);

		if (due_utc < c->starts[0])
			break;
		/* A wait that goes on says nothing before it is too long. */
		if (due_utc <= last_utc || c->now_utc - due_utc > MAX_WAIT_S)
			waits[n++] = wait_from(c, due_utc);
	}
	if (n == 0)
		return -1;
	qsort(waits, n, sizeof(waits[0]), compare_waits);
	return waits[(n - 1) / 2];
}

static int
look_at(void *arg, const struct store_reader *reader)
{
	struct cadence *c = arg;
	const char *zone = reader->sub.timezone;
	const struct tz *tz = zones_get(c->run->zones, zone[0] != '\0' ? zone : c->run->zone, NULL);
	struct schedule s;
	int64_t wait_s;

	/* Without an hour the first run of the day will do. */
	if (reader->suppressed || tz == NULL ||
	    schedule_parse(reader->sub.when, &s, NULL, NULL) == -1 || s.kind == SCHEDULE_ALWAYS ||
	    (s.hour == 0 && s.minute == 0))
		return 0;
	wait_s = usual_wait(c, &s, tz);
	c->nhours++;
	c->ntold += wait_s >= 0;
	c->nlate += wait_s > MAX_WAIT_S;
	if (wait_s > c->worst_s) {
		c->worst_s = wait_s;
		snprintf(c->address, sizeof(c->address), "%s", reader->sub.address);
		snprintf(c->when, sizeof(c->when), "%s", reader->sub.when);
	}
	return 0;
}

/* Those of the last days, ascending. */
static int
load_starts(struct cadence *c, struct arena *a, struct error *err)
{
	struct store_run *runs;
	size_t n;

	if (store_load_runs(c->run->store, MAX_RUNS, a, &runs, &n, err) == -1)
		return -1;
	if ((c->starts = arena_array(a, n, sizeof(*c->starts))) == NULL)
		return err_nomem(err, "runs");
	for (size_t i = n; i-- > 0;)
		if (c->now_utc - runs[i].started_utc <= LOOK_BACK_DAYS * DAY_SECONDS)
			c->starts[c->nstarts++] = runs[i].started_utc;
	return 0;
}

static void
tell_late(struct checker *c, const struct cadence *k)
{
	char others[64] = "";

	if (k->nlate > 1)
		snprintf(others, sizeof(others), " and %zu more", k->nlate - 1);
	check_warn(c, "cron", "let cron call 'digest run' every 15 minutes",
	    "%s (%s)%s: the next run comes %lld h %lld min after that", k->address, k->when, others,
	    (long long)(k->worst_s / 3600), (long long)(k->worst_s % 3600 / 60));
}

void
check_cron(struct checker *c)
{
	struct cadence k = { .run = c->run, .now_utc = clock_now_utc(&c->run->clock) };
	static const char cure[] = "'digest help cron' has the line that calls it";
	struct error err = { 0 };
	char span[32];
	int64_t last_utc;

	if (c->store_failed)
		return; /* that was told */
	if (c->run->store != NULL &&
	    (load_starts(&k, &c->arena, &err) == -1 ||
		(k.nstarts > 0 &&
		    store_each_reader(c->run->store, false, look_at, &k, &err) == -1))) {
		check_fail_err(c, "cron", &err);
		return;
	}
	if (c->run->store == NULL) {
		check_ok(c, "cron", "no run yet; 'digest help cron' has the line for all readers");
		return;
	}
	if (k.nstarts == 0) {
		check_warn(c, "cron", cure, "no run in %d days", LOOK_BACK_DAYS);
		return;
	}
	last_utc = k.starts[k.nstarts - 1];
	run_format_span(last_utc - k.now_utc, span, sizeof(span));
	if (k.now_utc - last_utc > MAX_SILENCE_S)
		check_warn(c, "cron", cure, "the last run was %s", span);
	else if (k.nlate > 0)
		tell_late(c, &k);
	else if (k.nhours > 0 && k.ntold == 0)
		check_ok(c, "cron",
		    "%zu run%s, none after a reader's hour yet, so it is too early to tell; "
		    "'digest help "
		    "cron' has the line",
		    k.nstarts, k.nstarts == 1 ? "" : "s");
	else
		check_ok(c, "cron", "%zu run%s in %d days, often enough for every reader's hour",
		    k.nstarts, k.nstarts == 1 ? "" : "s", LOOK_BACK_DAYS);
}
