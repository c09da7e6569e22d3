/* Type feed: RSS, Atom and JSON Feed of whoever publishes papers, or a page that names its feed. */
#include "feed.h"
#include "types.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum {
	LOOK_AGAIN_S = 7 *
	    86400, /* the page is asked for its feed again when that has not been read for so long */
	MAX_HOPS = 2, /* from a page to its feed; a feed that is a page again is none */
};

static const char expected[] = "a feed (RSS, Atom or JSON Feed), or a page that names one";

/* The page kept of what a source's url names: "URL", or "URL FEED" where the url is a page that names its feed. */
static const struct source_page *
find_page(const struct source_progress *progress, const char *url, bool named)
{
	size_t len = strlen(url);
	const struct source_page *newest = NULL;

	for (size_t i = 0; i < progress->npages; i++) {
		const struct source_page *p = &progress->pages[i];

		if (strncmp(p->key, url, len) != 0 || p->key[len] != (named ? ' ' : '\0'))
			continue;
		if (newest == NULL || p->read_utc > newest->read_utc)
			newest = p;
	}
	return newest;
}

/* What to ask for: the feed found before, while it answers. */
static const struct source_page *
choose_page(const struct source_progress *progress, const char *url, int64_t now_utc)
{
	const struct source_page *named = find_page(progress, url, true);

	if (named != NULL && now_utc - named->read_utc <= LOOK_AGAIN_S)
		return named;
	return find_page(progress, url, false);
}

int
feed_plan(const struct config_source *source, const struct source_progress *progress,
    int64_t now_utc, int32_t since_day, bool force, struct arena *a, struct source_request **out,
    size_t *n, struct error *err)
{
	const struct source_page *page;
	struct source_request *r;

	(void)since_day; /* a feed has what it has */
	if (source->url[0] == '\0')
		return err_set(err, ERR_CONFIG, "%s:%u: a source of type feed needs a 'url'",
		    source->file, (unsigned)source->line);
	if ((r = arena_array(a, 1, sizeof(*r))) == NULL)
		return err_nomem(err, "plan");
	page = choose_page(progress, source->url, now_utc);
	*r = (struct source_request){ .path = "", .command = "", .etag = "", .last_modified = "" };
	r->key = page != NULL ? page->key : source->url;
	r->url = strchr(r->key, ' ') != NULL ? strchr(r->key, ' ') + 1 : r->key;
	if (page != NULL && !force) {
		r->etag = page->etag;
		r->last_modified = page->last_modified;
	}
	/* What a feed lists when it is first read is dated as it says; later, what is new there is news. */
	r->since_day = progress->npages > 0 ? field_day(now_utc) : 0;
	*out = r;
	*n = 1;
	return 0;
}

/* What the first bytes say, whatever the content type claims. */
static bool
is_json(const char *bytes, size_t len)
{
	size_t at = len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

	while (at < len && isspace((unsigned char)bytes[at]))
		at++;
	return at < len && bytes[at] == '{';
}

static bool
is_page(const char *bytes, size_t len)
{
	size_t head = len < 4096 ? len : 4096;

	for (size_t i = 0; i + 9 < head; i++)
		if (strncasecmp(bytes + i, "<html", 5) == 0 ||
		    strncasecmp(bytes + i, "<!doctype html", 14) == 0)
			return true;
		else if (strncasecmp(bytes + i, "<rss", 4) == 0 ||
		    strncasecmp(bytes + i, "<feed", 5) == 0 ||
		    strncasecmp(bytes + i, "<rdf:", 5) == 0)
			return false;
	return false;
}

/* A page instead of a feed: ask for the feed it names. */
static int
read_page(const struct source_request *request, const struct source_answer *answer, struct arena *a,
    struct source_batch *out, struct error *err)
{
	const char *url = answer->url[0] != '\0' ? answer->url : request->url, *found = NULL, *key;

	if (request->page < MAX_HOPS - 1)
		found = feed_find_link(answer->bytes, answer->len, url, a);
	if (found == NULL)
		return err_set(err, ERR_DATA,
		    "a page of HTML that names no feed (a login, a notice?); expected %s",
		    expected);
	if ((key = arena_printf(a, "%s %s", request->url, found)) == NULL)
		return err_nomem(err, "feed");
	out->more = true;
	out->next = (struct source_request){ .key = key,
		.url = found,
		.path = "",
		.command = "",
		.etag = "",
		.last_modified = "",
		.since_day = request->since_day,
		.page = request->page + 1 };
	return 0;
}

static int
read_feed(struct feed_reading *r, const struct source_answer *answer, struct error *err)
{
	int rc = is_json(answer->bytes, answer->len) ? feed_read_json(r, answer, err)
						     : feed_read_xml(r, answer, err);

	if (rc == 0 && r->f->nomem)
		rc = err_nomem(err, "papers");
	/* Every entry broken is a feed that has changed its shape; a fault has a sentence already. */
	if (rc == 0 && r->nentries > 0 && r->batch->npapers == 0 && r->batch->fault[0] == '\0')
		rc = err_set(err, ERR_DATA, "none of %zu entries is a paper; %s", r->nentries,
		    r->batch->first_broken);
	return rc;
}

int
feed_read(const struct config_source *source, const struct source_request *request,
    const struct source_answer *answer, int64_t now_utc, struct arena *a, struct source_batch *out,
    struct error *err)
{
	struct source_batch batch = { 0 };
	struct fields f;
	struct feed_reading r = { .f = &f,
		.config = source,
		.now_utc = now_utc,
		.known = request->since_day > 0,
		.batch = &batch,
		.base = answer->url[0] != '\0' ? answer->url : request->url,
		.title = "",
		.language = "" };
	int rc = -1;

	fields_init(&f, a);
	if ((r.source = arena_strdup(a, source->name)) == NULL)
		err_nomem(err, "papers");
	else if (answer->len == 0)
		err_set(err, ERR_DATA, "nothing at all; expected %s", expected);
	else if (is_page(answer->bytes, answer->len))
		rc = read_page(request, answer, a, &batch, err);
	else
		rc = read_feed(&r, answer, err);
	batch.nreplaced = f.nreplaced;
	fields_release(&f);
	if (rc == -1)
		return err_prefix(err, "%s", request->url[0] != '\0' ? request->url : request->key);
	*out = batch;
	return 0;
}

int
feed_status(const struct source_request *request, long status, const char *bytes, size_t len,
    struct error *err)
{
	static const struct {
		long from, to;
		const char *text;
	} statuses[] = {
		{ 401, 403, "the site refuses us" },
		{ 404, 404, "there is no such page; is 'url' of this source right?" },
		{ 410, 410, "this feed is gone for good; remove the source" },
		{ 429, 429, "the site asks to wait" },
		{ 500, 599, "the site has a fault" },
	};
	const char *text = "the site does not give the feed";

	(void)bytes;
	(void)len;
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		if (status >= statuses[i].from && status <= statuses[i].to)
			text = statuses[i].text;
	return err_set(err, ERR_NET, "%s: %s (status %ld)", request->url, text, status);
}
