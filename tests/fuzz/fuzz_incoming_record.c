/* Any bytes as what a child writes: a record that is let through can be shown and used without a look at it. */
#include "mail/incoming.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const char *text, size_t size)
{
	char shown[8 * INCOMING_TEXT_SIZE];

	if (strnlen(text, size) == size)
		abort();
	err_printable(shown, sizeof(shown), text);
	if (strcmp(shown, text) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct incoming *in = calloc(1, sizeof(*in));

	if (in == NULL)
		return 0;
	/* A byte of what to begin with, so that not all of it has to be found. */
	in->kind = size > 0 ? data[0] % NINCOMING_KINDS : 0;
	if (size > 1)
		memcpy(in, data + 1, size - 1 < sizeof(*in) ? size - 1 : sizeof(*in));
	if (incoming_is_sound(in)) {
		check(in->why, sizeof(in->why));
		check(incoming_kind_name(in->kind), 20);
		check(incoming_verb_name(in->verb), 20);
		for (size_t i = 0; i < in->nrecipients; i++) {
			check(in->recipients[i].diagnostic, sizeof(in->recipients[i].diagnostic));
			check(incoming_class_name(in->recipients[i].class), 20);
		}
		for (size_t i = 0; i < in->ncandidates; i++)
			check(in->candidates[i].text, INCOMING_TEXT_SIZE);
	}
	free(in);
	return 0;
}
