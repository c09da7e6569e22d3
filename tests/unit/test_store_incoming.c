/* Mails from outside as the store keeps them: each once, by reader and time, and what is to be scored. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "digest/returned.h"
#include "store_test.h"

static struct store_returned
returned(unsigned char id, int64_t reader, int64_t at_utc)
{
	return (struct store_returned){ .id = { id },
		.reader = reader,
		.period = T_TODAY,
		.at_utc = at_utc,
		.kind = RETURNED_BOUNCE,
		.class = BOUNCE_DEAD,
		.status = "5.1.1",
		.reply = "no such user",
		.decided = "counted" };
}

static int
put(struct fixture *fx, const struct store_returned *r)
{
	int added;

	must(fx, store_begin(fx->store, &fx->err));
	must(fx, added = store_add_returned(fx->store, r, &fx->err));
	must(fx, store_commit(fx->store, true, &fx->err));
	return added;
}

static size_t
load(struct fixture *fx, int64_t reader, int64_t since_utc, struct store_returned **out)
{
	size_t n;

	must(fx, store_load_returned(fx->store, reader, since_utc, 100, &fx->a, out, &n, &fx->err));
	return n;
}

static void
test_once(void **state)
{
	struct fixture *fx = *state;
	struct store_returned r = returned(1, 7, T_NOW), *found;

	assert_int_equal(put(fx, &r), 1);
	r.status = "4.2.2";
	r.at_utc++;
	assert_int_equal(put(fx, &r), 0);
	assert_int_equal(load(fx, 7, 0, &found), 1);
	assert_string_equal(found->status, "5.1.1");
	assert_string_equal(found->reply, "no such user");
	assert_string_equal(found->decided, "counted");
	assert_int_equal(found->id[0], 1);
	assert_int_equal(found->period, T_TODAY);
	assert_int_equal(found->at_utc, T_NOW);
	assert_int_equal(found->class, BOUNCE_DEAD);
	assert_int_equal(found->counted, COUNT_WAITS);
	assert_int_equal(load(fx, 7, T_NOW + 1, &found), 0);
	assert_int_equal(load(fx, 8, 0, &found), 0);
}

static void
test_what_waits(void **state)
{
	struct fixture *fx = *state;
	struct store_returned r, *found;
	int64_t reader = 0;
	size_t n;

	for (unsigned char i = 1; i <= 6; i++) {
		r = returned(i, i <= 4 ? 7 : i, T_NOW + i);
		r.counted = i == 6 ? COUNT_DONE : COUNT_WAITS;
		put(fx, &r);
	}
	must(fx, store_count_waiting_returned(fx->store, &n, &fx->err));
	assert_int_equal(n, 5);
	assert_int_equal(store_next_returned(fx->store, true, 0, &reader, &fx->err), 1);
	assert_int_equal(reader, 5);
	assert_int_equal(store_next_returned(fx->store, true, 5, &reader, &fx->err), 1);
	assert_int_equal(reader, 7);
	assert_int_equal(store_next_returned(fx->store, true, 7, &reader, &fx->err), 0);
	assert_int_equal(store_next_returned(fx->store, false, 5, &reader, &fx->err), 1);
	assert_int_equal(reader, 6);

	must(fx, store_begin(fx->store, &fx->err));
	must(fx, store_count_returned(fx->store, 7, &fx->err));
	load(fx, 7, 0, &found);
	must(fx, store_decide_returned(fx->store, found->id, "paused", T_TODAY + 14, &fx->err));
	must(fx, store_forget_returned(fx->store, "no", &n, &fx->err));
	must(fx, store_commit(fx->store, true, &fx->err));
	assert_int_equal(n, 1);
	assert_int_equal(load(fx, 7, 0, &found), 4);
	assert_int_equal(found[0].counted, COUNT_DONE);
	assert_int_equal(found[0].paused_until, T_TODAY + 14);
	assert_string_equal(found[0].decided, "paused");
	assert_string_equal(found[1].decided, "counted");
	assert_int_equal(load(fx, 5, 0, &found), 1);
	assert_int_equal(found->counted, COUNT_NEVER);
	assert_string_equal(found->decided, "no");
}

static void
test_counts(void **state)
{
	struct fixture *fx = *state;
	struct store_dead dead[2];
	struct store_returned r;
	size_t n;

	for (unsigned char i = 1; i <= 12; i++) {
		r = returned(i, i, T_NOW + i);
		r.period = i <= 5 ? T_TODAY - 1 : T_TODAY;
		r.class = i == 12 ? BOUNCE_POLICY : BOUNCE_DEAD;
		r.answered = i == 3;
		put(fx, &r);
	}
	must(fx, store_load_dead(fx->store, T_NOW, 5, dead, 2, &n, &fx->err));
	assert_int_equal(n, 2);
	assert_int_equal(dead[0].ndead, 5);
	assert_int_equal(dead[1].ndead, 6);
	must(fx, store_load_dead(fx->store, T_NOW, 6, dead, 2, &n, &fx->err));
	assert_int_equal(n, 1);
	assert_int_equal(dead[0].period, T_TODAY);
	must(fx, store_load_dead(fx->store, T_NOW + 2, 5, dead, 2, &n, &fx->err));
	assert_int_equal(n, 1);
	must(fx, store_count_bounces(fx->store, BOUNCE_POLICY, T_NOW, &n, &fx->err));
	assert_int_equal(n, 1);
	must(fx, store_count_bounces(fx->store, BOUNCE_DEAD, T_NOW + 2, &n, &fx->err));
	assert_int_equal(n, 10);
	assert_int_equal(store_was_answered(fx->store, 3, T_NOW, &fx->err), 1);
	assert_int_equal(store_was_answered(fx->store, 3, T_NOW + 3, &fx->err), 0);
	assert_int_equal(store_was_answered(fx->store, 4, T_NOW, &fx->err), 0);
}

/* A digest that left at a second of its own, and perhaps came back. */
static void
mail(struct fixture *fx, const char *address, int64_t at_utc, enum bounce_class class)
{
	int64_t reader = find_reader(fx, address)->sub.id;
	struct edition e = { .period = T_TODAY,
		.reader = reader,
		.state = EDITION_LEASED,
		.day = T_TODAY,
		.since_day = T_TODAY,
		.note = "" };
	struct store_returned r = returned((unsigned char)reader, reader, at_utc + 60);

	must(fx, store_begin(fx->store, &fx->err));
	must(fx, store_lease_editions(fx->store, &e, 1, at_utc, &fx->err));
	must(fx, store_intend_edition(fx->store, T_TODAY, reader, &fx->err));
	must(fx,
	    store_settle_try(
		fx->store, T_TODAY, reader, EDITION_SENT, "main", "250 Ok", at_utc, 0, &fx->err));
	must(fx, store_commit(fx->store, false, &fx->err));
	r.class = class;
	r.reply = address;
	if (class != 0)
		put(fx, &r);
}

static int
find_row(struct fixture *fx, const char *domain, size_t row, const char **reply)
{
	return store_find_row(
	    fx->store, BOUNCE_POLICY, domain, T_NOW, row, &fx->a, reply, &fx->err);
}

/* A row is of mails to one domain as they left, whatever stands between them for others. */
static void
test_rows(void **state)
{
	static const struct {
		const char *address;
		enum bounce_class class;
	} mails[] = { { "a@far.example", BOUNCE_POLICY }, { "b@far.example", BOUNCE_POLICY },
		{ "c@sofar.example", 0 }, { "d@sub.far.example", BOUNCE_DEAD },
		{ "e@far.example", BOUNCE_POLICY }, { "f@far.example", 0 },
		{ "g@far.example", BOUNCE_POLICY }, { "h@far.example", BOUNCE_DEAD },
		{ "i@sofar.example", BOUNCE_POLICY } };
	enum { N = sizeof(mails) / sizeof(mails[0]) };
	struct fixture *fx = *state;
	struct subscriber readers[N];
	const char **domains, *reply;
	size_t n;

	for (size_t i = 0; i < N; i++)
		readers[i] = make_reader(mails[i].address);
	sync_readers(fx, readers, N, true, T_NOW - 10);
	for (size_t i = 0; i < N; i++)
		mail(fx, mails[i].address, T_NOW + (int64_t)i, mails[i].class);
	must(fx,
	    store_load_bounced_domains(
		fx->store, BOUNCE_POLICY, T_NOW, 1, &fx->a, &domains, &n, &fx->err));
	assert_int_equal(n, 2);
	assert_string_equal(domains[0], "far.example");
	assert_string_equal(domains[1], "sofar.example");
	must(fx,
	    store_load_bounced_domains(
		fx->store, BOUNCE_POLICY, T_NOW, 2, &fx->a, &domains, &n, &fx->err));
	assert_int_equal(n, 1);
	must(fx,
	    store_load_bounced_domains(
		fx->store, BOUNCE_POLICY, T_NOW + 3600, 1, &fx->a, &domains, &n, &fx->err));
	assert_int_equal(n, 0);
	assert_int_equal(find_row(fx, "far.example", 3, &reply), 1);
	assert_string_equal(reply, "e@far.example");
	assert_int_equal(find_row(fx, "far.example", 4, &reply), 0);
	assert_int_equal(find_row(fx, "sofar.example", 1, &reply), 1);
	assert_int_equal(find_row(fx, "sofar.example", 2, &reply), 0);
	assert_int_equal(find_row(fx, "%.example", 1, &reply), 0);
	assert_int_equal(find_row(fx, "example", 1, &reply), 0);
}

/* A person who is forgotten leaves nothing here either, and what is old goes. */
static void
test_forgetting(void **state)
{
	const struct store_keep keep = { 1000 * (int64_t)T_DAY_S, 1000 * (int64_t)T_DAY_S,
		30 * T_DAY_S };
	struct fixture *fx = *state;
	struct store_returned r, *found;
	size_t n[PRUNED_KINDS];

	for (unsigned char i = 1; i <= 3; i++) {
		r = returned(
		    i, i, T_NOW - (i - 1) * (int64_t)200 * T_DAY_S - (i == 3 ? T_DAY_S : 0));
		r.counted = COUNT_DONE;
		put(fx, &r);
	}
	must(fx, store_begin(fx->store, &fx->err));
	must(fx, store_prune(fx->store, T_NOW, &keep, n, &fx->err));
	must(fx, store_commit(fx->store, true, &fx->err));
	assert_int_equal(n[PRUNED_INCOMING], 1);
	assert_int_equal(load(fx, 0, 0, &found), 2);
	assert_string_equal(found[0].reply, "no such user");
	assert_string_equal(found[1].reply, "");
	must(fx, store_begin(fx->store, &fx->err));
	must(fx, store_erase_reader(fx->store, 1, &fx->err));
	must(fx, store_commit(fx->store, true, &fx->err));
	assert_int_equal(load(fx, 1, 0, &found), 0);
	assert_int_equal(load(fx, 2, 0, &found), 1);
}

/* Points are of an address: who has another one, or agreed to be mailed again, begins without. */
static void
test_new_address(void **state)
{
	struct fixture *fx = *state;
	struct subscriber ada = make_reader("ada@example.org");
	struct store_returned r, *found;
	int64_t reader;

	sync_readers(fx, &ada, 1, false, T_NOW);
	reader = find_reader(fx, "ada@example.org")->sub.id;
	r = returned(1, reader, T_NOW);
	r.counted = COUNT_DONE;
	put(fx, &r);
	must(fx, store_begin(fx->store, &fx->err));
	must(fx, store_suppress(fx->store, "ada@example.org", SUPPRESSED_BOUNCED, T_NOW, &fx->err));
	must(fx, store_unsuppress(fx->store, "ada@example.org", "by phone", T_NOW, &fx->err));
	must(fx, store_commit(fx->store, true, &fx->err));
	assert_int_equal(load(fx, reader, 0, &found), 1);
	assert_int_equal(found->counted, COUNT_NEVER);

	r = returned(2, reader, T_NOW + 1);
	r.counted = COUNT_DONE;
	put(fx, &r);
	ada = make_reader("lovelace@example.org");
	sync_readers(fx, &ada, 1, true, T_NOW);
	assert_int_equal(load(fx, reader, 0, &found), 2);
	assert_int_equal(found->counted, COUNT_DONE);
	ada = make_reader("countess@example.org");
	ada.was = "ada@example.org";
	sync_readers(fx, &ada, 1, true, T_NOW);
	assert_int_equal(find_reader(fx, "countess@example.org")->sub.id, reader);
	assert_int_equal(load(fx, reader, 0, &found), 2);
	assert_int_equal(found->counted, COUNT_NEVER);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		T(test_once),
		T(test_what_waits),
		T(test_counts),
		T(test_rows),
		T(test_forgetting),
		T(test_new_address),
	};

	return cmocka_run_group_tests_name("store_incoming", tests, NULL, NULL);
}
