/* fields.h - what the readers of all sources do alike: clean text, checked links, lists with bounds. */
#ifndef DIGEST_SOURCE_FIELDS_H
#define DIGEST_SOURCE_FIELDS_H

#include <jansson.h>

#include "digest/arena.h"
#include "digest/paper.h"
#include "digest/source.h"

/* The reading of one answer. A failed allocation sticks, so that it is checked once. */
struct fields {
	struct arena *arena;
	size_t nreplaced;	/* invalid byte sequences so far */
	bool nomem;
};

/* Clean text: LaTeX to Unicode, control characters and hard wraps gone, at most max_bytes. "" when NULL. */
const char *field_text(struct fields *f, const char *text, size_t len, size_t max_bytes);
/* The same of a member; "" when it is missing. */
const char *field_member(struct fields *f, const json_t *object, const char *name, size_t max_bytes);
/* An http or https link without blanks or controls and not too long, else "". */
const char *field_url(struct fields *f, const char *url);
const char *field_url_member(struct fields *f, const json_t *object, const char *name);
/* The strings of an array, cleaned, empty ones left out, at most max. */
const char **field_list(struct fields *f, const json_t *array, size_t max, size_t *n);
/* Seconds since 1970 of a time in a member; 0 when it is missing or no time. */
int64_t	field_time(const json_t *object, const char *name);
/* A member that is a count; -1 when it is missing or negative. */
int64_t	field_count(const json_t *object, const char *name);

/* One more broken entry: the reason of the first is kept. */
void	batch_add_broken(struct source_batch *batch, const char *where, size_t n, const char *why);

/* ---- huggingface.c, lines.c, file.c ---- */

extern const struct source_type source_huggingface, source_file;

/* Read a saved answer of the service; day 0 = each entry says its own. */
int	huggingface_read(const char *bytes, size_t len, int32_t day, struct arena *a,
	    struct source_batch *out, struct error *err);

#endif
