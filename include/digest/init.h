/* init.h - a first configuration: answers of a person as the program will read them, its text, and a try of the relay and of
 * the topics before anything is written. */
#ifndef DIGEST_INIT_H
#define DIGEST_INIT_H

#include <stdbool.h>
#include <stddef.h>

#include "digest/run.h"

enum run_init_item {
	INIT_ADDRESS, INIT_FROM, INIT_TOPIC, INIT_URL, INIT_USER, INIT_CA, INIT_WHEN, INIT_TIMEZONE, RUN_INIT_ITEMS
};
enum { RUN_INIT_TOPICS = 50 };

/* What somebody answered, each accepted by run_init_accept(). */
struct run_init {
	const char *items[RUN_INIT_ITEMS];	/* but INIT_TOPIC; NULL = not answered */
	const char *topics[RUN_INIT_TOPICS];	/* queries; without any the reader gets what trends */
	size_t ntopics;
	const char *password;			/* NULL or "" = none */
};

/* Where it will stand. "" = none can be told, as there is no $HOME. */
struct run_init_place {
	const char *config, *secret;	/* paths; the secret stands beside the configuration */
	const char *store;	/* that the configuration is to name: called by cron, digest would look elsewhere; "" = none */
	bool named;		/* digest does not look there by itself, called by cron: commands need -c */
	bool of_machine;	/* under /etc */
};

/*
 * given	a path, or NULL: $DIGEST_CONFIG, for root /etc/digest/digest.conf, else $XDG_CONFIG_HOME/digest/digest.conf
 * Fails with ERR_CONFIG when either file is there already, for nothing is ever overwritten.
 */
int	run_init_find_place(const char *given, struct arena *a, struct run_init_place *out, struct error *err);
/*
 * Read an answer as the program itself will read it.
 * out		as it will be written: "smtp.example.org" is smtps://smtp.example.org, a file its whole path
 * wrong	(may be NULL) the byte at which a topic is wrong, SIZE_MAX = it is not told
 * Fails with what was found and what was expected.
 */
int	run_init_accept(enum run_init_item item, const char *text, struct arena *a, const char **out, size_t *wrong,
	    struct error *err);
/* This machine has a sendmail, which needs no further answer. */
bool	run_init_has_sendmail(void);
/* A sensible answer, from those before it; NULL = there is none. */
const char *run_init_propose(const struct run_init *init, enum run_init_item item, struct arena *a);
/* Whether a mail from INIT_FROM may go by INIT_URL. Fails with ERR_CONFIG. */
int	run_init_check_sender(const struct run_init *init, struct error *err);
/* Whether this way out is a relay, which may ask for a login. */
bool	run_init_is_relay(const struct run_init *init);
/*
 * The program with what was answered so far as its configuration, of which nothing is written: to read papers with, and to
 * try the relay. settings->config_path is not looked at.
 */
int	run_init_open(const struct run_init *init, const struct run_init_place *place, const struct run_settings *settings,
	    struct run **out, struct error *err);
/* Read what the sources list, for run_try() on the last WINDOW_DAYS; 0 papers is no error. ERR_NET when none answers. */
int	run_init_read_papers(struct run *run, size_t *npapers, struct error *err);
/*
 * Connect and log in as a run would; told gets "smtps://smtp.example.org, TLS, logged in, mails up to 34176 KB".
 * untrusted	whether it failed because the certificate is signed by nobody who is trusted: INIT_CA may name who is
 */
int	run_init_try_relay(struct run *run, const struct run_init *init, struct strbuf *told, bool *untrusted,
	    struct error *err);
/* Both files, closed to others, in a folder that is made 0700 when it is missing. Neither is there after a failure, as when a
 * run could not read what would stand in them. */
int	run_init_write(const struct run_init *init, const struct run_init_place *place, struct error *err);
/* Let the user read what was written who will run digest: the configuration stays root's, the secret becomes theirs. Fails
 * with ERR_IO. */
int	run_init_give(const struct run_init_place *place, const char *user, struct error *err);

#endif
