#include "render/parts.h"
#include "digest/file.h"
#include "digest/limits.h"
#include "digest/qp.h"
#include "digest/render.h"
#include "digest/text.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SET_BYTES = 16 * 1024 * 1024, MAX_LANGUAGES = 100 };

static bool
ends_in(const char *name, const char *suffix)
{
	size_t len = strlen(name), n = strlen(suffix);

	return len > n && strcmp(name + len - n, suffix) == 0;
}

static bool
is_words(const char *name)
{
	return ends_in(name, ".strings");
}

static bool
is_card(const char *name)
{
	return strncmp(name, "card", 4) == 0;
}

static const char *
shown_name(const struct render_template *file)
{
	return file->path != NULL ? file->path : file->name;
}

static size_t
find_file(const struct render *r, const char *name)
{
	size_t i = 0;

	while (i < r->nfiles && strcmp(r->files[i].name, name) != 0)
		i++;
	return i;
}

const struct template *
set_find_template(void *arg, const char *name)
{
	const struct render *r = arg;
	size_t i = find_file(r, name);

	return i < r->nfiles ? r->compiled[i] : NULL;
}

const struct strings *
set_find_words(const struct render *r, const char *language)
{
	const size_t lengths[] = { strlen(language), strcspn(language, "-_") };

	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; i < r->nfiles; i++)
			if (r->words[i] != NULL &&
			    strncmp(r->files[i].name, language, lengths[k]) == 0 &&
			    strcmp(r->files[i].name + lengths[k], ".strings") == 0)
				return r->words[i];
	return r->words[find_file(r, "en.strings")];
}

/* Where a check of names has come to. */
struct check {
	const struct render *r;
	const char *template;
	bool card;
	struct error *err;
};

static const struct context_name *
find_name(const char *name, size_t len)
{
	for (const struct context_name *n = context_names; n->name != NULL; n++)
		if (strlen(n->name) == len && memcmp(n->name, name, len) == 0)
			return n;
	return NULL;
}

/* ", perhaps 'x'" when a known name is near. */
static const char *
suggest(char *out, size_t size, const char *word, const char *const *names)
{
	const char *near = text_nearest(word, names);

	out[0] = '\0';
	if (near != NULL)
		snprintf(out, size, ", perhaps '%s'", near);
	return out;
}

static int
fail_name(const struct check *c, const char *part, unsigned line, unsigned column)
{
	const char *names[200];
	char hint[128];
	size_t n = 0;

	for (const struct context_name *k = context_names; k->name != NULL && n < 199; k++)
		if (!c->card || k->in_card)
			names[n++] = k->name;
	names[n] = NULL;
	suggest(hint, sizeof(hint), part, names);
	if (c->card && find_name(part, strlen(part)) != NULL)
		return err_set(c->err, ERR_CONFIG,
		    "%s:%u:%u: '%s' in a card; a card sees only paper, list and text%s",
		    c->template, line, column, part, hint);
	return err_set(c->err, ERR_CONFIG,
	    "%s:%u:%u: nothing is called '%s'; expected a name of digest-template(7)%s",
	    c->template, line, column, part, hint);
}

/* Each part of a dotted name; what stands after "text" is a key of the words. */
static int
check_name(void *arg, const char *name, unsigned line, unsigned column)
{
	const struct check *c = arg;
	const struct strings *en = set_find_words(c->r, "en");
	bool in_text = false;

	if (strcmp(name, ".") == 0)
		return 0;
	for (const char *at = name; *at != '\0';) {
		size_t len = strcspn(at, ".");
		const struct context_name *known = find_name(at, len);
		char part[100];

		snprintf(part, sizeof(part), "%.*s", (int)(len < 99 ? len : 99), at);
		if (in_text) {
			if (strings_get(en, part)[0] == '\0')
				return err_set(c->err, ERR_CONFIG,
				    "%s:%u:%u: no text is called '%s'; expected a key of "
				    "en.strings",
				    c->template, line, column, part);
		} else if (known == NULL || (c->card && !known->in_card)) {
			return fail_name(c, part, line, column);
		}
		in_text = at == name && strcmp(part, "text") == 0;
		at += len + (at[len] == '.');
	}
	return 0;
}

static int
check_partial(void *arg, const char *name, unsigned line, unsigned column)
{
	const struct check *c = arg;

	if (set_find_template((void *)(uintptr_t)c->r, name) == NULL)
		return err_set(c->err, ERR_CONFIG, "%s:%u:%u: no template is called '%s'",
		    c->template, line, column, name);
	if (c->card && !is_card(name))
		return err_set(c->err, ERR_CONFIG,
		    "%s:%u:%u: '%s' in a card; expected another card template", c->template, line,
		    column, name);
	return 0;
}

static int
check_templates(const struct render *r, struct error *err)
{
	for (size_t i = 0; i < r->nfiles; i++) {
		struct check c = { r, shown_name(&r->files[i]), is_card(r->files[i].name), err };

		if (r->compiled[i] != NULL &&
		    (template_each_name(r->compiled[i], check_name, &c) != 0 ||
			template_each_partial(r->compiled[i], check_partial, &c) != 0))
			return -1;
	}
	return 0;
}

static enum template_escape
escape_of(const char *name)
{
	if (ends_in(name, ".html"))
		return TEMPLATE_HTML;
	return strcmp(name, "subject.txt") == 0 ? TEMPLATE_HEADER : TEMPLATE_TEXT;
}

/* The user's file of that name in place of the built-in one. */
static int
load_override(struct render *r, struct render_template *file, const char *dir, struct error *err)
{
	struct strbuf bytes;
	char *path = arena_printf(&r->arena, "%s/%s", dir, file->name);
	int rc = -1;

	if (path == NULL)
		return err_nomem(err, "templates");
	if (!file_exists(path))
		return 0;
	strbuf_init(&bytes, MAX_TEMPLATE_BYTES);
	if (file_read(path, &bytes, err) == 0) {
		file->path = path;
		file->text = arena_strndup(&r->arena, bytes.buf, bytes.len);
		file->len = bytes.len;
		rc = file->text != NULL ? 0 : err_nomem(err, path);
	}
	strbuf_release(&bytes);
	return rc;
}

static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int
is_template_file(const struct dirent *e)
{
	return e->d_name[0] != '.' &&
	    (ends_in(e->d_name, ".html") || ends_in(e->d_name, ".txt") || is_words(e->d_name));
}

/* A file of the user's folder that is none of ours: a language more, or a misspelt name. */
static int
take_new_file(struct render *r, const char *dir, const char *name, struct error *err)
{
	const char *names[64];
	char hint[128];
	size_t n = 0;

	if (find_file(r, name) < r->nfiles)
		return 0;
	if (is_words(name)) {
		struct render_template *file = &r->files[r->nfiles];

		if (r->nfiles == builtin_count() + MAX_LANGUAGES)
			return err_set(
			    err, ERR_CONFIG, "%s: more than %d languages", dir, MAX_LANGUAGES);
		file->name = arena_strdup(&r->arena, name);
		file->help = "the fixed words, a language of yours";
		if (file->name == NULL)
			return err_nomem(err, name);
		r->nfiles++;
		return load_override(r, file, dir, err);
	}
	for (; n < r->nfiles && n < 63; n++)
		names[n] = r->files[n].name;
	names[n] = NULL;
	return err_set(err, ERR_CONFIG,
	    "%s/%s: no template has this name; see 'digest template list'%s", dir, name,
	    suggest(hint, sizeof(hint), name, names));
}

static int
load_folder(struct render *r, const char *dir, struct error *err)
{
	struct dirent **entries;
	int n = scandir(dir, &entries, is_template_file, by_name), rc = 0;

	if (n == -1)
		return err_set(err, ERR_CONFIG, "templates.dir: %s: %s", dir, strerror(errno));
	for (int i = 0; i < n; i++) {
		if (rc == 0)
			rc = take_new_file(r, dir, entries[i]->d_name, err);
		free(entries[i]);
	}
	free(entries);
	for (size_t i = 0; i < r->nfiles && rc == 0; i++)
		if (r->files[i].path == NULL)
			rc = load_override(r, &r->files[i], dir, err);
	return rc;
}

/* The built-in English first: all languages, an own English too, lean on it. */
static int
parse_words(struct render *r, struct error *err)
{
	const struct strings *base = NULL;
	struct render_template en;

	for (size_t i = 0; i < builtin_count() && base == NULL; i++) {
		builtin_get(i, &en);
		if (strcmp(en.name, "en.strings") == 0 &&
		    strings_parse(&r->arena, en.name, en.text, en.len, NULL, &base, err) == -1)
			return -1;
	}
	for (size_t i = 0; i < r->nfiles; i++) {
		const struct render_template *f = &r->files[i];

		if (is_words(f->name) &&
		    strings_parse(
			&r->arena, shown_name(f), f->text, f->len, base, &r->words[i], err) == -1)
			return -1;
	}
	return 0;
}

static int
compile_all(struct render *r, struct error *err)
{
	for (size_t i = 0; i < r->nfiles; i++) {
		const struct render_template *f = &r->files[i];

		if (!is_words(f->name) &&
		    template_compile(shown_name(f), f->text, f->len, escape_of(f->name),
			&r->compiled[i], err) == -1)
			return -1;
	}
	if (check_templates(r, err) == -1)
		return -1;
	for (size_t i = 0; i < r->nfiles; i++)
		if (r->compiled[i] != NULL)
			template_link(r->compiled[i], set_find_template, r);
	return 0;
}

/* What stands before and after a found word; quoted-printable for HTML. */
static int
load_mark(struct render *r, const char *name, struct mark_style *out, struct error *err)
{
	static const char word[] = "\x01";
	struct value *data = value_object(&r->arena);
	const char *at, *parts[2] = { NULL, NULL };
	struct strbuf sb, coded;
	int rc;

	value_set_string(&r->arena, data, "label", word);
	if (value_check(&r->arena, err) == -1)
		return -1;
	strbuf_init(&sb, MAX_TEMPLATE_BYTES);
	rc = render_template(r, name, data, &sb, err);
	while (sb.len > 0 && sb.buf[sb.len - 1] == '\n')
		strbuf_truncate(&sb, sb.len - 1);
	at = strstr(sb.buf, word);
	if (rc == 0 && (at == NULL || strstr(at + 1, word) != NULL || strchr(sb.buf, '\n') != NULL))
		rc = err_set(err, ERR_CONFIG, "%s: expected {{label}} once, on one line",
		    shown_name(&r->files[find_file(r, name)]));
	for (int i = 0; i < 2 && rc == 0; i++) {
		const char *text = i == 0 ? sb.buf : at + 1;
		size_t len = i == 0 ? (size_t)(at - sb.buf) : strlen(text);

		strbuf_init(&coded, MAX_TEMPLATE_BYTES);
		if (ends_in(name, ".html"))
			qp_add(&(struct qp){ &coded, 0, QP_CARD_COLUMNS }, text, len);
		else
			strbuf_addn(&coded, text, len);
		if (strbuf_check(&coded, err) == -1 ||
		    (parts[i] = arena_strndup(&r->arena, coded.buf, coded.len)) == NULL)
			rc = err_nomem(err, name);
		strbuf_release(&coded);
	}
	strbuf_release(&sb);
	*out = (struct mark_style){ parts[0], parts[1] };
	return rc;
}

static int
load(struct render *r, const char *user_dir, struct error *err)
{
	size_t room = builtin_count() + MAX_LANGUAGES + 1;

	r->files = arena_array(&r->arena, room, sizeof(*r->files));
	r->compiled = arena_array(&r->arena, room, sizeof(struct template *));
	r->words = arena_array(&r->arena, room, sizeof(const struct strings *));
	if (r->files == NULL || r->compiled == NULL || r->words == NULL)
		return err_nomem(err, "templates");
	for (; r->nfiles < builtin_count(); r->nfiles++)
		builtin_get(r->nfiles, &r->files[r->nfiles]);
	if (user_dir != NULL && load_folder(r, user_dir, err) == -1)
		return -1;
	if (parse_words(r, err) == -1 || compile_all(r, err) == -1 ||
	    load_mark(r, "card-mark.html", &r->html_mark, err) == -1 ||
	    load_mark(r, "card-mark.txt", &r->text_mark, err) == -1)
		return -1;
	return cards_new(MAX_CARDS_BYTES, &r->cards, err);
}

int
render_new(const char *user_dir, struct render **out, struct error *err)
{
	struct render *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return err_nomem(err, "templates");
	arena_init(&r->arena, MAX_SET_BYTES);
	if (load(r, user_dir, err) == -1) {
		render_free(r);
		return -1;
	}
	*out = r;
	return 0;
}

void
render_free(struct render *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < r->nfiles && r->compiled != NULL; i++)
		template_free(r->compiled[i]);
	cards_free(r->cards);
	arena_release(&r->arena);
	free(r);
}

void
render_trim(struct render *r)
{
	cards_trim(r->cards);
}

const struct render_template *
render_templates(const struct render *r)
{
	return r->files;
}

int
render_template(struct render *r, const char *name, const struct value *data, struct strbuf *out,
    struct error *err)
{
	const struct template *t = set_find_template(r, name);

	if (t == NULL)
		return err_set(err, ERR_CONFIG,
		    "no template is called '%s'; see 'digest template list'", name);
	return template_render(t, data, set_find_template, r, out, err);
}

void
render_add_sentence(
    const struct render *r, const char *language, const struct sentence *s, struct strbuf *out)
{
	const struct strings *strings = set_find_words(r, language);
	struct strbuf date, usual, source;

	strbuf_init(&date, MAX_NAME_BYTES);
	strbuf_init(&usual, MAX_NAME_BYTES);
	strbuf_init(&source, 2 * MAX_NAME_BYTES);
	strings_add_date(&date, strings, "date-short", s->day);
	strings_add_count(&usual, strings, "number", s->usual, NULL);
	text_add_clean(&source, s->source, strlen(s->source), MAX_NAME_BYTES);
	strbuf_add(out, out->len > 0 ? " " : "");
	strings_add_count(out, strings, s->key, s->n,
	    (const struct word[]){ { "source", source.buf }, { "date", date.buf },
		{ "usual", usual.buf }, { NULL, NULL } });
	strbuf_release(&date);
	strbuf_release(&usual);
	strbuf_release(&source);
}
