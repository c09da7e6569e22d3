/* The set of templates: words and languages, files of a user, URLs, sizes, and the manual. */
#include "render_fixture.h"

static void
test_urls(void **state)
{
	static const struct {
		const char *url, *want;
	} cases[] = {
		{ "https://arxiv.org/abs/2611.01234", "https://arxiv.org/abs/2611.01234" },
		{ "HTTP://x.example/?a=b&c=%20#d", "HTTP://x.example/?a=b&c=%20#d" },
		{ "https://x.example/a b\"<>'\\^`{|}",
		    "https://x.example/a%20b%22%3C%3E%27%5C%5E%60%7B%7C%7D" },
		{ "https://x.example/100%", "https://x.example/100%25" },
		{ "https://x.example/%zz", "https://x.example/%25zz" },
		{ "https://x.example/é\n", "https://x.example/%C3%A9%0A" },
		{ "https://[2001:db8::1]/", "https://[2001:db8::1]/" },
		{ "", "#" },
		{ "https://", "#" },
		{ "https:///etc/passwd", "#" },
		{ "https://?x", "#" },
		{ "ftp://x.example/", "#" },
		{ "javascript:alert(1)", "#" },
		{ " https://x.example/", "#" },
		{ "mailto:x@y.example", "#" },
		{ "x", "#" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct strbuf sb;

		strbuf_init(&sb, 1000);
		render_add_url(&sb, cases[i].url);
		if (strcmp(sb.buf, cases[i].want) != 0)
			fail_msg("row %zu: '%s', expected '%s'", i, sb.buf, cases[i].want);
		strbuf_release(&sb);
	}
}

static void
test_german(void **state)
{
	struct fixture *f = *state;
	struct edition_view view = sample_view(f);

	f->reader.language = "de-AT";
	draw(f, &view);
	check_html(f->out.html.buf);
	check_text(f->out.text.buf);
	assert_string_equal(
	    f->out.subject.buf, "Splatting at 900 frames per second on a phone + 5 weitere");
	assert_has(f->out.html.buf, "<html lang=\"de\"");
	assert_has(f->out.html.buf, " lang=\"en\"");
	assert_has(f->out.html.buf, "Freitag, 20. November 2026");
	assert_has(f->out.html.buf, "Code 1.340★");
	f->reader.language = "tlh";
	draw(f, &view);
	assert_has(f->out.html.buf, "<html lang=\"en\"");
}

static void
test_plurals(void **state)
{
	static const struct {
		const char *rule;
		size_t nforms;
		int64_t n;
		const char *want;
	} cases[] = {
		{ "none", 1, 1, "1 a" },
		{ "none", 1, 5, "5 a" },
		{ "one", 2, 0, "0 b" },
		{ "one", 2, 1, "1 a" },
		{ "one", 2, 1234567, "1,234,567 b" },
		{ "zero-one", 2, 0, "0 a" },
		{ "zero-one", 2, 1, "1 a" },
		{ "zero-one", 2, 2, "2 b" },
		{ "slavic", 3, 1, "1 a" },
		{ "slavic", 3, 3, "3 b" },
		{ "slavic", 3, 11, "11 c" },
		{ "slavic", 3, 21, "21 a" },
		{ "slavic", 3, 112, "112 c" },
		{ "polish", 3, 21, "21 c" },
		{ "polish", 3, 22, "22 b" },
	};
	static const char *const forms[] = { "{n} a", "{n} a | {n} b", "{n} a | {n} b | {n} c" };
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct strings *s = NULL;
		struct strbuf sb;
		const char *text = arena_printf(&f->papers, "plural = %s\nvotes = %s\n",
		    cases[i].rule, forms[cases[i].nforms - 1]);

		strbuf_init(&sb, 100);
		assert_non_null(text);
		assert_int_equal(strings_parse(&f->papers, "xx", text, strlen(text),
				     set_find_words(f->render, "en"), NULL, &s, NULL),
		    0);
		strings_add_count(&sb, s, "votes", cases[i].n, NULL);
		if (strcmp(sb.buf, cases[i].want) != 0)
			fail_msg("row %zu: '%s', expected '%s'", i, sb.buf, cases[i].want);
		strbuf_release(&sb);
	}
}

/* Files of a user. */

static void
write_file(const char *dir, const char *name, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(file_write(path, 0644, text, strlen(text), NULL), 0);
}

static void
remove_file(const char *dir, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	remove(path);
}

static void
test_user_files(void **state)
{
	static const struct {
		const char *name, *text, *want; /* the end of the message, or "" */
	} cases[] = {
		{ "card.html", "<p>{{paper.title}}</p>", "" },
		{ "card.html~", "{{", "" },
		{ "README.md", "{{", "" },
		{ "fr.strings", "lang = fr\nplural = zero-one\nmanage = Gérer\n", "" },
		{ "en.strings", "manage = Settings\n", "" },
		{ "card.html", "a\n{{paper.titel}}",
		    "card.html:2:1: nothing is called 'titel'; expected a name of "
		    "digest-template(7), perhaps 'title'" },
		{ "card.html", "{{subscriber.name}}",
		    "card.html:1:1: 'subscriber' in a card; a card sees only paper, list and "
		    "text" },
		{ "card.html", "{{#paper.links}}{{why}}{{/paper.links}}",
		    "card.html:1:17: 'why' in a card; a card sees only paper, list and text" },
		{ "card.html", "{{> header.html}}",
		    "card.html:1:1: 'header.html' in a card; expected another card template" },
		{ "digest.html", "{{> heder.html}}",
		    "digest.html:1:1: no template is called 'heder.html'; expected one of 'digest "
		    "template list', perhaps 'header.html'" },
		{ "card.html", "{{> car.html}}",
		    "card.html:1:1: no template is called 'car.html'; expected one of 'digest "
		    "template list', perhaps 'card.html'" },
		{ "digest.html", "{{> en.strings}}", "digest.html:1:1: no template is called" },
		{ "digest.txt", "{{text.manege}}",
		    "digest.txt:1:1: no text is called 'manege'; expected a key of en.strings, "
		    "perhaps 'manage'" },
		{ "digest.txt", "{{#sections}}",
		    "digest.txt:1:1: section 'sections' does not end; expected '/sections'" },
		{ "crad.html", "x",
		    "crad.html: no template has this name; see 'digest template list', perhaps "
		    "'card.html'" },
		{ "fr.strings", "lang = fr\nmanege = x\n",
		    "fr.strings:2:1: no text is called 'manege'; expected one of en.strings, "
		    "perhaps 'manage'" },
		{ "fr.strings", "lang fr", "fr.strings:1:1: no '='; expected 'key = text'" },
		{ "fr.strings", "dir = up", "fr.strings:1:1: dir: 'up'; expected ltr or rtl" },
		{ "fr.strings", "months = a b", "fr.strings:1:1: months: 2 words; expected 12" },
		{ "fr.strings", "plural = two",
		    "fr.strings:1:1: plural: 'two'; expected none, one, zero-one, slavic or "
		    "polish" },
		{ "fr.strings", "\nlang = f r",
		    "fr.strings:2:1: lang: 'f r'; expected a language tag" },
		{ "fr.strings", "thousands = apart",
		    "fr.strings:1:1: thousands: 'apart'; expected one" },
		{ "fr.strings", "why = {wrods}",
		    "fr.strings:1:1: why: nothing is called {wrods}; expected those of "
		    "en.strings" },
		{ "fr.strings", "date = {jour}",
		    "fr.strings:1:1: date: nothing is called {jour}; expected {weekday} {day} "
		    "{month} "
		    "{year}" },
		{ "fr.strings",
		    "date = {day}/{month}/{year}\nwhy = {words} {brace\noutside = a | b", "" },
		{ "fr.strings", "votes = a | b | {n} c",
		    "fr.strings:1:1: votes: 3 forms; plural = one has 2" },
		{ "fr.strings", "\xef\xbb\xbfmanage = x\r\nwhy = y\r\n", "" },
		{ "card.html", "a\nb\xe9", "card.html:2:2: byte 0xe9 is no text; expected UTF-8" },
		{ "fr.strings", "dir = ltr\ndir = ltr",
		    "fr.strings:2:1: 'dir' a second time; expected each text once" },
	};
	char dir[] = "/tmp/digest-render-XXXXXX";

	(void)state;
	assert_non_null(mkdtemp(dir));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct error err = { 0 };
		struct render *r = NULL;
		int rc;

		write_file(dir, cases[i].name, cases[i].text);
		rc = render_new(dir, &r, &err);
		if ((rc == 0) != (cases[i].want[0] == '\0') ||
		    strstr(err.msg, cases[i].want) == NULL)
			fail_msg("row %zu: '%s', expected '%s'", i, err.msg, cases[i].want);
		render_free(r);
		remove_file(dir, cases[i].name);
	}
	assert_int_equal(remove(dir), 0);
	assert_int_equal(render_new(dir, &(struct render *){ NULL }, NULL), -1);
}

static void
test_override_is_used(void **state)
{
	struct fixture *f = *state;
	char dir[] = "/tmp/digest-render-XXXXXX";
	struct edition_view view = new_view(f, 3, 1);
	const struct render_template *t;

	assert_non_null(mkdtemp(dir));
	write_file(dir, "card.html", "<p>MINE {{paper.title}} {{text.manage}}</p>");
	write_file(dir, "en.strings", "manage = Settings\n");
	render_free(f->render);
	f->render = NULL;
	assert_int_equal(render_new(dir, &f->render, &f->err), 0);
	draw(f, &view);
	assert_int_equal(count(f->out.html.buf, "MINE Learning"), 3);
	assert_int_equal(count(f->out.html.buf, "Settings</p>"), 3);
	for (t = render_templates(f->render); strcmp(t->name, "card.html") != 0; t++)
		assert_true(t->help[0] != '\0' && t->len > 0 && t->path == NULL);
	assert_has(t->path, dir);
	remove_file(dir, "card.html");
	remove_file(dir, "en.strings");
	remove(dir);
}

/* A template of a user that is too large by itself fails that edition, and says so. */
static void
test_template_above_budget(void **state)
{
	struct fixture *f = *state;
	char dir[] = "/tmp/digest-render-XXXXXX";
	struct edition_view view = new_view(f, 3, 0);
	char *text = malloc(MAX_HTML_BYTES + 2);

	assert_non_null(text);
	assert_non_null(mkdtemp(dir));
	memset(text, 'x', MAX_HTML_BYTES + 1);
	text[MAX_HTML_BYTES + 1] = '\0';
	write_file(dir, "footer.html", text);
	free(text);
	render_free(f->render);
	f->render = NULL;
	assert_int_equal(render_new(dir, &f->render, &f->err), 0);
	assert_int_equal(render_edition(f->render, &view, &f->scratch, &f->out, &f->err), -1);
	assert_string_equal(f->err.msg, "digest.html: more than 80000 bytes without any paper");
	remove_file(dir, "footer.html");
	remove(dir);
}

/* Names: each that the context makes is known to the check of templates and stands in the manual. */
static void
check_names(const char *manual, const struct value *v)
{
	const char *name;

	if (value_base(v) != NULL)
		check_names(manual, value_base(v));
	for (size_t i = 0; i < value_count(v); i++)
		check_names(manual, value_item(v, i));
	for (size_t i = 0; i < value_member_count(v); i++) {
		const struct value *member = value_member_at(v, i, &name);
		const struct context_name *known = context_names;
		char entry[100];

		while (known->name != NULL && strcmp(known->name, name) != 0)
			known++;
		if (known->name == NULL)
			fail_msg("'%s' is not among the names of context.c", name);
		snprintf(entry, sizeof(entry), ".It Va %s\n", name);
		if (strstr(manual, entry) == NULL)
			fail_msg("'%s' is not in the manual", name);
		if (strcmp(name, "text") != 0)
			check_names(manual, member);
	}
}

static void
test_sentences(void **state)
{
	static const struct {
		const char *language, *want;
		struct sentence s;
	} cases[] = {
		{ "en", "None of the 1,200 new papers matches your filters.",
		    { "note-no-match", 1200, "", 0, 0 } },
		{ "en", "The one new paper matches none of your filters.",
		    { "note-no-match", 1, "", 0, 0 } },
		{ "en", "hf is only half filled on 20 Nov: 7 of about 30.",
		    { "silence-half", 7, "hf", 20777, 30 } },
		{ "de", "hf ist seit dem 20. November nicht lesbar.",
		    { "silence-down", 0, "hf", 20777, 0 } },
		{ "de-AT", "a b listet am Wochenende nichts.",
		    { "silence-weekend", 0, "a\n\033b", 0, 0 } },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct strbuf sb;

		strbuf_init(&sb, 1000);
		render_add_sentence(f->render, cases[i].language, &cases[i].s, &sb);
		assert_string_equal(sb.buf, cases[i].want);
		render_add_sentence(f->render, cases[i].language, &cases[i].s, &sb);
		assert_int_equal(sb.len, 2 * strlen(cases[i].want) + 1);
		strbuf_release(&sb);
	}
}

/* Papers that came near stand below a heading of their own, are not said to match, and have no number. */
static void
test_near_misses(void **state)
{
	struct fixture *f = *state;
	struct edition_view view = sample_view(f);
	struct section_view near = view.sections[0];

	near.near = true;
	near.name = near.query = "";
	near.cut = near.picks;
	near.ncut = near.npicks;
	near.picks = NULL;
	near.npicks = near.nmore = 0;
	view.sections = &near;
	view.nsections = 1;
	view.nshown = view.ncut = 0;
	draw(f, &view);
	assert_non_null(strstr(f->out.text.buf, "== Nearest to your filters =="));
	assert_non_null(strstr(f->out.html.buf, "Nearest to your filters"));
	assert_null(strstr(f->out.text.buf, "Also matched"));
	assert_null(strstr(f->out.html.buf, "Also matched"));
	assert_non_null(strstr(f->out.text.buf, near.cut[0].paper->title));
}

static void
test_manual_names_the_context(void **state)
{
	struct fixture *f = *state;
	struct edition_view view = sample_view(f);
	struct value *context = render_context(f->render, &view, &f->scratch);
	struct strbuf manual, json;

	strbuf_init(&manual, 1 << 20);
	strbuf_init(&json, 1 << 20);
	assert_non_null(context);
	assert_int_equal(file_read("man/digest-template.7", &manual, &f->err), 0);
	check_names(manual.buf, context);
	for (const struct context_name *n = context_names; n->name != NULL; n++) {
		char entry[100];

		snprintf(entry, sizeof(entry), ".It Va %s\n", n->name);
		assert_has(manual.buf, entry);
	}
	for (const struct render_template *t = render_templates(f->render); t->name != NULL; t++)
		assert_has(manual.buf, t->name);
	value_add_json(&json, context);
	assert_int_equal(strbuf_check(&json, NULL), 0);
	assert_has(json.buf, "\"number\":6,");
	assert_has(json.buf, "\"name\":\"Radiance fields\"");
	strbuf_release(&manual);
	strbuf_release(&json);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_urls, setup, teardown),
		cmocka_unit_test_setup_teardown(test_german, setup, teardown),
		cmocka_unit_test_setup_teardown(test_plurals, setup, teardown),
		cmocka_unit_test_setup_teardown(test_user_files, setup, teardown),
		cmocka_unit_test_setup_teardown(test_override_is_used, setup, teardown),
		cmocka_unit_test_setup_teardown(test_template_above_budget, setup, teardown),
		cmocka_unit_test_setup_teardown(test_manual_names_the_context, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sentences, setup, teardown),
		cmocka_unit_test_setup_teardown(test_near_misses, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
