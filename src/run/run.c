#include "digest/run.h"

#include "digest/limits.h"
#include "run/returns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	ASK_ABOVE_READERS = 50,
	DAY_SECONDS = 86400,
	LONG_PAUSE_S =
	    30 * DAY_SECONDS, /* a machine that slept so long is rarer than a clock that is wrong */
};

/* What the parser of the configuration reports goes to the log at once, so that a person sees all of it. */
struct complaint {
	struct log *log;
	size_t nglobal;
};

static void
report_complaint(void *arg, const char *reader, const char *message, const char *shown)
{
	struct complaint *c = arg;

	if (reader == NULL)
		c->nglobal++;
	log_event(c->log, LOG_LEVEL_ERROR, "config", "%s", message);
	for (size_t n; *shown != '\0'; shown += n + 1) {
		n = strcspn(shown, "\n");
		log_event(c->log, LOG_LEVEL_ERROR, "config", "%.*s", (int)n, shown);
	}
}

int
run_open(const struct run_settings *settings, struct run **out, struct error *err)
{
	struct complaint complaint = { settings->log, 0 };
	struct run *run = calloc(1, sizeof(*run));

	if (run == NULL)
		return err_nomem(err, "run");
	run->log = settings->log;
	run->clock = settings->clock;
	run->ui = settings->ui;
	run->mode = settings->mode;
	run->stop = settings->stop;
	tz_system_name(run->zone, sizeof(run->zone));
	if (zones_new(&run->zones, err) == -1)
		goto fail;
	if (config_load(settings->config_path, &run_config_checks, report_complaint, &complaint,
		&run->cfg, err) == -1) {
		/* The complaints said it all; the error is only the kind. */
		if (complaint.nglobal > 0)
			err_set(
			    err, err->kind, "%s", "the configuration has errors; nothing was done");
		goto fail;
	}
	*out = run;
	return 0;
fail:
	run_close(run);
	return -1;
}

bool
run_has_config_errors(const struct run *run)
{
	return run->cfg->nreader_errors > 0 || run->cfg->lost_zone != NULL;
}

int
run_open_store(struct run *run, struct error *err)
{
	return store_open(run->cfg->store.path, run->mode, run->log, &run->store, err);
}

void
run_close(struct run *run)
{
	if (run == NULL)
		return;
	store_close(run->store);
	config_free(run->cfg);
	zones_free(run->zones);
	free(run);
}

/*
 * A clock that ran ahead would make everything old at once. After a pause that long nothing is given up and nothing removed
 * for its age; the run after this one does that, if the clock still says so.
 */
bool
run_is_after_long_pause(const struct run *run, int64_t now_utc)
{
	return run->last_utc != 0 && now_utc - run->last_utc > LONG_PAUSE_S;
}

/* For store_expire_editions. */
static int
note_expired(void *arg, const struct edition *e, struct error *err)
{
	struct run *run = arg;

	return refusals_note_end(run, e, clock_now_utc(&run->clock), err);
}

static int
tidy_editions(struct run *run, int64_t now_utc, struct run_report *report, struct error *err)
{
	const bool given_up = strcmp(run->cfg->delivery.ambiguous, "drop") == 0;
	size_t nunknown = 0, nheld = 0;
	int rc;

	if (store_begin(run->store, err) == -1)
		return -1;
	rc = store_sweep_editions(
	    run->store, run->cfg->delivery.ambiguous, now_utc, &nunknown, &nheld, err);
	if (rc == 0 && !run_is_after_long_pause(run, now_utc))
		rc = store_expire_editions(run->store, now_utc, run->cfg->delivery.max_age_s,
		    note_expired, run, &report->nexpired, err);
	if (store_end(run->store, rc, false, err) == -1)
		return -1;
	if (nunknown > nheld)
		log_warn(run->log, "%zu mail%s of an earlier run may have arrived or not; %s",
		    nunknown - nheld, nunknown - nheld == 1 ? "" : "s",
		    given_up ? "given up" : "tried once more");
	report->nheld_mails += nheld;
	if (nheld > 0)
		log_error(run->log,
		    "%zu mail%s held, as a copy may be out; 'digest outbox' says whose, and "
		    "'release' or 'drop' settles it",
		    nheld, nheld == 1 ? " is" : "s are");
	if (report->nexpired > 0)
		log_error(run->log,
		    "%zu mail%s too old to send; %s papers come with the next digest",
		    report->nexpired, report->nexpired == 1 ? " was" : "s were",
		    report->nexpired == 1 ? "its" : "their");
	return 0;
}

static int
start_run(struct run *run, int64_t now_utc, int64_t *id, struct error *err)
{
	if (store_begin(run->store, err) == -1)
		return -1;
	return store_end(run->store, store_start_run(run->store, now_utc, id, err), false, err);
}

static int
finish_run(struct run *run, int64_t id, struct run_report *r, struct error *err)
{
	struct strbuf line, summary;
	int rc;

	run_finish_report(run, r);
	strbuf_init(&line, 1024);
	run_report_add_line(r, &line);
	log_event(run->log, LOG_LEVEL_INFO, "run-ended", "%s", line.buf);
	strbuf_release(&line);
	strbuf_init(&summary, 1024);
	run_report_add_summary(r, &summary);
	struct store_run row = {
		.id = id,
		.started_utc = r->started_utc,
		.finished_utc = r->finished_utc,
		.nplanned = (int64_t)r->nplanned,
		.nsent = (int64_t)r->nsent,
		.ndeferred = (int64_t)r->ndeferred,
		.nfailed = (int64_t)r->nfailed,
		.nheld = (int64_t)r->nheld_mails,
		.nempty = (int64_t)r->nempty,
		.nskipped = (int64_t)r->nskipped,
		.exit_code = r->exit_code,
		.summary = summary.buf,
	};

	for (size_t i = 0; i < r->nsources; i++)
		row.npapers_new += (int64_t)r->sources[i].nnew;
	rc = store_begin(run->store, err);
	if (rc == 0) {
		rc = store_finish_run(run->store, &row, err);
		if (rc == 0)
			rc = report_save(run, r, err);
		rc = store_end(run->store, rc, true, err);
	}
	strbuf_release(&summary);
	return rc;
}

/* A newcomer's list of thousands may be a mistake: ask once, before the first mail ever leaves. */
static bool
is_confirmed(struct run *run, struct error *err)
{
	struct arena a;
	struct store_run *last;
	size_t nactive = 0;
	bool first;

	if (run->ui.confirm == NULL)
		return true;
	arena_init(&a, MAX_READER_BYTES);
	first = store_load_last_run(run->store, &a, &last, err) == 0;
	arena_release(&a);
	if (!first || store_count_readers(run->store, &nactive, err) == -1 ||
	    nactive <= ASK_ABOVE_READERS)
		return true;
	return run->ui.confirm(run->ui.arg, nactive);
}

/* A reader named on the command line who is none is a slip of the pen, not somebody with nothing due. */
static int
check_users(struct run *run, const struct run_options *options, struct error *err)
{
	struct store_reader *reader;
	struct arena a;
	int found = 1;

	arena_init(&a, MAX_READER_BYTES);
	for (size_t i = 0; i < options->nusers && found == 1; i++) {
		found = store_find_reader(run->store, options->users[i], &a, &reader, err);
		if (found == 0)
			err_set(err, ERR_USAGE,
			    "%s is not a reader; 'digest subscribers' lists them",
			    options->users[i]);
		arena_reset(&a);
	}
	arena_release(&a);
	return found == 1 ? 0 : -1;
}

bool
run_is_nobodys(const char *domain)
{
	static const char *const nobody[] = { "example.org", "example.com", "example.net",
		"localhost" };

	for (size_t i = 0; i < sizeof(nobody) / sizeof(nobody[0]); i++)
		if (strcmp(domain, nobody[i]) == 0)
			return true;
	return false;
}

int
run_read_from(const struct config *cfg, struct arena *a, struct address *out, struct error *err)
{
	if (address_parse(cfg->list.from, a, out, NULL, err) == -1)
		return err_prefix(err, "list.from");
	if (out->name[0] == '\0')
		out->name = cfg->list.name;
	return 0;
}

int
run_check_sender(const struct run *run, struct error *err)
{
	struct address from;
	struct arena a;
	int rc = 0;

	if (run_sinks_are_local(run->cfg))
		return 0;
	arena_init(&a, MAX_READER_BYTES);
	if (run_read_from(run->cfg, &a, &from, err) == -1)
		rc = -1;
	else if (run_is_nobodys(from.domain))
		rc = err_set(err, ERR_CONFIG,
		    "%s: list.from is at %s, where no answer can reach you; expected an address of "
		    "yours",
		    run->cfg->path, from.domain);
	arena_release(&a);
	return rc;
}

/* What is due goes out, unless a person stopped all mail; then editions stay as they are. */
static int
send_due(struct run *run, const struct run_options *options, int64_t now_utc, int64_t id,
    struct run_report *report, struct error *err)
{
	int64_t since_utc;
	int held = run_find_hold(run, &since_utc, err);

	if (held == -1)
		return -1;
	if (held == 1 && options->preview)
		log_warn(run->log, "a run would send nothing: %s", run_hold_words);
	if (held == 1 && !options->preview) {
		log_error(run->log, "nothing is sent: %s", run_hold_words);
		report->faults |= RUN_FAULT_DEFERRED;
		return 0;
	}
	if (tidy_editions(run, now_utc, report, err) == -1)
		return -1;
	if (deliver_editions(run, options, id, report, err) == -1)
		return -1;
	return options->preview ? 0 : refusals_score(run, report, err);
}

/* A machine without a clock of its own begins in 1970 until the network tells; no run before this one may be there to compare. */
static int
check_clock(int64_t now_utc, struct error *err)
{
	char now[DATE_RFC3339_SIZE];

	if (now_utc >= MIN_CLOCK_UTC)
		return 0;
	date_format_rfc3339(now_utc, now);
	return err_set(err, ERR_CONFIG,
	    "the clock says %s, which is long ago; nothing is sent. Set the clock: timedatectl "
	    "set-ntp true",
	    now);
}

static int
take_store(struct run *run, int64_t now_utc, struct error *err)
{
	struct strbuf far_dir;
	int rc;

	strbuf_init(&far_dir, MAX_URL_BYTES);
	cache_dir(&far_dir);
	rc = store_take_charge(
	    run->store, far_dir.len > 0 ? far_dir.buf : NULL, now_utc, &run->last_utc, err);
	strbuf_release(&far_dir);
	return rc;
}

/*
 * Before anything is fetched by a clock that may be wrong, or sent from a store that may not be the newest. A preview only
 * says what a run would say.
 */
static int
take_charge(struct run *run, const struct run_options *options, int64_t now_utc, struct error *err)
{
	struct error why = { 0 };
	int rc;

	if (!options->deliver)
		return 0;
	rc = check_clock(now_utc, &why) == -1 ? -1 : take_store(run, now_utc, &why);
	if (rc == -1 && options->preview && why.kind == ERR_CONFIG) {
		log_warn(run->log, "a run would send nothing: %s", why.msg);
		return 0;
	}
	if (rc == -1 && err != NULL)
		*err = why;
	return rc;
}

/* What came back first, so that nobody is mailed who is not to be; then what there is to mail. */
static int
take_in(struct run *run, const struct run_options *options, struct run_report *report,
    struct error *err)
{
	const struct run_fetch_options due_only = { .in_run = true };

	/* Bounces of a run that was killed wait, also where there is no mailbox. */
	if (!options->preview && options->deliver &&
	    (inbox_step(run, report, err) == -1 || refusals_score(run, report, err) == -1))
		return -1;
	return options->fetch ? run_fetch(run, &due_only, report, err) : 0;
}

static int
do_steps(struct run *run, const struct run_options *options, struct run_report *report,
    struct error *err)
{
	struct store_sync_counts counts;
	int64_t now_utc = clock_now_utc(&run->clock), id = 0;

	report->started_utc = now_utc;
	if (take_charge(run, options, now_utc, err) == -1 ||
	    run_sync_readers(run, options->accept_removals, &counts, err) == -1 ||
	    check_users(run, options, err) == -1)
		return -1;
	if (!options->preview && options->deliver && run_check_sender(run, err) == -1)
		return -1;
	if (!options->preview && !is_confirmed(run, err))
		return err_set(err, ERR_USAGE, "not confirmed; nothing was sent");
	if (start_run(run, now_utc, &id, err) == -1)
		return -1;
	if (take_in(run, options, report, err) == -1)
		return -1;
	if (settle_listings(run, now_utc, report, err) == -1)
		return -1;
	if (options->deliver && send_due(run, options, now_utc, id, report, err) == -1)
		return -1;
	if (!options->preview &&
	    (prune_daily(run, now_utc, err) == -1 || run_update_search(run, err) == -1))
		return -1;
	if (operator_tell(run, options, &counts, report, err) == -1)
		return -1;
	return finish_run(run, id, report, err);
}

int
run_digests(struct run *run, const struct run_options *options, struct run_report *report,
    struct error *err)
{
	long holder = 0;
	int got;

	if (config_take_secrets(run->cfg, err) == -1)
		return -1;
	got = options->preview ? 1 : store_lock_sender(run->store, &holder, err);
	if (got == -1)
		return -1;
	if (got == 0) {
		log_warn(run->log, "another run (process %ld) is sending; nothing to do", holder);
		report->other_run = holder;
		return 0;
	}
	if (run_has_config_errors(run))
		report->faults |= RUN_FAULT_CONFIG;
	return do_steps(run, options, report, err);
}
