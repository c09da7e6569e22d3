#include "digest/message.h"

#include "digest/date.h"
#include "digest/limits.h"
#include "mail/words.h"

#include <sodium.h>
#include <xxhash.h>

#include <assert.h>
#include <stdbool.h>
#include <string.h>

enum {
	HEADER_LINE_MAX = 998, /* RFC 5322 2.1.1, without CRLF */
	HEX_SIZE = 2 * MESSAGE_HASH_BYTES + 1,
	BOUNDARY_SIZE = HEX_SIZE + 2,
	HEADER_ROOM = 2048, /* as a rule */
};

static void
hash_hex(const crypto_generichash_state *finished, char out[HEX_SIZE])
{
	crypto_generichash_state state = *finished;
	unsigned char hash[MESSAGE_HASH_BYTES];

	crypto_generichash_final(&state, hash, sizeof(hash));
	sodium_bin2hex(out, HEX_SIZE, hash, sizeof(hash));
}

/* The NUL goes in as well, so that no two lists of texts give the same bytes. */
static void
hash_add_text(crypto_generichash_state *state, const char *text)
{
	crypto_generichash_update(state, (const unsigned char *)text, strlen(text) + 1);
}

void
message_make_id(char out[MESSAGE_ID_SIZE], const char *list_id, const char *canonical,
    const char *period, const char *domain)
{
	crypto_generichash_state state;
	char hex[HEX_SIZE];

	assert(strlen(domain) <= MAX_DOMAIN);
	crypto_generichash_init(&state, NULL, 0, MESSAGE_HASH_BYTES);
	hash_add_text(&state, list_id);
	hash_add_text(&state, canonical);
	hash_add_text(&state, period);
	hash_hex(&state, hex);
	snprintf(out, MESSAGE_ID_SIZE, "<%s@%s>", hex, domain);
}

void
message_hash(const void *bytes, size_t len, unsigned char out[MESSAGE_HASH_BYTES])
{
	crypto_generichash(out, MESSAGE_HASH_BYTES, bytes, len, NULL, 0);
}

void
message_fingerprint(const void *bytes, size_t len, unsigned char out[MESSAGE_HASH_BYTES])
{
	XXH128_canonical_t canonical; /* big endian on every machine */

	XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes, len));
	memcpy(out, canonical.digest, MESSAGE_HASH_BYTES);
}

/* "=_" cannot occur in quoted-printable, where '=' stands before a hex digit or a line end (RFC
 * 2045 6.7): no text, whatever it holds, can close the part it is in. */
static void
make_boundary(char out[BOUNDARY_SIZE], const char *message_id)
{
	crypto_generichash_state state;

	crypto_generichash_init(&state, NULL, 0, MESSAGE_HASH_BYTES);
	hash_add_text(&state, message_id);
	memcpy(out, "=_", 2);
	hash_hex(&state, out + 2);
}

/* Printable ASCII without blanks and angle brackets: what may stand between '<' and '>'. */
static bool
is_bare_token(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~' || text[i] == '<' || text[i] == '>')
			return false;
	return len > 0;
}

/* What address_parse lets through: no control and nothing that opens or closes a path. */
static bool
is_mailbox(const char *text)
{
	const char *start = text;

	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f || *text == '<' || *text == '>')
			return false;
	return text > start;
}

/* Whoever calls has checked these; a mail with a broken one must not leave. */
static int
check_values(const struct message *m, struct error *err)
{
	const struct address *const addresses[] = { m->from, m->to, m->reply_to };
	size_t len = strlen(m->message_id);
	const struct {
		const char *name, *text;
		bool may_be_empty;
	} tokens[] = {
		{ "list id", m->list_id, false },
		{ "mailto link", m->unsubscribe_mailto, true },
		{ "https link", m->unsubscribe_https, true },
		{ "link to help", m->help_url, true },
		{ "link to the archive", m->archive_url, true },
		{ "id of another mail", m->is_answer ? m->in_reply_to : "", true },
	};

	for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++)
		if (!is_bare_token(tokens[i].text, strlen(tokens[i].text)) &&
		    !(tokens[i].may_be_empty && tokens[i].text[0] == '\0'))
			return err_set(err, ERR_BUG, "message: '%s' cannot be a %s", tokens[i].text,
			    tokens[i].name);
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
		if (addresses[i] != NULL && !is_mailbox(addresses[i]->mailbox))
			return err_set(
			    err, ERR_BUG, "message: '%s' is no mailbox", addresses[i]->mailbox);
	if (len < 2 || m->message_id[0] != '<' || m->message_id[len - 1] != '>' ||
	    !is_bare_token(m->message_id + 1, len - 2))
		return err_set(err, ERR_BUG, "message: '%s' is no Message-ID", m->message_id);
	return 0;
}

static void
add_address(struct strbuf *out, const char *name, const struct address *addr)
{
	if (addr == NULL)
		return;
	strbuf_add_all(out, name, ": ", NULL);
	address_add_header(out, addr);
	strbuf_add(out, "\r\n");
}

/* The name is a courtesy, and some take the whole value for the identity, which has 255 bytes at most (RFC 2919 2). */
static void
add_list_id(struct strbuf *out, const struct message *m)
{
	size_t start, column = sizeof("List-Id: ") - 1;

	strbuf_add(out, "List-Id: ");
	start = out->len;
	if (m->list_name[0] != '\0') {
		column = words_add_phrase(out, m->list_name, column);
		if (out->len - start + strlen(m->list_id) + sizeof("\r\n <>") - 1 >
		    MAX_LIST_ID + 2) {
			strbuf_truncate(out, start);
			column = sizeof("List-Id: ") - 1;
		}
	}
	words_add_bracketed(out, m->list_id, column);
	strbuf_add(out, "\r\n");
}

static void
add_link(struct strbuf *out, const char *name, const char *url)
{
	if (url[0] != '\0')
		strbuf_add_all(out, name, ": <", url, ">\r\n", NULL);
}

/* RFC 2369 and 2919, 8058, 3834; Precedence is for responders older than the last of them. */
static void
add_list_headers(struct strbuf *out, const struct message *m)
{
	add_list_id(out, m);
	if (m->unsubscribe_https[0] != '\0' && m->unsubscribe_mailto[0] != '\0')
		strbuf_add_all(out, "List-Unsubscribe: <", m->unsubscribe_https, ">,\r\n <",
		    m->unsubscribe_mailto, ">\r\n", NULL);
	else if (m->unsubscribe_https[0] != '\0' || m->unsubscribe_mailto[0] != '\0')
		strbuf_add_all(out, "List-Unsubscribe: <", m->unsubscribe_https,
		    m->unsubscribe_mailto, ">\r\n", NULL);
	if (m->unsubscribe_https[0] != '\0')
		strbuf_add(out, "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n");
	add_link(out, "List-Help", m->help_url);
	add_link(out, "List-Archive", m->archive_url);
	strbuf_add_all(out,
	    "List-Post: NO\r\nAuto-Submitted: ", m->is_answer ? "auto-replied" : "auto-generated",
	    "\r\nPrecedence: bulk\r\n", NULL);
}

static void
add_headers(struct strbuf *out, const struct message *m, const char *boundary)
{
	char date[DATE_RFC5322_SIZE];

	date_format_rfc5322(m->date_utc, m->date_offset_s, date);
	strbuf_add_all(out, "Date: ", date, "\r\n", NULL);
	add_address(out, "From", m->from);
	add_address(out, "To", m->to);
	add_address(out, "Reply-To", m->reply_to);
	strbuf_add(out, "Subject: ");
	message_add_words(out, m->subject, sizeof("Subject: ") - 1);
	strbuf_add_all(out, "\r\nMessage-ID: ", m->message_id, "\r\n", NULL);
	if (m->is_answer) {
		add_link(out, "In-Reply-To", m->in_reply_to);
		add_link(out, "References", m->in_reply_to);
	}
	add_list_headers(out, m);
	strbuf_add(out, "MIME-Version: 1.0\r\n");
	if (m->html != NULL)
		strbuf_add_all(out, "Content-Type: multipart/alternative;\r\n boundary=\"",
		    boundary, "\"\r\n", NULL);
}

static void
add_part_headers(struct strbuf *out, const char *subtype)
{
	strbuf_add_all(out, "Content-Type: text/", subtype,
	    "; charset=UTF-8\r\n"
	    "Content-Transfer-Encoding: quoted-printable\r\n"
	    "\r\n",
	    NULL);
}

static void
add_part(
    struct strbuf *out, const char *boundary, const char *subtype, const char *text, size_t len)
{
	strbuf_add_all(out, "--", boundary, "\r\n", NULL);
	add_part_headers(out, subtype);
	strbuf_addn(out, text, len);
	strbuf_add(out, "\r\n"); /* belongs to the boundary (RFC 2046 5.1.1) */
}

static bool
is_seven_bit(const char *bytes, size_t len)
{
	unsigned char all = 0;

	for (size_t i = 0; i < len; i++)
		all |= (unsigned char)bytes[i];
	return all < 0x80;
}

/*
 * Every line ends in CRLF, holds no other CR or LF and no NUL, and at most HEADER_LINE_MAX bytes; 7 bit unless told.
 * Returns what is wrong, or NULL.
 */
static const char *
line_fault(const char *bytes, size_t len, bool eight_bit)
{
	const char *end = bytes + len;

	if (memchr(bytes, '\0', len) != NULL)
		return "a NUL";
	if (!eight_bit && !is_seven_bit(bytes, len))
		return "a byte above 127";
	while (bytes < end) {
		const char *lf = memchr(bytes, '\n', (size_t)(end - bytes));
		const char *cr = memchr(bytes, '\r', (size_t)(end - bytes));

		if (lf == NULL || cr == NULL || cr + 1 != lf)
			return "a CR or LF alone";
		if ((size_t)(cr - bytes) > HEADER_LINE_MAX)
			return "a line that is too long";
		bytes = lf + 1;
	}
	return NULL;
}

/* What message_add promises of the headers, proven on the bytes themselves before they can leave. What is quoted-printable
 * was made line by line, and is looked at once more where it goes on the wire. */
static int
prove_headers(const char *bytes, size_t len, const struct message *m, struct error *err)
{
	bool eight_bit = m->to->needs_smtputf8 || m->from->needs_smtputf8 ||
	    (m->reply_to != NULL && m->reply_to->needs_smtputf8);
	const char *fault = line_fault(bytes, len, eight_bit);

	if (fault == NULL && len > MAX_HEADER_BYTES)
		fault = "more than 32 KiB of headers";
	if (fault == NULL && memmem(bytes, len, "\r\n\r\n", 4) != bytes + len - 4)
		fault = "an empty line";
	if (fault == NULL)
		return 0;
	return err_set(
	    err, ERR_BUG, "message to %s: the header block has %s", m->to->mailbox, fault);
}

int
message_add(struct strbuf *out, const struct message *m, struct error *err)
{
	char boundary[BOUNDARY_SIZE];
	size_t start = out->len, header_len;
	size_t text_len = m->text_len > 0 ? m->text_len : strlen(m->text);
	size_t html_len = m->html_len > 0 || m->html == NULL ? m->html_len : strlen(m->html);

	if (check_values(m, err) == -1)
		return -1;
	make_boundary(boundary, m->message_id);
	strbuf_reserve(out, text_len + html_len + HEADER_ROOM);
	add_headers(out, m, boundary);
	if (m->html == NULL) {
		add_part_headers(out, "plain");
		header_len = out->len - start;
		strbuf_addn(out, m->text, text_len);
	} else {
		strbuf_add(out, "\r\n");
		header_len = out->len - start;
		add_part(out, boundary, "plain", m->text, text_len);
		add_part(out, boundary, "html", m->html, html_len);
		strbuf_add_all(out, "--", boundary, "--\r\n", NULL);
	}
	if (strbuf_check(out, err) == 0 && prove_headers(out->buf + start, header_len, m, err) == 0)
		return 0;
	strbuf_truncate(out, start);
	return -1;
}
