/* spans.h - where the words of a term stand in one text. Shared by the files of src/match/. */
#ifndef DIGEST_MATCH_SPANS_H
#define DIGEST_MATCH_SPANS_H

#include "index.h"

struct span_list {
	struct match_span *items;	/* from malloc */
	size_t len, alloc;
};

/* Append the places of a text term, whatever its field, in no order. */
int	spans_of_term(const struct literal_spec *spec, const char *text, struct span_list *out,
	    struct error *err);

#endif
