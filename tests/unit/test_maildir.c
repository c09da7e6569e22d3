#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "digest/file.h"
#include "digest/limits.h"
#include "digest/message.h"
#include "digest/sink.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct address me = { "", "me@example.org", "me@example.org", "example.org", false };
static const struct address ada = { "", "ada@example.net", "ada@example.net", "example.net",
	false };

/* A queue that makes mails 0 .. nmails-1 and keeps the books. */
struct books {
	const char *folder;
	int nmails, next;
	int big;		    /* this mail is larger than the others; -1 = none */
	int broken;		    /* this mail has no Message-ID; -1 = none */
	int fail_next, fail_intend; /* fail at this mail, at this batch; -1 = never */
	int nbatches, nintended;
	int nsettled, noutcomes[4];
	bool seen_early; /* something was in new before it was announced */
	char last_reply[512];
	int big_outcome, broken_outcome;
};

static int
count_files(const char *folder, const char *sub)
{
	char path[200];
	struct dirent *e;
	DIR *dir;
	int n = 0;

	snprintf(path, sizeof(path), "%s/%s", folder, sub);
	dir = opendir(path);
	assert_non_null(dir);
	while ((e = readdir(dir)) != NULL)
		n += e->d_name[0] != '.';
	closedir(dir);
	return n;
}

static int
next_mail(void *arg, unsigned lane, struct delivery *out, struct error *err)
{
	struct books *b = arg;
	char id[MESSAGE_ID_SIZE], number[20];
	struct strbuf text;
	struct message m = { .from = &me,
		.to = &ada,
		.subject = "Papers",
		.date_utc = 1787294700,
		.list_id = "papers.example.org",
		.list_name = "",
		.message_id = id,
		.unsubscribe_mailto = "mailto:me@example.org",
		.unsubscribe_https = "",
		.help_url = "",
		.archive_url = "",
		.html = "x" };
	int rc;

	(void)lane;
	if (b->next == b->nmails)
		return 0;
	if (b->next == b->fail_next)
		return err_set(err, ERR_IO, "the queue broke");
	snprintf(number, sizeof(number), "%d", b->next);
	message_make_id(id, "papers.example.org", "ada@example.net", number, "example.org");
	strbuf_init(&text, MAX_TEXT_BYTES);
	strbuf_addf(&text, "mail %d\r\n", b->next);
	for (int i = 0; b->next == b->big && i < 2000; i++)
		strbuf_add(&text, "a line that makes it large\r\n");
	m.text = text.buf;
	out->period = 20260821;
	out->reader = b->next;
	snprintf(out->sender, sizeof(out->sender), "me@example.org");
	snprintf(out->to, sizeof(out->to), "%s", ada.mailbox);
	assert_int_equal(out->bytes.len, 0);
	if (b->next == b->broken)
		strbuf_add(&out->bytes, "Subject: x\r\n\r\nMessage-ID: <in@the.body>\r\n");
	rc = b->next == b->broken ? 0 : message_add(&out->bytes, &m, err);
	strbuf_release(&text);
	b->next++;
	return rc == 0 ? 1 : -1;
}

static int
intend(void *arg, const struct delivery *const *mails, size_t n, struct error *err)
{
	struct books *b = arg;

	if (b->nbatches == b->fail_intend)
		return err_set(err, ERR_IO, "the store broke");
	assert_true(n > 0 && n <= MAILDIR_BATCH);
	assert_int_equal(mails[0]->period, 20260821);
	b->seen_early =
	    b->seen_early || count_files(b->folder, "new") != b->noutcomes[OUTCOME_SENT];
	b->nintended += (int)n;
	b->nbatches++;
	return 0;
}

static int
settle(void *arg, const struct delivery_outcome *outcomes, size_t n, struct error *err)
{
	struct books *b = arg;

	(void)err;
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(outcomes[i].reader, b->nsettled); /* in order, none left out */
		b->noutcomes[outcomes[i].outcome]++;
		if (b->nsettled == b->big)
			b->big_outcome = (int)outcomes[i].outcome;
		if (b->nsettled == b->broken)
			b->broken_outcome = (int)outcomes[i].outcome;
		b->nsettled++;
	}
	snprintf(b->last_reply, sizeof(b->last_reply), "%s", outcomes[n - 1].reply);
	return 0;
}

struct place {
	char folder[64];
	char maildir[80];
};

static int
setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return -1;
	snprintf(p->folder, sizeof(p->folder), "/tmp/digest-maildir.XXXXXX");
	if (mkdtemp(p->folder) == NULL)
		return -1;
	snprintf(p->maildir, sizeof(p->maildir), "%s/box", p->folder);
	*state = p;
	return 0;
}

static void
remove_folder(const char *path)
{
	char entry[600];
	struct dirent *e;
	DIR *dir = opendir(path);

	while (dir != NULL && (e = readdir(dir)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		snprintf(entry, sizeof(entry), "%s/%s", path, e->d_name);
		if (unlink(entry) == -1)
			remove_folder(entry);
	}
	if (dir != NULL)
		closedir(dir);
	rmdir(path);
}

static int
teardown(void **state)
{
	struct place *p = *state;

	remove_folder(p->folder);
	free(p);
	return 0;
}

/* Run a queue of n mails, changed by the caller before. */
static int
run(const struct place *p, struct books *b, struct error *err)
{
	const struct delivery_queue queue = {
		.arg = b, .next = next_mail, .intend = intend, .settle = settle
	};
	struct sink *sink = NULL;
	int rc;

	b->folder = p->maildir;
	err_clear(err);
	if (sink_open_maildir(p->maildir, &sink, err) == -1)
		return -1;
	rc = sink_run(sink, &queue, err);
	sink_free(sink);
	return rc;
}

static struct books
books_of(int nmails)
{
	return (struct books){
		.nmails = nmails, .big = -1, .broken = -1, .fail_next = -1, .fail_intend = -1
	};
}

/* The only file of a folder. */
static void
only_file(const char *folder, char *out, size_t size)
{
	struct dirent *e;
	DIR *dir = opendir(folder);

	assert_non_null(dir);
	out[0] = '\0';
	while ((e = readdir(dir)) != NULL)
		if (e->d_name[0] != '.')
			snprintf(out, size, "%s/%s", folder, e->d_name);
	closedir(dir);
}

static void
test_one(void **state)
{
	const struct place *p = *state;
	struct books b = books_of(1);
	char new[120], path[400], reply[500];
	const char *base;
	struct strbuf text;
	struct error err;
	struct stat st;

	if (run(p, &b, &err) == -1)
		fail_msg("%s", err.msg);
	assert_int_equal(b.noutcomes[OUTCOME_SENT], 1);
	assert_int_equal(b.nintended, 1);
	assert_false(b.seen_early);
	assert_int_equal(count_files(p->maildir, "new"), 1);
	assert_int_equal(count_files(p->maildir, "tmp"), 0);
	assert_int_equal(count_files(p->maildir, "cur"), 0);

	snprintf(new, sizeof(new), "%s/new", p->maildir);
	only_file(new, path, sizeof(path));
	snprintf(reply, sizeof(reply), "delivered to %s", path);
	assert_string_equal(b.last_reply, reply);
	base = strrchr(path, '/') + 1;
	assert_int_equal(strncmp(base, "1787294700.", 11), 0);
	assert_string_equal(base + strlen(base) - 7, ".digest");
	assert_null(strchr(base, ':'));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(stat(new, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);

	strbuf_init(&text, MAX_MESSAGE_BYTES);
	assert_int_equal(file_read(path, &text, &err), 0);
	assert_null(strchr(text.buf, '\r'));
	assert_non_null(strstr(text.buf, "\nSubject: Papers\n"));
	assert_non_null(strstr(text.buf, "\nmail 0\n"));
	strbuf_release(&text);
}

/* How many mails, and how many batches they make. */
static void
test_counts(void **state)
{
	static const struct {
		int nmails, nbatches;
	} rows[] = { { 0, 0 }, { 1, 1 }, { 63, 1 }, { 64, 1 }, { 65, 2 }, { 200, 4 } };
	struct place *p = *state;
	struct error err;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct books b = books_of(rows[i].nmails);

		snprintf(p->maildir, sizeof(p->maildir), "%s/box%zu", p->folder, i);
		if (run(p, &b, &err) == -1)
			fail_msg("row %zu: %s", i, err.msg);
		if (b.nbatches != rows[i].nbatches || b.noutcomes[OUTCOME_SENT] != rows[i].nmails ||
		    b.seen_early || count_files(p->maildir, "new") != rows[i].nmails ||
		    count_files(p->maildir, "tmp") != 0)
			fail_msg("row %zu: %d batches, %d sent", i, b.nbatches,
			    b.noutcomes[OUTCOME_SENT]);
	}
}

static void
test_again(void **state)
{
	const struct place *p = *state;
	struct error err;

	for (int round = 0; round < 2; round++) {
		struct books b = books_of(70);

		assert_int_equal(run(p, &b, &err), 0);
		assert_int_equal(b.noutcomes[OUTCOME_SENT], 70);
		b.noutcomes[OUTCOME_SENT] = 0;
	}
	assert_int_equal(count_files(p->maildir, "new"), 70);
}

/* A mail that cannot be written is deferred, one that is none is refused; the others go on. */
static void
test_one_fails(void **state)
{
	const struct rlimit small = { 20000, RLIM_INFINITY };
	const struct place *p = *state;
	struct books b = books_of(100);
	struct rlimit before;
	struct error err;
	int rc;

	b.big = 3;
	b.broken = 66;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	rc = run(p, &b, &err);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_DFL);
	if (rc == -1)
		fail_msg("%s", err.msg);
	assert_int_equal(b.big_outcome, OUTCOME_DEFERRED);
	assert_int_equal(b.broken_outcome, OUTCOME_FAILED);
	assert_int_equal(b.noutcomes[OUTCOME_SENT], 98);
	assert_int_equal(b.nintended, 98);
	assert_int_equal(b.nsettled, 100);
	assert_int_equal(count_files(p->maildir, "new"), 98);
	assert_int_equal(count_files(p->maildir, "tmp"), 0);
}

/* Whatever is not announced does not appear. */
static void
test_queue_fails(void **state)
{
	static const struct {
		int fail_next, fail_intend, ndelivered;
	} rows[] = { { 0, -1, 0 }, { 5, -1, 0 }, { 70, -1, 64 }, { -1, 0, 0 }, { -1, 1, 64 } };
	struct place *p = *state;
	struct error err;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct books b = books_of(100);

		b.fail_next = rows[i].fail_next;
		b.fail_intend = rows[i].fail_intend;
		snprintf(p->maildir, sizeof(p->maildir), "%s/box%zu", p->folder, i);
		if (run(p, &b, &err) == 0 || strstr(err.msg, "broke") == NULL)
			fail_msg("row %zu: no error, '%s'", i, err.msg);
		if (count_files(p->maildir, "new") != rows[i].ndelivered ||
		    count_files(p->maildir, "tmp") != 0 || b.nsettled != rows[i].ndelivered)
			fail_msg("row %zu: %d delivered, %d settled", i,
			    count_files(p->maildir, "new"), b.nsettled);
	}
}

/* The new folder vanishes between opening and renaming: all is told, then the run fails. */
static int
intend_and_remove(void *arg, const struct delivery *const *mails, size_t n, struct error *err)
{
	struct books *b = arg;
	char path[200];

	snprintf(path, sizeof(path), "%s/new", b->folder);
	assert_int_equal(rmdir(path), 0);
	(void)mails;
	(void)err;
	b->nintended += (int)n;
	return 0;
}

static void
test_folder_vanishes(void **state)
{
	const struct place *p = *state;
	struct books b = books_of(3);
	const struct delivery_queue queue = {
		.arg = &b, .next = next_mail, .intend = intend_and_remove, .settle = settle
	};
	struct sink *sink = NULL;
	struct error err;

	b.folder = p->maildir;
	assert_int_equal(sink_open_maildir(p->maildir, &sink, &err), 0);
	assert_int_equal(sink_run(sink, &queue, &err), -1);
	assert_int_equal(err.kind, ERR_IO);
	assert_int_equal(b.nsettled, 3);
	assert_int_equal(b.noutcomes[OUTCOME_DEFERRED], 3);
	sink_free(sink);
	assert_int_equal(count_files(p->maildir, "tmp"), 0);
}

static void
test_open_fails(void **state)
{
	const struct place *p = *state;
	struct sink *sink = NULL;
	struct error err;

	assert_int_equal(sink_open_maildir("/dev/null/box", &sink, &err), -1);
	assert_int_equal(err.kind, ERR_IO);
	assert_int_equal(file_write(p->maildir, 0600, "x", 1, &err), 0);
	assert_int_equal(sink_open_maildir(p->maildir, &sink, &err), -1);
	assert_null(sink);
	sink_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_one, setup, teardown),
		cmocka_unit_test_setup_teardown(test_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(test_queue_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(test_folder_vanishes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_open_fails, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
