#include "config/load.h"
#include "digest/date.h"

#include <string.h>

void
config_add_quoted(struct strbuf *out, const char *text)
{
	strbuf_addc(out, '"');
	for (; *text != '\0'; text++) {
		if (*text == '\n' || *text == '\t') {
			strbuf_add(out, *text == '\n' ? "\\n" : "\\t");
			continue;
		}
		if (*text == '"' || *text == '\\' || *text == '$')
			strbuf_addc(out, '\\');
		strbuf_addc(out, *text);
	}
	strbuf_addc(out, '"');
}

void
config_add_literal(struct strbuf *out, const char *path)
{
	for (; *path != '\0'; path++) {
		if (strchr("*?[\\", *path) != NULL)
			strbuf_addc(out, '\\');
		strbuf_addc(out, *path);
	}
}

static void
add_list(struct strbuf *out, const char *const *texts, size_t n)
{
	strbuf_add(out, "{");
	for (size_t i = 0; i < n; i++) {
		strbuf_add(out, i > 0 ? ", " : "");
		config_add_quoted(out, texts[i]);
	}
	strbuf_add(out, "}");
}

/* With the largest unit that leaves no rest. */
static void
add_units(struct strbuf *out, int64_t n, bool is_size)
{
	static const struct {
		int64_t worth;
		const char *name;
	} sizes[] = { { 1 << 30, "G" }, { 1 << 20, "M" }, { 1 << 10, "K" }, { 1, "" } },
	  times[] = { { 86400, "d" }, { 3600, "h" }, { 60, "m" }, { 1, "s" } };
	size_t i = 0;

	while (i < 3 && (n == 0 || n % (is_size ? sizes : times)[i].worth != 0))
		i++;
	strbuf_addf(out, "%lld%s", (long long)(n / (is_size ? sizes : times)[i].worth),
	    (is_size ? sizes : times)[i].name);
}

static void
add_number(struct strbuf *out, const struct config_key_info *key, const void *at)
{
	char day[DATE_RFC3339_SIZE];
	const char *word;
	unsigned choice;
	size_t len;

	switch (key->kind) {
	case KIND_ENUM:
	case KIND_BOOL:
		choice = key->kind == KIND_ENUM ? *(const unsigned *)at : !*(const bool *)at;
		if ((word = config_choice(key->type, choice, &len)) != NULL)
			strbuf_addn(out, word, len);
		break;
	case KIND_NUMBER:
		strbuf_addf(out, "%u", *(const uint32_t *)at);
		break;
	case KIND_DURATION:
	case KIND_SIZE:
		add_units(out, *(const int64_t *)at, key->kind == KIND_SIZE);
		break;
	case KIND_REAL:
		strbuf_addf(out, "%g", *(const double *)at);
		break;
	case KIND_DAY:
		date_format_day(*(const int32_t *)at, day);
		strbuf_add(out, day);
		break;
	default:
		break;
	}
}

static bool
is_text(const struct config_key_info *key)
{
	return key->kind <= KIND_CHOICE || key->kind == KIND_QUERY;
}

/* Nothing was said and there is no default. */
static bool
is_unset(const struct config_key_info *key, const void *at)
{
	if (key->count_at != 0 || key->def[0] != '\0')
		return false;
	switch (key->kind) {
	case KIND_NUMBER:
		return *(const uint32_t *)at == 0;
	case KIND_DAY:
		return *(const int32_t *)at == 0;
	case KIND_DURATION:
		return *(const int64_t *)at == -1;
	default:
		return is_text(key) && (*(const char *const *)at)[0] == '\0';
	}
}

static void
add_value(struct strbuf *out, const struct config_key_info *key, const char *record)
{
	const void *at = record + key->at;
	size_t n = key->count_at != 0 ? *(const size_t *)(const void *)(record + key->count_at) : 0;
	const struct config_reader *reader;

	if (key->kind == KIND_SECRET) {
		strbuf_add(out, "\"(hidden)\"");
	} else if (key->kind == KIND_USE) {
		reader = (const void *)record;
		strbuf_add(out, "{");
		for (size_t i = 0; i < n; i++) {
			strbuf_add(out, i > 0 ? ", " : "");
			config_add_quoted(out, reader->use[i].text);
		}
		strbuf_add(out, "}");
	} else if (key->count_at != 0) {
		add_list(out, *(const char *const *const *)at, n);
	} else if (is_text(key)) {
		config_add_quoted(out, *(const char *const *)at);
	} else {
		add_number(out, key, at);
	}
}

/* given	NULL: the block is in no file */
static void
add_block(struct strbuf *out, const struct config_block *block, const char *title,
    const void *record, const struct config_given *given)
{
	size_t n;
	const struct config_key_info *rows = config_block_keys(block, &n);

	strbuf_addf(out, "\n%s ", block->name);
	if (block->title[0] != '\0') {
		config_add_quoted(out, title);
		strbuf_addc(out, ' ');
	}
	strbuf_add(out, "{\n");
	for (size_t i = 0; i < n; i++) {
		uint32_t line = given != NULL ? given->places[i].line : 0;

		if (config_find_key(block, rows[i].name) == -1 ||
		    is_unset(&rows[i], (const char *)record + rows[i].at))
			continue;
		strbuf_addf(out, "\t%s = ", rows[i].name);
		add_value(out, &rows[i], record);
		if (line > 0)
			strbuf_addf(out, "\t# %s:%u\n", given->file->path, line);
		else
			strbuf_add(out, "\t# default\n");
	}
	strbuf_add(out, "}\n");
}

/* All blocks of one kind that are in the files. Returns how many. */
static size_t
add_given(struct strbuf *out, const struct config *cfg, const struct config_block *block)
{
	const struct config_text *text = cfg->text;
	size_t found = 0;

	for (size_t i = 0; i < text->ngiven; i++) {
		const struct config_given *g = text->given[i];

		if (strcmp(g->block->name, block->name) != 0)
			continue;
		add_block(out, block, g->title, g->record, g);
		found++;
	}
	return found;
}

void
config_add_effective(struct strbuf *out, const struct config *cfg)
{
	strbuf_addf(out, "# the settings in force of %s", cfg->path);
	for (size_t i = 1; i < cfg->text->nfiles; i++)
		strbuf_addf(out, ", %s", cfg->text->files[i]->path);
	strbuf_addf(out, "\n# %zu blocks of subscribers, not shown\n", cfg->nreaders);
	for (const struct config_block *b = config_blocks; b->name != NULL; b++) {
		if (strcmp(b->name, "subscriber") == 0 || add_given(out, cfg, b) > 0)
			continue;
		if (b->size == 0)
			add_block(out, b, "", cfg, NULL);
		else if (strcmp(b->name, "defaults") == 0)
			add_block(out, b, "", &cfg->text->defaults, NULL);
		else if (strcmp(b->name, "smtp") == 0)
			add_block(out, b, cfg->smtps[0].name, &cfg->smtps[0], NULL);
		else if (strcmp(b->name, "source") == 0)
			add_block(out, b, cfg->sources[0].name, &cfg->sources[0], NULL);
	}
}

/* ---- readers ---- */

/* What a command can say of a reader; use and was are only the parser's. */
static bool
is_of_reader(const struct config_key_info *key)
{
	return key->kind != KIND_USE && strcmp(key->name, "was") != 0;
}

static bool
same_value(const struct config_key_info *key, const char *a, const char *b)
{
	struct strbuf first, second;
	bool same;

	strbuf_init(&first, MAX_CONFIG_VALUE);
	strbuf_init(&second, MAX_CONFIG_VALUE);
	add_value(&first, key, a);
	add_value(&second, key, b);
	same = is_unset(key, a + key->at) == is_unset(key, b + key->at) &&
	    strcmp(first.buf, second.buf) == 0;
	strbuf_release(&first);
	strbuf_release(&second);
	return same;
}

/* Without quotes. */
static void
add_plain(
    struct strbuf *out, const struct config_block *block, const char *name, const char *record)
{
	size_t n;
	const struct config_key_info *rows = config_block_keys(block, &n), *key;
	int i = config_find_key(block, name);

	if (i == -1 || is_unset(&rows[i], record + rows[i].at))
		return;
	key = &rows[i];
	if (is_text(key))
		strbuf_add(out, *(const char *const *)(const void *)(record + key->at));
	else
		add_number(out, key, record + key->at);
}

void
config_add_reader_key(struct strbuf *out, const char *key, const struct subscriber *reader)
{
	const struct config_reader r = { .sub = *reader };

	add_plain(out, config_find_block("subscriber"), key, (const char *)&r);
}

void
config_add_filter_key(struct strbuf *out, const char *key, const struct filter *filter)
{
	add_plain(out, &config_reader_filter, key, (const char *)filter);
}

void
config_add_reader_changes(
    struct strbuf *out, const struct subscriber *before, const struct subscriber *after)
{
	const struct config_reader a = { .sub = *before }, b = { .sub = *after };
	const char *comma = "";
	size_t n;
	const struct config_key_info *rows = config_block_keys(config_find_block("subscriber"), &n);

	for (size_t i = 0; i < n; i++)
		if (is_of_reader(&rows[i]) &&
		    !same_value(&rows[i], (const char *)&a, (const char *)&b)) {
			strbuf_addf(out, "%s%s", comma, rows[i].name);
			comma = ", ";
		}
}

static void
add_filter(struct strbuf *out, const struct filter *f)
{
	static const char *const row_names[] = { "match", "limit", "sort", "when" };
	size_t n;
	const struct config_key_info *rows = config_block_keys(&config_reader_filter, &n);

	strbuf_add(out, "\tfilter ");
	config_add_quoted(out, f->name);
	strbuf_add(out, " {");
	for (size_t i = 0; i < sizeof(row_names) / sizeof(row_names[0]); i++) {
		const struct config_key_info *key =
		    &rows[config_find_key(&config_reader_filter, row_names[i])];

		if (is_unset(key, (const char *)f + key->at) ||
		    (key->kind == KIND_ENUM && f->sort == SORT_BEST))
			continue;
		strbuf_addf(out, " %s = ", key->name);
		add_value(out, key, (const char *)f);
	}
	strbuf_add(out, " }\n");
}

void
config_add_reader(struct strbuf *out, const struct config *cfg, const struct subscriber *reader)
{
	const struct config_reader *defaults = &cfg->text->defaults, r = { .sub = *reader };
	size_t n;
	const struct config_key_info *rows = config_block_keys(config_find_block("subscriber"), &n);

	strbuf_add(out, "subscriber ");
	config_add_quoted(out, reader->address);
	strbuf_add(out, " {\n");
	for (size_t i = 0; i < n; i++) {
		if (!is_of_reader(&rows[i]) ||
		    same_value(&rows[i], (const char *)&r, (const char *)defaults))
			continue;
		strbuf_addf(out, "\t%s = ", rows[i].name);
		add_value(out, &rows[i], (const char *)&r);
		strbuf_addc(out, '\n');
	}
	/* The filters below are all there are. */
	if (defaults->nuse > 0)
		strbuf_add(out, "\tuse = {}\n");
	for (size_t i = 0; i < reader->nfilters; i++)
		add_filter(out, &reader->filters[i]);
	strbuf_add(out, "}\n");
}
