/* render_fixture.h - what the tests of render/ share: papers, editions, and the checks that every mail must pass. */
#ifndef DIGEST_TESTS_RENDER_FIXTURE_H
#define DIGEST_TESTS_RENDER_FIXTURE_H

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
#include "digest/qp.h"
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
	size_t html_coded; /* bytes of the HTML part as it goes into a mail */
	struct subscriber reader;
	struct error err;
};

static inline int
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

static inline int
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

static inline struct paper *
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
static inline struct edition_view
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
		    "1 Main Street, Exampleton", "", false },
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
		.change = "",
		.change_where = "",
		.sections = s,
		.nsections = 1,
		.unsubscribe_url = "https://papers.example.org/u/abc",
		.preferences_url = "https://papers.example.org/p/abc",
		.archive_url = "",
	};
}

static inline struct pick_view *
pick_of(const struct edition_view *view, size_t i)
{
	return (struct pick_view *)(uintptr_t)&view->sections[0].picks[i];
}

static inline struct paper *
paper_of(const struct edition_view *view, size_t i)
{
	return (struct paper *)(uintptr_t)view->sections[0].picks[i].paper;
}

/* A part as it is read, in the place of what goes into a mail. */
static inline void
decode_part(struct strbuf *part)
{
	struct strbuf text;

	for (const char *line = part->buf, *end; *line != '\0'; line = end + 2) {
		end = strstr(line, "\r\n");
		if (end == NULL || end - line > 76)
			fail_msg("no line of quoted-printable: %.90s", line);
	}
	strbuf_init(&text, part->max_bytes);
	qp_add_decoded(&text, part->buf, part->len);
	strbuf_reset(part);
	strbuf_addn(part, text.buf, text.len);
	strbuf_release(&text);
}

static inline void
decode_parts(struct rendered *out)
{
	assert_true(out->html.len <= out->html.max_bytes);
	decode_part(&out->html);
	decode_part(&out->text);
}

static inline void
draw(struct fixture *f, const struct edition_view *view)
{
	arena_reset(&f->scratch);
	if (render_edition(f->render, view, &f->scratch, &f->out, &f->err) == -1)
		fail_msg("%s", f->err.msg);
	f->html_coded = f->out.html.len;
	decode_parts(&f->out);
}

static inline size_t
count(const char *text, const char *part)
{
	size_t n = 0;

	for (; (text = strstr(text, part)) != NULL; text += strlen(part))
		n++;
	return n;
}

/* Text without the line breaks and blanks that filling may have moved. */
static inline char *
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

static inline void
assert_has(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("'%s' is not in:\n%s", part, text);
}

/* The layout: what may stand in the HTML part, by what mail programs understand. */

static inline bool
is_listed(const char *const *list, const char *word, size_t len)
{
	for (; *list != NULL; list++)
		if (strlen(*list) == len && strncmp(*list, word, len) == 0)
			return true;
	return false;
}

static const char *const tags[] = { "!DOCTYPE", "html", "head", "meta", "title", "style", "body",
	"div", "table", "tr", "td", "h1", "h2", "h3", "p", "a", "b", "mark", "img",
	NULL };
static const char *const attributes[] = { "lang", "dir", "charset", "name", "content", "class",
	"style", "role", "width", "cellpadding", "cellspacing", "border", "align", "href", "html",
	"src", "alt", "height", NULL };
static const char *const bad_css[] = { "flex", "grid", "float", "position", "var(", "url(",
	"@import", "rem", "expression", NULL };

static inline void
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

static inline void
check_css(const char *css, size_t len)
{
	for (size_t i = 0; bad_css[i] != NULL; i++)
		if (memmem(css, len, bad_css[i], strlen(bad_css[i])) != NULL)
			fail_msg("'%s' in css: %.*s", bad_css[i], (int)len, css);
}

/* Check one tag that begins at text; returns what follows it. */
static inline const char *
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
		if (n == 5 && strncmp(name, "style", 5) == 0) {
			check_css(text, strcspn(text, "\""));
			if (memmem(text, strcspn(text, "\""), "max-width", 9) != NULL)
				assert_true(strncmp(start, "<table ", 7) ==
				    0); /* Outlook knows it there only */
		}
		text += strcspn(text, "\"") + 1;
	}
	return text + 1;
}

static inline void
check_html(const char *html)
{
	const char *at = html, *style = strstr(html, "<style>"),
		   *style_end = strstr(html, "</style>");

	while ((at = strchr(at, '<')) != NULL)
		at = check_tag(at);
	check_css(style, (size_t)(style_end - style));
	assert_true(style_end - style < 16 * 1024);
	assert_int_equal(count(html, "<h1"), 1);
	assert_int_equal(count(html, "<table"), count(html, "role=\"presentation\""));
	assert_int_equal(count(html, "<table"), count(html, "</table>"));
	assert_int_equal(count(html, "<td"), count(html, "</td>"));
	assert_int_equal(count(html, "<p"), count(html, "</p>"));
	assert_true(
	    strstr(html, "unsubscribe") == NULL || strstr(html, "/u/abc") - html < 20 * 1024);
	assert_true(strlen(html) <= MAX_HTML_BYTES);
}

static inline void
check_text(const char *text)
{
	for (; *text != '\0'; text += strcspn(text, "\n") + 1) {
		size_t n = strcspn(text, "\n");

		if (text_width(text, n) > 72 && memmem(text, n, "http", 4) == NULL)
			fail_msg("%zu columns: %.*s", text_width(text, n), (int)n, text);
		assert_true(n == 0 || text[n - 1] != ' ');
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

static inline struct paper *
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
static inline struct edition_view
sample_view(struct fixture *f)
{
	static const char *const also_in[] = { "Robots", "On small devices" };
	static const struct paper_mark marks[] = { { PAPER_TITLE, 0, 9 }, { PAPER_TITLE, 13, 16 },
		{ PAPER_ABSTRACT, 0, 2 } };
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
	picks[0].marks = marks;
	picks[0].nmarks = sizeof(marks) / sizeof(marks[0]);
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

#endif
