#include "digest/http.h"

#include "digest/clock.h"
#include "digest/limits.h"
#include "header.h"
#include "http_job.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
	RATIO_FREE_BYTES = 1024 * 1024, /* a bomb this small does no harm */
	CONNECT_S = 30,
	MAX_RETRY_AFTER_S = 86400,
	WAIT_MS = 1000, /* libcurl's own timers end a wait sooner */
	MS = 1000,
};

static size_t
on_header(char *line, size_t size, size_t n, void *arg)
{
	struct http_job *job = arg;

	n *= size;
	job->header_bytes += n;
	if (job->header_bytes > MAX_HTTP_HEADER) {
		job->stop = STOP_HEADER;
		return 0;
	}
	header_read_line(job->answer, line, n);
	return n;
}

/* Bytes are counted here, after decoding: CURLOPT_MAXFILESIZE sees neither chunks nor what gzip becomes. */
static size_t
on_body(char *bytes, size_t size, size_t n, void *arg)
{
	struct http_job *job = arg;
	struct strbuf *body = &job->answer->body;
	curl_off_t sent = 0;

	n *= size;
	if (n > http_body_bound(job) - body->len)
		job->stop = STOP_BODY;
	else
		strbuf_addn(body, bytes, n);
	if (body->state != STRBUF_OK)
		job->stop = STOP_NOMEM;
	curl_easy_getinfo(job->curl, CURLINFO_SIZE_DOWNLOAD_T, &sent);
	if (body->len > RATIO_FREE_BYTES && (curl_off_t)body->len / HTTP_MAX_RATIO > sent)
		job->stop = STOP_RATIO;
	return job->stop == STOP_NONE ? n : 0;
}

/* Called with the numeric address of every connection, so a name cannot be public when asked and private when used. */
static curl_socket_t
on_open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct http_job *job = arg;
	const struct http *http = job->http;
	const char *range;
	char text[64];

	(void)purpose;
	/* With a proxy this is the proxy's address, which a person configured. */
	if (http->options->proxy[0] == '\0' &&
	    (range = guard_refusal(http->allowed, http->nallowed, &address->addr)) != NULL) {
		guard_format(&address->addr, text, sizeof(text));
		snprintf(job->refused, sizeof(job->refused), "%s is a %s address", text, range);
		return CURL_SOCKET_BAD;
	}
	job->reached = true;
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static void
restrict_protocols(CURL *curl)
{
#if LIBCURL_VERSION_NUM >= 0x075500
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
#else
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS);
#endif
}

/* What holds for every request. Redirects are followed by us, so that each hop is checked and counted. */
static void
set_options(struct http_job *job)
{
	const struct http_options *o = job->http->options;
	long timeout_s = (long)(job->timeout_ms / 1000);
	CURL *curl = job->curl;

	restrict_protocols(curl);
	curl_easy_setopt(curl, CURLOPT_PRIVATE, job);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(curl, CURLOPT_PROXY, o->proxy); /* "" also switches the variables off */
	curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "");
	curl_easy_setopt(curl, CURLOPT_USERAGENT, job->http->user_agent);
	curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)o->max_body);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, (long)HTTP_MIN_BYTES_PER_S);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)HTTP_STALL_S);
	curl_easy_setopt(
	    curl, CURLOPT_CONNECTTIMEOUT, timeout_s < CONNECT_S ? timeout_s : CONNECT_S);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, job);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, job);
	curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
	curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, job);
}

static int
set_user_agent(struct http *http, struct error *err)
{
	const char *contact = http->options->contact;
	int n;

	for (const char *s = contact; *s != '\0'; s++)
		if ((unsigned char)*s < 0x20 || (unsigned char)*s > 0x7e)
			return err_set(err, ERR_CONFIG,
			    "fetch.contact: '%s' holds a character that cannot stand in a header; "
			    "expected plain ASCII",
			    contact);
	n = snprintf(http->user_agent, sizeof(http->user_agent), "digest/" DIGEST_VERSION "%s%s%s",
	    *contact != '\0' ? " (+" : "", contact, *contact != '\0' ? ")" : "");
	if (n < 0 || (size_t)n >= sizeof(http->user_agent))
		return err_set(err, ERR_CONFIG,
		    "fetch.contact: '%s' is too long; expected at most 200 bytes", contact);
	return 0;
}

static int
set_allowed(struct http *http, struct error *err)
{
	const struct http_options *o = http->options;

	http->allowed = calloc(o->nallow_private + 1, sizeof(*http->allowed));
	if (http->allowed == NULL)
		return err_nomem(err, "http");
	for (size_t i = 0; i < o->nallow_private; i++)
		if (guard_parse_cidr(o->allow_private[i], &http->allowed[i], err) == -1)
			return -1;
	http->nallowed = o->nallow_private;
	return 0;
}

int
http_new(const struct http_options *options, struct http **out, struct error *err)
{
	struct http *http = calloc(1, sizeof(*http));

	/* Counted inside libcurl: each client does it once and undoes it once. */
	if (http == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		free(http);
		return err_nomem(err, "http");
	}
	http->options = options;
	if (set_user_agent(http, err) == -1 || set_allowed(http, err) == -1)
		goto fail;
	if ((http->multi = curl_multi_init()) == NULL) {
		err_nomem(err, "http");
		goto fail;
	}
	*out = http;
	return 0;
fail:
	http_free(http);
	return -1;
}

void
http_free(struct http *http)
{
	if (http == NULL)
		return;
	curl_multi_cleanup(http->multi);
	curl_global_cleanup();
	free(http->allowed);
	free(http->fds);
	free(http);
}

void
http_answer_init(struct http_answer *answer, size_t max_body)
{
	memset(answer, 0, sizeof(*answer));
	strbuf_init(&answer->body, max_body);
	answer->quota_left = -1;
}

void
http_answer_release(struct http_answer *answer)
{
	strbuf_release(&answer->body);
}

bool
http_address_allowed(const struct http *http, const struct sockaddr *address)
{
	return guard_refusal(http->allowed, http->nallowed, address) == NULL;
}

static int
add_condition(struct curl_slist **headers, const char *name, const char *value, struct error *err)
{
	char line[300];
	struct curl_slist *more;

	if (value[0] == '\0' || strpbrk(value, "\r\n") != NULL)
		return 0;
	snprintf(line, sizeof(line), "%s: %s", name, value);
	if ((more = curl_slist_append(*headers, line)) == NULL)
		return err_nomem(err, "http");
	*headers = more;
	return 0;
}

/*
 * A connection kept from before may be closed by the server at the very moment it is used again: nothing came, nothing
 * was asked, and a new connection is the cure (RFC 9112 9.3.1). libcurl does so itself, but not in every case.
 */
static bool
was_stale(const struct http_job *job, CURLcode code)
{
	long nconnects = 1;

	if (job->again ||
	    (code != CURLE_SEND_ERROR && code != CURLE_RECV_ERROR && code != CURLE_GOT_NOTHING))
		return false;
	curl_easy_getinfo(job->curl, CURLINFO_NUM_CONNECTS, &nconnects);
	return nconnects == 0 && job->header_bytes == 0;
}

/* The hop is over: with an error, or with the whole answer. */
static void
leave_multi(struct http_job *job)
{
	if (job->added)
		curl_multi_remove_handle(job->http->multi, job->curl);
	job->added = false;
}

static int
ask(struct http_job *job, bool again, struct error *err)
{
	int64_t left_ms = job->deadline_ms - clock_monotonic_ms();

	strbuf_reset(&job->answer->body);
	job->header_bytes = 0;
	job->stop = STOP_NONE;
	job->refused[0] = '\0';
	job->reached = false;
	job->again = again;
	if (http_check_behind_proxy(job->http, &job->target, err) == -1)
		return -1;
	if (left_ms <= 0)
		return http_timeout_error(job, job->timeout_ms, err);
	curl_easy_setopt(job->curl, CURLOPT_CURLU, job->target.url);
	curl_easy_setopt(job->curl, CURLOPT_HTTPHEADER, job->headers);
	curl_easy_setopt(job->curl, CURLOPT_TIMEOUT_MS, (long)left_ms);
	curl_easy_setopt(job->curl, CURLOPT_FRESH_CONNECT, again ? 1L : 0L);
	if (curl_multi_add_handle(job->http->multi, job->curl) != CURLM_OK)
		return err_nomem(err, "http");
	job->added = true;
	return 0;
}

static bool
is_redirect(long status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static void
finish_answer(struct http_job *job)
{
	struct http_answer *answer = job->answer;
	curl_off_t wait_s = 0;
	char *url = NULL;

	curl_easy_getinfo(job->curl, CURLINFO_RETRY_AFTER, &wait_s);
	answer->retry_after_s = wait_s < 0 ? 0
	    : wait_s > MAX_RETRY_AFTER_S   ? MAX_RETRY_AFTER_S
					   : wait_s;
	/* RFC 9110 15.4.5 wants them in a 304; where they are missing, the old ones still hold. */
	if (answer->status == 304 && answer->etag[0] == '\0')
		memcpy(answer->etag, job->etag, sizeof(answer->etag));
	if (answer->status == 304 && answer->last_modified[0] == '\0')
		memcpy(answer->last_modified, job->last_modified, sizeof(answer->last_modified));
	if (curl_url_get(job->target.url, CURLUPART_URL, &url, 0) == CURLUE_OK &&
	    strlen(url) < sizeof(answer->url))
		memcpy(answer->url, url, strlen(url) + 1);
	curl_free(url);
	http_resolve_next(answer, job->target.url);
}

/* A hop came to its end: 1 = the next one is on its way, 0 = the answer is there. */
static int
take_hop(struct http_job *job, CURLcode code, struct error *err)
{
	char *location = NULL, from[HTTP_HOST_SIZE];
	int64_t elapsed_ms = clock_monotonic_ms() - job->deadline_ms + job->timeout_ms;

	if (was_stale(job, code)) {
		leave_multi(job);
		return ask(job, true, err) == -1 ? -1 : 1;
	}
	if (code != CURLE_OK)
		return http_transfer_error(job, code, elapsed_ms, err);
	curl_easy_getinfo(job->curl, CURLINFO_RESPONSE_CODE, &job->answer->status);
	if (is_redirect(job->answer->status))
		curl_easy_getinfo(job->curl, CURLINFO_REDIRECT_URL, &location);
	if (location == NULL) {
		finish_answer(job);
		return 0;
	}
	if (job->nredirects++ == MAX_HTTP_REDIRECTS)
		return err_set(err, ERR_NET, "%s: more than %d redirects", job->target.host,
		    MAX_HTTP_REDIRECTS);
	memcpy(from, job->target.host, sizeof(from));
	/* Before it leaves: what libcurl told us goes when the handle is used again. */
	if (http_set_target(&job->target, location, true, err) == -1)
		return err_prefix(err, "%s", from);
	leave_multi(job);
	return ask(job, false, err) == -1 ? -1 : 1;
}

static void
free_job(struct http_job *job)
{
	leave_multi(job);
	curl_easy_cleanup(job->curl);
	curl_slist_free_all(job->headers);
	curl_url_cleanup(job->target.url);
	free(job);
}

int
http_start(struct http *http, const struct http_request *request, struct http_answer *answer,
    struct http_job **out, struct error *err)
{
	struct http_job *job = calloc(1, sizeof(*job));
	size_t max_body = answer->body.max_bytes;

	if (job == NULL)
		return err_nomem(err, "http");
	http_answer_release(answer);
	http_answer_init(answer, max_body);
	job->http = http;
	job->answer = answer;
	job->timeout_ms =
	    MS * (request->timeout_s > 0 ? request->timeout_s : http->options->timeout_s);
	job->deadline_ms = clock_monotonic_ms() + job->timeout_ms;
	snprintf(job->etag, sizeof(job->etag), "%s", request->etag);
	snprintf(job->last_modified, sizeof(job->last_modified), "%s", request->last_modified);
	job->curl = curl_easy_init();
	job->target.url = curl_url();
	if (job->curl == NULL || job->target.url == NULL) {
		free_job(job);
		return err_nomem(err, "http");
	}
	set_options(job);
	if (http_set_target(&job->target, request->url, false, err) == -1 ||
	    add_condition(&job->headers, "If-None-Match", request->etag, err) == -1 ||
	    add_condition(&job->headers, "If-Modified-Since", request->last_modified, err) == -1 ||
	    ask(job, false, err) == -1) {
		free_job(job);
		return -1;
	}
	*out = job;
	return 0;
}

/* Hops that ended; each begins its next one or makes its job done. Returns whether there were any. */
static bool
take_messages(struct http *http)
{
	CURLMsg *message;
	bool any = false;
	int nleft;

	while ((message = curl_multi_info_read(http->multi, &nleft)) != NULL) {
		struct http_job *job = NULL;
		int rc;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &job);
		any = true;
		rc = take_hop(job, message->data.result, &job->fault);
		job->done = rc != 1;
		if (job->done)
			leave_multi(job);
	}
	return any;
}

static int
set_fds(struct http *http, const struct pollfd *fds, size_t n, struct error *err)
{
	if (n > http->nfds) {
		struct curl_waitfd *more = reallocarray(http->fds, n, sizeof(*more));

		if (more == NULL)
			return err_nomem(err, "http");
		http->fds = more;
		http->nfds = n;
	}
	for (size_t i = 0; i < n; i++)
		http->fds[i] = (struct curl_waitfd){ fds[i].fd, CURL_WAIT_POLLIN, 0 };
	return 0;
}

int
http_wait(struct http *http, struct pollfd *fds, size_t n, int timeout_ms, struct error *err)
{
	int nrunning;

	if (set_fds(http, fds, n, err) == -1)
		return -1;
	/* What ends at once, as a refused address does, leaves nothing that would end the sleep. */
	if (curl_multi_perform(http->multi, &nrunning) == CURLM_OK)
		curl_multi_poll(http->multi, http->fds, (unsigned)n,
		    take_messages(http) ? 0 : timeout_ms, NULL);
	for (size_t i = 0; i < n; i++)
		fds[i].revents = http->fds[i].revents != 0 ? POLLIN : 0;
	if (curl_multi_perform(http->multi, &nrunning) != CURLM_OK)
		return err_nomem(err, "http");
	take_messages(http);
	return 0;
}

bool
http_is_done(const struct http_job *job)
{
	return job->done;
}

int
http_end(struct http_job *job, struct error *err)
{
	int rc = -1;

	if (job == NULL)
		return -1;
	if (!job->done)
		err_set(err, ERR_NET, "%s: broken off", job->target.host);
	else if (job->fault.kind == ERR_NONE)
		rc = 0;
	else if (err != NULL)
		*err = job->fault;
	free_job(job);
	return rc;
}

int
http_get(struct http *http, const char *url, const char *etag, const char *last_modified,
    struct http_answer *answer, struct error *err)
{
	const struct http_request request = { url, etag, last_modified, 0 };
	struct http_job *job;

	if (http_start(http, &request, answer, &job, err) == -1)
		return -1;
	while (!http_is_done(job)) {
		if (http_wait(http, NULL, 0, WAIT_MS, err) == -1) {
			http_end(job, NULL);
			return -1;
		}
	}
	return http_end(job, err);
}
