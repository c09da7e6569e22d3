/* value.h - the data that templates read: null, yes/no, number, string, list, object. Values live in an arena and
 * are never freed one by one. A failed addition is remembered by the arena, for value_check(). */
#ifndef DIGEST_VALUE_H
#define DIGEST_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "digest/arena.h"
#include "digest/error.h"
#include "digest/strbuf.h"

enum value_kind {
	VALUE_NULL, VALUE_BOOL, VALUE_NUMBER, VALUE_STRING, VALUE_LIST, VALUE_OBJECT,
	VALUE_READY	/* something drawn before, put in as it is; only whoever writes knows what it is */
};

struct value;

/* All constructors return NULL when memory is short; every function accepts NULL and then does nothing, but what a list
 * or object is given as NULL counts as missing. Strings are borrowed; a NULL string is memory that was short. */
struct value *value_null(struct arena *a);
struct value *value_object(struct arena *a);
struct value *value_list(struct arena *a);
struct value *value_string(struct arena *a, const char *text);
struct value *value_number(struct arena *a, int64_t n);
struct value *value_bool(struct arena *a, bool b);
struct value *value_ready(struct arena *a, const void *ready);

/* Where a string comes from: all but its first `before` bytes, and `after` at its end, are bytes start.. of a text of a paper. */
struct value_origin {
	unsigned char text;	/* an enum paper_text */
	size_t before, after;
	size_t start;
};
/* A string that remembers it, so that what was found there can be marked later; origin is copied. */
struct value *value_string_from(struct arena *a, const char *text, const struct value_origin *origin);

/* Members keep their order; a name set twice keeps the newer value. name is borrowed. */
void	value_set(struct arena *a, struct value *object, const char *name, struct value *v);
void	value_set_string(struct arena *a, struct value *object, const char *name, const char *text);
void	value_set_number(struct arena *a, struct value *object, const char *name, int64_t n);
void	value_set_bool(struct arena *a, struct value *object, const char *name, bool b);
void	value_append(struct arena *a, struct value *list, struct value *item);
/* A list of n items, each made by make(arg, i) when it is first asked for; nothing is appended to it. */
struct value *value_list_of(struct arena *a, size_t n, struct value *(*make)(void *arg, size_t i), void *arg);
/* The object has the members of another one too, behind its own. That one is made when one of them is first asked for. */
void	value_set_base(struct value *object, struct value *(*make)(void *arg), void *arg);

/* The one check for all additions: 0, or -1 with ERR_NOMEM when anything was missing for a value in a since its last reset. */
int	value_check(const struct arena *a, struct error *err);

/* A name to look up often, measured once; borrows text. */
struct value_name {
	uint64_t head;	/* its first bytes */
	const char *text;
	size_t len;
};
struct value_name value_name(const char *text, size_t len);

enum value_kind value_kind(const struct value *v);	/* NULL is VALUE_NULL */
const struct value *value_find(const struct value *object, const struct value_name *name);
const struct value *value_member(const struct value *object, const char *name, size_t len);
/* Members of an object in their order, those of its base not among them. */
size_t	value_member_count(const struct value *object);
const struct value *value_member_at(const struct value *object, size_t i, const char **name);
const struct value *value_base(const struct value *object);	/* NULL = has none */
size_t	value_count(const struct value *list);
const struct value *value_item(const struct value *list, size_t i);
/* What the items of such a list are made from; NULL when it is no list, or make is not what makes them. */
void	*value_list_source(const struct value *list, struct value *(*make)(void *arg, size_t i));
const char *value_text(const struct value *v);		/* of a string, else "" */
const struct value_origin *value_origin(const struct value *v);	/* of a string that has one, else NULL */
const void *value_ready_of(const struct value *v);	/* of something ready, else NULL */
int64_t	value_integer(const struct value *v);		/* of a number, else 0 */
/* What {{#x}} asks: not null, false, 0, "" or an empty list. */
bool	value_truth(const struct value *v);

/* The value as JSON on one line. */
void	value_add_json(struct strbuf *out, const struct value *v);

#endif
