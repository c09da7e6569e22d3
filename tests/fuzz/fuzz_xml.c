/* Any bytes as XML of any charset: what reaches the handler is UTF-8, and elements begin and end in pairs. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "digest/utf8.h"
#include "source/xml.h"

static int
take_start(void *arg, const char *ns, const char *name, const struct xml_tag *tag)
{
	const char *value = xml_attribute(tag, "", "href");

	if (ns == NULL || !utf8_is_valid(name, strlen(name)) ||
	    (value != NULL && !utf8_is_valid(value, strlen(value))))
		abort();
	++*(size_t *)arg;
	return 0;
}

static int
take_end(void *arg, const char *ns, const char *name)
{
	if ((*(size_t *)arg)-- == 0 || ns == NULL || name == NULL)
		abort();
	return 0;
}

static int
take_text(void *arg, const char *text, size_t len)
{
	if (*(size_t *)arg == 0 || !utf8_is_valid(text, len))
		abort();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct xml_handler handler = { take_start, take_end, take_text };
	struct xml_report report;
	size_t depth = 0;
	char *copy = malloc(size + 1);

	if (copy == NULL)
		return 0;
	if (size > 0)
		memcpy(copy, data, size);
	copy[size] = '\0';
	if (xml_read(copy, size, "", &handler, &depth, &report, NULL) == 0 &&
	    report.fault[0] == '\0' && depth != 0)
		abort();
	free(copy);
	return 0;
}
