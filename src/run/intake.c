#include "run/intake.h"
#include "digest/file.h"
#include "digest/limits.h"

#include <stdio.h>
#include <string.h>

enum { INTAKE_BATCH = 1000, MAX_INTAKE_BYTES = 1024 * 1024 * 1024, TEXT_BYTES = 512 };

int
intake_tell(struct intake *in, uint32_t line, const char *column, const char *message)
{
	char text[700];

	if (++in->counts->nbad > MAX_INTAKE_TOLD || in->options->tell == NULL)
		return 0;
	if (in->name_column != NULL)
		column = in->name_column(in, column);
	snprintf(text, sizeof(text), "%s:%u:%s%s %s", in->path, (unsigned)line, column,
	    column[0] != '\0' ? ":" : "", message);
	in->options->tell(in->options->arg, text);
	return 0;
}

int
intake_begin(struct intake *in, struct error *err)
{
	struct store_sync_counts counts;

	if (in->in_transaction)
		return 0;
	if (!in->synced && run_sync_readers(in->run, false, &counts, err) == -1)
		return -1;
	in->synced = true;
	if (store_begin(in->run->store, err) == -1)
		return -1;
	in->in_transaction = true;
	in->nopen = 0;
	return 0;
}

static int
commit_rows(struct intake *in, struct error *err)
{
	if (!in->in_transaction)
		return 0;
	in->in_transaction = false;
	return store_commit(in->run->store, true, err);
}

/* The first row of a person counts. 1 = this is it, 0 = it was told that it is not. */
static int
enter(struct intake *in, const struct intake_row *row, const char *canonical, struct error *err)
{
	char text[200];
	const char *key;
	uint64_t line;

	if (map_get(&in->seen, canonical, strlen(canonical), &line)) {
		snprintf(text, sizeof(text), "%.120s stands already in line %u", canonical,
		    (unsigned)line);
		return intake_tell(in, row->line, "address", text);
	}
	key = arena_strdup(&in->kept, canonical);
	if (key == NULL || map_set(&in->seen, key, strlen(key), row->line) == -1)
		return err_nomem(err, "readers");
	return 1;
}

static int
put_left(struct intake *in, const struct intake_row *row, const char *canonical, struct error *err)
{
	int64_t since_utc = row->since_utc != 0 ? row->since_utc : clock_now_utc(&in->run->clock);

	in->counts->nleft++;
	return store_suppress(in->run->store, canonical, row->reason, since_utc, err);
}

static int
end_reader(
    struct intake *in, const struct intake_row *row, const char *canonical, struct error *err)
{
	int64_t ended_utc = row->ended_utc != 0 ? row->ended_utc : clock_now_utc(&in->run->clock);
	struct store_reader *r;
	int found = store_find_reader(in->run->store, canonical, &in->scratch, &r, err);

	return found != 1 ? found : store_end_reader(in->run->store, r->sub.id, ended_utc, err);
}

/* 0, or -1; what is wrong with the wish itself is told. */
static int
put_wish(struct intake *in, const struct intake_row *row, const struct address *addr,
    enum run_taken *taken, bool *good, struct error *err)
{
	struct error why = { .kind = ERR_NONE };
	const char *wrong = "", *message = why.msg;
	size_t len;

	*good = wish_put(in->run, &row->wish, addr, &in->scratch, taken, NULL, &wrong, &why) == 0;
	if (*good)
		return 0;
	if (why.kind != ERR_DATA) {
		*err = why;
		return -1;
	}
	/* The column says which key it is. */
	len = strlen(wrong);
	if (strncmp(message, wrong, len) == 0 && strncmp(message + len, ": ", 2) == 0)
		message += len + 2;
	return intake_tell(in, row->line, wrong, message);
}

/* Who is new here, but not new to what is mailed. */
static int
move_in(struct intake *in, const struct intake_row *row, const char *canonical, struct error *err)
{
	struct store *store = in->run->store;
	struct store_reader *r;

	if (row->created_utc == 0)
		return 0;
	if (store_find_reader(store, canonical, &in->scratch, &r, err) != 1)
		return -1;
	return store_move_in_reader(store, r->sub.id, row->created_utc, row->last_edition_utc, err);
}

static int
put_reader(struct intake *in, const struct intake_row *row, const struct address *addr,
    bool is_known, struct error *err)
{
	static const size_t members[] = {
		[TAKEN_NEW] = offsetof(struct run_import_counts, nadded),
		[TAKEN_CHANGED] = offsetof(struct run_import_counts, nupdated),
		[TAKEN_SAME] = offsetof(struct run_import_counts, nsame),
	};
	enum run_taken taken;
	bool good;

	if (put_wish(in, row, addr, &taken, &good, err) == -1)
		return -1;
	if (!good)
		return 0;
	if (!is_known && move_in(in, row, addr->canonical, err) == -1)
		return -1;
	if ((row->state == INTAKE_ENDED || row->ended_utc != 0) &&
	    end_reader(in, row, addr->canonical, err) == -1)
		return -1;
	if (row->state == INTAKE_LEFT)
		return put_left(in, row, addr->canonical, err);
	++*(size_t *)(void *)((char *)in->counts + members[taken]);
	return 0;
}

/* Somebody who is a reader here, or may not be one, stays as they are. */
static int
put_known(
    struct intake *in, const struct intake_row *row, const struct address *addr, struct error *err)
{
	struct store *store = in->run->store;
	struct store_reader *known = NULL;
	int suppressed = store_is_suppressed(store, addr->canonical, NULL, NULL, err), found;
	bool active;

	if (suppressed == -1 ||
	    (found = store_find_reader(store, addr->canonical, &in->scratch, &known, err)) == -1)
		return -1;
	active = found == 1 && known->state == READER_ACTIVE;
	if (suppressed == 1 && (row->state != INTAKE_LEFT || !row->keep_reader || found == 1)) {
		in->counts->nkept_out++;
		return 0;
	}
	if (row->state == INTAKE_LEFT && (!row->keep_reader || active))
		return put_left(in, row, addr->canonical, err);
	if (active && known->sub.origin == ORIGIN_FILE) {
		in->counts->nfile++;
		return 0;
	}
	if (active && row->state == INTAKE_ENDED) {
		in->counts->nsame++;
		return 0;
	}
	return put_reader(in, row, addr, found == 1, err);
}

int
intake_put(struct intake *in, const struct intake_row *row, struct error *err)
{
	struct error why = { .kind = ERR_NONE };
	struct address addr;
	int is_first;

	if (address_parse(row->wish.address, &in->scratch, &addr, NULL, &why) == -1) {
		if (why.kind == ERR_DATA)
			return intake_tell(in, row->line, "address", why.msg);
		*err = why;
		return -1;
	}
	if ((is_first = enter(in, row, addr.canonical, err)) != 1)
		return is_first;
	if (row->state == INTAKE_UNCONFIRMED) {
		in->counts->nunconfirmed++;
		return 0;
	}
	if (intake_begin(in, err) == -1 || put_known(in, row, &addr, err) == -1)
		return -1;
	return ++in->nopen < INTAKE_BATCH ? 0 : commit_rows(in, err);
}

/* ---- a file ---- */

/* Text that begins neither like JSON nor like XML. What was packed is no text. */
static bool
is_table(const char *bytes, size_t len)
{
	size_t i = len >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;

	while (i < len && strchr(" \t\r\n", bytes[i]) != NULL && bytes[i] != '\0')
		i++;
	if (i == len || strchr("{[<", bytes[i]) != NULL)
		return false;
	for (; i < len && i < TEXT_BYTES; i++)
		if ((unsigned char)bytes[i] < 0x20 && strchr("\t\r\n", bytes[i]) == NULL)
			return false;
	return memchr(bytes, '\0', i) == NULL;
}

static int
read_rows(struct intake *in, const struct strbuf *bytes, bool table, struct error *err)
{
	int rc;

	map_init(&in->seen);
	arena_init(&in->kept, MAX_RUN_BYTES);
	arena_init(&in->scratch, MAX_READER_BYTES);
	rc = (table ? intake_read_table : intake_read_lines)(in, bytes->buf, bytes->len, err);
	if (rc == 0)
		rc = commit_rows(in, err);
	else if (in->in_transaction)
		store_rollback(in->run->store);
	arena_release(&in->scratch);
	arena_release(&in->kept);
	map_release(&in->seen);
	return rc;
}

/* When the lines that are no readers cannot be read, the readers are in all the same. */
static int
import_papers(struct intake *in, const struct strbuf *bytes, struct error *err)
{
	const size_t len = strlen(in->path);
	const char *what;

	if (papers_import(in->run, in->path, bytes->buf, bytes->len, in->counts, err) == 0)
		return 0;
	if (!in->counts->has_readers || err->kind != ERR_DATA)
		return -1;
	/* The caller names the file. */
	what = strncmp(err->msg, in->path, len) == 0 && strncmp(err->msg + len, ": ", 2) == 0
	    ? err->msg + len + 2
	    : err->msg;
	snprintf(in->counts->fault, sizeof(in->counts->fault), "%.255s", what);
	return 0;
}

int
run_import(struct run *run, const char *path, const struct run_import_options *options,
    struct run_import_counts *counts, struct error *err)
{
	struct intake in = { .run = run, .path = path, .options = options, .counts = counts };
	struct strbuf bytes;
	bool table;
	int rc = -1;

	memset(counts, 0, sizeof(*counts));
	strbuf_init(&bytes, MAX_INTAKE_BYTES);
	if (file_read(strcmp(path, "-") == 0 ? "/dev/stdin" : path, &bytes, err) == 0) {
		table = is_table(bytes.buf, bytes.len);
		rc = read_rows(&in, &bytes, table, err);
		if (rc == 0 && !table)
			rc = import_papers(&in, &bytes, err);
		in.digests = in.has_digests;
		if (rc == 0 && in.digests)
			rc = read_rows(&in, &bytes, false, err);
	}
	strbuf_release(&bytes);
	return rc;
}
