/* Any bytes as the fields of a report, and as the text of one: free words never make an address dead. */
#include "mail/incoming.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool (*rule)(struct letter *), struct span status, struct span feedback, struct span text)
{
	static struct incoming in;
	struct letter l = { .out = &in, .daemon = true, .status = status, .text = text };

	in = (struct incoming){ .kind = INCOMING_OTHER };
	l.feedback = l.returned = feedback;
	l.inner_status = l.inner_returned = l.failed = l.head = span_of("");
	if (rule(&l) && !incoming_is_sound(&in))
		abort();
	for (size_t i = 0; i < in.nrecipients && rule == letter_is_failure; i++)
		if (in.recipients[i].class == SMTP_CLASS_DEAD)
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = malloc(size > 0 ? size : 1);
	struct span all = { copy, size }, none = span_of("");

	if (copy == NULL)
		return 0;
	memcpy(copy, data, size);
	check(letter_is_status, all, none, none);
	check(letter_is_feedback, none, all, none);
	check(letter_is_layout, none, none, all);
	check(letter_is_failure, none, none, all);
	free(copy);
	return 0;
}
