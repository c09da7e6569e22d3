/* Any bytes as a token, and a token of ours with one letter changed: what verifies is, in either case, what we would sign. */
#include "digest/token.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static struct token_keys *keys;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	char path[] = "/tmp/fuzz_token.XXXXXX", line[TOKEN_KEY_BYTES * 2 + 3] = "7 ";
	int fd = mkstemp(path);

	(void)argc;
	(void)argv;
	memset(line + 2, 'a', sizeof(line) - 3);
	if (write(fd, line, sizeof(line) - 1) == -1 ||
	    token_key_load(path, false, &keys, NULL) == -1)
		abort();
	unlink(path);
	return close(fd);
}

/* How many purposes a text verifies for. */
static unsigned
verify(const char *text)
{
	unsigned n = 0;

	for (unsigned purpose = 0; purpose < 256; purpose++) {
		struct strbuf again;
		int64_t reader;
		uint32_t epoch;

		if (token_verify(keys, text, (enum token_purpose)purpose, &reader, &epoch) == 0)
			continue;
		n++;
		strbuf_init(&again, TOKEN_LEN);
		token_add(&again, keys, (enum token_purpose)purpose, reader, epoch);
		if (strcasecmp(again.buf, text) != 0)
			abort();
		strbuf_release(&again);
	}
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[2 * TOKEN_LEN] = "";
	struct strbuf token;
	int64_t reader;

	if (size < 12)
		return 0;
	memcpy(&reader, data, sizeof(reader));
	strbuf_init(&token, TOKEN_LEN);
	token_add(&token, keys, (enum token_purpose)data[8], reader, data[9]);
	memcpy(text, token.buf, TOKEN_LEN);
	text[data[10] % TOKEN_LEN] = (char)data[11];
	if (verify(text) != (strcasecmp(text, token.buf) == 0))
		abort();
	memset(text, 0, sizeof(text));
	memcpy(text, data, size < sizeof(text) ? size : sizeof(text) - 1);
	(void)verify(text);
	strbuf_release(&token);
	return 0;
}
