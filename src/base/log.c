#include "digest/log.h"

#include "digest/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Longer lines end in "..."; an event never takes a second line. */
enum { MAX_LINE_BYTES = 2048 };

void
log_init(struct log *log, const char *name, int fd, enum log_level level)
{
	memset(log, 0, sizeof(*log));
	log->name = name;
	log->fd = fd;
	log->level = level;
	pthread_mutex_init(&log->lock, NULL);
}

static void
write_line(struct log *log, const char *line, size_t len)
{
	while (len > 0) {
		ssize_t n = write(log->fd, line, len);

		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0) {
			log->nlost++; /* a full or closed log never stops the work */
			return;
		}
		line += n;
		len -= (size_t)n;
	}
}

__attribute__((format(printf, 3, 0))) static void
add_event(struct log *log, enum log_level level, const char *fmt, va_list ap)
{
	char raw[MAX_LINE_BYTES / 2], line[MAX_LINE_BYTES];
	int n;

	pthread_mutex_lock(&log->lock);
	log->nerrors += level == LOG_LEVEL_ERROR;
	log->nwarnings += level == LOG_LEVEL_WARN;
	pthread_mutex_unlock(&log->lock);
	if (level > log->level || log->fd == -1)
		return;
	if (vsnprintf(raw, sizeof(raw), fmt, ap) < 0)
		return;
	n = snprintf(line, 64, "%s: %s", log->name, level == LOG_LEVEL_WARN ? "warning: " : "");
	if (n < 0 || n >= 64)
		n = 0;
	n += (int)err_printable(line + n, (unsigned)(sizeof(line) - (size_t)n - 2), raw);
	line[n++] = '\n';
	pthread_mutex_lock(&log->lock);
	if (log->before != NULL)
		log->before(log->arg);
	write_line(log, line, (size_t)n);
	pthread_mutex_unlock(&log->lock);
}

void
log_error(struct log *log, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_event(log, LOG_LEVEL_ERROR, fmt, ap);
	va_end(ap);
}

void
log_warn(struct log *log, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_event(log, LOG_LEVEL_WARN, fmt, ap);
	va_end(ap);
}

void
log_info(struct log *log, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_event(log, LOG_LEVEL_INFO, fmt, ap);
	va_end(ap);
}

void
log_debug(struct log *log, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_event(log, LOG_LEVEL_DEBUG, fmt, ap);
	va_end(ap);
}
