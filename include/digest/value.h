/* value.h - the data that templates read: null, yes/no, number, string, list, object. Values live in an arena and
 * are never freed one by one. A failed addition is remembered by the arena's owner through value_check(). */
#ifndef DIGEST_VALUE_H
#define DIGEST_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "digest/arena.h"
#include "digest/strbuf.h"

enum value_kind { VALUE_NULL, VALUE_BOOL, VALUE_NUMBER, VALUE_STRING, VALUE_LIST, VALUE_OBJECT };

struct value;

/* All constructors return NULL when memory is short; every function accepts NULL and then does nothing, so that a
 * tree is built without a check at each line and checked once. Strings are borrowed. */
struct value *value_object(struct arena *a);
struct value *value_list(struct arena *a);
struct value *value_string(struct arena *a, const char *text);
struct value *value_number(struct arena *a, int64_t n);
struct value *value_bool(struct arena *a, bool b);

/* Members keep their order; a name set twice keeps the newer value. name is borrowed. */
void	value_set(struct arena *a, struct value *object, const char *name, struct value *v);
void	value_set_string(struct arena *a, struct value *object, const char *name, const char *text);
void	value_set_number(struct arena *a, struct value *object, const char *name, int64_t n);
void	value_set_bool(struct arena *a, struct value *object, const char *name, bool b);
void	value_append(struct arena *a, struct value *list, struct value *item);

enum value_kind value_kind(const struct value *v);	/* NULL is VALUE_NULL */
const struct value *value_member(const struct value *object, const char *name, size_t len);
size_t	value_count(const struct value *list);
const struct value *value_item(const struct value *list, size_t i);
const char *value_text(const struct value *v);		/* of a string, else "" */
int64_t	value_integer(const struct value *v);		/* of a number, else 0 */
/* What {{#x}} asks: not null, false, 0, "" or an empty list. */
bool	value_truth(const struct value *v);

/* The value as JSON on one line. */
void	value_add_json(struct strbuf *out, const struct value *v);

#endif
