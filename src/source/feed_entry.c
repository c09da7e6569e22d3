/* An entry of a feed as a paper. Feeds say little and in many ways: what is done here is guessing by rules that
 * digest-source(7) states. */
#include "feed.h"
#include "digest/date.h"
#include "digest/http.h"
#include "digest/text.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum {
	DAY_SECONDS = 86400,
	FRESH_DAYS =
	    14, /* an entry that is older when it first appears is news of the day it appears */
	GOOD_SUMMARY = 200, /* bytes; a shorter one gives way to the content */
	TITLE_WIDTH = 100,  /* columns of a text that stands in for a title */
	MAX_UNPACK = 2,	    /* times a text may have been escaped */
};

/* ---- texts ---- */

/* Tags that people do write into titles and summaries; "a<b" and "List<String>" are none. */
static const char *const html_tags[] = { "a", "abbr", "b", "big", "blockquote", "br", "center",
	"cite", "code", "dd", "div", "dl", "dt", "em", "figure", "font", "h1", "h2", "h3", "h4",
	"h5", "h6", "hr", "i", "img", "li", "mark", "math", "ol", "p", "pre", "q", "s", "section",
	"small", "span", "strong", "sub", "sup", "table", "tbody", "td", "tr", "tt", "u", "ul",
	NULL }; /* and all of JATS and MathML that say so by their prefix */

/* What stands behind the name of a tag: its end, or an attribute. "x<b and y>z" has neither. */
static bool
is_tag_rest(const char *text, size_t len)
{
	size_t at = 0;

	while (at < len && isspace((unsigned char)text[at]))
		at++;
	if (at < len && (text[at] == '>' || text[at] == '/'))
		return true;
	if (at == 0 || at == len)
		return false;
	while (at < len && (isalnum((unsigned char)text[at]) || strchr("-:_", text[at]) != NULL))
		at++;
	while (at < len && isspace((unsigned char)text[at]))
		at++;
	return at < len && text[at] == '=' && memchr(text + at, '>', len - at) != NULL;
}

static bool
is_tag(const char *text, size_t len)
{
	char name[32];
	size_t n = 0, at = len > 1 && text[1] == '/' ? 2 : 1;

	while (at + n < len && n + 1 < sizeof(name) &&
	    (isalnum((unsigned char)text[at + n]) || text[at + n] == ':' || text[at + n] == '-')) {
		name[n] = (char)tolower((unsigned char)text[at + n]);
		n++;
	}
	name[n] = '\0';
	if (strncmp(name, "jats:", 5) == 0 || strncmp(name, "mml:", 4) == 0)
		return is_tag_rest(text + at + n, len - at - n);
	for (size_t i = 0; html_tags[i] != NULL; i++)
		if (strcmp(html_tags[i], name) == 0)
			return is_tag_rest(text + at + n, len - at - n);
	return false;
}

/* "&amp;", "&#8211;", "&eacute;" */
static bool
is_reference(const char *text, size_t len)
{
	size_t n = 1;

	if (len > n && text[n] == '#')
		n++;
	while (n < len && n < 12 && isalnum((unsigned char)text[n]))
		n++;
	return n > 2 && n < len && text[n] == ';';
}

static bool
is_html(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((text[i] == '<' && is_tag(text + i, len - i)) ||
		    (text[i] == '&' && is_reference(text + i, len - i)))
			return true;
	return false;
}

void
feed_add_text(struct strbuf *out, const char *text, size_t len, enum feed_markup markup)
{
	struct strbuf plain[MAX_UNPACK];
	bool html = markup == MARKUP_HTML || (markup == MARKUP_UNKNOWN && is_html(text, len));
	int n = 0;

	for (; n < MAX_UNPACK && html; n++) {
		strbuf_init(&plain[n], 4 * (size_t)MAX_HTML_FIELD);
		text_add_html(&plain[n], text, len);
		text = plain[n].buf;
		len = plain[n].len;
		html = is_html(text, len);
	}
	strbuf_addn(out, text, len);
	while (n > 0)
		strbuf_release(&plain[--n]);
}

/* A text of the entry, clean; "" for none. */
static const char *
take_text(
    struct feed_reading *r, const struct feed_entry *e, enum feed_text field, size_t max_bytes)
{
	const char *raw = e->texts[field], *text;
	struct strbuf plain;

	if (raw == NULL)
		return "";
	strbuf_init(&plain, 4 * (size_t)MAX_HTML_FIELD);
	feed_add_text(&plain, raw, strlen(raw), e->markup[field]);
	r->f->nomem |= plain.state != STRBUF_OK;
	text = field_latex(r->f, plain.buf, plain.len, max_bytes);
	strbuf_release(&plain);
	return text;
}

static const char *
take_abstract(struct feed_reading *r, const struct feed_entry *e)
{
	const char *summary = take_text(r, e, FEED_SUMMARY, MAX_ABSTRACT_BYTES), *content;

	if (strlen(summary) >= GOOD_SUMMARY)
		return summary;
	content = take_text(r, e, FEED_CONTENT, MAX_ABSTRACT_BYTES);
	return strlen(content) > strlen(summary) ? content : summary;
}

/* Where there is no title, what the entry begins with stands for it. */
static const char *
title_from(struct feed_reading *r, const char *abstract)
{
	size_t len = strlen(abstract), sentence = text_first_sentence(abstract, len);
	size_t n = text_cut(abstract, sentence, MAX_TITLE_BYTES, TITLE_WIDTH);
	const char *title =
	    arena_printf(r->f->arena, "%.*s%s", (int)n, abstract, n < sentence ? "…" : "");

	r->f->nomem |= title == NULL;
	return title != NULL ? title : "";
}

/* ---- dates ---- */

/* Full names of months become short ones, slashes hyphens: "21 August 2026", "2026/08/21". */
static void
mend_date(const char *text, char out[64])
{
	size_t n = 0;

	while (*text != '\0' && n + 1 < 64) {
		size_t letters = 0;

		while (isalpha((unsigned char)text[letters]))
			letters++;
		if (letters > 3 && strncasecmp(text, "Thur", 4) != 0) {
			bool month = false;

			for (int i = 0; i < 12; i++)
				month |= strncasecmp(text, date_month_name(i), 3) == 0;
			for (size_t i = 0; i < 3 && n + 1 < 64; i++)
				out[n++] = text[i];
			text += month || letters >= 6 ? letters : 3;
			continue;
		}
		out[n++] = *text == '/' ? '-' : *text;
		text++;
	}
	out[n] = '\0';
}

int64_t
feed_time(const char *text)
{
	char mended[64];
	int64_t utc = 0;

	if (text == NULL)
		return 0;
	if (date_parse(text, &utc, NULL) == 0)
		return utc;
	mend_date(text, mended);
	if (date_parse(mended, &utc, NULL) == 0)
		return utc;
	/* Journals give a month alone; "20260821" is its own kind. */
	if (strlen(text) == 7 && text[4] == '-') {
		snprintf(mended, sizeof(mended), "%.7s-01", text);
		return date_parse(mended, &utc, NULL) == 0 ? utc : 0;
	}
	if (strlen(text) == 8 && strspn(text, "0123456789") == 8) {
		snprintf(mended, sizeof(mended), "%.4s-%.2s-%.2s", text, text + 4, text + 6);
		return date_parse(mended, &utc, NULL) == 0 ? utc : 0;
	}
	return 0;
}

/*
 * The day of the entry's own date. Without one, with one to come, and with one so old that the entry cannot have
 * been here before, the day on which it is first seen: today.
 */
static int32_t
listed_day(const struct feed_reading *r, int64_t published)
{
	int64_t age = r->now_utc - published;

	if (published == 0 || age < -DAY_SECONDS)
		return field_day(r->now_utc);
	if (r->known && age > FRESH_DAYS * (int64_t)DAY_SECONDS)
		return field_day(r->now_utc);
	return field_day(published < r->now_utc ? published : r->now_utc);
}

/* ---- identity and links ---- */

static const char *
take_link(struct feed_reading *r, const struct feed_entry *e, enum feed_text field)
{
	const char *base = e->base[0] != '\0' ? e->base : r->base;
	char url[MAX_URL_BYTES + 1];

	if (e->texts[field] == NULL)
		return "";
	if (http_resolve(base, e->texts[field], url, sizeof(url)))
		return field_url(r->f, url);
	return field_url(r->f, e->texts[field]);
}

/* A DOI inside any text: "doi:10.1101/2026.01.02.574321", "https://x.example/content/10.1101/7v1?rss=1". */
static const char *
find_doi(struct feed_reading *r, const char *text)
{
	const char *at = text != NULL ? strstr(text, "10.") : NULL;
	size_t prefix, len;
	char doi[300];

	for (; at != NULL; at = strstr(at + 3, "10.")) {
		prefix = 3 + strspn(at + 3, "0123456789.");
		if (prefix < 7 || at[prefix] != '/' ||
		    (at > text && isalnum((unsigned char)at[-1])))
			continue;
		for (len = 0;
		     isgraph((unsigned char)at[len]) && strchr("?&#<>\"", at[len]) == NULL;)
			len++;
		if (len <= prefix + 1 || len >= sizeof(doi))
			continue;
		snprintf(doi, sizeof(doi), "%.*s", (int)len, at);
		return field_key(r->f, doi, NULL);
	}
	return NULL;
}

static bool
is_strong(const char *key)
{
	return key != NULL && strncmp(key, "url:", 4) != 0;
}

static bool
is_graphic(const char *text)
{
	while (isgraph((unsigned char)*text))
		text++;
	return *text == '\0';
}

static void
add_key(struct feed_reading *r, struct paper *p, const char *key)
{
	enum { MAX_KEYS = 6 };

	if (key == NULL || strcmp(key, p->key) == 0 || !is_graphic(key))
		return;
	for (size_t i = 0; i < p->naliases; i++)
		if (strcmp(p->aliases[i], key) == 0)
			return;
	if (p->aliases == NULL &&
	    (p->aliases = arena_array(r->f->arena, MAX_KEYS, sizeof(*p->aliases))) == NULL) {
		r->f->nomem = true;
		return;
	}
	if (p->key[0] == '\0')
		p->key = key;
	else if (p->naliases < MAX_KEYS)
		p->aliases[p->naliases++] = key;
}

static void
add_word(struct strbuf *out, const char *text, size_t max)
{
	for (size_t i = 0; i < max && text[i] != '\0'; i++)
		if (isgraph((unsigned char)text[i]))
			strbuf_addc(out, text[i]);
		else
			strbuf_addf(out, "%%%02X", (unsigned)(unsigned char)text[i]);
}

/* "SOURCE:ID" as one word; a very long id is told from others by a hash (FNV-1a). */
static const char *
own_key(struct feed_reading *r, const char *id)
{
	enum { MAX_ID = 100 }; /* three times as long encoded */
	uint64_t hash = 0xcbf29ce484222325u;
	struct strbuf key;
	const char *copy = NULL;

	for (size_t i = 0; id[i] != '\0'; i++)
		hash = (hash ^ (unsigned char)id[i]) * 0x100000001b3u;
	strbuf_init(&key, MAX_URL_BYTES);
	add_word(&key, r->source, MAX_ID / 2);
	strbuf_addc(&key, ':');
	add_word(&key, id, MAX_ID);
	if (strlen(id) > MAX_ID)
		strbuf_addf(&key, "~%016" PRIx64, hash);
	if (key.state == STRBUF_OK)
		copy = arena_strndup(r->f->arena, key.buf, key.len);
	r->f->nomem |= copy == NULL;
	strbuf_release(&key);
	return copy != NULL ? copy : "";
}

/* arXiv, else a DOI, else another id that everybody knows, else its address, else the source's own id. */
static bool
take_keys(struct feed_reading *r, const struct feed_entry *e, struct paper *p)
{
	const char *link = field_key(r->f, p->url, &p->version);
	const char *address = field_url(r->f, e->texts[FEED_ID]);
	const char *id = field_key(r->f, address[0] != '\0' ? address : e->texts[FEED_ID], NULL);
	const char *doi = find_doi(r, e->texts[FEED_DOI]), *own;

	if (doi == NULL)
		doi = find_doi(r, e->texts[FEED_ID]);
	if (doi == NULL)
		doi = find_doi(r, p->url);
	if (is_strong(link) && strncmp(link, "arxiv:", 6) == 0)
		add_key(r, p, link);
	if (is_strong(id) && strncmp(id, "arxiv:", 6) == 0)
		add_key(r, p, id);
	add_key(r, p, doi);
	if (doi != NULL && strncmp(doi, "doi:", 4) == 0)
		p->doi = doi + 4;
	add_key(r, p, is_strong(link) ? link : NULL);
	add_key(r, p, is_strong(id) ? id : NULL);
	add_key(r, p, link);
	add_key(r, p, id);
	own = e->texts[FEED_ID] != NULL ? e->texts[FEED_ID] : p->url;
	if (p->key[0] == '\0' && own[0] != '\0')
		p->key = own_key(r, own);
	return p->key != NULL && p->key[0] != '\0';
}

static void
take_keywords(struct feed_reading *r, const struct feed_entry *e, struct paper *p)
{
	p->keywords = arena_array(r->f->arena, e->ncategories, sizeof(*p->keywords));
	if (p->keywords == NULL) {
		r->f->nomem = true;
		return;
	}
	for (size_t i = 0; i < e->ncategories; i++) {
		const char *text = e->categories[i];
		struct strbuf plain;

		strbuf_init(&plain, 4 * (size_t)MAX_HTML_FIELD);
		feed_add_text(&plain, text, strlen(text), MARKUP_UNKNOWN);
		text = field_latex(r->f, plain.buf, plain.len, MAX_NAME_BYTES);
		strbuf_release(&plain);
		if (text[0] != '\0')
			p->keywords[p->nkeywords++] = text;
	}
}

/* ---- the paper ---- */

/* NULL when it is broken, which *why says, or memory is short. */
static struct paper *
make_paper(struct feed_reading *r, const struct feed_entry *e, const char **why)
{
	struct paper *p = paper_new(r->f->arena);

	if (p == NULL) {
		r->f->nomem = true;
		return NULL;
	}
	p->title = take_text(r, e, FEED_TITLE, MAX_TITLE_BYTES);
	p->abstract = take_abstract(r, e);
	if (p->title[0] == '\0' && p->abstract[0] != '\0')
		p->title = title_from(r, p->abstract);
	if (p->title[0] == '\0') {
		*why = "no title and no text";
		return NULL;
	}
	p->url = take_link(r, e, FEED_LINK);
	if (p->url[0] == '\0' && e->texts[FEED_ID] != NULL)
		p->url = field_url(r->f, e->texts[FEED_ID]);
	if (!take_keys(r, e, p)) {
		*why = "neither id nor link";
		return NULL;
	}
	p->pdf_url = take_link(r, e, FEED_PDF);
	p->discussion_url = take_link(r, e, FEED_DISCUSSION);
	p->thumbnail_url = take_link(r, e, FEED_IMAGE);
	feed_take_authors(r, e, p);
	take_keywords(r, e, p);
	p->venue = take_text(r, e, FEED_JOURNAL, MAX_NAME_BYTES);
	if (p->venue[0] == '\0')
		p->venue = r->title;
	p->language = strncasecmp(r->language, "en", 2) == 0 ? "" : r->language;
	p->published_utc = feed_time(e->texts[FEED_PUBLISHED]);
	p->updated_utc = feed_time(e->texts[FEED_UPDATED]);
	if (p->published_utc == 0)
		p->published_utc = p->updated_utc;
	p->source = r->source;
	p->listed_day = listed_day(r, p->published_utc);
	return p;
}

void
feed_take_entry(struct feed_reading *r, const struct feed_entry *e)
{
	struct source_batch *batch = r->batch;
	const char *why = "";
	struct paper *p = make_paper(r, e, &why);

	r->nentries++;
	if (p == NULL) {
		if (!r->f->nomem)
			batch_add_broken(batch, "entry %zu: %s", r->nentries, why);
		return;
	}
	if (batch->npapers == r->nalloc) {
		size_t nalloc = r->nalloc > 0 ? 2 * r->nalloc : 64;
		struct paper **papers = arena_array(r->f->arena, nalloc, sizeof(*papers));

		if (papers == NULL) {
			r->f->nomem = true;
			return;
		}
		if (batch->npapers > 0)
			memcpy(papers, batch->papers, batch->npapers * sizeof(*papers));
		batch->papers = papers;
		r->nalloc = nalloc;
	}
	batch->papers[batch->npapers++] = p;
}
