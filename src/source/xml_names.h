/* xml_names.h - the names of one document: each kept once, prefixes apart, and the namespaces they stand for. */
#ifndef DIGEST_XML_NAMES_H
#define DIGEST_XML_NAMES_H

#include <stddef.h>

#include "digest/arena.h"
#include "digest/limits.h"
#include "digest/map.h"

/* One name as it is written, "dc:creator". */
struct xml_name {
	const char *text;
	const char *prefix; /* "" = none */
	const char *local;
	const char *
	    declares; /* of an attribute that declares a namespace: the prefix, "" = the one of none; else NULL */
	const char *ns; /* of an element of this name, as of age */
	size_t age;
};

struct xml_binding {
	const char *prefix; /* "" = elements without one */
	const char *ns;
};

enum { XML_RECENT_NAMES = 256 };

struct xml_names {
	struct arena arena;
	struct xml_name *recent[XML_RECENT_NAMES]; /* found last, by their first letters */
	struct map map;				   /* name as written to its place in list */
	struct xml_name *list;
	size_t n;
	struct xml_binding bindings[MAX_XML_BINDINGS]; /* in force, innermost last */
	size_t nbindings;
	size_t age; /* grows whenever a binding comes or goes */
};

/* -1 when memory is short. Release also after a failure. */
int xml_names_init(struct xml_names *names);
void xml_names_release(struct xml_names *names);

/* The record of a name; NULL when there are too many different ones, one is too long, or memory is short. */
struct xml_name *xml_names_find(struct xml_names *names, const char *name);

/* From here on prefix means the namespace at address. -1 when too many are in force, or as xml_names_find. */
int xml_names_bind(struct xml_names *names, const char *prefix, const char *address);
/* Back to the first nbindings. */
void xml_names_unbind(struct xml_names *names, size_t nbindings);

/* What the prefix of a name stands for now; for elements with one of none, what "xmlns" said. */
const char *xml_names_element_ns(struct xml_names *names, struct xml_name *name);
const char *xml_names_attribute_ns(const struct xml_names *names, const struct xml_name *name);

#endif
