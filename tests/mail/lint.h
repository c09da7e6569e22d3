/* lint.h - a second reader of our mails, beside tests/e2e/mail_lint.py: libetpan takes them apart, gumbo reads the HTML. It
 * shares no code with digest and none with the other reader, so that a mail both find right, and read alike, is right. */
#ifndef TESTS_MAIL_LINT_H
#define TESTS_MAIL_LINT_H

#include <stdbool.h>
#include <stddef.h>

struct options {
	bool lf;	 /* lines end in LF, as in a Maildir */
	bool smtputf8;	 /* headers may hold UTF-8 */
	bool decoded;	 /* print what was read, for comparison */
	size_t html_limit;
};

struct mail {
	const struct options *options;
	const char *path;
	const char *raw;
	size_t len;
	unsigned nfindings;
	char *text, *html; /* decoded parts, lines end in LF */
	size_t html_coded; /* bytes of that part as it is in the mail */
};

/* One line on standard output: "path: rule: what". */
__attribute__((format(printf, 3, 4))) void find(
    struct mail *m, const char *rule, const char *fmt, ...);

/* The header block: which fields there are, and what they say. */
void check_headers(struct mail *m, const char *head, size_t len);

/* The encoded lines of one part. */
void check_coding(struct mail *m, const char *subtype, const char *body, size_t len);
/* Both decoded parts: layout of the HTML, width of the text, the same papers in both. */
void check_markup(struct mail *m);
void check_plain(struct mail *m);

#endif
