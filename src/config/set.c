#include "config/keys.h"
#include "digest/date.h"
#include "digest/file.h"
#include "digest/text.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SHOWN = 4096 }; /* part of the line of a query, and a caret */

void
config_complain_at(
    const struct config_setting *set, struct config_place place, const char *fmt, ...)
{
	char message[480];
	va_list ap;

	if (set->complain == NULL)
		return;
	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	set->complain(set->arg, place, message, "");
}

void
config_complain_query(const struct config_setting *set, struct config_place place,
    const char *query, size_t offset, const char *fmt, ...)
{
	struct strbuf shown;
	char message[480];
	va_list ap;

	if (set->complain == NULL)
		return;
	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	strbuf_init(&shown, MAX_SHOWN);
	if (query[0] != '\0')
		text_add_caret(&shown, query, offset);
	set->complain(set->arg, place, message, shown.buf);
	strbuf_release(&shown);
}

const char *
config_choice(const char *type, unsigned i, size_t *len)
{
	static const char one_of[] = "one of ";

	type =
	    strncmp(type, one_of, sizeof(one_of) - 1) == 0 ? type + sizeof(one_of) - 1 : "yes|no";
	while (i-- > 0) {
		type = strchr(type, '|');
		if (type == NULL)
			return NULL;
		type++;
	}
	*len = strcspn(type, "|");
	return type;
}

/* What one value is read from and what became wrong with it. */
struct reading {
	const struct config_setting *set;
	const struct config_key_info *key;
	const struct config_scalar *s;
	void *record;
	size_t offset; /* of the wrong byte in the text */
	bool inside;   /* offset counts; else the place is the value's first byte */
	bool no_memory;
};

/* A setter puts the value at its place, or returns -1 with a message. */
typedef int setter(struct reading *r, void *at, struct error *err);

static int
put_string(void *at, const char *text)
{
	memcpy(at, &text, sizeof(text));
	return 0;
}

static int
set_string(struct reading *r, void *at, struct error *err)
{
	(void)err;
	return put_string(at, r->s->text);
}

static int
set_path(struct reading *r, void *at, struct error *err)
{
	struct strbuf path;
	const char *copy;

	if (r->s->text[0] == '\0')
		return err_set(err, ERR_CONFIG, "an empty path; expected a file or folder");
	strbuf_init(&path, 4096);
	file_resolve(&path, r->set->path, r->s->text);
	if (strbuf_check(&path, err) == -1) {
		r->no_memory = path.state == STRBUF_NOMEM;
		if (!r->no_memory)
			err_set(err, ERR_CONFIG, "the path is too long");
		strbuf_release(&path);
		return -1;
	}
	copy = arena_strdup(r->set->arena, path.buf);
	strbuf_release(&path);
	if (copy == NULL) {
		r->no_memory = true;
		return err_nomem(err, "path");
	}
	return put_string(at, copy);
}

/* Its beginning must be one of the range's; a password in it would end in logs. */
static int
set_url(struct reading *r, void *at, struct error *err)
{
	const char *url = r->s->text, *range = r->key->range, *host;
	size_t n;

	for (;; range += n + 1) {
		n = strcspn(range, "|");
		if (strncmp(url, range, n) == 0)
			break;
		if (range[n] == '\0')
			return err_set(err, ERR_CONFIG,
			    "'%.80s' is not an address; expected one that begins with %s", url,
			    r->key->range);
	}
	for (const char *c = url; *c != '\0'; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f)
			return err_set(
			    err, ERR_CONFIG, "a blank or control character in an address");
	host = strstr(url, "://");
	if (host != NULL && memchr(host + 3, '@', strcspn(host + 3, "/?#")) != NULL)
		return err_set(err, ERR_CONFIG,
		    "the address holds a user; expected it in the keys user and password");
	return put_string(at, url);
}

static int
set_address(struct reading *r, void *at, struct error *err)
{
	const char *canonical;

	r->inside = true;
	if (r->set->checks != NULL &&
	    r->set->checks->address(r->s->text, r->set->arena, &canonical, &r->offset, err) == -1)
		return -1;
	return put_string(at, r->s->text);
}

static int
set_schedule(struct reading *r, void *at, struct error *err)
{
	r->inside = true;
	if (r->set->checks != NULL && r->set->checks->schedule(r->s->text, &r->offset, err) == -1)
		return -1;
	return put_string(at, r->s->text);
}

static int
set_zone(struct reading *r, void *at, struct error *err)
{
	const char *name = r->s->text, *key;
	uint64_t known;

	if (r->set->checks == NULL ||
	    (r->set->zones != NULL && map_get(&r->set->zones->names, name, strlen(name), &known)))
		return put_string(at, name);
	if (r->set->checks->timezone(name, err) == -1) {
		if (r->set->lost_zone == NULL || err->kind == ERR_NOMEM)
			return -1;
		*r->set->lost_zone = (struct config_lost_zone){ name, r->s->place };
		return 0;
	}
	/* What cannot be kept is read again. */
	if (r->set->zones != NULL && (key = arena_strdup(&r->set->zones->arena, name)) != NULL)
		map_set(&r->set->zones->names, key, strlen(key), 1);
	return put_string(at, name);
}

static int
set_source(struct reading *r, void *at, struct error *err)
{
	if (r->set->checks != NULL && r->set->checks->source_type(r->s->text, err) == -1)
		return -1;
	return put_string(at, r->s->text);
}

static int
set_query(struct reading *r, void *at, struct error *err)
{
	struct filter *f = r->record;
	struct config_place place = config_scalar_place(r->set->bytes, r->s, 0);

	(void)at;
	r->inside = true;
	f->match = r->s->text;
	f->line = place.line;
	f->column = place.column;
	if (r->s->text[0] == '\0')
		return err_set(
		    err, ERR_CONFIG, "an empty query; expected words, or '*' for every paper");
	if (r->set->checks != NULL)
		return r->set->checks->query(r->s->text, &r->offset, err);
	return 0;
}

static int
set_rate(struct reading *r, void *at, struct error *err)
{
	static const char *const units[] = { "sec", "min", "hour", "day", "s", "h", "d" };
	size_t digits = strspn(r->s->text, "0123456789");
	const char *unit = r->s->text + digits;

	if (digits > 0 && digits < 10 && strtoul(r->s->text, NULL, 10) > 0 && *unit == '/')
		for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
			if (strcmp(unit + 1, units[i]) == 0)
				return put_string(at, r->s->text);
	return err_set(err, ERR_CONFIG,
	    "'%.60s' is not a rate; expected a number for each sec, min, hour or day, as in "
	    "600/min",
	    r->s->text);
}

/* Number of the choice called text, or -1 with the nearest one. */
static int
find_choice(const struct config_key_info *key, const char *text, struct error *err)
{
	char words[8][32];
	const char *names[9] = { NULL }, *word, *near;
	size_t len;

	for (unsigned i = 0; i < 8 && (word = config_choice(key->type, i, &len)) != NULL; i++) {
		snprintf(words[i], sizeof(words[i]), "%.*s", (int)len, word);
		names[i] = words[i];
		if (strcmp(words[i], text) == 0)
			return (int)i;
	}
	near = text_nearest(text, names);
	return err_set(err, ERR_CONFIG, "'%.60s' is none of the choices; expected %s%s%s%s", text,
	    strncmp(key->type, "one of ", 7) == 0 ? key->type : "yes or no",
	    near != NULL ? "; did you mean '" : "", near != NULL ? near : "",
	    near != NULL ? "'?" : "");
}

static int
set_choice(struct reading *r, void *at, struct error *err)
{
	if (find_choice(r->key, r->s->text, err) == -1)
		return -1;
	return put_string(at, r->s->text);
}

static int
set_enum(struct reading *r, void *at, struct error *err)
{
	int i = find_choice(r->key, r->s->text, err);

	if (i == -1)
		return -1;
	memcpy(at, &i, sizeof(i));
	return 0;
}

static int
set_bool(struct reading *r, void *at, struct error *err)
{
	bool plain = strcmp(r->key->type, "yes/no") == 0;
	int i;

	if (plain && strcmp(r->s->text, "true") == 0)
		i = 0;
	else if (plain && strcmp(r->s->text, "false") == 0)
		i = 1;
	else if ((i = find_choice(r->key, r->s->text, err)) == -1)
		return -1;
	*(bool *)at = i == 0;
	return 0;
}

/* "4", "0.5", "20s" or "16M", by kind. */
static int
read_number(unsigned kind, const char *text, double *out, struct error *err)
{
	static const char units[] = "KMG";
	size_t digits = strspn(text, "0123456789");
	const char *rest = text + digits, *unit;
	int64_t seconds;

	if (kind == KIND_DURATION) {
		if (date_parse_duration(text, &seconds, err) == -1)
			return -1;
		*out = (double)seconds;
		return 0;
	}
	if (digits == 0 || digits > 12)
		return err_set(err, ERR_CONFIG, "'%.60s' is not a number", text);
	*out = (double)strtoll(text, NULL, 10);
	if (kind == KIND_SIZE && *rest != '\0' && (unit = strchr(units, *rest)) != NULL) {
		for (; unit >= units; unit--)
			*out *= 1024;
		rest++;
	} else if (kind == KIND_REAL && *rest == '.') {
		double place = 1;

		for (rest++; *rest >= '0' && *rest <= '9'; rest++)
			*out += (*rest - '0') * (place /= 10);
	}
	if (*rest != '\0')
		return err_set(err, ERR_CONFIG, "'%.60s' is not a %s", text,
		    kind == KIND_SIZE ? "size; expected a number, with K, M or G" : "number");
	return 0;
}

static int
check_range(const struct config_key_info *key, double n, const char *text, struct error *err)
{
	char low[32];
	const char *dots = strstr(key->range, "..");
	double min, max;

	if (dots == NULL)
		return 0;
	snprintf(low, sizeof(low), "%.*s", (int)(dots - key->range), key->range);
	if (read_number(key->kind, low, &min, err) == -1 ||
	    read_number(key->kind, dots + 2, &max, err) == -1)
		return -1;
	if (n < min || n > max)
		return err_set(
		    err, ERR_CONFIG, "%.60s is out of range; expected %s", text, key->range);
	return 0;
}

static int
set_number(struct reading *r, void *at, struct error *err)
{
	double n;

	if (read_number(r->key->kind, r->s->text, &n, err) == -1) {
		if (strstr(err->msg, "expected") == NULL)
			return err_set(err, ERR_CONFIG, "'%.60s' is not a number; expected %s",
			    r->s->text, r->key->range[0] != '\0' ? r->key->range : "digits");
		return -1;
	}
	if (check_range(r->key, n, r->s->text, err) == -1)
		return -1;
	if (r->key->kind == KIND_NUMBER)
		*(uint32_t *)at = (uint32_t)n;
	else if (r->key->kind == KIND_REAL)
		*(double *)at = n;
	else
		*(int64_t *)at = (int64_t)n;
	return 0;
}

static int
set_day(struct reading *r, void *at, struct error *err)
{
	return date_parse_day(r->s->text, at, err);
}

static setter *const setters[] = {
	[KIND_STRING] = set_string,
	[KIND_SECRET] = set_string,
	[KIND_PATH] = set_path,
	[KIND_URL] = set_url,
	[KIND_ADDRESS] = set_address,
	[KIND_SCHEDULE] = set_schedule,
	[KIND_ZONE] = set_zone,
	[KIND_RATE] = set_rate,
	[KIND_SOURCE] = set_source,
	[KIND_CHOICE] = set_choice,
	[KIND_ENUM] = set_enum,
	[KIND_BOOL] = set_bool,
	[KIND_NUMBER] = set_number,
	[KIND_DURATION] = set_number,
	[KIND_SIZE] = set_number,
	[KIND_REAL] = set_number,
	[KIND_DAY] = set_day,
	[KIND_QUERY] = set_query,
};

/* "10.0.0.0/8" or "fd00::/8"; no bits beyond the prefix are asked of the writer. */
static bool
is_network(const char *text)
{
	char host[64], *end;
	const char *slash = strchr(text, '/');
	unsigned char address[16];
	long bits;
	bool v6;

	if (slash == NULL || (size_t)(slash - text) >= sizeof(host) || slash[1] < '0' ||
	    slash[1] > '9')
		return false;
	snprintf(host, sizeof(host), "%.*s", (int)(slash - text), text);
	bits = strtol(slash + 1, &end, 10);
	v6 = strchr(host, ':') != NULL;
	return *end == '\0' && bits <= (v6 ? 128 : 32) &&
	    inet_pton(v6 ? AF_INET6 : AF_INET, host, address) == 1;
}

/* What is wrong with a text of a list, NULL = nothing; expected gets what it should be. */
static const char *
judge_text(const struct config_key_info *key, const char *text, const char **expected)
{
	int32_t day;

	if (key->kind == KIND_NETWORKS && !is_network(text)) {
		*expected = "an address and a prefix length, as in 10.0.0.0/8";
		return "network";
	}
	if (key->kind == KIND_DAYS && date_parse_day(text, &day, NULL) == -1) {
		*expected = "a day, as in 2026-11-26";
		return "date";
	}
	return NULL;
}

static int
set_list(const struct config_setting *set, const struct config_key_info *key,
    const struct config_item *it, void *record, struct error *err)
{
	const char **texts = arena_array(set->arena, it->nvalues, sizeof(*texts));
	const char *what, *expected;
	char *base = record;

	if (texts == NULL)
		return err_nomem(err, "configuration");
	for (size_t i = 0; i < it->nvalues; i++) {
		texts[i] = it->values[i].text;
		if ((what = judge_text(key, texts[i], &expected)) != NULL)
			config_complain_at(set, it->values[i].place,
			    "%s: '%.60s' is not a %s; expected %s", key->name, texts[i], what,
			    expected);
	}
	if (key->kind == KIND_USE) {
		struct config_reader *reader = record;

		reader->use = it->values;
	} else {
		memcpy(base + key->at, &texts, sizeof(texts));
	}
	memcpy(base + key->count_at, &it->nvalues, sizeof(it->nvalues));
	return 0;
}

int
config_set_key(const struct config_setting *set, const struct config_key_info *key,
    const struct config_item *it, void *record, struct error *err)
{
	struct reading r = { .set = set, .key = key, .record = record, .s = it->values };
	bool wants_list = key->count_at != 0;
	struct error wrong;

	if (wants_list != it->is_list) {
		if (wants_list)
			config_complain_at(set, it->values[0].place,
			    "%s: one value; expected a list, as in { \"a\", \"b\" }", key->name);
		else
			config_complain_at(set, it->place, "%s: a list; expected one %s", key->name,
			    strncmp(key->type, "one of ", 7) == 0 ? "value" : key->type);
		return 0;
	}
	if (wants_list)
		return set_list(set, key, it, record, err);
	err_clear(&wrong);
	if (setters[key->kind](&r, (char *)record + key->at, &wrong) == 0)
		return 0;
	if (r.no_memory || wrong.kind == ERR_NOMEM)
		return err_nomem(err, "configuration");
	if (key->kind == KIND_QUERY)
		config_complain_query(set, config_scalar_place(set->bytes, r.s, r.offset),
		    r.s->text, r.offset, "%s: %s", key->name, wrong.msg);
	else
		config_complain_at(set,
		    r.inside ? config_scalar_place(set->bytes, r.s, r.offset) : r.s->place,
		    "%s: %s", key->name, wrong.msg);
	return 0;
}

/* Nothing given and no default: "" for texts, -1 for times, 0 for the rest. */
static void
set_nothing(const struct config_key_info *key, void *record)
{
	char *at = (char *)record + key->at;

	if (key->kind == KIND_DURATION)
		*(int64_t *)(void *)at = -1;
	else if (key->kind <= KIND_CHOICE || key->kind == KIND_QUERY)
		put_string(at, "");
}

int
config_set_defaults(
    const struct config_block *block, struct arena *arena, void *record, struct error *err)
{
	struct config_setting set = { .path = "", .arena = arena };
	struct config_parser p;
	struct config_item it;
	size_t n;
	const struct config_key_info *rows = config_block_keys(block, &n);

	for (size_t i = 0; i < n; i++) {
		const char *text = arena_printf(arena, "%s = %s", rows[i].name, rows[i].def);

		set_nothing(&rows[i], record);
		if (text == NULL)
			return err_nomem(err, "configuration");
		if (rows[i].def[0] == '\0')
			continue;
		set.bytes = text;
		config_parser_init(
		    &p, text, strlen(text), 0, (struct config_place){ 1, 1 }, arena, NULL, NULL);
		if (config_parser_next(&p, &it, err) != 1 ||
		    config_set_key(&set, &rows[i], &it, record, err) == -1)
			return -1;
	}
	return 0;
}
