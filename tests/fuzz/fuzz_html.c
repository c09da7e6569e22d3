/* Any bytes as HTML: valid UTF-8 in, valid UTF-8 out. */
#include <stdint.h>
#include <stdlib.h>

#include "digest/text.h"
#include "digest/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct strbuf text, out, small;

	strbuf_init(&text, SIZE_MAX / 2);
	strbuf_init(&out, SIZE_MAX / 2);
	strbuf_init(&small, size / 2);
	utf8_add_repaired(&text, (const char *)data, size);
	text_add_html(&out, text.buf, text.len);
	if (!utf8_is_valid(out.buf, out.len))
		abort();
	text_add_html(&small, text.buf, text.len);
	strbuf_release(&small);
	strbuf_release(&out);
	strbuf_release(&text);
	return 0;
}
