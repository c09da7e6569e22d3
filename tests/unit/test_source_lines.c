/* Our own JSON lines: what is written reads back, what is broken is named by its line */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "digest/file.h"
#include "digest/limits.h"
#include "digest/source.h"

/* 2026-08-22T10:00:00Z, day 20687. */
enum { NOW = 1787392800, TODAY = 20687 };

static void
read_of(const char *source, const char *text, struct arena *a, struct source_batch *batch)
{
	struct error err = { 0 };

	arena_init(a, MAX_RUN_BYTES);
	if (source_read_lines(source, text, strlen(text), NOW, a, batch, &err) == -1)
		fail_msg("%s", err.msg);
}

static void
read_text(const char *text, struct arena *a, struct source_batch *batch)
{
	read_of("mine", text, a, batch);
}

/* Every string, list and number that a line carries. */
static const struct {
	const char *name;
	size_t at;
} strings[] = {
	{ "key", offsetof(struct paper, key) },
	{ "title", offsetof(struct paper, title) },
	{ "abstract", offsetof(struct paper, abstract) },
	{ "summary", offsetof(struct paper, summary) },
	{ "summary_by", offsetof(struct paper, summary_by) },
	{ "org", offsetof(struct paper, org) },
	{ "comment", offsetof(struct paper, comment) },
	{ "journal_ref", offsetof(struct paper, journal_ref) },
	{ "venue", offsetof(struct paper, venue) },
	{ "language", offsetof(struct paper, language) },
	{ "url", offsetof(struct paper, url) },
	{ "html_url", offsetof(struct paper, html_url) },
	{ "pdf_url", offsetof(struct paper, pdf_url) },
	{ "code_url", offsetof(struct paper, code_url) },
	{ "project_url", offsetof(struct paper, project_url) },
	{ "discussion_url", offsetof(struct paper, discussion_url) },
	{ "thumbnail_url", offsetof(struct paper, thumbnail_url) },
	{ "media_url", offsetof(struct paper, media_url) },
	{ "doi", offsetof(struct paper, doi) },
};

static void
assert_same_list(const char *name, const char **a, size_t na, const char **b, size_t nb)
{
	if (na != nb)
		fail_msg("%s: %zu and %zu entries", name, na, nb);
	for (size_t i = 0; i < na; i++)
		if (strcmp(a[i], b[i]) != 0)
			fail_msg("%s %zu: '%s' and '%s'", name, i, a[i], b[i]);
}

static void
assert_same(const struct paper *a, const struct paper *b)
{
	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
		const char *x, *y;

		memcpy(&x, (const char *)a + strings[i].at, sizeof(x));
		memcpy(&y, (const char *)b + strings[i].at, sizeof(y));
		if (strcmp(x, y) != 0)
			fail_msg("%s: '%s' and '%s'", strings[i].name, x, y);
	}
	assert_same_list("authors", a->authors, a->nauthors, b->authors, b->nauthors);
	assert_same_list(
	    "categories", a->categories, a->ncategories, b->categories, b->ncategories);
	assert_same_list("keywords", a->keywords, a->nkeywords, b->keywords, b->nkeywords);
	assert_same_list("aliases", a->aliases, a->naliases, b->aliases, b->naliases);
	assert_int_equal(a->primary_known, b->primary_known);
	assert_int_equal(a->version, b->version);
	assert_int_equal(a->published_utc, b->published_utc);
	assert_int_equal(a->updated_utc, b->updated_utc);
	assert_int_equal(a->withdrawn_utc, b->withdrawn_utc);
	assert_int_equal(a->votes, b->votes);
	assert_int_equal(a->comments, b->comments);
	assert_int_equal(a->stars, b->stars);
	assert_int_equal(a->kind, b->kind);
	assert_int_equal(a->listed_day, b->listed_day);
	assert_int_equal(a->rank, b->rank);
}

static struct paper *
full_paper(struct arena *a)
{
	static const char *authors[] = { "Ada \"B\" \xc3\x89", "Chen \xe9\x99\x88" };
	static const char *categories[] = { "cs.CV", "stat.ML" };
	static const char *keywords[] = { "splatting" };
	static const char *aliases[] = { "doi:10.1000/xyz", "acl:2026.x-1" };
	struct paper *p = paper_new(a);

	assert_non_null(p);
	p->key = "arxiv:2608.00001";
	p->aliases = aliases;
	p->naliases = 2;
	/* Would change if LaTeX were read again. */
	p->title = "From $x\xc2\xb2$ to \\alpha: $5 and 10% of a~b";
	p->abstract = "One. Two \\ three & <four> \xf0\x9f\x98\x80.";
	p->summary = "Short.";
	p->summary_by = "AI";
	p->authors = authors;
	p->nauthors = 2;
	p->org = "Org, Inc.";
	p->categories = categories;
	p->ncategories = 2;
	p->primary_known = true;
	p->keywords = keywords;
	p->nkeywords = 1;
	p->comment = "9 pages";
	p->journal_ref = "J. 1 (2026)";
	p->venue = "NeurIPS";
	p->language = "en-GB";
	p->url = "https://arxiv.org/abs/2608.00001";
	p->html_url = "https://arxiv.org/html/2608.00001";
	p->pdf_url = "https://arxiv.org/pdf/2608.00001";
	p->code_url = "https://github.com/a/b?x=1&y=%20#z";
	p->project_url = "http://a.example/";
	p->discussion_url = "https://huggingface.co/papers/2608.00001";
	p->thumbnail_url = "https://c.example/t.png";
	p->media_url = "https://c.example/m.mp4";
	p->doi = "10.1000/xyz";
	p->version = 3;
	p->published_utc = NOW - 86400 * 3 - 17;
	p->updated_utc = NOW - 100;
	p->withdrawn_utc = -5000000000; /* before 1970, and beyond 32 bits */
	p->votes = 0;
	p->comments = INT64_MAX;
	p->stars = 12;
	p->kind = PAPER_REPLACE_CROSS;
	p->listed_day = TODAY - 2;
	p->rank = 4;
	return p;
}

static void
check_round_trip(const struct paper *p)
{
	struct source_batch batch;
	struct strbuf line;
	struct arena a;

	strbuf_init(&line, MAX_JSON_LINE);
	source_add_line(&line, p);
	assert_int_equal(line.buf[line.len - 1], '\n');
	assert_ptr_equal(strchr(line.buf, '\n'), line.buf + line.len - 1);
	read_of(NULL, line.buf, &a, &batch);
	if (batch.npapers != 1)
		fail_msg("%s: %s", line.buf, batch.first_broken);
	assert_same(batch.papers[0], p);
	assert_string_equal(
	    batch.papers[0]->source, p->source[0] != '\0' ? p->source : SOURCE_IMPORT);
	arena_release(&a);
	strbuf_release(&line);
}

static void
test_round_trip(void **state)
{
	struct arena a;
	struct paper *p;

	(void)state;
	arena_init(&a, MAX_RUN_BYTES);
	check_round_trip(full_paper(&a));
	for (int kind = PAPER_NEW; kind <= PAPER_REPLACE_CROSS; kind++) {
		p = full_paper(&a);
		p->kind = (enum paper_kind)kind;
		check_round_trip(p);
	}
	/* As little as there can be. */
	p = paper_new(&a);
	p->key = "mine:x-1";
	p->title = "t";
	check_round_trip(p);
	arena_release(&a);
}

/* Every recorded answer, written as lines and read again. */
static void
test_round_trip_of_recorded_papers(void **state)
{
	static const char *const days[] = { "2024-10-10", "2025-01-27", "2026-08-14",
		"raw-2026-06-12" };
	const struct config_source config = { .name = "mine", .url = "", .path = "" };
	const char *corpus = getenv("DIGEST_CORPUS");

	(void)state;
	if (corpus == NULL) {
		print_message("DIGEST_CORPUS is not set; recorded answers are not read\n");
		skip();
	}
	for (size_t i = 0; i < sizeof(days) / sizeof(days[0]); i++) {
		const struct source_request request = { .key = days[i], .url = "", .path = "x" };
		struct source_batch batch;
		struct strbuf bytes;
		struct arena a;
		char path[4096];

		snprintf(path, sizeof(path), "%s/huggingface/%s.json", corpus, days[i]);
		strbuf_init(&bytes, MAX_JSON_BYTES);
		arena_init(&a, MAX_RUN_BYTES);
		assert_int_equal(file_read(path, &bytes, NULL), 0);
		assert_int_equal(
		    source_type_find("file", NULL)
			->read(&config, &request,
			    &(struct source_answer){ bytes.buf, bytes.len, "", "", "" }, NOW, &a,
			    &batch, NULL),
		    0);
		assert_true(batch.npapers > 0);
		assert_int_equal(batch.day, 0);
		for (size_t j = 0; j < batch.npapers; j++)
			check_round_trip(batch.papers[j]);
		arena_release(&a);
		strbuf_release(&bytes);
	}
}

static const struct {
	const char *line, *key, *url;
	const char *alias; /* the first one, "" = none */
	uint32_t version;
} identities[] = {
	{ "\"id\":\"2608.00001v2\"", "arxiv:2608.00001", "https://arxiv.org/abs/2608.00001", "",
	    2 },
	{ "\"id\":\"2608.00001v2\",\"version\":4", "arxiv:2608.00001",
	    "https://arxiv.org/abs/2608.00001", "", 4 },
	{ "\"key\":\"arxiv:2608.00001\"", "arxiv:2608.00001", "https://arxiv.org/abs/2608.00001",
	    "", 0 },
	{ "\"id\":\"10.1000/XYZ\"", "doi:10.1000/xyz", "https://doi.org/10.1000/xyz", "", 0 },
	{ "\"doi\":\"https://doi.org/10.1000/XYZ\"", "doi:10.1000/xyz",
	    "https://doi.org/10.1000/xyz", "", 0 },
	{ "\"url\":\"https://arxiv.org/abs/2608.00001v1\"", "arxiv:2608.00001",
	    "https://arxiv.org/abs/2608.00001v1", "", 0 },
	{ "\"id\":\"2608.00001\",\"doi\":\"10.1000/xyz\"", "arxiv:2608.00001",
	    "https://arxiv.org/abs/2608.00001", "doi:10.1000/xyz", 0 },
	{ "\"doi\":\"10.48550/arXiv.2608.00001\"", "arxiv:2608.00001",
	    "https://arxiv.org/abs/2608.00001", "", 0 },
	{ "\"id\":\"my-1\",\"doi\":\"10.1000/xyz\"", "mine:my-1", "", "doi:10.1000/xyz", 0 },
	{ "\"id\":\"my-1\",\"url\":\"https://a.example/1\"", "mine:my-1", "https://a.example/1",
	    "url:a.example/1", 0 },
	{ "\"key\":\"acl:2026.x-1\",\"id\":\"2608.00001\"", "arxiv:2608.00001",
	    "https://arxiv.org/abs/2608.00001", "", 0 },
	{ "\"key\":\"acl:2026.x-1\",\"aliases\":[\"2608.00001v3\",\"acl:2026.x-1\"]",
	    "acl:2026.x-1", "", "arxiv:2608.00001", 0 },
};

static void
test_identities(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(identities) / sizeof(identities[0]); i++) {
		struct source_batch batch;
		struct arena a;
		char line[500];
		const struct paper *p;

		snprintf(line, sizeof(line), "{\"title\":\"t\",%s}", identities[i].line);
		read_text(line, &a, &batch);
		if (batch.npapers != 1)
			fail_msg("row %zu: %s", i, batch.first_broken);
		p = batch.papers[0];
		if (strcmp(p->key, identities[i].key) != 0 ||
		    strcmp(p->url, identities[i].url) != 0 || p->version != identities[i].version ||
		    strcmp(p->naliases > 0 ? p->aliases[0] : "", identities[i].alias) != 0)
			fail_msg("row %zu: '%s' '%s' v%u alias '%s'", i, p->key, p->url, p->version,
			    p->naliases > 0 ? p->aliases[0] : "");
		arena_release(&a);
	}
}

static void
test_texts_are_cleaned(void **state)
{
	struct source_batch batch;
	struct arena a;
	const struct paper *p;

	(void)state;
	read_text(
	    "{\"id\":\"x\",\"title\":\"Fast\\r\\nBcc: a@b  $\\\\mu$P \\u202e\\u0007for \\\\$60\","
	    "\"authors\":[\"M\\\\\\\"uller\",\" "
	    "\"],\"keywords\":\"one\",\"code_url\":\"javascript:x\","
	    "\"abstract\":null,\"unknown\":[{}]}",
	    &a, &batch);
	assert_int_equal(batch.npapers, 1);
	p = batch.papers[0];
	assert_string_equal(p->title, "Fast Bcc: a@b \xce\xbcP for $60");
	assert_int_equal(p->nauthors, 1);
	assert_string_equal(p->authors[0], "M\xc3\xbcller");
	assert_int_equal(p->nkeywords, 1);
	assert_string_equal(p->code_url, "");
	assert_string_equal(p->abstract, "");
	assert_int_equal(p->votes, -1);
	arena_release(&a);
	read_text("{\"id\":\"x\",\"tex\":false,\"title\":\"$\\\\mu$P\"}", &a, &batch);
	assert_string_equal(batch.papers[0]->title, "$\\mu$P");
	arena_release(&a);
}

static void
test_bounds_of_texts(void **state)
{
	struct source_batch batch;
	struct strbuf line;
	struct arena a;

	(void)state;
	strbuf_init(&line, 10 * MAX_JSON_LINE);
	strbuf_add(&line, "{\"id\":\"x\",\"title\":\"");
	for (int i = 0; i < 100000; i++)
		strbuf_addc(&line, 'a');
	strbuf_add(&line, "\",\"keywords\":[");
	for (unsigned i = 0; i < 2 * MAX_LIST; i++)
		strbuf_add(&line, "\"k\",");
	strbuf_add(&line, "\"k\"]}\n{\"id\":\"y\",\"title\":\"");
	for (unsigned i = 0; i < MAX_JSON_LINE; i++)
		strbuf_addc(&line, 'a');
	strbuf_add(&line, "\"}\n");
	read_text(line.buf, &a, &batch);
	assert_int_equal(batch.npapers, 1);
	assert_true(strlen(batch.papers[0]->title) <= MAX_TITLE_BYTES);
	assert_int_equal(batch.papers[0]->nkeywords, MAX_LIST);
	assert_int_equal(batch.nbroken, 1);
	assert_non_null(strstr(batch.first_broken, "line 2: "));
	arena_release(&a);
	strbuf_release(&line);
}

static const struct {
	const char *members;
	int32_t day;
} listings[] = {
	{ "", TODAY },
	{ ",\"published\":\"2026-08-20T23:59:59Z\"", TODAY - 2 },
	{ ",\"published\":\"2026-08-20T23:59:59-05:00\"", TODAY - 1 },
	{ ",\"published\":\"2026-08-20\",\"listed\":\"2026-08-21\"", TODAY - 1 },
	{ ",\"listed\":null", TODAY },
	{ ",\"published\":\"1969-12-31T23:00:00Z\"", -1 },
};

static void
test_listed_day(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(listings) / sizeof(listings[0]); i++) {
		struct source_batch batch;
		struct arena a;
		char line[200];

		snprintf(
		    line, sizeof(line), "{\"id\":\"x\",\"title\":\"t\"%s}", listings[i].members);
		read_text(line, &a, &batch);
		if (batch.npapers != 1 || batch.papers[0]->listed_day != listings[i].day)
			fail_msg("row %zu: %s", i, line);
		arena_release(&a);
	}
}

/* An import keeps the source of a line, and makes no news of what tells no day. */
static void
test_import(void **state)
{
	static const char lines[] =
	    "{\"id\":\"x\",\"title\":\"t\",\"source\":\"lab\"}\n"
	    "{\"id\":\"x\",\"title\":\"t\",\"source\":\"\",\"listed\":\"2026-08-21\"}\n"
	    "{\"id\":\"x\",\"title\":\"t\",\"published\":\"2026-08-20\"}\n";
	static const struct {
		const char *key, *source;
		int32_t day;
	} want[] = { { "lab:x", "lab", 0 }, { "import:x", "import", TODAY - 1 },
		{ "import:x", "import", TODAY - 2 } };
	struct source_batch batch;
	struct arena a;

	(void)state;
	read_of(NULL, lines, &a, &batch);
	assert_int_equal(batch.npapers, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_string_equal(batch.papers[i]->key, want[i].key);
		assert_string_equal(batch.papers[i]->source, want[i].source);
		assert_int_equal(batch.papers[i]->listed_day, want[i].day);
	}
	arena_release(&a);
	/* A source of the configuration lists under its own name, today. */
	read_text(lines, &a, &batch);
	assert_string_equal(batch.papers[0]->key, "mine:x");
	assert_string_equal(batch.papers[0]->source, "mine");
	assert_int_equal(batch.papers[0]->listed_day, TODAY);
	arena_release(&a);
}

static const struct {
	const char *line, *why;
} broken[] = {
	{ "7", "line 2: not an object" },
	{ "[]", "line 2: not an object" },
	{ "{\"id\":\"x\"}", "line 2: title is missing or empty: expected a string" },
	{ "{\"id\":\"x\",\"title\":\"\"}", "line 2: title is missing or empty" },
	{ "{\"id\":\"x\",\"title\":7}", "line 2: title: expected a string" },
	{ "{\"title\":\"t\"}",
	    "line 2: id is missing: expected an arXiv id, a DOI or an id of your own" },
	{ "{\"title\":\"t\",\"url\":\"https://a.example/\"}", "line 2: id is missing" },
	{ "{\"title\":\"t\",\"id\":\"a b\"}", "line 2: id: expected one word" },
	{ "{\"title\":\"t\",\"key\":\"nothing\"}", "line 2: key: expected" },
	{ "{\"title\":\"t\",\"id\":\"x\",\"doi\":\"7\"}", "line 2: doi: expected a DOI" },
	{ "{\"title\":\"t\",\"id\":\"x\",\"votes\":-1}", "line 2: votes: expected a whole number" },
	{ "{\"title\":\"t\",\"id\":\"x\",\"votes\":1.5}",
	    "line 2: votes: expected a whole number" },
	{ "{\"title\":\"t\",\"id\":\"x\",\"version\":4294967296}", "line 2: version: expected" },
	{ "{\"title\":\"t\",\"id\":\"x\",\"published\":\"soon\"}",
	    "line 2: published: expected a time" },
	{ "{\"title\":\"t\",\"id\":\"x\",\"listed\":3}", "line 2: listed: expected a day" },
	{ "{\"title\":\"t\",\"id\":\"x\",\"authors\":{}}",
	    "line 2: authors: expected a list of strings" },
	{ "{\"title\":\"t\",\"id\":\"x\",\"authors\":[3]}",
	    "line 2: authors: expected a list of strings" },
	{ "{\"title\":\"t\",\"id\":\"x\",\"aliases\":[3]}",
	    "line 2: aliases: expected a list of keys" },
	{ "{\"title\":\"t\",\"id\":\"x\",\"kind\":\"old\"}", "line 2: kind: expected new, cross" },
	{ "{\"title\":\"t\",\"id\":\"x\",\"primary_known\":1}",
	    "line 2: primary_known: expected true" },
	{ "{\"title\":\"t\",\"id\":41884867}", "line 2: id: expected a string" },
	{ "{\"title\":\"t\",\"id\":\"x\",\"doi\":{}}", "line 2: doi: expected a string" },
	{ "{\"title\":\"t\",\"id\":\"x\",\"key\":[]}", "line 2: key: expected a string" },
	{ "{\"title\":\"t\",\"id\":\"x\",\"source\":1}", "line 2: source: expected a string" },
	{ "{\"title\":\"t\",\"id\":\"x\",\"type\":1}", "line 2: type: expected a string" },
	{ "{\"title\":\"t\",\"id\":\"x\",\"kind\":1}", "line 2: kind: expected a string" },
	{ "{\"title\":\"t\",\"id\":\"x\",\"tex\":\"no\"}", "line 2: tex: expected true" },
	{ "{\"title\":\"t\",\"id\":\"x\",\"aliases\":\"10.1000/x\"}",
	    "line 2: aliases: expected a list of keys" },
	{ "{\"title\":\"t\",", "line 2: column " },
	{ "<html>", "line 2: column 1" },
	{ "{\"title\":\"t\",\"id\":\"x\"} {}", "line 2: column " },
};

static void
test_broken_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		static const char good[] = "{\"id\":\"x\",\"title\":\"t\"}";
		struct source_batch batch;
		struct arena a;
		char text[500];

		snprintf(text, sizeof(text), "%s\n%s\r\n\n%s", good, broken[i].line, good);
		read_text(text, &a, &batch);
		if (batch.npapers != 2 || batch.nbroken != 1 ||
		    strstr(batch.first_broken, broken[i].why) == NULL)
			fail_msg("row %zu: %zu papers, %zu broken, '%s'", i, batch.npapers,
			    batch.nbroken, batch.first_broken);
		arena_release(&a);
	}
}

static void
test_lines_that_are_passed_over(void **state)
{
	struct source_batch batch;
	struct arena a;

	(void)state;
	read_text("\xef\xbb\xbf\n \t\r\n{\"type\":\"subscriber\",\"address\":\"a\"}\n"
		  "{\"type\":\"paper\",\"id\":\"x\",\"title\":\"bad \xff byte\"}",
	    &a, &batch);
	assert_int_equal(batch.npapers, 1);
	assert_int_equal(batch.nbroken, 0);
	assert_int_equal(batch.nreplaced, 1);
	assert_string_equal(batch.papers[0]->title, "bad \xef\xbf\xbd byte");
	arena_release(&a);
	read_text("", &a, &batch);
	assert_int_equal(batch.npapers, 0);
	arena_release(&a);
}

/* An arena too small for the papers is an error of memory, at any size. */
static void
test_short_memory(void **state)
{
	struct strbuf line;
	struct arena a;
	size_t max, nfailed = 0;

	(void)state;
	arena_init(&a, MAX_RUN_BYTES);
	strbuf_init(&line, MAX_JSON_LINE);
	source_add_line(&line, full_paper(&a));
	arena_release(&a);
	for (max = 1;; max *= 2) {
		struct source_batch batch = { .npapers = 99 };
		struct error err = { 0 };
		int rc;

		arena_init(&a, max);
		rc = source_read_lines("mine", line.buf, line.len, NOW, &a, &batch, &err);
		arena_release(&a);
		if (rc == 0)
			break;
		assert_int_equal(err.kind, ERR_NOMEM);
		assert_int_equal(batch.npapers, 99);
		nfailed++;
	}
	assert_true(nfailed > 0);
	strbuf_release(&line);
}

/* What readers are told a source is called. */
static void
test_titles(void **state)
{
	static const struct {
		const char *name, *type, *categories[6];
		const char *want;
	} rows[] = {
		{ "huggingface", "huggingface", { NULL }, "Hugging Face" },
		{ "arxiv", "arxiv", { "cs.CV", NULL }, "arXiv cs.CV" },
		{ "arxiv", "arxiv", { "cs.CV", "cs.LG", NULL }, "arXiv (cs.CV, cs.LG)" },
		{ "arxiv", "arxiv", { "a", "b", "c", "d", "e", NULL }, "arXiv (a, b, c, d, …)" },
		{ "my arXiv", "arxiv", { "cs.CV", NULL }, "my arXiv" },
		{ "file", "file", { NULL }, "file" },
		{ "x", "no such type", { NULL }, "x" },
	};
	struct arena a;

	(void)state;
	arena_init(&a, 1u << 20);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct config_source source = { .name = rows[i].name,
			.type = rows[i].type,
			.categories = (const char **)(uintptr_t)rows[i].categories };
		const char *title;

		while (rows[i].categories[source.ncategories] != NULL)
			source.ncategories++;
		title = source_title(&source, &a);
		if (title == NULL || strcmp(title, rows[i].want) != 0)
			fail_msg("row %zu: '%s', expected '%s'", i, title, rows[i].want);
	}
	arena_release(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_titles),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_round_trip_of_recorded_papers),
		cmocka_unit_test(test_identities),
		cmocka_unit_test(test_texts_are_cleaned),
		cmocka_unit_test(test_bounds_of_texts),
		cmocka_unit_test(test_listed_day),
		cmocka_unit_test(test_import),
		cmocka_unit_test(test_broken_lines),
		cmocka_unit_test(test_lines_that_are_passed_over),
		cmocka_unit_test(test_short_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
