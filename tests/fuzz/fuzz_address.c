/* Any bytes as an address: what is accepted holds no control and no angle bracket, and reads as
 * itself. */
#include "digest/address.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct address out, again;
	struct arena a;
	unsigned column = 0;

	if (text == NULL)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	arena_init(&a, 1 << 20);
	if (address_parse(text, &a, &out, &column, NULL) == -1) {
		if (column < 1 || column > strlen(text) + 1)
			abort();
	} else {
		for (const char *p = out.mailbox; *p != '\0'; p++)
			if ((unsigned char)*p < ' ' || *p == 0x7f || *p == '<' || *p == '>')
				abort();
		if (address_parse(out.mailbox, &a, &again, NULL, NULL) == -1 ||
		    strcmp(out.mailbox, again.mailbox) != 0 ||
		    strcmp(out.canonical, again.canonical) != 0)
			abort();
	}
	arena_release(&a);
	free(text);
	return 0;
}
