/* Keys of papers in all their spellings, and the packed form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "digest/paper.h"

static const struct {
	const char *text, *key;
	uint32_t version;
} keys[] = {
	{ "2312.00752", "arxiv:2312.00752", 0 },
	{ "2312.00752v2", "arxiv:2312.00752", 2 },
	{ "arXiv:2312.00752v12", "arxiv:2312.00752", 12 },
	{ "oai:arXiv.org:2312.00752v1", "arxiv:2312.00752", 1 },
	{ "https://arxiv.org/abs/2312.00752", "arxiv:2312.00752", 0 },
	{ "https://arxiv.org/pdf/2312.00752v3.pdf", "arxiv:2312.00752", 3 },
	{ "https://huggingface.co/papers/2312.00752", "arxiv:2312.00752", 0 },
	{ "math/0306266", "arxiv:math/0306266", 0 },
	{ "math.AG/0306266v1", "arxiv:math/0306266", 1 },
	{ "http://arxiv.org/abs/astro-ph/0601001v1", "arxiv:astro-ph/0601001", 1 },
	{ "0704.0001", "arxiv:0704.0001", 0 },
	{ "10.1000/XyZ", "doi:10.1000/xyz", 0 },
	{ "https://doi.org/10.1103/PhysRevLett.1.2", "doi:10.1103/physrevlett.1.2", 0 },
	{ "doi:10.48550/arXiv.2312.00752", "doi:10.48550/arxiv.2312.00752", 0 },
	{ "2312.007", NULL, 0 },
	{ "2312.00752x", NULL, 0 },
	{ "2312.00752v", NULL, 0 },
	{ "10.1000/", NULL, 0 },
	{ "10.1000/a b", NULL, 0 },
	{ "10.1/x", NULL, 0 },
	{ "attention is all you need", NULL, 0 },
	{ "", NULL, 0 },
};

static void
test_keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		struct strbuf out;
		uint32_t version = 99;
		int rc;

		strbuf_init(&out, 1000);
		rc = paper_add_key(&out, keys[i].text, &version);
		if (rc != (keys[i].key != NULL) ||
		    (rc == 1 && (strcmp(out.buf, keys[i].key) != 0 || version != keys[i].version)))
			fail_msg("row %zu: '%s' gave %d '%s' v%u", i, keys[i].text, rc, out.buf,
			    version);
		strbuf_release(&out);
	}
}

static struct paper *
example(struct arena *a)
{
	static const char *authors[] = { "Ada Lovelace", "Charles Babbage" };
	struct paper *p = paper_new(a);

	assert_non_null(p);
	p->key = "arxiv:1843.00001";
	p->title = "Notes on the Analytical Engine";
	p->authors = authors;
	p->nauthors = 2;
	p->published_utc = -3999999999;
	p->votes = 1234567890123;
	p->version = 3;
	p->primary_known = true;
	return p;
}

static void
test_pack_and_unpack(void **state)
{
	struct arena a;
	struct strbuf packed, again;
	struct paper *p, *copy;
	struct error err;

	(void)state;
	arena_init(&a, 1 << 20);
	strbuf_init(&packed, 1 << 16);
	strbuf_init(&again, 1 << 16);
	p = example(&a);
	paper_pack(&packed, p);
	assert_int_equal(paper_unpack(packed.buf, packed.len, &a, &copy, &err), 0);
	assert_string_equal(copy->authors[1], "Charles Babbage");
	assert_int_equal(copy->published_utc, -3999999999);
	assert_int_equal(copy->stars, -1);
	paper_pack(&again, paper_dup(&a, copy));
	assert_int_equal(packed.len, again.len);
	assert_memory_equal(packed.buf, again.buf, packed.len);

	/* Every shorter form is refused, none reads outside. */
	for (size_t len = 0; len < packed.len; len++)
		if (paper_unpack(packed.buf, len, &a, &copy, &err) != -1 || err.kind != ERR_DATA)
			fail_msg("a form cut at %zu was taken", len);
	strbuf_release(&packed);
	strbuf_release(&again);
	arena_release(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_pack_and_unpack),
	};

	return cmocka_run_group_tests_name("paper", tests, NULL, NULL);
}
