/* The header block: S-15 to S-23, S-42 to S-48. */
#include "lint.h"

#include <libetpan/libetpan.h>
#include <utf8proc.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* How often a field may stand, and what it must say if that is one thing. */
static const struct {
	const char *name;
	size_t least, most;
	const char *rule, *value;
} fields_known[] = {
	{ "Date", 1, 1, "S-15", NULL },
	{ "From", 1, 1, "S-15", NULL },
	{ "To", 1, 1, "S-15", NULL },
	{ "Subject", 1, 1, "S-15", NULL },
	{ "Message-ID", 1, 1, "S-15", NULL },
	{ "MIME-Version", 1, 1, "S-15", "1.0" },
	{ "Content-Type", 1, 1, "S-15", NULL },
	{ "Reply-To", 0, 1, "S-15", NULL },
	{ "In-Reply-To", 0, 0, "S-22", NULL },
	{ "References", 0, 0, "S-22", NULL },
	{ "Bcc", 0, 0, "S-23", NULL },
	{ "Return-Path", 0, 0, "S-23", NULL },
	{ "Received", 0, 0, "S-23", NULL },
	{ "Resent-From", 0, 0, "S-23", NULL },
	{ "Sender", 0, 0, "S-23", NULL },
	{ "List-Id", 1, 1, "S-42", NULL },
	{ "List-Unsubscribe", 1, 1, "S-43", NULL },
	{ "List-Unsubscribe-Post", 0, 1, "S-44", "List-Unsubscribe=One-Click" },
	{ "List-Post", 1, 1, "S-47", "NO" },
	{ "List-Help", 0, 1, "S-47", NULL },
	{ "List-Archive", 0, 1, "S-47", NULL },
	{ "List-Subscribe", 0, 1, "S-47", NULL },
	{ "Auto-Submitted", 1, 1, "S-48", "auto-generated" },
	{ "Precedence", 1, 1, "S-48", "bulk" },
};

enum {
	NKNOWN = sizeof(fields_known) / sizeof(fields_known[0]),
	MAX_HEADER = 32 * 1024,
	MAX_WORD = 1000
};

/* The value of the only field of a name, "" when there is none; unfolded. */
struct headers {
	char *values[NKNOWN];
	size_t counts[NKNOWN];
};

static const char *
value_of(const struct headers *h, const char *name)
{
	for (size_t i = 0; i < NKNOWN; i++)
		if (strcmp(fields_known[i].name, name) == 0)
			return h->values[i] != NULL ? h->values[i] : "";
	abort();
}

/* RFC 5322 2.2.3: the line ends go, the blanks stay. */
static char *
unfold(const char *value)
{
	char *copy = strdup(value), *to = copy;

	if (copy == NULL)
		abort();
	for (const char *c = copy; *c != '\0'; c++)
		if (*c != '\r' && *c != '\n')
			*to++ = *c;
	*to = '\0';
	return copy;
}

/* S-18: what a value may not bring into a header, as it is and decoded. */
static const char *
find_control(const char *text)
{
	static const char *const bad[] = { "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaa",
		"\xe2\x80\xab", "\xe2\x80\xac", "\xe2\x80\xad", "\xe2\x80\xae", "\xe2\x81\xa6",
		"\xe2\x81\xa7", "\xe2\x81\xa8", "\xe2\x81\xa9" };

	for (const char *c = text; *c != '\0'; c++)
		if (((unsigned char)*c < ' ' && *c != '\t') || *c == 0x7f ||
		    (*c == '\xc2' && (unsigned char)c[1] < 0xa0))
			return "a control character";
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (strstr(text, bad[i]) != NULL)
			return "a separator or an override";
	return NULL;
}

static void
check_value(struct mail *m, const char *name, const char *value)
{
	const char *fault = find_control(value);
	char *decoded = NULL;
	size_t at = 0;

	if (value[0] != '\0' &&
	    mailmime_encoded_phrase_parse("utf-8", value, strlen(value), &at, "utf-8", &decoded) ==
		MAILIMF_NO_ERROR &&
	    fault == NULL)
		fault = find_control(decoded);
	free(decoded);
	if (fault != NULL)
		find(m, "S-18", "%s holds %s", name, fault);
	for (const char *c = value; *c != '\0' && !m->options->smtputf8; c++)
		if ((unsigned char)*c > 0x7e) {
			find(m, "S-18", "%s holds 8-bit bytes", name);
			break;
		}
}

static void
take_field(struct mail *m, struct headers *h, const char *name, const char *raw)
{
	char *value = unfold(raw);

	check_value(m, name, value);
	for (size_t i = 0; i < NKNOWN; i++)
		if (strcasecmp(fields_known[i].name, name) == 0) {
			h->counts[i]++;
			if (h->values[i] == NULL) {
				h->values[i] = value;
				return;
			}
		}
	free(value);
}

/* ---- lines and words ---- */

/* Whether the bytes of "=?UTF-8?B?...?=" are whole characters; text is what stands between the last two question marks. */
static bool
is_whole(char coding, const char *text, size_t len)
{
	char copy[MAX_WORD], *bytes = NULL;
	size_t at = 0, n = 0;
	bool whole = false;

	if (len >= sizeof(copy))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (coding == 'B' || coding == 'b')
		mailmime_base64_body_parse(copy, len, &at, &bytes, &n);
	else
		mailmime_quoted_printable_body_parse(copy, len, &at, &bytes, &n, 1);
	while (bytes != NULL && n > 0) {
		utf8proc_int32_t c;
		utf8proc_ssize_t step =
		    utf8proc_iterate((const utf8proc_uint8_t *)bytes, (utf8proc_ssize_t)n, &c);

		if (step <= 0)
			break;
		memmove(bytes, bytes + step, n - (size_t)step);
		n -= (size_t)step;
		whole = n == 0;
	}
	if (bytes != NULL)
		mailmime_decoded_part_free(bytes);
	return whole;
}

/* S-19: one encoded word that begins at text; returns how long it is, 0 = it is none. */
static size_t
check_word(struct mail *m, const char *text, const char *line, const char *end)
{
	const char *q[4] = { text + 1, NULL, NULL, NULL };
	size_t n;

	for (int i = 1; i < 4; i++)
		if ((q[i] = memchr(q[i - 1] + 1, '?', (size_t)(end - q[i - 1] - 1))) == NULL)
			return 0;
	if (q[3] + 1 >= end || q[3][1] != '=' || q[2] != q[1] + 2 ||
	    memchr(text, ' ', (size_t)(q[3] - text)) != NULL)
		return 0;
	n = (size_t)(q[3] + 2 - text);
	if (n > 75)
		find(m, "S-19", "an encoded word of %zu bytes", n);
	if (end - line > 76)
		find(m, "S-19", "a line of %zu bytes with an encoded word", (size_t)(end - line));
	if ((text > line && text[-1] != ' ') || (text + n < end && text[n] != ' '))
		find(m, "S-19", "no blank beside an encoded word");
	if (!is_whole(q[1][1], q[2] + 1, (size_t)(q[3] - q[2] - 1)))
		find(m, "S-19", "%.*s is not whole by itself", (int)n, text);
	return n;
}

/* Words inside quotes or an address are none, but look like some to many; a subject has neither. */
static void
check_words(struct mail *m, bool subject, const char *line, const char *end)
{
	bool quoted = false, address = false;

	for (const char *c = line; c < end; c++) {
		size_t n = 0;

		quoted = (*c == '"') != quoted;
		address = !quoted && (*c == '<' || (address && *c != '>'));
		c += quoted && *c == '\\';
		if (c + 1 < end && c[0] == '=' && c[1] == '?')
			n = check_word(m, c, line, end);
		if (n > 0 && (quoted || address) && !subject)
			find(m, "S-19", "an encoded word inside quotes or an address");
		if (n > 0)
			c += n - 1;
	}
}

/* S-07: 78 columns where there is a blank to fold at. */
static bool
could_be_folded(const char *line, size_t n)
{
	size_t start = strcspn(line, ":") < n ? strcspn(line, ":") + 1 : 0;

	start += strspn(line + start, " \t");
	return n > 78 && start < n && memchr(line + start, ' ', n - start) != NULL;
}

static void
check_header_lines(struct mail *m, const char *head, size_t len)
{
	const char *end = head + len;
	bool subject = false;

	if (len > MAX_HEADER)
		find(m, "S-21", "%zu bytes of headers", len);
	for (const char *line = head, *lf; line < end; line = lf + 1) {
		const char *stop;

		if ((lf = memchr(line, '\n', (size_t)(end - line))) == NULL)
			break;
		stop = lf > line && lf[-1] == '\r' ? lf - 1 : lf;
		if ((line[0] == ' ' || line[0] == '\t') &&
		    strspn(line, " \t") >= (size_t)(stop - line))
			find(m, "S-21", "a folded line of blanks only");
		if (could_be_folded(line, (size_t)(stop - line)))
			find(m, "S-07", "a line of %zu columns could be folded",
			    (size_t)(stop - line));
		if (line[0] != ' ' && line[0] != '\t')
			subject = strncmp(line, "Subject:", 8) == 0;
		check_words(m, subject, line, stop);
	}
}

/* ---- what fields say ---- */

static bool
is_one_address(const char *value)
{
	struct mailimf_address_list *list;
	size_t at = 0;
	bool one;

	if (mailimf_address_list_parse(value, strlen(value), &at, &list) != MAILIMF_NO_ERROR)
		return false;
	one = clist_count(list->ad_list) == 1 && value[at] == '\0' &&
	    ((struct mailimf_address *)clist_content(clist_begin(list->ad_list)))->ad_type ==
		MAILIMF_ADDRESS_MAILBOX;
	mailimf_address_list_free(list);
	return one;
}

/* S-17: by libetpan, then day by day, for it does not look at names of days. */
static void
check_date(struct mail *m, const char *value)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	struct mailimf_date_time *d;
	struct tm tm = { 0 }, again;
	size_t at = 0, len = strlen(value);
	time_t utc;

	if (mailimf_date_time_parse(value, len, &at, &d) != MAILIMF_NO_ERROR) {
		find(m, "S-17", "'%s' is no date", value);
		return;
	}
	tm.tm_year = d->dt_year - 1900;
	tm.tm_mon = d->dt_month - 1;
	tm.tm_mday = d->dt_day;
	mailimf_date_time_free(d);
	utc = timegm(&tm);
	gmtime_r(&utc, &again);
	if (again.tm_mday != tm.tm_mday || strncmp(value, days + 3 * again.tm_wday, 3) != 0)
		find(m, "S-17", "'%s' has the wrong day", value);
	if (len < 6 || (value[len - 5] != '+' && value[len - 5] != '-') ||
	    strspn(value + len - 4, "0123456789") != 4)
		find(m, "S-17", "'%s' has no numeric zone", value);
}

static void
check_message_id(struct mail *m, const char *id, const char *from)
{
	const char *at = strchr(id, '@'), *of = strrchr(from, '@');
	size_t n;

	if (id[0] != '<' || at == NULL || at == id + 1 || id[strlen(id) - 1] != '>' ||
	    strspn(id, "<>@.abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") !=
		strlen(id)) {
		find(m, "S-16", "Message-ID '%s'", id);
		return;
	}
	n = of != NULL ? strcspn(of + 1, "> ") : 0;
	if (strlen(at + 1) != n + 1 || strncasecmp(at + 1, of + 1, n) != 0)
		find(m, "S-16", "Message-ID %s is not of the domain in From", id);
}

static void
check_list_id(struct mail *m, const char *id)
{
	const char *open = strrchr(id, '<');
	size_t n = open != NULL
	    ? strspn(open + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_")
	    : 0;

	if (strlen(id) > 255 || n == 0 || strcmp(open + 1 + n, ">") != 0 ||
	    (open > id && open[-1] != ' '))
		find(m, "S-42", "List-Id '%s'", id);
}

/* "<https:...>, <mailto:...>": the first is there when a page is, the second always. */
static void
check_unsubscribe(struct mail *m, const char *value, const char *post)
{
	static const char token[] = "?subject=unsubscribe%20";
	const char *mailto = strstr(value, "<mailto:"), *subject, *end;
	bool https = strncmp(value, "<https://", 9) == 0;

	if (mailto == NULL || (!https && mailto != value) ||
	    (https &&
		strncmp(strchr(value, '>') != NULL ? strchr(value, '>') : "", ">, <mailto:", 11) !=
		    0 &&
		strncmp(strchr(value, '>'), ">,  <mailto:", 12) != 0)) {
		find(m, "S-43", "List-Unsubscribe '%s'", value);
		return;
	}
	subject = strstr(mailto, token);
	end = subject != NULL ? subject + strlen(token) : mailto;
	end += strspn(end, "abcdefghijklmnopqrstuvwxyz0123456789");
	if (subject == NULL || end == subject + strlen(token) || strcmp(end, ">") != 0)
		find(m, "S-43", "no token in List-Unsubscribe '%s'", value);
	if (https != (post[0] != '\0'))
		find(m, "S-44", "List-Unsubscribe-Post does not fit List-Unsubscribe");
}

/* S-47: one link in angle brackets. */
static void
check_links(struct mail *m, const struct headers *h)
{
	static const char *const names[] = { "List-Help", "List-Archive", "List-Subscribe" };

	for (size_t i = 0; i < 3; i++) {
		const char *v = value_of(h, names[i]);
		size_t n = strcspn(v, ">");

		if (v[0] != '\0' &&
		    ((strncmp(v, "<https://", 9) != 0 && strncmp(v, "<http://", 8) != 0 &&
			 strncmp(v, "<mailto:", 8) != 0) ||
			strcmp(v + n, ">") != 0 || strcspn(v, " ") < n))
			find(m, "S-47", "%s '%s'", names[i], v);
	}
}

void
check_headers(struct mail *m, const char *head, size_t len)
{
	struct headers h = { 0 };
	struct mailimf_fields *fields;
	size_t at = 0;

	check_header_lines(m, head, len);
	if (mailimf_optional_fields_parse(head, len, &at, &fields) != MAILIMF_NO_ERROR) {
		find(m, "RFC 5322 2.2", "libetpan finds no headers");
		return;
	}
	for (clistiter *it = clist_begin(fields->fld_list); it != NULL; it = clist_next(it)) {
		const struct mailimf_field *f = clist_content(it);

		take_field(m, &h, f->fld_data.fld_optional_field->fld_name,
		    f->fld_data.fld_optional_field->fld_value);
	}
	for (size_t i = 0; i < NKNOWN; i++) {
		if (h.counts[i] < fields_known[i].least || h.counts[i] > fields_known[i].most)
			find(m, fields_known[i].least == 1 ? "S-15" : fields_known[i].rule,
			    "%zu headers %s", h.counts[i], fields_known[i].name);
		if (h.values[i] != NULL && fields_known[i].value != NULL &&
		    strcmp(h.values[i], fields_known[i].value) != 0)
			find(m, fields_known[i].rule, "%s '%s'", fields_known[i].name, h.values[i]);
	}
	check_date(m, value_of(&h, "Date"));
	check_message_id(m, value_of(&h, "Message-ID"), value_of(&h, "From"));
	if (!is_one_address(value_of(&h, "From")) || !is_one_address(value_of(&h, "To")) ||
	    (value_of(&h, "Reply-To")[0] != '\0' && !is_one_address(value_of(&h, "Reply-To"))))
		find(m, "S-20", "From, To or Reply-To is not one address");
	check_list_id(m, value_of(&h, "List-Id"));
	check_unsubscribe(
	    m, value_of(&h, "List-Unsubscribe"), value_of(&h, "List-Unsubscribe-Post"));
	check_links(m, &h);
	mailimf_fields_free(fields);
	for (size_t i = 0; i < NKNOWN; i++)
		free(h.values[i]);
}
