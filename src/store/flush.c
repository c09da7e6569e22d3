#include "digest/store.h"

#include "digest/thread.h"
#include "store/db.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* A descriptor of our own, because SQLite's file objects are for one thread at a time. It keeps no locks on its log, so that
 * closing the descriptor takes none away. */
static void *
write_log(void *arg)
{
	struct flush *f = arg;

	f->why = fdatasync(f->fd) == 0 ? 0 : errno;
	return NULL;
}

static int
fail(struct store *store, int why, struct error *err)
{
	/* The kernel may have dropped what it could not write: a later success would mean nothing. */
	store->broken = true;
	return err_set(err, ERR_IO, "%s: the disk failed (its log cannot be synced: %s)",
	    store->path, strerror(why));
}

int
store_flush_start(struct store *store, struct error *err)
{
	struct flush *f = &store->flush;

	if (store_flush_wait(store, err) == -1)
		return -1;
	if (store->mode != STORE_WRITE)
		return 0;
	f->fd = open(sqlite3_filename_wal(sqlite3_db_filename(store->db, "main")),
	    O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (f->fd == -1)
		return fail(store, errno, err);
	f->running = true;
	f->threaded = thread_start(&f->thread, write_log, f);
	if (!f->threaded)
		write_log(f);
	return 0;
}

int
store_flush_wait(struct store *store, struct error *err)
{
	struct flush *f = &store->flush;

	if (!f->running)
		return 0;
	if (f->threaded)
		pthread_join(f->thread, NULL);
	close(f->fd);
	f->running = false;
	return f->why == 0 ? 0 : fail(store, f->why, err);
}
