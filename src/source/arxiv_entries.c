/* Entries of arXiv's announcements (RSS 2.0 or Atom) and of its query API (Atom). Their elements have few names and
 * mean the same everywhere, so one table serves all three. */
#include "arxiv.h"
#include "fields.h"
#include "xml.h"
#include "digest/limits.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	MAX_FIELD = 512 * 1024, /* 5,000 authors in one element */
	MAX_ENTRIES = 100000,
};

/* What else stands in an entry, more than once, or in the list around it. */
enum {
	CATEGORY = ARXIV_NTEXTS,
	AUTHOR,
	TOTAL, /* these stand in the list alone */
	START,
	BUILT,
	NOTHING,
};

static const struct {
	const char *ns, *name;
	unsigned field;
} elements[] = {
	{ "", "guid", ARXIV_ID },
	{ "atom", "id", ARXIV_ID },
	{ "", "link", ARXIV_LINK },
	{ "", "title", ARXIV_TITLE },
	{ "atom", "title", ARXIV_TITLE },
	{ "", "description", ARXIV_ABSTRACT },
	{ "atom", "summary", ARXIV_ABSTRACT },
	{ "", "pubDate", ARXIV_PUBLISHED },
	{ "atom", "published", ARXIV_PUBLISHED },
	{ "atom", "updated", ARXIV_UPDATED },
	{ "arxiv", "announce_type", ARXIV_KIND },
	{ "dc", "creator", ARXIV_CREATORS },
	{ "arxiv", "comment", ARXIV_COMMENT },
	{ "arxiv", "journal_ref", ARXIV_JOURNAL },
	{ "arxiv", "journal_reference", ARXIV_JOURNAL },
	{ "arxiv", "doi", ARXIV_DOI },
	{ "arxiv", "DOI", ARXIV_DOI },
	{ "arxiv", "primary_category", ARXIV_PRIMARY },
	{ "", "category", CATEGORY },
	{ "atom", "category", CATEGORY },
	{ "atom", "name", AUTHOR },
	{ "opensearch", "totalResults", TOTAL },
	{ "opensearch", "startIndex", START },
	{ "", "lastBuildDate", BUILT },
};

struct reading {
	struct fields *f;
	const char *source;
	struct arxiv_list *list;
	struct source_batch *batch;
	struct arena scratch; /* of one entry */
	struct strbuf text;   /* of the element at hand */
	struct arxiv_entry entry;
	unsigned field;				/* being read, NOTHING = none */
	size_t depth, field_depth, entry_depth; /* entry_depth 0 = outside of entries */
	bool root_is_wrong;
	char root[40];
};

static bool
is_entry(const char *ns, const char *name)
{
	return (ns[0] == '\0' && strcmp(name, "item") == 0) ||
	    (strcmp(ns, "atom") == 0 && strcmp(name, "entry") == 0);
}

static unsigned
find_field(const char *ns, const char *name)
{
	for (size_t i = 0; i < sizeof(elements) / sizeof(elements[0]); i++)
		if (strcmp(elements[i].name, name) == 0 && strcmp(elements[i].ns, ns) == 0)
			return elements[i].field;
	return NOTHING;
}

/* The depth at which a field stands: an author's name one below, those of the list around all entries. */
static bool
is_in_place(const struct reading *r, unsigned field)
{
	if (field >= TOTAL)
		return r->entry_depth == 0;
	if (r->entry_depth == 0)
		return field == ARXIV_PUBLISHED || field == ARXIV_UPDATED;
	return r->depth == r->entry_depth + (field == AUTHOR ? 2 : 1);
}

static int
on_start(void *arg, const char *ns, const char *name, const struct xml_tag *tag)
{
	struct reading *r = arg;
	const char *term;
	unsigned field;

	if (r->depth++ == 0) {
		r->root_is_wrong = strcmp(name, "rss") != 0 && strcmp(name, "feed") != 0;
		snprintf(r->root, sizeof(r->root), "%s", name);
		return r->root_is_wrong;
	}
	if (r->entry_depth == 0 && is_entry(ns, name)) {
		memset(r->entry.texts, 0, sizeof(r->entry.texts));
		r->entry.ncategories = r->entry.nauthors = 0;
		r->entry_depth = r->depth;
		return 0;
	}
	field = r->field == NOTHING ? find_field(ns, name) : NOTHING;
	if (field == NOTHING || !is_in_place(r, field))
		return 0;
	r->field = field;
	r->field_depth = r->depth;
	strbuf_reset(&r->text);
	if ((field == CATEGORY || field == ARXIV_PRIMARY) &&
	    (term = xml_attribute(tag, "", "term")) != NULL)
		strbuf_addn(&r->text, term, strnlen(term, MAX_NAME_BYTES));
	return 0;
}

static int
on_text(void *arg, const char *text, size_t len)
{
	struct reading *r = arg;
	size_t room = MAX_FIELD - r->text.len;

	if (r->field != NOTHING)
		strbuf_addn(&r->text, text, len < room ? len : room);
	return r->f->nomem;
}

/* A text without blanks around it; NULL when memory is short. */
static const char *
take_text(struct reading *r)
{
	const char *text = r->text.buf;
	size_t len = r->text.len;
	char *copy;

	while (len > 0 && isspace((unsigned char)text[0]))
		text++, len--;
	while (len > 0 && isspace((unsigned char)text[len - 1]))
		len--;
	copy = r->text.state == STRBUF_OK ? arena_strndup(&r->scratch, text, len) : NULL;
	r->f->nomem |= copy == NULL;
	return copy;
}

static int64_t
parse_count(const char *text)
{
	char *end;
	long long n;

	errno = 0;
	n = strtoll(text, &end, 10);
	return end == text || errno != 0 || n < 0 ? -1 : n;
}

/* What the list says of itself. */
static void
take_list_field(struct reading *r, const char *text)
{
	struct arxiv_list *list = r->list;

	if (r->field == TOTAL)
		list->total = parse_count(text);
	else if (r->field == START)
		list->start = parse_count(text);
	else if (r->field == ARXIV_PUBLISHED)
		list->published_utc = arxiv_time(text);
	else
		list->made_utc = arxiv_time(text);
}

static void
take_entry_field(struct reading *r, const char *text)
{
	struct arxiv_entry *e = &r->entry;

	if (r->field == CATEGORY && e->ncategories < MAX_LIST)
		e->categories[e->ncategories++] = text;
	else if (r->field == AUTHOR && e->nauthors < MAX_AUTHORS)
		e->authors[e->nauthors++] = text;
	else if (r->field < ARXIV_NTEXTS && e->texts[r->field] == NULL)
		e->texts[r->field] = text;
}

/* One more, in arrays that double. */
static void
keep_paper(struct reading *r, struct paper *p, bool announced)
{
	struct arxiv_list *list = r->list;

	if (list->n == list->nalloc) {
		size_t nalloc = list->nalloc > 0 ? 2 * list->nalloc : 64;
		struct paper **papers = arena_array(r->f->arena, nalloc, sizeof(*papers));
		bool *flags = arena_array(r->f->arena, nalloc, sizeof(*flags));

		if (papers == NULL || flags == NULL) {
			r->f->nomem = true;
			return;
		}
		if (list->n > 0) {
			memcpy(papers, list->papers, list->n * sizeof(*papers));
			memcpy(flags, list->announced, list->n * sizeof(*flags));
		}
		list->papers = papers;
		list->announced = flags;
		list->nalloc = nalloc;
	}
	list->papers[list->n] = p;
	list->announced[list->n++] = announced;
}

static void
take_entry(struct reading *r)
{
	const struct arxiv_entry *e = &r->entry;
	const char *why = "", *said = e->texts[ARXIV_ABSTRACT];
	bool announced = false;
	struct paper *p;

	r->list->nentries++;
	if (e->texts[ARXIV_ID] != NULL && strstr(e->texts[ARXIV_ID], "/api/errors") != NULL) {
		snprintf(r->list->said, sizeof(r->list->said), "%s",
		    said != NULL && said[0] != '\0' ? said : "an error it does not explain");
		return;
	}
	p = arxiv_make_paper(r->f, r->source, e, &announced, &why);
	if (p != NULL)
		keep_paper(r, p, announced);
	else if (!r->f->nomem)
		batch_add_broken(r->batch, "entry %zu: %s", r->list->nentries, why);
}

static int
on_end(void *arg, const char *ns, const char *name)
{
	struct reading *r = arg;

	(void)ns;
	(void)name;
	if (r->field != NOTHING && r->depth == r->field_depth) {
		const char *text = take_text(r);

		if (text != NULL && r->entry_depth == 0)
			take_list_field(r, text);
		else if (text != NULL)
			take_entry_field(r, text);
		r->field = NOTHING;
	}
	if (r->depth == r->entry_depth) {
		take_entry(r);
		arena_reset(&r->scratch);
		r->entry_depth = 0;
	}
	r->depth--;
	return r->f->nomem || r->list->nentries >= MAX_ENTRIES;
}

int
arxiv_read_list(struct fields *f, const char *source, const struct source_answer *answer,
    struct arxiv_list *out, struct source_batch *batch, struct error *err)
{
	static const struct xml_handler handler = { on_start, on_end, on_text };
	struct reading r = { .f = f, .list = out, .batch = batch, .field = NOTHING };
	struct xml_report report;
	int rc = -1;

	*out = (struct arxiv_list){ .total = -1, .start = -1 };
	arena_init(&r.scratch, 8 * (size_t)MAX_FIELD);
	strbuf_init(&r.text, MAX_FIELD);
	r.source = arena_strdup(f->arena, source);
	if (r.source == NULL ||
	    xml_read(answer->bytes, answer->len, answer->content_type, &handler, &r, &report,
		err) == -1) {
		err_prefix(err, "expected a feed of arXiv");
		goto out;
	}
	if (f->nomem) {
		err_nomem(err, "papers");
		goto out;
	}
	if (r.root_is_wrong) {
		err_set(err, ERR_DATA, "'<%s>'; expected a feed of arXiv", r.root);
		goto out;
	}
	f->nreplaced += report.nreplaced;
	snprintf(batch->fault, sizeof(batch->fault), "%s", report.fault);
	rc = 0;
out:
	strbuf_release(&r.text);
	arena_release(&r.scratch);
	return rc;
}
