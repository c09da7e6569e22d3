/*
 * arXiv: the announcement of the day (rss.arxiv.org), then what it lacks about its papers from the query API
 * (export.arxiv.org): comments, the primary category, references. Days missed, and those before the first run, are asked
 * from the API by the hours in which their papers were submitted.
 */
#include "arxiv.h"
#include "fields.h"
#include "types.h"
#include "digest/date.h"
#include "digest/limits.h"

#include <stdio.h>
#include <string.h>

enum {
	FIRST_DAYS = 7, /* what a new installation begins with: a welcome edition */
	CATCH_UP_DAYS =
	    30,		/* days missed that are read by themselves; "fetch --since" reads more */
	MIN_DAY = 7897, /* 1991-08-16, soon after arXiv began */
	REREAD_S = 12 * 3600,
	LATE_S = 3 *
	    3600, /* so long after midnight in the east a list may still be that of the day before */
	DAY_SECONDS = 86400,
	MAX_REST = 1024 * 1024,
};

struct plan {
	const struct config_source *source;
	const struct source_progress *progress;
	int64_t now_utc;
	bool force;
	struct arena *arena;
	struct source_request *requests;
	size_t n, nalloc;
};

static bool
is_due(const struct plan *p, const struct source_page *page, int64_t wait_s)
{
	return p->force || page == NULL || source_is_due(page->read_utc, wait_s, p->now_utc);
}

/* A list read after its day stands still until the next one: that of Friday all weekend, as skipDays says too. */
static bool
is_final(const struct plan *p, const struct source_page *page)
{
	return !p->force && page != NULL &&
	    arxiv_day_at(page->read_utc) == arxiv_day_at(p->now_utc) &&
	    arxiv_day_at(page->read_utc) != field_day(page->read_utc) &&
	    page->read_utc <= p->now_utc;
}

static int
plan_feed(struct plan *p, const struct source_page *page, struct error *err)
{
	struct source_request *r = &p->requests[p->n];
	int64_t interval_s = p->source->interval_s >= 0 ? p->source->interval_s : ARXIV_INTERVAL_S;

	if (!is_due(p, page, interval_s) || is_final(p, page))
		return 0;
	if (arxiv_ask_feed(p->source, p->arena, r, err) == -1)
		return -1;
	if (page != NULL && !p->force) {
		r->etag = page->etag;
		r->last_modified = page->last_modified;
	}
	p->n++;
	return 0;
}

/* The newest announcement that has surely been read. */
static int32_t
known_day(const struct plan *p, const struct source_page *feed)
{
	if (feed == NULL)
		return arxiv_day_at(p->now_utc - FIRST_DAYS * (int64_t)DAY_SECONDS) - 1;
	return arxiv_day_at(feed->read_utc - LATE_S);
}

static int
plan_day(struct plan *p, int32_t day, bool again, struct error *err)
{
	char key[DATE_RFC3339_SIZE];
	const struct source_page *page;

	date_format_day(day, key);
	page = source_find_page(p->progress, key);
	if (page != NULL && (!again || !is_due(p, page, REREAD_S)))
		return 0;
	return arxiv_ask_day(p->source, day, 0, p->arena, &p->requests[p->n++], err);
}

int
arxiv_plan(const struct config_source *source, const struct source_progress *progress,
    int64_t now_utc, int32_t since_day, bool force, struct arena *a, struct source_request **out,
    size_t *n, struct error *err)
{
	struct plan p = { .source = source,
		.progress = progress,
		.now_utc = now_utc,
		.force = force,
		.arena = a };
	const struct source_page *feed = source_find_page(progress, "feed");
	int32_t today = arxiv_day_at(now_utc), last, first;

	if (arxiv_check_config(source, err) == -1)
		return -1;
	/* The list of today is the feed's; a back-fill asks for all that is asked for. */
	last = since_day > 0 ? today : arxiv_day_before(today);
	first =
	    since_day > 0 ? arxiv_day_after(since_day - 1) : arxiv_day_after(known_day(&p, feed));
	if (since_day == 0 && first < today - CATCH_UP_DAYS)
		first = arxiv_day_after(today - CATCH_UP_DAYS);
	if (first < MIN_DAY)
		first = MIN_DAY;
	p.nalloc = last >= first ? (size_t)(last - first) + 2 : 1;
	if ((p.requests = arena_array(a, p.nalloc, sizeof(*p.requests))) == NULL)
		return err_nomem(err, "plan");
	if (plan_feed(&p, feed, err) == -1)
		return -1;
	for (int32_t day = first; day <= last; day = arxiv_day_after(day))
		if (plan_day(&p, day, since_day > 0, err) == -1)
			return -1;
	*out = p.requests;
	*n = p.n;
	return 0;
}

/* One reading. */
struct answer {
	const struct config_source *source;
	const struct source_request *request;
	int64_t now_utc;
	struct arena *arena;
	struct arxiv_list list;
	struct source_batch *batch;
};

/* What the API does not say: how and when the paper was listed. */
static void
set_listing(const struct answer *an, struct paper *p)
{
	const char *rest = an->request->rest;

	if (rest != NULL && rest[0] != '\0')
		p->kind = arxiv_kind_in(rest, p->key + strlen("arxiv:"));
	else if (an->source->ncategories > 0 && p->primary_known &&
	    !arxiv_has_category(an->source, p->categories[0]))
		p->kind = PAPER_CROSS;
	if (an->request->day > 0)
		p->listed_day = an->request->day;
}

/* The papers that are wanted, their listings complete. */
static void
take_papers(const struct answer *an)
{
	int32_t today = field_day(an->now_utc);
	unsigned wanted = arxiv_kinds(an->source);

	an->batch->papers = an->list.papers;
	for (size_t i = 0; i < an->list.n; i++) {
		struct paper *p = an->list.papers[i];

		if (!an->list.announced[i])
			set_listing(an, p);
		if (p->listed_day == 0 && an->list.published_utc > 0)
			p->listed_day = field_day(an->list.published_utc);
		if (p->listed_day == 0 || p->listed_day > today + 1)
			p->listed_day = today;
		if ((wanted & 1u << p->kind) != 0)
			an->batch->papers[an->batch->npapers++] = p;
	}
}

/* The day that was asked for, else that of the announcement; 0 = an answer of the API that mixes days. */
static int32_t
day_of_list(const struct answer *an)
{
	const struct arxiv_list *list = &an->list;

	if (an->request->day > 0)
		return an->request->day;
	if (list->n > 0)
		return list->announced[0] ? list->papers[0]->listed_day : 0;
	return list->published_utc > 0 ? field_day(list->published_utc) : 0;
}

/* After the announcement: the details of its papers. */
static int
ask_details(const struct answer *an, struct error *err)
{
	struct source_batch *batch = an->batch;
	struct strbuf rest;
	int rc = 0;

	strbuf_init(&rest, MAX_REST);
	for (size_t i = 0; i < batch->npapers; i++)
		arxiv_add_rest(&rest, batch->papers[i]);
	if (rest.len > 0) {
		batch->more = true;
		rc = arxiv_ask_papers(an->source, batch->papers[0]->listed_day, 0, rest.buf,
		    an->arena, &batch->next, err);
	}
	strbuf_release(&rest);
	return rc;
}

/* After a page of a day: the next one. It sometimes gives an empty page in the middle, which says nothing. */
static int
ask_next_page(const struct answer *an, struct error *err)
{
	const struct source_request *request = an->request;
	int64_t start =
	    an->list.start >= 0 ? an->list.start : (int64_t)request->page * ARXIV_PAGE_ENTRIES;
	int64_t behind = start + (int64_t)an->list.nentries;

	if (behind >= an->list.total)
		return 0;
	if (an->list.nentries == 0 || request->page + 1 >= ARXIV_MAX_PAGES) {
		snprintf(an->batch->fault, sizeof(an->batch->fault),
		    "the list ends at %lld of %lld papers", (long long)behind,
		    (long long)an->list.total);
		return 0;
	}
	an->batch->more = true;
	return arxiv_ask_day(
	    an->source, request->day, request->page + 1, an->arena, &an->batch->next, err);
}

/* What to ask for after this answer; a file and one that broke off are followed by nothing. */
static int
ask_more(const struct answer *an, struct error *err)
{
	const struct source_request *request = an->request;
	bool is_details = request->rest != NULL && request->rest[0] != '\0';

	if (request->url[0] == '\0' || an->batch->fault[0] != '\0')
		return 0;
	if (request->day == 0)
		return ask_details(an, err);
	if (!is_details)
		return ask_next_page(an, err);
	if (arxiv_left_in(request->rest)[0] == '\0')
		return 0;
	an->batch->more = true;
	return arxiv_ask_papers(an->source, request->day, request->page + 1,
	    arxiv_left_in(request->rest), an->arena, &an->batch->next, err);
}

static int
check_list(const struct answer *an, struct error *err)
{
	const struct arxiv_list *list = &an->list;

	if (list->said[0] != '\0')
		return err_set(err, ERR_DATA, "the service says: %s", list->said);
	if (list->n > 0)
		return 0;
	if (an->batch->fault[0] != '\0')
		return err_set(err, ERR_DATA, "%s", an->batch->fault);
	if (list->nentries > 0)
		return err_set(err, ERR_DATA, "none of %zu entries is a paper; %s", list->nentries,
		    an->batch->first_broken);
	return 0;
}

int
arxiv_read(const struct config_source *source, const struct source_request *request,
    const struct source_answer *answer, int64_t now_utc, struct arena *a, struct source_batch *out,
    struct error *err)
{
	struct source_batch batch = { 0 };
	struct answer an = { .source = source,
		.request = request,
		.now_utc = now_utc,
		.arena = a,
		.batch = &batch };
	struct fields f;
	int rc = -1;

	fields_init(&f, a);
	if (arxiv_read_list(&f, source->name, answer, &an.list, &batch, err) == 0 &&
	    check_list(&an, err) == 0) {
		take_papers(&an);
		batch.day = day_of_list(&an);
		batch.made_utc = an.list.made_utc > 0 ? an.list.made_utc : an.list.published_utc;
		batch.nreplaced = f.nreplaced;
		rc = ask_more(&an, err);
	}
	fields_release(&f);
	if (rc == -1)
		return err_prefix(err, "%s", request->key);
	*out = batch;
	return 0;
}

/* What a fault means for a person. */
static const struct {
	long from, to;
	const char *text;
} statuses[] = {
	{ 300, 399, "redirects to nowhere" },
	{ 400, 400, "does not understand the request" },
	{ 401, 403, "refuses us" },
	{ 404, 404, "has no such list; are the 'categories' of this source right?" },
	{ 429, 429, "asks to wait" },
	{ 503, 503, "is overloaded or asks to wait" },
	{ 500, 599, "has a fault" },
};

int
arxiv_status(const struct source_request *request, long status, const char *bytes, size_t len,
    struct error *err)
{
	const struct source_answer answer = { bytes, len, request->url, "", "" };
	const char *text = "does not give the list";
	struct source_batch batch = { 0 };
	struct arxiv_list list = { 0 };
	struct fields f;
	struct arena a;

	for (size_t i = sizeof(statuses) / sizeof(statuses[0]); i-- > 0;)
		if (status >= statuses[i].from && status <= statuses[i].to)
			text = statuses[i].text;
	/* An error of the API is an entry of a feed. */
	arena_init(&a, MAX_RUN_BYTES);
	fields_init(&f, &a);
	if (len > 0)
		arxiv_read_list(&f, "", &answer, &list, &batch, NULL);
	err_set(err, ERR_NET, "%s: the service %s (status %ld)%s%s", request->key, text, status,
	    list.said[0] != '\0' ? ": " : "", list.said);
	fields_release(&f);
	arena_release(&a);
	return -1;
}
