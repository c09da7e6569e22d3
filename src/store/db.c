#include "store/db.h"

#include "digest/file.h"

#include <assert.h>
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What to do about a failure, by SQLite's primary result code. */
static const struct {
	int code;
	enum err_kind kind;
	const char *cure; /* NULL = a matter of permissions */
} sentences[] = {
	{ SQLITE_FULL, ERR_IO, "the disk is full; free some space, then run again" },
	{ SQLITE_CORRUPT, ERR_IO, "the store is damaged; restore a backup: digest restore FILE" },
	{ SQLITE_NOTADB, ERR_IO,
	    "this file is not a digest store; move it away or restore a backup: digest restore "
	    "FILE" },
	{ SQLITE_BUSY, ERR_TEMP, "locked by another program for 30 s; end it, then run again" },
	{ SQLITE_LOCKED, ERR_TEMP, "locked by another program for 30 s; end it, then run again" },
	{ SQLITE_READONLY, ERR_IO, NULL },
	{ SQLITE_PERM, ERR_IO, NULL },
	{ SQLITE_CANTOPEN, ERR_IO, NULL },
	{ SQLITE_NOMEM, ERR_NOMEM, "out of memory" },
	{ SQLITE_TOOBIG, ERR_NOMEM, "a value is too large for the store" },
	{ SQLITE_PROTOCOL, ERR_TEMP, "locking failed; run again" },
};

/* After a sync that failed, the kernel may have dropped what it could not write, and a second sync would say that all is
 * well (PostgreSQL's "fsyncgate"). */
bool
db_is_lost(int rc)
{
	return rc == SQLITE_IOERR_FSYNC || rc == SQLITE_IOERR_DIR_FSYNC;
}

/* The file may be fine, and its folder the one in which nothing can be made. */
static int
refuse(const char *path, int cause, enum err_kind kind, struct error *err)
{
	char copy[4096];
	bool file = access(path, R_OK | W_OK) == -1;
	struct strbuf cure;

	if (cause == EROFS)
		return err_set(err, kind, "%s: is on a disk that may only be read", path);
	snprintf(copy, sizeof(copy), "%s", path);
	strbuf_init(&cure, sizeof(copy));
	file_add_cure(&cure, file ? path : dirname(copy), "rw");
	err_set(err, kind, "%s: no permission%s; %s", path, file ? "" : " to make files beside it",
	    cure.buf);
	strbuf_release(&cure);
	return -1;
}

int
db_fail(struct store *store, int rc, struct error *err)
{
	int code = rc & 0xff;
	int cause = store->db != NULL ? sqlite3_system_errno(store->db) : 0;

	store->broken = store->broken || db_is_lost(rc);
	if (code == SQLITE_IOERR && (cause == ENOSPC || cause == EDQUOT))
		code = SQLITE_FULL;
	for (size_t i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++)
		if (sentences[i].code == code)
			return sentences[i].cure != NULL
			    ? err_set(
				  err, sentences[i].kind, "%s: %s", store->path, sentences[i].cure)
			    : refuse(store->path, cause, sentences[i].kind, err);
	if (code == SQLITE_IOERR && cause != 0)
		return err_set(
		    err, ERR_IO, "%s: the disk failed: %s", store->path, strerror(cause));
	if (code == SQLITE_IOERR)
		return err_set(err, ERR_IO, "%s: the disk failed (%s, code %d)", store->path,
		    sqlite3_errstr(rc), rc);
	return err_set(err, ERR_BUG, "%s: %s", store->path,
	    store->db != NULL ? sqlite3_errmsg(store->db) : sqlite3_errstr(rc));
}

void
db_start(struct stmt *q, struct store *store, enum sql_name name)
{
	sqlite3_stmt **st = &store->stmts[name];

	q->store = store;
	q->st = NULL;
	q->next = 1;
	q->rc = SQLITE_OK;
	if (*st == NULL)
		q->rc = sqlite3_prepare_v3(
		    store->db, sql_text[name], -1, SQLITE_PREPARE_PERSISTENT, st, NULL);
	if (q->rc != SQLITE_OK)
		return;
	q->st = *st;
	assert(!sqlite3_stmt_busy(q->st));
	if (!store->in_transaction && !sqlite3_stmt_readonly(q->st))
		q->rc = SQLITE_MISUSE;
}

static void
note_bind(struct stmt *q, int rc)
{
	q->next++;
	if (q->rc == SQLITE_OK)
		q->rc = rc;
}

void
db_bind_int(struct stmt *q, int64_t value)
{
	if (q->rc == SQLITE_OK)
		note_bind(q, sqlite3_bind_int64(q->st, q->next, value));
}

void
db_bind_text(struct stmt *q, const char *text)
{
	if (q->rc == SQLITE_OK)
		note_bind(q, sqlite3_bind_text(q->st, q->next, text, -1, SQLITE_STATIC));
}

void
db_bind_blob(struct stmt *q, const void *bytes, size_t len)
{
	/* A NULL pointer would bind NULL, also for a blob without bytes. */
	if (q->rc == SQLITE_OK)
		note_bind(q,
		    sqlite3_bind_blob64(q->st, q->next, len > 0 ? bytes : "", len, SQLITE_STATIC));
}

void
db_done(struct stmt *q)
{
	if (q->st == NULL)
		return;
	sqlite3_reset(q->st);
	sqlite3_clear_bindings(q->st);
	q->st = NULL;
}

int
db_step(struct stmt *q, struct error *err)
{
	int rc = q->rc;

	if (rc == SQLITE_OK)
		rc = sqlite3_step(q->st);
	if (rc == SQLITE_ROW)
		return 1;
	if (rc == SQLITE_MISUSE)
		err_set(err, ERR_BUG, "%s: written to outside a transaction", q->store->path);
	else if (rc != SQLITE_DONE)
		db_fail(q->store, rc, err);
	db_done(q);
	return rc == SQLITE_DONE ? 0 : -1;
}

int
db_run(struct stmt *q, struct error *err)
{
	int more;

	while ((more = db_step(q, err)) == 1)
		continue;
	return more;
}

int64_t
db_int(const struct stmt *q, int column)
{
	return sqlite3_column_int64(q->st, column);
}

int
db_text(const struct stmt *q, int column, struct arena *a, const char **out, struct error *err)
{
	const unsigned char *text = sqlite3_column_text(q->st, column);
	int len = sqlite3_column_bytes(q->st, column);
	const char *copy = text == NULL ? "" : arena_strndup(a, (const char *)text, (size_t)len);

	if (copy == NULL)
		return err_nomem(err, q->store->path);
	*out = copy;
	return 0;
}

int
db_blob(const struct stmt *q, int column, struct arena *a, const unsigned char **out, size_t *len,
    struct error *err)
{
	const void *bytes = sqlite3_column_blob(q->st, column);
	int n = sqlite3_column_bytes(q->st, column);
	unsigned char *copy = arena_alloc(a, (size_t)n);

	if (copy == NULL)
		return err_nomem(err, q->store->path);
	if (n > 0)
		memcpy(copy, bytes, (size_t)n);
	*out = copy;
	*len = (size_t)n;
	return 0;
}

int
db_load_rows(struct stmt *q, struct arena *a, size_t size,
    int (*read)(struct stmt *q, struct arena *a, void *row, struct error *err), struct db_rows *out,
    struct error *err)
{
	char *rows = NULL;
	size_t n = 0, room = 0;
	int more;

	while ((more = db_step(q, err)) == 1) {
		if (n == room) {
			char *grown = arena_grow(a, rows, n, &room, size);

			if (grown == NULL) {
				more = err_nomem(err, q->store->path);
				break;
			}
			rows = grown;
		}
		if ((more = read(q, a, rows + n * size, err)) == -1)
			break;
		n++;
	}
	db_done(q);
	if (more == -1)
		return -1;
	out->items = rows;
	out->n = n;
	return 0;
}

static int
read_id(struct stmt *q, struct arena *a, void *row, struct error *err)
{
	(void)a;
	(void)err;
	*(int64_t *)row = db_int(q, 0);
	return 0;
}

int
db_load_ids(struct stmt *q, struct arena *a, struct db_rows *out, struct error *err)
{
	return db_load_rows(q, a, sizeof(int64_t), read_id, out, err);
}

static void
start_ints(struct stmt *q, struct store *store, enum sql_name name, const int64_t *values, size_t n)
{
	db_start(q, store, name);
	for (size_t i = 0; i < n; i++)
		db_bind_int(q, values[i]);
}

int
db_run_ints(
    struct store *store, enum sql_name name, const int64_t *values, size_t n, struct error *err)
{
	struct stmt q;

	start_ints(&q, store, name, values, n);
	return db_run(&q, err);
}

int
db_get_int(struct store *store, enum sql_name name, const int64_t *values, size_t n, int64_t *out,
    struct error *err)
{
	struct stmt q;
	int found;

	start_ints(&q, store, name, values, n);
	if ((found = db_step(&q, err)) == 1) {
		*out = db_int(&q, 0);
		db_done(&q);
	}
	return found;
}

int64_t
db_changes(const struct store *store)
{
	return sqlite3_changes64(store->db);
}

int
db_exec(struct store *store, const char *sql, struct error *err)
{
	int rc = sqlite3_exec(store->db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : db_fail(store, rc, err);
}

int
db_exec_whole(struct store *store, const char *sql, struct error *err)
{
	if (db_exec(store, sql, err) == 0)
		return 0;
	/* Memory that is short behind it fails the call, but not the transaction. */
	if (sqlite3_get_autocommit(store->db) == 0)
		db_exec(store, "ROLLBACK", NULL);
	return -1;
}

int
db_pragma_text(struct store *store, const char *sql, char *out, size_t size, struct error *err)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(store->db, sql, -1, &st, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW) {
		const unsigned char *text = sqlite3_column_text(st, 0);

		snprintf(out, size, "%s", text != NULL ? (const char *)text : "");
	}
	sqlite3_finalize(st);
	return rc == SQLITE_ROW ? 0 : db_fail(store, rc, err);
}

int
db_pragma_int(struct store *store, const char *sql, int64_t *out, struct error *err)
{
	char text[32] = "";

	if (db_pragma_text(store, sql, text, sizeof(text), err) == -1)
		return -1;
	*out = strtoll(text, NULL, 10);
	return 0;
}

int64_t
db_next_change(struct store *store)
{
	assert(store->in_transaction);
	store->change_seq_moved = true;
	return ++store->change_seq;
}

int
db_get_meta(struct store *store, const char *name, int64_t *out, struct error *err)
{
	struct stmt q;
	int found;

	db_start(&q, store, SQL_META_GET);
	db_bind_text(&q, name);
	if ((found = db_step(&q, err)) == 1) {
		*out = db_int(&q, 0);
		db_done(&q);
	}
	return found;
}

int
db_set_meta(struct store *store, const char *name, int64_t value, struct error *err)
{
	struct stmt q;

	db_start(&q, store, SQL_META_SET);
	db_bind_text(&q, name);
	db_bind_int(&q, value);
	return db_run(&q, err);
}

size_t
pack_uint_at(char *out, uint64_t n)
{
	size_t len = 0;

	for (; n >= 0x80; n >>= 7)
		out[len++] = (char)(n | 0x80);
	out[len++] = (char)n;
	return len;
}

void
pack_uint(struct strbuf *out, uint64_t n)
{
	char bytes[MAX_PACKED_UINT];

	strbuf_addn(out, bytes, pack_uint_at(bytes, n));
}

void
pack_text(struct strbuf *out, const char *text)
{
	size_t len = strlen(text);

	pack_uint(out, len);
	strbuf_addn(out, text, len);
}

uint64_t
unpack_uint(struct unpack *u)
{
	uint64_t n = 0;

	/* Nearly all are small. */
	if (u->p < u->end && *u->p < 0x80)
		return *u->p++;
	for (unsigned shift = 0; shift < 64 && u->p < u->end; shift += 7) {
		unsigned char byte = *u->p++;

		n |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return n;
	}
	u->broken = true;
	return 0;
}

const char *
unpack_text(struct unpack *u, struct arena *a)
{
	uint64_t len = unpack_uint(u);
	const char *text = NULL;

	if (len == 0)
		return "";
	if (len <= (uint64_t)(u->end - u->p))
		text = arena_strndup(a, (const char *)u->p, (size_t)len);
	if (text == NULL) {
		u->broken = true;
		return "";
	}
	u->p += len;
	return text;
}
