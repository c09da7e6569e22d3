#include "stages.h"
#include "digest/file.h"
#include "digest/limits.h"
#include "digest/smtp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PER_CONNECTION = 100 }; /* relays end longer sessions as they like */

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

/* What follows "scheme:" in a URL of that scheme, else NULL. */
static const char *
after_scheme(const char *url, const char *scheme)
{
	size_t len = strlen(scheme);

	return strncmp(url, scheme, len) == 0 ? url + len : NULL;
}

/* A path that stands in the configuration, relative to the file it stands in. */
static int
open_by_path(const struct config_smtp *smtp, const char *given,
    int (*open_sink)(const char *path, struct sink **out, struct error *err), struct sink **out,
    struct error *err)
{
	struct strbuf path;
	int rc;

	strbuf_init(&path, MAX_URL_BYTES);
	if (given[0] != '\0')
		file_resolve(&path, smtp->file, given);
	rc = strbuf_check(&path, err);
	if (rc == 0)
		rc = open_sink(path.buf, out, err);
	strbuf_release(&path);
	return rc;
}

static int
open_sendmail(const char *path, struct sink **out, struct error *err)
{
	return sink_open_sendmail(path, 0, out, err);
}

static bool
has_secret(const struct config_secret *s)
{
	return s->value[0] != '\0' || s->file[0] != '\0' || s->env[0] != '\0' ||
	    s->command[0] != '\0';
}

/* What the configuration may say but this version does not do is refused: a rate that is not kept is worse than none. */
static int
check_supported(const struct config *cfg, struct error *err)
{
	const struct config_smtp *smtp = &cfg->smtps[0];
	bool all = smtp->ndomains == 1 && strcmp(smtp->domains[0], "*") == 0;
	const char *what = NULL;

	if (cfg->nsmtps > 1)
		what = "a second smtp block";
	else if (!all)
		what = "domains";
	else if (smtp->rate[0] != '\0')
		what = "rate";
	else if (smtp->daily_limit != 0)
		what = "daily-limit";
	else if (smtp->token_command[0] != '\0')
		what = "token-command";
	if (what == NULL)
		return 0;
	return err_set(err, ERR_CONFIG,
	    "smtp %s: %s is not in this version; expected one relay for everybody", smtp->name,
	    what);
}

/* What to do with a relay once its options are known. */
typedef int with_options_fn(
    const struct smtp_options *options, struct run *run, void *out, struct error *err);

/* The password lives only as long as fn runs. */
static int
with_options(struct run *run, const struct config_smtp *smtp, with_options_fn *fn, void *out,
    struct error *err)
{
	struct smtp_options options = { .url = smtp->url,
		.user = smtp->user,
		.auth = smtp->auth,
		.tls_required = smtp->tls_required,
		.insecure = smtp->insecure,
		.ca_file = smtp->ca_file,
		.helo = smtp->helo,
		.connections = smtp->connections,
		.max_messages = MAX_PER_CONNECTION };
	struct strbuf password;
	char what[200];
	int rc = 0;

	strbuf_init(&password, MAX_SECRET_BYTES);
	snprintf(what, sizeof(what), "smtp %s: password", smtp->name);
	if (has_secret(&smtp->password))
		rc = config_read_secret(&smtp->password, what, &password, err);
	options.password = password.buf;
	if (rc == 0 && fn(&options, run, out, err) == -1)
		rc = err_prefix(err, "smtp %s", smtp->name);
	if (password.alloc > 0)
		explicit_bzero(password.buf, password.alloc);
	strbuf_release(&password);
	return rc;
}

static int
open_relay(const struct smtp_options *options, struct run *run, void *out, struct error *err)
{
	return sink_open_smtp(options, run->log, out, err);
}

static int
probe_relay(const struct smtp_options *options, struct run *run, void *out, struct error *err)
{
	(void)run;
	return smtp_probe(options, out, err);
}

int
sinks_probe(
    struct run *run, const struct config_smtp *smtp, struct smtp_probe *out, struct error *err)
{
	if (check_supported(run->cfg, err) == -1)
		return -1;
	return with_options(run, smtp, probe_relay, out, err);
}

int
sinks_open(struct run *run, bool preview, struct sink **out, struct error *err)
{
	const struct config_smtp *smtp = &run->cfg->smtps[0];
	const char *path;

	if (preview)
		return open_preview(out, err);
	if (check_supported(run->cfg, err) == -1)
		return -1;
	if ((path = after_scheme(smtp->url, "maildir:")) != NULL)
		return open_by_path(smtp, path, sink_open_maildir, out, err);
	if ((path = after_scheme(smtp->url, "sendmail:")) != NULL)
		return open_by_path(smtp, path, open_sendmail, out, err);
	return with_options(run, smtp, open_relay, out, err);
}

void
sinks_describe(const struct config *cfg, char *out, size_t size)
{
	const struct config_smtp *smtp = &cfg->smtps[0];
	struct smtp_place place;

	if (after_scheme(smtp->url, "sendmail:") != NULL && smtp->file[0] == '\0')
		snprintf(out, size, "the system's sendmail");
	else if (smtp_parse_url(smtp->url, &place, NULL) == 0)
		snprintf(out, size, "%s (%s:%u%s)", smtp->name, place.host, place.port,
		    place.implicit_tls || smtp->tls_required ? ", TLS" : "");
	else
		snprintf(out, size, "%s (%s)", smtp->name, smtp->url);
}

bool
run_sinks_are_local(const struct config *cfg)
{
	for (size_t i = 0; i < cfg->nsmtps; i++) {
		const char *url = cfg->smtps[i].url;
		struct smtp_place place;

		if (after_scheme(url, "maildir:") == NULL &&
		    (smtp_parse_url(url, &place, NULL) == -1 || !place.loopback))
			return false;
	}
	return cfg->nsmtps > 0;
}
