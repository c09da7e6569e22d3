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

/* What stands in a tail, as far as brackets depend on it. Nothing inside its own brackets counts. */
struct shape {
	size_t nchars;
	/* Letters, numbers, brackets, bars: 2 in "2p" and "n(n+1)", 1 in "xᵢ" and "√n". */
	size_t nfactors;
	bool loose;    /* a sum, a list, several words */
	bool scripted; /* something is raised or lowered */
	bool raised;
	bool brackets;
	bool starts_digit;
};

/* The walk through a tail. */
struct walk {
	struct shape *shape;
	uint32_t before;   /* the character before */
	int depth;	   /* of brackets */
	bool sum;	   /* in those of depth 1 stands more than the arguments of a function */
	bool after_letter; /* they follow a letter */
	bool in_bars;
	bool in_script; /* behind '^' or '_': one word or number */
};

static bool
is_raised(uint32_t cp)
{
	return cp == 0xb2 || cp == 0xb3 || cp == 0xb9 || (cp >= 0x2070 && cp <= 0x207f) ||
	    (cp >= 0x2b0 && cp <= 0x2e4) || (cp >= 0x1d2c && cp <= 0x1d61) ||
	    (cp >= 0x1d9c && cp <= 0x1dbf) || cp == 0x2c7d;
}

static bool
is_letter(uint32_t cp)
{
	utf8proc_category_t c = utf8proc_category((utf8proc_int32_t)cp);

	return c == UTF8PROC_CATEGORY_LU || c == UTF8PROC_CATEGORY_LL || c == UTF8PROC_CATEGORY_LO;
}

/* Signs that belong to the one factor they stand at: x′, 5%, ∂f, √n, ∞. */
static bool
is_close(uint32_t cp)
{
	static const uint32_t signs[] = { '.', '!', '%', '*', 0xb0, 0x2020, 0x2021, 0x2032, 0x2033,
		0x2034, 0x2202, 0x2207, 0x221a, 0x221e, 0x22c6, 0x22a4, 0x22a5 };
	utf8proc_category_t c = utf8proc_category((utf8proc_int32_t)cp);

	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		if (signs[i] == cp)
			return true;
	return c >= UTF8PROC_CATEGORY_LU && c <= UTF8PROC_CATEGORY_NO;
}

static bool
is_digit(uint32_t cp)
{
	return cp < 0x80 && isdigit((int)cp);
}

/* 1 = opens, -1 = closes, 0 = no bracket */
static int
bracket_of(uint32_t cp)
{
	static const uint32_t brackets[][2] = { { '(', ')' }, { '[', ']' }, { '{', '}' },
		{ 0x27e8, 0x27e9 } };

	for (size_t i = 0; i < sizeof(brackets) / sizeof(brackets[0]); i++)
		if (brackets[i][0] == cp || brackets[i][1] == cp)
			return brackets[i][0] == cp ? 1 : -1;
	return 0;
}

/* Brackets are a factor: behind a letter they may be the arguments of a function, unless a sum stands in them. */
static void
end_brackets(struct walk *w)
{
	if (!w->in_script && (!w->after_letter || (w->sum && w->before != 0x221a)))
		w->shape->nfactors++;
}

/* A bracket, or what stands inside of some: true when that is all cp is. */
static bool
walk_bracket(struct walk *w, uint32_t cp)
{
	int way = bracket_of(cp);

	if (w->depth == 0 && way == -1) {
		w->shape->loose = true;
		return true;
	}
	if (w->depth == 0 && way == 0)
		return false;
	if (w->depth == 0) {
		w->after_letter = is_letter(w->before) || w->before == 0x221a;
		w->sum = false;
		w->shape->brackets = true;
	} else if (w->depth == 1 && way == 0 && !is_close(cp) && cp != ',') {
		w->sum = true;
	}
	w->depth += way;
	if (w->depth == 0)
		end_brackets(w);
	return true;
}

static bool
is_lowered(uint32_t cp)
{
	return (cp >= 0x2080 && cp <= 0x209c) || (cp >= 0x1d62 && cp <= 0x1d6a) || cp == 0x2c7c;
}

static void
walk_character(struct walk *w, uint32_t cp)
{
	struct shape *s = w->shape;
	bool script = cp == '^' || cp == '_', bar = cp == '|' || cp == 0x2016;

	if (s->nchars++ == 0)
		s->starts_digit = is_digit(cp);
	if (walk_bracket(w, cp))
		return;
	s->raised |= is_raised(cp) || cp == '^';
	s->scripted |= script || is_raised(cp) || is_lowered(cp);
	w->in_bars ^= bar;
	if (w->in_bars || bar) {
		s->nfactors += bar && w->in_bars;
	} else if (script || !is_close(cp)) {
		/* A minus before all of it is no difference. */
		s->loose |= !script && !(s->nchars == 1 && (cp == '-' || cp == 0xb1));
		w->in_script = script;
	} else if (!w->in_script) {
		s->nfactors +=
		    is_letter(cp) || (is_digit(cp) && !is_digit(w->before) && w->before != '.');
	}
}

static struct shape
find_shape(const struct strbuf *out, size_t mark)
{
	struct shape shape = { 0 };
	struct walk w = { .shape = &shape };

	for (size_t at = mark; at < out->len;) {
		uint32_t cp;
		size_t n = utf8_decode(out->buf + at, out->len - at, &cp);

		if (n == 0)
			return (struct shape){ .nchars = 2, .loose = true };
		walk_character(&w, cp);
		w.before = cp;
		at += n;
	}
	shape.loose |= w.depth > 0 || w.in_bars;
	return shape;
}

/* Already between the brackets that would be put. */
static bool
is_bracketed(const struct strbuf *out, size_t mark)
{
	int depth = 0;

	for (size_t at = mark; at < out->len; at++) {
		depth += (out->buf[at] == '(') - (out->buf[at] == ')');
		if (depth == 0 && at + 1 < out->len)
			return false;
	}
	return out->len > mark && out->buf[mark] == '(' && depth == 0;
}

void
latex_bracket(struct strbuf *out, size_t mark, enum latex_place place)
{
	struct shape s = find_shape(out, mark);
	bool script = place == LATEX_RAISED_PART || place == LATEX_LOWERED_PART, needed = s.loose;

	if (script && s.nchars > 1)
		needed |= s.brackets || s.scripted || out->buf[mark] == '-';
	/* "10^6.5", read again, would be a sixth power. */
	if (place == LATEX_RAISED_PART)
		needed |= s.starts_digit;
	if (place == LATEX_DENOMINATOR || place == LATEX_RADICAND)
		needed |= s.nfactors > 1;
	if (place == LATEX_RADICAND)
		needed |= s.raised;
	if (s.nchars > 1 && needed && !is_bracketed(out, mark)) {
		latex_insert(out, mark, "(");
		strbuf_addc(out, ')');
	}
}

bool
latex_ends_factor(const struct strbuf *out, size_t mark)
{
	size_t at = out->len;
	uint32_t cp;

	while (at > mark && ((unsigned char)out->buf[at - 1] & 0xc0) == 0x80)
		at--;
	if (at <= mark || utf8_decode(out->buf + at - 1, out->len - at + 1, &cp) == 0)
		return false;
	return is_close(cp) || strchr(")]}|", (int)(cp < 0x80 ? cp : 'x')) != NULL || cp == 0x2016;
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
