#include "program.h"

#include "digest/match.h"
#include "digest/strbuf.h"
#include "literals.h"

#include <stdlib.h>
#include <string.h>

/* Each of the terms of a query needs at most five bytes and two operators. */
enum { MAX_STEPS_BYTES = 1024 * 1024 };

struct compiler {
	struct match_literals *literals;
	struct strbuf steps;
	struct error *err;
};

static int
add_step(struct compiler *c, uint32_t step)
{
	for (; step >= 0x80; step >>= 7)
		strbuf_addc(&c->steps, (char)(step | 0x80));
	strbuf_addc(&c->steps, (char)step);
	return 0;
}

/* A literal that is asked for twice counts once. */
static int
compile_literal(struct compiler *c, const struct query *q, bool positive)
{
	struct match_literals *literals = c->literals;
	struct literal_entry *meaning;
	uint32_t number;
	bool counts;

	if (literals_intern(literals, q, &number, c->err) == -1)
		return -1;
	meaning = &literals->entries[literals->entries[number].meaning];
	counts = positive && meaning->stamp != literals->stamp;
	if (counts)
		meaning->stamp = literals->stamp;
	return add_step(c, STEP_LITERAL + 2 * number + counts);
}

static int compile(struct compiler *c, const struct query *q, bool positive, uint16_t *depth);

static int
compile_list(struct compiler *c, const struct query *q, bool positive, uint16_t *depth)
{
	*depth = 0;
	for (size_t i = 0; i < q->nchildren; i++) {
		uint16_t below;

		if (compile(c, q->children[i], positive, &below) == -1)
			return -1;
		below = (uint16_t)(below + (i > 0));
		*depth = below > *depth ? below : *depth;
		if (i > 0)
			add_step(c, q->op == QUERY_AND ? STEP_AND : STEP_OR);
	}
	return 0;
}

/* *depth = how many bitmaps are on the stack at most while q is worked out; trees are at most MAX_QUERY_DEPTH deep, and
 * what @names bring in adds up to a few times that. */
static int
compile(struct compiler *c, const struct query *q, bool positive, uint16_t *depth)
{
	*depth = 1;
	switch (q->op) {
	case QUERY_ALL:
		return add_step(c, STEP_ALL);
	case QUERY_NOT:
		if (compile(c, q->children[0], !positive, depth) == -1)
			return -1;
		return add_step(c, STEP_NOT);
	case QUERY_AND:
	case QUERY_OR:
		return compile_list(c, q, positive, depth);
	case QUERY_PROPERTY:
		if (q->property == IS_SENT)
			return add_step(c, STEP_SENT);
		return compile_literal(c, q, positive);
	case QUERY_TERM:
	case QUERY_CONDITION:
		return compile_literal(c, q, positive);
	case QUERY_NAMED:
		break;
	}
	return err_set(c->err, ERR_BUG, "a query was compiled before its @names were expanded");
}

int
match_compile(
    struct match_literals *literals, const struct query *q, struct program **out, struct error *err)
{
	struct compiler c = { .literals = literals, .err = err };
	struct program *program = NULL;
	uint16_t depth;

	strbuf_init(&c.steps, MAX_STEPS_BYTES);
	literals->stamp++;
	if (compile(&c, q, true, &depth) == 0 && strbuf_check(&c.steps, err) == 0 &&
	    (program = malloc(sizeof(*program) + c.steps.len)) == NULL)
		err_nomem(err, "query");
	if (program != NULL) {
		program->len = (uint32_t)c.steps.len;
		program->max_stack = depth;
		program->reads_signals = query_reads_signals(q);
		program->reads_versions = query_reads_versions(q);
		memcpy(program->steps, c.steps.buf, c.steps.len);
		*out = program;
	}
	strbuf_release(&c.steps);
	return program != NULL ? 0 : -1;
}

void
match_program_free(struct program *program)
{
	free(program);
}

bool
match_reads_signals(const struct program *program)
{
	return program->reads_signals;
}

bool
match_reads_versions(const struct program *program)
{
	return program->reads_versions;
}
