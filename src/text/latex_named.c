/* The commands of letters. */
#include "text/latex.h"
#include "digest/utf8.h"

#include <ctype.h>
#include <string.h>

static bool
is_digit(char c)
{
	return isdigit((unsigned char)c) != 0;
}

void
latex_add_accented(struct latex *x, const char *accent, const char *raw)
{
	bool group = latex_peek(x, 0) == '{';
	size_t mark = x->out->len, n;
	uint32_t cp;

	latex_add_argument(x);
	n = utf8_decode(x->out->buf + mark, x->out->len - mark, &cp);
	if (raw != NULL && latex_set_accent(x->out, mark, accent))
		return;
	if (raw != NULL) {
		latex_insert(x->out, mark, group ? "{" : latex_is_letter(raw[1]) ? " " : "");
		latex_insert(x->out, mark, raw);
		strbuf_add(x->out, group ? "}" : "");
	} else if (n > 0 && mark + n == x->out->len && !latex_set_accent(x->out, mark, accent)) {
		strbuf_add(x->out, accent);
	}
}

void
latex_add_operator(struct latex *x, const char *text)
{
	bool first = x->out->len == x->formula, spaced = latex_is_blank(latex_last(x));
	bool apart = latex_is_blank(latex_peek(x, 0));
	char next;

	strbuf_add(x->out, text);
	if (!x->math)
		return;
	latex_skip_blanks(x);
	next = latex_peek(x, 0);
	/* "29× / 3×": it ends something, and the next one is between. */
	apart = apart && next != '\0' && strchr("+-/", next) != NULL &&
	    latex_is_blank(latex_peek(x, 1));
	/* "∼5" at the beginning is not between two things. */
	if (x->at < x->end && (spaced ? !(first && is_digit(next)) : apart))
		strbuf_addc(x->out, ' ');
}

static void
add_function(struct latex *x, const char *name)
{
	if (latex_ends_factor(x->out, x->fresh))
		strbuf_addc(x->out, ' ');
	strbuf_add(x->out, name);
	/* \ln\ln T */
	if (x->math &&
	    (isalnum((unsigned char)latex_peek(x, 0)) ||
		(latex_peek(x, 0) == '\\' && latex_is_letter(latex_peek(x, 1)) &&
		    strncmp(x->text + x->at, "\\left", x->end - x->at < 5 ? x->end - x->at : 5) !=
			0)))
		strbuf_addc(x->out, ' ');
}

/* The letters of names, "\ss" and "\o", and an apostrophe, as against \alpha and \times, which stand apart in
 * plain text. */
static bool
is_of_name(const char *text)
{
	uint32_t cp;

	return strcmp(text, "'") == 0 ||
	    (utf8_decode(text, strlen(text), &cp) == 2 && cp >= 0xc0 && cp <= 0x24f);
}

/* The blank that only ends a name goes: "\Delta x" in mathematics is Δx, "Stra\ss e" is Straße. */
static void
add_symbol(struct latex *x, const char *text)
{
	strbuf_add(x->out, text);
	if (latex_is_blank(latex_peek(x, 0)) &&
	    (x->math ? isalnum((unsigned char)latex_peek(x, 1)) != 0 : is_of_name(text)))
		x->at++;
}

static void
add_opening(struct latex *x, const char *text)
{
	strbuf_add(x->out, text);
	if (x->math)
		latex_skip_blanks(x);
}

static void
add_closing(struct latex *x, const char *text)
{
	if (x->math)
		latex_trim(x, x->formula);
	strbuf_add(x->out, text);
}

/* "e.g." of "\eg," and "\eg." */
static void
add_short(struct latex *x, const char *text)
{
	strbuf_add(x->out, text);
	if (latex_peek(x, 0) == '.')
		x->at++;
}

/* The delimiter behind \left or \right. */
static void
add_delimiter(struct latex *x, bool right)
{
	if (right)
		latex_trim(x, x->formula);
	latex_skip_blanks(x);
	if (latex_peek(x, 0) == '.') {
		x->at++;
	} else if (x->at < x->end && strchr("()[]|\\/<>", latex_peek(x, 0)) != NULL &&
	    x->depth < LATEX_MAX_DEPTH) {
		x->depth++;
		latex_add_item(x);
		x->depth--;
	}
	if (!right)
		latex_skip_blanks(x);
}

/* Single letters have their alphabets; whole words are easier read without. */
static void
add_font(struct latex *x, char font)
{
	size_t mark = x->out->len, n;
	uint32_t cp, letter;

	latex_add_argument(x);
	n = utf8_decode(x->out->buf + mark, x->out->len - mark, &cp);
	letter = n > 0 && mark + n == x->out->len ? latex_font_letter(font, cp) : 0;
	if (letter != 0) {
		strbuf_truncate(x->out, mark);
		strbuf_add_codepoint(x->out, letter);
	}
}

/* \unicode{x2013} or \unicode{8211} */
static void
add_codepoint(struct latex *x)
{
	size_t mark = x->out->len;
	uint32_t cp = 0, base = 10, digit;
	const char *s;

	latex_add_argument(x);
	s = x->out->buf + mark;
	if (x->out->len > mark && *s == 'x') {
		base = 16;
		s++;
	}
	for (; isxdigit((unsigned char)*s) && cp < 0x110000; s++) {
		digit = is_digit(*s) ? (uint32_t)(*s - '0') : (uint32_t)((*s | 32) - 'a' + 10);
		cp = cp * base + digit;
	}
	strbuf_truncate(x->out, mark);
	if (cp >= 0x20)
		strbuf_add_codepoint(x->out, cp);
}

/* \mkern1mu, \hskip 2.5pt */
static void
skip_length(struct latex *x)
{
	latex_skip_blanks(x);
	while (is_digit(latex_peek(x, 0)) || latex_peek(x, 0) == '.' || latex_peek(x, 0) == '-')
		x->at++;
	for (int i = 0; i < 2 && latex_is_letter(latex_peek(x, 0)); i++)
		x->at++;
	latex_skip_blanks(x);
}

static void
add_struck(struct latex *x)
{
	size_t mark = x->out->len;

	latex_add_argument(x);
	if (x->out->len > mark && !latex_set_accent(x->out, mark, "\xcc\xb8"))
		latex_insert(x->out, mark, "¬");
}

static void
add_text_argument(struct latex *x)
{
	bool math = x->math;

	x->math = false;
	latex_add_argument(x);
	x->math = math;
}

/* \textsuperscript{th} */
static void
add_set_off(struct latex *x, const char *(*form_of)(uint32_t cp))
{
	size_t mark = x->out->len;

	add_text_argument(x);
	latex_transform(x->out, mark, form_of);
}

/* Whether out ends in a word after which a sentence cannot do without a name or number: "introduced in". */
static bool
leans_on_next(const struct strbuf *out)
{
	static const char *const words[] = { "in", "by", "of", "on", "to", "from", "with", "see",
		"and", "or", "as", "than", "via", "following", "section", "sections", "figure",
		"figures", "fig.", "table", "tables", "theorem", "lemma", "eq.", "equation",
		"appendix", "algorithm", "e.g.", "like", "for", "work", "works", "upon", "sec.",
		"problem", "corollary", "proposition" };
	size_t end = out->len, from = end;

	while (from > 0 && (latex_is_letter(out->buf[from - 1]) || out->buf[from - 1] == '.'))
		from--;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strlen(words[i]) == end - from &&
		    strncasecmp(words[i], out->buf + from, end - from) == 0)
			return true;
	return false;
}

/*
 * "transformers~\cite{a}" is "transformers", "introduced in \cite{a}" is "introduced in […]"; brackets around nothing
 * go.
 */
static void
add_citation(struct latex *x, enum latex_action action)
{
	size_t len = x->out->len, mark = x->fresh;
	char before;

	latex_drop_options(x);
	latex_drop_options(x);
	latex_drop_argument(x);
	latex_trim(x, mark);
	before = x->out->len > mark ? latex_last(x) : '\0';
	if ((before == '(' && latex_peek(x, 0) == ')') ||
	    (before == '[' && latex_peek(x, 0) == ']')) {
		strbuf_truncate(x->out, x->out->len - 1);
		latex_trim(x, mark);
		x->at++;
		return;
	}
	if (action != LATEX_NAMED && !leans_on_next(x->out))
		return;
	if (x->out->len < len)
		strbuf_addc(x->out, ' ');
	strbuf_add(x->out, "[…]");
}

static void
add_modulo(struct latex *x)
{
	strbuf_add(x->out, latex_is_blank(latex_last(x)) ? "(mod " : " (mod ");
	latex_add_argument(x);
	strbuf_addc(x->out, ')');
}

/* \url{a_b~c}, \verb|a_b|: up to the brace that closes, or the second of two equal signs. */
static void
add_verbatim(struct latex *x)
{
	size_t limit = x->end - x->at < LATEX_MAX_URL ? x->end - x->at : LATEX_MAX_URL, n = 1;
	char open = latex_peek(x, 0), close = open == '{' ? '}' : open;
	int depth = 1;

	if (open == '\0' || (unsigned char)open >= 0x80 || latex_is_letter(open) ||
	    latex_is_blank(open))
		return;
	for (; n < limit; n++) {
		char c = latex_peek(x, n);

		depth += (c == open && open != close) - (c == close);
		if (depth == 0)
			break;
	}
	if (n >= limit)
		return;
	for (size_t i = 1; i < n; i++) {
		bool escape = latex_peek(x, i) == '\\' && i + 1 < n &&
		    strchr("%#&_~{}", latex_peek(x, i + 1)) != NULL;

		if (!escape)
			strbuf_addc(x->out, latex_peek(x, i));
	}
	x->at += n + 1;
}

/* "the code (https://a.b/c)", but an address only once. */
static void
add_link(struct latex *x)
{
	size_t mark = x->out->len, text;
	struct strbuf url;

	strbuf_init(&url, LATEX_MAX_URL);
	add_verbatim(x);
	if (x->out->state == STRBUF_OK)
		strbuf_addn(&url, x->out->buf + mark, x->out->len - mark);
	strbuf_truncate(x->out, mark);
	text = x->out->len;
	add_text_argument(x);
	if (x->out->len == text)
		strbuf_add(x->out, url.buf);
	else if (url.len > 0 && memmem(x->out->buf + text, x->out->len - text, "://", 3) == NULL)
		strbuf_addf(x->out, " (%s)", url.buf);
	strbuf_release(&url);
}

/* The label of a brace, which is above or below it. */
static void
add_braced(struct latex *x)
{
	latex_add_argument(x);
	latex_skip_blanks(x);
	if (latex_peek(x, 0) == '_' || latex_peek(x, 0) == '^') {
		x->at++;
		latex_drop_argument(x);
	}
}

/* What leaves nothing of itself, and of its arguments some, or none. */
static void
add_dropped(struct latex *x, const struct latex_command *c)
{
	switch (c->action) {
	case LATEX_SWITCH:
		latex_skip_blanks(x);
		break;
	case LATEX_KERN:
		skip_length(x);
		break;
	case LATEX_DEFINE:
		latex_drop_argument(x);
		latex_drop_options(x);
		latex_drop_argument(x);
		break;
	case LATEX_COLOR:
		latex_drop_options(x);
		latex_drop_argument(x);
		if (latex_peek(x, 0) == '{')
			latex_add_group(x);
		break;
	case LATEX_FIRST:
		latex_add_argument(x);
		latex_drop_argument(x);
		break;
	case LATEX_SECOND:
		latex_drop_options(x);
		latex_drop_argument(x);
		latex_add_argument(x);
		break;
	default:
		latex_drop_options(x);
		latex_drop_argument(x);
		strbuf_add(x->out, c->text);
		break;
	}
}

/* Commands whose argument is text. */
static void
add_text_command(struct latex *x, const struct latex_command *c)
{
	const char raw[3] = { '\\', c->name[0], '\0' }; /* the accents all have one letter */

	switch (c->action) {
	case LATEX_ACCENT:
		latex_add_accented(x, c->text, raw);
		break;
	case LATEX_TEXT:
		add_text_argument(x);
		break;
	case LATEX_RAISED:
		add_set_off(x, latex_raised);
		break;
	case LATEX_LOWERED:
		add_set_off(x, latex_lowered);
		break;
	case LATEX_CITE:
	case LATEX_REF:
	case LATEX_NAMED:
		add_citation(x, c->action);
		break;
	case LATEX_VERBATIM:
		add_verbatim(x);
		break;
	case LATEX_LINK:
		add_link(x);
		break;
	case LATEX_CODEPOINT:
		add_codepoint(x);
		break;
	default:
		add_dropped(x, c);
		break;
	}
}

/* Commands whose argument is mathematics. */
static void
add_math_command(struct latex *x, const struct latex_command *c)
{
	switch (c->action) {
	case LATEX_MATH_ACCENT:
		latex_add_accented(x, c->text, NULL);
		break;
	case LATEX_WRAPPER:
		latex_add_argument(x);
		break;
	case LATEX_FRACTION:
		latex_add_fraction(x);
		break;
	case LATEX_OVER:
		latex_add_over(x, c);
		break;
	case LATEX_BINOMIAL:
		latex_add_binomial(x);
		break;
	case LATEX_ROOT:
		latex_add_root(x);
		break;
	case LATEX_BRACE:
		add_braced(x);
		break;
	case LATEX_FONT:
		add_font(x, c->text[0]);
		break;
	case LATEX_NOT:
		add_struck(x);
		break;
	case LATEX_MODULO:
		add_modulo(x);
		break;
	case LATEX_QUANTITY:
		latex_add_argument(x);
		strbuf_addc(x->out, ' ');
		latex_add_argument(x);
		break;
	case LATEX_BEGIN:
		latex_begin(x);
		break;
	case LATEX_END:
		latex_end(x);
		break;
	default:
		add_text_command(x, c);
		break;
	}
}

static void
add_known(struct latex *x, const struct latex_command *c)
{
	switch (c->action) {
	case LATEX_SYMBOL:
		add_symbol(x, c->text);
		break;
	case LATEX_OPERATOR:
		latex_add_operator(x, c->text);
		break;
	case LATEX_OPENING:
		add_opening(x, c->text);
		break;
	case LATEX_CLOSING:
		add_closing(x, c->text);
		break;
	case LATEX_FUNCTION:
		add_function(x, c->text);
		break;
	case LATEX_CUSTOM:
		if (latex_is_letter(c->text[0]))
			add_function(x, c->text);
		else
			add_symbol(x, c->text);
		break;
	case LATEX_SHORT:
		add_short(x, c->text);
		break;
	case LATEX_LEFT:
	case LATEX_RIGHT:
		add_delimiter(x, c->action == LATEX_RIGHT);
		break;
	default:
		add_math_command(x, c);
		break;
	}
}

/* \calO, \bbR: no package has them, and everybody means the same. 0 = another name. */
static uint32_t
find_custom_letter(const char *name, size_t len)
{
	static const struct {
		const char *prefix;
		char font;
	} fonts[] = { { "cal", 'c' }, { "mathcal", 'c' }, { "scr", 'c' }, { "bb", 'b' },
		{ "mathbb", 'b' }, { "frak", 'f' } };

	for (size_t i = 0; i < sizeof(fonts) / sizeof(fonts[0]); i++) {
		size_t n = strlen(fonts[i].prefix);

		if (len == n + 1 && memcmp(name, fonts[i].prefix, n) == 0 &&
		    isupper((unsigned char)name[n]))
			return latex_font_letter(fonts[i].font, (unsigned char)name[n]);
	}
	return 0;
}

/* As it was written, so that it can be recognised; but empty braces tell nothing. */
static void
add_unknown(struct latex *x, const char *name, size_t len)
{
	uint32_t letter = find_custom_letter(name, len);

	if (letter != 0) {
		strbuf_add_codepoint(x->out, letter);
		return;
	}
	strbuf_addc(x->out, '\\');
	strbuf_addn(x->out, name, len);
	if (latex_peek(x, 0) == '{' && latex_peek(x, 1) == '}')
		x->at += 2;
	while (latex_peek(x, 0) == '{' && x->math && x->depth < LATEX_MAX_DEPTH) {
		strbuf_addc(x->out, '{');
		latex_add_group(x);
		strbuf_addc(x->out, '}');
	}
}

void
latex_add_named(struct latex *x)
{
	const char *name = x->text + x->at + 1;
	const struct latex_command *c;
	size_t len = 0;

	while (latex_is_letter(latex_peek(x, len + 1)))
		len++;
	x->at += len + 1;
	c = latex_find(name, len);
	/* TeX has its accents of letters in text alone: a \v in mathematics is somebody's vector. */
	if (c == NULL || (c->action == LATEX_ACCENT && x->math) ||
	    (c->action == LATEX_CUSTOM && !x->math)) {
		add_unknown(x, name, len);
		return;
	}
	if (c->action <= LATEX_LAST_WITHOUT_ARGUMENT && latex_peek(x, 0) == '{' &&
	    latex_peek(x, 1) == '}') {
		strbuf_add(x->out, c->text);
		x->at += 2; /* \L{}ukasz */
		return;
	}
	if (latex_peek(x, 0) == '*')
		x->at += c->action == LATEX_WRAPPER || c->action == LATEX_DROP ||
		    c->action == LATEX_CITE || c->action == LATEX_NAMED ||
		    c->action == LATEX_DEFINE;
	add_known(x, c);
}
