/* Ids and links of papers in any spelling: what comes out is a key that leads to itself. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "digest/paper.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct strbuf once, twice;
	uint32_t version;

	if (text == NULL)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	strbuf_init(&once, 4096);
	strbuf_init(&twice, 4096);
	if (paper_add_key(&once, text, &version) == 1 && strbuf_check(&once, NULL) == 0) {
		assert(paper_add_key(&twice, once.buf, &version) == 1);
		assert(strcmp(once.buf, twice.buf) == 0);
		assert(version == 0);
	}
	strbuf_release(&once);
	strbuf_release(&twice);
	free(text);
	return 0;
}
