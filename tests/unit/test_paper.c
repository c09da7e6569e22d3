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
	{ "doi:10.48550/arXiv.2312.00752", "arxiv:2312.00752", 0 },
	{ "https://doi.org/10.48550/arXiv.2312.00752v2", "arxiv:2312.00752", 2 },
	{ "10.48550/arXiv.math/0306266", "arxiv:math/0306266", 0 },
	{ "10.48550/arXiv.", "doi:10.48550/arxiv.", 0 },
	{ "https://www.arxiv.org/abs/2312.00752v2?context=cs.LG#top", "arxiv:2312.00752", 2 },
	{ "http://export.arxiv.org/abs/2312.00752v1", "arxiv:2312.00752", 1 },
	{ "https://arxiv.org/html/2312.00752v1", "arxiv:2312.00752", 1 },
	{ "HTTPS://arXiv.org/abs/2312.00752/", "arxiv:2312.00752", 0 },
	{ "https://ar5iv.labs.arxiv.org/html/2312.00752", "arxiv:2312.00752", 0 },
	{ "https://arxiv.org/list/cs.LG/new", "url:arxiv.org/list/cs.LG/new", 0 },
	{ "DOI: 10.1000/XyZ", "doi:10.1000/xyz", 0 },
	{ "info:doi/10.1000/xyz", "doi:10.1000/xyz", 0 },
	{ "http://dx.doi.org/10.1000%2Fa%28b%29?nosfx=y", "doi:10.1000/a(b)", 0 },
	{ "https://doi.org/10.1000/a%20b", "url:doi.org/10.1000/a%20b", 0 },
	{ "https://doi.org/10.1000/a%", "doi:10.1000/a%", 0 },
	{ "pmid:12345678", "pmid:12345678", 0 },
	{ "PMID: 7", "pmid:7", 0 },
	{ "https://pubmed.ncbi.nlm.nih.gov/12345678/?format=abstract", "pmid:12345678", 0 },
	{ "https://www.ncbi.nlm.nih.gov/pubmed/12345678", "pmid:12345678", 0 },
	{ "https://pubmed.ncbi.nlm.nih.gov/?term=x", "url:pubmed.ncbi.nlm.nih.gov?term=x", 0 },
	{ "12345678", NULL, 0 },
	{ "pmid:0123", NULL, 0 },
	{ "pmid:123456789", NULL, 0 },
	{ "openreview:rJl-b3RcF7", "openreview:rJl-b3RcF7", 0 },
	{ "https://openreview.net/forum?id=rJl-b3RcF7", "openreview:rJl-b3RcF7", 0 },
	{ "https://openreview.net/forum?id=rJl-b3RcF7&noteId=a_b", "openreview:rJl-b3RcF7", 0 },
	{ "https://openreview.net/pdf?id=rJl-b3RcF7#page=2", "openreview:rJl-b3RcF7", 0 },
	{ "https://openreview.net:443/forum/?id=rJl-b3RcF7", "openreview:rJl-b3RcF7", 0 },
	{ "https://openreview.net/group?id=ICLR.cc", "url:openreview.net/group?id=ICLR.cc", 0 },
	{ "openreview:a b c d", NULL, 0 },
	{ "https://Lab.Example/Papers/7", "url:lab.example/Papers/7", 0 },
	{ "http://lab.example:80/Papers/7/", "url:lab.example/Papers/7", 0 },
	{ "https://lab.example:443/7#section", "url:lab.example/7", 0 },
	{ "https://lab.example:8080/7", "url:lab.example:8080/7", 0 },
	{ "https://lab.example/7?utm_source=rss&id=3&fbclid=z", "url:lab.example/7?id=3", 0 },
	{ "https://lab.example/7/?utm_medium=feed", "url:lab.example/7", 0 },
	{ "https://lab.example/?p=12", "url:lab.example?p=12", 0 },
	{ "https://lab.example?p=12&&q", "url:lab.example?p=12&q", 0 },
	{ "url:lab.example/7", "url:lab.example/7", 0 },
	{ "https://lab.example/", NULL, 0 },
	{ "https://lab.example/?utm_source=x", NULL, 0 },
	{ "https://user@lab.example/7", NULL, 0 },
	{ "https://localhost/7", NULL, 0 },
	{ "https:///7", NULL, 0 },
	{ "ftp://lab.example/7", NULL, 0 },
	{ "https://lab.example/a b", NULL, 0 },
	{ "arxiv: 2312.00752", "arxiv:2312.00752", 0 },
	{ "2312.00752V2", "arxiv:2312.00752", 2 },
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

/* What comes out is a key already, and short of room it is no key at all and no crash. */
static void
test_keys_are_stable(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		struct strbuf once, twice;

		if (keys[i].key == NULL)
			continue;
		strbuf_init(&twice, 1000);
		assert_int_equal(paper_add_key(&twice, keys[i].key, NULL), 1);
		if (strcmp(twice.buf, keys[i].key) != 0)
			fail_msg("row %zu: '%s' became '%s'", i, keys[i].key, twice.buf);
		strbuf_release(&twice);
		for (size_t room = 0; room < strlen(keys[i].key); room++) {
			strbuf_init(&once, room);
			paper_add_key(&once, keys[i].text, NULL);
			if (strbuf_check(&once, NULL) == 0 && once.len > 0)
				fail_msg("row %zu: fits in %zu bytes", i, room);
			strbuf_release(&once);
		}
	}
}

static void
test_long_links(void **state)
{
	char link[3000] = "https://lab.example/";
	struct strbuf out;

	(void)state;
	memset(link + strlen(link), 'a', sizeof(link) - 1 - strlen(link));
	link[sizeof(link) - 1] = '\0';
	strbuf_init(&out, 4000);
	assert_int_equal(paper_add_key(&out, link, NULL), 0);
	link[800] = '\0';
	assert_int_equal(paper_add_key(&out, link, NULL), 1);
	strbuf_release(&out);
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
	paper_pack(&again, copy);
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
		cmocka_unit_test(test_keys_are_stable),
		cmocka_unit_test(test_long_links),
		cmocka_unit_test(test_pack_and_unpack),
	};

	return cmocka_run_group_tests_name("paper", tests, NULL, NULL);
}
