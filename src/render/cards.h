/* cards.h - the cards of a run, each drawn once: kept for all readers and threads, up to a bound. */
#ifndef DIGEST_RENDER_CARDS_H
#define DIGEST_RENDER_CARDS_H

#include <stdint.h>

#include "digest/error.h"
#include "render/card.h"

/* What a card depends on. */
enum { CARD_PARTS = 3, CARD_SIZES = 3 };
struct card_key {
	int64_t paper; /* in the store, > 0 */
	uint32_t revision;
	uint16_t part, size; /* < CARD_PARTS, < CARD_SIZES */
	const void *words;   /* of the language */
};

struct cards;

/* max_bytes: of all cards together */
int cards_new(size_t max_bytes, struct cards **out, struct error *err);
void cards_free(struct cards *cards);

/* NULL = not there. By any thread at any time. */
const struct card *cards_find(const struct cards *cards, const struct card_key *key);

/* Keep a copy. Returns the one that is kept, or NULL when there is no room: then card itself must do. By any thread. */
const struct card *cards_add(
    struct cards *cards, const struct card_key *key, const struct card *card);

/* Forget all when there was no room. Only while nobody holds a card. */
void cards_trim(struct cards *cards);

#endif
