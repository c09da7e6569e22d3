#include "store/db.h"
#include "digest/limits.h"
#include "digest/log.h"

#include <sodium.h>

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { MIN_VANISHING = 3, VANISHING_PERCENT = 10 };

/* One pass over the readers of the config file. */
struct sync {
	int64_t now_utc;
	int64_t *seen; /* readers whose block is there */
	size_t nseen, room;
	struct strbuf profile; /* of the reader at hand */
	struct store_sync_counts counts;
	bool doubt; /* a block has an error: what seems gone may be behind it */
};

void
sync_free(struct store *store)
{
	struct sync *sync = store->sync;

	if (sync == NULL)
		return;
	strbuf_release(&sync->profile);
	free(sync->seen);
	free(sync);
	store->sync = NULL;
}

/* The store is one config's: with another one all its readers would seem to have gone. */
static int
check_config(struct store *store, const char *config_path, struct error *err)
{
	const char *before;

	arena_reset(&store->scratch);
	if (store_get_note(store, "config-path", &store->scratch, &before, err) == -1)
		return -1;
	if (strcmp(before, config_path) == 0)
		return 0;
	if (before[0] != '\0' && store->log != NULL)
		log_warn(store->log, "%s: was used with %s until now, this is %s", store->path,
		    before, config_path);
	return store_set_note(store, "config-path", config_path, err);
}

int
store_sync_begin(struct store *store, const char *config_path, int64_t now_utc, struct error *err)
{
	sync_free(store);
	if (check_config(store, config_path, err) == -1)
		return -1;
	if ((store->sync = calloc(1, sizeof(*store->sync))) == NULL)
		return err_nomem(err, "readers");
	store->sync->now_utc = now_utc;
	strbuf_init(&store->sync->profile, MAX_PACKED_BYTES);
	return 0;
}

static int
add_seen(struct sync *sync, int64_t id, struct error *err)
{
	if (sync->nseen == sync->room) {
		size_t room = sync->room == 0 ? 1024 : sync->room * 2;
		int64_t *grown = realloc(sync->seen, room * sizeof(*grown));

		if (grown == NULL)
			return err_nomem(err, "readers");
		sync->seen = grown;
		sync->room = room;
	}
	sync->seen[sync->nseen++] = id;
	return 0;
}

/* What the store knows of a block. */
struct known {
	int64_t id;
	enum reader_origin origin;
	enum reader_state state;
	bool broken, vanished;
	bool same_profile, same_place;
};

static int
find_known(struct store *store, const struct subscriber *s, const unsigned char *digest,
    struct known *k, struct error *err)
{
	struct stmt q;
	int found;

	db_start(&q, store, SQL_SYNC_GET);
	db_bind_text(&q, s->canonical);
	if ((found = db_step(&q, err)) != 1)
		return found;
	k->id = db_int(&q, 0);
	k->origin = (enum reader_origin)db_int(&q, 1);
	k->state = (enum reader_state)db_int(&q, 2);
	k->broken = db_int(&q, 3) != 0;
	k->vanished = db_int(&q, 4) != 0;
	k->same_place = db_int(&q, 6) == s->line &&
	    strcmp((const char *)sqlite3_column_text(q.st, 5), s->file) == 0;
	k->same_profile = sqlite3_column_bytes(q.st, 7) == HASH_BYTES &&
	    memcmp(sqlite3_column_blob(q.st, 7), digest, HASH_BYTES) == 0;
	db_done(&q);
	return 1;
}

/* A person's own wish follows them to the new address; a mailbox that bounced does not. */
static int
carry_suppression(struct store *store, const char *from, const char *to, struct error *err)
{
	enum suppression_reason reason;
	int64_t since_utc;
	int found = store_is_suppressed(store, from, &reason, &since_utc, err);

	if (found != 1 || reason == SUPPRESSED_BOUNCED)
		return found == -1 ? -1 : 0;
	return store_suppress(store, to, reason, since_utc, err);
}

/* was = "old@example.org": the reader of that address gets the new one and keeps number, cursor
 * and history. */
static int
take_over_history(struct store *store, const struct subscriber *s, struct error *err)
{
	unsigned char hash[HASH_BYTES];
	struct stmt q;

	if (strcmp(s->was, s->canonical) == 0)
		return 0;
	suppress_hash(store, s->canonical, hash);
	db_start(&q, store, SQL_READER_RENAME);
	db_bind_text(&q, s->was);
	db_bind_text(&q, s->canonical);
	db_bind_blob(&q, hash, sizeof(hash));
	if (db_run(&q, err) == -1)
		return -1;
	if (db_changes(store) == 0)
		return 0;
	/* What came back said something of the address that was. */
	db_start(&q, store, SQL_INCOMING_MOVED);
	db_bind_text(&q, s->canonical);
	if (db_run(&q, err) == -1)
		return -1;
	return carry_suppression(store, s->was, s->canonical, err);
}

/* The block is the consent: whoever writes the file has it. */
static int
write_with_consent(struct store *store, const struct subscriber *s, int64_t id, const char *before,
    struct error *err)
{
	const struct store_consent c = { store->sync->now_utc, "file", s->file };
	struct strbuf added, record;
	int rc;

	strbuf_init(&added, MAX_CONSENT_BYTES);
	strbuf_init(&record, 2 * MAX_CONSENT_BYTES);
	store_add_consent(&added, &c);
	rc = strbuf_check(&added, err);
	if (rc == 0)
		rc = readers_join_consents(before, added.buf, &record, err);
	if (rc == 0)
		rc = readers_write(store, s, ORIGIN_FILE, id, record.buf, c.at_utc, err);
	strbuf_release(&added);
	strbuf_release(&record);
	return rc;
}

static int
write_known(struct store *store, const struct subscriber *s, int64_t id, struct error *err)
{
	struct store_reader *known;
	struct arena a;
	int rc = -1;

	arena_init(&a, MAX_READER_BYTES);
	if (store_load_reader(store, id, &a, &known, err) == 1)
		rc = write_with_consent(store, s, id, known->consent, err);
	arena_release(&a);
	return rc;
}

/* The block as it is; the reader is new, came back, changed, or only moved in the file. */
static int
sync_good(
    struct store *store, const struct subscriber *s, struct known *k, int found, struct error *err)
{
	struct sync *sync = store->sync;
	bool resumed = found == 1 && k->state == READER_ENDED;

	if (found == 0) {
		if (write_with_consent(store, s, 0, "", err) == -1)
			return -1;
		sync->counts.nadded++;
		return db_get_int(store, SQL_READER_NEWEST, NULL, 0, &k->id, err) == 1 ? 0 : -1;
	}
	if (!resumed && k->same_profile && k->same_place && k->origin == ORIGIN_FILE &&
	    !k->broken && !k->vanished)
		return 0;
	if (resumed && readers_skip_to_now(store, k->id, sync->now_utc, err) == -1)
		return -1;
	if (resumed)
		sync->counts.nresumed++;
	else if (!k->same_profile || k->origin != ORIGIN_FILE)
		sync->counts.nchanged++;
	if (resumed || k->origin != ORIGIN_FILE)
		return write_known(store, s, k->id, err);
	return readers_write(store, s, ORIGIN_FILE, k->id, "", sync->now_utc, err);
}

void
store_sync_doubt(struct store *store)
{
	assert(store->sync != NULL);
	store->sync->doubt = true;
}

int
store_sync_reader(
    struct store *store, const struct subscriber *reader, bool good, struct error *err)
{
	struct sync *sync = store->sync;
	unsigned char digest[HASH_BYTES] = { 0 };
	struct known k = { 0 };
	int found;

	assert(sync != NULL);
	sync->doubt |= !good;
	if (good) {
		strbuf_reset(&sync->profile);
		readers_pack(&sync->profile, reader);
		if (strbuf_check(&sync->profile, err) == -1)
			return err_prefix(err, "%s:%u", reader->file, reader->line);
		crypto_generichash(digest, sizeof(digest), (const unsigned char *)sync->profile.buf,
		    sync->profile.len, NULL, 0);
	}
	found = find_known(store, reader, digest, &k, err);
	if (found == 0 && good && reader->was[0] != '\0') {
		arena_reset(&store->scratch);
		if (take_over_history(store, reader, err) == -1)
			return -1;
		found = find_known(store, reader, digest, &k, err);
	}
	if (found == -1)
		return -1;
	sync->counts.nreaders++;
	if (good ? sync_good(store, reader, &k, found, err) == -1
		 : found == 1 && db_run_ints(store, SQL_READER_BROKEN, DB_INTS(k.id), err) == -1)
		return -1;
	return k.id == 0 ? 0 : add_seen(sync, k.id, err);
}

static int
compare_ids(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* The readers of the file that are active and were not seen; *nknown counts all of the file's. */
static int
find_missing(struct store *store, int64_t **out, size_t *n, size_t *nknown, struct error *err)
{
	struct sync *sync = store->sync;
	int64_t *missing = NULL;
	size_t room = 0, at = 0;
	struct stmt q;
	int more;

	*n = *nknown = 0;
	if (sync->nseen > 0) /* C17 7.22.5: the array of a call must be one, even of no elements */
		qsort(sync->seen, sync->nseen, sizeof(*sync->seen), compare_ids);
	db_start(&q, store, SQL_READER_OF_FILE);
	while ((more = db_step(&q, err)) == 1) {
		int64_t id = db_int(&q, 0);

		(*nknown)++;
		while (at < sync->nseen && sync->seen[at] < id)
			at++;
		if (at < sync->nseen && sync->seen[at] == id)
			continue;
		if (*n == room) {
			int64_t *grown = realloc(missing, (room += room + 64) * sizeof(*grown));

			if (grown == NULL) {
				more = err_nomem(err, "readers");
				break;
			}
			missing = grown;
		}
		missing[(*n)++] = id;
	}
	db_done(&q);
	*out = missing;
	return more;
}

int
store_sync_end(
    struct store *store, bool accept_removals, struct store_sync_counts *counts, struct error *err)
{
	struct store_sync_counts *c = &store->sync->counts;
	int64_t *missing = NULL, now_utc = store->sync->now_utc;
	size_t n, nknown, before, allowed;
	int rc;

	rc = find_missing(store, &missing, &n, &nknown, err);
	before = nknown - (c->nadded + c->nresumed < nknown ? c->nadded + c->nresumed : nknown);
	allowed = before * VANISHING_PERCENT / 100;
	if (allowed < MIN_VANISHING)
		allowed = MIN_VANISHING;
	c->nvanished = n;
	c->held_back = n > 0 && (n > allowed || store->sync->doubt) && !accept_removals;
	for (size_t i = 0; rc == 0 && i < n; i++) {
		if (c->held_back)
			rc = db_run_ints(store, SQL_READER_VANISHED, DB_INTS(missing[i]), err);
		else if ((rc = store_end_reader(store, missing[i], now_utc, err)) == 0)
			c->nended++;
	}
	if (rc == 0)
		*counts = *c;
	free(missing);
	sync_free(store);
	return rc;
}
