#include "mail/incoming.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ---- delivery status (RFC 3464) ---- */

/* What Action may say; "deliverable" is Postfix's answer to a question. */
static const struct {
	const char *action;
	enum incoming_kind fate;
} actions[] = {
	{ "failed", INCOMING_BOUNCE },
	{ "delayed", INCOMING_DELAYED },
	{ "delivered", INCOMING_DELIVERED },
	{ "deliverable", INCOMING_DELIVERED },
	{ "relayed", INCOMING_DELIVERED },
	{ "expanded", INCOMING_DELIVERED },
};

/* The fields of one recipient. */
struct block {
	struct span final, original, actual, action, status, diagnostic;
	bool any; /* of the fields that a recipient has */
};

static void
read_field(struct letter *l, struct block *b, const struct field *f)
{
	const struct {
		const char *name;
		struct span *at;
	} fields[] = {
		{ "Final-Recipient", &b->final },
		{ "Original-Recipient", &b->original },
		{ "X-Actual-Recipient", &b->actual },
		{ "Action", &b->action },
		{ "Status", &b->status },
		{ "Diagnostic-Code", &b->diagnostic },
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (field_is(f, fields[i].name)) {
			if (fields[i].at->len == 0)
				*fields[i].at = f->value;
			b->any = true;
			return;
		}
	}
	/* "X-Postfix-Sender: rfc822; bounce+...": to whom the report goes, and so by which name the mail was sent. */
	if (f->name.len > 7 && strncasecmp(f->name.at + f->name.len - 7, "-sender", 7) == 0)
		candidates_add(l->out, INCOMING_REPORTED, f->value);
}

/* Words of a diagnostic behind their type, "smtp;" (RFC 3464 2.1.2), which many leave out. */
static struct span
skip_type(struct span s)
{
	size_t n = 0;

	while (n < s.len && n < 40 && strchr("; \t\r\n", s.at[n]) == NULL)
		n++;
	if (n == s.len || s.at[n] != ';')
		return s;
	return span_trim((struct span){ s.at + n + 1, s.len - n - 1 });
}

static bool
find_fate(const struct block *b, const char *status, enum incoming_kind *fate)
{
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		size_t len = strlen(actions[i].action);

		if (b->action.len >= len &&
		    strncasecmp(b->action.at, actions[i].action, len) == 0 &&
		    (b->action.len == len || strchr(" \t\r\n(;", b->action.at[len]) != NULL)) {
			*fate = actions[i].fate;
			return true;
		}
	}
	/* RFC 3464 2.3.3 wants an action. Without one the status must do; what is not final is taken to go on. */
	switch (status[0] != '\0' ? status[0] : b->diagnostic.len > 0 ? '5' : '\0') {
	case '2':
		*fate = INCOMING_DELIVERED;
		return true;
	case '4':
		*fate = INCOMING_DELAYED;
		return true;
	case '5':
		*fate = INCOMING_BOUNCE;
		return true;
	}
	return false;
}

/* "5.1.1 (bad address)"; a success may be told, too. */
static void
read_status(struct span s, char out[12])
{
	uint32_t code;

	codes_find(s, out, &code);
	if (out[0] == '\0' && s.len >= 5 && s.at[0] == '2' && s.at[1] == '.') {
		size_t n = 0;

		while (n < s.len && n < 9 && strchr("0123456789.", s.at[n]) != NULL)
			n++;
		memcpy(out, s.at, n);
		out[n] = '\0';
	}
}

static void
read_block(struct letter *l, const struct block *b, enum trust trust)
{
	char address[MAX_ADDRESS_BYTES + 1] = "", status[12];
	struct span final = b->final, actual = b->actual, original = b->original;
	struct incoming_recipient *r;
	enum incoming_kind fate;
	struct span said = skip_type(b->diagnostic);

	read_status(b->status, status);
	if (!b->any || !find_fate(b, status, &fate))
		return;
	if (!address_next(&final, address))
		address_next(&actual, address);
	if ((r = letter_recipient(l, address)) == NULL)
		return;
	r->fate = fate;
	address_next(&original, r->original);
	memcpy(r->status, status, sizeof(r->status));
	/* A program that delivers at the end says but an exit code, out of which the mail system has made a status. */
	if (b->diagnostic.len >= 6 && strncasecmp(b->diagnostic.at, "x-unix", 6) == 0)
		trust = TRUST_WORDS;
	/* A status that says nothing and nothing said beside it: the words for people may. */
	if (said.len == 0 && fate == INCOMING_BOUNCE &&
	    (status[0] == '\0' || strcmp(status, "5.0.0") == 0)) {
		trust = TRUST_WORDS;
		said = l->text;
	}
	recipient_judge(r, said, trust);
}

static void
read_blocks(struct letter *l, struct span rest, enum trust trust)
{
	const struct span nothing = { "", 0 };
	struct field f;

	while (rest.len > 0) {
		struct block b = { nothing, nothing, nothing, nothing, nothing, nothing, false };

		while (field_next(&rest, &f))
			read_field(l, &b, &f);
		read_block(l, &b, trust);
	}
}

/* A report with a failure in it is a bounce; one without is about a delay or a success. */
static enum incoming_kind
sum_up(const struct incoming *in)
{
	enum incoming_kind kind = INCOMING_DELIVERED;

	for (size_t i = 0; i < in->nrecipients; i++) {
		if (in->recipients[i].fate == INCOMING_BOUNCE)
			return INCOMING_BOUNCE;
		if (in->recipients[i].fate == INCOMING_DELAYED)
			kind = INCOMING_DELAYED;
	}
	return kind;
}

/* Where a mail system has the fields in its text: some wrap the reports of others so. */
static struct span
find_fields(const struct letter *l)
{
	const char *at = l->daemon ? span_find(l->text, "\nreporting-mta:") : NULL;

	if (at == NULL)
		return (struct span){ "", 0 };
	return (struct span){ at + 1, l->text.len - (size_t)(at + 1 - l->text.at) };
}

bool
letter_is_status(struct letter *l)
{
	const char *where = "";

	read_blocks(l, l->status, TRUST_STATUS);
	if (l->out->nrecipients == 0 && l->daemon) {
		where = ", in a message of its own";
		read_blocks(l, l->inner_status, TRUST_STATUS);
		if (l->out->nrecipients > 0)
			l->returned = l->inner_returned;
	}
	if (l->out->nrecipients == 0) {
		where = ", in the text: never more than soft";
		read_blocks(l, find_fields(l), TRUST_WORDS);
	}
	if (l->out->nrecipients == 0)
		return false;
	/* With several recipients the sentence may be about another one. */
	if (l->out->nrecipients == 1)
		recipient_doubt(&l->out->recipients[0], l->text);
	letter_read_returned(l, l->returned);
	return letter_decide(l, sum_up(l->out), "a delivery status for %u recipient%s (RFC 3464)%s",
	    l->out->nrecipients, l->out->nrecipients == 1 ? "" : "s", where);
}

/* ---- feedback (RFC 5965, RFC 6650) ---- */

/* Types by which somebody says that the mail is not wanted there. A virus is found by a machine, and is no word of the reader;
 * not-spam (RFC 6430) and auth-failure (RFC 6591) are about other things. */
static bool
is_complaint(const char *type)
{
	static const char *const types[] = { "abuse", "fraud" };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcasecmp(type, types[i]) == 0)
			return true;
	return false;
}

/* Hotmail's reports are the mail itself, with the reader's address before it. */
static bool
is_hotmail(struct letter *l, struct span *address)
{
	struct span head = l->returned;
	struct field f;

	if (span_find(span_of(l->out->subject), "complaint about message") == NULL)
		return false;
	while (field_next(&head, &f)) {
		if (field_is(&f, "X-HmXmrOriginalRecipient")) {
			*address = f.value;
			return true;
		}
	}
	return false;
}

static void
add_complainer(struct letter *l, struct span value)
{
	char address[MAX_ADDRESS_BYTES + 1];
	struct incoming_recipient *r;

	if (!address_next(&value, address) || (r = letter_recipient(l, address)) == NULL)
		return;
	r->fate = INCOMING_COMPLAINT;
	snprintf(r->reason, sizeof(r->reason), "complaint");
}

static void
read_feedback(struct letter *l)
{
	struct span rest = l->feedback;
	struct field f;

	while (rest.len > 0) {
		while (field_next(&rest, &f)) {
			if (field_is(&f, "Feedback-Type"))
				span_keep(f.value, l->out->reason, sizeof(l->out->reason));
			else if (field_is(&f, "Original-Mail-From"))
				candidates_add(l->out, INCOMING_REPORTED, f.value);
			else if (field_is(&f, "Original-Rcpt-To") ||
			    field_is(&f, "Removal-Recipient"))
				add_complainer(l, f.value);
		}
	}
}

bool
letter_is_feedback(struct letter *l)
{
	struct span address;
	bool complaint;

	if (is_hotmail(l, &address)) {
		add_complainer(l, address);
		snprintf(l->out->reason, sizeof(l->out->reason), "abuse");
		letter_read_returned(l, l->returned);
		return letter_decide(l, INCOMING_COMPLAINT, "a complaint in the form of Hotmail's");
	}
	if (l->feedback.len == 0)
		return false;
	read_feedback(l);
	letter_read_returned(l, l->returned);
	complaint = is_complaint(l->out->reason);
	/* Whoever is named in another report has not complained. */
	if (!complaint)
		l->out->nrecipients = 0;
	return letter_decide(l, complaint ? INCOMING_COMPLAINT : INCOMING_FEEDBACK,
	    "a feedback report of type \"%s\" (RFC 5965)", l->out->reason);
}
