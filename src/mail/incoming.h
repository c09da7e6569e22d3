/* incoming.h - what the files that read a mail share. incoming_screen.c looks it over; incoming_reader.c hands it to the child
 * that incoming_child.c locks in, where incoming_parse.c decides what it is: with incoming_mime.c, the only file that knows
 * libetpan, incoming_fields.c for fields and what stands in them, incoming_head.c for those of a header, incoming_dsn.c for
 * reports made for machines, incoming_layouts.c for those made for people, incoming_reason.c for codes and words,
 * incoming_auto.c for automatic replies and requests. incoming_check.c looks at the record that comes back. */
#ifndef DIGEST_MAIL_INCOMING_H
#define DIGEST_MAIL_INCOMING_H

#include "digest/incoming.h"

#include <iconv.h>

#include "digest/arena.h"

/* Bytes of the mail at hand, or of a part of it. Not NUL-terminated. */
struct span {
	const char *at;
	size_t len;
};

/* ---- incoming_parse.c ---- */

/* Reads a mail that passed the screen, in this process. Never fails: what cannot be read is INCOMING_UNREADABLE. */
typedef void incoming_parse_fn(const char *bytes, size_t len, struct incoming *out);
incoming_parse_fn incoming_parse;

/* A mail under reading. */
struct letter {
	struct incoming *out;
	struct arena *arena;
	struct span head;		/* header of the mail */
	char type[64];			/* of the mail: "multipart/report", lower case */
	char report[32];		/* its report-type, or "" */
	struct span text;		/* what it says in words, UTF-8, at most MAX_INCOMING_TEXT; NUL-terminated */
	struct span status;		/* of its first message/delivery-status with fields in it */
	struct span inner_status;	/* the same of a message in it, which a wrapper has put there */
	struct span feedback;		/* of its first message/feedback-report */
	struct span returned;		/* header of the mail that it speaks of, perhaps with the body behind it */
	struct span inner_returned;
	bool truncated;			/* a multipart had no end */
	bool nomem;			/* memory was short, and something is missing */

	/* From its header. */
	struct span failed;		/* X-Failed-Recipients */
	bool daemon;			/* sent by a mail system: mailer-daemon, postmaster, X-Failed-Recipients */
};

/* ---- incoming_mime.c ---- */

/*
 * Find the header and the parts of a mail that matter. What is broken beyond libetpan is one text.
 * bytes	len bytes, not NUL-terminated
 * Returns -1 when memory is short.
 */
int	letter_open(struct letter *l, const char *bytes, size_t len);
/* Append a header value as UTF-8: RFC 2047 words decoded, folds undone. */
void	letter_add_decoded(struct strbuf *out, struct span value);

/* Conversions from the charsets that people use: an open one keeps its module in memory, which a child without files
 * cannot load. */
struct charsets {
	iconv_t open[20];
	size_t n;
};
void	charsets_load(struct charsets *c);
void	charsets_release(struct charsets *c);

/* ---- incoming_fields.c ---- */

struct field {
	struct span name, value;	/* the value with its folds */
};

/* The next field of a header block; lines that are none are skipped. False at its end, an empty line, which is passed over. */
bool	field_next(struct span *block, struct field *out);
bool	field_is(const struct field *f, const char *name);
/* True when the value begins so, in any case. */
bool	field_begins(const struct field *f, const char *text);

/* The next address in a text: local@domain, no quoted local parts. False at the end. */
bool	address_next(struct span *text, char out[MAX_ADDRESS_BYTES + 1]);
/* The mailbox of a From field or its kind: in < > if there is one, else the first. "" = none. */
void	address_of(struct span value, char out[MAX_ADDRESS_BYTES + 1]);

/* A Message-ID without its < and >. */
struct span id_of(struct span value);

struct span span_trim(struct span s);
struct span span_of(const char *text);
/* The next line, without its end. False when there is none. */
bool	span_line(struct span *text, struct span *line);
/* Where needle, in lower case, begins in a text of any case; NULL = nowhere. Linear. */
const char *span_find(struct span text, const char *needle);
/* Keep the beginning of a text as a string of a record: one printable line. */
void	span_keep(struct span s, char *out, size_t size);

/* Note every address of a value as a candidate. */
void	candidates_add(struct incoming *in, enum incoming_place place, struct span value);
/* Note the words of a text that have the form of a token. */
void	candidates_add_words(struct incoming *in, enum incoming_place place, struct span value);
/* Note a Message-ID. */
void	candidates_add_id(struct incoming *in, enum incoming_place place, struct span value);
bool	candidates_have_token(const struct incoming *in);

/* ---- incoming_head.c ---- */

/* Go through the header of the mail, and of the one that came back. */
void	letter_read_head(struct letter *l);
void	letter_read_returned(struct letter *l, struct span head);

/* ---- rules: each returns whether it has decided ---- */

bool	letter_is_status(struct letter *l);	/* incoming_dsn.c */
bool	letter_is_feedback(struct letter *l);
bool	letter_is_layout(struct letter *l);	/* incoming_layouts.c */
bool	letter_is_failure(struct letter *l);
bool	letter_is_request(struct letter *l);	/* incoming_auto.c */
bool	letter_is_automatic(struct letter *l);
/* Whether a decoded subject is that of an automatic reply, in any of the languages we know. */
bool	subject_is_automatic(const char *subject, size_t len);

/* Say what the mail is and by which rule. Returns true. */
bool	letter_decide(struct letter *l, enum incoming_kind kind, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));

/* The recipient with that address, or a new one; NULL when there is no room. */
struct incoming_recipient *letter_recipient(struct letter *l, const char *address);

/* ---- incoming_reason.c ---- */

/* How far a text may be trusted. */
enum trust {
	TRUST_STATUS,	/* fields for machines, or the layout of a known program: its codes count */
	TRUST_WORDS,	/* free text: never more than a soft failure */
};

/* Fill in code, status, class and reason of a recipient whose fate is BOUNCE, DELAYED or DELIVERED, out of what was said. */
void	recipient_judge(struct incoming_recipient *r, struct span said, enum trust trust);
/* An address that is called dead, of which a text says that its mailbox is full, is taken to be full. */
void	recipient_doubt(struct incoming_recipient *r, struct span text);
/* The first enhanced code and SMTP reply code of a text; "" and 0 where there is none. */
void	codes_find(struct span text, char status[12], uint32_t *code);
/* What the first words of a text say: a reason and a class that is never SMTP_CLASS_DEAD. False when we know none of them. */
bool	words_judge(struct span text, const char **reason, enum smtp_class *class);

/* ---- incoming_child.c ---- */

/* Live as the child: lock in, say so on the socket, read mails until it is closed. */
_Noreturn void incoming_child_live(int fd, incoming_parse_fn *parse);
enum { CHILD_SEALED = 'S', CHILD_OPEN = 'O' };	/* the first byte that it sends */

/* ---- incoming_reader.c ---- */

/* A reader whose child parses with another function and has less time, for tests. */
int	incoming_reader_open(incoming_parse_fn *parse, unsigned timeout_ms, struct incoming_reader **out,
	    struct error *err);

#endif
