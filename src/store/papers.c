#include "digest/limits.h"
#include "digest/map.h"
#include "store/known.h"
#include "store/search.h"

#include <string.h>

enum {
	SNAPSHOT_GRACE_S =
	    2 * DAY_S, /* an edition that is being planned may still refer to an older revision */
	MAX_KEYS = 1 + 64, /* a paper's own key and as many aliases as are looked up */
};

/* What one call of store_put_papers puts. */
struct put {
	struct store *store;
	const char *source;
	struct origin by; /* all but the version */
	int64_t settle_s, now_utc;
	int32_t cursor_day; /* up to which the source was read before; 0 = never */
	struct store_put_counts *counts;
	struct map met; /* papers of this call, by number */
	struct arena met_ids;
	struct strbuf card, origins;
};

/* ---- finding ---- */

static int
find_key(struct store *store, const char *key, int64_t *id, struct error *err)
{
	struct stmt q;
	int found;

	db_start(&q, store, SQL_ALIAS_GET);
	db_bind_text(&q, key);
	if ((found = db_step(&q, err)) == 1) {
		*id = db_int(&q, 0);
		db_done(&q);
	}
	return found;
}

/* What a key alone proves of two papers that have ids of their own. */
enum proof {
	PROOF_ID, /* that they are one */
	PROOF_DOI, /* the same, but of papers that arXiv keeps apart: authors give the DOI of a whole volume */
	PROOF_LINK, /* nothing, if both have ids of the same kind: a laboratory may link all its papers to one page */
	NPROOFS
};

static enum proof
proof_of(const char *key)
{
	if (strncmp(key, "url:", 4) == 0)
		return PROOF_LINK;
	return strncmp(key, "doi:", 4) == 0 ? PROOF_DOI : PROOF_ID;
}

/* Both "arxiv:", or both of one source's own. */
static bool
is_same_kind(const char *a, const char *b)
{
	size_t len = strcspn(a, ":");

	return strncmp(a, b, len) == 0 && b[len] == ':';
}

static const char *
key_at(const struct paper *p, size_t i)
{
	return i == 0 ? p->key : p->aliases[i - 1];
}

/* Whether the paper in the store has an id that forbids to take a key of this proof for it. 1 = it has. */
static int
has_other_id(
    struct store *store, const struct paper *p, int64_t id, enum proof proof, struct error *err)
{
	bool has = false;
	struct stmt q;
	int more;

	if (proof == PROOF_ID)
		return 0;
	db_start(&q, store, SQL_ALIAS_ALL);
	db_bind_int(&q, id);
	while (!has && (more = db_step(&q, err)) != 0) {
		const char *known = (const char *)sqlite3_column_text(q.st, 0);

		if (more == -1 || known == NULL)
			return -1;
		if (proof == PROOF_DOI && !is_same_kind("arxiv:", known))
			continue;
		for (size_t i = 0; i < 1 + p->naliases && !has; i++)
			has = proof_of(key_at(p, i)) != PROOF_LINK &&
			    is_same_kind(key_at(p, i), known);
	}
	db_done(&q);
	return has;
}

static bool
has_number(const int64_t *ids, size_t n, int64_t id)
{
	for (size_t i = 0; i < n; i++)
		if (ids[i] == id)
			return true;
	return false;
}

static void
add_number(int64_t *ids, size_t *n, int64_t id)
{
	size_t at = (*n)++;

	for (; at > 0 && ids[at - 1] > id; at--)
		ids[at] = ids[at - 1];
	ids[at] = id;
}

/* The different papers that a record's keys name, oldest first; at most MAX_KEYS. Weaker keys come last, when it is known
 * what the stronger ones say. */
static int
find_known(struct store *store, const struct paper *p, int64_t *ids, size_t *n, struct error *err)
{
	size_t nkeys = 1 + p->naliases < MAX_KEYS ? 1 + p->naliases : MAX_KEYS;

	*n = 0;
	for (int proof = PROOF_ID; proof < NPROOFS; proof++)
		for (size_t i = 0; i < nkeys; i++) {
			int64_t id = 0;
			int found = 0, other = 0;

			if (proof_of(key_at(p, i)) == (enum proof)proof)
				found = find_key(store, key_at(p, i), &id, err);
			if (found == 1 && has_number(ids, *n, id))
				continue;
			if (found == 1)
				other = has_other_id(store, p, id, (enum proof)proof, err);
			if (found == -1 || other == -1)
				return -1;
			if (found == 1 && other == 0)
				add_number(ids, n, id);
		}
	return 0;
}

static bool
is_same_bytes(const struct strbuf *now, const unsigned char *before, size_t len)
{
	return now->len == len && memcmp(now->buf, before, len) == 0;
}

/* ---- writing ---- */

static int
add_alias(struct store *store, const char *key, int64_t id, struct error *err)
{
	struct stmt q;

	db_start(&q, store, SQL_ALIAS_ADD);
	db_bind_text(&q, key);
	db_bind_int(&q, id);
	return db_run(&q, err);
}

static int
add_aliases(struct store *store, const struct paper *p, int64_t id, struct error *err)
{
	if (add_alias(store, p->key, id, err) == -1)
		return -1;
	for (size_t i = 0; i < p->naliases; i++)
		if (add_alias(store, p->aliases[i], id, err) == -1)
			return -1;
	return 0;
}

/* Read so long after its day that it makes no paper new: a back-fill, an import, the past of a
 * new source. Days missed by a program that did not run are past the cursor, and are news. */
static bool
is_late(const struct put *put, int32_t day)
{
	return (int64_t)day * DAY_S < put->now_utc - (int64_t)SIGNAL_WINDOW_DAYS * DAY_S &&
	    (put->cursor_day == 0 || day <= put->cursor_day);
}

static int
find_listing(const struct put *put, int64_t id, const struct paper *p, int64_t *votes,
    int64_t *kind, struct error *err)
{
	struct stmt q;
	int found;

	db_start(&q, put->store, SQL_LISTING_GET);
	db_bind_int(&q, id);
	db_bind_text(&q, put->source);
	db_bind_int(&q, p->listed_day);
	if ((found = db_step(&q, err)) == 1) {
		*votes = db_int(&q, 0);
		*kind = db_int(&q, 1);
		db_done(&q);
	}
	return found;
}

static int
put_listing(
    const struct put *put, int64_t id, const struct paper *p, int64_t votes, struct error *err)
{
	struct stmt q;

	db_start(&q, put->store, SQL_LISTING_PUT);
	db_bind_int(&q, id);
	db_bind_text(&q, put->source);
	db_bind_int(&q, p->listed_day);
	db_bind_int(&q, (int64_t)p->kind);
	db_bind_int(&q, votes);
	db_bind_int(&q, put->now_utc);
	db_bind_int(&q, (int64_t)p->listed_day * DAY_S + put->settle_s);
	db_bind_int(&q, is_late(put, p->listed_day));
	return db_run(&q, err);
}

/* Whether the source announced the paper as new before: 1, 0 or -1. */
static int
was_announced(struct put *put, int64_t id, struct error *err)
{
	struct stmt q;
	int found;

	db_start(&q, put->store, SQL_LISTING_NEW);
	db_bind_int(&q, id);
	db_bind_text(&q, put->source);
	if ((found = db_step(&q, err)) == 1)
		db_done(&q);
	return found;
}

/* 1 = a new listing, 0 = known. */
static int
add_listing(
    struct put *put, const struct known *k, const struct paper *p, bool again, struct error *err)
{
	int64_t votes = -1, kind = 0;
	int found = 0;

	if (p->listed_day == 0)
		return 0;
	if (k->card != NULL && (found = find_listing(put, k->id, p, &votes, &kind, err)) == -1)
		return -1;
	/* A feed that gives all it has a new date brings nothing new; where votes are told, each day is a list. */
	if (found == 0 && k->card != NULL && p->kind == PAPER_NEW && p->votes < 0 &&
	    (found = was_announced(put, k->id, err)) != 0)
		return found == 1 ? 0 : -1;
	if (found == 1 && (again || p->votes < 0 || p->votes == votes) && (int64_t)p->kind >= kind)
		return 0;
	return put_listing(put, k->id, p, again && found == 1 ? votes : p->votes, err) == -1
	    ? -1
	    : found == 0;
}

static int
add_snapshot(struct store *store, const struct known *k, const struct strbuf *card, int64_t now_utc,
    struct error *err)
{
	struct stmt q;

	db_start(&q, store, SQL_SNAPSHOT_ADD);
	db_bind_int(&q, k->id);
	db_bind_int(&q, k->revision);
	db_bind_int(&q, now_utc);
	db_bind_blob(&q, card->buf, card->len);
	if (db_run(&q, err) == -1)
		return -1;
	/* Votes change every hour: older cards go, unless an edition was made with them. */
	return k->revision == 1 ? 0
				: db_run_ints(store, SQL_SNAPSHOT_TRIM,
				      DB_INTS(k->id, k->revision, now_utc - SNAPSHOT_GRACE_S), err);
}

static int
write_paper(struct put *put, enum sql_name name, const struct known *k, struct error *err)
{
	struct stmt q;

	db_start(&q, put->store, name);
	db_bind_int(&q, k->id);
	db_bind_text(&q, k->paper->key);
	db_bind_text(&q, k->paper->title);
	db_bind_int(&q, k->paper->published_utc);
	db_bind_int(&q, k->revision);
	db_bind_int(&q, k->paper->change_seq);
	db_bind_int(&q, k->first_listed_utc);
	db_bind_int(&q, put->now_utc);
	db_bind_blob(&q, put->origins.buf, put->origins.len);
	return db_run(&q, err);
}

/* Nothing changed but perhaps whom a field is from. */
static int
write_seen(struct put *put, const struct known *k, struct error *err)
{
	struct stmt q;

	if (is_same_bytes(&put->origins, k->packed_origins, k->origins_len))
		return db_run_ints(put->store, SQL_PAPER_SEEN, DB_INTS(k->id, put->now_utc), err);
	db_start(&q, put->store, SQL_PAPER_ORIGINS);
	db_bind_int(&q, k->id);
	db_bind_int(&q, put->now_utc);
	db_bind_blob(&q, put->origins.buf, put->origins.len);
	return db_run(&q, err);
}

/* The history tells what one source saw: numbers of the one that was believed before do not
 * compare with those of the one that is now. */
static int
write_signals(struct put *put, const struct known *k, const struct paper *before, unsigned moved,
    struct error *err)
{
	const struct paper *p = k->paper;

	if (moved == 0 && p->votes == before->votes && p->comments == before->comments &&
	    p->stars == before->stars)
		return 0;
	if (known_forget_signals(put->store, k->id, moved, err) == -1)
		return -1;
	return db_run_ints(put->store, SQL_SIGNAL_ADD,
	    DB_INTS(k->id, put->now_utc, p->votes, p->comments, p->stars), err);
}

/* A new version, or taken back: readers who were sent the paper may want to know. */
static int
write_move(struct put *put, const struct known *k, const struct paper *before, struct error *err)
{
	const struct paper *p = k->paper;
	uint32_t version = before->version > 0 ? before->version : 1;

	if (k->card == NULL ||
	    (p->version <= version && (p->withdrawn_utc == 0 || before->withdrawn_utc != 0)))
		return 0;
	return db_run_ints(put->store, SQL_PAPER_MOVED,
	    DB_INTS(k->id, p->version, p->withdrawn_utc != 0, put->now_utc), err);
}

static void
count_put(struct store_put_counts *counts, bool is_new, bool changed)
{
	if (is_new)
		counts->nnew++;
	else if (changed)
		counts->nchanged++;
	else
		counts->nsame++;
}

/* Has the paper come before in this call? 1 = yes, 0 = no, and from now on it has. */
static int
meet(struct put *put, int64_t id, struct error *err)
{
	uint64_t value;
	int64_t *key;

	if (map_get(&put->met, &id, sizeof(id), &value))
		return 1;
	if ((key = arena_alloc(&put->met_ids, sizeof(*key))) == NULL)
		return err_nomem(err, put->store->path);
	*key = id;
	return map_set(&put->met, key, sizeof(*key), 1) == -1 ? err_nomem(err, put->store->path)
							      : 0;
}

static int
write_put(struct put *put, struct known *k, const struct paper *p, bool again, bool was_united,
    struct error *err)
{
	struct store *store = put->store;
	bool is_new = k->card == NULL, changed;
	int listed;

	strbuf_reset(&put->card);
	strbuf_reset(&put->origins);
	paper_pack(&put->card, k->paper);
	merge_pack(&put->origins, &k->from);
	if (strbuf_check(&put->card, err) == -1 || strbuf_check(&put->origins, err) == -1)
		return -1;
	changed = is_new || was_united || !is_same_bytes(&put->card, k->card, k->card_len);
	if ((listed = add_listing(put, k, p, again, err)) == -1 ||
	    add_aliases(store, p, k->id, err) == -1)
		return -1;
	put->counts->nlistings += (size_t)listed;
	count_put(put->counts, is_new, changed || listed == 1);
	if (!changed && listed == 0)
		return write_seen(put, k, err);
	if (changed) {
		k->revision++;
		if (add_snapshot(store, k, &put->card, put->now_utc, err) == -1)
			return -1;
	}
	k->paper->change_seq = db_next_change(store);
	return write_paper(put, is_new ? SQL_PAPER_ADD : SQL_PAPER_UPDATE, k, err);
}

static int
put_paper(struct put *put, const struct paper *p, struct arena *a, struct error *err)
{
	struct known k;
	struct paper before;
	struct origin by = put->by;
	int64_t ids[MAX_KEYS];
	unsigned moved;
	size_t n;
	int again;

	if (find_known(put->store, p, ids, &n, err) == -1)
		return -1;
	if ((n == 0 ? known_new(put->store, a, &k, err)
		    : known_load(put->store, ids[0], a, &k, err)) == -1 ||
	    (again = meet(put, k.id, err)) == -1)
		return -1;
	before = *k.paper;
	for (size_t i = 1; i < n; i++)
		if (known_unite(put->store, &k, ids[i], a, err) == -1)
			return -1;
	by.version = p->version;
	moved = merge_record(k.paper, &k.from, p, &by, again == 1);
	merge_choose_key(k.paper, p);
	if (write_put(put, &k, p, again == 1, n > 1, err) == -1 ||
	    write_move(put, &k, &before, err) == -1 ||
	    write_signals(put, &k, &before, moved, err) == -1)
		return -1;
	if (n == 1 && search_reads_same(&before, k.paper))
		return 0;
	return db_run_ints(put->store, SQL_SEARCH_DUE_ADD, DB_INTS(k.id), err);
}

static int
find_cursor(struct put *put, struct error *err)
{
	struct stmt q;
	int found;

	db_start(&q, put->store, SQL_SOURCE_CURSOR);
	db_bind_text(&q, put->source);
	if ((found = db_step(&q, err)) == 1) {
		put->cursor_day = (int32_t)db_int(&q, 0);
		db_done(&q);
	}
	return found == -1 ? -1 : 0;
}

int
store_put_papers(struct store *store, const char *source, const char *type,
    struct paper *const *papers, size_t n, int64_t settle_s, int64_t now_utc,
    struct store_put_counts *counts, struct error *err)
{
	struct put put = { .store = store,
		.source = source,
		.by = { source, type, 0 },
		.settle_s = settle_s,
		.now_utc = now_utc,
		.counts = counts };
	int rc;

	memset(counts, 0, sizeof(*counts));
	map_init(&put.met);
	arena_init(&put.met_ids, SCRATCH_BYTES);
	strbuf_init(&put.card, MAX_PACKED_BYTES);
	strbuf_init(&put.origins, MAX_PACKED_BYTES);
	rc = find_cursor(&put, err);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		arena_reset(&store->scratch);
		rc = put_paper(&put, papers[i], &store->scratch, err);
	}
	strbuf_release(&put.origins);
	strbuf_release(&put.card);
	arena_release(&put.met_ids);
	map_release(&put.met);
	return rc;
}
