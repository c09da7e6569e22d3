#include "store/db.h"
#include "digest/store_care.h"

#include <stdlib.h>
#include <string.h>

enum {
	ENDED_READERS_S = 60 * DAY_S, /* a block that comes back within that time resumes */
	EDITIONS_S = 400 * DAY_S,     /* history of what was sent */
	RUNS_S = 400 * DAY_S,
	INCOMING_S =
	    400 * DAY_S,      /* a mail that comes again is known for as long as its edition is */
	PAGES_S = 60 * DAY_S, /* a page that was not read for so long is asked for anew */
};

int
store_start_run(struct store *store, int64_t now_utc, int64_t *id, struct error *err)
{
	if (db_run_ints(store, SQL_RUN_ADD, DB_INTS(now_utc), err) == -1)
		return -1;
	*id = sqlite3_last_insert_rowid(store->db);
	return 0;
}

int
store_finish_run(struct store *store, const struct store_run *run, struct error *err)
{
	struct stmt q;

	db_start(&q, store, SQL_RUN_FINISH);
	db_bind_int(&q, run->id);
	db_bind_int(&q, run->finished_utc);
	db_bind_int(&q, run->npapers_new);
	db_bind_int(&q, run->nplanned);
	db_bind_int(&q, run->nsent);
	db_bind_int(&q, run->ndeferred);
	db_bind_int(&q, run->nfailed);
	db_bind_int(&q, run->nheld);
	db_bind_int(&q, run->nempty);
	db_bind_int(&q, run->nskipped);
	db_bind_int(&q, run->exit_code);
	db_bind_text(&q, run->summary != NULL ? run->summary : "");
	return db_run(&q, err);
}

static int
read_run(struct stmt *q, struct arena *a, void *row, struct error *err)
{
	struct store_run *run = row;

	run->id = db_int(q, 0);
	run->started_utc = db_int(q, 1);
	run->finished_utc = db_int(q, 2);
	run->npapers_new = db_int(q, 3);
	run->nplanned = db_int(q, 4);
	run->nsent = db_int(q, 5);
	run->ndeferred = db_int(q, 6);
	run->nfailed = db_int(q, 7);
	run->nheld = db_int(q, 8);
	run->nempty = db_int(q, 9);
	run->nskipped = db_int(q, 10);
	run->exit_code = (int)db_int(q, 11);
	return db_text(q, 12, a, &run->summary, err);
}

int
store_load_runs(struct store *store, size_t max, struct arena *a, struct store_run **out, size_t *n,
    struct error *err)
{
	struct db_rows rows;
	struct stmt q;

	db_start(&q, store, SQL_RUN_NEWEST);
	db_bind_int(&q, (int64_t)max);
	if (db_load_rows(&q, a, sizeof(**out), read_run, &rows, err) == -1)
		return -1;
	*out = rows.items;
	*n = rows.n;
	return 0;
}

int
store_load_last_run(struct store *store, struct arena *a, struct store_run **out, struct error *err)
{
	struct store_run *runs;
	size_t n;

	if (store_load_runs(store, 1, a, &runs, &n, err) == -1)
		return -1;
	if (n == 1)
		*out = runs;
	return (int)n;
}

int
store_load_sizes(struct store *store, struct store_sizes *out, struct error *err)
{
	struct stmt q;

	db_start(&q, store, SQL_SIZES);
	if (db_step(&q, err) != 1)
		return -1;
	out->npapers = (size_t)db_int(&q, 0);
	out->nlistings = (size_t)db_int(&q, 1);
	out->nreaders = (size_t)db_int(&q, 2);
	out->nsuppressed = (size_t)db_int(&q, 3);
	out->bytes = db_int(&q, 4);
	db_done(&q);
	return 0;
}

/* ---- retention ---- */

/* Numbers of papers, sorted when complete. */
struct id_list {
	int64_t *ids;
	size_t n, room;
};

static int
add_id(void *arg, int64_t id)
{
	struct id_list *list = arg;

	if (list->n == list->room) {
		size_t room = list->room == 0 ? 256 : list->room * 2;
		int64_t *grown = realloc(list->ids, room * sizeof(*grown));

		if (grown == NULL)
			return -1;
		list->ids = grown;
		list->room = room;
	}
	list->ids[list->n++] = id;
	return 0;
}

static int
compare_ids(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static bool
has_id(const struct id_list *list, int64_t id)
{
	return list->n > 0 &&
	    bsearch(&id, list->ids, list->n, sizeof(*list->ids), compare_ids) != NULL;
}

static int
list_needed(struct store *store, struct id_list *needed, struct error *err)
{
	if (papers_load_merged(store, err) == -1 ||
	    editions_each_needed(store, add_id, needed, err) == -1)
		return -1;
	for (size_t i = 0; i < needed->n; i++)
		needed->ids[i] = papers_find_merged(&store->merged, needed->ids[i]);
	if (needed->n > 0)
		qsort(needed->ids, needed->n, sizeof(*needed->ids), compare_ids);
	return 0;
}

static int
list_old(struct store *store, int64_t seen_before_utc, struct id_list *old, struct error *err)
{
	struct stmt q;
	int more;

	db_start(&q, store, SQL_PAPER_OLD);
	db_bind_int(&q, seen_before_utc);
	while ((more = db_step(&q, err)) == 1)
		if (add_id(old, db_int(&q, 0)) == -1) {
			more = err_nomem(err, "old papers");
			break;
		}
	db_done(&q);
	return more;
}

static int
remove_paper(struct store *store, int64_t id, struct error *err)
{
	static const enum sql_name parts[] = { SQL_PRUNE_SNAPSHOTS, SQL_PRUNE_ALIASES,
		SQL_MERGE_END_LISTINGS, SQL_MERGE_END_SIGNALS, SQL_MERGE_END_PAPER,
		SQL_SEARCH_DUE_ADD };

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (db_run_ints(store, parts[i], DB_INTS(id), err) == -1)
			return -1;
	return 0;
}

static int
prune_papers(struct store *store, int64_t seen_before_utc, size_t *nremoved, struct error *err)
{
	struct id_list needed = { 0 }, old = { 0 };
	int rc = -1;

	if (list_needed(store, &needed, err) == -1 ||
	    list_old(store, seen_before_utc, &old, err) == -1)
		goto out;
	for (size_t i = 0; i < old.n; i++) {
		if (has_id(&needed, old.ids[i]))
			continue;
		if (remove_paper(store, old.ids[i], err) == -1)
			goto out;
		(*nremoved)++;
	}
	rc = 0;
out:
	free(needed.ids);
	free(old.ids);
	return rc;
}

static int
prune_readers(struct store *store, int64_t ended_before_utc, size_t *nremoved, struct error *err)
{
	int64_t id;
	int found;

	while ((found = db_get_int(
		    store, SQL_READER_LONG_ENDED, DB_INTS(ended_before_utc), &id, err)) == 1) {
		if (store_erase_reader(store, id, err) == -1)
			return -1;
		(*nremoved)++;
	}
	return found;
}

const struct store_pruned_name store_pruned_names[PRUNED_KINDS] = {
	[PRUNED_PAPERS] = { "papers", "papers" },
	[PRUNED_SIGNALS] = { "signals", "old counts of votes" },
	[PRUNED_READERS] = { "readers", "readers whose subscription ended" },
	[PRUNED_EDITIONS] = { "editions", "old digests" },
	[PRUNED_REPLIES] = { "replies", "answers of relays" },
	[PRUNED_RUNS] = { "runs", "old runs" },
	[PRUNED_INCOMING] = { "incoming", "old bounces and requests" },
	[PRUNED_PAGES] = { "pages", "pages not read for long" },
};

int
store_prune(struct store *store, int64_t now_utc, const struct store_keep *keep,
    size_t n[PRUNED_KINDS], struct error *err)
{
	const struct {
		enum sql_name name;
		int64_t before_utc;
		int kind; /* -1 = a part of the next */
	} tables[] = {
		{ SQL_PRUNE_SIGNALS, now_utc - keep->signals_s, PRUNED_SIGNALS },
		{ SQL_PRUNE_PICKS, now_utc - EDITIONS_S, -1 }, /* before what names them */
		{ SQL_PRUNE_EDITIONS, now_utc - EDITIONS_S, PRUNED_EDITIONS },
		{ SQL_PRUNE_REPLIES, now_utc - keep->replies_s, PRUNED_REPLIES },
		{ SQL_PRUNE_SAID, now_utc - keep->replies_s, PRUNED_REPLIES },
		{ SQL_PRUNE_INCOMING, now_utc - INCOMING_S, PRUNED_INCOMING },
		{ SQL_PRUNE_RUNS, now_utc - RUNS_S, PRUNED_RUNS },
		{ SQL_PRUNE_PAGES, now_utc - PAGES_S, PRUNED_PAGES },
	};

	memset(n, 0, PRUNED_KINDS * sizeof(*n));
	if (prune_papers(store, now_utc - keep->papers_s, &n[PRUNED_PAPERS], err) == -1 ||
	    prune_readers(store, now_utc - ENDED_READERS_S, &n[PRUNED_READERS], err) == -1)
		return -1;
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		if (db_run_ints(store, tables[i].name, DB_INTS(tables[i].before_utc), err) == -1)
			return -1;
		if (tables[i].kind != -1)
			n[tables[i].kind] += (size_t)db_changes(store);
	}
	return 0;
}
