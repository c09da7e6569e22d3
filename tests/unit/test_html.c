#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "digest/text.h"

#include <string.h>

#include "digest/limits.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void
check_text(size_t row, const char *html, const char *want)
{
	struct strbuf text, got;

	strbuf_init(&text, 1u << 20);
	strbuf_init(&got, 1u << 20);
	text_add_html(&text, html, strlen(html));
	text_add_clean(&got, text.buf, text.len, 1u << 20);
	if (strcmp(got.buf, want) != 0)
		fail_msg("row %zu: '%s' reads '%s', not '%s'", row, html, got.buf, want);
	strbuf_release(&got);
	strbuf_release(&text);
}

static void
test_fragments(void **state)
{
	static const struct {
		const char *html, *want;
	} rows[] = {
		{ "", "" },
		{ "plain", "plain" },
		{ "<p>One</p><p>two</p>", "One two" },
		{ "one<br/>two<BR>three", "one two three" },
		{ "in<i>line</i> <b>bold</b>", "inline bold" },
		{ "caf&eacute; &amp; &#8217;x&#x27;", "café & ’x'" },
		{ "a &lt;b&gt; c", "a <b> c" },
		{ "x < 3 and y > 4", "x < 3 and y > 4" },
		{ "H<sub>2</sub>O at 10<sup>-6</sup>", "H₂O at 10⁻⁶" },
		{ "a<script>alert('<p>')</script>b<style>p{}</style>c", "abc" },
		{ "a<SCRIPT src='x>y'>bad()</Script >b", "ab" },
		{ "a<script>never closed", "anever closed" },
		{ "a<!-- <p>no</p> -->b<?php x ?>c<!DOCTYPE html>d", "abcd" },
		{ "a<!-- open", "a" },
		{ "<![CDATA[x]]>", "x]]>" },
		{ "<a href=\"x>y\" title='>'>link</a>", "link" },
		{ "<img src=x onerror=alert(1)>text", "text" },
		{ "<a href=\"open>text", "text" },
		{ "<jats:title>Abstract</jats:title><jats:p>We "
		  "<jats:italic>show</jats:italic>.</jats:p>",
		    "Abstract We show." },
		{ "<mml:math><mml:mi>x</mml:mi><mml:mo>=</mml:mo><mml:mn>2</mml:mn></mml:math>",
		    "x=2" },
		{ "<math><mi>x</mi><annotation>\\x</annotation></math>", "x" },
		{ "a <math alttext=\"\\gamma\"><mi>\u03b3</mi></math> b", "a $\\gamma$ b" },
		{ "a <math alttext=\"\"><mi>\u03b3</mi></math> b", "a \u03b3 b" },
		{ "<math><mi>x</mi><annotation encoding=\"application/x-tex\"> x_1 "
		  "</annotation></math>",
		    "$x_1$" },
		{ "<jats:inline-formula><jats:alternatives><jats:tex-math>$\\beta^2$</"
		  "jats:tex-math>"
		  "<mml:math><mml:mi>b</mml:mi></mml:math></jats:alternatives></"
		  "jats:inline-formula>.",
		    "$\\beta^2$." },
		{ "<inline-formula><tex-math>\\documentclass[12pt]{minimal}\\begin{document}$$p "
		  "&lt; q$$"
		  "\\end{document}</tex-math></inline-formula>!",
		    "$p < q$!" },
		{ "<inline-formula><mml:math><mml:mi>b</mml:mi></mml:math></inline-formula>", "b" },
		{ "<inline-formula>never <tex-math>closed", "never closed" },
		{ "<math alttext=\"<b>\"><mi>y</mi></math>", "y" },
		{ "<mml:annotation>no</mml:math></mml:annotation>x", "x" },
		{ "<script>a</scripts></script\n>b", "b" },
		{ "<svg><text>no</text></svg>yes", "yes" },
		{ "<plaintext>a <b>b</b>", "a b" },
		{ "</p></div>end<", "end<" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		check_text(i, rows[i].html, rows[i].want);
}

/* Each would take a parser of trees many seconds. */
static void
test_bombs(void **state)
{
	static const char *const pieces[] = { "<div>", "<sup>", "<script>", "<a b='", "<!--", "</",
		"<b c ", "</a", "</scriptx", "<math>", "<math><math></math>" };

	(void)state;
	for (size_t i = 0; i < COUNT(pieces); i++) {
		struct strbuf html, out;

		strbuf_init(&html, 1u << 20);
		strbuf_init(&out, 4u << 20);
		if (pieces[i][1] == '/') /* looked for to the end */
			strbuf_add(&html, "<script>");
		while (html.len < MAX_HTML_FIELD)
			strbuf_add(&html, pieces[i]);
		text_add_html(&out, html.buf, html.len);
		if (out.state != STRBUF_OK || strstr(out.buf, "<div") != NULL)
			fail_msg("row %zu: %s", i, pieces[i]);
		strbuf_release(&out);
		strbuf_release(&html);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fragments),
		cmocka_unit_test(test_bombs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
