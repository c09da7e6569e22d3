#include "mail/incoming.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MAX_LETTER_BYTES = 8 * MAX_INCOMING_BYTES };

bool
letter_decide(struct letter *l, enum incoming_kind kind, const char *fmt, ...)
{
	struct incoming *in = l->out;
	char text[sizeof(in->why)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	in->kind = kind;
	err_printable(in->why, sizeof(in->why), text);
	if (in->reason[0] == '\0' && in->nrecipients > 0)
		memcpy(in->reason, in->recipients[0].reason, sizeof(in->reason));
	return true;
}

struct incoming_recipient *
letter_recipient(struct letter *l, const char *address)
{
	struct incoming *in = l->out;
	struct incoming_recipient *r;

	for (size_t i = 0; i < in->nrecipients && address[0] != '\0'; i++)
		if (strcmp(in->recipients[i].address, address) == 0)
			return &in->recipients[i];
	if (in->nrecipients == MAX_INCOMING_RECIPIENTS) {
		in->flags |= INCOMING_MORE;
		return NULL;
	}
	r = &in->recipients[in->nrecipients++];
	*r = (struct incoming_recipient){ .class = SMTP_CLASS_NONE };
	snprintf(r->address, sizeof(r->address), "%s", address);
	return r;
}

void
incoming_parse(const char *bytes, size_t len, struct incoming *out)
{
	/* The first that knows decides. What is made for machines comes before what is made for people; a report before what
	 * Auto-Submitted says, which reports have too; a request before it, since Apple's button writes one (S-65). */
	static bool (*const rules[])(struct letter *) = {
		letter_is_status,
		letter_is_feedback,
		letter_is_layout,
		letter_is_failure,
		letter_is_request,
		letter_is_automatic,
	};
	struct arena arena;
	struct letter l = { .out = out, .arena = &arena };

	*out = (struct incoming){ .kind = INCOMING_OTHER };
	arena_init(&arena, MAX_LETTER_BYTES);
	if (letter_open(&l, bytes, len) == -1) {
		letter_decide(&l, INCOMING_UNREADABLE, "out of memory");
	} else {
		bool decided = false;

		letter_read_head(&l);
		for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]) && !decided; i++)
			decided = rules[i](&l);
		if (!decided)
			letter_decide(&l, INCOMING_OTHER, "nothing in it that we act on");
	}
	arena_release(&arena);
}
