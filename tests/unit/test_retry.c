/* Who is waited for when a mail is deferred, and how long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "run/stages.h"

static const struct {
	const char *reply;
	enum retry_class class;
} replies[] = {
	/* The link, the relay's own trouble, and what is no reply at all. */
	{ "", RETRY_THEIRS },
	{ "the connection was lost", RETRY_THEIRS },
	{ "no answer to RCPT within 300 s", RETRY_THEIRS },
	{ "5 failures in a row", RETRY_THEIRS },
	{ "4500 4.7.1 is no code", RETRY_THEIRS },
	{ "421 shutting down", RETRY_THEIRS },
	{ "421 4.3.2 shutting down", RETRY_THEIRS },
	{ "451 4.3.0 queue file write error", RETRY_THEIRS },
	{ "452 4.3.1 insufficient system storage", RETRY_THEIRS },
	{ "452 no room", RETRY_THEIRS },
	{ "454 4.4.2 time-out", RETRY_THEIRS },
	/* Strangers wait. */
	{ "450 4.2.0 <ada@example.org>: Recipient address rejected: Greylisted", RETRY_GREYLIST },
	{ "451 4.7.1 Greylisting in action, please come back later", RETRY_GREYLIST },
	{ "450 4.7.1 try again", RETRY_GREYLIST },
	{ "451 temporary local problem, please try later", RETRY_GREYLIST },
	{ "450", RETRY_GREYLIST },
	{ "451 5.7.1 of another class than its code", RETRY_THEIRS },
	/* Too fast. */
	{ "421 4.7.0 try again later, closing connection", RETRY_RATE },
	{ "450 4.7.28 unusual rate of mail", RETRY_RATE },
	{ "451 4.7.10 not 4.7.1", RETRY_RATE },
	{ "452 4.5.3 too many recipients", RETRY_RATE },
	{ "451 4.4.5 congestion", RETRY_RATE },
	/* The mailbox. */
	{ "452 4.2.2 mailbox full", RETRY_READER },
	{ "450 4.2.1 receives mail too quickly", RETRY_READER },
	{ "451 4.2.0 not of 450", RETRY_READER },
	{ "450 4.1.1 unverified address", RETRY_READER },
	/* What a person here mends. */
	{ "550 5.7.1 refused by policy", RETRY_OURS },
	{ "530 5.7.0 authentication required", RETRY_OURS },
	{ "553 sender refused", RETRY_OURS },
	{ "450 4.1.8 domain of sender not found", RETRY_OURS },
};

static void
test_classes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++)
		if (retry_classify(replies[i].reply) != replies[i].class)
			fail_msg("row %zu: '%s' is of class %d, not %d", i, replies[i].reply,
			    retry_classify(replies[i].reply), replies[i].class);
}

static const struct {
	enum retry_class class;
	uint32_t attempts;
	int64_t minutes;
} waits[] = {
	{ RETRY_THEIRS, 0, 5 },
	{ RETRY_THEIRS, 1, 10 },
	{ RETRY_THEIRS, 2, 20 },
	{ RETRY_THEIRS, 3, 40 },
	{ RETRY_THEIRS, 4, 67 },
	{ RETRY_THEIRS, 5, 67 },
	{ RETRY_THEIRS, UINT32_MAX, 67 },
	{ RETRY_GREYLIST, 0, 6 },
	{ RETRY_GREYLIST, 1, 12 },
	{ RETRY_GREYLIST, 9, 67 },
	{ RETRY_RATE, 0, 20 },
	{ RETRY_RATE, 2, 67 },
	{ RETRY_READER, 0, 40 },
	{ RETRY_READER, 1, 67 },
	{ RETRY_OURS, 0, 15 },
	{ RETRY_OURS, 99, 15 },
};

/* Never later than the table says, at most a tenth earlier, and not all readers at once. */
static void
test_waits(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		int64_t full_s = waits[i].minutes * 60, shortest_s = full_s;

		for (int64_t reader = 0; reader < 100; reader++) {
			int64_t s = retry_wait_s(waits[i].class, waits[i].attempts, reader);

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
		assert_in_range(retry_wait_s(RETRY_GREYLIST, 0, reader), 301, 360);
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
