/* header.h - what is kept of the header lines of one HTTP answer. */
#ifndef DIGEST_HEADER_H
#define DIGEST_HEADER_H

#include <stddef.h>

#include "digest/http.h"

/*
 * Take one header line (len bytes, line end included) into answer. A status line begins a new header block: what
 * an earlier one (a redirect, 100 Continue) said is forgotten. Unknown and broken lines are passed over.
 * next gets the link target as it was sent; whoever knows the base makes it absolute.
 */
void	header_read_line(struct http_answer *answer, const char *line, size_t len);

#endif
