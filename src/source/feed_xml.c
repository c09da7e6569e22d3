/* Feeds in XML. RSS of all versions and Atom differ in few names, so one table serves them all; what stands in an entry
 * stands one level below it. */
#include "feed.h"
#include "xml.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum {
	MAX_FIELD = 512 * 1024,
	MAX_ENTRIES = 20000,
};

/* What may stand in an entry more than once, and what belongs to the feed itself. */
enum {
	CATEGORY = FEED_NTEXTS,
	AUTHOR,
	NAME, /* of an author, one level further down */
	LINK,
	ENCLOSURE,
	IMAGE,
	NOTHING,
};

/* "" stands for Atom too: some feeds leave its namespace out. */
static const struct {
	const char *ns, *name;
	unsigned field;
} elements[] = {
	{ "", "guid", FEED_ID },
	{ "", "id", FEED_ID },
	{ "", "link", LINK },
	{ "", "title", FEED_TITLE },
	{ "dc", "title", FEED_TITLE },
	{ "", "description", FEED_SUMMARY },
	{ "", "summary", FEED_SUMMARY },
	{ "dc", "description", FEED_SUMMARY },
	{ "dcterms", "abstract", FEED_SUMMARY },
	{ "content", "encoded", FEED_CONTENT },
	{ "", "content", FEED_CONTENT },
	{ "", "pubDate", FEED_PUBLISHED },
	{ "", "published", FEED_PUBLISHED },
	{ "", "issued", FEED_PUBLISHED },
	{ "dc", "date", FEED_PUBLISHED },
	{ "dcterms", "issued", FEED_PUBLISHED },
	{ "prism", "publicationDate", FEED_PUBLISHED },
	{ "", "updated", FEED_UPDATED },
	{ "", "modified", FEED_UPDATED },
	{ "dcterms", "modified", FEED_UPDATED },
	{ "prism", "doi", FEED_DOI },
	{ "dc", "identifier", FEED_DOI },
	{ "prism", "publicationName", FEED_JOURNAL },
	{ "", "comments", FEED_DISCUSSION },
	{ "", "category", CATEGORY },
	{ "dc", "subject", CATEGORY },
	{ "", "author", AUTHOR },
	{ "dc", "creator", AUTHOR },
	{ "dc", "author", AUTHOR },
	{ "", "name", NAME },
	{ "", "enclosure", ENCLOSURE },
	{ "media", "thumbnail", IMAGE },
};

struct reading {
	struct feed_reading *r;
	struct arena scratch; /* of one entry */
	struct strbuf text;   /* of the element at hand */
	struct feed_entry entry;
	unsigned field; /* being read, NOTHING = none */
	enum feed_markup markup;
	bool inlined; /* elements stand in the text: it is being written as HTML */
	size_t depth, field_depth, entry_depth, author_depth; /* 0 = outside of one */
	bool root_is_wrong;
	char root[40];
};

static bool
is_atom(const char *ns)
{
	return ns[0] == '\0' || strcmp(ns, "atom") == 0;
}

static bool
is_entry(const char *ns, const char *name)
{
	return is_atom(ns) && (strcmp(name, "item") == 0 || strcmp(name, "entry") == 0);
}

static unsigned
find_field(const char *ns, const char *name)
{
	for (size_t i = 0; i < sizeof(elements) / sizeof(elements[0]); i++)
		if (strcmp(elements[i].name, name) == 0 &&
		    (elements[i].ns[0] == '\0' ? is_atom(ns) : strcmp(elements[i].ns, ns) == 0))
			return elements[i].field;
	return NOTHING;
}

static const char *
keep(struct reading *x, const char *text, size_t len)
{
	char *copy;

	while (len > 0 && isspace((unsigned char)text[0]))
		text++, len--;
	while (len > 0 && isspace((unsigned char)text[len - 1]))
		len--;
	copy = arena_strndup(&x->scratch, text, len);
	x->r->f->nomem |= copy == NULL;
	return copy;
}

static void
set_text(struct reading *x, enum feed_text field, const char *text)
{
	if (text != NULL && text[0] != '\0' && x->entry.texts[field] == NULL)
		x->entry.texts[field] = text;
}

/* ---- links, which are attributes in Atom ---- */

static void
take_atom_link(struct reading *x, const struct xml_tag *tag, const char *href)
{
	const char *rel = xml_attribute(tag, "", "rel"), *type = xml_attribute(tag, "", "type");
	bool pdf = type != NULL && strcmp(type, "application/pdf") == 0;
	const char *url = keep(x, href, strlen(href));

	if (pdf)
		set_text(x, FEED_PDF, url);
	else if (rel == NULL || strcmp(rel, "alternate") == 0)
		set_text(x, FEED_LINK, url);
	else if (strcmp(rel, "replies") == 0)
		set_text(x, FEED_DISCUSSION, url);
}

static void
take_attributes(struct reading *x, unsigned field, const struct xml_tag *tag)
{
	const char *url = xml_attribute(tag, "", field == LINK ? "href" : "url");
	const char *type = xml_attribute(tag, "", "type");

	if (url == NULL || x->entry_depth == 0)
		return;
	if (field == LINK)
		take_atom_link(x, tag, url);
	else if (field == IMAGE)
		set_text(x, FEED_IMAGE, keep(x, url, strlen(url)));
	else if (field == ENCLOSURE && type != NULL && strcmp(type, "application/pdf") == 0)
		set_text(x, FEED_PDF, keep(x, url, strlen(url)));
}

/* ---- elements ---- */

/* The language of the whole feed, and where it says it belongs. */
static void
take_root(struct reading *x, const char *name, const struct xml_tag *tag)
{
	static const char *const roots[] = { "rss", "RDF", "feed", "channel", NULL };
	const char *lang = xml_attribute(tag, "xml", "lang");
	size_t i = 0;

	while (roots[i] != NULL && strcmp(roots[i], name) != 0)
		i++;
	x->root_is_wrong = roots[i] == NULL;
	snprintf(x->root, sizeof(x->root), "%s", name);
	if (lang != NULL)
		x->r->language = field_plain(x->r->f, lang, strlen(lang), MAX_NAME_BYTES);
}

static void
begin_entry(struct reading *x, const struct xml_tag *tag)
{
	const char *base = xml_attribute(tag, "xml", "base");

	memset(x->entry.texts, 0, sizeof(x->entry.texts));
	memset(x->entry.markup, 0, sizeof(x->entry.markup));
	x->entry.nauthors = x->entry.ncategories = 0;
	x->entry.base = base != NULL ? keep(x, base, strlen(base)) : "";
	x->entry_depth = x->depth;
}

/* What Atom says of a text; RSS says nothing. */
static enum feed_markup
markup_of(const char *ns, const struct xml_tag *tag)
{
	const char *type = xml_attribute(tag, "", "type");

	if (type == NULL)
		return strcmp(ns, "atom") == 0 ? MARKUP_PLAIN : MARKUP_UNKNOWN;
	if (strcmp(type, "text") == 0 || strcmp(type, "text/plain") == 0)
		return MARKUP_PLAIN;
	return strstr(type, "html") != NULL ? MARKUP_HTML : MARKUP_UNKNOWN;
}

static void
add_escaped(struct strbuf *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] == '&')
			strbuf_add(out, "&amp;");
		else if (text[i] == '<')
			strbuf_add(out, "&lt;");
		else
			strbuf_addc(out, text[i]);
}

/* An element inside a text: what came before was plain and must stay so. */
static void
begin_inline(struct reading *x, const char *name)
{
	if (!x->inlined && x->text.len > 0) {
		const char *before = arena_strndup(&x->scratch, x->text.buf, x->text.len);
		size_t len = x->text.len;

		strbuf_reset(&x->text);
		if (before == NULL)
			x->r->f->nomem = true;
		else
			add_escaped(&x->text, before, len);
	}
	x->inlined = true;
	x->markup = MARKUP_HTML;
	if (x->text.len < MAX_FIELD)
		strbuf_addf(&x->text, "<%s>", name);
}

/* Whether an element stands where its meaning is that of the table: in an entry, or as the feed's own. */
static bool
is_in_place(const struct reading *x, unsigned field)
{
	if (field == NAME)
		return x->author_depth > 0 && x->depth == x->author_depth + 1;
	if (x->entry_depth > 0)
		return x->depth == x->entry_depth + 1;
	return field == FEED_TITLE && x->depth <= 3;
}

static int
on_start(void *arg, const char *ns, const char *name, const struct xml_tag *tag)
{
	struct reading *x = arg;
	unsigned field;

	if (x->depth++ == 0) {
		take_root(x, name, tag);
		return x->root_is_wrong;
	}
	if (x->field != NOTHING && x->field != AUTHOR) {
		begin_inline(x, name);
		return 0;
	}
	if (x->entry_depth == 0 && is_entry(ns, name)) {
		begin_entry(x, tag);
		return 0;
	}
	field = find_field(ns, name);
	if (field == NOTHING || !is_in_place(x, field))
		return 0;
	take_attributes(x, field, tag);
	if (field == AUTHOR)
		x->author_depth = x->depth;
	x->field = field;
	x->field_depth = x->depth;
	x->markup = markup_of(ns, tag);
	x->inlined = false;
	strbuf_reset(&x->text);
	if (field == CATEGORY && xml_attribute(tag, "", "term") != NULL)
		strbuf_add(&x->text, xml_attribute(tag, "", "term"));
	return 0;
}

static int
on_text(void *arg, const char *text, size_t len)
{
	struct reading *x = arg;

	if (x->field == NOTHING || x->text.len >= MAX_FIELD)
		return x->r->f->nomem;
	len = len < MAX_FIELD - x->text.len ? len : MAX_FIELD - x->text.len;
	if (x->inlined)
		add_escaped(&x->text, text, len);
	else
		strbuf_addn(&x->text, text, len);
	return x->r->f->nomem;
}

static void
take_field(struct reading *x)
{
	struct feed_entry *e = &x->entry;
	unsigned field = x->field == NAME ? (unsigned)AUTHOR : x->field;
	const char *text;

	if (x->text.state != STRBUF_OK) {
		x->r->f->nomem = true;
		return;
	}
	if (x->entry_depth == 0) {
		struct strbuf *plain = &x->r->f->latex;

		strbuf_reset(plain);
		feed_add_text(plain, x->text.buf, x->text.len, x->markup);
		if (x->r->title[0] == '\0')
			x->r->title = field_plain(x->r->f, plain->buf, plain->len, MAX_NAME_BYTES);
		return;
	}
	if ((text = keep(x, x->text.buf, x->text.len)) == NULL || text[0] == '\0')
		return;
	if (field == CATEGORY && e->ncategories < MAX_LIST)
		e->categories[e->ncategories++] = text;
	else if (field == AUTHOR && e->nauthors < MAX_AUTHORS)
		e->authors[e->nauthors++] = text;
	else if (field == LINK)
		set_text(x, FEED_LINK, text);
	else if (field < FEED_NTEXTS && e->texts[field] == NULL) {
		e->texts[field] = text;
		e->markup[field] = x->markup;
	}
}

static int
on_end(void *arg, const char *ns, const char *name)
{
	struct reading *x = arg;

	(void)ns;
	if (x->field != NOTHING && x->depth == x->field_depth) {
		take_field(x);
		x->field = NOTHING;
	} else if (x->field != NOTHING && x->inlined && x->text.len < MAX_FIELD) {
		strbuf_addf(&x->text, "</%s>", name);
	}
	if (x->depth == x->author_depth)
		x->author_depth = 0;
	if (x->depth == x->entry_depth) {
		feed_take_entry(x->r, &x->entry);
		arena_reset(&x->scratch);
		x->entry_depth = 0;
	}
	x->depth--;
	return x->r->f->nomem || x->r->nentries >= MAX_ENTRIES;
}

int
feed_read_xml(struct feed_reading *r, const struct source_answer *answer, struct error *err)
{
	static const struct xml_handler handler = { on_start, on_end, on_text };
	struct arena a;
	struct reading *x;
	struct xml_report report;
	int rc;

	arena_init(&a, 2 * sizeof(*x));
	if ((x = arena_zalloc(&a, sizeof(*x))) == NULL)
		return err_nomem(err, "feed");
	x->r = r;
	x->field = NOTHING;
	arena_init(&x->scratch, 16 * (size_t)MAX_FIELD);
	strbuf_init(&x->text, 6 * (size_t)MAX_FIELD);
	rc = xml_read(answer->bytes, answer->len, answer->content_type, &handler, x, &report, err);
	if (rc == 0 && x->root_is_wrong)
		rc = err_set(
		    err, ERR_DATA, "'<%s>'; expected a feed (RSS, Atom or JSON Feed)", x->root);
	if (rc == 0) {
		r->f->nreplaced += report.nreplaced;
		snprintf(r->batch->fault, sizeof(r->batch->fault), "%s", report.fault);
	}
	strbuf_release(&x->text);
	arena_release(&x->scratch);
	arena_release(&a);
	return rc;
}
