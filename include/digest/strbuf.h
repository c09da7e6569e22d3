/* strbuf.h - text that grows up to a stated bound. A failed append sticks and later ones do nothing,
 * so that a writer reads like the page it makes and is checked once, with strbuf_check(). */
#ifndef DIGEST_STRBUF_H
#define DIGEST_STRBUF_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "digest/error.h"

enum strbuf_state { STRBUF_OK, STRBUF_TOO_LONG, STRBUF_NOMEM };

struct strbuf {
	char *buf;		/* always NUL-terminated, also before the first byte */
	size_t len;		/* bytes without the NUL */
	size_t alloc;		/* 0 while buf is the static empty string */
	size_t max_bytes;	/* upper bound of len */
	enum strbuf_state state;
};

/* An empty text of at most max_bytes. Allocates nothing. */
void	strbuf_init(struct strbuf *sb, size_t max_bytes);
/* Free the bytes; the value can be used again as after strbuf_init. */
void	strbuf_release(struct strbuf *sb);
/* Empty it and forget a failure, but keep the memory. */
void	strbuf_reset(struct strbuf *sb);
/* Cut to len bytes, which must not be more than there are. */
void	strbuf_truncate(struct strbuf *sb, size_t len);
/* Make room for exactly len more bytes in one go, unless there is more already or they would not fit. */
void	strbuf_reserve(struct strbuf *sb, size_t len);
/* Each gets what the other has, its bound included. */
void	strbuf_swap(struct strbuf *a, struct strbuf *b);
/* The bytes, owned by the caller (free()); sb is empty afterwards. NULL when an append had failed. */
char	*strbuf_detach(struct strbuf *sb);

void	strbuf_add(struct strbuf *sb, const char *text);
void	strbuf_addn(struct strbuf *sb, const void *bytes, size_t len);
/* Several texts one after the other; a NULL is behind the last. */
void	strbuf_add_all(struct strbuf *sb, ...) __attribute__((sentinel));
void	strbuf_addc(struct strbuf *sb, char c);
void	strbuf_addf(struct strbuf *sb, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void	strbuf_vaddf(struct strbuf *sb, const char *fmt, va_list ap)
	    __attribute__((format(printf, 2, 0)));
void	strbuf_add_number(struct strbuf *sb, int64_t n);
/* One code point as UTF-8; a surrogate or a number above 0x10FFFF becomes U+FFFD. */
void	strbuf_add_codepoint(struct strbuf *sb, uint32_t cp);
/* Text as a JSON string with its quotes (RFC 8259 section 7); invalid UTF-8 becomes U+FFFD. NULL is null. */
void	strbuf_add_json(struct strbuf *sb, const char *text);

/* The one check for all appends: 0, or -1 with ERR_NOMEM and what would not fit. */
int	strbuf_check(const struct strbuf *sb, struct error *err);

#endif
