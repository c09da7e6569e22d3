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
		if (getenv("DIGEST_RENDER_OUT") != NULL)
			print_message(
			    "%zu papers: html %zu (qp %zu), text %zu, full %zu short %zu line "
			    "%zu, %zu KB\n",
			    cases[i].papers, f->out.html.len,
			    escape_qp_size(f->out.html.buf, f->out.html.len), f->out.text.len,
			    f->out.nfull, f->out.nshort, f->out.nline,
			    f->scratch.used_bytes / 1024);
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

/* A morning's digest as it would be, to look at and to compare both parts. */

static const struct {
	const char *title, *abstract, *summary, *by, *authors[6], *org, *id;
	const char *discussion, *code, *project;
	int64_t votes, comments, stars;
} samples[] = {
	{ "Splatting at 900 frames per second on a phone",
	    "Radiance fields made of Gaussians are fast on a workstation and slow in the hand. We "
	    "sort splats "
	    "once per tile group instead of once per frame, keep their colours in two bytes and "
	    "skip what the "
	    "eye cannot tell apart. On a phone of last year a garden of 3.1 million splats is "
	    "drawn at 900 "
	    "frames per second with 24 ms from touch to light. The loss against the original is "
	    "0.2 dB PSNR. "
	    "We also show where the method fails: mirrors, thin wires, and scenes that move.",
	    "Sorting once per tile group and two-byte colours let a phone draw 3 million Gaussians "
	    "at 900 fps.",
	    "AI", { "Ines Okafor", "Bo Lindqvist", "Mara Tanaka", "Jonas Weber", "Li Qiang" },
	    "Nordlicht Research", "2611.01234", "https://huggingface.co/papers/2611.01234",
	    "https://github.com/nordlicht/phonesplat", "https://phonesplat.example.org", 112, 9,
	    1340 },
	{ "How many photographs does a room need? Radiance fields from 12 views",
	    "Indoor scenes are mostly walls. We ask how few views are enough when a model knows "
	    "what rooms look "
	    "like, and find that twelve photographs taken without care are worth two hundred taken "
	    "with it. "
	    "A small diffusion prior fills the unseen side of furniture; a test by 40 people could "
	    "not tell the "
	    "result from the dense reconstruction in 71 % of pairs.",
	    "", "", { "Ama Boateng", "Sofia Marin" }, "University of Exampleton", "2611.01877",
	    "https://huggingface.co/papers/2611.01877", "", "", 34, 2, -1 },
	{ "μP revisited: width transfer for mixtures of experts",
	    "Maximal update parametrisation promises that learning rates found on a small network "
	    "hold for a wide "
	    "one. With routed experts they do not, because the router sees a different scale. We "
	    "derive the "
	    "missing factor, 1/√k, and confirm it from 40 M to 13 B parameters.",
	    "A factor of 1/√k on the router makes learning rates transfer across widths for "
	    "mixtures of experts.",
	    "Qwen3-8B", { "Tomás Ferreira" }, "", "2611.02001", "",
	    "https://github.com/tferreira/mup-moe", "", -1, -1, 87 },
	{ "نماذج لغوية صغيرة للغة العربية",
	    "نقدم نماذج لغوية صغيرة تعمل على الهاتف وتفهم العربية الفصحى. النتائج "
	    "جيدة.",
	    "", "", { "Layla Haddad", "Omar Saleh", "Nour Aziz" }, "Example Institute",
	    "2611.02222", "", "", "", 5, 0, -1 },
	{ "用于机器人抓取的三维高斯表示",
	    "我们提出一种用于机器人抓取的三维高斯表示方法。该方法在一百个物体上成功率为百分之九十五"
	    ",比以前的方法高百分之十二,"
	    "并且在一块普通的显卡上以每秒三十帧的速度运行。代码已公开。",
	    "", "", { "Wang Fang", "Chen Jie" }, "", "2611.02345", "", "", "", 3, 1, -1 },
	{ "Proof-carrying plans: robots that explain why a grasp will hold",
	    "A robot that says why is easier to trust. We attach to each plan a short proof in a "
	    "language of "
	    "forces and contacts, check it in 3 ms on board, and reject what does not check. Over "
	    "2,000 trials "
	    "the rate of dropped objects falls from 6.4 % to 0.9 %.",
	    "", "", { "Hanna Petrov", "Kwame Mensah", "Julia Rossi", "Ben Carter" },
	    "Example Robotics", "2611.03110", "https://huggingface.co/papers/2611.03110", "",
	    "https://proofplans.example.org", 61, 4, -1 },
};

enum { NSAMPLES = sizeof(samples) / sizeof(samples[0]) };

static struct paper *
sample_paper(struct fixture *f, size_t i)
{
	struct paper *p = new_paper(f, i);

	p->key = arena_printf(&f->papers, "arxiv:%s", samples[i].id);
	p->title = samples[i].title;
	p->abstract = samples[i].abstract;
	p->summary = samples[i].summary;
	p->summary_by = samples[i].by;
	p->authors = (const char **)(uintptr_t)samples[i].authors;
	while (p->nauthors < 6 && p->authors[p->nauthors] != NULL)
		p->nauthors++;
	p->org = samples[i].org;
	p->url = arena_printf(&f->papers, "https://arxiv.org/abs/%s", samples[i].id);
	p->html_url = arena_printf(&f->papers, "https://arxiv.org/html/%sv1", samples[i].id);
	p->pdf_url = arena_printf(&f->papers, "https://arxiv.org/pdf/%s", samples[i].id);
	p->discussion_url = samples[i].discussion;
	p->code_url = samples[i].code;
	p->project_url = samples[i].project;
	p->votes = samples[i].votes;
	p->comments = samples[i].comments;
	p->stars = samples[i].stars;
	p->published_utc = INT64_C(1795132800);
	if (strncmp(samples[i].id, "2611.02222", 10) == 0)
		p->language = "ar";
	else if (strncmp(samples[i].id, "2611.02345", 10) == 0)
		p->language = "zh";
	return p;
}

/* Three sections: two filters and what is popular outside, with everything that a view can hold. */
static struct edition_view
sample_view(struct fixture *f)
{
	static const char *const also_in[] = { "Robots", "On small devices" };
	struct edition_view view = new_view(f, 0, 0);
	struct section_view *s = arena_array(&f->papers, 3, sizeof(*s));
	struct pick_view *picks = arena_array(&f->papers, NSAMPLES + 4, sizeof(*picks));

	assert_true(s != NULL && picks != NULL);
	for (size_t i = 0; i < NSAMPLES; i++)
		picks[i].paper = sample_paper(f, i);
	for (size_t i = NSAMPLES; i < NSAMPLES + 4; i++)
		picks[i].paper = new_paper(f, i);
	for (size_t i = 0; i < NSAMPLES + 4; i++)
		picks[i].why = "";
	picks[0].why = "gaussian splatting";
	picks[0].also_in = also_in;
	picks[0].nalso_in = 2;
	picks[1].why = "radiance fields";
	picks[1].risen = true;
	picks[2].replaced = true;
	s[0] = (struct section_view){ .name = "Radiance fields",
		.query = "\"gaussian splatting\" OR nerf",
		.picks = picks,
		.npicks = 2,
		.cut = picks + NSAMPLES,
		.ncut = 4,
		.nmore = 7 };
	s[1] = (struct section_view){ .name = "Language models & <small> devices",
		.query = "llm",
		.picks = picks + 2,
		.npicks = 3 };
	s[2] = (struct section_view){
		.name = "", .query = "", .picks = picks + 5, .npicks = 1, .outside = true
	};
	view.sections = s;
	view.nsections = 3;
	view.nmatched = 16;
	view.nshown = 6;
	view.ncut = 11;
	view.note =
	    "arXiv announced nothing on Thursday (US holiday); today's batch holds two days.";
	return view;
}

/* Set DIGEST_RENDER_OUT to a folder to look at the sample in a browser. */
static void
keep_sample(const struct rendered *out)
{
	const char *dir = getenv("DIGEST_RENDER_OUT");
	char path[512];

	if (dir == NULL)
		return;
	snprintf(path, sizeof(path), "%s/sample.html", dir);
	assert_int_equal(file_write(path, 0644, out->html.buf, out->html.len, NULL), 0);
	snprintf(path, sizeof(path), "%s/sample.txt", dir);
	assert_int_equal(file_write(path, 0644, out->text.buf, out->text.len, NULL), 0);
}

/* Text without the line breaks and blanks that filling may have moved. */
static char *
squeeze(struct arena *a, const char *text)
{
	char *out = arena_strdup(a, text), *to = out;

	assert_non_null(out);
	for (; *text != '\0'; text++)
		if (*text != ' ' && *text != '\n')
			*to++ = *text;
	*to = '\0';
	return out;
}

static void
test_sample_has_all_in_both_parts(void **state)
{
	struct fixture *f = *state;
	struct edition_view view = sample_view(f);
	const char *text;
	size_t nlinks = 0;

	draw(f, &view);
	keep_sample(&f->out);
	check_html(f->out.html.buf);
	check_text(f->out.text.buf);
	text = squeeze(&f->papers, f->out.text.buf);
	for (size_t i = 0; i < NSAMPLES + 4; i++) {
		const struct paper *p = i < NSAMPLES ? view.sections[0].picks[i].paper
						     : view.sections[0].cut[i - NSAMPLES].paper;

		assert_has(f->out.html.buf, p->title);
		assert_has(text, squeeze(&f->papers, p->title));
	}
	for (const char *at = f->out.html.buf; (at = strstr(at, "href=\"")) != NULL; nlinks++) {
		const char *url;

		at += 6;
		url = arena_strndup(&f->papers, at, strcspn(at, "\""));
		assert_non_null(url);
		assert_has(f->out.text.buf, url);
	}
	assert_true(nlinks > 30);
	assert_string_equal(
	    f->out.subject.buf, "Splatting at 900 frames per second on a phone + 5 more");
	assert_has(f->out.html.buf, "Language models &amp; &lt;small&gt; devices</h2>");
	assert_has(f->out.html.buf, "Ines Okafor … Li Qiang (5 authors) · Nordlicht Research");
	assert_has(f->out.html.buf, ">AI summary:</b> Sorting once");
	assert_has(f->out.html.buf, ">112 votes · 9 comments</a>");
	assert_has(f->out.html.buf, ">code 1,340★</a>");
	assert_has(
	    f->out.html.buf, "matches gaussian splatting · also in Robots, On small devices</p>");
	assert_has(f->out.html.buf, "risen since your last digest · matches radiance fields</p>");
	assert_has(f->out.html.buf, ">and 7 more</td>");
	assert_has(f->out.html.buf, " lang=\"ar\" dir=\"rtl\"");
	assert_has(f->out.html.buf,
	    "412 papers read from arXiv cs.CV, Hugging Face; 16 matched; 6 shown, 11 cut");
	assert_has(f->out.html.buf, "1 Main Street, Exampleton");
	assert_has(f->out.text.buf, "  6. Proof-carrying plans");
}

static void
test_subject(void **state)
{
	static const struct {
		const char *title;
		size_t papers;
		int since; /* days before */
		const char *want;
	} cases[] = {
		{ "Splatting at 900 fps on a phone", 8, 0,
		    "Splatting at 900 fps on a phone + 7 more" },
		{ "Splatting at 900 fps on a phone", 1, 0, "Splatting at 900 fps on a phone" },
		{ "Splatting at 900 fps on a phone", 42, 17,
		    "Since 3 Nov: Splatting at 900 fps on a phone + 41 more" },
		{ "A title of fifty-five columns that ends right here, ok.", 1, 0,
		    "A title of fifty-five columns that ends right here, ok." },
		{ "A longer title, with a comma at the place where it is cut, and more", 2, 0,
		    "A longer title, with a comma at the place where it is… + 1 more" },
		{ "Donaudampfschifffahrtsgesellschaftskapitänsmützenhersteller und andere", 1, 0,
		    "Donaudampfschifffahrtsgesellschaftskapitänsmützenherste…" },
		{ "用于机器人抓取的三维高斯表示用于机器人抓取的三维高斯表示用于机器人抓取", 1, 0,
		    "用于机器人抓取的三维高斯表示用于机器人抓取的三维高斯表…" },
		{ "a\r\nBcc: eve@example.org", 1, 0, "a Bcc: eve@example.org" },
		{ "{{unsubscribe_url}} %s", 1, 0, "{{unsubscribe_url}} %s" },
		{ "", 0, 0, "No new papers on 20 Nov" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct edition_view view = new_view(f, cases[i].papers, 0);

		if (cases[i].papers > 0)
			paper_of(&view, 0)->title = cases[i].title;
		view.since_day -= cases[i].since;
		draw(f, &view);
		if (strcmp(f->out.subject.buf, cases[i].want) != 0)
			fail_msg(
			    "row %zu: '%s', expected '%s'", i, f->out.subject.buf, cases[i].want);
	}
}

static void
test_preheader_and_note(void **state)
{
	struct fixture *f = *state;
	struct edition_view view = new_view(f, 4, 0);

	draw(f, &view);
	assert_has(f->out.html.buf,
	    ">Learning 2 small things about large scenes · Learning 3 small things");
	assert_null(strstr(f->out.html.buf, "class=\"n\""));
	view.note = "Hugging Face did not <answer>.";
	view.welcome = true;
	draw(f, &view);
	assert_has(f->out.html.buf, "Hugging Face did not &lt;answer&gt;.");
	assert_has(f->out.text.buf, "* Hugging Face did not <answer>.");
	assert_has(f->out.html.buf, "Welcome.");
}

/* The same bytes again, from another set and another arena. */
static void
test_same_input_same_bytes(void **state)
{
	struct fixture *f = *state;
	struct edition_view view = sample_view(f);
	struct rendered again;
	struct render *r = NULL;
	struct arena a;

	draw(f, &view);
	arena_init(&a, SCRATCH);
	rendered_init(&again);
	assert_int_equal(render_new(NULL, &r, NULL), 0);
	assert_int_equal(render_edition(r, &view, &a, &again, NULL), 0);
	assert_string_equal(again.html.buf, f->out.html.buf);
	assert_string_equal(again.text.buf, f->out.text.buf);
	render_free(r);
	rendered_release(&again);
	arena_release(&a);
}

static const char *const hostile[] = {
	"<script>alert(1)</script>",
	"\"><img src=x onerror=alert(1)>",
	"' onmouseover='alert(1)",
	"</title></style><script>",
	"javascript:alert(1)",
	"JaVaScRiPt:alert(1)",
	"data:text/html,<script>",
	"https://",
	"https:///x",
	"//evil.example",
	"vbscript:x",
	"\x01javascript:alert(1)",
	"http:x",
	"https://a.example/\"onclick=\"x",
	"https://a.example/<b>'",
	"https://a.example/\r\nX: y",
	"a\r\nBcc: x@y.example\r\n\r\n<p>",
	"\xff\xfe\x80",
	"\xe2\x80\xae"
	"gnp.exe",
	"{{{paper}}}{{> card.html}}",
	"$\\frac{1}{2}$ %s %n",
	"<!--",
	"]]>",
	"&lt;script&gt;",
	"\xe2\x80\xa8x",
	"{n} {who} | {names}",
};

static void
test_hostile_texts(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		struct edition_view view = new_view(f, 2, 1);
		struct paper *p = paper_of(&view, 0);
		const char *author[] = { hostile[i], hostile[i], hostile[i] };

		p->title = p->abstract = p->summary = p->summary_by = p->org = p->venue = p->doi =
		    hostile[i];
		p->url = p->html_url = p->pdf_url = p->code_url = p->project_url =
		    p->discussion_url = p->thumbnail_url = hostile[i];
		p->authors = author;
		p->nauthors = 3;
		p->language = "x\" onload=\"";
		pick_of(&view, 0)->why = hostile[i];
		view.note = hostile[i];
		view.unsubscribe_url = hostile[i];
		draw(f, &view);
		check_html(f->out.html.buf);
		check_text(f->out.text.buf);
		assert_null(strchr(f->out.subject.buf, '\n'));
		assert_null(strchr(f->out.subject.buf, '\r'));
		assert_null(strchr(f->out.html.buf, '\r'));
		assert_null(strstr(f->out.html.buf, "\xe2\x80\xae"));
		if (strcasestr(f->out.html.buf, "href=\"javascript") != NULL)
			fail_msg("row %zu", i);
	}
}

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
test_mailto_unsubscribe(void **state)
{
	struct fixture *f = *state;
	struct edition_view view = new_view(f, 1, 0);

	view.unsubscribe_url = "mailto:papers@example.org?subject=unsubscribe%20abc";
	view.preferences_url = "";
	draw(f, &view);
	check_html(f->out.html.buf);
	assert_int_equal(
	    count(f->out.html.buf, "href=\"mailto:papers@example.org?subject=unsubscribe%20abc\""),
	    2);
	assert_has(
	    f->out.text.buf, "Unsubscribe: mailto:papers@example.org?subject=unsubscribe%20abc");
	assert_null(strstr(f->out.html.buf, "Manage"));
}

/* A quoted-printable encoder as plain as can be, to hold the counter to. */
static size_t
qp_encode(const char *text, struct strbuf *out)
{
	size_t column = 0;

	for (const char *line = text; *line != '\0';) {
		size_t len = strcspn(line, "\n");

		for (size_t i = 0; i < len;) {
			size_t n = 1, size;
			char c = line[i];
			bool last;

			while (i + n < len && (line[i + n] & 0xc0) == 0x80 && (c & 0x80) != 0)
				n++;
			last = i + n == len;
			for (int again = 0; again < 2; again++) {
				bool plain =
				    c >= 33 && c <= 126 && c != '=' && !(c == '.' && column == 0);

				plain = plain || ((c == ' ' || c == '\t') && !last);
				size = plain ? 1 : 3 * n;
				if (column + size <= (last ? 76 : 75))
					break;
				strbuf_add(out, "=\r\n");
				column = 0;
			}
			for (size_t k = 0; k < n; k++)
				strbuf_addn(out, "xxx", size / n);
			column += size;
			i += n;
		}
		if (line[len] == '\n')
			strbuf_add(out, "\r\n");
		column = 0;
		line += len + (line[len] == '\n');
	}
	return out->len;
}

static void
test_qp_size(void **state)
{
	static const char *const cases[] = { "", "a", "a\n", "\n\n", "a=b\n", ".\n", " \n",
		"a \nb\t\n", "é\n",
		"0123456789012345678901234567890123456789012345678901234567890123456789012345\n",
		"01234567890123456789012345678901234567890123456789012345678901234567890123456\n",
		"012345678901234567890123456789012345678901234567890123456789012345678901234.\n",
		"01234567890123456789012345678901234567890123456789012345678901234567890123é4\n",
		"012345678901234567890123456789012345678901234567890123456789012345678901234.5" };
	struct fixture *f = *state;
	struct edition_view view = sample_view(f);
	struct strbuf sb;

	strbuf_init(&sb, 1 << 20);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		strbuf_reset(&sb);
		if (escape_qp_size(cases[i], strlen(cases[i])) != qp_encode(cases[i], &sb))
			fail_msg("row %zu: %zu, expected %zu", i,
			    escape_qp_size(cases[i], strlen(cases[i])), sb.len);
	}
	draw(f, &view);
	strbuf_reset(&sb);
	assert_int_equal(
	    escape_qp_size(f->out.html.buf, f->out.html.len), qp_encode(f->out.html.buf, &sb));
	strbuf_release(&sb);
}

/* WCAG 2.1: relative luminance and contrast of two colours "#rrggbb". */
static double
luminance(const char *colour)
{
	unsigned long rgb = strtoul(colour + 1, NULL, 16);
	double sum = 0;

	for (unsigned i = 0; i < 3; i++) {
		static const double weight[] = { 0.0722, 0.7152, 0.2126 };
		double c = (double)(rgb >> (8 * i) & 255) / 255;

		sum += weight[i] * (c <= 0.03928 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4));
	}
	return sum;
}

/* Each colour of text has its background beside it, and the two are apart; returns how many there are. */
static size_t
check_colours(const char *css)
{
	size_t n = 0;

	for (const char *at = css; (at = strstr(at, "color:#")) != NULL; at += 6) {
		const char *ground;
		double a, b;

		if (at[-1] == '-')
			continue; /* background-color */
		ground = at + 13 + (at[13] == '!' ? strlen("!important") : 0);
		if (strncmp(ground, ";background-color:#", 19) != 0)
			fail_msg("a colour without its background: %.80s", at);
		a = luminance(at + 6) + 0.05;
		b = luminance(ground + 18) + 0.05;
		if ((a > b ? a / b : b / a) < 4.5)
			fail_msg("contrast %.2f: %.80s", a > b ? a / b : b / a, at);
		n++;
	}
	return n;
}

static void
test_contrast(void **state)
{
	struct fixture *f = *state;
	struct edition_view view = sample_view(f);

	draw(f, &view);
	assert_true(check_colours(f->out.html.buf) > 50);
	assert_has(f->out.html.buf, "prefers-color-scheme:dark");
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
		int64_t n;
		const char *want;
	} cases[] = {
		{ "none", 1, "1 a" },
		{ "none", 5, "5 a" },
		{ "one", 0, "0 b" },
		{ "one", 1, "1 a" },
		{ "one", 1234567, "1,234,567 b" },
		{ "zero-one", 0, "0 a" },
		{ "zero-one", 1, "1 a" },
		{ "zero-one", 2, "2 b" },
		{ "slavic", 1, "1 a" },
		{ "slavic", 3, "3 b" },
		{ "slavic", 11, "11 c" },
		{ "slavic", 21, "21 a" },
		{ "slavic", 112, "112 c" },
		{ "polish", 21, "21 c" },
		{ "polish", 22, "22 b" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct strings *s = NULL;
		struct strbuf sb;
		const char *text = arena_printf(
		    &f->papers, "plural = %s\nvotes = {n} a | {n} b | {n} c\n", cases[i].rule);

		strbuf_init(&sb, 100);
		assert_non_null(text);
		assert_int_equal(strings_parse(&f->papers, "xx", text, strlen(text),
				     set_find_words(f->render, "en"), &s, NULL),
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
		    "digest.html:1:1: no template is called 'heder.html'" },
		{ "digest.txt", "{{text.manege}}",
		    "digest.txt:1:1: no text is called 'manege'; expected a key of en.strings" },
		{ "digest.txt", "{{#sections}}",
		    "digest.txt:1:1: section 'sections' does not end; expected '/sections'" },
		{ "crad.html", "x",
		    "crad.html: no template has this name; see 'digest template list', perhaps "
		    "'card.html'" },
		{ "fr.strings", "lang = fr\nmanege = x\n",
		    "fr.strings:2:1: no text is called 'manege'; expected one of en.strings, "
		    "perhaps 'manage'" },
		{ "fr.strings", "lang fr", "fr.strings:1:1: no '='; expected 'key = text'" },
		{ "fr.strings", "dir = up", "fr.strings: dir = 'up'; expected ltr or rtl" },
		{ "fr.strings", "months = a b", "fr.strings: months has 2 words; expected 12" },
		{ "fr.strings", "plural = two",
		    "fr.strings: plural = 'two'; expected none, one, zero-one, slavic or polish" },
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

/* Whatever the bound of the scratch memory, the answer is a mail or an error. */
static void
test_short_memory(void **state)
{
	struct fixture *f = *state;
	struct edition_view view = sample_view(f);
	bool drawn = false;

	for (size_t bytes = 0; bytes < 400 * 1024 && !drawn; bytes += 977) {
		struct error err = { 0 };
		struct arena a;

		arena_init(&a, bytes);
		drawn = render_edition(f->render, &view, &a, &f->out, &err) == 0;
		if (!drawn && err.kind != ERR_NOMEM)
			fail_msg("%zu bytes: %s", bytes, err.msg);
		arena_release(&a);
	}
	assert_true(drawn);
	check_html(f->out.html.buf);
}

/* Many sections, of which most have no room. */
static void
test_a_thousand_sections(void **state)
{
	struct fixture *f = *state;
	struct edition_view view = new_view(f, 1000, 0);
	struct section_view *s = arena_array(&f->papers, 1000, sizeof(*s));

	assert_non_null(s);
	for (size_t i = 0; i < 1000; i++)
		s[i] = (struct section_view){
			.name = "Section", .query = "", .picks = pick_of(&view, i), .npicks = 1
		};
	view.sections = s;
	view.nsections = 1000;
	draw(f, &view);
	check_html(f->out.html.buf);
	assert_has(f->out.html.buf, "more papers in your filters</td>");
	assert_has(f->out.text.buf, "1000. Learning 1000 small things");
}

/* Names: each that the context makes is known to the check of templates and stands in the manual. */
static void
check_names(const char *manual, const struct value *v)
{
	const char *name;

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
		cmocka_unit_test_setup_teardown(test_budget, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sample_has_all_in_both_parts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_subject, setup, teardown),
		cmocka_unit_test_setup_teardown(test_preheader_and_note, setup, teardown),
		cmocka_unit_test_setup_teardown(test_same_input_same_bytes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile_texts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_urls, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mailto_unsubscribe, setup, teardown),
		cmocka_unit_test_setup_teardown(test_qp_size, setup, teardown),
		cmocka_unit_test_setup_teardown(test_contrast, setup, teardown),
		cmocka_unit_test_setup_teardown(test_german, setup, teardown),
		cmocka_unit_test_setup_teardown(test_plurals, setup, teardown),
		cmocka_unit_test_setup_teardown(test_user_files, setup, teardown),
		cmocka_unit_test_setup_teardown(test_override_is_used, setup, teardown),
		cmocka_unit_test_setup_teardown(test_template_above_budget, setup, teardown),
		cmocka_unit_test_setup_teardown(test_short_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_thousand_sections, setup, teardown),
		cmocka_unit_test_setup_teardown(test_manual_names_the_context, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
