/* Any bytes as a feed, or as a page that names one; and a text of any markup. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "digest/limits.h"
#include "digest/source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct config_source config = {
		.name = "f", .url = "https://a.example/", .file = ""
	};
	const struct source_request request = {
		.key = "k", .url = "https://a.example/", .path = "", .command = ""
	};
	char *copy = malloc(size + 1);
	struct source_batch batch;
	struct arena a;

	if (copy == NULL)
		return 0;
	if (size > 0)
		memcpy(copy, data, size);
	copy[size] = '\0';
	arena_init(&a, MAX_RUN_BYTES);
	source_type_find("feed", NULL)
	    ->read(&config, &request,
		&(struct source_answer){ copy, size, "https://a.example/", "", "" }, 1787392800, &a,
		&batch, NULL);
	arena_release(&a);
	free(copy);
	return 0;
}
