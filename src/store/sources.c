#include "store/db.h"

static int
load_pages(struct store *store, const char *name, struct arena *a, struct store_source *s,
    struct error *err)
{
	struct stmt q;
	int64_t count = 0;
	int more;

	db_start(&q, store, SQL_PAGE_COUNT);
	db_bind_text(&q, name);
	if (db_step(&q, err) != 1)
		return -1;
	count = db_int(&q, 0);
	db_done(&q);
	if ((s->pages = arena_array(a, (size_t)count, sizeof(*s->pages))) == NULL)
		return err_nomem(err, "pages of a source");
	db_start(&q, store, SQL_PAGE_ALL);
	db_bind_text(&q, name);
	while ((more = db_step(&q, err)) == 1 && s->npages < (size_t)count) {
		struct store_page *page = &s->pages[s->npages++];

		if (db_text(&q, 0, a, &page->key, err) == -1 ||
		    db_text(&q, 1, a, &page->etag, err) == -1 ||
		    db_text(&q, 2, a, &page->last_modified, err) == -1) {
			more = -1;
			break;
		}
		page->read_utc = db_int(&q, 3);
	}
	db_done(&q);
	return more == -1 ? -1 : 0;
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
	s->last_error = "";
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
		rc = db_text(&q, 6, a, &s->last_error, err);
		db_done(&q);
	}
	if (rc == -1 || load_pages(store, name, a, s, err) == -1)
		return -1;
	*out = s;
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
