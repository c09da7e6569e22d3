/* The HTML part by gumbo: S-32 to S-40, and S-26, the same papers in both parts. */
#include "lint.h"

#include <gumbo.h>
#include <utf8proc.h>

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_STYLE = 16 * 1024, TOP = 20 * 1024, SMALLEST = 14 };

static const char *const attributes[] = { "lang", "dir", "charset", "name", "content", "class",
	"style", "role", "width", "height", "cellpadding", "cellspacing", "border", "align",
	"valign", "href", "src", "alt", "title", "aria-hidden", "http-equiv", NULL };
static const char *const bad_css[] = { "flex", "grid", "float:", "position:", "var(", "url(",
	"@import", "@font-face", "rem;", "expression(", "behavior:", "-moz-binding", NULL };

static const GumboTag tags[] = { GUMBO_TAG_HTML, GUMBO_TAG_HEAD, GUMBO_TAG_META, GUMBO_TAG_TITLE,
	GUMBO_TAG_STYLE, GUMBO_TAG_BODY, GUMBO_TAG_DIV, GUMBO_TAG_TABLE, GUMBO_TAG_TBODY,
	GUMBO_TAG_TR, GUMBO_TAG_TD, GUMBO_TAG_H1, GUMBO_TAG_H2, GUMBO_TAG_H3, GUMBO_TAG_P,
	GUMBO_TAG_A, GUMBO_TAG_B, GUMBO_TAG_I, GUMBO_TAG_STRONG, GUMBO_TAG_EM, GUMBO_TAG_MARK,
	GUMBO_TAG_SPAN, GUMBO_TAG_BR, GUMBO_TAG_IMG };

/* One walk over the tree. */
struct page {
	struct mail *m;
	size_t ntables, nh1, nh2, ntitles;
	bool cut; /* it says that there is more than it shows */
	bool in_head;
	bool in_link;
	const char *plain; /* the text part without blanks */
	const char *at;	   /* behind the last title that was found in it */
	bool counted;	   /* it says how many papers were read */
	size_t way_out;	   /* where the first link to unsubscribe stands, 0 = nowhere */
};

static bool
is_attribute(const char *name)
{
	for (size_t i = 0; attributes[i] != NULL; i++)
		if (strcmp(attributes[i], name) == 0)
			return true;
	return false;
}

static const char *
attribute(const GumboNode *node, const char *name)
{
	const GumboAttribute *a = gumbo_get_attribute(&node->v.element.attributes, name);

	return a != NULL ? a->value : NULL;
}

/* text without white space; the caller frees it. */
static char *
squeeze(const char *text)
{
	char *copy = strdup(text), *to = copy;

	if (copy == NULL)
		abort();
	for (const char *c = copy; *c != '\0';) {
		utf8proc_int32_t code;
		utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)c, -1, &code);

		if (n <= 0)
			n = 1;
		else if (code == ' ' || (code >= 9 && code <= 13) ||
		    utf8proc_category(code) == UTF8PROC_CATEGORY_ZS) {
			c += n;
			continue;
		}
		memmove(to, c, (size_t)n);
		to += n;
		c += n;
	}
	*to = '\0';
	return copy;
}

/* All text below a node, appended. */
static void
add_text(const GumboNode *node, char **out, size_t *len)
{
	const GumboVector *children;
	size_t n;

	if (node->type == GUMBO_NODE_TEXT || node->type == GUMBO_NODE_WHITESPACE) {
		n = strlen(node->v.text.text);
		if ((*out = realloc(*out, *len + n + 1)) == NULL)
			abort();
		memcpy(*out + *len, node->v.text.text, n + 1);
		*len += n;
	}
	if (node->type != GUMBO_NODE_ELEMENT)
		return;
	children = &node->v.element.children;
	for (unsigned i = 0; i < children->length; i++)
		add_text(children->data[i], out, len);
}

static char *
text_of(const GumboNode *node)
{
	char *text = strdup("");
	size_t len = 0;

	add_text(node, &text, &len);
	return text;
}

/* ---- styles ---- */

/* The value of a property in a style, "" without it; names end at ':' and begin behind ';' or '{'. */
static void
property(const char *style, const char *name, char out[64])
{
	size_t n = strlen(name);

	out[0] = '\0';
	for (const char *at = style; (at = strstr(at, name)) != NULL; at += n) {
		const char *before = at;

		while (before > style && before[-1] == ' ')
			before--;
		if ((before == style || before[-1] == ';') && at[n] == ':') {
			at += n + 1;
			at += strspn(at, " ");
			snprintf(out, 64, "%.*s", (int)strcspn(at, ";!} "), at);
			return;
		}
	}
}

static double
luminance(const char *colour)
{
	static const double weight[] = { 0.2126, 0.7152, 0.0722 };
	unsigned long rgb = strtoul(colour + 1, NULL, 16);
	double sum = 0;

	for (int i = 0; i < 3; i++) {
		double c = (double)(rgb >> (16 - 8 * i) & 255) / 255;

		sum += weight[i] * (c <= 0.03928 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4));
	}
	return sum;
}

/* "#abc" as "#aabbcc"; colour has room for that. */
static void
spell_out(char *colour)
{
	if (colour[0] != '#' || strlen(colour) != 4)
		return;
	for (int i = 3; i > 0; i--)
		colour[2 * i] = colour[2 * i - 1] = colour[i];
	colour[7] = '\0';
}

/* S-37: WCAG 2. */
static void
check_colours(struct mail *m, const char *style)
{
	char front[64], back[64];
	double a, b;

	property(style, "color", front);
	property(style, "background-color", back);
	if ((front[0] == '\0') != (back[0] == '\0'))
		find(m, "S-37", "a colour alone: %.80s", style);
	if (front[0] == '\0' || back[0] == '\0' ||
	    (strcmp(front, "inherit") == 0 && strcmp(back, "inherit") == 0))
		return;
	spell_out(front);
	spell_out(back);
	if (strlen(front) != 7 || strlen(back) != 7 || front[0] != '#' || back[0] != '#') {
		find(m, "S-37", "colours that cannot be compared: %s, %s", front, back);
		return;
	}
	a = luminance(front) + 0.05;
	b = luminance(back) + 0.05;
	if (fmax(a, b) / fmin(a, b) < 4.5)
		find(m, "S-37", "contrast of %.1f: %.80s", fmax(a, b) / fmin(a, b), style);
}

static void
check_css(struct mail *m, const char *css)
{
	char *low = squeeze(css);

	for (char *c = low; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	for (size_t i = 0; bad_css[i] != NULL; i++)
		if (strstr(low, bad_css[i]) != NULL)
			find(m, "S-34", "'%s' in a style: %.80s", bad_css[i], css);
	free(low);
}

static void
check_style(struct mail *m, GumboTag tag, const char *style)
{
	char size[64], wide[64];
	bool hidden =
	    strstr(style, "font-size:1px") != NULL || strstr(style, "display:none") != NULL;

	check_css(m, style);
	check_colours(m, style);
	property(style, "font-size", size);
	property(style, "max-width", wide);
	if (size[0] != '\0' && strcmp(size + strspn(size, "0123456789"), "px") != 0)
		find(m, "S-36", "font-size %s", size);
	else if (size[0] != '\0' && !hidden && strtol(size, NULL, 10) < SMALLEST)
		find(m, "S-39", "text of %s", size);
	if (wide[0] != '\0' && tag != GUMBO_TAG_TABLE)
		find(m, "S-36", "max-width on <%s>", gumbo_normalized_tagname(tag));
}

/* The style sheet: every rule of it as one style. */
static void
check_sheet(struct page *p, const GumboNode *node)
{
	char *css = text_of(node);

	if (!p->in_head)
		find(p->m, "S-35", "<style> outside of the head");
	if (strlen(css) > MAX_STYLE)
		find(p->m, "S-35", "<style> of %zu bytes", strlen(css));
	check_css(p->m, css);
	for (char *rule = strchr(css, '{'), *end; rule != NULL; rule = strchr(end + 1, '{')) {
		char *inner;

		/* The brace of @media encloses rules. */
		while ((inner = strpbrk(rule + 1, "{}")) != NULL && *inner == '{')
			rule = inner;
		if ((end = inner) == NULL)
			break;
		*end = '\0';
		check_colours(p->m, rule + 1);
		*end = '}';
	}
	free(css);
}

/* ---- elements ---- */

static bool
is_web_or_mail(const char *url)
{
	if (strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0 &&
	    strncmp(url, "mailto:", 7) != 0)
		return false;
	for (const char *c = url; *c != '\0'; c++)
		if (*c <= ' ' || *c > '~')
			return false;
	return true;
}

/* The URL stands in the text, and not as the beginning of a longer one. */
static bool
names_url(const char *text, const char *url)
{
	size_t n = strlen(url);

	for (const char *at = text; (at = strstr(at, url)) != NULL; at += n)
		if (at[n] == '\0' || isspace((unsigned char)at[n]) ||
		    strchr("<>\".,;:!?)", at[n]) != NULL)
			return true;
	return false;
}

static void
check_link(struct page *p, const GumboNode *node)
{
	const char *href = attribute(node, "href");
	char *words = text_of(node);
	size_t blanks = strspn(words, " \n\t");

	if (href == NULL || !is_web_or_mail(href))
		find(p->m, "S-40", "a link '%.80s'", href != NULL ? href : "");
	else if (p->m->text != NULL && !names_url(p->m->text, href))
		find(p->m, "S-26", "only the HTML links to %s", href);
	if (words[blanks] == '\0' || is_web_or_mail(words + blanks))
		find(p->m, "S-39", "a link without words: %.80s", href != NULL ? href : "");
	if (p->way_out == 0 &&
	    (strstr(words, "Unsubscribe") != NULL || strstr(words, "Abbestellen") != NULL))
		p->way_out = node->v.element.start_pos.offset;
	free(words);
}

/* S-26: titles stand in the text part in the same order. */
static void
check_title(struct page *p, const GumboNode *node)
{
	char *title = text_of(node), *squeezed = squeeze(title);
	const char *found = p->plain != NULL ? strstr(p->at, squeezed) : NULL;

	if (p->plain != NULL && found == NULL)
		find(p->m, "S-26", "the text does not name '%.60s' behind the one before", title);
	if (found != NULL)
		p->at = found;
	free(title);
	free(squeezed);
}

/* S-26: "412 papers read from arXiv cs.CV; 11 matched; 8 shown", the whole paragraph in both parts. */
static void
check_counts(struct page *p, const char *text)
{
	char *squeezed;

	/* The preheader of an empty digest says it too, with what keeps the page out of it behind. */
	if (strstr(text, "\xcd\x8f") != NULL)
		return;
	if ((strstr(text, " read from ") == NULL || strstr(text, " matched; ") == NULL) &&
	    (strstr(text, " gelesen aus ") == NULL || strstr(text, " passend; ") == NULL))
		return;
	p->counted = true;
	squeezed = squeeze(text);
	if (p->plain != NULL && strstr(p->plain, squeezed) == NULL)
		find(p->m, "S-26", "the text does not say '%.80s'", text);
	free(squeezed);
}

static void
check_table(struct page *p, const GumboNode *node)
{
	const char *role = attribute(node, "role");

	p->ntables++;
	if (role == NULL || strcmp(role, "presentation") != 0)
		find(p->m, "S-39", "a table without role=presentation");
	if (attribute(node, "width") == NULL)
		find(p->m, "S-36", "a table without width");
	if (p->ntables == 1 && (attribute(node, "lang") == NULL || attribute(node, "dir") == NULL))
		find(p->m, "S-38", "the outer table has no lang or dir");
}

static void
check_attributes(struct page *p, const GumboNode *node)
{
	const GumboElement *e = &node->v.element;

	for (unsigned i = 0; i < e->attributes.length; i++) {
		const GumboAttribute *a = e->attributes.data[i];

		if (strncmp(a->name, "on", 2) == 0)
			find(p->m, "S-40", "an event: %s", a->name);
		else if (!is_attribute(a->name))
			find(p->m, "S-34", "an attribute: %s", a->name);
		if (strcmp(a->name, "style") == 0)
			check_style(p->m, e->tag, a->value);
	}
	if (attribute(node, "class") != NULL && attribute(node, "style") == NULL)
		find(p->m, "S-35", "<%s> has a class and no style",
		    gumbo_normalized_tagname(e->tag));
}

static void
check_tag(struct page *p, const GumboNode *node)
{
	GumboTag tag = node->v.element.tag;
	bool known = false;

	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
		known = known || tags[i] == tag;
	if (!known)
		find(p->m, tag == GUMBO_TAG_SCRIPT ? "S-40" : "S-34", "an element <%s>",
		    gumbo_normalized_tagname(tag));
	if (tag == GUMBO_TAG_HTML &&
	    (attribute(node, "lang") == NULL || attribute(node, "dir") == NULL))
		find(p->m, "S-38", "<html> without lang or dir");
	if (tag == GUMBO_TAG_IMG && attribute(node, "alt") == NULL)
		find(p->m, "S-39", "<img> without alt");
	p->ntitles += tag == GUMBO_TAG_TITLE;
	p->nh1 += tag == GUMBO_TAG_H1;
	p->nh2 += tag == GUMBO_TAG_H2;
	if ((tag == GUMBO_TAG_H2 && p->nh1 == 0) || (tag == GUMBO_TAG_H3 && p->nh2 == 0))
		find(p->m, "S-39", "<%s> before any heading above it",
		    gumbo_normalized_tagname(tag));
}

static void
walk(struct page *p, const GumboNode *node)
{
	const GumboVector *children;

	if (node->type == GUMBO_NODE_COMMENT || node->type == GUMBO_NODE_CDATA)
		find(p->m, "S-34", "a comment: %.40s", node->v.text.text);
	if (node->type == GUMBO_NODE_TEXT)
		p->cut = p->cut || strncmp(node->v.text.text, "and ", 4) == 0 ||
		    strncmp(node->v.text.text, "und ", 4) == 0;
	if (node->type == GUMBO_NODE_TEXT)
		check_counts(p, node->v.text.text);
	if (node->type != GUMBO_NODE_ELEMENT)
		return;
	p->in_head = p->in_head || node->v.element.tag == GUMBO_TAG_HEAD;
	p->in_head = p->in_head && node->v.element.tag != GUMBO_TAG_BODY;
	check_tag(p, node);
	check_attributes(p, node);
	switch (node->v.element.tag) {
	case GUMBO_TAG_A:
		check_link(p, node);
		break;
	case GUMBO_TAG_H3:
		check_title(p, node);
		break;
	case GUMBO_TAG_TABLE:
		check_table(p, node);
		break;
	case GUMBO_TAG_STYLE:
		check_sheet(p, node);
		break;
	default:
		break;
	}
	children = &node->v.element.children;
	for (unsigned i = 0; i < children->length; i++)
		walk(p, children->data[i]);
}

/* A link that the text has on a line of its own or behind "pdf: " must be one of the HTML's, or stand in its words. */
static void
check_text_links(struct page *p, const GumboNode *root)
{
	char *words = text_of(root);

	for (const char *line = p->m->text; *line != '\0';) {
		size_t n = strcspn(line, "\n");
		const char *url = memmem(line, n, "http", 4);
		char copy[4096], html[8192];
		size_t len, to = 0;

		if (url != NULL &&
		    (strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0) &&
		    (size_t)(line + n - url) < sizeof(copy) &&
		    memchr(url, ' ', (size_t)(line + n - url)) == NULL &&
		    (url == line + strspn(line, " ") ||
			(url > line + 2 && url[-1] == ' ' && url[-2] == ':'))) {
			len = (size_t)(line + n - url);
			memcpy(copy, url, len);
			copy[len] = '\0';
			for (const char *c = copy; *c != '\0' && to + 6 < sizeof(html); c++)
				to += (size_t)snprintf(html + to, sizeof(html) - to,
				    *c == '&'	     ? "&amp;"
					: *c == '\'' ? "&#39;"
						     : "%c",
				    *c);
			html[to] = '\0';
			if (strstr(p->m->html, html) == NULL && strstr(words, copy) == NULL)
				find(p->m, "S-26", "only the text names %s", copy);
		}
		line += n + (line[n] != '\0');
	}
	free(words);
}

/* What gumbo had to put right is wrong. */
static void
check_errors(struct mail *m, const GumboOutput *page)
{
	if (page->errors.length > 0)
		find(m, "S-34", "gumbo puts %u errors of the HTML right", page->errors.length);
	if (!page->document->v.document.has_doctype)
		find(m, "S-34", "no <!DOCTYPE html>");
}

void
check_markup(struct mail *m)
{
	size_t len = strlen(m->html);
	char *plain = m->text != NULL ? squeeze(m->text) : NULL;
	struct page p = { .m = m, .plain = plain };
	GumboOutput *page;

	if (m->html_coded > m->options->html_limit || len > m->options->html_limit)
		find(m, "S-32", "HTML of %zu bytes coded, %zu decoded", m->html_coded, len);
	if (plain != NULL && (p.at = strstr(plain, "==")) == NULL)
		p.at = plain;
	page = gumbo_parse_with_options(&kGumboDefaultOptions, m->html, len);
	check_errors(m, page);
	walk(&p, page->root);
	if (p.nh1 != 1)
		find(m, "S-39", "%zu elements <h1>", p.nh1);
	if (!p.counted)
		find(m, "S-26", "the HTML does not say how many papers were read");
	if (p.ntitles != 1)
		find(m, "S-34", "%zu elements <title>", p.ntitles);
	if (p.way_out == 0)
		find(m, "S-26", "the HTML has no link to unsubscribe");
	else if (p.way_out > TOP)
		find(m, "S-33", "the first link to unsubscribe stands behind %zu bytes", p.way_out);
	if (m->text != NULL && !p.cut)
		check_text_links(&p, page->root);
	gumbo_destroy_output(&kGumboDefaultOptions, page);
	free(plain);
}
