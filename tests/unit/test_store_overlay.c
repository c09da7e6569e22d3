/* A dry run's store: what is written stays in memory, the files do not change, a real writer may
 * go on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <sodium.h>

#include "store_test.h"

#include "digest/file.h"
#include "store/db.h"

/* One number for the names and bytes of all files in the directory. */
static uint64_t
sum_directory(struct fixture *fx)
{
	DIR *dir = opendir(fx->dir);
	struct dirent *entry;
	uint64_t sum = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		struct strbuf bytes;
		uint64_t one[2]; /* order of the files must not matter, so that sums are added */
		char path[400];

		if (entry->d_name[0] == '.')
			continue;
		strbuf_init(&bytes, (size_t)1 << 28);
		snprintf(path, sizeof(path), "%s/%s", fx->dir, entry->d_name);
		must(fx, file_read(path, &bytes, &fx->err));
		strbuf_add(&bytes, entry->d_name);
		assert_int_equal(crypto_generichash((unsigned char *)one, sizeof(one),
				     (const unsigned char *)bytes.buf, bytes.len, NULL, 0),
		    0);
		sum += one[0];
		strbuf_release(&bytes);
	}
	closedir(dir);
	return sum;
}

static void
put_many(struct fixture *fx, const char *prefix, int n)
{
	struct paper *papers[300];

	assert_true(n <= 300);
	for (int i = 0; i < n; i++) {
		char name[32];

		snprintf(name, sizeof(name), "%s.%05d", prefix, i);
		papers[i] = make_paper(fx, name, T_TODAY);
	}
	put_papers(fx, "arxiv", papers, (size_t)n, 0, T_NOW);
}

static size_t
count_papers(struct fixture *fx, struct store *store)
{
	struct store_sizes sizes;

	must(fx, store_load_sizes(store, &sizes, &fx->err));
	return sizes.npapers;
}

static void
test_files_stay(void **state)
{
	struct fixture *fx = *state;
	uint64_t before;

	put_many(fx, "2401", 200);
	reopen(fx, STORE_OVERLAY); /* after a clean close: one file and the locks */
	before = sum_directory(fx);
	put_many(fx, "2402", 300);
	assert_int_equal(settle(fx, T_NOW), 500);
	assert_int_equal(count_papers(fx, fx->store), 500);
	find(fx, "2402.00299");
	must(fx, db_exec(fx->store, "PRAGMA wal_checkpoint(TRUNCATE)", &fx->err));
	assert_int_equal(count_papers(fx, fx->store), 500);
	assert_true(before == sum_directory(fx));
	reopen(fx, STORE_READ);
	assert_int_equal(count_papers(fx, fx->store), 200);
}

static int
child_leaves_log(struct fixture *fx)
{
	fx->store = NULL;
	if (store_open(fx->path, STORE_WRITE, NULL, &fx->store, &fx->err) == -1)
		return 1;
	put_many(fx, "2403", 100);
	_exit(0); /* no close: the log stays */
}

static int
run_child(struct fixture *fx, int (*work)(struct fixture *fx))
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(work(fx));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Papers that stand only in the log of a killed writer are seen, and the log and its index stay
 * as they are. */
static void
test_log_is_read(void **state)
{
	struct fixture *fx = *state;
	uint64_t before;

	put_many(fx, "2401", 50);
	store_close(fx->store);
	fx->store = NULL;
	assert_int_equal(run_child(fx, child_leaves_log), 0);
	before = sum_directory(fx);
	must(fx, store_open(fx->path, STORE_OVERLAY, NULL, &fx->store, &fx->err));
	assert_int_equal(count_papers(fx, fx->store), 150);
	put_many(fx, "2404", 100);
	assert_int_equal(count_papers(fx, fx->store), 250);
	assert_true(before == sum_directory(fx));
	store_close(fx->store);
	fx->store = NULL;
	assert_true(before == sum_directory(fx));
}

static void
test_no_store(void **state)
{
	struct fixture *fx = *state;

	store_close(fx->store);
	fx->store = NULL;
	unlink(fx->path);
	must(fx, store_open(fx->path, STORE_OVERLAY, NULL, &fx->store, &fx->err));
	put_many(fx, "2401", 20);
	assert_int_equal(count_papers(fx, fx->store), 20);
	assert_int_equal(access(fx->path, F_OK), -1);
}

static void
test_no_directory(void **state)
{
	struct fixture *fx = *state;
	char path[200];
	struct store *store;

	snprintf(path, sizeof(path), "%s/not/there/store.db", fx->dir);
	must(fx, store_open(path, STORE_OVERLAY, NULL, &store, &fx->err));
	must(fx, store_begin(store, &fx->err));
	must(fx, store_set_note(store, "a", "b", &fx->err));
	must(fx, store_commit(store, true, &fx->err));
	store_close(store);
	snprintf(path, sizeof(path), "%s/not", fx->dir);
	assert_int_equal(access(path, F_OK), -1);
}

/* Root may write anywhere, so the child becomes another user; without that right it is root and
 * proves less. */
static int
child_reads_only(struct fixture *fx)
{
	struct paper *p;

	if (geteuid() == 0 && setuid(65534) == -1)
		return 77;
	for (int mode = STORE_READ; mode <= STORE_OVERLAY; mode++) {
		struct store *store;

		if (mode == STORE_WRITE) {
			if (store_open(fx->path, STORE_WRITE, NULL, &store, &fx->err) != -1 ||
			    strstr(fx->err.msg, "no permission; ") == NULL)
				return 1;
			continue;
		}
		if (store_open(fx->path, (enum store_mode)mode, NULL, &store, &fx->err) == -1)
			return 2 + mode;
		if (store_find_paper(store, "2401.00007", &fx->a, &p, &fx->err) != 1)
			return 10 + mode;
		store_close(store);
	}
	return 0;
}

/* F-12: a file and a directory that may only be read. */
static void
test_read_only_place(void **state)
{
	struct fixture *fx = *state;
	uint64_t before;
	char lock[160];
	int rc;

	put_many(fx, "2401", 20);
	store_close(fx->store);
	fx->store = NULL;
	snprintf(lock, sizeof(lock), "%s.write.lock", fx->path);
	assert_int_equal(chmod(fx->path, 0444) + chmod(lock, 0444) + chmod(fx->dir, 0555), 0);
	before = sum_directory(fx);
	rc = run_child(fx, child_reads_only);
	assert_true(before == sum_directory(fx));
	chmod(fx->dir, 0700);
	if (rc == 77)
		skip();
	assert_int_equal(rc, 0);
}

/* A real writer commits enough for checkpoints; the overlay still sees its snapshot, page by
 * page. */
static void
test_snapshot_beside_writer(void **state)
{
	enum { FRAMES = 4200 }; /* more than a log may have before it is folded in */
	struct fixture *fx = *state;
	struct store *dry, *real = fx->store;
	char verdict[64];
	int rounds = 0;

	put_many(fx, "2401", 300);
	must(fx, store_open(fx->path, STORE_OVERLAY, NULL, &dry, &fx->err));
	assert_int_equal(count_papers(fx, dry), 300);
	for (; rounds < 99 && real->wal_frames <= FRAMES; rounds++) {
		char prefix[8];

		snprintf(prefix, sizeof(prefix), "25%02d", rounds + 1);
		put_many(fx, prefix, 300);
		settle(fx, T_NOW);
		assert_int_equal(count_papers(fx, dry), 300);
	}
	assert_int_equal(count_papers(fx, real), (rounds + 1) * 300);
	if (real->wal_frames <= FRAMES)
		fail_msg("only %d frames", real->wal_frames); /* the checkpoint was put off */
	fx->store = dry;
	must(fx, db_pragma_text(dry, "PRAGMA integrity_check", verdict, sizeof(verdict), &fx->err));
	assert_string_equal(verdict, "ok");
	put_many(fx, "2402", 300);
	assert_int_equal(count_papers(fx, dry), 600);
	store_close(dry);
	fx->store = real;
	put_many(fx, "2601", 1);
	assert_int_equal(count_papers(fx, real), (rounds + 1) * 300 + 1);
	must(
	    fx, db_pragma_text(real, "PRAGMA integrity_check", verdict, sizeof(verdict), &fx->err));
	assert_string_equal(verdict, "ok");
	/* Now that nobody looks, the log is folded in and begins anew. */
	put_many(fx, "2602", 1);
	put_many(fx, "2603", 1);
	assert_true(real->wal_frames < FRAMES);
}

static void
test_two_overlays(void **state)
{
	struct fixture *fx = *state;
	struct store *one, *two;

	put_many(fx, "2401", 5);
	must(fx, store_open(fx->path, STORE_OVERLAY, NULL, &one, &fx->err));
	must(fx, store_open(fx->path, STORE_OVERLAY, NULL, &two, &fx->err));
	store_close(fx->store);
	fx->store = one;
	put_many(fx, "2402", 5);
	assert_int_equal(count_papers(fx, one), 10);
	assert_int_equal(count_papers(fx, two), 5);
	store_close(two);
}

static void
test_rollback_in_overlay(void **state)
{
	struct fixture *fx = *state;
	struct store_put_counts counts;
	struct paper *p = make_paper(fx, "2401.00001", T_TODAY);

	reopen(fx, STORE_OVERLAY);
	must(fx, store_begin(fx->store, &fx->err));
	must(fx, store_put_papers(fx->store, "arxiv", "arxiv", &p, 1, 0, T_NOW, &counts, &fx->err));
	store_rollback(fx->store);
	assert_int_equal(count_papers(fx, fx->store), 0);
	put_many(fx, "2402", 3);
	assert_int_equal(count_papers(fx, fx->store), 3);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		T(test_files_stay),
		T(test_log_is_read),
		T(test_no_store),
		T(test_no_directory),
		T(test_read_only_place),
		T(test_snapshot_beside_writer),
		T(test_two_overlays),
		T(test_rollback_in_overlay),
	};

	return cmocka_run_group_tests_name("store_overlay", tests, NULL, NULL);
}
