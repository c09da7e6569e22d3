/* Any bytes as a file of words, as English and as a translation; then a text of it is filled in. */
#include <stdint.h>
#include <stdlib.h>

#include "render/strings.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const char base_text[] =
	    "lang = en\ndir = ltr\nplural = one\nthousands = ,\nvotes = {n} a | {n} b\n"
	    "months = a b c d e f g h i j k l\nweekdays = a b c d e f g\n"
	    "date = {weekday} {day} {month} {year}\n";
	const struct strings *base = NULL, *s = NULL;
	struct strbuf out;
	struct arena a;

	arena_init(&a, 1 << 22);
	strbuf_init(&out, 1 << 16);
	if (strings_parse(&a, "en", base_text, sizeof(base_text) - 1, NULL, NULL, &base, NULL) ==
		0 &&
	    strings_parse(&a, "xx", (const char *)bytes, len, base, NULL, &s, NULL) == 0) {
		strings_add_count(&out, s, "votes", (int64_t)len * 997, NULL);
		strings_add_date(&out, s, "date", (int32_t)len);
	}
	strbuf_release(&out);
	arena_release(&a);
	return 0;
}
