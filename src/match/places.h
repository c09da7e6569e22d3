/* places.h - where words stand in papers, and how places of words become places of phrases. The
 * one implementation of what a phrase and a proximity group are, for the index and for
 * highlighting. */
#ifndef DIGEST_MATCH_PLACES_H
#define DIGEST_MATCH_PLACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "digest/error.h"

#include "literals.h"

struct place {
	uint32_t paper;
	uint32_t start, end;	/* positions; end is the first one behind */
};

struct place_list {
	struct place *items;
	size_t len, alloc;
};

void	places_init(struct place_list *list);
void	places_release(struct place_list *list);
int	places_add(struct place_list *list, struct place p, struct error *err);
/* By paper, then start, then end; none twice. */
int	places_sort(struct place_list *list, struct error *err);

/* How the form of a word is compared. */
enum word_sense {
	SENSE_NORMAL,	/* normal forms equal */
	SENSE_FOLDED,	/* folded forms equal */
	SENSE_PREFIX,	/* a folded form begins so */
	SENSE_EXACT,	/* spelled so, or with an s behind */
};

/* Appends where a word stands, in the order of places_sort(). */
typedef int places_of_word(void *arg, const char *form, enum word_sense sense,
    struct place_list *out, struct error *err);

/* The places of a whole text term, ascending, none twice. */
int	places_of_term(const struct literal_spec *spec, places_of_word *of_word, void *arg,
	    struct place_list *out, struct error *err);

#endif
