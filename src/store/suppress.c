#include "store/db.h"

#include <sodium.h>

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
	struct stmt q;

	suppress_hash(store, canonical, hash);
	db_start(&q, store, SQL_SUPPRESSION_ADD);
	db_bind_blob(&q, hash, sizeof(hash));
	db_bind_int(&q, (int64_t)reason);
	db_bind_int(&q, now_utc);
	return db_run(&q, err);
}

int
store_unsuppress(struct store *store, const char *canonical, const char *consent, int64_t now_utc,
    struct error *err)
{
	unsigned char hash[HASH_BYTES];
	struct stmt q;
	int64_t id;
	int found;

	(void)now_utc;
	if (consent[0] == '\0')
		return err_set(err, ERR_USAGE,
		    "%s: say where and when they agreed to get mail again: --consent \"form, "
		    "2026-01-31\"",
		    canonical);
	suppress_hash(store, canonical, hash);
	db_start(&q, store, SQL_SUPPRESSION_END);
	db_bind_blob(&q, hash, sizeof(hash));
	if (db_run(&q, err) == -1)
		return -1;
	db_start(&q, store, SQL_READER_RESUME);
	db_bind_text(&q, canonical);
	db_bind_text(&q, consent);
	if ((found = db_step(&q, err)) != 1)
		return found;
	id = db_int(&q, 0);
	if (db_run(&q, err) == -1)
		return -1;
	return readers_skip_to_now(store, id, err);
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
