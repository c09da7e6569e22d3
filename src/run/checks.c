#include "stages.h"

#include <string.h>

/* Scratch for one check; nothing of it is kept. */
enum { MAX_CHECK_BYTES = 16 * 1024 * 1024 };

static int
check_address(
    const char *text, struct arena *a, const char **canonical, size_t *offset, struct error *err)
{
	struct address addr;
	unsigned column = 1;

	if (address_parse(text, a, &addr, &column, err) == -1) {
		*offset = column > 0 ? column - 1 : 0;
		return -1;
	}
	*canonical = addr.canonical;
	return 0;
}

static int
check_query(const char *text, size_t *offset, struct error *err)
{
	struct arena a;
	struct query *q;
	int rc;

	arena_init(&a, MAX_CHECK_BYTES);
	rc = query_parse(text, strlen(text), &a, &q, offset, err);
	arena_release(&a);
	return rc;
}

/* The arena of a query of MAX_QUERY_TERMS terms. */
enum { MAX_NAMES_BYTES = 64 * 1024 * 1024 };

static int
check_names(const struct config *cfg, const struct subscriber *reader, const struct filter *f,
    size_t *offset, struct error *err)
{
	const char *self = reader != NULL ? f->name : "";
	struct arena a;
	struct query *q;
	int rc = 0;

	arena_init(&a, MAX_NAMES_BYTES);
	/* What cannot be read has been complained of. */
	if (query_parse(f->match, strlen(f->match), &a, &q, NULL, err) == 0)
		rc = queries_read(cfg, reader, self, f->match, &a, &q, offset, err);
	arena_release(&a);
	return rc;
}

static int
check_schedule(const char *text, size_t *offset, struct error *err)
{
	struct schedule s;

	return schedule_parse(text, &s, offset, err);
}

static int
check_timezone(const char *name, struct error *err)
{
	struct tz *tz = NULL;
	int rc = tz_load(name, NULL, &tz, err);

	tz_free(tz);
	return rc;
}

static int
check_source_type(const char *name, struct error *err)
{
	return source_type_find(name, err) != NULL ? 0 : -1;
}

static int
check_request_gap(const char *type, int64_t gap_s, struct error *err)
{
	const struct source_type *t = source_type_find(type, err);

	if (t == NULL)
		return -1;
	if (t->request_gap_ms == 0)
		return err_set(err, ERR_CONFIG,
		    "request-gap says nothing for type %s, which asks no service; remove it", type);
	if (gap_s * 1000 >= t->request_gap_ms)
		return 0;
	return err_set(err, ERR_CONFIG,
	    "request-gap = %llds is less than the service of type %s asks for; expected %llds or "
	    "more, or a url of your own",
	    (long long)gap_s, type, (long long)(t->request_gap_ms + 999) / 1000);
}

const struct config_checks run_config_checks = {
	.address = check_address,
	.query = check_query,
	.schedule = check_schedule,
	.timezone = check_timezone,
	.source_type = check_source_type,
	.request_gap = check_request_gap,
	.names = check_names,
};
