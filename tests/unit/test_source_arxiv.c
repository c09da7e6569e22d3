/* arXiv: what is asked for and when, what follows on an answer, every recorded answer, and answers that are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "digest/date.h"
#include "digest/file.h"
#include "digest/limits.h"
#include "digest/source.h"
#include "source/arxiv.h"

static const char *categories[] = { "cs.CL", "cs.LG" };

static const struct config_source config = { .name = "ax",
	.type = "arxiv",
	.url = "http://127.0.0.1:1/",
	.path = "",
	.command = "",
	.categories = categories,
	.ncategories = 2,
	.interval_s = -1,
	.settle_s = -1,
	.file = "digest.conf",
	.line = 3 };

static const struct source_type *
type(void)
{
	const struct source_type *t = source_type_find("arxiv", NULL);

	assert_non_null(t);
	return t;
}

static int32_t
day_of(const char *text)
{
	int32_t day = 0;

	assert_int_equal(date_parse_day(text, &day, NULL), 0);
	return day;
}

static int64_t
time_of(const char *text)
{
	int64_t utc = 0;

	assert_int_equal(date_parse(text, &utc, NULL), 0);
	return utc;
}

/* ---- the calendar ---- */

static const struct {
	const char *at, *day;
} days_at[] = {
	{ "2026-04-27T03:59:59Z", "2026-04-24" }, /* Sunday night in the east, still Friday's */
	{ "2026-04-27T04:00:00Z", "2026-04-27" },
	{ "2026-04-28T03:00:00Z", "2026-04-27" },
	{ "2026-04-25T12:00:00Z", "2026-04-24" },
	{ "2026-04-26T23:00:00Z", "2026-04-24" },
	{ "2026-01-12T04:59:59Z", "2026-01-09" }, /* winter: midnight is five hours behind */
	{ "2026-01-12T05:00:00Z", "2026-01-12" },
	{ "2026-03-09T04:00:00Z", "2026-03-09" }, /* the Monday after the change */
	{ "2026-11-02T04:59:59Z", "2026-10-30" },
};

static const struct {
	const char *day, *from, *to;
} submissions[] = {
	{ "2026-04-27", "2026-04-23T18:00:00Z",
	    "2026-04-24T18:00:00Z" }, /* Monday: Thursday to Friday */
	{ "2026-04-28", "2026-04-24T18:00:00Z",
	    "2026-04-27T18:00:00Z" }, /* Tuesday: over the weekend */
	{ "2026-04-30", "2026-04-28T18:00:00Z", "2026-04-29T18:00:00Z" },
	{ "2026-03-10", "2026-03-06T19:00:00Z",
	    "2026-03-09T18:00:00Z" }, /* over the change to summer time */
	{ "2026-11-03", "2026-10-30T18:00:00Z", "2026-11-02T19:00:00Z" },
};

static void
test_calendar(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(days_at) / sizeof(days_at[0]); i++)
		if (arxiv_day_at(time_of(days_at[i].at)) != day_of(days_at[i].day))
			fail_msg("%s is not of %s", days_at[i].at, days_at[i].day);
	for (size_t i = 0; i < sizeof(submissions) / sizeof(submissions[0]); i++) {
		int32_t day = day_of(submissions[i].day);
		int64_t from, to;

		arxiv_submissions(day, &from, &to);
		if (from != time_of(submissions[i].from) || to != time_of(submissions[i].to))
			fail_msg("%s: other hours", submissions[i].day);
		assert_int_equal(arxiv_day_of_submission(from), day);
		assert_int_equal(arxiv_day_of_submission(to - 1), day);
		assert_int_equal(arxiv_day_of_submission(to), arxiv_day_after(day));
	}
	/* Each hour of two years belongs to one day, and the days follow each other. */
	for (int64_t utc = time_of("2025-01-01"); utc < time_of("2027-01-01"); utc += 3600) {
		int32_t day = arxiv_day_of_submission(utc);
		int64_t from, to;

		arxiv_submissions(day, &from, &to);
		if (utc < from || utc >= to)
			fail_msg("%lld is outside of its day", (long long)utc);
		assert_true(date_weekday(arxiv_day_at(utc)) % 6 != 0);
	}
}

/* ---- what to ask for ---- */

enum { PAGES = 8 };

static const struct {
	const char *now;
	struct {
		const char *key, *read;
	} pages[PAGES];
	const char *since;
	bool force;
	const char *keys;
} plans[] = {
	/* The first run: the list of today, and the week before by the API. */
	{ "2026-04-28T10:00:00Z", { { 0 } }, NULL, false,
	    "feed 2026-04-21 2026-04-22 2026-04-23 2026-04-24 2026-04-27" },
	/* On a Saturday the list is Friday's. */
	{ "2026-04-25T10:00:00Z", { { 0 } }, NULL, false,
	    "feed 2026-04-17 2026-04-20 2026-04-21 2026-04-22 2026-04-23" },
	/* Every hour of its day, with a little slack for cron. */
	{ "2026-04-28T10:00:00Z", { { "feed", "2026-04-28T09:01:00Z" } }, NULL, false, "feed" },
	{ "2026-04-28T10:00:00Z", { { "feed", "2026-04-28T09:10:00Z" } }, NULL, false, "" },
	/* Read after its day it is as it will be: nothing more until the next one, all weekend. */
	{ "2026-04-25T10:00:00Z", { { "feed", "2026-04-25T00:10:00Z" } }, NULL, false, "" },
	{ "2026-04-26T23:00:00Z", { { "feed", "2026-04-25T00:10:00Z" } }, NULL, false, "" },
	{ "2026-04-27T04:00:00Z", { { "feed", "2026-04-25T00:10:00Z" } }, NULL, false, "feed" },
	{ "2026-04-25T00:10:00Z", { { "feed", "2026-04-24T22:00:00Z" } }, NULL, false, "feed" },
	{ "2026-04-28T03:00:00Z", { { "feed", "2026-04-28T01:00:00Z" } }, NULL, false, "" },
	/* Yesterday it was read in time: nothing is missing. */
	{ "2026-04-28T10:00:00Z", { { "feed", "2026-04-27T10:00:00Z" } }, NULL, false, "feed" },
	/* Read so early that it may have been the list of Friday: Monday is asked again. */
	{ "2026-04-28T10:00:00Z", { { "feed", "2026-04-27T04:30:00Z" } }, NULL, false,
	    "feed 2026-04-27" },
	/* Days missed, but those read already. */
	{ "2026-04-28T10:00:00Z", { { "feed", "2026-04-22T10:00:00Z" } }, NULL, false,
	    "feed 2026-04-23 2026-04-24 2026-04-27" },
	{ "2026-04-28T10:00:00Z",
	    { { "2026-04-23", "2026-04-28T09:00:00Z" }, { "feed", "2026-04-22T10:00:00Z" } }, NULL,
	    false, "feed 2026-04-24 2026-04-27" },
	/* A clock that was ahead. */
	{ "2026-04-28T10:00:00Z", { { "feed", "2027-01-01T00:00:00Z" } }, NULL, false, "feed" },
	{ "2026-04-28T10:00:00Z", { { "feed", "2026-04-28T09:59:00Z" } }, NULL, true, "feed" },
	/* A back-fill; what was just read is left alone unless it is forced. */
	{ "2026-04-28T10:00:00Z", { { "feed", "2026-04-28T09:59:00Z" } }, "2026-04-25", false,
	    "2026-04-27 2026-04-28" },
	{ "2026-04-28T10:00:00Z",
	    { { "2026-04-27", "2026-04-28T09:00:00Z" }, { "2026-04-28", "2026-04-27T09:00:00Z" },
		{ "feed", "2026-04-28T09:59:00Z" } },
	    "2026-04-25", false, "2026-04-28" },
	{ "2026-04-28T10:00:00Z",
	    { { "2026-04-27", "2026-04-28T09:00:00Z" }, { "feed", "2026-04-28T09:59:00Z" } },
	    "2026-04-27", true, "feed 2026-04-27 2026-04-28" },
	{ "2026-04-28T10:00:00Z", { { "feed", "2026-04-28T09:59:00Z" } }, "2026-04-29", false, "" },
};

static void
test_plans(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
		struct source_page pages[PAGES];
		struct source_progress progress = { .pages = pages };
		struct source_request *requests = NULL;
		struct strbuf keys;
		struct arena a;
		size_t n = 0;

		arena_init(&a, MAX_RUN_BYTES);
		strbuf_init(&keys, 10000);
		for (size_t j = 0; j < PAGES && plans[i].pages[j].key != NULL; j++)
			pages[progress.npages++] = (struct source_page){ plans[i].pages[j].key,
				"\"e\"", "m", time_of(plans[i].pages[j].read) };
		assert_int_equal(type()->plan(&config, &progress, time_of(plans[i].now),
				     plans[i].since != NULL ? day_of(plans[i].since) : 0,
				     plans[i].force, &a, &requests, &n, NULL),
		    0);
		for (size_t j = 0; j < n; j++) {
			bool is_feed = strcmp(requests[j].key, "feed") == 0;

			strbuf_addf(&keys, "%s%s", j > 0 ? " " : "", requests[j].key);
			if ((requests[j].day == 0) != is_feed ||
			    (requests[j].etag[0] != '\0') !=
				(is_feed && progress.npages > 0 && !plans[i].force))
				fail_msg(
				    "row %zu: %s: day or condition is wrong", i, requests[j].key);
		}
		if (strcmp(keys.buf, plans[i].keys) != 0)
			fail_msg(
			    "row %zu: asks for '%s'; expected '%s'", i, keys.buf, plans[i].keys);
		strbuf_release(&keys);
		arena_release(&a);
	}
}

/* A year without a run: a month of it is read, and never more requests than there is room for. */
static void
test_long_absence(void **state)
{
	const struct source_page page = { "feed", "", "", time_of("2025-04-28T10:00:00Z") };
	const struct source_progress progress = { .pages = &page, .npages = 1 };
	struct source_request *requests;
	struct arena a;
	size_t n;

	(void)state;
	arena_init(&a, MAX_RUN_BYTES);
	assert_int_equal(type()->plan(&config, &progress, time_of("2026-04-28T10:00:00Z"), 0, false,
			     &a, &requests, &n, NULL),
	    0);
	assert_int_equal(n, 22);
	assert_string_equal(requests[1].key, "2026-03-30");
	assert_int_equal(type()->plan(&config, &progress, time_of("2026-04-28T10:00:00Z"), 1, false,
			     &a, &requests, &n, NULL),
	    0);
	assert_string_equal(requests[1].key, "1991-08-16");
	arena_release(&a);
}

static void
test_requests(void **state)
{
	static const char *archives[] = { "cs", "hep-th" };
	struct config_source other = config;
	struct source_request r;
	struct arena a;

	(void)state;
	arena_init(&a, MAX_RUN_BYTES);
	assert_int_equal(arxiv_ask_feed(&config, &a, &r, NULL), 0);
	assert_string_equal(r.url, "http://127.0.0.1:1/rss/cs.CL+cs.LG");
	assert_int_equal(arxiv_ask_day(&config, day_of("2026-04-28"), 2, &a, &r, NULL), 0);
	assert_string_equal(r.key, "2026-04-28 p2");
	assert_string_equal(r.url,
	    "http://127.0.0.1:1/api/"
	    "query?search_query=%28cat:cs.CL+OR+cat:cs.LG%29+AND+submittedDate:"
	    "%5B202604241800+TO+202604271759%5D&start=1000&max_results=500&sortBy=submittedDate"
	    "&sortOrder=ascending");
	other.url = "";
	other.categories = archives;
	assert_int_equal(arxiv_ask_feed(&other, &a, &r, NULL), 0);
	assert_string_equal(r.url, "https://rss.arxiv.org/rss/cs+hep-th");
	assert_int_equal(arxiv_ask_day(&other, day_of("2026-04-28"), 0, &a, &r, NULL), 0);
	assert_non_null(strstr(r.url,
	    "https://export.arxiv.org/api/query?search_query=%28cat:cs+OR+cat:cs.*"
	    "+OR+cat:hep-th+OR+cat:hep-th.*%29"));
	arena_release(&a);
}

static const struct {
	const char *category, *announce, *why; /* "" = fine */
} configs[] = {
	{ NULL, NULL,
	    "digest.conf:3: a source of type arxiv needs 'categories', as in {cs.CL, cs.LG}" },
	{ "cs.CL", NULL, "" },
	{ "q-bio.NC", "replace-cross", "" },
	{ "cond-mat.mes-hall", "new", "" },
	{ "cs.", NULL,
	    "digest.conf:3: 'cs.' is no category of arXiv; expected one as cs.CL or hep-th" },
	{ "CS.CL", NULL,
	    "digest.conf:3: 'CS.CL' is no category of arXiv; expected one as cs.CL or hep-th" },
	{ "cs/CL&x", NULL,
	    "digest.conf:3: 'cs/CL&x' is no category of arXiv; expected one as cs.CL or hep-th" },
	{ "cs.*", NULL,
	    "digest.conf:3: 'cs.*' is no category of arXiv; expected one as cs.CL or hep-th" },
	{ "cs.CL", "crosses",
	    "digest.conf:3: 'crosses' is no kind of announcement; expected new, cross, replace or "
	    "replace-cross" },
};

static void
test_configs(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(configs) / sizeof(configs[0]); i++) {
		const struct source_progress progress = { 0 };
		struct config_source c = config;
		struct source_request *requests;
		struct error err = { 0 };
		const char *category = configs[i].category, *announce = configs[i].announce;
		struct arena a;
		size_t n;
		int rc;

		arena_init(&a, MAX_RUN_BYTES);
		c.categories = &category;
		c.ncategories = category != NULL;
		c.announce = &announce;
		c.nannounce = announce != NULL;
		rc = type()->plan(
		    &c, &progress, time_of("2026-04-28"), 0, false, &a, &requests, &n, &err);
		if (strcmp(err.msg, configs[i].why) != 0 ||
		    (rc == -1) != (configs[i].why[0] != '\0'))
			fail_msg("row %zu: '%s'; expected '%s'", i, err.msg, configs[i].why);
		arena_release(&a);
	}
}

/* A thousand categories do not fit one address. */
static void
test_too_many_categories(void **state)
{
	static const char *many[1000];
	const struct source_progress progress = { 0 };
	struct config_source c = config;
	struct source_request *requests;
	struct error err = { 0 };
	struct arena a;
	size_t n;

	(void)state;
	for (size_t i = 0; i < 1000; i++)
		many[i] = "cs.CL";
	c.categories = many;
	c.ncategories = 1000;
	arena_init(&a, MAX_RUN_BYTES);
	assert_int_equal(
	    type()->plan(&c, &progress, time_of("2026-04-28"), 0, false, &a, &requests, &n, &err),
	    -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_string_equal(err.msg, "too many categories for one source; make it two");
	arena_release(&a);
}

/* ---- what came back ---- */

struct reading {
	struct arena arena;
	struct source_batch batch;
	struct error err;
	int rc;
};

static void
reading_do(struct reading *r, const struct config_source *c, const struct source_request *request,
    const char *bytes, size_t len)
{
	memset(r, 0, sizeof(*r));
	arena_init(&r->arena, MAX_RUN_BYTES);
	r->rc = type()->read(c, request, &(struct source_answer){ bytes, len, "", "", "" },
	    time_of("2026-04-27T10:00:00Z"), &r->arena, &r->batch, &r->err);
}

static const struct source_request feed_request = { .key = "feed",
	.url = "http://127.0.0.1:1/rss/cs.CL+cs.LG",
	.path = "",
	.command = "",
	.etag = "",
	.last_modified = "" };

#define RSS(items)                                                               \
	"<rss xmlns:arxiv='http://arxiv.org/schemas/atom' "                      \
	"xmlns:dc='http://purl.org/dc/elements/1.1/' "                           \
	"version='2.0'><channel><title>cs.CL+cs.LG updates on arXiv.org</title>" \
	"<lastBuildDate>Mon, 27 Apr 2026 04:00:07 +0000</lastBuildDate>"         \
	"<pubDate>Mon, 27 Apr 2026 00:00:00 -0400</pubDate>"                     \
	"<skipDays><day>Sunday</day></skipDays>" items "</channel></rss>"
#define ITEM(id, kind, more)                                                              \
	"<item><title>Made-up title</title><link>https://arxiv.org/abs/2604.00001</link>" \
	"<description>arXiv:" id " Announce Type: " kind                                  \
	"\nAbstract: Words of\n no paper.</description>"                                  \
	"<guid isPermaLink='false'>oai:arXiv.org:" id "</guid><category>cs.LG</category>" \
	"<category>stat.ML</category><pubDate>Mon, 27 Apr 2026 00:00:00 -0400</pubDate>"  \
	"<arxiv:announce_type>" kind "</arxiv:announce_type>" more "</item>"

static const char four_kinds[] = RSS(ITEM("2604.00001v1", "new",
    "<dc:creator>Ada Bee, C\\'edric Dee (MIT, Cambridge), E. Eff, Jr., The G "
    "Collaboration</dc:creator>"
    "<arxiv:DOI>10.1000/ABC</arxiv:DOI><arxiv:journal_reference>J. Made 1 "
    "(2026)</arxiv:journal_reference>") ITEM("2604.00002v3", "cross", "")
	ITEM("2401.00003v2", "replace", "") ITEM("math/0306266v4", "replace-cross", ""));

static void
test_feed(void **state)
{
	struct reading r;
	const struct paper *p;

	(void)state;
	reading_do(&r, &config, &feed_request, four_kinds, sizeof(four_kinds) - 1);
	if (r.rc == -1)
		fail_msg("%s", r.err.msg);
	assert_int_equal(r.batch.npapers, 2);
	assert_int_equal(r.batch.made_utc, time_of("2026-04-27T04:00:07Z"));
	assert_int_equal(r.batch.day, day_of("2026-04-27"));
	assert_string_equal(r.batch.fault, "");
	p = r.batch.papers[0];
	assert_string_equal(p->key, "arxiv:2604.00001");
	assert_int_equal(p->version, 1);
	assert_int_equal(p->kind, PAPER_NEW);
	assert_string_equal(p->title, "Made-up title");
	assert_string_equal(p->abstract, "Words of no paper.");
	assert_string_equal(p->url, "https://arxiv.org/abs/2604.00001");
	assert_string_equal(p->pdf_url, "https://arxiv.org/pdf/2604.00001");
	assert_string_equal(p->doi, "10.1000/abc");
	assert_string_equal(p->journal_ref, "J. Made 1 (2026)");
	assert_int_equal(p->ncategories, 2);
	assert_string_equal(p->categories[0], "cs.LG");
	assert_false(p->primary_known);
	assert_int_equal(p->nauthors, 4);
	assert_string_equal(p->authors[0], "Ada Bee");
	assert_string_equal(p->authors[1], "C\u00e9dric Dee");
	assert_string_equal(p->authors[2], "E. Eff Jr.");
	assert_string_equal(p->authors[3], "The G Collaboration");
	assert_int_equal(p->listed_day, day_of("2026-04-27"));
	assert_int_equal(p->published_utc, time_of("2026-04-27T04:00:00Z"));
	assert_int_equal(r.batch.papers[1]->kind, PAPER_CROSS);
	assert_int_equal(r.batch.papers[1]->published_utc, 0);
	/* What the feed lacks is asked for next. */
	assert_true(r.batch.more);
	assert_string_equal(r.batch.next.url,
	    "http://127.0.0.1:1/api/query?id_list=2604.00001,2604.00002&max_results=2");
	assert_string_equal(r.batch.next.rest, "n2604.00001 c2604.00002;");
	assert_int_equal(r.batch.next.day, day_of("2026-04-27"));
	arena_release(&r.arena);
}

static const struct {
	const char *announce[4];
	const char *keys;
} announces[] = {
	{ { "new" }, "2604.00001" },
	{ { "replace", "replace-cross" }, "2401.00003 math/0306266" },
	{ { "cross", "new", "replace", "replace-cross" },
	    "2604.00001 2604.00002 2401.00003 math/0306266" },
};

static void
test_announce(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(announces) / sizeof(announces[0]); i++) {
		struct config_source c = config;
		struct strbuf keys;
		struct reading r;

		c.announce = (const char **)(uintptr_t)announces[i].announce;
		while (c.nannounce < 4 && announces[i].announce[c.nannounce] != NULL)
			c.nannounce++;
		strbuf_init(&keys, 1000);
		reading_do(&r, &c, &feed_request, four_kinds, sizeof(four_kinds) - 1);
		for (size_t j = 0; j < r.batch.npapers; j++)
			strbuf_addf(&keys, "%s%s", j > 0 ? " " : "", r.batch.papers[j]->key + 6);
		if (strcmp(keys.buf, announces[i].keys) != 0)
			fail_msg("row %zu: '%s'; expected '%s'", i, keys.buf, announces[i].keys);
		strbuf_release(&keys);
		arena_release(&r.arena);
	}
}

#define ATOM(total, start, entries)                                                              \
	"<feed xmlns='http://www.w3.org/2005/Atom' xmlns:arxiv='http://arxiv.org/schemas/atom' " \
	"xmlns:o='http://a9.com/-/spec/opensearch/1.1/'><id>https://arxiv.org/api/x</id>"        \
	"<updated>2026-04-27T09:00:00Z</updated><o:totalResults>" total "</o:totalResults>"      \
	"<o:startIndex>" start "</o:startIndex>" entries "</feed>"
#define ENTRY(id, primary, more)                                                             \
	"<entry><id>http://arxiv.org/abs/" id "</id><title type='html'>A\n  title</title>"   \
	"<updated>2026-04-26T01:00:00Z</updated><published>2026-04-24T17:59:59Z</published>" \
	"<summary>Words.</summary><category term='cs.LG'/><category term='hep-ph'/>"         \
	"<arxiv:primary_category term='" primary "'/><author><name>W\u00c3\u00bcbben</name>" \
	"<arxiv:affiliation>Somewhere</arxiv:affiliation></author>" more "</entry>"

static void
test_details(void **state)
{
	static const char answer[] = ATOM("2", "0",
	    ENTRY("2604.00002v3", "hep-ph",
		"<arxiv:comment>Code: https://github.com/a/b_c.</arxiv:comment>")
		ENTRY("2604.00001v1", "cs.LG", ""));
	struct source_request request = feed_request;
	const struct paper *p;
	struct reading r;

	(void)state;
	request.day = day_of("2026-04-27");
	request.rest = "n2604.00001 r2604.00002;c2604.00003";
	reading_do(&r, &config, &request, answer, sizeof(answer) - 1);
	if (r.rc == -1)
		fail_msg("%s", r.err.msg);
	/* A replacement is not wanted by default; its kind was remembered. */
	assert_int_equal(r.batch.npapers, 1);
	p = r.batch.papers[0];
	assert_string_equal(p->key, "arxiv:2604.00001");
	assert_int_equal(p->kind, PAPER_NEW);
	assert_int_equal(p->listed_day, day_of("2026-04-27"));
	assert_string_equal(p->title, "A title");
	assert_int_equal(p->published_utc, time_of("2026-04-24T17:59:59Z"));
	assert_int_equal(p->updated_utc, time_of("2026-04-26T01:00:00Z"));
	assert_true(p->primary_known);
	assert_string_equal(p->categories[0], "cs.LG");
	assert_int_equal(p->nauthors, 1);
	assert_string_equal(p->authors[0], "W\u00fcbben");
	assert_true(r.batch.more);
	assert_string_equal(
	    r.batch.next.url, "http://127.0.0.1:1/api/query?id_list=2604.00003&max_results=1");
	assert_string_equal(r.batch.next.rest, "c2604.00003;");
	assert_int_equal(r.batch.next.page, 1);
	arena_release(&r.arena);

	request.rest = "n2604.00001 c2604.00002;";
	reading_do(&r, &config, &request, answer, sizeof(answer) - 1);
	assert_int_equal(r.batch.npapers, 2);
	assert_int_equal(r.batch.papers[0]->kind, PAPER_CROSS);
	assert_string_equal(r.batch.papers[0]->code_url, "https://github.com/a/b_c");
	assert_string_equal(r.batch.papers[0]->categories[0], "hep-ph");
	assert_false(r.batch.more);
	arena_release(&r.arena);
}

/* A thousand papers are asked for in addresses that fit, each once. */
static void
test_details_in_batches(void **state)
{
	struct source_request request = { 0 };
	struct strbuf rest;
	struct arena a;
	size_t nasked = 0;

	(void)state;
	arena_init(&a, MAX_RUN_BYTES);
	strbuf_init(&rest, 100000);
	for (size_t i = 0; i < 1000; i++)
		strbuf_addf(&rest, "%sn2604.%05zu", i > 0 ? " " : "", i);
	for (const char *left = rest.buf; left[0] != '\0'; left = arxiv_left_in(request.rest)) {
		unsigned n = 0;

		assert_int_equal(
		    arxiv_ask_papers(&config, 1, request.page + 1, left, &a, &request, NULL), 0);
		assert_true(strlen(request.url) <= MAX_URL_BYTES);
		assert_int_equal(
		    sscanf(strstr(request.url, "&max_results="), "&max_results=%u", &n), 1);
		assert_true(n >= 100);
		nasked += n;
	}
	assert_int_equal(nasked, 1000);
	assert_int_equal(
	    arxiv_kind_in("n2604.00001 c2604.000012 r604.0000;x1", "2604.000012"), PAPER_CROSS);
	assert_int_equal(
	    arxiv_kind_in("n2604.00001 c2604.000012 r604.0000;x1", "604.0000"), PAPER_REPLACE);
	strbuf_release(&rest);
	arena_release(&a);
}

static const struct {
	const char *xml;
	unsigned page;
	size_t npapers;
	const char *next; /* "" = nothing */
	const char *fault;
} pages[] = {
	{ ATOM("2", "0", ENTRY("2604.1v1", "cs.LG", "") ENTRY("2604.00002v1", "cs.LG", "")), 0, 1,
	    "", "" },
	{ ATOM("501", "0", ENTRY("2604.00001v1", "cs.LG", "")), 0, 1, "start=500", "" },
	{ ATOM("501", "500", ENTRY("2604.00001v1", "cs.LG", "")), 1, 1, "", "" },
	{ ATOM("501", "500", ""), 1, 0, "", "the list ends at 500 of 501 papers" },
	{ ATOM("0", "0", ""), 0, 0, "", "" },
	{ ATOM("999999", "19500", ENTRY("2604.00001v1", "cs.LG", "")), 39, 1, "",
	    "the list ends at 19501 of 999999 papers" },
	{ ATOM("2", "0", ENTRY("2604.00001v1", "cs.LG", "") "<entry><id>cut"), 0, 1, "",
	    "an end tag that fits no open element" },
};

static void
test_pages_of_a_day(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		struct source_request request = feed_request;
		struct reading r;

		request.key = "2026-04-27";
		request.day = day_of("2026-04-27");
		request.page = pages[i].page;
		reading_do(&r, &config, &request, pages[i].xml, strlen(pages[i].xml));
		if (r.rc == -1)
			fail_msg("row %zu: %s", i, r.err.msg);
		if (r.batch.npapers != pages[i].npapers ||
		    r.batch.more != (pages[i].next[0] != '\0') ||
		    (r.batch.more && strstr(r.batch.next.url, pages[i].next) == NULL) ||
		    (pages[i].fault[0] == '\0' ? r.batch.fault[0] != '\0'
					       : strstr(r.batch.fault, pages[i].fault) == NULL))
			fail_msg("row %zu: %zu papers, more %d, fault '%s'", i, r.batch.npapers,
			    r.batch.more, r.batch.fault);
		for (size_t j = 0; j < r.batch.npapers; j++)
			assert_int_equal(r.batch.papers[j]->listed_day, request.day);
		arena_release(&r.arena);
	}
}

static const struct {
	const char *bytes, *why;
} refused[] = {
	{ "", "feed: expected a feed of arXiv: line 1, column 1: it ends in the middle" },
	{ "[]", "feed: expected a feed of arXiv: line 1, column 1: this is not XML" },
	{ "<!doctype html><html><body>Please log in</body></html>",
	    "feed: '<html>'; expected a feed of arXiv" },
	{ "<HTML><HEAD>", "feed: '<HTML>'; expected a feed of arXiv" },
	{ "<rss><channel><item><title>x", "feed: line 1, column 29: it ends in the middle" },
	{ "<rss><channel><item><title>x</title></item></channel></rss>",
	    "feed: none of 1 entries is a paper; entry 1: its id is none of arXiv" },
	{ "<rss><channel><item><guid>oai:arXiv.org:2604.00001v1</guid></item></channel></rss>",
	    "feed: none of 1 entries is a paper; entry 1: it has no title" },
	{ RSS(ITEM("2604.00001v1", "newish", "")),
	    "feed: none of 1 entries is a paper; entry 1: its kind of announcement is not known" },
	{ ATOM("1", "0",
	      "<entry><id>https://arxiv.org/api/errors#x</id><title>Error</title>"
	      "<summary>incorrect id format for abc</summary></entry>"),
	    "feed: the service says: incorrect id format for abc" },
	{ "<!DOCTYPE rss [<!ENTITY a 'b'>]><rss/>",
	    "feed: expected a feed of arXiv: line 1, column 27: an entity is declared, which is "
	    "not read" },
};

static void
test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct reading r;

		reading_do(&r, &config, &feed_request, refused[i].bytes, strlen(refused[i].bytes));
		if (r.rc != -1 || r.err.kind != ERR_DATA || strcmp(r.err.msg, refused[i].why) != 0)
			fail_msg("row %zu: '%s'; expected '%s'", i, r.err.msg, refused[i].why);
		arena_release(&r.arena);
	}
}

/* An empty channel is a day without papers, and asks for nothing more. */
static void
test_empty(void **state)
{
	static const char empty[] = RSS("");
	struct reading r;

	(void)state;
	reading_do(&r, &config, &feed_request, empty, sizeof(empty) - 1);
	assert_int_equal(r.rc, 0);
	assert_int_equal(r.batch.npapers, 0);
	assert_int_equal(r.batch.made_utc, time_of("2026-04-27T04:00:07Z"));
	assert_int_equal(r.batch.day, day_of("2026-04-27"));
	assert_string_equal(r.batch.fault, "");
	assert_false(r.batch.more);
	arena_release(&r.arena);
}

/* Broken entries are left out, counted, and the first is named; the rest is read. */
static void
test_broken_entries(void **state)
{
	static const char some[] = RSS(ITEM("2604.00001v1", "new", "") "<item/>" ITEM(
	    "x", "new", "") ITEM("2604.00002v1", "cross", ""));
	struct reading r;

	(void)state;
	reading_do(&r, &config, &feed_request, some, sizeof(some) - 1);
	assert_int_equal(r.rc, 0);
	assert_int_equal(r.batch.npapers, 3); /* the id of the third is in its link */
	assert_int_equal(r.batch.nbroken, 1);
	assert_string_equal(r.batch.first_broken, "entry 2: its id is none of arXiv");
	arena_release(&r.arena);
}

/* Cut at each byte: never a crash, never silence; what is whole before the cut is read. */
static void
test_every_prefix(void **state)
{
	size_t last = 0;

	(void)state;
	for (size_t len = 0; len < sizeof(four_kinds) - 1; len++) {
		char *copy = malloc(len + 1);
		struct reading r;

		assert_non_null(copy);
		memcpy(copy, four_kinds, len);
		reading_do(&r, &config, &feed_request, copy, len);
		if (r.rc == 0 &&
		    (r.batch.fault[0] == '\0' || r.batch.more || r.batch.npapers < last))
			fail_msg("%zu bytes: %zu papers, fault '%s'", len, r.batch.npapers,
			    r.batch.fault);
		if (r.rc == -1 && (last > 0 || r.err.kind != ERR_DATA))
			fail_msg("%zu bytes: %s", len, r.err.msg);
		last = r.rc == 0 ? r.batch.npapers : 0;
		arena_release(&r.arena);
		free(copy);
	}
	assert_int_equal(last, 2);
}

static const struct {
	const char *comment, *code, *project;
	bool withdrawn;
} comments[] = {
	{ "10 pages", "", "", false },
	{ "Code at https://github.com/ada/bee.", "https://github.com/ada/bee", "", false },
	{ "Code: \\url{https://github.com/ada/b\\_c}, more", "https://github.com/ada/b_c", "",
	    false },
	{ "see github.com/ada/bee/tree/main; also https://gitlab.com/x/y",
	    "https://github.com/ada/bee/tree/main", "", false },
	{ "https://gitlab.com/x/y then https://github.com/ada/bee", "https://gitlab.com/x/y", "",
	    false },
	{ "(http://www.github.com/ada/bee)", "https://github.com/ada/bee", "", false },
	{ "https://github.com/ada", "", "", false }, /* a person */
	{ "https://evilgithub.com/ada/bee", "", "", false },
	{ "https://github.com.evil.example/a/b", "", "", false },
	{ "Project page: https://ada.github.io/bee/", "", "https://ada.github.io/bee/", false },
	{ "https://.github.io/bee", "", "", false },
	{ "https://ada.github.io", "", "https://ada.github.io", false },
	{ "This paper has been withdrawn by the authors", "", "", true },
	{ "We correct a withdrawn claim", "", "", false },
};

static void
test_comments(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(comments) / sizeof(comments[0]); i++) {
		const struct paper *p;
		struct strbuf xml;
		struct reading r;

		strbuf_init(&xml, 10000);
		strbuf_addf(&xml,
		    ATOM("1", "0",
			ENTRY("2604.00001v1", "cs.LG", "<arxiv:comment>%s</arxiv:comment>")),
		    comments[i].comment);
		reading_do(&r, &config, &feed_request, xml.buf, xml.len);
		assert_int_equal(r.rc, 0);
		p = r.batch.papers[0];
		if (strcmp(p->code_url, comments[i].code) != 0 ||
		    strcmp(p->project_url, comments[i].project) != 0 ||
		    (p->withdrawn_utc == p->updated_utc) != comments[i].withdrawn)
			fail_msg("row %zu: '%s' '%s'; expected '%s' '%s'", i, p->code_url,
			    p->project_url, comments[i].code, comments[i].project);
		arena_release(&r.arena);
		strbuf_release(&xml);
	}
}

static const struct {
	long status;
	const char *bytes, *why;
} statuses[] = {
	{ 400,
	    ATOM("1", "0",
		"<entry><id>https://arxiv.org/api/errors#x</id><title>Error</title>"
		"<summary>incorrect id format for abc</summary></entry>"),
	    "feed: the service does not understand the request (status 400): incorrect id format "
	    "for abc" },
	{ 404, "",
	    "feed: the service has no such list; are the 'categories' of this source right? "
	    "(status 404)" },
	{ 429, "Rate exceeded.", "feed: the service asks to wait (status 429)" },
	{ 503, "<html>", "feed: the service is overloaded or asks to wait (status 503)" },
	{ 500, "", "feed: the service has a fault (status 500)" },
};

static void
test_statuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		struct error err = { 0 };

		assert_int_equal(type()->status(&feed_request, statuses[i].status,
				     statuses[i].bytes, strlen(statuses[i].bytes), &err),
		    -1);
		if (err.kind != ERR_NET || strcmp(err.msg, statuses[i].why) != 0)
			fail_msg("row %zu: '%s'; expected '%s'", i, err.msg, statuses[i].why);
	}
}

/* ---- what was recorded ---- */

static bool
has_key(const struct source_batch *batch, size_t upto, const char *key)
{
	for (size_t i = 0; i < upto; i++)
		if (strcmp(batch->papers[i]->key, key) == 0)
			return true;
	return false;
}

/* The id and version of FACTS.tsv, in any of its spellings, against a paper's. */
static void
check_id(const char *file, const char *id, const struct paper *p)
{
	static const char oai[] = "oai:arXiv.org:";
	struct strbuf key;
	uint32_t version;

	strbuf_init(&key, 1000);
	if (strncmp(id, oai, sizeof(oai) - 1) == 0)
		id += sizeof(oai) - 1;
	assert_int_equal(paper_add_key(&key, id, &version), 1);
	if (strcmp(p->key, key.buf) != 0 || p->version != version)
		fail_msg("%s: %s v%u; expected %s", file, p->key, (unsigned)p->version, id);
	strbuf_release(&key);
}

static void
check_recorded(const char *folder, char *line)
{
	static const char *const words[] = { "new", "cross", "replace", "replace-cross" };
	static const char *const all[] = { "new", "cross", "replace", "replace-cross" };
	char *field[7] = { NULL }, path[1024];
	struct config_source c = config;
	struct strbuf bytes, kinds;
	size_t distinct = 0, most = 0;
	struct reading r;

	for (size_t i = 0; i < 7 && line != NULL; i++)
		field[i] = strsep(&line, "\t");
	assert_non_null(field[6]);
	c.announce = (const char **)(uintptr_t)all;
	c.nannounce = 4;
	strbuf_init(&bytes, 16 << 20);
	strbuf_init(&kinds, 10000);
	snprintf(path, sizeof(path), "%s/%s", folder, field[0]);
	assert_int_equal(file_read(path, &bytes, NULL), 0);
	reading_do(&r, &c, &feed_request, bytes.buf, bytes.len);
	if (strstr(field[2], "api/errors") != NULL) {
		assert_int_equal(r.rc, -1);
		assert_non_null(strstr(r.err.msg, "the service says: "));
		goto out;
	}
	if (r.rc == -1)
		fail_msg("%s: %s", field[0], r.err.msg);
	strbuf_add(&kinds, "announce types");
	for (size_t i = 0; i < r.batch.npapers; i++) {
		const struct paper *p = r.batch.papers[i];

		distinct += !has_key(&r.batch, i, p->key);
		most = p->nauthors > most ? p->nauthors : most;
		strbuf_addf(&kinds, " %s", words[p->kind]);
		assert_true(p->title[0] != '\0' && p->abstract[0] != '\0' && p->ncategories > 0);
		assert_null(strstr(p->abstract, "Announce Type"));
		assert_null(strstr(p->title, "\n"));
		assert_true(p->published_utc > 0 || p->kind != PAPER_NEW);
		for (size_t j = 0; j < p->nauthors; j++)
			assert_null(strstr(p->authors[j], "\u00c3"));
	}
	if (r.batch.npapers != strtoul(field[1], NULL, 10) ||
	    distinct != strtoul(field[4], NULL, 10) || most != strtoul(field[5], NULL, 10))
		fail_msg("%s: %zu papers, %zu distinct, at most %zu authors; expected %s, %s, %s",
		    field[0], r.batch.npapers, distinct, most, field[1], field[4], field[5]);
	if (r.batch.npapers > 0) {
		check_id(field[0], field[2], r.batch.papers[0]);
		check_id(field[0], field[3], r.batch.papers[r.batch.npapers - 1]);
	}
	if (strncmp(field[6], "announce types", 14) == 0 && strcmp(field[6], kinds.buf) != 0)
		fail_msg("%s: %s; expected %s", field[0], kinds.buf, field[6]);
	assert_true(r.batch.made_utc > 0 && r.batch.nbroken == 0 && r.batch.nreplaced == 0);
out:
	strbuf_release(&bytes);
	strbuf_release(&kinds);
	arena_release(&r.arena);
}

static void
test_recorded(void **state)
{
	const char *folder = getenv("DIGEST_CORPUS");
	struct strbuf facts;
	char path[1024], *rest, *line;
	size_t nfiles = 0;

	(void)state;
	if (folder == NULL) {
		print_message("DIGEST_CORPUS is not set: recorded answers are not read\n");
		skip();
	}
	snprintf(path, sizeof(path), "%s/FACTS.tsv", folder);
	strbuf_init(&facts, 1024 * 1024);
	assert_int_equal(file_read(path, &facts, NULL), 0);
	for (rest = facts.buf; (line = strsep(&rest, "\n")) != NULL;)
		if (strncmp(line, "arxiv-api/", 10) == 0 || strncmp(line, "arxiv-rss/", 10) == 0) {
			check_recorded(folder, line);
			nfiles++;
		}
	assert_true(nfiles >= 19);
	strbuf_release(&facts);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_calendar),
		cmocka_unit_test(test_plans),
		cmocka_unit_test(test_long_absence),
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_configs),
		cmocka_unit_test(test_too_many_categories),
		cmocka_unit_test(test_feed),
		cmocka_unit_test(test_announce),
		cmocka_unit_test(test_details),
		cmocka_unit_test(test_details_in_batches),
		cmocka_unit_test(test_pages_of_a_day),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_broken_entries),
		cmocka_unit_test(test_every_prefix),
		cmocka_unit_test(test_comments),
		cmocka_unit_test(test_statuses),
		cmocka_unit_test(test_recorded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
