#include "config/load.h"
#include "digest/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool
is_filter(const struct config_item *it)
{
	return strcmp(it->name, config_reader_filter.name) == 0;
}

const char *
config_block_title(const struct config_setting *set, const struct config_block *block,
    const struct config_item *it)
{
	bool wants = block->title[0] != '\0';

	if (!wants && it->has_title)
		config_complain_at(set, it->title.place,
		    "the block %s has the title \"%.60s\"; expected none", block->name,
		    it->title.text);
	else if (wants && (!it->has_title || it->title.text[0] == '\0'))
		config_complain_at(set, it->place,
		    "the block %s has no title; expected %s \"%s\" {", block->name, block->name,
		    block->title);
	else if (wants && strlen(it->title.text) > MAX_NAME_BYTES &&
	    strcmp(block->title, config_reader_filter.title) == 0)
		config_complain_at(set, it->title.place, "a name of %zu bytes; expected at most %u",
		    strlen(it->title.text), MAX_NAME_BYTES);
	return wants && it->has_title ? it->title.text : "";
}

const struct filter *
config_find_shared(const struct config_text *text, const char *name)
{
	char key[MAX_NAME_BYTES + 40];
	uint64_t i;
	int n = snprintf(key, sizeof(key), "%s %s", config_reader_filter.name, name);

	if (n < 0 || (size_t)n >= sizeof(key) || !map_get(&text->names, key, (size_t)n, &i))
		return NULL;
	return text->given[i]->record;
}

void
config_complain_no_shared(const struct config_setting *set, const struct config_text *text,
    struct config_place place, const char *name)
{
	const char **names, *near = NULL;
	size_t n = 0;

	if (set->complain == NULL)
		return;
	names = calloc(text->ngiven + 1, sizeof(*names));
	for (size_t i = 0; names != NULL && i < text->ngiven; i++)
		if (strcmp(text->given[i]->block->name, config_reader_filter.name) == 0)
			names[n++] = text->given[i]->title;
	if (names != NULL)
		near = text_nearest(name, names);
	if (near != NULL)
		config_complain_at(
		    set, place, "no shared filter '%.60s'; did you mean '%.60s'?", name, near);
	else
		config_complain_at(set, place,
		    "no shared filter '%.60s'; expected a block filter \"%.60s\" outside of "
		    "readers, or match "
		    "= a query here",
		    name, name);
	free(names);
}

int
config_skip_block(struct config_parser *p, struct config_item *next, struct error *err)
{
	unsigned inside = p->depth;
	int more;

	while (p->depth >= inside) {
		if ((more = config_parser_next(p, next, err)) <= 0)
			return more;
		if (next->kind == ITEM_OPEN && config_find_block(next->name) != NULL &&
		    !is_filter(next)) {
			config_parser_to_top(p, next);
			return 1;
		}
	}
	return 0;
}

static struct filter *
append_filter(const struct config_setting *set, struct config_filters *filters,
    const struct config_item *it, struct error *err)
{
	struct filter *f;

	if (filters->n == MAX_READER_FILTERS)
		config_complain_at(
		    set, it->place, "one filter too many; expected at most %d", MAX_READER_FILTERS);
	if (filters->n == filters->room) {
		size_t room = filters->room == 0 ? 4 : 2 * filters->room;
		struct filter *list = arena_array(set->arena, room, sizeof(*list));

		if (list == NULL) {
			err_nomem(err, "configuration");
			return NULL;
		}
		if (filters->n > 0)
			memcpy(list, filters->list, filters->n * sizeof(*list));
		filters->list = list;
		filters->room = room;
	}
	f = &filters->list[filters->n];
	memset(f, 0, sizeof(*f));
	if (filters->n < MAX_READER_FILTERS)
		filters->n++;
	f->name = config_block_title(set, &config_reader_filter, it);
	f->file = set->path;
	f->line = it->place.line;
	f->column = it->place.column;
	f->match = f->when = "";
	for (size_t i = 0; f->name[0] != '\0' && i + 1 < filters->n; i++)
		if (strcmp(filters->list[i].name, f->name) == 0)
			config_complain_at(set, it->place,
			    "the filter \"%.60s\" stands already on line %u", f->name,
			    filters->list[i].line);
	return f;
}

/* A filter inside a subscriber block; without match it is the shared one of that name. */
static int
read_filter(const struct config_setting *set, struct config_parser *p, const struct config_item *it,
    struct config_filters *filters, struct config_item *next, struct error *err)
{
	const int match = config_find_key(&config_reader_filter, "match");
	const int sort = config_find_key(&config_reader_filter, "sort");
	const int when = config_find_key(&config_reader_filter, "when");
	struct config_place places[CONFIG_MAX_KEYS] = { { 0, 0 } };
	uint32_t before = p->lx.ncomplaints;
	const struct filter *shared;
	struct filter *f;
	int rc;

	if ((f = append_filter(set, filters, it, err)) == NULL ||
	    (rc = config_read_block(
		 set, p, &config_reader_filter, f, places, NULL, NULL, next, err)) == -1)
		return -1;
	f->sort_given = places[sort].line != 0;
	if (strcmp(f->when, "always") == 0)
		config_complain_at(set, places[when],
		    "when: found \"always\"; expected days for a filter, as in 'mon 08:00', or "
		    "always as the reader's when");
	/* A match that cannot be read is said to be wrong, not to be missing. */
	if (places[match].line != 0 || f->name[0] == '\0' || p->lx.ncomplaints != before)
		return rc;
	shared = config_find_shared(filters->text, f->name);
	if (shared == NULL) {
		config_complain_no_shared(set, filters->text, it->place, f->name);
		return rc;
	}
	f->match = shared->match;
	f->file = shared->file;
	f->line = shared->line;
	f->column = shared->column;
	if (f->limit == 0)
		f->limit = shared->limit;
	if (!f->sort_given) {
		f->sort = shared->sort;
		f->sort_given = shared->sort_given;
	}
	return rc;
}

static int
read_key(const struct config_setting *set, const struct config_block *block,
    const struct config_item *it, void *record, struct config_place *places, bool *literal_secret,
    struct error *err)
{
	size_t n;
	const struct config_key_info *rows = config_block_keys(block, &n);
	int i = config_find_key(block, it->name);

	if (i == -1) {
		config_complain_unknown(set, block, it);
		return 0;
	}
	if (places[i].line != 0) {
		config_complain_at(set, it->place,
		    "duplicate key '%s'; it stands already on line %u", it->name, places[i].line);
		return 0;
	}
	places[i] = it->place;
	if (rows[i].kind == KIND_SECRET && literal_secret != NULL && it->nvalues == 1)
		*literal_secret = !it->values[0].has_env;
	return config_set_key(set, &rows[i], it, record, err);
}

/* A block inside a block: a reader's filter, one of the top level because a brace is missing, or a mistake. */
static int
read_inner(const struct config_setting *set, struct config_parser *p,
    const struct config_block *block, const struct config_item *it, struct config_filters *filters,
    struct config_item *next, struct error *err)
{
	if (filters != NULL && is_filter(it))
		return read_filter(set, p, it, filters, next, err);
	if (config_find_block(it->name) != NULL && !(p->depth > 2 && is_filter(it))) {
		config_parser_to_top(p, it);
		*next = *it;
		return 1;
	}
	if (is_filter(it))
		config_complain_at(set, it->place,
		    "'filter' inside the block %s opened on line %u; expected '}' before it",
		    p->open[p->depth - 2].name, p->open[p->depth - 2].line);
	else
		config_complain_unknown(set, block, it);
	return config_skip_block(p, next, err);
}

int
config_read_block(const struct config_setting *set, struct config_parser *p,
    const struct config_block *block, void *record, struct config_place *places,
    bool *literal_secret, struct config_filters *filters, struct config_item *next,
    struct error *err)
{
	struct config_item it;
	int more, rc;

	while ((more = config_parser_next(p, &it, err)) == 1) {
		rc = 0;
		switch (it.kind) {
		case ITEM_CLOSE:
			return 0;
		case ITEM_KEY:
			rc = read_key(set, block, &it, record, places, literal_secret, err);
			break;
		case ITEM_OPEN:
			rc = read_inner(set, p, block, &it, filters, next, err);
			break;
		case ITEM_INCLUDE:
			config_complain_at(set, it.place,
			    "include inside the block %s; expected it outside of blocks",
			    block->name);
			break;
		}
		if (rc != 0)
			return rc;
	}
	return more;
}
