/* A query, a line break, and the text of a paper: evaluate, pick and highlight. */
#include <string.h>

#include "digest/match.h"
#include "digest/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct match_weights weights = { 1, 1, 1, 1 };
	const uint8_t *line = memchr(data, '\n', size);
	size_t len = line != NULL ? (size_t)(line - data) : size, n;
	const uint64_t all = 1;
	struct match_section s = { .limit = 5 };
	struct match_request r = { &s, 1, &all, &all, NULL, &all, 5, 5, NULL, 0, 0 };
	struct match_index *index = NULL;
	struct match_literals *literals = NULL;
	struct program *program = NULL;
	struct match_span *spans;
	struct strbuf text;
	struct paper *p;
	struct query *q;
	struct arena a;

	arena_init(&a, 64 << 20);
	strbuf_init(&text, 1 << 20);
	utf8_add_repaired(&text, (const char *)data + len, size - len);
	p = paper_new(&a);
	p->title = p->abstract = p->org = text.buf;
	if (query_parse((const char *)data, len, &a, &q, NULL, NULL) == 0 &&
	    match_literals_new(&literals, NULL) == 0 &&
	    match_compile(literals, q, &program, NULL) == 0 &&
	    match_index_new(&p, 1, 0, &weights, literals, &index, NULL) == 0) {
		s.program = program;
		if (match_run(index, &r, &a, NULL) == 0)
			match_find_spans(index, program, 0, FIELD_TITLE, &a, &spans, &n, NULL);
	}
	match_index_free(index);
	match_literals_free(literals);
	match_program_free(program);
	strbuf_release(&text);
	arena_release(&a);
	return 0;
}
