/* Readers: the pass over the config file, vanishing blocks, `was`, suppression, erasure; and
 * 100,000 of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store_test.h"

#include "digest/clock.h"
#include "store/db.h"

static int64_t
bump_change_seq(struct fixture *fx)
{
	static const char *const names[] = { "1", "2", "3", "4", "5", "6" };
	struct store_sizes sizes;
	int64_t seq;

	must(fx, store_load_sizes(fx->store, &sizes, &fx->err));
	put_one(fx, "arxiv", make_paper(fx, names[sizes.npapers], T_TODAY), T_NOW);
	must(fx, store_change_seq(fx->store, &seq, &fx->err));
	return seq;
}

static void
set_cursor(struct fixture *fx, int64_t reader, int64_t seq)
{
	struct edition e = { .period = T_TODAY,
		.reader = reader,
		.state = EDITION_EMPTY,
		.cursor_to = seq,
		.note = "" };

	must(fx, store_begin(fx->store, &fx->err));
	must(fx, store_lease_editions(fx->store, &e, 1, T_NOW, &fx->err));
	must(fx, store_commit(fx->store, true, &fx->err));
}

static void
test_round_trip(void **state)
{
	struct fixture *fx = *state;
	struct subscriber s = make_reader("ada@example.org");
	struct store_sync_counts c;
	struct store_reader *r;

	s.empty = EMPTY_NOTE;
	s.updates = UPDATES_OFF;
	s.paused_until = T_TODAY + 3;
	c = sync_readers(fx, &s, 1, false, T_NOW);
	assert_int_equal(c.nreaders + c.nadded, 2);
	r = find_reader(fx, "ada@example.org");
	assert_string_equal(r->sub.name, "Ada");
	assert_string_equal(r->sub.timezone, "Europe/London");
	assert_string_equal(r->sub.when, "daily 07:30");
	assert_string_equal(r->sub.file, "digest.conf");
	assert_int_equal(r->sub.line, 12);
	assert_int_equal(r->sub.limit, 10);
	assert_int_equal(r->sub.outside, 3);
	assert_int_equal(r->sub.empty, EMPTY_NOTE);
	assert_int_equal(r->sub.updates, UPDATES_OFF);
	assert_int_equal(r->sub.paused_until, T_TODAY + 3);
	assert_int_equal(r->sub.nfilters, 2);
	assert_string_equal(r->sub.filters[0].match, "\"gaussian splatting\" OR nerf");
	assert_int_equal(r->sub.filters[1].sort, SORT_TRENDING);
	assert_int_equal(r->cursor_seq, -1);
	assert_int_equal(r->state, READER_ACTIVE);
	assert_int_equal(r->created_utc, T_NOW);
}

/* Each row changes a block of a known reader. */
static const struct {
	const char *what, *name;
	uint32_t line;
	size_t nchanged;
} moves[] = {
	{ "nothing", "Ada", 12, 0 },
	{ "only its line", "Ada", 99, 0 },
	{ "the name", "Augusta Ada", 12, 1 },
};

static void
test_changed_blocks(void **state)
{
	struct fixture *fx = *state;

	for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
		struct subscriber s = make_reader("ada@example.org");
		struct store_sync_counts c;
		struct store_reader *r;

		sync_readers(fx, &s, 1, false, T_NOW);
		s.name = moves[i].name;
		s.line = moves[i].line;
		c = sync_readers(fx, &s, 1, false, T_NOW);
		r = find_reader(fx, "ada@example.org");
		if (c.nchanged != moves[i].nchanged || c.nadded != 0 ||
		    r->sub.line != moves[i].line || strcmp(r->sub.name, moves[i].name) != 0)
			fail_msg("row %zu: %s: %zu changed", i, moves[i].what, c.nchanged);
	}
}

static void
test_broken_block(void **state)
{
	struct fixture *fx = *state;
	struct subscriber ada = make_reader("ada@example.org");
	struct subscriber bob = { .address = "bob@example.org",
		.canonical = "bob@example.org",
		.was = "",
		.file = "digest.conf",
		.line = 30 };
	struct store_sync_counts c;

	sync_readers(fx, &ada, 1, false, T_NOW);
	ada.name = "";
	ada.nfilters = 0;
	must(fx, store_begin(fx->store, &fx->err));
	must(fx, store_sync_begin(fx->store, "/etc/digest/digest.conf", T_NOW, &fx->err));
	must(fx, store_sync_reader(fx->store, &ada, false, &fx->err));
	must(fx, store_sync_reader(fx->store, &bob, false, &fx->err));
	must(fx, store_sync_end(fx->store, false, &c, &fx->err));
	must(fx, store_commit(fx->store, true, &fx->err));
	assert_int_equal(c.nvanished, 0);
	assert_true(find_reader(fx, "ada@example.org")->broken);
	assert_string_equal(find_reader(fx, "ada@example.org")->sub.name, "Ada");
	assert_int_equal(find_reader(fx, "ada@example.org")->sub.nfilters, 2);
	assert_null(find_reader(fx, "bob@example.org"));
	ada = make_reader("ada@example.org");
	sync_readers(fx, &ada, 1, false, T_NOW);
	assert_false(find_reader(fx, "ada@example.org")->broken);
}

static struct subscriber *
make_readers(struct fixture *fx, size_t n)
{
	struct subscriber *readers = arena_array(&fx->a, n, sizeof(*readers));

	for (size_t i = 0; i < n; i++)
		readers[i] = make_reader(arena_printf(&fx->a, "reader%zu@example.org", i));
	return readers;
}

static size_t
count_active(struct fixture *fx)
{
	size_t n;

	must(fx, store_count_readers(fx->store, &n, &fx->err));
	return n;
}

/* How many of how many blocks go at once, and whether that is believed. */
static const struct {
	size_t had, gone;
	bool accept, held_back;
} vanishings[] = {
	{ 1, 1, false, false },
	{ 3, 3, false, false },
	{ 5, 4, false, true },
	{ 5, 4, true, false },
	{ 40, 4, false, false },
	{ 40, 5, false, true },
	{ 40, 40, false, true },
	{ 40, 40, true, false },
};

static void
test_vanishing_blocks(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(vanishings) / sizeof(vanishings[0]); i++) {
		struct store_sync_counts c;
		struct subscriber *readers;
		struct fixture *fx;
		void *fixture = NULL;
		size_t had = vanishings[i].had, left = had - vanishings[i].gone;

		assert_int_equal(fixture_setup(&fixture), 0);
		fx = fixture;
		readers = make_readers(fx, had);
		sync_readers(fx, readers, had, false, T_NOW);
		c = sync_readers(fx, readers, left, vanishings[i].accept, T_NOW);
		if (c.held_back != vanishings[i].held_back || c.nvanished != vanishings[i].gone ||
		    c.nended != (c.held_back ? 0 : vanishings[i].gone) || count_active(fx) != left)
			fail_msg("row %zu: held back %d, %zu ended, %zu active", i,
			    (int)c.held_back, c.nended, count_active(fx));
		/* A second run without a word holds back the same. */
		if (c.held_back && !sync_readers(fx, readers, left, false, T_NOW).held_back)
			fail_msg("row %zu: gave in", i);
		/* All back again: whatever happened, nobody is new. */
		c = sync_readers(fx, readers, had, false, T_NOW);
		if (c.nadded != 0 || count_active(fx) != had)
			fail_msg("row %zu: %zu added, %zu active", i, c.nadded, count_active(fx));
		fixture_teardown(&fixture);
	}
}

static int
count_reader(void *arg, const struct store_reader *r)
{
	size_t *n = arg;

	if (r->sub.id == 0)
		return -1;
	(*n)++;
	return 0;
}

static void
test_vanished_are_not_handed_out(void **state)
{
	struct fixture *fx = *state;
	struct subscriber *readers = make_readers(fx, 600);
	size_t n = 0;

	sync_readers(fx, readers, 600, false, T_NOW);
	must(fx, store_each_reader(fx->store, false, count_reader, &n, &fx->err));
	assert_int_equal(n, 600);
	assert_true(sync_readers(fx, readers, 100, false, T_NOW).held_back);
	n = 0;
	must(fx, store_each_reader(fx->store, false, count_reader, &n, &fx->err));
	assert_int_equal(n, 100);
	n = 0;
	must(fx, store_each_reader(fx->store, true, count_reader, &n, &fx->err));
	assert_int_equal(n, 600);
	assert_true(find_reader(fx, "reader300@example.org")->vanished);
}

/* No welcome, and nothing of what came in the meantime. */
static void
test_coming_back(void **state)
{
	struct fixture *fx = *state;
	struct subscriber s = make_reader("ada@example.org");
	int64_t id, before, after;

	before = bump_change_seq(fx);
	sync_readers(fx, &s, 1, false, T_NOW);
	id = find_reader(fx, "ada@example.org")->sub.id;
	set_cursor(fx, id, before);
	assert_int_equal(sync_readers(fx, NULL, 0, false, T_NOW).nended, 1);
	assert_int_equal(find_reader(fx, "ada@example.org")->state, READER_ENDED);
	after = bump_change_seq(fx);
	assert_int_equal(sync_readers(fx, &s, 1, false, T_NOW + 9 * T_DAY_S).nresumed, 1);
	assert_int_equal(find_reader(fx, "ada@example.org")->sub.id, id);
	assert_int_equal(find_reader(fx, "ada@example.org")->state, READER_ACTIVE);
	assert_int_equal(find_reader(fx, "ada@example.org")->cursor_seq, after);
	/* Nor were the days in between missed. */
	assert_int_equal(find_reader(fx, "ada@example.org")->last_period, T_TODAY + 8);
}

static void
test_ended_are_kept_60_days(void **state)
{
	struct fixture *fx = *state;
	struct subscriber s = make_reader("ada@example.org");

	sync_readers(fx, &s, 1, false, T_NOW);
	sync_readers(fx, NULL, 0, false, T_NOW);
	for (int day = 59; day <= 61; day += 2) {
		prune(fx, T_NOW + day * (int64_t)T_DAY_S, T_DAY_S, T_DAY_S);
		assert_int_equal(find_reader(fx, "ada@example.org") != NULL, day == 59);
	}
}

/* Reason of the suppression of the old address, and whether the new one has it. */
static const struct {
	int reason; /* -1 = none */
	bool carried;
} carries[] = {
	{ -1, false },
	{ SUPPRESSED_UNSUBSCRIBED, true },
	{ SUPPRESSED_COMPLAINT, true },
	{ SUPPRESSED_OPERATOR, true },
	{ SUPPRESSED_BOUNCED, false },
};

static void
test_was(void **state)
{
	struct fixture *fx = *state;

	for (size_t i = 0; i < sizeof(carries) / sizeof(carries[0]); i++) {
		struct subscriber s = make_reader(arena_printf(&fx->a, "old%zu@example.org", i));
		struct store_sync_counts c;
		struct store_reader *r;
		int64_t id;

		sync_readers(fx, &s, 1, true, T_NOW);
		id = find_reader(fx, s.canonical)->sub.id;
		must(fx, store_begin(fx->store, &fx->err));
		if (carries[i].reason >= 0)
			must(fx,
			    store_suppress(fx->store, s.canonical,
				(enum suppression_reason)carries[i].reason, T_NOW, &fx->err));
		must(fx, store_commit(fx->store, true, &fx->err));
		s.was = arena_printf(&fx->a, "old%zu@example.org", i);
		s.address = s.canonical = arena_printf(&fx->a, "new%zu@example.org", i);
		c = sync_readers(fx, &s, 1, true, T_NOW);
		r = find_reader(fx, s.canonical);
		if (r == NULL || r->sub.id != id || c.nadded != 0 ||
		    r->suppressed != carries[i].carried)
			fail_msg("row %zu: id %d, suppressed %d", i,
			    r != NULL ? (int)r->sub.id : -1, r != NULL ? (int)r->suppressed : -1);
		assert_string_equal(r->sub.address, s.address);
		/* The block may keep its `was` for ever. */
		assert_int_equal(sync_readers(fx, &s, 1, true, T_NOW).nadded, 0);
	}
}

static void
test_block_takes_over_command(void **state)
{
	struct fixture *fx = *state;
	struct subscriber s = make_reader("ada@example.org");
	struct store_reader *r;

	s.origin = ORIGIN_COMMAND;
	s.file = "";
	must(fx, store_begin(fx->store, &fx->err));
	must(fx,
	    store_put_reader(
		fx->store, &s, "1767312000 command asked by letter\n", T_NOW, &fx->err));
	must(fx, store_commit(fx->store, true, &fx->err));
	r = find_reader(fx, "ada@example.org");
	assert_int_equal(r->sub.origin, ORIGIN_COMMAND);
	/* A reader by command is none of the file's, so it cannot vanish from it. */
	assert_int_equal(sync_readers(fx, NULL, 0, false, T_NOW).nvanished, 0);
	assert_int_equal(count_active(fx), 1);
	s = make_reader("ada@example.org");
	assert_int_equal(sync_readers(fx, &s, 1, false, T_NOW).nchanged, 1);
	r = find_reader(fx, "ada@example.org");
	assert_int_equal(r->sub.origin, ORIGIN_FILE);
	assert_string_equal(
	    r->consent, "1767312000 command asked by letter\n1728043200 file digest.conf\n");
	must(fx, store_begin(fx->store, &fx->err));
	assert_int_equal(store_put_reader(fx->store, &s, "", T_NOW, &fx->err), -1);
	assert_string_equal(fx->err.msg, "ada@example.org is in digest.conf:12; edit there");
	store_rollback(fx->store);
}

static void
test_suppression_outlives_all(void **state)
{
	struct fixture *fx = *state;
	struct subscriber s = make_reader("ada@example.org");
	enum suppression_reason reason;
	int64_t since, id;

	sync_readers(fx, &s, 1, false, T_NOW);
	id = find_reader(fx, "ada@example.org")->sub.id;
	must(fx, store_begin(fx->store, &fx->err));
	must(fx, store_suppress(fx->store, "ada@example.org", SUPPRESSED_BOUNCED, T_NOW, &fx->err));
	must(fx,
	    store_suppress(
		fx->store, "ada@example.org", SUPPRESSED_UNSUBSCRIBED, T_NOW + 5, &fx->err));
	must(fx,
	    store_suppress(fx->store, "ada@example.org", SUPPRESSED_BOUNCED, T_NOW + 9, &fx->err));
	must(fx, store_erase_reader(fx->store, id, &fx->err));
	must(fx, store_commit(fx->store, true, &fx->err));
	assert_null(find_reader(fx, "ada@example.org"));
	sync_readers(fx, &s, 1, false, T_NOW);
	assert_true(find_reader(fx, "ada@example.org")->suppressed);
	assert_true(find_reader(fx, "ada@example.org")->sub.id > id);
	assert_int_equal(
	    store_is_suppressed(fx->store, "ada@example.org", &reason, &since, &fx->err), 1);
	assert_int_equal(reason, SUPPRESSED_UNSUBSCRIBED);
	assert_int_equal(since, T_NOW);
	assert_int_equal(
	    store_is_suppressed(fx->store, "bob@example.org", &reason, &since, &fx->err), 0);

	must(fx, store_begin(fx->store, &fx->err));
	assert_int_equal(store_unsuppress(fx->store, "ada@example.org", "", T_NOW, &fx->err), -1);
	assert_non_null(strstr(fx->err.msg, "--consent"));
	must(fx, store_unsuppress(fx->store, "ada@example.org", "by phone", T_NOW, &fx->err));
	must(fx, store_commit(fx->store, true, &fx->err));
	assert_false(find_reader(fx, "ada@example.org")->suppressed);
	assert_string_equal(find_reader(fx, "ada@example.org")->consent,
	    "1728043200 file digest.conf\n1728043200 resume by phone\n");
}

static void
test_newest_suppressions(void **state)
{
	static const char *const names[] = { "a@example.org", "b@example.org", "c@example.org" };
	struct fixture *fx = *state;
	struct subscriber s[3];
	struct store_suppression *list;
	size_t n;

	for (size_t i = 0; i < 3; i++)
		s[i] = make_reader(names[i]);
	sync_readers(fx, s, 3, false, T_NOW);
	must(fx, store_load_suppressions(fx->store, 2, &fx->a, &list, &n, &fx->err));
	assert_int_equal(n, 0);
	must(fx, store_begin(fx->store, &fx->err));
	for (size_t i = 0; i < 3; i++)
		must(fx,
		    store_suppress(fx->store, names[i], SUPPRESSED_BOUNCED,
			T_NOW + (i == 1 ? 9 : (int)i), &fx->err));
	/* Nobody knows whose hash this is. */
	must(fx,
	    store_suppress(fx->store, "x@example.org", SUPPRESSED_COMPLAINT, T_NOW + 20, &fx->err));
	must(fx, store_commit(fx->store, true, &fx->err));
	must(fx, store_load_suppressions(fx->store, 2, &fx->a, &list, &n, &fx->err));
	assert_int_equal(n, 2);
	assert_string_equal(list[0].address, "b@example.org");
	assert_int_equal(list[0].since_utc, T_NOW + 9);
	assert_int_equal(list[0].reason, SUPPRESSED_BOUNCED);
	assert_string_equal(list[1].address, "c@example.org");
}

/* F-89: no byte of the address is left in the file. */
static void
test_erasure_leaves_no_bytes(void **state)
{
	struct fixture *fx = *state;
	struct subscriber s = make_reader("zebra.canary@example.org");
	char *bytes = arena_alloc(&fx->a, 1 << 20);
	size_t len;
	FILE *file;

	sync_readers(fx, &s, 1, false, T_NOW);
	must(fx, store_begin(fx->store, &fx->err));
	must(fx, store_erase_reader(fx->store, find_reader(fx, s.canonical)->sub.id, &fx->err));
	must(fx, store_suppress(fx->store, s.canonical, SUPPRESSED_UNSUBSCRIBED, T_NOW, &fx->err));
	must(fx, store_commit(fx->store, true, &fx->err));
	store_close(fx->store);
	fx->store = NULL;
	assert_non_null(file = fopen(fx->path, "rb"));
	len = fread(bytes, 1, 1 << 20, file);
	fclose(file);
	assert_true(len > 4096);
	assert_null(memmem(bytes, len, "zebra", 5));
}

static void
test_pause_by_mail_survives_sync(void **state)
{
	struct fixture *fx = *state;
	struct subscriber s = make_reader("ada@example.org");

	sync_readers(fx, &s, 1, false, T_NOW);
	must(fx, store_begin(fx->store, &fx->err));
	must(fx,
	    store_pause_reader(
		fx->store, find_reader(fx, s.canonical)->sub.id, T_TODAY + 9, &fx->err));
	must(fx, store_commit(fx->store, true, &fx->err));
	s.name = "Changed";
	sync_readers(fx, &s, 1, false, T_NOW);
	assert_int_equal(find_reader(fx, s.canonical)->sub.paused_until, T_TODAY + 9);
}

static void
test_damaged_profiles(void **state)
{
	struct fixture *fx = *state;
	struct subscriber s = make_reader("ada@example.org"), got = { 0 };
	struct strbuf packed;

	strbuf_init(&packed, 1 << 16);
	readers_pack(&packed, &s);
	assert_int_equal(
	    readers_unpack((unsigned char *)packed.buf, packed.len, &fx->a, &got, &fx->err), 0);
	for (size_t len = 0; len < packed.len; len++)
		if (readers_unpack((unsigned char *)packed.buf, len, &fx->a, &got, &fx->err) != -1)
			fail_msg("a profile cut at %zu was taken", len);
	strbuf_release(&packed);
}

static void
test_speed(void **state)
{
	enum { N = 100000 };
	struct fixture *fx = *state;
	struct subscriber *readers = make_readers(fx, N);
	struct store_sync_counts c;
	int64_t start, add_ms, same_ms, each_ms;
	size_t n = 0;

	start = clock_monotonic_ms();
	c = sync_readers(fx, readers, N, false, T_NOW);
	add_ms = clock_monotonic_ms() - start;
	assert_int_equal(c.nadded, N);
	start = clock_monotonic_ms();
	c = sync_readers(fx, readers, N, false, T_NOW);
	same_ms = clock_monotonic_ms() - start;
	assert_int_equal(c.nadded + c.nchanged + c.nended, 0);
	start = clock_monotonic_ms();
	must(fx, store_each_reader(fx->store, false, count_reader, &n, &fx->err));
	each_ms = clock_monotonic_ms() - start;
	assert_int_equal(n, N);
	print_message("100,000 readers added in %d ms, unchanged in %d ms, read in %d ms\n",
	    (int)add_ms, (int)same_ms, (int)each_ms);
	assert_true(same_ms < 20000);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		T(test_round_trip),
		T(test_changed_blocks),
		T(test_broken_block),
		cmocka_unit_test(test_vanishing_blocks),
		T(test_vanished_are_not_handed_out),
		T(test_coming_back),
		T(test_ended_are_kept_60_days),
		T(test_was),
		T(test_block_takes_over_command),
		T(test_suppression_outlives_all),
		T(test_newest_suppressions),
		T(test_erasure_leaves_no_bytes),
		T(test_pause_by_mail_survives_sync),
		T(test_damaged_profiles),
		T(test_speed),
	};

	return cmocka_run_group_tests_name("store_readers", tests, NULL, NULL);
}
