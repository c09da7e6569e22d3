/* Any bytes as what a child writes: a record that is let through can be shown without a look at it. */
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
	static struct incoming in;

	in = (struct incoming){ .kind = INCOMING_OTHER };
	memcpy(&in, data, size < sizeof(in) ? size : sizeof(in));
	if (!incoming_is_sound(&in))
		return 0;
	check(in.why, sizeof(in.why));
	check(incoming_kind_name(in.kind), 20);
	for (size_t i = 0; i < in.nrecipients; i++)
		check(in.recipients[i].diagnostic, sizeof(in.recipients[i].diagnostic));
	for (size_t i = 0; i < in.ncandidates; i++)
		check(in.candidates[i].text, INCOMING_TEXT_SIZE);
	return 0;
}
