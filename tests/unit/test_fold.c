#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "digest/text.h"

#include <string.h>

#include "digest/utf8.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void
fold(const char *text, size_t len, struct strbuf *out)
{
	strbuf_reset(out);
	text_add_folded(out, text, len);
	assert_int_equal(strbuf_check(out, NULL), 0);
}

static void
test_folded(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "", "" },
		{ "Plain ASCII, 42!", "plain ascii, 42!" },
		{ "Gau\xc3\x9f", "gauss" },
		{ "\xe1\xba\x9e", "ss" }, /* capital sharp s */
		{ "\xc3\x85ngstr\xc3\xb6m", "angstrom" },
		{ "A\xcc\x8angstro\xcc\x88m", "angstrom" },
		{ "\xc4\x90\xe1\xba\xb7ng Th\xc3\xb9y", "dang thuy" },
		{ "\xc5\x81\xc3\xb3"
		  "d\xc5\xba",
		    "lodz" },
		{ "S\xc3\xb8ren \xc3\x86r\xc3\xb8", "soren aero" },
		{ "\xc5\x92uvre \xc3\x9eorn \xc4\xa6", "oeuvre thorn h" },
		{ "\xc4\xb0stanbul \xc4\xb1", "istanbul i" },
		{ "\xc7\xbf", "o" }, /* ø with acute */
		{ "\xce\xa3\xce\x8a\xce\xa3\xce\xa5\xce\xa6\xce\x9f\xce\xa3",
		    "\xcf\x83\xce\xb9\xcf\x83\xcf\x85\xcf\x86\xce\xbf\xcf\x83" },
		{ "\xd0\x99\xd0\x81", "\xd0\xb8\xd0\xb5" }, /* Й Ё */
		{ "H\xe2\x82\x82O \xef\xac\x81 \xe2\x91\xa0", "h2o fi 1" },
		{ "\xf0\x9d\x90\x80\xe2\x84\x9d", "ar" }, /* mathematical letters */
		{ "\xef\xbc\xae\xef\xbd\x85", "ne" },
		{ "so\xc2\xad"
		  "ft z\xe2\x80\x8bw",
		    "soft zw" },
		{ "\xe3\x81\x8b\xe3\x82\x99", "\xe3\x81\x8c" }, /* が stays が */
		{ "\xe3\x81\x8c", "\xe3\x81\x8c" },
		{ "\xe0\xa4\x95\xe0\xa4\xbf", "\xe0\xa4\x95\xe0\xa4\xbf" }, /* कि keeps its vowel */
		{ "\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab", "\xed\x95\x9c" }, /* jamo make 한 */
		{ "x\xcc\x81\xcc\x81\xcc\x81\xcc\x81y", "xy" },
	};
	struct strbuf got;

	(void)state;
	strbuf_init(&got, 1000);
	for (size_t i = 0; i < COUNT(cases); i++) {
		fold(cases[i].text, strlen(cases[i].text), &got);
		if (strcmp(got.buf, cases[i].want) != 0)
			fail_msg("row %zu: '%s' folds to '%s'", i, cases[i].text, got.buf);
	}
	strbuf_release(&got);
}

/* Every character of Unicode alone, and with an acute accent. */
static void
test_folding_twice_changes_nothing(void **state)
{
	struct strbuf once, twice;

	(void)state;
	strbuf_init(&once, 1000);
	strbuf_init(&twice, 1000);
	for (uint32_t cp = 1; cp <= 0x10ffff; cp++) {
		char text[8];
		unsigned n = utf8_encode(cp, text);

		memcpy(text + n, "\xcc\x81", 2);
		for (unsigned accent = 0; accent <= 2; accent += 2) {
			fold(text, n + accent, &once);
			fold(once.buf, once.len, &twice);
			if (strcmp(once.buf, twice.buf) != 0)
				fail_msg("U+%04X: '%s', then '%s'", cp, once.buf, twice.buf);
		}
	}
	strbuf_release(&once);
	strbuf_release(&twice);
}

static void
test_stacked_marks_cost_little(void **state)
{
	struct strbuf text, got;

	(void)state;
	strbuf_init(&text, 1 << 20);
	strbuf_init(&got, 1 << 20);
	strbuf_add(&text, "\xe3\x81\x8b");
	for (int i = 0; i < 100000; i++)
		strbuf_add(&text, "\xe3\x82\x99");
	strbuf_add(&text, "Z");
	fold(text.buf, text.len, &got);
	assert_true(got.len < 200);
	assert_int_equal(got.buf[got.len - 1], 'z');
	strbuf_release(&text);
	strbuf_release(&got);
}

static void
test_normal_words(void **state)
{
	/* Each row is one word to the filter language. */
	static const char *const same[][4] = {
		{ "model", "models" },
		{ "agent", "agents" },
		{ "llm", "llms" },
		{ "gpu", "gpus" },
		{ "api", "apis" },
		{ "study", "studies" },
		{ "tie", "ties" },
		{ "class", "classes" },
		{ "loss", "losses" },
		{ "batch", "batches" },
		{ "cache", "caches" },
		{ "mesh", "meshes" },
		{ "box", "boxes" },
		{ "index", "indices", "indexes" },
		{ "matrix", "matrices" },
		{ "analysis", "analyses" },
		{ "hypothesis", "hypotheses" },
		{ "database", "databases" },
		{ "response", "responses" },
		{ "virus", "viruses" },
		{ "bias", "biases" },
		{ "criterion", "criteria" },
		{ "metric", "metrics" },
		{ "movie", "movies" },
		{ "size", "sizes" },
		{ "optimise", "optimize" },
		{ "optimisation", "optimization", "optimisations", "optimizations" },
		{ "optimised", "optimized" },
		{ "tokeniser", "tokenizer", "tokenisers", "tokenizers" },
		{ "analyse", "analyze" },
		{ "analysing", "analyzing" },
		{ "behaviour", "behavior", "behaviours", "behaviors" },
		{ "neighbourhood", "neighborhood" },
		{ "colour", "color" },
		{ "unfavourable", "unfavorable" },
		{ "modelling", "modeling" },
		{ "labelled", "labeled" },
		{ "centre", "center", "centres", "centers" },
		{ "agi", "agis" },
		{ "xpu", "xpus" },
		{ "virus", "viruses" },
	};
	/* Words that stay apart; the first and last of the tables among them. */
	static const char *const apart[][2] = { { "new", "news" }, { "aid", "aids" },
		{ "wherea", "whereas" }, { "physic", "physics" }, { "dynamic", "dynamics" },
		{ "bay", "bayes" }, { "len", "lens" }, { "sar", "sars" }, { "spec", "species" },
		{ "analysi", "analysis" }, { "los", "loss" }, { "thi", "this" }, { "ga", "gas" },
		{ "corpu", "corpus" }, { "rise", "rize" }, { "ising", "izing" },
		{ "contour", "contor" }, { "four", "for" }, { "hour", "hor" } };

	(void)state;
	for (size_t i = 0; i < COUNT(same); i++) {
		char first[64], other[64];

		text_normal_word(same[i][0], first, sizeof(first));
		for (size_t k = 1; k < 4 && same[i][k] != NULL; k++) {
			text_normal_word(same[i][k], other, sizeof(other));
			if (strcmp(first, other) != 0)
				fail_msg(
				    "'%s' is %s, '%s' is %s", same[i][0], first, same[i][k], other);
		}
		text_normal_word(first, other, sizeof(other));
		if (strcmp(first, other) != 0)
			fail_msg("'%s' is %s, then %s", same[i][0], first, other);
	}
	for (size_t i = 0; i < COUNT(apart); i++) {
		char a[64], b[64];

		text_normal_word(apart[i][0], a, sizeof(a));
		text_normal_word(apart[i][1], b, sizeof(b));
		if (strcmp(a, b) == 0)
			fail_msg("'%s' and '%s' are both %s", apart[i][0], apart[i][1], a);
	}
}

static void
test_normal_words_at_the_edges(void **state)
{
	char out[300], longer[400];

	(void)state;
	text_normal_word("", out, sizeof(out));
	assert_string_equal(out, "");
	text_normal_word("s", out, sizeof(out));
	assert_string_equal(out, "s");
	text_normal_word("models", out, 4);
	assert_string_equal(out, "mod");
	text_normal_word("\xcf\x83\xce\xb9s", out, sizeof(out));
	assert_string_equal(out, "\xcf\x83\xce\xb9s");
	memset(longer, 's', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	text_normal_word(longer, out, sizeof(out));
	assert_int_equal(strlen(out), sizeof(out) - 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_folded),
		cmocka_unit_test(test_folding_twice_changes_nothing),
		cmocka_unit_test(test_stacked_marks_cost_little),
		cmocka_unit_test(test_normal_words),
		cmocka_unit_test(test_normal_words_at_the_edges),
	};

	return cmocka_run_group_tests_name("fold", tests, NULL, NULL);
}
