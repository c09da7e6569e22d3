/* arena.h - memory that is freed together. Objects are never freed one by one and never point into an
 * arena that lives shorter than theirs. A run has one; the scratch of one reader another, reset after
 * each mail, so that memory stays flat for 10 or 10,000,000 readers. */
#ifndef DIGEST_ARENA_H
#define DIGEST_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena_block;

struct arena {
	struct arena_block *blocks;	/* newest first */
	size_t max_bytes;		/* upper bound of all blocks together */
	size_t used_bytes;		/* of all blocks */
	bool failed;			/* something had no room since the last reset */
};

void	arena_init(struct arena *a, size_t max_bytes);
void	arena_release(struct arena *a);
/* Forget all objects but keep the first block's memory for the next round. */
void	arena_reset(struct arena *a);

/* All return NULL when memory is short or the bound is reached; sizes may be 0. Aligned for any object. */
void	*arena_alloc(struct arena *a, size_t size);
void	*arena_zalloc(struct arena *a, size_t size);
/* n objects of size bytes, zeroed; NULL also when n * size overflows. */
void	*arena_array(struct arena *a, size_t n, size_t size);
/* An array of len objects, none at first, with room for one more: items itself or a larger copy, whose size is in *alloc then. */
void	*arena_grow(struct arena *a, const void *items, size_t len, size_t *alloc, size_t size);
char	*arena_strdup(struct arena *a, const char *text);
char	*arena_strndup(struct arena *a, const char *text, size_t len);
char	*arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
