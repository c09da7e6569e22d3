/*
 * The grammar in digest-filter(7) and the parser are in step. The grammar is read from the manual, as a reader sees it. Every
 * sentence it makes is a query, which is written back so that it reads the same; and of sentences put together at random
 * the parser takes those that the grammar takes, and no others. DIGEST_FULL=1 makes 100,000 and 300,000, else a fifth.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "digest/query.h"

#include "same_tree.h"

enum { MAX_RULES = 64, MAX_PARTS = 16, MAX_TOKENS = 60, MAX_DEPTH = 12, ALL_SENTENCES = 100000 };

static const char manual[] = "man/digest-filter.7";

enum kind {
	PART_LITERAL, /* "OR" */
	PART_NAME,    /* of a rule, or of something the manual describes in words */
	PART_CHOICE,  /* a | b */
	PART_LIST,    /* a b , c */
	PART_OPTION,  /* [ a ] */
	PART_REPEAT,  /* { a } */
};

struct part {
	enum kind kind;
	const char *text; /* of a literal and a name */
	struct part *parts[MAX_PARTS];
	bool joined[MAX_PARTS]; /* a comma stands before it */
	size_t nparts;
};

struct rule {
	const char *name;
	struct part *body;
	bool used; /* a sentence was made by it */
};

struct grammar {
	struct arena a;
	struct rule rules[MAX_RULES];
	size_t nrules;
};

/* A token of a sentence, and whether it stands directly behind the one before it. */
struct token_of_sentence {
	const char *text,
	    *name; /* name: what it is when the manual describes it in words, else "" */
	bool joined;
};

struct sentence {
	struct token_of_sentence tokens[MAX_TOKENS];
	size_t n;
};

/* The same numbers on every machine (xorshift64*). */
static uint32_t
random_below(uint64_t *seed, uint32_t n)
{
	*seed ^= *seed >> 12;
	*seed ^= *seed << 25;
	*seed ^= *seed >> 27;
	return (uint32_t)((*seed * 0x2545f4914f6cdd1dULL) >> 33) % n;
}

#define PICK(seed, list) ((list)[random_below(seed, sizeof(list) / sizeof((list)[0]))])

/* A fifth of them, unless DIGEST_FULL is set. */
static size_t
count_sentences(void)
{
	return getenv("DIGEST_FULL") != NULL ? ALL_SENTENCES : ALL_SENTENCES / 5;
}

/* ---- reading the grammar ---- */

static const char *
skip_space(const char *at)
{
	return at + strspn(at, " \n");
}

static struct part *
new_part(struct grammar *g, enum kind kind)
{
	struct part *p = arena_zalloc(&g->a, sizeof(*p));

	assert_non_null(p);
	p->kind = kind;
	p->text = "";
	return p;
}

static void
add_part(struct part *list, struct part *p, bool joined)
{
	assert_in_range(list->nparts, 0, MAX_PARTS - 1);
	list->joined[list->nparts] = joined;
	list->parts[list->nparts++] = p;
}

static struct part *read_choice(struct grammar *g, const char **at);

static struct part *
read_part(struct grammar *g, const char **at)
{
	static const struct {
		char open, close;
		enum kind kind;
	} brackets[] = { { '(', ')', PART_LIST }, { '[', ']', PART_OPTION },
		{ '{', '}', PART_REPEAT } };
	struct part *p;
	size_t n;

	for (size_t i = 0; i < sizeof(brackets) / sizeof(brackets[0]); i++) {
		if (**at != brackets[i].open)
			continue;
		p = new_part(g, brackets[i].kind);
		(*at)++;
		add_part(p, read_choice(g, at), false);
		assert_int_equal(**at, brackets[i].close);
		(*at)++;
		return p;
	}
	p = new_part(g, **at == '"' ? PART_LITERAL : PART_NAME);
	*at += **at == '"';
	n = p->kind == PART_LITERAL ? strcspn(*at, "\"")
				    : strspn(*at, "abcdefghijklmnopqrstuvwxyz-");
	assert_true(n > 0);
	p->text = arena_strndup(&g->a, *at, n);
	*at += n + (p->kind == PART_LITERAL);
	return p;
}

static struct part *
read_list(struct grammar *g, const char **at)
{
	struct part *list = new_part(g, PART_LIST);
	bool joined = false;

	for (;;) {
		*at = skip_space(*at);
		if (**at == '\0' || strchr("|)]}", **at) != NULL)
			break;
		if (**at == ',') {
			joined = true;
			(*at)++;
			continue;
		}
		add_part(list, read_part(g, at), joined);
		joined = false;
	}
	assert_true(list->nparts > 0 && !joined);
	return list;
}

static struct part *
read_choice(struct grammar *g, const char **at)
{
	struct part *choice = new_part(g, PART_CHOICE);

	for (;;) {
		add_part(choice, read_list(g, at), false);
		*at = skip_space(*at);
		if (**at != '|')
			return choice;
		(*at)++;
	}
}

static struct rule *
find_rule(struct grammar *g, const char *name)
{
	for (size_t i = 0; i < g->nrules; i++)
		if (strcmp(g->rules[i].name, name) == 0)
			return &g->rules[i];
	return NULL;
}

/* "name = body", with the lines that go on. */
static void
read_rule(struct grammar *g, const char *text)
{
	size_t n = strcspn(text, " ");
	const char *at = strchr(text, '=');
	struct rule *r = &g->rules[g->nrules];

	assert_non_null(at);
	assert_in_range(g->nrules, 0, MAX_RULES - 1);
	r->name = arena_strndup(&g->a, text, n);
	assert_null(find_rule(g, r->name));
	at++;
	r->body = read_choice(g, &at);
	if (*at != '\0')
		fail_msg("%s: the rule of %s goes on with '%s'", manual, r->name, at);
	g->nrules++;
}

/* One line of the manual without its escapes. */
static void
add_line(struct strbuf *out, const char *line)
{
	for (; *line != '\0'; line++) {
		if (strncmp(line, "\\(ti", 4) == 0) {
			strbuf_addc(out, '~');
			line += 3;
		} else if (*line != '\\') {
			strbuf_addc(out, *line);
		}
	}
}

static void
read_grammar(struct grammar *g)
{
	FILE *page = fopen(manual, "r");
	bool inside = false, block = false;
	struct strbuf rule;
	char line[200];

	if (page == NULL)
		fail_msg("%s cannot be read; tests run in the project's folder", manual);
	arena_init(&g->a, 1 << 20);
	strbuf_init(&rule, 1 << 16);
	while (fgets(line, sizeof(line), page) != NULL) {
		if (strncmp(line, ".Ss", 3) == 0)
			inside = strcmp(line, ".Ss Grammar\n") == 0;
		else if (strncmp(line, ".Bd", 3) == 0)
			block = inside;
		else if (block) {
			bool end = strncmp(line, ".Ed", 3) == 0;

			if (line[0] != ' ' && rule.len > 0) {
				read_rule(g, rule.buf);
				strbuf_reset(&rule);
			}
			block = !end;
			if (block)
				add_line(&rule, line);
		}
	}
	fclose(page);
	strbuf_release(&rule);
	assert_non_null(find_rule(g, "query"));
	assert_true(g->nrules >= 15);
}

/* ---- making sentences ---- */

/* What the manual describes in words, by examples. */
static const char *const words[] = { "nerf", "pre-training", "C++", ".NET", "\u62e1\u6563",
	"caf\u00e9", "0.5", "R&D", "don't", "A*B", "2312.00752", "_x", "/a", "x:y" };
static const char *const phrases[] = { "sparse attention", "the a b", "and or", "a:b c",
	"C*-algebra theory", "x > y", "(a) b" };

static const char *
describe(uint64_t *seed, const char *name)
{
	if (strcmp(name, "word") == 0)
		/* The last ones are no words where a name may stand before them. */
		return words[random_below(seed, sizeof(words) / sizeof(words[0]) - 1)];
	if (strcmp(name, "words") == 0)
		return PICK(seed, phrases);
	if (strcmp(name, "quote") == 0)
		return "\"";
	if (strcmp(name, "number") == 0)
		return PICK(seed, ((const char *[]){ "3", "30", "1000", "007" }));
	if (strcmp(name, "day") == 0)
		return PICK(seed, ((const char *[]){ "2026-01-31", "2024-02-29" }));
	fail_msg("%s: '%s' is described nowhere", manual, name);
	return "";
}

static void
add_token(struct sentence *s, const char *text, const char *name, bool joined)
{
	if (s->n < MAX_TOKENS)
		s->tokens[s->n] = (struct token_of_sentence){ text, name, joined };
	s->n++;
}

/* What is made becomes shorter the deeper it stands: the manual names the simplest choice first. */
static void
make(struct grammar *g, uint64_t *seed, const struct part *p, bool joined, int depth,
    struct sentence *out)
{
	struct rule *r;
	size_t n;

	switch (p->kind) {
	case PART_LITERAL:
		add_token(out, p->text, "", joined);
		break;
	case PART_NAME:
		r = find_rule(g, p->text);
		if (r == NULL) {
			add_token(out, describe(seed, p->text), p->text, joined);
			break;
		}
		r->used = true;
		make(g, seed, r->body, joined, depth + 1, out);
		break;
	case PART_CHOICE:
		n = p->nparts;
		if (depth > 2 * MAX_DEPTH && random_below(seed, 4) > 0)
			n = 1;
		make(g, seed, p->parts[random_below(seed, (uint32_t)n)], joined, depth, out);
		break;
	case PART_LIST:
		for (size_t i = 0; i < p->nparts; i++)
			make(g, seed, p->parts[i], p->joined[i] || (i == 0 && joined), depth, out);
		break;
	default:
		n = random_below(seed, depth > MAX_DEPTH ? 4 : 3);
		for (size_t i = 0; i < (n < 3 ? n : 0) && (i == 0 || p->kind == PART_REPEAT); i++)
			make(g, seed, p->parts[0], joined, depth, out);
	}
}

/* With blanks where they must be, and elsewhere any. */
static void
write_sentence(struct strbuf *out, uint64_t *seed, const struct sentence *s, bool any)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct token_of_sentence *t = &s->tokens[i];
		const char *before = i > 0 ? s->tokens[i - 1].text : "(";
		bool needed = strcmp(before, "(") != 0 && strcmp(t->text, "(") != 0 &&
		    strcmp(t->text, ")") != 0 && strcmp(before, ")") != 0;

		if (i > 0 && !t->joined && any &&
		    (needed || strcmp(t->text, "-") == 0 || random_below(seed, 3) > 0))
			strbuf_add(out,
			    PICK(seed,
				((const char *[]){
				    " ", " ", " ", "\n\t", "\u00a0", " # \"( x\n" })));
		else if (i > 0 && !t->joined && !any)
			strbuf_addc(out, ' ');
		strbuf_add(out, t->text);
	}
}

/* What the manual says below the grammar. */
static bool
is_stated_exception(const char *text, const struct error *err)
{
	return (strstr(err->msg, "with '~'") != NULL && strchr(text, '~') != NULL) ||
	    (strstr(err->msg, "is no id") != NULL && strstr(text, "id:") != NULL) ||
	    (strstr(err->msg, "is no category") != NULL && strchr(text, '*') != NULL);
}

static void
check_round_trip(struct arena *a, const char *text, const struct query *q)
{
	struct query *again = NULL;
	struct strbuf canonical;
	struct error err;

	strbuf_init(&canonical, 1 << 20);
	query_add_text(&canonical, q);
	if (query_parse(canonical.buf, canonical.len, a, &again, NULL, &err) == -1)
		fail_msg(
		    "'%s' is written '%s', which is no query: %s", text, canonical.buf, err.msg);
	if (!same_tree(q, again))
		fail_msg("'%s' is written '%s', which is another tree", text, canonical.buf);
	strbuf_release(&canonical);
}

static void
test_sentences_of_the_manual(void **state)
{
	uint64_t seed = 20261121;
	size_t nread = 0, nexceptions = 0, ntrees = 0;
	struct grammar g = { .nrules = 0 };

	(void)state;
	read_grammar(&g);
	while (nread < count_sentences()) {
		struct sentence s = { .n = 0 };
		struct query *q = NULL;
		struct strbuf text;
		struct error err;
		struct arena a;

		/* Half of the queries would be a lone star. */
		make(&g, &seed, find_rule(&g, nread % 1000 == 0 ? "query" : "or")->body, false, 0,
		    &s);
		if (s.n > MAX_TOKENS)
			continue;
		arena_init(&a, 1 << 22);
		strbuf_init(&text, 1 << 16);
		write_sentence(&text, &seed, &s, true);
		if (query_parse(text.buf, text.len, &a, &q, NULL, &err) == 0) {
			check_round_trip(&a, text.buf, q);
			ntrees += q->nchildren > 1;
		} else if (is_stated_exception(text.buf, &err)) {
			nexceptions++;
		} else {
			fail_msg("the manual makes what is refused: %s\n%s", err.msg, text.buf);
		}
		nread++;
		strbuf_release(&text);
		arena_release(&a);
	}
	for (size_t i = 0; i < g.nrules; i++)
		if (!g.rules[i].used && strcmp(g.rules[i].name, "query") != 0)
			fail_msg("%s: nothing leads to the rule of %s", manual, g.rules[i].name);
	print_message("%zu sentences, %zu of them lists, %zu stated exceptions\n", nread, ntrees,
	    nexceptions);
	assert_in_range(nexceptions, 1, nread / 4);
	assert_true(ntrees > nread / 4);
	arena_release(&g.a);
}

/* ---- recognising sentences ---- */

/* Sets of places between tokens, as bits. From each place of from, where can a part end? */
static uint64_t
recognise(struct grammar *g, const struct sentence *s, uint64_t joined, const struct part *p,
    uint64_t from)
{
	uint64_t out = 0, now;
	struct rule *r;

	if (from == 0)
		return 0;
	switch (p->kind) {
	case PART_LITERAL:
	case PART_NAME:
		r = p->kind == PART_NAME ? find_rule(g, p->text) : NULL;
		if (r != NULL)
			return recognise(g, s, joined, r->body, from);
		for (size_t i = 0; i < s->n; i++) {
			const struct token_of_sentence *t = &s->tokens[i];

			if ((from >> i & 1) != 0 &&
			    (p->kind == PART_NAME
				    ? strcmp(t->name, p->text) == 0
				    : t->name[0] == '\0' && strcmp(t->text, p->text) == 0))
				out |= (uint64_t)1 << (i + 1);
		}
		return out;
	case PART_CHOICE:
		for (size_t i = 0; i < p->nparts; i++)
			out |= recognise(g, s, joined, p->parts[i], from);
		return out;
	case PART_LIST:
		for (size_t i = 0; i < p->nparts; i++)
			from = recognise(
			    g, s, joined, p->parts[i], p->joined[i] ? from & joined : from);
		return from;
	case PART_OPTION:
		return from | recognise(g, s, joined, p->parts[0], from);
	case PART_REPEAT:
		out = from;
		for (now = from; (now = recognise(g, s, joined, p->parts[0], now) & ~out) != 0;)
			out |= now;
		return out;
	}
	return 0;
}

/* Pieces of which random sentences are made. */
static const char *const pieces[][6] = {
	{ "nerf" },
	{ "nerf" },
	{ "OR" },
	{ "AND" },
	{ "NOT" },
	{ "-" },
	{ "-" },
	{ "(" },
	{ "(" },
	{ ")" },
	{ ")" },
	{ "=" },
	{ "@" },
	{ "*" },
	{ "title", ":" },
	{ "venue", ":" },
	{ "\"", "a b", "\"" },
	{ "\"", "a b", "*", "\"" },
	{ "~", "8" },
	{ "votes", ">=", "30" },
	{ "age", "<", "7", "d" },
	{ "published", "=", "2026-01-31" },
	{ "has:", "code" },
	{ "is:", "sent" },
};

static const char *
name_of(const char *token)
{
	return strcmp(token, "nerf") == 0			? "word"
	    : strcmp(token, "a b") == 0				? "words"
	    : strcmp(token, "\"") == 0				? "quote"
	    : strchr(token, '-') != NULL && strlen(token) == 10 ? "day"
	    : token[0] >= '0' && token[0] <= '9'		? "number"
								: "";
}

/* Whether two pieces may be written without a blank and stay two. */
static bool
may_touch(const char *before, const char *piece)
{
	if (strcmp(piece, "-") == 0)
		return strcmp(before, "(") == 0;
	if (strchr("\"()", piece[0]) != NULL || strchr("\"()", before[0]) != NULL)
		return true;
	if (strchr("=@:", before[strlen(before) - 1]) != NULL)
		return strcmp(piece, "nerf") == 0;
	return strcmp(before, "-") == 0 || (strcmp(before, "nerf") == 0 && strcmp(piece, "*") == 0);
}

/* Whether they must, to be told from pieces that other rules begin with. */
static bool
must_touch(const char *piece)
{
	return strcmp(piece, "~") == 0;
}

static void
make_random(uint64_t *seed, struct sentence *out)
{
	uint32_t npieces = 1 + random_below(seed, 8);

	out->n = 0;
	for (uint32_t i = 0; i < npieces; i++) {
		const char *const *piece = PICK(seed, pieces);
		const char *before = out->n > 0 ? out->tokens[out->n - 1].text : "(";
		bool touch = out->n > 0 && may_touch(before, piece[0]) && random_below(seed, 3) > 0;

		if (must_touch(piece[0]) && strcmp(before, "\"") != 0)
			continue;
		/* The name of a filter may end in a star. */
		if (strcmp(before, "@") == 0 && piece[1] != NULL && piece[2] != NULL &&
		    strcmp(piece[2], "*") == 0)
			continue;
		if (out->n > 1 && strcmp(piece[0], "*") == 0 &&
		    strcmp(out->tokens[out->n - 2].text, "@") == 0)
			continue;
		add_token(out, piece[0], name_of(piece[0]), touch || must_touch(piece[0]));
		for (size_t k = 1; k < 6 && piece[k] != NULL; k++)
			add_token(out, piece[k], name_of(piece[k]), true);
	}
}

static void
test_the_parser_takes_no_others(void **state)
{
	uint64_t seed = 7;
	size_t nsentences = count_sentences(), ntaken = 0, nrefused = 0;
	struct grammar g = { .nrules = 0 };

	(void)state;
	read_grammar(&g);
	for (size_t i = 0; i < 3 * nsentences; i++) {
		struct sentence s;
		uint64_t joined = 0;
		struct query *q = NULL;
		struct strbuf text;
		struct error err;
		struct arena a;
		bool grammar, parser;

		make_random(&seed, &s);
		if (s.n == 0)
			continue;
		for (size_t k = 0; k < s.n; k++)
			joined |= (uint64_t)s.tokens[k].joined << k;
		arena_init(&a, 1 << 22);
		strbuf_init(&text, 1 << 16);
		write_sentence(&text, &seed, &s, false);
		grammar =
		    (recognise(&g, &s, joined, find_rule(&g, "query")->body, 1) >> s.n & 1) != 0;
		parser = query_parse(text.buf, text.len, &a, &q, NULL, &err) == 0;
		if (grammar != parser)
			fail_msg("'%s': the grammar %s it, the parser %s", text.buf,
			    grammar ? "takes" : "refuses", parser ? "takes it" : err.msg);
		ntaken += grammar;
		nrefused += !grammar;
		strbuf_release(&text);
		arena_release(&a);
	}
	print_message("%zu sentences taken by both, %zu refused by both\n", ntaken, nrefused);
	assert_true(ntaken > nsentences / 10 && nrefused > nsentences / 10);
	arena_release(&g.a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sentences_of_the_manual),
		cmocka_unit_test(test_the_parser_takes_no_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
