#include "mail/incoming.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SAID = 4096 }; /* what is said of a recipient comes to the point before */

/* Enhanced codes (RFC 3463, RFC 5248) that say more than any words do; the class of the code does not matter. */
static const struct {
	const char *code; /* without its class */
	const char *reason;
} meanings[] = {
	{ ".1.1", "userunknown" },
	{ ".1.2", "hostunknown" },
	{ ".1.3", "badaddress" },
	{ ".1.6", "hasmoved" },
	{ ".1.10",
	    "userunknown" }, /* by the registry a domain without mail; Exchange Online means a user */
	{ ".2.2", "mailboxfull" },
	{ ".2.3", "toolarge" },
	{ ".3.4", "toolarge" },
	{ ".4.7", "expired" },
	{ ".4.6", "loop" },
};

/* The same for where there are no words. */
static const struct {
	const char *code;
	const char *reason;
} hints[] = {
	{ ".1.", "badaddress" },
	{ ".2.1", "disabled" },
	{ ".2.", "mailbox" },
	{ ".3.", "systemerror" },
	{ ".4.", "networkerror" },
	{ ".5.", "protocol" },
	{ ".6.", "content" },
	{ ".7.", "policy" },
};

/* What people and programs write, in lower case; the first that is there counts. Words of others never make an address dead:
 * they stand in mails that anybody may write, and in quotations. */
static const struct {
	const char *words, *reason;
	enum smtp_class class;
} phrases[] = {
	{ "mailbox full", "mailboxfull", SMTP_CLASS_TEMPORARY },
	{ "mailbox is full", "mailboxfull", SMTP_CLASS_TEMPORARY },
	{ "over quota", "mailboxfull", SMTP_CLASS_TEMPORARY },
	{ "overquota", "mailboxfull", SMTP_CLASS_TEMPORARY },
	{ "quota exceeded", "mailboxfull", SMTP_CLASS_TEMPORARY },
	{ "quota exceed", "mailboxfull", SMTP_CLASS_TEMPORARY },
	{ "exceeded storage", "mailboxfull", SMTP_CLASS_TEMPORARY },
	{ "mailbox has exceeded", "mailboxfull", SMTP_CLASS_TEMPORARY },
	{ "enough disk space", "mailboxfull", SMTP_CLASS_TEMPORARY },
	{ "out of storage", "mailboxfull", SMTP_CLASS_TEMPORARY },
	{ "account is full", "mailboxfull", SMTP_CLASS_TEMPORARY },

	{ "host not found, try again", "networkerror", SMTP_CLASS_TEMPORARY },
	{ "name service error", "networkerror", SMTP_CLASS_TEMPORARY },
	{ "host name lookup failure", "networkerror", SMTP_CLASS_TEMPORARY },
	{ "timed out", "networkerror", SMTP_CLASS_TEMPORARY },
	{ "connection refused", "networkerror", SMTP_CLASS_TEMPORARY },
	{ "connection reset", "networkerror", SMTP_CLASS_TEMPORARY },
	{ "lost connection", "networkerror", SMTP_CLASS_TEMPORARY },
	{ "no route to host", "networkerror", SMTP_CLASS_TEMPORARY },
	{ "refused to talk", "networkerror", SMTP_CLASS_TEMPORARY },
	{ "retry time", "expired", SMTP_CLASS_TEMPORARY },
	{ "time expired", "expired", SMTP_CLASS_TEMPORARY },
	{ "in the queue too long", "expired", SMTP_CLASS_TEMPORARY },
	{ "cannot send message for", "expired", SMTP_CLASS_TEMPORARY },

	{ "message size exceeds", "toolarge", SMTP_CLASS_OURS },
	{ "message too large", "toolarge", SMTP_CLASS_OURS },
	{ "exceeds size limit", "toolarge", SMTP_CLASS_OURS },

	{ "user unknown", "userunknown", SMTP_CLASS_UNKNOWN },
	{ "unknown user", "userunknown", SMTP_CLASS_UNKNOWN },
	{ "no such user", "userunknown", SMTP_CLASS_UNKNOWN },
	{ "nosuchuser", "userunknown", SMTP_CLASS_UNKNOWN },
	{ "no such mailbox", "userunknown", SMTP_CLASS_UNKNOWN },
	{ "mailbox not found", "userunknown", SMTP_CLASS_UNKNOWN },
	{ "mailbox unavailable", "userunknown", SMTP_CLASS_UNKNOWN },
	{ "unknown recipient", "userunknown", SMTP_CLASS_UNKNOWN },
	{ "recipient not found", "userunknown", SMTP_CLASS_UNKNOWN },
	{ "recipnotfound", "userunknown", SMTP_CLASS_UNKNOWN },
	{ "is not recognized", "userunknown", SMTP_CLASS_UNKNOWN },
	{ "invalid recipient", "userunknown", SMTP_CLASS_UNKNOWN },
	{ "does not exist", "userunknown", SMTP_CLASS_UNKNOWN },
	{ "not a registered", "userunknown", SMTP_CLASS_UNKNOWN },
	{ "no longer on server", "hasmoved", SMTP_CLASS_UNKNOWN },
	{ "unrouteable address", "hostunknown", SMTP_CLASS_UNKNOWN },
	{ "host unknown", "hostunknown", SMTP_CLASS_UNKNOWN },
	{ "unknown host", "hostunknown", SMTP_CLASS_UNKNOWN },
	{ "domain may not exist", "hostunknown", SMTP_CLASS_UNKNOWN },
	{ "domain not found", "hostunknown", SMTP_CLASS_UNKNOWN },
	{ "account is disabled", "disabled", SMTP_CLASS_UNKNOWN },
	{ "account disabled", "disabled", SMTP_CLASS_UNKNOWN },
	{ "has been suspended", "disabled", SMTP_CLASS_UNKNOWN },
	{ "inactive", "disabled", SMTP_CLASS_UNKNOWN },

	{ "authentication required", "auth", SMTP_CLASS_POLICY },
	{ "authrequired", "auth", SMTP_CLASS_POLICY },
	{ "spf", "auth", SMTP_CLASS_POLICY },
	{ "dkim", "auth", SMTP_CLASS_POLICY },
	{ "dmarc", "auth", SMTP_CLASS_POLICY },
	{ "reverse dns", "auth", SMTP_CLASS_POLICY },
	{ "ptr record", "auth", SMTP_CLASS_POLICY },
	{ "sending ip", "auth", SMTP_CLASS_POLICY },
	{ "relay", "norelaying", SMTP_CLASS_POLICY },
	{ "virus", "content", SMTP_CLASS_POLICY },
	{ "spam", "spam", SMTP_CLASS_POLICY },
	{ "blacklist", "blocked", SMTP_CLASS_POLICY },
	{ "blocklist", "blocked", SMTP_CLASS_POLICY },
	{ "blocked", "blocked", SMTP_CLASS_POLICY },
	{ "reputation", "blocked", SMTP_CLASS_POLICY },
	{ "smtp server of your isp", "blocked", SMTP_CLASS_POLICY },
	{ "redundant", "blocked", SMTP_CLASS_POLICY },
	{ "access denied", "blocked", SMTP_CLASS_POLICY },
	{ "policy", "policy", SMTP_CLASS_POLICY },

	{ "queue file write error", "systemerror", SMTP_CLASS_TEMPORARY },
	{ "couldn't create", "systemerror", SMTP_CLASS_UNKNOWN },
	{ "internal error", "systemerror", SMTP_CLASS_UNKNOWN },
	{ "rejected", "rejected", SMTP_CLASS_UNKNOWN },
};

bool
words_judge(struct span text, const char **reason, enum smtp_class *class)
{
	char lower[MAX_SAID];
	size_t len = text.len < sizeof(lower) ? text.len : sizeof(lower);

	/* So many phrases are looked for that one copy is worth it. */
	for (size_t i = 0; i < len; i++)
		lower[i] = (char)tolower((unsigned char)text.at[i]);
	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++) {
		if (memmem(lower, len, phrases[i].words, strlen(phrases[i].words)) != NULL) {
			*reason = phrases[i].reason;
			*class = phrases[i].class;
			return true;
		}
	}
	return false;
}

/* ---- codes ---- */

/* "5.1.1" at the beginning of a text: its length, or 0. Neither part of an address nor of a version is taken for one. */
static size_t
enhanced_length(struct span s)
{
	size_t n = 2, digits = 0;

	if (s.len < 5 || (s.at[0] != '4' && s.at[0] != '5') || s.at[1] != '.' || s.at[2] < '0' ||
	    s.at[2] > '7' || s.at[3] != '.')
		return 0;
	for (n = 4; n < s.len && isdigit((unsigned char)s.at[n]); n++)
		digits++;
	if (digits == 0 || digits > 3)
		return 0;
	if (n < s.len && isalnum((unsigned char)s.at[n]))
		return 0;
	/* "5.1.1.20" */
	if (n + 1 < s.len && s.at[n] == '.' && isdigit((unsigned char)s.at[n + 1]))
		return 0;
	return n;
}

/* "550", alone or before a blank or '-'. */
static bool
is_code(struct span s)
{
	if (s.len < 3 || (s.at[0] != '4' && s.at[0] != '5') || s.at[1] < '0' || s.at[1] > '5' ||
	    !isdigit((unsigned char)s.at[2]))
		return false;
	return s.len == 3 || strchr(" -,;:)]\t\r\n", s.at[3]) != NULL;
}

void
codes_find(struct span text, char status[12], uint32_t *code)
{
	memset(status, 0, 12);
	*code = 0;
	for (size_t i = 0; i < text.len && (status[0] == '\0' || *code == 0); i++) {
		struct span s = { text.at + i, text.len - i };
		size_t n;

		/* Only at the start of a word. */
		if (i > 0 &&
		    (isalnum((unsigned char)text.at[i - 1]) || text.at[i - 1] == '.' ||
			text.at[i - 1] == '@'))
			continue;
		if (status[0] == '\0' && (n = enhanced_length(s)) > 0) {
			memcpy(status, s.at, n);
			status[n] = '\0';
		} else if (*code == 0 && is_code(s)) {
			*code = (uint32_t)((s.at[0] - '0') * 100 + (s.at[1] - '0') * 10 +
			    (s.at[2] - '0'));
		}
	}
}

/* Whether an enhanced code names nothing but its class: "5.0.0", "5.2.0". */
static bool
is_vague(const char *status)
{
	size_t len = strlen(status);

	return len < 2 || strcmp(status + len - 2, ".0") == 0;
}

static enum smtp_class
judge_codes(const struct incoming_recipient *r)
{
	uint32_t class = r->status[0] != '\0' ? (uint32_t)(r->status[0] - '0') : r->code / 100;
	char reply[32];

	if (class != 4 && class != 5)
		return SMTP_CLASS_UNKNOWN;
	snprintf(reply, sizeof(reply), "%u %s", r->code / 100 == class ? r->code : class * 100 + 50,
	    r->status);
	return smtp_judge(reply, true).class;
}

static const char *
find_reason(const struct incoming_recipient *r, const char *words)
{
	const char *code = r->status[0] != '\0' ? r->status + 1 : "";

	if (r->fate == INCOMING_DELIVERED)
		return "delivered";
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
		if (strcmp(code, meanings[i].code) == 0)
			return meanings[i].reason;
	if (words != NULL)
		return words;
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
		if (strncmp(code, hints[i].code, strlen(hints[i].code)) == 0)
			return hints[i].reason;
	return "undefined";
}

/* Some programs answer every failure with 5.1.1 or 5.2.1, and only the sentence for people has the truth. In doubt an address
 * lives: a full mailbox is soon empty, an address that was called dead is lost. */
void
recipient_doubt(struct incoming_recipient *r, struct span text)
{
	enum smtp_class class;
	const char *reason;

	if (r->class != SMTP_CLASS_DEAD || !words_judge(text, &reason, &class) ||
	    strcmp(reason, "mailboxfull") != 0)
		return;
	r->class = class;
	snprintf(r->reason, sizeof(r->reason), "%s", reason);
}

void
recipient_judge(struct incoming_recipient *r, struct span said, enum trust trust)
{
	enum smtp_class class = SMTP_CLASS_UNKNOWN, by_words = SMTP_CLASS_UNKNOWN;
	const char *words = NULL;
	char status[12];
	uint32_t code;

	if (said.len > MAX_SAID)
		said.len = MAX_SAID;
	codes_find(said, status, &code);
	if (code != 0)
		r->code = code;
	/* The reply of the host that refused says it best, unless it says less than the report. */
	if (status[0] != '\0' && (!is_vague(status) || is_vague(r->status)))
		memcpy(r->status, status, sizeof(r->status));
	words_judge(said, &words, &by_words);
	r->class = SMTP_CLASS_NONE; /* a report may tell of one twice */
	if (r->fate == INCOMING_BOUNCE) {
		class = judge_codes(r);
		if (class == SMTP_CLASS_UNKNOWN)
			class = by_words;
		if (class == SMTP_CLASS_DEAD && trust == TRUST_WORDS)
			class = SMTP_CLASS_UNKNOWN;
		r->class = class;
	}
	snprintf(r->reason, sizeof(r->reason), "%s", find_reason(r, words));
	recipient_doubt(r, said);
	span_keep(said, r->diagnostic, sizeof(r->diagnostic));
}

void
incoming_judge_reply(const char *reply, struct incoming_recipient *out)
{
	*out = (struct incoming_recipient){ .fate = INCOMING_BOUNCE };
	recipient_judge(out, span_of(reply), TRUST_STATUS);
}
