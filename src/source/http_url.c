#include "http_job.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

static bool
url_part_is(CURLU *url, CURLUPart part, const char *text)
{
	char *value = NULL;
	bool same = curl_url_get(url, part, &value, 0) == CURLUE_OK && strcmp(value, text) == 0;

	curl_free(value);
	return same;
}

static void
name_host(struct http_target *t)
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

int
http_set_target(struct http_target *t, const char *url, bool redirect, struct error *err)
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

/*
 * A proxy resolves names itself and the guard never sees where they lead; hosts written as an address are still
 * checked, in every spelling that inet_aton(3) knows.
 */
int
http_check_behind_proxy(const struct http *http, const struct http_target *t, struct error *err)
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
	return err_set(err, ERR_NET, "%s: a %s address%s", t->host, range, http_guard_cure);
}

static bool
resolve(CURLU *base, const char *reference, char *out, size_t size)
{
	char *text = NULL;
	bool good =
	    curl_url_set(base, CURLUPART_URL, reference, CURLU_DISALLOW_USER) == CURLUE_OK &&
	    curl_url_get(base, CURLUPART_URL, &text, 0) == CURLUE_OK && strlen(text) < size &&
	    (strncasecmp(text, "http://", 7) == 0 || strncasecmp(text, "https://", 8) == 0);

	if (good)
		memcpy(out, text, strlen(text) + 1);
	curl_free(text);
	return good;
}

bool
http_resolve(const char *base, const char *reference, char *out, size_t size)
{
	CURLU *url = curl_url();
	bool good = url != NULL &&
	    (base[0] == '\0' ||
		curl_url_set(url, CURLUPART_URL, base, CURLU_DISALLOW_USER) == CURLUE_OK) &&
	    resolve(url, reference, out, size);

	curl_url_cleanup(url);
	return good;
}

void
http_resolve_next(struct http_answer *answer, CURLU *base)
{
	char next[sizeof(answer->next)];

	if (answer->next[0] == '\0')
		return;
	memcpy(next, answer->next, sizeof(next));
	if (!resolve(base, next, answer->next, sizeof(answer->next)))
		answer->next[0] = '\0';
}
