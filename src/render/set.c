#include "render/frame.h"
#include "render/parts.h"
#include "digest/file.h"
#include "digest/limits.h"
#include "digest/render.h"
#include "digest/text.h"
#include "digest/utf8.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	MAX_SET_BYTES = 16 * 1024 * 1024,
	MAX_FRAMES_BYTES = 16 * 1024 * 1024,
	MAX_OTHERS = 100,
	MAX_NAMES = 250
};

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

/* The file of a language: of "de-AT" its own, else that of "de"; the number of files when there is none. */
static size_t
find_language(const struct render *r, const char *language)
{
	const size_t lengths[] = { strlen(language), strcspn(language, "-_") };

	/* For each mail: nothing is put together first. */
	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; i < r->nfiles; i++)
			if (strncmp(r->files[i].name, language, lengths[k]) == 0 &&
			    strcmp(r->files[i].name + lengths[k], ".strings") == 0)
				return i;
	return r->nfiles;
}

const struct strings *
set_find_words(const struct render *r, const char *language)
{
	size_t i = find_language(r, language);

	if (i == r->nfiles)
		i = find_file(r, "en.strings");
	return r->words[i] != NULL ? r->words[i] : r->english;
}

/* Where a check of names has come to. */
struct check {
	struct render *r;
	struct render_template *file;
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
	const char *names[MAX_NAMES + 1];
	char hint[128];
	size_t n = 0;

	for (const struct context_name *k = context_names; k->name != NULL && n < MAX_NAMES; k++)
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

static int
fail_key(const struct check *c, const char *key, unsigned line, unsigned column)
{
	const struct value *texts = strings_value(c->r->english);
	const char *names[MAX_NAMES + 1];
	char hint[128];
	size_t n = 0;

	for (; n < value_member_count(texts) && n < MAX_NAMES; n++)
		value_member_at(texts, n, &names[n]);
	names[n] = NULL;
	return err_set(c->err, ERR_CONFIG,
	    "%s:%u:%u: no text is called '%s'; expected a key of en.strings%s", c->template, line,
	    column, key, suggest(hint, sizeof(hint), key, names));
}

/* Each part of a dotted name; what stands after "text" is a key of the words. */
static int
check_name(const struct check *c, const char *name, unsigned line, unsigned column)
{
	bool in_text = false;

	if (strcmp(name, ".") == 0)
		return 0;
	for (const char *at = name; *at != '\0';) {
		size_t len = strcspn(at, ".");
		const struct context_name *known = find_name(at, len);
		char part[100];

		snprintf(part, sizeof(part), "%.*s", (int)(len < 99 ? len : 99), at);
		if (in_text) {
			if (strings_get(c->r->english, part)[0] == '\0')
				return fail_key(c, part, line, column);
		} else if (known == NULL || (c->card && !known->in_card)) {
			return fail_name(c, part, line, column);
		}
		in_text = at == name && strcmp(part, "text") == 0;
		at += len + (at[len] == '.');
	}
	return 0;
}

/* The names of all templates; a card may use only other cards. */
static void
list_templates(const struct render *r, bool card, const char *names[MAX_NAMES + 1])
{
	size_t n = 0;

	for (size_t i = 0; i < builtin_count() && n < MAX_NAMES; i++)
		if (!is_words(r->files[i].name) && (!card || is_card(r->files[i].name)))
			names[n++] = r->files[i].name;
	names[n] = NULL;
}

static int
check_partial(const struct check *c, const char *name, unsigned line, unsigned column)
{
	const char *names[MAX_NAMES + 1];
	char hint[128];
	size_t i = 0;

	list_templates(c->r, c->card, names);
	while (names[i] != NULL && strcmp(names[i], name) != 0)
		i++;
	if (names[i] != NULL)
		return 0;
	if (c->card && find_file(c->r, name) < c->r->nfiles)
		return err_set(c->err, ERR_CONFIG,
		    "%s:%u:%u: '%s' in a card; expected another card template", c->template, line,
		    column, name);
	return err_set(c->err, ERR_CONFIG,
	    "%s:%u:%u: no template is called '%s'; expected one of 'digest template list'%s",
	    c->template, line, column, name, suggest(hint, sizeof(hint), name, names));
}

/*
 * A file that is wrong is not used, and says why; the others are read on, so that a person sees all faults at once. Only
 * memory that is short stops the loading.
 */
static int
note_fault(struct render *r, struct render_template *file, struct error *err)
{
	if (err->kind == ERR_NOMEM)
		return -1;
	if (file->nfaults == 0)
		file->fault = arena_strdup(&r->arena, err->msg);
	else if (file->nfaults < MAX_TEMPLATE_FAULTS)
		file->more_faults = arena_printf(&r->arena, "%s%s\n",
		    file->more_faults != NULL ? file->more_faults : "", err->msg);
	file->nfaults++;
	if (file->fault == NULL || (file->nfaults > 1 && file->more_faults == NULL))
		return err_nomem(err, "templates");
	err_clear(err);
	return 0;
}

static int
look_at_name(void *arg, const char *name, unsigned line, unsigned column)
{
	const struct check *c = arg;

	return check_name(c, name, line, column) == 0 ? 0 : note_fault(c->r, c->file, c->err);
}

static int
look_at_partial(void *arg, const char *name, unsigned line, unsigned column)
{
	const struct check *c = arg;

	return check_partial(c, name, line, column) == 0 ? 0 : note_fault(c->r, c->file, c->err);
}

static int
check_templates(struct render *r, struct error *err)
{
	for (size_t i = 0; i < r->nfiles; i++) {
		struct render_template *file = &r->files[i];
		struct check c = { r, file, shown_name(file), is_card(file->name), err };

		if (r->compiled[i] != NULL &&
		    (template_each_name(r->compiled[i], look_at_name, &c) != 0 ||
			template_each_partial(r->compiled[i], look_at_partial, &c) != 0))
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

/* Mails are UTF-8; some editors begin a file with a mark that says so. */
static int
check_bytes(struct render_template *file, struct error *err)
{
	unsigned line = 1, column = 1;
	uint32_t cp;

	if (file->len >= 3 && memcmp(file->text, "\xef\xbb\xbf", 3) == 0) {
		file->text += 3;
		file->len -= 3;
	}
	for (size_t i = 0, n; i < file->len; i += n, column++) {
		n = utf8_decode(file->text + i, file->len - i, &cp);
		if (n == 0 || cp == 0)
			return err_set(err, ERR_CONFIG,
			    "%s:%u:%u: byte 0x%02x is no text; expected UTF-8", file->path, line,
			    column, (unsigned char)file->text[i]);
		if (cp == '\n') {
			line++;
			column = 0;
		}
	}
	return 0;
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
	file->path = path;
	strbuf_init(&bytes, MAX_TEMPLATE_BYTES);
	if (file_read(path, &bytes, err) == 0) {
		file->text = arena_strndup(&r->arena, bytes.buf, bytes.len);
		file->len = bytes.len;
		rc = file->text != NULL ? check_bytes(file, err) : err_nomem(err, path);
	} else if (bytes.state == STRBUF_TOO_LONG) {
		err_set(err, ERR_CONFIG, "%s:1:1: more than %u bytes; expected a template", path,
		    MAX_TEMPLATE_BYTES);
	}
	strbuf_release(&bytes);
	return rc == 0 ? 0 : note_fault(r, file, err);
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
	struct render_template *file = &r->files[r->nfiles];
	const char *names[MAX_NAMES + 1];
	char hint[128];

	if (find_file(r, name) < r->nfiles)
		return 0;
	if (r->nfiles == builtin_count() + MAX_OTHERS)
		return err_set(err, ERR_CONFIG,
		    "templates.dir: %s: more than %d files that are none of the templates", dir,
		    MAX_OTHERS);
	file->name = arena_strdup(&r->arena, name);
	file->help = is_words(name) ? "the fixed words, a language of yours" : "not a template";
	if (file->name == NULL)
		return err_nomem(err, name);
	r->nfiles++;
	if (is_words(name))
		return load_override(r, file, dir, err);
	file->path = arena_printf(&r->arena, "%s/%s", dir, name);
	if (file->path == NULL)
		return err_nomem(err, name);
	list_templates(r, false, names);
	err_set(err, ERR_CONFIG, "%s: no template has this name; see 'digest template list'%s",
	    file->path, suggest(hint, sizeof(hint), name, names));
	return note_fault(r, file, err);
}

static int
load_folder(struct render *r, const char *dir, struct error *err)
{
	struct dirent **entries;
	int n = scandir(dir, &entries, is_template_file, by_name), rc = 0;

	if (n == -1)
		return err_set(err, ERR_CONFIG,
		    "templates.dir: %s: %s; expected a folder, as 'digest template copy' makes it",
		    dir, strerror(errno));
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

static int
look_at_words(void *arg, struct error *err)
{
	const struct check *c = arg;

	return note_fault(c->r, c->file, err);
}

/* The built-in English first: all languages, an own English too, lean on it. */
static int
parse_words(struct render *r, struct error *err)
{
	struct render_template en;

	for (size_t i = 0; i < builtin_count() && r->english == NULL; i++) {
		builtin_get(i, &en);
		if (strcmp(en.name, "en.strings") == 0 &&
		    strings_parse(
			&r->arena, en.name, en.text, en.len, NULL, NULL, &r->english, err) == -1)
			return -1;
	}
	for (size_t i = 0; i < r->nfiles; i++) {
		struct render_template *f = &r->files[i];
		struct check c = { .r = r, .file = f };
		const struct strings_faults faults = { look_at_words, &c };

		if (is_words(f->name) && f->fault == NULL &&
		    strings_parse(&r->arena, shown_name(f), f->text, f->len, r->english, &faults,
			&r->words[i], err) == -1)
			return -1;
	}
	return 0;
}

static int
compile_all(struct render *r, struct error *err)
{
	for (size_t i = 0; i < r->nfiles; i++) {
		struct render_template *f = &r->files[i];

		if (!is_words(f->name) && f->fault == NULL &&
		    template_compile(shown_name(f), f->text, f->len, escape_of(f->name),
			&r->compiled[i], err) == -1 &&
		    note_fault(r, f, err) == -1)
			return -1;
	}
	if (check_templates(r, err) == -1)
		return -1;
	for (size_t i = 0; i < r->nfiles; i++)
		if (r->compiled[i] != NULL)
			template_link(r->compiled[i], set_find_template, r);
	return 0;
}

/* A mark that cannot be drawn is the fault of its file. */
static int
load_mark(struct render *r, const char *name, struct mark_style *out, struct error *err)
{
	struct render_template *file = &r->files[find_file(r, name)];

	*out = (struct mark_style){ .open = "", .close = "" };
	if (file->fault != NULL || mark_load(r, name, out, err) == 0)
		return 0;
	if (err->kind == ERR_CONFIG)
		err_prefix(err, "%s", shown_name(file));
	return note_fault(r, file, err);
}

static int
load(struct render *r, const char *user_dir, struct error *err)
{
	size_t room = builtin_count() + MAX_OTHERS + 1;

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
	frames_load(r);
	return cards_new(MAX_CARDS_BYTES, &r->cards, err);
}

int
render_load(const char *user_dir, struct render **out, struct error *err)
{
	struct render *r = calloc(1, sizeof(*r));
	struct error local;

	if (err == NULL)
		err = &local;
	if (r == NULL)
		return err_nomem(err, "templates");
	arena_init(&r->arena, MAX_SET_BYTES);
	arena_init(&r->frames, MAX_FRAMES_BYTES);
	if (load(r, user_dir, err) == -1) {
		render_free(r);
		return -1;
	}
	*out = r;
	return 0;
}

static int
check_faults(const struct render *r, bool words, struct error *err)
{
	for (size_t i = 0; i < r->nfiles; i++)
		if (r->files[i].fault != NULL && is_words(r->files[i].name) == words)
			return err_set(err, ERR_CONFIG, "%s", r->files[i].fault);
	return 0;
}

int
render_check(const struct render *r, struct error *err)
{
	return check_faults(r, false, err);
}

int
render_check_language(const struct render *r, const char *language, struct error *err)
{
	size_t i = find_language(r, language);

	if (i == r->nfiles)
		i = find_file(r, "en.strings");
	return r->files[i].fault == NULL ? 0 : err_set(err, ERR_CONFIG, "%s", r->files[i].fault);
}

bool
render_has_language(const struct render *r, const char *language)
{
	return find_language(r, language) < r->nfiles;
}

void
render_add_languages(const struct render *r, struct strbuf *out)
{
	for (size_t i = 0, n = 0; i < r->nfiles; i++) {
		const char *name = r->files[i].name;

		if (is_words(name))
			strbuf_addf(out, "%s%.*s", n++ > 0 ? ", " : "",
			    (int)(strlen(name) - strlen(".strings")), name);
	}
}

int
render_new(const char *user_dir, struct render **out, struct error *err)
{
	struct render *r;

	if (render_load(user_dir, &r, err) == -1)
		return -1;
	if (check_faults(r, false, err) == -1 || check_faults(r, true, err) == -1) {
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
	arena_release(&r->frames);
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
		return err_set(
		    err, ERR_USAGE, "no template is called '%s'; see 'digest template list'", name);
	return template_render(t, data, set_find_template, r, out, err);
}

int
render_text(struct render *r, const char *name, const char *text, size_t len,
    const struct value *data, struct strbuf *out, struct error *err)
{
	struct template *t = NULL;
	int rc = template_compile(name, text, len, escape_of(name), &t, err);

	if (rc == 0)
		rc = template_render(t, data, set_find_template, r, out, err);
	template_free(t);
	return rc;
}

size_t
render_missing_texts(const struct render *r, const char *name, const char **keys, size_t max)
{
	size_t i = find_file(r, name);

	return i < r->nfiles && r->words[i] != NULL ? strings_missing(r->words[i], keys, max) : 0;
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
