/* Every spelling of an id of a paper, and the one key that all of them lead to. */
#include "digest/paper.h"

#include "digest/limits.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum {
	MAX_URL_KEY = 900, /* what is longer names a search or a session, not a paper */
	MAX_VERSION_DIGITS = 4,
};

/* The part of a spelling that is the id itself. */
struct id_text {
	const char *s;
	size_t len;
};

static size_t
count_digits(const char *s, size_t len)
{
	size_t n = 0;

	while (n < len && isdigit((unsigned char)s[n]))
		n++;
	return n;
}

static bool
has_blank(struct id_text id)
{
	for (size_t i = 0; i < id.len; i++)
		if ((unsigned char)id.s[i] <= ' ' || id.s[i] == 0x7f)
			return true;
	return false;
}

static void
add_lower(struct strbuf *out, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		strbuf_addc(out, (char)tolower((unsigned char)s[i]));
}

/* ---- arXiv ---- */

/* Length of the id without version: "2312.00752", "math/0306266", "math.AG/0306266"; 0 = none. */
static size_t
arxiv_id_length(struct id_text id)
{
	size_t n = count_digits(id.s, id.len);

	if (n == 4 && n < id.len && id.s[n] == '.') {
		n = count_digits(id.s + 5, id.len - 5);
		return n == 4 || n == 5 ? 5 + n : 0;
	}
	for (n = 0; n < id.len; n++)
		if (!isalpha((unsigned char)id.s[n]) && id.s[n] != '-' && (n < 2 || id.s[n] != '.'))
			break;
	if (n < 2 || n > 20 || n == id.len || id.s[n] != '/' ||
	    count_digits(id.s + n + 1, id.len - n - 1) != 7)
		return 0;
	return n + 8;
}

/* Old ids are known without their subject class: "math.AG/0306266" is "math/0306266". */
static void
add_arxiv_key(struct strbuf *out, const char *id, size_t len)
{
	const char *slash = memchr(id, '/', len);
	const char *dot = slash != NULL ? memchr(id, '.', (size_t)(slash - id)) : NULL;

	strbuf_add(out, "arxiv:");
	if (dot == NULL) {
		add_lower(out, id, len);
		return;
	}
	add_lower(out, id, (size_t)(dot - id));
	add_lower(out, slash, len - (size_t)(slash - id));
}

static int
add_arxiv(struct strbuf *out, struct id_text id, uint32_t *version)
{
	size_t len = arxiv_id_length(id), at = len, digits;
	uint32_t named = 0;

	if (len == 0)
		return 0;
	if (at < id.len && (id.s[at] == 'v' || id.s[at] == 'V')) {
		digits = count_digits(id.s + at + 1, id.len - at - 1);
		if (digits == 0 || digits > MAX_VERSION_DIGITS)
			return 0;
		named = (uint32_t)strtoul(id.s + at + 1, NULL, 10);
		at += 1 + digits;
	}
	if (id.len - at == 1 && id.s[at] == '/')
		at++;
	if (id.len - at == 4 && strncasecmp(id.s + at, ".pdf", 4) == 0)
		at += 4;
	if (at != id.len)
		return 0;
	if (version != NULL)
		*version = named;
	add_arxiv_key(out, id.s, len);
	return 1;
}

/* ---- DOI ---- */

/* DOI handbook 2.2: "10." registrant "/" suffix; compared without case. Those that arXiv gives out are its ids. */
static int
add_doi(struct strbuf *out, struct id_text id, uint32_t *version)
{
	static const char arxiv[] = "10.48550/arxiv.";
	const struct id_text inner = { id.s + sizeof(arxiv) - 1, id.len - (sizeof(arxiv) - 1) };
	size_t n;

	if (id.len < 3 || strncmp(id.s, "10.", 3) != 0 || has_blank(id) || id.len > MAX_NAME_BYTES)
		return 0;
	if (id.len >= sizeof(arxiv) && strncasecmp(id.s, arxiv, sizeof(arxiv) - 1) == 0 &&
	    add_arxiv(out, inner, version) == 1)
		return 1;
	if ((n = count_digits(id.s + 3, id.len - 3)) < 3 || n > 9)
		return 0;
	n += 3;
	while (n < id.len && (id.s[n] == '.' || isdigit((unsigned char)id.s[n])))
		n++;
	if (n + 1 >= id.len || id.s[n] != '/')
		return 0;
	strbuf_add(out, "doi:");
	add_lower(out, id.s, id.len);
	return 1;
}

static int
hex_value(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

/* In a link a DOI may be percent-encoded, and what begins with ? or # is the link's own. */
static int
add_doi_link(struct strbuf *out, struct id_text id, uint32_t *version)
{
	char plain[MAX_NAME_BYTES + 1];
	size_t n = 0;

	id.len = strcspn(id.s, "?#") < id.len ? strcspn(id.s, "?#") : id.len;
	for (size_t i = 0; i < id.len; i++) {
		if (n == MAX_NAME_BYTES)
			return 0;
		if (id.s[i] == '%' && i + 2 < id.len && isxdigit((unsigned char)id.s[i + 1]) &&
		    isxdigit((unsigned char)id.s[i + 2])) {
			plain[n++] = (char)(hex_value(id.s[i + 1]) * 16 + hex_value(id.s[i + 2]));
			i += 2;
		} else {
			plain[n++] = id.s[i];
		}
	}
	plain[n] = '\0';
	return add_doi(out, (struct id_text){ plain, n }, version);
}

/* ---- PubMed, OpenReview ---- */

static int
add_pmid(struct strbuf *out, struct id_text id, uint32_t *version)
{
	(void)version;
	if (id.len < 1 || id.len > 8 || id.s[0] == '0' || count_digits(id.s, id.len) != id.len)
		return 0;
	strbuf_add(out, "pmid:");
	strbuf_addn(out, id.s, id.len);
	return 1;
}

/* Letters of an id at OpenReview have a case: "rJl-b3RcF7". */
static int
add_openreview(struct strbuf *out, struct id_text id, uint32_t *version)
{
	(void)version;
	if (id.len < 6 || id.len > 32)
		return 0;
	for (size_t i = 0; i < id.len; i++)
		if (!isalnum((unsigned char)id.s[i]) && id.s[i] != '-' && id.s[i] != '_')
			return 0;
	strbuf_add(out, "openreview:");
	strbuf_addn(out, id.s, id.len);
	return 1;
}

/* ---- links ---- */

/* Parameters that tell where a reader came from, not what is read. */
static bool
is_tracking(const char *name, size_t len)
{
	static const char *const names[] = { "fbclid", "gclid", "dclid", "msclkid", "igshid",
		"mc_cid", "mc_eid", "_hsenc", "_hsmi", "ref_src", "rss", "af" };

	if (len >= 4 && strncasecmp(name, "utm_", 4) == 0)
		return true;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i]) == len && strncasecmp(name, names[i], len) == 0)
			return true;
	return false;
}

static size_t
add_parameters(struct strbuf *out, const char *query, size_t len)
{
	size_t n = 0;

	for (size_t at = 0; at < len;) {
		size_t end = at, name;

		while (end < len && query[end] != '&')
			end++;
		for (name = at; name < end && query[name] != '=';)
			name++;
		if (end > at && !is_tracking(query + at, name - at)) {
			strbuf_addc(out, n++ == 0 ? '?' : '&');
			strbuf_addn(out, query + at, end - at);
		}
		at = end + 1;
	}
	return n;
}

/* Without a port that says what the scheme says anyway. */
static size_t
host_length(const char *link, size_t len)
{
	size_t port = strcspn(link, ":");

	if (port < len &&
	    ((len - port == 3 && strncmp(link + port, ":80", 3) == 0) ||
		(len - port == 4 && strncmp(link + port, ":443", 4) == 0)))
		return port;
	return len;
}

/* RFC 3986 6.2: what does not change where a link leads. The scheme goes too, because the same page is
 * reached by both. A host alone names no paper.
 * out is empty. */
static int
add_link(struct strbuf *out, const char *link)
{
	size_t host = strcspn(link, "/?#"), end = strcspn(link, "#");
	size_t path_end = strcspn(link, "?#"), nparameters = 0;
	bool has_query = path_end < end;

	if (host == 0 || memchr(link, '.', host) == NULL || memchr(link, '@', host) != NULL ||
	    has_blank((struct id_text){ link, end }) || end > MAX_URL_KEY)
		return 0;
	add_lower(out, link, host_length(link, host));
	while (path_end > host && link[path_end - 1] == '/')
		path_end--;
	strbuf_addn(out, link + host, path_end - host);
	if (has_query)
		nparameters = add_parameters(
		    out, strchr(link, '?') + 1, end - (size_t)(strchr(link, '?') - link) - 1);
	return path_end > host || nparameters > 0;
}

/* ---- all of them ---- */

struct spelling {
	const char *prefix;
	int (*add)(struct strbuf *out, struct id_text id, uint32_t *version);
	const char *ends; /* bytes that end the id, "" = the end of the text */
};

/* Written before an id, blanks may follow. */
static const struct spelling words[] = {
	{ "arxiv:", add_arxiv, "" },
	{ "oai:arxiv.org:", add_arxiv, "" },
	{ "doi:", add_doi, "" },
	{ "info:doi/", add_doi, "" },
	{ "pmid:", add_pmid, "" },
	{ "openreview:", add_openreview, "" },
	{ "", add_arxiv, "" },
	{ "", add_doi, "" },
};

/* Behind http:// or https:// and perhaps www. */
static const struct spelling sites[] = {
	{ "arxiv.org/abs/", add_arxiv, "?#" },
	{ "arxiv.org/pdf/", add_arxiv, "?#" },
	{ "arxiv.org/html/", add_arxiv, "?#" },
	{ "arxiv.org/format/", add_arxiv, "?#" },
	{ "export.arxiv.org/abs/", add_arxiv, "?#" },
	{ "export.arxiv.org/pdf/", add_arxiv, "?#" },
	{ "ar5iv.org/abs/", add_arxiv, "?#" },
	{ "ar5iv.labs.arxiv.org/html/", add_arxiv, "?#" },
	{ "alphaxiv.org/abs/", add_arxiv, "?#" },
	{ "huggingface.co/papers/", add_arxiv, "?#" },
	{ "hf.co/papers/", add_arxiv, "?#" },
	{ "doi.org/", add_doi_link, "" },
	{ "dx.doi.org/", add_doi_link, "" },
	{ "pubmed.ncbi.nlm.nih.gov/", add_pmid, "/?#" },
	{ "ncbi.nlm.nih.gov/pubmed/", add_pmid, "/?#" },
	{ "openreview.net/forum?id=", add_openreview, "&#" },
	{ "openreview.net/pdf?id=", add_openreview, "&#" },
};

static int
try_spelling(const struct spelling *sp, struct strbuf *out, const char *text, uint32_t *version)
{
	size_t len = strlen(sp->prefix);
	struct id_text id = { text + len, 0 };

	if (strncasecmp(text, sp->prefix, len) != 0)
		return 0;
	if (len > 0 && sp->ends[0] == '\0')
		id.s += strspn(id.s, " ");
	id.len = strcspn(id.s, sp->ends);
	return sp->add(out, id, version);
}

static const char *
skip_prefix(const char *text, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncasecmp(text, prefix, len) == 0 ? text + len : NULL;
}

/* One of a site that is known, else the link itself. */
static int
add_key_of_link(struct strbuf *out, const char *link, uint32_t *version)
{
	struct strbuf plain;
	const char *site;
	int found = 0;

	strbuf_init(&plain, MAX_URL_BYTES);
	if (add_link(&plain, link) == 1 && strbuf_check(&plain, NULL) == 0) {
		if ((site = skip_prefix(plain.buf, "www.")) == NULL)
			site = plain.buf;
		for (size_t i = 0; found == 0 && i < sizeof(sites) / sizeof(sites[0]); i++)
			found = try_spelling(&sites[i], out, site, version);
		if (found == 0) {
			strbuf_add(out, "url:");
			strbuf_addn(out, plain.buf, plain.len);
			found = 1;
		}
	}
	strbuf_release(&plain);
	return found;
}

int
paper_add_key(struct strbuf *out, const char *text, uint32_t *version)
{
	const char *link;

	if (version != NULL)
		*version = 0;
	if ((link = skip_prefix(text, "https://")) != NULL ||
	    (link = skip_prefix(text, "http://")) != NULL ||
	    (link = skip_prefix(text, "url:")) != NULL)
		return add_key_of_link(out, link, version);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (try_spelling(&words[i], out, text, version) == 1)
			return 1;
	return 0;
}
