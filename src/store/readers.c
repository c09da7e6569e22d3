#include "store/db.h"
#include "digest/limits.h"

#include <sodium.h>

#include <stdlib.h>
#include <string.h>

enum { PROFILE_VERSION = 1, READER_BATCH = 256 };

/* ---- the packed block ---- */

void
readers_pack(struct strbuf *out, const struct subscriber *s)
{
	strbuf_addc(out, PROFILE_VERSION);
	pack_text(out, s->address);
	pack_text(out, s->name);
	pack_text(out, s->timezone);
	pack_text(out, s->when);
	pack_text(out, s->language);
	pack_uint(out, s->limit);
	pack_uint(out, s->max_papers);
	pack_uint(out, s->outside);
	pack_uint(out, (uint64_t)s->empty);
	pack_uint(out, (uint64_t)s->updates);
	pack_uint(out, s->paused_until > 0 ? (uint64_t)s->paused_until : 0);
	pack_uint(out, s->nfilters);
	for (size_t i = 0; i < s->nfilters; i++) {
		const struct filter *f = &s->filters[i];

		pack_text(out, f->name);
		pack_text(out, f->match);
		pack_text(out, f->when);
		pack_uint(out, f->limit);
		pack_uint(out, (uint64_t)f->sort);
	}
}

static void
unpack_filters(struct unpack *u, struct arena *a, struct subscriber *s)
{
	uint64_t n = unpack_uint(u);

	if (u->broken || n > MAX_READER_FILTERS ||
	    (s->filters = arena_array(a, (size_t)n, sizeof(*s->filters))) == NULL) {
		u->broken = true;
		return;
	}
	s->nfilters = (size_t)n;
	for (size_t i = 0; i < s->nfilters; i++) {
		struct filter *f = &s->filters[i];

		f->name = unpack_text(u, a);
		f->match = unpack_text(u, a);
		f->when = unpack_text(u, a);
		f->limit = (uint32_t)unpack_uint(u);
		f->sort = (enum sort_order)unpack_uint(u);
		f->sort_given = true;
		f->file = "";
	}
}

int
readers_unpack(const unsigned char *bytes, size_t len, struct arena *a, struct subscriber *s,
    struct error *err)
{
	struct unpack u = { bytes, bytes + len, false };

	if (len == 0 || *u.p++ != PROFILE_VERSION)
		return err_set(err, ERR_DATA, "packed reader: not of version %d", PROFILE_VERSION);
	s->address = unpack_text(&u, a);
	s->name = unpack_text(&u, a);
	s->timezone = unpack_text(&u, a);
	s->when = unpack_text(&u, a);
	s->language = unpack_text(&u, a);
	s->limit = (uint32_t)unpack_uint(&u);
	s->max_papers = (uint32_t)unpack_uint(&u);
	s->outside = (uint32_t)unpack_uint(&u);
	s->empty = (enum empty_policy)unpack_uint(&u);
	s->updates = (enum updates_policy)unpack_uint(&u);
	s->paused_until = (int32_t)unpack_uint(&u);
	unpack_filters(&u, a, s);
	if (u.broken || u.p != u.end)
		return a->failed ? err_nomem(err, "packed reader")
				 : err_set(err, ERR_DATA, "packed reader: damaged");
	return 0;
}

/* ---- reading ---- */

/* The columns that SQL_READER_BY_ADDRESS, SQL_READER_BY_ID and SQL_READER_BATCH share. */
static int
read_reader(struct stmt *q, struct arena *a, struct store_reader *r, struct error *err)
{
	const unsigned char *profile = sqlite3_column_blob(q->st, 12);
	size_t len = (size_t)sqlite3_column_bytes(q->st, 12);
	int32_t paused;

	memset(r, 0, sizeof(*r));
	if (readers_unpack(profile, len, a, &r->sub, err) == -1)
		return err_prefix(err, "%s: reader %lld", q->store->path, (long long)db_int(q, 0));
	r->sub.id = db_int(q, 0);
	r->sub.was = "";
	r->sub.origin = (enum reader_origin)db_int(q, 2);
	r->state = (enum reader_state)db_int(q, 3);
	r->broken = db_int(q, 4) != 0;
	r->vanished = db_int(q, 5) != 0;
	r->created_utc = db_int(q, 6);
	r->ended_utc = db_int(q, 7);
	paused = (int32_t)db_int(q, 8);
	if (paused > r->sub.paused_until)
		r->sub.paused_until = paused;
	r->sub.line = (uint32_t)db_int(q, 11);
	r->cursor_seq = db_int(q, 13);
	r->last_period = db_int(q, 14);
	r->last_edition_utc = db_int(q, 15);
	r->suppressed = db_int(q, 16) != 0;
	if (db_blob(q, 17, a, &r->programs, &r->programs_len, err) == -1)
		return -1;
	if (db_text(q, 1, a, &r->sub.canonical, err) == -1 ||
	    db_text(q, 9, a, &r->consent, err) == -1)
		return -1;
	return db_text(q, 10, a, &r->sub.file, err);
}

static int
finish_reader(struct stmt *q, struct arena *a, struct store_reader **out, struct error *err)
{
	struct store_reader *r;
	int found = db_step(q, err);

	if (found != 1)
		return found;
	if ((r = arena_zalloc(a, sizeof(*r))) == NULL)
		found = err_nomem(err, "reader");
	else if (read_reader(q, a, r, err) == -1)
		found = -1;
	else
		*out = r;
	db_done(q);
	return found;
}

int
store_find_reader(struct store *store, const char *canonical, struct arena *a,
    struct store_reader **out, struct error *err)
{
	struct stmt q;

	db_start(&q, store, SQL_READER_BY_ADDRESS);
	db_bind_text(&q, canonical);
	return finish_reader(&q, a, out, err);
}

int
store_load_reader(
    struct store *store, int64_t id, struct arena *a, struct store_reader **out, struct error *err)
{
	struct stmt q;

	db_start(&q, store, SQL_READER_BY_ID);
	db_bind_int(&q, id);
	return finish_reader(&q, a, out, err);
}

static int
read_batch(struct store *store, bool ended_too, int64_t after, struct arena *a,
    struct store_reader *batch, size_t *n, struct error *err)
{
	struct stmt q;
	int more;

	*n = 0;
	db_start(&q, store, SQL_READER_BATCH);
	db_bind_int(&q, after);
	db_bind_int(&q, ended_too);
	db_bind_int(&q, READER_BATCH);
	while ((more = db_step(&q, err)) == 1 && *n < READER_BATCH) {
		if (read_reader(&q, a, &batch[*n], err) == -1) {
			more = -1;
			break;
		}
		(*n)++;
	}
	db_done(&q);
	return more == -1 ? -1 : 0;
}

/* In batches: no statement stays open while visit runs, so that it may read and write as it
 * likes. */
int
store_each_reader(struct store *store, bool ended_too,
    int (*visit)(void *arg, const struct store_reader *r), void *arg, struct error *err)
{
	struct arena a;
	struct store_reader *batch = calloc(READER_BATCH, sizeof(*batch));
	int64_t after = 0;
	size_t n = READER_BATCH;
	int rc = 0;

	if (batch == NULL)
		return err_nomem(err, "readers");
	arena_init(&a, MAX_RUN_BYTES);
	while (rc == 0 && n == READER_BATCH) {
		arena_reset(&a);
		rc = read_batch(store, ended_too, after, &a, batch, &n, err);
		for (size_t i = 0; rc == 0 && i < n; i++)
			rc = visit(arg, &batch[i]);
		if (n > 0)
			after = batch[n - 1].sub.id;
	}
	arena_release(&a);
	free(batch);
	return rc;
}

int
store_count_readers(struct store *store, size_t *nactive, struct error *err)
{
	int64_t n;

	if (db_get_int(store, SQL_READER_COUNT, NULL, 0, &n, err) != 1)
		return -1;
	*nactive = (size_t)n;
	return 0;
}

/* ---- writing ---- */

static int
insert_reader(struct store *store, const struct subscriber *s, enum reader_origin origin,
    const char *consent, int64_t now_utc, const struct strbuf *profile, const unsigned char *digest,
    struct error *err)
{
	unsigned char hash[HASH_BYTES];
	struct stmt q;

	suppress_hash(store, s->canonical, hash);
	db_start(&q, store, SQL_READER_ADD);
	db_bind_text(&q, s->canonical);
	db_bind_blob(&q, hash, sizeof(hash));
	db_bind_int(&q, (int64_t)origin);
	db_bind_int(&q, now_utc);
	db_bind_text(&q, consent);
	db_bind_text(&q, s->file);
	db_bind_int(&q, s->line);
	db_bind_blob(&q, digest, HASH_BYTES);
	db_bind_blob(&q, profile->buf, profile->len);
	if (db_run(&q, err) == -1)
		return -1;
	return db_run_ints(
	    store, SQL_CURSOR_ADD, DB_INTS(sqlite3_last_insert_rowid(store->db)), err);
}

static int
update_reader(struct store *store, const struct subscriber *s, enum reader_origin origin,
    int64_t id, const char *consent, const struct strbuf *profile, const unsigned char *digest,
    struct error *err)
{
	struct stmt q;

	db_start(&q, store, SQL_READER_UPDATE);
	db_bind_int(&q, id);
	db_bind_int(&q, (int64_t)origin);
	db_bind_text(&q, consent);
	db_bind_text(&q, s->file);
	db_bind_int(&q, s->line);
	db_bind_blob(&q, digest, HASH_BYTES);
	db_bind_blob(&q, profile->buf, profile->len);
	return db_run(&q, err);
}

int
readers_write(struct store *store, const struct subscriber *s, enum reader_origin origin,
    int64_t id, const char *consent, int64_t now_utc, struct error *err)
{
	unsigned char digest[HASH_BYTES];
	struct strbuf profile;
	int rc;

	strbuf_init(&profile, MAX_PACKED_BYTES);
	readers_pack(&profile, s);
	if ((rc = strbuf_check(&profile, err)) == 0) {
		crypto_generichash(digest, sizeof(digest), (const unsigned char *)profile.buf,
		    profile.len, NULL, 0);
		rc = id == 0
		    ? insert_reader(store, s, origin, consent, now_utc, &profile, digest, err)
		    : update_reader(store, s, origin, id, consent, &profile, digest, err);
	}
	strbuf_release(&profile);
	return rc;
}

int
readers_skip_to_now(struct store *store, int64_t id, int64_t now_utc, struct error *err)
{
	int64_t yesterday = now_utc / DAY_S - 1;
	int64_t newest;

	if (store_change_seq(store, &newest, err) == -1)
		return -1;
	return db_run_ints(store, SQL_CURSOR_SKIP, DB_INTS(id, newest, yesterday), err);
}

int
store_put_reader(struct store *store, const struct subscriber *reader, const char *consent,
    int64_t now_utc, struct error *err)
{
	enum reader_origin origin = reader->origin == ORIGIN_FILE ? ORIGIN_COMMAND : reader->origin;
	struct store_reader *known = NULL;
	struct strbuf record;
	int found, rc;

	arena_reset(&store->scratch);
	found = store_find_reader(store, reader->canonical, &store->scratch, &known, err);
	if (found == -1)
		return -1;
	if (found == 0)
		return readers_write(store, reader, origin, 0, consent, now_utc, err);
	if (known->sub.origin == ORIGIN_FILE && known->state == READER_ACTIVE)
		return err_set(err, ERR_USAGE, "%s is in %s:%u; edit there", reader->address,
		    known->sub.file, known->sub.line);
	if (known->state == READER_ENDED &&
	    readers_skip_to_now(store, known->sub.id, now_utc, err) == -1)
		return -1;
	strbuf_init(&record, 2 * MAX_CONSENT_BYTES);
	rc = readers_join_consents(known->consent, consent, &record, err);
	if (rc == 0)
		rc = readers_write(store, reader, origin, known->sub.id, record.buf, now_utc, err);
	strbuf_release(&record);
	return rc;
}

int
store_end_reader(struct store *store, int64_t id, int64_t now_utc, struct error *err)
{
	return db_run_ints(store, SQL_READER_END, DB_INTS(id, now_utc), err);
}

int
store_move_in_reader(struct store *store, int64_t id, int64_t created_utc, int64_t last_edition_utc,
    struct error *err)
{
	if (db_run_ints(store, SQL_READER_MOVE_IN, DB_INTS(id, created_utc), err) == -1)
		return -1;
	return last_edition_utc == 0
	    ? 0
	    : db_run_ints(store, SQL_CURSOR_MOVE_IN, DB_INTS(id, last_edition_utc), err);
}

int
store_pause_reader(struct store *store, int64_t id, int32_t until_day, struct error *err)
{
	return db_run_ints(store, SQL_READER_PAUSE, DB_INTS(id, until_day), err);
}

int
store_erase_reader(struct store *store, int64_t id, struct error *err)
{
	/* SQLite's secure_delete, switched on in open.c, overwrites what is removed. */
	static const enum sql_name traces[] = { SQL_ERASE_READER, SQL_ERASE_CURSOR, SQL_ERASE_SENT,
		SQL_ERASE_PICKS, SQL_ERASE_EDITIONS, SQL_ERASE_INCOMING };

	for (size_t i = 0; i < sizeof(traces) / sizeof(traces[0]); i++)
		if (db_run_ints(store, traces[i], DB_INTS(id), err) == -1)
			return -1;
	return 0;
}
