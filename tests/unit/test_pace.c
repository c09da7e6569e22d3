/* The pace towards each recipient domain: what answers do to it, with the time passed in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mail/pace.h"

#include <stdio.h>
#include <string.h>

/* Begin as many mails as may go. */
static unsigned
fill(struct pace *p, const char *mailbox, int64_t now_ms)
{
	const char *why;
	unsigned n = 0;

	while (n < 100 && pace_ask(p, mailbox, now_ms, &why) == PACE_GO) {
		pace_begin(p, mailbox);
		n++;
	}
	return n;
}

/* How many may be under way, when none is. */
static unsigned
measure(struct pace *p, const char *mailbox, int64_t now_ms)
{
	unsigned n = fill(p, mailbox, now_ms);

	for (unsigned i = 0; i < n; i++)
		pace_cancel(p, mailbox);
	return n;
}

static void
answer(struct pace *p, const char *mailbox, const char *reply, unsigned n, int64_t now_ms)
{
	for (unsigned i = 0; i < n; i++) {
		pace_begin(p, mailbox);
		pace_end(p, mailbox, reply, now_ms);
	}
}

#define OK "250 2.0.0 Ok"

static const struct {
	struct {
		const char *reply;
		unsigned n;
	} answers[4];
	unsigned most; /* under way afterwards; 0 = refused */
} rows[] = {
	{ { { NULL, 0 } }, 1 },
	{ { { OK, 19 } }, 1 },
	{ { { OK, 20 } }, 2 },
	{ { { OK, 59 } }, 3 },
	{ { { OK, 80 } }, 5 },
	{ { { OK, 1000 } }, 5 },
	{ { { OK, 80 }, { "421 4.3.2 closing", 1 } }, 2 },
	{ { { OK, 80 }, { "450 4.7.0 slow down", 2 } }, 1 },
	{ { { OK, 80 }, { "452 4.5.3 too many", 1 } }, 2 },
	{ { { OK, 80 }, { "450 4.4.5 congestion", 1 } }, 2 },
	{ { { OK, 80 }, { "451 4.7.1 greylisted", 9 } }, 5 },
	{ { { OK, 80 }, { "550 5.1.1 no such user", 30 } }, 5 },
	{ { { OK, 80 }, { "452 4.2.2 mailbox full", 30 } }, 5 },
	{ { { OK, 80 }, { "the connection was lost", 30 } }, 5 },
	{ { { OK, 80 }, { "421 4.7.0 x", 1 }, { OK, 20 } }, 3 },
	/* what counts as taken begins anew */
	{ { { OK, 39 }, { "421 4.7.0 x", 1 }, { OK, 19 } }, 1 },
	{ { { "450 4.7.0 slow down", 4 } }, 1 },
	{ { { "450 4.7.0 slow down", 5 } }, 0 },
	{ { { "450 4.7.0 slow down", 4 }, { OK, 1 }, { "450 4.7.0 slow down", 4 } }, 1 },
	{ { { "550 5.7.1 policy", 19 } }, 1 },
	{ { { "550 5.7.1 policy", 20 } }, 0 },
	{ { { "554 5.6.0 content", 19 } }, 1 },
	{ { { "554 5.6.0 content", 20 } }, 0 },
	{ { { "554 5.6.0 content", 10 }, { "550 5.7.1 policy", 10 } }, 0 },
	{ { { "550 5.6.7 an address that is not ASCII", 30 } }, 1 },
	{ { { "552 5.3.4 too large", 30 } }, 1 },
	{ { { "550 5.7.1 policy", 19 }, { OK, 1 }, { "550 5.7.1 policy", 19 } }, 1 },
	{ { { "550 5.7.1 policy", 19 }, { "550 5.1.1 who", 1 }, { "550 5.7.1 policy", 1 } }, 1 },
};

static void
test_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pace p;
		unsigned most;

		pace_init(&p, true, 1.0);
		for (size_t k = 0; k < 4 && rows[i].answers[k].reply != NULL; k++)
			answer(&p, "a@x.org", rows[i].answers[k].reply, rows[i].answers[k].n, 1000);
		most = measure(&p, "b@x.org", 1000);
		if (most != rows[i].most)
			fail_msg("row %zu: %u, expected %u", i, most, rows[i].most);
		if (measure(&p, "a@y.org", 1000) != 1)
			fail_msg("row %zu: another domain is touched", i);
		pace_release(&p);
	}
}

/* Ten minutes, then one mail; one more such answer and it is ten minutes again. */
static void
test_pause(void **state)
{
	struct pace p;
	const char *why = NULL;

	(void)state;
	pace_init(&p, true, 1.0);
	answer(&p, "a@x.org", "450 4.7.28 slow down", 5, 1000);
	assert_int_equal(pace_ask(&p, "b@x.org", 600999, &why), PACE_REFUSE);
	assert_non_null(strstr(why, "450 4.7.28 slow down (not tried"));
	assert_int_equal(measure(&p, "b@x.org", 601000), 1);
	answer(&p, "a@x.org", "450 4.7.28 slow down", 1, 601000);
	assert_int_equal(measure(&p, "b@x.org", 1200999), 0);
	assert_int_equal(measure(&p, "b@x.org", 1201000), 1);
	answer(&p, "a@x.org", OK, 1, 1201000);
	answer(&p, "a@x.org", "450 4.7.28 slow down", 4, 1201000);
	assert_int_equal(measure(&p, "b@x.org", 1201000), 1);
	pace_release(&p);
	/* Scaled, for tests. */
	pace_init(&p, true, 0.001);
	answer(&p, "a@x.org", "450 4.7.28 slow down", 5, 1000);
	assert_int_equal(measure(&p, "b@x.org", 1599), 0);
	assert_int_equal(measure(&p, "b@x.org", 1600), 1);
	pace_release(&p);
}

/* A relay on this machine has its own ways; but what it refuses by policy, it refuses. */
static void
test_unlimited(void **state)
{
	struct pace p;

	(void)state;
	pace_init(&p, false, 1.0);
	assert_int_equal(fill(&p, "a@x.org", 0), 100);
	answer(&p, "a@x.org", "450 4.7.28 slow down", 50, 0);
	assert_int_equal(fill(&p, "a@x.org", 0), 100);
	assert_int_equal(p.ndomains, 0);
	answer(&p, "a@x.org", "550 5.7.1 policy", 20, 0);
	assert_int_equal(fill(&p, "a@x.org", 0), 0);
	assert_int_equal(fill(&p, "a@y.org", 0), 100);
	pace_reset(&p);
	assert_int_equal(fill(&p, "a@x.org", 0), 100);
	pace_release(&p);
}

static void
test_refusing(void **state)
{
	struct pace p;

	(void)state;
	pace_init(&p, false, 1.0);
	for (int i = 0; i < 10; i++) {
		answer(&p, "a@x.org", "550 5.7.1 policy", 1, 0);
		answer(&p, "a@y.org", "550 5.7.1 policy", 1, 0);
	}
	assert_int_equal(pace_count_refusing(&p), 2);
	answer(&p, "a@z.org", "550 5.1.1 who", 1, 0);
	assert_int_equal(pace_count_refusing(&p), 2);
	answer(&p, "a@z.org", OK, 1, 0);
	assert_int_equal(pace_count_refusing(&p), 0);
	pace_release(&p);
}

/* As many domains as anybody has: the last ones share, and nothing breaks. */
static void
test_many_domains(void **state)
{
	char mailbox[64];
	struct pace p;

	(void)state;
	pace_init(&p, true, 1.0);
	for (int i = 0; i < PACE_MAX_DOMAINS + 10; i++) {
		snprintf(mailbox, sizeof(mailbox), "a@d%d.org", i);
		pace_begin(&p, mailbox);
	}
	assert_int_equal(p.ndomains, PACE_MAX_DOMAINS);
	assert_int_equal(fill(&p, "a@d5.org", 0), 0);
	assert_int_equal(fill(&p, "a@new.org", 0), 0);
	pace_release(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_pause),
		cmocka_unit_test(test_unlimited),
		cmocka_unit_test(test_refusing),
		cmocka_unit_test(test_many_domains),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
