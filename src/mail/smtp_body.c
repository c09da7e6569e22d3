#include "smtp.h"

#include <string.h>

struct smtp_scan
smtp_scan_body(const char *bytes, size_t len)
{
	struct smtp_scan s = { .clean = memchr(bytes, '\0', len) == NULL };
	const char *line = bytes, *end = bytes + len;

	/* Two looks at each line by memchr are far cheaper than one at each byte. */
	while (line < end && s.clean) {
		const char *cr = memchr(line, '\r', (size_t)(end - line));
		const char *stop = cr != NULL ? cr : end;

		s.has_dots = s.has_dots || *line == '.';
		s.ends = cr != NULL && cr + 1 < end && cr[1] == '\n';
		s.clean =
		    (cr == NULL || s.ends) && memchr(line, '\n', (size_t)(stop - line)) == NULL;
		line = cr != NULL ? cr + 2 : end;
	}
	return s;
}

void
smtp_stuff_dots(const char *bytes, size_t len, struct strbuf *out)
{
	const char *line = bytes, *end = bytes + len;

	while (line < end) {
		const char *lf = memchr(line, '\n', (size_t)(end - line));
		const char *next = lf != NULL ? lf + 1 : end;

		if (*line == '.')
			strbuf_addc(out, '.');
		strbuf_addn(out, line, (size_t)(next - line));
		line = next;
	}
}

bool
smtp_is_ascii(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text >= 0x80)
			return false;
	return true;
}

static bool
is_harmless(char c)
{
	return (unsigned char)c >= ' ' && c != 0x7f && c != '<' && c != '>';
}

/* The address gate has seen it before; this is the last function before the wire. */
bool
smtp_is_mailbox(const char *mailbox)
{
	bool quoted = false;
	const char *at = NULL;

	if (strnlen(mailbox, MAX_ADDRESS_BYTES + 1) > MAX_ADDRESS_BYTES)
		return false;
	for (const char *p = mailbox; *p != '\0'; p++) {
		if (!is_harmless(*p) || (*p == ' ' && !quoted))
			return false;
		if (*p == '"')
			quoted = !quoted;
		else if (*p == '\\' && quoted && is_harmless(p[1]))
			p++;
		else if (*p == '@' && !quoted)
			at = p;
	}
	return !quoted && at != NULL && at > mailbox && at[1] != '\0';
}
