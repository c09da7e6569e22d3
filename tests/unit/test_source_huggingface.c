/* Daily Papers: what is asked for and when, every recorded answer, and answers that are none. */
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

enum { DAY = 86400, HOUR = 3600, PAGES = 64 };

static const struct config_source config = { .name = "hf",
	.type = "huggingface",
	.url = "https://example.org/",
	.path = "",
	.command = "",
	.interval_s = -1,
	.list = "daily",
	.settle_s = -1,
	.file = "digest.conf",
	.line = 3 };

static const struct source_type *
type(void)
{
	const struct source_type *t = source_type_find("huggingface", NULL);

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

/* One reading of bytes as the answer of 2026-08-21, asked on the day after. */
struct reading {
	struct arena arena;
	struct source_request request;
	struct source_batch batch;
	struct error err;
	int rc;
};

static void
reading_do(struct reading *r, const char *bytes, size_t len)
{
	const struct source_request request = { .key = "2026-08-21",
		.url = "https://example.org/api/daily_papers?date=2026-08-21&limit=100",
		.path = "",
		.etag = "",
		.last_modified = "",
		.day = day_of("2026-08-21") };

	memset(r, 0, sizeof(*r));
	arena_init(&r->arena, MAX_RUN_BYTES);
	r->request = request;
	r->rc =
	    type()->read(&config, &r->request, &(struct source_answer){ bytes, len, "", "", "" },
		(int64_t)(day_of("2026-08-22") * (int64_t)DAY), &r->arena, &r->batch, &r->err);
}

/* A plan at a moment, with the keys it asks for joined by blanks. */
struct planning {
	const char *now, *cursor; /* NULL = never read */
	struct {
		const char *key, *read;
	} pages[PAGES];
	const char *since;
	bool force;
	const char *keys;
};

static const struct planning plans[] = {
	/* First run: the last week and today. */
	{ "2026-08-21T10:00:00Z", NULL, { { 0 } }, NULL, false,
	    "2026-08-14 2026-08-15 2026-08-16 2026-08-17 2026-08-18 2026-08-19 2026-08-20 "
	    "2026-08-21" },
	/* The last second of a day in UTC, whatever the day is elsewhere. */
	{ "2026-08-21T23:59:59Z", "2026-08-20",
	    { { "2026-08-20", "2026-08-21T23:30:00Z" }, { "2026-08-21", "2026-08-21T22:00:00Z" } },
	    NULL, false, "2026-08-21" },
	{ "2026-08-22T00:00:00Z", "2026-08-20",
	    { { "2026-08-20", "2026-08-21T23:30:00Z" }, { "2026-08-21", "2026-08-21T23:30:00Z" } },
	    NULL, false, "2026-08-22" },
	/* Today and yesterday by the hour, with a little slack for cron. */
	{ "2026-08-21T10:00:00Z", "2026-08-20",
	    { { "2026-08-19", "2026-08-21T08:00:00Z" }, { "2026-08-20", "2026-08-21T08:59:00Z" },
		{ "2026-08-21", "2026-08-21T09:02:00Z" } },
	    NULL, false, "2026-08-20 2026-08-21" },
	{ "2026-08-21T10:00:00Z", "2026-08-20",
	    { { "2026-08-20", "2026-08-21T09:10:00Z" }, { "2026-08-21", "2026-08-21T09:10:00Z" } },
	    NULL, false, "" },
	/* The two weeks before twice a day; older ones are left alone. */
	{ "2026-08-21T22:00:00Z", "2026-08-20",
	    { { "2026-08-05", "2026-08-06T00:00:00Z" }, { "2026-08-06", "2026-08-21T09:00:00Z" },
		{ "2026-08-07", "2026-08-21T12:00:00Z" }, { "2026-08-08", "2026-08-21T12:00:00Z" },
		{ "2026-08-09", "2026-08-21T12:00:00Z" }, { "2026-08-10", "2026-08-21T12:00:00Z" },
		{ "2026-08-11", "2026-08-21T12:00:00Z" }, { "2026-08-12", "2026-08-21T12:00:00Z" },
		{ "2026-08-13", "2026-08-21T12:00:00Z" }, { "2026-08-14", "2026-08-21T12:00:00Z" },
		{ "2026-08-15", "2026-08-21T12:00:00Z" }, { "2026-08-17", "2026-08-21T12:00:00Z" },
		{ "2026-08-18", "2026-08-21T12:00:00Z" }, { "2026-08-19", "2026-08-21T10:01:00Z" },
		{ "2026-08-20", "2026-08-21T21:30:00Z" },
		{ "2026-08-21", "2026-08-21T21:30:00Z" } },
	    NULL, false, "2026-08-06 2026-08-16 2026-08-19" },
	/* Days before the first one ever read are not asked for. */
	{ "2026-08-21T22:00:00Z", "2026-08-19",
	    { { "2026-08-18", "2026-08-21T21:30:00Z" }, { "2026-08-19", "2026-08-21T21:30:00Z" } },
	    NULL, false, "2026-08-20 2026-08-21" },
	/* A month without a run. */
	{ "2026-08-21T10:00:00Z", "2026-08-03",
	    { { "2026-08-03", "2026-08-04T00:00:00Z" }, { "2026-08-04", "2026-08-04T00:00:00Z" } },
	    NULL, false,
	    "2026-08-05 2026-08-06 2026-08-07 2026-08-08 2026-08-09 2026-08-10 2026-08-11 "
	    "2026-08-12 "
	    "2026-08-13 2026-08-14 2026-08-15 2026-08-16 2026-08-17 2026-08-18 2026-08-19 "
	    "2026-08-20 "
	    "2026-08-21" },
	/* A clock that was ahead must not keep a day away. */
	{ "2026-08-21T10:00:00Z", "2026-08-20",
	    { { "2026-08-20", "2026-08-21T09:59:00Z" }, { "2026-08-21", "2027-01-01T00:00:00Z" } },
	    NULL, false, "2026-08-21" },
	{ "2026-08-21T10:00:00Z", "2026-08-20",
	    { { "2026-08-20", "2026-08-21T09:59:00Z" }, { "2026-08-21", "2026-08-21T09:59:00Z" } },
	    NULL, true, "2026-08-20 2026-08-21" },
	/* Back-fill. */
	{ "2026-08-21T10:00:00Z", "2026-08-20", { { "2026-08-20", "2026-08-21T09:59:00Z" } },
	    "2026-08-18", false, "2026-08-18 2026-08-19 2026-08-21" },
	{ "2026-08-21T10:00:00Z", "2026-08-20", { { 0 } }, "2026-08-22", false, "" },
};

static void
test_plans(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
		const struct planning *row = &plans[i];
		struct source_page pages[PAGES];
		struct source_progress progress = { .pages = pages };
		struct source_request *requests = NULL;
		struct arena a;
		struct strbuf keys;
		int64_t now;
		size_t n = 0;

		arena_init(&a, MAX_RUN_BYTES);
		strbuf_init(&keys, 10000);
		for (size_t j = 0; j < PAGES && row->pages[j].key != NULL; j++) {
			pages[j] = (struct source_page){ row->pages[j].key, "\"e\"", "", 0 };
			date_parse(row->pages[j].read, &pages[j].read_utc, NULL);
			progress.npages++;
		}
		date_parse(row->now, &now, NULL);
		progress.cursor_day = row->cursor != NULL ? day_of(row->cursor) : 0;
		assert_int_equal(type()->plan(&config, &progress, now,
				     row->since != NULL ? day_of(row->since) : 0, row->force, &a,
				     &requests, &n, NULL),
		    0);
		for (size_t j = 0; j < n; j++)
			strbuf_addf(&keys, "%s%s", j > 0 ? " " : "", requests[j].key);
		if (strcmp(keys.buf, row->keys) != 0)
			fail_msg("row %zu: asks for '%s'; expected '%s'", i, keys.buf, row->keys);
		strbuf_release(&keys);
		arena_release(&a);
	}
}

static void
test_requests(void **state)
{
	struct source_page pages[] = { { "2026-08-20", "\"a\"", "Thu", 1 },
		{ "2026-08-21", "\"b\"", "Fri", 1 }, { "2026-08-21 p1", "\"c\"", "Fri", 1 } };
	struct source_progress progress = { day_of("2026-08-20"), pages, 3 };
	struct source_request *r = NULL;
	struct config_source own = config;
	struct arena a;
	size_t n = 0;

	(void)state;
	arena_init(&a, MAX_RUN_BYTES);
	assert_int_equal(type()->plan(&config, &progress, day_of("2026-08-21") * (int64_t)DAY, 0,
			     true, &a, &r, &n, NULL),
	    0);
	assert_int_equal(n, 2);
	assert_string_equal(
	    r[0].url, "https://example.org/api/daily_papers?date=2026-08-20&limit=100");
	assert_string_equal(r[0].etag, "\"a\"");
	assert_string_equal(r[0].last_modified, "Thu");
	assert_int_equal(r[0].day, day_of("2026-08-20"));
	assert_string_equal(r[0].path, "");
	/* An unchanged first page says nothing about the second. */
	assert_string_equal(r[1].etag, "");
	own.url = "";
	assert_int_equal(type()->plan(&own, &progress, day_of("2026-08-21") * (int64_t)DAY, 0, true,
			     &a, &r, &n, NULL),
	    0);
	assert_string_equal(
	    r[0].url, "https://huggingface.co/api/daily_papers?date=2026-08-20&limit=100");
	/* A longer interval holds for all days. */
	own.interval_s = 20 * HOUR;
	pages[0].read_utc = pages[1].read_utc = day_of("2026-08-21") * (int64_t)DAY;
	assert_int_equal(
	    type()->plan(&own, &progress, day_of("2026-08-21") * (int64_t)DAY + 15 * HOUR, 0, false,
		&a, &r, &n, NULL),
	    0);
	assert_int_equal(n, 0);
	arena_release(&a);
}

static void
test_back_fill_is_bounded(void **state)
{
	struct source_progress progress = { 0 };
	struct source_request *r = NULL;
	struct arena a;
	size_t n = 0;

	(void)state;
	arena_init(&a, MAX_RUN_BYTES);
	assert_int_equal(type()->plan(&config, &progress, day_of("2026-08-21") * (int64_t)DAY, 1,
			     false, &a, &r, &n, NULL),
	    0);
	assert_string_equal(r[0].key, "2023-05-01");
	progress.cursor_day = day_of("2024-01-01");
	assert_int_equal(type()->plan(&config, &progress, day_of("2026-08-21") * (int64_t)DAY, 0,
			     false, &a, &r, &n, NULL),
	    0);
	assert_int_equal(n, 401);
	arena_release(&a);
}

/* FACTS.tsv: file, entries, first id, last id, distinct ids, most authors, remarks. */
struct facts {
	char file[200], first[40], last[40];
	size_t entries, distinct, authors;
};

static void
check_facts(const char *corpus, const struct facts *want)
{
	struct strbuf path, bytes;
	struct reading r;
	size_t most = 0, nempty = 0, first_len = strlen(want->first);

	strbuf_init(&path, 4096);
	strbuf_init(&bytes, MAX_JSON_BYTES);
	strbuf_addf(&path, "%s/%s", corpus, want->file);
	if (file_read(path.buf, &bytes, NULL) == -1)
		fail_msg("%s cannot be read", path.buf);
	reading_do(&r, bytes.buf, bytes.len);
	if (r.rc == -1)
		fail_msg("%s: %s", want->file, r.err.msg);
	if (r.batch.npapers != want->entries || r.batch.nbroken != 0)
		fail_msg(
		    "%s: %zu papers, %zu broken", want->file, r.batch.npapers, r.batch.nbroken);
	if (strncmp(r.batch.papers[0]->key + 6, want->first, first_len) != 0 ||
	    strcmp(r.batch.papers[want->entries - 1]->key + 6, want->last) != 0)
		fail_msg("%s: from %s to %s", want->file, r.batch.papers[0]->key,
		    r.batch.papers[want->entries - 1]->key);
	for (size_t i = 0; i < r.batch.npapers; i++) {
		const struct paper *p = r.batch.papers[i];

		most = p->nauthors > most ? p->nauthors : most;
		nempty += p->abstract[0] == '\0' || p->votes < 0 || p->comments < 0 ||
		    p->published_utc == 0 || p->thumbnail_url[0] == '\0' ||
		    p->discussion_url[0] == '\0';
		if (strchr(p->title, '\n') != NULL || strstr(p->title, "  ") != NULL)
			fail_msg("%s: title '%s'", want->file, p->title);
	}
	if (most != want->authors || nempty > 0)
		fail_msg("%s: %zu authors at most, %zu incomplete", want->file, most, nempty);
	arena_release(&r.arena);
	strbuf_release(&bytes);
	strbuf_release(&path);
}

static void
test_recorded_answers(void **state)
{
	const char *corpus = getenv("DIGEST_CORPUS");
	char path[4096], line[1000];
	size_t nfiles = 0;
	FILE *facts;

	(void)state;
	if (corpus == NULL) {
		print_message("DIGEST_CORPUS is not set; recorded answers are not read\n");
		skip();
	}
	snprintf(path, sizeof(path), "%s/FACTS.tsv", corpus);
	if ((facts = fopen(path, "r")) == NULL)
		fail_msg("%s cannot be read", path);
	while (fgets(line, sizeof(line), facts) != NULL) {
		struct facts f;

		if (strncmp(line, "huggingface/", 12) != 0)
			continue;
		assert_int_equal(sscanf(line, "%199[^\t]\t%zu\t%39[^\t]\t%39[^\t]\t%zu\t%zu",
				     f.file, &f.entries, f.first, f.last, &f.distinct, &f.authors),
		    6);
		check_facts(corpus, &f);
		nfiles++;
	}
	fclose(facts);
	assert_int_equal(nfiles, 15);
}

static const char whole[] =
    "[{\"paper\":{\"id\":\"2608.00001\",\"authors\":[{\"name\":\"Ada B\\u00e9\",\"hidden\":false},"
    "{\"name\":\"Secret\",\"hidden\":true},{\"name\":\"\\\"u\"},{\"name\":\"\"},7],"
    "\"publishedAt\":\"2026-08-19T12:30:00.000Z\",\"submittedOnDailyAt\":\"2026-08-20T00:00:00."
    "000Z\","
    "\"title\":\"Fast $\\\\mu$P\\n  for \\\\$60\",\"summary\":\"We cut\\nthe cost by $10$%.\","
    "\"upvotes\":42.0,\"githubRepo\":\"https://github.com/a/b\",\"githubStars\":\"7\","
    "\"projectPage\":\"https://a.example/p "
    "q\",\"ai_summary\":\"Cheap.\",\"ai_keywords\":[\"mup\",\"\",3],"
    "\"ai_summary_model\":\"Qwen\",\"organization\":{\"name\":\"abc\",\"fullname\":\"A. B. C.\"},"
    "\"mediaUrls\":[\"https://cdn.example/1.mp4\",\"https://cdn.example/2.png\"],"
    "\"withdrawnAt\":\"2026-08-21T00:00:00Z\",\"unknown\":{\"x\":[1]}},\"title\":\"outer\","
    "\"thumbnail\":\"https://cdn.example/t.png\",\"numComments\":3}]";

static void
test_every_member(void **state)
{
	struct reading r;
	const struct paper *p;

	(void)state;
	reading_do(&r, whole, sizeof(whole) - 1);
	if (r.rc == -1)
		fail_msg("%s", r.err.msg);
	p = r.batch.papers[0];
	assert_string_equal(p->key, "arxiv:2608.00001");
	assert_string_equal(p->title, "Fast \xce\xbcP for $60");
	assert_string_equal(p->abstract, "We cut the cost by 10%.");
	assert_int_equal(p->nauthors, 2);
	assert_string_equal(p->authors[0], "Ada B\xc3\xa9");
	assert_string_equal(p->org, "A. B. C.");
	assert_string_equal(p->summary, "Cheap.");
	assert_string_equal(p->summary_by, "Qwen");
	assert_int_equal(p->nkeywords, 1);
	assert_string_equal(p->keywords[0], "mup");
	assert_string_equal(p->url, "https://arxiv.org/abs/2608.00001");
	assert_string_equal(p->pdf_url, "https://arxiv.org/pdf/2608.00001");
	assert_string_equal(p->discussion_url, "https://huggingface.co/papers/2608.00001");
	assert_string_equal(p->code_url, "https://github.com/a/b");
	assert_string_equal(p->project_url, "https://a.example/p%20q");
	assert_string_equal(p->thumbnail_url, "https://cdn.example/t.png");
	assert_string_equal(p->media_url, "https://cdn.example/1.mp4");
	assert_int_equal(p->votes, 42);
	assert_int_equal(p->comments, 3);
	assert_int_equal(p->stars, 7);
	assert_int_equal(p->listed_day, day_of("2026-08-20"));
	assert_int_equal(p->published_utc, day_of("2026-08-19") * (int64_t)DAY + 12 * HOUR + 1800);
	assert_int_equal(p->withdrawn_utc, day_of("2026-08-21") * (int64_t)DAY);
	assert_int_equal(p->kind, PAPER_NEW);
	assert_int_equal(p->rank, 0);
	assert_string_equal(p->source, "hf");
	assert_int_equal(r.batch.day, day_of("2026-08-21"));
	assert_false(r.batch.more);
	arena_release(&r.arena);
}

static const struct {
	const char *entry, *title, *code, *project, *thumbnail, *by;
	int64_t votes;
} shapes[] = {
	/* 2024: no outer summary, mediaUrl. */
	{ "{\"paper\":{\"id\":\"2405.00001\",\"title\":\"a\"},\"mediaUrl\":\"https://c.example/"
	  "m.png\"}",
	    "a", "", "", "https://c.example/m.png", "", -1 },
	{ "{\"paper\":{\"id\":\"2405.00001\"},\"title\":\"outer only\"}", "outer only", "", "", "",
	    "", -1 },
	/* A plain paper. */
	{ "{\"id\":\"2405.00001v2\",\"title\":\"a\",\"upvotes\":5}", "a", "", "", "", "", 5 },
	{ "{\"paper\":{\"id\":\"2405.00001\",\"title\":\"a\",\"projectPage\":\"https://github.com/"
	  "x/y\"}}",
	    "a", "https://github.com/x/y", "", "", "", -1 },
	{ "{\"paper\":{\"id\":\"2405.00001\",\"title\":\"a\",\"projectPage\":\"https://github.com/"
	  "x\","
	  "\"githubRepo\":\"https://github.com/x/y\"}}",
	    "a", "https://github.com/x/y", "https://github.com/x", "", "", -1 },
	{ "{\"paper\":{\"id\":\"2405.00001\",\"title\":\"a\",\"projectPage\":\"javascript:alert(1)"
	  "\","
	  "\"githubRepo\":\"data:text/html,x\"},\"thumbnail\":\"file:///x\"}",
	    "a", "", "", "", "", -1 },
	{ "{\"paper\":{\"id\":\"2405.00001\",\"title\":\"a\",\"projectPage\":\"https://"
	  "me:pw@x.example/\","
	  "\"githubRepo\":\"/relative\"},\"thumbnail\":null}",
	    "a", "", "", "", "", -1 },
	{ "{\"paper\":{\"id\":\"2405.00001\",\"title\":\"<think> & \\\"x\\\" %s "
	  "{{y}}\",\"upvotes\":-3}}",
	    "<think> & \"x\" %s {{y}}", "", "", "", "", -1 },
	{ "{\"paper\":{\"id\":\"2405.00001\",\"title\":\"a\\u0000b\\u202ec\",\"upvotes\":1.5}}",
	    "abc", "", "", "", "", -1 },
	{ "{\"paper\":{\"id\":\"2405.00001\",\"title\":\"a\",\"ai_summary\":\"s\",\"upvotes\":1e3}"
	  "}",
	    "a", "", "", "", "AI", 1000 },
	{ "{\"paper\":{\"id\":\"2405.00001\",\"title\":\"a\",\"ai_summary_model\":\"m\","
	  "\"authors\":{},"
	  "\"organization\":[],\"mediaUrls\":{},\"ai_keywords\":\"x\",\"publishedAt\":3}}",
	    "a", "", "", "", "", -1 },
	{ "{\"paper\":{\"id\":\"2405.00001\",\"title\":\"lone \\ud800 half\"}}",
	    "lone \xef\xbf\xbd half", "", "", "", "", -1 },
	{ "{\"paper\":{\"id\":\"2405.00001\",\"title\":\"bad \xff byte\"}}",
	    "bad \xef\xbf\xbd byte", "", "", "", "", -1 },
};

static void
test_shapes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		char answer[1000];
		struct reading r;
		const struct paper *p;
		int n = snprintf(answer, sizeof(answer), " \n[%s]", shapes[i].entry);

		reading_do(&r, answer, (size_t)n);
		if (r.rc == -1 || r.batch.npapers != 1)
			fail_msg("row %zu: %s", i, r.err.msg);
		p = r.batch.papers[0];
		if (strcmp(p->title, shapes[i].title) != 0 ||
		    strcmp(p->code_url, shapes[i].code) != 0 ||
		    strcmp(p->project_url, shapes[i].project) != 0 ||
		    strcmp(p->thumbnail_url, shapes[i].thumbnail) != 0 ||
		    strcmp(p->summary_by, shapes[i].by) != 0 || p->votes != shapes[i].votes ||
		    strcmp(p->key, "arxiv:2405.00001") != 0 || p->listed_day != r.request.day)
			fail_msg("row %zu: '%s' code '%s' project '%s' thumbnail '%s' by '%s' "
				 "votes %lld",
			    i, p->title, p->code_url, p->project_url, p->thumbnail_url,
			    p->summary_by, (long long)p->votes);
		arena_release(&r.arena);
	}
}

/* Broken entries beside a good one are left out, and the first is named. */
static const struct {
	const char *entry, *why;
} broken[] = {
	{ "7", "entry 2: not an object" },
	{ "null", "entry 2: not an object" },
	{ "{}", "entry 2: paper is missing or no object" },
	{ "{\"paper\":[]}", "entry 2: paper is missing or no object" },
	{ "{\"paper\":{}}", "entry 2: paper.id is missing or no string" },
	{ "{\"paper\":{\"id\":2405.00001,\"title\":\"a\"}}",
	    "entry 2: paper.id is missing or no string" },
	{ "{\"paper\":{\"id\":\"\",\"title\":\"a\"}}", "entry 2: paper.id is not an arXiv id" },
	{ "{\"paper\":{\"id\":\"../x\",\"title\":\"a\"}}", "entry 2: paper.id is not an arXiv id" },
	{ "{\"paper\":{\"id\":\"2405.00002\"}}", "entry 2: paper.title is missing or empty" },
	{ "{\"paper\":{\"id\":\"2405.00002\",\"title\":\" \\n\"}}",
	    "entry 2: paper.title is missing or empty" },
};

static void
test_broken_entries(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		static const char good[] = "{\"paper\":{\"id\":\"2405.00001\",\"title\":\"a\"}}";
		char answer[1000];
		struct reading r;
		int n =
		    snprintf(answer, sizeof(answer), "[%s,%s,%s,8]", good, broken[i].entry, good);

		reading_do(&r, answer, (size_t)n);
		if (r.rc == -1 || r.batch.npapers != 2 || r.batch.nbroken != 2 ||
		    strcmp(r.batch.first_broken, broken[i].why) != 0)
			fail_msg("row %zu: %d, %zu papers, '%s' %s", i, r.rc, r.batch.npapers,
			    r.batch.first_broken, r.err.msg);
		arena_release(&r.arena);
		n = snprintf(answer, sizeof(answer), "[%s]", broken[i].entry);
		reading_do(&r, answer, (size_t)n);
		if (r.rc != -1 || strstr(r.err.msg, "none of 1 entries is a paper") == NULL)
			fail_msg("row %zu alone: %d %s", i, r.rc, r.err.msg);
		arena_release(&r.arena);
	}
}

static const struct {
	const char *answer, *message;
} wrong[] = {
	{ "", "2026-08-21: nothing at all; expected a JSON array of daily papers" },
	{ " \r\n\t", "nothing at all" },
	{ "<html><body>", "2026-08-21: '<html' at line 1; expected a JSON array of daily papers" },
	{ "\xef\xbb\xbf\n\n<!DOCTYPE html>", "'<' at line 3; expected a JSON array" },
	{ "{\"error\":\"Invalid date\"}", "the service says: Invalid date" },
	{ "{\"papers\":[]}", "an object; expected a JSON array of daily papers" },
	{ "\"text\"", "a string; expected" },
	{ "null", "null; expected" },
	{ "7", "a number; expected" },
	{ "[{\"paper\":{\"id\":\"2405.0", "line 1" },
	{ "[1,2", "line 1" },
	{ "[],", "line 1" },
	{ "Not Found", "expected a JSON array of daily papers" },
};

static void
test_wrong_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct reading r;

		reading_do(&r, wrong[i].answer, strlen(wrong[i].answer));
		if (r.rc != -1 || r.err.kind != ERR_DATA ||
		    strstr(r.err.msg, wrong[i].message) == NULL)
			fail_msg("row %zu: %d '%s'", i, r.rc, r.err.msg);
		arena_release(&r.arena);
	}
}

/* A whole answer cut at every byte is an error, never fewer papers. */
static void
test_truncated_answers(void **state)
{
	(void)state;
	for (size_t len = 0; len < sizeof(whole) - 1; len++) {
		struct reading r;

		reading_do(&r, whole, len);
		if (r.rc != -1)
			fail_msg("cut at %zu: %zu papers", len, r.batch.npapers);
		arena_release(&r.arena);
	}
}

static void
test_empty_day(void **state)
{
	struct reading r;

	(void)state;
	reading_do(&r, "[]", 2);
	assert_int_equal(r.rc, 0);
	assert_int_equal(r.batch.npapers, 0);
	assert_false(r.batch.more);
	arena_release(&r.arena);
}

/* n entries as the page-th answer; returns the reading. */
static void
read_page(struct reading *r, size_t n, unsigned page, const char *link)
{
	struct strbuf answer;
	struct source_request request;

	strbuf_init(&answer, MAX_JSON_BYTES);
	for (size_t i = 0; i < n; i++)
		strbuf_addf(&answer, "%s{\"paper\":{\"id\":\"2405.%05zu\",\"title\":\"a\"}}",
		    i > 0 ? "," : "[", i);
	strbuf_add(&answer, n > 0 ? "]" : "[]");
	reading_do(r, "[]", 2);
	request = r->request;
	request.page = page;
	r->rc = type()->read(&config, &request,
	    &(struct source_answer){ answer.buf, answer.len, "", "", link != NULL ? link : "" },
	    day_of("2026-08-22") * (int64_t)DAY, &r->arena, &r->batch, &r->err);
	strbuf_release(&answer);
}

static const struct {
	size_t n;
	unsigned page;
	const char *link, *next; /* NULL = no more */
} pages[] = {
	{ 99, 0, NULL, NULL },
	{ 100, 0, NULL, "https://example.org/api/daily_papers?date=2026-08-21&limit=100&p=1" },
	{ 100, 3, "", "https://example.org/api/daily_papers?date=2026-08-21&limit=100&p=4" },
	{ 100, 19, NULL, NULL },
	{ 0, 1, "https://example.org/api/x?p=2", NULL },
	{ 50, 0, "https://example.org/api/x?p=1", "https://example.org/api/x?p=1" },
	{ 50, 0, "https://evil.example/api/x?p=1", NULL },
	{ 50, 0, "https://example.org.evil.example/x", NULL },
};

static void
test_pages(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		struct reading r;

		read_page(&r, pages[i].n, pages[i].page, pages[i].link);
		if (r.rc == -1 || r.batch.more != (pages[i].next != NULL))
			fail_msg("row %zu: %d %s", i, r.rc, r.err.msg);
		if (r.batch.more &&
		    (strcmp(r.batch.next.url, pages[i].next) != 0 ||
			r.batch.next.page != pages[i].page + 1 ||
			r.batch.next.day != r.request.day ||
			strncmp(r.batch.next.key, "2026-08-21 p", 12) != 0))
			fail_msg("row %zu: %s %s", i, r.batch.next.key, r.batch.next.url);
		arena_release(&r.arena);
	}
}

static const struct {
	long status;
	bool fresh;
	const char *body;
	const char *message; /* NULL = no fault */
} statuses[] = {
	{ 400, true, "{\"error\":\"date is in the future\"}", NULL },
	{ 400, false, "{\"error\":\"limit\\nis wrong\"}",
	    "2026-08-21: the service does not understand the request (status 400): limit" },
	{ 404, true, "",
	    "the service has no such page; is 'url' of this source right? (status 404)" },
	{ 403, true, "<html>", "the service refuses us (status 403)" },
	{ 429, true, "", "the service asks to wait (status 429)" },
	{ 500, true, "{\"error\":7}", "the service has a fault (status 500)" },
	{ 503, true, "{", "the service has a fault (status 503)" },
	{ 302, true, "", "the service redirects to nowhere (status 302)" },
	{ 204, true, "", "the service does not give the list (status 204)" },
};

static void
test_statuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		const struct source_request request = { .key = "2026-08-21",
			.may_be_missing = statuses[i].fresh };
		struct error err = { 0 };
		int rc = type()->status(
		    &request, statuses[i].status, statuses[i].body, strlen(statuses[i].body), &err);

		if (rc != (statuses[i].message == NULL ? 1 : -1) ||
		    (rc == -1 && strstr(err.msg, statuses[i].message) == NULL))
			fail_msg("row %zu: %d '%s'", i, rc, err.msg);
	}
}

static void
test_types(void **state)
{
	struct error err = { 0 };
	size_t n = 0;

	(void)state;
	for (; source_type_at(n) != NULL; n++) {
		const struct source_type *t = source_type_at(n);

		assert_ptr_equal(source_type_find(t->name, &err), t);
		if (t->help == NULL || t->base_url == NULL || t->service == NULL ||
		    t->plan == NULL || t->read == NULL || t->status == NULL)
			fail_msg("type %s is not complete", t->name);
	}
	assert_true(n > 2);
	assert_int_equal(type()->settle_s, 12 * HOUR);
	assert_int_equal(type()->interval_s, HOUR);
	assert_null(source_type_find("hugingface", &err));
	assert_string_equal(err.msg, "type 'hugingface' is not known; did you mean 'huggingface'?");
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_null(source_type_find("usenet", &err));
	assert_non_null(
	    strstr(err.msg, "type 'usenet' is not known; expected one of huggingface, "));
}

/* What is trending is one list of the day it is read on, whatever day its papers were once listed on. */
static void
test_trending(void **state)
{
	static const char bytes[] = "[{\"paper\": {\"id\": \"2603.90001\", \"title\": \"Old\","
				    "\"submittedOnDailyAt\": \"2026-03-01T00:00:00Z\"}}]";
	const struct source_answer answer = { bytes, sizeof(bytes) - 1, "", "",
		"https://example.org/api/daily_papers?p=1" };
	const int64_t now = (int64_t)20600 * DAY + HOUR;
	struct source_page page = { "trending", "\"e\"", "", now - HOUR };
	struct source_progress progress = { 20599, &page, 1 };
	struct config_source own = config;
	struct source_request *requests;
	struct source_batch batch;
	struct arena a;
	struct error err;
	size_t n;

	(void)state;
	own.list = "trending";
	arena_init(&a, 1 << 20);
	assert_int_equal(type()->plan(&own, &progress, now, 0, false, &a, &requests, &n, &err), 0);
	assert_int_equal(n, 1);
	assert_string_equal(
	    requests[0].url, "https://example.org/api/daily_papers?sort=trending&limit=100");
	assert_string_equal(requests[0].etag, "\"e\"");
	assert_int_equal(type()->read(&own, &requests[0], &answer, now, &a, &batch, &err), 0);
	assert_int_equal(batch.npapers, 1);
	assert_int_equal(batch.papers[0]->listed_day, 20600);
	assert_false(batch.more);
	page.read_utc = now - HOUR / 2;
	assert_int_equal(type()->plan(&own, &progress, now, 0, false, &a, &requests, &n, &err), 0);
	assert_int_equal(n, 0);
	arena_release(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_plans),
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_back_fill_is_bounded),
		cmocka_unit_test(test_recorded_answers),
		cmocka_unit_test(test_every_member),
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_broken_entries),
		cmocka_unit_test(test_wrong_answers),
		cmocka_unit_test(test_truncated_answers),
		cmocka_unit_test(test_empty_day),
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_trending),
		cmocka_unit_test(test_statuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
