#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "test_config.h"

#include "digest/limits.h"

struct fixture {
	struct config *cfg;
	struct arena a;
	struct error err;
};

static struct config *
load(const char *text, struct error *err)
{
	struct config *cfg = NULL;

	put_file("t.conf", text, strlen(text));
	if (config_load("t.conf", &fake_checks, NULL, NULL, &cfg, err) == -1)
		fail_msg("%s", err->msg);
	return cfg;
}

static void
begin(struct fixture *fx, const char *text)
{
	memset(fx, 0, sizeof(*fx));
	arena_init(&fx->a, 16 << 20);
	fx->cfg = load(text, &fx->err);
}

static void
end(struct fixture *fx)
{
	arena_release(&fx->a);
	config_free(fx->cfg);
}

/* Each key with a text: what is shown of it then, or what is said against it. */
static const struct {
	const char *key, *text, *shown, *said;
} keys[] = {
	{ "name", "Ada", "Ada", NULL },
	{ "name", "", "", NULL },
	{ "name", "'${HOME}' \\n \"x\" # y", "'${HOME}' \\n \"x\" # y", NULL },
	{ "name", "a\nb", NULL,
	    "name: a control character, or not UTF-8; expected one line of text" },
	{ "name", "a\xE9", NULL,
	    "name: a control character, or not UTF-8; expected one line of text" },
	{ "name", "a\x7f", NULL,
	    "name: a control character, or not UTF-8; expected one line of text" },
	{ "timezone", "Europe/London", "Europe/London", NULL },
	{ "timezone", "Mars", NULL,
	    "timezone: 'Mars' is not a time zone; expected a name like Europe/London" },
	{ "when", "weekdays 07:30", "weekdays 07:30", NULL },
	{ "when", "dayly", NULL, "when: 'dayly' is not a schedule; did you mean 'daily'?" },
	{ "language", "de", "de", NULL },
	{ "limit", "7", "7", NULL },
	{ "limit", "0", NULL, "limit: 0 is out of range; expected 1..500" },
	{ "limit", "7 papers", NULL, "limit: '7 papers' is not a number; expected 1..500" },
	{ "max-papers", "500", "500", NULL },
	{ "outside", "0", "0", NULL },
	{ "empty", "note", "note", NULL },
	{ "empty", "notes", NULL,
	    "empty: 'notes' is none of the choices; expected one of skip|note|never; did you mean "
	    "'note'?" },
	{ "updates", "all", "all", NULL },
	{ "paused-until", "2026-12-01", "2026-12-01", NULL },
	{ "paused-until", "soon", NULL, "paused-until: " },
	{ "use", "hot", NULL, "'use' is no key of a subscriber" },
	{ "was", "a@b", NULL, "'was' is no key of a subscriber" },
	{ "match", "x", NULL, "'match' is no key of a subscriber" },
	{ "", "x", NULL, "'' is no key of a subscriber" },
};

static void
test_set_keys(void **state)
{
	struct strbuf shown;
	struct fixture fx;

	(void)state;
	begin(&fx, "list { from = \"me@example.org\" }\n");
	strbuf_init(&shown, 4096);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		struct subscriber sub = fx.cfg->defaults, before = sub;
		int rc;

		err_clear(&fx.err);
		strbuf_reset(&shown);
		rc = config_set_reader_key(fx.cfg, keys[i].key, keys[i].text, &fx.a, &sub, &fx.err);
		if ((rc == 0) != (keys[i].said == NULL))
			fail_msg("row %zu: %d: %s", i, rc, fx.err.msg);
		if (rc == -1) {
			if (fx.err.kind != ERR_DATA ||
			    strncmp(fx.err.msg, keys[i].said, strlen(keys[i].said)) != 0)
				fail_msg("row %zu: '%s'", i, fx.err.msg);
			assert_memory_equal(&sub, &before, sizeof(sub));
			continue;
		}
		config_add_reader_key(&shown, keys[i].key, &sub);
		if (strcmp(shown.buf, keys[i].shown) != 0)
			fail_msg("row %zu: '%s'", i, shown.buf);
	}
	strbuf_release(&shown);
	end(&fx);
}

static void
test_filter_keys(void **state)
{
	struct filter f = { .when = "" };
	struct strbuf shown;
	struct fixture fx;

	(void)state;
	begin(&fx, "list { from = \"me@example.org\" }\n");
	strbuf_init(&shown, 4096);
	assert_int_equal(config_set_filter_key(fx.cfg, "sort", "votes", &fx.a, &f, &fx.err), 0);
	assert_int_equal(config_set_filter_key(fx.cfg, "limit", "3", &fx.a, &f, &fx.err), 0);
	assert_int_equal(config_set_filter_key(fx.cfg, "when", "mon", &fx.a, &f, &fx.err), 0);
	assert_int_equal(config_set_filter_key(fx.cfg, "sort", "vote", &fx.a, &f, &fx.err), -1);
	assert_non_null(strstr(fx.err.msg, "did you mean 'votes'"));
	assert_int_equal(config_set_filter_key(fx.cfg, "match", "x", &fx.a, &f, &fx.err), -1);
	config_add_filter_key(&shown, "sort", &f);
	config_add_filter_key(&shown, "limit", &f);
	config_add_filter_key(&shown, "when", &f);
	assert_string_equal(shown.buf, "votes3mon");
	strbuf_release(&shown);
	end(&fx);
}

static void
test_changes(void **state)
{
	struct subscriber a = { .name = "Ada",
		.when = "daily",
		.timezone = "",
		.language = "en",
		.limit = 10,
		.max_papers = 25,
		.outside = 3 };
	struct subscriber b = a;
	struct strbuf out;

	(void)state;
	strbuf_init(&out, 4096);
	config_add_reader_changes(&out, &a, &b);
	assert_string_equal(out.buf, "");
	b.name = "Bob";
	b.limit = 11;
	b.empty = EMPTY_NEVER;
	b.paused_until = 20000;
	config_add_reader_changes(&out, &a, &b);
	assert_string_equal(out.buf, "name, limit, empty, paused-until");
	strbuf_release(&out);
}

/* ---- blocks ---- */

static const char *const odd[] = { "plain", "", " ", "a \"b\" 'c'", "\\", "\\n \\\\",
	"${HOME} $x $", "# no comment", "} subscriber \"x@y\" {", "tab\there", "two\nlines\n",
	"Zoë 😀", "{a, b}", "\"", "'", "=" };

enum { NODD = sizeof(odd) / sizeof(odd[0]) };

/* What the parser reads out of the blocks, to be compared with what was printed. */
struct compared {
	const struct subscriber *want;
	size_t n;
};

static int
compare(void *arg, const struct subscriber *got, bool good)
{
	struct compared *c = arg;
	const struct subscriber *want = &c->want[c->n++];

	assert_true(good);
	assert_string_equal(got->address, want->address);
	assert_string_equal(got->name, want->name);
	assert_string_equal(got->when, want->when);
	assert_string_equal(got->timezone, want->timezone);
	assert_string_equal(got->language, want->language);
	assert_int_equal(got->limit, want->limit);
	assert_int_equal(got->max_papers, want->max_papers);
	assert_int_equal(got->outside, want->outside);
	assert_int_equal(got->empty, want->empty);
	assert_int_equal(got->updates, want->updates);
	assert_int_equal(got->paused_until, want->paused_until);
	assert_int_equal(got->nfilters, want->nfilters);
	for (size_t i = 0; i < want->nfilters; i++) {
		assert_string_equal(got->filters[i].name, want->filters[i].name);
		assert_string_equal(got->filters[i].match, want->filters[i].match);
		assert_string_equal(got->filters[i].when, want->filters[i].when);
		assert_int_equal(got->filters[i].limit, want->filters[i].limit);
		assert_int_equal(got->filters[i].sort, want->filters[i].sort);
	}
	return 0;
}

/* One reader with each odd text in every place that takes it. */
static void
fill(struct fixture *fx, struct subscriber *s, size_t i)
{
	struct filter *f = arena_array(&fx->a, 2, sizeof(*f));

	assert_non_null(f);
	*s = fx->cfg->defaults;
	s->address = arena_printf(&fx->a, "r%zu@example.org", i);
	s->name = odd[i];
	s->language = i % 2 == 0 ? "en" : odd[i];
	s->timezone = i % 3 == 0 ? "Europe/London" : fx->cfg->defaults.timezone;
	s->when = i % 4 == 0 ? "daily" : odd[(i + 1) % NODD];
	s->limit = (uint32_t)(1 + i);
	s->outside = (uint32_t)(i % 5);
	s->empty = (enum empty_policy)(i % 3);
	s->updates = (enum updates_policy)(i % 3);
	s->paused_until = i % 2 == 0 ? 0 : 20000 + (int32_t)i;
	f[0] = (struct filter){ .name = odd[i][0] != '\0' ? odd[i] : "f",
		.match = odd[i][0] != '\0' ? odd[i] : "x",
		.when = i % 2 == 0 ? "" : "mon",
		.limit = (uint32_t)(i % 4),
		.sort = (enum sort_order)(i % 5) };
	f[1] = (struct filter){ .name = "hot", .match = "@\"hot\"", .when = "" };
	s->filters = f;
	s->nfilters = 1 + i % 2;
}

static void
test_blocks(void **state)
{
	static const char *const heads[] = {
		"list { from = \"me@example.org\" }\nfilter \"hot\" { match = '*' }\n",
		"list { from = \"me@example.org\" }\nfilter \"hot\" { match = '*' }\n"
		"defaults { use = {hot} limit = 4 timezone = Europe/London name = \"dear reader\" "
		"empty = note outside = 9 when = always }\n",
	};
	struct subscriber readers[NODD];
	struct compared c;
	struct strbuf text;
	struct fixture fx;
	struct config *again;

	(void)state;
	strbuf_init(&text, 1 << 20);
	for (size_t h = 0; h < sizeof(heads) / sizeof(heads[0]); h++) {
		begin(&fx, heads[h]);
		strbuf_reset(&text);
		strbuf_add(&text, heads[h]);
		for (size_t i = 0; i < NODD; i++) {
			fill(&fx, &readers[i], i);
			config_add_reader(&text, fx.cfg, &readers[i]);
		}
		again = load(text.buf, &fx.err);
		assert_int_equal(again->nreader_errors, 0);
		c = (struct compared){ readers, 0 };
		assert_int_equal(config_each_reader(again, compare, &c, &fx.err), 0);
		assert_int_equal(c.n, NODD);
		config_free(again);
		end(&fx);
	}
	strbuf_release(&text);
}

static void
test_default_use(void **state)
{
	struct fixture fx;

	(void)state;
	begin(&fx,
	    "list { from = \"me@example.org\" }\nfilter \"hot\" { match = '*' }\nfilter "
	    "\"b c\" { match = x }\ndefaults { use = {hot, \"b c\"} }\n");
	assert_int_equal(fx.cfg->ndefault_use, 2);
	assert_string_equal(fx.cfg->default_use[0], "hot");
	assert_string_equal(fx.cfg->default_use[1], "b c");
	end(&fx);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set_keys),
		cmocka_unit_test(test_filter_keys),
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_default_use),
	};

	return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
