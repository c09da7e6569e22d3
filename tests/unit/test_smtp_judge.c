/* What every refusal means: each enhanced code of RFC 3463 and of the registry of RFC 5248 as 4.x and as 5.x, replies
 * without one, and what large receivers really say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "digest/smtp.h"

#include <stdio.h>
#include <string.h>

enum {
	THEIRS = BLAME_THEIRS,
	GREYLIST = BLAME_GREYLIST,
	RATE = BLAME_RATE,
	READER = BLAME_READER,
	OURS = BLAME_OURS
};
enum { LATER = OUTCOME_DEFERRED, NEVER = OUTCOME_FAILED };

/* The registry as of 2026, in its order. */
static const struct {
	int subject, detail;
	int passing;	    /* blame as 4.x; the outcome is LATER */
	int outcome, blame; /* as 5.x */
} codes[] = {
	{ 0, 0, THEIRS, NEVER, READER },  /* other undefined status */
	{ 1, 0, READER, NEVER, READER },  /* other address status */
	{ 1, 1, READER, NEVER, READER },  /* bad destination mailbox address */
	{ 1, 2, READER, NEVER, READER },  /* bad destination system address */
	{ 1, 3, READER, NEVER, READER },  /* bad destination mailbox address syntax */
	{ 1, 4, READER, NEVER, READER },  /* destination mailbox address ambiguous */
	{ 1, 5, READER, NEVER, READER },  /* destination address valid */
	{ 1, 6, READER, NEVER, READER },  /* mailbox has moved */
	{ 1, 7, OURS, LATER, OURS },	  /* bad sender's mailbox address syntax */
	{ 1, 8, OURS, LATER, OURS },	  /* bad sender's system address */
	{ 1, 9, READER, NEVER, READER },  /* relayed to a non-compliant mailer */
	{ 1, 10, READER, NEVER, READER }, /* recipient address has null MX */
	{ 2, 0, READER, NEVER, READER },  /* other mailbox status */
	{ 2, 1, READER, NEVER, READER },  /* mailbox disabled */
	{ 2, 2, READER, NEVER, READER },  /* mailbox full */
	{ 2, 3, READER, NEVER, OURS },	  /* message length exceeds administrative limit */
	{ 2, 4, READER, NEVER, READER },  /* mailing list expansion problem */
	{ 3, 0, THEIRS, NEVER, THEIRS },  /* other mail system status */
	{ 3, 1, THEIRS, LATER, THEIRS },  /* mail system full */
	{ 3, 2, THEIRS, LATER, THEIRS },  /* system not accepting network messages */
	{ 3, 3, THEIRS, NEVER, THEIRS },  /* not capable of selected features */
	{ 3, 4, THEIRS, NEVER, OURS },	  /* message too big for system */
	{ 3, 5, THEIRS, LATER, THEIRS },  /* system incorrectly configured */
	{ 3, 6, THEIRS, NEVER, THEIRS },  /* requested priority was changed */
	{ 4, 0, THEIRS, NEVER, READER },  /* other network status */
	{ 4, 1, THEIRS, NEVER, READER },  /* no answer from host */
	{ 4, 2, THEIRS, NEVER, READER },  /* bad connection */
	{ 4, 3, THEIRS, NEVER, READER },  /* directory server failure */
	{ 4, 4, THEIRS, NEVER, READER },  /* unable to route */
	{ 4, 5, RATE, LATER, RATE },	  /* mail system congestion */
	{ 4, 6, THEIRS, NEVER, READER },  /* routing loop */
	{ 4, 7, THEIRS, NEVER, READER },  /* delivery time expired */
	{ 5, 0, THEIRS, NEVER, READER },  /* other protocol status */
	{ 5, 1, THEIRS, NEVER, OURS },	  /* invalid command */
	{ 5, 2, THEIRS, NEVER, OURS },	  /* syntax error */
	{ 5, 3, RATE, LATER, RATE },	  /* too many recipients */
	{ 5, 4, THEIRS, NEVER, OURS },	  /* invalid command arguments */
	{ 5, 5, THEIRS, NEVER, OURS },	  /* wrong protocol version */
	{ 5, 6, THEIRS, NEVER, OURS },	  /* authentication exchange line too long */
	{ 6, 0, THEIRS, NEVER, OURS },	  /* other media error */
	{ 6, 1, THEIRS, NEVER, OURS },	  /* media not supported */
	{ 6, 2, THEIRS, NEVER, OURS },	  /* conversion required and prohibited */
	{ 6, 3, THEIRS, NEVER, OURS },	  /* conversion required but not supported */
	{ 6, 4, THEIRS, NEVER, OURS },	  /* conversion with loss */
	{ 6, 5, THEIRS, NEVER, OURS },	  /* conversion failed */
	{ 6, 6, THEIRS, NEVER, OURS },	  /* content not available */
	{ 6, 7, THEIRS, NEVER, READER },  /* non-ASCII addresses not permitted */
	{ 6, 8, THEIRS, NEVER, READER },  /* UTF-8 reply required */
	{ 6, 9, THEIRS, NEVER, READER },  /* UTF-8 header cannot be transferred */
	{ 6, 10, THEIRS, NEVER, READER }, /* as 6.8 */
	{ 7, 0, RATE, LATER, OURS },	  /* other security status */
	{ 7, 1, GREYLIST, LATER, OURS },  /* not authorized */
	{ 7, 2, READER, LATER, OURS },	  /* list expansion prohibited */
	{ 7, 3, OURS, LATER, OURS },	  /* security conversion required */
	{ 7, 4, OURS, LATER, OURS },	  /* security features not supported */
	{ 7, 5, OURS, LATER, OURS },	  /* cryptographic failure */
	{ 7, 6, OURS, LATER, OURS },	  /* algorithm not supported */
	{ 7, 7, OURS, LATER, OURS },	  /* integrity failure */
	{ 7, 8, OURS, LATER, OURS },	  /* credentials invalid */
	{ 7, 9, OURS, LATER, OURS },	  /* mechanism too weak */
	{ 7, 10, OURS, LATER, OURS },	  /* encryption needed */
	{ 7, 11, OURS, LATER, OURS },	  /* encryption required for mechanism */
	{ 7, 12, OURS, LATER, OURS },	  /* password transition needed */
	{ 7, 13, OURS, LATER, OURS },	  /* account disabled */
	{ 7, 14, OURS, LATER, OURS },	  /* trust relationship required */
	{ 7, 15, RATE, LATER, OURS },	  /* priority too low */
	{ 7, 16, RATE, LATER, OURS },	  /* too big for priority */
	{ 7, 17, READER, LATER, OURS },	  /* mailbox owner has changed */
	{ 7, 18, READER, LATER, OURS },	  /* domain owner has changed */
	{ 7, 19, READER, LATER, OURS },	  /* RRVS cannot be completed */
	{ 7, 20, OURS, LATER, OURS },	  /* no passing DKIM */
	{ 7, 21, OURS, LATER, OURS },	  /* no acceptable DKIM */
	{ 7, 22, OURS, LATER, OURS },	  /* no author-matched DKIM */
	{ 7, 23, OURS, LATER, OURS },	  /* SPF failed */
	{ 7, 24, OURS, LATER, OURS },	  /* SPF error */
	{ 7, 25, OURS, LATER, OURS },	  /* reverse DNS failed */
	{ 7, 26, OURS, LATER, OURS },	  /* several checks failed */
	{ 7, 27, OURS, LATER, OURS },	  /* sender has null MX */
	{ 7, 28, RATE, LATER, OURS },	  /* mail flood */
	{ 7, 29, OURS, LATER, OURS },	  /* ARC failed */
	{ 7, 30, OURS, LATER, OURS },	  /* REQUIRETLS needed */
};

enum { NCODES = sizeof(codes) / sizeof(codes[0]) };

static void
test_registry(void **state)
{
	char reply[80];

	(void)state;
	assert_int_equal(NCODES, 81);
	for (size_t i = 0; i < NCODES; i++) {
		struct smtp_verdict v;

		snprintf(reply, sizeof(reply), "454 4.%d.%d x", codes[i].subject, codes[i].detail);
		v = smtp_judge(reply, true);
		if (v.outcome != OUTCOME_DEFERRED || (int)v.blame != codes[i].passing)
			fail_msg("row %zu: '%s' is %d, blame %d", i, reply, (int)v.outcome,
			    (int)v.blame);
		snprintf(reply, sizeof(reply), "554 5.%d.%d x", codes[i].subject, codes[i].detail);
		for (int at_rcpt = 0; at_rcpt <= 1; at_rcpt++) {
			v = smtp_judge(reply, at_rcpt != 0);
			if ((int)v.outcome != codes[i].outcome || (int)v.blame != codes[i].blame)
				fail_msg("row %zu: '%s' is %d, blame %d", i, reply, (int)v.outcome,
				    (int)v.blame);
		}
		if (codes[i].subject == 7 &&
		    (v.outcome != OUTCOME_DEFERRED || v.blame == BLAME_READER || !v.of_all))
			fail_msg("row %zu: '%s' counts against the reader", i, reply);
	}
}

/* Nothing that is refused for good is refused for all: one bad mail stops nobody else's. */
static void
test_one_bad_mail(void **state)
{
	char reply[80];

	(void)state;
	for (int code = 400; code < 600; code++)
		for (int subject = -1; subject < 10; subject++)
			for (int detail = 0; detail < 40; detail++) {
				struct smtp_verdict v;

				if (subject == -1)
					snprintf(reply, sizeof(reply), "%d x", code);
				else
					snprintf(reply, sizeof(reply), "%d %d.%d.%d x", code,
					    code / 100, subject, detail);
				v = smtp_judge(reply, false);
				if (v.outcome == OUTCOME_FAILED && (v.of_all || code < 500))
					fail_msg("'%s'", reply);
				if (v.of_all && v.blame == BLAME_READER)
					fail_msg("'%s' blames a reader for all", reply);
				if (*smtp_find_cure(reply) == '\0')
					fail_msg("'%s' has no cure", reply);
			}
}

static const struct {
	const char *reply;
	bool at_rcpt;
	int outcome, blame;
	bool of_all;
} replies[] = {
	/* Without an enhanced code. */
	{ "421 closing", true, LATER, THEIRS, false },
	{ "450 mailbox busy", true, LATER, GREYLIST, false },
	{ "451 try later", true, LATER, GREYLIST, false },
	{ "452 no room", true, LATER, THEIRS, false },
	{ "500 what?", true, NEVER, OURS, false },
	{ "501 syntax", true, NEVER, OURS, false },
	{ "503 not now", false, NEVER, OURS, false },
	{ "521 no mail here", true, NEVER, READER, false },
	{ "530 log in", true, LATER, OURS, true },
	{ "535 who?", true, LATER, OURS, true },
	{ "550 no such user", true, NEVER, READER, false },
	{ "551 moved", true, NEVER, READER, false },
	{ "553 no such name", true, NEVER, READER, false },
	{ "554 no", false, NEVER, READER, false },
	{ "555 no such parameter", true, NEVER, OURS, false },
	{ "556 null MX", true, NEVER, READER, false },
	/* 552 of a recipient is 452 (RFC 5321 4.5.3.1.10); of a mail it is its size, or a full mailbox. */
	{ "552 too many recipients", true, LATER, THEIRS, false },
	{ "552 5.5.3 too many recipients", true, LATER, RATE, false },
	{ "552 5.2.2 mailbox full", true, LATER, READER, false },
	{ "552 5.3.4 too big", true, NEVER, OURS, false },
	{ "552 5.7.0 no attachments please", true, LATER, OURS, true },
	{ "552 too much", false, NEVER, READER, false },
	{ "552 5.2.2 mailbox full", false, NEVER, READER, false },
	{ "552 5.3.4 too big", false, NEVER, OURS, false },
	/* Gmail */
	{ "550 5.4.5 Daily user sending limit exceeded", false, LATER, RATE, true },
	{ "421 4.7.28 unusual rate of unsolicited mail", false, LATER, RATE, false },
	{ "421 4.7.26 unauthenticated", false, LATER, OURS, true },
	{ "550 5.7.26 not authenticated", false, LATER, OURS, true },
	{ "452 4.2.2 The email account that you tried to reach is over quota", true, LATER, READER,
	    false },
	{ "450 4.2.1 is receiving mail at a rate that", true, LATER, READER, false },
	/* Outlook.com and Exchange Online */
	{ "550 5.7.515 Access denied, sending domain does not meet the required authentication "
	  "level",
	    false, LATER, OURS, true },
	{ "550 5.5.0 Requested action not taken: mailbox unavailable", true, NEVER, READER, false },
	{ "550 5.4.1 Recipient address rejected: Access denied", true, NEVER, READER, false },
	{ "451 4.7.500 Server busy. Please try again later", true, LATER, RATE, false },
	{ "451 4.7.650 temporarily rate limited due to IP reputation", true, LATER, RATE, false },
	/* Postfix */
	{ "450 4.2.0 <ada@example.org>: Recipient address rejected: Greylisted", true, LATER,
	    GREYLIST, false },
	{ "450 4.1.8 <me@example.org>: Sender address rejected: Domain not found", true, LATER,
	    OURS, true },
	{ "553 5.1.8 Sender address rejected", true, LATER, OURS, true },
	{ "554 5.7.1 <ada@example.org>: Relay access denied", true, LATER, OURS, true },
	{ "550 5.1.1 <ada@example.org>: Recipient address rejected: User unknown", true, NEVER,
	    READER, false },
	/* No reply, or not quite. */
	{ "", true, LATER, THEIRS, false },
	{ "the connection was lost", true, LATER, THEIRS, false },
	{ "5 failures in a row", true, LATER, THEIRS, false },
	{ "5500 5.1.1 no code", true, LATER, THEIRS, false },
	{ "550 5.1 no enhanced code", true, NEVER, READER, false },
	{ "550 5.7.1.1 no enhanced code", true, NEVER, READER, false },
	{ "550 5.7.1000 no enhanced code", true, NEVER, READER, false },
	{ "550 5.7.12345678901234567890 no enhanced code", true, NEVER, READER, false },
	{ "550 4.7.1 of another class", true, NEVER, READER, false },
	{ "450 5.7.1 of another class", true, LATER, THEIRS, false },
	{ "550 5. 7.1 no enhanced code", true, NEVER, READER, false },
	{ "550", true, NEVER, READER, false },
	{ "999 5.7.1 no code of SMTP", true, LATER, THEIRS, false },
};

static void
test_replies(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		struct smtp_verdict v = smtp_judge(replies[i].reply, replies[i].at_rcpt);

		if ((int)v.outcome != replies[i].outcome || (int)v.blame != replies[i].blame ||
		    v.of_all != replies[i].of_all)
			fail_msg("row %zu: '%s' is %d, blame %d, %d", i, replies[i].reply,
			    (int)v.outcome, (int)v.blame, v.of_all);
	}
}

static void
test_cures(void **state)
{
	static const struct {
		const char *reply, *says;
	} rows[] = {
		{ "530 5.7.0 log in first", "user and password" },
		{ "535 nobody", "user and password" },
		{ "550 5.7.8 nobody", "user and password" },
		{ "550 5.4.5 Daily user sending limit exceeded", "daily-limit" },
		{ "550 5.7.26 not authenticated", "SPF" },
		{ "550 5.7.515 Access denied", "SPF" },
		{ "553 5.1.8 no such domain", "list.from" },
		{ "550 no", "list.from" },
		{ "554 5.3.2 closed", "next run" },
		{ "452 4.3.1 no room", "next run" },
		{ "no reply", "next run" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strstr(smtp_find_cure(rows[i].reply), rows[i].says) == NULL)
			fail_msg("row %zu: '%s'", i, smtp_find_cure(rows[i].reply));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_registry),
		cmocka_unit_test(test_one_bad_mail),
		cmocka_unit_test(test_replies),
		cmocka_unit_test(test_cures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
