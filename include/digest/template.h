/* template.h - Mustache, the whole specification 1.x but lambdas and the optional modules: interpolation, sections,
 * inverted sections, partials with indentation, set delimiters, comments, dotted names. Compiled once, rendered with
 * bounded recursion and output. Errors read "digest.html:12:3: what was found; what was expected". */
#ifndef DIGEST_TEMPLATE_H
#define DIGEST_TEMPLATE_H

#include <stddef.h>

#include "digest/error.h"
#include "digest/strbuf.h"
#include "digest/value.h"

/* How {{x}} is written; {{{x}}} and {{&x}} are always written as they are. */
enum template_escape {
	TEMPLATE_HTML,		/* & < > " ' as entities: safe as text and in quoted attributes */
	TEMPLATE_TEXT,		/* plain text as it is */
	TEMPLATE_HEADER,	/* one line: CR, LF and other controls become a blank */
};

struct template;

/* How a partial {{> name}} is found: its compiled template or NULL (which renders as nothing). */
typedef const struct template *template_lookup(void *arg, const char *name);

/* name is for messages; text of len bytes is copied. Fails with ERR_CONFIG and the place. */
int	template_compile(const char *name, const char *text, size_t len, enum template_escape escape,
	    struct template **out, struct error *err);
void	template_free(struct template *t);

/* Find all partials once, before rendering; the templates must stay. What is not found is looked up again each time. */
void	template_link(struct template *t, template_lookup *lookup, void *lookup_arg);

/* Render with data as the outermost context. lookup may be NULL. Fails with ERR_CONFIG and the place when nesting
 * exceeds MAX_TEMPLATE_DEPTH, the work MAX_TEMPLATE_STEPS or the output out's bound (out->state is then STRBUF_TOO_LONG). */
int	template_render(const struct template *t, const struct value *data, template_lookup *lookup,
	    void *lookup_arg, struct strbuf *out, struct error *err);

/*
 * Every name the template and its own sections read, as written ("paper.title"), to check them against a table.
 * Calls visit for each with line and column until it returns non-zero, and returns that, else 0.
 */
int	template_each_name(const struct template *t,
	    int (*visit)(void *arg, const char *name, unsigned line, unsigned column), void *arg);

/* The same for the names of its partials. */
int	template_each_partial(const struct template *t,
	    int (*visit)(void *arg, const char *name, unsigned line, unsigned column), void *arg);

#endif
