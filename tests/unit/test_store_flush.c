#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store_test.h"

static void
commit(struct fixture *fx, const char *name)
{
	must(fx, store_begin(fx->store, &fx->err));
	must(fx,
	    store_end(fx->store, store_set_note(fx->store, name, "x", &fx->err), false, &fx->err));
}

/* What is committed while a sync is on its way is not lost, and the next start waits for the first. */
static void
test_rounds(void **state)
{
	struct fixture *fx = *state;
	const char *note;
	char name[20];

	must(fx, store_flush_wait(fx->store, &fx->err)); /* for nothing */
	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "note %d", i);
		commit(fx, name);
		must(fx, store_flush_start(fx->store, &fx->err));
		if (i % 3 == 0)
			must(fx, store_flush_wait(fx->store, &fx->err));
	}
	commit(fx, "last");
	must(fx, store_flush_start(fx->store, &fx->err));
	store_close(fx->store); /* on the way */
	must(fx, store_open(fx->path, STORE_WRITE, NULL, &fx->store, &fx->err));
	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "note %d", i);
		must(fx, store_get_note(fx->store, name, &fx->a, &note, &fx->err));
		assert_string_equal(note, "x");
	}
	must(fx, store_get_note(fx->store, "last", &fx->a, &note, &fx->err));
	assert_string_equal(note, "x");
}

/* Where nothing is written there is nothing to sync. */
static void
test_read_only(void **state)
{
	static const enum store_mode modes[] = { STORE_READ, STORE_OVERLAY };
	struct fixture *fx = *state;

	commit(fx, "one");
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		struct store *other;

		must(fx, store_open(fx->path, modes[i], NULL, &other, &fx->err));
		must(fx, store_flush_start(other, &fx->err));
		must(fx, store_flush_wait(other, &fx->err));
		store_close(other);
	}
}

/* A sync that cannot be made: nothing is written after it, because nobody knows what the disk has. */
static void
test_failure(void **state)
{
	struct fixture *fx = *state;
	char log[160];

	commit(fx, "one");
	snprintf(log, sizeof(log), "%s-wal", fx->path);
	assert_int_equal(unlink(log), 0);
	assert_int_equal(store_flush_start(fx->store, &fx->err), -1);
	assert_int_equal(fx->err.kind, ERR_IO);
	assert_non_null(strstr(fx->err.msg, "the disk failed"));
	err_clear(&fx->err);
	assert_int_equal(store_begin(fx->store, &fx->err), -1);
	assert_non_null(strstr(fx->err.msg, "nothing more is written"));
}

#define T(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_rounds),
		T(test_read_only),
		T(test_failure),
	};

	return cmocka_run_group_tests_name("store_flush", tests, NULL, NULL);
}
