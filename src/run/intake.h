/* intake.h - readers out of a file: what its tables and lines have in common. */
#ifndef DIGEST_RUN_INTAKE_H
#define DIGEST_RUN_INTAKE_H

#include "digest/map.h"
#include "run/wish.h"

struct table;

struct intake {
	struct run *run;
	const char *path;	/* of the file, as messages name it */
	const struct run_import_options *options;
	struct run_import_counts *counts;
	const char *(*name_column)(const struct intake *in, const char *wrong);	/* as the file does; NULL = it needs none */
	const struct table *names;
	struct map seen;	/* identity to the line it stands in first */
	struct arena kept;	/* identities */
	struct arena scratch;	/* of one row */
	size_t nopen;		/* rows in the transaction under way */
	bool in_transaction;
	bool synced;		/* readers of the configuration are in the store */
	bool has_key;		/* the hashes of the file are of the store's key */
	bool has_digests;	/* some were passed over */
	bool digests;		/* of lines these are taken now, and nothing else */
};

/* What a row says of the person. */
enum intake_state {
	INTAKE_READER,
	INTAKE_ENDED,		/* was a reader, and nobody objects to another time */
	INTAKE_LEFT,		/* must not be mailed */
	INTAKE_UNCONFIRMED,	/* never said yes */
};
struct intake_row {
	uint32_t line;
	enum intake_state state;
	enum suppression_reason reason;	/* of LEFT */
	int64_t since_utc;	/* of LEFT; 0 = now */
	int64_t ended_utc;	/* when they ceased to be a reader, 0 = of LEFT not known, of ENDED now */
	bool keep_reader;	/* of LEFT: with all that is said of them */
	int64_t created_utc, last_edition_utc;	/* elsewhere; 0 = not told, or none */
	struct run_wish wish;
};

/* Take a person in. What is wrong with the row is told and counted; -1 only when the store or memory fails. */
int	intake_put(struct intake *in, const struct intake_row *row, struct error *err);
/* Tell what is wrong at a line, in a column or member ("" = in none), and count it. Always 0. */
int	intake_tell(struct intake *in, uint32_t line, const char *column, const char *message);
/* Rows go to the store some at a time, so that nobody else waits long. */
int	intake_begin(struct intake *in, struct error *err);

/* table.c: a table with a head. */
int	intake_read_table(struct intake *in, const char *bytes, size_t len, struct error *err);
/* lines.c: lines of an export; those of papers are passed over. Digests have a reading of their own, once the papers are in: of
 * what is still missing then the title alone is known. */
int	intake_read_lines(struct intake *in, const char *bytes, size_t len, struct error *err);

#endif
