/* html.c - HTML and JATS to text. A linear pass first rewrites the markup without attributes, comments,
 * scripts and prefixes: gumbo is quadratic in nested elements and in the attributes of one tag, and what it
 * is given has at most MAX_HTML_ELEMENTS of the first and none of the second. */
#include "digest/text.h"

#include <ctype.h>
#include <gumbo.h>
#include <string.h>
#include <strings.h>

#include "digest/limits.h"
#include "text/latex.h"

#define MAX_TAG_NAME 32

/* Elements that are more than a wrapper of their text. */
enum html_role { ROLE_INLINE, ROLE_BLOCK, ROLE_DROP, ROLE_RAISED, ROLE_LOWERED };

static const struct {
	const char *name;
	enum html_role role;
} roles[] = {
	{ "annotation", ROLE_DROP },
	{ "annotation-xml", ROLE_DROP },
	{ "article", ROLE_BLOCK },
	{ "blockquote", ROLE_BLOCK },
	{ "br", ROLE_BLOCK },
	{ "dd", ROLE_BLOCK },
	{ "div", ROLE_BLOCK },
	{ "dt", ROLE_BLOCK },
	{ "h1", ROLE_BLOCK },
	{ "h2", ROLE_BLOCK },
	{ "h3", ROLE_BLOCK },
	{ "h4", ROLE_BLOCK },
	{ "h5", ROLE_BLOCK },
	{ "h6", ROLE_BLOCK },
	{ "hr", ROLE_BLOCK },
	{ "iframe", ROLE_DROP },
	{ "li", ROLE_BLOCK },
	{ "list-item", ROLE_BLOCK }, /* JATS */
	{ "noscript", ROLE_DROP },
	{ "p", ROLE_BLOCK },
	{ "pre", ROLE_BLOCK },
	{ "script", ROLE_DROP },
	{ "sec", ROLE_BLOCK }, /* JATS */
	{ "section", ROLE_BLOCK },
	{ "style", ROLE_DROP },
	{ "sub", ROLE_LOWERED },
	{ "sup", ROLE_RAISED },
	{ "svg", ROLE_DROP },
	{ "td", ROLE_BLOCK },
	{ "template", ROLE_DROP },
	{ "tex-math", ROLE_DROP }, /* JATS: the same formula stands beside it, see add_formula() */
	{ "textarea", ROLE_DROP },
	{ "th", ROLE_BLOCK },
	{ "title", ROLE_BLOCK }, /* JATS: the heading of a section */
	{ "tr", ROLE_BLOCK },
	{ "ul", ROLE_BLOCK },
};

static enum html_role
role_of(const char *name)
{
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		if (strcasecmp(name, roles[i].name) == 0)
			return roles[i].role;
	return ROLE_INLINE;
}

struct tag {
	char name[MAX_TAG_NAME]; /* without a prefix; "" when it is longer than any we know */
	const char *raw;	 /* with it, as it stands in the markup */
	size_t raw_len;
	bool is_end;
	const char *after;
};

static bool
is_name_char(char c)
{
	return isalnum((unsigned char)c) || c == '-' || c == ':';
}

/* Past the '>' of the tag whose attributes begin at p; a quoted value may hold one (HTML 13.2.5.32). */
static const char *
skip_attributes(const char *p, const char *end)
{
	char before = ' ';

	for (; p < end && *p != '>'; p++) {
		if (before == '=' && (*p == '"' || *p == '\'')) {
			const char *quote = memchr(p + 1, *p, (size_t)(end - p - 1));

			/* Without its partner the quote is a slip: the text behind must not vanish. */
			if (quote != NULL)
				p = quote;
		}
		if (!isspace((unsigned char)*p))
			before = *p;
	}
	return p < end ? p + 1 : end;
}

/* The tag at p ('<'), or false: a '<' before anything but a letter or '/' and a letter is text. */
static bool
read_tag(const char *p, const char *end, struct tag *t)
{
	const char *name = ++p;
	size_t len;

	t->is_end = p < end && *p == '/';
	if (t->is_end)
		name = ++p;
	if (p == end || !isalpha((unsigned char)*p))
		return false;
	t->raw = name;
	for (; p < end && is_name_char(*p); p++)
		if (*p == ':')
			name = p + 1; /* <jats:p> */
	t->raw_len = (size_t)(p - t->raw);
	len = (size_t)(p - name);
	if (len >= sizeof(t->name))
		len = 0;
	memcpy(t->name, name, len);
	t->name[len] = '\0';
	t->after = skip_attributes(p, end);
	return true;
}

/* Past the end tag of a dropped element, or just past its start tag when it is never closed. */
static const char *
skip_element(const struct tag *open, const char *end, bool *unclosed)
{
	const char *p = open->after;

	/* One fruitless search is enough: the next would be as long. */
	while (!*unclosed && (p = memmem(p, (size_t)(end - p), "</", 2)) != NULL) {
		const char *after = (p += 2) + open->raw_len;

		/* Looked at before the tag is read to its end, which may be far. */
		if ((size_t)(end - p) > open->raw_len && !is_name_char(*after) &&
		    strncasecmp(p, open->raw, open->raw_len) == 0)
			return skip_attributes(after, end);
	}
	*unclosed = true;
	return open->after;
}

/* What a declaration, comment, CDATA section or processing instruction ends with; NULL = p is none. */
static const char *
closing_mark(const char *p, size_t len)
{
	if (len >= 4 && memcmp(p, "<!--", 4) == 0)
		return "-->";
	if (len >= 2 && (p[1] == '!' || p[1] == '?'))
		return ">";
	return NULL;
}

/* ---- formulas: TeX says more than MathML without its marks ---- */

/* The text between two marks of [p, end), or NULL. */
static const char *
find_between(const char *p, const char *end, const char *from, const char *to, size_t *len)
{
	const char *start = memmem(p, (size_t)(end - p), from, strlen(from)), *stop;

	if (start == NULL)
		return NULL;
	start += strlen(from);
	if ((stop = memmem(start, (size_t)(end - start), to, strlen(to))) == NULL)
		return NULL;
	*len = (size_t)(stop - start);
	return start;
}

/*
 * The TeX of a formula in [p, end), which begins with its own tag: JATS <tex-math>, the annotation of MathML, or its
 * alttext. NULL when there is none.
 */
static const char *
find_tex(const char *p, const char *end, size_t *len)
{
	static const char *const marks[][2] = {
		{ "\\begin{document}",
		    "\\end{document}" }, /* a <tex-math> that is a whole document */
		{ "tex-math>", "</" },
		{ "encoding=\"application/x-tex\">", "</" },
		{ "alttext=\"", "\"" },
	};
	const char *tex = NULL;

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]) && tex == NULL; i++)
		tex = find_between(p, end, marks[i][0], marks[i][1], len);
	if (tex == NULL)
		return NULL;
	while (*len > 0 && (isspace((unsigned char)*tex) || *tex == '$')) {
		tex++;
		(*len)--;
	}
	while (*len > 0 && (isspace((unsigned char)tex[*len - 1]) || tex[*len - 1] == '$'))
		(*len)--;
	return *len > 0 && memchr(tex, '<', *len) == NULL ? tex : NULL;
}

static bool
is_formula(const char *name)
{
	return strcasecmp(name, "inline-formula") == 0 || strcasecmp(name, "disp-formula") == 0 ||
	    strcasecmp(name, "math") == 0;
}

/*
 * A formula that says itself in TeX, as $...$, which is read where all texts are. Returns what follows it, or NULL.
 * *bare	up to there it is known that no formula does
 */
static const char *
add_formula(struct strbuf *tame, const char *p, const struct tag *open, const char *end,
    bool *unclosed, const char **bare)
{
	const char *after, *tex;
	size_t len;

	if (open->is_end || p < *bare || !is_formula(open->name))
		return NULL;
	after = skip_element(open, end, unclosed);
	if (after == open->after || (tex = find_tex(p, after, &len)) == NULL) {
		*bare = after;
		return NULL;
	}
	strbuf_addc(tame, '$');
	strbuf_addn(tame, tex, len);
	strbuf_addc(tame, '$');
	return after;
}

static void
add_tag(struct strbuf *tame, const struct tag *t, bool flat)
{
	enum html_role role = role_of(t->name);

	if (role == ROLE_BLOCK)
		strbuf_add(tame, flat ? "\n" : "<br>");
	else if (!flat && (role == ROLE_RAISED || role == ROLE_LOWERED))
		strbuf_addf(tame, "<%s%s>", t->is_end ? "/" : "", t->name);
}

/* Rewrite the markup; flat leaves no element at all. Returns how many elements it has opened. */
static size_t
tame_markup(struct strbuf *tame, const char *p, const char *end, bool flat)
{
	bool unclosed = false;
	const char *bare = p;
	size_t nopen = 0;

	while (p < end) {
		const char *mark, *close;
		struct tag t;

		if (*p != '<') {
			strbuf_addc(tame, *p++);
		} else if (end - p >= 9 && memcmp(p, "<![CDATA[", 9) == 0) {
			p += 9;
		} else if ((mark = closing_mark(p, (size_t)(end - p))) != NULL) {
			close = memmem(p, (size_t)(end - p), mark, strlen(mark));
			p = close == NULL ? end : close + strlen(mark);
		} else if (!read_tag(p, end, &t)) {
			strbuf_add(tame, "&lt;");
			p++;
		} else if ((close = add_formula(tame, p, &t, end, &unclosed, &bare)) != NULL) {
			p = close;
		} else if (role_of(t.name) == ROLE_DROP && !t.is_end) {
			p = skip_element(&t, end, &unclosed);
		} else {
			nopen += !t.is_end;
			add_tag(tame, &t, flat);
			p = t.after;
		}
	}
	return nopen;
}

/* Depth is bounded by MAX_HTML_ELEMENTS. */
static void
add_node(struct strbuf *out, const GumboNode *node)
{
	const GumboVector *children;
	size_t mark = out->len;

	if (node->type == GUMBO_NODE_TEXT || node->type == GUMBO_NODE_WHITESPACE) {
		strbuf_add(out, node->v.text.text);
		return;
	}
	if (node->type != GUMBO_NODE_ELEMENT)
		return;
	if (node->v.element.tag == GUMBO_TAG_BR)
		strbuf_addc(out, '\n');
	children = &node->v.element.children;
	for (unsigned i = 0; i < children->length; i++)
		add_node(out, children->data[i]);
	if (node->v.element.tag == GUMBO_TAG_SUP)
		latex_transform(out, mark, latex_raised);
	else if (node->v.element.tag == GUMBO_TAG_SUB)
		latex_transform(out, mark, latex_lowered);
}

void
text_add_html(struct strbuf *out, const char *html, size_t len)
{
	struct strbuf tame;
	GumboOutput *tree;

	if (len > MAX_HTML_FIELD) {
		len = MAX_HTML_FIELD;
		while (len > 0 && ((unsigned char)html[len] & 0xc0) == 0x80)
			len--;
	}
	/* "&lt;" is the longest that one byte becomes; a "<br>" takes the place of three or more. */
	strbuf_init(&tame, 4 * len + 1);
	if (tame_markup(&tame, html, html + len, false) > MAX_HTML_ELEMENTS) {
		strbuf_reset(&tame);
		tame_markup(&tame, html, html + len, true);
	}
	if (tame.state != STRBUF_OK) {
		out->state = tame.state;
	} else {
		tree = gumbo_parse_with_options(&kGumboDefaultOptions, tame.buf, tame.len);
		add_node(out, tree->root);
		gumbo_destroy_output(&kGumboDefaultOptions, tree);
	}
	strbuf_release(&tame);
}

const char *
text_entity(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}
