/* timed.c - linked into build/bench/digest-timed, which is digest with a watch on its accounting: every transaction in which an
 * edition is leased, goes into intent or is settled is timed from its begin to the end of its commit, sync included. At the
 * end "lease intend settle", in seconds, are written to the file $DIGEST_TIMES. The linker puts these functions before the
 * store's (--wrap), so the code that is measured is the code that is shipped. */
#include "digest/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum kind { OTHER, LEASE, INTEND, SETTLE, NKINDS };

/* The store is used by one thread at a time. */
static struct {
	double began_s, spent_s[NKINDS];
	enum kind kind;
} watch;

static double
now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

#define WRAP(name, params, args, what)     \
	int __real_##name params;          \
	int __wrap_##name params;          \
	int __wrap_##name params           \
	{                                  \
		watch.kind = (what);       \
		return __real_##name args; \
	}

WRAP(store_lease_editions,
    (struct store * s, struct edition *e, size_t n, int64_t now_utc, struct error *err),
    (s, e, n, now_utc, err), LEASE)
WRAP(store_rehash_edition,
    (struct store * s, int64_t period, int64_t reader, const unsigned char hash[16],
	int64_t composed_utc, struct error *err),
    (s, period, reader, hash, composed_utc, err), LEASE)
WRAP(store_intend_edition, (struct store * s, int64_t period, int64_t reader, struct error *err),
    (s, period, reader, err), INTEND)
WRAP(store_settle_edition,
    (struct store * s, int64_t period, int64_t reader, enum edition_state state, const char *reply,
	int64_t now_utc, int64_t next_utc, struct error *err),
    (s, period, reader, state, reply, now_utc, next_utc, err), SETTLE)

int __real_store_begin(struct store *s, struct error *err);
int __wrap_store_begin(struct store *s, struct error *err);
int __real_store_end(struct store *s, int rc, bool durable, struct error *err);
int __wrap_store_end(struct store *s, int rc, bool durable, struct error *err);

int
__wrap_store_begin(struct store *s, struct error *err)
{
	watch.began_s = now_s();
	watch.kind = OTHER;
	return __real_store_begin(s, err);
}

int
__wrap_store_end(struct store *s, int rc, bool durable, struct error *err)
{
	int ended = __real_store_end(s, rc, durable, err);

	watch.spent_s[watch.kind] += now_s() - watch.began_s;
	return ended;
}

__attribute__((destructor)) static void
tell(void)
{
	const char *path = getenv("DIGEST_TIMES");
	FILE *f = path != NULL ? fopen(path, "w") : NULL;

	if (f == NULL)
		return;
	fprintf(f, "%.6f %.6f %.6f\n", watch.spent_s[LEASE], watch.spent_s[INTEND],
	    watch.spent_s[SETTLE]);
	fclose(f);
}
