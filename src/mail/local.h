/* local.h - what the sinks of this machine, Maildir and sendmail, share. */
#ifndef DIGEST_MAIL_LOCAL_H
#define DIGEST_MAIL_LOCAL_H

#include "digest/sink.h"

/*
 * The mail with LF line ends, as programs here want it, into an empty buffer. Looked at is what the SMTP engine looks at too:
 * a bare CR or LF, a NUL, a mailbox that is none. Such a mail is FAILED, whatever way it goes.
 * Returns what is wrong with it, or NULL; for strbuf_check().
 */
const char *local_copy(const struct delivery *mail, struct strbuf *out);

#endif
