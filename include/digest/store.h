/* store.h - everything that is remembered, in one SQLite database behind typed calls. No SQL, no SQLite type and no
 * path of the database leaves src/store/.
 *
 * Two lock files stand beside the database, named after it so that two stores in one directory do not block each other:
 * <store>.sender.lock for a whole sending run, <store>.write.lock around every write transaction and checkpoint (both
 * serialised, the WAL-reset bug of SQLite before 3.51.3 cannot strike). Readers are free; an open overlay puts
 * checkpoints off. The locks belong to open files: a child process made by fork must close them (exec does).
 * Calls that write must stand between store_begin() and store_commit(); others fail with ERR_BUG. After a failed call
 * that writes, roll back. */
#ifndef DIGEST_STORE_H
#define DIGEST_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "digest/arena.h"
#include "digest/error.h"
#include "digest/log.h"
#include "digest/paper.h"
#include "digest/strbuf.h"
#include "digest/subscriber.h"

struct store;

enum store_mode {
	STORE_READ,	/* look only: query_only, no checkpoint; where nothing may be written (or the schema is older)
			   through an overlay */
	STORE_WRITE,	/* made when missing (directory 0700, file 0600) */
	STORE_OVERLAY,	/* as STORE_WRITE in all calls, but what is written stays in memory and is gone at the end; the
			   file is only read, may be read-only, may be missing */
};

/*
 * Open and check: header, application id, schema version (older: a backup is written beside it, then the steps run; newer:
 * refused), instance id, clean-close mark, quick_check after an unclean close or below 64 MB; network file systems
 * are refused; FTS5 must be there.
 * Fails with ERR_IO and a sentence that says what to do: "no store at PATH yet; ..." for a missing one in STORE_READ, not a
 * database, damaged (restore a backup), newer, no permission (with the command that cures it), disk full, locked.
 */
int	store_open(const char *path, enum store_mode mode, struct log *log, struct store **out,
	    struct error *err);
/* Marks a clean close. */
void	store_close(struct store *store);

/* Read every page and index and compare them: minutes for a large store. Fails with ERR_IO when it is damaged. */
int	store_check(struct store *store, struct error *err);

/* 32 hexadecimal digits, made with the store. */
const char *store_instance(const struct store *store);

/* 1 = ours until store_close, 0 = another process sends (holder gets its pid, 0 = unknown), -1.
 * STORE_READ: 1 = nobody sends, nothing is locked. STORE_OVERLAY: always 1, nothing is locked. */
int	store_lock_sender(struct store *store, long *holder, struct error *err);

/* ---- which copy of a store may send: acting.c ---- */

/*
 * Before the first mail of a run, with the sender's lock held: this process is the one that sends. Fails with ERR_CONFIG and
 * a sentence with the cure (store_adopt) when the store is older than what was sent from it here, was used on another
 * machine last, or the clock stands over 24 h before the last run. A copy that was put back from a backup is so told.
 * From then on every transaction fails with ERR_TEMP once another process has taken charge.
 * Modes but STORE_WRITE only look.
 * far_dir	a folder that backups leave out, where a witness is kept as well; NULL = none
 * last_utc	when charge was taken last, 0 = never
 */
int	store_take_charge(struct store *store, const char *far_dir, int64_t now_utc, int64_t *last_utc,
	    struct error *err);
/* A person says that the store at hand is the one that sends from now on, whatever it looks like, and that the clock is right.
 * What it calls unsettled may be out since: all of that is held. Days after tomorrow that had editions by a clock that ran
 * ahead have none yet: they are forgotten, but for the papers. With the sender's lock held. */
int	store_adopt(struct store *store, const char *far_dir, int64_t now_utc, size_t *nheld, struct error *err);
/*
 * Put the database in the file from in the place of the store at path; what was there is kept as "<path>.before-restore" with
 * its log. The file is read to its end and checked first. Nobody may have the store open for writing: ERR_TEMP.
 * The restored store does not send before store_adopt().
 */
int	store_restore(const char *path, const char *from, struct error *err);

/* Secure room on the disk for what becomes of so many mails. After a lease, before the first of them leaves. ERR_IO when there
 * is none. */
int	store_reserve(struct store *store, size_t nmails, struct error *err);

/* A write transaction; waits at most 30 s for another process's. durable: synced to disk when it returns. */
int	store_begin(struct store *store, struct error *err);
int	store_commit(struct store *store, bool durable, struct error *err);
void	store_rollback(struct store *store);
/* The end of a transaction whose work gave rc: commit when that is 0, else roll back. Returns -1 when either failed. */
int	store_end(struct store *store, int rc, bool durable, struct error *err);
/*
 * The same as durable, in two steps: what was committed until store_flush_start() is on the disk when store_flush_wait() has
 * returned 0, and the store may be used meanwhile. One at a time: another start waits for the first. Not in a transaction, and
 * after a durable commit, which has put the log's name on the disk.
 */
int	store_flush_start(struct store *store, struct error *err);
int	store_flush_wait(struct store *store, struct error *err);

/* A small remembered text ("config-path"); "" when never set. */
int	store_get_note(struct store *store, const char *name, struct arena *a, const char **out,
	    struct error *err);
/* Whether somebody else has written to the store since this was asked last: 1, 0. Much cheaper than to look what it was. */
int	store_was_written(struct store *store, struct error *err);
int	store_set_note(struct store *store, const char *name, const char *text, struct error *err);

/* ---- papers: papers.c, window.c ---- */

struct store_put_counts {
	size_t nnew, nchanged, nsame, nlistings;
};

/*
 * Take in papers of one source: found again by any alias, merged field by field in the order of trust that
 * digest-source(7) states, papers that one record names together made one, listings and signals added. Every new
 * listing, replacement, withdrawal, changed field or signal gives the paper a new change_seq; what a card shows gets a new
 * revision only when it changes. The same papers put again change nothing.
 * A listing that is read over SIGNAL_WINDOW_DAYS after its day, and not because the source's days were missed
 * (cursor_day), never makes its paper new.
 * source	its name in the configuration
 * type		what kind it is: decides how far it is trusted
 * settle_s	how long after its listing a paper counts, see store_settle_listings
 */
int	store_put_papers(struct store *store, const char *source, const char *type,
	    struct paper *const *papers, size_t n, int64_t settle_s, int64_t now_utc,
	    struct store_put_counts *counts, struct error *err);

/* Listings whose time has come begin to count; their papers get a new change_seq. Days whose votes changed are ranked. */
int	store_settle_listings(struct store *store, int64_t now_utc, size_t *nsettled, struct error *err);

/* How many listings still wait, and when the next one will count (0 = none). */
int	store_count_waiting(struct store *store, size_t *nwaiting, int64_t *next_utc, struct error *err);

/*
 * All papers with a listing that counts and that were first listed at or after since_utc; in the order of their ids,
 * complete with signals, trend (as of now_utc), rank and sources.
 */
int	store_load_window(struct store *store, int64_t since_utc, int64_t now_utc, struct arena *a,
	    struct paper ***out, size_t *n, struct error *err);

/* The last day on which a paper was listed for the first time, of the listings that count; 0 = none does. */
int	store_load_last_day(struct store *store, int32_t *out, struct error *err);

/* The newest change_seq given out. */
int	store_change_seq(struct store *store, int64_t *out, struct error *err);

/* By key or alias, in any spelling of paper_add_key: 1 found, 0 not, -1. The trend of a single paper is as of its newest
 * signal. The number of a paper that was merged into another finds that one. */
int	store_find_paper(struct store *store, const char *key, struct arena *a, struct paper **out,
	    struct error *err);
int	store_load_paper(struct store *store, int64_t id, struct arena *a, struct paper **out,
	    struct error *err);
/* Papers whose title holds all the words given (parts of words too, ASCII case ignored), newest first, at most max. */
int	store_find_titles(struct store *store, const char *words, struct arena *a, size_t max,
	    struct paper ***out, size_t *n, struct error *err);
/*
 * Bring the index of words up to date with at most max of the papers that changed, were united or removed since;
 * *nleft = how many are left for the next call. Some 10,000 papers take a second: at the end of a run, in several
 * transactions of a few hundred.
 */
int	store_update_search(struct store *store, size_t max, size_t *nleft, struct error *err);
/* Papers with all the words (case and accents ignored) in title, abstract, authors, keywords, organisation or venue, as of the
 * last store_update_search; the best first, at most max. */
int	store_search(struct store *store, const char *words, struct arena *a, size_t max,
	    struct paper ***out, size_t *n, struct error *err);

/* Texts of a paper in the index of words; STORE_VENUE is comment, journal reference and venue. */
enum store_text {
	STORE_TITLE = 1, STORE_ABSTRACT = 2, STORE_AUTHORS = 4, STORE_KEYWORDS = 8, STORE_ORG = 16, STORE_VENUE = 32,
};
/* What papers must have to be proposed. The index has the words of tokens_add(), each folded and in its normal form
 * (text_normal_word), hyphenated ones joined as well. */
struct store_words {
	enum store_words_op {
		WORDS_ANY,	/* nothing */
		WORDS_ALL,	/* all parts */
		WORDS_SOME,	/* some part */
		WORDS_ONE,	/* a word in one of the texts */
	} op;
	const struct store_words **parts;	/* of ALL and SOME: one or more, none of them ANY */
	size_t nparts;
	const char *form;	/* of ONE: folded or normal */
	bool prefix;		/* it only begins so */
	unsigned texts;		/* a set of enum store_text */
};
/* Parts inside each other at most: the parser of FTS5 has a stack of its own. */
enum { MAX_WORDS_DEPTH = 12 };

/*
 * Numbers of the papers that have what is asked for, ascending, and of all whose words are not in the index yet: a reader
 * of the store sees no lag. words are no proof: the words of a phrase may stand anywhere.
 * since_utc	only those with a listing that counts, first listed then or later; 0 = all
 */
int	store_propose_papers(struct store *store, const struct store_words *words, int64_t since_utc, struct arena *a,
	    int64_t **out, size_t *n, struct error *err);
/*
 * Numbers of the papers that have some of the words, those with the greatest sum of weights first, then the newest; before them
 * those whose words are not in the index yet, of which nobody knows.
 * texts	where the words are looked for
 * nunknown	how many of those stand in front
 */
int	store_rank_papers(struct store *store, const char *const *forms, const double *weights, size_t nforms,
	    unsigned texts, int64_t since_utc, struct arena *a, int64_t **out, size_t *n, size_t *nunknown,
	    struct error *err);
/* How many papers have it, of those in the index. */
int	store_count_words(struct store *store, const struct store_words *words, size_t *n, struct error *err);
/* A word of the index that is spelled nearly as form and stands in more papers than any other such: 1 found, 0 not, -1. */
int	store_find_near_word(struct store *store, const char *form, struct arena *a, const char **out, struct error *err);
int	store_count_papers(struct store *store, size_t *n, struct error *err);
/* Papers by their numbers, as store_load_window has them; those that are no more are left out. */
int	store_load_papers(struct store *store, const int64_t *ids, size_t nids, int64_t now_utc, struct arena *a,
	    struct paper ***out, size_t *n, struct error *err);

/* In the order of their ids; stops when visit returns non-zero and returns that. visit may read and write the store. */
int	store_each_paper(struct store *store, int (*visit)(void *arg, const struct paper *p), void *arg,
	    struct error *err);

/* Where a paper came from, for `digest show`. */
struct store_listing {
	const char *source;
	int32_t day;
	enum paper_kind kind;
	uint32_t rank;		/* 0 = no votes told, or not ranked since they changed */
	int64_t seen_utc, counts_utc;
	bool counted;
	bool late;	/* read too late to make the paper new */
};
int	store_load_listings(struct store *store, int64_t paper, struct arena *a, struct store_listing **out,
	    size_t *n, struct error *err);

struct store_signal {
	int64_t at_utc, votes, comments, stars;	/* -1 = not told */
};
int	store_load_signals(struct store *store, int64_t paper, struct arena *a, struct store_signal **out,
	    size_t *n, struct error *err);

/* A paper that got a new version or was withdrawn after it was known. */
struct store_move {
	int64_t paper;
	uint32_t revision, version;
	bool withdrawn;
};
/* Those that moved from since_utc on, in the order of their ids. */
int	store_load_moves(struct store *store, int64_t since_utc, struct arena *a, struct store_move **out, size_t *n,
	    struct error *err);

/* Who delivered a field of the newest card. */
struct store_origin {
	const char *field;	/* "title" */
	const char *source;	/* by its name; by its type where an old store knew no more */
};
/* In a fixed order; fields that are empty are left out. The same order and names as in digest-source(7). */
int	store_load_origins(struct store *store, int64_t paper, struct arena *a, struct store_origin **out,
	    size_t *n, struct error *err);

/* What a card showed at a revision, frozen. 1 found, 0 not, -1. Kept: the newest, those of the last two days before a
 * change, and those that an edition was planned with. */
int	store_load_snapshot(struct store *store, int64_t paper, uint32_t revision, struct arena *a,
	    struct paper **out, struct error *err);

/* ---- sources: sources.c ---- */

struct store_page {
	const char *key, *etag, *last_modified;
	int64_t read_utc;
};

/* What kind of fault a source has. */
enum source_fault {
	SOURCE_FINE,
	SOURCE_DOWN,		/* not reached, broke off, or a fault of its own (5xx) */
	SOURCE_REFUSED,		/* it answered that it will not (4xx, 429) */
	SOURCE_SHAPE,		/* it answered something else than it used to */
};

struct store_source {
	const char *name;
	int32_t cursor_day;
	int64_t last_try_utc, last_success_utc;
	int64_t failing_since_utc;	/* 0 = the last try was a success */
	int64_t next_allowed_utc;	/* Retry-After and back-off */
	uint32_t nfailures;		/* in a row */
	const char *last_error;		/* "" = none */
	enum source_fault fault;	/* its kind */
	/* Of its newest list, to tell a list that stands still from one that grows. */
	const char *newest;		/* key of the newest paper, "" = none yet */
	int64_t newest_since_utc;	/* since when it has been the newest */
	int64_t made_utc;		/* when the service says it made the list, 0 = it never said */
	uint32_t nlisted;		/* papers in it */
	struct store_page *pages;	/* by key */
	size_t npages;
};

/* State of one source; a source never seen has zeros. */
int	store_load_source(struct store *store, const char *name, struct arena *a, struct store_source **out,
	    struct error *err);
/* The newest day on which the source listed a paper; 0 = none. */
int	store_load_newest_day(struct store *store, const char *source, int32_t *out, struct error *err);
/* How many different papers it listed, of those kept. */
int	store_count_listed(struct store *store, const char *source, size_t *out, struct error *err);

/* What a source listed on one day. */
struct store_day {
	int32_t day;
	size_t nlisted, ncounted;	/* listings, and those of them that count already */
};
/* In ascending order from since_day on; days without a listing are left out. */
int	store_load_days(struct store *store, const char *source, int32_t since_day, struct arena *a,
	    struct store_day **out, size_t *n, struct error *err);
/* Listings of a day that do not count yet will from until_utc on; *n = how many. An earlier time calls back those that were
 * postponed. */
int	store_postpone_listings(struct store *store, const char *source, int32_t day, int64_t until_utc, size_t *n,
	    struct error *err);

/*
 * Take the next place in the queue of a service ("arxiv.org"): *at_ms is when the request may begin, at least gap_ms after
 * the one before it, whichever process and run that was of, and not before store_delay_service. Milliseconds since 1970.
 * A place that is more than an hour away was taken by a clock that ran ahead and is not believed, unless a delay says so.
 */
int	store_reserve_request(struct store *store, const char *service, int64_t now_ms, int64_t gap_ms, int64_t *at_ms,
	    struct error *err);
/* The service asked for a pause (Retry-After), or its quota is spent: nothing before until_utc. */
int	store_delay_service(struct store *store, const char *service, int64_t until_utc, struct error *err);
/* Until when nothing may be asked of it, 0 = no pause. */
int	store_find_delay(struct store *store, const char *service, int64_t *until_utc, struct error *err);

/* Everything but the pages. */
int	store_save_source(struct store *store, const struct store_source *s, struct error *err);
int	store_save_page(struct store *store, const char *source, const struct store_page *page,
	    struct error *err);

/* ---- readers: readers.c ---- */

enum reader_state {
	READER_ACTIVE,
	READER_ENDED,		/* block gone, unsubscribed by command */
};

struct store_reader {
	struct subscriber sub;
	enum reader_state state;
	bool suppressed;
	bool broken;			/* its block has an error; this is the last good version */
	bool vanished;			/* its block is gone but that was held back: not mailed */
	int64_t created_utc, ended_utc;
	int64_t cursor_seq;		/* change_seq up to which papers were considered; -1 = new reader */
	int64_t last_period;		/* of the last edition planned; 0 = none */
	int64_t last_edition_utc;
	const char *consent;		/* the record of consents, for store_read_consents(); "" = none */
	const unsigned char *programs;	/* its compiled filters as store_put_programs() got them */
	size_t programs_len;		/* 0 = none, or the reader has changed since */
};

/* How a person came to be mailed. */
struct store_consent {
	int64_t at_utc;		/* when it was recorded; 0 = not known */
	const char *how;	/* "file", "command", "import", "resume": one word; "" = not known */
	const char *text;	/* what a person said of it; of "file" the file the block was first seen in */
};
/* Append one to a record. Control characters of the text become blanks, bytes that are not UTF-8 U+FFFD. */
void	store_add_consent(struct strbuf *record, const struct store_consent *c);
/* The consents of a record in their order. Fails with ERR_NOMEM. */
int	store_read_consents(const char *record, struct arena *a, struct store_consent **out, size_t *n,
	    struct error *err);

/* Readers of the config file, once per run: begin, put each, end. */
int	store_sync_begin(struct store *store, const char *config_path, int64_t now_utc, struct error *err);
/* good = false: the block has an error; the last good version stays, a reader never seen is left out. */
int	store_sync_reader(struct store *store, const struct subscriber *reader, bool good, struct error *err);
/* The file has an error that belongs to no reader: whoever is missing may stand behind it. */
void	store_sync_doubt(struct store *store);

struct store_sync_counts {
	size_t nreaders, nadded, nchanged, nended, nresumed, nvanished;
	bool held_back;		/* too many vanished at once, or beside a broken block: nobody was ended, the vanished are not mailed */
};
/* End subscriptions whose block is gone, unless accept_removals is false and more than max(3, 10 %) vanish at once, or some
 * block has an error: a quote that is missing swallows the block behind it, whose reader has not been removed by anybody. */
int	store_sync_end(struct store *store, bool accept_removals, struct store_sync_counts *counts,
	    struct error *err);

/* By canonical address: 1 found, 0 not, -1. */
int	store_find_reader(struct store *store, const char *canonical, struct arena *a,
	    struct store_reader **out, struct error *err);
int	store_load_reader(struct store *store, int64_t id, struct arena *a, struct store_reader **out,
	    struct error *err);
/* In the order of their ids, in a scratch arena that is reset after some of them; those that are not mailed because they
 * ended or vanished only when asked for. visit may read and write the store. */
int	store_each_reader(struct store *store, bool ended_too,
	    int (*visit)(void *arg, const struct store_reader *r), void *arg, struct error *err);
int	store_count_readers(struct store *store, size_t *nactive, struct error *err);

/* Add or change a reader by command (origin ORIGIN_COMMAND). consent is a record that is added to the one there is, or "". */
int	store_put_reader(struct store *store, const struct subscriber *reader, const char *consent,
	    int64_t now_utc, struct error *err);
int	store_end_reader(struct store *store, int64_t id, int64_t now_utc, struct error *err);
/* A reader without an edition here has been one elsewhere, since created_utc and up to an edition then (0 = had none): no
 * newcomer. */
int	store_move_in_reader(struct store *store, int64_t id, int64_t created_utc, int64_t last_edition_utc,
	    struct error *err);
int	store_pause_reader(struct store *store, int64_t id, int32_t until_day, struct error *err);
/* Erase every row of a reader but the suppression's hash. */
int	store_erase_reader(struct store *store, int64_t id, struct error *err);
/*
 * Remove what other rows tell of a person: remembered texts and summaries of runs with one of the words in them become empty,
 * and the literals of all filters are forgotten, to be made anew by the next run.
 * words	address in its spellings; NULL ends them
 */
int	store_forget_words(struct store *store, const char *const *words, struct error *err);
/*
 * Write the store anew without the bytes of what was removed, and empty its log. Outside of a transaction; some seconds for
 * each gigabyte, in which nobody else writes, and room for another copy. Fails with ERR_TEMP while another process has the store
 * open: then its log may still hold them.
 */
int	store_scrub(struct store *store, struct error *err);

/*
 * Compiled filters stand beside their readers and refer by numbers to literals that all share. Both belong to a generation:
 * what was written in an earlier one is not to be read. A new one begins without literals.
 */
/* The generation that goes on, if it is of this compiler; else 0. */
int	store_find_generation(struct store *store, const char *compiler, int64_t *out, struct error *err);
int	store_new_generation(struct store *store, const char *compiler, int64_t *out, struct error *err);
/* In the order of their numbers, from 0. Stops when visit returns non-zero and returns that; fails with ERR_DATA when one is
 * missing. */
int	store_each_literal(struct store *store,
	    int (*visit)(void *arg, const unsigned char *bytes, size_t len, struct error *err), void *arg,
	    struct error *err);
int	store_add_literal(struct store *store, int64_t number, const void *bytes, size_t len, struct error *err);
int	store_put_programs(struct store *store, int64_t reader, const void *bytes, size_t len, struct error *err);

enum suppression_reason { SUPPRESSED_UNSUBSCRIBED, SUPPRESSED_COMPLAINT, SUPPRESSED_BOUNCED, SUPPRESSED_OPERATOR };
/* Whether a reader may get mail, in this moment: 1, 0 = suppressed, ended, vanished, or nobody. */
int	store_is_mailed(struct store *store, int64_t reader, struct error *err);
/* Suppressions are kept as a keyed hash of the canonical address. 1 = suppressed, 0 = not.
 * reason and since_utc may be NULL. */
int	store_is_suppressed(struct store *store, const char *canonical, enum suppression_reason *reason,
	    int64_t *since_utc, struct error *err);
/* Suppressed already: the earlier time stays, and of the reasons a person's own wish. */
int	store_suppress(struct store *store, const char *canonical, enum suppression_reason reason,
	    int64_t now_utc, struct error *err);
int	store_unsuppress(struct store *store, const char *canonical, const char *consent, int64_t now_utc,
	    struct error *err);

/* The hashes and their key, to be taken along into another store. */
enum { STORE_HASH_SIZE = 16, STORE_KEY_SIZE = 32 };
const unsigned char *store_suppress_key(const struct store *store);
/* In the order of the hashes. Stops when visit returns non-zero and returns that. visit must not use the store. */
int	store_each_suppression(struct store *store,
	    int (*visit)(void *arg, const unsigned char *hash, enum suppression_reason reason, int64_t since_utc),
	    void *arg, struct error *err);
/* Hash with the key of another store from now on. Fails with ERR_DATA when somebody is suppressed here by another key: those
 * hashes cannot be made anew. */
int	store_take_suppress_key(struct store *store, const unsigned char key[STORE_KEY_SIZE], struct error *err);
/* Somebody whose hash by this store's key is known. */
int	store_suppress_hash(struct store *store, const unsigned char hash[STORE_HASH_SIZE],
	    enum suppression_reason reason, int64_t since_utc, struct error *err);
struct store_suppression {
	const char *address;	/* canonical */
	enum suppression_reason reason;
	int64_t since_utc;
};
/* Those whose reader is still known, the newest first, at most max; in a. */
int	store_load_suppressions(struct store *store, size_t max, struct arena *a, struct store_suppression **out,
	    size_t *n, struct error *err);

/* ---- eligibility: eligible.c ---- */

/* What decides whether papers are new for one reader (or one filter with a schedule of its own). */
struct eligibility {
	int64_t cursor_seq;	/* only papers with a higher change_seq; -1 = all */
	int64_t since_utc;	/* first listed at or after: 7 days before the period, or the last edition */
	int64_t signal_since_utc;	/* the same for queries that read signals: 14 days */
};

/*
 * Mark which of the window's papers are new for a reader.
 * plain, signals	bitmaps of (n + 63) / 64 words, cleared first; signals is for queries that read votes,
 *			comments or stars and is a superset of plain
 * replaced		papers sent before in a lower version, for is:replaced; may be NULL
 * sent is the reader's packed list, see store_load_sent.
 */
struct sent_list {
	const unsigned char *bytes;	/* (paper id, version) in ascending order of ids, delta and varint coded */
	size_t len;
};
int	store_load_sent(struct store *store, int64_t reader, struct arena *a, struct sent_list *out,
	    struct error *err);
/* Add papers (in any order) to a reader's list; a paper on it keeps the higher version. */
struct sent_item {
	int64_t paper;
	uint32_t version;	/* 0 = not known */
};
int	store_add_sent(struct store *store, int64_t reader, const struct sent_item *items, size_t n,
	    int64_t now_utc, struct error *err);
void	store_mark_eligible(const struct eligibility *e, const struct sent_list *sent,
	    struct paper *const *papers, size_t n, uint64_t *plain, uint64_t *signals, uint64_t *replaced);
/* The same in two steps, of which the first is the same for many readers: as if nothing had been sent, then what was. */
void	store_mark_new(const struct eligibility *e, struct paper *const *papers, size_t n, uint64_t *plain,
	    uint64_t *signals);
void	store_unmark_sent(const struct eligibility *e, const struct sent_list *sent, struct paper *const *papers, size_t n,
	    uint64_t *plain, uint64_t *signals, uint64_t *replaced);
/* Which of moves (by paper) happened to papers that were sent, and were not told yet: withdrawals, or new versions. At most max
 * of them; returns how many. */
size_t	store_find_moves(const struct sent_list *sent, const struct store_move *moves, size_t nmoves, bool withdrawn,
	    const struct store_move **out, size_t max);
/* Mark which of the papers were sent before, in any version. */
void	store_mark_sent(const struct sent_list *sent, struct paper *const *papers, size_t n, uint64_t *bits);

/* ---- editions: editions.c ---- */

enum edition_state {
	EDITION_LEASED,		/* planned and taken by a sender */
	EDITION_INTENT,		/* about to leave for good, or left */
	EDITION_SENT, EDITION_FAILED,	/* settled */
	EDITION_DEFERRED,	/* to be tried again at next_utc */
	EDITION_UNKNOWN,	/* a copy may be out; one more try or held, by delivery.ambiguous */
	EDITION_HELD,		/* a person must decide */
	EDITION_EXPIRED, EDITION_MERGED,	/* settled without mail; its papers are candidates again */
	EDITION_EMPTY,		/* nothing matched; settled without mail */
};
const char *edition_state_name(enum edition_state state);

/* Sections that are no filter. */
#define SECTION_OUTSIDE UINT32_MAX
#define SECTION_UPDATES (UINT32_MAX - 1) /* what happened to papers that were sent before */
/* The version of a sent paper whose withdrawal was told: nothing more is told of it. */
#define VERSION_WITHDRAWN UINT32_MAX

struct edition_pick {
	int64_t paper;
	uint32_t revision, version;
	uint32_t section;	/* index into the reader's filters, or one of the two above */
	bool cut;		/* named only as a title */
	uint32_t more;		/* of the last cut one of a section: how many more were cut and are not named */
	bool risen, replaced;
	float score, score_text, score_votes, score_trend, score_freshness;
	const char *why;
	const char *also_in;	/* names of other filters that found it, one a line; "" = none */
	const struct paper_mark *marks;	/* what the filter found in its texts: by text, then ascending */
	size_t nmarks;
};

/* Up to where a filter with a schedule of its own has looked; a reader's other filters share the reader's cursor. */
struct store_slot {
	int64_t slot;		/* names the filter, not 0 */
	int64_t cursor_seq;	/* -1 = it never looked */
	int64_t last_period;	/* the day of its last section, 0 = none */
};
int	store_load_slots(struct store *store, int64_t reader, struct arena *a, struct store_slot **out, size_t *n,
	    struct error *err);

/* Such a filter that an edition has a section of: where it was, and where it is when the edition is leased. */
struct edition_slot {
	struct store_slot from, to;
};

/* A period is a day, or a run: those of `always` count runs in a range of their own, above every day. */
enum { PERIOD_ALWAYS = 1000000000 };

struct edition {
	int64_t period, reader;
	enum edition_state state;
	int64_t cursor_from, cursor_to;
	int64_t composed_utc;	/* Date of the mail */
	int32_t day, since_day;	/* nominal local day, and the first one covered */
	uint32_t nread, nmatched;
	const char *note;	/* the note line, "" = none; of an empty one the name of its reason */
	struct edition_pick *picks;
	size_t npicks;
	const struct edition_slot *slots;
	size_t nslots;
	unsigned char hash[16];	/* of the mail's bytes */
	uint32_t attempts, copies;	/* copies: how often it may have left */
	int64_t next_utc;
	int64_t tried_utc;	/* when its last try had an outcome; 0 = none had */
	const char *via;	/* the smtp block of that try, "" = none */
	char reply[512];
};

/*
 * Insert editions as leased (or empty, when their state is EDITION_EMPTY) and move their readers' cursors. The suppression
 * is checked in the same transaction: an edition of a suppressed, ended or vanished reader is left out and its state set to
 * EDITION_FAILED in the array. Fails with ERR_BUG when a reader has another unsettled edition (held ones, and those of which
 * a copy may be out, aside) or had one of this period.
 */
int	store_lease_editions(struct store *store, struct edition *editions, size_t n, int64_t now_utc,
	    struct error *err);
/* A copy is about to leave. Fails with ERR_TEMP when the edition is no longer leased. */
int	store_intend_edition(struct store *store, int64_t period, int64_t reader, struct error *err);
/* Outcome of a try, or a person's decision (HELD, DEFERRED, FAILED). SENT and UNKNOWN add the picks to the reader's sent
 * list. DEFERRED and FAILED out of an intent mean that the relay refused: that copy is not out. Fails with ERR_BUG when
 * the edition is settled already. */
int	store_settle_edition(struct store *store, int64_t period, int64_t reader, enum edition_state state,
	    const char *reply, int64_t now_utc, int64_t next_utc, struct error *err);
/* The outcome of a try by the smtp block of that name, which is kept with the time; else as store_settle_edition(). */
int	store_settle_try(struct store *store, int64_t period, int64_t reader, enum edition_state state, const char *via,
	    const char *reply, int64_t now_utc, int64_t next_utc, struct error *err);
/* A leased edition that has not begun to leave is due again, as if it had not been leased. */
int	store_free_edition(struct store *store, int64_t period, int64_t reader, int64_t now_utc, struct error *err);
/* A leased edition that has not begun to leave is for a reader who is not mailed any more: failed. */
int	store_withdraw_edition(struct store *store, int64_t period, int64_t reader, struct error *err);
/* How often an edition was tried, with an outcome; 0 when there is no such edition. */
int	store_count_attempts(struct store *store, int64_t period, int64_t reader, uint32_t *out, struct error *err);
/* New bytes for an edition of which no copy can be out; fails with ERR_BUG when one may be. */
int	store_rehash_edition(struct store *store, int64_t period, int64_t reader,
	    const unsigned char hash[16], int64_t composed_utc, struct error *err);
/*
 * At the start of a sending run: same boot, intent becomes unknown and leased is free (deferred, due now); another boot,
 * both become unknown. retry: unknown editions with fewer than two copies are due again, others held.
 */
int	store_sweep_editions(struct store *store, const char *ambiguous, int64_t now_utc, size_t *nunknown,
	    size_t *nheld, struct error *err);
/* Older than max_age_s and certainly not out: expired, papers are candidates again. visit gets each, may write to the store,
 * and ends it by -1; NULL = nobody wants to know. */
int	store_expire_editions(struct store *store, int64_t now_utc, int64_t max_age_s,
	    int (*visit)(void *arg, const struct edition *e, struct error *err), void *arg, size_t *nexpired, struct error *err);
/* One that expires by no time, as a copy may be out: a person decides on it, if it was deferred and composed before oldest_utc. */
int	store_hold_stale(struct store *store, int64_t period, int64_t reader, int64_t oldest_utc, bool *held,
	    struct error *err);
/* The deferred edition that is due and comes, in the order of (period, reader), after the one given, which it becomes. 1 one,
 * 0 none. */
int	store_peek_due(struct store *store, int64_t now_utc, int64_t *period, int64_t *reader, uint32_t *copies,
	    struct error *err);
/* Lease a deferred edition again. 1, or 0 when it is none any more or another one, of which a copy may be out as well, is leased
 * again; that of a reader who is not mailed any more fails. */
int	store_lease_due(struct store *store, int64_t period, int64_t reader, struct arena *a, struct edition **out,
	    struct error *err);
/* The reader's unsettled edition: 1 found, 0 none. */
int	store_find_unsettled(struct store *store, int64_t reader, struct arena *a, struct edition **out,
	    struct error *err);
/* Free a reader's unsettled edition of which no copy can be out: it becomes merged, its papers candidates again. */
int	store_merge_edition(struct store *store, int64_t period, int64_t reader, struct error *err);
/* Each edition that is not settled: first those that wait for a time or a person, in the order of (period, reader), then
 * those a process holds. visit may read and write the store. Stops when visit returns non-zero and returns that. */
int	store_each_unsettled(struct store *store, int (*visit)(void *arg, const struct edition *e), void *arg,
	    struct error *err);
/* A person wants a waiting edition (deferred, unknown, held) sent: deferred, due now. Fails with ERR_TEMP while a newer
 * one of the reader is on its way, with ERR_BUG when it does not wait. */
int	store_retry_edition(struct store *store, int64_t period, int64_t reader, const char *reply,
	    int64_t now_utc, struct error *err);
/* A person gives a waiting edition up: failed. Its papers are candidates again unless a copy may be out. */
int	store_drop_edition(struct store *store, int64_t period, int64_t reader, const char *reason,
	    struct error *err);
/* How many editions of a reader came to nothing in a row (EDITION_EMPTY), up to the newest one. */
int	store_count_empty(struct store *store, int64_t reader, size_t *n, struct error *err);
/* 1 found, 0 there is none. */
int	store_load_edition(struct store *store, int64_t period, int64_t reader, struct arena *a, struct edition **out,
	    struct error *err);
/* Highest period first, of one reader or all (0), at most max. */
int	store_load_editions(struct store *store, int64_t reader, size_t max, struct arena *a,
	    struct edition **out, size_t *n, struct error *err);

/* ---- runs: runs.c ---- */

struct store_run {
	int64_t id;
	int64_t started_utc, finished_utc;	/* 0 = killed */
	int64_t npapers_new, nplanned, nsent, ndeferred, nfailed, nheld, nempty, nskipped;
	int exit_code;
	const char *summary;	/* one line */
};
int	store_start_run(struct store *store, int64_t now_utc, int64_t *id, struct error *err);
int	store_finish_run(struct store *store, const struct store_run *run, struct error *err);
/* Newest first, at most max. */
int	store_load_runs(struct store *store, size_t max, struct arena *a, struct store_run **out, size_t *n,
	    struct error *err);
/* 1 found, 0 none yet. */
int	store_load_last_run(struct store *store, struct arena *a, struct store_run **out, struct error *err);

struct store_sizes {
	size_t npapers, nlistings, nreaders, nsuppressed;
	int64_t bytes;
};
int	store_load_sizes(struct store *store, struct store_sizes *out, struct error *err);

#endif
