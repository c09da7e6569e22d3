/* run.h - the only part that knows all stages and joins them: config, sources, store, matching, rendering, mail. The
 * command line reaches everything that writes through here. */
#ifndef DIGEST_RUN_H
#define DIGEST_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "digest/arena.h"
#include "digest/clock.h"
#include "digest/config.h"
#include "digest/error.h"
#include "digest/log.h"
#include "digest/render.h"
#include "digest/store.h"
#include "digest/strbuf.h"
#include "digest/value.h"

/* What a person at a terminal sees and is asked; members may be NULL. */
struct run_ui {
	void *arg;
	/* Long work moved on: "reading huggingface", 3 of 7; total 0 = unknown. done == total ends the line. */
	void (*progress)(void *arg, const char *what, size_t done, size_t total);
	/* The first real run to more than 50 readers: go on? */
	bool (*confirm)(void *arg, size_t nreaders);
	/* Something to know before long work. */
	void (*tell)(void *arg, const char *text);
};

struct run_settings {
	const char *config_path;	/* NULL = where config_load looks */
	struct clock clock;
	struct log *log;
	enum store_mode mode;
	struct run_ui ui;
	const volatile int *stop;	/* a signal number once one came; may be NULL */
};

/* One process's work. */
struct run {
	struct config *cfg;
	struct store *store;	/* NULL before run_open_store */
	struct log *log;
	struct clock clock;
	struct run_ui ui;
	enum store_mode mode;
	const volatile int *stop;
	char zone[128];		/* of this machine: readers without one of their own live there */
	struct zone_cache *zones;	/* private: time zones read so far */
	int64_t last_utc;	/* when a run sent before this one; 0 = never, or none sends */
	int32_t newest_day;	/* private: on which the newest paper was listed, as due.c saw it first; 0 = not looked */
};

/*
 * Read and check the configuration: every error goes to the log as file:line:column; an error of one reader's block is
 * logged and counted, the run goes on without it. Fails with ERR_CONFIG.
 */
int	run_open(const struct run_settings *settings, struct run **out, struct error *err);
/* Whether the configuration has errors that a run works around: readers', and a time zone of the defaults that is gone. */
bool	run_has_config_errors(const struct run *run);
/* Open the store the configuration names, in the mode of the settings. */
int	run_open_store(struct run *run, struct error *err);
void	run_close(struct run *run);

/* Why the process should exit as it does; several may apply, see exit_code() of the command line. */
enum run_fault {
	RUN_FAULT_CONFIG = 1,	/* a reader's block is broken */
	RUN_FAULT_DEFERRED = 2,	/* mail waits for a later run */
	RUN_FAULT_UNREACHABLE = 4,	/* every source, or the relay */
	RUN_FAULT_IO = 8,
	RUN_FAULT_BUG = 16,
};

/* Why a source brings nothing new, or that it does. Several may hold; the first of these is told. */
enum silence {
	SILENCE_UNREAD,		/* never read yet */
	SILENCE_DOWN, SILENCE_REFUSED, SILENCE_SHAPE,	/* it fails: see enum source_fault */
	SILENCE_STALE,		/* it makes new lists of the same papers */
	SILENCE_HALF,		/* its newest day has fewer than half of the papers of such a weekday */
	SILENCE_SETTLING,	/* its newest papers do not count yet */
	SILENCE_NONE,		/* it lists papers today */
	SILENCE_WEEKEND,	/* a Saturday or Sunday, on which it lists nothing */
	SILENCE_CLOSED,		/* a holiday by the configuration */
	SILENCE_HOLIDAY,	/* a weekday for which it made an empty list */
	SILENCE_NOTHING,	/* nothing new, and why is not known */
};

/* A day of a source that is only half filled. */
struct half_day {
	int32_t day;		/* 0 = there is none */
	size_t nlisted, usual;	/* papers on it, and on such weekdays */
	int64_t until_utc;	/* when it counts as it is */
	bool held;		/* it does not count yet */
	const char *text;	/* "huggingface 2026-11-20 is only half filled: 7 of about 30" */
};

struct source_silence {
	enum silence why;
	int32_t day;		/* the one spoken of: the newest it listed, of WEEKEND, CLOSED and HOLIDAY today; 0 = none */
	size_t nlisted;		/* papers on the newest day */
	int64_t since_utc;	/* DOWN, REFUSED, SHAPE: of the fault; STALE: of the newest paper */
	int64_t until_utc;	/* SETTLING: when its papers count */
	struct half_day half;	/* of today and the two days before, the newest that is only half filled; whatever why is */
	const char *text;	/* in one sentence for a person who looks after the list */
};

/* Why a reader's digest is empty. */
enum reader_silence {
	READER_PAUSED,
	READER_NO_MATCH,	/* there were new papers, and none matched */
	READER_ALL_SENT,	/* nothing new; all that matches was sent before */
	READER_NOTHING_NEW,
};

struct run_source_report {
	const char *name;	/* borrowed from the configuration */
	bool asked;		/* false: not yet time to ask again */
	bool failed;
	bool cut;		/* its time was over: it goes on at the next run */
	size_t nanswers, nread, nnew, nchanged;	/* answers, papers in them, of those */
	int64_t failing_since_utc;
	char message[256];	/* of the failure */
};

/* Why a reader gets no mail from this run. */
enum run_skip {
	SKIP_NOT_DUE,
	SKIP_EMPTY,		/* nothing matched */
	SKIP_SOURCE,		/* nothing matched, but a source is out of reach: tried again at the next run */
	SKIP_PAUSED,
	SKIP_SUPPRESSED,
	SKIP_WAITING,		/* an earlier edition is on its way */
	SKIP_HELD_BACK,		/* its block is gone, see store_sync_end */
	SKIP_BROKEN,
	SKIP_NO_WAY,		/* no smtp block takes the domain */
	SKIP_REFUSING,		/* the domain refuses our mail by policy, see struct run_refusing */
	RUN_SKIPS
};

/* A way out that was given up for the rest of a run. */
struct run_stop {
	char account[64];
	char message[512];	/* why, and what cures it */
	enum err_kind kind;	/* ERR_CONFIG: a person must act; ERR_NET: it may come back by itself */
};
enum { RUN_MAX_STOPS = 16, RUN_MAX_REFUSED = 20 };

/* A mail that was refused for good. */
struct run_refusal {
	int64_t reader;
	char reply[256];
};

/* How long mails take by the rates and limits of the ways out. */
struct run_expectation {
	size_t nmails;		/* for all */
	size_t nleft;		/* of these, the day's limits leave over */
	int64_t seconds;	/* the slowest way needs; 0 = none has a rate */
	size_t slowest, nslowest;	/* smtp block, and its mails */
	bool limited;		/* a rate or a limit matters; else text is "" */
	char text[320];		/* "100,000 at 600/min = 2 h 47 min" */
};

struct run_inbox;
struct run_inbox_state;

struct run_report {
	struct run_expectation expected;
	struct run_source_report *sources;
	size_t nsources;
	size_t nsettled;	/* listings that began to count */
	size_t nwaiting;	/* listings that do not count yet, because their votes still settle */
	size_t nheld;		/* of these, on days that are only half filled */
	struct source_silence *silences;	/* of each source of the configuration, once listings are settled; else NULL */
	int64_t next_settled_utc;	/* when the first of them will; 0 = none waits */
	size_t nreaders, ndue, nplanned, nsent, ndeferred, nfailed, nunknown, nempty, nskipped, nexpired;
	size_t nheld_mails;	/* came to wait for a person in this run */
	size_t nuntried;	/* due mails that were not begun: stopped, a way out given up, a limit reached */
	size_t nmerged;		/* earlier editions that became part of a newer one */
	size_t skips[RUN_SKIPS];	/* nskipped, by reason */
	struct run_stop stops[RUN_MAX_STOPS];
	size_t nstops;
	const char **opened;	/* names of the ways out that had mail; borrowed from the configuration */
	size_t nopened;
	struct run_refusal refusals[RUN_MAX_REFUSED];	/* the first of nfailed */
	int64_t started_utc, finished_utc;	/* 0 = not a run, or not finished */
	int64_t started_ms, took_ms;	/* monotonic */
	int exit_code;
	long other_run;		/* process that was sending, so that this one did nothing; 0 = none was */
	size_t nbroken;		/* digests that could not be made; they stay due */
	bool ahead;		/* nothing was due: the next editions were shown as they stand */
	struct run_inbox *inbox;	/* what mails from outside did, see mailing.h; NULL = none were read */
	unsigned faults;	/* enum run_fault */
	struct arena arena;	/* owns the above */
};

void	run_report_init(struct run_report *report);
void	run_report_release(struct run_report *report);
/* The work is at its end: time, and the exit code of its faults. */
void	run_finish_report(const struct run *run, struct run_report *report);
/* The members that digest(1) lists under `run`. Strings are borrowed from the report. */
struct value *run_report_value(const struct run_report *report, struct arena *a);
/* "3 of 5 readers due, 3 planned, 2 sent, 1 deferred, 2 skipped (2 not-due); 0.2 s, exit code 75" */
void	run_report_add_line(const struct run_report *report, struct strbuf *out);
/* "4 new papers, 3 due, 1 sent, 0 empty, 0 deferred, 1 unknown": what went wrong only where it did. */
void	run_report_add_summary(const struct run_report *report, struct strbuf *out);
/* The exit code of all that went wrong: 70 before 74, 78, 75, 69. */
int	run_exit_of_faults(unsigned faults);

/* One mail of a run as it was composed. */
struct run_mail {
	const struct store_reader *reader;
	const struct edition *edition;
	const struct edition_view *view;
	const struct rendered *rendered;	/* decoded, with LF line ends */
	const struct strbuf *bytes;
	int64_t due_utc;	/* when it was or will be due */
	const char *via;	/* "main (smtp.example.org:465, TLS)" */
	const char *period;	/* "2026-08-21" */
};

struct run_options {
	bool fetch;		/* ask the sources that are due */
	bool deliver;		/* plan and hand over what is due */
	bool preview;		/* hand over to on_mail instead of a sink; editions not due yet are shown when nothing is */
	bool accept_removals;
	const char *const *users;	/* canonical addresses; only these readers */
	size_t nusers;
	void *arg;
	/* Each mail in the order of the readers; may be NULL. */
	int (*on_mail)(void *arg, const struct run_mail *mail, struct error *err);
	/* Each reader without one; may be NULL. */
	int (*on_skip)(void *arg, const struct store_reader *reader, enum run_skip why, int64_t next_utc,
	    struct error *err);
};

/*
 * The main job, in order: readers from the configuration, fetch, settle listings, sweep and expire old editions, plan, compose,
 * hand over. One source, reader or mail that fails is reported and the rest goes on; -1 only when nothing can go on
 * (the store, the disk, memory). Another process that sends already: 0 with nothing done and a log line.
 */
int	run_digests(struct run *run, const struct run_options *options, struct run_report *report,
	    struct error *err);

struct run_fetch_options {
	const char *const *names;	/* only these sources */
	size_t nnames;
	int32_t since_day;	/* back-fill from this day; 0 = none */
	bool force;		/* also those not due */
	bool in_run;		/* mail is to be sent afterwards: only a part of delivery.deadline is for this */
};
int	run_fetch(struct run *run, const struct run_fetch_options *options, struct run_report *report,
	    struct error *err);

/* Take in the readers of the configuration; every command that looks at or changes readers begins so. */
int	run_sync_readers(struct run *run, bool accept_removals, struct store_sync_counts *counts,
	    struct error *err);

/* ---- the list by command ---- */

/* A key of digest.conf(5) with its text. */
struct run_key {
	const char *key, *text;
};
/* What is said of a reader by options, in a row of a table or a line of an export. */
struct run_wish {
	const char *address;	/* may have a name, which one among the keys goes before */
	const struct run_key *keys;
	size_t nkeys;
	const struct filter *filters;	/* name, match, limit, sort, when; an empty match removes the filter */
	size_t nfilters;
	const char *const *use;	/* shared filters */
	size_t nuse;
	bool whole;		/* the filters are all there are */
	const char *how;	/* as of struct store_consent */
	const char *consent;	/* what a person said of it, "" = nothing */
	const char *record;	/* consents of an export, which are kept; "" = none */
};
enum run_taken { TAKEN_NEW, TAKEN_CHANGED, TAKEN_SAME };
/*
 * Add a reader by command, or change one added so before: what is said changes, the rest stays; a filter takes the place of the
 * one of its name, or comes after those there are.
 * address	gets it without the name
 * changes	gets what changed, "name, filter mine"
 * Fails with ERR_DATA for a bad address, key or query, ERR_USAGE for a reader of the file ("ada@example.org is in
 * digest.conf:23; edit there") and for one who must not be mailed.
 */
int	run_subscribe(struct run *run, const struct run_wish *wish, enum run_taken *taken, struct strbuf *address,
	    struct strbuf *changes, struct error *err);
/* End and suppress: no mail until `subscribers resume --consent`. */
int	run_unsubscribe(struct run *run, const char *address, struct error *err);
/* By the token of a mail. */
int	run_unsubscribe_token(struct run *run, const char *token, struct strbuf *address, struct error *err);
int	run_pause(struct run *run, const char *address, int32_t until_day, struct error *err);
/* End a pause, and with a consent a suppression; *was says what there was to end. PAUSED: a suppression, while the reader's
 * block says a pause, which only the block can end. */
enum run_resumed { RESUMED_NOTHING, RESUMED_PAUSE, RESUMED_SUPPRESSION, RESUMED_PAUSED, RESUMED_STRANGER };
int	run_resume(struct run *run, const char *address, const char *consent, enum run_resumed *was, struct error *err);
/*
 * Forget a person but for the hash that keeps them from being mailed, down to the bytes of the store's files. Fails with ERR_TEMP
 * when the rows are gone but another process kept the bytes from being overwritten; done again it then finishes.
 */
int	run_erase(struct run *run, const char *address, struct error *err);

/* The identity of an address as the store knows it. Fails with ERR_DATA. */
int	run_canonical(const char *address, struct arena *a, const char **out, struct error *err);

/* ---- papers ---- */

/* PAPER is an id, a DOI, a URL or words of the title, else of anything in it: 1 found, 0 not, -1. */
int	run_find_paper(struct run *run, const char *text, struct arena *a, struct paper **out,
	    struct error *err);
/*
 * A paper that the store does not have, from the service that knows its key, which is asked in its turn; it is not stored.
 * 1 found, 0 there is none or no service is known for such a text, -1: ERR_NET and what the service did.
 */
int	run_fetch_paper(struct run *run, const char *text, struct arena *a, struct paper **out, struct error *err);
/* Whether each source of the configuration, in its order, would have brought a paper. */
struct run_origin {
	const struct config_source *source;
	enum { ORIGIN_BRINGS, ORIGIN_NEVER, ORIGIN_UNSURE } brings;
};
int	run_find_origins(struct run *run, const struct paper *p, struct arena *a, struct run_origin **out,
	    struct error *err);
struct run_import_counts {
	/* papers */
	size_t nread, nbroken, nnew, nchanged;
	char first_broken[512];	/* "papers.jsonl:3: title: expected a string" */
	char fault[256];	/* from some place on the file is broken, "" = it is not */
	/* readers, each in one of these */
	size_t nadded, nupdated, nsame;
	size_t nleft;		/* left or bounced elsewhere: not mailed here from now on, either */
	size_t nkept_out;	/* must not be mailed here, and stays so */
	size_t nfile;		/* stand in the configuration, which decides */
	size_t nunconfirmed;	/* never said yes: left out */
	size_t nbad;		/* rows and lines that cannot be taken in */
	size_t nhashes;		/* suppressions of an export, by hash */
	char unread[256];	/* columns of a table that say nothing here, "a, b" */
	bool has_readers;	/* it was a table, or had lines of readers */
};
struct run_import_options {
	const char *consent;	/* how the readers of the file agreed, "" = not said; a table needs it */
	/* What is wrong with a row, "list.csv:17:email: ...", at most MAX_INTAKE_TOLD times; may be NULL. */
	void (*tell)(void *arg, const char *message);
	void *arg;
};
/*
 * Take in a file; "-" = standard input. What begins like JSON or XML holds papers in our JSON-lines form, or is a saved answer of
 * a service; they keep the days on which they were listed, so that what is older than the window is mailed to nobody, and one
 * without a day is not listed. Lines of an export may be readers, too. Anything else is a table of readers (CSV), see digest(1).
 * What is wrong with one row or line leaves the others alone. Readers of the configuration are taken in before.
 */
int	run_import(struct run *run, const char *path, const struct run_import_options *options,
	    struct run_import_counts *counts, struct error *err);
/* "active", "paused", "left", "ended", "gone", "broken"; and "file", "command", "mail". */
const char *run_reader_state(struct run *run, const struct store_reader *r);
const char *run_reader_origin(const struct store_reader *r);
/* "unsubscribed", "complaint", "bounced", "operator". */
const char *run_reason_name(enum suppression_reason reason);
/* The block that makes the same reader in the configuration, with its consents as comments; for all but those who left or ended. */
void	run_add_reader_block(struct run *run, struct strbuf *out, const struct store_reader *r, struct arena *a);
/* A reader as a line of an export. Members are listed in digest(1). */
struct value *run_reader_value(struct run *run, const struct store_reader *r, struct arena *a);
/* Everything known of one person: the reader, then each of their editions with its papers; or only that they must not be mailed.
 * Fails with ERR_USAGE when nothing is known. */
int	run_export_person(struct run *run, const char *address, struct arena *a,
	    void (*visit)(void *arg, const struct value *line), void *arg, struct error *err);
/* A reader as run_reader_value() has them, then the digests that left on the day of the last one: with both somebody can go on
 * elsewhere. a is reset. */
int	run_export_reader(struct run *run, const struct store_reader *r, struct arena *a,
	    void (*visit)(void *arg, const struct value *line), void *arg, struct error *err);
/* Each suppression and, before the first, the key of the hashes. a is reset between them. */
int	run_export_suppressions(struct run *run, struct arena *a, void (*visit)(void *arg, const struct value *line),
	    void *arg, struct error *err);
/*
 * Append a paper of the store as a JSON line, with its newest listing that counts (where none does yet, the newest);
 * earlier: and a short line for each other listing, so that an import of all lines gives all listings back.
 */
int	run_add_paper_lines(struct run *run, struct strbuf *out, const struct paper *p, bool earlier, struct arena *a,
	    struct error *err);
/* Bring the index of words up to date, in small transactions. An old store's whole index is made in some
 * calls, so that no run is held up for long. */
int	run_update_search(struct run *run, struct error *err);

/* ---- try: what a query would have brought ---- */

enum { RUN_TRY_FIELDS = 32 };

struct run_try_options {
	const char *query;
	const char *address;	/* @names and overlaps are those of this reader; NULL = nobody */
	const char *instead_of;	/* name of a filter it would replace, NULL = none */
	const char *instead_of_match;	/* its query, NULL = the one the reader has */
	size_t ndays;		/* stored days to look at, today included */
	enum sort_order sort;
	uint32_t limit;		/* of best */
};

struct run_try_day {
	size_t nlisted, nmatched;	/* papers first listed on it */
};
struct run_try_clause {
	const char *text;	/* canonical */
	unsigned depth;		/* how many clauses it stands in */
	size_t npapers;		/* it alone finds */
};
struct run_try_field {
	const char *name;
	size_t nknown;		/* papers of which it is known */
};
struct run_try_filter {
	const char *name;
	size_t npapers, nboth;	/* it finds; both find */
};

struct run_trial {
	int32_t first_day;
	size_t ndays;
	struct run_try_day *days;
	size_t npapers, nmatched;
	struct run_try_clause *clauses;	/* each before those in it */
	size_t nclauses;
	struct run_try_field fields[RUN_TRY_FIELDS];	/* it asks for, not known of all papers */
	size_t nfields;
	struct run_try_filter *filters;	/* of the reader */
	size_t nfilters;
	const struct paper **best, **missed;	/* missed: popular ones it does not find */
	size_t nbest, nmissed;
	const struct paper **gained, **lost;	/* against instead_of; those with the most votes first, at most 10 */
	size_t ngained_shown, nlost_shown, ngained, nlost;
	size_t wrong;		/* on failure: the byte of the query at which it is wrong */
};
/* What a query finds in the stored days; results live in a. Fails with ERR_DATA for a bad query, ERR_USAGE for a reader or
 * filter there is not. */
int	run_try(struct run *run, const struct run_try_options *options, struct arena *a,
	    struct run_trial *out, struct error *err);
/* The line of a query that holds a byte, and a caret below it. */
void	run_add_caret(struct strbuf *out, const char *query, size_t offset);
/* Filters of the file whose query is another than the one the store knows; before lives until visit returns. Stops when
 * visit returns non-zero and returns that. */
int	run_each_edited_filter(struct run *run,
	    int (*visit)(void *arg, const struct subscriber *reader, const struct filter *now, const char *before),
	    void *arg, struct error *err);

/* ---- search: papers of the whole store ---- */

enum { RUN_SEARCH_HINTS = 3 };

struct run_search_options {
	const char *query;	/* NULL = every paper; may be so only with similar */
	const char *similar;	/* id, DOI, URL or words of a paper: more like this; NULL = none */
	const char *address;	/* @names are those of this reader; NULL = only shared ones */
	size_t ndays;		/* only papers listed in so many days, today included; 0 = all of the store */
	enum sort_order sort;	/* with similar SORT_RELEVANCE is how like it they are */
	uint32_t limit;		/* at most MAX_SECTION_PICKS */
};

struct run_mark {
	size_t start, end;	/* bytes */
};
struct run_found {
	const struct paper *paper;
	double score, text, votes, trend, freshness;	/* as of a pick of a digest, the store taken for the window */
	const char *why;	/* "nerf, votes>=30" */
	struct run_mark *title, *abstract;	/* words that matched, ascending */
	size_t ntitle, nabstract;
};
struct run_hint {
	const char *word, *near;	/* a word that no paper has, and one spelled nearly so */
};

struct run_search_result {
	size_t npapers;		/* there are in the store, or of these days */
	size_t nmatched;	/* with similar: of those looked at */
	struct run_found *found;
	size_t nfound;
	const struct paper *similar;	/* that was meant, NULL = none */
	const char **terms;	/* of it, by which others were found; rarest first */
	size_t nterms;
	/* When nothing matched: */
	struct run_hint hints[RUN_SEARCH_HINTS];
	size_t nhints;
	size_t nearlier;	/* match in the whole store, not in these days */
	size_t wrong;		/* on failure with ERR_DATA: the byte of the query at which it is wrong; SIZE_MAX = it is not */
};
/*
 * What a query finds in the store: exactly the papers for which match_evaluate() says so; papers whose words are not indexed
 * yet are looked at too. Reads the store only. Results live in a. Fails with ERR_DATA for a bad query or a paper there is not,
 * ERR_USAGE for a reader there is not.
 */
int	run_search(struct run *run, const struct run_search_options *options, struct arena *a,
	    struct run_search_result *out, struct error *err);

/* ---- explain: why a reader got a paper, or did not ---- */

enum run_explain_verdict {
	EXPLAIN_PICKED,		/* it stood in a digest, under one of the filters */
	EXPLAIN_OUTSIDE,	/* it stood there as popular outside the filters */
	EXPLAIN_CUT,		/* it matched but was over a limit, and was named as a title */
	EXPLAIN_NOT_NAMED,	/* a filter holds, but no digest named it: over a limit, or it did not hold yet */
	EXPLAIN_NEXT,		/* the next digest has it, as things stand */
	EXPLAIN_SENT,		/* it was sent, in a digest that is no longer kept */
	EXPLAIN_UNSETTLED,	/* its listing does not count yet */
	EXPLAIN_TOO_OLD,	/* it was listed before this reader's digests began to look */
	EXPLAIN_WAITS,		/* a filter with days of its own holds, and has its turn at next_utc */
	EXPLAIN_NO_MATCH,	/* no filter of this reader holds */
	EXPLAIN_UNKNOWN,	/* the store does not have it; a filter would hold */
};

struct run_explained_clause {
	const char *text;	/* canonical */
	unsigned depth;		/* how many clauses it stands in */
	bool holds;
	const char *field, *place;	/* where it was found first: "title" and its text; "" = nowhere */
	size_t start, end;	/* of the hit in place */
};
struct run_explained {
	const char *name;	/* of the filter */
	bool holds;
	struct run_explained_clause *clauses;	/* each before those in it */
	size_t nclauses;
};

struct run_explanation {
	const char *address;
	const struct subscriber *reader;
	enum run_explain_verdict verdict;
	const struct edition *edition;	/* that holds it, or the first that could have; NULL = none yet */
	const struct edition_pick *pick;	/* its place there, or of EXPLAIN_NEXT in the one that is to come; NULL = none */
	size_t place, nplaces;	/* of pick: which of how many its section found, those cut included; from 1 */
	uint32_t limit;		/* of that section as it stands now; 0 = it is gone, or no filter's */
	char period[32];	/* of edition */
	int64_t next_utc;	/* when the next digest, or of EXPLAIN_WAITS that section, is due; 0 = not looked up */
	const char *waiting;	/* of EXPLAIN_WAITS the filter */
	int64_t at_utc;		/* the filters were asked as of then */
	int64_t votes;		/* it had then, -1 = none told */
	struct run_explained *filters;
	size_t nfilters, nholding;
};
/*
 * p		of the store, or of run_fetch_paper(): then the filters are asked as of now
 * Each reader, or the one named (ERR_USAGE when there is none); the store is open as an overlay. What visit gets lives until it returns. Stops when visit
 * returns non-zero and returns that.
 */
int	run_explain(struct run *run, const char *address, const struct paper *p,
	    int (*visit)(void *arg, const struct run_explanation *e), void *arg, struct error *err);

/* ---- templates ---- */

/*
 * The templates of the configuration, with those of its folder when it has one. Fails with ERR_CONFIG and the first fault of a
 * template; one of a language is told when a mail in it is made, see render_check_language().
 */
int	run_load_templates(const struct run *run, struct render **out, struct error *err);

/* What a file in the folder of templates is beside the built-in one. */
enum run_copy {
	COPY_NONE,	/* there is no such file: the built-in one is used */
	COPY_SAME,	/* word for word the built-in one */
	COPY_CHANGED,	/* made of the built-in one there is now, and changed */
	COPY_OLDER,	/* made of a built-in one of another version */
	COPY_UNKNOWN,	/* it does not say which it was made of, and differs */
	COPY_OWN,	/* nothing built in has its name: a language of a person, or no template at all */
};
const char *run_copy_name(enum run_copy copy);	/* "", "same", "changed", "older", "unknown", "own" */

enum { RUN_MISSING_SHOWN = 5 };

struct run_template {
	struct render_template file;	/* without a line of its origin in text; fault as it was found */
	enum run_copy copy;
	const char *stamp;	/* the first line of a copy made now, NULL = nothing built in has that name */
	const char *made_of;	/* the built-in one it says to be made of, "" = it does not say */
	bool has_stamp;		/* the first line tells of its origin, and was taken off text */
	const char *missing[RUN_MISSING_SHOWN];	/* texts of a language that stay English */
	size_t nmissing;	/* there are of them */
};
/* All templates, built-in ones and files, also those with a fault; no templates.dir there yet is fine. Results live in a. */
int	run_list_templates(const struct run *run, struct arena *a, struct run_template **out, size_t *n,
	    struct error *err);
/* How the built-in one becomes the file. out is left empty when they are the same. */
int	run_diff_template(const struct run_template *t, struct strbuf *out, struct error *err);
/*
 * Copy built-in templates (NULL = all) into templates.dir, which is made when it is missing; the first line of a copy says what
 * it was made of. told gets the path of each. Without force nothing is written when any of them is there. Fails with
 * ERR_USAGE, ERR_CONFIG (no templates.dir), ERR_IO.
 */
int	run_copy_templates(const struct run *run, const char *const *names, size_t n, bool force,
	    void (*told)(void *arg, const char *path), void *arg, struct error *err);
/* Draw a template, or a file with a slash in its path, with the JSON object of a file, "-" = standard input. Fails with
 * ERR_USAGE, ERR_DATA, ERR_IO, ERR_CONFIG. */
int	run_draw_template(const struct run *run, const char *name, const char *data_path, struct strbuf *out,
	    struct error *err);

/* ---- the outbox: mail that is not settled ---- */

struct run_unsettled {
	const struct edition *edition;
	const char *address;
	char period[32];	/* "2026-08-21", "run-17" */
};
/* In the order of store_each_unsettled. Stops when visit returns non-zero and returns that. */
int	run_each_unsettled(struct run *run, int (*visit)(void *arg, const struct run_unsettled *mail), void *arg,
	    struct error *err);

enum run_outbox_verb {
	OUTBOX_RETRY,		/* deferred mail is due now; of a reader who is named also unknown and held mail */
	OUTBOX_HOLD,		/* deferred and unknown mail is kept back */
	OUTBOX_RELEASE,		/* what was held by hand is due now; of a reader who is named all that is held */
	OUTBOX_DROP,		/* deferred, unknown and held mail is given up, see store_drop_edition */
};
struct run_outbox_counts {
	size_t nchanged;
	size_t nleft;		/* not settled, but not for this verb */
	size_t nbusy;		/* of these, taken by a run that goes on or was killed */
};
/* Mail of one reader (NULL = all) and one period (NULL = all). */
int	run_change_outbox(struct run *run, enum run_outbox_verb verb, const char *address, const char *period,
	    struct run_outbox_counts *counts, struct error *err);

/* The brake: no mail leaves, not even from a process that sends already, until it is taken off. */
int	run_hold_all(struct run *run, bool hold, struct error *err);
/* 1 = the brake is on since then, 0 = off, -1. */
int	run_find_hold(struct run *run, int64_t *since_utc, struct error *err);

struct run_past {
	const struct edition *edition;
	const char *address;
	char period[32];
	size_t nshown;		/* papers in the mail */
};
/* The newest editions, of one reader or all (NULL). Fails with ERR_USAGE for somebody who is no reader. */
int	run_load_history(struct run *run, const char *address, size_t max, struct arena *a, struct run_past **out,
	    size_t *n, struct error *err);

/* ---- what is next ---- */

struct run_next {
	const char *address;	/* of the reader who is next, "" = nobody */
	int64_t due_utc;
	char wall[64];		/* "Tue 06:45 Europe/London" */
	size_t nactive;
	size_t ndue;		/* due already */
	struct run_expectation all;	/* if each of nactive got a mail */
	size_t npaused;
	const char *paused;	/* the first of them, "" = nobody */
	int32_t paused_until;	/* its day */
	size_t nlate;		/* readers for whom, at their last hour within a week, no run came for over an hour */
	int64_t longest_wait_s;	/* of these */
};
int	run_find_next(struct run *run, struct run_next *out, struct arena *a, struct error *err);

/* "Tue 06:45 Europe/London" of a moment in a zone ("" = this machine's). */
void	run_format_wall(const struct run *run, const char *zone, int64_t utc, char *out, size_t size);

/* "in 14 h", "2 days ago". */
void	run_format_span(int64_t seconds, char *out, size_t size);

/* ---- how things stand ---- */

enum { RUN_STATUS_DAYS = 14 };

struct run_source_status {
	const char *name, *type;
	struct store_source *state;	/* NULL = no store yet */
	int32_t newest_day;		/* on which it listed a paper, 0 = none */
	struct source_silence silence;	/* text "" = no store yet */
	/* Filled by run_load_sources(): */
	size_t npapers;			/* it ever listed, of those kept */
	const struct paper *newest;	/* of its newest list, NULL = none */
	size_t counts[RUN_STATUS_DAYS];	/* papers it listed on each of the last days, today last */
	int32_t today;			/* in UTC */
	int64_t next_utc;		/* when a run may ask it again, by its interval, a back-off or Retry-After; 0 = now */
};

enum { MAX_SILENT_SHOWN = 5 };

/* A digest that was empty and not mailed. */
struct run_silent {
	const char *address;
	char period[32];
	const char *text;	/* why: "none of 12 new papers matched" */
};

struct run_status {
	bool has_store;			/* false: all below but the sources' names is zero */
	struct store_sizes sizes;
	struct store_run *last;		/* NULL = no run yet */
	long sender;			/* process of the run under way, 0 = none is, or it is not known */
	int64_t finished_utc;		/* when a run last came to its end, 0 = never */
	int64_t gap_s;			/* between the two newest runs, 0 = there are not two */
	size_t nsent_day, nfailed_day;	/* by the runs of the last 24 hours */
	size_t unsettled[EDITION_EMPTY + 1];	/* by state */
	size_t nlate;			/* of those deferred: composed more than a day ago */
	bool on_hold;			/* see run_hold_all */
	int64_t hold_since_utc;
	const char *broken;		/* why the last run could not make some digests, "" = it could */
	struct value *report;		/* of the last run, see run_report_value; NULL = none */
	struct run_next next;
	struct run_source_status *sources;
	size_t nsources;
	struct run_silent *silents;	/* the newest digests of the last day that came to nothing, at most MAX_SILENT_SHOWN */
	size_t nsilents;
	struct run_inbox_state *inbox;	/* see mailing.h; NULL = no store yet */
	struct store_suppression *stopped;	/* who gets no mail any more, the newest, at most MAX_SILENT_SHOWN */
	size_t nstopped;
};
/* All that is known of each source. Opens the store if there is one. */
int	run_load_sources(struct run *run, struct arena *a, struct run_source_status **out, size_t *n,
	    struct error *err);
/* Opens the store if there is one. */
int	run_load_status(struct run *run, struct arena *a, struct run_status *out, struct error *err);
/* Append what a person must act on, joined by "; ". Returns its enum run_fault, 0 = all is well. */
unsigned	run_judge_status(const struct run *run, const struct run_status *status, struct strbuf *out);

/* ---- is everything in order ---- */

enum run_verdict { VERDICT_OK, VERDICT_WARN, VERDICT_FAIL };

struct run_check_options {
	bool offline;		/* do not ask the sources */
	const char *send;	/* also send a test mail there, NULL = no */
	void *arg;
	/* One thing that was looked at; cure "" = none is known, or the text says it. */
	void (*say)(void *arg, enum run_verdict verdict, const char *what, const char *text, const char *cure);
};
/*
 * Look at configuration, templates, key, store (each page of it), clock, zone, sources, ways out and addresses. Opens the
 * store if there is one; changes nothing, but for the test mail. Returns the enum run_fault of all that failed.
 */
unsigned	run_check(struct run *run, const struct run_check_options *options);

/* Every sink is on loopback, a file or a Maildir: --now may be given to commands that send. */
bool	run_sinks_are_local(const struct config *cfg);

#endif
