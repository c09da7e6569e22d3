#include "store/db.h"

#include "digest/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RESTORE_TIMEOUT_MS = 5000, MAX_PATH_BYTES = 4096, LONGEST_SUFFIX = 32 };

/* A whole store of a version that we know. */
static int
check_backup(struct store *store, struct error *err)
{
	char verdict[256] = "it cannot be read";
	int64_t id, version;

	if (db_pragma_int(store, "PRAGMA application_id", &id, NULL) == -1 ||
	    db_pragma_int(store, "PRAGMA user_version", &version, NULL) == -1)
		return err_set(err, ERR_DATA, "%s: is no store of digest, or damaged", store->path);
	if (id != STORE_APPLICATION_ID || version < 1)
		return err_set(err, ERR_DATA, "%s: is no store of digest", store->path);
	if (version > schema_newest())
		return err_set(err, ERR_DATA,
		    "%s: was made by a newer digest (schema %" PRId64 ", this one knows %d)",
		    store->path, version, schema_newest());
	if (db_pragma_text(store, "PRAGMA integrity_check(1)", verdict, sizeof(verdict), NULL) ==
		-1 ||
	    strcmp(verdict, "ok") != 0)
		return err_set(err, ERR_DATA, "%s: is damaged itself (%s)", store->path, verdict);
	return 0;
}

/* "<path><suffix>"; store_restore() has looked that all paths are short enough. */
static const char *
beside(const char *path, const char *suffix, char out[MAX_PATH_BYTES])
{
	size_t len = strnlen(path, MAX_PATH_BYTES - LONGEST_SUFFIX), more = strlen(suffix);

	memmove(out, path, len);
	memcpy(out + len, suffix, more + 1);
	return out;
}

/* 1 = copied, 0 = there is no such file. */
static int
copy_file(const char *from, const char *to, struct error *err)
{
	static const size_t size = 256 * 1024;
	char *buf = malloc(size);
	int in = open(from, O_RDONLY | O_CLOEXEC), out = -1, rc = -1;
	ssize_t n = -1;

	unlink(to);
	if (in == -1 && errno == ENOENT)
		rc = 0;
	else if (buf != NULL && in != -1)
		out = open(to, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	while (out != -1 && (n = read(in, buf, size)) > 0 && write(out, buf, (size_t)n) == n)
		continue;
	if (out != -1 && n == 0 && fsync(out) == 0)
		rc = 1;
	if (rc == -1)
		err_set(err, ERR_IO, "%s: %s", out == -1 ? from : to, strerror(errno));
	if (in != -1)
		close(in);
	if (out != -1)
		close(out);
	free(buf);
	return rc;
}

/* The log of a store that was copied while it was in use belongs to it. The copy is looked at, so that the backup stays as it
 * is; SQLite folds the log into the copy when it is closed. */
static int
load_backup(const char *from, const char *path, struct error *err)
{
	char from_log[MAX_PATH_BYTES], log[MAX_PATH_BYTES];
	struct store copy = { .path = (char *)(uintptr_t)from };
	int rc = copy_file(from, path, err);

	if (rc == 0)
		return err_set(err, ERR_DATA, "%s: there is no such file", from);
	if (rc == -1 ||
	    copy_file(beside(from, "-wal", from_log), beside(path, "-wal", log), err) == -1)
		return -1;
	rc = sqlite3_open_v2(path, &copy.db, SQLITE_OPEN_READWRITE, NULL);
	if (rc != SQLITE_OK)
		rc = db_fail(&copy, rc, err);
	else
		rc = check_backup(&copy, err);
	if (sqlite3_close(copy.db) != SQLITE_OK && rc == 0)
		rc = err_set(err, ERR_BUG, "%s: cannot be closed", path);
	if (rc == 0 && file_exists(log))
		rc = err_set(err, ERR_IO, "%s: its log cannot be taken in", from);
	return rc;
}

/* What was there is kept with its log, the rest of which would be taken for the new one's. Its index is made anew. */
static int
put_aside(const char *path, struct error *err)
{
	static const char kept[] = ".before-restore", *const parts[] = { "", "-wal" };
	char from[MAX_PATH_BYTES], to[MAX_PATH_BYTES], name[64];

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		snprintf(name, sizeof(name), "%s%s", kept, parts[i]);
		unlink(beside(path, name, to));
		/* The store itself stays in its place, too, until the new one takes it: else a crash would leave none, and
		 * the next run would begin an empty one. */
		if ((i == 0 ? link : rename)(beside(path, parts[i], from), to) == -1 &&
		    errno != ENOENT)
			return err_set(err, ERR_IO, "%s: %s", to, strerror(errno));
	}
	unlink(beside(path, "-shm", from));
	unlink(beside(path, "-journal", from));
	return 0;
}

static int
replace(const char *path, const char *temp, struct error *err)
{
	char copy[MAX_PATH_BYTES];
	int fd, rc = -1;

	if (put_aside(path, err) == -1)
		return -1;
	snprintf(copy, sizeof(copy), "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd != -1) {
		if (rename(temp, path) == 0)
			rc = fsync(fd);
		close(fd);
	}
	return rc == 0 ? 0 : err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
}

int
store_restore(const char *path, const char *from, struct error *err)
{
	char temp[MAX_PATH_BYTES], copy[MAX_PATH_BYTES];
	int write_fd = -1, sender_fd = -1, rc = -1;

	if (strlen(path) + LONGEST_SUFFIX > MAX_PATH_BYTES ||
	    strlen(from) + LONGEST_SUFFIX > MAX_PATH_BYTES)
		return err_set(err, ERR_IO, "%s: path is too long", path);
	snprintf(copy, sizeof(copy), "%s", path);
	if (file_refuse_root(path, err) == -1 || file_make_dirs(dirname(copy), 0700, err) == -1 ||
	    lock_open(path, ".write.lock", true, &write_fd, err) == -1 ||
	    lock_open(path, ".sender.lock", true, &sender_fd, err) == -1)
		goto out;
	if (lock_try(sender_fd, LOCK_WRITER, false) != 1 ||
	    lock_wait(write_fd, LOCK_WRITER, false, RESTORE_TIMEOUT_MS) != 1 ||
	    lock_try(write_fd, LOCK_SNAPSHOT, false) != 1 ||
	    lock_try(write_fd, LOCK_ALIVE, false) != 1) {
		err_set(
		    err, ERR_TEMP, "%s: is in use; end the run first, then restore again", path);
		goto out;
	}
	if (load_backup(from, beside(path, ".new", temp), err) == 0)
		rc = replace(path, temp, err);
	if (rc == -1) {
		unlink(temp);
		unlink(beside(path, ".new-wal", temp));
		unlink(beside(path, ".new-shm", temp));
	}
out:
	if (sender_fd != -1)
		close(sender_fd);
	if (write_fd != -1)
		close(write_fd);
	return rc;
}
