#include "smtp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

static void
smtp_free(struct sink *sink)
{
	struct smtp_loop *loop = (struct smtp_loop *)sink;

	for (unsigned i = 0; i < loop->nlinks; i++) {
		smtp_link_close(&loop->links[i]);
		strbuf_release(&loop->links[i].mail.bytes);
		strbuf_release(&loop->links[i].leaving.bytes);
		strbuf_release(&loop->links[i].out);
	}
	for (unsigned i = 0; i < loop->nengines; i++) {
		for (unsigned k = 0; k < loop->engines[i].max_pulled; k++)
			strbuf_release(&loop->engines[i].pulled[k].bytes);
		free(loop->engines[i].pulled);
		pace_release(&loop->engines[i].pace);
		smtp_account_release(&loop->engines[i].account);
	}
	free(loop->links);
	free(loop->engines);
	free(loop->outcomes);
	if (loop->epoll != -1)
		close(loop->epoll);
	free(loop);
	curl_global_cleanup();
}

static const struct sink_ops smtp_ops = { .run = smtp_loop_run, .free = smtp_free };

/* Room for mails at hand, and for one that each link may give back. */
static int
make_pulled(struct smtp_engine *e, struct error *err)
{
	const struct smtp_account *a = &e->account;
	unsigned max;

	pace_init(&e->pace, !a->place.loopback || a->paced, a->timeout_scale);
	e->max_ahead = e->pace.limited ? PULL_AHEAD : 1;
	max = e->max_ahead + e->nlinks;
	if ((e->pulled = calloc(max, sizeof(*e->pulled))) == NULL)
		return err_nomem(err, "smtp");
	for (e->max_pulled = 0; e->max_pulled < max; e->max_pulled++)
		strbuf_init(&e->pulled[e->max_pulled].bytes, MAX_MESSAGE_BYTES);
	return 0;
}

static int
make_engines(
    struct smtp_loop *loop, const struct smtp_options *options, size_t n, struct error *err)
{
	if ((loop->engines = calloc(n, sizeof(*loop->engines))) == NULL)
		return err_nomem(err, "smtp");
	for (size_t i = 0; i < n; i++) {
		struct smtp_engine *e = &loop->engines[i];

		e->loop = loop;
		e->log = loop->log;
		e->lane = options[i].lane;
		loop->nengines++;
		if (smtp_account_init(&e->account, &options[i], err) == -1)
			return -1;
		e->nlinks = options[i].connections;
		if (make_pulled(e, err) == -1)
			return -1;
	}
	return 0;
}

static int
make_links(struct smtp_loop *loop, struct error *err)
{
	unsigned nlinks = 0;

	for (unsigned i = 0; i < loop->nengines; i++)
		nlinks += loop->engines[i].nlinks;
	if ((loop->links = calloc(nlinks + 1, sizeof(*loop->links))) == NULL)
		return err_nomem(err, "smtp");
	for (unsigned i = 0; i < loop->nengines; i++) {
		struct smtp_engine *e = &loop->engines[i];

		e->links = &loop->links[loop->nlinks];
		for (unsigned k = 0; k < e->nlinks; k++) {
			e->links[k].engine = e;
			e->links[k].number = loop->nlinks++;
			e->links[k].fd = -1;
			strbuf_init(&e->links[k].mail.bytes, MAX_MESSAGE_BYTES);
			strbuf_init(&e->links[k].leaving.bytes, MAX_MESSAGE_BYTES);
			strbuf_init(&e->links[k].out, MAX_OUT_BYTES);
		}
	}
	return 0;
}

/* All that a run needs but the queue. */
static int
make_loop(const struct smtp_options *options, size_t n, struct log *log, struct smtp_loop **out,
    struct error *err)
{
	struct smtp_loop *loop = calloc(1, sizeof(*loop));

	if (loop == NULL)
		return err_nomem(err, "smtp");
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		free(loop);
		return err_set(err, ERR_BUG, "libcurl does not start");
	}
	loop->sink.ops = &smtp_ops;
	loop->log = log;
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	loop->outcomes = calloc(OUTCOME_BATCH, sizeof(*loop->outcomes));
	if (loop->epoll == -1)
		err_set(err, ERR_IO, "smtp: no epoll: %s", strerror(errno));
	else if (loop->outcomes == NULL)
		err_nomem(err, "smtp");
	else if (make_engines(loop, options, n, err) == 0 && make_links(loop, err) == 0) {
		*out = loop;
		return 0;
	}
	smtp_free(&loop->sink);
	return -1;
}

int
sink_open_smtp(const struct smtp_options *options, size_t n, struct log *log, struct sink **out,
    struct error *err)
{
	struct smtp_loop *loop;

	if (make_loop(options, n, log, &loop, err) == -1)
		return -1;
	*out = &loop->sink;
	return 0;
}

int
smtp_probe(const struct smtp_options *options, struct smtp_probe *out, struct error *err)
{
	struct smtp_options one = *options;
	struct smtp_loop *loop;
	struct smtp_engine *e;
	struct smtp_link *l;
	struct log silent;
	int rc;

	one.connections = 1;
	log_init(&silent, "smtp", -1, LOG_LEVEL_ERROR);
	if (make_loop(&one, 1, &silent, &loop, err) == -1)
		return -1;
	e = &loop->engines[0];
	l = &e->links[0];
	rc = smtp_link_open(l, err);
	while (rc == 0 && !e->stopped && l->state != LINK_IDLE) {
		/* Closed for a new token. */
		if (l->state == LINK_CLOSED)
			rc = smtp_link_open(l, err);
		else
			smtp_loop_wait(loop);
	}
	if (rc == 0 && l->state == LINK_IDLE) {
		*out = l->caps.told;
		smtp_link_quit(l);
		while (l->state != LINK_CLOSED)
			smtp_loop_wait(loop);
	} else if (rc == 0) {
		rc = -1;
		out->untrusted = l->caps.told.untrusted;
		if (err != NULL)
			*err = e->why;
	}
	smtp_free(&loop->sink);
	return rc;
}
