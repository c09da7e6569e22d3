/* Readers as lines of an export, one JSON object each, out and in. */
#include "run/intake.h"
#include "digest/json.h"
#include "digest/limits.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Members that are keys of digest.conf(5). */
static const struct {
	const char *member, *key;
	bool number;
} members[] = {
	{ "name", "name", false },
	{ "timezone", "timezone", false },
	{ "when", "when", false },
	{ "language", "language", false },
	{ "limit", "limit", true },
	{ "max_papers", "max-papers", true },
	{ "empty", "empty", false },
	{ "outside", "outside", true },
	{ "updates", "updates", false },
	{ "paused_until", "paused-until", false },
};

enum { NMEMBERS = sizeof(members) / sizeof(members[0]), MAX_WORD_BYTES = 31, DAY_SECONDS = 86400 };

static const char *const reasons[] = {
	[SUPPRESSED_UNSUBSCRIBED] = "unsubscribed",
	[SUPPRESSED_COMPLAINT] = "complaint",
	[SUPPRESSED_BOUNCED] = "bounced",
	[SUPPRESSED_OPERATOR] = "operator",
};

enum { NREASONS = sizeof(reasons) / sizeof(reasons[0]) };

static const struct {
	const char *name;
	enum intake_state state;
} states[] = {
	{ "active", INTAKE_READER },
	{ "paused", INTAKE_READER },
	{ "broken", INTAKE_READER },
	{ "left", INTAKE_LEFT },
	{ "ended", INTAKE_ENDED },
	{ "gone", INTAKE_ENDED },
};

/* ---- out ---- */

const char *
run_reader_state(struct run *run, const struct store_reader *r)
{
	if (r->suppressed)
		return "left";
	if (r->state == READER_ENDED)
		return "ended";
	if (r->vanished)
		return "gone"; /* the block, and nobody has confirmed it */
	if (due_is_paused(run, r, clock_now_utc(&run->clock)))
		return "paused";
	return r->broken ? "broken" : "active";
}

const char *
run_reason_name(enum suppression_reason reason)
{
	return (size_t)reason < NREASONS ? reasons[reason] : "";
}

const char *
run_reader_origin(const struct store_reader *r)
{
	static const char *const names[] = {
		[ORIGIN_FILE] = "file", [ORIGIN_COMMAND] = "command", [ORIGIN_MAIL] = "mail"
	};

	return names[r->sub.origin];
}

static void
set_text(
    struct arena *a, struct value *v, const char *member, const struct strbuf *text, bool number)
{
	if (number)
		value_set_number(a, v, member, strtoll(text->buf, NULL, 10));
	else
		value_set_string(a, v, member, arena_strdup(a, text->buf));
}

static struct value *
filter_value(const struct filter *f, struct arena *a)
{
	struct value *v = value_object(a);
	struct strbuf sort;

	strbuf_init(&sort, MAX_NAME_BYTES);
	config_add_filter_key(&sort, "sort", f);
	value_set_string(a, v, "name", f->name);
	value_set_string(a, v, "match", f->match);
	value_set_number(a, v, "limit", f->limit);
	value_set_string(a, v, "sort", arena_strdup(a, sort.buf));
	value_set_string(a, v, "when", f->when);
	strbuf_release(&sort);
	return v;
}

static struct value *
consents_value(const struct store_reader *r, struct arena *a)
{
	struct value *list = value_list(a);
	struct store_consent *consents;
	size_t n;

	if (store_read_consents(r->consent, a, &consents, &n, NULL) == -1)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		struct value *v = value_object(a);

		value_set_number(a, v, "at", consents[i].at_utc);
		value_set_string(a, v, "how", consents[i].how);
		value_set_string(a, v, "text", consents[i].text);
		value_append(a, list, v);
	}
	return list;
}

struct value *
run_reader_value(struct run *run, const struct store_reader *r, struct arena *a)
{
	struct value *v = value_object(a), *filters = value_list(a);
	struct subscriber sub = r->sub;
	enum suppression_reason reason;
	int64_t since_utc = 0;
	struct strbuf text;
	bool left = r->suppressed &&
	    store_is_suppressed(run->store, r->sub.canonical, &reason, &since_utc, NULL) == 1;

	/* One that is over is no longer anybody's business. */
	if (!due_is_paused(run, r, clock_now_utc(&run->clock)))
		sub.paused_until = 0;
	strbuf_init(&text, MAX_CONFIG_VALUE);
	value_set_string(a, v, "type", "subscriber");
	value_set_string(a, v, "address", r->sub.address);
	value_set_string(a, v, "state", run_reader_state(run, r));
	value_set_string(a, v, "origin", run_reader_origin(r));
	for (size_t i = 0; i < NMEMBERS; i++) {
		strbuf_reset(&text);
		config_add_reader_key(&text, members[i].key, &sub);
		set_text(a, v, members[i].member, &text, members[i].number);
	}
	value_set_string(a, v, "left", left ? run_reason_name(reason) : "");
	value_set_number(a, v, "left_since", left ? since_utc : 0);
	value_set_number(a, v, "created", r->created_utc);
	value_set_number(a, v, "ended", r->ended_utc);
	value_set_number(a, v, "last_edition", r->last_edition_utc);
	value_set(a, v, "consent", consents_value(r, a));
	for (size_t i = 0; i < r->sub.nfilters; i++)
		value_append(a, filters, filter_value(&r->sub.filters[i], a));
	value_set(a, v, "filters", filters);
	strbuf_release(&text);
	return v;
}

/* Some bytes as hexadecimal digits. */
static const char *
hex(const unsigned char *bytes, size_t n, struct arena *a)
{
	char *text = arena_alloc(a, 2 * n + 1);

	for (size_t i = 0; text != NULL && i < n; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	return text;
}

struct suppressions {
	struct run *run;
	struct arena *arena;
	void (*visit)(void *arg, const struct value *line);
	void *arg;
	bool any;
};

static void
put_key(struct suppressions *s)
{
	struct value *v = value_object(s->arena);

	value_set_string(s->arena, v, "type", "suppression-key");
	value_set_string(
	    s->arena, v, "key", hex(store_suppress_key(s->run->store), STORE_KEY_SIZE, s->arena));
	s->visit(s->arg, v);
	s->any = true;
}

static int
put_suppression(
    void *arg, const unsigned char *hash, enum suppression_reason reason, int64_t since_utc)
{
	struct suppressions *s = arg;
	struct value *v;

	if (!s->any)
		put_key(s);
	arena_reset(s->arena);
	v = value_object(s->arena);
	value_set_string(s->arena, v, "type", "suppression");
	value_set_string(s->arena, v, "hash", hex(hash, STORE_HASH_SIZE, s->arena));
	value_set_string(s->arena, v, "left", run_reason_name(reason));
	value_set_number(s->arena, v, "left_since", since_utc);
	s->visit(s->arg, v);
	return 0;
}

int
run_export_suppressions(struct run *run, struct arena *a,
    void (*visit)(void *arg, const struct value *line), void *arg, struct error *err)
{
	struct suppressions s = { run, a, visit, arg, false };

	return store_each_suppression(run->store, put_suppression, &s, err);
}

/* ---- in ---- */

/* One line at work. */
struct line {
	struct intake *in;
	const json_t *object;
	struct intake_row row;
	struct run_key keys[NMEMBERS];
	struct strbuf record; /* of consents */
	struct error *err;
	bool told; /* something was wrong, and told */
};

static int
fault(struct line *l, const char *member, const char *message)
{
	l->told = true;
	return intake_tell(l->in, l->row.line, member, message);
}

/* A string, or a number as one; "" when it is not there. */
static const char *
read_text(struct line *l, const json_t *object, const char *name, bool number)
{
	const json_t *value = json_object_get(object, name);
	size_t len;
	const char *text;
	int64_t n;

	if (value == NULL || json_is_null(value))
		return "";
	if (number) {
		if (json_get_int64(object, name, &n) &&
		    (text = arena_printf(&l->in->scratch, "%" PRId64, n)) != NULL)
			return text;
		fault(l, name, "expected a number");
		return "";
	}
	text = json_get_text(object, name, &len);
	if (text != NULL && strlen(text) == len)
		return text;
	fault(l, name, text != NULL ? "a NUL character; expected text" : "expected a string");
	return "";
}

static void
read_keys(struct line *l)
{
	struct run_wish *w = &l->row.wish;

	w->keys = l->keys;
	for (size_t i = 0; i < NMEMBERS; i++) {
		const char *text = read_text(l, l->object, members[i].member, members[i].number);

		if (text[0] != '\0')
			l->keys[w->nkeys++] = (struct run_key){ members[i].key, text };
	}
}

static int
read_filter(struct line *l, const json_t *object, struct filter *f)
{
	static const char *const keys[] = { "sort", "when", "limit" };
	struct error why = { .kind = ERR_NONE };

	*f = (struct filter){ .when = "", .file = "" };
	f->name = read_text(l, object, "name", false);
	f->match = read_text(l, object, "match", false);
	if (f->match[0] == '\0')
		return fault(l, "filters", "a filter without match; expected a query");
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		bool number = strcmp(keys[i], "limit") == 0;
		const char *text = read_text(l, object, keys[i], number);

		/* No limit of its own is 0. */
		if (text[0] == '\0' || (number && strcmp(text, "0") == 0))
			continue;
		if (config_set_filter_key(
			l->in->run->cfg, keys[i], text, &l->in->scratch, f, &why) == 0)
			continue;
		if (why.kind != ERR_DATA) {
			*l->err = why;
			return -1;
		}
		return fault(l, "filters", why.msg);
	}
	return 0;
}

static int
read_filters(struct line *l)
{
	const json_t *list = json_object_get(l->object, "filters");
	size_t n = json_array_size(list);
	struct filter *filters;

	if (list == NULL || json_is_null(list))
		return 0;
	if (!json_is_array(list) || n > MAX_READER_FILTERS)
		return fault(l, "filters", "expected a list of at most 1000 objects");
	if ((filters = arena_array(&l->in->scratch, n, sizeof(*filters))) == NULL)
		return err_nomem(l->err, "reader");
	for (size_t i = 0; i < n; i++)
		if (read_filter(l, json_array_get(list, i), &filters[i]) == -1)
			return -1;
	l->row.wish.filters = filters;
	l->row.wish.nfilters = n;
	l->row.wish.whole = n > 0;
	return 0;
}

static bool
is_word(const char *text)
{
	size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz-");

	return len > 0 && text[len] == '\0' && len <= MAX_WORD_BYTES;
}

/* A list as in an export, or a text. */
static void
read_consent(struct line *l)
{
	const json_t *list = json_object_get(l->object, "consent");

	if (json_is_string(list)) {
		l->row.wish.consent = read_text(l, l->object, "consent", false);
		return;
	}
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *o = json_array_get(list, i);
		struct store_consent c = { .how = read_text(l, o, "how", false),
			.text = read_text(l, o, "text", false) };

		json_get_int64(o, "at", &c.at_utc);
		if (!is_word(c.how))
			c.how = "";
		store_add_consent(&l->record, &c);
	}
	l->row.wish.record = l->record.buf;
}

static void
read_reason(struct line *l)
{
	const char *text = read_text(l, l->object, "left", false);
	size_t i = 0;

	while (i < NREASONS && strcmp(text, reasons[i]) != 0)
		i++;
	if (i < NREASONS)
		l->row.reason = (enum suppression_reason)i;
	else if (text[0] != '\0')
		fault(l, "left", "expected unsubscribed, complaint, bounced or operator");
	json_get_int64(l->object, "left_since", &l->row.since_utc);
}

static void
read_state(struct line *l)
{
	const char *text = read_text(l, l->object, "state", false);
	size_t i = 0;

	l->row.keep_reader = true;
	while (i < sizeof(states) / sizeof(states[0]) && strcmp(text, states[i].name) != 0)
		i++;
	if (i < sizeof(states) / sizeof(states[0]))
		l->row.state = states[i].state;
	else if (text[0] != '\0')
		fault(l, "state", "expected active, paused, left or ended");
	if (l->row.state == INTAKE_LEFT)
		read_reason(l);
	if (l->row.state != INTAKE_READER)
		json_get_int64(l->object, "ended", &l->row.ended_utc);
}

/* A moment that is past; 0 = not told. */
static int64_t
read_past(struct line *l, const char *name)
{
	const json_t *value = json_object_get(l->object, name);
	int64_t at_utc = 0;

	if (value == NULL || json_is_null(value))
		return 0;
	if (json_get_int64(l->object, name, &at_utc) && at_utc >= 0 &&
	    at_utc <= clock_now_utc(&l->in->run->clock))
		return at_utc;
	fault(l, name, "expected seconds since 1970, and not in the future");
	return 0;
}

static int
take_reader(struct line *l)
{
	struct run_wish *w = &l->row.wish;

	w->how = "import";
	w->record = w->consent = "";
	w->address = read_text(l, l->object, "address", false);
	read_keys(l);
	read_state(l);
	l->row.created_utc = read_past(l, "created");
	l->row.last_edition_utc = read_past(l, "last_edition");
	if (read_filters(l) == -1)
		return -1;
	read_consent(l);
	if (l->record.state == STRBUF_NOMEM)
		return strbuf_check(&l->record, l->err);
	if (l->record.state == STRBUF_TOO_LONG)
		fault(l, "consent", "too long to be kept");
	if (l->in->options->consent[0] != '\0')
		w->consent = l->in->options->consent;
	if (!l->told && w->consent[0] == '\0' && w->record[0] == '\0' &&
	    l->row.state == INTAKE_READER)
		fault(l, "consent",
		    "none; expected where and when they agreed, here or by --consent");
	return l->told ? 0 : intake_put(l->in, &l->row, l->err);
}

/* n bytes of hexadecimal digits. */
static bool
read_hex(const char *text, unsigned char *out, size_t n)
{
	if (text == NULL || strlen(text) != 2 * n || strspn(text, "0123456789abcdef") != 2 * n)
		return false;
	for (size_t i = 0; i < n; i++) {
		const char digits[] = { text[2 * i], text[2 * i + 1], '\0' };

		out[i] = (unsigned char)strtoul(digits, NULL, 16);
	}
	return true;
}

static int
take_key(struct line *l)
{
	unsigned char key[STORE_KEY_SIZE];
	struct error why = { .kind = ERR_NONE };

	if (!read_hex(json_get_string(l->object, "key"), key, sizeof(key)))
		return fault(l, "key", "expected 64 hexadecimal digits");
	if (intake_begin(l->in, l->err) == -1)
		return -1;
	l->in->has_key = store_take_suppress_key(l->in->run->store, key, &why) == 0;
	if (l->in->has_key)
		return 0;
	if (why.kind == ERR_DATA)
		return fault(l, "key", why.msg);
	*l->err = why;
	return -1;
}

static int
take_suppression(struct line *l)
{
	unsigned char hash[STORE_HASH_SIZE];

	if (!l->in->has_key)
		return fault(l, "hash", "by another key; expected a line suppression-key before");
	if (!read_hex(json_get_string(l->object, "hash"), hash, sizeof(hash)))
		return fault(l, "hash", "expected 32 hexadecimal digits");
	read_reason(l);
	if (l->told || intake_begin(l->in, l->err) == -1)
		return l->told ? 0 : -1;
	l->in->counts->nhashes++;
	return store_suppress_hash(
	    l->in->run->store, hash, l->row.reason, l->row.since_utc, l->err);
}

/* ---- what was sent elsewhere ---- */

/* One paper of an edition: 1 = it was shown, 0 = not. */
static int
read_shown(struct line *l, const json_t *object, struct paper *p)
{
	int64_t version;

	p->key = read_text(l, object, "key", false);
	p->title = read_text(l, object, "title", false);
	if (json_get_int64(object, "version", &version) && version > 0 && version < UINT16_MAX)
		p->version = (uint32_t)version;
	return p->key[0] != '\0' && !json_is_true(json_object_get(object, "cut"));
}

/* Papers that are yet to be read here, and might come again then, are kept by their keys and titles. */
static int
put_unread(struct line *l, const json_t *list)
{
	struct store *store = l->in->run->store;
	const int64_t now_utc = clock_now_utc(&l->in->run->clock);
	struct arena *a = &l->in->scratch;
	struct store_put_counts counts;
	struct source_batch batch;
	struct paper *known;
	struct strbuf lines;
	int found = 0, rc;

	strbuf_init(&lines, MAX_JSON_BYTES);
	for (size_t i = 0; found != -1 && i < json_array_size(list); i++) {
		struct paper *p = paper_new(a);

		if (p == NULL)
			found = err_nomem(l->err, "paper");
		else if (read_shown(l, json_array_get(list, i), p) == 1 &&
		    (found = store_find_paper(store, p->key, a, &known, l->err)) == 0)
			source_add_line(&lines, p);
	}
	/* As lines, so that they are looked at like all that comes from outside. */
	rc = found == -1 || strbuf_check(&lines, l->err) == -1 ||
		source_read_lines(NULL, lines.buf, lines.len, now_utc, a, &batch, l->err) == -1
	    ? -1
	    : store_put_papers(store, SOURCE_IMPORT, "file", batch.papers, batch.npapers, 0,
		  now_utc, &counts, l->err);
	strbuf_release(&lines);
	return rc;
}

static int
put_sent(struct line *l, int64_t reader, int64_t composed_utc)
{
	const json_t *list = json_object_get(l->object, "papers");
	const int64_t now_utc = clock_now_utc(&l->in->run->clock);
	struct sent_item *items =
	    arena_array(&l->in->scratch, json_array_size(list), sizeof(*items));
	size_t n = 0;

	if (items == NULL)
		return err_nomem(l->err, "sent papers");
	if (now_utc - composed_utc < (int64_t)WINDOW_DAYS * DAY_SECONDS &&
	    put_unread(l, list) == -1)
		return -1;
	for (size_t i = 0; i < json_array_size(list); i++) {
		struct paper told = { 0 }, *p;
		int found = read_shown(l, json_array_get(list, i), &told);

		if (found == 1)
			found = store_find_paper(
			    l->in->run->store, told.key, &l->in->scratch, &p, l->err);
		if (found == -1)
			return -1;
		if (found == 1)
			items[n++] = (struct sent_item){ p->id, told.version };
	}
	return l->told ? 0 : store_add_sent(l->in->run->store, reader, items, n, now_utc, l->err);
}

/* A digest of a reader who was taken in: no history here, but its papers do not come again. */
static int
take_edition(struct line *l)
{
	const char *state = read_text(l, l->object, "state", false), *canonical;
	const int64_t composed_utc = read_past(l, "composed");
	struct store_reader *r;
	int found;

	if (l->told || (strcmp(state, "sent") != 0 && strcmp(state, "unknown") != 0))
		return 0;
	if (run_canonical(
		read_text(l, l->object, "address", false), &l->in->scratch, &canonical, NULL) == -1)
		return l->told ? 0 : fault(l, "address", "expected that of the reader before");
	if (intake_begin(l->in, l->err) == -1)
		return -1;
	found = store_find_reader(l->in->run->store, canonical, &l->in->scratch, &r, l->err);
	if (found != 1 || r->sub.origin == ORIGIN_FILE)
		return found == -1 ? -1 : 0;
	return put_sent(l, r->sub.id, composed_utc);
}

static int
take_line(struct intake *in, const char *bytes, size_t len, uint32_t number, struct error *err)
{
	static const struct {
		const char *type;
		int (*take)(struct line *l);
		bool digest;
	} types[] = {
		{ "subscriber", take_reader, false },
		{ "suppression-key", take_key, false },
		{ "suppression", take_suppression, false },
		{ "edition", take_edition, true },
	};
	struct line l = { .in = in, .err = err };
	const char *type;
	json_t *json;
	int rc = 0;

	/* What is no JSON is told with the papers. */
	if (json_read(bytes, len, MAX_JSON_BYTES, &json, NULL) == -1)
		return 0;
	l.object = json;
	l.row.line = number;
	strbuf_init(&l.record, MAX_CONSENT_BYTES);
	type = json_get_string(json, "type");
	for (size_t i = 0; type != NULL && i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(type, types[i].type) == 0) {
			in->counts->has_readers = true;
			in->has_digests |= types[i].digest;
			rc = types[i].digest == in->digests ? types[i].take(&l) : 0;
		}
	strbuf_release(&l.record);
	json_decref(json);
	return rc;
}

/* Most lines of most files are papers: those need not be read here. */
static bool
may_be_reader(const char *line, size_t len)
{
	static const char *const marks[] = { "\"subscriber\"", "\"suppression", "\"edition\"" };

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (memmem(line, len, marks[i], strlen(marks[i])) != NULL)
			return true;
	return false;
}

int
intake_read_lines(struct intake *in, const char *bytes, size_t len, struct error *err)
{
	uint32_t number = 1;

	for (size_t at = 0, n; at < len; at += n + 1, number++) {
		const char *end = memchr(bytes + at, '\n', len - at);

		n = end != NULL ? (size_t)(end - bytes) - at : len - at;
		arena_reset(&in->scratch);
		if (may_be_reader(bytes + at, n) && take_line(in, bytes + at, n, number, err) == -1)
			return -1;
	}
	return 0;
}
