/* The screen, at every bound and at ten times the bound; what it lets through the locked child survives; linear time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "digest/clock.h"
#include "digest/incoming.h"
#include "mail/incoming.h"

enum { MAX_MAIL = 16 * 1024 * 1024 };

static void
repeat(struct strbuf *out, const char *text, size_t n)
{
	while (n-- > 0)
		strbuf_add(out, text);
}

/* ---- makers of mails: n of something ---- */

typedef void maker(struct strbuf *out, size_t n);

static void
make_comments(struct strbuf *out, size_t n)
{
	strbuf_add(out, "From: ");
	repeat(out, "(", n);
	repeat(out, ")", n);
	strbuf_add(out, " ada@example.org\r\n\r\nhello\r\n");
}

static void
make_open_comments(struct strbuf *out, size_t n)
{
	strbuf_add(out, "To: ada@example.org\nFrom: \"");
	repeat(out, "(", n);
	strbuf_add(out, "\n\nhello\n");
}

static void
make_folded_comments(struct strbuf *out, size_t n)
{
	strbuf_add(out, "From: ");
	repeat(out, "(\n ", n);
	strbuf_add(out, "\n\nhello\n");
}

static void
make_comments_in_part(struct strbuf *out, size_t n)
{
	strbuf_add(out,
	    "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: "
	    "message/rfc822\n\nFrom: ");
	repeat(out, "(", n);
	strbuf_add(out, "\n\nhello\n--b--\n");
}

static void
make_messages(struct strbuf *out, size_t n)
{
	repeat(out, "Content-Type: message/rfc822\n\n", n);
	strbuf_add(out, "Subject: x\n\nhello\n");
}

static void
make_multiparts(struct strbuf *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		strbuf_addf(
		    out, "Content-Type: multipart/mixed; boundary=\"b%zu\"\n\n--b%zu\n", i, i);
	strbuf_add(out, "\nhello\n");
	for (size_t i = n; i > 0; i--)
		strbuf_addf(out, "--b%zu--\n", i - 1);
}

static void
make_digests(struct strbuf *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		strbuf_addf(
		    out, "Content-Type: multipart/digest; boundary=b%zu\n\n--b%zu\n\n", i, i);
	strbuf_add(out, "\nhello\n");
}

static void
make_parts(struct strbuf *out, size_t n)
{
	strbuf_add(out, "Content-Type: multipart/mixed; boundary=b\n\n");
	repeat(out, "--b\n\nhello\n", n);
	strbuf_add(out, "--b--\n");
}

static void
make_addresses(struct strbuf *out, size_t n)
{
	strbuf_add(out, "To: ");
	repeat(out, "a@b,", n);
	strbuf_add(out, "ada@example.org\n\nhello\n");
}

static void
make_groups(struct strbuf *out, size_t n)
{
	strbuf_add(out, "To: ");
	repeat(out, "g:;", n);
	strbuf_add(out, "\n\nhello\n");
}

static void
make_routes(struct strbuf *out, size_t n)
{
	strbuf_add(out, "From: <");
	repeat(out, "@h,", n);
	strbuf_add(out, "@h:ada@example.org>\n\nhello\n");
}

static void
make_header(struct strbuf *out, size_t n)
{
	repeat(out, "X: y\n", (n + 4) / 5);
	strbuf_add(out, "\nhello\n");
}

static void
make_part_header(struct strbuf *out, size_t n)
{
	strbuf_add(out, "Content-Type: multipart/mixed; boundary=b\n\n--b\n");
	make_header(out, n);
	strbuf_add(out, "--b--\n");
}

static void
make_line(struct strbuf *out, size_t n)
{
	strbuf_add(out, "Subject: x\n\n");
	repeat(out, "x", n);
	strbuf_add(out, "\n");
}

static void
make_hidden_types(struct strbuf *out, size_t n)
{
	strbuf_add(out, "Subject: x\n\n");
	repeat(out, "Content-Type: message/rfc822\n\n", n);
}

static void
make_heap(struct strbuf *out, size_t n)
{
	strbuf_add(out, "Subject: x\n\nhello ");
	repeat(out, "(", n);
	strbuf_add(out, "\n");
}

static void
make_nuls(struct strbuf *out, size_t n)
{
	strbuf_add(out, "Subject: x");
	while (n-- > 0)
		strbuf_addn(out, "\0", 1);
	strbuf_add(out, "\n\nhello\n");
}

static const struct {
	const char *name;
	maker *make;
	size_t most;	  /* that is let through */
	const char *says; /* what is said of more */
} bounds[] = {
	{ "comments", make_comments, MAX_INCOMING_NESTING, "comments inside each other" },
	{ "comments that stay open", make_open_comments, MAX_INCOMING_NESTING, "comments" },
	{ "comments over lines", make_folded_comments, MAX_INCOMING_NESTING, "comments" },
	{ "comments in a part", make_comments_in_part, MAX_INCOMING_NESTING, "comments" },
	{ "messages", make_messages, MAX_INCOMING_DEPTH, "multiparts or messages inside" },
	{ "multiparts", make_multiparts, MAX_INCOMING_DEPTH, "multiparts or messages inside" },
	/* Each level is the multipart and the message in it. */
	{ "digests", make_digests, MAX_INCOMING_DEPTH / 2, "multiparts or messages inside" },
	{ "parts", make_parts, MAX_INCOMING_PARTS, "parts" },
	{ "addresses", make_addresses, MAX_INCOMING_ADDRESSES, "addresses in a field" },
	{ "empty groups", make_groups, MAX_INCOMING_ADDRESSES, "addresses in a field" },
	{ "routes", make_routes, MAX_INCOMING_ADDRESSES, "addresses in a field" },
	{ "bytes of header", make_header, MAX_INCOMING_HEADER - 10, "bytes of header" },
	{ "bytes of a part's header", make_part_header, MAX_INCOMING_HEADER - 10,
	    "bytes of header" },
	{ "bytes of a line", make_line, MAX_INCOMING_LINE, "bytes in a line" },
	{ "types in a text", make_hidden_types, MAX_INCOMING_TYPES, "types of multiparts" },
	{ "parentheses in a text", make_heap, MAX_INCOMING_HEAP, "parentheses" },
	{ "NUL bytes", make_nuls, 0, "NUL bytes in the header" },
};

enum { NBOUNDS = sizeof(bounds) / sizeof(bounds[0]) };

static void
check(size_t i, size_t n, bool passes, struct incoming_reader *reader)
{
	static struct incoming in;
	struct strbuf mail;
	struct error err, why;
	int rc;

	strbuf_init(&mail, MAX_MAIL);
	bounds[i].make(&mail, n);
	assert_int_equal(mail.state, STRBUF_OK);
	rc = incoming_screen(mail.buf, mail.len, NULL, &err);
	if ((rc == 0) != passes)
		fail_msg("%zu %s: %s", n, bounds[i].name, rc == 0 ? "let through" : err.msg);
	/* So many addresses make a header too long, too. */
	if (rc == -1 && strstr(err.msg, bounds[i].says) == NULL &&
	    strstr(err.msg, "bytes of header") == NULL)
		fail_msg("%zu %s: '%s'", n, bounds[i].name, err.msg);
	if (incoming_reader_read(reader, mail.buf, mail.len, &in, &why) == -1)
		fail_msg("%s", why.msg);
	if ((in.kind == INCOMING_UNREADABLE) == passes)
		fail_msg("%zu %s: %s: %s", n, bounds[i].name, incoming_kind_name(in.kind), in.why);
	assert_false(in.flags & INCOMING_POISON);
	if (!passes && strcmp(in.why, err.msg) != 0)
		fail_msg("%zu %s: '%s'", n, bounds[i].name, in.why);
	strbuf_release(&mail);
}

static void
test_bounds(void **state)
{
	struct incoming_reader *r;
	struct error err;

	(void)state;
	assert_int_equal(incoming_reader_new(&r, &err), 0);
	for (size_t i = 0; i < NBOUNDS; i++) {
		check(i, bounds[i].most, true, r);
		check(i, bounds[i].most + (bounds[i].most > 60000 ? 20 : 1), false, r);
		check(i, 10 * bounds[i].most + 10, false, r);
	}
	incoming_reader_free(r);
}

/* The mails that killed the library, and worse. None takes a second. */
static void
test_killers(void **state)
{
	static const struct {
		maker *make;
		size_t n;
	} killers[] = {
		{ make_comments, 105078 },
		{ make_comments, 500000 },
		{ make_messages, 27851 },
		{ make_multiparts, 20000 },
		{ make_addresses, 200000 },
		{ make_groups, 200000 },
		{ make_routes, 200000 },
		{ make_open_comments, 1000000 },
		{ make_line, 10000000 },
		{ make_parts, 100000 },
		{ make_heap, 1000000 },
	};
	struct incoming_reader *r;
	struct error err;
	struct strbuf mail;

	(void)state;
	assert_int_equal(incoming_reader_new(&r, &err), 0);
	strbuf_init(&mail, MAX_MAIL);
	for (size_t i = 0; i < sizeof(killers) / sizeof(killers[0]); i++) {
		static struct incoming in;
		int64_t start = clock_monotonic_ms();

		strbuf_reset(&mail);
		killers[i].make(&mail, killers[i].n);
		assert_int_equal(incoming_reader_read(r, mail.buf, mail.len, &in, &err), 0);
		if (in.kind != INCOMING_UNREADABLE)
			fail_msg("row %zu: %s", i, incoming_kind_name(in.kind));
		if (clock_monotonic_ms() - start > 5000)
			fail_msg("row %zu took %d ms", i, (int)(clock_monotonic_ms() - start));
	}
	strbuf_release(&mail);
	incoming_reader_free(r);
}

static const struct {
	const char *name, *mail;
	struct incoming_figures want;
} figures[] = {
	{ "nothing", "", { .bytes = 0 } },
	{ "no header", "\nhello\n", { .bytes = 7, .line = 5 } },
	{ "a header alone", "Subject: x", { .bytes = 10, .header = 11, .line = 10 } },
	{ "comments close", "From: (a) (b (c))\n\n(((\n",
	    { .bytes = 23, .header = 18, .nesting = 2, .heap = 3, .line = 17 } },
	{ "a quoted parenthesis counts none", "From: \\( \\( x\n\n",
	    { .bytes = 15, .header = 14, .line = 13 } },
	{ "each field anew", "From: (\nTo: (\n\n",
	    { .bytes = 15, .header = 14, .nesting = 1, .heap = 2, .line = 7 } },
	{ "CR alone", "From: (\rTo: (\r\rx",
	    { .bytes = 16, .header = 14, .nesting = 1, .heap = 2, .line = 7 } },
	{ "a boundary in quotes",
	    "Content-Type: multipart/mixed;\r\n\tBoundary = \"a b\"\r\n\r\n--a b\r\n\r\nx\r\n--a "
	    "b--\r\n",
	    { .bytes = 74,
		.header = 49,
		.parts = 1,
		.depth = 1,
		.types = 1,
		.line = 31,
		.addresses = 1 } },
	{ "a message that is encoded is no header",
	    "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nKCgoKCgo\n(x\n",
	    { .bytes = 76, .header = 63, .heap = 1, .types = 1, .line = 33 } },
	{ "so encoded it is one",
	    "Content-Type: message/rfc822\nContent-Transfer-Encoding: binary\n\nKCgoKCgo\n(x\n",
	    { .bytes = 76,
		.header = 63,
		.nesting = 1,
		.heap = 1,
		.depth = 1,
		.types = 1,
		.line = 33 } },
	{ "a part of the outer one ends the inner one",
	    "Content-Type: multipart/mixed; boundary=o\n\n--o\n"
	    "Content-Type: multipart/mixed; boundary=i\n\n--i\n\nx\n--o\n\nx\n--i\n--o--\n--o\n",
	    { .bytes = 118,
		.header = 42,
		.parts = 3,
		.depth = 2,
		.types = 2,
		.line = 41,
		.addresses = 1 } },
};

static void
test_figures(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
		const struct incoming_figures *w = &figures[i].want;
		struct incoming_figures f;
		struct error err;

		assert_int_equal(
		    incoming_screen(figures[i].mail, strlen(figures[i].mail), &f, &err), 0);
		if (memcmp(&f, w, sizeof(f)) != 0)
			fail_msg(
			    "%s: bytes %zu header %zu nesting %zu heap %zu addresses %zu parts %zu "
			    "depth %zu types %zu line %zu nuls %zu",
			    figures[i].name, f.bytes, f.header, f.nesting, f.heap, f.addresses,
			    f.parts, f.depth, f.types, f.line, f.nuls);
	}
}

/* Only the first part of a long mail is read, and its end need not be there. */
static void
test_long_mail(void **state)
{
	static struct incoming in;
	struct incoming_reader *r;
	struct incoming_figures f;
	struct strbuf mail;
	struct error err;

	(void)state;
	strbuf_init(&mail, MAX_MAIL);
	strbuf_add(&mail,
	    "From: MAILER-DAEMON@example.org\nMIME-Version: 1.0\n"
	    "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"
	    "--b\n\nIt failed.\n--b\nContent-Type: message/delivery-status\n\n"
	    "Reporting-MTA: dns; example.org\n\nFinal-Recipient: rfc822; ada@example.org\n"
	    "Action: failed\nStatus: 5.1.1\n\n--b\nContent-Type: message/rfc822\n\n"
	    "Message-ID: <1@example.org>\n\n");
	repeat(&mail, "All that the digest has to say, over and over again.\n", 200000);
	strbuf_add(&mail, "--b--\n");
	assert_int_equal(incoming_screen(mail.buf, mail.len, &f, &err), 0);
	assert_int_equal(f.bytes, MAX_INCOMING_BYTES);
	assert_int_equal(incoming_reader_new(&r, &err), 0);
	assert_int_equal(incoming_reader_read(r, mail.buf, mail.len, &in, &err), 0);
	assert_int_equal(in.kind, INCOMING_BOUNCE);
	assert_true(in.flags & INCOMING_CUT);
	assert_int_equal(in.recipients[0].class, SMTP_CLASS_DEAD);
	assert_string_equal(in.candidates[0].text, "1@example.org");
	incoming_reader_free(r);
	strbuf_release(&mail);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_figures),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_killers),
		cmocka_unit_test(test_long_mail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
