/* program.h - a compiled template: a flat list of nodes. What template_compile.c writes and template_render.c reads. */
#ifndef DIGEST_RENDER_PROGRAM_H
#define DIGEST_RENDER_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "digest/template.h"

enum node_kind {
	NODE_TEXT,     /* at most one line, with its newline */
	NODE_ESCAPED,  /* {{x}} */
	NODE_RAW,      /* {{{x}}}, {{&x}} */
	NODE_SECTION,  /* {{#x}} ... */
	NODE_INVERTED, /* {{^x}} ... */
	NODE_END,      /* {{/x}} */
	NODE_PARTIAL,  /* {{> x}} */
};

struct frames;

struct node {
	enum node_kind kind;
	bool line_start;       /* the first of its line: a partial's indentation goes before it */
	unsigned line, column; /* of the tag */
	const char *text;      /* NODE_TEXT: len bytes; else the name, NUL-terminated */
	size_t len;
	size_t first_part,
	    nparts;	   /* of the name between its dots, in the template's parts; none for "." */
	const char *coded; /* NODE_TEXT of HTML: as quoted-printable */
	size_t coded_len;
	/* NODE_TEXT of HTML: this and the texts behind it, as they are written where a line of the part begins. */
	struct {
		const char *bytes;
		size_t len, nnodes; /* 0 = there are not several */
		unsigned column;
	} run;
	const struct template *partial; /* NODE_PARTIAL: found by template_link(), else NULL */
	const char *indent;		/* NODE_PARTIAL alone on its line: the blanks before it */
	size_t indent_len;
	size_t end; /* NODE_SECTION, NODE_INVERTED: index of its NODE_END */
	const struct frames
	    *frames; /* NODE_SECTION over papers: of the first language, see frame.h */
};

struct template
{
	char *name; /* for messages */
	char *text; /* what the nodes point into */
	size_t len;
	enum template_escape escape;
	struct node *nodes;
	size_t nnodes, alloc;
	struct value_name *parts;
	struct strbuf coded, runs; /* of all nodes */
};

struct writer;

/* template_render() into a writer. */
int template_write(const struct template *t, const struct value *data, template_lookup *lookup,
    void *lookup_arg, struct writer *w, struct error *err);

/*
 * What a section writes for one of its items.
 * outer	the outermost context; those between are empty
 * Fails also when a name is asked for that neither has.
 */
int template_write_item(const struct template *t, size_t section, const struct value *outer,
    const struct value *item, template_lookup *lookup, void *lookup_arg, struct writer *w);

#endif
