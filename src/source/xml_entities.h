/* xml_entities.h - the named characters of HTML 4, less the four that XML has too. */
#ifndef DIGEST_XML_ENTITIES_H
#define DIGEST_XML_ENTITIES_H

#include <stddef.h>

/* The character that a name of len bytes means: "eacute" is 0xe9. 0 = no such name. */
unsigned xml_entity(const char *name, size_t len);

#endif
