#include "local.h"
#include "smtp.h"

#include <string.h>

const char *
local_copy(const struct delivery *mail, struct strbuf *out)
{
	const struct smtp_scan scan = smtp_scan_body(mail->bytes.buf, mail->bytes.len);
	const char *fault = smtp_find_fault(mail, &scan);
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
