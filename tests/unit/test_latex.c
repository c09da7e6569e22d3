#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "digest/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "digest/file.h"
#include "digest/json.h"
#include "text/latex.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct row {
	const char *text, *want;
};

static void
check_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct strbuf got;

		strbuf_init(&got, 100000);
		text_add_latex(&got, rows[i].text, strlen(rows[i].text));
		if (strcmp(got.buf, rows[i].want) != 0)
			fail_msg("row %zu: '%s' reads '%s', not '%s'", i, rows[i].text, got.buf,
			    rows[i].want);
		strbuf_release(&got);
	}
}

static void
test_names(void **state)
{
	static const struct row rows[] = {
		{ "", "" },
		{ "Plain text, as it is.", "Plain text, as it is." },
		{ "G\\\"odel G{\\\"o}del G\\\"{o}del", "Gödel Gödel Gödel" },
		{ "Poincar\\'e \\'{E}dgar \\'Edgar", "Poincaré Édgar Édgar" },
		{ "Fran\\c{c}ois Fran\\c cois", "François François" },
		{ "\\v{S}koda Erd\\H{o}s \\u{a} \\k{a} \\r{u}", "Škoda Erdős ă ą ů" },
		{ "\\d{h} \\.Z \\=a \\^ile \\~n \\`a", "ḥ Ż ā île ñ à" },
		{ "S{\\o}ren \\L{}ukasz {\\L}ukasz Stra\\ss e \\AA ngstr\\\"om",
		    "Søren Łukasz Łukasz Straße Ångström" },
		{ "na\\\"{\\i}ve \\'{\\i} \\'\\i", "naïve í í" },
		{ "\\aa{} \\ae{} \\l{} \\O", "å æ ł Ø" },
		/* no letter takes the accent: as it was */
		{ "regex \\d{4} \\\" and \\~{}", "regex \\d{4} \\\" and \\~{}" },
	};

	(void)state;
	check_rows(rows, COUNT(rows));
}

static void
test_money_is_left_alone(void **state)
{
	static const struct row rows[] = {
		{ "for $60", "for $60" },
		{ "\\$OneMillion-Bench", "$OneMillion-Bench" },
		{ "between $5 and $10", "between $5 and $10" },
		{ "$5-$10 or $5, $10.", "$5-$10 or $5, $10." },
		{ "$60 for $k$-means", "$60 for k-means" },
		{ "a \\$15 run of $n$ steps", "a $15 run of n steps" },
		{ "$HOME and $PATH", "$HOME and $PATH" },
		{ "in US$ and in CA$", "in US$ and in CA$" },
		{ "$5 (we use \\textbf{x}) and $10", "$5 (we use x) and $10" },
		{ "$", "$" },
		{ "$$", "$$" },
		{ "100$", "100$" },
		{ "$0.5$ and $2$-uniform", "0.5 and 2-uniform" },
	};

	(void)state;
	check_rows(rows, COUNT(rows));
}

static void
test_mathematics(void **state)
{
	static const struct row rows[] = {
		{ "M$^{2}$SNet $\\text{R}^2\\text{R}$ mm$^2$", "M²SNet R²R mm²" },
		{ "Ga$_2$O$_3$ $\\ell_1$ $L_p$ $A_{\\max}$", "Ga₂O₃ ℓ₁ Lₚ Aₘₐₓ" },
		{ "$10^{-3}$ $2^\\text{nd}$ $90^\\circ$ $Q^\\star$ $Q^*$", "10⁻³ 2ⁿᵈ 90° Q⋆ Q*" },
		{ "$x_{max}$ $V_{0.5}$ $TCP_\\alpha$ $C^{s,\\lambda}$",
		    "xₘₐₓ V_0.5 TCP_α C^(s,λ)" },
		{ "$O(\\epsilon^{-5/3})$ $\\ell^\\infty$", "O(ε^(-5/3)) ℓ^∞" },
		{ "$\\alpha$-fair $\\beta$ $\\Gamma$ $\\varepsilon$", "α-fair β Γ ε" },
		{ "$Z \\geq 8$ $x\\in X$ $a \\times b$ $p>n$", "Z ≥ 8 x∈X a × b p>n" },
		{ "$f: X \\to Y$ $A \\Rightarrow B$", "f: X → Y A ⇒ B" },
		{ "$\\mathbb{R}^n$ $\\mathcal{O}(n^2)$ $\\mathfrak p$ ${\\cal O}(1)$",
		    "ℝⁿ 𝒪(n²) 𝔭 𝒪(1)" },
		{ "$\\mathbb{NP}$ $\\mathcal{Score}$", "NP Score" },
		{ "$\\frac{1}{2}$ $\\frac{a+b}{c}$ $\\frac{1}{2p}$", "1/2 (a+b)/c 1/(2p)" },
		{ "$\\sqrt{x}$ $\\sqrt{a+b}$ $\\sqrt[3]{x}$ $\\binom{n}{k}$",
		    "√x √(a+b) ³√x (n choose k)" },
		{ "$\\hat{x}$ $\\tilde O(n)$ $\\widehat{AB}$", "x̂ Õ(n) AB" },
		{ "$O(n \\log n)$ $\\ln\\ln T$ $n\\log n$ $\\arg\\max$",
		    "O(n log n) ln ln T n log n arg max" },
		{ "$\\Delta x$ $\\lambda \\mu$ $f'(x)$ Ain$'$t", "Δx λ μ f′(x) Ain't" },
		{ "\\(x^2\\) and \\[y_1\\] and $$z$$", "x² and y₁ and z" },
		{ "$\\{a\\}$ $\\left( b \\right)$ $\\left. c \\right|$", "{a} ( b ) c |" },
		{ "$a \\not= b$ $c \\not\\in d$ $x \\pmod{n}$", "a ≠ b c ∉ d x (mod n)" },
		{ "$A\\xrightarrow{f}B$ $\\operatorname*{argmin}_x f$", "A→B argminₓ f" },
		{ "$\\tilde{\\mkern1mu O}$ Newton$\\unicode{x2013}$Schulz", "Õ Newton–Schulz" },
	};

	(void)state;
	check_rows(rows, COUNT(rows));
}

static void
test_text(void **state)
{
	static const struct row rows[] = {
		{ "\\textbf{a} \\emph{b \\textit{c}} \\texttt{d} {\\bf e}", "a b c d e" },
		{ "$\\texttt{AMEND++}$ \\mathsf{VISTA} \\textsc{DiARC}", "AMEND++ VISTA DiARC" },
		{ "as shown~\\cite[p. 3]{knuth}, by Fig.~3", "as shown, by Fig. 3" },
		{ "an accent on \\~\\ref{x} nothing", "an accent on \\~ nothing" },
		{ "see \\ref{x} and \\footnote{gone}this", "see and this" },
		{ "1\\,Hz a\\;b c~d", "1 Hz a b c d" },
		{ "~5 minutes, about ~ 5, http://x/~me", "~5 minutes, about ~ 5, http://x/~me" },
		{ "Gromov--Wasserstein a---b 1--2 -- x", "Gromov–Wasserstein a—b 1–2 – x" },
		{ "--help a --b -c- ----", "--help a --b -c- ----" },
		{ "``quoted'' 5'' it's", "“quoted” 5'' it's" },
		{ "95\\% \\& \\#1 \\_", "95% & #1 _" },
		{ "\\textcolor{red}{x} \\href{http://a}{b}", "x b" },
		{ "C:\\Users\\bob \\method{x} \\Rk{1}", "C:\\Users\\bob \\method{x} \\Rk{1}" },
		{ "{plain} braces {1, 2}", "{plain} braces {1, 2}" },
		/* without dollars, where nothing else can be meant */
		{ "S^2-KD M^4olGen (MPO)^2 S=2^16", "S²-KD M⁴olGen (MPO)² S=2¹⁶" },
		{ "360^circ 90^\\circ ECI_{sem} H_{2}O", "360° 90^∘ ECIₛₑₘ H₂O" },
		{ "execute_code ^_^ x^y CO_2 ^2", "execute_code ^_^ x^y CO_2 ^2" },
		{ "x_{never closed", "x_{never closed" },
		{ "\\", "\\" },
		{ "\\textbf{never closed", "never closed" },
	};

	(void)state;
	check_rows(rows, COUNT(rows));
}

/* What nests deep, or opens and never closes, must neither recurse deep nor take time. */
static void
test_hostile_text_takes_linear_time(void **state)
{
	static const char *const pieces[] = { "{", "^{", "_{", "\\frac{", "\\sqrt{", "\\hat",
		"\\\"{", "$", "$x", "\\text{$", "\\(^{", "\\cite[", "\\textbf{", "$^{_{",
		"\\not\\not", "\\(\\frac\\frac", "--", "``", "\\mathbb{\\hat{" };

	(void)state;
	for (size_t i = 0; i < COUNT(pieces); i++) {
		struct strbuf text, got;
		clock_t start = clock();

		strbuf_init(&text, 400000);
		strbuf_init(&got, 4000000);
		while (text.len < 200000)
			strbuf_add(&text, pieces[i]);
		text_add_latex(&got, text.buf, text.len);
		if (clock() - start > 5 * CLOCKS_PER_SEC)
			fail_msg("200 KB of '%s' took %g s", pieces[i],
			    (double)(clock() - start) / CLOCKS_PER_SEC);
		strbuf_release(&text);
		strbuf_release(&got);
	}
}

static void
test_bounded_output_fails_cleanly(void **state)
{
	static const char text[] =
	    "$\\frac{a+b}{\\hat{c}^{xyz}}$ \\\"{o} \\not= \\mathbb{R}^{a/b} ``q''";

	(void)state;
	for (size_t max = 0; max < 40; max++) {
		struct strbuf got;

		strbuf_init(&got, max);
		text_add_latex(&got, text, sizeof(text) - 1);
		assert_true(got.len <= max);
		strbuf_release(&got);
	}
}

/* Each name must be found by the binary search: the table is sorted. */
static void
test_table_is_sorted(void **state)
{
	static const char *const names[] = { "AA", "alpha", "mathbb", "xspace", "zeta", "frac",
		"ss", "Pr", "c" };

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++)
		if (latex_find(names[i], strlen(names[i])) == NULL)
			fail_msg("%s", names[i]);
	assert_null(latex_find("alph", 4));
	assert_null(latex_find("alphabet", 8));
	assert_string_equal(latex_find("alphabet", 5)->name, "alpha");
	assert_string_equal(latex_raised('0'), "⁰");
	assert_string_equal(latex_lowered('x'), "ₓ");
	assert_null(latex_lowered('q'));
}

/* A backslash and letters that the table knows, still there. */
static bool
has_known_command(const char *text)
{
	for (const char *s = strchr(text, '\\'); s != NULL; s = strchr(s + 1, '\\')) {
		size_t n = strspn(s + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

		if (n > 0 && latex_find(s + 1, n) != NULL)
			return true;
	}
	return false;
}

/* dollars = those that must still be there: how many were written as \$ */
static void
check_recorded(const char *text, bool title)
{
	size_t ndollars = 0, nescaped = 0;
	struct strbuf got;

	strbuf_init(&got, 1000000);
	text_add_latex(&got, text, strlen(text));
	if (has_known_command(got.buf))
		fail_msg("'%s' reads '%s'", text, got.buf);
	for (const char *s = text; title && (s = strstr(s, "\\$")) != NULL; s++)
		nescaped++;
	for (const char *s = got.buf; (s = strchr(s, '$')) != NULL; s++)
		ndollars++;
	if (title && ndollars != nescaped)
		fail_msg("'%s' has other dollars: '%s'", text, got.buf);
	strbuf_release(&got);
}

static void
check_corpus_file(const char *name, const char *member)
{
	const char *corpus = getenv("DIGEST_CORPUS");
	struct strbuf path, bytes;
	size_t nlines = 0;

	if (corpus == NULL) {
		print_message("DIGEST_CORPUS is not set\n");
		skip();
	}
	strbuf_init(&path, 4096);
	strbuf_init(&bytes, 10000000);
	strbuf_addf(&path, "%s/latex/%s", corpus, name);
	assert_int_equal(file_read(path.buf, &bytes, NULL), 0);
	for (const char *line = bytes.buf; *line != '\0';) {
		size_t len = strcspn(line, "\n");
		json_t *root;

		assert_int_equal(json_read(line, len, 1000000, &root, NULL), 0);
		check_recorded(json_get_string(root, member), strcmp(member, "title") == 0);
		json_decref(root);
		line += len + (line[len] == '\n');
		nlines++;
	}
	assert_true(nlines >= 52);
	strbuf_release(&path);
	strbuf_release(&bytes);
}

static void
test_recorded_titles(void **state)
{
	(void)state;
	check_corpus_file("titles-with-tex.jsonl", "title");
}

static void
test_recorded_abstracts(void **state)
{
	(void)state;
	check_corpus_file("abstracts-with-tex.jsonl", "abstract");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_money_is_left_alone),
		cmocka_unit_test(test_mathematics),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_hostile_text_takes_linear_time),
		cmocka_unit_test(test_bounded_output_fails_cleanly),
		cmocka_unit_test(test_table_is_sorted),
		cmocka_unit_test(test_recorded_titles),
		cmocka_unit_test(test_recorded_abstracts),
	};

	return cmocka_run_group_tests_name("latex", tests, NULL, NULL);
}
