#include "stages.h"
#include "digest/file.h"
#include "digest/limits.h"

int
run_restore(struct run *run, const char *from, size_t *nheld, struct error *err)
{
	struct strbuf far_dir;
	long holder;
	int got;

	run->mode = STORE_WRITE; /* the file may have to take its place first */
	if (from == NULL && !file_exists(run->cfg->store.path))
		return err_set(err, ERR_IO, "no store at %s; to restore one: digest restore FILE",
		    run->cfg->store.path);
	if ((from != NULL && store_restore(run->cfg->store.path, from, err) == -1) ||
	    run_open_store(run, err) == -1 ||
	    (got = store_lock_sender(run->store, &holder, err)) == -1)
		return -1;
	if (got == 0)
		return err_set(
		    err, ERR_TEMP, "a run (process %ld) is sending; end it first", holder);
	strbuf_init(&far_dir, MAX_URL_BYTES);
	cache_dir(&far_dir);
	got = store_adopt(run->store, far_dir.len > 0 ? far_dir.buf : NULL,
	    clock_now_utc(&run->clock), nheld, err);
	strbuf_release(&far_dir);
	return got;
}
