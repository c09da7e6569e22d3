#include "store/db.h"

#include <stdlib.h>
#include <string.h>

enum {
	SNAPSHOT_GRACE_S =
	    2 * DAY_S, /* an edition that is being planned may still refer to an older revision */
	MAX_KEYS = 1 + 64, /* a paper's own key and as many aliases as are looked up */
};

/* ---- merging what a source delivers into what is known ---- */

/* Who is believed about what, by the type of the source. A field that a source
 * leaves empty stays; one it delivers replaces the old when the source is trusted at least as
 * much as the one that delivered that. */
enum field_group {
	GROUP_BASE,   /* what authors submit */
	GROUP_SOCIAL, /* what readers and their site add */
	NGROUPS
};

static const struct {
	const char *type;
	int trust[NGROUPS];
} trust_table[] = {
	{ "arxiv", { 3, 1 } },
	{ "huggingface", { 2, 3 } },
	{ "", { 1, 2 } },
};

static int
trust_of(const char *type, enum field_group group)
{
	size_t i = 0;

	if (type[0] == '\0')
		return 0; /* nobody delivered it yet */
	while (trust_table[i].type[0] != '\0' && strcmp(type, trust_table[i].type) != 0)
		i++; /* the last row stands for all others */
	return trust_table[i].trust[group];
}

#define FIELD(name, group)                          \
	{                                           \
		offsetof(struct paper, name), group \
	}
static const struct {
	size_t at;
	enum field_group group;
} text_fields[] = {
	FIELD(title, GROUP_BASE),
	FIELD(abstract, GROUP_BASE),
	FIELD(comment, GROUP_BASE),
	FIELD(journal_ref, GROUP_BASE),
	FIELD(venue, GROUP_BASE),
	FIELD(language, GROUP_BASE),
	FIELD(url, GROUP_BASE),
	FIELD(doi, GROUP_BASE),
	FIELD(summary, GROUP_SOCIAL),
	FIELD(summary_by, GROUP_SOCIAL),
	FIELD(org, GROUP_SOCIAL),
	FIELD(html_url, GROUP_BASE),
	FIELD(pdf_url, GROUP_BASE),
	FIELD(code_url, GROUP_SOCIAL),
	FIELD(project_url, GROUP_SOCIAL),
	FIELD(discussion_url, GROUP_SOCIAL),
	FIELD(thumbnail_url, GROUP_SOCIAL),
	FIELD(media_url, GROUP_SOCIAL),
};

/* What is known of a paper while a record is put. */
struct known {
	int64_t id;
	struct paper *paper; /* its newest card */
	const char *base_source, *social_source;
	int64_t revision, first_listed_utc;
	const unsigned char *card; /* paper, packed; NULL = a new paper */
	size_t card_len;
};

static void
merge_texts(struct paper *to, const struct paper *from, const bool *take)
{
	for (size_t i = 0; i < sizeof(text_fields) / sizeof(text_fields[0]); i++) {
		const char *old, *new;
		size_t at = text_fields[i].at;

		memcpy(&old, (const char *)to + at, sizeof(old));
		memcpy(&new, (const char *)from + at, sizeof(new));
		if (new[0] != '\0' && (take[text_fields[i].group] || old[0] == '\0'))
			memcpy((char *)to + at, &new, sizeof(new));
	}
}

static void
merge_lists(struct paper *to, const struct paper *from, const bool *take)
{
	if (from->nauthors > 0 && (take[GROUP_BASE] || to->nauthors == 0)) {
		to->authors = from->authors;
		to->nauthors = from->nauthors;
	}
	if (from->ncategories > 0 && (take[GROUP_BASE] || to->ncategories == 0)) {
		to->categories = from->categories;
		to->ncategories = from->ncategories;
		to->primary_known = from->primary_known;
	}
	if (from->nkeywords > 0 && (take[GROUP_SOCIAL] || to->nkeywords == 0)) {
		to->keywords = from->keywords;
		to->nkeywords = from->nkeywords;
	}
}

static void
merge_signal(int64_t *to, int64_t from, bool take)
{
	if (from >= 0 && (take || *to < 0))
		*to = from;
}

static void
merge_numbers(struct paper *to, const struct paper *from, const bool *take)
{
	if (from->version > to->version)
		to->version = from->version;
	if (from->published_utc != 0 && (take[GROUP_BASE] || to->published_utc == 0))
		to->published_utc = from->published_utc;
	if (from->updated_utc > to->updated_utc)
		to->updated_utc = from->updated_utc;
	if (from->withdrawn_utc != 0 && to->withdrawn_utc == 0)
		to->withdrawn_utc = from->withdrawn_utc;
	merge_signal(&to->votes, from->votes, take[GROUP_SOCIAL]);
	merge_signal(&to->comments, from->comments, take[GROUP_SOCIAL]);
	merge_signal(&to->stars, from->stars, take[GROUP_SOCIAL]);
}

static bool
tells_social(const struct paper *p)
{
	return p->votes >= 0 || p->comments >= 0 || p->stars >= 0 || p->org[0] != '\0' ||
	    p->summary[0] != '\0' || p->code_url[0] != '\0' || p->nkeywords > 0;
}

/* A record of an older version must not bring its title and abstract back. */
static void
merge_record(
    struct known *k, const struct paper *from, const char *base_source, const char *social_source)
{
	bool outdated = from->version != 0 && from->version < k->paper->version;
	const bool take[] = {
		[GROUP_BASE] = !outdated &&
		    trust_of(base_source, GROUP_BASE) >= trust_of(k->base_source, GROUP_BASE),
		[GROUP_SOCIAL] = trust_of(social_source, GROUP_SOCIAL) >=
		    trust_of(k->social_source, GROUP_SOCIAL),
	};

	merge_texts(k->paper, from, take);
	merge_lists(k->paper, from, take);
	merge_numbers(k->paper, from, take);
	if (take[GROUP_BASE])
		k->base_source = base_source;
	if (take[GROUP_SOCIAL] && tells_social(from))
		k->social_source = social_source;
}

/* arXiv, else DOI, else a source's own. */
static int
key_order(const char *key)
{
	return strncmp(key, "arxiv:", 6) == 0 ? 0 : strncmp(key, "doi:", 4) == 0 ? 1 : 2;
}

static void
choose_key(struct paper *p, const struct paper *from)
{
	if (p->key[0] == '\0' || key_order(from->key) < key_order(p->key))
		p->key = from->key;
	for (size_t i = 0; i < from->naliases; i++)
		if (key_order(from->aliases[i]) < key_order(p->key))
			p->key = from->aliases[i];
}

/* ---- finding and reading ---- */

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

/* The different papers that a record's keys name, oldest first; at most MAX_KEYS. */
static int
find_known(struct store *store, const struct paper *p, int64_t *ids, size_t *n, struct error *err)
{
	size_t nkeys = 1 + p->naliases < MAX_KEYS ? 1 + p->naliases : MAX_KEYS;

	*n = 0;
	for (size_t i = 0; i < nkeys; i++) {
		int64_t id = 0;
		int found = find_key(store, i == 0 ? p->key : p->aliases[i - 1], &id, err);
		size_t at = *n;

		if (found == -1)
			return -1;
		for (size_t j = 0; found == 1 && j < *n; j++)
			if (ids[j] == id)
				found = 0;
		if (found == 0)
			continue;
		for (; at > 0 && ids[at - 1] > id; at--)
			ids[at] = ids[at - 1];
		ids[at] = id;
		(*n)++;
	}
	return 0;
}

static int
load_known(struct store *store, int64_t id, struct arena *a, struct known *k, struct error *err)
{
	struct stmt q;
	int rc, found;

	db_start(&q, store, SQL_PAPER_GET);
	db_bind_int(&q, id);
	if ((found = db_step(&q, err)) == -1)
		return -1;
	if (found == 0)
		return err_set(err, ERR_IO, "%s: paper %lld is named but missing; restore a backup",
		    store->path, (long long)id);
	k->id = id;
	k->revision = db_int(&q, 0);
	k->first_listed_utc = db_int(&q, 1);
	rc = db_text(&q, 2, a, &k->base_source, err);
	if (rc == 0)
		rc = db_text(&q, 3, a, &k->social_source, err);
	if (rc == 0)
		rc = db_blob(&q, 4, a, &k->card, &k->card_len, err);
	db_done(&q);
	if (rc == 0)
		rc = paper_unpack(k->card, k->card_len, a, &k->paper, err);
	return rc;
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

/* 1 = a new listing, 0 = known. */
static int
add_listing(struct store *store, int64_t id, const char *source, const struct paper *p,
    int64_t settle_s, int64_t now_utc, struct error *err)
{
	struct stmt q;
	int64_t known;
	int found;

	if (p->listed_day == 0)
		return 0;
	db_start(&q, store, SQL_LISTING_GET);
	db_bind_int(&q, id);
	db_bind_text(&q, source);
	db_bind_int(&q, p->listed_day);
	if ((found = db_step(&q, err)) == -1)
		return -1;
	known = found == 1 ? db_int(&q, 0) : -1;
	db_done(&q);
	if (found == 1 && known == p->votes)
		return 0;
	db_start(&q, store, SQL_LISTING_PUT);
	db_bind_int(&q, id);
	db_bind_text(&q, source);
	db_bind_int(&q, p->listed_day);
	db_bind_int(&q, (int64_t)p->kind);
	db_bind_int(&q, p->votes);
	db_bind_int(&q, now_utc);
	db_bind_int(&q, (int64_t)p->listed_day * DAY_S + settle_s);
	return db_run(&q, err) == -1 ? -1 : found == 0;
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
write_paper(struct store *store, enum sql_name name, const struct known *k, int64_t now_utc,
    struct error *err)
{
	struct stmt q;

	db_start(&q, store, name);
	db_bind_int(&q, k->id);
	db_bind_text(&q, k->paper->key);
	db_bind_text(&q, k->paper->title);
	db_bind_int(&q, k->paper->published_utc);
	db_bind_int(&q, k->revision);
	db_bind_int(&q, k->paper->change_seq);
	db_bind_int(&q, k->first_listed_utc);
	db_bind_int(&q, now_utc);
	db_bind_text(&q, k->base_source);
	db_bind_text(&q, k->social_source);
	return db_run(&q, err);
}

static bool
signals_differ(const struct paper *a, const struct paper *b)
{
	return a->votes != b->votes || a->comments != b->comments || a->stars != b->stars;
}

static int
add_signal(
    struct store *store, int64_t id, const struct paper *p, int64_t now_utc, struct error *err)
{
	if (p->votes < 0 && p->comments < 0 && p->stars < 0)
		return 0;
	return db_run_ints(
	    store, SQL_SIGNAL_ADD, DB_INTS(id, now_utc, p->votes, p->comments, p->stars), err);
}

/* Two papers are one: what hangs on the younger goes to the older. Its snapshots stay, editions
 * refer to them. */
static int
merge_papers(
    struct store *store, struct known *keep, int64_t drop, struct arena *a, struct error *err)
{
	static const enum sql_name moves[] = { SQL_MERGE_ALIASES, SQL_MERGE_LISTINGS,
		SQL_MERGE_SIGNALS, SQL_MERGE_EARLIER };
	static const enum sql_name ends[] = { SQL_MERGE_END_LISTINGS, SQL_MERGE_END_SIGNALS,
		SQL_MERGE_END_PAPER };
	struct known other;

	if (load_known(store, drop, a, &other, err) == -1)
		return -1;
	for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++)
		if (db_run_ints(store, moves[i], DB_INTS(drop, keep->id), err) == -1)
			return -1;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (db_run_ints(store, ends[i], DB_INTS(drop), err) == -1)
			return -1;
	if (db_run_ints(store, SQL_MERGED_ADD, DB_INTS(drop, keep->id), err) == -1)
		return -1;
	merge_record(keep, other.paper, other.base_source, other.social_source);
	choose_key(keep->paper, other.paper);
	if (other.first_listed_utc != 0 &&
	    (keep->first_listed_utc == 0 || other.first_listed_utc < keep->first_listed_utc))
		keep->first_listed_utc = other.first_listed_utc;
	return 0;
}

static int
new_known(struct store *store, struct arena *a, struct known *k, struct error *err)
{
	memset(k, 0, sizeof(*k));
	k->base_source = k->social_source = "";
	if ((k->paper = paper_new(a)) == NULL)
		return err_nomem(err, store->path);
	return db_get_int(store, SQL_PAPER_NEXT_ID, NULL, 0, &k->id, err) == 1 ? 0 : -1;
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

/* What one call of store_put_papers puts. */
struct put {
	struct store *store;
	const char *source, *type;
	int64_t settle_s, now_utc;
	struct store_put_counts *counts;
	struct strbuf card;
};

static int
write_put(struct put *put, struct known *k, const struct paper *p, bool signals_changed,
    bool was_merged, struct error *err)
{
	struct store *store = put->store;
	bool is_new = k->card == NULL, changed, listed;
	int rc;

	strbuf_reset(&put->card);
	paper_pack(&put->card, k->paper);
	if (strbuf_check(&put->card, err) == -1)
		return -1;
	changed = is_new || was_merged || put->card.len != k->card_len ||
	    memcmp(put->card.buf, k->card, k->card_len) != 0;
	if ((rc = add_listing(store, k->id, put->source, p, put->settle_s, put->now_utc, err)) ==
	    -1)
		return -1;
	listed = rc == 1;
	put->counts->nlistings += listed;
	count_put(put->counts, is_new, changed || listed);
	if (signals_changed && add_signal(store, k->id, k->paper, put->now_utc, err) == -1)
		return -1;
	if (changed) {
		k->revision++;
		if (add_snapshot(store, k, &put->card, put->now_utc, err) == -1)
			return -1;
	}
	if (add_aliases(store, p, k->id, err) == -1)
		return -1;
	if (!changed && !listed)
		return db_run_ints(store, SQL_PAPER_SEEN, DB_INTS(k->id, put->now_utc), err);
	k->paper->change_seq = db_next_change(store);
	return write_paper(store, is_new ? SQL_PAPER_ADD : SQL_PAPER_UPDATE, k, put->now_utc, err);
}

static int
put_paper(struct put *put, const struct paper *p, struct arena *a, struct error *err)
{
	struct known k;
	struct paper before;
	int64_t ids[MAX_KEYS];
	size_t n;

	if (find_known(put->store, p, ids, &n, err) == -1)
		return -1;
	if ((n == 0 ? new_known(put->store, a, &k, err)
		    : load_known(put->store, ids[0], a, &k, err)) == -1)
		return -1;
	before = *k.paper;
	for (size_t i = 1; i < n; i++)
		if (merge_papers(put->store, &k, ids[i], a, err) == -1)
			return -1;
	merge_record(&k, p, put->type, put->type);
	choose_key(k.paper, p);
	return write_put(put, &k, p, signals_differ(&before, k.paper), n > 1, err);
}

/* Places by votes of every day that the batch touched. */
static int
rank_days(struct store *store, const char *source, struct paper *const *papers, size_t n,
    struct error *err)
{
	int32_t last = 0;

	for (size_t i = 0; i < n; i++) {
		struct stmt q;

		/* Batches are of one day or sorted by day as a rule; ranking a day twice only
		 * costs time. */
		if (papers[i]->listed_day == last || papers[i]->votes < 0)
			continue;
		last = papers[i]->listed_day;
		db_start(&q, store, SQL_LISTING_RANK);
		db_bind_text(&q, source);
		db_bind_int(&q, last);
		if (db_run(&q, err) == -1)
			return -1;
	}
	return 0;
}

int
store_put_papers(struct store *store, const char *source, const char *type,
    struct paper *const *papers, size_t n, int64_t settle_s, int64_t now_utc,
    struct store_put_counts *counts, struct error *err)
{
	struct put put = { store, source, type, settle_s, now_utc, counts, { 0 } };
	int rc = 0;

	memset(counts, 0, sizeof(*counts));
	strbuf_init(&put.card, MAX_PACKED_BYTES);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		arena_reset(&store->scratch);
		rc = put_paper(&put, papers[i], &store->scratch, err);
	}
	if (rc == 0)
		rc = rank_days(store, source, papers, n, err);
	strbuf_release(&put.card);
	return rc;
}

/* ---- merged papers ---- */

static int
compare_pairs(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return x[0] < y[0] ? -1 : x[0] > y[0];
}

int
papers_load_merged(struct store *store, struct error *err)
{
	struct merged_ids *m = &store->merged;
	int64_t newest = 0, count;
	struct stmt q;
	int more;

	if (db_get_int(store, SQL_MERGED_NEWEST, NULL, 0, &newest, err) == -1)
		return -1;
	if (newest == m->newest)
		return 0;
	if (db_get_int(store, SQL_MERGED_COUNT, NULL, 0, &count, err) != 1)
		return -1;
	free(m->pairs);
	m->n = 0;
	m->newest = newest;
	if ((m->pairs = calloc((size_t)count + 1, sizeof(*m->pairs))) == NULL) {
		m->newest = -1;
		return err_nomem(err, store->path);
	}
	db_start(&q, store, SQL_MERGED_ALL);
	while ((more = db_step(&q, err)) == 1 && m->n < (size_t)count) {
		m->pairs[m->n][0] = db_int(&q, 0);
		m->pairs[m->n++][1] = db_int(&q, 1);
	}
	db_done(&q);
	qsort(m->pairs, m->n, sizeof(*m->pairs), compare_pairs);
	return more == -1 ? -1 : 0;
}

int64_t
papers_find_merged(const struct merged_ids *m, int64_t id)
{
	const int64_t key[2] = { id, 0 };
	const int64_t *pair =
	    m->n == 0 ? NULL : bsearch(key, m->pairs, m->n, sizeof(*m->pairs), compare_pairs);

	return pair != NULL ? pair[1] : id;
}

int
papers_follow(struct store *store, int64_t *id, struct error *err)
{
	if (papers_load_merged(store, err) == -1)
		return -1;
	*id = papers_find_merged(&store->merged, *id);
	return 0;
}
