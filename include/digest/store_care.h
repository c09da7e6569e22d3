/* store_care.h - what a store needs once in a while: copies of it all, and an end of what has become old. */
#ifndef DIGEST_STORE_CARE_H
#define DIGEST_STORE_CARE_H

#include "digest/store.h"

/* ---- a copy of it all: backup.c ---- */

struct store_backup {
	const char *to;		/* the file; what is there is replaced at the very end */
	const void *key;	/* what else the copy is to hold, see store_load_backup_key */
	size_t key_len;		/* 0 = nothing */
	/* After each few megabytes; false stops the backup with ERR_TEMP. NULL = go on. */
	bool (*go_on)(void *arg, size_t done, size_t total);
	void *arg;
};
/*
 * Write the store as it is at this moment into a file of its own, whatever others write to it meanwhile, and read the copy
 * before it gets its name: a backup that is there is whole, and on the disk. Holds up no run. The file is closed to others.
 * sizes	of the copy
 * ERR_IO for what cannot be written, with nothing left behind; ERR_TEMP when another backup writes the same file.
 */
int	store_backup(struct store *store, const struct store_backup *b, struct store_sizes *sizes, struct error *err);
/* A store that came from a backup still holds the bytes given there: 1 = appended to out, 0 = none, -1. */
int	store_load_backup_key(struct store *store, struct strbuf *out, struct error *err);
/* And no longer does; its pages are overwritten. Inside a transaction. */
int	store_forget_backup_key(struct store *store, struct error *err);

/* ---- what has become old: runs.c, compact.c ---- */

struct store_keep {
	int64_t papers_s, signals_s, replies_s;
};
enum store_pruned {
	PRUNED_PAPERS, PRUNED_SIGNALS, PRUNED_READERS, PRUNED_EDITIONS, PRUNED_REPLIES, PRUNED_RUNS, PRUNED_INCOMING,
	PRUNED_PAGES,
	PRUNED_KINDS
};
/* "papers", and what they are for a person: "papers that no source listed for long". */
struct store_pruned_name {
	const char *member, *words;
};
extern const struct store_pruned_name store_pruned_names[PRUNED_KINDS];
/* Remove what retention no longer asks for; never what an unsettled edition needs. n: how many of each kind. */
int	store_prune(struct store *store, int64_t now_utc, const struct store_keep *keep, size_t n[PRUNED_KINDS],
	    struct error *err);

/* Copies that an upgrade or a restore left beside the store over STORE_COPIES_DAYS ago. remove = false: only count. */
enum { STORE_COPIES_DAYS = 30 };
int	store_prune_copies(struct store *store, int64_t now_utc, bool remove, size_t *n, int64_t *bytes, struct error *err);

/* Size of the store, and how much of it waits to be used again. */
int	store_load_room(struct store *store, int64_t *bytes, int64_t *free_bytes, struct error *err);
/*
 * Write the store anew without the room that is free, and give that back to the disk. Takes seconds for a gigabyte, in which
 * nobody can write; so with the sender's lock held. Needs as much room as the store has, for that while.
 * 1 = done, 0 = not now: a dry run reads the file.
 */
int	store_compact(struct store *store, struct error *err);

#endif
