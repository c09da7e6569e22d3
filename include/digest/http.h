/* http.h - bounded GETs over libcurl, as many at once as are started. http and https only, also after a redirect; every connection is checked by
 * its numeric address before it is made, so that no name, spelling or redirect reaches a private host; decoded bytes are
 * counted; proxy variables, .netrc and cookies of the environment are ignored. */
#ifndef DIGEST_HTTP_H
#define DIGEST_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "digest/error.h"
#include "digest/strbuf.h"

struct http;
struct http_job;	/* a GET on its way */
struct pollfd;

struct http_options {
	int64_t timeout_s;	/* of one request from start to end, 1..600 */
	size_t max_body;	/* decoded bytes */
	const char *contact;	/* goes into the user agent, "" = none: "digest/0.1.0 (+contact)" */
	const char *proxy;	/* URL, "" = none; reached wherever it is. It resolves names itself, so through it only
				   hosts written as an address are checked */
	const char *const *allow_private;	/* CIDRs that are reached although private: "127.0.0.0/8" */
	size_t nallow_private;
};

struct http_answer {
	long status;		/* 200, 304, 404 ...; redirects are already followed */
	struct strbuf body;	/* decoded */
	char url[2048];		/* it came from, after redirects */
	char etag[256];		/* as sent, "" = none or too long; of a 304 without one, that of the request */
	char last_modified[64];
	char content_type[128];
	char next[2048];	/* target of a Link header with rel="next", absolute, "" = none */
	int64_t retry_after_s;	/* of Retry-After, at most 86400; 0 = none */
	int64_t quota_left;	/* of the RateLimit headers, -1 = unknown */
	int64_t quota_reset_s;
};

/* options and what it points to must outlive the client. Fails with ERR_CONFIG (a CIDR) or ERR_NOMEM. */
int	http_new(const struct http_options *options, struct http **out, struct error *err);
void	http_free(struct http *http);

void	http_answer_init(struct http_answer *answer, size_t max_body);
void	http_answer_release(struct http_answer *answer);

struct http_request {
	const char *url;
	const char *etag, *last_modified;	/* of the last answer make the request conditional, "" = not */
	int64_t timeout_s;	/* 0 = that of the client */
};

/*
 * Begin to ask. The strings are copied; answer must live until http_end. -1: nothing was begun, err says why.
 * Jobs are moved on by http_wait alone.
 */
int	http_start(struct http *http, const struct http_request *request, struct http_answer *answer,
	    struct http_job **out, struct error *err);
/*
 * Move all jobs on; sleeps until something comes or timeout_ms have passed, or one of n descriptors of the caller's (pipes of
 * child processes) is ready, as their revents then say. Fails with ERR_NOMEM.
 */
int	http_wait(struct http *http, struct pollfd *fds, size_t n, int timeout_ms, struct error *err);
bool	http_is_done(const struct http_job *job);
/* The outcome of a job, as of http_get; frees it. One that is not done is broken off (-1). NULL does nothing. */
int	http_end(struct http_job *job, struct error *err);

/*
 * Ask for a URL and wait for the answer. etag and last_modified of the last answer make the request conditional ("" = not).
 * Returns 0 with any status that came back whole; -1 with ERR_NET when the host was not reached, was refused by the address
 * guard, answered too slowly, too much or not to the end: "export.arxiv.org: no answer within 20 s".
 * At most MAX_HTTP_REDIRECTS redirects are followed, never from https to http; timeout_s bounds all of them together.
 * Other jobs of the client are moved on meanwhile.
 */
int	http_get(struct http *http, const char *url, const char *etag, const char *last_modified,
	    struct http_answer *answer, struct error *err);

/*
 * The http or https URL that a reference in a document of that address means (RFC 3986 5). Returns false when it is none, holds a user name or does not fit.
 */
bool	http_resolve(const char *base, const char *reference, char *out, size_t size);

/*
 * Whether a connection to a numeric address is allowed: false for loopback, private, link-local, shared, multicast,
 * reserved and unspecified ranges, their IPv4-mapped, 6to4 and NAT64 forms included, unless a CIDR allows it.
 */
struct sockaddr;
bool	http_address_allowed(const struct http *http, const struct sockaddr *address);

#endif
