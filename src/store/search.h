/* search.h - the index of words over the papers, kept off the way of what is put: papers whose words changed are noted as due, and
 * store_update_search reads them again. */
#ifndef DIGEST_STORE_SEARCH_H
#define DIGEST_STORE_SEARCH_H

#include <stdbool.h>

#include "digest/paper.h"

/* Do both have the same words in what is indexed? */
bool	search_reads_same(const struct paper *a, const struct paper *b);

#endif
