/* source.h - remote bytes in, papers out. One table of source types; each says what to ask for next, given what is already
 * known, and reads one answer. Sources never touch the store: the caller keeps their progress and hands it back. */
#ifndef DIGEST_SOURCE_H
#define DIGEST_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "digest/arena.h"
#include "digest/config.h"
#include "digest/error.h"
#include "digest/http.h"
#include "digest/paper.h"

/* What was read before of one page (one URL or file) of a source. */
struct source_page {
	const char *key;	/* stable name of the page within its source: "2026-08-21", a path */
	const char *etag, *last_modified;	/* of the last answer; "" = none */
	int64_t read_utc;	/* when it was last read whole, with all that its answer asked for as well */
};

/* Everything remembered of one source between runs. */
struct source_progress {
	int32_t cursor_day;	/* newest day read to its end; 0 = never read */
	const struct source_page *pages;	/* in the order of their keys */
	size_t npages;
};

/* One thing to ask for. Strings live in the arena of the plan. */
struct source_request {
	const char *key;	/* of its page */
	const char *url;	/* one of these three is set, the others are "" */
	const char *path;	/* a local file */
	const char *command;	/* a program, run by sh -c; what it prints is the answer */
	const char *etag, *last_modified;
	int32_t day;		/* the listing day asked for; 0 = the answer says */
	int32_t since_day;	/* a command is told by DIGEST_SINCE that papers from this day on are wanted; else 0 */
	unsigned page;		/* 0, 1 ... of a listing that comes in several */
	bool may_be_missing;	/* so fresh that the service may not have it yet */
	const char *rest;	/* of source_batch.next: what its type needs to go on from there; NULL = nothing */
};

/* What came back for it, whole. */
struct source_answer {
	const char *bytes;
	size_t len;
	const char *url;	/* where it came from, after redirects; "" = a file or a program */
	const char *content_type;	/* as the service named it, "" = not told */
	const char *link_next;	/* of a Link header with rel="next", absolute; "" = none */
};

/* The papers of one answer. */
struct source_batch {
	struct paper **papers;
	size_t npapers;
	int32_t day;		/* the listing day, 0 = each paper's own */
	size_t nbroken;		/* entries left out; first_broken says why the first was */
	char first_broken[256];
	size_t nreplaced;	/* invalid byte sequences that became U+FFFD */
	char fault[256];	/* what came is broken from some place on: the papers before it count, and the source is told
				   to fail with this sentence; "" = whole */
	int64_t made_utc;	/* when the service says it made this list, 0 = not told */
	bool more;		/* ask for next as well; it is set and lives in the arena */
	struct source_request next;
};

struct source_type {
	const char *name;	/* "huggingface" */
	const char *title;	/* as its readers call it, "Hugging Face"; NULL = it has no name of its own */
	const char *help;	/* one line */
	const char *base_url;	/* of the service, "" = local */
	int64_t interval_s;	/* between two readings of what is new */
	int64_t settle_s;	/* how long after its listing a paper's votes begin to mean something */
	const char *service;	/* all requests of all sources to it are spaced together, whatever the host: "arxiv.org";
				   "" = each host by itself */
	int64_t request_gap_ms;	/* between the beginnings of two requests to the service, of which one runs at a time */
	/* What to ask for now. since_day > 0 asks for a back-fill from that day. force = whatever the intervals say. */
	int (*plan)(const struct config_source *source, const struct source_progress *progress,
	    int64_t now_utc, int32_t since_day, bool force, struct arena *a, struct source_request **out,
	    size_t *n, struct error *err);
	/* Read one whole answer. Papers that are broken are left out and counted; -1 with ERR_DATA when the answer as a
	 * whole is not what this source sends: what was found, where, what was expected. */
	int (*read)(const struct config_source *source, const struct source_request *request,
	    const struct source_answer *answer, int64_t now_utc, struct arena *a, struct source_batch *out,
	    struct error *err);
	/* The sentence for an answer with a status other than 200 and 304: 1 = an answer without papers and no fault
	 * (a day the service does not have yet), -1 = a fault, err says what. */
	int (*status)(const struct source_request *request, long status, const char *bytes, size_t len,
	    struct error *err);
	/* What to ask for to get one paper by its key: 1, 0 = not by such a key, -1. NULL = never by a key. */
	int (*ask_paper)(const struct config_source *source, const char *key, struct arena *a,
	    struct source_request *out, struct error *err);
	/* Whether the source would list such a paper on its day. NULL = the paper does not say. */
	bool (*brings)(const struct config_source *source, const struct paper *p);
};

/* The types one after the other; NULL after the last. */
const struct source_type *source_type_at(size_t i);
/* NULL with a suggestion in err when there is no such type. */
const struct source_type *source_type_find(const char *name, struct error *err);

/*
 * Whether a wait is over since something was read (0 = never), or the clock went back behind that. A twentieth early it is: a
 * cron job that starts a few seconds sooner than last time must not wait for the next.
 */
bool	source_is_due(int64_t last_utc, int64_t wait_s, int64_t now_utc);

/*
 * What readers are told as its name: its own; of a block that is named after its type that of the service, with the
 * categories that are read: "Hugging Face", "arXiv cs.CV", "arXiv (cs.CL, cs.LG)". NULL when memory is short.
 */
const char *source_title(const struct config_source *source, struct arena *a);

/* The source that papers of `digest import` come from, unless their lines name another. */
#define SOURCE_IMPORT "import"

/*
 * Read papers in our own JSON-lines form (digest-source(7)), as `digest import` and the types file and command do. Broken
 * lines are counted, first_broken names the first by its number, and the others are kept; -1 only when memory is short.
 * source	its name; NULL = an import: each paper keeps the source that its line names (else SOURCE_IMPORT), and
 *		one that tells no day has no listing (listed_day 0) in place of one of today, so that nobody is mailed it
 */
int	source_read_lines(const char *source, const char *bytes, size_t len, int64_t now_utc, struct arena *a,
	    struct source_batch *out, struct error *err);

/*
 * Read the papers of a file whatever it holds: JSON lines or a saved answer of any type, told apart by how it begins.
 * source	as above
 * path		it came from: named by errors, and a day in it ("2026-08-21.json") is that of an answer that tells none
 * Fails as the read of a type does; an empty file has no papers and is no error.
 */
int	source_read_saved(const char *source, const char *path, const char *bytes, size_t len, int64_t now_utc,
	    struct arena *a, struct source_batch *out, struct error *err);
/* One paper as a line of that form, newline included. */
void	source_add_line(struct strbuf *out, const struct paper *p);

#endif
