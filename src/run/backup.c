#include "digest/care.h"
#include "stages.h"
#include "digest/file.h"
#include "digest/limits.h"
#include "digest/quote.h"
#include "digest/token.h"

#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { TIME_BYTES = 32 };

static bool
go_on(void *arg, size_t done, size_t total)
{
	const struct run *run = arg;

	if (run->ui.progress != NULL)
		run->ui.progress(run->ui.arg, "copying pages", done, total);
	return run->stop == NULL || *run->stop == 0;
}

/* In a folder "digest-20261121T172445Z.db": the names sort by time, and none takes the place of another. */
static const char *
find_path(struct run *run, const char *to, struct arena *a)
{
	char now[DATE_RFC3339_SIZE], time[TIME_BYTES];
	const char *name = strrchr(run->cfg->store.path, '/');
	struct stat st;
	size_t len, n = 0;

	if (stat(to, &st) == -1 || !S_ISDIR(st.st_mode))
		return arena_strdup(a, to);
	name = name != NULL ? name + 1 : run->cfg->store.path;
	len = strlen(name);
	if (len > 3 && strcmp(name + len - 3, ".db") == 0)
		len -= 3;
	date_format_rfc3339(clock_now_utc(&run->clock), now);
	for (const char *p = now; *p != '\0' && n + 1 < sizeof(time); p++)
		if (*p != '-' && *p != ':')
			time[n++] = *p;
	time[n] = '\0';
	return arena_printf(
	    a, "%s%s%.*s-%s.db", to, to[strlen(to) - 1] == '/' ? "" : "/", (int)len, name, time);
}

/* Whatever links lead there. */
static bool
is_same(const struct stat *file, const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && st.st_dev == file->st_dev && st.st_ino == file->st_ino;
}

static int
check_place(const struct run *run, const char *path, bool force, struct arena *a, struct error *err)
{
	char copy[4096];
	struct stat st;

	snprintf(copy, sizeof(copy), "%s", path);
	if (stat(dirname(copy), &st) == -1)
		return err_set(err, ERR_USAGE, "%s: there is no folder for it; mkdir -p %s", path,
		    quote_shell(a, copy));
	if (stat(path, &st) == -1)
		return 0;
	if (is_same(&st, run->cfg->store.path) || is_same(&st, run->cfg->list.key_file) ||
	    is_same(&st, run->cfg->path))
		return err_set(
		    err, ERR_USAGE, "%s: is in use itself; a backup goes elsewhere", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_USAGE, "%s: is no regular file", path);
	if (force)
		return 0;
	return err_set(err, ERR_USAGE,
	    "%s: is there already; --force replaces it, a folder gets a new file each time", path);
}

int
run_backup(struct run *run, struct run_backup *b, struct arena *a, struct error *err)
{
	struct store_backup backup = { .go_on = go_on, .arg = run };
	struct strbuf key;
	int rc = -1;

	strbuf_init(&key, MAX_SECRET_BYTES);
	if ((b->path = find_path(run, b->to, a)) == NULL)
		err_nomem(err, "backup");
	else if (check_place(run, b->path, b->force, a, err) == 0 &&
	    token_key_save(run->cfg->list.key_file, &key, err) == 0) {
		backup.to = b->path;
		backup.key = key.buf;
		backup.key_len = key.len;
		b->has_key = key.len > 0;
		rc = store_backup(run->store, &backup, &b->sizes, err);
	}
	if (key.alloc > 0)
		explicit_bzero(key.buf, key.alloc);
	strbuf_release(&key);
	return rc;
}
