/* lines.c - our own form of papers, one JSON object a line; digest-source(7) defines it. What is written reads back. */
#include <stdio.h>
#include <string.h>

#include "digest/date.h"
#include "digest/json.h"
#include "digest/limits.h"
#include "fields.h"

enum { DAY_SECONDS = 86400 };

/* Every member that is a text or a link, by its name in the file. */
struct text_member {
	const char *name;
	size_t at;
	size_t max_bytes; /* 0 = a link */
};

#define TEXT(name, max)                                  \
	{                                                \
#name, offsetof(struct paper, name), max \
	}
#define LINK(name)                                     \
	{                                              \
#name, offsetof(struct paper, name), 0 \
	}

static const struct text_member texts[] = {
	TEXT(title, MAX_TITLE_BYTES),
	TEXT(abstract, MAX_ABSTRACT_BYTES),
	TEXT(summary, MAX_ABSTRACT_BYTES),
	TEXT(summary_by, MAX_NAME_BYTES),
	TEXT(org, MAX_NAME_BYTES),
	TEXT(comment, MAX_TITLE_BYTES),
	TEXT(journal_ref, MAX_TITLE_BYTES),
	TEXT(venue, MAX_TITLE_BYTES),
	TEXT(language, MAX_NAME_BYTES),
	LINK(url),
	LINK(html_url),
	LINK(pdf_url),
	LINK(code_url),
	LINK(project_url),
	LINK(discussion_url),
	LINK(thumbnail_url),
	LINK(media_url),
};

static const struct {
	const char *name;
	size_t items, count;
	size_t max;
} lists[] = {
	{ "authors", offsetof(struct paper, authors), offsetof(struct paper, nauthors),
	    MAX_AUTHORS },
	{ "categories", offsetof(struct paper, categories), offsetof(struct paper, ncategories),
	    MAX_LIST },
	{ "keywords", offsetof(struct paper, keywords), offsetof(struct paper, nkeywords),
	    MAX_LIST },
};

static const struct {
	const char *name;
	size_t at;
} times[] = {
	{ "published", offsetof(struct paper, published_utc) },
	{ "updated", offsetof(struct paper, updated_utc) },
	{ "withdrawn", offsetof(struct paper, withdrawn_utc) },
};

static const struct {
	const char *name;
	size_t at;
} counts[] = {
	{ "votes", offsetof(struct paper, votes) },
	{ "comments", offsetof(struct paper, comments) },
	{ "stars", offsetof(struct paper, stars) },
};

static const char *const kinds[] = { [PAPER_NEW] = "new",
	[PAPER_CROSS] = "cross",
	[PAPER_REPLACE] = "replace",
	[PAPER_REPLACE_CROSS] = "replace-cross" };

#define COUNT_OF(table) (sizeof(table) / sizeof((table)[0]))

/* ---- reading ---- */

/* Another name for the same work, when text is one. */
static void
add_alias(struct fields *f, struct paper *p, const char *text, uint32_t *version)
{
	struct strbuf key;
	const char *copy;

	strbuf_init(&key, MAX_URL_BYTES);
	if (text[0] != '\0' && paper_add_key(&key, text, version) == 1 &&
	    strcmp(key.buf, p->key) != 0 && p->naliases < 4) {
		copy = arena_strndup(f->arena, key.buf, key.len);
		if (copy != NULL)
			p->aliases[p->naliases++] = copy;
		else
			f->nomem = true;
	}
	strbuf_release(&key);
}

/* The key: an arXiv id or DOI wherever it stands, else the source's own id. */
static bool
read_key(struct fields *f, const char *source, const json_t *line, struct paper *p)
{
	const char *id = field_member(f, line, "id", MAX_NAME_BYTES);
	const char *key = field_member(f, line, "key", MAX_NAME_BYTES);
	const char *tries[4] = { key, id, p->url, p->doi };
	uint32_t version = 0;

	p->aliases = arena_array(f->arena, 4, sizeof(*p->aliases));
	if (p->aliases == NULL) {
		f->nomem = true;
		return false;
	}
	for (size_t i = 0; i < COUNT_OF(tries) && p->naliases == 0; i++)
		add_alias(f, p, tries[i], &version);
	if (p->naliases > 0) {
		p->key = p->aliases[0];
		p->naliases = 0;
		p->version = version;
	} else if (key[0] != '\0') {
		p->key = key;
	} else if (id[0] != '\0') {
		p->key = arena_printf(f->arena, "%s:%s", source, id);
	} else if (p->url[0] != '\0') {
		p->key = arena_printf(f->arena, "%s:%s", source, p->url);
	}
	if (p->key == NULL) {
		f->nomem = true;
		p->key = "";
	}
	for (size_t i = 1; i < COUNT_OF(tries); i++)
		add_alias(f, p, tries[i], NULL);
	return p->key[0] != '\0';
}

static void
read_members(struct fields *f, const json_t *line, struct paper *p)
{
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		const char *text = texts[i].max_bytes > 0
		    ? field_member(f, line, texts[i].name, texts[i].max_bytes)
		    : field_url_member(f, line, texts[i].name);

		memcpy((char *)p + texts[i].at, &text, sizeof(text));
	}
	for (size_t i = 0; i < COUNT_OF(lists); i++) {
		size_t n;
		const char **items =
		    field_list(f, json_get_array(line, lists[i].name), lists[i].max, &n);

		memcpy((char *)p + lists[i].items, &items, sizeof(items));
		memcpy((char *)p + lists[i].count, &n, sizeof(n));
	}
	for (size_t i = 0; i < COUNT_OF(times); i++) {
		int64_t utc = field_time(line, times[i].name);

		memcpy((char *)p + times[i].at, &utc, sizeof(utc));
	}
	for (size_t i = 0; i < COUNT_OF(counts); i++) {
		int64_t n = field_count(line, counts[i].name);

		memcpy((char *)p + counts[i].at, &n, sizeof(n));
	}
}

static void
read_rest(struct fields *f, const json_t *line, int64_t now_utc, struct paper *p)
{
	const char *kind = json_get_string(line, "kind");
	int64_t listed = field_time(line, "listed"), version = 0;
	struct strbuf doi;

	json_get_bool(line, "primary_known", &p->primary_known);
	for (size_t i = 0; kind != NULL && i < COUNT_OF(kinds); i++)
		if (strcmp(kind, kinds[i]) == 0)
			p->kind = (enum paper_kind)i;
	if (listed == 0)
		listed = p->published_utc != 0 ? p->published_utc : now_utc;
	p->listed_day = (int32_t)(listed / DAY_SECONDS);
	if (json_get_int64(line, "version", &version) && version > 0 && version < UINT32_MAX)
		p->version = (uint32_t)version;
	strbuf_init(&doi, MAX_URL_BYTES);
	if (paper_add_key(&doi, field_member(f, line, "doi", MAX_NAME_BYTES), NULL) == 1 &&
	    strncmp(doi.buf, "doi:", 4) == 0) {
		const char *copy = arena_strdup(f->arena, doi.buf + 4);

		f->nomem |= copy == NULL;
		p->doi = copy != NULL ? copy : "";
	}
	strbuf_release(&doi);
}

static struct paper *
read_line(
    struct fields *f, const char *source, const json_t *line, int64_t now_utc, const char **why)
{
	struct paper *p = paper_new(f->arena);
	uint32_t version;

	if (p == NULL) {
		f->nomem = true;
		return NULL;
	}
	read_members(f, line, p);
	read_rest(f, line, now_utc, p);
	version = p->version;
	if (p->title[0] == '\0') {
		*why = "member 'title' is missing or empty";
		return NULL;
	}
	if (!read_key(f, source, line, p)) {
		*why = "member 'id' is missing; expected an arXiv id, a DOI or an id of its own";
		return NULL;
	}
	if (version > 0)
		p->version = version;
	return p;
}

static size_t
count_lines(const char *bytes, size_t len)
{
	size_t n = 1;

	for (size_t i = 0; i < len; i++)
		n += bytes[i] == '\n';
	return n;
}

/* One line into the batch: blank ones and records of another type are passed over, broken ones counted. */
static void
take_line(struct fields *f, const char *source, const char *bytes, size_t len, size_t number,
    int64_t now_utc, struct source_batch *out)
{
	struct error err = { 0 };
	const char *type, *why = err.msg;
	struct paper *p = NULL;
	json_t *line = NULL;

	if (len > 0 && bytes[len - 1] == '\r')
		len--;
	if (len == 0 || bytes[0] == '#')
		return;
	if (json_read(bytes, len, MAX_JSON_LINE, &line, &err) == 0) {
		type = json_get_string(line, "type");
		if (!json_is_object(line)) {
			why = "expected a JSON object";
		} else if (type != NULL && strcmp(type, "paper") != 0) {
			json_decref(line);
			return;
		} else {
			p = read_line(f, source, line, now_utc, &why);
		}
	}
	if (p != NULL)
		out->papers[out->npapers++] = p;
	else if (!f->nomem)
		batch_add_broken(out, "line", number, why);
	json_decref(line);
}

int
source_read_lines(const char *source, const char *bytes, size_t len, int64_t now_utc,
    struct arena *a, struct source_batch *out, struct error *err)
{
	struct fields f = { .arena = a };
	const char *end = bytes + len;
	size_t number = 1;

	if (len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
		bytes += 3;
	out->papers =
	    arena_array(a, count_lines(bytes, (size_t)(end - bytes)), sizeof(struct paper *));
	if (out->papers == NULL)
		return err_nomem(err, "papers");
	while (bytes < end && !f.nomem) {
		const char *eol = memchr(bytes, '\n', (size_t)(end - bytes));
		size_t n = eol != NULL ? (size_t)(eol - bytes) : (size_t)(end - bytes);

		take_line(&f, source, bytes, n, number++, now_utc, out);
		bytes += n + (eol != NULL);
	}
	out->nreplaced = f.nreplaced;
	if (f.nomem)
		return err_nomem(err, "papers");
	if (out->npapers == 0 && out->nbroken > 0)
		return err_set(err, ERR_DATA, "no line is a paper; %s", out->first_broken);
	return 0;
}

/* ---- writing ---- */

static void
add_member(struct strbuf *out, const char *name, const char *text)
{
	if (text[0] == '\0')
		return;
	strbuf_addf(out, ",\"%s\":", name);
	strbuf_add_json(out, text);
}

static void
add_time(struct strbuf *out, const char *name, int64_t utc)
{
	char text[DATE_RFC3339_SIZE];

	if (utc == 0)
		return;
	date_format_rfc3339(utc, text);
	add_member(out, name, text);
}

static void
add_list(struct strbuf *out, const char *name, const char *const *items, size_t n)
{
	if (n == 0)
		return;
	strbuf_addf(out, ",\"%s\":[", name);
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			strbuf_addc(out, ',');
		strbuf_add_json(out, items[i]);
	}
	strbuf_addc(out, ']');
}

void
source_add_line(struct strbuf *out, const struct paper *p)
{
	strbuf_add(out, "{\"type\":\"paper\",\"key\":");
	strbuf_add_json(out, p->key);
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		const char *text;

		memcpy(&text, (const char *)p + texts[i].at, sizeof(text));
		add_member(out, texts[i].name, text);
	}
	add_member(out, "doi", p->doi);
	for (size_t i = 0; i < COUNT_OF(lists); i++) {
		const char **items;
		size_t n;

		memcpy(&items, (const char *)p + lists[i].items, sizeof(items));
		memcpy(&n, (const char *)p + lists[i].count, sizeof(n));
		add_list(out, lists[i].name, items, n);
	}
	if (p->primary_known)
		strbuf_add(out, ",\"primary_known\":true");
	if (p->version > 0)
		strbuf_addf(out, ",\"version\":%u", (unsigned)p->version);
	for (size_t i = 0; i < COUNT_OF(times); i++) {
		int64_t utc;

		memcpy(&utc, (const char *)p + times[i].at, sizeof(utc));
		add_time(out, times[i].name, utc);
	}
	for (size_t i = 0; i < COUNT_OF(counts); i++) {
		int64_t n;

		memcpy(&n, (const char *)p + counts[i].at, sizeof(n));
		if (n >= 0)
			strbuf_addf(out, ",\"%s\":%lld", counts[i].name, (long long)n);
	}
	add_member(out, "kind", kinds[p->kind]);
	add_time(out, "listed", (int64_t)p->listed_day * DAY_SECONDS);
	strbuf_add(out, "}\n");
}
