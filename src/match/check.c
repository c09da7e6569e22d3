#include "index.h"

#include <string.h>
#include <strings.h>

/* Days are counted in UTC; times before 1970 round down too. */
static int64_t
start_of_day(int64_t utc)
{
	int64_t rest = utc % 86400;

	return utc - rest - (rest < 0 ? 86400 : 0);
}

/* What a condition compares; false when the paper has no such thing and no comparison is true. */
static bool
measure(const struct paper *p, enum query_measure what, int64_t now_utc, int64_t *out)
{
	switch (what) {
	case MEASURE_VOTES:
		*out = p->votes > 0 ? p->votes : 0;
		return true;
	case MEASURE_COMMENTS:
		*out = p->comments > 0 ? p->comments : 0;
		return true;
	case MEASURE_STARS:
		*out = p->stars > 0 ? p->stars : 0;
		return true;
	case MEASURE_AUTHORS:
		*out = (int64_t)p->nauthors;
		return true;
	case MEASURE_RANK:
		*out = p->rank;
		return p->rank > 0;
	case MEASURE_AGE:
		*out = now_utc - p->published_utc;
		return p->published_utc != 0;
	case MEASURE_PUBLISHED:
		*out = start_of_day(p->published_utc);
		return p->published_utc != 0;
	}
	return false;
}

static bool
check_condition(const struct literal_spec *spec, const struct paper *p, int64_t now_utc)
{
	int64_t n;

	if (!measure(p, spec->measure, now_utc, &n))
		return false;
	switch (spec->compare) {
	case COMPARE_LT:
		return n < spec->number;
	case COMPARE_LE:
		return n <= spec->number;
	case COMPARE_EQ:
		return n == spec->number;
	case COMPARE_GE:
		return n >= spec->number;
	case COMPARE_GT:
		return n > spec->number;
	}
	return false;
}

static bool
is_replaced(const struct paper *p)
{
	return p->kind == PAPER_REPLACE || p->kind == PAPER_REPLACE_CROSS || p->version > 1;
}

static bool
check_property(const struct literal_spec *spec, const struct paper *p)
{
	switch (spec->property) {
	case HAS_CODE:
		return p->code_url[0] != '\0';
	case HAS_PROJECT:
		return p->project_url[0] != '\0';
	case HAS_MEDIA:
		return p->media_url[0] != '\0';
	case HAS_DOI:
		return p->doi[0] != '\0';
	case IS_NEW:
		return p->kind == PAPER_NEW;
	case IS_CROSS:
		return p->kind == PAPER_CROSS || p->kind == PAPER_REPLACE_CROSS;
	case IS_REPLACED:
		return is_replaced(p);
	case IS_WITHDRAWN:
		return p->withdrawn_utc != 0;
	case IS_SENT: /* of a reader, not of a paper */
		break;
	}
	return false;
}

bool
check_category(const struct literal_spec *spec, const char *category)
{
	const char *form = spec->words[0].form;
	size_t len = strlen(form);

	if (spec->kind == TERM_EXACT)
		return strcmp(category, form) == 0;
	if (strncasecmp(category, form, len) != 0)
		return false;
	return spec->kind == TERM_PREFIX || category[len] == '\0' ||
	    (category[len] == '.' && strchr(form, '.') == NULL);
}

static bool
check_categories(const struct literal_spec *spec, const struct paper *p)
{
	size_t n = p->ncategories;

	if (spec->field == FIELD_PRIMARY)
		n = p->primary_known && n > 0 ? 1 : 0;
	for (size_t i = 0; i < n; i++)
		if (check_category(spec, p->categories[i]))
			return true;
	return false;
}

static bool
check_id(const struct literal_spec *spec, const struct paper *p)
{
	const char *key = spec->words[0].form;

	if (strcasecmp(p->key, key) == 0)
		return true;
	for (size_t i = 0; i < p->naliases; i++)
		if (strcasecmp(p->aliases[i], key) == 0)
			return true;
	/* A DOI is an id even where the source did not name it as another key. */
	return strncmp(key, "doi:", 4) == 0 && strcasecmp(p->doi, key + 4) == 0;
}

bool
check_paper(const struct literal_spec *spec, const struct paper *p, int64_t now_utc)
{
	if (spec->op == QUERY_CONDITION)
		return check_condition(spec, p, now_utc);
	if (spec->op == QUERY_PROPERTY)
		return check_property(spec, p);
	if (spec->field == FIELD_ID)
		return check_id(spec, p);
	return check_categories(spec, p);
}
