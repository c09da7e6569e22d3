#include "arxiv.h"
#include "fields.h"
#include "digest/limits.h"
#include "digest/text.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* Length of the part at text that ends before a comma outside of all brackets. */
static size_t
part_length(const char *text, size_t len)
{
	size_t depth = 0, i;

	for (i = 0; i < len; i++) {
		if (text[i] == '\\' && i + 1 < len)
			i++;
		else if (strchr("({[", text[i]) != NULL)
			depth++;
		else if (strchr(")}]", text[i]) != NULL)
			depth -= depth > 0;
		else if (text[i] == ',' && depth == 0)
			break;
	}
	/* A bracket that nobody closes would swallow the rest of the list. */
	if (depth > 0 && memchr(text, ',', len) != NULL)
		return (size_t)((const char *)memchr(text, ',', len) - text);
	return i < len ? i : len;
}

/* The name without what stands in round brackets: "Ada Bee (MIT, Cambridge)". */
static void
add_without_brackets(struct strbuf *out, const char *text, size_t len)
{
	size_t depth = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '(')
			depth++;
		else if (text[i] == ')' && depth > 0)
			depth--;
		else if (depth == 0)
			strbuf_addc(out, text[i]);
	}
}

static bool
has_letter(const char *text)
{
	for (; *text != '\0'; text++)
		if (isalpha((unsigned char)*text) || (unsigned char)*text >= 0x80)
			return true;
	return false;
}

/* "Jr." and its kind belong to the name before the comma. */
static bool
is_suffix(const char *text)
{
	static const char *const suffixes[] = { "Jr", "Jr.", "Sr", "Sr.", "II", "III", "IV" };

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		if (strcmp(text, suffixes[i]) == 0)
			return true;
	return false;
}

static void
add_author(struct fields *f, struct paper *p, const char *text, size_t len)
{
	struct strbuf bare, whole;
	const char *name;

	strbuf_init(&bare, len + 1);
	strbuf_init(&whole, len + 1);
	add_without_brackets(&bare, text, len);
	text_add_unmangled(&whole, bare.buf, bare.len);
	f->nomem |= whole.state != STRBUF_OK || bare.state != STRBUF_OK;
	name = field_latex(f, whole.buf, whole.len, MAX_NAME_BYTES);
	strbuf_release(&whole);
	strbuf_release(&bare);
	if (!has_letter(name) || p->nauthors == MAX_AUTHORS)
		return;
	if (is_suffix(name) && p->nauthors > 0) {
		const char **last = &p->authors[p->nauthors - 1];

		*last = arena_printf(f->arena, "%s %s", *last, name);
		f->nomem |= *last == NULL;
		return;
	}
	p->authors[p->nauthors++] = name;
}

static size_t
count_commas(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += *text == ',';
	return n;
}

void
arxiv_read_authors(
    struct fields *f, const char *const *names, size_t n, const char *creators, struct paper *p)
{
	size_t room = n, len;

	if (n == 0 && creators != NULL)
		room = count_commas(creators) + 1;
	if (room > MAX_AUTHORS)
		room = MAX_AUTHORS;
	if ((p->authors = arena_array(f->arena, room, sizeof(*p->authors))) == NULL) {
		f->nomem = true;
		return;
	}
	for (size_t i = 0; i < n && !f->nomem; i++)
		add_author(f, p, names[i], strlen(names[i]));
	if (n > 0 || creators == NULL)
		return;
	for (size_t left = strlen(creators); left > 0 && !f->nomem && p->nauthors < room;) {
		len = part_length(creators, left);
		add_author(f, p, creators, len);
		len += len < left; /* the comma */
		creators += len;
		left -= len;
	}
}

/* Where an address may begin: hosts that keep code by owner and name, and one that keeps pages. */
static const struct {
	const char *host;
	unsigned parts; /* of the path that are needed */
	bool is_code;
} hosts[] = {
	{ "github.com/", 2, true },
	{ "gitlab.com/", 2, true },
	{ "bitbucket.org/", 2, true },
	{ "codeberg.org/", 2, true },
	{ ".github.io", 0, false },
	{ ".gitlab.io", 0, false },
};

/* Length of what belongs to an address at text; LaTeX writes "\_" for an underscore. */
static size_t
address_length(const char *text)
{
	size_t len = 0;

	while (text[len] != '\0' && !isspace((unsigned char)text[len]) &&
	    (unsigned char)text[len] < 0x80 && strchr("<>{}()[]\"'`,;|", text[len]) == NULL)
		len++;
	while (len > 0 && strchr(".:!?\\", text[len - 1]) != NULL)
		len--;
	return len;
}

/* Where the host name begins that ends at text + at. */
static size_t
host_start(const char *text, size_t at)
{
	while (
	    at > 0 && (isalnum((unsigned char)text[at - 1]) || strchr("-.", text[at - 1]) != NULL))
		at--;
	return at;
}

static unsigned
count_parts(const char *path, size_t len)
{
	unsigned n = 0;

	for (size_t i = 0; i < len; i++)
		n += path[i] != '/' && (i == 0 || path[i - 1] == '/');
	return n;
}

/* The address of a host found at text + at, "" when it names no page there. */
static const char *
address_at(struct fields *f, const char *text, size_t at, size_t row)
{
	size_t host_len = strlen(hosts[row].host);
	size_t start = hosts[row].host[0] == '.' ? host_start(text, at) : at;
	size_t len = address_length(text + start);
	struct strbuf url;
	const char *found = "";

	if (start + len < at + host_len || (hosts[row].host[0] == '.' && start == at) ||
	    count_parts(text + at + host_len, start + len - at - host_len) < hosts[row].parts ||
	    (hosts[row].is_code && host_start(text, at) != at &&
		strncasecmp(text + host_start(text, at), "www.", at - host_start(text, at)) != 0))
		return "";
	strbuf_init(&url, MAX_URL_BYTES);
	strbuf_add(&url, "https://");
	for (size_t i = start; i < start + len; i++)
		if (text[i] != '\\')
			strbuf_addc(&url, text[i]);
	if (url.state == STRBUF_OK)
		found = field_url(f, url.buf);
	strbuf_release(&url);
	return found;
}

static const char *
find_address(struct fields *f, const char *text, bool is_code)
{
	const char *first = "";
	size_t first_at = SIZE_MAX;

	for (size_t row = 0; row < sizeof(hosts) / sizeof(hosts[0]); row++) {
		const char *at = text;

		if (hosts[row].is_code != is_code)
			continue;
		for (; (at = strcasestr(at, hosts[row].host)) != NULL; at++) {
			const char *found = address_at(f, text, (size_t)(at - text), row);

			if (found[0] == '\0')
				continue;
			if ((size_t)(at - text) < first_at) {
				first_at = (size_t)(at - text);
				first = found;
			}
			break;
		}
	}
	return first;
}

void
arxiv_read_links(struct fields *f, const char *text, struct paper *p)
{
	if (text == NULL)
		return;
	if (p->code_url[0] == '\0')
		p->code_url = find_address(f, text, true);
	if (p->project_url[0] == '\0')
		p->project_url = find_address(f, text, false);
}
