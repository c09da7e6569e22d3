/* huggingface.c - Daily Papers of huggingface.co: GET /api/daily_papers?date=YYYY-MM-DD. Members come and go with the years
 * (2024 to 2026), so all but the paper's id and title may be missing. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "digest/date.h"
#include "digest/json.h"
#include "digest/limits.h"
#include "fields.h"

enum {
	PAGE_ENTRIES = 100, /* the service's own upper limit */
	MAX_PAGES = 20,
	FIRST_DAYS = 7,	  /* what a new installation begins with */
	REREAD_DAYS = 14, /* votes grow and late entries come for that long */
	REREAD_SECONDS = 12 * 3600,
	DAY_SECONDS = 86400,
	MAX_PLAN_DAYS = 4000, /* of a back-fill: the service began in 2023 */
};

/* ---- what to ask for ---- */

static const struct source_page *
find_page(const struct source_progress *progress, const char *key)
{
	for (size_t i = 0; i < progress->npages; i++)
		if (strcmp(progress->pages[i].key, key) == 0)
			return &progress->pages[i];
	return NULL;
}

/* Today's and yesterday's list change by the hour, older ones only in their votes. */
static bool
is_due(const struct source_page *page, int32_t age_days, int64_t interval_s, int64_t now_utc)
{
	int64_t wait_s = age_days <= 1 ? interval_s : REREAD_SECONDS;

	return page == NULL || page->read_utc + wait_s <= now_utc;
}

static int
set_request(struct source_request *r, const char *base, int32_t day, unsigned page, struct arena *a)
{
	char date[DATE_RFC3339_SIZE];

	date_format_day(day, date);
	memset(r, 0, sizeof(*r));
	r->path = r->etag = r->last_modified = "";
	r->day = day;
	r->page = page;
	r->key = page == 0 ? arena_strdup(a, date) : arena_printf(a, "%s p%u", date, page);
	r->url = page == 0
	    ? arena_printf(a, "%s/api/daily_papers?date=%s&limit=%d", base, date, PAGE_ENTRIES)
	    : arena_printf(
		  a, "%s/api/daily_papers?date=%s&limit=%d&p=%u", base, date, PAGE_ENTRIES, page);
	return r->key == NULL || r->url == NULL ? -1 : 0;
}

static const char *
base_of(const struct config_source *source, struct arena *a)
{
	const char *base = source->url[0] != '\0' ? source->url : source_huggingface.base_url;
	size_t len = strlen(base);

	while (len > 0 && base[len - 1] == '/')
		len--;
	return arena_strndup(a, base, len);
}

static int
plan(const struct config_source *source, const struct source_progress *progress, int64_t now_utc,
    int32_t since_day, bool force, struct arena *a, struct source_request **out, size_t *n,
    struct error *err)
{
	int64_t interval_s =
	    source->interval_s >= 0 ? source->interval_s : source_huggingface.interval_s;
	int32_t today = (int32_t)(now_utc / DAY_SECONDS), first = today - FIRST_DAYS;
	const char *base = base_of(source, a);
	struct source_request *requests;

	if (since_day > 0)
		first = since_day;
	else if (progress->cursor_day > 0)
		first = progress->cursor_day < today - REREAD_DAYS ? progress->cursor_day + 1
								   : today - REREAD_DAYS;
	if (first < today - MAX_PLAN_DAYS)
		first = today - MAX_PLAN_DAYS;
	*n = 0;
	*out = requests =
	    arena_array(a, first <= today ? (size_t)(today - first) + 1 : 0, sizeof(*requests));
	if (requests == NULL || base == NULL)
		return err_nomem(err, "plan");
	for (int32_t day = first; day <= today; day++) {
		struct source_request *r = &requests[*n];
		const struct source_page *page;

		if (set_request(r, base, day, 0, a) == -1)
			return err_nomem(err, "plan");
		page = find_page(progress, r->key);
		/* Days before the first one ever read are not new to anybody. */
		if (page == NULL && since_day == 0 && progress->cursor_day > 0 &&
		    day <= progress->cursor_day)
			continue;
		if (since_day == 0 && !force && !is_due(page, today - day, interval_s, now_utc))
			continue;
		if (page != NULL) {
			r->etag = page->etag;
			r->last_modified = page->last_modified;
		}
		(*n)++;
	}
	return 0;
}

/* ---- what came ---- */

static void
read_authors(struct fields *f, const json_t *paper, struct paper *p)
{
	const json_t *array = json_get_array(paper, "authors");
	size_t size = array != NULL ? json_array_size(array) : 0;

	if (size > MAX_AUTHORS)
		size = MAX_AUTHORS;
	p->authors = arena_array(f->arena, size, sizeof(*p->authors));
	if (p->authors == NULL) {
		f->nomem = true;
		return;
	}
	for (size_t i = 0; i < size; i++) {
		const json_t *author = json_array_get(array, i);
		bool hidden = false;
		const char *name;

		json_get_bool(author, "hidden", &hidden);
		name = field_member(f, author, "name", MAX_NAME_BYTES);
		if (!hidden && name[0] != '\0')
			p->authors[p->nauthors++] = name;
	}
}

static const char *
read_org(struct fields *f, const json_t *entry, const json_t *paper)
{
	const json_t *org = json_get_object(paper, "organization");
	const char *name;

	if (org == NULL)
		org = json_get_object(entry, "organization");
	name = field_member(f, org, "fullname", MAX_NAME_BYTES);
	return name[0] != '\0' ? name : field_member(f, org, "name", MAX_NAME_BYTES);
}

static void
read_links(
    struct fields *f, const json_t *entry, const json_t *paper, const char *id, struct paper *p)
{
	const json_t *media = json_get_array(entry, "mediaUrls");

	p->url = field_url(f, arena_printf(f->arena, "https://arxiv.org/abs/%s", id));
	p->pdf_url = field_url(f, arena_printf(f->arena, "https://arxiv.org/pdf/%s", id));
	p->discussion_url =
	    field_url(f, arena_printf(f->arena, "https://huggingface.co/papers/%s", id));
	p->project_url = field_url_member(f, paper, "projectPage");
	p->code_url = field_url_member(f, paper, "githubRepo");
	p->thumbnail_url = field_url_member(f, entry, "thumbnail");
	if (media == NULL)
		media = json_get_array(paper, "mediaUrls");
	if (media != NULL && json_is_string(json_array_get(media, 0)))
		p->media_url = field_url(f, json_string_value(json_array_get(media, 0)));
	else
		p->media_url = field_url_member(f, entry, "mediaUrl");
}

static void
read_summary(struct fields *f, const json_t *paper, struct paper *p)
{
	const char *model = field_member(f, paper, "ai_summary_model", MAX_NAME_BYTES);

	p->summary = field_member(f, paper, "ai_summary", MAX_ABSTRACT_BYTES);
	if (p->summary[0] != '\0')
		p->summary_by = model[0] != '\0' ? model : "AI";
	p->keywords = field_list(f, json_get_array(paper, "ai_keywords"), MAX_LIST, &p->nkeywords);
}

/* The day asked for is the truth; a saved answer says it itself. */
static int32_t
listing_day(const json_t *entry, const json_t *paper, int32_t asked)
{
	int64_t utc = field_time(paper, "submittedOnDailyAt");

	if (asked > 0)
		return asked;
	if (utc == 0)
		utc = field_time(entry, "publishedAt");
	if (utc == 0)
		utc = field_time(paper, "publishedAt");
	return (int32_t)(utc / DAY_SECONDS);
}

static const char *
either(const char *a, const char *b)
{
	return a[0] != '\0' ? a : b;
}

/* The paper of one entry, or NULL with the member that is wrong. */
static struct paper *
read_entry(struct fields *f, const json_t *entry, int32_t day, const char **why)
{
	const json_t *paper = json_get_object(entry, "paper");
	const char *id = json_get_string(paper, "id");
	struct paper *p = paper_new(f->arena);
	struct strbuf key;

	if (p == NULL) {
		f->nomem = true;
		return NULL;
	}
	*why = paper == NULL ? "member 'paper' is missing; expected an object"
			     : "member 'paper.id' is missing or no arXiv id";
	strbuf_init(&key, MAX_NAME_BYTES);
	if (id != NULL && paper_add_key(&key, id, &p->version) == 1)
		p->key = arena_strdup(f->arena, key.buf);
	strbuf_release(&key);
	if (p->key == NULL)
		f->nomem = true;
	if (p->key == NULL || strncmp(p->key, "arxiv:", 6) != 0)
		return NULL;
	/* The inner title may be hard-wrapped where the outer one is whole. */
	p->title = either(field_member(f, entry, "title", MAX_TITLE_BYTES),
	    field_member(f, paper, "title", MAX_TITLE_BYTES));
	*why = "member 'title' is missing or empty";
	if (p->title[0] == '\0')
		return NULL;
	p->abstract = either(field_member(f, paper, "summary", MAX_ABSTRACT_BYTES),
	    field_member(f, entry, "summary", MAX_ABSTRACT_BYTES));
	read_authors(f, paper, p);
	p->org = read_org(f, entry, paper);
	read_links(f, entry, paper, p->key + 6, p);
	read_summary(f, paper, p);
	p->published_utc = field_time(paper, "publishedAt");
	p->withdrawn_utc = field_time(paper, "withdrawnAt");
	p->votes = field_count(paper, "upvotes");
	p->comments = field_count(entry, "numComments");
	p->stars = field_count(paper, "githubStars");
	p->listed_day = listing_day(entry, paper, day);
	return p;
}

/* What the answer is when it is no list: the service's own word for an error, or what it begins with. */
static int
explain_shape(const json_t *root, struct error *err)
{
	const char *text = json_get_string(root, "error");

	if (text != NULL)
		return err_set(err, ERR_DATA, "the service says: %s", text);
	return err_set(err, ERR_DATA, "the answer is %s; expected an array of daily papers",
	    json_is_object(root) ? "an object" : "a single value");
}

int
huggingface_read(const char *bytes, size_t len, int32_t day, struct arena *a,
    struct source_batch *out, struct error *err)
{
	struct fields f = { .arena = a };
	json_t *root;
	size_t n;

	if (json_read(bytes, len, MAX_JSON_BYTES, &root, err) == -1) {
		if (len > 0 && bytes[strspn(bytes, " \t\r\n")] == '<')
			return err_set(err, ERR_DATA,
			    "the answer is a page of HTML or XML; expected a JSON array of daily "
			    "papers");
		return -1;
	}
	if (!json_is_array(root)) {
		explain_shape(root, err);
		json_decref(root);
		return -1;
	}
	n = json_array_size(root);
	out->papers = arena_array(a, n, sizeof(struct paper *));
	f.nomem = out->papers == NULL;
	for (size_t i = 0; i < n && !f.nomem; i++) {
		const char *why = "";
		struct paper *p = read_entry(&f, json_array_get(root, i), day, &why);

		if (p != NULL)
			out->papers[out->npapers++] = p;
		else if (!f.nomem)
			batch_add_broken(out, "entry", i + 1, why);
	}
	json_decref(root);
	out->nreplaced = f.nreplaced;
	if (f.nomem)
		return err_nomem(err, "papers");
	if (n > 0 && out->npapers == 0)
		return err_set(
		    err, ERR_DATA, "none of %zu entries is a paper; %s", n, out->first_broken);
	return 0;
}

static int
read_answer(const struct config_source *source, const struct source_request *request,
    const char *bytes, size_t len, int64_t now_utc, struct arena *a, struct source_batch *out,
    struct error *err)
{
	const char *base;

	(void)now_utc;
	out->day = request->day;
	if (huggingface_read(bytes, len, request->day, a, out, err) == -1)
		return err_prefix(err, "%s", request->key);
	if (out->npapers + out->nbroken < PAGE_ENTRIES || request->page + 1 >= MAX_PAGES)
		return 0;
	if ((base = base_of(source, a)) == NULL ||
	    set_request(&out->next, base, request->day, request->page + 1, a) == -1)
		return err_nomem(err, "next page");
	out->more = true;
	return 0;
}

static int
read_status(const struct source_request *request, long status, const char *bytes, size_t len,
    struct error *err)
{
	char said[200] = "";
	json_t *root = NULL;

	/* A date that the service's clock has not reached is a day without papers, not a fault. */
	if (status == 400 && request->page == 0)
		return 1;
	if (len > 0 && json_read(bytes, len, MAX_JSON_BYTES, &root, NULL) == 0) {
		const char *text = json_get_string(root, "error");

		if (text != NULL)
			snprintf(said, sizeof(said), ": %s", text);
		json_decref(root);
	}
	if (status == 429)
		return err_set(err, ERR_NET, "%s: the service asks to wait (status 429)%s",
		    request->key, said);
	return err_set(
	    err, ERR_NET, "%s: the service answered with status %ld%s", request->key, status, said);
}

const struct source_type source_huggingface = {
	.name = "huggingface",
	.help = "Daily Papers of huggingface.co, with votes, comments and stars",
	.base_url = "https://huggingface.co",
	.interval_s = 3600,
	.settle_s = 12 * 3600,
	.request_gap_ms = 200,
	.plan = plan,
	.read = read_answer,
	.status = read_status,
};
