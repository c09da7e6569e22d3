#include "arxiv.h"
#include "types.h"

#include "digest/date.h"
#include "digest/limits.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { MAX_IDS = 150, IDS_URL_BYTES = 1900, MAX_REST = 1024 * 1024 };

/* Where everything is asked: RSS and API have hosts of their own, a mirror or a test has one for both. */
static const char feed_base[] = "https://rss.arxiv.org";
static const char api_base[] = "https://export.arxiv.org";

static const struct {
	const char *word;
	enum paper_kind kind;
	char letter;
} kinds[] = {
	{ "new", PAPER_NEW, 'n' },
	{ "cross", PAPER_CROSS, 'c' },
	{ "replace", PAPER_REPLACE, 'r' },
	{ "replace-cross", PAPER_REPLACE_CROSS, 'x' },
};

enum { NKINDS = sizeof(kinds) / sizeof(kinds[0]) };

unsigned
arxiv_kinds(const struct config_source *source)
{
	unsigned wanted = 0;

	for (size_t i = 0; i < source->nannounce; i++)
		for (size_t k = 0; k < NKINDS; k++)
			if (strcmp(source->announce[i], kinds[k].word) == 0)
				wanted |= 1u << kinds[k].kind;
	return source->nannounce > 0 ? wanted : 1u << PAPER_NEW | 1u << PAPER_CROSS;
}

/* An archive, or an archive and a subject: "hep-th", "cs.CL". */
static bool
is_category(const char *text)
{
	size_t archive = strspn(text, "abcdefghijklmnopqrstuvwxyz-"), subject = 0;

	if (text[archive] == '.')
		subject = strspn(
		    text + archive + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-");
	return archive > 0 && text[archive + (subject > 0 ? subject + 1 : 0)] == '\0';
}

int
arxiv_check_config(const struct config_source *source, struct error *err)
{
	if (source->ncategories == 0)
		return err_set(err, ERR_CONFIG,
		    "%s:%u: a source of type arxiv needs 'categories', as in {cs.CL, cs.LG}",
		    source->file, (unsigned)source->line);
	for (size_t i = 0; i < source->ncategories; i++)
		if (!is_category(source->categories[i]))
			return err_set(err, ERR_CONFIG,
			    "%s:%u: '%s' is no category of arXiv; expected one as cs.CL or hep-th",
			    source->file, (unsigned)source->line, source->categories[i]);
	for (size_t i = 0; i < source->nannounce; i++) {
		size_t k = 0;

		while (k < NKINDS && strcmp(source->announce[i], kinds[k].word) != 0)
			k++;
		if (k == NKINDS)
			return err_set(err, ERR_CONFIG,
			    "%s:%u: '%s' is no kind of announcement; expected new, cross, replace "
			    "or replace-cross",
			    source->file, (unsigned)source->line, source->announce[i]);
	}
	return 0;
}

bool
arxiv_has_category(const struct config_source *source, const char *category)
{
	for (size_t i = 0; i < source->ncategories; i++) {
		size_t len = strlen(source->categories[i]);

		if (strncmp(category, source->categories[i], len) == 0 &&
		    (category[len] == '\0' || category[len] == '.'))
			return true;
	}
	return false;
}

static void
add_base(struct strbuf *url, const struct config_source *source, const char *usual)
{
	const char *base = source->url[0] != '\0' ? source->url : usual;
	size_t len = strlen(base);

	while (len > 0 && base[len - 1] == '/')
		len--;
	strbuf_addn(url, base, len);
}

/* Key and address into the arena. */
static int
set_request(struct source_request *r, struct strbuf *url, const char *key, struct arena *a,
    struct error *err)
{
	int rc = -1;

	r->path = r->command = r->etag = r->last_modified = "";
	r->key = key;
	if (url->state == STRBUF_TOO_LONG)
		err_set(err, ERR_CONFIG, "too many categories for one source; make it two");
	else if (key == NULL || strbuf_check(url, NULL) == -1 ||
	    (r->url = arena_strndup(a, url->buf, url->len)) == NULL)
		err_nomem(err, "request");
	else
		rc = 0;
	strbuf_release(url);
	return rc;
}

int
arxiv_ask_feed(const struct config_source *source, struct arena *a, struct source_request *r,
    struct error *err)
{
	struct strbuf url;

	strbuf_init(&url, MAX_URL_BYTES);
	add_base(&url, source, feed_base);
	strbuf_add(&url, "/rss/");
	for (size_t i = 0; i < source->ncategories; i++)
		strbuf_addf(&url, "%s%s", i > 0 ? "+" : "", source->categories[i]);
	*r = (struct source_request){ 0 };
	return set_request(r, &url, "feed", a, err);
}

/* "202604241800", in UTC. */
static void
add_minute(struct strbuf *url, int64_t utc)
{
	struct civil c;

	date_civil(utc, &c);
	strbuf_addf(url, "%04d%02d%02d%02d%02d", c.year, c.month, c.day, c.hour, c.minute);
}

int
arxiv_ask_day(const struct config_source *source, int32_t day, unsigned page, struct arena *a,
    struct source_request *r, struct error *err)
{
	char date[DATE_RFC3339_SIZE];
	struct strbuf url;
	int64_t from, to;

	strbuf_init(&url, MAX_URL_BYTES);
	add_base(&url, source, api_base);
	strbuf_add(&url, "/api/query?search_query=%28");
	for (size_t i = 0; i < source->ncategories; i++) {
		const char *category = source->categories[i];

		strbuf_addf(&url, "%scat:%s", i > 0 ? "+OR+" : "", category);
		if (strchr(category, '.') == NULL) /* an archive: what stands below it too */
			strbuf_addf(&url, "+OR+cat:%s.*", category);
	}
	arxiv_submissions(day, &from, &to);
	strbuf_add(&url, "%29+AND+submittedDate:%5B");
	add_minute(&url, from);
	strbuf_add(&url, "+TO+");
	add_minute(&url, to - 60); /* both ends are included */
	strbuf_addf(&url, "%%5D&start=%u&max_results=%d&sortBy=submittedDate&sortOrder=ascending",
	    page * ARXIV_PAGE_ENTRIES, ARXIV_PAGE_ENTRIES);
	*r = (struct source_request){ .day = day, .page = page };
	date_format_day(day, date);
	return set_request(r, &url,
	    page == 0 ? arena_strdup(a, date) : arena_printf(a, "%s p%u", date, page), a, err);
}

void
arxiv_add_rest(struct strbuf *rest, const struct paper *p)
{
	if (strncmp(p->key, "arxiv:", 6) != 0)
		return;
	for (size_t k = 0; k < NKINDS; k++)
		if (kinds[k].kind == p->kind)
			strbuf_addf(
			    rest, "%s%c%s", rest->len > 0 ? " " : "", kinds[k].letter, p->key + 6);
}

int
arxiv_ask_papers(const struct config_source *source, int32_t day, unsigned page, const char *rest,
    struct arena *a, struct source_request *r, struct error *err)
{
	struct strbuf url, both;
	size_t asked = 0, n = 0;

	strbuf_init(&url, MAX_URL_BYTES);
	add_base(&url, source, api_base);
	strbuf_add(&url, "/api/query?id_list=");
	while (rest[asked] != '\0' && n < MAX_IDS && url.len < IDS_URL_BYTES) {
		size_t len = strcspn(rest + asked, " ");

		if (n++ > 0)
			strbuf_addc(&url, ',');
		if (len > 1)
			strbuf_addn(&url, rest + asked + 1, len - 1);
		asked += len;
		asked += rest[asked] == ' ';
	}
	strbuf_addf(&url, "&max_results=%zu", n);
	strbuf_init(&both, MAX_REST);
	strbuf_addn(&both, rest, asked);
	strbuf_addf(&both, ";%s", rest + asked);
	*r = (struct source_request){ .day = day, .page = page };
	r->rest = strbuf_check(&both, NULL) == 0 ? arena_strndup(a, both.buf, both.len) : NULL;
	strbuf_release(&both);
	if (r->rest == NULL) {
		strbuf_release(&url);
		return err_nomem(err, "request");
	}
	return set_request(r, &url, arena_printf(a, "details p%u", page), a, err);
}

const char *
arxiv_left_in(const char *rest)
{
	const char *behind = strchr(rest, ';');

	return behind != NULL ? behind + 1 : "";
}

enum paper_kind
arxiv_kind_in(const char *rest, const char *id)
{
	size_t len = strlen(id);

	for (const char *at = rest; (at = strstr(at, id)) != NULL; at += len)
		if (at > rest && (at - rest == 1 || at[-2] == ' ') && strchr(" ;", at[len]) != NULL)
			for (size_t k = 0; k < NKINDS; k++)
				if (kinds[k].letter == at[-1])
					return kinds[k].kind;
	return PAPER_NEW;
}

int
arxiv_ask_paper(const struct config_source *source, const char *key, struct arena *a,
    struct source_request *out, struct error *err)
{
	const unsigned wanted = arxiv_kinds(source);
	const char *rest;
	size_t k = 0;

	if (strncmp(key, "arxiv:", 6) != 0)
		return 0;
	/* As what the source takes; it would leave others out. */
	while (k < NKINDS - 1 && (wanted >> kinds[k].kind & 1) == 0)
		k++;
	if ((rest = arena_printf(a, "%c%s", kinds[k].letter, key + 6)) == NULL)
		return err_nomem(err, "request");
	return arxiv_ask_papers(source, 0, 0, rest, a, out, err) == -1 ? -1 : 1;
}

/* In its primary category a paper is announced as new, in the others as a cross-list. */
bool
arxiv_brings(const struct config_source *source, const struct paper *p)
{
	const unsigned wanted = arxiv_kinds(source);

	for (size_t i = 0; i < p->ncategories; i++) {
		enum paper_kind kind = i == 0 && p->primary_known ? PAPER_NEW : PAPER_CROSS;

		if (arxiv_has_category(source, p->categories[i]) && (wanted >> kind & 1) != 0)
			return true;
	}
	return false;
}
