#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "test_config.h"

/* Every text is read as t.conf after one line that holds the list; so its own lines begin with 2. */
static const char head[] = "list { from = \"Papers <me@example.org>\" }\n";

static const struct {
	const char *text;
	size_t len;	  /* 0 = up to the NUL */
	const char *want; /* the messages, a line each */
} bad[] = {
	/* The syntax. */
	{ "fetch {\n", 0,
	    "t.conf:3:1: the end of the file inside the block fetch opened on line 2; expected "
	    "'}'\n" },
	{ "smtp \"m\" { url = \"sendmail:\"\nfetch { }", 0,
	    "t.conf:3:1: 'fetch' inside the block smtp \"m\" opened on line 2; expected '}' before "
	    "it\n" },
	{ "}", 0, "t.conf:2:1: '}' closes no block; expected a block or a key\n" },
	{ "fetch { contact = gaussian splatting }", 0,
	    "t.conf:2:28: 'splatting' is not expected here; a value of several words needs quotes: "
	    "'gaussian ...'\n" },
	{ "fetch { contact }", 0,
	    "t.conf:2:9: 'contact' is followed by '}'; expected '=' and a value, or '{' to open a "
	    "block\n" },
	{ "fetch { contact = }", 0, "t.conf:2:19: '}' after 'contact ='; expected a value\n" },
	{ "fetch { contact = a* }", 0,
	    "t.conf:2:20: '*' may not stand in a bare word; expected the value in quotes\n" },
	{ "fetch { contact = é }", 0,
	    "t.conf:2:19: 'é' may not stand in a bare word; expected the value in quotes\n" },
	{ "fetch { contact = a#b\n}", 0,
	    "t.conf:2:20: '#' directly after a word; expected a blank before a comment, or the "
	    "value in quotes\n" },
	{ "fetch { contact = 'it's' }", 0,
	    "t.conf:2:23: text directly after the closing '; expected a blank, and \\' for an "
	    "apostrophe inside '...'\n" },
	{ "fetch { contact = \"a\"b }", 0,
	    "t.conf:2:22: text directly after the closing \"; expected a blank\n" },
	{ "fetch { contact = 'a\nb'c }", 0,
	    "t.conf:2:19: the text opened here is closed on line 3 with text directly after it; is "
	    "a ' missing?\n"
	    /* The next line is read on its own, as it might belong to somebody else. */
	    "t.conf:3:2: ''' may not stand in a bare word; expected the value in quotes\n" },
	{ "fetch { contact = \"a\n}", 0,
	    "t.conf:2:19: the \" here is not closed on its line; expected \"\n" },
	{ "fetch { contact = 'a }\n", 0,
	    "t.conf:2:19: the ' here is not closed; expected '\n"
	    "t.conf:3:1: the end of the file inside the block fetch opened on line 2; expected "
	    "'}'\n" },
	{ "fetch { contact = \"a\\qb\" }", 0,
	    "t.conf:2:21: '\\q' is not an escape; expected \\\" \\\\ \\$ \\n or \\t, or text in "
	    "'...'\n" },
	{ "fetch { contact = \"a ${NOT_SET_X}\" }", 0,
	    "t.conf:2:22: environment variable 'NOT_SET_X' is not set; expected text\n" },
	{ "fetch { contact = \"${}\" }", 0,
	    "t.conf:2:20: '${' begins no variable; expected ${NAME}, or \\${ for the text\n" },
	{ "fetch { allow-private = {10.0.0.0/8 ::1/128} }", 0,
	    "t.conf:2:37: '::1/128' in the list opened on line 2; expected ',' or '}'\n" },
	{ "fetch { allow-private = {a,} }", 0,
	    "t.conf:2:28: '}' in the list opened on line 2; expected a word or a quoted text\n" },
	{ "fetch { contact = \"a\0b\" }", 25,
	    "t.conf:2:21: control byte 0x00 (NUL); expected text\n" },
	{ "fetch { contact = \"a\xff\" }", 0,
	    "t.conf:2:21: byte 0xFF is not UTF-8; expected text in UTF-8\n" },
	{ "# caf\xe9 caf\xe9\n", 0,
	    "t.conf:2:6: byte 0xE9 is not UTF-8; expected text in UTF-8\n" },
	{ "\x1b[2J", 0, "t.conf:2:1: control byte 0x1B; expected text\n" },
	{ "smtp main { url = \"sendmail:\" }", 0,
	    "t.conf:2:6: the title main has no quotes; expected smtp \"main\" {\n" },
	{ "smtp { url = \"sendmail:\" }", 0,
	    "t.conf:2:1: the block smtp has no title; expected smtp \"name\" {\n" },
	{ "fetch \"x\" { }", 0,
	    "t.conf:2:7: the block fetch has the title \"x\"; expected none\n" },
	{ "fetch \"x\" contact = a", 0,
	    "t.conf:2:11: 'contact' after 'fetch \"x\"'; expected '{' to open a block, or fetch = "
	    "value\n" },
	{ "= 3", 0, "t.conf:2:1: '=' is not expected here; expected a block or a key\n" },

	/* Blocks and keys. */
	{ "lsit { }", 0, "t.conf:2:1: unknown block 'lsit'; did you mean 'list'?\n" },
	{ "zzz { a = 1 b { } }", 0,
	    "t.conf:2:1: unknown block 'zzz'; digest.conf(5) lists what there is\n" },
	{ "fetch { timeuot = 20s }", 0,
	    "t.conf:2:9: unknown key 'timeuot' in fetch; did you mean 'timeout'?\n" },
	{ "fetch { zzz = 20s }", 0,
	    "t.conf:2:9: unknown key 'zzz' in fetch; digest.conf(5) lists what there is\n" },
	{ "fetch { filtre \"x\" { } }", 0,
	    "t.conf:2:9: unknown block 'filtre' in fetch; digest.conf(5) lists what there is\n" },
	{ "fetch { timeout = 20s timeout = 30s }", 0,
	    "t.conf:2:23: duplicate key 'timeout'; it stands already on line 2\n" },
	{ "fetch { }\nfetch { }", 0, "t.conf:3:1: the block fetch stands already at t.conf:2\n" },
	{ "filter \"a\" { match = a }\nfilter \"a\" { match = b }", 0,
	    "t.conf:3:1: the block filter \"a\" stands already at t.conf:2\n" },
	{ "timeout = 20s", 0,
	    "t.conf:2:1: the key 'timeout' outside of a block; expected it inside fetch { ... "
	    "}\n" },
	{ "fetch { include \"x\" }", 0,
	    "t.conf:2:9: include inside the block fetch; expected it outside of blocks\n" },

	/* Values. */
	{ "fetch { timeout = 20x }", 0,
	    "t.conf:2:19: timeout: '20x' is not a length of time; expected a number and a unit, as "
	    "in 20s, "
	    "15m, 6h, 14d or 2w\n" },
	{ "fetch { timeout = 11m }", 0,
	    "t.conf:2:19: timeout: 11m is out of range; expected 1s..10m\n" },
	{ "fetch { max-body = 16Q }", 0,
	    "t.conf:2:20: max-body: '16Q' is not a size; expected a number, with K, M or G\n" },
	{ "fetch { timeout = {20s} }", 0, "t.conf:2:9: timeout: a list; expected one duration\n" },
	{ "fetch { allow-private = 10.0.0.0/8 }", 0,
	    "t.conf:2:25: allow-private: one value; expected a list, as in { \"a\", \"b\" }\n" },
	{ "source \"huggingface\" { holidays = {2026-11-26, 2026-02-29} }", 0,
	    "t.conf:2:48: holidays: '2026-02-29' is not a date; expected a day, as in "
	    "2026-11-26\n" },
	{ "fetch { allow-private = {10.0.0.0/8, 10.0.0.0/33} }", 0,
	    "t.conf:2:38: allow-private: '10.0.0.0/33' is not a network; expected an address and a "
	    "prefix "
	    "length, as in 10.0.0.0/8\n" },
	{ "fetch { proxy = ftp://x }", 0,
	    "t.conf:2:17: proxy: 'ftp://x' is not an address; expected one that begins with "
	    "http://|https://|socks5://|socks5h://\n" },
	{ "smtp \"m\" { url = \"smtp://me:secret@relay\" }", 0,
	    "t.conf:2:18: url: the address holds a user; expected it in the keys user and "
	    "password\n" },
	{ "smtp \"m\" { url = \"sendmail:\" connections = 0 }", 0,
	    "t.conf:2:44: connections: 0 is out of range; expected 1..1000\n" },
	{ "smtp \"m\" { url = \"sendmail:\" connections = many }", 0,
	    "t.conf:2:44: connections: 'many' is not a number; expected 1..1000\n" },
	{ "smtp \"m\" { url = \"sendmail:\" rate = 600/week }", 0,
	    "t.conf:2:37: rate: '600/week' is not a rate; expected a number for each sec, min, "
	    "hour or day, "
	    "as in 600/min\n" },
	{ "smtp \"m\" { url = \"sendmail:\" auth = plane }", 0,
	    "t.conf:2:37: auth: 'plane' is none of the choices; expected one of "
	    "auto|plain|login|xoauth2|oauthbearer; did you mean 'plain'?\n" },
	{ "smtp \"m\" { url = \"sendmail:\" auth = xoauth2 user = me }", 0,
	    "t.conf:2:30: auth = xoauth2 without token-command; expected a command that prints "
	    "the token\n" },
	{ "smtp \"m\" { url = \"sendmail:\" auth = login user = me token-command = t }", 0,
	    "t.conf:2:53: token-command with auth = login; expected xoauth2, oauthbearer or "
	    "auto\n" },
	{ "smtp \"m\" { url = \"sendmail:\" token-command = t }", 0,
	    "t.conf:2:30: token-command without user; expected the name the token is for\n" },
	{ "smtp \"m\" { url = \"sendmail:\" user = me token-command = t password-env = P }", 0,
	    "t.conf:2:58: password-env beside token-command; expected one of them\n" },
	{ "smtp \"m\" { url = \"sendmail:\" domains = {\"*\", \"*.b.org\", \"!\"} }", 0,
	    "t.conf:2:30: '!' is no domain; expected \"*\", example.org or *.example.org\n" },
	{ "smtp \"m\" { url = \"sendmail:\" insecure = maybe }", 0,
	    "t.conf:2:41: insecure: 'maybe' is none of the choices; expected yes or no\n" },
	{ "score { text = 10.5 }", 0, "t.conf:2:16: text: 10.5 is out of range; expected 0..10\n" },
	{ "score { text = 1.x }", 0, "t.conf:2:16: text: '1.x' is not a number; expected 0..10\n" },
	{ "filter \"a\" { match = 'x\n  titel:y' }", 0,
	    "t.conf:3:3: match: 'titel:' is not a field; did you mean 'title:'?\n"
	    "  titel:y\n  ^\n" },
	{ "filter \"a\" { match = 'x\n  @nobody' }", 0,
	    "t.conf:3:3: match: there is no filter called 'nobody'\n  @nobody\n  ^\n" },
	{ "filter \"a\" { match = '' }", 0,
	    "t.conf:2:23: match: an empty query; expected words, or '*' for every paper\n" },
	/* A zone that is gone stops nothing by itself, see test_lost_zone. */
	{ "defaults { timezone = Mars/Base limit = 501 }", 0,
	    "t.conf:2:41: limit: 501 is out of range; expected 1..500\n"
	    "[] t.conf:2:23: timezone: 'Mars/Base' is not a time zone; expected a name like "
	    "Europe/London\n" },
	{ "defaults { paused-until = 2026-12-01 }", 0,
	    "t.conf:2:12: unknown key 'paused-until' in defaults; digest.conf(5) lists what there "
	    "is\n" },
	{ "defaults { use = {nobody} }", 0,
	    "t.conf:2:19: no shared filter 'nobody'; expected a block filter \"nobody\" outside of "
	    "readers, or "
	    "match = a query here\n" },

	/* What concerns several keys. */
	{ "smtp \"m\" { connections = 2 }", 0,
	    "t.conf:2:1: smtp \"m\" has no url; expected smtps://, smtp://, sendmail: or "
	    "maildir:\n" },
	{ "smtp \"m\" { url = \"smtps://h\" user = me }", 0,
	    "t.conf:2:30: user without a password; expected password-file, password-env, "
	    "password-command, password or token-command beside it\n" },
	{ "smtp \"m\" { url = \"smtps://h\" user = me auth = xoauth2 }", 0,
	    "t.conf:2:40: auth = xoauth2 without token-command; expected a command that prints the "
	    "token\n" },
	{ "smtp \"m\" { url = \"smtp://relay.example.org\" tls = none }", 0,
	    "t.conf:2:45: tls = none to another machine sends passwords and mails in clear; "
	    "expected tls = "
	    "required, or insecure = yes beside it\n" },
	{ "smtp \"m\" { url = \"smtp://localhost.example.org\" tls = none }", 0,
	    "t.conf:2:49: tls = none to another machine sends passwords and mails in clear; "
	    "expected tls = "
	    "required, or insecure = yes beside it\n" },
	{ "smtp \"m\" { url = \"smtp://127.1:25\" tls = none }", 0,
	    "t.conf:2:36: tls = none to another machine sends passwords and mails in clear; "
	    "expected tls = required, or insecure = yes beside it\n" },
	{ "mailbox { url = \"imaps://h\" user = me password-env = A password-file = b }", 0,
	    "t.conf:2:56: both password-file and password-env in the block mailbox; expected one "
	    "of them\n" },
	{ "mailbox { url = \"imaps://h\" user = me  password-env = A  maildir = /m }", 0,
	    "t.conf:2:1: both url and maildir in the block mailbox; expected one of them\n" },
	{ "mailbox { maildir = /m  stdin = yes }", 0,
	    "t.conf:2:1: both maildir and stdin in the block mailbox; expected one of them\n" },
	{ "mailbox { url = \"imaps://h\" user = me  password-env = A  stdin = yes }", 0,
	    "t.conf:2:1: both url and stdin in the block mailbox; expected one of them\n" },
	{ "mailbox { stdin = yes  user = me }", 0,
	    "t.conf:2:24: user without url; expected url = \"imaps://host/INBOX\" beside it\n" },
	{ "mailbox { stdin = yes  done = seen }", 0,
	    "t.conf:2:24: done beside stdin, where no mail stays; expected one without the "
	    "other\n" },
	{ "mailbox { url = \"imaps://h\" }", 0,
	    "t.conf:2:11: url without user; expected the name of the account beside it\n" },
	{ "mailbox { url = \"imaps://h\" user = me }", 0,
	    "t.conf:2:29: user without a password; expected password-file, password-env, "
	    "password-command, password or token-command beside it\n" },
	{ "mailbox { url = \"imaps://h\" user = me auth = xoauth2 }", 0,
	    "t.conf:2:39: auth = xoauth2 without token-command; expected a command that prints the "
	    "token\n" },
	{ "mailbox { url = \"imap://h\" user = me password-env = A tls = none }", 0,
	    "t.conf:2:55: tls = none to another machine sends passwords and mails in clear; "
	    "expected tls = required, or insecure = yes beside it\n" },
	{ "mailbox { maildir = /m user = me ca-file = a }", 0,
	    "t.conf:2:24: user without url; expected url = \"imaps://host/INBOX\" beside it\n"
	    "t.conf:2:34: ca-file without url; expected url = \"imaps://host/INBOX\" beside it\n" },
	{ "mailbox { maildir = /m done = burn }", 0,
	    "t.conf:2:24: done = 'burn'; expected seen, move:FOLDER or delete\n" },
	{ "mailbox { maildir = /m done = \"move:\" }", 0,
	    "t.conf:2:24: done = 'move:'; expected seen, move:FOLDER or delete\n" },
	{ "source \"arxvi\" { }", 0,
	    "t.conf:2:1: source \"arxvi\" has no type, and its name is none: 'arxvi' is not a type "
	    "of source\n" },
	{ "source \"box\" { type = file }", 0,
	    "t.conf:2:1: source \"box\" of type file has no path; expected path = "
	    "\"papers/*.jsonl\"\n" },
	{ "source \"hf\" { type = huggingface request-gap = 1s }", 0,
	    "t.conf:2:34: huggingface asks for 2 s\n" },
	{ "source \"hf\" { type = huggingface request-gap = 2h }", 0,
	    "t.conf:2:48: request-gap: 2h is out of range; expected 0s..1h\n" },
	{ "source \"huggingfac\" { request-gap = 1s }", 0,
	    "t.conf:2:1: source \"huggingfac\" has no type, and its name is none: 'huggingfac' is "
	    "not a type of source\n" },
	{ "source \"c\" { type = command path = x }", 0,
	    "t.conf:2:1: source \"c\" of type command has no command; expected command = "
	    "\"bin/papers\"\n" },
	{ "filter \"a\" { limit = 3 }", 0,
	    "t.conf:2:1: the shared filter \"a\" has no match; expected a query\n" },
	{ "filter \"a\" { match = x when = daily }", 0,
	    "t.conf:2:24: unknown key 'when' in filter; digest.conf(5) lists what there is\n" },

	/* Includes. */
	{ "include \"none.conf\"", 0, "t.conf:2:9: none.conf: No such file or directory\n" },
	{ "include \"folder\"", 0, "t.conf:2:9: folder: is a directory; expected a file\n" },
	{ "include \"loop.conf\"", 0,
	    "loop.conf:1:9: include loop: t.conf -> loop.conf -> t.conf\n" },
	{ "include 'folder/*.conf'", 0,
	    "folder/b.conf:2:1: unknown block 'fecth'; did you mean 'fetch'?\n" },

	/* All of them in one go. */
	{ "fetch { timeuot = 1 }\nfetch { contact = }\nlsit {\n", 0,
	    "t.conf:2:9: unknown key 'timeuot' in fetch; did you mean 'timeout'?\n"
	    "t.conf:3:1: the block fetch stands already at t.conf:2\n"
	    "t.conf:3:19: '}' after 'contact ='; expected a value\n"
	    "t.conf:4:1: unknown block 'lsit'; did you mean 'list'?\n"
	    "t.conf:5:1: the end of the file inside the block lsit opened on line 4; expected "
	    "'}'\n" },
};

static void
put_config(const char *text, size_t len)
{
	char bytes[8192];
	size_t n = sizeof(head) - 1;

	assert_true(n + len <= sizeof(bytes));
	memcpy(bytes, head, n);
	memcpy(bytes + n, text, len);
	put_file("t.conf", bytes, n + len);
}

static void
test_bad(void **state)
{
	(void)state;
	put_file("loop.conf", "include \"t.conf\"\n", 17);
	assert_int_equal(mkdir("folder", 0700), 0);
	put_file("folder/a.conf", "", 0);
	put_file("folder/b.conf", "# fine\nfecth { }\n", 17);
	put_file("folder/c.txt", "broken", 6);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		size_t line = strcspn(bad[i].want, "\n");
		struct config *cfg = NULL;
		struct strbuf said;
		struct error err;

		strbuf_init(&said, 1 << 20);
		put_config(bad[i].text, bad[i].len > 0 ? bad[i].len : strlen(bad[i].text));
		if (config_load("t.conf", &fake_checks, note, &said, &cfg, &err) != -1)
			fail_msg("row %zu: '%s' is taken", i, bad[i].text);
		if (strcmp(said.buf, bad[i].want) != 0)
			fail_msg(
			    "row %zu: '%s':\n%swanted\n%s", i, bad[i].text, said.buf, bad[i].want);
		if (err.kind != ERR_CONFIG || strncmp(err.msg, bad[i].want, line) != 0)
			fail_msg("row %zu: first error '%s'", i, err.msg);
		assert_null(cfg);
		strbuf_release(&said);
	}
}

static int
keep_zones(void *arg, const struct subscriber *reader, bool good)
{
	strbuf_addf(arg, "%s %s %s\n", reader->address, reader->timezone, good ? "good" : "broken");
	return 0;
}

/* What a reader says counts as ever; the others have the machine's zone. */
static void
test_lost_zone(void **state)
{
	static const char text[] = "defaults { timezone = Mars/Base limit = 4 }\n"
				   "subscriber \"a@b\" { }\n"
				   "subscriber \"c@d\" { timezone = Europe/London }\n"
				   "subscriber \"e@f\" { timezone = Mars/Base }\n";
	static const char want[] =
	    "[e@f] t.conf:5:31: timezone: 'Mars/Base' is not a time zone; expected a name like "
	    "Europe/London\n"
	    "a@b  good\nc@d Europe/London good\ne@f  broken\n";
	static const char first[] = "[] t.conf:2:23: timezone: 'Mars/Base' is not a time zone; "
				    "expected a name like Europe/London\n";
	struct config *cfg;
	struct strbuf said;

	(void)state;
	strbuf_init(&said, 4096);
	put_config(text, strlen(text));
	assert_int_equal(config_load("t.conf", &fake_checks, note, &said, &cfg, NULL), 0);
	assert_string_equal(cfg->lost_zone, "Mars/Base");
	assert_string_equal(cfg->defaults.timezone, "");
	assert_int_equal(cfg->defaults.limit, 4);
	assert_int_equal(cfg->nreader_errors, 1);
	assert_int_equal(config_each_reader(cfg, keep_zones, &said, NULL), 0);
	assert_int_equal(strncmp(said.buf, first, strlen(first)), 0);
	assert_string_equal(said.buf + strlen(first), want);
	config_free(cfg);

	put_config(text + strlen("defaults { timezone = Mars/Base limit = 4 }\n"), 20);
	assert_int_equal(config_load("t.conf", &fake_checks, NULL, NULL, &cfg, NULL), 0);
	assert_null(cfg->lost_zone);
	config_free(cfg);
	strbuf_release(&said);
}

/* Files that are no list at all. */
static void
test_no_list(void **state)
{
	static const struct {
		const char *path, *text, *want;
	} rows[] = {
		{ "n.conf", "",
		    "n.conf: no block list; expected list { from = \"Papers <me@example.org>\" }" },
		{ "n.conf", "list { }",
		    "n.conf:1:1: the block list has no from; expected from = \"Papers "
		    "<me@example.org>\"" },
		{ "n.conf", "list { from = nobody }",
		    "n.conf:1:15: from: 'nobody' is not an address; expected local@domain" },
		{ "n.conf", "list { from = a@b.org id = 'a b' }",
		    "n.conf:1:23: the list id 'a b'; expected at most 253 letters, digits, dots "
		    "and hyphens" },
		{ "n.conf", "list { from = a@b.org archive-url = \"https://b.org/\303\274\" }",
		    "n.conf:1:23: archive-url cannot stand in a header; expected at most 900 bytes "
		    "of ASCII without < and >, others as %41" },
		{ "n.conf", "list { from = a@b.org help-url = \"mailto:<a@b.org>\" }",
		    "n.conf:1:23: help-url cannot stand in a header; expected at most 900 bytes "
		    "of ASCII without < and >, others as %41" },
		{ "gone.conf", NULL, "gone.conf: No such file or directory" },
		{ ".", NULL, ".: is a directory; expected a file" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct config *cfg;
		struct error err;

		if (rows[i].text != NULL)
			put_file(rows[i].path, rows[i].text, strlen(rows[i].text));
		if (config_load(rows[i].path, &fake_checks, NULL, NULL, &cfg, &err) != -1)
			fail_msg("row %zu: is taken", i);
		if (strcmp(err.msg, rows[i].want) != 0 || err.kind != ERR_CONFIG)
			fail_msg("row %zu: %s", i, err.msg);
	}
}

static void
test_too_many_errors(void **state)
{
	struct strbuf text, said;
	struct config *cfg;
	struct error err;

	(void)state;
	strbuf_init(&text, 1 << 20);
	strbuf_init(&said, 1 << 20);
	for (int i = 0; i < 137; i++)
		strbuf_add(&text, "zzz = 1\n");
	put_file("t.conf", text.buf, text.len);
	assert_int_equal(config_load("t.conf", &fake_checks, note, &said, &cfg, &err), -1);
	assert_non_null(strstr(said.buf, "t.conf:100:1: "));
	assert_null(strstr(said.buf, "t.conf:101:1: "));
	assert_non_null(strstr(said.buf, "\n38 more errors\n")); /* 37 and the missing list */
	strbuf_release(&text);
	strbuf_release(&said);
}

/* Includes of includes: 10 deep are taken, 11 are not. */
static void
test_deep_includes(void **state)
{
	struct strbuf said;
	struct config *cfg;
	struct error err;
	char name[32], text[64];

	(void)state;
	strbuf_init(&said, 1 << 16);
	for (int i = 0; i < 12; i++) {
		snprintf(name, sizeof(name), "deep%d.conf", i);
		snprintf(text, sizeof(text), i < 11 ? "include deep%d.conf\n" : "# %d\n", i + 1);
		put_file(name, text, strlen(text));
	}
	put_config("include deep2.conf", 18);
	assert_int_equal(config_load("t.conf", &fake_checks, note, &said, &cfg, &err), 0);
	config_free(cfg);
	put_config("include deep1.conf", 18);
	assert_int_equal(config_load("t.conf", &fake_checks, note, &said, &cfg, &err), -1);
	assert_string_equal(
	    said.buf, "deep10.conf:1:9: includes are more than 10 deep; expected fewer\n");
	strbuf_release(&said);
}

/* What was read, as `digest config` shows it. */
static const struct {
	const char *text;
	const char *want[6]; /* parts of the settings in force */
} good[] = {
	{ "",
	    { "\tname = \"Papers\"\t# default\n", "\tid = \"example.org\"\t# default\n",
		"\tbounce-address = \"me@example.org\"\t# default\n",
		"\tpath = \"/home/ada/.local/state/digest/digest.db\"",
		"key-file = \"/home/ada/.local/state/digest/digest.key\"",
		"keep-papers = 400d\t# default\n" } },
	{ "",
	    { "source \"huggingface\" {\n\ttype = \"huggingface\"",
		"smtp \"sendmail\" {\n\turl = \"sendmail:\"", "\tdomains = {\"*\"}\t# default\n",
		"\ttls = required\t# default\n", "\tmax-body = 16M\t# default\n",
		"\tmax-age = 36h\t# default\n" } },
	{ "store { path = data/x.db keep-papers = 52w }",
	    { "\tpath = \"data/x.db\"\t# t.conf:2\n", "\tkey-file = \"data/digest.key\"",
		"keep-papers = 364d\t# t.conf:2" } },
	{ "fetch { timeout=90s max-body=1536K allow-private={127.0.0.0/8,fd00::/8} }",
	    { "timeout = 90s", "max-body = 1536K", "{\"127.0.0.0/8\", \"fd00::/8\"}" } },
	{ "fetch { contact = \"a\\\"b\\\\c\\$d\\ne\\tf\" }",
	    { "contact = \"a\\\"b\\\\c\\$d\\ne\\tf\"\t# t.conf:2" } },
	{ "fetch { contact = 'a\\'b\\c \"d\" ${HOME}' }",
	    { "contact = \"a'b\\\\c \\\"d\\\" \\${HOME}\"" } },
	{ "fetch { contact = \"x${HOME}y $5\" }", { "contact = \"x/home/aday \\$5\"" } },
	{ "fetch { contact = 'a\r\nb' }\r\n# c\r\nscore { text = 2.25 }\r\n",
	    { "contact = \"a\\nb\"", "text = 2.25\t# t.conf:5\n" } },
	{ "fetch{contact='x'}score{text=0}# end", { "contact = \"x\"", "text = 0\t" } },
	{ "fetch {\n# a\n contact # b\n = # c\n x:y/z@a+b-c_d.e # d\n}",
	    { "contact = \"x:y/z@a+b-c_d.e\"\t# t.conf:4\n" } },
	{ "smtp \"m\" { url = \"smtp://127.0.0.1:25\" tls = none insecure = false rate = "
	  "\"600/min\" domains = {a.org} }",
	    { "tls = none", "insecure = no", "rate = \"600/min\"", "domains = {\"a.org\"}" } },
	{ "smtp \"m\" { url = \"smtp://LocalHost\" tls = none }", { "tls = none" } },
	{ "smtp \"m\" { url = \"smtp://[0::1]:25\" tls = none }", { "tls = none" } },
	{ "smtp \"m\" { url = \"smtp://relay.example.org\" tls = none insecure = true }",
	    { "insecure = yes" } },
	{ "smtp \"m\" { url = \"smtps://h\" password = hunter2 }",
	    { "password = \"(hidden)\"\t# t.conf:2" } },
	{ "smtp \"m\" { url = \"smtps://h\" password-file = s }", { "password-file = \"s\"" } },
	{ "mailbox { url = \"imap://127.0.0.1:1143/a%20b\" user = me password-env = P tls = none "
	  "done = "
	  "\"move:Done\" }",
	    { "mailbox {\n\turl = \"imap://127.0.0.1:1143/a%20b\"", "\tdone = \"move:Done\"" } },
	{ "source \"huggingface\" { request-gap = 2s }", { "request-gap = 2s\t# t.conf:2" } },
	{ "source \"mine\" { type = file path = 'in/*.jsonl' interval = 6h }",
	    { "type = \"file\"", "path = \"in/*.jsonl\"", "interval = 6h" } },
	{ "filter \"a\" { match = '\"x y\"\n OR z' sort = newest }",
	    { "filter \"a\" {\n\tmatch = \"\\\"x y\\\"\\n OR z\"", "sort = newest" } },
	{ "defaults { empty = note updates = off outside = 0 use = {f} }\nfilter \"f\" { match = "
	  "'*' }",
	    { "empty = note", "updates = off", "outside = 0", "use = {\"f\"}\t# t.conf:2" } },
	{ "include \"nothing/*.conf\"", { "# the settings in force of t.conf\n" } },
	{ "include 'a.d/*.conf'",
	    { "contact = \"inner\"\t# a.d/inner/x.conf:1\n",
		"# the settings in force of t.conf, a.d/1.conf, a.d/inner/x.conf\n" } },
};

static void
test_good(void **state)
{
	(void)state;
	assert_int_equal(mkdir("a.d", 0700) + mkdir("a.d/inner", 0700), 0);
	put_file("a.d/1.conf", "include inner/x.conf", 20);
	put_file("a.d/inner/x.conf",
	    "\xEF\xBB\xBF"
	    "fetch { contact = inner }",
	    28);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct strbuf said, shown;
		struct config *cfg, *again;
		struct error err;

		strbuf_init(&said, 1 << 16);
		strbuf_init(&shown, 1 << 20);
		put_config(good[i].text, strlen(good[i].text));
		if (config_load("t.conf", &fake_checks, note, &said, &cfg, &err) == -1)
			fail_msg("row %zu: %s", i, said.buf);
		config_add_effective(&shown, cfg);
		for (size_t k = 0; k < 6 && good[i].want[k] != NULL; k++)
			if (strstr(shown.buf, good[i].want[k]) == NULL)
				fail_msg(
				    "row %zu: '%s' is not in\n%s", i, good[i].want[k], shown.buf);
		/* What is shown can be read again, and means the same. */
		put_file("again.conf", shown.buf, shown.len);
		if (config_load("again.conf", &fake_checks, note, &said, &again, &err) == -1)
			fail_msg("row %zu, again: %s", i, said.buf);
		assert_int_equal(again->nsmtps, cfg->nsmtps);
		assert_int_equal(again->nshared, cfg->nshared);
		assert_string_equal(again->fetch.contact, cfg->fetch.contact);
		config_free(again);
		config_free(cfg);
		strbuf_release(&said);
		strbuf_release(&shown);
	}
}

static void
test_paths(void **state)
{
	struct config *cfg;
	struct error err;

	(void)state;
	assert_int_equal(unsetenv("HOME"), 0);
	put_config("", 0);
	/* The machine may have one that is in use. */
	if (access("/etc/digest/digest.conf", F_OK) == -1) {
		assert_int_equal(config_load(NULL, &fake_checks, NULL, NULL, &cfg, &err), -1);
		assert_string_equal(err.msg,
		    "no configuration at /etc/digest/digest.conf; 'digest init' writes one, "
		    "--config names another");
	}
	assert_int_equal(config_load("t.conf", &fake_checks, NULL, NULL, &cfg, &err), -1);
	assert_string_equal(err.msg,
	    "t.conf: no place for the store, as $HOME is not set; expected store { path = ... }");
	assert_int_equal(setenv("XDG_STATE_HOME", "/state", 1), 0);
	assert_int_equal(setenv("DIGEST_CONFIG", "t.conf", 1), 0);
	assert_int_equal(config_load(NULL, &fake_checks, NULL, NULL, &cfg, &err), 0);
	assert_string_equal(cfg->path, "t.conf");
	assert_string_equal(cfg->store.path, "/state/digest/digest.db");
	config_free(cfg);
	assert_int_equal(unsetenv("DIGEST_CONFIG") + setenv("HOME", "/home/ada", 1), 0);
	assert_int_equal(config_load(NULL, &fake_checks, NULL, NULL, &cfg, &err), -1);
	assert_non_null(
	    strstr(err.msg, "/home/ada/.config/digest/digest.conf or /etc/digest/digest.conf"));
}

/* F-81: a password in a file that others may read. */
static void
test_open_password(void **state)
{
	static const char literal[] = "smtp \"m\" { url = \"smtps://h\" password = x }";
	static const char by_env[] = "smtp \"m\" { url = \"smtps://h\" password = \"${HOME}\" }";
	struct config *cfg;
	struct error err;

	(void)state;
	put_config(literal, sizeof(literal) - 1);
	assert_int_equal(chmod("t.conf", 0640), 0);
	assert_int_equal(config_load("t.conf", &fake_checks, NULL, NULL, &cfg, &err), -1);
	assert_string_equal(err.msg,
	    "t.conf:2:30: t.conf: holds a secret but others may read it; chmod 600 t.conf");
	put_config(by_env, sizeof(by_env) - 1);
	assert_int_equal(chmod("t.conf", 0644), 0);
	assert_int_equal(config_load("t.conf", &fake_checks, NULL, NULL, &cfg, &err), 0);
	assert_string_equal(cfg->smtps[0].password.value, "/home/ada");
	config_free(cfg);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_bad, enter_folder, leave_folder),
		cmocka_unit_test_setup_teardown(test_lost_zone, enter_folder, leave_folder),
		cmocka_unit_test_setup_teardown(test_no_list, enter_folder, leave_folder),
		cmocka_unit_test_setup_teardown(test_too_many_errors, enter_folder, leave_folder),
		cmocka_unit_test_setup_teardown(test_deep_includes, enter_folder, leave_folder),
		cmocka_unit_test_setup_teardown(test_good, enter_folder, leave_folder),
		cmocka_unit_test_setup_teardown(test_paths, enter_folder, leave_folder),
		cmocka_unit_test_setup_teardown(test_open_password, enter_folder, leave_folder),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
