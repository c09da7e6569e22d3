#include "stages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* There are about 600 zones; a reader's name for one is short. */
enum { MAX_ZONES = 1024, MAX_ZONE_NAME = 64 };

struct zone {
	char name[MAX_ZONE_NAME];
	struct tz *tz; /* NULL = the system has none of that name, which was told */
};

struct zone_cache {
	struct zone zones[MAX_ZONES];
	size_t len;
};

int
zones_new(struct zone_cache **out, struct error *err)
{
	struct zone_cache *zones = calloc(1, sizeof(*zones));

	if (zones == NULL)
		return err_nomem(err, "time zones");
	*out = zones;
	return 0;
}

void
zones_free(struct zone_cache *zones)
{
	if (zones == NULL)
		return;
	for (size_t i = 0; i < zones->len; i++)
		tz_free(zones->zones[i].tz);
	free(zones);
}

static struct zone *
find_zone(struct zone_cache *zones, const char *name)
{
	for (size_t i = 0; i < zones->len; i++)
		if (strcmp(zones->zones[i].name, name) == 0)
			return &zones->zones[i];
	return NULL;
}

static void
add_zone(struct zone_cache *zones, const char *name, struct tz *tz)
{
	struct zone *z = &zones->zones[zones->len++];

	snprintf(z->name, sizeof(z->name), "%.*s", MAX_ZONE_NAME - 1, name);
	z->tz = tz;
}

const struct tz *
zones_get(struct zone_cache *zones, const char *name, struct error *err)
{
	struct zone *known = find_zone(zones, name);
	struct tz *tz;

	if (known != NULL && known->tz != NULL)
		return known->tz;
	if (zones->len == MAX_ZONES) {
		err_set(err, ERR_NOMEM, "more than %d different time zones", MAX_ZONES);
		return NULL;
	}
	if (tz_load(name, NULL, &tz, err) == -1)
		return NULL;
	if (known != NULL)
		known->tz = tz;
	else
		add_zone(zones, name, tz);
	return tz;
}

const struct tz *
zones_get_any(const struct run *run, const char *name, bool *stands_in, struct error *err)
{
	const char *names[] = { name[0] != '\0' ? name : run->zone, run->zone, "UTC" };
	const struct zone *known = find_zone(run->zones, names[0]);
	const struct tz *tz;
	struct error why = { 0 };

	*stands_in = known != NULL && known->tz == NULL;
	if (!*stands_in) {
		if ((tz = zones_get(run->zones, names[0], &why)) != NULL)
			return tz;
		if (why.kind == ERR_NOMEM || run->zones->len == MAX_ZONES) {
			if (err != NULL)
				*err = why;
			return NULL;
		}
		*stands_in = true;
	}
	for (size_t i = 1; i < sizeof(names) / sizeof(names[0]); i++) {
		if ((tz = zones_get(run->zones, names[i], err)) == NULL)
			continue;
		if (known == NULL) {
			log_error(
			    run->log, "%s; until it is there, %s stands in", why.msg, names[i]);
			add_zone(run->zones, names[0], NULL);
		}
		return tz;
	}
	return NULL;
}
