/*
 * Random words, phrases and prefixes in title and abstract, joined by AND, OR and NOT, next to SQLite's FTS5 set up as the
 * store sets it up. The two must differ, and each difference must come from a stated rule of the language: FTS5 is asked
 * again of papers to which the rules were applied before, one rule more each time, and at the end it must agree on every
 * pair. A difference is counted under the rule from which on they agree. DIGEST_FULL=1 makes it ten times as many queries.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sqlite3.h>

#include "digest/map.h"
#include "digest/match.h"
#include "digest/text.h"

enum { NPAPERS = 400, NMARKS = NPAPERS / 64 + 1, NQUERIES = 3000, MAX_RUNS = 3, MAX_CHILDREN = 3 };

enum layer { AS_IT_IS, LATEX, FOLDED, WORDS, NORMAL, JOINED, NLAYERS };

static const char *const rules[] = {
	[AS_IT_IS] = "both agree",
	[LATEX] = "LaTeX becomes the character it stands for",
	[FOLDED] = "characters are folded (NFKC, marks, letters such as ß)",
	[WORDS] = "what a word is (C++, .NET, 0.5, one CJK character)",
	[NORMAL] = "singular and plural, -ise and -ize, -our and -or",
	[JOINED] = "a hyphenated word is its parts and the joined word",
};

#define PICK(seed, list) ((list)[random_below(seed, sizeof(list) / sizeof((list)[0]))])

/* The same numbers on every machine (xorshift64*). */
static uint32_t
random_below(uint64_t *seed, uint32_t n)
{
	*seed ^= *seed >> 12;
	*seed ^= *seed << 25;
	*seed ^= *seed >> 27;
	return (uint32_t)((*seed * 0x2545f4914f6cdd1dULL) >> 33) % n;
}

static const char *const plain_words[] = { "model", "models", "Model", "attention", "sparse", "a",
	"b", "pretraining", "pre", "training", "LLM", "llms", "diffusion", "fusion", "fewshot",
	"few", "shot", "colour", "color", "analyses", "analysis", "optimise", "optimize", "C++",
	"C", "C#", ".NET", "NET", "0.5", "5", "caf\u00e9", "cafe", "Gau\u00df", "gauss",
	"\u0141\u00f3d\u017a", "lodz", "\u62e1\u6563", "\u62e1", "\u03bcP", "\u00b5P", "H\u2082O",
	"H2O", "na\u00efve", "dont", "\u0438\u0439", "\u304c", "\u304b", "universe", "university",
	"news", "new" };
static const char *const joined_words[] = { "pre-training", "few-shot", "state-of-the-art", "don't",
	"k-NN", "GPT-4o" };
static const char *const latex_words[] = { "$\\mu$P", "caf\\'{e}", "H$_2$O", "Erd\\H{o}s",
	"\\textbf{sparse}" };
static const char *const prefixes[] = { "mod", "pre", "train", "l", "few", "diff", "ca", "fewsh",
	"gpt", "univers", "models", "optimis", "C+", "0", "pre-tr" };

/* ---- FTS5 over words that were cut and folded before ---- */

/* Words stand between blanks; forms of one word that stand in the same place are joined by '/'. */
static int
cut_words(Fts5Tokenizer *tokenizer, void *context, int flags, const char *text, int len,
    int (*token)(void *, int, const char *, int, int, int))
{
	int rc = SQLITE_OK, at = 0;

	(void)tokenizer;
	(void)flags;
	while (at < len && rc == SQLITE_OK) {
		int end = at;

		while (end < len && text[end] != ' ' && text[end] != '/')
			end++;
		if (end > at)
			rc =
			    token(context, at > 0 && text[at - 1] == '/' ? FTS5_TOKEN_COLOCATED : 0,
				text + at, end - at, at, end);
		at = end + 1;
	}
	return rc;
}

static int
make_cutter(void *context, const char **arguments, int n, Fts5Tokenizer **out)
{
	(void)arguments;
	(void)n;
	*out = context;
	return SQLITE_OK;
}

static void
drop_cutter(Fts5Tokenizer *tokenizer)
{
	(void)tokenizer;
}

static void
must(sqlite3 *db, int rc)
{
	if (rc != SQLITE_OK && rc != SQLITE_DONE && rc != SQLITE_ROW)
		fail_msg("FTS5: %s", sqlite3_errmsg(db));
}

static void
add_cutter(sqlite3 *db)
{
	fts5_tokenizer cutter = { make_cutter, drop_cutter, cut_words };
	fts5_api *api = NULL;
	sqlite3_stmt *st;

	must(db, sqlite3_prepare_v2(db, "SELECT fts5(?1)", -1, &st, NULL));
	must(db, sqlite3_bind_pointer(st, 1, (void *)&api, "fts5_api_ptr", NULL));
	must(db, sqlite3_step(st));
	must(db, sqlite3_finalize(st));
	assert_non_null(api);
	must(db, api->xCreateTokenizer(api, "cut", db, &cutter, NULL));
}

/* ---- the rules, one more in each layer ---- */

struct world {
	sqlite3 *db;
	sqlite3_stmt *insert[NLAYERS], *find[NLAYERS];
	struct paper *papers[NPAPERS];
	struct arena a;
	struct map leaves;
	struct match_literals *literals;
	struct match_index *index;
	size_t counts[NLAYERS], nfound;
};

/* A word of letters and digits only; what begins alike begins alike. kind keeps folded and normal forms apart. */
static void
add_form(struct strbuf *out, char kind, const char *form)
{
	strbuf_addc(out, kind);
	for (; *form != '\0'; form++) {
		if ((*form >= 'a' && *form < 'z') || (*form >= '0' && *form <= '9'))
			strbuf_addc(out, *form);
		else
			strbuf_addf(out, "z%02x", (unsigned)(unsigned char)*form);
	}
}

static void
add_normal_form(struct strbuf *out, const char *folded)
{
	char normal[128];

	text_normal_word(folded, normal, sizeof(normal));
	add_form(out, 'n', normal);
}

/* The words of a text without LaTeX. */
static void
read_words(struct token_list *list, const char *text)
{
	struct strbuf plain;

	strbuf_init(&plain, 1 << 16);
	text_add_latex(&plain, text, strlen(text));
	tokens_reset(list);
	assert_int_equal(tokens_add(list, plain.buf, plain.len, 0, NULL), 0);
	strbuf_release(&plain);
}

/* One form of a paper's text: bit i of variant writes the hyphenated run i as one word. Returns how many runs it has. */
static unsigned
add_words(struct strbuf *out, const char *text, enum layer layer, unsigned variant)
{
	struct token_list list;
	unsigned nruns = 0;

	tokens_init(&list);
	read_words(&list, text);
	for (size_t i = 0; i < list.len; i++) {
		const struct token *t = &list.tokens[i];
		const char *form = token_form(&list, t);

		if (t->njoined > 0 && (variant >> nruns++ & 1) != 0) {
			form = list.forms.buf + t->joined;
			i += t->njoined - 1;
		}
		add_form(out, 'f', form);
		if (layer > WORDS) {
			strbuf_addc(out, '/');
			add_normal_form(out, form);
		}
		strbuf_addc(out, ' ');
	}
	tokens_release(&list);
	return nruns;
}

static void
insert(struct world *w, enum layer layer, size_t paper, const char *title, const char *abstract)
{
	sqlite3_stmt *st = w->insert[layer];

	/* Variants of a paper are rows of their own. */
	must(w->db, sqlite3_bind_text(st, 1, title, -1, SQLITE_TRANSIENT));
	must(w->db, sqlite3_bind_text(st, 2, abstract, -1, SQLITE_TRANSIENT));
	must(w->db, sqlite3_bind_int64(st, 3, (sqlite3_int64)paper));
	must(w->db, sqlite3_step(st));
	must(w->db, sqlite3_reset(st));
}

static void
add_prepared(struct strbuf *out, const char *text, enum layer layer)
{
	struct strbuf plain;

	if (layer == AS_IT_IS) {
		strbuf_add(out, text);
		return;
	}
	strbuf_init(&plain, 1 << 16);
	text_add_latex(&plain, text, strlen(text));
	if (layer == FOLDED)
		text_add_folded(out, plain.buf, plain.len);
	else
		strbuf_add(out, plain.buf);
	strbuf_release(&plain);
}

static void
insert_paper(struct world *w, size_t number)
{
	const struct paper *p = w->papers[number];
	struct strbuf title, abstract;

	strbuf_init(&title, 1 << 16);
	strbuf_init(&abstract, 1 << 16);
	for (enum layer layer = 0; layer < NLAYERS; layer++) {
		unsigned ntitle = 1, nabstract = 1;

		for (unsigned v = 0; v < ntitle * nabstract; v++) {
			unsigned nt, na;

			strbuf_reset(&title);
			strbuf_reset(&abstract);
			if (layer < WORDS) {
				add_prepared(&title, p->title, layer);
				add_prepared(&abstract, p->abstract, layer);
			} else {
				nt = add_words(&title, p->title, layer, v % ntitle);
				na = add_words(&abstract, p->abstract, layer, v / ntitle);
				assert_true(nt <= MAX_RUNS && na <= MAX_RUNS);
				if (layer == JOINED && v == 0) {
					ntitle = 1u << nt;
					nabstract = 1u << na;
				}
			}
			insert(w, layer, number, title.buf, abstract.buf);
		}
	}
	strbuf_release(&abstract);
	strbuf_release(&title);
}

/* ---- random papers and queries ---- */

static const char *
random_text(uint64_t *seed, struct arena *a, uint32_t max)
{
	uint32_t n = random_below(seed, max + 1), nruns = 0;
	struct strbuf text;
	const char *copy;

	strbuf_init(&text, 1 << 16);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t kind = random_below(seed, 12);

		strbuf_add(&text, i > 0 ? PICK(seed, ((const char *[]){ " ", ", ", " " })) : "");
		if (kind < 2 && nruns < MAX_RUNS) {
			strbuf_add(&text, PICK(seed, joined_words));
			nruns++;
		} else {
			strbuf_add(
			    &text, kind == 2 ? PICK(seed, latex_words) : PICK(seed, plain_words));
		}
	}
	copy = arena_strdup(a, text.buf);
	strbuf_release(&text);
	return copy;
}

/* The bits of a leaf by each layer. */
struct answers {
	uint64_t bits[NLAYERS][NMARKS];
};

struct node {
	enum query_op op; /* QUERY_TERM is a leaf */
	struct node *children[MAX_CHILDREN];
	size_t nchildren;
	const char *field, *text; /* of a leaf: "title", "" = both; the words without quotes */
	bool prefix;
	const struct answers *answers;
};

static const char *
random_word(uint64_t *seed)
{
	uint32_t kind = random_below(seed, 12);

	return kind < 2 ? PICK(seed, joined_words)
	    : kind == 2 ? PICK(seed, latex_words)
			: PICK(seed, plain_words);
}

static struct node *
make_leaf(struct arena *a, uint64_t *seed)
{
	struct node *n = arena_zalloc(a, sizeof(*n));
	uint32_t nwords = 1 + random_below(seed, 3);

	n->op = QUERY_TERM;
	n->field = PICK(seed, ((const char *[]){ "", "", "title", "abstract" }));
	n->prefix = random_below(seed, 4) == 0;
	n->text = n->prefix ? PICK(seed, prefixes) : random_word(seed);
	for (uint32_t i = 1; i < nwords; i++)
		n->text = arena_printf(a, "%s %s", random_word(seed), n->text);
	return n;
}

static struct node *
make_node(struct arena *a, uint64_t *seed, unsigned depth)
{
	struct node *n;

	if (depth == 0 || random_below(seed, 3) == 0)
		return make_leaf(a, seed);
	n = arena_zalloc(a, sizeof(*n));
	n->op = PICK(seed, ((const enum query_op[]){ QUERY_AND, QUERY_OR, QUERY_OR, QUERY_NOT }));
	/* NOT has two sides here, as in FTS5: the first without the second. */
	n->nchildren = n->op == QUERY_NOT ? 2 : 2 + random_below(seed, MAX_CHILDREN - 1);
	for (size_t i = 0; i < n->nchildren; i++)
		n->children[i] = make_node(a, seed, depth - 1);
	return n;
}

static void
add_query(struct strbuf *out, const struct node *n, bool fts)
{
	if (n->op == QUERY_TERM) {
		strbuf_addf(out, "%s%s\"%s%s\"%s", n->field,
		    n->field[0] == '\0' ? ""
			: fts		? " : "
					: ":",
		    n->text, n->prefix && !fts ? "*" : "", n->prefix && fts ? "*" : "");
		return;
	}
	strbuf_addc(out, '(');
	for (size_t i = 0; i < n->nchildren; i++) {
		if (i > 0)
			strbuf_add(out,
			    n->op == QUERY_OR	     ? " OR "
				: n->op == QUERY_AND ? " AND "
				: fts		     ? " NOT "
						     : " -");
		add_query(out, n->children[i], fts);
	}
	strbuf_addc(out, ')');
}

/* ---- asking ---- */

static void
find(struct world *w, enum layer layer, const char *match, uint64_t *bits)
{
	sqlite3_stmt *st = w->find[layer];
	int rc;

	memset(bits, 0, NMARKS * sizeof(*bits));
	must(w->db, sqlite3_bind_text(st, 1, match, -1, SQLITE_TRANSIENT));
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		size_t paper = (size_t)sqlite3_column_int64(st, 0);

		bits[paper / 64] |= (uint64_t)1 << (paper % 64);
	}
	if (rc != SQLITE_DONE)
		fail_msg("FTS5: %s: %s", match, sqlite3_errmsg(w->db));
	must(w->db, sqlite3_reset(st));
}

/* The words of a leaf from our rules, as one phrase of FTS5; bit i of variant writes the run i as one word, and one bit more
 * writes a phrase of two words as one. Returns false when there is no such variant. */
static bool
add_phrase(struct strbuf *out, const struct token_list *list, const struct node *leaf,
    enum layer layer, unsigned variant)
{
	bool both = list->len == 2 && list->tokens[0].njoined == 0 && variant == 1;
	unsigned nruns = 0;
	size_t i = 0;

	strbuf_add(out, "\"");
	while (i < list->len) {
		const struct token *t = &list->tokens[i];
		char form[256];

		snprintf(form, sizeof(form), "%s%s", token_form(list, t),
		    both ? token_form(list, t + 1) : "");
		i++;
		if (both) {
			i++;
		} else if (t->njoined > 0 && (variant >> nruns++ & 1) != 0) {
			snprintf(form, sizeof(form), "%s", list->forms.buf + t->joined);
			i += t->njoined - 1;
		}
		if (layer == WORDS || (leaf->prefix && i == list->len))
			add_form(out, 'f', form);
		else
			add_normal_form(out, form);
		strbuf_addc(out, ' ');
	}
	strbuf_add(out, leaf->prefix ? "\"*" : "\"");
	return both || variant < 1u << nruns;
}

static void
find_by_words(struct world *w, const struct node *leaf, enum layer layer, uint64_t *bits)
{
	struct token_list list;
	struct strbuf match;
	uint64_t found[NMARKS];

	tokens_init(&list);
	read_words(&list, leaf->text);
	strbuf_init(&match, 1 << 16);
	memset(bits, 0, NMARKS * sizeof(*bits));
	for (unsigned variant = 0; variant == 0 || layer == JOINED; variant++) {
		strbuf_reset(&match);
		strbuf_addf(&match, "%s%s", leaf->field, leaf->field[0] != '\0' ? " : " : "");
		if (!add_phrase(&match, &list, leaf, layer, variant))
			break;
		find(w, layer, match.buf, found);
		for (size_t i = 0; i < NMARKS; i++)
			bits[i] |= found[i];
	}
	strbuf_release(&match);
	tokens_release(&list);
}

static const struct answers *
ask_leaf(struct world *w, const struct node *leaf)
{
	const char *key =
	    arena_printf(&w->a, "%s:%s%s", leaf->field, leaf->text, leaf->prefix ? "*" : "");
	struct answers *answers;
	uint64_t known;

	if (map_get(&w->leaves, key, strlen(key), &known))
		return (const struct answers *)(uintptr_t)known;
	answers = arena_zalloc(&w->a, sizeof(*answers));
	assert_non_null(answers);
	for (enum layer layer = 0; layer < NLAYERS; layer++) {
		struct node prepared = *leaf;
		struct strbuf text, match;

		if (layer >= WORDS) {
			find_by_words(w, leaf, layer, answers->bits[layer]);
			continue;
		}
		strbuf_init(&text, 1 << 16);
		strbuf_init(&match, 1 << 16);
		add_prepared(&text, leaf->text, layer);
		prepared.text = text.buf;
		add_query(&match, &prepared, true);
		find(w, layer, match.buf, answers->bits[layer]);
		strbuf_release(&match);
		strbuf_release(&text);
	}
	assert_int_equal(map_set(&w->leaves, key, strlen(key), (uintptr_t)answers), 0);
	return answers;
}

static void
ask_leaves(struct world *w, struct node *n)
{
	if (n->op == QUERY_TERM)
		n->answers = ask_leaf(w, n);
	for (size_t i = 0; i < n->nchildren; i++)
		ask_leaves(w, n->children[i]);
}

static bool
bit(const uint64_t *bits, size_t i)
{
	return (bits[i / 64] >> (i % 64) & 1) != 0;
}

static bool
holds(const struct node *n, enum layer layer, size_t paper)
{
	bool first, any = false, all = true;

	if (n->op == QUERY_TERM)
		return bit(n->answers->bits[layer], paper);
	first = holds(n->children[0], layer, paper);
	for (size_t i = 1; i < n->nchildren; i++) {
		bool h = holds(n->children[i], layer, paper);

		any = any || h;
		all = all && h;
	}
	return n->op == QUERY_NOT ? first && !any
	    : n->op == QUERY_AND  ? first && all
				  : first || any;
}

static void
evaluate(struct world *w, const char *text, uint64_t *bits)
{
	struct program *program = NULL;
	struct query *q;
	struct arena a;
	struct error err;

	arena_init(&a, 1 << 24);
	if (query_parse(text, strlen(text), &a, &q, NULL, &err) == -1 ||
	    match_compile(w->literals, q, &program, &err) == -1 ||
	    match_evaluate(w->index, program, NULL, bits, &err) == -1)
		fail_msg("%s: %s", text, err.msg);
	match_program_free(program);
	arena_release(&a);
}

/* Count each pair under the rule from which on FTS5 says what we say. */
static void
compare(struct world *w, struct node *tree)
{
	uint64_t ours[NMARKS], theirs[NMARKS];
	struct strbuf text, match;

	strbuf_init(&text, 1 << 16);
	strbuf_init(&match, 1 << 16);
	add_query(&text, tree, false);
	add_query(&match, tree, true);
	ask_leaves(w, tree);
	evaluate(w, text.buf, ours);
	find(w, AS_IT_IS, match.buf, theirs);
	for (size_t i = 0; i < NPAPERS; i++) {
		enum layer layer = NLAYERS;

		if (holds(tree, AS_IT_IS, i) != bit(theirs, i))
			fail_msg("FTS5 reads '%s' otherwise than this test", match.buf);
		while (layer > 0 && holds(tree, layer - 1, i) == bit(ours, i))
			layer--;
		if (layer == NLAYERS)
			fail_msg("no rule explains why '%s' is %s for\n  title: %s\n  abstract: %s",
			    text.buf, bit(ours, i) ? "true" : "false", w->papers[i]->title,
			    w->papers[i]->abstract);
		w->counts[layer] += bit(ours, i) || bit(theirs, i);
		w->nfound += bit(ours, i);
	}
	strbuf_release(&match);
	strbuf_release(&text);
}

static void
open_tables(struct world *w)
{
	must(NULL, sqlite3_open(":memory:", &w->db));
	add_cutter(w->db);
	must(w->db, sqlite3_exec(w->db, "BEGIN", NULL, NULL, NULL));
	for (enum layer layer = 0; layer < NLAYERS; layer++) {
		char sql[200];

		snprintf(sql, sizeof(sql),
		    "CREATE VIRTUAL TABLE p%d USING fts5(title, abstract, paper UNINDEXED, "
		    "tokenize = '%s')",
		    (int)layer, layer < WORDS ? "unicode61 remove_diacritics 2" : "cut");
		must(w->db, sqlite3_exec(w->db, sql, NULL, NULL, NULL));
		snprintf(sql, sizeof(sql), "INSERT INTO p%d VALUES (?, ?, ?)", (int)layer);
		must(w->db, sqlite3_prepare_v2(w->db, sql, -1, &w->insert[layer], NULL));
		snprintf(sql, sizeof(sql), "SELECT paper FROM p%d WHERE p%d MATCH ?", (int)layer,
		    (int)layer);
		must(w->db, sqlite3_prepare_v2(w->db, sql, -1, &w->find[layer], NULL));
	}
}

static void
close_world(struct world *w)
{
	for (enum layer layer = 0; layer < NLAYERS; layer++) {
		sqlite3_finalize(w->insert[layer]);
		sqlite3_finalize(w->find[layer]);
	}
	sqlite3_close(w->db);
	match_index_free(w->index);
	match_literals_free(w->literals);
	map_release(&w->leaves);
	arena_release(&w->a);
	free(w);
}

static void
test_every_difference_has_a_rule(void **state)
{
	static const struct match_weights weights = { 1, 1, 1, 1 };
	size_t nqueries = getenv("DIGEST_FULL") != NULL ? 10 * NQUERIES : NQUERIES;
	struct world *w = calloc(1, sizeof(*w));
	uint64_t seed = 20261121;

	(void)state;
	assert_non_null(w);
	arena_init(&w->a, 1 << 30);
	map_init(&w->leaves);
	open_tables(w);
	for (size_t i = 0; i < NPAPERS; i++) {
		w->papers[i] = paper_new(&w->a);
		w->papers[i]->title = random_text(&seed, &w->a, 6);
		w->papers[i]->abstract = random_text(&seed, &w->a, 14);
		insert_paper(w, i);
	}
	assert_int_equal(match_literals_new(&w->literals, NULL), 0);
	assert_int_equal(
	    match_index_new(w->papers, NPAPERS, 0, &weights, w->literals, &w->index, NULL), 0);
	for (size_t i = 0; i < nqueries; i++) {
		struct arena a;

		arena_init(&a, 1 << 20);
		compare(w, make_node(&a, &seed, (unsigned)(i % 3)));
		arena_release(&a);
	}
	for (enum layer layer = 0; layer < NLAYERS; layer++)
		print_message("%8zu  %s\n", w->counts[layer], rules[layer]);
	/* Each rule is at work, and most of what is found both find. */
	for (enum layer layer = 0; layer < NLAYERS; layer++)
		assert_true(w->counts[layer] > nqueries / 50);
	assert_true(w->counts[AS_IT_IS] > w->nfound / 2);
	close_world(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_difference_has_a_rule),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
