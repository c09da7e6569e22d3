#include "stages.h"
#include "digest/limits.h"

#include <stdio.h>
#include <string.h>

/* What keeps all mail back stands in the store, so that a running process sees it. */
const char run_hold_words[] = "all mail is on hold; 'digest outbox release --all' ends that";
static const char hold_note[] = "hold-all";
/* A mail that a person held says so before what the relay had said. */
static const char by_hand[] = "held by hand";

int
run_hold_all(struct run *run, bool hold, struct error *err)
{
	char since[DATE_RFC3339_SIZE] = "";

	if (hold)
		date_format_rfc3339(clock_now_utc(&run->clock), since);
	if (store_begin(run->store, err) == -1)
		return -1;
	return store_end(run->store, store_set_note(run->store, hold_note, since, err), true, err);
}

int
run_find_hold(struct run *run, int64_t *since_utc, struct error *err)
{
	const char *text;
	struct arena a;
	int rc;

	arena_init(&a, MAX_READER_BYTES);
	rc = store_get_note(run->store, hold_note, &a, &text, err);
	if (rc == 0 && text[0] != '\0') {
		rc = 1;
		if (date_parse(text, since_utc, NULL) == -1)
			*since_utc = 0;
	}
	arena_release(&a);
	return rc;
}

/* One walk over what is not settled; address and period may be NULL for all. */
struct walk {
	struct run *run;
	const char *canonical, *period;
	enum run_outbox_verb verb;
	int (*visit)(void *arg, const struct run_unsettled *mail);
	void *arg;
	struct run_outbox_counts *counts;
	int64_t now_utc;
	struct arena arena; /* of one edition */
	struct error *err;
};

/* The edition with its reader's address; 1 = it is meant. */
static int
look_up(struct walk *w, const struct edition *e, struct run_unsettled *out)
{
	struct store_reader *reader;
	int found;

	arena_reset(&w->arena);
	found = store_load_reader(w->run->store, e->reader, &w->arena, &reader, w->err);
	if (found == -1)
		return -1;
	out->edition = e;
	out->address = found == 1 ? reader->sub.address : "";
	period_format(e->period, out->period);
	if (w->canonical != NULL &&
	    (found == 0 || strcmp(w->canonical, reader->sub.canonical) != 0))
		return 0;
	return w->period == NULL || strcmp(w->period, out->period) == 0;
}

static int
show_one(void *arg, const struct edition *e)
{
	struct walk *w = arg;
	struct run_unsettled mail;
	int rc = look_up(w, e, &mail);

	return rc == 1 ? w->visit(w->arg, &mail) : rc;
}

int
run_each_unsettled(struct run *run, int (*visit)(void *arg, const struct run_unsettled *mail),
    void *arg, struct error *err)
{
	struct walk w = { .run = run, .visit = visit, .arg = arg, .err = err };
	int rc;

	arena_init(&w.arena, MAX_READER_BYTES);
	rc = store_each_unsettled(run->store, show_one, &w, err);
	arena_release(&w.arena);
	return rc;
}

bool
outbox_is_by_hand(const struct edition *e)
{
	return e->state == EDITION_HELD && strncmp(e->reply, by_hand, sizeof(by_hand) - 1) == 0;
}

/* What the relay had said before a person held it. */
static const char *
reply_before(const struct edition *e)
{
	const char *rest = e->reply + sizeof(by_hand) - 1;

	if (!outbox_is_by_hand(e))
		return e->reply;
	return strncmp(rest, ": ", 2) == 0 ? rest + 2 : rest;
}

/* Whether the verb touches an edition in this state. What a person held, or must decide on, moves only when it is meant:
 * released, or its reader named. */
static bool
applies(const struct walk *w, const struct edition *e)
{
	bool named = w->canonical != NULL;

	switch (e->state) {
	case EDITION_DEFERRED:
		return w->verb != OUTBOX_RELEASE;
	case EDITION_UNKNOWN:
		return w->verb == OUTBOX_HOLD || w->verb == OUTBOX_DROP ||
		    (w->verb == OUTBOX_RETRY && named);
	case EDITION_HELD:
		if (w->verb == OUTBOX_HOLD)
			return false;
		return named || w->verb == OUTBOX_DROP ||
		    (w->verb == OUTBOX_RELEASE && outbox_is_by_hand(e));
	default:
		return false;
	}
}

static int
hold_one(struct walk *w, const struct edition *e, struct error *err)
{
	char reply[sizeof(e->reply) + 32];

	snprintf(
	    reply, sizeof(reply), "%s%s%s", by_hand, e->reply[0] != '\0' ? ": " : "", e->reply);
	return store_settle_edition(
	    w->run->store, e->period, e->reader, EDITION_HELD, reply, w->now_utc, 0, err);
}

static int
apply(struct walk *w, const struct edition *e, struct error *err)
{
	struct store *store = w->run->store;

	if (w->verb == OUTBOX_HOLD)
		return hold_one(w, e, err);
	if (w->verb == OUTBOX_DROP)
		return store_drop_edition(store, e->period, e->reader, "dropped by hand", err);
	return store_retry_edition(store, e->period, e->reader, reply_before(e), w->now_utc, err);
}

static int
change_one(void *arg, const struct edition *e)
{
	struct walk *w = arg;
	struct run_unsettled mail;
	struct error fault = { 0 };
	int rc = look_up(w, e, &mail);

	if (rc != 1)
		return rc;
	if (!applies(w, e)) {
		w->counts->nleft++;
		w->counts->nbusy += e->state == EDITION_LEASED || e->state == EDITION_INTENT;
		return 0;
	}
	if (apply(w, e, &fault) == 0) {
		w->counts->nchanged++;
		return 0;
	}
	if (fault.kind != ERR_TEMP) {
		*w->err = fault;
		return -1;
	}
	log_warn(w->run->log, "%s: digest of %s: %s", mail.address, mail.period, fault.msg);
	w->counts->nleft++;
	return 0;
}

int
run_change_outbox(struct run *run, enum run_outbox_verb verb, const char *address,
    const char *period, struct run_outbox_counts *counts, struct error *err)
{
	struct walk w = {
		.run = run, .period = period, .verb = verb, .counts = counts, .err = err
	};
	struct arena a;
	int rc = -1;

	memset(counts, 0, sizeof(*counts));
	w.now_utc = clock_now_utc(&run->clock);
	arena_init(&a, MAX_READER_BYTES);
	arena_init(&w.arena, MAX_READER_BYTES);
	if ((address == NULL || run_canonical(address, &a, &w.canonical, err) == 0) &&
	    store_begin(run->store, err) == 0)
		rc = store_end(
		    run->store, store_each_unsettled(run->store, change_one, &w, err), true, err);
	arena_release(&w.arena);
	arena_release(&a);
	return rc;
}

/* ---- what was ---- */

int
run_load_history(struct run *run, const char *address, size_t max, struct arena *a,
    struct run_past **out, size_t *n, struct error *err)
{
	struct edition *editions;
	struct store_reader *reader = NULL;
	struct run_past *rows;
	const char *canonical;
	int found = 1;

	if (address != NULL) {
		if (run_canonical(address, a, &canonical, err) == -1 ||
		    (found = store_find_reader(run->store, canonical, a, &reader, err)) == -1)
			return -1;
		if (found == 0)
			return err_set(err, ERR_USAGE,
			    "%s is not a reader; 'digest subscribers' lists them", canonical);
	}
	if (store_load_editions(
		run->store, reader != NULL ? reader->sub.id : 0, max, a, &editions, n, err) == -1)
		return -1;
	if ((rows = arena_array(a, *n, sizeof(*rows))) == NULL)
		return err_nomem(err, "history");
	for (size_t i = 0; i < *n; i++) {
		found = store_load_reader(run->store, editions[i].reader, a, &reader, err);
		if (found == -1)
			return -1;
		rows[i].edition = &editions[i];
		rows[i].address = found == 1 ? reader->sub.address : "";
		period_format(editions[i].period, rows[i].period);
		for (size_t j = 0; j < editions[i].npicks; j++)
			rows[i].nshown += !editions[i].picks[j].cut &&
			    editions[i].picks[j].section != SECTION_UPDATES;
	}
	*out = rows;
	return 0;
}
