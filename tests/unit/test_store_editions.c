/* Editions: states, sweeps after a kill and after a power loss, copies, cursors given back,
 * suppression at the last moment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store_test.h"

#include "digest/clock.h"
#include "store/db.h"

enum { HOUR_S = 3600, PERIOD = T_TODAY };

/* A reader and a paper, so that there is something to plan. */
static int64_t
add_reader(struct fixture *fx, const char *address)
{
	struct subscriber s = make_reader(address);

	s.origin = ORIGIN_COMMAND;
	must(fx, store_begin(fx->store, &fx->err));
	must(fx, store_put_reader(fx->store, &s, "", T_NOW, &fx->err));
	must(fx, store_commit(fx->store, true, &fx->err));
	return find_reader(fx, address)->sub.id;
}

static struct edition_pick picks[] = {
	{ .paper = 1,
	    .revision = 1,
	    .version = 1,
	    .section = 0,
	    .score = 1.5f,
	    .score_text = 0.25f,
	    .score_votes = 0.5f,
	    .score_trend = -0.0f,
	    .score_freshness = 0.75f,
	    .risen = true,
	    .why = "nerf, votes>=30",
	    .also_in = "mine\nothers" },
	{ .paper = 70000,
	    .revision = 3,
	    .version = 0,
	    .section = UINT32_MAX,
	    .cut = true,
	    .more = 300,
	    .replaced = true,
	    .why = "",
	    .also_in = "" },
};

static struct edition
make_edition(int64_t period, int64_t reader)
{
	struct edition e = { .period = period,
		.reader = reader,
		.cursor_from = 3,
		.cursor_to = 9,
		.composed_utc = T_NOW,
		.day = 20686,
		.since_day = 20680,
		.note = "half filled",
		.nread = 412,
		.nmatched = 11,
		.picks = picks,
		.npicks = 2 };

	memset(e.hash, 0x5a, sizeof(e.hash));
	return e;
}

static void
begin(struct fixture *fx)
{
	must(fx, store_begin(fx->store, &fx->err));
}

static void
commit(struct fixture *fx)
{
	must(fx, store_commit(fx->store, true, &fx->err));
}

static void
lease(struct fixture *fx, int64_t period, int64_t reader)
{
	struct edition e = make_edition(period, reader);

	begin(fx);
	must(fx, store_lease_editions(fx->store, &e, 1, T_NOW, &fx->err));
	commit(fx);
	assert_int_equal(e.state, EDITION_LEASED);
}

static void
settle_as(
    struct fixture *fx, int64_t period, int64_t reader, enum edition_state state, int64_t next_utc)
{
	begin(fx);
	must(fx,
	    store_settle_edition(
		fx->store, period, reader, state, "250 2.0.0 ok", T_NOW, next_utc, &fx->err));
	commit(fx);
}

static void
intend(struct fixture *fx, int64_t period, int64_t reader)
{
	begin(fx);
	must(fx, store_intend_edition(fx->store, period, reader, &fx->err));
	must(fx, store_commit(fx->store, false, &fx->err));
}

static struct edition *
load(struct fixture *fx, int64_t reader)
{
	struct edition *e;
	size_t n;

	must(fx, store_load_editions(fx->store, reader, 1, &fx->a, &e, &n, &fx->err));
	assert_int_equal(n, 1);
	return e;
}

static bool
was_sent(struct fixture *fx, int64_t reader)
{
	struct sent_list sent;

	must(fx, store_load_sent(fx->store, reader, &fx->a, &sent, &fx->err));
	return sent.len > 0;
}

static void
test_round_trip(void **state)
{
	struct fixture *fx = *state;
	int64_t ada = add_reader(fx, "ada@example.org");
	struct edition *e, want = make_edition(PERIOD, ada);

	lease(fx, PERIOD, ada);
	assert_int_equal(store_find_unsettled(fx->store, ada, &fx->a, &e, &fx->err), 1);
	assert_int_equal(e->period, PERIOD);
	assert_int_equal(e->cursor_from, 3);
	assert_int_equal(e->cursor_to, 9);
	assert_int_equal(e->day, 20686);
	assert_int_equal(e->since_day, 20680);
	assert_string_equal(e->note, "half filled");
	assert_int_equal(e->nread, 412);
	assert_int_equal(e->nmatched, 11);
	assert_memory_equal(e->hash, want.hash, sizeof(e->hash));
	assert_int_equal(e->npicks, 2);
	for (size_t i = 0; i < 2; i++) {
		const struct edition_pick *p = &e->picks[i], *q = &picks[i];

		if (p->paper != q->paper || p->revision != q->revision ||
		    p->version != q->version || p->section != q->section || p->cut != q->cut ||
		    p->risen != q->risen || p->replaced != q->replaced ||
		    memcmp(&p->score, &q->score, 5 * sizeof(float)) != 0 ||
		    strcmp(p->why, q->why) != 0 || strcmp(p->also_in, q->also_in) != 0)
			fail_msg("pick %zu differs", i);
	}
	assert_int_equal(find_reader(fx, "ada@example.org")->cursor_seq, 9);
	assert_int_equal(find_reader(fx, "ada@example.org")->last_period, PERIOD);
}

/* What happens to an edition, and what is true afterwards. */
/* Lease the edition that is due next after that one. */
static int
next_due(struct store *store, int64_t now_utc, int64_t period, int64_t reader, struct arena *a,
    struct edition **out, struct error *err)
{
	uint32_t copies;
	int found;

	while ((found = store_peek_due(store, now_utc, &period, &reader, &copies, err)) == 1) {
		found = store_lease_due(store, period, reader, a, out, err);
		if (found != 0)
			return found;
	}
	return found;
}

enum step {
	STOP,
	INTEND,
	SENT,
	FAILED,
	DEFER,
	UNKNOWN,
	HOLD,
	SWEEP,
	CRASH,
	POWER_LOSS,
	EXPIRE,
	MERGE,
	DUE
};

static const struct {
	const char *what;
	enum step steps[8];
	enum edition_state state;
	uint32_t copies;
	int64_t cursor; /* 9 = stays, 3 = papers are candidates again */
	bool sent;
} courses[] = {
	{ "leased", { STOP }, EDITION_LEASED, 0, 9, false },
	{ "sent", { INTEND, SENT }, EDITION_SENT, 1, 9, true },
	{ "refused before the dot", { FAILED }, EDITION_FAILED, 0, 9, false },
	{ "refused after the dot", { INTEND, FAILED }, EDITION_FAILED, 0, 9, false },
	{ "put off after the dot: no copy is out", { INTEND, DEFER }, EDITION_DEFERRED, 0, 9,
	    false },
	{ "put off and expired", { INTEND, DEFER, EXPIRE }, EDITION_EXPIRED, 0, 3, false },
	{ "put off and merged", { DEFER, MERGE }, EDITION_MERGED, 0, 3, false },
	{ "put off, taken up, sent", { DEFER, DUE, INTEND, SENT }, EDITION_SENT, 1, 9, true },
	{ "killed while leased", { CRASH }, EDITION_DEFERRED, 0, 9, false },
	{ "killed in intent", { INTEND, CRASH }, EDITION_DEFERRED, 1, 9, true },
	{ "killed twice in intent", { INTEND, CRASH, DUE, INTEND, CRASH }, EDITION_HELD, 2, 9,
	    true },
	{ "link lost, then sent", { INTEND, UNKNOWN, SWEEP, DUE, INTEND, SENT }, EDITION_SENT, 2, 9,
	    true },
	{ "link lost: never expires", { INTEND, UNKNOWN, SWEEP, EXPIRE }, EDITION_DEFERRED, 1, 9,
	    true },
	{ "power lost while leased: intent may be lost", { POWER_LOSS }, EDITION_DEFERRED, 1, 9,
	    true },
	{ "power lost twice", { POWER_LOSS, DUE, POWER_LOSS }, EDITION_HELD, 2, 9, true },
	{ "power lost in intent", { INTEND, POWER_LOSS }, EDITION_DEFERRED, 1, 9, true },
	{ "held by a person, released, sent", { DEFER, HOLD, DEFER, DUE, INTEND, SENT },
	    EDITION_SENT, 1, 9, true },
	{ "held does not expire by itself", { DEFER, HOLD, EXPIRE }, EDITION_HELD, 0, 9, false },
	{ "sent stays sent through a sweep", { INTEND, SENT, CRASH, POWER_LOSS }, EDITION_SENT, 1,
	    9, true },
};

static void
sweep(struct fixture *fx, const char *ambiguous)
{
	size_t nunknown, nheld;

	begin(fx);
	must(fx, store_sweep_editions(fx->store, ambiguous, T_NOW, &nunknown, &nheld, &fx->err));
	commit(fx);
}

static void
take_step(struct fixture *fx, int64_t reader, enum step step)
{
	struct edition *e;
	size_t n;

	switch (step) {
	case STOP:
		break;
	case INTEND:
		intend(fx, PERIOD, reader);
		break;
	case SENT:
		settle_as(fx, PERIOD, reader, EDITION_SENT, 0);
		break;
	case FAILED:
		settle_as(fx, PERIOD, reader, EDITION_FAILED, 0);
		break;
	case DEFER:
		settle_as(fx, PERIOD, reader, EDITION_DEFERRED, T_NOW);
		break;
	case UNKNOWN:
		settle_as(fx, PERIOD, reader, EDITION_UNKNOWN, 0);
		break;
	case HOLD:
		settle_as(fx, PERIOD, reader, EDITION_HELD, 0);
		break;
	case POWER_LOSS:
		reopen(fx, STORE_WRITE);
		fx->store->boot ^= ++fx->nboots; /* another one each time */
		sweep(fx, "retry");
		break;
	case CRASH:
		reopen(fx, STORE_WRITE);
		sweep(fx, "retry");
		break;
	case SWEEP:
		sweep(fx, "retry");
		break;
	case EXPIRE:
		begin(fx);
		must(fx,
		    store_expire_editions(
			fx->store, T_NOW + 40 * HOUR_S, 36 * HOUR_S, NULL, NULL, &n, &fx->err));
		commit(fx);
		break;
	case MERGE:
		begin(fx);
		must(fx, store_merge_edition(fx->store, PERIOD, reader, &fx->err));
		commit(fx);
		break;
	case DUE:
		begin(fx);
		assert_int_equal(next_due(fx->store, T_NOW, 0, 0, &fx->a, &e, &fx->err), 1);
		commit(fx);
		assert_int_equal(e->state, EDITION_LEASED);
		assert_int_equal(e->npicks, 2);
		break;
	}
}

static void
test_courses(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(courses) / sizeof(courses[0]); i++) {
		void *fixture = NULL;
		struct fixture *fx;
		struct edition *e;
		int64_t ada;

		assert_int_equal(fixture_setup(&fixture), 0);
		fx = fixture;
		ada = add_reader(fx, "ada@example.org");
		lease(fx, PERIOD, ada);
		for (size_t j = 0; j < 8 && courses[i].steps[j] != STOP; j++)
			take_step(fx, ada, courses[i].steps[j]);
		e = load(fx, ada);
		if (e->state != courses[i].state || e->copies != courses[i].copies ||
		    find_reader(fx, "ada@example.org")->cursor_seq != courses[i].cursor ||
		    was_sent(fx, ada) != courses[i].sent)
			fail_msg("row %zu: %s: %s, %u copies, cursor %d, sent %d", i,
			    courses[i].what, edition_state_name(e->state), e->copies,
			    (int)find_reader(fx, "ada@example.org")->cursor_seq,
			    (int)was_sent(fx, ada));
		fixture_teardown(&fixture);
	}
}

static const struct {
	const char *ambiguous;
	enum edition_state state;
} policies[] = {
	{ "retry", EDITION_DEFERRED },
	{ "hold", EDITION_HELD },
	{ "drop", EDITION_FAILED },
};

static void
test_policies_of_doubt(void **state)
{
	struct fixture *fx = *state;

	for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
		int64_t reader =
		    add_reader(fx, arena_printf(&fx->a, "%s@example.org", policies[i].ambiguous));

		lease(fx, PERIOD, reader);
		intend(fx, PERIOD, reader);
		sweep(fx, policies[i].ambiguous);
		if (load(fx, reader)->state != policies[i].state)
			fail_msg("row %zu: %s", i, edition_state_name(load(fx, reader)->state));
	}
}

static void
test_one_unsettled_per_reader(void **state)
{
	struct fixture *fx = *state;
	int64_t ada = add_reader(fx, "ada@example.org");
	struct edition e = make_edition(PERIOD + 1, ada), *found;

	lease(fx, PERIOD, ada);
	begin(fx);
	assert_int_equal(store_lease_editions(fx->store, &e, 1, T_NOW, &fx->err), -1);
	assert_non_null(strstr(fx->err.msg, "unsettled edition"));
	store_rollback(fx->store);
	settle_as(fx, PERIOD, ada, EDITION_SENT, 0);
	assert_int_equal(store_find_unsettled(fx->store, ada, &fx->a, &found, &fx->err), 0);
	lease(fx, PERIOD + 1, ada);
	/* The same period is never planned twice. */
	settle_as(fx, PERIOD + 1, ada, EDITION_SENT, 0);
	begin(fx);
	assert_int_equal(store_lease_editions(fx->store, &e, 1, T_NOW, &fx->err), -1);
	assert_non_null(strstr(fx->err.msg, "planned before"));
	store_rollback(fx->store);
}

/* What a person has to decide does not keep the reader from the next period's edition. */
static void
test_held_does_not_block(void **state)
{
	struct fixture *fx = *state;
	int64_t ada = add_reader(fx, "ada@example.org");

	lease(fx, PERIOD, ada);
	intend(fx, PERIOD, ada);
	sweep(fx, "hold");
	lease(fx, PERIOD + 1, ada);
	settle_as(fx, PERIOD, ada, EDITION_FAILED, 0);
	assert_int_equal(load(fx, ada)->state, EDITION_LEASED);
	assert_int_equal(find_reader(fx, "ada@example.org")->cursor_seq, 9);
}

struct seen {
	size_t n;
	struct {
		int64_t period, reader;
		enum edition_state state;
	} rows[8];
};

static int
note_edition(void *arg, const struct edition *e)
{
	struct seen *s = arg;

	assert_true(s->n < 8);
	s->rows[s->n].period = e->period;
	s->rows[s->n].reader = e->reader;
	s->rows[s->n++].state = e->state;
	return 0;
}

/* Nor does one of which a copy may be out, while it waits and while it is tried once more; a sweep finds both. */
static void
test_doubtful_does_not_block(void **state)
{
	struct fixture *fx = *state;
	int64_t ada = add_reader(fx, "ada@example.org");
	struct edition *e;
	struct seen s = { 0 };

	lease(fx, PERIOD, ada);
	intend(fx, PERIOD, ada);
	sweep(fx, "retry");
	begin(fx);
	assert_int_equal(next_due(fx->store, T_NOW, 0, 0, &fx->a, &e, &fx->err), 1);
	commit(fx);
	lease(fx, PERIOD + 1, ada);
	must(fx, store_each_unsettled(fx->store, note_edition, &s, &fx->err));
	assert_int_equal(s.n, 2);
	assert_int_equal(s.rows[0].period, PERIOD + 1);
	assert_int_equal(s.rows[1].period, PERIOD);
	/* The relay puts the second try off. */
	settle_as(fx, PERIOD, ada, EDITION_DEFERRED, T_NOW);
	settle_as(fx, PERIOD + 1, ada, EDITION_SENT, 0);
	lease(fx, PERIOD + 2, ada);
	begin(fx);
	assert_int_equal(next_due(fx->store, T_NOW, 0, 0, &fx->a, &e, &fx->err), 1);
	assert_int_equal(e->period, PERIOD);
	commit(fx);
	/* Killed now: neither is lost. */
	sweep(fx, "retry");
	begin(fx);
	assert_int_equal(next_due(fx->store, T_NOW, 0, 0, &fx->a, &e, &fx->err), 1);
	assert_int_equal(e->period, PERIOD);
	assert_int_equal(e->copies, 1);
	must(fx, store_intend_edition(fx->store, PERIOD, ada, &fx->err));
	commit(fx);
	sweep(fx, "retry");
	must(fx, store_load_edition(fx->store, PERIOD, ada, &fx->a, &e, &fx->err) - 1);
	assert_int_equal(e->state, EDITION_HELD);
	must(fx, store_load_edition(fx->store, PERIOD + 2, ada, &fx->a, &e, &fx->err) - 1);
	assert_int_equal(e->state, EDITION_DEFERRED);
	assert_int_equal(e->copies, 0);
}

/* It does not expire: what is put off for too long is for a person, who may have it tried again. */
static void
test_doubtful_and_old(void **state)
{
	static const struct {
		bool doubtful;
		int64_t oldest_utc;
		bool held;
	} rows[] = { { true, T_NOW + 1, true }, { true, T_NOW, false },
		{ false, T_NOW + 1, false } };
	struct fixture *fx = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char address[40];
		int64_t reader;
		bool held;

		snprintf(address, sizeof(address), "reader%zu@example.org", i);
		reader = add_reader(fx, address);
		lease(fx, PERIOD, reader);
		begin(fx);
		must(fx,
		    store_rehash_edition(
			fx->store, PERIOD, reader, (unsigned char[16]){ 1 }, T_NOW, &fx->err));
		commit(fx);
		if (rows[i].doubtful) {
			intend(fx, PERIOD, reader);
			sweep(fx, "retry");
		} else {
			settle_as(fx, PERIOD, reader, EDITION_DEFERRED, T_NOW);
		}
		begin(fx);
		must(fx,
		    store_hold_stale(
			fx->store, PERIOD, reader, rows[i].oldest_utc, &held, &fx->err));
		commit(fx);
		if (held != rows[i].held ||
		    load(fx, reader)->state != (held ? EDITION_HELD : EDITION_DEFERRED))
			fail_msg("row %zu: %s", i, edition_state_name(load(fx, reader)->state));
	}
}

/* Two of them are tried again one after the other. */
static void
test_doubtful_in_turn(void **state)
{
	struct fixture *fx = *state;
	int64_t ada = add_reader(fx, "ada@example.org");
	struct edition *e;

	for (int64_t period = PERIOD; period <= PERIOD + 1; period++) {
		lease(fx, period, ada);
		intend(fx, period, ada);
		sweep(fx, "retry");
	}
	begin(fx);
	assert_int_equal(next_due(fx->store, T_NOW, 0, 0, &fx->a, &e, &fx->err), 1);
	assert_int_equal(e->period, PERIOD);
	assert_int_equal(next_due(fx->store, T_NOW, 0, 0, &fx->a, &e, &fx->err), 0);
	commit(fx);
	settle_as(fx, PERIOD, ada, EDITION_SENT, 0);
	begin(fx);
	assert_int_equal(next_due(fx->store, T_NOW, 0, 0, &fx->a, &e, &fx->err), 1);
	assert_int_equal(e->period, PERIOD + 1);
	commit(fx);
}

static void
test_empty_edition(void **state)
{
	struct fixture *fx = *state;
	int64_t ada = add_reader(fx, "ada@example.org");
	struct edition e = make_edition(PERIOD, ada), *found;

	e.state = EDITION_EMPTY;
	e.npicks = 0;
	begin(fx);
	must(fx, store_lease_editions(fx->store, &e, 1, T_NOW, &fx->err));
	commit(fx);
	assert_int_equal(store_find_unsettled(fx->store, ada, &fx->a, &found, &fx->err), 0);
	assert_int_equal(find_reader(fx, "ada@example.org")->cursor_seq, 9);
	assert_int_equal(find_reader(fx, "ada@example.org")->last_edition_utc, T_NOW);
	assert_int_equal(load(fx, ada)->state, EDITION_EMPTY);
}

static void
suppress(struct fixture *fx, const char *address)
{
	begin(fx);
	must(fx, store_suppress(fx->store, address, SUPPRESSED_UNSUBSCRIBED, T_NOW, &fx->err));
	commit(fx);
}

static void
test_suppressed_are_not_leased(void **state)
{
	struct fixture *fx = *state;
	int64_t ada = add_reader(fx, "ada@example.org"), bob = add_reader(fx, "bob@example.org");
	struct edition both[] = { make_edition(PERIOD, ada), make_edition(PERIOD, bob) }, *rows;
	size_t n;

	suppress(fx, "ada@example.org");
	begin(fx);
	must(fx, store_lease_editions(fx->store, both, 2, T_NOW, &fx->err));
	commit(fx);
	assert_int_equal(both[0].state, EDITION_FAILED);
	assert_int_equal(both[1].state, EDITION_LEASED);
	must(fx, store_load_editions(fx->store, 0, 10, &fx->a, &rows, &n, &fx->err));
	assert_int_equal(n, 1);
	assert_int_equal(rows[0].reader, bob);
}

static void
test_suppressed_while_deferred(void **state)
{
	struct fixture *fx = *state;
	int64_t ada = add_reader(fx, "ada@example.org"), bob = add_reader(fx, "bob@example.org");
	struct edition *e;

	lease(fx, PERIOD, ada);
	lease(fx, PERIOD, bob);
	settle_as(fx, PERIOD, ada, EDITION_DEFERRED, T_NOW);
	settle_as(fx, PERIOD, bob, EDITION_DEFERRED, T_NOW);
	suppress(fx, "ada@example.org");
	begin(fx);
	assert_int_equal(next_due(fx->store, T_NOW, 0, 0, &fx->a, &e, &fx->err), 1);
	assert_int_equal(e->reader, bob);
	assert_int_equal(next_due(fx->store, T_NOW, e->period, e->reader, &fx->a, &e, &fx->err), 0);
	commit(fx);
	assert_int_equal(load(fx, ada)->state, EDITION_FAILED);
}

static void
test_due_in_order(void **state)
{
	struct fixture *fx = *state;
	int64_t readers[3], period = 0, reader = 0;
	struct edition *e;

	for (int i = 0; i < 3; i++) {
		readers[i] = add_reader(fx, arena_printf(&fx->a, "r%d@example.org", i));
		lease(fx, PERIOD - i, readers[i]);
		settle_as(fx, PERIOD - i, readers[i], EDITION_DEFERRED, T_NOW + (i == 1 ? 600 : 0));
	}
	begin(fx);
	for (int i = 2; i >= 0; i -= 2) { /* the one in the middle is not due yet */
		assert_int_equal(
		    next_due(fx->store, T_NOW, period, reader, &fx->a, &e, &fx->err), 1);
		assert_int_equal(e->reader, readers[i]);
		period = e->period;
		reader = e->reader;
	}
	assert_int_equal(next_due(fx->store, T_NOW, period, reader, &fx->a, &e, &fx->err), 0);
	commit(fx);
}

/* Only what was leased and has not begun to leave is given back, and that counts as no try. */
static void
test_free_leases(void **state)
{
	struct fixture *fx = *state;
	int64_t ada = add_reader(fx, "ada@example.org"), bob = add_reader(fx, "bob@example.org");

	lease(fx, PERIOD, ada);
	lease(fx, PERIOD, bob);
	begin(fx);
	must(fx, store_intend_edition(fx->store, PERIOD, bob, &fx->err));
	must(fx, store_free_edition(fx->store, PERIOD, ada, T_NOW + 7, &fx->err));
	must(fx, store_free_edition(fx->store, PERIOD, bob, T_NOW + 7, &fx->err));
	commit(fx);
	assert_int_equal(load(fx, ada)->state, EDITION_DEFERRED);
	assert_int_equal(load(fx, ada)->next_utc, T_NOW + 7);
	assert_int_equal(load(fx, ada)->attempts, 0);
	assert_int_equal(load(fx, bob)->state, EDITION_INTENT);
}

/* After a backup was put back, all that it calls unsettled waits for a person. */
static void
test_adopt_holds(void **state)
{
	static const enum edition_state wanted[] = { EDITION_HELD, EDITION_HELD, EDITION_HELD,
		EDITION_SENT };
	struct fixture *fx = *state;
	int64_t readers[4];
	size_t nheld = 0;

	for (size_t i = 0; i < 4; i++) {
		readers[i] = add_reader(fx, arena_printf(&fx->a, "r%zu@example.org", i));
		lease(fx, PERIOD, readers[i]);
	}
	begin(fx);
	must(fx, store_intend_edition(fx->store, PERIOD, readers[1], &fx->err));
	commit(fx);
	settle_as(fx, PERIOD, readers[2], EDITION_DEFERRED, T_NOW);
	settle_as(fx, PERIOD, readers[3], EDITION_SENT, 0);
	must(fx, store_adopt(fx->store, NULL, T_NOW, &nheld, &fx->err));
	assert_int_equal(nheld, 3);
	for (size_t i = 0; i < 4; i++)
		if (load(fx, readers[i])->state != wanted[i])
			fail_msg("row %zu: %s", i, edition_state_name(load(fx, readers[i])->state));
}

/* F-18: whoever lost the lease may not send, and may not overwrite an outcome. */
static void
test_fencing(void **state)
{
	struct fixture *fx = *state;
	int64_t ada = add_reader(fx, "ada@example.org");

	lease(fx, PERIOD, ada);
	sweep(fx, "retry"); /* another run took over */
	begin(fx);
	assert_int_equal(store_intend_edition(fx->store, PERIOD, ada, &fx->err), -1);
	must(fx,
	    store_settle_edition(fx->store, PERIOD, ada, EDITION_FAILED, "", T_NOW, 0, &fx->err));
	assert_int_equal(
	    store_settle_edition(fx->store, PERIOD, ada, EDITION_SENT, "", T_NOW, 0, &fx->err), -1);
	assert_non_null(strstr(fx->err.msg, "settled already"));
	store_rollback(fx->store);
}

static void
test_merge_and_rehash_only_when_not_out(void **state)
{
	static const unsigned char other[16] = "other bytes";
	struct fixture *fx = *state;
	int64_t ada = add_reader(fx, "ada@example.org");

	lease(fx, PERIOD, ada);
	begin(fx);
	must(fx, store_rehash_edition(fx->store, PERIOD, ada, other, T_NOW + 5, &fx->err));
	commit(fx);
	assert_memory_equal(load(fx, ada)->hash, other, 16);
	assert_int_equal(load(fx, ada)->composed_utc, T_NOW + 5);
	intend(fx, PERIOD, ada);
	begin(fx);
	assert_int_equal(store_rehash_edition(fx->store, PERIOD, ada, other, T_NOW, &fx->err), -1);
	assert_int_equal(store_merge_edition(fx->store, PERIOD, ada, &fx->err), -1);
	assert_non_null(strstr(fx->err.msg, "a copy may be out"));
	store_rollback(fx->store);
}

/* A filter with a schedule of its own moves on with the edition, and back when that comes to nothing. */
static void
test_slots(void **state)
{
	static const struct edition_slot moves[] = {
		{ { 77, -1, 0 }, { 77, 9, PERIOD } },
		{ { INT64_MAX, 4, PERIOD - 7 }, { INT64_MAX, 9, PERIOD } },
	};
	struct fixture *fx = *state;
	int64_t ada = add_reader(fx, "ada@example.org");
	struct edition e = make_edition(PERIOD, ada);
	struct store_slot *slots;
	size_t n;

	e.slots = moves;
	e.nslots = 2;
	begin(fx);
	must(fx, store_lease_editions(fx->store, &e, 1, T_NOW, &fx->err));
	commit(fx);
	must(fx, store_load_slots(fx->store, ada, &fx->a, &slots, &n, &fx->err));
	assert_int_equal(n, 2);
	for (size_t i = 0; i < 2; i++)
		assert_memory_equal(&slots[i], &moves[i].to, sizeof(slots[i]));
	assert_int_equal(load(fx, ada)->nslots, 2);
	assert_memory_equal(load(fx, ada)->slots, moves, sizeof(moves));
	begin(fx);
	must(fx, store_merge_edition(fx->store, PERIOD, ada, &fx->err));
	commit(fx);
	must(fx, store_load_slots(fx->store, ada, &fx->a, &slots, &n, &fx->err));
	for (size_t i = 0; i < 2; i++)
		assert_memory_equal(&slots[i], &moves[i].from, sizeof(slots[i]));
	/* Nobody else's are touched. */
	must(fx, store_load_slots(fx->store, ada + 1, &fx->a, &slots, &n, &fx->err));
	assert_int_equal(n, 0);
}

static void
test_history(void **state)
{
	struct fixture *fx = *state;
	int64_t ada = add_reader(fx, "ada@example.org"), bob = add_reader(fx, "bob@example.org");
	struct edition *rows;
	size_t n;

	for (int i = 0; i < 3; i++) {
		lease(fx, PERIOD + i, ada);
		settle_as(fx, PERIOD + i, ada, EDITION_SENT, 0);
	}
	lease(fx, PERIOD + 1, bob);
	must(fx, store_load_editions(fx->store, ada, 2, &fx->a, &rows, &n, &fx->err));
	assert_int_equal(n, 2);
	assert_int_equal(rows[0].period, PERIOD + 2);
	assert_int_equal(rows[1].period, PERIOD + 1);
	assert_string_equal(rows[0].reply, "250 2.0.0 ok");
	must(fx, store_load_editions(fx->store, bob, 10, &fx->a, &rows, &n, &fx->err));
	assert_int_equal(n, 1);
	must(fx, store_load_editions(fx->store, 0, 10, &fx->a, &rows, &n, &fx->err));
	assert_int_equal(n, 4);
}

static void
test_each_unsettled(void **state)
{
	struct fixture *fx = *state;
	int64_t ada = add_reader(fx, "ada@example.org"), bob = add_reader(fx, "bob@example.org");
	int64_t eve = add_reader(fx, "eve@example.org");
	struct seen s = { 0 };

	lease(fx, PERIOD, ada);
	lease(fx, PERIOD, bob);
	settle_as(fx, PERIOD, bob, EDITION_HELD, 0);
	lease(fx, PERIOD + 1, bob);
	settle_as(fx, PERIOD + 1, bob, EDITION_DEFERRED, T_NOW);
	lease(fx, PERIOD, eve);
	settle_as(fx, PERIOD, eve, EDITION_SENT, 0);
	assert_int_equal(store_each_unsettled(fx->store, note_edition, &s, &fx->err), 0);
	assert_int_equal(s.n, 3);
	assert_int_equal(s.rows[0].reader, bob);
	assert_int_equal(s.rows[0].state, EDITION_HELD);
	assert_int_equal(s.rows[1].period, PERIOD + 1);
	assert_int_equal(s.rows[1].state, EDITION_DEFERRED);
	assert_int_equal(s.rows[2].reader, ada);
	assert_int_equal(s.rows[2].state, EDITION_LEASED);
}

/* What a person says of an edition, and where that leaves it, its reader's cursor and a sweep after a kill. */
static void
test_by_hand(void **state)
{
	struct fixture *fx = *state;
	int64_t ada = add_reader(fx, "ada@example.org");
	struct edition *e;
	size_t nunknown, nheld;

	/* Nobody changes what a process holds. */
	lease(fx, PERIOD, ada);
	begin(fx);
	assert_int_equal(store_retry_edition(fx->store, PERIOD, ada, "", T_NOW, &fx->err), -1);
	assert_non_null(strstr(fx->err.msg, "does not wait"));
	assert_int_equal(store_drop_edition(fx->store, PERIOD, ada, "by hand", &fx->err), -1);
	store_rollback(fx->store);

	/* Dropped before it left: the cursor is where it was, and no edition stands in the reader's past. */
	settle_as(fx, PERIOD, ada, EDITION_DEFERRED, T_NOW);
	begin(fx);
	must(fx, store_drop_edition(fx->store, PERIOD, ada, "by hand", &fx->err));
	commit(fx);
	assert_int_equal(load(fx, ada)->state, EDITION_FAILED);
	assert_string_equal(load(fx, ada)->reply, "by hand");
	assert_int_equal(find_reader(fx, "ada@example.org")->cursor_seq, 3);
	assert_int_equal(find_reader(fx, "ada@example.org")->last_edition_utc, 0);
	assert_int_equal(store_find_unsettled(fx->store, ada, &fx->a, &e, &fx->err), 0);

	/* A copy may be out: its papers count as sent. */
	lease(fx, PERIOD + 1, ada);
	intend(fx, PERIOD + 1, ada);
	settle_as(fx, PERIOD + 1, ada, EDITION_UNKNOWN, 0);
	begin(fx);
	must(fx, store_drop_edition(fx->store, PERIOD + 1, ada, "by hand", &fx->err));
	commit(fx);
	assert_int_equal(find_reader(fx, "ada@example.org")->cursor_seq, 9);
	assert_true(was_sent(fx, ada));

	/* A held one is not taken up beside a newer one, and once it is, a sweep finds it again. */
	lease(fx, PERIOD + 2, ada);
	settle_as(fx, PERIOD + 2, ada, EDITION_HELD, 0);
	lease(fx, PERIOD + 3, ada);
	begin(fx);
	assert_int_equal(store_retry_edition(fx->store, PERIOD + 2, ada, "", T_NOW, &fx->err), -1);
	assert_int_equal(fx->err.kind, ERR_TEMP);
	store_rollback(fx->store);
	settle_as(fx, PERIOD + 3, ada, EDITION_SENT, 0);
	begin(fx);
	must(fx, store_retry_edition(fx->store, PERIOD + 2, ada, "", T_NOW, &fx->err));
	assert_int_equal(next_due(fx->store, T_NOW, 0, 0, &fx->a, &e, &fx->err), 1);
	must(fx, store_intend_edition(fx->store, PERIOD + 2, ada, &fx->err));
	must(fx, store_sweep_editions(fx->store, "hold", T_NOW, &nunknown, &nheld, &fx->err));
	commit(fx);
	assert_int_equal(nheld, 1);
}

/* Neither retention nor newer cards take away what an unsettled edition was made of. */
static void
test_needed_papers_stay(void **state)
{
	struct fixture *fx = *state;
	int64_t ada = add_reader(fx, "ada@example.org");
	struct paper *p = make_paper(fx, "2401.00001", T_TODAY), *frozen;

	put_one(fx, "huggingface", p, T_NOW);
	lease(fx, PERIOD, ada);
	for (int i = 1; i < 5; i++) {
		p->votes = i;
		put_one(fx, "huggingface", p, T_NOW + i * T_DAY_S);
	}
	for (int round = 0; round < 2; round++) {
		prune(fx, T_NOW + 500 * (int64_t)T_DAY_S, T_DAY_S, T_DAY_S);
		assert_int_equal(
		    store_load_snapshot(fx->store, 1, 1, &fx->a, &frozen, &fx->err), round == 0);
		if (round == 0)
			settle_as(fx, PERIOD, ada, EDITION_SENT, 0);
	}
}

/* A batch of leases, then intents and outcomes, as a run makes them. */
static void
test_speed(void **state)
{
	enum { N = 10000, BATCH = 1000 };
	struct fixture *fx = *state;
	struct edition *editions = arena_array(&fx->a, N, sizeof(*editions));
	struct edition_pick *ten = arena_array(&fx->a, 10, sizeof(*ten));
	int64_t start, lease_ms, settle_ms;

	for (int i = 0; i < 10; i++)
		ten[i] = (struct edition_pick){ .paper = i * 150 + 1,
			.revision = 1,
			.version = 1,
			.why = "nerf",
			.also_in = "" };
	begin(fx);
	for (int i = 0; i < N; i++) {
		struct subscriber s = make_reader(arena_printf(&fx->a, "r%d@example.org", i));

		must(fx, store_put_reader(fx->store, &s, "", T_NOW, &fx->err));
		editions[i] = make_edition(PERIOD, i + 1);
		editions[i].picks = ten;
		editions[i].npicks = 10;
	}
	commit(fx);
	start = clock_monotonic_ms();
	for (int i = 0; i < N; i += BATCH) {
		begin(fx);
		must(fx, store_lease_editions(fx->store, editions + i, BATCH, T_NOW, &fx->err));
		commit(fx);
	}
	lease_ms = clock_monotonic_ms() - start;
	start = clock_monotonic_ms();
	for (int i = 0; i < N; i += 64) {
		begin(fx);
		for (int j = i; j < i + 64 && j < N; j++) {
			must(fx, store_intend_edition(fx->store, PERIOD, j + 1, &fx->err));
			must(fx,
			    store_settle_edition(fx->store, PERIOD, j + 1, EDITION_SENT, "250 ok",
				T_NOW, 0, &fx->err));
		}
		must(fx, store_commit(fx->store, false, &fx->err));
	}
	settle_ms = clock_monotonic_ms() - start;
	print_message("10,000 editions leased in %d ms, intended and settled in %d ms\n",
	    (int)lease_ms, (int)settle_ms);
	assert_true(lease_ms + settle_ms < 20000);
}

/* Silent days in a row, up to the newest: the letters are editions, oldest first. */
static void
test_count_empty(void **state)
{
	static const struct {
		const char *states; /* E empty, S sent, F failed */
		size_t n;
	} cases[] = {
		{ "", 0 },
		{ "S", 0 },
		{ "E", 1 },
		{ "SEE", 2 },
		{ "EES", 0 },
		{ "EEEEESEEEEE", 5 },
		{ "EFE", 1 },
	};
	struct fixture *fx = *state;
	int64_t other = add_reader(fx, "bob@example.org");

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char address[32];
		int64_t reader;
		size_t n;

		snprintf(address, sizeof(address), "r%zu@example.org", i);
		reader = add_reader(fx, address);
		for (int64_t j = 0; cases[i].states[j] != '\0'; j++) {
			struct edition e = make_edition(PERIOD + j, reader);

			if (cases[i].states[j] == 'E') {
				e.state = EDITION_EMPTY;
				e.npicks = 0;
			}
			begin(fx);
			must(fx, store_lease_editions(fx->store, &e, 1, T_NOW, &fx->err));
			commit(fx);
			if (cases[i].states[j] != 'E')
				settle_as(fx, e.period, reader,
				    cases[i].states[j] == 'S' ? EDITION_SENT : EDITION_FAILED, 0);
		}
		must(fx, store_count_empty(fx->store, reader, &n, &fx->err));
		if (n != cases[i].n)
			fail_msg("row %zu: '%s' gave %zu", i, cases[i].states, n);
		must(fx, store_count_empty(fx->store, other, &n, &fx->err));
		assert_int_equal(n, 0);
	}
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		T(test_round_trip),
		cmocka_unit_test(test_courses),
		T(test_policies_of_doubt),
		T(test_one_unsettled_per_reader),
		T(test_held_does_not_block),
		T(test_doubtful_does_not_block),
		T(test_doubtful_in_turn),
		T(test_doubtful_and_old),
		T(test_empty_edition),
		T(test_suppressed_are_not_leased),
		T(test_suppressed_while_deferred),
		T(test_due_in_order),
		T(test_fencing),
		T(test_free_leases),
		T(test_adopt_holds),
		T(test_merge_and_rehash_only_when_not_out),
		T(test_slots),
		T(test_history),
		T(test_each_unsettled),
		T(test_by_hand),
		T(test_needed_papers_stay),
		T(test_speed),
		T(test_count_empty),
	};

	return cmocka_run_group_tests_name("store_editions", tests, NULL, NULL);
}
