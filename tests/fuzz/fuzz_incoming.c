/* Any bytes as a mail: what the screen lets through is read, and the record keeps its own rules. */
#include "mail/incoming.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct incoming in;
	char token[TOKEN_LEN + 1];
	char *copy = malloc(size > 0 ? size : 1);

	if (copy == NULL)
		return 0;
	if (size > 0)
		memcpy(copy, data, size);
	if (incoming_screen(copy, size, NULL, NULL) == 0) {
		incoming_parse(copy, size, &in);
		if (!incoming_is_sound(&in))
			abort();
		for (size_t i = 0; i < in.ncandidates; i++)
			if (incoming_token(&in.candidates[i], token) && strlen(token) != TOKEN_LEN)
				abort();
	}
	free(copy);
	return 0;
}
