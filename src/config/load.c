#include "config/load.h"

#include "digest/file.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_PATH_BYTES = 4096 };

/*
 * Complaints.
 */

static void
take_complaint(void *arg, struct config_place place, const char *message, const char *shown)
{
	struct config_loader *ld = arg;
	struct config_problem *problem;

	if (ld->pending.n == MAX_CONFIG_ERRORS) {
		ld->pending.more++;
		return;
	}
	problem = &ld->pending.list[ld->pending.n++];
	problem->file = ld->file;
	problem->place = place;
	problem->reader = NULL;
	err_printable(problem->message, sizeof(problem->message), message);
	/* When memory is short the message has to do. */
	problem->shown = arena_strdup(&ld->cfg->arena, shown);
	if (problem->shown == NULL)
		problem->shown = "";
}

struct config_setting
config_loader_setting(struct config_loader *ld, const struct config_file *file, struct arena *arena)
{
	ld->file = file;
	return (struct config_setting){ .path = file->path,
		.bytes = file->bytes.buf,
		.checks = &ld->text->checks,
		.arena = arena,
		.zones = &ld->text->zones,
		.complain = take_complaint,
		.arg = ld };
}

static bool
is_before(struct config_place a, struct config_place b)
{
	return a.line < b.line || (a.line == b.line && a.column < b.column);
}

static void
drop_before(struct config_problems *pending, struct config_place place)
{
	size_t kept = 0;

	for (size_t i = 0; i < pending->n; i++)
		if (!is_before(pending->list[i].place, place))
			pending->list[kept++] = pending->list[i];
	pending->n = kept;
}

void
config_drop_from(struct config_problems *pending, size_t first, struct config_place place)
{
	size_t kept = first;

	for (size_t i = first; i < pending->n; i++)
		if (is_before(pending->list[i].place, place))
			pending->list[kept++] = pending->list[i];
	pending->n = kept;
}

size_t
config_commit(struct config_loader *ld, const char *reader)
{
	struct config_problems *to = reader != NULL ? &ld->readers : &ld->global;
	size_t n = ld->pending.n + ld->pending.more;

	to->more += ld->pending.more;
	for (size_t i = 0; i < ld->pending.n; i++) {
		if (to->n == MAX_CONFIG_ERRORS) {
			to->more++;
			continue;
		}
		to->list[to->n] = ld->pending.list[i];
		/* A name that cannot be kept still must not look like a global error. */
		if (reader != NULL &&
		    (to->list[to->n].reader = arena_strdup(&ld->cfg->arena, reader)) == NULL)
			to->list[to->n].reader = "";
		to->n++;
	}
	ld->pending.n = ld->pending.more = 0;
	return n;
}

/*
 * Blocks of the top level.
 */

/* Append one pointer to a list in the arena whose room is always the next power of two. */
static int
append(struct arena *a, void ***list, size_t *n, void *entry)
{
	if ((*n & (*n - 1)) == 0) {
		void **grown = arena_array(a, *n == 0 ? 1 : 2 * *n, sizeof(*grown));

		if (grown == NULL)
			return -1;
		if (*n > 0)
			memcpy(grown, *list, *n * sizeof(*grown));
		*list = grown;
	}
	(*list)[(*n)++] = entry;
	return 0;
}

/* Remember a block by its name and title; a second one is complained of. */
static int
add_given(struct config_loader *ld, const struct config_setting *set, struct config_given *g,
    struct error *err)
{
	struct config_text *text = ld->text;
	void **list = (void **)text->given;
	char *key = arena_printf(&ld->cfg->arena, "%s %s", g->block->name, g->title);
	uint64_t i;

	if (key == NULL)
		return err_nomem(err, "configuration");
	if (map_get(&text->names, key, strlen(key), &i)) {
		const struct config_given *first = text->given[i];

		config_complain_at(set, g->place, "the block %s%s%s%s stands already at %s:%u",
		    g->block->name, g->title[0] != '\0' ? " \"" : "", g->title,
		    g->title[0] != '\0' ? "\"" : "", first->file->path, first->place.line);
		return 0;
	}
	if (map_set(&text->names, key, strlen(key), text->ngiven) == -1 ||
	    append(&ld->cfg->arena, &list, &text->ngiven, g) == -1)
		return err_nomem(err, "configuration");
	text->given = (struct config_given **)list;
	return 0;
}

static int
read_given(struct config_loader *ld, const struct config_file *file, struct config_parser *p,
    const struct config_block *block, const struct config_item *it, struct config_item *next,
    struct error *err)
{
	struct arena *a = &ld->cfg->arena;
	struct config_setting set = config_loader_setting(ld, file, a);
	struct config_given *g = arena_zalloc(a, sizeof(*g));
	uint32_t before;
	int rc;

	if (g == NULL)
		return err_nomem(err, "configuration");
	g->block = block;
	g->file = file;
	g->place = it->place;
	g->title = arena_strdup(a, config_block_title(&set, block, it));
	if (g->title == NULL)
		return err_nomem(err, "configuration");
	g->record = ld->cfg;
	if (block->size > 0 &&
	    ((g->record = arena_zalloc(a, block->size)) == NULL ||
		config_set_defaults(block, a, g->record, err) == -1))
		return err_nomem(err, "configuration");
	if (add_given(ld, &set, g, err) == -1)
		return -1;
	set.lost_zone = strcmp(block->name, "defaults") == 0 ? &g->lost_zone : NULL;
	p->arena = a;
	before = p->lx.ncomplaints;
	rc = config_read_block(
	    &set, p, block, g->record, g->places, &g->literal_secret, NULL, next, err);
	g->broken = p->lx.ncomplaints != before;
	return rc;
}

static int
add_entry(struct config_loader *ld, const struct config_file *file, const struct config_item *it,
    struct error *err)
{
	size_t n = ld->cfg->nreaders;

	if ((n & (n - 1)) == 0) {
		struct config_entry *grown =
		    reallocarray(ld->text->entries, n == 0 ? 1 : 2 * n, sizeof(*grown));

		if (grown == NULL)
			return err_nomem(err, "configuration");
		ld->text->entries = grown;
	}
	ld->text->entries[n] = (struct config_entry){ .offset = (uint32_t)it->offset,
		.line = it->place.line,
		.file = file->number & 0x3fffffff };
	ld->cfg->nreaders++;
	return 0;
}

/*
 * Files.
 */

static int read_file(struct config_loader *ld, const char *path, const struct config_file *from,
    const struct config_setting *set, struct config_place place, struct error *err);

static void
complain_of_loop(const struct config_setting *set, struct config_place place,
    const struct config_file *from, const char *path)
{
	const struct config_file *chain[MAX_INCLUDE_DEPTH + 1];
	struct strbuf names;
	size_t n = 0;

	strbuf_init(&names, 64 * 1024);
	for (; from != NULL && n <= MAX_INCLUDE_DEPTH; from = from->from)
		chain[n++] = from;
	while (n-- > 0)
		strbuf_addf(&names, "%s -> ", chain[n]->path);
	config_complain_at(set, place, "include loop: %s%s", names.buf, path);
	strbuf_release(&names);
}

/* Whether path may be included from the file: not itself, not too deep. */
static bool
check_chain(const struct config_setting *set, struct config_place place,
    const struct config_file *from, const struct stat *st, const char *path)
{
	size_t depth = 0;

	for (const struct config_file *f = from; f != NULL; f = f->from, depth++) {
		if (f->dev == st->st_dev && f->ino == st->st_ino) {
			complain_of_loop(set, place, from, path);
			return false;
		}
	}
	if (depth <= MAX_INCLUDE_DEPTH)
		return true;
	config_complain_at(
	    set, place, "includes are more than %d deep; expected fewer", MAX_INCLUDE_DEPTH);
	return false;
}

/* The directory of the including file is meant as it is. */
static void
add_glob_base(struct strbuf *out, const char *base, const char *pattern)
{
	struct strbuf dir;

	strbuf_init(&dir, MAX_PATH_BYTES);
	file_resolve(&dir, base, pattern[0] == '/' ? "/" : "");
	if (pattern[0] != '/')
		config_add_literal(out, dir.buf);
	strbuf_add(out, pattern);
	strbuf_release(&dir);
}

/* A folder that is not there matches nothing; one that cannot be read would hide readers. */
static int
stop_glob(const char *path, int number)
{
	(void)path;
	return number != ENOENT && number != ENOTDIR;
}

static int
include_glob(struct config_loader *ld, const struct config_file *file, const char *pattern,
    const struct config_setting *set, struct config_place place, struct error *err)
{
	struct strbuf full;
	glob_t found = { 0 };
	int rc;

	strbuf_init(&full, 2 * MAX_PATH_BYTES);
	add_glob_base(&full, file->path, pattern);
	rc = strbuf_check(&full, NULL) == -1 ? GLOB_NOSPACE : glob(full.buf, 0, stop_glob, &found);
	strbuf_release(&full);
	if (rc == GLOB_ABORTED)
		config_complain_at(set, place,
		    "include \"%.200s\": a folder cannot be read; expected read access", pattern);
	else if (rc == GLOB_NOSPACE)
		config_complain_at(set, place, "include \"%.200s\": out of memory", pattern);
	rc = 0;
	for (size_t i = 0; i < found.gl_pathc && rc == 0; i++)
		rc = read_file(ld, found.gl_pathv[i], file, set, place, err);
	globfree(&found);
	return rc;
}

static int
include(struct config_loader *ld, const struct config_file *file, const struct config_item *it,
    struct error *err)
{
	struct config_setting set = config_loader_setting(ld, file, &ld->cfg->arena);
	const char *name = it->title.text;
	struct strbuf path;
	int rc;

	if (strpbrk(name, "*?[") != NULL)
		return include_glob(ld, file, name, &set, it->title.place, err);
	strbuf_init(&path, MAX_PATH_BYTES);
	file_resolve(&path, file->path, name);
	rc = read_file(ld, path.buf, file, &set, it->title.place, err);
	strbuf_release(&path);
	return rc;
}

/* A key that stands alone: say where it belongs. */
static void
complain_of_key(const struct config_setting *set, const struct config_item *it)
{
	for (const struct config_block *b = config_blocks; b->name != NULL; b++) {
		if (config_find_key(b, it->name) == -1)
			continue;
		config_complain_at(set, it->place,
		    "the key '%s' outside of a block; expected it inside %s%s { ... }", it->name,
		    b->name, b->title[0] != '\0' ? " \"...\"" : "");
		return;
	}
	config_complain_at(
	    set, it->place, "the key '%.60s' outside of a block; expected a block", it->name);
}

/* One item of the top level. Returns 1 when *next is another, which interrupted this one. */
static int
read_top(struct config_loader *ld, const struct config_file *file, struct config_parser *p,
    const struct config_item *it, struct config_item *next, struct error *err)
{
	struct config_setting set = config_loader_setting(ld, file, &ld->cfg->arena);
	const struct config_block *block;

	if (it->kind == ITEM_INCLUDE)
		return include(ld, file, it, err);
	if (it->kind != ITEM_OPEN) {
		if (it->kind == ITEM_KEY)
			complain_of_key(&set, it);
		return 0;
	}
	block = config_find_block(it->name);
	if (block == NULL) {
		config_complain_unknown(&set, NULL, it);
		return config_skip_block(p, next, err);
	}
	if (strcmp(block->name, "subscriber") != 0)
		return read_given(ld, file, p, block, it, next, err);
	if (add_entry(ld, file, it, err) == -1)
		return -1;
	/* What is wrong in there is said when the reader is checked. */
	p->lx.complain = NULL;
	return config_skip_block(p, next, err);
}

static bool
is_reader(const struct config_item *it)
{
	return it->kind == ITEM_OPEN && strcmp(it->name, "subscriber") == 0;
}

static int
parse_file(struct config_loader *ld, const struct config_file *file, struct error *err)
{
	struct config_place start = { 1, 1 }, end = { UINT32_MAX, 1 };
	struct config_parser p;
	bool after_reader = false;
	int more, interrupted;

	config_parser_init(
	    &p, file->bytes.buf, file->bytes.len, 0, start, &ld->scratch, take_complaint, ld);
	for (;;) {
		struct config_item it, next;

		arena_reset(&ld->scratch);
		ld->file = file;
		more = config_parser_next(&p, &it, err);
		if (more == -1)
			return -1;
		/* What is wrong between a reader's last brace and the next block is blamed on that reader. */
		if (after_reader)
			drop_before(&ld->pending, more == 1 ? it.place : end);
		if (more == 0)
			break;
		do {
			after_reader = is_reader(&it);
			if (after_reader)
				config_drop_from(&ld->pending, 0, it.place);
			config_commit(ld, NULL);
			interrupted = read_top(ld, file, &p, &it, &next, err);
			if (interrupted == -1)
				return -1;
			config_commit(ld, NULL);
			p.lx.complain = take_complaint;
			p.arena = &ld->scratch;
			it = next;
		} while (interrupted == 1);
	}
	config_commit(ld, NULL);
	return 0;
}

/*
 * Read one file and what it includes. A file that cannot be read is complained of where it is included.
 * set, place	of the include; NULL for the main file, whose failure is an error
 */
static int
read_file(struct config_loader *ld, const char *path, const struct config_file *from,
    const struct config_setting *set, struct config_place place, struct error *err)
{
	struct config_text *text = ld->text;
	void **list = (void **)text->files;
	struct config_file *file = arena_zalloc(&ld->cfg->arena, sizeof(*file));
	struct stat st = { 0 };
	struct error why;

	if (file == NULL || (file->path = arena_strdup(&ld->cfg->arena, path)) == NULL)
		return err_nomem(err, "configuration");
	if (stat(path, &st) == 0 && set != NULL && !check_chain(set, place, from, &st, path))
		return 0;
	strbuf_init(&file->bytes, MAX_CONFIG_BYTES - text->total_bytes);
	if (file_read(path, &file->bytes, &why) == -1) {
		strbuf_release(&file->bytes);
		if (set == NULL)
			return err_set(err, ERR_CONFIG, "%s", why.msg);
		config_complain_at(set, place, "%s", why.msg);
		return 0;
	}
	file->from = from;
	file->dev = st.st_dev;
	file->ino = st.st_ino;
	file->number = (uint32_t)text->nfiles;
	if (append(&ld->cfg->arena, &list, &text->nfiles, file) == -1) {
		strbuf_release(&file->bytes);
		return err_nomem(err, "configuration");
	}
	text->files = (struct config_file **)list;
	text->total_bytes += file->bytes.len;
	return parse_file(ld, file, err);
}

/*
 * The whole.
 */

/* The first place of the list in config.h at which there is a file. */
static int
find_path(struct strbuf *out, struct error *err)
{
	const char *named = getenv("DIGEST_CONFIG"), *xdg = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");
	static const char system_wide[] = "/etc/digest/digest.conf";

	if (named != NULL && named[0] != '\0') {
		strbuf_add(out, named);
		return 0;
	}
	/* XDG Base Directory Specification: relative paths are to be ignored. */
	if (xdg != NULL && xdg[0] == '/')
		strbuf_addf(out, "%s/digest/digest.conf", xdg);
	else if (home != NULL && home[0] == '/')
		strbuf_addf(out, "%s/.config/digest/digest.conf", home);
	if (out->len > 0 && file_exists(out->buf))
		return 0;
	if (!file_exists(system_wide))
		return err_set(err, ERR_CONFIG,
		    "no configuration at %s%s%s; 'digest init' writes one, --config names another",
		    out->buf, out->len > 0 ? " or " : "", system_wide);
	strbuf_reset(out);
	strbuf_add(out, system_wide);
	return 0;
}

static int
by_place(const void *a, const void *b)
{
	const struct config_problem *x = a, *y = b;

	if (x->file->number != y->file->number)
		return x->file->number < y->file->number ? -1 : 1;
	return is_before(x->place, y->place) ? -1 : is_before(y->place, x->place);
}

static void
report_all(
    const struct config_problems *problems, const char *more, config_report *report, void *arg)
{
	struct error line;

	for (size_t i = 0; report != NULL && i < problems->n; i++) {
		const struct config_problem *p = &problems->list[i];

		err_set(&line, ERR_CONFIG, "%s", p->message);
		if (p->place.line > 0)
			err_prefix(
			    &line, "%s:%u:%u", p->file->path, p->place.line, p->place.column);
		else
			err_prefix(&line, "%s", p->file->path);
		report(arg, p->reader, line.msg, p->shown);
	}
	if (report != NULL && problems->more > 0) {
		err_set(&line, ERR_CONFIG, "%zu more errors", problems->more);
		report(arg, more, line.msg, "");
	}
}

static void
take_first(void *arg, const char *reader, const char *message, const char *shown)
{
	struct error *err = arg;

	(void)reader;
	(void)shown;
	if (err->kind == ERR_NONE)
		err_set(err, ERR_CONFIG, "%s", message);
}

static struct config *
config_new(void)
{
	struct config *cfg = calloc(1, sizeof(*cfg));

	if (cfg == NULL)
		return NULL;
	arena_init(&cfg->arena, 4 * (size_t)MAX_CONFIG_BYTES);
	cfg->text = arena_zalloc(&cfg->arena, sizeof(*cfg->text));
	if (cfg->text == NULL) {
		free(cfg);
		return NULL;
	}
	map_init(&cfg->text->names);
	map_init(&cfg->text->zones.names);
	arena_init(&cfg->text->zones.arena, MAX_READER_BYTES);
	return cfg;
}

static int
load(struct config_loader *ld, const char *path, struct error *err)
{
	struct config *cfg = ld->cfg;
	const struct config_block *defaults = config_find_block("defaults");

	for (const struct config_block *b = config_blocks; b->name != NULL; b++)
		if (b->size == 0 && config_set_defaults(b, &cfg->arena, cfg, err) == -1)
			return -1;
	cfg->path = arena_strdup(&cfg->arena, path);
	if (cfg->path == NULL)
		return err_nomem(err, "configuration");
	if (config_set_defaults(defaults, &cfg->arena, &cfg->text->defaults, err) == -1 ||
	    read_file(ld, path, NULL, NULL, (struct config_place){ 0, 0 }, err) == -1 ||
	    config_check_whole(ld, err) == -1 || config_check_readers(ld, err) == -1)
		return -1;
	return 0;
}

int
config_load(const char *path, const struct config_checks *checks, config_report *report, void *arg,
    struct config **out, struct error *err)
{
	struct config_loader *ld = calloc(1, sizeof(*ld));
	struct strbuf found;
	int rc = -1;

	strbuf_init(&found, MAX_PATH_BYTES);
	if (ld == NULL || (ld->cfg = config_new()) == NULL) {
		err_nomem(err, "configuration");
		goto out;
	}
	arena_init(&ld->scratch, MAX_READER_BYTES);
	ld->text = ld->cfg->text;
	ld->text->checks = *checks;
	if (path == NULL && find_path(&found, err) == -1)
		goto out;
	if (load(ld, path != NULL ? path : found.buf, err) == -1)
		goto out;
	qsort(ld->global.list, ld->global.n, sizeof(ld->global.list[0]), by_place);
	report_all(&ld->global, NULL, report, arg);
	report_all(&ld->readers, "", report, arg);
	if (ld->global.n > 0) {
		struct error first = { .kind = ERR_NONE };

		report_all(&ld->global, NULL, take_first, &first);
		if (err != NULL)
			*err = first;
		goto out;
	}
	*out = ld->cfg;
	ld->cfg = NULL;
	rc = 0;
out:
	if (ld != NULL) {
		config_free(ld->cfg);
		arena_release(&ld->scratch);
	}
	free(ld);
	strbuf_release(&found);
	return rc;
}

void
config_free(struct config *cfg)
{
	if (cfg == NULL)
		return;
	for (size_t i = 0; i < cfg->text->nfiles; i++)
		strbuf_release(&cfg->text->files[i]->bytes);
	map_release(&cfg->text->names);
	map_release(&cfg->text->zones.names);
	arena_release(&cfg->text->zones.arena);
	free(cfg->text->entries);
	arena_release(&cfg->arena);
	free(cfg);
}
