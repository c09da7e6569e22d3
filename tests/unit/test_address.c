#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "digest/address.h"
#include "digest/file.h"
#include "digest/limits.h"
#include "digest/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is read, and what becomes of it. */
static const struct {
	const char *text, *name, *mailbox, *canonical;
} good[] = {
	{ "ada@example.org", "", "ada@example.org", "ada@example.org" },
	{ "  ada@example.org\t", "", "ada@example.org", "ada@example.org" },
	{ "<ada@example.org>", "", "ada@example.org", "ada@example.org" },
	{ "Ada@Example.ORG", "", "Ada@example.org", "ada@example.org" },
	{ "me@localhost", "", "me@localhost", "me@localhost" },
	{ "ada+papers/x=1@a-b.example.org", "", "ada+papers/x=1@a-b.example.org",
	    "ada+papers/x=1@a-b.example.org" },
	{ "Papers <me@example.org>", "Papers", "me@example.org", "me@example.org" },
	{ "Papers<me@example.org> ", "Papers", "me@example.org", "me@example.org" },
	{ "Dr. Ada Lovelace <me@example.org>", "Dr. Ada Lovelace", "me@example.org",
	    "me@example.org" },
	{ "\"Lovelace, Ada\" <me@example.org>", "Lovelace, Ada", "me@example.org",
	    "me@example.org" },
	{ "\"a \\\"b\\\" \\\\\" <me@example.org>", "a \"b\" \\", "me@example.org",
	    "me@example.org" },
	{ "\"\" <me@example.org>", "", "me@example.org", "me@example.org" },
	{ "Zoë Ångström <me@example.org>", "Zoë Ångström", "me@example.org", "me@example.org" },
	/* the shortest spelling of a quoted local part */
	{ "\"ada\"@example.org", "", "ada@example.org", "ada@example.org" },
	{ "\"\\a\\d\\a\"@example.org", "", "ada@example.org", "ada@example.org" },
	{ "\"A b\"@example.org", "", "\"A b\"@example.org", "\"a b\"@example.org" },
	{ "\"a\\\\b\\\"\"@example.org", "", "\"a\\\\b\\\"\"@example.org",
	    "\"a\\\\b\\\"\"@example.org" },
	{ "\"a@b\"@example.org", "", "\"a@b\"@example.org", "\"a@b\"@example.org" },
	/* RFC 6531: NFC on the wire, folded for identity */
	{ "ÄRGER@example.org", "", "ÄRGER@example.org", "ärger@example.org" },
	{ "A\xcc\x88rger@example.org", "", "Ärger@example.org", "ärger@example.org" },
	{ "STRASSE@example.org", "", "STRASSE@example.org", "strasse@example.org" },
	{ "straße@example.org", "", "straße@example.org", "strasse@example.org" },
	{ "用户@example.org", "", "用户@example.org", "用户@example.org" },
	/* IDNA 2008, not transitional */
	{ "ada@bücher.example", "", "ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example" },
	{ "ada@BÜCHER.Example", "", "ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example" },
	{ "ada@bu\xcc\x88"
	  "cher.example",
	    "", "ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example" },
	{ "ada@XN--BCHER-KVA.example", "", "ada@xn--bcher-kva.example",
	    "ada@xn--bcher-kva.example" },
	{ "ada@faß.example", "", "ada@xn--fa-hia.example", "ada@xn--fa-hia.example" },
	{ "ada@例え.テスト", "", "ada@xn--r8jz45g.xn--zckzah", "ada@xn--r8jz45g.xn--zckzah" },
	{ "ada@例え。テスト", "", "ada@xn--r8jz45g.xn--zckzah", "ada@xn--r8jz45g.xn--zckzah" },
	{ "ada@πράξη.ελ", "", "ada@xn--hxawugf.xn--qxam", "ada@xn--hxawugf.xn--qxam" },
	{ "ada@ab--cd.example", "", "ada@ab--cd.example", "ada@ab--cd.example" },
};

/* What is refused, at which byte, and a piece of the message. */
static const struct {
	const char *text;
	unsigned column;
	const char *message;
} bad[] = {
	{ "", 1, "expected local@domain" },
	{ "   ", 4, "expected local@domain" },
	{ "ada", 4, "expected '@'" },
	{ "@example.org", 1, "expected local@domain" },
	{ "ada@", 5, "nothing after '@'" },
	{ ".ada@example.org", 1, "a dot must stand" },
	{ "ada.@example.org", 4, "a dot must stand" },
	{ "a..da@example.org", 3, "a dot must stand" },
	{ "a b@example.org", 2, "expected '@'" },
	{ "ada@example", 5, "no dot" },
	{ "ada@exa mple.org", 5, "no dot" },
	{ "ada@example.org x", 17, "nothing after the address" },
	{ "ada@example..org", 13, "empty label" },
	{ "ada@example.org.", 17, "empty label" },
	{ "ada@-example.org", 5, "'-'" },
	{ "ada@example-.org", 5, "'-'" },
	{ "ada@www.exa_mple.org", 9, "no letter, digit" },
	{ "ada@192.0.2.1", 13, "ends in a number" },
	{ "ada@[192.0.2.1]", 5, "no letter, digit" },
	{ "ada@a.org,bob@b.org", 7, "no letter, digit" },
	{ "<ada@example.org", 17, "expected '>'" },
	{ "<ada@example.org x>", 17, "expected '>'" },
	{ "<ada@example.org> x", 19, "nothing after the address" },
	{ "<>", 2, "expected local@domain" },
	{ "<@a.org:ada@example.org>", 2, "expected local@domain" },
	{ "Papers, Inc <me@example.org>", 7, "double quotes" },
	{ "Ada (work) <me@example.org>", 5, "double quotes" },
	{ "eve@bank.org <me@example.org>", 4, "double quotes" },
	{ "list: <me@example.org>", 5, "double quotes" },
	{ "\"Papers <me@example.org>", 1, "not closed" },
	{ "\"a<b\"@example.org", 1, "'<', '>'" },
	{ "\"\"@example.org", 1, "nothing before '@'" },
	{ "\"a\tb\"@example.org", 1, "a tab" },
	{ "a\xe2\x80\x8b"
	  "b@example.org",
	    1, "invisible" }, /* zero width space */
	{ "a\xc2\xa0"
	  "b@example.org",
	    1, "invisible" }, /* no-break space */
	{ "ada@example.org\n", 16, "control" },
	{ "ada\r\nRCPT TO:<x@y.org>@example.org", 4, "control" },
	{ "ada@exam\xc2\x85ple.org", 9, "control" },
	{ "\xe2\x80\xaegro.elpmaxe@ada", 1, "control" }, /* right-to-left override */
	{ "\xff@example.org", 1, "not valid UTF-8" },
	{ "ada@\xc0\xae.org", 5, "not valid UTF-8" },
	{ "ada@☃.example.org.", 5, "domain" },
	{ "ada@bü_cher.example", 5, "no letter, digit" },
};

static int
parse(const char *text, struct arena *a, struct address *out, unsigned *column, struct error *err)
{
	arena_reset(a);
	err_clear(err);
	*column = 0;
	return address_parse(text, a, out, column, err);
}

static void
test_good(void **state)
{
	struct arena a;
	struct error err;
	struct address out;
	unsigned column;

	(void)state;
	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		const char *domain = strrchr(good[i].mailbox, '@') + 1;
		const char *p = good[i].mailbox;

		if (parse(good[i].text, &a, &out, &column, &err) == -1)
			fail_msg("row %zu: '%s': %s", i, good[i].text, err.msg);
		if (strcmp(out.name, good[i].name) != 0 ||
		    strcmp(out.mailbox, good[i].mailbox) != 0 ||
		    strcmp(out.canonical, good[i].canonical) != 0 ||
		    strcmp(out.domain, domain) != 0)
			fail_msg("row %zu: '%s' became '%s' '%s' '%s' '%s'", i, good[i].text,
			    out.name, out.mailbox, out.canonical, out.domain);
		while (*p != '\0' && (unsigned char)*p < 0x80)
			p++;
		if (out.needs_smtputf8 != (*p != '\0'))
			fail_msg("row %zu: '%s': needs_smtputf8 is wrong", i, good[i].text);
		/* what was made reads as itself */
		if (parse(good[i].mailbox, &a, &out, &column, &err) == -1 ||
		    strcmp(out.mailbox, good[i].mailbox) != 0)
			fail_msg("row %zu: '%s' is not read again", i, good[i].mailbox);
	}
	arena_release(&a);
}

static void
test_bad(void **state)
{
	struct arena a;
	struct error err;
	struct address out = { .name = "untouched" };
	unsigned column;

	(void)state;
	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (parse(bad[i].text, &a, &out, &column, &err) == 0)
			fail_msg("row %zu: '%s' became '%s'", i, bad[i].text, out.mailbox);
		if (column != bad[i].column || strstr(err.msg, bad[i].message) == NULL ||
		    err.kind != ERR_DATA)
			fail_msg("row %zu: '%s': column %u, '%s'", i, bad[i].text, column, err.msg);
		assert_string_equal(out.name, "untouched");
		assert_int_equal(address_parse(bad[i].text, &a, &out, NULL, NULL), -1);
	}
	arena_release(&a);
}

/* local, label and domain of a given length: at the limit it is read, one more is refused. */
static void
test_lengths(void **state)
{
	static const struct {
		int local, label, nlabels;
		bool want;
	} rows[] = {
		{ 64, 10, 2, true },
		{ 65, 10, 2, false },
		{ 1, 63, 2, true },
		{ 1, 64, 2, false },
		{ 1, 62, 4, true }, /* 251 of domain, 253 in all */
		{ 2, 62, 4, true }, /* 254 */
		{ 3, 62, 4, false },
	};
	char text[600];
	struct arena a;
	struct error err;
	struct address out;
	unsigned column;

	(void)state;
	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int n = 0;

		for (int k = 0; k < rows[i].local; k++)
			text[n++] = 'x';
		for (int l = 0; l < rows[i].nlabels; l++) {
			text[n++] = l == 0 ? '@' : '.';
			for (int k = 0; k < rows[i].label; k++)
				text[n++] = 'd';
		}
		text[n] = '\0';
		if ((parse(text, &a, &out, &column, &err) == 0) != rows[i].want)
			fail_msg("row %zu: '%s': %s", i, text, err.msg);
	}
	arena_release(&a);
}

/* A name of MAX_NAME_BYTES is read, a longer one and a text without end are refused. */
static void
test_long_name(void **state)
{
	char text[3000];
	struct arena a;
	struct error err;
	struct address out;
	unsigned column;

	(void)state;
	arena_init(&a, 1 << 20);
	memset(text, 'n', sizeof(text));
	memcpy(text + MAX_NAME_BYTES, " <a@b.org>", 11);
	assert_int_equal(parse(text, &a, &out, &column, &err), 0);
	memcpy(text + MAX_NAME_BYTES, "n <a@b.org>", 12);
	assert_int_equal(parse(text, &a, &out, &column, &err), -1);
	memset(text, 'n', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(parse(text, &a, &out, &column, &err), -1);
	arena_release(&a);
}

/* Commands and headers hidden at every place of an address; whatever is accepted must be
 * harmless. */
static void
test_hostile(void **state)
{
	static const char *const seeds[] = { "ada@example.org", "\"a b\"@example.org",
		"Ada <ada@example.org>", "\"Ada\" <ada@example.org>" };
	static const char *const injections[] = { "\r\nRCPT TO:<eve@example.net>", "\n", "\r", "<",
		">", "\x01", "\x7f", "\t", "\xc2\x85", "\xe2\x80\xa8", "\xe2\x80\xae", "\xff", " ",
		",", "\"", "\\", ";", ":", "(", "\xef\xbb\xbf" };
	unsigned ntried = 0;
	char text[200];
	struct arena a;
	struct error err;
	struct address out;
	unsigned column;

	(void)state;
	arena_init(&a, 1 << 20);
	for (size_t s = 0; s < sizeof(seeds) / sizeof(seeds[0]); s++)
		for (size_t k = 0; k < sizeof(injections) / sizeof(injections[0]); k++)
			for (size_t at = 0; at <= strlen(seeds[s]); at++, ntried++) {
				snprintf(text, sizeof(text), "%.*s%s%s", (int)at, seeds[s],
				    injections[k], seeds[s] + at);
				if (parse(text, &a, &out, &column, &err) == -1) {
					assert_true(column >= 1 && column <= strlen(text) + 1);
					continue;
				}
				for (const char *p = out.mailbox; *p != '\0'; p++)
					if ((unsigned char)*p < 0x20 || *p == 0x7f || *p == '<' ||
					    *p == '>')
						fail_msg(
						    "'%s' was read as '%s'", text, out.mailbox);
				if (strpbrk(out.name, "\r\n") != NULL ||
				    strlen(out.mailbox) > 254 || strstr(out.mailbox, "eve") != NULL)
					fail_msg("'%s' was read as '%s' '%s'", text, out.name,
					    out.mailbox);
			}
	assert_true(ntried >= 200);
	arena_release(&a);
}

/* What we do with the categories of the "isemail" collection, and the addresses that differ. */
static const struct {
	const char *category;
	bool accept;
} categories[] = {
	{ "ISEMAIL_VALID_CATEGORY", true },
	{ "ISEMAIL_DNSWARN", true },  /* only a look-up could tell */
	{ "ISEMAIL_RFC5321", false }, /* address literals, top-level domains */
	{ "ISEMAIL_CFWS", false },    /* comments and folding have no place on the wire */
	{ "ISEMAIL_DEPREC", false },
	{ "ISEMAIL_RFC5322", false },
	{ "ISEMAIL_ERR", false },
};

static const struct {
	int id;
	bool accept;
	const char *reason;
} exceptions[] = {
	{ 5, false, "a domain without a dot is nearly always a typing error" },
	{ 42, true, "a quoted local part" },
	{ 45, true, "a quoted local part" },
	{ 46, true, "a quoted local part" },
	{ 48, true, "a quoted local part" },
	{ 55, true, "a quoted local part" },
	{ 60, true, "64 bytes in its shortest spelling, which is what we send" },
	{ 157, true, "blanks around the whole are trimmed" },
	{ 158, true, "blanks around the whole are trimmed" },
};

static bool
wanted(int id, const char *category)
{
	for (size_t i = 0; i < sizeof(exceptions) / sizeof(exceptions[0]); i++)
		if (exceptions[i].id == id)
			return exceptions[i].accept;
	for (size_t i = 0; i < sizeof(categories) / sizeof(categories[0]); i++)
		if (strcmp(categories[i].category, category) == 0)
			return categories[i].accept;
	fail_msg("test %d: category '%s' is not known", id, category);
	return false;
}

/* The text of an element: entities decoded, U+2400 + n put back to control n. */
static void
element_text(const char *test, const char *name, char *out, size_t size)
{
	static const struct {
		const char *name;
		char c;
	} entities[] = { { "&amp;", '&' }, { "&lt;", '<' }, { "&gt;", '>' }, { "&quot;", '"' } };
	char open[40], close[40];
	const char *p, *end;
	size_t n = 0;

	snprintf(open, sizeof(open), "<%s>", name);
	snprintf(close, sizeof(close), "</%s>", name);
	out[0] = '\0';
	p = strstr(test, open);
	end = strstr(test, "</test>");
	if (p == NULL || p > end)
		return; /* an empty element */
	p += strlen(open);
	end = strstr(p, close);
	while (p < end && n + 4 < size) {
		uint32_t cp;
		unsigned len = utf8_decode(p, (size_t)(end - p), &cp);

		if (p[0] == '&' && p[1] == '#') {
			char *after;

			cp =
			    (uint32_t)strtoul(p + 2 + (p[2] == 'x'), &after, p[2] == 'x' ? 16 : 10);
			len = (unsigned)(after - p) + 1;
		}
		for (size_t i = 0; i < 4 && p[0] == '&'; i++)
			if (strncmp(p, entities[i].name, strlen(entities[i].name)) == 0) {
				cp = (unsigned char)entities[i].c;
				len = (unsigned)strlen(entities[i].name);
			}
		if (cp >= 0x2400 && cp < 0x2420)
			cp -= 0x2400;
		n += utf8_encode(cp, out + n);
		p += len;
	}
	out[n] = '\0';
}

static void
test_isemail(void **state)
{
	const char *corpus = getenv("DIGEST_CORPUS"), *test;
	struct strbuf path, xml;
	struct arena a;
	struct error err;
	struct address out;
	unsigned ntests = 0, nwrong = 0, column;

	(void)state;
	if (corpus == NULL) {
		print_message("DIGEST_CORPUS is not set: the isemail collection is skipped\n");
		skip();
	}
	arena_init(&a, 1 << 20);
	strbuf_init(&path, 4096);
	strbuf_init(&xml, 1 << 20);
	strbuf_addf(&path, "%s/isemail/tests.xml", corpus);
	if (file_read(path.buf, &xml, &err) == -1)
		fail_msg("%s", err.msg);
	for (test = xml.buf; (test = strstr(test, "<test id=\"")) != NULL; ntests++) {
		char address[600], category[60];
		int id;
		bool accepted;

		test += strlen("<test id=\"");
		id = (int)strtol(test, NULL, 10);
		element_text(test, "address", address, sizeof(address));
		element_text(test, "category", category, sizeof(category));
		accepted = parse(address, &a, &out, &column, &err) == 0;
		if (id == 57)
			accepted = false; /* a NUL ends a C string: what follows is never seen */
		if (accepted != wanted(id, category)) {
			print_message("test %d: '%s' (%s): %s\n", id, address, category,
			    accepted ? "was accepted" : err.msg);
			nwrong++;
		}
	}
	assert_int_equal(ntests, 164);
	assert_int_equal(nwrong, 0);
	strbuf_release(&xml);
	strbuf_release(&path);
	arena_release(&a);
}

/* A name as it stands in a header. */
static const struct {
	const char *text, *header;
} headers[] = {
	{ "ada@example.org", "ada@example.org" },
	{ "Ada <ada@example.org>", "Ada <ada@example.org>" },
	{ "\"Ada Lovelace\" <ada@example.org>", "Ada Lovelace <ada@example.org>" },
	{ "\"Lovelace, Ada\" <ada@example.org>", "\"Lovelace, Ada\" <ada@example.org>" },
	{ "\"a\\\\\" <ada@example.org>", "\"a\\\\\" <ada@example.org>" },
	{ "\"<bob@example.org>\" <ada@example.org>", "\"<bob@example.org>\" <ada@example.org>" },
	{ "\"=?utf-8?q?x?=\" <ada@example.org>",
	    "=?UTF-8?B?PT91dGYtOD9xP3g/PQ==?= <ada@example.org>" },
	{ "Zoë <ada@example.org>", "=?UTF-8?Q?Zo=C3=AB?= <ada@example.org>" },
	{ "愛 <ada@example.org>", "=?UTF-8?B?5oSb?= <ada@example.org>" },
};

static void
test_header(void **state)
{
	struct arena a;
	struct error err;
	struct address addr;
	struct strbuf out;
	unsigned column;

	(void)state;
	arena_init(&a, 1 << 20);
	strbuf_init(&out, 4096);
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		strbuf_reset(&out);
		if (parse(headers[i].text, &a, &addr, &column, &err) == -1)
			fail_msg("row %zu: %s", i, err.msg);
		address_add_header(&out, &addr);
		if (strcmp(out.buf, headers[i].header) != 0)
			fail_msg("row %zu: '%s' became '%s'", i, headers[i].text, out.buf);
	}
	strbuf_release(&out);
	arena_release(&a);
}

/* Too little memory is an error like any other. */
static void
test_short_arena(void **state)
{
	struct address out;
	struct error err;
	struct arena a;
	int nfailed = 0;

	(void)state;
	for (size_t max = 0; max < 4096; max += 16) {
		arena_init(&a, max);
		if (address_parse("Ada <ada@bücher.example>", &a, &out, NULL, &err) == -1) {
			assert_int_equal(err.kind, ERR_NOMEM);
			nfailed++;
		}
		arena_release(&a);
	}
	assert_true(nfailed > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_long_name),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_isemail),
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_short_arena),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
