/* Several accounts in one loop: none waits for another. */
#include "smtp_trial.h"

#include "digest/clock.h"

enum { NACCOUNTS = 3 };

/* One queue with a lane for each account, and what became of their mails. */
struct lanes {
	struct {
		int nmails, next, nsent, nother;
		const char *const *tos;	  /* their recipients in turn */
		int64_t gap_ms, again_ms; /* a rate; 0 = none */
		int nasked;
		int64_t last_ms; /* when the last of them was settled */
		struct error why;
	} lanes[NACCOUNTS];
	int64_t stop_ms; /* from then on nothing more is to leave; 0 = never */
};

static const char *const nobodies[] = { "a@example.net", NULL };

static int
lanes_next(void *arg, unsigned lane, struct delivery *out, struct error *err)
{
	struct lanes *q = arg;
	const char *const *tos = q->lanes[lane].tos != NULL ? q->lanes[lane].tos : nobodies;
	int64_t now_ms = clock_monotonic_ms();
	size_t ntos = 0;

	q->lanes[lane].nasked++;
	if (q->lanes[lane].next == q->lanes[lane].nmails ||
	    (q->stop_ms > 0 && now_ms >= q->stop_ms))
		return QUEUE_EMPTY;
	if (q->lanes[lane].again_ms > now_ms) {
		out->again_ms = q->lanes[lane].again_ms;
		return QUEUE_LATER;
	}
	q->lanes[lane].again_ms = now_ms + q->lanes[lane].gap_ms;
	while (tos[ntos] != NULL)
		ntos++;
	out->period = lane;
	out->reader = q->lanes[lane].next++;
	snprintf(out->sender, sizeof(out->sender), "me@example.org");
	out->needs_smtputf8 = false;
	snprintf(out->to, sizeof(out->to), "%s", tos[(size_t)out->reader % ntos]);
	strbuf_add(&out->bytes, "Subject: mail\r\n\r\nHello.\r\n");
	return strbuf_check(&out->bytes, err) == 0 ? QUEUE_MAIL : -1;
}

static int
lanes_intend(void *arg, const struct delivery *const *mails, size_t n, struct error *err)
{
	(void)arg;
	(void)mails;
	(void)n;
	(void)err;
	return 0;
}

static int
lanes_settle(void *arg, const struct delivery_outcome *outcomes, size_t n, struct error *err)
{
	struct lanes *q = arg;

	(void)err;
	for (size_t i = 0; i < n; i++) {
		bool sent = outcomes[i].outcome == OUTCOME_SENT;

		q->lanes[outcomes[i].period].nsent += sent;
		q->lanes[outcomes[i].period].nother += !sent;
		q->lanes[outcomes[i].period].last_ms = clock_monotonic_ms();
	}
	return 0;
}

static bool
lanes_must_stop(void *arg)
{
	const struct lanes *q = arg;

	return q->stop_ms > 0 && clock_monotonic_ms() >= q->stop_ms;
}

static void
lanes_stopped(void *arg, unsigned lane, const struct error *why)
{
	struct lanes *q = arg;

	q->lanes[lane].why = *why;
}

/* One server for each script; a script NULL: nobody listens. Returns what sink_run did. */
static int
run_accounts(struct lanes *q, const struct smtp_script *const *scripts, struct smtp_server *servers,
    const struct smtp_options *like, size_t n)
{
	const struct delivery_queue queue = { .arg = q,
		.next = lanes_next,
		.intend = lanes_intend,
		.settle = lanes_settle,
		.must_stop = lanes_must_stop,
		.stopped = lanes_stopped };
	struct smtp_options options[NACCOUNTS];
	char urls[NACCOUNTS][64];
	struct sink *sink = NULL;
	struct error err = { 0 };
	struct log log;
	int rc;

	for (size_t i = 0; i < n; i++) {
		options[i] = *like;
		options[i].lane = (unsigned)i;
		options[i].url = urls[i];
		options[i].helo = "client.example.org";
		if (scripts[i] != NULL && smtp_server_start(&servers[i], scripts[i]) == -1)
			fail_msg("no loopback");
		snprintf(urls[i], sizeof(urls[i]), "smtp://127.0.0.1:%u",
		    scripts[i] != NULL ? servers[i].port : 1);
	}
	log_init(&log, "test", -1, LOG_LEVEL_ERROR);
	if (sink_open_smtp(options, n, &log, &sink, &err) == -1)
		fail_msg("%s", err.msg);
	rc = sink_run(sink, &queue, &err);
	sink_free(sink);
	return rc;
}

static void
stop_servers(const struct smtp_script *const *scripts, struct smtp_server *servers, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (scripts[i] != NULL)
			smtp_server_stop(&servers[i]);
}

/* One falls silent, one is not there: the third has sent all its mails long before the first has given up. */
static void
test_none_waits(void **state)
{
	const struct smtp_script silent = { .reply[AT_RCPT] = "" }, well = { 0 };
	const struct smtp_script *const scripts[] = { &silent, NULL, &well };
	/* Silence is taken for 3 s: time enough for the third, on a busy machine as well. */
	const struct smtp_options like = { .connections = 2, .timeout_scale = 0.01 };
	struct smtp_server servers[NACCOUNTS];
	struct lanes q = { .lanes = { { .nmails = 2 }, { .nmails = 5 }, { .nmails = 100 } } };

	(void)state;
	assert_int_equal(run_accounts(&q, scripts, servers, &like, NACCOUNTS), 0);
	assert_int_equal(q.lanes[0].nother, 2);
	assert_int_equal(q.lanes[1].nsent, 0);
	assert_int_equal(q.lanes[1].why.kind, ERR_NET);
	/* What it has not asked for waits in the queue. */
	assert_int_equal(q.lanes[1].next, q.lanes[1].nother);
	assert_int_equal(q.lanes[2].nsent, 100);
	assert_int_equal(q.lanes[2].why.kind, ERR_NONE);
	assert_true(q.lanes[2].last_ms < q.lanes[0].last_ms);
	stop_servers(scripts, servers, NACCOUNTS);
}

/* While one pauses, the others go on; it comes back in the same run. */
static void
test_pause_and_return(void **state)
{
	const struct smtp_script shut = { .reply[AT_MAIL] = "", .close[AT_MAIL] = true },
				 well = { 0 };
	const struct smtp_script *const scripts[] = { &shut, &well };
	/* A pause of 3 s. */
	const struct smtp_options like = { .connections = 1, .timeout_scale = 0.005 };
	struct smtp_server servers[NACCOUNTS];
	struct lanes q = { .lanes = { { .nmails = 6 }, { .nmails = 100 } } };

	(void)state;
	assert_int_equal(run_accounts(&q, scripts, servers, &like, 2), 0);
	assert_int_equal(q.lanes[0].nother, 6);
	assert_int_equal(servers[0].seen->nconnections, 6);
	assert_int_equal(q.lanes[1].nsent, 100);
	assert_true(q.lanes[1].last_ms < q.lanes[0].last_ms);
	stop_servers(scripts, servers, 2);
}

/* A lane whose time has not come is asked again at it, not all the time, and keeps nobody. */
static void
test_later(void **state)
{
	const struct smtp_script well = { 0 };
	const struct smtp_script *const scripts[] = { &well, &well };
	const struct smtp_options like = { .connections = 2 };
	struct smtp_server servers[NACCOUNTS];
	struct lanes q = { .lanes = { { .nmails = 8, .gap_ms = 200 }, { .nmails = 50 } } };
	int64_t start_ms = clock_monotonic_ms();

	(void)state;
	assert_int_equal(run_accounts(&q, scripts, servers, &like, 2), 0);
	assert_int_equal(q.lanes[0].nsent, 8);
	assert_true(q.lanes[0].last_ms - start_ms >= 7 * 200);
	assert_true(q.lanes[1].last_ms < q.lanes[0].last_ms);
	stop_servers(scripts, servers, 2);
	/* Alone, and stopped while it waits. */
	q = (struct lanes){ .lanes = { { .nmails = 8, .gap_ms = 60000 } },
		.stop_ms = clock_monotonic_ms() + 2000 };
	start_ms = clock_monotonic_ms();
	assert_int_equal(run_accounts(&q, scripts, servers, &like, 1), 0);
	assert_int_equal(q.lanes[0].nsent, 1);
	assert_true(clock_monotonic_ms() - start_ms < 50000);
	assert_true(q.lanes[0].nasked < 30);
	stop_servers(scripts, servers, 1);
}

/* Slow start: one mail to a domain at a time at first, and other domains pass those that wait. */
static void
test_pacing(void **state)
{
	static const char *const one[] = { "a@one.example", NULL };
	static const char *const four[] = { "a@one.example", "a@one.example", "a@one.example",
		"a@one.example", "b@two.example", "c@three.example", "d@four.example", NULL };
	static const struct {
		const char *const *tos;
		int nmails;
		bool paced;
		unsigned least, most; /* connections open at once */
	} cases[] = {
		{ one, 18, true, 1, 1 },
		{ one, 1000, false, 2, 4 }, /* enough for a second one to open meanwhile */
		{ four, 280, true, 2, 4 },
		{ one, 200, true, 2, 4 },
	};
	const struct smtp_script well = { 0 };
	const struct smtp_script *const scripts[] = { &well };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct smtp_options like = { .connections = 4, .paced = cases[i].paced };
		struct lanes q = { .lanes = {
				       { .nmails = cases[i].nmails, .tos = cases[i].tos } } };
		struct smtp_server servers[NACCOUNTS];
		unsigned open;
		int rc = run_accounts(&q, scripts, servers, &like, 1);

		open = servers[0].seen->most_open;
		if (rc != 0 || q.lanes[0].nsent != cases[i].nmails || open < cases[i].least ||
		    open > cases[i].most)
			fail_msg("case %zu: %d sent, %u connections", i, q.lanes[0].nsent, open);
		stop_servers(scripts, servers, 1);
	}
}

/* A domain that asks for a pause gets one: its mails are deferred untried, the other domain's go out. */
static void
test_domain_pauses(void **state)
{
	static const char *const tos[] = { "a@bad.example", "b@good.example", NULL };
	const struct smtp_script script = { .bad_rcpt = "bad.",
		.bad_reply = "450 4.7.28 slow\r\n" };
	const struct smtp_script *const scripts[] = { &script };
	const struct smtp_options like = { .connections = 2, .paced = true };
	struct smtp_server servers[NACCOUNTS];
	struct lanes q = { .lanes = { { .nmails = 300, .tos = tos } } };

	(void)state;
	assert_int_equal(run_accounts(&q, scripts, servers, &like, 1), 0);
	assert_int_equal(q.lanes[0].nsent, 150);
	assert_int_equal(q.lanes[0].nother, 150);
	assert_int_equal(smtp_server_count(&servers[0], "RCPT TO:<a@bad"), 5);
	stop_servers(scripts, servers, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_none_waits),
		cmocka_unit_test(test_pause_and_return),
		cmocka_unit_test(test_later),
		cmocka_unit_test(test_pacing),
		cmocka_unit_test(test_domain_pauses),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
