#include "run/courier.h"
#include "digest/limits.h"
#include "digest/pool.h"
#include "digest/qp.h"

#include <stdio.h>
#include <string.h>

enum {
	DATE_SPAN_S = 72 * 3600, /* SpamAssassin gives points from 96 h on */
	LEAST_BATCH = 32,	 /* mails of one lane, however many lanes there are */
};

/* ---- limits ---- */

static int64_t
now_us(const struct courier *c)
{
	return c->start_us + (clock_monotonic_ms() - c->start_ms) * 1000;
}

static void
name_note(const struct config_smtp *smtp, char out[200])
{
	snprintf(out, 200, "limit %.180s", smtp->name);
}

/* In a transaction. Written before these mails leave, so that a run that is killed counted too many, if anything. */
static int
save_limit(struct courier *c, const struct lane *l, size_t nreserved, struct error *err)
{
	char name[200], note[LIMIT_NOTE_SIZE];

	if (!limit_is_set(&l->limit))
		return 0;
	name_note(l->smtp, name);
	limit_format(&l->limit, now_us(c), nreserved, note);
	return store_set_note(c->run->store, name, note, err);
}

int
lane_load_limit(struct run *run, const struct config_smtp *smtp, int64_t now_us, struct limit *out,
    struct error *err)
{
	char name[200];
	const char *note;
	struct arena a;
	int rc;

	limit_init(out, smtp->rate, smtp->daily_limit);
	if (!limit_is_set(out) || now_us < 0)
		return 0;
	arena_init(&a, MAX_READER_BYTES);
	name_note(smtp, name);
	rc = store_get_note(run->store, name, &a, &note, err);
	if (rc == 0)
		limit_restore(out, note, now_us);
	arena_release(&a);
	return rc;
}

/* QUEUE_MAIL: one may leave now. What cannot leave in this run stays due, and is first in the next. */
static int
ask_limit(struct courier *c, struct lane *l, int64_t *again_ms)
{
	size_t nleft;
	int64_t again_us;

	if (!limit_is_set(&l->limit) || limit_allows(&l->limit, now_us(c), &again_us))
		return QUEUE_MAIL;
	*again_ms =
	    again_us == INT64_MAX ? INT64_MAX : c->start_ms + (again_us - c->start_us + 999) / 1000;
	if (*again_ms < c->deadline_ms)
		return QUEUE_LATER;
	if (!l->over && (nleft = lane_count_left(c, l)) > 0)
		log_warn(c->run->log, "%s: its %s leaves %zu mail%s for a later run", l->via,
		    again_us == INT64_MAX ? "daily-limit" : "rate", nleft, nleft == 1 ? "" : "s");
	l->over = true;
	c->report->faults |= RUN_FAULT_DEFERRED;
	return QUEUE_EMPTY;
}

/* How many mails to make ready. */
static size_t
choose_size(struct courier *c, const struct lane *l)
{
	size_t n = BATCH_MAILS / c->nlanes;

	n = n < LEAST_BATCH ? LEAST_BATCH : n;
	return limit_is_set(&l->limit) ? limit_room(&l->limit, now_us(c), n) : n;
}

/* ---- new mails ---- */

static struct stock *
at_hand(struct lane *l)
{
	return &l->stocks[l->at];
}

static struct stock *
ahead(struct lane *l)
{
	return &l->stocks[l->at ^ 1];
}

static void
empty_stock(struct stock *s)
{
	for (size_t i = 0; i < s->n; i++)
		composed_release(&s->mails[i]);
	s->n = s->next = 0;
}

/* Into the stock, or told why not. */
static int
take_item(struct courier *c, struct stock *s, struct batch_item *item, struct error *err)
{
	const struct store_reader *reader = item->mail.reader;

	c->report->nmerged += item->merged;
	if (item->what == BATCH_MAIL) {
		s->mails[s->n++] = item->mail;
		item->what = BATCH_SKIPPED; /* ours now */
		return 0;
	}
	if (item->what == BATCH_SKIPPED)
		return courier_skip(c, reader, item->why, 0, err);
	courier_note_broken(c, reader, item->err.msg);
	return courier_skip(c, reader, SKIP_BROKEN, 0, err);
}

/* No mail may leave whose outcome cannot be stored; those of other lanes take from the same room. */
static int
reserve_room(struct courier *c, struct error *err)
{
	size_t n = 0;

	for (unsigned i = 0; i < c->nlanes; i++)
		n += c->lanes[i].stocks[0].n + c->lanes[i].stocks[1].n;
	return store_reserve(c->run->store, n, err);
}

/* The disk has the lease when store_flush_wait() says so. */
static int
lease_stock(struct courier *c, struct lane *l, struct error *err)
{
	struct stock *s = ahead(l);
	struct edition *editions = arena_array(&l->arena, s->n, sizeof(*editions));
	int rc;

	if (editions == NULL)
		return err_nomem(err, "lease");
	for (size_t i = 0; i < s->n; i++)
		editions[i] = s->mails[i].edition;
	if (store_begin(c->run->store, err) == -1)
		return -1;
	rc = store_lease_editions(c->run->store, editions, s->n, c->now_utc, err);
	if (rc == 0)
		rc = planner_save(c->planner, err);
	if (rc == 0)
		rc = save_limit(c, l, s->n, err);
	for (size_t i = 0; i < s->n; i++)
		s->mails[i].edition.state = editions[i].state;
	if (store_end(c->run->store, rc, false, err) == -1 ||
	    store_flush_start(c->run->store, err) == -1)
		return -1;
	return reserve_room(c, err);
}

/* While a batch is made, the store and the planner are for one at a time. */
static int
locked(int (*step)(struct courier *c, struct lane *l, struct error *err), struct courier *c,
    struct lane *l, struct error *err)
{
	int rc;

	pthread_mutex_lock(&c->planning);
	pthread_mutex_lock(&c->lock);
	rc = step(c, l, err);
	pthread_mutex_unlock(&c->lock);
	pthread_mutex_unlock(&c->planning);
	return rc;
}

/* Nobody makes mails any more. */
static void
wait_for_batch(struct courier *c)
{
	if (c->running != NULL)
		batch_wait(c->running);
	c->running = NULL;
}

/* Begin to make the next mails of the lane. */
static int
start_stock(struct courier *c, struct lane *l, struct error *err)
{
	struct stock *s = ahead(l);
	int64_t readers[BATCH_MAILS];
	size_t n = choose_size(c, l);

	if (n > l->end_turn - l->next_turn)
		n = l->end_turn - l->next_turn;
	for (size_t i = 0; i < n; i++)
		readers[i] = (int64_t)c->turns[l->next_turn + i].reader;
	wait_for_batch(c);
	composer_trim(c->composer);
	if ((s->batch == NULL && batch_new(&c->settings, c->pool, &s->batch, err) == -1) ||
	    batch_start(s->batch, readers, n, err) == -1)
		return -1;
	c->running = s->batch;
	l->nmaking = n;
	l->next_turn += n;
	return 0;
}

/* Whether to make the mails that follow while these leave: not for somebody who looks at them, nor when few may leave. */
static bool
may_start_stock(const struct courier *c, const struct lane *l)
{
	return l->next_turn < l->end_turn && !c->options->preview && !limit_is_set(&l->limit) &&
	    c->running == NULL;
}

/* Take what is made, as soon as it is, and lease it. */
static int
finish_stock(struct courier *c, struct lane *l, struct error *err)
{
	struct stock *s = ahead(l);
	struct batch_item *items;
	size_t n;

	if (batch_finish(s->batch, &items, &n, err) == -1)
		return -1;
	c->running = c->running == s->batch ? NULL : c->running;
	c->nbegun += n;
	l->nmaking = 0;
	for (size_t i = 0; i < n; i++)
		if (take_item(c, s, &items[i], err) == -1)
			return -1;
	if (c->run->ui.progress != NULL && c->nturns > BATCH_MAILS)
		c->run->ui.progress(c->run->ui.arg, "sending", c->nbegun, c->nturns);
	c->report->nplanned += s->n;
	if (s->n > 0 && locked(lease_stock, c, l, err) == -1)
		return -1;
	l->leased = true;
	return 0;
}

/*
 * A lease waits for the disk, which takes as long as some dozens of mails, and these leave meanwhile. Not before the
 * last stock is settled but for what is on its way: of two leases at most it may be in doubt whether they left.
 */
static bool
may_finish_stock(struct lane *l)
{
	const struct stock *s = at_hand(l);

	return l->nmaking > 0 && s->next >= s->n / 4 && batch_is_made(ahead(l)->batch);
}

/* The next mails, of which those at hand were handed out. */
static int
next_stock(struct courier *c, struct lane *l, struct error *err)
{
	empty_stock(at_hand(l));
	if (!l->leased) {
		if ((l->nmaking == 0 && start_stock(c, l, err) == -1) ||
		    finish_stock(c, l, err) == -1)
			return -1;
	}
	arena_reset(&l->arena);
	l->leased = false;
	l->at ^= 1;
	if (may_start_stock(c, l) && start_stock(c, l, err) == -1)
		return -1;
	return store_flush_wait(c->run->store, err);
}

/* ---- mails that are tried again ---- */

/*
 * Templates or settings have changed since: fine while no copy can be out, but only the very same bytes may follow one
 * that may be. 1 = held.
 */
static int
note_other_bytes(struct courier *c, struct lane *l, const struct edition *e,
    const struct composed *mail, struct error *err)
{
	static const char reason[] = "a copy may be out, and the mail would differ from it now";
	struct store *store = c->run->store;
	int rc;

	if (store_begin(store, err) == -1)
		return -1;
	if (e->copies == 0)
		rc = store_rehash_edition(
		    store, e->period, e->reader, mail->edition.hash, e->composed_utc, err);
	else
		rc = store_settle_edition(
		    store, e->period, e->reader, EDITION_HELD, reason, c->now_utc, 0, err);
	if (store_end(store, rc, false, err) == -1)
		return -1;
	if (e->copies == 0) {
		l->rehashed = true;
		return 0;
	}
	c->report->nheld_mails++;
	log_error(c->run->log, "%s: digest of %s: %s; held", mail->reader->sub.address,
	    mail->period, reason);
	return 1;
}

/*
 * A Date some days old looks like spam: after each whole span the mail is dated anew. What a copy that may be out had is
 * found again by its bytes.
 */
static int
compose_again(struct courier *c, struct lane *l, const struct edition *e, struct composed *mail,
    struct error *err)
{
	int64_t spans =
	    c->now_utc > e->composed_utc ? (c->now_utc - e->composed_utc) / DATE_SPAN_S : 0;

	for (;; spans--) {
		mail->date_utc = e->composed_utc + spans * DATE_SPAN_S;
		strbuf_reset(&mail->bytes);
		if (composer_compose(c->composer, mail, &mail->rendered, &l->arena, err) == -1)
			return -1;
		if (e->copies == 0 || spans == 0 ||
		    memcmp(e->hash, mail->edition.hash, sizeof(e->hash)) == 0)
			return 0;
	}
}

/* It stays where it is: the next run tries again, whose templates may be mended. */
static int
put_back(struct courier *c, const struct edition *e, struct error *err)
{
	struct store *store = c->run->store;
	int rc;

	if (store_begin(store, err) == -1)
		return -1;
	rc = store_settle_edition(
	    store, e->period, e->reader, EDITION_DEFERRED, e->reply, c->now_utc, c->now_utc, err);
	return store_end(store, rc, false, err);
}

/* It waits until its reader's pause is over, as if it had not been leased. */
static int
free_again(struct courier *c, const struct edition *e, struct error *err)
{
	struct store *store = c->run->store;

	if (store_begin(store, err) == -1)
		return -1;
	return store_end(
	    store, store_free_edition(store, e->period, e->reader, c->now_utc, err), false, err);
}

/* One deferred edition into the batch, from the papers as they were then. */
static int
retry_one(struct courier *c, struct lane *l, const struct edition *e, struct error *err)
{
	struct composed *mail = &at_hand(l)->mails[at_hand(l)->n];

	composed_init(mail);
	mail->edition = *e;
	mail->due.due_utc = e->composed_utc; /* it was due by then */
	if (store_load_reader(c->run->store, e->reader, &l->arena, &mail->reader, err) != 1)
		return -1;
	if (due_is_paused(c->run, mail->reader, c->now_utc)) {
		composed_release(mail);
		return free_again(c, e, err);
	}
	if (composer_prepare(c->composer, mail, &l->arena, err) == -1 ||
	    compose_again(c, l, e, mail, err) == -1) {
		courier_note_broken(c, mail->reader, err->msg);
		composed_release(mail);
		return put_back(c, e, err);
	}
	if (memcmp(e->hash, mail->edition.hash, sizeof(e->hash)) != 0) {
		int rc = note_other_bytes(c, l, e, mail, err);

		if (rc != 0) {
			composed_release(mail);
			return rc == 1 ? 0 : -1;
		}
	}
	at_hand(l)->n++;
	return 0;
}

/* Whether a lane has more of them. */
static bool
has_retry(const struct courier *c, struct lane *l)
{
	const unsigned number = (unsigned)(l - c->lanes);

	while (l->next_retry < c->nretries && c->retries[l->next_retry].lane != number)
		l->next_retry++;
	return l->next_retry < c->nretries;
}

/* Lease the next editions that were deferred and are due again, in one transaction. */
static int
lease_retries(struct courier *c, struct lane *l, struct edition **out, size_t *n, struct error *err)
{
	struct store *store = c->run->store;
	size_t max = choose_size(c, l);
	int found = 0;

	*n = 0;
	if (store_begin(store, err) == -1)
		return -1;
	while (*n < max && found != -1 && has_retry(c, l)) {
		const struct retry *r = &c->retries[l->next_retry++];

		found = store_lease_due(store, r->period, r->reader, &l->arena, &out[*n], err);
		*n += found == 1;
	}
	if (found != -1)
		found = save_limit(c, l, *n, err);
	return store_end(store, found == -1 ? -1 : 0, true, err);
}

/* Mail of earlier runs that was deferred, or that a killed run left behind, and is due again. */
static int
retry_batch(struct courier *c, struct lane *l, struct error *err)
{
	struct edition *leased[BATCH_MAILS];
	size_t n;

	empty_stock(at_hand(l));
	arena_reset(&l->arena);
	l->rehashed = false;
	if (lease_retries(c, l, leased, &n, err) == -1)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (retry_one(c, l, leased[i], err) == -1)
			return -1;
	/* New bytes that leave must be known to whoever sends a second copy, also after a power loss. */
	if (l->rehashed &&
	    (store_begin(c->run->store, err) == -1 || store_commit(c->run->store, true, err) == -1))
		return -1;
	return reserve_room(c, err);
}

/* ---- one mail after the other ---- */

/* In a preview each mail says which way it would go. */
static void
describe_way(const struct courier *c, const struct lane *l, const struct composed *mail,
    char out[LANE_VIA_SIZE])
{
	int way = l->smtp == NULL ? routes_find(&c->routes, mail->to.canonical) : -1;

	if (way >= 0)
		sinks_describe(&c->run->cfg->smtps[way], out, LANE_VIA_SIZE);
	else
		snprintf(out, LANE_VIA_SIZE, "%s", l->via);
}

/* Whoever looks at mails gets their parts as they are read. */
static int
show_mail(struct courier *c, const struct lane *l, struct composed *mail, struct error *err)
{
	char via[LANE_VIA_SIZE];
	struct rendered read;
	const struct run_mail shown = { mail->reader, &mail->edition, &mail->view, &read,
		&mail->bytes, mail->due.due_utc, via, mail->period };
	int rc;

	if (c->options->on_mail == NULL)
		return 0;
	describe_way(c, l, mail, via);
	rendered_init(&read);
	read.html.max_bytes = mail->rendered.html.max_bytes;
	strbuf_add(&read.subject, mail->rendered.subject.buf);
	qp_add_decoded(&read.html, mail->rendered.html.buf, mail->rendered.html.len);
	qp_add_decoded(&read.text, mail->rendered.text.buf, mail->rendered.text.len);
	rc = strbuf_check(&read.html, err) == -1 || strbuf_check(&read.text, err) == -1
	    ? -1
	    : c->options->on_mail(c->options->arg, &shown, err);
	rendered_release(&read);
	return rc;
}

/* 1 = out is filled, 0 = this one is not mailed. */
static int
hand_out(struct courier *c, struct lane *l, struct composed *mail, struct delivery *out,
    struct error *err)
{
	if (mail->edition.state == EDITION_EMPTY) {
		c->report->nempty++;
		return courier_skip(c, mail->reader, SKIP_EMPTY, 0, err);
	}
	if (mail->edition.state == EDITION_FAILED)
		return courier_skip(c, mail->reader, SKIP_SUPPRESSED, 0, err);
	if (!courier_is_wanted(c, mail->edition.period, mail->edition.reader))
		return 0;
	out->period = mail->edition.period;
	out->reader = mail->edition.reader;
	snprintf(out->sender, sizeof(out->sender), "%s", mail->sender);
	snprintf(out->to, sizeof(out->to), "%s", mail->to.mailbox);
	out->needs_smtputf8 = mail->to.needs_smtputf8;
	if (show_mail(c, l, mail, err) == -1)
		return -1;
	/* The bytes go on to the sink as they are, and its empty buffer comes back. */
	strbuf_swap(&out->bytes, &mail->bytes);
	return 1;
}

size_t
lane_count_left(const struct courier *c, const struct lane *l)
{
	const unsigned number = (unsigned)(l - c->lanes);
	size_t n = l->nmaking + l->end_turn - l->next_turn;

	for (int i = 0; i < 2; i++)
		n += l->stocks[i].n - l->stocks[i].next;
	for (size_t i = l->next_retry; i < c->nretries; i++)
		n += c->retries[i].lane == number;
	return n;
}

int
lane_next(struct courier *c, struct lane *l, struct delivery *out, struct error *err)
{
	int rc;

	while (!courier_must_stop(c)) {
		struct stock *s = at_hand(l);
		bool ready = s->next < s->n, again = has_retry(c, l);

		if (!ready && !again && l->nmaking == 0 && !l->leased &&
		    l->next_turn == l->end_turn)
			return QUEUE_EMPTY;
		if ((rc = ask_limit(c, l, &out->again_ms)) != QUEUE_MAIL)
			return rc;
		if (!ready) {
			rc = again ? locked(retry_batch, c, l, err) : next_stock(c, l, err);
			if (rc == -1)
				return -1;
			continue;
		}
		if (may_finish_stock(l) && finish_stock(c, l, err) == -1)
			return -1;
		rc = hand_out(c, l, &s->mails[s->next++], out, err);
		if (rc == 1)
			limit_take(&l->limit, now_us(c));
		if (rc != 0)
			return rc;
	}
	return QUEUE_EMPTY;
}

int
lane_init(struct courier *c, struct lane *l, const struct config_smtp *smtp, struct error *err)
{
	l->smtp = smtp;
	arena_init(&l->arena, MAX_RUN_BYTES);
	if (smtp == NULL)
		return 0;
	sinks_describe(smtp, l->via, sizeof(l->via));
	return lane_load_limit(c->run, l->smtp, now_us(c), &l->limit, err);
}

/* What was leased and not handed out certainly stayed here. */
static int
free_leases(struct courier *c, struct stock *s, struct error *err)
{
	int rc = 0;

	for (; rc == 0 && s->next < s->n; s->next++) {
		const struct edition *e = &s->mails[s->next].edition;

		if (e->state == EDITION_LEASED)
			rc = store_free_edition(
			    c->run->store, e->period, e->reader, c->now_utc, err);
	}
	return rc;
}

int
lane_close(struct courier *c, struct lane *l, struct error *err)
{
	int rc = 0;

	wait_for_batch(c);
	if (!limit_is_set(&l->limit) && l->stocks[0].next == l->stocks[0].n &&
	    l->stocks[1].next == l->stocks[1].n)
		return 0;
	if (store_begin(c->run->store, err) == -1)
		return -1;
	for (int i = 0; rc == 0 && i < 2; i++)
		rc = free_leases(c, &l->stocks[i], err);
	if (rc == 0)
		rc = save_limit(c, l, 0, err);
	return store_end(c->run->store, rc, false, err);
}

void
lane_release(struct lane *l)
{
	for (int i = 0; i < 2; i++) {
		empty_stock(&l->stocks[i]);
		batch_free(l->stocks[i].batch);
	}
	arena_release(&l->arena);
}
