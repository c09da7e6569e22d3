#include "render/escape.h"
#include "render/parts.h"
#include "digest/date.h"
#include "digest/limits.h"
#include "digest/text.h"

#include <string.h>

enum { SUBJECT_WIDTH = 55, PREHEADER_WIDTH = 90, MAX_SHOWN_SOURCES = 6, MAX_LINE = 4096 };

/* Every name that a template may write, each once, whatever object it belongs to. */
const struct context_name context_names[] = {
	{ "list", true },
	{ "name", true },
	{ "id", true },
	{ "address", true },
	{ "postal_address", true },
	{ "base_url", true },
	{ "thumbnails", true },
	{ "text", true },

	{ "paper", true },
	{ "title", true },
	{ "marked_title", true },
	{ "marked_lead", true },
	{ "marked_rest", true },
	{ "lang", true },
	{ "dir", true },
	{ "authors", true },
	{ "authors_full", true },
	{ "n_authors", true },
	{ "org", true },
	{ "abstract", true },
	{ "summary", true },
	{ "summary_by", true },
	{ "lead", true },
	{ "lead_label", true },
	{ "rest", true },
	{ "links", true },
	{ "label", true },
	{ "url", true },
	{ "sep", true },
	{ "html_url", true },
	{ "pdf_url", true },
	{ "code_url", true },
	{ "project_url", true },
	{ "discussion_url", true },
	{ "thumbnail", true },
	{ "votes", true },
	{ "comments", true },
	{ "stars", true },
	{ "published", true },
	{ "published_text", true },
	{ "categories", true },
	{ "comment", true },
	{ "venue", true },
	{ "doi", true },
	{ "version", true },
	{ "withdrawn", true },

	{ "number", false },
	{ "number_text", false },
	{ "why", false },
	{ "also_in", false },
	{ "risen", false },
	{ "replaced", false },
	{ "what", false },
	{ "strip", false },
	{ "has_strip", false },
	{ "card", false },
	{ "is_line", false },

	{ "sections", false },
	{ "query", false },
	{ "outside", false },
	{ "near", false },
	{ "updates", false },
	{ "papers", false },
	{ "cut", false },
	{ "has_cut", false },
	{ "more", false },
	{ "more_text", false },
	{ "find", false },

	{ "subscriber", false },
	{ "language", false },
	{ "edition", false },
	{ "date", false },
	{ "day", false },
	{ "since_day", false },
	{ "welcome", false },
	{ "change", false },
	{ "read", false },
	{ "matched", false },
	{ "shown", false },
	{ "counts", false },
	{ "papers_text", false },
	{ "sources", false },
	{ "note", false },
	{ "empty", false },
	{ "reason", false },
	{ "subject", false },
	{ "since", false },
	{ "preheader", false },
	{ "unsubscribe_url", false },
	{ "preferences_url", false },
	{ "archive_url", false },
	{ "pause_url", false },
	{ "resume_url", false },

	{ NULL, false },
};

/* A name that stands in @"..." and in a shell's '...' as it is. */
static bool
is_plain_name(const char *name)
{
	return name[0] != '\0' && strlen(name) <= MAX_NAME_BYTES && strpbrk(name, "'\"\\") == NULL;
}

/* Where all papers of a section are: the archive or, of a list without pages on the web, a command; else "". */
static const char *
find_command(const struct context *c, const struct edition_view *view, const struct section_view *s)
{
	const char *name = context_clean(c, s->name);
	int days = WINDOW_DAYS + view->day - view->since_day;

	if (name == NULL)
		return NULL;
	if (view->archive_url[0] != '\0')
		return view->archive_url;
	if (s->near || s->outside || s->risen || s->updates || view->list.base_url[0] != '\0' ||
	    strpbrk(view->subscriber->address, "'\"\\$`!&;|<>() ") != NULL || !is_plain_name(name))
		return "";
	return arena_printf(
	    c->a, "digest -u %s search '@\"%s\"' --days %d", view->subscriber->address, name, days);
}

struct value *
context_section(
    const struct context *c, const struct edition_view *view, const struct section_view *section)
{
	struct value *v = value_object(c->a);
	const char *key = section->near			      ? "near"
	    : section->outside				      ? "outside"
	    : section->risen				      ? "risen-section"
	    : section->updates				      ? "updates"
	    : strcmp(section->name, DEFAULT_FILTER_NAME) == 0 ? "trending"
							      : NULL;
	const char *own = key != NULL ? strings_get(c->words, key) : NULL;

	value_set_string(c->a, v, "name", own != NULL ? own : context_clean(c, section->name));
	value_set_string(c->a, v, "query", context_clean(c, section->query));
	value_set_bool(c->a, v, "outside", section->outside);
	value_set_bool(c->a, v, "near", section->near);
	value_set_bool(c->a, v, "risen", section->risen);
	value_set_bool(c->a, v, "updates", section->updates);
	value_set_string(c->a, v, "find", find_command(c, view, section));
	return v;
}

void
context_set_more(const struct context *c, struct value *object, const char *key, size_t more)
{
	const char *find = value_text(value_member(object, "find", 4));

	value_set_number(c->a, object, "more", (int64_t)more);
	if (more > 0 && find[0] != '\0')
		context_set_count(c, object, "more_text", "more-find", (int64_t)more,
		    (const struct word[]){ { "where", find }, { NULL, NULL } });
	else if (more > 0)
		context_set_count(c, object, "more_text", key, (int64_t)more, NULL);
	else
		value_set_string(c->a, object, "more_text", "");
}

static const char *
date_text(const struct context *c, const char *key, int32_t day)
{
	struct strbuf sb;

	strbuf_init(&sb, MAX_LINE);
	strings_add_date(&sb, c->words, key, day);
	return context_keep(c, &sb);
}

static const char *
count_text(const struct context *c, const char *key, size_t n)
{
	struct strbuf sb;

	strbuf_init(&sb, MAX_LINE);
	strings_add_count(&sb, c->words, key, (int64_t)n, NULL);
	return context_keep(c, &sb);
}

/* A number on its own, as the language groups it. */
static const char *
plain_count(const struct context *c, size_t n)
{
	return count_text(c, "number", n);
}

/* "arXiv cs.CV, Hugging Face and 3 more" */
static const char *
sources_text(const struct context *c, const struct edition_view *view)
{
	struct strbuf sb, more;
	const char *names;

	strbuf_init(&sb, MAX_LINE);
	for (size_t i = 0; i < view->nsources && i < MAX_SHOWN_SOURCES; i++) {
		const char *name = context_clean(c, view->sources[i]);

		strbuf_add(&sb, i > 0 ? ", " : "");
		if (name != NULL)
			strbuf_addn(&sb, name, text_cut(name, strlen(name), MAX_NAME_BYTES, 60));
	}
	if (view->nsources == 0)
		strings_add(&sb, c->words, "no-source", NULL);
	names = context_keep(c, &sb);
	if (names == NULL || view->nsources <= MAX_SHOWN_SOURCES)
		return names;
	strbuf_init(&more, MAX_LINE);
	strings_add_count(&more, c->words, "sources-more",
	    (int64_t)(view->nsources - MAX_SHOWN_SOURCES),
	    (const struct word[]){ { "names", names }, { NULL, NULL } });
	return context_keep(c, &more);
}

/* "412 papers read from arXiv cs.CV; 11 matched; 8 shown" */
static void
set_counts(const struct context *c, struct value *v, const struct edition_view *view)
{
	const char *texts[] = { count_text(c, "papers", view->nread), sources_text(c, view),
		plain_count(c, view->nmatched), plain_count(c, view->nshown),
		plain_count(c, view->ncut) };
	const struct word words[] = { { "read", texts[0] }, { "sources", texts[1] },
		{ "matched", texts[2] }, { "shown", texts[3] }, { "cut", texts[4] },
		{ NULL, NULL } };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i] == NULL) {
			value_set(c->a, v, "counts", NULL);
			return;
		}
	context_set_text(c, v, "counts", view->ncut > 0 ? "counts-cut" : "counts", words);
}

/* "8 papers since 3 Nov", and "+ 3 popular" when there are some from outside the filters: the numbers of the cards run through. */
static void
set_papers(
    const struct context *c, struct value *v, const struct edition_view *view, const char *since)
{
	const char *key = view->since_day < view->day ? "papers-since" : "papers";
	size_t noutside = 0;
	const char *papers;
	struct strbuf sb;

	for (size_t i = 0; i < view->nsections; i++)
		noutside += view->sections[i].outside ? view->sections[i].npicks : 0;
	strbuf_init(&sb, MAX_LINE);
	strings_add_count(&sb, c->words, key, (int64_t)view->nshown,
	    (const struct word[]){ { "date", since }, { NULL, NULL } });
	papers = context_keep(c, &sb);
	if (papers == NULL || noutside == 0)
		value_set_string(c->a, v, "papers_text", papers);
	else
		context_set_count(c, v, "papers_text", "papers-outside", (int64_t)noutside,
		    (const struct word[]){ { "papers", papers }, { NULL, NULL } });
}

/* The days of an edition in words; of an ordinary one they are the same. */
struct days {
	const char *day, *since; /* NULL = memory is short */
};

static struct value *
edition_value(const struct context *c, const struct edition_view *view, const struct days *days)
{
	struct value *v = value_object(c->a), *sources = value_list(c->a);
	bool catching_up = view->since_day < view->day;
	char day[DATE_RFC3339_SIZE];

	value_set_string(c->a, v, "date", date_text(c, "date-long", view->day));
	date_format_day(view->day, day);
	value_set_string(c->a, v, "day", arena_strdup(c->a, day));
	if (catching_up)
		date_format_day(view->since_day, day);
	value_set_string(c->a, v, "since_day", arena_strdup(c->a, day));
	value_set_bool(c->a, v, "welcome", view->welcome);
	value_set_string(c->a, v, "change", "");
	if (view->change[0] != '\0')
		context_set_text(c, v, "change", view->change,
		    (const struct word[]){ { "address", view->subscriber->address },
			{ "where", context_clean(c, view->change_where) }, { NULL, NULL } });
	value_set_number(c->a, v, "read", (int64_t)view->nread);
	value_set_number(c->a, v, "matched", (int64_t)view->nmatched);
	value_set_number(c->a, v, "shown", (int64_t)view->nshown);
	value_set_number(c->a, v, "cut", (int64_t)view->ncut);
	set_counts(c, v, view);
	if (days->since != NULL)
		set_papers(c, v, view, days->since);
	for (size_t i = 0; i < view->nsources; i++)
		value_append(c->a, sources, value_string(c->a, context_clean(c, view->sources[i])));
	value_set(c->a, v, "sources", sources);
	value_set_string(c->a, v, "note", context_clean(c, view->note));
	value_set_bool(c->a, v, "empty", view->nshown == 0);
	context_set_text(c, v, "reason", "reason",
	    (const struct word[]){ { "address", view->subscriber->address },
		{ "list", view->list.name }, { NULL, NULL } });
	context_set_more(c, v, "more-papers", 0);
	return v;
}

/* The first papers of the edition, at most n; returns how many there are. */
static size_t
first_papers(const struct edition_view *view, const struct paper **papers, size_t n)
{
	size_t len = 0;

	/* What stands outside the filters comes last, wherever it is. */
	for (int outside = 0; outside < 2; outside++)
		for (size_t i = 0; i < view->nsections; i++) {
			const struct section_view *s = &view->sections[i];

			for (size_t k = 0; k < s->npicks && len < n; k++)
				if (s->outside == (outside == 1))
					papers[len++] = s->picks[k].paper;
		}
	return len;
}

/* A text as one line of at most so many columns; NULL when memory is short. */
static const char *
short_line(const struct context *c, const char *text, size_t max_width)
{
	const char *line = context_clean(c, text);
	size_t n;

	if (line == NULL)
		return NULL;
	n = context_cut(line, MAX_LINE / 4, max_width);
	return line[n] != '\0' ? context_shorten(c, line, n) : line;
}

/* What a paper says of itself; a summary is none of its words. */
static const char *
first_sentence(const struct context *c, const struct paper *p)
{
	const char *abstract = context_clean(c, p->abstract);

	if (abstract == NULL)
		return NULL;
	abstract = arena_strndup(c->a, abstract, text_first_sentence(abstract, strlen(abstract)));
	return abstract != NULL ? short_line(c, abstract, 2 * (size_t)PREHEADER_WIDTH) : NULL;
}

/* Memory that is short for one makes the whole line fail. */
static void
add_teaser(struct strbuf *sb, const char *text)
{
	if (text == NULL)
		sb->state = STRBUF_NOMEM;
	else
		strbuf_add_all(sb, sb->len > 0 ? " · " : "", text, NULL);
}

/* The parts of the subject, "Since 3 Nov", a title, "+ 7 more"; and the line a mail program shows behind it. */
static struct value *
subject_value(const struct context *c, const struct edition_view *view, const struct days *days)
{
	struct value *v = value_object(c->a);
	const struct paper *papers[3];
	/* What stands outside the filters is not what the mail is about. */
	size_t npapers = view->nshown > 0 ? first_papers(view, papers, 3) : 0;
	struct strbuf sb;

	if (days->day == NULL || days->since == NULL)
		return NULL;
	value_set_string(c->a, v, "since", "");
	if (view->since_day < view->day)
		context_set_text(c, v, "since", "since",
		    (const struct word[]){ { "date", days->since }, { NULL, NULL } });
	if (npapers == 0)
		context_set_text(c, v, "title", "none-title",
		    (const struct word[]){ { "date", days->day }, { NULL, NULL } });
	strbuf_init(&sb, MAX_LINE);
	for (size_t i = 0; i < npapers; i++) {
		const char *title =
		    short_line(c, papers[i]->title, i == 0 ? SUBJECT_WIDTH : PREHEADER_WIDTH);

		if (i == 0)
			value_set_string(c->a, v, "title", title);
		else
			add_teaser(&sb, title);
	}
	if (npapers == 1)
		add_teaser(&sb, first_sentence(c, papers[0]));
	value_set_string(c->a, v, "preheader", context_keep(c, &sb));
	value_set_string(c->a, v, "more", "");
	if (view->nshown > 1)
		context_set_count(c, v, "more", "more-titles", (int64_t)view->nshown - 1, NULL);
	return v;
}

/* One of our own links: http, https or mailto, else "". */
static void
set_link(const struct context *c, struct value *v, const char *member, const char *url)
{
	struct strbuf sb;

	if (url[0] == '\0') {
		value_set_string(c->a, v, member, "");
		return;
	}
	strbuf_init(&sb, 3 * MAX_URL_BYTES);
	escape_add_link(&sb, url);
	if (strcmp(sb.buf, "#") == 0)
		strbuf_reset(&sb);
	value_set_string(c->a, v, member, context_keep(c, &sb));
}

struct value *
context_edition(const struct context *c, const struct edition_view *view)
{
	struct value *v = value_object(c->a), *subscriber = value_object(c->a);
	struct days days = { .day = date_text(c, "date-short", view->day) };

	days.since =
	    view->since_day == view->day ? days.day : date_text(c, "date-short", view->since_day);
	value_set(c->a, v, "list", context_list(c, &view->list));
	value_set(c->a, v, "text", strings_value(c->words));
	value_set_string(c->a, subscriber, "address", view->subscriber->address);
	value_set_string(c->a, subscriber, "name", context_clean(c, view->subscriber->name));
	value_set_string(c->a, subscriber, "language", view->subscriber->language);
	value_set(c->a, v, "subscriber", subscriber);
	value_set(c->a, v, "edition", edition_value(c, view, &days));
	value_set(c->a, v, "subject", subject_value(c, view, &days));
	set_link(c, v, "unsubscribe_url", view->unsubscribe_url);
	set_link(c, v, "preferences_url", view->preferences_url);
	set_link(c, v, "archive_url", view->archive_url);
	if (view->pause_url != NULL)
		set_link(c, v, "pause_url", view->pause_url);
	if (view->resume_url != NULL)
		set_link(c, v, "resume_url", view->resume_url);
	return v;
}
