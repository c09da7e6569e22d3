/* date.h - calendar arithmetic and the date formats of feeds, mail and people. Proleptic Gregorian
 * calendar, no leap seconds, years 1..9999. Never touches the process's time zone. */
#ifndef DIGEST_DATE_H
#define DIGEST_DATE_H

#include <stdint.h>

#include "digest/error.h"

struct civil {
	int year;		/* 1..9999 */
	int month;		/* 1..12 */
	int day;		/* 1..31 */
	int hour, minute, second;
};

/* The first and the last second that has a four-digit year. */
#define DATE_MIN_UTC	INT64_C(-62135596800)	/* 0001-01-01T00:00:00Z */
#define DATE_MAX_UTC	INT64_C(253402300799)	/* 9999-12-31T23:59:59Z */

enum { DATE_RFC3339_SIZE = 32, DATE_RFC5322_SIZE = 48 };

/* utc, or the nearest moment between DATE_MIN_UTC and DATE_MAX_UTC. */
int64_t	date_clamp(int64_t utc);

/* Days since 1970-01-01 of a date, and back. What lies outside years 1..9999 becomes its first or last
 * day. */
int32_t	date_day(int year, int month, int day);
void	date_civil_of_day(int32_t day, struct civil *out);	/* the time of day is 00:00:00 */
/* 0 = Sunday .. 6 = Saturday. */
int	date_weekday(int32_t day);
/* 28..31. */
int	date_days_in_month(int year, int month);

/* Seconds since 1970-01-01T00:00:00 of a wall time, taken as UTC, and back (clamped). */
int64_t	date_seconds(const struct civil *c);
void	date_civil(int64_t seconds, struct civil *out);

/*
 * A time as services write it: RFC 3339 ("2026-08-21T00:00:00.000Z", offset or Z, a blank for T,
 * fraction ignored, UTC without a zone), a bare "2026-08-21" (midnight UTC), or RFC 5322 ("Mon, 27 Apr 2026 00:00:00 -0400",
 * day name optional, two-digit years and zone names of section 4.3).
 * Fails with ERR_DATA and what was expected.
 */
int	date_parse(const char *text, int64_t *utc, struct error *err);

/* "2026-08-21", whole; a day number. Fails with ERR_DATA. */
int	date_parse_day(const char *text, int32_t *day, struct error *err);

/* "2026-08-21T06:45:00Z". */
void	date_format_rfc3339(int64_t utc, char out[DATE_RFC3339_SIZE]);
/* "Fri, 21 Aug 2026 07:45:00 +0100" (RFC 5322 3.3); offset_s = seconds east of UTC. */
void	date_format_rfc5322(int64_t utc, int offset_s, char out[DATE_RFC5322_SIZE]);
/* "2026-08-21". */
void	date_format_day(int32_t day, char out[DATE_RFC3339_SIZE]);
/* English names, index 0 = January and 0 = Sunday: "Jan", "Sun". For protocols, not for readers. */
const char *date_month_name(int index);
const char *date_weekday_name(int index);

/* "20s 15m 6h 14d 2w" in seconds, one number and one unit. Fails with ERR_DATA and what was expected. */
int	date_parse_duration(const char *text, int64_t *seconds, struct error *err);

#endif
