/* load.c - 100,000 compiled filters of 20,000 readers out of the store, next to compiling them from their texts: what a reader's
 * filters add to loading the reader. Argument: a folder. */
#include "bench.h"
#include "digest/match.h"
#include "digest/store.h"

#include <unistd.h>

enum { READERS = 20000, EACH = 5, FILTERS = READERS * EACH, MAX_PACKED = 256 };

/* What one walk over the readers does with the filters of each. */
struct walk {
	struct match_literals *literals; /* NULL = look at no filter */
	bool compile;			 /* from the texts, else from what was stored */
	struct arena a;
	size_t nfilters;
};

static void
write_filter(struct strbuf *out, struct bench_random *r)
{
	strbuf_reset(out);
	for (int k = 0; k < 3; k++) {
		strbuf_add(out, k == 0 ? "" : k == 1 ? " OR " : " AND NOT ");
		bench_add_word(out, bench_zipf(r, 50, 10000));
	}
}

static struct program *
compile(struct match_literals *literals, const char *text, struct arena *a)
{
	struct program *program;
	struct query *q;
	struct error err;

	if (query_parse(text, strlen(text), a, &q, NULL, &err) == -1 ||
	    match_compile(literals, q, &program, &err) == -1)
		bench_die(err.msg);
	return program;
}

/* The programs of one reader one after the other, each behind a byte that says how long it is. */
static void
fill_reader(
    struct store *store, struct match_literals *literals, int64_t id, struct bench_random *r)
{
	struct filter filters[EACH] = { 0 };
	struct subscriber s = { .name = "",
		.timezone = "",
		.when = "daily",
		.language = "en",
		.was = "",
		.limit = 10,
		.max_papers = 25,
		.file = "",
		.filters = filters,
		.nfilters = EACH };
	struct strbuf text, packed, one;
	struct error err;
	struct arena a;

	arena_init(&a, 1 << 20);
	strbuf_init(&text, 1024);
	strbuf_init(&packed, EACH * MAX_PACKED);
	strbuf_init(&one, MAX_PACKED);
	for (size_t i = 0; i < EACH; i++) {
		struct program *program;

		write_filter(&text, r);
		filters[i].name = arena_printf(&a, "%zu", i);
		filters[i].match = arena_strdup(&a, text.buf);
		filters[i].when = "";
		program = compile(literals, filters[i].match, &a);
		strbuf_reset(&one);
		match_program_pack(program, &one);
		match_program_free(program);
		strbuf_addc(&packed, (char)one.len);
		strbuf_addn(&packed, one.buf, one.len);
	}
	s.address = s.canonical = arena_printf(&a, "reader%lld@digest.test", (long long)id);
	if (store_put_reader(store, &s, "", BENCH_NOW, &err) == -1 ||
	    store_put_programs(store, id, packed.buf, packed.len, &err) == -1)
		bench_die(err.msg);
	strbuf_release(&one);
	strbuf_release(&packed);
	strbuf_release(&text);
	arena_release(&a);
}

static void
fill_store(struct store *store)
{
	struct bench_random r = { 7 };
	struct match_literals *literals;
	struct strbuf bytes;
	struct error err;

	strbuf_init(&bytes, 1 << 20);
	if (match_literals_new(&literals, &err) == -1 || store_begin(store, &err) == -1)
		bench_die(err.msg);
	for (int64_t id = 1; id <= READERS; id++)
		fill_reader(store, literals, id, &r);
	for (size_t i = 0; i < match_literals_count(literals); i++) {
		strbuf_reset(&bytes);
		match_literal_pack(literals, i, &bytes);
		if (store_add_literal(store, (int64_t)i, bytes.buf, bytes.len, &err) == -1)
			bench_die(err.msg);
	}
	if (store_commit(store, true, &err) == -1)
		bench_die(err.msg);
	strbuf_release(&bytes);
	match_literals_free(literals);
}

static int
take_literal(void *arg, const unsigned char *bytes, size_t len, struct error *err)
{
	return match_literal_unpack(arg, bytes, len, err);
}

static int
take_reader(void *arg, const struct store_reader *reader)
{
	struct walk *w = arg;
	const unsigned char *at = reader->programs;
	struct program *program;
	struct error err;

	arena_reset(&w->a);
	for (size_t i = 0; i < reader->sub.nfilters && w->literals != NULL; i++) {
		if (w->compile) {
			match_program_free(
			    compile(w->literals, reader->sub.filters[i].match, &w->a));
		} else if (match_program_unpack(w->literals, at + 1, *at, &w->a, &program, &err) ==
		    -1) {
			bench_die(err.msg);
		}
		at += 1 + *at;
		w->nfilters++;
	}
	return 0;
}

/* Seconds for all readers: without a look at the filters, or with their programs stored or compiled. */
static double
walk(struct store *store, bool filters, bool compile_them)
{
	struct walk w = { .compile = compile_them };
	double start = bench_now_s();
	struct error err;

	arena_init(&w.a, 1 << 20);
	if (filters && match_literals_new(&w.literals, &err) == -1)
		bench_die(err.msg);
	if (filters && !compile_them &&
	    store_each_literal(store, take_literal, w.literals, &err) != 0)
		bench_die(err.msg);
	if (store_each_reader(store, false, take_reader, &w, &err) != 0)
		bench_die(err.msg);
	if (filters && w.nfilters != FILTERS)
		bench_die("filters are missing");
	match_literals_free(w.literals);
	arena_release(&w.a);
	return bench_now_s() - start;
}

int
main(int argc, char **argv)
{
	static const char *const suffixes[] = { "", "-wal", "-shm", ".write.lock", ".sender.lock" };
	const char *folder = argc > 1 ? argv[1] : ".";
	double ours[BENCH_ROUNDS], peer[BENCH_ROUNDS];
	struct store *store;
	struct error err;
	char path[4096];

	snprintf(path, sizeof(path), "%s/load.db", folder);
	unlink(path);
	if (store_open(path, STORE_WRITE, NULL, &store, &err) == -1)
		bench_die(err.msg);
	fill_store(store);
	for (int i = 0; i < BENCH_ROUNDS; i++) {
		double bare = walk(store, false, false);

		ours[i] = (walk(store, true, false) - bare) * 1e6 / FILTERS;
		peer[i] = (walk(store, true, true) - bare) * 1e6 / FILTERS;
	}
	bench_row("load a compiled filter with its reader, literals included", "us",
	    bench_median(ours), bench_median(peer), "compile it from its text");
	store_close(store);
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		snprintf(path, sizeof(path), "%s/load.db%s", folder, suffixes[i]);
		unlink(path);
	}
	return 0;
}
