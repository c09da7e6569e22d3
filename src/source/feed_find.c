/* Where a page keeps its feed: <link rel="alternate" type="application/atom+xml" href="..."> (HTML, "Link type
 * alternate"). Only tags are looked at, in a page that may be broken in any way. */
#include "feed.h"
#include "digest/http.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { MAX_VALUE = 2048, MAX_HEAD = 512 * 1024 };

/* The value of an attribute of the tag between text and end; false when there is none or it is too long. */
static bool
attribute(const char *text, const char *end, const char *name, char out[MAX_VALUE])
{
	size_t len = strlen(name);

	for (const char *p = text; p + len < end; p++) {
		const char *v = p + len;
		char quote = 0;
		size_t n;

		if (!isspace((unsigned char)p[0]) || (size_t)(end - p) < len + 2 ||
		    strncasecmp(p + 1, name, len) != 0)
			continue;
		for (v++; v < end && isspace((unsigned char)*v);)
			v++;
		if (v == end || *v != '=')
			continue;
		for (v++; v < end && isspace((unsigned char)*v);)
			v++;
		if (v < end && (*v == '"' || *v == '\''))
			quote = *v++;
		for (n = 0; v + n < end &&
		     (quote != 0 ? v[n] != quote : !isspace((unsigned char)v[n]) && v[n] != '>');)
			n++;
		if (n >= MAX_VALUE)
			return false;
		memcpy(out, v, n);
		out[n] = '\0';
		return true;
	}
	return false;
}

/* "&amp;" is the one reference that addresses need. */
static void
unescape(char *url)
{
	char *to = url;

	for (const char *from = url; *from != '\0'; from++) {
		*to++ = *from;
		if (strncmp(from, "&amp;", 5) == 0)
			from += 4;
	}
	*to = '\0';
}

static bool
is_feed(const char *tag, const char *end)
{
	static const char *const types[] = { "application/rss+xml", "application/atom+xml",
		"application/feed+json", "application/rdf+xml", NULL };
	char value[MAX_VALUE];

	if (!attribute(tag, end, "rel", value) || strcasestr(value, "alternate") == NULL ||
	    !attribute(tag, end, "type", value))
		return false;
	for (size_t i = 0; types[i] != NULL; i++)
		if (strncasecmp(value, types[i], strlen(types[i])) == 0)
			return true;
	return false;
}

const char *
feed_find_link(const char *page, size_t len, const char *url, struct arena *a)
{
	const char *end = page + (len < MAX_HEAD ? len : MAX_HEAD);

	for (const char *p = page; p + 6 < end; p++) {
		const char *close;
		char href[MAX_VALUE], found[MAX_URL_BYTES + 1];

		if (*p != '<' || strncasecmp(p, "<link", 5) != 0)
			continue;
		if ((close = memchr(p, '>', (size_t)(end - p))) == NULL)
			return NULL;
		if (!is_feed(p + 5, close) || !attribute(p + 5, close, "href", href))
			continue;
		unescape(href);
		if (http_resolve(url, href, found, sizeof(found)) && strcmp(found, url) != 0)
			return arena_strdup(a, found);
	}
	return NULL;
}
