#include "digest/log.h"

#include "base/log_line.h"
#include "digest/clock.h"
#include "digest/error.h"
#include "digest/utf8.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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

bool
log_is_journal(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char ours[64];
	struct stat st;

	if (stream == NULL || fstat(fd, &st) == -1)
		return false;
	snprintf(ours, sizeof(ours), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return strcmp(stream, ours) == 0;
}

static bool
is_word(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	    c >= 0x80;
}

/* May stand in a local part without quotes (RFC 5322 3.2.3). */
static bool
is_atom(unsigned char c)
{
	return is_word(c) || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~.", c) != NULL);
}

/* Where the local part before an '@' begins; at itself when there is none. */
static const char *
find_local(const char *text, const char *at)
{
	const char *p = at;

	if (at > text && at[-1] == '"') {
		for (p = at - 1; p > text && (p == at - 1 || *p != '"'); p--)
			;
		return p;
	}
	/* Two signs in a row are a slip of the pen that hides nobody. */
	while (p > text && (is_atom((unsigned char)p[-1]) || p[-1] == '@'))
		p--;
	/* Quotes and the like around the address. */
	while (p < at && !is_word((unsigned char)*p))
		p++;
	return p;
}

void
log_shorten(char *out, size_t size, const char *text)
{
	static const char dots[] = "\xe2\x80\xa6";
	const char *from = text, *at = text;
	size_t len = 0;

	out[0] = '\0';
	while (len < size - 1 && (at = strchr(at, '@')) != NULL) {
		const char *local = find_local(from, at);
		unsigned first = 0;
		uint32_t cp;

		if (local < at && (is_word((unsigned char)at[1]) || at[1] == '[')) {
			if (*local != '"')
				first = utf8_decode(local, (size_t)(at - local), &cp);
			len += (size_t)snprintf(out + len, size - len, "%.*s%s@",
			    (int)(local - from) + (int)first, from, dots);
			from = at + 1;
		}
		at++;
	}
	if (len < size - 1)
		snprintf(out + len, size - len, "%s", from);
}

__attribute__((format(printf, 4, 0))) static void
add_event(struct log *log, enum log_level level, const char *event, const char *fmt, va_list ap)
{
	static const struct clock wall = { 0 }; /* also of a run that is told another time */
	char raw[MAX_LINE_BYTES / 2], cut[MAX_LINE_BYTES], text[MAX_LINE_BYTES - 64];
	char line[2 * MAX_LINE_BYTES]; /* as JSON a line may be twice as long */
	size_t len;

	pthread_mutex_lock(&log->lock);
	log->nerrors += level == LOG_LEVEL_ERROR;
	log->nwarnings += level == LOG_LEVEL_WARN;
	pthread_mutex_unlock(&log->lock);
	if (level > log->level || log->fd == -1)
		return;
	if (vsnprintf(raw, sizeof(raw), fmt, ap) < 0)
		return;
	if (log->short_addresses)
		log_shorten(cut, sizeof(cut), raw);
	err_printable(text, sizeof(text), log->short_addresses ? cut : raw);
	len = log_line(log->format,
	    &(struct log_record){ .name = log->name,
		.level = level,
		.event = event,
		.fmt = fmt,
		.text = text,
		.now_ms = clock_now_ms(&wall),
		.pid = (long)getpid() },
	    line, sizeof(line));
	pthread_mutex_lock(&log->lock);
	if (log->before != NULL)
		log->before(log->arg);
	write_line(log, line, len);
	pthread_mutex_unlock(&log->lock);
}

void
log_error(struct log *log, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_event(log, LOG_LEVEL_ERROR, NULL, fmt, ap);
	va_end(ap);
}

void
log_warn(struct log *log, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_event(log, LOG_LEVEL_WARN, NULL, fmt, ap);
	va_end(ap);
}

void
log_info(struct log *log, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_event(log, LOG_LEVEL_INFO, NULL, fmt, ap);
	va_end(ap);
}

void
log_debug(struct log *log, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_event(log, LOG_LEVEL_DEBUG, NULL, fmt, ap);
	va_end(ap);
}

void
log_event(struct log *log, enum log_level level, const char *event, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_event(log, level, event, fmt, ap);
	va_end(ap);
}
