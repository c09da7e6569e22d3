/* init_next.h - how it goes on after `digest init`: commands to be pasted as they are, whatever the files are called. */
#ifndef DIGEST_CLI_INIT_NEXT_H
#define DIGEST_CLI_INIT_NEXT_H

#include <stdbool.h>

#include "digest/error.h"
#include "digest/init.h"
#include "digest/strbuf.h"

struct init_next {
	const struct run_init_place *place;
	bool is_given;		/* the files belong to the user of the service already */
	bool has_secret;
	bool by_sendmail;	/* which the sandbox of the service keeps from its work */
	/* Commands, each one line. */
	struct strbuf run, check;	/* of a shell */
	struct strbuf cron;	/* of a crontab; "" when a name in it has a line break, which none can hold */
	struct strbuf start;	/* of a unit of systemd, with its key */
};

/* Fill the commands; what is above them is set. Whatever comes of it, init_next_release() ends it. */
int	init_next_find(struct init_next *next, struct error *err);
void	init_next_release(struct init_next *next);
/* Append what a person is told. */
void	init_next_add_text(struct strbuf *out, const struct init_next *next);

#endif
