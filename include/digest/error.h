/* error.h - one printable line per failure, and the kind that picks the exit code.
 * A function that can fail returns 0 or -1 and fills a struct error; whoever can add the place
 * (a file, a source, an address) prefixes it on the way up. */
#ifndef DIGEST_ERROR_H
#define DIGEST_ERROR_H

#include <stdarg.h>
#include <stdbool.h>

enum err_kind {
	ERR_NONE,
	ERR_USAGE,	/* the command line is wrong */
	ERR_DATA,	/* a file or an answer given to us is malformed */
	ERR_NET,	/* a host could not be reached or refused */
	ERR_BUG,	/* our own mistake */
	ERR_IO,		/* a file, the disk or the store failed */
	ERR_TEMP,	/* something is deferred; the next run takes it up */
	ERR_CONFIG,	/* the configuration is wrong */
	ERR_NOMEM,	/* out of memory, or a stated bound was reached */
};

struct error {
	enum err_kind kind;
	char msg[512];		/* one line without newline, printable bytes only */
};

/*
 * Record a failure. Always returns -1, so that a failing function ends in one line.
 * err	may be NULL when the caller does not want to know why
 * Bytes of the message that are not printable UTF-8 are written as \xNN.
 */
int	err_set(struct error *err, enum err_kind kind, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));
int	err_vset(struct error *err, enum err_kind kind, const char *fmt, va_list ap)
	    __attribute__((format(printf, 3, 0)));

/* Put "<text>: " before the message there is. Always returns -1. */
int	err_prefix(struct error *err, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));

/* The usual "out of memory" of a function named what. Always returns -1. */
int	err_nomem(struct error *err, const char *what);

/* Memory, a disk or the store failed: what was at work when it did is not to blame. */
bool	err_is_of_machine(const struct error *err);

/* No error yet. */
void	err_clear(struct error *err);

/*
 * Copy text to out so that a terminal cannot be driven by it: control characters (C0, C1, DEL),
 * bidirectional controls and invalid UTF-8 become \xNN; a copy that does not fit ends in "...".
 * out		room for size bytes, size >= 8; always NUL-terminated
 * Returns the length written.
 */
unsigned err_printable(char *out, unsigned size, const char *text);

#endif
