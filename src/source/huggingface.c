/*
 * Daily Papers of huggingface.co: GET /api/daily_papers?date=YYYY-MM-DD&limit=100. Members come and go with the
 * years: 2024 had mediaUrl and no summary outside, submittedOnDailyAt came in 2025, ai_summary_model in 2026. All but
 * the paper's id and title may be missing.
 */
#include "fields.h"
#include "types.h"
#include "digest/date.h"
#include "digest/limits.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum {
	PAGE_ENTRIES = 100, /* the most the service gives at once */
	MAX_PAGES = 20,	    /* of one day; the largest so far had 50 entries */
	FIRST_DAYS = 7,	    /* what a new installation begins with: a welcome edition */
	FRESH_DAYS = 1,	    /* today and yesterday still get new entries by the hour */
	REREAD_DAYS = 15,   /* until then votes grow and late entries come */
	REREAD_S = 12 * 3600,
	MAX_CATCH_UP_DAYS = 400, /* as long as papers are kept */
	MIN_DAY = 19478,	 /* 2023-05-01; Daily Papers began in that month */
	DAY_SECONDS = 86400,
};

static const char trending[] = "trending"; /* the list, and the key of its page */

static const char expected[] = "a JSON array of daily papers";

/* Where a plan begins and what of it is left alone. */
struct plan {
	const struct source_progress *progress;
	int32_t today, since_day;
	int32_t known_from; /* the oldest day there is a page of; today + 1 = none */
	int64_t now_utc, interval_s;
	bool force;
};

/* Key of a page of a day: "2026-08-21", "2026-08-21 p1". */
static const char *
page_key(struct arena *a, int32_t day, unsigned page)
{
	char date[DATE_RFC3339_SIZE];

	date_format_day(day, date);
	return page == 0 ? arena_strdup(a, date) : arena_printf(a, "%s p%u", date, page);
}

static bool
is_due(const struct plan *p, const struct source_page *page, int32_t day)
{
	int64_t wait_s = p->interval_s;

	if (day < p->today - FRESH_DAYS && wait_s < REREAD_S)
		wait_s = REREAD_S;
	return page == NULL || source_is_due(page->read_utc, wait_s, p->now_utc);
}

/* Whether a day is to be asked for at all, its intervals aside. */
static bool
is_wanted(const struct plan *p, const struct source_page *page, int32_t day)
{
	if (p->since_day > 0 || p->progress->cursor_day == 0)
		return true;
	if (day >= p->today - REREAD_DAYS)
		return day >= p->known_from || day >= p->progress->cursor_day;
	return page == NULL; /* days missed while nothing ran */
}

static int32_t
first_day(const struct plan *p)
{
	int32_t first = p->today - FIRST_DAYS;

	if (p->since_day > 0)
		return p->since_day > MIN_DAY ? p->since_day : MIN_DAY;
	if (p->progress->cursor_day == 0)
		return first;
	first = p->today - REREAD_DAYS;
	if (p->progress->cursor_day < first)
		first = p->progress->cursor_day;
	return first > p->today - MAX_CATCH_UP_DAYS ? first : p->today - MAX_CATCH_UP_DAYS;
}

static const char *
base_of(const struct config_source *source, struct arena *a)
{
	const char *base = source->url[0] != '\0' ? source->url : HUGGINGFACE_BASE;
	size_t len = strlen(base);

	while (len > 0 && base[len - 1] == '/')
		len--;
	return arena_strndup(a, base, len);
}

static int
set_request(struct source_request *r, const char *base, int32_t day, unsigned page, struct arena *a)
{
	char date[DATE_RFC3339_SIZE];

	date_format_day(day, date);
	*r = (struct source_request){ .path = "", .command = "", .etag = "", .last_modified = "" };
	r->day = day;
	r->page = page;
	r->key = page_key(a, day, page);
	r->url = page == 0
	    ? arena_printf(a, "%s/api/daily_papers?date=%s&limit=%d", base, date, PAGE_ENTRIES)
	    : arena_printf(
		  a, "%s/api/daily_papers?date=%s&limit=%d&p=%u", base, date, PAGE_ENTRIES, page);
	return r->key == NULL || r->url == NULL ? -1 : 0;
}

/* One request more, if the day is due. */
static int
plan_day(const struct plan *p, const char *base, int32_t day, struct arena *a,
    struct source_request *requests, size_t *n)
{
	const char *key = page_key(a, day, 0), *second = page_key(a, day, 1);
	struct source_request *r = &requests[*n];
	const struct source_page *page;

	if (key == NULL || second == NULL)
		return -1;
	page = source_find_page(p->progress, key);
	if (!is_wanted(p, page, day) || (!p->force && !is_due(p, page, day)))
		return 0;
	if (set_request(r, base, day, 0, a) == -1)
		return -1;
	r->may_be_missing = day >= p->today - FRESH_DAYS;
	/* Where a day has further pages, an unchanged first one says nothing about them. */
	if (page != NULL && source_find_page(p->progress, second) == NULL) {
		r->etag = page->etag;
		r->last_modified = page->last_modified;
	}
	(*n)++;
	return 0;
}

/* One page of what is trending now. It has no days: the listing is of the day it is read on. */
static int
plan_trending(const struct plan *p, const char *base, struct arena *a, struct source_request **out,
    size_t *n, struct error *err)
{
	const struct source_page *page = source_find_page(p->progress, trending);
	struct source_request *r = arena_zalloc(a, sizeof(*r));

	if (r == NULL || base == NULL)
		return err_nomem(err, "plan");
	*r = (struct source_request){ .key = trending,
		.path = "",
		.command = "",
		.etag = page != NULL ? page->etag : "",
		.last_modified = page != NULL ? page->last_modified : "" };
	r->url = arena_printf(a, "%s/api/daily_papers?sort=trending&limit=%d", base, PAGE_ENTRIES);
	if (r->url == NULL)
		return err_nomem(err, "plan");
	*out = r;
	*n = p->force || is_due(p, page, p->today);
	return 0;
}

int
huggingface_plan(const struct config_source *source, const struct source_progress *progress,
    int64_t now_utc, int32_t since_day, bool force, struct arena *a, struct source_request **out,
    size_t *n, struct error *err)
{
	struct plan p = { .progress = progress,
		.today = field_day(now_utc),
		.since_day = since_day,
		.now_utc = now_utc,
		.interval_s = source->interval_s >= 0 ? source->interval_s : HUGGINGFACE_INTERVAL_S,
		.force = force };
	const char *base = base_of(source, a);
	struct source_request *requests;
	int32_t first;
	size_t planned = 0;

	if (strcmp(source->list, trending) == 0)
		return plan_trending(&p, base, a, out, n, err);
	p.known_from = p.today + 1;
	if (progress->npages > 0) {
		char date[11];

		snprintf(date, sizeof(date), "%.10s", progress->pages[0].key);
		date_parse_day(date, &p.known_from, NULL);
	}
	first = first_day(&p);
	requests =
	    arena_array(a, first <= p.today ? (size_t)(p.today - first) + 1 : 0, sizeof(*requests));
	if (base == NULL || requests == NULL)
		return err_nomem(err, "plan");
	for (int32_t day = first; day <= p.today; day++)
		if (plan_day(&p, base, day, a, requests, &planned) == -1)
			return err_nomem(err, "plan");
	*out = requests;
	*n = planned;
	return 0;
}

/* An entry of the answer. A plain paper (as /api/papers gives it) is its own inner part. */
struct entry {
	const json_t *outer, *paper;
};

/* What the inner part says, else the outer one. */
static const char *
either_text(struct fields *f, const struct entry *e, const char *name, size_t max_bytes)
{
	const char *text = field_member(f, e->paper, name, max_bytes);

	return text[0] != '\0' ? text : field_member(f, e->outer, name, max_bytes);
}

static void
read_authors(struct fields *f, const json_t *paper, struct paper *p)
{
	const json_t *authors = json_get_array(paper, "authors");
	size_t n = json_array_size(authors);

	if (n > MAX_AUTHORS)
		n = MAX_AUTHORS;
	if ((p->authors = arena_array(f->arena, n, sizeof(*p->authors))) == NULL) {
		f->nomem = true;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		const json_t *author = json_array_get(authors, i);
		bool hidden = false;
		const char *name;

		json_get_bool(author, "hidden", &hidden);
		if (hidden)
			continue;
		name = field_member(f, author, "name", MAX_NAME_BYTES);
		if (name[0] != '\0')
			p->authors[p->nauthors++] = name;
	}
}

static void
read_keywords(struct fields *f, const json_t *paper, struct paper *p)
{
	const json_t *words = json_get_array(paper, "ai_keywords");
	size_t n = json_array_size(words);

	if (n > MAX_LIST)
		n = MAX_LIST;
	if ((p->keywords = arena_array(f->arena, n, sizeof(*p->keywords))) == NULL) {
		f->nomem = true;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		const json_t *word = json_array_get(words, i);
		const char *text = field_latex(
		    f, json_string_value(word), json_string_length(word), MAX_NAME_BYTES);

		if (text[0] != '\0')
			p->keywords[p->nkeywords++] = text;
	}
}

static const char *
read_org(struct fields *f, const struct entry *e)
{
	const json_t *org = json_get_object(e->paper, "organization");
	const char *name;

	if (org == NULL)
		org = json_get_object(e->outer, "organization");
	name = field_member(f, org, "fullname", MAX_NAME_BYTES);
	return name[0] != '\0' ? name : field_member(f, org, "name", MAX_NAME_BYTES);
}

static bool
is_code_url(const char *url)
{
	static const char github[] = "https://github.com/";

	return strncasecmp(url, github, sizeof(github) - 1) == 0;
}

static void
read_links(struct fields *f, const struct entry *e, struct paper *p)
{
	const json_t *media = json_get_array(e->paper, "mediaUrls");

	if (media == NULL)
		media = json_get_array(e->outer, "mediaUrls");
	p->media_url = field_url(f, json_string_value(json_array_get(media, 0)));
	p->thumbnail_url = field_url(f, json_get_string(e->outer, "thumbnail"));
	/* Until the summer of 2024 the thumbnail was called so. */
	if (p->thumbnail_url[0] == '\0')
		p->thumbnail_url = field_url(f, json_get_string(e->outer, "mediaUrl"));
	p->code_url = field_url(f, json_get_string(e->paper, "githubRepo"));
	p->project_url = field_url(f, json_get_string(e->paper, "projectPage"));
	/* Some give the repository as the project's page. */
	if (p->code_url[0] == '\0' && is_code_url(p->project_url))
		p->code_url = p->project_url;
	if (strcmp(p->code_url, p->project_url) == 0)
		p->project_url = "";
}

static void
read_summary(struct fields *f, const json_t *paper, struct paper *p)
{
	p->summary = field_member(f, paper, "ai_summary", MAX_ABSTRACT_BYTES);
	if (p->summary[0] == '\0')
		return;
	p->summary_by = field_member(f, paper, "ai_summary_model", MAX_NAME_BYTES);
	if (p->summary_by[0] == '\0')
		p->summary_by = "AI";
}

/* date= asks for the day of submittedOnDailyAt. The outer publishedAt was the same moment until 2025-02; later it is a
 * shifted copy of the inner one, good only where nothing else is known. */
static int32_t
listed_day(const struct entry *e, const struct source_request *request, int64_t now_utc)
{
	int64_t submitted = field_time(e->paper, "submittedOnDailyAt");
	int64_t published = field_time(e->outer, "publishedAt");

	if (strcmp(request->key, trending) == 0)
		return field_day(now_utc);
	if (submitted > 0 && submitted < now_utc + DAY_SECONDS)
		return field_day(submitted);
	if (request->day > 0)
		return request->day;
	if (published > 0 && published < now_utc + DAY_SECONDS)
		return field_day(published);
	return field_day(now_utc);
}

/* Key and the links that follow from it. False when the id is none. */
static bool
read_id(struct fields *f, const struct entry *e, struct paper *p)
{
	const char *id = json_get_string(e->paper, "id");

	p->key = field_key(f, id, &p->version);
	if (p->key == NULL || strncmp(p->key, "arxiv:", 6) != 0)
		return false;
	id = p->key + 6;
	p->url = arena_printf(f->arena, "https://arxiv.org/abs/%s", id);
	p->pdf_url = arena_printf(f->arena, "https://arxiv.org/pdf/%s", id);
	p->discussion_url = arena_printf(f->arena, "https://huggingface.co/papers/%s", id);
	f->nomem |= p->url == NULL || p->pdf_url == NULL || p->discussion_url == NULL;
	return true;
}

/* The paper of an entry; NULL when memory is short or it is broken, which *why says then. */
static struct paper *
read_entry(struct fields *f, const char *source, const struct entry *e, const char **why)
{
	struct paper *p = paper_new(f->arena);

	if (p == NULL) {
		f->nomem = true;
		return NULL;
	}
	if (!read_id(f, e, p)) {
		*why = json_get_string(e->paper, "id") == NULL ? "paper.id is missing or no string"
							       : "paper.id is not an arXiv id";
		return NULL;
	}
	p->title = either_text(f, e, "title", MAX_TITLE_BYTES);
	if (p->title[0] == '\0') {
		*why = "paper.title is missing or empty";
		return NULL;
	}
	p->source = source;
	p->abstract = either_text(f, e, "summary", MAX_ABSTRACT_BYTES);
	read_authors(f, e->paper, p);
	read_keywords(f, e->paper, p);
	p->org = read_org(f, e);
	read_links(f, e, p);
	read_summary(f, e->paper, p);
	p->published_utc = field_time(e->paper, "publishedAt");
	p->withdrawn_utc = field_time(e->paper, "withdrawnAt");
	p->votes = field_count(e->paper, "upvotes");
	p->stars = field_count(e->paper, "githubStars");
	p->comments = field_count(e->outer, "numComments");
	return p;
}

/* One entry into the batch, or a count of it. */
static void
take_entry(struct fields *f, const char *source, const struct source_request *request,
    const json_t *item, size_t number, int64_t now_utc, struct source_batch *out)
{
	struct entry e = { item, json_get_object(item, "paper") };
	const char *why = "not an object";
	struct paper *p = NULL;

	if (e.paper == NULL && json_get_string(item, "id") != NULL)
		e.paper = item;
	if (e.paper != NULL)
		p = read_entry(f, source, &e, &why);
	else if (json_is_object(item))
		why = "paper is missing or no object";
	if (p != NULL) {
		p->listed_day = listed_day(&e, request, now_utc);
		out->papers[out->npapers++] = p;
	} else if (!f->nomem) {
		batch_add_broken(out, "entry %zu: %s", number, why);
	}
}

static const char *
type_name(const json_t *value)
{
	static const char *const names[] = {
		[JSON_OBJECT] = "an object",
		[JSON_ARRAY] = "an array",
		[JSON_STRING] = "a string",
		[JSON_INTEGER] = "a number",
		[JSON_REAL] = "a number",
		[JSON_TRUE] = "true",
		[JSON_FALSE] = "false",
		[JSON_NULL] = "null",
	};

	return names[json_typeof(value)];
}

/* The next page, when this one is full or the service said that there is one. */
static int
set_next(const struct config_source *source, const struct source_request *request,
    const struct source_answer *answer, size_t nentries, struct arena *a, struct source_batch *out,
    struct error *err)
{
	const char *base = base_of(source, a), *link = answer->link_next;
	size_t len = base != NULL ? strlen(base) : 0;
	bool linked;

	if (base == NULL)
		return err_nomem(err, "next page");
	/* Only on the same service; a link elsewhere would send us anywhere. */
	linked = strncmp(link, base, len) == 0 && link[len] == '/';
	if (request->url[0] == '\0' || strcmp(request->key, trending) == 0 || nentries == 0 ||
	    request->page + 1 >= MAX_PAGES || (nentries < PAGE_ENTRIES && !linked))
		return 0;
	if (set_request(&out->next, base, request->day, request->page + 1, a) == -1 ||
	    (linked && (out->next.url = arena_strdup(a, link)) == NULL))
		return err_nomem(err, "next page");
	out->more = true;
	return 0;
}

static int
read_entries(struct fields *f, const struct config_source *source,
    const struct source_request *request, const json_t *root, int64_t now_utc,
    struct source_batch *out, struct error *err)
{
	const char *said = json_get_string(root, "error"),
		   *name = arena_strdup(f->arena, source->name);
	size_t n = json_array_size(root);

	if (said != NULL)
		return err_set(err, ERR_DATA, "the service says: %s", said);
	if (!json_is_array(root))
		return err_set(err, ERR_DATA, "%s; expected %s", type_name(root), expected);
	out->papers = arena_array(f->arena, n, sizeof(struct paper *));
	f->nomem |= out->papers == NULL || name == NULL;
	for (size_t i = 0; i < n && !f->nomem; i++)
		take_entry(f, name, request, json_array_get(root, i), i + 1, now_utc, out);
	if (f->nomem)
		return err_nomem(err, "papers");
	if (n > 0 && out->npapers == 0)
		return err_set(
		    err, ERR_DATA, "none of %zu entries is a paper; %s", n, out->first_broken);
	return 0;
}

int
huggingface_read(const struct config_source *source, const struct source_request *request,
    const struct source_answer *answer, int64_t now_utc, struct arena *a, struct source_batch *out,
    struct error *err)
{
	struct source_batch batch = { .day = request->day };
	struct fields f;
	json_t *root = NULL;
	size_t start;
	int rc = -1;

	fields_init(&f, a);
	if (fields_check_start(answer->bytes, answer->len, expected, &start, err) == -1)
		goto out;
	if (fields_read_json(&f, answer->bytes, answer->len, MAX_JSON_BYTES, &root, err) == -1) {
		err_prefix(err, "expected %s", expected);
		goto out;
	}
	if (read_entries(&f, source, request, root, now_utc, &batch, err) == -1 ||
	    set_next(source, request, answer, json_array_size(root), a, &batch, err) == -1)
		goto out;
	batch.nreplaced = f.nreplaced;
	*out = batch;
	rc = 0;
out:
	json_decref(root);
	fields_release(&f);
	return rc == 0 ? 0 : err_prefix(err, "%s", request->key);
}

/* What a fault means for a person. */
static const struct {
	long from, to;
	const char *text;
} statuses[] = {
	{ 300, 399, "redirects to nowhere" },
	{ 400, 400, "does not understand the request" },
	{ 401, 403, "refuses us" },
	{ 404, 404, "has no such page; is 'url' of this source right?" },
	{ 429, 429, "asks to wait" },
	{ 500, 599, "has a fault" },
};

int
huggingface_status(const struct source_request *request, long status, const char *bytes, size_t len,
    struct error *err)
{
	const char *text = "does not give the list", *said;
	json_t *root = NULL;

	/* Its clock may be behind ours: the day has not begun there. */
	if (status == 400 && request->may_be_missing)
		return 1;
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		if (status >= statuses[i].from && status <= statuses[i].to)
			text = statuses[i].text;
	if (len > 0)
		json_read(bytes, len, MAX_JSON_BYTES, &root, NULL);
	said = json_get_string(root, "error");
	err_set(err, ERR_NET, "%s: the service %s (status %ld)%s%.200s", request->key, text, status,
	    said != NULL ? ": " : "", said != NULL ? said : "");
	json_decref(root);
	return -1;
}
