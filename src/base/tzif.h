/* tzif.h - the contents of one TZif file (RFC 8536, RFC 9636) and of the POSIX rule at its end.
 * Shared by tz.c and tzif.c only. */
#ifndef DIGEST_BASE_TZIF_H
#define DIGEST_BASE_TZIF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "digest/error.h"

/* RFC 8536 3.2: offsets SHOULD be between -24:59:59 and 25:59:59; others are refused. */
enum { MAX_TZ_OFFSET_S = 26 * 3600 - 1, MAX_TZ_ABBR = 16 };

/* Seconds east of UTC and the name that goes with them. */
struct tz_type {
	int32_t offset_s;
	char abbr[MAX_TZ_ABBR];
};

/* One change of the clock in each year: RULE_MONTH is Mm.w.d, RULE_JULIAN Jn (1..365, never 29
 * February), RULE_DAY n (0..365). */
struct tz_rule {
	enum { RULE_MONTH, RULE_JULIAN, RULE_DAY } kind;
	int month, week, day;
	int32_t time_s; /* wall time of the change, -167..167 hours */
};

/* The POSIX TZ string, e.g. "GMT0BST,M3.5.0/1,M10.5.0". */
struct tz_footer {
	bool present, has_dst;
	struct tz_type std, dst;
	struct tz_rule start, end; /* of summer time */
};

struct tzif {
	int64_t *times; /* of the changes, ascending; NULL when there are none */
	uint8_t *kinds; /* what each changes to, an index of types */
	size_t ntimes;
	struct tz_type *types; /* at least one; the first holds before the first change */
	size_t ntypes;
	struct tz_type utc; /* where types points when there was no file */
	struct tz_footer footer;
};

/*
 * Read the bytes of a file. Every count is checked against len; nothing is believed.
 * Fails with ERR_CONFIG and owns nothing then. z is overwritten.
 */
int	tzif_parse(struct tzif *z, const char *bytes, size_t len, struct error *err);
void	tzif_init_utc(struct tzif *z);
void	tzif_release(struct tzif *z);

/* What holds at a moment, and the first later moment at which something else may (INT64_MAX =
 * never). */
const struct tz_type *tzif_type_at(const struct tzif *z, int64_t utc, int64_t *until);

#endif
