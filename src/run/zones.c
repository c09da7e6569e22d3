#include "stages.h"

#include <stdlib.h>
#include <string.h>

/* There are about 600 zones; a reader's name for one is short. */
enum { MAX_ZONES = 1024 };

struct zone_cache {
	struct tz *zones[MAX_ZONES];
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
		tz_free(zones->zones[i]);
	free(zones);
}

const struct tz *
zones_get(struct zone_cache *zones, const char *name, struct error *err)
{
	struct tz *tz;

	for (size_t i = 0; i < zones->len; i++)
		if (strcmp(tz_name(zones->zones[i]), name) == 0)
			return zones->zones[i];
	if (zones->len == MAX_ZONES) {
		err_set(err, ERR_NOMEM, "more than %d different time zones", MAX_ZONES);
		return NULL;
	}
	if (tz_load(name, NULL, &tz, err) == -1)
		return NULL;
	zones->zones[zones->len++] = tz;
	return tz;
}
