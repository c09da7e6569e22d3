#include "render/fill.h"

#include "digest/text.h"

#include <string.h>

enum { MAX_INDENT = 24 };

size_t
fill_indent(const char *line)
{
	size_t blanks = 0, digits = 0, len;

	while (line[blanks] == ' ')
		blanks++;
	len = blanks;
	while (line[blanks + digits] >= '0' && line[blanks + digits] <= '9')
		digits++;
	if ((line[blanks] == '-' || line[blanks] == '*') && line[blanks + 1] == ' ')
		len += 2;
	if (digits > 0 && digits < 8 && line[blanks + digits] == '.' &&
	    line[blanks + digits + 1] == ' ')
		len += digits + 1 + strspn(line + blanks + digits + 1, " ");
	return len <= MAX_INDENT ? len : 0;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\0';
}

size_t
fill_trimmed(const char *text, size_t len)
{
	while (len > 0 && is_blank(text[len - 1]))
		len--;
	return len;
}

/* No character is wider than it has bytes. */
bool
fill_fits(const char *line, size_t len, size_t width)
{
	return len <= width || text_width(line, len) <= width;
}

void
fill_add_line(struct strbuf *out, const char *line, size_t len, size_t indent, size_t width)
{
	char blanks[MAX_INDENT + 1];
	size_t start = out->len;

	memset(blanks, ' ', indent);
	blanks[indent] = '\0';
	text_add_wrapped(out, line + indent, len - indent, blanks, width);
	if (out->len - start > indent)
		memcpy(out->buf + start, line, indent);
}
