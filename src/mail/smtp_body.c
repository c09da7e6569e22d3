#include "smtp.h"

#include <string.h>

struct smtp_scan
smtp_scan_body(const char *bytes, size_t len)
{
	struct smtp_scan s = { .has_dots = len > 0 && bytes[0] == '.' };
	size_t ncr = 0, nlf = 0, nends = 0, ndots = 0;

	/* Counts instead of branches: the compiler makes a few vector instructions of it. */
	for (size_t i = 0; i < len; i++) {
		ncr += bytes[i] == '\r';
		nlf += bytes[i] == '\n';
	}
	for (size_t i = 1; i < len; i++) {
		nends += (bytes[i - 1] == '\r') & (bytes[i] == '\n');
		ndots += (bytes[i - 1] == '\n') & (bytes[i] == '.');
	}
	s.clean = ncr == nends && nlf == nends && memchr(bytes, '\0', len) == NULL;
	s.has_dots = s.has_dots || ndots > 0;
	s.ends = len >= 2 && bytes[len - 2] == '\r' && bytes[len - 1] == '\n';
	return s;
}

size_t
smtp_stuff_dots(bool *at_start, const char *bytes, size_t len, size_t *used, char *out, size_t room)
{
	const char *at = bytes, *end = bytes + len;
	size_t n = 0;

	while (at < end && n < room) {
		const char *lf;
		size_t step;

		if (*at_start && *at == '.') {
			/* The dot of the text follows as an ordinary byte; it may be in the next piece. */
			out[n++] = '.';
			*at_start = false;
			continue;
		}
		lf = memchr(at, '\n', (size_t)(end - at));
		step = (size_t)((lf != NULL ? lf + 1 : end) - at);
		if (step > room - n)
			step = room - n;
		memcpy(out + n, at, step);
		n += step;
		at += step;
		*at_start = at[-1] == '\n';
	}
	*used = (size_t)(at - bytes);
	return n;
}

bool
smtp_is_ascii(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text >= 0x80)
			return false;
	return true;
}

/* The address gate has seen it before; this is the last function before the wire. */
bool
smtp_is_mailbox(const char *mailbox)
{
	size_t len = strnlen(mailbox, MAX_ADDRESS_BYTES + 1);
	bool quoted = false;
	const char *at = NULL;

	if (len > MAX_ADDRESS_BYTES)
		return false;
	for (const char *p = mailbox; *p != '\0'; p++) {
		unsigned char c = (unsigned char)*p;

		if (c < ' ' || c == 0x7f || c == '<' || c == '>' || (c == ' ' && !quoted))
			return false;
		if (c == '"')
			quoted = !quoted;
		else if (c == '\\' && quoted && p[1] >= ' ' && p[1] < 0x7f && p[1] != '<' &&
		    p[1] != '>')
			p++;
		else if (c == '@' && !quoted)
			at = p;
	}
	return !quoted && at != NULL && at > mailbox && at[1] != '\0';
}
