/* fetch.h - what the two files of the fetch step share. fetch.c moves all sources on together, in one thread: who may ask
 * when, and waiting. fetch_source.c is one source on its way: its plan, its answers, what it leaves in the store. */
#ifndef DIGEST_RUN_FETCH_H
#define DIGEST_RUN_FETCH_H

#include "digest/child.h"
#include "stages.h"

/* Who is asked: all sources of a service ask one after another, spaced by its gap. */
struct fetch_service {
	struct fetch_service *next;
	char name[MAX_FETCH_SERVICE];	/* "arxiv.org", "127.0.0.1:8080" */
	bool busy;		/* a request waits for its moment or is on its way */
	int64_t not_before_ms;	/* it asked for a pause */
};

enum fetch_phase {
	FETCH_DONE,
	FETCH_WAITING,		/* its next request needs a place in the queue */
	FETCH_QUEUED,		/* it may begin at begin_ms */
	FETCH_ASKING,		/* on its way */
};

/* One source on its way through a run. */
struct fetcher {
	struct run *run;
	const struct config_source *cfg;
	const struct source_type *type;
	struct store_source *state;
	struct run_source_report *report;
	struct arena arena;	/* of the plan */
	struct arena pages;	/* of the further pages of one planned request */
	struct arena scratch;	/* of one answer's papers */
	int64_t now_utc;
	int64_t gap_ms;		/* before each request; > 0 = by a place in the queue that all processes and runs share */
	int64_t last_try_utc;	/* before this one */
	int32_t newest_day;	/* on which it listed a paper before this */
	struct source_request *requests;
	size_t nrequests, at;	/* planned ones, and which of them is being worked on */
	struct source_request more;	/* the further page that is next; key "" = none */
	struct store_page first;	/* of the planned request, while its further pages are read */
	unsigned npages;	/* answers to the planned request so far */
	struct http_answer answer;
	/* The newest list of those read now. */
	const char *newest;
	int64_t newest_utc;
	int32_t list_day;
	uint32_t nlisted;
	int64_t made_utc;
	char fault[256];	/* of an answer whose papers were taken in all the same; "" = none */
	/* On its way. */
	enum fetch_phase phase;
	struct fetch_service *service;	/* of the request; NULL = none is asked */
	int64_t begin_ms;
	struct http_job *job;
	struct child child;
	int64_t child_end_ms;
};

/* ---- fetch_source.c ---- */

/* Load what is known of the source and plan its requests; its phase says whether there is one. -1 for the store. */
int	fetcher_open(struct fetcher *f, const struct run_fetch_options *options, struct error *err);
void	fetcher_close(struct fetcher *f);
int64_t	fetcher_interval(const struct fetcher *f);
/* What to ask for next. */
const struct source_request *fetcher_request(struct fetcher *f);
/* The answer of the request is there: read it, save it, go on to the next one. fresh: not out of the cache. -1 for the store. */
int	fetcher_take(struct fetcher *f, struct error *err);
/* The source failed: it ends here, with what it got. -1 for the store. */
int	fetcher_fail(struct fetcher *f, enum source_fault kind, const struct error *fault, struct error *err);
/* Its time is over, without a fault: it keeps what it got and goes on at the next run. */
int	fetcher_cut(struct fetcher *f, struct error *err);

#endif
