/* Programs and literals as bytes to keep. They are read again by the same compiler only, see match_compiler(), but the
 * bytes may be damaged: nothing that the evaluator relies on is taken from them unseen. */
#include "literals.h"
#include "program.h"
#include "digest/match.h"
#include "digest/strbuf.h"
#include "digest/text.h"

#include <stdio.h>
#include <string.h>

enum {
	/* Grows whenever a query would be compiled to another program or another key; a test knows what they hash to. */
	COMPILER_VERSION = 1,
	HAS_SIGNALS = 1,
	HAS_VERSIONS = 2,
};

void
match_compiler(char out[MATCH_COMPILER_SIZE])
{
	const uint16_t order = 1;

	snprintf(out, MATCH_COMPILER_SIZE, "%d unicode-%s %s%zu", COMPILER_VERSION,
	    text_unicode_version(), *(const unsigned char *)&order == 1 ? "le" : "be",
	    sizeof(size_t) * 8);
}

/* ---- literals ---- */

size_t
match_literals_count(const struct match_literals *literals)
{
	return literals->len;
}

/* Key and label; the length of the key in front, 32 bits, as in memory. */
void
match_literal_pack(const struct match_literals *literals, size_t number, struct strbuf *out)
{
	const struct literal_entry *e = &literals->entries[number];

	strbuf_addn(out, &e->key_len, sizeof(e->key_len));
	strbuf_addn(out, e->bytes, e->key_len + strlen(e->bytes + e->key_len) + 1);
}

int
match_literal_unpack(
    struct match_literals *literals, const unsigned char *bytes, size_t len, struct error *err)
{
	uint32_t key_len;

	if (len < sizeof(key_len) + 1 || bytes[len - 1] != '\0')
		return err_set(err, ERR_DATA, "a stored word of the filters is damaged");
	memcpy(&key_len, bytes, sizeof(key_len));
	bytes += sizeof(key_len);
	len -= sizeof(key_len);
	if (key_len >= len || memchr(bytes + key_len, '\0', len - key_len) != bytes + len - 1 ||
	    !literals_is_key((const char *)bytes, key_len))
		return err_set(err, ERR_DATA, "a stored word of the filters is damaged");
	return literals_add(literals, (const char *)bytes, key_len, len - 1, err);
}

/* ---- programs ---- */

void
match_program_pack(const struct program *program, struct strbuf *out)
{
	strbuf_addc(out,
	    (char)((program->reads_signals ? HAS_SIGNALS : 0) |
		(program->reads_versions ? HAS_VERSIONS : 0)));
	strbuf_addn(out, program->steps, program->len);
}

/* Walk the steps as the evaluator will: every one whole, every literal known, one bitmap left. 0 = they do not hold. */
static uint16_t
find_depth(const struct program *program, uint32_t nliterals)
{
	struct step_reader r = program_open(program);
	uint32_t depth = 0, most = 0;

	if (program->len == 0 || (r.end[-1] & 0x80u) != 0)
		return 0;
	while (r.at < r.end) {
		size_t bytes = 1;
		uint32_t step;

		while ((r.at[bytes - 1] & 0x80u) != 0)
			bytes++;
		if (bytes > 5)
			return 0;
		step = program_next(&r);
		if (step == STEP_AND || step == STEP_OR) {
			if (depth < 2)
				return 0;
			depth--;
		} else if (step == STEP_NOT) {
			if (depth < 1)
				return 0;
		} else {
			if (step >= STEP_LITERAL && step_literal(step) >= nliterals)
				return 0;
			depth++;
		}
		most = depth > most ? depth : most;
	}
	return depth == 1 && most <= UINT16_MAX ? (uint16_t)most : 0;
}

int
match_program_unpack(const struct match_literals *literals, const unsigned char *bytes, size_t len,
    struct arena *a, struct program **out, struct error *err)
{
	struct program *program;

	if (len < 1 || len > UINT32_MAX || (bytes[0] & ~(HAS_SIGNALS | HAS_VERSIONS)) != 0)
		return err_set(err, ERR_DATA, "a stored filter is damaged");
	if ((program = arena_alloc(a, sizeof(*program) + len)) == NULL)
		return err_nomem(err, "query");
	program->len = (uint32_t)len - 1;
	program->reads_signals = (bytes[0] & HAS_SIGNALS) != 0;
	program->reads_versions = (bytes[0] & HAS_VERSIONS) != 0;
	memcpy(program->steps, bytes + 1, len - 1);
	if ((program->max_stack = find_depth(program, literals->len)) == 0)
		return err_set(err, ERR_DATA, "a stored filter is damaged");
	*out = program;
	return 0;
}
