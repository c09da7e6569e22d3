/* Any bytes as the answers of a server, in two pieces each: what is read is bounded, and only what was said. */
#include "mail/imap.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
count(void *arg, uint32_t uid)
{
	if (uid == 0 || ++*(size_t *)arg > IMAP_MAX_LINE)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct imap_reader *r = malloc(sizeof(*r));
	int rc = 0;

	imap_reader_init(r);
	for (size_t at = 0, used; at < size && rc != -1; at += used) {
		size_t left = size - at, nuids = 0;
		enum imap_status status;
		struct imap_fetch f;
		const char *rest;

		rc = imap_read(r, (const char *)data + at, left > 1 ? left / 2 : left, &used);
		if (used > left || (used == 0 && rc == 0) || r->literal.len > MAX_INCOMING_BYTES)
			abort();
		if (rc != 1 && rc != 2)
			continue;
		if (imap_classify(r->text, "D1", &status, &rest) == IMAP_DATA)
			imap_parse_search(rest, count, &nuids);
		imap_parse_fetch(r, &f);
	}
	imap_reader_release(r);
	free(r);
	return 0;
}
