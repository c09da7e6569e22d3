#include "digest/log.h"

#include "digest/error.h"
#include "digest/utf8.h"

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

__attribute__((format(printf, 3, 0))) static void
add_event(struct log *log, enum log_level level, const char *fmt, va_list ap)
{
	char raw[MAX_LINE_BYTES / 2], cut[MAX_LINE_BYTES], line[MAX_LINE_BYTES];
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
	if (log->short_addresses)
		log_shorten(cut, sizeof(cut), raw);
	n += (int)err_printable(
	    line + n, (unsigned)(sizeof(line) - (size_t)n - 2), log->short_addresses ? cut : raw);
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
