/* fields.h - what the readers of all sources do alike: JSON in, clean texts, checked links, keys, broken entries. */
#ifndef DIGEST_FIELDS_H
#define DIGEST_FIELDS_H

#include "digest/json.h"
#include "digest/source.h"

/* The reading of one answer. A failed allocation sticks and is checked once, at the end. */
struct fields {
	struct arena *arena;
	struct strbuf latex, clean;	/* scratch */
	size_t nreplaced;		/* invalid byte sequences so far */
	bool nomem;
};

void	fields_init(struct fields *f, struct arena *a);
void	fields_release(struct fields *f);

/*
 * One line of clean text of at most max_bytes, in the arena; "" for NULL. field_latex makes LaTeX Unicode first.
 * All getters give "" when memory is short; f->nomem tells.
 */
const char *field_plain(struct fields *f, const char *text, size_t len, size_t max_bytes);
const char *field_latex(struct fields *f, const char *text, size_t len, size_t max_bytes);
/* The same of a member of an object, "" when it is missing or no string. */
const char *field_member(struct fields *f, const json_t *object, const char *name, size_t max_bytes);

/*
 * A link, made safe to stand in a document: http or https, a host of plain ASCII without user name, what RFC 3986
 * does not allow percent-encoded. Anything else, and what would be longer than MAX_URL_BYTES, is "".
 */
const char *field_url(struct fields *f, const char *text);

/*
 * The key that an id, DOI or URL names (paper_add_key); the DOIs that arXiv gives out are keys of arXiv.
 * version (may be NULL) gets the version named, or 0.
 * NULL when text names none.
 */
const char *field_key(struct fields *f, const char *text, uint32_t *version);

/* A time of a service; 0 when it is missing or malformed. */
int64_t	field_time(const json_t *object, const char *name);
/* A count; -1 when it is missing, malformed or negative. */
int64_t	field_count(const json_t *object, const char *name);
/* The day, in UTC, of a moment. */
int32_t	field_day(int64_t utc);

/*
 * Refuse what cannot be JSON with a sentence a person understands: an empty answer, a page of HTML.
 * expected	"a JSON array of daily papers"
 * Returns 0, and in *start where the first byte that is no blank stands (after a byte order mark).
 */
int	fields_check_start(const char *bytes, size_t len, const char *expected, size_t *start,
	    struct error *err);

/* json_read(), after invalid UTF-8 became U+FFFD (counted): one bad byte must not cost a whole day. */
int	fields_read_json(struct fields *f, const char *bytes, size_t len, size_t max_bytes, json_t **out,
	    struct error *err);

/* One more entry is left out; the text of the first is kept. */
void	batch_add_broken(struct source_batch *batch, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));

#endif
