#include "config/load.h"

#include <sodium.h>

#include <stdlib.h>
#include <string.h>

/* One block at work. */
struct reading {
	const struct config *cfg;
	const struct config_entry *entry;
	struct config_setting set;
	struct config_parser parser;
	struct config_item opened;
	struct config_reader reader;
	bool bad_address;
	bool bad; /* an error of this reader's was reported */
};

/* Where the block stands in its file. */
static struct config_place
entry_place(const struct config_entry *e, const struct config_file *file)
{
	size_t start = e->offset;

	while (start > 0 && file->bytes.buf[start - 1] != '\n')
		start--;
	/* A byte order mark takes no column. */
	if (start == 0 && file->bytes.len >= 3 && memcmp(file->bytes.buf, "\xEF\xBB\xBF", 3) == 0)
		start = 3;
	return (struct config_place){ e->line, e->offset - (uint32_t)start + 1 };
}

/* The title, as an address and as an identity; the text itself when it is no address. */
static int
read_address(struct reading *r, struct error *err)
{
	const struct config_checks *checks = &r->cfg->text->checks;
	struct subscriber *sub = &r->reader.sub;
	const char *text = config_block_title(&r->set, config_find_block("subscriber"), &r->opened);
	size_t offset = 0, len = strlen(text);
	struct error why;

	err_clear(&why);
	sub->address = sub->canonical = text;
	r->bad_address = true;
	if (len == 0)
		return 0;
	if (text[len - 1] == '>') {
		config_complain_at(&r->set, r->opened.title.place,
		    "'%.80s' is more than an address; expected local@domain, and the name in the "
		    "key name",
		    text);
		return 0;
	}
	if (checks->address(text, r->set.arena, &sub->canonical, &offset, &why) == 0) {
		r->bad_address = false;
		return 0;
	}
	if (why.kind == ERR_NOMEM)
		return err_nomem(err, "configuration");
	sub->canonical = text;
	config_complain_at(
	    &r->set, config_scalar_place(r->set.bytes, &r->opened.title, offset), "%s", why.msg);
	return 0;
}

/* Begin a block: its place, its address and the defaults. */
static int
open_reader(struct reading *r, const struct config *cfg, const struct config_entry *entry,
    const struct config_setting *set, struct error *err)
{
	const struct config_file *file = cfg->text->files[entry->file];
	int more;

	*r = (struct reading){
		.cfg = cfg, .entry = entry, .set = *set, .reader = cfg->text->defaults
	};
	r->reader.sub.file = file->path;
	r->reader.sub.line = entry->line;
	config_parser_init(&r->parser, file->bytes.buf, file->bytes.len, entry->offset,
	    entry_place(entry, file), set->arena, set->complain, set->arg);
	more = config_parser_next(&r->parser, &r->opened, err);
	if (more != 1)
		return more == -1
		    ? -1
		    : err_set(err, ERR_BUG, "%s:%u: no block", file->path, entry->line);
	return read_address(r, err);
}

/* The reader's own filters, then the shared ones named by use; an own one of the same name stands for it. */
static int
put_filters(struct reading *r, const struct config_filters *own, struct error *err)
{
	struct config_reader *reader = &r->reader;
	struct subscriber *sub = &reader->sub;
	bool by_defaults = reader->use == r->cfg->text->defaults.use;

	sub->filters = arena_array(r->set.arena, own->n + reader->nuse + 1, sizeof(*sub->filters));
	if (sub->filters == NULL)
		return err_nomem(err, "configuration");
	if (own->n > 0)
		memcpy(sub->filters, own->list, own->n * sizeof(*own->list));
	sub->nfilters = own->n;
	for (size_t i = 0; i < reader->nuse; i++) {
		const struct config_scalar *name = &reader->use[i];
		const struct filter *shared = config_find_shared(r->cfg->text, name->text);

		if (shared == NULL) {
			/* What the defaults name has been complained of there. */
			if (!by_defaults)
				config_complain_no_shared(
				    &r->set, r->cfg->text, name->place, name->text);
		} else if (filter_find(sub->filters, sub->nfilters, name->text) == sub->nfilters) {
			sub->filters[sub->nfilters++] = *shared;
		}
	}
	if (sub->nfilters > MAX_READER_FILTERS)
		config_complain_at(&r->set, r->opened.place, "%zu filters; expected at most %d",
		    sub->nfilters, MAX_READER_FILTERS);
	if (sub->nfilters == 0)
		sub->filters[sub->nfilters++] = filter_trending;
	return 0;
}

/* The former address as an identity. One that is none has been complained of. */
static int
read_was(struct reading *r, struct error *err)
{
	struct subscriber *sub = &r->reader.sub;
	const char *canonical;
	struct error why;
	size_t offset;

	if (sub->was[0] == '\0')
		return 0;
	err_clear(&why);
	if (r->cfg->text->checks.address(sub->was, r->set.arena, &canonical, &offset, &why) == 0)
		sub->was = canonical;
	else if (why.kind == ERR_NOMEM)
		return err_nomem(err, "configuration");
	return 0;
}

/* The rest of a block. */
static int
finish_reader(struct reading *r, struct error *err)
{
	struct config_filters own = { .text = r->cfg->text };
	struct config_place places[CONFIG_MAX_KEYS] = { { 0, 0 } };
	struct config_item next;
	int rc;

	rc = config_read_block(&r->set, &r->parser, config_find_block("subscriber"), &r->reader,
	    places, NULL, &own, &next, err);
	if (rc == -1 || read_was(r, err) == -1 || put_filters(r, &own, err) == -1)
		return -1;
	return rc;
}

/*
 * Who has which address: an open table of numbers of entries, by a hash with a random key, so that nobody can choose
 * addresses that collide. Alive while a configuration is loaded.
 */
struct identities {
	uint32_t *slots; /* number of the entry plus 1, 0 = free */
	size_t nslots;	 /* a power of two */
	unsigned char key[crypto_shorthash_KEYBYTES];
	struct arena scratch; /* of the other reader of a comparison */
	struct map was;	      /* former addresses, each with the number of its entry */
	struct arena was_names;
};

static int
identities_init(struct identities *ids, size_t nreaders, struct error *err)
{
	memset(ids, 0, sizeof(*ids));
	arena_init(&ids->scratch, MAX_READER_BYTES);
	arena_init(&ids->was_names, MAX_CONFIG_BYTES);
	map_init(&ids->was);
	for (ids->nslots = 16; ids->nslots < 2 * nreaders;)
		ids->nslots *= 2;
	ids->slots = calloc(ids->nslots, sizeof(*ids->slots));
	if (ids->slots == NULL)
		return err_nomem(err, "configuration");
	randombytes_buf(ids->key, sizeof(ids->key));
	return 0;
}

static void
identities_release(struct identities *ids)
{
	free(ids->slots);
	arena_release(&ids->scratch);
	arena_release(&ids->was_names);
	map_release(&ids->was);
}

/* The hashes are equal: are the addresses? */
static int
same_reader(struct identities *ids, const struct config *cfg, const struct config_entry *other,
    const char *canonical, struct error *err)
{
	struct config_setting quiet = { .arena = &ids->scratch, .path = "" };
	struct reading r;

	arena_reset(&ids->scratch);
	quiet.bytes = cfg->text->files[other->file]->bytes.buf;
	if (open_reader(&r, cfg, other, &quiet, err) == -1)
		return -1;
	return strcmp(r.reader.sub.canonical, canonical) == 0;
}

/* *found gets the reader with that address, or NULL; *slot where one would be entered. */
static int
identities_find(struct identities *ids, const struct config *cfg, const char *canonical,
    uint64_t *hash, size_t *slot, const struct config_entry **found, struct error *err)
{
	unsigned char bytes[crypto_shorthash_BYTES];
	size_t i;

	*found = NULL;
	crypto_shorthash(bytes, (const unsigned char *)canonical, strlen(canonical), ids->key);
	memcpy(hash, bytes, sizeof(*hash));
	for (i = *hash & (ids->nslots - 1); ids->slots[i] != 0; i = (i + 1) & (ids->nslots - 1)) {
		const struct config_entry *other = &cfg->text->entries[ids->slots[i] - 1];
		int same;

		if (other->hash != *hash)
			continue;
		if ((same = same_reader(ids, cfg, other, canonical, err)) == -1)
			return -1;
		if (same == 1) {
			*found = other;
			break;
		}
	}
	*slot = i;
	return 0;
}

/* Enter a reader. *first gets an earlier one with the same address, or NULL. */
static int
identities_add(struct identities *ids, const struct config *cfg, struct config_entry *e,
    const char *canonical, const struct config_entry **first, struct error *err)
{
	uint64_t hash;
	size_t slot;

	if (identities_find(ids, cfg, canonical, &hash, &slot, first, err) == -1)
		return -1;
	e->hash = hash;
	if (*first == NULL)
		ids->slots[slot] = (uint32_t)(e - cfg->text->entries) + 1;
	return 0;
}

/* Two readers cannot have one history: a former address has no block of its own, above or below. */
static int
check_was(struct config_loader *ld, const struct reading *r, const struct config_entry *e,
    struct identities *ids, struct error *err)
{
	const struct config_text *text = ld->text;
	const struct subscriber *sub = &r->reader.sub;
	const struct config_entry *other;
	const char *key;
	uint64_t number;
	size_t slot;

	if (map_get(&ids->was, sub->canonical, strlen(sub->canonical), &number)) {
		other = &text->entries[number];
		config_complain_at(&r->set, r->opened.title.place,
		    "%s is the former address (was) of the reader at %s:%u; remove one of both",
		    sub->canonical, text->files[other->file]->path, other->line);
	}
	if (sub->was[0] == '\0' || strcmp(sub->was, sub->canonical) == 0)
		return 0;
	if (identities_find(ids, ld->cfg, sub->was, &number, &slot, &other, err) == -1)
		return -1;
	if (other != NULL)
		config_complain_at(&r->set, r->opened.title.place,
		    "was: %s is a reader at %s:%u; remove one of both", sub->was,
		    text->files[other->file]->path, other->line);
	number = (uint64_t)(e - text->entries);
	if ((key = arena_strdup(&ids->was_names, sub->was)) == NULL ||
	    map_set(&ids->was, key, strlen(key), number) == -1)
		return err_nomem(err, "configuration");
	return 0;
}

/* The next word opens a reader: when that block is broken, the one before it has no part in it. */
static bool
is_before_reader(const struct reading *r, const struct config_file *file)
{
	static const char word[] = "subscriber";
	struct config_lexer ahead = r->parser.lx;
	struct config_token token;

	ahead.complain = NULL;
	config_lex(&ahead, &token);
	return token.kind == TOKEN_WORD && token.next - token.start == sizeof(word) - 1 &&
	    memcmp(file->bytes.buf + token.start, word, sizeof(word) - 1) == 0;
}

/*
 * What stands between a reader and the next block is that reader's, whose brace may stand too early; but a block of
 * another reader that cannot be opened is nobody's.
 */
static int
check_after(
    struct config_loader *ld, struct reading *r, const struct config_file *file, struct error *err)
{
	bool others = is_before_reader(r, file);
	size_t before;
	struct config_item after;
	int rc;

	if (others && config_commit(ld, r->reader.sub.canonical) > 0) {
		r->bad = true;
		ld->cfg->nreader_errors++;
	}
	before = ld->pending.n;
	if ((rc = config_parser_next(&r->parser, &after, err)) == -1)
		return -1;
	if (rc == 1)
		config_drop_from(&ld->pending, before, after.place);
	if (others && config_commit(ld, "") > 0)
		ld->cfg->nreader_errors++;
	return 0;
}

/* Of the reader's own filters; what is shared was checked with its block. */
static int
check_names(struct config_loader *ld, const struct reading *r, struct error *err)
{
	const struct subscriber *sub = &r->reader.sub;

	for (size_t i = 0; i < sub->nfilters; i++) {
		const struct filter *f = &sub->filters[i], *shared;

		if (strchr(f->match, '@') == NULL)
			continue;
		shared = config_find_shared(r->cfg->text, f->name);
		if ((shared == NULL || shared->match != f->match) &&
		    config_check_names(ld, &r->set, sub, f, err) == -1)
			return -1;
	}
	return 0;
}

static int
check_reader(
    struct config_loader *ld, struct config_entry *e, struct identities *ids, struct error *err)
{
	struct config *cfg = ld->cfg;
	struct config_file *file = ld->text->files[e->file];
	struct config_setting set;
	const struct config_entry *first = NULL;
	struct reading r;
	int rc;

	arena_reset(&ld->scratch);
	set = config_loader_setting(ld, file, &ld->scratch);
	if (open_reader(&r, cfg, e, &set, err) == -1)
		return -1;
	if (!r.bad_address &&
	    identities_add(ids, cfg, e, r.reader.sub.canonical, &first, err) == -1)
		return -1;
	if (first != NULL)
		config_complain_at(&set, r.opened.title.place, "%s stands already at %s:%u",
		    r.reader.sub.canonical, ld->text->files[first->file]->path, first->line);
	e->repeated = first != NULL;
	if ((rc = finish_reader(&r, err)) == -1 || check_names(ld, &r, err) == -1 ||
	    check_was(ld, &r, e, ids, err) == -1)
		return -1;
	if (rc == 0 && check_after(ld, &r, file, err) == -1)
		return -1;
	if (config_commit(ld, r.reader.sub.canonical) > 0) {
		r.bad = true;
		cfg->nreader_errors++;
	}
	e->bad = r.bad;
	return 0;
}

int
config_check_readers(struct config_loader *ld, struct error *err)
{
	struct identities ids;
	int rc = -1;

	if (identities_init(&ids, ld->cfg->nreaders, err) == -1)
		goto out;
	for (size_t i = 0; i < ld->cfg->nreaders; i++)
		if (check_reader(ld, &ld->text->entries[i], &ids, err) == -1)
			goto out;
	rc = 0;
out:
	identities_release(&ids);
	return rc;
}

int
config_each_reader(const struct config *cfg,
    int (*visit)(void *arg, const struct subscriber *reader, bool good), void *arg,
    struct error *err)
{
	struct config_setting set = { .path = "" };
	struct arena scratch;
	struct reading r;
	int rc = 0;

	arena_init(&scratch, MAX_READER_BYTES);
	set.arena = &scratch;
	for (size_t i = 0; i < cfg->nreaders && rc == 0; i++) {
		const struct config_entry *e = &cfg->text->entries[i];
		const struct config_file *file = cfg->text->files[e->file];

		if (e->repeated)
			continue;
		arena_reset(&scratch);
		set.path = file->path;
		set.bytes = file->bytes.buf;
		if (open_reader(&r, cfg, e, &set, err) == -1 ||
		    (e->bad == 0 && finish_reader(&r, err) == -1))
			rc = -1;
		else
			rc = visit(arg, &r.reader.sub, e->bad == 0);
	}
	arena_release(&scratch);
	return rc;
}
