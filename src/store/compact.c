#include "store/db.h"
#include "digest/store_care.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COMPACT_TIMEOUT_MS = 30000, MAX_PATH_BYTES = 4096 };

int
store_load_room(struct store *store, int64_t *bytes, int64_t *free_bytes, struct error *err)
{
	int64_t pages, free_pages, page_bytes;

	if (db_pragma_int(store, "PRAGMA page_count", &pages, err) == -1 ||
	    db_pragma_int(store, "PRAGMA freelist_count", &free_pages, err) == -1 ||
	    db_pragma_int(store, "PRAGMA page_size", &page_bytes, err) == -1)
		return -1;
	*bytes = pages * page_bytes;
	*free_bytes = free_pages * page_bytes;
	return 0;
}

/* Temporary tables are kept in memory, and here that would be all of the store. */
static int
compact(struct store *store, struct error *err)
{
	int rc;

	if (db_exec(store, "PRAGMA temp_store = FILE", err) == -1)
		return -1;
	rc = db_exec(store, "VACUUM", err);
	db_exec(store, "PRAGMA temp_store = MEMORY", NULL);
	if (rc == 0)
		store->wrote = true;
	/* What fails here is done when the store is closed. */
	if (rc == 0 &&
	    db_is_lost(sqlite3_wal_checkpoint_v2(
		store->db, "main", SQLITE_CHECKPOINT_PASSIVE, NULL, NULL)))
		store->broken = true;
	return rc;
}

int
store_compact(struct store *store, struct error *err)
{
	int rc = 0;

	if (store->mode != STORE_WRITE || store->in_transaction)
		return err_set(err, ERR_BUG, "%s: cannot be written anew here", store->path);
	if (lock_wait(store->write_fd, LOCK_WRITER, false, COMPACT_TIMEOUT_MS) != 1)
		return err_set(err, ERR_TEMP, "%s: another process is writing", store->path);
	if (lock_try(store->write_fd, LOCK_SNAPSHOT, false) == 1) {
		rc = compact(store, err) == -1 ? -1 : 1;
		lock_drop(store->write_fd, LOCK_SNAPSHOT);
	}
	lock_drop(store->write_fd, LOCK_WRITER);
	return rc;
}

/* "digest.db.before-v5", and the log that a restored store left with its "digest.db.before-restore". */
static bool
is_old_copy(
    const char *name, const char *store_name, int folder, int64_t before_utc, int64_t *bytes)
{
	static const char mark[] = ".before-";
	size_t len = strlen(store_name);
	struct stat st;

	if (strncmp(name, store_name, len) != 0 || strncmp(name + len, mark, sizeof(mark) - 1) != 0)
		return false;
	if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == -1 || !S_ISREG(st.st_mode) ||
	    st.st_mtime >= before_utc)
		return false;
	*bytes = st.st_size;
	return true;
}

int
store_prune_copies(
    struct store *store, int64_t now_utc, bool remove, size_t *n, int64_t *bytes, struct error *err)
{
	int64_t before_utc = now_utc - STORE_COPIES_DAYS * (int64_t)DAY_S, size;
	char copy[MAX_PATH_BYTES];
	const char *slash = strrchr(store->path, '/');
	const struct dirent *entry;
	DIR *folder;

	*n = 0;
	*bytes = 0;
	snprintf(copy, sizeof(copy), "%s", store->path);
	if ((folder = opendir(dirname(copy))) == NULL)
		return 0; /* there is no store yet */
	while ((entry = readdir(folder)) != NULL) {
		if (!is_old_copy(entry->d_name, slash != NULL ? slash + 1 : store->path,
			dirfd(folder), before_utc, &size))
			continue;
		if (remove && unlinkat(dirfd(folder), entry->d_name, 0) == -1) {
			err_set(err, ERR_IO, "%s/%s: %s", copy, entry->d_name, strerror(errno));
			closedir(folder);
			return -1;
		}
		(*n)++;
		*bytes += size;
	}
	closedir(folder);
	return 0;
}
