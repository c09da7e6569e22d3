/* check.h - what the parts of `digest check` share. */
#ifndef DIGEST_RUN_CHECK_H
#define DIGEST_RUN_CHECK_H

#include "run/stages.h"

struct checker {
	struct run *run;
	const struct run_check_options *options;
	unsigned faults;
	bool store_failed;	/* it is there, but cannot be read */
	struct arena arena;	/* of one item */
};

/* What stands well; what a person should look at; what keeps digests from leaving, and its enum run_fault. cure "" = the
 * text says it. */
void	check_ok(struct checker *c, const char *what, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void	check_warn(struct checker *c, const char *what, const char *cure, const char *fmt, ...)
	    __attribute__((format(printf, 4, 5)));
void	check_fail(struct checker *c, unsigned fault, const char *what, const char *cure, const char *fmt, ...)
	    __attribute__((format(printf, 5, 6)));
/* The same with the sentence and the kind of an error. */
void	check_fail_err(struct checker *c, const char *what, const struct error *err);

/* Room on the disk that holds path, or will. */
void	check_room(struct checker *c, const char *what, const char *path);
/* The nearest folder of a path that is there. */
void	check_nearest_dir(const char *path, char *out, size_t size);

/* check_cron.c: whether runs come often enough. */
void	check_cron(struct checker *c);

/* check_mail.c: ways out, the addresses of mails, and the test mail. */
void	check_mail(struct checker *c);
void	check_send(struct checker *c, const char *address);

#endif
