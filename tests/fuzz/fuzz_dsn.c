/* Any bytes as the fields of a delivery status, and as the text beside it: no word makes an address dead. */
#include "mail/incoming.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool (*rule)(struct letter *), struct letter *l, bool soft)
{
	*l->out = (struct incoming){ .kind = INCOMING_OTHER };
	if (rule(l) && !incoming_is_sound(l->out))
		abort();
	for (size_t i = 0; i < l->out->nrecipients; i++)
		if (soft && l->out->recipients[i].class == SMTP_CLASS_DEAD)
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct incoming in;
	char *copy = malloc(size > 0 ? size : 1);
	struct span all = { copy, size }, none = { "", 0 };
	struct letter l = { .out = &in, .daemon = true };

	if (copy == NULL)
		return 0;
	if (size > 0)
		memcpy(copy, data, size);
	l.head = l.text = l.feedback = l.returned = l.failed = none;
	l.inner_status = l.inner_returned = none;
	l.status = all;
	check(letter_is_status, &l, false);
	l.status = none;
	l.feedback = l.returned = all;
	check(letter_is_feedback, &l, false);
	l.feedback = l.returned = none;
	l.text = all;
	check(letter_is_layout, &l, false);
	check(letter_is_failure, &l, true);
	free(copy);
	return 0;
}
