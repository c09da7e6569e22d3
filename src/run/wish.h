/* wish.h - from what is said of a reader to the reader. */
#ifndef DIGEST_RUN_WISH_H
#define DIGEST_RUN_WISH_H

#include "run/stages.h"

/*
 * Inside a transaction: put the reader of a wish into the store. As run_subscribe(), which says who must not be.
 * addr		of wish->address
 * wrong	"address", the key, "filter", "use" or "consent": what is wrong when it fails with ERR_DATA
 */
int	wish_put(struct run *run, const struct run_wish *wish, const struct address *addr, struct arena *a,
	    enum run_taken *taken, struct strbuf *changes, const char **wrong, struct error *err);

#endif
