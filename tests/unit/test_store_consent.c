#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store_test.h"

#include "digest/limits.h"

/* A record, and its lines as "at/how/text". */
static const struct {
	const char *record, *want;
} records[] = {
	{ "", "" },
	{ "1772524800 file /etc/digest.conf\n", "1772524800/file//etc/digest.conf\n" },
	{ "1 command \n2 resume by phone\n", "1/command/\n2/resume/by phone\n" },
	{ "1 - x", "1//x\n" },
	{ "asked by letter, 2026-01-02", "0//asked by letter, 2026-01-02\n" },
	{ "2026-01-02 by letter", "0//2026-01-02 by letter\n" },
	{ "12 letters", "0//12 letters\n" },
	{ "3  x", "0//3  x\n" },
	{ "\n\n4 a b c\n\n", "4/a/b c\n" },
	{ "5 averyveryveryveryveryverylongword x\n", "0//5 averyveryveryveryveryverylongword x\n" },
};

static void
test_records(void **state)
{
	struct fixture *fx = *state;
	struct store_consent *list;
	struct strbuf got;
	size_t n;

	strbuf_init(&got, 4096);
	for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
		strbuf_reset(&got);
		must(fx, store_read_consents(records[i].record, &fx->a, &list, &n, &fx->err));
		for (size_t k = 0; k < n; k++)
			strbuf_addf(&got, "%lld/%s/%s\n", (long long)list[k].at_utc, list[k].how,
			    list[k].text);
		if (strcmp(got.buf, records[i].want) != 0)
			fail_msg("row %zu: '%s'", i, got.buf);
	}
	strbuf_release(&got);
}

static void
test_odd_texts(void **state)
{
	struct strbuf record;

	(void)state;
	strbuf_init(&record, 4096);
	store_add_consent(&record, &(struct store_consent){ 7, "import", "a\n8 file x\r\t\x7f" });
	store_add_consent(&record, &(struct store_consent){ 9, "", "" });
	assert_string_equal(record.buf, "7 import a 8 file x   \n9 - \n");
	strbuf_release(&record);
}

static struct subscriber
ada(void)
{
	return (struct subscriber){ .address = "ada@example.org",
		.canonical = "ada@example.org",
		.name = "Ada Canary",
		.timezone = "",
		.when = "daily",
		.language = "en",
		.was = "",
		.limit = 10,
		.max_papers = 25,
		.origin = ORIGIN_COMMAND,
		.file = "" };
}

static const char *
put(struct fixture *fx, const char *consent)
{
	struct subscriber s = ada();
	struct store_reader *r;

	must(fx, store_begin(fx->store, &fx->err));
	must(fx, store_put_reader(fx->store, &s, consent, T_NOW, &fx->err));
	must(fx, store_commit(fx->store, true, &fx->err));
	assert_int_equal(store_find_reader(fx->store, "ada@example.org", &fx->a, &r, &fx->err), 1);
	return r->consent;
}

/* What comes again is no second consent, but the same words another day are, unless a file is read again. */
static void
test_joined(void **state)
{
	struct fixture *fx = *state;

	assert_string_equal(put(fx, "1 command card\n"), "1 command card\n");
	assert_string_equal(put(fx, ""), "1 command card\n");
	assert_string_equal(put(fx, "1 command card\n"), "1 command card\n");
	assert_string_equal(put(fx, "2 command card\n"), "1 command card\n2 command card\n");
	assert_string_equal(put(fx, "3 import list (a.csv:2)\n"),
	    "1 command card\n2 command card\n3 import list (a.csv:2)\n");
	assert_string_equal(put(fx, "4 import list (a.csv:2)\n"),
	    "1 command card\n2 command card\n3 import list (a.csv:2)\n");
	assert_string_equal(put(fx, "5 import list (a.csv:20)\n2 command card\n"),
	    "1 command card\n2 command card\n3 import list (a.csv:2)\n5 import list (a.csv:20)\n");
}

/* The record stays bounded; how it began and what is newest is kept. */
static void
test_bounded(void **state)
{
	struct fixture *fx = *state;
	char line[300];
	const char *record = "";

	put(fx, "1 command the first\n");
	for (int i = 2; i < 200; i++) {
		snprintf(line, sizeof(line), "%d resume %0200d\n", i, i);
		record = put(fx, line);
	}
	assert_true(strlen(record) <= MAX_CONSENT_BYTES);
	assert_true(strlen(record) > MAX_CONSENT_BYTES / 2);
	assert_int_equal(strncmp(record, "1 command the first\n", 20), 0);
	assert_null(strstr(record, "\n2 resume"));
	assert_non_null(strstr(record, "\n199 resume"));
}

/* ---- suppressions of another store ---- */

struct seen {
	unsigned char hash[2][STORE_HASH_SIZE];
	enum suppression_reason reason[2];
	size_t n;
};

static int
see(void *arg, const unsigned char *hash, enum suppression_reason reason, int64_t since_utc)
{
	struct seen *seen = arg;

	assert_int_equal(since_utc, T_NOW);
	assert_true(seen->n < 2);
	memcpy(seen->hash[seen->n], hash, STORE_HASH_SIZE);
	seen->reason[seen->n++] = reason;
	return 0;
}

static void
test_taken_along(void **state)
{
	struct fixture *fx = *state;
	unsigned char key[STORE_KEY_SIZE], other[STORE_KEY_SIZE];
	struct seen seen = { .n = 0 };

	put(fx, "");
	must(fx, store_begin(fx->store, &fx->err));
	must(fx,
	    store_suppress(fx->store, "eve@example.org", SUPPRESSED_COMPLAINT, T_NOW, &fx->err));
	must(fx, store_commit(fx->store, true, &fx->err));
	assert_int_equal(store_each_suppression(fx->store, see, &seen, &fx->err), 0);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.reason[0], SUPPRESSED_COMPLAINT);
	memcpy(key, store_suppress_key(fx->store), sizeof(key));
	memset(other, 5, sizeof(other));

	/* Hashes by the old key could not be made anew. */
	must(fx, store_begin(fx->store, &fx->err));
	assert_int_equal(store_take_suppress_key(fx->store, other, &fx->err), -1);
	assert_int_equal(fx->err.kind, ERR_DATA);
	assert_memory_equal(store_suppress_key(fx->store), key, sizeof(key));
	must(fx, store_take_suppress_key(fx->store, key, &fx->err));
	must(fx, store_unsuppress(fx->store, "eve@example.org", "asked", T_NOW, &fx->err));
	must(fx, store_take_suppress_key(fx->store, other, &fx->err));
	must(fx,
	    store_suppress(fx->store, "ada@example.org", SUPPRESSED_UNSUBSCRIBED, T_NOW, &fx->err));
	must(fx, store_commit(fx->store, true, &fx->err));
	reopen(fx, STORE_WRITE);
	assert_memory_equal(store_suppress_key(fx->store), other, sizeof(other));
	assert_int_equal(
	    store_is_suppressed(fx->store, "ada@example.org", NULL, NULL, &fx->err), 1);
	assert_int_equal(
	    store_is_suppressed(fx->store, "eve@example.org", NULL, NULL, &fx->err), 0);
	/* The row of a reader has the hash of the new key, too: its mail is held back by it. */
	{
		struct store_reader *r;

		assert_int_equal(
		    store_find_reader(fx->store, "ada@example.org", &fx->a, &r, &fx->err), 1);
		assert_true(r->suppressed);
	}
}

/* ---- what remains ---- */

static bool
is_in_file(struct fixture *fx, const char *suffix, const char *word)
{
	char path[256];
	char *bytes;
	FILE *file;
	size_t len;
	bool found;

	snprintf(path, sizeof(path), "%s%s", fx->path, suffix);
	if ((file = fopen(path, "rb")) == NULL)
		return false;
	bytes = malloc(16 << 20);
	assert_non_null(bytes);
	len = fread(bytes, 1, 16 << 20, file);
	fclose(file);
	found = memmem(bytes, len, word, strlen(word)) != NULL;
	free(bytes);
	return found;
}

static void
test_scrubbed(void **state)
{
	static const char *const words[] = { "ada@example.org", NULL };
	struct fixture *fx = *state;
	struct store_reader *r;
	int64_t generation;

	put(fx, "1 command Canary at the fair\n");
	must(fx, store_begin(fx->store, &fx->err));
	must(fx, store_set_note(fx->store, "told", "refused ada@example.org", &fx->err));
	must(fx, store_set_note(fx->store, "other", "refused eve@example.org", &fx->err));
	must(fx, store_new_generation(fx->store, "this", &generation, &fx->err));
	must(fx, store_add_literal(fx->store, 0, "Canary", 6, &fx->err));
	must(fx, store_commit(fx->store, true, &fx->err));
	assert_true(is_in_file(fx, "-wal", "Canary"));
	assert_int_equal(store_find_reader(fx->store, "ada@example.org", &fx->a, &r, &fx->err), 1);
	must(fx, store_begin(fx->store, &fx->err));
	must(fx, store_erase_reader(fx->store, r->sub.id, &fx->err));
	must(fx, store_forget_words(fx->store, words, &fx->err));
	must(fx, store_commit(fx->store, true, &fx->err));
	must(fx, store_scrub(fx->store, &fx->err));
	assert_false(is_in_file(fx, "", "Canary") || is_in_file(fx, "-wal", "Canary"));
	assert_false(is_in_file(fx, "", "ada@") || is_in_file(fx, "-wal", "ada@"));
	assert_true(is_in_file(fx, "", "refused eve@example.org"));
	must(fx, store_find_generation(fx->store, "this", &generation, &fx->err));
	assert_int_equal(generation, 0);
	must(fx, store_check(fx->store, &fx->err));
	/* and it goes on */
	put(fx, "2 command again\n");
}

/* Somebody who reads keeps the log; that is told, and done again it works. */
static void
test_scrub_beside_a_reader(void **state)
{
	struct fixture *fx = *state;
	struct store *overlay;

	put(fx, "");
	must(fx, store_open(fx->path, STORE_OVERLAY, NULL, &overlay, &fx->err));
	if (getenv("DIGEST_FULL") != NULL) { /* it waits for ten seconds */
		assert_int_equal(store_scrub(fx->store, &fx->err), -1);
		assert_int_equal(fx->err.kind, ERR_TEMP);
	}
	store_close(overlay);
	must(fx, store_scrub(fx->store, &fx->err));
}

#define store_unit_test(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		store_unit_test(test_records),
		store_unit_test(test_odd_texts),
		store_unit_test(test_joined),
		store_unit_test(test_bounded),
		store_unit_test(test_taken_along),
		store_unit_test(test_scrubbed),
		store_unit_test(test_scrub_beside_a_reader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
