/* Any bytes as a file of papers: told apart, read, and written as lines that read again. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "digest/limits.h"
#include "digest/source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = malloc(size + 1);
	struct source_batch batch = { 0 }, again;
	struct strbuf line;
	struct arena a;

	if (copy == NULL)
		return 0;
	if (size > 0)
		memcpy(copy, data, size);
	copy[size] = '\0';
	arena_init(&a, MAX_RUN_BYTES);
	strbuf_init(&line, MAX_JSON_LINE);
	if (source_read_saved(NULL, "2026-08-21.x", copy, size, 1787392800, &a, &batch, NULL) == 0)
		assert(!batch.more);
	for (size_t i = 0; i < batch.npapers && i < 3; i++) {
		strbuf_reset(&line);
		source_add_line(&line, batch.papers[i]);
		assert(source_read_lines(NULL, line.buf, line.len, 0, &a, &again, NULL) == 0);
		assert(line.state != STRBUF_OK || again.npapers == 1);
	}
	strbuf_release(&line);
	arena_release(&a);
	free(copy);
	return 0;
}
