/* Mails from outside: what each said of whom, once; and the editions they speak of. */
#include "digest/returned.h"

#include "store/db.h"

#include <string.h>

int
store_add_returned(struct store *store, const struct store_returned *r, struct error *err)
{
	struct stmt q;

	db_start(&q, store, SQL_INCOMING_ADD);
	db_bind_blob(&q, r->id, RETURNED_ID_SIZE);
	db_bind_int(&q, r->reader);
	db_bind_int(&q, r->period);
	db_bind_int(&q, r->at_utc);
	db_bind_int(&q, (int64_t)r->kind);
	db_bind_int(&q, (int64_t)r->class);
	db_bind_text(&q, r->status);
	db_bind_text(&q, r->reply);
	db_bind_text(&q, r->decided);
	db_bind_int(&q, (int64_t)r->counted);
	db_bind_int(&q, r->answered);
	return db_run(&q, err) == -1 ? -1 : db_changes(store) > 0;
}

static int
read_returned(struct stmt *q, struct arena *a, void *row, struct error *err)
{
	struct store_returned *r = row;
	const unsigned char *id;
	size_t len;

	if (db_blob(q, 0, a, &id, &len, err) == -1)
		return -1;
	memcpy(r->id, id, len < RETURNED_ID_SIZE ? len : RETURNED_ID_SIZE);
	r->reader = db_int(q, 1);
	r->period = db_int(q, 2);
	r->at_utc = db_int(q, 3);
	r->kind = (enum returned_kind)db_int(q, 4);
	r->class = (enum bounce_class)db_int(q, 5);
	r->counted = (enum returned_count)db_int(q, 9);
	r->answered = db_int(q, 10) != 0;
	r->paused_until = (int32_t)db_int(q, 11);
	if (db_text(q, 6, a, &r->status, err) == -1 || db_text(q, 7, a, &r->reply, err) == -1)
		return -1;
	return db_text(q, 8, a, &r->decided, err);
}

int
store_load_returned(struct store *store, int64_t reader, int64_t since_utc, size_t max,
    struct arena *a, struct store_returned **out, size_t *n, struct error *err)
{
	struct db_rows rows;
	struct stmt q;

	db_start(&q, store, reader != 0 ? SQL_INCOMING_OF : SQL_INCOMING_SINCE);
	if (reader != 0)
		db_bind_int(&q, reader);
	db_bind_int(&q, since_utc);
	db_bind_int(&q, (int64_t)max);
	if (db_load_rows(&q, a, sizeof(**out), read_returned, &rows, err) == -1)
		return -1;
	*out = rows.items;
	*n = rows.n;
	return 0;
}

int
store_next_returned(
    struct store *store, bool waiting, int64_t after, int64_t *reader, struct error *err)
{
	return db_get_int(
	    store, waiting ? SQL_INCOMING_WAITING : SQL_INCOMING_NEXT, DB_INTS(after), reader, err);
}

int
store_count_returned(struct store *store, int64_t reader, struct error *err)
{
	return db_run_ints(store, SQL_INCOMING_COUNT, DB_INTS(reader), err);
}

int
store_decide_returned(struct store *store, const unsigned char id[RETURNED_ID_SIZE],
    const char *decided, int32_t paused_until, struct error *err)
{
	struct stmt q;

	db_start(&q, store, SQL_INCOMING_DECIDE);
	db_bind_blob(&q, id, RETURNED_ID_SIZE);
	db_bind_text(&q, decided);
	db_bind_int(&q, paused_until);
	return db_run(&q, err);
}

int
store_forget_returned(struct store *store, const char *decided, size_t *n, struct error *err)
{
	struct stmt q;

	db_start(&q, store, SQL_INCOMING_FORGET);
	db_bind_text(&q, decided);
	if (db_run(&q, err) == -1)
		return -1;
	*n = (size_t)db_changes(store);
	return 0;
}

static int
count_rows(struct store *store, enum sql_name name, const int64_t *values, size_t nvalues,
    size_t *n, struct error *err)
{
	int64_t count;

	if (db_get_int(store, name, values, nvalues, &count, err) != 1)
		return -1;
	*n = (size_t)count;
	return 0;
}

int
store_count_waiting_returned(struct store *store, size_t *n, struct error *err)
{
	return count_rows(store, SQL_INCOMING_WAIT_COUNT, NULL, 0, n, err);
}

int
store_count_bounces(
    struct store *store, enum bounce_class class, int64_t since_utc, size_t *n, struct error *err)
{
	return count_rows(store, SQL_INCOMING_CLASS, DB_INTS(since_utc, (int64_t) class), n, err);
}

int
store_was_answered(struct store *store, int64_t reader, int64_t since_utc, struct error *err)
{
	int64_t one;

	return db_get_int(store, SQL_INCOMING_ANSWERED, DB_INTS(reader, since_utc), &one, err);
}

int
store_load_dead(struct store *store, int64_t since_utc, size_t least, struct store_dead *out,
    size_t max, size_t *n, struct error *err)
{
	struct stmt q;
	int more;

	*n = 0;
	db_start(&q, store, SQL_INCOMING_DEAD);
	db_bind_int(&q, since_utc);
	db_bind_int(&q, (int64_t)least);
	while ((more = db_step(&q, err)) == 1 && *n < max) {
		out[*n].period = db_int(&q, 0);
		out[(*n)++].ndead = (size_t)db_int(&q, 1);
	}
	db_done(&q);
	return more == -1 ? -1 : 0;
}

static int
read_domain(struct stmt *q, struct arena *a, void *row, struct error *err)
{
	return db_text(q, 0, a, row, err);
}

int
store_load_bounced_domains(struct store *store, enum bounce_class class, int64_t since_utc,
    size_t least, struct arena *a, const char ***out, size_t *n, struct error *err)
{
	struct db_rows rows;
	struct stmt q;

	db_start(&q, store, SQL_INCOMING_DOMAINS);
	db_bind_int(&q, since_utc);
	db_bind_int(&q, (int64_t) class);
	db_bind_int(&q, (int64_t)least);
	if (db_load_rows(&q, a, sizeof(**out), read_domain, &rows, err) == -1)
		return -1;
	*out = rows.items;
	*n = rows.n;
	return 0;
}

int
store_find_row(struct store *store, enum bounce_class class, const char *domain, int64_t since_utc,
    size_t row, struct arena *a, const char **reply, struct error *err)
{
	size_t n = 0;
	struct stmt q;
	int more, found = 0;

	db_start(&q, store, SQL_INCOMING_ROW);
	db_bind_int(&q, since_utc);
	db_bind_int(&q, (int64_t) class);
	db_bind_text(&q, domain);
	while ((more = db_step(&q, err)) == 1) {
		n = db_int(&q, 0) == (int64_t) class ? n + 1 : 0;
		if (n < row)
			continue;
		found = 1;
		if (db_text(&q, 1, a, reply, err) == -1) {
			more = -1;
			break;
		}
	}
	db_done(&q);
	return more == -1 ? -1 : found;
}

/* ---- what was sent ---- */

static int
read_delivery(struct stmt *q, struct arena *a, void *row, struct error *err)
{
	struct store_delivery *d = row;

	(void)a;
	(void)err;
	d->period = db_int(q, 0);
	d->composed_utc = db_int(q, 1);
	d->tried_utc = db_int(q, 2);
	d->is_out = db_int(q, 3) != 0;
	return 0;
}

int
store_find_delivery(struct store *store, int64_t period, int64_t reader, struct store_delivery *out,
    struct error *err)
{
	struct stmt q;
	int found;

	db_start(&q, store, SQL_DELIVERY_GET);
	db_bind_int(&q, period);
	db_bind_int(&q, reader);
	if ((found = db_step(&q, err)) == 1) {
		read_delivery(&q, NULL, out, err);
		db_done(&q);
	}
	return found;
}

int
store_load_deliveries(struct store *store, int64_t reader, int64_t since_utc, struct arena *a,
    struct store_delivery **out, size_t *n, struct error *err)
{
	struct db_rows rows;
	struct stmt q;

	db_start(&q, store, SQL_DELIVERY_SINCE);
	db_bind_int(&q, reader);
	db_bind_int(&q, since_utc);
	if (db_load_rows(&q, a, sizeof(**out), read_delivery, &rows, err) == -1)
		return -1;
	*out = rows.items;
	*n = rows.n;
	return 0;
}

int
store_count_deliveries(struct store *store, int64_t period, size_t *n, struct error *err)
{
	return count_rows(store, SQL_DELIVERY_COUNT, DB_INTS(period), n, err);
}

int
store_count_suppressed(
    struct store *store, enum suppression_reason reason, size_t *n, struct error *err)
{
	return count_rows(store, SQL_SUPPRESSION_REASONS, DB_INTS((int64_t)reason), n, err);
}
