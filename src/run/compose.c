#include "run/returns.h"
#include "digest/limits.h"
#include "digest/token.h"

#include <stdlib.h>
#include <string.h>

struct composer {
	struct run *run;
	const struct planner *planner;
	struct render *render;
	struct token_keys *keys; /* NULL in a preview before the key file was made */
	struct arena arena;	 /* the addresses and names below */
	struct address from, reply_to;
	bool has_reply_to;
	const char *sender;   /* of the envelope */
	const char *mailto;   /* where unsubscribing mail goes */
	const char *person;   /* who reads what is written in words */
	bool has_returns;     /* what comes back is read: each mail says of whom it is */
	const char *admin;    /* list.operator, canonical, "" = none is told */
	const char **sources; /* names of what is read, for the footer */
	const char *unknown;  /* a language nobody has words for, told once; NULL = none yet */
};

static int
read_addresses(struct composer *c, struct error *err)
{
	const struct config *cfg = c->run->cfg;
	const char *to = cfg->list.operator;
	struct address bounce, admin;

	if (run_read_from(cfg, &c->arena, &c->from, err) == -1)
		return -1;
	c->has_reply_to = cfg->list.reply_to[0] != '\0';
	if (c->has_reply_to &&
	    address_parse(cfg->list.reply_to, &c->arena, &c->reply_to, NULL, err) == -1)
		return err_prefix(err, "list.reply-to");
	c->sender = c->from.mailbox;
	if (cfg->list.bounce_address[0] != '\0') {
		if (address_parse(cfg->list.bounce_address, &c->arena, &bounce, NULL, err) == -1)
			return err_prefix(err, "list.bounce-address");
		c->sender = bounce.mailbox;
	}
	c->admin = "";
	if (to[0] != '\0') {
		if (address_parse(to, &c->arena, &admin, NULL, err) == -1)
			return err_prefix(err, "list.operator");
		c->admin = admin.canonical;
	}
	c->person = c->has_reply_to ? c->reply_to.mailbox : c->from.mailbox;
	c->has_returns = run_has_returns(c->run);
	c->mailto = c->has_returns ? c->sender : c->person;
	return 0;
}

static int
read_sources(struct composer *c, struct error *err)
{
	const struct config *cfg = c->run->cfg;

	c->sources = arena_array(&c->arena, cfg->nsources, sizeof(*c->sources));
	if (c->sources == NULL)
		return err_nomem(err, "sources");
	for (size_t i = 0; i < cfg->nsources; i++)
		if ((c->sources[i] = source_title(&cfg->sources[i], &c->arena)) == NULL)
			return err_nomem(err, "sources");
	return 0;
}

int
composer_new(
    struct run *run, const struct planner *planner, struct composer **out, struct error *err)
{
	struct composer *c = calloc(1, sizeof(*c));
	bool make_key = run->mode == STORE_WRITE;

	if (c == NULL)
		return err_nomem(err, "composer");
	c->run = run;
	c->planner = planner;
	arena_init(&c->arena, MAX_READER_BYTES);
	if (read_addresses(c, err) == -1 || read_sources(c, err) == -1 ||
	    run_load_templates(run, &c->render, err) == -1 ||
	    token_key_load(run->cfg->list.key_file, make_key, &c->keys, err) == -1) {
		composer_free(c);
		return -1;
	}
	*out = c;
	return 0;
}

void
composer_free(struct composer *c)
{
	if (c == NULL)
		return;
	token_keys_free(c->keys);
	render_free(c->render);
	arena_release(&c->arena);
	free(c);
}

void
composer_trim(struct composer *c)
{
	render_trim(c->render);
}

const struct render *
composer_render(const struct composer *c)
{
	return c->render;
}

void
composed_init(struct composed *mail)
{
	memset(mail, 0, sizeof(*mail));
	rendered_init(&mail->rendered);
	strbuf_init(&mail->bytes, MAX_MESSAGE_BYTES);
}

void
composed_release(struct composed *mail)
{
	rendered_release(&mail->rendered);
	strbuf_release(&mail->bytes);
}

/* A paper as the edition saw it: from the window when it has not changed since, else the frozen one. */
static int
find_paper(struct composer *c, const struct edition_pick *pick, struct arena *a,
    const struct paper **out, struct error *err)
{
	struct paper *p;
	int found;

	if (c->planner != NULL) {
		*out = planner_find_paper(c->planner, pick->paper, pick->revision);
		if (*out != NULL)
			return 0;
	}
	found = store_load_snapshot(c->run->store, pick->paper, pick->revision, a, &p, err);
	if (found == 0)
		return err_set(err, ERR_IO, "paper %lld: revision %u is gone from the store",
		    (long long)pick->paper, (unsigned)pick->revision);
	*out = p;
	return found == 1 ? 0 : -1;
}

/* "a\nb" as two names. */
static int
split_names(const char *text, struct pick_view *view, struct arena *a)
{
	size_t n = text[0] != '\0';
	const char **names;

	for (const char *s = text; *s != '\0'; s++)
		n += *s == '\n';
	if (n == 0)
		return 0;
	if ((names = arena_array(a, n, sizeof(*names))) == NULL)
		return -1;
	for (size_t i = 0; i < n; i++) {
		size_t len = strcspn(text, "\n");

		if ((names[i] = arena_strndup(a, text, len)) == NULL)
			return -1;
		text += len + (text[len] != '\0');
	}
	view->also_in = names;
	view->nalso_in = n;
	return 0;
}

static int
view_pick(struct composer *c, const struct edition_pick *pick, struct pick_view *out,
    struct arena *a, struct error *err)
{
	out->id = pick->paper;
	out->revision = pick->revision;
	out->why = pick->why;
	out->risen = pick->risen;
	out->replaced = pick->replaced;
	out->marks = pick->marks;
	out->nmarks = pick->nmarks;
	out->withdrawn = pick->version == VERSION_WITHDRAWN;
	out->new_version = pick->section == SECTION_UPDATES && !out->withdrawn ? pick->version : 0;
	if (split_names(pick->also_in, out, a) == -1)
		return err_nomem(err, "names");
	return find_paper(c, pick, a, &out->paper, err);
}

/* A paper that was there before and matches only now goes to a section of its own, whatever filter found it. */
static bool
is_risen(const struct edition_pick *pick)
{
	return pick->risen && !pick->cut && pick->section < SECTION_UPDATES;
}

/* Picks first .. last of one section but the risen ones; the last one says how many more were cut. */
static int
view_section(struct composer *c, struct composed *mail, size_t first, size_t last,
    struct section_view *out, struct arena *a, struct error *err)
{
	const struct edition_pick *picks = mail->edition.picks;
	struct pick_view *views = arena_array(a, last - first, sizeof(*views)), *view = views;
	uint32_t section = picks[first].section;

	if (views == NULL)
		return err_nomem(err, "section");
	out->near = note_is_near(&picks[first]);
	out->updates = section == SECTION_UPDATES;
	out->outside = section == SECTION_OUTSIDE && !out->near;
	out->name = section >= SECTION_UPDATES ? "" : mail->reader->sub.filters[section].name;
	out->query = section >= SECTION_UPDATES ? "" : mail->reader->sub.filters[section].match;
	out->picks = views;
	for (size_t i = first; i < last; i++) {
		if (is_risen(&picks[i]))
			continue;
		if (view_pick(c, &picks[i], view++, a, err) == -1)
			return -1;
		if (!picks[i].cut && !out->updates)
			out->npicks++;
		else
			out->ncut++;
	}
	out->cut = views + out->npicks;
	out->nmore = picks[last - 1].more;
	return 0;
}

/* The risen papers of all filters, in the order of their sections. */
static int
view_risen(struct composer *c, struct composed *mail, struct section_view *out, struct arena *a,
    struct error *err)
{
	const struct edition *e = &mail->edition;
	struct pick_view *views;
	size_t n = 0;

	for (size_t i = 0; i < e->npicks; i++)
		n += is_risen(&e->picks[i]);
	views = arena_array(a, n, sizeof(*views));
	if (views == NULL)
		return err_nomem(err, "section");
	*out = (struct section_view){ .name = "", .query = "", .picks = views, .risen = true };
	for (size_t i = 0; i < e->npicks; i++) {
		if (!is_risen(&e->picks[i]))
			continue;
		if (view_pick(c, &e->picks[i], &views[out->npicks], a, err) == -1)
			return -1;
		views[out->npicks++].filter = mail->reader->sub.filters[e->picks[i].section].name;
	}
	return 0;
}

static bool
is_of_filters(const struct section_view *s)
{
	return !s->outside && !s->near && !s->updates;
}

/* Sections as the mail has them: the filters in their order, risen papers, what is popular outside or came near, updates. */
static int
view_sections(struct composer *c, struct composed *mail, struct arena *a, struct error *err)
{
	const struct edition *e = &mail->edition;
	struct section_view *sections, risen;
	size_t n = 0;

	sections = arena_array(a, mail->reader->sub.nfilters + 4, sizeof(*sections));
	if (sections == NULL)
		return err_nomem(err, "sections");
	for (size_t i = 0; i < e->npicks; i++)
		if (e->picks[i].section < SECTION_UPDATES &&
		    e->picks[i].section >= mail->reader->sub.nfilters)
			return err_set(err, ERR_CONFIG, "the reader's filters have changed since");
	if (view_risen(c, mail, &risen, a, err) == -1)
		return -1;
	for (size_t first = 0, last; first < e->npicks; first = last) {
		uint32_t section = e->picks[first].section;

		for (last = first; last < e->npicks && e->picks[last].section == section &&
		     note_is_near(&e->picks[last]) == note_is_near(&e->picks[first]);)
			last++;
		if (section >= SECTION_UPDATES && risen.npicks > 0) {
			sections[n++] = risen;
			risen.npicks = 0;
		}
		if (view_section(c, mail, first, last, &sections[n], a, err) == -1)
			return -1;
		n += sections[n].npicks + sections[n].ncut > 0;
	}
	if (risen.npicks > 0)
		sections[n++] = risen;
	for (size_t i = 0; i < n; i++)
		if (is_of_filters(&sections[i])) {
			mail->view.nshown += sections[i].npicks;
			mail->view.ncut += sections[i].ncut + sections[i].nmore;
		}
	mail->view.sections = sections;
	mail->view.nsections = n;
	return 0;
}

/* "mailto:papers@example.org?subject=unsubscribe%20<token>": the token says who and that it is genuine. */
static const char *
make_link(struct composer *c, const char *verb, enum token_purpose purpose, int64_t reader,
    struct arena *a)
{
	struct strbuf token;
	const char *url;

	strbuf_init(&token, MAX_NAME_BYTES);
	token_add(&token, c->keys, purpose, reader, 0);
	url = arena_printf(a, "mailto:%s?subject=%s%%20%s", c->mailto, verb, token.buf);
	strbuf_release(&token);
	return url;
}

/* What a mail can ask for without a person here needs a mailbox that is read. */
static int
make_links(struct composer *c, struct edition_view *v, int64_t reader, struct arena *a)
{
	v->unsubscribe_url = make_link(c, "unsubscribe", TOKEN_UNSUBSCRIBE, reader, a);
	v->pause_url = v->resume_url = "";
	if (c->has_returns) {
		v->pause_url = make_link(c, "pause", TOKEN_PAUSE, reader, a);
		v->resume_url = make_link(c, "resume", TOKEN_RESUME, reader, a);
	}
	return v->unsubscribe_url == NULL || v->pause_url == NULL || v->resume_url == NULL ? -1 : 0;
}

/*
 * The sender of one edition: with a mailbox that is read a token in its local part says what comes back (VERP), of whom and
 * which. Like the rest of the envelope it is none of the mail's bytes.
 */
static int
make_sender(const struct composer *c, struct composed *mail, struct arena *a)
{
	const char *at = strrchr(c->sender, '@');
	struct strbuf token;

	mail->sender = c->sender;
	if (!c->has_returns || !c->run->cfg->list.verp || at == NULL ||
	    at - c->sender > CONFIG_MAX_RETURN_LOCAL)
		return 0;
	strbuf_init(&token, MAX_NAME_BYTES);
	token_add(
	    &token, c->keys, TOKEN_BOUNCE, mail->edition.reader, (uint32_t)mail->edition.period);
	mail->sender =
	    arena_printf(a, "%.*s+%s%s", (int)(at - c->sender), c->sender, token.buf, at);
	strbuf_release(&token);
	return mail->sender == NULL ? -1 : 0;
}

/*
 * How a newcomer changes things: whoever runs the list edits a file or types a command, which is nobody else's business; others
 * ask, by the page for help when there is one.
 */
static int
say_change(const struct composer *c, struct composed *mail, struct arena *a, struct error *err)
{
	const struct subscriber *sub = &mail->reader->sub;
	const char *help = c->run->cfg->list.help_url;
	struct edition_view *v = &mail->view;

	v->change = v->change_where = "";
	if (!v->welcome)
		return 0;
	if (strcmp(sub->canonical, c->from.canonical) != 0 &&
	    strcmp(sub->canonical, c->admin) != 0) {
		v->change = help[0] != '\0' ? "change-link" : "change-mail";
		v->change_where = help[0] != '\0' ? help : c->person;
	} else if (sub->origin == ORIGIN_FILE) {
		v->change = "change-file";
		v->change_where = sub->file;
	} else {
		v->change = "change-command";
		v->change_where =
		    arena_printf(a, "digest subscribe %s --filter NAME=QUERY", sub->address);
	}
	return v->change_where != NULL ? 0 : err_nomem(err, "links");
}

static int
make_view(struct composer *c, struct composed *mail, struct arena *a, struct error *err)
{
	const struct config *cfg = c->run->cfg;
	const struct edition *e = &mail->edition;
	struct edition_view *v = &mail->view;

	v->list = (struct list_view){ cfg->list.name, cfg->list.id, c->from.mailbox,
		cfg->list.postal_address, cfg->list.base_url, cfg->templates.thumbnails };
	v->subscriber = &mail->reader->sub;
	v->day = e->day;
	v->since_day = e->since_day;
	v->welcome = e->cursor_from == -1;
	if (say_change(c, mail, a, err) == -1)
		return -1;
	v->nread = e->nread;
	v->nmatched = e->nmatched;
	v->sources = c->sources;
	v->nsources = cfg->nsources;
	v->note = e->note;
	v->preferences_url = "";
	v->archive_url = cfg->list.archive_url;
	v->max_html_bytes = (size_t)cfg->templates.html_limit;
	if (make_links(c, v, e->reader, a) == -1 || make_sender(c, mail, a) == -1)
		return err_nomem(err, "links");
	return view_sections(c, mail, a, err);
}

static int
make_message(const struct composer *c, struct composed *mail, const struct rendered *parts,
    struct error *err)
{
	const struct config *cfg = c->run->cfg;
	const struct subscriber *sub = &mail->reader->sub;
	char id[MESSAGE_ID_SIZE];
	struct civil wall;
	struct message m = {
		.from = &c->from,
		.to = &mail->to,
		.reply_to = c->has_reply_to ? &c->reply_to : NULL,
		.subject = parts->subject.buf,
		.date_utc = mail->date_utc,
		.list_id = cfg->list.id,
		.list_name = cfg->list.name,
		.message_id = id,
		.unsubscribe_mailto = mail->view.unsubscribe_url,
		.unsubscribe_https = "",
		.help_url = cfg->list.help_url,
		.archive_url = cfg->list.archive_url,
		.text = parts->text.buf,
		.html = parts->html.buf,
		.text_len = parts->text.len,
		.html_len = parts->html.len,
	};

	tz_local(mail->tz, m.date_utc, &wall, &m.date_offset_s, NULL);
	message_make_id(id, cfg->list.id, sub->canonical, mail->period, c->from.domain);
	return message_add(&mail->bytes, &m, err);
}

/* A language without words is English: a mail that can be read is better than none. */
static void
note_language(struct composer *c, const struct subscriber *sub)
{
	struct strbuf known;

	if (render_has_language(c->render, sub->language) ||
	    (c->unknown != NULL && strcmp(c->unknown, sub->language) == 0))
		return;
	c->unknown = arena_strdup(&c->arena, sub->language);
	strbuf_init(&known, MAX_HEADER_TEXT);
	render_add_languages(c->render, &known);
	log_warn(c->run->log, "%s: no language is called '%s', the mail is in English; expected %s",
	    sub->address, sub->language, known.buf);
	strbuf_release(&known);
}

int
composer_prepare(struct composer *c, struct composed *mail, struct arena *a, struct error *err)
{
	const struct subscriber *sub = &mail->reader->sub;
	bool stands_in;

	period_format(mail->edition.period, mail->period);
	mail->date_utc = mail->edition.composed_utc;
	mail->tz = zones_get_any(c->run, sub->timezone, &stands_in, err);
	if (mail->tz == NULL || address_parse(sub->address, a, &mail->to, NULL, err) == -1)
		return -1;
	mail->to.name = sub->name;
	if (render_check_language(c->render, sub->language, err) == -1)
		return -1;
	note_language(c, sub);
	return make_view(c, mail, a, err);
}

int
composer_compose(const struct composer *c, struct composed *mail, struct rendered *parts,
    struct arena *a, struct error *err)
{
	if (render_edition(c->render, &mail->view, a, parts, err) == -1 ||
	    make_message(c, mail, parts, err) == -1)
		return -1;
	message_fingerprint(mail->bytes.buf, mail->bytes.len, mail->edition.hash);
	return 0;
}
