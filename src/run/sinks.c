#include "stages.h"
#include "digest/file.h"
#include "digest/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A preview: every mail is taken and forgotten; the overlay keeps what a run would have written. */
static int
run_preview(struct sink *sink, const struct delivery_queue *queue, struct error *err)
{
	struct delivery mail = { 0 };
	const struct delivery *one = &mail;
	int more;

	(void)sink;
	strbuf_init(&mail.bytes, MAX_MESSAGE_BYTES);
	while ((more = queue->next(queue->arg, &mail, err)) == 1) {
		const struct delivery_outcome sent = { mail.period, mail.reader, OUTCOME_SENT, "" };

		if (queue->intend(queue->arg, &one, 1, err) == -1 ||
		    queue->settle(queue->arg, &sent, 1, err) == -1) {
			more = -1;
			break;
		}
		strbuf_reset(&mail.bytes);
	}
	strbuf_release(&mail.bytes);
	return more;
}

static void
free_preview(struct sink *sink)
{
	free(sink);
}

static const struct sink_ops preview_ops = { run_preview, free_preview };

static int
open_preview(struct sink **out, struct error *err)
{
	struct sink *sink = calloc(1, sizeof(*sink));

	if (sink == NULL)
		return err_nomem(err, "preview");
	sink->ops = &preview_ops;
	*out = sink;
	return 0;
}

static const char *
maildir_of(const char *url)
{
	return strncmp(url, "maildir:", 8) == 0 ? url + 8 : NULL;
}

int
sinks_open(struct run *run, bool preview, struct sink **out, struct error *err)
{
	const struct config *cfg = run->cfg;
	const char *maildir = cfg->nsmtps > 0 ? maildir_of(cfg->smtps[0].url) : NULL;
	struct strbuf path;
	int rc;

	if (preview)
		return open_preview(out, err);
	if (maildir == NULL)
		return err_set(err, ERR_CONFIG,
		    "this version delivers into a Maildir only; expected smtp \"name\" { url = "
		    "\"maildir:/path\" }");
	strbuf_init(&path, MAX_URL_BYTES);
	file_resolve(&path, cfg->smtps[0].file, maildir);
	rc = strbuf_check(&path, err);
	if (rc == 0)
		rc = sink_open_maildir(path.buf, out, err);
	strbuf_release(&path);
	return rc;
}

void
sinks_describe(const struct config *cfg, char *out, size_t size)
{
	if (cfg->nsmtps == 0)
		snprintf(out, size, "the system's sendmail");
	else
		snprintf(out, size, "%s (%s)", cfg->smtps[0].name, cfg->smtps[0].url);
}

bool
run_sinks_are_local(const struct config *cfg)
{
	for (size_t i = 0; i < cfg->nsmtps; i++)
		if (maildir_of(cfg->smtps[i].url) == NULL)
			return false;
	return cfg->nsmtps > 0;
}
