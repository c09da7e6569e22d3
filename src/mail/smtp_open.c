#include "smtp.h"
#include "digest/clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

/* S-11, RFC 5321 4.5.3.2, in seconds. */
enum { WAIT_CONNECT = 30, WAIT_GREETING = 300 };

/* 535, or (RFC 7628 3.2.2) the challenge that tells what is wrong with a token. */
static bool
is_secret_refused(const struct smtp_link *l)
{
	return l->opening == OPENING_AUTH &&
	    (l->last.code == 535 || (l->engine->account.login.by_token && l->last.code == 334));
}

/* The server answered with a refusal: whose business it is depends on where. */
static int
explain_refusal(const struct smtp_link *l, struct error *err)
{
	static const struct {
		const char *what, *cure;
	} rows[] = {
		[OPENING_GREETING] = { "will not serve us",
		    "; are url and port right, and does it know this machine? else ask its "
		    "operator" },
		[OPENING_HELLO] = { "refuses EHLO", "; is helo the name of this machine?" },
		[OPENING_STARTTLS] = { "refuses STARTTLS, so nothing was sent",
		    "; use smtps:// (port 465) if it has that, else tell its operator" },
		[OPENING_AUTH] = { "refuses the login", "; is auth right?" },
	};
	const char *what = rows[l->opening].what, *cure = rows[l->opening].cure;
	const bool by_token = l->engine->account.login.by_token;
	enum err_kind kind = l->last.code >= 500 ? ERR_CONFIG : ERR_NET;

	if (is_secret_refused(l)) {
		kind = ERR_CONFIG;
		what = by_token ? "refuses user and token, also a new one"
				: "refuses user and password";
		cure = by_token ? "; run token-command by hand, it may have to log in anew"
				: "; check both, many services want an app password here";
	}
	if (kind == ERR_NET)
		cure = "; try again later";
	return err_set(err, kind, "%s (%s)%s", what, l->last.text, cure);
}

/* ---- what the server says before the link is ours ---- */

/* End the opening from within libcurl's callback. */
static int
abort_opening(struct smtp_link *l, enum err_kind kind, const char *why)
{
	err_set(&l->why, kind, "%s", why);
	return -1;
}

static bool
needs_extensions(const struct smtp_account *a)
{
	return a->tls_required || a->login.user[0] != '\0';
}

/* An EHLO was answered: nothing secret may go out unless what was asked for is there. */
static int
check_hello(struct smtp_link *l)
{
	const struct smtp_account *a = &l->engine->account;
	char why[300], names[80];

	if (a->tls_required && !l->tls_up) {
		l->opening = OPENING_STARTTLS;
		if (l->caps.starttls)
			return 0;
		return abort_opening(l, ERR_CONFIG,
		    "does not offer STARTTLS, so nothing was sent; use smtps:// (port 465) if it "
		    "has that, and if it had STARTTLS before, somebody may stand between");
	}
	l->opening = OPENING_AUTH;
	if (a->login.user[0] == '\0' || (a->login.auth & l->caps.auth) != 0)
		return 0;
	if (l->caps.told.auth[0] == '\0')
		return abort_opening(l, ERR_CONFIG,
		    "does not offer AUTH, so the password was not sent; remove user if it needs "
		    "none, or use the port for submission (465 or 587)");
	login_name_mechanisms(a->login.auth, names);
	snprintf(why, sizeof(why), "offers AUTH %s only, so the %s was not sent; expected %s",
	    l->caps.told.auth, a->login.by_token ? "token" : "password", names);
	return abort_opening(l, ERR_CONFIG, why);
}

static int
on_opening_reply(struct smtp_link *l)
{
	int class = l->last.code / 100;

	l->connected = true;
	l->deadline_ms = smtp_deadline(l->engine, WAIT_GREETING);
	switch (l->opening) {
	case OPENING_GREETING:
		l->opening = class == 2 ? OPENING_HELLO : OPENING_GREETING;
		break;
	case OPENING_HELLO:
		if (class == 2)
			return check_hello(l);
		/* libcurl would try HELO, which offers neither TLS nor a login. */
		return needs_extensions(&l->engine->account) ? explain_refusal(l, &l->why) : 0;
	case OPENING_STARTTLS:
		if (class != 2)
			break;
		/* RFC 3207 4.2: what was said before TLS is forgotten. */
		memset(&l->caps, 0, sizeof(l->caps));
		l->tls_up = true;
		l->opening = OPENING_HELLO;
		break;
	case OPENING_AUTH:
		l->caps.told.logged_in = l->last.code == 235;
		break;
	}
	return 0;
}

/* libcurl hands over each line of a reply. Anything but its length ends the transfer. */
static size_t
on_header(char *bytes, size_t size, size_t nmemb, void *arg)
{
	struct smtp_link *l = arg;
	size_t len = size * nmemb, used;
	char line[256];
	int got;

	if (l->opening == OPENING_HELLO && l->opening_reader.nlines > 0 && len > 4) {
		snprintf(
		    line, sizeof(line), "%.*s", (int)(len - 4 < 255 ? len - 4 : 255), bytes + 4);
		line[strcspn(line, "\r\n")] = '\0';
		smtp_add_capability(&l->caps, line);
	}
	got = smtp_read_reply(&l->opening_reader, bytes, len, &used, &l->last);
	if (got == -1)
		abort_opening(l, ERR_NET, "does not speak SMTP; is the port right?");
	if (got == 1) {
		smtp_hide_secret(&l->engine->account, &l->last);
		got = on_opening_reply(l);
	}
	return got == -1 ? 0 : len;
}

/* ---- libcurl's sockets and timer ---- */

static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *of_socket)
{
	struct smtp_link *l = arg;

	(void)easy;
	(void)of_socket;
	if (what == CURL_POLL_REMOVE) {
		smtp_unwatch(l, fd);
		return 0;
	}
	return smtp_watch(l, fd,
	    ((what & CURL_POLL_IN) != 0 ? (uint32_t)EPOLLIN : 0) |
		((what & CURL_POLL_OUT) != 0 ? (uint32_t)EPOLLOUT : 0));
}

static int
on_timer(CURLM *multi, long timeout_ms, void *arg)
{
	struct smtp_link *l = arg;

	(void)multi;
	l->curl_timer_ms = timeout_ms < 0 ? -1 : clock_monotonic_ms() + timeout_ms;
	return 0;
}

/* Else libcurl would say no more than that there is no connection. Without IPv6, say, it has another address to try. */
static curl_socket_t
on_open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct smtp_link *l = arg;
	int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);

	(void)purpose;
	if (fd == -1 && (errno == EMFILE || errno == ENFILE))
		abort_opening(l, ERR_NET,
		    errno == EMFILE ? "no connection: too many open files; raise the limit "
				      "(ulimit -n), or set fewer connections"
				    : "no connection: too many open files on this machine");
	return fd;
}

static struct dial_options
dial_options_of(struct smtp_link *l)
{
	const struct smtp_account *a = &l->engine->account;

	return (struct dial_options){ .url = a->url,
		.protocols = "smtp,smtps",
		.ca_file = a->ca_file,
		.starttls = a->tls_required && !a->place.implicit_tls,
		.error = l->curl_error };
}

/* 0, or -1 when libcurl refuses one of them. */
static int
set_options(struct smtp_link *l)
{
	const struct smtp_account *a = &l->engine->account;
	const struct dial_options options = dial_options_of(l);
	CURL *c = l->easy;
	/* Our own deadlines are tighter; these only keep libcurl's defaults (120 s) out of the way. */
	long whole_s = WAIT_CONNECT + 8 * WAIT_GREETING;
	CURLcode bad = CURLE_OK;

	if (dial_set_options(c, &options) == -1)
		return -1;
	bad |= curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, whole_s);
	bad |= curl_easy_setopt(c, CURLOPT_SERVER_RESPONSE_TIMEOUT, whole_s);
	if (a->login.user[0] != '\0') {
		bad |= curl_easy_setopt(c, CURLOPT_USERNAME, a->login.user);
		bad |= curl_easy_setopt(c,
		    a->login.by_token ? CURLOPT_XOAUTH2_BEARER : CURLOPT_PASSWORD,
		    a->login.password);
		bad |= curl_easy_setopt(c, CURLOPT_LOGIN_OPTIONS, a->login_options);
		bad |= curl_easy_setopt(c, CURLOPT_SASL_IR, 1L);
	}
	bad |= curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	bad |= curl_easy_setopt(c, CURLOPT_HEADERDATA, l);
	bad |= curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
	bad |= curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, l);
	return bad == CURLE_OK ? 0 : -1;
}

int
smtp_link_open(struct smtp_link *l, struct error *err)
{
	l->easy = curl_easy_init();
	l->multi = curl_multi_init();
	l->fd = -1;
	l->curl_timer_ms = -1;
	l->opening = OPENING_GREETING;
	l->connected = false;
	l->tls_up = l->engine->account.place.implicit_tls;
	l->secret_number = l->engine->account.login.secret_number;
	memset(&l->caps, 0, sizeof(l->caps));
	memset(&l->opening_reader, 0, sizeof(l->opening_reader));
	memset(&l->last, 0, sizeof(l->last));
	err_clear(&l->why);
	l->state = LINK_OPENING;
	l->deadline_ms = smtp_deadline(l->engine, WAIT_CONNECT);
	if (l->easy == NULL || l->multi == NULL || set_options(l) == -1 ||
	    curl_multi_setopt(l->multi, CURLMOPT_SOCKETFUNCTION, on_socket) != CURLM_OK ||
	    curl_multi_setopt(l->multi, CURLMOPT_SOCKETDATA, l) != CURLM_OK ||
	    curl_multi_setopt(l->multi, CURLMOPT_TIMERFUNCTION, on_timer) != CURLM_OK ||
	    curl_multi_setopt(l->multi, CURLMOPT_TIMERDATA, l) != CURLM_OK ||
	    curl_multi_add_handle(l->multi, l->easy) != CURLM_OK) {
		smtp_link_close(l);
		return err_nomem(err, "smtp connection");
	}
	return 0;
}

void
smtp_link_close(struct smtp_link *l)
{
	/* libcurl would say QUIT and wait for the answer, whatever the state of the dialogue. */
	if (l->fd != -1) {
		smtp_unwatch(l, l->fd);
		shutdown(l->fd, SHUT_RDWR);
	}
	if (l->multi != NULL && l->easy != NULL)
		curl_multi_remove_handle(l->multi, l->easy);
	curl_easy_cleanup(l->easy);
	if (l->multi != NULL)
		curl_multi_cleanup(l->multi);
	l->easy = NULL;
	l->multi = NULL;
	l->fd = -1;
	l->curl_timer_ms = -1;
	l->phase = PHASE_NONE;
	if (l->engine->scout == l)
		l->engine->scout = NULL;
	l->state = LINK_CLOSED;
}

/* ---- why it failed, and what to do ---- */

static int
explain_lost(const struct smtp_link *l, struct error *err)
{
	static const char *const where[] = {
		[OPENING_GREETING] = "before its greeting",
		[OPENING_HELLO] = "at EHLO",
		[OPENING_STARTTLS] = "at STARTTLS",
		[OPENING_AUTH] = "at the login",
	};

	return err_set(err, ERR_NET, "the connection was lost %s", where[l->opening]);
}

static int
explain(struct smtp_link *l, CURLcode code, enum smtp_trouble *trouble, struct error *err)
{
	const struct dial_options options = dial_options_of(l);
	bool said = true;

	if (l->why.kind != ERR_NONE)
		err_set(err, l->why.kind, "%s", l->why.msg);
	else
		said = dial_explain(l->easy, code, &options, "smtp", err);
	l->caps.told.untrusted = dial_is_untrusted(l->easy, code, &options);
	*trouble = said && err->kind == ERR_CONFIG ? TROUBLE_STOP : TROUBLE_LINK;
	if (said)
		return -1;
	if (l->last.code >= 400 || (code == CURLE_LOGIN_DENIED && is_secret_refused(l))) {
		/* "Not now" from a relay that has served us is a reason to come back, as a lost link is. */
		*trouble = l->last.code >= 500 ? TROUBLE_STOP : TROUBLE_LINK;
		if (l->engine->account.login.by_token && is_secret_refused(l))
			*trouble = TROUBLE_TOKEN;
		return explain_refusal(l, err);
	}
	/* CVE-2021-22947: replies put before TLS would be believed after it. */
	if (code == CURLE_WEIRD_SERVER_REPLY && l->tls_up) {
		*trouble = TROUBLE_STOP;
		return err_set(err, ERR_CONFIG,
		    "said more before TLS than it was asked; somebody may stand between");
	}
	if (code == CURLE_WEIRD_SERVER_REPLY || code == CURLE_LOGIN_DENIED) {
		*trouble = TROUBLE_STOP;
		return err_set(
		    err, ERR_CONFIG, "an answer out of order at the opening: %s", l->last.text);
	}
	return explain_lost(l, err);
}

/* libcurl is done: the link is ours, if all that was asked for was done. */
static int
finish_opening(struct smtp_link *l, enum smtp_trouble *trouble, struct error *err)
{
	const struct smtp_account *a = &l->engine->account;
	curl_socket_t fd = CURL_SOCKET_BAD;

	*trouble = TROUBLE_STOP;
	if (a->tls_required && !l->tls_up)
		return err_set(err, ERR_CONFIG, "no TLS was set up, so nothing was sent");
	if (a->login.user[0] != '\0' && !l->caps.told.logged_in)
		return err_set(err, ERR_CONFIG, "the login did not happen, so nothing was sent");
	*trouble = TROUBLE_LINK;
	if (curl_easy_getinfo(l->easy, CURLINFO_ACTIVESOCKET, &fd) != CURLE_OK ||
	    fd == CURL_SOCKET_BAD || smtp_watch(l, fd, EPOLLIN) == -1)
		return explain_lost(l, err);
	l->fd = fd;
	l->caps.told.tls = l->tls_up;
	memset(&l->reader, 0, sizeof(l->reader));
	l->wants_write = false;
	strbuf_reset(&l->out);
	l->out_sent = l->out_start = 0;
	l->nexpected = l->nmails = l->ndomains = 0;
	l->domain[0] = '\0';
	l->state = LINK_IDLE;
	return 1;
}

int
smtp_link_advance(struct smtp_link *l, curl_socket_t fd, int events, enum smtp_trouble *trouble,
    struct error *err)
{
	int flags = 0, running, left;
	const CURLMsg *msg;

	if ((events & (EPOLLIN | EPOLLHUP)) != 0)
		flags |= CURL_CSELECT_IN;
	if ((events & EPOLLOUT) != 0)
		flags |= CURL_CSELECT_OUT;
	if ((events & EPOLLERR) != 0)
		flags |= CURL_CSELECT_ERR;
	if (fd == CURL_SOCKET_TIMEOUT)
		l->curl_timer_ms = -1;
	curl_multi_socket_action(l->multi, fd, flags, &running);
	while ((msg = curl_multi_info_read(l->multi, &left)) != NULL) {
		if (msg->msg != CURLMSG_DONE)
			continue;
		if (msg->data.result == CURLE_OK)
			return finish_opening(l, trouble, err);
		return explain(l, msg->data.result, trouble, err);
	}
	return 0;
}

int
smtp_link_is_late(struct smtp_link *l, struct error *err)
{
	static const char *const awaited[] = {
		[OPENING_GREETING] = "no greeting",
		[OPENING_HELLO] = "no answer to EHLO",
		[OPENING_STARTTLS] = "no answer to STARTTLS",
		[OPENING_AUTH] = "no answer to the login",
	};
	curl_off_t connect_us = 0;

	curl_easy_getinfo(l->easy, CURLINFO_CONNECT_TIME_T, &connect_us);
	if (connect_us == 0)
		return err_set(err, ERR_NET,
		    "no connection within %d s; check url, and that no firewall is between",
		    WAIT_CONNECT);
	if (!l->connected) {
		l->connected = true;
		l->deadline_ms = smtp_deadline(l->engine, WAIT_GREETING - WAIT_CONNECT);
		return 1;
	}
	return err_set(err, ERR_NET, "%s within %d s", awaited[l->opening], WAIT_GREETING);
}
