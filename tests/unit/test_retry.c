/* Who is waited for when a mail is deferred, and how long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "run/stages.h"

static const struct {
	const char *reply;
	enum smtp_blame blame;
} replies[] = {
	/* The link, the relay's own trouble, and what is no reply at all. */
	{ "", BLAME_THEIRS },
	{ "the connection was lost", BLAME_THEIRS },
	{ "no answer to RCPT within 300 s", BLAME_THEIRS },
	{ "5 failures in a row", BLAME_THEIRS },
	{ "4500 4.7.1 is no code", BLAME_THEIRS },
	{ "421 shutting down", BLAME_THEIRS },
	{ "421 4.3.2 shutting down", BLAME_THEIRS },
	{ "451 4.3.0 queue file write error", BLAME_THEIRS },
	{ "452 4.3.1 insufficient system storage", BLAME_THEIRS },
	{ "452 no room", BLAME_THEIRS },
	{ "454 4.4.2 time-out", BLAME_THEIRS },
	/* Strangers wait. */
	{ "450 4.2.0 <ada@example.org>: Recipient address rejected: Greylisted", BLAME_GREYLIST },
	{ "451 4.7.1 Greylisting in action, please come back later", BLAME_GREYLIST },
	{ "450 4.7.1 try again", BLAME_GREYLIST },
	{ "451 temporary local problem, please try later", BLAME_GREYLIST },
	{ "450", BLAME_GREYLIST },
	{ "451 5.7.1 of another class than its code", BLAME_THEIRS },
	/* Too fast. */
	{ "421 4.7.0 try again later, closing connection", BLAME_RATE },
	{ "450 4.7.28 unusual rate of mail", BLAME_RATE },
	{ "451 4.7.110 not 4.7.1 nor 4.7.11", BLAME_RATE },
	{ "452 4.5.3 too many recipients", BLAME_RATE },
	{ "451 4.4.5 congestion", BLAME_RATE },
	/* The mailbox. */
	{ "452 4.2.2 mailbox full", BLAME_READER },
	{ "450 4.2.1 receives mail too quickly", BLAME_READER },
	{ "451 4.2.0 not of 450", BLAME_READER },
	{ "450 4.1.1 unverified address", BLAME_READER },
	/* What a person here mends. */
	{ "550 5.7.1 refused by policy", BLAME_OURS },
	{ "530 5.7.0 authentication required", BLAME_OURS },
	{ "553 sender refused", BLAME_OURS },
	{ "450 4.1.8 domain of sender not found", BLAME_OURS },
};

static void
test_classes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++)
		if (retry_classify(replies[i].reply) != replies[i].blame)
			fail_msg("row %zu: '%s' is blame %d, not %d", i, replies[i].reply,
			    retry_classify(replies[i].reply), replies[i].blame);
}

static const struct {
	enum smtp_blame blame;
	uint32_t attempts;
	int64_t minutes;
} waits[] = {
	{ BLAME_THEIRS, 0, 5 },
	{ BLAME_THEIRS, 1, 10 },
	{ BLAME_THEIRS, 2, 20 },
	{ BLAME_THEIRS, 3, 40 },
	{ BLAME_THEIRS, 4, 67 },
	{ BLAME_THEIRS, 5, 67 },
	{ BLAME_THEIRS, UINT32_MAX, 67 },
	{ BLAME_GREYLIST, 0, 6 },
	{ BLAME_GREYLIST, 1, 12 },
	{ BLAME_GREYLIST, 9, 67 },
	{ BLAME_RATE, 0, 20 },
	{ BLAME_RATE, 2, 67 },
	{ BLAME_READER, 0, 40 },
	{ BLAME_READER, 1, 67 },
	{ BLAME_OURS, 0, 15 },
	{ BLAME_OURS, 99, 15 },
};

/* Never later than the table says, at most a tenth earlier, and not all readers at once. */
static void
test_waits(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		int64_t full_s = waits[i].minutes * 60, shortest_s = full_s;

		for (int64_t reader = 0; reader < 100; reader++) {
			int64_t s = retry_wait_s(waits[i].blame, waits[i].attempts, reader);

			if (s > full_s || s < full_s - full_s / 10)
				fail_msg("row %zu: reader %lld waits %lld s, not %lld", i,
				    (long long)reader, (long long)s, (long long)full_s);
			shortest_s = s < shortest_s ? s : shortest_s;
		}
		if (shortest_s == full_s)
			fail_msg("row %zu: all come back at once", i);
	}
}

/* Most lists let a stranger in after five minutes: earlier is in vain, whatever the reader's number. */
static void
test_greylist(void **state)
{
	(void)state;
	for (int64_t reader = 0; reader < 100; reader++)
		assert_in_range(retry_wait_s(BLAME_GREYLIST, 0, reader), 301, 360);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_classes),
		cmocka_unit_test(test_waits),
		cmocka_unit_test(test_greylist),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
