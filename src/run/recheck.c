#include "run/courier.h"

#include "digest/clock.h"

#include <string.h>

/*
 * The lease looks whether a reader is mailed at all, but a mail may wait for minutes after it: behind a slow relay, or others to
 * its domain. Who leaves meanwhile gets it no more. A look for each mail would cost as much as the rest of its
 * accounting, so they begin when somebody else has written to the store, be it what it may.
 */
enum { LOOK_MS = 250 };

int
courier_watch_others(struct courier *c, struct error *err)
{
	c->others_wrote = false;
	return c->options->preview || store_was_written(c->run->store, err) != -1 ? 0 : -1;
}

static bool
have_others_written(struct courier *c)
{
	int64_t now_ms = clock_monotonic_ms();

	if (c->options->preview || c->others_wrote || now_ms < c->others_ms)
		return c->others_wrote;
	c->others_ms = now_ms + LOOK_MS;
	pthread_mutex_lock(&c->lock);
	c->others_wrote = store_was_written(c->run->store, NULL) == 1;
	pthread_mutex_unlock(&c->lock);
	return c->others_wrote;
}

static void
withdraw(struct store *store, int64_t period, int64_t reader)
{
	if (store_begin(store, NULL) == 0)
		store_end(store, store_withdraw_edition(store, period, reader, NULL), false, NULL);
}

bool
courier_is_wanted(struct courier *c, int64_t period, int64_t reader)
{
	struct store *store = c->run->store;
	bool wanted;

	if (!have_others_written(c))
		return true;
	pthread_mutex_lock(&c->lock);
	/* A store that cannot be read, or written, says so at the next transaction, before a dot leaves. */
	wanted = store_is_mailed(store, reader, NULL) != 0;
	if (!wanted)
		withdraw(store, period, reader);
	pthread_mutex_unlock(&c->lock);
	if (!wanted) {
		c->report->nskipped++;
		c->report->skips[SKIP_SUPPRESSED]++;
	}
	return wanted;
}

int
courier_hold_stale(
    struct courier *c, const struct delivery_outcome *o, int64_t now_utc, struct error *err)
{
	struct run *run = c->run;
	bool held;

	if (strcmp(o->reply, sink_halted) == 0 || run_is_after_long_pause(run, now_utc))
		return 0;
	if (store_hold_stale(run->store, o->period, o->reader,
		now_utc - run->cfg->delivery.max_age_s, &held, err) == -1)
		return -1;
	if (!held)
		return 0;
	c->report->nheld_mails++;
	log_error(run->log,
	    "a mail is too old to be tried again, and a copy may be out; held: 'digest outbox' "
	    "says whose");
	return 0;
}
