#include "stages.h"
#include "digest/file.h"
#include "digest/limits.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * Answers that previews fetched, one file each: the lines "digest-cache 1", time, status, ETag, Last-Modified, next page, an
 * empty line, the body. A preview writes nothing into the store, so without this every look would ask the service
 * again. Losing a file only means to ask once more.
 */
enum { HEADER_LINES = 6, MAX_ENTRY_HEADER = 8192, MAX_QUEUE_MS = 3600 * 1000 };

void
cache_dir(struct strbuf *out)
{
	const char *base = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

	if (base != NULL && base[0] == '/')
		strbuf_addf(out, "%s/digest", base);
	else if (home != NULL && home[0] == '/')
		strbuf_addf(out, "%s/.cache/digest", home);
	if (out->len > 0 && file_make_dirs(out->buf, 0700, NULL) == -1)
		strbuf_truncate(out, 0);
}

static void
add_entry_path(struct strbuf *out, const char *dir, const char *url)
{
	unsigned char hash[MESSAGE_HASH_BYTES];

	message_hash(url, strlen(url), hash);
	strbuf_addf(out, "%s/", dir);
	for (size_t i = 0; i < sizeof(hash); i++)
		strbuf_addf(out, "%02x", hash[i]);
}

/* The next line of an entry, its newline replaced by NUL; NULL when there is none. */
static char *
take_line(char **at)
{
	char *line = *at, *end = strchr(line, '\n');

	if (end == NULL)
		return NULL;
	*end = '\0';
	*at = end + 1;
	return line;
}

static int
read_entry(char *text, size_t len, int64_t now_utc, int64_t max_age_s, struct http_answer *answer)
{
	char *lines[HEADER_LINES], *at = text;
	int64_t saved_utc;

	for (int i = 0; i < HEADER_LINES; i++)
		if ((lines[i] = take_line(&at)) == NULL)
			return 0;
	if (strcmp(lines[0], "digest-cache 1") != 0 || *at++ != '\n')
		return 0;
	saved_utc = strtoll(lines[1], NULL, 10);
	if (saved_utc > now_utc || now_utc - saved_utc >= max_age_s)
		return 0;
	answer->status = strtol(lines[2], NULL, 10);
	snprintf(answer->etag, sizeof(answer->etag), "%s", lines[3]);
	snprintf(answer->last_modified, sizeof(answer->last_modified), "%s", lines[4]);
	snprintf(answer->next, sizeof(answer->next), "%s", lines[5]);
	strbuf_addn(&answer->body, at, len - (size_t)(at - text));
	return answer->body.state == STRBUF_OK;
}

int
cache_load(const char *dir, const char *url, int64_t now_utc, int64_t max_age_s,
    struct http_answer *answer)
{
	struct strbuf path, text;
	int found = 0;

	if (dir[0] == '\0')
		return 0;
	strbuf_init(&path, MAX_URL_BYTES);
	strbuf_init(&text, answer->body.max_bytes + MAX_ENTRY_HEADER);
	add_entry_path(&path, dir, url);
	if (file_exists(path.buf) && file_read(path.buf, &text, NULL) == 0 && text.len > 0)
		found = read_entry(text.buf, text.len, now_utc, max_age_s, answer);
	strbuf_release(&text);
	strbuf_release(&path);
	return found;
}

void
cache_save(const char *dir, const char *url, int64_t now_utc, const struct http_answer *answer)
{
	struct strbuf path, text;

	if (dir[0] == '\0' || strchr(answer->etag, '\n') != NULL ||
	    strchr(answer->next, '\n') != NULL)
		return;
	strbuf_init(&path, MAX_URL_BYTES);
	strbuf_init(&text, answer->body.len + MAX_ENTRY_HEADER);
	add_entry_path(&path, dir, url);
	strbuf_addf(&text, "digest-cache 1\n%" PRId64 "\n%ld\n%s\n%s\n%s\n\n", now_utc,
	    answer->status, answer->etag, answer->last_modified, answer->next);
	strbuf_addn(&text, answer->body.buf, answer->body.len);
	if (strbuf_check(&text, NULL) == 0)
		file_write(path.buf, 0600, text.buf, text.len, NULL);
	strbuf_release(&text);
	strbuf_release(&path);
}

static void
add_service_path(struct strbuf *out, const char *dir, const char *service)
{
	add_entry_path(out, dir, service);
	strbuf_add(out, ".request");
}

int64_t
cache_next_request(const char *dir, const char *service, int64_t now_ms, int64_t gap_ms)
{
	struct strbuf path, text;
	int64_t last_ms = 0;

	if (dir[0] == '\0')
		return now_ms;
	strbuf_init(&path, MAX_URL_BYTES);
	strbuf_init(&text, MAX_ENTRY_HEADER);
	add_service_path(&path, dir, service);
	if (file_exists(path.buf) && file_read(path.buf, &text, NULL) == 0 && text.len > 0)
		last_ms = strtoll(text.buf, NULL, 10);
	strbuf_release(&text);
	strbuf_release(&path);
	if (last_ms <= 0 || last_ms > now_ms + MAX_QUEUE_MS || last_ms + gap_ms <= now_ms)
		return now_ms;
	return last_ms + gap_ms;
}

void
cache_note_request(const char *dir, const char *service, int64_t at_ms)
{
	struct strbuf path;
	char text[32];
	int n;

	if (dir[0] == '\0')
		return;
	strbuf_init(&path, MAX_URL_BYTES);
	add_service_path(&path, dir, service);
	n = snprintf(text, sizeof(text), "%" PRId64 "\n", at_ms);
	if (strbuf_check(&path, NULL) == 0)
		file_write(path.buf, 0600, text, (size_t)n, NULL);
	strbuf_release(&path);
}
