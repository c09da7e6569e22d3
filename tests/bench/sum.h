/* sum.h - one line for many mails, whatever their order: how many, how many bytes, a hash of all their hashes. The sink says
 * what arrived, a bench program what it sent. */
#ifndef DIGEST_BENCH_SUM_H
#define DIGEST_BENCH_SUM_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

static inline int
sum_compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* mails: XXH3 of each; they are sorted. */
static inline void
sum_print(uint64_t *mails, size_t n, uint64_t nbytes)
{
	if (n > 0)
		qsort(mails, n, sizeof(*mails), sum_compare);
	printf("%zu %llu %016llx\n", n, (unsigned long long)nbytes,
	    (unsigned long long)XXH3_64bits(mails, n * sizeof(*mails)));
}

#endif
