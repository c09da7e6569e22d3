#include "digest/care.h"
#include "stages.h"
#include "digest/limits.h"

#include <string.h>

enum {
	DAY_SECONDS = 86400,
	COMPACT_SHARE = 4,	     /* when a quarter is free */
	COMPACT_BYTES = 1000 * 1000, /* and worth it */
};

static const char note[] = "pruned";

static int
prune(struct run *run, int64_t now_utc, bool remove, struct run_pruned *out, struct error *err)
{
	const struct store_keep keep = { run->cfg->store.keep_papers_s,
		run->cfg->store.keep_signals_s, run->cfg->store.keep_replies_s };
	char today[DATE_RFC3339_SIZE];
	int rc;

	date_format_day((int32_t)(now_utc / DAY_SECONDS), today);
	if (store_begin(run->store, err) == -1)
		return -1;
	rc = store_prune(run->store, now_utc, &keep, out->n, err);
	if (rc == 0)
		rc = store_set_note(run->store, note, today, err);
	if (store_end(run->store, rc, false, err) == -1)
		return -1;
	return store_prune_copies(
	    run->store, now_utc, remove, &out->ncopies, &out->copies_bytes, err);
}

int
prune_daily(struct run *run, int64_t now_utc, struct error *err)
{
	struct run_pruned pruned = { 0 };
	char today[DATE_RFC3339_SIZE];
	const char *last;
	struct arena a;
	size_t n;
	int rc;

	date_format_day((int32_t)(now_utc / DAY_SECONDS), today);
	arena_init(&a, MAX_READER_BYTES);
	rc = store_get_note(run->store, note, &a, &last, err);
	if (rc == 0 && strcmp(last, today) != 0 && !run_is_after_long_pause(run, now_utc))
		rc = prune(run, now_utc, true, &pruned, err);
	arena_release(&a);
	n = pruned.ncopies;
	for (size_t i = 0; i < PRUNED_KINDS; i++)
		n += pruned.n[i];
	if (rc == 0 && n > 0)
		log_info(run->log, "%zu old records removed", n);
	return rc;
}

static int
compact(struct run *run, struct run_pruned *out, struct error *err)
{
	int64_t before;

	if (store_load_room(run->store, &out->store_bytes, &out->free_bytes, err) == -1)
		return -1;
	if (out->free_bytes < COMPACT_BYTES || out->free_bytes < out->store_bytes / COMPACT_SHARE)
		return 0;
	before = out->store_bytes;
	if (store_compact(run->store, err) == -1 ||
	    store_load_room(run->store, &out->store_bytes, &out->free_bytes, err) == -1)
		return -1;
	out->freed_bytes = before - out->store_bytes;
	return 0;
}

int
run_prune(struct run *run, bool dry_run, struct run_pruned *out, struct error *err)
{
	int64_t now_utc = clock_now_utc(&run->clock);
	long holder;
	int got = store_lock_sender(run->store, &holder, err);

	if (got == -1)
		return -1;
	if (got == 0)
		return err_set(err, ERR_TEMP,
		    "a run (process %ld) is sending, and prunes at its end, once a day", holder);
	if (prune(run, now_utc, !dry_run, out, err) == -1)
		return -1;
	return dry_run ? 0 : compact(run, out, err);
}
