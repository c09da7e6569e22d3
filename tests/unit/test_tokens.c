#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "digest/text.h"

#include <stdio.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* The words of a text as "form form(joined/n) ...". */
static void
describe(const char *text, struct strbuf *out)
{
	struct token_list list;

	tokens_init(&list);
	assert_int_equal(tokens_add(&list, text, strlen(text), 0, NULL), 0);
	for (size_t i = 0; i < list.len; i++) {
		const struct token *t = &list.tokens[i];

		assert_int_equal(t->position, i);
		assert_true(t->start < t->end && t->end <= strlen(text));
		if (i > 0) {
			strbuf_addc(out, ' ');
			assert_true(t->start >= list.tokens[i - 1].end);
		}
		strbuf_add(out, token_form(&list, t));
		if (t->joined != 0)
			strbuf_addf(out, "(%s/%u)", list.forms.buf + t->joined, t->njoined);
		else
			assert_int_equal(t->njoined, 0);
	}
	tokens_release(&list);
}

static void
test_words(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "", "" },
		{ " \n\t ", "" },
		{ "... --- '", "" },
		{ "Fast Diffusion on Phones", "fast diffusion on phones" },
		{ "one,two;three:four|five", "one two three four five" },
		/* hyphens: the parts, and the joined word at the first */
		{ "pre-training", "pre(pretraining/2) training" },
		{ "state-of-the-art results", "state(stateoftheart/4) of the art results" },
		{ "GPT-4o", "gpt(gpt4o/2) 4o" },
		{ "k-NN and $k$-NN", "k(knn/2) nn and k nn" },
		{ "pre\xe2\x80\x90training pre\xe2\x80\x91training",
		    "pre(pretraining/2) training pre(pretraining/2) training" },
		{ "Gromov\xe2\x80\x93Wasserstein", "gromov wasserstein" },
		{ "a- b -c a--b -", "a b c a b" },
		{ "hep-th/9901001", "hep(hepth/2) th 9901001" },
		/* apostrophes */
		{ "it's", "it(its/2) s" },
		{ "it\xe2\x80\x99s", "it(its/2) s" },
		{ "Bayes' theorem", "bayes theorem" },
		{ "O'Brien", "o(obrien/2) brien" },
		{ "'quoted' words", "quoted words" },
		{ "state-of-the-art's", "state(stateofthearts/5) of the art s" },
		/* '+', '#' and '.' */
		{ "C++ and C# and F#.", "c++ and c# and f#" },
		{ "C++-based C++17 C#7 A+B", "c++(c++based/2) based c++ 17 c 7 a b" },
		{ "5+ Title### issue#12 ++", "5 title issue 12" },
		{ "AMEND++: a benchmark", "amend++ a benchmark" },
		{ ".NET (.NET) ASP.NET end.Next ...NET", ".net .net asp net end next net" },
		{ "0.5 v1.2 2312.00752v2 Qwen2.5-VL",
		    "0.5 v1.2 2312.00752v2 qwen2.5(qwen2.5vl/2) vl" },
		{ "arXiv:2312.00752.", "arxiv 2312.00752" },
		{ "e.g. U.S. 1. 2.x", "e g u s 1 2 x" },
		{ "pass@k execute_code R&D and/or", "pass k execute code r d and or" },
		/* digits and letters together */
		{ "3D 4-bit S4", "3d 4(4bit/2) bit s4" },
		{ "\xce\xbcP", "\xce\xbcp" },
		{ "\xc2\xb5P", "\xce\xbcp" },
		{ "H\xe2\x82\x82O M\xc2\xb2SNet", "h2o m2snet" },
		{ "\xe2\x84\x93\xe2\x82\x81", "l1" },
		{ "\xe2\x88\x82"
		  "CBDs",
		    "cbds" },
		/* folding */
		{ "Schr\xc3\xb6"
		  "dinger Erd\xc5\x91s \xc5\x81ukasz",
		    "schrodinger erdos lukasz" },
		{ "e\xcc\x81tude \xef\xac\x81ne \xef\xbc\xae\xef\xbd\x85\xef\xbc\xb2\xef\xbc\xa6",
		    "etude fine nerf" },
		{ "soft\xc2\xad"
		  "hyphen zero\xe2\x80\x8bwidth \xc2\xad",
		    "softhyphen zerowidth" },
		{ "pre\xc2\xad-training", "pre(pretraining/2) training" },
		/* one word for each ideograph, kana and hangul syllable */
		{ "\xe6\x89\xa9\xe6\x95\xa3\xe6\xa8\xa1\xe5\x9e\x8b",
		    "\xe6\x89\xa9 \xe6\x95\xa3 \xe6\xa8\xa1 \xe5\x9e\x8b" },
		{ "\xe3\x81\x8c\xe3\x81\x8b\xe3\x82\x99", "\xe3\x81\x8c \xe3\x81\x8c" },
		{ "\xef\xbd\xb6\xef\xbe\x9e", "\xe3\x82\xac" },
		{ "AI\xe6\xa8\xa1-x", "ai \xe6\xa8\xa1 x" },
		{ "\xed\x95\x9c\xea\xb5\xad", "\xed\x95\x9c \xea\xb5\xad" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct strbuf got;

		strbuf_init(&got, 10000);
		describe(cases[i].text, &got);
		if (strcmp(got.buf, cases[i].want) != 0)
			fail_msg("row %zu: '%s' has the words '%s', not '%s'", i, cases[i].text,
			    got.buf, cases[i].want);
		strbuf_release(&got);
	}
}

static void
test_offsets_are_the_words(void **state)
{
	static const struct {
		const char *text;
		const char *words[5];
	} cases[] = {
		{ "Fast C++, \xc3\x89tude.", { "Fast", "C++", "\xc3\x89tude" } },
		{ "pre-training v1.2.", { "pre", "training", "v1.2" } },
		{ "(.NET) so\xc2\xad"
		  "ft\xc2\xad!",
		    { ".NET",
			"so\xc2\xad"
			"ft" } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct token_list list;

		tokens_init(&list);
		assert_int_equal(
		    tokens_add(&list, cases[i].text, strlen(cases[i].text), 0, NULL), 0);
		for (size_t k = 0; cases[i].words[k] != NULL; k++) {
			const struct token *t = &list.tokens[k];

			assert_true(k < list.len);
			if (strlen(cases[i].words[k]) != t->end - t->start ||
			    memcmp(cases[i].text + t->start, cases[i].words[k],
				t->end - t->start) != 0)
				fail_msg("row %zu, word %zu", i, k);
		}
		tokens_release(&list);
	}
}

static void
test_lists_grow_and_reset(void **state)
{
	struct token_list list;

	(void)state;
	tokens_init(&list);
	assert_int_equal(tokens_add(&list, "one-two", 7, 0, NULL), 0);
	assert_int_equal(tokens_add(&list, "three-", 6, 100, NULL), 0);
	assert_int_equal(tokens_add(&list, "four", 4, 200, NULL), 0);
	assert_int_equal(list.len, 4);
	assert_string_equal(token_form(&list, &list.tokens[0]), "one");
	assert_string_equal(token_form(&list, &list.tokens[3]), "four");
	assert_int_equal(list.tokens[2].position, 100);
	assert_int_equal(list.tokens[2].joined, 0);
	assert_int_equal(list.tokens[3].position, 200);
	tokens_reset(&list);
	assert_int_equal(list.len, 0);
	assert_int_equal(tokens_add(&list, "again", 5, 0, NULL), 0);
	assert_string_equal(token_form(&list, &list.tokens[0]), "again");
	tokens_release(&list);
	tokens_release(&list);
}

static void
test_too_many_words_are_refused(void **state)
{
	enum { LEN = 3 << 20 };
	struct error err = { 0 };
	struct token_list list;
	struct strbuf text;

	(void)state;
	strbuf_init(&text, LEN);
	for (int i = 0; i < LEN / 2; i++)
		strbuf_add(&text, "a ");
	tokens_init(&list);
	assert_int_equal(tokens_add(&list, text.buf, text.len, 0, &err), -1);
	assert_int_equal(err.kind, ERR_NOMEM);
	tokens_release(&list);
	strbuf_reset(&text);
	for (int i = 0; i < LEN / 4; i++)
		strbuf_add(&text, "a-");
	assert_int_equal(tokens_add(&list, text.buf, text.len, 0, NULL), 0);
	assert_int_equal(list.tokens[0].njoined, LEN / 4);
	tokens_release(&list);
	strbuf_release(&text);
}

static void
test_broken_bytes_separate(void **state)
{
	struct token_list list;

	(void)state;
	tokens_init(&list);
	assert_int_equal(tokens_add(&list,
			     "a\xff"
			     "b\xc3",
			     4, 0, NULL),
	    0);
	assert_int_equal(list.len, 2);
	tokens_release(&list);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_offsets_are_the_words),
		cmocka_unit_test(test_lists_grow_and_reset),
		cmocka_unit_test(test_too_many_words_are_refused),
		cmocka_unit_test(test_broken_bytes_separate),
	};

	return cmocka_run_group_tests_name("token", tests, NULL, NULL);
}
