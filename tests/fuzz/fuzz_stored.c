/* A literal as it is stored, behind the byte that says how long it is, and a program: take them in and evaluate. */
#include "digest/match.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct match_weights weights = { 1, 1, 1, 1 };
	size_t len = size > 0 && data[0] < size ? data[0] : 0;
	struct match_index *index = NULL;
	struct match_literals *literals = NULL;
	struct program *program;
	struct paper *p;
	struct arena a;
	uint64_t bits;

	arena_init(&a, 64 << 20);
	p = paper_new(&a);
	p->title = "Gaussian splatting and pre-training";
	if (size > 0 && match_literals_new(&literals, NULL) == 0 &&
	    match_literal_unpack(literals, data + 1, len, NULL) == 0 &&
	    match_program_unpack(literals, data + 1 + len, size - 1 - len, &a, &program, NULL) ==
		0 &&
	    match_index_new(&p, 1, 0, &weights, literals, &index, NULL) == 0)
		match_evaluate(index, program, NULL, &bits, NULL);
	match_index_free(index);
	match_literals_free(literals);
	arena_release(&a);
	return 0;
}
