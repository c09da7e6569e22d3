/* Any bytes: repaired, cleaned, tokenised, cut, wrapped; offsets must stay inside and in order. */
#include <stdint.h>
#include <stdlib.h>

#include "digest/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct token_list list;
	struct strbuf text, out;
	uint32_t end = 0;
	size_t sentence;

	strbuf_init(&text, SIZE_MAX / 2);
	strbuf_init(&out, SIZE_MAX / 2);
	tokens_init(&list);
	text_add_clean(&text, (const char *)data, size, 2000);
	if (text.len > 2000 || tokens_add(&list, text.buf, text.len, 0, NULL) == -1)
		abort();
	for (size_t i = 0; i < list.len; i++) {
		char word[64];

		if (list.tokens[i].start < end || list.tokens[i].end <= list.tokens[i].start)
			abort();
		end = list.tokens[i].end;
		text_normal_word(token_form(&list, &list.tokens[i]), word, sizeof(word));
	}
	sentence = text_first_sentence(text.buf, text.len);
	if (end > text.len || sentence > text.len ||
	    text_cut(text.buf, text.len, size / 2, 20) > text.len)
		abort();
	text_add_wrapped(&out, text.buf, text.len, "  ", 20);
	tokens_release(&list);
	strbuf_release(&out);
	strbuf_release(&text);
	return 0;
}
