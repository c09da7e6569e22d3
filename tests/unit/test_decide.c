/* What a mail asks for, by the tokens in it: where they may stand, what they are for, and how little else counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run/returns.h"

enum { READER = 7, PERIOD = 20000 };

struct fixture {
	char path[64];
	struct token_keys *keys;
};

static int
setup(void **state)
{
	struct fixture *fx = calloc(1, sizeof(*fx));
	struct error err;

	snprintf(fx->path, sizeof(fx->path), "/tmp/digest-decide.%ld", (long)getpid());
	if (token_key_load(fx->path, true, &fx->keys, &err) == -1) {
		fprintf(stderr, "%s\n", err.msg);
		return -1;
	}
	*state = fx;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *fx = *state;

	token_keys_free(fx->keys);
	unlink(fx->path);
	free(fx);
	return 0;
}

static void
add_candidate(struct incoming *in, const struct token_keys *keys, enum token_purpose purpose,
    uint32_t epoch, enum incoming_place place)
{
	struct incoming_candidate *c = &in->candidates[in->ncandidates++];
	struct strbuf token;

	strbuf_init(&token, 100);
	token_add(&token, keys, purpose, READER, epoch);
	c->place = place;
	if (place == INCOMING_SUBJECT || place == INCOMING_RETURNED_LINK)
		snprintf(c->text, sizeof(c->text), "%s", token.buf);
	else
		snprintf(c->text, sizeof(c->text), "bounce+%s@example.org", token.buf);
	strbuf_release(&token);
}

static const struct {
	enum incoming_kind kind;
	enum incoming_verb verb;
	uint32_t flags;
	enum token_purpose purpose;
	uint32_t epoch;
	enum incoming_place place;
	enum act act;
	bool may_answer;
} rows[] = {
	{ INCOMING_BOUNCE, 0, 0, TOKEN_BOUNCE, PERIOD, INCOMING_DELIVERED_TO, ACT_BOUNCE, false },
	{ INCOMING_BOUNCE, 0, 0, TOKEN_BOUNCE, PERIOD, INCOMING_TO, ACT_BOUNCE, false },
	{ INCOMING_BOUNCE, 0, 0, TOKEN_BOUNCE, PERIOD, INCOMING_RETURNED_PATH, ACT_BOUNCE, false },
	{ INCOMING_BOUNCE, 0, 0, TOKEN_BOUNCE, PERIOD, INCOMING_REPORTED, ACT_BOUNCE, false },
	{ INCOMING_BOUNCE, 0, 0, TOKEN_BOUNCE, PERIOD, INCOMING_SUBJECT, ACT_NONE, false },
	{ INCOMING_BOUNCE, 0, 0, TOKEN_UNSUBSCRIBE, 0, INCOMING_RETURNED_LINK, ACT_BOUNCE, false },
	{ INCOMING_BOUNCE, 0, 0, TOKEN_UNSUBSCRIBE, 0, INCOMING_TO, ACT_NONE, false },
	{ INCOMING_DELAYED, 0, 0, TOKEN_BOUNCE, PERIOD, INCOMING_TO, ACT_NONE, false },
	{ INCOMING_DELIVERED, 0, 0, TOKEN_BOUNCE, PERIOD, INCOMING_TO, ACT_NONE, false },
	{ INCOMING_AUTO_REPLY, 0, 0, TOKEN_BOUNCE, PERIOD, INCOMING_TO, ACT_NONE, false },
	{ INCOMING_AUTO_REPLY, 0, 0, TOKEN_UNSUBSCRIBE, 0, INCOMING_SUBJECT, ACT_NONE, false },
	{ INCOMING_OTHER, 0, 0, TOKEN_BOUNCE, PERIOD, INCOMING_TO, ACT_NONE, false },
	{ INCOMING_FEEDBACK, 0, 0, TOKEN_BOUNCE, PERIOD, INCOMING_REPORTED, ACT_NONE, false },
	{ INCOMING_COMPLAINT, 0, 0, TOKEN_BOUNCE, PERIOD, INCOMING_REPORTED, ACT_COMPLAINT, false },
	{ INCOMING_COMPLAINT, 0, 0, TOKEN_UNSUBSCRIBE, 0, INCOMING_RETURNED_LINK, ACT_COMPLAINT,
	    false },
	{ INCOMING_COMPLAINT, 0, 0, TOKEN_UNSUBSCRIBE, 1, INCOMING_RETURNED_LINK, ACT_NONE, false },
	{ INCOMING_REQUEST, INCOMING_UNSUBSCRIBE, 0, TOKEN_UNSUBSCRIBE, 0, INCOMING_SUBJECT,
	    ACT_UNSUBSCRIBE, true },
	{ INCOMING_REQUEST, INCOMING_UNSUBSCRIBE, 0, TOKEN_UNSUBSCRIBE, 0, INCOMING_TO,
	    ACT_UNSUBSCRIBE, true },
	{ INCOMING_REQUEST, INCOMING_PAUSE, 0, TOKEN_PAUSE, 0, INCOMING_SUBJECT, ACT_PAUSE, true },
	{ INCOMING_REQUEST, INCOMING_RESUME, 0, TOKEN_RESUME, 0, INCOMING_SUBJECT, ACT_RESUME,
	    true },
	/* a token is for one thing */
	{ INCOMING_REQUEST, INCOMING_UNSUBSCRIBE, 0, TOKEN_PAUSE, 0, INCOMING_SUBJECT, ACT_NONE,
	    false },
	{ INCOMING_REQUEST, INCOMING_PAUSE, 0, TOKEN_UNSUBSCRIBE, 0, INCOMING_SUBJECT, ACT_NONE,
	    false },
	{ INCOMING_REQUEST, INCOMING_UNSUBSCRIBE, 0, TOKEN_BOUNCE, PERIOD, INCOMING_TO, ACT_NONE,
	    false },
	{ INCOMING_REQUEST, INCOMING_UNSUBSCRIBE, 0, TOKEN_CONFIRM, 0, INCOMING_SUBJECT, ACT_NONE,
	    false },
	/* made void */
	{ INCOMING_REQUEST, INCOMING_UNSUBSCRIBE, 0, TOKEN_UNSUBSCRIBE, 1, INCOMING_SUBJECT,
	    ACT_NONE, false },
	/* quoted from a digest by whoever */
	{ INCOMING_REQUEST, INCOMING_UNSUBSCRIBE, 0, TOKEN_UNSUBSCRIBE, 0, INCOMING_RETURNED_LINK,
	    ACT_NONE, false },
	/* done, but no machine is answered */
	{ INCOMING_REQUEST, INCOMING_UNSUBSCRIBE, INCOMING_APPLE | INCOMING_AUTO_SUBMITTED,
	    TOKEN_UNSUBSCRIBE, 0, INCOMING_SUBJECT, ACT_UNSUBSCRIBE, false },
	{ INCOMING_REQUEST, INCOMING_PAUSE, INCOMING_AUTO_MARKED, TOKEN_PAUSE, 0, INCOMING_SUBJECT,
	    ACT_PAUSE, false },
	{ INCOMING_REQUEST, INCOMING_PAUSE, INCOMING_FROM_LIST, TOKEN_PAUSE, 0, INCOMING_SUBJECT,
	    ACT_PAUSE, false },
	{ INCOMING_REQUEST, INCOMING_PAUSE, INCOMING_FROM_ROBOT, TOKEN_PAUSE, 0, INCOMING_SUBJECT,
	    ACT_PAUSE, false },
	{ INCOMING_FEEDBACK, 0, 0, TOKEN_UNSUBSCRIBE, 0, INCOMING_RETURNED_LINK, ACT_NONE, false },
};

static struct incoming *
make_mail(const struct fixture *fx, size_t i)
{
	struct incoming *in = calloc(1, sizeof(*in));

	in->kind = rows[i].kind;
	in->verb = rows[i].verb;
	in->flags = rows[i].flags;
	add_candidate(in, fx->keys, rows[i].purpose, rows[i].epoch, rows[i].place);
	return in;
}

static void
test_rows(void **state)
{
	const struct fixture *fx = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct incoming *in = make_mail(fx, i);
		struct decision d;

		decide(in, fx->keys, &d);
		if (d.act != rows[i].act || d.may_answer != rows[i].may_answer)
			fail_msg("row %zu: act %d, %s", i, (int)d.act, d.words);
		if (d.act != ACT_NONE &&
		    (d.reader != READER ||
			d.period != (rows[i].purpose == TOKEN_BOUNCE ? PERIOD : 0)))
			fail_msg("row %zu: reader %lld, period %lld", i, (long long)d.reader,
			    (long long)d.period);
		free(in);
	}
}

/* Whatever letter is another one, nothing is done, and no reason tells it from a token of somebody else. */
static void
test_each_letter(void **state)
{
	const struct fixture *fx = *state;
	struct incoming *in = make_mail(fx, 16);
	char *text = in->candidates[0].text;
	struct decision d, none;
	const size_t len = strlen(text);

	decide(in, fx->keys, &d);
	assert_int_equal(d.act, ACT_UNSUBSCRIBE);
	in->ncandidates = 0;
	decide(in, fx->keys, &none);
	in->ncandidates = 1;
	/* The last of 50 letters has two bits that stand for nothing but must be 0. */
	for (size_t i = 0; i < len; i++) {
		const char was = text[i];

		for (const char *c = "abcdefghijklmnopqrstuvwxyz234567"; *c != '\0'; c++) {
			if (*c == was)
				continue;
			text[i] = *c;
			decide(in, fx->keys, &d);
			if (d.act != ACT_NONE || strcmp(d.words, none.words) != 0)
				fail_msg("letter %zu as %c: %s", i, *c, d.words);
		}
		text[i] = was;
	}
	for (size_t i = 0; i < len; i++)
		text[i] = (char)toupper((unsigned char)text[i]);
	decide(in, fx->keys, &d);
	assert_int_equal(d.act, ACT_UNSUBSCRIBE);
	free(in);
}

/* A report of a button to leave is a wish to leave, with either token of the digest; it is not answered. */
static void
test_opt_out(void **state)
{
	static const struct {
		const char *type;
		enum token_purpose purpose;
		uint32_t epoch;
		enum incoming_place place;
		enum act act;
	} cases[] = {
		{ "opt-out", TOKEN_BOUNCE, PERIOD, INCOMING_REPORTED, ACT_UNSUBSCRIBE },
		{ "opt-out", TOKEN_BOUNCE, PERIOD, INCOMING_RETURNED_PATH, ACT_UNSUBSCRIBE },
		{ "Opt-Out-List", TOKEN_UNSUBSCRIBE, 0, INCOMING_RETURNED_LINK, ACT_UNSUBSCRIBE },
		{ "opt-out", TOKEN_UNSUBSCRIBE, 1, INCOMING_RETURNED_LINK, ACT_NONE },
		{ "opt-out", TOKEN_PAUSE, 0, INCOMING_RETURNED_LINK, ACT_NONE },
		{ "opt-out", TOKEN_BOUNCE, PERIOD, INCOMING_SUBJECT, ACT_NONE },
		{ "opt-outs", TOKEN_BOUNCE, PERIOD, INCOMING_REPORTED, ACT_NONE },
		{ "not-spam", TOKEN_BOUNCE, PERIOD, INCOMING_REPORTED, ACT_NONE },
		{ "virus", TOKEN_BOUNCE, PERIOD, INCOMING_REPORTED, ACT_NONE },
		{ "", TOKEN_BOUNCE, PERIOD, INCOMING_REPORTED, ACT_NONE },
	};
	const struct fixture *fx = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct incoming *in = calloc(1, sizeof(*in));
		struct decision d;

		in->kind = INCOMING_FEEDBACK;
		snprintf(in->reason, sizeof(in->reason), "%s", cases[i].type);
		add_candidate(in, fx->keys, cases[i].purpose, cases[i].epoch, cases[i].place);
		decide(in, fx->keys, &d);
		if (d.act != cases[i].act || d.may_answer)
			fail_msg("row %zu: act %d", i, (int)d.act);
		free(in);
	}
}

/* Of a run that has a number, not of a day. */
static void
test_long_period(void **state)
{
	const struct fixture *fx = *state;
	struct incoming *in = calloc(1, sizeof(*in));
	struct decision d;

	in->kind = INCOMING_BOUNCE;
	add_candidate(in, fx->keys, TOKEN_BOUNCE, (uint32_t)(PERIOD_ALWAYS + (int64_t)1234567890),
	    INCOMING_TO);
	decide(in, fx->keys, &d);
	assert_int_equal(d.period, PERIOD_ALWAYS + (int64_t)1234567890);
	free(in);
}

static void
test_recipient(void **state)
{
	static const struct incoming_recipient dead = { .fate = INCOMING_BOUNCE,
		.class = SMTP_CLASS_DEAD,
		.address = "x@other.net" },
					       full = { .fate = INCOMING_BOUNCE,
						       .class = SMTP_CLASS_TEMPORARY,
						       .address = "y@other.net" },
					       fine = { .fate = INCOMING_DELIVERED,
						       .address = "z@other.net" },
					       ours = { .fate = INCOMING_BOUNCE,
						       .class = SMTP_CLASS_DEAD,
						       .address = "ADA@example.net" },
					       forwarded = { .fate = INCOMING_BOUNCE,
						       .class = SMTP_CLASS_DEAD,
						       .address = "w@other.net",
						       .original = "Ada@Example.net" };
	const struct subscriber reader = { .address = "Ada@example.net",
		.canonical = "ada@example.net" };
	const struct {
		const struct incoming_recipient *all[3];
		size_t n, want;
	} cases[] = {
		{ { &dead }, 1, 0 },
		{ { &dead, &full }, 2, 1 },
		{ { &dead, &full, &fine }, 3, 2 },
		{ { &fine, &full, &ours }, 3, 2 },
		{ { &full, &forwarded }, 2, 1 },
		{ { &dead, &dead }, 2, 0 },
	};
	struct incoming *in = calloc(1, sizeof(*in));

	(void)state;
	assert_null(decide_recipient(in, &reader));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		in->nrecipients = (uint32_t)cases[i].n;
		for (size_t k = 0; k < cases[i].n; k++)
			in->recipients[k] = *cases[i].all[k];
		if (decide_recipient(in, &reader) != &in->recipients[cases[i].want])
			fail_msg("row %zu", i);
	}
	free(in);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_each_letter),
		cmocka_unit_test(test_opt_out),
		cmocka_unit_test(test_long_period),
		cmocka_unit_test(test_recipient),
	};

	return cmocka_run_group_tests_name("decide", tests, setup, teardown);
}
