/* Scripts, fractions, roots and environments: what has two dimensions on paper and one here. */
#include "text/latex.h"
#include "digest/utf8.h"

#include <string.h>

/* The command that is next; NULL = none, or one that nobody knows. */
static const struct latex_command *
next_command(const struct latex *x)
{
	size_t len = 0;

	if (latex_peek(x, 0) != '\\')
		return NULL;
	while (latex_is_letter(latex_peek(x, len + 1)))
		len++;
	return latex_find(x->text + x->at + 1, len);
}

/* What follows would be read as part of what was just written: "a/bc" for a/b·c. */
static bool
factor_follows(const struct latex *x)
{
	const struct latex_command *c = next_command(x);
	char next = latex_peek(x, 0);

	if (next != '\\')
		return latex_is_letter(next) || (next >= '0' && next <= '9') || next == '{' ||
		    next == '(' || next == '[' || (unsigned char)next >= 0x80;
	if (!latex_is_letter(latex_peek(x, 1)))
		return latex_peek(x, 1) == '|' || latex_peek(x, 1) == '{';
	if (c == NULL)
		return true;
	switch (c->action) {
	case LATEX_SYMBOL:
		return c->text[0] != ' ';
	case LATEX_FUNCTION:
	case LATEX_OPENING:
	case LATEX_CUSTOM:
	case LATEX_MATH_ACCENT:
	case LATEX_WRAPPER:
	case LATEX_LEFT:
	case LATEX_FRACTION:
	case LATEX_BINOMIAL:
	case LATEX_ROOT:
	case LATEX_FONT:
		return true;
	default:
		return false;
	}
}

/* A factor that begins with no bracket: "x_max y", as against "x_maxy". */
static bool
word_follows(const struct latex *x)
{
	const struct latex_command *c = next_command(x);
	char next = latex_peek(x, 0);

	if (next == '(' || next == '[' || (next == '\\' && !latex_is_letter(latex_peek(x, 1))))
		return false;
	return factor_follows(x) &&
	    (c == NULL || (c->action != LATEX_OPENING && c->action != LATEX_LEFT));
}

void
latex_add_script(struct latex *x)
{
	const char sign[2] = { x->text[x->at++], '\0' };
	bool up = sign[0] == '^', math = x->math;
	size_t mark = x->out->len;

	x->math = true;
	latex_add_argument(x);
	x->math = math;
	latex_trim(x, mark);
	if (x->out->len == mark || latex_transform(x->out, mark, up ? latex_raised : latex_lowered))
		return;
	latex_bracket(x->out, mark, up ? LATEX_RAISED_PART : LATEX_LOWERED_PART);
	latex_insert(x->out, mark, sign);
	if (math && latex_last(x) != ')' && word_follows(x))
		strbuf_addc(x->out, ' ');
}

void
latex_add_fraction(struct latex *x)
{
	size_t mark;

	/* "2 1/3", "k a/b" */
	if (latex_ends_factor(x->out, x->fresh))
		strbuf_addc(x->out, ' ');
	mark = x->out->len;
	latex_add_argument(x);
	latex_bracket(x->out, mark, LATEX_NUMERATOR);
	strbuf_addc(x->out, '/');
	mark = x->out->len;
	latex_add_argument(x);
	latex_bracket(x->out, mark, LATEX_DENOMINATOR);
	if (factor_follows(x))
		strbuf_addc(x->out, ' ');
}

void
latex_add_root(struct latex *x)
{
	size_t mark;

	if (latex_peek(x, 0) == '[' && latex_peek(x, 2) == ']') {
		char index[2] = { latex_peek(x, 1), '\0' };
		const char *form = latex_raised((unsigned char)index[0]);

		strbuf_add(x->out, form != NULL ? form : index);
		x->at += 3;
	}
	strbuf_add(x->out, "√");
	mark = x->out->len;
	latex_add_argument(x);
	latex_bracket(x->out, mark, LATEX_RADICAND);
	/* "√(n)x", as against "√nx" */
	if (x->out->len > mark && x->out->buf[mark] != '(' && factor_follows(x) &&
	    latex_peek(x, 0) != '(') {
		latex_insert(x->out, mark, "(");
		strbuf_addc(x->out, ')');
	}
}

void
latex_add_binomial(struct latex *x)
{
	strbuf_addc(x->out, '(');
	latex_add_argument(x);
	strbuf_add(x->out, " choose ");
	latex_add_argument(x);
	strbuf_addc(x->out, ')');
}

void
latex_add_over(struct latex *x, const struct latex_command *c)
{
	if (x->over != SIZE_MAX || !x->math)
		return; /* TeX allows one in a group */
	x->choose = c->text[0] == 'c';
	latex_trim(x, x->group);
	if (x->choose) {
		latex_insert(x->out, x->group, "(");
		strbuf_add(x->out, " choose ");
	} else {
		latex_bracket(x->out, x->group, LATEX_NUMERATOR);
		strbuf_addc(x->out, '/');
	}
	latex_skip_blanks(x);
	x->over = x->out->len;
}

void
latex_end_over(struct latex *x)
{
	if (x->over == SIZE_MAX)
		return;
	latex_trim(x, x->over);
	if (x->choose)
		strbuf_addc(x->out, ')');
	else
		latex_bracket(x->out, x->over, LATEX_DENOMINATOR);
	x->over = SIZE_MAX;
}

/* ---- environments ---- */

struct environment {
	const char *name;
	bool math, rows, argument;
	const char *open, *close;
};

/* NULL = the lines of it are text. */
static const struct environment *
find_environment(const char *name, size_t len)
{
	static const struct environment environments[] = {
		{ "equation", true, false, false, "", "" },
		{ "align", true, false, false, "", "" },
		{ "aligned", true, false, false, "", "" },
		{ "alignat", true, false, true, "", "" },
		{ "displaymath", true, false, false, "", "" },
		{ "eqnarray", true, false, false, "", "" },
		{ "flalign", true, false, false, "", "" },
		{ "gather", true, false, false, "", "" },
		{ "gathered", true, false, false, "", "" },
		{ "math", true, false, false, "", "" },
		{ "multline", true, false, false, "", "" },
		{ "split", true, false, false, "", "" },
		{ "array", true, true, true, "", "" },
		{ "cases", true, true, false, "{", "" },
		{ "matrix", true, true, false, "", "" },
		{ "smallmatrix", true, true, false, "", "" },
		{ "pmatrix", true, true, false, "(", ")" },
		{ "bmatrix", true, true, false, "[", "]" },
		{ "Bmatrix", true, true, false, "{", "}" },
		{ "vmatrix", true, true, false, "|", "|" },
		{ "Vmatrix", true, true, false, "‖", "‖" },
		{ "tabular", false, false, true, "", "" },
	};

	if (len > 0 && name[len - 1] == '*')
		len--;
	for (size_t i = 0; i < sizeof(environments) / sizeof(environments[0]); i++)
		if (strlen(environments[i].name) == len &&
		    memcmp(environments[i].name, name, len) == 0)
			return &environments[i];
	return NULL;
}

/* "{name}" is passed over. */
static const struct environment *
read_environment(struct latex *x)
{
	size_t limit = x->end - x->at < LATEX_MAX_NEAR ? x->end - x->at : LATEX_MAX_NEAR;
	const char *name = x->text + x->at + 1, *close;

	if (latex_peek(x, 0) != '{' || (close = memchr(name - 1, '}', limit)) == NULL)
		return NULL;
	x->at = (size_t)(close - x->text) + 1;
	return find_environment(name, (size_t)(close - name));
}

void
latex_begin(struct latex *x)
{
	const struct environment *e = read_environment(x);

	latex_drop_options(x);
	if (e == NULL)
		return;
	if (e->argument)
		latex_drop_argument(x);
	if (!e->math)
		return;
	if (!x->math) {
		x->env_math = true;
		latex_begin_math(x);
	}
	x->nenvs++;
	x->rows = e->rows;
	latex_skip_blanks(x);
	strbuf_add(x->out, e->open);
}

void
latex_end(struct latex *x)
{
	const struct environment *e = read_environment(x);

	if (e == NULL || !e->math || x->nenvs == 0)
		return;
	latex_trim(x, x->formula);
	strbuf_add(x->out, e->close);
	x->rows = false;
	if (--x->nenvs == 0 && x->env_math)
		x->math = x->env_math = false;
}
