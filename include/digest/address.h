/* address.h - the one gate for every address and header value (RFC 5321 4.1.2, RFC 5322 3.4, RFC 6531, RFC 5890).
 * No CR, LF, NUL or other control passes, so that no address can become a command and no title a header. */
#ifndef DIGEST_ADDRESS_H
#define DIGEST_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "digest/arena.h"
#include "digest/error.h"

/* One mailbox. Strings live in the arena given. */
struct address {
	const char *name;	/* display name, UTF-8, "" = none */
	const char *mailbox;	/* local@domain as it goes on the wire, domain as A-labels */
	const char *canonical;	/* identity: local part case-folded, domain as A-labels in lower case */
	const char *domain;	/* A-labels, lower case */
	bool needs_smtputf8;	/* the local part is not ASCII (RFC 6531) */
};

/*
 * Read "local@domain", "<local@domain>" or "Name <local@domain>" (the name quoted or not, UTF-8).
 * Our choices: dot-atom and quoted local parts; no comments, no address literals, no routes, no obsolete forms; the
 * domain needs a dot unless it is "localhost"; local part <= 64, domain <= 255, mailbox <= 254 octets.
 * The local part is NFC and in its shortest spelling: "ada"@x.org is ada@x.org. Blanks around the whole are dropped. No
 * control, bidirectional override or broken UTF-8 anywhere; no '<', '>' or invisible character in a mailbox.
 * column	(may be NULL) gets the 1-based byte at which an error was found, 1 .. strlen(text) + 1
 * Fails with ERR_DATA and what was found and expected; out is then untouched.
 */
int	address_parse(const char *text, struct arena *a, struct address *out, unsigned *column,
	    struct error *err);

/* "Name <local@domain>" for a header, the name quoted or encoded (RFC 2047) as needed, and folded if it is long; the name
 * of the header may be as long as "Reply-To". */
struct strbuf;
void	address_add_header(struct strbuf *out, const struct address *addr);

#endif
