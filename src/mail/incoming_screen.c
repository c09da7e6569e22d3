#include "mail/incoming.h"

#include <string.h>
#include <strings.h>

enum { MAX_BOUNDARY = 100, MAX_TYPE = 1000 };

/* A multipart or message that the place at hand is inside of. */
struct level {
	char boundary[MAX_BOUNDARY]; /* of a multipart; RFC 2046 5.1.1 allows 70 bytes */
	size_t len;		     /* 0 = a message, which has none */
	bool digest;		     /* its parts are messages when they do not say what they are */
};

struct screen {
	struct incoming_figures *now;
	struct level levels[MAX_INCOMING_DEPTH + 1];
	size_t nlevels;
	bool in_header;
	bool top;	     /* it is the header of the mail itself */
	size_t header;	     /* bytes of it so far */
	bool escaped;	     /* the last byte was a backslash */
	size_t open;	     /* parentheses of the field */
	size_t open_heap;    /* of the paragraph, whatever it is */
	size_t separators;   /* of addresses in the field */
	char type[MAX_TYPE]; /* the Content-Type of the part, so far */
	size_t type_len;
	bool in_type; /* the field is that */
	bool encoded; /* so what it holds is one part to libetpan, whatever its type */
	char eol;     /* LF, or CR in a mail that has no LF */
};

static void
raise(size_t *figure, size_t value)
{
	if (*figure < value)
		*figure = value;
}

static bool
begins(struct span s, const char *text)
{
	size_t len = strlen(text);

	return s.len >= len && strncasecmp(s.at, text, len) == 0;
}

/* Parentheses and separators. Quotes are not heeded: what they hide from us they may not hide from another reader. */
static void
count(struct screen *s, struct span line)
{
	for (size_t i = 0; i < line.len; i++) {
		char c = line.at[i];

		if (s->escaped || c == '\\') {
			s->escaped = !s->escaped;
		} else if (c == '(') {
			s->open++;
			s->open_heap++;
			raise(&s->now->heap, s->open_heap);
			if (s->in_header)
				raise(&s->now->nesting, s->open);
		} else if (c == ')') {
			s->open -= s->open > 0;
			s->open_heap -= s->open_heap > 0;
		} else if ((c == ',' || c == ';') && s->in_header) {
			raise(&s->now->addresses, ++s->separators);
		} else if (c == '\0' && s->in_header && s->top) {
			s->now->nuls++;
		}
	}
	s->escaped = false;
}

/* The boundary of a type, as a lax reader would take it. */
static struct span
find_boundary(struct span type)
{
	static const char name[] = "boundary";
	const size_t len = sizeof(name) - 1;

	for (size_t i = 0; i + len < type.len; i++) {
		struct span b = { type.at + i + len, type.len - i - len };

		if (strncasecmp(type.at + i, name, len) != 0)
			continue;
		b = span_trim(b);
		if (b.len == 0 || *b.at != '=')
			continue;
		b = span_trim((struct span){ b.at + 1, b.len - 1 });
		if (b.len > 0 && *b.at == '"') {
			const char *quote = memchr(b.at + 1, '"', b.len - 1);

			b.at++;
			b.len = quote != NULL ? (size_t)(quote - b.at) : b.len - 1;
		} else {
			for (size_t k = 0; k < b.len; k++)
				if (strchr("; \t\r\n", b.at[k]) != NULL)
					b.len = k;
		}
		return b;
	}
	return (struct span){ NULL, 0 };
}

static void
enter(struct screen *s, struct span boundary, bool digest)
{
	struct level *l;

	raise(&s->now->depth, s->nlevels + 1);
	if (s->nlevels == sizeof(s->levels) / sizeof(s->levels[0]))
		return; /* the figure is over its bound, and the walk ends */
	l = &s->levels[s->nlevels++];
	l->len = boundary.len < MAX_BOUNDARY ? boundary.len : MAX_BOUNDARY;
	if (l->len > 0)
		memcpy(l->boundary, boundary.at, l->len);
	l->digest = digest;
}

static void
begin_header(struct screen *s)
{
	s->in_header = true;
	s->header = 0;
	s->type_len = 0;
	s->in_type = s->encoded = false;
	s->open = s->separators = 0;
}

/* An empty line after a header: what comes is a body, the parts of one, or another header. */
static void
end_header(struct screen *s)
{
	struct span type = span_trim((struct span){ s->type, s->type_len });
	bool digest = s->nlevels > 0 && s->levels[s->nlevels - 1].digest;
	struct span none = { NULL, 0 };

	s->in_header = s->top = false;
	if (begins(type, "multipart/")) {
		struct span boundary = find_boundary(type);

		if (boundary.len > 0)
			enter(s, boundary, begins(type, "multipart/digest"));
	} else if (s->encoded) {
		return;
	} else if (begins(type, "message/rfc822") || begins(type, "message/global") ||
	    begins(type, "message/news") || (type.len == 0 && digest)) {
		enter(s, none, false);
		begin_header(s);
	}
}

/* Whether the line delimits a part of a multipart that we are in, from the inside out. */
static bool
is_delimiter(struct screen *s, struct span line)
{
	if (line.len < 3 || line.at[0] != '-' || line.at[1] != '-')
		return false;
	for (size_t i = s->nlevels; i > 0; i--) {
		const struct level *l = &s->levels[i - 1];
		struct span rest = { line.at + 2 + l->len, line.len - 2 - l->len };

		if (l->len == 0 || line.len - 2 < l->len ||
		    memcmp(line.at + 2, l->boundary, l->len) != 0)
			continue;
		if (rest.len >= 2 && memcmp(rest.at, "--", 2) == 0) {
			s->nlevels = i - 1;
			s->in_header = false;
		} else {
			s->nlevels = i;
			s->now->parts++;
			begin_header(s);
		}
		return true;
	}
	return false;
}

/* What stands behind "name:" in a line; false when it is another field. */
static bool
has_name(struct span line, const char *name, struct span *value)
{
	struct span rest;

	if (!begins(line, name))
		return false;
	rest = span_trim((struct span){ line.at + strlen(name), line.len - strlen(name) });
	if (rest.len == 0 || *rest.at != ':')
		return false;
	*value = (struct span){ rest.at + 1, rest.len - 1 };
	return true;
}

static bool
is_word(struct span s, const char *word)
{
	s = span_trim(s);
	return s.len == strlen(word) && begins(s, word);
}

static void
read_field(struct screen *s, struct span line)
{
	struct span value = line;
	size_t room;

	s->header += line.len + 1;
	raise(&s->now->header, s->header);
	if (*line.at != ' ' && *line.at != '\t') {
		s->open = s->separators = 0;
		s->in_type = has_name(line, "content-type", &value);
		if (s->in_type)
			s->type_len = 0;
		else if (has_name(line, "content-transfer-encoding", &value))
			s->encoded = is_word(value, "base64") || is_word(value, "quoted-printable");
	}
	if (s->in_type) {
		room = sizeof(s->type) - s->type_len;
		if (value.len < room)
			room = value.len;
		memcpy(s->type + s->type_len, value.at, room);
		s->type_len += room;
	}
}

/* A line that a reader who cuts a mail otherwise than we do may take for the type of something nested. */
static bool
has_nested_type(struct span line)
{
	if (!begins(line, "content-type"))
		return false;
	return span_find(line, "multipart") != NULL || span_find(line, "message") != NULL;
}

static void
read_line(struct screen *s, struct span line)
{
	bool header = s->in_header;

	raise(&s->now->line, line.len);
	s->now->types += has_nested_type(line);
	if (line.len > 0 && line.at[line.len - 1] == '\r')
		line.len--;
	if (line.len == 0) {
		s->open_heap = 0;
		if (header)
			end_header(s);
		return;
	}
	if (is_delimiter(s, line))
		return;
	if (header)
		read_field(s, line);
	count(s, line);
}

static int
check(const struct incoming_figures *f, struct error *err)
{
	const struct {
		size_t figure, bound;
		const char *what;
	} bounds[] = {
		{ f->header, MAX_INCOMING_HEADER, "bytes of header" },
		{ f->nesting, MAX_INCOMING_NESTING, "comments inside each other" },
		{ f->heap, MAX_INCOMING_HEAP, "parentheses inside each other" },
		{ f->addresses, MAX_INCOMING_ADDRESSES, "addresses in a field" },
		{ f->parts, MAX_INCOMING_PARTS, "parts" },
		{ f->depth, MAX_INCOMING_DEPTH, "multiparts or messages inside each other" },
		{ f->types, MAX_INCOMING_TYPES, "types of multiparts or messages" },
		{ f->line, MAX_INCOMING_LINE, "bytes in a line" },
		{ f->nuls, 0, "NUL bytes in the header" },
	};

	for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++)
		if (bounds[i].figure > bounds[i].bound)
			return err_set(err, ERR_DATA, "%zu %s; at most %zu are read",
			    bounds[i].figure, bounds[i].what, bounds[i].bound);
	return 0;
}

static bool
next_line(struct span *rest, char eol, struct span *line)
{
	const char *end;

	if (rest->len == 0)
		return false;
	end = memchr(rest->at, eol, rest->len);
	*line = (struct span){ rest->at, end != NULL ? (size_t)(end - rest->at) : rest->len };
	end = line->at + line->len + (end != NULL);
	*rest = (struct span){ end, rest->len - (size_t)(end - rest->at) };
	return true;
}

int
incoming_screen(const char *bytes, size_t len, struct incoming_figures *out, struct error *err)
{
	struct incoming_figures figures = { 0 };
	struct screen s = { .now = &figures, .top = true };
	struct span rest = { bytes, len < MAX_INCOMING_BYTES ? len : MAX_INCOMING_BYTES };
	struct span line;
	int rc;

	figures.bytes = rest.len;
	s.eol = memchr(rest.at, '\n', rest.len) != NULL ? '\n' : '\r';
	begin_header(&s);
	while ((rc = check(&figures, err)) == 0 && next_line(&rest, s.eol, &line))
		read_line(&s, line);
	if (out != NULL)
		*out = figures;
	return rc;
}
