/* JSON Feed 1 and 1.1 (jsonfeed.org/version/1.1). */
#include "feed.h"

#include <string.h>

static const char expected[] = "a feed (RSS, Atom or JSON Feed)";

/* An author as an object with a name, or as the bare name of a feed that got it wrong. */
static void
add_author(struct feed_entry *e, const json_t *author)
{
	const char *name =
	    json_is_string(author) ? json_string_value(author) : json_get_string(author, "name");

	if (name != NULL && name[0] != '\0' && e->nauthors < MAX_AUTHORS)
		e->authors[e->nauthors++] = name;
}

static void
take_authors(struct feed_entry *e, const json_t *object)
{
	const json_t *authors = json_get_array(object, "authors");

	for (size_t i = 0; i < json_array_size(authors); i++)
		add_author(e, json_array_get(authors, i));
	if (e->nauthors == 0)
		add_author(e, json_get_object(object, "author"));
}

static void
take_lists(struct feed_entry *e, const json_t *item)
{
	const json_t *tags = json_get_array(item, "tags"),
		     *files = json_get_array(item, "attachments");

	for (size_t i = 0; i < json_array_size(tags) && e->ncategories < MAX_LIST; i++) {
		const char *tag = json_string_value(json_array_get(tags, i));

		if (tag != NULL)
			e->categories[e->ncategories++] = tag;
	}
	for (size_t i = 0; i < json_array_size(files) && e->texts[FEED_PDF] == NULL; i++) {
		const json_t *file = json_array_get(files, i);
		const char *type = json_get_string(file, "mime_type");

		if (type != NULL && strcmp(type, "application/pdf") == 0)
			e->texts[FEED_PDF] = json_get_string(file, "url");
	}
}

/* Ids are strings since version 1.1 and were anything before. */
static const char *
id_of(struct feed_reading *r, const json_t *item)
{
	const json_t *id = json_object_get(item, "id");
	const char *text;

	if (!json_is_integer(id))
		return json_string_value(id);
	text = arena_printf(r->f->arena, "%lld", (long long)json_integer_value(id));
	r->f->nomem |= text == NULL;
	return text;
}

static void
take_item(struct feed_reading *r, struct feed_entry *e, const json_t *item, const json_t *feed)
{
	const char *html = json_get_string(item, "content_html");

	memset(e->texts, 0, sizeof(e->texts));
	memset(e->markup, 0, sizeof(e->markup));
	e->nauthors = e->ncategories = 0;
	e->base = "";
	e->texts[FEED_ID] = id_of(r, item);
	e->texts[FEED_LINK] = json_get_string(item, "url");
	if (e->texts[FEED_LINK] == NULL)
		e->texts[FEED_LINK] = json_get_string(item, "external_url");
	e->texts[FEED_TITLE] = json_get_string(item, "title");
	e->texts[FEED_SUMMARY] = json_get_string(item, "summary");
	e->texts[FEED_CONTENT] = html != NULL ? html : json_get_string(item, "content_text");
	e->markup[FEED_TITLE] = e->markup[FEED_SUMMARY] = MARKUP_PLAIN;
	e->markup[FEED_CONTENT] = html != NULL ? MARKUP_HTML : MARKUP_PLAIN;
	e->texts[FEED_PUBLISHED] = json_get_string(item, "date_published");
	e->texts[FEED_UPDATED] = json_get_string(item, "date_modified");
	e->texts[FEED_IMAGE] = json_get_string(item, "image");
	take_authors(e, item);
	if (e->nauthors == 0)
		take_authors(e, feed);
	take_lists(e, item);
	feed_take_entry(r, e);
}

int
feed_read_json(struct feed_reading *r, const struct source_answer *answer, struct error *err)
{
	struct feed_entry *e = arena_zalloc(r->f->arena, sizeof(*e));
	const json_t *items;
	json_t *root = NULL;
	const char *version, *text;
	size_t len;
	int rc = -1;

	if (e == NULL)
		return err_nomem(err, "feed");
	if (fields_read_json(r->f, answer->bytes, answer->len, MAX_JSON_BYTES, &root, err) == -1)
		return err_prefix(err, "expected %s", expected);
	version = json_get_string(root, "version");
	items = json_get_array(root, "items");
	if (version == NULL || strstr(version, "jsonfeed.org/version/") == NULL) {
		err_set(
		    err, ERR_DATA, "JSON without 'version' of jsonfeed.org; expected %s", expected);
	} else if (items == NULL) {
		err_set(err, ERR_DATA, "items is missing or no array; expected %s", expected);
	} else {
		text = json_get_text(root, "title", &len);
		r->title = field_plain(r->f, text, len, MAX_NAME_BYTES);
		text = json_get_text(root, "language", &len);
		r->language = field_plain(r->f, text, len, MAX_NAME_BYTES);
		for (size_t i = 0; i < json_array_size(items) && !r->f->nomem; i++)
			take_item(r, e, json_array_get(items, i), root);
		rc = 0;
	}
	json_decref(root);
	return rc;
}
