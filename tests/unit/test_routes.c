/* Which smtp block mails a reader. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "run/routes.h"

#include <string.h>

enum { MAX_BLOCKS = 4 };

static const struct {
	const char *domains[MAX_BLOCKS][4]; /* of each block */
	const char *address;
	int want;
} rows[] = {
	{ { { "*" } }, "a@x.org", 0 },
	{ { { "x.org" }, { "*" } }, "a@x.org", 0 },
	{ { { "*" }, { "x.org" } }, "a@x.org", 1 },
	{ { { "*" }, { "x.org" } }, "a@y.org", 0 },
	{ { { "*" }, { "x.org" } }, "a@sub.x.org", 0 },
	{ { { "*" }, { "*.x.org" } }, "a@sub.x.org", 1 },
	{ { { "*" }, { "*.x.org" } }, "a@deep.sub.x.org", 1 },
	{ { { "*" }, { "*.x.org" } }, "a@x.org", 0 },
	{ { { "*" }, { "*.x.org" } }, "a@notx.org", 0 },
	{ { { "*.org" }, { "*.x.org" }, { "sub.x.org" } }, "a@sub.x.org", 2 },
	{ { { "*.org" }, { "*.x.org" }, { "sub.x.org" } }, "a@sup.x.org", 1 },
	{ { { "*.org" }, { "*.x.org" }, { "sub.x.org" } }, "a@x.org", 0 },
	{ { { "*.x.org" }, { "*.org" }, { "*" } }, "a@x.com", 2 },
	{ { { "*" }, { "*" } }, "a@x.org", 0 },
	{ { { "x.org" }, { "x.org", "y.org" } }, "a@x.org", 0 },
	{ { { "x.org" }, { "x.org", "y.org" } }, "a@y.org", 1 },
	{ { { "x.org" }, { "y.org" } }, "a@z.org", -1 },
	{ { { "x.org" } }, "a@sub.x.org", -1 },
	{ { { "*" }, { "x.org" } }, "\"a@b\"@x.org", 1 },
	{ { { "localhost" } }, "a@localhost", 0 },
	{ { { "*" } }, "nobody", -1 },
};

static void
test_routes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct config_smtp smtps[MAX_BLOCKS] = { 0 };
		struct config cfg = { .smtps = smtps };
		struct routes r;
		struct error err;
		int got;

		for (size_t k = 0; k < MAX_BLOCKS && rows[i].domains[k][0] != NULL; k++) {
			smtps[k].domains = (const char **)rows[i].domains[k];
			while (smtps[k].ndomains < 4 && smtps[k].domains[smtps[k].ndomains] != NULL)
				smtps[k].ndomains++;
			cfg.nsmtps++;
		}
		assert_int_equal(routes_init(&r, &cfg, &err), 0);
		got = routes_find(&r, rows[i].address);
		routes_release(&r);
		if (got != rows[i].want)
			fail_msg("row %zu: %s goes by %d", i, rows[i].address, got);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_routes) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
