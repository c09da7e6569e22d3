/* The difference of two texts: cases by hand, and random ones against patch's rules. */
#include "digest/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
make_diff(const char *a, const char *b, struct strbuf *out)
{
	const struct text_side from = { "a", a, strlen(a), 1 }, to = { "b", b, strlen(b), 1 };
	struct error err;

	if (text_add_diff(out, &from, &to, &err) == -1)
		fail_msg("%s", err.msg);
}

static void
test_cases(void **state)
{
	static const struct {
		const char *a, *b, *want; /* behind the two heading lines */
	} cases[] = {
		{ "", "", "" },
		{ "x\n", "x\n", "" },
		{ "", "x\n", "@@ -0,0 +1 @@\n+x\n" },
		{ "x\n", "", "@@ -1 +0,0 @@\n-x\n" },
		{ "a\nb\nc\n", "a\nB\nc\n", "@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n" },
		{ "a\nb", "a\nb\n", "@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+b\n" },
		{ "a\n", "a\nb", "@@ -1 +1,2 @@\n a\n+b\n\\ No newline at end of file\n" },
		{ "1\n2\n3\n4\n5\n6\n7\n8\n", "1\n2\n3\n4\nX\n5\n6\n7\n8\n",
		    "@@ -2,6 +2,7 @@\n 2\n 3\n 4\n+X\n 5\n 6\n 7\n" },
		/* Six lines between two changes join their hunks, seven part them. */
		{ "a\n1\n2\n3\n4\n5\n6\nb\n", "A\n1\n2\n3\n4\n5\n6\nB\n",
		    "@@ -1,8 +1,8 @@\n-a\n+A\n 1\n 2\n 3\n 4\n 5\n 6\n-b\n+B\n" },
		{ "a\n1\n2\n3\n4\n5\n6\n7\nb\n", "A\n1\n2\n3\n4\n5\n6\n7\nB\n",
		    "@@ -1,4 +1,4 @@\n-a\n+A\n 1\n 2\n 3\n@@ -6,4 +6,4 @@\n 5\n 6\n 7\n-b\n+B\n" },
		{ "x\na\ny\n", "x\ny\n", "@@ -1,3 +1,2 @@\n x\n-a\n y\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *body;
		struct strbuf sb;

		strbuf_init(&sb, 1 << 20);
		make_diff(cases[i].a, cases[i].b, &sb);
		body = sb.buf + (sb.len > 0 ? strlen("--- a\n+++ b\n") : 0);
		if (strcmp(body, cases[i].want) != 0)
			fail_msg("row %zu: '%s', expected '%s'", i, sb.buf, cases[i].want);
		strbuf_release(&sb);
	}
}

/* What patch(1) would make of a text: hunks are trusted as far as their lines fit. */
static void
apply(const char *a, const char *diff, struct strbuf *out)
{
	size_t at = 1;

	for (int i = 0; i < 2 && *diff != '\0'; i++)
		diff += strcspn(diff, "\n") + 1;
	while (*diff != '\0') {
		size_t len = strcspn(diff, "\n") + 1, from;
		size_t line = strcspn(a, "\n") + (a[strcspn(a, "\n")] == '\n');

		if (*diff == '@') {
			bool empty = sscanf(diff, "@@ -%zu", &from) == 1 &&
			    strncmp(diff + 4 + strspn(diff + 4, "0123456789"), ",0", 2) == 0;

			for (from += empty; at < from; at++) {
				size_t n = strcspn(a, "\n") + 1;

				strbuf_addn(out, a, n);
				a += n;
			}
		} else if (*diff == '+') {
			strbuf_addn(out, diff + 1, len - 1);
		} else {
			assert_true(line == len - 1 && memcmp(a, diff + 1, line) == 0);
			if (*diff == ' ')
				strbuf_addn(out, a, line);
			a += line;
			at++;
		}
		diff += len;
	}
	strbuf_add(out, a);
}

static void
random_text(struct strbuf *out, unsigned *seed, size_t max_lines)
{
	size_t n = (size_t)rand_r(seed) % (max_lines + 1);

	for (size_t i = 0; i < n; i++)
		strbuf_addf(out, "%c\n", 'a' + rand_r(seed) % 4);
}

static void
test_random_ones_lead_to_the_other(void **state)
{
	unsigned seed = 1;

	(void)state;
	for (int i = 0; i < 3000; i++) {
		struct strbuf a, b, diff, got;

		strbuf_init(&a, 1 << 20);
		strbuf_init(&b, 1 << 20);
		strbuf_init(&diff, 1 << 20);
		strbuf_init(&got, 1 << 20);
		random_text(&a, &seed, 30);
		random_text(&b, &seed, 30);
		make_diff(a.buf, b.buf, &diff);
		apply(a.buf, diff.buf, &got);
		if (strcmp(got.buf, b.buf) != 0 || (diff.len == 0) != (strcmp(a.buf, b.buf) == 0))
			fail_msg("case %d: '%s' to '%s': %s", i, a.buf, b.buf, diff.buf);
		strbuf_release(&a);
		strbuf_release(&b);
		strbuf_release(&diff);
		strbuf_release(&got);
	}
}

/* Two texts without a line in common, too long for the table. */
static void
test_long_ones_are_bounded(void **state)
{
	struct strbuf a, b, diff, got;

	(void)state;
	strbuf_init(&a, 1 << 20);
	strbuf_init(&b, 1 << 20);
	strbuf_init(&diff, 1 << 20);
	strbuf_init(&got, 1 << 20);
	for (int i = 0; i < 20000; i++) {
		strbuf_addf(&a, "a%d\n", i);
		strbuf_addf(&b, "b%d\n", i);
	}
	make_diff(a.buf, b.buf, &diff);
	apply(a.buf, diff.buf, &got);
	assert_string_equal(got.buf, b.buf);
	strbuf_reset(&diff);
	diff.max_bytes = 100;
	assert_int_equal(text_add_diff(&diff, &(struct text_side){ "a", a.buf, a.len, 1 },
			     &(struct text_side){ "b", b.buf, b.len, 1 }, NULL),
	    -1);
	strbuf_release(&a);
	strbuf_release(&b);
	strbuf_release(&diff);
	strbuf_release(&got);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_random_ones_lead_to_the_other),
		cmocka_unit_test(test_long_ones_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
