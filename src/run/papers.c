#include "stages.h"
#include "digest/file.h"
#include "digest/limits.h"

#include <stdlib.h>
#include <string.h>

enum {
	MAX_IMPORT_BYTES = 1024 * 1024 * 1024,
	INDEX_BATCH = 250,   /* some 10 ms for which nobody else writes */
	MAX_INDEXED = 50000, /* of one run: two seconds */
};

int
run_find_paper(
    struct run *run, const char *text, struct arena *a, struct paper **out, struct error *err)
{
	struct strbuf key;
	struct paper **titles;
	size_t n = 0;
	int found;

	strbuf_init(&key, MAX_URL_BYTES);
	if (paper_add_key(&key, text, NULL) == 0)
		strbuf_add(&key, text);
	found =
	    strbuf_check(&key, err) == -1 ? -1 : store_find_paper(run->store, key.buf, a, out, err);
	strbuf_release(&key);
	if (found != 0)
		return found;
	if (store_find_titles(run->store, text, a, 1, &titles, &n, err) == -1)
		return -1;
	if (n == 0 && store_search(run->store, text, a, 1, &titles, &n, err) == -1)
		return -1;
	if (n == 0)
		return 0;
	*out = titles[0];
	return 1;
}

static int
save_import(struct run *run, const struct source_batch *batch, struct run_import_counts *counts,
    struct error *err)
{
	struct store_put_counts put = { 0 };
	int rc;

	if (store_begin(run->store, err) == -1)
		return -1;
	rc = store_put_papers(run->store, "import", "file", batch->papers, batch->npapers, 0,
	    clock_now_utc(&run->clock), &put, err);
	counts->nnew = put.nnew;
	counts->nchanged = put.nchanged;
	return store_end(run->store, rc, true, err);
}

int
run_import_papers(
    struct run *run, const char *path, struct run_import_counts *counts, struct error *err)
{
	struct source_batch batch = { 0 };
	struct strbuf bytes;
	struct arena a;
	int rc = -1;

	memset(counts, 0, sizeof(*counts));
	strbuf_init(&bytes, MAX_IMPORT_BYTES);
	arena_init(&a, MAX_RUN_BYTES);
	if (file_read(path, &bytes, err) == 0 &&
	    source_read_lines(
		"import", bytes.buf, bytes.len, clock_now_utc(&run->clock), &a, &batch, err) == 0) {
		counts->nread = batch.npapers;
		counts->nbroken = batch.nbroken;
		memcpy(counts->first_broken, batch.first_broken, sizeof(counts->first_broken));
		rc = batch.npapers > 0 ? save_import(run, &batch, counts, err) : 0;
	}
	arena_release(&a);
	strbuf_release(&bytes);
	return rc;
}

int
run_update_search(struct run *run, struct error *err)
{
	size_t nleft = 1;
	int rc = 0;

	for (size_t done = 0; rc == 0 && nleft > 0 && done < MAX_INDEXED; done += INDEX_BATCH) {
		if (store_begin(run->store, err) == -1)
			return -1;
		rc = store_update_search(run->store, INDEX_BATCH, &nleft, err);
		rc = store_end(run->store, rc, false, err);
	}
	return rc;
}

void
run_add_paper_line(struct strbuf *out, const struct paper *p)
{
	source_add_line(out, p);
}
