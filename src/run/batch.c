#include "run/returns.h"
#include "digest/limits.h"
#include "digest/pool.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
	WAIT_FOR_SOURCE =
	    12 * 3600, /* how long an empty digest is held back while a source is out of reach */
};

struct batch {
	const struct batch_settings *settings;
	struct pool *pool;
	struct arena arenas[MAX_POOL_THREADS];	 /* of each thread: readers, picks, views */
	struct rendered parts[MAX_POOL_THREADS]; /* of the mail a thread is composing */
	struct arena drawings[MAX_POOL_THREADS]; /* and what it needs to draw one mail */
	struct batch_item *items;
	size_t n, alloc;
	bool running;
};

int
batch_new(
    const struct batch_settings *settings, struct pool *pool, struct batch **out, struct error *err)
{
	struct batch *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return err_nomem(err, "mails");
	b->settings = settings;
	b->pool = pool;
	for (size_t i = 0; i < MAX_POOL_THREADS; i++) {
		arena_init(&b->arenas[i], MAX_RUN_BYTES);
		rendered_init(&b->parts[i]);
		arena_init(&b->drawings[i], MAX_READER_BYTES);
	}
	*out = b;
	return 0;
}

void
batch_reset(struct batch *b)
{
	batch_wait(b);
	for (size_t i = 0; i < b->n; i++)
		if (b->items[i].what == BATCH_MAIL)
			composed_release(&b->items[i].mail);
	b->n = 0;
	for (size_t i = 0; i < pool_size(b->pool); i++)
		arena_reset(&b->arenas[i]);
}

void
batch_free(struct batch *b)
{
	if (b == NULL)
		return;
	batch_reset(b);
	free(b->items);
	for (size_t i = 0; i < MAX_POOL_THREADS; i++) {
		arena_release(&b->arenas[i]);
		arena_release(&b->drawings[i]);
		rendered_release(&b->parts[i]);
	}
	free(b);
}

static int
leave_out(struct batch_item *item, enum run_skip why)
{
	item->what = BATCH_SKIPPED;
	item->why = why;
	return 0;
}

/*
 * An older edition that waits becomes part of this one when no copy of it can be out; one that a person holds stays, and
 * its reader waits with it. 1 = go on, 0 = leave the reader, -1.
 */
static int
clear_unsettled(const struct batch_settings *s, const struct due *due, bool *merged,
    struct arena *a, struct error *err)
{
	struct store *store = s->run->store;
	struct edition *e;
	int found = store_find_unsettled(store, due->reader, a, &e, err), rc;

	if (found != 1)
		return found == 0 ? 1 : -1;
	if (e->period == due->period)
		return 0;
	if (e->copies > 0)
		return 1;
	if (!due_is_merged(due, e))
		return 0;
	if (store_begin(store, err) == -1)
		return -1;
	rc = store_merge_edition(store, e->period, e->reader, err);
	if (rc == 0)
		rc = refusals_note_end(s->run, e, s->now_utc, err);
	if (store_end(store, rc, false, err) == -1)
		return -1;
	*merged = true;
	return 1;
}

/* With a source out of reach "nothing new" is not known yet: the next run may have the papers. */
static bool
may_still_come(const struct batch_settings *s, const struct due *due)
{
	return s->source_fails && s->now_utc < due->due_utc + WAIT_FOR_SOURCE;
}

static int
write_note(
    const struct batch_settings *s, struct composed *mail, struct arena *a, struct error *err)
{
	const struct render *render = composer_render(s->composer);

	if (note_has_papers(&mail->edition))
		return note_odd(
		    s->run, render, s->silences, &mail->reader->sub, a, &mail->edition.note, err);
	return note_silence(s->run, render, s->planner, s->silences, mail->reader, &mail->due, a,
	    &mail->edition, err);
}

/* The reader, the edition that is due, and what is in its way. 1 = go on, 0 = left out, -1. */
static int
find_reader(
    const struct batch_settings *s, struct batch_item *item, struct arena *a, struct error *err)
{
	struct store *store = s->run->store;
	struct composed *mail = &item->mail;
	int64_t reader = mail->due.reader;
	int found;

	item->what = BATCH_FAILED;
	if (store_load_reader(store, reader, a, &mail->reader, err) != 1)
		return -1;
	item->what = BATCH_BROKEN;
	found = due_find(s->run, mail->reader, s->now_utc, s->run_id, &mail->due, err);
	if (found == -1)
		return -1;
	item->what = BATCH_FAILED;
	if (found == 0 && !s->ahead)
		return leave_out(item, SKIP_NOT_DUE);
	if ((found = clear_unsettled(s, &mail->due, &item->merged, a, err)) == 0)
		return leave_out(item, SKIP_WAITING);
	/* Papers of that edition are candidates again. */
	return found == 1 && item->merged ? store_load_reader(store, reader, a, &mail->reader, err)
					  : found;
}

/* All that is looked up for one reader's edition. */
static int
plan_item(
    const struct batch_settings *s, struct batch_item *item, struct arena *a, struct error *err)
{
	struct composed *mail = &item->mail;
	const struct due *due = &mail->due;
	int found;

	if ((found = find_reader(s, item, a, err)) != 1)
		return found;
	/* From here on only this reader's edition is in danger, unless the machine is. */
	item->what = BATCH_BROKEN;
	if (planner_plan(s->planner, mail->reader, due, a, &mail->edition, err) == -1)
		return -1;
	if (!note_has_papers(&mail->edition) && may_still_come(s, due))
		return leave_out(item, SKIP_SOURCE);
	if (write_note(s, mail, a, err) == -1)
		return -1;
	if (mail->edition.state != EDITION_EMPTY &&
	    composer_prepare(s->composer, mail, a, err) == -1)
		return -1;
	item->what = BATCH_MAIL;
	return 0;
}

/* A work of pool_start. */
static void
make_item(void *arg, size_t i, size_t worker)
{
	struct batch *b = arg;
	struct batch_item *item = &b->items[i];
	struct arena *a = &b->arenas[worker];
	struct error *err = &item->err;
	int rc;

	pthread_mutex_lock(b->settings->planning);
	pthread_mutex_lock(b->settings->store);
	rc = plan_item(b->settings, item, a, err);
	pthread_mutex_unlock(b->settings->store);
	pthread_mutex_unlock(b->settings->planning);
	if (rc == 0 && item->what == BATCH_MAIL && item->mail.edition.state != EDITION_EMPTY) {
		rc = composer_compose(b->settings->composer, &item->mail,
		    b->settings->keep_parts ? &item->mail.rendered : &b->parts[worker],
		    &b->drawings[worker], err);
		arena_reset(&b->drawings[worker]);
		if (rc == -1)
			item->what = BATCH_BROKEN;
	}
	if (rc == -1 && err_is_of_machine(err))
		item->what = BATCH_FAILED;
	if (item->what != BATCH_MAIL)
		composed_release(&item->mail);
}

int
batch_start(struct batch *b, const int64_t *readers, size_t n, struct error *err)
{
	batch_reset(b);
	if (n > b->alloc) {
		struct batch_item *items = realloc(b->items, n * sizeof(*items));

		if (items == NULL)
			return err_nomem(err, "mails");
		b->items = items;
		b->alloc = n;
	}
	memset(b->items, 0, n * sizeof(*b->items));
	for (size_t i = 0; i < n; i++) {
		composed_init(&b->items[i].mail);
		b->items[i].mail.due.reader = readers[i];
	}
	b->n = n;
	b->running = true;
	pool_start(b->pool, n, make_item, b);
	return 0;
}

bool
batch_is_made(const struct batch *b)
{
	return !b->running || pool_is_done(b->pool);
}

void
batch_wait(struct batch *b)
{
	if (b->running)
		pool_join(b->pool);
	b->running = false;
}

int
batch_finish(struct batch *b, struct batch_item **items, size_t *n, struct error *err)
{
	batch_wait(b);
	for (size_t i = 0; i < b->n; i++)
		if (b->items[i].what == BATCH_FAILED) {
			*err = b->items[i].err;
			return -1;
		}
	*items = b->items;
	*n = b->n;
	return 0;
}
