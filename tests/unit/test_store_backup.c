/* Backups: the store as it was when the copy began, whatever is written meanwhile; whole or not there; with the key of the
 * tokens, which leaves it without a trace. And what goes when it is old. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store_test.h"

#include "digest/file.h"
#include "store/db.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <utime.h>

static const char key[] = "1 90aa90aa90aa90aa90aa90aa90aa90aa90aa90aa90aa90aa90aa90aa90aa90aa\n";

/* So many megabytes. */
static void
fill(struct fixture *fx, int megabytes)
{
	char *text = arena_alloc(&fx->a, 1000001);
	char name[32];

	memset(text, 'x', 1000000);
	text[1000000] = '\0';
	must(fx, store_begin(fx->store, &fx->err));
	for (int i = 0; i < megabytes; i++) {
		snprintf(name, sizeof(name), "filler-%d", i);
		must(fx, store_set_note(fx->store, name, text, &fx->err));
	}
	must(fx, store_commit(fx->store, true, &fx->err));
}

static const char *
copy_path(struct fixture *fx)
{
	return arena_printf(&fx->a, "%s.copy", fx->path);
}

static void
set_note(struct store *store, const char *text)
{
	struct error err;

	if (store_begin(store, &err) == -1 || store_set_note(store, "mark", text, &err) == -1 ||
	    store_commit(store, false, &err) == -1)
		fail_msg("%s", err.msg);
}

static const char *
get_note(struct fixture *fx, struct store *store)
{
	const char *text;

	must(fx, store_get_note(store, "mark", &fx->a, &text, &fx->err));
	return text;
}

static void
expect_nothing_left(struct fixture *fx)
{
	assert_false(file_exists(arena_printf(&fx->a, "%s.copy.part", fx->path)));
	assert_false(file_exists(arena_printf(&fx->a, "%s.copy.part-wal", fx->path)));
	assert_false(file_exists(arena_printf(&fx->a, "%s.copy.part-shm", fx->path)));
}

/* Whether bytes stand anywhere in a file. */
static bool
file_holds(struct fixture *fx, const char *path, const char *bytes)
{
	struct strbuf text;
	bool found;

	strbuf_init(&text, 64 << 20);
	must(fx, file_read(path, &text, &fx->err));
	found = memmem(text.buf, text.len, bytes, strlen(bytes)) != NULL;
	strbuf_release(&text);
	return found;
}

static void
test_whole(void **state)
{
	struct fixture *fx = *state;
	struct store_backup b = { .to = copy_path(fx), .key = key, .key_len = sizeof(key) - 1 };
	struct store_sizes sizes;
	struct strbuf back;
	struct store *copy;
	struct stat st;

	put_one(fx, "huggingface", make_paper(fx, "2401.00001", T_TODAY), T_NOW);
	set_note(fx->store, "old");
	must(fx, store_backup(fx->store, &b, &sizes, &fx->err));
	expect_nothing_left(fx);
	assert_int_equal(sizes.npapers, 1);
	assert_int_equal(stat(b.to, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, sizes.bytes);
	assert_false(file_holds(fx, fx->path, "90aa90aa")); /* only the copy was written to */
	assert_true(file_holds(fx, b.to, "90aa90aa"));

	/* Over the old one, whole. */
	set_note(fx->store, "new");
	must(fx, store_backup(fx->store, &b, &sizes, &fx->err));
	must(fx, store_open(b.to, STORE_WRITE, NULL, &copy, &fx->err));
	assert_string_equal(get_note(fx, copy), "new");
	assert_string_equal(store_instance(copy), store_instance(fx->store));
	strbuf_init(&back, 4096);
	assert_int_equal(store_load_backup_key(copy, &back, &fx->err), 1);
	assert_string_equal(back.buf, key);
	must(fx, store_begin(copy, &fx->err));
	must(fx, store_forget_backup_key(copy, &fx->err));
	must(fx, store_commit(copy, true, &fx->err));
	assert_int_equal(store_load_backup_key(copy, &back, &fx->err), 0);
	must(fx, store_check(copy, &fx->err));
	store_close(copy);
	assert_false(file_holds(fx, b.to, "90aa90aa"));
	assert_int_equal(store_load_backup_key(fx->store, &back, &fx->err), 0);
	strbuf_release(&back);
}

struct meddler {
	struct store *writer;
	int nsteps;
	int stop_after;
};

/* Another connection writes between any two steps. */
static bool
write_between(void *arg, size_t done, size_t total)
{
	struct meddler *m = arg;
	char text[32];

	assert_true(done <= total);
	snprintf(text, sizeof(text), "step %d", ++m->nsteps);
	if (m->writer != NULL)
		set_note(m->writer, text);
	return m->nsteps != m->stop_after;
}

static void
test_while_others_write(void **state)
{
	struct fixture *fx = *state;
	struct meddler m = { 0 };
	struct store_backup b = { .to = copy_path(fx), .go_on = write_between, .arg = &m };
	struct store_sizes sizes;
	struct store *copy;
	int64_t pages;

	fill(fx, 20);
	set_note(fx->store, "before");
	m.writer = fx->store;
	must(fx, db_pragma_int(fx->store, "PRAGMA page_count", &pages, &fx->err));
	must(fx, store_open(fx->path, STORE_READ, NULL, &copy, &fx->err));
	must(fx, store_backup(copy, &b, &sizes, &fx->err));
	store_close(copy);
	assert_int_equal(m.nsteps, pages / 1024 + 1); /* one pass: it never began anew */
	assert_true(m.nsteps >= 5);
	must(fx, store_open(b.to, STORE_READ, NULL, &copy, &fx->err));
	assert_string_equal(get_note(fx, copy), "before");
	store_close(copy);
	assert_string_not_equal(get_note(fx, fx->store), "before");
}

static void
test_not_made(void **state)
{
	struct fixture *fx = *state;
	struct meddler m = { .stop_after = 2 };
	struct store_backup b = { .to = copy_path(fx), .go_on = write_between, .arg = &m };
	const char *part = arena_printf(&fx->a, "%s.copy.part", fx->path);
	struct store_sizes sizes;
	int fd;

	fill(fx, 20);
	assert_int_equal(store_backup(fx->store, &b, &sizes, &fx->err), -1);
	assert_int_equal(fx->err.kind, ERR_TEMP); /* stopped */
	assert_false(file_exists(b.to));
	expect_nothing_left(fx);

	b.go_on = NULL;
	b.to = "/nonexistent/copy";
	assert_int_equal(store_backup(fx->store, &b, &sizes, &fx->err), -1);
	assert_int_equal(fx->err.kind, ERR_IO);

	/* Another backup writes the same file; then it is killed. */
	b.to = copy_path(fx);
	fd = open(part, O_RDWR | O_CREAT, 0644);
	assert_true(fd != -1 && write(fd, "rubbish", 7) == 7);
	assert_int_equal(lock_try(fd, LOCK_WRITER, false), 1);
	assert_int_equal(store_backup(fx->store, &b, &sizes, &fx->err), -1);
	assert_int_equal(fx->err.kind, ERR_TEMP);
	assert_true(file_holds(fx, part, "rubbish"));
	close(fd);
	must(fx, store_backup(fx->store, &b, &sizes, &fx->err));
	expect_nothing_left(fx);
}

static void
test_damage_is_seen(void **state)
{
	struct fixture *fx = *state;
	struct store_backup b = { .to = copy_path(fx) };
	struct store_sizes sizes;
	char zeros[4096] = { 0 };
	int fd;

	put_one(fx, "huggingface", make_paper(fx, "2401.00001", T_TODAY), T_NOW);
	fill(fx, 70); /* above this size not every page is read when it is opened */
	reopen(fx, STORE_READ);
	store_close(fx->store);
	fx->store = NULL;
	fd = open(fx->path, O_RDWR);
	for (off_t page = 5; page < 12; page++) /* tables that opening it does not read */
		assert_int_equal(pwrite(fd, zeros, sizeof(zeros), page * 4096), sizeof(zeros));
	close(fd);
	must(fx, store_open(fx->path, STORE_READ, NULL, &fx->store, &fx->err));
	assert_int_equal(store_backup(fx->store, &b, &sizes, &fx->err), -1);
	assert_int_equal(fx->err.kind, ERR_IO);
	assert_false(file_exists(b.to));
}

static void
test_room_is_given_back(void **state)
{
	struct fixture *fx = *state;
	int64_t bytes, free_bytes, smaller;
	struct store *look;

	put_one(fx, "huggingface", make_paper(fx, "2401.00001", T_TODAY), T_NOW);
	fill(fx, 8);
	must(fx, store_begin(fx->store, &fx->err));
	must(fx, db_exec(fx->store, "DELETE FROM note WHERE name LIKE 'filler%'", &fx->err));
	must(fx, store_commit(fx->store, true, &fx->err));
	must(fx, store_load_room(fx->store, &bytes, &free_bytes, &fx->err));
	assert_true(free_bytes > 7 * 1000000);

	/* A dry run reads the file: not now. */
	must(fx, store_open(fx->path, STORE_OVERLAY, NULL, &look, &fx->err));
	assert_int_equal(store_compact(fx->store, &fx->err), 0);
	store_close(look);
	assert_int_equal(store_compact(fx->store, &fx->err), 1);
	must(fx, store_load_room(fx->store, &smaller, &free_bytes, &fx->err));
	assert_true(smaller < bytes - 7 * 1000000);
	assert_int_equal(free_bytes, 0);
	assert_int_equal(find(fx, "2401.00001")->id, 1);
	reopen(fx, STORE_WRITE);
	must(fx, store_check(fx->store, &fx->err));
}

/* Files beside the store, how old they are in days, and whether they go. */
static const struct {
	const char *suffix;
	int days;
	bool goes;
} copies[] = {
	{ ".before-v5", 31, true },
	{ ".before-v6", 29, false },
	{ ".before-restore", 31, true },
	{ ".before-restore-wal", 31, true },
	{ ".witness", 400, false },
	{ "-before-v5", 400, false },
	{ "x.before-v5", 400, false },
};

static void
test_old_copies_go(void **state)
{
	struct fixture *fx = *state;
	size_t n, ngoing = 0;
	int64_t bytes;

	for (size_t i = 0; i < sizeof(copies) / sizeof(copies[0]); i++) {
		const char *path = arena_printf(&fx->a, "%s%s", fx->path, copies[i].suffix);
		const time_t then = T_NOW - copies[i].days * (time_t)T_DAY_S;
		const struct utimbuf times = { then, then };

		must(fx, file_write(path, 0600, "0123456789", 10, &fx->err));
		assert_int_equal(utime(path, &times), 0);
		ngoing += copies[i].goes;
	}
	for (int remove = 0; remove <= 1; remove++) {
		must(fx, store_prune_copies(fx->store, T_NOW, remove, &n, &bytes, &fx->err));
		assert_int_equal(n, ngoing);
		assert_int_equal(bytes, 10 * ngoing);
	}
	for (size_t i = 0; i < sizeof(copies) / sizeof(copies[0]); i++) {
		const char *path = arena_printf(&fx->a, "%s%s", fx->path, copies[i].suffix);

		if (file_exists(path) == copies[i].goes)
			fail_msg("%s", copies[i].suffix);
		unlink(path);
	}
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		T(test_whole),
		T(test_while_others_write),
		T(test_not_made),
		T(test_damage_is_seen),
		T(test_room_is_given_back),
		T(test_old_copies_go),
	};

	return cmocka_run_group_tests_name("store_backup", tests, NULL, NULL);
}
