/* One key of a reader, from elsewhere than a file. */
#include "config/load.h"
#include "digest/utf8.h"

#include <string.h>

static void
keep_message(void *arg, struct config_place place, const char *message, const char *shown)
{
	struct error *err = arg;

	(void)place;
	(void)shown;
	if (err->kind == ERR_NONE)
		err_set(err, ERR_DATA, "%s", message);
}

/* What no file could say is no value either. */
static bool
is_text(const char *text)
{
	for (const char *p = text; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return false;
	return utf8_is_valid(text, strlen(text));
}

static const struct config_key_info *
find_row(const struct config_block *block, const char *key)
{
	const struct config_key_info *rows;
	int i = config_find_key(block, key);
	size_t n;

	rows = config_block_keys(block, &n);
	return i == -1 || rows[i].kind == KIND_USE || rows[i].kind == KIND_QUERY ||
		strcmp(key, "was") == 0
	    ? NULL
	    : &rows[i];
}

static int
set_key(const struct config *cfg, const struct config_block *block, const char *key,
    const char *text, struct arena *a, void *record, struct error *err)
{
	const struct config_key_info *row = find_row(block, key);
	struct error wrong = { .kind = ERR_NONE };
	struct config_scalar value = {
		.spelling = SPELT_RAW, .plain = true, .place = { 1, 1 }, .end = strlen(text)
	};
	const struct config_item it = {
		.kind = ITEM_KEY, .name = key, .place = { 1, 1 }, .values = &value, .nvalues = 1
	};
	struct config_setting set = { .path = "",
		.checks = &cfg->text->checks,
		.arena = a,
		.zones = &cfg->text->zones,
		.complain = keep_message,
		.arg = &wrong };

	if (row == NULL)
		return err_set(err, ERR_DATA, "'%.60s' is no key of a %s", key, block->name);
	if (!is_text(text))
		return err_set(err, ERR_DATA,
		    "%s: a control character, or not UTF-8; expected one line of text", key);
	if ((set.bytes = value.text = arena_strdup(a, text)) == NULL)
		return err_nomem(err, "reader");
	if (config_set_key(&set, row, &it, record, err) == -1)
		return -1;
	if (wrong.kind == ERR_NONE)
		return 0;
	if (err != NULL)
		*err = wrong;
	return -1;
}

int
config_set_reader_key(const struct config *cfg, const char *key, const char *text, struct arena *a,
    struct subscriber *out, struct error *err)
{
	struct config_reader r = { .sub = *out };

	if (set_key(cfg, config_find_block("subscriber"), key, text, a, &r, err) == -1)
		return -1;
	*out = r.sub;
	return 0;
}

int
config_set_filter_key(const struct config *cfg, const char *key, const char *text, struct arena *a,
    struct filter *out, struct error *err)
{
	return set_key(cfg, &config_reader_filter, key, text, a, out, err);
}
