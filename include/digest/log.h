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

struct log {
	enum log_level level;	/* events above it are dropped */
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

/*
 * Copy text with every mail address in it cut to the first character of its local part: "a…@example.org". A log is kept
 * and passed on; who reads what is nobody else's business.
 * out	room for size bytes, size >= 8; always NUL-terminated, cut where it is full
 */
void	log_shorten(char *out, size_t size, const char *text);

#endif
