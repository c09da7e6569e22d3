/* stages.h - what the files of run/ share: the steps of a run and the records that pass between them. */
#ifndef DIGEST_RUN_STAGES_H
#define DIGEST_RUN_STAGES_H

#include <jansson.h>

#include "digest/address.h"
#include "digest/match.h"
#include "digest/message.h"
#include "digest/run.h"
#include "digest/schedule.h"
#include "digest/sink.h"
#include "digest/smtp.h"
#include "digest/source.h"
#include "digest/tz.h"

struct planner;

/* ---- checks.c: what the parser of the configuration asks of other stages ---- */

extern const struct config_checks run_config_checks;

/* ---- run.c, prune.c ---- */

/* The clock may be wrong: nothing is given up or removed for its age. */
bool	run_is_after_long_pause(const struct run *run, int64_t now_utc);
/* What a run does once a day, at its end. */
int	prune_daily(struct run *run, int64_t now_utc, struct error *err);

/* ---- zones.c ---- */

int	zones_new(struct zone_cache **out, struct error *err);
void	zones_free(struct zone_cache *zones);
/* The zone of that name, read once; borrowed. NULL with err. */
const struct tz *zones_get(struct zone_cache *zones, const char *name, struct error *err);
/*
 * The zone of that name, "" = this machine's. For one that the system does not have (any more) this machine's stands in, or UTC: a
 * mail at another hour is better than none. That is told once for each such zone. NULL with err when there is no memory.
 * stands_in	gets whether it is another zone
 */
const struct tz *zones_get_any(const struct run *run, const char *name, bool *stands_in, struct error *err);

/* ---- due.c: which readers are due ---- */

/* One reader whose edition is due, or would be next. */
struct due {
	int64_t reader;
	int64_t period;		/* key of the edition */
	int64_t due_utc;
	int64_t since_utc;	/* papers first listed from then on are new */
	int32_t day, since_day;	/* nominal day (of a welcome today); first day covered */
	uint32_t nperiods;	/* of the schedule since then: more than one when editions were missed or never left */
	int64_t window_utc;	/* how far back the longest of its sections looks */
	int32_t waits_since_min;	/* minutes since 1970: since when the reader waits; editions that were missed count */
	bool own;		/* by the reader's schedule; else only by those of some filters */
	bool paused;		/* the reader's day is before the end of the pause, which is due_utc */
	bool stands_in;		/* the reader's zone is gone, see zones_get_any() */
	bool moved;		/* the editions before this one were made elsewhere */
};

/* "2026-08-21" or "run-17". */
void	period_format(int64_t period, char out[DATE_RFC3339_SIZE]);

/*
 * When the reader's edition is due. 1 = due now (out says which), 0 = not yet (out is the next one), -1 = the
 * schedule of the reader cannot be read.
 * run_id	the period of `always`
 */
int	due_find(struct run *run, const struct store_reader *reader, int64_t now_utc, int64_t run_id,
	    struct due *out, struct error *err);
/* The last moment at which the reader's schedule asked for a digest at an hour it names; 0 = it names none, or there was none
 * since the reader came or was last paused. */
int64_t	due_last_hour(struct run *run, const struct store_reader *reader, int64_t now_utc);
/* The reader's day, as the clock shows it there. */
int32_t	due_local_day(struct run *run, const struct store_reader *reader, int64_t now_utc);
/* Whether it is a day of the reader's pause. */
bool	due_is_paused(struct run *run, const struct store_reader *reader, int64_t now_utc);
/* An unsettled edition that becomes part of the one that is due: no copy of it can be out, and nobody holds it. */
bool	due_is_merged(const struct due *due, const struct edition *unsettled);

/* A filter with a schedule of its own that has its turn in an edition. */
struct due_slot {
	size_t filter;		/* its number */
	struct store_slot from;	/* where it looked last */
	int32_t day;		/* of its schedule */
	int64_t since_utc;	/* papers first listed from then on are new: its whole period */
};
/* Those of an edition that is due, or would be next; ascending by filter, in a. */
int	due_load_slots(struct run *run, const struct store_reader *reader, const struct due *due, int64_t now_utc,
	    struct arena *a, struct due_slot **out, size_t *n, struct error *err);
/* When one of them, given by its number, has its turn next, and up to where it looked; for a filter with a schedule of its own. */
int	due_find_turn(struct run *run, const struct store_reader *reader, size_t filter, int64_t now_utc,
	    struct arena *a, int64_t *due_utc, int64_t *cursor_seq, struct error *err);

/* ---- fetch.c, cache.c ---- */

/* What the configuration says of requests; borrowed from it. */
void	fetch_http_options(const struct config *cfg, struct http_options *out);

/* The directory for answers of previews, or "" when there is none; made when missing. */
void	cache_dir(struct strbuf *out);
/* 1 = a fresh answer was there, 0 = none. */
int	cache_load(const char *dir, const char *url, int64_t now_utc, int64_t max_age_s,
	    struct http_answer *answer);
void	cache_save(const char *dir, const char *url, int64_t now_utc, const struct http_answer *answer);
/* When a preview may ask a service: now_ms, or gap_ms after the last request that a preview noted; the store forgets those
 * of an overlay. One that is more than an hour away is not believed. */
int64_t	cache_next_request(const char *dir, const char *service, int64_t now_ms, int64_t gap_ms);
void	cache_note_request(const char *dir, const char *service, int64_t at_ms);

/* ---- silence.c: why nothing came ---- */

/* What is known of a source. */
struct source_facts {
	int64_t now_utc;
	bool weekdays_only;	/* by its own word nothing is listed on Saturdays and Sundays */
	bool closed;		/* the configuration says that today is a holiday */
	int64_t settle_s;
	const struct store_source *state;
	const struct store_day *days;	/* ascending, from SILENCE_KNOWN_DAYS before today on */
	size_t ndays;
};
/* How far back days decide what is usual for a weekday. */
enum { SILENCE_KNOWN_DAYS = 63 };

/* How many papers the source usually lists on such a weekday: the median of the last eight. -1 = fewer than three of them are
 * known. */
int64_t	silence_usual(const struct store_day *days, size_t n, int32_t day);
/* All but the text. */
void	silence_judge(const struct source_facts *facts, struct source_silence *out);
/* out->text lives in a, as everything read for it. */
int	silence_of_source(struct run *run, const struct config_source *source, int64_t now_utc, struct arena *a,
	    struct source_silence *out, struct error *err);
/* Every source of the configuration: as many as it has. */
int	silence_of_all(struct run *run, int64_t now_utc, struct arena *a, struct source_silence **out, struct error *err);

/* What is known of a reader whose digest is empty. */
struct reader_facts {
	int32_t today, paused_until;	/* days; 0 = not paused */
	size_t nread;		/* papers that were new for the reader */
	size_t nsent, nunsent;	/* papers of the window that match: sent before, not sent */
};
enum reader_silence silence_of_reader(const struct reader_facts *facts);
/* "no-match": how an empty edition remembers it in its note. */
const char *silence_reader_name(enum reader_silence why);
/* "none of 12 new papers matched" of such a name. */
const char *silence_reader_text(const char *name, size_t nread, struct arena *a);

/* ---- note.c: the note line of a mail, and the mail that tells of silence ---- */

/* What was odd about the sources, in the reader's language; "" = nothing. Lives in a. */
int	note_odd(struct run *run, const struct render *render, const struct source_silence *silences,
	    const struct subscriber *reader, struct arena *a, const char **out, struct error *err);
/*
 * An edition without papers of its own: it becomes a mail that tells why, with its near misses, when one is due, else
 * EDITION_EMPTY with the reason as its note.
 */
int	note_silence(struct run *run, const struct render *render, struct planner *planner,
	    const struct source_silence *silences, const struct store_reader *reader, const struct due *due,
	    struct arena *a, struct edition *edition, struct error *err);
/* A cut pick that belongs to no section came near to the filters and is none of their papers. */
bool	note_is_near(const struct edition_pick *pick);
/* Papers that a filter of the reader found and the mail shows. */
bool	note_has_papers(const struct edition *edition);

/* ---- settle.c: when listings begin to count ---- */

/* How long after the beginning of its day a paper of the source counts, in seconds. */
int64_t	settle_time_of(const struct config_source *source);

/*
 * Listings whose time has come count, but those of a day that is only half filled wait until it has filled up or has been
 * waited for long enough. Fills nsettled, nheld, nwaiting, next_settled_utc and silences of the report.
 */
int	settle_listings(struct run *run, int64_t now_utc, struct run_report *report, struct error *err);
/* For commands that look, in an overlay: those whose time has come count. */
int	settle_now(struct run *run, int64_t now_utc, struct error *err);

/* ---- papers.c ---- */

/* The papers of a file that was read, into the store. */
int	papers_import(struct run *run, const char *path, const char *bytes, size_t len,
	    struct run_import_counts *counts, struct error *err);

/* ---- queries.c ---- */

/*
 * A query with its @names expanded, for match_compile().
 * reader	whose filters @names mean first; NULL = only the shared ones
 * name		of the filter it belongs to, "" = none
 * offset	of what is wrong, in text; may be NULL
 */
int	queries_read(const struct config *cfg, const struct subscriber *reader, const char *name,
	    const char *text, struct arena *a, struct query **out, size_t *offset, struct error *err);
/* The query of the filter that @name means, for the same reader; NULL = there is none. */
const char *queries_find(const struct config *cfg, const struct subscriber *reader, const char *name);

/* ---- programs.c: the compiled filters of readers, kept in the store ---- */

struct programs;

int	programs_new(struct run *run, struct programs **out, struct error *err);
void	programs_free(struct programs *programs);
/* What all of them ask papers for; grows with the readers whose filters are compiled. */
struct match_literals *programs_literals(struct programs *programs);
/* One for each filter, in a: as stored, or compiled now where they are not. */
int	programs_load(struct programs *programs, const struct store_reader *reader, struct arena *a,
	    struct program ***out, struct error *err);
/* Keep what was compiled since the last time. Inside a transaction. */
int	programs_save(struct programs *programs, struct error *err);

/* ---- risen.c: papers whose signals have grown ---- */

/* A paper with the votes, comments and stars it had at that time. */
int	risen_go_back(struct run *run, const struct paper *p, int64_t at_utc, struct arena *a, struct paper *then,
	    struct error *err);
/*
 * Whether a paper that a query finds now had counted as listed at the reader's last edition and was not found then: the
 * query reads signals, and they have grown. 1, 0 or -1.
 * number	of the paper in the index
 * last_utc	of that edition; 0 = there was none
 */
int	risen_judge(struct run *run, struct match_index *index, const struct program *program, uint32_t number,
	    const struct paper *p, int64_t last_utc, struct arena *a, struct error *err);

/* ---- propose.c: a query as a question to the index of words ---- */

/* What papers must have to satisfy an expanded query, or more papers. Lives in a; NULL when it is full. */
const struct store_words *propose_words(const struct query *q, struct arena *a);

/* ---- similar.c: more like this ---- */

/*
 * The words by which a paper is told from others: those of title, keywords and abstract that it has often and others rarely,
 * as a query that any of them satisfies. *out is NULL when it has none.
 * terms	gets them, the weightiest first
 */
int	similar_query(struct store *store, const struct paper *p, size_t npapers, struct arena *a, struct query **out,
	    const char ***terms, size_t *nterms, struct error *err);

/* ---- plan.c: the papers of the window against one reader ---- */

/* since_utc	the oldest moment any reader of this run looks back to */
int	planner_new(struct run *run, int64_t since_utc, int64_t now_utc, struct planner **out,
	    struct error *err);
void	planner_free(struct planner *planner);
/* Whoever plans holds this lock of the store, which is given to others while papers are matched. */
void	planner_share_store(struct planner *planner, pthread_mutex_t *lock);
/* Pick a reader's papers: fills out but for state and hash. Results live in a. */
int	planner_plan(struct planner *planner, const struct store_reader *reader, const struct due *due,
	    struct arena *a, struct edition *out, struct error *err);
/* Of the papers of the window that some filter of the reader matches: how many were sent before, and how many not. */
int	planner_count_matching(struct planner *planner, const struct store_reader *reader, const struct due *due,
	    struct arena *a, size_t *nsent, size_t *nunsent, struct error *err);
/* Put the papers of the window that come nearest to the reader's filters before the edition's picks: near misses. */
int	planner_add_near(struct planner *planner, const struct store_reader *reader, const struct due *due, size_t max,
	    struct arena *a, struct edition *edition, struct error *err);
/* Keep the filters that were compiled. Inside a transaction. */
int	planner_save(struct planner *planner, struct error *err);
/* A paper of the window at the revision it has now, else NULL. */
const struct paper *planner_find_paper(const struct planner *planner, int64_t id, uint32_t revision);

/* ---- compose.c: an edition as a mail ---- */

struct composer;

/* planner	where papers are looked up first; NULL = only the store's snapshots */
int	composer_new(struct run *run, const struct planner *planner, struct composer **out,
	    struct error *err);
void	composer_free(struct composer *composer);

/* A mail ready to leave, and all it was made from. Lives until released; strings in the arena given. */
struct composed {
	struct store_reader *reader;
	struct edition edition;
	struct due due;
	struct edition_view view;
	struct rendered rendered;	/* empty when only the bytes count */
	struct address to;
	const char *sender;	/* of the envelope */
	const struct tz *tz;	/* of the reader */
	int64_t date_utc;	/* of the mail; composer_prepare takes when the edition was composed */
	struct strbuf bytes;
	char period[DATE_RFC3339_SIZE];
};

void	composed_init(struct composed *mail);
void	composed_release(struct composed *mail);

/* mail->reader, edition and due are given; what the store and the configuration say of the mail is looked up. */
int	composer_prepare(struct composer *composer, struct composed *mail, struct arena *a, struct error *err);
/* Then it is drawn into parts and put together. The edition's hash is that of the bytes. Nothing but the mail is written, so several
 * threads may compose mails of their own. */
int	composer_compose(const struct composer *composer, struct composed *mail, struct rendered *parts, struct arena *a,
	    struct error *err);
/* Between batches, while nobody composes: let go of cards that are too many. */
void	composer_trim(struct composer *composer);
const struct render *composer_render(const struct composer *composer);

/* ---- batch.c: the mails of some readers, by as many threads as there are processors ---- */

/* What all of them are made with. */
struct batch_settings {
	pthread_mutex_t *planning;	/* of the planner and the zones: for one thread at a time */
	pthread_mutex_t *store;		/* of the store; taken behind that of planning */
	struct run *run;
	struct planner *planner;
	struct composer *composer;
	const struct source_silence *silences;
	int64_t now_utc, run_id;
	bool ahead;		/* also those who are not due: their next editions */
	bool keep_parts;	/* of each mail, for somebody who looks at them; else its bytes alone take room */
	bool source_fails;	/* one at least could not be read when it was last asked */
};

struct batch_item {
	enum {
		BATCH_MAIL,	/* mail is composed, or its edition EDITION_EMPTY; whoever takes it makes it another */
		BATCH_SKIPPED,	/* no mail, why says so */
		BATCH_BROKEN,	/* err says what is wrong with this reader's mail */
		BATCH_FAILED,	/* err says why nothing can go on */
	} what;
	enum run_skip why;
	bool merged;	/* an earlier edition became part of it */
	struct composed mail;	/* mail.reader is known but in BATCH_FAILED */
	struct error err;
};

struct batch;
struct pool;

/* settings and pool outlive the batch, and other batches may share them. */
int	batch_new(const struct batch_settings *settings, struct pool *pool, struct batch **out, struct error *err);
void	batch_free(struct batch *batch);
/*
 * Begin to plan and compose the editions of n readers, while the caller does something else; of the batches that share a pool
 * one at a time. What the last ones were is forgotten.
 */
int	batch_start(struct batch *batch, const int64_t *readers, size_t n, struct error *err);
/* Whether all is done; batch_finish() does not wait then. */
bool	batch_is_made(const struct batch *batch);
/* Help, and return when all is done. */
void	batch_wait(struct batch *batch);
/*
 * The same, and take them, in the order of the readers; fails when one of them is BATCH_FAILED, with its error. All lives
 * until batch_reset() or the next start.
 */
int	batch_finish(struct batch *batch, struct batch_item **items, size_t *n, struct error *err);
void	batch_reset(struct batch *batch);

/* ---- deliver.c ---- */

int	deliver_editions(struct run *run, const struct run_options *options, int64_t run_id,
	    struct run_report *report, struct error *err);

/* ---- report.c ---- */

/* A way out is given up for this run; of more than RUN_MAX_STOPS nothing is kept. */
void	report_add_stop(struct run_report *report, const char *account, const struct error *why);
/* One was just counted: keep whom it was refused to, and tell the first of each kind. A relay that is down says the same of a
 * million mails. */
void	report_tell_outcome(struct run *run, struct run_report *report, enum edition_state state,
	    const struct delivery_outcome *o);
/* What a relay said, without the name of the reader it refuses; in a. */
const char *report_hide_name(const struct store_reader *reader, const char *reply, struct arena *a);
/* Keep it as that of the last run. Inside a transaction. */
int	report_save(struct run *run, const struct run_report *report, struct error *err);
/* What was kept, in a; *out = NULL when there is none. */
int	report_load(struct run *run, struct arena *a, struct value **out, struct error *err);

/* ---- templates.c ---- */

/* The same as JSON and as data; strings are copied. For value_check(). */
struct value *value_of_json(const json_t *json, struct arena *a);

/* ---- run.c ---- */

/* list.from as it stands in mails: an address without a name has that of the list, which is what an inbox shows. */
int	run_read_from(const struct config *cfg, struct arena *a, struct address *out, struct error *err);
/* Domains for examples (RFC 2606): an answer or a bounce would reach nobody, so mail from one may not leave this machine. */
bool	run_is_nobodys(const char *domain);
/* -1 with err of ERR_CONFIG when list.from is such a one. */
int	run_check_sender(const struct run *run, struct error *err);

/* ---- retry.c: when a deferred mail is tried again ---- */

/* Whose business a deferred mail is, by the stored reply: "451 4.7.1 come back", or whatever a sink says instead of one. */
enum smtp_blame retry_classify(const char *reply);
/*
 * Seconds until the next try, at most 67 minutes.
 * attempts	tries before the one that was just deferred
 * reader	its number: mails that were deferred together come back spread over a tenth of the time
 */
int64_t	retry_wait_s(enum smtp_blame blame, uint32_t attempts, int64_t reader);

/* ---- status.c ---- */

/* The note of the store that says which digests could not be made. */
extern const char status_broken_note[];
/* Of report.c and operator.c. */
extern const char report_note[], operator_told_note[];

/* What `status` shows of each source; the store is open if out->has_store. */
int	status_load_sources(struct run *run, struct arena *a, struct run_status *out, struct error *err);

/* ---- outbox.c ---- */

/* Why nothing is sent while the brake is on, and what ends that. */
extern const char run_hold_words[];
/* Whether a person held it, by `outbox hold`. */
bool	outbox_is_by_hand(const struct edition *e);

/* ---- expect.c ---- */

/*
 * counts	mails for each smtp block of the configuration
 * from_now	with what the day's limits leave after earlier runs; else of a whole day
 */
int	expect_find(struct run *run, const size_t *counts, bool from_now, struct run_expectation *out, struct error *err);

/* ---- operator.c ---- */

/*
 * At the end of a run: mail to list.operator, if something new needs a person, or something that was told is over.
 * What was told is remembered once that mail is out. -1 only when nothing can go on.
 */
int	operator_tell(struct run *run, const struct run_options *options, const struct store_sync_counts *readers,
	    const struct run_report *report, struct error *err);

/* ---- sinks.c: where mails go ---- */

/*
 * One sink for the ways out of these lanes: those on this machine first, then all relays in one loop. A way that cannot be
 * opened stops its lane only.
 */
int	sinks_open(struct run *run, const unsigned *lanes, size_t n, struct sink **out, struct error *err);
/* Every mail of lane 0 is taken and forgotten. */
int	sinks_open_preview(struct sink **out, struct error *err);
/* Connect to a relay, log in, say goodbye. */
int	sinks_probe(struct run *run, const struct config_smtp *smtp, struct smtp_probe *out, struct error *err);
/* "main (smtp.example.org:465, TLS)". */
void	sinks_describe(const struct config_smtp *smtp, char *out, size_t size);

/* ---- errand.c: one mail that is no edition ---- */

struct errand {
	struct run *run;
	const char *sender;		/* of the envelope */
	const struct address *to;
	const struct strbuf *bytes;
	int64_t until_ms;		/* monotonic; 0 = as long as it takes */
	bool taken, settled;
	struct delivery_outcome result;	/* when settled */
};

/*
 * What such a mail has in common: no way to leave, for nobody is subscribed to it. The caller adds subject and parts.
 * what		tells its Message-ID from those of other mails to the same address
 * id		gets the Message-ID, which the message borrows
 */
struct message errand_message(const struct config *cfg, const struct address *from, const struct address *to,
	    const char *what, int64_t now_utc, char id[MESSAGE_ID_SIZE]);
/* By one way out. Fails as opening and running its sink do; the mail may be settled or not. */
int	errand_send(struct errand *errand, unsigned lane, struct error *err);
/* A signal came, or its time is over. */
bool	errand_must_stop(const struct errand *errand);

#endif
