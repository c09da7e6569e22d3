#include "login.h"
#include "digest/limits.h"

#include <sodium.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	MIN_HIDDEN = 4,	  /* a shorter secret would hide every reply */
	PART_HIDDEN = 16, /* so many bytes of a longer one are as good as all */
};

const struct login_mechanism login_mechanisms[NAUTHS] = {
	{ AUTH_PLAIN, "PLAIN" },
	{ AUTH_LOGIN, "LOGIN" },
	{ AUTH_XOAUTH2, "XOAUTH2" },
	{ AUTH_OAUTHBEARER, "OAUTHBEARER" },
};

unsigned
login_parse_mechanisms(const char *list)
{
	unsigned auth = 0;

	while (*list != '\0') {
		size_t n = strcspn(list, " ");

		for (size_t i = 0; i < NAUTHS; i++)
			if (strlen(login_mechanisms[i].name) == n &&
			    strncasecmp(list, login_mechanisms[i].name, n) == 0)
				auth |= login_mechanisms[i].auth;
		list += n + strspn(list + n, " ");
	}
	return auth;
}

void
login_name_mechanisms(unsigned auth, char out[80])
{
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < NAUTHS; i++)
		if ((auth & login_mechanisms[i].auth) != 0)
			len += (size_t)snprintf(out + len, 80 - len, "%s%s", len > 0 ? " or " : "",
			    login_mechanisms[i].name);
}

static char *
encode(const char *bytes, size_t len)
{
	size_t size = sodium_base64_encoded_len(len, sodium_base64_VARIANT_ORIGINAL);
	char *text = malloc(size);

	if (text != NULL)
		sodium_bin2base64(
		    text, size, (const unsigned char *)bytes, len, sodium_base64_VARIANT_ORIGINAL);
	return text;
}

static char *
encode_and_release(struct strbuf *text)
{
	char *encoded = strbuf_check(text, NULL) == 0 ? encode(text->buf, text->len) : NULL;

	if (text->alloc > 0)
		sodium_memzero(text->buf, text->alloc);
	strbuf_release(text);
	return encoded;
}

/* How AUTH LOGIN and AUTH PLAIN (RFC 4616), or XOAUTH2 and OAUTHBEARER (RFC 7628), put the secret on the wire. */
static int
encode_secret(struct login *l)
{
	struct strbuf text[2];

	strbuf_init(&text[0], 2 * MAX_SECRET_BYTES);
	strbuf_init(&text[1], 2 * MAX_SECRET_BYTES);
	if (l->by_token) {
		strbuf_addf(&text[0], "user=%s\1auth=Bearer %s\1\1", l->user, l->password);
		strbuf_addf(&text[1], "n,a=%s,\1host=%s\1port=%u\1auth=Bearer %s\1\1", l->user,
		    l->host, l->port, l->password);
	} else {
		strbuf_addc(&text[0], '\0');
		strbuf_add(&text[0], l->user);
		strbuf_addc(&text[0], '\0');
		strbuf_add(&text[0], l->password);
	}
	l->encoded[0] = encode(l->password, strlen(l->password));
	l->encoded[1] = encode_and_release(&text[0]);
	l->encoded[2] = encode_and_release(&text[1]);
	return l->encoded[0] == NULL || l->encoded[1] == NULL || l->encoded[2] == NULL ? -1 : 0;
}

/* -1 = no such way to log in. */
static int
choose_mechanisms(struct login *l, const char *auth, struct error *err)
{
	const unsigned by_token = AUTH_XOAUTH2 | AUTH_OAUTHBEARER;

	if (auth[0] == '\0' || strcmp(auth, "auto") == 0)
		l->auth = l->by_token ? by_token : AUTH_PLAIN | AUTH_LOGIN;
	for (size_t i = 0; i < NAUTHS; i++)
		if (strcasecmp(auth, login_mechanisms[i].name) == 0)
			l->auth = login_mechanisms[i].auth;
	if (l->auth == 0)
		return err_set(err, ERR_CONFIG,
		    "auth '%.40s'; expected auto, plain, login, xoauth2 or oauthbearer", auth);
	if (((l->auth & by_token) != 0) != l->by_token)
		return err_set(err, ERR_CONFIG, "auth %s %s a token-command; expected %s", auth,
		    l->by_token ? "with" : "without",
		    l->by_token ? "a password, or auth xoauth2 or oauthbearer" : "one");
	return 0;
}

static const char *
text_of(const char *text)
{
	return text != NULL ? text : "";
}

int
login_init(struct login *l, const struct login_options *o, const char *host, unsigned port,
    struct error *err)
{
	const char *user = text_of(o->user), *password = text_of(o->password);

	memset(l, 0, sizeof(*l));
	l->by_token = o->token != NULL;
	l->token = o->token;
	l->token_arg = o->token_arg;
	l->port = port;
	snprintf(l->host, sizeof(l->host), "%s", host);
	if (*user == '\0' && *password != '\0')
		return err_set(err, ERR_CONFIG,
		    "a password without a user; expected user = the name it is for");
	if (*user != '\0' && *password == '\0')
		return err_set(err, ERR_CONFIG, "user '%.100s' without a password", user);
	if (choose_mechanisms(l, text_of(o->auth), err) == -1)
		return -1;
	l->user = strdup(user);
	l->password = strdup(password);
	if (l->user == NULL || l->password == NULL || encode_secret(l) == -1) {
		login_release(l);
		return err_nomem(err, "login");
	}
	return 0;
}

static void
free_secret(char *secret)
{
	if (secret != NULL)
		sodium_memzero(secret, strlen(secret));
	free(secret);
}

static void
free_secrets(struct login *l)
{
	free_secret(l->password);
	for (size_t i = 0; i < sizeof(l->encoded) / sizeof(l->encoded[0]); i++)
		free_secret(l->encoded[i]);
}

void
login_release(struct login *l)
{
	free_secrets(l);
	free(l->user);
	memset(l, 0, sizeof(*l));
}

int
login_renew(struct login *l, struct error *err)
{
	struct login next = *l;
	struct strbuf token;
	int rc;

	strbuf_init(&token, MAX_SECRET_BYTES);
	memset(next.encoded, 0, sizeof(next.encoded));
	next.password = NULL;
	next.secret_number++;
	rc = l->token(l->token_arg, &token, err);
	if (rc == 0 && ((next.password = strdup(token.buf)) == NULL || encode_secret(&next) == -1))
		rc = err_nomem(err, "token");
	if (token.alloc > 0)
		sodium_memzero(token.buf, token.alloc);
	strbuf_release(&token);
	free_secrets(rc == 0 ? l : &next);
	if (rc == 0)
		*l = next;
	return rc;
}

static bool
shows(const char *text, const char *secret, bool whole)
{
	size_t len = strlen(secret), ntext = strlen(text);

	if (len < MIN_HIDDEN)
		return false;
	if (len <= PART_HIDDEN || whole)
		return memmem(text, ntext, secret, len < PART_HIDDEN ? len : PART_HIDDEN) != NULL;
	for (size_t i = 0; i + PART_HIDDEN <= ntext; i++)
		if (memmem(secret, len, text + i, PART_HIDDEN) != NULL)
			return true;
	return false;
}

bool
login_is_shown(const struct login *l, const char *text, bool whole)
{
	const char *const secrets[] = { l->password, l->encoded[0], l->encoded[1], l->encoded[2] };

	if (l->user[0] == '\0')
		return false;
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		if (shows(text, secrets[i], whole))
			return true;
	return false;
}
