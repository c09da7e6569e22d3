#include "lex.h"
#include "words.h"
#include "digest/date.h"
#include "digest/limits.h"
#include "digest/query.h"

#include <string.h>
#include <strings.h>

struct parser {
	struct lexer lx;
	struct lexeme cur; /* what comes next */
	struct arena *a;
	struct error *err;
	unsigned depth;
	enum query_field field; /* of the group we are in, FIELD_TEXT = none */
	struct word_maker words;
};

/* Children of a node while they are collected. */
struct child_list {
	struct query **items;
	size_t len, alloc;
};

static int parse_or(struct parser *p, struct query **out);

static int
advance(struct parser *p)
{
	return lex_next(&p->lx, &p->cur);
}

static struct query *
new_node(struct parser *p, enum query_op op, size_t start, size_t end)
{
	struct query *q = arena_zalloc(p->a, sizeof(*q));

	if (q == NULL) {
		err_nomem(p->err, "query");
		return NULL;
	}
	q->op = op;
	q->text = "";
	q->offset = (uint32_t)start;
	q->length = (uint32_t)(end - start);
	return q;
}

static int
add_child(struct parser *p, struct child_list *list, struct query *q)
{
	struct query **items = list->items;

	if (list->len == list->alloc) {
		list->alloc = list->alloc == 0 ? 4 : 2 * list->alloc;
		items = arena_array(p->a, list->alloc, sizeof(struct query *));
		if (items == NULL)
			return err_nomem(p->err, "query");
		if (list->len > 0)
			memcpy(items, list->items, list->len * sizeof(struct query *));
		list->items = items;
	}
	items[list->len++] = q;
	return 0;
}

/* A group of the same kind inside another is part of it: brackets that say nothing vanish. */
static int
add_operand(struct parser *p, struct child_list *list, enum query_op op, struct query *q)
{
	if (q->op != op)
		return add_child(p, list, q);
	for (size_t i = 0; i < q->nchildren; i++)
		if (add_child(p, list, q->children[i]) == -1)
			return -1;
	return 0;
}

/* One operand stands for itself. */
static int
finish_list(struct parser *p, const struct child_list *list, enum query_op op, struct query **out)
{
	const struct query *first = list->items[0], *last = list->items[list->len - 1];
	struct query *q;

	if (list->len == 1) {
		*out = list->items[0];
		return 0;
	}
	q = new_node(p, op, first->offset, (size_t)last->offset + last->length);
	if (q == NULL)
		return -1;
	q->children = list->items;
	q->nchildren = list->len;
	*out = q;
	return 0;
}

static bool
starts_primary(enum lex_kind kind)
{
	return kind != LEX_END && kind != LEX_CLOSE && kind != LEX_AND && kind != LEX_OR;
}

static int
enter(struct parser *p, size_t offset)
{
	if (++p->depth > MAX_QUERY_DEPTH)
		return lex_fail(&p->lx, offset,
		    "brackets and negations stand more than %d deep inside each other",
		    MAX_QUERY_DEPTH);
	return 0;
}

/* A number with nothing behind it. Returns false when it is none or too large to mean something. */
static bool
read_number(const char *text, size_t len, int64_t *out)
{
	int64_t n = 0;

	if (len == 0 || len > 15)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		n = n * 10 + (text[i] - '0');
	}
	*out = n;
	return true;
}

static int
read_age(struct parser *p, const struct lexeme *lx, int64_t *out)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = { { 'h', 3600 }, { 'd', 86400 }, { 'w', 604800 } };

	if (lx->len > 1 && lx->len < 8 && read_number(lx->text, lx->len - 1, out)) {
		for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
			if (units[i].unit == lx->text[lx->len - 1]) {
				*out *= units[i].seconds;
				return 0;
			}
		}
	}
	return lex_fail(&p->lx, (size_t)(lx->text - p->lx.text),
	    "'age' wants a number and a unit h, d or w, as in age<7d; found '%.*s'",
	    lex_clip(lx->text, lx->len), lx->text);
}

static int
read_day(struct parser *p, const struct lexeme *lx, int64_t *out)
{
	char day[16];
	int32_t n;

	if (lx->len == 10) {
		memcpy(day, lx->text, lx->len);
		day[lx->len] = '\0';
		if (date_parse_day(day, &n, NULL) == 0) {
			*out = (int64_t)n * 86400;
			return 0;
		}
	}
	return lex_fail(&p->lx, (size_t)(lx->text - p->lx.text),
	    "'published' wants a day of the calendar, as in published>=2026-01-31; found '%.*s'",
	    lex_clip(lx->text, lx->len), lx->text);
}

static int
parse_condition(struct parser *p, struct query **out)
{
	const struct lexeme *lx = &p->cur;
	struct query *q = new_node(p, QUERY_CONDITION, lx->offset, lx->end);

	if (q == NULL)
		return -1;
	q->measure = lx->measure;
	q->compare = lx->compare;
	if (lx->measure == MEASURE_AGE) {
		if (read_age(p, lx, &q->number) == -1)
			return -1;
	} else if (lx->measure == MEASURE_PUBLISHED) {
		if (read_day(p, lx, &q->number) == -1)
			return -1;
	} else if (!read_number(lx->text, lx->len, &q->number)) {
		return lex_fail(&p->lx, (size_t)(lx->text - p->lx.text),
		    "'%s' wants a whole number, as in %s%s30; found '%.*s'",
		    lex_measure_names[lx->measure], lex_measure_names[lx->measure],
		    lex_compare_signs[lx->compare], lex_clip(lx->text, lx->len), lx->text);
	}
	*out = q;
	return advance(p);
}

static int
parse_term(struct parser *p, enum query_field field, size_t offset, struct query **out)
{
	struct query *q = new_node(p, QUERY_TERM, offset, p->cur.end);
	size_t wrong = p->cur.offset;

	if (q == NULL)
		return -1;
	q->field = field;
	if (words_make(&p->words, &p->cur, p->a, q, p->err) == -1) {
		p->lx.wrong = wrong;
		return -1;
	}
	*out = q;
	return advance(p);
}

/* ( ... ); the bracket is the current lexeme. */
static int
parse_group(struct parser *p, struct query **out)
{
	size_t open = p->cur.offset;

	if (enter(p, open) == -1 || advance(p) == -1)
		return -1;
	if (p->cur.kind == LEX_CLOSE)
		return lex_fail(
		    &p->lx, open, "the brackets are empty; expected words between them");
	if (p->cur.kind != LEX_END && parse_or(p, out) == -1)
		return -1;
	if (p->cur.kind != LEX_CLOSE)
		return lex_fail(&p->lx, open, "this bracket is not closed; expected a ')'");
	p->depth--;
	return advance(p);
}

/* "title:" and its word, phrase or group. */
static int
parse_field(struct parser *p, struct query **out)
{
	struct lexeme name = p->cur;

	if (lex_next_value(&p->lx, &name, &p->cur) == -1)
		return -1;
	if (p->cur.kind == LEX_TERM)
		return parse_term(p, name.field, name.offset, out);
	p->field = name.field;
	if (parse_group(p, out) == -1)
		return -1;
	p->field = FIELD_TEXT;
	return 0;
}

static int parse_primary(struct parser *p, bool first, struct query **out);

static int
parse_negation(struct parser *p, struct query **out)
{
	struct lexeme sign = p->cur;
	struct query *child, *q;

	if (enter(p, sign.offset) == -1 || advance(p) == -1)
		return -1;
	if (!starts_primary(p->cur.kind))
		return lex_fail(&p->lx, sign.offset,
		    "'%.*s' has nothing behind it to negate; expected a word, phrase or condition",
		    (int)(sign.end - sign.offset), p->lx.text + sign.offset);
	if (parse_primary(p, true, &child) == -1)
		return -1;
	p->depth--;
	q = new_node(p, QUERY_NOT, sign.offset, (size_t)child->offset + child->length);
	if (q == NULL || (q->children = arena_array(p->a, 1, sizeof(struct query *))) == NULL)
		return err_nomem(p->err, "query");
	q->children[0] = child;
	q->nchildren = 1;
	*out = q;
	return 0;
}

/* "and", "or" and "not" between terms: most likely an operator was meant. The word is the current
 * lexeme. */
static int
check_small_operator(struct parser *p, bool first)
{
	static const char *const names[] = { "AND", "OR", "NOT" };
	struct lexeme word = p->cur;
	struct lexer ahead = p->lx;
	struct lexeme next;

	if (word.quoted || word.exact || word.prefix)
		return 0;
	ahead.err = NULL;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (word.len != strlen(names[i]) || strncasecmp(word.text, names[i], word.len) != 0)
			continue;
		if ((first && i < 2) ||
		    (lex_next(&ahead, &next) == 0 && !starts_primary(next.kind)))
			continue;
		return lex_fail(&p->lx, word.offset,
		    "'%.*s' between terms: write %s in capitals, or \"%.*s\" for the word",
		    (int)word.len, word.text, names[i], (int)word.len, word.text);
	}
	return 0;
}

static int
parse_leaf(struct parser *p, enum query_op op, struct query **out)
{
	struct query *q = new_node(p, op, p->cur.offset, p->cur.end);

	if (q == NULL)
		return -1;
	if (op == QUERY_PROPERTY)
		q->property = p->cur.property;
	if (op == QUERY_NAMED && (q->text = arena_strndup(p->a, p->cur.text, p->cur.len)) == NULL)
		return err_nomem(p->err, "query");
	*out = q;
	return advance(p);
}

/* first: nothing stands before it in its list. */
static int
parse_primary(struct parser *p, bool first, struct query **out)
{
	if (p->field != FIELD_TEXT &&
	    (p->cur.kind == LEX_FIELD || p->cur.kind == LEX_CONDITION ||
		p->cur.kind == LEX_PROPERTY || p->cur.kind == LEX_NAME))
		return lex_fail(&p->lx, p->cur.offset,
		    "'%.*s' cannot stand in the group of '%s:'; only words and phrases can",
		    lex_clip(p->lx.text + p->cur.offset, p->cur.end - p->cur.offset),
		    p->lx.text + p->cur.offset, lex_field_names[p->field]);
	switch (p->cur.kind) {
	case LEX_OPEN:
		return parse_group(p, out);
	case LEX_NOT:
	case LEX_MINUS:
		return parse_negation(p, out);
	case LEX_FIELD:
		return parse_field(p, out);
	case LEX_CONDITION:
		return parse_condition(p, out);
	case LEX_PROPERTY:
		return parse_leaf(p, QUERY_PROPERTY, out);
	case LEX_NAME:
		return parse_leaf(p, QUERY_NAMED, out);
	case LEX_TERM:
		if (check_small_operator(p, first) == -1)
			return -1;
		return parse_term(p, p->field, p->cur.offset, out);
	case LEX_STAR:
		return lex_fail(
		    &p->lx, p->cur.offset, "'*' means every paper and stands alone; leave it out");
	case LEX_AND:
	case LEX_OR:
		return lex_fail(&p->lx, p->cur.offset,
		    "'%s' has nothing on its left; expected a word, phrase or condition",
		    p->cur.kind == LEX_AND ? "AND" : "OR");
	case LEX_CLOSE:
		return lex_fail(&p->lx, p->cur.offset, "')' without a '(' before it; delete it");
	case LEX_END:
		break;
	}
	return lex_fail(&p->lx, p->cur.offset, "the query is empty; '*' means every paper");
}

/* The operator is the current lexeme; step over it to its right side. */
static int
step_operator(struct parser *p, const char *name)
{
	size_t at = p->cur.offset;

	if (advance(p) == -1)
		return -1;
	return starts_primary(p->cur.kind)
	    ? 0
	    : lex_fail(&p->lx, at,
		  "'%s' has nothing on its right; expected a word, phrase or condition", name);
}

static int
parse_and(struct parser *p, struct query **out)
{
	struct child_list list = { NULL, 0, 0 };
	struct query *q;

	do {
		if (list.len > 0 && p->cur.kind == LEX_AND && step_operator(p, "AND") == -1)
			return -1;
		if (parse_primary(p, list.len == 0, &q) == -1 ||
		    add_operand(p, &list, QUERY_AND, q) == -1)
			return -1;
	} while (p->cur.kind == LEX_AND || starts_primary(p->cur.kind));
	return finish_list(p, &list, QUERY_AND, out);
}

static int
parse_or(struct parser *p, struct query **out)
{
	struct child_list list = { NULL, 0, 0 };
	struct query *q;

	do {
		if (list.len > 0 && step_operator(p, "OR") == -1)
			return -1;
		if (parse_and(p, &q) == -1 || add_operand(p, &list, QUERY_OR, q) == -1)
			return -1;
	} while (p->cur.kind == LEX_OR);
	return finish_list(p, &list, QUERY_OR, out);
}

static int
parse_all(struct parser *p, struct query **out)
{
	struct lexer ahead;
	struct lexeme next;

	if (lex_check_text(&p->lx) == -1 || advance(p) == -1)
		return -1;
	ahead = p->lx;
	ahead.err = NULL;
	if (p->cur.kind == LEX_STAR && lex_next(&ahead, &next) == 0 && next.kind == LEX_END) {
		*out = new_node(p, QUERY_ALL, p->cur.offset, p->cur.end);
		return *out == NULL ? -1 : 0;
	}
	if (parse_or(p, out) == -1)
		return -1;
	if (p->cur.kind != LEX_END)
		return lex_fail(&p->lx, p->cur.offset, "')' without a '(' before it; delete it");
	return 0;
}

int
query_parse(const char *text, size_t len, struct arena *a, struct query **out, size_t *offset,
    struct error *err)
{
	struct parser p = { .lx = { .text = text, .len = len, .err = err }, .a = a, .err = err };
	struct query *q = NULL;
	int rc;

	words_init(&p.words);
	rc = parse_all(&p, &q);
	words_release(&p.words);
	if (rc == 0)
		*out = q;
	else if (offset != NULL)
		*offset = p.lx.wrong;
	return rc;
}
