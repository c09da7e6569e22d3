/*
 * The dearest queries that the limits allow, each over 20,000 papers and over 5,000: four times the papers take about four
 * times as long, whatever the query; one that takes ten times as long ends the benchmark. Then 10,000 different filters over
 * 5,000 papers, index included, in less than 10 seconds.
 */
#include "bench.h"
#include "digest/limits.h"
#include "digest/match.h"

enum { FEW = 5000, MANY = 4 * FEW, NFILTERS = 10000, FREQUENT = 40 };

/* One piece of a query, the n-th of many. */
typedef void add_piece(struct strbuf *out, unsigned n);

static void
add_frequent(struct strbuf *out, unsigned n)
{
	bench_add_word(out, 1 + n % FREQUENT);
}

static void
add_not(struct strbuf *out, unsigned n)
{
	strbuf_add(out, n + 1 < MAX_QUERY_DEPTH ? "NOT " : "the");
}

static void
add_prefix(struct strbuf *out, unsigned n)
{
	static const char *const fields[] = { "", "title:", "abstract:", "-" };
	static const char consonants[] = "bdfgklmnpt", vowels[] = "aoui";

	strbuf_addf(out, "%s%c%c", fields[n % 4], consonants[n / 4 % 10], vowels[n / 40 % 4]);
	for (n /= 160; n > 0; n /= 40)
		strbuf_addf(out, "%c%c", consonants[n % 10], vowels[n / 10 % 4]);
	strbuf_add(out, "* OR ");
}

static void
add_near(struct strbuf *out, unsigned n)
{
	strbuf_add(out, "\"the ");
	add_frequent(out, n / MAX_QUERY_DISTANCE);
	strbuf_addf(out, "\"~%u OR ", n % MAX_QUERY_DISTANCE);
}

static void
add_pair(struct strbuf *out, unsigned n)
{
	strbuf_addc(out, '"');
	add_frequent(out, n);
	strbuf_addc(out, ' ');
	add_frequent(out, n / FREQUENT);
	strbuf_add(out, " the\" OR ");
}

static void
add_the(struct strbuf *out, unsigned n)
{
	(void)n;
	strbuf_add(out, "the ");
}

static void
add_author(struct strbuf *out, unsigned n)
{
	static const char initials[] = "bdfgklmnpt";

	strbuf_addf(out, "author:\"%c %c %c\" OR ", initials[n % 10], initials[n / 10 % 10],
	    initials[n / 100 % 10]);
}

static void
add_id(struct strbuf *out, unsigned n)
{
	strbuf_addf(out, "id:2601.%05u OR ", n);
}

static void
add_condition(struct strbuf *out, unsigned n)
{
	strbuf_addf(out, "votes=%u OR ", n);
}

static const struct {
	const char *name, *head, *tail;
	unsigned npieces;
	add_piece *add;
} queries[] = {
	{ "one frequent word", "", "the", 0, add_not },
	{ "64 negations", "", "", MAX_QUERY_DEPTH, add_not },
	{ "prefixes", "", "x", 900, add_prefix },
	{ "two frequent words near each other", "\"the the\"~1000", "", 0, add_not },
	{ "groups of frequent words", "", "x", 600, add_near },
	{ "phrases of frequent words", "", "x", 600, add_pair },
	{ "one phrase of 4,000 words", "\"", "\"", 4000, add_the },
	{ "one group of 1,000 words", "\"", "\"~1000", 1000, add_the },
	{ "initials of authors", "", "x", 700, add_author },
	{ "ids", "", "x", 900, add_id },
	{ "conditions", "", "x", 1000, add_condition },
};

static struct query *
read_query(struct arena *a, size_t i)
{
	struct strbuf text;
	struct error err;
	struct query *q;

	strbuf_init(&text, 1 << 20);
	strbuf_add(&text, queries[i].head);
	for (unsigned n = 0; n < queries[i].npieces; n++)
		queries[i].add(&text, n);
	strbuf_add(&text, queries[i].tail);
	if (query_parse(text.buf, text.len, a, &q, NULL, &err) == -1)
		bench_die(err.msg);
	strbuf_release(&text);
	return q;
}

/* Seconds of one query over papers that were tokenised before; nothing is known of its words yet. */
static double
ask(struct paper **papers, size_t n, const struct query *q, size_t *found)
{
	static const struct match_weights weights = { 1, 1, 1, 1 };
	struct match_literals *literals;
	struct match_index *index;
	struct program *program;
	uint64_t bits[MANY / 64 + 1];
	struct error err;
	double start;

	if (match_literals_new(&literals, &err) == -1 ||
	    match_index_new(papers, n, BENCH_NOW, &weights, literals, &index, &err) == -1)
		bench_die(err.msg);
	start = bench_now_s();
	if (match_compile(literals, q, &program, &err) == -1 ||
	    match_evaluate(index, program, NULL, bits, &err) == -1)
		bench_die(err.msg);
	start = bench_now_s() - start;
	*found = 0;
	for (size_t i = 0; i < (n + 63) / 64; i++)
		*found += (size_t)__builtin_popcountll(bits[i]);
	match_program_free(program);
	match_index_free(index);
	match_literals_free(literals);
	return start;
}

/* Seconds to mark what a query of groups found in one abstract of so many bytes, which is nothing but these words. */
static double
mark(size_t nbytes)
{
	static const struct match_weights weights = { 1, 1, 1, 1 };
	struct match_literals *literals;
	struct match_index *index;
	struct program *program;
	struct match_span *spans;
	struct strbuf text, words;
	struct paper *p;
	struct query *q;
	struct error err;
	struct arena a;
	double start;
	size_t n;

	arena_init(&a, 1 << 28);
	strbuf_init(&text, 1 << 16);
	strbuf_init(&words, 1 << 16);
	for (unsigned i = 0; i < MAX_QUERY_DISTANCE; i++)
		strbuf_addf(&text, "\"a b\"~%u OR ", i);
	strbuf_add(&text, "x");
	while (words.len < nbytes)
		strbuf_add(&words, "a b ");
	p = paper_new(&a);
	p->abstract = words.buf;
	if (match_literals_new(&literals, &err) == -1 ||
	    query_parse(text.buf, text.len, &a, &q, NULL, &err) == -1 ||
	    match_compile(literals, q, &program, &err) == -1 ||
	    match_index_new(&p, 1, BENCH_NOW, &weights, literals, &index, &err) == -1)
		bench_die(err.msg);
	start = bench_now_s();
	if (match_find_spans(index, program, 0, FIELD_ABSTRACT, &a, &spans, &n, &err) == -1)
		bench_die(err.msg);
	start = bench_now_s() - start;
	match_index_free(index);
	match_program_free(program);
	match_literals_free(literals);
	strbuf_release(&words);
	strbuf_release(&text);
	arena_release(&a);
	return start;
}

/* A filter of the kind people write, each another one. */
static void
add_filter(struct strbuf *out, size_t i)
{
	static const char *const forms[] = { "1 OR \"2 3\"", "(1 OR 2) -3 cat:cs votes>=5",
		"title:(1 OR 2) age<7d", "\"1 2\"~8", "1* 2 -\"2 3\"", "author:\"1 2\" OR =3" };
	struct bench_random r = { i + 7 };
	unsigned words[3];

	for (size_t k = 0; k < 3; k++)
		words[k] = bench_zipf(&r, 50, 10000);
	for (const char *p = forms[i % (sizeof(forms) / sizeof(forms[0]))]; *p != '\0'; p++) {
		if (*p >= '1' && *p <= '3')
			bench_add_word(out, words[*p - '1']);
		else
			strbuf_addc(out, *p);
	}
}

/* All of them as one reader has them: read, compiled and evaluated over a new index. */
static double
run_filters(struct paper **papers, size_t n)
{
	static const struct match_weights weights = { 1, 1, 1, 1 };
	struct match_literals *literals;
	struct match_index *index;
	uint64_t bits[FEW / 64 + 1];
	double start = bench_now_s();
	struct strbuf text;
	struct error err;
	struct arena a;

	arena_init(&a, 1 << 20);
	strbuf_init(&text, 1 << 12);
	if (match_literals_new(&literals, &err) == -1 ||
	    match_index_new(papers, n, BENCH_NOW, &weights, literals, &index, &err) == -1)
		bench_die(err.msg);
	for (size_t i = 0; i < NFILTERS; i++) {
		struct program *program;
		struct query *q;

		arena_reset(&a);
		strbuf_reset(&text);
		add_filter(&text, i);
		if (query_parse(text.buf, text.len, &a, &q, NULL, &err) == -1 ||
		    match_compile(literals, q, &program, &err) == -1 ||
		    match_evaluate(index, program, NULL, bits, &err) == -1)
			bench_die(err.msg);
		match_program_free(program);
	}
	match_index_free(index);
	match_literals_free(literals);
	strbuf_release(&text);
	arena_release(&a);
	return bench_now_s() - start;
}

static double
least(double x, double y)
{
	return x < y ? x : y;
}

int
main(int argc, char **argv)
{
	struct paper **papers;
	struct arena a;
	double few, many;

	arena_init(&a, 1u << 31);
	if ((papers = bench_papers(&a, MANY)) == NULL)
		bench_die("no memory");
	for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
		struct query *q = read_query(&a, i);
		size_t found;

		if (argc > 1 && strstr(queries[i].name, argv[1]) == NULL)
			continue;
		few = least(ask(papers, FEW, q, &found), ask(papers, FEW, q, &found));
		many = ask(papers, MANY, q, &found);
		if (many < 0.1)
			many = least(many, ask(papers, MANY, q, &found));
		bench_row(queries[i].name, "s", many, 4 * few,
		    "4 times the same over a quarter of 20,000 papers");
		if (many > 10 * few && many > 0.1)
			bench_die("a query takes more than linear time");
	}
	few = mark(MAX_ABSTRACT_BYTES / 4);
	many = mark(MAX_ABSTRACT_BYTES);
	bench_row("1,000 groups marked in 16 KB", "s", many, 4 * few,
	    "4 times the same in a quarter of it");
	if (many > 10 * few)
		bench_die("marking takes more than linear time");
	few = run_filters(papers, FEW / 4);
	many = run_filters(papers, FEW);
	bench_row("10,000 filters over 5,000 papers", "s", many, 10, "the bar");
	bench_row("the same", "s", many, 4 * few, "4 times the same over a quarter of the papers");
	if (many > 10)
		bench_die("10,000 filters take longer than 10 seconds");
	arena_release(&a);
	return 0;
}
