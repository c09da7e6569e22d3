#include "smtp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum {
	PORT_SMTP = 25,
	PORT_SUBMISSIONS = 465, /* RFC 8314 */
	PORT_SUBMISSION = 587,	/* RFC 6409 */
};

int
smtp_parse_url(const char *url, struct smtp_place *out, struct error *err)
{
	static const char expected[] = "smtps://host[:port] or smtp://host[:port]";
	struct smtp_place place = { .implicit_tls = strncasecmp(url, "smtps://", 8) == 0 };
	const char *at = url + (place.implicit_tls ? 8 : 7);
	struct dial_place there;

	if (!place.implicit_tls && strncasecmp(url, "smtp://", 7) != 0)
		return err_set(err, ERR_CONFIG, "'%.200s'; expected %s", url, expected);
	if (dial_parse_place(url, &at, expected, &there, err) == -1)
		return -1;
	if (strcmp(at, "") != 0 && strcmp(at, "/") != 0)
		return err_set(
		    err, ERR_CONFIG, "'%.200s' goes on after the host; expected %s", url, expected);
	memcpy(place.host, there.host, sizeof(place.host));
	place.loopback = there.loopback;
	place.port = there.port != 0 ? there.port
	    : place.implicit_tls     ? PORT_SUBMISSIONS
	    : place.loopback	     ? PORT_SMTP
				     : PORT_SUBMISSION;
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
		    !(literal ? dial_is_host(given + 1, len - 2, true)
			      : dial_is_host(given, len, false)) ||
		    (!literal && strchr(given, '.') == NULL && strcmp(given, "localhost") != 0))
			return err_set(err, ERR_CONFIG,
			    "helo '%.100s'; expected a full domain name or an [address]", given);
		snprintf(out, 256, "%s", given);
		return 0;
	}
	if (gethostname(out, 255) == -1)
		out[0] = '\0';
	out[255] = '\0';
	if (strchr(out, '.') == NULL || !dial_is_host(out, strlen(out), false))
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

/* Without them libcurl would take CRAM-MD5 first. */
static char *
make_login_options(const struct smtp_account *a)
{
	struct strbuf options;

	strbuf_init(&options, 100);
	for (size_t i = 0; i < NAUTHS; i++)
		if ((a->login.auth & login_mechanisms[i].auth) != 0)
			strbuf_addf(&options, "%sAUTH=%s", options.len > 0 ? ";" : "",
			    login_mechanisms[i].name);
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
	if (o->connections < 1 || o->connections > SMTP_MAX_CONNECTIONS)
		return err_set(err, ERR_CONFIG, "%u connections; expected 1..%d", o->connections,
		    SMTP_MAX_CONNECTIONS);
	return 0;
}

int
smtp_account_init(struct smtp_account *a, const struct smtp_options *o, struct error *err)
{
	const struct login_options login = { o->user, o->password, o->auth, o->token,
		o->token_arg };
	char helo[256], name[300];

	memset(a, 0, sizeof(*a));
	if (smtp_parse_url(o->url, &a->place, err) == -1 ||
	    check_options(o, &a->place, err) == -1 ||
	    choose_helo(text_of(o->helo), helo, err) == -1 ||
	    login_init(&a->login, &login, a->place.host, a->place.port, err) == -1)
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
	a->ca_file = strdup(text_of(o->ca_file));
	a->login_options = make_login_options(a);
	if (a->name == NULL || a->url == NULL || a->ca_file == NULL || a->login_options == NULL) {
		smtp_account_release(a);
		return err_nomem(err, "smtp");
	}
	return 0;
}

void
smtp_account_release(struct smtp_account *a)
{
	login_release(&a->login);
	free(a->name);
	free(a->url);
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

void
smtp_hide_secret(const struct smtp_account *a, struct smtp_reply *reply)
{
	if (login_is_shown(&a->login, reply->text, reply->code < 300))
		snprintf(reply->text, sizeof(reply->text),
		    "%d (the server repeats the password; its words are left out)", reply->code);
}
