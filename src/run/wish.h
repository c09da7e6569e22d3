/* wish.h - from what is said of a reader to the reader. */
#ifndef DIGEST_RUN_WISH_H
#define DIGEST_RUN_WISH_H

#include "run/stages.h"

/*
 * Make the reader a wish describes.
 * known	the reader as the store has it, who goes on; NULL = a new one, made of the defaults
 * wrong	"address", the key, "filter" or "use": what is wrong when it fails with ERR_DATA
 * *out lives in a and borrows from the wish and from known.
 */
int	wish_read(struct run *run, const struct run_wish *wish, const struct address *addr,
	    const struct store_reader *known, struct arena *a, struct subscriber *out, const char **wrong, struct error *err);

/* Append what changed: "name, filter mine". */
void	wish_add_changes(struct strbuf *out, const struct subscriber *before, const struct subscriber *after);

/*
 * Inside a transaction: put the reader of a wish into the store. As run_subscribe().
 * addr		of wish->address
 */
int	wish_put(struct run *run, const struct run_wish *wish, const struct address *addr, struct arena *a,
	    enum run_taken *taken, struct strbuf *changes, const char **wrong, struct error *err);

#endif
