#include "store/db.h"

enum { MAX_QUEUE_MS = 60 * 60 * 1000 };

static int
read_page(struct stmt *q, struct arena *a, void *row, struct error *err)
{
	struct store_page *page = row;

	page->read_utc = db_int(q, 3);
	return db_text(q, 0, a, &page->key, err) == -1 || db_text(q, 1, a, &page->etag, err) == -1
	    ? -1
	    : db_text(q, 2, a, &page->last_modified, err);
}

static int
load_pages(struct store *store, const char *name, struct arena *a, struct store_source *s,
    struct error *err)
{
	struct db_rows rows;
	struct stmt q;

	db_start(&q, store, SQL_PAGE_ALL);
	db_bind_text(&q, name);
	if (db_load_rows(&q, a, sizeof(*s->pages), read_page, &rows, err) == -1)
		return -1;
	s->pages = rows.items;
	s->npages = rows.n;
	return 0;
}

int
store_load_source(struct store *store, const char *name, struct arena *a, struct store_source **out,
    struct error *err)
{
	struct store_source *s = arena_zalloc(a, sizeof(*s));
	struct stmt q;
	int found, rc = 0;

	if (s == NULL || (s->name = arena_strdup(a, name)) == NULL)
		return err_nomem(err, "source");
	s->last_error = s->newest = "";
	db_start(&q, store, SQL_SOURCE_GET);
	db_bind_text(&q, name);
	if ((found = db_step(&q, err)) == -1)
		return -1;
	if (found == 1) {
		s->cursor_day = (int32_t)db_int(&q, 0);
		s->last_try_utc = db_int(&q, 1);
		s->last_success_utc = db_int(&q, 2);
		s->failing_since_utc = db_int(&q, 3);
		s->next_allowed_utc = db_int(&q, 4);
		s->nfailures = (uint32_t)db_int(&q, 5);
		s->fault = (enum source_fault)db_int(&q, 7);
		s->newest_since_utc = db_int(&q, 9);
		s->made_utc = db_int(&q, 10);
		s->nlisted = (uint32_t)db_int(&q, 11);
		rc = db_text(&q, 6, a, &s->last_error, err);
		if (rc == 0)
			rc = db_text(&q, 8, a, &s->newest, err);
		db_done(&q);
	}
	if (rc == -1 || load_pages(store, name, a, s, err) == -1)
		return -1;
	*out = s;
	return 0;
}

int
store_count_listed(struct store *store, const char *source, size_t *out, struct error *err)
{
	struct stmt q;

	db_start(&q, store, SQL_LISTING_PAPERS);
	db_bind_text(&q, source);
	if (db_step(&q, err) != 1)
		return -1;
	*out = (size_t)db_int(&q, 0);
	db_done(&q);
	return 0;
}

int
store_load_newest_day(struct store *store, const char *source, int32_t *out, struct error *err)
{
	struct stmt q;

	db_start(&q, store, SQL_LISTING_NEWEST);
	db_bind_text(&q, source);
	if (db_step(&q, err) != 1)
		return -1;
	*out = (int32_t)db_int(&q, 0);
	db_done(&q);
	return 0;
}

int
store_save_source(struct store *store, const struct store_source *s, struct error *err)
{
	struct stmt q;

	db_start(&q, store, SQL_SOURCE_PUT);
	db_bind_text(&q, s->name);
	db_bind_int(&q, s->cursor_day);
	db_bind_int(&q, s->last_try_utc);
	db_bind_int(&q, s->last_success_utc);
	db_bind_int(&q, s->failing_since_utc);
	db_bind_int(&q, s->next_allowed_utc);
	db_bind_int(&q, s->nfailures);
	db_bind_text(&q, s->last_error != NULL ? s->last_error : "");
	db_bind_int(&q, (int64_t)s->fault);
	db_bind_text(&q, s->newest != NULL ? s->newest : "");
	db_bind_int(&q, s->newest_since_utc);
	db_bind_int(&q, s->made_utc);
	db_bind_int(&q, s->nlisted);
	return db_run(&q, err);
}

int
store_save_page(
    struct store *store, const char *source, const struct store_page *page, struct error *err)
{
	struct stmt q;

	db_start(&q, store, SQL_PAGE_PUT);
	db_bind_text(&q, source);
	db_bind_text(&q, page->key);
	db_bind_text(&q, page->etag);
	db_bind_text(&q, page->last_modified);
	db_bind_int(&q, page->read_utc);
	return db_run(&q, err);
}

/* ---- the days of a source ---- */

static int
read_day(struct stmt *q, struct arena *a, void *row, struct error *err)
{
	(void)a;
	(void)err;
	*(struct store_day *)row =
	    (struct store_day){ (int32_t)db_int(q, 0), (size_t)db_int(q, 1), (size_t)db_int(q, 2) };
	return 0;
}

int
store_load_days(struct store *store, const char *source, int32_t since_day, struct arena *a,
    struct store_day **out, size_t *n, struct error *err)
{
	struct db_rows rows;
	struct stmt q;

	db_start(&q, store, SQL_LISTING_DAYS);
	db_bind_text(&q, source);
	db_bind_int(&q, since_day);
	if (db_load_rows(&q, a, sizeof(**out), read_day, &rows, err) == -1)
		return -1;
	*out = rows.items;
	*n = rows.n;
	return 0;
}

int
store_postpone_listings(struct store *store, const char *source, int32_t day, int64_t until_utc,
    size_t *n, struct error *err)
{
	struct stmt q;

	db_start(&q, store, SQL_LISTING_POSTPONE);
	db_bind_text(&q, source);
	db_bind_int(&q, day);
	db_bind_int(&q, until_utc);
	if (db_run(&q, err) == -1)
		return -1;
	*n = (size_t)db_changes(store);
	return 0;
}

/* ---- services ---- */

/* Zeros for a service never asked. */
static int
load_service(struct store *store, const char *service, int64_t *request_ms, int64_t *pause_utc,
    struct error *err)
{
	struct stmt q;
	int found;

	*request_ms = *pause_utc = 0;
	db_start(&q, store, SQL_SERVICE_GET);
	db_bind_text(&q, service);
	if ((found = db_step(&q, err)) == 1) {
		*request_ms = db_int(&q, 0);
		*pause_utc = db_int(&q, 1);
		db_done(&q);
	}
	return found == -1 ? -1 : 0;
}

int
store_reserve_request(struct store *store, const char *service, int64_t now_ms, int64_t gap_ms,
    int64_t *at_ms, struct error *err)
{
	int64_t last_ms, pause_utc, start_ms;
	struct stmt q;

	if (load_service(store, service, &last_ms, &pause_utc, err) == -1)
		return -1;
	start_ms = now_ms > pause_utc * 1000 ? now_ms : pause_utc * 1000;
	if (last_ms > 0 && last_ms <= start_ms + MAX_QUEUE_MS && last_ms + gap_ms > start_ms)
		start_ms = last_ms + gap_ms;
	db_start(&q, store, SQL_SERVICE_REQUEST);
	db_bind_text(&q, service);
	db_bind_int(&q, start_ms);
	if (db_run(&q, err) == -1)
		return -1;
	*at_ms = start_ms;
	return 0;
}

int
store_delay_service(struct store *store, const char *service, int64_t until_utc, struct error *err)
{
	struct stmt q;

	db_start(&q, store, SQL_SERVICE_PAUSE);
	db_bind_text(&q, service);
	db_bind_int(&q, until_utc);
	return db_run(&q, err);
}

int
store_find_delay(struct store *store, const char *service, int64_t *until_utc, struct error *err)
{
	int64_t request_ms;

	return load_service(store, service, &request_ms, until_utc, err);
}
