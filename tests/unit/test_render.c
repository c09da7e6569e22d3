/* From papers to subject, HTML and text: budget, layout, equality of both parts, hostile texts. */
#include "digest/render.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "digest/date.h"
#include "digest/file.h"
#include "digest/limits.h"
#include "digest/text.h"
#include "render/escape.h"
#include "render/parts.h"

enum { SCRATCH = MAX_READER_BYTES };

static const char *const no_strings[] = { NULL };

/* What the tests need of an edition. */
struct fixture {
	struct render *render;
	struct arena papers; /* the papers and views */
	struct arena scratch;
	struct rendered out;
	struct subscriber reader;
	struct error err;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return -1;
	arena_init(&f->papers, 256u << 20);
	arena_init(&f->scratch, SCRATCH);
	rendered_init(&f->out);
	f->reader.address = f->reader.canonical = "ada@example.org";
	f->reader.name = "Ada";
	f->reader.language = "en";
	if (render_new(NULL, &f->render, &f->err) == -1) {
		print_error("%s\n", f->err.msg);
		return -1;
	}
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	render_free(f->render);
	rendered_release(&f->out);
	arena_release(&f->scratch);
	arena_release(&f->papers);
	free(f);
	return 0;
}

static struct paper *
new_paper(struct fixture *f, size_t number)
{
	struct paper *p = arena_zalloc(&f->papers, sizeof(*p));

	assert_non_null(p);
	p->key = arena_printf(&f->papers, "arxiv:2611.%05zu", number);
	p->title = arena_printf(&f->papers, "Learning %zu small things about large scenes", number);
	p->abstract =
	    "We study how little is enough. Scenes are rendered from a few photographs, and a "
	    "network with 3 layers learns what is missing. On five data sets it is 4.1 dB better "
	    "than the best method so far, at a tenth of the time. We release code and weights.";
	p->summary = p->summary_by = p->org = p->comment = p->journal_ref = p->venue = p->language =
	    "";
	p->authors = (const char **)(uintptr_t)no_strings;
	p->categories = p->keywords = p->aliases = p->sources =
	    (const char **)(uintptr_t)no_strings;
	p->url = arena_printf(&f->papers, "https://arxiv.org/abs/2611.%05zu", number);
	p->pdf_url = arena_printf(&f->papers, "https://arxiv.org/pdf/2611.%05zu", number);
	p->html_url = p->code_url = p->project_url = p->discussion_url = p->thumbnail_url =
	    p->media_url = p->doi = p->source = "";
	p->votes = p->comments = p->stars = -1;
	return p;
}

/* An edition of one section with n papers and ncut cut ones. */
static struct edition_view
new_view(struct fixture *f, size_t n, size_t ncut)
{
	static const char *const sources[] = { "arXiv cs.CV", "Hugging Face" };
	struct section_view *s = arena_zalloc(&f->papers, sizeof(*s));
	struct pick_view *picks = arena_array(&f->papers, n + ncut, sizeof(*picks));

	assert_true(s != NULL && picks != NULL);
	for (size_t i = 0; i < n + ncut; i++) {
		picks[i].paper = new_paper(f, i + 1);
		picks[i].why = "large scenes";
	}
	*s = (struct section_view){ .name = "Scenes",
		.query = "\"large scenes\"",
		.picks = picks,
		.npicks = n,
		.cut = picks + n,
		.ncut = ncut };
	return (struct edition_view){
		.list = { "Papers", "papers.example.org", "papers@example.org",
		    "1 Main Street, Exampleton", "" },
		.subscriber = &f->reader,
		.day = date_day(2026, 11, 20),
		.since_day = date_day(2026, 11, 20),
		.nread = 412,
		.nmatched = n + ncut,
		.nshown = n,
		.ncut = ncut,
		.sources = sources,
		.nsources = 2,
		.note = "",
		.sections = s,
		.nsections = 1,
		.unsubscribe_url = "https://papers.example.org/u/abc",
		.preferences_url = "https://papers.example.org/p/abc",
		.archive_url = "",
	};
}

static struct pick_view *
pick_of(const struct edition_view *view, size_t i)
{
	return (struct pick_view *)(uintptr_t)&view->sections[0].picks[i];
}

static struct paper *
paper_of(const struct edition_view *view, size_t i)
{
	return (struct paper *)(uintptr_t)view->sections[0].picks[i].paper;
}

static void
draw(struct fixture *f, const struct edition_view *view)
{
	arena_reset(&f->scratch);
	if (render_edition(f->render, view, &f->scratch, &f->out, &f->err) == -1)
		fail_msg("%s", f->err.msg);
}

static size_t
count(const char *text, const char *part)
{
	size_t n = 0;

	for (; (text = strstr(text, part)) != NULL; text += strlen(part))
		n++;
	return n;
}

static void
assert_has(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("'%s' is not in:\n%s", part, text);
}

/* The layout: what may stand in the HTML part (S-34, S-39, S-40). */

static bool
is_listed(const char *const *list, const char *word, size_t len)
{
	for (; *list != NULL; list++)
		if (strlen(*list) == len && strncmp(*list, word, len) == 0)
			return true;
	return false;
}

static const char *const tags[] = { "!DOCTYPE", "html", "head", "meta", "title", "style", "body",
	"div", "table", "tr", "td", "h1", "h2", "h3", "p", "a", "b", NULL };
static const char *const attributes[] = { "lang", "dir", "charset", "name", "content", "class",
	"style", "role", "width", "cellpadding", "cellspacing", "border", "align", "href", "html",
	NULL };
static const char *const bad_css[] = { "flex", "grid", "float", "position", "var(", "url(",
	"@import", "rem", "expression", NULL };

static void
check_href(const char *value, size_t len)
{
	static const char *const schemes[] = { "https://", "http://", "mailto:" };
	bool good = false;

	for (size_t i = 0; i < 3; i++)
		good = good ||
		    (len > strlen(schemes[i]) &&
			strncmp(value, schemes[i], strlen(schemes[i])) == 0);
	for (size_t i = 0; i < len; i++)
		good = good && value[i] > ' ' && value[i] < 0x7f &&
		    strchr("<>\"'\\^`{}|", value[i]) == NULL;
	if (!good)
		fail_msg("link '%.*s'", (int)len, value);
}

/* Check one tag that begins at text; returns what follows it. */
static const char *
check_tag(const char *text)
{
	const char *start = text;
	size_t n;

	text += 1 + (text[1] == '/');
	n = strcspn(text, " \n>");
	if (!is_listed(tags, text, n))
		fail_msg("tag '%.*s'", (int)n, text);
	text += n;
	while (text += strspn(text, " \n"), *text != '>') {
		const char *name = text;

		if (*text == '\0')
			fail_msg("tag without an end: %.60s", start);
		n = strcspn(text, "= \n>");
		if (!is_listed(attributes, name, n))
			fail_msg("attribute '%.*s' in %.60s", (int)n, name, start);
		text += n;
		if (*text != '=')
			continue;
		assert_int_equal(text[1], '"');
		text += 2;
		if (n == 4 && strncmp(name, "href", 4) == 0)
			check_href(text, strcspn(text, "\""));
		text += strcspn(text, "\"") + 1;
	}
	return text + 1;
}

static void
check_html(const char *html)
{
	const char *at = html, *style = strstr(html, "<style>"),
		   *style_end = strstr(html, "</style>");

	while ((at = strchr(at, '<')) != NULL)
		at = check_tag(at);
	for (size_t i = 0; bad_css[i] != NULL; i++)
		if (count(html, bad_css[i]) > 0 && strstr(html, "Learning") == NULL)
			fail_msg("css '%s'", bad_css[i]);
	assert_true(style_end - style < 16 * 1024);
	assert_int_equal(count(html, "<h1"), 1);
	assert_int_equal(count(html, "<table"), count(html, "role=\"presentation\""));
	assert_int_equal(count(html, "<table"), count(html, "</table>"));
	assert_int_equal(count(html, "<td"), count(html, "</td>"));
	assert_int_equal(count(html, "<p"), count(html, "</p>"));
	assert_true(
	    strstr(html, "unsubscribe") == NULL || strstr(html, "/u/abc") - html < 20 * 1024);
	assert_true(strlen(html) <= MAX_HTML_BYTES);
	assert_true(escape_qp_size(html, strlen(html)) <= MAX_HTML_BYTES);
}

static void
check_text(const char *text)
{
	for (; *text != '\0'; text += strcspn(text, "\n") + 1) {
		size_t n = strcspn(text, "\n");

		if (text_width(text, n) > 72 && memmem(text, n, "http", 4) == NULL)
			fail_msg("%zu columns: %.*s", text_width(text, n), (int)n, text);
		assert_true(n == 0 || text[n - 1] != ' ');
	}
}

static void
test_budget(void **state)
{
	static const struct {
		size_t papers, cut;
		bool all_named; /* in the HTML part */
	} cases[] = {
		{ 0, 0, true },
		{ 1, 0, true },
		{ 8, 3, true },
		{ 25, 30, true },
		{ 100, 0, true },
		{ 500, 100, false },
		{ 5000, 0, false },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct edition_view view;
		size_t named;

		arena_reset(&f->papers);
		view = new_view(f, cases[i].papers, cases[i].cut);
		draw(f, &view);
		check_html(f->out.html.buf);
		check_text(f->out.text.buf);
		named = f->out.nfull + f->out.nshort + f->out.nline;
		print_message("%zu papers: html %zu (qp %zu), text %zu, full %zu short %zu line "
			      "%zu, %zu KB\n",
		    cases[i].papers, f->out.html.len,
		    escape_qp_size(f->out.html.buf, f->out.html.len), f->out.text.len, f->out.nfull,
		    f->out.nshort, f->out.nline, f->scratch.used_bytes / 1024);
		if ((named == cases[i].papers) != cases[i].all_named)
			fail_msg("row %zu: %zu papers named", i, named);
		for (size_t k = 0; k < named; k++)
			if (strstr(f->out.html.buf, paper_of(&view, k)->title) == NULL)
				fail_msg("row %zu: paper %zu is missing", i, k);
		if (f->out.html.len < MAX_HTML_BYTES * 9 / 10 && named < cases[i].papers)
			fail_msg("row %zu: room for more", i);
		if (named < cases[i].papers)
			assert_has(f->out.html.buf, "more</td>");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_budget, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
