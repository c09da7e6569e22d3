#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "test_config.h"

static const char head[] = "list { from = \"me@example.org\" }\nfilter \"hot\" { match = '*' sort "
			   "= trending limit = 7 }\n";

/* One line for each reader: address, canonical and what it gets; "broken" when it is. */
static int
show(void *arg, const struct subscriber *s, bool good)
{
	strbuf_addf(arg, "%s", s->address);
	if (strcmp(s->address, s->canonical) != 0)
		strbuf_addf(arg, " (%s)", s->canonical);
	strbuf_addf(arg, " :%u", s->line);
	if (!good)
		strbuf_add(arg, " broken");
	for (size_t i = 0; good && i < s->nfilters; i++) {
		const struct filter *f = &s->filters[i];

		strbuf_addf(arg, " [%s: %s %u %d%s%s @%u:%u]", f->name, f->match, f->limit,
		    (int)f->sort, f->when[0] != '\0' ? " " : "", f->when, f->line, f->column);
	}
	strbuf_add(arg, "\n");
	return 0;
}

/* Every text follows two lines of head. */
static const struct {
	const char *text;
	const char *said; /* the messages */
	const char *want; /* the readers */
} rows[] = {
	{ "subscriber \"me@example.org\" {}", "",
	    "me@example.org :3 [Trending papers: * 10 3 @0:0]\n" },
	{ "subscriber \"Me@Example.org\" { filter \"a\" { match = 'x' limit = 3 } }", "",
	    "Me@Example.org (me@example.org) :3 [a: x 3 0 @3:53]\n" },
	{ "subscriber \"a@b\" { filter \"a\" { match = 'x' when = 'mon' } }", "",
	    "a@b :3 [a: x 0 0 mon @3:42]\n" },
	{ "subscriber \"a@b\" { filter \"a\" { match = 'x' when = 'always' } }",
	    "[a@b] t.conf:3:45: when: found \"always\"; expected days for a filter, as in 'mon "
	    "08:00', or always as the reader's when\n",
	    "a@b :3 broken\n" },
	/* Shared filters: own limit and sort win, use comes after, an own filter stands for a shared one. */
	{ "subscriber \"a@b\" { filter \"hot\" { } }", "", "a@b :3 [hot: * 7 3 @2:25]\n" },
	{ "subscriber \"a@b\" { filter \"hot\" { limit = 2 sort = newest } }", "",
	    "a@b :3 [hot: * 2 4 @2:25]\n" },
	{ "subscriber \"a@b\" { use = {hot} filter \"a\" { match = x } }", "",
	    "a@b :3 [a: x 0 0 @3:53] [hot: * 7 3 @2:25]\n" },
	{ "subscriber \"a@b\" { use = {hot, hot} filter \"hot\" { match = y } }", "",
	    "a@b :3 [hot: y 0 0 @3:60]\n" },
	{ "subscriber \"a@b\" { use = {late} }\nfilter \"late\" { match = z }", "",
	    "a@b :3 [late: z 0 0 @4:25]\n" },
	{ "defaults { use = {hot} }\nsubscriber \"a@b\" { }\nsubscriber \"c@d\" { use = {} }", "",
	    "a@b :4 [hot: * 7 3 @2:25]\nc@d :5 [Trending papers: * 10 3 @0:0]\n" },
	{ "subscriber \"a@b\" { filter \"hto\" { } }",
	    "[a@b] t.conf:3:20: no shared filter 'hto'; did you mean 'hot'?\n", "a@b :3 broken\n" },
	{ "filter \"radiance\" { match = x }\nsubscriber \"a@b\" { use = {hot, radience} }",
	    "[a@b] t.conf:4:32: no shared filter 'radience'; did you mean 'radiance'?\n",
	    "a@b :4 broken\n" },
	{ "subscriber \"a@b\" { filter \"x\" { match = x }\nfilter \"x\" { match = y } }",
	    "[a@b] t.conf:4:1: the filter \"x\" stands already on line 3\n", "a@b :3 broken\n" },
	{ "subscriber \"a@b\" { filter { match = x } }",
	    "[a@b] t.conf:3:20: the block filter has no title; expected filter \"name\" {\n",
	    "a@b :3 broken\n" },

	/* The place of a bad query, through its spelling. */
	{ "subscriber \"a@b\" { filter \"x\" { match = titel:x } }",
	    "[a@b] t.conf:3:41: match: 'titel:' is not a field; did you mean 'title:'?\n"
	    "titel:x\n^\n",
	    "a@b :3 broken\n" },
	{ "subscriber \"a@b\" { filter \"x\" { match = 'it\\'s titel:x' } }",
	    "[a@b] t.conf:3:48: match: 'titel:' is not a field; did you mean 'title:'?\n"
	    "it's titel:x\n     ^\n",
	    "a@b :3 broken\n" },
	{ "subscriber \"a@b\" { filter \"x\" { match = 'a\r\n é titel:x' } }",
	    "[a@b] t.conf:4:5: match: 'titel:' is not a field; did you mean 'title:'?\n"
	    " é titel:x\n   ^\n",
	    "a@b :3 broken\n" },
	{ "subscriber \"a@b\" { filter \"x\" { match = \"\\\"a\\n\\\" ${HOME} titel:x\" } }",
	    "[a@b] t.conf:3:58: match: 'titel:' is not a field; did you mean 'title:'?\n"
	    "\" /home/ada titel:x\n            ^\n",
	    "a@b :3 broken\n" },
	{ "subscriber \"a@b\" { filter \"x\" { match = 'a\n @nobody' } }",
	    "[a@b] t.conf:4:2: match: there is no filter called 'nobody'\n @nobody\n ^\n",
	    "a@b :3 broken\n" },
	{ "subscriber \"a@b\" { filter \"x\" { match = ''  } }",
	    "[a@b] t.conf:3:42: match: an empty query; expected words, or '*' for every paper\n",
	    "a@b :3 broken\n" },

	/* Other values. */
	{ "subscriber \"a@b\" { when = \"dayly 07:30\" timezone = Mars/Base empty = nver }",
	    "[a@b] t.conf:3:28: when: 'dayly' is not a schedule; did you mean 'daily'?\n"
	    "[a@b] t.conf:3:52: timezone: 'Mars/Base' is not a time zone; expected a name like "
	    "Europe/London\n"
	    "[a@b] t.conf:3:70: empty: 'nver' is none of the choices; expected one of "
	    "skip|note|never; did you "
	    "mean 'never'?\n",
	    "a@b :3 broken\n" },
	{ "subscriber \"a@b\" { was = A@b }\nsubscriber \"c@d\" { was = e@f }", "",
	    "a@b :3 [Trending papers: * 10 3 @0:0]\nc@d :4 [Trending papers: * 10 3 @0:0]\n" },
	{ "subscriber \"a@b\" { }\nsubscriber \"c@d\" { was = A@B }",
	    "[c@d] t.conf:4:12: was: a@b is a reader at t.conf:3; remove one of both\n",
	    "a@b :3 [Trending papers: * 10 3 @0:0]\nc@d :4 broken\n" },
	{ "subscriber \"c@d\" { was = A@B }\nsubscriber \"a@b\" { }",
	    "[a@b] t.conf:4:12: a@b is the former address (was) of the reader at t.conf:3; remove "
	    "one of both\n",
	    "c@d :3 [Trending papers: * 10 3 @0:0]\na@b :4 broken\n" },
	{ "subscriber \"a@b\" { was = nobody }",
	    "[a@b] t.conf:3:26: was: 'nobody' is not an address; expected local@domain\n",
	    "a@b :3 broken\n" },
	{ "subscriber \"a@b\" { limit = 501 }",
	    "[a@b] t.conf:3:28: limit: 501 is out of range; expected 1..500\n", "a@b :3 broken\n" },

	/* Addresses. */
	{ "subscriber \"bad!x\" {}",
	    "[bad!x] t.conf:3:16: 'bad!x' is not an address; expected local@domain\n",
	    "bad!x :3 broken\n" },
	{ "subscriber \"Ada <a@b>\" {}",
	    "[Ada <a@b>] t.conf:3:12: 'Ada <a@b>' is more than an address; expected local@domain, "
	    "and the name "
	    "in the key name\n",
	    "Ada <a@b> :3 broken\n" },
	{ "subscriber {}",
	    "[] t.conf:3:1: the block subscriber has no title; expected subscriber \"address\" {\n",
	    " :3 broken\n" },
	{ "subscriber a@b {}",
	    "[a@b] t.conf:3:12: the title a@b has no quotes; expected subscriber \"a@b\" {\n",
	    "a@b :3 broken\n" },
	{ "subscriber \"a@b\" {}\nsubscriber \"A@B\" {}\nsubscriber \"a@b\" {}",
	    "[a@b] t.conf:4:12: a@b stands already at t.conf:3\n"
	    "[a@b] t.conf:5:12: a@b stands already at t.conf:3\n",
	    "a@b :3 [Trending papers: * 10 3 @0:0]\n" },

	/* Braces and quotes of one reader do not touch the next. */
	{ "subscriber \"a@b\" { limit = 1\nsubscriber \"c@d\" { use = {hot} }",
	    "[a@b] t.conf:4:1: 'subscriber' inside the block subscriber \"a@b\" opened on line 3; "
	    "expected '}' "
	    "before it\n",
	    "a@b :3 broken\nc@d :4 [hot: * 7 3 @2:25]\n" },
	{ "subscriber \"a@b\" { filter \"x\" { match = x }\nfilter \"y\" { match = y\nsubscriber "
	  "\"c@d\" { use = {hot} }",
	    "[a@b] t.conf:5:1: 'subscriber' inside the block filter \"y\" opened on line 4; "
	    "expected '}' before "
	    "it\n",
	    "a@b :3 broken\nc@d :5 [hot: * 7 3 @2:25]\n" },
	{ "subscriber \"a@b\" { filter \"x\" { match = x\n filter \"y\" { match = y } } "
	  "}\nsubscriber \"c@d\" {use={hot}}",
	    "[a@b] t.conf:4:2: 'filter' inside the block filter \"x\" opened on line 3; expected "
	    "'}' before it\n",
	    "a@b :3 broken\nc@d :5 [hot: * 7 3 @2:25]\n" },
	{ "subscriber \"a@b\" { use = {hot} } }\n }\nsubscriber \"c@d\" { use = {hot} }",
	    "[a@b] t.conf:3:34: '}' closes no block; expected a block or a key\n"
	    "[a@b] t.conf:4:2: '}' closes no block; expected a block or a key\n",
	    "a@b :3 broken\nc@d :5 [hot: * 7 3 @2:25]\n" },
	{ "subscriber \"a@b\" { filter \"x\" { match = 'x\n} }\nsubscriber \"c@d\" { filter \"y\" "
	  "{ match = 'y' } }",
	    "[a@b] t.conf:3:41: the text opened here is closed on line 5 with text directly after "
	    "it; is a ' "
	    "missing?\n",
	    "a@b :3 broken\nc@d :5 [y: y 0 0 @5:42]\n" },
	{ "subscriber \"a@b\" { use = {hot, \n}\nsubscriber \"c@d\" { use = {hot} }",
	    "[a@b] t.conf:4:1: '}' in the list opened on line 3; expected a word or a quoted text\n"
	    "[a@b] t.conf:5:1: 'subscriber' inside the block subscriber \"a@b\" opened on line 3; "
	    "expected '}' "
	    "before it\n",
	    "a@b :3 broken\nc@d :5 [hot: * 7 3 @2:25]\n" },
	{ "subscriber \"a@b\" { use = {hot,\nsubscriber \"c@d\" { use = {hot} }\nsubscriber "
	  "\"e@f\" { }",
	    "[a@b] t.conf:4:1: 'subscriber' in the list opened on line 3; expected '}' before it\n"
	    "[a@b] t.conf:4:1: 'subscriber' inside the block subscriber \"a@b\" opened on line 3; "
	    "expected '}' "
	    "before it\n",
	    "a@b :3 broken\nc@d :4 [hot: * 7 3 @2:25]\ne@f :5 [Trending papers: * 10 3 @0:0]\n" },
	{ "subscriber \"a@b\" { use = {\n hot;\n 'x',\n y,\n} limit = 0 }",
	    "[a@b] t.conf:4:5: ';' may not stand in a bare word; expected the value in quotes\n"
	    "[a@b] t.conf:7:11: limit: 0 is out of range; expected 1..500\n",
	    "a@b :3 broken\n" },
	{ "subscriber \"c@d\" { use = {hot} }\nsubscriber \"a@b\" { name = \"J\xe9\" }",
	    "[a@b] t.conf:4:29: byte 0xE9 is not UTF-8; expected text in UTF-8\n",
	    "c@d :3 [hot: * 7 3 @2:25]\na@b :4 broken\n" },
	{ "subscriber \"a@b\" { limit = 1",
	    "[a@b] t.conf:3:29: the end of the file inside the block subscriber "
	    "\"a@b\" opened on line 3; expected '}'\n",
	    "a@b :3 broken\n" },
	{ "subscriber \"a@b\" { fitler \"x\" { match = x } limit = 3 }",
	    "[a@b] t.conf:3:20: unknown block 'fitler' in subscriber; did you mean 'filter'?\n",
	    "a@b :3 broken\n" },
	{ "subscriber \"a@b\" { include \"x\" }",
	    "[a@b] t.conf:3:20: include inside the block subscriber; expected it outside of "
	    "blocks\n",
	    "a@b :3 broken\n" },

	/* Readers in included files. */
	{ "include 'more.conf'\nsubscriber \"a@b\" { use = {hot} }", "",
	    "in@more :2 [m: x 0 0 @3:24]\na@b :4 [hot: * 7 3 @2:25]\n" },
};

static void
put_config(const char *text)
{
	struct strbuf bytes;

	strbuf_init(&bytes, 1 << 16);
	strbuf_addf(&bytes, "%s%s", head, text);
	put_file("t.conf", bytes.buf, bytes.len);
	strbuf_release(&bytes);
}

static void
test_readers(void **state)
{
	static const char more[] =
	    "\xEF\xBB\xBF\nsubscriber 'in@more' {\n\tfilter 'm' { match = 'x' }\n}\n";

	(void)state;
	put_file("more.conf", more, sizeof(more) - 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct strbuf said, got;
		struct config *cfg;
		struct error err;

		strbuf_init(&said, 1 << 16);
		strbuf_init(&got, 1 << 16);
		put_config(rows[i].text);
		if (config_load("t.conf", &fake_checks, note, &said, &cfg, &err) == -1)
			fail_msg("row %zu: %s", i, err.msg);
		if (strcmp(said.buf, rows[i].said) != 0)
			fail_msg("row %zu:\n%swanted\n%s", i, said.buf, rows[i].said);
		assert_int_equal(config_each_reader(cfg, show, &got, &err), 0);
		if (strcmp(got.buf, rows[i].want) != 0)
			fail_msg("row %zu:\n%swanted\n%s", i, got.buf, rows[i].want);
		config_free(cfg);
		strbuf_release(&said);
		strbuf_release(&got);
	}
}

static int
keep_first(void *arg, const struct subscriber *s, bool good)
{
	struct strbuf *out = arg;

	assert_true(good);
	strbuf_addf(out, "%s|%s|%s|%s|%s|%u|%u|%u|%d|%d|%d|%s|%s:%u", s->name, s->timezone, s->when,
	    s->language, s->was, s->limit, s->max_papers, s->outside, (int)s->empty,
	    (int)s->updates, (int)s->paused_until, s->address, s->file, s->line);
	return 42;
}

/* Every key of a reader, by default, by the block defaults, and its own. */
static void
test_values(void **state)
{
	static const struct {
		const char *text, *want;
	} values[] = {
		{ "subscriber \"a@b\" {}", "||daily|en||10|25|3|0|0|0|a@b|t.conf:3" },
		{ "defaults { name = N timezone = Europe/London when = always language = de limit "
		  "= 4 max-papers = 5 "
		  "outside = 0 empty = never updates = all }\nsubscriber \"a@b\" {}",
		    "N|Europe/London|always|de||4|5|0|2|1|0|a@b|t.conf:4" },
		{ "defaults { limit = 4 outside = 9 }\nsubscriber \"a@b\" { limit = 6 name = \"Ada "
		  "L\" was = x@y "
		  "paused-until = 1970-01-11 when = 'mon,thu 08:00' empty = note updates = off }",
		    "Ada L||mon,thu 08:00|en|x@y|6|25|9|1|2|10|a@b|t.conf:4" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct strbuf got;
		struct config *cfg;
		struct error err;

		strbuf_init(&got, 1 << 16);
		put_config(values[i].text);
		assert_int_equal(config_load("t.conf", &fake_checks, note, &got, &cfg, &err), 0);
		assert_int_equal(config_each_reader(cfg, keep_first, &got, &err), 42);
		if (strcmp(got.buf, values[i].want) != 0)
			fail_msg("row %zu: %s", i, got.buf);
		config_free(cfg);
		strbuf_release(&got);
	}
}

struct tally {
	size_t good, bad, filters;
};

static int
count(void *arg, const struct subscriber *s, bool good)
{
	struct tally *t = arg;

	t->good += good;
	t->bad += !good;
	t->filters += good ? s->nfilters : 0;
	return 0;
}

/* Many readers, every hundredth broken, every thousandth there twice. */
static void
test_many(void **state)
{
	struct tally t = { 0, 0, 0 };
	struct strbuf text, said;
	struct config *cfg;
	struct error err;

	(void)state;
	strbuf_init(&text, 16 << 20);
	strbuf_init(&said, 1 << 20);
	strbuf_add(&text, head);
	for (int i = 0; i < 20000; i++)
		strbuf_addf(&text,
		    "subscriber \"user%d@example.org\" {\n\twhen = \"daily 07:30\" limit = %d\n"
		    "\tfilter \"mine\" { match = '\"gaussian splatting\" OR nerf' }\n\tfilter "
		    "\"hot\" { limit = 5 }\n}\n",
		    i % 1000 == 999 ? i - 1 : i, i % 100 == 7 ? 0 : 9);
	put_file("t.conf", text.buf, text.len);
	assert_int_equal(config_load("t.conf", &fake_checks, note, &said, &cfg, &err), 0);
	assert_int_equal(cfg->nreaders, 20000);
	assert_int_equal(cfg->nreader_errors, 220);
	assert_non_null(strstr(said.buf, "[] 120 more errors\n"));
	assert_int_equal(config_each_reader(cfg, count, &t, &err), 0);
	assert_int_equal(t.bad, 200);
	assert_int_equal(t.good, 20000 - 200 - 20);
	assert_int_equal(t.filters, 2 * t.good);
	/* Nothing but the index is kept for them. */
	assert_true(cfg->arena.used_bytes < 512 * 1024);
	config_free(cfg);
	strbuf_release(&text);
	strbuf_release(&said);
}

static void
test_too_many_filters(void **state)
{
	struct strbuf text, said;
	struct config *cfg;
	struct error err;

	(void)state;
	strbuf_init(&text, 1 << 20);
	strbuf_init(&said, 1 << 20);
	strbuf_add(&text, "subscriber \"a@b\" {\n");
	for (int i = 0; i < 1001; i++)
		strbuf_addf(&text, "filter \"f%d\" { match = x }\n", i);
	strbuf_add(&text, "}\n");
	put_file("more.conf", text.buf, text.len);
	put_config("include more.conf");
	assert_int_equal(config_load("t.conf", &fake_checks, note, &said, &cfg, &err), 0);
	assert_string_equal(
	    said.buf, "[a@b] more.conf:1002:1: one filter too many; expected at most 1000\n");
	config_free(cfg);
	strbuf_release(&text);
	strbuf_release(&said);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_readers, enter_folder, leave_folder),
		cmocka_unit_test_setup_teardown(test_values, enter_folder, leave_folder),
		cmocka_unit_test_setup_teardown(test_many, enter_folder, leave_folder),
		cmocka_unit_test_setup_teardown(test_too_many_filters, enter_folder, leave_folder),
	};

	return cmocka_run_group_tests_name("config readers", tests, NULL, NULL);
}
