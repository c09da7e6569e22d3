#include "digest/store.h"

#include "digest/log.h"
#include "store/db.h"
#include "store/open.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	WRITE_TIMEOUT_MS = 30000,
	CLOSE_TIMEOUT_MS = 2000, /* a clean close is worth a short wait, not a long one */
	/* 16 MB. Each checkpoint costs two syncs; up to 4096 frames one table of them is enough. */
	CHECKPOINT_FRAMES = 4000,
	PAGE_BYTES = 4096,
	FRAME_BYTES = 24 + PAGE_BYTES, /* of the log: a page and its head */
	RESERVE_FRAMES = 64,	       /* the report of the run, and what else ends it */
	/* 1 for the intent, 6 to 9 for the outcome, where each is in a commit of its own. */
	RESERVE_FRAMES_PER_MAIL = 10,
	RESERVE_CHUNK = 64 * 1024, /* grow by so much, not for each commit */
};

static void
release(struct store *store)
{
	struct error late;

	/* Whoever did not wait for it has no use for how it ends. */
	err_clear(&late);
	store_flush_wait(store, &late);
	for (size_t i = 0; i < SQL_COUNT; i++)
		sqlite3_finalize(store->stmts[i]);
	sqlite3_close(store->db);
	overlay_free(store->overlay);
	/* The locks go with their open files. */
	if (store->write_fd != -1)
		close(store->write_fd);
	if (store->sender_fd != -1)
		close(store->sender_fd);
	sync_free(store);
	free(store->merged.pairs);
	map_release(&store->pinned);
	arena_release(&store->pinned_keys);
	arena_release(&store->scratch);
	free(store->path);
	free(store);
}

int
store_open(
    const char *path, enum store_mode mode, struct log *log, struct store **out, struct error *err)
{
	struct store *store = calloc(1, sizeof(*store));

	if (store == NULL)
		return err_nomem(err, path);
	store->mode = mode;
	store->log = log;
	store->write_fd = store->sender_fd = -1;
	arena_init(&store->scratch, SCRATCH_BYTES);
	arena_init(&store->pinned_keys, SCRATCH_BYTES);
	map_init(&store->pinned);
	if ((store->path = strdup(path)) == NULL) {
		err_nomem(err, path);
	} else if (open_store(store, err) == 0) {
		*out = store;
		return 0;
	}
	release(store);
	return -1;
}

/* With both locks ours, no one else writes or checkpoints and no overlay reads: SQLite may fold
 * its log into the file and remove it. Otherwise the log stays for the next one; nothing is
 * lost. */
static void
close_clean(struct store *store)
{
	int on = 0;

	if (store->broken ||
	    lock_wait(store->write_fd, LOCK_WRITER, false, store->wrote ? CLOSE_TIMEOUT_MS : 0) !=
		1)
		return;
	store->in_transaction = true; /* the statement below is a transaction of its own */
	if ((!store->wrote || db_set_meta(store, "clean", 1, NULL) == 0) &&
	    lock_try(store->write_fd, LOCK_SNAPSHOT, false) == 1)
		sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, &on);
	store->in_transaction = false;
}

void
store_close(struct store *store)
{
	if (store == NULL)
		return;
	if (store->in_transaction)
		store_rollback(store);
	if (store->mode == STORE_WRITE && store->db != NULL)
		close_clean(store);
	release(store);
}

const char *
store_instance(const struct store *store)
{
	return store->instance;
}

/* Anything but a clean close from here on makes the next one check the file. */
static int
start_transaction(struct store *store, struct error *err)
{
	if (db_exec_whole(store, "BEGIN IMMEDIATE", err) == -1)
		return -1;
	store->in_transaction = true;
	store->change_seq_moved = false;
	if (acting_check_fence(store, err) == -1 ||
	    db_get_meta(store, "change-seq", &store->change_seq, err) != 1 ||
	    db_run_ints(store, SQL_META_UNCLEAN, NULL, 0, err) == -1) {
		store_rollback(store);
		return -1;
	}
	return 0;
}

int
store_begin(struct store *store, struct error *err)
{
	assert(!store->in_transaction);
	if (store->mode == STORE_READ)
		return err_set(err, ERR_BUG, "%s: opened for reading only", store->path);
	if (store->broken)
		return err_set(err, ERR_IO, "%s: the disk failed before; nothing more is written",
		    store->path);
	if (store->mode == STORE_WRITE &&
	    lock_wait(store->write_fd, LOCK_WRITER, false, WRITE_TIMEOUT_MS) != 1)
		return err_set(err, ERR_TEMP,
		    "%s: another process has been writing for %d s; end it, then run again",
		    store->path, WRITE_TIMEOUT_MS / 1000);
	if (start_transaction(store, err) == 0)
		return 0;
	if (store->mode == STORE_WRITE)
		lock_drop(store->write_fd, LOCK_WRITER);
	return -1;
}

/* synchronous is NORMAL, because SQLite cannot change it inside a transaction; a durable commit
 * adds what FULL would do: sync the log after the commit record. */
static int
sync_log(struct store *store)
{
	sqlite3_file *log = NULL;

	if (sqlite3_file_control(store->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log) !=
		SQLITE_OK ||
	    log == NULL || log->pMethods == NULL)
		return SQLITE_OK;
	return log->pMethods->xSync(log, SQLITE_SYNC_NORMAL);
}

/*
 * Room in the log itself and not in a file that is given back when the disk is full: then nothing must be tried again between
 * a mail and its outcome, and nobody else can take the room in that moment. The bytes behind the last commit are no frames
 * (their salt is none of this log), so what SQLite reads stays the same.
 */
int
store_reserve(struct store *store, size_t nmails, struct error *err)
{
	sqlite3_file *log = NULL;
	size_t frames = RESERVE_FRAMES + nmails * RESERVE_FRAMES_PER_MAIL;
	sqlite3_int64 bytes = ((sqlite3_int64)frames + store->wal_frames) * FRAME_BYTES;
	int chunk = RESERVE_CHUNK, rc;

	if (store->mode != STORE_WRITE ||
	    sqlite3_file_control(store->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log) !=
		SQLITE_OK ||
	    log == NULL || log->pMethods == NULL)
		return 0;
	rc = log->pMethods->xFileControl(log, SQLITE_FCNTL_CHUNK_SIZE, &chunk);
	if (rc == SQLITE_OK)
		rc = log->pMethods->xFileControl(log, SQLITE_FCNTL_SIZE_HINT, &bytes);
	if (rc == SQLITE_OK)
		return 0;
	return err_set(err, ERR_IO,
	    "%s: no room on the disk to note what becomes of %zu mails (%lld KB); free some "
	    "space, then run again",
	    store->path, nmails, (long long)frames * FRAME_BYTES / 1024);
}

/* Only here, with LOCK_WRITER held. An overlay that reads the file puts it off. */
static void
checkpoint(struct store *store)
{
	if (store->wal_frames < CHECKPOINT_FRAMES ||
	    lock_try(store->write_fd, LOCK_SNAPSHOT, false) != 1)
		return;
	/* A failure leaves the log as it is, and the next commit tries again, unless the disk lost what it had taken. */
	if (db_is_lost(sqlite3_wal_checkpoint_v2(
		store->db, "main", SQLITE_CHECKPOINT_PASSIVE, NULL, NULL)))
		store->broken = true;
	lock_drop(store->write_fd, LOCK_SNAPSHOT);
}

int
store_commit(struct store *store, bool durable, struct error *err)
{
	int rc = 0;

	assert(store->in_transaction);
	if (store->change_seq_moved)
		rc = db_set_meta(store, "change-seq", store->change_seq, err);
	if (rc == 0)
		rc = db_exec(store, "COMMIT", err);
	if (rc == -1) {
		store_rollback(store);
		return -1;
	}
	store->in_transaction = false;
	store->wrote = true;
	if (store->mode != STORE_WRITE)
		return 0;
	if (durable && (rc = sync_log(store)) != SQLITE_OK)
		rc = db_fail(store, rc, err);
	else
		checkpoint(store);
	lock_drop(store->write_fd, LOCK_WRITER);
	return rc;
}

void
store_rollback(struct store *store)
{
	if (!store->in_transaction)
		return;
	/* SQLite has already rolled back after some failures. */
	if (sqlite3_get_autocommit(store->db) == 0)
		db_exec(store, "ROLLBACK", NULL);
	store->in_transaction = false;
	store->change_seq_moved = false;
	/* What was learnt from rows that are gone. */
	map_release(&store->pinned);
	arena_reset(&store->pinned_keys);
	sync_free(store);
	store->merged.newest = -1;
	store->sent_floor = 0;
	if (store->mode == STORE_WRITE)
		lock_drop(store->write_fd, LOCK_WRITER);
}

int
store_end(struct store *store, int rc, bool durable, struct error *err)
{
	if (rc == 0)
		return store_commit(store, durable, err);
	store_rollback(store);
	return -1;
}

int
store_get_note(
    struct store *store, const char *name, struct arena *a, const char **out, struct error *err)
{
	struct stmt q;
	int found;

	db_start(&q, store, SQL_NOTE_GET);
	db_bind_text(&q, name);
	if ((found = db_step(&q, err)) == -1)
		return -1;
	if (found == 0) {
		*out = "";
		return 0;
	}
	found = db_text(&q, 0, a, out, err);
	db_done(&q);
	return found;
}

int
store_set_note(struct store *store, const char *name, const char *text, struct error *err)
{
	struct stmt q;

	db_start(&q, store, SQL_NOTE_SET);
	db_bind_text(&q, name);
	db_bind_text(&q, text);
	return db_run(&q, err);
}

int
store_was_written(struct store *store, struct error *err)
{
	int64_t before = store->data_version;

	if (db_get_int(store, SQL_DATA_VERSION, NULL, 0, &store->data_version, err) == -1)
		return -1;
	return store->data_version != before;
}

int
store_change_seq(struct store *store, int64_t *out, struct error *err)
{
	if (!store->in_transaction)
		return db_get_meta(store, "change-seq", out, err) == 1 ? 0 : -1;
	*out = store->change_seq;
	return 0;
}
