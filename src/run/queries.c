#include "stages.h"

#include <string.h>

/* Where the @names of a query lead. */
struct names {
	const struct config *cfg;
	const struct subscriber *reader; /* NULL = only shared filters */
};

static const char *
find_named(void *arg, const char *name, bool *shared)
{
	const struct names *names = arg;
	size_t nfilters = names->reader != NULL ? names->reader->nfilters : 0;

	for (size_t i = 0; !*shared && i < nfilters; i++)
		if (strcmp(names->reader->filters[i].name, name) == 0)
			return names->reader->filters[i].match;
	*shared = true;
	for (size_t i = 0; i < names->cfg->nshared; i++)
		if (strcmp(names->cfg->shared[i].name, name) == 0)
			return names->cfg->shared[i].match;
	return NULL;
}

int
queries_read(const struct config *cfg, const struct subscriber *reader, const char *name,
    const char *text, struct arena *a, struct query **out, size_t *offset, struct error *err)
{
	struct names names = { cfg, reader };
	struct query *q;

	if (query_parse(text, strlen(text), a, &q, offset, err) == -1)
		return -1;
	return query_expand(q, name, find_named, &names, a, out, offset, err);
}
