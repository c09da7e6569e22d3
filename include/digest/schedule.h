/* schedule.h - the `when` of a reader: which local days an edition is due, and from what time. Pure. */
#ifndef DIGEST_SCHEDULE_H
#define DIGEST_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "digest/error.h"
#include "digest/tz.h"

enum schedule_kind { SCHEDULE_ALWAYS, SCHEDULE_WEEKDAYS, SCHEDULE_MONTHLY };

struct schedule {
	enum schedule_kind kind;
	unsigned weekdays;	/* bit 0 = Sunday .. bit 6 = Saturday */
	int month_day;		/* 1..31, clamped to the month's end */
	int hour, minute;	/* 00:00 when no time is given: the first run of the local day */
};

/*
 * "always", "daily [HH:MM]", "weekdays [HH:MM]", "mon,thu [HH:MM]", "monthly N [HH:MM]".
 * offset	(may be NULL) gets the byte at which it is wrong
 * Fails with ERR_CONFIG: what was found and what was expected.
 */
int	schedule_parse(const char *text, struct schedule *out, size_t *offset, struct error *err);

/* The moment an edition of a local day is due: its date and time on the wall clock of the zone, or the first moment after
 * it where a clock change skips it. */
int64_t	schedule_due_utc(const struct schedule *s, const struct tz *tz, int32_t day);

/*
 * The newest local day whose edition is due at now_utc, so that missed ones merge into one. Not for SCHEDULE_ALWAYS.
 * Every schedule has a day within the last 31, so there always is one.
 */
int32_t	schedule_last_day(const struct schedule *s, const struct tz *tz, int64_t now_utc);

/* The first day after `day`, and the last one before it, on which an edition is due. Not for SCHEDULE_ALWAYS. */
int32_t	schedule_next_day(const struct schedule *s, int32_t day);
int32_t	schedule_previous_day(const struct schedule *s, int32_t day);

#endif
