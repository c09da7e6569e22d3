#include "render/cards.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { NSLOTS = 1 << 15, MAX_PAPERS = NSLOTS / 2 };

/* All cards of a paper: a mail takes one for each of its parts. */
struct slot {
	_Atomic bool used; /* set after what follows */
	uint32_t revision;
	int64_t paper;
	const void *words;
	const struct card *_Atomic cards[CARD_PARTS][CARD_SIZES]; /* NULL = not drawn */
};

/* Cards are only ever added, so that finding one needs no lock. */
struct cards {
	struct slot slots[NSLOTS];
	pthread_mutex_t lock; /* for what follows, and to fill a slot */
	struct arena arena;
	size_t npapers;
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
is_of(const struct slot *slot, const struct card_key *key)
{
	return slot->paper == key->paper && slot->revision == key->revision &&
	    slot->words == key->words;
}

/* The slot of a paper, or the free one where it would be. */
static size_t
find_slot(const struct cards *cards, const struct card_key *key)
{
	uint64_t h = (uint64_t)key->paper ^ (uint64_t)key->revision << 40 ^ (uintptr_t)key->words;
	size_t i = (size_t)(h * 0x9e3779b97f4a7c15u >> 48) & (NSLOTS - 1);

	while (atomic_load_explicit(&cards->slots[i].used, memory_order_acquire) &&
	    !is_of(&cards->slots[i], key))
		i = (i + 1) & (NSLOTS - 1);
	return i;
}

const struct card *
cards_find(const struct cards *cards, const struct card_key *key)
{
	const struct slot *slot = &cards->slots[find_slot(cards, key)];

	/* Of a free one all are NULL. */
	return atomic_load_explicit(&slot->cards[key->part][key->size], memory_order_acquire);
}

static const struct card *
add(struct cards *cards, const struct card_key *key, const struct card *card)
{
	struct slot *slot = &cards->slots[find_slot(cards, key)];
	const struct card *copy =
	    slot->used || cards->npapers < MAX_PAPERS ? card_copy(&cards->arena, card) : NULL;

	if (copy == NULL) {
		cards->full = true;
		return NULL;
	}
	if (!slot->used) {
		slot->paper = key->paper;
		slot->revision = key->revision;
		slot->words = key->words;
		atomic_store_explicit(&slot->used, true, memory_order_release);
		cards->npapers++;
	}
	atomic_store_explicit(&slot->cards[key->part][key->size], copy, memory_order_release);
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
	memset(cards->slots, 0, sizeof(cards->slots));
	arena_reset(&cards->arena);
	cards->npapers = 0;
	cards->full = false;
}
