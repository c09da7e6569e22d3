/* Papers from files on this machine: JSON lines of our own form and saved answers of the services, told apart by how
 * they begin. */
#include "digest/source.h"

#include "fields.h"
#include "types.h"
#include "digest/date.h"
#include "digest/limits.h"

#include <errno.h>
#include <glob.h>
#include <string.h>
#include <sys/stat.h>

enum { HEAD_BYTES = 4096 }; /* of an answer: what it is stands there */

static const char expected[] = "JSON lines of papers or a saved answer of a service";

static bool
is_pattern(const char *path)
{
	return strpbrk(path, "*?[") != NULL;
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

		if (!force && since_day == 0 &&
		    is_unchanged(source_find_page(progress, name), name))
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

/* Some archives hand their answers out packed; a line of JSON never begins so. */
static bool
is_packed(const char *bytes, size_t len)
{
	static const char *const marks[] = { "\x1f\x8b", "BZh", "\3757zXZ", "\x28\xb5\x2f\xfd",
		"PK\x03\x04" };

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (len >= strlen(marks[i]) && memcmp(bytes, marks[i], strlen(marks[i])) == 0)
			return true;
	return false;
}

static int
read_lines(const char *source, const char *bytes, size_t len, int64_t now_utc, struct arena *a,
    struct source_batch *out, struct error *err)
{
	struct source_batch batch;

	if (source_read_lines(source, bytes, len, now_utc, a, &batch, err) == -1)
		return -1;
	if (batch.npapers == 0 && batch.nbroken > 0)
		return err_set(err, ERR_DATA, "no line is a paper; %s", batch.first_broken);
	*out = batch;
	return 0;
}

/* Each paper says its own day, and what would be asked for next was saved in another file, if at all. */
static void
detach(struct source_batch *out)
{
	out->day = 0;
	out->more = false;
}

/* Whether the answer of a service in XML is one of arXiv: its feeds and its API name their own addresses at the top. */
static bool
is_arxiv(const char *bytes, size_t len)
{
	static const char *const marks[] = { "http://arxiv.org/schemas/", "//rss.arxiv.org/",
		"//arxiv.org/api/", "//export.arxiv.org/api/" };

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (memmem(bytes, len < HEAD_BYTES ? len : HEAD_BYTES, marks[i],
			strlen(marks[i])) != NULL)
			return true;
	return false;
}

/* Of every kind, unless 'announce' names some; a day in the file's name is that of saving it, not of the papers. */
static int
read_arxiv(const struct config_source *config, const struct source_request *request,
    const struct source_answer *answer, int64_t now_utc, struct arena *a, struct source_batch *out,
    struct error *err)
{
	const char *all[] = { "new", "cross", "replace", "replace-cross" };
	struct config_source source = *config;
	struct source_request undated = *request;

	if (source.nannounce == 0) {
		source.announce = all;
		source.nannounce = sizeof(all) / sizeof(all[0]);
	}
	undated.day = 0;
	return arxiv_read(&source, &undated, answer, now_utc, a, out, err);
}

/* What the first byte that is no blank says; a mark of UTF-16, or its half of a '<', begins XML too. */
static bool
is_xml(const char *bytes, size_t len)
{
	size_t at = len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

	if (len >= 2 &&
	    (memcmp(bytes, "\xff\xfe", 2) == 0 || memcmp(bytes, "\xfe\xff", 2) == 0 ||
		memcmp(bytes, "<", 2) == 0 || memcmp(bytes, "\0<", 2) == 0))
		return true;
	while (at < len && bytes[at] != '\0' && strchr(" \t\r\n", bytes[at]) != NULL)
		at++;
	return at < len && bytes[at] == '<';
}

static bool
is_json_feed(const char *bytes, size_t len)
{
	static const char mark[] = "\"https://jsonfeed.org/version/";

	return memmem(bytes, len < HEAD_BYTES ? len : HEAD_BYTES, mark, sizeof(mark) - 1) != NULL;
}

/* A page that names a feed was saved, and not the feed. */
static int
read_feed(const struct config_source *config, const struct source_request *request,
    const struct source_answer *answer, int64_t now_utc, struct arena *a, struct source_batch *out,
    struct error *err)
{
	if (feed_read(config, request, answer, now_utc, a, out, err) == -1)
		return -1;
	if (out->more)
		return err_set(err, ERR_DATA,
		    "%s: a page of HTML that names the feed %.200s; expected %s", request->key,
		    out->next.url, expected);
	return 0;
}

/* source NULL = an import. */
static int
read_saved(const struct config_source *config, const char *source,
    const struct source_request *request, const struct source_answer *answer, int64_t now_utc,
    struct arena *a, struct source_batch *out, struct error *err)
{
	const char *bytes = answer->bytes;
	size_t len = answer->len, start = 0;
	int rc;

	/* A file that has nothing yet is no fault, other than an answer of a service. */
	if (len == 0) {
		memset(out, 0, sizeof(*out));
		return 0;
	}
	if (is_packed(bytes, len))
		return err_set(
		    err, ERR_DATA, "%s: is packed; expected %s, unpacked", request->key, expected);
	if (is_xml(bytes, len) && is_arxiv(bytes, len)) {
		rc = read_arxiv(config, request, answer, now_utc, a, out, err);
	} else if (is_xml(bytes, len) || is_json_feed(bytes, len)) {
		rc = read_feed(config, request, answer, now_utc, a, out, err);
	} else if (fields_check_start(bytes, len, expected, &start, err) == -1) {
		return err_prefix(err, "%s", request->key);
	} else if (bytes[start] == '[') {
		rc = huggingface_read(config, request, answer, now_utc, a, out, err);
	} else {
		rc = read_lines(source, bytes, len, now_utc, a, out, err);
		if (rc == -1)
			return err_prefix(err, "%s", request->key);
	}
	if (rc == 0)
		detach(out);
	return rc;
}

int
source_read_saved(const char *source, const char *path, const char *bytes, size_t len,
    int64_t now_utc, struct arena *a, struct source_batch *out, struct error *err)
{
	const struct config_source config = { .name = source != NULL ? source : SOURCE_IMPORT,
		.type = "file",
		.url = "",
		.path = path,
		.command = "",
		.interval_s = -1,
		.settle_s = -1,
		.file = "" };
	const struct source_request request = { .key = path,
		.url = "",
		.path = path,
		.command = "",
		.etag = "",
		.last_modified = "",
		.day = day_in_name(path) };
	const struct source_answer answer = { bytes, len, "", "", "" };

	return read_saved(&config, source, &request, &answer, now_utc, a, out, err);
}

int
files_read(const struct config_source *source, const struct source_request *request,
    const struct source_answer *answer, int64_t now_utc, struct arena *a, struct source_batch *out,
    struct error *err)
{
	return read_saved(source, source->name, request, answer, now_utc, a, out, err);
}

int
files_status(const struct source_request *request, long status, const char *bytes, size_t len,
    struct error *err)
{
	(void)bytes;
	(void)len;
	return err_set(err, ERR_BUG, "%s: status %ld for a file", request->key, status);
}
