/* sink_talk.c - the server's side of SMTP (RFC 5321, 2920): bytes in, answers out. */
#include "sink.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
	const char *name, *verb, *reply;
} wheres[NWHERE] = {
	[AT_CONNECT] = { "connect", "\n", "220 sink ESMTP\r\n" },
	[AT_DOT] = { "dot", "\n", "250 2.0.0 Ok\r\n" },
	[AT_EHLO] = { "ehlo", "EHLO", "250" }, /* the rest is made in answer_hello */
	[AT_HELO] = { "helo", "HELO", "250 sink\r\n" },
	[AT_MAIL] = { "mail", "MAIL", "250 2.1.0 Ok\r\n" },
	[AT_RCPT] = { "rcpt", "RCPT", "250 2.1.5 Ok\r\n" },
	[AT_DATA] = { "data", "DATA", "354 End data with <CR><LF>.<CR><LF>\r\n" },
	[AT_RSET] = { "rset", "RSET", "250 2.0.0 Ok\r\n" },
	[AT_NOOP] = { "noop", "NOOP", "250 2.0.0 Ok\r\n" },
	[AT_QUIT] = { "quit", "QUIT", "221 2.0.0 Bye\r\n" },
	[AT_STARTTLS] = { "starttls", "STARTTLS", "220 2.0.0 Go ahead\r\n" },
	[AT_OTHER] = { "other", "", "502 5.5.2 What?\r\n" },
};

const char *
talk_parse_faults(struct sink *s, const char *p)
{
	char where[16], what[16], onwards;
	int used;

	for (; s->nfaults < MAX_FAULTS; p += used) {
		struct fault *f = &s->faults[s->nfaults];
		int n = sscanf(p, " %15[a-z]:%15[0-9a-z]:%lu%n", where, what, &f->n, &used);

		if (n == EOF)
			return NULL;
		while (n == 3 && f->where < NWHERE && strcmp(wheres[f->where].name, where) != 0)
			f->where++;
		f->code = strcmp(what, "drop") == 0 ? 0 : (int)strtol(what, NULL, 10);
		if (n != 3 || f->where == NWHERE ||
		    (strcmp(what, "drop") != 0 && (f->code < 200 || f->code > 599)))
			return p;
		if (sscanf(p + used, "%c", &onwards) == 1 && onwards == '+') {
			f->onwards = true;
			used++;
		}
		s->nfaults++;
	}
	return p;
}

/* ---- answers ---- */

static void
add_answer(struct conn *c, const char *text)
{
	size_t n = strlen(text);

	if (c->nout + n > c->alloc) {
		c->alloc = (c->nout + n) * 2;
		if ((c->out = realloc(c->out, c->alloc)) == NULL)
			sink_die("answers");
	}
	memcpy(c->out + c->nout, text, n);
	c->nout += n;
}

static void
answer_hello(struct sink *s, struct conn *c)
{
	add_answer(c, "250-sink\r\n");
	if (!s->no_pipelining)
		add_answer(c, "250-PIPELINING\r\n");
	if (s->keys != NULL && c->tls == NULL)
		add_answer(c, "250-STARTTLS\r\n");
	add_answer(c, "250-SIZE\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 ENHANCEDSTATUSCODES\r\n");
}

/* What the script says is to be answered now, or NULL. */
static const struct fault *
find_fault(struct sink *s, enum where where)
{
	const struct fault *found = NULL;
	unsigned long n = ++s->seen[where];

	for (size_t i = 0; i < s->nfaults && found == NULL; i++) {
		const struct fault *f = &s->faults[i];

		if (f->where == where && (f->onwards ? n >= f->n : n == f->n))
			found = f;
	}
	return found;
}

/* Answer as the script says, or else with usual, or well when that is NULL. Returns the code, 0 = dropped. */
static int
answer(struct sink *s, struct conn *c, enum where where, const char *usual)
{
	const struct fault *f = find_fault(s, where);
	char own[64];

	if (f != NULL && f->code == 0) {
		c->ending = DROPS;
		return 0;
	}
	if (f != NULL) {
		snprintf(
		    own, sizeof(own), "%d %d.0.0 as the script says\r\n", f->code, f->code / 100);
		add_answer(c, own);
		if (f->code == 421)
			c->ending = ENDS;
		return f->code;
	}
	if (usual == NULL)
		usual = wheres[where].reply;
	if (where == AT_EHLO)
		answer_hello(s, c);
	else
		add_answer(c, usual);
	return (int)strtol(usual, NULL, 10);
}

void
talk_greet(struct sink *s, struct conn *c)
{
	answer(s, c, AT_CONNECT, NULL);
}

/* ---- mails ---- */

static void
begin_content(struct conn *c)
{
	c->in_data = c->fresh = true;
	c->nbytes = 0;
	c->head[0] = '\n';
	c->nhead = 1;
	if (c->hash == NULL && (c->hash = XXH3_createState()) == NULL)
		sink_die("hash");
	XXH3_64bits_reset(c->hash);
}

static void
add_content(struct sink *s, struct conn *c, const char *p, size_t n)
{
	c->nbytes += n;
	if (s->log != NULL) {
		size_t room = HEAD_SIZE - 1 - c->nhead, k = n < room ? n : room;

		memcpy(c->head + c->nhead, p, k);
		c->nhead += k;
	}
	if (s->hashes)
		XXH3_64bits_update(c->hash, p, n);
}

static void
end_transaction(struct conn *c)
{
	c->has_mail = c->in_data = false;
	c->nrcpt = 0;
	c->nto = 0;
	c->to[0] = '\0';
}

static void
log_mail(struct sink *s, struct conn *c, uint64_t hash, int code)
{
	const char *id;

	c->head[c->nhead] = '\0';
	id = strcasestr(c->head, "\nMessage-ID: ");
	id = id != NULL ? id + 13 : "-";
	fprintf(s->log, "%s %.*s %016llx ", c->nto > 0 ? c->to : "-", (int)strcspn(id, " \r\n"), id,
	    (unsigned long long)hash);
	fprintf(s->log, code != 0 ? "%d\n" : "drop\n", code);
	fflush(s->log);
}

/* The final dot. A server that accepted no recipient may still have asked for the content (RFC 2920 3.1). */
static void
end_content(struct sink *s, struct conn *c)
{
	uint64_t hash = s->hashes ? XXH3_64bits_digest(c->hash) : 0;
	int code = answer(s, c, AT_DOT, c->nrcpt > 0 ? NULL : "554 5.5.1 No valid recipients\r\n");

	if (s->log != NULL)
		log_mail(s, c, hash, code);
	if (code == 250) {
		if (s->nmails == s->alloc) {
			s->alloc = s->alloc * 2 + 1024;
			if ((s->mails = realloc(s->mails, s->alloc * sizeof(*s->mails))) == NULL)
				sink_die("mails");
		}
		s->mails[s->nmails++] = hash;
		s->nbytes += c->nbytes;
	}
	end_transaction(c);
}

/* The first line end with a dot behind it, or NULL. Hardly a mail has one before its last line, so a block at a time is
 * looked through in a way that a compiler makes vectors of. */
static const char *
find_line_dot(const char *p, const char *end)
{
	enum { BLOCK = 256 };

	for (; end - p > BLOCK; p += BLOCK) {
		unsigned char hit = 0;

		for (int i = 0; i < BLOCK; i++)
			hit |= (unsigned char)((p[i] == '\n') & (p[i + 1] == '.'));
		if (hit != 0)
			break;
	}
	for (; end - p > 1; p++)
		if (p[0] == '\n' && p[1] == '.')
			return p;
	return NULL;
}

/* The CRLF.CRLF that ends a content, or NULL. */
static const char *
find_end(const char *p, size_t n)
{
	const char *end = p + n, *at = p;

	while ((at = find_line_dot(at, end)) != NULL) {
		if (at > p && end - at >= 4 && memcmp(at - 1, "\r\n.\r\n", 5) == 0)
			return at - 1;
		at++;
	}
	return NULL;
}

static size_t
take_content(struct sink *s, struct conn *c, const char *p, size_t n)
{
	const char *end;

	/* The CRLF before an empty content is that of DATA. */
	if (c->fresh && memcmp(p, ".\r\n", n < 3 ? n : 3) == 0) {
		if (n < 3)
			return 0;
		end_content(s, c);
		return 3;
	}
	c->fresh = false;
	end = find_end(p, n);
	if (end == NULL) {
		/* These four may begin it. */
		n = n > 4 ? n - 4 : 0;
		add_content(s, c, p, n);
		return n;
	}
	add_content(s, c, p, (size_t)(end - p) + 2);
	end_content(s, c);
	return (size_t)(end - p) + 5;
}

/* ---- commands ---- */

static void
add_recipient(struct conn *c, const char *line, size_t len)
{
	const char *from = memchr(line, '<', len), *to = memchr(line, '>', len);

	c->nrcpt++;
	if (from != NULL && to != NULL && from < to && c->nto + len < sizeof(c->to))
		c->nto += (size_t)snprintf(c->to + c->nto, len, "%s%.*s", c->nto > 0 ? "," : "",
		    (int)(to - from - 1), from + 1);
}

/* What is said to a command that is out of order, or NULL. */
static const char *
refusal(const struct sink *s, const struct conn *c, enum where where)
{
	switch (where) {
	case AT_MAIL:
		return c->has_mail ? "503 5.5.1 Nested MAIL\r\n" : NULL;
	case AT_RCPT:
		return c->has_mail ? NULL : "503 5.5.1 MAIL first\r\n";
	case AT_DATA:
		return !c->has_mail ? "503 5.5.1 MAIL first\r\n"
		    : c->nrcpt == 0 ? "554 5.5.1 No valid recipients\r\n"
				    : NULL;
	case AT_STARTTLS:
		return s->keys == NULL || c->tls != NULL ? "502 5.5.1 No STARTTLS here\r\n" : NULL;
	default:
		return NULL;
	}
}

static void
take_command(struct sink *s, struct conn *c, const char *line, size_t len)
{
	enum where where = AT_EHLO;
	int code;

	while (strncasecmp(line, wheres[where].verb, strlen(wheres[where].verb)) != 0)
		where++;
	code = answer(s, c, where, refusal(s, c, where));
	if (where == AT_QUIT && c->ending == STAYS)
		c->ending = ENDS;
	if (code / 100 != 2 && code != 354)
		return;
	if (where == AT_EHLO || where == AT_HELO || where == AT_RSET || where == AT_STARTTLS)
		end_transaction(c);
	else if (where == AT_MAIL)
		c->has_mail = true;
	else if (where == AT_RCPT)
		add_recipient(c, line, len);
	else if (where == AT_DATA && code == 354)
		begin_content(c);
	if (where == AT_STARTTLS && code == 220 && s->keys != NULL && c->tls == NULL)
		c->starts_tls = true;
}

size_t
talk_take(struct sink *s, struct conn *c, const char *p, size_t n)
{
	size_t pos = 0, used = 1;

	while (pos < n && used > 0 && c->ending == STAYS && !c->starts_tls) {
		const char *at = p + pos, *nl;

		if (s->no_pipelining && pos > 0 && (c->fresh || !c->in_data)) {
			/* It was told that this server does not know that. */
			add_answer(c, "503 5.5.0 One command at a time\r\n");
			c->ending = ENDS;
		} else if (c->in_data) {
			pos += used = take_content(s, c, at, n - pos);
		} else if ((nl = memchr(at, '\n', n - pos)) != NULL) {
			pos += used = (size_t)(nl - at) + 1;
			take_command(s, c, at, used);
		} else {
			used = 0;
		}
	}
	return pos;
}
