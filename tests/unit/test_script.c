/* What the letters of a title say about its language. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "digest/text.h"

static const struct {
	const char *text, *language;
} cases[] = {
	{ "", "" },
	{ "Splatting at 900 fps", "" },
	{ "Über die Größe", "" }, /* any language of Latin letters */
	{ "大規模言語モデルによる計画", "ja" },
	{ "PyTorchによる自律エージェント", "ja" },
	{ "大规模语言模型综述", "zh" },
	{ "基于 Transformer 的大规模语言模型综述", "zh" },
	{ "대규모 언어 모델", "ko" },
	{ "نماذج لغوية كبيرة", "ar" },
	{ "نماذج GPT-4 لغوية", "ar" },
	{ "שדות קרינה", "he" },
	{ "Большие языковые модели", "und" }, /* Russian, or Bulgarian */
	{ "Νευρωνικά δίκτυα", "el" },
	{ "แบบจำลองภาษา", "th" },
	{ "भाषा मॉडल", "und" },		      /* Hindi, or Marathi */
	{ "Reading 漢字 in old prints", "" }, /* a word that is spoken of */
	{ "α-β pruning with λ-returns", "" },
	{ "δ²/σ²", "" }, /* mathematics, not Greek */
	{ "\xff\xfe", "" },
};

static void
test_script_language(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (strcmp(text_script_language(cases[i].text), cases[i].language) != 0)
			fail_msg("row %zu: '%s' is '%s'", i, cases[i].text,
			    text_script_language(cases[i].text));
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_script_language) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
