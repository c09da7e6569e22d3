/* Any bytes as names, subject and body, split at NUL: the mail is made and its own line rules
 * hold. */
#include "digest/limits.h"
#include "digest/message.h"
#include "digest/qp.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = calloc(size + 4, 1); /* at least four texts, the last ones empty */
	const char *field[4];
	struct strbuf out, parts[2];
	struct error err;

	if (text == NULL)
		return 0;
	memcpy(text, data, size);
	field[0] = text;
	for (int i = 1; i < 4; i++)
		field[i] = field[i - 1] + strlen(field[i - 1]) + (field[i - 1] < text + size);
	const struct address a = { .name = field[0], .mailbox = "a@b.org" };
	for (int i = 0; i < 2; i++) {
		strbuf_init(&parts[i], 16 * MAX_MESSAGE_BYTES);
		qp_add_text(&parts[i], field[2 + i], strlen(field[2 + i]));
	}
	const struct message m = { .from = &a,
		.to = &a,
		.reply_to = &a,
		.subject = field[1],
		.list_id = "l.b.org",
		.list_name = field[1],
		.message_id = "<x@b.org>",
		.unsubscribe_mailto = "mailto:a@b.org",
		.unsubscribe_https = "",
		.help_url = "mailto:a@b.org",
		.archive_url = "https://b.org/",
		.is_answer = size % 2,
		.in_reply_to = "y@b.org",
		.text = parts[0].buf,
		.html = parts[1].buf };
	strbuf_init(&out, 16 * MAX_MESSAGE_BYTES);
	if (message_add(&out, &m, &err) == -1 && err.kind != ERR_NOMEM)
		abort();
	strbuf_release(&out);
	strbuf_release(&parts[0]);
	strbuf_release(&parts[1]);
	free(text);
	return 0;
}
