#include "run/routes.h"
#include "digest/limits.h"

#include <string.h>

int
routes_init(struct routes *r, const struct config *cfg, struct error *err)
{
	map_init(&r->lanes);
	if (cfg->nsmtps > MAX_ACCOUNTS)
		return err_set(err, ERR_CONFIG, "%zu smtp blocks; expected at most %u", cfg->nsmtps,
		    MAX_ACCOUNTS);
	for (size_t i = 0; i < cfg->nsmtps; i++) {
		const struct config_smtp *smtp = &cfg->smtps[i];

		for (size_t k = 0; k < smtp->ndomains; k++) {
			const char *domain = smtp->domains[k];
			uint64_t other;

			if (map_get(&r->lanes, domain, strlen(domain), &other))
				continue;
			if (map_set(&r->lanes, domain, strlen(domain), i) == -1) {
				routes_release(r);
				return err_nomem(err, "smtp domains");
			}
		}
	}
	return 0;
}

void
routes_release(struct routes *r)
{
	map_release(&r->lanes);
}

int
routes_find(const struct routes *r, const char *canonical)
{
	const char *at = strrchr(canonical, '@'), *dot;
	char pattern[MAX_DOMAIN + 3] = "*";
	uint64_t lane;

	if (at == NULL)
		return -1;
	if (map_get(&r->lanes, at + 1, strlen(at + 1), &lane))
		return (int)lane;
	/* "a.b.org": *.b.org, then *.org */
	for (dot = strchr(at, '.'); dot != NULL; dot = strchr(dot + 1, '.')) {
		size_t len = strlen(dot);

		if (len + 1 >= sizeof(pattern))
			continue;
		memcpy(pattern + 1, dot, len);
		if (map_get(&r->lanes, pattern, len + 1, &lane))
			return (int)lane;
	}
	return map_get(&r->lanes, "*", 1, &lane) ? (int)lane : -1;
}
