/* dial.h - what SMTP and IMAP share of reaching a server by libcurl, which then hands us the connection: where it is, TLS, and
 * in words what went wrong. */
#ifndef DIGEST_MAIL_DIAL_H
#define DIGEST_MAIL_DIAL_H

#include <curl/curl.h>
#include <stdbool.h>

#include "digest/error.h"

struct dial_place {
	char host[256];		/* without the brackets of an IPv6 address */
	unsigned port;		/* 0 = none given */
	bool loopback;		/* see host_is_loopback() */
};

/*
 * Read "host[:port]" or "[address]:port" behind the scheme of an URL.
 * at		where it begins within url; moved behind it
 * expected	what such an URL looks like, for the message
 * Fails with ERR_CONFIG.
 */
int	dial_parse_place(const char *url, const char **at, const char *expected, struct dial_place *out,
	    struct error *err);

/* Whether all of a text can be part of a host name. */
bool	dial_is_host(const char *text, size_t len, bool bracketed);

struct dial_options {
	const char *url;	/* for libcurl */
	const char *protocols;	/* "smtp,smtps" */
	const char *ca_file;	/* PEM, instead of the system's authorities; "" = these */
	bool starttls;		/* is required */
	char *error;		/* CURL_ERROR_SIZE, lives as long as the handle */
};

/* A handle that opens a connection and leaves it to us. -1 when libcurl refuses something. */
int	dial_set_options(CURL *easy, const struct dial_options *options);

/* No connection, because the certificate is signed by nobody who is trusted: ca-file may name who is. */
bool	dial_is_untrusted(CURL *easy, CURLcode code, const struct dial_options *options);

/*
 * Say why libcurl did not get there, as far as that is the same for every protocol: the name, the connection, the certificate,
 * TLS. ERR_NET may come right by itself, ERR_CONFIG does not.
 * scheme	"smtp" or "imap"
 * True = it is said.
 */
bool	dial_explain(CURL *easy, CURLcode code, const struct dial_options *options, const char *scheme,
	    struct error *err);

#endif
