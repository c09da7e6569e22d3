/* mail_lint - check mails that digest made, by libetpan and gumbo.
 *
 * usage: mail_lint [--lf] [--smtputf8] [--html-limit BYTES] [--decoded] FILE-OR-FOLDER...
 *
 * One line per finding, "file: rule: what"; exit 1 if there is one, 2 if there is no mail. With --decoded also one line per
 * mail, "file = name:hash ...", of every header and part as it was read; mail_lint.py prints the same. */
#include "lint.h"

#include <libetpan/libetpan.h>
#include <sodium.h>

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { HASH_BYTES = 16, MAX_MAIL = 8 * 1024 * 1024 };

/* Every mail seen, to find two of one Message-ID. */
struct seen {
	unsigned char id[HASH_BYTES], bytes[HASH_BYTES];
};

struct run {
	struct options options;
	struct seen *seen;
	size_t nseen, alloc;
	unsigned nfindings;
};

void
find(struct mail *m, const char *rule, const char *fmt, ...)
{
	va_list ap;

	m->nfindings++;
	printf("%s: %s: ", m->path, rule);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

static void *
need(void *p)
{
	if (p == NULL) {
		perror("mail_lint");
		exit(2);
	}
	return p;
}

/* ---- what was read, for the other reader ---- */

static void
tell(const struct mail *m, const char *name, const char *text)
{
	unsigned char hash[HASH_BYTES];
	char hex[2 * HASH_BYTES + 1];

	if (!m->options->decoded)
		return;
	crypto_generichash(hash, sizeof(hash), (const unsigned char *)text, strlen(text), NULL, 0);
	sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
	printf(" %s:%s", name, hex);
	if (getenv("MAIL_LINT_SHOW") != NULL)
		printf("[%s]", text);
}

/* RFC 2047 words as text. */
static void
tell_words(const struct mail *m, const char *name, const char *value)
{
	size_t at = 0;
	char *words = NULL;

	if (value == NULL)
		value = "";
	if (value[0] == '\0' ||
	    mailmime_encoded_phrase_parse("utf-8", value, strlen(value), &at, "utf-8", &words) !=
		MAILIMF_NO_ERROR)
		words = strdup(value);
	tell(m, name, need(words));
	free(words);
}

static void
tell_mailbox(const struct mail *m, const char *name, const struct mailimf_mailbox *mb)
{
	char label[40];

	snprintf(label, sizeof(label), "%s-name", name);
	tell_words(m, label, mb->mb_display_name);
	tell(m, name, mb->mb_addr_spec);
}

static void
tell_addresses(const struct mail *m, const char *name, const struct mailimf_address_list *addresses)
{
	for (clistiter *it = clist_begin(addresses->ad_list); it != NULL; it = clist_next(it)) {
		const struct mailimf_address *a = clist_content(it);

		if (a->ad_type == MAILIMF_ADDRESS_MAILBOX)
			tell_mailbox(m, name, a->ad_data.ad_mailbox);
	}
}

static void
tell_date(const struct mail *m, const struct mailimf_date_time *d)
{
	char text[80];

	snprintf(text, sizeof(text), "%04d-%02d-%02d %02d:%02d:%02d %+05d", d->dt_year, d->dt_month,
	    d->dt_day, d->dt_hour, d->dt_min, d->dt_sec, d->dt_zone);
	tell(m, "date", text);
}

static void
tell_fields(const struct mail *m, const struct mailimf_fields *fields)
{
	for (clistiter *it = clist_begin(fields->fld_list); it != NULL; it = clist_next(it)) {
		const struct mailimf_field *f = clist_content(it);

		switch (f->fld_type) {
		case MAILIMF_FIELD_FROM:
			tell_mailbox(m, "from",
			    clist_content(clist_begin(f->fld_data.fld_from->frm_mb_list->mb_list)));
			break;
		case MAILIMF_FIELD_TO:
			tell_addresses(m, "to", f->fld_data.fld_to->to_addr_list);
			break;
		case MAILIMF_FIELD_REPLY_TO:
			tell_addresses(m, "reply-to", f->fld_data.fld_reply_to->rt_addr_list);
			break;
		case MAILIMF_FIELD_SUBJECT:
			tell_words(m, "subject", f->fld_data.fld_subject->sbj_value);
			break;
		case MAILIMF_FIELD_ORIG_DATE:
			tell_date(m, f->fld_data.fld_orig_date->dt_date_time);
			break;
		case MAILIMF_FIELD_MESSAGE_ID:
			tell(m, "message-id", f->fld_data.fld_message_id->mid_value);
			break;
		case MAILIMF_FIELD_OPTIONAL_FIELD:
			if (strncasecmp(f->fld_data.fld_optional_field->fld_name, "List-", 5) == 0)
				tell_words(m, f->fld_data.fld_optional_field->fld_name,
				    f->fld_data.fld_optional_field->fld_value);
			break;
		default:
			break;
		}
	}
}

/* ---- the parts ---- */

/* The text of a part, its lines ended by LF. */
static char *
decode(struct mail *m, const char *subtype, struct mailmime *part)
{
	const struct mailmime_data *data = part->mm_data.mm_single;
	size_t at = 0, len, n = 0;
	char *decoded, *out;

	if (mailmime_part_parse(data->dt_data.dt_text.dt_data, data->dt_data.dt_text.dt_length, &at,
		MAILMIME_MECHANISM_QUOTED_PRINTABLE, &decoded, &len) != MAILIMF_NO_ERROR) {
		find(m, "S-28", "text/%s cannot be decoded", subtype);
		return NULL;
	}
	out = need(malloc(len + 1));
	for (size_t i = 0; i < len; i++) {
		if (decoded[i] == '\0')
			find(m, "S-06", "text/%s holds a NUL", subtype);
		else if (decoded[i] != '\r' || i + 1 == len || decoded[i + 1] != '\n')
			out[n++] = decoded[i];
	}
	out[n] = '\0';
	mailmime_decoded_part_free(decoded);
	return out;
}

static bool
is_utf8_text(const struct mailmime *part, const char *subtype)
{
	struct mailmime_content *c = part->mm_content_type;
	const char *charset = c != NULL ? mailmime_content_charset_get(c) : NULL;

	return part->mm_type == MAILMIME_SINGLE && c != NULL &&
	    c->ct_type->tp_type == MAILMIME_TYPE_DISCRETE_TYPE &&
	    c->ct_type->tp_data.tp_discrete_type->dt_type == MAILMIME_DISCRETE_TYPE_TEXT &&
	    strcasecmp(c->ct_subtype, subtype) == 0 && charset != NULL &&
	    strcasecmp(charset, "utf-8") == 0;
}

static char *
read_part(struct mail *m, const char *subtype, struct mailmime *part)
{
	const struct mailmime_data *data;

	if (!is_utf8_text(part, subtype)) {
		find(m, "S-25", "a part is not text/%s in UTF-8", subtype);
		return NULL;
	}
	data = part->mm_data.mm_single;
	if (data->dt_encoding != MAILMIME_MECHANISM_QUOTED_PRINTABLE)
		find(m, "S-28", "text/%s is not quoted-printable", subtype);
	if (strcmp(subtype, "html") == 0)
		m->html_coded = data->dt_data.dt_text.dt_length;
	check_coding(m, subtype, data->dt_data.dt_text.dt_data, data->dt_data.dt_text.dt_length);
	return decode(m, subtype, part);
}

/* What stands before the first boundary and behind the last is seen by old mail programs only. */
static void
check_around(struct mail *m, const char *body, const struct mailmime *multi)
{
	const char *end = m->options->lf ? "\n" : "\r\n";
	const char *boundary =
	    mailmime_content_param_get(multi->mm_content_type, (char *)(uintptr_t) "boundary");
	char mark[120], last[120];
	size_t n, body_len = (size_t)(m->raw + m->len - body);

	if (boundary == NULL || strlen(boundary) > 70) {
		find(m, "S-25", "no boundary");
		return;
	}
	snprintf(mark, sizeof(mark), "--%s%s", boundary, end);
	n = (size_t)snprintf(last, sizeof(last), "--%s--%s", boundary, end);
	if (body_len < n || strncmp(body, mark, strlen(mark)) != 0 ||
	    memcmp(m->raw + m->len - n, last, n) != 0)
		find(m, "S-25", "something stands before or behind the parts");
}

static void
check_parts(struct mail *m, const char *body, struct mailmime *mime)
{
	struct mailmime *multi =
	    mime->mm_type == MAILMIME_MESSAGE ? mime->mm_data.mm_message.mm_msg_mime : NULL;
	clistiter *first;

	if (multi == NULL || multi->mm_type != MAILMIME_MULTIPLE ||
	    strcasecmp(multi->mm_content_type->ct_subtype, "alternative") != 0 ||
	    clist_count(multi->mm_data.mm_multipart.mm_mp_list) != 2) {
		find(m, "S-25", "expected multipart/alternative of two parts");
		return;
	}
	check_around(m, body, multi);
	first = clist_begin(multi->mm_data.mm_multipart.mm_mp_list);
	m->text = read_part(m, "plain", clist_content(first));
	m->html = read_part(m, "html", clist_content(clist_next(first)));
	if (m->text != NULL)
		check_plain(m);
	if (m->html != NULL)
		check_markup(m);
}

/* ---- mails ---- */

/* S-06, S-07: lines, whatever they hold. */
static void
check_lines(struct mail *m)
{
	const char *end = m->raw + m->len;
	size_t number = 0;

	if (memchr(m->raw, '\0', m->len) != NULL)
		find(m, "S-06", "a NUL");
	if (m->len == 0 || end[-1] != '\n')
		find(m, "S-06", "the last line has no end");
	for (const char *line = m->raw; line < end; number++) {
		const char *lf = memchr(line, '\n', (size_t)(end - line));
		size_t n = lf != NULL ? (size_t)(lf - line) : (size_t)(end - line);
		bool crlf = n > 0 && line[n - 1] == '\r';

		n -= crlf && !m->options->lf;
		if (lf != NULL && !crlf && !m->options->lf)
			find(m, "S-06", "line %zu ends in LF alone", number + 1);
		if (memchr(line, '\r', n) != NULL)
			find(m, "S-06", "line %zu holds a CR", number + 1);
		if (n > 998)
			find(m, "S-07", "line %zu has %zu bytes", number + 1, n);
		if (lf == NULL)
			break;
		line = lf + 1;
	}
}

static void
remember(struct run *r, struct mail *m)
{
	const char *id = memmem(m->raw, m->len, "\nMessage-ID: ", 13);
	struct seen *s;

	if (r->nseen == r->alloc) {
		r->alloc = r->alloc * 2 + 1000;
		r->seen = need(realloc(r->seen, r->alloc * sizeof(*r->seen)));
	}
	s = &r->seen[r->nseen++];
	id = id != NULL ? id + 13 : "";
	crypto_generichash(
	    s->id, HASH_BYTES, (const unsigned char *)id, strcspn(id, "\r\n"), NULL, 0);
	crypto_generichash(s->bytes, HASH_BYTES, (const unsigned char *)m->raw, m->len, NULL, 0);
}

static void
check_mail(struct run *r, const char *path, const char *raw, size_t len)
{
	struct mail m = { .options = &r->options, .path = path, .raw = raw, .len = len };
	const char *blank = r->options.lf ? "\n\n" : "\r\n\r\n";
	const char *body = memmem(raw, len, blank, strlen(blank));
	struct mailmime *mime = NULL;
	size_t at = 0;

	check_lines(&m);
	remember(r, &m);
	if (body == NULL) {
		find(&m, "RFC 5322 2.1", "no empty line after the headers");
		body = raw + len;
	} else {
		body += strlen(blank);
	}
	check_headers(&m, raw, (size_t)(body - raw));
	if (mailmime_parse(raw, len, &at, &mime) == MAILIMF_NO_ERROR)
		check_parts(&m, body, mime);
	else
		find(&m, "MIME", "libetpan cannot read it");
	if (r->options.decoded && mime != NULL && mime->mm_type == MAILMIME_MESSAGE) {
		printf("%s =", path);
		tell_fields(&m, mime->mm_data.mm_message.mm_fields);
		tell(&m, "plain", m.text != NULL ? m.text : "");
		tell(&m, "html", m.html != NULL ? m.html : "");
		putchar('\n');
	}
	if (mime != NULL)
		mailmime_free(mime);
	free(m.text);
	free(m.html);
	r->nfindings += m.nfindings;
}

static int
compare_seen(const void *a, const void *b)
{
	return memcmp(((const struct seen *)a)->id, ((const struct seen *)b)->id, HASH_BYTES);
}

/* S-16: one Message-ID, one mail. */
static void
check_seen(struct run *r)
{
	if (r->nseen > 1)
		qsort(r->seen, r->nseen, sizeof(*r->seen), compare_seen);
	for (size_t i = 1; i < r->nseen; i++)
		if (compare_seen(&r->seen[i - 1], &r->seen[i]) == 0 &&
		    memcmp(r->seen[i - 1].bytes, r->seen[i].bytes, HASH_BYTES) != 0) {
			printf("all: S-16: two mails have one Message-ID and other bytes\n");
			r->nfindings++;
		}
}

static void
check_file(struct run *r, const char *path)
{
	FILE *file = fopen(path, "rb");
	char *raw;
	size_t len;

	need(file);
	raw = need(malloc(MAX_MAIL + 1));
	len = fread(raw, 1, MAX_MAIL, file);
	raw[len] = '\0';
	fclose(file);
	check_mail(r, path, raw, len);
	free(raw);
}

static void
check_path(struct run *r, const char *path)
{
	struct dirent **names;
	struct stat st;
	char *below;
	int n;

	if (stat(path, &st) == -1 || !S_ISDIR(st.st_mode)) {
		check_file(r, path);
		return;
	}
	n = scandir(path, &names, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		if (names[i]->d_name[0] != '.') {
			if (asprintf(&below, "%s/%s", path, names[i]->d_name) == -1)
				need(NULL);
			check_path(r, below);
			free(below);
		}
		free(names[i]);
	}
	free(names);
}

int
main(int argc, char **argv)
{
	struct run r = { .options.html_limit = 80000 };
	int i = 1;

	for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
		if (strcmp(argv[i], "--lf") == 0)
			r.options.lf = true;
		else if (strcmp(argv[i], "--smtputf8") == 0)
			r.options.smtputf8 = true;
		else if (strcmp(argv[i], "--decoded") == 0)
			r.options.decoded = true;
		else if (strcmp(argv[i], "--html-limit") == 0 && i + 1 < argc)
			r.options.html_limit = strtoul(argv[++i], NULL, 10);
		else
			break;
	}
	for (; i < argc; i++)
		check_path(&r, argv[i]);
	check_seen(&r);
	free(r.seen);
	if (r.nseen == 0) {
		fputs("mail_lint: no mail found\n", stderr);
		return 2;
	}
	return r.nfindings > 0;
}
