#include "mailbox.h"

#include "digest/clock.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How long whoever writes into the pipe may say nothing, in seconds. */
enum { WAIT_PIPE = 300, LOOK_MS = 250 };

struct stdin_box {
	struct mailbox mailbox;
	int fd;
	struct strbuf bytes;
	uint64_t size;
};

static int
list(struct mailbox *mb, struct error *err)
{
	return mailbox_add_entry(mb, 1, 0, NULL, err);
}

/* Until there is something to read, or the end. */
static int
await(struct stdin_box *box, struct error *err)
{
	const int64_t wait_ms = (int64_t)(WAIT_PIPE * 1000 * box->mailbox.timeout_scale);
	const int64_t deadline_ms = clock_monotonic_ms() + wait_ms;

	while (clock_monotonic_ms() < deadline_ms) {
		struct pollfd p = { .fd = box->fd, .events = POLLIN };
		int n = poll(&p, 1, LOOK_MS);

		if (n > 0)
			return 0;
		if (n == -1 && errno != EINTR)
			return err_set(err, ERR_IO, "standard input: %s", strerror(errno));
		if (mailbox_must_stop(&box->mailbox))
			return err_set(err, ERR_TEMP, "standard input: stopped");
	}
	return err_set(err, ERR_TEMP, "standard input: no end of the mail within %d s", WAIT_PIPE);
}

/* The rest is read as well: who writes it would else be told of a broken pipe, and send the mail back. */
static int
read_all(struct stdin_box *box, struct error *err)
{
	char chunk[16384];

	for (;;) {
		ssize_t n;
		size_t room = MAX_INCOMING_BYTES - box->bytes.len;

		if (await(box, err) == -1)
			return -1;
		n = read(box->fd, chunk, sizeof(chunk));
		if (n == -1 && errno != EINTR && errno != EAGAIN)
			return err_set(err, ERR_IO, "standard input: %s", strerror(errno));
		if (n == 0)
			return strbuf_check(&box->bytes, err);
		if (n > 0) {
			strbuf_addn(&box->bytes, chunk, (size_t)n < room ? (size_t)n : room);
			box->size += (uint64_t)n;
		}
	}
}

static int
take(struct mailbox *mb, struct mailbox_item *out, size_t *number, struct error *err)
{
	struct stdin_box *box = (struct stdin_box *)mb;

	if (mb->entries[0].state != ENTRY_WAITING)
		return 0;
	if (read_all(box, err) == -1)
		return -1;
	/* Nobody sends nothing: a command whose output failed. */
	if (box->size == 0) {
		mb->entries[0].state = ENTRY_OVER;
		return 0;
	}
	*number = 0;
	*out = (struct mailbox_item){ .name = "stdin",
		.size = box->size,
		.bytes = box->bytes.buf,
		.len = box->bytes.len,
		.cut = box->size > box->bytes.len };
	return 1;
}

/* It is not kept anywhere. */
static int
mark(struct mailbox *mb, struct error *err)
{
	(void)err;
	if (mb->entries[0].state == ENTRY_DONE)
		mb->entries[0].state = ENTRY_OVER;
	return 0;
}

static void
free_box(struct mailbox *mb)
{
	struct stdin_box *box = (struct stdin_box *)mb;

	strbuf_release(&box->bytes);
	free(box);
}

static const struct mailbox_ops ops = { list, NULL, take, mark, free_box };

int
mailbox_new_stdin(const struct mailbox_settings *settings, struct mailbox **out, struct error *err)
{
	struct stdin_box *box = calloc(1, sizeof(*box));

	if (box == NULL)
		return err_nomem(err, "mailbox");
	box->mailbox.ops = &ops;
	box->fd = settings->fd;
	strbuf_init(&box->bytes, MAX_INCOMING_BYTES);
	*out = &box->mailbox;
	return 0;
}
