#include "stages.h"
#include "digest/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	/* Words that no filter has any more stay until there are so many that a new start is cheaper. */
	SPARE_LITERALS = 100000,
	LITERALS_PER_READER = 20,
	MAX_LITERAL_BYTES = 2 * 1024 * 1024,
};

/* Programs of a reader that were compiled in this run. */
struct fresh {
	int64_t reader;
	size_t offset, len; /* in bytes */
};

struct programs {
	struct run *run;
	struct match_literals *literals;
	int64_t generation;  /* 0 = one is to be begun */
	size_t nsaved;	     /* literals that the store has */
	struct fresh *fresh; /* what it does not have yet */
	size_t nfresh, alloc;
	struct strbuf bytes;
	struct strbuf profile; /* programs of the reader at hand */
	char compiler[MATCH_COMPILER_SIZE + 2 * MESSAGE_HASH_BYTES + 2];
};

/* @names lead to shared filters: when one changes, programs do. */
static int
name_compiler(struct programs *p, struct error *err)
{
	const struct config *cfg = p->run->cfg;
	unsigned char hash[MESSAGE_HASH_BYTES];
	char name[MATCH_COMPILER_SIZE];
	struct strbuf texts;
	int n, rc;

	strbuf_init(&texts, MAX_CONFIG_BYTES);
	for (size_t i = 0; i < cfg->nshared; i++) {
		strbuf_addn(&texts, cfg->shared[i].name, strlen(cfg->shared[i].name) + 1);
		strbuf_addn(&texts, cfg->shared[i].match, strlen(cfg->shared[i].match) + 1);
	}
	if ((rc = strbuf_check(&texts, err)) == 0) {
		message_hash(texts.buf, texts.len, hash);
		match_compiler(name);
		n = snprintf(p->compiler, sizeof(p->compiler), "%s ", name);
		for (size_t i = 0; i < sizeof(hash); i++, n += 2)
			snprintf(p->compiler + n, sizeof(p->compiler) - (size_t)n, "%02x", hash[i]);
	}
	strbuf_release(&texts);
	return rc;
}

static int
take_literal(void *arg, const unsigned char *bytes, size_t len, struct error *err)
{
	struct programs *p = arg;

	return match_literal_unpack(p->literals, bytes, len, err);
}

/* What is stored can always be made again: whatever is wrong with it, a new generation cures. 1, 0 = to begin, -1. */
static int
load_literals(struct programs *p, struct error *err)
{
	size_t nreaders, most;

	if (store_find_generation(p->run->store, p->compiler, &p->generation, err) == -1 ||
	    store_count_readers(p->run->store, &nreaders, err) == -1)
		return -1;
	if (p->generation == 0)
		return 0;
	most = SPARE_LITERALS + nreaders * LITERALS_PER_READER;
	if (store_each_literal(p->run->store, take_literal, p, err) != 0)
		return err->kind == ERR_DATA ? 0 : -1;
	return match_literals_count(p->literals) <= most;
}

int
programs_new(struct run *run, struct programs **out, struct error *err)
{
	struct programs *p = calloc(1, sizeof(*p));
	int loaded = -1;

	if (p == NULL)
		return err_nomem(err, "filters");
	p->run = run;
	strbuf_init(&p->bytes, MAX_RUN_BYTES);
	strbuf_init(&p->profile, MAX_READER_BYTES);
	if (name_compiler(p, err) == 0 && match_literals_new(&p->literals, err) == 0)
		loaded = load_literals(p, err);
	if (loaded == 0) {
		match_literals_free(p->literals);
		p->literals = NULL;
		p->generation = 0;
		loaded = match_literals_new(&p->literals, err) == 0 ? 1 : -1;
	}
	if (loaded == -1) {
		programs_free(p);
		return -1;
	}
	p->nsaved = match_literals_count(p->literals);
	*out = p;
	return 0;
}

void
programs_free(struct programs *p)
{
	if (p == NULL)
		return;
	match_literals_free(p->literals);
	strbuf_release(&p->bytes);
	strbuf_release(&p->profile);
	free(p->fresh);
	free(p);
}

struct match_literals *
programs_literals(struct programs *p)
{
	return p->literals;
}

/* ---- numbers in front of bytes: base 128, the low digits first ---- */

static void
add_number(struct strbuf *out, uint64_t n)
{
	for (; n >= 0x80; n >>= 7)
		strbuf_addc(out, (char)(n | 0x80));
	strbuf_addc(out, (char)n);
}

static bool
take_number(const unsigned char **at, const unsigned char *end, uint64_t *out)
{
	*out = 0;
	for (unsigned shift = 0; *at < end && shift < 63; shift += 7) {
		unsigned char byte = *(*at)++;

		*out |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return true;
	}
	return false;
}

/* ---- compile and keep ---- */

static int
compile_filter(struct programs *p, const struct subscriber *reader, const struct filter *f,
    struct strbuf *out, struct arena *a, struct error *err)
{
	struct program *program;
	struct strbuf packed;
	struct query *q;
	int rc;

	if (queries_read(p->run->cfg, reader, f->name, f->match, a, &q, NULL, err) == -1)
		return err_prefix(err, "filter \"%s\"", f->name);
	if (match_compile(p->literals, q, &program, err) == -1)
		return -1;
	strbuf_init(&packed, MAX_LITERAL_BYTES);
	match_program_pack(program, &packed);
	match_program_free(program);
	add_number(out, packed.len);
	strbuf_addn(out, packed.buf, packed.len);
	rc = strbuf_check(&packed, err);
	strbuf_release(&packed);
	return rc;
}

/* Kept until programs_save(); when there is no memory for it, it is made again in the next run. */
static void
note_fresh(struct programs *p, int64_t reader)
{
	size_t offset = p->bytes.len;

	if (p->nfresh == p->alloc) {
		size_t alloc = p->alloc == 0 ? 64 : 2 * p->alloc;
		struct fresh *fresh = realloc(p->fresh, alloc * sizeof(*fresh));

		if (fresh == NULL)
			return;
		p->fresh = fresh;
		p->alloc = alloc;
	}
	strbuf_addn(&p->bytes, p->profile.buf, p->profile.len);
	if (p->bytes.state == STRBUF_OK)
		p->fresh[p->nfresh++] = (struct fresh){ reader, offset, p->profile.len };
}

/* All filters of a reader, as they are stored but for the generation. */
static int
compile_reader(
    struct programs *p, const struct subscriber *reader, struct arena *a, struct error *err)
{
	strbuf_reset(&p->profile);
	for (size_t i = 0; i < reader->nfilters; i++)
		if (compile_filter(p, reader, &reader->filters[i], &p->profile, a, err) == -1)
			return -1;
	if (strbuf_check(&p->profile, err) == -1)
		return -1;
	note_fresh(p, reader->id);
	return 0;
}

/* The programs of n filters out of their bytes: 0, or -1 when they are not what they should be. */
static int
read_programs(struct programs *p, const unsigned char *at, const unsigned char *end, size_t n,
    struct arena *a, struct program **out, struct error *err)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t len;

		if (!take_number(&at, end, &len) || len > (uint64_t)(end - at))
			return err_set(err, ERR_DATA, "a stored filter is damaged");
		if (match_program_unpack(p->literals, at, (size_t)len, a, &out[i], err) == -1)
			return -1;
		at += len;
	}
	return at == end ? 0 : err_set(err, ERR_DATA, "a stored filter is damaged");
}

int
programs_load(struct programs *p, const struct store_reader *reader, struct arena *a,
    struct program ***out, struct error *err)
{
	const unsigned char *at = reader->programs, *end = at + reader->programs_len;
	size_t n = reader->sub.nfilters;
	uint64_t generation;

	if ((*out = arena_array(a, n, sizeof(struct program *))) == NULL)
		return err_nomem(err, "filters");
	if (reader->programs_len > 0 && p->generation > 0 && take_number(&at, end, &generation) &&
	    generation == (uint64_t)p->generation) {
		if (read_programs(p, at, end, n, a, *out, err) == 0)
			return 0;
		if (err->kind != ERR_DATA)
			return -1;
	}
	if (compile_reader(p, &reader->sub, a, err) == -1)
		return -1;
	at = (const unsigned char *)p->profile.buf;
	return read_programs(p, at, at + p->profile.len, n, a, *out, err);
}

/* ---- save ---- */

static int
save_literals(struct programs *p, struct error *err)
{
	struct strbuf bytes;
	int rc = 0;

	strbuf_init(&bytes, MAX_LITERAL_BYTES);
	for (; p->nsaved < match_literals_count(p->literals) && rc == 0; p->nsaved += rc == 0) {
		strbuf_reset(&bytes);
		match_literal_pack(p->literals, p->nsaved, &bytes);
		if ((rc = strbuf_check(&bytes, err)) == 0)
			rc = store_add_literal(
			    p->run->store, (int64_t)p->nsaved, bytes.buf, bytes.len, err);
	}
	strbuf_release(&bytes);
	return rc;
}

int
programs_save(struct programs *p, struct error *err)
{
	int rc = 0;

	if (p->nfresh == 0)
		return 0;
	if (p->generation == 0 &&
	    store_new_generation(p->run->store, p->compiler, &p->generation, err) == -1)
		return -1;
	if (save_literals(p, err) == -1)
		return -1;
	for (size_t i = 0; i < p->nfresh && rc == 0; i++) {
		const struct fresh *f = &p->fresh[i];

		strbuf_reset(&p->profile);
		add_number(&p->profile, (uint64_t)p->generation);
		strbuf_addn(&p->profile, p->bytes.buf + f->offset, f->len);
		if ((rc = strbuf_check(&p->profile, err)) == 0)
			rc = store_put_programs(
			    p->run->store, f->reader, p->profile.buf, p->profile.len, err);
	}
	p->nfresh = 0;
	strbuf_reset(&p->bytes);
	return rc;
}
