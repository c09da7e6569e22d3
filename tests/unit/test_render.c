/* From papers to subject, HTML and text: budget, layout, equality of both parts, hostile texts. */
#include "render_fixture.h"

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
			    cases[i].papers, f->out.html.len, f->html_coded, f->out.text.len,
			    f->out.nfull, f->out.nshort, f->out.nline,
			    f->scratch.used_bytes / 1024);
		if ((named == cases[i].papers) != cases[i].all_named)
			fail_msg("row %zu: %zu papers named", i, named);
		for (size_t k = 0; k < named; k++)
			if (strstr(f->out.html.buf, paper_of(&view, k)->title) == NULL)
				fail_msg("row %zu: paper %zu is missing", i, k);
		if (f->out.html.len < MAX_HTML_BYTES * 9 / 10 && named < cases[i].papers)
			fail_msg("row %zu: room for more", i);
		for (size_t k = 0, at = 0; k < cases[i].papers && k < 4000; k++) {
			const char *found = strstr(f->out.text.buf + at, paper_of(&view, k)->title);

			if (found == NULL)
				fail_msg("row %zu: paper %zu is not in the text", i, k);
			at = (size_t)(found - f->out.text.buf);
		}
		if (named < cases[i].papers)
			assert_has(f->out.html.buf, " more: digest -u ada@example.org search ");
	}
}

/* The limit is the list's own: a smaller one shows less, and no mail exceeds it. */
static void
test_limit_is_kept(void **state)
{
	static const size_t limits[] = { 20000, 30000, 80000, 200000, 1000000 };
	struct fixture *f = *state;
	struct edition_view view = new_view(f, 500, 30);
	size_t before = 0;

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		const char *html;
		size_t weight;

		view.max_html_bytes = limits[i];
		draw(f, &view);
		html = f->out.html.buf;
		if (f->html_coded > limits[i])
			fail_msg("row %zu: %zu bytes", i, f->html_coded);
		weight = 3 * f->out.nfull + 2 * f->out.nshort + f->out.nline;
		if (weight <= before && before < 1500)
			fail_msg("row %zu: no more than with less room", i);
		before = weight;
		assert_has(html, "https://papers.example.org/u/abc");
		assert_has(html, "1 Main Street");
	}
	assert_int_equal(f->out.nfull, 500);
}

/* What a card is drawn as: 3 with all of the abstract, 2 without its rest, 1 as a line, 0 not at all. */
static int
size_in(const char *html, const struct paper *p)
{
	/* Behind the subject and the preheader, which name papers, too. */
	const char *title = strstr(strstr(html, "<h1"), p->title), *end;

	if (title == NULL)
		return 0;
	while (title > html && strncmp(title, "<h3", 3) != 0 && strncmp(title, "<p ", 3) != 0)
		title--;
	if (strncmp(title, "<p ", 3) == 0)
		return 1;
	end = strstr(title + 1, "<h3");
	return memmem(title, end != NULL ? (size_t)(end - title) : strlen(title), "We release code",
		   15) != NULL
	    ? 3
	    : 2;
}

/* Of three filters, each one's first papers keep their abstracts longest; no paper is larger than one before it. */
static void
test_best_shrink_last(void **state)
{
	static const size_t sizes[] = { 30, 5, 15 }, limits[] = { 20000, 40000, 60000, 100000 };
	struct fixture *f = *state;
	struct edition_view view = new_view(f, 50, 0);
	struct section_view sections[3];
	const struct pick_view *picks = view.sections[0].picks;
	size_t nmixed = 0;

	for (size_t i = 0; i < 3; picks += sizes[i++])
		sections[i] = (struct section_view){
			.name = "Scenes", .query = "", .picks = picks, .npicks = sizes[i]
		};
	view.sections = sections;
	view.nsections = 3;
	for (size_t row = 0; row < sizeof(limits) / sizeof(limits[0]); row++) {
		int last[3], first[3];

		view.max_html_bytes = limits[row];
		draw(f, &view);
		for (size_t i = 0; i < 3; i++) {
			first[i] = last[i] = size_in(f->out.html.buf, sections[i].picks[0].paper);
			for (size_t k = 1; k < sizes[i]; k++) {
				int size = size_in(f->out.html.buf, sections[i].picks[k].paper);

				if (size > last[i])
					fail_msg(
					    "row %zu: section %zu: paper %zu grows", row, i, k);
				last[i] = size;
			}
		}
		if (first[1] < last[0] || first[2] < last[0] || last[1] < last[0])
			fail_msg("row %zu: the last filter pays for the first", row);
		nmixed += first[2] > last[0];
	}
	assert_true(nmixed >= 2);
}

/* However many papers there are, a mail begins with some that say what they are about; only then comes the list of titles. */
static void
test_best_keep_a_sentence(void **state)
{
	static const size_t limits[] = { 20000, 40000, 80000 };
	struct fixture *f = *state;
	struct edition_view view = new_view(f, 500, 30);

	for (size_t row = 0; row < sizeof(limits) / sizeof(limits[0]); row++) {
		view.max_html_bytes = limits[row];
		draw(f, &view);
		for (size_t i = 0; i < 5; i++)
			if (size_in(f->out.html.buf, view.sections[0].picks[i].paper) < 2)
				fail_msg("row %zu: paper %zu is a mere title", row, i);
		assert_int_equal(size_in(f->out.html.buf, view.sections[0].picks[5].paper), 1);
		assert_has(f->out.text.buf, view.sections[0].picks[499].paper->title);
	}
}

/* Who wrote a summary is told in a few letters, above as many cards as a mail has. */
static void
test_who_summed_up(void **state)
{
	static const char *const cases[][2] = {
		{ "AI", ">AI summary:</b>" },
		{ "Qwen3-8B", ">AI summary (Qwen3-8B):</b>" },
		{ "some-laboratory/Small-1", ">AI summary (Small-1):</b>" },
		{ "odd/", ">AI summary (odd/):</b>" },
		{ "", " style=\"margin:10px 0 0\">It sums up.</p>" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct edition_view view = new_view(f, 1, 0);
		struct paper *p = paper_of(&view, 0);

		p->summary = "It sums up.";
		p->summary_by = cases[i][0];
		draw(f, &view);
		if (strstr(f->out.html.buf, cases[i][1]) == NULL)
			fail_msg("row %zu: '%s' is told otherwise", i, cases[i][0]);
	}
}

/* An abstract without end is cut at a word; one as journals have them is not. */
static void
test_endless_abstract(void **state)
{
	static const struct {
		size_t n;
		bool summed_up, cut;
	} cases[] = { { 200, false, false }, { 1000, false, true }, { 1000, true, true } };
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct edition_view view = new_view(f, 1, 0);
		struct paper_mark mark = { .text = PAPER_ABSTRACT, .start = 3000, .end = 3006 };
		struct pick_view pick = view.sections[0].picks[0];
		struct section_view section = view.sections[0];
		struct strbuf abstract;

		strbuf_init(&abstract, MAX_ABSTRACT_BYTES);
		strbuf_add(&abstract, "Seeds grow. Beside them ");
		for (size_t k = 0; k < cases[i].n; k++)
			strbuf_add(&abstract, k % 7 == 6 ? "Gardens at 8. " : "plants and trees, ");
		paper_of(&view, 0)->abstract = arena_strdup(&f->papers, abstract.buf);
		paper_of(&view, 0)->summary = cases[i].summed_up ? "Seeds grow." : "";
		pick.marks = &mark;
		pick.nmarks = 1;
		section.picks = &pick;
		view.sections = &section;
		draw(f, &view);
		check_html(f->out.html.buf);
		if ((strstr(f->out.html.buf, "…</p>") != NULL) != cases[i].cut)
			fail_msg("row %zu: %s", i, cases[i].cut ? "not cut" : "cut");
		if (cases[i].cut && f->out.html.len > 18000)
			fail_msg("row %zu: %zu bytes", i, f->out.html.len);
		if (cases[i].cut && strstr(f->out.text.buf, "…\n\n") == NULL)
			fail_msg("row %zu: the text is not cut", i);
		assert_has(f->out.html.buf, "<mark ");
		strbuf_release(&abstract);
	}
}

/* What stands behind "and N more", and when nothing can. */
static void
test_more_says_where(void **state)
{
	static const struct {
		const char *name, *address, *base_url, *html, *text;
		int days;
	} cases[] = {
		{ "Scenes", "ada@example.org", "",
		    "and 7 more: digest -u ada@example.org search &#39;@&quot;Scenes&quot;&#39; "
		    "--days 7<",
		    "search '@\"Scenes\"' --days 7", 0 },
		{ "radiance fields", "ada@example.org", "",
		    "@&quot;radiance fields&quot;&#39; "
		    "--days 24<",
		    "search '@\"radiance fields\"' --days", 17 },
		{ "Scenes", "ada@example.org", "https://papers.example.org", ">and 7 more<",
		    "\nand 7 more\n", 0 },
		{ "Scenes", "ada@example.org", "https://papers.example.org/",
		    ">and 7 more: https://papers.example.org/old<",
		    "\nand 7 more: https://papers.example.org/old\n", 0 },
		{ "it's", "ada@example.org", "", ">and 7 more<", "\nand 7 more\n", 0 },
		{ "\"x\"", "ada@example.org", "", ">and 7 more<", "\nand 7 more\n", 0 },
		{ "Scenes", "a$(id)@example.org", "", ">and 7 more<", "\nand 7 more\n", 0 },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct edition_view view = new_view(f, 2, 0);
		struct section_view section = view.sections[0];

		section.name = cases[i].name;
		section.nmore = 7;
		view.sections = &section;
		view.list.base_url = cases[i].base_url;
		if (strstr(cases[i].html, "/old") != NULL)
			view.archive_url = "https://papers.example.org/old";
		view.since_day = view.day - cases[i].days;
		f->reader.address = cases[i].address;
		draw(f, &view);
		assert_has(f->out.html.buf, cases[i].html);
		assert_has(f->out.text.buf, cases[i].text);
	}
	f->reader.address = "ada@example.org";
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
	assert_has(f->out.html.buf,
	    "in Radiance fields: gaussian splatting · also in Robots, On small devices</p>");
	assert_has(f->out.html.buf,
	    "risen since your last digest · in Radiance fields: radiance fields</p>");
	assert_has(f->out.html.buf, ">and 7 more: digest -u ada@example.org search ");
	assert_has(f->out.html.buf, " lang=\"ar\" dir=\"rtl\"");
	assert_has(f->out.html.buf,
	    "412 papers read from arXiv cs.CV, Hugging Face; 16 matched; 6 shown, 11 cut");
	assert_has(f->out.html.buf, "1 Main Street, Exampleton");
	assert_has(f->out.text.buf, "  6. Proof-carrying plans");
}

/* Matched words are marked wherever the text that holds them went; marks that fit no text do nothing. */
static void
test_marks(void **state)
{
	static const char mark[] =
	    "<mark class=\"k\" style=\"font-weight:bold;color:inherit;background-color:inherit\">";
	static const struct {
		const char *title, *summary, *abstract;
		struct paper_mark marks[3];
		const char *html, *text; /* with [ ] for the marks of HTML */
	} rows[] = {
		{ "Tea & cake", "", "Hot tea. More tea <b>.",
		    { { PAPER_TITLE, 0, 3 }, { PAPER_ABSTRACT, 4, 7 }, { PAPER_ABSTRACT, 14, 17 } },
		    "[Tea] &amp; cake|Hot [tea].|More [tea] &lt;b&gt;.",
		    "Hot *tea*.|More *tea* <b>." },
		/* the first sentence ends inside of one */
		{ "T", "", "One two. Three four.", { { PAPER_ABSTRACT, 4, 14 } },
		    "One [two.]|[Three] four.", "One *two.*|*Three* four." },
		{ "T", "A robot says.", "Robots talk.",
		    { { PAPER_SUMMARY, 2, 7 }, { PAPER_ABSTRACT, 0, 6 } },
		    "A [robot] says.|[Robots] talk.", "A *robot* says.|*Robots* talk." },
		/* past the end, the wrong way round, and twice the same */
		{ "Short", "", "Text.",
		    { { PAPER_TITLE, 400, 500 }, { PAPER_ABSTRACT, 3, 1 },
			{ PAPER_ABSTRACT, 2, 900 } },
		    "Short|Te[xt.]", "Te*xt.*" },
		/* to the blank at the end of a line, which goes */
		{ "T", "", "More text ", { { PAPER_ABSTRACT, 5, 900 } }, "More [text ]",
		    "More *text*" },
		/* a text that had to be cleaned keeps none */
		{ "A\x01 tea", "", "Text.", { { PAPER_TITLE, 3, 6 } }, "A tea|Text.", "Text." },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct edition_view view = sample_view(f);
		struct paper *p = sample_paper(f, 0);
		struct pick_view pick = {
			.paper = p, .why = "", .marks = rows[i].marks, .nmarks = 3
		};
		struct section_view s = { .name = "S", .query = "", .picks = &pick, .npicks = 1 };
		char html[4096], *to = html;

		p->title = rows[i].title;
		p->summary = rows[i].summary;
		p->abstract = rows[i].abstract;
		view.sections = &s;
		view.nsections = 1;
		draw(f, &view);
		for (const char *at = strstr(f->out.html.buf, "<h3");
		     *at != '\0' && to < html + 4000;) {
			size_t len = strlen(mark);
			bool begins = strncmp(at, mark, len) == 0,
			     ends = strncmp(at, "</mark>", 7) == 0;

			*to++ = begins ? '[' : ends ? ']' : *at;
			at += begins ? len : ends ? 7 : 1;
		}
		*to = '\0';
		for (size_t k = 0; k < 2; k++) {
			char *part,
			    *rest = arena_strdup(&f->papers, k == 0 ? rows[i].html : rows[i].text);

			while ((part = strsep(&rest, "|")) != NULL)
				if (strstr(k == 0 ? html : f->out.text.buf, part) == NULL)
					fail_msg("row %zu: no '%s' in\n%s", i, part,
					    k == 0 ? html : f->out.text.buf);
		}
	}
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
		{ "", 0, 0, "Nothing for your filters on 20 Nov" },
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
	view = new_view(f, 1, 0);
	paper_of(&view, 0)->abstract = "We paint <walls>. It dries.";
	draw(f, &view);
	assert_has(f->out.html.buf, "background-color:#edf0f4\">We paint &lt;walls&gt;.&emsp;");
	paper_of(&view, 0)->abstract = "";
	draw(f, &view);
	assert_has(f->out.html.buf, " shown&emsp;");
	view = new_view(f, 4, 0);
	view.note = "Hugging Face did not <answer>.";
	view.welcome = true;
	draw(f, &view);
	assert_has(f->out.html.buf, "Hugging Face did not &lt;answer&gt;.");
	assert_has(f->out.text.buf, "* Hugging Face did not <answer>.");
	assert_has(f->out.html.buf, "Welcome.");
	view.note =
	    "Hugging Face did not answer, and nobody knows why; its papers will come later.";
	draw(f, &view);
	assert_has(f->out.text.buf,
	    "\n* Hugging Face did not answer, and nobody knows why; its papers will\n  come "
	    "later.\n");
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
	decode_parts(&again);
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
	"\xe2\x80\xaegnp.exe",
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

/* Pictures are shown when the list says so, and by https only. */
static void
test_thumbnails(void **state)
{
	static const struct {
		const char *url, *src; /* src NULL = no picture */
	} rows[] = {
		{ "https://pictures.example/a b.png", "https://pictures.example/a%20b.png" },
		{ "HTTPS://pictures.example/\"x", "HTTPS://pictures.example/%22x" },
		{ "http://pictures.example/a.png", NULL },
		{ "data:image/png;base64,AAAA", NULL },
		{ "", NULL },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct edition_view view = new_view(f, 1, 0);

		paper_of(&view, 0)->thumbnail_url = rows[i].url;
		draw(f, &view);
		assert_int_equal(count(f->out.html.buf, "<img"), 0);
		view.list.thumbnails = true;
		draw(f, &view);
		check_html(f->out.html.buf);
		assert_int_equal(count(f->out.html.buf, "<img"), rows[i].src != NULL);
		if (rows[i].src != NULL)
			assert_has(f->out.html.buf,
			    arena_printf(
				&f->papers, "<img src=\"%s\" alt=\"\" width=", rows[i].src));
		assert_null(strstr(f->out.text.buf, "pictures.example"));
	}
}

/* WCAG 2.1: relative luminance of a colour, "#rrggbb" or "#rgb"; *end gets what follows. */
static double
luminance(const char *colour, char **end)
{
	unsigned long rgb = strtoul(colour + 1, end, 16);
	unsigned bits = *end - colour == 4 ? 4 : 8, most = (1u << bits) - 1;
	double sum = 0;

	assert_true(*end - colour == 4 || *end - colour == 7);
	for (unsigned i = 0; i < 3; i++) {
		static const double weight[] = { 0.0722, 0.7152, 0.2126 };
		double c = (double)(rgb >> (bits * i) & most) / most;

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
		char *ground, *end;
		double a, b;

		if (at[-1] == '-')
			continue; /* background-color, border-color */
		a = luminance(at + 6, &ground) + 0.05;
		ground += *ground == '!' ? strlen("!important") : 0;
		if (strncmp(ground, ";background-color:#", 19) != 0)
			fail_msg("a colour without its background: %.80s", at);
		b = luminance(ground + 18, &end) + 0.05;
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
	decode_parts(&f->out);
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
	assert_has(
	    f->out.html.buf, "more papers in your filters, see the plain text of this mail</td>");
	assert_has(f->out.text.buf, "1000. Learning 1000 small things");
}

/* Risen papers stand behind what is popular outside, tell their filter, and still are what the mail is about. */
static void
test_risen(void **state)
{
	struct fixture *f = *state;
	struct edition_view view = new_view(f, 2, 1);
	const struct pick_view *picks = view.sections[0].picks;
	const struct section_view sections[] = {
		{ .name = "Scenes", .query = "", .picks = picks, .cut = picks + 2, .ncut = 1 },
		{ .name = "", .query = "", .picks = picks, .npicks = 1, .outside = true },
		{ .name = "", .query = "", .picks = picks + 1, .npicks = 1, .risen = true },
	};
	const char *outside, *risen;

	pick_of(&view, 1)->risen = true;
	pick_of(&view, 1)->filter = "Liked";
	view.sections = sections;
	view.nsections = 3;
	view.nshown = 1;
	draw(f, &view);
	check_html(f->out.html.buf);
	assert_string_equal(f->out.subject.buf, "Learning 2 small things about large scenes");
	outside = strstr(f->out.html.buf, "outside your filters</h2>");
	risen = strstr(f->out.html.buf, ">Risen</h2>");
	assert_true(outside != NULL && risen > outside);
	assert_has(f->out.html.buf, ">risen since your last digest · in Liked: large scenes<");
	assert_has(f->out.text.buf, "== Risen ==\n\n  2. Learning 2 ");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_budget, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limit_is_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(test_best_shrink_last, setup, teardown),
		cmocka_unit_test_setup_teardown(test_best_keep_a_sentence, setup, teardown),
		cmocka_unit_test_setup_teardown(test_endless_abstract, setup, teardown),
		cmocka_unit_test_setup_teardown(test_who_summed_up, setup, teardown),
		cmocka_unit_test_setup_teardown(test_more_says_where, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sample_has_all_in_both_parts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_marks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_risen, setup, teardown),
		cmocka_unit_test_setup_teardown(test_subject, setup, teardown),
		cmocka_unit_test_setup_teardown(test_preheader_and_note, setup, teardown),
		cmocka_unit_test_setup_teardown(test_same_input_same_bytes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile_texts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mailto_unsubscribe, setup, teardown),
		cmocka_unit_test_setup_teardown(test_thumbnails, setup, teardown),
		cmocka_unit_test_setup_teardown(test_contrast, setup, teardown),
		cmocka_unit_test_setup_teardown(test_short_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_thousand_sections, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
