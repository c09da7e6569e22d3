/*
 * Our own form of papers: one JSON object a line, as digest-source(7) defines it. One table says for every member what
 * it is, how it is read and how it is written, so that what is written reads back.
 */
#include "fields.h"
#include "digest/date.h"
#include "digest/limits.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A key is a source's name and an id of its own. */
enum { MAX_ALIASES = 20, MAX_OWN_ID = 200, MAX_KEY = 500 };

enum form {
	FORM_TEXT,  /* LaTeX is read, unless the line says "tex": false */
	FORM_PLAIN, /* a name or code */
	FORM_URL,
	FORM_TEXTS,  /* a list of texts; one text alone stands for a list of one */
	FORM_TIME,   /* int64_t, seconds since 1970, 0 = unknown */
	FORM_COUNT,  /* int64_t, -1 = unknown */
	FORM_NUMBER, /* uint32_t, 0 = unknown */
	FORM_YES,    /* bool */
};

static const struct member {
	const char *name;
	enum form form;
	size_t at;
	size_t max;	 /* bytes of a text, entries of a list */
	size_t at_count; /* of a list */
} members[] = {
	{ "title", FORM_TEXT, offsetof(struct paper, title), MAX_TITLE_BYTES, 0 },
	{ "abstract", FORM_TEXT, offsetof(struct paper, abstract), MAX_ABSTRACT_BYTES, 0 },
	{ "summary", FORM_TEXT, offsetof(struct paper, summary), MAX_ABSTRACT_BYTES, 0 },
	{ "summary_by", FORM_PLAIN, offsetof(struct paper, summary_by), MAX_NAME_BYTES, 0 },
	{ "authors", FORM_TEXTS, offsetof(struct paper, authors), MAX_AUTHORS,
	    offsetof(struct paper, nauthors) },
	{ "org", FORM_TEXT, offsetof(struct paper, org), MAX_NAME_BYTES, 0 },
	{ "categories", FORM_TEXTS, offsetof(struct paper, categories), MAX_LIST,
	    offsetof(struct paper, ncategories) },
	{ "primary_known", FORM_YES, offsetof(struct paper, primary_known), 0, 0 },
	{ "keywords", FORM_TEXTS, offsetof(struct paper, keywords), MAX_LIST,
	    offsetof(struct paper, nkeywords) },
	{ "comment", FORM_TEXT, offsetof(struct paper, comment), MAX_TITLE_BYTES, 0 },
	{ "journal_ref", FORM_TEXT, offsetof(struct paper, journal_ref), MAX_TITLE_BYTES, 0 },
	{ "venue", FORM_TEXT, offsetof(struct paper, venue), MAX_NAME_BYTES, 0 },
	{ "language", FORM_PLAIN, offsetof(struct paper, language), MAX_NAME_BYTES, 0 },
	{ "url", FORM_URL, offsetof(struct paper, url), 0, 0 },
	{ "html_url", FORM_URL, offsetof(struct paper, html_url), 0, 0 },
	{ "pdf_url", FORM_URL, offsetof(struct paper, pdf_url), 0, 0 },
	{ "code_url", FORM_URL, offsetof(struct paper, code_url), 0, 0 },
	{ "project_url", FORM_URL, offsetof(struct paper, project_url), 0, 0 },
	{ "discussion_url", FORM_URL, offsetof(struct paper, discussion_url), 0, 0 },
	{ "thumbnail_url", FORM_URL, offsetof(struct paper, thumbnail_url), 0, 0 },
	{ "media_url", FORM_URL, offsetof(struct paper, media_url), 0, 0 },
	{ "version", FORM_NUMBER, offsetof(struct paper, version), 0, 0 },
	{ "published", FORM_TIME, offsetof(struct paper, published_utc), 0, 0 },
	{ "updated", FORM_TIME, offsetof(struct paper, updated_utc), 0, 0 },
	{ "withdrawn", FORM_TIME, offsetof(struct paper, withdrawn_utc), 0, 0 },
	{ "votes", FORM_COUNT, offsetof(struct paper, votes), 0, 0 },
	{ "comments", FORM_COUNT, offsetof(struct paper, comments), 0, 0 },
	{ "stars", FORM_COUNT, offsetof(struct paper, stars), 0, 0 },
	{ "rank", FORM_NUMBER, offsetof(struct paper, rank), 0, 0 },
};

enum { NMEMBERS = sizeof(members) / sizeof(members[0]) };

static const char *const kinds[] = {
	[PAPER_NEW] = "new",
	[PAPER_CROSS] = "cross",
	[PAPER_REPLACE] = "replace",
	[PAPER_REPLACE_CROSS] = "replace-cross",
};

enum { NKINDS = sizeof(kinds) / sizeof(kinds[0]) };

/* One line on its way to a paper. */
struct line {
	struct fields *f;
	const char *source; /* NULL = an import */
	const json_t *object;
	struct paper *paper;
	bool latex;
	char why[200]; /* what is wrong with it */
};

static int
fault(struct line *l, const char *name, const char *wanted)
{
	snprintf(l->why, sizeof(l->why), "%s: expected %s", name, wanted);
	return -1;
}

static const char *
read_text(struct line *l, const json_t *value, bool latex, size_t max)
{
	const char *text = json_string_value(value);
	size_t len = json_string_length(value);

	return latex ? field_latex(l->f, text, len, max) : field_plain(l->f, text, len, max);
}

static int
read_text_member(struct line *l, const struct member *m, const json_t *value, void *at)
{
	const char *text;

	if (!json_is_string(value))
		return fault(l, m->name, "a string");
	if (m->form == FORM_URL)
		text = field_url(l->f, json_string_value(value));
	else
		text = read_text(l, value, m->form == FORM_TEXT && l->latex, m->max);
	memcpy(at, &text, sizeof(text));
	return 0;
}

static int
read_texts(struct line *l, const struct member *m, const json_t *value, void *at)
{
	size_t size = json_is_string(value) ? 1 : json_array_size(value), n = 0;
	const char **items;

	if (!json_is_string(value) && !json_is_array(value))
		return fault(l, m->name, "a list of strings");
	if (size > m->max)
		size = m->max;
	if ((items = arena_array(l->f->arena, size, sizeof(*items))) == NULL) {
		l->f->nomem = true;
		return 0;
	}
	for (size_t i = 0; i < size; i++) {
		const json_t *item = json_is_string(value) ? value : json_array_get(value, i);
		const char *text;

		if (!json_is_string(item))
			return fault(l, m->name, "a list of strings");
		text = read_text(l, item, l->latex, MAX_NAME_BYTES);
		if (text[0] != '\0')
			items[n++] = text;
	}
	memcpy(at, &items, sizeof(items));
	memcpy((char *)l->paper + m->at_count, &n, sizeof(n));
	return 0;
}

static int
read_time(struct line *l, const struct member *m, const json_t *value, void *at)
{
	int64_t utc;

	if (!json_is_string(value) || date_parse(json_string_value(value), &utc, NULL) == -1)
		return fault(l, m->name, "a time like 2026-08-21T06:45:00Z or a day");
	memcpy(at, &utc, sizeof(utc));
	return 0;
}

static int
read_count(struct line *l, const struct member *m, const json_t *value, void *at)
{
	int64_t n;

	(void)value;
	if (!json_get_int64(l->object, m->name, &n) || n < 0)
		return fault(l, m->name, "a whole number, 0 or more");
	memcpy(at, &n, sizeof(n));
	return 0;
}

static int
read_number(struct line *l, const struct member *m, const json_t *value, void *at)
{
	int64_t n;
	uint32_t small;

	(void)value;
	if (!json_get_int64(l->object, m->name, &n) || n < 0 || n > UINT32_MAX)
		return fault(l, m->name, "a whole number, 0 or more");
	small = (uint32_t)n;
	memcpy(at, &small, sizeof(small));
	return 0;
}

static int
read_yes(struct line *l, const struct member *m, const json_t *value, void *at)
{
	bool yes = json_is_true(value);

	if (!json_is_boolean(value))
		return fault(l, m->name, "true or false");
	memcpy(at, &yes, sizeof(yes));
	return 0;
}

static int (*const readers[])(struct line *, const struct member *, const json_t *, void *) = {
	[FORM_TEXT] = read_text_member,
	[FORM_PLAIN] = read_text_member,
	[FORM_URL] = read_text_member,
	[FORM_TEXTS] = read_texts,
	[FORM_TIME] = read_time,
	[FORM_COUNT] = read_count,
	[FORM_NUMBER] = read_number,
	[FORM_YES] = read_yes,
};

static int
read_members(struct line *l)
{
	for (size_t i = 0; i < NMEMBERS; i++) {
		const struct member *m = &members[i];
		const json_t *value = json_object_get(l->object, m->name);

		if (value != NULL && !json_is_null(value) &&
		    readers[m->form](l, m, value, (char *)l->paper + m->at) == -1)
			return -1;
	}
	return 0;
}

/* A member that is a string if it is there at all; "" = it is not. */
static int
read_string(struct line *l, const char *name, size_t max_bytes, const char **out)
{
	const json_t *value = json_object_get(l->object, name);

	*out = "";
	if (value == NULL || json_is_null(value))
		return 0;
	if (!json_is_string(value))
		return fault(l, name, "a string");
	*out = read_text(l, value, false, max_bytes);
	return 0;
}

static int
read_kind(struct line *l)
{
	const char *text;

	if (read_string(l, "kind", MAX_NAME_BYTES, &text) == -1)
		return -1;
	if (text[0] == '\0')
		return 0;
	for (size_t i = 0; i < NKINDS; i++)
		if (strcmp(text, kinds[i]) == 0) {
			l->paper->kind = (enum paper_kind)i;
			return 0;
		}
	return fault(l, "kind", "new, cross, replace or replace-cross");
}

/* Without a day of its own a paper counts as listed when it was published, else today; an old list that is imported has
 * no news of today. */
static int
read_listed(struct line *l, int64_t now_utc)
{
	const json_t *value = json_object_get(l->object, "listed");
	int64_t utc = l->source != NULL ? now_utc : 0;

	if (l->paper->published_utc != 0)
		utc = l->paper->published_utc;

	if (value != NULL && !json_is_null(value) &&
	    (!json_is_string(value) || date_parse(json_string_value(value), &utc, NULL) == -1))
		return fault(l, "listed", "a day like 2026-08-21");
	l->paper->listed_day = field_day(utc);
	return 0;
}

/* A text that may be an id or a key as it stands: one word of printable characters. */
static bool
is_one_word(const char *text, size_t max_bytes)
{
	if (text[0] == '\0' || strlen(text) > max_bytes)
		return false;
	for (const char *s = text; *s != '\0'; s++)
		if ((unsigned char)*s <= ' ' || *s == 0x7f)
			return false;
	return true;
}

static void
add_alias(struct line *l, const char *key)
{
	struct paper *p = l->paper;

	if (key == NULL || strcmp(key, p->key) == 0 || p->naliases == MAX_ALIASES)
		return;
	for (size_t i = 0; i < p->naliases; i++)
		if (strcmp(p->aliases[i], key) == 0)
			return;
	p->aliases[p->naliases++] = key;
}

/* The members that may name the work, the best first, and what each of them says. */
struct names {
	const char *key, *id, *doi, *url;	      /* as written */
	const char *of_key, *of_id, *of_doi, *of_url; /* as keys, NULL = none */
	uint32_t version;
};

static int
read_names(struct line *l, struct names *n)
{
	uint32_t versions[2] = { 0, 0 };

	if (read_string(l, "key", MAX_URL_BYTES, &n->key) == -1 ||
	    read_string(l, "id", MAX_URL_BYTES, &n->id) == -1 ||
	    read_string(l, "doi", MAX_URL_BYTES, &n->doi) == -1)
		return -1;
	n->url = l->paper->url;
	n->of_key = field_key(l->f, n->key, &versions[0]);
	n->of_id = field_key(l->f, n->id, &versions[1]);
	n->of_doi = field_key(l->f, n->doi, NULL);
	n->of_url = field_key(l->f, n->url, NULL);
	n->version = versions[0] > 0 ? versions[0] : versions[1];
	return 0;
}

/* A key of another source stands as it is ("acl:2026.x-1"); an id that is no arXiv id or DOI is the source's own. */
static int
choose_key(struct line *l, const struct names *n)
{
	struct paper *p = l->paper;

	if (n->of_key != NULL || n->of_id != NULL)
		p->key = n->of_key != NULL ? n->of_key : n->of_id;
	else if (n->key[0] != '\0' && is_one_word(n->key, MAX_KEY) && strchr(n->key, ':') != NULL)
		p->key = n->key;
	else if (n->key[0] != '\0')
		return fault(l, "key", "an arXiv id, a DOI or source:id without blanks");
	else if (n->id[0] != '\0' && is_one_word(n->id, MAX_OWN_ID))
		p->key = arena_printf(l->f->arena, "%s:%s", p->source, n->id);
	else if (n->id[0] != '\0')
		return fault(l, "id", "one word of at most 200 bytes");
	else if (n->of_doi != NULL || n->of_url != NULL)
		p->key = n->of_doi != NULL ? n->of_doi : n->of_url;
	else
		return fault(l, "id is missing", "an arXiv id, a DOI or an id of your own");
	if (p->key == NULL) {
		l->f->nomem = true;
		p->key = "";
	}
	return 0;
}

static int
read_aliases(struct line *l, const struct names *n)
{
	const json_t *list = json_object_get(l->object, "aliases");

	if (list != NULL && !json_is_null(list) && !json_is_array(list))
		return fault(l, "aliases", "a list of keys");
	l->paper->aliases = arena_array(l->f->arena, MAX_ALIASES, sizeof(const char *));
	if (l->paper->aliases == NULL) {
		l->f->nomem = true;
		return 0;
	}
	for (size_t i = 0; i < json_array_size(list) && i < MAX_ALIASES; i++) {
		const json_t *item = json_array_get(list, i);
		const char *text = read_text(l, item, false, MAX_URL_BYTES);
		const char *key = field_key(l->f, text, NULL);

		if (key == NULL && (!is_one_word(text, MAX_KEY) || strchr(text, ':') == NULL))
			return fault(l, "aliases", "a list of keys");
		add_alias(l, key != NULL ? key : text);
	}
	add_alias(l, n->of_id);
	add_alias(l, n->of_doi);
	add_alias(l, n->of_url);
	return 0;
}

/* Links that follow from the key where the line has none: a paper that cannot be opened is of little use. */
static void
add_links(struct line *l)
{
	struct paper *p = l->paper;
	struct arena *a = l->f->arena;

	if (p->url[0] != '\0')
		return;
	if (strncmp(p->key, "arxiv:", 6) == 0) {
		p->url = arena_printf(a, "https://arxiv.org/abs/%s", p->key + 6);
		if (p->pdf_url[0] == '\0')
			p->pdf_url = arena_printf(a, "https://arxiv.org/pdf/%s", p->key + 6);
	} else if (strncmp(p->key, "doi:", 4) == 0) {
		p->url = arena_printf(a, "https://doi.org/%s", p->key + 4);
	}
	l->f->nomem |= p->url == NULL || p->pdf_url == NULL;
}

static int
read_identity(struct line *l)
{
	struct paper *p = l->paper;
	struct names n;

	if (read_names(l, &n) == -1 || choose_key(l, &n) == -1 || read_aliases(l, &n) == -1)
		return -1;
	/* The DOIs of arXiv were folded into its keys; what else a DOI may be is not one. */
	if (n.of_doi != NULL && strncmp(n.of_doi, "doi:", 4) == 0)
		p->doi = n.of_doi + 4;
	else if (n.of_doi != NULL)
		p->doi = n.doi;
	else if (n.doi[0] != '\0')
		return fault(l, "doi", "a DOI like 10.1000/xyz");
	if (p->version == 0)
		p->version = n.version;
	return 0;
}

/* The source whose listing the line is. */
static int
read_source(struct line *l)
{
	const char *named;

	if (read_string(l, "source", MAX_NAME_BYTES, &named) == -1)
		return -1;
	if (l->source != NULL)
		l->paper->source = l->source;
	else
		l->paper->source = named[0] != '\0' ? named : SOURCE_IMPORT;
	return 0;
}

/* Whether the texts of a line hold LaTeX. */
static int
read_latex(struct line *l)
{
	const json_t *value = json_object_get(l->object, "tex");

	l->latex = true;
	if (value == NULL || json_is_null(value))
		return 0;
	if (!json_is_boolean(value))
		return fault(l, "tex", "true or false");
	l->latex = json_is_true(value);
	return 0;
}

/* 1 = a paper, 0 = a record of another type, -1 = broken. */
static int
read_object(struct line *l, int64_t now_utc)
{
	const char *type;

	if (!json_is_object(l->object))
		return fault(l, "not an object", "{\"id\": ..., \"title\": ...}");
	if (read_string(l, "type", MAX_NAME_BYTES, &type) == -1)
		return -1;
	if (type[0] != '\0' && strcmp(type, "paper") != 0)
		return 0;
	if (read_latex(l) == -1 || read_members(l) == -1 || read_source(l) == -1 ||
	    read_kind(l) == -1 || read_listed(l, now_utc) == -1)
		return -1;
	if (l->paper->title[0] == '\0')
		return fault(l, "title is missing or empty", "a string");
	if (read_identity(l) == -1)
		return -1;
	add_links(l);
	return 1;
}

/* jansson counts lines too, but this one is all it sees. */
static const char *
without_line(const char *message)
{
	static const char first[] = "JSON line 1, ";

	return strncmp(message, first, sizeof(first) - 1) == 0 ? message + sizeof(first) - 1
							       : message;
}

static void
take_line(struct fields *f, const char *source, const char *bytes, size_t len, size_t number,
    int64_t now_utc, struct source_batch *out)
{
	struct line l = { .f = f, .source = source };
	struct error err = { 0 };
	json_t *object = NULL;
	int rc = -1;

	if (fields_read_json(f, bytes, len, MAX_JSON_LINE, &object, &err) == -1) {
		batch_add_broken(out, "line %zu: %s", number, without_line(err.msg));
		return;
	}
	l.object = object;
	if ((l.paper = paper_new(f->arena)) == NULL)
		f->nomem = true;
	else
		rc = read_object(&l, now_utc);
	if (rc == 1)
		out->papers[out->npapers++] = l.paper;
	else if (rc == -1 && !f->nomem)
		batch_add_broken(out, "line %zu: %s", number, l.why);
	json_decref(object);
}

static bool
is_blank(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i] != ' ' && bytes[i] != '\t' && bytes[i] != '\r')
			return false;
	return true;
}

static size_t
count_lines(const char *bytes, size_t len)
{
	size_t n = 1;

	for (size_t i = 0; i < len; i++)
		n += bytes[i] == '\n';
	return n;
}

int
source_read_lines(const char *source, const char *bytes, size_t len, int64_t now_utc,
    struct arena *a, struct source_batch *out, struct error *err)
{
	struct source_batch batch = { 0 };
	const char *end = bytes + len, *name = source != NULL ? arena_strdup(a, source) : NULL;
	size_t number = 1;
	struct fields f;

	if (len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
		bytes += 3;
	fields_init(&f, a);
	batch.papers =
	    arena_array(a, count_lines(bytes, (size_t)(end - bytes)), sizeof(struct paper *));
	f.nomem = (source != NULL && name == NULL) || batch.papers == NULL;
	while (bytes < end && !f.nomem) {
		const char *eol = memchr(bytes, '\n', (size_t)(end - bytes));
		size_t n = (size_t)((eol != NULL ? eol : end) - bytes);

		if (!is_blank(bytes, n))
			take_line(&f, name, bytes, n, number, now_utc, &batch);
		number++;
		bytes += n + (eol != NULL);
	}
	batch.nreplaced = f.nreplaced;
	fields_release(&f);
	if (f.nomem)
		return err_nomem(err, "papers");
	*out = batch;
	return 0;
}

static void
add_name(struct strbuf *out, const char *name)
{
	strbuf_addf(out, ",\"%s\":", name);
}

static void
add_text(struct strbuf *out, const char *name, const char *text)
{
	if (text[0] == '\0')
		return;
	add_name(out, name);
	strbuf_add_json(out, text);
}

static void
add_texts(struct strbuf *out, const char *name, const char **items, size_t n)
{
	if (n == 0)
		return;
	add_name(out, name);
	for (size_t i = 0; i < n; i++) {
		strbuf_addc(out, i == 0 ? '[' : ',');
		strbuf_add_json(out, items[i]);
	}
	strbuf_addc(out, ']');
}

static void
add_time(struct strbuf *out, const char *name, int64_t utc)
{
	char text[DATE_RFC3339_SIZE];

	if (utc == 0)
		return;
	date_format_rfc3339(utc, text);
	add_text(out, name, text);
}

static void
add_number(struct strbuf *out, const char *name, int64_t n)
{
	add_name(out, name);
	strbuf_addf(out, "%" PRId64, n);
}

/* Members that are unknown are left out, as reading gives them back so. */
static void
add_member(struct strbuf *out, const struct member *m, const struct paper *p)
{
	const char *at = (const char *)p + m->at;
	union {
		const char *text;
		const char **texts;
		int64_t n;
		uint32_t small;
		bool yes;
	} v;
	size_t count;

	switch (m->form) {
	case FORM_TEXT:
	case FORM_PLAIN:
	case FORM_URL:
		memcpy(&v.text, at, sizeof(v.text));
		add_text(out, m->name, v.text);
		break;
	case FORM_TEXTS:
		memcpy(&v.texts, at, sizeof(v.texts));
		memcpy(&count, (const char *)p + m->at_count, sizeof(count));
		add_texts(out, m->name, v.texts, count);
		break;
	case FORM_TIME:
		memcpy(&v.n, at, sizeof(v.n));
		add_time(out, m->name, v.n);
		break;
	case FORM_COUNT:
		memcpy(&v.n, at, sizeof(v.n));
		if (v.n >= 0)
			add_number(out, m->name, v.n);
		break;
	case FORM_NUMBER:
		memcpy(&v.small, at, sizeof(v.small));
		if (v.small > 0)
			add_number(out, m->name, v.small);
		break;
	case FORM_YES:
		memcpy(&v.yes, at, sizeof(v.yes));
		if (v.yes)
			strbuf_addf(out, ",\"%s\":true", m->name);
		break;
	}
}

void
source_add_line(struct strbuf *out, const struct paper *p)
{
	char day[DATE_RFC3339_SIZE];

	/* Reading LaTeX twice could take a '$' for the beginning of mathematics. */
	strbuf_add(out, "{\"type\":\"paper\",\"tex\":false");
	add_text(out, "key", p->key);
	add_texts(out, "aliases", p->aliases, p->naliases);
	for (size_t i = 0; i < NMEMBERS; i++)
		add_member(out, &members[i], p);
	add_text(out, "doi", p->doi);
	add_text(out, "source", p->source);
	add_text(out, "kind", kinds[p->kind]);
	if (p->listed_day != 0) {
		date_format_day(p->listed_day, day);
		add_text(out, "listed", day);
	}
	strbuf_add(out, "}\n");
}
