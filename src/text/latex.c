#include "text/latex.h"

#include "digest/text.h"
#include "digest/utf8.h"

#include <ctype.h>
#include <string.h>

enum { MAX_MATH_BYTES = 4096 }; /* between two dollars; farther apart they are two prices */

bool
latex_is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool
latex_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool
is_digit(char c)
{
	return isdigit((unsigned char)c) != 0;
}

char
latex_peek(const struct latex *x, size_t n)
{
	return x->end - x->at > n ? x->text[x->at + n] : '\0';
}

char
latex_last(const struct latex *x)
{
	return x->out->len > 0 ? x->out->buf[x->out->len - 1] : '\0';
}

/* A letter or digit, or part of a character that is not ASCII. */
static bool
is_wordlike(char c)
{
	return isalnum((unsigned char)c) || (unsigned char)c >= 0x80;
}

void
latex_skip_blanks(struct latex *x)
{
	while (latex_is_blank(latex_peek(x, 0)))
		x->at++;
}

void
latex_trim(struct latex *x, size_t mark)
{
	mark = mark > x->fresh ? mark : x->fresh;
	while (x->out->len > mark && latex_is_blank(latex_last(x)))
		strbuf_truncate(x->out, x->out->len - 1);
}

void
latex_add_group(struct latex *x)
{
	size_t group = x->group, over = x->over;
	bool choose = x->choose;

	x->at++;
	if (x->depth >= LATEX_MAX_DEPTH) {
		strbuf_addc(x->out, '{');
		return;
	}
	x->depth++;
	x->group = x->out->len;
	x->over = SIZE_MAX;
	while (x->at < x->end && x->text[x->at] != '}')
		latex_add_item(x);
	latex_end_over(x);
	x->group = group;
	x->over = over;
	x->choose = choose;
	x->depth--;
	if (x->at < x->end)
		x->at++;
}

void
latex_add_argument(struct latex *x)
{
	size_t fresh = x->fresh;

	latex_skip_blanks(x);
	if (x->at >= x->end || latex_peek(x, 0) == '}' || x->depth >= LATEX_MAX_DEPTH)
		return;
	x->fresh = x->out->len;
	if (latex_peek(x, 0) == '{') {
		latex_add_group(x);
	} else if (latex_peek(x, 0) == '\\') {
		x->depth++;
		latex_add_item(x);
		x->depth--;
	} else {
		uint32_t cp;
		size_t n = utf8_decode(x->text + x->at, x->end - x->at, &cp);

		n = n > 0 ? n : 1;
		strbuf_addn(x->out, x->text + x->at, n);
		x->at += n;
	}
	x->fresh = fresh;
}

void
latex_drop_argument(struct latex *x)
{
	size_t mark = x->out->len;

	latex_add_argument(x);
	strbuf_truncate(x->out, mark);
}

void
latex_drop_options(struct latex *x)
{
	size_t limit = x->end - x->at < LATEX_MAX_NEAR ? x->end - x->at : LATEX_MAX_NEAR;
	const char *close;

	if (latex_peek(x, 0) == '[' && (close = memchr(x->text + x->at, ']', limit)) != NULL)
		x->at = (size_t)(close - x->text) + 1;
}

void
latex_begin_math(struct latex *x)
{
	x->math = true;
	x->formula = x->group = x->out->len;
	x->over = SIZE_MAX;
}

static void
end_math(struct latex *x)
{
	if (!x->math)
		return;
	latex_end_over(x);
	latex_trim(x, x->formula);
	x->math = false;
}

/* In mathematics one is enough, and none where a group begins. */
static void
add_blank(struct latex *x)
{
	if (!x->math || (x->out->len > x->group && !latex_is_blank(latex_last(x))))
		strbuf_addc(x->out, ' ');
}

/* The end of a line: in a formula of several rows they are told apart. */
static void
add_line_end(struct latex *x)
{
	if (x->math) {
		latex_drop_options(x);
		latex_skip_blanks(x);
	}
	if (x->math && x->rows && latex_peek(x, 0) != '\\') {
		latex_trim(x, x->formula);
		strbuf_add(x->out, "; ");
	} else {
		strbuf_addc(x->out, ' ');
	}
}

/* A command of one sign, the accents excepted; it stands before at. */
static void
add_other_sign(struct latex *x, char sign)
{
	if (sign == '}' && x->math)
		latex_trim(x, x->formula);
	if (strchr("$%&#_{}", sign) != NULL)
		strbuf_addc(x->out, sign);
	else if (strchr(",;:> \n", sign) != NULL)
		add_blank(x);
	else if (sign == '\\')
		add_line_end(x);
	else if (sign == '|')
		strbuf_add(x->out, "‖");
	else if (sign == '(' || sign == '[')
		latex_begin_math(x);
	else if (sign == ')' || sign == ']')
		end_math(x);
	else if (strchr("!-/@", sign) == NULL) {
		strbuf_addc(x->out, '\\');
		x->at--;
	}
	if (sign == '{' && x->math)
		latex_skip_blanks(x);
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
	char sign = latex_peek(x, 1);

	if (sign == '\0') {
		strbuf_addc(x->out, x->text[x->at++]);
		return;
	}
	x->at += 2;
	for (size_t i = 0; i < sizeof(accents) / sizeof(accents[0]); i++) {
		char raw[3] = { '\\', sign, '\0' };

		if (accents[i].sign != sign)
			continue;
		if (latex_is_blank(latex_peek(x, 0))) {
			strbuf_add(x->out, raw);
		} else if (latex_peek(x, 0) == '{' && latex_peek(x, 1) == '}') {
			strbuf_addc(x->out, sign); /* on nothing it is itself */
			x->at += 2;
		} else {
			latex_add_accented(x, accents[i].accent, raw);
		}
		return;
	}
	add_other_sign(x, sign);
}

/* Two plain words in a row: prose, not a product. */
static bool
has_words(const char *s, size_t len)
{
	size_t run = 0;
	int depth = 0;

	for (size_t i = 0; i < len; i++) {
		depth += (s[i] == '{') - (s[i] == '}');
		run = latex_is_letter(s[i]) && depth == 0 ? run + 1 : 0;
		if (run == 1 && (i == 0 || !latex_is_blank(s[i - 1])))
			run = LATEX_MAX_NEAR; /* part of something: 3M, \leq */
		if (run == 3)
			return true;
	}
	return false;
}

/*
 * Whether a price, a share or a variable of a shell goes on to the next one: "$5 to $10", "$5/$10", "$HOME/$USER".
 * next	what stands behind the second dollar
 * tex	between them stands what only TeX writes
 */
static bool
is_price(const char *s, size_t len, char next, bool tex)
{
	char last = s[len - 1];

	if (is_digit(s[0]) && (latex_is_blank(last) || is_digit(next) || has_words(s, len)))
		return true;
	return !tex &&
	    ((len > 1 && strchr("/-,;:(", last) != NULL) ||
		(len > 2 && (unsigned char)s[0] < 0x80 && isalnum((unsigned char)next)));
}

/* Whether the text between two dollars is mathematics. */
static bool
is_math(const char *s, size_t len, char next)
{
	bool tex = false, sign = false, blank = false;

	if (len == 0 || len > MAX_MATH_BYTES)
		return false;
	for (size_t i = 0; i < len; i++) {
		tex = tex || strchr("\\^_{}=<>", s[i]) != NULL;
		sign = sign || strchr("+-*/|,()'", s[i]) != NULL;
		blank = blank || latex_is_blank(s[i]);
	}
	if (is_price(s, len, next, tex))
		return false;
	if (tex && !(s[0] == '{' && latex_is_blank(s[len - 1]))) /* ${HOME} and ${USER} */
		return true;
	if (latex_is_blank(s[0]) || latex_is_blank(s[len - 1]))
		return false;
	return !blank || (sign && !is_digit(s[0]));
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
	size_t fence = latex_peek(x, 1) == '$' ? 2 : 1, start = x->at + fence;
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
		x->end = close;
		latex_begin_math(x);
		while (x->at < x->end)
			latex_add_item(x);
		end_math(x);
		x->end = end;
	}
	x->at = close + (close + 1 < end && x->text[close + 1] == '$' ? fence : 1);
}

/* Outside mathematics '^' and '_' count only where they can mean nothing else: "S^2-KD", "360^circ", "ECI_{sem}",
 * but not "execute_code" or "^_^". */
static bool
is_script(const struct latex *x)
{
	size_t limit = x->end - x->at;

	if (x->math)
		return true;
	if (!is_wordlike(latex_last(x)) && latex_last(x) != ')')
		return false;
	if (latex_peek(x, 1) == '{') {
		limit = limit < LATEX_MAX_NEAR ? limit : LATEX_MAX_NEAR;
		return memchr(x->text + x->at, '}', limit) != NULL;
	}
	return latex_peek(x, 0) == '^' && is_digit(latex_peek(x, 1));
}

/* "^16" outside mathematics is the sixteenth power; inside, TeX would raise the 1 only. */
static void
add_raised_number(struct latex *x)
{
	for (x->at++; is_digit(latex_peek(x, 0)); x->at++)
		strbuf_add(x->out, latex_raised((unsigned char)latex_peek(x, 0)));
}

/* Outside mathematics, and where the backslash was lost on the way: "360^circ". The length of what stands at at, 0 = none
 * of them. */
static size_t
find_known_power(const struct latex *x, const char **form)
{
	static const char *const powers[][2] = { { "^circ", "°" }, { "^\\circ", "°" },
		{ "^star", "⋆" } };

	for (size_t i = 0; i < sizeof(powers) / sizeof(powers[0]); i++) {
		size_t n = strlen(powers[i][0]);

		*form = powers[i][1];
		if (x->end - x->at >= n && memcmp(x->text + x->at, powers[i][0], n) == 0 &&
		    !latex_is_letter(latex_peek(x, n)))
			return n;
	}
	return 0;
}

static void
add_caret_or_underscore(struct latex *x)
{
	const char *form;
	size_t n = find_known_power(x, &form);

	if (n > 0) {
		strbuf_add(x->out, form);
		x->at += n;
		if (x->math)
			latex_skip_blanks(x);
	} else if (!is_script(x)) {
		strbuf_addc(x->out, x->text[x->at++]);
	} else if (!x->math && latex_peek(x, 1) != '{') {
		add_raised_number(x);
	} else {
		latex_add_script(x);
	}
}

/* "Fig.~3" and "et~al." are tied by a blank; "~5 minutes" and "/~user" are not. */
static void
add_tilde(struct latex *x)
{
	char before = latex_last(x);
	bool tie = x->math ||
	    ((is_wordlike(before) || strchr(".,)", before) != NULL) && before != '\0' &&
		latex_peek(x, 1) != '\0' && !latex_is_blank(latex_peek(x, 1)));

	strbuf_addc(x->out, tie ? ' ' : '~');
	x->at++;
}

/* "Gromov--Wasserstein", but not "--help". */
static void
add_dashes(struct latex *x)
{
	static const char *const dashes[] = { "", "-", "–", "—" };
	bool apart = !latex_is_blank(latex_last(x)) && x->out->len > 0;
	size_t n = 1;

	while (latex_peek(x, n) == '-')
		n++;
	if (!x->math && n <= 3 && apart == !latex_is_blank(latex_peek(x, n)) &&
	    latex_peek(x, n) != '\0')
		strbuf_add(x->out, dashes[n]);
	else
		strbuf_addn(x->out, x->text + x->at, n);
	x->at += n;
}

/* One, two or three primes of a derivative. */
static void
add_primes(struct latex *x)
{
	static const char *const primes[] = { "", "′", "″", "‴" };
	size_t n = 1;

	while (n < 3 && latex_peek(x, n) == '\'')
		n++;
	strbuf_add(x->out, primes[n]);
	x->at += n;
}

/* `single': the place of its end, 0 = a back quote of another kind, such as `code`. */
static size_t
find_single_quote(const struct latex *x)
{
	if (is_wordlike(latex_last(x)) || !is_wordlike(latex_peek(x, 1)))
		return 0;
	for (size_t n = 2; n < LATEX_MAX_NEAR && latex_peek(x, n) != '\0'; n++) {
		if (latex_peek(x, n) == '`')
			return 0;
		if (latex_peek(x, n) == '\'' && latex_peek(x, n + 1) != '\'' &&
		    !latex_is_blank(latex_peek(x, n - 1)) && !is_wordlike(latex_peek(x, n + 1)))
			return x->at + n;
	}
	return 0;
}

static void
add_quote(struct latex *x)
{
	char sign = latex_peek(x, 0);
	bool pair = latex_peek(x, 1) == sign;

	if (x->math && sign == '\'') {
		add_primes(x);
	} else if (pair && sign == '`' && latex_peek(x, 2) != '`') {
		strbuf_add(x->out, "“");
		x->quoted = true;
		x->at += 2;
	} else if (pair && sign == '\'' && x->quoted) {
		strbuf_add(x->out, "”");
		x->quoted = false;
		x->at += 2;
	} else if (sign == '`' && x->single <= x->at &&
	    (x->single = find_single_quote(x)) > x->at) {
		strbuf_add(x->out, "‘");
		x->at++;
	} else if (sign == '\'' && x->single == x->at && x->at > 0) {
		strbuf_add(x->out, "’");
		x->at++;
	} else {
		strbuf_addc(x->out, sign);
		x->at++;
	}
}

/* {GPT}-4, {B}ayes: the braces around capitals that BibTeX would else make small; their length without the last
 * brace, 0 = other braces, such as those of a set. */
static size_t
capitals_len(const struct latex *x)
{
	char before = latex_last(x), after;
	size_t n = 1;

	if (!isupper((unsigned char)latex_peek(x, 1)))
		return 0;
	while (n <= LATEX_MAX_NEAR && isalnum((unsigned char)latex_peek(x, n)))
		n++;
	after = latex_peek(x, n + 1);
	if (latex_peek(x, n) != '}' || (before != '\0' && !latex_is_blank(before) && before != '-'))
		return 0;
	return isalpha((unsigned char)after) || after == '-' || before == '-' || n > 2 ? n : 0;
}

/* "{beta}-amyloid", "5{times}": so journals write what they had no character for. NULL = other braces. */
static const char *
find_spelled(const struct latex *x, size_t *len)
{
	static const char *const spelled[][2] = { { "approx", "≈" }, { "degrees", "°" },
		{ "micro", "µ" }, { "times", "×" }, { "+/-", "±" } };
	const char *name = x->text + x->at + 1;
	const struct latex_command *c;
	uint32_t cp;
	size_t n = 0;

	while (n < LATEX_MAX_NEAR && latex_peek(x, n + 1) != '}' && latex_peek(x, n + 1) != '\0')
		n++;
	if (latex_peek(x, n + 1) != '}' || n == 0)
		return NULL;
	*len = n + 2;
	for (size_t i = 0; i < sizeof(spelled) / sizeof(spelled[0]); i++)
		if (strlen(spelled[i][0]) == n && memcmp(name, spelled[i][0], n) == 0)
			return spelled[i][1];
	c = latex_find(name, n);
	if (c == NULL || c->action != LATEX_SYMBOL)
		return NULL;
	utf8_decode(c->text, strlen(c->text), &cp);
	return cp >= 0x391 && cp <= 0x3c9 ? c->text : NULL;
}

/* Braces group in mathematics and around a command ({\"o}, {\bf x}); in plain text they are themselves. */
static void
add_brace(struct latex *x)
{
	bool opens = latex_peek(x, 0) == '{';
	const char *spelled;
	size_t n;

	if (opens && (x->math || latex_peek(x, 1) == '\\')) {
		latex_add_group(x);
	} else if (opens && (n = capitals_len(x)) > 0) {
		strbuf_addn(x->out, x->text + x->at + 1, n - 1);
		x->at += n + 1;
	} else if (opens && (spelled = find_spelled(x, &n)) != NULL) {
		strbuf_add(x->out, spelled);
		x->at += n;
	} else {
		if (!x->math)
			strbuf_addc(x->out, latex_peek(x, 0));
		x->at++;
	}
}

/* "=", ":=", "<=": the length, 0 = something else. */
static size_t
relation_len(const struct latex *x)
{
	size_t n = latex_peek(x, 0) == ':' && latex_peek(x, 1) == '=' ? 1 : 0;

	while (n < 3 && latex_peek(x, n) != '\0' && strchr("=<>", latex_peek(x, n)) != NULL)
		n++;
	return n;
}

/* One character of a formula, where TeX sets the blanks itself: none inside of brackets, none on one side only. */
static void
add_math_character(struct latex *x)
{
	size_t n = relation_len(x);
	char c = latex_peek(x, 0), text[4];

	/* At the beginning it is between nothing: <a,b>. */
	if (n > 0 && x->out->len > x->formula) {
		memcpy(text, x->text + x->at, n);
		text[n] = '\0';
		x->at += n;
		latex_add_operator(x, text);
		return;
	}
	if (latex_is_blank(c) || (c == '&' && x->nenvs > 0)) {
		x->at++;
		latex_skip_blanks(x);
		add_blank(x);
		return;
	}
	if (c == ')' || c == ']')
		latex_trim(x, x->formula);
	strbuf_addc(x->out, c);
	x->at++;
	if (c == '(' || c == '[')
		latex_skip_blanks(x);
}

void
latex_add_item(struct latex *x)
{
	size_t n = 0;

	switch (latex_peek(x, 0)) {
	case '\\':
		if (latex_is_letter(latex_peek(x, 1)))
			latex_add_named(x);
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
		if (x->math) {
			add_math_character(x);
			return;
		}
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
	struct latex x = { .text = text, .end = len, .out = out, .over = SIZE_MAX };

	while (x.at < x.end)
		latex_add_item(&x);
	end_math(&x);
}
