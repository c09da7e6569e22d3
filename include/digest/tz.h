/* tz.h - time zones of the IANA database, read from the system's TZif files (RFC 8536) with their POSIX
 * footer for the years to come. The process's own TZ is never used. */
#ifndef DIGEST_TZ_H
#define DIGEST_TZ_H

#include <stddef.h>
#include <stdint.h>

#include "digest/date.h"
#include "digest/error.h"

struct tz;

/*
 * Load a zone.
 * name	"Europe/London", "UTC"; letters, digits, "_+-/" only, no "..", no leading "/"
 * dir	where the database is; NULL = $TZDIR (absolute only), else /usr/share/zoneinfo. UTC needs no file.
 * Fails with ERR_CONFIG: no such zone (with a suggestion when a name is near), or a broken file.
 */
int	tz_load(const char *name, const char *dir, struct tz **out, struct error *err);
void	tz_free(struct tz *tz);

const char *tz_name(const struct tz *tz);

/* The zone of this machine: $TZ when it is a zone's name, else where /etc/localtime points, else "UTC". */
void	tz_system_name(char *out, size_t size);

/* Wall time at a moment. offset_s (may be NULL) = seconds east of UTC; abbr (may be NULL) e.g. "BST",
 * borrowed from tz. */
void	tz_local(const struct tz *tz, int64_t utc, struct civil *out, int *offset_s,
	    const char **abbr);

/*
 * The first moment at which the wall clock shows this time or later: in the gap of spring the moment of the
 * jump, in the overlap of autumn the first of the two.
 */
int64_t	tz_utc(const struct tz *tz, const struct civil *wall);

#endif
