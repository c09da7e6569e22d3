#include "imap.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

enum {
	WAIT_CONNECT = 30, /* seconds */
	WAIT_OPENING = 60, /* to the end of TLS */
	MAX_OPENING_LINES = 100,
};

/* ---- what libcurl does ---- */

/* libcurl hands over each line that it is told. Anything but its length ends the transfer. */
static size_t
on_header(char *bytes, size_t size, size_t nmemb, void *arg)
{
	struct imap *m = arg;
	size_t len = size * nmemb;
	char line[sizeof(m->greeting) / 2];

	snprintf(
	    line, sizeof(line), "%.*s", (int)(len < sizeof(line) ? len : sizeof(line) - 1), bytes);
	line[strcspn(line, "\r\n")] = '\0';
	err_printable(m->greeting, sizeof(m->greeting), line);
	if (m->nlines == 0 && strncmp(line, "* ", 2) != 0) {
		err_set(&m->opening_error, ERR_NET,
		    "does not speak IMAP ('%s'); is the port right?", m->greeting);
		return 0;
	}
	if (++m->nlines > MAX_OPENING_LINES) {
		err_set(&m->opening_error, ERR_NET, "says too much before it was asked");
		return 0;
	}
	return len;
}

static int
on_progress(void *arg, curl_off_t dltotal, curl_off_t dlnow, curl_off_t ultotal, curl_off_t ulnow)
{
	struct imap *m = arg;

	(void)dltotal;
	(void)dlnow;
	(void)ultotal;
	(void)ulnow;
	m->stopped = mailbox_must_stop(&m->mailbox);
	return m->stopped;
}

static int
set_options(struct imap *m, const struct dial_options *options)
{
	const double scale = 1000.0 * m->mailbox.timeout_scale;
	CURL *c = m->easy;
	CURLcode bad = CURLE_OK;

	if (dial_set_options(c, options) == -1)
		return -1;
	bad |= curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)(WAIT_CONNECT * scale));
	bad |= curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)(WAIT_OPENING * scale));
	bad |= curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	bad |= curl_easy_setopt(c, CURLOPT_HEADERDATA, m);
	bad |= curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
	bad |= curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
	bad |= curl_easy_setopt(c, CURLOPT_XFERINFODATA, m);
	return bad == CURLE_OK ? 0 : -1;
}

/* Why there is no connection. */
static int
explain(struct imap *m, CURLcode code, const struct dial_options *options, struct error *err)
{
	if (m->stopped)
		return err_set(err, ERR_TEMP, "stopped");
	if (m->opening_error.kind != ERR_NONE)
		return err_set(err, m->opening_error.kind, "%s", m->opening_error.msg);
	if (dial_explain(m->easy, code, options, "imap", err))
		return -1;
	if (code == CURLE_OPERATION_TIMEDOUT)
		return err_set(err, ERR_NET,
		    "%s within %d s; check url, and that no firewall is between",
		    m->nlines > 0 ? "no TLS" : "no greeting", WAIT_OPENING);
	if (code == CURLE_USE_SSL_FAILED)
		return err_set(err, ERR_CONFIG,
		    "does not set up TLS by STARTTLS, so nothing was sent; use imaps:// (port 993) "
		    "if it has that, and if it had STARTTLS before, somebody may stand between");
	if (code == CURLE_WEIRD_SERVER_REPLY && strncmp(m->greeting, "* BYE", 5) == 0)
		return err_set(
		    err, ERR_NET, "will not serve us (%s); try again later", m->greeting + 2);
	/* CVE-2021-22947: answers put before TLS would be believed after it. */
	if (code == CURLE_WEIRD_SERVER_REPLY)
		return err_set(err, ERR_CONFIG,
		    "an answer out of order at the opening ('%s'); is the port right? if it ever "
		    "worked, somebody may stand between",
		    m->greeting);
	return err_set(err, ERR_NET, "the connection was lost %s",
	    m->nlines > 0 ? "before it stood" : "before the greeting");
}

/* libcurl has done its part: is it what was asked for? */
static int
take_over(struct imap *m, struct error *err)
{
	curl_socket_t fd = CURL_SOCKET_BAD;
	curl_off_t tls_us = 0;

	curl_easy_getinfo(m->easy, CURLINFO_APPCONNECT_TIME_T, &tls_us);
	if (m->tls_required && tls_us == 0)
		return err_set(err, ERR_CONFIG, "no TLS was set up, so nothing was sent");
	if (curl_easy_getinfo(m->easy, CURLINFO_ACTIVESOCKET, &fd) != CURLE_OK ||
	    fd == CURL_SOCKET_BAD)
		return err_set(err, ERR_NET, "the connection was lost");
	m->fd = fd;
	return 0;
}

int
imap_connect(struct imap *m, struct error *err)
{
	const char *bracket = strchr(m->url.place.host, ':') != NULL ? "[" : "";
	char url[sizeof(m->url.place.host) + 32];
	const struct dial_options options = { .url = url,
		.protocols = "imap,imaps",
		.ca_file = m->ca_file,
		.starttls = m->tls_required && !m->url.implicit_tls,
		.error = m->curl_error };
	CURLcode code;
	int rc;

	snprintf(url, sizeof(url), "%s://%s%s%s:%u/", m->url.implicit_tls ? "imaps" : "imap",
	    bracket, m->url.place.host, *bracket != '\0' ? "]" : "", m->url.place.port);
	m->stopped = m->bye = m->fetching = false;
	m->greeting[0] = m->said[0] = '\0';
	m->nlines = 0;
	m->in_at = m->in_len = 0;
	err_clear(&m->opening_error);
	imap_reader_release(&m->reader);
	imap_reader_init(&m->reader);
	m->easy = curl_easy_init();
	if (m->easy == NULL || set_options(m, &options) == -1)
		return err_nomem(err, m->name);
	code = curl_easy_perform(m->easy);
	rc = code == CURLE_OK ? take_over(m, err) : explain(m, code, &options, err);
	return rc == -1 ? err_prefix(err, "%s", m->name) : 0;
}

void
imap_disconnect(struct imap *m)
{
	/* libcurl would log out and wait for the answer, whatever the state of the dialogue. */
	if (m->fd != -1)
		shutdown(m->fd, SHUT_RDWR);
	curl_easy_cleanup(m->easy);
	m->easy = NULL;
	m->fd = -1;
}

/* ---- logging in ---- */

/* "CAPABILITY IMAP4rev1 AUTH=PLAIN ..." */
static int
on_capability(struct imap *m, enum imap_kind kind, const char *rest)
{
	struct {
		const char *name;
		bool *flag;
	} const flags[] = {
		{ "LOGINDISABLED", &m->caps.login_disabled },
		{ "SASL-IR", &m->caps.initial_response },
		{ "MOVE", &m->caps.move },
		{ "UIDPLUS", &m->caps.uidplus },
	};
	char word[64];

	if (kind != IMAP_DATA || strncasecmp(rest, "CAPABILITY ", 11) != 0)
		return 0;
	memset(&m->caps, 0, sizeof(m->caps));
	for (rest += 11; *rest != '\0'; rest += strspn(rest, " ")) {
		size_t len = strcspn(rest, " "), used = strlen(m->caps.names);

		snprintf(word, sizeof(word), "%.*s",
		    (int)(len < sizeof(word) ? len : sizeof(word) - 1), rest);
		for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
			if (strcasecmp(word, flags[i].name) == 0)
				*flags[i].flag = true;
		if (strncasecmp(word, "AUTH=", 5) == 0) {
			m->caps.auth |= login_parse_mechanisms(word + 5);
			snprintf(m->caps.names + used, sizeof(m->caps.names) - used, "%s%s",
			    used > 0 ? " " : "", word + 5);
		}
		rest += len;
	}
	/* The mechanism LOGIN is not spoken: where it is, PLAIN or the command are as well. */
	m->caps.auth &= ~(unsigned)AUTH_LOGIN;
	return 0;
}

static int
ask_capability(struct imap *m, struct error *err)
{
	enum imap_status status;

	imap_begin(m);
	strbuf_add(&m->out, "CAPABILITY");
	if (imap_ask(m, IMAP_SMALL_ANSWER, on_capability, &status, err) == -1)
		return -1;
	return status == IMAP_OK ? 0 : imap_refuse(m, "does not tell what it can", "", err);
}

/* The server offers no way to log in that fits. */
static int
explain_no_way(const struct imap *m, struct error *err)
{
	const char *secret = m->login.by_token ? "token" : "password";
	char wanted[80];

	login_name_mechanisms(m->login.auth, wanted);
	if (m->caps.names[0] == '\0')
		return err_set(err, ERR_CONFIG,
		    "%s: offers no login here, so the %s was not sent; use imaps:// (port 993)",
		    m->name, secret);
	return err_set(err, ERR_CONFIG,
	    "%s: offers login by %s only, so the %s was not sent; expected %s", m->name,
	    m->caps.names, secret, wanted);
}

/* "AUTHENTICATE PLAIN <secret>" (RFC 9051 6.2.2); a challenge to a refused token is answered by nothing. */
static int
authenticate(struct imap *m, unsigned auth, enum imap_status *status, struct error *err)
{
	const char *secret = m->login.encoded[auth == AUTH_OAUTHBEARER ? 2 : 1];
	bool told = m->caps.initial_response;
	enum imap_kind kind;
	const char *rest;
	char name[80];

	login_name_mechanisms(auth, name);
	strbuf_addf(&m->out, "AUTHENTICATE %s%s%s", name, told ? " " : "", told ? secret : "");
	if (imap_say(m, err) == -1)
		return -1;
	for (unsigned nchallenges = 0;;) {
		if (imap_hear(m, IMAP_SMALL_ANSWER, &kind, status, &rest, err) == -1)
			return -1;
		if (kind == IMAP_DONE)
			return 0;
		if (kind != IMAP_GO_ON)
			continue;
		if (++nchallenges > 3)
			return err_set(
			    err, ERR_NET, "%s: too many questions at the login", m->name);
		if (!told)
			strbuf_add(&m->out, secret);
		told = true;
		if (imap_say(m, err) == -1)
			return -1;
	}
}

static int
log_in_by_command(struct imap *m, enum imap_status *status, struct error *err)
{
	int bad;

	strbuf_add(&m->out, "LOGIN ");
	bad = imap_add_quoted(&m->out, m->login.user);
	strbuf_addc(&m->out, ' ');
	bad |= imap_add_quoted(&m->out, m->login.password);
	if (bad != 0)
		return err_set(err, ERR_CONFIG,
		    "%s: offers only the command LOGIN, which takes user and password in ASCII",
		    m->name);
	return imap_ask(m, IMAP_SMALL_ANSWER, NULL, status, err);
}

int
imap_log_in(struct imap *m, struct error *err)
{
	enum imap_status status = IMAP_OK;
	unsigned usable;
	int rc;

	if (ask_capability(m, err) == -1)
		return -1;
	usable = m->login.auth & m->caps.auth;
	if (usable == 0 && ((m->login.auth & AUTH_LOGIN) == 0 || m->caps.login_disabled))
		return explain_no_way(m, err);
	imap_begin(m);
	/* The lowest is the one we like best. */
	if (usable != 0)
		rc = authenticate(m, usable & -usable, &status, err);
	else
		rc = log_in_by_command(m, &status, err);
	if (rc == -1)
		return -1;
	if (status == IMAP_OK)
		return ask_capability(m, err);
	if (m->login.by_token) {
		imap_refuse(m, "refuses user and token, also a new one",
		    "; run token-command by hand, it may have to log in anew", err);
		return err->kind == ERR_CONFIG ? 1 : -1;
	}
	return imap_refuse(m, "refuses user and password",
	    "; check both, many services want an app password here", err);
}
