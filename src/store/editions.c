#include "store/db.h"
#include "store/picks.h"
#include "digest/limits.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_COPIES = 2 };

static const char *const state_names[] = {
	[EDITION_LEASED] = "leased",
	[EDITION_INTENT] = "intent",
	[EDITION_SENT] = "sent",
	[EDITION_FAILED] = "failed",
	[EDITION_DEFERRED] = "deferred",
	[EDITION_UNKNOWN] = "unknown",
	[EDITION_HELD] = "held",
	[EDITION_EXPIRED] = "expired",
	[EDITION_MERGED] = "merged",
	[EDITION_EMPTY] = "empty",
};

const char *
edition_state_name(enum edition_state state)
{
	return (size_t)state <= EDITION_EMPTY ? state_names[state] : "?";
}

static const char not_mailed[] = "not sent: the address is suppressed or its subscription ended";

/* Nothing more will happen to it by itself or by a person. */
static bool
is_settled(enum edition_state state)
{
	return state != EDITION_LEASED && state != EDITION_INTENT && state != EDITION_DEFERRED &&
	    state != EDITION_UNKNOWN && state != EDITION_HELD;
}

/* ---- reading ---- */

/* The columns that all SQL_EDITION_* selects share. */
static int
read_edition(struct stmt *q, struct arena *a, void *row, struct error *err)
{
	struct edition *e = row;
	const unsigned char *picks = sqlite3_column_blob(q->st, 13);
	const char *reply = (const char *)sqlite3_column_text(q->st, 12);
	size_t len = (size_t)sqlite3_column_bytes(q->st, 12);

	memset(e, 0, sizeof(*e));
	e->period = db_int(q, 0);
	e->reader = db_int(q, 1);
	e->state = (enum edition_state)db_int(q, 2);
	e->cursor_from = db_int(q, 3);
	e->cursor_to = db_int(q, 4);
	e->composed_utc = db_int(q, 5);
	e->nread = (uint32_t)db_int(q, 6);
	e->nmatched = (uint32_t)db_int(q, 7);
	e->attempts = (uint32_t)db_int(q, 8);
	e->copies = (uint32_t)db_int(q, 9);
	e->next_utc = db_int(q, 10);
	if (sqlite3_column_bytes(q->st, 11) == (int)sizeof(e->hash))
		memcpy(e->hash, sqlite3_column_blob(q->st, 11), sizeof(e->hash));
	if (len >= sizeof(e->reply))
		len = sizeof(e->reply) - 1;
	if (reply != NULL)
		memcpy(e->reply, reply, len);
	e->tried_utc = db_int(q, 14);
	if (db_text(q, 15, a, &e->via, err) == -1)
		return -1;
	return picks_unpack(picks, (size_t)sqlite3_column_bytes(q->st, 13), a, e, err);
}

static int
finish_edition(struct stmt *q, struct arena *a, struct edition **out, struct error *err)
{
	struct edition *e;
	int found = db_step(q, err);

	if (found != 1)
		return found;
	if ((e = arena_alloc(a, sizeof(*e))) == NULL)
		found = err_nomem(err, "edition");
	else if (read_edition(q, a, e, err) == -1)
		found = err_prefix(err, "%s: edition %" PRId64 " of reader %" PRId64,
		    q->store->path, db_int(q, 0), db_int(q, 1));
	else
		*out = e;
	db_done(q);
	return found;
}

int
store_load_edition(struct store *store, int64_t period, int64_t reader, struct arena *a,
    struct edition **out, struct error *err)
{
	struct stmt q;

	db_start(&q, store, SQL_EDITION_GET);
	db_bind_int(&q, period);
	db_bind_int(&q, reader);
	return finish_edition(&q, a, out, err);
}

int
store_count_attempts(
    struct store *store, int64_t period, int64_t reader, uint32_t *out, struct error *err)
{
	struct edition *e;
	int found;

	arena_reset(&store->scratch);
	found = store_load_edition(store, period, reader, &store->scratch, &e, err);
	*out = found == 1 ? e->attempts : 0;
	return found == -1 ? -1 : 0;
}

static int
read_slot(struct stmt *q, struct arena *a, void *row, struct error *err)
{
	(void)a;
	(void)err;
	*(struct store_slot *)row = (struct store_slot){ db_int(q, 0), db_int(q, 1), db_int(q, 2) };
	return 0;
}

int
store_load_slots(struct store *store, int64_t reader, struct arena *a, struct store_slot **out,
    size_t *n, struct error *err)
{
	struct db_rows rows;
	struct stmt q;

	db_start(&q, store, SQL_SLOT_ALL);
	db_bind_int(&q, reader);
	if (db_load_rows(&q, a, sizeof(**out), read_slot, &rows, err) == -1)
		return -1;
	*out = rows.items;
	*n = rows.n;
	return 0;
}

int
store_find_unsettled(
    struct store *store, int64_t reader, struct arena *a, struct edition **out, struct error *err)
{
	struct stmt q;

	db_start(&q, store, SQL_EDITION_OPEN);
	db_bind_int(&q, reader);
	return finish_edition(&q, a, out, err);
}

int
store_load_editions(struct store *store, int64_t reader, size_t max, struct arena *a,
    struct edition **out, size_t *n, struct error *err)
{
	struct db_rows rows;
	struct stmt q;

	db_start(&q, store, reader == 0 ? SQL_EDITION_NEWEST : SQL_EDITION_NEWEST_OF);
	db_bind_int(&q, (int64_t)max);
	if (reader != 0)
		db_bind_int(&q, reader);
	if (db_load_rows(&q, a, sizeof(**out), read_edition, &rows, err) == -1)
		return -1;
	*out = rows.items;
	*n = rows.n;
	return 0;
}

int
store_count_empty(struct store *store, int64_t reader, size_t *n, struct error *err)
{
	struct stmt q;
	int more;

	*n = 0;
	db_start(&q, store, SQL_EDITION_STATES_OF);
	db_bind_int(&q, reader);
	while ((more = db_step(&q, err)) == 1 && db_int(&q, 0) == EDITION_EMPTY)
		(*n)++;
	db_done(&q);
	return more == -1 ? -1 : 0;
}

/* Editions are found in three lists. */
enum list {
	LIST_AGAIN = -1, /* by the cursors that stand for a second copy; those in LIST_OPEN aside */
	LIST_OPEN = 0,	 /* by the readers' cursors */
	LIST_WAITING, /* those that wait for a time or a person, of which a reader may have older ones */
};

/* The one after (period, reader) in the order of its list; 1, 0 = the end, -1. */
static int
next_listed(struct store *store, enum list list, int64_t period, int64_t reader, struct arena *a,
    struct edition **out, struct error *err)
{
	struct stmt q;

	db_start(
	    &q, store, list == LIST_WAITING ? SQL_EDITION_WAITING_AFTER : SQL_EDITION_OPEN_AFTER);
	db_bind_int(&q, list == LIST_WAITING ? period : (int64_t)list);
	db_bind_int(&q, reader);
	return finish_edition(&q, a, out, err);
}

static int
each_listed(struct store *store, enum list list, int (*visit)(void *arg, int64_t paper), void *arg,
    struct error *err)
{
	struct edition *e;
	int64_t period = 0, reader = 0;
	int found, rc = 0;

	while (rc == 0) {
		arena_reset(&store->scratch);
		found = next_listed(store, list, period, reader, &store->scratch, &e, err);
		if (found != 1)
			return found;
		period = e->period;
		reader = e->reader;
		for (size_t i = 0; rc == 0 && i < e->npicks; i++)
			rc = visit(arg, e->picks[i].paper);
	}
	return rc;
}

/* Each on an edition of its own, so that visit may change it. */
static int
each_open(struct store *store, enum list list, int (*visit)(void *arg, const struct edition *e),
    void *arg, struct error *err)
{
	int64_t period = 0, reader = 0;
	struct edition *e;
	struct arena a;
	int found, rc = 0;

	arena_init(&a, SCRATCH_BYTES);
	while (rc == 0) {
		arena_reset(&a);
		if ((found = next_listed(store, list, period, reader, &a, &e, err)) != 1) {
			rc = found;
			break;
		}
		period = e->period;
		reader = e->reader;
		if (list == LIST_WAITING || e->state == EDITION_LEASED ||
		    e->state == EDITION_INTENT)
			rc = visit(arg, e);
	}
	arena_release(&a);
	return rc;
}

int
store_each_unsettled(struct store *store, int (*visit)(void *arg, const struct edition *e),
    void *arg, struct error *err)
{
	int rc = each_open(store, LIST_WAITING, visit, arg, err);

	if (rc == 0)
		rc = each_open(store, LIST_OPEN, visit, arg, err);
	return rc != 0 ? rc : each_open(store, LIST_AGAIN, visit, arg, err);
}

int
editions_each_needed(
    struct store *store, int (*visit)(void *arg, int64_t paper), void *arg, struct error *err)
{
	int rc = each_listed(store, LIST_OPEN, visit, arg, err);

	if (rc == 0)
		rc = each_listed(store, LIST_AGAIN, visit, arg, err);
	return rc != 0 ? rc : each_listed(store, LIST_WAITING, visit, arg, err);
}

/* ---- planning ---- */

/* Snapshots that picks refer to are kept. A million editions name the same 1,500 papers, so what
 * was pinned is noted. */
static int
pin_snapshot(struct store *store, const struct edition_pick *p, struct error *err)
{
	unsigned char key[12], *copy;
	uint64_t value;

	memcpy(key, &p->paper, 8);
	memcpy(key + 8, &p->revision, 4);
	if (map_get(&store->pinned, key, sizeof(key), &value))
		return 0;
	if (db_run_ints(store, SQL_SNAPSHOT_PIN, DB_INTS(p->paper, p->revision), err) == -1)
		return -1;
	/* Without memory for the note it is pinned once more, which does no harm. */
	if ((copy = arena_alloc(&store->pinned_keys, sizeof(key))) != NULL) {
		memcpy(copy, key, sizeof(key));
		map_set(&store->pinned, copy, sizeof(key), 1);
	}
	return 0;
}

static int
insert_edition(
    struct store *store, const struct edition *e, struct strbuf *picks, struct error *err)
{
	struct stmt q;

	strbuf_reset(picks);
	picks_pack(picks, e);
	if (strbuf_check(picks, err) == -1)
		return -1;
	db_start(&q, store, SQL_PICKS_ADD);
	db_bind_blob(&q, picks->buf, picks->len);
	if (db_run(&q, err) == -1)
		return -1;
	db_start(&q, store, SQL_EDITION_ADD);
	db_bind_int(&q, e->period);
	db_bind_int(&q, e->reader);
	db_bind_int(&q, (int64_t)e->state);
	db_bind_int(&q, store->boot);
	db_bind_int(&q, e->cursor_from);
	db_bind_int(&q, e->cursor_to);
	db_bind_int(&q, e->composed_utc);
	db_bind_int(&q, e->nread);
	db_bind_int(&q, e->nmatched);
	db_bind_blob(&q, e->hash, sizeof(e->hash));
	db_bind_text(&q, e->reply);
	if (db_run(&q, err) == -1)
		return -1;
	if (db_changes(store) == 0)
		return err_set(err, ERR_BUG,
		    "edition %" PRId64 " of reader %" PRId64 " was planned before", e->period,
		    e->reader);
	for (size_t i = 0; i < e->npicks; i++)
		if (pin_snapshot(store, &e->picks[i], err) == -1)
			return -1;
	return 0;
}

static int
put_slot(struct store *store, int64_t reader, const struct store_slot *s, struct error *err)
{
	return db_run_ints(
	    store, SQL_SLOT_PUT, DB_INTS(reader, s->slot, s->cursor_seq, s->last_period), err);
}

/* Nothing was leased: 0 = the reader gets no mail any more. */
static int
refuse_lease(struct store *store, struct edition *e, struct error *err)
{
	int mailed = store_is_mailed(store, e->reader, err);

	if (mailed == -1)
		return -1;
	if (mailed == 1)
		return err_set(
		    err, ERR_BUG, "reader %" PRId64 " has an unsettled edition", e->reader);
	e->state = EDITION_FAILED;
	return 0;
}

static int
lease_edition(struct store *store, struct edition *e, int64_t now_utc, struct strbuf *picks,
    struct error *err)
{
	bool empty = e->state == EDITION_EMPTY;

	if (db_run_ints(store, SQL_CURSOR_LEASE,
		DB_INTS(
		    e->reader, e->cursor_to, e->period, empty ? 0 : e->period, empty ? now_utc : 0),
		err) == -1)
		return -1;
	if (db_changes(store) != 1)
		return refuse_lease(store, e, err);
	e->state = empty ? EDITION_EMPTY : EDITION_LEASED;
	for (size_t i = 0; i < e->nslots; i++)
		if (put_slot(store, e->reader, &e->slots[i].to, err) == -1)
			return -1;
	return insert_edition(store, e, picks, err);
}

int
store_lease_editions(
    struct store *store, struct edition *editions, size_t n, int64_t now_utc, struct error *err)
{
	struct strbuf picks;
	int rc = 0;

	strbuf_init(&picks, MAX_PACKED_BYTES);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = lease_edition(store, &editions[i], now_utc, &picks, err);
	strbuf_release(&picks);
	return rc;
}

/* ---- outcomes ---- */

int
store_intend_edition(struct store *store, int64_t period, int64_t reader, struct error *err)
{
	if (db_run_ints(store, SQL_EDITION_INTEND, DB_INTS(period, reader, store->boot), err) == -1)
		return -1;
	/* Another process swept it meanwhile, or a person held it: it is not ours to send any
	 * more. */
	if (db_changes(store) != 1)
		return err_set(err, ERR_TEMP,
		    "edition %" PRId64 " of reader %" PRId64 " is no longer leased", period,
		    reader);
	return 0;
}

int
store_free_edition(
    struct store *store, int64_t period, int64_t reader, int64_t now_utc, struct error *err)
{
	return db_run_ints(store, SQL_EDITION_FREE, DB_INTS(period, reader, now_utc), err);
}

int
store_rehash_edition(struct store *store, int64_t period, int64_t reader,
    const unsigned char hash[16], int64_t composed_utc, struct error *err)
{
	struct stmt q;

	db_start(&q, store, SQL_EDITION_REHASH);
	db_bind_int(&q, period);
	db_bind_int(&q, reader);
	db_bind_blob(&q, hash, HASH_BYTES);
	db_bind_int(&q, composed_utc);
	if (db_run(&q, err) == -1)
		return -1;
	if (db_changes(store) != 1)
		return err_set(err, ERR_BUG,
		    "edition %" PRId64 " of reader %" PRId64 " may be out; its bytes cannot change",
		    period, reader);
	return 0;
}

/* The picks that were shown become sent; what was cut was considered only. */
static int
remember_picks(struct store *store, const struct edition *e, int64_t now_utc, struct error *err)
{
	struct sent_item *items = arena_array(&store->scratch, e->npicks, sizeof(*items));
	size_t n = 0;

	if (items == NULL)
		return err_nomem(err, "sent papers");
	for (size_t i = 0; i < e->npicks; i++)
		if (!e->picks[i].cut)
			items[n++] = (struct sent_item){ e->picks[i].paper, e->picks[i].version };
	return store_add_sent(store, e->reader, items, n, now_utc, err);
}

/* via NULL = not by a try. */
static int
set_tried(struct store *store, int64_t period, int64_t reader, enum edition_state state,
    const char *via, const char *reply, int64_t now_utc, int64_t next_utc, struct error *err)
{
	struct stmt q;

	db_start(&q, store, SQL_EDITION_SETTLE);
	db_bind_int(&q, period);
	db_bind_int(&q, reader);
	db_bind_int(&q, (int64_t)state);
	db_bind_text(&q, reply);
	db_bind_int(&q, next_utc);
	if (via != NULL) {
		db_bind_int(&q, now_utc);
		db_bind_text(&q, via);
	}
	if (db_run(&q, err) == -1)
		return -1;
	if (db_changes(store) != 1)
		return err_set(err, ERR_BUG,
		    "edition %" PRId64 " of reader %" PRId64 " is settled already", period, reader);
	if (!is_settled(state))
		return 0;
	return db_run_ints(store, SQL_CURSOR_SETTLE, DB_INTS(reader, period), err);
}

static int
set_state(struct store *store, int64_t period, int64_t reader, enum edition_state state,
    const char *reply, int64_t next_utc, struct error *err)
{
	return set_tried(store, period, reader, state, NULL, reply, 0, next_utc, err);
}

int
store_withdraw_edition(struct store *store, int64_t period, int64_t reader, struct error *err)
{
	return set_state(store, period, reader, EDITION_FAILED, not_mailed, 0, err);
}

int
store_settle_edition(struct store *store, int64_t period, int64_t reader, enum edition_state state,
    const char *reply, int64_t now_utc, int64_t next_utc, struct error *err)
{
	return store_settle_try(store, period, reader, state, NULL, reply, now_utc, next_utc, err);
}

int
store_settle_try(struct store *store, int64_t period, int64_t reader, enum edition_state state,
    const char *via, const char *reply, int64_t now_utc, int64_t next_utc, struct error *err)
{
	struct edition *e;

	assert(state != EDITION_LEASED && state != EDITION_INTENT);
	if (state == EDITION_SENT || state == EDITION_UNKNOWN) {
		int found;

		arena_reset(&store->scratch);
		if ((found = store_load_edition(store, period, reader, &store->scratch, &e, err)) ==
		    1)
			found = remember_picks(store, e, now_utc, err);
		if (found == -1)
			return -1;
	}
	return set_tried(store, period, reader, state, via, reply, now_utc, next_utc, err);
}

/* Settled without mail: the cursor goes back, so that the papers are candidates again. */
static int
give_back(struct store *store, const struct edition *e, enum edition_state state, const char *reply,
    struct error *err)
{
	if (db_run_ints(store, SQL_CURSOR_GIVE_BACK, DB_INTS(e->reader, e->period, e->cursor_from),
		err) == -1)
		return -1;
	for (size_t i = 0; i < e->nslots; i++)
		if (put_slot(store, e->reader, &e->slots[i].from, err) == -1)
			return -1;
	return set_state(store, e->period, e->reader, state, reply, 0, err);
}

int
store_merge_edition(struct store *store, int64_t period, int64_t reader, struct error *err)
{
	struct edition *e;
	int found;

	arena_reset(&store->scratch);
	found = store_load_edition(store, period, reader, &store->scratch, &e, err);
	if (found != 1)
		return found == -1
		    ? -1
		    : err_set(err, ERR_BUG, "reader %" PRId64 " has no edition %" PRId64, reader,
			  period);
	if (e->copies > 0 || e->state == EDITION_UNKNOWN || e->state == EDITION_INTENT)
		return err_set(err, ERR_BUG,
		    "edition %" PRId64 " of reader %" PRId64
		    ": a copy may be out, so it cannot be merged",
		    period, reader);
	return give_back(store, e, EDITION_MERGED, e->reply, err);
}

/* ---- by hand ---- */

/* One that waits for a time or a person; what a process holds is not for others to change. */
static int
load_waiting(
    struct store *store, int64_t period, int64_t reader, struct edition **out, struct error *err)
{
	int found;

	arena_reset(&store->scratch);
	if ((found = store_load_edition(store, period, reader, &store->scratch, out, err)) == -1)
		return -1;
	if (found == 0 || is_settled((*out)->state) || (*out)->state == EDITION_LEASED ||
	    (*out)->state == EDITION_INTENT)
		return err_set(err, ERR_BUG,
		    "edition %" PRId64 " of reader %" PRId64 " does not wait", period, reader);
	return 0;
}

int
store_retry_edition(struct store *store, int64_t period, int64_t reader, const char *reply,
    int64_t now_utc, struct error *err)
{
	struct edition *e;

	if (load_waiting(store, period, reader, &e, err) == -1 ||
	    db_run_ints(store, SQL_CURSOR_REOPEN, DB_INTS(reader, period), err) == -1)
		return -1;
	/* A sweep after a kill finds editions by their readers' cursors. */
	if (db_changes(store) != 1)
		return err_set(err, ERR_TEMP, "a newer digest of this reader is on its way");
	return set_state(store, period, reader, EDITION_DEFERRED, reply, now_utc, err);
}

int
store_drop_edition(
    struct store *store, int64_t period, int64_t reader, const char *reason, struct error *err)
{
	struct edition *e;

	if (load_waiting(store, period, reader, &e, err) == -1)
		return -1;
	if (e->copies > 0 || e->state == EDITION_UNKNOWN)
		return set_state(store, period, reader, EDITION_FAILED, reason, 0, err);
	return give_back(store, e, EDITION_FAILED, reason, err);
}

/* ---- at the start of a run ---- */

/* What becomes of an unknown edition, by delivery.ambiguous. */
static enum edition_state
after_unknown(const char *ambiguous, uint32_t copies)
{
	if (strcmp(ambiguous, "drop") == 0)
		return EDITION_FAILED;
	if (strcmp(ambiguous, "retry") == 0 && copies < MAX_COPIES)
		return EDITION_DEFERRED;
	return EDITION_HELD;
}

int
store_sweep_editions(struct store *store, const char *ambiguous, int64_t now_utc, size_t *nunknown,
    size_t *nheld, struct error *err)
{
	struct edition *e;
	struct stmt q;
	int found;

	*nunknown = *nheld = 0;
	/* Same boot: a lease without intent certainly stayed here. Another boot: its intent may
	 * be lost with the power. */
	if (db_run_ints(store, SQL_SWEEP_FREE, DB_INTS(store->boot, now_utc), err) == -1 ||
	    db_run_ints(store, SQL_SWEEP_UNKNOWN, NULL, 0, err) == -1)
		return -1;
	for (;;) {
		enum edition_state next;

		arena_reset(&store->scratch);
		db_start(&q, store, SQL_EDITION_UNKNOWN);
		if ((found = finish_edition(&q, &store->scratch, &e, err)) != 1)
			return found;
		next = after_unknown(ambiguous, e->copies);
		if (remember_picks(store, e, now_utc, err) == -1 ||
		    set_state(store, e->period, e->reader, next,
			e->reply[0] != '\0' ? e->reply : "outcome unknown: a copy may be out",
			now_utc, err) == -1)
			return -1;
		(*nunknown)++;
		*nheld += next == EDITION_HELD;
	}
}

int
store_hold_stale(struct store *store, int64_t period, int64_t reader, int64_t oldest_utc,
    bool *held, struct error *err)
{
	if (db_run_ints(store, SQL_EDITION_HOLD_STALE, DB_INTS(period, reader, oldest_utc), err) ==
	    -1)
		return -1;
	*held = db_changes(store) == 1;
	return 0;
}

int
store_expire_editions(struct store *store, int64_t now_utc, int64_t max_age_s,
    int (*visit)(void *arg, const struct edition *e, struct error *err), void *arg,
    size_t *nexpired, struct error *err)
{
	struct edition *e;
	struct stmt q;
	int found;

	*nexpired = 0;
	for (;;) {
		arena_reset(&store->scratch);
		db_start(&q, store, SQL_EDITION_STALE);
		db_bind_int(&q, now_utc - max_age_s);
		if ((found = finish_edition(&q, &store->scratch, &e, err)) != 1)
			return found;
		if (give_back(store, e, EDITION_EXPIRED, e->reply, err) == -1 ||
		    (visit != NULL && visit(arg, e, err) == -1))
			return -1;
		(*nexpired)++;
	}
}

int
store_peek_due(struct store *store, int64_t now_utc, int64_t *period, int64_t *reader,
    uint32_t *copies, struct error *err)
{
	struct stmt q;
	int found;

	db_start(&q, store, SQL_EDITION_DUE);
	db_bind_int(&q, now_utc);
	db_bind_int(&q, *period);
	db_bind_int(&q, *reader);
	if ((found = db_step(&q, err)) != 1)
		return found;
	*period = db_int(&q, 0);
	*reader = db_int(&q, 1);
	*copies = (uint32_t)db_int(&q, 2);
	db_done(&q);
	return 1;
}

int
store_lease_due(struct store *store, int64_t period, int64_t reader, struct arena *a,
    struct edition **out, struct error *err)
{
	int found = store_load_edition(store, period, reader, a, out, err), mailed;

	if (found != 1 || (*out)->state != EDITION_DEFERRED)
		return found == -1 ? -1 : 0;
	if ((mailed = store_is_mailed(store, reader, err)) == -1)
		return -1;
	if (mailed == 0)
		return set_state(store, period, reader, EDITION_FAILED, not_mailed, 0, err);
	/* Its reader's cursor may go on to the next edition, so a sweep after a kill finds it by another. */
	if ((*out)->copies > 0 &&
	    db_run_ints(store, SQL_CURSOR_AGAIN, DB_INTS(reader, period), err) == -1)
		return -1;
	if ((*out)->copies > 0 && db_changes(store) != 1)
		return 0;
	(*out)->state = EDITION_LEASED;
	return db_run_ints(store, SQL_EDITION_LEASE, DB_INTS(period, reader, store->boot), err) ==
		-1
	    ? -1
	    : 1;
}
