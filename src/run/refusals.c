/* What a relay says of a reader while we speak to it is a bounce like one that comes by mail: read by the same rules, scored by
 * the same points. What it says of itself, of us or of our pace is none; and as of mail that comes back as late, nothing
 * counts as long as it is tried again. */
#include "run/returns.h"

#include <stdio.h>

enum { DAY_SECONDS = 86400 };

/*
 * Of a dead address a report of another copy may come by mail, which is the same bounce and has the same name. Whatever
 * else is said counts once a day, however often a digest is due.
 */
static void
name_refusal(struct store_returned *row, int64_t period, int64_t now_utc)
{
	if (row->class == BOUNCE_DEAD)
		returned_make_id(row->id, RETURNED_BOUNCE, row->reader, period, "");
	else
		returned_make_id(row->id, RETURNED_REFUSAL, row->reader, now_utc / DAY_SECONDS, "");
}

static int
add(struct run *run, int64_t period, int64_t reader, const struct incoming_recipient *said,
    int64_t now_utc, struct error *err)
{
	const enum bounce_class class = bounces_class_of(said->class);
	char decided[80];
	struct store_returned row = { .reader = reader,
		.period = period,
		.at_utc = now_utc,
		.kind = RETURNED_REFUSAL,
		.class = class,
		.status = said->status,
		.reply = said->diagnostic,
		.decided = decided };

	snprintf(decided, sizeof(decided), "%s: %s; waits to be scored", bounces_class_name(class),
	    said->reason);
	name_refusal(&row, period, now_utc);
	return store_add_returned(run->store, &row, err) == -1 ? -1 : 0;
}

int
refusals_note(struct run *run, int64_t period, int64_t reader, const char *reply, int64_t now_utc,
    struct error *err)
{
	struct incoming_recipient said;

	if (smtp_judge(reply, true).blame != BLAME_READER)
		return 0;
	incoming_judge_reply(reply, &said);
	return add(run, period, reader, &said, now_utc, err);
}

int
refusals_note_end(struct run *run, const struct edition *e, int64_t now_utc, struct error *err)
{
	struct smtp_verdict v = smtp_judge(e->reply, true);

	if (v.class != SMTP_CLASS_TEMPORARY || e->attempts == 0)
		return 0;
	return refusals_note(run, e->period, e->reader, e->reply, now_utc, err);
}

int
refusals_score(struct run *run, struct run_report *report, struct error *err)
{
	struct run_inbox *inbox = report->inbox;
	int waited;

	if (inbox == NULL && (inbox = arena_zalloc(&report->arena, sizeof(*inbox))) == NULL)
		return err_nomem(err, "bounces");
	waited = effects_score(run, false, clock_now_utc(&run->clock), inbox, err);
	if (waited == 1)
		report->inbox = inbox;
	return waited == -1 ? -1 : 0;
}
