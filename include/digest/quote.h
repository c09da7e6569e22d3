/* quote.h - text for other programs to read as one word. The bytes are those of names of files, so any but 0. */
#ifndef DIGEST_QUOTE_H
#define DIGEST_QUOTE_H

#include <stdbool.h>

#include "digest/arena.h"
#include "digest/strbuf.h"

/* Whether each of these takes it for one word as it is. */
bool	quote_is_plain(const char *text);
/* Append text as one word of a shell. */
void	quote_add_shell(struct strbuf *out, const char *text);
/* ... for a message: in a, or text itself when memory is short, as a message matters more than its quotes. */
const char *quote_shell(struct arena *a, const char *text);
/*
 * Append a command as a line of crontab(5) holds it, where a % would end it.
 * command	of quote_add_shell() and plain words
 * Returns false, with out as it was, for one with a line break, which no such line can hold.
 */
bool	quote_add_cron(struct strbuf *out, const char *command);
/* Append text as one word of ExecStart= in systemd.service(5), behind the first. */
void	quote_add_unit(struct strbuf *out, const char *text);

#endif
