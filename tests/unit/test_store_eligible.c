/* When a paper is new for a reader, each rule through the real store; and the
 * sent list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store_test.h"

#include "digest/limits.h"
#include "store/db.h"

enum { HOUR_S = 3600 };

/* ---- one reader, one paper: what happens before they look ---- */

enum event {
	END,
	ARXIV_TODAY,	 /* listed at arXiv, counts at once */
	HF_TODAY,	 /* listed at Hugging Face, counts 12 h after midnight */
	HF_TOMORROW,	 /* the same, a day later */
	BACKFILL,	 /* listed 20 days ago */
	TEN_DAYS_OLD,	 /* listed 10 days ago */
	REPLACED,	 /* version 2 announced today */
	MORE_VOTES,	 /* seen again with more votes */
	SEEN_AGAIN,	 /* delivered again as it was */
	SENT,		 /* an edition with it was sent */
	CUT,		 /* an edition named it only as a title */
	CONSIDERED,	 /* an edition without it was sent */
	EXPIRED,	 /* an edition with it was never sent and expired */
	MERGED,		 /* the same, taken into the next */
	OUTCOME_UNKNOWN, /* an edition with it may be out */
};

static const struct {
	const char *what;
	enum event events[5];
	bool plain, signals, replaced;
} cases[] = {
	{ "never seen", { END }, false, false, false },
	{ "listed today", { ARXIV_TODAY }, true, true, false },
	{ "sent", { ARXIV_TODAY, SENT }, false, false, false },
	{ "sent and seen again", { ARXIV_TODAY, SENT, MORE_VOTES }, false, false, false },
	{ "considered and not picked", { ARXIV_TODAY, CONSIDERED }, false, false, false },
	{ "considered, then nothing new", { ARXIV_TODAY, CONSIDERED, SEEN_AGAIN }, false, false,
	    false },
	{ "considered, then listed at HF a day after arXiv",
	    { ARXIV_TODAY, CONSIDERED, HF_TOMORROW }, true, true, false },
	{ "considered, then more votes", { ARXIV_TODAY, CONSIDERED, MORE_VOTES }, true, true,
	    false },
	{ "cut is considered", { ARXIV_TODAY, CUT }, false, false, false },
	{ "cut is not sent: a change brings it back", { ARXIV_TODAY, CUT, MORE_VOTES }, true, true,
	    false },
	{ "expired gives back", { ARXIV_TODAY, EXPIRED }, true, true, false },
	{ "merged gives back", { ARXIV_TODAY, MERGED }, true, true, false },
	{ "unknown counts as sent", { ARXIV_TODAY, OUTCOME_UNKNOWN, MORE_VOTES }, false, false,
	    false },
	{ "a back-fill", { BACKFILL }, false, false, false },
	{ "a back-fill with rising votes", { BACKFILL, MORE_VOTES }, false, false, false },
	{ "ten days old: for queries that read signals", { TEN_DAYS_OLD }, false, true, false },
	{ "an old paper in a new source", { BACKFILL, HF_TODAY }, false, false, false },
	{ "replaced after it was sent", { ARXIV_TODAY, SENT, REPLACED }, false, false, true },
	{ "replaced before it was sent", { ARXIV_TODAY, REPLACED }, true, true, false },
	{ "replaced, then sent", { ARXIV_TODAY, REPLACED, SENT }, false, false, false },
	{ "replaced, sent, then votes", { ARXIV_TODAY, REPLACED, SENT, MORE_VOTES }, false, false,
	    false },
};

struct world {
	struct fixture *fx;
	struct paper *paper;
	int64_t reader, period;
	int64_t now_utc;
};

static void
list_paper(struct world *w, const char *source, int32_t day, int64_t settle_s)
{
	w->paper->listed_day = day;
	put_papers(w->fx, source, &w->paper, 1, settle_s, w->now_utc);
	settle(w->fx, w->now_utc);
}

/* An edition of all that is new, with the paper as a pick or not; settled as told. */
static void
send_edition(struct world *w, bool with_paper, bool cut, enum edition_state state)
{
	struct fixture *fx = w->fx;
	struct paper *p = find(fx, "2401.00001");
	struct edition_pick pick = { .paper = p->id,
		.revision = p->revision,
		.version = p->version,
		.cut = cut,
		.why = "",
		.also_in = "" };
	struct store_reader *r;
	struct edition e = { .note = "",
		.period = ++w->period,
		.reader = w->reader,
		.composed_utc = w->now_utc,
		.picks = &pick,
		.npicks = with_paper ? 1 : 0 };
	size_t n, held;

	must(fx, store_load_reader(fx->store, w->reader, &fx->a, &r, &fx->err));
	must(fx, store_change_seq(fx->store, &e.cursor_to, &fx->err));
	e.cursor_from = r->cursor_seq;
	must(fx, store_begin(fx->store, &fx->err));
	must(fx, store_lease_editions(fx->store, &e, 1, w->now_utc, &fx->err));
	assert_int_equal(e.state, EDITION_LEASED);
	if (state == EDITION_MERGED) {
		must(fx, store_merge_edition(fx->store, e.period, e.reader, &fx->err));
	} else if (state == EDITION_EXPIRED) {
		must(fx,
		    store_settle_edition(fx->store, e.period, e.reader, EDITION_DEFERRED, "",
			w->now_utc, w->now_utc, &fx->err));
		must(fx,
		    store_expire_editions(fx->store, w->now_utc + 40 * HOUR_S, 36 * HOUR_S, NULL,
			NULL, &n, &fx->err));
		assert_int_equal(n, 1);
	} else {
		must(fx, store_intend_edition(fx->store, e.period, e.reader, &fx->err));
		if (state == EDITION_UNKNOWN)
			must(fx,
			    store_sweep_editions(
				fx->store, "hold", w->now_utc, &n, &held, &fx->err));
		else
			must(fx,
			    store_settle_edition(fx->store, e.period, e.reader, state, "250 ok",
				w->now_utc, 0, &fx->err));
	}
	must(fx, store_commit(fx->store, true, &fx->err));
}

static void
happen(struct world *w, enum event event)
{
	w->now_utc += HOUR_S;
	switch (event) {
	case END:
		break;
	case ARXIV_TODAY:
		list_paper(w, "arxiv", T_TODAY, 0);
		break;
	case HF_TODAY:
	case HF_TOMORROW:
		w->now_utc += event == HF_TOMORROW ? T_DAY_S : 0;
		list_paper(w, "huggingface", T_TODAY + (event == HF_TOMORROW), 12 * HOUR_S);
		break;
	case BACKFILL:
		list_paper(w, "arxiv", T_TODAY - 20, 0);
		break;
	case TEN_DAYS_OLD:
		list_paper(w, "arxiv", T_TODAY - 10, 0);
		break;
	case REPLACED:
		w->paper->version = 2;
		w->paper->kind = PAPER_REPLACE;
		list_paper(w, "arxiv", T_TODAY, 0);
		break;
	case MORE_VOTES:
		w->paper->votes += 10;
		list_paper(w, "arxiv", w->paper->listed_day, 0);
		break;
	case SEEN_AGAIN:
		list_paper(w, "arxiv", w->paper->listed_day, 0);
		break;
	case SENT:
	case CUT:
	case CONSIDERED:
		send_edition(w, event != CONSIDERED, event == CUT, EDITION_SENT);
		break;
	case EXPIRED:
		send_edition(w, true, false, EDITION_EXPIRED);
		break;
	case MERGED:
		send_edition(w, true, false, EDITION_MERGED);
		break;
	case OUTCOME_UNKNOWN:
		send_edition(w, true, false, EDITION_UNKNOWN);
		break;
	}
}

static void
look(struct world *w, size_t row)
{
	struct fixture *fx = w->fx;
	int64_t period_utc = T_TODAY * (int64_t)T_DAY_S;
	uint64_t plain = 0, signals = 0, replaced = 0;
	struct eligibility e;
	struct sent_list sent;
	struct store_reader *r;
	struct paper **papers;
	size_t n;

	must(fx, store_load_reader(fx->store, w->reader, &fx->a, &r, &fx->err));
	must(fx, store_load_sent(fx->store, w->reader, &fx->a, &sent, &fx->err));
	e.cursor_seq = r->cursor_seq;
	e.since_utc = period_utc - WINDOW_DAYS * T_DAY_S;
	e.signal_since_utc = period_utc - SIGNAL_WINDOW_DAYS * T_DAY_S;
	n = load_window(fx, e.signal_since_utc, w->now_utc, &papers);
	assert_true(n <= 1);
	store_mark_eligible(&e, &sent, papers, n, &plain, &signals, &replaced);
	if ((plain == 1) != cases[row].plain || (signals == 1) != cases[row].signals ||
	    (replaced == 1) != cases[row].replaced)
		fail_msg("row %zu: %s: plain %d, signals %d, replaced %d", row, cases[row].what,
		    (int)plain, (int)signals, (int)replaced);
}

static void
test_rules(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world w = { .now_utc = T_NOW, .period = T_TODAY };
		struct subscriber s = make_reader("ada@example.org");
		void *fixture = NULL;

		assert_int_equal(fixture_setup(&fixture), 0);
		w.fx = fixture;
		w.paper = make_paper(w.fx, "2401.00001", T_TODAY);
		w.paper->votes = 1;
		sync_readers(w.fx, &s, 1, false, T_NOW);
		w.reader = find_reader(w.fx, "ada@example.org")->sub.id;
		for (size_t j = 0; j < 5 && cases[i].events[j] != END; j++)
			happen(&w, cases[i].events[j]);
		look(&w, i);
		fixture_teardown(&fixture);
	}
}

/* An unsettled listing is not seen at all, so that votes mean something when it is. */
static void
test_unsettled_is_invisible(void **state)
{
	struct fixture *fx = *state;
	struct paper *p = make_paper(fx, "2401.00001", T_TODAY), **papers;
	int64_t midnight = T_TODAY * (int64_t)T_DAY_S;

	put_papers(fx, "huggingface", &p, 1, 12 * HOUR_S, midnight + HOUR_S);
	settle(fx, midnight + 11 * HOUR_S);
	assert_int_equal(load_window(fx, 0, midnight + 11 * HOUR_S, &papers), 0);
	settle(fx, midnight + 12 * HOUR_S);
	assert_int_equal(load_window(fx, 0, midnight + 12 * HOUR_S, &papers), 1);
}

/* A paper that settles late is new for a reader whose cursor has moved meanwhile. */
static void
test_settling_renews(void **state)
{
	struct fixture *fx = *state;
	struct paper *p = make_paper(fx, "2401.00001", T_TODAY);
	int64_t midnight = T_TODAY * (int64_t)T_DAY_S, cursor;

	put_papers(fx, "huggingface", &p, 1, 12 * HOUR_S, midnight + HOUR_S);
	must(fx, store_change_seq(fx->store, &cursor, &fx->err));
	settle(fx, midnight + 12 * HOUR_S);
	assert_true(find(fx, "2401.00001")->change_seq > cursor);
}

/* ---- the sent list ---- */

static size_t
read_list(const struct sent_list *list, struct sent_item *items, size_t max)
{
	struct unpack u = { list->bytes, list->bytes + list->len, false };
	int64_t id = 0;
	size_t n = 0;

	while (u.p < u.end && n < max) {
		id += (int64_t)unpack_uint(&u);
		items[n].paper = id;
		items[n++].version = (uint32_t)unpack_uint(&u);
	}
	assert_false(u.broken);
	return n;
}

static void
add_sent(struct fixture *fx, struct sent_item *items, size_t n)
{
	must(fx, store_begin(fx->store, &fx->err));
	must(fx, store_add_sent(fx->store, 1, items, n, T_NOW, &fx->err));
	must(fx, store_commit(fx->store, true, &fx->err));
}

static void
test_sent_list(void **state)
{
	struct fixture *fx = *state;
	struct sent_item first[] = { { 500, 1 }, { 7, 2 }, { 1000000, 0 } };
	struct sent_item second[] = { { 7, 1 }, { 500, 3 }, { 8, 1 } };
	static const struct sent_item want[] = { { 7, 2 }, { 8, 1 }, { 500, 3 }, { 1000000, 0 } };
	struct sent_item got[10];
	struct sent_list list;

	must(fx, store_load_sent(fx->store, 1, &fx->a, &list, &fx->err));
	assert_int_equal(list.len, 0);
	add_sent(fx, first, 3);
	add_sent(fx, second, 3);
	must(fx, store_load_sent(fx->store, 1, &fx->a, &list, &fx->err));
	assert_int_equal(read_list(&list, got, 10), 4);
	for (size_t i = 0; i < 4; i++)
		if (got[i].paper != want[i].paper || got[i].version != want[i].version)
			fail_msg(
			    "row %zu: paper %d version %u", i, (int)got[i].paper, got[i].version);
}

static void
test_sent_list_follows_merges(void **state)
{
	struct fixture *fx = *state;
	struct paper *one = make_paper(fx, "2401.00001", T_TODAY),
		     *two = make_paper(fx, "x", T_TODAY);
	struct sent_item sent[] = { { 1, 1 }, { 2, 3 }, { 9, 1 } }, got[10];
	static const char *names[] = { "doi:10.1000/two" };
	struct sent_list list;

	two->key = names[0];
	put_one(fx, "arxiv", one, T_NOW);
	put_one(fx, "feed", two, T_NOW);
	add_sent(fx, sent, 3);
	one->aliases = names;
	one->naliases = 1;
	put_one(fx, "arxiv", one, T_NOW);
	must(fx, store_load_sent(fx->store, 1, &fx->a, &list, &fx->err));
	assert_int_equal(read_list(&list, got, 10), 2);
	assert_int_equal(got[0].paper, 1);
	assert_int_equal(got[0].version, 3);
	assert_int_equal(got[1].paper, 9);
}

/* Papers that are no longer listed within 60 days leave the list at the next edition. */
static void
test_sent_list_forgets(void **state)
{
	struct fixture *fx = *state;
	struct sent_item old[] = { { 1, 1 } }, new[] = { { 2, 1 } }, got[4];
	struct sent_list list;

	put_one(fx, "arxiv", make_paper(fx, "2401.00001", T_TODAY - 70), T_NOW);
	add_sent(fx, old, 1);
	put_one(fx, "arxiv", make_paper(fx, "2401.00002", T_TODAY), T_NOW);
	settle(fx, T_NOW);
	reopen(fx, STORE_WRITE);
	add_sent(fx, new, 1);
	must(fx, store_load_sent(fx->store, 1, &fx->a, &list, &fx->err));
	assert_int_equal(read_list(&list, got, 4), 1);
	assert_int_equal(got[0].paper, 2);
}

/* What happened to papers is written when it happens, and found by those who were sent them. */
static void
test_moves(void **state)
{
	static const struct {
		const char *id;
		uint32_t before, after;
		bool withdrawn;
		bool moves;
	} rows[] = {
		{ "2401.00001", 1, 1, false, false }, { "2401.00002", 1, 2, false, true },
		{ "2401.00003", 0, 1, false, false }, /* only now its version is known */
		{ "2401.00004", 0, 2, false, true }, { "2401.00005", 1, 1, true, true },
		{ "2401.00006", 2, 1, false, false },
		{ "2401.00007", 1, 2, false, true }, /* nobody was sent it */
	};
	enum { N = sizeof(rows) / sizeof(rows[0]) };
	struct fixture *fx = *state;
	struct sent_item items[N - 1];
	struct sent_list sent;
	const struct store_move *found[N];
	struct store_move *moves;
	size_t n, nmoves = 0;

	for (size_t i = 0; i < N; i++) {
		struct paper *p = make_paper(fx, rows[i].id, T_TODAY);

		p->version = rows[i].before;
		put_one(fx, "arxiv", p, T_NOW);
		if (i < N - 1)
			items[i] = (struct sent_item){ (int64_t)i + 1, rows[i].before };
	}
	add_sent(fx, items, N - 1);
	must(fx, store_load_moves(fx->store, 0, &fx->a, &moves, &n, &fx->err));
	assert_int_equal(n, 0);
	for (size_t i = 0; i < N; i++) {
		struct paper *p = make_paper(fx, rows[i].id, T_TODAY);

		p->version = rows[i].after;
		p->withdrawn_utc = rows[i].withdrawn ? T_NOW : 0;
		put_one(fx, "arxiv", p, T_NOW + 60);
	}
	must(fx, store_load_moves(fx->store, T_NOW + 61, &fx->a, &moves, &n, &fx->err));
	assert_int_equal(n, 0);
	must(fx, store_load_moves(fx->store, T_NOW + 60, &fx->a, &moves, &n, &fx->err));
	for (size_t i = 0; i < N; i++) {
		if (!rows[i].moves)
			continue;
		if (nmoves == n || moves[nmoves].paper != (int64_t)i + 1 ||
		    moves[nmoves].version != rows[i].after ||
		    moves[nmoves].withdrawn != rows[i].withdrawn)
			fail_msg("%s: not the next move", rows[i].id);
		nmoves++;
	}
	assert_int_equal(n, nmoves);

	must(fx, store_load_sent(fx->store, 1, &fx->a, &sent, &fx->err));
	assert_int_equal(store_find_moves(&sent, moves, n, true, found, N), 1);
	assert_int_equal(found[0]->paper, 5);
	assert_int_equal(store_find_moves(&sent, moves, n, false, found, N), 2);
	assert_int_equal(found[0]->paper, 2);
	assert_int_equal(found[1]->paper, 4);
	assert_int_equal(store_find_moves(&sent, moves, n, false, found, 1), 1);

	/* Once told, nothing is found any more. */
	items[0] = (struct sent_item){ 2, 2 };
	items[1] = (struct sent_item){ 5, VERSION_WITHDRAWN };
	add_sent(fx, items, 2);
	must(fx, store_load_sent(fx->store, 1, &fx->a, &sent, &fx->err));
	assert_int_equal(store_find_moves(&sent, moves, n, true, found, N), 0);
	assert_int_equal(store_find_moves(&sent, moves, n, false, found, N), 1);
	assert_int_equal(found[0]->paper, 4);
}

/* Against a plain reading of the rules, over many papers and lists. */
static void
test_mark_is_linear_and_right(void **state)
{
	enum { N = 1000 };
	struct fixture *fx = *state;
	struct paper **papers = arena_array(&fx->a, N, sizeof(*papers));
	uint64_t plain[16], signals[16], replaced[16];
	const struct eligibility e = {
		.cursor_seq = 300, .since_utc = 700, .signal_since_utc = 400
	};
	struct sent_list sent;
	struct strbuf packed;
	int64_t last = 0;

	strbuf_init(&packed, 1 << 20);
	for (int i = 0; i < N; i++) {
		papers[i] = make_paper(fx, "x", 0);
		papers[i]->id = i + 1;
		papers[i]->change_seq = i * 7 % 1000;
		papers[i]->first_listed_utc = i * 13 % 1000;
		papers[i]->version = (uint32_t)(i % 4);
		if (i % 3 == 0) {
			pack_uint(&packed, (uint64_t)(i + 1 - last));
			pack_uint(&packed, (uint64_t)(i % 2));
			last = i + 1;
		}
	}
	sent = (struct sent_list){ (const unsigned char *)packed.buf, packed.len };
	store_mark_eligible(&e, &sent, papers, N, plain, signals, replaced);
	for (int i = 0; i < N; i++) {
		uint64_t bit = (uint64_t)1 << (i % 64);
		bool fresh = i * 7 % 1000 > 300, was_sent = i % 3 == 0;
		bool p = fresh && !was_sent && i * 13 % 1000 >= 700;
		bool s = fresh && !was_sent && i * 13 % 1000 >= 400;
		bool r = fresh && was_sent && i % 4 > 1;

		if (p != ((plain[i / 64] & bit) != 0) || s != ((signals[i / 64] & bit) != 0) ||
		    r != ((replaced[i / 64] & bit) != 0))
			fail_msg("paper %d", i);
	}
	store_mark_eligible(&e, &sent, papers, N, plain, signals, NULL);
	/* A damaged list ends where it is damaged and is never read beyond. */
	sent.len -= 1;
	store_mark_eligible(&e, &sent, papers, N, plain, signals, replaced);
	strbuf_release(&packed);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules),
		T(test_unsettled_is_invisible),
		T(test_settling_renews),
		T(test_sent_list),
		T(test_sent_list_follows_merges),
		T(test_sent_list_forgets),
		T(test_moves),
		T(test_mark_is_linear_and_right),
	};

	return cmocka_run_group_tests_name("store_eligible", tests, NULL, NULL);
}
