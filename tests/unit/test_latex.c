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
		struct strbuf got, clean;

		strbuf_init(&got, 100000);
		strbuf_init(&clean, 100000);
		text_add_latex(&got, rows[i].text, strlen(rows[i].text));
		text_add_clean(&clean, got.buf, got.len, 100000);
		if (strcmp(clean.buf, rows[i].want) != 0)
			fail_msg("row %zu: '%s' reads '%s', not '%s'", i, rows[i].text, clean.buf,
			    rows[i].want);
		strbuf_release(&clean);
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
		{ "regex \\d{4} \\\" and \\ud", "regex \\d{4} \\\" and \\ud" },
		/* on nothing it is itself */
		{ "http://x/\\~{}me 2\\^{}8", "http://x/~me 2^8" },
		{ "M\\\"uller {\\L}ukasz \\v{C}ech \\'{\\i} Mart\\'{\\i}n Mart\\'\\i nez "
		  "Garc{\\'\\i}a",
		    "Müller Łukasz Čech í Martín Martínez García" },
		{ "Nguy\\~{\\^e}n Dvo\\v r\\'ak \\c{S}ahin Ho\\`ang H\\aa{}kon Jos{\\'e} "
		  "Y{\\i}ld{\\i}z",
		    "Nguyễn Dvořák Şahin Hoàng Håkon José Yıldız" },
		{ "\\OE uvre \\ae on \\TH or \\DJ or\\dj e \\.I \\h{a}",
		    "Œuvre æon Þor Đorđe İ ả" },
		{ "O\\textquotesingle Brien, {van der} Berg, {GPT}-4 by {B}ayes, {COVID}-19",
		    "O'Brien, {van der} Berg, GPT-4 by Bayes, COVID-19" },
		{ "Ann$^{1}$, Bob\\textsuperscript{2}, Eve$^\\dagger$, Al$^{1,2}$",
		    "Ann¹, Bob², Eve†, Al^(1,2)" },
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
		{ "$5 and $10; US$ 3M; costs $100 to $200 per $k$-token",
		    "$5 and $10; US$ 3M; costs $100 to $200 per k-token" },
		{ "US$5 and CAD$10, A$ 5 or $\\alpha$", "US$5 and CAD$10, A$ 5 or α" },
		{ "$20M, $30M ($40M) and $50B; save $1.5 million ($x$)",
		    "$20M, $30M ($40M) and $50B; save $1.5 million (x)" },
		{ "$0.10 (o1) vs. $0.50 (o3), with $n=5$ runs",
		    "$0.10 (o1) vs. $0.50 (o3), with n=5 runs" },
		{ "(<$1) or (>$2), $5 < $10", "(<$1) or (>$2), $5 < $10" },
		{ "$5/$10, $5/$x$, $AAPL,$MSFT and $TSLA/$GME",
		    "$5/$10, $5/x, $AAPL,$MSFT and $TSLA/$GME" },
		{ "$HOME/$USER, ${HOME} and ${USER}, $(pwd) and $1/$2",
		    "$HOME/$USER, ${HOME} and ${USER}, $(pwd) and $1/$2" },
		{ "$5 per 1M tokens_in and 10$ per 1M tokens_out",
		    "$5 per 1M tokens_in and 10$ per 1M tokens_out" },
		{ "it costs $5-$10/month, $\\alpha$ is 3, and $2^n$",
		    "it costs $5-$10/month, α is 3, and 2ⁿ" },
		{ "we get $a$, $b$ and $c$ for $5.", "we get a, b and c for $5." },
		{ "$x_1,$ $x_2$ and $k$NN by $Ψ$Test", "x₁, x₂ and kNN by ΨTest" },
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
		{ "$d_{eff}x$ $T_\\infty g_\\varepsilon(u)$", "d_eff x T_∞ g_ε(u)" },
		{ "$\\int_0^\\infty e^{-x}\\,dx$", "∫₀^∞ e⁻ˣ dx" },
		{ "$A\\otimes_{\\mathbb Z}B$ $x_{ab}^2$ $C^{s,b}x$", "A⊗_ℤ B x_ab² C^(s,b)x" },
		{ "$29\\times / 3.4\\times$ $38\\times + 2$ $7\\times +2$",
		    "29× / 3.4× 38× + 2 7×+2" },
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
		{ "$\\{a\\}$ $\\left( b \\right)$ $\\left. c \\right|$", "{a} (b) c|" },
		{ "$a \\not= b$ $c \\not\\in d$ $x \\pmod{n}$", "a ≠ b c ∉ d x (mod n)" },
		{ "$A\\xrightarrow{f}B$ $\\operatorname*{argmin}_x f$", "A→B argminₓ f" },
		{ "$x^{y^{z}}$ $x_{i_j}$ $2^{2^n}$ $10^{6.5}$ $x_{t+1}^{(i)}$ $A_{ij}$ $x_{1:T}$",
		    "x^(yᶻ) x_(iⱼ) 2^(2ⁿ) 10^(6.5) xₜ₊₁⁽ⁱ⁾ Aᵢⱼ x_(1:T)" },
		{ "$x_\\mathrm{train}$ $n^{\\text{th}}$ $L_{\\mathrm{CE}}$ $\\mathcal "
		  "L_{\\text{total}}$ $p_{data}$",
		    "xₜᵣₐᵢₙ nᵗʰ L_CE ℒₜₒₜₐₗ p_data" },
		{ "$A^\\top$ $A^\\intercal$ $A^{-1}$ $A^\\dagger$ $f''$ $f'''$ $x^{\\,1-a}$",
		    "Aᵀ Aᵀ A⁻¹ A† f″ f‴ x¹⁻ᵃ" },
		/* brackets where one line needs them, and only there */
		{ "$\\frac{1}{\\sqrt{n}}$ $\\frac{\\partial f}{\\partial x}$ $\\frac{n^2}{2}$ "
		  "$\\frac12$ $\\frac{2\\pi}{3}$",
		    "1/√n ∂f/∂x n²/2 1/2 2π/3" },
		{ "$\\frac{f(a+b)}{\\lambda_\\Delta(L)}$ $\\frac{(a+b)^2}{\\|x\\|+1}$ "
		  "$\\frac{1}{n(n+1)}$",
		    "f(a+b)/λ_Δ(L) (a+b)²/(‖x‖+1) 1/(n(n+1))" },
		{ "$\\frac{a}{b}c$ $2\\frac{1}{3}$ $\\frac{1}{2}\\|x\\|^2$ $\\frac{a}{b}+c$ "
		  "$\\frac{\\frac{a}{b}}{c}$",
		    "a/b c 2 1/3 1/2 ‖x‖² a/b+c (a/b)/c" },
		{ "$\\frac{\\log n}{n}$ $\\frac{1}{\\log n}$ $\\frac{-x}{y}$ ${a+1 \\over b}$ ${n "
		  "\\choose k}$ $a\\over 2b$",
		    "(log n)/n 1/(log n) -x/y (a+1)/b (n choose k) a/(2b)" },
		{ "$\\sqrt{2n}$ $\\sqrt{x^2}$ $\\sqrt{T}$-regret $\\sqrt{d}x$ $\\sqrt{f(x)}$ "
		  "$\\sqrt{\\log n}$",
		    "√(2n) √(x²) √T-regret √(d)x √f(x) √(log n)" },
		{ "$\\lVert x \\rVert$ $\\left\\lfloor x \\right\\rfloor$ $\\bigl(x\\bigr)$ $f( x "
		  ")$ $\\{ a \\}$ $\\langle a, b \\rangle$",
		    "‖x‖ ⌊x⌋ (x) f(x) {a} ⟨a, b⟩" },
		{ "that $<a,b>=0$ is about $\\sim 5$ $\\pm 0.5$ $a \\sim b$ $\\lambda= 3$ $a = b$ "
		  "$x := y$ $a \\circ "
		  "b$ $a\\mid b$",
		    "that <a,b>=0 is about ∼5 ±0.5 a ∼ b λ=3 a = b x := y a ∘ b a|b" },
		{ "$\\underbrace{a+b}_{n}$ $\\overline{x}$ $\\overset{!}{=}$ $\\substack{a\\\\b}$ "
		  "$\\mathring{A}$",
		    "a+b x̄ = a b Å" },
		{ "\\begin{equation} x^2 \\leq y \\end{equation} \\begin{align*} a &= b \\\\ c &= "
		  "d \\end{align*}",
		    "x² ≤ y a = b c = d" },
		{ "$\\begin{pmatrix} 1 & 2 \\\\ 3 & 4 \\end{pmatrix}$ $\\begin{cases} 1 & x>0 \\\\ "
		  "0 \\end{cases}$ 5^2",
		    "(1 2; 3 4) {1 x>0; 0 5²" },
		{ "$x\\in\\R^n$ $\\calO(1)$ $\\E[x]$ $\\KL(p\\|q)$ $\\eps$",
		    "x∈ℝⁿ 𝒪(1) 𝔼[x] KL(p‖q) ε" },
		{ "$\\foo{x}{y}$ $\\v_t$ $\\Raug = 1$ \\ours{} \\kv-cache",
		    "\\foo{x}{y} \\vₜ \\Raug = 1 \\ours \\kv-cache" },
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
		{ "see \\ref{x} and \\footnote{gone}this", "see […] and this" },
		{ "introduced in \\cite{a}. As \\citet{b} show (\\cite{c}) that [\\cite{d}]. "
		  "Section~\\ref{e}",
		    "introduced in […]. As […] show that. Section […]" },
		{ "the \\href{https://a.b/c_d~e}{code} \\href{http://a}{http://a} "
		  "\\url{https://x.y/a\\_b~c}",
		    "the code (https://a.b/c_d~e) http://a https://x.y/a_b~c" },
		{ "\\textsuperscript{th} H\\textsubscript{2}O \\verb|a_b^2| {\\em very} "
		  "\\emph{$\\alpha$}",
		    "ᵗʰ H₂O a_b^2 very α" },
		{ "\\eg, \\ie\\ it, Foo \\etal. (2024) \\SI{5}{\\micro\\meter} \\num{7}",
		    "e.g., i.e. it, Foo et al. (2024) 5 µm 7" },
		{ "a\\par b\\\\c \\newcommand{\\x}[1]{y #1} \\color{red}{d} {\\color{red}e}",
		    "a b c d e" },
		{ "\\begin{itemize} \\item one \\item two \\end{itemize}", "• one • two" },
		{ "`single' `code` 'tis the '90s, don't; `` `x' ''",
		    "‘single’ `code` 'tis the '90s, don't; “ ‘x’ ”" },
		{ "{beta}-amyloid, PTP{sigma}, 5{times}, 20{degrees}C {+/-} 2, {user} {id} {in} "
		  "{pi",
		    "β-amyloid, PTPσ, 5×, 20°C ± 2, {user} {id} {in} {pi" },
		{ "{A} or {B, C} in f{X} and {name}", "{A} or {B, C} in f{X} and {name}" },
		{ "1\\,Hz a\\;b c~d", "1 Hz a b c d" },
		{ "~5 minutes, about ~ 5, http://x/~me", "~5 minutes, about ~ 5, http://x/~me" },
		{ "Gromov--Wasserstein a---b 1--2 -- x", "Gromov–Wasserstein a—b 1–2 – x" },
		{ "--help a --b -c- ----", "--help a --b -c- ----" },
		{ "``quoted'' 5'' it's", "“quoted” 5'' it's" },
		{ "95\\% \\& \\#1 \\_", "95% & #1 _" },
		{ "\\textcolor{red}{x} \\href{http://a}{b}", "x b (http://a)" },
		{ "C:\\Users\\bob \\method{x} \\Rk{1}", "C:\\Users\\bob \\method{x} \\Rk{1}" },
		{ "{plain} braces {1, 2}", "{plain} braces {1, 2}" },
		/* without dollars, where nothing else can be meant */
		{ "S^2-KD M^4olGen (MPO)^2 S=2^16", "S²-KD M⁴olGen (MPO)² S=2¹⁶" },
		{ "360^circ 90^\\circ ECI_{sem} H_{2}O", "360° 90° ECIₛₑₘ H₂O" },
		{ "λ^star x^starting", "λ⋆ x^starting" },
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
	static const char *const pieces[] = { "{", "{a", "^{", "_{", "\\frac{", "\\sqrt{", "\\hat",
		"\\\"{", "$", "$x", "\\text{$", "\\(^{", "\\cite[", "\\textbf{", "$^{_{",
		"\\not\\not", "\\(\\frac\\frac", "--", "``", "\\mathbb{\\hat{", "^", "$5 ",
		"\\left(", "`a", "{\\over ", "$a\\over b ", "\\begin{cases}", "\\begin{", "\\verb|",
		"\\href{", "\\url{", "(\\cite{a}", "\\(\\frac{1}{2", "\\(\\sqrt(", "\\\\[", "${",
		"\\left", "$a ^\\right " };

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

static void
check_table(const struct latex_command *table, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && strcmp(table[i - 1].name, table[i].name) >= 0)
			fail_msg("%s stands before %s", table[i - 1].name, table[i].name);
		if (latex_find(table[i].name, strlen(table[i].name)) != &table[i])
			fail_msg("%s stands in both tables", table[i].name);
		/* a symbol of the table, read again, is itself */
		if (table[i].action == LATEX_SYMBOL && strpbrk(table[i].text, " \\") == NULL)
			check_rows(&(struct row){ table[i].text, table[i].text }, 1);
	}
}

static void
test_table_is_sorted(void **state)
{
	(void)state;
	check_table(latex_symbols, latex_nsymbols);
	check_table(latex_commands, latex_ncommands);
	assert_null(latex_find("alph", 4));
	assert_null(latex_find("alphabet", 8));
	assert_string_equal(latex_find("alphabet", 5)->name, "alpha");
	assert_string_equal(latex_raised('0'), "⁰");
	assert_string_equal(latex_lowered('x'), "ₓ");
	assert_null(latex_lowered('q'));
}

/* What may stay as it was written in the recorded titles and abstracts, and why. */
static const struct {
	const char *text, *why;
} accepted[] = {
	{ "\\DeltaMergeLowRes", "the author's own macro, never defined in the abstract" },
	{ "\\Raug", "own macro" },
	{ "\\Renv", "own macro" },
	{ "\\Rk", "own macro" },
	{ "\\dnll", "own macro" },
	{ "\\kv", "own macro" },
	{ "\\ours", "own macro" },
	{ "\\rhostar", "own macro" },
	{ "\\sigreg", "own macro" },
	{ "$15", "money" },
	{ "$OneMillion", "money" },
	{ "^π", "Unicode has no raised form" },
	{ "^ν", "Unicode has no raised form" },
	{ "^∞", "Unicode has no raised form" },
	{ "^ℤ", "Unicode has no raised form" },
	{ "^𝔭", "Unicode has no raised form" },
	{ "^(", "a power of several signs, not all of which have a raised form" },
	{ "~0", "about" },
	{ "~6", "about" },
};

/* Whether what stands at s, a sign that TeX knows, is among them. */
static bool
is_accepted(const char *s)
{
	for (size_t i = 0; i < COUNT(accepted); i++) {
		size_t n = strlen(accepted[i].text);

		if (strncmp(s, accepted[i].text, n) == 0 && (*s != '\\' || !latex_is_letter(s[n])))
			return true;
	}
	return false;
}

/* Braces are sets {0, 1}, what \Rk{1} was, and in one abstract emphasis that lost its command before it came. */
static void
check_recorded(const char *text)
{
	struct strbuf got, again;

	strbuf_init(&got, 1000000);
	strbuf_init(&again, 1000000);
	text_add_latex(&got, text, strlen(text));
	for (const char *s = got.buf; (s = strpbrk(s, "\\$^~`")) != NULL; s++)
		if (!is_accepted(s))
			fail_msg("'%s' reads '%s': what about '%.12s'?", text, got.buf, s);
	text_add_latex(&again, got.buf, got.len);
	if (strcmp(got.buf, again.buf) != 0)
		fail_msg("'%s', read again, becomes '%s'", got.buf, again.buf);
	strbuf_release(&again);
	strbuf_release(&got);
}

static void
check_corpus_file(const char *name, const char *member, size_t want)
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
		check_recorded(json_get_string(root, member));
		json_decref(root);
		line += len + (line[len] == '\n');
		nlines++;
	}
	assert_int_equal(nlines, want);
	strbuf_release(&path);
	strbuf_release(&bytes);
}

static void
test_recorded_titles(void **state)
{
	(void)state;
	check_corpus_file("titles-with-tex.jsonl", "title", 139);
}

static void
test_recorded_abstracts(void **state)
{
	(void)state;
	check_corpus_file("abstracts-with-tex.jsonl", "abstract", 52);
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
