#include "store/known.h"

#include <stdlib.h>
#include <string.h>

int
known_new(struct store *store, struct arena *a, struct known *k, struct error *err)
{
	memset(k, 0, sizeof(*k));
	merge_start(&k->from);
	if ((k->paper = paper_new(a)) == NULL)
		return err_nomem(err, store->path);
	return db_get_int(store, SQL_PAPER_NEXT_ID, NULL, 0, &k->id, err) == 1 ? 0 : -1;
}

int
known_load(struct store *store, int64_t id, struct arena *a, struct known *k, struct error *err)
{
	struct stmt q;
	int rc, found;

	db_start(&q, store, SQL_PAPER_GET);
	db_bind_int(&q, id);
	if ((found = db_step(&q, err)) == -1)
		return -1;
	if (found == 0)
		return err_set(err, ERR_IO, "%s: paper %lld is named but missing; restore a backup",
		    store->path, (long long)id);
	k->id = id;
	k->revision = db_int(&q, 0);
	k->first_listed_utc = db_int(&q, 1);
	rc = db_blob(&q, 2, a, &k->packed_origins, &k->origins_len, err);
	if (rc == 0)
		rc = db_blob(&q, 3, a, &k->card, &k->card_len, err);
	db_done(&q);
	if (rc == -1 || paper_unpack(k->card, k->card_len, a, &k->paper, err) == -1 ||
	    merge_unpack(k->packed_origins, k->origins_len, a, &k->from, err) == -1)
		return -1;
	/* Stores of the first schema step kept this only on the card. */
	if (k->paper->withdrawn_utc != 0 && k->from.withdrawn_utc == 0 &&
	    k->from.withdrawn_unversioned_utc == 0)
		k->from.withdrawn_unversioned_utc = k->paper->withdrawn_utc;
	return 0;
}

int
known_forget_signals(struct store *store, int64_t id, unsigned which, struct error *err)
{
	static const struct {
		unsigned bit;
		enum sql_name name;
	} signals[] = {
		{ MERGE_VOTES, SQL_SIGNAL_FORGET_VOTES },
		{ MERGE_COMMENTS, SQL_SIGNAL_FORGET_COMMENTS },
		{ MERGE_STARS, SQL_SIGNAL_FORGET_STARS },
	};

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if ((which & signals[i].bit) != 0 &&
		    db_run_ints(store, signals[i].name, DB_INTS(id), err) == -1)
			return -1;
	return which == 0 ? 0 : db_run_ints(store, SQL_SIGNAL_TIDY, DB_INTS(id), err);
}

int
known_unite(
    struct store *store, struct known *keep, int64_t drop, struct arena *a, struct error *err)
{
	static const enum sql_name moves[] = { SQL_MERGE_ALIASES, SQL_MERGE_LISTINGS,
		SQL_MERGE_SIGNALS, SQL_MERGE_EARLIER };
	static const enum sql_name ends[] = { SQL_MERGE_END_LISTINGS, SQL_MERGE_END_SIGNALS,
		SQL_MERGE_END_PAPER, SQL_SEARCH_DUE_ADD };
	const unsigned all = MERGE_VOTES | MERGE_COMMENTS | MERGE_STARS;
	struct known other;
	unsigned taken;

	if (known_load(store, drop, a, &other, err) == -1)
		return -1;
	taken = merge_paper(keep->paper, &keep->from, other.paper, &other.from);
	merge_choose_key(keep->paper, other.paper);
	if (other.first_listed_utc != 0 &&
	    (keep->first_listed_utc == 0 || other.first_listed_utc < keep->first_listed_utc))
		keep->first_listed_utc = other.first_listed_utc;
	/* Of two histories of the same signal one remains. */
	if (known_forget_signals(store, keep->id, taken, err) == -1 ||
	    known_forget_signals(store, drop, all & ~taken, err) == -1)
		return -1;
	for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++)
		if (db_run_ints(store, moves[i], DB_INTS(drop, keep->id), err) == -1)
			return -1;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (db_run_ints(store, ends[i], DB_INTS(drop), err) == -1)
			return -1;
	return db_run_ints(store, SQL_MERGED_ADD, DB_INTS(drop, keep->id), err);
}

/* ---- numbers of papers that were united with another ---- */

static int
compare_pairs(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return x[0] < y[0] ? -1 : x[0] > y[0];
}

int
papers_load_merged(struct store *store, struct error *err)
{
	struct merged_ids *m = &store->merged;
	int64_t newest = 0, count;
	struct stmt q;
	int more;

	if (db_get_int(store, SQL_MERGED_NEWEST, NULL, 0, &newest, err) == -1)
		return -1;
	if (newest == m->newest)
		return 0;
	if (db_get_int(store, SQL_MERGED_COUNT, NULL, 0, &count, err) != 1)
		return -1;
	free(m->pairs);
	m->n = 0;
	m->newest = newest;
	if ((m->pairs = calloc((size_t)count + 1, sizeof(*m->pairs))) == NULL) {
		m->newest = -1;
		return err_nomem(err, store->path);
	}
	db_start(&q, store, SQL_MERGED_ALL);
	while ((more = db_step(&q, err)) == 1 && m->n < (size_t)count) {
		m->pairs[m->n][0] = db_int(&q, 0);
		m->pairs[m->n++][1] = db_int(&q, 1);
	}
	db_done(&q);
	qsort(m->pairs, m->n, sizeof(*m->pairs), compare_pairs);
	return more == -1 ? -1 : 0;
}

int64_t
papers_find_merged(const struct merged_ids *m, int64_t id)
{
	const int64_t key[2] = { id, 0 };
	const int64_t *pair =
	    m->n == 0 ? NULL : bsearch(key, m->pairs, m->n, sizeof(*m->pairs), compare_pairs);

	return pair != NULL ? pair[1] : id;
}

int
papers_follow(struct store *store, int64_t *id, struct error *err)
{
	if (papers_load_merged(store, err) == -1)
		return -1;
	*id = papers_find_merged(&store->merged, *id);
	return 0;
}
