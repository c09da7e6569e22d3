/* Any bytes as a query: it is refused with a place inside the text, or written back so that it reads the same. */
#include <stdlib.h>
#include <string.h>

#include "digest/query.h"
#include "digest/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct strbuf text, again;
	struct error err = { ERR_NONE, "" };
	size_t offset = 0;
	struct query *q;
	struct arena a;
	char *copy;

	arena_init(&a, 64 << 20);
	if ((copy = arena_strndup(&a, (const char *)data, size)) == NULL)
		abort();
	strbuf_init(&text, 1 << 20);
	strbuf_init(&again, 1 << 20);
	if (query_parse(copy, size, &a, &q, &offset, &err) == 0) {
		query_add_text(&text, q);
		if (query_parse(text.buf, text.len, &a, &q, &offset, &err) == 0)
			query_add_text(&again, q);
		/* Quotes and repeated fields make it longer: it may exceed the limit. */
		if (strcmp(text.buf, again.buf) != 0 && text.len < 16 * 1024)
			abort();
	} else if (offset > size || err.msg[0] == '\0') {
		abort();
	}
	text_add_caret(&text, copy, offset);
	strbuf_release(&again);
	strbuf_release(&text);
	arena_release(&a);
	return 0;
}
