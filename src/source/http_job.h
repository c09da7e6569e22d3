/* http_job.h - what the files of the HTTP client share: one GET, from its first hop to its last. */
#ifndef DIGEST_HTTP_JOB_H
#define DIGEST_HTTP_JOB_H

#include "digest/http.h"
#include "guard.h"

#include <curl/curl.h>

enum {
	HTTP_MAX_RATIO = 100,	/* decoded to sent; JSON and XML pack 20 times at most */
	HTTP_MIN_BYTES_PER_S = 10,	/* slower than this for HTTP_STALL_S is a slow-loris */
	HTTP_STALL_S = 60,
	HTTP_HOST_SIZE = 300,
};

/* Why a callback stopped a transfer; libcurl itself only knows "write error". */
enum http_stop { STOP_NONE, STOP_HEADER, STOP_BODY, STOP_RATIO, STOP_NOMEM };

/* The parts of the URL a hop goes to. */
struct http_target {
	CURLU *url;
	bool https;
	char host[HTTP_HOST_SIZE];	/* "example.org:8080", for messages */
};

struct http {
	const struct http_options *options;
	CURLM *multi;
	struct cidr *allowed;
	size_t nallowed;
	char user_agent[256];
	struct curl_waitfd *fds;	/* room for the caller's descriptors */
	size_t nfds;
};

struct http_job {
	struct http *http;
	CURL *curl;
	struct http_answer *answer;
	struct http_target target;
	struct curl_slist *headers;
	char etag[256], last_modified[64];	/* of the request; "" = none */
	int64_t timeout_ms, deadline_ms;	/* of all hops together */
	int nredirects;
	/* Of the hop that is running. */
	size_t header_bytes;
	enum http_stop stop;
	char refused[128];	/* the address the guard refused last, and why; "" = none */
	bool reached;		/* an address was allowed */
	bool again;		/* this is the second try, after a stale connection */
	bool added;		/* to the multi handle */
	/* The outcome. */
	bool done;
	struct error fault;	/* kind ERR_NONE: the answer is whole */
};

/* ---- http_url.c ---- */

/*
 * Take apart the URL of the first hop or of a redirect. Names and passwords in it are refused: nothing says they may
 * go over this wire, and they would end up in logs.
 */
int	http_set_target(struct http_target *t, const char *url, bool redirect, struct error *err);
/* Hosts written as an address, which a proxy would be asked for without the guard seeing it. */
int	http_check_behind_proxy(const struct http *http, const struct http_target *t, struct error *err);
/* Make the target of a Link header absolute (RFC 3986 5); what is not http or https afterwards is no next page. */
void	http_resolve_next(struct http_answer *answer, CURLU *base);

/* ---- http_error.c ---- */

/* How many decoded bytes the answer may have. */
size_t	http_body_bound(const struct http_job *job);
/* The sentence for a hop that ended with a code of libcurl's. Always -1. */
int	http_transfer_error(struct http_job *job, CURLcode code, int64_t elapsed_ms, struct error *err);
int	http_timeout_error(const struct http_job *job, int64_t elapsed_ms, struct error *err);
/* The sentence that follows an address which was not asked. */
extern const char http_guard_cure[];

#endif
