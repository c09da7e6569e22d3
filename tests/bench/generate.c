/* generate.c - what a run of the benchmark reads, the same on every machine.
 *   generate papers N        papers as JSON lines, see digest-source(7)
 *   generate readers N URL   a configuration with N readers of a filter each, over some thousand domains, mailed through
 *                            URL
 *   generate store N PATH    the same readers into a store that is there */
#include "bench.h"
#include "digest/source.h"
#include "digest/store.h"

enum { DOMAINS = 5000 }; /* of the readers */

static void
print_papers(size_t n)
{
	struct paper **papers;
	struct strbuf line;
	struct arena a;

	arena_init(&a, (size_t)1 << 30);
	strbuf_init(&line, 1 << 20);
	if ((papers = bench_papers(&a, n)) == NULL)
		bench_die("no memory");
	for (size_t i = 0; i < n; i++) {
		strbuf_reset(&line);
		source_add_line(&line, papers[i]);
		fputs(line.buf, stdout);
	}
	strbuf_release(&line);
	arena_release(&a);
}

/* Papers of a filter: $LIMIT, or the program's default. */
static unsigned
paper_limit(void)
{
	const char *limit = getenv("LIMIT");

	return limit != NULL ? (unsigned)strtoul(limit, NULL, 10) : 10;
}

/* Three words that many papers have, or with $QUERIES = mixed a filter of any form, as the rows of matching have them. */
static void
add_query(struct strbuf *out, struct bench_random *r)
{
	const char *queries = getenv("QUERIES");

	strbuf_reset(out);
	if (queries != NULL && strcmp(queries, "mixed") == 0) {
		bench_add_filter(out, r, (unsigned)bench_next(r), false);
		return;
	}
	for (int k = 0; k < 3; k++) {
		strbuf_add(out, k > 0 ? " OR " : "");
		bench_add_word(out, bench_zipf(r, 100, 2000));
	}
}

static void
print_readers(size_t n, const char *url)
{
	struct bench_random r = { 3 };
	struct strbuf words;

	strbuf_init(&words, 1024);
	printf("list { from = \"Papers <papers@digest.test>\" }\nstore { path = \"digest.db\" }\n"
	       "defaults { limit = %u }\n"
	       "smtp \"bench\" { url = \"%s\"%s }\nsource \"lines\" { type = file  path = "
	       "\"papers.jsonl\" }\n",
	    paper_limit(), url,
	    strncmp(url, "smtp:", 5) == 0 ? "  tls = none  connections = 8" : "");
	for (size_t i = 0; i < n; i++) {
		add_query(&words, &r);
		printf("subscriber \"reader%zu@d%zu.digest.test\" { filter \"mine\" { match = "
		       "\"%s\" } }\n",
		    i, i % DOMAINS, words.buf);
	}
	strbuf_release(&words);
}

/* The same readers as by `digest subscribe`, so with the program's defaults. */
static void
store_readers(size_t n, const char *path)
{
	struct bench_random r = { 3 };
	struct filter mine = { .name = "mine", .when = "", .file = "" };
	struct subscriber s = { .name = "",
		.timezone = "",
		.when = "daily",
		.language = "en",
		.was = "",
		.limit = paper_limit(),
		.max_papers = 25,
		.outside = 3,
		.origin = ORIGIN_COMMAND,
		.file = "",
		.filters = &mine,
		.nfilters = 1 };
	struct store *store;
	struct strbuf words;
	struct error err;
	char address[64];

	strbuf_init(&words, 1024);
	if (store_open(path, STORE_WRITE, NULL, &store, &err) == -1 ||
	    store_begin(store, &err) == -1)
		bench_die(err.msg);
	for (size_t i = 0; i < n; i++) {
		add_query(&words, &r);
		mine.match = words.buf;
		snprintf(address, sizeof(address), "reader%zu@d%zu.digest.test", i, i % DOMAINS);
		s.address = s.canonical = address;
		if (store_put_reader(store, &s, "", BENCH_NOW, &err) == -1)
			bench_die(err.msg);
	}
	if (store_commit(store, true, &err) == -1)
		bench_die(err.msg);
	store_close(store);
	strbuf_release(&words);
}

int
main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "papers") == 0)
		print_papers(strtoul(argv[2], NULL, 10));
	else if (argc == 4 && strcmp(argv[1], "readers") == 0)
		print_readers(strtoul(argv[2], NULL, 10), argv[3]);
	else if (argc == 4 && strcmp(argv[1], "store") == 0)
		store_readers(strtoul(argv[2], NULL, 10), argv[3]);
	else
		bench_die("generate papers N, generate readers N URL, or generate store N PATH");
	return 0;
}
