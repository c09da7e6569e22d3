/* Compiled filters as bytes: the same answers after a way through the store, and none taken from damaged bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "digest/match.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *const queries[] = {
	"*",
	"nerf",
	"NeRF OR splatting",
	"\"gaussian splatting\" OR title:nerf*",
	"pre-training -(robot* AND votes>=30) NOT is:sent",
	"\"sparse attention\"~8 author:\"y lecun\" first-author:he org:mit",
	"=RAG cat:cs.* primary:cs.CL id:2312.00752 keyword:graph venue:neurips source:arxiv",
	"comments>5 stars>=100 authors<=3 rank<=5 age<7d published>=2026-01-01",
	"has:code OR is:replaced OR (is:withdrawn -has:doi)",
	/* What the tables of words know, each rule once at least. */
	"matrices indices children analyses biases policies boxes viruses statuses news physics "
	"los loss",
	"optimise colour centre modelling tokenisation behaviour hour catalogue",
	"C++ C# .NET GPT-4o 3D \u03bcP H\u2082O k-NN \u00e9t\u00e9 stra\u00dfe \u0439\u043e\u0434 "
	"\u304c \u62e1\u6563",
	"$\\alpha$-divergence state-of-the-art don't 2312.00752",
};

struct fixture {
	struct arena arena;
	struct match_literals *literals;
	struct program *programs[COUNT(queries)];
	struct strbuf packed[COUNT(queries)];
	struct paper *papers[3];
	struct error err;
};

static struct paper *
make_paper(struct fixture *f, const char *title, int64_t votes)
{
	struct paper *p = paper_new(&f->arena);

	assert_non_null(p);
	p->title = title;
	p->votes = votes;
	p->key = arena_printf(&f->arena, "arxiv:2312.0075%d", (int)(votes % 10));
	return p;
}

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	arena_init(&f->arena, 1 << 24);
	assert_int_equal(match_literals_new(&f->literals, &f->err), 0);
	for (size_t i = 0; i < COUNT(queries); i++) {
		struct query *q;

		if (query_parse(queries[i], strlen(queries[i]), &f->arena, &q, NULL, &f->err) ==
			-1 ||
		    match_compile(f->literals, q, &f->programs[i], &f->err) == -1)
			fail_msg("%s: %s", queries[i], f->err.msg);
		strbuf_init(&f->packed[i], 1 << 20);
		match_program_pack(f->programs[i], &f->packed[i]);
	}
	f->papers[0] = make_paper(f, "Gaussian Splatting and NeRFs for Robots", 12);
	f->papers[1] = make_paper(f, "Pretraining by Sparse and Slow Attention", 34);
	f->papers[2] = make_paper(f, "Matrices, Indices and Children of a Colour", 56);
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(queries); i++) {
		match_program_free(f->programs[i]);
		strbuf_release(&f->packed[i]);
	}
	match_literals_free(f->literals);
	arena_release(&f->arena);
	free(f);
	return 0;
}

static uint64_t
evaluate(struct fixture *f, const struct match_literals *literals, const struct program *program)
{
	static const struct match_weights weights = { 1, 1, 1, 1 };
	struct match_index *index;
	uint64_t bits = 0;

	if (match_index_new(f->papers, 3, 0, &weights, literals, &index, &f->err) == -1 ||
	    match_evaluate(index, program, NULL, &bits, &f->err) == -1)
		fail_msg("%s", f->err.msg);
	match_index_free(index);
	return bits;
}

/* All literals through bytes into a set of their own. */
static struct match_literals *
copy_literals(struct fixture *f)
{
	struct match_literals *copy;
	struct strbuf bytes;

	strbuf_init(&bytes, 1 << 20);
	assert_int_equal(match_literals_new(&copy, &f->err), 0);
	for (size_t i = 0; i < match_literals_count(f->literals); i++) {
		strbuf_reset(&bytes);
		match_literal_pack(f->literals, i, &bytes);
		if (match_literal_unpack(
			copy, (const unsigned char *)bytes.buf, bytes.len, &f->err) == -1)
			fail_msg("literal %zu: %s", i, f->err.msg);
	}
	assert_int_equal(match_literals_count(copy), match_literals_count(f->literals));
	strbuf_release(&bytes);
	return copy;
}

static void
test_same_answers(void **state)
{
	struct fixture *f = *state;
	struct match_literals *copy = copy_literals(f);
	struct program *program;
	size_t nfound = 0, n = match_literals_count(copy);
	struct query *q;

	for (size_t i = 0; i < COUNT(queries); i++) {
		const unsigned char *bytes = (const unsigned char *)f->packed[i].buf;
		uint64_t want = evaluate(f, f->literals, f->programs[i]);

		if (match_program_unpack(
			copy, bytes, f->packed[i].len, &f->arena, &program, &f->err) == -1)
			fail_msg("%s: %s", queries[i], f->err.msg);
		if (evaluate(f, copy, program) != want ||
		    match_reads_signals(program) != match_reads_signals(f->programs[i]) ||
		    match_reads_versions(program) != match_reads_versions(f->programs[i]))
			fail_msg("%s: otherwise", queries[i]);
		nfound += want != 0;
	}
	assert_true(nfound >= 5);
	/* What is compiled now finds the literals that came out of bytes. */
	assert_int_equal(query_parse("NeRF", 4, &f->arena, &q, NULL, &f->err), 0);
	assert_int_equal(match_compile(copy, q, &program, &f->err), 0);
	match_program_free(program);
	assert_int_equal(match_literals_count(copy), n);
	match_literals_free(copy);
}

/* Every byte of a program in turn becomes another: it is refused, or it can be run. */
static void
test_damaged_programs(void **state)
{
	static const unsigned char others[] = { 0, 1, 2, 3, 4, 5, 0x7f, 0x80, 0xff };
	struct fixture *f = *state;
	size_t nrefused = 0, nrun = 0;

	for (size_t i = 0; i < COUNT(queries); i++) {
		struct strbuf *p = &f->packed[i];

		for (size_t at = 0; at < p->len; at++) {
			char before = p->buf[at];

			for (size_t k = 0; k < COUNT(others); k++) {
				struct program *program;

				p->buf[at] = (char)others[k];
				if (match_program_unpack(f->literals, (const unsigned char *)p->buf,
					p->len, &f->arena, &program, &f->err) == -1) {
					assert_int_equal(f->err.kind, ERR_DATA);
					nrefused++;
				} else {
					evaluate(f, f->literals, program);
					nrun++;
				}
			}
			p->buf[at] = before;
		}
		for (size_t len = 0; len < p->len; len++) {
			struct program *program;

			if (match_program_unpack(f->literals, (const unsigned char *)p->buf, len,
				&f->arena, &program, &f->err) == 0)
				evaluate(f, f->literals, program);
		}
	}
	assert_true(nrefused > 500 && nrun > 100);
}

static void
test_damaged_literals(void **state)
{
	struct fixture *f = *state;
	struct strbuf bytes;
	size_t nrefused = 0;

	strbuf_init(&bytes, 1 << 20);
	for (size_t i = 0; i < match_literals_count(f->literals); i++) {
		strbuf_reset(&bytes);
		match_literal_pack(f->literals, i, &bytes);
		for (size_t at = 0; at < 2 * bytes.len; at++) {
			struct match_literals *one;
			struct program *program;
			/* The one literal of the set, and it counts. */
			static const unsigned char steps[] = { 0, 6 };
			size_t len = at < bytes.len ? bytes.len : at - bytes.len;
			char *byte = at < bytes.len ? &bytes.buf[at] : &bytes.buf[0],
			     before = *byte;

			if (at < bytes.len)
				*byte = (char)(*byte ^ 0x11);
			assert_int_equal(match_literals_new(&one, &f->err), 0);
			if (match_literal_unpack(
				one, (const unsigned char *)bytes.buf, len, &f->err) == -1) {
				assert_int_equal(f->err.kind, ERR_DATA);
				nrefused++;
			} else {
				assert_int_equal(match_program_unpack(one, steps, sizeof(steps),
						     &f->arena, &program, &f->err),
				    0);
				evaluate(f, one, program);
			}
			*byte = before;
			match_literals_free(one);
		}
	}
	assert_true(nrefused > 1000);
	strbuf_release(&bytes);
}

/* What the compiler makes of these queries may only change together with its version: stored programs would mean another
 * thing. If this fails, raise COMPILER_VERSION in src/match/stored.c and put the new numbers here. */
static void
test_version(void **state)
{
	struct fixture *f = *state;
	char compiler[MATCH_COMPILER_SIZE];
	uint64_t hash = 14695981039346656037u;
	struct strbuf bytes;

	strbuf_init(&bytes, 1 << 20);
	for (size_t i = 0; i < match_literals_count(f->literals); i++)
		match_literal_pack(f->literals, i, &bytes);
	for (size_t i = 0; i < COUNT(queries); i++)
		strbuf_addn(&bytes, f->packed[i].buf, f->packed[i].len);
	for (size_t i = 0; i < bytes.len; i++)
		hash = (hash ^ (unsigned char)bytes.buf[i]) * 1099511628211u;
	strbuf_release(&bytes);
	match_compiler(compiler);
	if (strstr(compiler, " le64") == NULL)
		skip();
	if (strncmp(compiler, "1 ", 2) != 0 || hash != UINT64_C(0xa883fe071461019f))
		fail_msg(
		    "compiler %s makes other bytes: 0x%llx", compiler, (unsigned long long)hash);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(test_same_answers),
		T(test_damaged_programs),
		T(test_damaged_literals),
		T(test_version),
	};

	return cmocka_run_group_tests_name("match_stored", tests, NULL, NULL);
}
