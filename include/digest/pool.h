/* pool.h - threads that share out the items of an array. Work goes from the front to the back, so that what is done first is
 * what is needed first. */
#ifndef DIGEST_POOL_H
#define DIGEST_POOL_H

#include <stdbool.h>
#include <stddef.h>

#include "digest/error.h"

struct pool;

/* How many processors this process may use, at most MAX_POOL_THREADS. */
size_t	pool_processors(void);

/*
 * nthreads	1..MAX_POOL_THREADS, the caller's own included; fewer when the system gives no more
 * Signals are left to the threads there were before.
 */
int	pool_new(size_t nthreads, struct pool **out, struct error *err);
void	pool_free(struct pool *pool);
size_t	pool_size(const struct pool *pool);

/*
 * Have work called for each item 0 .. n - 1 by the other threads, while the caller does something else; one such round at a
 * time. What it reads that others write is its own affair.
 * worker	0 .. pool_size() - 1, 0 only within pool_join(); no two calls of one worker at a time
 */
void	pool_start(struct pool *pool, size_t n, void (*work)(void *arg, size_t item, size_t worker), void *arg);
/* Whether all is done; pool_join() returns at once then. */
bool	pool_is_done(struct pool *pool);
/* Help with what is left of it, and return when all is done. */
void	pool_join(struct pool *pool);

#endif
