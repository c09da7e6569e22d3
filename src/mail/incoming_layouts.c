#include "mail/incoming.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { FIRST_WORDS = 4096 }; /* where a notice that we do not know says what it is about */

/* What is left of a line: the address that it begins with is cut off. False when it does not begin with one. */
typedef bool opener(struct span *line, char address[MAX_ADDRESS_BYTES + 1]);
static opener opens_alone, opens_first, opens_reply;

/* How programs tell people about a delivery. All texts are in lower case. */
struct layout {
	const char *name;
	const char *mark;	 /* stands in each */
	enum incoming_kind fate; /* of its recipients */
	opener *open;		 /* how the lines of a recipient begin; NULL = by key */
	const char *key;	 /* the address follows it */
	bool whole; /* what is said of a recipient stands anywhere, not behind the address */
	const char *says,
	    *means; /* words of its own that stand for an enhanced code; NULL = none */
};

static const struct layout layouts[] = {
	{ "Exim's warning", "has not yet been delivered to one or more of its", INCOMING_DELAYED,
	    opens_alone, NULL, false, NULL, NULL },
	{ "Zoho", "error_code :", INCOMING_BOUNCE, opens_first, NULL, false, NULL, NULL },
	{ "Exim", "this message was created automatically by mail delivery software",
	    INCOMING_BOUNCE, opens_alone, NULL, false, NULL, NULL },
	{ "qmail", "this is the qmail-send program", INCOMING_BOUNCE, opens_alone, NULL, false,
	    NULL, NULL },
	{ "qmail", "wasn't able to deliver your message to the following address", INCOMING_BOUNCE,
	    opens_alone, NULL, false, NULL, NULL },
	{ "Yahoo", "we were unable to deliver your message to the following address",
	    INCOMING_BOUNCE, opens_alone, NULL, false, NULL, NULL },
	{ "Gmail", "delivery to the following recipient failed permanently", INCOMING_BOUNCE,
	    opens_alone, NULL, false, NULL, NULL },
	{ "Gmail's warning", "delivery to the following recipient has been delayed",
	    INCOMING_DELAYED, opens_alone, NULL, false, NULL, NULL },
	{ "Gmail", "** message not delivered **", INCOMING_BOUNCE, NULL,
	    "your message wasn't delivered to ", true, NULL, NULL },
	{ "Gmail", "** address not found **", INCOMING_BOUNCE, NULL,
	    "your message wasn't delivered to ", true, NULL, NULL },
	{ "Gmail", "** message blocked **", INCOMING_BOUNCE, NULL, "your message to ", true, NULL,
	    NULL },
	{ "Postfix", "this is the mail system at host", INCOMING_BOUNCE, opens_first, NULL, false,
	    NULL, NULL },
	{ "Postfix", "this is the postfix program at host", INCOMING_BOUNCE, opens_first, NULL,
	    false, NULL, NULL },
	{ "Sendmail", "----- transcript of session follows -----", INCOMING_BOUNCE, opens_reply,
	    NULL, false, NULL, NULL },
	{ "OpenSMTPD", "this is the mailer-daemon, please do not reply to this e", INCOMING_BOUNCE,
	    opens_first, NULL, false, NULL, NULL },
	{ "DragonFly", "this is the dragonfly mail agent", INCOMING_BOUNCE, NULL,
	    "error delivering your mail to", false, NULL, NULL },
	{ "Exchange 2003", "did not reach the following recipient(s):", INCOMING_BOUNCE,
	    opens_first, NULL, false, "(000c05a6)", "5.1.1" },
	{ "Exchange", "delivery has failed to these recipients or groups:", INCOMING_BOUNCE,
	    opens_alone, NULL, false, NULL, NULL },
	{ "James", "error message below:", INCOMING_BOUNCE, NULL, "rcpt to:", true, NULL, NULL },
	{ "KDDI", "could not be delivered to: <", INCOMING_BOUNCE, NULL,
	    "could not be delivered to: <", false, NULL, NULL },
	{ "Notes", "------- failure reasons", INCOMING_BOUNCE, opens_alone, NULL, true, NULL,
	    NULL },
	{ "Amazon SES", "\"notificationtype\":\"bounce\"", INCOMING_BOUNCE, NULL,
	    "\"emailaddress\":\"", false, NULL, NULL },
	{ "Amazon SES", "\"notificationtype\":\"delivery\"", INCOMING_DELIVERED, NULL,
	    "\"recipients\":[\"", false, NULL, NULL },
	{ "Amazon SES", "\"notificationtype\":\"complaint\"", INCOMING_COMPLAINT, NULL,
	    "\"emailaddress\":\"", false, NULL, NULL },
};

/* What stands before the mail that came back, behind dashes and blanks; or it begins at once. */
static const struct {
	const char *text;
	bool header;
} ends[] = {
	{ "this is a copy of", false },
	{ "below this line is a copy", false },
	{ "below is a copy of the original", false },
	{ "enclosed is a copy", false },
	{ "original message", false },
	{ "the header of the original", false },
	{ "returned message", false },
	{ "unsent message follows", false },
	{ "message headers follow", false },
	{ "received:", true },
	{ "return-path:", true },
	{ "x-received:", true },
};

/* ---- lines that open a recipient ---- */

static struct span
skip(struct span s, const char *bytes)
{
	while (s.len > 0 && strchr(bytes, *s.at) != NULL && *s.at != '\0') {
		s.at++;
		s.len--;
	}
	return s;
}

/* "<ada@example.org>: ..." or the same with quotes or bare; an address that stands right at the beginning. */
static bool
opens_first(struct span *line, char address[MAX_ADDRESS_BYTES + 1])
{
	struct span rest = skip(*line, " \t<\"");
	const char *start = rest.at;

	if (!address_next(&rest, address) || rest.at != start + strlen(address))
		return false;
	*line = skip(rest, ">\":. \t");
	return true;
}

/* An address and nothing else, but for Outlook's "<mailto:...>" and Exim's "(generated from ...)". */
static bool
opens_alone(struct span *line, char address[MAX_ADDRESS_BYTES + 1])
{
	struct span rest = *line;

	if (!opens_first(&rest, address))
		return false;
	if (rest.len > 0 && *rest.at != '(' &&
	    (rest.len < 8 || strncasecmp(rest.at, "<mailto:", 8) != 0))
		return false;
	*line = (struct span){ rest.at + rest.len, 0 };
	return true;
}

/* "550 <ada@example.org>... User unknown" */
static bool
opens_reply(struct span *line, char address[MAX_ADDRESS_BYTES + 1])
{
	struct span rest = *line;

	if (rest.len < 5 || !isdigit((unsigned char)rest.at[0]) || rest.at[3] != ' ' ||
	    rest.at[4] != '<')
		return false;
	rest = (struct span){ rest.at + 4, rest.len - 4 };
	/* The reply is left as it is, code and all. */
	return opens_first(&rest, address);
}

static bool
is_end(struct span line, bool *header)
{
	line = skip(line, "- \t*=");
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		size_t len = strlen(ends[i].text);

		*header = ends[i].header;
		if (line.len >= len && strncasecmp(line.at, ends[i].text, len) == 0)
			return true;
	}
	return false;
}

/* ---- recipients ---- */

/* What was said of one, who may have been named before with less. */
static void
add(struct letter *l, const struct layout *layout, const char *address, struct span said)
{
	struct incoming_recipient *r = letter_recipient(l, address);
	char status[12];
	uint32_t code;

	if (r == NULL)
		return;
	codes_find(said, status, &code);
	if (r->reason[0] != '\0' && status[0] == '\0' && code == 0)
		return;
	r->fate = layout->fate;
	if (layout->says != NULL && span_find(said, layout->says) != NULL)
		snprintf(r->status, sizeof(r->status), "%s", layout->means);
	recipient_judge(r, said, TRUST_STATUS);
}

/* The text before the mail that came back; the rest of it is noted as that. */
static struct span
cut_end(struct letter *l)
{
	struct span rest = l->text, line;
	bool header;

	while (span_line(&rest, &line)) {
		const char *end = l->text.at + l->text.len;

		if (!is_end(line, &header))
			continue;
		if (l->returned.len == 0)
			l->returned = header ? (struct span){ line.at, (size_t)(end - line.at) }
					     : span_trim(rest);
		return (struct span){ l->text.at, (size_t)(line.at - l->text.at) };
	}
	return l->text;
}

/* By lines: what follows one that opens a recipient, up to the next, is said of it; a reply is all that is said. */
static void
read_lines(struct letter *l, const struct layout *layout, struct span section)
{
	char address[MAX_ADDRESS_BYTES + 1], next[MAX_ADDRESS_BYTES + 1];
	struct span rest = section, line, said = { section.at, 0 };
	bool open = false;

	while (span_line(&rest, &line)) {
		const char *start = line.at;

		if (!layout->open(&line, next))
			continue;
		if (layout->open == opens_reply) {
			add(l, layout, next, line);
			continue;
		}
		said.len = (size_t)(start - said.at);
		if (open)
			add(l, layout, address, layout->whole ? section : said);
		open = true;
		memcpy(address, next, sizeof(address));
		said.at = line.at;
	}
	said.len = (size_t)(section.at + section.len - said.at);
	if (open)
		add(l, layout, address, layout->whole ? section : said);
}

/* By a key: what follows the address, up to the next key, is said of it. */
static void
read_keys(struct letter *l, const struct layout *layout, struct span section)
{
	const size_t len = strlen(layout->key);
	const char *at = span_find(section, layout->key), *end = section.at + section.len;
	char address[MAX_ADDRESS_BYTES + 1];

	while (at != NULL) {
		struct span said = { at + len, (size_t)(end - at) - len };
		const char *next = span_find(said, layout->key);

		if (next != NULL)
			said.len = (size_t)(next - said.at);
		if (address_next(&said, address))
			add(l, layout, address, layout->whole ? section : skip(said, ">\",:. \t"));
		at = next;
	}
}

/* Those that X-Failed-Recipients names, or one that we do not know the address of: the return path tells. */
static void
read_failed(struct letter *l, const struct layout *layout, struct span section, enum trust trust)
{
	char address[MAX_ADDRESS_BYTES + 1];
	struct span failed = l->failed;

	do {
		struct incoming_recipient *r;

		if (!address_next(&failed, address)) {
			if (l->out->nrecipients > 0)
				return;
			address[0] = '\0';
		}
		if ((r = letter_recipient(l, address)) == NULL)
			return;
		r->fate = layout->fate;
		recipient_judge(r, section, trust);
	} while (failed.len > 0);
}

bool
letter_is_layout(struct letter *l)
{
	const struct layout *found = NULL;
	struct span section;
	const char *at;

	if (!l->daemon && (l->out->flags & INCOMING_FROM_ROBOT) == 0)
		return false;
	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]) && found == NULL; i++)
		if (span_find(l->text, layouts[i].mark) != NULL)
			found = &layouts[i];
	if (found == NULL)
		return false;
	section = cut_end(l);
	at = span_find(section, found->mark);
	if (found->whole && at != NULL)
		section = (struct span){ at, section.len - (size_t)(at - section.at) };
	if (found->open != NULL)
		read_lines(l, found, section);
	else
		read_keys(l, found, section);
	if (l->out->nrecipients == 0 && found->fate == INCOMING_BOUNCE)
		read_failed(l, found, section, TRUST_WORDS);
	letter_read_returned(l, l->returned);
	return letter_decide(l, found->fate, "a text in the layout of %s", found->name);
}

/* A notice of a mail system whose layout we do not know. */
bool
letter_is_failure(struct letter *l)
{
	static const struct layout failed = { .name = "", .fate = INCOMING_BOUNCE };
	static const struct layout delayed = { .name = "", .fate = INCOMING_DELAYED };
	const struct layout *layout = &failed;
	struct span section, words;
	enum smtp_class class;
	const char *reason;

	if (!l->daemon)
		return false;
	section = cut_end(l);
	words = section;
	if (words.len > FIRST_WORDS)
		words.len = FIRST_WORDS;
	/* A postmaster may be on vacation, too. */
	if (l->failed.len == 0 &&
	    ((l->out->flags & INCOMING_AUTO_MARKED) != 0 || !words_judge(words, &reason, &class)))
		return false;
	if (span_find(span_of(l->out->subject), "delay") != NULL ||
	    span_find(span_of(l->out->subject), "warning") != NULL)
		layout = &delayed;
	if (l->failed.len == 0)
		l->failed = words; /* the first address in it */
	read_failed(l, layout, words, TRUST_WORDS);
	letter_read_returned(l, l->returned);
	return letter_decide(l, layout->fate,
	    "words of a mail system, in no layout that we know: never more than soft");
}
