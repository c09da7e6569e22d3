#include "mail/incoming.h"

#include <ctype.h>
#include <libetpan/libetpan.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "digest/text.h"
#include "digest/utf8.h"

enum {
	CLOSING = 256,			     /* room behind a mail to close its multipart */
	MAX_ENCODED = 4 * MAX_INCOMING_TEXT, /* of a part is looked at: no encoding takes more */
	MAX_WALK = 4 * MAX_INCOMING_DEPTH,   /* libetpan may see more levels than the screen */
};

/* ---- charsets ---- */

void
charsets_load(struct charsets *c)
{
	static const char *const names[] = { "ISO-8859-1", "ISO-8859-2", "ISO-8859-5", "ISO-8859-7",
		"ISO-8859-9", "ISO-8859-15", "WINDOWS-1250", "WINDOWS-1251", "WINDOWS-1252",
		"WINDOWS-1253", "WINDOWS-1254", "KOI8-R", "ISO-2022-JP", "SHIFT_JIS", "EUC-JP",
		"GB2312", "GBK", "GB18030", "BIG5", "EUC-KR" };

	c->n = 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		iconv_t cd = iconv_open("utf-8", names[i]);

		if (cd != (iconv_t)-1)
			c->open[c->n++] = cd;
	}
}

void
charsets_release(struct charsets *c)
{
	while (c->n > 0)
		iconv_close(c->open[--c->n]);
}

/* Append bytes of a charset as UTF-8; an unknown charset, or one that the bytes are not in, is taken for UTF-8 with errors. */
static void
add_utf8(struct strbuf *out, const char *charset, const char *bytes, size_t len)
{
	char *text = NULL;
	size_t text_len = 0;

	if (charset != NULL && strcasecmp(charset, "utf-8") != 0 &&
	    strcasecmp(charset, "us-ascii") != 0 &&
	    charconv_buffer("utf-8", charset, bytes, len, &text, &text_len) ==
		MAIL_CHARCONV_NO_ERROR) {
		utf8_add_repaired(out, text, text_len);
		charconv_buffer_free(text);
		return;
	}
	utf8_add_repaired(out, bytes, len);
}

void
letter_add_decoded(struct strbuf *out, struct span value)
{
	char *text = NULL;
	size_t at = 0;

	if (value.len > MAX_HEADER_TEXT)
		value.len = MAX_HEADER_TEXT;
	if (mailmime_encoded_phrase_parse("utf-8", value.at, value.len, &at, "utf-8", &text) ==
	    MAILIMF_NO_ERROR)
		utf8_add_repaired(out, text, strlen(text));
	else
		utf8_add_repaired(out, value.at, value.len);
	free(text);
}

/* ---- parts ---- */

static struct span
keep(struct letter *l, const char *bytes, size_t len)
{
	char *copy = arena_strndup(l->arena, bytes, len);

	return copy != NULL ? (struct span){ copy, len } : (struct span){ "", 0 };
}

/* "text/plain", in lower case. */
static void
write_type(const struct mailmime_content *c, char *out, size_t size)
{
	static const char *const discrete[] = {
		[MAILMIME_DISCRETE_TYPE_TEXT] = "text",
		[MAILMIME_DISCRETE_TYPE_IMAGE] = "image",
		[MAILMIME_DISCRETE_TYPE_AUDIO] = "audio",
		[MAILMIME_DISCRETE_TYPE_VIDEO] = "video",
		[MAILMIME_DISCRETE_TYPE_APPLICATION] = "application",
	};
	const char *type = "other";

	if (c == NULL) {
		snprintf(out, size, "text/plain");
		return;
	}
	if (c->ct_type->tp_type == MAILMIME_TYPE_COMPOSITE_TYPE) {
		int n = c->ct_type->tp_data.tp_composite_type->ct_type;

		type = n == MAILMIME_COMPOSITE_TYPE_MESSAGE ? "message" : "multipart";
	} else if (c->ct_type->tp_type == MAILMIME_TYPE_DISCRETE_TYPE) {
		int n = c->ct_type->tp_data.tp_discrete_type->dt_type;

		if (n >= MAILMIME_DISCRETE_TYPE_TEXT && n <= MAILMIME_DISCRETE_TYPE_APPLICATION)
			type = discrete[n];
	}
	snprintf(out, size, "%s/%s", type, c->ct_subtype);
	for (char *p = out; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
}

static const char *
find_parameter(struct mailmime_content *c, const char *name)
{
	if (c == NULL || c->ct_parameters == NULL)
		return NULL;
	for (clistiter *i = clist_begin(c->ct_parameters); i != NULL; i = clist_next(i)) {
		const struct mailmime_parameter *p = clist_content(i);

		if (strcasecmp(p->pa_name, name) == 0)
			return p->pa_value;
	}
	return NULL;
}

/* The beginning of what a part holds, out of its transfer encoding. */
static struct span
decode(struct letter *l, const struct mailmime_data *data)
{
	struct span raw, out;
	char *bytes = NULL;
	size_t at = 0, len = 0;

	if (data == NULL || data->dt_type != MAILMIME_DATA_TEXT)
		return (struct span){ "", 0 };
	raw = (struct span){ data->dt_data.dt_text.dt_data, data->dt_data.dt_text.dt_length };
	if (raw.len > MAX_ENCODED)
		raw.len = MAX_ENCODED;
	if (raw.len > 0 &&
	    (data->dt_encoding == MAILMIME_MECHANISM_QUOTED_PRINTABLE ||
		data->dt_encoding == MAILMIME_MECHANISM_BASE64) &&
	    mailmime_part_parse(raw.at, raw.len, &at, data->dt_encoding, &bytes, &len) ==
		MAILIMF_NO_ERROR) {
		out = keep(l, bytes, len < MAX_INCOMING_TEXT ? len : MAX_INCOMING_TEXT);
		mmap_string_unref(bytes);
		return out;
	}
	return keep(l, raw.at, raw.len < MAX_INCOMING_TEXT ? raw.len : MAX_INCOMING_TEXT);
}

/* Make the words of a part the text of the mail. */
static void
take_text(struct letter *l, const char *charset, struct span bytes, bool html)
{
	struct strbuf utf8, plain;

	strbuf_init(&utf8, 4 * MAX_INCOMING_TEXT);
	strbuf_init(&plain, 4 * MAX_INCOMING_TEXT);
	add_utf8(&utf8, charset, bytes.at, bytes.len);
	if (html)
		text_add_html(&plain, utf8.buf, utf8.len);
	else
		strbuf_swap(&plain, &utf8);
	l->nomem |= utf8.state == STRBUF_NOMEM || plain.state == STRBUF_NOMEM;
	l->text = keep(l, plain.buf, plain.len < MAX_INCOMING_TEXT ? plain.len : MAX_INCOMING_TEXT);
	strbuf_release(&plain);
	strbuf_release(&utf8);
}

/* What the walk over the parts has met. */
struct walk {
	struct letter *letter;
	bool plain, html; /* there is a text of that kind */
	bool inside;	  /* of a message in the mail: others wrote it, or we did */
};

static bool
is_one_of(const char *type, const char *const *types)
{
	while (*types != NULL && strcmp(type, *types) != 0)
		types++;
	return *types != NULL;
}

static void
read_part(struct walk *w, struct mailmime *part, const char *type)
{
	static const char *const statuses[] = { "message/delivery-status",
		"message/global-delivery-status", NULL };
	static const char *const headers[] = { "text/rfc822-headers", "text/rfc822-header",
		"message/rfc822-headers", "message/rfc822", "message/global",
		"message/global-headers", "message/partial", NULL };
	struct letter *l = w->letter;
	const struct mailmime_data *data = part->mm_data.mm_single;
	const char *charset = find_parameter(part->mm_content_type, "charset");

	if (is_one_of(type, statuses)) {
		struct span *status = w->inside ? &l->inner_status : &l->status;

		if (status->len == 0)
			*status = span_trim(decode(l, data));
	} else if (w->inside) {
		return;
	} else if (strcmp(type, "message/feedback-report") == 0) {
		if (l->feedback.len == 0)
			l->feedback = decode(l, data);
	} else if (is_one_of(type, headers)) {
		if (l->returned.len == 0)
			l->returned = decode(l, data);
	} else if (strcmp(type, "text/html") == 0) {
		if (!w->plain && !w->html)
			take_text(l, charset, decode(l, data), true);
		w->html = true;
	} else if (strncmp(type, "text/", 5) == 0 || strncmp(type, "multipart/", 10) == 0) {
		/* A multipart without a boundary is whatever stands there. */
		if (!w->plain)
			take_text(l, charset, decode(l, data), false);
		w->plain = true;
	}
}

static void
walk(struct walk *w, struct mailmime *part, unsigned depth)
{
	char type[sizeof(w->letter->type)];

	if (depth > MAX_WALK)
		return;
	write_type(part->mm_content_type, type, sizeof(type));
	if (part->mm_type == MAILMIME_SINGLE) {
		read_part(w, part, type);
	} else if (part->mm_type == MAILMIME_MESSAGE) {
		struct span *returned =
		    w->inside ? &w->letter->inner_returned : &w->letter->returned;
		bool outer = w->inside;

		if (returned->len == 0)
			*returned = decode(w->letter, part->mm_body);
		w->inside = true;
		if (part->mm_data.mm_message.mm_msg_mime != NULL)
			walk(w, part->mm_data.mm_message.mm_msg_mime, depth + 1);
		w->inside = outer;
	} else if (part->mm_type == MAILMIME_MULTIPLE) {
		clistiter *i = clist_begin(part->mm_data.mm_multipart.mm_mp_list);

		for (; i != NULL; i = clist_next(i))
			walk(w, clist_content(i), depth + 1);
	}
}

/* ---- the mail ---- */

/* The boundary of a multipart of which no part was found, since its end is missing. */
static const char *
find_open_boundary(struct mailmime *top)
{
	if (top->mm_type != MAILMIME_MULTIPLE ||
	    !clist_isempty(top->mm_data.mm_multipart.mm_mp_list))
		return NULL;
	return find_parameter(top->mm_content_type, "boundary");
}

/* libetpan's tree, or NULL. bytes has room for CLOSING more. */
static struct mailmime *
parse(struct letter *l, char *bytes, size_t len)
{
	struct mailmime *mime = NULL, *top;
	const char *boundary;
	size_t at = 0;
	int n = mailmime_parse(bytes, len, &at, &mime);

	if (n != MAILIMF_NO_ERROR) {
		l->nomem |= n == MAILIMF_ERROR_MEMORY;
		return NULL;
	}
	top = mime->mm_type == MAILMIME_MESSAGE ? mime->mm_data.mm_message.mm_msg_mime : NULL;
	if (top == NULL || l->truncated || (boundary = find_open_boundary(top)) == NULL)
		return mime;
	n = snprintf(bytes + len, CLOSING, "\r\n--%s--\r\n", boundary);
	mailmime_free(mime);
	l->truncated = true;
	return parse(l, bytes, len + (n < CLOSING ? (size_t)n : 0));
}

/* The mail as libetpan can read it: without the "From " line of a mailbox file and blanks before the first field, CR alone
 * as line end where there is no other, no NUL. */
static size_t
clean(char *out, const char *bytes, size_t len)
{
	const char *end;
	size_t skip = 0;
	bool cr = len > 0 && memchr(bytes, '\n', len) == NULL;

	if (len > 5 && memcmp(bytes, "From ", 5) == 0 &&
	    (end = memchr(bytes, cr ? '\r' : '\n', len)) != NULL)
		skip = (size_t)(end + 1 - bytes);
	while (skip < len && (bytes[skip] == ' ' || bytes[skip] == '\t'))
		skip++;
	for (size_t i = skip; i < len; i++) {
		char c = bytes[i];

		out[i - skip] = c == '\0' ? ' ' : cr && c == '\r' ? '\n' : c;
	}
	return len - skip;
}

/* Cut the header from what follows. */
static struct span
split_head(struct letter *l, const char *bytes, size_t len)
{
	struct span rest = { bytes, len }, line;

	while (span_line(&rest, &line) && line.len > 0)
		;
	l->head = (struct span){ bytes, len - rest.len };
	return rest;
}

int
letter_open(struct letter *l, const char *bytes, size_t len)
{
	struct walk w = { .letter = l };
	char *copy = arena_alloc(l->arena, len + CLOSING);
	struct mailmime *mime, *top = NULL;
	struct span body;

	l->text = l->status = l->inner_status = l->feedback = (struct span){ "", 0 };
	l->returned = l->inner_returned = l->failed = l->text;
	if (copy == NULL)
		return -1;
	len = clean(copy, bytes, len);
	body = split_head(l, copy, len);
	snprintf(l->type, sizeof(l->type), "text/plain");
	if ((mime = parse(l, copy, len)) != NULL && mime->mm_type == MAILMIME_MESSAGE)
		top = mime->mm_data.mm_message.mm_msg_mime;
	if (top != NULL) {
		const char *report = find_parameter(top->mm_content_type, "report-type");

		write_type(top->mm_content_type, l->type, sizeof(l->type));
		snprintf(l->report, sizeof(l->report), "%s", report != NULL ? report : "");
		walk(&w, top, 0);
	}
	if (!w.plain && !w.html)
		take_text(l, NULL,
		    (struct span){
			body.at, body.len < MAX_INCOMING_TEXT ? body.len : MAX_INCOMING_TEXT },
		    false);
	if (mime != NULL)
		mailmime_free(mime);
	return l->nomem || l->arena->failed ? -1 : 0;
}
