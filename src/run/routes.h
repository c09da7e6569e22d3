/* routes.h - which account mails a reader: by the domain of the address. */
#ifndef DIGEST_RUN_ROUTES_H
#define DIGEST_RUN_ROUTES_H

#include "digest/config.h"
#include "digest/map.h"

/* Borrows the configuration. */
struct routes {
	struct map lanes;	/* "example.org", "*.example.org", "*" to the number of the smtp block */
};

/* Fails with ERR_NOMEM, or ERR_CONFIG for more than MAX_ACCOUNTS. */
int	routes_init(struct routes *r, const struct config *cfg, struct error *err);
void	routes_release(struct routes *r);
/*
 * The number of the smtp block that takes an address, or -1. The domain itself goes before a "*." above it, a longer one of
 * these before a shorter, "*" comes last; of two blocks that name the same the first in the file.
 * canonical	its domain is in lower case and A-labels, as are those of the configuration
 */
int	routes_find(const struct routes *r, const char *canonical);

#endif
