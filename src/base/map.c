#include "digest/map.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct map_slot {
	const void *key; /* NULL when free */
	size_t len;
	uint64_t hash;
	uint64_t value;
};

void
map_init(struct map *m)
{
	memset(m, 0, sizeof(*m));
	if (getrandom(&m->seed, sizeof(m->seed), GRND_NONBLOCK) != (ssize_t)sizeof(m->seed))
		m->seed = (uint64_t)(uintptr_t)m * 0x9e3779b97f4a7c15u;
}

void
map_release(struct map *m)
{
	free(m->slots);
	m->slots = NULL;
	m->nslots = m->len = 0;
}

/* Multiply and fold eight bytes at a time, keyed at both ends (the shape of wyhash). */
static uint64_t
mix(uint64_t a, uint64_t b)
{
	__extension__ unsigned __int128 p = (unsigned __int128)a * b;

	return (uint64_t)p ^ (uint64_t)(p >> 64);
}

static uint64_t
hash_bytes(uint64_t seed, const unsigned char *p, size_t len)
{
	uint64_t h = seed ^ mix(len ^ 0xa0761d6478bd642fu, seed ^ 0xe7037ed1a0b428dbu);

	for (; len >= 8; p += 8, len -= 8) {
		uint64_t w;

		memcpy(&w, p, 8);
		h = mix(h ^ w, seed ^ 0x8ebc6af09c88c6e3u);
	}
	if (len > 0) {
		uint64_t w = 0;

		memcpy(&w, p, len);
		h = mix(h ^ w, seed ^ 0x589965cc75374cc3u);
	}
	return mix(h, 0x1d8e4e27c47d124fu ^ seed);
}

static struct map_slot *
find_slot(struct map_slot *slots, size_t nslots, const void *key, size_t len, uint64_t hash)
{
	for (size_t i = (size_t)hash & (nslots - 1);; i = (i + 1) & (nslots - 1)) {
		struct map_slot *s = &slots[i];

		if (s->key == NULL ||
		    (s->hash == hash && s->len == len && memcmp(s->key, key, len) == 0))
			return s;
	}
}

bool
map_get(const struct map *m, const void *key, size_t len, uint64_t *value)
{
	struct map_slot *s;

	if (m->len == 0)
		return false;
	s = find_slot(m->slots, m->nslots, key, len, hash_bytes(m->seed, key, len));
	if (s->key == NULL)
		return false;
	*value = s->value;
	return true;
}

static int
grow(struct map *m)
{
	size_t nslots = m->nslots == 0 ? 16 : m->nslots * 2;
	struct map_slot *slots = calloc(nslots, sizeof(*slots));

	if (slots == NULL)
		return -1;
	for (size_t i = 0; i < m->nslots; i++) {
		const struct map_slot *s = &m->slots[i];

		if (s->key != NULL)
			*find_slot(slots, nslots, s->key, s->len, s->hash) = *s;
	}
	free(m->slots);
	m->slots = slots;
	m->nslots = nslots;
	return 0;
}

int
map_set(struct map *m, const void *key, size_t len, uint64_t value)
{
	uint64_t hash = hash_bytes(m->seed, key, len);
	struct map_slot *s;

	if (m->len * 4 >= m->nslots * 3 && grow(m) == -1)
		return -1;
	s = find_slot(m->slots, m->nslots, key, len, hash);
	if (s->key == NULL) {
		s->key = key;
		s->len = len;
		s->hash = hash;
		m->len++;
	}
	s->value = value;
	return 0;
}
