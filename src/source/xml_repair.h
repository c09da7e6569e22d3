/* xml_repair.h - the pass before expat: what people get wrong in XML, put right on the way. */
#ifndef DIGEST_XML_REPAIR_H
#define DIGEST_XML_REPAIR_H

#include <stdbool.h>
#include <stddef.h>

/* Takes the next bytes of the repaired document. Returns 0, or -1 to stop. */
typedef int repair_sink(void *arg, const char *bytes, size_t len);

struct repair {
	const char *text; /* valid UTF-8 */
	size_t len;
	repair_sink *sink;
	void *arg;
	/* Private but for at and nrepaired. */
	size_t at;    /* how far it has been read */
	size_t start; /* of what has been read and not handed on */
	size_t nrepaired;
	bool stopped;
	const char *why; /* it stopped by itself; NULL = the sink did, or it is through */
};

/*
 * Hand on the text with a bare & and < as references, references to characters that XML does not allow and these
 * characters themselves dropped, HTML's named characters resolved, "]]>" in text made harmless. Comments, processing
 * instructions and the XML declaration are left out: nobody asked for them, and as single tokens of any length they would be
 * looked at again with every piece. CDATA sections keep all but forbidden characters.
 * Clean text is handed on as it stands, in pieces. A tag longer than MAX_XML_TAG stops.
 */
void xml_repair(struct repair *r);

#endif
