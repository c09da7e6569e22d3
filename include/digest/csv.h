/* csv.h - records of comma-separated values (RFC 4180), as spreadsheets and list managers write them. What the RFC leaves open: a
 * line may end in CR LF, LF or CR; a byte order mark is passed over; empty lines are none; the text is UTF-8; fields are
 * separated by commas or, when the first line has more of them, by semicolons or tabs. A quote stands in a quoted field only.
 * Nothing is copied but quoted fields with a quote in them. */
#ifndef DIGEST_CSV_H
#define DIGEST_CSV_H

#include <stddef.h>
#include <stdint.h>

#include "digest/arena.h"
#include "digest/error.h"

/* Where the reader stands. */
struct csv {
	const char *bytes;
	size_t len, pos;
	uint32_t line;		/* of pos, from 1 */
	char separator;
};

struct csv_record {
	const char **fields;	/* in the arena; blanks around them stay */
	size_t n;		/* one or more */
	uint32_t line;		/* on which it begins */
};

/* Borrows the bytes, of which there may be no NUL behind them. */
void	csv_init(struct csv *csv, const char *bytes, size_t len);

/*
 * The next record.
 * column	of ERR_DATA: the field that is wrong, from 1
 * Returns 1, 0 at the end, or -1: ERR_DATA with what was found and expected, whereupon out->line is set and the next call goes
 * on with the line after the one the record began on; ERR_NOMEM.
 * A record has at most MAX_CSV_FIELDS fields and MAX_CSV_RECORD bytes.
 */
int	csv_next(struct csv *csv, struct arena *a, struct csv_record *out, size_t *column, struct error *err);

#endif
