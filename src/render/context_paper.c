#include "render/escape.h"
#include "render/parts.h"
#include "digest/date.h"
#include "digest/limits.h"
#include "digest/text.h"
#include "digest/utf8.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { MAX_PHRASE = 16 * 1024, MAX_ALSO_IN = 3, MAX_WHY_WIDTH = 160 };

const char *
context_keep(const struct context *c, struct strbuf *sb)
{
	const char *text = NULL;

	if (sb->state == STRBUF_OK)
		text = arena_strndup(c->a, sb->buf, sb->len);
	strbuf_release(sb);
	return text;
}

void
context_set_text(const struct context *c, struct value *object, const char *member, const char *key,
    const struct word *words)
{
	struct strbuf sb;

	strbuf_init(&sb, MAX_PHRASE);
	strings_add(&sb, c->words, key, words);
	value_set_string(c->a, object, member, context_keep(c, &sb));
}

void
context_set_count(const struct context *c, struct value *object, const char *member,
    const char *key, int64_t n, const struct word *words)
{
	struct strbuf sb;

	strbuf_init(&sb, MAX_PHRASE);
	strings_add_count(&sb, c->words, key, n, words);
	value_set_string(c->a, object, member, context_keep(c, &sb));
}

/* Sources clean their texts; what reaches a mail is looked at again, because it costs little. */
static bool
is_clean(const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0, n; i < len; i += n) {
		uint32_t cp;

		if ((n = utf8_plain_run(text + i, len - i)) > 0)
			continue;
		n = utf8_decode(text + i, len - i, &cp);
		if (n == 0 || cp < 0x20 || (cp >= 0x7f && cp < 0xa0) ||
		    (cp >= 0x2028 && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069) ||
		    cp == 0x200e || cp == 0x200f || cp == 0x061c)
			return false;
	}
	return true;
}

const char *
context_clean(const struct context *c, const char *text)
{
	struct strbuf sb;

	if (is_clean(text))
		return text;
	strbuf_init(&sb, MAX_ABSTRACT_BYTES + 16);
	text_add_clean(&sb, text, strlen(text), MAX_ABSTRACT_BYTES);
	return context_keep(c, &sb);
}

size_t
context_cut(const char *text, size_t max_bytes, size_t max_width)
{
	size_t len = strlen(text), end = text_cut(text, len, max_bytes, max_width), word = end;

	if (end == len)
		return len;
	while (word > 0 && text[word] != ' ')
		word--;
	if (word > end / 2)
		end = word;
	while (end > 0 && strchr(" ,;:-", text[end - 1]) != NULL)
		end--;
	return end;
}

const char *
context_shorten(const struct context *c, const char *text, size_t len)
{
	static const char dots[] = "…";
	char *kept = arena_alloc(c->a, len + sizeof(dots));

	if (kept != NULL) {
		memcpy(kept, text, len);
		memcpy(kept + len, dots, sizeof(dots));
	}
	return kept;
}

struct value *
context_list(const struct context *c, const struct list_view *list)
{
	struct value *v = value_object(c->a);

	value_set_string(c->a, v, "name", context_clean(c, list->name));
	value_set_string(c->a, v, "id", list->id);
	value_set_string(c->a, v, "address", list->address);
	value_set_string(c->a, v, "postal_address", context_clean(c, list->postal_address));
	value_set_string(c->a, v, "base_url", list->base_url);
	value_set_bool(c->a, v, "thumbnails", list->thumbnails);
	return v;
}

/* The direction of the first letter that has one (Unicode TR 9, rule P2), as far as papers need it. */
static bool
is_rtl(const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0, n; i < len; i += n) {
		uint32_t cp;

		n = utf8_decode(text + i, len - i, &cp);
		if (n == 0)
			return false;
		if ((cp >= 0x5be && cp <= 0x8ff) || (cp >= 0xfb1d && cp <= 0xfdff) ||
		    (cp >= 0xfe70 && cp <= 0xfefc) || (cp >= 0x10800 && cp <= 0x10fff) ||
		    (cp >= 0x1e800 && cp <= 0x1efff))
			return true;
		if ((cp >= 'A' && cp <= 'Z') || (cp >= 'a' && cp <= 'z') || cp >= 0xc0)
			return false;
	}
	return false;
}

/* lang and dir are set only where they differ from those of the whole digest. */
static void
set_language(const struct context *c, struct value *v, const struct paper *p)
{
	const char *lang = p->language[0] != '\0' ? p->language : text_script_language(p->title);
	const char *dir = is_rtl(p->title) ? "rtl" : "ltr";

	if (lang[0] == '\0')
		lang = "en";
	value_set_string(
	    c->a, v, "lang", strcmp(lang, strings_get(c->words, "lang")) == 0 ? "" : lang);
	value_set_string(c->a, v, "dir", strcmp(dir, strings_get(c->words, "dir")) == 0 ? "" : dir);
}

/* "First … Last (12 authors)", and the list of them. */
static void
set_authors(const struct context *c, struct value *v, const struct paper *p)
{
	size_t n = p->nauthors;
	const char *first = n > 0 ? context_clean(c, p->authors[0]) : "";
	const char *last = n > 0 ? context_clean(c, p->authors[n - 1]) : "";
	struct value *all = value_list(c->a);

	if (n < 2 || first == NULL || last == NULL)
		value_set_string(c->a, v, "authors", last != NULL ? first : NULL);
	else
		context_set_count(c, v, "authors", n == 2 ? "authors-two" : "authors-many",
		    (int64_t)n,
		    (const struct word[]){ { "first", first }, { "last", last }, { NULL, NULL } });
	for (size_t i = 0; i < n && i < MAX_LIST; i++)
		value_append(c->a, all, value_string(c->a, context_clean(c, p->authors[i])));
	value_set(c->a, v, "authors_full", all);
	value_set_number(c->a, v, "n_authors", (int64_t)n);
}

/*
 * A piece of one of a paper's texts, in which found words may be marked. Marks count bytes of the text as the paper has it:
 * where that had to be cleaned they would fall elsewhere, and none is set.
 */
static void
set_marked(const struct context *c, struct value *v, const char *member, const char *piece,
    bool is_own, const struct value_origin *from)
{
	value_set(c->a, v, member,
	    is_own ? value_string_from(c->a, piece, from) : value_string(c->a, piece));
}

static void
set_title(const struct context *c, struct value *v, const struct paper *p)
{
	const char *title = context_clean(c, p->title);

	value_set_string(c->a, v, "title", title);
	set_marked(c, v, "marked_title", title, title == p->title,
	    &(struct value_origin){ .text = PAPER_TITLE });
}

/* What stands behind the lead: the abstract from `start` on, with dots where the lead broke off and where it is too long. */
static void
set_rest(const struct context *c, struct value *v, const char *abstract, size_t start, bool goes_on,
    bool is_own)
{
	const char *rest = abstract + start, *before = goes_on ? "… " : "";
	size_t len = strlen(rest), n = len;

	if (len > MAX_CARD_REST)
		n = context_cut(rest, MAX_CARD_REST, MAX_CARD_REST);
	if (goes_on || n < len)
		rest = arena_printf(c->a, "%s%.*s%s", before, (int)n, rest, n < len ? "…" : "");
	value_set_string(c->a, v, "rest", rest);
	set_marked(c, v, "marked_rest", rest, is_own,
	    &(struct value_origin){ .text = PAPER_ABSTRACT,
		.before = strlen(before),
		.after = n < len ? strlen("…") : 0,
		.start = start });
}

/* "AI summary (Inkling-Small)", without the owner that stands before a model's name. */
static void
set_lead_label(const struct context *c, struct value *v, const char *by)
{
	const char *slash = strrchr(by, '/');
	const char *who = slash != NULL && slash[1] != '\0' ? slash + 1 : by;

	context_set_text(c, v, "lead_label", strcmp(by, "AI") == 0 ? "summary-ai" : "summary-by",
	    (const struct word[]){ { "who", who }, { NULL, NULL } });
}

/*
 * The sentence a card begins with: the source's summary with who wrote it, else the beginning of the abstract; and
 * the abstract, or what is left of it.
 */
static void
set_abstract(const struct context *c, struct value *v, const struct paper *p)
{
	static const char dots[] = "…";
	const char *abstract = context_clean(c, p->abstract),
		   *summary = context_clean(c, p->summary);
	const char *by = context_clean(c, p->summary_by), *text, *lead;
	bool summed_up;
	size_t whole, n, start = 0;

	if (abstract == NULL || summary == NULL || by == NULL) {
		value_set(c->a, v, "lead", NULL);
		return;
	}
	value_set_string(c->a, v, "abstract", abstract);
	value_set_string(c->a, v, "summary", summary);
	value_set_string(c->a, v, "summary_by", by);
	summed_up = summary[0] != '\0';
	text = summed_up ? summary : abstract;
	whole = summed_up ? strlen(text) : text_first_sentence(text, strlen(text));
	n = whole <= MAX_CARD_LEAD ? whole : context_cut(text, MAX_CARD_LEAD, MAX_CARD_LEAD);
	lead = n < whole ? arena_printf(c->a, "%.*s%s", (int)n, text, dots)
			 : arena_strndup(c->a, text, n);
	value_set_string(c->a, v, "lead", lead);
	set_marked(c, v, "marked_lead", lead, text == p->summary || text == p->abstract,
	    &(struct value_origin){ .text = summed_up ? PAPER_SUMMARY : PAPER_ABSTRACT,
		.after = n < whole ? strlen(dots) : 0 });
	if (!summed_up)
		start = n + strspn(abstract + n, " ");
	set_rest(c, v, abstract, start, !summed_up && n < whole, abstract == p->abstract);
	if (summed_up && by[0] != '\0')
		set_lead_label(c, v, by);
	else
		value_set_string(c->a, v, "lead_label", "");
}

/* A link as it may stand in a mail; "" when it may not. */
static const char *
clean_url(const struct context *c, const char *url)
{
	struct strbuf sb;

	strbuf_init(&sb, 3 * MAX_URL_BYTES);
	render_add_url(&sb, url);
	if (strcmp(sb.buf, "#") == 0)
		strbuf_reset(&sb);
	return context_keep(c, &sb);
}

static void
set_date(const struct context *c, struct value *v, int64_t utc)
{
	char day[DATE_RFC3339_SIZE] = "";
	struct strbuf sb;

	strbuf_init(&sb, MAX_PHRASE);
	if (utc > 0 && utc < INT64_C(253402300800)) { /* the year 10000 */
		date_format_day((int32_t)(utc / 86400), day);
		strings_add_date(&sb, c->words, "date", (int32_t)(utc / 86400));
	}
	value_set_string(c->a, v, "published", arena_strdup(c->a, day));
	value_set_string(c->a, v, "published_text", context_keep(c, &sb));
}

/* One part of a line with separators; sep: something stands before it. NULL label = memory was short. */
static void
add_part(const struct context *c, struct value *parts, const char *label, const char *url)
{
	struct value *part = value_object(c->a);

	if (label != NULL && label[0] == '\0')
		return;
	value_set_bool(c->a, part, "sep", value_count(parts) > 0);
	value_set_string(c->a, part, "label", label);
	value_set_string(c->a, part, "url", url);
	value_append(c->a, parts, part);
}

/* "12 votes · 3 comments" */
static const char *
signals_text(const struct context *c, const struct paper *p)
{
	struct strbuf sb;

	strbuf_init(&sb, MAX_PHRASE);
	if (p->votes > 0)
		strings_add_count(&sb, c->words, "votes", p->votes, NULL);
	if (p->votes > 0 && p->comments > 0)
		strbuf_add(&sb, " · ");
	if (p->comments > 0)
		strings_add_count(&sb, c->words, "comments", p->comments, NULL);
	return context_keep(c, &sb);
}

static const char *
code_label(const struct context *c, const struct paper *p)
{
	struct strbuf sb;

	strbuf_init(&sb, MAX_PHRASE);
	if (p->stars > 0)
		strings_add_count(&sb, c->words, "code-stars", p->stars, NULL);
	else
		strings_add(&sb, c->words, "code", NULL);
	return context_keep(c, &sb);
}

/* The members url, html_url ... and the list that a card shows. */
static void
set_links(const struct context *c, struct value *v, const struct paper *p)
{
	const struct {
		const char *member, *label, *url;
	} table[] = {
		{ "discussion_url", signals_text(c, p), p->discussion_url },
		{ "url", strings_get(c->words, "abs"), p->url },
		{ "html_url", strings_get(c->words, "html"), p->html_url },
		{ "pdf_url", strings_get(c->words, "pdf"), p->pdf_url },
		{ "code_url", code_label(c, p), p->code_url },
		{ "project_url", strings_get(c->words, "project"), p->project_url },
	};
	struct value *links = value_list(c->a);

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const char *url = clean_url(c, table[i].url), *label = table[i].label;

		value_set_string(c->a, v, table[i].member, url);
		if (i == 0 && label != NULL && label[0] == '\0' && url != NULL && url[0] != '\0')
			label = strings_get(c->words, "discussion");
		if ((url == NULL || url[0] != '\0') ||
		    (i == 0 && label != NULL && label[0] != '\0'))
			add_part(c, links, label, url);
	}
	/* Fetched by itself when the mail is opened: never in the clear. */
	value_set_string(c->a, v, "thumbnail",
	    strncasecmp(p->thumbnail_url, "https://", 8) == 0 ? clean_url(c, p->thumbnail_url)
							      : "");
	value_set(c->a, v, "links", links);
}

static void
set_signal(const struct context *c, struct value *v, const char *member, int64_t n)
{
	value_set(c->a, v, member, n >= 0 ? value_number(c->a, n) : value_null(c->a));
}

struct value *
context_paper(const struct context *c, const struct paper *p)
{
	struct value *v = value_object(c->a), *categories = value_list(c->a);

	value_set_string(c->a, v, "id", p->key);
	set_title(c, v, p);
	set_language(c, v, p);
	set_authors(c, v, p);
	value_set_string(c->a, v, "org", context_clean(c, p->org));
	set_abstract(c, v, p);
	set_links(c, v, p);
	set_signal(c, v, "votes", p->votes);
	set_signal(c, v, "comments", p->comments);
	set_signal(c, v, "stars", p->stars);
	set_date(c, v, p->published_utc);
	for (size_t i = 0; i < p->ncategories; i++)
		value_append(
		    c->a, categories, value_string(c->a, context_clean(c, p->categories[i])));
	value_set(c->a, v, "categories", categories);
	value_set_string(c->a, v, "comment", context_clean(c, p->comment));
	value_set_string(c->a, v, "venue", context_clean(c, p->venue));
	value_set_string(c->a, v, "doi", context_clean(c, p->doi));
	value_set_number(c->a, v, "version", p->version);
	value_set_bool(c->a, v, "withdrawn", p->withdrawn_utc != 0);
	return v;
}

/* "in Radiance fields: gaussian splatting", or "matches gaussian splatting" where no filter of a name found it */
static const char *
why_text(const struct context *c, const char *filter, const char *why)
{
	size_t n = context_cut(why, MAX_PHRASE / 2, MAX_WHY_WIDTH);
	bool has_name = strcmp(filter, DEFAULT_FILTER_NAME) != 0; /* a person gave it */
	const char *words, *name = has_name ? context_clean(c, filter) : "";
	struct strbuf sb;

	if (n == 0)
		return "";
	words = why[n] != '\0' ? context_shorten(c, why, n) : why;
	if (words == NULL || name == NULL)
		return NULL;
	strbuf_init(&sb, MAX_PHRASE);
	strings_add(&sb, c->words, name[0] != '\0' ? "why-in" : "why",
	    (const struct word[]){ { "words", words }, { "filter", name }, { NULL, NULL } });
	return context_keep(c, &sb);
}

/* "also in Robots, Agents, Vision and 2 more" */
static const char *
also_in_text(const struct context *c, const struct pick_view *pick)
{
	struct strbuf names, sb;

	if (pick->nalso_in == 0)
		return "";
	strbuf_init(&names, MAX_PHRASE / 2);
	strbuf_init(&sb, MAX_PHRASE);
	for (size_t i = 0; i < pick->nalso_in && i < MAX_ALSO_IN; i++) {
		const char *name = context_clean(c, pick->also_in[i]);

		strbuf_add(&names, i > 0 ? ", " : "");
		if (name != NULL)
			strbuf_addn(&names, name, text_cut(name, strlen(name), MAX_NAME_BYTES, 60));
	}
	if (pick->nalso_in <= MAX_ALSO_IN)
		strings_add(&sb, c->words, "also-in",
		    (const struct word[]){ { "names", names.buf }, { NULL, NULL } });
	else
		strings_add_count(&sb, c->words, "also-in-more",
		    (int64_t)(pick->nalso_in - MAX_ALSO_IN),
		    (const struct word[]){ { "names", names.buf }, { NULL, NULL } });
	strbuf_release(&names);
	return context_keep(c, &sb);
}

struct strip *
context_strip(const struct context *c, const struct pick_view *pick, const char *filter)
{
	const char *why = context_clean(c, pick->why);
	const char *parts[MAX_STRIP] = {
		pick->replaced ? strings_get(c->words, "replaced") : "",
		pick->risen ? strings_get(c->words, "risen") : "",
		why != NULL ? why_text(c, filter, why) : NULL,
		also_in_text(c, pick),
	};
	struct strip *strip = arena_zalloc(c->a, sizeof(*strip));

	for (size_t i = 0; i < MAX_STRIP && strip != NULL; i++) {
		if (parts[i] == NULL) {
			c->a->failed = true;
			return NULL;
		}
		if (parts[i][0] != '\0')
			strip->parts[strip->n++] = parts[i];
	}
	return strip;
}

/* What the members of a pick are made from, when a digest template asks for one. */
struct pick_base {
	struct context c;
	const struct pick_view *pick;
	const char *filter;
};

static struct value *
make_paper(void *arg)
{
	const struct pick_base *base = arg;

	return context_paper(&base->c, base->pick->paper);
}

/* Why the paper is there, in parts and as a strip. */
static struct value *
make_reasons(void *arg)
{
	const struct pick_base *base = arg;
	const struct context *c = &base->c;
	const struct pick_view *pick = base->pick;
	struct value *v = value_object(c->a), *also_in = value_list(c->a);
	struct value *parts = value_list(c->a);
	const struct strip *strip = context_strip(c, pick, base->filter);

	value_set_string(c->a, v, "why", context_clean(c, pick->why));
	for (size_t i = 0; i < pick->nalso_in; i++)
		value_append(c->a, also_in, value_string(c->a, context_clean(c, pick->also_in[i])));
	value_set(c->a, v, "also_in", also_in);
	value_set_bool(c->a, v, "risen", pick->risen);
	value_set_bool(c->a, v, "replaced", pick->replaced);
	for (size_t i = 0; strip != NULL && i < strip->n; i++)
		add_part(c, parts, strip->parts[i], "");
	value_set(c->a, v, "strip", parts);
	value_set_bool(c->a, v, "has_strip", value_count(parts) > 0);
	value_set_base(v, make_paper, arg);
	return v;
}

const char *
context_what(const struct context *c, const struct pick_view *pick)
{
	struct strbuf sb;

	if (pick->new_version == 0)
		return pick->withdrawn ? strings_get(c->words, "withdrawn") : "";
	strbuf_init(&sb, MAX_PHRASE);
	strings_add_count(&sb, c->words, "new-version", pick->new_version, NULL);
	return context_keep(c, &sb);
}

void
context_number_text(size_t number, char out[NUMBER_TEXT_SIZE])
{
	char digits[NUMBER_TEXT_SIZE], *at = digits + sizeof(digits);
	size_t len, blanks;

	*--at = '\0';
	*--at = '.';
	do
		*--at = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	len = (size_t)(digits + sizeof(digits) - at);
	blanks = len < sizeof("  1.") ? sizeof("  1.") - len : 0;
	memset(out, ' ', blanks);
	memcpy(out + blanks, at, len);
}

struct value *
context_pick(const struct context *c, const struct pick_view *pick, const char *filter,
    const char *what, size_t number)
{
	struct value *v = value_object(c->a);
	struct pick_base *base = arena_alloc(c->a, sizeof(*base));
	char text[NUMBER_TEXT_SIZE];

	if (base == NULL)
		return NULL;
	*base = (struct pick_base){ *c, pick, filter };
	value_set_base(v, make_reasons, base);
	value_set_number(c->a, v, "number", (int64_t)number);
	context_number_text(number, text);
	value_set_string(c->a, v, "number_text", number > 0 ? arena_strdup(c->a, text) : "");
	value_set_string(c->a, v, "what", what);
	return v;
}
