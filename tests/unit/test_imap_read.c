/* What an IMAP server says, as far as it is read: in any pieces, of any size, of any sense. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "mail/imap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- bytes to answers ---- */

/* Answers as "text", literals behind them as "<bytes>", parts as "text|"; "!why" ends it. */
static void
read_all(const char *bytes, size_t len, size_t piece, struct strbuf *out)
{
	struct imap_reader *r = malloc(sizeof(*r));
	int rc = 0;

	assert_non_null(r);
	imap_reader_init(r);
	strbuf_reset(out);
	for (size_t at = 0, used; at < len && rc != -1; at += used) {
		size_t n = len - at < piece ? len - at : piece;

		rc = imap_read(r, bytes + at, n, &used);
		assert_true(used <= n && (used > 0 || rc != 0));
		if (rc == 1 || rc == 2)
			strbuf_addf(out, "%s%s", r->text, rc == 2 ? "|" : "");
		if (rc == 1 && r->has_literal)
			strbuf_addf(out, "<%.*s>", (int)r->literal.len, r->literal.buf);
		if (rc == 1)
			strbuf_add(out, "\n");
		if (rc == -1)
			strbuf_addf(out, "!%s", r->why);
	}
	assert_int_equal(strbuf_check(out, NULL), 0);
	imap_reader_release(r);
	free(r);
}

static const struct {
	const char *bytes, *want;
} readings[] = {
	{ "* OK hi\r\nD1 OK\r\n", "* OK hi\nD1 OK\n" },
	{ "* OK hi\nD1 OK\n", "* OK hi\nD1 OK\n" }, /* bare LF */
	{ "\r\n\r\n", "\n\n" },
	{ "* 1 FETCH (UID 5 BODY[] {3}\r\nabc)\r\nD1 OK\r\n",
	    "* 1 FETCH (UID 5 BODY[] {3})<abc>\nD1 OK\n" },
	{ "* 1 FETCH (BODY[] {7}\r\nD1 OK\r\n UID 5)\r\n",
	    "* 1 FETCH (BODY[] {7} UID 5)<D1 OK\r\n>\n" }, /* a mail ends no answer */
	{ "* 1 FETCH (BODY[] {0}\r\n)\r\n", "* 1 FETCH (BODY[] {0})<>\n" },
	{ "* LIST () \"/\" {3}\r\na\r\n\r\n", "* LIST () \"/\" {3}<a\r\n>\n" },
	{ "* 1 FETCH (BODY[] {007}\r\nabcdefg)\r\n", "* 1 FETCH (BODY[] {007})<abcdefg>\n" },
	/* What is said for people has no literal, whatever it ends in; nor has what only looks so. */
	{ "* OK see {5}\r\n* NO {5}\r\n* BYE {5}\r\nD1 OK {5}\r\n+ {5}\r\n",
	    "* OK see {5}\n* NO {5}\n* BYE {5}\nD1 OK {5}\n+ {5}\n" },
	{ "* X {}\r\n* X {5 }\r\n* X {-5}\r\n* X {5+}\r\n* X 5}\r\n",
	    "* X {}\n* X {5 }\n* X {-5}\n* X {5+}\n* X 5}\n" },
	{ "* X {1048577}\r\n", "!a literal that is larger than what was asked for" },
	{ "* X {2147483648}\r\n", "!a literal that is larger than what was asked for" },
	{ "* X {9223372036854775808}\r\n", "!a literal that is larger than what was asked for" },
	{ "* X {18446744073709551617}\r\n", "!a literal that is larger than what was asked for" },
	{ "* X {1}\r\na {1}\r\nb\r\n", "!several literals in one answer" },
};

static void
test_answers_come_in_any_pieces(void **state)
{
	static const size_t pieces[] = { 1, 2, 3, 7, 1000 };
	struct strbuf got;

	(void)state;
	strbuf_init(&got, 1 << 20);
	for (size_t i = 0; i < sizeof(readings) / sizeof(readings[0]); i++) {
		for (size_t k = 0; k < sizeof(pieces) / sizeof(pieces[0]); k++) {
			read_all(readings[i].bytes, strlen(readings[i].bytes), pieces[k], &got);
			if (strcmp(got.buf, readings[i].want) != 0)
				fail_msg("row %zu by %zu: got '%s', wanted '%s'", i, pieces[k],
				    got.buf, readings[i].want);
		}
	}
	read_all("* OK a\0b\r\n", 10, 10, &got);
	assert_string_equal(got.buf, "!a NUL outside a literal");
	strbuf_release(&got);
}

static void
test_lines_are_bounded(void **state)
{
	static const struct {
		const char *begin, *fill;
		bool fails;
	} rows[] = {
		{ "", "x", true },
		{ "* OK ", "x", true },
		{ "* 1 FETCH (X ", "(", true },
		{ "* SEARCH ", "5", true },
		{ "* SEARCH", " ", false }, /* no number ever: the limit of the whole ends it */
		{ "* SEARCH ", "1234 ", false },
		{ "* search ", "1234567 ", false },
	};
	struct strbuf bytes, got;

	(void)state;
	strbuf_init(&bytes, 1 << 20);
	strbuf_init(&got, 1 << 20);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		strbuf_reset(&bytes);
		strbuf_add(&bytes, rows[i].begin);
		while (bytes.len < 100000)
			strbuf_add(&bytes, rows[i].fill);
		read_all(bytes.buf, bytes.len, 4096, &got);
		if ((strstr(got.buf, "!a line of more than 8,192 bytes") != NULL) != rows[i].fails)
			fail_msg("row %zu: %.100s", i, got.buf);
	}
	strbuf_release(&bytes);
	strbuf_release(&got);
}

static void
test_the_largest_literal_fits(void **state)
{
	static const char head[] = "* 1 FETCH (UID 5 BODY[]<0> {1048576}\r\n";
	struct imap_reader *r = malloc(sizeof(*r));
	char *mail = malloc(MAX_INCOMING_BYTES);
	struct imap_fetch f;
	size_t used;

	(void)state;
	assert_non_null(r);
	assert_non_null(mail);
	memset(mail, '\0', MAX_INCOMING_BYTES);
	imap_reader_init(r);
	assert_int_equal(imap_read(r, head, strlen(head), &used), 0);
	assert_int_equal(imap_read(r, mail, MAX_INCOMING_BYTES, &used), 0);
	assert_int_equal(used, MAX_INCOMING_BYTES);
	assert_int_equal(imap_read(r, ")\r\n", 3, &used), 1);
	assert_int_equal(imap_parse_fetch(r, &f), 1);
	assert_int_equal(r->literal.len, MAX_INCOMING_BYTES);
	imap_reader_release(r);
	free(r);
	free(mail);
}

/* ---- what an answer is ---- */

static void
test_kinds(void **state)
{
	static const struct {
		const char *text;
		enum imap_kind kind;
		enum imap_status status;
		const char *rest;
	} rows[] = {
		{ "D7 OK done", IMAP_DONE, IMAP_OK, "done" },
		{ "D7 OK", IMAP_DONE, IMAP_OK, "" },
		{ "D7 no [INUSE] x", IMAP_DONE, IMAP_NO, "[INUSE] x" },
		{ "D7 BAD", IMAP_DONE, IMAP_BAD, "" },
		{ "D7 BYE", IMAP_ODD, 0, NULL },
		{ "D7 OKAY", IMAP_ODD, 0, NULL },
		{ "D7", IMAP_ODD, 0, NULL },
		{ "D70 OK", IMAP_ODD, 0, NULL },
		{ "d7 OK", IMAP_DONE, IMAP_OK, "" },
		{ "D6 OK", IMAP_ODD, 0, NULL },
		{ "* OK x", IMAP_STATUS, IMAP_OK, "x" },
		{ "* BYE", IMAP_STATUS, IMAP_BYE, "" },
		{ "* PREAUTH x", IMAP_STATUS, IMAP_PREAUTH, "x" },
		{ "* SEARCH 5", IMAP_DATA, 0, "SEARCH 5" },
		{ "* OKAY", IMAP_DATA, 0, "OKAY" },
		{ "*OK", IMAP_ODD, 0, NULL },
		{ "+ go", IMAP_GO_ON, 0, " go" },
		{ "+", IMAP_GO_ON, 0, "" },
		{ "+go", IMAP_ODD, 0, NULL },
		{ "", IMAP_ODD, 0, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum imap_status status = IMAP_OK;
		const char *rest = NULL;

		if (imap_classify(rows[i].text, "D7", &status, &rest) != rows[i].kind)
			fail_msg("row %zu: '%s' is of another kind", i, rows[i].text);
		if ((rows[i].kind == IMAP_DONE || rows[i].kind == IMAP_STATUS) &&
		    status != rows[i].status)
			fail_msg("row %zu: '%s' has another status", i, rows[i].text);
		if (rows[i].rest != NULL && strcmp(rest, rows[i].rest) != 0)
			fail_msg("row %zu: rest '%s'", i, rest);
	}
}

static void
test_codes(void **state)
{
	static const struct {
		const char *text;
		bool has, number;
		uint64_t want;
	} rows[] = {
		{ "[UIDNEXT 12] x", true, true, 12 },
		{ "[uidnext 4294967295]", true, true, 4294967295 },
		{ "[UIDNEXT 4294967296]", true, false, 0 },
		{ "[UIDNEXT 99999999999999999999]", true, false, 0 },
		{ "[UIDNEXT -1]", true, false, 0 },
		{ "[UIDNEXT 12", true, false, 0 },
		{ "[UIDNEXT 12x]", true, false, 0 },
		{ "[UIDNEXT]", true, false, 0 },
		{ "[UIDNEXTS 5]", false, false, 0 },
		{ "UIDNEXT 5", false, false, 0 },
		{ "[", false, false, 0 },
		{ "", false, false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t n = 0;

		if (imap_has_code(rows[i].text, "UIDNEXT") != rows[i].has ||
		    imap_parse_code(rows[i].text, "UIDNEXT", UINT32_MAX, &n) != rows[i].number ||
		    n != rows[i].want)
			fail_msg(
			    "row %zu: '%s' gives %llu", i, rows[i].text, (unsigned long long)n);
	}
}

static void
add_number(void *arg, uint32_t uid)
{
	strbuf_addf(arg, "%u ", uid);
}

static void
test_searches(void **state)
{
	static const struct {
		const char *rest, *want;
	} rows[] = {
		{ "SEARCH 5 7 9", "5 7 9 " },
		{ "search 5", "5 " },
		{ "SEARCH", "" },
		{ "SEARCH ", "" },
		{ "SEARCH  5   7 ", "5 7 " },
		{ "SEARCH 9 5 5", "9 5 5 " },
		{ "SEARCH 0 -1 4294967295 4294967296 99999999999999999999 7x x7 7",
		    "4294967295 7 " },
		{ "SEARCH 5:7 8,9 10", "10 " },
		{ "SEARCH 5 (MODSEQ 917162500)", "5 " },
		{ "SEARCHES 5", NULL },
		{ "5 EXISTS", NULL },
	};
	struct strbuf got;

	(void)state;
	strbuf_init(&got, 1000);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		strbuf_reset(&got);
		if (imap_parse_search(rows[i].rest, add_number, &got) != (rows[i].want != NULL) ||
		    (rows[i].want != NULL && strcmp(got.buf, rows[i].want) != 0))
			fail_msg("row %zu: '%s' gives '%s'", i, rows[i].rest, got.buf);
	}
	strbuf_release(&got);
}

static void
test_fetches(void **state)
{
	static const struct {
		const char *bytes;
		int rc;
		uint32_t uid;
		uint64_t size;
		const char *body;
	} rows[] = {
		{ "* 1 FETCH (UID 5 RFC822.SIZE 44 BODY[]<0> {3}\r\nabc)\r\n", 1, 5, 44, "abc" },
		{ "* 1 fetch (body[]<0> {3}\r\nabc uid 5)\r\n", 1, 5, 0, "abc" },
		{ "* 1 FETCH (UID 4294967295 RFC822.SIZE 9223372036854775807)\r\n", 1, UINT32_MAX,
		    INT64_MAX, NULL },
		{ "* 1 FETCH (FLAGS (\\Seen $Junk ()) UID 5)\r\n", 1, 5, 0, NULL },
		{ "* 1 FETCH (ENVELOPE (\"a)\" NIL ((\"b\\\")\"))) UID 5 MODSEQ (12))\r\n", 1, 5, 0,
		    NULL },
		{ "* 1 FETCH (BODY[HEADER.FIELDS (TO CC)]<0> {2}\r\nhi UID 5)\r\n", 1, 5, 0, NULL },
		{ "* 1 FETCH (BODY[] NIL UID 5)\r\n", 1, 5, 0, "" },
		{ "* 1 FETCH (BODY[] \"\" UID 5)\r\n", 1, 5, 0, "" },
		{ "* 1 FETCH (BODY[] \"a\\\\\\\"b\" UID 5)\r\n", 1, 5, 0, "a\\\"b" },
		{ "* 1 FETCH ()\r\n", 1, 0, 0, NULL },
		/* Not of ours. */
		{ "* 1 EXISTS\r\n", 0, 0, 0, NULL },
		{ "* OK FETCH (UID 5)\r\n", 0, 0, 0, NULL },
		{ "D1 OK\r\n", 0, 0, 0, NULL },
		/* Nonsense. */
		{ "* 99999999999 FETCH (UID 5)\r\n", -1, 0, 0, NULL },
		{ "* 1 FETCH UID 5\r\n", -1, 0, 0, NULL },
		{ "* 1 FETCH (UID 5\r\n", -1, 0, 0, NULL },
		{ "* 1 FETCH (UID 5) x\r\n", -1, 0, 0, NULL },
		{ "* 1 FETCH (UID 5))\r\n", -1, 0, 0, NULL },
		{ "* 1 FETCH (UID)\r\n", -1, 0, 0, NULL },
		{ "* 1 FETCH (UID 0)\r\n", -1, 0, 0, NULL },
		{ "* 1 FETCH (UID 4294967296)\r\n", -1, 0, 0, NULL },
		{ "* 1 FETCH (UID 5 UID 6)\r\n", -1, 0, 0, NULL },
		{ "* 1 FETCH (RFC822.SIZE 9223372036854775808)\r\n", -1, 0, 0, NULL },
		{ "* 1 FETCH (RFC822.SIZE -1)\r\n", -1, 0, 0, NULL },
		{ "* 1 FETCH (BODY[] {3} UID 5)\r\n", -1, 0, 0,
		    NULL }, /* no literal, it says so only */
		{ "* 1 FETCH (BODY[] abc UID 5)\r\n", -1, 0, 0, NULL },
		{ "* 1 FETCH (BODY[] \"abc UID 5)\r\n", -1, 0, 0, NULL },
		{ "* 1 FETCH (BODY[] \"abc\\\r\n", -1, 0, 0, NULL },
		{ "* 1 FETCH (X {1}\r\nb BODY[] \"abc\" UID 5)\r\n", -1, 0, 0, NULL },
		{ "* 1 FETCH (BODY[] {1}\r\na BODY[] {1} UID 5)\r\n", -1, 0, 0, NULL },
		{ "* 1 FETCH (X "
		  "((((((((((((((((((((((((((((((((((1))))))))))))))))))))))))))))))))))"
		  " UID 5)\r\n",
		    -1, 0, 0, NULL },
		{ "* 1 FETCH (X ) UID 5)\r\n", -1, 0, 0, NULL },
		{ "* 1 FETCH (BODY[ UID 5)\r\n", -1, 0, 0, NULL },
	};
	struct imap_reader *r = malloc(sizeof(*r));

	(void)state;
	assert_non_null(r);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct imap_fetch f;
		size_t used;
		int rc;

		imap_reader_init(r);
		assert_int_equal(imap_read(r, rows[i].bytes, strlen(rows[i].bytes), &used), 1);
		rc = imap_parse_fetch(r, &f);
		if (rc != rows[i].rc)
			fail_msg("row %zu: %d for %s", i, rc, rows[i].bytes);
		if (rc == 1 &&
		    (f.uid != rows[i].uid || f.size != rows[i].size ||
			f.has_body != (rows[i].body != NULL) ||
			(f.has_body && strcmp(r->literal.buf, rows[i].body) != 0)))
			fail_msg("row %zu: uid %u, size %llu, '%s'", i, f.uid,
			    (unsigned long long)f.size, r->literal.buf);
		imap_reader_release(r);
	}
	free(r);
}

/* ---- what is said ---- */

static void
test_folder_names(void **state)
{
	static const struct {
		const char *name, *want;
	} rows[] = {
		{ "INBOX", "\"INBOX\"" },
		{ "a b/c.d", "\"a b/c.d\"" },
		{ "../../etc/passwd",
		    "\"../../etc/passwd\"" }, /* a name like others: no file of ours */
		{ "say \"hi\" \\", "\"say \\\"hi\\\" \\\\\"" },
		{ "R&D", "\"R&-D\"" },
		{ "Rückläufe", "\"R&APw-ckl&AOQ-ufe\"" },
		{ "台北", "\"&U,BTFw-\"" }, /* RFC 3501 5.1.3 */
		{ "~peter/mail/台北/日本語", "\"~peter/mail/&U,BTFw-/&ZeVnLIqe-\"" },
		{ "☺!", "\"&Jjo-!\"" },
		{ "💥", "\"&2D3cpQ-\"" },
		{ "", NULL },
		{ "a\r\nD9 DELETE INBOX", NULL },
		{ "a\tb", NULL },
		{ "a\x7f", NULL },
		{ "a\xc2\x85", NULL },
		{ "a\xff", NULL },
		{ "\xc3", NULL },
	};
	struct strbuf got;
	char name[IMAP_MAX_FOLDER + 2];

	(void)state;
	strbuf_init(&got, 10000);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		strbuf_reset(&got);
		if (imap_add_folder(&got, rows[i].name) != (rows[i].want != NULL ? 0 : -1) ||
		    (rows[i].want != NULL && strcmp(got.buf, rows[i].want) != 0))
			fail_msg("row %zu: '%s'", i, got.buf);
	}
	memset(name, 'x', sizeof(name));
	name[IMAP_MAX_FOLDER + 1] = '\0';
	assert_int_equal(imap_add_folder(&got, name), -1);
	name[IMAP_MAX_FOLDER] = '\0';
	assert_int_equal(imap_add_folder(&got, name), 0);
	/* As many letters of two bytes as fit. */
	for (size_t i = 0; i + 1 < IMAP_MAX_FOLDER; i += 2)
		memcpy(name + i, "ü", 2);
	name[IMAP_MAX_FOLDER - 1] = '\0';
	assert_int_equal(imap_add_folder(&got, name), 0);
	strbuf_release(&got);
}

static void
test_quoted_strings(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "", "\"\"" },
		{ "pa ss\"w\\rd", "\"pa ss\\\"w\\\\rd\"" },
		{ "pässword", NULL },
		{ "a\r\nb", NULL },
	};
	struct strbuf got;

	(void)state;
	strbuf_init(&got, 1000);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		strbuf_reset(&got);
		if (imap_add_quoted(&got, rows[i].text) != (rows[i].want != NULL ? 0 : -1) ||
		    (rows[i].want != NULL && strcmp(got.buf, rows[i].want) != 0))
			fail_msg("row %zu: '%s'", i, got.buf);
	}
	strbuf_release(&got);
}

static void
test_urls(void **state)
{
	static const struct {
		const char *url, *host;
		unsigned port;
		const char *folder, *error;
	} rows[] = {
		{ "imaps://imap.example.org", "imap.example.org", 993, "INBOX", NULL },
		{ "imaps://imap.example.org/", "imap.example.org", 993, "INBOX", NULL },
		{ "IMAP://imap.example.org:1143/a/b", "imap.example.org", 1143, "a/b", NULL },
		{ "imap://[::1]:7/x", "::1", 7, "x", NULL },
		{ "imap://h/R%C3%BCck%20%25", "h", 143, "Rück %", NULL },
		{ "imap://h/Rück", "h", 143, "Rück", NULL },
		{ "pop3://h", NULL, 0, NULL, "expected imaps://host" },
		{ "imaps://", NULL, 0, NULL, "has no host name" },
		{ "imaps://me@h/INBOX", NULL, 0, NULL, "has no host name" },
		{ "imaps://h:0", NULL, 0, NULL, "a port of 1..65535" },
		{ "imaps://h:65536", NULL, 0, NULL, "a port of 1..65535" },
		{ "imaps://h:1x", NULL, 0, NULL, "names no folder" },
		{ "imaps://h/a;UID=5", NULL, 0, NULL, "names no folder" },
		{ "imaps://h/a?b", NULL, 0, NULL, "names no folder" },
		{ "imaps://h/%0", NULL, 0, NULL, "names no folder" },
		{ "imaps://h/%zz", NULL, 0, NULL, "names no folder" },
		{ "imaps://h/a%00b", NULL, 0, NULL, "names no folder" },
		{ "imaps://h/a%0D%0Ab", NULL, 0, NULL, "is no name" },
		{ "imaps://h/%FF", NULL, 0, NULL, "is no name" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct error err = { 0 };
		struct imap_url url;
		int rc = imap_parse_url(rows[i].url, &url, &err);

		if ((rc == -1) != (rows[i].error != NULL))
			fail_msg("row %zu: %s: %s", i, rows[i].url, err.msg);
		if (rc == -1 && (err.kind != ERR_CONFIG || strstr(err.msg, rows[i].error) == NULL))
			fail_msg("row %zu: '%s'", i, err.msg);
		if (rc == 0 &&
		    (strcmp(url.place.host, rows[i].host) != 0 || url.place.port != rows[i].port ||
			strcmp(url.folder, rows[i].folder) != 0))
			fail_msg(
			    "row %zu: '%s' %u '%s'", i, url.place.host, url.place.port, url.folder);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers_come_in_any_pieces),
		cmocka_unit_test(test_lines_are_bounded),
		cmocka_unit_test(test_the_largest_literal_fits),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_codes),
		cmocka_unit_test(test_searches),
		cmocka_unit_test(test_fetches),
		cmocka_unit_test(test_folder_names),
		cmocka_unit_test(test_quoted_strings),
		cmocka_unit_test(test_urls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
