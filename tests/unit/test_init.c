/* The first configuration: answers as the program reads them, proposals, and that what is written reads back the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "digest/file.h"
#include "digest/init.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
	enum run_init_item item;
	const char *text, *out; /* out NULL: refused */
	const char *says;
	long wrong; /* of a topic, -1 = it is not told */
} answers[] = {
	{ INIT_ADDRESS, "ada@digest.test", "ada@digest.test", NULL, -1 },
	{ INIT_ADDRESS, "  \"L, Ada\" <ada@digest.test> ", "\"L, Ada\" <ada@digest.test>", NULL,
	    -1 },
	{ INIT_ADDRESS, "ada@b\303\274cher.test", "ada@b\303\274cher.test", NULL, -1 },
	{ INIT_ADDRESS, "ada", NULL, "expected '@'", -1 },
	{ INIT_ADDRESS, "", NULL, "expected an answer", -1 },
	{ INIT_ADDRESS, "a@b.test\033[m", NULL, "control character", -1 },
	{ INIT_TOPIC, "\"gaussian splatting\" OR nerf", "\"gaussian splatting\" OR nerf", NULL,
	    -1 },
	{ INIT_TOPIC, "nerf titel:x", NULL, "did you mean 'title:'", 5 },
	{ INIT_TOPIC, "a or b", NULL, "OR", 2 },
	{ INIT_URL, "smtps://smtp.digest.test", "smtps://smtp.digest.test", NULL, -1 },
	{ INIT_URL, "smtp.digest.test", "smtps://smtp.digest.test", NULL, -1 },
	{ INIT_URL, "smtp.digest.test:465", "smtps://smtp.digest.test:465", NULL, -1 },
	{ INIT_URL, "smtp://[::1]:2525", "smtp://[::1]:2525", NULL, -1 },
	{ INIT_URL, "SMTP://[::1]:2525", "smtp://[::1]:2525", NULL, -1 },
	{ INIT_URL, "smtps://u:p@h.test", NULL, "", -1 },
	{ INIT_URL, "http://smtp.digest.test", NULL, "", -1 },
	{ INIT_URL, "sendmail:/bin/true", "sendmail:/bin/true", NULL, -1 },
	{ INIT_URL, "sendmail:/nowhere", NULL, "expected a relay", -1 },
	{ INIT_URL, "maildir:/tmp/M", "maildir:/tmp/M", NULL, -1 },
	{ INIT_URL, "maildir:M", NULL, "expected maildir:/", -1 },
	{ INIT_USER, " me ", "me", NULL, -1 },
	{ INIT_CA, "/nowhere/ca.pem", NULL, "/nowhere/ca.pem: No such file", -1 },
	{ INIT_CA, "/etc/passwd", NULL, "holds no certificate", -1 },
	{ INIT_WHEN, "mon,thu 08:00", "mon,thu 08:00", NULL, -1 },
	{ INIT_WHEN, "daily 25:00", NULL, "", -1 },
	{ INIT_TIMEZONE, "Europe/London", "Europe/London", NULL, -1 },
	{ INIT_TIMEZONE, "../../etc/passwd", NULL, "", -1 },
};

static void
test_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct error err = { 0 };
		const char *out = "";
		size_t wrong = 0;
		struct arena a;
		int rc;

		arena_init(&a, 1 << 20);
		rc = run_init_accept(answers[i].item, answers[i].text, &a, &out, &wrong, &err);
		if ((rc == 0) != (answers[i].out != NULL))
			fail_msg("row %zu: '%s' gave %d: %s", i, answers[i].text, rc, err.msg);
		if (rc == 0 && strcmp(out, answers[i].out) != 0)
			fail_msg("row %zu: '%s' became '%s'", i, answers[i].text, out);
		if (rc == -1 && strstr(err.msg, answers[i].says) == NULL)
			fail_msg("row %zu: '%s' said: %s", i, answers[i].text, err.msg);
		if (rc == -1 && answers[i].item == INIT_TOPIC && (long)wrong != answers[i].wrong)
			fail_msg("row %zu: wrong at %ld", i, (long)wrong);
		arena_release(&a);
	}
}

static void
test_proposals(void **state)
{
	struct run_init init = { .ntopics = 0 };
	struct arena a;

	(void)state;
	arena_init(&a, 1 << 20);
	assert_null(run_init_propose(&init, INIT_ADDRESS, &a));
	assert_null(run_init_propose(&init, INIT_FROM, &a));
	init.items[INIT_ADDRESS] = "Ada <ada@digest.test>";
	assert_string_equal(run_init_propose(&init, INIT_FROM, &a), "Papers <ada@digest.test>");
	init.items[INIT_URL] = "smtps://smtp.digest.test";
	assert_string_equal(run_init_propose(&init, INIT_USER, &a), "ada@digest.test");
	assert_true(run_init_is_relay(&init));
	init.items[INIT_URL] = "smtp://127.0.0.1:25";
	assert_string_equal(run_init_propose(&init, INIT_USER, &a), "");
	init.items[INIT_URL] = "maildir:/tmp/M";
	assert_false(run_init_is_relay(&init));
	/* What is proposed is accepted. */
	for (int item = 0; item < RUN_INIT_ITEMS; item++) {
		const char *text = run_init_propose(&init, (enum run_init_item)item, &a), *out;
		struct error err = { 0 };

		if (text != NULL && text[0] != '\0' &&
		    run_init_accept((enum run_init_item)item, text, &a, &out, NULL, &err) == -1)
			fail_msg("item %d: '%s' is proposed and refused: %s", item, text, err.msg);
	}
	arena_release(&a);
}

/* ---- what is written reads back the same ---- */

static const char *const topics[] = {
	"\"gaussian splatting\" OR nerf",
	"it's",
	"caf\303\251",
	"a\\*b",
	"\"say \\ '${HOME}'\"",
	"title:x -\"a b c\"",
	"votes>=10",
	"\"a title of forty letters and then some more\" OR (another AND one)",
	"\"a title of forty letters and then some more\" OR (another AND two)",
	"\"a title of forty letters and then some more\" OR (another AND tri)",
};
enum { NTOPICS = sizeof(topics) / sizeof(topics[0]) };

static int
compare(void *arg, const struct subscriber *reader, bool good)
{
	const struct run_init *init = arg;

	assert_true(good);
	assert_string_equal(reader->address, "ada@digest.test");
	assert_string_equal(reader->name, "Ada \"the\" O'L\\");
	assert_string_equal(reader->when, "weekdays 07:30");
	assert_string_equal(reader->timezone, "Europe/London");
	assert_int_equal(reader->nfilters, init->ntopics);
	for (size_t i = 0; i < init->ntopics; i++) {
		if (strcmp(reader->filters[i].match, init->topics[i]) != 0)
			fail_msg("'%s' became '%s'", init->topics[i], reader->filters[i].match);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(reader->filters[i].name, reader->filters[k].name);
	}
	return 0;
}

static struct run *
open_init(const struct run_init *init, const struct run_init_place *place, struct log *log)
{
	struct run_settings settings = { .log = log, .mode = STORE_OVERLAY };
	struct error err = { 0 };
	struct run *run;

	if (run_init_open(init, place, &settings, &run, &err) == -1)
		fail_msg("%s", err.msg);
	return run;
}

static void
test_text_reads_back(void **state)
{
	const struct run_init_place place = {
		.config = "/nowhere/digest.conf", .secret = "", .store = ""
	};
	struct run_init init = { .ntopics = 0 };
	struct log log;
	struct run *run;
	struct arena a;

	(void)state;
	setenv("HOME", "/nowhere", 1);
	log_init(&log, "test", STDERR_FILENO, LOG_LEVEL_WARN);
	arena_init(&a, 1 << 20);
	init.items[INIT_ADDRESS] = "Ada \"the\" O'L\\ <ada@digest.test>";
	init.items[INIT_FROM] = "Papers <p@digest.test>";
	init.items[INIT_WHEN] = "weekdays 07:30";
	init.items[INIT_TIMEZONE] = "Europe/London";
	init.items[INIT_URL] = "smtp://127.0.0.1:2525";
	init.items[INIT_USER] = "me$\"\\'x";
	for (size_t i = 0; i < NTOPICS; i++) {
		const char *out;

		/* A reader's own mistake is refused before it comes this far. */
		if (run_init_accept(INIT_TOPIC, topics[i], &a, &out, NULL, NULL) == 0)
			init.topics[init.ntopics++] = out;
	}
	assert_true(init.ntopics >= NTOPICS - 2);
	/* The name is read as an address is: with quotes it needs. */
	init.items[INIT_ADDRESS] = "\"Ada \\\"the\\\" O'L\\\\\" <ada@digest.test>";
	run = open_init(&init, &place, &log);
	assert_int_equal(run->cfg->nreader_errors, 0);
	assert_string_equal(run->cfg->list.from, "Papers <p@digest.test>");
	assert_string_equal(run->cfg->list.operator, "ada@digest.test");
	assert_int_equal(run->cfg->nsmtps, 1);
	assert_string_equal(run->cfg->smtps[0].user, init.items[INIT_USER]);
	assert_false(run->cfg->smtps[0].tls_required);
	assert_int_equal(config_each_reader(run->cfg, compare, &init, NULL), 0);
	run_close(run);
	/* Who names an authority wants TLS, within this machine as well. */
	init.items[INIT_CA] = "/a \"b\" $c/ca.pem";
	run = open_init(&init, &place, &log);
	assert_string_equal(run->cfg->smtps[0].ca_file, init.items[INIT_CA]);
	assert_true(run->cfg->smtps[0].tls_required);
	run_close(run);
	arena_release(&a);
}

static void
test_write(void **state)
{
	char dir[] = "/tmp/test_init.XXXXXX", config[128], secret[128], folder[64];
	struct run_init init = { .items = { [INIT_ADDRESS] = "ada@digest.test",
				     [INIT_URL] = "smtps://smtp.digest.test",
				     [INIT_USER] = "ada" },
		.password = "pa55" };
	struct run_init_place place = { .config = config, .secret = secret, .store = "" };
	struct error err = { 0 };
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(folder, sizeof(folder), "%s/a", dir);
	snprintf(config, sizeof(config), "%s/digest.conf", folder);
	snprintf(secret, sizeof(secret), "%s/smtp.secret", folder);
	assert_int_equal(run_init_write(&init, &place, &err), 0);
	assert_int_equal(stat(folder, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(stat(config, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(stat(secret, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(st.st_size, 5);
	/* What a run could not read is not written. */
	unlink(config);
	unlink(secret);
	init.items[INIT_URL] = "SMTPS://smtp.digest.test";
	assert_int_equal(run_init_write(&init, &place, &err), -1);
	assert_non_null(strstr(err.msg, "nothing was written: "));
	assert_false(file_exists(config) || file_exists(secret));
	init.items[INIT_URL] = "smtps://smtp.digest.test";
	assert_int_equal(run_init_write(&init, &place, &err), 0);
	/* A configuration that came meanwhile stays, and the secret that was to go with ours is taken back. */
	unlink(secret);
	assert_int_equal(run_init_write(&init, &place, &err), -1);
	assert_non_null(strstr(err.msg, "exists"));
	assert_false(file_exists(secret));
	assert_true(file_exists(config));
	unlink(config);
	rmdir(folder);
	assert_int_equal(rmdir(dir), 0); /* no temporary file is left */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_proposals),
		cmocka_unit_test(test_text_reads_back),
		cmocka_unit_test(test_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
