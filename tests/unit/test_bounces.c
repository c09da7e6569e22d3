/* Points of bounces over the days. A timeline has a letter a day, the last one today: D dead, F full, P policy, O ours, U of
 * which nobody can tell, s a mail that arrived, 2 two dead ones on one day, m one that no bounce came of but is too young,
 * g full, after which a pause of 14 days was made, G one of 30; '-' nothing; a digit n > 2 stands for n * 10 quiet days. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "run/bounces.h"

enum { DAY = 86400, NOW = 20000 * DAY + 50000, MAX = 200 };

struct timeline {
	struct store_returned bounces[MAX];
	struct store_delivery deliveries[MAX];
	size_t nbounces, ndeliveries;
};

static size_t
count_days(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += *text > '2' && *text <= '9' ? (size_t)(*text - '0') * 10 : 1;
	return n;
}

static void
add_mail(struct timeline *t, int64_t at_utc)
{
	t->deliveries[t->ndeliveries] =
	    (struct store_delivery){ .period = 1 + (int64_t)t->ndeliveries,
		    .composed_utc = at_utc,
		    .tried_utc = at_utc,
		    .is_out = true };
	t->ndeliveries++;
}

static void
add_bounce(struct timeline *t, enum bounce_class class, int64_t at_utc, int pause)
{
	add_mail(t, at_utc - 60);
	t->bounces[t->nbounces++] = (struct store_returned){ .kind = RETURNED_BOUNCE,
		.class = class,
		.counted = COUNT_DONE,
		.period = (int64_t)t->ndeliveries,
		.at_utc = at_utc,
		.paused_until = pause > 0 ? (int32_t)(at_utc / DAY) + pause : 0,
		.status = "",
		.reply = "",
		.decided = "" };
}

static void
read_timeline(const char *text, struct timeline *t)
{
	static const struct {
		char letter;
		enum bounce_class class;
		int pause;
	} letters[] = {
		{ 'D', BOUNCE_DEAD, 0 },
		{ 'F', BOUNCE_TEMPORARY, 0 },
		{ 'g', BOUNCE_TEMPORARY, 14 },
		{ 'G', BOUNCE_TEMPORARY, 30 },
		{ 'P', BOUNCE_POLICY, 0 },
		{ 'O', BOUNCE_OURS, 0 },
		{ 'U', BOUNCE_UNKNOWN, 0 },
	};
	int64_t at_utc = NOW - ((int64_t)count_days(text) - 1) * DAY;

	memset(t, 0, sizeof(*t));
	for (; *text != '\0'; text++, at_utc += DAY) {
		for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++)
			if (*text == letters[i].letter)
				add_bounce(t, letters[i].class, at_utc, letters[i].pause);
		if (*text == '2') {
			add_bounce(t, BOUNCE_DEAD, at_utc - 3600, 0);
			add_bounce(t, BOUNCE_DEAD, at_utc, 0);
		} else if (*text == 's' || *text == 'm') {
			add_mail(t, at_utc);
		} else if (*text > '2' && *text <= '9') {
			at_utc += ((int64_t)(*text - '0') * 10 - 1) * DAY;
		}
	}
	/* As the store loads them. */
	for (size_t i = 0; i < t->nbounces / 2; i++) {
		struct store_returned swap = t->bounces[i];

		t->bounces[i] = t->bounces[t->nbounces - 1 - i];
		t->bounces[t->nbounces - 1 - i] = swap;
	}
}

static const struct {
	const char *days;
	double points;
	enum bounce_verdict verdict;
	int pause_days;
} rows[] = {
	{ "", 0, BOUNCE_GO_ON, 0 }, { "ssss-", 0, BOUNCE_GO_ON, 0 }, { "D", 1, BOUNCE_GO_ON, 0 },
	{ "2", 1, BOUNCE_GO_ON, 0 }, /* of one day */
	{ "DD", 2, BOUNCE_SUPPRESS, 0 }, { "2D", 2, BOUNCE_SUPPRESS, 0 },
	{ "D---D", 2, BOUNCE_SUPPRESS, 0 },
	{ "DmD", 2, BOUNCE_SUPPRESS, 0 }, /* it may yet come back */
	{ "Ds---", 0.5, BOUNCE_GO_ON, 0 },
	{ "Ds--", 1, BOUNCE_GO_ON, 0 }, /* not three days yet, 86,400 s short */
	{ "Ds---D", 1.5, BOUNCE_GO_ON, 0 }, { "Ds---DD", 2.5, BOUNCE_SUPPRESS, 0 },
	{ "Dss----", 0.25, BOUNCE_GO_ON, 0 }, { "D3", 0, BOUNCE_GO_ON, 0 }, /* 30 days on */
	{ "D3D", 1, BOUNCE_GO_ON, 0 }, { "D---------", 1, BOUNCE_GO_ON, 0 },
	{ "F", 0.25, BOUNCE_GO_ON, 0 }, { "FFFFFF", 1.5, BOUNCE_GO_ON, 0 },
	{ "FFFFFFF", 1.75, BOUNCE_PAUSE, 14 },
	{ "F-F-F-F-F-F-F", 1.75, BOUNCE_PAUSE, 14 },  /* 13 days */
	{ "F--F-F-F-F-F--F", 1.75, BOUNCE_GO_ON, 0 }, /* 15 days */
	{ "FFFFFFg", 1.75, BOUNCE_GO_ON, 0 },	      /* was done */
	{ "FFFFFFgF", 2, BOUNCE_GO_ON,
	    0 }, /* of before the pause; never suppressed without a dead one */
	{ "FFFFFFg---------------F", 2, BOUNCE_PAUSE, 30 },
	{ "FFFFFFg--------------sF---", 1.0, BOUNCE_GO_ON, 0 }, /* what arrived ends the row */
	{ "FFFFFFg--------------G3F", 0.25, BOUNCE_PAUSE, 30 }, { "FFFFD", 2, BOUNCE_SUPPRESS, 0 },
	{ "FFFFFFFFFF", 2.5, BOUNCE_PAUSE, 14 }, { "DFFFF", 2, BOUNCE_SUPPRESS, 0 },
	{ "PPPPPPPPPP", 0, BOUNCE_GO_ON, 0 }, { "OOOOOOOOOO", 0, BOUNCE_GO_ON, 0 },
	{ "UUUUUUUUUU", 0.25, BOUNCE_GO_ON, 0 }, { "UD", 1.25, BOUNCE_GO_ON, 0 },
	{ "DP", 1, BOUNCE_GO_ON, 0 },
	{ "DPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPP", 0, BOUNCE_GO_ON,
	    0 },			  /* that is no bounce of the address */
	{ "D-P---", 1, BOUNCE_GO_ON, 0 }, /* nor did it arrive */
};

static void
test_timelines(void **state)
{
	struct bounce_score score;
	struct timeline t;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		read_timeline(rows[i].days, &t);
		bounces_score(t.bounces, t.nbounces, t.deliveries, t.ndeliveries, NOW, &score);
		if (score.points != rows[i].points || score.verdict != rows[i].verdict ||
		    score.pause_days * (score.verdict == BOUNCE_PAUSE) != rows[i].pause_days)
			fail_msg("row %zu, %s: %g points, verdict %d, %d days", i, rows[i].days,
			    score.points, (int)score.verdict, score.pause_days);
		if ((score.points > 0) != (score.expires_utc > NOW))
			fail_msg("row %zu, %s: points end at %lld", i, rows[i].days,
			    (long long)score.expires_utc);
	}
}

/* What waits, what a person took back and what is no bounce changes nothing. */
static void
test_what_does_not_count(void **state)
{
	static const struct {
		enum returned_kind kind;
		enum returned_count counted;
	} others[] = { { RETURNED_BOUNCE, COUNT_WAITS }, { RETURNED_BOUNCE, COUNT_NEVER },
		{ RETURNED_PAUSE, COUNT_DONE }, { RETURNED_COMPLAINT, COUNT_DONE } };
	struct bounce_score score;
	struct timeline t;

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		read_timeline("DD", &t);
		t.bounces[0].kind = others[i].kind;
		t.bounces[0].counted = others[i].counted;
		bounces_score(t.bounces, t.nbounces, t.deliveries, t.ndeliveries, NOW, &score);
		if (score.points != 1 || score.verdict != BOUNCE_GO_ON)
			fail_msg("row %zu: %g points", i, score.points);
	}
}

/* A fault of one night is one, whatever day it is. */
static void
test_midnight(void **state)
{
	static const struct {
		int64_t apart_s;
		double points;
	} cases[] = { { 1200, 1 }, { 12 * 3600 - 1, 1 }, { 12 * 3600, 2 }, { DAY, 2 } };
	struct bounce_score score;
	struct timeline t;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t midnight = NOW - NOW % DAY;

		read_timeline("DD", &t);
		t.bounces[0].at_utc = midnight + 600;
		t.bounces[1].at_utc = midnight + 600 - cases[i].apart_s;
		bounces_score(t.bounces, t.nbounces, t.deliveries, t.ndeliveries, NOW, &score);
		if (score.points != cases[i].points)
			fail_msg("row %zu: %g points", i, score.points);
	}
}

/* Whichever way it came. */
static void
test_refusals(void **state)
{
	struct bounce_score score;
	struct timeline t;

	(void)state;
	read_timeline("DD", &t);
	t.bounces[0].kind = RETURNED_REFUSAL;
	t.deliveries[1].is_out = false;
	bounces_score(t.bounces, t.nbounces, t.deliveries, t.ndeliveries, NOW, &score);
	assert_int_equal(score.verdict, BOUNCE_SUPPRESS);
}

/* A copy that never left arrived nowhere. */
static void
test_what_did_not_leave(void **state)
{
	struct bounce_score score;
	struct timeline t;

	(void)state;
	read_timeline("Ds---", &t);
	t.deliveries[1].is_out = false;
	bounces_score(t.bounces, t.nbounces, t.deliveries, t.ndeliveries, NOW, &score);
	assert_true(score.points == 1);
}

static void
test_too_many(void **state)
{
	static const struct {
		size_t ndead, nsent;
		bool want;
	} cases[] = { { 0, 0, false }, { 4, 4, false }, { 5, 5, true }, { 5, 99, true },
		{ 5, 100, false }, { 6, 100, true }, { 50000, 1000000, false },
		{ 50001, 1000000, true } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (bounces_are_too_many(cases[i].ndead, cases[i].nsent) != cases[i].want)
			fail_msg("row %zu: %zu of %zu", i, cases[i].ndead, cases[i].nsent);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_timelines),
		cmocka_unit_test(test_what_does_not_count),
		cmocka_unit_test(test_midnight),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_what_did_not_leave),
		cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests_name("bounces", tests, NULL, NULL);
}
