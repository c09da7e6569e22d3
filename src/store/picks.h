/* picks.h - what an edition is about, as one blob: its days, its note, its picks and the filters it moved on. */
#ifndef DIGEST_STORE_PICKS_H
#define DIGEST_STORE_PICKS_H

#include <stddef.h>

#include "digest/arena.h"
#include "digest/error.h"
#include "digest/store.h"
#include "digest/strbuf.h"

void	picks_pack(struct strbuf *out, const struct edition *e);
/* Fills those members of e, which live in a. Fails with ERR_DATA. */
int	picks_unpack(const unsigned char *bytes, size_t len, struct arena *a, struct edition *e, struct error *err);

#endif
