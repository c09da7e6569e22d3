/* A Maildir and standard input as mailboxes: what is handed out, what becomes of it, and up to where a place goes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "digest/mailbox.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct place {
	char path[100];
};

static void
make_folder(const struct place *p, const char *name)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/%s", p->path, name);
	assert_int_equal(mkdir(path, 0700), 0);
}

static void
put(const struct place *p, const char *name, const char *text)
{
	char path[400];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", p->path, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static bool
is_there(const struct place *p, const char *name)
{
	char path[400];

	snprintf(path, sizeof(path), "%s/%s", p->path, name);
	return access(path, F_OK) == 0;
}

static int
setup(void **state)
{
	struct place *p = malloc(sizeof(*p));

	assert_non_null(p);
	snprintf(p->path, sizeof(p->path), "/tmp/digest-mailbox.XXXXXX");
	assert_non_null(mkdtemp(p->path));
	make_folder(p, "new");
	make_folder(p, "cur");
	make_folder(p, "tmp");
	*state = p;
	return 0;
}

static int
teardown(void **state)
{
	static const char *const folders[] = { "new", "cur", "tmp", ".Done/cur", ".Done", "" };
	struct place *p = *state;
	char path[300], file[600];

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		struct dirent *e;
		DIR *dir;

		snprintf(path, sizeof(path), "%s/%s", p->path, folders[i]);
		if ((dir = opendir(path)) == NULL)
			continue;
		while ((e = readdir(dir)) != NULL) {
			snprintf(file, sizeof(file), "%s/%s", path, e->d_name);
			unlink(file);
		}
		closedir(dir);
		rmdir(path);
	}
	free(p);
	return 0;
}

static struct mailbox *
open_box(const struct mailbox_settings *s, const struct mailbox_place *since)
{
	const struct mailbox_place never = { 0, 0, 0 };
	struct mailbox *mb = NULL;
	struct error err = { 0 };

	if (mailbox_open(s, since != NULL ? since : &never, &mb, &err) == -1)
		fail_msg("%s", err.msg);
	return mb;
}

/* All names in their order, a blank behind each; every mail with "leave" in it is left. */
static void
take_all(struct mailbox *mb, char *names, size_t size)
{
	struct mailbox_item mail;
	struct error err = { 0 };
	size_t len = 0;
	int more;

	names[0] = '\0';
	while ((more = mailbox_next(mb, &mail, &err)) == 1) {
		len += (size_t)snprintf(names + len, size - len, "%s ", mail.name);
		mailbox_finish(mb, mail.number,
		    memmem(mail.bytes, mail.len, "leave", 5) != NULL ? MAILBOX_LEAVE
								     : MAILBOX_DONE);
	}
	if (more == -1 || mailbox_flush(mb, &err) == -1)
		fail_msg("%s", err.msg);
}

static void
run_box(const struct mailbox_settings *s, struct mailbox_place *place, char *names, size_t size)
{
	struct mailbox *mb = open_box(s, place);

	take_all(mb, names, size);
	if (place != NULL)
		mailbox_tell_place(mb, place);
	mailbox_free(mb);
}

static void
test_settings(void **state)
{
	const struct {
		struct mailbox_settings s;
		const char *error; /* NULL = they are right */
	} rows[] = {
		{ { .maildir = "/m" }, NULL },
		{ { .fd = 0 }, NULL },
		{ { .url = "imaps://h", .user = "u", .password = "p" }, NULL },
		{ { .url = "imap://h", .user = "u", .password = "p", .tls_required = true }, NULL },
		{ { .url = "imap://127.0.0.1", .user = "u", .password = "p" }, NULL },
		{ { .url = "imap://h", .user = "u", .password = "p", .insecure = true }, NULL },
		{ { .url = "imap://h", .user = "u", .password = "p" }, "tls none to h" },
		{ { .url = "imaps://h", .maildir = "/m" }, "both url and maildir" },
		{ { .url = "imaps://h" }, "without a user" },
		{ { .url = "imaps://h", .user = "u" }, "user 'u' without a password" },
		{ { .url = "imaps://h", .user = "u", .password = "p", .auth = "md5" },
		    "auth 'md5'" },
		{ { .url = "imaps://h", .user = "u", .password = "p", .auth = "xoauth2" },
		    "without a token-command" },
		{ { .url = "http://h", .user = "u", .password = "p" }, "expected imaps://" },
		{ { .url = "imaps://h", .user = "u", .password = "p", .done = "move:a\nb" },
		    "names no folder" },
		{ { .maildir = "/m", .done = "seen" }, NULL },
		{ { .maildir = "/m", .done = "delete" }, NULL },
		{ { .maildir = "/m", .done = "move:Done" }, NULL },
		{ { .maildir = "/m", .done = "burn" }, "done 'burn'" },
		{ { .maildir = "/m", .done = "move:" }, "done 'move:'" },
		{ { .maildir = "/m", .done = "move:../x" }, "the name of a folder" },
		{ { .maildir = "/m", .done = "move:a/b" }, "the name of a folder" },
		{ { .maildir = "/m", .done = "move:." }, "the name of a folder" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct error err = { 0 };
		int rc = mailbox_check_settings(&rows[i].s, &err);

		if ((rc == -1) != (rows[i].error != NULL))
			fail_msg("row %zu: %s", i, err.msg);
		if (rc == -1 && (err.kind != ERR_CONFIG || strstr(err.msg, rows[i].error) == NULL))
			fail_msg("row %zu: '%s'", i, err.msg);
	}
}

static void
test_keys(void **state)
{
	const struct {
		struct mailbox_settings s;
		const char *want;
	} rows[] = {
		{ { .url = "imaps://h/a%20b", .user = "me@x" }, "imap:me@x@h:993/a b" },
		{ { .url = "imap://h", .user = "me" }, "imap:me@h:143/INBOX" },
		{ { .maildir = "/m" }, "maildir:/m" },
		{ { .fd = 0 }, "stdin" },
	};
	struct strbuf key;

	(void)state;
	strbuf_init(&key, 1000);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		strbuf_reset(&key);
		mailbox_add_key(&key, &rows[i].s);
		assert_string_equal(key.buf, rows[i].want);
	}
	strbuf_release(&key);
}

/* Flags in the order of ASCII, and only the flag for "seen" is added. */
static void
test_names_and_flags(void **state)
{
	static const struct {
		const char *file, *name, *after;
	} rows[] = {
		{ "new/1.a", "1.a", "cur/1.a:2,S" },
		{ "cur/2.a:2,", "2.a", "cur/2.a:2,S" },
		{ "cur/3.a:2,FR", "3.a", "cur/3.a:2,FRS" },
		{ "cur/4.a:2,DXa", "4.a", "cur/4.a:2,DSXa" },
		{ "cur/5.a:1,x", "5.a:1,x", "cur/5.a:1,x:2,S" },
		{ "cur/6.a", "6.a", "cur/6.a:2,S" },
		{ "new/7.a:2,F", "7.a", "cur/7.a:2,FS" },
		{ "new/8 \t%\xffz", "8%20%09%25%FFz", "cur/8 \t%\xffz:2,S" },
		{ "cur/9.a:2,S", NULL, "cur/9.a:2,S" },
		{ "cur/10.a:2,FST", NULL, "cur/10.a:2,FST" },
		{ "cur/11.a:2,T", NULL, "cur/11.a:2,T" },
		{ "new/.12", NULL, "new/.12" },
		{ "tmp/13.a", NULL, "tmp/13.a" },
	};
	struct place *p = *state;
	const struct mailbox_settings s = { .maildir = p->path };
	char names[2000], want[100];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		put(p, rows[i].file, "Subject: x\n\n");
	run_box(&s, NULL, names, sizeof(names));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(want, sizeof(want), "%s ", rows[i].name != NULL ? rows[i].name : "");
		if (rows[i].name != NULL && strstr(names, want) == NULL)
			fail_msg("row %zu: '%s' not in '%s'", i, rows[i].name, names);
		if (!is_there(p, rows[i].after))
			fail_msg("row %zu: no %s", i, rows[i].after);
	}
}

static void
test_order_and_places(void **state)
{
	struct place *p = *state;
	struct mailbox_settings s = { .maildir = p->path, .max_mails = 2 };
	struct mailbox_place place = { 0, 0, 0 };
	struct mailbox *mb;
	struct mailbox_counts counts;
	struct mailbox_item mail;
	struct error err;
	char names[100], file[20];

	/* By when they came, not by name. */
	for (int i = 0; i < 5; i++) {
		snprintf(file, sizeof(file), "new/%d", 9 - i);
		put(p, file, i == 1 ? "please leave\n" : "x\n");
		usleep(12000);
	}
	mb = open_box(&s, &place);
	mailbox_count(mb, &counts);
	assert_int_equal(counts.nfound, 5);
	assert_int_equal(counts.ntaken, 2);
	take_all(mb, names, sizeof(names));
	assert_string_equal(names, "9 8 ");
	mailbox_free(mb);
	/* What was left comes first again, as nobody told from where to go on. */
	run_box(&s, NULL, names, sizeof(names));
	assert_string_equal(names, "8 7 ");
	s.max_mails = 0;
	run_box(&s, NULL, names, sizeof(names));
	assert_string_equal(names, "8 6 5 ");
	/* Just now is too near to be sure that all that came is seen. */
	run_box(&s, &place, names, sizeof(names));
	assert_string_equal(names, "8 ");
	run_box(&s, &place, names, sizeof(names));
	assert_string_equal(names, "8 ");
	usleep(2200000);
	run_box(&s, &place, names, sizeof(names));
	assert_string_equal(names, "8 ");
	run_box(&s, &place, names, sizeof(names));
	assert_string_equal(names, "");
	put(p, "new/1", "x\n");
	run_box(&s, &place, names, sizeof(names));
	assert_string_equal(names, "1 ");
	/* A place of which the clock knows nothing yet: all is looked at. */
	place.at = UINT64_MAX;
	run_box(&s, &place, names, sizeof(names));
	assert_string_equal(names, "8 ");
	assert_true(place.at < UINT64_MAX);
	/* One of which nothing was said stays where it is, and before the place. */
	mb = open_box(&s, NULL);
	mailbox_tell_place(mb, &place);
	assert_int_equal(mailbox_next(mb, &mail, &err), 1);
	assert_int_equal(mailbox_flush(mb, &err), 0);
	mailbox_finish(mb, mail.number, MAILBOX_LEAVE);
	mailbox_free(mb);
	run_box(&s, &place, names, sizeof(names));
	assert_string_equal(names, "8 ");
}

static void
test_what_is_no_mail(void **state)
{
	struct place *p = *state;
	const struct mailbox_settings s = { .maildir = p->path };
	char path[200], names[200];

	put(p, "new/1", "x\n");
	put(p, "secret", "not yours\n");
	make_folder(p, "new/2");
	snprintf(path, sizeof(path), "%s/new/3", p->path);
	assert_int_equal(symlink("../secret", path), 0);
	snprintf(path, sizeof(path), "%s/new/4", p->path);
	assert_int_equal(mkfifo(path, 0600), 0);
	run_box(&s, NULL, names, sizeof(names));
	assert_string_equal(names, "1 ");
	assert_true(is_there(p, "new/2") && is_there(p, "new/4"));
	snprintf(path, sizeof(path), "%s/new/2", p->path);
	rmdir(path);
}

/* Between listing and opening, and between reading and marking, others are at work. */
static void
test_what_changes_meanwhile(void **state)
{
	struct place *p = *state;
	const struct mailbox_settings s = { .maildir = p->path };
	struct mailbox *mb;
	struct mailbox_item mail;
	struct mailbox_counts counts;
	struct error err;
	char from[200], to[200], names[200];

	for (int i = 1; i <= 5; i++) {
		snprintf(from, sizeof(from), "new/%d", i);
		put(p, from, "x\n");
		usleep(12000);
	}
	mb = open_box(&s, NULL);
	snprintf(from, sizeof(from), "%s/new/1", p->path);
	unlink(from); /* gone */
	snprintf(from, sizeof(from), "%s/new/2", p->path);
	unlink(from); /* another thing by now */
	assert_int_equal(mkfifo(from, 0600), 0);
	snprintf(from, sizeof(from), "%s/new/3", p->path);
	snprintf(to, sizeof(to), "%s/cur/3:2,", p->path);
	assert_int_equal(rename(from, to), 0); /* listed by a mail reader */
	assert_int_equal(mailbox_next(mb, &mail, &err), 1);
	assert_string_equal(mail.name, "4");
	mailbox_finish(mb, mail.number, MAILBOX_DONE);
	snprintf(from, sizeof(from), "%s/new/4", p->path);
	snprintf(to, sizeof(to), "%s/cur/4:2,R", p->path);
	assert_int_equal(rename(from, to), 0); /* answered while we looked at it */
	put(p, "cur/5:2,S", "another mail\n");
	take_all(mb, names, sizeof(names));
	assert_string_equal(names, "5 ");
	mailbox_count(mb, &counts);
	assert_int_equal(counts.nunreadable, 1);
	assert_non_null(strstr(counts.trouble.msg, "exists"));
	mailbox_free(mb);
	assert_true(is_there(p, "new/5") && is_there(p, "cur/5:2,S"));
	/* The next run finds what has moved. */
	run_box(&s, NULL, names, sizeof(names));
	assert_non_null(strstr(names, "3 "));
	assert_non_null(strstr(names, "4 "));
	assert_true(is_there(p, "cur/3:2,S") && is_there(p, "cur/4:2,RS"));
}

static void
test_what_is_done(void **state)
{
	struct place *p = *state;
	struct mailbox_settings s = { .maildir = p->path, .done = "move:Done" };
	const struct mailbox_place never = { 0, 0, 0 };
	struct mailbox *mb;
	struct error err;
	char names[100];

	put(p, "new/1", "x\n");
	put(p, "cur/2:2,F", "x\n");
	put(p, "new/3", "leave\n");
	assert_int_equal(mailbox_open(&s, &never, &mb, &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	make_folder(p, ".Done");
	make_folder(p, ".Done/cur");
	run_box(&s, NULL, names, sizeof(names));
	assert_true(is_there(p, ".Done/cur/1:2,S") && is_there(p, ".Done/cur/2:2,FS"));
	assert_true(is_there(p, "new/3") && !is_there(p, "new/1") && !is_there(p, "cur/2:2,F"));
	s.done = "delete";
	put(p, "new/4", "x\n");
	run_box(&s, NULL, names, sizeof(names));
	assert_true(is_there(p, "new/3") && !is_there(p, "new/4") && !is_there(p, "cur/4:2,S"));
}

static void
test_only_the_beginning_is_read(void **state)
{
	static const size_t sizes[] = { 0, 1, MAX_INCOMING_BYTES - 1, MAX_INCOMING_BYTES,
		MAX_INCOMING_BYTES + 1, 3 * MAX_INCOMING_BYTES };
	struct place *p = *state;
	const struct mailbox_settings s = { .maildir = p->path };
	char path[200];

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		const size_t len = sizes[i] < MAX_INCOMING_BYTES ? sizes[i] : MAX_INCOMING_BYTES;
		struct mailbox *mb;
		struct mailbox_item mail;
		struct error err;

		put(p, "new/1", "");
		snprintf(path, sizeof(path), "%s/new/1", p->path);
		assert_int_equal(truncate(path, (off_t)sizes[i]), 0);
		mb = open_box(&s, NULL);
		assert_int_equal(mailbox_next(mb, &mail, &err), 1);
		if (mail.size != sizes[i] || mail.len != len || mail.cut != (sizes[i] > len))
			fail_msg("row %zu: size %llu, %zu bytes", i, (unsigned long long)mail.size,
			    mail.len);
		mailbox_free(mb);
	}
}

static void
test_no_maildir(void **state)
{
	struct place *p = *state;
	struct mailbox_settings s = { .maildir = "/nowhere/at/all" };
	const struct mailbox_place never = { 0, 0, 0 };
	struct mailbox *mb = NULL;
	struct error err = { 0 };
	char path[200];

	assert_int_equal(mailbox_open(&s, &never, &mb, &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_non_null(strstr(err.msg, "/nowhere/at/all"));
	s.maildir = p->path;
	snprintf(path, sizeof(path), "%s/cur", p->path);
	rmdir(path);
	assert_int_equal(mailbox_open(&s, &never, &mb, NULL), -1);
	assert_int_equal(symlink("new", path), 0);
	assert_int_equal(mailbox_open(&s, &never, &mb, &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_null(mb);
}

static bool
always(void *arg)
{
	(void)arg;
	return true;
}

static void
test_stopping(void **state)
{
	struct place *p = *state;
	const struct mailbox_settings s = { .maildir = p->path, .must_stop = always };
	struct mailbox *mb;
	struct mailbox_item mail;
	struct error err = { 0 };

	put(p, "new/1", "x\n");
	mb = open_box(&s, NULL);
	assert_int_equal(mailbox_next(mb, &mail, &err), -1);
	assert_int_equal(err.kind, ERR_TEMP);
	assert_int_equal(mailbox_next(mb, &mail, &err), -1);
	assert_int_equal(mailbox_flush(mb, &err), -1);
	mailbox_free(mb);
	mailbox_free(NULL);
}

/* ---- standard input ---- */

struct writer {
	int fd;
	size_t len;
	bool broken;
};

static void *
write_mail(void *arg)
{
	struct writer *w = arg;
	char chunk[5000];

	memset(chunk, 'x', sizeof(chunk));
	for (size_t done = 0; done < w->len;) {
		size_t n = w->len - done < sizeof(chunk) ? w->len - done : sizeof(chunk);
		ssize_t got = write(w->fd, chunk, n);

		w->broken = w->broken || got <= 0;
		if (got <= 0)
			break;
		done += (size_t)got;
	}
	close(w->fd);
	return NULL;
}

static void
test_standard_input(void **state)
{
	static const size_t sizes[] = { 0, 1, 100000, MAX_INCOMING_BYTES, MAX_INCOMING_BYTES + 1,
		5 * MAX_INCOMING_BYTES };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct writer w = { .len = sizes[i] };
		struct mailbox_settings s = { .fd = -1 };
		struct mailbox_item mail = { 0 };
		struct mailbox *mb;
		struct error err = { 0 };
		pthread_t thread;
		int fds[2];

		assert_int_equal(pipe(fds), 0);
		w.fd = fds[1];
		s.fd = fds[0];
		assert_int_equal(pthread_create(&thread, NULL, write_mail, &w), 0);
		mb = open_box(&s, NULL);
		if (mailbox_next(mb, &mail, &err) != (sizes[i] > 0))
			fail_msg("row %zu: %s", i, err.msg);
		pthread_join(thread, NULL);
		if (w.broken || mail.size != sizes[i] || mail.len > MAX_INCOMING_BYTES ||
		    mail.cut != (sizes[i] > MAX_INCOMING_BYTES))
			fail_msg("row %zu: %llu", i, (unsigned long long)mail.size);
		if (sizes[i] > 0)
			mailbox_finish(mb, mail.number, MAILBOX_DONE);
		assert_int_equal(mailbox_next(mb, &mail, &err), 0);
		assert_int_equal(mailbox_flush(mb, &err), 0);
		mailbox_free(mb);
		close(fds[0]);
	}
}

static void
test_standard_input_that_does_not_end(void **state)
{
	struct mailbox_settings s = { .timeout_scale = 0.0002 };
	struct mailbox_item mail;
	struct mailbox *mb;
	struct error err = { 0 };
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	s.fd = fds[0];
	mb = open_box(&s, NULL);
	assert_int_equal(mailbox_next(mb, &mail, &err), -1);
	assert_int_equal(err.kind, ERR_TEMP);
	assert_non_null(strstr(err.msg, "no end of the mail"));
	mailbox_free(mb);
	close(fds[0]);
	close(fds[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_keys),
		cmocka_unit_test_setup_teardown(test_names_and_flags, setup, teardown),
		cmocka_unit_test_setup_teardown(test_order_and_places, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_is_no_mail, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_changes_meanwhile, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_is_done, setup, teardown),
		cmocka_unit_test_setup_teardown(test_only_the_beginning_is_read, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_maildir, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stopping, setup, teardown),
		cmocka_unit_test(test_standard_input),
		cmocka_unit_test(test_standard_input_that_does_not_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
