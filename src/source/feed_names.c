/* The authors of an entry. Feeds write them in as many ways as people do. */
#include "feed.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* "M. B.", "M-C", "JR": what stands behind a last name where that comes first. */
static bool
is_initials(const char *text, size_t len)
{
	size_t letters = 0;

	for (size_t i = 0; i < len; i++) {
		if (isupper((unsigned char)text[i]))
			letters++;
		else if (strchr(". -", text[i]) == NULL)
			return false;
	}
	return letters > 0 && letters <= 4;
}

struct part {
	const char *text;
	size_t len;
};

/* The parts of a list of names, blanks around them taken off; at most max. */
static size_t
split(const char *text, char separator, struct part *parts, size_t max)
{
	size_t n = 0;

	while (*text != '\0' && n < max) {
		const char *end = strchr(text, separator);
		size_t len = end != NULL ? (size_t)(end - text) : strlen(text);

		while (len > 0 && isspace((unsigned char)*text))
			text++, len--;
		parts[n] = (struct part){ text, len };
		while (parts[n].len > 0 && isspace((unsigned char)text[parts[n].len - 1]))
			parts[n].len--;
		n += parts[n].len > 0;
		text += len + (text[len] == separator);
	}
	return n;
}

static void
add_author(struct feed_reading *r, struct paper *p, const char *text, size_t len)
{
	const char *name;

	if (len > 4 && strncmp(text, "and ", 4) == 0)
		text += 4, len -= 4;
	if (p->nauthors == MAX_AUTHORS || memchr(text, '@', len) != NULL)
		return;
	name = field_latex(r->f, text, len, MAX_NAME_BYTES);
	if (name[0] != '\0')
		p->authors[p->nauthors++] = name;
}

static void
add_turned(
    struct feed_reading *r, struct paper *p, const struct part *last, const struct part *first)
{
	char name[2 * MAX_NAME_BYTES];

	snprintf(name, sizeof(name), "%.*s %.*s", (int)(first->len < 190 ? first->len : 190),
	    first->text, (int)(last->len < 190 ? last->len : 190), last->text);
	add_author(r, p, name, strlen(name));
}

/* Names that semicolons part, each "Ada Lovelace" or "Lovelace, Ada". */
static void
add_separate(struct feed_reading *r, struct paper *p, const struct part *parts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *one = arena_strndup(r->f->arena, parts[i].text, parts[i].len);
		struct part names[3];

		if (one != NULL && split(one, ',', names, 3) == 2)
			add_turned(r, p, &names[0], &names[1]);
		else
			add_author(r, p, parts[i].text, parts[i].len);
	}
}

/*
 * The names in one text: "Ada Lovelace", "A; B", "Ada Lovelace, Grace Hopper and Mary Shaw", "Lovelace, A., Hopper, G."
 * and the "ada@example.org (Ada Lovelace)" of RSS. "Lovelace, Ada" is one name.
 */
static void
add_names(struct feed_reading *r, struct paper *p, const char *text)
{
	enum { MAX_PARTS = 1000 };
	struct part *parts = arena_array(r->f->arena, MAX_PARTS, sizeof(*parts));
	const char *open = strchr(text, '('), *and;
	size_t n;

	if (parts == NULL) {
		r->f->nomem = true;
		return;
	}
	if (open != NULL && memchr(text, '@', (size_t)(open - text)) != NULL) {
		add_author(r, p, open + 1, strcspn(open + 1, ")"));
		return;
	}
	n = split(text, ';', parts, MAX_PARTS);
	if (n > 1) {
		add_separate(r, p, parts, n);
		return;
	}
	n = split(text, ',', parts, MAX_PARTS);
	if (n == 2 && memchr(parts[0].text, ' ', parts[0].len) == NULL &&
	    memchr(parts[1].text, ' ', parts[1].len) == NULL) {
		add_turned(r, p, &parts[0], &parts[1]);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (i + 1 < n && is_initials(parts[i + 1].text, parts[i + 1].len)) {
			add_turned(r, p, &parts[i], &parts[i + 1]);
			i++;
			continue;
		}
		and = memmem(parts[i].text, parts[i].len, " and ", 5);
		if (and == NULL) {
			add_author(r, p, parts[i].text, parts[i].len);
			continue;
		}
		add_author(r, p, parts[i].text, (size_t)(and-parts[i].text));
		add_author(r, p, and+5, parts[i].len - (size_t)(and+5 - parts[i].text));
	}
}

void
feed_take_authors(struct feed_reading *r, const struct feed_entry *e, struct paper *p)
{
	size_t max = 0;

	/* At most one name for each comma, semicolon and "and". */
	for (size_t i = 0; i < e->nauthors; i++) {
		max += 2;
		for (const char *s = e->authors[i]; *s != '\0'; s++)
			max += *s == ',' || *s == ';' ? 2u : 0;
	}
	if (max > MAX_AUTHORS)
		max = MAX_AUTHORS;
	if ((p->authors = arena_array(r->f->arena, max, sizeof(*p->authors))) == NULL) {
		r->f->nomem = true;
		return;
	}
	for (size_t i = 0; i < e->nauthors && p->nauthors + 2 < max + 2; i++) {
		struct strbuf plain;

		strbuf_init(&plain, 4 * (size_t)MAX_HTML_FIELD);
		feed_add_text(&plain, e->authors[i], strlen(e->authors[i]), MARKUP_UNKNOWN);
		r->f->nomem |= plain.state != STRBUF_OK;
		if (plain.len > 0)
			add_names(r, p, plain.buf);
		strbuf_release(&plain);
	}
}
