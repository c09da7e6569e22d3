#include "dial.h"
#include "digest/host.h"

#include <string.h>

bool
dial_is_host(const char *host, size_t len, bool bracketed)
{
	static const char name[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";

	for (size_t i = 0; i < len; i++)
		if (strchr(name, host[i]) == NULL && !(bracketed && host[i] == ':'))
			return false;
	return len > 0;
}

/* The port after a ':'; 0 = none that can be. */
static unsigned
parse_port(const char *text, const char **end)
{
	unsigned port = 0;
	const char *p = text;

	for (; *p >= '0' && *p <= '9' && port <= 65535; p++)
		port = port * 10 + (unsigned)(*p - '0');
	*end = p;
	return p > text && port <= 65535 ? port : 0;
}

int
dial_parse_place(const char *url, const char **at, const char *expected, struct dial_place *out,
    struct error *err)
{
	const char *host = *at, *end;
	struct dial_place place = { .port = 0 };
	bool bracketed;
	size_t len;

	bracketed = *host == '[';
	host += bracketed;
	len = strcspn(host, bracketed ? "]/" : ":/");
	end = host + len + (bracketed && host[len] == ']');
	if (len >= sizeof(place.host) || !dial_is_host(host, len, bracketed) ||
	    (bracketed && end[-1] != ']'))
		return err_set(
		    err, ERR_CONFIG, "'%.200s' has no host name; expected %s", url, expected);
	memcpy(place.host, host, len);
	place.loopback = host_is_loopback(place.host);
	if (*end == ':' && (place.port = parse_port(end + 1, &end)) == 0)
		return err_set(
		    err, ERR_CONFIG, "'%.200s'; expected a port of 1..65535 after the ':'", url);
	*at = end;
	*out = place;
	return 0;
}

static size_t
on_body(char *bytes, size_t size, size_t nmemb, void *arg)
{
	(void)bytes;
	(void)arg;
	return size * nmemb;
}

int
dial_set_options(CURL *easy, const struct dial_options *o)
{
	CURLcode bad = CURLE_OK;

	o->error[0] = '\0';
	bad |= curl_easy_setopt(easy, CURLOPT_URL, o->url);
	bad |= curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, o->protocols);
	bad |= curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
	bad |= curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	bad |= curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* not what the environment says */
	bad |= curl_easy_setopt(
	    easy, CURLOPT_USE_SSL, (long)(o->starttls ? CURLUSESSL_ALL : CURLUSESSL_NONE));
	bad |= curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	bad |= curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	bad |= curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	if (o->ca_file[0] != '\0') {
		bad |= curl_easy_setopt(easy, CURLOPT_CAINFO, o->ca_file);
		bad |= curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	}
	bad |= curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, o->error);
	bad |= curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	return bad == CURLE_OK ? 0 : -1;
}

enum { VERIFY_OTHER, VERIFY_EXPIRED, VERIFY_UNKNOWN, VERIFY_NAME };

/* The result of the check, in the words of the TLS library behind libcurl. */
static int
classify_verify(CURL *easy, const char *text)
{
	const char *library = curl_version_info(CURLVERSION_NOW)->ssl_version;
	long result = 0;

	if (strstr(text, "does not match") != NULL ||
	    strstr(text, "no alternative certificate") != NULL)
		return VERIFY_NAME;
	curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &result);
	if (library != NULL && strstr(library, "GnuTLS") != NULL) {
		/* gnutls_certificate_status_t: EXPIRED and NOT_ACTIVATED, SIGNER_NOT_FOUND */
		if ((result & (1L << 10 | 1L << 9)) != 0)
			return VERIFY_EXPIRED;
		return (result & 1L << 6) != 0 ? VERIFY_UNKNOWN : VERIFY_OTHER;
	}
	/* X509_V_ERR_CERT_NOT_YET_VALID, _HAS_EXPIRED; _DEPTH_ZERO_SELF_SIGNED_CERT .. _UNABLE_TO_VERIFY */
	if (result == 9 || result == 10)
		return VERIFY_EXPIRED;
	return result >= 18 && result <= 21 ? VERIFY_UNKNOWN : VERIFY_OTHER;
}

static void
explain_verify(CURL *easy, const char *text, struct error *err)
{
	static const char *const sentences[] = {
		[VERIFY_OTHER] = "its certificate is not valid",
		[VERIFY_EXPIRED] = "its certificate has expired or is not valid yet; its operator "
				   "must renew it, or this machine's clock is wrong",
		[VERIFY_UNKNOWN] = "its certificate is signed by nobody this machine trusts; if "
				   "the server is your own, name its authority by ca-file",
		[VERIFY_NAME] = "its certificate is for another name; write in url the name that "
				"it is for",
	};
	int class = classify_verify(easy, text);

	if (class == VERIFY_OTHER)
		err_set(err, ERR_CONFIG, "%s: %s", sentences[class], text);
	else
		err_set(err, ERR_CONFIG, "%s", sentences[class]);
}

/* Whether the handshake ended with the connection, in the words of libcurl and of the TLS library behind it: a load balancer
 * without a server behind it hangs up like that. */
static bool
is_lost(const char *text)
{
	static const char *const words[] = {
		"non-properly terminated",					/* GnuTLS */
		"Recv failure", "Send failure",					/* libcurl's own */
		"SSL_ERROR_SYSCALL", "SSL_ERROR_ZERO_RETURN", "unexpected eof", /* OpenSSL */
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strstr(text, words[i]) != NULL)
			return true;
	return false;
}

static void
explain_handshake(const char *text, const char *scheme, struct error *err)
{
	if (is_lost(text))
		err_set(err, ERR_NET, "the connection was lost in the TLS handshake (%s)", text);
	else
		err_set(err, ERR_CONFIG,
		    "no TLS 1.2 or newer (%s); %ss:// speaks TLS from the start, %s:// by STARTTLS",
		    text, scheme, scheme);
}

bool
dial_is_untrusted(CURL *easy, CURLcode code, const struct dial_options *o)
{
	return code == CURLE_PEER_FAILED_VERIFICATION &&
	    classify_verify(easy, o->error) == VERIFY_UNKNOWN;
}

bool
dial_explain(
    CURL *easy, CURLcode code, const struct dial_options *o, const char *scheme, struct error *err)
{
	long error = 0;

	switch ((int)code) {
	case CURLE_OUT_OF_MEMORY:
		err_nomem(err, "connection");
		return true;
	case CURLE_COULDNT_RESOLVE_HOST:
		err_set(
		    err, ERR_NET, "no such host name; check url, and that this machine is on line");
		return true;
	case CURLE_COULDNT_CONNECT:
		curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &error);
		err_set(err, ERR_NET, "%s; check url, and that the server runs",
		    error != 0 ? strerror((int)error) : "no connection");
		return true;
	case CURLE_PEER_FAILED_VERIFICATION:
		explain_verify(easy, o->error, err);
		return true;
	case CURLE_SSL_CACERT_BADFILE:
		err_set(err, ERR_CONFIG, "ca-file %s cannot be read as PEM", o->ca_file);
		return true;
	case CURLE_SSL_CONNECT_ERROR:
		explain_handshake(o->error, scheme, err);
		return true;
	}
	return false;
}
