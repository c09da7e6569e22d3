#include "digest/error.h"
#include "digest/text.h"

#include <string.h>

/* Bytes of a line shown before and behind the place: a terminal's line and no more. */
enum { BYTES_BEFORE = 48, BYTES_BEHIND = 28 };

/* The start of the character that holds byte at. */
static size_t
character_start(const char *text, size_t at)
{
	while (at > 0 && ((unsigned char)text[at] & 0xc0) == 0x80)
		at--;
	return at;
}

void
text_add_caret(struct strbuf *out, const char *text, size_t offset)
{
	size_t len = strlen(text), start, end, width;
	char line[4 * (BYTES_BEFORE + BYTES_BEHIND) + 16], before[sizeof(line)];
	struct strbuf part;

	offset = character_start(text, offset < len ? offset : len);
	for (start = offset; start > 0 && text[start - 1] != '\n' && offset - start < BYTES_BEFORE;)
		start = character_start(text, start - 1);
	end = offset + strcspn(text + offset, "\n");
	if (end - offset > BYTES_BEHIND)
		end = character_start(text, offset + BYTES_BEHIND);
	strbuf_init(&part, sizeof(line));
	for (size_t i = start; i < end; i++)
		strbuf_addc(&part, text[i] == '\t' || text[i] == '\r' ? ' ' : text[i]);
	err_printable(line, sizeof(line), part.buf);
	strbuf_truncate(&part, offset - start);
	err_printable(before, sizeof(before), part.buf);
	width = text_width(before, strlen(before));
	strbuf_release(&part);
	strbuf_addf(out, "%s\n%*s^\n", line, (int)width, "");
}
