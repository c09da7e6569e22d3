/* Records of any bytes: each begins on a later line than the one before it or on the same, and every field is UTF-8. */
#include "digest/csv.h"
#include "digest/utf8.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct csv_record record;
	uint32_t line = 1;
	size_t column = 0;
	struct arena a;
	struct csv csv;
	int more;

	arena_init(&a, 64 << 20);
	csv_init(&csv, (const char *)data, size);
	while ((more = csv_next(&csv, &a, &record, &column, NULL)) != 0) {
		if (record.line < line || csv.pos > size || (more == 1 && record.n == 0))
			abort();
		for (size_t i = 0; more == 1 && i < record.n; i++)
			if (!utf8_is_valid(record.fields[i], strlen(record.fields[i])))
				abort();
		line = record.line;
		arena_reset(&a);
	}
	arena_release(&a);
	return 0;
}
