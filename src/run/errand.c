/* One mail beside all editions: for the operator, an answer, or to try a relay. The store does not know of it. */
#include "stages.h"

#include <stdio.h>

static int
next_mail(void *arg, unsigned lane, struct delivery *out, struct error *err)
{
	struct errand *e = arg;

	(void)lane;
	if (e->taken)
		return QUEUE_EMPTY;
	e->taken = true;
	out->period = out->reader = 0;
	snprintf(out->sender, sizeof(out->sender), "%s", e->sender);
	snprintf(out->to, sizeof(out->to), "%s", e->to->mailbox);
	out->needs_smtputf8 = e->to->needs_smtputf8;
	strbuf_addn(&out->bytes, e->bytes->buf, e->bytes->len);
	return strbuf_check(&out->bytes, err) == -1 ? -1 : QUEUE_MAIL;
}

/* Nothing is remembered of it, so there is nothing to make durable. */
static int
intend(void *arg, const struct delivery *const *mails, size_t n, struct error *err)
{
	(void)arg;
	(void)mails;
	(void)n;
	(void)err;
	return 0;
}

static int
settle(void *arg, const struct delivery_outcome *outcomes, size_t n, struct error *err)
{
	struct errand *e = arg;

	(void)err;
	if (n > 0)
		e->result = outcomes[0];
	e->settled = e->settled || n > 0;
	return 0;
}

static bool
must_stop(void *arg)
{
	const struct errand *e = arg;

	return errand_must_stop(e);
}

bool
errand_must_stop(const struct errand *e)
{
	const struct run *run = e->run;

	return (run->stop != NULL && *run->stop != 0) ||
	    (e->until_ms > 0 && clock_monotonic_ms() >= e->until_ms);
}

struct message
errand_message(const struct config *cfg, const struct address *from, const struct address *to,
    const char *what, int64_t now_utc, char id[MESSAGE_ID_SIZE])
{
	message_make_id(id, cfg->list.id, to->canonical, what, from->domain);
	return (struct message){
		.from = from,
		.to = to,
		.date_utc = now_utc,
		.list_id = cfg->list.id,
		.list_name = cfg->list.name,
		.message_id = id,
		.unsubscribe_mailto = "",
		.unsubscribe_https = "",
		.help_url = "",
		.archive_url = "",
	};
}

int
errand_send(struct errand *e, unsigned lane, struct error *err)
{
	const struct delivery_queue queue = { .arg = e,
		.next = next_mail,
		.intend = intend,
		.settle = settle,
		.must_stop = must_stop };
	struct sink *sink = NULL;
	int rc;

	e->taken = e->settled = false;
	rc = sinks_open(e->run, &lane, 1, &sink, err);
	if (rc == 0)
		rc = sink_run(sink, &queue, err);
	sink_free(sink);
	return rc;
}
