#include "smtp.h"

#include <string.h>

enum { WIDTH = 16 };

/* Bytes that are looked at in one go; what is compared becomes 0xff where it is so, else 0. */
typedef unsigned char wide __attribute__((vector_size(WIDTH)));

static bool
is_any(wide flags)
{
	bool any = false;

	for (int i = 0; i < WIDTH; i++)
		any = any || flags[i] != 0;
	return any;
}

/* Each byte beside the one before it: by memchr for each CR and LF, of which a mail has hundreds, it took nearly twice as long. */
struct smtp_scan
smtp_scan_body(const char *bytes, size_t len)
{
	wide bad = { 0 }, dots = { 0 }, before, now;
	struct smtp_scan s = { 0 };
	char edge[1 + WIDTH];

	for (size_t at = 0; at < len; at += WIDTH) {
		size_t n = len - at < WIDTH ? len - at : WIDTH;

		if (at > 0 && n == WIDTH) {
			memcpy(&before, bytes + at - 1, WIDTH);
			memcpy(&now, bytes + at, WIDTH);
		} else {
			memset(edge, 'x', sizeof(edge));
			edge[0] = at > 0 ? bytes[at - 1] : '\n';
			memcpy(edge + 1, bytes + at, n);
			memcpy(&before, edge, WIDTH);
			memcpy(&now, edge + 1, WIDTH);
		}
		bad |= (wide)(now == 0) | (wide)((before == '\r') ^ (now == '\n'));
		dots |= (wide)((before == '\n') & (now == '.'));
	}
	s.clean = !is_any(bad) && (len == 0 || bytes[len - 1] != '\r');
	s.has_dots = is_any(dots);
	s.ends = len >= 2 && bytes[len - 2] == '\r' && bytes[len - 1] == '\n';
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

const char *
smtp_find_fault(const struct delivery *mail, const struct smtp_scan *scan)
{
	if (!smtp_is_mailbox(mail->to))
		return "the address is no mailbox";
	/* None is the null return path of RFC 5321 4.5.5, to which nothing comes back. */
	if (mail->sender[0] != '\0' && !smtp_is_mailbox(mail->sender))
		return "the sender's address is no mailbox";
	return scan->clean ? NULL : "the mail has a bare CR, a bare LF or a NUL";
}
