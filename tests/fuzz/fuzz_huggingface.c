/* Any bytes as an answer of Hugging Face, and as a file that may hold one. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "digest/limits.h"
#include "digest/source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct config_source config = { .name = "hf", .url = "", .path = "", .file = "" };
	const struct source_request request = {
		.key = "k", .url = "https://a.example/", .path = ""
	};
	char *copy = malloc(size + 1);
	struct source_batch batch;
	struct arena a;

	if (copy == NULL)
		return 0;
	if (size > 0)
		memcpy(copy, data, size);
	copy[size] = '\0';
	for (size_t i = 0; source_type_at(i) != NULL; i++) {
		arena_init(&a, MAX_RUN_BYTES);
		source_type_at(i)->read(&config, &request,
		    &(struct source_answer){ copy, size, "https://a.example/", "", "" }, 1787392800,
		    &a, &batch, NULL);
		source_type_at(i)->status(&request, 400, copy, size, NULL);
		arena_release(&a);
	}
	free(copy);
	return 0;
}
