/*
 * xml.h - XML of any quality in, events out: feeds and the answers of services, streamed through expat.
 * Any charset is decoded; what people get wrong is repaired (a bare & or <, characters that XML forbids, entities of HTML,
 * prefixes that nobody declared, blanks before the first tag, rubbish after the last); nothing outside is ever fetched.
 * Time is linear in the length, memory does not depend on it when the bytes are clean UTF-8.
 */
#ifndef DIGEST_XML_H
#define DIGEST_XML_H

#include <stddef.h>

#include "digest/error.h"

/* The start of an element, for xml_attribute; lives until start returns. */
struct xml_tag;

/*
 * What happens, in order. All strings are UTF-8 and borrowed until the call returns, but ns and name of the same element
 * are the same pointers at its start and end.
 * ns	the namespace: of a known one its short name, whichever of its addresses is used: "atom" (1.0 and 0.3), "rdf", "dc",
 *	"dcterms", "content", "media", "prism", "arxiv", "opensearch", "xhtml", "xml"; of another one its address; "" for
 *	none and for those of RSS 0.9 to 2.0. A prefix without a declaration means what it usually does, else its own name
 * name	without prefix
 * Each returns 0, or 1 to read no further.
 */
struct xml_handler {
	int (*start)(void *arg, const char *ns, const char *name, const struct xml_tag *tag);
	int (*end)(void *arg, const char *ns, const char *name);
	int (*text)(void *arg, const char *text, size_t len); /* in pieces, CDATA like other text */
};

/* The value of an attribute, NULL when there is none. ns as above; "" for the usual one without a prefix. */
const char *xml_attribute(const struct xml_tag *tag, const char *ns, const char *name);

struct xml_report {
	const char *charset; /* the bytes were in: "UTF-8", "windows-1252" ... */
	size_t nreplaced;    /* byte sequences that became U+FFFD */
	size_t
	    nrepaired; /* other repairs: bare & and <, forbidden characters, references to nothing */
	char fault
	    [256]; /* the document breaks off: "line 12, column 7: mismatched tag"; "" = it is whole */
};

/*
 * Read one document. Whatever comes before a fault has reached the handler; elements that are open there get no end.
 * content_type	as the service named it, "" = not told; its charset goes before the document's own declaration
 * Lines and columns begin at 1 and count bytes of the text as UTF-8.
 * Returns 0, also with a fault; -1 with ERR_DATA and the place when not even one element begins, ERR_NOMEM.
 */
int xml_read(const char *bytes, size_t len, const char *content_type,
    const struct xml_handler *handler, void *arg, struct xml_report *report, struct error *err);

#endif
