#include "digest/limits.h"
#include "digest/query.h"

#include <string.h>

/* A filter met behind an @name. Its tree is made once, however often it is named. */
struct named {
	struct named *next;
	const char *name;
	bool shared;
	struct query *tree; /* expanded; NULL while it is being made */
	size_t nterms;
};

/* The filters we are inside of, innermost first. */
struct chain {
	const struct chain *up;
	const char *name;
	bool shared;
};

struct expander {
	query_lookup *lookup;
	void *arg;
	struct arena *a;
	struct named *known;
	size_t wrong; /* place of the outermost @name */
	struct error *err;
};

struct expansion {
	struct query *tree;
	size_t nterms;
};

static int expand(
    struct expander *x, struct query *q, const struct chain *chain, struct expansion *out);

static size_t
chain_length(const struct chain *chain)
{
	size_t n = 0;

	for (; chain != NULL; chain = chain->up)
		n++;
	return n;
}

/* "@a -> @b -> @a" */
static void
add_cycle(struct strbuf *out, const struct chain *chain, const struct chain *last)
{
	if (chain != last)
		add_cycle(out, chain->up, last);
	strbuf_addf(out, "@%s -> ", chain->name);
}

static int
check_chain(struct expander *x, const struct chain *chain, const char *name, bool shared)
{
	struct strbuf cycle;

	if (chain_length(chain) >= MAX_QUERY_DEPTH)
		return err_set(x->err, ERR_DATA, "@%s: filters name each other more than %d deep",
		    name, MAX_QUERY_DEPTH);
	for (const struct chain *c = chain; c != NULL; c = c->up) {
		if (c->shared != shared || strcmp(c->name, name) != 0)
			continue;
		strbuf_init(&cycle, sizeof(x->err->msg));
		add_cycle(&cycle, chain, c);
		err_set(x->err, ERR_DATA, "the filter needs itself: %s@%s", cycle.buf, name);
		strbuf_release(&cycle);
		return -1;
	}
	return 0;
}

static struct named *
find_known(const struct expander *x, const char *name, bool shared)
{
	struct named *k = x->known;

	while (k != NULL && (k->shared != shared || strcmp(k->name, name) != 0))
		k = k->next;
	return k;
}

/* Parse and expand the filter called name once. */
static int
make_named(struct expander *x, const char *name, const char *text, bool shared,
    const struct chain *chain, struct named **out)
{
	struct chain inner = { chain, name, shared };
	struct named *k = arena_zalloc(x->a, sizeof(*k));
	struct expansion e;
	struct query *q;

	if (k == NULL)
		return err_nomem(x->err, "query");
	if (query_parse(text, strlen(text), x->a, &q, NULL, x->err) == -1)
		return err_prefix(x->err, "@%s", name);
	if (expand(x, q, &inner, &e) == -1)
		return -1;
	k->name = name;
	k->shared = shared;
	k->tree = e.tree;
	k->nterms = e.nterms;
	k->next = x->known;
	x->known = k;
	*out = k;
	return 0;
}

static int
expand_name(
    struct expander *x, const struct query *q, const struct chain *chain, struct expansion *out)
{
	bool shared = chain != NULL && (chain->shared || strcmp(chain->name, q->text) == 0);
	const char *text;
	struct named *k;

	if (chain == NULL || chain->up == NULL)
		x->wrong = q->offset;
	text = x->lookup(x->arg, q->text, &shared);
	if (text == NULL && chain != NULL && !chain->shared && strcmp(chain->name, q->text) == 0)
		return err_set(x->err, ERR_DATA,
		    "there is no shared filter '%s', and a filter cannot need itself", q->text);
	if (text == NULL)
		return err_set(x->err, ERR_DATA, "there is no filter called '%s'", q->text);
	if (check_chain(x, chain, q->text, shared) == -1)
		return -1;
	k = find_known(x, q->text, shared);
	if (k == NULL && make_named(x, q->text, text, shared, chain, &k) == -1)
		return -1;
	out->tree = k->tree;
	out->nterms = k->nterms;
	return 0;
}

/* A node like q with room for n children of its own; trees are shared and never changed. */
static struct query *
copy_node(struct expander *x, const struct query *q, size_t n)
{
	struct query *copy = arena_alloc(x->a, sizeof(*copy));
	struct query **children = arena_array(x->a, n, sizeof(struct query *));

	if (copy == NULL || children == NULL) {
		err_nomem(x->err, "query");
		return NULL;
	}
	*copy = *q;
	copy->children = children;
	return copy;
}

static int
expand_not(struct expander *x, struct query *q, const struct chain *chain, struct expansion *out)
{
	struct expansion child;
	struct query *copy;

	if (expand(x, q->children[0], chain, &child) == -1)
		return -1;
	if (child.tree->op == QUERY_ALL)
		return err_set(x->err, ERR_DATA,
		    "nothing is left when every paper is taken away: the filter behind '-' or NOT "
		    "is '*'");
	if ((copy = copy_node(x, q, 1)) == NULL)
		return -1;
	copy->children[0] = child.tree;
	out->tree = copy;
	out->nterms = child.nterms;
	return 0;
}

/* Put the parts together: a list inside a list of its kind is part of it. */
static int
join_parts(
    struct expander *x, const struct query *q, const struct expansion *parts, struct expansion *out)
{
	struct query *copy;
	size_t n = 0, at = 0;

	for (size_t i = 0; i < q->nchildren; i++)
		n += parts[i].tree->op == q->op ? parts[i].tree->nchildren : 1;
	if ((copy = copy_node(x, q, n)) == NULL)
		return -1;
	for (size_t i = 0; i < q->nchildren; i++) {
		struct query *part = parts[i].tree;

		if (part->op == QUERY_ALL && q->op == QUERY_AND)
			continue;
		if (part->op == QUERY_ALL) {
			*out = parts[i];
			return 0;
		}
		if (part->op != q->op) {
			copy->children[at++] = part;
			continue;
		}
		memcpy(
		    copy->children + at, part->children, part->nchildren * sizeof(struct query *));
		at += part->nchildren;
	}
	copy->nchildren = at;
	out->tree = at > 1 ? copy : at == 1 ? copy->children[0] : parts[0].tree;
	return 0;
}

static int
expand_list(struct expander *x, struct query *q, const struct chain *chain, struct expansion *out)
{
	struct expansion *parts = arena_array(x->a, q->nchildren, sizeof(*parts));

	if (parts == NULL)
		return err_nomem(x->err, "query");
	out->nterms = 0;
	for (size_t i = 0; i < q->nchildren; i++) {
		if (expand(x, q->children[i], chain, &parts[i]) == -1)
			return -1;
		out->nterms += parts[i].nterms;
		if (out->nterms > MAX_QUERY_TERMS)
			return err_set(x->err, ERR_DATA,
			    "the query has more than %d terms with its @names", MAX_QUERY_TERMS);
	}
	return join_parts(x, q, parts, out);
}

static int
expand(struct expander *x, struct query *q, const struct chain *chain, struct expansion *out)
{
	switch (q->op) {
	case QUERY_NAMED:
		return expand_name(x, q, chain, out);
	case QUERY_NOT:
		return expand_not(x, q, chain, out);
	case QUERY_AND:
	case QUERY_OR:
		return expand_list(x, q, chain, out);
	case QUERY_ALL:
	case QUERY_TERM:
	case QUERY_CONDITION:
	case QUERY_PROPERTY:
		break;
	}
	out->tree = q;
	out->nterms = 1;
	return 0;
}

int
query_expand(struct query *q, const char *self, query_lookup *lookup, void *arg, struct arena *a,
    struct query **out, size_t *offset, struct error *err)
{
	struct expander x = { .lookup = lookup, .arg = arg, .a = a, .err = err };
	struct chain own = { NULL, self, false };
	struct expansion e;

	/* A query without a name of its own (of `try`) cannot be part of a cycle. */
	if (expand(&x, q, &own, &e) == -1) {
		if (offset != NULL)
			*offset = x.wrong;
		return -1;
	}
	*out = e.tree;
	return 0;
}
