#include "mailbox.h"

#include "digest/clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	FOLDER_NEW,
	FOLDER_CUR,
	NFOLDERS,
	NAME_ROOM = 256, /* NAME_MAX and a NUL */
	LOOK_EVERY = 1000,
};
static const char *const folder_names[NFOLDERS] = { "new", "cur" };

#define NS_PER_S UINT64_C(1000000000)
/* A file may be seen a moment after the time it came at: no place is told that is nearer to now. What was left alone within that
 * moment is handed out once more by the next run, where it says what is known. */
#define SETTLE_NS (2 * NS_PER_S)
#define FIRST_NS  ((uint64_t)MAILBOX_FIRST_DAYS * 24 * 3600 * NS_PER_S)

struct maildir {
	struct mailbox mailbox;
	char *path;
	int folders[NFOLDERS];	     /* open, -1 = not yet */
	int target;		     /* cur of the Maildir to move to */
	struct mailbox_place newest; /* of what is listed */
	struct strbuf bytes;
	char name[MAILBOX_NAME_SIZE];
};

/* A folder may be another user's: what it names as a link is not followed. */
static int
open_folder(const struct maildir *md, int root, const char *name, int *out, struct error *err)
{
	*out = openat(root, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*out != -1)
		return 0;
	if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)
		return err_set(
		    err, ERR_CONFIG, "%s/%s is no folder; expected a Maildir", md->path, name);
	return err_set(err, errno == EACCES ? ERR_CONFIG : ERR_IO, "%s/%s: %s", md->path, name,
	    strerror(errno));
}

static int
open_folders(struct maildir *md, struct error *err)
{
	char target[NAME_ROOM + 8];
	int root = open(md->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;

	if (root == -1)
		return err_set(err, errno == EIO || errno == ENFILE ? ERR_IO : ERR_CONFIG,
		    "%s: %s; expected a Maildir", md->path, strerror(errno));
	for (int i = 0; i < NFOLDERS && rc == 0; i++)
		rc = open_folder(md, root, folder_names[i], &md->folders[i], err);
	if (rc == 0 && md->mailbox.folder != NULL) {
		snprintf(target, sizeof(target), ".%.*s/cur", NAME_ROOM, md->mailbox.folder);
		rc = open_folder(md, root, target, &md->target, err);
	}
	close(root);
	return rc;
}

/* Where the flags begin, "2,FS": behind ":2,". NULL = it has none. */
static const char *
flags_of(const char *file)
{
	const char *info = strrchr(file, ':');

	return info != NULL && strncmp(info, ":2,", 3) == 0 ? info + 3 : NULL;
}

/* Whether a file is a mail that nobody has read or thrown away. */
static bool
is_unread(int folder, const char *file)
{
	const char *flags = flags_of(file);

	if (file[0] == '.')
		return false;
	return folder == FOLDER_NEW || flags == NULL || strpbrk(flags, "ST") == NULL;
}

static int
add_file(struct maildir *md, int folder, const struct dirent *d, struct error *err)
{
	const struct mailbox_place *since = &md->mailbox.since;
	char file[NAME_ROOM + 8];
	struct stat st;
	uint64_t at, tie;

	if ((d->d_type != DT_REG && d->d_type != DT_UNKNOWN) || !is_unread(folder, d->d_name))
		return 0;
	/* One that is gone by now was read by somebody, or has moved to cur. */
	if (fstatat(md->folders[folder], d->d_name, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
	    !S_ISREG(st.st_mode) || st.st_ctim.tv_sec < 0)
		return 0;
	at = (uint64_t)st.st_ctim.tv_sec * NS_PER_S + (uint64_t)st.st_ctim.tv_nsec;
	tie = st.st_ino;
	if (at < since->at || (at == since->at && tie <= since->tie))
		return 0;
	if (at > md->newest.at || (at == md->newest.at && tie > md->newest.tie))
		md->newest = (struct mailbox_place){ .era = 1, .at = at, .tie = tie };
	snprintf(file, sizeof(file), "%s/%s", folder_names[folder], d->d_name);
	return mailbox_add_entry(&md->mailbox, at, tie, file, err);
}

static int
list_folder(struct maildir *md, int folder, struct error *err)
{
	int fd = openat(md->folders[folder], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;
	DIR *dir = fd != -1 ? fdopendir(fd) : NULL;
	const struct dirent *d;
	size_t n = 0;

	if (dir == NULL) {
		rc = err_set(
		    err, ERR_IO, "%s/%s: %s", md->path, folder_names[folder], strerror(errno));
		if (fd != -1)
			close(fd);
		return rc;
	}
	while (rc == 0 && (errno = 0, d = readdir(dir)) != NULL) {
		rc = add_file(md, folder, d, err);
		if (rc == 0 && ++n % LOOK_EVERY == 0 && mailbox_must_stop(&md->mailbox))
			rc = err_set(err, ERR_TEMP, "%s: stopped", md->path);
	}
	if (rc == 0 && errno != 0)
		rc = err_set(
		    err, ERR_IO, "%s/%s: %s", md->path, folder_names[folder], strerror(errno));
	closedir(dir);
	return rc;
}

/*
 * The time at which a file came to its folder orders all of them, and a place in that order says what was looked at: ctime
 * grows with every rename, nobody can set it, and unlike names it means the same whoever delivers.
 */
static int
list(struct mailbox *mb, struct error *err)
{
	struct maildir *md = (struct maildir *)mb;
	const struct clock real = { .frozen = false };
	const uint64_t now = (uint64_t)clock_now_ms(&real) * (NS_PER_S / 1000);

	if (open_folders(md, err) == -1)
		return -1;
	/* Never looked at; or the clock was wrong then, and what is new may seem to be old. */
	if (mb->since.era != 1 || mb->since.at > now)
		mb->since =
		    (struct mailbox_place){ .era = 1, .at = now > FIRST_NS ? now - FIRST_NS : 1 };
	md->newest = mb->since;
	for (int i = 0; i < NFOLDERS; i++)
		if (list_folder(md, i, err) == -1)
			return -1;
	/* Not beyond what was seen: the times are those of the file server, whose clock may be behind ours. */
	mb->end = (struct mailbox_place){ .era = 1, .at = now - SETTLE_NS, .tie = UINT64_MAX };
	if (md->newest.at <= mb->end.at)
		mb->end = md->newest;
	return 0;
}

/* ---- reading ---- */

static int
folder_of(const struct mailbox_entry *e)
{
	return e->file[0] == 'n' ? FOLDER_NEW : FOLDER_CUR;
}

/* The part of its name that stays, whatever flags it gets, in letters that can be shown: odd bytes as %XX. */
static void
make_name(const char *file, char out[MAILBOX_NAME_SIZE])
{
	const char *colon = flags_of(file) != NULL ? strrchr(file, ':') : NULL;
	const char *end = colon != NULL ? colon : file + strlen(file);
	size_t len = 0;

	for (const char *p = file; p < end && len + 4 < MAILBOX_NAME_SIZE; p++) {
		if (*p > ' ' && *p < 0x7f && *p != '%')
			out[len++] = *p;
		else
			len += (size_t)snprintf(
			    out + len, MAILBOX_NAME_SIZE - len, "%%%02X", (unsigned char)*p);
	}
	out[len] = '\0';
}

/* The beginning of an open file into bytes. Returns 0, or the errno. */
static int
read_beginning(struct maildir *md, int fd)
{
	char chunk[16384];

	strbuf_reset(&md->bytes);
	while (md->bytes.len < MAX_INCOMING_BYTES) {
		size_t room = MAX_INCOMING_BYTES - md->bytes.len;
		ssize_t n = read(fd, chunk, room < sizeof(chunk) ? room : sizeof(chunk));

		if (n == -1 && errno != EINTR)
			return errno;
		if (n == 0)
			break;
		if (n > 0)
			strbuf_addn(&md->bytes, chunk, (size_t)n);
	}
	return md->bytes.state == STRBUF_OK ? 0 : ENOMEM;
}

/* 0, or the errno; ENOENT also of what has become something else since it was listed. */
static int
read_file(struct maildir *md, const struct mailbox_entry *e, uint64_t *size)
{
	/* Not blocking: a name may have become a pipe meanwhile. */
	int fd = openat(md->folders[folder_of(e)], e->file + 4,
		O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC),
	    error = 0;
	struct stat st;

	if (fd == -1)
		return errno == ELOOP || errno == ENXIO ? ENOENT : errno;
	if (fstat(fd, &st) == -1)
		error = errno;
	else if (!S_ISREG(st.st_mode))
		error = ENOENT;
	if (error == 0) {
		error = read_beginning(md, fd);
		*size = (uint64_t)st.st_size > md->bytes.len ? (uint64_t)st.st_size : md->bytes.len;
	}
	close(fd);
	return error;
}

static int
take(struct mailbox *mb, struct mailbox_item *out, size_t *number, struct error *err)
{
	struct maildir *md = (struct maildir *)mb;
	struct error why;
	uint64_t size = 0;
	int error;

	for (size_t i = mb->first; i < mb->first + mb->nbatch; i++) {
		struct mailbox_entry *e = &mb->entries[i];

		if (e->state != ENTRY_WAITING)
			continue;
		if (mailbox_must_stop(mb))
			return err_set(err, ERR_TEMP, "%s: stopped", md->path);
		error = read_file(md, e, &size);
		if (error == ENOMEM)
			return err_nomem(err, "mailbox");
		if (error == ENOENT) {
			e->state = ENTRY_OVER;
		} else if (error != 0) {
			err_set(&why, error == EACCES ? ERR_CONFIG : ERR_IO, "%s/%s: %s", md->path,
			    e->file, strerror(error));
			mailbox_pass_over(mb, e, ENTRY_FAILED, &why);
		} else {
			make_name(e->file + 4, md->name);
			*number = i;
			*out = (struct mailbox_item){ .name = md->name,
				.size = size,
				.bytes = md->bytes.buf,
				.len = md->bytes.len,
				.cut = size > md->bytes.len };
			return 1;
		}
	}
	return 0;
}

/* ---- marking ---- */

/* The name with the flag for "seen", which stand in the order of ASCII: "x:2,FR" becomes "x:2,FRS". -1 = too long. */
static int
make_seen_name(const char *file, char out[NAME_ROOM])
{
	const char *flags = flags_of(file);
	size_t len = flags != NULL ? (size_t)(flags - file) - 3 : strlen(file);
	size_t before = 0;
	int n;

	flags = flags != NULL ? flags : "";
	while (flags[before] != '\0' && flags[before] < 'S')
		before++;
	n = snprintf(out, NAME_ROOM, "%.*s:2,%.*sS%s", (int)len, file, (int)before, flags,
	    flags + before + (flags[before] == 'S'));
	return n < NAME_ROOM ? 0 : -1;
}

/* Returns 0, or the errno. Somebody else may have moved it meanwhile: then it is found there by the next run. */
static int
mark_file(struct maildir *md, const struct mailbox_entry *e)
{
	const int from = md->folders[folder_of(e)];
	const int to = md->mailbox.done == DONE_MOVE ? md->target : md->folders[FOLDER_CUR];
	const char *file = e->file + 4;
	char name[NAME_ROOM];
	struct stat st;
	int rc;

	if (md->mailbox.done == DONE_DELETE) {
		rc = unlinkat(from, file, 0);
	} else {
		if (make_seen_name(file, name) == -1)
			return ENAMETOOLONG;
		/* Names are to be unique (maildir(5)); where one is not, no mail may take the place of another. */
		if (fstatat(to, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			return EEXIST;
		rc = renameat(from, file, to, name);
	}
	return rc == -1 && errno != ENOENT ? errno : 0;
}

/* So it is with this one only. */
static bool
is_of_name(int error)
{
	return error == EEXIST || error == ENAMETOOLONG;
}

/* The new names must survive a power loss before a place beyond them is told. */
static int
sync_folders(const struct maildir *md, struct error *err)
{
	const int folders[] = { md->folders[FOLDER_NEW], md->folders[FOLDER_CUR], md->target };

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		if (folders[i] != -1 && fsync(folders[i]) == -1)
			return err_set(err, ERR_IO, "%s: %s", md->path, strerror(errno));
	return 0;
}

static int
mark(struct mailbox *mb, struct error *err)
{
	struct maildir *md = (struct maildir *)mb;
	unsigned nmarked = 0;
	int error;

	for (size_t i = 0; i < mb->nentries; i++) {
		struct mailbox_entry *e = &mb->entries[i];

		if (e->state != ENTRY_DONE)
			continue;
		error = mark_file(md, e);
		if (error == 0) {
			nmarked++;
			continue;
		}
		err_set(err,
		    error == EACCES || error == EPERM || error == EROFS ? ERR_CONFIG : ERR_IO,
		    "%s/%s cannot be marked as dealt with: %s", md->path, e->file, strerror(error));
		if (!is_of_name(error))
			return -1;
		mailbox_pass_over(mb, e, ENTRY_OVER, err);
	}
	if (nmarked == 0)
		return 0;
	if (sync_folders(md, err) == -1)
		return -1;
	for (size_t i = 0; i < mb->nentries; i++)
		if (mb->entries[i].state == ENTRY_DONE)
			mb->entries[i].state = ENTRY_OVER;
	mb->counts.nmarked += nmarked;
	return 0;
}

static void
free_box(struct mailbox *mb)
{
	struct maildir *md = (struct maildir *)mb;

	for (int i = 0; i < NFOLDERS; i++)
		if (md->folders[i] != -1)
			close(md->folders[i]);
	if (md->target != -1)
		close(md->target);
	strbuf_release(&md->bytes);
	free(md->path);
	free(md);
}

static const struct mailbox_ops ops = { list, NULL, take, mark, free_box };

int
mailbox_new_maildir(
    const struct mailbox_settings *settings, struct mailbox **out, struct error *err)
{
	struct maildir *md = calloc(1, sizeof(*md));

	if (md == NULL || (md->path = strdup(settings->maildir)) == NULL) {
		free(md);
		return err_nomem(err, "mailbox");
	}
	md->mailbox.ops = &ops;
	md->folders[FOLDER_NEW] = md->folders[FOLDER_CUR] = md->target = -1;
	strbuf_init(&md->bytes, MAX_INCOMING_BYTES);
	*out = &md->mailbox;
	return 0;
}
