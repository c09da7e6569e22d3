#include "local.h"
#include "digest/date.h"
#include "digest/file.h"
#include "digest/limits.h"
#include "digest/message.h"
#include "digest/sink.h"

#include <sodium.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum {
	MAX_FIELD = 400, /* of Date and Message-ID, see MESSAGE_ID_SIZE */
	NAME_SIZE = 80,	 /* 20 digits, 32 of hash, two dots and "digest" */
};

/* One mail of the batch: its file waits in tmp under its name. */
struct slot {
	struct delivery mail;
	char name[NAME_SIZE];
	struct delivery_outcome result;
	bool written; /* the file is in tmp */
};

struct maildir {
	struct sink sink;
	char *path;
	int tmp, new;	     /* the folders, open */
	struct strbuf lines; /* the mail with LF line ends */
	struct slot slots[MAILDIR_BATCH];
};

/* The value of a header field of ours, which is on one line. Returns -1 when it is not there. */
static int
find_field(const struct strbuf *mail, const char *name, char out[MAX_FIELD])
{
	size_t name_len = strlen(name), len;

	for (const char *line = mail->buf, *end; *line != '\r' && *line != '\0'; line = end + 2) {
		end = strstr(line, "\r\n");
		if (end == NULL)
			return -1;
		if (strncasecmp(line, name, name_len) != 0 || line[name_len] != ':')
			continue;
		line += name_len + 1;
		line += strspn(line, " ");
		len = (size_t)(end - line);
		if (len >= MAX_FIELD)
			return -1;
		memcpy(out, line, len);
		out[len] = '\0';
		return 0;
	}
	return -1;
}

/* The file name of a mail: no ':' and no '/', and the same for the same mail. */
static int
make_name(const struct strbuf *mail, char out[NAME_SIZE])
{
	char date[MAX_FIELD], id[MAX_FIELD], hex[2 * MESSAGE_HASH_BYTES + 1];
	unsigned char hash[MESSAGE_HASH_BYTES];
	int64_t utc;

	if (find_field(mail, "Date", date) == -1 || find_field(mail, "Message-ID", id) == -1 ||
	    date_parse(date, &utc, NULL) == -1)
		return -1;
	message_hash(id, strlen(id), hash);
	sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
	snprintf(out, NAME_SIZE, "%lld.%s.digest", (long long)utc, hex);
	return 0;
}

static void
set_outcome(struct slot *s, enum outcome outcome, const char *reply)
{
	s->result.outcome = outcome;
	err_printable(s->result.reply, sizeof(s->result.reply), reply);
}

/* A disk that is full or breaks may be well at the next run, and another mail may still fit. */
static bool
is_passing(int error)
{
	return error == ENOSPC || error == EDQUOT || error == EIO || error == EFBIG;
}

/* Returns 0, or the errno; nothing is left behind then. */
static int
write_file(int dir, const char *name, const char *bytes, size_t len)
{
	int fd, error = 0;

	unlinkat(dir, name, 0); /* of a process that was killed */
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		return errno;
	while (len > 0 && error == 0) {
		ssize_t n = write(fd, bytes, len);

		if (n == -1 && errno != EINTR)
			error = errno;
		if (n > 0) {
			bytes += n;
			len -= (size_t)n;
		}
	}
	if (error == 0 && fsync(fd) == -1)
		error = errno;
	if (close(fd) == -1 && error == 0)
		error = errno;
	if (error != 0)
		unlinkat(dir, name, 0);
	return error;
}

/* The mail stays where it is; a folder that we may not use is told with the cure. */
static int
fail_in(const struct maildir *md, const char *folder, const struct slot *s, int error,
    struct error *err)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", md->path, folder);
	if (error == EACCES)
		return file_set_refused(err, ERR_IO, path, strerror(error), "rwx");
	return err_set(err, ERR_IO, "%s/%s: %s", path, s->name, strerror(error));
}

/* Put one mail into tmp. -1 when no mail can be written at all. */
static int
write_mail(struct maildir *md, struct slot *s, struct error *err)
{
	const char *fault;
	int error;

	strbuf_reset(&md->lines);
	if ((fault = local_copy(&s->mail, &md->lines)) != NULL) {
		set_outcome(s, OUTCOME_FAILED, fault);
		return 0;
	}
	if (make_name(&s->mail.bytes, s->name) == -1) {
		set_outcome(s, OUTCOME_FAILED, "the mail has no Date or Message-ID");
		return 0;
	}
	if (strbuf_check(&md->lines, err) == -1) {
		set_outcome(s, OUTCOME_DEFERRED, "out of memory");
		return -1;
	}
	error = write_file(md->tmp, s->name, md->lines.buf, md->lines.len);
	s->written = error == 0;
	if (error == 0)
		return 0;
	set_outcome(s, OUTCOME_DEFERRED, strerror(error));
	return is_passing(error) ? 0 : fail_in(md, "tmp", s, error, err);
}

/* Ask for mails until the batch is full, or the next one's time has not come. *n is how many there are, also when one cannot be
 * written; 0 when the queue failed, which knows best what it gave. */
static int
fill_batch(struct maildir *md, const struct delivery_queue *queue, int *n, struct error *err)
{
	for (*n = 0; *n < MAILDIR_BATCH;) {
		struct slot *s = &md->slots[*n];
		int more;

		strbuf_reset(&s->mail.bytes);
		s->written = false;
		more = *n == 0 ? sink_wait_next(&md->sink, queue, &s->mail, err)
			       : queue->next(queue->arg, md->sink.lane, &s->mail, err);
		if (more == -1) {
			*n = 0;
			return -1;
		}
		if (more != QUEUE_MAIL)
			break;
		s->result.period = s->mail.period;
		s->result.reader = s->mail.reader;
		s->result.lane = s->mail.lane;
		(*n)++;
		if (write_mail(md, s, err) == -1)
			return -1;
	}
	return 0;
}

static int
settle_batch(struct maildir *md, int n, const struct delivery_queue *queue, struct error *err)
{
	struct delivery_outcome results[MAILDIR_BATCH];

	for (int i = 0; i < n; i++)
		results[i] = md->slots[i].result;
	return n > 0 ? queue->settle(queue->arg, results, (size_t)n, err) : 0;
}

/* No mail can be written, so those of the batch that could be stay here, too. */
static void
defer_batch(struct maildir *md, int n, const struct delivery_queue *queue)
{
	for (int i = 0; i < n; i++)
		if (md->slots[i].written)
			set_outcome(&md->slots[i], OUTCOME_DEFERRED,
			    "the folder failed at a mail behind it");
	settle_batch(md, n, queue, NULL);
}

static int
announce_batch(struct maildir *md, int n, const struct delivery_queue *queue, struct error *err)
{
	const struct delivery *mails[MAILDIR_BATCH];
	size_t nmails = 0;

	for (int i = 0; i < n; i++)
		if (md->slots[i].written)
			mails[nmails++] = &md->slots[i].mail;
	return nmails > 0 ? queue->intend(queue->arg, mails, nmails, err) : 0;
}

/* Rename one written mail. Returns 0, or the errno. */
static int
deliver_mail(struct maildir *md, struct slot *s)
{
	char reply[sizeof(s->result.reply)];
	int error;

	if (renameat(md->tmp, s->name, md->new, s->name) == -1) {
		error = errno;
		set_outcome(s, OUTCOME_DEFERRED, strerror(error));
		return error;
	}
	s->written = false;
	snprintf(reply, sizeof(reply), "delivered to %s/new/%s", md->path, s->name);
	set_outcome(s, OUTCOME_SENT, reply);
	return 0;
}

/* Rename what was written; a mail whose new name may not survive a power loss is in doubt, not
 * delivered. */
static int
deliver_batch(struct maildir *md, int n, struct error *err)
{
	int error, rc = 0;

	for (int i = 0; i < n; i++) {
		struct slot *s = &md->slots[i];

		error = s->written ? deliver_mail(md, s) : 0;
		if (error != 0 && !is_passing(error))
			rc = fail_in(md, "new", s, error, err);
	}
	if (fsync(md->new) == 0)
		return rc;
	error = errno;
	for (int i = 0; i < n; i++)
		if (md->slots[i].result.outcome == OUTCOME_SENT)
			set_outcome(&md->slots[i], OUTCOME_UNKNOWN, strerror(error));
	return rc;
}

/* What stayed in tmp would never be looked at again. */
static void
drop_unsent(struct maildir *md)
{
	for (int i = 0; i < MAILDIR_BATCH; i++) {
		if (md->slots[i].written)
			unlinkat(md->tmp, md->slots[i].name, 0);
		md->slots[i].written = false;
	}
}

static int
maildir_run(struct sink *sink, const struct delivery_queue *queue, struct error *err)
{
	struct maildir *md = (struct maildir *)sink;
	int n, rc;

	do {
		rc = fill_batch(md, queue, &n, err);
		if (rc == -1)
			defer_batch(md, n, queue);
		if (rc == -1 || n == 0)
			break;
		rc = announce_batch(md, n, queue, err);
		if (rc == -1)
			break;
		rc = deliver_batch(md, n, err);
		/* Both may fail; what was delivered is told all the same. */
		if (settle_batch(md, n, queue, rc == 0 ? err : NULL) == -1)
			rc = -1;
	} while (rc == 0);
	drop_unsent(md);
	return rc;
}

static void
maildir_free(struct sink *sink)
{
	struct maildir *md = (struct maildir *)sink;

	for (int i = 0; i < MAILDIR_BATCH; i++)
		strbuf_release(&md->slots[i].mail.bytes);
	strbuf_release(&md->lines);
	if (md->tmp != -1)
		close(md->tmp);
	if (md->new != -1)
		close(md->new);
	free(md->path);
	free(md);
}

static const struct sink_ops maildir_ops = { .run = maildir_run, .free = maildir_free };

/* A folder of the Maildir, made if missing. Returns it open, or -1. */
static int
open_folder(const char *path, const char *name, struct error *err)
{
	struct strbuf full;
	int fd = -1;

	strbuf_init(&full, 4096);
	strbuf_addf(&full, "%s/%s", path, name);
	if (strbuf_check(&full, err) == 0 && file_make_dirs(full.buf, 0700, err) == 0) {
		fd = open(full.buf, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd == -1)
			file_set_refused(err, ERR_IO, full.buf, strerror(errno), "rw");
	}
	strbuf_release(&full);
	return fd;
}

int
sink_open_maildir(const char *path, struct sink **out, struct error *err)
{
	struct maildir *md = calloc(1, sizeof(*md));
	int cur;

	if (md == NULL)
		return err_nomem(err, "maildir");
	md->sink.ops = &maildir_ops;
	md->tmp = md->new = -1;
	strbuf_init(&md->lines, MAX_MESSAGE_BYTES);
	for (int i = 0; i < MAILDIR_BATCH; i++)
		strbuf_init(&md->slots[i].mail.bytes, MAX_MESSAGE_BYTES);
	md->path = strdup(path);
	if (md->path == NULL) {
		err_nomem(err, "maildir");
		goto fail;
	}
	if ((md->tmp = open_folder(path, "tmp", err)) == -1 ||
	    (md->new = open_folder(path, "new", err)) == -1 ||
	    (cur = open_folder(path, "cur", err)) == -1)
		goto fail;
	close(cur);
	*out = &md->sink;
	return 0;
fail:
	maildir_free(&md->sink);
	return -1;
}
