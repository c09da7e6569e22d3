/* render.h - from an edition's picks to subject, HTML and text. Pure: templates and records in, bytes out; the same
 * input gives the same bytes on every machine.
 *
 * A card depends on the paper alone: card templates see only `paper`, `list` and `text`, the fixed words of a language
 * (any other name is an error when templates are loaded), so that one card can serve every reader. What is personal
 * about a paper (its number, the why-line, other filters that found it) is a strip that the digest template puts around
 * the ready card. */
#ifndef DIGEST_RENDER_H
#define DIGEST_RENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "digest/arena.h"
#include "digest/error.h"
#include "digest/paper.h"
#include "digest/strbuf.h"
#include "digest/subscriber.h"
#include "digest/value.h"

struct render;

/* A template as built in, or overridden by a file of the same name in the user's folder. */
struct render_template {
	const char *name;	/* "digest.html" */
	const char *path;	/* of the override, or NULL */
	const char *text;
	size_t len;
	const char *builtin;	/* what path takes the place of, NULL = nothing has that name */
	size_t builtin_len;
	const char *help;	/* one line: what it draws */
	const char *fault;	/* why it cannot be used, "own/card.html:2:1: ..."; NULL = it can */
	const char *more_faults;	/* what else is wrong with it, each with a newline behind it; "" or NULL = nothing */
	size_t nfaults;		/* of all of these */
};

/* What the list is, from the configuration. */
struct list_view {
	const char *name, *id, *address;	/* "Papers", "papers.example.org", From address */
	const char *postal_address, *base_url;	/* "" = none */
	bool thumbnails;	/* cards show the pictures of papers */
};

struct pick_view {
	const struct paper *paper;
	int64_t id;		/* of the paper in the store; 0 = its card is drawn for this edition alone */
	uint32_t revision;	/* of its record: with id, what its card shows */
	const char *filter;	/* in a section of risen papers: the name of the one that found it */
	const char *why;	/* "gaussian splatting", the words or conditions that matched; "" = none */
	const char *const *also_in;	/* names of other filters of this reader that found it */
	size_t nalso_in;
	bool risen;		/* did not match before, votes have grown */
	bool replaced;		/* a new version of a paper */
	const struct paper_mark *marks;	/* what the filter found in its texts: by text, then ascending */
	size_t nmarks;
	bool withdrawn;		/* in updates: taken back */
	uint32_t new_version;	/* in updates: what it has now; 0 = something else happened */
};

struct section_view {
	const char *name;	/* of the filter, "" = it is of none */
	const char *query;
	const struct pick_view *picks;
	size_t npicks;
	const struct pick_view *cut;	/* cut by a limit, shown as titles */
	size_t ncut;
	size_t nmore;		/* cut and not even named */
	bool outside;		/* "Popular today, outside your filters" */
	bool near;		/* its cut ones are no matches but came nearest to the filters */
	bool risen;		/* papers of all filters that were there before and match only now */
	bool updates;		/* its cut ones were sent before, and something happened to them */
};

struct edition_view {
	struct list_view list;
	const struct subscriber *subscriber;
	int32_t day;		/* nominal local date, days since 1970 */
	int32_t since_day;	/* first day covered; = day for an ordinary daily edition */
	bool welcome;		/* first mail after subscribing */
	const char *change;	/* name of the sentence that says how to change things: "change-mail"; "" = none */
	const char *change_where;	/* a file, a command, an address or a link */
	size_t nread, nmatched, nshown, ncut;
	const char *const *sources;	/* names of what was read */
	size_t nsources;
	const char *note;	/* only when something was odd; "" = none */
	const struct section_view *sections;
	size_t nsections;
	const char *unsubscribe_url, *preferences_url, *archive_url;	/* "" = none */
	const char *pause_url, *resume_url;	/* "" or NULL = none: no mailbox is read where they could arrive */
	size_t max_html_bytes;	/* 0 = MAX_HTML_BYTES */
};

/* The three parts of a digest: the subject as one line, the others ready for a mail, as quoted-printable with CRLF;
 * qp_add_decoded() gives them as they are read. */
struct rendered {
	struct strbuf subject;
	struct strbuf html;
	struct strbuf text;
	size_t nfull, nshort, nline;	/* cards by the size they got to stay within the byte budget */
};

/*
 * Load and compile all templates and languages.
 * user_dir	folder whose files override built-in ones by name, and may add languages ("fr.strings"); NULL = none
 * A file that is wrong gets a fault, template:line:column and what: syntax, a name that no context has, an unknown
 * partial, bytes that are no text, a name like "crad.html" that is none of the templates. Nothing is drawn with it.
 * Fails only with ERR_CONFIG when there is no such folder, and with ERR_NOMEM.
 */
int	render_load(const char *user_dir, struct render **out, struct error *err);
/* The first fault of a template as ERR_CONFIG: it is in everybody's mail. */
int	render_check(const struct render *r, struct error *err);
/* The same of the words for readers of this language: it is in their mail alone. */
int	render_check_language(const struct render *r, const char *language, struct error *err);
/* Whether there are words for it ("de-AT", else "de"); readers of another get English ones. */
bool	render_has_language(const struct render *r, const char *language);

/* Append the languages there are words for: "de, en". */
void	render_add_languages(const struct render *r, struct strbuf *out);

/* As render_load(), but any fault is an error. */
int	render_new(const char *user_dir, struct render **out, struct error *err);
void	render_free(struct render *r);
/* Let go of cards that were kept for other editions, when there are too many. Only while nothing is drawn. */
void	render_trim(struct render *r);

/* All templates and languages, NULL-named entry last; borrowed. */
const struct render_template *render_templates(const struct render *r);

/* The keys of English texts that a file of words leaves out, at most max of them; returns how many there are. */
size_t	render_missing_texts(const struct render *r, const char *name, const char **keys, size_t max);

void	rendered_init(struct rendered *out);
void	rendered_release(struct rendered *out);

/*
 * Draw one edition. The HTML part stays within max_html_bytes as bytes and as quoted-printable: cards step down from full to
 * short to one line, the last ones of each section first, then "and N more"; header, footer and unsubscribe are never cut. The text
 * part has lines of 72 columns and names every paper, as far as MAX_TEXT_BYTES allow.
 * scratch	for the context, some 8 KB for each paper; the caller resets it
 * Fails with ERR_CONFIG when a user's templates alone exceed the budget, ERR_NOMEM when memory or scratch is short.
 */
int	render_edition(struct render *r, const struct edition_view *view, struct arena *scratch,
	    struct rendered *out, struct error *err);

/* One sentence of a note line: a key of en.strings and what stands for its {words}. */
struct sentence {
	const char *key;
	int64_t n;		/* {n}, which decides the form */
	const char *source;	/* {source}, "" = none */
	int32_t day;		/* {date} */
	int64_t usual;		/* {usual} */
};
/* Append it in a language, behind a blank when something stands there. */
void	render_add_sentence(const struct render *r, const char *language, const struct sentence *s, struct strbuf *out);

/* The context that the digest templates see, for --format json and digest-template(7). NULL when memory is short. */
struct value *render_context(struct render *r, const struct edition_view *view, struct arena *scratch);

/* One template of the set with any data (`digest template render`). */
int	render_template(struct render *r, const char *name, const struct value *data, struct strbuf *out,
	    struct error *err);

/* The same of a text that is no part of the set; what its values are escaped for is told by the end of its name. */
int	render_text(struct render *r, const char *name, const char *text, size_t len, const struct value *data,
	    struct strbuf *out, struct error *err);

/* An http or https URL, percent-encoded where needed, else "#": the only way a link gets into HTML. */
void	render_add_url(struct strbuf *out, const char *url);

#endif
