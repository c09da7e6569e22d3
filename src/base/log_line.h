/* log_line.h - how one event looks as a line. */
#ifndef DIGEST_BASE_LOG_LINE_H
#define DIGEST_BASE_LOG_LINE_H

#include <stddef.h>

#include "digest/log.h"

struct log_record {
	const char *name;	/* of the program */
	enum log_level level;
	const char *event;	/* NULL = made of fmt */
	const char *fmt;	/* of the sentence */
	const char *text;	/* the sentence, printable */
	long long now_ms;	/* since 1970-01-01T00:00:00Z */
	long pid;
};

/* One line with its newline, cut where size is reached; size >= 256. Returns its length. */
size_t	log_line(enum log_format format, const struct log_record *e, char *out, size_t size);

#endif
