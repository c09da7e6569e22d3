#include "smtp.h"

#include <sodium.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum {
	PORT_SMTP = 25,
	PORT_SUBMISSIONS = 465, /* RFC 8314 */
	PORT_SUBMISSION = 587,	/* RFC 6409 */
	MIN_HIDDEN = 4,		/* a shorter secret would hide every reply */
	PART_HIDDEN = 16,	/* so many bytes of a longer one are as good as all */
};

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

/* What a host name or numeric address is made of. */
static bool
is_host(const char *host, size_t len, bool bracketed)
{
	static const char name[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";

	for (size_t i = 0; i < len; i++)
		if (strchr(name, host[i]) == NULL && !(bracketed && host[i] == ':'))
			return false;
	return len > 0;
}

static bool
is_loopback(const char *host)
{
	return strcasecmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 ||
	    (strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") == strlen(host));
}

int
smtp_parse_url(const char *url, struct smtp_place *out, struct error *err)
{
	static const char expected[] = "smtps://host[:port] or smtp://host[:port]";
	struct smtp_place place = { .implicit_tls = strncasecmp(url, "smtps://", 8) == 0 };
	const char *host = url + (place.implicit_tls ? 8 : 7), *end;
	bool bracketed;
	size_t len;

	if (!place.implicit_tls && strncasecmp(url, "smtp://", 7) != 0)
		return err_set(err, ERR_CONFIG, "'%.200s'; expected %s", url, expected);
	bracketed = *host == '[';
	host += bracketed;
	len = strcspn(host, bracketed ? "]/" : ":/");
	end = host + len + (bracketed && host[len] == ']');
	if (len >= sizeof(place.host) || !is_host(host, len, bracketed) ||
	    (bracketed && end[-1] != ']'))
		return err_set(
		    err, ERR_CONFIG, "'%.200s' has no host name; expected %s", url, expected);
	memcpy(place.host, host, len);
	place.loopback = is_loopback(place.host);
	place.port = place.implicit_tls ? PORT_SUBMISSIONS
	    : place.loopback		? PORT_SMTP
					: PORT_SUBMISSION;
	if (*end == ':' && (place.port = parse_port(end + 1, &end)) == 0)
		return err_set(
		    err, ERR_CONFIG, "'%.200s'; expected a port of 1..65535 after the ':'", url);
	if (strcmp(end, "") != 0 && strcmp(end, "/") != 0)
		return err_set(
		    err, ERR_CONFIG, "'%.200s' goes on after the host; expected %s", url, expected);
	*out = place;
	return 0;
}

/* RFC 5321 4.1.1.1: our full name, else an address literal. S-01: a bare host name says nothing. */
static int
choose_helo(const char *given, char out[256], struct error *err)
{
	bool literal = given[0] == '[' && given[strlen(given) - 1] == ']';
	size_t len = strlen(given);

	if (len > 0) {
		if (len >= 256 ||
		    !(literal ? is_host(given + 1, len - 2, true) : is_host(given, len, false)) ||
		    (!literal && strchr(given, '.') == NULL && strcmp(given, "localhost") != 0))
			return err_set(err, ERR_CONFIG,
			    "helo '%.100s'; expected a full domain name or an [address]", given);
		snprintf(out, 256, "%s", given);
		return 0;
	}
	if (gethostname(out, 255) == -1)
		out[0] = '\0';
	out[255] = '\0';
	if (strchr(out, '.') == NULL || !is_host(out, strlen(out), false))
		snprintf(out, 256, "[127.0.0.1]");
	return 0;
}

/* libcurl says the decoded path of the URL in EHLO. */
static char *
make_url(const struct smtp_place *place, const char *helo)
{
	const char *bracket = strchr(place->host, ':') != NULL ? "[" : "";
	struct strbuf url;

	strbuf_init(&url, MAX_URL_BYTES);
	strbuf_addf(&url, "%s://%s%s%s:%u/", place->implicit_tls ? "smtps" : "smtp", bracket,
	    place->host, *bracket != '\0' ? "]" : "", place->port);
	for (; *helo != '\0'; helo++) {
		if (strchr("[]:", *helo) != NULL)
			strbuf_addf(&url, "%%%02X", (unsigned char)*helo);
		else
			strbuf_addc(&url, *helo);
	}
	return strbuf_detach(&url);
}

static char *
encode(const char *bytes, size_t len)
{
	size_t size = sodium_base64_encoded_len(len, sodium_base64_VARIANT_ORIGINAL);
	char *text = malloc(size);

	if (text != NULL)
		sodium_bin2base64(
		    text, size, (const unsigned char *)bytes, len, sodium_base64_VARIANT_ORIGINAL);
	return text;
}

static char *
encode_and_release(struct strbuf *text)
{
	char *encoded = strbuf_check(text, NULL) == 0 ? encode(text->buf, text->len) : NULL;

	if (text->alloc > 0)
		sodium_memzero(text->buf, text->alloc);
	strbuf_release(text);
	return encoded;
}

/* How AUTH LOGIN and AUTH PLAIN (RFC 4616), or XOAUTH2 and OAUTHBEARER (RFC 7628), put the secret on the wire. */
static int
encode_secret(struct smtp_account *a)
{
	struct strbuf text[2];

	strbuf_init(&text[0], 2 * MAX_SECRET_BYTES);
	strbuf_init(&text[1], 2 * MAX_SECRET_BYTES);
	if (a->by_token) {
		strbuf_addf(&text[0], "user=%s\1auth=Bearer %s\1\1", a->user, a->password);
		strbuf_addf(&text[1], "n,a=%s,\1host=%s\1port=%u\1auth=Bearer %s\1\1", a->user,
		    a->place.host, a->place.port, a->password);
	} else {
		strbuf_addc(&text[0], '\0');
		strbuf_add(&text[0], a->user);
		strbuf_addc(&text[0], '\0');
		strbuf_add(&text[0], a->password);
	}
	a->encoded[0] = encode(a->password, strlen(a->password));
	a->encoded[1] = encode_and_release(&text[0]);
	a->encoded[2] = encode_and_release(&text[1]);
	return a->encoded[0] == NULL || a->encoded[1] == NULL || a->encoded[2] == NULL ? -1 : 0;
}

/* -1 = no such way to log in. */
static int
choose_mechanisms(struct smtp_account *a, const char *auth, struct error *err)
{
	const unsigned by_token = AUTH_XOAUTH2 | AUTH_OAUTHBEARER;

	if (auth[0] == '\0' || strcmp(auth, "auto") == 0)
		a->auth = a->by_token ? by_token : AUTH_PLAIN | AUTH_LOGIN;
	for (size_t i = 0; i < NAUTHS; i++)
		if (strcasecmp(auth, smtp_mechanisms[i].name) == 0)
			a->auth = smtp_mechanisms[i].auth;
	if (a->auth == 0)
		return err_set(err, ERR_CONFIG,
		    "auth '%.40s'; expected auto, plain, login, xoauth2 or oauthbearer", auth);
	if (((a->auth & by_token) != 0) != a->by_token)
		return err_set(err, ERR_CONFIG, "auth %s %s a token-command; expected %s", auth,
		    a->by_token ? "with" : "without",
		    a->by_token ? "a password, or auth xoauth2 or oauthbearer" : "one");
	return 0;
}

/* Without them libcurl would take CRAM-MD5 first. */
static char *
make_login_options(const struct smtp_account *a)
{
	struct strbuf options;

	strbuf_init(&options, 100);
	for (size_t i = 0; i < NAUTHS; i++)
		if ((a->auth & smtp_mechanisms[i].auth) != 0)
			strbuf_addf(&options, "%sAUTH=%s", options.len > 0 ? ";" : "",
			    smtp_mechanisms[i].name);
	return strbuf_detach(&options);
}

static const char *
text_of(const char *text)
{
	return text != NULL ? text : "";
}

/* What the rest of the program would have to refuse later. */
static int
check_options(const struct smtp_options *o, const struct smtp_place *place, struct error *err)
{
	if (!o->tls_required && !place->implicit_tls && !place->loopback && !o->insecure)
		return err_set(err, ERR_CONFIG,
		    "tls none to %s would show every mail on the way; expected tls required, or "
		    "insecure = yes",
		    place->host);
	if (*text_of(o->user) == '\0' && *text_of(o->password) != '\0')
		return err_set(err, ERR_CONFIG,
		    "a password without a user; expected user = the name it is for");
	if (*text_of(o->user) != '\0' && *text_of(o->password) == '\0')
		return err_set(err, ERR_CONFIG, "user '%.100s' without a password", o->user);
	if (o->connections < 1 || o->connections > SMTP_MAX_CONNECTIONS)
		return err_set(err, ERR_CONFIG, "%u connections; expected 1..%d", o->connections,
		    SMTP_MAX_CONNECTIONS);
	return 0;
}

int
smtp_account_init(struct smtp_account *a, const struct smtp_options *o, struct error *err)
{
	char helo[256], name[300];

	memset(a, 0, sizeof(*a));
	a->by_token = o->token != NULL;
	a->token = o->token;
	a->token_arg = o->token_arg;
	if (smtp_parse_url(o->url, &a->place, err) == -1 ||
	    check_options(o, &a->place, err) == -1 ||
	    choose_helo(text_of(o->helo), helo, err) == -1 ||
	    choose_mechanisms(a, text_of(o->auth), err) == -1)
		return -1;
	a->tls_required = o->tls_required || a->place.implicit_tls;
	a->connections = o->connections;
	a->max_messages = o->max_messages;
	a->level = o->level == SMTP_AS_OFFERED ? SMTP_BEHIND : o->level;
	a->paced = o->paced;
	a->timeout_scale = o->timeout_scale > 0 ? o->timeout_scale : 1.0;
	snprintf(name, sizeof(name), "%s:%u", a->place.host, a->place.port);
	a->name = strdup(name);
	a->url = make_url(&a->place, helo);
	a->user = strdup(text_of(o->user));
	a->password = strdup(text_of(o->password));
	a->ca_file = strdup(text_of(o->ca_file));
	a->login_options = make_login_options(a);
	if (a->name == NULL || a->url == NULL || a->user == NULL || a->password == NULL ||
	    a->ca_file == NULL || a->login_options == NULL || encode_secret(a) == -1) {
		smtp_account_release(a);
		return err_nomem(err, "smtp");
	}
	return 0;
}

static void
free_secret(char *secret)
{
	if (secret != NULL)
		sodium_memzero(secret, strlen(secret));
	free(secret);
}

static void
free_secrets(struct smtp_account *a)
{
	free_secret(a->password);
	for (size_t i = 0; i < sizeof(a->encoded) / sizeof(a->encoded[0]); i++)
		free_secret(a->encoded[i]);
}

int
smtp_account_renew(struct smtp_account *a, struct error *err)
{
	struct smtp_account next = *a;
	struct strbuf token;
	int rc;

	strbuf_init(&token, MAX_SECRET_BYTES);
	memset(next.encoded, 0, sizeof(next.encoded));
	next.password = NULL;
	next.secret_number++;
	rc = a->token(a->token_arg, &token, err);
	if (rc == 0 && ((next.password = strdup(token.buf)) == NULL || encode_secret(&next) == -1))
		rc = err_nomem(err, "token");
	if (token.alloc > 0)
		sodium_memzero(token.buf, token.alloc);
	strbuf_release(&token);
	free_secrets(rc == 0 ? a : &next);
	if (rc == 0)
		*a = next;
	return rc;
}

void
smtp_account_release(struct smtp_account *a)
{
	free_secrets(a);
	free(a->name);
	free(a->url);
	free(a->user);
	free(a->ca_file);
	free(a->login_options);
	memset(a, 0, sizeof(*a));
}

int
smtp_check_options(const struct smtp_options *options, struct error *err)
{
	struct smtp_account a;
	int rc = smtp_account_init(&a, options, err);

	if (rc == 0)
		smtp_account_release(&a);
	return rc;
}

/*
 * Whether a text holds the secret, or a long part of it: replies are cut, and a server may repeat a piece.
 * whole	only one that begins as the secret is looked for
 */
static bool
shows(const char *text, const char *secret, bool whole)
{
	size_t len = strlen(secret), ntext = strlen(text);

	if (len < MIN_HIDDEN)
		return false;
	if (len <= PART_HIDDEN || whole)
		return memmem(text, ntext, secret, len < PART_HIDDEN ? len : PART_HIDDEN) != NULL;
	for (size_t i = 0; i + PART_HIDDEN <= ntext; i++)
		if (memmem(secret, len, text + i, PART_HIDDEN) != NULL)
			return true;
	return false;
}

void
smtp_hide_secret(const struct smtp_account *a, struct smtp_reply *reply)
{
	const char *const secrets[] = { a->password, a->encoded[0], a->encoded[1], a->encoded[2] };

	if (a->user[0] == '\0')
		return;
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
		if (!shows(reply->text, secrets[i], reply->code < 300))
			continue;
		snprintf(reply->text, sizeof(reply->text),
		    "%d (the server repeats the password; its words are left out)", reply->code);
		return;
	}
}
