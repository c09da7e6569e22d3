#include "mail/incoming.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { MAX_FIELD_VALUE = 4096 };

struct span
span_of(const char *text)
{
	return (struct span){ text, strlen(text) };
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct span
span_trim(struct span s)
{
	while (s.len > 0 && is_blank(*s.at)) {
		s.at++;
		s.len--;
	}
	while (s.len > 0 && is_blank(s.at[s.len - 1]))
		s.len--;
	return s;
}

bool
span_line(struct span *text, struct span *line)
{
	const char *end;

	if (text->len == 0)
		return false;
	end = memchr(text->at, '\n', text->len);
	*line = (struct span){ text->at, end != NULL ? (size_t)(end - text->at) : text->len };
	end = line->at + line->len + (end != NULL);
	*text = (struct span){ end, text->len - (size_t)(end - text->at) };
	if (line->len > 0 && line->at[line->len - 1] == '\r')
		line->len--;
	return true;
}

const char *
span_find(struct span text, const char *needle)
{
	size_t len = strlen(needle);

	for (size_t i = 0; i + len <= text.len; i++)
		if (tolower((unsigned char)text.at[i]) == needle[0] &&
		    strncasecmp(text.at + i, needle, len) == 0)
			return text.at + i;
	return NULL;
}

void
span_keep(struct span s, char *out, size_t size)
{
	char line[MAX_FIELD_VALUE];
	size_t n = 0;

	s = span_trim(s);
	for (size_t i = 0; i < s.len && n < sizeof(line) - 1; i++) {
		bool gap = (unsigned char)s.at[i] <= ' ' || s.at[i] == 0x7f;

		if (!gap)
			line[n++] = s.at[i];
		else if (n > 0 && line[n - 1] != ' ')
			line[n++] = ' ';
	}
	line[n] = '\0';
	err_printable(out, (unsigned)size, line);
}

/* ---- fields ---- */

/* Where the name of a field ends, if the line begins one: "Name:", also "Name :" as some write it. */
static size_t
name_length(struct span line)
{
	size_t n = 0;

	while (n < line.len && line.at[n] > ' ' && line.at[n] < 0x7f && line.at[n] != ':')
		n++;
	if (n == 0 || n == line.len)
		return 0;
	for (size_t i = n; i < line.len; i++) {
		if (line.at[i] == ':')
			return n;
		if (!is_blank(line.at[i]))
			return 0;
	}
	return 0;
}

/* Where the lines end that go on with a field. A line of blanks is the end of the header, as to most readers. */
static const char *
skip_folds(struct span *block, const char *end)
{
	while (block->len > 0 && (*block->at == ' ' || *block->at == '\t')) {
		struct span rest = *block, line;

		span_line(&rest, &line);
		if (span_trim(line).len == 0)
			break;
		end = line.at + line.len;
		*block = rest;
	}
	return end;
}

bool
field_next(struct span *block, struct field *out)
{
	struct span line;

	while (span_line(block, &line)) {
		size_t n = name_length(line);
		const char *colon, *end;

		if (span_trim(line).len == 0)
			return false;
		if (n == 0)
			continue;
		colon = memchr(line.at, ':', line.len);
		end = skip_folds(block, line.at + line.len);
		out->name = (struct span){ line.at, n };
		out->value = span_trim((struct span){ colon + 1, (size_t)(end - colon - 1) });
		return true;
	}
	return false;
}

bool
field_is(const struct field *f, const char *name)
{
	return f->name.len == strlen(name) && strncasecmp(f->name.at, name, f->name.len) == 0;
}

bool
field_begins(const struct field *f, const char *text)
{
	size_t len = strlen(text);

	return f->value.len >= len && strncasecmp(f->value.at, text, len) == 0;
}

/* ---- addresses ---- */

static bool
is_local(char c)
{
	return isalnum((unsigned char)c) ||
	    (c != '\0' && strchr(".!#$%&'*+/=?^_`{|}~-", c) != NULL);
}

static bool
is_domain(char c)
{
	return isalnum((unsigned char)c) || c == '.' || c == '-';
}

bool
address_next(struct span *text, char out[MAX_ADDRESS_BYTES + 1])
{
	const char *start = text->at, *end = text->at + text->len, *at;

	while ((at = memchr(start, '@', (size_t)(end - start))) != NULL) {
		const char *from = at, *to = at + 1;

		while (from > start && at - from <= MAX_LOCAL_PART && is_local(from[-1]))
			from--;
		while (to < end && to - at <= MAX_DOMAIN && is_domain(*to))
			to++;
		while (to > at + 1 && !isalnum((unsigned char)to[-1]))
			to--;
		if (*from == '\'' && to < end && *to == '\'')
			from++;
		start = to;
		if (from < at && at - from <= MAX_LOCAL_PART && to > at + 1 &&
		    to - from <= MAX_ADDRESS_BYTES) {
			memcpy(out, from, (size_t)(to - from));
			out[to - from] = '\0';
			*text = (struct span){ to, (size_t)(end - to) };
			return true;
		}
	}
	*text = (struct span){ end, 0 };
	return false;
}

void
address_of(struct span value, char out[MAX_ADDRESS_BYTES + 1])
{
	const char *open = memrchr(value.at, '<', value.len);
	struct span rest = value;

	if (open != NULL)
		rest = (struct span){ open, value.len - (size_t)(open - value.at) };
	if (!address_next(&rest, out) && !address_next(&value, out))
		out[0] = '\0';
}

/* ---- candidates ---- */

static bool
is_base32(char c)
{
	return isalpha((unsigned char)c) || (c >= '2' && c <= '7');
}

static bool
is_token(struct span s)
{
	size_t n = 0;

	while (n < s.len && is_base32(s.at[n]))
		n++;
	return n == TOKEN_LEN && s.len == TOKEN_LEN;
}

/* The part of a candidate that may be a token. */
static struct span
token_of(const char *text)
{
	struct span local = { text, strcspn(text, "@") };
	const char *plus = memrchr(local.at, '+', local.len);

	if (plus != NULL)
		local = (struct span){ plus + 1, local.len - (size_t)(plus + 1 - local.at) };
	return local;
}

bool
incoming_token(const struct incoming_candidate *c, char out[TOKEN_LEN + 1])
{
	struct span s = token_of(c->text);

	if (!is_token(s))
		return false;
	for (size_t i = 0; i < s.len; i++)
		out[i] = (char)tolower((unsigned char)s.at[i]);
	out[s.len] = '\0';
	return true;
}

/* A full list gives up its last entry that is no token for one that is. */
static struct incoming_candidate *
make_room(struct incoming *in, bool token)
{
	if (in->ncandidates < MAX_INCOMING_CANDIDATES)
		return &in->candidates[in->ncandidates++];
	for (size_t i = in->ncandidates; token && i > 0; i--)
		if (!is_token(token_of(in->candidates[i - 1].text)))
			return &in->candidates[i - 1];
	return NULL;
}

static void
add(struct incoming *in, enum incoming_place place, struct span s)
{
	struct incoming_candidate *c;
	char text[INCOMING_TEXT_SIZE];

	if (s.len == 0 || s.len >= sizeof(text))
		return;
	memcpy(text, s.at, s.len);
	text[s.len] = '\0';
	for (size_t i = 0; i < in->ncandidates; i++)
		if (in->candidates[i].place == place && strcmp(in->candidates[i].text, text) == 0)
			return;
	if ((c = make_room(in, is_token(token_of(text)))) == NULL)
		return;
	c->place = place;
	err_printable(c->text, sizeof(c->text), text);
}

void
candidates_add(struct incoming *in, enum incoming_place place, struct span value)
{
	char address[MAX_ADDRESS_BYTES + 1];

	while (address_next(&value, address))
		add(in, place, span_of(address));
}

/* The escapes of a link, "%20", are gaps between words. */
void
candidates_add_words(struct incoming *in, enum incoming_place place, struct span value)
{
	size_t start = 0, i = 0;

	while (i <= value.len) {
		if (i < value.len && isalnum((unsigned char)value.at[i])) {
			i++;
			continue;
		}
		if (is_token((struct span){ value.at + start, i - start }))
			add(in, place, (struct span){ value.at + start, i - start });
		i += i < value.len && value.at[i] == '%' ? 3 : 1;
		start = i;
	}
}

void
candidates_add_id(struct incoming *in, enum incoming_place place, struct span value)
{
	add(in, place, id_of(value));
}

struct span
id_of(struct span value)
{
	const char *open = memchr(value.at, '<', value.len), *close;

	if (open != NULL) {
		value = (struct span){ open + 1, value.len - (size_t)(open + 1 - value.at) };
		if ((close = memchr(value.at, '>', value.len)) != NULL)
			value.len = (size_t)(close - value.at);
	}
	return span_trim(value);
}

bool
candidates_have_token(const struct incoming *in)
{
	for (size_t i = 0; i < in->ncandidates; i++)
		if (is_token(token_of(in->candidates[i].text)))
			return true;
	return false;
}
