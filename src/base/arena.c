#include "digest/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 64 * 1024 };

struct arena_block {
	struct arena_block *next;
	size_t size, used;
	alignas(max_align_t) unsigned char bytes[];
};

void
arena_init(struct arena *a, size_t max_bytes)
{
	memset(a, 0, sizeof(*a));
	a->max_bytes = max_bytes;
}

void
arena_release(struct arena *a)
{
	while (a->blocks != NULL) {
		struct arena_block *next = a->blocks->next;

		free(a->blocks);
		a->blocks = next;
	}
	a->used_bytes = 0;
}

void
arena_reset(struct arena *a)
{
	struct arena_block *keep = a->blocks;

	a->failed = false;
	if (keep == NULL)
		return;
	/* The oldest block has the usual size; larger ones were made for one object. */
	while (keep->next != NULL) {
		struct arena_block *next = keep->next;

		a->used_bytes -= keep->size;
		free(keep);
		keep = next;
	}
	keep->used = 0;
	a->blocks = keep;
}

static struct arena_block *
add_block(struct arena *a, size_t size)
{
	size_t bytes = size > BLOCK_BYTES ? size : BLOCK_BYTES;
	struct arena_block *b;

	if (bytes > a->max_bytes - a->used_bytes)
		bytes = size;
	if (bytes > a->max_bytes - a->used_bytes ||
	    (b = malloc(offsetof(struct arena_block, bytes) + bytes)) == NULL)
		return NULL;
	b->size = bytes;
	b->used = 0;
	b->next = a->blocks;
	a->blocks = b;
	a->used_bytes += bytes;
	return b;
}

void *
arena_alloc(struct arena *a, size_t size)
{
	size_t room = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	struct arena_block *b = a->blocks;
	void *p;

	if (b == NULL || room < size || room > b->size - b->used)
		b = room < size ? NULL : add_block(a, room);
	if (b == NULL) {
		a->failed = true;
		return NULL;
	}
	p = b->bytes + b->used;
	b->used += room;
	return p;
}

void *
arena_zalloc(struct arena *a, size_t size)
{
	void *p = arena_alloc(a, size);

	if (p != NULL)
		memset(p, 0, size);
	return p;
}

void *
arena_array(struct arena *a, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		return NULL;
	return arena_zalloc(a, bytes);
}

void *
arena_grow(struct arena *a, const void *items, size_t len, size_t *alloc, size_t size)
{
	size_t n = *alloc < 8 ? 8 : *alloc * 2;
	void *more;

	if (len < *alloc)
		return (void *)(uintptr_t)items;
	more = arena_array(a, n, size);
	if (more == NULL)
		return NULL;
	if (len > 0)
		memcpy(more, items, len * size);
	*alloc = n;
	return more;
}

char *
arena_strndup(struct arena *a, const char *text, size_t len)
{
	char *copy = len < SIZE_MAX ? arena_alloc(a, len + 1) : NULL;

	if (copy != NULL) {
		memcpy(copy, text, len);
		copy[len] = '\0';
	}
	return copy;
}

char *
arena_strdup(struct arena *a, const char *text)
{
	return arena_strndup(a, text, strlen(text));
}

char *
arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap, again;
	char *text = NULL;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	if (n >= 0 && (text = arena_alloc(a, (size_t)n + 1)) != NULL)
		vsnprintf(text, (size_t)n + 1, fmt, again);
	va_end(again);
	va_end(ap);
	return text;
}
