/* Type feed: what is made of entries in every form, of pages that name a feed, and of feeds that break off. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "digest/date.h"
#include "digest/file.h"
#include "digest/limits.h"
#include "digest/source.h"
#include "source/feed.h"

#include <fnmatch.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { NOW = 1793491200, DAY = 86400 }; /* 2026-11-01T00:00:00Z */

static const struct config_source config = { .name = "lab",
	.type = "feed",
	.url = "https://lab.example/feed",
	.path = "",
	.command = "",
	.interval_s = -1,
	.settle_s = -1,
	.file = "digest.conf",
	.line = 3 };

static const struct source_type *
type(void)
{
	return source_type_find("feed", NULL);
}

struct reading {
	struct arena arena;
	struct source_batch batch;
	struct error err;
	int rc;
};

static void
read_bytes(struct reading *r, const char *bytes, size_t len, bool known)
{
	const struct source_request request = { .key = config.url,
		.url = config.url,
		.path = "",
		.command = "",
		.etag = "",
		.last_modified = "",
		.since_day = known ? NOW / DAY : 0 };
	const struct source_answer answer = { bytes, len, "https://lab.example/feed", "", "" };

	memset(r, 0, sizeof(*r));
	arena_init(&r->arena, MAX_RUN_BYTES);
	r->rc = type()->read(&config, &request, &answer, NOW, &r->arena, &r->batch, &r->err);
}

static void
read_text(struct reading *r, const char *text)
{
	read_bytes(r, text, strlen(text), false);
}

/* ---- papers ---- */

/* "key; title; day; authors; url; abstract", empty parts left empty. */
static void
describe(struct strbuf *out, const struct paper *p)
{
	char day[DATE_RFC3339_SIZE];

	date_format_day(p->listed_day, day);
	strbuf_addf(out, "%s; %s; %s; ", p->key, p->title, day);
	for (size_t i = 0; i < p->nauthors; i++)
		strbuf_addf(out, "%s%s", i > 0 ? "+" : "", p->authors[i]);
	strbuf_addf(out, "; %s; %s", p->url, p->abstract);
}

#define RSS(items)  "<rss version=\"2.0\"><channel><title>Lab</title>" items "</channel></rss>"
#define ITEM(inner) RSS("<item>" inner "</item>")
#define ATOM(inner)                                                                   \
	"<feed xmlns=\"http://www.w3.org/2005/Atom\"><title>Lab</title><entry>" inner \
	"</entry></feed>"
#define L "<link>https://lab.example/7</link>"

static const struct {
	const char *name, *feed, *want;
} rows[] = {
	{ "the least", ITEM("<title>A</title>" L),
	    "url:lab.example/7; A; 2026-11-01; ; https://lab.example/7; " },
	{ "date", ITEM("<title>A</title>" L "<pubDate>Fri, 30 Oct 2026 10:00:00 GMT</pubDate>"),
	    "url:lab.example/7; A; 2026-10-30; ; https://lab.example/7; " },
	{ "a date to come is today",
	    ITEM("<title>A</title>" L "<pubDate>Fri, 30 Oct 2027 10:00:00 GMT</pubDate>"),
	    "url:lab.example/7; A; 2026-11-01; ; https://lab.example/7; " },
	{ "an old date stays when the feed is first read",
	    ITEM("<title>A</title>" L "<pubDate>1 Feb 2026 10:00 GMT</pubDate>"),
	    "url:lab.example/7; A; 2026-02-01; ; https://lab.example/7; " },
	{ "guid", ITEM("<title>A</title><guid isPermaLink=\"false\">x-7</guid>"),
	    "lab:x-7; A; 2026-11-01; ; ; " },
	{ "guid as link", ITEM("<title>A</title><guid>https://lab.example/8</guid>"),
	    "url:lab.example/8; A; 2026-11-01; ; https://lab.example/8; " },
	{ "arXiv", ITEM("<title>A</title><link>https://arxiv.org/abs/2601.00001v2</link>"),
	    "arxiv:2601.00001; A; 2026-11-01; ; https://arxiv.org/abs/2601.00001v2; " },
	{ "DOI",
	    ITEM("<title>A</title>" L "<dc:identifier>doi:10.1101/2026.01.02.57</dc:identifier>"),
	    "doi:10.1101/2026.01.02.57; A; 2026-11-01; ; https://lab.example/7; " },
	{ "DOI in the link",
	    ITEM("<title>A</title><link>https://x.example/content/10.1101/7.v1?rss=1</link>"),
	    "doi:10.1101/7.v1; A; 2026-11-01; ; https://x.example/content/10.1101/7.v1?rss=1; " },
	{ "escaped HTML",
	    ITEM("<title>A &amp;amp; B</title>" L
		 "<description>&lt;p&gt;One&lt;/p&gt;&lt;p&gt;Two&lt;/p&gt;</description>"),
	    "url:lab.example/7; A & B; 2026-11-01; ; https://lab.example/7; One Two" },
	{ "escaped twice",
	    ITEM("<title>&amp;lt;i&amp;gt;E. coli&amp;lt;/i&amp;gt; again</title>" L),
	    "url:lab.example/7; E. coli again; 2026-11-01; ; https://lab.example/7; " },
	{ "plain text that looks like none", ITEM("<title>When a&lt;b and x&gt;y</title>" L),
	    "url:lab.example/7; When a<b and x>y; 2026-11-01; ; https://lab.example/7; " },
	{ "raw HTML in RSS", ITEM("<title>H<sub>2</sub>O &amp; <i>you</i></title>" L),
	    "url:lab.example/7; H₂O & you; 2026-11-01; ; https://lab.example/7; " },
	{ "LaTeX", ITEM("<title>The $\\alpha$-test</title>" L),
	    "url:lab.example/7; The α-test; 2026-11-01; ; https://lab.example/7; " },
	{ "money", ITEM("<title>Training for $5</title>" L),
	    "url:lab.example/7; Training for $5; 2026-11-01; ; https://lab.example/7; " },
	{ "no title", ITEM("<description>First words. Then more.</description>" L),
	    "url:lab.example/7; First words.; 2026-11-01; ; https://lab.example/7; First words. "
	    "Then more." },
	{ "content where the summary is short",
	    ITEM("<title>A</title>" L "<description>Short.</description>"
		 "<content:encoded><![CDATA[<p>The whole of it.</p>]]></content:encoded>"),
	    "url:lab.example/7; A; 2026-11-01; ; https://lab.example/7; The whole of it." },
	{ "authors, each in an element",
	    ITEM("<title>A</title>" L "<dc:creator>Ada Lovelace</dc:creator>"
		 "<dc:creator>Grace Hopper</dc:creator>"),
	    "url:lab.example/7; A; 2026-11-01; Ada Lovelace+Grace Hopper; "
	    "https://lab.example/7; " },
	{ "authors, commas and an and",
	    ITEM("<title>A</title>" L
		 "<dc:creator>Ada Lovelace, Grace Hopper and Mary Shaw</dc:creator>"),
	    "url:lab.example/7; A; 2026-11-01; Ada Lovelace+Grace Hopper+Mary Shaw; "
	    "https://lab.example/7; " },
	{ "authors, initials behind",
	    ITEM("<title>A</title>" L
		 "<dc:creator>Lovelace, A., Hopper, G. B., de la Cruz, M.</dc:creator>"),
	    "url:lab.example/7; A; 2026-11-01; A. Lovelace+G. B. Hopper+M. de la Cruz; "
	    "https://lab.example/7; " },
	{ "authors, semicolons",
	    ITEM("<title>A</title>" L "<dc:creator>Lovelace, Ada; Grace Hopper</dc:creator>"),
	    "url:lab.example/7; A; 2026-11-01; Ada Lovelace+Grace Hopper; "
	    "https://lab.example/7; " },
	{ "author turned", ITEM("<title>A</title>" L "<dc:creator>Lovelace, Ada</dc:creator>"),
	    "url:lab.example/7; A; 2026-11-01; Ada Lovelace; https://lab.example/7; " },
	{ "author of RSS",
	    ITEM("<title>A</title>" L "<author>ada@lab.example (Ada Lovelace)</author>"),
	    "url:lab.example/7; A; 2026-11-01; Ada Lovelace; https://lab.example/7; " },
	{ "an address is no author", ITEM("<title>A</title>" L "<author>ada@lab.example</author>"),
	    "url:lab.example/7; A; 2026-11-01; ; https://lab.example/7; " },
	{ "a relative link", ITEM("<title>A</title><link>/papers/9</link>"),
	    "url:lab.example/papers/9; A; 2026-11-01; ; https://lab.example/papers/9; " },
	{ "a link that must not be",
	    ITEM("<title>A</title><guid>z</guid><link>javascript:x</link>"),
	    "lab:z; A; 2026-11-01; ; ; " },
	{ "Atom",
	    ATOM("<title>A</title><id>tag:lab.example,2026:9</id>"
		 "<link rel=\"self\" href=\"https://lab.example/self\"/>"
		 "<link href=\"https://lab.example/9\"/><updated>2026-10-29T08:00:00Z</updated>"
		 "<author><name>Ada Lovelace</name><uri>https://ada.example</uri></author>"
		 "<summary>Plain &lt;b&gt; text.</summary>"),
	    "url:lab.example/9; A; 2026-10-29; Ada Lovelace; https://lab.example/9; Plain <b> "
	    "text." },
	{ "Atom, HTML and XHTML",
	    ATOM("<title type=\"html\">An &lt;em&gt;A&lt;/em&gt;</title>"
		 "<link href=\"https://lab.example/9\"/><content type=\"xhtml\">"
		 "<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>x &lt; y</p><p>and z</p></div>"
		 "</content>"),
	    "url:lab.example/9; An A; 2026-11-01; ; https://lab.example/9; x < y and z" },
	{ "RSS 1.0",
	    "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\" "
	    "xmlns=\"http://purl.org/rss/1.0/\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\" "
	    "xmlns:prism=\"http://prismstandard.org/namespaces/basic/2.0/\">"
	    "<channel><title>Journal</title></channel><item><title>A</title>"
	    "<link>https://j.example/1</link><dc:date>2026-10-28</dc:date>"
	    "<dc:creator>Ada "
	    "Lovelace</dc:creator><prism:doi>10.1038/S1</prism:doi></item></rdf:RDF>",
	    "doi:10.1038/s1; A; 2026-10-28; Ada Lovelace; https://j.example/1; " },
	{ "JSON Feed",
	    "{\"version\":\"https://jsonfeed.org/version/1.1\",\"title\":\"Lab\",\"items\":[{"
	    "\"id\":\"9\",\"url\":\"https://lab.example/9\",\"title\":\"A <b> B\","
	    "\"content_html\":\"<p>One</p>\",\"date_published\":\"2026-10-27T00:00:00Z\","
	    "\"authors\":[{\"name\":\"Ada Lovelace\"}]}]}",
	    "url:lab.example/9; A <b> B; 2026-10-27; Ada Lovelace; https://lab.example/9; One" },
	{ "JSON Feed 1",
	    "{\"version\":\"https://jsonfeed.org/version/1\",\"author\":{\"name\":\"Ada\"},"
	    "\"items\":[{\"id\":7,\"title\":\"A\",\"content_text\":\"x\"}]}",
	    "lab:7; A; 2026-11-01; Ada; ; x" },
	{ "no namespace at all",
	    "<feed><entry><title>A</title><link href=\"https://lab.example/9\"/></entry></feed>",
	    "url:lab.example/9; A; 2026-11-01; ; https://lab.example/9; " },
};

static void
test_papers(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct reading r;
		struct strbuf got;

		strbuf_init(&got, 1 << 16);
		read_text(&r, rows[i].feed);
		if (r.rc == -1 || r.batch.npapers != 1 || r.batch.fault[0] != '\0')
			fail_msg("%s: %d, %zu papers, %s%s", rows[i].name, r.rc, r.batch.npapers,
			    r.err.msg, r.batch.fault);
		describe(&got, r.batch.papers[0]);
		if (strcmp(got.buf, rows[i].want) != 0)
			fail_msg("%s: %s", rows[i].name, got.buf);
		strbuf_release(&got);
		arena_release(&r.arena);
	}
}

/* Once a feed is known, an old date does not hide what is new in it. */
static void
test_old_entry_in_a_known_feed(void **state)
{
	static const char feed[] =
	    ITEM("<title>A</title>" L "<pubDate>1 Feb 2026 10:00 GMT</pubDate>");
	struct reading r;

	(void)state;
	read_bytes(&r, feed, sizeof(feed) - 1, true);
	assert_int_equal(r.rc, 0);
	assert_int_equal(r.batch.papers[0]->listed_day, NOW / DAY);
	arena_release(&r.arena);
}

static void
test_further_fields(void **state)
{
	static const char feed[] =
	    ITEM("<title>A</title>" L
		 "<category>machine learning</category><category>a &amp;amp; b</category>"
		 "<enclosure url=\"/7.pdf\" type=\"application/pdf\" length=\"1\"/>"
		 "<comments>https://lab.example/7/talk</comments>"
		 "<prism:publicationName>Journal of A</prism:publicationName>"
		 "<media:thumbnail url=\"https://lab.example/7.png\"/>");
	const struct paper *p;
	struct reading r;

	(void)state;
	read_text(&r, feed);
	assert_int_equal(r.rc, 0);
	p = r.batch.papers[0];
	assert_int_equal(p->nkeywords, 2);
	assert_string_equal(p->keywords[1], "a & b");
	assert_string_equal(p->pdf_url, "https://lab.example/7.pdf");
	assert_string_equal(p->discussion_url, "https://lab.example/7/talk");
	assert_string_equal(p->venue, "Journal of A");
	assert_string_equal(p->thumbnail_url, "https://lab.example/7.png");
	assert_string_equal(p->source, "lab");
	arena_release(&r.arena);
}

static void
test_languages(void **state)
{
	struct reading r;

	(void)state;
	read_text(
	    &r, "<rss xml:lang=\"de\"><channel><item><title>A</title>" L "</item></channel></rss>");
	assert_string_equal(r.batch.papers[0]->language, "de");
	arena_release(&r.arena);
	read_text(&r,
	    "<rss xml:lang=\"en-gb\"><channel><item><title>A</title>" L "</item></channel></rss>");
	assert_string_equal(r.batch.papers[0]->language, "");
	arena_release(&r.arena);
}

/* ---- dates ---- */

static const struct {
	const char *text, *want; /* "" = none */
} dates[] = {
	{ "2026-08-21T07:00:00Z", "2026-08-21T07:00:00Z" },
	{ "Fri, 21 Aug 2026 07:00:00 +0200", "2026-08-21T05:00:00Z" },
	{ "Friday, 21 August 2026 07:00:00 GMT", "2026-08-21T07:00:00Z" },
	{ "21 September 2026 07:00 GMT", "2026-09-21T07:00:00Z" },
	{ "2026/08/21", "2026-08-21T00:00:00Z" },
	{ "2026-08", "2026-08-01T00:00:00Z" },
	{ "20260821", "2026-08-21T00:00:00Z" },
	{ "yesterday", "" },
	{ "2026-13", "" },
	{ "", "" },
	{ "99999999999999999999999999999999999999999999999999999999999999999999999999999999999",
	    "" },
};

static void
test_dates(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(dates); i++) {
		char got[DATE_RFC3339_SIZE] = "";
		int64_t utc = feed_time(dates[i].text);

		if (utc != 0)
			date_format_rfc3339(utc, got);
		if (strcmp(got, dates[i].want) != 0)
			fail_msg("'%s': %s", dates[i].text, got);
	}
	assert_int_equal(feed_time(NULL), 0);
}

/* ---- what is no feed ---- */

static const struct {
	const char *answer, *says;
} errors[] = {
	{ "", "nothing at all" },
	{ "   ", "feed" },
	{ "<html><body>Log in</body></html>", "names no feed" },
	{ "<!DOCTYPE html><html><head><title>x</title></head></html>", "names no feed" },
	{ "<svg xmlns=\"http://www.w3.org/2000/svg\"/>", "'<svg>'" },
	{ "{\"a\":1}", "jsonfeed.org" },
	{ "{\"version\":\"https://jsonfeed.org/version/1\"}", "items is missing" },
	{ "{\"version\":", "line 1" },
	{ RSS("<item><guid>z</guid></item>"), "entry 1: no title and no text" },
	{ RSS("<item><title>A</title></item>"), "entry 1: neither id nor link" },
	{ "plain words", "feed" },
};

static void
test_errors(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(errors); i++) {
		struct reading r;

		read_text(&r, errors[i].answer);
		if (r.rc != -1 && r.batch.fault[0] == '\0')
			fail_msg("'%s' was read", errors[i].answer);
		if (strstr(r.rc == -1 ? r.err.msg : r.batch.fault, errors[i].says) == NULL &&
		    r.rc == -1)
			fail_msg("'%s': %s", errors[i].answer, r.err.msg);
		arena_release(&r.arena);
	}
}

/* A feed without entries is an answer without news. */
static void
test_empty_feed(void **state)
{
	struct reading r;

	(void)state;
	read_text(&r, RSS(""));
	assert_int_equal(r.rc, 0);
	assert_int_equal(r.batch.npapers, 0);
	assert_string_equal(r.batch.fault, "");
	arena_release(&r.arena);
}

/* What came before the break counts, at each byte the break may be; it is never a silent success. */
static void
test_cut_at_each_byte(void **state)
{
	static const char feed[] =
	    RSS("<item><title>A</title>" L "</item>"
		"<item><title>B</title><link>https://lab.example/8</link></item>");
	const char *first = strstr(feed, "</item>") + 7, *second = strstr(first, "</item>") + 7;

	(void)state;
	for (size_t len = 0; len < sizeof(feed) - 1; len++) {
		size_t want = (size_t)(feed + len >= first) + (feed + len >= second);
		struct reading r;

		read_bytes(&r, feed, len, false);
		if (r.rc == 0 && r.batch.npapers != want)
			fail_msg("%zu bytes: %zu papers", len, r.batch.npapers);
		if (r.rc == 0 && r.batch.fault[0] == '\0')
			fail_msg("%zu bytes: no fault", len);
		if (r.rc == -1 && want > 0)
			fail_msg("%zu bytes: %s", len, r.err.msg);
		arena_release(&r.arena);
	}
}

/* ---- pages ---- */

static const struct {
	const char *page, *feed; /* NULL = none */
} pages[] = {
	{ "<html><head><link rel=\"alternate\" type=\"application/rss+xml\" "
	  "href=\"/rss.xml\"></head>",
	    "https://lab.example/rss.xml" },
	{ "<html><link href='https://other.example/a?x=1&amp;y=2' type=application/atom+xml "
	  "rel=alternate>",
	    "https://other.example/a?x=1&y=2" },
	{ "<html><LINK REL=\"Alternate Home\" TYPE=\"application/feed+json\" HREF=\"f.json\" />",
	    "https://lab.example/f.json" },
	{ "<html><link rel=stylesheet href=x.css><link rel=alternate hreflang=de href=/de>", NULL },
	{ "<html><link rel=\"alternate\" type=\"application/rss+xml\" href=\"javascript:x\">",
	    NULL },
	{ "<html><link rel=\"alternate\" type=\"application/rss+xml\" href=\"file:///etc/passwd\">",
	    NULL },
	{ "<html><link rel=\"alternate\" type=\"application/rss+xml\"", NULL },
};

static void
test_pages(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(pages); i++) {
		struct reading r;

		read_text(&r, pages[i].page);
		if (pages[i].feed == NULL && r.rc != -1)
			fail_msg("row %zu was read", i);
		if (pages[i].feed != NULL &&
		    (r.rc == -1 || !r.batch.more || strcmp(r.batch.next.url, pages[i].feed) != 0))
			fail_msg("row %zu: %s %s", i, r.err.msg,
			    r.rc == 0 && r.batch.more ? r.batch.next.url : "");
		arena_release(&r.arena);
	}
}

static const struct {
	struct source_page pages[3];
	size_t npages;
	const char *url, *etag;
} plans[] = {
	{ { { NULL, NULL, NULL, 0 } }, 0, "https://lab.example/feed", "" },
	{ { { "https://lab.example/feed", "e1", "", NOW - 3600 } }, 1, "https://lab.example/feed",
	    "e1" },
	/* The feed that the page named, while it answers; after a week the page is asked again. */
	{ { { "https://lab.example/feed", "", "", NOW - 9 * DAY },
	      { "https://lab.example/feed https://lab.example/rss", "e2", "", NOW - DAY } },
	    2, "https://lab.example/rss", "e2" },
	{ { { "https://lab.example/feed", "e1", "", NOW - 9 * DAY },
	      { "https://lab.example/feed https://lab.example/rss", "e2", "", NOW - 8 * DAY } },
	    2, "https://lab.example/feed", "e1" },
	/* Pages of another url that stood there before. */
	{ { { "https://lab.example/feed2", "e1", "", NOW - 3600 },
	      { "https://lab.example/old https://lab.example/rss", "e2", "", NOW - 3600 } },
	    2, "https://lab.example/feed", "" },
};

static void
test_plan(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(plans); i++) {
		const struct source_progress progress = { 0, plans[i].pages, plans[i].npages };
		struct source_request *requests;
		struct arena a;
		size_t n;

		arena_init(&a, 1 << 20);
		assert_int_equal(
		    type()->plan(&config, &progress, NOW, 0, false, &a, &requests, &n, NULL), 0);
		assert_int_equal(n, 1);
		if (strcmp(requests[0].url, plans[i].url) != 0 ||
		    strcmp(requests[0].etag, plans[i].etag) != 0)
			fail_msg("row %zu: %s '%s'", i, requests[0].url, requests[0].etag);
		arena_release(&a);
	}
}

/* ---- the corpus ---- */

static struct {
	size_t files, read, faults, errors, papers;
} swept;

static size_t
count_tags(const struct strbuf *bytes, const char *tag)
{
	size_t n = 0, len = strlen(tag);

	for (const char *p = bytes->buf; (p = strstr(p, tag)) != NULL; p += len)
		n += strchr(" \t\r\n>", p[len]) != NULL && p[len] != '\0';
	return n;
}

/* Real feeds: every entry is a paper or is told to be broken. */
static bool
is_real(const char *path)
{
	static const char *const folders[] = { "miniflux", "netnewswire", "rss2email", "iacr" };

	for (size_t i = 0; i < COUNT(folders); i++)
		if (strstr(path, folders[i]) != NULL)
			return true;
	return false;
}

static int
sweep(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	struct strbuf bytes;
	struct reading r;

	(void)st;
	(void)ftw;
	if (flag != FTW_F)
		return 0;
	strbuf_init(&bytes, 16 << 20);
	assert_int_equal(file_read(path, &bytes, NULL), 0);
	read_bytes(&r, bytes.buf, bytes.len, false);
	swept.files++;
	swept.read += r.rc == 0 && r.batch.fault[0] == '\0';
	swept.faults += r.rc == 0 && r.batch.fault[0] != '\0';
	swept.errors += r.rc == -1;
	swept.papers += r.batch.npapers;
	if (r.rc == -1 && r.err.msg[0] == '\0')
		fail_msg("%s: an error without a sentence", path);
	if (is_real(path) && r.rc == 0 && r.batch.fault[0] == '\0' &&
	    fnmatch("*.json", path, 0) != 0) {
		size_t want = count_tags(&bytes, "<item") + count_tags(&bytes, "<entry");

		if (r.batch.npapers + r.batch.nbroken != want)
			fail_msg("%s: %zu papers, %zu broken of %zu entries", path, r.batch.npapers,
			    r.batch.nbroken, want);
	}
	if (getenv("VERBOSE") != NULL)
		print_message("%s: %d %zu papers, %zu broken; %s%s\n", path, r.rc, r.batch.npapers,
		    r.batch.nbroken, r.err.msg, r.batch.fault);
	arena_release(&r.arena);
	strbuf_release(&bytes);
	return 0;
}

static void
test_corpus(void **state)
{
	const char *corpus = getenv("DIGEST_CORPUS");
	char path[4096];

	(void)state;
	if (corpus == NULL) {
		print_message("DIGEST_CORPUS is not set\n");
		skip();
	}
	snprintf(path, sizeof(path), "%s/feeds", corpus);
	assert_int_equal(nftw(path, sweep, 16, FTW_PHYS), 0);
	if (getenv("VERBOSE") != NULL)
		print_message("%zu files: %zu read, %zu with a fault, %zu errors, %zu papers\n",
		    swept.files, swept.read, swept.faults, swept.errors, swept.papers);
	assert_int_equal(swept.read + swept.faults + swept.errors, swept.files);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_papers),
		cmocka_unit_test(test_old_entry_in_a_known_feed),
		cmocka_unit_test(test_further_fields),
		cmocka_unit_test(test_languages),
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_empty_feed),
		cmocka_unit_test(test_cut_at_each_byte),
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_plan),
		cmocka_unit_test(test_corpus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
