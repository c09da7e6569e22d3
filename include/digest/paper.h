/* paper.h - one work, whatever the number of sources and versions it came by. A plain record that every stage
 * may read; all strings are clean UTF-8 (text_add_clean), "" when unknown, never NULL, and live in the arena of
 * whoever made the record. */
#ifndef DIGEST_PAPER_H
#define DIGEST_PAPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "digest/arena.h"
#include "digest/error.h"
#include "digest/strbuf.h"

/* How a listing came: the announcement types of arXiv; PAPER_NEW where a source knows none. */
enum paper_kind { PAPER_NEW, PAPER_CROSS, PAPER_REPLACE, PAPER_REPLACE_CROSS };

struct paper {
	int64_t id;		/* the store's number; 0 = not stored yet */
	const char *key;	/* "arxiv:2312.00752" (no version), else "doi:10.1000/xyz" (lower case), else "pmid:123",
				   else "openreview:rJl-b3RcF7", else "<source>:<its own id>" */
	const char **aliases;	/* other keys known to mean the same work */
	size_t naliases;

	const char *title;	/* one line, LaTeX already Unicode */
	const char *abstract;	/* running text */
	const char *summary;	/* one sentence of the source, e.g. by a machine */
	const char *summary_by;	/* who wrote it: "AI", a model's name, or "" */
	const char **authors;	/* as printed, in order */
	size_t nauthors;
	const char *org;
	const char **categories;/* "cs.CV"; the first is the primary one when primary_known */
	size_t ncategories;
	bool primary_known;
	const char **keywords;
	size_t nkeywords;
	const char *comment;	/* of the authors: pages, conference, links */
	const char *journal_ref;
	const char *venue;
	const char *language;	/* BCP 47 of title and abstract, "" = English or unknown */

	const char *url;	/* the abstract page; all links are http or https */
	const char *html_url, *pdf_url, *code_url, *project_url, *discussion_url;
	const char *thumbnail_url, *media_url;
	const char *doi;	/* without "doi:", lower case */
	uint32_t version;	/* 1, 2, ...; 0 = unknown */

	int64_t published_utc;	/* first version; seconds since 1970, 0 = unknown */
	int64_t updated_utc;	/* newest version */
	int64_t withdrawn_utc;	/* 0 = not withdrawn */

	/* Signals: the newest value, -1 = never seen. */
	int64_t votes, comments, stars;

	/* The listing this record came by (from a source), or the newest one that counts (from the store). */
	const char *source;	/* name of the source */
	enum paper_kind kind;
	int32_t listed_day;	/* day of the listing in UTC, days since 1970 */
	uint32_t rank;		/* place by votes in that day's listing, 1 = first; 0 = unknown */

	/* Known to the store only; 0 in a record from a source. */
	const char **sources;	/* names of all sources that listed it */
	size_t nsources;
	int64_t first_listed_utc;	/* when its first listing counted as listed */
	bool late;		/* that listing was read too late to make it new: a back-fill, an import */
	int64_t change_seq;	/* grows with every new listing, replacement, field or signal */
	uint32_t revision;	/* of what a card shows; picks refer to it */
	double trend;		/* decayed sum of vote increments, see digest-filter(7) */
};

/* Bytes of a text of a paper that a query has found. */
enum paper_text { PAPER_TITLE, PAPER_SUMMARY, PAPER_ABSTRACT };
struct paper_mark {
	enum paper_text text;
	uint32_t start, end;
};

/* An empty record: every string "", signals -1. NULL when the arena is full. */
struct paper *paper_new(struct arena *a);

/*
 * What a card may show (title ... thumbnail_url, dates, version, signals), as bytes to freeze and to hash,
 * and back. The form is our own, versioned, the same on every machine. Reading fails with ERR_DATA.
 */
void	paper_pack(struct strbuf *out, const struct paper *p);
int	paper_unpack(const void *bytes, size_t len, struct arena *a, struct paper **out, struct error *err);

/*
 * The key of an id in any of its spellings:
 *	arXiv		"2312.00752v2", "arXiv:2312.00752", "math.AG/0306266", "https://arxiv.org/pdf/2312.00752",
 *			"10.48550/arXiv.2312.00752"	arxiv:2312.00752
 *	DOI		"10.1000/X", "https://doi.org/10.1000/x"		doi:10.1000/x
 *	PubMed		"PMID: 123", "https://pubmed.ncbi.nlm.nih.gov/123/"	pmid:123
 *	OpenReview	"https://openreview.net/forum?id=rJl-b3RcF7"		openreview:rJl-b3RcF7
 *	any other link	"http://Lab.example/7/?utm_source=x#top", without scheme, fragment, tracking parameters, trailing
 *			slash; a host alone is no key			url:lab.example/7
 * A key of these kinds is given back as it is.
 * version (may be NULL) gets the version named, or 0.
 * Returns 1 and appends the key, or 0 when text is none of these.
 */
int	paper_add_key(struct strbuf *out, const char *text, uint32_t *version);

#endif
