/* Papers printed by a program of the person who runs this one, as JSON lines: the way in for services that digest does
 * not know. How the program is run, with which limits, is not decided here. */
#include "digest/source.h"

#include "fields.h"
#include "types.h"

#include <string.h>

enum {
	FIRST_DAYS = 7,	 /* asked for at first: a welcome edition */
	OVERLAP_DAYS = 1 /* asked for again: services enter papers late */
};

int
command_plan(const struct config_source *source, const struct source_progress *progress,
    int64_t now_utc, int32_t since_day, bool force, struct arena *a, struct source_request **out,
    size_t *n, struct error *err)
{
	int32_t today = field_day(now_utc);
	struct source_request *r;

	(void)force; /* once an interval, or when asked for: that is for the caller */
	if (source->command[0] == '\0')
		return err_set(err, ERR_CONFIG, "%s:%u: a source of type command needs a 'command'",
		    source->file, (unsigned)source->line);
	if ((r = arena_zalloc(a, sizeof(*r))) == NULL)
		return err_nomem(err, "plan");
	*r = (struct source_request){ .key = "output",
		.url = "",
		.path = "",
		.command = source->command,
		.etag = "",
		.last_modified = "" };
	/* Whatever comes today, yesterday is read to its end, so that the next run need not ask for it again. */
	r->day = today - 1;
	if (since_day > 0)
		r->since_day = since_day;
	else if (progress->cursor_day > 0 && progress->cursor_day <= today)
		r->since_day = progress->cursor_day - OVERLAP_DAYS;
	else
		r->since_day = today - FIRST_DAYS;
	*out = r;
	*n = 1;
	return 0;
}

int
command_read(const struct config_source *source, const struct source_request *request,
    const struct source_answer *answer, int64_t now_utc, struct arena *a, struct source_batch *out,
    struct error *err)
{
	struct source_batch batch;

	(void)request;
	/* To find nothing is no fault; it said so by ending well. */
	if (source_read_lines(source->name, answer->bytes, answer->len, now_utc, a, &batch, err) ==
	    -1)
		return -1;
	if (batch.npapers == 0 && batch.nbroken > 0)
		return err_set(
		    err, ERR_DATA, "the command prints no paper; %s", batch.first_broken);
	*out = batch;
	return 0;
}

int
command_status(const struct source_request *request, long status, const char *bytes, size_t len,
    struct error *err)
{
	(void)bytes;
	(void)len;
	return err_set(err, ERR_BUG, "%s: status %ld for a command", request->key, status);
}
