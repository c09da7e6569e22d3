#include "smtp.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
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
	[STEP_NO_MAIL] = { "the dot of no mail", 600 },
	[STEP_RSET] = { "RSET", 60 },
	[STEP_QUIT] = { "QUIT", 5 },
};

/* ---- going out ---- */

/* Bytes that went out since the link is ours. */
static uint64_t
bytes_sent(const struct smtp_link *l)
{
	return l->out_start + l->out_sent;
}

/* Whether the server can know yet what the next answer is to. */
static bool
is_asked(const struct smtp_link *l)
{
	return l->nexpected > 0 && l->expected[0].end <= bytes_sent(l);
}

/* The time-out is that of the oldest answer under way, or of the bytes before it. */
static void
set_deadline(struct smtp_link *l)
{
	int wait_s = is_asked(l) ? steps[l->expected[0].step].wait_s : WAIT_BLOCK;

	l->deadline_ms = smtp_deadline(l->engine, wait_s);
}

/* A command was queued to its end: expect its answer. */
static void
expect(struct smtp_link *l, enum smtp_step step)
{
	if (l->state == LINK_CLOSED)
		return;
	if (l->out.state != STRBUF_OK || l->nexpected == MAX_EXPECTED) {
		smtp_link_lose(l, "out of memory");
		return;
	}
	l->expected[l->nexpected++] =
	    (struct smtp_expected){ .step = step, .end = l->out_start + l->out.len };
}

static void
add_mail(struct smtp_link *l, size_t size, bool utf8)
{
	strbuf_add(&l->out, "MAIL FROM:<");
	strbuf_add(&l->out, l->mail.sender);
	strbuf_add(&l->out, ">");
	if (l->caps.told.size) {
		strbuf_add(&l->out, " SIZE=");
		strbuf_add_number(&l->out, (int64_t)size);
	}
	if (utf8)
		strbuf_add(&l->out, " SMTPUTF8");
	/* RFC 3461: what comes back is about this edition, and need not repeat it. */
	if (l->caps.told.dsn) {
		strbuf_add(&l->out, " RET=HDRS ENVID=");
		strbuf_add_number(&l->out, l->mail.period);
		strbuf_add(&l->out, ".");
		strbuf_add_number(&l->out, l->mail.reader);
	}
	strbuf_add(&l->out, "\r\n");
	expect(l, STEP_MAIL);
}

static void
add_rcpt(struct smtp_link *l)
{
	strbuf_add(&l->out, "RCPT TO:<");
	strbuf_add(&l->out, l->mail.to);
	strbuf_add(&l->out, l->caps.told.dsn ? "> NOTIFY=FAILURE\r\n" : ">\r\n");
	expect(l, STEP_RCPT);
}

static void
add_data(struct smtp_link *l)
{
	strbuf_add(&l->out, "DATA\r\n");
	expect(l, STEP_DATA);
}

/* How much of what is queued may go now. */
static size_t
count_free(const struct smtp_link *l)
{
	if (l->phase == PHASE_BODY)
		return l->out.len - HOLD_BYTES;
	return l->phase == PHASE_INTENT ? l->out_sent : l->out.len;
}

/* As flush, but does not care for what epoll waits. 1 = sent, 0 = no room now, -1 = the link is gone. */
static int
send_all(struct smtp_link *l)
{
	size_t end = count_free(l), n;

	while (l->out_sent < end) {
		CURLcode rc =
		    curl_easy_send(l->easy, l->out.buf + l->out_sent, end - l->out_sent, &n);

		if (rc == CURLE_AGAIN)
			return 0;
		if (rc != CURLE_OK || n == 0)
			return -1;
		l->out_sent += n;
		set_deadline(l);
	}
	if (l->phase == PHASE_BODY)
		l->phase = PHASE_INTENT;
	if (l->out_sent == l->out.len) {
		l->out_start += l->out.len;
		l->out_sent = 0;
		strbuf_reset(&l->out);
	}
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

/* ---- what became of the mails ---- */

static void
settle_mail(struct smtp_link *l, enum outcome outcome, const char *reply)
{
	l->phase = PHASE_NONE;
	smtp_settle(l->engine, &l->mail, outcome, reply);
}

static void
settle_leaving(struct smtp_link *l, enum outcome outcome, const char *reply)
{
	l->leaving_end = 0;
	smtp_settle(l->engine, &l->leaving, outcome, reply);
}

static bool
has_mail(const struct smtp_link *l)
{
	return l->phase >= PHASE_ENVELOPE && l->phase <= PHASE_INTENT;
}

/* Whether more than one command of the mail went out at once. */
static bool
is_grouped(const struct smtp_link *l)
{
	return l->level > SMTP_LOCK_STEP &&
	    (l->phase == PHASE_ENVELOPE || l->phase == PHASE_REFUSED);
}

/* Whether the server said nothing of the mail so far, and took others before: it is not this one that is at fault. */
static bool
is_untold(const struct smtp_link *l)
{
	for (unsigned i = 0; i < l->nexpected; i++)
		if (l->expected[i].step == STEP_MAIL)
			return l->nmails > 1;
	return false;
}

/* Settle its mails by where they are and close it. */
static void
drop(struct smtp_link *l, const char *why)
{
	if (l->leaving_end != 0)
		settle_leaving(
		    l, l->leaving_end <= bytes_sent(l) ? OUTCOME_UNKNOWN : OUTCOME_DEFERRED, why);
	if (l->phase == PHASE_ENVELOPE && is_untold(l) && smtp_give_back(l->engine, &l->mail))
		l->phase = PHASE_NONE;
	if (has_mail(l))
		settle_mail(l, OUTCOME_DEFERRED, why);
	smtp_link_close(l);
}

static void
lose(struct smtp_link *l, const char *why)
{
	bool counts = l->state != LINK_QUITTING;

	drop(l, why);
	if (counts)
		smtp_note(l->engine, TROUBLE_LINK, ERR_NET, why);
}

void
smtp_link_lose(struct smtp_link *l, const char *why)
{
	if (is_grouped(l) && l->engine->proven < l->level)
		smtp_doubt_level(l->engine, l->level, why);
	lose(l, why);
}

void
smtp_link_abandon(struct smtp_link *l, const char *why)
{
	if (has_mail(l))
		settle_mail(l, OUTCOME_DEFERRED, why);
	if (l->leaving_end != 0)
		l->phase = PHASE_DROPPED;
	else
		smtp_link_close(l);
}

void
smtp_link_be_late(struct smtp_link *l)
{
	char why[80];

	if (is_asked(l))
		snprintf(why, sizeof(why), "no answer to %s within %d s",
		    steps[l->expected[0].step].name, steps[l->expected[0].step].wait_s);
	else
		snprintf(why, sizeof(why), "no byte of the mail was taken for %d s", WAIT_BLOCK);
	smtp_link_lose(l, why);
}

static void
reset(struct smtp_link *l)
{
	l->phase = PHASE_NONE;
	l->state = LINK_RESETTING;
	strbuf_add(&l->out, "RSET\r\n");
	expect(l, STEP_RSET);
}

/* Tell of a mail that was refused, at RCPT, DATA or after the dot. */
static void
settle_refused(
    struct smtp_link *l, const struct delivery *mail, const struct smtp_reply *reply, bool at_rcpt)
{
	struct smtp_verdict v = smtp_judge(reply->text, at_rcpt);
	char why[MAX_REPLY_TEXT + 120];

	smtp_settle(l->engine, mail, v.outcome, reply->text);
	snprintf(why, sizeof(why), "%s; %s", reply->text, smtp_find_cure(reply->text));
	smtp_note(l->engine, v.of_all ? TROUBLE_POLICY : TROUBLE_NONE,
	    v.blame == BLAME_OURS ? ERR_CONFIG : ERR_NET, why);
}

static void
get_out_of_order(struct smtp_link *l, const struct smtp_reply *reply)
{
	char why[MAX_REPLY_TEXT + 40];

	snprintf(why, sizeof(why), "an answer out of order: %s", reply->text);
	if (is_grouped(l))
		smtp_doubt_level(l->engine, l->level, why);
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

/* The mail is settled. In lock-step that is the end; otherwise the answers to the rest of its envelope tell what to do. */
static void
end_refused(struct smtp_link *l)
{
	l->phase = PHASE_REFUSED;
	if (l->nexpected == 0)
		reset(l);
}

static void
on_mail(struct smtp_link *l, const struct smtp_reply *reply)
{
	char why[MAX_REPLY_TEXT + MAX_ADDRESS_BYTES + 180];

	if (reply->code / 100 == 2) {
		if (l->nexpected == 0)
			add_rcpt(l);
		return;
	}
	if (!is_refusal(reply)) {
		get_out_of_order(l, reply);
		return;
	}
	if (is_too_big(reply)) {
		settle_mail(l, OUTCOME_FAILED, reply->text);
		smtp_note(l->engine, TROUBLE_NONE, ERR_NONE, "");
	} else {
		/* The recipient is not known yet: whatever is wrong, it is so for all. */
		snprintf(why, sizeof(why), "refuses mail from %s (%s); %s", l->mail.sender,
		    reply->text, smtp_find_cure(reply->text));
		settle_mail(l, OUTCOME_DEFERRED, reply->text);
		/* Not now counts like a lost link: several in a row make the account pause. */
		smtp_note(l->engine, is_ours(reply) ? TROUBLE_STOP : TROUBLE_LINK,
		    is_ours(reply) ? ERR_CONFIG : ERR_NET, why);
	}
	end_refused(l);
}

static void
on_rcpt(struct smtp_link *l, const struct smtp_reply *reply)
{
	bool refused = is_refusal(reply);

	if (l->phase == PHASE_REFUSED) {
		/* A recipient without a sender: not even an empty mail may go to this one. */
		if (!refused)
			get_out_of_order(l, reply);
	} else if (refused) {
		settle_refused(l, &l->mail, reply, true);
		end_refused(l);
	} else if (reply->code / 100 != 2) {
		get_out_of_order(l, reply);
	} else if (l->nexpected == 0) {
		add_data(l);
	}
}

/* Queue the mail, all but its dot. Nothing else is queued: this answered the last command, and that went out. */
static void
add_body(struct smtp_link *l)
{
	struct strbuf *bytes = &l->mail.bytes;
	bool whole = l->scan.ends || bytes->len == 0;

	if (l->scan.has_dots) {
		smtp_stuff_dots(bytes->buf, bytes->len, &l->out);
	} else {
		strbuf_swap(&l->out, bytes);
		bytes->max_bytes = l->out.max_bytes; /* each keeps its own */
		l->out.max_bytes = MAX_OUT_BYTES;
	}
	if (!whole)
		strbuf_add(&l->out, "\r\n");
}

static void
begin_body(struct smtp_link *l)
{
	struct smtp_engine *e = l->engine;

	if (l->level > e->proven) {
		e->proven = l->level;
		e->scout = NULL;
	}
	add_body(l);
	if (l->out.state != STRBUF_OK) {
		smtp_link_lose(l, "out of memory");
		return;
	}
	l->phase = l->out.len > HOLD_BYTES ? PHASE_BODY : PHASE_INTENT;
	set_deadline(l);
}

static void
on_data(struct smtp_link *l, const struct smtp_reply *reply)
{
	if (reply->code == 354 && l->phase == PHASE_ENVELOPE) {
		begin_body(l);
	} else if (reply->code == 354) {
		/* RFC 2920 3.1: it wants a mail for nobody. */
		strbuf_add(&l->out, ".\r\n");
		expect(l, STEP_NO_MAIL);
	} else if (is_refusal(reply)) {
		if (l->phase == PHASE_ENVELOPE)
			settle_refused(l, &l->mail, reply, false);
		reset(l);
	} else {
		get_out_of_order(l, reply);
	}
}

static void
on_dot(struct smtp_link *l, const struct smtp_reply *reply)
{
	if (reply->code / 100 == 2) {
		settle_leaving(l, OUTCOME_SENT, reply->text);
		smtp_note(l->engine, TROUBLE_NONE, ERR_NONE, "");
	} else if (is_refusal(reply)) {
		l->leaving_end = 0;
		settle_refused(l, &l->leaving, reply, false);
	} else {
		get_out_of_order(l, reply);
		return;
	}
	if (l->phase == PHASE_DROPPED)
		smtp_link_close(l);
	else if (l->phase == PHASE_NONE)
		l->state = LINK_IDLE;
}

/* RFC 5321 4.1.1.4: whatever it is, the transaction is over. */
static void
on_no_mail(struct smtp_link *l, const struct smtp_reply *reply)
{
	(void)reply;
	l->phase = PHASE_NONE;
	l->state = LINK_IDLE;
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
	[STEP_NO_MAIL] = on_no_mail,
	[STEP_RSET] = on_rset,
	[STEP_QUIT] = on_quit,
};

/*
 * Nothing was asked that the server can have read. While a body goes out it may refuse it; there is no way back to commands
 * from there.
 */
static void
on_unasked(struct smtp_link *l, const struct smtp_reply *reply)
{
	bool leaving = l->leaving_end != 0;

	if (!is_refusal(reply) ||
	    !(leaving || l->phase == PHASE_BODY || l->phase == PHASE_INTENT)) {
		get_out_of_order(l, reply);
		return;
	}
	settle_refused(l, leaving ? &l->leaving : &l->mail, reply, false);
	if (leaving)
		l->leaving_end = 0;
	else
		l->phase = PHASE_NONE;
	drop(l, "the server broke off in the middle of the mail before it");
}

static void
on_reply(struct smtp_link *l, struct smtp_reply *reply)
{
	enum smtp_step step;

	smtp_hide_secret(&l->engine->account, reply);
	/* RFC 5321 3.8: it will close, whatever it was asked. As the answer to a dot it says "not now" of that mail as well:
	 * large receivers tell so who sends too fast. */
	if (reply->code == 421) {
		if (is_asked(l) && l->expected[0].step == STEP_DOT)
			settle_leaving(l, OUTCOME_DEFERRED, reply->text);
		lose(l, reply->text);
		return;
	}
	if (!is_asked(l)) {
		on_unasked(l, reply);
		return;
	}
	step = l->expected[0].step;
	l->nexpected--;
	memmove(l->expected, l->expected + 1, l->nexpected * sizeof(l->expected[0]));
	set_deadline(l);
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
void
smtp_link_push(struct smtp_link *l)
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
	smtp_link_push(l);
}

/* ---- the commands of the loop ---- */

static enum smtp_level
choose_level(const struct smtp_link *l)
{
	const struct smtp_engine *e = l->engine;

	if (!l->caps.told.pipelining)
		return SMTP_LOCK_STEP;
	/* As long as nobody knows that the relay copes with it, at most one mail may come to grief by it. */
	return e->level > e->proven && e->scout != NULL && e->scout != l ? e->proven : e->level;
}

static const char *
domain_of(const char *mailbox)
{
	const char *at = strrchr(mailbox, '@');

	return at != NULL ? at + 1 : "";
}

bool
smtp_link_has_room(const struct smtp_link *l)
{
	unsigned ours = l->engine->account.max_messages, theirs = l->caps.told.max_mails;
	bool behind =
	    l->state == LINK_BUSY && l->phase == PHASE_NONE && choose_level(l) == SMTP_BEHIND;

	return (l->state == LINK_IDLE || behind) && (ours == 0 || l->nmails < ours) &&
	    (theirs == 0 || l->nmails < theirs);
}

bool
smtp_link_suits(const struct smtp_link *l, const struct delivery *mail)
{
	unsigned max_domains = l->caps.told.max_domains;

	/* A domain that comes back counts again, which is on the safe side. */
	return max_domains == 0 || l->ndomains < max_domains ||
	    strcasecmp(domain_of(mail->to), l->domain) == 0;
}

/* Why the server need not be asked; NULL = it may be. */
static const char *
find_fault(const struct smtp_link *l, bool utf8, size_t size)
{
	const struct smtp_probe *told = &l->caps.told;
	const char *fault = smtp_find_fault(&l->mail, &l->scan);

	if (fault != NULL)
		return fault;
	if (utf8 && !told->smtputf8)
		return "address needs SMTPUTF8, which this relay does not offer; give the "
		       "reader an address in ASCII, or a relay that has it";
	if (told->max_size > 0 && size > told->max_size)
		return "552 5.3.4 larger than the server's limit";
	return NULL;
}

static void
count_mail(struct smtp_link *l)
{
	const char *domain = domain_of(l->mail.to);

	l->nmails++;
	if (strcasecmp(domain, l->domain) == 0)
		return;
	l->ndomains++;
	snprintf(l->domain, sizeof(l->domain), "%s", domain);
}

void
smtp_link_take(struct smtp_link *l, struct delivery *mail)
{
	struct delivery empty = l->mail;
	enum smtp_level level = choose_level(l);
	const char *fault;
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
	count_mail(l);
	l->level = l->leaving_end == 0 && level > SMTP_ENVELOPE ? SMTP_ENVELOPE : level;
	if (l->level > l->engine->proven)
		l->engine->scout = l;
	l->state = LINK_BUSY;
	l->phase = PHASE_ENVELOPE;
	add_mail(l, size, utf8);
	if (l->level == SMTP_LOCK_STEP)
		return;
	add_rcpt(l);
	add_data(l);
}

bool
smtp_link_is_ready(struct smtp_link *l)
{
	if (l->phase == PHASE_INTENT && l->out_sent > 0)
		read_replies(l);
	return l->state == LINK_BUSY && l->phase == PHASE_INTENT;
}

void
smtp_link_add_dot(struct smtp_link *l)
{
	struct delivery empty = l->leaving;

	strbuf_add(&l->out, ".\r\n");
	expect(l, STEP_DOT);
	if (l->state == LINK_CLOSED)
		return;
	l->leaving = l->mail;
	l->mail = empty;
	l->leaving_end = l->out_start + l->out.len;
	l->phase = PHASE_NONE;
}

void
smtp_link_quit(struct smtp_link *l)
{
	l->state = LINK_QUITTING;
	strbuf_add(&l->out, "QUIT\r\n");
	expect(l, STEP_QUIT);
	smtp_link_push(l);
}
