/* Upgrades: a store of every released schema step is opened, upgraded with a backup beside it, and everything
 * in it is as it was; a look and a dry run see the same without touching the file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store_test.h"

#include "digest/file.h"
#include "store/db.h"

/* Make fx->path the store that the SQL text describes. */
static void
load_old_store(struct fixture *fx, const char *sql_path)
{
	struct strbuf sql;
	sqlite3 *db;

	store_close(fx->store);
	fx->store = NULL;
	unlink(fx->path);
	strbuf_init(&sql, 1 << 20);
	must(fx, file_read(sql_path, &sql, &fx->err));
	assert_int_equal(sqlite3_open(fx->path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql.buf, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql_path, sqlite3_errmsg(db));
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	strbuf_release(&sql);
}

static int64_t
schema_version(const char *path)
{
	sqlite3_stmt *st;
	sqlite3 *db;
	int64_t version;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	version = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return version;
}

/* What store-1.sql holds: four papers, of which one was two, a reader with one edition sent and one deferred. */
static void
expect_contents(struct fixture *fx)
{
	struct paper *p, *frozen;
	struct store_signal *signals;
	struct store_listing *listings;
	struct store_source *s;
	struct store_reader *r;
	struct edition *e;
	struct sent_list sent;
	size_t n;

	assert_string_equal(store_instance(fx->store), "27ba3feb34f264791eba53e17c907c0c");
	p = find(fx, "2401.00001");
	assert_string_equal(p->title, "Title of 2401.00001");
	assert_string_equal(p->authors[1], "Charles Babbage");
	assert_int_equal(p->votes, 9);
	assert_int_equal(p->revision, 2);
	assert_int_equal(p->first_listed_utc, T_TODAY * (int64_t)T_DAY_S);
	must(fx, store_load_signals(fx->store, 1, &fx->a, &signals, &n, &fx->err));
	assert_int_equal(n, 2);
	assert_int_equal(signals[1].comments, 1);
	p = find(fx, "10.1000/two");
	assert_string_equal(p->title, "The second, from a feed");
	assert_string_equal(p->org, "Somewhere");
	must(fx, store_load_listings(fx->store, 3, &fx->a, &listings, &n, &fx->err));
	assert_int_equal(n, 2);
	assert_int_equal(store_load_snapshot(fx->store, 3, 1, &fx->a, &frozen, &fx->err), 1);
	assert_string_equal(frozen->title, "Title of y");
	assert_string_equal(find(fx, "2401.00004")->comment, "12 pages");
	assert_int_equal(find(fx, "2401.00006")->withdrawn_utc, T_NOW - 9000);

	r = find_reader(fx, "ada@example.org");
	assert_int_equal(r->sub.nfilters, 2);
	must(fx, store_load_editions(fx->store, r->sub.id, 9, &fx->a, &e, &n, &fx->err));
	assert_int_equal(n, 2);
	assert_int_equal(e[0].state, EDITION_DEFERRED);
	assert_int_equal(e[1].state, EDITION_SENT);
	assert_string_equal(e[1].picks[0].why, "nerf");
	must(fx, store_load_sent(fx->store, r->sub.id, &fx->a, &sent, &fx->err));
	assert_int_equal(sent.len, 2);
	assert_int_equal(
	    store_is_suppressed(fx->store, "bob@example.org", NULL, NULL, &fx->err), 1);

	must(fx, store_load_source(fx->store, "huggingface", &fx->a, &s, &fx->err));
	assert_string_equal(s->last_error, "503");
	assert_int_equal(s->fault, SOURCE_FINE);
	assert_string_equal(s->newest, "");
	assert_int_equal(s->npages, 1);
	must(fx, store_check(fx->store, &fx->err));
}

/* Whom a field is from; "" = it is empty. */
static const char *
origin(struct fixture *fx, int64_t paper, const char *field)
{
	struct store_origin *list;
	size_t n;

	must(fx, store_load_origins(fx->store, paper, &fx->a, &list, &n, &fx->err));
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].field, field) == 0)
			return list[i].source;
	return "";
}

static void
put_as(struct fixture *fx, const char *source, const char *type, struct paper *p)
{
	struct store_put_counts counts;

	must(fx, store_begin(fx->store, &fx->err));
	must(fx,
	    store_put_papers(fx->store, source, type, &p, 1, 0, T_NOW + 3600, &counts, &fx->err));
	must(fx, store_commit(fx->store, true, &fx->err));
}

/* Goes on as if it had always been of this schema. */
static void
expect_usable(struct fixture *fx)
{
	struct store_source s = { .name = "huggingface", .newest = "arxiv:2401.00009" };
	struct paper *p = make_paper(fx, "2401.00001", T_TODAY), **found;
	int64_t at_ms;
	size_t n, left;

	/* What was known of origins, and what the same source may still correct. */
	assert_string_equal(origin(fx, 1, "title"), "huggingface");
	assert_string_equal(origin(fx, 2, "title"), "feed");
	assert_string_equal(origin(fx, 2, "org"), "other");
	assert_string_equal(origin(fx, 4, "org"), "");
	p->votes = 30;
	put_as(fx, "daily", "huggingface", p);
	assert_int_equal(find(fx, "2401.00001")->votes, 30);
	assert_string_equal(origin(fx, 1, "votes"), "daily");
	p = make_paper(fx, "x", T_TODAY);
	p->key = "feed:item-2";
	p->title = "Second, corrected";
	put_as(fx, "news", "feed", p);
	assert_string_equal(find(fx, "feed:item-2")->title, "Second, corrected");
	/* A record that knows of no withdrawal does not end it. */
	put_as(fx, "arxiv", "arxiv", make_paper(fx, "2401.00006", T_TODAY));
	assert_int_equal(find(fx, "2401.00006")->withdrawn_utc, T_NOW - 9000);
	put_as(fx, "arxiv", "arxiv", make_paper(fx, "2401.00007", T_TODAY));
	assert_int_equal(find(fx, "2401.00007")->id, 6);

	must(fx, store_begin(fx->store, &fx->err));
	must(fx, store_save_source(fx->store, &s, &fx->err));
	must(fx,
	    store_reserve_request(
		fx->store, "arxiv.org", T_NOW * (int64_t)1000, 3000, &at_ms, &fx->err));
	must(fx, store_update_search(fx->store, 100, &left, &fx->err));
	must(fx, store_commit(fx->store, true, &fx->err));
	assert_int_equal(left, 0);
	must(fx, store_search(fx->store, "babbage", &fx->a, 9, &found, &n, &fx->err));
	assert_int_equal(n, 1);
	must(fx, store_check(fx->store, &fx->err));
}

static void
upgrade_from(struct fixture *fx, int step)
{
	char sql[64], backup[160];

	snprintf(sql, sizeof(sql), "tests/fixtures/store-%d.sql", step);
	load_old_store(fx, sql);
	assert_int_equal(schema_version(fx->path), step);
	must(fx, store_open(fx->path, STORE_READ, NULL, &fx->store, &fx->err));
	expect_contents(fx);
	reopen(fx, STORE_OVERLAY);
	expect_contents(fx);
	expect_usable(fx);
	store_close(fx->store);
	fx->store = NULL;
	assert_int_equal(schema_version(fx->path), step);

	must(fx, store_open(fx->path, STORE_WRITE, NULL, &fx->store, &fx->err));
	expect_contents(fx);
	expect_usable(fx);
	assert_int_equal(schema_version(fx->path), schema_newest());
	snprintf(backup, sizeof(backup), "%s.before-v%d", fx->path, step + 1);
	assert_int_equal(schema_version(backup), step);
	unlink(backup);
}

/* There is a store for each step before the newest. */
static void
test_every_step(void **state)
{
	for (int step = 1; step < schema_newest(); step++)
		upgrade_from(*state, step);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		T(test_every_step),
	};

	return cmocka_run_group_tests_name("store_upgrade", tests, NULL, NULL);
}
