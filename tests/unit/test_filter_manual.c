/* Every example of digest-filter(7) is a query, and what the table says is found is found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "digest/match.h"

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

/* "query" or "query Ta title Ta yes". */
static void
check_example(unsigned number, char *line)
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
		assert_non_null(answer);
		add_plain(&plain_title, title + 4);
		if (finds(q, plain_title.buf) != (strcmp(answer + 4, "yes") == 0))
			fail_msg("%s:%u: '%s' on '%s' is not '%s'", manual, number, text.buf,
			    plain_title.buf, answer + 4);
	}
	strbuf_release(&plain_title);
	strbuf_release(&text);
	arena_release(&a);
}

static void
test_examples(void **state)
{
	FILE *page = fopen(manual, "r");
	char line[MAX_LINE];
	size_t nexamples = 0;

	(void)state;
	if (page == NULL)
		fail_msg("%s cannot be read; tests run in the project's folder", manual);
	for (unsigned number = 1; fgets(line, sizeof(line), page) != NULL; number++) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, ".It Li ", 7) != 0)
			continue;
		check_example(number, line + 7);
		nexamples++;
	}
	fclose(page);
	assert_true(nexamples >= 60);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_examples),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
