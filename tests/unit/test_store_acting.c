/* Which copy of a store may send (F-20, F-21), the fence against a run that was suspended (F-18), what a failed sync ends (F-11),
 * room for outcomes (F-10), and putting back a backup. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/stat.h>

#include "store_test.h"

#include "digest/file.h"
#include "store/db.h"

struct acting {
	struct fixture *fx;
	char far[128], backup[128], witness[160];
};

static int
setup(void **state)
{
	struct acting *t = calloc(1, sizeof(*t));

	if (t == NULL || fixture_setup((void **)&t->fx) == -1)
		return -1;
	snprintf(t->far, sizeof(t->far), "%s/far", t->fx->dir);
	snprintf(t->backup, sizeof(t->backup), "%s/backup.db", t->fx->dir);
	snprintf(t->witness, sizeof(t->witness), "%s.witness", t->fx->path);
	if (mkdir(t->far, 0700) == -1)
		return -1;
	*state = t;
	return 0;
}

static void
remove_files(const char *dir, const char *pattern)
{
	char command[256];
	FILE *p;

	snprintf(command, sizeof(command), "rm -f '%s'/%s", dir, pattern);
	if ((p = popen(command, "r")) != NULL)
		pclose(p);
}

static int
teardown(void **state)
{
	struct acting *t = *state;

	remove_files(t->far, "witness-*");
	rmdir(t->far);
	store_close(t->fx->store);
	t->fx->store = NULL;
	remove_files(t->fx->dir, "*.db*");
	fixture_teardown((void **)&t->fx);
	free(t);
	return 0;
}

/* One run: open, take charge, close. */
static int
run_once(struct acting *t, int64_t now_utc)
{
	struct fixture *fx = t->fx;
	int64_t last_utc;
	long holder;

	reopen(fx, STORE_WRITE);
	assert_int_equal(store_lock_sender(fx->store, &holder, &fx->err), 1);
	return store_take_charge(fx->store, t->far, now_utc, &last_utc, &fx->err);
}

static void
expect_refusal(struct acting *t, int rc, const char *words)
{
	assert_int_equal(rc, -1);
	assert_int_equal(t->fx->err.kind, ERR_CONFIG);
	if (strstr(t->fx->err.msg, words) == NULL ||
	    strstr(t->fx->err.msg, "digest restore --adopt") == NULL)
		fail_msg("'%s' lacks '%s' or the cure", t->fx->err.msg, words);
}

static void
copy_to(const char *from, const char *to)
{
	struct strbuf bytes;
	struct error err;

	strbuf_init(&bytes, 64 * 1024 * 1024);
	if (file_read(from, &bytes, &err) == -1 ||
	    file_write(to, 0600, bytes.buf, bytes.len, &err) == -1)
		fail_msg("%s", err.msg);
	strbuf_release(&bytes);
}

/* The database as it is now, put by. */
static void
save(struct acting *t)
{
	store_close(t->fx->store);
	t->fx->store = NULL;
	copy_to(t->fx->path, t->backup);
}

static void
put_back(struct acting *t)
{
	store_close(t->fx->store);
	t->fx->store = NULL;
	copy_to(t->backup, t->fx->path);
}

static void
test_numbers_grow(void **state)
{
	struct acting *t = *state;
	struct fixture *fx = t->fx;
	int64_t last_utc = -1;

	must(fx, store_take_charge(fx->store, t->far, T_NOW, &last_utc, &fx->err));
	assert_int_equal(last_utc, 0);
	assert_int_equal(fx->store->charge, 1);
	must(fx, store_take_charge(fx->store, NULL, T_NOW + 60, &last_utc, &fx->err));
	assert_int_equal(last_utc, T_NOW);
	must(fx, run_once(t, T_NOW + 120));
	assert_int_equal(fx->store->charge, 3);
	/* A store that is only looked at takes no number. */
	reopen(fx, STORE_OVERLAY);
	must(fx, store_take_charge(fx->store, t->far, T_NOW + 180, &last_utc, &fx->err));
	assert_int_equal(last_utc, T_NOW + 120);
	must(fx, run_once(t, T_NOW + 240));
	assert_int_equal(fx->store->charge, 4);
}

static void
test_backup_is_told(void **state)
{
	static const char *const gone[] = { "nothing", "witness", "far" };
	struct acting *t = *state;
	size_t nheld;

	for (size_t i = 0; i < 3; i++) {
		must(t->fx, run_once(t, T_NOW));
		save(t);
		/* Nothing was sent since: it is as good as the other. */
		put_back(t);
		must(t->fx, run_once(t, T_NOW + 60));
		put_back(t);
		if (strcmp(gone[i], "witness") == 0)
			unlink(t->witness);
		if (strcmp(gone[i], "far") == 0)
			remove_files(t->far, "witness-*");
		expect_refusal(t, run_once(t, T_NOW + 120), "is older than what was sent");
		expect_refusal(t, run_once(t, T_NOW + 120), "is older than what was sent");
		must(t->fx, store_adopt(t->fx->store, t->far, T_NOW, &nheld, &t->fx->err));
		must(t->fx, run_once(t, T_NOW + 180));
	}
}

/* Two copies here: the one that a person means sends, the other no more. */
static void
test_adopting_one_stops_the_other(void **state)
{
	struct acting *t = *state;
	char other[128];
	size_t nheld;

	must(t->fx, run_once(t, T_NOW));
	save(t);
	snprintf(other, sizeof(other), "%s", t->fx->path);
	snprintf(t->fx->path, sizeof(t->fx->path), "%s", t->backup);
	must(t->fx, run_once(t, T_NOW + 60));
	must(t->fx, run_once(t, T_NOW + 120));
	snprintf(t->fx->path, sizeof(t->fx->path), "%s", other);
	expect_refusal(t, run_once(t, T_NOW + 180), "is older");
	must(t->fx, store_adopt(t->fx->store, t->far, T_NOW + 180, &nheld, &t->fx->err));
	snprintf(t->fx->path, sizeof(t->fx->path), "%s", t->backup);
	expect_refusal(t, run_once(t, T_NOW + 240), "is older");
	snprintf(t->fx->path, sizeof(t->fx->path), "%s", other);
	must(t->fx, run_once(t, T_NOW + 300));
}

/* Witnesses that say nothing of this store. */
static void
test_odd_witnesses(void **state)
{
	static const char *const texts[] = { "", "\n", "x", "9999999", "0123 99999",
		"00000000000000000000000000000000 99999\n" };
	struct acting *t = *state;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		must(t->fx, file_write(t->witness, 0600, texts[i], strlen(texts[i]), &t->fx->err));
		if (run_once(t, T_NOW + (int64_t)i) == -1)
			fail_msg("row %zu: %s", i, t->fx->err.msg);
	}
}

static void
set_meta(struct fixture *fx, const char *name, int64_t value)
{
	must(fx, store_begin(fx->store, &fx->err));
	must(fx, db_set_meta(fx->store, name, value, &fx->err));
	must(fx, store_commit(fx->store, false, &fx->err));
}

static void
test_other_machine(void **state)
{
	struct acting *t = *state;
	size_t nheld;

	if (access("/etc/machine-id", R_OK) == -1)
		skip();
	must(t->fx, run_once(t, T_NOW));
	reopen(t->fx, STORE_WRITE);
	set_meta(t->fx, "machine", 12345);
	expect_refusal(t, run_once(t, T_NOW + 60), "another machine");
	must(t->fx, store_adopt(t->fx->store, t->far, T_NOW + 60, &nheld, &t->fx->err));
	must(t->fx, run_once(t, T_NOW + 120));
}

static void
test_clock(void **state)
{
	static const struct {
		int64_t step_s;
		bool fine;
	} rows[] = {
		{ 1, true },
		{ -3600, true }, /* the end of summer time, set by hand */
		{ -(24 * 3600 - 10), true },
		{ -(24 * 3600 + 10), false },
		{ -(int64_t)T_NOW, false }, /* 1970 */
		{ 366 * T_DAY_S, true },
	};
	struct acting *t = *state;
	size_t nheld;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		must(t->fx, store_adopt(t->fx->store, t->far, T_NOW, &nheld, &t->fx->err));
		if ((run_once(t, T_NOW + rows[i].step_s) == 0) != rows[i].fine)
			fail_msg("row %zu: %s", i, t->fx->err.msg);
		if (!rows[i].fine)
			expect_refusal(t, -1, "the clock says");
	}
}

/* One edition of each period, sent. */
static int64_t
add_reader_with(struct acting *t, const char *address, const int64_t *periods, size_t n)
{
	struct fixture *fx = t->fx;
	const struct subscriber sub = make_reader(address);
	int64_t id;

	must(fx, store_begin(fx->store, &fx->err));
	must(fx, store_put_reader(fx->store, &sub, "", T_NOW, &fx->err));
	id = find_reader(fx, address)->sub.id;
	for (size_t i = 0; i < n; i++) {
		struct edition e = { .period = periods[i],
			.reader = id,
			.cursor_to = 1,
			.composed_utc = T_NOW + (periods[i] - T_TODAY) * T_DAY_S,
			.note = "" };

		must(fx, store_lease_editions(fx->store, &e, 1, e.composed_utc, &fx->err));
		must(fx,
		    store_settle_edition(
			fx->store, e.period, id, EDITION_SENT, "250", e.composed_utc, 0, &fx->err));
	}
	must(fx, store_commit(fx->store, true, &fx->err));
	return id;
}

/* F-21: days that a clock that ran ahead gave editions to are none that anybody waits for. */
static void
test_future_is_forgotten(void **state)
{
	static const struct {
		const char *address;
		int64_t periods[3];
		size_t n, nkept;
		int64_t last;
	} rows[] = {
		{ "had-one@example.org", { T_TODAY - 1, T_TODAY, T_TODAY + 365 }, 3, 2, T_TODAY },
		{ "was-new@example.org", { T_TODAY + 365 }, 1, 0, T_TODAY - 1 },
		{ "far-east@example.org", { T_TODAY, T_TODAY + 1 }, 2, 2, T_TODAY + 1 },
		{ "each-run@example.org", { PERIOD_ALWAYS + 3 }, 1, 1, PERIOD_ALWAYS + 3 },
	};
	struct acting *t = *state;
	int64_t ids[4];
	size_t nheld;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ids[i] = add_reader_with(t, rows[i].address, rows[i].periods, rows[i].n);
	must(t->fx, store_adopt(t->fx->store, t->far, T_NOW, &nheld, &t->fx->err));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct store_reader *r = find_reader(t->fx, rows[i].address);
		struct edition *e;
		size_t n;

		must(t->fx,
		    store_load_editions(t->fx->store, ids[i], 9, &t->fx->a, &e, &n, &t->fx->err));
		if (n != rows[i].nkept || r->last_period != rows[i].last ||
		    r->last_edition_utc > T_NOW)
			fail_msg("row %zu: %zu editions, the last of %lld at %lld", i, n,
			    (long long)r->last_period, (long long)r->last_edition_utc);
	}
}

/* F-18: somebody removes the lock file, another run takes over; the first one wakes up. */
static void
test_fence(void **state)
{
	struct acting *t = *state;
	struct fixture *fx = t->fx;
	struct store *first;
	char lock[160];
	int64_t last_utc;
	long holder;

	must(fx, run_once(t, T_NOW));
	first = fx->store;
	fx->store = NULL;
	must(fx, store_open(fx->path, STORE_WRITE, NULL, &fx->store, &fx->err));
	assert_int_equal(store_lock_sender(fx->store, &holder, &fx->err), 0);
	assert_int_equal(holder, getpid());
	snprintf(lock, sizeof(lock), "%s.sender.lock", fx->path);
	unlink(lock);
	reopen(fx, STORE_WRITE);
	assert_int_equal(store_lock_sender(fx->store, &holder, &fx->err), 1);
	must(fx, store_take_charge(fx->store, t->far, T_NOW, &last_utc, &fx->err));
	assert_int_equal(store_begin(first, &fx->err), -1);
	assert_int_equal(fx->err.kind, ERR_TEMP);
	assert_non_null(strstr(fx->err.msg, "taken over"));
	must(fx, store_begin(fx->store, &fx->err));
	must(fx, store_commit(fx->store, true, &fx->err));
	store_close(first);
}

static int
fail_sync(sqlite3_file *file, int flags)
{
	(void)file;
	(void)flags;
	return SQLITE_IOERR_FSYNC;
}

/* F-11: after one failed sync nothing is written, nor called clean. */
static void
test_failed_sync(void **state)
{
	struct acting *t = *state;
	struct fixture *fx = t->fx;
	sqlite3_file *log = NULL;
	const sqlite3_io_methods *good;
	sqlite3_io_methods bad;
	int64_t clean;

	must(fx, store_begin(fx->store, &fx->err));
	must(fx, store_set_note(fx->store, "a", "b", &fx->err));
	must(fx, store_commit(fx->store, false, &fx->err));
	sqlite3_file_control(fx->store->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
	good = log->pMethods;
	bad = *good;
	bad.xSync = fail_sync;
	log->pMethods = &bad;
	must(fx, store_begin(fx->store, &fx->err));
	assert_int_equal(store_commit(fx->store, true, &fx->err), -1);
	assert_int_equal(fx->err.kind, ERR_IO);
	assert_int_equal(store_begin(fx->store, &fx->err), -1);
	assert_non_null(strstr(fx->err.msg, "the disk failed before"));
	log->pMethods = good;
	reopen(fx, STORE_WRITE);
	must(fx, db_get_meta(fx->store, "clean", &clean, &fx->err));
	assert_int_equal(clean, 0);
}

static off_t
log_size(const struct fixture *fx)
{
	char path[160];
	struct stat st;

	snprintf(path, sizeof(path), "%s-wal", fx->path);
	assert_int_equal(stat(path, &st), 0);
	return (off_t)st.st_blocks * 512;
}

/* The room is on the disk, it holds what it is for, and the log can be read with it. */
static void
test_reserve(void **state)
{
	struct acting *t = *state;
	struct fixture *fx = t->fx;
	const char *text;
	off_t size;

	must(fx, store_begin(fx->store, &fx->err));
	must(fx, store_set_note(fx->store, "a", "b", &fx->err));
	must(fx, store_commit(fx->store, true, &fx->err));
	must(fx, store_reserve(fx->store, 100, &fx->err));
	size = log_size(fx);
	assert_true(size > 1000 * 4096);
	for (int i = 0; i < 200; i++) {
		must(fx, store_begin(fx->store, &fx->err));
		must(fx, store_set_note(fx->store, "a", i % 2 != 0 ? "c" : "d", &fx->err));
		must(fx, store_commit(fx->store, false, &fx->err));
	}
	assert_int_equal(log_size(fx), size);
	must(fx, store_reserve(fx->store, 1, &fx->err));
	reopen(fx, STORE_READ);
	must(fx, store_get_note(fx->store, "a", &fx->a, &text, &fx->err));
	assert_string_equal(text, "c");
}

static void
set_note(struct fixture *fx, const char *text)
{
	must(fx, store_begin(fx->store, &fx->err));
	must(fx, store_set_note(fx->store, "which", text, &fx->err));
	must(fx, store_commit(fx->store, false, &fx->err));
}

static void
expect_note(struct fixture *fx, const char *path, const char *wanted)
{
	struct store *store;
	const char *text;

	must(fx, store_open(path, STORE_READ, NULL, &store, &fx->err));
	must(fx, store_get_note(store, "which", &fx->a, &text, &fx->err));
	assert_string_equal(text, wanted);
	store_close(store);
}

static void
test_restore(void **state)
{
	struct acting *t = *state;
	struct fixture *fx = t->fx;
	char kept[160];

	set_note(fx, "old");
	save(t);
	reopen(fx, STORE_WRITE);
	set_note(fx, "new");
	assert_int_equal(store_restore(fx->path, t->backup, &fx->err), -1);
	assert_int_equal(fx->err.kind, ERR_TEMP); /* we have it open ourselves */
	store_close(fx->store);
	fx->store = NULL;
	must(fx, store_restore(fx->path, t->backup, &fx->err));
	expect_note(fx, fx->path, "old");
	snprintf(kept, sizeof(kept), "%s.before-restore", fx->path);
	expect_note(fx, kept, "new");
}

/* What is no whole store takes nobody's place. */
static void
test_restore_refuses(void **state)
{
	static const char *const kinds[] = { "missing", "empty", "foreign", "cut", "overwritten" };
	struct acting *t = *state;
	struct fixture *fx = t->fx;
	char junk[8192];

	memset(junk, 'x', sizeof(junk));
	set_note(fx, "old");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		int fd, rc;

		save(t);
		if (i == 0)
			unlink(t->backup);
		fd = i == 0 ? -1 : open(t->backup, O_RDWR | (i == 1 ? O_TRUNC : 0));
		if (i == 2)
			assert_int_equal(pwrite(fd, junk, 100, 0), 100);
		if (i == 3)
			assert_int_equal(ftruncate(fd, 40960), 0);
		if (i == 4)
			assert_int_equal(pwrite(fd, junk, sizeof(junk), 8192), sizeof(junk));
		if (fd != -1)
			close(fd);
		rc = store_restore(fx->path, t->backup, &fx->err);
		if (rc != -1 || fx->err.kind != ERR_DATA)
			fail_msg("%s: %d, '%s'", kinds[i], rc, fx->err.msg);
		expect_note(fx, fx->path, "old");
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_numbers_grow),
		T(test_backup_is_told),
		T(test_adopting_one_stops_the_other),
		T(test_future_is_forgotten),
		T(test_odd_witnesses),
		T(test_other_machine),
		T(test_clock),
		T(test_fence),
		T(test_failed_sync),
		T(test_reserve),
		T(test_restore),
		T(test_restore_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
