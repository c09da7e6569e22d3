/* file.c - papers from files: our own JSON lines, and saved answers of Hugging Face, told apart by how they begin. */
#include <glob.h>
#include <string.h>
#include <sys/stat.h>

#include "digest/file.h"
#include "digest/limits.h"
#include "fields.h"

static int
add_pattern(const struct config_source *source, struct strbuf *out, struct error *err)
{
	if (source->path[0] == '\0')
		return err_set(err, ERR_CONFIG, "a source of type file needs a path");
	strbuf_add(out, source->path);
	return strbuf_check(out, err);
}

static int64_t
last_read(const struct source_progress *progress, const char *path)
{
	for (size_t i = 0; i < progress->npages; i++)
		if (strcmp(progress->pages[i].key, path) == 0)
			return progress->pages[i].read_utc;
	return 0;
}

static int
add_request(const char *path, const struct source_progress *progress, bool force, struct arena *a,
    struct source_request *requests, size_t *n, struct error *err)
{
	struct source_request *r = &requests[*n];
	struct stat st;

	/* A file that has not changed since it was read has nothing new. */
	if (!force && stat(path, &st) == 0 && st.st_mtime < last_read(progress, path))
		return 0;
	r->key = r->path = arena_strdup(a, path);
	r->url = r->etag = r->last_modified = "";
	if (r->key == NULL)
		return err_nomem(err, "plan");
	(*n)++;
	return 0;
}

static int
plan(const struct config_source *source, const struct source_progress *progress, int64_t now_utc,
    int32_t since_day, bool force, struct arena *a, struct source_request **out, size_t *n,
    struct error *err)
{
	struct strbuf pattern;
	glob_t found = { 0 };
	int rc = -1;

	(void)now_utc;
	*n = 0;
	strbuf_init(&pattern, MAX_URL_BYTES);
	if (add_pattern(source, &pattern, err) == -1)
		goto out;
	rc = glob(pattern.buf, GLOB_NOCHECK, NULL, &found);
	if (rc != 0 || (*out = arena_array(a, found.gl_pathc, sizeof(**out))) == NULL) {
		rc = err_set(err, ERR_IO, "%s: cannot be listed", pattern.buf);
		goto out;
	}
	for (size_t i = 0; i < found.gl_pathc && rc == 0; i++)
		rc = add_request(
		    found.gl_pathv[i], progress, force || since_day > 0, a, *out, n, err);
	/* A pattern may match nothing, a plain name must exist. */
	if (found.gl_pathc == 1 && strcmp(found.gl_pathv[0], pattern.buf) == 0 &&
	    !file_exists(pattern.buf) && strpbrk(source->path, "*?[") != NULL)
		*n = 0;
out:
	globfree(&found);
	strbuf_release(&pattern);
	return rc;
}

static int
read_bytes(const struct config_source *source, const struct source_request *request,
    const char *bytes, size_t len, int64_t now_utc, struct arena *a, struct source_batch *out,
    struct error *err)
{
	size_t start = strspn(bytes, "\xef\xbb\xbf \t\r\n");
	int rc;

	if (start < len && bytes[start] == '[')
		rc = huggingface_read(bytes, len, 0, a, out, err);
	else
		rc = source_read_lines(source->name, bytes, len, now_utc, a, out, err);
	return rc == 0 ? 0 : err_prefix(err, "%s", request->path);
}

static int
read_status(const struct source_request *request, long status, const char *bytes, size_t len,
    struct error *err)
{
	(void)bytes;
	(void)len;
	return err_set(err, ERR_BUG, "%s: status %ld of a file", request->key, status);
}

const struct source_type source_file = {
	.name = "file",
	.help = "files on this machine: our JSON lines, or saved answers of Hugging Face",
	.base_url = "",
	.interval_s = 0,
	.settle_s = 0,
	.plan = plan,
	.read = read_bytes,
	.status = read_status,
};
