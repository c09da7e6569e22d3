#include "digest/source.h"

#include "digest/limits.h"
#include "digest/text.h"
#include "types.h"

#include <stdio.h>
#include <string.h>

static const struct source_type types[] = {
	{
	    .name = "huggingface",
	    .title = "Hugging Face",
	    .help = "Daily Papers of huggingface.co, with votes, comments and stars",
	    .base_url = HUGGINGFACE_BASE,
	    .interval_s = HUGGINGFACE_INTERVAL_S,
	    .settle_s = 12 * 3600,
	    .service = "",
	    .request_gap_ms =
		200, /* 500 requests in 5 minutes are allowed; a back-fill waits longer */
	    .plan = huggingface_plan,
	    .read = huggingface_read,
	    .status = huggingface_status,
	},
	{
	    .name = "arxiv",
	    .title = "arXiv",
	    .help = "announcements of arxiv.org by category, with comments and code links",
	    .base_url = "https://rss.arxiv.org",
	    .interval_s = ARXIV_INTERVAL_S,
	    .service = "arxiv.org",
	    .request_gap_ms = 3000, /* its terms of use: over all of its hosts */
	    .plan = arxiv_plan,
	    .read = arxiv_read,
	    .status = arxiv_status,
	    .ask_paper = arxiv_ask_paper,
	    .brings = arxiv_brings,
	},
	{
	    .name = "feed",
	    .help = "a feed of any site (RSS, Atom, JSON Feed), or a page that names one",
	    .base_url = "",
	    .interval_s = FEED_INTERVAL_S,
	    .service = "",
	    .request_gap_ms = 1000,
	    .plan = feed_plan,
	    .read = feed_read,
	    .status = feed_status,
	},
	{
	    .name = "file",
	    .help = "files on this machine: JSON lines, or saved answers of the other types",
	    .base_url = "",
	    .service = "",
	    .plan = files_plan,
	    .read = files_read,
	    .status = files_status,
	},
	{
	    .name = "command",
	    .help = "a program of yours that prints JSON lines",
	    .base_url = "",
	    .interval_s = 3600,
	    .service = "",
	    .plan = command_plan,
	    .read = command_read,
	    .status = command_status,
	},
};

enum { NTYPES = sizeof(types) / sizeof(types[0]), MAX_TITLE_CATEGORIES = 4 };

const struct source_type *
source_type_at(size_t i)
{
	return i < NTYPES ? &types[i] : NULL;
}

static void
list_types(char *out, size_t size)
{
	size_t len = 0;

	for (size_t i = 0; i < NTYPES && len < size; i++)
		len += (size_t)snprintf(
		    out + len, size - len, "%s%s", i > 0 ? ", " : "", types[i].name);
}

const struct source_type *
source_type_find(const char *name, struct error *err)
{
	const char *names[NTYPES + 1], *near;
	char list[256];

	for (size_t i = 0; i < NTYPES; i++) {
		if (strcmp(types[i].name, name) == 0)
			return &types[i];
		names[i] = types[i].name;
	}
	names[NTYPES] = NULL;
	near = text_nearest(name, names);
	list_types(list, sizeof(list));
	if (near != NULL)
		err_set(err, ERR_CONFIG, "type '%s' is not known; did you mean '%s'?", name, near);
	else
		err_set(err, ERR_CONFIG, "type '%s' is not known; expected one of %s", name, list);
	return NULL;
}

const char *
source_title(const struct config_source *source, struct arena *a)
{
	const struct source_type *type = source_type_find(source->type, NULL);
	const char *title;
	struct strbuf sb;

	if (type == NULL || type->title == NULL || strcmp(source->name, type->name) != 0)
		return source->name;
	if (source->ncategories == 0)
		return type->title;
	strbuf_init(&sb, MAX_URL_BYTES);
	strbuf_addf(&sb, source->ncategories == 1 ? "%s " : "%s (", type->title);
	for (size_t i = 0; i < source->ncategories && i < MAX_TITLE_CATEGORIES; i++)
		strbuf_addf(&sb, "%s%s", i > 0 ? ", " : "", source->categories[i]);
	if (source->ncategories > MAX_TITLE_CATEGORIES)
		strbuf_add(&sb, ", …");
	if (source->ncategories > 1)
		strbuf_add(&sb, ")");
	title = strbuf_check(&sb, NULL) == 0 ? arena_strndup(a, sb.buf, sb.len) : NULL;
	strbuf_release(&sb);
	return title;
}

const struct source_page *
source_find_page(const struct source_progress *progress, const char *key)
{
	size_t low = 0, high = progress->npages;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(progress->pages[middle].key, key);

		if (order == 0)
			return &progress->pages[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

bool
source_is_due(int64_t last_utc, int64_t wait_s, int64_t now_utc)
{
	return last_utc > now_utc || now_utc - last_utc >= wait_s - wait_s / 20;
}
