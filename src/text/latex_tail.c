#include "text/latex.h"
#include "digest/utf8.h"

#include <utf8proc.h>

#include <ctype.h>
#include <string.h>

/* Forms are at most three bytes for one; what is longer than this is no exponent. */
enum { MAX_FORM_BYTES = 16 * 1024 };

void
latex_insert(struct strbuf *out, size_t mark, const char *text)
{
	size_t n = strlen(text), tail = out->len - mark;

	strbuf_addn(out, text, n);
	if (out->state != STRBUF_OK || n == 0)
		return;
	memmove(out->buf + mark + n, out->buf + mark, tail);
	memcpy(out->buf + mark, text, n);
}

bool
latex_transform(struct strbuf *out, size_t mark, const char *(*of)(uint32_t cp))
{
	struct strbuf forms;
	bool all = out->len > mark;

	strbuf_init(&forms, MAX_FORM_BYTES);
	for (size_t at = mark; all && at < out->len;) {
		uint32_t cp;
		size_t n = utf8_decode(out->buf + at, out->len - at, &cp);
		const char *form = n > 0 ? of(cp) : NULL;

		all = form != NULL;
		if (all)
			strbuf_add(&forms, form);
		at += n;
	}
	all = all && forms.state == STRBUF_OK;
	if (all) {
		strbuf_truncate(out, mark);
		strbuf_addn(out, forms.buf, forms.len);
	}
	strbuf_release(&forms);
	return all;
}

/* True when what was appended since mark is more than one word or number and needs brackets in a
 * formula. */
static bool
is_compound(const struct strbuf *out, size_t mark)
{
	uint32_t first;

	if (mark + utf8_decode(out->buf + mark, out->len - mark, &first) == out->len)
		return false;
	for (size_t at = mark; at < out->len;) {
		utf8proc_category_t c;
		uint32_t cp;
		size_t n = utf8_decode(out->buf + at, out->len - at, &cp);

		if (n == 0)
			return true;
		c = utf8proc_category((utf8proc_int32_t)cp);
		if (cp != '.' && cp != 0x221e && cp != '|' &&
		    (c < UTF8PROC_CATEGORY_LU || c > UTF8PROC_CATEGORY_NO))
			return true;
		at += n;
	}
	return false;
}

/* True when it is a product: "2p", "μn", but not "10", "xᵢ". */
static bool
is_product(const struct strbuf *out, size_t mark)
{
	bool in_number = false;
	int nfactors = 0;

	for (size_t at = mark; at < out->len;) {
		utf8proc_category_t c;
		uint32_t cp;
		size_t n = utf8_decode(out->buf + at, out->len - at, &cp);
		bool digit = n == 1 && (isdigit((int)cp) || cp == '.');

		if (n == 0)
			return true;
		c = utf8proc_category((utf8proc_int32_t)cp);
		if (digit ? !in_number : c == UTF8PROC_CATEGORY_LU || c == UTF8PROC_CATEGORY_LL)
			nfactors++;
		in_number = digit;
		at += n;
	}
	return nfactors > 1;
}

void
latex_bracket(struct strbuf *out, size_t mark, bool also_products)
{
	if (is_compound(out, mark) || (also_products && is_product(out, mark))) {
		latex_insert(out, mark, "(");
		strbuf_addc(out, ')');
	}
}

/* Letter and combining character as one, when Unicode has it. */
static bool
compose(uint32_t letter, const char *accent, uint32_t *composed)
{
	utf8proc_int32_t cps[2];
	uint32_t mark;

	/* The accent goes on the dot's place: \'{\i} is í. */
	letter = letter == 0x131 ? 'i' : letter == 0x237 ? 'j' : letter;
	utf8_decode(accent, strlen(accent), &mark);
	cps[0] = (utf8proc_int32_t)letter;
	cps[1] = (utf8proc_int32_t)mark;
	if (utf8proc_normalize_utf32(cps, 2, UTF8PROC_COMPOSE | UTF8PROC_STABLE) != 1)
		return false;
	*composed = (uint32_t)cps[0];
	return true;
}

bool
latex_set_accent(struct strbuf *out, size_t mark, const char *accent)
{
	uint32_t cp, composed;
	size_t n = utf8_decode(out->buf + mark, out->len - mark, &cp);
	size_t rest = out->len - mark - n, m;
	char letter[4];

	if (n == 0 || !compose(cp, accent, &composed))
		return false;
	m = utf8_encode(composed, letter);
	/* Make room; the composed letter may be longer than the plain one, or shorter. */
	for (size_t i = n; i < m; i++)
		strbuf_addc(out, ' ');
	if (out->state != STRBUF_OK)
		return true;
	memmove(out->buf + mark + m, out->buf + mark + n, rest);
	memcpy(out->buf + mark, letter, m);
	strbuf_truncate(out, mark + m + rest);
	return true;
}
