#include "digest/subscriber.h"

#include <string.h>

const struct filter filter_trending = {
	.name = DEFAULT_FILTER_NAME,
	.match = "*",
	.limit = 10,
	.sort = SORT_TRENDING,
	.sort_given = true,
	.when = "",
	.file = "",
};

size_t
filter_find(const struct filter *filters, size_t n, const char *name)
{
	size_t i = 0;

	while (i < n && strcmp(filters[i].name, name) != 0)
		i++;
	return i;
}
