#include "digest/value.h"

#include <string.h>

struct member {
	struct value_name name;
	struct value *value;
};

struct value {
	enum value_kind kind;
	union {
		bool yes;
		int64_t number;
		const void *ready;
		struct {
			const char *text;
			const struct value_origin *origin; /* NULL = nobody asks */
		} string;
		struct {
			struct value **items;
			size_t len, alloc;
			struct value *(*make)(void *arg, size_t i); /* NULL = they are made */
			void *make_arg;
			struct arena *a;
		} list;
		struct {
			struct member *members;
			size_t len, alloc;
			struct value *(*make_base)(void *arg); /* NULL = has none, or it is made */
			void *base_arg;
			struct value *base;
		} object;
	} u;
};

static struct value *
value_new(struct arena *a, enum value_kind kind)
{
	struct value *v = arena_zalloc(a, sizeof(*v));

	if (v != NULL)
		v->kind = kind;
	return v;
}

struct value *
value_null(struct arena *a)
{
	return value_new(a, VALUE_NULL);
}

struct value *
value_object(struct arena *a)
{
	return value_new(a, VALUE_OBJECT);
}

struct value *
value_list(struct arena *a)
{
	return value_new(a, VALUE_LIST);
}

struct value *
value_string(struct arena *a, const char *text)
{
	struct value *v = text != NULL ? value_new(a, VALUE_STRING) : NULL;

	if (v != NULL)
		v->u.string.text = text;
	return v;
}

struct value *
value_string_from(struct arena *a, const char *text, const struct value_origin *origin)
{
	struct value_origin *copy = arena_alloc(a, sizeof(*copy));
	struct value *v = copy != NULL ? value_string(a, text) : NULL;

	if (v != NULL) {
		*copy = *origin;
		v->u.string.origin = copy;
	}
	return v;
}

struct value *
value_ready(struct arena *a, const void *ready)
{
	struct value *v = ready != NULL ? value_new(a, VALUE_READY) : NULL;

	if (v != NULL)
		v->u.ready = ready;
	return v;
}

struct value *
value_number(struct arena *a, int64_t n)
{
	struct value *v = value_new(a, VALUE_NUMBER);

	if (v != NULL)
		v->u.number = n;
	return v;
}

struct value *
value_bool(struct arena *a, bool b)
{
	struct value *v = value_new(a, VALUE_BOOL);

	if (v != NULL)
		v->u.yes = b;
	return v;
}

struct value_name
value_name(const char *text, size_t len)
{
	struct value_name name = { .text = text, .len = len };

	memcpy(&name.head, text, len < sizeof(name.head) ? len : sizeof(name.head));
	return name;
}

/* Most names differ in their first bytes or have no more of them. */
static bool
is_name(const struct value_name *a, const struct value_name *b)
{
	return a->head == b->head && a->len == b->len &&
	    (a->len <= sizeof(a->head) || memcmp(a->text, b->text, a->len) == 0);
}

static struct member *
find_member(const struct value *object, const struct value_name *name)
{
	struct member *members = object->u.object.members;

	for (size_t i = 0; i < object->u.object.len; i++)
		if (is_name(&members[i].name, name))
			return &members[i];
	return NULL;
}

void
value_set(struct arena *a, struct value *object, const char *name, struct value *v)
{
	struct value_name key = value_name(name, strlen(name));
	struct member *m;

	if (object == NULL || object->kind != VALUE_OBJECT)
		return;
	if (v == NULL) {
		a->failed = true;
		return;
	}
	m = find_member(object, &key);
	if (m == NULL) {
		m = arena_grow(a, object->u.object.members, object->u.object.len,
		    &object->u.object.alloc, sizeof(*m));
		if (m == NULL)
			return;
		object->u.object.members = m;
		m += object->u.object.len++;
		m->name = key;
	}
	m->value = v;
}

void
value_set_string(struct arena *a, struct value *object, const char *name, const char *text)
{
	value_set(a, object, name, value_string(a, text));
}

void
value_set_number(struct arena *a, struct value *object, const char *name, int64_t n)
{
	value_set(a, object, name, value_number(a, n));
}

void
value_set_bool(struct arena *a, struct value *object, const char *name, bool b)
{
	value_set(a, object, name, value_bool(a, b));
}

void
value_append(struct arena *a, struct value *list, struct value *item)
{
	struct value **items;

	if (list == NULL || list->kind != VALUE_LIST || list->u.list.make != NULL)
		return;
	if (item == NULL) {
		a->failed = true;
		return;
	}
	items = arena_grow(
	    a, list->u.list.items, list->u.list.len, &list->u.list.alloc, sizeof(struct value *));
	if (items == NULL)
		return;
	list->u.list.items = items;
	items[list->u.list.len++] = item;
}

struct value *
value_list_of(struct arena *a, size_t n, struct value *(*make)(void *arg, size_t i), void *arg)
{
	struct value *v = value_list(a);

	if (v != NULL) {
		v->u.list.len = n;
		v->u.list.make = make;
		v->u.list.make_arg = arg;
		v->u.list.a = a;
	}
	return v;
}

void
value_set_base(struct value *object, struct value *(*make)(void *arg), void *arg)
{
	if (object == NULL || object->kind != VALUE_OBJECT)
		return;
	object->u.object.make_base = make;
	object->u.object.base_arg = arg;
}

/* One that memory was short for is none from then on; the arena knows. */
const struct value *
value_base(const struct value *object)
{
	struct value *o = (struct value *)(uintptr_t)object;

	if (value_kind(object) != VALUE_OBJECT)
		return NULL;
	if (o->u.object.make_base != NULL) {
		o->u.object.base = o->u.object.make_base(o->u.object.base_arg);
		o->u.object.make_base = NULL;
	}
	return o->u.object.base;
}

int
value_check(const struct arena *a, struct error *err)
{
	return a->failed ? err_nomem(err, "template data") : 0;
}

enum value_kind
value_kind(const struct value *v)
{
	return v == NULL ? VALUE_NULL : v->kind;
}

const struct value *
value_find(const struct value *object, const struct value_name *name)
{
	const struct member *m;

	if (value_kind(object) != VALUE_OBJECT)
		return NULL;
	m = find_member(object, name);
	return m != NULL ? m->value : value_find(value_base(object), name);
}

const struct value *
value_member(const struct value *object, const char *name, size_t len)
{
	struct value_name key = value_name(name, len);

	return value_find(object, &key);
}

size_t
value_member_count(const struct value *object)
{
	return value_kind(object) == VALUE_OBJECT ? object->u.object.len : 0;
}

const struct value *
value_member_at(const struct value *object, size_t i, const char **name)
{
	if (i >= value_member_count(object))
		return NULL;
	*name = object->u.object.members[i].name.text;
	return object->u.object.members[i].value;
}

size_t
value_count(const struct value *list)
{
	return value_kind(list) == VALUE_LIST ? list->u.list.len : 0;
}

const struct value *
value_item(const struct value *list, size_t i)
{
	struct value *l = (struct value *)(uintptr_t)list;

	if (i >= value_count(list))
		return NULL;
	if (l->u.list.items == NULL)
		l->u.list.items = arena_array(l->u.list.a, l->u.list.len, sizeof(struct value *));
	if (l->u.list.items == NULL)
		return NULL;
	if (l->u.list.items[i] == NULL && l->u.list.make != NULL)
		l->u.list.items[i] = l->u.list.make(l->u.list.make_arg, i);
	return l->u.list.items[i];
}

void *
value_list_source(const struct value *list, struct value *(*make)(void *arg, size_t i))
{
	return value_kind(list) == VALUE_LIST && make != NULL && list->u.list.make == make
	    ? list->u.list.make_arg
	    : NULL;
}

const char *
value_text(const struct value *v)
{
	return value_kind(v) == VALUE_STRING ? v->u.string.text : "";
}

const struct value_origin *
value_origin(const struct value *v)
{
	return value_kind(v) == VALUE_STRING ? v->u.string.origin : NULL;
}

const void *
value_ready_of(const struct value *v)
{
	return value_kind(v) == VALUE_READY ? v->u.ready : NULL;
}

int64_t
value_integer(const struct value *v)
{
	return value_kind(v) == VALUE_NUMBER ? v->u.number : 0;
}

bool
value_truth(const struct value *v)
{
	switch (value_kind(v)) {
	case VALUE_NULL:
		return false;
	case VALUE_BOOL:
		return v->u.yes;
	case VALUE_NUMBER:
		return v->u.number != 0;
	case VALUE_STRING:
		return v->u.string.text[0] != '\0';
	case VALUE_LIST:
		return v->u.list.len > 0;
	case VALUE_OBJECT:
	case VALUE_READY:
		return true;
	}
	return false;
}

static void
add_json_list(struct strbuf *out, const struct value *v)
{
	strbuf_addc(out, '[');
	for (size_t i = 0; i < v->u.list.len; i++) {
		if (i > 0)
			strbuf_addc(out, ',');
		value_add_json(out, value_item(v, i));
	}
	strbuf_addc(out, ']');
}

/* The members that are not in `over`, an object that has this one as its base. */
static size_t
add_json_members(struct strbuf *out, const struct value *v, const struct value *over, size_t n)
{
	const struct value *base = value_base(v);

	if (base != NULL)
		n = add_json_members(out, base, v, n);
	for (size_t i = 0; i < v->u.object.len; i++) {
		const struct member *m = &v->u.object.members[i];

		if (over != NULL && find_member(over, &m->name) != NULL)
			continue;
		if (n++ > 0)
			strbuf_addc(out, ',');
		strbuf_add_json(out, m->name.text);
		strbuf_addc(out, ':');
		value_add_json(out, m->value);
	}
	return n;
}

void
value_add_json(struct strbuf *out, const struct value *v)
{
	switch (value_kind(v)) {
	case VALUE_NULL:
		strbuf_add(out, "null");
		break;
	case VALUE_BOOL:
		strbuf_add(out, v->u.yes ? "true" : "false");
		break;
	case VALUE_NUMBER:
		strbuf_add_number(out, v->u.number);
		break;
	case VALUE_STRING:
		strbuf_add_json(out, v->u.string.text);
		break;
	case VALUE_LIST:
		add_json_list(out, v);
		break;
	case VALUE_OBJECT:
		strbuf_addc(out, '{');
		add_json_members(out, v, NULL, 0);
		strbuf_addc(out, '}');
		break;
	case VALUE_READY:
		strbuf_add(out, "null"); /* has no form but its own */
		break;
	}
}
