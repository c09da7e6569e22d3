/* The Mustache engine: the cases of the specification, our own table, errors with their place, and bombs. */
#include "digest/template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "digest/limits.h"

enum { MAX_PARTIALS = 8 };

struct partials {
	const char *names[MAX_PARTIALS];
	struct template *templates[MAX_PARTIALS];
	size_t len;
};

static const struct template *
find_partial(void *arg, const char *name)
{
	struct partials *p = arg;

	for (size_t i = 0; i < p->len; i++)
		if (strcmp(p->names[i], name) == 0)
			return p->templates[i];
	return NULL;
}

static void
free_partials(struct partials *p)
{
	while (p->len > 0)
		template_free(p->templates[--p->len]);
}

static struct value *
from_json(struct arena *a, const json_t *j)
{
	struct value *v;
	const char *key;
	json_t *item;
	size_t i;

	switch (json_typeof(j)) {
	case JSON_OBJECT:
		v = value_object(a);
		json_object_foreach((json_t *)(uintptr_t)j, key, item)
		    value_set(a, v, key, from_json(a, item));
		return v;
	case JSON_ARRAY:
		v = value_list(a);
		json_array_foreach(j, i, item) value_append(a, v, from_json(a, item));
		return v;
	case JSON_STRING:
		return value_string(a, json_string_value(j));
	case JSON_INTEGER:
		return value_number(a, json_integer_value(j));
	case JSON_REAL:
		return value_string(a, arena_printf(a, "%g", json_real_value(j)));
	case JSON_TRUE:
	case JSON_FALSE:
		return value_bool(a, json_is_true(j));
	default:
		return value_null(a);
	}
}

/* One case of the specification; returns false and says which when it fails. */
static bool
run_spec_case(const char *file, const json_t *test)
{
	const char *text = json_string_value(json_object_get(test, "template"));
	const char *want = json_string_value(json_object_get(test, "expected"));
	struct partials partials = { .len = 0 };
	struct template *t = NULL;
	struct error err = { 0 };
	struct strbuf out;
	struct arena a;
	const char *key;
	json_t *item;
	bool good = false;

	arena_init(&a, 1 << 20);
	strbuf_init(&out, MAX_RENDER_BYTES);
	json_object_foreach(json_object_get(test, "partials"), key, item)
	{
		const char *s = json_string_value(item);

		assert_true(partials.len < MAX_PARTIALS);
		partials.names[partials.len] = key;
		assert_int_equal(template_compile(key, s, strlen(s), TEMPLATE_HTML,
				     &partials.templates[partials.len], &err),
		    0);
		partials.len++;
	}
	if (template_compile("t", text, strlen(text), TEMPLATE_HTML, &t, &err) == 0 &&
	    template_render(t, from_json(&a, json_object_get(test, "data")), find_partial,
		&partials, &out, &err) == 0)
		good = strcmp(out.buf, want) == 0;
	if (!good)
		print_error("%s: '%s': got '%s', expected '%s' %s\n", file,
		    json_string_value(json_object_get(test, "name")), out.buf, want, err.msg);
	template_free(t);
	free_partials(&partials);
	strbuf_release(&out);
	arena_release(&a);
	return good;
}

/* Every file of the specification: what it is about, or why it is left out. */
static const struct {
	const char *file, *left_out;
} spec_files[] = {
	{ "comments.json", NULL },
	{ "delimiters.json", NULL },
	{ "interpolation.json", NULL },
	{ "inverted.json", NULL },
	{ "partials.json", NULL },
	{ "sections.json", NULL },
	{ "~dynamic-names.json", "optional module: data would name the file to draw" },
	{ "~inheritance.json", "optional module: partials and files of the same name do this" },
	{ "~lambdas.json", "optional module: data would be code" },
};

static const char *
why_left_out(const char *file)
{
	for (size_t i = 0; i < sizeof(spec_files) / sizeof(spec_files[0]); i++)
		if (strcmp(spec_files[i].file, file) == 0)
			return spec_files[i].left_out;
	fail_msg("%s: a file of the specification that no test knows of", file);
	return NULL;
}

/* All cases of one file; adds to what passed, failed and was left out. */
static void
run_spec_file(const char *dir, const char *file, size_t counts[3])
{
	const char *left_out = why_left_out(file);
	size_t k, npassed = 0, n;
	char path[800];
	json_t *spec, *tests, *test;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	spec = json_load_file(path, 0, NULL);
	tests = json_object_get(spec, "tests");
	n = json_array_size(tests);
	if (n == 0)
		fail_msg("%s: no cases", path);
	if (left_out != NULL) {
		print_message("%-20s %2zu cases left out: %s\n", file, n, left_out);
		counts[2] += n;
	} else {
		json_array_foreach(tests, k, test) npassed += run_spec_case(file, test);
		print_message("%-20s %2zu of %2zu cases passed\n", file, npassed, n);
		counts[0] += npassed;
		counts[1] += n - npassed;
	}
	json_decref(spec);
}

static void
test_specification(void **state)
{
	const char *corpus = getenv("DIGEST_CORPUS");
	size_t counts[3] = { 0 };
	char dir[400];
	const struct dirent *e;
	DIR *d;

	(void)state;
	if (corpus == NULL) {
		print_message("DIGEST_CORPUS is not set: the Mustache specification is not run\n");
		skip();
	}
	snprintf(dir, sizeof(dir), "%s/mustache", corpus);
	d = opendir(dir);
	if (d == NULL)
		fail_msg("%s: cannot be read", dir);
	while ((e = readdir(d)) != NULL)
		if (strstr(e->d_name, ".json") != NULL)
			run_spec_file(dir, e->d_name, counts);
	closedir(d);
	print_message("Mustache specification: %zu passed, %zu failed, %zu left out\n", counts[0],
	    counts[1], counts[2]);
	assert_int_equal(counts[1], 0);
	assert_true(counts[0] >= 136); /* as many as version 1.4 has */
}

/* Render one template on JSON data; returns what template_compile or template_render did. */
static int
render(const char *text, const char *json, enum template_escape escape, struct strbuf *out,
    struct error *err)
{
	json_t *data = json_loads(json, JSON_DECODE_ANY, NULL);
	struct template *t = NULL;
	struct arena a;
	int rc;

	assert_non_null(data);
	arena_init(&a, 1 << 20);
	rc = template_compile("t", text, strlen(text), escape, &t, err);
	if (rc == 0)
		rc = template_render(t, from_json(&a, data), NULL, NULL, out, err);
	template_free(t);
	arena_release(&a);
	json_decref(data);
	return rc;
}

static void
test_own_cases(void **state)
{
	static const struct {
		const char *text, *json;
		enum template_escape escape;
		const char *want;
	} cases[] = {
		{ "", "{}", TEMPLATE_HTML, "" },
		{ "a{{x}}b", "{\"x\":\"<'\\\"&>\"}", TEMPLATE_HTML, "a&lt;&#39;&quot;&amp;&gt;b" },
		{ "{{x}}", "{\"x\":\"<b> & c\"}", TEMPLATE_TEXT, "<b> & c" },
		{ "{{x}}", "{\"x\":\"a\\r\\nBcc: b\\u2028c\"}", TEMPLATE_HEADER, "a  Bcc: b c" },
		{ "{{x}}{{{x}}}", "{\"x\":\"{{y}}\",\"y\":\"no\"}", TEMPLATE_HTML, "{{y}}{{y}}" },
		{ "{{n}} {{m}}", "{\"n\":-9007199254740993,\"m\":0}", TEMPLATE_HTML,
		    "-9007199254740993 0" },
		{ "{{b}}{{c}}", "{\"b\":true,\"c\":false}", TEMPLATE_HTML, "truefalse" },
		{ "{{#n}}yes{{/n}}{{^n}}no{{/n}}", "{\"n\":0}", TEMPLATE_HTML, "no" },
		{ "{{#s}}yes{{/s}}{{^s}}no{{/s}}", "{\"s\":\"\"}", TEMPLATE_HTML, "no" },
		{ "{{#o}}{{a}}{{/o}}", "{\"o\":{\"a\":1}}", TEMPLATE_HTML, "1" },
		{ "{{#l}}{{.}},{{/l}}", "{\"l\":[1,\"b\",null]}", TEMPLATE_HTML, "1,b,," },
		{ "{{o.a.b}}", "{\"o\":{\"a\":{\"b\":\"x\"}}}", TEMPLATE_HTML, "x" },
		{ "{{o.a.b}}", "{\"o\":{},\"a\":{\"b\":\"x\"}}", TEMPLATE_HTML, "" },
		{ "{{o}}{{l}}", "{\"o\":{\"a\":1},\"l\":[1]}", TEMPLATE_HTML, "" },
		{ "  {{#x}}\r\n a\r\n  {{/x}}\r\nb", "{\"x\":1}", TEMPLATE_HTML, " a\r\nb" },
		{ "{{=<% %>=}}<% x %>{{x}}<%={{ }}=%>{{x}}", "{\"x\":1}", TEMPLATE_HTML,
		    "1{{x}}1" },
		{ "a {{! b\n c }} d", "{}", TEMPLATE_HTML, "a  d" },
		{ "{{ # x }}y{{ / x }}", "{\"x\":1}", TEMPLATE_HTML, "y" },
		{ "} }} {", "{}", TEMPLATE_HTML, "} }} {" },
		/* Interpolation. */
		{ "{{{x}}}|{{&x}}|{{& x }}", "{\"x\":\"<&>\"}", TEMPLATE_HTML, "<&>|<&>|<&>" },
		{ " {{x}} \n", "{\"x\":1}", TEMPLATE_HTML, " 1 \n" },
		{ "{{x}}|{{a.b.c}}|{{{x}}}", "{}", TEMPLATE_HTML, "||" },
		{ "{{a.b}}", "{\"a\":[{\"b\":1}]}", TEMPLATE_HTML, "" },
		{ "{{#a}}{{b.c}}{{/a}}", "{\"a\":{\"b\":{}},\"b\":{\"c\":\"no\"}}", TEMPLATE_HTML,
		    "" },
		{ "{{#a}}{{b}}{{/a}}", "{\"a\":{\"b\":null},\"b\":2}", TEMPLATE_HTML, "" },
		/* Sections: what they take as true, where names are looked for, lines of their own. */
		{ "{{#a}}{{#b}}{{x}}{{y}}{{/b}}{{/a}}", "{\"a\":{\"x\":1},\"b\":{\"y\":2},\"x\":9}",
		    TEMPLATE_HTML, "12" },
		{ "{{#l}}{{n}}{{x}} {{/l}}",
		    "{\"l\":[{\"n\":1},{\"n\":2,\"x\":\"b\"}],\"x\":\"a\"}", TEMPLATE_HTML,
		    "1a 2b " },
		{ "{{#l}}({{#.}}{{.}}{{/.}}){{/l}}", "{\"l\":[[1,2],[],[3]]}", TEMPLATE_HTML,
		    "(12)()(3)" },
		{ "{{#a.b.c}}yes{{/a.b.c}}{{^a.b.d}}no{{/a.b.d}}", "{\"a\":{\"b\":{\"c\":true}}}",
		    TEMPLATE_HTML, "yesno" },
		{ "{{#x}}a{{/x}}b{{#x}}c{{/x}}", "{\"x\":\"text\"}", TEMPLATE_HTML, "abc" },
		{ "{{#x}}no{{/x}}{{^x}}yes{{/x}}", "{\"x\":[]}", TEMPLATE_HTML, "yes" },
		{ "a\n{{#x}}\nb\n{{/x}}\nc\n", "{\"x\":1}", TEMPLATE_HTML, "a\nb\nc\n" },
		{ "a\n{{^x}}\nb\n{{/x}}\nc\n", "{\"x\":1}", TEMPLATE_HTML, "a\nc\n" },
		{ "{{#x}} a {{/x}}\n", "{\"x\":1}", TEMPLATE_HTML, " a \n" },
		{ "{{#x}}\na{{/x}}\n", "{\"x\":1}", TEMPLATE_HTML, "a\n" },
		{ "\t{{#x}}\t\na\n\t{{/x}}", "{\"x\":1}", TEMPLATE_HTML, "a\n" },
		/* Comments and delimiters, alone on a line and not. */
		{ "a\n  {{! b }}\nc", "{}", TEMPLATE_HTML, "a\nc" },
		{ "a\n  {{! b\n\n}}  \nc", "{}", TEMPLATE_HTML, "a\nc" },
		{ "  1 {{! b }}\n", "{}", TEMPLATE_HTML, "  1 \n" },
		{ "{{=| |=}}|x||#x|{{x}}|/x|", "{\"x\":1}", TEMPLATE_HTML, "1{{x}}" },
		{ "a\n {{= [ ] =}} \n[x][{x}][&x]", "{\"x\":\"<\"}", TEMPLATE_HTML, "a\n&lt;<<" },
		{ "{{#x}}{{=<< >>=}}<<x>><</x>>{{x}}", "{\"x\":1}", TEMPLATE_HTML, "1{{x}}" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct error err = { 0 };
		struct strbuf out;

		strbuf_init(&out, MAX_RENDER_BYTES);
		if (render(cases[i].text, cases[i].json, cases[i].escape, &out, &err) == -1 ||
		    strcmp(out.buf, cases[i].want) != 0)
			fail_msg("row %zu: '%s' gave '%s', expected '%s' %s", i, cases[i].text,
			    out.buf, cases[i].want, err.msg);
		strbuf_release(&out);
	}
}

static void
test_errors_have_a_place(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "a\nb {{x", "t:2:3: the tag does not end; expected '}}'" },
		{ "{{{x}}", "t:1:1: the tag does not end; expected '}}}'" },
		{ "{{=<% %>}}", "t:1:1: the tag does not end; expected '=}}'" },
		{ "é{{}}", "t:1:2: the tag is empty; expected a name" },
		{ "{{# }}", "t:1:1: the tag is empty; expected a name" },
		{ "{{a b}}", "t:1:1: white space in a name; expected one word" },
		{ "{{a..b}}",
		    "t:1:1: 'a..b' has an empty part; expected words with single dots between" },
		{ "{{.a}}",
		    "t:1:1: '.a' has an empty part; expected words with single dots between" },
		{ "x\n{{/a}}", "t:2:1: 'a' ends no section; expected '#a' or '^a' before" },
		{ "{{#a}}\n {{#b}}\n{{/a}}",
		    "t:3:1: 'a' ends here; expected the end of 'b' from 2:2" },
		{ "{{b\n}}\n  {{^a}} x", "t:3:3: section 'a' does not end; expected '/a'" },
		{ "{{$a}}{{/a}}",
		    "t:1:1: a tag with '<' or '$'; expected one of Mustache 1.0: # ^ / > & ! =" },
		{ "{{=a=}}",
		    "t:1:1: bad delimiters; expected two of 1 to 16 characters without '=', as in "
		    "'{{=<% %>=}}'" },
		{ "{{=a b c=}}", "t:1:1: more than two delimiters; expected two" },
		{ "{{= =}}",
		    "t:1:1: bad delimiters; expected two of 1 to 16 characters without '=', as in "
		    "'{{=<% %>=}}'" },
		{ "{{=aaaaaaaaaaaaaaaaa b=}}",
		    "t:1:1: bad delimiters; expected two of 1 to 16 characters without '=', as in "
		    "'{{=<% %>=}}'" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct template *t = NULL;
		struct error err = { 0 };

		if (template_compile(
			"t", cases[i].text, strlen(cases[i].text), TEMPLATE_HTML, &t, &err) != -1 ||
		    t != NULL || strcmp(err.msg, cases[i].want) != 0 || err.kind != ERR_CONFIG)
			fail_msg("row %zu: '%s' gave '%s', expected '%s'", i, cases[i].text,
			    err.msg, cases[i].want);
	}
}

/* Partials "a" and "b" from two texts, rendered on data; the message, or "" when it went well. */
static struct error
render_partials(const char *a_text, const char *b_text, const char *json, struct strbuf *out)
{
	const char *texts[] = { a_text, b_text };
	struct partials p = { .names = { "a", "b" } };
	struct error err = { 0 };
	struct arena arena;
	json_t *data = json_loads(json, 0, NULL);

	arena_init(&arena, 1 << 20);
	for (; p.len < 2; p.len++)
		assert_int_equal(
		    template_compile(p.names[p.len], texts[p.len], strlen(texts[p.len]),
			TEMPLATE_HTML, &p.templates[p.len], &err),
		    0);
	template_render(p.templates[0], from_json(&arena, data), find_partial, &p, out, &err);
	free_partials(&p);
	arena_release(&arena);
	json_decref(data);
	return err;
}

static void
test_bombs_are_bounded(void **state)
{
	static const struct {
		const char *a, *b, *want; /* the end of the message */
	} cases[] = {
		{ "{{> a}}", "",
		    "a:1:1: sections and partials are nested too deeply; does a partial use "
		    "itself?" },
		{ "x\n{{> b}}", " {{> a}}{{> a}}",
		    "sections and partials are nested too deeply; does a partial use itself?" },
		{ "{{#l}}{{> a}}{{/l}}", "",
		    "sections and partials are nested too deeply; does a partial use itself?" },
		{ "{{#l}}{{#l}}{{#l}}{{#l}}{{#l}}{{#l}}{{#l}}{{#l}}{{#l}}{{#l}}{{#l}}{{#l}}"
		  "{{/l}}{{/l}}{{/l}}{{/l}}{{/l}}{{/l}}{{/l}}{{/l}}{{/l}}{{/l}}{{/l}}{{/l}}",
		    "", "too much work; do sections repeat each other's lists?" },
		{ "{{#l}}{{#l}}{{#l}}{{#l}}{{#l}}{{#l}}{{#l}}0123456789{{/l}}{{/l}}{{/l}}{{/l}}{{/"
		  "l}}{{/l}}{{/l}}",
		    "", "a:1:53: more than 4194304 bytes; does a section repeat too much?" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct strbuf out;
		struct error err;

		strbuf_init(&out, MAX_RENDER_BYTES);
		err =
		    render_partials(cases[i].a, cases[i].b, "{\"l\":[1,2,3,4,5,6,7,8,9,10]}", &out);
		if (strstr(err.msg, cases[i].want) == NULL)
			fail_msg("row %zu: '%s', expected '%s'", i, err.msg, cases[i].want);
		strbuf_release(&out);
	}
}

static void
test_too_many_sections(void **state)
{
	struct strbuf text, out;
	struct error err = { 0 };

	(void)state;
	strbuf_init(&text, 1 << 20);
	strbuf_init(&out, 1 << 20);
	for (int i = 0; i <= MAX_TEMPLATE_DEPTH; i++)
		strbuf_add(&text, "{{#a}}");
	assert_int_equal(render(text.buf, "{}", TEMPLATE_HTML, &out, &err), -1);
	assert_string_equal(err.msg, "t:1:385: more than 64 sections inside each other");
	strbuf_release(&text);
	strbuf_release(&out);
}

/* n times a piece as a template, with a list of as many numbers. */
static int
render_repeated(const char *before, const char *piece, size_t n, const char *after, size_t nitems,
    struct strbuf *out, struct error *err)
{
	struct template *t = NULL;
	struct value *data, *list;
	struct strbuf text;
	struct arena a;
	int rc;

	arena_init(&a, 64 << 20);
	strbuf_init(&text, 2 << 20);
	data = value_object(&a);
	list = value_list(&a);
	for (size_t i = 0; i < nitems; i++)
		value_append(&a, list, value_number(&a, (int64_t)i));
	value_set(&a, data, "l", list);
	value_set_string(&a, data, "x", "&");
	assert_int_equal(value_check(&a, NULL), 0);
	strbuf_add(&text, before);
	for (size_t i = 0; i < n; i++)
		strbuf_add(&text, piece);
	strbuf_add(&text, after);
	rc = template_compile("t", text.buf, text.len, TEMPLATE_HTML, &t, err);
	if (rc == 0)
		rc = template_render(t, data, NULL, NULL, out, err);
	template_free(t);
	strbuf_release(&text);
	arena_release(&a);
	return rc;
}

static void
test_large_ones(void **state)
{
	static const struct {
		const char *before, *piece;
		size_t n;
		const char *after;
		size_t nitems;
		const char *want; /* the message, or "" */
		size_t len;	  /* of the output */
	} cases[] = {
		{ "", "{{x}}", 10000, "", 0, "", 50000 },
		{ "", "{{#x}}{{! c }}{{/x}}", 10000, "", 0, "", 0 },
		{ "", "{{=<% %>=}}<%={{ }}=%>", 10000, "", 0, "", 0 },
		{ "", "{{x", 80000, "", 0, "t:1:1: the tag does not end; expected '}}'", 0 },
		{ "{{#l}}", "x", 10, "{{/l}}", 100000, "", 1000000 },
		{ "{{#l}}", "x", 100, "{{/l}}", 100000,
		    "t:1:107: more than 4194304 bytes; does a section repeat too much?", 4194300 },
		{ "{{#l}}", "{{y}}", 50, "{{/l}}", 100000,
		    "too much work; do sections repeat each other's lists?", 0 },
		{ "", "0123456789abcdef", 65536, "", 0,
		    "t:1:1: 1048576 bytes; expected at most 262144", 0 },
		{ "", "\n", 262144, "", 0, "", 262144 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct error err = { 0 };
		struct strbuf out;
		int rc;

		strbuf_init(&out, MAX_RENDER_BYTES);
		rc = render_repeated(cases[i].before, cases[i].piece, cases[i].n, cases[i].after,
		    cases[i].nitems, &out, &err);
		if ((rc == 0) != (cases[i].want[0] == '\0') ||
		    strstr(err.msg, cases[i].want) == NULL || out.len != cases[i].len ||
		    (rc == -1 && err.kind != ERR_CONFIG))
			fail_msg("row %zu: '%s' and %zu bytes, expected '%s' and %zu", i, err.msg,
			    out.len, cases[i].want, cases[i].len);
		strbuf_release(&out);
	}
}

static void
test_indented_partials(void **state)
{
	static const struct {
		const char *a, *b, *want;
	} cases[] = {
		{ "  {{> b}}\nend", "x\n{{#l}}\n{{.}}\n{{/l}}\ny\n", "  x\n  1\n  2\n  y\nend" },
		{ "  {{> b}}\n", "{{#l}}{{.}}{{/l}}\n", "  12\n" },
		{ "  {{> b}}\n", "{{! c }}x\n", "  x\n" },
		{ "a {{> b}}\n", "x\ny\n", "a x\ny\n\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct strbuf out;

		strbuf_init(&out, 1 << 20);
		render_partials(cases[i].a, cases[i].b, "{\"l\":[1,2]}", &out);
		if (strcmp(out.buf, cases[i].want) != 0)
			fail_msg("row %zu: got '%s', expected '%s'", i, out.buf, cases[i].want);
		strbuf_release(&out);
	}
}

static int
note_name(void *arg, const char *name, unsigned line, unsigned column)
{
	strbuf_addf(arg, "%s@%u:%u ", name, line, column);
	return strcmp(name, "stop") == 0 ? 7 : 0;
}

static void
test_names_are_told(void **state)
{
	static const char text[] =
	    "{{a.b}} {{#c}}\n{{{.}}}{{> p.html}}{{/c}}{{^stop}}{{/stop}}{{d}}";
	struct template *t = NULL;
	struct strbuf out;

	(void)state;
	strbuf_init(&out, 1000);
	assert_int_equal(template_compile("t", text, strlen(text), TEMPLATE_HTML, &t, NULL), 0);
	assert_int_equal(template_each_name(t, note_name, &out), 7);
	assert_string_equal(out.buf, "a.b@1:1 c@1:9 .@2:1 stop@2:26 ");
	strbuf_reset(&out);
	assert_int_equal(template_each_partial(t, note_name, &out), 0);
	assert_string_equal(out.buf, "p.html@2:8 ");
	template_free(t);
	strbuf_release(&out);
}

static void
test_values(void **state)
{
	struct strbuf out;
	struct value *o, *l;
	struct arena a;

	(void)state;
	arena_init(&a, 1 << 20);
	strbuf_init(&out, 1000);
	o = value_object(&a);
	l = value_list(&a);
	value_set_string(&a, o, "a", "x\"\n");
	value_set_number(&a, o, "b", -5);
	value_set_bool(&a, o, "c", true);
	value_set(&a, o, "d", l);
	value_set(&a, o, "e", value_null(&a));
	value_set_number(&a, o, "a", 1); /* the newer value, at the older place */
	for (int i = 0; i < 20; i++)
		value_append(&a, l, value_number(&a, i));
	value_add_json(&out, o);
	assert_string_equal(out.buf,
	    "{\"a\":1,\"b\":-5,\"c\":true,"
	    "\"d\":[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19],\"e\":null}");
	assert_int_equal(value_check(&a, NULL), 0);
	assert_null(value_member(o, "ab", 2));
	assert_non_null(value_member(o, "ab", 1));
	value_append(&a, l, NULL);
	assert_int_equal(value_check(&a, NULL), -1);
	arena_reset(&a);
	assert_int_equal(value_check(&a, NULL), 0);
	arena_release(&a);
	strbuf_release(&out);
}

static void
test_values_without_memory(void **state)
{
	struct arena a;
	struct value *o;

	(void)state;
	arena_init(&a, 200);
	o = value_object(&a);
	assert_non_null(o);
	for (int i = 0; i < 10; i++)
		value_set(&a, o, "list", value_list(&a));
	assert_int_equal(value_check(&a, NULL), -1);
	value_set_string(&a, NULL, "x", "y");
	value_append(&a, NULL, NULL);
	arena_release(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_specification),
		cmocka_unit_test(test_own_cases),
		cmocka_unit_test(test_errors_have_a_place),
		cmocka_unit_test(test_bombs_are_bounded),
		cmocka_unit_test(test_too_many_sections),
		cmocka_unit_test(test_large_ones),
		cmocka_unit_test(test_indented_partials),
		cmocka_unit_test(test_names_are_told),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_values_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
