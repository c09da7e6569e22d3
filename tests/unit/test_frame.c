/* Papers put into frames and texts written in runs: the same bytes as from values, one node after the other. */
#include "render_fixture.h"

#include <stdio.h>
#include <unistd.h>

#include "render/frame.h"
#include "render/program.h"

enum { NPAPERS = 40, MAX_SECTIONS = 4, MAX_PICKS = 8, ROUNDS = 60 };

/* Two sets of the same templates, of which one has no frames and no runs. */
struct pair {
	struct render *quick, *plain;
	struct rendered out[2];
	struct arena scratch;
};

static void
forget_frames(struct render *r)
{
	for (size_t i = 0; i < r->nfiles; i++)
		for (size_t k = 0; r->compiled[i] != NULL && k < r->compiled[i]->nnodes; k++) {
			r->compiled[i]->nodes[k].frames = NULL;
			r->compiled[i]->nodes[k].run.nnodes = 0;
		}
}

static size_t
count_frames(const struct render *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->nfiles; i++)
		for (size_t k = 0; r->compiled[i] != NULL && k < r->compiled[i]->nnodes; k++)
			n += r->compiled[i]->nodes[k].frames != NULL;
	return n;
}

static void
open_pair(struct pair *p, const char *dir)
{
	struct error err;

	if (render_new(dir, &p->quick, &err) == -1 || render_new(dir, &p->plain, &err) == -1)
		fail_msg("%s", err.msg);
	forget_frames(p->plain);
	rendered_init(&p->out[0]);
	rendered_init(&p->out[1]);
	arena_init(&p->scratch, SCRATCH);
}

static void
close_pair(struct pair *p)
{
	render_free(p->quick);
	render_free(p->plain);
	rendered_release(&p->out[0]);
	rendered_release(&p->out[1]);
	arena_release(&p->scratch);
}

/* The bytes as they go into a mail, and the values for --format json. */
static void
compare(struct pair *p, const struct edition_view *view, const char *name, unsigned round)
{
	struct render *sets[] = { p->quick, p->plain };
	struct strbuf json[2];
	struct error err;

	for (int i = 0; i < 2; i++) {
		strbuf_init(&json[i], 64u << 20);
		arena_reset(&p->scratch);
		if (render_edition(sets[i], view, &p->scratch, &p->out[i], &err) == -1)
			fail_msg("%s, round %u: %s", name, round, err.msg);
		arena_reset(&p->scratch);
		value_add_json(&json[i], render_context(sets[i], view, &p->scratch));
	}
	assert_string_equal(json[0].buf, json[1].buf);
	strbuf_release(&json[0]);
	strbuf_release(&json[1]);
	if (strcmp(p->out[0].html.buf, p->out[1].html.buf) != 0 ||
	    strcmp(p->out[0].text.buf, p->out[1].text.buf) != 0)
		fail_msg("%s, round %u: framed\n%s\n%s\nand not framed\n%s\n%s", name, round,
		    p->out[0].html.buf, p->out[0].text.buf, p->out[1].html.buf, p->out[1].text.buf);
	assert_int_equal(p->out[0].nfull, p->out[1].nfull);
}

static unsigned
pick(unsigned *seed, unsigned n)
{
	*seed = *seed * 1103515245u + 12345u;
	return (*seed >> 16) % n;
}

static const char *const words[] = {
	"", "", "nerf", "large scenes", "a & b < c > \"d\" 'e'", "blanks at the end  ",
	"=3D = {{x}} . From here", "高斯 一二三四五六七八九十一二三四五六七八九十", ".", "From me",
	"é", "two\nlines",
	"a list of words that is longer than a line of the text part has columns, so that it must "
	"be "
	"filled, and longer still, so that it has to be cut at some place that nobody can foresee"
};
enum { NWORDS = sizeof(words) / sizeof(words[0]) };

static void
make_pick(struct fixture *f, struct paper **papers, unsigned *seed, struct pick_view *out)
{
	static const char *const names[] = { "Robots", "A & B", "高斯", "x", "Agents" };
	struct paper_mark *marks = arena_array(&f->papers, 3, sizeof(*marks));
	unsigned n = pick(seed, NPAPERS);

	for (unsigned i = 0; i < 3; i++)
		marks[i] = (struct paper_mark){ PAPER_ABSTRACT, 30 * i + pick(seed, 20),
			30 * i + 20 + pick(seed, 400) };
	*out = (struct pick_view){ .paper = papers[n],
		.id = pick(seed, 3) > 0 ? n + 1 : 0,
		.filter = words[pick(seed, NWORDS)],
		.why = words[pick(seed, NWORDS)],
		.also_in = names,
		.nalso_in = pick(seed, 6),
		.risen = pick(seed, 4) == 0,
		.replaced = pick(seed, 4) == 0,
		.marks = marks,
		.nmarks = pick(seed, 4),
		.withdrawn = pick(seed, 5) == 0,
		.new_version = pick(seed, 5) == 0 ? 2 : 0 };
}

static void
make_section(struct fixture *f, struct paper **papers, unsigned *seed, struct section_view *out)
{
	unsigned npicks = pick(seed, MAX_PICKS), ncut = pick(seed, MAX_PICKS);
	struct pick_view *picks = arena_array(&f->papers, npicks + ncut, sizeof(*picks));

	assert_non_null(picks);
	for (unsigned i = 0; i < npicks + ncut; i++)
		make_pick(f, papers, seed, &picks[i]);
	*out = (struct section_view){ .name = words[pick(seed, NWORDS)],
		.query = words[pick(seed, NWORDS)],
		.picks = picks,
		.npicks = npicks,
		.cut = picks + npicks,
		.ncut = ncut,
		.nmore = pick(seed, 3),
		.outside = pick(seed, 5) == 0,
		.near = pick(seed, 5) == 0,
		.risen = pick(seed, 5) == 0,
		.updates = pick(seed, 5) == 0 };
}

/* Many editions of all shapes, some of which have to be stepped down. */
static void
compare_many(struct fixture *f, const char *dir, const char *name)
{
	static const char *const languages[] = { "en", "de", "fr" };
	struct paper *papers[NPAPERS];
	struct section_view sections[MAX_SECTIONS];
	unsigned seed = 5;
	struct pair p;

	open_pair(&p, dir);
	for (size_t i = 0; i < NPAPERS; i++)
		papers[i] = i < NSAMPLES ? sample_paper(f, i) : new_paper(f, i);
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct edition_view view = new_view(f, 0, 0);

		view.nsections = pick(&seed, MAX_SECTIONS + 1);
		view.sections = sections;
		for (size_t i = 0; i < view.nsections; i++) {
			make_section(f, papers, &seed, &sections[i]);
			view.nshown += sections[i].npicks;
		}
		f->reader.language = languages[pick(&seed, 3)];
		view.note = words[pick(&seed, NWORDS)];
		view.since_day -= (int32_t)pick(&seed, 2);
		view.welcome = pick(&seed, 2) == 0;
		view.list.thumbnails = pick(&seed, 2) == 0;
		view.max_html_bytes = pick(&seed, 3) == 0 ? 30000 + pick(&seed, 20000) : 0;
		compare(&p, &view, name, round);
	}
	close_pair(&p);
}

static void
test_own_templates(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(count_frames(f->render), 4); /* papers and cut of both parts */
	compare_many(f, NULL, "the templates of the program");
}

#define AROUND(text)                                                                          \
	"<p>\nfixed\nlines\n</p>{{#sections}}\n{{#papers}}" text "{{/papers}}\n{{#cut}}" text \
	"{{/cut}}\n{{/sections}}\nmore\nfixed lines. From\n.here"

/* Templates of a user, and how many of their sections have frames. */
static const struct {
	const char *file, *text;
	size_t nframes;
} templates[] = {
	{ "digest.html", AROUND("\n<div>\n{{{card}}}\n</div>\n"), 4 },
	{ "digest.html", AROUND("{{{card}}}"), 4 },
	{ "digest.html", AROUND("From {{number_text}}{{{card}}}to"), 4 },
	{ "digest.html", AROUND("{{card}}|{{number}}|{{number_text}}|{{{number}}}|"), 4 },
	{ "digest.html", AROUND("\n{{number_text}}{{{number_text}}}\n{{&what}}{{what}} {{{card}}}"),
	    4 },
	{ "digest.html",
	    AROUND("\n  {{#what}}{{.}}: {{/what}}{{^what}}none {{/what}}\n. {{{card}}}\n"), 4 },
	{ "digest.html",
	    AROUND("\n{{#strip}}<b>{{label}}</b>{{#sep}},{{/sep}}{{^url}}no "
		   "link\n{{/url}}{{/strip}}\n"),
	    4 },
	{ "digest.html",
	    AROUND("\n{{#strip}}\n{{{label}}}\n{{/strip}}\n.{{^has_strip}}.{{/has_strip}}\n"), 4 },
	{ "digest.html",
	    AROUND("\n    {{> strip.html}}\n{{text.also-matched}}\n{{text.abs}}{{{text.dir}}}\n"),
	    4 },
	{ "digest.html",
	    AROUND("\n{{#is_line}}{{#strip}}{{label}}{{/strip}}{{/is_line}}{{^is_line}}x\n{{/"
		   "is_line}}"),
	    4 },
	{ "digest.html", AROUND("\n{{#number}}{{#card}}{{.}}{{/card}}{{/number}}\n"), 4 },
	/* What a frame has no place for. */
	{ "digest.html", AROUND("\n{{title}} {{{card}}}\n"), 2 },
	{ "digest.html", AROUND("\n{{why}} {{#also_in}}{{.}}, {{/also_in}}{{{card}}}\n"), 2 },
	{ "digest.html", AROUND("\n{{name}} {{list.name}} {{{card}}}\n"), 2 },
	{ "digest.html", AROUND("\n{{#risen}}risen{{/risen}} {{> subject.txt}}\n"), 2 },
	{ "digest.txt",
	    "{{#sections}}\n{{#papers}}\n{{number_text}} {{{card}}}\n{{/papers}}{{#cut}}\n * "
	    "{{{card}}}{{/cut}}{{/sections}}",
	    4 },
	{ "digest.txt",
	    "{{#sections}}{{#papers}}{{{card}}}{{#strip}} / "
	    "{{label}}{{/strip}}{{/papers}}\n\n\n{{#cut}}{{what}}{{{card}}}\n\n\n{{/cut}}{{/"
	    "sections}}.",
	    4 },
	{ "digest.txt",
	    "{{#sections}}{{#papers}}{{title}}\n{{{card}}}{{/papers}}\n{{#cut}}- "
	    "{{{card}}}\n{{/cut}}{{/sections}}.",
	    3 },
	/* In a partial that is indented the lines are others. */
	{ "strip.html", "<i>\n{{#strip}}\n{{label}}\n{{/strip}}\n</i>\n\n. From\n", 4 },
};

static void
test_templates_of_a_user(void **state)
{
	struct fixture *f = *state;
	char dir[] = "/tmp/test-frame.XXXXXX", path[100];

	assert_non_null(mkdtemp(dir));
	for (size_t i = 0; i < sizeof(templates) / sizeof(templates[0]); i++) {
		struct render *r;
		size_t n;

		snprintf(path, sizeof(path), "%s/%s", dir, templates[i].file);
		assert_int_equal(
		    file_write(path, 0600, templates[i].text, strlen(templates[i].text), &f->err),
		    0);
		if (render_new(dir, &r, &f->err) == -1)
			fail_msg("row %zu: %s", i, f->err.msg);
		n = count_frames(r);
		render_free(r);
		if (n != templates[i].nframes)
			fail_msg("row %zu: %zu sections with frames, expected %zu", i, n,
			    templates[i].nframes);
		snprintf(path, sizeof(path), "row %zu", i);
		compare_many(f, dir, path);
		snprintf(path, sizeof(path), "%s/%s", dir, templates[i].file);
		assert_int_equal(unlink(path), 0);
	}
	assert_int_equal(rmdir(dir), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_own_templates, setup, teardown),
		cmocka_unit_test_setup_teardown(test_templates_of_a_user, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
