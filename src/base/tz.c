#include "digest/tz.h"

#include "digest/file.h"
#include "digest/limits.h"
#include "digest/strbuf.h"
#include "base/tzif.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { MAX_TZ_NAME = 64, MAX_PATH_BYTES = 4096 };

static const char default_dir[] = "/usr/share/zoneinfo";

struct tz {
	char name[MAX_TZ_NAME];
	struct tzif data;
};

static bool
is_zone_name(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len >= MAX_TZ_NAME || name[0] == '/' || strstr(name, "..") != NULL)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)name[i]) && strchr("_+-/", name[i]) == NULL)
			return false;
	return true;
}

static const char *
database_dir(const char *dir)
{
	const char *env;

	if (dir != NULL)
		return dir;
	env = getenv("TZDIR");
	return env != NULL && env[0] == '/' ? env : default_dir;
}

/* Equal but for case and one edit: a letter more, less or other, or two that changed places. */
static bool
is_near(const char *a, size_t alen, const char *b, size_t blen)
{
	while (alen > 0 && blen > 0 && tolower((unsigned char)*a) == tolower((unsigned char)*b))
		a++, b++, alen--, blen--;
	while (alen > 0 && blen > 0 &&
	    tolower((unsigned char)a[alen - 1]) == tolower((unsigned char)b[blen - 1]))
		alen--, blen--;
	if (alen == 2 && blen == 2)
		return tolower((unsigned char)a[0]) == tolower((unsigned char)b[1]) &&
		    tolower((unsigned char)a[1]) == tolower((unsigned char)b[0]);
	return alen <= 1 && blen <= 1;
}

/* People write "London" as well as "europe/london". */
static bool
is_meant(const char *name, const char *zone, size_t zone_len)
{
	size_t city = zone_len, name_len = strlen(name);

	while (city > 0 && zone[city - 1] != '/')
		city--;
	return is_near(name, name_len, zone, zone_len) ||
	    is_near(name, name_len, zone + city, zone_len - city);
}

/* zone.tab: country, coordinates, zone, then perhaps comments, separated by tabs; '#' begins a
 * comment. */
static void
add_suggestion(const char *name, const char *dir, struct strbuf *out)
{
	struct strbuf path, tab;
	const char *line;

	strbuf_init(&path, MAX_PATH_BYTES);
	strbuf_init(&tab, MAX_TZ_FILE);
	strbuf_addf(&path, "%s/zone.tab", dir);
	if (strbuf_check(&path, NULL) == -1 || file_read(path.buf, &tab, NULL) == -1)
		goto out;
	for (line = tab.buf; *line != '\0'; line += strcspn(line, "\n"), line += *line == '\n') {
		const char *zone = line;
		size_t len;

		for (int field = 0; field < 2; field++) {
			zone += strcspn(zone, "\t\n");
			zone += *zone == '\t';
		}
		len = strcspn(zone, "\t\n");
		if (*line != '#' && len > 0 && is_meant(name, zone, len)) {
			strbuf_addf(out, "; did you mean \"%.*s\"?", (int)len, zone);
			break;
		}
	}
out:
	strbuf_release(&tab);
	strbuf_release(&path);
}

static int
no_such_zone(const char *name, const char *dir, struct error *err)
{
	struct strbuf hint;
	int rc;

	strbuf_init(&hint, 256);
	add_suggestion(name, dir, &hint);
	if (hint.len == 0)
		strbuf_add(&hint, "; expected one such as \"Europe/London\" or \"UTC\"");
	rc = err_set(
	    err, ERR_CONFIG, "no time zone \"%.*s\" in %s%s", MAX_TZ_NAME, name, dir, hint.buf);
	strbuf_release(&hint);
	return rc;
}

static int
load_file(struct tz *tz, const char *dir, struct error *err)
{
	struct strbuf path, bytes;
	struct error why = { 0 };
	int rc = -1;

	strbuf_init(&path, MAX_PATH_BYTES);
	strbuf_init(&bytes, MAX_TZ_FILE);
	strbuf_addf(&path, "%s/%s", dir, tz->name);
	if (strbuf_check(&path, err) == -1)
		goto out;
	if (file_read(path.buf, &bytes, &why) == -1 && why.kind == ERR_IO) {
		no_such_zone(tz->name, dir, err);
		goto out;
	}
	if (bytes.state != STRBUF_OK)
		err_set(err, ERR_CONFIG, "%s", why.msg);
	else if (tzif_parse(&tz->data, bytes.buf, bytes.len, err) == -1)
		err_prefix(err, "%s", path.buf);
	else
		rc = 0;
out:
	strbuf_release(&bytes);
	strbuf_release(&path);
	return rc;
}

int
tz_load(const char *name, const char *dir, struct tz **out, struct error *err)
{
	struct tz *tz;

	dir = database_dir(dir);
	if (!is_zone_name(name))
		return no_such_zone(name, dir, err);
	if ((tz = calloc(1, sizeof(*tz))) == NULL)
		return err_nomem(err, "time zone");
	memcpy(tz->name, name, strlen(name) + 1);
	if (strcmp(name, "UTC") == 0) {
		tzif_init_utc(&tz->data);
	} else if (load_file(tz, dir, err) == -1) {
		tz_free(tz);
		return -1;
	}
	*out = tz;
	return 0;
}

void
tz_free(struct tz *tz)
{
	if (tz != NULL)
		tzif_release(&tz->data);
	free(tz);
}

const char *
tz_name(const struct tz *tz)
{
	return tz->name;
}

static bool
zone_file_exists(const char *name)
{
	struct strbuf path;
	bool there;

	if (!is_zone_name(name))
		return false;
	strbuf_init(&path, MAX_PATH_BYTES);
	strbuf_addf(&path, "%s/%s", database_dir(NULL), name);
	there = strcmp(name, "UTC") == 0 || (path.state == STRBUF_OK && file_exists(path.buf));
	strbuf_release(&path);
	return there;
}

void
tz_system_name(char *out, size_t size)
{
	static const char mark[] = "zoneinfo/";
	char target[MAX_PATH_BYTES];
	const char *name = getenv("TZ");
	ssize_t len;

	if (name != NULL && name[0] == ':')
		name++;
	if (name == NULL || !zone_file_exists(name)) {
		len = readlink("/etc/localtime", target, sizeof(target) - 1);
		target[len > 0 ? len : 0] = '\0';
		name = strstr(target, mark);
		name = name != NULL ? name + sizeof(mark) - 1 : "";
	}
	snprintf(out, size, "%s", is_zone_name(name) ? name : "UTC");
}

void
tz_local(const struct tz *tz, int64_t utc, struct civil *out, int *offset_s, const char **abbr)
{
	int64_t until;
	const struct tz_type *type;

	utc = date_clamp(utc);
	type = tzif_type_at(&tz->data, utc, &until);
	date_civil(utc + type->offset_s, out);
	if (offset_s != NULL)
		*offset_s = type->offset_s;
	if (abbr != NULL)
		*abbr = type->abbr;
}

/* Walk the stretches of constant offset from before any clock on earth can show the time asked
 * for. */
int64_t
tz_utc(const struct tz *tz, const struct civil *wall)
{
	int64_t wanted = date_seconds(wall);
	int64_t utc = wanted - MAX_TZ_OFFSET_S;

	for (;;) {
		int64_t until;
		const struct tz_type *type = tzif_type_at(&tz->data, utc, &until);
		int64_t shown = wanted - type->offset_s;

		if (shown < utc)
			shown = utc; /* it was skipped: the clock jumped over it */
		if (shown < until)
			return shown;
		utc = until;
	}
}
