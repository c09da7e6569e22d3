#include "stages.h"
#include "digest/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
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

/* Papers of one source after the other: an exported line keeps the source that listed it. */
static int
put_import(struct run *run, const struct source_batch *batch, struct run_import_counts *counts,
    struct error *err)
{
	struct paper *const *papers = batch->papers;
	size_t nsettled;

	for (size_t at = 0, end; at < batch->npapers; at = end) {
		struct store_put_counts put = { 0 };

		for (end = at + 1;
		     end < batch->npapers && strcmp(papers[end]->source, papers[at]->source) == 0;)
			end++;
		if (store_put_papers(run->store, papers[at]->source, "file", papers + at, end - at,
			0, clock_now_utc(&run->clock), &put, err) == -1)
			return -1;
		counts->nnew += put.nnew;
		counts->nchanged += put.nchanged;
	}
	return store_settle_listings(run->store, clock_now_utc(&run->clock), &nsettled, err);
}

static int
save_import(struct run *run, const struct source_batch *batch, struct run_import_counts *counts,
    struct error *err)
{
	if (store_begin(run->store, err) == -1)
		return -1;
	return store_end(run->store, put_import(run, batch, counts, err), true, err);
}

/* "papers.jsonl:3: title: ..." of a line, "day.json: entry 3: ..." of an answer. */
static void
tell_broken(const char *path, const struct source_batch *batch, struct run_import_counts *counts)
{
	static const char line[] = "line ";
	const char *text = batch->first_broken;
	char place[600];

	if (strncmp(text, line, sizeof(line) - 1) == 0)
		snprintf(place, sizeof(place), "%s:%s", path, text + sizeof(line) - 1);
	else
		snprintf(place, sizeof(place), "%s: %s", path, text);
	err_printable(counts->first_broken, sizeof(counts->first_broken), place);
}

int
papers_import(struct run *run, const char *path, const char *bytes, size_t len,
    struct run_import_counts *counts, struct error *err)
{
	struct source_batch batch = { 0 };
	struct error why = { .kind = ERR_NONE };
	struct arena a;
	int rc = -1;

	arena_init(&a, MAX_RUN_BYTES);
	if (source_read_saved(
		NULL, path, bytes, len, clock_now_utc(&run->clock), &a, &batch, &why) == 0) {
		counts->nread = batch.npapers;
		counts->nbroken = batch.nbroken;
		if (batch.nbroken > 0)
			tell_broken(path, &batch, counts);
		snprintf(counts->fault, sizeof(counts->fault), "%s", batch.fault);
		rc = batch.npapers > 0 ? save_import(run, &batch, counts, err) : 0;
	} else {
		*err = why;
	}
	arena_release(&a);
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

/* What a line says of a listing that is not the paper's newest. Votes and link are those of the paper, so that reading
 * the line changes nothing else. */
static int
add_earlier(struct strbuf *out, const struct paper *p, const struct store_listing *l,
    struct arena *a, struct error *err)
{
	struct paper *line = paper_new(a);

	if (line == NULL)
		return err_nomem(err, "listing");
	line->key = p->key;
	line->title = p->title;
	line->url = p->url;
	line->votes = p->votes;
	line->source = l->source;
	line->kind = l->kind;
	line->listed_day = l->day;
	source_add_line(out, line);
	return 0;
}

int
run_add_paper_lines(struct run *run, struct strbuf *out, const struct paper *p, bool earlier,
    struct arena *a, struct error *err)
{
	struct paper copy = *p;
	struct store_listing *l;
	size_t n, newest;

	if (store_load_listings(run->store, p->id, a, &l, &n, err) == -1)
		return -1;
	for (newest = n; newest > 0; newest--)
		if (p->listed_day == 0 ||
		    (l[newest - 1].day == p->listed_day &&
			strcmp(l[newest - 1].source, p->source) == 0))
			break;
	if (newest > 0) {
		copy.source = l[newest - 1].source;
		copy.listed_day = l[newest - 1].day;
		copy.kind = l[newest - 1].kind;
		copy.rank = l[newest - 1].rank;
	}
	source_add_line(out, &copy);
	for (size_t i = 0; earlier && i < n; i++)
		if (i + 1 != newest && add_earlier(out, p, &l[i], a, err) == -1)
			return -1;
	return strbuf_check(out, err);
}
