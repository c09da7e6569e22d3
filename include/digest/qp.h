/* qp.h - text as quoted-printable (RFC 2045 6.7): lines of printable ASCII ended by CRLF. A text can be written piece by
 * piece, and pieces that were encoded before can be put in between: they begin and end at the start of a line. */
#ifndef DIGEST_QP_H
#define DIGEST_QP_H

#include <stdbool.h>
#include <stddef.h>

#include "digest/strbuf.h"

enum {
	QP_COLUMNS = 75,	/* RFC 2045 6.7 (5) allows 76; the last is for the '=' of a soft break */
	QP_CARD_COLUMNS = 72,	/* where a line may later begin with a character that has to be encoded there */
};

/* A text that is being written. */
struct qp {
	struct strbuf *out;
	unsigned column;	/* bytes of the line so far */
	unsigned columns;	/* how many a line may have before its '=' */
};

/*
 * Append text with LF line ends; CRLF counts as one, a CR alone becomes =0D, a byte that is not UTF-8 becomes U+FFFD. A dot
 * at the start of a line, "From " there and a blank at its end are encoded: SMTP, mailboxes and relays change those. Soft
 * breaks never stand inside a character.
 */
void	qp_add(struct qp *qp, const char *text, size_t len);
/* The same for text that is to stand in HTML, between tags or in a quoted attribute: & < > " ' as entities, kept whole. */
void	qp_add_html(struct qp *qp, const char *text, size_t len);
/* Make the next byte the first of a line, without a line end in the text. */
void	qp_break(struct qp *qp);

/* Append what was encoded before, or a part of it that ends and begins between characters: it goes on in the line when there
 * is room. It must have been encoded for QP_CARD_COLUMNS. */
void	qp_add_ready(struct qp *qp, const char *bytes, size_t len);

/* A whole text at once. */
void	qp_add_text(struct strbuf *out, const char *text, size_t len);

/*
 * What follows the next character of a text that qp_add or, html, qp_add_html wrote, and soft breaks before it.
 * len	gets the bytes of that character in the text
 */
const char *qp_skip(const char *at, const char *end, bool html, size_t *len);

/* Append what was encoded as text with LF line ends. What is no quoted-printable stays as it is. */
void	qp_add_decoded(struct strbuf *out, const char *bytes, size_t len);

#endif
