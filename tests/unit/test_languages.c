/* Languages: every translation is whole, every word of a mail comes from the file of its language, and one that is wrong
 * stops nobody else. */
#include "render_fixture.h"

#include <dirent.h>
#include <stdio.h>

/* ---- translations that come with the program ---- */

struct texts {
	char *bytes;
	char *keys[200], *texts[200];
	size_t len;
};

/* The lines of a file as plainly as can be, to hold the parser to. */
static void
read_texts(struct texts *t, const char *name)
{
	struct strbuf sb;
	char path[300], *line, *rest;

	strbuf_init(&sb, 1 << 20);
	snprintf(path, sizeof(path), "templates/%s", name);
	assert_int_equal(file_read(path, &sb, NULL), 0);
	memset(t, 0, sizeof(*t));
	t->bytes = rest = strbuf_detach(&sb);
	while ((line = strsep(&rest, "\n")) != NULL) {
		char *equals = strstr(line, " =");

		if (line[0] == '#' || equals == NULL)
			continue;
		*equals = '\0';
		assert_true(t->len < 200);
		t->keys[t->len] = line;
		t->texts[t->len++] = equals + 2 + strspn(equals + 2, " ");
	}
}

static const char *
find_text(const struct texts *t, const char *key)
{
	for (size_t i = 0; i < t->len; i++)
		if (strcmp(t->keys[i], key) == 0)
			return t->texts[i];
	return NULL;
}

/* Every {name} of one text stands in the other. */
static void
check_words(const char *file, const char *key, const char *text, const char *other)
{
	for (const char *open = text; (open = strchr(open, '{')) != NULL; open++) {
		char word[100];

		snprintf(word, sizeof(word), "%.*s}", (int)strcspn(open, "}"), open);
		if (strstr(other, word) == NULL)
			fail_msg("%s: %s: %s stands on one side alone", file, key, word);
	}
}

static size_t
count_forms(const char *text)
{
	return count(text, "|") + 1;
}

static void
check_translation(const struct texts *en, const char *file)
{
	struct texts t;

	read_texts(&t, file);
	for (size_t i = 0; i < en->len; i++) {
		const char *key = en->keys[i], *text = find_text(&t, key);

		if (text == NULL)
			fail_msg("%s: '%s' is missing", file, key);
		if (text[0] == '\0' && strcmp(key, "thousands") != 0)
			fail_msg("%s: '%s' is empty", file, key);
		if (strncmp(key, "date", 4) == 0)
			continue; /* its words are checked when it is loaded */
		check_words(file, key, en->texts[i], text);
		check_words(file, key, text, en->texts[i]);
		/* Where the English has two forms, so has one with the same rule, or both are alike. */
		if (count_forms(text) > 1 && count_forms(en->texts[i]) == 1)
			fail_msg("%s: '%s' has forms, but nothing is counted", file, key);
	}
	for (size_t i = 0; i < t.len; i++)
		if (find_text(en, t.keys[i]) == NULL)
			fail_msg("%s: '%s' is no key of en.strings", file, t.keys[i]);
	free(t.bytes);
}

static void
test_translations_are_whole(void **state)
{
	struct fixture *f = *state;
	const struct render_template *r = render_templates(f->render);
	struct texts en;
	size_t n = 0;

	read_texts(&en, "en.strings");
	assert_true(en.len > 50);
	for (; r->name != NULL; r++)
		if (strstr(r->name, ".strings") != NULL && strcmp(r->name, "en.strings") != 0) {
			check_translation(&en, r->name);
			n++;
		}
	assert_true(n >= 1);
	free(en.bytes);
}

/* Every file of templates/ is built in: one that is not in the table of builtin.c would be forgotten. */
static void
test_all_files_are_built_in(void **state)
{
	struct fixture *f = *state;
	DIR *d = opendir("templates");
	const struct dirent *e;

	assert_non_null(d);
	while ((e = readdir(d)) != NULL) {
		const struct render_template *t = render_templates(f->render);

		while (t->name != NULL && strcmp(t->name, e->d_name) != 0)
			t++;
		if (e->d_name[0] != '.' && t->name == NULL)
			fail_msg("templates/%s is not built in", e->d_name);
	}
	closedir(d);
}

static void
test_numbers_and_dates(void **state)
{
	static const struct {
		const char *language, *number, *date_long, *date, *date_short;
	} cases[] = {
		{ "en", "1,234,567", "Friday 20 Nov 2026", "20 Nov 2026", "20 Nov" },
		{ "de", "1.234.567", "Freitag, 20. November 2026", "20. November 2026",
		    "20. November" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct strings *s = set_find_words(f->render, cases[i].language);
		const char *keys[] = { "date-long", "date", "date-short" };
		const char *wanted[] = { cases[i].date_long, cases[i].date, cases[i].date_short };
		struct strbuf sb;

		strbuf_init(&sb, 1000);
		strings_add_count(&sb, s, "number", 1234567, NULL);
		assert_string_equal(sb.buf, cases[i].number);
		for (size_t k = 0; k < 3; k++) {
			strbuf_reset(&sb);
			strings_add_date(&sb, s, keys[k], 20777);
			if (strcmp(sb.buf, wanted[k]) != 0)
				fail_msg("row %zu: %s: '%s', expected '%s'", i, keys[k], sb.buf,
				    wanted[k]);
		}
		strbuf_release(&sb);
	}
}

/* ---- languages of a user ---- */

/* The set again, with these files in a folder of a user; "" = loaded without a fault of a template. */
static void
load_files(struct fixture *f, const char *const (*files)[2])
{
	char dir[] = "/tmp/digest-words-XXXXXX", path[300];

	assert_non_null(mkdtemp(dir));
	for (size_t i = 0; files[i][0] != NULL; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, files[i][0]);
		assert_int_equal(file_write(path, 0644, files[i][1], strlen(files[i][1]), NULL), 0);
	}
	render_free(f->render);
	f->render = NULL;
	assert_int_equal(render_load(dir, &f->render, &f->err), 0);
	for (size_t i = 0; files[i][0] != NULL; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, files[i][0]);
		remove(path);
	}
	remove(dir);
}

/* What a file leaves out stays English; what it is called by is its language. */
static void
test_half_a_language(void **state)
{
	static const char *const files[][2] = {
		{ "fr.strings",
		    "# fr\nplural = zero-one\nunsubscribe = Se désabonner\nvotes = {n} vote | {n} "
		    "votes\n" },
		{ NULL, NULL },
	};
	struct fixture *f = *state;
	struct edition_view view = sample_view(f);

	load_files(f, files);
	assert_int_equal(render_check(f->render, &f->err), 0);
	assert_int_equal(render_check_language(f->render, "fr", &f->err), 0);
	f->reader.language = "fr-CA";
	draw(f, &view);
	assert_has(f->out.html.buf, "<html lang=\"fr\" dir=\"ltr\">");
	assert_has(f->out.html.buf, ">Se désabonner</a>");
	assert_has(f->out.html.buf, "read from");
	assert_has(f->out.text.buf, "Se désabonner: http");
}

/* From right to left: the whole mail, but for papers in a script that runs the other way. */
static void
test_right_to_left(void **state)
{
	static const char *const files[][2] = {
		{ "he.strings", "dir = rtl\nthousands =\nunsubscribe = ביטול\n" },
		{ NULL, NULL },
	};
	struct fixture *f = *state;
	struct edition_view view = new_view(f, 2, 0);

	load_files(f, files);
	f->reader.language = "he";
	paper_of(&view, 1)->title = "שדות קרינה";
	paper_of(&view, 1)->language = "he";
	view.nread = 12345;
	draw(f, &view);
	check_html(f->out.html.buf);
	assert_has(f->out.html.buf, "<html lang=\"he\" dir=\"rtl\">");
	/* Once for the page and once for the table, which some programs keep alone. */
	assert_int_equal(count(f->out.html.buf, "dir=\"rtl\""), 2);
	assert_true(count(f->out.html.buf, "dir=\"ltr\"") >= 1);
	assert_has(f->out.html.buf, "12345 papers");
	paper_of(&view, 1)->language = "";
	draw(f, &view);
	assert_has(f->out.html.buf, "<html lang=\"he\" dir=\"rtl\">");
	f->reader.language = "en";
	draw(f, &view);
	assert_has(f->out.html.buf, " lang=\"he\" dir=\"rtl\"");
}

static void
test_a_fault_stops_one_language(void **state)
{
	static const char *const files[][2] = {
		{ "fr.strings", "manage = Gérer\nwhy\n" },
		{ "pt.strings", "lang = p t\n" },
		{ NULL, NULL },
	};
	static const struct {
		const char *language, *want; /* the end of the message, or "" */
	} cases[] = {
		{ "en", "" },
		{ "de-AT", "" },
		{ "tlh", "" },
		{ "fr", "/fr.strings:2:1: no '='; expected 'key = text'" },
		{ "fr-CA", "/fr.strings:2:1: no '='; expected 'key = text'" },
		{ "pt",
		    "/pt.strings:1:1: lang: 'p t'; expected a language tag such as fr or pt-BR" },
	};
	struct fixture *f = *state;
	struct edition_view view = new_view(f, 1, 0);

	load_files(f, files);
	assert_int_equal(render_check(f->render, &f->err), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int rc = render_check_language(f->render, cases[i].language, &f->err);

		if ((rc == 0) != (cases[i].want[0] == '\0') ||
		    (rc == -1 && strstr(f->err.msg, cases[i].want) == NULL))
			fail_msg("row %zu: '%s', expected '%s'", i, f->err.msg, cases[i].want);
	}
	assert_true(render_has_language(f->render, "de-AT"));
	assert_true(render_has_language(f->render, "fr"));
	assert_false(render_has_language(f->render, "tlh"));
	f->reader.language = "de";
	draw(f, &view);
	assert_has(f->out.html.buf, "Abbestellen");
}

/* An own English that is wrong stops the mails in it, and those in languages that nobody knows. */
static void
test_own_english_with_a_fault(void **state)
{
	static const char *const files[][2] = { { "en.strings", "{{" }, { NULL, NULL } };
	struct fixture *f = *state;

	load_files(f, files);
	assert_int_equal(render_check(f->render, &f->err), 0);
	assert_int_equal(render_check_language(f->render, "en", &f->err), -1);
	assert_int_equal(render_check_language(f->render, "tlh", &f->err), -1);
	assert_int_equal(render_check_language(f->render, "de", &f->err), 0);
}

/* ---- every word comes from the file ---- */

/* A language without letters: each text is a snowman and its {words}. */
static void
make_snowmen(struct strbuf *out)
{
	struct texts en;

	read_texts(&en, "en.strings");
	strbuf_add(out,
	    "lang = zz\nthousands =\nmonths = 1 2 3 4 5 6 7 8 9 10 11 12\n"
	    "weekdays = 1 2 3 4 5 6 7\n");
	for (size_t i = 0; i < en.len; i++) {
		const char *key = en.keys[i];

		if (strstr("lang dir plural thousands months weekdays", key) != NULL)
			continue;
		strbuf_addf(out, "%s = ☃", key);
		for (const char *at = en.texts[i]; *at != '\0'; at++)
			if (*at == '|')
				strbuf_add(out, " | ☃");
			else if (*at == '{')
				strbuf_addf(out, " %.*s}", (int)strcspn(at, "}"), at);
		strbuf_addc(out, '\n');
	}
	free(en.bytes);
}

/* No letter but those of tags, entities and links. */
static void
check_no_letters(const char *part, const char *text)
{
	for (const char *at = text; *at != '\0'; at++) {
		if (strncmp(at, "<style>", 7) == 0)
			at = strstr(at, "</style>");
		if (*at == '<')
			at = strchr(at, '>');
		else if (*at == '&')
			at = strchr(at, ';');
		else if (strncmp(at, "http", 4) == 0 || strncmp(at, "mailto:", 7) == 0)
			at += strcspn(at, " \n") - 1;
		else if (isalpha((unsigned char)*at))
			fail_msg("%s: a fixed word: %.40s", part, at);
	}
}

/* Everything that an edition can hold, with data of digits. */
static struct edition_view
digits_view(struct fixture *f)
{
	static const char *const sources[] = { "1", "2", "3", "4", "5", "6", "7", "8" };
	static const char *const also_in[] = { "11", "22", "33", "44" };
	struct edition_view view = new_view(f, 4, 3);
	struct section_view *s = arena_array(&f->papers, 5, sizeof(*s));

	assert_non_null(s);
	view.list = (struct list_view){ "77", "1.2", "1@2", "9", "", false };
	f->reader.address = "1@2";
	f->reader.name = "5";
	for (size_t i = 0; i < 7; i++) {
		struct paper *p = paper_of(&view, i);
		struct pick_view *pick = pick_of(&view, i);

		p->title = "1 2 3";
		p->abstract = "4 5 6. 7 8 9.";
		p->language = "zz";
		p->votes = p->comments = p->stars = (int64_t)i;
		p->discussion_url = p->html_url = p->code_url = p->project_url = p->url;
		p->published_utc = 86400 * 20000;
		p->nauthors = i;
		p->authors = (const char **)(uintptr_t)sources;
		p->org = "6";
		p->summary = i < 2 ? "8 8." : "";
		p->summary_by = i == 0 ? "AI" : "3";
		pick->why = "5";
		pick->also_in = also_in;
		pick->nalso_in = i < 4 ? i : 4;
		pick->risen = pick->replaced = true;
		pick->withdrawn = i == 5;
		pick->new_version = i == 6 ? 2 : 0;
	}
	s[0] = view.sections[0];
	s[0].name = "8";
	s[0].nmore = 3;
	s[1] = s[2] = s[3] = s[0];
	s[1].outside = s[2].near = s[3].updates = true;
	s[2].npicks = s[3].npicks = 0;
	s[4] = s[0];
	s[4].name = DEFAULT_FILTER_NAME;
	view.sections = s;
	view.nsections = 5;
	view.sources = sources;
	view.nsources = 8;
	view.archive_url = "https://1.example/";
	return view;
}

static void
test_no_word_is_fixed(void **state)
{
	struct fixture *f = *state;
	static const char *const changes[] = { "change-file", "change-command", "change-mail",
		"change-link" };
	struct edition_view view = digits_view(f);
	struct strbuf words;

	strbuf_init(&words, 1 << 20);
	make_snowmen(&words);
	load_files(f, (const char *const[][2]){ { "zz.strings", words.buf }, { NULL, NULL } });
	strbuf_release(&words);
	f->reader.language = "zz";
	if (render_check_language(f->render, "zz", &f->err) == -1)
		fail_msg("%s", f->err.msg);
	for (int i = 0; i < 4; i++) {
		view.welcome = i < 4;
		view.change = changes[i];
		view.change_where = "6";
		view.note = i == 2 ? "4" : "";
		view.since_day = view.day - (i == 3);
		view.nsections = i == 2 ? 0 : 5;
		view.nshown = i == 2 ? 0 : 8;
		draw(f, &view);
		check_no_letters("html", strstr(f->out.html.buf, "<html"));
		check_no_letters("text", f->out.text.buf);
		check_no_letters("subject", f->out.subject.buf);
		assert_has(f->out.text.buf, "☃");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_translations_are_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(test_all_files_are_built_in, setup, teardown),
		cmocka_unit_test_setup_teardown(test_numbers_and_dates, setup, teardown),
		cmocka_unit_test_setup_teardown(test_half_a_language, setup, teardown),
		cmocka_unit_test_setup_teardown(test_right_to_left, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_fault_stops_one_language, setup, teardown),
		cmocka_unit_test_setup_teardown(test_own_english_with_a_fault, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_word_is_fixed, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
