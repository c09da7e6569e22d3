#include "store/db.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The note that says which generation it is, and of which compiler: "7 1 utf8proc-2.8.0 le64". */
static const char note_name[] = "programs";

/* *number = the newest generation; *same = it is of this compiler. */
static int
read_generation(
    struct store *store, const char *compiler, int64_t *number, bool *same, struct error *err)
{
	const char *text;
	char *rest;

	arena_reset(&store->scratch);
	if (store_get_note(store, note_name, &store->scratch, &text, err) == -1)
		return -1;
	*number = strtoll(text, &rest, 10);
	*same = *number > 0 && *rest == ' ' && strcmp(rest + 1, compiler) == 0;
	return 0;
}

int
store_find_generation(struct store *store, const char *compiler, int64_t *out, struct error *err)
{
	bool same;

	if (read_generation(store, compiler, out, &same, err) == -1)
		return -1;
	if (!same)
		*out = 0;
	return 0;
}

int
store_new_generation(struct store *store, const char *compiler, int64_t *out, struct error *err)
{
	struct strbuf text;
	int64_t before;
	bool same;
	int rc;

	if (read_generation(store, compiler, &before, &same, err) == -1)
		return -1;
	*out = before > 0 && before < INT64_MAX ? before + 1 : 1;
	strbuf_init(&text, 4096);
	strbuf_addf(&text, "%" PRId64 " %s", *out, compiler);
	rc = strbuf_check(&text, err);
	if (rc == 0)
		rc = db_run_ints(store, SQL_LITERAL_CLEAR, NULL, 0, err);
	if (rc == 0)
		rc = store_set_note(store, note_name, text.buf, err);
	strbuf_release(&text);
	return rc;
}

int
store_each_literal(struct store *store,
    int (*visit)(void *arg, const unsigned char *bytes, size_t len, struct error *err), void *arg,
    struct error *err)
{
	int64_t next = 0;
	struct stmt q;
	int more, rc = 0;

	db_start(&q, store, SQL_LITERAL_ALL);
	while (rc == 0 && (more = db_step(&q, err)) == 1) {
		if (db_int(&q, 0) != next++)
			rc = err_set(err, ERR_DATA, "%s: a stored word of the filters is missing",
			    store->path);
		else
			rc = visit(arg, sqlite3_column_blob(q.st, 1),
			    (size_t)sqlite3_column_bytes(q.st, 1), err);
	}
	db_done(&q);
	return rc != 0 ? rc : more;
}

int
store_add_literal(
    struct store *store, int64_t number, const void *bytes, size_t len, struct error *err)
{
	struct stmt q;

	db_start(&q, store, SQL_LITERAL_ADD);
	db_bind_int(&q, number);
	db_bind_blob(&q, bytes, len);
	return db_run(&q, err);
}

int
store_put_programs(
    struct store *store, int64_t reader, const void *bytes, size_t len, struct error *err)
{
	struct stmt q;

	db_start(&q, store, SQL_READER_PROGRAMS);
	db_bind_int(&q, reader);
	db_bind_blob(&q, bytes, len);
	return db_run(&q, err);
}
