#include "store/open.h"

#include "digest/file.h"
#include "digest/log.h"
#include "digest/store_care.h"
#include "store/db.h"

#include <sodium.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

enum {
	SMALL_BYTES = 64 * 1024 * 1024, /* to check less takes a fraction of a second */
	BUSY_MS = 30000,
	OPEN_TIMEOUT_MS = 30000,
};

/* ---- what stands at the path ---- */

static int
check_file_system(const char *path, struct error *err)
{
	char copy[4096];
	struct statfs fs;
	const char *name;

	if (snprintf(copy, sizeof(copy), "%s", path) >= (int)sizeof(copy))
		return err_set(err, ERR_IO, "%s: path is too long", path);
	/* The directory may be missing too; then the one that will hold it decides, and open
	 * says the rest. */
	if (statfs(dirname(copy), &fs) == -1)
		return 0;
	if ((name = lock_network_name((long)fs.f_type)) != NULL)
		return err_set(err, ERR_IO,
		    "%s: is on a network file system (%s), whose locks cannot be relied on; set "
		    "store.path to a local disk",
		    path, name);
	return 0;
}

/* 1 = there, 0 = missing, -1 = cannot be a store. */
static int
check_path(const struct store *store, struct error *err)
{
	const char *path = store->path;
	struct stat st;

	if (check_file_system(path, err) == -1)
		return -1;
	if (stat(path, &st) == -1) {
		if (errno == ENOENT && store->mode != STORE_READ)
			return 0;
		if (errno == ENOENT)
			return err_set(err, ERR_IO,
			    "no store at %s yet; the first 'digest run' makes it", path);
		return file_set_refused(err, ERR_IO, path, strerror(errno), "rw");
	}
	if (S_ISDIR(st.st_mode))
		return err_set(
		    err, ERR_IO, "%s: is a directory; store.path must name a file", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_IO, "%s: is not a regular file", path);
	if (st.st_size == 0)
		return err_set(err, ERR_IO,
		    "%s: is empty, so its papers and readers are lost; restore a backup: digest "
		    "restore FILE, or remove it to begin anew",
		    path);
	if (access(path, R_OK) == -1 || (store->mode == STORE_WRITE && access(path, W_OK) == -1))
		return file_set_refused(err, ERR_IO, path, "no permission", "rw");
	if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0 && store->log != NULL)
		log_warn(store->log, "%s: others may read who gets which mail; chmod 600 %s", path,
		    path);
	return 1;
}

/* ---- the connection ---- */

static int
count_frames(void *arg, sqlite3 *db, const char *schema, int frames)
{
	struct store *store = arg;

	(void)db;
	(void)schema;
	store->wal_frames = frames;
	return SQLITE_OK;
}

static const struct {
	int option, value;
} db_options[] = {
	{ SQLITE_DBCONFIG_DEFENSIVE, 1 },
	{ SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0 },
	{ SQLITE_DBCONFIG_DQS_DML, 0 }, /* "nosuch" is an error, not a text */
	{ SQLITE_DBCONFIG_DQS_DDL, 0 },
	{ SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0 },
	/* Checkpoints only where LOCK_WRITER is held, see store_commit and store_close. */
	{ SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1 },
};

/* Everything that must be set before the file is read for the first time. */
static int
connect(struct store *store, const char *path, int flags, const char *vfs, struct error *err)
{
	int rc = sqlite3_open_v2(path, &store->db, flags, vfs);

	if (rc != SQLITE_OK)
		return db_fail(store, rc, err);
	sqlite3_extended_result_codes(store->db, 1);
	sqlite3_busy_timeout(store->db, BUSY_MS);
	for (size_t i = 0; i < sizeof(db_options) / sizeof(db_options[0]); i++)
		sqlite3_db_config(store->db, db_options[i].option, db_options[i].value, NULL);
	sqlite3_wal_hook(store->db, count_frames, store); /* also ends autocheckpoint */
	if (vfs != NULL && db_exec(store, "PRAGMA locking_mode = EXCLUSIVE", err) == -1)
		return -1;
	return db_exec(store,
	    "PRAGMA mmap_size = 0;"
	    "PRAGMA secure_delete = ON;" /* an erased reader leaves no bytes */
	    "PRAGMA temp_store = MEMORY;"
	    "PRAGMA cache_size = -32768;" /* KiB */
	    "PRAGMA journal_size_limit = 67108864;"
	    "PRAGMA synchronous = NORMAL", /* see store_commit */
	    err);
}

static void
disconnect(struct store *store)
{
	for (size_t i = 0; i < SQL_COUNT; i++) {
		sqlite3_finalize(store->stmts[i]);
		store->stmts[i] = NULL;
	}
	sqlite3_close(store->db);
	store->db = NULL;
}

/* ---- checks ---- */

static int
check_header(struct store *store, int64_t *version, struct error *err)
{
	int64_t id;

	if (db_pragma_int(store, "PRAGMA application_id", &id, err) == -1 ||
	    db_pragma_int(store, "PRAGMA user_version", version, err) == -1)
		return -1;
	if (id != STORE_APPLICATION_ID)
		return err_set(err, ERR_IO,
		    "%s: is a database of another program; set store.path to a file of its own",
		    store->path);
	if (*version > schema_newest())
		return err_set(err, ERR_IO,
		    "%s: was made by a newer digest (schema %" PRId64 ", this one knows %d); "
		    "install the newer one",
		    store->path, *version, schema_newest());
	return 0;
}

/* Nobody else has the store open for writing: then a mark that is not clean means a crash and
 * not a running process. */
static bool
is_alone(struct store *store)
{
	bool alone;

	if (store->write_fd == -1 || store->mode != STORE_WRITE)
		return true;
	alone = lock_try(store->write_fd, LOCK_ALIVE, false) == 1;
	lock_try(store->write_fd, LOCK_ALIVE, true);
	return alone;
}

static int
check_pages(struct store *store, struct error *err)
{
	int64_t pages, page_bytes, clean;
	const char *check;
	char verdict[256];
	bool unclean;

	if (db_pragma_int(store, "PRAGMA page_count", &pages, err) == -1 ||
	    db_pragma_int(store, "PRAGMA page_size", &page_bytes, err) == -1 ||
	    db_get_meta(store, "clean", &clean, err) == -1)
		return -1;
	unclean = clean != 1 && store->mode != STORE_READ && is_alone(store);
	if (pages * page_bytes >= SMALL_BYTES && !unclean)
		return 0;
	/* After a crash indexes are compared with their tables, too, where that is quick. */
	check = pages * page_bytes < SMALL_BYTES && unclean ? "PRAGMA integrity_check(1)"
							    : "PRAGMA quick_check(1)";
	if (db_pragma_text(store, check, verdict, sizeof(verdict), err) == -1)
		return -1;
	if (strcmp(verdict, "ok") != 0)
		return err_set(err, ERR_IO,
		    "%s: the store is damaged (%s); restore a backup: digest restore FILE",
		    store->path, verdict);
	return 0;
}

int
store_check(struct store *store, struct error *err)
{
	char verdict[256];

	if (db_pragma_text(store, "PRAGMA integrity_check(1)", verdict, sizeof(verdict), err) == -1)
		return -1;
	if (strcmp(verdict, "ok") != 0)
		return err_set(err, ERR_IO,
		    "%s: the store is damaged (%s); restore a backup: digest restore FILE",
		    store->path, verdict);
	return 0;
}

static int
load_identity(struct store *store, struct error *err)
{
	struct stmt q;
	int found;

	db_start(&q, store, SQL_IDENTITY_GET);
	if ((found = db_step(&q, err)) == -1)
		return -1;
	if (found == 0 || sqlite3_column_bytes(q.st, 0) != (int)sizeof(store->instance) - 1 ||
	    sqlite3_column_bytes(q.st, 1) != SUPPRESS_KEY_BYTES) {
		db_done(&q);
		return err_set(err, ERR_IO,
		    "%s: its identity is missing, so it is damaged; restore a backup: digest "
		    "restore "
		    "FILE",
		    store->path);
	}
	memcpy(store->instance, sqlite3_column_blob(q.st, 0), sizeof(store->instance) - 1);
	memcpy(store->suppress_key, sqlite3_column_blob(q.st, 1), SUPPRESS_KEY_BYTES);
	db_done(&q);
	return 0;
}

static int
check_features(const struct store *store, struct error *err)
{
	if (sqlite3_compileoption_used("ENABLE_FTS5") == 0)
		return err_set(err, ERR_IO,
		    "%s: SQLite %s was built without FTS5; install one that has it", store->path,
		    sqlite3_libversion());
	return sodium_init() == -1 ? err_set(err, ERR_BUG, "libsodium does not start") : 0;
}

/* /proc gives a random number for each boot; where there is none, every boot is taken for
 * another one. */
static int64_t
read_boot(void)
{
	unsigned char hash[sizeof(int64_t)];
	int64_t boot = 0;
	struct strbuf text;

	strbuf_init(&text, 256);
	if (file_read("/proc/sys/kernel/random/boot_id", &text, NULL) == 0 && text.len > 0) {
		unsigned char full[HASH_BYTES];

		crypto_generichash(
		    full, sizeof(full), (const unsigned char *)text.buf, text.len, NULL, 0);
		memcpy(hash, full, sizeof(hash));
		memcpy(&boot, hash, sizeof(boot));
	}
	strbuf_release(&text);
	return boot;
}

/* ---- making one ---- */

static int
insert_identity(struct store *store, struct error *err)
{
	unsigned char id[16], key[SUPPRESS_KEY_BYTES];
	char text[sizeof(store->instance)];
	struct stmt q;
	int rc;

	randombytes_buf(id, sizeof(id));
	randombytes_buf(key, sizeof(key));
	sodium_bin2hex(text, sizeof(text), id, sizeof(id));
	store->in_transaction = true; /* the statement is one of its own */
	db_start(&q, store, SQL_IDENTITY_SET);
	db_bind_text(&q, text);
	db_bind_blob(&q, key, sizeof(key));
	rc = db_run(&q, err);
	store->in_transaction = false;
	return rc;
}

/* Under a temporary name, so that a store is there whole or not at all. */
static int
build_file(struct store *store, const char *temp, struct error *err)
{
	int fd, rc = -1;

	unlink(temp);
	fd = open(temp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		return err_set(err, ERR_IO, "%s: %s", temp, strerror(errno));
	close(fd);
	if (connect(store, temp, SQLITE_OPEN_READWRITE, NULL, err) == 0 &&
	    db_exec(store, "PRAGMA synchronous = EXTRA", err) == 0 &&
	    schema_apply(store, 0, err) == 0 && insert_identity(store, err) == 0)
		rc = db_exec(store, "PRAGMA journal_mode = WAL", err);
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
	disconnect(store);
	if (rc == 0 && rename(temp, store->path) == -1)
		rc = err_set(err, ERR_IO, "%s: %s", store->path, strerror(errno));
	if (rc == -1)
		unlink(temp);
	return rc;
}

static int
make_store(struct store *store, struct error *err)
{
	struct strbuf temp;
	int rc = 0;

	if (lock_wait(store->write_fd, LOCK_WRITER, false, OPEN_TIMEOUT_MS) != 1)
		return err_set(err, ERR_TEMP, "%s: another process is making it", store->path);
	strbuf_init(&temp, 4096);
	strbuf_addf(&temp, "%s.new", store->path);
	rc = strbuf_check(&temp, err);
	if (rc == 0 && !file_exists(store->path)) /* another process may have been faster */
		rc = build_file(store, temp.buf, err);
	strbuf_release(&temp);
	lock_drop(store->write_fd, LOCK_WRITER);
	return rc;
}

/* ---- an older one ---- */

static int
upgrade_with_backup(struct store *store, struct error *err)
{
	struct store_backup backup = { 0 };
	struct store_sizes sizes;
	struct strbuf path;
	int64_t version;
	int rc = -1;

	strbuf_init(&path, 4096);
	if (lock_wait(store->write_fd, LOCK_WRITER, false, OPEN_TIMEOUT_MS) != 1)
		return err_set(err, ERR_TEMP, "%s: another process is writing", store->path);
	if (db_pragma_int(store, "PRAGMA user_version", &version, err) == -1)
		goto out;
	if (version < schema_newest()) {
		/* Named by its first step: one that was killed between two steps leaves the older copy alone. */
		strbuf_addf(&path, "%s.before-v%" PRId64, store->path, version + 1);
		backup.to = path.buf;
		if (strbuf_check(&path, err) == -1)
			goto out;
		if (store_backup(store, &backup, &sizes, err) == -1) {
			err_prefix(err, "backup before the upgrade");
			goto out;
		}
		if (schema_apply(store, version, err) == -1)
			goto out;
		if (store->log != NULL)
			log_info(
			    store->log, "store upgraded path=%s backup=%s", store->path, path.buf);
	}
	rc = 0;
out:
	lock_drop(store->write_fd, LOCK_WRITER);
	strbuf_release(&path);
	return rc;
}

/* ---- the three ways in ---- */

static int
finish_open(struct store *store, struct error *err)
{
	store->boot = read_boot();
	if (load_identity(store, err) == -1)
		return -1;
	if (store->mode == STORE_READ)
		return db_exec(store, "PRAGMA query_only = ON", err);
	return 0;
}

static int
open_overlay(struct store *store, struct error *err)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
	int64_t pages, version = 0;

	/* Where there is no lock file, nobody has written and nobody can. */
	if (store->write_fd == -1)
		lock_open(store->path, ".write.lock", false, &store->write_fd, NULL);
	if (overlay_new(store->path, store->write_fd, &store->overlay, err) == -1 ||
	    connect(store, store->path, flags, overlay_vfs_name(store->overlay), err) == -1 ||
	    db_pragma_int(store, "PRAGMA page_count", &pages, err) == -1)
		return -1;
	if (pages > 0 && check_header(store, &version, err) == -1)
		return -1;
	/* The pages as they stand in the file, before steps are run on them. */
	if (version > 0 && check_pages(store, err) == -1)
		return -1;
	if (version < schema_newest() && schema_apply(store, version, err) == -1)
		return -1;
	if (pages == 0 && insert_identity(store, err) == -1)
		return -1;
	return finish_open(store, err);
}

static int
open_for_writing(struct store *store, bool missing, struct error *err)
{
	int64_t version;
	char copy[4096];

	snprintf(copy, sizeof(copy), "%s", store->path);
	if ((missing && file_make_dirs(dirname(copy), 0700, err) == -1) ||
	    lock_open(store->path, ".write.lock", true, &store->write_fd, err) == -1 ||
	    (missing && make_store(store, err) == -1) ||
	    connect(store, store->path, SQLITE_OPEN_READWRITE, NULL, err) == -1 ||
	    check_header(store, &version, err) == -1 || check_pages(store, err) == -1)
		return -1;
	if (version < schema_newest() && upgrade_with_backup(store, err) == -1)
		return -1;
	is_alone(store); /* from now on we are one of those that live */
	if (db_exec(store, "PRAGMA journal_mode = WAL", err) == -1)
		return -1;
	return finish_open(store, err);
}

/* The usual way needs SQLite's shared memory file beside the store. Where that cannot be made (a
 * read-only directory) or the schema is older than we read, look through an overlay. */
static int
open_for_reading(struct store *store, struct error *err)
{
	int64_t version;
	char copy[4096];

	snprintf(copy, sizeof(copy), "%s", store->path);
	if (access(dirname(copy), W_OK) == 0 && access(store->path, W_OK) == 0 &&
	    connect(store, store->path, SQLITE_OPEN_READONLY, NULL, err) == 0) {
		if (check_header(store, &version, err) == -1)
			return -1;
		if (version == schema_newest())
			return check_pages(store, err) == -1 ? -1 : finish_open(store, err);
	}
	disconnect(store);
	return open_overlay(store, err);
}

int
open_store(struct store *store, struct error *err)
{
	int there;

	if (check_features(store, err) == -1 || (there = check_path(store, err)) == -1)
		return -1;
	if (store->mode == STORE_WRITE)
		return file_refuse_root(store->path, err) == -1
		    ? -1
		    : open_for_writing(store, there == 0, err);
	if (store->mode == STORE_READ)
		return open_for_reading(store, err);
	return open_overlay(store, err);
}
