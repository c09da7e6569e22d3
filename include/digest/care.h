/* care.h - what a person does with the store as a whole: back it up, put it back, remove what is old. */
#ifndef DIGEST_CARE_H
#define DIGEST_CARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "digest/arena.h"
#include "digest/error.h"
#include "digest/run.h"
#include "digest/store_care.h"

/* ---- backup.c ---- */

struct run_backup {
	const char *to;		/* a file, or a folder, in which it gets a name of its own with the time */
	bool force;		/* a file that is there is replaced */
	/* What was made: */
	const char *path;	/* lives in the arena */
	struct store_sizes sizes;
	bool has_key;		/* there was one to take along */
};
/*
 * Write the store, which is open, and the key of the tokens into one file, see store_backup(). Fails with ERR_USAGE when the
 * file is there already, or is the store itself.
 */
int	run_backup(struct run *run, struct run_backup *b, struct arena *a, struct error *err);

/* ---- prune.c ---- */

struct run_pruned {
	size_t n[PRUNED_KINDS];	/* records */
	size_t ncopies;		/* of the store, that an upgrade or a restore left */
	int64_t copies_bytes;
	int64_t store_bytes, free_bytes;	/* afterwards */
	int64_t freed_bytes;	/* given back to the disk, copies aside */
};
/*
 * Remove what is older than the store.keep-* keys ask for, as a run does by itself once a day; and give the room back when a
 * quarter of the store is free, which a run leaves to be used again. Fails with ERR_TEMP while a run is under way.
 * dry_run	the store is an overlay: nothing goes, and store_bytes and those below it mean nothing
 */
int	run_prune(struct run *run, bool dry_run, struct run_pruned *out, struct error *err);

/* ---- restore.c ---- */

struct run_restored {
	bool kept;		/* there was a store in its place, which is kept beside it */
	size_t nheld;		/* mails */
	bool has_key;		/* the backup brought the key of the tokens along */
	const char *key;	/* what became of the key file, in words; "" = it stays as it is */
};
/*
 * Make the store of the configuration the one that sends from now on: the one in the file from, or, when that is NULL, the one
 * at hand. Opens it. Keys that it brings along go into list.key-file. What it calls unsettled is held for a person, for it
 * may be out since. Fails with ERR_TEMP while a run is under way, with ERR_DATA when the file is no whole store.
 */
int	run_restore(struct run *run, const char *from, struct run_restored *out, struct error *err);

#endif
