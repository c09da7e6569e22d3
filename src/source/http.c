#include "digest/http.h"

#include "digest/clock.h"
#include "digest/limits.h"
#include "guard.h"
#include "header.h"

#include <curl/curl.h>

#include <inttypes.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

enum {
	MAX_RATIO = 100,		/* decoded to sent; JSON and XML pack 20 times at most */
	RATIO_FREE_BYTES = 1024 * 1024, /* a bomb this small does no harm */
	MIN_BYTES_PER_S = 10,		/* slower than this for STALL_S is a slow-loris */
	STALL_S = 60,
	CONNECT_S = 30,
	MAX_RETRY_AFTER_S = 86400,
	HOST_SIZE = 300,
	MS = 1000,
};

static const char guard_cure[] =
    " and was not asked; to allow it, list its range in fetch.allow-private";

/* Why a callback stopped a transfer; libcurl itself only knows "write error". */
enum stop { STOP_NONE, STOP_HEADER, STOP_BODY, STOP_RATIO, STOP_NOMEM };

struct http {
	const struct http_options *options;
	CURL *curl;
	struct cidr *allowed;
	size_t nallowed;
	char user_agent[256];
	/* Of the request that is running. */
	struct http_answer *answer;
	size_t header_bytes;
	enum stop stop;
	char refused[128]; /* the address the guard refused last, and why; "" = none */
	bool reached;	   /* an address was allowed */
};

static size_t
on_header(char *line, size_t size, size_t n, void *arg)
{
	struct http *http = arg;

	n *= size;
	http->header_bytes += n;
	if (http->header_bytes > MAX_HTTP_HEADER) {
		http->stop = STOP_HEADER;
		return 0;
	}
	header_read_line(http->answer, line, n);
	return n;
}

static size_t
body_bound(const struct http *http)
{
	size_t bound = http->answer->body.max_bytes;

	return bound < http->options->max_body ? bound : http->options->max_body;
}

/* Bytes are counted here, after decoding: CURLOPT_MAXFILESIZE sees neither chunks nor what gzip becomes. */
static size_t
on_body(char *bytes, size_t size, size_t n, void *arg)
{
	struct http *http = arg;
	struct strbuf *body = &http->answer->body;
	curl_off_t sent = 0;

	n *= size;
	if (n > body_bound(http) - body->len)
		http->stop = STOP_BODY;
	else
		strbuf_addn(body, bytes, n);
	if (body->state != STRBUF_OK)
		http->stop = STOP_NOMEM;
	curl_easy_getinfo(http->curl, CURLINFO_SIZE_DOWNLOAD_T, &sent);
	if (body->len > RATIO_FREE_BYTES && (curl_off_t)body->len / MAX_RATIO > sent)
		http->stop = STOP_RATIO;
	return http->stop == STOP_NONE ? n : 0;
}

/* Called with the numeric address of every connection, so a name cannot be public when asked and private when used. */
static curl_socket_t
on_open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct http *http = arg;
	const char *range;
	char text[64];

	(void)purpose;
	/* With a proxy this is the proxy's address, which a person configured. */
	if (http->options->proxy[0] == '\0' &&
	    (range = guard_refusal(http->allowed, http->nallowed, &address->addr)) != NULL) {
		guard_format(&address->addr, text, sizeof(text));
		snprintf(http->refused, sizeof(http->refused), "%s is a %s address", text, range);
		return CURL_SOCKET_BAD;
	}
	http->reached = true;
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
set_options(struct http *http)
{
	const struct http_options *o = http->options;
	long timeout_s = (long)o->timeout_s;
	CURL *curl = http->curl;

	restrict_protocols(curl);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(curl, CURLOPT_PROXY, o->proxy); /* "" also switches the variables off */
	curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "");
	curl_easy_setopt(curl, CURLOPT_USERAGENT, http->user_agent);
	curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)o->max_body);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, (long)MIN_BYTES_PER_S);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)STALL_S);
	curl_easy_setopt(
	    curl, CURLOPT_CONNECTTIMEOUT, timeout_s < CONNECT_S ? timeout_s : CONNECT_S);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, http);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, http);
	curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
	curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, http);
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
	if ((http->curl = curl_easy_init()) == NULL) {
		err_nomem(err, "http");
		goto fail;
	}
	set_options(http);
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
	curl_easy_cleanup(http->curl);
	curl_global_cleanup();
	free(http->allowed);
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

/* The parts of the URL a hop goes to. */
struct target {
	CURLU *url;
	bool https;
	char host[HOST_SIZE]; /* "example.org:8080", for messages */
};

static bool
url_part_is(CURLU *url, CURLUPart part, const char *text)
{
	char *value = NULL;
	bool same = curl_url_get(url, part, &value, 0) == CURLUE_OK && strcmp(value, text) == 0;

	curl_free(value);
	return same;
}

static void
name_host(struct target *t)
{
	char *host = NULL, *port = NULL;

	curl_url_get(t->url, CURLUPART_HOST, &host, 0);
	if (curl_url_get(t->url, CURLUPART_PORT, &port, CURLU_NO_DEFAULT_PORT) != CURLUE_OK)
		port = NULL;
	snprintf(t->host, sizeof(t->host), "%s%s%s", host != NULL ? host : "",
	    port != NULL ? ":" : "", port != NULL ? port : "");
	curl_free(host);
	curl_free(port);
}

/*
 * Take apart the URL of the first hop or of a redirect. Names and passwords in it are refused: nothing says they may
 * go over this wire, and they would end up in logs.
 */
static int
target_set(struct target *t, const char *url, bool redirect, struct error *err)
{
	const char *what = redirect ? "redirect to " : "";
	CURLUcode code = curl_url_set(t->url, CURLUPART_URL, url, CURLU_DISALLOW_USER);
	bool was_https = t->https;

	if (code == CURLUE_OUT_OF_MEMORY)
		return err_nomem(err, "http");
	if (code == CURLUE_USER_NOT_ALLOWED)
		return err_set(err, ERR_NET, "%sa URL with a user name, which is not used", what);
	if (code == CURLUE_OK)
		t->https = url_part_is(t->url, CURLUPART_SCHEME, "https");
	if (code != CURLUE_OK || (!t->https && !url_part_is(t->url, CURLUPART_SCHEME, "http")))
		return err_set(
		    err, ERR_NET, "%s'%.200s'; only http and https are fetched", what, url);
	if (redirect && was_https && !t->https)
		return err_set(err, ERR_NET, "redirect to '%.200s', from https to http", url);
	name_host(t);
	return 0;
}

static int
stop_error(const struct http *http, const struct target *t, struct error *err)
{
	switch (http->stop) {
	case STOP_HEADER:
		return err_set(err, ERR_NET, "%s: more than %u bytes of header lines", t->host,
		    MAX_HTTP_HEADER);
	case STOP_BODY:
		return err_set(err, ERR_NET,
		    "%s: the answer is larger than %zu bytes (fetch.max-body)", t->host,
		    body_bound(http));
	case STOP_RATIO:
		return err_set(err, ERR_NET,
		    "%s: the answer grows more than %d times when unpacked", t->host, MAX_RATIO);
	case STOP_NOMEM:
	case STOP_NONE:
		break;
	}
	return err_nomem(err, t->host);
}

/* libcurl has one code for the whole time, the time to connect and the low speed. */
static int
timeout_error(
    const struct http *http, const struct target *t, int64_t elapsed_ms, struct error *err)
{
	int64_t elapsed_s = (elapsed_ms + MS / 2) / MS;

	if (http->header_bytes == 0)
		return err_set(
		    err, ERR_NET, "%s: no answer within %" PRId64 " s", t->host, elapsed_s);
	if (elapsed_s < http->options->timeout_s)
		return err_set(err, ERR_NET, "%s: slower than %d bytes/s for %d s", t->host,
		    MIN_BYTES_PER_S, STALL_S);
	return err_set(err, ERR_NET, "%s: no whole answer within %" PRId64 " s, %zu bytes so far",
	    t->host, elapsed_s, http->answer->body.len);
}

/* The codes that have a plain sentence; the others keep libcurl's. */
static const struct {
	CURLcode code;
	const char *text;
} failures[] = {
	{ CURLE_COULDNT_RESOLVE_HOST, "no such host, or the name service does not answer" },
	{ CURLE_COULDNT_RESOLVE_PROXY, "fetch.proxy: no such host" },
	{ CURLE_COULDNT_CONNECT, "cannot connect" },
	{ CURLE_GOT_NOTHING, "the connection was closed without an answer" },
	{ CURLE_PARTIAL_FILE, "the answer ends early" },
	{ CURLE_RECV_ERROR, "the connection broke while the answer came" },
	{ CURLE_SEND_ERROR, "the connection broke" },
	{ CURLE_PEER_FAILED_VERIFICATION, "the TLS certificate is not valid for this host" },
	{ CURLE_SSL_CONNECT_ERROR, "TLS could not be agreed on" },
	{ CURLE_BAD_CONTENT_ENCODING, "the answer cannot be unpacked" },
	{ CURLE_WEIRD_SERVER_REPLY, "this is not HTTP" },
	{ CURLE_UNSUPPORTED_PROTOCOL, "this is not HTTP" },
};

static int
transfer_error(
    struct http *http, const struct target *t, CURLcode code, int64_t elapsed_ms, struct error *err)
{
	if (http->stop != STOP_NONE)
		return stop_error(http, t, err);
	if (code == CURLE_OUT_OF_MEMORY)
		return err_nomem(err, t->host);
	if (code == CURLE_FILESIZE_EXCEEDED) {
		http->stop = STOP_BODY;
		return stop_error(http, t, err);
	}
	if (http->refused[0] != '\0' && !http->reached)
		return err_set(err, ERR_NET, "%s: %s%s", t->host, http->refused, guard_cure);
	if (code == CURLE_OPERATION_TIMEDOUT)
		return timeout_error(http, t, elapsed_ms, err);
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++)
		if (failures[i].code == code)
			return err_set(err, ERR_NET, "%s: %s", t->host, failures[i].text);
	return err_set(err, ERR_NET, "%s: %s", t->host, curl_easy_strerror(code));
}

/*
 * A proxy resolves names itself and the guard never sees where they lead; hosts written as an address are still
 * checked, in every spelling that inet_aton(3) knows.
 */
static int
check_behind_proxy(const struct http *http, const struct target *t, struct error *err)
{
	const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	const char *range = NULL;
	char *host = NULL;
	size_t len;

	if (http->options->proxy[0] == '\0' ||
	    curl_url_get(t->url, CURLUPART_HOST, &host, 0) != CURLUE_OK)
		return 0;
	len = strlen(host);
	if (len > 2 && host[0] == '[')
		host[len - 1] = '\0';
	if (getaddrinfo(host + (host[0] == '['), NULL, &hints, &found) == 0)
		range = guard_refusal(http->allowed, http->nallowed, found->ai_addr);
	if (found != NULL)
		freeaddrinfo(found);
	curl_free(host);
	if (range == NULL)
		return 0;
	return err_set(err, ERR_NET, "%s: a %s address%s", t->host, range, guard_cure);
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
was_stale(const struct http *http, CURLcode code)
{
	long nconnects = 1;

	if (code != CURLE_SEND_ERROR && code != CURLE_RECV_ERROR && code != CURLE_GOT_NOTHING)
		return false;
	curl_easy_getinfo(http->curl, CURLINFO_NUM_CONNECTS, &nconnects);
	return nconnects == 0 && http->header_bytes == 0;
}

/* Ask one host. Returns 0 with a whole answer of any status. */
static int
ask(struct http *http, struct target *t, const struct curl_slist *headers, int64_t deadline_ms,
    struct error *err)
{
	int64_t start_ms = clock_monotonic_ms(), left_ms = deadline_ms - start_ms;
	int64_t timeout_ms = http->options->timeout_s * MS;
	CURLcode code;

	strbuf_reset(&http->answer->body);
	http->header_bytes = 0;
	http->stop = STOP_NONE;
	http->refused[0] = '\0';
	http->reached = false;
	if (check_behind_proxy(http, t, err) == -1)
		return -1;
	if (left_ms <= 0)
		return timeout_error(http, t, timeout_ms, err);
	curl_easy_setopt(http->curl, CURLOPT_CURLU, t->url);
	curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(http->curl, CURLOPT_TIMEOUT_MS, (long)left_ms);
	code = curl_easy_perform(http->curl);
	if (was_stale(http, code)) {
		curl_easy_setopt(http->curl, CURLOPT_FRESH_CONNECT, 1L);
		code = curl_easy_perform(http->curl);
		curl_easy_setopt(http->curl, CURLOPT_FRESH_CONNECT, 0L);
	}
	curl_easy_setopt(http->curl, CURLOPT_CURLU, NULL);
	curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, NULL);
	if (code != CURLE_OK)
		return transfer_error(
		    http, t, code, clock_monotonic_ms() - deadline_ms + timeout_ms, err);
	curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &http->answer->status);
	return 0;
}

static bool
is_redirect(long status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* Make the target of a Link header absolute (RFC 3986 5); what is not http or https afterwards is no next page. */
static void
resolve_next(struct http_answer *answer, CURLU *base)
{
	char *text = NULL;

	if (answer->next[0] == '\0')
		return;
	if (curl_url_set(base, CURLUPART_URL, answer->next, CURLU_DISALLOW_USER) != CURLUE_OK ||
	    curl_url_get(base, CURLUPART_URL, &text, 0) != CURLUE_OK ||
	    strlen(text) >= sizeof(answer->next) || strncasecmp(text, "http", 4) != 0)
		answer->next[0] = '\0';
	else
		memcpy(answer->next, text, strlen(text) + 1);
	curl_free(text);
}

static void
finish_answer(struct http *http, struct target *t, const char *etag, const char *last_modified)
{
	struct http_answer *answer = http->answer;
	curl_off_t wait_s = 0;
	char *url = NULL;

	curl_easy_getinfo(http->curl, CURLINFO_RETRY_AFTER, &wait_s);
	answer->retry_after_s = wait_s < 0 ? 0
	    : wait_s > MAX_RETRY_AFTER_S   ? MAX_RETRY_AFTER_S
					   : wait_s;
	/* RFC 9110 15.4.5 wants them in a 304; where they are missing, the old ones still hold. */
	if (answer->status == 304 && answer->etag[0] == '\0')
		snprintf(answer->etag, sizeof(answer->etag), "%s", etag);
	if (answer->status == 304 && answer->last_modified[0] == '\0')
		snprintf(answer->last_modified, sizeof(answer->last_modified), "%s", last_modified);
	if (curl_url_get(t->url, CURLUPART_URL, &url, 0) == CURLUE_OK &&
	    strlen(url) < sizeof(answer->url))
		memcpy(answer->url, url, strlen(url) + 1);
	curl_free(url);
	resolve_next(answer, t->url);
}

/* Hop after hop until an answer is no redirect. */
static int
follow(struct http *http, struct target *t, const struct curl_slist *headers, struct error *err)
{
	int64_t deadline_ms = clock_monotonic_ms() + http->options->timeout_s * MS;

	for (int i = 0; i <= MAX_HTTP_REDIRECTS; i++) {
		char *location = NULL, from[HOST_SIZE];

		if (ask(http, t, headers, deadline_ms, err) == -1)
			return -1;
		if (!is_redirect(http->answer->status))
			return 0;
		curl_easy_getinfo(http->curl, CURLINFO_REDIRECT_URL, &location);
		if (location == NULL)
			return 0;
		memcpy(from, t->host, sizeof(from));
		if (target_set(t, location, true, err) == -1)
			return err_prefix(err, "%s", from);
	}
	return err_set(err, ERR_NET, "%s: more than %d redirects", t->host, MAX_HTTP_REDIRECTS);
}

int
http_get(struct http *http, const char *url, const char *etag, const char *last_modified,
    struct http_answer *answer, struct error *err)
{
	struct target t = { .url = curl_url() };
	struct curl_slist *headers = NULL;
	size_t max_body = answer->body.max_bytes;
	int rc = -1;

	http_answer_release(answer);
	http_answer_init(answer, max_body);
	http->answer = answer;
	if (t.url == NULL)
		err_nomem(err, "http");
	else if (target_set(&t, url, false, err) == 0 &&
	    add_condition(&headers, "If-None-Match", etag, err) == 0 &&
	    add_condition(&headers, "If-Modified-Since", last_modified, err) == 0 &&
	    follow(http, &t, headers, err) == 0) {
		finish_answer(http, &t, etag, last_modified);
		rc = 0;
	}
	curl_slist_free_all(headers);
	curl_url_cleanup(t.url);
	http->answer = NULL;
	return rc;
}
