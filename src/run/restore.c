#include "digest/care.h"
#include "stages.h"
#include "digest/file.h"
#include "digest/limits.h"
#include "digest/token.h"

#include <string.h>

/* Keys leave the store only when they are safe in their file; a restore that is killed before is done again by --adopt. */
static int
take_key(struct run *run, struct run_restored *out, struct error *err)
{
	static const char *const words[] = {
		[TOKEN_KEYS_SAME] = "",
		[TOKEN_KEYS_PUT] = "is the one of the backup",
		[TOKEN_KEYS_ADDED] = "has the keys of the backup as well, retired",
		[TOKEN_KEYS_REPLACED] = "is the one of the backup; the other one is kept beside it",
	};
	enum token_restored became = TOKEN_KEYS_SAME;
	struct strbuf text;
	int found, rc;

	out->key = "";
	strbuf_init(&text, MAX_SECRET_BYTES);
	found = rc = store_load_backup_key(run->store, &text, err);
	if (found == 1)
		rc = token_key_restore(run->cfg->list.key_file, text.buf, &became, err);
	if (found == 1 && rc == 0) {
		out->has_key = true;
		out->key = words[became];
		rc = store_begin(run->store, err);
		if (rc == 0)
			rc = store_end(
			    run->store, store_forget_backup_key(run->store, err), true, err);
	}
	if (text.alloc > 0)
		explicit_bzero(text.buf, text.alloc);
	strbuf_release(&text);
	return rc;
}

int
run_restore(struct run *run, const char *from, struct run_restored *out, struct error *err)
{
	struct strbuf far_dir;
	long holder;
	int got;

	run->mode = STORE_WRITE; /* the file may have to take its place first */
	if (from == NULL && !file_exists(run->cfg->store.path))
		return err_set(err, ERR_IO, "no store at %s; to restore one: digest restore FILE",
		    run->cfg->store.path);
	out->kept = from != NULL && file_exists(run->cfg->store.path);
	if ((from != NULL && store_restore(run->cfg->store.path, from, err) == -1) ||
	    run_open_store(run, err) == -1 ||
	    (got = store_lock_sender(run->store, &holder, err)) == -1)
		return -1;
	if (got == 0)
		return err_set(
		    err, ERR_TEMP, "a run (process %ld) is sending; end it first", holder);
	if (take_key(run, out, err) == -1)
		return -1;
	strbuf_init(&far_dir, MAX_URL_BYTES);
	cache_dir(&far_dir);
	got = store_adopt(run->store, far_dir.len > 0 ? far_dir.buf : NULL,
	    clock_now_utc(&run->clock), &out->nheld, err);
	strbuf_release(&far_dir);
	return got;
}
