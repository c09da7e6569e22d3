/* known.h - a paper as it is known while something is put to it, and two that turn out to be one. */
#ifndef DIGEST_STORE_KNOWN_H
#define DIGEST_STORE_KNOWN_H

#include "store/db.h"
#include "store/merge.h"

struct known {
	int64_t id;
	struct paper *paper;		/* its newest card */
	struct origins from;
	int64_t revision, first_listed_utc;
	const unsigned char *card;	/* paper, packed; NULL = a new paper */
	size_t card_len;
	const unsigned char *packed_origins;
	size_t origins_len;
};

/* A paper that is not in the store, with the next number. */
int	known_new(struct store *store, struct arena *a, struct known *k, struct error *err);
int	known_load(struct store *store, int64_t id, struct arena *a, struct known *k, struct error *err);

/* What hangs on the paper drop, which is younger, goes to keep. Its snapshots stay under its number, because editions refer to
 * them. keep itself is written by the caller. */
int	known_unite(struct store *store, struct known *keep, int64_t drop, struct arena *a, struct error *err);

/* Take signals (MERGE_VOTES ...) out of a paper's history. */
int	known_forget_signals(struct store *store, int64_t id, unsigned which, struct error *err);

#endif
