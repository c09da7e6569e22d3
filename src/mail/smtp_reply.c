#include "smtp.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* RFC 5321 4.2: Reply-code, then a blank, a hyphen or the end of the line. */
static bool
is_head(const char head[4])
{
	return head[0] >= '2' && head[0] <= '5' && is_digit(head[1]) && is_digit(head[2]) &&
	    (head[3] == ' ' || head[3] == '-');
}

/* RFC 2034 4: class "." subject "." detail; its class is the code's. "" where there is none. */
static void
find_enhanced(const char *text, int code, char out[12])
{
	size_t n = strspn(text, "0123456789.");
	unsigned ndots = 0;

	out[0] = '\0';
	if (n < 5 || n > 9 || (text[n] != ' ' && text[n] != '\0') || text[0] != '0' + code / 100 ||
	    text[1] != '.')
		return;
	for (size_t i = 0; i < n; i++) {
		ndots += text[i] == '.';
		if (text[i] == '.' && !is_digit(text[i + 1]))
			return;
	}
	if (ndots != 2)
		return;
	memcpy(out, text, n);
	out[n] = '\0';
}

static void
finish_reply(struct smtp_reader *r, struct smtp_reply *out)
{
	char raw[sizeof(r->text) + 8];

	while (r->len > 0 && r->text[r->len - 1] == ' ')
		r->len--;
	r->text[r->len] = '\0';
	out->code = r->code;
	find_enhanced(r->text, r->code, out->enhanced);
	snprintf(raw, sizeof(raw), "%d %s", r->code, r->text);
	err_printable(out->text, sizeof(out->text), raw);
	memset(r, 0, sizeof(*r));
}

static void
add_text(struct smtp_reader *r, char c)
{
	if (r->len + 1 < sizeof(r->text))
		r->text[r->len++] = c == '\0' ? '?' : c;
}

/* A line is whole. 1 = so is the reply, -1 = it is no reply. */
static int
end_line(struct smtp_reader *r)
{
	int code;

	/* "250" alone is a last line without text. */
	if (r->column == 3)
		r->head[3] = ' ';
	if (r->column < 3 || !is_head(r->head))
		return -1;
	code = (r->head[0] - '0') * 100 + (r->head[1] - '0') * 10 + (r->head[2] - '0');
	if (r->nlines > 0 && code != r->code)
		return -1;
	r->code = code;
	r->nlines++;
	r->column = 0;
	if (r->head[3] == ' ')
		return 1;
	if (r->len > 0 && r->text[r->len - 1] != ' ')
		add_text(r, ' ');
	return r->nlines >= MAX_REPLY_LINES ? -1 : 0;
}

int
smtp_read_reply(
    struct smtp_reader *r, const char *bytes, size_t n, size_t *used, struct smtp_reply *out)
{
	for (size_t i = 0; i < n; i++) {
		char c = bytes[i];
		int rc = 0;

		r->nbytes++;
		if (c == '\n')
			rc = end_line(r);
		else if (r->nbytes > MAX_REPLY_BYTES)
			rc = -1;
		else if (c == '\r')
			continue; /* a lone one means nothing to us */
		else if (r->column < 4)
			r->head[r->column++] = c;
		else
			add_text(r, c);
		/* What does not begin as a reply is not waited for to its end. */
		if (r->column == 4 && !is_head(r->head))
			rc = -1;
		if (rc == 0)
			continue;
		*used = i + 1;
		if (rc == 1)
			finish_reply(r, out);
		return rc;
	}
	*used = n;
	return 0;
}

/* "AUTH PLAIN LOGIN", and the "AUTH=PLAIN LOGIN" that some servers add for old clients. */
static void
add_auth(struct smtp_caps *caps, const char *mechanisms)
{
	snprintf(caps->told.auth, sizeof(caps->told.auth), "%s", mechanisms);
	caps->auth |= login_parse_mechanisms(mechanisms);
}

/* "LIMITS MAILMAX=20 RCPTMAX=100": numbers of up to six digits, without a leading zero. What is not understood is no limit. */
static void
add_limits(struct smtp_caps *caps, const char *limits)
{
	const struct {
		const char *name;
		unsigned *limit;
	} rows[] = {
		{ "MAILMAX=", &caps->told.max_mails },
		{ "RCPTMAX=", &caps->told.max_recipients },
		{ "RCPTDOMAINMAX=", &caps->told.max_domains },
	};

	while (*limits != '\0') {
		size_t n = strcspn(limits, " ");

		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			size_t len = strlen(rows[i].name);
			const char *number = limits + len;

			if (n > len && n - len <= 6 &&
			    strncasecmp(limits, rows[i].name, len) == 0 && *number != '0' &&
			    strspn(number, "0123456789") == n - len)
				*rows[i].limit = (unsigned)strtoul(number, NULL, 10);
		}
		limits += n + strspn(limits + n, " ");
	}
}

void
smtp_add_capability(struct smtp_caps *caps, const char *line)
{
	const struct {
		const char *name;
		bool *flag;
	} flags[] = {
		{ "PIPELINING", &caps->told.pipelining },
		{ "SIZE", &caps->told.size },
		{ "8BITMIME", &caps->told.eightbit },
		{ "SMTPUTF8", &caps->told.smtputf8 },
		{ "ENHANCEDSTATUSCODES", &caps->told.enhanced_codes },
		{ "DSN", &caps->told.dsn },
		{ "STARTTLS", &caps->starttls },
	};
	size_t n = strcspn(line, " ");
	const char *rest = line + n + strspn(line + n, " ");

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (strlen(flags[i].name) == n && strncasecmp(flags[i].name, line, n) == 0)
			*flags[i].flag = true;
	/* RFC 1870 4: no number, or 0, is no limit. One that is too large for 64 bits is none either. */
	if (n == 4 && strncasecmp(line, "SIZE", n) == 0 && isdigit((unsigned char)*rest)) {
		unsigned long long size = strtoull(rest, NULL, 10);

		caps->told.max_size = size == ULLONG_MAX ? 0 : size;
	}
	if (n == 4 && strncasecmp(line, "AUTH", n) == 0)
		add_auth(caps, rest);
	if (n == 6 && strncasecmp(line, "LIMITS", n) == 0)
		add_limits(caps, rest);
}
