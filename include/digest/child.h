/* child.h - a program of the user's, run by sh -c, whose output is read while other things go on. It has a session of its
 * own, so that it has no terminal to ask on and ends with all it started; it reads /dev/null. */
#ifndef DIGEST_CHILD_H
#define DIGEST_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "digest/error.h"
#include "digest/strbuf.h"

struct child {
	pid_t pid;		/* 0 = none runs */
	int out, said;		/* pipes to read from, without waiting; -1 = closed */
	char line[200];		/* of what it writes to standard error: the line that begins now, */
	char last[200];		/* and the last whole one; "" = none */
	size_t len;		/* of line */
};

/*
 * Start it, with no descriptor but the three. Fails with ERR_IO.
 * set		"NAME=value" of its environment beside ours, NULL after the last; NULL = none
 * heed_errors	keep the last line of its standard error, which else goes to /dev/null
 */
int	child_start(struct child *c, const char *command, const char *const *set, bool heed_errors, struct error *err);
/*
 * Append what there is to read now to out, which bounds it; never waits.
 * Returns 1 while it may print more, 0 when it has closed its output, -1 when out cannot take what it printed.
 */
int	child_read(struct child *c, struct strbuf *out);
/* It has come to its end by itself. Its process group still has its number until child_stop. */
bool	child_has_ended(const struct child *c);
/* End it with all it started, and give its status as of waitpid. Nothing is left of it; without one returns 0. */
int	child_stop(struct child *c);
/* "exit status 3: no such journal", "ended by signal 9"; status not 0. */
void	child_describe(const struct child *c, int status, char *out, size_t size);

#endif
