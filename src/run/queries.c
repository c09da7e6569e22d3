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
	const struct subscriber *sub = names->reader;
	const struct config *cfg = names->cfg;
	size_t i;

	if (!*shared && sub != NULL &&
	    (i = filter_find(sub->filters, sub->nfilters, name)) < sub->nfilters)
		return sub->filters[i].match;
	*shared = true;
	i = filter_find(cfg->shared, cfg->nshared, name);
	return i < cfg->nshared ? cfg->shared[i].match : NULL;
}

const char *
queries_find(const struct config *cfg, const struct subscriber *reader, const char *name)
{
	struct names names = { cfg, reader };
	bool shared = false;

	return find_named(&names, name, &shared);
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
