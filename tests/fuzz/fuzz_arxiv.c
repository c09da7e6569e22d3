/* Any bytes as an answer of arXiv: the feed, a page of a day, details, and an error; whatever becomes of its names. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "digest/limits.h"
#include "digest/source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *categories[] = { "cs.CL" };
	const struct config_source config = {
		.name = "ax", .url = "", .categories = categories, .ncategories = 1
	};
	const struct source_request requests[] = {
		{ .key = "feed", .url = "https://a.example/" },
		{ .key = "2026-04-27", .url = "https://a.example/", .day = 20570 },
		{ .key = "details",
		    .url = "https://a.example/",
		    .day = 20570,
		    .rest = "n1234.5678;c1234.5679" },
	};
	const struct source_type *type = source_type_find("arxiv", NULL);
	char *copy = malloc(size + 1);

	if (copy == NULL)
		return 0;
	if (size > 0)
		memcpy(copy, data, size);
	copy[size] = '\0';
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		struct source_batch batch;
		struct arena a;

		arena_init(&a, MAX_RUN_BYTES);
		type->read(&config, &requests[i], &(struct source_answer){ copy, size, "", "", "" },
		    1777284000, &a, &batch, NULL);
		type->status(&requests[i], 400, copy, size, NULL);
		arena_release(&a);
	}
	free(copy);
	return 0;
}
