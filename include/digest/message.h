/* message.h - one mail as bytes: headers, multipart/alternative of text and HTML, all UTF-8 as quoted-printable, every
 * line ended by CRLF and at most 76 columns in bodies (RFC 5322, 2045, 2046, 2047, 2369, 2919, 3834). Pure: the same
 * input gives the same bytes. Nothing here adds a header that a value brought along: controls become blanks. */
#ifndef DIGEST_MESSAGE_H
#define DIGEST_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "digest/address.h"
#include "digest/error.h"
#include "digest/strbuf.h"

enum { MESSAGE_ID_SIZE = 320, MESSAGE_HASH_BYTES = 16 };

struct message {
	const struct address *from;
	const struct address *to;
	const struct address *reply_to;	/* NULL = none */
	const char *subject;
	int64_t date_utc;		/* when the edition was composed */
	int date_offset_s;		/* of the reader's zone at that time */
	const char *list_id, *list_name;	/* "papers.example.org", "Papers"; a name too long for List-Id is left out */
	const char *message_id;		/* with < and >, from message_make_id */
	const char *unsubscribe_mailto;	/* "mailto:..." or "" */
	const char *unsubscribe_https;	/* "https:..." or ""; adds List-Unsubscribe-Post */
	const char *help_url, *archive_url;	/* of List-Help and List-Archive, or "" */
	bool is_answer;			/* to a mail of the recipient: auto-replied (RFC 3834), which nobody may answer */
	const char *in_reply_to;	/* of an answer: the Message-ID it is to, without < and >; "" = not known */
	const char *text, *html;	/* quoted-printable of UTF-8, see qp.h; html NULL = the mail is text alone */
	size_t text_len, html_len;	/* 0 = up to the NUL */
};

/*
 * The Message-ID of an edition, the same on every try and every machine:
 * "<" + hash of (list id, canonical address, period) + "@" + domain + ">"; unkeyed.
 */
void	message_make_id(char out[MESSAGE_ID_SIZE], const char *list_id, const char *canonical,
	    const char *period, const char *domain);

/*
 * Append the whole mail. Its boundary is made from the Message-ID and begins with "=_", which no quoted-printable text
 * can hold. Headers are 7 bit unless an address needs SMTPUTF8 (the header block then is RFC 6532).
 * Fails with ERR_NOMEM when out's bound is reached, and with ERR_BUG when a mailbox, link or id cannot stand in a header
 * or the finished headers break a rule: a CR or LF alone, NUL, 8 bit, a line > 998 bytes, more than MAX_HEADER_BYTES in all.
 * out then has what it had.
 */
int	message_add(struct strbuf *out, const struct message *m, struct error *err);

/* 128-bit BLAKE2b. */
void	message_hash(const void *bytes, size_t len, unsigned char out[MESSAGE_HASH_BYTES]);

/* 128-bit XXH3 of a mail's bytes: an edition is sent again only when it is still the same. Whoever finds two mails with one
 * fingerprint gains nothing, and a mail is hashed in 3 us; BLAKE2b takes 60. */
void	message_fingerprint(const void *bytes, size_t len, unsigned char out[MESSAGE_HASH_BYTES]);

/* Append an unstructured header value, encoded as RFC 2047 words where needed and folded at 76 columns; name_len = columns
 * used by "Name: " before it. Controls and runs of blanks become one blank, bidirectional overrides vanish, what looks like
 * an encoded word is encoded, more than MAX_HEADER_TEXT bytes are cut at a grapheme. */
void	message_add_words(struct strbuf *out, const char *text, size_t name_len);

#endif
