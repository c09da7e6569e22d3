/* db.h - what the files of src/store/ share: the open store, its locks, and statements whose
 * failures stick, so that a call binds all its values and is checked once, when it steps. */
#ifndef DIGEST_STORE_DB_H
#define DIGEST_STORE_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pthread.h>
#include <sqlite3.h>

#include "digest/arena.h"
#include "digest/error.h"
#include "digest/map.h"
#include "digest/paper.h"
#include "digest/store.h"
#include "store/sql.h"

enum {
	STORE_APPLICATION_ID = 0x64696765,	/* "dige" in the file's header; schema.c writes it */
	DAY_S = 24 * 60 * 60,
	HASH_BYTES = 16,		/* of an address, a reader's block, a mail */
	SUPPRESS_KEY_BYTES = 32,	/* key of the addresses' hash */
	SCRATCH_BYTES = 64 * 1024 * 1024,	/* one paper with all its authors, or 256 readers */
	MAX_PACKED_BYTES = 16 * 1024 * 1024,	/* one paper, one reader's block, one edition's picks */
};

struct overlay;
struct sync;

/* Papers that turned out to be one: sent lists and picks may still hold the old number. */
struct merged_ids {
	int64_t (*pairs)[2];	/* old id, new id; by old id */
	size_t n;
	int64_t newest;		/* rowid up to which the table was read */
};

/* What is committed is on its way to the disk; see flush.c. */
struct flush {
	bool running;
	bool threaded;			/* thread is there */
	pthread_t thread;
	int fd;				/* of the log */
	int why;			/* errno of the thread, when it has ended */
};

struct store {
	sqlite3 *db;
	char *path;
	enum store_mode mode;
	struct log *log;		/* may be NULL */
	struct overlay *overlay;	/* NULL unless what is written stays in memory */
	int write_fd, sender_fd;	/* lock files, -1 = not open */
	sqlite3_stmt *stmts[SQL_COUNT];	/* prepared at their first use */
	char instance[33];
	unsigned char suppress_key[SUPPRESS_KEY_BYTES];
	int64_t boot;			/* this boot of the machine; 0 = unknown */
	int64_t charge;			/* the number of our sending, 0 = we do not send; see acting.c */
	bool in_transaction;
	bool broken;			/* what was to be on the disk may not be; nothing more is written */
	bool wrote;			/* a transaction was committed */
	int64_t change_seq;		/* of the transaction; written at its commit */
	bool change_seq_moved;
	int wal_frames;			/* after the last commit */
	int64_t data_version;		/* as store_was_written() saw it last */
	struct flush flush;
	struct arena scratch;		/* of one call; no call that uses it calls another that does */
	struct sync *sync;		/* between store_sync_begin and _end */
	struct merged_ids merged;
	struct map pinned;		/* snapshots known to be kept for an edition; keys live in pinned_keys */
	struct arena pinned_keys;
	int64_t sent_floor;		/* sent lists forget papers below this id; 0 = not looked up yet */
};

/* ---- statements: db.c ---- */

/* One use of a prepared statement. Values are bound in the order of ?1, ?2 ...; text and blobs
 * must live until it is done. A statement is used by one caller at a time. */
struct stmt {
	struct store *store;
	sqlite3_stmt *st;
	int next;		/* parameter that is bound next */
	int rc;			/* SQLITE_OK, or the first failure */
};

void	db_start(struct stmt *q, struct store *store, enum sql_name name);
void	db_bind_int(struct stmt *q, int64_t value);
void	db_bind_text(struct stmt *q, const char *text);
void	db_bind_blob(struct stmt *q, const void *bytes, size_t len);
/* 1 = a row, 0 = the end, -1; after anything but a row the statement is free again. */
int	db_step(struct stmt *q, struct error *err);
/* Free the statement before its end. */
void	db_done(struct stmt *q);
/* Step to the end. */
int	db_run(struct stmt *q, struct error *err);

/* Columns of the row; text and blobs are copied to the arena. -1 when it is full (ERR_NOMEM). */
int64_t	db_int(const struct stmt *q, int column);
int	db_text(const struct stmt *q, int column, struct arena *a, const char **out, struct error *err);
int	db_blob(const struct stmt *q, int column, struct arena *a, const unsigned char **out, size_t *len,
	    struct error *err);

/* All rows of a statement that is bound, in an arena. Each is size bytes, zeroed before read fills
 * it. */
struct db_rows {
	void *items;
	size_t n;
};
int	db_load_rows(struct stmt *q, struct arena *a, size_t size,
	    int (*read)(struct stmt *q, struct arena *a, void *row, struct error *err), struct db_rows *out,
	    struct error *err);

/* The same of rows whose first column is an id: items are int64_t. */
int	db_load_ids(struct stmt *q, struct arena *a, struct db_rows *out, struct error *err);

/* A statement whose parameters are all numbers: run it, or read the first column of its first
 * row (1, 0 = no row, -1). */
int	db_run_ints(struct store *store, enum sql_name name, const int64_t *values, size_t n, struct error *err);
int	db_get_int(struct store *store, enum sql_name name, const int64_t *values, size_t n, int64_t *out,
	    struct error *err);
#define DB_INTS(...) \
	(const int64_t[]){ __VA_ARGS__ }, sizeof((const int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t)

/* Rows changed by the statement that ran last. */
int64_t	db_changes(const struct store *store);

/* The sentence for a failure of SQLite. Always -1. */
int	db_fail(struct store *store, int rc, struct error *err);
/* Whether a result code means that bytes given to the disk may be gone. */
bool	db_is_lost(int rc);
/* Fixed SQL text without parameters. */
int	db_exec(struct store *store, const char *sql, struct error *err);
/* db_exec() of "BEGIN" or "BEGIN IMMEDIATE", or of "COMMIT": one that fails leaves no transaction behind. */
int	db_exec_whole(struct store *store, const char *sql, struct error *err);
/* The first column of the only row of a fixed PRAGMA, as number or text (at most size - 1
 * bytes). */
int	db_pragma_int(struct store *store, const char *sql, int64_t *out, struct error *err);
int	db_pragma_text(struct store *store, const char *sql, char *out, size_t size, struct error *err);

/* The next change_seq of the running transaction. */
int64_t	db_next_change(struct store *store);

/* Values of the meta table. */
int	db_get_meta(struct store *store, const char *name, int64_t *out, struct error *err);
int	db_set_meta(struct store *store, const char *name, int64_t value, struct error *err);

/* ---- schema.c ---- */

extern const char *const schema_steps[];
int	schema_newest(void);
/* Apply the steps above version, each in a transaction of its own. */
int	schema_apply(struct store *store, int64_t version, struct error *err);

/* ---- lock.c: OFD locks, which belong to the open file and not to the process ---- */

enum lock_byte {
	LOCK_WRITER,	/* a write transaction or a checkpoint (exclusive); a snapshot is being taken (shared) */
	LOCK_SNAPSHOT,	/* overlays that read the database file (shared); a checkpoint writes to it (exclusive) */
	LOCK_ALIVE,	/* stores open for writing (shared) */
};

/* Open or, with make, create the lock file "<store><suffix>". */
int	lock_open(const char *store_path, const char *suffix, bool make, int *fd, struct error *err);
/* 1 = ours, 0 = held by another, -1 = cannot lock (errno). */
int	lock_try(int fd, enum lock_byte byte, bool shared);
/* The same, but wait at most timeout_ms. */
int	lock_wait(int fd, enum lock_byte byte, bool shared, int64_t timeout_ms);
void	lock_drop(int fd, enum lock_byte byte);
/* Is this the f_type of a file system whose locks do not reach other machines' processes? NULL =
 * no, else its name. */
const char *lock_network_name(long f_type);

/* ---- overlay.c ---- */

/* Take a snapshot of the database at path (which may be missing) and register a VFS that reads
 * it and keeps what is written in memory. write_fd   lock file, -1 = there is none; must stay
 * open as long as the overlay */
int	overlay_new(const char *path, int write_fd, struct overlay **out, struct error *err);
/* After the database was closed. */
void	overlay_free(struct overlay *o);
const char *overlay_vfs_name(const struct overlay *o);

/* ---- known.c ---- */

/* The number a merged paper has now. */
int	papers_follow(struct store *store, int64_t *id, struct error *err);
/* Read the table of merged papers if it grew. */
int	papers_load_merged(struct store *store, struct error *err);
int64_t	papers_find_merged(const struct merged_ids *m, int64_t id);

/* ---- suppress.c ---- */

void	suppress_hash(const struct store *store, const char *canonical, unsigned char out[HASH_BYTES]);

/* ---- readers.c, sync.c ---- */

/* The part of a reader that a block says, packed; without file and line, so that a block that
 * only moved is the same. */
void	readers_pack(struct strbuf *out, const struct subscriber *s);
int	readers_unpack(const unsigned char *bytes, size_t len, struct arena *a, struct subscriber *s,
	    struct error *err);
/* Insert (id 0) or rewrite a reader's row. */
int	readers_write(struct store *store, const struct subscriber *s, enum reader_origin origin, int64_t id,
	    const char *consent, int64_t now_utc, struct error *err);
/* A record of consents with more at its end, at most MAX_CONSENT_BYTES if what is added lets it. */
int	readers_join_consents(const char *before, const char *added, struct strbuf *record, struct error *err);
/* Forget an unfinished pass. */
void	sync_free(struct store *store);
/* Mail starts again at the newest papers: what came in the meantime does not flood. */
int	readers_skip_to_now(struct store *store, int64_t id, int64_t now_utc, struct error *err);

/* ---- acting.c ---- */

/* Inside a transaction: if this process sends, that no other has taken over. Fails with ERR_TEMP. */
int	acting_check_fence(struct store *store, struct error *err);

/* ---- editions.c ---- */

/* Call visit for each paper that an unsettled edition needs. */
int	editions_each_needed(struct store *store, int (*visit)(void *arg, int64_t paper), void *arg,
	    struct error *err);

/* ---- packed numbers, shared by sent lists, picks and readers: db.c ---- */

enum { MAX_PACKED_UINT = 10 }; /* bytes of one number */
/* Into out; returns how many bytes it took. */
size_t	pack_uint_at(char *out, uint64_t n);
void	pack_uint(struct strbuf *out, uint64_t n);
void	pack_text(struct strbuf *out, const char *text);
/* The rest of packed bytes; broken once something did not fit. */
struct unpack {
	const unsigned char *p, *end;
	bool broken;
};
uint64_t unpack_uint(struct unpack *u);
const char *unpack_text(struct unpack *u, struct arena *a);

#endif
