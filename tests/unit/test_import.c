#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "digest/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NOW = 1772524800 }; /* 2026-03-03T08:00:00Z */

/* A folder with a configuration; each case has an overlay of its own, as there is no store. */
struct fixture {
	char dir[40], conf[80], file[80];
	struct log log;
	struct strbuf told;
};

static void
write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
	assert_int_equal(fclose(f), 0);
}

static int
setup(void **state)
{
	struct fixture *fx = calloc(1, sizeof(*fx));

	if (fx == NULL)
		return -1;
	snprintf(fx->dir, sizeof(fx->dir), "/tmp/test_import.XXXXXX");
	if (mkdtemp(fx->dir) == NULL)
		return -1;
	snprintf(fx->conf, sizeof(fx->conf), "%s/digest.conf", fx->dir);
	snprintf(fx->file, sizeof(fx->file), "%s/t.csv", fx->dir);
	write_file(fx->conf,
	    "list { from = \"Papers <papers@digest.test>\" }\nstore { path = \"digest.db\" }\n"
	    "smtp \"box\" { url = \"maildir:Mail\" }\nfilter \"hot\" { match = '*' sort = votes }\n"
	    "subscriber \"file@digest.test\" {}\n");
	log_init(&fx->log, "test", STDERR_FILENO, LOG_LEVEL_ERROR);
	strbuf_init(&fx->told, 1 << 16);
	*state = fx;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *fx = *state;

	unlink(fx->conf);
	unlink(fx->file);
	strbuf_release(&fx->told);
	rmdir(fx->dir);
	free(fx);
	return 0;
}

static struct run *
begin(struct fixture *fx)
{
	struct run_settings settings = { .config_path = fx->conf,
		.clock = { .frozen = true, .frozen_utc = NOW },
		.log = &fx->log,
		.mode = STORE_OVERLAY };
	struct run *run = NULL;
	struct error err;

	if (run_open(&settings, &run, &err) == -1 || run_open_store(run, &err) == -1)
		fail_msg("%s", err.msg);
	strbuf_reset(&fx->told);
	return run;
}

/* Without the path, which differs from run to run. */
static void
tell(void *arg, const char *message)
{
	struct fixture *fx = arg;

	strbuf_addf(&fx->told, "%s\n", strstr(message, "t.csv:") + 6);
}

/* Heads as programs write them, and what becomes of the one row below: "name zone when limit filters". */
static const struct {
	const char *table, *want;
} heads[] = {
	{ "email\nada@digest.test", " | | daily | 10 | Trending papers=*" },
	{ "E-Mail\nada@digest.test", " | | daily | 10 | Trending papers=*" },
	{ "Email Address,First Name,Last Name\nada@digest.test,Ada,Lovelace",
	    "Ada Lovelace | | daily | 10 | Trending papers=*" },
	{ "Email Address,First Name,Last Name,Address\nada@digest.test,,Lovelace,12 Street",
	    "Lovelace | | daily | 10 | Trending papers=*" },
	{ "Address,Email\n12 Street,ada@digest.test", " | | daily | 10 | Trending papers=*" },
	{ "uuid,email,name,attributes,status,created_at\n"
	  "1,ada@digest.test,Ada,\"{\"\"a\"\": 1}\",enabled,2024-01-01",
	    "Ada | | daily | 10 | Trending papers=*" },
	{ "id,email,name,note,subscribed_to_emails\n1,ada@digest.test,Ada,,true",
	    "Ada | | daily | 10 | Trending papers=*" },
	{ "Address,Display Name\nAda L <ada@digest.test>,",
	    "Ada L | | daily | 10 | Trending papers=*" },
	{ "Address,Display Name\nAda L <ada@digest.test>,Countess",
	    "Countess | | daily | 10 | Trending papers=*" },
	{ "ada@digest.test", " | | daily | 10 | Trending papers=*" },
	{ "Ada L <ada@digest.test>", "Ada L | | daily | 10 | Trending papers=*" },
	{ "\"L, Ada\" <ada@digest.test>\r\n", "L, Ada | | daily | 10 | Trending papers=*" },
	{ "1,ada@digest.test,x", " | | daily | 10 | Trending papers=*" },
	{ "email;TIMEZONE;When;Limit\nada@digest.test;Europe/London; mon 08:00 ;3",
	    " | Europe/London | mon 08:00 | 3 | Trending papers=*" },
	{ "email,query\nada@digest.test,tea OR nerf", " | | daily | 10 | Papers=tea OR nerf" },
	{ "email,filter\nada@digest.test,\"a=x\r\n\n  b = y z \n\"",
	    " | | daily | 10 | a=x b=y z" },
	{ "email,use\nada@digest.test,hot", " | | daily | 10 | hot=@\"hot\"" },
	{ "email,use,filters,query\nada@digest.test,\" hot ; hot\",a=x,z",
	    " | | daily | 10 | a=x Papers=z hot=@\"hot\"" },
	{ "email,name,name\nada@digest.test,Ada,Other", "Ada | | daily | 10 | Trending papers=*" },
	{ "email,email,name\nada@digest.test,eve@digest.test,Ada",
	    "Ada | | daily | 10 | Trending papers=*" },
	{ "email,name\nada@digest.test", " | | daily | 10 | Trending papers=*" },
};

static void
test_heads(void **state)
{
	struct fixture *fx = *state;
	const struct run_import_options options = { "list", tell, fx };

	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		struct run *run = begin(fx);
		struct run_import_counts counts;
		struct store_reader *r;
		struct strbuf got;
		struct error err;
		struct arena a;

		arena_init(&a, 1 << 20);
		strbuf_init(&got, 4096);
		write_file(fx->file, heads[i].table);
		if (run_import(run, fx->file, &options, &counts, &err) == -1)
			fail_msg("row %zu: %s", i, err.msg);
		if (counts.nadded != 1 || counts.nbad != 0)
			fail_msg("row %zu: %zu new, %zu bad: %s", i, counts.nadded, counts.nbad,
			    fx->told.buf);
		assert_int_equal(store_find_reader(run->store, "ada@digest.test", &a, &r, &err), 1);
		strbuf_addf(&got, "%s | %s%s%s | %u |", r->sub.name, r->sub.timezone,
		    r->sub.timezone[0] != '\0' ? " | " : "| ", r->sub.when, r->sub.limit);
		for (size_t k = 0; k < r->sub.nfilters; k++)
			strbuf_addf(
			    &got, " %s=%s", r->sub.filters[k].name, r->sub.filters[k].match);
		if (strcmp(got.buf, heads[i].want) != 0)
			fail_msg("row %zu: '%s'", i, got.buf);
		strbuf_release(&got);
		arena_release(&a);
		run_close(run);
	}
}

/* What is told of files in which something is wrong; * = how many are taken in, and not mailed from now on. */
static const struct {
	const char *text, *told;
	size_t nadded, nleft, nother;
} broken[] = {
	{ "email,limit\na@digest.test,x\nb@digest.test,3",
	    "2:limit: 'x' is not a number; expected 1..500\n", 1, 0, 0 },
	{ "Email Address,Limit\nx@,3",
	    "2:Email Address: address 'x@': nothing after '@'; expected local@domain\n", 0, 0, 0 },
	{ "email\n\"a@digest.test\nb@digest.test\n",
	    "2:email: a quote that is not closed; expected another '\"'\n", 1, 0, 0 },
	{ "email,name\na@digest.test,x,y", "2: 3 fields; expected 2, as in the first line\n", 0, 0,
	    0 },
	{ "email,name\n,x", "2:email: address '': expected local@domain\n", 0, 0, 0 },
	{ "email\nA@digest.test\na@DIGEST.test\n",
	    "3:email: a@digest.test stands already in line 2\n", 1, 0, 0 },
	{ "email\nfile@digest.test\nFILE@digest.test",
	    "3:email: file@digest.test stands already in line 2\n", 0, 0, 1 },
	{ "email,status\na@digest.test,Un-Subscribed\nb@digest.test,non-subscribed\nc@digest.test,?"
	  "??",
	    "4:status: not known; expected subscribed, unsubscribed, bounced, complained, "
	    "blocklisted or unconfirmed\n",
	    0, 1, 1 },
	{ "email,status,UNSUB_TIME\na@digest.test,subscribed,2020-01-01\nb@digest.test,,", "", 1, 1,
	    0 },
	{ "email,use\na@digest.test,cold", "2:use: there is no shared filter 'cold'\n", 0, 0, 0 },
	{ "email,filter\na@digest.test,=x",
	    "2:filter: a filter without a name; expected NAME=QUERY\n", 0, 0, 0 },
	{ "email,filter\na@digest.test,x=",
	    "2:filter: a filter without a query; expected NAME=QUERY\n", 0, 0, 0 },
	{ "a@digest.test\nnobody\n",
	    "2:address: address 'nobody': expected '@' here, as in local@domain\n", 1, 0, 0 },
	{ "{\"type\":\"subscriber\",\"address\":7,\"consent\":\"x\"}",
	    "1:address: expected a string\n", 0, 0, 0 },
	{ "{\"type\":\"subscriber\",\"address\":\"a@digest.test\",\"consent\":\"x\",\"filters\":{}"
	  "}",
	    "1:filters: expected a list of at most 1000 objects\n", 0, 0, 0 },
	{ "{\"type\":\"subscriber\",\"address\":\"a@digest.test\",\"consent\":\"x\",\"filters\":[7]"
	  "}",
	    "1:filters: a filter without match; expected a query\n", 0, 0, 0 },
	{ "{\"type\":\"subscriber\",\"address\":\"a@digest.test\",\"consent\":\"x\",\"state\":"
	  "\"odd\"}",
	    "1:state: expected active, paused, left or ended\n", 0, 0, 0 },
	{ "{\"type\":\"subscriber\",\"address\":\"a@digest.test\",\"state\":\"left\",\"left\":\"?"
	  "\"}",
	    "1:left: expected unsubscribed, complaint, bounced or operator\n", 0, 0, 0 },
	{ "{\"type\":\"subscriber\",\"address\":\"a\\u0000@digest.test\",\"consent\":\"x\"}",
	    "1:address: a NUL character; expected text\n", 0, 0, 0 },
	{ "{\"type\":\"subscriber\",\"address\":\"a@digest.test\",\"consent\":\"x\",\"created\":-"
	  "1}",
	    "1:created: expected seconds since 1970, and not in the future\n", 0, 0, 0 },
	{ "{\"type\":\"edition\",\"address\":\"nobody\",\"state\":\"sent\"}",
	    "1:address: expected that of the reader before\n", 0, 0, 0 },
	{ "{\"type\":\"suppression\",\"hash\":\"00\"}",
	    "1:hash: by another key; expected a line suppression-key before\n", 0, 0, 0 },
	{ "{\"type\":\"suppression-key\",\"key\":\"00\"}",
	    "1:key: expected 64 hexadecimal digits\n", 0, 0, 0 },
	{ "{\"type\":\"subscriber\",\"address\":\"a@digest.test\",\"state\":\"left\"}", "", 0, 1,
	    0 },
};

static void
test_broken(void **state)
{
	struct fixture *fx = *state;
	const struct run_import_options options = { "", tell, fx }, said = { "list", tell, fx };

	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		bool json = broken[i].text[0] == '{';
		struct run *run = begin(fx);
		struct run_import_counts c;
		struct error err;

		write_file(fx->file, broken[i].text);
		if (run_import(run, fx->file, json ? &options : &said, &c, &err) == -1)
			fail_msg("row %zu: %s", i, err.msg);
		if (strcmp(fx->told.buf, broken[i].told) != 0)
			fail_msg("row %zu: '%s'", i, fx->told.buf);
		if (c.nadded != broken[i].nadded || c.nleft != broken[i].nleft ||
		    c.nfile + c.nunconfirmed != broken[i].nother ||
		    (c.nbad > 0) != (broken[i].told[0] != '\0'))
			fail_msg("row %zu: %zu new, %zu left, %zu others, %zu bad", i, c.nadded,
			    c.nleft, c.nfile + c.nunconfirmed, c.nbad);
		run_close(run);
	}
}

/* Files that are nothing at all: the kind of the error, and a piece of it. */
static const struct {
	const char *text;
	enum err_kind kind;
	const char *says;
} refused[] = {
	{ "email\na@digest.test\n", ERR_USAGE, "say where and when they agreed" },
	{ "a,b\n1,2\n", ERR_DATA, "t.csv:1: no column of addresses" },
	{ "some text\nof many lines\n", ERR_DATA, "no column of addresses" },
	{ "BZh91AY&SY\x01\x02", ERR_DATA, "is packed" },
};

static void
test_refused(void **state)
{
	struct fixture *fx = *state;
	const struct run_import_options options = { "", tell, fx };

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct run *run = begin(fx);
		struct error err = { .kind = ERR_NONE };
		struct run_import_counts c;

		write_file(fx->file, refused[i].text);
		if (run_import(run, fx->file, &options, &c, &err) != -1)
			fail_msg("row %zu: was taken in", i);
		if (err.kind != refused[i].kind || strstr(err.msg, refused[i].says) == NULL)
			fail_msg("row %zu: %d, '%s'", i, (int)err.kind, err.msg);
		run_close(run);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_heads, setup, teardown),
		cmocka_unit_test_setup_teardown(test_broken, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
