#include "digest/error.h"

#include "digest/utf8.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Bidirectional controls and line separators: valid UTF-8, yet able to mislead a person who reads. */
static int
misleads(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == 0x061c || cp == 0x200e ||
	    cp == 0x200f || (cp >= 0x2028 && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069) ||
	    cp == 0xfeff;
}

unsigned
err_printable(char *out, unsigned size, const char *text)
{
	const char *end = text + strlen(text);
	unsigned len = 0, room = 0; /* room = the last place where "..." still fits */

	while (text < end) {
		uint32_t cp;
		unsigned n = utf8_decode(text, (size_t)(end - text), &cp);
		bool plain = n > 0 && !misleads(cp);
		unsigned step = n > 0 ? n : 1;
		unsigned need = plain ? step : 4 * step;

		if (len + 4 <= size)
			room = len;
		if (len + need + 1 > size) {
			memcpy(out + room, "...", 4);
			return room + 3;
		}
		if (plain) {
			memcpy(out + len, text, step);
		} else {
			for (unsigned i = 0; i < step; i++)
				snprintf(out + len + 4 * i, 5, "\\x%02X", (unsigned char)text[i]);
		}
		len += need;
		text += step;
	}
	out[len] = '\0';
	return len;
}

int
err_vset(struct error *err, enum err_kind kind, const char *fmt, va_list ap)
{
	char raw[sizeof(err->msg)];

	if (err == NULL)
		return -1;
	if (vsnprintf(raw, sizeof(raw), fmt, ap) < 0)
		raw[0] = '\0';
	err->kind = kind;
	err_printable(err->msg, sizeof(err->msg), raw);
	return -1;
}

int
err_set(struct error *err, enum err_kind kind, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	err_vset(err, kind, fmt, ap);
	va_end(ap);
	return -1;
}

int
err_prefix(struct error *err, const char *fmt, ...)
{
	char raw[2 * sizeof(err->msg) + 3];
	va_list ap;
	int n;

	if (err == NULL)
		return -1;
	va_start(ap, fmt);
	n = vsnprintf(raw, sizeof(err->msg), fmt, ap);
	va_end(ap);
	if (n < 0)
		return -1;
	if ((size_t)n >= sizeof(err->msg))
		n = sizeof(err->msg) - 1;
	snprintf(raw + n, sizeof(raw) - (size_t)n, ": %s", err->msg);
	err_printable(err->msg, sizeof(err->msg), raw);
	return -1;
}

int
err_nomem(struct error *err, const char *what)
{
	return err_set(err, ERR_NOMEM, "%s: out of memory", what);
}

bool
err_is_of_machine(const struct error *err)
{
	return err->kind == ERR_NOMEM || err->kind == ERR_IO;
}

void
err_clear(struct error *err)
{
	err->kind = ERR_NONE;
	err->msg[0] = '\0';
}
