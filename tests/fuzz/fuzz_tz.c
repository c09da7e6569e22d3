/* The bytes of a TZif file. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/tzif.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = malloc(size + 1);
	struct tzif z;

	if (copy == NULL)
		return 0;
	memcpy(copy, data, size);
	copy[size] = '\0';
	if (tzif_parse(&z, copy, size, NULL) == 0) {
		int64_t utc = -5000000000, until;

		for (int i = 0; i < 1000; i++) {
			tzif_type_at(&z, utc, &until);
			if (until <= utc)
				abort();
			if (until == INT64_MAX)
				break;
			utc = until;
		}
		tzif_release(&z);
	}
	free(copy);
	return 0;
}
