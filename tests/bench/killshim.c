/*
 * For LD_PRELOAD: a program is killed at the n-th call that writes, syncs, renames or sends, before the call is made.
 *   KILLSHIM_AT     n, from 1; 0 = never
 *   KILLSHIM_HALF   when set, a write that is the n-th is made, but with half of its bytes
 *   KILLSHIM_TRACE  a file that gets the name of each call, a line each
 *   KILLSHIM_KEEP   a folder that gets a link to each mail renamed into a Maildir: the second delivery of a mail
 *                   replaces the first one there, but not here
 */
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
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
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd == -1 || syscall(SYS_write, fd, line, (size_t)len) != len)
		abort();
	close(fd);
}

/* Whether this call is the one. */
static bool
is_last(const char *name)
{
	const char *at = getenv("KILLSHIM_AT");
	long n = atomic_fetch_add(&ncalls, 1) + 1;

	trace(name);
	return at != NULL && strtol(at, NULL, 10) == n;
}

static void
die(void)
{
	kill(getpid(), SIGKILL);
	for (;;)
		pause();
}

static bool
wants_half(void)
{
	return getenv("KILLSHIM_HALF") != NULL;
}

ssize_t
write(int fd, const void *buf, size_t n)
{
	if (is_last("write")) {
		if (wants_half())
			syscall(SYS_write, fd, buf, n / 2);
		die();
	}
	return syscall(SYS_write, fd, buf, n);
}

static ssize_t
write_at(const char *name, int fd, const void *buf, size_t n, off_t offset)
{
	if (is_last(name)) {
		if (wants_half())
			syscall(SYS_pwrite64, fd, buf, n / 2, offset);
		die();
	}
	return syscall(SYS_pwrite64, fd, buf, n, offset);
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
fsync(int fd)
{
	if (is_last("fsync"))
		die();
	return (int)syscall(SYS_fsync, fd);
}

int
fdatasync(int fd)
{
	if (is_last("fdatasync"))
		die();
	return (int)syscall(SYS_fdatasync, fd);
}

int
rename(const char *from, const char *to)
{
	if (is_last("rename"))
		die();
	return (int)syscall(SYS_rename, from, to);
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

	if (is_last("renameat"))
		die();
	rc = syscall(SYS_renameat, from_dir, from, to_dir, to);
	if (rc == 0)
		keep_mail(to_dir, to);
	return (int)rc;
}

ssize_t
send(int fd, const void *buf, size_t n, int flags)
{
	if (is_last("send")) {
		if (wants_half())
			syscall(SYS_sendto, fd, buf, n / 2, flags, NULL, 0);
		die();
	}
	return syscall(SYS_sendto, fd, buf, n, flags, NULL, 0);
}

ssize_t
sendto(int fd, const void *buf, size_t n, int flags, const struct sockaddr *to, socklen_t tolen)
{
	if (is_last("sendto")) {
		if (wants_half())
			syscall(SYS_sendto, fd, buf, n / 2, flags, to, tolen);
		die();
	}
	return syscall(SYS_sendto, fd, buf, n, flags, to, tolen);
}

int
connect(int fd, const struct sockaddr *to, socklen_t tolen)
{
	if (is_last("connect"))
		die();
	return (int)syscall(SYS_connect, fd, to, tolen);
}
