#include "digest/http.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "digest/limits.h"
#include "guard.h"

enum {
	MAX_ALLOWED = 100, /* blocks of fetch.allow-private */
	CONNECT_TIMEOUT_S = 30,
	SLOW_BYTES = 100,	  /* fewer bytes a second than that ... */
	SLOW_SECONDS = 20,	  /* ... for so long is a server that stalls */
	RATIO_FROM = 1024 * 1024, /* decoded bytes from which on the ratio counts */
	MAX_RATIO = 100,	  /* decoded to received: beyond it is a bomb */
	MAX_RETRY_AFTER_S = 86400,
};

struct http {
	CURL *curl;
	const struct http_options *options;
	struct cidr allowed[MAX_ALLOWED];
	size_t nallowed;
	char agent[256];
	char message[CURL_ERROR_SIZE];
	/* of the request under way */
	struct http_answer *answer;
	size_t header_bytes;
	bool refused_address, too_long, bomb;
};

bool
http_address_allowed(const struct http *http, const struct sockaddr *address)
{
	return guard_allows(address, http->allowed, http->nallowed);
}

/* libcurl asks before every connection, redirects included, with the address the name resolved to. */
static curl_socket_t
open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct http *http = arg;

	(void)purpose;
	if (http->options->proxy[0] == '\0' && !http_address_allowed(http, &address->addr)) {
		http->refused_address = true;
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static size_t
take_body(char *bytes, size_t size, size_t n, void *arg)
{
	struct http *http = arg;
	struct strbuf *body = &http->answer->body;
	curl_off_t received = 0;

	strbuf_addn(body, bytes, size * n);
	if (body->state != STRBUF_OK) {
		http->too_long = true;
		return 0;
	}
	curl_easy_getinfo(http->curl, CURLINFO_SIZE_DOWNLOAD_T, &received);
	if (body->len > RATIO_FROM && received > 0 &&
	    (curl_off_t)body->len / MAX_RATIO > received) {
		http->bomb = true;
		return 0;
	}
	return size * n;
}

/* ---- headers ---- */

/* The value of "Name: value" when line is of that name; len without the line end. */
static const char *
header_value(const char *line, size_t *len, const char *name)
{
	size_t n = strlen(name);

	if (*len <= n || strncasecmp(line, name, n) != 0 || line[n] != ':')
		return NULL;
	line += n + 1;
	*len -= n + 1;
	while (*len > 0 && (*line == ' ' || *line == '\t'))
		line++, (*len)--;
	return line;
}

/* A value that does not fit is as good as none. */
static void
keep_value(char *out, size_t size, const char *value, size_t len)
{
	out[0] = '\0';
	if (len >= size || memchr(value, '\0', len) != NULL)
		return;
	memcpy(out, value, len);
	out[len] = '\0';
}

/* The number after "r=" or "t=" in the RateLimit header of Hugging Face: "api";r=499;t=12. */
static int64_t
parameter(const char *value, size_t len, char name)
{
	for (size_t i = 0; i + 2 < len; i++)
		if ((i == 0 || value[i - 1] == ';' || value[i - 1] == ' ' || value[i - 1] == ',') &&
		    value[i] == name && value[i + 1] == '=')
			return strtoll(value + i + 2, NULL, 10);
	return -1;
}

/* RFC 8288: <URL>; rel="next", others. */
static void
find_next_link(struct http_answer *answer, const char *value, size_t len)
{
	const char *end = value + len;

	while (value < end) {
		const char *open = memchr(value, '<', (size_t)(end - value));
		const char *close = open != NULL ? memchr(open, '>', (size_t)(end - open)) : NULL;
		const char *comma;

		if (close == NULL)
			return;
		comma = memchr(close, ',', (size_t)(end - close));
		if (comma == NULL)
			comma = end;
		if (memmem(close, (size_t)(comma - close), "rel=\"next\"", 10) != NULL ||
		    memmem(close, (size_t)(comma - close), "rel=next", 8) != NULL) {
			keep_value(answer->next, sizeof(answer->next), open + 1,
			    (size_t)(close - open - 1));
			return;
		}
		value = comma + 1;
	}
}

static void
take_header_line(struct http_answer *answer, const char *line, size_t len)
{
	const char *value;
	size_t n;

	if ((n = len, value = header_value(line, &n, "ETag")) != NULL)
		keep_value(answer->etag, sizeof(answer->etag), value, n);
	else if ((n = len, value = header_value(line, &n, "Last-Modified")) != NULL)
		keep_value(answer->last_modified, sizeof(answer->last_modified), value, n);
	else if ((n = len, value = header_value(line, &n, "Content-Type")) != NULL)
		keep_value(answer->content_type, sizeof(answer->content_type), value, n);
	else if ((n = len, value = header_value(line, &n, "Link")) != NULL)
		find_next_link(answer, value, n);
	else if ((n = len, value = header_value(line, &n, "RateLimit")) != NULL) {
		answer->quota_left = parameter(value, n, 'r');
		answer->quota_reset_s = parameter(value, n, 't');
	}
}

static void
forget_headers(struct http_answer *answer)
{
	answer->etag[0] = answer->last_modified[0] = answer->content_type[0] = answer->next[0] =
	    '\0';
	answer->quota_left = answer->quota_reset_s = -1;
	answer->retry_after_s = 0;
}

static size_t
take_header(char *line, size_t size, size_t n, void *arg)
{
	struct http *http = arg;
	size_t len = size * n;

	http->header_bytes += len;
	if (http->header_bytes > MAX_HTTP_HEADER) {
		http->too_long = true;
		return 0;
	}
	while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
		len--;
	/* Each answer on the way through redirects begins anew. */
	if (len > 5 && strncasecmp(line, "HTTP/", 5) == 0)
		forget_headers(http->answer);
	else
		take_header_line(http->answer, line, len);
	return size * n;
}

/* ---- life cycle ---- */

static int
set_protocols(CURL *curl)
{
#if LIBCURL_VERSION_NUM >= 0x075500
	if (curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https") != CURLE_OK)
		return -1;
#else
	if (curl_easy_setopt(curl, CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS) != CURLE_OK)
		return -1;
#endif
	return 0;
}

/* After https only https: a redirect must not strip the protection. */
static int
set_redirects(CURL *curl, const char *url)
{
	bool secure = strncasecmp(url, "https:", 6) == 0;

#if LIBCURL_VERSION_NUM >= 0x075500
	if (curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, secure ? "https" : "http,https") !=
	    CURLE_OK)
		return -1;
#else
	if (curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS,
		secure ? CURLPROTO_HTTPS : CURLPROTO_HTTP | CURLPROTO_HTTPS) != CURLE_OK)
		return -1;
#endif
	return 0;
}

static int
set_fixed_options(struct http *http)
{
	CURL *c = http->curl;
	CURLcode rc = CURLE_OK;

	rc |= curl_easy_setopt(c, CURLOPT_ERRORBUFFER, http->message);
	rc |= curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	rc |= curl_easy_setopt(c, CURLOPT_USERAGENT, http->agent);
	rc |= curl_easy_setopt(c, CURLOPT_ACCEPT_ENCODING, "");
	rc |= curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L);
	rc |= curl_easy_setopt(c, CURLOPT_MAXREDIRS, (long)MAX_HTTP_REDIRECTS);
	rc |= curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)http->options->timeout_s);
	rc |= curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT_S);
	rc |= curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, (long)SLOW_BYTES);
	rc |= curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)SLOW_SECONDS);
	/* An empty string also keeps http_proxy and its kin of the environment out. */
	rc |= curl_easy_setopt(c, CURLOPT_PROXY, http->options->proxy);
	rc |= curl_easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	rc |= curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	rc |= curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, http);
	rc |= curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body);
	rc |= curl_easy_setopt(c, CURLOPT_WRITEDATA, http);
	rc |= curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, take_header);
	rc |= curl_easy_setopt(c, CURLOPT_HEADERDATA, http);
	return rc == CURLE_OK && set_protocols(c) == 0 ? 0 : -1;
}

static int
read_allowed(struct http *http, struct error *err)
{
	const struct http_options *o = http->options;

	if (o->nallow_private > MAX_ALLOWED)
		return err_set(
		    err, ERR_CONFIG, "fetch.allow-private: more than %d blocks", MAX_ALLOWED);
	for (size_t i = 0; i < o->nallow_private; i++)
		if (cidr_parse(o->allow_private[i], &http->allowed[i], err) == -1)
			return err_prefix(err, "fetch.allow-private");
	http->nallowed = o->nallow_private;
	return 0;
}

int
http_new(const struct http_options *options, struct http **out, struct error *err)
{
	struct http *http = calloc(1, sizeof(*http));

	if (http == NULL)
		return err_nomem(err, "http");
	http->options = options;
	snprintf(http->agent, sizeof(http->agent), "digest/%s%s%s%s", DIGEST_VERSION,
	    options->contact[0] != '\0' ? " (+" : "", options->contact,
	    options->contact[0] != '\0' ? ")" : "");
	if (read_allowed(http, err) == -1) {
		free(http);
		return -1;
	}
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
	    (http->curl = curl_easy_init()) == NULL || set_fixed_options(http) == -1) {
		http_free(http);
		return err_set(err, ERR_NOMEM, "libcurl: cannot be set up");
	}
	*out = http;
	return 0;
}

void
http_free(struct http *http)
{
	if (http == NULL)
		return;
	curl_easy_cleanup(http->curl);
	free(http);
}

void
http_answer_init(struct http_answer *answer, size_t max_body)
{
	memset(answer, 0, sizeof(*answer));
	strbuf_init(&answer->body, max_body);
	forget_headers(answer);
}

void
http_answer_release(struct http_answer *answer)
{
	strbuf_release(&answer->body);
}

/* ---- one request ---- */

/* The host of a URL for messages, without a user or password that may stand before it. */
static void
copy_host(char *out, size_t size, const char *url)
{
	const char *start = strstr(url, "://");
	size_t len;

	start = start != NULL ? start + 3 : url;
	len = strcspn(start, "/?#");
	for (size_t i = 0; i < len; i++)
		if (start[i] == '@')
			return copy_host(out, size, start + i + 1);
	snprintf(out, size, "%.*s", (int)(len < size ? len : size - 1), start);
}

static int
explain(struct http *http, CURLcode code, const char *url, struct error *err)
{
	const struct http_options *o = http->options;
	char host[256];

	copy_host(host, sizeof(host), url);
	if (http->refused_address)
		return err_set(err, ERR_NET,
		    "%s: is an address of this machine or a private network; fetch { allow-private "
		    "= {...} } would allow it",
		    host);
	if (http->bomb)
		return err_set(err, ERR_NET,
		    "%s: the answer grows more than %d times when unpacked; refused", host,
		    MAX_RATIO);
	if (http->too_long)
		return err_set(err, ERR_NET,
		    "%s: the answer is longer than %zu bytes (fetch.max-body), or its header than "
		    "%u",
		    host, http->answer->body.max_bytes, MAX_HTTP_HEADER);
	switch (code) {
	case CURLE_OPERATION_TIMEDOUT:
		return err_set(err, ERR_NET, "%s: no whole answer within %lld s", host,
		    (long long)o->timeout_s);
	case CURLE_TOO_MANY_REDIRECTS:
		return err_set(
		    err, ERR_NET, "%s: more than %d redirects", host, MAX_HTTP_REDIRECTS);
	case CURLE_UNSUPPORTED_PROTOCOL:
		return err_set(
		    err, ERR_NET, "%s: leads to something other than http or https; refused", host);
	case CURLE_PARTIAL_FILE:
		return err_set(
		    err, ERR_NET, "%s: the answer ends before its announced length", host);
	default:
		return err_set(err, ERR_NET, "%s: %s", host,
		    http->message[0] != '\0' ? http->message : curl_easy_strerror(code));
	}
}

static struct curl_slist *
add_condition(struct curl_slist *list, const char *name, const char *value, bool *failed)
{
	char line[512];
	struct curl_slist *longer;

	if (value[0] == '\0' || strpbrk(value, "\r\n") != NULL)
		return list;
	snprintf(line, sizeof(line), "%s: %s", name, value);
	longer = curl_slist_append(list, line);
	*failed |= longer == NULL;
	return longer != NULL ? longer : list;
}

int
http_get(struct http *http, const char *url, const char *etag, const char *last_modified,
    struct http_answer *answer, struct error *err)
{
	struct curl_slist *headers = NULL;
	curl_off_t retry = 0;
	bool failed = false;
	CURLcode code;

	http->answer = answer;
	http->header_bytes = 0;
	http->refused_address = http->too_long = http->bomb = false;
	http->message[0] = '\0';
	headers = add_condition(headers, "If-None-Match", etag, &failed);
	headers = add_condition(headers, "If-Modified-Since", last_modified, &failed);
	if (failed || curl_easy_setopt(http->curl, CURLOPT_URL, url) != CURLE_OK ||
	    curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, headers) != CURLE_OK ||
	    set_redirects(http->curl, url) == -1) {
		curl_slist_free_all(headers);
		return err_nomem(err, "http");
	}
	code = curl_easy_perform(http->curl);
	curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, NULL);
	curl_slist_free_all(headers);
	if (code != CURLE_OK)
		return explain(http, code, url, err);
	curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &answer->status);
	curl_easy_getinfo(http->curl, CURLINFO_RETRY_AFTER, &retry);
	answer->retry_after_s = retry > MAX_RETRY_AFTER_S ? MAX_RETRY_AFTER_S : (int64_t)retry;
	return 0;
}
