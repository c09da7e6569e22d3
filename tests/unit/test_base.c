#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "digest/arena.h"
#include "digest/clock.h"
#include "digest/error.h"
#include "digest/file.h"
#include "digest/host.h"
#include "base/log_line.h"
#include "digest/log.h"
#include "digest/map.h"
#include "digest/quote.h"
#include "digest/strbuf.h"
#include "digest/utf8.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* error */

static void
test_printable(void **state)
{
	static const struct {
		const char *text;
		unsigned size;
		const char *want;
	} cases[] = {
		{ "", 8, "" },
		{ "plain", 100, "plain" },
		{ "na\xc3\xafve \xe6\x89\xa9", 100, "na\xc3\xafve \xe6\x89\xa9" },
		{ "a\nb\x1b[0m\x7f", 100, "a\\x0Ab\\x1B[0m\\x7F" },
		{ "\xc2\x9b"
		  "31m",
		    100, "\\xC2\\x9B31m" }, /* CSI as a C1 control */
		{ "\xe2\x80\xae"
		  "abc",
		    100,
		    "\\xE2\\x80\\xAE"
		    "abc" },
		{ "\xff\xc3", 100, "\\xFF\\xC3" },
		{ "1234567", 8, "1234567" },
		{ "12345678", 8, "1234..." },
		{ "1234\x01", 8, "1234..." },
		{ "123\xc3\xa9"
		  "45",
		    8,
		    "123\xc3\xa9"
		    "45" },
		{ "123\xc3\xa9"
		  "456",
		    8, "123..." },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char got[100];
		unsigned n = err_printable(got, cases[i].size, cases[i].text);

		if (strcmp(got, cases[i].want) != 0 || n != strlen(cases[i].want))
			fail_msg("row %zu: '%s'", i, got);
	}
}

static void
test_error_messages(void **state)
{
	struct error err = { 0 };
	char longer[2000];

	(void)state;
	assert_int_equal(err_set(&err, ERR_NET, "%s: no answer within %d ms", "host", 20), -1);
	assert_int_equal(err.kind, ERR_NET);
	assert_string_equal(err.msg, "host: no answer within 20 ms");
	assert_int_equal(err_prefix(&err, "source %s", "arxiv"), -1);
	assert_string_equal(err.msg, "source arxiv: host: no answer within 20 ms");
	assert_int_equal(err.kind, ERR_NET);
	err_set(&err, ERR_DATA, "bad '%s'", "a\nb");
	assert_string_equal(err.msg, "bad 'a\\x0Ab'");
	assert_int_equal(err_nomem(&err, "papers"), -1);
	assert_int_equal(err.kind, ERR_NOMEM);
	assert_string_equal(err.msg, "papers: out of memory");
	err_clear(&err);
	assert_int_equal(err.kind, ERR_NONE);
	assert_string_equal(err.msg, "");
	/* Nobody wants to know. */
	assert_int_equal(err_set(NULL, ERR_IO, "x"), -1);
	assert_int_equal(err_prefix(NULL, "x"), -1);
	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	err_set(&err, ERR_IO, "%s", longer);
	assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
	for (int i = 0; i < 3; i++)
		err_prefix(&err, "%s", longer);
	assert_true(strlen(err.msg) < sizeof(err.msg));
}

/* strbuf */

static void
test_strbuf_appends(void **state)
{
	struct strbuf sb;
	char *text;

	(void)state;
	strbuf_init(&sb, 1000);
	assert_string_equal(sb.buf, "");
	strbuf_add(&sb, "");
	strbuf_truncate(&sb, 0);
	assert_int_equal(sb.alloc, 0);
	strbuf_add(&sb, "one");
	strbuf_addc(&sb, ',');
	strbuf_addn(&sb, "two!", 3);
	strbuf_addf(&sb, " %d %s", 3, "four");
	strbuf_add_codepoint(&sb, 0x20ac);
	strbuf_add_codepoint(&sb, 0xd800);
	assert_string_equal(sb.buf, "one,two 3 four\xe2\x82\xac\xef\xbf\xbd");
	assert_int_equal(sb.len, strlen(sb.buf));
	strbuf_truncate(&sb, 3);
	assert_string_equal(sb.buf, "one");
	assert_int_equal(strbuf_check(&sb, NULL), 0);
	text = strbuf_detach(&sb);
	assert_string_equal(text, "one");
	free(text);
	assert_string_equal(sb.buf, "");
	text = strbuf_detach(&sb);
	assert_string_equal(text, "");
	free(text);
	strbuf_release(&sb);
	strbuf_release(&sb);
}

static void
test_strbuf_bound_sticks(void **state)
{
	struct error err = { 0 };
	struct strbuf sb;

	(void)state;
	strbuf_init(&sb, 5);
	strbuf_add(&sb, "12345");
	assert_int_equal(strbuf_check(&sb, NULL), 0);
	strbuf_addc(&sb, '6');
	strbuf_truncate(&sb, 0);
	strbuf_add(&sb, "x");
	assert_string_equal(sb.buf, "");
	assert_int_equal(strbuf_check(&sb, &err), -1);
	assert_int_equal(err.kind, ERR_NOMEM);
	assert_non_null(strstr(err.msg, "5 bytes"));
	assert_null(strbuf_detach(&sb));
	strbuf_add(&sb, "again");
	assert_int_equal(strbuf_check(&sb, NULL), 0);
	strbuf_reset(&sb);
	strbuf_addf(&sb, "%s", "123456");
	assert_string_equal(sb.buf, "");
	assert_int_equal(strbuf_check(&sb, NULL), -1);
	strbuf_release(&sb);
}

static void
test_strbuf_json(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ NULL, "null" },
		{ "", "\"\"" },
		{ "a\"b\\c/", "\"a\\\"b\\\\c/\"" },
		{ "\n\t\x01\x7f", "\"\\n\\u0009\\u0001\\u007f\"" },
		{ "\xe2\x80\xa8\xe6\x89\xa9", "\"\\u2028\xe6\x89\xa9\"" },
		{ "\xff", "\"\xef\xbf\xbd\"" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct strbuf sb;

		strbuf_init(&sb, 100);
		strbuf_add_json(&sb, cases[i].text);
		if (strcmp(sb.buf, cases[i].want) != 0)
			fail_msg("row %zu: %s", i, sb.buf);
		strbuf_release(&sb);
	}
}

/* arena */

static void
test_arena(void **state)
{
	struct arena a;
	unsigned char *p, *big;
	char *text;

	(void)state;
	arena_init(&a, 1 << 20);
	for (size_t size = 0; size < 100; size++) {
		p = arena_alloc(&a, size);
		assert_non_null(p);
		assert_int_equal((uintptr_t)p % alignof(max_align_t), 0);
		memset(p, 0xff, size);
	}
	p = arena_zalloc(&a, 100);
	for (int i = 0; i < 100; i++)
		assert_int_equal(p[i], 0);
	text = arena_strndup(&a, "abcdef", 3);
	assert_string_equal(text, "abc");
	assert_string_equal(arena_strdup(&a, ""), "");
	assert_string_equal(arena_printf(&a, "%s-%d", text, 7), "abc-7");
	big = arena_alloc(&a, 500000);
	assert_non_null(big);
	memset(big, 1, 500000);
	assert_string_equal(text, "abc");
	arena_reset(&a);
	assert_true(a.used_bytes <= 64 * 1024);
	assert_non_null(arena_alloc(&a, 10));
	arena_release(&a);
	assert_int_equal(a.used_bytes, 0);
	arena_release(&a);
}

static void
test_arena_bounds(void **state)
{
	struct arena a;
	size_t n = 0;

	(void)state;
	arena_init(&a, 100000);
	assert_null(arena_alloc(&a, 100001));
	assert_null(arena_alloc(&a, SIZE_MAX));
	assert_null(arena_alloc(&a, SIZE_MAX - 8));
	assert_null(arena_array(&a, SIZE_MAX / 2, 4));
	assert_null(arena_strndup(&a, "", SIZE_MAX));
	while (arena_alloc(&a, 1000) != NULL)
		n++;
	assert_in_range(n, 90, 100);
	assert_true(a.used_bytes <= 100000);
	arena_reset(&a);
	assert_non_null(arena_alloc(&a, 1000));
	arena_release(&a);
}

/* map */

static void
test_map(void **state)
{
	enum { N = 20000 };
	char(*keys)[16] = calloc(N, sizeof(*keys));
	uint64_t value = 0;
	struct map m;

	(void)state;
	assert_non_null(keys);
	map_init(&m);
	assert_false(map_get(&m, "x", 1, &value));
	for (uint64_t i = 0; i < N; i++) {
		snprintf(keys[i], sizeof(keys[i]), "key %u", (unsigned)i);
		assert_int_equal(map_set(&m, keys[i], strlen(keys[i]), i), 0);
	}
	assert_int_equal(m.len, N);
	for (uint64_t i = 0; i < N; i++)
		if (!map_get(&m, keys[i], strlen(keys[i]), &value) || value != i)
			fail_msg("%s", keys[i]);
	assert_false(map_get(&m, "key", 3, &value));
	assert_false(map_get(&m, "key 20000", 9, &value));
	assert_int_equal(map_set(&m, "key 5", 5, 99), 0);
	assert_int_equal(m.len, N);
	assert_true(map_get(&m, "key 5", 5, &value));
	assert_int_equal(value, 99);
	map_release(&m);
	map_release(&m);
	/* keys are bytes: empty, with NUL, and of each length around the eight of a step */
	for (size_t len = 0; len < 32; len++)
		assert_int_equal(
		    map_set(&m, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
			len, len),
		    0);
	assert_int_equal(m.len, 32);
	map_release(&m);
	free(keys);
}

/* utf8 */

static void
test_utf8(void **state)
{
	static const struct {
		const char *text;
		unsigned length; /* 0 = not valid */
		uint32_t cp;
	} cases[] = {
		{ "a", 1, 'a' },
		{ "\xc2\x80", 2, 0x80 },
		{ "\xdf\xbf", 2, 0x7ff },
		{ "\xe0\xa0\x80", 3, 0x800 },
		{ "\xef\xbf\xbf", 3, 0xffff },
		{ "\xf0\x90\x80\x80", 4, 0x10000 },
		{ "\xf4\x8f\xbf\xbf", 4, 0x10ffff },
		{ "\xc0\x80", 0, 0 }, /* overlong */
		{ "\xc1\xbf", 0, 0 },
		{ "\xe0\x9f\xbf", 0, 0 },
		{ "\xf0\x8f\xbf\xbf", 0, 0 },
		{ "\xed\xa0\x80", 0, 0 },     /* surrogate */
		{ "\xf4\x90\x80\x80", 0, 0 }, /* above U+10FFFF */
		{ "\xf8\x88\x80\x80\x80", 0, 0 },
		{ "\x80", 0, 0 },
		{ "\xe2\x82", 0, 0 }, /* cut */
		{ "\xe2\x28\xa1", 0, 0 },
		{ "\xff", 0, 0 },
		{ "", 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint32_t cp = 0;
		unsigned n = utf8_decode(cases[i].text, strlen(cases[i].text), &cp);
		char back[4];

		if (n != cases[i].length || (n > 0 && cp != cases[i].cp))
			fail_msg("row %zu: %u bytes, U+%04X", i, n, cp);
		if (n > 0 && (utf8_encode(cp, back) != n || memcmp(back, cases[i].text, n) != 0))
			fail_msg("row %zu: comes back otherwise", i);
		if (n == 0 && cases[i].text[0] != '\0' &&
		    utf8_is_valid(cases[i].text, strlen(cases[i].text)))
			fail_msg("row %zu: valid", i);
	}
	assert_true(utf8_is_valid("a\0b", 3));
	assert_true(utf8_is_valid("", 0));
}

static void
test_utf8_repair(void **state)
{
	/* The table of Unicode 3.9 and its neighbours: one U+FFFD for each maximal subpart. */
	static const struct {
		const char *text, *want;
		size_t nrepaired;
	} cases[] = {
		{ "fine \xe6\x89\xa9", "fine \xe6\x89\xa9", 0 },
		{ "\xc0\xaf\xe0\x80\xbf\xf0\x81\x82\x41", "????????A", 8 },
		{ "\xed\xa0\x80\xed\xbf\xbf\xed\xaf\x41", "????????A", 8 },
		{ "\xf4\x91\x92\x93\xff\x41\x80\xbf\x42", "?????A??B", 7 },
		{ "\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41", "????A", 4 },
		{ "\xf0\x9f\x98", "?", 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct strbuf got, want;
		size_t n;

		strbuf_init(&got, 100);
		strbuf_init(&want, 100);
		for (const char *s = cases[i].want; *s != '\0'; s++)
			strbuf_add(&want, *s == '?' ? "\xef\xbf\xbd" : (const char[]){ *s, '\0' });
		n = utf8_add_repaired(&got, cases[i].text, strlen(cases[i].text));
		if (strcmp(got.buf, want.buf) != 0 || n != cases[i].nrepaired)
			fail_msg("row %zu: '%s', %zu", i, got.buf, n);
		strbuf_release(&got);
		strbuf_release(&want);
	}
}

/* file */

struct scratch {
	char dir[64], path[128];
};

static void
make_scratch(struct scratch *s)
{
	snprintf(s->dir, sizeof(s->dir), "/tmp/digest-base-XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	snprintf(s->path, sizeof(s->path), "%s/file", s->dir);
}

static void
remove_scratch(struct scratch *s)
{
	unlink(s->path);
	assert_int_equal(rmdir(s->dir), 0); /* so no temporary file was left */
}

static void
test_file_write_and_read(void **state)
{
	struct error err = { 0 };
	struct scratch s;
	struct strbuf sb;
	struct stat st;

	(void)state;
	make_scratch(&s);
	strbuf_init(&sb, 10);
	assert_false(file_exists(s.path));
	assert_int_equal(file_write(s.path, 0640, "a\0b", 3, &err), 0);
	assert_true(file_exists(s.path));
	assert_int_equal(stat(s.path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(file_read(s.path, &sb, &err), 0);
	assert_int_equal(sb.len, 3);
	assert_memory_equal(sb.buf, "a\0b", 3);
	/* a second write replaces, a failed one leaves the old */
	assert_int_equal(file_write(s.path, 0600, "0123456789+", 11, &err), 0);
	strbuf_reset(&sb);
	assert_int_equal(file_read(s.path, &sb, &err), -1);
	assert_non_null(strstr(err.msg, s.path));
	/* what is there already is no place for a new file */
	assert_int_equal(file_create(s.path, 0600, "new", 3, &err), -1);
	assert_non_null(strstr(err.msg, "exists"));
	assert_int_equal(stat(s.path, &st), 0);
	assert_int_equal(st.st_size, 11);
	assert_int_equal(unlink(s.path), 0);
	assert_int_equal(file_create(s.path, 0600, "0123456789+", 11, &err), 0);
	assert_int_equal(file_write("/nonexistent/file", 0600, "", 0, &err), -1);
	assert_int_equal(err.kind, ERR_IO);
	assert_int_equal(file_read("/nonexistent/file", &sb, &err), -1);
	assert_int_equal(file_read(s.dir, &sb, &err), -1);
	assert_non_null(strstr(err.msg, "directory"));
	strbuf_release(&sb);
	remove_scratch(&s);
}

static void
test_file_private(void **state)
{
	static const struct {
		mode_t mode;
		int want;
	} cases[] = { { 0600, 0 }, { 0400, 0 }, { 0640, -1 }, { 0604, -1 }, { 0660, -1 },
		{ 0601, -1 } };
	struct error err = { 0 };
	struct scratch s;

	(void)state;
	make_scratch(&s);
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(file_write(s.path, cases[i].mode, "x", 1, &err), 0);
		if (file_check_private(s.path, &err) != cases[i].want)
			fail_msg("mode %o: %s", (unsigned)cases[i].mode, err.msg);
		if (cases[i].want == -1)
			assert_non_null(strstr(err.msg, "chmod 600"));
	}
	remove_scratch(&s);
	assert_int_equal(file_check_private(s.path, &err), -1);
}

static void
test_file_dirs(void **state)
{
	struct error err = { 0 };
	struct scratch s;
	char deep[200];

	(void)state;
	make_scratch(&s);
	snprintf(deep, sizeof(deep), "%s/a/b//c", s.dir);
	assert_int_equal(file_make_dirs(deep, 0700, &err), 0);
	assert_int_equal(file_make_dirs(deep, 0700, &err), 0);
	assert_true(file_exists(deep));
	assert_int_equal(file_make_dirs("", 0700, &err), -1);
	assert_int_equal(file_make_dirs("/proc/nonexistent/x", 0700, &err), -1);
	rmdir(deep);
	snprintf(deep, sizeof(deep), "%s/a/b", s.dir);
	rmdir(deep);
	snprintf(deep, sizeof(deep), "%s/a", s.dir);
	rmdir(deep);
	remove_scratch(&s);
}

static void
test_file_resolve(void **state)
{
	static const struct {
		const char *base, *rel, *want;
	} cases[] = {
		{ "/etc/digest/digest.conf", "smtp.secret", "/etc/digest/smtp.secret" },
		{ "/etc/digest/digest.conf", "/run/x", "/run/x" },
		{ "digest.conf", "smtp.secret", "smtp.secret" },
		{ "a/digest.conf", "b/c", "a/b/c" },
		{ "/x", "y", "/y" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct strbuf sb;

		strbuf_init(&sb, 100);
		file_resolve(&sb, cases[i].base, cases[i].rel);
		if (strcmp(sb.buf, cases[i].want) != 0)
			fail_msg("row %zu: %s", i, sb.buf);
		strbuf_release(&sb);
	}
}

/* quoting */

/* A name, as a word of a shell, as that in a crontab, as a word of a unit. */
static const struct {
	const char *name, *shell, *cron, *unit;
} words[] = {
	{ "/usr/bin/digest", "/usr/bin/digest", "/usr/bin/digest", "/usr/bin/digest" },
	{ "", "''", "''", "\"\"" },
	{ "a b", "'a b'", "'a b'", "\"a b\"" },
	{ "it's", "'it'\\''s'", "'it'\\''s'", "\"it's\"" },
	{ "\"x\"", "'\"x\"'", "'\"x\"'", "\"\\\"x\\\"\"" },
	{ "$a`b`", "'$a`b`'", "'$a`b`'", "\"$$a`b`\"" },
	{ "50%", "'50%'", "'50\\%'", "\"50%%\"" },
	{ "%%", "'%%'", "'\\%\\%'", "\"%%%%\"" },
	{ "a\\b", "'a\\b'", "'a\\b'", "\"a\\\\b\"" },
	/* Before a % or another a backslash stands apart, lest cron takes it for the one that escapes. */
	{ "a\\%", "'a\\%'", "'a\\''\\%'", "\"a\\\\%%\"" },
	{ "a\\\\b", "'a\\\\b'", "'a\\''\\b'", "\"a\\\\\\\\b\"" },
	{ "'%", "''\\''%'", "''\\''\\%'", "\"'%%\"" },
	{ "a\nb", "'a\nb'", NULL, "\"a\\nb\"" },
	{ "~", "'~'", "'~'", "\"~\"" },
	{ "\xc3\xa9", "'\xc3\xa9'", "'\xc3\xa9'", "\"\xc3\xa9\"" },
};

static void
test_quoted_words(void **state)
{
	struct strbuf shell, cron, unit;

	(void)state;
	strbuf_init(&shell, 100);
	strbuf_init(&cron, 100);
	strbuf_init(&unit, 100);
	for (size_t i = 0; i < COUNT(words); i++) {
		bool fits;

		strbuf_reset(&shell);
		strbuf_reset(&cron);
		strbuf_reset(&unit);
		quote_add_shell(&shell, words[i].name);
		fits = quote_add_cron(&cron, shell.buf);
		quote_add_unit(&unit, words[i].name);
		if (strcmp(shell.buf, words[i].shell) != 0 ||
		    strcmp(unit.buf, words[i].unit) != 0 || fits != (words[i].cron != NULL) ||
		    strcmp(cron.buf, fits ? words[i].cron : "") != 0)
			fail_msg("row %zu: shell %s, cron %s, unit %s", i, shell.buf, cron.buf,
			    unit.buf);
	}
	strbuf_release(&shell);
	strbuf_release(&cron);
	strbuf_release(&unit);
}

/* log */

static void
test_log_shorten(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "", "" },
		{ "no address", "no address" },
		{ "ada@example.org", "a…@example.org" },
		{ "a@b", "a…@b" },
		{ "550 5.1.1 <ada.lovelace+x@example.org>: unknown",
		    "550 5.1.1 <a…@example.org>: unknown" },
		{ "ada@example.org, bob@example.org", "a…@example.org, b…@example.org" },
		{ "digest.conf:3: 'ada@@example.org' is no address",
		    "digest.conf:3: 'a…@example.org' is no address" },
		{ "to=ada@example.org", "t…@example.org" },
		{ "'ada@example.org'", "'a…@example.org'" },
		{ "o'hara@example.org", "o…@example.org" },
		{ "\"ada lovelace\"@example.org says", "…@example.org says" },
		{ "<\"a\"@example.org>", "<…@example.org>" },
		{ "\"@example.org", "…@example.org" },
		{ "élise@example.org", "é…@example.org" },
		{ "\xff\xfe@example.org", "…@example.org" },
		{ "ada@[192.0.2.1]", "a…@[192.0.2.1]" },
		{ "ada@bücher.example", "a…@bücher.example" },
		/* Filters and lone signs are no addresses. */
		{ "@efficient finds nothing", "@efficient finds nothing" },
		{ "3 @ 4", "3 @ 4" },
		{ "ada@", "ada@" },
		{ "a@b@c", "a…@b…@c" },
	};
	char out[120];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		log_shorten(out, sizeof(out), rows[i].text);
		if (strcmp(out, rows[i].want) != 0)
			fail_msg("row %zu: '%s' became '%s'", i, rows[i].text, out);
	}
	/* Whatever the room, it ends, and the local part is not in it. */
	for (size_t size = 8; size < 60; size++) {
		log_shorten(
		    out, size, "mail to canary@example.org and to canary@example.net waits");
		assert_true(strlen(out) < size);
		assert_null(strstr(out, "ana"));
	}
}

/* A format with one argument, the level, and the line as text, for the journal, and as JSON behind its time. */
static const struct {
	enum log_level level;
	const char *fmt, *arg, *text, *journal, *json;
} lines[] = {
	{ LOG_LEVEL_ERROR, "source %s: no answer", "arxiv", "digest: source arxiv: no answer\n",
	    "<3>source arxiv: no answer\n",
	    "\"level\":\"error\",\"event\":\"source-no-answer\",\"pid\":7,\"text\":\"source "
	    "arxiv: no answer\"}\n" },
	{ LOG_LEVEL_WARN, "%s", "says \"no\" \\ é", "digest: warning: says \"no\" \\ é\n",
	    "<4>says \"no\" \\ é\n",
	    "\"level\":\"warning\",\"event\":\"warning\",\"pid\":7,\"text\":\"says "
	    "\\\"no\\\" \\\\ é\"}\n" },
	{ LOG_LEVEL_INFO, "mail settled state=%s reply=\"250 2.0.0 ok\"", "sent",
	    "digest: mail settled state=sent reply=\"250 2.0.0 ok\"\n",
	    "<6>mail settled state=sent reply=\"250 2.0.0 ok\"\n",
	    "\"level\":\"info\",\"event\":\"mail-settled\",\"pid\":7,\"text\":\"mail "
	    "settled\",\"state\":\"sent\",\"reply\":\"250 2.0.0 ok\"}\n" },
	/* What only looks like fields is text: they end a sentence, whole. */
	{ LOG_LEVEL_DEBUG, "a=%s is no field", "b", "digest: a=b is no field\n",
	    "<7>a=b is no field\n",
	    "\"level\":\"debug\",\"event\":\"a-is-no-field\",\"pid\":7,\"text\":\"a=b is no "
	    "field\"}\n" },
	{ LOG_LEVEL_DEBUG, "odd x=%s y=\"open", "1", "digest: odd x=1 y=\"open\n",
	    "<7>odd x=1 y=\"open\n",
	    "\"level\":\"debug\",\"event\":\"odd-x-y-open\",\"pid\":7,\"text\":\"odd x=1 "
	    "y=\\\"open\"}\n" },
	{ LOG_LEVEL_DEBUG, "%5.2s of one two three four five six seven", "ab",
	    "digest:    ab of one two three four five six seven\n",
	    "<7>   ab of one two three four five six seven\n",
	    "\"level\":\"debug\",\"event\":\"of-one-two-three-four-five\",\"pid\":7,\"text\":\""
	    "   ab of one two three four five six seven\"}\n" },
};

static void
test_log_lines(void **state)
{
	static const char time[] = "{\"time\":\"2026-03-03T08:00:00.042Z\",";
	char text[200], got[512], want[512];

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		for (int format = LOG_TEXT; format <= LOG_JSON; format++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
			snprintf(text, sizeof(text), lines[i].fmt, lines[i].arg);
#pragma GCC diagnostic pop
			const struct log_record e = { "digest", lines[i].level, NULL, lines[i].fmt,
				text, 1772524800042, 7 };
			size_t n = log_line((enum log_format)format, &e, got, sizeof(got));

			got[n] = '\0';
			snprintf(want, sizeof(want), "%s%s", format == LOG_JSON ? time : "",
			    format == LOG_TEXT		? lines[i].text
				: format == LOG_JOURNAL ? lines[i].journal
							: lines[i].json);
			if (strcmp(got, want) != 0)
				fail_msg("row %zu: %s", i, got);
		}
}

/* However little room there is, the line ends, and an object stays one: no string, character or escape is left open. */
static void
test_log_line_is_cut(void **state)
{
	char text[600] = "", got[700];

	(void)state;
	for (size_t i = 0; i + 8 < sizeof(text); i += 5)
		memcpy(text + i, "é\"a ", 5);
	memcpy(text + 300, " key=value other=\"thing\"", 25);
	for (size_t size = 256; size < sizeof(got); size++)
		for (int format = LOG_TEXT; format <= LOG_JSON; format++) {
			const struct log_record e = { "digest", LOG_LEVEL_INFO, NULL, "%s", text, 0,
				7 };
			size_t n = log_line((enum log_format)format, &e, got, size);
			unsigned nquotes = 0;

			assert_true(n <= size && got[n - 1] == '\n');
			if (format != LOG_JSON)
				continue;
			assert_memory_equal(got + n - 2, "}\n", 2);
			for (size_t i = 0; i < n; i++) {
				if (got[i] == '\\')
					i++;
				else if (got[i] == '"')
					nquotes++;
			}
			assert_int_equal(nquotes % 2, 0);
			assert_true(utf8_is_valid(got, n));
		}
}

static void
test_log_journal(void **state)
{
	char stream[64];
	struct stat st;
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(fstat(fd, &st), 0);
	unsetenv("JOURNAL_STREAM");
	assert_false(log_is_journal(fd));
	snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	assert_true(log_is_journal(fd));
	setenv("JOURNAL_STREAM", "8:1", 1); /* of another process, before it was redirected */
	assert_false(log_is_journal(fd));
	unsetenv("JOURNAL_STREAM");
	close(fd);
}

static void
test_log(void **state)
{
	static const char want[] = "digest: bad\\x0Athing 7\n"
				   "digest: warning: odd\n";
	char got[4096] = "", longer[3000];
	struct log log;
	int fds[2];
	ssize_t n;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	log_init(&log, "digest", fds[1], LOG_LEVEL_WARN);
	log_error(&log, "bad\nthing %d", 7);
	log_warn(&log, "odd");
	log_info(&log, "not shown");
	log_debug(&log, "not shown");
	assert_int_equal(log.nerrors, 1);
	assert_int_equal(log.nwarnings, 1);
	n = read(fds[0], got, sizeof(got) - 1);
	assert_int_equal(n, sizeof(want) - 1);
	assert_string_equal(got, want);
	/* a long event is one line that ends in dots */
	memset(longer, '\x01', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	log_error(&log, "%s", longer);
	n = read(fds[0], got, sizeof(got) - 1);
	assert_in_range(n, 1000, 2048);
	assert_memory_equal(got + n - 4, "...\n", 4);
	log.format = LOG_JSON;
	log_event(&log, LOG_LEVEL_WARN, "named", "%s", "thing");
	n = read(fds[0], got, sizeof(got) - 1);
	got[n] = '\0';
	assert_non_null(strstr(got, "\"event\":\"named\","));
	assert_non_null(strstr(got, ",\"text\":\"thing\"}\n"));
	log_init(&log, "digest", -1, LOG_LEVEL_DEBUG);
	log_error(&log, "dropped but counted");
	assert_int_equal(log.nerrors, 1);
	assert_int_equal(log.nlost, 0);
	log.fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	if (log.fd != -1) {
		log_warn(&log, "lost");
		assert_int_equal(log.nlost, 1);
		close(log.fd);
	}
	close(fds[0]);
	close(fds[1]);
}

static void
test_clock(void **state)
{
	struct clock c = { .frozen = true, .frozen_utc = 1234567890 };
	int64_t start = clock_monotonic_ms();

	(void)state;
	assert_int_equal(clock_now_utc(&c), 1234567890);
	c.frozen = false;
	assert_true(clock_now_utc(&c) > 1700000000);
	assert_true(clock_monotonic_ms() >= start);
}

static void
test_loopback(void **state)
{
	static const struct {
		const char *host;
		bool want;
	} rows[] = {
		{ "localhost", true },
		{ "LocalHost", true },
		{ "localhost.example.org", false },
		{ "127.0.0.1", true },
		{ "127.255.0.9", true },
		{ "128.0.0.1", false },
		{ "127.0.0.1.example.org", false },
		{ "127.1", false },
		{ "127.0.0.1.5", false },
		{ "::1", true },
		{ "0:0:0:0:0:0:0:1", true },
		{ "::ffff:127.0.0.1", true },
		{ "::ffff:10.0.0.1", false },
		{ "::", false },
		{ "fe80::1", false },
		{ "", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (host_is_loopback(rows[i].host) != rows[i].want)
			fail_msg("row %zu: '%s'", i, rows[i].host);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_printable),
		cmocka_unit_test(test_error_messages),
		cmocka_unit_test(test_strbuf_appends),
		cmocka_unit_test(test_strbuf_bound_sticks),
		cmocka_unit_test(test_strbuf_json),
		cmocka_unit_test(test_arena),
		cmocka_unit_test(test_arena_bounds),
		cmocka_unit_test(test_map),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_utf8_repair),
		cmocka_unit_test(test_file_write_and_read),
		cmocka_unit_test(test_file_private),
		cmocka_unit_test(test_file_dirs),
		cmocka_unit_test(test_file_resolve),
		cmocka_unit_test(test_log),
		cmocka_unit_test(test_quoted_words),
		cmocka_unit_test(test_log_lines),
		cmocka_unit_test(test_log_line_is_cut),
		cmocka_unit_test(test_log_journal),
		cmocka_unit_test(test_log_shorten),
		cmocka_unit_test(test_clock),
		cmocka_unit_test(test_loopback),
	};

	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
