#include "store/db.h"
#include "digest/clock.h"
#include "digest/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* linux/magic.h, and the CIFS and SMB2 ones that stand in the kernel's own headers only. */
static const struct {
	long f_type;
	const char *name;
} network_types[] = {
	{ 0x6969, "NFS" },
	{ 0x517b, "SMB" },
	{ (long)0xff534d42, "CIFS" },
	{ (long)0xfe534d42, "SMB2" },
	{ 0x5346414f, "AFS" },
	{ 0x73757245, "Coda" },
	{ 0x00c36400, "Ceph" },
	{ 0x564c, "NCP" },
};

const char *
lock_network_name(long f_type)
{
	for (size_t i = 0; i < sizeof(network_types) / sizeof(network_types[0]); i++)
		if (network_types[i].f_type == (f_type & 0xffffffff))
			return network_types[i].name;
	return NULL;
}

int
lock_open(const char *store_path, const char *suffix, bool make, int *fd, struct error *err)
{
	struct strbuf path;
	int rc = -1, got;

	strbuf_init(&path, 4096);
	strbuf_add(&path, store_path);
	strbuf_add(&path, suffix);
	if (strbuf_check(&path, err) == -1)
		goto out;
	got = open(path.buf, (make ? O_RDWR | O_CREAT : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (got == -1) {
		file_set_refused(err, ERR_IO, path.buf, strerror(errno), "rw");
		goto out;
	}
	*fd = got;
	rc = 0;
out:
	strbuf_release(&path);
	return rc;
}

static int
set_lock(int fd, enum lock_byte byte, short type)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1 };

	if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
		return 1;
	return errno == EAGAIN || errno == EACCES ? 0 : -1;
}

int
lock_try(int fd, enum lock_byte byte, bool shared)
{
	return set_lock(fd, byte, shared ? F_RDLCK : F_WRLCK);
}

/* Polled, because a blocking F_OFD_SETLKW could only be bounded by a signal. */
int
lock_wait(int fd, enum lock_byte byte, bool shared, int64_t timeout_ms)
{
	int64_t until = clock_monotonic_ms() + timeout_ms;
	int got, pause_ms = 1;

	while ((got = lock_try(fd, byte, shared)) == 0 && clock_monotonic_ms() < until) {
		poll(NULL, 0, pause_ms);
		if (pause_ms < 32)
			pause_ms *= 2;
	}
	return got;
}

void
lock_drop(int fd, enum lock_byte byte)
{
	set_lock(fd, byte, F_UNLCK);
}

/* For people and for the message of the next one; the lock itself does not need it. */
static int
write_holder(struct store *store, struct error *err)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%ld\n", (long)getpid());

	if (ftruncate(store->sender_fd, 0) == 0 &&
	    pwrite(store->sender_fd, text, (size_t)n, 0) == n)
		return 0;
	err_set(err, ERR_IO, "%s.sender.lock: %s", store->path, strerror(errno));
	lock_drop(store->sender_fd, LOCK_WRITER);
	return -1;
}

/* Somebody may have removed the file, or put another one there, between our opening and locking it: then others lock that. */
static bool
is_in_place(const struct store *store)
{
	struct stat ours, there;
	struct strbuf path;
	bool same;

	strbuf_init(&path, 4096);
	strbuf_addf(&path, "%s.sender.lock", store->path);
	same = fstat(store->sender_fd, &ours) == 0 && stat(path.buf, &there) == 0 &&
	    ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
	strbuf_release(&path);
	return same;
}

int
store_lock_sender(struct store *store, long *holder, struct error *err)
{
	bool look_only = store->mode == STORE_READ;
	char text[32];
	ssize_t n;
	int got;

	*holder = 0;
	if (store->mode == STORE_OVERLAY)
		return 1; /* nothing is sent from an overlay, and a real sender must not wait for it */
	if (store->sender_fd == -1 &&
	    lock_open(store->path, ".sender.lock", !look_only, &store->sender_fd, err) == -1)
		return look_only ? 1 : -1; /* without the file nobody ever sent */
	got = lock_try(store->sender_fd, LOCK_WRITER, look_only);
	if (got == -1)
		return err_set(err, ERR_IO, "%s.sender.lock: cannot be locked: %s", store->path,
		    strerror(errno));
	if (got == 1 && look_only)
		lock_drop(store->sender_fd, LOCK_WRITER);
	else if (got == 1 && !is_in_place(store))
		return err_set(
		    err, ERR_TEMP, "%s.sender.lock: was replaced; run again", store->path);
	else if (got == 1 && write_holder(store, err) == -1)
		return -1;
	if (got == 1)
		return 1;
	n = pread(store->sender_fd, text, sizeof(text) - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	*holder = strtol(text, NULL, 10);
	return 0;
}
