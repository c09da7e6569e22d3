/* Every example of digest-filter(7) is a query, what the table says is found is found, and the error it shows is the one that
 * comes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "digest/match.h"
#include "digest/text.h"

enum { MAX_LINE = 512 };

static const char manual[] = "man/digest-filter.7";

/* The escapes that the page uses in examples. */
static const struct {
	const char *roff, *text;
} escapes[] = {
	{ "\\(dq", "\"" },
	{ "\\(ti", "~" },
	{ "\\(*m", "\u03bc" },
	{ "\\(*a", "\u03b1" },
	{ "\\('e", "\u00e9" },
	{ "\\(*p", "\u03c0" },
	{ "\\-", "-" },
	{ "\\&", "" },
};

static void
add_plain(struct strbuf *out, const char *roff)
{
	while (*roff != '\0') {
		size_t i = 0;

		while (i < sizeof(escapes) / sizeof(escapes[0]) &&
		    strncmp(roff, escapes[i].roff, strlen(escapes[i].roff)) != 0)
			i++;
		if (i < sizeof(escapes) / sizeof(escapes[0])) {
			strbuf_add(out, escapes[i].text);
			roff += strlen(escapes[i].roff);
		} else {
			assert_true(*roff != '\\');
			strbuf_addc(out, *roff++);
		}
	}
}

static bool
finds(const struct query *q, const char *title)
{
	static const struct match_weights weights = { 1, 1, 1, 1 };
	struct match_index *index;
	struct match_literals *literals;
	struct program *program;
	uint64_t bits = 0;
	struct paper *p;
	struct arena a;

	arena_init(&a, 1 << 20);
	p = paper_new(&a);
	assert_non_null(p);
	p->title = title;
	assert_int_equal(match_literals_new(&literals, NULL), 0);
	assert_int_equal(match_index_new(&p, 1, 0, &weights, literals, &index, NULL), 0);
	assert_int_equal(match_compile(literals, q, &program, NULL), 0);
	assert_int_equal(match_evaluate(index, program, NULL, &bits, NULL), 0);
	match_program_free(program);
	match_index_free(index);
	match_literals_free(literals);
	arena_release(&a);
	return bits == 1;
}

struct counts {
	size_t examples, found, passed_over;
};

/* "query" or "query Ta title Ta yes". */
static void
check_example(unsigned number, char *line, struct counts *counts)
{
	char *title = strstr(line, " Ta "),
	     *answer = title != NULL ? strstr(title + 4, " Ta ") : NULL;
	struct strbuf text, plain_title;
	struct query *q = NULL;
	struct error err;
	struct arena a;

	arena_init(&a, 1 << 20);
	strbuf_init(&text, 1 << 16);
	strbuf_init(&plain_title, 1 << 16);
	if (title != NULL)
		*title = '\0';
	if (answer != NULL)
		*answer = '\0';
	add_plain(&text, line);
	if (query_parse(text.buf, text.len, &a, &q, NULL, &err) == -1)
		fail_msg("%s:%u: '%s': %s", manual, number, text.buf, err.msg);
	if (title != NULL) {
		bool yes = answer != NULL && strcmp(answer + 4, "yes") == 0;

		if (answer == NULL || (!yes && strcmp(answer + 4, "no") != 0))
			fail_msg("%s:%u: neither yes nor no", manual, number);
		add_plain(&plain_title, title + 4);
		if (finds(q, plain_title.buf) != yes)
			fail_msg("%s:%u: '%s' on '%s' is not '%s'", manual, number, text.buf,
			    plain_title.buf, answer + 4);
		counts->found += yes;
		counts->passed_over += !yes;
	}
	counts->examples++;
	strbuf_release(&plain_title);
	strbuf_release(&text);
	arena_release(&a);
}

/* How many lines of the page begin so: none may be left out because it is written otherwise. */
static size_t
count_lines(const char *beginning)
{
	FILE *page = fopen(manual, "r");
	char line[MAX_LINE];
	size_t n = 0;

	assert_non_null(page);
	while (fgets(line, sizeof(line), page) != NULL)
		n += strncmp(line, beginning, strlen(beginning)) == 0;
	fclose(page);
	return n;
}

static void
test_examples(void **state)
{
	FILE *page = fopen(manual, "r");
	char line[MAX_LINE];
	struct counts counts = { 0, 0, 0 };

	(void)state;
	if (page == NULL)
		fail_msg("%s cannot be read; tests run in the project's folder", manual);
	for (unsigned number = 1; fgets(line, sizeof(line), page) != NULL; number++) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, ".It Li ", 7) != 0)
			continue;
		check_example(number, line + 7, &counts);
	}
	fclose(page);
	/* Besides: names of sorts, parts of a score, bullets and the head of the table. */
	assert_int_equal(
	    count_lines(".It"), counts.examples + count_lines(".It Cm") + count_lines(".It\n") + 1);
	assert_true(counts.examples >= 70 && counts.found >= 10 && counts.passed_over >= 5);
}

/* "digest: file:line:column: match: message", the query and the caret. */
static void
test_error(void **state)
{
	static const char beginning[] = "digest: ";
	const size_t n = sizeof(beginning) - 1;
	FILE *page = fopen(manual, "r");
	char lines[3][MAX_LINE] = { "", "", "" };
	struct strbuf shown;
	struct query *q = NULL;
	size_t offset = 0;
	struct error err;
	struct arena a;

	(void)state;
	assert_non_null(page);
	while (strncmp(lines[0], beginning, n) != 0)
		assert_non_null(fgets(lines[0], MAX_LINE, page));
	for (int i = 1; i < 3; i++)
		assert_non_null(fgets(lines[i], MAX_LINE, page));
	fclose(page);
	arena_init(&a, 1 << 20);
	strbuf_init(&shown, 1 << 16);
	lines[1][strcspn(lines[1], "\n")] = '\0';
	assert_int_equal(
	    query_parse(lines[1] + n, strlen(lines[1] + n), &a, &q, &offset, &err), -1);
	lines[0][strcspn(lines[0], "\n")] = '\0';
	assert_non_null(strstr(lines[0], "match: "));
	assert_string_equal(strstr(lines[0], "match: ") + strlen("match: "), err.msg);
	text_add_caret(&shown, lines[1] + n, offset);
	assert_string_equal(shown.buf + strlen(lines[1] + n) + 1, lines[2] + n);
	strbuf_release(&shown);
	arena_release(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_examples),
		cmocka_unit_test(test_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
