#include "store/db.h"
#include "store/merge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { HALF_LIFE_S = 36 * 60 * 60 };

/* ---- reads that belong together see one state of the store ---- */

/* 1 = begun here, 0 = inside a transaction anyway, -1. */
static int
begin_read(struct store *store, struct error *err)
{
	if (sqlite3_get_autocommit(store->db) == 0)
		return 0;
	return db_exec_whole(store, "BEGIN", err) == -1 ? -1 : 1;
}

static void
end_read(struct store *store, int begun)
{
	if (begun == 1)
		db_exec_whole(store, "COMMIT", NULL);
}

/* ---- one paper, complete ---- */

static int
read_alias(struct stmt *q, struct arena *a, void *row, struct error *err)
{
	return db_text(q, 0, a, row, err);
}

/* All keys but its own. */
static int
load_aliases(struct store *store, struct paper *p, struct arena *a, struct error *err)
{
	struct db_rows rows;
	struct stmt q;

	db_start(&q, store, SQL_ALIAS_OTHER);
	db_bind_int(&q, p->id);
	db_bind_text(&q, p->key);
	if (db_load_rows(&q, a, sizeof(*p->aliases), read_alias, &rows, err) == -1)
		return -1;
	p->aliases = rows.items;
	p->naliases = rows.n;
	return 0;
}

static int
read_listing(struct stmt *q, struct arena *a, void *row, struct error *err)
{
	struct store_listing *l = row;

	l->day = (int32_t)db_int(q, 1);
	l->kind = (enum paper_kind)db_int(q, 2);
	l->rank = (uint32_t)db_int(q, 3);
	l->seen_utc = db_int(q, 4);
	l->counts_utc = db_int(q, 5);
	l->counted = db_int(q, 6) != 0;
	l->late = db_int(q, 7) != 0;
	return db_text(q, 0, a, &l->source, err);
}

static void
add_source(struct paper *p, const char *name)
{
	for (size_t i = 0; i < p->nsources; i++)
		if (strcmp(p->sources[i], name) == 0)
			return;
	p->sources[p->nsources++] = name;
}

/* Oldest first, so that the last one that counts is the newest. */
static int
load_places(struct store *store, struct paper *p, struct arena *a, struct error *err)
{
	const struct store_listing *l;
	struct db_rows rows;
	struct stmt q;

	db_start(&q, store, SQL_LISTING_ALL);
	db_bind_int(&q, p->id);
	if (db_load_rows(&q, a, sizeof(*l), read_listing, &rows, err) == -1)
		return -1;
	if ((p->sources = arena_array(a, rows.n, sizeof(*p->sources))) == NULL)
		return err_nomem(err, store->path);
	l = rows.items;
	for (size_t i = 0; i < rows.n; i++) {
		add_source(p, l[i].source);
		if (!l[i].counted)
			continue;
		if (p->source[0] == '\0') /* the first that counts */
			p->late = l[i].late;
		p->source = l[i].source;
		p->listed_day = l[i].day;
		p->kind = l[i].kind;
		p->rank = l[i].rank;
	}
	return 0;
}

/* How much a rise is worth now. */
static double
decayed(double rise, int64_t at_utc, int64_t now_utc)
{
	int64_t age_s = now_utc > at_utc ? now_utc - at_utc : 0;

	return rise * exp2(-(double)age_s / HALF_LIFE_S);
}

/* The rise of one signal above the highest value seen; the first value dates from first_utc (0 =
 * counts nothing). */
static double
rise_of(int64_t value, int64_t *highest, int64_t at_utc, int64_t first_utc, int64_t now_utc)
{
	int64_t before = *highest;

	if (value <= before)
		return 0;
	*highest = value;
	if (before >= 0)
		return decayed((double)(value - before), at_utc, now_utc);
	return first_utc == 0 ? 0 : decayed((double)value, first_utc, now_utc);
}

/* "trend" of digest-filter(7): comments twice, stars a tenth; an old favourite does not head the list,
 * because what it had when we first saw it dates from its listing, and its stars of that time
 * count nothing. */
static int
load_trend(struct store *store, struct paper *p, int64_t now_utc, struct error *err)
{
	int64_t votes = -1, comments = -1, stars = -1;
	struct stmt q;
	int more;

	db_start(&q, store, SQL_SIGNAL_ALL);
	db_bind_int(&q, p->id);
	while ((more = db_step(&q, err)) == 1) {
		int64_t at = db_int(&q, 0);
		int64_t first =
		    p->first_listed_utc != 0 && p->first_listed_utc < at ? p->first_listed_utc : at;

		p->trend += rise_of(db_int(&q, 1), &votes, at, first, now_utc);
		p->trend += 2 * rise_of(db_int(&q, 2), &comments, at, first, now_utc);
		p->trend += rise_of(db_int(&q, 3), &stars, at, 0, now_utc) / 10;
	}
	return more;
}

/* The columns that SQL_PAPER_FULL, SQL_WINDOW and SQL_PAPER_AFTER share. */
static int
read_paper(
    struct store *store, struct stmt *q, struct arena *a, struct paper **out, struct error *err)
{
	const void *card = sqlite3_column_blob(q->st, 4);
	size_t len = (size_t)sqlite3_column_bytes(q->st, 4);
	struct paper *p;

	if (paper_unpack(card, len, a, &p, err) == -1)
		return err_prefix(err, "%s: paper %lld", store->path, (long long)db_int(q, 0));
	p->id = db_int(q, 0);
	p->revision = (uint32_t)db_int(q, 1);
	p->change_seq = db_int(q, 2);
	p->first_listed_utc = db_int(q, 3);
	*out = p;
	return 0;
}

static int
complete_paper(
    struct store *store, struct paper *p, int64_t now_utc, struct arena *a, struct error *err)
{
	if (load_aliases(store, p, a, err) == -1 || load_places(store, p, a, err) == -1)
		return -1;
	return load_trend(store, p, now_utc, err);
}

/* Trends of a single paper are as of the newest signal in the store: there is no clock down
 * here. */
static int
newest_signal(struct store *store, int64_t paper, int64_t *out, struct error *err)
{
	*out = 0;
	return db_get_int(store, SQL_SIGNAL_NEWEST, DB_INTS(paper), out, err);
}

static int
finish_single(
    struct store *store, struct stmt *q, struct arena *a, struct paper **out, struct error *err)
{
	struct paper *p;
	int64_t now_utc;
	int rc = read_paper(store, q, a, &p, err);

	db_done(q);
	if (rc == -1 || newest_signal(store, p->id, &now_utc, err) == -1 ||
	    complete_paper(store, p, now_utc, a, err) == -1)
		return -1;
	*out = p;
	return 1;
}

static int
load_numbered(struct store *store, enum sql_name name, int64_t id, struct arena *a,
    struct paper **out, struct error *err)
{
	struct stmt q;
	int found, begun = begin_read(store, err);

	if (begun == -1)
		return -1;
	db_start(&q, store, name);
	db_bind_int(&q, id);
	if ((found = db_step(&q, err)) == 1)
		found = finish_single(store, &q, a, out, err);
	end_read(store, begun);
	return found;
}

int
store_load_paper(
    struct store *store, int64_t id, struct arena *a, struct paper **out, struct error *err)
{
	if (papers_follow(store, &id, err) == -1)
		return -1;
	return load_numbered(store, SQL_PAPER_FULL, id, a, out, err);
}

int
store_find_paper(
    struct store *store, const char *key, struct arena *a, struct paper **out, struct error *err)
{
	struct strbuf canonical;
	struct stmt q;
	int64_t id = 0;
	int found = -1;

	strbuf_init(&canonical, 1024);
	if (paper_add_key(&canonical, key, NULL) == 0)
		strbuf_add(&canonical, key);
	if (strbuf_check(&canonical, NULL) == -1) {
		found = 0; /* no key is as long as this */
		goto out;
	}
	db_start(&q, store, SQL_ALIAS_GET);
	db_bind_text(&q, canonical.buf);
	if ((found = db_step(&q, err)) == 1) {
		id = db_int(&q, 0);
		db_done(&q);
		found = store_load_paper(store, id, a, out, err);
	}
out:
	strbuf_release(&canonical);
	return found;
}

int
store_each_paper(struct store *store, int (*visit)(void *arg, const struct paper *p), void *arg,
    struct error *err)
{
	struct arena a;
	int64_t id = 0;
	int found, rc = 0;

	/* No statement stays open while visit runs, so that it may read and write as it likes. */
	arena_init(&a, SCRATCH_BYTES);
	do {
		struct paper *p = NULL;

		arena_reset(&a);
		if ((found = load_numbered(store, SQL_PAPER_AFTER, id, &a, &p, err)) != 1)
			break;
		id = p->id;
		rc = visit(arg, p);
	} while (rc == 0);
	arena_release(&a);
	return found == -1 ? -1 : rc;
}

/* ---- the window ---- */

static int
read_window(struct store *store, int64_t since_utc, struct arena *a, struct paper **papers,
    size_t max, size_t *n, struct error *err)
{
	struct stmt q;
	int more;

	*n = 0;
	db_start(&q, store, SQL_WINDOW);
	db_bind_int(&q, since_utc);
	while ((more = db_step(&q, err)) == 1 && *n < max) {
		if (read_paper(store, &q, a, &papers[*n], err) == -1) {
			more = -1;
			break;
		}
		(*n)++;
	}
	db_done(&q);
	return more == -1 ? -1 : 0;
}

int
store_load_window(struct store *store, int64_t since_utc, int64_t now_utc, struct arena *a,
    struct paper ***out, size_t *n, struct error *err)
{
	struct paper **papers;
	int64_t count;
	size_t got = 0;
	int rc = -1, begun = begin_read(store, err);

	if (begun == -1)
		return -1;
	if (db_get_int(store, SQL_WINDOW_COUNT, DB_INTS(since_utc), &count, err) != 1)
		goto out;
	if ((papers = arena_array(a, (size_t)count, sizeof(struct paper *))) == NULL) {
		err_nomem(err, "window of papers");
		goto out;
	}
	if (read_window(store, since_utc, a, papers, (size_t)count, &got, err) == -1)
		goto out;
	for (size_t i = 0; i < got; i++)
		if (complete_paper(store, papers[i], now_utc, a, err) == -1)
			goto out;
	*out = papers;
	*n = got;
	rc = 0;
out:
	end_read(store, begun);
	return rc;
}

static int
load_at(struct store *store, int64_t id, int64_t now_utc, struct arena *a, struct paper **out,
    struct error *err)
{
	struct stmt q;
	int found;

	db_start(&q, store, SQL_PAPER_FULL);
	db_bind_int(&q, id);
	if ((found = db_step(&q, err)) != 1)
		return found;
	found = read_paper(store, &q, a, out, err);
	db_done(&q);
	return found == -1 || complete_paper(store, *out, now_utc, a, err) == -1 ? -1 : 1;
}

int
store_load_papers(struct store *store, const int64_t *ids, size_t nids, int64_t now_utc,
    struct arena *a, struct paper ***out, size_t *n, struct error *err)
{
	struct paper **papers = arena_array(a, nids, sizeof(struct paper *));
	int found = 0, begun = begin_read(store, err);
	size_t got = 0;

	if (begun == -1)
		return -1;
	if (papers == NULL)
		found = err_nomem(err, "papers found");
	for (size_t i = 0; i < nids && found != -1; i++)
		if ((found = load_at(store, ids[i], now_utc, a, &papers[got], err)) == 1)
			got++;
	end_read(store, begun);
	if (found == -1)
		return -1;
	*out = papers;
	*n = got;
	return 0;
}

/* ---- by title ---- */

/* Letters without regard to ASCII case; other characters as they are. */
static bool
has_words(const char *title, char *const *words, size_t nwords)
{
	for (size_t i = 0; i < nwords; i++)
		if (strcasestr(title, words[i]) == NULL)
			return false;
	return true;
}

static size_t
split_words(char *text, char **words, size_t max)
{
	size_t n = 0;

	for (;;) {
		text += strspn(text, " \t\r\n");
		if (*text == '\0' || n == max)
			return n;
		words[n++] = text;
		text += strcspn(text, " \t\r\n");
		if (*text != '\0')
			*text++ = '\0';
	}
}

int
store_find_titles(struct store *store, const char *words, struct arena *a, size_t max,
    struct paper ***out, size_t *n, struct error *err)
{
	enum { MAX_WORDS = 32 };
	char *copy = arena_strdup(a, words), *split[MAX_WORDS];
	struct paper **papers = arena_array(a, max, sizeof(struct paper *));
	int64_t *ids = arena_array(a, max, sizeof(*ids));
	size_t nwords, found = 0;
	struct stmt q;
	int more;

	if (copy == NULL || papers == NULL || ids == NULL)
		return err_nomem(err, "titles");
	nwords = split_words(copy, split, MAX_WORDS);
	db_start(&q, store, SQL_TITLE_ALL);
	while (nwords > 0 && found < max && (more = db_step(&q, err)) != 0) {
		if (more == -1)
			return -1;
		if (has_words((const char *)sqlite3_column_text(q.st, 1), split, nwords))
			ids[found++] = db_int(&q, 0);
	}
	db_done(&q);
	for (size_t i = 0; i < found; i++)
		if (store_load_paper(store, ids[i], a, &papers[i], err) != 1)
			return -1;
	*out = papers;
	*n = found;
	return 0;
}

/* ---- listings, signals, snapshots ---- */

/* Places by votes on one day that has a listing without. 1 = done, 0 = there is none, -1. */
static int
rank_day(struct store *store, struct error *err)
{
	const char *source;
	struct stmt q;
	int64_t day;
	int found;

	arena_reset(&store->scratch);
	db_start(&q, store, SQL_LISTING_UNRANKED);
	if ((found = db_step(&q, err)) != 1)
		return found;
	day = db_int(&q, 1);
	found = db_text(&q, 0, &store->scratch, &source, err);
	db_done(&q);
	if (found == -1)
		return -1;
	db_start(&q, store, SQL_LISTING_RANK);
	db_bind_text(&q, source);
	db_bind_int(&q, day);
	if (db_run(&q, err) == -1)
		return -1;
	return db_changes(store) > 0
	    ? 1
	    : err_set(err, ERR_IO, "%s: a listing has no paper; restore a backup", store->path);
}

int
store_settle_listings(struct store *store, int64_t now_utc, size_t *nsettled, struct error *err)
{
	int64_t paper;
	int found;

	*nsettled = 0;
	while ((found = rank_day(store, err)) == 1)
		continue;
	if (found == -1)
		return -1;
	/* Paper by paper: each gets a change_seq of its own. */
	while ((found = db_get_int(store, SQL_LISTING_DUE, DB_INTS(now_utc), &paper, err)) == 1) {
		if (db_run_ints(store, SQL_LISTING_SETTLE, DB_INTS(paper, now_utc), err) == -1)
			return -1;
		*nsettled += (size_t)db_changes(store);
		if (db_run_ints(
			store, SQL_PAPER_LISTED, DB_INTS(paper, db_next_change(store)), err) == -1)
			return -1;
	}
	return found;
}

int
store_load_last_day(struct store *store, int32_t *out, struct error *err)
{
	int64_t utc;

	if (db_get_int(store, SQL_LISTING_LAST, NULL, 0, &utc, err) != 1)
		return -1;
	*out = (int32_t)(utc / DAY_S);
	return 0;
}

int
store_count_waiting(struct store *store, size_t *nwaiting, int64_t *next_utc, struct error *err)
{
	struct stmt q;

	db_start(&q, store, SQL_LISTING_WAITING);
	if (db_step(&q, err) != 1)
		return -1;
	*nwaiting = (size_t)db_int(&q, 0);
	*next_utc = db_int(&q, 1);
	db_done(&q);
	return 0;
}

/* All rows of a paper, by whichever number it is known. */
static int
load_of_paper(struct store *store, enum sql_name name, int64_t paper, struct arena *a, size_t size,
    int (*read)(struct stmt *q, struct arena *a, void *row, struct error *err), struct db_rows *out,
    struct error *err)
{
	struct stmt q;

	if (papers_follow(store, &paper, err) == -1)
		return -1;
	db_start(&q, store, name);
	db_bind_int(&q, paper);
	return db_load_rows(&q, a, size, read, out, err);
}

int
store_load_listings(struct store *store, int64_t paper, struct arena *a, struct store_listing **out,
    size_t *n, struct error *err)
{
	struct db_rows rows;

	if (load_of_paper(
		store, SQL_LISTING_ALL, paper, a, sizeof(**out), read_listing, &rows, err) == -1)
		return -1;
	*out = rows.items;
	*n = rows.n;
	return 0;
}

static int
read_signal(struct stmt *q, struct arena *a, void *row, struct error *err)
{
	(void)a;
	(void)err;
	*(struct store_signal *)row =
	    (struct store_signal){ db_int(q, 0), db_int(q, 1), db_int(q, 2), db_int(q, 3) };
	return 0;
}

int
store_load_signals(struct store *store, int64_t paper, struct arena *a, struct store_signal **out,
    size_t *n, struct error *err)
{
	struct db_rows rows;

	if (load_of_paper(
		store, SQL_SIGNAL_ALL, paper, a, sizeof(**out), read_signal, &rows, err) == -1)
		return -1;
	*out = rows.items;
	*n = rows.n;
	return 0;
}

int
store_load_origins(struct store *store, int64_t paper, struct arena *a, struct store_origin **out,
    size_t *n, struct error *err)
{
	struct store_origin *rows = arena_array(a, MERGE_FIELDS, sizeof(*rows));
	const unsigned char *bytes;
	struct origins from;
	struct paper *p;
	struct stmt q;
	size_t len;
	int rc;

	if (rows == NULL)
		return err_nomem(err, "origins of a paper");
	*out = rows;
	*n = 0;
	if ((rc = store_load_paper(store, paper, a, &p, err)) != 1)
		return rc;
	db_start(&q, store, SQL_PAPER_FROM);
	db_bind_int(&q, p->id);
	if ((rc = db_step(&q, err)) != 1)
		return rc;
	rc = db_blob(&q, 0, a, &bytes, &len, err);
	db_done(&q);
	if (rc == -1 || merge_unpack(bytes, len, a, &from, err) == -1)
		return -1;
	for (size_t i = 0; i < MERGE_FIELDS; i++) {
		const struct origin *o = &from.of[i];

		if (merge_field_is_set(p, i) && o->type[0] != '\0')
			rows[(*n)++] = (struct store_origin){ merge_field_name(i),
				o->source[0] != '\0' ? o->source : o->type };
	}
	return 0;
}

int
store_load_snapshot(struct store *store, int64_t paper, uint32_t revision, struct arena *a,
    struct paper **out, struct error *err)
{
	struct paper *p;
	struct stmt q;
	int found;

	db_start(&q, store, SQL_SNAPSHOT_GET);
	db_bind_int(&q, paper);
	db_bind_int(&q, revision);
	if ((found = db_step(&q, err)) != 1)
		return found;
	found = paper_unpack(
	    sqlite3_column_blob(q.st, 0), (size_t)sqlite3_column_bytes(q.st, 0), a, &p, err);
	db_done(&q);
	if (found == -1)
		return -1;
	p->id = paper;
	p->revision = revision;
	*out = p;
	return 1;
}

static int
read_move(struct stmt *q, struct arena *a, void *row, struct error *err)
{
	struct store_move *m = row;

	(void)a;
	(void)err;
	m->paper = db_int(q, 0);
	m->revision = (uint32_t)db_int(q, 1);
	m->version = (uint32_t)db_int(q, 2);
	m->withdrawn = db_int(q, 3) != 0;
	return 0;
}

int
store_load_moves(struct store *store, int64_t since_utc, struct arena *a, struct store_move **out,
    size_t *n, struct error *err)
{
	struct db_rows rows;
	struct stmt q;

	db_start(&q, store, SQL_PAPER_MOVES);
	db_bind_int(&q, since_utc);
	if (db_load_rows(&q, a, sizeof(**out), read_move, &rows, err) == -1)
		return -1;
	*out = rows.items;
	*n = rows.n;
	return 0;
}
