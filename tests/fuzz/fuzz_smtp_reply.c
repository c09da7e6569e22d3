/* Any bytes as the replies of a server, in two pieces: what is read is bounded and printable, and a refusal reads as one. */
#include "digest/incoming.h"
#include "mail/smtp.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct smtp_reader r = { 0 };
	struct smtp_caps caps = { 0 };
	struct incoming_recipient said;
	size_t at = 0, used = 0;
	char *text = malloc(size + 1);

	if (text == NULL)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	smtp_add_capability(&caps, text);
	incoming_judge_reply(text, &said);
	if (said.class == SMTP_CLASS_NONE || said.class >= NSMTP_CLASSES || said.reason[0] == '\0')
		abort();
	while (at < size) {
		size_t left = size - at, n = left > 1 ? left / 2 : left;
		struct smtp_reply reply;
		int rc = smtp_read_reply(&r, text + at, n, &used, &reply);

		if (used == 0 || used > n)
			abort();
		if (rc == -1)
			break;
		if (rc == 1 && (reply.code < 200 || reply.code > 599 || strlen(reply.text) < 4))
			abort();
		at += used;
	}
	free(text);
	return 0;
}
