#include "program.h"

#include "digest/map.h"
#include "digest/match.h"
#include "digest/strbuf.h"

#include <stdlib.h>
#include <string.h>

/* Beyond the terms of a query each needs at most two steps; keys and labels are a few times its
 * text. */
enum { MAX_POOL_BYTES = 64 * 1024 * 1024, MAX_STEPS_BYTES = 64 * 1024 * 1024 };

/* The numbers of a literal, as they stand at the beginning of its key. No padding: keys are
 * compared as bytes. */
struct key_head {
	int64_t number;
	uint32_t distance, nwords;
	uint8_t op, field, kind, measure, compare, property, unused[2];
};

struct compiler {
	struct strbuf steps, literals, pool;
	uint32_t nsteps, nliterals;
};

static void
add_step(struct compiler *c, enum step_code code, uint32_t argument)
{
	struct step s = { code, argument };

	strbuf_addn(&c->steps, &s, sizeof(s));
	c->nsteps++;
}

static void
add_key(struct strbuf *out, const struct query *q)
{
	struct key_head head;

	memset(&head, 0, sizeof(head));
	head.op = (uint8_t)q->op;
	head.number = q->number;
	head.distance = q->distance;
	head.nwords = (uint32_t)q->nwords;
	head.field = (uint8_t)q->field;
	head.kind = (uint8_t)q->kind;
	head.measure = (uint8_t)q->measure;
	head.compare = (uint8_t)q->compare;
	head.property = (uint8_t)q->property;
	strbuf_addn(out, &head, sizeof(head));
	for (size_t i = 0; i < q->nwords; i++) {
		const struct query_word *w = &q->words[i];

		strbuf_addn(out, &w->njoined, sizeof(w->njoined));
		strbuf_addn(out, w->form, strlen(w->form) + 1);
		strbuf_addn(out, w->joined, strlen(w->joined) + 1);
	}
}

/* What a reader sees: the words themselves where the field is the text, else the canonical form. */
static void
add_label(struct strbuf *out, const struct query *q)
{
	if (q->op == QUERY_TERM && (q->field <= FIELD_ABSTRACT || q->field == FIELD_KEYWORD)) {
		strbuf_add(out, q->text);
		if (q->kind == TERM_PREFIX)
			strbuf_addc(out, '*');
	} else {
		query_add_text(out, q);
	}
	strbuf_addc(out, '\0');
}

static void
compile_literal(struct compiler *c, const struct query *q, bool positive)
{
	struct literal_ref ref;

	memset(&ref, 0, sizeof(ref));
	ref.positive = positive;
	ref.key = (uint32_t)c->pool.len;
	add_key(&c->pool, q);
	ref.key_len = (uint32_t)c->pool.len - ref.key;
	ref.label = (uint32_t)c->pool.len;
	add_label(&c->pool, q);
	strbuf_addn(&c->literals, &ref, sizeof(ref));
	add_step(c, STEP_LITERAL, c->nliterals++);
}

/* Returns how many bitmaps are on the stack at most while q is worked out. */
static uint32_t
compile(struct compiler *c, const struct query *q, bool positive)
{
	uint32_t depth = 1;

	switch (q->op) {
	case QUERY_ALL:
		add_step(c, STEP_ALL, 0);
		break;
	case QUERY_NOT:
		depth = compile(c, q->children[0], !positive);
		add_step(c, STEP_NOT, 0);
		break;
	case QUERY_AND:
	case QUERY_OR:
		for (size_t i = 0; i < q->nchildren; i++) {
			uint32_t below = compile(c, q->children[i], positive) + (i > 0);

			depth = below > depth ? below : depth;
			if (i > 0)
				add_step(c, q->op == QUERY_AND ? STEP_AND : STEP_OR, 0);
		}
		break;
	case QUERY_PROPERTY:
		if (q->property == IS_SENT) {
			add_step(c, STEP_SENT, 0);
			break;
		}
		/* fall through */
	case QUERY_TERM:
	case QUERY_CONDITION:
		compile_literal(c, q, positive);
		break;
	case QUERY_NAMED: /* refused before */
		break;
	}
	return depth;
}

static bool
holds_name(const struct query *q)
{
	if (q->op == QUERY_NAMED)
		return true;
	for (size_t i = 0; i < q->nchildren; i++)
		if (holds_name(q->children[i]))
			return true;
	return false;
}

/* A literal that is asked for twice counts once. */
static int
mark_counting(struct literal_ref *literals, size_t n, const char *pool)
{
	struct map seen;
	uint64_t number;
	int rc = 0;

	if (n == 1)
		literals[0].counts = literals[0].positive;
	if (n < 2)
		return 0;
	map_init(&seen);
	for (size_t i = 0; i < n && rc == 0; i++) {
		struct literal_ref *l = &literals[i];

		if (!l->positive || map_get(&seen, pool + l->key, l->key_len, &number))
			continue;
		l->counts = true;
		rc = map_set(&seen, pool + l->key, l->key_len, i);
	}
	map_release(&seen);
	return rc;
}

/* One block of memory: the program, its steps, its literals, its pool. */
static struct program *
pack(const struct compiler *c)
{
	size_t steps_at = sizeof(struct program), literals_at = steps_at + c->steps.len;
	size_t pool_at = literals_at + c->literals.len;
	char *block = malloc(pool_at + c->pool.len);
	struct program *program = (struct program *)(void *)block;

	if (block == NULL)
		return NULL;
	memset(program, 0, sizeof(*program));
	if (c->steps.len > 0)
		memcpy(block + steps_at, c->steps.buf, c->steps.len);
	if (c->literals.len > 0)
		memcpy(block + literals_at, c->literals.buf, c->literals.len);
	if (c->pool.len > 0)
		memcpy(block + pool_at, c->pool.buf, c->pool.len);
	if (mark_counting((struct literal_ref *)(void *)(block + literals_at), c->nliterals,
		block + pool_at) == -1) {
		free(block);
		return NULL;
	}
	program->steps = (const struct step *)(const void *)(block + steps_at);
	program->literals = (const struct literal_ref *)(const void *)(block + literals_at);
	program->pool = block + pool_at;
	program->nsteps = c->nsteps;
	program->nliterals = c->nliterals;
	return program;
}

int
match_compile(const struct query *q, struct program **out, struct error *err)
{
	struct compiler c;
	struct program *program = NULL;
	uint32_t depth;
	int rc = -1;

	if (holds_name(q))
		return err_set(
		    err, ERR_BUG, "a query was compiled before its @names were expanded");
	memset(&c, 0, sizeof(c));
	strbuf_init(&c.steps, MAX_STEPS_BYTES);
	strbuf_init(&c.literals, MAX_STEPS_BYTES);
	strbuf_init(&c.pool, MAX_POOL_BYTES);
	depth = compile(&c, q, true);
	if (strbuf_check(&c.steps, err) == -1 || strbuf_check(&c.literals, err) == -1 ||
	    strbuf_check(&c.pool, err) == -1)
		goto out;
	if ((program = pack(&c)) == NULL) {
		err_nomem(err, "query");
		goto out;
	}
	program->max_stack = depth;
	program->reads_signals = query_reads_signals(q);
	program->reads_versions = query_reads_versions(q);
	*out = program;
	rc = 0;
out:
	strbuf_release(&c.pool);
	strbuf_release(&c.literals);
	strbuf_release(&c.steps);
	return rc;
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

int
program_read_literal(const struct program *program, const struct literal_ref *ref, struct arena *a,
    struct literal_spec *out, struct error *err)
{
	const char *at = program->pool + ref->key;
	struct query_word *words;
	struct key_head head;

	memcpy(&head, at, sizeof(head));
	at += sizeof(head);
	if ((words = arena_array(a, head.nwords, sizeof(*words))) == NULL)
		return err_nomem(err, "query");
	for (uint32_t i = 0; i < head.nwords; i++) {
		memcpy(&words[i].njoined, at, sizeof(words[i].njoined));
		words[i].form = at + sizeof(words[i].njoined);
		words[i].joined = words[i].form + strlen(words[i].form) + 1;
		at = words[i].joined + strlen(words[i].joined) + 1;
	}
	*out = (struct literal_spec){
		.op = (enum query_op)head.op,
		.field = (enum query_field)head.field,
		.kind = (enum query_term_kind)head.kind,
		.distance = head.distance,
		.measure = (enum query_measure)head.measure,
		.compare = (enum query_compare)head.compare,
		.property = (enum query_property)head.property,
		.number = head.number,
		.words = words,
		.nwords = head.nwords,
	};
	return 0;
}
