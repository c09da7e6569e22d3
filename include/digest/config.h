/* config.h - digest.conf: the parser, the table of keys, and what a run reads of it. The global part is a record; the
 * readers, of whom there may be a million, are handed out one by one from the text, so that memory is the file's size plus
 * 24 bytes per reader. */
#ifndef DIGEST_CONFIG_H
#define DIGEST_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "digest/arena.h"
#include "digest/error.h"
#include "digest/strbuf.h"
#include "digest/subscriber.h"

/* A password or token: one of the ways is set, or none. */
struct config_secret {
	const char *value, *file, *env, *command;	/* "" = not this way */
};

struct config_smtp {
	const char *name;
	const char *url;	/* smtp://, smtps://, maildir:/path, sendmail: */
	const char *user;
	struct config_secret password;
	const char *auth;	/* auto plain login xoauth2 oauthbearer */
	const char *token_command;
	bool tls_required;
	bool insecure;
	const char *ca_file, *helo;
	uint32_t connections;
	const char *rate;	/* "600/min", "" = none */
	uint32_t daily_limit;	/* 0 = none */
	const char **domains;	/* recipients' domains; {"*"} */
	size_t ndomains;
	const char *file;
	uint32_t line;
};

struct config_source {
	const char *name;
	const char *type;	/* huggingface, file; more later */
	const char *url;	/* "" = the service's own */
	const char *path;	/* of type file; resolved, may glob */
	const char *command;
	const char **categories;
	size_t ncategories;
	const char **announce;
	size_t nannounce;
	const char **holidays;	/* "2026-11-26": days on which it lists nothing */
	size_t nholidays;
	int64_t interval_s;	/* -1 = the type's default */
	int64_t settle_s;	/* -1 = the type's default */
	int64_t request_gap_s;	/* between two requests to its service; -1 = the type's default */
	int64_t timeout_s;	/* of one request or command; -1 = fetch.timeout, of a command 60 s */
	const char *list;	/* of type huggingface: daily, trending */
	const char *file;
	uint32_t line;
};

/* Bytes before the @ of list.bounce-address, so that "+" and a token make at most 64 of them (RFC 5321 4.5.3.1.1). */
enum { CONFIG_MAX_RETURN_LOCAL = 13 };

struct config_mailbox {
	const char *url, *user, *maildir;	/* "" = none */
	bool from_stdin;	/* in place of them: somebody pipes each mail to us */
	struct config_secret password;
	const char *auth;	/* auto plain login xoauth2 oauthbearer */
	const char *token_command;
	bool tls_required;
	bool insecure;
	const char *ca_file;
	const char *done;	/* what becomes of a mail that was dealt with: seen, delete, move:FOLDER */
};

struct config {
	const char *path;	/* of the main file */

	struct {
		const char *from, *name, *id, *reply_to, *bounce_address, *operator;
		const char *postal_address, *base_url, *key_file;
		const char *help_url, *archive_url;
		bool verp;	/* a sender of its own for each digest, where a mailbox is read */
	} list;
	struct {
		const char *path;	/* resolved; never "" */
		int64_t keep_papers_s, keep_signals_s, keep_replies_s;
	} store;
	struct config_smtp *smtps;	/* at least one: without a block, the system's "sendmail:" with file "" */
	size_t nsmtps;
	struct {
		int64_t timeout_s;
		int64_t max_body;	/* bytes */
		const char *contact, *proxy;
		const char **allow_private;	/* CIDRs */
		size_t nallow_private;
	} fetch;
	struct config_source *sources;	/* at least one: without a block, "huggingface" */
	size_t nsources;
	struct subscriber defaults;	/* timezone "" here and in readers: the machine's, which run fills in */
	const char *lost_zone;	/* timezone of defaults that this machine does not have, which is "" above; NULL = none such */
	const char **default_use;	/* shared filters of readers that name none; those that are missing stand, too */
	size_t ndefault_use;
	struct filter *shared;	/* top-level filter blocks */
	size_t nshared;
	struct config_mailbox mailbox;
	struct {
		const char *dir;	/* "" = built-in only */
		int64_t html_limit;	/* bytes of the HTML part */
		bool thumbnails;
	} templates;
	struct {
		double text, votes, trend, freshness;	/* weights, 0..10 */
	} score;
	struct {
		const char *ambiguous;	/* retry hold drop */
		int64_t max_age_s, deadline_s;
	} delivery;

	size_t nreaders;	/* blocks in the files, broken and repeated ones included */
	size_t nreader_errors;	/* readers with an error of their own: served from their last good version */
	struct config_text *text;	/* private: the bytes of all files and where each reader stands */
	struct arena arena;	/* owns every string above */
};

/*
 * Checks that the parser needs but that belong to other stages; filled by run/. Each returns 0, or -1 with a message
 * that says what was found and expected, and sets *offset to the byte at which the text is wrong.
 */
struct config_checks {
	/* canonical receives the identity of the address. */
	int (*address)(const char *text, struct arena *a, const char **canonical, size_t *offset,
	    struct error *err);
	int (*query)(const char *text, size_t *offset, struct error *err);
	int (*schedule)(const char *text, size_t *offset, struct error *err);
	int (*timezone)(const char *name, struct error *err);
	int (*source_type)(const char *name, struct error *err);
	/* Whether sources of a known type may ask the type's own service that often. */
	int (*request_gap)(const char *type, int64_t gap_s, struct error *err);
	/* Whether every @name of a query that query() passed leads somewhere; reader NULL: the filter is a shared one. */
	int (*names)(const struct config *cfg, const struct subscriber *reader, const struct filter *f,
	    size_t *offset, struct error *err);
};

/*
 * Every error of a file in one go, "file:line:column: what was found; what was expected"; columns count bytes.
 * reader	the canonical address of the reader it touches alone (the text of the title when it is no address), "" for
 *		an error of several that stops no run, or NULL for one that does
 * shown	the line of a query that is wrong and a caret below it, each ended; "" for all other errors
 * After MAX_CONFIG_ERRORS global ones, and as many of readers, comes one "N more errors"; reader is "" for the latter.
 */
typedef void config_report(void *arg, const char *reader, const char *message, const char *shown);

/*
 * Read a configuration and the files it includes.
 * path		the main file; NULL = $DIGEST_CONFIG, $XDG_CONFIG_HOME/digest/digest.conf (~/.config), /etc/digest/digest.conf
 * checks	all of them set; copied
 * report	may be NULL
 * Returns 0 when everything outside the readers is right (broken readers are reported and counted), -1 with the first
 * global error; ERR_CONFIG, or ERR_NOMEM. *out is set only on 0.
 */
int	config_load(const char *path, const struct config_checks *checks, config_report *report, void *arg,
	    struct config **out, struct error *err);
void	config_free(struct config *cfg);

/*
 * Hand out every reader of the file in order, defaults merged, shared filters (use, filter without match) resolved, a reader
 * without filters given "Trending papers". The record lives until visit returns.
 * good		false: the block has an error; only address, canonical, file and line are to be used
 * Of two blocks with the same address the first is handed out; the second is an error that config_load reports.
 * Stops when visit returns non-zero and returns that, else 0; -1 with err when memory is short.
 */
int	config_each_reader(const struct config *cfg,
	    int (*visit)(void *arg, const struct subscriber *reader, bool good), void *arg, struct error *err);

/*
 * Set a key of a reader, but use and was, as its block would; text stands for itself, without quotes and variables. What is set
 * lives in a. Fails with ERR_DATA: "when: what was found; what was expected", or ERR_NOMEM.
 */
int	config_set_reader_key(const struct config *cfg, const char *key, const char *text, struct arena *a,
	    struct subscriber *out, struct error *err);
/* The same of limit, sort and when of a filter. */
int	config_set_filter_key(const struct config *cfg, const char *key, const char *text, struct arena *a,
	    struct filter *out, struct error *err);
/* Append a value as these take it; nothing when it is not set. */
void	config_add_reader_key(struct strbuf *out, const char *key, const struct subscriber *reader);
void	config_add_filter_key(struct strbuf *out, const char *key, const struct filter *filter);
/* Append the names of the keys in which two readers differ, filters aside: "name, when". */
void	config_add_reader_changes(struct strbuf *out, const struct subscriber *before, const struct subscriber *after);
/* Append a reader as a block, from which the parser makes the same reader beside the defaults of this configuration. */
void	config_add_reader(struct strbuf *out, const struct config *cfg, const struct subscriber *reader);

/* The key table, for `digest config`, digest.conf(5) and the tests that compare them. "defaults" takes the keys of
 * "subscriber" but was and paused-until; a shared "filter" has no when. */
struct config_key_info {
	const char *block;	/* "list", "smtp", "subscriber", "filter" ... */
	const char *name;
	const char *type;	/* "string", "path", "address", "url", "list", "duration", "size", "number", "date",
				   "query", "schedule", "time zone", "rate", "yes/no", "one of a|b" */
	const char *def;	/* as written in a file, "" = none */
	const char *range;	/* "1..600", of a url its beginnings "smtp://|smtps://", "" = any */
	const char *help;	/* one line */
	/* How the parser keeps it; nobody else's business. */
	unsigned kind;
	size_t at, count_at;
};
const struct config_key_info *config_keys(size_t *n);

/* Append text as a quoted value of the syntax, so that reading it gives the same. */
void	config_add_quoted(struct strbuf *out, const char *text);
/* Append a path for a pattern, as of include, that means it as it is, also with '*' in it. */
void	config_add_literal(struct strbuf *out, const char *path);

/* Append the settings in force as a config file (secrets as "(hidden)"), with where each came from as a comment. */
void	config_add_effective(struct strbuf *out, const struct config *cfg);

/*
 * Append the secret itself, by whichever way it is given, without the line end of a file or command.
 * what		it is called so in errors, which never hold it: "smtp main: password"
 * A file must be closed to others (file_check_private). A command is run by sh -c, in a session of its own without a
 * terminal, standard input or standard error, and is ended with all it started after 10 s.
 * Fails with ERR_CONFIG or ERR_IO; also when there is none, it is empty or has several lines. out is then as before.
 */
int	config_read_secret(const struct config_secret *secret, const char *what, struct strbuf *out,
	    struct error *err);

/* Before work that starts other programs: secrets that stand in environment variables move into the configuration, and every
 * variable with one as its value is removed, so that nobody inherits it. */
int	config_take_secrets(struct config *cfg, struct error *err);

#endif
