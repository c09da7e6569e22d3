/* match.c - 100,000 personal filters over the papers of one day, next to one FTS5 query for each of them: which papers, and
 * the ten best of them. Both have to find the same papers: the sums are compared. Argument: how many filters; FTS5 gets
 * every 20th. */
#include "bench.h"
#include "digest/match.h"

#include <malloc.h>
#include <sqlite3.h>

enum { PAPERS = 1500, MANY = 10000, MARKS = (MANY + 63) / 64, FTS_STEP = 20 };

static void
write_filter(struct strbuf *out, size_t i, bool fts)
{
	struct bench_random r = { i + 1000 };

	strbuf_reset(out);
	bench_add_filter(out, &r, (unsigned)(i % 5), fts);
}

static void
compile_filters(struct match_literals *literals, struct program **programs, size_t n)
{
	struct strbuf text;
	struct arena a;
	struct error err;
	struct query *q;

	strbuf_init(&text, 1024);
	arena_init(&a, 1 << 24);
	for (size_t i = 0; i < n; i++) {
		write_filter(&text, i, false);
		arena_reset(&a);
		if (query_parse(text.buf, text.len, &a, &q, NULL, &err) == -1 ||
		    match_compile(literals, q, &programs[i], &err) == -1)
			bench_die(err.msg);
	}
	arena_release(&a);
	strbuf_release(&text);
}

/* Every filter over a new index: only which papers, or the ten best of them. Returns how many papers every 20th found. */
static size_t
run_ours(struct match_literals *literals, struct paper **papers, size_t npapers,
    struct program **programs, size_t n, bool rank)
{
	static const struct match_weights weights = { 1, 1, 1, 1 };
	struct match_index *index;
	uint64_t all[MARKS], bits[MARKS];
	size_t found = 0;
	struct arena a;
	struct error err;

	memset(all, 0, sizeof(all));
	for (size_t i = 0; i < npapers; i++)
		all[i / 64] |= (uint64_t)1 << i % 64;
	arena_init(&a, 1 << 26);
	if (match_index_new(papers, npapers, BENCH_NOW, &weights, literals, &index, &err) == -1)
		bench_die(err.msg);
	for (size_t i = 0; i < n; i++) {
		struct match_section section = {
			.program = programs[i], .limit = 10, .sort = SORT_BEST
		};
		struct match_request request = { .sections = &section,
			.nsections = 1,
			.plain = all,
			.signals = all,
			.max_papers = 30 };
		int rc;

		arena_reset(&a);
		rc = rank ? match_run(index, &request, &a, &err)
			  : match_evaluate(index, programs[i], NULL, bits, &err);
		if (rc == -1)
			bench_die(err.msg);
		for (size_t k = 0; !rank && k < (npapers + 63) / 64; k++)
			section.nmatched += (size_t)__builtin_popcountll(bits[k]);
		if (i % FTS_STEP == 0)
			found += section.nmatched;
	}
	match_index_free(index);
	arena_release(&a);
	return found;
}

static void
must(sqlite3 *db, int rc)
{
	if (rc != SQLITE_OK && rc != SQLITE_DONE && rc != SQLITE_ROW)
		bench_die(sqlite3_errmsg(db));
}

static void
index_papers(sqlite3 *db, struct paper **papers)
{
	sqlite3_stmt *st;

	must(db,
	    sqlite3_exec(
		db, "CREATE VIRTUAL TABLE p USING fts5(title, abstract); BEGIN", NULL, NULL, NULL));
	must(db, sqlite3_prepare_v2(db, "INSERT INTO p VALUES (?, ?)", -1, &st, NULL));
	for (size_t i = 0; i < PAPERS; i++) {
		sqlite3_bind_text(st, 1, papers[i]->title, -1, SQLITE_STATIC);
		sqlite3_bind_text(st, 2, papers[i]->abstract, -1, SQLITE_STATIC);
		must(db, sqlite3_step(st));
		must(db, sqlite3_reset(st));
	}
	sqlite3_finalize(st);
	must(db, sqlite3_exec(db, "COMMIT", NULL, NULL, NULL));
}

/* The same by FTS5, in memory, one prepared statement. */
static size_t
run_fts(struct paper **papers, size_t n, bool rank)
{
	struct strbuf text;
	sqlite3 *db;
	sqlite3_stmt *st;
	size_t found = 0;

	strbuf_init(&text, 1024);
	must(NULL, sqlite3_open(":memory:", &db));
	index_papers(db, papers);
	must(db,
	    sqlite3_prepare_v2(db,
		rank ? "SELECT rowid FROM p WHERE p MATCH ? ORDER BY rank LIMIT 10"
		     : "SELECT rowid FROM p WHERE p MATCH ?",
		-1, &st, NULL));
	for (size_t i = 0; i < n; i += FTS_STEP) {
		int rc;

		write_filter(&text, i, true);
		sqlite3_bind_text(st, 1, text.buf, (int)text.len, SQLITE_STATIC);
		while ((rc = sqlite3_step(st)) == SQLITE_ROW)
			found++;
		must(db, rc);
		must(db, sqlite3_reset(st));
	}
	sqlite3_finalize(st);
	sqlite3_close(db);
	strbuf_release(&text);
	return found;
}

static double
per_filter(double start, size_t n)
{
	return (bench_now_s() - start) * 1e6 / (double)n;
}

static void
compare(struct match_literals *literals, struct paper **papers, struct program **programs, size_t n,
    bool rank)
{
	double ours[BENCH_ROUNDS], peer[BENCH_ROUNDS], start;

	for (int round = 0; round < BENCH_ROUNDS; round++) {
		size_t found, wanted;

		start = bench_now_s();
		found = run_ours(literals, papers, PAPERS, programs, n, rank);
		ours[round] = per_filter(start, n);
		start = bench_now_s();
		wanted = run_fts(papers, n, rank);
		peer[round] = per_filter(start, n / FTS_STEP);
		if (!rank && found != wanted)
			bench_die("the two find different papers");
	}
	bench_row(rank ? "match, the ten best, a filter" : "match, which papers, a filter", "us",
	    bench_median(ours), bench_median(peer),
	    rank ? "SQLite FTS5, a query each, by rank" : "SQLite FTS5, a query each");
}

/* More papers in the window: the same filters over them, and over those of one day. */
static void
compare_windows(
    struct match_literals *literals, struct paper **papers, struct program **programs, size_t n)
{
	double many[BENCH_ROUNDS], few[BENCH_ROUNDS], start;

	for (int round = 0; round < BENCH_ROUNDS; round++) {
		start = bench_now_s();
		run_ours(literals, papers, MANY, programs, n, false);
		many[round] = per_filter(start, n);
		start = bench_now_s();
		run_ours(literals, papers, PAPERS, programs, n, false);
		few[round] = per_filter(start, n);
	}
	bench_row("match over 10,000 papers, a filter", "us", bench_median(many), bench_median(few),
	    "over 1,500 papers");
}

int
main(int argc, char **argv)
{
	size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 100000, bytes = mallinfo2().uordblks;
	struct program **programs = calloc(n, sizeof(struct program *));
	struct match_literals *literals;
	struct paper **papers;
	struct arena a;
	double start;

	if (programs == NULL)
		bench_die("no memory");
	start = bench_now_s();
	if (match_literals_new(&literals, NULL) == -1)
		bench_die("no memory");
	compile_filters(literals, programs, n);
	printf("| compile a filter | %.3g us | - | - | - |\n", per_filter(start, n));
	printf(
	    "| memory of a filter | %zu bytes | - | - | - |\n", (mallinfo2().uordblks - bytes) / n);
	arena_init(&a, 1 << 28);
	if ((papers = bench_papers(&a, MANY)) == NULL)
		bench_die("no memory");
	compare(literals, papers, programs, n, false);
	compare(literals, papers, programs, n, true);
	compare_windows(literals, papers, programs, n);
	for (size_t i = 0; i < n; i++)
		match_program_free(programs[i]);
	free(programs);
	match_literals_free(literals);
	arena_release(&a);
	return 0;
}
