#include "local.h"
#include "smtp.h"

#include <string.h>

static const char *
find_fault(const struct delivery *mail)
{
	if (!smtp_is_mailbox(mail->to))
		return "the address is no mailbox";
	if (!smtp_is_mailbox(mail->sender))
		return "the sender's address is no mailbox";
	if (!smtp_scan_body(mail->bytes.buf, mail->bytes.len).clean)
		return "the mail has a bare CR, a bare LF or a NUL";
	return NULL;
}

const char *
local_copy(const struct delivery *mail, struct strbuf *out)
{
	const char *fault = find_fault(mail);
	const char *line = mail->bytes.buf, *end = line + mail->bytes.len, *cr;

	if (fault != NULL)
		return fault;
	/* It is clean: after each CR stands an LF. */
	while ((cr = memchr(line, '\r', (size_t)(end - line))) != NULL) {
		strbuf_addn(out, line, (size_t)(cr - line));
		strbuf_addc(out, '\n');
		line = cr + 2;
	}
	strbuf_addn(out, line, (size_t)(end - line));
	return NULL;
}
