#include "xml_names.h"

#include <string.h>
#include <strings.h>

/* Namespaces that sources use, by all their addresses, without scheme and what follows the last letter or digit. */
static const struct {
	const char *address, *ns;
} known[] = {
	{ "www.w3.org/2005/Atom", "atom" },
	{ "purl.org/atom/ns", "atom" },
	{ "www.w3.org/1999/02/22-rdf-syntax-ns", "rdf" },
	{ "purl.org/rss/1.0", "" },
	{ "my.netscape.com/rdf/simple/0.9", "" },
	{ "channel.netscape.com/rdf/simple/0.9", "" },
	{ "my.netscape.com/publish/formats/rss-0.91.dtd", "" },
	{ "backend.userland.com/rss2", "" },
	{ "backend.userland.com/rss", "" },
	{ "blogs.law.harvard.edu/tech/rss", "" },
	{ "cyber.law.harvard.edu/rss", "" },
	{ "purl.org/dc/elements/1.1", "dc" },
	{ "purl.org/dc/elements/1.0", "dc" },
	{ "purl.org/dc/terms", "dcterms" },
	{ "purl.org/rss/1.0/modules/content", "content" },
	{ "search.yahoo.com/mrss", "media" },
	{ "purl.org/rss/1.0/modules/prism", "prism" },
	{ "prismstandard.org/namespaces/1.2/basic", "prism" },
	{ "prismstandard.org/namespaces/basic/1.2", "prism" },
	{ "prismstandard.org/namespaces/basic/2.0", "prism" },
	{ "prismstandard.org/namespaces/basic/2.1", "prism" },
	{ "prismstandard.org/namespaces/basic/3.0", "prism" },
	{ "prismstandard.org/namespaces/2.0/basic", "prism" },
	{ "arxiv.org/schemas/atom", "arxiv" },
	{ "a9.com/-/spec/opensearch/1.1", "opensearch" },
	{ "a9.com/-/spec/opensearchrss/1.0", "opensearch" },
	{ "www.w3.org/1999/xhtml", "xhtml" },
	{ "www.w3.org/XML/1998/namespace", "xml" },
};

/* What a prefix means that nobody declared and that is not the short name itself. */
static const struct {
	const char *prefix, *ns;
} usual[] = {
	{ "a10", "atom" },
	{ "dct", "dcterms" },
	{ "html", "xhtml" },
	{ "rss", "" },
};

int
xml_names_init(struct xml_names *names)
{
	memset(names, 0, sizeof(*names));
	arena_init(&names->arena, MAX_XML_NAMES * (sizeof(struct xml_name) + MAX_XML_NAME));
	map_init(&names->map);
	names->list = arena_array(&names->arena, MAX_XML_NAMES, sizeof(*names->list));
	names->age = 1;
	return names->list != NULL ? 0 : -1;
}

void
xml_names_release(struct xml_names *names)
{
	map_release(&names->map);
	arena_release(&names->arena);
}

/* Most names of a feed differ in their first letters; the others are found a little later. */
static size_t
recent_place(const char *name)
{
	size_t place = 0;

	for (size_t i = 0; i < 4 && name[i] != '\0'; i++)
		place = place * 5 + (unsigned char)name[i];
	return place % XML_RECENT_NAMES;
}

static struct xml_name *
add_name(struct xml_names *names, const char *name, size_t len)
{
	struct xml_name *added = &names->list[names->n];
	char *copy, *colon;

	if (names->n == MAX_XML_NAMES || len > MAX_XML_NAME ||
	    (copy = arena_strndup(&names->arena, name, len)) == NULL)
		return NULL;
	*added = (struct xml_name){ .text = copy, .local = copy, .prefix = "" };
	colon = strchr(copy, ':');
	if (colon != NULL && colon != copy && colon[1] != '\0') {
		added->prefix = arena_strndup(&names->arena, copy, (size_t)(colon - copy));
		added->local = colon + 1;
	}
	if (added->prefix == NULL || map_set(&names->map, copy, len, names->n) == -1)
		return NULL;
	if (strcmp(added->prefix, "xmlns") == 0)
		added->declares = added->local;
	else if (strcmp(copy, "xmlns") == 0)
		added->declares = "";
	names->n++;
	return added;
}

struct xml_name *
xml_names_find(struct xml_names *names, const char *name)
{
	struct xml_name **recent = &names->recent[recent_place(name)], *found;
	size_t len;
	uint64_t at;

	if (*recent != NULL && strcmp((*recent)->text, name) == 0)
		return *recent;
	len = strlen(name);
	if (map_get(&names->map, name, len, &at))
		found = &names->list[at];
	else
		found = add_name(names, name, len);
	if (found != NULL)
		*recent = found;
	return found;
}

/* Addresses are written with http and https, with and without a last '/' or '#', and in any case. */
static const char *
find_known(const char *address)
{
	const char *at = address;
	size_t len;

	if (strncasecmp(at, "http://", 7) == 0)
		at += 7;
	else if (strncasecmp(at, "https://", 8) == 0)
		at += 8;
	len = strlen(at);
	while (len > 0 && strchr("/# ", at[len - 1]) != NULL)
		len--;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strlen(known[i].address) == len && strncasecmp(known[i].address, at, len) == 0)
			return known[i].ns;
	return NULL;
}

int
xml_names_bind(struct xml_names *names, const char *prefix, const char *address)
{
	const char *ns = find_known(address);

	if (names->nbindings == MAX_XML_BINDINGS)
		return -1;
	if (ns == NULL) {
		struct xml_name *kept = xml_names_find(names, address);

		if (kept == NULL)
			return -1;
		ns = kept->text;
	}
	names->bindings[names->nbindings++] = (struct xml_binding){ prefix, ns };
	names->age++;
	return 0;
}

void
xml_names_unbind(struct xml_names *names, size_t nbindings)
{
	if (names->nbindings != nbindings)
		names->age++;
	names->nbindings = nbindings;
}

static const char *
resolve(const struct xml_names *names, const char *prefix)
{
	for (size_t i = names->nbindings; i-- > 0;)
		if (strcmp(names->bindings[i].prefix, prefix) == 0)
			return names->bindings[i].ns;
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		if (strcasecmp(usual[i].prefix, prefix) == 0)
			return usual[i].ns;
	return prefix;
}

const char *
xml_names_element_ns(struct xml_names *names, struct xml_name *name)
{
	if (name->age != names->age) {
		name->ns = resolve(names, name->prefix);
		name->age = names->age;
	}
	return name->ns;
}

const char *
xml_names_attribute_ns(const struct xml_names *names, const struct xml_name *name)
{
	return name->prefix[0] == '\0' ? "" : resolve(names, name->prefix);
}
