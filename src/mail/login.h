/* login.h - who we are to a server, SMTP or IMAP: a user with a password or an OAuth 2 token, by which mechanisms it may go
 * out, and how it looks then, so that no reply that repeats it is shown to anybody. */
#ifndef DIGEST_MAIL_LOGIN_H
#define DIGEST_MAIL_LOGIN_H

#include <stdbool.h>
#include <stddef.h>

#include "digest/error.h"
#include "digest/strbuf.h"

/* Ways to log in (RFC 4616, 7628; LOGIN and XOAUTH2 are usage). */
enum login_auth { AUTH_PLAIN = 1, AUTH_LOGIN = 2, AUTH_XOAUTH2 = 4, AUTH_OAUTHBEARER = 8, NAUTHS = 4 };

struct login_mechanism {
	enum login_auth auth;
	const char *name;
};
extern const struct login_mechanism login_mechanisms[NAUTHS];

/* The mechanisms of a list as servers tell it, "PLAIN LOGIN", whatever their case; those that are not ours are left out. */
unsigned login_parse_mechanisms(const char *list);
/* "PLAIN or LOGIN" */
void	login_name_mechanisms(unsigned auth, char out[80]);

/* As somebody configured it; NULL is taken as "". */
struct login_options {
	const char *user;	/* "" = no login */
	const char *password;	/* or token */
	const char *auth;	/* auto (PLAIN before LOGIN, or a token), plain, login, xoauth2, oauthbearer */
	/* Get a token anew, once the server takes the one in password no more; NULL = that is none. */
	int (*token)(void *arg, struct strbuf *out, struct error *err);
	void *token_arg;
};

struct login {
	char *user, *password;
	bool by_token;			/* the password is a token */
	unsigned auth;			/* enum login_auth that may be used, or-ed */
	/* The base64 of what goes out: the password alone (AUTH LOGIN); by PLAIN, or a token by XOAUTH2; a token by OAUTHBEARER. */
	char *encoded[3];
	int (*token)(void *arg, struct strbuf *out, struct error *err);
	void *token_arg;
	unsigned secret_number;		/* grows with each new token */
	char host[256];
	unsigned port;
};

/* host, port	of the server; OAUTHBEARER tells them
 * Fails with ERR_CONFIG: half a login, or a way to log in that does not fit. */
int	login_init(struct login *l, const struct login_options *options, const char *host, unsigned port,
	    struct error *err);
/* The secrets are wiped. */
void	login_release(struct login *l);
/* Get another token. Fails with the error of who gives it. */
int	login_renew(struct login *l, struct error *err);
/*
 * Whether a text of the server's holds the secret in any spelling that was sent, or a long part of it: texts are cut, and a
 * server may repeat a piece.
 * whole	only one that begins as the secret is looked for
 */
bool	login_is_shown(const struct login *l, const char *text, bool whole);

#endif
