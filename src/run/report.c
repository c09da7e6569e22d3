/* What a run did: counted while it goes on, told as JSON and in a line, and kept for `status`. */
#include "run/returns.h"
#include "digest/json.h"
#include "digest/limits.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

enum { MAX_REPORT_BYTES = 64 * 1024 }; /* kept of one; some hundred sources */

const char report_note[] = "last-report";

void
run_report_init(struct run_report *report)
{
	memset(report, 0, sizeof(*report));
	report->started_ms = clock_monotonic_ms();
	arena_init(&report->arena, MAX_READER_BYTES);
}

void
run_report_release(struct run_report *report)
{
	arena_release(&report->arena);
}

int
run_exit_of_faults(unsigned faults)
{
	/* In this order. */
	static const struct {
		enum run_fault fault;
		int code;
	} codes[] = {
		{ RUN_FAULT_BUG, EX_SOFTWARE },
		{ RUN_FAULT_IO, EX_IOERR },
		{ RUN_FAULT_CONFIG, EX_CONFIG },
		{ RUN_FAULT_DEFERRED, EX_TEMPFAIL },
		{ RUN_FAULT_UNREACHABLE, EX_UNAVAILABLE },
	};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if ((faults & codes[i].fault) != 0)
			return codes[i].code;
	return EX_OK;
}

static const char *
skip_name(enum run_skip why)
{
	static const char *const names[RUN_SKIPS] = {
		[SKIP_NOT_DUE] = "not-due",
		[SKIP_EMPTY] = "empty",
		[SKIP_SOURCE] = "source",
		[SKIP_PAUSED] = "paused",
		[SKIP_SUPPRESSED] = "suppressed",
		[SKIP_WAITING] = "waiting",
		[SKIP_HELD_BACK] = "held-back",
		[SKIP_BROKEN] = "broken",
		[SKIP_NO_WAY] = "no-way",
		[SKIP_REFUSING] = "refusing",
	};

	return names[why];
}

void
report_add_stop(struct run_report *r, const char *account, const struct error *why)
{
	struct run_stop *stop;

	if (r->nstops == RUN_MAX_STOPS)
		return;
	stop = &r->stops[r->nstops++];
	snprintf(stop->account, sizeof(stop->account), "%s", account);
	snprintf(stop->message, sizeof(stop->message), "%s", why->msg);
	stop->kind = why->kind;
}

/* Relays repeat the name they refuse, with its domain or without. */
const char *
report_hide_name(const struct store_reader *reader, const char *reply, struct arena *a)
{
	const char *address = reader->sub.address;
	size_t len = strcspn(address, "@");
	char *text = arena_strdup(a, reply);

	if (text == NULL || len == 0)
		return "";
	for (char *at = text; strlen(at) >= len; at++) {
		bool begins = at == text || !isalnum((unsigned char)at[-1]);

		if (!begins || isalnum((unsigned char)at[len]) ||
		    strncasecmp(at, address, len) != 0)
			continue;
		memmove(at + 1, at + len, strlen(at + len) + 1);
		*at = '*';
	}
	return text;
}

void
report_tell_outcome(struct run *run, struct run_report *r, enum edition_state state,
    const struct delivery_outcome *o)
{
	size_t n = state == EDITION_DEFERRED ? r->ndeferred
	    : state == EDITION_FAILED	     ? r->nfailed
	    : state == EDITION_UNKNOWN	     ? r->nunknown
					     : 0;
	struct store_reader *reader;
	const char *reply = o->reply;
	struct arena a;

	if (state == EDITION_FAILED && n <= RUN_MAX_REFUSED) {
		struct run_refusal *refusal = &r->refusals[n - 1];

		refusal->reader = o->reader;
		snprintf(refusal->reply, sizeof(refusal->reply), "%.255s", o->reply);
	}
	if (n != 1 || strcmp(o->reply, sink_halted) == 0)
		return;
	arena_init(&a, MAX_READER_BYTES);
	if (run->log->short_addresses &&
	    store_load_reader(run->store, o->reader, &a, &reader, NULL) == 1)
		reply = report_hide_name(reader, reply, &a);
	if (state == EDITION_DEFERRED)
		log_error(run->log, "mail waits for a later run: %s", reply);
	else if (state == EDITION_FAILED)
		log_warn(
		    run->log, "mail is refused for good: %s; 'digest history' says whose", reply);
	else
		log_warn(run->log, "mail may have arrived or not: %s; 'digest outbox' says whose",
		    reply);
	arena_release(&a);
}

/* ---- for a program ---- */

/* The numbers of a report, in the order in which they are told. */
static const struct {
	const char *name;
	size_t at;
} numbers[] = {
	{ "readers", offsetof(struct run_report, nreaders) },
	{ "due", offsetof(struct run_report, ndue) },
	{ "planned", offsetof(struct run_report, nplanned) },
	{ "sent", offsetof(struct run_report, nsent) },
	{ "empty", offsetof(struct run_report, nempty) },
	{ "deferred", offsetof(struct run_report, ndeferred) },
	{ "failed", offsetof(struct run_report, nfailed) },
	{ "unknown", offsetof(struct run_report, nunknown) },
	{ "held", offsetof(struct run_report, nheld_mails) },
	{ "expired", offsetof(struct run_report, nexpired) },
	{ "untried", offsetof(struct run_report, nuntried) },
	{ "merged", offsetof(struct run_report, nmerged) },
	{ "skipped", offsetof(struct run_report, nskipped) },
	{ "broken", offsetof(struct run_report, nbroken) },
};

enum { NNUMBERS = sizeof(numbers) / sizeof(numbers[0]) };

static size_t
number_at(const struct run_report *r, size_t i)
{
	return *(const size_t *)(const void *)((const char *)r + numbers[i].at);
}

static struct value *
source_value(const struct run_source_report *s, struct arena *a)
{
	struct value *v = value_object(a);

	value_set_string(a, v, "name", s->name);
	value_set_bool(a, v, "asked", s->asked);
	value_set_bool(a, v, "failed", s->failed);
	value_set_bool(a, v, "cut", s->cut);
	value_set_number(a, v, "read", (int64_t)s->nread);
	value_set_number(a, v, "new", (int64_t)s->nnew);
	value_set_number(a, v, "changed", (int64_t)s->nchanged);
	value_set_string(a, v, "message", s->message);
	return v;
}

static struct value *
stops_value(const struct run_report *r, struct arena *a)
{
	struct value *list = value_list(a);

	for (size_t i = 0; i < r->nstops; i++) {
		struct value *v = value_object(a);

		value_set_string(a, v, "account", r->stops[i].account);
		value_set_string(a, v, "message", r->stops[i].message);
		value_append(a, list, v);
	}
	return list;
}

struct value *
run_report_value(const struct run_report *r, struct arena *a)
{
	struct value *v = value_object(a), *sources = value_list(a), *reasons = value_object(a);

	for (size_t i = 0; i < r->nsources; i++)
		if (r->sources[i].name != NULL)
			value_append(a, sources, source_value(&r->sources[i], a));
	for (int why = 0; why < RUN_SKIPS; why++)
		if (r->skips[why] > 0)
			value_set_number(
			    a, reasons, skip_name((enum run_skip)why), (int64_t)r->skips[why]);
	value_set(a, v, "sources", sources);
	for (size_t i = 0; i < NNUMBERS; i++)
		value_set_number(a, v, numbers[i].name, (int64_t)number_at(r, i));
	value_set(a, v, "reasons", reasons);
	value_set_number(a, v, "expected_seconds", r->expected.seconds);
	value_set_number(a, v, "left_over", (int64_t)r->expected.nleft);
	value_set(a, v, "stopped", stops_value(r, a));
	value_set(
	    a, v, "mailbox", r->inbox != NULL ? run_inbox_value(r->inbox, a) : value_object(a));
	value_set_number(a, v, "start", r->started_utc);
	value_set_number(a, v, "end", r->finished_utc);
	value_set_number(a, v, "milliseconds", r->took_ms);
	value_set_number(a, v, "exit", r->exit_code);
	value_set_number(a, v, "other_run", r->other_run);
	return v;
}

/* ---- for a person ---- */

/* " (2 not-due, 1 paused)" */
static void
add_skips(const struct run_report *r, struct strbuf *out)
{
	const char *mark = " (";

	for (int why = 0; why < RUN_SKIPS; why++)
		if (r->skips[why] > 0) {
			strbuf_addf(
			    out, "%s%zu %s", mark, r->skips[why], skip_name((enum run_skip)why));
			mark = ", ";
		}
	strbuf_add(out, mark[0] == ',' ? ")" : "");
}

void
run_report_add_line(const struct run_report *r, struct strbuf *out)
{
	strbuf_addf(out, "%zu of %zu readers due", r->ndue, r->nreaders);
	for (size_t i = 2; i < NNUMBERS; i++) {
		if (number_at(r, i) == 0)
			continue;
		strbuf_addf(out, ", %zu %s", number_at(r, i), numbers[i].name);
		if (numbers[i].at == offsetof(struct run_report, nskipped))
			add_skips(r, out);
	}
	strbuf_addf(out, "; %lld.%lld s, exit code %d", (long long)(r->took_ms / 1000),
	    (long long)(r->took_ms % 1000 / 100), r->exit_code);
}

void
run_report_add_summary(const struct run_report *r, struct strbuf *out)
{
	static const char *const odd[] = { "failed", "unknown", "held", "expired", "untried",
		"broken" };
	size_t npapers = 0;

	for (size_t i = 0; i < r->nsources; i++)
		npapers += r->sources[i].nnew;
	strbuf_addf(out, "%zu new paper%s, %zu due, %zu sent, %zu empty, %zu deferred", npapers,
	    npapers == 1 ? "" : "s", r->ndue, r->nsent, r->nempty, r->ndeferred);
	for (size_t i = 0; i < NNUMBERS; i++)
		for (size_t k = 0; k < sizeof(odd) / sizeof(odd[0]); k++)
			if (number_at(r, i) > 0 && strcmp(numbers[i].name, odd[k]) == 0)
				strbuf_addf(out, ", %zu %s", number_at(r, i), odd[k]);
}

/* ---- kept for later ---- */

/* A run that was stopped by a signal has left something undone, whatever it was about to do. */
void
run_finish_report(const struct run *run, struct run_report *r)
{
	if (run->stop != NULL && *run->stop != 0)
		r->faults |= RUN_FAULT_DEFERRED;
	r->finished_utc = clock_now_utc(&run->clock);
	r->took_ms = clock_monotonic_ms() - r->started_ms;
	r->exit_code = run_exit_of_faults(r->faults);
}

int
report_save(struct run *run, const struct run_report *r, struct error *err)
{
	struct strbuf json;
	struct arena a;
	int rc;

	arena_init(&a, MAX_READER_BYTES);
	strbuf_init(&json, MAX_REPORT_BYTES);
	value_add_json(&json, run_report_value(r, &a));
	if ((rc = value_check(&a, err)) == 0 && (rc = strbuf_check(&json, err)) == 0)
		rc = store_set_note(run->store, report_note, json.buf, err);
	strbuf_release(&json);
	arena_release(&a);
	return rc;
}

int
report_load(struct run *run, struct arena *a, struct value **out, struct error *err)
{
	const char *text;
	json_t *json;

	*out = NULL;
	if (store_get_note(run->store, report_note, a, &text, err) == -1)
		return -1;
	/* Nothing of ours writes another thing there; what cannot be read is none. */
	if (text[0] == '\0' || json_read(text, strlen(text), MAX_REPORT_BYTES, &json, NULL) == -1)
		return 0;
	*out = value_of_json(json, a);
	json_decref(json);
	return value_check(a, err);
}
