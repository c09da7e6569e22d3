/* arxiv.h - the parts of source type arxiv: its calendar, the addresses it asks, and the reader of its answers. */
#ifndef DIGEST_ARXIV_H
#define DIGEST_ARXIV_H

#include "digest/limits.h"
#include "digest/source.h"

/* ---- arxiv_calendar.c: announcements are dated by the day, Monday to Friday, that begins with them in US Eastern time ---- */

/* The announcement in force at a moment. */
int32_t	arxiv_day_at(int64_t utc);
/* The announcement before and after a day. */
int32_t	arxiv_day_before(int32_t day);
int32_t	arxiv_day_after(int32_t day);
/* What was submitted from *from to before *to is announced on the day (help/availability: deadline at 14:00 Eastern). */
void	arxiv_submissions(int32_t day, int64_t *from, int64_t *to);
/* The day on which what was submitted at a moment is announced, holidays aside. */
int32_t	arxiv_day_of_submission(int64_t utc);

/* ---- arxiv_api.c: what to ask ---- */

/* Complain of categories and kinds of announcement that are none; ERR_CONFIG with file and line. */
int	arxiv_check_config(const struct config_source *source, struct error *err);
/* The kinds wanted, as bits 1 << enum paper_kind. */
unsigned arxiv_kinds(const struct config_source *source);
/* Whether one of the categories of a source is this one, or its archive. */
bool	arxiv_has_category(const struct config_source *source, const char *category);

/* Each fills *r, strings in a; -1 with err. The announcement; a page of what was submitted for a day. */
int	arxiv_ask_feed(const struct config_source *source, struct arena *a, struct source_request *r,
	    struct error *err);
int	arxiv_ask_day(const struct config_source *source, int32_t day, unsigned page, struct arena *a,
	    struct source_request *r, struct error *err);
/*
 * The next of the papers in rest: "n2604.21935 c2402.10149 ...", a letter for the kind of the listing before each id. r->rest
 * gets them too, a ';' behind those that are asked for.
 */
int	arxiv_ask_papers(const struct config_source *source, int32_t day, unsigned page, const char *rest,
	    struct arena *a, struct source_request *r, struct error *err);
/* The kind that rest has for an id, PAPER_NEW when it has none. */
enum paper_kind arxiv_kind_in(const char *rest, const char *id);
/* What of rest has not been asked for yet; "" = all has. */
const char *arxiv_left_in(const char *rest);
/* Append one paper to a rest. */
void	arxiv_add_rest(struct strbuf *rest, const struct paper *p);

enum { ARXIV_PAGE_ENTRIES = 500, ARXIV_MAX_PAGES = 40 };

/* ---- arxiv_parts.c: what people write into a field ---- */

struct fields;

/*
 * Authors: each name of names, and of creators, a list with commas ("A. Bee, C. Dee, Jr."). Affiliations in brackets go, LaTeX
 * and double encoding are undone.
 */
void	arxiv_read_authors(struct fields *f, const char *const *names, size_t n, const char *creators,
	    struct paper *p);
/* The first repository of code, and the first page at a host of project pages, named in text, where p has none yet. */
void	arxiv_read_links(struct fields *f, const char *text, struct paper *p);

/* ---- arxiv_paper.c: an entry becomes a paper ---- */

/* Texts of an entry that come once. */
enum {
	ARXIV_ID,
	ARXIV_LINK,
	ARXIV_TITLE,
	ARXIV_ABSTRACT,
	ARXIV_PUBLISHED,
	ARXIV_UPDATED,
	ARXIV_KIND,
	ARXIV_CREATORS,		/* all authors in one text */
	ARXIV_COMMENT,
	ARXIV_JOURNAL,
	ARXIV_DOI,
	ARXIV_PRIMARY,
	ARXIV_NTEXTS,
};

/* An entry as it stands. */
struct arxiv_entry {
	const char *texts[ARXIV_NTEXTS];	/* NULL = missing */
	const char *categories[MAX_LIST];
	size_t ncategories;
	const char *authors[MAX_AUTHORS];
	size_t nauthors;
};

/* A time of arXiv; 0 for NULL and for what is none. */
int64_t	arxiv_time(const char *text);

/*
 * The paper of an entry.
 * *announced	whether the entry says kind and day of its listing; else the kind is to be found, the day is a guess
 * NULL when memory is short (f->nomem) or the entry is broken, which *why says then.
 */
struct paper *arxiv_make_paper(struct fields *f, const char *source, const struct arxiv_entry *e,
	    bool *announced, const char **why);

/* ---- arxiv_entries.c: what came back ---- */

/* Every entry of one answer of the feeds (RSS, Atom) or the API. */
struct arxiv_list {
	struct paper **papers;
	bool *announced;	/* the entry says its kind and day; of the others the caller finds out */
	size_t n, nalloc;
	size_t nentries;	/* broken ones too */
	int64_t published_utc;	/* of the list; 0 = not told */
	int64_t made_utc;
	int64_t total, start;	/* of an answer of the API: papers that match, number of the first; -1 = not told */
	char said[200];		/* an error of the API in its own words, "" = none */
};

/*
 * Read an answer. Broken entries are left out and counted in batch, so is what broke off; -1 with err when it is no answer of
 * arXiv at all.
 */
int	arxiv_read_list(struct fields *f, const char *source, const struct source_answer *answer,
	    struct arxiv_list *out, struct source_batch *batch, struct error *err);

#endif
