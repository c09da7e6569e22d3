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
	while ((more = queue->next(queue->arg, sink->lane, &mail, err)) == QUEUE_MAIL) {
		const struct delivery_outcome sent = { mail.period, mail.reader, mail.lane,
			OUTCOME_SENT, "" };

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

int
sinks_open_preview(struct sink **out, struct error *err)
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

/* ---- relays ---- */

/* What an account is opened with. */
struct relay {
	struct run *run;
	const struct config_smtp *smtp;
	struct smtp_options options;
	struct strbuf secret; /* password or token */
};

static int
read_token(void *arg, struct strbuf *out, struct error *err)
{
	const struct relay *r = arg;
	const struct config_secret secret = {
		.value = "", .file = "", .env = "", .command = r->smtp->token_command
	};

	return config_read_secret(&secret, "token-command", out, err);
}

static void
close_relay(struct relay *r)
{
	if (r->secret.alloc > 0)
		explicit_bzero(r->secret.buf, r->secret.alloc);
	strbuf_release(&r->secret);
	r->options.password = NULL;
}

/* The secret is there until close_relay; r outlives the sink that is made of its options. */
static int
open_relay(struct run *run, unsigned lane, const struct config_smtp *smtp, struct relay *r,
    struct error *err)
{
	const bool by_token = smtp->token_command[0] != '\0';
	int rc = 0;

	*r = (struct relay){ .run = run,
		.smtp = smtp,
		.options = { .lane = lane,
		    .url = smtp->url,
		    .user = smtp->user,
		    .auth = smtp->auth,
		    .token = by_token ? read_token : NULL,
		    .token_arg = r,
		    .tls_required = smtp->tls_required,
		    .insecure = smtp->insecure,
		    .ca_file = smtp->ca_file,
		    .helo = smtp->helo,
		    .connections = smtp->connections,
		    .max_messages = MAX_PER_CONNECTION } };
	strbuf_init(&r->secret, MAX_SECRET_BYTES);
	if (by_token)
		rc = read_token(r, &r->secret, err);
	else if (has_secret(&smtp->password))
		rc = config_read_secret(&smtp->password, "password", &r->secret, err);
	r->options.password = r->secret.buf;
	if (rc == 0 && smtp_check_options(&r->options, err) == 0)
		return 0;
	close_relay(r);
	return err_prefix(err, "smtp %s", smtp->name);
}

int
sinks_probe(
    struct run *run, const struct config_smtp *smtp, struct smtp_probe *out, struct error *err)
{
	struct relay r;
	int rc;

	if (open_relay(run, 0, smtp, &r, err) == -1)
		return -1;
	rc = smtp_probe(&r.options, out, err);
	close_relay(&r);
	return rc == -1 ? err_prefix(err, "smtp %s", smtp->name) : 0;
}

/* ---- all ways out of a run ---- */

/* One that is not a relay, or that cannot be opened. */
struct way {
	unsigned lane;
	struct sink *sink; /* NULL: why says why */
	struct error why;
};

struct ways {
	struct sink sink;
	struct run *run;
	struct way *ways;
	size_t nways;
	struct relay *relays;
	size_t nrelays;
	struct sink *smtp; /* all relays; NULL = none */
};

/* The others go on, unless nobody is there to be told. */
static int
stop_lane(
    const struct delivery_queue *queue, unsigned lane, const struct error *why, struct error *err)
{
	if (queue->stopped == NULL) {
		if (err != NULL)
			*err = *why;
		return -1;
	}
	queue->stopped(queue->arg, lane, why);
	return 0;
}

/* The queue of a way that is not a relay, seen from outside: a failure of its own stops the run, all others are of the way. */
struct watched {
	const struct delivery_queue *queue;
	bool failed;
};

static int
watch(struct watched *w, int rc)
{
	w->failed = w->failed || rc == -1;
	return rc;
}

static int
watched_next(void *arg, unsigned lane, struct delivery *out, struct error *err)
{
	struct watched *w = arg;

	return watch(w, w->queue->next(w->queue->arg, lane, out, err));
}

static int
watched_intend(void *arg, const struct delivery *const *mails, size_t n, struct error *err)
{
	struct watched *w = arg;

	return watch(w, w->queue->intend(w->queue->arg, mails, n, err));
}

static int
watched_settle(void *arg, const struct delivery_outcome *outcomes, size_t n, struct error *err)
{
	struct watched *w = arg;

	return watch(w, w->queue->settle(w->queue->arg, outcomes, n, err));
}

/* 1 = done, 0 = the way failed, -1 = the queue did. */
static int
run_way(const struct way *way, const struct delivery_queue *queue, struct error *why)
{
	struct watched watched = { .queue = queue };
	const struct delivery_queue seen = { .arg = &watched,
		.next = watched_next,
		.intend = watched_intend,
		.settle = watched_settle };

	if (way->sink == NULL)
		return 0;
	if (sink_run(way->sink, &seen, why) == 0)
		return 1;
	return watched.failed ? -1 : 0;
}

static int
run_ways(struct sink *sink, const struct delivery_queue *queue, struct error *err)
{
	struct ways *w = (struct ways *)sink;

	for (size_t i = 0; i < w->nways; i++) {
		struct way *way = &w->ways[i];
		struct error why = way->why;
		int rc = run_way(way, queue, &why);

		if (rc == 1)
			continue;
		if (rc == -1) {
			if (err != NULL)
				*err = why;
			return -1;
		}
		if (stop_lane(queue, way->lane, &why, err) == -1)
			return -1;
	}
	return w->smtp != NULL ? sink_run(w->smtp, queue, err) : 0;
}

static void
free_ways(struct sink *sink)
{
	struct ways *w = (struct ways *)sink;

	for (size_t i = 0; i < w->nways; i++)
		sink_free(w->ways[i].sink);
	sink_free(w->smtp);
	for (size_t i = 0; i < w->nrelays; i++)
		close_relay(&w->relays[i]);
	free(w->ways);
	free(w->relays);
	free(w);
}

static const struct sink_ops ways_ops = { run_ways, free_ways };

/* -1 only when memory is short: a way that cannot be opened is told when its turn comes. */
static int
open_way(struct ways *w, unsigned lane, struct error *err)
{
	const struct config_smtp *smtp = &w->run->cfg->smtps[lane];
	struct way *way = &w->ways[w->nways];
	const char *path;
	int rc;

	err_clear(&way->why);
	if ((path = after_scheme(smtp->url, "maildir:")) != NULL)
		rc = open_by_path(smtp, path, sink_open_maildir, &way->sink, &way->why);
	else if ((path = after_scheme(smtp->url, "sendmail:")) != NULL)
		rc = open_by_path(smtp, path, open_sendmail, &way->sink, &way->why);
	else if ((rc = open_relay(w->run, lane, smtp, &w->relays[w->nrelays], &way->why)) == 0) {
		w->nrelays++;
		return 0;
	}
	if (rc == -1 && way->why.kind == ERR_NOMEM)
		return err_set(err, ERR_NOMEM, "%s", way->why.msg);
	way->lane = lane;
	if (rc == 0)
		way->sink->lane = lane;
	w->nways++;
	return 0;
}

static int
open_relays(struct ways *w, struct error *err)
{
	struct smtp_options *options;
	int rc;

	if (w->nrelays == 0)
		return 0;
	if ((options = calloc(w->nrelays, sizeof(*options))) == NULL)
		return err_nomem(err, "relays");
	for (size_t i = 0; i < w->nrelays; i++)
		options[i] = w->relays[i].options;
	rc = sink_open_smtp(options, w->nrelays, w->run->log, &w->smtp, err);
	free(options);
	for (size_t i = 0; i < w->nrelays; i++)
		close_relay(&w->relays[i]);
	return rc;
}

int
sinks_open(struct run *run, const unsigned *lanes, size_t n, struct sink **out, struct error *err)
{
	struct ways *w = calloc(1, sizeof(*w));
	int rc = 0;

	if (w == NULL)
		return err_nomem(err, "ways out");
	w->sink.ops = &ways_ops;
	w->run = run;
	w->ways = calloc(n + 1, sizeof(*w->ways));
	w->relays = calloc(n + 1, sizeof(*w->relays));
	if (w->ways == NULL || w->relays == NULL)
		rc = err_nomem(err, "ways out");
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = open_way(w, lanes[i], err);
	if (rc == 0)
		rc = open_relays(w, err);
	if (rc == -1) {
		free_ways(&w->sink);
		return -1;
	}
	*out = &w->sink;
	return 0;
}

void
sinks_describe(const struct config_smtp *smtp, char *out, size_t size)
{
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
