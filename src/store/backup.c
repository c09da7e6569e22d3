#include "store/db.h"

#include "digest/file.h"
#include "digest/store_care.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * All pages are copied out of one read transaction. In WAL mode that waits for nobody and holds up nobody: writers append to
 * the log meanwhile, and a checkpoint goes as far as this reader lets it. So a copy takes one pass, however much is written
 * beside it, and is the store as it was when the copy began. (Left to itself the backup interface of SQLite begins anew
 * whenever another process has written between two steps, and may never end.)
 *
 * The copy is in the old journal mode, so that it is a single file that can be read on a disk where nothing can be written.
 */
enum { PAGES_PER_STEP = 1024, MAX_PATH_BYTES = 4096 };

static const char key_name[] = "key";

/* ---- the file that becomes the backup ---- */

/* Whether the path still names the open file: another backup may have finished, or removed, what we opened. */
static bool
is_same_file(int fd, const char *path)
{
	struct stat ours, there;

	return fstat(fd, &ours) == 0 && lstat(path, &there) == 0 && ours.st_dev == there.st_dev &&
	    ours.st_ino == there.st_ino;
}

/* Empty, ours alone, closed to others; one that a killed backup left behind is used again. */
static int
open_part(const char *path, int *out, struct error *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd == -1)
		return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
	if (lock_try(fd, LOCK_WRITER, false) != 1 || !is_same_file(fd, path)) {
		close(fd);
		return err_set(err, ERR_TEMP, "%s: another backup is writing it", path);
	}
	if (fchmod(fd, 0600) == -1 || ftruncate(fd, 0) == -1) {
		err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
		close(fd);
		return -1;
	}
	*out = fd;
	return 0;
}

/* The name must be on the disk too, or a power loss takes the backup with it. */
static int
put_in_place(int fd, const char *part, const char *to, struct error *err)
{
	char copy[MAX_PATH_BYTES];
	int dir = -1, rc = -1;

	snprintf(copy, sizeof(copy), "%s", to);
	if (fsync(fd) == 0 && rename(part, to) == 0 &&
	    (dir = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) != -1)
		rc = fsync(dir);
	if (rc == -1)
		err_set(err, ERR_IO, "%s: %s", to, strerror(errno));
	if (dir != -1)
		close(dir);
	return rc;
}

/* ---- its contents ---- */

static int
copy_pages(struct store *from, struct store *to, const struct store_backup *b, struct error *err)
{
	sqlite3_backup *work = sqlite3_backup_init(to->db, "main", from->db, "main");
	int rc = SQLITE_OK;

	if (work == NULL)
		return db_fail(to, sqlite3_errcode(to->db), err);
	while (rc == SQLITE_OK) {
		int total, left;

		rc = sqlite3_backup_step(work, PAGES_PER_STEP);
		total = sqlite3_backup_pagecount(work);
		left = sqlite3_backup_remaining(work);
		if (b->go_on != NULL && !b->go_on(b->arg, (size_t)(total - left), (size_t)total))
			break;
	}
	sqlite3_backup_finish(work);
	if (rc == SQLITE_DONE)
		return 0;
	if (rc == SQLITE_OK)
		return err_set(err, ERR_TEMP, "%s: stopped; no backup was made", b->to);
	/* Whose fault it was, the result code tells: what is not written cannot be the source's. */
	return db_fail((rc & 0xff) == SQLITE_CORRUPT ? from : to, rc, err);
}

static int
copy_snapshot(struct store *from, struct store *to, const struct store_backup *b, struct error *err)
{
	int64_t version;
	int rc;

	/* The first read fixes what the transaction sees. */
	if (db_exec_whole(from, "BEGIN", err) == -1)
		return -1;
	rc = db_pragma_int(from, "PRAGMA user_version", &version, err);
	if (rc == 0)
		rc = copy_pages(from, to, b, err);
	db_exec(from, "ROLLBACK", NULL);
	return rc;
}

static int
put_key(struct store *to, const struct store_backup *b, struct error *err)
{
	struct stmt q;

	if (b->key_len == 0)
		return 0;
	if (db_exec(to,
		"CREATE TABLE IF NOT EXISTS backup("
		"  name TEXT PRIMARY KEY," /* 'key' */
		"  bytes BLOB NOT NULL) WITHOUT ROWID",
		err) == -1)
		return -1;
	db_start(&q, to, SQL_BACKUP_SET);
	db_bind_text(&q, key_name);
	db_bind_blob(&q, b->key, b->key_len);
	return db_run(&q, err);
}

/* The copy is looked at as a stranger would: by its own header and pages. */
static int
check_copy(struct store *to, struct error *err)
{
	char verdict[256] = "";
	int64_t id;

	if (db_pragma_int(to, "PRAGMA application_id", &id, err) == -1 ||
	    db_pragma_text(to, "PRAGMA quick_check(1)", verdict, sizeof(verdict), err) == -1)
		return -1;
	if (id != STORE_APPLICATION_ID || strcmp(verdict, "ok") != 0)
		return err_set(err, ERR_IO,
		    "%s: the copy is damaged (%s), so the store or the disk is; 'digest check' "
		    "reads all of the store",
		    to->path, verdict);
	return 0;
}

/* Nothing is synced and there is no way back: until the end the file is nobody's backup. */
static int
fill_part(struct store *from, const char *part, const struct store_backup *b,
    struct store_sizes *sizes, struct error *err)
{
	struct store to = { .path = (char *)(uintptr_t)part, .in_transaction = true };
	int rc = sqlite3_open_v2(part, &to.db, SQLITE_OPEN_READWRITE, NULL);

	if (rc != SQLITE_OK)
		rc = db_fail(&to, rc, err);
	else if (db_exec(&to, "PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF", err) == 0 &&
	    copy_snapshot(from, &to, b, err) == 0 &&
	    db_exec(&to, "PRAGMA journal_mode = DELETE", err) == 0 && put_key(&to, b, err) == 0 &&
	    check_copy(&to, err) == 0)
		rc = store_load_sizes(&to, sizes, err);
	else
		rc = -1;
	for (size_t i = 0; i < SQL_COUNT; i++)
		sqlite3_finalize(to.stmts[i]);
	if (sqlite3_close(to.db) != SQLITE_OK && rc == 0)
		rc = err_set(err, ERR_BUG, "%s: cannot be closed", part);
	return rc;
}

int
store_backup(
    struct store *store, const struct store_backup *b, struct store_sizes *sizes, struct error *err)
{
	char part[MAX_PATH_BYTES];
	int fd = -1, rc;

	if (snprintf(part, sizeof(part), "%s.part", b->to) >= (int)sizeof(part))
		return err_set(err, ERR_IO, "%s: path is too long", b->to);
	if (open_part(part, &fd, err) == -1)
		return -1;
	rc = fill_part(store, part, b, sizes, err);
	if (rc == 0)
		rc = put_in_place(fd, part, b->to, err);
	if (rc == -1)
		unlink(part);
	close(fd); /* not before: it would drop SQLite's own locks on the file */
	return rc;
}

/* ---- what a backup brings along ---- */

int
store_load_backup_key(struct store *store, struct strbuf *out, struct error *err)
{
	int64_t there;
	struct stmt q;
	int found;

	if (db_get_int(store, SQL_BACKUP_THERE, NULL, 0, &there, err) != 1)
		return -1;
	if (there == 0)
		return 0;
	db_start(&q, store, SQL_BACKUP_GET);
	db_bind_text(&q, key_name);
	if ((found = db_step(&q, err)) != 1)
		return found;
	strbuf_addn(out, sqlite3_column_blob(q.st, 0), (size_t)sqlite3_column_bytes(q.st, 0));
	db_done(&q);
	return strbuf_check(out, err) == -1 ? -1 : 1;
}

int
store_forget_backup_key(struct store *store, struct error *err)
{
	/* A statement that reads the table would keep it from going. */
	sqlite3_finalize(store->stmts[SQL_BACKUP_GET]);
	store->stmts[SQL_BACKUP_GET] = NULL;
	if (!store->in_transaction)
		return err_set(err, ERR_BUG, "%s: written to outside a transaction", store->path);
	return db_exec(store, "DROP TABLE IF EXISTS backup", err);
}
