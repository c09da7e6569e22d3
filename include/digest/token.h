/* token.h - signed tokens for what a reader may do by mail or link without a password (unsubscribe, pause, confirm), and
 * the key file behind them. A token is
 *
 *	base32( key id [2 bytes] purpose [1] reader id [8] epoch [4] MAC [16] )
 *
 * in lower case without padding (RFC 4648 section 6), numbers in network order, the MAC the first 16 bytes of HMAC-SHA256
 * (RFC 2104) over "digest token 1", a NUL and the 15 bytes before it. 50 letters and digits, safe in a header, a subject and
 * a URL, and read back in either case. It holds no secret but the right it gives; who has none learns nothing from trying.
 *
 * The key file has one key a line, "id hex": a number 1..65535 and 64 hex digits; lines that begin with '#' and empty ones
 * are skipped. The first key signs; the others are retired: they verify what was mailed before, and new tokens never use
 * them. To retire a key put a line with a new id above it:
 *
 *	2 6b1f... (openssl rand -hex 32)
 *	1 90aa...
 */
#ifndef DIGEST_TOKEN_H
#define DIGEST_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "digest/error.h"
#include "digest/strbuf.h"

enum { TOKEN_LEN = 50, MAX_TOKEN_KEYS = 16, TOKEN_KEY_BYTES = 32 };

/* The numbers stand in mails that were sent: never reuse one. */
enum token_purpose {
	TOKEN_UNSUBSCRIBE = 1,
	TOKEN_PAUSE = 2,
	TOKEN_CONFIRM = 3,	/* yes to a subscription that someone asked for */
	TOKEN_PREFERENCES = 4,
};

struct token_keys;

/*
 * Read the key file; it must be closed to others (file_check_private).
 * create	make it with one random key, mode 0600, when it is missing; two processes that do so at once end with the
 *		same file. Only for commands that write: a preview must leave no trace.
 * Without the file and without create the set is empty: token_verify says no to everything and token_add writes a
 * placeholder of the right length that no key will ever verify.
 * Fails with ERR_IO, ERR_CONFIG (the file is open to others, or a line of it is wrong, with its number) or ERR_NOMEM.
 */
int	token_key_load(const char *path, bool create, struct token_keys **out, struct error *err);

/* Append the key file as it stands, for a backup; nothing when there is none. Wipe it after use. Fails as token_key_load. */
int	token_key_save(const char *path, struct strbuf *out, struct error *err);

/* What bringing a saved key file back did to the one at hand. */
enum token_restored {
	TOKEN_KEYS_SAME,	/* nothing: all of its keys were there */
	TOKEN_KEYS_PUT,		/* there was none */
	TOKEN_KEYS_ADDED,	/* keys that were missing now stand below the others, retired */
	TOKEN_KEYS_REPLACED,	/* other keys had the same numbers; they are kept as "<path>.before-restore" */
};
/* So that every token that verified when it was saved verifies again, and where that is possible those made since. Fails with
 * ERR_DATA when text is no key file. */
int	token_key_restore(const char *path, const char *text, enum token_restored *out, struct error *err);

/* Wipes the keys. */
void	token_keys_free(struct token_keys *keys);

/* How many keys there are; 0 = a preview before the first run. */
size_t	token_keys_count(const struct token_keys *keys);

/*
 * Append a token: always TOKEN_LEN bytes, the same for the same input.
 * epoch	counts how often the reader's tokens were made void; the caller compares it after token_verify
 */
void	token_add(struct strbuf *out, const struct token_keys *keys, enum token_purpose purpose,
	    int64_t reader_id, uint32_t epoch);

/*
 * Returns 1 when text is, as a whole, a token for purpose signed by one of the keys, and then fills reader_id and epoch;
 * else 0 and they are untouched. The MAC is compared in constant time, and nothing tells a malformed token from a forged.
 */
int	token_verify(const struct token_keys *keys, const char *text, enum token_purpose purpose,
	    int64_t *reader_id, uint32_t *epoch);

#endif
