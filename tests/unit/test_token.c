#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "digest/file.h"
#include "digest/token.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define KEY_A "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define KEY_B "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff000102030405060708090a0b0c0d0e0f"

struct place {
	char folder[64], path[96];
};

static int
setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return -1;
	snprintf(p->folder, sizeof(p->folder), "/tmp/digest-token.XXXXXX");
	if (mkdtemp(p->folder) == NULL)
		return -1;
	snprintf(p->path, sizeof(p->path), "%s/digest.key", p->folder);
	*state = p;
	return 0;
}

static int
teardown(void **state)
{
	struct place *p = *state;

	unlink(p->path);
	if (rmdir(p->folder) == -1)
		print_message("%s holds a file that was left behind\n", p->folder);
	free(p);
	return 0;
}

static void
put_file(const struct place *p, const char *text, mode_t mode)
{
	struct error err;

	if (file_write(p->path, mode, text, strlen(text), &err) == -1)
		fail_msg("%s", err.msg);
}

static struct token_keys *
load(const struct place *p, bool create)
{
	struct token_keys *keys = NULL;
	struct error err;

	if (token_key_load(p->path, create, &keys, &err) == -1)
		fail_msg("%s", err.msg);
	return keys;
}

static void
make(const struct token_keys *keys, enum token_purpose purpose, int64_t reader, uint32_t epoch,
    char out[TOKEN_LEN + 1])
{
	struct strbuf sb;

	strbuf_init(&sb, 100);
	token_add(&sb, keys, purpose, reader, epoch);
	assert_int_equal(sb.len, TOKEN_LEN);
	memcpy(out, sb.buf, TOKEN_LEN + 1);
	strbuf_release(&sb);
}

static bool
verify(const struct token_keys *keys, const char *text, enum token_purpose purpose)
{
	int64_t reader = -77;
	uint32_t epoch = 77;
	int rc = token_verify(keys, text, purpose, &reader, &epoch);

	if (rc == 0 && (reader != -77 || epoch != 77))
		fail_msg("a refused token told something");
	return rc == 1;
}

static void
test_known_token(void **state)
{
	const struct place *p = *state;
	struct token_keys *keys;
	char text[TOKEN_LEN + 1];

	put_file(p, "7 " KEY_A "\n", 0600);
	keys = load(p, false);
	make(keys, TOKEN_UNSUBSCRIBE, 1234567890123, 3, text);
	/* stands in mails that were sent; computed with Python's hmac and base64 */
	assert_string_equal(text, "aadqcaaaaepxd6yezmaaaaad4rxwsohwcs4dx6yyeitbntctxy");
	token_keys_free(keys);
}

static void
test_round_trip(void **state)
{
	static const struct {
		enum token_purpose purpose;
		int64_t reader;
		uint32_t epoch;
	} rows[] = {
		{ TOKEN_UNSUBSCRIBE, 0, 0 },
		{ TOKEN_PAUSE, 1, 1 },
		{ TOKEN_CONFIRM, 1000000, 0 },
		{ TOKEN_PREFERENCES, INT64_MAX, UINT32_MAX },
		{ TOKEN_UNSUBSCRIBE, INT64_MIN, 5 },
	};
	struct token_keys *keys = load(*state, true);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[TOKEN_LEN + 1];
		int64_t reader = -1;
		uint32_t epoch = 99;

		make(keys, rows[i].purpose, rows[i].reader, rows[i].epoch, text);
		if (strspn(text, "abcdefghijklmnopqrstuvwxyz234567") != TOKEN_LEN)
			fail_msg("row %zu: '%s'", i, text);
		if (token_verify(keys, text, rows[i].purpose, &reader, &epoch) != 1 ||
		    reader != rows[i].reader || epoch != rows[i].epoch)
			fail_msg("row %zu: '%s' is not read back", i, text);
		for (int other = TOKEN_UNSUBSCRIBE; other <= TOKEN_PREFERENCES; other++)
			if (other != (int)rows[i].purpose &&
			    verify(keys, text, (enum token_purpose)other))
				fail_msg("row %zu: serves purpose %d too", i, other);
		for (char *c = text; *c != '\0'; c++)
			*c = (char)toupper((unsigned char)*c);
		assert_true(verify(keys, text, rows[i].purpose));
	}
	token_keys_free(keys);
}

/* Any other text, one digit away or of another length, is refused. */
static void
test_forged(void **state)
{
	static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
	static const char *const rows[] = { "", "a", "unsubscribe", "....", " ",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
		"\xc3\xa9"
		"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
		"\xc3\xa9"
		"\xc3\xa9\xc3\xa9\xc3\xa9" };
	struct token_keys *keys = load(*state, true);
	char text[TOKEN_LEN + 3];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (verify(keys, rows[i], TOKEN_UNSUBSCRIBE))
			fail_msg("row %zu was accepted", i);
	make(keys, TOKEN_UNSUBSCRIBE, 42, 1, text);
	for (size_t at = 0; at < TOKEN_LEN; at++)
		for (const char *d = digits; *d != '\0'; d++) {
			char kept = text[at];

			text[at] = *d;
			if (verify(keys, text, TOKEN_UNSUBSCRIBE) != (*d == kept))
				fail_msg("digit %zu as '%c'", at, *d);
			text[at] = kept;
		}
	for (size_t len = 0; len < TOKEN_LEN; len++) {
		char kept = text[len];

		text[len] = '\0';
		assert_false(verify(keys, text, TOKEN_UNSUBSCRIBE));
		text[len] = kept;
	}
	memcpy(text + TOKEN_LEN, "a", 2);
	assert_false(verify(keys, text, TOKEN_UNSUBSCRIBE));
	memcpy(text + TOKEN_LEN, "\n", 2);
	assert_false(verify(keys, text, TOKEN_UNSUBSCRIBE));
	token_keys_free(keys);
}

static void
test_retired(void **state)
{
	const struct place *p = *state;
	char before[TOKEN_LEN + 1], after[TOKEN_LEN + 1];
	struct token_keys *keys;

	put_file(p, "1 " KEY_A "\n", 0600);
	keys = load(p, false);
	make(keys, TOKEN_PAUSE, 5, 0, before);
	token_keys_free(keys);

	put_file(p, "# newest first\n\n2 " KEY_B "\n1 " KEY_A "\n", 0600);
	keys = load(p, false);
	assert_int_equal(token_keys_count(keys), 2);
	make(keys, TOKEN_PAUSE, 5, 0, after);
	assert_string_not_equal(before, after);
	assert_true(verify(keys, before, TOKEN_PAUSE));
	assert_true(verify(keys, after, TOKEN_PAUSE));
	token_keys_free(keys);

	put_file(p, "2 " KEY_B, 0600);
	keys = load(p, false);
	assert_false(verify(keys, before, TOKEN_PAUSE));
	assert_true(verify(keys, after, TOKEN_PAUSE));
	token_keys_free(keys);

	/* the same id with another key */
	put_file(p, "2 " KEY_A "\n", 0600);
	keys = load(p, false);
	assert_false(verify(keys, after, TOKEN_PAUSE));
	token_keys_free(keys);
}

static void
test_created(void **state)
{
	const struct place *p = *state;
	struct token_keys *keys, *again;
	char text[TOKEN_LEN + 1], same[TOKEN_LEN + 1];
	struct stat st;

	keys = load(p, true);
	assert_int_equal(stat(p->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	again = load(p, true);
	make(keys, TOKEN_CONFIRM, 1, 2, text);
	make(again, TOKEN_CONFIRM, 1, 2, same);
	assert_string_equal(text, same);
	token_keys_free(again);
	unlink(p->path);
	again = load(p, true);
	make(again, TOKEN_CONFIRM, 1, 2, same);
	assert_string_not_equal(text, same);
	token_keys_free(again);
	token_keys_free(keys);
	token_keys_free(NULL);
}

/* A preview leaves no file, and what it shows is never a right. */
static void
test_preview(void **state)
{
	const struct place *p = *state;
	struct token_keys *none = load(p, false), *keys;
	char text[TOKEN_LEN + 1];

	assert_false(file_exists(p->path));
	assert_int_equal(token_keys_count(none), 0);
	make(none, TOKEN_UNSUBSCRIBE, 9, 0, text);
	assert_false(verify(none, text, TOKEN_UNSUBSCRIBE));
	keys = load(p, true);
	assert_false(verify(keys, text, TOKEN_UNSUBSCRIBE));
	make(keys, TOKEN_UNSUBSCRIBE, 9, 0, text);
	assert_false(verify(none, text, TOKEN_UNSUBSCRIBE));
	token_keys_free(keys);
	token_keys_free(none);
}

/* Of many processes that make the key at once, all end with the same. */
static void
test_race(void **state)
{
	const struct place *p = *state;
	char texts[8][TOKEN_LEN + 1];
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	for (int i = 0; i < 8; i++) {
		pid_t pid = fork();

		assert_true(pid != -1);
		if (pid == 0) {
			struct token_keys *keys = NULL;
			char text[TOKEN_LEN + 1] = "failed";

			if (token_key_load(p->path, true, &keys, NULL) == 0)
				make(keys, TOKEN_PAUSE, 1, 1, text);
			_exit(write(fds[1], text, sizeof(text)) != (ssize_t)sizeof(text));
		}
	}
	for (int i = 0; i < 8; i++) {
		int status;

		assert_true(wait(&status) != -1 && status == 0);
		assert_int_equal(read(fds[0], texts[i], sizeof(texts[i])), sizeof(texts[i]));
		assert_string_equal(texts[i], texts[0]);
	}
	assert_string_not_equal(texts[0], "failed");
	close(fds[0]);
	close(fds[1]);
}

static const struct {
	const char *text;
	mode_t mode;
	const char *message;
} files[] = {
	{ "", 0600, "no key in it" },
	{ "# only words\n", 0600, "no key in it" },
	{ "1 " KEY_A "\n", 0644, "chmod 600" },
	{ "1 " KEY_A "\n", 0640, "chmod 600" },
	{ "1\n", 0600, "digest.key:1: expected 'id hex'" },
	{ "0 " KEY_A "\n", 0600, "1..65535" },
	{ "65536 " KEY_A "\n", 0600, "1..65535" },
	{ "99999999999999999999 " KEY_A "\n", 0600, "1..65535" },
	{ "x " KEY_A "\n", 0600, "1..65535" },
	{ "-1 " KEY_A "\n", 0600, "1..65535" },
	{ KEY_A "\n", 0600, "1..65535" },
	{ "1 " KEY_A " \n", 0600, "64 hex digits" },
	{ "1 " KEY_A "\r\n", 0600, "64 hex digits" },
	{ "1 00\n", 0600, "64 hex digits" },
	{ "1  " KEY_A "\n", 0600, "64 hex digits" },
	{ "2 " KEY_A "\n1 " KEY_B "00\n", 0600, "digest.key:2: expected 64" },
	{ "2 " KEY_A "\n\n2 " KEY_B "\n", 0600, "digest.key:3: this id stands above" },
	{ "1 zz0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n", 0600,
	    "64 hex digits" },
};

static void
test_bad_files(void **state)
{
	const struct place *p = *state;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		for (int create = 0; create < 2; create++) {
			struct token_keys *keys = NULL;
			struct error err;

			put_file(p, files[i].text, files[i].mode);
			if (token_key_load(p->path, create == 1, &keys, &err) == 0)
				fail_msg("row %zu was accepted", i);
			if (strstr(err.msg, files[i].message) == NULL || err.kind != ERR_CONFIG)
				fail_msg("row %zu: %s", i, err.msg);
			if (strstr(err.msg, "0001020304") != NULL || keys != NULL)
				fail_msg("row %zu: the message shows a key", i);
		}
}

/* The file at hand, the one of the backup, what becomes of it, and how the file ends. */
static const struct {
	const char *now, *saved;
	enum token_restored became;
	const char *end;
} restores[] = {
	{ NULL, "1 " KEY_A "\n", TOKEN_KEYS_PUT, "1 " KEY_A "\n" },
	{ "1 " KEY_A "\n", "1 " KEY_A "\n", TOKEN_KEYS_SAME, "1 " KEY_A "\n" },
	{ "# new\n2 " KEY_B "\n1 " KEY_A, "1 " KEY_A "\n", TOKEN_KEYS_SAME,
	    "# new\n2 " KEY_B "\n1 " KEY_A },
	{ "2 " KEY_B, "1 " KEY_A "\n", TOKEN_KEYS_ADDED, "2 " KEY_B "\n1 " KEY_A "\n" },
	{ "2 " KEY_B "\n", "2 " KEY_B "\n1 " KEY_A "\n", TOKEN_KEYS_ADDED,
	    "2 " KEY_B "\n1 " KEY_A "\n" },
	{ "1 " KEY_B "\n", "1 " KEY_A "\n", TOKEN_KEYS_REPLACED, "1 " KEY_A "\n" },
	{ "2 " KEY_A "\n1 " KEY_B "\n", "3 " KEY_B "\n1 " KEY_A "\n", TOKEN_KEYS_REPLACED,
	    "3 " KEY_B "\n1 " KEY_A "\n" },
};

static void
test_restored(void **state)
{
	const struct place *p = *state;
	char kept[256];

	snprintf(kept, sizeof(kept), "%s.before-restore", p->path);
	for (size_t i = 0; i < sizeof(restores) / sizeof(restores[0]); i++) {
		enum token_restored became;
		struct strbuf text;
		struct error err;
		struct stat st;

		unlink(p->path);
		unlink(kept);
		if (restores[i].now != NULL)
			put_file(p, restores[i].now, 0600);
		if (token_key_restore(p->path, restores[i].saved, &became, &err) == -1)
			fail_msg("row %zu: %s", i, err.msg);
		strbuf_init(&text, 4096);
		assert_int_equal(token_key_save(p->path, &text, &err), 0);
		if (became != restores[i].became || strcmp(text.buf, restores[i].end) != 0)
			fail_msg("row %zu: became %d: %s", i, became, text.buf);
		if ((access(kept, F_OK) == 0) != (became == TOKEN_KEYS_REPLACED))
			fail_msg("row %zu: what was there is lost, or kept without need", i);
		assert_int_equal(stat(p->path, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
		strbuf_release(&text);
	}
	unlink(kept);
}

static void
test_bad_backup(void **state)
{
	const struct place *p = *state;
	enum token_restored became = TOKEN_KEYS_SAME;
	struct strbuf text;
	struct error err;

	assert_int_equal(token_key_restore(p->path, "1 rubbish\n", &became, &err), -1);
	assert_int_equal(err.kind, ERR_DATA);
	assert_null(strstr(err.msg, "rubbish"));
	assert_int_equal(access(p->path, F_OK), -1);
	strbuf_init(&text, 4096);
	assert_int_equal(token_key_save(p->path, &text, &err), 0); /* there is none: nothing */
	assert_int_equal(text.len, 0);
	put_file(p, "1 " KEY_A "\n", 0644);
	assert_int_equal(token_key_save(p->path, &text, &err), -1);
	assert_non_null(strstr(err.msg, "chmod 600"));
	strbuf_release(&text);
}

static void
test_bounds(void **state)
{
	const struct place *p = *state;
	struct token_keys *keys = NULL;
	struct error err;
	struct strbuf text;

	strbuf_init(&text, 1 << 20);
	for (int i = 1; i <= MAX_TOKEN_KEYS; i++)
		strbuf_addf(&text, "%d %s\n", i, KEY_A);
	put_file(p, text.buf, 0600);
	keys = load(p, false);
	assert_int_equal(token_keys_count(keys), MAX_TOKEN_KEYS);
	token_keys_free(keys);
	strbuf_addf(&text, "%d %s\n", MAX_TOKEN_KEYS + 1, KEY_A);
	put_file(p, text.buf, 0600);
	assert_int_equal(token_key_load(p->path, false, &keys, &err), -1);
	assert_non_null(strstr(err.msg, "more than 16 keys"));
	for (int i = 0; i < 5000; i++)
		strbuf_addc(&text, '\n');
	put_file(p, text.buf, 0600);
	assert_int_equal(token_key_load(p->path, false, &keys, &err), -1);
	strbuf_release(&text);
}

static void
test_no_folder(void **state)
{
	struct token_keys *keys = NULL;
	struct error err;

	(void)state;
	assert_int_equal(token_key_load("/nonexistent/digest.key", true, &keys, &err), -1);
	assert_int_equal(err.kind, ERR_IO);
	assert_null(keys);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_known_token, setup, teardown),
		cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown),
		cmocka_unit_test_setup_teardown(test_forged, setup, teardown),
		cmocka_unit_test_setup_teardown(test_retired, setup, teardown),
		cmocka_unit_test_setup_teardown(test_created, setup, teardown),
		cmocka_unit_test_setup_teardown(test_preview, setup, teardown),
		cmocka_unit_test_setup_teardown(test_race, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_files, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bounds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_restored, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_backup, setup, teardown),
		cmocka_unit_test(test_no_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
