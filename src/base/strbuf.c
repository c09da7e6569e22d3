#include "digest/strbuf.h"

#include "digest/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What buf points to before the first byte; never written, because alloc is 0. */
static const char empty[1] = "";

void
strbuf_init(struct strbuf *sb, size_t max_bytes)
{
	memset(sb, 0, sizeof(*sb));
	sb->buf = (char *)(uintptr_t)empty;
	sb->max_bytes = max_bytes;
}

void
strbuf_release(struct strbuf *sb)
{
	if (sb->alloc > 0)
		free(sb->buf);
	strbuf_init(sb, sb->max_bytes);
}

void
strbuf_reset(struct strbuf *sb)
{
	sb->state = STRBUF_OK;
	strbuf_truncate(sb, 0);
}

void
strbuf_truncate(struct strbuf *sb, size_t len)
{
	if (sb->alloc == 0 || len > sb->len)
		return;
	sb->len = len;
	sb->buf[len] = '\0';
}

void
strbuf_swap(struct strbuf *a, struct strbuf *b)
{
	struct strbuf kept = *a;

	*a = *b;
	*b = kept;
}

char *
strbuf_detach(struct strbuf *sb)
{
	char *text = NULL;

	if (sb->state == STRBUF_OK) {
		if (sb->alloc > 0) {
			text = sb->buf;
			sb->alloc = 0;
		} else {
			text = calloc(1, 1);
		}
	}
	strbuf_release(sb);
	return text;
}

/* Let it have `alloc` bytes, or note that memory is short. */
static int
resize(struct strbuf *sb, size_t alloc)
{
	char *buf = realloc(sb->alloc > 0 ? sb->buf : NULL, alloc);

	if (buf == NULL) {
		sb->state = STRBUF_NOMEM;
		return -1;
	}
	sb->buf = buf;
	sb->alloc = alloc;
	return 0;
}

/* Room for extra more bytes and the NUL, or the sticky failure. */
static __attribute__((noinline)) int
grow(struct strbuf *sb, size_t extra)
{
	size_t need, alloc;

	if (sb->state != STRBUF_OK)
		return -1;
	if (extra > sb->max_bytes - sb->len) {
		sb->state = STRBUF_TOO_LONG;
		return -1;
	}
	need = sb->len + extra + 1;
	if (need <= sb->alloc)
		return 0;
	alloc = sb->alloc < 64 ? 64 : sb->alloc;
	while (alloc < need)
		alloc *= 2;
	return resize(sb, alloc);
}

/* The same, without a call where there is room: most appends are of a few bytes. */
static inline int
reserve(struct strbuf *sb, size_t extra)
{
	if (sb->state == STRBUF_OK && extra <= sb->max_bytes - sb->len &&
	    extra < sb->alloc - sb->len)
		return 0;
	return grow(sb, extra);
}

void
strbuf_reserve(struct strbuf *sb, size_t len)
{
	if (sb->state == STRBUF_OK && len <= sb->max_bytes - sb->len &&
	    sb->len + len + 1 > sb->alloc && resize(sb, sb->len + len + 1) == 0)
		sb->buf[sb->len] = '\0';
}

void
strbuf_addn(struct strbuf *sb, const void *bytes, size_t len)
{
	if (len == 0 || reserve(sb, len) == -1)
		return;
	memcpy(sb->buf + sb->len, bytes, len);
	sb->len += len;
	sb->buf[sb->len] = '\0';
}

void
strbuf_add(struct strbuf *sb, const char *text)
{
	strbuf_addn(sb, text, strlen(text));
}

void
strbuf_add_all(struct strbuf *sb, ...)
{
	const char *text;
	va_list ap;

	va_start(ap, sb);
	while ((text = va_arg(ap, const char *)) != NULL)
		strbuf_addn(sb, text, strlen(text));
	va_end(ap);
}

void
strbuf_addc(struct strbuf *sb, char c)
{
	strbuf_addn(sb, &c, 1);
}

void
strbuf_vaddf(struct strbuf *sb, const char *fmt, va_list ap)
{
	size_t room = sb->alloc > 0 ? sb->alloc - sb->len : 0;
	va_list again;
	int n;

	if (sb->state != STRBUF_OK)
		return;
	va_copy(again, ap);
	/* Most fit at the first attempt. */
	n = vsnprintf(room > 0 ? sb->buf + sb->len : NULL, room, fmt, ap);
	if (n >= 0 && reserve(sb, (size_t)n) == 0) {
		if ((size_t)n >= room)
			vsnprintf(sb->buf + sb->len, (size_t)n + 1, fmt, again);
		sb->len += (size_t)n;
	} else if (room > 0) {
		sb->buf[sb->len] = '\0';
	}
	va_end(again);
}

void
strbuf_addf(struct strbuf *sb, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(sb, fmt, ap);
	va_end(ap);
}

void
strbuf_add_number(struct strbuf *sb, int64_t n)
{
	char digits[24], *at = digits + sizeof(digits);
	uint64_t left = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;

	do
		*--at = (char)('0' + left % 10);
	while ((left /= 10) > 0);
	if (n < 0)
		*--at = '-';
	strbuf_addn(sb, at, (size_t)(digits + sizeof(digits) - at));
}

void
strbuf_add_codepoint(struct strbuf *sb, uint32_t cp)
{
	char out[4];
	unsigned n = utf8_encode(cp, out);

	strbuf_addn(sb, out, n);
}

void
strbuf_add_json(struct strbuf *sb, const char *text)
{
	const char *end;

	if (text == NULL) {
		strbuf_add(sb, "null");
		return;
	}
	end = text + strlen(text);
	strbuf_addc(sb, '"');
	while (text < end) {
		uint32_t cp;
		unsigned n = utf8_decode(text, (size_t)(end - text), &cp);

		if (n == 0) {
			strbuf_add_codepoint(sb, 0xfffd);
			n = 1;
		} else if (cp == '"' || cp == '\\') {
			strbuf_addc(sb, '\\');
			strbuf_addc(sb, (char)cp);
		} else if (cp == '\n') {
			strbuf_add(sb, "\\n");
		} else if (cp < 0x20 || cp == 0x7f || cp == 0x2028 || cp == 0x2029) {
			strbuf_addf(sb, "\\u%04x", (unsigned)cp);
		} else {
			strbuf_addn(sb, text, n);
		}
		text += n;
	}
	strbuf_addc(sb, '"');
}

int
strbuf_check(const struct strbuf *sb, struct error *err)
{
	if (sb->state == STRBUF_TOO_LONG)
		return err_set(
		    err, ERR_NOMEM, "text exceeds its bound of %zu bytes", sb->max_bytes);
	if (sb->state == STRBUF_NOMEM)
		return err_nomem(err, "text");
	return 0;
}
