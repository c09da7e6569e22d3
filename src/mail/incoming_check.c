#include "mail/incoming.h"

#include <string.h>

/* A string that ends, and that a terminal may be shown. */
static bool
is_text(const char *text, size_t size)
{
	char printable[2 * INCOMING_TEXT_SIZE];

	if (memchr(text, '\0', size) == NULL)
		return false;
	err_printable(printable, sizeof(printable), text);
	return strcmp(printable, text) == 0;
}

/* "5.1.1", or nothing. */
static bool
is_status(const char *text, size_t size)
{
	return is_text(text, size) && strspn(text, "0123456789.") == strlen(text);
}

/* An address or nothing: no blank, quote or bracket can be in what is cut out of a mail. */
static bool
is_address(const char *text, size_t size)
{
	return is_text(text, size) && strcspn(text, " <>\"\\()[],;:") == strlen(text) &&
	    (text[0] == '\0' || strchr(text, '@') != NULL);
}

static bool
is_recipient(const struct incoming_recipient *r)
{
	bool known = r->fate == INCOMING_BOUNCE || r->fate == INCOMING_DELAYED ||
	    r->fate == INCOMING_DELIVERED || r->fate == INCOMING_COMPLAINT;

	return known && r->class < NSMTP_CLASSES &&
	    (r->class == SMTP_CLASS_NONE) == (r->fate != INCOMING_BOUNCE) &&
	    (r->code == 0 || (r->code >= 200 && r->code <= 599)) &&
	    is_status(r->status, sizeof(r->status)) && is_address(r->address, sizeof(r->address)) &&
	    is_address(r->original, sizeof(r->original)) && r->reason[0] != '\0' &&
	    is_text(r->reason, sizeof(r->reason)) && is_text(r->diagnostic, sizeof(r->diagnostic));
}

bool
incoming_is_sound(const struct incoming *in)
{
	if (in->kind >= NINCOMING_KINDS || in->verb >= NINCOMING_VERBS ||
	    (in->flags & ~(uint32_t)INCOMING_ALL_FLAGS) != 0 ||
	    in->nrecipients > MAX_INCOMING_RECIPIENTS ||
	    in->ncandidates > MAX_INCOMING_CANDIDATES ||
	    (in->kind == INCOMING_REQUEST) != (in->verb != INCOMING_NO_VERB) ||
	    (in->kind == INCOMING_BOUNCE && in->nrecipients == 0) ||
	    !is_text(in->message_id, sizeof(in->message_id)) ||
	    !is_address(in->from, sizeof(in->from)) ||
	    !is_address(in->reply_to, sizeof(in->reply_to)) ||
	    !is_text(in->subject, sizeof(in->subject)) ||
	    !is_text(in->reason, sizeof(in->reason)) || !is_text(in->why, sizeof(in->why)))
		return false;
	for (size_t i = 0; i < in->nrecipients; i++)
		if (!is_recipient(&in->recipients[i]))
			return false;
	for (size_t i = 0; i < in->ncandidates; i++)
		if (in->candidates[i].place >= NINCOMING_PLACES ||
		    !is_text(in->candidates[i].text, sizeof(in->candidates[i].text)))
			return false;
	return true;
}

const char *
incoming_kind_name(enum incoming_kind kind)
{
	static const char *const names[NINCOMING_KINDS] = { "other", "bounce", "delayed",
		"delivered", "complaint", "feedback", "request", "auto-reply", "unreadable" };

	return names[kind];
}

const char *
incoming_verb_name(enum incoming_verb verb)
{
	static const char *const names[NINCOMING_VERBS] = { "nothing", "unsubscribe", "pause",
		"resume" };

	return names[verb];
}

const char *
incoming_place_name(enum incoming_place place)
{
	static const char *const names[NINCOMING_PLACES] = { "recipient", "delivered-to", "subject",
		"report", "returned path", "returned Message-ID", "returned List-Unsubscribe" };

	return names[place];
}

const char *incoming_class_name(enum smtp_class class)
{
	static const char *const names[NSMTP_CLASSES] = { "none", "dead", "temporary", "policy",
		"ours", "unknown" };

	return names[class];
}
