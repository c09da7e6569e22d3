/* One allocation of SQLite's after the other fails, and the store goes on behind it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "store_test.h"

/* SQLite asks here: memory comes from where it came from before, but for one time. */
static sqlite3_mem_methods real;
static long countdown; /* allocations until the one that fails; 0 = none does */

static bool
is_short(void)
{
	return countdown > 0 && --countdown == 0;
}

static void *
take(int n)
{
	return is_short() ? NULL : real.xMalloc(n);
}

static void *
resize(void *p, int n)
{
	return is_short() ? NULL : real.xRealloc(p, n);
}

static int
read_window(struct fixture *fx)
{
	struct paper **papers;
	size_t n;

	return store_load_window(fx->store, 0, T_NOW, &fx->a, &papers, &n, &fx->err);
}

static int
write_nothing(struct fixture *fx)
{
	int rc = store_begin(fx->store, &fx->err);

	return rc == -1 ? -1 : store_end(fx->store, 0, false, &fx->err);
}

static const struct {
	const char *name;
	int (*work)(struct fixture *fx);
} works[] = {
	{ "a read of several statements", read_window },
	{ "a transaction", write_nothing },
};

static void
test_goes_on(void **state)
{
	struct fixture *fx = *state;
	struct paper *p = make_paper(fx, "2603.00001", T_TODAY);

	put_papers(fx, "demo", &p, 1, 0, T_NOW);
	for (size_t i = 0; i < sizeof(works) / sizeof(works[0]); i++) {
		long nfailed = 0;

		for (long at = 1; at < 10000; at++) {
			int rc;

			/* What is kept from one time to the next is allocated anew. */
			reopen(fx, STORE_WRITE);
			countdown = at;
			rc = works[i].work(fx);
			nfailed += rc == -1;
			if (countdown > 0)
				break;
			countdown = 0;
			if (write_nothing(fx) == -1)
				fail_msg("%s: behind allocation %ld: %s", works[i].name, at,
				    fx->err.msg);
		}
		countdown = 0;
		assert_true(nfailed > 5);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_goes_on, fixture_setup, fixture_teardown),
	};
	sqlite3_mem_methods ours;

	if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real) != SQLITE_OK)
		return 1;
	ours = real;
	ours.xMalloc = take;
	ours.xRealloc = resize;
	if (sqlite3_config(SQLITE_CONFIG_MALLOC, &ours) != SQLITE_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
