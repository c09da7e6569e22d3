#include "text/latex.h"

#include "digest/text.h"
#include "digest/utf8.h"

#include <ctype.h>
#include <string.h>

enum {
	MAX_DEPTH = 32,		/* of groups and arguments; what lies deeper stays as it is */
	MAX_MATH_BYTES = 4096,	/* between two dollars; farther apart they are two prices */
	MAX_SCRIPT_BYTES = 200, /* of [...], and outside mathematics of ^{...} and _{...} */
};

/* Every function reads from at to end and appends to out. What it appended may be worked over by
 * its caller (raised, lowered, bracketed), so nothing is read twice and the whole takes linear
 * time. */
struct latex {
	const char *text;
	size_t at, end;
	struct strbuf *out;
	size_t fresh; /* where in out the last argument began */
	int depth;
	bool math;
	bool quoted; /* a `` is open */
};

static void add_item(struct latex *x);

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The byte n places on, '\0' behind the end. */
static char
peek(const struct latex *x, size_t n)
{
	return x->end - x->at > n ? x->text[x->at + n] : '\0';
}

static char
last_byte(const struct strbuf *out)
{
	return out->len > 0 ? out->buf[out->len - 1] : '\0';
}

/* A letter or digit, or part of a character that is not ASCII. */
static bool
is_wordlike(char c)
{
	return isalnum((unsigned char)c) || (unsigned char)c >= 0x80;
}

static void
skip_blanks(struct latex *x)
{
	while (is_blank(peek(x, 0)))
		x->at++;
}

/* The group whose '{' stands at at, without its braces. */
static void
add_group(struct latex *x)
{
	x->at++;
	if (x->depth >= MAX_DEPTH) {
		strbuf_addc(x->out, '{');
		return;
	}
	x->depth++;
	while (x->at < x->end && x->text[x->at] != '}')
		add_item(x);
	x->depth--;
	if (x->at < x->end)
		x->at++;
}

/* One argument: a group, a command or a character. */
static void
add_argument(struct latex *x)
{
	x->fresh = x->out->len;
	skip_blanks(x);
	if (x->at >= x->end || peek(x, 0) == '}' || x->depth >= MAX_DEPTH)
		return;
	if (peek(x, 0) == '{') {
		add_group(x);
	} else if (peek(x, 0) == '\\') {
		x->depth++;
		add_item(x);
		x->depth--;
	} else {
		uint32_t cp;
		size_t n = utf8_decode(x->text + x->at, x->end - x->at, &cp);

		n = n > 0 ? n : 1;
		strbuf_addn(x->out, x->text + x->at, n);
		x->at += n;
	}
}

static void
drop_argument(struct latex *x)
{
	size_t mark = x->out->len;

	add_argument(x);
	strbuf_truncate(x->out, mark);
}

/* [options]: dropped, if they end soon. */
static void
drop_options(struct latex *x)
{
	const char *close;

	if (peek(x, 0) == '[' && (close = memchr(x->text + x->at, ']', x->end - x->at)) != NULL)
		x->at = (size_t)(close - x->text) + 1;
}

/* '^' or '_' stands at at. */
static void
add_script(struct latex *x)
{
	const char sign[2] = { x->text[x->at++], '\0' };
	size_t mark = x->out->len;
	bool math = x->math;

	x->math = true;
	add_argument(x);
	x->math = math;
	if (x->out->len == mark ||
	    latex_transform(x->out, mark, sign[0] == '^' ? latex_raised : latex_lowered))
		return;
	latex_bracket(x->out, mark, false);
	latex_insert(x->out, mark, sign);
}

/*
 * The argument with an accent on its first letter.
 * raw	the command, to be written again when no letter takes the accent; NULL = \hat and its kind, where a
 *	single character takes any
 */
static void
add_accented(struct latex *x, const char *accent, const char *raw)
{
	bool group = peek(x, 0) == '{';
	size_t mark = x->out->len, n;
	uint32_t cp;

	add_argument(x);
	n = utf8_decode(x->out->buf + mark, x->out->len - mark, &cp);
	if (raw != NULL && latex_set_accent(x->out, mark, accent))
		return;
	if (raw != NULL) {
		latex_insert(x->out, mark, group ? "{" : is_letter(raw[1]) ? " " : "");
		latex_insert(x->out, mark, raw);
		strbuf_add(x->out, group ? "}" : "");
	} else if (n > 0 && mark + n == x->out->len && !latex_set_accent(x->out, mark, accent)) {
		strbuf_add(x->out, accent);
	}
}

static void
add_operator(struct latex *x, const char *text)
{
	bool spaced = is_blank(last_byte(x->out));

	strbuf_add(x->out, text);
	if (!x->math)
		return;
	skip_blanks(x);
	if (spaced && x->at < x->end)
		strbuf_addc(x->out, ' ');
}

static void
add_function(struct latex *x, const char *name)
{
	if (x->out->len > x->fresh && is_wordlike(last_byte(x->out)))
		strbuf_addc(x->out, ' ');
	strbuf_add(x->out, name);
	/* \ln\ln T */
	if (x->math &&
	    (isalnum((unsigned char)peek(x, 0)) || (peek(x, 0) == '\\' && is_letter(peek(x, 1)))))
		strbuf_addc(x->out, ' ');
}

static void
add_fraction(struct latex *x)
{
	size_t mark = x->out->len;

	add_argument(x);
	latex_bracket(x->out, mark, false);
	strbuf_addc(x->out, '/');
	mark = x->out->len;
	add_argument(x);
	latex_bracket(x->out, mark, true);
}

static void
add_root(struct latex *x)
{
	size_t mark;

	if (peek(x, 0) == '[' && peek(x, 2) == ']') {
		char index[2] = { peek(x, 1), '\0' };
		const char *form = latex_raised((unsigned char)index[0]);

		strbuf_add(x->out, form != NULL ? form : index);
		x->at += 3;
	}
	strbuf_add(x->out, "√");
	mark = x->out->len;
	add_argument(x);
	latex_bracket(x->out, mark, false);
}

/* Single letters have their alphabets; whole words are easier read without. */
static void
add_font(struct latex *x, char font)
{
	size_t mark = x->out->len, n;
	uint32_t cp, letter;

	add_argument(x);
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

	add_argument(x);
	s = x->out->buf + mark;
	if (x->out->len > mark && *s == 'x') {
		base = 16;
		s++;
	}
	for (; isxdigit((unsigned char)*s) && cp < 0x110000; s++) {
		digit = isdigit((unsigned char)*s) ? (uint32_t)(*s - '0')
						   : (uint32_t)((*s | 32) - 'a' + 10);
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
	skip_blanks(x);
	while (isdigit((unsigned char)peek(x, 0)) || peek(x, 0) == '.' || peek(x, 0) == '-')
		x->at++;
	for (int i = 0; i < 2 && is_letter(peek(x, 0)); i++)
		x->at++;
	skip_blanks(x);
}

static void
add_struck(struct latex *x)
{
	size_t mark = x->out->len;

	add_argument(x);
	if (x->out->len > mark && !latex_set_accent(x->out, mark, "\xcc\xb8"))
		latex_insert(x->out, mark, "¬");
}

static void
add_text_argument(struct latex *x)
{
	bool math = x->math;

	x->math = false;
	add_argument(x);
	x->math = math;
}

static void
drop_citation(struct latex *x)
{
	while (x->out->len > x->fresh && is_blank(last_byte(x->out)))
		strbuf_truncate(x->out, x->out->len - 1);
	drop_options(x);
	drop_options(x);
	drop_argument(x);
}

static void
add_binomial(struct latex *x)
{
	strbuf_addc(x->out, '(');
	add_argument(x);
	strbuf_add(x->out, " choose ");
	add_argument(x);
	strbuf_addc(x->out, ')');
}

/* The letters of names, "\ss" and "\o", as against \alpha and \times, which stand apart in plain
 * text. */
static bool
is_latin(const char *text)
{
	uint32_t cp;

	return utf8_decode(text, strlen(text), &cp) == 2 && cp >= 0xc0 && cp <= 0x24f;
}

/* The blank that only ends a name goes: "\Delta x" in mathematics is Δx, "Stra\ss e" is Straße. */
static void
add_symbol(struct latex *x, const char *text)
{
	strbuf_add(x->out, text);
	if (is_blank(peek(x, 0)) &&
	    (x->math ? isalnum((unsigned char)peek(x, 1)) != 0 : is_latin(text)))
		x->at++;
}

static void
add_modulo(struct latex *x)
{
	strbuf_add(x->out, is_blank(last_byte(x->out)) ? "(mod " : " (mod ");
	add_argument(x);
	strbuf_addc(x->out, ')');
}

/* The commands that leave their text alone, or nothing. */
static void
add_wrapper(struct latex *x, const struct latex_command *c)
{
	switch (c->action) {
	case LATEX_SWITCH:
		skip_blanks(x);
		break;
	case LATEX_DELIMITER:
		skip_blanks(x);
		if (peek(x, 0) == '.') {
			x->at++;
			skip_blanks(x);
		}
		break;
	case LATEX_KERN:
		skip_length(x);
		break;
	case LATEX_DROP:
		drop_options(x);
		drop_argument(x);
		strbuf_add(x->out, c->text);
		break;
	case LATEX_CITE:
		drop_citation(x);
		break;
	case LATEX_SECOND:
		drop_options(x);
		drop_argument(x);
		add_argument(x);
		break;
	case LATEX_TEXT:
		add_text_argument(x);
		break;
	default:
		add_argument(x);
		break;
	}
}

static void
add_known(struct latex *x, const struct latex_command *c)
{
	char raw[3] = "\\";

	switch (c->action) {
	case LATEX_SYMBOL:
		add_symbol(x, c->text);
		break;
	case LATEX_OPERATOR:
		add_operator(x, c->text);
		break;
	case LATEX_FUNCTION:
		add_function(x, c->text);
		break;
	case LATEX_ACCENT:
		raw[1] = c->name[0]; /* they all have one letter */
		add_accented(x, c->text, raw);
		break;
	case LATEX_MATH_ACCENT:
		add_accented(x, c->text, NULL);
		break;
	case LATEX_FRACTION:
		add_fraction(x);
		break;
	case LATEX_BINOMIAL:
		add_binomial(x);
		break;
	case LATEX_ROOT:
		add_root(x);
		break;
	case LATEX_FONT:
		add_font(x, c->text[0]);
		break;
	case LATEX_CODEPOINT:
		add_codepoint(x);
		break;
	case LATEX_NOT:
		add_struck(x);
		break;
	case LATEX_MODULO:
		add_modulo(x);
		break;
	default:
		add_wrapper(x, c);
		break;
	}
}

/* A command of letters; its backslash stands at at. */
static void
add_named(struct latex *x)
{
	const char *name = x->text + x->at + 1;
	const struct latex_command *c;
	size_t len = 0;

	while (is_letter(peek(x, len + 1)))
		len++;
	x->at += len + 1;
	c = latex_find(name, len);
	if (c == NULL) {
		strbuf_addc(x->out, '\\');
		strbuf_addn(x->out, name, len);
		return;
	}
	if (c->action <= LATEX_FUNCTION && peek(x, 0) == '{' && peek(x, 1) == '}') {
		strbuf_add(x->out, c->text);
		x->at += 2; /* \L{}ukasz */
		return;
	}
	if (peek(x, 0) == '*')
		x->at += c->action == LATEX_WRAPPER || c->action == LATEX_DROP ||
		    c->action == LATEX_CITE;
	add_known(x, c);
}

/* A command of one sign; its backslash stands at at. */
static void
add_sign(struct latex *x)
{
	static const struct {
		char sign;
		const char *accent;
	} accents[] = { { '"', "\xcc\x88" }, { '\'', "\xcc\x81" }, { '`', "\xcc\x80" },
		{ '^', "\xcc\x82" }, { '~', "\xcc\x83" }, { '=', "\xcc\x84" },
		{ '.', "\xcc\x87" } };
	char sign = peek(x, 1);

	if (sign == '\0') {
		strbuf_addc(x->out, x->text[x->at++]);
		return;
	}
	x->at += 2;
	for (size_t i = 0; i < sizeof(accents) / sizeof(accents[0]); i++) {
		if (accents[i].sign == sign) {
			char raw[3] = { '\\', sign, '\0' };

			if (is_blank(peek(x, 0)))
				strbuf_add(x->out, raw);
			else
				add_accented(x, accents[i].accent, raw);
			return;
		}
	}
	if (strchr("$%&#_{}", sign) != NULL)
		strbuf_addc(x->out, sign);
	else if (strchr(",;:> \n\\", sign) != NULL)
		strbuf_addc(x->out, ' ');
	else if (sign == '|')
		strbuf_add(x->out, "‖");
	else if (sign == '(' || sign == '[')
		x->math = true;
	else if (sign == ')' || sign == ']')
		x->math = false;
	else if (strchr("!-/@", sign) == NULL) {
		strbuf_addc(x->out, '\\');
		x->at--;
	}
}

/* Whether the text between two dollars is mathematics, or they are prices and variables of a
 * shell. */
static bool
is_math(const char *s, size_t len, char next)
{
	bool tex = false, sign = false, blank = false;

	if (len == 0 || len > MAX_MATH_BYTES)
		return false;
	for (size_t i = 0; i < len; i++) {
		tex = tex || strchr("\\^_{}=<>", s[i]) != NULL;
		sign = sign || strchr("+-*/|,()'", s[i]) != NULL;
		blank = blank || is_blank(s[i]);
	}
	if (isdigit((unsigned char)s[0]) && is_blank(s[len - 1]))
		return false;
	if (tex)
		return true;
	if (is_blank(s[0]) || is_blank(s[len - 1]) || isdigit((unsigned char)next))
		return false;
	return !blank || (sign && !isdigit((unsigned char)s[0]));
}

/* The place of the next dollar that no backslash escapes, or end. */
static size_t
find_dollar(const struct latex *x, size_t at)
{
	while (at < x->end && x->text[at] != '$')
		at += x->text[at] == '\\' && at + 1 < x->end ? 2 : 1;
	return at;
}

static void
add_dollar(struct latex *x)
{
	size_t fence = peek(x, 1) == '$' ? 2 : 1, start = x->at + fence;
	size_t close = find_dollar(x, start), end = x->end;
	char next = close + fence < end ? x->text[close + fence] : '\0';

	if (x->math || close >= end || !is_math(x->text + start, close - start, next)) {
		/* Inside mathematics (\( $x$ \)) a dollar is only a slip. */
		if (!x->math)
			strbuf_addn(x->out, "$$", fence);
		x->at = start;
		return;
	}
	x->at = start;
	if (close - start == 1 && x->text[start] == '\'') {
		strbuf_addc(x->out, '\''); /* Ain$'$t */
	} else {
		x->math = true;
		x->end = close;
		while (x->at < x->end)
			add_item(x);
		x->end = end;
		x->math = false;
	}
	x->at = close + (close + 1 < end && x->text[close + 1] == '$' ? fence : 1);
}

/* Outside mathematics '^' and '_' count only where they can mean nothing else: "S^2-KD",
 * "360^circ", "ECI_{sem}", but not "execute_code" or "^_^". */
static bool
is_script(const struct latex *x)
{
	size_t limit = x->end - x->at;
	const char *close;

	if (x->math)
		return true;
	if (!is_wordlike(last_byte(x->out)) && last_byte(x->out) != ')')
		return false;
	if (peek(x, 1) == '{') {
		limit = limit < MAX_SCRIPT_BYTES ? limit : MAX_SCRIPT_BYTES;
		close = memchr(x->text + x->at, '}', limit);
		return close != NULL;
	}
	return peek(x, 0) == '^' && isdigit((unsigned char)peek(x, 1));
}

/* "^16" outside mathematics is the sixteenth power; inside, TeX would raise the 1 only. */
static void
add_raised_number(struct latex *x)
{
	for (x->at++; isdigit((unsigned char)peek(x, 0)); x->at++)
		strbuf_add(x->out, latex_raised((unsigned char)peek(x, 0)));
}

static void
add_caret_or_underscore(struct latex *x)
{
	static const char circ[] = "^circ";
	size_t n = sizeof(circ) - 1;

	if (x->end - x->at >= n && memcmp(x->text + x->at, circ, n) == 0 &&
	    !is_letter(peek(x, n))) {
		strbuf_add(x->out, "°");
		x->at += n;
	} else if (!is_script(x)) {
		strbuf_addc(x->out, x->text[x->at++]);
	} else if (!x->math && peek(x, 1) != '{') {
		add_raised_number(x);
	} else {
		add_script(x);
	}
}

/* "Fig.~3" and "et~al." are tied by a blank; "~5 minutes" and "/~user" are not. */
static void
add_tilde(struct latex *x)
{
	char before = last_byte(x->out);
	bool tie = x->math ||
	    ((is_wordlike(before) || strchr(".,)", before) != NULL) && before != '\0' &&
		peek(x, 1) != '\0' && !is_blank(peek(x, 1)));

	strbuf_addc(x->out, tie ? ' ' : '~');
	x->at++;
}

/* "Gromov--Wasserstein", but not "--help". */
static void
add_dashes(struct latex *x)
{
	static const char *const dashes[] = { "", "-", "–", "—" };
	bool apart = !is_blank(last_byte(x->out)) && x->out->len > 0;
	size_t n = 1;

	while (peek(x, n) == '-')
		n++;
	if (!x->math && n <= 3 && apart == !is_blank(peek(x, n)) && peek(x, n) != '\0')
		strbuf_add(x->out, dashes[n]);
	else
		strbuf_addn(x->out, x->text + x->at, n);
	x->at += n;
}

static void
add_quote(struct latex *x)
{
	char sign = peek(x, 0);
	bool pair = peek(x, 1) == sign;

	if (x->math && sign == '\'') {
		strbuf_add(x->out, "′");
		x->at++;
	} else if (pair && sign == '`' && peek(x, 2) != '`') {
		strbuf_add(x->out, "“");
		x->quoted = true;
		x->at += 2;
	} else if (pair && sign == '\'' && x->quoted) {
		strbuf_add(x->out, "”");
		x->quoted = false;
		x->at += 2;
	} else {
		strbuf_addc(x->out, sign);
		x->at++;
	}
}

/* Braces group in mathematics and around a command ({\"o}, {\bf x}); in plain text they are
 * themselves. */
static void
add_brace(struct latex *x)
{
	if (peek(x, 0) == '{' && (x->math || peek(x, 1) == '\\')) {
		add_group(x);
	} else {
		if (!x->math)
			strbuf_addc(x->out, peek(x, 0));
		x->at++;
	}
}

/* The next thing, whatever it is. Always moves on. */
static void
add_item(struct latex *x)
{
	size_t n = 0;

	switch (peek(x, 0)) {
	case '\\':
		if (is_letter(peek(x, 1)))
			add_named(x);
		else
			add_sign(x);
		return;
	case '$':
		add_dollar(x);
		return;
	case '{':
	case '}':
		add_brace(x);
		return;
	case '^':
	case '_':
		add_caret_or_underscore(x);
		return;
	case '~':
		add_tilde(x);
		return;
	case '-':
		add_dashes(x);
		return;
	case '`':
	case '\'':
		add_quote(x);
		return;
	default:
		while (x->at + n < x->end && strchr("\\${}^_~-`'", x->text[x->at + n]) == NULL)
			n++;
		n = n > 0 ? n : 1;
		strbuf_addn(x->out, x->text + x->at, n);
		x->at += n;
	}
}

void
text_add_latex(struct strbuf *out, const char *text, size_t len)
{
	struct latex x = { .text = text, .end = len, .out = out };

	while (x.at < x.end)
		add_item(&x);
}
