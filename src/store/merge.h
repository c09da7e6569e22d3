/* merge.h - one paper out of what several sources say: whose word counts for which field, and who said what. Knows
 * nothing of SQL. */
#ifndef DIGEST_STORE_MERGE_H
#define DIGEST_STORE_MERGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "digest/arena.h"
#include "digest/error.h"
#include "digest/paper.h"
#include "digest/strbuf.h"

enum { MERGE_FIELDS = 24 };

/* Who delivered something: a source by its name in the configuration, and the version of the paper it spoke of. */
struct origin {
	const char *source;	/* "" = some source of this type: stores of the first schema step knew no more */
	const char *type;
	uint32_t version;	/* 0 = not told */
};

/* Whom each field of a paper is from, and what was said of its withdrawal. */
struct origins {
	struct origin of[MERGE_FIELDS];	/* by field; type "" = nobody */
	/* That a version was withdrawn, and the newest such word that named no version. */
	uint32_t withdrawn_version;
	int64_t withdrawn_utc, withdrawn_unversioned_utc;
};

/* All fields, in an order that is part of the packed form. */
const char *merge_field_name(size_t field);
/* Types of sources, the most trusted for this field first, NULL after the last; every other type comes behind them. */
const char *const *merge_field_order(size_t field);
/* Does the paper tell anything in this field? */
bool	merge_field_is_set(const struct paper *p, size_t field);

/* Nobody delivered anything. */
void	merge_start(struct origins *o);

/* Bits for those of a paper's signals that now come from somebody else. */
enum { MERGE_VOTES = 1, MERGE_COMMENTS = 2, MERGE_STARS = 4 };

/*
 * Take what p says into known, field by field. A field that is empty in known is filled; one that is not is
 * replaced when p's origin is trusted more for it, or speaks of a higher version at equal trust, or is the same source
 * (or another of the same service) with a correction. Version and update are the highest that anybody told.
 * Strings stay p's and those of by.
 * again	by has said something of the paper in this batch already, and keeps its first word
 * Returns the signals whose former teller was another source.
 */
unsigned merge_record(struct paper *known, struct origins *o, const struct paper *p, const struct origin *by,
	    bool again);
/* The same with all that was gathered about another paper, which turned out to be known; known keeps its own word where
 * both are trusted alike. Returns the signals that are the other's now. */
unsigned merge_paper(struct paper *known, struct origins *o, const struct paper *other,
	    const struct origins *theirs);

/* arXiv, else DOI, PMID, OpenReview; else the one it was known by first. */
void	merge_choose_key(struct paper *known, const struct paper *p);

void	merge_pack(struct strbuf *out, const struct origins *o);
/* Strings in a. ERR_DATA for bytes that merge_pack did not write. */
int	merge_unpack(const unsigned char *bytes, size_t len, struct arena *a, struct origins *out,
	    struct error *err);

#endif
