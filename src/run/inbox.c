/* What mails from outside did, for those who look: counts, scores, how things stand, how one mail is read. */
#include "run/returns.h"

#include "digest/date.h"
#include "digest/file.h"
#include "digest/limits.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	DAY_SECONDS = 86400,
	MAX_KNOWN = 512,
	RECENT_S = 2 * DAY_SECONDS, /* what an operator is told of */
	MAX_MAIL_FILE = 64 * 1024 * 1024,
};

static_assert((int)RUN_INBOX_KINDS == (int)NINCOMING_KINDS, "what mailing.h says");

/* ---- counts ---- */

/* A member of JSON, and words for one and for many. */
static const struct {
	const char *member, *one, *many;
} count_names[INBOX_COUNTS] = {
	[INBOX_COUNTED] = { "bounced", "bounce of a digest", "bounces of digests" },
	[INBOX_COMPLAINTS] = { "complained", "complaint: not mailed any more",
	    "complaints: not mailed any more" },
	[INBOX_LEFT] = { "left", "reader left", "readers left" },
	[INBOX_PAUSED] = { "paused", "reader pauses", "readers pause" },
	[INBOX_RESUMED] = { "resumed", "reader goes on", "readers go on" },
	[INBOX_REPEATED] = { "repeated", "said what was known", "said what was known" },
	[INBOX_NO_EFFECT] = { "no_effect", "without effect", "without effect" },
	[INBOX_UNREADABLE] = { "unreadable", "could not be read", "could not be read" },
	[INBOX_POISON] = { "poison", "ended the parser, and is left alone",
	    "ended the parser, and are left alone" },
	[INBOX_ANSWERED] = { "answered", "answer sent", "answers sent" },
	[INBOX_SUPPRESSED] = { "suppressed", "address is not mailed any more for its bounces",
	    "addresses are not mailed any more for their bounces" },
	[INBOX_FULL] = { "left_alone", "full mailbox is left alone for a while",
	    "full mailboxes are left alone for a while" },
};

struct value *
run_inbox_value(const struct run_inbox *inbox, struct arena *a)
{
	struct value *v = value_object(a), *kinds = value_object(a);

	value_set_number(a, v, "found", (int64_t)inbox->nfound);
	value_set_number(a, v, "read", (int64_t)inbox->nread);
	value_set_number(a, v, "marked", (int64_t)inbox->nmarked);
	for (size_t i = 0; i < RUN_INBOX_KINDS; i++)
		value_set_number(
		    a, kinds, incoming_kind_name((enum incoming_kind)i), (int64_t)inbox->kinds[i]);
	value_set(a, v, "kinds", kinds);
	for (size_t i = 0; i < INBOX_COUNTS; i++)
		value_set_number(a, v, count_names[i].member, (int64_t)inbox->counts[i]);
	value_set_bool(a, v, "frozen", inbox->frozen);
	value_set_string(a, v, "trouble", inbox->trouble);
	return v;
}

void
run_inbox_add_lines(const struct run_inbox *inbox, struct strbuf *out)
{
	strbuf_addf(out, "%zu mail%s read", inbox->nread, inbox->nread == 1 ? "" : "s");
	for (size_t i = 0, n = 0; i < RUN_INBOX_KINDS; i++)
		if (inbox->kinds[i] > 0)
			strbuf_addf(out, "%s %zu %s", n++ == 0 ? ":" : ",", inbox->kinds[i],
			    incoming_kind_name((enum incoming_kind)i));
	if (inbox->nfound > inbox->nread)
		strbuf_addf(out, "; %zu wait for the next time", inbox->nfound - inbox->nread);
	strbuf_add(out, "\n");
	for (size_t i = 0; i < INBOX_COUNTS; i++)
		if (inbox->counts[i] > 0)
			strbuf_addf(out, "%zu %s\n", inbox->counts[i],
			    inbox->counts[i] == 1 ? count_names[i].one : count_names[i].many);
	if (inbox->frozen)
		strbuf_add(out,
		    "scoring is frozen; 'digest status' says why, 'digest mailbox thaw' ends it\n");
}

/* ---- how things stand ---- */

static int
load_policy(struct run *run, int64_t since_utc, struct arena *a, struct run_inbox_state *out,
    struct error *err)
{
	struct store_returned *rows;
	size_t n;

	if (store_count_bounces(run->store, BOUNCE_POLICY, since_utc, &out->npolicy, err) == -1 ||
	    store_count_bounces(run->store, BOUNCE_OURS, since_utc, &out->nours, err) == -1)
		return -1;
	if (out->npolicy + out->nours == 0)
		return 0;
	if (store_load_returned(run->store, 0, since_utc, MAX_KNOWN, a, &rows, &n, err) == -1)
		return -1;
	for (size_t i = n; i-- > 0;)
		if (rows[i].kind == RETURNED_BOUNCE &&
		    (rows[i].class == BOUNCE_POLICY || rows[i].class == BOUNCE_OURS))
			out->policy = rows[i].reply;
	return 0;
}

int
inbox_load_notes(struct run *run, struct arena *a, struct run_inbox_state *out, struct error *err)
{
	const char *text;
	char *end;

	*out = (struct run_inbox_state){ .trouble = "", .frozen = "", .policy = "" };
	if (store_get_note(run->store, inbox_state_note, a, &text, err) == -1)
		return -1;
	out->read_utc = strtoll(text, &end, 10);
	out->failing_since_utc = strtoll(end, &end, 10);
	out->needs_person = strtoll(end, &end, 10) != 0;
	out->trouble = *end == ' ' ? end + 1 : "";
	if (store_get_note(run->store, inbox_frozen_note, a, &text, err) == -1)
		return -1;
	out->frozen_since_utc = strtoll(text, &end, 10);
	out->frozen = *end == ' ' ? end + 1 : "";
	return 0;
}

int
run_load_inbox_state(
    struct run *run, struct arena *a, struct run_inbox_state *out, struct error *err)
{
	struct store *store = run->store;

	if (inbox_load_notes(run, a, out, err) == -1)
		return -1;
	if (store_count_waiting_returned(store, &out->nwaiting, err) == -1 ||
	    store_count_suppressed(store, SUPPRESSED_BOUNCED, &out->nbounced, err) == -1 ||
	    store_count_suppressed(store, SUPPRESSED_COMPLAINT, &out->ncomplained, err) == -1)
		return -1;
	if (load_policy(run, clock_now_utc(&run->clock) - RECENT_S, a, out, err) == -1)
		return -1;
	return refusing_load(run, a, &out->refusing, &out->nrefusing, err);
}

/* ---- what was said of a reader ---- */

static const char *
kind_name(enum returned_kind kind)
{
	static const char *const names[] = {
		[RETURNED_BOUNCE] = "bounce",
		[RETURNED_COMPLAINT] = "complaint",
		[RETURNED_UNSUBSCRIBE] = "unsubscribe",
		[RETURNED_PAUSE] = "pause",
		[RETURNED_RESUME] = "resume",
		[RETURNED_REFUSAL] = "refusal",
	};

	return kind > 0 && kind < sizeof(names) / sizeof(names[0]) ? names[kind] : "";
}

static void
fill_returned(struct run_returned *out, const struct store_returned *r)
{
	out->at_utc = r->at_utc;
	out->kind = kind_name(r->kind);
	out->class = bounces_is_one(r) ? bounces_class_name(r->class) : "";
	out->period[0] = '\0';
	if (r->period != 0)
		period_format(r->period, out->period);
	out->status = r->status;
	out->reply = r->reply;
	out->decided = r->decided;
	out->waits = r->counted == COUNT_WAITS;
}

static int
view_returned(const struct store_returned *rows, size_t n, struct arena *a,
    struct run_returned **out, struct error *err)
{
	if ((*out = arena_array(a, n, sizeof(**out))) == NULL)
		return err_nomem(err, "bounces");
	for (size_t i = 0; i < n; i++)
		fill_returned(&(*out)[i], &rows[i]);
	return 0;
}

int
run_load_returned(struct run *run, int64_t reader, size_t max, struct arena *a,
    struct run_returned **out, size_t *n, struct error *err)
{
	struct store_returned *rows;

	if (store_load_returned(run->store, reader, 0, max, a, &rows, n, err) == -1)
		return -1;
	return view_returned(rows, *n, a, out, err);
}

struct value *
run_returned_value(const struct run_returned *r, struct arena *a)
{
	struct value *v = value_object(a);

	value_set_number(a, v, "at", r->at_utc);
	value_set_string(a, v, "kind", r->kind);
	value_set_string(a, v, "class", r->class);
	value_set_string(a, v, "period", r->period);
	value_set_string(a, v, "status", r->status);
	value_set_string(a, v, "reply", r->reply);
	value_set_string(a, v, "decided", r->decided);
	value_set_bool(a, v, "waits", r->waits);
	return v;
}

/* ---- scores ---- */

static const char *
write_next(const struct store_reader *reader, const struct bounce_score *s, bool frozen,
    int64_t now_utc, struct arena *a)
{
	char day[DATE_RFC3339_SIZE];

	if (reader->suppressed)
		return "is not mailed any more";
	if (frozen)
		return "scoring is frozen, see digest status";
	if (reader->sub.paused_until > now_utc / DAY_SECONDS) {
		date_format_day(reader->sub.paused_until, day);
		return arena_printf(a, "is mailed again from %s on", day);
	}
	if (s->points + 1 >= BOUNCE_LIMIT)
		return "one more day on which nobody is there ends it";
	if (s->nfull > 0)
		return arena_printf(a,
		    "full or out of reach on %u of the last %d days; on %d it is left alone",
		    s->nfull, BOUNCE_FULL_WITHIN, BOUNCE_FULL_DAYS);
	return "is mailed as before";
}

static int
score_one(struct run *run, const struct store_reader *reader, bool frozen, struct arena *a,
    struct run_score *out, struct error *err)
{
	const int64_t now_utc = clock_now_utc(&run->clock);
	const int64_t since_utc = now_utc - BOUNCE_KNOWN_DAYS * (int64_t)DAY_SECONDS;
	struct store_returned *rows;
	struct store_delivery *sent;
	struct bounce_score score;
	size_t n, nsent;

	if (store_load_returned(
		run->store, reader->sub.id, since_utc, MAX_KNOWN, a, &rows, &n, err) == -1 ||
	    store_load_deliveries(run->store, reader->sub.id, since_utc, a, &sent, &nsent, err) ==
		-1)
		return -1;
	bounces_score(rows, n, sent, nsent, now_utc, &score);
	out->address = reader->sub.address;
	out->points = score.points;
	out->expires_utc = score.expires_utc;
	out->next = write_next(reader, &score, frozen, now_utc, a);
	out->nreasons = n;
	if (out->next == NULL)
		return err_nomem(err, "scores");
	return view_returned(rows, n, a, &out->reasons, err);
}

static bool
has_bounce(const struct run_score *s)
{
	for (size_t i = 0; i < s->nreasons; i++)
		if (s->reasons[i].class[0] != '\0')
			return true;
	return false;
}

/* What visit returns; 0 when there is nothing to show, unless the reader was asked for. */
static int
visit_score(struct run *run, int64_t id, bool frozen, bool named, struct arena *a,
    int (*visit)(void *arg, const struct run_score *s), void *arg, struct error *err)
{
	struct store_reader *reader;
	struct run_score score;
	int found = store_load_reader(run->store, id, a, &reader, err);

	if (found != 1)
		return found;
	if (score_one(run, reader, frozen, a, &score, err) == -1)
		return -1;
	return named || has_bounce(&score) ? visit(arg, &score) : 0;
}

static int
visit_named(struct run *run, const char *address, bool frozen, struct arena *a,
    int (*visit)(void *arg, const struct run_score *s), void *arg, struct error *err)
{
	struct store_reader *reader;
	const char *canonical;
	int found;

	if (run_canonical(address, a, &canonical, err) == -1)
		return -1;
	found = store_find_reader(run->store, canonical, a, &reader, err);
	if (found == 0)
		return err_set(err, ERR_USAGE,
		    "%s is not a reader; 'digest subscribers' lists them", canonical);
	return found == -1 ? -1
			   : visit_score(run, reader->sub.id, frozen, true, a, visit, arg, err);
}

int
run_each_score(struct run *run, const char *address,
    int (*visit)(void *arg, const struct run_score *s), void *arg, struct error *err)
{
	struct run_inbox_state state;
	int64_t reader = 0;
	struct arena a;
	bool frozen;
	int more = 1, rc;

	arena_init(&a, MAX_READER_BYTES);
	rc = inbox_load_notes(run, &a, &state, err);
	frozen = state.frozen_since_utc != 0;
	if (rc == 0 && address != NULL)
		rc = visit_named(run, address, frozen, &a, visit, arg, err);
	while (rc == 0 && address == NULL && more == 1) {
		arena_reset(&a);
		more = store_next_returned(run->store, false, reader, &reader, err);
		if (more == 1)
			rc = visit_score(run, reader, frozen, false, &a, visit, arg, err);
	}
	arena_release(&a);
	return more == -1 ? -1 : rc;
}

/* ---- how one mail is read ---- */

static struct value *
recipient_value(const struct incoming_recipient *r, struct arena *a)
{
	struct value *v = value_object(a);

	value_set_string(a, v, "fate", incoming_kind_name((enum incoming_kind)r->fate));
	value_set_string(a, v, "class", incoming_class_name((enum smtp_class)r->class));
	value_set_number(a, v, "code", r->code);
	value_set_string(a, v, "status", r->status);
	value_set_string(a, v, "address", r->address);
	value_set_string(a, v, "original", r->original);
	value_set_string(a, v, "reason", r->reason);
	value_set_string(a, v, "diagnostic", r->diagnostic);
	return v;
}

static struct value *
flags_value(const struct incoming *in, struct arena *a)
{
	static const struct {
		uint32_t flag;
		const char *name;
	} names[] = {
		{ INCOMING_AUTO_SUBMITTED, "auto-submitted" },
		{ INCOMING_AUTO_MARKED, "auto-marked" },
		{ INCOMING_FROM_LIST, "from-list" },
		{ INCOMING_FROM_ROBOT, "from-robot" },
		{ INCOMING_APPLE, "apple" },
		{ INCOMING_CUT, "cut" },
		{ INCOMING_SEALED, "sealed" },
		{ INCOMING_MORE, "more-recipients" },
		{ INCOMING_POISON, "poison" },
	};
	struct value *v = value_list(a);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (in->flags & names[i].flag)
			value_append(a, v, value_string(a, names[i].name));
	return v;
}

static struct value *
describe(
    const struct incoming *in, const struct token_keys *keys, const char *would, struct arena *a)
{
	struct value *v = value_object(a), *recipients = value_list(a), *candidates = value_list(a);

	value_set_string(a, v, "kind", incoming_kind_name((enum incoming_kind)in->kind));
	value_set_string(a, v, "verb", incoming_verb_name((enum incoming_verb)in->verb));
	value_set_string(a, v, "why", in->why);
	value_set_string(a, v, "reason", in->reason);
	value_set_string(a, v, "subject", in->subject);
	value_set_string(a, v, "from", in->from);
	value_set_string(a, v, "message_id", in->message_id);
	value_set(a, v, "flags", flags_value(in, a));
	for (size_t i = 0; i < in->nrecipients; i++)
		value_append(a, recipients, recipient_value(&in->recipients[i], a));
	value_set(a, v, "recipients", recipients);
	for (size_t i = 0; i < in->ncandidates; i++) {
		const struct incoming_candidate *c = &in->candidates[i];
		struct value *one = value_object(a);

		value_set_string(
		    a, one, "place", incoming_place_name((enum incoming_place)c->place));
		value_set_string(a, one, "text", c->text);
		value_set_string(a, one, "token", decide_name_token(c, keys));
		value_append(a, candidates, one);
	}
	value_set(a, v, "candidates", candidates);
	value_set_string(a, v, "would", would);
	return v;
}

/* In a transaction of an overlay, which is taken back. */
static int
pretend(struct run *run, const struct incoming *in, const struct token_keys *keys, struct arena *a,
    const char **words, struct error *err)
{
	const int64_t now_utc = clock_now_utc(&run->clock);
	struct decision d;
	struct effect effect;
	int rc;

	decide(in, keys, &d);
	if (store_begin(run->store, err) == -1)
		return -1;
	rc = effects_apply(run, in, &d, now_utc, a, &effect, err);
	store_rollback(run->store);
	if (rc == -1)
		return -1;
	*words =
	    arena_printf(a, "%s%s", effect.words, effect.answers ? "; the reader is told" : "");
	return *words == NULL ? err_nomem(err, "mail") : 0;
}

static int
read_mail(const char *path, struct incoming *in, struct error *err)
{
	struct incoming_reader *reader;
	struct strbuf bytes;
	int rc;

	/* The child has nothing of the mail but what it is given. */
	if (incoming_reader_new(&reader, err) == -1)
		return -1;
	strbuf_init(&bytes, MAX_MAIL_FILE);
	rc = file_read(strcmp(path, "-") == 0 ? "/dev/stdin" : path, &bytes, err);
	if (rc == 0)
		rc = incoming_reader_read(reader, bytes.buf, bytes.len, in, err);
	incoming_reader_free(reader);
	strbuf_release(&bytes);
	return rc;
}

int
run_explain_mail(
    struct run *run, const char *path, struct arena *a, struct value **out, struct error *err)
{
	struct token_keys *keys;
	struct incoming *in = arena_zalloc(a, sizeof(*in));
	const char *words;
	int rc;

	if (in == NULL)
		return err_nomem(err, "mail");
	if (read_mail(path, in, err) == -1 ||
	    token_key_load(run->cfg->list.key_file, false, &keys, err) == -1)
		return -1;
	rc = pretend(run, in, keys, a, &words, err);
	if (rc == 0 && (*out = describe(in, keys, words, a)) == NULL)
		rc = err_nomem(err, "mail");
	token_keys_free(keys);
	return rc;
}
