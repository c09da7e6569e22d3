#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "digest/limits.h"
#include "digest/qp.h"
#include "digest/message.h"
#include "digest/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libetpan/libetpan.h>

static const struct address me = { "Papers", "me@example.org", "me@example.org", "example.org",
	false };
static const struct address ada = { "Zoë Lovelace", "ada@example.net", "ada@example.net",
	"example.net", false };

/* A mail that a test changes in one place. */
/* The mail of two texts as a person writes them. */
static int
add_mail(struct strbuf *out, const struct message *m, struct error *err)
{
	struct message coded = *m;
	struct strbuf text, html;
	int rc;

	strbuf_init(&text, MAX_MESSAGE_BYTES);
	strbuf_init(&html, MAX_MESSAGE_BYTES);
	qp_add_text(&text, m->text, strlen(m->text));
	qp_add_text(&html, m->html, strlen(m->html));
	coded.text = text.buf;
	coded.html = html.buf;
	rc = message_add(out, &coded, err);
	strbuf_release(&text);
	strbuf_release(&html);
	return rc;
}

static struct message
plain_message(void)
{
	return (struct message){
		.from = &me,
		.to = &ada,
		.subject = "Splatting at 900 fps on a phone + 7 more",
		.date_utc = 1787294700, /* 2026-08-21T06:45:00Z */
		.date_offset_s = 3600,
		.list_id = "papers.example.org",
		.list_name = "Papers",
		.message_id = "<0123456789abcdef@example.org>",
		.unsubscribe_mailto = "mailto:me@example.org?subject=unsubscribe%20abc",
		.unsubscribe_https = "",
		.help_url = "",
		.archive_url = "",
		.text = "Hello Zoë,\n.\nFrom here = there \nend\n",
		.html = "<p>Hello Zoë</p>\n",
	};
}

static void
test_golden(void **state)
{
	static const char want[] =
	    "Date: Fri, 21 Aug 2026 07:45:00 +0100\r\n"
	    "From: Papers <me@example.org>\r\n"
	    "To: =?UTF-8?Q?Zo=C3=AB_Lovelace?= <ada@example.net>\r\n"
	    "Subject: Splatting at 900 fps on a phone + 7 more\r\n"
	    "Message-ID: <0123456789abcdef@example.org>\r\n"
	    "List-Id: Papers <papers.example.org>\r\n"
	    "List-Unsubscribe: <mailto:me@example.org?subject=unsubscribe%20abc>\r\n"
	    "List-Post: NO\r\n"
	    "Auto-Submitted: auto-generated\r\n"
	    "Precedence: bulk\r\n"
	    "MIME-Version: 1.0\r\n"
	    "Content-Type: multipart/alternative;\r\n"
	    " boundary=\"=_BOUNDARY\"\r\n"
	    "\r\n"
	    "--=_BOUNDARY\r\n"
	    "Content-Type: text/plain; charset=UTF-8\r\n"
	    "Content-Transfer-Encoding: quoted-printable\r\n"
	    "\r\n"
	    "Hello Zo=C3=AB,\r\n"
	    "=2E\r\n"
	    "=46rom here =3D there=20\r\n"
	    "end\r\n"
	    "\r\n"
	    "--=_BOUNDARY\r\n"
	    "Content-Type: text/html; charset=UTF-8\r\n"
	    "Content-Transfer-Encoding: quoted-printable\r\n"
	    "\r\n"
	    "<p>Hello Zo=C3=AB</p>\r\n"
	    "\r\n"
	    "--=_BOUNDARY--\r\n";
	struct message m = plain_message();
	struct strbuf out, again;
	struct error err;
	const char *boundary;

	(void)state;
	strbuf_init(&out, MAX_MESSAGE_BYTES);
	strbuf_init(&again, MAX_MESSAGE_BYTES);
	if (add_mail(&out, &m, &err) == -1)
		fail_msg("%s", err.msg);
	assert_int_equal(add_mail(&again, &m, &err), 0);
	assert_string_equal(out.buf, again.buf);
	/* the hash stands for itself in the golden text */
	strbuf_reset(&again);
	boundary = strstr(out.buf, "boundary=\"=_") + 12;
	for (const char *p = out.buf; *p != '\0';) {
		if (strncmp(p, boundary, 32) == 0) {
			strbuf_add(&again, "BOUNDARY");
			p += 32;
		} else {
			strbuf_addc(&again, *p++);
		}
	}
	assert_string_equal(again.buf, want);
	strbuf_release(&again);
	strbuf_release(&out);
}

static void
test_id(void **state)
{
	static const struct {
		const char *list, *who, *period;
	} others[] = {
		{ "papers.example.or", "gada@example.net", "2026-08-21" },
		{ "papers.example.org", "bob@example.net", "2026-08-21" },
		{ "papers.example.org", "ada@example.net", "2026-08-22" },
	};
	char first[MESSAGE_ID_SIZE], id[MESSAGE_ID_SIZE], longest[MAX_DOMAIN + 1];

	(void)state;
	/* known for good: another value here would send running editions twice */
	message_make_id(
	    first, "papers.example.org", "ada@example.net", "2026-08-21", "example.org");
	assert_string_equal(first, "<0619583f72776e495bf351b3c8059dad@example.org>");
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		message_make_id(id, others[i].list, others[i].who, others[i].period, "example.org");
		if (strcmp(id, first) == 0)
			fail_msg("row %zu has the same id", i);
	}
	memset(longest, 'd', MAX_DOMAIN);
	longest[MAX_DOMAIN] = '\0';
	message_make_id(id, "l", "c", "p", longest);
	assert_int_equal(id[strlen(id) - 1], '>');
}

static void
test_hash(void **state)
{
	unsigned char a[MESSAGE_HASH_BYTES], b[MESSAGE_HASH_BYTES];

	(void)state;
	message_hash("abc", 3, a);
	message_hash("abc", 3, b);
	assert_memory_equal(a, b, sizeof(a));
	message_hash("abd", 3, b);
	assert_memory_not_equal(a, b, sizeof(a));
	message_hash("", 0, b);
	assert_memory_not_equal(a, b, sizeof(a));
}

/* The same on every machine: what xxh128sum says. */
static void
test_fingerprint(void **state)
{
	static const unsigned char nothing[MESSAGE_HASH_BYTES] = { 0x99, 0xaa, 0x06, 0xd3, 0x01,
		0x47, 0x98, 0xd8, 0x60, 0x01, 0xc3, 0x24, 0x46, 0x8d, 0x49, 0x7f };
	unsigned char a[MESSAGE_HASH_BYTES];

	(void)state;
	message_fingerprint("", 0, a);
	assert_memory_equal(a, nothing, sizeof(a));
	message_fingerprint("abc", 3, a);
	assert_memory_not_equal(a, nothing, sizeof(a));
}

/* Lines of a header value: no line over 76 columns, continuation lines begin with a blank and
 * hold more than blanks, every encoded word at most 75 bytes and valid UTF-8 by itself. */
static void
check_value(size_t row, const char *value, size_t name_len)
{
	const char *line = value;

	for (const char *p = value; (p = strstr(p, "=?UTF-8?")) != NULL;) {
		const char *end = strstr(p + strlen("=?UTF-8?Q?"), "?=");

		if (end == NULL || end + 2 - p > 75)
			fail_msg("row %zu: encoded word over 75 bytes in '%s'", row, value);
		p = end;
	}
	for (;;) {
		const char *end = strstr(line, "\r\n");
		size_t len = end != NULL ? (size_t)(end - line) : strlen(line);

		if (len + name_len > 76)
			fail_msg(
			    "row %zu: a line of %zu columns in '%s'", row, len + name_len, value);
		for (size_t i = 0; i < len; i++)
			if (line[i] < ' ' || line[i] > '~')
				fail_msg("row %zu: byte %02x in '%s'", row, (unsigned char)line[i],
				    value);
		if (end == NULL)
			return;
		line = end + 2;
		name_len = 0;
		if (line[0] != ' ' || line[strspn(line, " \r\n")] == '\0')
			fail_msg("row %zu: broken folding in '%s'", row, value);
	}
}

/* Subjects as they are written and as a mail reader shows them; NULL = the same. */
static const struct {
	const char *text, *shown;
} subjects[] = {
	{ "Hello", NULL },
	{ "", NULL },
	{ "Splatting – naïve + 7 more", NULL },
	{ "  two   blanks\tand a tab ", "two blanks and a tab" },
	{ "title\r\nBcc: eve@example.net", "title Bcc: eve@example.net" },
	{ "title\nX: y\r\rz", "title X: y z" },
	{ "a\x01"
	  "b\x7f"
	  "c\xc2\x85"
	  "d\xe2\x80\xa8"
	  "e",
	    "a b c d e" },
	{ "\xe2\x80\xae"
	  "evil\xe2\x80\xac text\xe2\x81\xa9",
	    "evil text" },
	{ "broken \xff\xc3 bytes", "broken \xef\xbf\xbd\xef\xbf\xbd bytes" },
	{ "=?utf-8?q?Bcc:_eve?= is no header", NULL },
	{ "=?utf-8?b?=?=", NULL },
	{ "a =? b ?= c", NULL },
	{ "\"quoted\" (comment) <angle> \\ , ;", NULL },
	{ "é a é b é", NULL },
	{ "é è ê", NULL },
	{ "一种用于大规模三维重建的高斯泼溅方法及其在移动设备上的实时渲染研究与应用综述", NULL },
	{ "Ünïcödé wörds äll thröügh thé tïtlé söthät ît mûst bé földéd möré thän ônce ïn à röw",
	    NULL },
	{ "A very long English title that needs to be folded because it does not fit into one line "
	  "of "
	  "the header and goes on and on",
	    NULL },
	{ "https://example.org/a/very/long/word/without/any/blank/that/cannot/be/folded/at/all/"
	  "anywhere",
	    NULL },
	{ "emoji 👩‍👩‍👧‍👦 👩👩👩👩👩👩", NULL },
	{ "x=?y", NULL },
	{ "100% {{template}} %s $x$", NULL },
};

static char *
decode_phrase(const char *text)
{
	char *result = NULL;
	size_t at = 0;

	if (mailmime_encoded_phrase_parse("utf-8", text, strlen(text), &at, "utf-8", &result) !=
	    MAILIMF_NO_ERROR)
		return NULL;
	return result;
}

static void
test_words(void **state)
{
	struct strbuf out;

	(void)state;
	strbuf_init(&out, 1 << 16);
	for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++) {
		const char *want = subjects[i].shown != NULL ? subjects[i].shown : subjects[i].text;
		char *shown;

		strbuf_reset(&out);
		message_add_words(&out, subjects[i].text, strlen("Subject: "));
		check_value(i, out.buf, strlen("Subject: "));
		if (want[0] == '\0') {
			assert_string_equal(out.buf, "");
			continue;
		}
		shown = decode_phrase(out.buf);
		if (shown == NULL || strcmp(shown, want) != 0)
			fail_msg("row %zu: '%s' is sent as '%s' and shown as '%s'", i,
			    subjects[i].text, out.buf, shown != NULL ? shown : "(nothing)");
		free(shown);
	}
	strbuf_release(&out);
}

/* Random mixtures of words, and every first column. */
static void
test_random_words(void **state)
{
	static const char *const pieces[] = { "a", "word", " ", " ", "é", "一", "👩", "=?",
		"?=", "_", "=", "longer-than-others", "\xcc\x88", "." };
	char text[400], want[400];
	struct strbuf out;
	uint32_t seed = 1;

	(void)state;
	strbuf_init(&out, 1 << 16);
	for (size_t round = 0; round < 3000; round++) {
		size_t len = 0, n = 0;
		char *shown;

		text[0] = '\0';
		for (unsigned k = 0; k < round % 40 + 1; k++) {
			seed = seed * 1664525 + 1013904223;
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s",
			    pieces[(seed >> 16) % (sizeof(pieces) / sizeof(pieces[0]))]);
		}
		for (size_t i = 0; i < len; i++)
			if (text[i] != ' ' || (n > 0 && want[n - 1] != ' '))
				want[n++] = text[i];
		while (n > 0 && want[n - 1] == ' ')
			n--;
		want[n] = '\0';
		if (n == 0)
			continue;
		strbuf_reset(&out);
		message_add_words(&out, text, round % 17);
		check_value(round, out.buf, round % 17);
		shown = decode_phrase(out.buf);
		if (shown == NULL || strcmp(shown, want) != 0)
			fail_msg("'%s' is sent as '%s' and shown as '%s'", want, out.buf, shown);
		free(shown);
	}
	strbuf_release(&out);
}

/* What is far too long is cut at a character, not at a byte. */
static void
test_long_words(void **state)
{
	struct strbuf text, out;
	char *shown;

	(void)state;
	strbuf_init(&text, 1 << 20);
	strbuf_init(&out, 1 << 20);
	for (int i = 0; i < 30000; i++)
		strbuf_add(&text, "e\xcc\x81\xcc\x82");
	message_add_words(&out, text.buf, 9);
	check_value(0, out.buf, 9);
	shown = decode_phrase(out.buf);
	assert_non_null(shown);
	assert_true(strlen(shown) <= MAX_HEADER_TEXT + 3 && strlen(shown) > MAX_HEADER_TEXT - 10);
	assert_string_equal(shown + strlen(shown) - 8, "e\xcc\x81\xcc\x82\xe2\x80\xa6");
	free(shown);
	strbuf_release(&out);
	strbuf_release(&text);
}

/* A decoder of quoted-printable that shares nothing with the encoder; checks the line rules on
 * its way. */
static size_t
decode_qp(const char *coded, size_t len, char *out)
{
	size_t n = 0, column = 0;

	for (size_t i = 0; i < len;) {
		unsigned byte;

		if (coded[i] == '\r' && coded[i + 1] == '\n') {
			if (column > 76 ||
			    (column > 0 && (coded[i - 1] == ' ' || coded[i - 1] == '\t')))
				fail_msg("line of %zu columns or a blank at its end", column);
			if (column == 0 || coded[i - 1] != '=')
				out[n++] = '\n';
			else
				assert_true(
				    utf8_is_valid(out, n)); /* no soft break in a character */
			i += 2;
			column = 0;
			continue;
		}
		if (column == 0 && (coded[i] == '.' || strncmp(coded + i, "From ", 5) == 0))
			fail_msg("a line begins with '%.5s'", coded + i);
		column++;
		if (coded[i] == '=' && coded[i + 1] != '\r') {
			char digits[3] = { coded[i + 1], coded[i + 2], '\0' };

			assert_int_equal(sscanf(digits, "%2X", &byte), 1);
			out[n++] = (char)byte;
			i += 3;
			column += 2;
			continue;
		}
		assert_true((coded[i] >= ' ' && coded[i] <= '~') || coded[i] == '\t');
		if (coded[i] != '=')
			out[n++] = coded[i];
		i++;
	}
	assert_true(column <= 76);
	return n;
}

static const struct {
	const char *text, *coded;
} quoted[] = {
	{ "", "" },
	{ "abc", "abc" },
	{ "a\nb\n", "a\r\nb\r\n" },
	{ "a\r\nb\r\n", "a\r\nb\r\n" },
	{ "a\rb", "a=0Db" },
	{ "a\r\r\n", "a=0D\r\n" },
	{ "\n\n", "\r\n\r\n" },
	{ "a \n", "a=20\r\n" },
	{ "a\t", "a=09" },
	{ " \n \n", "=20\r\n=20\r\n" },
	{ ".\n..\n.x\nx.\n", "=2E\r\n=2E.\r\n=2Ex\r\nx.\r\n" },
	{ "From me\nFrom\nfrom me\n From me\n", "=46rom me\r\nFrom\r\nfrom me\r\n From me\r\n" },
	{ "1=2\n", "1=3D2\r\n" },
	{ "é", "=C3=A9" },
	{ "\x7f\x01", "=7F=01" },
	{ "\xff\xc3(", "=EF=BF=BD=EF=BF=BD(" },
	{ "=_not-a-boundary", "=3D_not-a-boundary" },
};

static void
test_qp(void **state)
{
	struct strbuf out;

	(void)state;
	strbuf_init(&out, 1 << 16);
	for (size_t i = 0; i < sizeof(quoted) / sizeof(quoted[0]); i++) {
		strbuf_reset(&out);
		qp_add_text(&out, quoted[i].text, strlen(quoted[i].text));
		if (strcmp(out.buf, quoted[i].coded) != 0)
			fail_msg("row %zu: became '%s'", i, out.buf);
	}
	strbuf_release(&out);
}

/* Every soft break at every column, with what stands there next. */
static void
test_qp_breaks(void **state)
{
	static const char *const next[] = { ".", "From x", "é", "一", "👩", " ", "\t", "=", "\xff",
		"x" };
	char text[400], decoded[1200], want[1200];
	struct strbuf out, repaired;

	(void)state;
	strbuf_init(&out, 1 << 16);
	strbuf_init(&repaired, 1 << 16);
	for (size_t k = 0; k < sizeof(next) / sizeof(next[0]); k++)
		for (size_t before = 0; before < 160; before++)
			for (int after = 0; after < 3; after++) {
				size_t n;

				memset(text, 'a', before);
				snprintf(text + before, sizeof(text) - before, "%s%s", next[k],
				    after == 0	     ? ""
					: after == 1 ? "\n"
						     : "bcd.\n");
				strbuf_reset(&out);
				qp_add_text(&out, text, strlen(text));
				n = decode_qp(out.buf, out.len, decoded);
				strbuf_reset(&repaired);
				utf8_add_repaired(&repaired, text, strlen(text));
				snprintf(want, sizeof(want), "%s", repaired.buf);
				if (n != strlen(want) || memcmp(decoded, want, n) != 0)
					fail_msg("'%s' came back as '%.*s'", text, (int)n, decoded);
			}
	strbuf_release(&repaired);
	strbuf_release(&out);
}

static void
test_qp_random(void **state)
{
	static const char *const pieces[] = { "a", "b ", ".", "From ", "\n", "\r\n", "\n\n", "é",
		"一", "👩", "=", "\t", "<td style=\"color:#333\">",
		"sentence of plain words without end, ", " ", "\x7f" };
	char text[4096], want[4096], decoded[8192];
	struct strbuf out;
	uint32_t seed = 7;

	(void)state;
	strbuf_init(&out, 1 << 16);
	for (unsigned round = 0; round < 3000; round++) {
		size_t len = 0, n = 0, got;

		for (unsigned k = 0; k < round % 90; k++) {
			seed = seed * 1664525 + 1013904223;
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s",
			    pieces[(seed >> 16) % (sizeof(pieces) / sizeof(pieces[0]))]);
		}
		for (size_t i = 0; i < len; i++)
			if (text[i] != '\r' || text[i + 1] != '\n')
				want[n++] = text[i];
		strbuf_reset(&out);
		qp_add_text(&out, text, len);
		got = decode_qp(out.buf, out.len, decoded);
		if (got != n || memcmp(decoded, want, n) != 0)
			fail_msg("round %u: %zu bytes came back as %zu", round, n, got);
	}
	strbuf_release(&out);
}

/* What must never become a header of its own, in any variable place. */
static const char *const injections[] = {
	"Ada\r\nBcc: eve@example.net",
	"Ada\nBcc: eve@example.net",
	"Ada\rBcc: eve@example.net",
	"Ada\r\n\r\n<script>",
	"Ada\r\n Bcc: eve@example.net",
	"\"Ada\" <eve@example.net>",
	"Ada\" <eve@example.net>, \"",
	"Ada\\",
	"Ada, Bob; (x)",
	"=?utf-8?q?Ada=0D=0ABcc:_eve=40example.net?=",
	"\xe2\x80\xae"
	"gro.elpmaxe@eve",
	"Ada\xe2\x80\xa8"
	"Bcc: eve@example.net",
	"Zoë\r\nBcc: eve@example.net\x01\x02",
	"\x7f\x1b[31m",
};

static int
count(const char *text, const char *what)
{
	int n = 0;

	for (; (text = strstr(text, what)) != NULL; text += strlen(what))
		n++;
	return n;
}

static void
test_injection(void **state)
{
	struct strbuf out;
	struct error err;

	(void)state;
	strbuf_init(&out, MAX_MESSAGE_BYTES);
	for (size_t i = 0; i < sizeof(injections) / sizeof(injections[0]); i++) {
		struct address from = me, to = ada;
		struct message m = plain_message();
		struct mailimf_fields *fields;
		size_t at = 0;

		from.name = to.name = injections[i];
		m.from = &from;
		m.to = m.reply_to = &to;
		m.subject = m.list_name = injections[i];
		strbuf_reset(&out);
		if (add_mail(&out, &m, &err) == -1)
			fail_msg("row %zu: %s", i, err.msg);
		if (count(out.buf, "\nBcc") != 0 || count(out.buf, "\r\n\r\n") != 5)
			fail_msg("row %zu: injected: %s", i, out.buf);
		assert_int_equal(
		    mailimf_fields_parse(out.buf, out.len, &at, &fields), MAILIMF_NO_ERROR);
		if (clist_count(fields->fld_list) != 13)
			fail_msg("row %zu: %d headers", i, clist_count(fields->fld_list));
		for (clistiter *it = clist_begin(fields->fld_list); it != NULL;
		     it = clist_next(it)) {
			struct mailimf_field *f = clist_content(it);
			struct mailimf_mailbox_list *list;
			struct mailimf_mailbox *box;

			if (f->fld_type != MAILIMF_FIELD_FROM)
				continue;
			list = f->fld_data.fld_from->frm_mb_list;
			assert_int_equal(clist_count(list->mb_list), 1);
			box = clist_content(clist_begin(list->mb_list));
			assert_string_equal(box->mb_addr_spec, "me@example.org");
		}
		mailimf_fields_free(fields);
	}
	strbuf_release(&out);
}

/* One decoded part of a parsed mail. */
static void
check_part(clistiter *it, const char *subtype, const char *want)
{
	struct mailmime *part = clist_content(it);
	struct mailmime_data *data = part->mm_data.mm_single;
	char *decoded;
	size_t len, at = 0;
	struct strbuf lines;

	assert_int_equal(part->mm_type, MAILMIME_SINGLE);
	assert_string_equal(part->mm_content_type->ct_subtype, subtype);
	assert_int_equal(
	    mailmime_part_parse(data->dt_data.dt_text.dt_data, data->dt_data.dt_text.dt_length, &at,
		MAILMIME_MECHANISM_QUOTED_PRINTABLE, &decoded, &len),
	    MAILIMF_NO_ERROR);
	strbuf_init(&lines, MAX_MESSAGE_BYTES);
	for (size_t i = 0; i < len; i++)
		if (decoded[i] != '\r' || i + 1 == len || decoded[i + 1] != '\n')
			strbuf_addc(&lines, decoded[i]);
	assert_string_equal(lines.buf, want);
	strbuf_release(&lines);
	mailmime_decoded_part_free(decoded);
}

/* libetpan reads back what we wrote, byte for byte. */
static void
test_whole(void **state)
{
	static const char *const texts[] = {
		"",
		"\n",
		"no line end",
		"one\n",
		"dots\n.\n..\n \ntabs\t\nFrom me\n=3D =\n--=_x\n\nlast \n\n\n",
		"Zoë – 一种用于大规模三维重建的高斯泼溅方法 "
		"👩‍👩‍👧‍👦\n",
		"a – line which is much longer than those that are permitted and so has to be "
		"broken – more than once, between characters\n",
	};
	struct strbuf out;
	struct error err;

	(void)state;
	strbuf_init(&out, MAX_MESSAGE_BYTES);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct message m = plain_message();
		struct mailmime *mime, *multi;
		clistiter *it;
		size_t at = 0;

		m.text = texts[i];
		m.html = texts[sizeof(texts) / sizeof(texts[0]) - 1 - i];
		m.unsubscribe_https = "https://papers.example.org/u/abc";
		strbuf_reset(&out);
		if (add_mail(&out, &m, &err) == -1)
			fail_msg("row %zu: %s", i, err.msg);
		assert_int_equal(mailmime_parse(out.buf, out.len, &at, &mime), MAILIMF_NO_ERROR);
		multi = mime->mm_data.mm_message.mm_msg_mime;
		assert_int_equal(multi->mm_type, MAILMIME_MULTIPLE);
		assert_string_equal(multi->mm_content_type->ct_subtype, "alternative");
		assert_int_equal(clist_count(multi->mm_data.mm_multipart.mm_mp_list), 2);
		it = clist_begin(multi->mm_data.mm_multipart.mm_mp_list);
		check_part(it, "plain", m.text);
		check_part(clist_next(it), "html", m.html);
		mailmime_free(mime);
	}
	strbuf_release(&out);
}

static void
test_optional_headers(void **state)
{
	static const char both[] = "List-Unsubscribe: <https://papers.example.org/u/abc>,\r\n"
				   " <mailto:me@example.org?subject=unsubscribe%20abc>\r\n"
				   "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n";
	struct message m = plain_message();
	struct strbuf out;
	struct error err;

	(void)state;
	strbuf_init(&out, MAX_MESSAGE_BYTES);
	m.unsubscribe_https = "https://papers.example.org/u/abc";
	m.reply_to = &ada;
	m.list_name = "";
	assert_int_equal(add_mail(&out, &m, &err), 0);
	assert_non_null(strstr(out.buf, both));
	assert_non_null(strstr(out.buf, "\r\nReply-To: =?UTF-8?Q?Zo=C3=AB_Lovelace?= <ada@"));
	assert_non_null(strstr(out.buf, "\r\nList-Id: <papers.example.org>\r\n"));
	assert_null(strstr(out.buf, "List-Help"));
	assert_null(strstr(out.buf, "List-Archive"));

	strbuf_reset(&out);
	m.help_url = "mailto:me@example.org?subject=help";
	m.archive_url = "https://papers.example.org/old";
	assert_int_equal(message_add(&out, &m, &err), 0);
	assert_non_null(strstr(out.buf,
	    "\r\nList-Help: <mailto:me@example.org?subject=help>\r\n"
	    "List-Archive: <https://papers.example.org/old>\r\n"));

	strbuf_reset(&out);
	m.unsubscribe_mailto = "";
	assert_int_equal(add_mail(&out, &m, &err), 0);
	assert_non_null(
	    strstr(out.buf, "\r\nList-Unsubscribe: <https://papers.example.org/u/abc>\r\n"));

	strbuf_reset(&out);
	m.unsubscribe_https = "";
	assert_int_equal(add_mail(&out, &m, &err), 0);
	assert_null(strstr(out.buf, "List-Unsubscribe"));
	strbuf_release(&out);
}

/* What must not leave: our own mistakes, found before they do. */
static void
test_refused(void **state)
{
	char long_url[1200] = "https://papers.example.org/";
	const struct address raw = { "", "zo\xc3\xab@example.net", "", "example.net", false };
	const struct address utf8 = { "", "zo\xc3\xab@example.net", "", "example.net", true };
	const struct address broken = { "", "a\r\nBcc: x@y.org", "", "y.org", false };
	struct message rows[8];
	struct strbuf out;
	struct error err;

	(void)state;
	for (size_t i = 0; i < 8; i++)
		rows[i] = plain_message();
	memset(long_url + strlen(long_url), 'x', 1000);
	rows[0].unsubscribe_https = long_url;
	rows[1].unsubscribe_mailto = "mailto:a@b.org>, <x";
	rows[2].message_id = "no brackets";
	rows[3].message_id = "<a\r\nBcc: x>";
	rows[4].list_id = "";
	rows[5].list_id = "two words";
	rows[6].to = &raw;
	rows[7].reply_to = &broken;
	strbuf_init(&out, MAX_MESSAGE_BYTES);
	strbuf_add(&out, "before");
	for (size_t i = 0; i < 8; i++) {
		if (add_mail(&out, &rows[i], &err) == 0)
			fail_msg("row %zu was accepted", i);
		if (err.kind != ERR_BUG || strcmp(out.buf, "before") != 0)
			fail_msg("row %zu: kind %d, '%s'", i, (int)err.kind, out.buf);
	}
	strbuf_reset(&out);
	rows[6].to = &utf8;
	assert_int_equal(add_mail(&out, &rows[6], &err), 0);
	strbuf_release(&out);

	strbuf_init(&out, 500);
	rows[6] = plain_message();
	assert_int_equal(add_mail(&out, &rows[6], &err), -1);
	assert_int_equal(err.kind, ERR_NOMEM);
	strbuf_release(&out);
}

/* RFC 2919: 255 bytes; the name gives way, the identity never. */
static void
test_list_id_is_bounded(void **state)
{
	struct message m = plain_message();
	struct strbuf out;
	struct error err;
	char name[400];

	(void)state;
	strbuf_init(&out, MAX_MESSAGE_BYTES);
	m.list_name = name;
	for (size_t n = 1; n < sizeof(name); n += 3) {
		const char *value, *end;
		bool named;

		for (size_t i = 0; i + 1 < n; i += 2)
			memcpy(name + i, "\xc3\xab", 2);
		name[n / 2 * 2] = '\0';
		strbuf_reset(&out);
		assert_int_equal(message_add(&out, &m, &err), 0);
		value = strstr(out.buf, "\r\nList-Id: ") + strlen("\r\nList-Id: ");
		end = strstr(value, "\r\nList-Un");
		named = memmem(value, (size_t)(end - value), "=?UTF-8?", 8) != NULL;
		if (end - value > 255 || memcmp(end - 21, " <papers.example.org>", 21) != 0 ||
		    (named != (n > 1 && n < 100) && n < 100))
			fail_msg("%zu: %.*s", n, (int)(end - value), value);
		if (n > 200)
			assert_false(named);
	}
	strbuf_release(&out);
}

/* To somebody who wrote: no mail of a list that one could leave, and nothing that a machine may answer. */
static void
test_answer(void **state)
{
	static const char want[] = "Date: Fri, 21 Aug 2026 07:45:00 +0100\r\n"
				   "From: Papers <me@example.org>\r\n"
				   "To: =?UTF-8?Q?Zo=C3=AB_Lovelace?= <ada@example.net>\r\n"
				   "Subject: You have left Papers\r\n"
				   "Message-ID: <0123456789abcdef@example.org>\r\n"
				   "%sList-Id: Papers <papers.example.org>\r\n"
				   "List-Post: NO\r\n"
				   "Auto-Submitted: auto-replied\r\n"
				   "Precedence: bulk\r\n"
				   "MIME-Version: 1.0\r\n"
				   "Content-Type: text/plain; charset=UTF-8\r\n"
				   "Content-Transfer-Encoding: quoted-printable\r\n"
				   "\r\n"
				   "Bye\r\n";
	static const struct {
		const char *id, *headers; /* NULL = it does not stand in a header */
	} rows[] = {
		{ "x.1@example.net",
		    "In-Reply-To: <x.1@example.net>\r\nReferences: <x.1@example.net>\r\n" },
		{ "", "" },
		{ "x>\r\nBcc: <b@c.org", NULL },
		{ "a b", NULL },
		{ "a\x80", NULL },
	};
	struct message m = plain_message();
	char text[1200];
	struct strbuf out;
	struct error err;

	(void)state;
	strbuf_init(&out, MAX_MESSAGE_BYTES);
	m.subject = "You have left Papers";
	m.unsubscribe_mailto = "";
	m.text = "Bye\r\n";
	m.html = NULL;
	m.is_answer = true;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		strbuf_reset(&out);
		m.in_reply_to = rows[i].id;
		if ((message_add(&out, &m, &err) == 0) != (rows[i].headers != NULL))
			fail_msg("row %zu", i);
		if (rows[i].headers == NULL)
			continue;
		snprintf(text, sizeof(text), want, rows[i].headers);
		assert_string_equal(out.buf, text);
	}
	strbuf_release(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_answer),
		cmocka_unit_test(test_id),
		cmocka_unit_test(test_hash),
		cmocka_unit_test(test_fingerprint),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_random_words),
		cmocka_unit_test(test_long_words),
		cmocka_unit_test(test_qp),
		cmocka_unit_test(test_qp_breaks),
		cmocka_unit_test(test_qp_random),
		cmocka_unit_test(test_injection),
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_optional_headers),
		cmocka_unit_test(test_list_id_is_bounded),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
