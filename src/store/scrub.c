/* What remains of rows that were removed: words in other rows, bytes of free pages and of the log. */
#include "store/db.h"

#include <sqlite3.h>

enum { WAIT_MS = 30000, SNAPSHOT_WAIT_MS = 10000 };

int
store_forget_words(struct store *store, const char *const *words, struct error *err)
{
	static const enum sql_name places[] = { SQL_NOTE_FORGET, SQL_RUN_FORGET };
	int64_t generation;
	struct stmt q;

	for (; *words != NULL; words++)
		for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
			if ((*words)[0] == '\0')
				continue;
			db_start(&q, store, places[i]);
			db_bind_text(&q, *words);
			if (db_run(&q, err) == -1)
				return -1;
		}
	/* Of a compiler that nobody is: the next run begins another. */
	return store_new_generation(store, "none", &generation, err);
}

/* The copy may be larger than memory, unlike what else is temporary. */
static int
write_anew(struct store *store, struct error *err)
{
	int rc = db_exec(store, "PRAGMA temp_store = FILE", err);

	if (rc == 0)
		rc = db_exec(store, "VACUUM", err);
	return db_exec(store, "PRAGMA temp_store = MEMORY", rc == 0 ? err : NULL) == -1 ? -1 : rc;
}

static int
empty_log(struct store *store, struct error *err)
{
	int rc =
	    sqlite3_wal_checkpoint_v2(store->db, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);

	if (rc == SQLITE_OK)
		return 0;
	if (rc == SQLITE_BUSY)
		return err_set(err, ERR_TEMP,
		    "%s: another process reads it, so what was removed may stand in its log for "
		    "now; end that process, then do this again",
		    store->path);
	store->broken = store->broken || db_is_lost(rc);
	return db_fail(store, rc, err);
}

int
store_scrub(struct store *store, struct error *err)
{
	int rc = -1;

	if (store->mode != STORE_WRITE)
		return 0;
	if (lock_wait(store->write_fd, LOCK_WRITER, false, WAIT_MS) != 1)
		return err_set(err, ERR_TEMP,
		    "%s: another process has been writing for %d s; do this again later",
		    store->path, WAIT_MS / 1000);
	if (lock_wait(store->write_fd, LOCK_SNAPSHOT, false, SNAPSHOT_WAIT_MS) != 1) {
		err_set(err, ERR_TEMP,
		    "%s: a preview or another look at it has been going on for %d s; end it, then "
		    "do this again",
		    store->path, SNAPSHOT_WAIT_MS / 1000);
	} else {
		rc = write_anew(store, err);
		if (rc == 0)
			rc = empty_log(store, err);
		lock_drop(store->write_fd, LOCK_SNAPSHOT);
	}
	lock_drop(store->write_fd, LOCK_WRITER);
	return rc;
}
