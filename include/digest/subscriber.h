/* subscriber.h - a reader: an address with a name, a zone, a schedule and filters. A plain record that every stage
 * may read; strings live in the arena of whoever made it, "" when not given, never NULL. */
#ifndef DIGEST_SUBSCRIBER_H
#define DIGEST_SUBSCRIBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sort_order { SORT_BEST, SORT_RELEVANCE, SORT_VOTES, SORT_TRENDING, SORT_NEWEST };
enum empty_policy { EMPTY_SKIP, EMPTY_NOTE, EMPTY_NEVER };
enum updates_policy { UPDATES_WITHDRAWN, UPDATES_ALL, UPDATES_OFF };
enum reader_origin { ORIGIN_FILE, ORIGIN_COMMAND, ORIGIN_MAIL };

/* A named query; one filter is one section of the digest. */
struct filter {
	const char *name;
	const char *match;	/* text of the query; "" = the shared filter of that name (config only) */
	uint32_t limit;		/* papers at most; 0 = the reader's limit */
	enum sort_order sort;
	bool sort_given;	/* for merging with a shared filter */
	const char *when;	/* own schedule, "" = the reader's */
	const char *file;	/* where it stands, for messages about the query; "" = not from a file */
	uint32_t line, column;	/* of the first byte of the query text */
};

/* What a reader without filters gets. */
extern const struct filter filter_trending;
/* Its name; a digest shows it in the reader's language. */
#define DEFAULT_FILTER_NAME	"Trending papers"

/* Number of the filter called name among n, which is n when none is. */
size_t	filter_find(const struct filter *filters, size_t n, const char *name);

struct subscriber {
	int64_t id;		/* the store's number; 0 = not stored yet */
	const char *address;	/* as written: local@domain */
	const char *canonical;	/* identity: case-folded local part + '@' + A-label domain */
	const char *name;
	const char *timezone;	/* IANA name */
	const char *when;	/* "daily", "weekdays 07:30", "always" ... */
	const char *language;	/* "en" */
	const char *was;	/* identity of the former address, whose history this one takes over */
	uint32_t limit;		/* papers per filter */
	uint32_t max_papers;	/* papers per edition */
	uint32_t outside;	/* popular papers outside the filters */
	enum empty_policy empty;
	enum updates_policy updates;
	int32_t paused_until;	/* day since 1970 on which mail starts again; 0 = not paused */
	enum reader_origin origin;
	const char *file;	/* of the block, "" = not from a file */
	uint32_t line;
	struct filter *filters;
	size_t nfilters;
};

#endif
