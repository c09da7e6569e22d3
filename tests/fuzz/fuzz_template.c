/* Any bytes as a template, with itself as its partial. */
#include "digest/template.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static const struct template *
itself(void *arg, const char *name)
{
	return name[0] == 'a' ? arg : NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct template *t = NULL;
	struct strbuf out;
	struct arena a;
	struct value *data, *list;

	arena_init(&a, 1 << 20);
	strbuf_init(&out, 1 << 16);
	data = value_object(&a);
	list = value_list(&a);
	value_set_string(&a, data, "a", "<\r\n\">");
	value_set(&a, data, "b", list);
	value_append(&a, list, value_number(&a, 1));
	value_append(&a, list, data);
	if (template_compile("fuzz", (const char *)bytes, len,
		len % 2 == 0 ? TEMPLATE_HTML : TEMPLATE_HEADER, &t, NULL) == 0)
		template_render(t, data, itself, t, &out, NULL);
	template_free(t);
	strbuf_release(&out);
	arena_release(&a);
	return 0;
}
