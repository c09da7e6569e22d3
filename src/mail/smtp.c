#include "smtp.h"
#include "digest/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

enum {
	EVENT_BATCH = 64,
	RETRY_MS = 200, /* before a lost relay is tried again; doubled each time */
	MAX_WAIT_MS = 600000,
	LOOK_MS = 250, /* so soon a waiting run sees that it is to stop */
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
	int epoll = l->engine->loop->epoll;

	if (epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event) == 0)
		return 0;
	return errno == ENOENT ? epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) : -1;
}

void
smtp_unwatch(struct smtp_link *l, int fd)
{
	epoll_ctl(l->engine->loop->epoll, EPOLL_CTL_DEL, fd, NULL);
}

/* The account is of no use any more in this run. */
static void
stop(struct smtp_engine *e, const struct error *why)
{
	const struct delivery_queue *queue = e->loop->queue;

	if (e->stopped || e->loop->broken)
		return;
	e->stopped = true;
	e->paused = false;
	e->why = *why;
	if (queue != NULL && queue->stopped != NULL)
		queue->stopped(queue->arg, e->lane, why);
}

/* The queue failed, and with it the accounting: nothing more may leave. */
static void
break_off(struct smtp_loop *loop, const struct error *why)
{
	if (!loop->broken)
		loop->why = *why;
	loop->broken = true;
}

/* The outcomes of this turn and, when it is not broken off, the intents of the mails given. -1: they may not leave. */
static int
account(struct smtp_loop *loop, const struct delivery *const *mails, size_t nmails)
{
	const struct delivery_queue *queue = loop->queue;
	struct error err;
	size_t n = loop->noutcomes;
	int rc = 0;

	loop->noutcomes = 0;
	if (queue->account != NULL && n + nmails > 0)
		rc = queue->account(queue->arg, loop->outcomes, n, mails, nmails, &err);
	if (queue->account == NULL && n > 0)
		rc = queue->settle(queue->arg, loop->outcomes, n, &err);
	if (queue->account == NULL && rc == 0 && nmails > 0)
		rc = queue->intend(queue->arg, mails, nmails, &err);
	if (rc == -1)
		break_off(loop, &err);
	return rc;
}

static void
settle_outcomes(struct smtp_loop *loop)
{
	account(loop, NULL, 0);
}

static void
add_outcome(
    struct smtp_loop *loop, const struct delivery *mail, enum outcome outcome, const char *reply)
{
	struct delivery_outcome *o;

	if (loop->noutcomes == OUTCOME_BATCH)
		settle_outcomes(loop);
	o = &loop->outcomes[loop->noutcomes++];
	o->period = mail->period;
	o->reader = mail->reader;
	o->lane = mail->lane;
	o->outcome = outcome;
	err_printable(o->reply, sizeof(o->reply), reply);
}

void
smtp_settle(
    struct smtp_engine *e, const struct delivery *mail, enum outcome outcome, const char *reply)
{
	pace_end(&e->pace, mail->to, reply, clock_monotonic_ms());
	add_outcome(e->loop, mail, outcome, reply);
}

/* Something is wrong that mends itself, mostly: no mail is taken for a while, and then one link is tried. */
static void
pause_account(struct smtp_engine *e, const struct error *why)
{
	if (e->stopped || e->paused)
		return;
	log_warn(e->log, "%s; waits %d min", why->msg, SMTP_PAUSE_S / 60);
	e->paused = true;
	e->retry_ms = smtp_deadline(e, SMTP_PAUSE_S);
	e->why = *why;
	e->nlost = SMTP_MAX_ROW - 1;
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
		e->nlost = 0;
		return;
	case TROUBLE_TOKEN:
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
			pause_account(e, &why);
		return;
	case TROUBLE_POLICY:
		e->nlost = 0;
		if (pace_count_refusing(&e->pace) == 1)
			log_warn(e->log, "%s: refuses mail by policy: %s", name, sentence);
		err_set(&why, kind, "%s: refuses mail by policy, to %d domains in a row: %s", name,
		    SMTP_MAX_ROW, sentence);
		if (pace_count_refusing(&e->pace) >= SMTP_MAX_ROW)
			stop(e, &why);
		return;
	}
}

/* ---- mails at hand ---- */

static int64_t
earlier(int64_t a_ms, int64_t b_ms)
{
	return a_ms < b_ms ? a_ms : b_ms;
}

static void
swap_deliveries(struct delivery *a, struct delivery *b)
{
	struct delivery kept = *a;

	*a = *b;
	*b = kept;
}

/* Nothing more may leave by this account. */
static bool
is_shut(const struct smtp_engine *e)
{
	return e->stopped || e->loop->broken || e->loop->halted;
}

bool
smtp_give_back(struct smtp_engine *e, struct delivery *mail)
{
	if (is_shut(e) || e->npulled == e->max_pulled)
		return false;
	pace_cancel(&e->pace, mail->to);
	swap_deliveries(&e->pulled[e->npulled++], mail);
	return true;
}

/* Whether all that there was went to a link, or nothing more may. */
static bool
is_done(const struct smtp_engine *e)
{
	return is_shut(e) || (e->drained && e->npulled == 0);
}

/* Ask for one more mail. */
static bool
ask_queue(struct smtp_engine *e)
{
	const struct delivery_queue *queue = e->loop->queue;
	struct delivery *mail = &e->pulled[e->npulled];
	struct error err;
	int more;

	if (e->drained || e->npulled >= e->max_ahead || e->again_ms > clock_monotonic_ms())
		return false;
	strbuf_reset(&mail->bytes);
	err_clear(&err);
	more = queue->next(queue->arg, e->lane, mail, &err);
	if (more == -1)
		break_off(e->loop, &err);
	/* It is asked before, too: it knows when the run is to stop. */
	e->again_ms =
	    more != QUEUE_LATER ? 0 : earlier(mail->again_ms, clock_monotonic_ms() + LOOK_MS);
	e->drained = more == QUEUE_EMPTY || more == -1;
	e->npulled += more == QUEUE_MAIL;
	return more == QUEUE_MAIL;
}

/* It is taken: its place is the last, with the buffer that came for it. */
static void
drop_pulled(struct smtp_engine *e, struct delivery *mail)
{
	e->npulled--;
	for (; mail < &e->pulled[e->npulled]; mail++)
		swap_deliveries(mail, mail + 1);
}

/* A mail for the next link, NULL = there is none that may go now. Only with one is a connection opened. */
static struct delivery *
pull(struct smtp_engine *e)
{
	int64_t now_ms = e->pace.ndomains > 0 ? clock_monotonic_ms() : 0;
	const char *why = "";
	unsigned i = 0;

	if (is_shut(e))
		return NULL;
	while (i < e->npulled || ask_queue(e)) {
		struct delivery *mail = &e->pulled[i];
		enum pace_verdict verdict = pace_ask(&e->pace, mail->to, now_ms, &why);

		if (verdict == PACE_GO)
			return mail;
		i += verdict == PACE_WAIT;
		if (verdict == PACE_WAIT)
			continue;
		add_outcome(e->loop, mail, OUTCOME_DEFERRED, why);
		drop_pulled(e, mail);
	}
	return NULL;
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

/* It may have waited for long. */
static bool
is_wanted(const struct smtp_engine *e, const struct delivery *mail)
{
	const struct delivery_queue *queue = e->loop->queue;

	return queue->is_wanted == NULL || queue->is_wanted(queue->arg, mail);
}

/* Give the link a mail, if there is one and it can take it. */
static void
feed(struct smtp_engine *e, struct smtp_link *l)
{
	struct delivery *mail;

	while (!e->paused && smtp_link_has_room(l) && (mail = pull(e)) != NULL &&
	    smtp_link_suits(l, mail)) {
		if (is_wanted(e, mail)) {
			pace_begin(&e->pace, mail->to);
			smtp_link_take(l, mail);
		}
		drop_pulled(e, mail);
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
		else if (l->state == LINK_IDLE && (!smtp_link_has_room(l) || pull(e) != NULL))
			smtp_link_quit(l);
	}
}

/*
 * The token was not taken: it lasts an hour or so, and a run may last longer. A link that came with an older one has only to try
 * again. 0 = that, -1 = a new token is refused, too, or there is none.
 */
static int
renew_token(struct smtp_engine *e, const struct smtp_link *l, struct error *why)
{
	if (l->secret_number != e->account.login.secret_number)
		return 0;
	if (e->renewed)
		return -1;
	e->renewed = true;
	return login_renew(&e->account.login, why);
}

/* A link could not be opened. While others work, that is no more than the server's limit. */
static void
fail_opening(
    struct smtp_engine *e, struct smtp_link *l, enum smtp_trouble trouble, const struct error *err)
{
	unsigned nopen;
	struct error why = *err;

	smtp_link_close(l);
	if (trouble == TROUBLE_TOKEN && renew_token(e, l, &why) == 0)
		return;
	nopen = count_links(e, LINK_IDLE, LINK_RESETTING);
	if (nopen > 0) {
		log_info(e->log, "%s: %s; going on with %u connection%s", e->account.name, err->msg,
		    nopen, nopen == 1 ? "" : "s");
		e->max_open = nopen;
		return;
	}
	if (trouble == TROUBLE_LINK && e->ever_open) {
		smtp_note(e, TROUBLE_LINK, err->kind, err->msg);
		if (!e->paused)
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

	while (pull(e) != NULL && nopen + nopening < e->max_open &&
	    nopening < (nopen > 0 ? nopen : 1) && e->retry_ms <= clock_monotonic_ms()) {
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
announce_some(struct smtp_loop *loop, unsigned *next)
{
	const struct delivery *mails[OUTCOME_BATCH];
	struct smtp_link *links[OUTCOME_BATCH];
	size_t n = 0;

	for (; *next < loop->nlinks && n < OUTCOME_BATCH; (*next)++) {
		struct smtp_link *l = &loop->links[*next];

		if (!smtp_link_is_ready(l))
			continue;
		links[n] = l;
		mails[n++] = &l->mail;
	}
	if (n > 0 && account(loop, mails, n) == -1)
		return 0;
	for (size_t i = 0; i < n; i++) {
		smtp_link_add_dot(links[i]);
		feed(links[i]->engine, links[i]);
		smtp_link_push(links[i]);
	}
	return n;
}

static void
announce(struct smtp_loop *loop)
{
	unsigned next = 0;

	while (!loop->broken && announce_some(loop, &next) > 0)
		;
}

/* Nothing more leaves by this account: settle what was pulled. */
static void
settle_pulled(struct smtp_engine *e, const char *why)
{
	while (e->npulled > 0)
		add_outcome(e->loop, &e->pulled[--e->npulled], OUTCOME_DEFERRED, why);
}

/* Give back what has not left, and say goodbye to who has nothing to tell. */
static void
wind_up(struct smtp_engine *e)
{
	const bool broken = e->loop->broken, halted = e->loop->halted;
	const char *why = broken ? "the run was broken off"
	    : halted		 ? sink_halted
				 : "the relay was given up before";

	if (!is_done(e))
		return;
	settle_pulled(e, broken ? e->loop->why.msg : e->stopped ? e->why.msg : sink_halted);
	for (unsigned i = 0; i < e->nlinks; i++) {
		struct smtp_link *l = &e->links[i];

		if (l->state == LINK_IDLE)
			smtp_link_quit(l);
		else if (l->state == LINK_OPENING || (halted && l->state == LINK_RESETTING) ||
		    ((broken || halted) && l->state == LINK_BUSY))
			smtp_link_abandon(l, why);
	}
}

static bool
must_stop(const struct smtp_engine *e)
{
	const struct delivery_queue *queue = e->loop->queue;

	return queue->must_stop != NULL && queue->must_stop(queue->arg);
}

/* A pause is over, or what it waits for will not come in this run. */
static void
look_at_pause(struct smtp_engine *e)
{
	struct error why = e->why;

	if (pull(e) != NULL && must_stop(e))
		stop(e, &why);
	else if (e->retry_ms <= clock_monotonic_ms())
		e->paused = false;
}

/* One turn of an account, up to the intents of what it sends. */
static void
turn(struct smtp_engine *e)
{
	/* The loop woke up for it, and is not to again, whether next is asked now or there is no use for a mail. */
	if (e->again_ms > 0 && e->again_ms <= clock_monotonic_ms())
		e->again_ms = 0;
	if (e->paused)
		look_at_pause(e);
	if (e->npulled > 1 && must_stop(e))
		settle_pulled(e, sink_halted);
	feed_links(e);
	if (!e->paused)
		open_links(e);
}

static void
advance(struct smtp_engine *e, struct smtp_link *l, int fd, int events)
{
	enum smtp_trouble trouble;
	struct error err;
	int rc = smtp_link_advance(l, fd, events, &trouble, &err);

	if (rc == -1)
		fail_opening(e, l, trouble, &err);
	if (rc == 1) {
		e->ever_open = true;
		e->renewed = false;
	}
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

/* When an account has something to do by itself. */
static int64_t
find_deadline(const struct smtp_engine *e, int64_t now_ms)
{
	int64_t until_ms = now_ms + MAX_WAIT_MS;

	if (e->retry_ms > now_ms)
		until_ms = earlier(until_ms, e->retry_ms);
	if (e->again_ms > 0)
		until_ms = earlier(until_ms, e->again_ms);
	for (unsigned i = 0; i < e->nlinks; i++) {
		const struct smtp_link *l = &e->links[i];

		if (l->state == LINK_CLOSED || l->state == LINK_IDLE)
			continue;
		until_ms = earlier(until_ms, l->deadline_ms);
		if (l->state == LINK_OPENING && l->curl_timer_ms != -1)
			until_ms = earlier(until_ms, l->curl_timer_ms);
	}
	return until_ms;
}

/* Milliseconds until something is due. */
static int
time_left(const struct smtp_loop *loop)
{
	int64_t now_ms = clock_monotonic_ms(), until_ms = now_ms + MAX_WAIT_MS;

	if (loop->queue != NULL && loop->queue->must_stop != NULL && !loop->halted)
		until_ms = now_ms + LOOK_MS;
	for (unsigned i = 0; i < loop->nengines; i++)
		until_ms = earlier(until_ms, find_deadline(&loop->engines[i], now_ms));
	return until_ms <= now_ms ? 0 : (int)(until_ms - now_ms);
}

void
smtp_loop_wait(struct smtp_loop *loop)
{
	struct epoll_event events[EVENT_BATCH];
	int n = epoll_wait(loop->epoll, events, EVENT_BATCH, time_left(loop));
	int64_t now_ms;

	for (unsigned i = 0; i < loop->nengines; i++)
		loop->engines[i].lost_now = false;
	for (int i = 0; i < n; i++) {
		struct smtp_link *l = &loop->links[events[i].data.u64 >> 32];
		int fd = (int)(uint32_t)events[i].data.u64;

		if (l->state == LINK_OPENING)
			advance(l->engine, l, fd, (int)events[i].events);
		else if (l->state != LINK_CLOSED && fd == l->fd)
			smtp_link_move(l);
	}
	now_ms = clock_monotonic_ms();
	for (unsigned i = 0; i < loop->nengines; i++)
		check_timers(&loop->engines[i], now_ms);
}

/* A relay may keep us waiting for minutes, a person who stops all mail must not. */
static void
look_for_stop(struct smtp_loop *loop)
{
	const struct delivery_queue *queue = loop->queue;
	int64_t now_ms = clock_monotonic_ms();

	if (queue == NULL || queue->must_stop == NULL || loop->halted || now_ms < loop->look_ms)
		return;
	loop->look_ms = now_ms + LOOK_MS;
	loop->halted = queue->must_stop(queue->arg);
}

static void
start_run(struct smtp_engine *e)
{
	e->drained = e->stopped = e->paused = e->ever_open = e->renewed = false;
	pace_reset(&e->pace);
	e->nlost = 0;
	e->retry_ms = e->again_ms = 0;
	e->max_open = e->account.connections;
	e->level = e->account.level;
	e->proven = SMTP_LOCK_STEP;
	e->scout = NULL;
	err_clear(&e->why);
	if (!e->account.place.loopback && !e->account.tls_required)
		/* Said to cron as well: nobody is to forget it. */
		log_error(e->log,
		    "%s: insecure: mail and password go there without TLS; expected tls = required",
		    e->account.name);
}

static bool
is_over(const struct smtp_loop *loop)
{
	for (unsigned i = 0; i < loop->nengines; i++) {
		const struct smtp_engine *e = &loop->engines[i];

		if (!is_done(e) || e->npulled > 0 ||
		    count_links(e, LINK_OPENING, LINK_QUITTING) > 0)
			return false;
	}
	return true;
}

/* How the run ended, for a caller that is not told of each account. */
static int
judge_run(const struct smtp_loop *loop, struct error *err)
{
	const struct error *why = loop->broken ? &loop->why : NULL;

	for (unsigned i = 0; i < loop->nengines && why == NULL; i++)
		if (loop->engines[i].stopped && loop->queue->stopped == NULL)
			why = &loop->engines[i].why;
	if (why != NULL && err != NULL)
		*err = *why;
	return why != NULL ? -1 : 0;
}

int
smtp_loop_run(struct sink *sink, const struct delivery_queue *queue, struct error *err)
{
	struct smtp_loop *loop = (struct smtp_loop *)sink;

	loop->queue = queue;
	loop->broken = loop->halted = false;
	loop->look_ms = 0;
	err_clear(&loop->why);
	for (unsigned i = 0; i < loop->nengines; i++)
		start_run(&loop->engines[i]);
	for (;;) {
		for (unsigned i = 0; i < loop->nengines; i++)
			turn(&loop->engines[i]);
		announce(loop);
		for (unsigned i = 0; i < loop->nengines; i++)
			wind_up(&loop->engines[i]);
		settle_outcomes(loop);
		if (is_over(loop))
			break;
		smtp_loop_wait(loop);
		look_for_stop(loop);
	}
	return judge_run(loop, err);
}
