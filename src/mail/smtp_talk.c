#include "smtp.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

/* S-11, RFC 5321 4.5.3.2, in seconds. Nobody waits long for a farewell. */
enum { WAIT_BLOCK = 180 };

static const struct {
	const char *name;
	int wait_s;
} steps[] = {
	[STEP_MAIL] = { "MAIL", 300 },
	[STEP_RCPT] = { "RCPT", 300 },
	[STEP_DATA] = { "DATA", 120 },
	[STEP_DOT] = { "the final dot", 600 },
	[STEP_RSET] = { "RSET", 60 },
	[STEP_QUIT] = { "QUIT", 5 },
};

/* ---- going out ---- */

/* Put a command behind what waits, and expect its answer. */
__attribute__((format(printf, 3, 4))) static void
add_command(struct smtp_link *l, enum smtp_step step, const char *fmt, ...)
{
	size_t room = sizeof(l->commands) - l->ncommands;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(l->commands + l->ncommands, room, fmt, ap);
	va_end(ap);
	/* Two mailboxes of 254 bytes and the words around them fit. */
	if (n < 0 || (size_t)n >= room || l->nexpected == MAX_EXPECTED) {
		smtp_link_lose(l, "a command does not fit");
		return;
	}
	l->ncommands += (size_t)n;
	l->expected[l->nexpected++] = step;
	l->deadline_ms = smtp_deadline(l->engine, steps[l->expected[0]].wait_s);
}

/* The next piece of the body; false when it is out but for the dot. */
static bool
next_chunk(struct smtp_link *l)
{
	const struct strbuf *bytes = &l->mail.bytes;
	size_t used;

	if (l->body_used == bytes->len)
		return false;
	if (!l->scan.has_dots) {
		l->chunk = bytes->buf;
		l->chunk_len = l->body_used = bytes->len;
		return true;
	}
	l->chunk = l->stuffed;
	l->chunk_len = smtp_stuff_dots(&l->at_line_start, bytes->buf + l->body_used,
	    bytes->len - l->body_used, &used, l->stuffed, STUFF_BYTES);
	l->body_used += used;
	return true;
}

/* 1 = sent, 0 = no room now, -1 = the link is gone. */
static int
send_piece(struct smtp_link *l, const char *bytes, size_t len, size_t *sent)
{
	CURLcode rc = curl_easy_send(l->easy, bytes, len, sent);

	if (rc == CURLE_AGAIN)
		return 0;
	return rc == CURLE_OK && *sent > 0 ? 1 : -1;
}

/* As flush, but does not care for what epoll waits. */
static int
send_all(struct smtp_link *l)
{
	size_t n;
	int rc;

	while (l->commands_sent < l->ncommands) {
		rc = send_piece(
		    l, l->commands + l->commands_sent, l->ncommands - l->commands_sent, &n);
		if (rc != 1)
			return rc;
		l->commands_sent += n;
	}
	l->commands_sent = l->ncommands = 0;
	if (l->state != LINK_BUSY || l->phase != PHASE_BODY)
		return 1;
	while (l->chunk_len > 0 || next_chunk(l)) {
		rc = send_piece(l, l->chunk, l->chunk_len, &n);
		if (rc != 1)
			return rc;
		l->chunk += n;
		l->chunk_len -= n;
		l->deadline_ms = smtp_deadline(l->engine, WAIT_BLOCK);
	}
	l->phase = PHASE_INTENT;
	return 1;
}

/* Send what there is until the socket is full. -1 = the link is gone. */
static int
flush(struct smtp_link *l)
{
	int rc = send_all(l);

	if (rc != -1 && l->wants_write != (rc == 0)) {
		l->wants_write = rc == 0;
		rc = smtp_watch(l, l->fd, (uint32_t)EPOLLIN | (rc == 0 ? (uint32_t)EPOLLOUT : 0));
	}
	return rc;
}

/* ---- what became of the mail ---- */

static void
settle(struct smtp_link *l, enum outcome outcome, const char *reply)
{
	l->nmails++;
	l->state = LINK_IDLE;
	smtp_settle(l->engine, &l->mail, outcome, reply);
}

void
smtp_link_lose(struct smtp_link *l, const char *why)
{
	bool counts = l->state != LINK_QUITTING;

	if (l->state == LINK_BUSY)
		settle(l, l->phase == PHASE_DOT ? OUTCOME_UNKNOWN : OUTCOME_DEFERRED, why);
	smtp_link_close(l);
	if (counts)
		smtp_note(l->engine, TROUBLE_LINK, ERR_NET, why);
}

void
smtp_link_abandon(struct smtp_link *l, const char *why)
{
	if (l->state == LINK_BUSY)
		settle(l, OUTCOME_DEFERRED, why);
	smtp_link_close(l);
}

void
smtp_link_be_late(struct smtp_link *l)
{
	char why[80];

	if (l->nexpected > 0)
		snprintf(why, sizeof(why), "no answer to %s within %d s",
		    steps[l->expected[0]].name, steps[l->expected[0]].wait_s);
	else
		snprintf(why, sizeof(why), "no byte of the mail was taken for %d s", WAIT_BLOCK);
	smtp_link_lose(l, why);
}

static void
reset(struct smtp_link *l)
{
	l->state = LINK_RESETTING;
	add_command(l, STEP_RSET, "RSET\r\n");
}

/* The mail was refused, at RCPT, DATA or after the dot. */
static void
settle_refused(struct smtp_link *l, const struct smtp_reply *reply, bool at_rcpt)
{
	struct smtp_verdict v = smtp_judge(reply->text, at_rcpt);
	char why[MAX_REPLY_TEXT + 120];

	settle(l, v.outcome, reply->text);
	snprintf(why, sizeof(why), "%s; %s", reply->text, smtp_find_cure(reply->text));
	smtp_note(l->engine, v.of_all ? TROUBLE_POLICY : TROUBLE_NONE,
	    v.blame == BLAME_OURS ? ERR_CONFIG : ERR_NET, why);
}

static void
get_out_of_order(struct smtp_link *l, const struct smtp_reply *reply)
{
	char why[MAX_REPLY_TEXT + 40];

	snprintf(why, sizeof(why), "an answer out of order: %s", reply->text);
	smtp_link_lose(l, why);
}

static bool
is_refusal(const struct smtp_reply *reply)
{
	return reply->code >= 400;
}

/* RFC 3463: x.3.4, message too big for system. */
static bool
is_too_big(const struct smtp_reply *reply)
{
	return reply->code == 552 || strcmp(reply->enhanced, "5.3.4") == 0;
}

/* Refused for good, and not for a state of the relay's own that passes. */
static bool
is_ours(const struct smtp_reply *reply)
{
	struct smtp_verdict v = smtp_judge(reply->text, false);

	return reply->code >= 500 && (v.outcome == OUTCOME_FAILED || v.blame == BLAME_OURS);
}

/* ---- the answers ---- */

static void
on_mail(struct smtp_link *l, const struct smtp_reply *reply)
{
	char why[MAX_REPLY_TEXT + MAX_ADDRESS_BYTES + 180];

	if (reply->code / 100 == 2) {
		add_command(l, STEP_RCPT, "RCPT TO:<%s>\r\n", l->mail.to);
		return;
	}
	if (!is_refusal(reply)) {
		get_out_of_order(l, reply);
		return;
	}
	if (is_too_big(reply)) {
		settle(l, OUTCOME_FAILED, reply->text);
		smtp_note(l->engine, TROUBLE_NONE, ERR_NONE, "");
	} else {
		/* The recipient is not known yet: whatever is wrong, it is so for all. */
		snprintf(why, sizeof(why), "refuses mail from %s (%s); %s", l->mail.sender,
		    reply->text, smtp_find_cure(reply->text));
		settle(l, OUTCOME_DEFERRED, reply->text);
		smtp_note(l->engine, TROUBLE_STOP, is_ours(reply) ? ERR_CONFIG : ERR_NET, why);
	}
	reset(l);
}

static void
on_rcpt(struct smtp_link *l, const struct smtp_reply *reply)
{
	if (reply->code / 100 == 2) {
		add_command(l, STEP_DATA, "DATA\r\n");
	} else if (is_refusal(reply)) {
		settle_refused(l, reply, true);
		reset(l);
	} else {
		get_out_of_order(l, reply);
	}
}

static void
on_data(struct smtp_link *l, const struct smtp_reply *reply)
{
	if (reply->code == 354) {
		l->phase = PHASE_BODY;
		l->chunk_len = l->body_used = 0;
		l->at_line_start = true;
		l->deadline_ms = smtp_deadline(l->engine, WAIT_BLOCK);
	} else if (is_refusal(reply)) {
		settle_refused(l, reply, false);
		reset(l);
	} else {
		get_out_of_order(l, reply);
	}
}

static void
on_dot(struct smtp_link *l, const struct smtp_reply *reply)
{
	if (reply->code / 100 == 2) {
		settle(l, OUTCOME_SENT, reply->text);
		smtp_note(l->engine, TROUBLE_NONE, ERR_NONE, "");
	} else if (is_refusal(reply)) {
		settle_refused(l, reply, false);
	} else {
		get_out_of_order(l, reply);
	}
}

static void
on_rset(struct smtp_link *l, const struct smtp_reply *reply)
{
	if (reply->code / 100 == 2)
		l->state = LINK_IDLE;
	else
		get_out_of_order(l, reply);
}

static void
on_quit(struct smtp_link *l, const struct smtp_reply *reply)
{
	(void)reply;
	smtp_link_close(l);
}

static void (*const on_answer[])(struct smtp_link *, const struct smtp_reply *) = {
	[STEP_MAIL] = on_mail,
	[STEP_RCPT] = on_rcpt,
	[STEP_DATA] = on_data,
	[STEP_DOT] = on_dot,
	[STEP_RSET] = on_rset,
	[STEP_QUIT] = on_quit,
};

/* Nothing was asked. While the body goes out the server may refuse it; there is no way back to commands from there. */
static void
on_unasked(struct smtp_link *l, const struct smtp_reply *reply)
{
	if (l->state == LINK_BUSY && is_refusal(reply)) {
		settle_refused(l, reply, false);
		smtp_link_close(l);
	} else {
		get_out_of_order(l, reply);
	}
}

static void
on_reply(struct smtp_link *l, struct smtp_reply *reply)
{
	enum smtp_step step;

	smtp_hide_secret(&l->engine->account, reply);
	/* RFC 5321 3.8: it will close, whatever it was asked. */
	if (reply->code == 421) {
		smtp_link_lose(l, reply->text);
		return;
	}
	if (l->nexpected == 0) {
		on_unasked(l, reply);
		return;
	}
	step = l->expected[0];
	/* An answer to what it cannot have read in full. */
	if (l->commands_sent < l->ncommands) {
		get_out_of_order(l, reply);
		return;
	}
	l->nexpected--;
	memmove(l->expected, l->expected + 1, l->nexpected * sizeof(l->expected[0]));
	on_answer[step](l, reply);
}

static void
read_replies(struct smtp_link *l)
{
	struct smtp_reply reply;
	char bytes[4096];
	size_t n, used;

	for (;;) {
		CURLcode rc = curl_easy_recv(l->easy, bytes, sizeof(bytes), &n);

		if (rc == CURLE_AGAIN)
			return;
		if (rc != CURLE_OK || n == 0) {
			smtp_link_lose(l, "the connection was lost");
			return;
		}
		for (size_t at = 0; at < n; at += used) {
			int got = smtp_read_reply(&l->reader, bytes + at, n - at, &used, &reply);

			if (got == -1)
				smtp_link_lose(l, "an answer that is not SMTP");
			else if (got == 1)
				on_reply(l, &reply);
			if (l->state == LINK_CLOSED)
				return;
		}
		/* A short read emptied the socket. Under TLS libcurl may hold more, of which epoll
		 * knows nothing. */
		if (n < sizeof(bytes) && !l->tls_up)
			return;
	}
}

/* Send; when that fails, what the server said last may tell why. */
static void
push(struct smtp_link *l)
{
	if (l->state == LINK_CLOSED || flush(l) != -1)
		return;
	read_replies(l);
	if (l->state != LINK_CLOSED)
		smtp_link_lose(l, "the connection was lost");
}

void
smtp_link_move(struct smtp_link *l)
{
	read_replies(l);
	push(l);
}

/* ---- the commands of the loop ---- */

/* Why the server need not be asked; NULL = it may be. */
static const char *
find_fault(struct smtp_link *l, bool utf8, size_t size)
{
	const struct smtp_probe *told = &l->caps.told;

	if (!smtp_is_mailbox(l->mail.to))
		return "the address is no mailbox";
	if (!smtp_is_mailbox(l->mail.sender))
		return "the sender's address is no mailbox";
	if (!l->scan.clean)
		return "the mail has a bare CR, a bare LF or a NUL";
	if (utf8 && !told->smtputf8)
		return "address needs SMTPUTF8";
	if (told->max_size > 0 && size > told->max_size)
		return "552 5.3.4 larger than the server's limit";
	if (l->scan.has_dots && l->stuffed == NULL && (l->stuffed = malloc(STUFF_BYTES)) == NULL)
		return "out of memory";
	return NULL;
}

void
smtp_link_take(struct smtp_link *l, struct delivery *mail)
{
	struct delivery empty = l->mail;
	const char *fault;
	char size_text[40];
	size_t size;
	bool utf8;

	l->mail = *mail;
	*mail = empty;
	l->scan = smtp_scan_body(l->mail.bytes.buf, l->mail.bytes.len);
	size = l->mail.bytes.len + (l->scan.ends ? 0 : 2);
	utf8 =
	    l->mail.needs_smtputf8 || !smtp_is_ascii(l->mail.to) || !smtp_is_ascii(l->mail.sender);
	fault = find_fault(l, utf8, size);
	if (fault != NULL) {
		smtp_settle(l->engine, &l->mail, OUTCOME_FAILED, fault);
		return;
	}
	if (l->scan.has_dots && l->stuffed == NULL && (l->stuffed = malloc(STUFF_BYTES)) == NULL) {
		smtp_settle(l->engine, &l->mail, OUTCOME_DEFERRED, "out of memory");
		return;
	}
	l->state = LINK_BUSY;
	l->phase = PHASE_ENVELOPE;
	snprintf(size_text, sizeof(size_text), " SIZE=%zu", size);
	add_command(l, STEP_MAIL, "MAIL FROM:<%s>%s%s\r\n", l->mail.sender,
	    l->caps.told.size ? size_text : "", utf8 ? " SMTPUTF8" : "");
	push(l);
}

bool
smtp_link_is_ready(struct smtp_link *l)
{
	if (l->state == LINK_BUSY && l->phase == PHASE_INTENT)
		read_replies(l);
	return l->state == LINK_BUSY && l->phase == PHASE_INTENT;
}

void
smtp_link_send_dot(struct smtp_link *l)
{
	l->phase = PHASE_DOT;
	add_command(l, STEP_DOT, "%s.\r\n", l->scan.ends || l->mail.bytes.len == 0 ? "" : "\r\n");
	push(l);
}

void
smtp_link_quit(struct smtp_link *l)
{
	l->state = LINK_QUITTING;
	add_command(l, STEP_QUIT, "QUIT\r\n");
	push(l);
}
