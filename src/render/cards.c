#include "render/cards.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { NSLOTS = 1 << 16, MAX_CARDS = NSLOTS / 2 };

struct slot {
	struct card_key key;		 /* set before the card is */
	const struct card *_Atomic card; /* NULL = free */
};

/* Cards are only ever added, so that finding one needs no lock. */
struct cards {
	struct slot slots[NSLOTS];
	pthread_mutex_t lock; /* for what follows, and to fill a slot */
	struct arena arena;
	size_t n;
	bool full;
};

int
cards_new(size_t max_bytes, struct cards **out, struct error *err)
{
	struct cards *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return err_nomem(err, "cards");
	pthread_mutex_init(&c->lock, NULL);
	arena_init(&c->arena, max_bytes);
	*out = c;
	return 0;
}

void
cards_free(struct cards *cards)
{
	if (cards == NULL)
		return;
	arena_release(&cards->arena);
	pthread_mutex_destroy(&cards->lock);
	free(cards);
}

static bool
is_equal(const struct card_key *a, const struct card_key *b)
{
	return a->paper == b->paper && a->revision == b->revision && a->part == b->part &&
	    a->size == b->size && a->words == b->words;
}

/* Where a key is looked for first; the slots behind it follow. */
static size_t
first_slot(const struct card_key *key)
{
	uint64_t h = (uint64_t)key->paper * 8 + key->part * 4u + key->size;

	h = (h ^ (uint64_t)key->revision << 40 ^ (uintptr_t)key->words) * 0x9e3779b97f4a7c15u;
	return (size_t)(h >> 48) & (NSLOTS - 1);
}

const struct card *
cards_find(const struct cards *cards, const struct card_key *key)
{
	size_t i = first_slot(key);
	const struct card *card;

	while ((card = atomic_load_explicit(&cards->slots[i].card, memory_order_acquire)) != NULL) {
		if (is_equal(&cards->slots[i].key, key))
			return card;
		i = (i + 1) & (NSLOTS - 1);
	}
	return NULL;
}

static const struct card *
add(struct cards *cards, const struct card_key *key, const struct card *card)
{
	const struct card *copy = cards->n < MAX_CARDS ? card_copy(&cards->arena, card) : NULL;
	size_t i = first_slot(key);

	if (copy == NULL) {
		cards->full = true;
		return NULL;
	}
	while (atomic_load_explicit(&cards->slots[i].card, memory_order_relaxed) != NULL)
		i = (i + 1) & (NSLOTS - 1);
	cards->slots[i].key = *key;
	atomic_store_explicit(&cards->slots[i].card, copy, memory_order_release);
	cards->n++;
	return copy;
}

const struct card *
cards_add(struct cards *cards, const struct card_key *key, const struct card *card)
{
	const struct card *kept;

	pthread_mutex_lock(&cards->lock);
	kept = cards_find(cards, key); /* another thread may have drawn it meanwhile */
	if (kept == NULL && !cards->full)
		kept = add(cards, key, card);
	pthread_mutex_unlock(&cards->lock);
	return kept;
}

void
cards_trim(struct cards *cards)
{
	if (!cards->full)
		return;
	for (size_t i = 0; i < NSLOTS; i++)
		atomic_store_explicit(&cards->slots[i].card, NULL, memory_order_relaxed);
	arena_reset(&cards->arena);
	cards->n = 0;
	cards->full = false;
}
