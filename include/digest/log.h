/* log.h - what happened, one event per line, on stderr. Results go to stdout and never through here.
 * The log is a value that is passed down; there is none at file scope. Every line is made printable
 * (see err_printable), so that a paper's title cannot drive a terminal. */
#ifndef DIGEST_LOG_H
#define DIGEST_LOG_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

enum log_level {
	LOG_LEVEL_ERROR,	/* a person must act */
	LOG_LEVEL_WARN,		/* something is odd, the work goes on */
	LOG_LEVEL_INFO,		/* what a run did; shown with -v or on a terminal */
	LOG_LEVEL_DEBUG,
};

/* How a line looks. A sentence may end in fields: " key=value" or " key=\"some words\"", the key in small letters. */
enum log_format {
	LOG_TEXT,	/* "digest: warning: source arxiv: no answer" */
	LOG_JOURNAL,	/* "<4>source arxiv: no answer": the priorities of sd-daemon(3) */
	/* {"time":"2026-11-21T06:45:00.123Z","level":"warning","event":"source","pid":123,"text":"source arxiv: no answer"}
	 * with the fields as members of their own, strings all. event is made of the fixed words of the sentence, so that it
	 * is the same in every run and holds nothing from outside. */
	LOG_JSON,
};

struct log {
	enum log_level level;	/* events above it are dropped */
	enum log_format format;
	int fd;			/* where lines go; -1 drops all */
	const char *name;	/* put before each line, e.g. "digest" */
	void (*before)(void *arg);	/* called before each line, to make room on a screen; NULL = not */
	void *arg;
	bool short_addresses;	/* show mail addresses as log_shorten() does */
	pthread_mutex_t lock;	/* several threads may log */
	unsigned nerrors;	/* how many of each were given, shown or not */
	unsigned nwarnings;
	unsigned nlost;		/* lines that could not be written */
};

void	log_init(struct log *log, const char *name, int fd, enum log_level level);
void	log_error(struct log *log, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void	log_warn(struct log *log, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void	log_info(struct log *log, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void	log_debug(struct log *log, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The same where the sentence is made elsewhere: event is what a program knows it by, "run-ended". */
void	log_event(struct log *log, enum log_level level, const char *event, const char *fmt, ...)
	    __attribute__((format(printf, 4, 5)));

/* Whether what is written to fd goes to the journal of systemd, by JOURNAL_STREAM of systemd.exec(5). */
bool	log_is_journal(int fd);

/*
 * Copy text with every mail address in it cut to the first character of its local part: "a…@example.org". A log is kept
 * and passed on; who reads what is nobody else's business.
 * out	room for size bytes, size >= 8; always NUL-terminated, cut where it is full
 */
void	log_shorten(char *out, size_t size, const char *text);

#endif
