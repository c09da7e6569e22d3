/* What one mail says: generated reports, vacations in many languages, requests, complaints, and where tokens are found. All
 * mails are made here; those that were recorded are in test_incoming_corpus.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "digest/incoming.h"
#include "mail/incoming.h"

#include <iconv.h>

#define TOKEN "abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqr"
#define OTHER "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"

static struct incoming in;

static void
read_bytes(const char *bytes, size_t len)
{
	/* As long as the mail: reading beyond is found. */
	char *copy = malloc(len > 0 ? len : 1);
	struct error err;

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	if (incoming_screen(copy, len, NULL, &err) == -1)
		fail_msg("%s", err.msg);
	incoming_parse(copy, len, &in);
	free(copy);
	assert_true(incoming_is_sound(&in));
}

static void
read_mail(const char *mail)
{
	read_bytes(mail, strlen(mail));
}

static void
read_built(struct strbuf *mail)
{
	assert_int_equal(mail->state, STRBUF_OK);
	read_bytes(mail->buf, mail->len);
	strbuf_release(mail);
}

/* ---- delivery status ---- */

static void
begin_report(struct strbuf *out)
{
	strbuf_init(out, 100000);
	strbuf_add(out,
	    "Return-Path: <>\r\n"
	    "Delivered-To: bounce+" TOKEN "@papers.example.org\r\n"
	    "From: Mail Delivery System <MAILER-DAEMON@mx.example.com>\r\n"
	    "Subject: Undelivered Mail Returned to Sender\r\n"
	    "Auto-Submitted: auto-replied\r\n"
	    "MIME-Version: 1.0\r\n"
	    "Content-Type: multipart/report; report-type=delivery-status;\r\n"
	    "\tboundary=\"b/1\"\r\n\r\n"
	    "--b/1\r\nContent-Type: text/plain\r\n\r\n"
	    "This is the mail system at host mx.example.com.\r\n\r\n"
	    "--b/1\r\nContent-Type: message/delivery-status\r\n\r\n"
	    "Reporting-MTA: dns; mx.example.com\r\n"
	    "X-Postfix-Sender: rfc822; bounce+" TOKEN "@papers.example.org\r\n");
}

static void
end_report(struct strbuf *out)
{
	strbuf_add(out,
	    "\r\n--b/1\r\nContent-Type: message/rfc822\r\n\r\n"
	    "Return-Path: <bounce+" TOKEN "@papers.example.org>\r\n"
	    "Message-ID: <0123456789abcdef@papers.example.org>\r\n"
	    "List-Unsubscribe: <mailto:papers@example.org?subject=unsubscribe%20" OTHER ">\r\n"
	    "Subject: 12 papers\r\n\r\nhello\r\n--b/1--\r\n");
}

/* The table of the bounce policy, written down a second time. */
static enum smtp_class
expected_class(unsigned class, unsigned subject, unsigned detail)
{
	if (class == 4 || (subject == 2 && detail == 2))
		return SMTP_CLASS_TEMPORARY;
	if ((subject == 1 && (detail <= 3 || detail == 6 || detail == 10) && detail != 0) ||
	    (subject == 2 && detail == 1))
		return SMTP_CLASS_DEAD;
	if (subject == 6 || subject == 7)
		return SMTP_CLASS_POLICY;
	/* The sender's address is wrong; too long; not understood, but Outlook.com's 5.5.0. */
	if ((subject == 1 && (detail == 7 || detail == 8)) || (subject == 2 && detail == 3) ||
	    (subject == 3 && detail == 4) || (subject == 5 && detail != 0))
		return SMTP_CLASS_OURS;
	return SMTP_CLASS_UNKNOWN;
}

static const struct {
	const char *action;
	enum incoming_kind kind;
} actions[] = {
	{ "failed", INCOMING_BOUNCE },
	{ "Failed (permanent)", INCOMING_BOUNCE },
	{ "delayed", INCOMING_DELAYED },
	{ "delivered", INCOMING_DELIVERED },
	{ "relayed", INCOMING_DELIVERED },
	{ "EXPANDED", INCOMING_DELIVERED },
};

enum { NACTIONS = sizeof(actions) / sizeof(actions[0]) };

/* How the code is told: in Status, in the reply below a Status that says nothing, or in both. */
static const char *const shapes[] = {
	"Status: %u.%u.%u\r\nDiagnostic-Code: smtp; %u00 no\r\n",
	"Status: %u.%u.%u (said in words)\r\n",
	"Status: %1$u.0.0\r\nDiagnostic-Code: smtp;%1$u50-%1$u.%2$u.%3$u <a@b.org>\r\n  no\r\n",
	"Diagnostic-Code: SMTP ; %1$u50 %1$u.%2$u.%3$u no\r\nStatus: %1$u.%2$u.%3$u\r\n",
};

enum { NSHAPES = sizeof(shapes) / sizeof(shapes[0]) };

static void
check_status(size_t action, size_t shape, unsigned class, unsigned subject, unsigned detail)
{
	const struct incoming_recipient *r = &in.recipients[0];
	enum incoming_kind kind = actions[action].kind;
	enum smtp_class want = SMTP_CLASS_NONE;
	struct strbuf mail;
	char status[40], fields[200];

	if (kind == INCOMING_BOUNCE)
		want = expected_class(class, subject, detail);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(fields, sizeof(fields), shapes[shape], class, subject, detail, class);
#pragma GCC diagnostic pop
	snprintf(status, sizeof(status), "%u.%u.%u", class, subject, detail);
	begin_report(&mail);
	strbuf_addf(&mail,
	    "\r\nFinal-Recipient: rfc822; ada@example.com\r\n"
	    "Original-Recipient: rfc822;ADA@example.com\r\nAction: %s\r\n%s",
	    actions[action].action, fields);
	end_report(&mail);
	read_built(&mail);
	if (in.kind != kind || in.nrecipients != 1 || r->fate != kind || r->class != want)
		fail_msg("%s %s, shape %zu: %s, %u recipients, %s where %s is expected",
		    actions[action].action, status, shape, incoming_kind_name(in.kind),
		    in.nrecipients, incoming_class_name(r->class), incoming_class_name(want));
	assert_string_equal(r->address, "ada@example.com");
	assert_string_equal(r->original, "ADA@example.com");
	assert_string_equal(r->status, status);
}

static void
test_statuses(void **state)
{
	static const unsigned char details[8] = { 0, 10, 4, 6, 7, 6, 10, 27 };
	size_t n = 0;

	(void)state;
	for (unsigned subject = 0; subject < 8; subject++) {
		for (unsigned detail = 0; detail <= details[subject]; detail++) {
			for (size_t a = 0; a < NACTIONS; a++) {
				check_status(a, n % NSHAPES, 5, subject, detail);
				check_status(a, n % NSHAPES, 4, subject, detail);
				n += 2;
			}
			n++; /* another shape for each action next time */
		}
	}
	assert_true(n > 600);
}

/* A relay that says the same at once is read in the same way. */
static void
test_replies(void **state)
{
	static const struct {
		const char *reply, *status, *reason;
		enum smtp_class class;
	} others[] = {
		{ "550 <a@b.org>: user unknown", "", "userunknown", SMTP_CLASS_UNKNOWN },
		{ "550 mailbox is full", "", "mailboxfull", SMTP_CLASS_TEMPORARY },
		{ "554 blocked by a blocklist", "", "blocked", SMTP_CLASS_POLICY },
		{ "550 5.1.1", "5.1.1", "userunknown", SMTP_CLASS_DEAD },
		{ "550 no", "", "undefined", SMTP_CLASS_UNKNOWN },
		{ "", "", "undefined", SMTP_CLASS_UNKNOWN },
	};
	struct incoming_recipient r;
	char reply[80];

	(void)state;
	for (unsigned class = 4; class <= 5; class ++) {
		for (unsigned i = 0; i < 8 * 28; i++) {
			snprintf(
			    reply, sizeof(reply), "%u50 %u.%u.%u no", class, class, i / 28, i % 28);
			incoming_judge_reply(reply, &r);
			if (r.class != expected_class(class, i / 28, i % 28))
				fail_msg("%s: %s", reply, incoming_class_name(r.class));
			assert_int_equal(r.code, class * 100 + 50);
			assert_int_equal(r.fate, INCOMING_BOUNCE);
		}
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		incoming_judge_reply(others[i].reply, &r);
		if (r.class != others[i].class || strcmp(r.status, others[i].status) != 0 ||
		    strcmp(r.reason, others[i].reason) != 0)
			fail_msg("row %zu: %s, %s, %s", i, incoming_class_name(r.class), r.status,
			    r.reason);
	}
}

static void
test_many_recipients(void **state)
{
	struct strbuf mail;

	(void)state;
	begin_report(&mail);
	for (int i = 0; i < 30; i++)
		strbuf_addf(&mail,
		    "\r\nFinal-Recipient: rfc822; r%d@example.com\r\nAction: %s\r\n"
		    "Status: %s\r\n",
		    i,
		    i % 3 == 0	     ? "delivered"
			: i % 3 == 1 ? "delayed"
				     : "failed",
		    i % 3 == 0	     ? "2.0.0"
			: i % 3 == 1 ? "4.4.1"
				     : "5.1.1");
	end_report(&mail);
	read_built(&mail);
	assert_int_equal(in.kind, INCOMING_BOUNCE);
	assert_int_equal(in.nrecipients, MAX_INCOMING_RECIPIENTS);
	assert_true(in.flags & INCOMING_MORE);
	for (size_t i = 0; i < in.nrecipients; i++)
		assert_int_equal(
		    in.recipients[i].class, i % 3 == 2 ? SMTP_CLASS_DEAD : SMTP_CLASS_NONE);
	assert_string_equal(in.recipients[19].address, "r19@example.com");
}

/* Fields that are wrong or missing, and what can be made of them. */
static const struct {
	const char *fields;
	enum incoming_kind kind;
	enum smtp_class class;
	const char *address, *reason;
} odd_fields[] = {
	{ "Final-Recipient: rfc822; ada@example.com\r\nStatus: 5.1.1\r\n", INCOMING_BOUNCE,
	    SMTP_CLASS_DEAD, "ada@example.com", "userunknown" },
	/* No action and a passing status: it may still arrive. */
	{ "Final-Recipient: rfc822; ada@example.com\r\nStatus: 4.2.2\r\n", INCOMING_DELAYED,
	    SMTP_CLASS_NONE, "ada@example.com", "mailboxfull" },
	{ "Final-Recipient: rfc822; ada@example.com\r\nStatus: 2.1.5\r\n", INCOMING_DELIVERED,
	    SMTP_CLASS_NONE, "ada@example.com", "delivered" },
	{ "Action: failed\r\nStatus: 5.1.1\r\n", INCOMING_BOUNCE, SMTP_CLASS_DEAD, "",
	    "userunknown" },
	{ "X-Actual-Recipient: rfc822; ada@example.com\r\nAction: failed\r\nStatus: 5.1.1\r\n",
	    INCOMING_BOUNCE, SMTP_CLASS_DEAD, "ada@example.com", "userunknown" },
	{ "Final-Recipient : rfc/822;ada@example.com\r\nAction : failed\r\nStatus : 5.1.1\r\n",
	    INCOMING_BOUNCE, SMTP_CLASS_DEAD, "ada@example.com", "userunknown" },
	{ "nonsense\r\nFinal-Recipient: rfc822;ada@example.com\r\n: x\r\nAction: failed\r\n"
	  "Status: 5.1.1\r\n",
	    INCOMING_BOUNCE, SMTP_CLASS_DEAD, "ada@example.com", "userunknown" },
	/* It failed, says it, and calls it a success: nobody is harmed. */
	{ "Final-Recipient: rfc822; ada@example.com\r\nAction: failed\r\nStatus: 2.0.0\r\n",
	    INCOMING_BOUNCE, SMTP_CLASS_UNKNOWN, "ada@example.com", "undefined" },
	{ "Final-Recipient: rfc822; ada@example.com\r\nAction: failed\r\nStatus: 5.1.1.1\r\n",
	    INCOMING_BOUNCE, SMTP_CLASS_UNKNOWN, "ada@example.com", "undefined" },
	{ "Final-Recipient: rfc822; ada@example.com\r\nAction: failed\r\nStatus: 9.1.1\r\n",
	    INCOMING_BOUNCE, SMTP_CLASS_UNKNOWN, "ada@example.com", "undefined" },
	/* Words in the reply, but no code: soft. */
	{ "Final-Recipient: rfc822; ada@example.com\r\nAction: failed\r\nStatus: 5.0.0\r\n"
	  "Diagnostic-Code: smtp; 550 user unknown\r\n",
	    INCOMING_BOUNCE, SMTP_CLASS_UNKNOWN, "ada@example.com", "userunknown" },
	{ "Final-Recipient: rfc822; ada@example.com\r\nAction: failed\r\nStatus: 5.0.0\r\n"
	  "Diagnostic-Code: smtp; 552 mailbox full\r\n",
	    INCOMING_BOUNCE, SMTP_CLASS_TEMPORARY, "ada@example.com", "mailboxfull" },
	{ "Final-Recipient: rfc822; ada@example.com\r\nAction: failed\r\nStatus: 5.0.0\r\n"
	  "Diagnostic-Code: smtp; 554 rejected: the IP address is on a blocklist\r\n",
	    INCOMING_BOUNCE, SMTP_CLASS_POLICY, "ada@example.com", "blocked" },
	/* Told of twice: the last word counts. */
	{ "Final-Recipient: rfc822; ada@example.com\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
	  "Final-Recipient: rfc822; ada@example.com\r\nAction: delayed\r\nStatus: 4.4.1\r\n",
	    INCOMING_DELAYED, SMTP_CLASS_NONE, "ada@example.com", "networkerror" },
	/* A code for every failure, and a sentence that knows better. */
	{ "Final-Recipient: rfc822; ada@example.com\r\nAction: failed\r\nStatus: 5.1.1\r\n"
	  "Diagnostic-Code: smtp; 550 5.1.1 the mailbox is full\r\n",
	    INCOMING_BOUNCE, SMTP_CLASS_TEMPORARY, "ada@example.com", "mailboxfull" },
	/* The reply knows better than the status above it. */
	{ "Final-Recipient: rfc822; ada@example.com\r\nAction: failed\r\nStatus: 5.1.1\r\n"
	  "Diagnostic-Code: smtp; 550 5.7.1 rejected by policy\r\n",
	    INCOMING_BOUNCE, SMTP_CLASS_POLICY, "ada@example.com", "policy" },
	/* An address in a reply is no code, nor is a version. */
	{ "Final-Recipient: rfc822; ada@example.com\r\nAction: failed\r\nStatus: 5.0.0\r\n"
	  "Diagnostic-Code: smtp; 550 [5.1.1.20] via v5.1.1 and x5.1.1: no\r\n",
	    INCOMING_BOUNCE, SMTP_CLASS_UNKNOWN, "ada@example.com", "undefined" },
	/* A local delivery program: its exit code became a status. */
	{ "Final-Recipient: rfc822; ada@example.com\r\nAction: failed\r\nStatus: 5.1.1\r\n"
	  "Diagnostic-Code: x-unix; cannot write\r\n",
	    INCOMING_BOUNCE, SMTP_CLASS_UNKNOWN, "ada@example.com", "userunknown" },
	{ "Final-Recipient: rfc822; ada@example.com\r\nAction: failed\r\nStatus: 5.1.1\r\n"
	  "Diagnostic-Code: X-Postfix; unknown user: \"ada\"\r\n",
	    INCOMING_BOUNCE, SMTP_CLASS_DEAD, "ada@example.com", "userunknown" },
	{ "Final-Recipient: rfc822; \"a b\"@example.com\r\nAction: failed\r\nStatus: 5.1.1\r\n",
	    INCOMING_BOUNCE, SMTP_CLASS_DEAD, "", "userunknown" },
};

static void
test_odd_fields(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(odd_fields) / sizeof(odd_fields[0]); i++) {
		const struct incoming_recipient *r = &in.recipients[0];
		struct strbuf mail;

		begin_report(&mail);
		strbuf_addf(&mail, "\r\n%s", odd_fields[i].fields);
		end_report(&mail);
		read_built(&mail);
		if (in.kind != odd_fields[i].kind || in.nrecipients != 1 ||
		    r->class != odd_fields[i].class ||
		    strcmp(r->address, odd_fields[i].address) != 0 ||
		    strcmp(r->reason, odd_fields[i].reason) != 0)
			fail_msg("row %zu: %s, %u recipients, '%s' %s %s", i,
			    incoming_kind_name(in.kind), in.nrecipients, r->address,
			    incoming_class_name(r->class), r->reason);
	}
}

/* What the part for people says of a full mailbox is believed, when it can be about nobody else. */
static void
test_doubt(void **state)
{
	static const char one[] = "Final-Recipient: rfc822; ada@example.com\r\nAction: failed\r\n"
				  "Status: 5.1.1\r\n";
	static const struct {
		const char *text, *more;
		enum smtp_class class;
	} cases[] = {
		{ "Not enough disk space", "", SMTP_CLASS_TEMPORARY },
		{ "No such user", "", SMTP_CLASS_DEAD },
		{ "The connection timed out", "", SMTP_CLASS_DEAD },
		{ "Not enough disk space",
		    "\r\nFinal-Recipient: rfc822; bob@example.com\r\nAction: failed\r\n"
		    "Status: 5.2.2\r\n",
		    SMTP_CLASS_DEAD },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct strbuf mail;

		strbuf_init(&mail, 4000);
		strbuf_addf(&mail,
		    "From: MAILER-DAEMON@example.com\r\nMIME-Version: 1.0\r\nContent-Type: "
		    "multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\n"
		    "Your mail was rejected:\r\n%s\r\n--b\r\nContent-Type: "
		    "message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n%s%s\r\n--b--\r\n",
		    cases[i].text, one, cases[i].more);
		read_built(&mail);
		if (in.recipients[0].class != cases[i].class)
			fail_msg("row %zu: %s", i, incoming_class_name(in.recipients[0].class));
	}
}

/* ---- texts ---- */

static const struct {
	const char *name, *from, *text;
	enum incoming_kind kind;
	enum smtp_class class;
	const char *address;
} texts[] = {
	{ "a known layout with a code", "MAILER-DAEMON@example.org",
	    "Hi. This is the qmail-send program at example.org.\n\n<ada@example.com>:\n"
	    "192.0.2.1 does not like recipient.\nRemote host said: 550 5.1.1 no\n"
	    "\n--- Below this line is a copy of the message.\n\nSubject: x\n",
	    INCOMING_BOUNCE, SMTP_CLASS_DEAD, "ada@example.com" },
	{ "the same from a person who quotes it", "bob@example.org",
	    "Hi. This is the qmail-send program at example.org.\n\n<ada@example.com>:\n"
	    "Remote host said: 550 5.1.1 no\n",
	    INCOMING_OTHER, SMTP_CLASS_NONE, NULL },
	{ "a code behind the copy is not of the report", "MAILER-DAEMON@example.org",
	    "Hi. This is the qmail-send program at example.org.\n\n<ada@example.com>:\nno\n"
	    "--- Below this line is a copy of the message.\n\nSubject: x\n\n550 5.1.1\n"
	    "<bob@example.com>:\n550 5.1.1 no\n",
	    INCOMING_BOUNCE, SMTP_CLASS_UNKNOWN, "ada@example.com" },
	{ "no layout, a code", "MAILER-DAEMON@example.org",
	    "Your mail to ada@example.com: 550 5.1.1 no such user\n", INCOMING_BOUNCE,
	    SMTP_CLASS_UNKNOWN, "ada@example.com" },
	{ "no layout, full", "postmaster@example.org",
	    "Sorry, the mailbox of ada@example.com is over quota.\n", INCOMING_BOUNCE,
	    SMTP_CLASS_TEMPORARY, "ada@example.com" },
	{ "no layout and no word that we know", "postmaster@example.org",
	    "Dear ada@example.com, the cafeteria is closed today.\n", INCOMING_OTHER,
	    SMTP_CLASS_NONE, NULL },
	{ "a person writes about a full mailbox", "bob@example.org",
	    "Hello, my mailbox is full and ada@example.com gets a 550 5.1.1 user unknown.\n",
	    INCOMING_OTHER, SMTP_CLASS_NONE, NULL },
	{ "Exim's warning", "Mailer-Daemon@example.org",
	    "A message that you sent has not yet been delivered to one or more of its\n"
	    "recipients.\n\n  ada@example.com\n    550 5.1.1 no\n",
	    INCOMING_DELAYED, SMTP_CLASS_NONE, "ada@example.com" },
	{ "a complaint of Amazon SES", "no-reply@sns.amazonaws.com",
	    "{\"notificationType\":\"Complaint\",\"complaint\":{\"complainedRecipients\":["
	    "{\"emailAddress\":\"ada@example.com\"}]}}\n",
	    INCOMING_COMPLAINT, SMTP_CLASS_NONE, "ada@example.com" },
};

static void
test_texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const struct incoming_recipient *r = &in.recipients[0];
		struct strbuf mail;

		strbuf_init(&mail, 10000);
		strbuf_addf(&mail, "From: %s\nSubject: mail\n\n%s", texts[i].from, texts[i].text);
		read_built(&mail);
		if (in.kind != texts[i].kind)
			fail_msg("%s: %s: %s", texts[i].name, incoming_kind_name(in.kind), in.why);
		if (in.nrecipients != (texts[i].address != NULL ? 1u : 0u))
			fail_msg("%s: %u recipients", texts[i].name, in.nrecipients);
		if (texts[i].address == NULL)
			continue;
		if (r->class != texts[i].class || strcmp(r->address, texts[i].address) != 0)
			fail_msg(
			    "%s: %s %s", texts[i].name, r->address, incoming_class_name(r->class));
	}
}

/* ---- automatic replies ---- */

/* As programs and people of twelve and more languages write them, with a charset of before UTF-8. */
static const struct {
	const char *language, *charset, *subject;
} vacations[] = {
	{ "English", "iso-8859-1", "Automatic reply: 12 papers on diffusion" },
	{ "English", "us-ascii", "Ada Lovelace is out of the office (returning 12/08)" },
	{ "German", "iso-8859-1", "Automatische Antwort: 12 Artikel über Diffusion" },
	{ "German", "iso-8859-15", "Abwesenheitsnotiz: Größe" },
	{ "French", "iso-8859-1", "Réponse automatique : 12 articles" },
	{ "Spanish", "iso-8859-1", "Respuesta automática: 12 artículos" },
	{ "Italian", "iso-8859-1", "Risposta automatica: 12 articoli è" },
	{ "Portuguese", "windows-1252", "Resposta automática: férias" },
	{ "Dutch", "iso-8859-1", "Automatisch antwoord: 12 artikelen" },
	{ "Swedish", "iso-8859-1", "Frånvaro: jag är på semester" },
	{ "Danish", "iso-8859-1", "Automatisk svar: på ferie" },
	{ "Finnish", "iso-8859-1", "Automaattinen vastaus: lomalla tällä viikolla" },
	{ "Polish", "iso-8859-2", "Automatyczna odpowiedź: 12 artykułów" },
	{ "Czech", "windows-1250", "Automatická odpověď: články" },
	{ "Russian", "koi8-r", "Автоматический ответ: 12 статей" },
	{ "Russian", "windows-1251", "Автоответ: меня нет на месте" },
	{ "Turkish", "iso-8859-9", "Otomatik yanıt: makaleler" },
	{ "Greek", "iso-8859-7", "Αυτόματη απάντηση: άρθρα" },
	{ "Japanese", "iso-2022-jp", "自動応答: 論文" },
	{ "Japanese", "shift_jis", "不在通知" },
	{ "Chinese", "gb2312", "自动回复: 论文" },
	{ "Chinese", "big5", "自動回覆: 論文" },
	{ "Korean", "euc-kr", "자동 회신: 논문" },
};

/* What marks the mail beside its subject; the last leaves all to the subject. */
static const char *const marks[] = {
	"Auto-Submitted: auto-replied\r\n",
	"X-Auto-Response-Suppress: All\r\nReturn-Path: <>\r\n",
	"Precedence: auto_reply\r\nX-Autoreply: yes\r\n",
	"Return-Path: <ada@example.com>\r\n",
};

static void
add_encoded(struct strbuf *out, const char *charset, const char *text)
{
	char bytes[500], *to = bytes, *from = (char *)(uintptr_t)text;
	size_t left = strlen(text), room = sizeof(bytes);
	iconv_t cd = iconv_open(charset, "utf-8");

	assert_true(cd != (iconv_t)-1);
	if (iconv(cd, &from, &left, &to, &room) == (size_t)-1 ||
	    iconv(cd, NULL, NULL, &to, &room) == (size_t)-1)
		fail_msg("'%s' in %s", text, charset);
	iconv_close(cd);
	strbuf_addf(out, "=?%s?Q?", charset);
	for (const char *p = bytes; p < to; p++)
		strbuf_addf(out, "=%02X", (unsigned char)*p);
	strbuf_add(out, "?=");
}

static void
check_vacation(size_t i, size_t mark, bool legacy)
{
	struct strbuf mail;

	strbuf_init(&mail, 10000);
	strbuf_addf(&mail,
	    "%sFrom: Ada <%s@example.com>\r\nTo: bounce+%s@papers.example.org\r\n"
	    "Subject: ",
	    marks[mark], mark == 1 ? "postmaster" : "ada", TOKEN);
	if (legacy)
		add_encoded(&mail, vacations[i].charset, vacations[i].subject);
	else
		add_encoded(&mail, "UTF-8", vacations[i].subject);
	/* Words of bounces and of requests in the text are nobody's failure and nobody's wish. */
	strbuf_add(&mail,
	    "\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
	    "unsubscribe\r\nI am away. My mailbox is full: 550 5.1.1 user unknown "
	    "<ada@example.com>\r\n");
	read_built(&mail);
	if (in.kind != INCOMING_AUTO_REPLY || in.nrecipients != 0 || in.verb != INCOMING_NO_VERB)
		fail_msg("%s, '%s', %s: %s (%s)", vacations[i].language, in.subject, marks[mark],
		    incoming_kind_name(in.kind), in.why);
	/* Which subject it is can only be told when it was read. */
	if (strncmp(in.subject, vacations[i].subject, 6) != 0)
		fail_msg("%s: '%s' where '%s' is expected", vacations[i].charset, in.subject,
		    vacations[i].subject);
}

static void
test_vacations(void **state)
{
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(vacations) / sizeof(vacations[0]); i++) {
		for (size_t mark = 0; mark < sizeof(marks) / sizeof(marks[0]); mark++) {
			check_vacation(i, mark, false);
			check_vacation(i, mark, true);
			n += 2;
		}
	}
	assert_true(n >= 60);
}

/* Subjects that people write, too. */
static void
test_people(void **state)
{
	static const char *const subjects[] = { "Re: 12 papers", "Automation of replies",
		"A paper on absence detection", "My office", "Autonomous driving",
		"Re: [Papers] auto-encoders", "" };
	struct strbuf mail;

	(void)state;
	for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++) {
		strbuf_init(&mail, 10000);
		strbuf_addf(&mail,
		    "From: ada@example.com\nAuto-Submitted: no\nSubject: %s\n\nhello\n",
		    subjects[i]);
		read_built(&mail);
		if (in.kind != INCOMING_OTHER)
			fail_msg("'%s': %s", subjects[i], incoming_kind_name(in.kind));
	}
}

/* ---- requests ---- */

static const struct {
	const char *name, *head, *text;
	enum incoming_kind kind;
	enum incoming_verb verb;
} requests[] = {
	{ "the link in our mails", "Subject: unsubscribe " TOKEN "\n", "\n", INCOMING_REQUEST,
	    INCOMING_UNSUBSCRIBE },
	{ "in capitals", "Subject: PAUSE " TOKEN "\n", "\n", INCOMING_REQUEST, INCOMING_PAUSE },
	{ "encoded", "Subject: =?utf-8?q?resume_" TOKEN "?=\n", "\n", INCOMING_REQUEST,
	    INCOMING_RESUME },
	{ "behind what a mail server puts there", "Subject: [EXTERN] unsubscribe " TOKEN "\n", "\n",
	    INCOMING_REQUEST, INCOMING_UNSUBSCRIBE },
	{ "a blank of the link left as it is", "Subject: Pause%20" TOKEN "\n", "\n",
	    INCOMING_REQUEST, INCOMING_PAUSE },
	{ "a token behind another word", "Subject: unsubscribe x " TOKEN "\n", "\n",
	    INCOMING_REQUEST, INCOMING_UNSUBSCRIBE },
	{ "no verb before the token", "Subject: about " TOKEN ", unsubscribe\n", "\n",
	    INCOMING_OTHER, INCOMING_NO_VERB },
	{ "part of a word before it", "Subject: do repause " TOKEN "\n", "\n", INCOMING_OTHER,
	    INCOMING_NO_VERB },
	{ "in the address", "To: unsubscribe+" TOKEN "@example.org\n", "\n", INCOMING_REQUEST,
	    INCOMING_UNSUBSCRIBE },
	{ "in words", "Subject: please\n", "\n  Unsubscribe \n\nBob\n", INCOMING_REQUEST,
	    INCOMING_UNSUBSCRIBE },
	{ "not the first word", "Subject: how to unsubscribe?\n", "help\n", INCOMING_OTHER,
	    INCOMING_NO_VERB },
	{ "another word", "Subject: unsubscribers\n", "\n", INCOMING_OTHER, INCOMING_NO_VERB },
	{ "not alone in the text", "Subject: x\n", "Unsubscribe links are fun.\n", INCOMING_OTHER,
	    INCOMING_NO_VERB },
	/* S-65 */
	{ "Apple's button",
	    "Auto-Submitted: auto-replied\nX-Apple-Unsubscribe: true\nSubject: unsubscribe " TOKEN
	    "\n",
	    "Apple Mail sent this email to unsubscribe.\n", INCOMING_REQUEST,
	    INCOMING_UNSUBSCRIBE },
	{ "Apple's button without the word",
	    "Auto-Submitted: auto-replied\nX-Apple-Unsubscribe: true\nTo: x+" TOKEN
	    "@example.org\n",
	    "\n", INCOMING_REQUEST, INCOMING_UNSUBSCRIBE },
	{ "another button that says it is automatic",
	    "Auto-Submitted: auto-generated\nSubject: unsubscribe " TOKEN "\n", "\n",
	    INCOMING_REQUEST, INCOMING_UNSUBSCRIBE },
	{ "a machine without a token", "Auto-Submitted: auto-generated\nSubject: unsubscribe\n",
	    "\n", INCOMING_AUTO_REPLY, INCOMING_NO_VERB },
	{ "a vacation that quotes the subject", "Subject: Automatic reply: unsubscribe " TOKEN "\n",
	    "\n", INCOMING_AUTO_REPLY, INCOMING_NO_VERB },
	{ "a read receipt",
	    "Content-Type: multipart/report; report-type=disposition-notification; boundary=b\n",
	    "--b\n\nread\n--b--\n", INCOMING_AUTO_REPLY, INCOMING_NO_VERB },
};

static void
test_requests(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		struct strbuf mail;

		strbuf_init(&mail, 10000);
		strbuf_addf(&mail, "From: Bob <bob@example.com>\n%s\n%s", requests[i].head,
		    requests[i].text);
		read_built(&mail);
		if (in.kind != requests[i].kind || in.verb != requests[i].verb)
			fail_msg("%s: %s, %s (%s)", requests[i].name, incoming_kind_name(in.kind),
			    incoming_verb_name(in.verb), in.why);
	}
}

/* ---- candidates ---- */

static bool
has_candidate(enum incoming_place place, const char *text)
{
	for (size_t i = 0; i < in.ncandidates; i++)
		if (in.candidates[i].place == place && strcmp(in.candidates[i].text, text) == 0)
			return true;
	return false;
}

static void
test_candidates(void **state)
{
	char token[TOKEN_LEN + 1];
	struct strbuf mail;

	(void)state;
	begin_report(&mail);
	strbuf_add(&mail, "\r\nFinal-Recipient: rfc822; a@b.org\r\nAction: failed\r\n");
	end_report(&mail);
	read_built(&mail);
	assert_true(has_candidate(INCOMING_DELIVERED_TO, "bounce+" TOKEN "@papers.example.org"));
	assert_true(has_candidate(INCOMING_REPORTED, "bounce+" TOKEN "@papers.example.org"));
	assert_true(has_candidate(INCOMING_RETURNED_PATH, "bounce+" TOKEN "@papers.example.org"));
	assert_true(has_candidate(INCOMING_RETURNED_ID, "0123456789abcdef@papers.example.org"));
	assert_true(has_candidate(INCOMING_RETURNED_LINK, OTHER));
	assert_int_equal(in.ncandidates, 5);

	read_mail(
	    "Received: from a by b with ESMTP\n\tfor <unsubscribe+" TOKEN "@example.org>; today\n"
	    "To: \"x@y.org, (z@z.org\" <Papers@Example.org>, ada@example.com\n"
	    "X-Envelope-To: " OTHER "@example.org\n"
	    "Subject: unsubscribe <" TOKEN ">, please\n\n");
	assert_true(has_candidate(INCOMING_DELIVERED_TO, "unsubscribe+" TOKEN "@example.org"));
	assert_true(has_candidate(INCOMING_DELIVERED_TO, OTHER "@example.org"));
	assert_true(has_candidate(INCOMING_SUBJECT, TOKEN));
	assert_true(has_candidate(INCOMING_TO, "Papers@Example.org"));
	assert_true(has_candidate(INCOMING_TO, "ada@example.com"));
	for (size_t i = 0; i < in.ncandidates; i++)
		assert_int_equal(incoming_token(&in.candidates[i], token),
		    strstr(in.candidates[i].text, TOKEN) != NULL ||
			strstr(in.candidates[i].text, OTHER) != NULL);
}

/* The mail that came back may be whole, only its header, encoded, or a part of the text. */
static void
test_returned(void **state)
{
	static const char *const parts[] = {
		"Content-Type: message/rfc822\n\nMessage-ID: <1@example.org>\n\nhello\n",
		"Content-Type: text/rfc822-headers\n\nMessage-ID:\n <1@example.org>\n",
		"Content-Type: message/global-headers\n\nMessage-ID: <1@example.org>\n",
		"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n"
		"TWVzc2FnZS1JRDogPDFAZXhhbXBsZS5vcmc+DQoNCmhlbGxv\n",
		"Content-Type: message/rfc822\nContent-Transfer-Encoding: Quoted-Printable\n\n"
		"Message-=\nID: =3C1@example.org>\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		struct strbuf mail;

		strbuf_init(&mail, 10000);
		strbuf_addf(&mail,
		    "From: postmaster@example.com\nContent-Type: multipart/report; boundary=b\n\n"
		    "--b\nContent-Type: message/delivery-status\n\nAction: failed\nStatus: "
		    "5.1.1\n\n"
		    "--b\n%s\n--b--\n",
		    parts[i]);
		read_built(&mail);
		assert_int_equal(in.kind, INCOMING_BOUNCE);
		if (!has_candidate(INCOMING_RETURNED_ID, "1@example.org"))
			fail_msg("row %zu", i);
	}
	read_mail(
	    "From: MAILER-DAEMON@example.com\n\n"
	    "Hi. This is the qmail-send program at example.com.\n\n<ada@example.com>:\nno\n"
	    "--- Below this line is a copy of the message.\n\n"
	    "Return-Path: <bounce+" TOKEN "@example.org>\nMessage-ID: <1@example.org>\n\nhello\n");
	assert_true(has_candidate(INCOMING_RETURNED_PATH, "bounce+" TOKEN "@example.org"));
	assert_true(has_candidate(INCOMING_RETURNED_ID, "1@example.org"));
	read_mail("From: MAILER-DAEMON@example.com\n\n    Hi!\n\n"
		  "    This is the MAILER-DAEMON, please DO NOT REPLY to this email.\n\n"
		  "ada@example.com: 550 5.1.1 no\n\n"
		  "    Below is a copy of the original message:\n\n"
		  "Message-ID: <1@example.org>\n\nhello\n");
	assert_int_equal(in.recipients[0].class, SMTP_CLASS_DEAD);
	assert_true(has_candidate(INCOMING_RETURNED_ID, "1@example.org"));
	read_mail(
	    "From: mailer-daemon@example.com\n\n"
	    "This message was created automatically by mail delivery software.\n\n"
	    "  ada@example.com\n    no\n\n"
	    "Return-Path: <bounce+" TOKEN "@example.org>\nMessage-ID: <1@example.org>\n\nhello\n");
	assert_true(has_candidate(INCOMING_RETURNED_PATH, "bounce+" TOKEN "@example.org"));
	assert_true(has_candidate(INCOMING_RETURNED_ID, "1@example.org"));
}

static void
test_token_forms(void **state)
{
	static const struct {
		const char *text, *token; /* NULL = none */
	} rows[] = {
		{ TOKEN, TOKEN },
		{ TOKEN "@example.org", TOKEN },
		{ "bounce+" TOKEN "@example.org", TOKEN },
		{ "a+b+" TOKEN "@example.org", TOKEN },
		{ "BOUNCE+ABCDEFGHIJKLMNOPQRSTUVWXYZ234567ABCDEFGHIJKLMNOPQR@EXAMPLE.ORG", TOKEN },
		{ "bounce+" TOKEN "a@example.org", NULL },
		{ "bounce+bcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqr@example.org", NULL },
		{ "bounce+1bcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqr@example.org", NULL },
		{ "bounce-" TOKEN "@example.org", NULL },
		{ TOKEN "+bounce@example.org", NULL },
		{ "x@" TOKEN, NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct incoming_candidate c = { 0 };
		char token[TOKEN_LEN + 1] = "";
		bool found;

		snprintf(c.text, sizeof(c.text), "%s", rows[i].text);
		found = incoming_token(&c, token);
		if (found != (rows[i].token != NULL) ||
		    (found && strcmp(token, rows[i].token) != 0))
			fail_msg("'%s': '%s'", rows[i].text, token);
	}
}

/* Who writes many addresses cannot push out a token. */
static void
test_crowded(void **state)
{
	struct strbuf mail;

	(void)state;
	strbuf_init(&mail, 60000);
	strbuf_add(&mail, "To: ");
	for (int i = 0; i < 1500; i++)
		strbuf_addf(&mail, "someone%d@example.com,\n ", i);
	strbuf_add(&mail, "bounce+" TOKEN "@example.org\nSubject: unsubscribe " OTHER "\n\n");
	read_built(&mail);
	assert_int_equal(in.ncandidates, MAX_INCOMING_CANDIDATES);
	assert_true(has_candidate(INCOMING_TO, "bounce+" TOKEN "@example.org"));
	assert_true(has_candidate(INCOMING_SUBJECT, OTHER));
}

/* ---- who wrote it ---- */

static void
test_senders(void **state)
{
	static const struct {
		const char *head;
		uint32_t flags;
		const char *from;
	} rows[] = {
		{ "From: Ada <ada@example.com>\n", 0, "ada@example.com" },
		{ "From: \"bob@example.org\" <ada@example.com>\n", 0, "ada@example.com" },
		{ "From: ada@example.com (Ada)\n", 0, "ada@example.com" },
		{ "From:\n <ada@example.com>\n", 0, "ada@example.com" },
		{ "From: =?utf-8?q?Ad=C3=A0?= <ada@example.com>\n", 0, "ada@example.com" },
		{ "From: nobody\n", 0, "" },
		{ "From: MAILER-DAEMON (Mail Delivery System)\n", INCOMING_FROM_ROBOT, "" },
		{ "From: no-reply@example.com\n", INCOMING_FROM_ROBOT, "no-reply@example.com" },
		{ "From: x-request@example.com\n", INCOMING_FROM_ROBOT, "x-request@example.com" },
		{ "From: mailman@example.com\n", INCOMING_FROM_ROBOT, "mailman@example.com" },
		{ "From: mailmanager@example.com\n", 0, "mailmanager@example.com" },
		{ "From: ada@example.com\nReturn-Path: <>\n", INCOMING_FROM_ROBOT,
		    "ada@example.com" },
		{ "From: ada@example.com\nReturn-Path: <ada@example.com>\n", 0, "ada@example.com" },
		{ "From: ada@example.com\nReturn-Path: <x-bounces@example.com>\n",
		    INCOMING_FROM_ROBOT, "ada@example.com" },
		{ "From: ada@example.com\nPrecedence: Bulk\n", INCOMING_FROM_ROBOT,
		    "ada@example.com" },
		{ "From: ada@example.com\nList-Id: <x.example.com>\n", INCOMING_FROM_LIST,
		    "ada@example.com" },
		{ "From: ada@example.com\nMailing-List: x\n", INCOMING_FROM_LIST,
		    "ada@example.com" },
		{ "From: ada@example.com\nAuto-Submitted: no\n", 0, "ada@example.com" },
		{ "From: ada@example.com\nAuto-Submitted: auto-generated\n",
		    INCOMING_AUTO_SUBMITTED, "ada@example.com" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct strbuf mail;

		strbuf_init(&mail, 1000);
		strbuf_addf(&mail, "%sMessage-ID: <1@example.com>\n\nhello\n", rows[i].head);
		read_built(&mail);
		if (in.flags != rows[i].flags || strcmp(in.from, rows[i].from) != 0)
			fail_msg("row %zu: flags %x, from '%s'", i, in.flags, in.from);
		assert_string_equal(in.reply_to, rows[i].from);
		assert_string_equal(in.message_id, "1@example.com");
	}
	read_mail("From: a@example.com\nReply-To: Bob <b@example.com>\n\n");
	assert_string_equal(in.reply_to, "b@example.com");
}

/* ---- feedback ---- */

static void
test_feedback(void **state)
{
	static const struct {
		const char *type;
		enum incoming_kind kind;
	} rows[] = {
		{ "abuse", INCOMING_COMPLAINT },
		{ "ABUSE", INCOMING_COMPLAINT },
		{ "not-spam", INCOMING_FEEDBACK },
		{ "auth-failure", INCOMING_FEEDBACK },
		{ "fraud", INCOMING_COMPLAINT },
		{ "virus", INCOMING_FEEDBACK },
		{ "other", INCOMING_FEEDBACK },
		{ "opt-out", INCOMING_FEEDBACK },
		{ "opt-out-list", INCOMING_FEEDBACK },
		{ "not-abuse", INCOMING_FEEDBACK },
		{ "", INCOMING_FEEDBACK },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct strbuf mail;

		strbuf_init(&mail, 10000);
		strbuf_addf(&mail,
		    "From: fbl@example.com\nContent-Type: multipart/report;\n"
		    " report-type=feedback-report; boundary=b\n\n--b\n\nA report.\n--b\n"
		    "Content-Type: message/feedback-report\n\nFeedback-Type: %s\nVersion: 1\n"
		    "Original-Mail-From: <bounce+%s@example.org>\nOriginal-Rcpt-To: "
		    "ada@example.com\n\n"
		    "--b\nContent-Type: message/rfc822\n\nMessage-ID: "
		    "<1@example.org>\n\nhello\n--b--\n",
		    rows[i].type, TOKEN);
		read_built(&mail);
		if (in.kind != rows[i].kind)
			fail_msg("%s: %s", rows[i].type, incoming_kind_name(in.kind));
		assert_int_equal(in.nrecipients, rows[i].kind == INCOMING_COMPLAINT ? 1 : 0);
		assert_true(has_candidate(INCOMING_REPORTED, "bounce+" TOKEN "@example.org"));
		assert_true(has_candidate(INCOMING_RETURNED_ID, "1@example.org"));
		assert_string_equal(in.reason, rows[i].type);
	}
}

/* ---- the record ---- */

static void
test_record(void **state)
{
	static struct incoming bad;
	struct strbuf mail;

	(void)state;
	begin_report(&mail);
	strbuf_add(
	    &mail, "\r\nFinal-Recipient: rfc822; a@b.org\r\nAction: failed\r\nStatus: 5.1.1\r\n");
	end_report(&mail);
	read_built(&mail);
	assert_int_equal(in.nrecipients, 1);
#define REFUSED(change)                          \
	do {                                     \
		bad = in;                        \
		change;                          \
		if (incoming_is_sound(&bad))     \
			fail_msg("%s", #change); \
	} while (0)
	REFUSED(bad.kind = NINCOMING_KINDS);
	REFUSED(bad.kind = INCOMING_REQUEST);
	REFUSED(bad.verb = INCOMING_PAUSE);
	REFUSED(bad.verb = NINCOMING_VERBS);
	REFUSED(bad.flags = INCOMING_ALL_FLAGS + 1);
	REFUSED(bad.nrecipients = 0);
	REFUSED(bad.nrecipients = MAX_INCOMING_RECIPIENTS + 1);
	REFUSED(bad.ncandidates = MAX_INCOMING_CANDIDATES + 1);
	REFUSED(memset(bad.message_id, 'x', sizeof(bad.message_id)));
	REFUSED(memset(bad.why, 'x', sizeof(bad.why)));
	REFUSED(bad.subject[0] = '\033');
	REFUSED(bad.subject[0] = (char)0xff);
	REFUSED(snprintf(bad.from, sizeof(bad.from), "nobody"));
	REFUSED(snprintf(bad.from, sizeof(bad.from), "a@b.org>"));
	REFUSED(snprintf(bad.reply_to, sizeof(bad.reply_to), "a@b.org\n"));
	REFUSED(bad.recipients[0].fate = INCOMING_OTHER);
	REFUSED(bad.recipients[0].fate = INCOMING_DELAYED);
	REFUSED(bad.recipients[0].class = NSMTP_CLASSES);
	REFUSED(bad.recipients[0].class = SMTP_CLASS_NONE);
	REFUSED(bad.recipients[0].code = 99);
	REFUSED(bad.recipients[0].code = 600);
	REFUSED(snprintf(bad.recipients[0].status, 12, "5.1.x"));
	REFUSED(memset(bad.recipients[0].address, 'x', sizeof(bad.recipients[0].address)));
	REFUSED(snprintf(bad.recipients[0].original, 20, "a b@c.org"));
	REFUSED(bad.recipients[0].reason[0] = '\0');
	REFUSED(bad.recipients[0].diagnostic[0] = '\t');
	REFUSED(bad.candidates[0].place = NINCOMING_PLACES);
	REFUSED(memset(bad.candidates[0].text, 'x', INCOMING_TEXT_SIZE));
#undef REFUSED
}

static void
test_names(void **state)
{
	(void)state;
	for (int i = 0; i < NINCOMING_KINDS; i++)
		assert_non_null(incoming_kind_name((enum incoming_kind)i));
	for (int i = 0; i < NINCOMING_VERBS; i++)
		assert_non_null(incoming_verb_name((enum incoming_verb)i));
	for (int i = 0; i < NINCOMING_PLACES; i++)
		assert_non_null(incoming_place_name((enum incoming_place)i));
	for (int i = 0; i < NSMTP_CLASSES; i++)
		assert_non_null(incoming_class_name((enum smtp_class)i));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_statuses),
		cmocka_unit_test(test_replies),
		cmocka_unit_test(test_many_recipients),
		cmocka_unit_test(test_odd_fields),
		cmocka_unit_test(test_doubt),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_vacations),
		cmocka_unit_test(test_people),
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_candidates),
		cmocka_unit_test(test_returned),
		cmocka_unit_test(test_token_forms),
		cmocka_unit_test(test_crowded),
		cmocka_unit_test(test_senders),
		cmocka_unit_test(test_feedback),
		cmocka_unit_test(test_record),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
