#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "digest/limits.h"
#include "digest/pool.h"

#include <stdatomic.h>
#include <stdbool.h>

enum { ITEMS = 10000 };

struct count {
	unsigned char done[ITEMS];
	atomic_size_t by[MAX_POOL_THREADS];
	atomic_bool inside[MAX_POOL_THREADS];
	atomic_size_t nbad;
};

static void
count_item(void *arg, size_t item, size_t worker)
{
	struct count *c = arg;

	if (atomic_exchange(&c->inside[worker], true))
		atomic_fetch_add(&c->nbad, 1);
	c->done[item]++;
	atomic_fetch_add(&c->by[worker], 1);
	atomic_store(&c->inside[worker], false);
}

/* Every item once, whatever the number of threads; round after round. */
static void
test_every_item_once(void **state)
{
	static const size_t sizes[] = { 1, 2, 3, MAX_POOL_THREADS, 10 * MAX_POOL_THREADS };
	static const size_t rounds[] = { 0, 1, 2, 63, 64, ITEMS };
	static struct count c;

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct pool *pool;

		assert_int_equal(pool_new(sizes[i], &pool, NULL), 0);
		assert_true(pool_size(pool) >= 1 && pool_size(pool) <= MAX_POOL_THREADS);
		for (size_t k = 0; k < sizeof(rounds) / sizeof(rounds[0]); k++) {
			size_t sum = 0;

			memset(&c, 0, sizeof(c));
			pool_start(pool, rounds[k], count_item, &c);
			pool_join(pool);
			for (size_t w = 0; w < pool_size(pool); w++)
				sum += c.by[w];
			assert_int_equal(sum, rounds[k]);
			assert_int_equal(c.nbad, 0);
			for (size_t n = 0; n < ITEMS; n++)
				if (c.done[n] != (n < rounds[k]))
					fail_msg("%zu threads, %zu items: item %zu %d times",
					    sizes[i], rounds[k], n, c.done[n]);
		}
		pool_free(pool);
	}
}

static void
wait_for_go(void *arg, size_t item, size_t worker)
{
	(void)item, (void)worker;
	while (!atomic_load((atomic_bool *)arg))
		;
}

/* It is told from outside whether a round is done, and that changes nothing. */
static void
test_done(void **state)
{
	struct pool *pool;
	atomic_bool go = false;

	(void)state;
	assert_int_equal(pool_new(2, &pool, NULL), 0);
	assert_true(pool_is_done(pool));
	for (int round = 0; round < 100; round++) {
		atomic_store(&go, false);
		pool_start(pool, 3, wait_for_go, &go);
		assert_false(pool_is_done(pool));
		atomic_store(&go, true);
		while (pool_size(pool) > 1 && !pool_is_done(pool))
			;
		pool_join(pool);
		assert_true(pool_is_done(pool));
	}
	pool_free(pool);
}

static void
test_processors(void **state)
{
	(void)state;
	assert_true(pool_processors() >= 1 && pool_processors() <= MAX_POOL_THREADS);
	pool_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_item_once),
		cmocka_unit_test(test_done),
		cmocka_unit_test(test_processors),
	};

	return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
