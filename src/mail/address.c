#include "digest/address.h"

#include "digest/limits.h"
#include "digest/strbuf.h"
#include "digest/utf8.h"
#include "mail/words.h"

#include <idn2.h>
#include <utf8proc.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ADDRESS_TEXT = 1024, MAX_LABEL = 63, SHOWN_BYTES = 80 };

/* Where the reader of one address stands. */
struct cursor {
	const char *start, *at;
	struct arena *arena;
	unsigned *column; /* may be NULL */
	struct error *err;
};

static int
fail_at(const struct cursor *c, const char *at, const char *what)
{
	if (c->column != NULL)
		*c->column = (unsigned)(at - c->start) + 1;
	return err_set(c->err, ERR_DATA, "address '%.*s': %s", SHOWN_BYTES, c->start, what);
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static void
skip_blanks(struct cursor *c)
{
	while (is_blank(*c->at))
		c->at++;
}

static bool
is_atext(uint32_t cp)
{
	return cp >= 0x80 || (cp >= 'a' && cp <= 'z') || (cp >= 'A' && cp <= 'Z') ||
	    (cp >= '0' && cp <= '9') || (cp != 0 && strchr("!#$%&'*+-/=?^_`{|}~", (int)cp) != NULL);
}

/* Controls, line separators and what turns the text after it around: allowed nowhere. */
static bool
is_control(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == 0x2028 || cp == 0x2029 ||
	    (cp >= 0x202a && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069) || cp == 0xfeff;
}

/* Cannot be seen or told from a blank: harmless in a name (emoji, Persian), a lure in a mailbox. */
static bool
is_invisible(uint32_t cp)
{
	utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)cp);

	return cp >= 0x80 &&
	    (category == UTF8PROC_CATEGORY_CF || category == UTF8PROC_CATEGORY_CO ||
		category == UTF8PROC_CATEGORY_ZS);
}

static bool
is_ascii(const char *text)
{
	while (*text != '\0' && (unsigned char)*text < 0x80)
		text++;
	return *text == '\0';
}

/* The whole text first: after this no later step meets a control or a broken character. */
static int
check_characters(const struct cursor *c)
{
	const char *end = c->start + strnlen(c->start, MAX_ADDRESS_TEXT + 1);

	if (end - c->start > MAX_ADDRESS_TEXT)
		return fail_at(c, c->start, "longer than 1024 bytes");
	for (const char *p = c->start; p < end;) {
		uint32_t cp;
		unsigned n = utf8_decode(p, (size_t)(end - p), &cp);

		if (n == 0)
			return fail_at(c, p, "not valid UTF-8");
		if (is_control(cp) && cp != '\t')
			return fail_at(c, p, "a control character");
		p += n;
	}
	return 0;
}

/* A quoted string (RFC 5322 3.2.4); out gets what it means, without quotes and backslashes. */
static int
read_quoted(struct cursor *c, struct strbuf *out)
{
	const char *open = c->at++;

	for (; *c->at != '"'; c->at++) {
		if (*c->at == '\\' && (unsigned char)c->at[1] >= 0x80)
			return fail_at(c, c->at, "a backslash stands before ASCII characters only");
		if (*c->at == '\\' && c->at[1] != '\0')
			c->at++;
		if (*c->at == '\0')
			return fail_at(c, open, "the quote is not closed; expected another '\"'");
		strbuf_addc(out, *c->at);
	}
	c->at++;
	return 0;
}

/* A name without quotes, up to '<'. RFC 5322's specials, the dot excepted, would mean something. */
static int
read_plain_name(struct cursor *c, const char *angle, struct strbuf *out)
{
	const char *end = angle;

	for (const char *p = c->at; p < end; p++)
		if (strchr("()>[]:;@\\,\"", *p) != NULL)
			return fail_at(
			    c, p, "a name with one of ()>[]:;@\\,\" must stand in double quotes");
	while (end > c->at && is_blank(end[-1]))
		end--;
	strbuf_addn(out, c->at, (size_t)(end - c->at));
	c->at = angle;
	return 0;
}

static bool
is_dot_atom(const char *text, size_t len)
{
	bool dot = true; /* neither first, nor last, nor twice */

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '.') {
			if (dot)
				return false;
			dot = true;
		} else if (!is_atext((unsigned char)text[i])) {
			return false;
		} else {
			dot = false;
		}
	}
	return !dot;
}

/* The shortest spelling of a local part, as RFC 5321 4.1.2 asks: "ada"@x and ada@x are one. */
static void
add_local(struct strbuf *out, const char *text, size_t len)
{
	if (is_dot_atom(text, len)) {
		strbuf_addn(out, text, len);
		return;
	}
	strbuf_addc(out, '"');
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '"' || text[i] == '\\')
			strbuf_addc(out, '\\');
		strbuf_addc(out, text[i]);
	}
	strbuf_addc(out, '"');
}

/* The bytes of an unquoted local part, up to what ends it. */
static int
read_dot_atom(struct cursor *c, struct strbuf *out)
{
	const char *start = c->at;

	for (; *c->at == '.' || is_atext((unsigned char)*c->at); c->at++)
		if (*c->at == '.' && (c->at == start || c->at[-1] == '.'))
			return fail_at(c, c->at, "a dot must stand between two other characters");
	if (c->at == start)
		return fail_at(c, c->at, "expected local@domain");
	if (c->at[-1] == '.')
		return fail_at(c, c->at - 1, "a dot must stand between two other characters");
	strbuf_addn(out, start, (size_t)(c->at - start));
	return 0;
}

/* Quoting does not make these safe: some end an SMTP path, the others cannot be seen. */
static int
check_local(const struct cursor *c, const char *start, const struct strbuf *raw)
{
	uint32_t cp;

	for (size_t i = 0; i < raw->len;) {
		unsigned n = utf8_decode(raw->buf + i, raw->len - i, &cp);

		if (n == 0 || cp == '<' || cp == '>' || cp == '\t' || is_invisible(cp))
			return fail_at(c, start,
			    "the part before '@' holds '<', '>', a tab or an invisible character");
		i += n;
	}
	return raw->len > 0 ? 0 : fail_at(c, start, "nothing before '@'; expected local@domain");
}

/* NFC of text in the arena, case-folded if asked; NULL when memory is short. */
static const char *
normal_form(struct arena *a, const char *text, bool fold)
{
	utf8proc_option_t options = UTF8PROC_NULLTERM | UTF8PROC_STABLE | UTF8PROC_COMPOSE;
	utf8proc_uint8_t *made = NULL;
	const char *copy = NULL;

	if (fold)
		options |= UTF8PROC_CASEFOLD;
	if (utf8proc_map((const utf8proc_uint8_t *)text, 0, &made, options) >= 0)
		copy = arena_strdup(a, (const char *)made);
	free(made);
	return copy;
}

static int
read_local(struct cursor *c, const char **local)
{
	const char *start = c->at;
	struct strbuf raw, wire;
	int rc = -1;

	strbuf_init(&raw, MAX_ADDRESS_TEXT);
	strbuf_init(&wire, 2 * MAX_ADDRESS_TEXT + 2);
	if ((*c->at == '"' ? read_quoted(c, &raw) : read_dot_atom(c, &raw)) == -1 ||
	    strbuf_check(&raw, c->err) == -1 || check_local(c, start, &raw) == -1)
		goto out;
	add_local(&wire, raw.buf, raw.len);
	if (strbuf_check(&wire, c->err) == -1)
		goto out;
	*local = normal_form(c->arena, wire.buf, false);
	if (*local == NULL)
		err_nomem(c->err, "address");
	else if (strlen(*local) > MAX_LOCAL_PART)
		fail_at(c, start, "the part before '@' is longer than 64 bytes");
	else
		rc = 0;
out:
	strbuf_release(&wire);
	strbuf_release(&raw);
	return rc;
}

/* Letters, digits and inner hyphens (RFC 1123 2.1), in lower case already. Returns what is
 * wrong, or NULL. */
static const char *
label_fault(const char *label, size_t len)
{
	if (len == 0)
		return "an empty label in the domain";
	if (len > MAX_LABEL)
		return "a label of the domain is longer than 63 bytes";
	if (label[0] == '-' || label[len - 1] == '-')
		return "a label of the domain begins or ends with '-'";
	for (size_t i = 0; i < len; i++)
		if (!(label[i] >= 'a' && label[i] <= 'z') &&
		    !(label[i] >= '0' && label[i] <= '9') && label[i] != '-')
			return "the domain holds what is no letter, digit, '-' or '.'";
	return NULL;
}

static const char *
domain_fault(const char *domain, size_t *at)
{
	const char *label = domain, *dot, *fault;

	*at = 0;
	for (;; label = dot + 1) {
		dot = strchr(label, '.');
		*at = (size_t)(label - domain);
		fault = label_fault(label, dot != NULL ? (size_t)(dot - label) : strlen(label));
		if (fault != NULL)
			return fault;
		if (dot == NULL)
			break;
	}
	if (label == domain && strcmp(domain, "localhost") != 0)
		return "the domain has no dot";
	/* A top-level domain of digits can only be an IPv4 address that lost its brackets. */
	if (label[strspn(label, "0123456789")] == '\0')
		return "the domain ends in a number";
	return NULL;
}

/* The domain as A-labels in lower case (RFC 5891 4). ASCII does not pass IDNA, which forbids a
 * few that exist. */
static int
convert_domain(const struct cursor *c, const char *text, char out[MAX_DOMAIN + 1])
{
	char *made = NULL;
	size_t len;
	int rc = -1;

	if (!is_ascii(text)) {
		rc = idn2_to_ascii_8z(text, &made, IDN2_NONTRANSITIONAL);
		if (rc == IDN2_MALLOC)
			return err_nomem(c->err, "address");
		if (rc != IDN2_OK)
			return fail_at(c, c->at, "the domain is no valid internationalised name");
		text = made;
	}
	len = strlen(text);
	if (len > MAX_DOMAIN) {
		rc = fail_at(c, c->at, "the domain is longer than 255 bytes");
	} else {
		for (size_t i = 0; i <= len; i++)
			out[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] - 'A' + 'a'
									 : text[i]);
		rc = 0;
	}
	idn2_free(made);
	return rc;
}

/* All up to '>', a blank or the end is the domain, so that a fault is shown where it is. */
static int
read_domain(struct cursor *c, bool bracketed, const char **domain)
{
	size_t len = strcspn(c->at, bracketed ? "> \t" : " \t"), at;
	char made[MAX_DOMAIN + 1] = "";
	const char *fault, *text;

	if (len == 0)
		return fail_at(c, c->at, "nothing after '@'; expected local@domain");
	text = arena_strndup(c->arena, c->at, len);
	if (text == NULL)
		return err_nomem(c->err, "address");
	if (convert_domain(c, text, made) == -1)
		return -1;
	fault = domain_fault(made, &at);
	if (fault != NULL) /* offsets agree only when nothing was converted */
		return fail_at(c, c->at + (is_ascii(text) ? at : 0), fault);
	*domain = arena_strdup(c->arena, made);
	if (*domain == NULL)
		return err_nomem(c->err, "address");
	c->at += len;
	return 0;
}

static int
read_mailbox(struct cursor *c, bool bracketed, struct address *out)
{
	const char *start = c->at, *local, *folded;

	if (read_local(c, &local) == -1)
		return -1;
	if (*c->at != '@')
		return fail_at(c, c->at, "expected '@' here, as in local@domain");
	c->at++;
	if (read_domain(c, bracketed, &out->domain) == -1)
		return -1;
	folded = normal_form(c->arena, local, true);
	if (folded == NULL)
		return err_nomem(c->err, "address");
	out->mailbox = arena_printf(c->arena, "%s@%s", local, out->domain);
	out->canonical = arena_printf(c->arena, "%s@%s", folded, out->domain);
	if (out->mailbox == NULL || out->canonical == NULL)
		return err_nomem(c->err, "address");
	if (strlen(out->mailbox) > MAX_ADDRESS_BYTES)
		return fail_at(c, start, "longer than 254 bytes");
	out->needs_smtputf8 = !is_ascii(local);
	return 0;
}

/* The name, if there is one; the cursor then stands on '<', else where it was. */
static int
read_name(struct cursor *c, struct address *out)
{
	const char *start = c->at, *angle;
	struct strbuf name;
	int rc = -1;

	strbuf_init(&name, MAX_ADDRESS_TEXT);
	if (*c->at == '"') {
		if (read_quoted(c, &name) == -1)
			goto out;
		skip_blanks(c);
	} else {
		angle = strchr(c->at, '<');
		if (angle != NULL && read_plain_name(c, angle, &name) == -1)
			goto out;
	}
	if (*c->at != '<') { /* what stood in quotes was a local part */
		strbuf_reset(&name);
		c->at = start;
	}
	if (name.len > MAX_NAME_BYTES) {
		fail_at(c, start, "the name is longer than 200 bytes");
		goto out;
	}
	if (strbuf_check(&name, c->err) == -1)
		goto out;
	out->name = arena_strdup(c->arena, name.buf);
	rc = out->name != NULL ? 0 : err_nomem(c->err, "address");
out:
	strbuf_release(&name);
	return rc;
}

int
address_parse(
    const char *text, struct arena *a, struct address *out, unsigned *column, struct error *err)
{
	struct cursor c = { .start = text, .at = text, .arena = a, .column = column, .err = err };
	struct address made = { .name = "" };
	bool bracketed;

	if (check_characters(&c) == -1)
		return -1;
	skip_blanks(&c);
	if (read_name(&c, &made) == -1)
		return -1;
	bracketed = *c.at == '<';
	if (bracketed)
		c.at++;
	if (read_mailbox(&c, bracketed, &made) == -1)
		return -1;
	if (bracketed && *c.at != '>')
		return fail_at(&c, c.at, "expected '>' after the domain");
	if (bracketed)
		c.at++;
	skip_blanks(&c);
	if (*c.at != '\0')
		return fail_at(&c, c.at, "expected nothing after the address");
	*out = made;
	return 0;
}

void
address_add_header(struct strbuf *out, const struct address *addr)
{
	size_t column = sizeof("Reply-To: ") - 1; /* the longest name that comes before */

	if (addr->name[0] == '\0') {
		strbuf_add(out, addr->mailbox);
		return;
	}
	column = words_add_phrase(out, addr->name, column);
	words_add_bracketed(out, addr->mailbox, column);
}
