/* Mail to list.operator: what came up that a person must see to, once, and when it is over. What was told stands in the store;
 * it is written when the mail is out, so that what could not be told is told by the next run. No edition, in no count; a
 * mail of this kind that is refused makes no other. */
#include "run/returns.h"
#include "run/routes.h"
#include "digest/limits.h"
#include "digest/qp.h"

#include <ctype.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
	MAX_TROUBLES = 64, /* in one mail */
	MAX_TOLD = 256,	   /* remembered; what came up longest ago stays */
	MAX_NOTE_BYTES = 32 * 1024,
	MAX_MAIL_BYTES = 64 * 1024,
	SILENT_S = 3 * 86400, /* a source that is away for less comes back by itself, mostly */
	LEAST_ROOM_MB = 100,  /* some ten thousand digests of a day */
	LONGEST_MS = 2 * 60 * 1000, /* such a mail may take, after a run */
};

const char operator_told_note[] = "operator-told";

/* One thing, by a key that stays while it lasts: "held", "account main". */
struct trouble {
	char key[128];
	size_t n;	 /* how many of it; told again when they become more */
	char text[1024]; /* what it is, and what cures it; of what was told "" */
	bool once;	 /* it happened, and cannot be over */
};

struct letter {
	struct run *run;
	const struct run_report *report;
	const struct store_sync_counts *readers;
	int64_t now_utc;
	struct trouble *now;  /* MAX_TROUBLES */
	struct trouble *told; /* MAX_TOLD; that last */
	struct trouble *over; /* MAX_TOLD; that were told and are over */
	size_t nnow, ntold, nover;
	size_t nfresh; /* of now, not told yet */
	struct arena arena;
};

__attribute__((format(printf, 4, 5))) static void
add_trouble(struct letter *l, const char *key, size_t n, const char *fmt, ...)
{
	struct trouble *t = &l->now[l->nnow];
	char text[sizeof(t->text)];
	va_list ap;

	if (n == 0 || l->nnow == MAX_TROUBLES)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	snprintf(t->key, sizeof(t->key), "%s", key);
	log_shorten(t->text, sizeof(t->text), text);
	t->n = n;
	t->once = false;
	l->nnow++;
}

/* ---- what there is to tell ---- */

static void
find_stops(struct letter *l)
{
	char key[sizeof(l->now->key)];

	for (size_t i = 0; i < l->report->nstops; i++) {
		const struct run_stop *s = &l->report->stops[i];

		snprintf(key, sizeof(key), "account %s", s->account);
		add_trouble(l, key, 1, "No mail leaves by %s: %s", s->account, s->message);
	}
}

static int
find_refusals(struct letter *l, struct error *err)
{
	size_t n = l->report->nfailed < RUN_MAX_REFUSED ? l->report->nfailed : RUN_MAX_REFUSED;
	struct store_reader *reader;
	char key[sizeof(l->now->key)];

	for (size_t i = 0; i < n; i++) {
		const struct run_refusal *r = &l->report->refusals[i];
		bool ours = smtp_judge(r->reply, true).blame == BLAME_OURS;
		int found = store_load_reader(l->run->store, r->reader, &l->arena, &reader, err);

		if (found == -1)
			return -1;
		if (found == 0)
			continue;
		snprintf(key, sizeof(key), "refused %lld", (long long)r->reader);
		add_trouble(l, key, 1, "Mail to %s is refused for good%s: %s", reader->sub.address,
		    ours ? ", by a fault of ours" : "",
		    report_hide_name(reader, r->reply, &l->arena));
	}
	if (l->report->nfailed > n && l->nnow < MAX_TROUBLES) {
		add_trouble(l, "refused", 1, "Mail to %zu more is refused for good.",
		    l->report->nfailed - n);
		l->now[l->nnow - 1].once = true;
	}
	return 0;
}

struct held {
	size_t n;
	int64_t first; /* reader of the first */
};

static int
count_held(void *arg, const struct edition *e)
{
	struct held *h = arg;

	/* What a person held by hand they know of. */
	if (e->state != EDITION_HELD || outbox_is_by_hand(e))
		return 0;
	if (h->n++ == 0)
		h->first = e->reader;
	return 0;
}

static int
find_held(struct letter *l, struct error *err)
{
	struct store_reader *reader;
	struct held held = { 0 };
	int found;

	if (store_each_unsettled(l->run->store, count_held, &held, err) == -1)
		return -1;
	if (held.n == 0)
		return 0;
	found = store_load_reader(l->run->store, held.first, &l->arena, &reader, err);
	add_trouble(l, "held", held.n,
	    "%zu mail%s may have arrived or not and wait%s for a word of yours, the first to %s: "
	    "'digest outbox' lists them, 'outbox release ADDRESS' sends one again, 'outbox drop "
	    "ADDRESS' gives it up.",
	    held.n, held.n == 1 ? "" : "s", held.n == 1 ? "s" : "",
	    found == 1 ? reader->sub.address : "somebody");
	return found == -1 ? -1 : 0;
}

static void
find_silent(struct letter *l)
{
	const struct config *cfg = l->run->cfg;
	char key[sizeof(l->now->key)];

	for (size_t i = 0; l->report->silences != NULL && i < cfg->nsources; i++) {
		const struct source_silence *s = &l->report->silences[i];
		bool away = s->why >= SILENCE_DOWN && s->why <= SILENCE_SHAPE;

		if (!(away && l->now_utc - s->since_utc >= SILENT_S) && s->why != SILENCE_STALE)
			continue;
		snprintf(key, sizeof(key), "source %s", cfg->sources[i].name);
		add_trouble(l, key, 1, "%s; 'digest status sources' tells more.", s->text);
	}
}

static void
find_room(struct letter *l)
{
	const char *path = l->run->cfg->store.path;
	struct statvfs fs;
	uint64_t mb;

	if (statvfs(path, &fs) == -1)
		return;
	mb = (uint64_t)fs.f_bavail * fs.f_frsize / 1000000;
	if (mb < LEAST_ROOM_MB)
		add_trouble(l, "disk", 1,
		    "Only %llu MB are free for the store %s; make room, without it no mail leaves.",
		    (unsigned long long)mb, path);
}

/* What came back: what says nothing of readers says something of us. */
static int
find_returned(struct letter *l, struct error *err)
{
	struct run_inbox_state s;

	if (run_load_inbox_state(l->run, &l->arena, &s, err) == -1)
		return -1;
	add_trouble(l, "frozen", s.frozen_since_utc != 0, "%s.", s.frozen);
	add_trouble(l, "policy", s.npolicy,
	    "%zu digest%s of the last two days came back for who we are or what we send, which no "
	    "reader "
	    "can help: %s",
	    s.npolicy, s.npolicy == 1 ? "" : "s", s.policy);
	add_trouble(l, "ours", s.nours,
	    "%zu digest%s of the last two days came back as too large or not understood, which is "
	    "a fault of "
	    "ours: %s",
	    s.nours, s.nours == 1 ? "" : "s", s.policy);
	for (size_t i = 0; i < s.nrefusing; i++) {
		char key[sizeof(l->now->key)], text[700];

		snprintf(key, sizeof(key), "refusing %.100s", s.refusing[i].domain);
		refusing_describe(&s.refusing[i], text, sizeof(text));
		add_trouble(l, key, 1, "%c%s.", toupper((unsigned char)text[0]), text + 1);
	}
	add_trouble(l, "mailbox",
	    run_has_inbox(l->run) && s.failing_since_utc != 0 &&
		(s.needs_person || l->now_utc - s.failing_since_utc >= SILENT_S),
	    "The mailbox is not read: %s", s.trouble);
	return 0;
}

static int
find_troubles(struct letter *l, struct error *err)
{
	const struct run_report *r = l->report;
	const size_t nerrors = l->run->cfg->nreader_errors, nwayless = r->skips[SKIP_NO_WAY];
	const size_t nvanished = l->readers->nvanished;
	const char *broken;

	find_stops(l);
	if (find_refusals(l, err) == -1 || find_held(l, err) == -1 || find_returned(l, err) == -1 ||
	    store_get_note(l->run->store, status_broken_note, &l->arena, &broken, err) == -1)
		return -1;
	find_silent(l);
	find_room(l);
	add_trouble(l, "broken", broken[0] != '\0', "%s.", broken);
	add_trouble(l, "config", nerrors,
	    "%zu reader%s an error in the configuration and %s served by the last good version: "
	    "'digest check' says where.",
	    nerrors, nerrors == 1 ? " has" : "s have", nerrors == 1 ? "is" : "are");
	add_trouble(l, "zone", l->run->cfg->lost_zone != NULL,
	    "This machine does not have the time zone of the defaults (any more); another stands "
	    "in for it: 'digest "
	    "check' says where.");
	add_trouble(l, "no-way", nwayless,
	    "%zu reader%s no mail, as no smtp block takes their domain: 'digest check' names the "
	    "first; put it, or \"*\", into the domains of one.",
	    nwayless, nwayless == 1 ? " gets" : "s get");
	add_trouble(l, "vanished", l->readers->held_back ? nvanished : 0,
	    "%zu reader%s gone from the configuration and get%s no mail, but nobody was removed: "
	    "run once with --accept-removals if that is meant.",
	    nvanished, nvanished == 1 ? " is" : "s are", nvanished == 1 ? "s" : "");
	if (r->nexpired > 0 && l->nnow < MAX_TROUBLES) {
		add_trouble(l, "expired", r->nexpired,
		    "%zu mail%s could not leave in time (delivery.max-age); the papers come with "
		    "the next digest.",
		    r->nexpired, r->nexpired == 1 ? "" : "s");
		l->now[l->nnow - 1].once = true;
	}
	return 0;
}

/* ---- what was told ---- */

static struct trouble *
find_key(struct trouble *list, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].key, key) == 0)
			return &list[i];
	return NULL;
}

/* Lines of a number and a key. */
static int
read_told(struct letter *l, struct error *err)
{
	const char *line;

	if (store_get_note(l->run->store, operator_told_note, &l->arena, &line, err) == -1)
		return -1;
	while (*line != '\0' && l->ntold < MAX_TOLD) {
		struct trouble *t = &l->told[l->ntold];
		size_t len = strcspn(line, "\n");
		char *end;

		t->n = strtoul(line, &end, 10);
		if (*end == ' ' && len > (size_t)(end - line) &&
		    len - (size_t)(end - line) <= sizeof(t->key)) {
			snprintf(t->key, sizeof(t->key), "%.*s",
			    (int)(len - (size_t)(end + 1 - line)), end + 1);
			l->ntold++;
		}
		line += len + (line[len] == '\n');
	}
	return 0;
}

static int
write_told(const struct letter *l, struct error *err)
{
	struct strbuf note;
	int rc;

	strbuf_init(&note, MAX_NOTE_BYTES);
	for (size_t i = 0; i < l->ntold; i++)
		strbuf_addf(&note, "%zu %s\n", l->told[i].n, l->told[i].key);
	rc = strbuf_check(&note, err);
	if (rc == 0 && (rc = store_begin(l->run->store, err)) == 0)
		rc = store_end(l->run->store,
		    store_set_note(l->run->store, operator_told_note, note.buf, err), false, err);
	strbuf_release(&note);
	return rc;
}

/* Whether a refusal is over: the reader's newest digest arrived. Of one who is gone nobody wants to hear. */
static int
is_served(struct letter *l, int64_t reader, bool *gone, struct error *err)
{
	struct store_reader *found;
	struct edition *last;
	size_t n;
	int rc = store_load_reader(l->run->store, reader, &l->arena, &found, err);

	*gone = rc == 0 || (rc == 1 && (found->state == READER_ENDED || found->suppressed));
	if (rc != 1)
		return rc;
	if (store_load_editions(l->run->store, reader, 1, &l->arena, &last, &n, err) == -1)
		return -1;
	return n == 1 && last->state == EDITION_SENT;
}

static bool
was_opened(const struct run_report *r, const char *account)
{
	for (size_t i = 0; i < r->nopened; i++)
		if (strcmp(r->opened[i], account) == 0)
			return true;
	return false;
}

/*
 * What is not so now is over, but of a way out only once it was tried, and of a refusal once a digest arrived. What no longer
 * concerns anybody is forgotten without a word. 1 = over, 0 = not, -1.
 */
static int
is_over(struct letter *l, const struct trouble *t, bool *gone, struct error *err)
{
	static const char refused[] = "refused ", account[] = "account ";

	*gone = false;
	if (find_key(l->now, l->nnow, t->key) != NULL)
		return 0;
	if (strncmp(t->key, refused, sizeof(refused) - 1) == 0)
		return is_served(l, strtoll(t->key + sizeof(refused) - 1, NULL, 10), gone, err);
	if (strncmp(t->key, account, sizeof(account) - 1) == 0)
		return was_opened(l->report, t->key + sizeof(account) - 1);
	return 1;
}

/* Part what was told into what lasts, what is over, and what concerns nobody any more, which is forgotten. */
static int
sort_told(struct letter *l, struct error *err)
{
	size_t nleft = 0;

	for (size_t i = 0; i < l->ntold; i++) {
		bool gone;
		int over = is_over(l, &l->told[i], &gone, err);

		if (over == -1)
			return -1;
		if (over == 1)
			l->over[l->nover++] = l->told[i];
		else if (!gone)
			l->told[nleft++] = l->told[i];
	}
	l->ntold = nleft;
	return 0;
}

static bool
is_fresh(const struct letter *l, const struct trouble *t)
{
	const struct trouble *told = find_key(l->told, l->ntold, t->key);

	return t->once || told == NULL || t->n > told->n;
}

/* The mail is out. */
static void
note_told(struct letter *l)
{
	for (size_t i = 0; i < l->nnow; i++) {
		struct trouble *told = find_key(l->told, l->ntold, l->now[i].key);

		if (l->now[i].once)
			continue;
		if (told != NULL)
			told->n = l->now[i].n;
		else if (l->ntold < MAX_TOLD)
			l->told[l->ntold++] = l->now[i];
	}
}

/* ---- the mail ---- */

/* What stands behind a kind: the way out, the domain, the source; of a refusal the reader by number. "" = nothing does. */
static const char *
name_of(struct letter *l, const struct trouble *t)
{
	const char *name = t->key + strcspn(t->key, " ");
	char address[MAX_ADDRESS_BYTES + 8] = "";
	struct store_reader *reader;

	if (*name == ' ')
		name++;
	if (strncmp(t->key, "refused ", 8) != 0)
		return name;
	if (store_load_reader(l->run->store, strtoll(name, NULL, 10), &l->arena, &reader, NULL) ==
	    1)
		log_shorten(address, sizeof(address), reader->sub.address);
	name = arena_strdup(&l->arena, address);
	return name != NULL ? name : "";
}

/* "held" and "refused 17" in words: of each kind that lasts, so that a letter never says that nothing is over. */
static void
add_over(struct letter *l, const struct trouble *t, struct strbuf *out)
{
	static const struct {
		const char *kind, *before, *after; /* the name */
	} rows[] = {
		{ "account", "Mail leaves by ", " again." },
		{ "broken", "All digests can be made again.", "" },
		{ "config", "No reader has an error in the configuration any more.", "" },
		{ "disk", "The disk has room again.", "" },
		{ "frozen", "Bounces are scored again.", "" },
		{ "held", "No mail waits for your word any more.", "" },
		{ "mailbox", "The mailbox is read again.", "" },
		{ "no-way", "Every reader's domain is taken by an smtp block again.", "" },
		{ "ours", "No digest of the last two days came back by a fault of ours.", "" },
		{ "policy", "No digest of the last two days came back for who we are.", "" },
		{ "refused", "Mail to ", " arrives again." },
		{ "refusing", "Mail leaves for ", " again." },
		{ "source", "The source ", " is back." },
		{ "vanished", "No reader is missing in the configuration any more.", "" },
		{ "zone", "This machine has the time zone of the defaults again.", "" },
	};
	const size_t len = strcspn(t->key, " ");

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strlen(rows[i].kind) == len && strncmp(rows[i].kind, t->key, len) == 0)
			strbuf_addf(
			    out, "- %s%s%s\n", rows[i].before, name_of(l, t), rows[i].after);
}

static void
write_text(struct letter *l, struct strbuf *out)
{
	char host[HOST_NAME_MAX + 1] = "", wall[64];

	gethostname(host, sizeof(host) - 1);
	run_format_wall(l->run, "", l->now_utc, wall, sizeof(wall));
	strbuf_addf(out, "digest on %s with %s, run of %s.\n", host, l->run->cfg->path, wall);
	if (l->nfresh > 0)
		strbuf_add(out, "\nThis needs a person:\n\n");
	for (size_t i = 0; i < l->nnow; i++)
		if (is_fresh(l, &l->now[i]))
			strbuf_addf(out, "- %s\n", l->now[i].text);
	if (l->nover > 0)
		strbuf_add(out, "\nThis is over:\n\n");
	for (size_t i = 0; i < l->nover; i++)
		add_over(l, &l->over[i], out);
	if (l->nnow > l->nfresh)
		strbuf_addf(out, "\n%zu more of which you were told before %s on.\n",
		    l->nnow - l->nfresh, l->nnow - l->nfresh == 1 ? "goes" : "go");
	strbuf_add(out,
	    "\n'digest status' shows how things stand, 'digest outbox' and 'digest history' whose\n"
	    "mail it is. You are told of each thing once, and when it is over.\n");
}

static int
compose(struct letter *l, const struct address *from, const struct address *to, struct strbuf *out,
    struct error *err)
{
	const struct config *cfg = l->run->cfg;
	char id[MESSAGE_ID_SIZE], what[64], subject[200];
	struct strbuf text, encoded;
	struct message m;
	int rc;

	snprintf(
	    what, sizeof(what), "operator %lld %lld", (long long)l->now_utc, (long long)getpid());
	m = errand_message(cfg, from, to, what, l->now_utc, id);
	m.subject = subject;
	if (l->nfresh > 0)
		snprintf(subject, sizeof(subject), "%.100s: %zu thing%s need%s a person",
		    cfg->list.name, l->nfresh, l->nfresh == 1 ? "" : "s",
		    l->nfresh == 1 ? "s" : "");
	else
		snprintf(subject, sizeof(subject), "%.100s: %zu thing%s over", cfg->list.name,
		    l->nover, l->nover == 1 ? " is" : "s are");
	strbuf_init(&text, MAX_MAIL_BYTES);
	strbuf_init(&encoded, 4 * MAX_MAIL_BYTES);
	write_text(l, &text);
	qp_add_text(&encoded, text.buf, text.len);
	rc = strbuf_check(&text, err) == -1 ? -1 : strbuf_check(&encoded, err);
	m.text = encoded.buf;
	if (rc == 0)
		rc = message_add(out, &m, err);
	strbuf_release(&text);
	strbuf_release(&encoded);
	return rc;
}

/* ---- on its way ---- */

/* By one way out. True when no other one is to be tried: it is out, or may be, or will never be. */
static bool
send_by(struct errand *e, unsigned lane)
{
	errand_send(e, lane, NULL);
	return e->settled && e->result.outcome != OUTCOME_DEFERRED;
}

static bool
is_stopped(const struct run_report *r, const char *account)
{
	for (size_t i = 0; i < r->nstops; i++)
		if (strcmp(r->stops[i].account, account) == 0)
			return true;
	return false;
}

/* First the way that the operator's domain has, then any that works. 1 = done with, 0 = by none now. */
static int
send_letter(struct letter *l, struct errand *e, struct error *err)
{
	const struct config *cfg = l->run->cfg;
	struct routes routes;
	int first;

	if (routes_init(&routes, cfg, err) == -1)
		return -1;
	first = routes_find(&routes, e->to->canonical);
	routes_release(&routes);
	for (int i = -1; i < (int)cfg->nsmtps; i++) {
		int lane = i == -1 ? first : i;

		if (lane < 0 || (i != -1 && i == first) ||
		    is_stopped(l->report, cfg->smtps[lane].name) || errand_must_stop(e))
			continue;
		if (send_by(e, (unsigned)lane))
			return 1;
	}
	return 0;
}

static int
write_letter(struct letter *l, struct error *err)
{
	const struct config *cfg = l->run->cfg;
	const char *bounce = cfg->list.bounce_address;
	struct address from, envelope, to;
	struct strbuf bytes;
	struct errand e = { .run = l->run, .to = &to, .bytes = &bytes };
	int rc = -1;

	e.until_ms = clock_monotonic_ms() + LONGEST_MS;
	strbuf_init(&bytes, MAX_MESSAGE_BYTES);
	if (address_parse(cfg->list.operator, & l->arena, &to, NULL, err) == 0 &&
	    run_read_from(cfg, &l->arena, &from, err) == 0 &&
	    address_parse(bounce[0] != '\0' ? bounce : cfg->list.from, &l->arena, &envelope, NULL,
		err) == 0 &&
	    compose(l, &from, &to, &bytes, err) == 0) {
		e.sender = envelope.mailbox;
		rc = send_letter(l, &e, err);
	}
	strbuf_release(&bytes);
	if (rc == 1 && e.result.outcome == OUTCOME_FAILED)
		log_error(l->run->log, "mail to list.operator is refused: %s", e.result.reply);
	else if (rc == 0)
		log_warn(l->run->log, "list.operator could not be told; the next run tries again");
	return rc;
}

static int
tell(struct letter *l, struct error *err)
{
	int sent = 0;

	l->now = arena_array(&l->arena, MAX_TROUBLES, sizeof(*l->now));
	l->told = arena_array(&l->arena, MAX_TOLD, sizeof(*l->told));
	l->over = arena_array(&l->arena, MAX_TOLD, sizeof(*l->over));
	if (l->now == NULL || l->told == NULL || l->over == NULL)
		return err_nomem(err, "mail to the operator");
	if (find_troubles(l, err) == -1 || read_told(l, err) == -1 || sort_told(l, err) == -1)
		return -1;
	for (size_t i = 0; i < l->nnow; i++)
		l->nfresh += is_fresh(l, &l->now[i]);
	if (l->nfresh + l->nover == 0)
		return 0;
	if ((sent = write_letter(l, err)) != 1)
		return sent;
	note_told(l);
	return write_told(l, err);
}

int
operator_tell(struct run *run, const struct run_options *options,
    const struct store_sync_counts *readers, const struct run_report *report, struct error *err)
{
	struct letter l = { .run = run, .report = report, .readers = readers };
	int64_t since_utc;
	int held, rc;

	/* Somebody who runs it for some readers is there and reads; the brake is for all mail. */
	if (run->cfg->list.operator[0] == '\0' || options->preview || !options->deliver ||
	    options->nusers> 0)
		return 0;
	if ((held = run_find_hold(run, &since_utc, err)) != 0)
		return held == 1 ? 0 : -1;
	l.now_utc = clock_now_utc(&run->clock);
	arena_init(&l.arena, MAX_RUN_BYTES);
	rc = tell(&l, err);
	arena_release(&l.arena);
	return rc;
}
