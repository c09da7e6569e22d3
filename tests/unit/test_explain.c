/* match_explain(): each clause, whether it holds, and where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "digest/limits.h"
#include "digest/match.h"
#include "digest/strbuf.h"

#include <stdio.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct match_weights weights = { 1, 1, 1, 1 };

static const char *authors[] = { "Ada Lovelace", "Kaiming He", "Grace B. Hopper" };
static const char *keywords[] = { "view synthesis", "masked autoencoders" };
static const char *categories[] = { "cs.CV", "eess.IV" };

static struct paper *
make_paper(struct arena *a)
{
	struct paper *p = paper_new(a);

	assert_non_null(p);
	p->key = "arxiv:2601.00001";
	p->title = "Gaussian Splatting on Phones";
	p->abstract = "We splat. Sparse attention helps NeRFs and pre-training.";
	p->authors = authors;
	p->nauthors = COUNT(authors);
	p->keywords = keywords;
	p->nkeywords = COUNT(keywords);
	p->categories = categories;
	p->ncategories = COUNT(categories);
	p->primary_known = true;
	p->org = "Example Lab";
	p->comment = "Accepted at NeurIPS 2026";
	p->source = "arxiv";
	p->votes = 12;
	return p;
}

/* One line a clause: depth, + or -, the clause, and the text of its hit in brackets. */
static void
write_clauses(struct strbuf *out, const struct match_clause *clauses, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct match_clause *c = &clauses[i];

		strbuf_addf(out, "%s%u%c", i > 0 ? "|" : "", c->depth, c->holds ? '+' : '-');
		query_add_text(out, c->query);
		if (c->place[0] != '\0')
			strbuf_addf(out, "[%.*s]", (int)(c->hit.end - c->hit.start),
			    c->place + c->hit.start);
	}
}

static const struct {
	const char *query, *want;
} rows[] = {
	{ "*", "0+*" },
	{ "nerf", "0+nerf[NeRFs]" },
	{ "fusion", "0-fusion" },
	{ "gaussian splatting",
	    "0+gaussian splatting|1+gaussian[Gaussian]|1+splatting[Splatting]" },
	{ "\"gaussian splatting\" OR mesh",
	    "0+\"gaussian splatting\" OR mesh|1+\"gaussian splatting\"[Gaussian "
	    "Splatting]|1-mesh" },
	{ "phone -survey", "0+phone -survey|1+phone[Phones]|1+-survey|2-survey" },
	{ "NOT phone", "0--phone|1+phone[Phones]" },
	{ "title:nerf", "0-title:nerf" },
	{ "abstract:pretraining", "0+abstract:pretraining[pre-training]" },
	{ "autoencoder", "0+autoencoder[autoencoders]" },
	{ "author:\"k he\"", "0+author:\"k he\"[Kaiming He]" },
	{ "first-author:hopper", "0-first-author:hopper" },
	{ "last-author:hopper", "0+last-author:hopper[Grace B. Hopper]" },
	{ "cat:eess", "0+cat:eess[eess.IV]" },
	{ "primary:eess", "0-primary:eess" },
	{ "venue:neurips", "0+venue:neurips[NeurIPS]" },
	{ "org:example", "0+org:example[Example]" },
	{ "source:arxiv", "0+source:arxiv[arxiv]" },
	{ "id:2601.00001", "0+id:2601.00001" },
	{ "votes>=10", "0+votes>=10" },
	{ "votes>=30", "0-votes>=30" },
	{ "is:new", "0+is:new" },
	{ "is:sent", "0-is:sent" },
	{ "has:code OR (votes>5 AND nerf)",
	    "0+has:code OR votes>5 nerf|1-has:code|1+votes>5 nerf|2+votes>5|2+nerf[NeRFs]" },
};

static void
test_clauses(void **state)
{
	struct match_literals *literals;
	struct match_index *index;
	struct error err = { 0 };
	struct paper *p;
	struct arena a;

	(void)state;
	arena_init(&a, 1 << 24);
	p = make_paper(&a);
	assert_int_equal(match_literals_new(&literals, &err), 0);
	assert_int_equal(match_index_new(&p, 1, 0, &weights, literals, &index, &err), 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct match_clause *clauses;
		struct strbuf out;
		struct query *q;
		size_t n;

		strbuf_init(&out, 1 << 16);
		if (query_parse(rows[i].query, strlen(rows[i].query), &a, &q, NULL, &err) == -1 ||
		    match_explain(index, literals, q, 0, NULL, &a, &clauses, &n, &err) == -1)
			fail_msg("'%s': %s", rows[i].query, err.msg);
		write_clauses(&out, clauses, n);
		if (strcmp(out.buf, rows[i].want) != 0)
			fail_msg("'%s' gave %s", rows[i].query, out.buf);
		strbuf_release(&out);
	}
	match_index_free(index);
	match_literals_free(literals);
	arena_release(&a);
}

/* A paper that was sent, which is known of a reader and not of the paper. */
static void
test_sent(void **state)
{
	const uint64_t sent = 1;
	struct match_literals *literals;
	struct match_clause *clauses;
	struct match_index *index;
	struct paper *p;
	struct query *q;
	struct arena a;
	size_t n;

	(void)state;
	arena_init(&a, 1 << 24);
	p = make_paper(&a);
	assert_int_equal(match_literals_new(&literals, NULL), 0);
	assert_int_equal(match_index_new(&p, 1, 0, &weights, literals, &index, NULL), 0);
	assert_int_equal(query_parse("is:sent", 7, &a, &q, NULL, NULL), 0);
	assert_int_equal(match_explain(index, literals, q, 0, &sent, &a, &clauses, &n, NULL), 0);
	assert_int_equal(n, 1);
	assert_true(clauses[0].holds);
	match_index_free(index);
	match_literals_free(literals);
	arena_release(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clauses),
		cmocka_unit_test(test_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
