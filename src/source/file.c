/* Papers from files on this machine: JSON lines of our own form and saved answers of Hugging Face, told apart by how
 * they begin. */
#include "fields.h"
#include "types.h"
#include "digest/date.h"
#include "digest/limits.h"

#include <errno.h>
#include <glob.h>
#include <string.h>
#include <sys/stat.h>

static const char expected[] = "JSON lines of papers or a saved answer of Hugging Face";

static bool
is_pattern(const char *path)
{
	return strpbrk(path, "*?[") != NULL;
}

static const struct source_page *
find_page(const struct source_progress *progress, const char *key)
{
	for (size_t i = 0; i < progress->npages; i++)
		if (strcmp(progress->pages[i].key, key) == 0)
			return &progress->pages[i];
	return NULL;
}

/* The change time moves with every write and also when a file of an older date takes the name. A file changed in the
 * second in which it was read is read again. */
static bool
is_unchanged(const struct source_page *page, const char *path)
{
	struct stat st;

	return page != NULL && stat(path, &st) == 0 && st.st_ctime < page->read_utc;
}

/* The day in a file's name, "2026-08-21.json" or "raw-2026-08-21.json", or 0: answers before 2025 do not say it. */
static int32_t
day_in_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	char text[11];
	int32_t day;

	for (const char *s = slash != NULL ? slash + 1 : path; strlen(s) >= 10; s++) {
		memcpy(text, s, 10);
		text[10] = '\0';
		if (date_parse_day(text, &day, NULL) == 0)
			return day;
	}
	return 0;
}

static int
add_request(const char *path, struct arena *a, struct source_request *r)
{
	*r = (struct source_request){ .url = "", .command = "", .etag = "", .last_modified = "" };
	r->key = r->path = arena_strdup(a, path);
	r->day = day_in_name(path);
	return r->key != NULL ? 0 : -1;
}

/* The one file or the matches of a pattern, in the order of their names. */
static int
list_files(const char *path, glob_t *found, struct error *err)
{
	int rc = glob(path, is_pattern(path) ? 0 : GLOB_NOCHECK | GLOB_NOESCAPE, NULL, found);

	if (rc == GLOB_NOMATCH)
		return 0; /* a pattern may match nothing */
	if (rc == GLOB_NOSPACE)
		return err_nomem(err, path);
	if (rc != 0)
		return err_set(err, ERR_IO, "%s: cannot be listed", path);
	if (found->gl_pathc > MAX_SOURCE_FILES)
		return err_set(err, ERR_CONFIG, "%s: %zu files; at most %d are read", path,
		    found->gl_pathc, MAX_SOURCE_FILES);
	return 0;
}

static int
check_no_directory(const struct config_source *source, struct error *err)
{
	const char *path = source->path;
	struct stat st;

	if (is_pattern(path) || stat(path, &st) == -1 || !S_ISDIR(st.st_mode))
		return 0;
	return err_set(err, ERR_CONFIG,
	    "%s:%u: path '%s' is a directory; expected a file or '%s/*.json'", source->file,
	    (unsigned)source->line, path, path);
}

int
files_plan(const struct config_source *source, const struct source_progress *progress,
    int64_t now_utc, int32_t since_day, bool force, struct arena *a, struct source_request **out,
    size_t *n, struct error *err)
{
	struct source_request *requests;
	glob_t found = { 0 };
	size_t planned = 0;
	int rc = -1;

	(void)now_utc;
	if (source->path[0] == '\0')
		return err_set(err, ERR_CONFIG, "%s:%u: a source of type file needs a 'path'",
		    source->file, (unsigned)source->line);
	if (check_no_directory(source, err) == -1 || list_files(source->path, &found, err) == -1)
		goto out;
	if ((requests = arena_array(a, found.gl_pathc, sizeof(*requests))) == NULL) {
		err_nomem(err, "plan");
		goto out;
	}
	for (size_t i = 0; i < found.gl_pathc; i++) {
		const char *name = found.gl_pathv[i];

		if (!force && since_day == 0 && is_unchanged(find_page(progress, name), name))
			continue;
		if (add_request(name, a, &requests[planned++]) == -1) {
			err_nomem(err, "plan");
			goto out;
		}
	}
	*out = requests;
	*n = planned;
	rc = 0;
out:
	globfree(&found);
	return rc;
}

static int
read_lines(const struct config_source *source, const char *bytes, size_t len, int64_t now_utc,
    struct arena *a, struct source_batch *out, struct error *err)
{
	struct source_batch batch;

	if (source_read_lines(source->name, bytes, len, now_utc, a, &batch, err) == -1)
		return -1;
	if (batch.npapers == 0 && batch.nbroken > 0)
		return err_set(err, ERR_DATA, "no line is a paper; %s", batch.first_broken);
	*out = batch;
	return 0;
}

int
files_read(const struct config_source *source, const struct source_request *request,
    const struct source_answer *answer, int64_t now_utc, struct arena *a, struct source_batch *out,
    struct error *err)
{
	const char *bytes = answer->bytes;
	size_t len = answer->len, start;

	/* A file that has nothing yet is no fault, other than an answer of a service. */
	if (len == 0) {
		memset(out, 0, sizeof(*out));
		return 0;
	}
	if (fields_check_start(bytes, len, expected, &start, err) == -1)
		return err_prefix(err, "%s", request->key);
	if (bytes[start] != '[')
		return read_lines(source, bytes, len, now_utc, a, out, err) == 0
		    ? 0
		    : err_prefix(err, "%s", request->key);
	if (huggingface_read(source, request, answer, now_utc, a, out, err) == -1)
		return -1;
	out->day = 0; /* each paper says its own */
	return 0;
}

int
files_status(const struct source_request *request, long status, const char *bytes, size_t len,
    struct error *err)
{
	(void)bytes;
	(void)len;
	return err_set(err, ERR_BUG, "%s: status %ld for a file", request->key, status);
}
