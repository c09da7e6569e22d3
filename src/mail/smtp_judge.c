#include "smtp.h"

#include <stdlib.h>
#include <string.h>

/* Of an enhanced code (RFC 3463, RFC 5248) only subject and detail: its class is that of the reply. */
enum { NONE = -1, ANY = -2, LAST = 999 };

/* Of what a refusal speaks. */
enum scope {
	ONE,  /* this mail */
	ALL,  /* every mail */
	RCPT, /* this mail, and only as an answer to RCPT */
};

enum {
	THEIRS = BLAME_THEIRS,
	GREY = BLAME_GREYLIST,
	RATE = BLAME_RATE,
	READER = BLAME_READER,
	OURS = BLAME_OURS
};
enum { LATER = OUTCOME_DEFERRED, NEVER = OUTCOME_FAILED };
enum {
	SHRUG = SMTP_CLASS_UNKNOWN,
	DEAD = SMTP_CLASS_DEAD,
	PASSING = SMTP_CLASS_TEMPORARY,
	POLICY = SMTP_CLASS_POLICY,
	FAULT = SMTP_CLASS_OURS
};

/* Replies, and enhanced codes in them: of a subject, with some details. */
struct range {
	short code, last_code;
	short subject, detail, last_detail; /* NONE = with no such code, ANY = with any or none */
};

/* The first row that fits. Who is refused for good is the reader or this one mail; whatever is wrong with us or with the
 * relay is no fault of theirs, so the mail waits for a person or a better hour. */
static const struct {
	struct range of;
	unsigned char blame, outcome, scope;
	unsigned char class; /* once it is final */
} rows[] = {
	/* The sender's address. */
	{ { 400, 499, 1, 7, 8 }, OURS, LATER, ALL, PASSING },
	{ { 400, 499, 1, 0, LAST }, READER, LATER, ONE, PASSING },
	/* Postfix with postgrey. */
	{ { 450, 450, 2, 0, 0 }, GREY, LATER, ONE, PASSING },
	{ { 400, 499, 2, 0, LAST }, READER, LATER, ONE, PASSING },
	{ { 400, 499, 4, 5, 5 }, RATE, LATER, ONE, PASSING },
	{ { 400, 499, 5, 3, 3 }, RATE, LATER, ONE, PASSING },
	{ { 400, 499, 7, 1, 1 }, GREY, LATER, ONE, PASSING },
	/* A list that does not let us in; a mailbox that has changed hands. */
	{ { 400, 499, 7, 2, 2 }, READER, LATER, ONE, PASSING },
	{ { 400, 499, 7, 17, 19 }, READER, LATER, ONE, PASSING },
	/* Login and encryption; DKIM, SPF and reverse DNS; ARC, and Gmail's TLS and DMARC. */
	{ { 400, 499, 7, 3, 14 }, OURS, LATER, ALL, PASSING },
	{ { 400, 499, 7, 20, 27 }, OURS, LATER, ALL, PASSING },
	{ { 400, 499, 7, 29, 32 }, OURS, LATER, ALL, PASSING },
	/* What large receivers say to who sends too fast. */
	{ { 400, 499, 7, 0, LAST }, RATE, LATER, ONE, PASSING },
	{ { 450, 451, NONE, 0, 0 }, GREY, LATER, ONE, PASSING },
	{ { 400, 499, ANY, 0, 0 }, THEIRS, LATER, ONE, PASSING },

	/* RFC 5321 4.5.3.1.10: said of a recipient it is a 452. */
	{ { 552, 552, 2, 2, 2 }, READER, LATER, RCPT, PASSING },
	{ { 552, 552, 5, 3, 3 }, RATE, LATER, RCPT, FAULT },
	{ { 552, 552, NONE, 0, 0 }, THEIRS, LATER, RCPT, PASSING },

	{ { 500, 599, 1, 7, 8 }, OURS, LATER, ALL, FAULT },
	/* The mail is too long, for the mailbox or the relay. */
	{ { 500, 599, 2, 3, 3 }, OURS, NEVER, ONE, FAULT },
	{ { 500, 599, 3, 4, 4 }, OURS, NEVER, ONE, FAULT },
	/* The relay is full or closed; its set-up is wrong. */
	{ { 500, 599, 3, 1, 2 }, THEIRS, LATER, ALL, SHRUG },
	{ { 500, 599, 3, 5, 5 }, THEIRS, LATER, ALL, SHRUG },
	{ { 500, 599, 3, 0, LAST }, THEIRS, NEVER, ONE, SHRUG },
	/* Gmail: the limit of a day. */
	{ { 500, 599, 4, 5, 5 }, RATE, LATER, ALL, SHRUG },
	/* Outlook.com: no such mailbox. */
	{ { 500, 599, 5, 0, 0 }, READER, NEVER, ONE, SHRUG },
	{ { 500, 599, 5, 3, 3 }, RATE, LATER, ONE, FAULT },
	{ { 500, 599, 5, 0, LAST }, OURS, NEVER, ONE, FAULT },
	/* An address that is not ASCII. */
	{ { 500, 599, 6, 7, 10 }, READER, NEVER, ONE, POLICY },
	{ { 500, 599, 6, 0, LAST }, OURS, NEVER, ONE, POLICY },
	/* The sender is not trusted; that never counts against the reader. RFC 4954: log in first. */
	{ { 500, 599, 7, 0, LAST }, OURS, LATER, ALL, POLICY },
	{ { 530, 538, NONE, 0, 0 }, OURS, LATER, ALL, FAULT },
	/* A command, or a parameter of it, is not understood. */
	{ { 500, 504, NONE, 0, 0 }, OURS, NEVER, ONE, FAULT },
	{ { 555, 555, NONE, 0, 0 }, OURS, NEVER, ONE, FAULT },
	/* No such mailbox or domain, a wrong address, a mailbox that moved, a domain without mail; a mailbox closed; full. */
	{ { 500, 599, 1, 1, 3 }, READER, NEVER, ONE, DEAD },
	{ { 500, 599, 1, 6, 6 }, READER, NEVER, ONE, DEAD },
	{ { 500, 599, 1, 10, 10 }, READER, NEVER, ONE, DEAD },
	{ { 500, 599, 2, 1, 1 }, READER, NEVER, ONE, DEAD },
	{ { 500, 599, 2, 2, 2 }, READER, NEVER, ONE, PASSING },
	{ { 500, 599, ANY, 0, 0 }, READER, NEVER, ONE, SHRUG },
};

enum { NROWS = sizeof(rows) / sizeof(rows[0]) };

/* "550 5.1.1 ..." */
struct parts {
	int code, subject, detail; /* subject NONE, or ANY for a code of another class */
};

static bool
read_parts(const char *reply, struct parts *out)
{
	char *end;
	long class, subject, detail;

	*out = (struct parts){ 0, NONE, 0 };
	if (strspn(reply, "0123456789") != 3)
		return false;
	for (int i = 0; i < 3; i++)
		out->code = out->code * 10 + (reply[i] - '0');
	/* "2.123.123" (RFC 3463 2), which the digits and full stops that are there must be in full. */
	if (reply[3] != ' ' || strspn(reply + 4, "0123456789.") > 9)
		return true;
	class = strtol(reply + 4, &end, 10);
	if (end != reply + 5 || *end != '.' || end[1] < '0' || end[1] > '9')
		return true;
	subject = strtol(end + 1, &end, 10);
	if (*end != '.' || end[1] < '0' || end[1] > '9')
		return true;
	detail = strtol(end + 1, &end, 10);
	if (*end == '.')
		return true;
	out->subject = class == out->code / 100 ? (int)subject : ANY;
	out->detail = (int)detail;
	return true;
}

static bool
is_in(const struct range *r, const struct parts *p)
{
	return p->code >= r->code && p->code <= r->last_code &&
	    (r->subject == ANY ||
		(p->subject == r->subject && p->detail >= r->detail &&
		    p->detail <= r->last_detail));
}

struct smtp_verdict
smtp_judge(const char *reply, bool at_rcpt)
{
	struct parts p;

	if (read_parts(reply, &p))
		for (size_t i = 0; i < NROWS; i++)
			if (is_in(&rows[i].of, &p) && (rows[i].scope != RCPT || at_rcpt))
				return (struct smtp_verdict){ rows[i].outcome, rows[i].blame,
					rows[i].scope == ALL, rows[i].class };
	return (struct smtp_verdict){ OUTCOME_DEFERRED, BLAME_THEIRS, false, SMTP_CLASS_UNKNOWN };
}

const char *
smtp_find_cure(const char *reply)
{
	static const struct {
		struct range of;
		const char *cure;
	} cures[] = {
		{ { 500, 599, 4, 5, 5 }, "its limit is reached; set rate or daily-limit below it" },
		{ { 500, 599, 3, 1, 2 }, "it is full or closed; the next run tries again" },
		{ { 500, 599, 3, 5, 5 }, "its set-up is wrong; tell its operator" },
		{ { 530, 538, NONE, 0, 0 }, "does it want user and password?" },
		{ { 530, 538, 5, 0, LAST }, "does it want user and password?" },
		{ { 530, 538, 7, 0, LAST }, "does it want user and password, or others?" },
		{ { 500, 599, 7, 8, 14 }, "does it want user and password, or others?" },
		{ { 500, 599, 7, 20, 27 },
		    "SPF, DKIM and DMARC of the domain of list.from must allow this relay" },
		{ { 500, 599, 7, 509, 515 },
		    "SPF, DKIM and DMARC of the domain of list.from must allow this relay" },
		{ { 500, 599, ANY, 0, 0 },
		    "may this account send as list.from and list.bounce-address? else ask its "
		    "operator" },
		{ { 0, LAST, ANY, 0, 0 }, "the next run tries again" },
	};
	struct parts p;
	size_t i = 0;

	read_parts(reply, &p);
	while (!is_in(&cures[i].of, &p))
		i++;
	return cures[i].cure;
}
