/* store.c - 10,000 new papers into the store, merged, listed and indexed by their keys, next to their packed bytes into a
 * bare SQLite table, in batches of 500 with a durable commit each; then their words into the index, next to the same
 * words into a bare FTS5 table. Argument: a folder for both. */
#include "bench.h"
#include "digest/store.h"

#include <sqlite3.h>
#include <unistd.h>

enum { PAPERS = 10000, BATCH = 500 };

static void
drop(const char *path)
{
	static const char *const suffixes[] = { "", "-wal", "-shm", ".write.lock", ".sender.lock" };
	char name[4096];

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		snprintf(name, sizeof(name), "%s%s", path, suffixes[i]);
		unlink(name);
	}
}

/* Microseconds a paper: put, and then indexed. */
static void
put_ours(const char *path, struct paper **papers, double *put_us, double *index_us)
{
	struct store_put_counts counts;
	size_t nnew = 0, nleft = PAPERS;
	struct store *store;
	struct error err;
	double start;

	drop(path);
	if (store_open(path, STORE_WRITE, NULL, &store, &err) == -1)
		bench_die(err.msg);
	start = bench_now_s();
	for (size_t i = 0; i < PAPERS; i += BATCH) {
		if (store_begin(store, &err) == -1 ||
		    store_put_papers(store, "bench", "file", papers + i, BATCH, 0, BENCH_NOW,
			&counts, &err) == -1 ||
		    store_commit(store, true, &err) == -1)
			bench_die(err.msg);
		nnew += counts.nnew;
	}
	*put_us = (bench_now_s() - start) * 1e6 / PAPERS;
	if (nnew != PAPERS)
		bench_die("not every paper is new");
	start = bench_now_s();
	while (nleft > 0)
		if (store_begin(store, &err) == -1 ||
		    store_update_search(store, BATCH, &nleft, &err) == -1 ||
		    store_commit(store, true, &err) == -1)
			bench_die(err.msg);
	*index_us = (bench_now_s() - start) * 1e6 / PAPERS;
	store_close(store);
	drop(path);
}

static void
must(sqlite3 *db, int rc)
{
	if (rc != SQLITE_OK && rc != SQLITE_DONE)
		bench_die(sqlite3_errmsg(db));
}

static double
put_bare(const char *path, struct paper **papers)
{
	struct strbuf packed;
	sqlite3 *db;
	sqlite3_stmt *st;
	double start, took;

	drop(path);
	strbuf_init(&packed, 1 << 20);
	must(NULL, sqlite3_open(path, &db));
	must(db,
	    sqlite3_exec(db,
		"PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
		"CREATE TABLE p(id INTEGER PRIMARY KEY, key TEXT UNIQUE, packed BLOB)",
		NULL, NULL, NULL));
	must(db, sqlite3_prepare_v2(db, "INSERT INTO p VALUES (?, ?, ?)", -1, &st, NULL));
	start = bench_now_s();
	for (size_t i = 0; i < PAPERS; i++) {
		if (i % BATCH == 0)
			must(db, sqlite3_exec(db, "BEGIN", NULL, NULL, NULL));
		strbuf_reset(&packed);
		paper_pack(&packed, papers[i]);
		sqlite3_bind_int64(st, 1, (sqlite3_int64)i);
		sqlite3_bind_text(st, 2, papers[i]->key, -1, SQLITE_STATIC);
		sqlite3_bind_blob(st, 3, packed.buf, (int)packed.len, SQLITE_STATIC);
		must(db, sqlite3_step(st));
		must(db, sqlite3_reset(st));
		if (i % BATCH == BATCH - 1)
			must(db, sqlite3_exec(db, "COMMIT", NULL, NULL, NULL));
	}
	took = bench_now_s() - start;
	sqlite3_finalize(st);
	sqlite3_close(db);
	strbuf_release(&packed);
	drop(path);
	return took * 1e6 / PAPERS;
}

static double
index_bare(const char *path, struct paper **papers)
{
	sqlite3 *db;
	sqlite3_stmt *st;
	double start, took;

	drop(path);
	must(NULL, sqlite3_open(path, &db));
	must(db,
	    sqlite3_exec(db,
		"PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
		"CREATE VIRTUAL TABLE w USING fts5(title, abstract, authors)",
		NULL, NULL, NULL));
	must(db, sqlite3_prepare_v2(db, "INSERT INTO w VALUES (?, ?, ?)", -1, &st, NULL));
	start = bench_now_s();
	for (size_t i = 0; i < PAPERS; i++) {
		if (i % BATCH == 0)
			must(db, sqlite3_exec(db, "BEGIN", NULL, NULL, NULL));
		sqlite3_bind_text(st, 1, papers[i]->title, -1, SQLITE_STATIC);
		sqlite3_bind_text(st, 2, papers[i]->abstract, -1, SQLITE_STATIC);
		sqlite3_bind_text(st, 3, papers[i]->authors[0], -1, SQLITE_STATIC);
		must(db, sqlite3_step(st));
		must(db, sqlite3_reset(st));
		if (i % BATCH == BATCH - 1)
			must(db, sqlite3_exec(db, "COMMIT", NULL, NULL, NULL));
	}
	took = bench_now_s() - start;
	sqlite3_finalize(st);
	sqlite3_close(db);
	drop(path);
	return took * 1e6 / PAPERS;
}

int
main(int argc, char **argv)
{
	double put[BENCH_ROUNDS], put_peer[BENCH_ROUNDS];
	double index[BENCH_ROUNDS], index_peer[BENCH_ROUNDS];
	char path[4000];
	struct paper **papers;
	struct arena a;

	arena_init(&a, 1 << 28);
	if ((papers = bench_papers(&a, PAPERS)) == NULL)
		bench_die("no memory");
	for (int round = 0; round < BENCH_ROUNDS; round++) {
		snprintf(path, sizeof(path), "%s/ours.db", argc > 1 ? argv[1] : "/tmp");
		put_ours(path, papers, &put[round], &index[round]);
		snprintf(path, sizeof(path), "%s/bare.db", argc > 1 ? argv[1] : "/tmp");
		put_peer[round] = put_bare(path, papers);
		index_peer[round] = index_bare(path, papers);
	}
	bench_row("store a new paper", "us", bench_median(put), bench_median(put_peer),
	    "a row in a bare SQLite table");
	bench_row("index the words of a paper", "us", bench_median(index), bench_median(index_peer),
	    "a row in a bare FTS5 table");
	arena_release(&a);
	return 0;
}
