/* generate.c - what a run of the benchmark reads, the same on every machine.
 *   generate papers N        papers as JSON lines, see digest-source(7)
 *   generate readers N URL   a configuration with N readers, of three words each, over some thousand domains, mailed through
 *                            URL */
#include "bench.h"
#include "digest/source.h"

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

static void
print_readers(size_t n, const char *url)
{
	struct bench_random r = { 3 };
	struct strbuf words;

	strbuf_init(&words, 1024);
	printf("list { from = \"Papers <papers@digest.test>\" }\nstore { path = \"digest.db\" }\n"
	       "smtp \"bench\" { url = \"%s\"%s }\nsource \"lines\" { type = file  path = "
	       "\"papers.jsonl\" }\n",
	    url, strncmp(url, "smtp:", 5) == 0 ? "  tls = none  connections = 8" : "");
	for (size_t i = 0; i < n; i++) {
		strbuf_reset(&words);
		for (int k = 0; k < 3; k++) {
			strbuf_add(&words, k > 0 ? " OR " : "");
			bench_add_word(&words, bench_zipf(&r, 100, 2000));
		}
		printf("subscriber \"reader%zu@d%zu.digest.test\" { filter \"mine\" { match = "
		       "\"%s\" } }\n",
		    i, i % DOMAINS, words.buf);
	}
	strbuf_release(&words);
}

int
main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "papers") == 0)
		print_papers(strtoul(argv[2], NULL, 10));
	else if (argc == 4 && strcmp(argv[1], "readers") == 0)
		print_readers(strtoul(argv[2], NULL, 10), argv[3]);
	else
		bench_die("generate papers N, or generate readers N URL");
	return 0;
}
