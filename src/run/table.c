/* Readers as a table, one a row, by the names that its head has for the columns: those of list managers, and ours. */
#include "digest/csv.h"
#include "digest/limits.h"
#include "run/intake.h"

#include <stdio.h>
#include <string.h>

enum column_kind {
	COLUMN_UNREAD,
	COLUMN_ADDRESS,
	COLUMN_NAME,
	COLUMN_FIRST_NAME,
	COLUMN_LAST_NAME,
	COLUMN_STATUS,
	COLUMN_LEFT,	/* when they left; empty = they did not */
	COLUMN_BOUNCED, /* when mail came back for good */
	COLUMN_CONSENT, /* goes into the record of consents */
	COLUMN_FILTERS, /* NAME=QUERY, one a line */
	COLUMN_QUERY,
	COLUMN_USE,
	COLUMN_KEY,
	COLUMN_KINDS
};

/* Names as name_form() has them; of two columns of one kind the earlier row of this table counts. */
static const struct {
	const char *name;
	enum column_kind kind;
	const char *key; /* of digest.conf(5) */
} known_names[] = {
	{ "emailaddress", COLUMN_ADDRESS, NULL },
	{ "email", COLUMN_ADDRESS, NULL },
	{ "mail", COLUMN_ADDRESS, NULL },
	/* Where there is another, this one is of the street. */
	{ "address", COLUMN_ADDRESS, NULL },
	{ "name", COLUMN_NAME, "name" },
	{ "fullname", COLUMN_NAME, "name" },
	{ "displayname", COLUMN_NAME, "name" },
	{ "realname", COLUMN_NAME, "name" },
	{ "firstname", COLUMN_FIRST_NAME, "name" },
	{ "givenname", COLUMN_FIRST_NAME, "name" },
	{ "lastname", COLUMN_LAST_NAME, "name" },
	{ "familyname", COLUMN_LAST_NAME, "name" },
	{ "surname", COLUMN_LAST_NAME, "name" },
	{ "status", COLUMN_STATUS, NULL },
	{ "state", COLUMN_STATUS, NULL },
	{ "subscribedtoemails", COLUMN_STATUS, NULL },
	{ "unsubtime", COLUMN_LEFT, NULL },
	{ "unsubscribedat", COLUMN_LEFT, NULL },
	{ "cleantime", COLUMN_BOUNCED, NULL },
	{ "consent", COLUMN_CONSENT, NULL },
	{ "optintime", COLUMN_CONSENT, NULL },
	{ "confirmtime", COLUMN_CONSENT, NULL },
	{ "createdat", COLUMN_CONSENT, NULL },
	{ "filter", COLUMN_FILTERS, "filter" },
	{ "filters", COLUMN_FILTERS, "filter" },
	{ "query", COLUMN_QUERY, "filter" },
	{ "use", COLUMN_USE, "use" },
	{ "timezone", COLUMN_KEY, "timezone" },
	{ "when", COLUMN_KEY, "when" },
	{ "language", COLUMN_KEY, "language" },
	{ "limit", COLUMN_KEY, "limit" },
	{ "maxpapers", COLUMN_KEY, "max-papers" },
	{ "empty", COLUMN_KEY, "empty" },
	{ "outside", COLUMN_KEY, "outside" },
	{ "updates", COLUMN_KEY, "updates" },
	{ "pauseduntil", COLUMN_KEY, "paused-until" },
};

enum {
	NNAMES = sizeof(known_names) / sizeof(known_names[0]),
	MAX_FORM = 40,
	MAX_KEYS = 16,
	MAX_ROW_FILTERS = 100,
	NOT_KNOWN = NNAMES,
};

static const struct {
	const char *name;
	enum intake_state state;
	enum suppression_reason reason;
} statuses[] = {
	{ "", INTAKE_READER, 0 },
	{ "subscribed", INTAKE_READER, 0 },
	{ "active", INTAKE_READER, 0 },
	{ "enabled", INTAKE_READER, 0 },
	{ "confirmed", INTAKE_READER, 0 },
	{ "paused", INTAKE_READER, 0 },
	{ "true", INTAKE_READER, 0 },
	{ "yes", INTAKE_READER, 0 },
	{ "unsubscribed", INTAKE_LEFT, SUPPRESSED_UNSUBSCRIBED },
	{ "optedout", INTAKE_LEFT, SUPPRESSED_UNSUBSCRIBED },
	{ "left", INTAKE_LEFT, SUPPRESSED_UNSUBSCRIBED },
	{ "false", INTAKE_LEFT, SUPPRESSED_UNSUBSCRIBED },
	{ "no", INTAKE_LEFT, SUPPRESSED_UNSUBSCRIBED },
	{ "cleaned", INTAKE_LEFT, SUPPRESSED_BOUNCED },
	{ "bounced", INTAKE_LEFT, SUPPRESSED_BOUNCED },
	{ "complained", INTAKE_LEFT, SUPPRESSED_COMPLAINT },
	{ "complaint", INTAKE_LEFT, SUPPRESSED_COMPLAINT },
	{ "spam", INTAKE_LEFT, SUPPRESSED_COMPLAINT },
	{ "blocklisted", INTAKE_LEFT, SUPPRESSED_OPERATOR },
	{ "blacklisted", INTAKE_LEFT, SUPPRESSED_OPERATOR },
	{ "disabled", INTAKE_LEFT, SUPPRESSED_OPERATOR },
	{ "ended", INTAKE_ENDED, 0 },
	{ "unconfirmed", INTAKE_UNCONFIRMED, 0 },
	{ "pending", INTAKE_UNCONFIRMED, 0 },
	{ "nonsubscribed", INTAKE_UNCONFIRMED, 0 },
	{ "transactional", INTAKE_UNCONFIRMED, 0 },
};

enum { NSTATUSES = sizeof(statuses) / sizeof(statuses[0]) };

/* One file. */
struct table {
	struct intake *in;
	struct arena arena; /* of the head */
	const char **heads; /* names of the columns as they stand there */
	size_t *known;	    /* row of known_names of each, NOT_KNOWN = says nothing here */
	size_t ncolumns;
	struct error *err;
};

/* One row of it. */
struct row {
	struct table *table;
	const struct csv_record *record;
	struct intake_row out;
	struct run_key keys[MAX_KEYS];
	struct filter filters[MAX_ROW_FILTERS];
	const char *use[MAX_ROW_FILTERS];
	bool told;
};

/* "E-Mail Address" and "email_address" are one name. */
static void
name_form(const char *text, char out[MAX_FORM])
{
	size_t n = 0;

	for (; *text != '\0' && n + 1 < MAX_FORM; text++) {
		if (*text >= 'A' && *text <= 'Z')
			out[n++] = (char)(*text - 'A' + 'a');
		else if ((*text >= 'a' && *text <= 'z') || (*text >= '0' && *text <= '9'))
			out[n++] = *text;
	}
	/* What is longer is no name that is known. */
	out[*text == '\0' ? n : 0] = '\0';
}

static char *
trim(struct arena *a, const char *text)
{
	size_t len;

	text += strspn(text, " \t\r\n");
	for (len = strlen(text); len > 0 && strchr(" \t\r\n", text[len - 1]) != NULL;)
		len--;
	return arena_strndup(a, text, len);
}

/* ---- the head ---- */

static size_t
find_known(const char *head)
{
	char form[MAX_FORM];
	size_t i = 0;

	name_form(head, form);
	while (i < NNAMES && strcmp(known_names[i].name, form) != 0)
		i++;
	return i;
}

static enum column_kind
kind_of(const struct table *t, size_t column)
{
	return t->known[column] == NOT_KNOWN ? COLUMN_UNREAD : known_names[t->known[column]].kind;
}

static bool
is_alone(enum column_kind kind)
{
	return kind != COLUMN_CONSENT && kind != COLUMN_KEY && kind != COLUMN_UNREAD;
}

/* Of several columns of a kind the one whose name stands first in the table. */
static void
choose_columns(struct table *t)
{
	for (size_t i = 0; i < t->ncolumns; i++)
		for (size_t k = 0; k < t->ncolumns; k++) {
			bool earlier =
			    t->known[k] < t->known[i] || (k < i && t->known[k] == t->known[i]);

			if (k != i && earlier && kind_of(t, i) == kind_of(t, k) &&
			    (is_alone(kind_of(t, i)) || t->known[i] == t->known[k]))
				t->known[i] = NOT_KNOWN;
		}
}

static bool
has_address(const struct table *t)
{
	for (size_t i = 0; i < t->ncolumns; i++)
		if (kind_of(t, i) == COLUMN_ADDRESS)
			return true;
	return false;
}

/* The columns that say nothing here, for the summary. */
static void
tell_unread(const struct table *t)
{
	struct run_import_counts *c = t->in->counts;
	char list[sizeof(c->unread)] = "";
	size_t n = 0;

	for (size_t i = 0; i < t->ncolumns; i++)
		if (t->known[i] == NOT_KNOWN && t->heads[i][0] != '\0' && n + 1 < sizeof(list)) {
			int len = snprintf(
			    list + n, sizeof(list) - n, "%s%s", n > 0 ? ", " : "", t->heads[i]);

			n += len > 0 ? (size_t)len : 0;
		}
	err_printable(c->unread, sizeof(c->unread), list);
}

static int
read_head(struct table *t, const struct csv_record *head)
{
	t->ncolumns = head->n;
	t->heads = arena_array(&t->arena, head->n, sizeof(*t->heads));
	t->known = arena_array(&t->arena, head->n, sizeof(*t->known));
	if (t->heads == NULL || t->known == NULL)
		return err_nomem(t->err, "table");
	for (size_t i = 0; i < head->n; i++) {
		if ((t->heads[i] = trim(&t->arena, head->fields[i])) == NULL)
			return err_nomem(t->err, "table");
		t->known[i] = find_known(t->heads[i]);
	}
	choose_columns(t);
	return 0;
}

/* Some lists are nothing but addresses: the first row is one of them then. */
static bool
take_address_as_head(struct table *t, const struct csv_record *first)
{
	struct address addr;
	char *text;

	for (size_t i = 0; i < first->n; i++)
		if ((text = trim(&t->arena, first->fields[i])) != NULL &&
		    address_parse(text, &t->arena, &addr, NULL, NULL) == 0) {
			for (size_t k = 0; k < first->n; k++) {
				t->known[k] = k == i ? 0 : NOT_KNOWN;
				t->heads[k] = k == i ? "address" : "";
			}
			return true;
		}
	return false;
}

/* How messages name a column: as the head does. */
static const char *
head_of(const struct table *t, const char *wrong)
{
	for (size_t i = 0; wrong[0] != '\0' && i < t->ncolumns; i++) {
		const char *key = t->known[i] == NOT_KNOWN ? "" : known_names[t->known[i]].key;

		if (kind_of(t, i) == COLUMN_ADDRESS && strcmp(wrong, "address") == 0)
			return t->heads[i];
		if (key != NULL && strcmp(wrong, key) == 0)
			return t->heads[i];
	}
	return wrong;
}

static const char *
name_column(const struct intake *in, const char *wrong)
{
	return head_of(in->names, wrong);
}

/* ---- a row ---- */

static int
fault(struct row *r, size_t column, const char *message)
{
	r->told = true;
	return intake_tell(r->table->in, r->record->line, r->table->heads[column], message);
}

static int
take_status(struct row *r, size_t column, const char *text)
{
	char form[MAX_FORM];
	size_t i = 0;

	name_form(text, form);
	while (i < NSTATUSES && strcmp(statuses[i].name, form) != 0)
		i++;
	if (i == NSTATUSES || (form[0] == '\0' && text[0] != '\0'))
		return fault(r, column,
		    "not known; expected subscribed, unsubscribed, bounced, complained, "
		    "blocklisted "
		    "or unconfirmed");
	/* A time of leaving in another column says more. */
	if (r->out.state == INTAKE_READER) {
		r->out.state = statuses[i].state;
		r->out.reason = statuses[i].reason;
	}
	return 0;
}

static void
take_time(struct row *r, const char *text, enum suppression_reason reason)
{
	r->out.state = INTAKE_LEFT;
	r->out.reason = reason;
	/* Without a time that can be read it is now. */
	if (date_parse(text, &r->out.since_utc, NULL) == -1)
		r->out.since_utc = 0;
}

static int
add_filter(struct row *r, size_t column, const char *name, const char *match)
{
	struct run_wish *w = &r->out.wish;

	if (w->nfilters == MAX_ROW_FILTERS)
		return fault(r, column, "more than 100 filters");
	if (match[0] == '\0')
		return fault(r, column, "a filter without a query; expected NAME=QUERY");
	r->filters[w->nfilters++] =
	    (struct filter){ .name = name, .match = match, .when = "", .file = "" };
	return 0;
}

/* NAME=QUERY, one a line. */
static int
take_filters(struct row *r, size_t column, char *text)
{
	char *save = NULL, *line, *equals;

	for (line = strtok_r(text, "\r\n", &save); line != NULL;
	     line = strtok_r(NULL, "\r\n", &save)) {
		line += strspn(line, " \t");
		if (line[0] == '\0')
			continue;
		if ((equals = strchr(line, '=')) == NULL)
			return fault(r, column, "a filter without a name; expected NAME=QUERY");
		*equals = '\0';
		line = trim(&r->table->in->scratch, line);
		equals = trim(&r->table->in->scratch, equals + 1);
		if (line == NULL || equals == NULL)
			return err_nomem(r->table->err, "table");
		if (line[0] == '\0')
			return fault(r, column, "a filter without a name; expected NAME=QUERY");
		if (add_filter(r, column, line, equals) == -1)
			return -1;
	}
	return 0;
}

static int
take_use(struct row *r, size_t column, char *text)
{
	struct run_wish *w = &r->out.wish;
	char *save = NULL, *name;

	for (name = strtok_r(text, ",;", &save); name != NULL; name = strtok_r(NULL, ",;", &save)) {
		if (w->nuse == MAX_ROW_FILTERS)
			return fault(r, column, "more than 100 filters");
		if ((r->use[w->nuse++] = trim(&r->table->in->scratch, name)) == NULL)
			return err_nomem(r->table->err, "table");
	}
	return 0;
}

static void
add_key(struct row *r, const char *key, const char *text)
{
	struct run_wish *w = &r->out.wish;

	if (w->nkeys < MAX_KEYS)
		r->keys[w->nkeys++] = (struct run_key){ key, text };
}

/* One field that is not empty. */
static int
take_field(struct row *r, size_t column, char *text)
{
	switch (kind_of(r->table, column)) {
	case COLUMN_ADDRESS:
		r->out.wish.address = text;
		break;
	case COLUMN_STATUS:
		return take_status(r, column, text);
	case COLUMN_LEFT:
		take_time(r, text, SUPPRESSED_UNSUBSCRIBED);
		break;
	case COLUMN_BOUNCED:
		take_time(r, text, SUPPRESSED_BOUNCED);
		break;
	case COLUMN_FILTERS:
		return take_filters(r, column, text);
	case COLUMN_QUERY:
		return add_filter(r, column, "Papers", text);
	case COLUMN_USE:
		return take_use(r, column, text);
	case COLUMN_NAME:
	case COLUMN_KEY:
		add_key(r, known_names[r->table->known[column]].key, text);
		break;
	case COLUMN_FIRST_NAME:
	case COLUMN_LAST_NAME:
	case COLUMN_CONSENT:
	case COLUMN_UNREAD:
	case COLUMN_KINDS:
		break;
	}
	return 0;
}

/* The text of the first column of a kind that is not empty, "" = there is none. */
static const char *
field_of(const struct row *r, enum column_kind kind)
{
	for (size_t i = 0; i < r->table->ncolumns && i < r->record->n; i++)
		if (kind_of(r->table, i) == kind && r->record->fields[i][0] != '\0')
			return r->record->fields[i];
	return "";
}

static int
take_names(struct row *r)
{
	const char *first = field_of(r, COLUMN_FIRST_NAME), *last = field_of(r, COLUMN_LAST_NAME);
	char *name;

	if (field_of(r, COLUMN_NAME)[0] != '\0' || (first[0] == '\0' && last[0] == '\0'))
		return 0;
	name = arena_printf(&r->table->in->scratch, "%s%s%s", first,
	    first[0] != '\0' && last[0] != '\0' ? " " : "", last);
	if (name == NULL)
		return err_nomem(r->table->err, "table");
	add_key(r, "name", name);
	return 0;
}

/* What was said for the whole file and where the row stands, then what the row itself says. */
static int
take_consent(struct row *r)
{
	struct table *t = r->table;
	struct strbuf text;
	bool any = t->in->options->consent[0] != '\0';

	strbuf_init(&text, MAX_CONSENT_TEXT);
	strbuf_addf(&text, "%s%s(%s:%u)", t->in->options->consent, any ? " " : "", t->in->path,
	    (unsigned)r->record->line);
	for (size_t i = 0; i < t->ncolumns && i < r->record->n; i++)
		if (kind_of(t, i) == COLUMN_CONSENT && r->record->fields[i][0] != '\0') {
			strbuf_addf(&text, "; %s %s", t->heads[i], r->record->fields[i]);
			any = any || strcmp(known_names[t->known[i]].name, "consent") == 0;
		}
	if (text.state == STRBUF_TOO_LONG) {
		strbuf_release(&text);
		r->told = true;
		return intake_tell(t->in, r->record->line, "consent", "too long to be kept");
	}
	r->out.wish.consent = arena_strdup(&t->in->scratch, text.buf);
	strbuf_release(&text);
	if (r->out.wish.consent == NULL)
		return err_nomem(t->err, "table");
	if (!any && r->out.state == INTAKE_READER)
		return err_set(t->err, ERR_USAGE,
		    "%s is a table of readers; say where and when they agreed to be mailed: "
		    "--consent \"form on example.org, spring 2026\"",
		    t->in->path);
	return 0;
}

static int
read_fields(struct row *r)
{
	struct table *t = r->table;
	char *text;

	for (size_t i = 0; i < t->ncolumns && i < r->record->n && !r->told; i++) {
		if ((text = trim(&t->in->scratch, r->record->fields[i])) == NULL)
			return err_nomem(t->err, "table");
		r->record->fields[i] = text;
		if (text[0] != '\0' && take_field(r, i, text) == -1)
			return -1;
	}
	return 0;
}

static int
take_row(struct table *t, const struct csv_record *record)
{
	struct row r = { .table = t, .record = record };
	struct run_wish *w = &r.out.wish;
	char text[100];

	r.out.line = record->line;
	*w = (struct run_wish){ .address = "",
		.keys = r.keys,
		.filters = r.filters,
		.use = r.use,
		.how = "import",
		.consent = "",
		.record = "" };
	if (record->n > t->ncolumns) {
		snprintf(text, sizeof(text), "%zu fields; expected %zu, as in the first line",
		    record->n, t->ncolumns);
		return intake_tell(t->in, record->line, "", text);
	}
	if (read_fields(&r) == -1 || take_names(&r) == -1 || (!r.told && take_consent(&r) == -1))
		return -1;
	return r.told ? 0 : intake_put(t->in, &r.out, t->err);
}

/* ---- the file ---- */

/* 1 = a record, 0 = the end, -1; what is broken is told and passed over. */
static int
next_record(struct table *t, struct csv *csv, struct csv_record *record)
{
	struct error why = { .kind = ERR_NONE };
	char number[32];
	size_t column = 1;
	int more;

	arena_reset(&t->in->scratch);
	while ((more = csv_next(csv, &t->in->scratch, record, &column, &why)) == -1) {
		if (why.kind != ERR_DATA) {
			*t->err = why;
			return -1;
		}
		snprintf(number, sizeof(number), "%zu", column);
		intake_tell(t->in, record->line,
		    column <= t->ncolumns && t->heads[column - 1][0] != '\0' ? t->heads[column - 1]
									     : number,
		    why.msg);
		arena_reset(&t->in->scratch);
	}
	return more;
}

/* The next line that is not empty, without blanks around it, in the scratch; 1, 0 = the end, -1. */
static int
next_line(struct table *t, const char *bytes, size_t len, size_t *at, uint32_t *line, char **out)
{
	while (*at < len) {
		const char *start = bytes + *at, *end = memchr(start, '\n', len - *at);
		size_t n = end != NULL ? (size_t)(end - start) : len - *at;
		char *text = arena_strndup(&t->in->scratch, start, n);

		*at += n + 1;
		++*line;
		if (text == NULL || (*out = trim(&t->in->scratch, text)) == NULL)
			return err_nomem(t->err, "list");
		if ((*out)[0] != '\0')
			return 1;
	}
	return 0;
}

/* One address a line, as mailing list programs print their members: "Lovelace, Ada" <ada@example.org>. */
static bool
is_list(struct table *t, const char *bytes, size_t len)
{
	struct address addr;
	uint32_t line = 0;
	size_t at = len >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
	char *text;

	return next_line(t, bytes, len, &at, &line, &text) == 1 &&
	    address_parse(text, &t->in->scratch, &addr, NULL, NULL) == 0;
}

static int
read_list(struct table *t, const char *bytes, size_t len)
{
	const char *name = "address";
	const struct csv_record head = { .fields = &name, .n = 1 };
	size_t at = len >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
	struct csv_record record = { .n = 1 };
	const char *field;
	char *text;
	int more;

	if (read_head(t, &head) == -1)
		return -1;
	for (;;) {
		arena_reset(&t->in->scratch);
		if ((more = next_line(t, bytes, len, &at, &record.line, &text)) != 1)
			return more;
		field = text;
		record.fields = &field;
		if (take_row(t, &record) == -1)
			return -1;
	}
}

static int
read_table(struct table *t, const char *bytes, size_t len)
{
	struct csv_record record;
	struct csv csv;
	int more;

	csv_init(&csv, bytes, len);
	if ((more = next_record(t, &csv, &record)) != 1)
		return more;
	if (read_head(t, &record) == -1)
		return -1;
	if (has_address(t)) {
		tell_unread(t);
		more = next_record(t, &csv, &record);
	} else if (!take_address_as_head(t, &record)) {
		return err_set(t->err, ERR_DATA,
		    "%s:%u: no column of addresses; expected JSON lines, or a table of readers "
		    "whose first line names one email",
		    t->in->path, (unsigned)record.line);
	}
	for (; more == 1; more = next_record(t, &csv, &record))
		if (take_row(t, &record) == -1)
			return -1;
	return more;
}

int
intake_read_table(struct intake *in, const char *bytes, size_t len, struct error *err)
{
	struct table t = { .in = in, .err = err };
	int rc;

	in->counts->has_readers = true;
	arena_init(&t.arena, MAX_READER_BYTES);
	in->names = &t;
	in->name_column = name_column;
	rc = is_list(&t, bytes, len) ? read_list(&t, bytes, len) : read_table(&t, bytes, len);
	in->names = NULL;
	in->name_column = NULL;
	arena_release(&t.arena);
	return rc;
}
