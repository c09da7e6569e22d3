/* Opening: modes, what is refused and how it is said, locks between processes, upgrades. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "store_test.h"

#include "store/db.h"

static void
write_file(const char *path, const char *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, bytes, len), len);
	close(fd);
}

static void
expect_refused(struct fixture *fx, enum store_mode mode, const char *words)
{
	struct store *store = NULL;

	if (store_open(fx->path, mode, NULL, &store, &fx->err) != -1)
		fail_msg("mode %d was opened; expected '%s'", (int)mode, words);
	assert_null(store);
	if (strstr(fx->err.msg, words) == NULL)
		fail_msg("mode %d: '%s' lacks '%s'", (int)mode, fx->err.msg, words);
}

static void
close_store(struct fixture *fx)
{
	store_close(fx->store);
	fx->store = NULL;
}

static void
test_new_store(void **state)
{
	struct fixture *fx = *state;
	char instance[64];
	struct stat st;

	assert_int_equal(strlen(store_instance(fx->store)), 32);
	snprintf(instance, sizeof(instance), "%s", store_instance(fx->store));
	assert_int_equal(stat(fx->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	reopen(fx, STORE_WRITE);
	assert_string_equal(store_instance(fx->store), instance);
	reopen(fx, STORE_READ);
	assert_string_equal(store_instance(fx->store), instance);
	assert_int_equal(store_begin(fx->store, &fx->err), -1);
}

static void
test_directories_are_made(void **state)
{
	struct fixture *fx = *state;
	char path[256], deep[200];
	struct store *store;
	struct stat st;

	snprintf(deep, sizeof(deep), "%s/a/b", fx->dir);
	snprintf(path, sizeof(path), "%s/s.db", deep);
	must(fx, store_open(path, STORE_WRITE, NULL, &store, &fx->err));
	store_close(store);
	assert_int_equal(stat(deep, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	unlink(path);
	snprintf(path, sizeof(path), "%s/s.db.write.lock", deep);
	unlink(path);
	rmdir(deep);
	snprintf(deep, sizeof(deep), "%s/a", fx->dir);
	rmdir(deep);
}

static void
test_notes_and_rollback(void **state)
{
	struct fixture *fx = *state;
	const char *text;

	must(fx, store_get_note(fx->store, "config-path", &fx->a, &text, &fx->err));
	assert_string_equal(text, "");
	must(fx, store_begin(fx->store, &fx->err));
	must(fx, store_set_note(fx->store, "config-path", "/etc/x", &fx->err));
	must(fx, store_commit(fx->store, false, &fx->err));
	must(fx, store_begin(fx->store, &fx->err));
	must(fx, store_set_note(fx->store, "config-path", "/etc/y", &fx->err));
	store_rollback(fx->store);
	reopen(fx, STORE_READ);
	must(fx, store_get_note(fx->store, "config-path", &fx->a, &text, &fx->err));
	assert_string_equal(text, "/etc/x");
}

static void
test_write_needs_transaction(void **state)
{
	struct fixture *fx = *state;

	assert_int_equal(store_set_note(fx->store, "a", "b", &fx->err), -1);
	assert_int_equal(fx->err.kind, ERR_BUG);
}

static void
test_missing_store(void **state)
{
	struct fixture *fx = *state;

	close_store(fx);
	unlink(fx->path);
	expect_refused(fx, STORE_READ, "no store at");
}

static void
test_broken_files(void **state)
{
	struct fixture *fx = *state;

	close_store(fx);
	write_file(fx->path, "", 0);
	expect_refused(fx, STORE_WRITE, "is empty");
	expect_refused(fx, STORE_OVERLAY, "is empty");
	write_file(fx->path, "Dear diary, this is not a database at all, and long enough.\n", 60);
	expect_refused(fx, STORE_WRITE, "not a digest store");
	expect_refused(fx, STORE_READ, "not a digest store");
	expect_refused(fx, STORE_OVERLAY, "not a digest store");
	unlink(fx->path);
	assert_int_equal(mkdir(fx->path, 0700), 0);
	expect_refused(fx, STORE_WRITE, "is a directory");
	rmdir(fx->path);
}

static void
run_sql(const char *path, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void
test_foreign_and_newer(void **state)
{
	struct fixture *fx = *state;

	close_store(fx);
	run_sql(fx->path, "PRAGMA user_version = 99");
	expect_refused(fx, STORE_WRITE, "newer digest (schema 99");
	expect_refused(fx, STORE_READ, "newer digest");
	expect_refused(fx, STORE_OVERLAY, "newer digest");
	run_sql(fx->path, "PRAGMA user_version = 1; PRAGMA application_id = 7");
	expect_refused(fx, STORE_WRITE, "another program");
}

/* Overwrite each page in turn: it is found at the start, or the page was free or unused. */
static void
test_corrupt_pages(void **state)
{
	struct fixture *fx = *state;
	char junk[512], page[4096];
	struct stat st;
	int fd, nrefused = 0, npages;

	for (int i = 0; i < 60; i++) {
		char name[16];

		snprintf(name, sizeof(name), "2401.%05d", i);
		put_one(fx, "arxiv", make_paper(fx, name, T_TODAY), T_NOW);
	}
	close_store(fx);
	memset(junk, 0xa5, sizeof(junk));
	assert_int_equal(stat(fx->path, &st), 0);
	npages = (int)(st.st_size / 4096);
	fd = open(fx->path, O_RDWR);
	for (int i = 0; i < npages; i++) {
		struct store *store = NULL;

		assert_int_equal(pread(fd, page, sizeof(page), i * 4096), sizeof(page));
		assert_int_equal(pwrite(fd, junk, sizeof(junk), i * 4096), sizeof(junk));
		if (store_open(fx->path, STORE_WRITE, NULL, &store, &fx->err) == -1) {
			nrefused++;
			if (strstr(fx->err.msg, "restore a backup") == NULL)
				fail_msg("page %d: %s", i, fx->err.msg);
		} else {
			store_close(store);
		}
		assert_int_equal(pwrite(fd, page, sizeof(page), i * 4096), sizeof(page));
	}
	close(fd);
	if (nrefused < npages - 2) /* overflow pages of text hold anything */
		fail_msg("only %d of %d damaged pages were found", nrefused, npages);
}

static void
test_truncated(void **state)
{
	struct fixture *fx = *state;
	struct stat st;

	put_one(fx, "arxiv", make_paper(fx, "2401.00001", T_TODAY), T_NOW);
	close_store(fx);
	assert_int_equal(stat(fx->path, &st), 0);
	assert_int_equal(truncate(fx->path, st.st_size / 2), 0);
	expect_refused(fx, STORE_WRITE, "restore a backup");
}

static void
test_network_names(void **state)
{
	static const struct {
		long f_type;
		const char *name;
	} cases[] = {
		{ 0x6969, "NFS" }, { 0xff534d42, "CIFS" }, { 0xfe534d42, "SMB2" },
		{ (int)0xff534d42, "CIFS" },	     /* sign-extended by some kernels */
		{ 0x517b, "SMB" }, { 0xef53, NULL }, /* ext4 */
		{ 0x01021997, NULL },		     /* 9p: a virtual machine's own disk */
		{ 0x65735546, NULL },		     /* FUSE: local ones and sshfs look alike */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *name = lock_network_name(cases[i].f_type);

		if ((name == NULL) != (cases[i].name == NULL) ||
		    (name != NULL && strcmp(name, cases[i].name) != 0))
			fail_msg("row %zu: %s", i, name != NULL ? name : "none");
	}
}

/* Run work in another process; its exit code is the result. */
static int
in_child(int (*work)(struct fixture *fx), struct fixture *fx)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(work(fx));
	assert_int_not_equal(pid, -1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int
child_locks_sender(struct fixture *fx)
{
	struct store *store;
	long holder;

	if (store_open(fx->path, STORE_WRITE, NULL, &store, &fx->err) == -1)
		return 9;
	if (store_lock_sender(store, &holder, &fx->err) != 0)
		return 8;
	return holder == (long)getppid() ? 0 : 7;
}

static void
test_one_sender(void **state)
{
	struct fixture *fx = *state;
	long holder;

	assert_int_equal(store_lock_sender(fx->store, &holder, &fx->err), 1);
	assert_int_equal(in_child(child_locks_sender, fx), 0);
	/* A look and a dry run are no senders and do not become one. */
	reopen(fx, STORE_READ);
	assert_int_equal(store_lock_sender(fx->store, &holder, &fx->err), 1);
	assert_int_equal(in_child(child_locks_sender, fx), 8);
	reopen(fx, STORE_OVERLAY);
	assert_int_equal(store_lock_sender(fx->store, &holder, &fx->err), 1);
	assert_int_equal(in_child(child_locks_sender, fx), 8);
}

enum { ROUNDS = 50 };

static int
child_counts(struct fixture *fx)
{
	struct store *store;
	struct arena a;

	arena_init(&a, 1 << 20);
	if (store_open(fx->path, STORE_WRITE, NULL, &store, &fx->err) == -1)
		return 1;
	for (int i = 0; i < ROUNDS; i++) {
		const char *text;
		char next[32];

		if (store_begin(store, &fx->err) == -1 ||
		    store_get_note(store, "count", &a, &text, &fx->err) == -1)
			return 2;
		snprintf(next, sizeof(next), "%ld", strtol(text, NULL, 10) + 1);
		if (store_set_note(store, "count", next, &fx->err) == -1 ||
		    store_commit(store, i % 10 == 0, &fx->err) == -1)
			return 3;
	}
	store_close(store);
	return 0;
}

/* F-17: writers wait for each other, nobody sees "locked", nothing is lost. */
static void
test_writers_take_turns(void **state)
{
	struct fixture *fx = *state;
	enum { WRITERS = 4 };
	pid_t pids[WRITERS];
	const char *text;

	for (int i = 0; i < WRITERS; i++)
		if ((pids[i] = fork()) == 0)
			_exit(child_counts(fx));
	for (int i = 0; i < WRITERS; i++) {
		int status;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
			fail_msg("writer %d ended with %d", i, status);
	}
	must(fx, store_get_note(fx->store, "count", &fx->a, &text, &fx->err));
	assert_int_equal(strtol(text, NULL, 10), WRITERS * ROUNDS);
}

static int
child_dies(struct fixture *fx)
{
	struct store *store;

	if (store_open(fx->path, STORE_WRITE, NULL, &store, &fx->err) == -1 ||
	    store_begin(store, &fx->err) == -1 ||
	    store_set_note(store, "kept", "yes", &fx->err) == -1 ||
	    store_commit(store, true, &fx->err) == -1 || store_begin(store, &fx->err) == -1 ||
	    store_set_note(store, "lost", "yes", &fx->err) == -1)
		return 1;
	_exit(0);
}

/* A killed process leaves its commits, not its open transaction, and no lock. */
static void
test_killed_writer(void **state)
{
	struct fixture *fx = *state;
	const char *kept, *lost;

	close_store(fx);
	assert_int_equal(in_child(child_dies, fx), 0);
	must(fx, store_open(fx->path, STORE_WRITE, NULL, &fx->store, &fx->err));
	must(fx, store_get_note(fx->store, "kept", &fx->a, &kept, &fx->err));
	must(fx, store_get_note(fx->store, "lost", &fx->a, &lost, &fx->err));
	assert_string_equal(kept, "yes");
	assert_string_equal(lost, "");
	must(fx, store_begin(fx->store, &fx->err));
	must(fx, store_commit(fx->store, false, &fx->err));
}

static void
test_clean_close_leaves_one_file(void **state)
{
	struct fixture *fx = *state;
	char wal[160];

	put_one(fx, "arxiv", make_paper(fx, "2401.00001", T_TODAY), T_NOW);
	close_store(fx);
	snprintf(wal, sizeof(wal), "%s-wal", fx->path);
	assert_int_equal(access(wal, F_OK), -1);
	must(fx, store_open(fx->path, STORE_READ, NULL, &fx->store, &fx->err));
	find(fx, "2401.00001");
}

/* F-10: a full disk is an ordinary error, and the store goes on as before. */
static void
test_disk_full(void **state)
{
	struct fixture *fx = *state;
	struct paper *p = make_paper(fx, "2401.00001", T_TODAY);
	struct store_put_counts counts;
	char *big = arena_alloc(&fx->a, 15000);

	must(fx,
	    db_exec(fx->store, "PRAGMA max_page_count = 1", &fx->err)); /* = as many as there are */
	memset(big, 'x', 14999);
	big[14999] = '\0';
	p->abstract = big;
	must(fx, store_begin(fx->store, &fx->err));
	assert_int_equal(
	    store_put_papers(fx->store, "arxiv", "arxiv", &p, 1, 0, T_NOW, &counts, &fx->err), -1);
	assert_non_null(strstr(fx->err.msg, "the disk is full"));
	store_rollback(fx->store);
	must(fx, store_begin(fx->store, &fx->err));
	must(fx, store_set_note(fx->store, "a", "b", &fx->err));
	must(fx, store_commit(fx->store, true, &fx->err));
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		T(test_new_store),
		T(test_directories_are_made),
		T(test_notes_and_rollback),
		T(test_write_needs_transaction),
		T(test_missing_store),
		T(test_broken_files),
		T(test_foreign_and_newer),
		T(test_corrupt_pages),
		T(test_truncated),
		T(test_network_names),
		T(test_one_sender),
		T(test_writers_take_turns),
		T(test_killed_writer),
		T(test_clean_close_leaves_one_file),
		T(test_disk_full),
	};

	return cmocka_run_group_tests_name("store_open", tests, NULL, NULL);
}
