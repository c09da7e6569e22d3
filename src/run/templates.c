#include "stages.h"
#include "digest/file.h"
#include "digest/json.h"
#include "digest/limits.h"
#include "digest/text.h"

#include <stdio.h>
#include <string.h>

enum { HASH_DIGITS = 16, MAX_BEGINNING = 2000 /* bytes that may tell of the origin */ };

static const char copy_of[] = "Copy of the built-in ";

static const char *
folder(const struct run *run)
{
	const char *dir = run->cfg->templates.dir;

	return dir[0] != '\0' ? dir : NULL;
}

int
run_load_templates(const struct run *run, struct render **out, struct error *err)
{
	struct render *r;

	if (render_load(folder(run), &r, err) == -1)
		return -1;
	if (render_check(r, err) == -1) {
		render_free(r);
		return -1;
	}
	*out = r;
	return 0;
}

/* ---- what a file is a copy of ---- */

const char *
run_copy_name(enum run_copy copy)
{
	static const char *const names[] = {
		[COPY_NONE] = "",
		[COPY_SAME] = "same",
		[COPY_CHANGED] = "changed",
		[COPY_OLDER] = "older",
		[COPY_UNKNOWN] = "unknown",
		[COPY_OWN] = "own",
	};

	return names[copy];
}

static void
add_version(struct strbuf *out, const struct render_template *t)
{
	unsigned char hash[MESSAGE_HASH_BYTES];

	message_hash(t->builtin, t->builtin_len, hash);
	for (size_t i = 0; i < HASH_DIGITS / 2; i++)
		strbuf_addf(out, "%02x", hash[i]);
}

/* The first line of a copy: a comment that leaves nothing behind when it is drawn. */
static void
add_stamp(struct strbuf *out, const struct render_template *t)
{
	bool words = strstr(t->name, ".strings") != NULL;

	strbuf_addf(out, "%s%s%s ", words ? "# " : "{{! ", copy_of, t->name);
	add_version(out, t);
	strbuf_addf(
	    out, ". 'digest template check' tells when that has changed.%s\n", words ? "" : " }}");
}

/*
 * The origin that the beginning of a file tells, the name and the version of a template; false = it tells none.
 * first_line	its length when it is the one that tells, else 0: a person may have written something above
 */
static bool
read_stamp(const struct render_template *t, struct arena *a, const char **name,
    const char **version, size_t *first_line)
{
	size_t len = t->len < MAX_BEGINNING ? t->len : MAX_BEGINNING;
	const char *at = memmem(t->text, len, copy_of, strlen(copy_of)), *end, *blank;

	if (at == NULL)
		return false;
	end = memchr(at, '\n', (size_t)(t->text + t->len - at));
	end = end != NULL ? end + 1 : t->text + t->len;
	*first_line =
	    memchr(t->text, '\n', (size_t)(at - t->text)) == NULL ? (size_t)(end - t->text) : 0;
	at += strlen(copy_of);
	blank = memchr(at, ' ', (size_t)(end - at));
	if (blank == NULL || end - (blank + 1) < HASH_DIGITS)
		return false;
	*name = arena_strndup(a, at, (size_t)(blank - at));
	*version = arena_strndup(a, blank + 1, HASH_DIGITS);
	return *name != NULL && *version != NULL;
}

static const struct render_template *
find_file(const struct render_template *files, const char *name)
{
	for (; files->name != NULL; files++)
		if (strcmp(files->name, name) == 0)
			return files;
	return NULL;
}

/* Which version there is now of the template that a copy was made of. */
static bool
is_version_now(const struct render_template *of, const char *version)
{
	struct strbuf now;
	bool same;

	strbuf_init(&now, HASH_DIGITS);
	add_version(&now, of);
	same = strcmp(now.buf, version) == 0;
	strbuf_release(&now);
	return same;
}

static enum run_copy
judge(const struct run_template *t, const struct render_template *of, const char *version)
{
	const struct render_template *f = &t->file;

	if (f->path == NULL)
		return COPY_NONE;
	if (f->builtin != NULL && f->len == f->builtin_len &&
	    memcmp(f->text, f->builtin, f->len) == 0)
		return COPY_SAME;
	if (of != NULL && !is_version_now(of, version))
		return COPY_OLDER;
	if (f->builtin == NULL)
		return COPY_OWN;
	return of != NULL ? COPY_CHANGED : COPY_UNKNOWN;
}

static const char *
keep(struct arena *a, const char *text)
{
	return text != NULL ? arena_strdup(a, text) : NULL;
}

/* What the set knows of a file, for longer than the set lives. */
static int
keep_file(struct run_template *t, const struct render_template *f, struct arena *a)
{
	t->file = *f;
	t->file.name = keep(a, f->name);
	t->file.path = keep(a, f->path);
	t->file.fault = keep(a, f->fault);
	t->file.more_faults = keep(a, f->more_faults);
	t->file.text = arena_strndup(a, f->text != NULL ? f->text : "", f->len);
	return t->file.name != NULL && t->file.text != NULL &&
		(t->file.path != NULL || f->path == NULL) &&
		(t->file.fault != NULL || f->fault == NULL) &&
		(t->file.more_faults != NULL || f->more_faults == NULL)
	    ? 0
	    : -1;
}

static int
look_at(struct run_template *t, const struct render_template *files, const struct render *r,
    struct arena *a)
{
	const struct render_template *of = NULL;
	const char *version = "";
	struct strbuf stamp;
	size_t line;

	if (t->file.builtin != NULL) {
		strbuf_init(&stamp, MAX_HEADER_TEXT);
		add_stamp(&stamp, &t->file);
		t->stamp = arena_strndup(a, stamp.buf, stamp.len);
		strbuf_release(&stamp);
		if (t->stamp == NULL)
			return -1;
	}
	t->made_of = "";
	if (t->file.path != NULL && read_stamp(&t->file, a, &t->made_of, &version, &line)) {
		t->has_stamp = line > 0;
		t->file.text += line;
		t->file.len -= line;
		of = find_file(files, t->made_of);
		/* A copy under the name of another built-in one is no copy of that. */
		if (of != NULL &&
		    (of->builtin == NULL ||
			(t->file.builtin != NULL && strcmp(of->name, t->file.name) != 0)))
			of = NULL;
	}
	t->copy = judge(t, of, version);
	if (t->file.path != NULL)
		t->nmissing = render_missing_texts(r, t->file.name, t->missing, RUN_MISSING_SHOWN);
	for (size_t i = 0; i < t->nmissing && i < RUN_MISSING_SHOWN; i++)
		if ((t->missing[i] = arena_strdup(a, t->missing[i])) == NULL)
			return -1;
	return 0;
}

int
run_list_templates(
    const struct run *run, struct arena *a, struct run_template **out, size_t *n, struct error *err)
{
	const char *dir = folder(run);
	const struct render_template *files;
	struct render *r;
	size_t len = 0;
	int rc = 0;

	if (render_load(dir != NULL && file_exists(dir) ? dir : NULL, &r, err) == -1)
		return -1;
	files = render_templates(r);
	while (files[len].name != NULL)
		len++;
	*n = len;
	*out = arena_array(a, len, sizeof(**out));
	for (size_t i = 0; i < len && rc == 0 && *out != NULL; i++) {
		rc = keep_file(&(*out)[i], &files[i], a);
		if (rc == 0)
			rc = look_at(&(*out)[i], files, r, a);
	}
	render_free(r);
	return rc == 0 && *out != NULL ? 0 : err_nomem(err, "templates");
}

int
run_diff_template(const struct run_template *t, struct strbuf *out, struct error *err)
{
	char name[MAX_NAME_BYTES];
	const struct text_side from = { name, t->file.builtin, t->file.builtin_len, 1 };
	const struct text_side to = { t->file.path, t->file.text, t->file.len,
		t->has_stamp ? 2 : 1 };

	snprintf(name, sizeof(name), "built-in %s", t->file.name);
	return text_add_diff(out, &from, &to, err);
}

/* ---- copying ---- */

/* Where the copy of a template belongs. */
static int
add_path(const struct run *run, const char *name, struct strbuf *out, struct error *err)
{
	if (folder(run) == NULL)
		return err_set(err, ERR_CONFIG,
		    "%s: no folder for templates; expected templates { dir = \"templates\" }",
		    run->cfg->path);
	strbuf_addf(out, "%s/%s", folder(run), name);
	return strbuf_check(out, err);
}

/* Nothing is written before it is clear that nothing would be lost. */
static int
check_absent(const struct run *run, const char *name, struct error *err)
{
	struct strbuf path;
	int rc;

	strbuf_init(&path, MAX_URL_BYTES);
	rc = add_path(run, name, &path, err);
	if (rc == 0 && file_exists(path.buf))
		rc = err_set(err, ERR_USAGE,
		    "%s is there already; nothing was copied; --force overwrites what is yours",
		    path.buf);
	strbuf_release(&path);
	return rc;
}

static int
copy_one(const struct run *run, const struct render_template *t,
    void (*told)(void *arg, const char *path), void *arg, struct error *err)
{
	struct strbuf path, text;
	int rc;

	strbuf_init(&path, MAX_URL_BYTES);
	strbuf_init(&text, 2 * MAX_TEMPLATE_BYTES);
	add_stamp(&text, t);
	strbuf_addn(&text, t->builtin, t->builtin_len);
	rc = add_path(run, t->name, &path, err);
	if (rc == 0)
		rc = strbuf_check(&text, err);
	if (rc == 0)
		rc = file_make_dirs(folder(run), 0755, err);
	if (rc == 0)
		rc = file_write(path.buf, 0644, text.buf, text.len, err);
	if (rc == 0)
		told(arg, path.buf);
	strbuf_release(&text);
	strbuf_release(&path);
	return rc;
}

static bool
is_named(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return names == NULL;
}

int
run_copy_templates(const struct run *run, const char *const *names, size_t n, bool force,
    void (*told)(void *arg, const char *path), void *arg, struct error *err)
{
	const struct render_template *files;
	struct render *r;
	int rc = 0;

	/* The built-in ones, whatever there is in the folder. */
	if (render_load(NULL, &r, err) == -1)
		return -1;
	files = render_templates(r);
	for (size_t i = 0; i < n && rc == 0; i++)
		if (find_file(files, names[i]) == NULL)
			rc = err_set(err, ERR_USAGE,
			    "nothing built in is called '%s'; 'digest template list' names all",
			    names[i]);
	for (const struct render_template *t = files; t->name != NULL && rc == 0 && !force; t++)
		if (is_named(names, n, t->name))
			rc = check_absent(run, t->name, err);
	for (const struct render_template *t = files; t->name != NULL && rc == 0; t++)
		if (is_named(names, n, t->name))
			rc = copy_one(run, t, told, arg, err);
	render_free(r);
	return rc;
}

/* ---- drawing ---- */

/* JSON as the values templates read; numbers with a fraction keep their digits as text. */
struct value *
value_of_json(const json_t *json, struct arena *a)
{
	struct value *v;
	const char *key;
	json_t *item;
	size_t i;

	switch (json_typeof(json)) {
	case JSON_OBJECT:
		v = value_object(a);
		json_object_foreach((json_t *)(uintptr_t)json, key, item)
		    value_set(a, v, arena_strdup(a, key), value_of_json(item, a));
		return v;
	case JSON_ARRAY:
		v = value_list(a);
		json_array_foreach(json, i, item) value_append(a, v, value_of_json(item, a));
		return v;
	case JSON_STRING:
		return value_string(a, arena_strdup(a, json_string_value(json)));
	case JSON_INTEGER:
		return value_number(a, json_integer_value(json));
	case JSON_REAL:
		return value_string(a, arena_printf(a, "%.15g", json_real_value(json)));
	case JSON_TRUE:
		return value_bool(a, true);
	case JSON_FALSE:
		return value_bool(a, false);
	case JSON_NULL:
		break;
	}
	return value_null(a);
}

static int
read_data(const char *path, struct arena *a, struct value **out, struct error *err)
{
	bool is_stdin = strcmp(path, "-") == 0;
	struct strbuf bytes;
	json_t *json = NULL;
	int rc = -1;

	strbuf_init(&bytes, MAX_JSON_BYTES);
	if (file_read(is_stdin ? "/dev/stdin" : path, &bytes, err) == -1)
		goto out;
	if (json_read(bytes.buf, bytes.len, MAX_JSON_BYTES, &json, err) == -1) {
		err_prefix(err, "%s", path);
		goto out;
	}
	if (!json_is_object(json)) {
		err_set(err, ERR_DATA, "%s: expected a JSON object", path);
		goto out;
	}
	*out = value_of_json(json, a);
	rc = value_check(a, err);
out:
	json_decref(json);
	strbuf_release(&bytes);
	return rc;
}

static int
draw_file(struct render *r, const char *path, const struct value *data, struct strbuf *out,
    struct error *err)
{
	struct strbuf text;
	int rc;

	strbuf_init(&text, MAX_TEMPLATE_BYTES);
	rc = file_read(path, &text, err);
	if (rc == 0)
		rc = render_text(r, path, text.buf, text.len, data, out, err);
	strbuf_release(&text);
	return rc;
}

int
run_draw_template(const struct run *run, const char *name, const char *data_path,
    struct strbuf *out, struct error *err)
{
	struct render *r = NULL;
	struct value *data;
	struct arena a;
	int rc;

	arena_init(&a, MAX_READER_BYTES);
	rc = run_load_templates(run, &r, err);
	if (rc == 0)
		rc = read_data(data_path, &a, &data, err);
	if (rc == 0)
		rc = strchr(name, '/') != NULL ? draw_file(r, name, data, out, err)
					       : render_template(r, name, data, out, err);
	render_free(r);
	arena_release(&a);
	return rc;
}
