#include "store/db.h"
#include "digest/limits.h"

#include <sodium.h>

#include <assert.h>
#include <string.h>

/* Kept when the reader is erased, so it must not be the address. The key is this store's own: hashes
 * of two stores, or a list of hashes made beforehand, tell nothing; whoever holds the whole store can
 * still try addresses one by one. */
void
suppress_hash(const struct store *store, const char *canonical, unsigned char out[HASH_BYTES])
{
	crypto_generichash(out, HASH_BYTES, (const unsigned char *)canonical, strlen(canonical),
	    store->suppress_key, SUPPRESS_KEY_BYTES);
}

int
store_is_mailed(struct store *store, int64_t reader, struct error *err)
{
	int64_t mailed = 0;

	if (db_get_int(store, SQL_READER_MAILED, DB_INTS(reader), &mailed, err) == -1)
		return -1;
	return mailed != 0;
}

int
store_is_suppressed(struct store *store, const char *canonical, enum suppression_reason *reason,
    int64_t *since_utc, struct error *err)
{
	unsigned char hash[HASH_BYTES];
	struct stmt q;
	int found;

	suppress_hash(store, canonical, hash);
	db_start(&q, store, SQL_SUPPRESSION_GET);
	db_bind_blob(&q, hash, sizeof(hash));
	if ((found = db_step(&q, err)) == 1) {
		if (reason != NULL)
			*reason = (enum suppression_reason)db_int(&q, 0);
		if (since_utc != NULL)
			*since_utc = db_int(&q, 1);
		db_done(&q);
	}
	return found;
}

int
store_suppress(struct store *store, const char *canonical, enum suppression_reason reason,
    int64_t now_utc, struct error *err)
{
	unsigned char hash[HASH_BYTES];

	suppress_hash(store, canonical, hash);
	return store_suppress_hash(store, hash, reason, now_utc, err);
}

int
store_suppress_hash(struct store *store, const unsigned char hash[STORE_HASH_SIZE],
    enum suppression_reason reason, int64_t since_utc, struct error *err)
{
	struct stmt q;

	db_start(&q, store, SQL_SUPPRESSION_ADD);
	db_bind_blob(&q, hash, HASH_BYTES);
	db_bind_int(&q, (int64_t)reason);
	db_bind_int(&q, since_utc);
	return db_run(&q, err);
}

/* Of a person who is no reader there is no row to keep it in. */
static int
resume_reader(struct store *store, const char *canonical, const struct store_consent *consent,
    struct error *err)
{
	struct store_reader *known;
	struct strbuf added, record;
	struct stmt q;
	int found;

	arena_reset(&store->scratch);
	found = store_find_reader(store, canonical, &store->scratch, &known, err);
	if (found != 1)
		return found;
	strbuf_init(&added, MAX_CONSENT_BYTES);
	strbuf_init(&record, 2 * MAX_CONSENT_BYTES);
	store_add_consent(&added, consent);
	found = strbuf_check(&added, err);
	if (found == 0)
		found = readers_join_consents(known->consent, added.buf, &record, err);
	if (found == 0) {
		db_start(&q, store, SQL_READER_RESUME);
		db_bind_int(&q, known->sub.id);
		db_bind_text(&q, record.buf);
		found = db_run(&q, err);
	}
	strbuf_release(&added);
	strbuf_release(&record);
	/* Whoever says that the address is well begins without points. */
	if (found != -1)
		found = db_run_ints(store, SQL_INCOMING_FORGIVE, DB_INTS(known->sub.id), err);
	return found == -1 ? -1 : readers_skip_to_now(store, known->sub.id, consent->at_utc, err);
}

int
store_unsuppress(struct store *store, const char *canonical, const char *consent, int64_t now_utc,
    struct error *err)
{
	unsigned char hash[HASH_BYTES];
	struct stmt q;

	if (consent[0] == '\0')
		return err_set(err, ERR_USAGE,
		    "%s: say where and when they agreed to get mail again: --consent \"form, "
		    "2026-01-31\"",
		    canonical);
	if (strlen(consent) > MAX_CONSENT_TEXT)
		return err_set(err, ERR_USAGE, "a consent of %zu bytes; expected at most %u",
		    strlen(consent), MAX_CONSENT_TEXT);
	suppress_hash(store, canonical, hash);
	db_start(&q, store, SQL_SUPPRESSION_END);
	db_bind_blob(&q, hash, sizeof(hash));
	if (db_run(&q, err) == -1)
		return -1;
	return resume_reader(
	    store, canonical, &(struct store_consent){ now_utc, "resume", consent }, err);
}

/* ---- taken along into another store ---- */

static_assert(
    (int)STORE_HASH_SIZE == (int)HASH_BYTES && (int)STORE_KEY_SIZE == (int)SUPPRESS_KEY_BYTES,
    "what store.h says");

const unsigned char *
store_suppress_key(const struct store *store)
{
	return store->suppress_key;
}

int
store_each_suppression(struct store *store,
    int (*visit)(
	void *arg, const unsigned char *hash, enum suppression_reason reason, int64_t since_utc),
    void *arg, struct error *err)
{
	struct stmt q;
	int more = 0, rc = 0;

	db_start(&q, store, SQL_SUPPRESSION_ALL);
	while (rc == 0 && (more = db_step(&q, err)) == 1)
		rc = sqlite3_column_bytes(q.st, 0) != HASH_BYTES
		    ? 0
		    : visit(arg, sqlite3_column_blob(q.st, 0),
			  (enum suppression_reason)db_int(&q, 1), db_int(&q, 2));
	db_done(&q);
	return rc != 0 ? rc : more;
}

/* All readers get the hash of the new key. */
static int
rehash_readers(struct store *store, struct error *err)
{
	unsigned char hash[HASH_BYTES];
	const char *canonical;
	int64_t id = 0;
	struct stmt q;
	int more;

	for (;;) {
		arena_reset(&store->scratch);
		db_start(&q, store, SQL_READER_NAMES);
		db_bind_int(&q, id);
		if ((more = db_step(&q, err)) != 1)
			return more;
		id = db_int(&q, 0);
		more = db_text(&q, 1, &store->scratch, &canonical, err);
		db_done(&q);
		if (more == -1)
			return -1;
		suppress_hash(store, canonical, hash);
		db_start(&q, store, SQL_READER_REHASH);
		db_bind_int(&q, id);
		db_bind_blob(&q, hash, sizeof(hash));
		if (db_run(&q, err) == -1)
			return -1;
	}
}

int
store_take_suppress_key(
    struct store *store, const unsigned char key[STORE_KEY_SIZE], struct error *err)
{
	struct stmt q;
	int64_t n;

	if (memcmp(store->suppress_key, key, SUPPRESS_KEY_BYTES) == 0)
		return 0;
	if (db_get_int(store, SQL_SUPPRESSION_COUNT, NULL, 0, &n, err) != 1)
		return -1;
	if (n > 0)
		return err_set(err, ERR_DATA,
		    "this store has %lld suppressions of its own, by another key; expected a store "
		    "without any",
		    (long long)n);
	memcpy(store->suppress_key, key, SUPPRESS_KEY_BYTES);
	db_start(&q, store, SQL_META_SET);
	db_bind_text(&q, "suppress-key");
	db_bind_blob(&q, store->suppress_key, SUPPRESS_KEY_BYTES);
	if (db_run(&q, err) == -1)
		return -1;
	return rehash_readers(store, err);
}

int
store_load_suppressions(struct store *store, size_t max, struct arena *a,
    struct store_suppression **out, size_t *n, struct error *err)
{
	struct store_suppression *list = arena_array(a, max, sizeof(*list));
	struct stmt q;
	size_t found = 0;
	int more;

	if (list == NULL)
		return err_nomem(err, "suppressions");
	db_start(&q, store, SQL_SUPPRESSION_NEWEST);
	db_bind_int(&q, (int64_t)max);
	while ((more = db_step(&q, err)) == 1) {
		list[found].reason = (enum suppression_reason)db_int(&q, 1);
		list[found].since_utc = db_int(&q, 2);
		if (db_text(&q, 0, a, &list[found].address, err) == -1) {
			db_done(&q);
			return -1;
		}
		found++;
	}
	if (more == -1)
		return -1;
	*out = list;
	*n = found;
	return 0;
}
