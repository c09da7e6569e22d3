/* open.h - finding, checking, making and upgrading the database of a store. */
#ifndef DIGEST_STORE_OPEN_H
#define DIGEST_STORE_OPEN_H

#include "digest/error.h"

struct store;

/* Open store->path in store->mode; on failure the caller releases what was opened. */
int	open_store(struct store *store, struct error *err);

#endif
