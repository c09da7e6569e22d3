/* feed.h - what the files of type feed share: an entry as it stands in a feed of any form, and the paper made of it. */
#ifndef DIGEST_FEED_H
#define DIGEST_FEED_H

#include "fields.h"
#include "digest/limits.h"

/* What an entry has once. */
enum feed_text {
	FEED_ID,	/* guid, id */
	FEED_LINK,
	FEED_TITLE,
	FEED_SUMMARY,
	FEED_CONTENT,
	FEED_PUBLISHED,
	FEED_UPDATED,
	FEED_DOI,	/* prism:doi, dc:identifier */
	FEED_JOURNAL,
	FEED_PDF,
	FEED_DISCUSSION,
	FEED_IMAGE,
	FEED_NTEXTS
};

/* What its form says of a text. Where it says nothing (RSS), feed_add_text() looks. */
enum feed_markup { MARKUP_UNKNOWN, MARKUP_PLAIN, MARKUP_HTML };

struct feed_entry {
	const char *texts[FEED_NTEXTS];	/* NULL = none */
	enum feed_markup markup[FEED_NTEXTS];
	const char *base;	/* its links are relative to it, "" = none */
	const char *authors[MAX_AUTHORS];
	const char *categories[MAX_LIST];
	size_t nauthors, ncategories;
};

/* One reading of a feed. */
struct feed_reading {
	struct fields *f;
	const struct config_source *config;
	const char *source;	/* its name, in the arena of f */
	int64_t now_utc;
	bool known;		/* the source was read before: an entry with an old date is news all the same */
	struct source_batch *batch;
	size_t nalloc, nentries;
	const char *base;	/* of the feed: where it came from */
	const char *title, *language;	/* of the feed, "" = none yet */
};

/* Read a feed in XML (RSS 0.9 to 2.0, RSS 1.0, Atom) or JSON (JSON Feed 1 and 1.1) into r->batch. Fails with ERR_DATA. */
int	feed_read_xml(struct feed_reading *r, const struct source_answer *answer, struct error *err);
int	feed_read_json(struct feed_reading *r, const struct source_answer *answer, struct error *err);

/* The paper of an entry into the batch; broken ones are counted there. */
void	feed_take_entry(struct feed_reading *r, const struct feed_entry *e);

/* The authors of an entry into p, in order, last names last. */
void	feed_take_authors(struct feed_reading *r, const struct feed_entry *e, struct paper *p);

/*
 * Append text as plain text. HTML where its form says so; where it says nothing, a text is HTML when it holds a tag or
 * character reference of HTML. Text that was escaped twice is unpacked twice. LaTeX stays.
 */
void	feed_add_text(struct strbuf *out, const char *text, size_t len, enum feed_markup markup);

/* A date in any of the ways feeds write it; 0 when it is none. */
int64_t	feed_time(const char *text);

/* The feed an HTML page names by <link rel="alternate">, absolute, in a: NULL = none, or memory is short. */
const char *feed_find_link(const char *page, size_t len, const char *url, struct arena *a);

#endif
