#include "render/fill.h"

#include "digest/limits.h"
#include "digest/text.h"

#include <stdbool.h>
#include <string.h>

enum { WIDTH = 72, MAX_INDENT = 24 };

/* Length of what a line begins with: blanks, and a dash, a star or a number with its full stop and the blanks behind it. */
static size_t
prefix_len(const char *line)
{
	size_t blanks = strspn(line, " "), digits = strspn(line + blanks, "0123456789");
	size_t len = blanks;

	if (strncmp(line + blanks, "- ", 2) == 0 || strncmp(line + blanks, "* ", 2) == 0)
		len += 2;
	if (digits > 0 && digits < 8 && line[blanks + digits] == '.' &&
	    line[blanks + digits + 1] == ' ')
		len += digits + 1 + strspn(line + blanks + digits + 1, " ");
	return len <= MAX_INDENT ? len : 0;
}

static void
fill_line(struct strbuf *out, const char *line, struct strbuf *wrapped)
{
	char indent[MAX_INDENT + 1];
	size_t n = prefix_len(line);

	memset(indent, ' ', n);
	indent[n] = '\0';
	strbuf_reset(wrapped);
	text_add_wrapped(wrapped, line + n, indent, WIDTH);
	if (wrapped->state != STRBUF_OK) {
		out->state = wrapped->state;
		return;
	}
	strbuf_addn(out, line, n);
	if (wrapped->len > n)
		strbuf_addn(out, wrapped->buf + n, wrapped->len - n);
}

void
fill_add_text(struct strbuf *out, const char *text)
{
	bool blank = true; /* the line before; none at the top */
	struct strbuf line, wrapped;

	strbuf_init(&line, MAX_RENDER_BYTES);
	strbuf_init(&wrapped, MAX_RENDER_BYTES);
	while (*text != '\0' && out->state == STRBUF_OK) {
		size_t len = strcspn(text, "\n"), used = len;

		while (used > 0 &&
		    (text[used - 1] == ' ' || text[used - 1] == '\t' || text[used - 1] == '\r'))
			used--;
		if (used > 0 || !blank) {
			strbuf_reset(&line);
			strbuf_addn(&line, text, used);
			if (line.state != STRBUF_OK)
				out->state = line.state;
			else if (text_width(line.buf, line.len) <= WIDTH)
				strbuf_addn(out, line.buf, line.len);
			else
				fill_line(out, line.buf, &wrapped);
			strbuf_addc(out, '\n');
		}
		blank = used == 0;
		text += len + (text[len] == '\n');
	}
	strbuf_release(&line);
	strbuf_release(&wrapped);
}
