#include "render/program.h"
#include "digest/limits.h"
#include "digest/qp.h"
#include "digest/template.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DELIMITER = 16 };

struct parser {
	struct template *t;
	struct error *err;
	const char *source; /* as it was given: t->text gets a NUL behind each name */
	size_t pos;	    /* where the next text begins */
	char open[MAX_DELIMITER + 1], close[MAX_DELIMITER + 1];
	bool line_start;		     /* the next node is the first of its line */
	size_t sections[MAX_TEMPLATE_DEPTH]; /* indices of the sections that are open */
	size_t nsections;

	/* The place of a tag is found by counting on from the place of the one before. */
	size_t counted;
	unsigned line, column;
};

/* A tag between its delimiters. */
struct tag {
	size_t start, end; /* offsets of the whole tag */
	char *text;	   /* what stands inside, trimmed */
	size_t len;
	bool alone;		      /* nothing but blanks beside it on its line */
	size_t line_begin, next_line; /* of that line, when alone */
};

static int fail(struct parser *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Fail at the place that is counted. */
static int
fail(struct parser *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	err_vset(p->err, ERR_CONFIG, fmt, ap);
	va_end(ap);
	return err_prefix(p->err, "%s:%u:%u", p->t->name, p->line, p->column);
}

static void
count_to(struct parser *p, size_t offset)
{
	for (; p->counted < offset; p->counted++) {
		unsigned char c = (unsigned char)p->source[p->counted];

		if (c == '\n') {
			p->line++;
			p->column = 1;
		} else if ((c & 0xc0) != 0x80) {
			p->column++; /* a character, not a byte */
		}
	}
}

static struct node *
add_node(struct parser *p, enum node_kind kind, const char *text, size_t len)
{
	struct template *t = p->t;
	struct node *n;

	if (t->nnodes == t->alloc) {
		size_t alloc = t->alloc < 32 ? 32 : t->alloc * 2;

		n = reallocarray(t->nodes, alloc, sizeof(*n));
		if (n == NULL) {
			err_nomem(p->err, t->name);
			return NULL;
		}
		t->nodes = n;
		t->alloc = alloc;
	}
	n = &t->nodes[t->nnodes++];
	memset(n, 0, sizeof(*n));
	n->kind = kind;
	n->text = text;
	n->len = len;
	n->line = p->line;
	n->column = p->column;
	n->line_start = p->line_start;
	p->line_start = false;
	return n;
}

/* Text up to an offset, a node for each line. */
static int
add_text(struct parser *p, size_t end)
{
	while (p->pos < end) {
		const char *text = p->t->text + p->pos;
		const char *newline = memchr(text, '\n', end - p->pos);
		size_t len = newline != NULL ? (size_t)(newline - text) + 1 : end - p->pos;

		if (add_node(p, NODE_TEXT, text, len) == NULL)
			return -1;
		p->line_start = newline != NULL;
		p->pos += len;
	}
	return 0;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool
is_space(char c)
{
	return is_blank(c) || c == '\n' || c == '\r';
}

static void
trim(struct tag *tag)
{
	while (tag->len > 0 && is_space(tag->text[tag->len - 1]))
		tag->len--;
	while (tag->len > 0 && is_space(tag->text[0])) {
		tag->text++;
		tag->len--;
	}
}

/* Is the tag alone on its line, so that the line leaves nothing behind? */
static void
find_line(const struct parser *p, struct tag *tag)
{
	const char *text = p->t->text;
	size_t begin = tag->start, next = tag->end;

	while (begin > 0 && is_blank(text[begin - 1]))
		begin--;
	if (begin > 0 && text[begin - 1] != '\n')
		return;
	while (next < p->t->len && is_blank(text[next]))
		next++;
	if (next + 1 < p->t->len && text[next] == '\r' && text[next + 1] == '\n')
		next++;
	if (next < p->t->len && text[next++] != '\n')
		return;
	tag->alone = true;
	tag->line_begin = begin;
	tag->next_line = next;
}

/* Write the text before the tag and go on behind it; a tag alone on its line takes the line with it. */
static int
take_line(struct parser *p, const struct tag *tag)
{
	if (add_text(p, tag->alone ? tag->line_begin : tag->start) == -1)
		return -1;
	p->pos = tag->alone ? tag->next_line : tag->end;
	return 0;
}

/* The name of a tag, NUL-terminated in place: what stood behind it is read already. */
static int
check_name(struct parser *p, const struct tag *tag)
{
	if (tag->len == 0)
		return fail(p, "the tag is empty; expected a name");
	for (size_t i = 0; i < tag->len; i++) {
		char c = tag->text[i];

		if (is_space(c) || c == '\0')
			return fail(p, "white space in a name; expected one word");
	}
	if (tag->len > 1 &&
	    (tag->text[0] == '.' || tag->text[tag->len - 1] == '.' ||
		memmem(tag->text, tag->len, "..", 2) != NULL))
		return fail(p, "'%.*s' has an empty part; expected words with single dots between",
		    (int)tag->len, tag->text);
	tag->text[tag->len] = '\0';
	return 0;
}

static int
on_comment(struct parser *p, struct tag *tag)
{
	return take_line(p, tag);
}

static int
on_delimiters(struct parser *p, struct tag *tag)
{
	size_t open = 0, close = 0;

	while (open < tag->len && !is_space(tag->text[open]))
		open++;
	while (close < tag->len - open && !is_space(tag->text[tag->len - 1 - close]))
		close++;
	if (open == 0 || open > MAX_DELIMITER || close == 0 || close > MAX_DELIMITER ||
	    memchr(tag->text, '=', tag->len) != NULL || memchr(tag->text, '\0', tag->len) != NULL)
		return fail(p,
		    "bad delimiters; expected two of 1 to %d characters without '=', as in '{{=<%% "
		    "%%>=}}'",
		    MAX_DELIMITER);
	for (size_t i = open; i < tag->len - close; i++)
		if (!is_space(tag->text[i]))
			return fail(p, "more than two delimiters; expected two");
	memcpy(p->open, tag->text, open);
	p->open[open] = '\0';
	memcpy(p->close, tag->text + tag->len - close, close);
	p->close[close] = '\0';
	return take_line(p, tag);
}

/* The name's node after the text before the tag. A tag alone on its line writes nothing itself. */
static struct node *
add_tag(struct parser *p, const struct tag *tag, enum node_kind kind)
{
	struct node *n;

	if (check_name(p, tag) == -1 || take_line(p, tag) == -1)
		return NULL;
	n = add_node(p, kind, tag->text, tag->len);
	if (n != NULL && tag->alone) {
		n->line_start = false;
		p->line_start = true;
	}
	return n;
}

static int
open_section(struct parser *p, const struct tag *tag, enum node_kind kind)
{
	if (p->nsections == MAX_TEMPLATE_DEPTH)
		return fail(p, "more than %d sections inside each other", MAX_TEMPLATE_DEPTH);
	if (add_tag(p, tag, kind) == NULL)
		return -1;
	p->sections[p->nsections++] = p->t->nnodes - 1;
	return 0;
}

static int
on_section(struct parser *p, struct tag *tag)
{
	return open_section(p, tag, NODE_SECTION);
}

static int
on_inverted(struct parser *p, struct tag *tag)
{
	return open_section(p, tag, NODE_INVERTED);
}

static int
on_end(struct parser *p, struct tag *tag)
{
	const struct node *open;
	bool line_start;

	if (check_name(p, tag) == -1)
		return -1;
	if (p->nsections == 0)
		return fail(p, "'%s' ends no section; expected '#%s' or '^%s' before", tag->text,
		    tag->text, tag->text);
	open = &p->t->nodes[p->sections[p->nsections - 1]];
	if (strcmp(open->text, tag->text) != 0)
		return fail(p, "'%s' ends here; expected the end of '%s' from %u:%u", tag->text,
		    open->text, open->line, open->column);
	if (take_line(p, tag) == -1)
		return -1;
	line_start = p->line_start;
	if (add_node(p, NODE_END, tag->text, tag->len) == NULL)
		return -1;
	p->line_start = line_start; /* the end of a section writes nothing */
	p->nsections--;
	p->t->nodes[p->sections[p->nsections]].end = p->t->nnodes - 1;
	return 0;
}

static int
on_partial(struct parser *p, struct tag *tag)
{
	struct node *n = add_tag(p, tag, NODE_PARTIAL);

	if (n == NULL)
		return -1;
	if (tag->alone) {
		n->indent = p->t->text + tag->line_begin;
		n->indent_len = tag->start - tag->line_begin;
	}
	return 0;
}

static int
on_raw(struct parser *p, struct tag *tag)
{
	return add_tag(p, tag, NODE_RAW) == NULL ? -1 : 0;
}

static int
on_variable(struct parser *p, struct tag *tag)
{
	return add_tag(p, tag, NODE_ESCAPED) == NULL ? -1 : 0;
}

static int
on_unknown(struct parser *p, struct tag *tag)
{
	(void)tag;
	return fail(p, "a tag with '<' or '$'; expected one of Mustache 1.0: # ^ / > & ! =");
}

static const struct tag_kind {
	char sigil;	     /* after the opening delimiter */
	const char *closing; /* before the closing delimiter */
	bool may_be_alone;
	int (*handle)(struct parser *p, struct tag *tag);
} tag_kinds[] = {
	{ '!', "", true, on_comment }, { '=', "=", true, on_delimiters },
	{ '#', "", true, on_section }, { '^', "", true, on_inverted }, { '/', "", true, on_end },
	{ '>', "", true, on_partial }, { '{', "}", false, on_raw }, { '&', "", false, on_raw },
	{ '<', "", false, on_unknown }, { '$', "", false, on_unknown },
	{ '\0', "", false, on_variable }, /* the last one: no sigil */
};

static const struct tag_kind *
find_kind(char sigil)
{
	const struct tag_kind *k = tag_kinds;

	while (k->sigil != '\0' && k->sigil != sigil)
		k++;
	return k;
}

static int
parse_tag(struct parser *p, size_t start)
{
	char *text = p->t->text, closing[MAX_DELIMITER + 2];
	size_t begin = start + strlen(p->open), closing_len;
	const struct tag_kind *kind = &tag_kinds[sizeof(tag_kinds) / sizeof(tag_kinds[0]) - 1];
	struct tag tag = { .start = start };
	const char *found;

	count_to(p, start);
	while (begin < p->t->len && is_space(text[begin]))
		begin++;
	if (begin < p->t->len)
		kind = find_kind(text[begin]);
	if (kind->sigil != '\0')
		begin++;
	closing_len = (size_t)snprintf(closing, sizeof(closing), "%s%s", kind->closing, p->close);
	found = memmem(text + begin, p->t->len - begin, closing, closing_len);
	if (found == NULL)
		return fail(p, "the tag does not end; expected '%s'", closing);
	tag.text = text + begin;
	tag.len = (size_t)(found - tag.text);
	tag.end = begin + tag.len + closing_len;
	trim(&tag);
	if (kind->may_be_alone)
		find_line(p, &tag);
	return kind->handle(p, &tag);
}

static int
parse(struct parser *p)
{
	struct template *t = p->t;
	const struct node *open;
	const char *found;

	for (;;) {
		found = memmem(t->text + p->pos, t->len - p->pos, p->open, strlen(p->open));
		if (found == NULL)
			break;
		if (parse_tag(p, (size_t)(found - t->text)) == -1)
			return -1;
	}
	if (add_text(p, t->len) == -1)
		return -1;
	if (p->nsections == 0)
		return 0;
	open = &t->nodes[p->sections[p->nsections - 1]];
	p->line = open->line;
	p->column = open->column;
	return fail(p, "section '%s' does not end; expected '/%s'", open->text, open->text);
}

static bool
has_parts(const struct node *n)
{
	return n->kind != NODE_TEXT && n->kind != NODE_END && n->kind != NODE_PARTIAL &&
	    strcmp(n->text, ".") != 0;
}

static size_t
count_dots(const char *name)
{
	size_t n = 0;

	while ((name = strchr(name, '.')) != NULL) {
		name++;
		n++;
	}
	return n;
}

/* The names between the dots, measured once. */
static int
split_names(struct template *t, struct error *err)
{
	size_t nparts = 0;

	for (size_t i = 0; i < t->nnodes; i++)
		if (has_parts(&t->nodes[i]))
			nparts += 1 + count_dots(t->nodes[i].text);
	t->parts = calloc(nparts + 1, sizeof(*t->parts));
	if (t->parts == NULL)
		return err_nomem(err, t->name);
	nparts = 0;
	for (size_t i = 0; i < t->nnodes; i++) {
		struct node *n = &t->nodes[i];
		const char *part = n->text, *end = n->text + n->len;

		n->first_part = nparts;
		while (has_parts(n) && part < end) {
			size_t len = strcspn(part, ".");

			t->parts[nparts++] = value_name(part, len);
			part += len + 1;
		}
		n->nparts = nparts - n->first_part;
	}
	return 0;
}

/* The fixed text of HTML goes into each mail in the same way: encode it once. */
static int
code_text(struct template *t, struct error *err)
{
	strbuf_init(&t->coded, 4 * MAX_TEMPLATE_BYTES);
	for (size_t i = 0; i < t->nnodes; i++) {
		struct node *n = &t->nodes[i];
		struct qp qp = { &t->coded, 0, QP_CARD_COLUMNS };
		size_t start = t->coded.len;

		if (n->kind == NODE_TEXT)
			qp_add(&qp, n->text, n->len);
		n->coded_len = t->coded.len - start;
	}
	if (strbuf_check(&t->coded, err) == -1)
		return -1;
	for (size_t i = 0, at = 0; i < t->nnodes; at += t->nodes[i++].coded_len)
		t->nodes[i].coded = t->coded.buf + at;
	return 0;
}

/* Texts that follow each other, from the start of a line on: nothing that differs from mail to mail decides what they become. */
static void
code_run(struct template *t, size_t first, size_t end)
{
	struct node *n = &t->nodes[first];
	struct qp qp = { &t->runs, 0, QP_COLUMNS };
	size_t start = t->runs.len;

	for (size_t i = first; i < end; i++)
		qp_add_ready(&qp, t->nodes[i].coded, t->nodes[i].coded_len);
	n->run.len = t->runs.len - start;
	n->run.nnodes = end - first;
	n->run.column = qp.column;
}

/* From the first of them on and, as that may go on in a line, from the second. */
static int
code_runs(struct template *t, struct error *err)
{
	strbuf_init(&t->runs, 8 * MAX_TEMPLATE_BYTES);
	for (size_t i = 0, end; i < t->nnodes; i = end + 1) {
		for (end = i; end < t->nnodes && t->nodes[end].kind == NODE_TEXT; end++)
			continue;
		for (size_t first = i; first < i + 2 && first + 1 < end; first++)
			code_run(t, first, end);
	}
	if (strbuf_check(&t->runs, err) == -1)
		return -1;
	for (size_t i = 0, at = 0; i < t->nnodes; at += t->nodes[i++].run.len)
		t->nodes[i].run.bytes = t->runs.buf + at;
	return 0;
}

void
template_link(struct template *t, template_lookup *lookup, void *lookup_arg)
{
	for (size_t i = 0; i < t->nnodes; i++)
		if (t->nodes[i].kind == NODE_PARTIAL)
			t->nodes[i].partial = lookup(lookup_arg, t->nodes[i].text);
}

int
template_compile(const char *name, const char *text, size_t len, enum template_escape escape,
    struct template **out, struct error *err)
{
	struct parser p = { .err = err,
		.source = text,
		.line_start = true,
		.line = 1,
		.column = 1,
		.open = "{{",
		.close = "}}" };
	struct template *t;

	if (len > MAX_TEMPLATE_BYTES)
		return err_set(err, ERR_CONFIG, "%s:1:1: %zu bytes; expected at most %u", name, len,
		    MAX_TEMPLATE_BYTES);
	t = calloc(1, sizeof(*t));
	if (t != NULL) {
		strbuf_init(&t->coded, 0);
		strbuf_init(&t->runs, 0);
	}
	if (t == NULL || (t->name = strdup(name)) == NULL || (t->text = malloc(len + 1)) == NULL) {
		template_free(t);
		return err_nomem(err, name);
	}
	if (len > 0)
		memcpy(t->text, text, len);
	t->text[len] = '\0';
	t->len = len;
	t->escape = escape;
	p.t = t;
	if (parse(&p) == -1 || split_names(t, err) == -1 ||
	    (escape == TEMPLATE_HTML && (code_text(t, err) == -1 || code_runs(t, err) == -1))) {
		template_free(t);
		return -1;
	}
	*out = t;
	return 0;
}

void
template_free(struct template *t)
{
	if (t == NULL)
		return;
	strbuf_release(&t->coded);
	strbuf_release(&t->runs);
	free(t->parts);
	free(t->nodes);
	free(t->text);
	free(t->name);
	free(t);
}

int
template_each_name(const struct template *t,
    int (*visit)(void *arg, const char *name, unsigned line, unsigned column), void *arg)
{
	int rc = 0;

	for (size_t i = 0; i < t->nnodes && rc == 0; i++) {
		const struct node *n = &t->nodes[i];

		if (n->kind != NODE_TEXT && n->kind != NODE_END && n->kind != NODE_PARTIAL)
			rc = visit(arg, n->text, n->line, n->column);
	}
	return rc;
}

int
template_each_partial(const struct template *t,
    int (*visit)(void *arg, const char *name, unsigned line, unsigned column), void *arg)
{
	int rc = 0;

	for (size_t i = 0; i < t->nnodes && rc == 0; i++)
		if (t->nodes[i].kind == NODE_PARTIAL)
			rc = visit(arg, t->nodes[i].text, t->nodes[i].line, t->nodes[i].column);
	return rc;
}
