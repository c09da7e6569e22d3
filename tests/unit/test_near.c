/* match_near(): which papers come nearest to queries that they do not satisfy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "digest/limits.h"
#include "digest/match.h"
#include "digest/strbuf.h"

#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct match_weights weights = { 1, 1, 1, 1 };

static const struct {
	const char *key, *title, *abstract;
	int64_t votes;
} made[] = {
	{ "arxiv:2601.00001", "Gaussian Splatting on Phones", "Fast splats.", 12 },
	{ "arxiv:2601.00002", "A Survey of Gaussian Processes", "Kernels.", 40 },
	{ "arxiv:2601.00003", "Web Agents That Ask", "Agents ask before they act.", 3 },
	{ "arxiv:2601.00004", "Splatting, and a Gaussian", "Scattered words.", 3 },
	{ "arxiv:2601.00005", "Meshes", "Nothing else.", 3 },
};

/* near: last digits of the keys with the nearness in percent; the candidates are all but those sent. */
static const struct {
	const char *queries[2];
	uint64_t candidates, sent;
	size_t max;
	const char *want;
} rows[] = {
	{ { "fusion" }, 31, 0, 3, "" },
	{ { "mesh" }, 31, 0, 3, "" },
	{ { "*" }, 31, 0, 3, "" },
	{ { "gaussian mesh" }, 31, 0, 3, "2:50 1:50 4:50" },
	{ { "gaussian mesh" }, 31, 0, 9, "2:50 1:50 4:50 5:50" },
	{ { "gaussian mesh" }, 31, 0, 1, "2:50" },
	{ { "gaussian mesh" }, 31, 0, 0, "" },
	{ { "gaussian mesh" }, 29, 0, 3, "1:50 4:50 5:50" },
	{ { "gaussian mesh -survey" }, 31, 0, 3, "1:50 4:50 5:50" },
	{ { "gaussian mesh -survey -phone" }, 31, 0, 3, "4:50 5:50" },
	{ { "fusion -survey" }, 31, 0, 3, "" },
	{ { "NOT survey" }, 31, 0, 3, "" },
	{ { "\"gaussian splatting\"" }, 31, 0, 3, "4:95 2:50" },
	{ { "\"web crawling\" OR \"neural gaussian splatting field\"" }, 31, 0, 9,
	    "1:50 3:50 4:50 2:25" },
	{ { "gaussian votes>=30 agent" }, 31, 0, 3, "2:66 1:33 3:33" },
	{ { "gaussian (mesh OR agent) fusion" }, 31, 0, 9, "2:33 1:33 3:33 4:33 5:33" },
	{ { "title:scattered gaussian" }, 31, 0, 9, "2:50 1:50 4:50" },
	{ { "gaussian mesh", "web fusion" }, 31, 0, 9, "2:50 1:50 3:50 4:50 5:50" },
	/* What one of them finds is no miss of the other. */
	{ { "gaussian mesh", "survey" }, 31, 0, 9, "1:50 4:50 5:50" },
	{ { "is:sent fusion" }, 31, 4, 9, "3:50" },
	{ { "has:code fusion" }, 31, 0, 9, "" },
};

static void
find(size_t row, struct match_index *index, struct match_literals *literals, struct strbuf *out)
{
	const struct query *queries[2];
	struct near_miss *list;
	struct error err = { 0 };
	struct arena a;
	size_t nqueries = 0, n;

	arena_init(&a, MAX_RUN_BYTES);
	for (size_t i = 0; i < 2 && rows[row].queries[i] != NULL; i++) {
		struct query *q;

		if (query_parse(rows[row].queries[i], strlen(rows[row].queries[i]), &a, &q, NULL,
			&err) == -1)
			fail_msg("row %zu: %s", row, err.msg);
		queries[nqueries++] = q;
	}
	if (match_near(index, literals, queries, nqueries, &rows[row].candidates, &rows[row].sent,
		rows[row].max, &a, &list, &n, &err) == -1)
		fail_msg("row %zu: %s", row, err.msg);
	for (size_t i = 0; i < n; i++)
		strbuf_addf(out, "%s%u:%d", i > 0 ? " " : "", list[i].paper + 1,
		    (int)(100 * list[i].nearness));
	arena_release(&a);
}

static void
test_rows(void **state)
{
	struct paper *papers[COUNT(made)];
	struct match_literals *literals;
	struct match_index *index;
	struct error err = { 0 };
	struct strbuf got;
	struct arena a;

	(void)state;
	arena_init(&a, MAX_RUN_BYTES);
	strbuf_init(&got, 1000);
	for (size_t i = 0; i < COUNT(made); i++) {
		papers[i] = paper_new(&a);
		assert_non_null(papers[i]);
		papers[i]->key = made[i].key;
		papers[i]->title = made[i].title;
		papers[i]->abstract = made[i].abstract;
		papers[i]->votes = made[i].votes;
	}
	assert_int_equal(match_literals_new(&literals, &err), 0);
	assert_int_equal(
	    match_index_new(papers, COUNT(made), 0, &weights, literals, &index, &err), 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		strbuf_reset(&got);
		find(i, index, literals, &got);
		if (strcmp(got.buf, rows[i].want) != 0)
			fail_msg("row %zu, %s: '%s', expected '%s'", i, rows[i].queries[0], got.buf,
			    rows[i].want);
	}
	match_index_free(index);
	match_literals_free(literals);
	strbuf_release(&got);
	arena_release(&a);
}

/* Without papers or queries there is nothing. */
static void
test_nothing(void **state)
{
	struct match_literals *literals;
	struct match_index *index;
	struct near_miss *list;
	struct error err = { 0 };
	struct arena a;
	uint64_t none = 0;
	size_t n = 1;

	(void)state;
	arena_init(&a, MAX_RUN_BYTES);
	assert_int_equal(match_literals_new(&literals, &err), 0);
	assert_int_equal(match_index_new(NULL, 0, 0, &weights, literals, &index, &err), 0);
	assert_int_equal(
	    match_near(index, literals, NULL, 0, &none, NULL, 3, &a, &list, &n, &err), 0);
	assert_int_equal(n, 0);
	match_index_free(index);
	match_literals_free(literals);
	arena_release(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
