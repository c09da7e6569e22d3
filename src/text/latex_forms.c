#include "text/latex.h"

#include <stdlib.h>

struct form {
	uint32_t cp;
	const char *text;
};

/* Those that end in themselves (a star, a prime, a dagger) need no form of their own above the
 * line. */
static const struct form raised[] = {
	/* clang-format off */
	{ 0x0028, "⁽" }, /* ( */
	{ 0x0029, "⁾" }, /* ) */
	{ 0x002a, "*" }, /* * */
	{ 0x002b, "⁺" }, /* + */
	{ 0x002d, "⁻" }, /* - */
	{ 0x0030, "⁰" }, /* 0 */
	{ 0x0031, "¹" }, /* 1 */
	{ 0x0032, "²" }, /* 2 */
	{ 0x0033, "³" }, /* 3 */
	{ 0x0034, "⁴" }, /* 4 */
	{ 0x0035, "⁵" }, /* 5 */
	{ 0x0036, "⁶" }, /* 6 */
	{ 0x0037, "⁷" }, /* 7 */
	{ 0x0038, "⁸" }, /* 8 */
	{ 0x0039, "⁹" }, /* 9 */
	{ 0x003d, "⁼" }, /* = */
	{ 0x0041, "ᴬ" }, /* A */
	{ 0x0042, "ᴮ" }, /* B */
	{ 0x0044, "ᴰ" }, /* D */
	{ 0x0045, "ᴱ" }, /* E */
	{ 0x0047, "ᴳ" }, /* G */
	{ 0x0048, "ᴴ" }, /* H */
	{ 0x0049, "ᴵ" }, /* I */
	{ 0x004a, "ᴶ" }, /* J */
	{ 0x004b, "ᴷ" }, /* K */
	{ 0x004c, "ᴸ" }, /* L */
	{ 0x004d, "ᴹ" }, /* M */
	{ 0x004e, "ᴺ" }, /* N */
	{ 0x004f, "ᴼ" }, /* O */
	{ 0x0050, "ᴾ" }, /* P */
	{ 0x0052, "ᴿ" }, /* R */
	{ 0x0054, "ᵀ" }, /* T */
	{ 0x0055, "ᵁ" }, /* U */
	{ 0x0056, "ⱽ" }, /* V */
	{ 0x0057, "ᵂ" }, /* W */
	{ 0x0061, "ᵃ" }, /* a */
	{ 0x0062, "ᵇ" }, /* b */
	{ 0x0063, "ᶜ" }, /* c */
	{ 0x0064, "ᵈ" }, /* d */
	{ 0x0065, "ᵉ" }, /* e */
	{ 0x0066, "ᶠ" }, /* f */
	{ 0x0067, "ᵍ" }, /* g */
	{ 0x0068, "ʰ" }, /* h */
	{ 0x0069, "ⁱ" }, /* i */
	{ 0x006a, "ʲ" }, /* j */
	{ 0x006b, "ᵏ" }, /* k */
	{ 0x006c, "ˡ" }, /* l */
	{ 0x006d, "ᵐ" }, /* m */
	{ 0x006e, "ⁿ" }, /* n */
	{ 0x006f, "ᵒ" }, /* o */
	{ 0x0070, "ᵖ" }, /* p */
	{ 0x0072, "ʳ" }, /* r */
	{ 0x0073, "ˢ" }, /* s */
	{ 0x0074, "ᵗ" }, /* t */
	{ 0x0075, "ᵘ" }, /* u */
	{ 0x0076, "ᵛ" }, /* v */
	{ 0x0077, "ʷ" }, /* w */
	{ 0x0078, "ˣ" }, /* x */
	{ 0x0079, "ʸ" }, /* y */
	{ 0x007a, "ᶻ" }, /* z */
	{ 0x00b0, "°" }, /* ° */
	{ 0x03b2, "ᵝ" }, /* β */
	{ 0x03b3, "ᵞ" }, /* γ */
	{ 0x03b4, "ᵟ" }, /* δ */
	{ 0x03b5, "ᵋ" }, /* ε */
	{ 0x03b8, "ᶿ" }, /* θ */
	{ 0x03b9, "ᶥ" }, /* ι */
	{ 0x03c6, "ᵠ" }, /* φ */
	{ 0x03c7, "ᵡ" }, /* χ */
	{ 0x2020, "†" }, /* † */
	{ 0x2021, "‡" }, /* ‡ */
	{ 0x2032, "′" }, /* ′ */
	{ 0x2212, "⁻" }, /* − */
	{ 0x2217, "*" }, /* ∗ */
	{ 0x2218, "°" }, /* ∘ */
	{ 0x22a4, "ᵀ" }, /* ⊤ */
	{ 0x22a5, "⊥" }, /* ⊥ */
	{ 0x22ba, "ᵀ" }, /* ⊺ */
	{ 0x22c6, "⋆" }, /* ⋆ */
	/* clang-format on */
};

static const struct form lowered[] = {
	/* clang-format off */
	{ 0x0028, "₍" }, /* ( */
	{ 0x0029, "₎" }, /* ) */
	{ 0x002b, "₊" }, /* + */
	{ 0x002d, "₋" }, /* - */
	{ 0x0030, "₀" }, /* 0 */
	{ 0x0031, "₁" }, /* 1 */
	{ 0x0032, "₂" }, /* 2 */
	{ 0x0033, "₃" }, /* 3 */
	{ 0x0034, "₄" }, /* 4 */
	{ 0x0035, "₅" }, /* 5 */
	{ 0x0036, "₆" }, /* 6 */
	{ 0x0037, "₇" }, /* 7 */
	{ 0x0038, "₈" }, /* 8 */
	{ 0x0039, "₉" }, /* 9 */
	{ 0x003d, "₌" }, /* = */
	{ 0x0061, "ₐ" }, /* a */
	{ 0x0065, "ₑ" }, /* e */
	{ 0x0068, "ₕ" }, /* h */
	{ 0x0069, "ᵢ" }, /* i */
	{ 0x006a, "ⱼ" }, /* j */
	{ 0x006b, "ₖ" }, /* k */
	{ 0x006c, "ₗ" }, /* l */
	{ 0x006d, "ₘ" }, /* m */
	{ 0x006e, "ₙ" }, /* n */
	{ 0x006f, "ₒ" }, /* o */
	{ 0x0070, "ₚ" }, /* p */
	{ 0x0072, "ᵣ" }, /* r */
	{ 0x0073, "ₛ" }, /* s */
	{ 0x0074, "ₜ" }, /* t */
	{ 0x0075, "ᵤ" }, /* u */
	{ 0x0076, "ᵥ" }, /* v */
	{ 0x0078, "ₓ" }, /* x */
	{ 0x03b2, "ᵦ" }, /* β */
	{ 0x03b3, "ᵧ" }, /* γ */
	{ 0x03c1, "ᵨ" }, /* ρ */
	{ 0x03c6, "ᵩ" }, /* φ */
	{ 0x03c7, "ᵪ" }, /* χ */
	{ 0x2212, "₋" }, /* − */
	/* clang-format on */
};

/* Letters of the alphabets that Unicode had before the blocks of mathematical letters. */
static const struct {
	char font, letter;
	uint32_t cp;
} odd_letters[] = {
	{ 'b', 'C', 0x2102 },
	{ 'b', 'H', 0x210d },
	{ 'b', 'N', 0x2115 },
	{ 'b', 'P', 0x2119 },
	{ 'b', 'Q', 0x211a },
	{ 'b', 'R', 0x211d },
	{ 'b', 'Z', 0x2124 },
	{ 'c', 'B', 0x212c },
	{ 'c', 'E', 0x2130 },
	{ 'c', 'F', 0x2131 },
	{ 'c', 'H', 0x210b },
	{ 'c', 'I', 0x2110 },
	{ 'c', 'L', 0x2112 },
	{ 'c', 'M', 0x2133 },
	{ 'c', 'R', 0x211b },
	{ 'c', 'e', 0x212f },
	{ 'c', 'g', 0x210a },
	{ 'c', 'o', 0x2134 },
	{ 'f', 'C', 0x212d },
	{ 'f', 'H', 0x210c },
	{ 'f', 'I', 0x2111 },
	{ 'f', 'R', 0x211c },
	{ 'f', 'Z', 0x2128 },
};

static int
compare_form(const void *key, const void *element)
{
	uint32_t cp = *(const uint32_t *)key;
	const struct form *f = element;

	return cp < f->cp ? -1 : cp > f->cp;
}

const char *
latex_raised(uint32_t cp)
{
	const struct form *f = bsearch(
	    &cp, raised, sizeof(raised) / sizeof(raised[0]), sizeof(raised[0]), compare_form);

	return f != NULL ? f->text : NULL;
}

const char *
latex_lowered(uint32_t cp)
{
	const struct form *f = bsearch(
	    &cp, lowered, sizeof(lowered) / sizeof(lowered[0]), sizeof(lowered[0]), compare_form);

	return f != NULL ? f->text : NULL;
}

uint32_t
latex_font_letter(char font, uint32_t cp)
{
	uint32_t capitals = font == 'b' ? 0x1d538 : font == 'c' ? 0x1d49c : 0x1d504;

	for (size_t i = 0; i < sizeof(odd_letters) / sizeof(odd_letters[0]); i++)
		if (odd_letters[i].font == font && (uint32_t)odd_letters[i].letter == cp)
			return odd_letters[i].cp;
	if (cp >= 'A' && cp <= 'Z')
		return capitals + cp - 'A';
	if (cp >= 'a' && cp <= 'z')
		return capitals + 26 + cp - 'a';
	if (font == 'b' && cp >= '0' && cp <= '9')
		return 0x1d7d8 + cp - '0';
	return 0;
}
