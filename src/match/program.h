/* program.h - a compiled query: steps of a stack machine over literals, a byte or a few each. Shared by the files of
 * src/match/. */
#ifndef DIGEST_MATCH_PROGRAM_H
#define DIGEST_MATCH_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>

/* Steps are numbers in base 128, the low digits first, the top bit set in all bytes but the last. From STEP_LITERAL on they
 * are STEP_LITERAL + 2 * (number of the literal) + (1 if it counts). */
enum step_code {
	STEP_ALL,	/* push every paper */
	STEP_SENT,	/* push what this reader was sent */
	STEP_AND,	/* of the two on top */
	STEP_OR,
	STEP_NOT,	/* of the top */
	STEP_LITERAL,	/* push the papers of a literal */
};

struct program {
	uint32_t len;		/* of steps */
	uint16_t max_stack;	/* bitmaps on the stack at most */
	bool reads_signals, reads_versions;
	unsigned char steps[];
};

/* Goes through the steps of a program. */
struct step_reader {
	const unsigned char *at, *end;
};

static inline struct step_reader
program_open(const struct program *program)
{
	return (struct step_reader){ program->steps, program->steps + program->len };
}

/* The next step; there must be one. */
static inline uint32_t
program_next(struct step_reader *r)
{
	uint32_t step = *r->at & 0x7fu;

	for (unsigned shift = 7; (*r->at++ & 0x80u) != 0; shift += 7)
		step |= (*r->at & 0x7fu) << shift;
	return step;
}

/* The literal of a step from STEP_LITERAL on. */
static inline uint32_t
step_literal(uint32_t step)
{
	return (step - STEP_LITERAL) / 2;
}

/* Whether it makes score and 'why': it stands under an even number of negations and is the first of its key. */
static inline bool
step_counts(uint32_t step)
{
	return (step - STEP_LITERAL) % 2 == 1;
}

#endif
