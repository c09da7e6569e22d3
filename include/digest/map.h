/* map.h - a hash table from bytes to a number. Keys are borrowed and must outlive the map. The hash is
 * keyed per map by random bytes, so that nobody can choose keys that collide; nothing may depend on an
 * order, therefore there is no way to walk it. */
#ifndef DIGEST_MAP_H
#define DIGEST_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map_slot;

struct map {
	struct map_slot *slots;
	size_t nslots;		/* a power of two, or 0 */
	size_t len;		/* how many keys it holds */
	uint64_t seed;
};

void	map_init(struct map *m);
void	map_release(struct map *m);
bool	map_get(const struct map *m, const void *key, size_t len, uint64_t *value);
/* Add or replace. -1 when memory is short; the map is then as before. */
int	map_set(struct map *m, const void *key, size_t len, uint64_t value);

#endif
