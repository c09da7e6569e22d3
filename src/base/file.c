#include "digest/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_PATH_BYTES = 4096 };

static int
read_all(int fd, const char *path, struct strbuf *out, struct error *err)
{
	char chunk[64 * 1024];

	for (;;) {
		ssize_t n = read(fd, chunk, sizeof(chunk));

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
		if (n == 0)
			return 0;
		strbuf_addn(out, chunk, (size_t)n);
		if (strbuf_check(out, err) == -1)
			return err_prefix(err, "%s", path);
	}
}

int
file_read(const char *path, struct strbuf *out, struct error *err)
{
	struct stat st;
	int fd, rc;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd == -1 && errno == EACCES)
		return file_set_refused(err, ERR_IO, path, strerror(errno), "r");
	if (fd == -1)
		return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
		rc = err_set(err, ERR_IO, "%s: is a directory; expected a file", path);
	else
		rc = read_all(fd, path, out, err);
	close(fd);
	return rc;
}

static int
write_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, bytes, len);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		bytes += n;
		len -= (size_t)n;
	}
	return 0;
}

/* The directory must be synced too, or the new name may be gone after a power loss. */
static int
sync_dir_of(const char *path)
{
	struct strbuf dir;
	int fd, rc = -1;

	strbuf_init(&dir, MAX_PATH_BYTES);
	file_resolve(&dir, path, ".");
	fd = open(dir.buf, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd != -1) {
		rc = fsync(fd);
		close(fd);
	}
	strbuf_release(&dir);
	return rc;
}

/* place	gives the whole file its name: rename(2), or link(2), which takes no name that is taken */
static int
write_whole(const char *path, mode_t mode, const void *bytes, size_t len,
    int (*place)(const char *from, const char *to), struct error *err)
{
	struct strbuf temp;
	int fd = -1, rc = -1;

	strbuf_init(&temp, MAX_PATH_BYTES);
	strbuf_addf(&temp, "%s.%ld.tmp", path, (long)getpid());
	if (strbuf_check(&temp, err) == -1)
		goto out;
	unlink(temp.buf);
	fd = open(temp.buf, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd == -1 || fchmod(fd, mode) == -1 || write_all(fd, bytes, len) == -1 ||
	    fsync(fd) == -1 || place(temp.buf, path) == -1 || sync_dir_of(path) == -1) {
		err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
		if (fd != -1)
			unlink(temp.buf);
		goto out;
	}
	rc = 0;
out:
	if (fd != -1)
		close(fd);
	strbuf_release(&temp);
	return rc;
}

/* What has to be made is the folder itself, and not only room for it. */
static int
refuse_folder(const char *path, struct error *err)
{
	struct strbuf inside;
	int rc;

	strbuf_init(&inside, MAX_PATH_BYTES);
	strbuf_addf(&inside, "%s/.", path);
	rc = file_set_refused(err, ERR_IO, inside.buf, "cannot be made", "rwx");
	strbuf_release(&inside);
	return rc;
}

int
file_write(const char *path, mode_t mode, const void *bytes, size_t len, struct error *err)
{
	return write_whole(path, mode, bytes, len, rename, err);
}

static int
link_only(const char *from, const char *to)
{
	return link(from, to) == -1 ? -1 : unlink(from);
}

int
file_create(const char *path, mode_t mode, const void *bytes, size_t len, struct error *err)
{
	return write_whole(path, mode, bytes, len, link_only, err);
}

int
file_make_dirs(const char *path, mode_t mode, struct error *err)
{
	char copy[MAX_PATH_BYTES];
	size_t len = strlen(path);

	if (len == 0 || len >= sizeof(copy))
		return err_set(err, ERR_IO, "%s: path is empty or too long", path);
	memcpy(copy, path, len + 1);
	for (size_t i = 1; i <= len; i++) {
		if (copy[i] != '/' && copy[i] != '\0')
			continue;
		copy[i] = '\0';
		if (mkdir(copy, mode) == -1 && errno == EACCES)
			return refuse_folder(path, err);
		if (mkdir(copy, mode) == -1 && errno != EEXIST)
			return err_set(err, ERR_IO, "%s: cannot make the directory: %s", copy,
			    strerror(errno));
		copy[i] = path[i];
	}
	return 0;
}

void
file_resolve(struct strbuf *out, const char *base, const char *rel)
{
	const char *slash = strrchr(base, '/');

	if (rel[0] != '/' && slash != NULL)
		strbuf_addn(out, base, (size_t)(slash - base) + 1);
	strbuf_add(out, rel);
}

bool
file_exists(const char *path)
{
	return access(path, F_OK) == 0;
}
