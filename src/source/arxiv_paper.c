/* One entry of arXiv, as it stands, to a paper. */
#include "arxiv.h"
#include "fields.h"
#include "digest/date.h"
#include "digest/limits.h"

#include <string.h>
#include <strings.h>

int64_t
arxiv_time(const char *text)
{
	int64_t utc = 0;

	return text != NULL && date_parse(text, &utc, NULL) == 0 ? utc : 0;
}

/* The announcements say the id first, as "oai:arXiv.org:2604.21935v1". */
static const char *
bare_id(const char *text)
{
	static const char oai[] = "oai:arXiv.org:";

	if (text != NULL && strncasecmp(text, oai, sizeof(oai) - 1) == 0)
		return text + sizeof(oai) - 1;
	return text;
}

/* Key and the links that follow from it. */
static bool
read_id(struct fields *f, const struct arxiv_entry *e, struct paper *p)
{
	const char *texts[] = { bare_id(e->texts[ARXIV_ID]), e->texts[ARXIV_LINK] };
	const char *id;

	for (size_t i = 0; i < 2; i++) {
		p->key = field_key(f, texts[i], &p->version);
		if (p->key != NULL && strncmp(p->key, "arxiv:", 6) == 0)
			break;
		p->key = NULL;
	}
	if (p->key == NULL)
		return false;
	id = p->key + 6;
	p->url = arena_printf(f->arena, "https://arxiv.org/abs/%s", id);
	p->pdf_url = arena_printf(f->arena, "https://arxiv.org/pdf/%s", id);
	f->nomem |= p->url == NULL || p->pdf_url == NULL;
	return true;
}

static const char *
clean(struct fields *f, const char *text, size_t max_bytes)
{
	return text != NULL ? field_latex(f, text, strlen(text), max_bytes) : "";
}

/* The announcements begin it with "arXiv:2604.21935v1 Announce Type: new Abstract: ". */
static const char *
read_abstract(struct fields *f, const struct arxiv_entry *e)
{
	const char *text = e->texts[ARXIV_ABSTRACT], *at;

	if (text != NULL && strncmp(text, "arXiv:", 6) == 0 &&
	    (at = strstr(text, "Abstract:")) != NULL && at - text < 200)
		text = at + strlen("Abstract:");
	return clean(f, text, MAX_ABSTRACT_BYTES);
}

/* -1 = the entry says none. */
static int
read_kind(const struct arxiv_entry *e)
{
	static const char *const words[] = {
		[PAPER_NEW] = "new",
		[PAPER_CROSS] = "cross",
		[PAPER_REPLACE] = "replace",
		[PAPER_REPLACE_CROSS] = "replace-cross",
	};

	for (size_t i = 0; e->texts[ARXIV_KIND] != NULL && i < sizeof(words) / sizeof(words[0]);
	     i++)
		if (strcmp(e->texts[ARXIV_KIND], words[i]) == 0)
			return (int)i;
	return -1;
}

/* The primary one first. */
static void
read_categories(struct fields *f, const struct arxiv_entry *e, struct paper *p)
{
	const char *primary = clean(f, e->texts[ARXIV_PRIMARY], MAX_NAME_BYTES);

	p->categories = arena_array(f->arena, e->ncategories + 1, sizeof(*p->categories));
	if (p->categories == NULL) {
		f->nomem = true;
		return;
	}
	if (primary[0] != '\0') {
		p->categories[p->ncategories++] = primary;
		p->primary_known = true;
	}
	for (size_t i = 0; i < e->ncategories; i++) {
		const char *category = clean(f, e->categories[i], MAX_NAME_BYTES);

		if (category[0] != '\0' && strcmp(category, primary) != 0)
			p->categories[p->ncategories++] = category;
	}
}

/* Withdrawn papers stay, with a new version that says so and nothing else. */
static bool
is_withdrawn(const struct paper *p)
{
	static const char *const begins[] = { "this paper has been withdrawn",
		"this article has been withdrawn", "this submission has been withdrawn",
		"this manuscript has been withdrawn", "the paper has been withdrawn",
		"paper withdrawn", "withdrawn by the author" };
	const char *texts[] = { p->comment, p->abstract };

	for (size_t t = 0; t < 2; t++)
		for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++)
			if (strncasecmp(texts[t], begins[i], strlen(begins[i])) == 0)
				return true;
	return false;
}

static void
read_times(const struct arxiv_entry *e, struct paper *p, bool announced)
{
	int64_t published = arxiv_time(e->texts[ARXIV_PUBLISHED]);

	p->updated_utc = arxiv_time(e->texts[ARXIV_UPDATED]);
	if (announced) {
		/* Its dates are those of the announcement; for a new paper that is as near as it gets. */
		p->listed_day = published > 0 ? field_day(published) : 0;
		p->published_utc = p->kind == PAPER_NEW ? published : 0;
		p->updated_utc = published;
	} else {
		p->published_utc = published;
		p->listed_day = published > 0 ? arxiv_day_of_submission(published) : 0;
	}
	if (is_withdrawn(p))
		p->withdrawn_utc = p->updated_utc;
}

static void
read_texts(struct fields *f, const struct arxiv_entry *e, struct paper *p)
{
	const char *doi = field_key(f, e->texts[ARXIV_DOI], NULL);

	p->abstract = read_abstract(f, e);
	p->comment = clean(f, e->texts[ARXIV_COMMENT], MAX_ABSTRACT_BYTES);
	p->journal_ref = clean(f, e->texts[ARXIV_JOURNAL], MAX_TITLE_BYTES);
	if (doi != NULL && strncmp(doi, "doi:", 4) == 0) {
		p->doi = doi + 4;
		p->aliases = arena_array(f->arena, 1, sizeof(*p->aliases));
		if (p->aliases != NULL)
			p->aliases[p->naliases++] = doi;
		f->nomem |= p->aliases == NULL;
	}
	arxiv_read_links(f, e->texts[ARXIV_COMMENT], p);
	arxiv_read_links(f, e->texts[ARXIV_ABSTRACT], p);
}

struct paper *
arxiv_make_paper(struct fields *f, const char *source, const struct arxiv_entry *e, bool *announced,
    const char **why)
{
	struct paper *p = paper_new(f->arena);
	int kind = read_kind(e);

	if (p == NULL) {
		f->nomem = true;
		return NULL;
	}
	if (!read_id(f, e, p)) {
		*why = "its id is none of arXiv";
		return NULL;
	}
	p->title = clean(f, e->texts[ARXIV_TITLE], MAX_TITLE_BYTES);
	if (p->title[0] == '\0') {
		*why = "it has no title";
		return NULL;
	}
	if (e->texts[ARXIV_KIND] != NULL && kind == -1) {
		*why = "its kind of announcement is not known";
		return NULL;
	}
	*announced = kind != -1;
	p->kind = kind != -1 ? (enum paper_kind)kind : PAPER_NEW;
	p->source = source;
	read_texts(f, e, p);
	read_categories(f, e, p);
	arxiv_read_authors(f, e->authors, e->nauthors, e->texts[ARXIV_CREATORS], p);
	read_times(e, p, *announced);
	return p;
}
