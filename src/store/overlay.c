/* A VFS for SQLite that reads the real files and never writes them: what is written stays in
 * memory, in chunks over the file. It needs no locks of SQLite's and no shared memory file, so
 * it leaves nothing behind, works in a directory that may only be read, and on no file at all.
 * Real writers go on meanwhile. The snapshot stays whole because the write-ahead log is copied
 * while no writer is inside a transaction, and LOCK_SNAPSHOT keeps checkpoints from moving newer
 * pages into the database file. */
#include "store/db.h"
#include "digest/file.h"
#include "digest/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	CHUNK_BYTES = 4096, /* a page of the store, so that most writes replace one chunk whole */
	LOCK_TIMEOUT_MS = 30000,
	MAX_TEMP_FILES = 8, /* SQLite opens one or two; temp_store is memory */
};

/* A file in memory, over a real one or over nothing. */
struct image {
	char *name;		/* "" = free, or a temporary file */
	unsigned char **chunks; /* NULL where nothing was written */
	size_t nchunks;
	sqlite3_int64 size;
	sqlite3_file *real; /* what lies below, NULL = nothing */
	int64_t real_size;  /* how much of it still shows */
	bool in_use;
};

struct overlay {
	sqlite3_vfs vfs; /* registered as long as the overlay lives */
	sqlite3_vfs *parent;
	char name[40];
	char *db_name;
	const char
	    *real_name; /* as SQLite wants it: the parent VFS keeps the pointer until xClose */
	int write_fd;
	bool exists; /* the database, when the snapshot was taken */
	size_t used_bytes;
	struct image db, wal, journal;
	struct image temps[MAX_TEMP_FILES];
};

/* What SQLite holds of an open file; sqlite3_file must come first. */
struct overlay_file {
	sqlite3_file base;
	struct overlay *overlay;
	struct image *image;
};

static struct overlay_file *
as_overlay(sqlite3_file *file)
{
	return (struct overlay_file *)(void *)file;
}

static void
free_chunks(struct overlay *o, struct image *im, size_t from)
{
	for (size_t i = from; i < im->nchunks; i++) {
		if (im->chunks[i] != NULL)
			o->used_bytes -= CHUNK_BYTES;
		free(im->chunks[i]);
		im->chunks[i] = NULL;
	}
}

static void
clear_image(struct overlay *o, struct image *im)
{
	free_chunks(o, im, 0);
	free(im->chunks);
	im->chunks = NULL;
	im->nchunks = 0;
	im->size = im->real_size = 0;
}

/* Bytes of the real file, zeros where it does not show. */
static int
read_real(struct image *im, unsigned char *out, size_t len, int64_t offset)
{
	int64_t there = im->real_size - offset;
	size_t n = there <= 0 ? 0 : (size_t)there < len ? (size_t)there : len;
	int rc = SQLITE_OK;

	memset(out, 0, len);
	if (n > 0)
		rc = im->real->pMethods->xRead(im->real, out, (int)n, offset);
	return rc == SQLITE_IOERR_SHORT_READ ? SQLITE_OK : rc;
}

/* The chunk to write to; unless it is replaced whole, what lies below comes up first. */
static int
touch_chunk(struct overlay *o, struct image *im, size_t index, bool whole, unsigned char **out)
{
	if (index >= im->nchunks) {
		size_t n = index + 1 + index / 2;
		unsigned char **grown = realloc(im->chunks, n * sizeof(*grown));

		if (grown == NULL)
			return SQLITE_NOMEM;
		memset(grown + im->nchunks, 0, (n - im->nchunks) * sizeof(*grown));
		im->chunks = grown;
		im->nchunks = n;
	}
	if (im->chunks[index] == NULL) {
		unsigned char *chunk;
		int rc = SQLITE_OK;

		if (o->used_bytes + CHUNK_BYTES > MAX_OVERLAY_BYTES)
			return SQLITE_FULL;
		if ((chunk = malloc(CHUNK_BYTES)) == NULL)
			return SQLITE_NOMEM;
		if (!whole)
			rc = read_real(im, chunk, CHUNK_BYTES, (int64_t)index * CHUNK_BYTES);
		if (rc != SQLITE_OK) {
			free(chunk);
			return rc;
		}
		im->chunks[index] = chunk;
		o->used_bytes += CHUNK_BYTES;
	}
	*out = im->chunks[index];
	return SQLITE_OK;
}

static int
write_image(
    struct overlay *o, struct image *im, const unsigned char *bytes, size_t len, int64_t offset)
{
	int64_t end = offset + (int64_t)len;

	while (len > 0) {
		size_t index = (size_t)(offset / CHUNK_BYTES), at = (size_t)(offset % CHUNK_BYTES);
		size_t n = len < CHUNK_BYTES - at ? len : CHUNK_BYTES - at;
		unsigned char *chunk = NULL;
		int rc = touch_chunk(o, im, index, n == CHUNK_BYTES, &chunk);

		if (rc != SQLITE_OK)
			return rc;
		memcpy(chunk + at, bytes, n);
		bytes += n;
		offset += (int64_t)n;
		len -= n;
	}
	if (end > im->size)
		im->size = end;
	return SQLITE_OK;
}

static int
overlay_close(sqlite3_file *file)
{
	struct overlay_file *f = as_overlay(file);

	/* Named images stay until the overlay ends: SQLite may open its log again. */
	if (f->image->name == NULL)
		clear_image(f->overlay, f->image);
	f->image->in_use = false;
	return SQLITE_OK;
}

static int
overlay_read(sqlite3_file *file, void *out, int len, sqlite3_int64 offset)
{
	struct image *im = as_overlay(file)->image;
	unsigned char *p = out;
	int64_t there = im->size - offset;
	size_t left = there <= 0 ? 0 : there < len ? (size_t)there : (size_t)len;
	bool is_short = left < (size_t)len;

	memset(p + left, 0, (size_t)len - left);
	while (left > 0) {
		size_t index = (size_t)(offset / CHUNK_BYTES), at = (size_t)(offset % CHUNK_BYTES);
		size_t n = left < CHUNK_BYTES - at ? left : CHUNK_BYTES - at;

		if (index < im->nchunks && im->chunks[index] != NULL) {
			memcpy(p, im->chunks[index] + at, n);
		} else {
			int rc = read_real(im, p, n, offset);

			if (rc != SQLITE_OK)
				return rc;
		}
		p += n;
		offset += (int64_t)n;
		left -= n;
	}
	return is_short ? SQLITE_IOERR_SHORT_READ : SQLITE_OK;
}

static int
overlay_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 offset)
{
	struct overlay_file *f = as_overlay(file);

	return write_image(f->overlay, f->image, bytes, (size_t)len, offset);
}

static int
overlay_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	struct overlay_file *f = as_overlay(file);
	struct image *im = f->image;
	size_t last = (size_t)(size / CHUNK_BYTES), tail = (size_t)(size % CHUNK_BYTES);

	if (size >= im->size)
		return SQLITE_OK;
	free_chunks(f->overlay, im, tail > 0 ? last + 1 : last);
	if (tail > 0 && last < im->nchunks && im->chunks[last] != NULL)
		memset(im->chunks[last] + tail, 0, CHUNK_BYTES - tail);
	im->size = size;
	if (im->real_size > size)
		im->real_size = size;
	return SQLITE_OK;
}

static int
overlay_sync(sqlite3_file *file, int flags)
{
	(void)file;
	(void)flags;
	return SQLITE_OK;
}

static int
overlay_size(sqlite3_file *file, sqlite3_int64 *size)
{
	*size = as_overlay(file)->image->size;
	return SQLITE_OK;
}

static int
overlay_lock(sqlite3_file *file, int level)
{
	(void)file;
	(void)level;
	return SQLITE_OK;
}

static int
overlay_check_lock(sqlite3_file *file, int *reserved)
{
	(void)file;
	*reserved = 0;
	return SQLITE_OK;
}

static int
overlay_control(sqlite3_file *file, int op, void *arg)
{
	(void)file;
	(void)op;
	(void)arg;
	return SQLITE_NOTFOUND;
}

static int
overlay_sector(sqlite3_file *file)
{
	(void)file;
	return CHUNK_BYTES;
}

static int
overlay_traits(sqlite3_file *file)
{
	(void)file;
	return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

/* Version 1 has no shared memory; with locking_mode=EXCLUSIVE the log's index is kept on the
 * heap. */
static const sqlite3_io_methods overlay_methods = {
	.iVersion = 1,
	.xClose = overlay_close,
	.xRead = overlay_read,
	.xWrite = overlay_write,
	.xTruncate = overlay_truncate,
	.xSync = overlay_sync,
	.xFileSize = overlay_size,
	.xLock = overlay_lock,
	.xUnlock = overlay_lock,
	.xCheckReservedLock = overlay_check_lock,
	.xFileControl = overlay_control,
	.xSectorSize = overlay_sector,
	.xDeviceCharacteristics = overlay_traits,
};

static struct overlay *
overlay_of(sqlite3_vfs *vfs)
{
	return vfs->pAppData;
}

/* SQLite names its files after the database: "-wal", "-journal". */
static struct image *
find_image(struct overlay *o, const char *name, int flags)
{
	if (flags & SQLITE_OPEN_MAIN_DB)
		return &o->db;
	if (name != NULL && (flags & SQLITE_OPEN_WAL))
		return &o->wal;
	if (name != NULL && (flags & SQLITE_OPEN_MAIN_JOURNAL))
		return &o->journal;
	for (size_t i = 0; i < MAX_TEMP_FILES; i++)
		if (!o->temps[i].in_use)
			return &o->temps[i];
	return NULL;
}

/* Through the parent VFS: closing a descriptor of our own would drop the POSIX locks that
 * another connection of this process holds on the file. */
static int
open_real(struct overlay *o, const char *name)
{
	sqlite3_file *real = calloc(1, (size_t)o->parent->szOsFile);
	int rc, got;

	if (o->real_name == NULL)
		o->real_name = sqlite3_create_filename(name, "", "", 0, NULL);
	if (real == NULL || o->real_name == NULL) {
		free(real);
		return SQLITE_NOMEM;
	}
	rc = o->parent->xOpen(
	    o->parent, o->real_name, real, SQLITE_OPEN_READONLY | SQLITE_OPEN_MAIN_DB, &got);
	if (rc == SQLITE_OK)
		rc = real->pMethods->xFileSize(real, &o->db.size);
	if (rc != SQLITE_OK) {
		if (real->pMethods != NULL)
			real->pMethods->xClose(real);
		free(real);
		return rc;
	}
	o->db.real = real;
	o->db.real_size = o->db.size;
	return SQLITE_OK;
}

static int
overlay_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
	struct overlay *o = overlay_of(vfs);
	struct overlay_file *f = as_overlay(file);
	struct image *im = find_image(o, name, flags);
	int rc = SQLITE_OK;

	f->base.pMethods = NULL; /* tells SQLite that there is nothing to close */
	if (im == NULL)
		return SQLITE_CANTOPEN;
	if (im == &o->db && im->real == NULL && o->exists)
		rc = open_real(o, name);
	if (rc != SQLITE_OK)
		return rc;
	f->base.pMethods = &overlay_methods;
	f->overlay = o;
	f->image = im;
	im->in_use = true;
	if (out_flags != NULL)
		*out_flags = flags;
	return SQLITE_OK;
}

static struct image *
named_image(struct overlay *o, const char *name)
{
	struct image *named[] = { &o->db, &o->wal, &o->journal };

	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++)
		if (strcmp(named[i]->name, name) == 0)
			return named[i];
	return NULL;
}

static int
overlay_delete(sqlite3_vfs *vfs, const char *name, int sync_dir)
{
	struct image *im = named_image(overlay_of(vfs), name);

	(void)sync_dir;
	if (im != NULL)
		clear_image(overlay_of(vfs), im);
	return SQLITE_OK;
}

static int
overlay_access(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
	struct image *im = named_image(overlay_of(vfs), name);

	(void)flags;
	*out = im != NULL && im->size > 0;
	return SQLITE_OK;
}

static int
overlay_path(sqlite3_vfs *vfs, const char *name, int size, char *out)
{
	sqlite3_vfs *parent = overlay_of(vfs)->parent;

	return parent->xFullPathname(parent, name, size, out);
}

static int
overlay_random(sqlite3_vfs *vfs, int len, char *out)
{
	sqlite3_vfs *parent = overlay_of(vfs)->parent;

	return parent->xRandomness(parent, len, out);
}

static int
overlay_sleep(sqlite3_vfs *vfs, int microseconds)
{
	sqlite3_vfs *parent = overlay_of(vfs)->parent;

	return parent->xSleep(parent, microseconds);
}

static int
overlay_time(sqlite3_vfs *vfs, double *out)
{
	sqlite3_vfs *parent = overlay_of(vfs)->parent;

	return parent->xCurrentTime(parent, out);
}

/* The log may be rewritten from its start by the next writer, so its bytes are copied and not
 * left to be read later. */
static int
copy_wal(struct overlay *o, struct error *err)
{
	unsigned char chunk[16 * CHUNK_BYTES];
	int fd = open(o->wal.name, O_RDONLY | O_CLOEXEC);
	int rc = SQLITE_OK;
	ssize_t n = 0;

	if (fd == -1 && errno == ENOENT)
		return 0;
	if (fd == -1)
		return err_set(err, ERR_IO, "%s: %s", o->wal.name, strerror(errno));
	while (rc == SQLITE_OK && (n = read(fd, chunk, sizeof(chunk))) > 0)
		rc = write_image(o, &o->wal, chunk, (size_t)n, o->wal.size);
	if (n == -1)
		err_set(err, ERR_IO, "%s: %s", o->wal.name, strerror(errno));
	else if (rc != SQLITE_OK)
		err_set(err, ERR_NOMEM, "%s: does not fit in memory; run `digest run` first",
		    o->wal.name);
	close(fd);
	return n == -1 || rc != SQLITE_OK ? -1 : 0;
}

/* Without a lock file, or in a directory where none can be made, nobody writes. */
static int
take_snapshot(struct overlay *o, struct error *err)
{
	int rc;

	if (o->write_fd == -1) {
		o->exists = file_exists(o->db_name);
		return copy_wal(o, err);
	}
	if (lock_wait(o->write_fd, LOCK_SNAPSHOT, true, LOCK_TIMEOUT_MS) != 1 ||
	    lock_wait(o->write_fd, LOCK_WRITER, true, LOCK_TIMEOUT_MS) != 1)
		return err_set(err, ERR_TEMP, "%s: another process has been writing for %d s",
		    o->db_name, LOCK_TIMEOUT_MS / 1000);
	o->exists = file_exists(o->db_name);
	rc = copy_wal(o, err);
	lock_drop(o->write_fd, LOCK_WRITER);
	return rc;
}

static char *
join(const char *path, const char *suffix)
{
	char *joined = NULL;

	return asprintf(&joined, "%s%s", path, suffix) == -1 ? NULL : joined;
}

static void
fill_vfs(struct overlay *o)
{
	snprintf(o->name, sizeof(o->name), "digest-overlay-%p", (void *)o);
	o->vfs = (sqlite3_vfs){
		.iVersion = 1,
		.szOsFile = sizeof(struct overlay_file),
		.mxPathname = o->parent->mxPathname,
		.zName = o->name,
		.pAppData = o,
		.xOpen = overlay_open,
		.xDelete = overlay_delete,
		.xAccess = overlay_access,
		.xFullPathname = overlay_path,
		.xRandomness = overlay_random,
		.xSleep = overlay_sleep,
		.xCurrentTime = overlay_time,
	};
}

int
overlay_new(const char *path, int write_fd, struct overlay **out, struct error *err)
{
	struct overlay *o = calloc(1, sizeof(*o));
	char full[4096];

	if (o == NULL)
		return err_nomem(err, path);
	o->write_fd = write_fd;
	if ((o->parent = sqlite3_vfs_find(NULL)) == NULL) {
		err_set(err, ERR_BUG, "SQLite has no file system layer");
		goto fail;
	}
	/* The name that SQLite will use, so that files can be told apart by it. */
	if ((o->parent->xFullPathname(o->parent, path, sizeof(full), full) & 0xff) != SQLITE_OK) {
		err_set(err, ERR_IO, "%s: path cannot be resolved", path);
		goto fail;
	}
	o->db_name = o->db.name = join(full, "");
	o->wal.name = join(full, "-wal");
	o->journal.name = join(full, "-journal");
	if (o->db.name == NULL || o->wal.name == NULL || o->journal.name == NULL) {
		err_nomem(err, path);
		goto fail;
	}
	if (take_snapshot(o, err) == -1)
		goto fail;
	fill_vfs(o);
	if (sqlite3_vfs_register(&o->vfs, 0) != SQLITE_OK) {
		err_nomem(err, path);
		goto fail;
	}
	*out = o;
	return 0;
fail:
	overlay_free(o);
	return -1;
}

void
overlay_free(struct overlay *o)
{
	if (o == NULL)
		return;
	sqlite3_vfs_unregister(&o->vfs);
	if (o->db.real != NULL)
		o->db.real->pMethods->xClose(o->db.real);
	free(o->db.real);
	if (o->real_name != NULL)
		sqlite3_free_filename(o->real_name);
	for (size_t i = 0; i < MAX_TEMP_FILES; i++)
		clear_image(o, &o->temps[i]);
	clear_image(o, &o->db);
	clear_image(o, &o->wal);
	clear_image(o, &o->journal);
	free(o->db.name);
	free(o->wal.name);
	free(o->journal.name);
	if (o->write_fd != -1)
		lock_drop(o->write_fd, LOCK_SNAPSHOT);
	free(o);
}

const char *
overlay_vfs_name(const struct overlay *o)
{
	return o->name;
}
