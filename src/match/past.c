#include "index.h"

#include <stdlib.h>

/* One literal as it was for one paper: conditions from the record of that time, all else as it stands in the index. */
static int
held_literal(const struct match_index *index, uint32_t number, uint32_t paper,
    const struct paper *then, int64_t then_utc, struct arena *a, bool *out, struct error *err)
{
	struct literal_spec spec;

	if (literals_read(index->literals, number, a, &spec, err) == -1)
		return -1;
	*out = spec.op == QUERY_CONDITION ? check_paper(&spec, then, then_utc)
					  : literal_has(index->results[number], paper);
	return 0;
}

int
match_held(struct match_index *index, const struct program *program, uint32_t paper,
    const struct paper *then, int64_t then_utc, struct arena *a, bool *out, struct error *err)
{
	struct step_reader r = program_open(program);
	bool *stack = arena_array(a, program->max_stack, sizeof(*stack)), *top = stack;

	if (stack == NULL)
		return err_nomem(err, "index");
	if (match_prepare(index, program, err) == -1)
		return -1;
	while (r.at < r.end) {
		uint32_t step = program_next(&r);

		if (step == STEP_ALL || step == STEP_SENT) {
			*top++ = step == STEP_ALL; /* it was not sent then */
		} else if (step == STEP_NOT) {
			top[-1] = !top[-1];
		} else if (step == STEP_AND || step == STEP_OR) {
			top--;
			top[-1] = step == STEP_AND ? top[-1] && top[0] : top[-1] || top[0];
		} else {
			if (held_literal(index, step_literal(step), paper, then, then_utc, a, top,
				err) == -1)
				return -1;
			top++;
		}
	}
	*out = top > stack && stack[0];
	return 0;
}
