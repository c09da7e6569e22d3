/* Any bytes as JSON. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "digest/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = malloc(size + 1);
	json_t *root = NULL;
	int64_t n;
	bool yes;

	if (copy == NULL)
		return 0;
	memcpy(copy, data, size);
	copy[size] = '\0';
	if (json_read(copy, size, 100000, &root, NULL) == 0) {
		json_get_int64(root, "a", &n);
		json_get_bool(root, "a", &yes);
		json_get_string(json_get_object(root, "a"), "b");
		json_decref(root);
	}
	free(copy);
	return 0;
}
