/*
 * For LD_PRELOAD: a program is killed, or its disk fails or loses power, at the n-th call that writes, syncs, renames, removes or
 * sends.
 *   KILLSHIM_AT     n, from 1: the program is killed before the call is made; 0 = never
 *   KILLSHIM_HALF   when set, a write that is the n-th is made, but with half of its bytes
 *   KILLSHIM_FAIL   n, from 1: the call fails with KILLSHIM_ERRNO (a number), if it is about a file; "3+" = so do all after it
 *   KILLSHIM_WORD   a write of bytes that hold this word kills the program, too
 *   KILLSHIM_ONLY   calls of these names alone count, "fsync fdatasync"
 *   KILLSHIM_TRACE  a file that gets the name of each call, a line each
 *   KILLSHIM_KEEP   a folder that gets a link to each mail renamed into a Maildir: the second delivery of a mail
 *                   replaces the first one there, but not here
 *   KILLSHIM_SHADOW a folder with files/ and dirs/: what a power loss leaves. files/INODE is what the file held when it was
 *                   synced last, dirs/INODE the names (with their inodes) that the folder had when that was
 *   KILLSHIM_BOOT   read in place of the kernel's boot id
 *   KILLSHIM_MACHINE  read in place of /etc/machine-id
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_long ncalls;
static atomic_long nkept;

static void
trace(const char *name)
{
	const char *path = getenv("KILLSHIM_TRACE");
	char line[64];
	int fd, len;

	if (path == NULL)
		return;
	len = snprintf(line, sizeof(line), "%s\n", name);
	fd = (int)syscall(
	    SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd == -1 || syscall(SYS_write, fd, line, (size_t)len) != len)
		abort();
	close(fd);
}

static void
die(void)
{
	kill(getpid(), SIGKILL);
	/* It may be forbidden to send signals. */
	_exit(137);
}

static bool
wants_half(void)
{
	return getenv("KILLSHIM_HALF") != NULL;
}

static bool
is_counted(const char *name)
{
	const char *only = getenv("KILLSHIM_ONLY"), *at;
	size_t len = strlen(name);

	if (only == NULL)
		return true;
	for (at = strstr(only, name); at != NULL; at = strstr(at + 1, name))
		if ((at == only || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\0'))
			return true;
	return false;
}

enum verdict { GO, KILL, FAIL };

/* What becomes of this call. */
static enum verdict
judge(const char *name, bool of_file)
{
	const char *at = getenv("KILLSHIM_AT"), *fail = getenv("KILLSHIM_FAIL");
	const char *number = getenv("KILLSHIM_ERRNO");
	char *end;
	long n, which;

	if (!is_counted(name))
		return GO;
	n = atomic_fetch_add(&ncalls, 1) + 1;
	trace(name);
	if (at != NULL && strtol(at, NULL, 10) == n)
		return KILL;
	if (fail == NULL || !of_file)
		return GO;
	which = strtol(fail, &end, 10);
	if (which == 0 || !(which == n || (*end == '+' && n > which)))
		return GO;
	errno = number != NULL ? (int)strtol(number, NULL, 10) : EIO;
	return FAIL;
}

/* Calls that are made whole or not at all: false = not, errno says why. */
static bool
may_go(const char *name)
{
	enum verdict v = judge(name, true);

	if (v == KILL)
		die();
	return v == GO;
}

static bool
is_file(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode));
}

ssize_t
write(int fd, const void *buf, size_t n)
{
	const char *word = getenv("KILLSHIM_WORD");
	enum verdict v = judge("write", is_file(fd));

	if (word != NULL && memmem(buf, n, word, strlen(word)) != NULL)
		die();
	if (v == KILL && wants_half())
		syscall(SYS_write, fd, buf, n / 2);
	if (v == KILL)
		die();
	return v == FAIL ? -1 : syscall(SYS_write, fd, buf, n);
}

static ssize_t
write_at(const char *name, int fd, const void *buf, size_t n, off_t offset)
{
	enum verdict v = judge(name, true);

	if (v == KILL && wants_half())
		syscall(SYS_pwrite64, fd, buf, n / 2, offset);
	if (v == KILL)
		die();
	return v == FAIL ? -1 : syscall(SYS_pwrite64, fd, buf, n, offset);
}

ssize_t
pwrite(int fd, const void *buf, size_t n, off_t offset)
{
	return write_at("pwrite", fd, buf, n, offset);
}

ssize_t
pwrite64(int fd, const void *buf, size_t n, off64_t offset)
{
	return write_at("pwrite64", fd, buf, n, offset);
}

int
ftruncate(int fd, off_t size)
{
	return may_go("ftruncate") ? (int)syscall(SYS_ftruncate, fd, size) : -1;
}

int
ftruncate64(int fd, off64_t size)
{
	return may_go("ftruncate") ? (int)syscall(SYS_ftruncate, fd, size) : -1;
}

int
posix_fallocate(int fd, off_t offset, off_t len)
{
	if (!may_go("fallocate") || syscall(SYS_fallocate, fd, 0, offset, len) == -1)
		return errno;
	return 0;
}

int
posix_fallocate64(int fd, off64_t offset, off64_t len)
{
	return posix_fallocate(fd, offset, len);
}

/* ---- what a power loss leaves ---- */

/* A new file in the shadow, which takes its place by finish(). */
static int
begin(const char *kind, ino_t inode, char path[static 4096])
{
	int fd;

	snprintf(
	    path, 4096, "%s/%s/%lu.new", getenv("KILLSHIM_SHADOW"), kind, (unsigned long)inode);
	fd = (int)syscall(
	    SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd == -1)
		abort();
	return fd;
}

static void
finish(int fd, const char *path)
{
	char final[4096];

	close(fd);
	snprintf(final, sizeof(final), "%.*s", (int)(strlen(path) - 4), path);
	if (syscall(SYS_rename, path, final) == -1)
		abort();
}

static void
shadow_file(int fd, const struct stat *st)
{
	char path[4096], again[64];
	int from, out = begin("files", st->st_ino, path);
	off_t at = 0;

	snprintf(again, sizeof(again), "/proc/self/fd/%d", fd); /* fd may be for writing only */
	from = (int)syscall(SYS_openat, AT_FDCWD, again, O_RDONLY | O_CLOEXEC);
	while (from != -1 && at < st->st_size)
		if (sendfile(out, from, &at, (size_t)(st->st_size - at)) <= 0)
			abort();
	if (from == -1)
		abort();
	close(from);
	finish(out, path);
}

static void
shadow_dir(int fd, const struct stat *st)
{
	char path[4096];
	int out = begin("dirs", st->st_ino, path);
	DIR *dir = fdopendir((int)syscall(SYS_openat, fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct dirent *e;

	if (dir == NULL)
		abort();
	while ((e = readdir(dir)) != NULL) {
		char line[512];
		int len =
		    snprintf(line, sizeof(line), "%lu %s\n", (unsigned long)e->d_ino, e->d_name);

		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
		    syscall(SYS_write, out, line, (size_t)len) != len)
			abort();
	}
	closedir(dir);
	finish(out, path);
}

static int
sync_with(const char *name, long number, int fd)
{
	struct stat st;
	int rc;

	/* SQLite overlooks it when a folder cannot be synced. */
	if (!may_go(fstat(fd, &st) == 0 && S_ISDIR(st.st_mode) ? "folder" : name))
		return -1;
	rc = (int)syscall(number, fd);
	if (rc == -1 || getenv("KILLSHIM_SHADOW") == NULL || fstat(fd, &st) == -1)
		return rc;
	if (S_ISDIR(st.st_mode))
		shadow_dir(fd, &st);
	else if (S_ISREG(st.st_mode))
		shadow_file(fd, &st);
	return rc;
}

int
fsync(int fd)
{
	return sync_with("fsync", SYS_fsync, fd);
}

int
fdatasync(int fd)
{
	return sync_with("fdatasync", SYS_fdatasync, fd);
}

/* ---- names ---- */

int
rename(const char *from, const char *to)
{
	return may_go("rename") ? (int)syscall(SYS_rename, from, to) : -1;
}

int
unlink(const char *path)
{
	return may_go("unlink") ? (int)syscall(SYS_unlink, path) : -1;
}

int
link(const char *from, const char *to)
{
	return may_go("link") ? (int)syscall(SYS_link, from, to) : -1;
}

static void
keep_mail(int dir, const char *name)
{
	const char *folder = getenv("KILLSHIM_KEEP"), *dot = strrchr(name, '.');
	char path[4096];

	if (folder == NULL || dot == NULL || strcmp(dot, ".digest") != 0)
		return;
	snprintf(
	    path, sizeof(path), "%s/%d.%ld", folder, (int)getpid(), atomic_fetch_add(&nkept, 1));
	if (linkat(dir, name, AT_FDCWD, path, 0) == -1)
		abort();
}

int
renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	long rc;

	if (!may_go("renameat"))
		return -1;
	rc = syscall(SYS_renameat, from_dir, from, to_dir, to);
	if (rc == 0)
		keep_mail(to_dir, to);
	return (int)rc;
}

/* ---- the wire ---- */

ssize_t
sendto(int fd, const void *buf, size_t n, int flags, const struct sockaddr *to, socklen_t tolen)
{
	if (judge("send", false) == KILL) {
		if (wants_half())
			syscall(SYS_sendto, fd, buf, n / 2, flags, to, tolen);
		die();
	}
	return syscall(SYS_sendto, fd, buf, n, flags, to, tolen);
}

ssize_t
send(int fd, const void *buf, size_t n, int flags)
{
	return sendto(fd, buf, n, flags, NULL, 0);
}

ssize_t
sendmsg(int fd, const struct msghdr *msg, int flags)
{
	struct iovec first;

	if (judge("send", false) == KILL) {
		first = msg->msg_iovlen > 0 ? msg->msg_iov[0] : (struct iovec){ 0 };
		if (wants_half())
			syscall(SYS_sendto, fd, first.iov_base, first.iov_len / 2, flags, NULL, 0);
		die();
	}
	return syscall(SYS_sendmsg, fd, msg, flags);
}

int
connect(int fd, const struct sockaddr *to, socklen_t tolen)
{
	if (judge("connect", false) == KILL)
		die();
	return (int)syscall(SYS_connect, fd, to, tolen);
}

/* ---- another boot, another machine ---- */

static const char *
find_other(const char *path)
{
	static const char *const others[][2] = {
		{ "/proc/sys/kernel/random/boot_id", "KILLSHIM_BOOT" },
		{ "/etc/machine-id", "KILLSHIM_MACHINE" },
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (strcmp(path, others[i][0]) == 0 && getenv(others[i][1]) != NULL)
			return getenv(others[i][1]);
	return path;
}

int
open(const char *path, int flags, ...)
{
	va_list rest;
	int mode = 0;

	va_start(rest, flags);
	if ((flags & (O_CREAT | O_TMPFILE)) != 0)
		mode = va_arg(rest, int);
	va_end(rest);
	return (int)syscall(SYS_openat, AT_FDCWD, find_other(path), flags, mode);
}

int open64(const char *path, int flags, ...) __attribute__((alias("open")));
