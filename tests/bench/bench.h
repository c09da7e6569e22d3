/* bench.h - what the benchmark programs share: a clock, medians, and papers and filters that are the same on every
 * machine. Words are drawn by Zipf's law from a made-up language that no English rule changes. */
#ifndef DIGEST_BENCH_H
#define DIGEST_BENCH_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "digest/arena.h"
#include "digest/paper.h"
#include "digest/strbuf.h"

enum { BENCH_WORDS = 20000, BENCH_ROUNDS = 3, BENCH_NOW = 1790000000 };

struct bench_random {
	uint64_t state;
};

static inline uint64_t
bench_next(struct bench_random *r)
{
	uint64_t x = r->state += 0x9E3779B97F4A7C15u;

	x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
	x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
	return x ^ (x >> 31);
}

/* The number of a word between low and high: the n-th is n times as rare as the first. */
static inline unsigned
bench_zipf(struct bench_random *r, double low, double high)
{
	double u = (double)(bench_next(r) >> 11) / 9007199254740992.0;

	return (unsigned)(low * pow(high / low, u));
}

/* Three or four syllables, each a digit to the base 40. */
static inline void
bench_add_word(struct strbuf *out, unsigned n)
{
	static const char consonants[] = "bdfgklmnpt", vowels[] = "aoui";

	n = n * 7919 % BENCH_WORDS + 1600; /* neighbours in frequency look different */
	for (; n > 0; n /= 40) {
		strbuf_addc(out, consonants[n % 40 / 4]);
		strbuf_addc(out, vowels[n % 4]);
	}
}

/* A filter of one of five forms, as we write it or as FTS5 does; they differ in how they say NOT. */
static inline void
bench_add_filter(struct strbuf *out, struct bench_random *r, unsigned form, bool fts)
{
	static const char *const forms[] = { "1 OR 2 OR 3", "1 AND 2", "\"1 2\" OR 3", "1 !2",
		"(1 OR 2) AND 3" };
	unsigned words[3];

	for (size_t k = 0; k < 3; k++)
		words[k] = bench_zipf(r, 50, 10000);
	for (const char *p = forms[form % 5]; *p != '\0'; p++) {
		if (*p >= '1' && *p <= '3')
			bench_add_word(out, words[*p - '1']);
		else if (*p == '!')
			strbuf_add(out, fts ? "NOT " : "AND NOT ");
		else
			strbuf_addc(out, *p);
	}
}

static inline const char *
bench_text(struct arena *a, struct bench_random *r, int nwords)
{
	struct strbuf text;
	const char *copy;

	strbuf_init(&text, 1 << 20);
	for (int i = 0; i < nwords; i++) {
		if (i > 0)
			strbuf_add(&text, i % 18 == 0 ? ". The " : i % 12 == 0 ? "\n" : " ");
		bench_add_word(&text, bench_zipf(r, 1, BENCH_WORDS));
	}
	copy = arena_strdup(a, text.buf);
	strbuf_release(&text);
	return copy;
}

static inline struct paper **
bench_papers(struct arena *a, size_t n)
{
	struct bench_random r = { 1 };
	struct paper **papers = arena_array(a, n, sizeof(struct paper *));

	for (size_t i = 0; papers != NULL && i < n; i++) {
		struct paper *p = papers[i] = paper_new(a);

		if (p == NULL)
			return NULL;
		p->id = (int64_t)i + 1;
		p->key = arena_printf(a, "arxiv:%zu.%05zu", 2603 + i / 99999, i % 99999);
		p->title = bench_text(a, &r, 10);
		p->abstract = bench_text(a, &r, 180);
		p->authors = arena_array(a, 1, sizeof(char *));
		p->authors[p->nauthors++] = bench_text(a, &r, 2);
		p->url = arena_printf(a, "https://arxiv.org/abs/%s", p->key + 6);
		p->source = "bench";
		p->listed_day = BENCH_NOW / 86400 - 1;
		p->votes = (int64_t)(bench_next(&r) % 100);
		p->published_utc = BENCH_NOW - (int64_t)(bench_next(&r) % 86400);
	}
	return papers;
}

static inline double
bench_now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static inline double
bench_median(const double t[BENCH_ROUNDS])
{
	double low = fmin(t[0], t[1]), high = fmax(t[0], t[1]);

	return fmax(low, fmin(high, t[2]));
}

static inline void
bench_die(const char *what)
{
	fprintf(stderr, "bench: %s\n", what);
	exit(1);
}

/* A row of the table: what, ours, the peer, and how many times the peer's time ours is. */
static inline void
bench_row(const char *what, const char *unit, double ours, double peer, const char *peer_name)
{
	printf("| %s | %.4g %s | %.4g %s | %s | %.2f |\n", what, ours, unit, peer, unit, peer_name,
	    ours / peer);
}

#endif
