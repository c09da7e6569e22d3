#include "smtp.h"
#include "digest/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
	OUTCOME_BATCH = 64, /* told in one go */
	EVENT_BATCH = 64,
	RETRY_MS = 200, /* before a lost relay is tried again; doubled each time */
	MAX_WAIT_MS = 600000,
};

/* ---- what the links need ---- */

int64_t
smtp_deadline(const struct smtp_engine *e, double seconds)
{
	return clock_monotonic_ms() + (int64_t)(seconds * 1000.0 * e->account.timeout_scale);
}

int
smtp_watch(struct smtp_link *l, int fd, uint32_t events)
{
	struct epoll_event event = { .events = events,
		.data.u64 = (uint64_t)l->number << 32 | (uint32_t)fd };
	int epoll = l->engine->epoll;

	if (epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event) == 0)
		return 0;
	return errno == ENOENT ? epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) : -1;
}

void
smtp_unwatch(struct smtp_link *l, int fd)
{
	epoll_ctl(l->engine->epoll, EPOLL_CTL_DEL, fd, NULL);
}

static void
stop(struct smtp_engine *e, const struct error *why)
{
	if (e->stopped || e->broken)
		return;
	e->stopped = true;
	e->why = *why;
}

/* The queue failed, and with it the accounting: nothing more may leave. */
static void
break_off(struct smtp_engine *e, const struct error *why)
{
	if (!e->broken)
		e->why = *why;
	e->broken = true;
}

static void
settle_outcomes(struct smtp_engine *e)
{
	struct error err;
	size_t n = e->noutcomes;

	e->noutcomes = 0;
	if (n > 0 && e->queue->settle(e->queue->arg, e->outcomes, n, &err) == -1)
		break_off(e, &err);
}

void
smtp_settle(
    struct smtp_engine *e, const struct delivery *mail, enum outcome outcome, const char *reply)
{
	struct delivery_outcome *o;

	if (e->noutcomes == OUTCOME_BATCH)
		settle_outcomes(e);
	o = &e->outcomes[e->noutcomes++];
	o->period = mail->period;
	o->reader = mail->reader;
	o->outcome = outcome;
	err_printable(o->reply, sizeof(o->reply), reply);
}

void
smtp_doubt_level(struct smtp_engine *e, enum smtp_level level, const char *why)
{
	static const char *const instead[] = {
		[SMTP_ENVELOPE] = "one command at a time",
		[SMTP_BEHIND] = "no command before a mail is answered",
	};

	if (level > e->level || level <= SMTP_LOCK_STEP)
		return;
	e->level = level - 1;
	log_info(e->log, "%s: offers PIPELINING and does not cope with it (%s); from now on %s",
	    e->account.name, why, instead[level]);
}

void
smtp_note(
    struct smtp_engine *e, enum smtp_trouble trouble, enum err_kind kind, const char *sentence)
{
	const char *name = e->account.name;
	struct error why;

	switch (trouble) {
	case TROUBLE_NONE:
		e->nlost = e->nrefused = 0;
		return;
	case TROUBLE_STOP:
		err_set(&why, kind, "%s: %s", name, sentence);
		stop(e, &why);
		return;
	case TROUBLE_LINK:
		/* A relay that restarts drops all links at once. */
		if (!e->lost_now)
			e->nlost++;
		e->lost_now = true;
		err_set(&why, kind, "%s: %d failures in a row, the last: %s", name, SMTP_MAX_ROW,
		    sentence);
		if (e->nlost >= SMTP_MAX_ROW)
			stop(e, &why);
		return;
	case TROUBLE_POLICY:
		e->nlost = 0;
		if (e->nrefused++ == 0)
			log_warn(e->log, "%s: refuses mail by policy: %s", name, sentence);
		err_set(&why, kind, "%s: refuses mail by policy, %d times in a row: %s", name,
		    SMTP_MAX_ROW, sentence);
		if (e->nrefused >= SMTP_MAX_ROW)
			stop(e, &why);
		return;
	}
}

/* ---- one turn of the loop ---- */

static unsigned
count_links(const struct smtp_engine *e, enum smtp_state from, enum smtp_state to)
{
	unsigned n = 0;

	for (unsigned i = 0; i < e->nlinks; i++)
		n += e->links[i].state >= from && e->links[i].state <= to;
	return n;
}

static struct smtp_link *
find_link(struct smtp_engine *e, enum smtp_state state)
{
	for (unsigned i = 0; i < e->nlinks; i++)
		if (e->links[i].state == state)
			return &e->links[i];
	return NULL;
}

static void
swap_deliveries(struct delivery *a, struct delivery *b)
{
	struct delivery kept = *a;

	*a = *b;
	*b = kept;
}

bool
smtp_give_back(struct smtp_engine *e, struct delivery *mail)
{
	if (e->stopped || e->broken || e->nback == e->nlinks)
		return false;
	swap_deliveries(&e->back[e->nback++], mail);
	return true;
}

/* Whether all that there was went to a link. */
static bool
is_drained(const struct smtp_engine *e)
{
	return e->drained && !e->has_waiting && e->nback == 0;
}

/* Have a mail at hand. Only with one is a connection opened. */
static bool
pull(struct smtp_engine *e)
{
	struct error err;
	int more;

	if (e->stopped || e->broken)
		return false;
	if (!e->has_waiting && e->nback > 0) {
		swap_deliveries(&e->waiting, &e->back[--e->nback]);
		e->has_waiting = true;
	}
	if (e->has_waiting || e->drained)
		return e->has_waiting;
	strbuf_reset(&e->waiting.bytes);
	err_clear(&err);
	more = e->queue->next(e->queue->arg, &e->waiting, &err);
	if (more == -1)
		break_off(e, &err);
	e->drained = more != 1;
	e->has_waiting = more == 1;
	return e->has_waiting;
}

/* Give the link a mail, if there is one and it can take it. */
static void
feed(struct smtp_engine *e, struct smtp_link *l)
{
	while (smtp_link_has_room(l) && pull(e) && smtp_link_suits(l, &e->waiting)) {
		e->has_waiting = false;
		smtp_link_take(l, &e->waiting);
	}
}

static void
feed_links(struct smtp_engine *e)
{
	for (unsigned i = 0; i < e->nlinks; i++) {
		struct smtp_link *l = &e->links[i];

		if (l->state != LINK_IDLE)
			continue;
		feed(e, l);
		if (l->state == LINK_BUSY)
			smtp_link_push(l);
		else if (l->state == LINK_IDLE && (!smtp_link_has_room(l) || e->has_waiting))
			smtp_link_quit(l);
	}
}

/* A link could not be opened. While others work, that is no more than the server's limit. */
static void
fail_opening(
    struct smtp_engine *e, struct smtp_link *l, enum smtp_trouble trouble, const struct error *err)
{
	unsigned nopen;
	struct error why = *err;

	smtp_link_close(l);
	nopen = count_links(e, LINK_IDLE, LINK_RESETTING);
	if (nopen > 0) {
		log_info(e->log, "%s: %s; going on with %u connections", e->account.name, err->msg,
		    nopen);
		e->max_open = nopen;
		return;
	}
	if (trouble == TROUBLE_LINK && e->ever_open) {
		smtp_note(e, TROUBLE_LINK, err->kind, err->msg);
		e->retry_ms = clock_monotonic_ms() + ((int64_t)RETRY_MS << e->nlost);
		return;
	}
	err_prefix(&why, "%s", e->account.name);
	stop(e, &why);
}

/* More links are opened by and by, at most as many at once as there are: one mail needs one link. */
static void
open_links(struct smtp_engine *e)
{
	unsigned nopen = count_links(e, LINK_IDLE, LINK_QUITTING);
	unsigned nopening = count_links(e, LINK_OPENING, LINK_OPENING);
	struct error err;

	while (pull(e) && nopen + nopening < e->max_open && nopening < (nopen > 0 ? nopen : 1) &&
	    e->retry_ms <= clock_monotonic_ms()) {
		struct smtp_link *l = find_link(e, LINK_CLOSED);

		if (l == NULL)
			return;
		if (smtp_link_open(l, &err) == -1) {
			fail_opening(e, l, TROUBLE_STOP, &err);
			return;
		}
		nopening++;
	}
}

/*
 * Record the intent of mails that are out but for their ends, then let these go, each with what the next mail may say
 * already. Returns how many there were.
 */
static size_t
announce_some(struct smtp_engine *e, unsigned *next)
{
	const struct delivery *mails[OUTCOME_BATCH];
	struct smtp_link *links[OUTCOME_BATCH];
	struct error err;
	size_t n = 0;

	for (; *next < e->nlinks && n < OUTCOME_BATCH; (*next)++) {
		struct smtp_link *l = &e->links[*next];

		if (!smtp_link_is_ready(l))
			continue;
		links[n] = l;
		mails[n++] = &l->mail;
	}
	if (n > 0 && e->queue->intend(e->queue->arg, mails, n, &err) == -1) {
		break_off(e, &err);
		return 0;
	}
	for (size_t i = 0; i < n; i++) {
		smtp_link_add_dot(links[i]);
		feed(e, links[i]);
		smtp_link_push(links[i]);
	}
	return n;
}

static void
announce(struct smtp_engine *e)
{
	unsigned next = 0;

	while (!e->broken && announce_some(e, &next) > 0)
		;
}

/* Nothing more leaves: settle what was pulled. */
static void
settle_pulled(struct smtp_engine *e, const char *why)
{
	if (e->has_waiting)
		smtp_settle(e, &e->waiting, OUTCOME_DEFERRED, why);
	e->has_waiting = false;
	while (e->nback > 0)
		smtp_settle(e, &e->back[--e->nback], OUTCOME_DEFERRED, why);
}

/* Give back what has not left, and say goodbye to who has nothing to tell. */
static void
wind_up(struct smtp_engine *e)
{
	const char *why = e->broken ? "the run was broken off" : "the relay was given up before";

	if (e->broken || e->stopped)
		settle_pulled(e, e->why.kind != ERR_NONE ? e->why.msg : why);
	else if (!is_drained(e))
		return;
	for (unsigned i = 0; i < e->nlinks; i++) {
		struct smtp_link *l = &e->links[i];

		if (l->state == LINK_IDLE)
			smtp_link_quit(l);
		else if (l->state == LINK_OPENING || (e->broken && l->state == LINK_BUSY))
			smtp_link_abandon(l, why);
	}
	settle_outcomes(e);
}

static void
advance(struct smtp_engine *e, struct smtp_link *l, int fd, int events)
{
	enum smtp_trouble trouble;
	struct error err;
	int rc = smtp_link_advance(l, fd, events, &trouble, &err);

	if (rc == 1)
		e->ever_open = true;
	else if (rc == -1)
		fail_opening(e, l, trouble, &err);
}

static void
check_timers(struct smtp_engine *e, int64_t now_ms)
{
	struct error err;

	for (unsigned i = 0; i < e->nlinks; i++) {
		struct smtp_link *l = &e->links[i];

		if (l->state == LINK_OPENING && l->curl_timer_ms != -1 &&
		    l->curl_timer_ms <= now_ms)
			advance(e, l, CURL_SOCKET_TIMEOUT, 0);
		if (l->state == LINK_CLOSED || l->state == LINK_IDLE || l->deadline_ms > now_ms)
			continue;
		if (l->state != LINK_OPENING)
			smtp_link_be_late(l);
		else if (smtp_link_is_late(l, &err) == -1)
			fail_opening(e, l, TROUBLE_LINK, &err);
	}
}

/* Milliseconds until something is due. */
static int
time_left(const struct smtp_engine *e)
{
	int64_t now_ms = clock_monotonic_ms(), until_ms = now_ms + MAX_WAIT_MS;

	if (e->retry_ms > now_ms)
		until_ms = e->retry_ms;
	for (unsigned i = 0; i < e->nlinks; i++) {
		const struct smtp_link *l = &e->links[i];

		if (l->state == LINK_CLOSED || l->state == LINK_IDLE)
			continue;
		if (l->deadline_ms < until_ms)
			until_ms = l->deadline_ms;
		if (l->state == LINK_OPENING && l->curl_timer_ms != -1 &&
		    l->curl_timer_ms < until_ms)
			until_ms = l->curl_timer_ms;
	}
	return until_ms <= now_ms ? 0 : (int)(until_ms - now_ms);
}

static void
wait_for_links(struct smtp_engine *e)
{
	struct epoll_event events[EVENT_BATCH];
	int n = epoll_wait(e->epoll, events, EVENT_BATCH, time_left(e));

	e->lost_now = false;
	for (int i = 0; i < n; i++) {
		struct smtp_link *l = &e->links[events[i].data.u64 >> 32];
		int fd = (int)(uint32_t)events[i].data.u64;

		if (l->state == LINK_OPENING)
			advance(e, l, fd, (int)events[i].events);
		else if (l->state != LINK_CLOSED && fd == l->fd)
			smtp_link_move(l);
	}
	check_timers(e, clock_monotonic_ms());
}

static int
smtp_run(struct sink *sink, const struct delivery_queue *queue, struct error *err)
{
	struct smtp_engine *e = (struct smtp_engine *)sink;

	e->queue = queue;
	e->drained = e->stopped = e->broken = e->ever_open = false;
	e->nlost = e->nrefused = 0;
	e->retry_ms = 0;
	e->max_open = e->account.connections;
	e->level = e->account.level;
	e->proven = SMTP_LOCK_STEP;
	e->scout = NULL;
	err_clear(&e->why);
	if (e->account.place.loopback == false && !e->account.tls_required)
		log_warn(e->log, "%s: insecure: mail and password go there without TLS",
		    e->account.name);
	for (;;) {
		settle_outcomes(e);
		feed_links(e);
		open_links(e);
		announce(e);
		wind_up(e);
		if ((is_drained(e) || e->stopped || e->broken) &&
		    count_links(e, LINK_OPENING, LINK_QUITTING) == 0)
			break;
		wait_for_links(e);
	}
	settle_outcomes(e);
	if (!e->stopped && !e->broken)
		return 0;
	if (err != NULL)
		*err = e->why;
	return -1;
}

static void
smtp_free(struct sink *sink)
{
	struct smtp_engine *e = (struct smtp_engine *)sink;

	for (unsigned i = 0; i < e->nlinks; i++) {
		smtp_link_close(&e->links[i]);
		strbuf_release(&e->links[i].mail.bytes);
		strbuf_release(&e->links[i].leaving.bytes);
		strbuf_release(&e->links[i].out);
		strbuf_release(&e->back[i].bytes);
	}
	free(e->links);
	free(e->back);
	strbuf_release(&e->waiting.bytes);
	free(e->outcomes);
	if (e->epoll != -1)
		close(e->epoll);
	smtp_account_release(&e->account);
	free(e);
	curl_global_cleanup();
}

static const struct sink_ops smtp_ops = { .run = smtp_run, .free = smtp_free };

/* All that a run needs but the queue. */
static int
make_engine(const struct smtp_options *options, struct log *log, struct smtp_engine **out,
    struct error *err)
{
	struct smtp_engine *e = calloc(1, sizeof(*e));

	if (e == NULL)
		return err_nomem(err, "smtp");
	e->sink.ops = &smtp_ops;
	e->log = log;
	e->epoll = -1;
	strbuf_init(&e->waiting.bytes, MAX_MESSAGE_BYTES);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		free(e);
		return err_set(err, ERR_BUG, "libcurl does not start");
	}
	if (smtp_account_init(&e->account, options, err) == -1) {
		smtp_free(&e->sink);
		return -1;
	}
	e->outcomes = calloc(OUTCOME_BATCH, sizeof(*e->outcomes));
	e->links = calloc(options->connections, sizeof(*e->links));
	e->back = calloc(options->connections, sizeof(*e->back));
	e->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (e->outcomes == NULL || e->links == NULL || e->back == NULL || e->epoll == -1) {
		smtp_free(&e->sink);
		return err_nomem(err, "smtp");
	}
	e->nlinks = options->connections;
	for (unsigned i = 0; i < e->nlinks; i++) {
		e->links[i].engine = e;
		e->links[i].number = i;
		e->links[i].fd = -1;
		strbuf_init(&e->links[i].mail.bytes, MAX_MESSAGE_BYTES);
		strbuf_init(&e->links[i].leaving.bytes, MAX_MESSAGE_BYTES);
		strbuf_init(&e->links[i].out, MAX_OUT_BYTES);
		strbuf_init(&e->back[i].bytes, MAX_MESSAGE_BYTES);
	}
	*out = e;
	return 0;
}

int
sink_open_smtp(
    const struct smtp_options *options, struct log *log, struct sink **out, struct error *err)
{
	struct smtp_engine *e;

	if (make_engine(options, log, &e, err) == -1)
		return -1;
	*out = &e->sink;
	return 0;
}

int
smtp_probe(const struct smtp_options *options, struct smtp_probe *out, struct error *err)
{
	struct smtp_options one = *options;
	struct smtp_engine *e;
	struct smtp_link *l;
	struct log silent;
	int rc;

	one.connections = 1;
	log_init(&silent, "smtp", -1, LOG_LEVEL_ERROR);
	if (make_engine(&one, &silent, &e, err) == -1)
		return -1;
	l = &e->links[0];
	rc = smtp_link_open(l, err);
	while (rc == 0 && !e->stopped && l->state == LINK_OPENING)
		wait_for_links(e);
	if (rc == 0 && l->state == LINK_IDLE) {
		*out = l->caps.told;
		smtp_link_quit(l);
		while (l->state != LINK_CLOSED)
			wait_for_links(e);
	} else if (rc == 0) {
		rc = -1;
		if (err != NULL)
			*err = e->why;
	}
	smtp_free(&e->sink);
	return rc;
}
