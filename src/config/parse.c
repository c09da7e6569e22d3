#include "config/parse.h"

#include "digest/limits.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void
config_parser_init(struct config_parser *p, const char *bytes, size_t len, size_t offset,
    struct config_place place, struct arena *arena, config_complain *complain, void *arg)
{
	static const char mark[] = "\xEF\xBB\xBF";

	memset(p, 0, sizeof(*p));
	if (offset == 0 && len >= 3 && memcmp(bytes, mark, 3) == 0)
		offset = 3;
	p->lx = (struct config_lexer){ .bytes = bytes,
		.len = len,
		.pos = offset,
		.line_start = offset + 1 - place.column,
		.line = place.line,
		.complain = complain,
		.arg = arg };
	p->arena = arena;
}

static const struct config_token *
peek(struct config_parser *p)
{
	if (!p->has_ahead)
		config_lex(&p->lx, &p->ahead);
	p->has_ahead = true;
	return &p->ahead;
}

static bool
is_punct(const struct config_token *t, char punct)
{
	return t->kind == TOKEN_PUNCT && t->punct == punct;
}

static bool
is_scalar(const struct config_token *t)
{
	return t->kind == TOKEN_WORD || t->kind == TOKEN_TEXT;
}

static void
decode(struct config_parser *p, struct config_scalar *s)
{
	struct strbuf text;

	if (s->spelling == SPELT_BARE || s->plain) {
		s->text = arena_strndup(p->arena, p->lx.bytes + s->start, s->end - s->start);
	} else {
		/* The environment may make it longer than it is spelt. */
		strbuf_init(&text, 4 * (size_t)MAX_CONFIG_VALUE);
		config_scalar_decode(&text, p->lx.bytes, s);
		if (text.state == STRBUF_TOO_LONG) {
			config_lex_complain(&p->lx, s->place,
			    "the text with its variables is too long; expected at most %zu bytes",
			    text.max_bytes);
			strbuf_reset(&text);
		}
		s->text =
		    text.state == STRBUF_OK ? arena_strndup(p->arena, text.buf, text.len) : NULL;
		strbuf_release(&text);
	}
	if (s->text == NULL)
		p->no_memory = true;
}

static struct config_token
take(struct config_parser *p)
{
	struct config_token t = *peek(p);

	p->has_ahead = false;
	if (is_scalar(&t))
		decode(p, &t.scalar);
	return t;
}

/* How a token is called in a message. */
static const char *
describe(const struct config_parser *p, const struct config_token *t, char out[80])
{
	enum { SHOWN = 40 };
	char raw[SHOWN + 4];
	size_t len = t->next - t->start;

	if (t->kind == TOKEN_END)
		return "the end of the file";
	snprintf(raw, sizeof(raw), "%.*s%s", len > SHOWN ? SHOWN : (int)len, p->lx.bytes + t->start,
	    len > SHOWN ? "..." : "");
	out[0] = '\'';
	len = 1 + err_printable(out + 1, 76, raw);
	memcpy(out + len, "'", 2);
	return out;
}

/* Complain of the token ahead, unless it is broken: then the lexer has done so. */
static void __attribute__((format(printf, 2, 3)))
complain_ahead(struct config_parser *p, const char *fmt, ...)
{
	const struct config_token *t = peek(p);
	char name[80], rest[300];
	va_list ap;

	if (t->kind == TOKEN_BAD)
		return;
	va_start(ap, fmt);
	vsnprintf(rest, sizeof(rest), fmt, ap);
	va_end(ap);
	config_lex_complain(&p->lx, t->scalar.place, "%s %s", describe(p, t, name), rest);
}

/* Leave what is ahead on its line. */
static void
skip_ahead(struct config_parser *p)
{
	if (peek(p)->kind == TOKEN_END)
		return;
	config_lex_skip(&p->lx, &p->ahead);
	p->has_ahead = false;
}

/* Leave what is left of the line of a broken item. */
static void
skip_item(struct config_parser *p, const struct config_item *it)
{
	if (peek(p)->kind == TOKEN_BAD || peek(p)->scalar.place.line == it->place.line)
		skip_ahead(p);
}

static int
append_value(struct config_parser *p, struct config_item *it, size_t *room)
{
	if (it->nvalues == *room) {
		size_t more = *room == 0 ? 8 : 2 * *room;
		struct config_scalar *grown = arena_array(p->arena, more, sizeof(*grown));

		if (grown == NULL) {
			p->no_memory = true;
			return -1;
		}
		if (it->nvalues > 0)
			memcpy(grown, it->values, it->nvalues * sizeof(*grown));
		it->values = grown;
		*room = more;
	}
	it->values[it->nvalues++] = take(p).scalar;
	return 0;
}

/* The token behind the one ahead; nothing is complained of. */
static struct config_token
look_further(struct config_parser *p)
{
	struct config_lexer after;
	struct config_token t;

	peek(p);
	after = p->lx;
	after.complain = NULL;
	config_lex(&after, &t);
	return t;
}

/* Whether the word ahead begins a key or a block, which may belong to somebody else. */
static bool
begins_item(struct config_parser *p)
{
	struct config_token t;

	if (peek(p)->kind != TOKEN_WORD)
		return false;
	t = look_further(p);
	return is_punct(&t, '=') || is_punct(&t, '{') || t.kind == TOKEN_TEXT;
}

/* A list that went wrong ends at its '}', or where a line begins with a key or a block. */
static void
skip_list(struct config_parser *p)
{
	do {
		skip_ahead(p);
	} while (peek(p)->kind != TOKEN_END && !is_punct(peek(p), '}') && !begins_item(p));
	if (is_punct(peek(p), '}'))
		take(p);
}

/* The list whose '{' stands ahead. */
static bool
parse_list(struct config_parser *p, struct config_item *it)
{
	uint32_t line = take(p).scalar.place.line;
	size_t room = 0;

	it->is_list = true;
	if (is_punct(peek(p), '}')) {
		take(p);
		return true;
	}
	for (;;) {
		if (peek(p)->scalar.place.line > line && begins_item(p)) {
			complain_ahead(
			    p, "in the list opened on line %u; expected '}' before it", line);
			return false;
		}
		if (!is_scalar(peek(p))) {
			complain_ahead(p,
			    "in the list opened on line %u; expected a word or a quoted text",
			    line);
		} else if (it->nvalues == MAX_CONFIG_LIST) {
			complain_ahead(
			    p, "is one too many in a list; expected at most %d", MAX_CONFIG_LIST);
		} else if (append_value(p, it, &room) == -1) {
			return false;
		} else if (is_punct(peek(p), '}')) {
			take(p);
			return true;
		} else if (is_punct(peek(p), ',')) {
			take(p);
			continue;
		} else {
			complain_ahead(
			    p, "in the list opened on line %u; expected ',' or '}'", line);
		}
		skip_list(p);
		return false;
	}
}

/* What follows "name =". */
static bool
parse_value(struct config_parser *p, struct config_item *it)
{
	size_t room = 0;

	it->kind = ITEM_KEY;
	p->bare.kind = TOKEN_END;
	if (is_punct(peek(p), '{'))
		return parse_list(p, it);
	if (is_scalar(peek(p))) {
		if (peek(p)->kind == TOKEN_WORD)
			p->bare = p->ahead;
		return append_value(p, it, &room) == 0;
	}
	complain_ahead(p, "after '%.40s ='; expected a value", it->name);
	skip_item(p, it);
	return false;
}

static bool
open_block(struct config_parser *p, struct config_item *it)
{
	it->kind = ITEM_OPEN;
	p->bare.kind = TOKEN_END;
	if (p->depth == CONFIG_MAX_NESTING) {
		complain_ahead(p, "opens the %dth block inside another; expected at most %d",
		    CONFIG_MAX_NESTING + 1, CONFIG_MAX_NESTING);
		skip_ahead(p);
		return false;
	}
	take(p);
	snprintf(p->open[p->depth].name, sizeof(p->open[0].name),
	    it->has_title ? "%s \"%s\"" : "%s", it->name,
	    it->has_title && it->title.text != NULL ? it->title.text : "");
	p->open[p->depth++].line = it->place.line;
	return true;
}

/* What follows "name title". */
static bool
parse_titled(struct config_parser *p, struct config_item *it)
{
	struct config_token title = take(p);

	it->title = title.scalar;
	it->has_title = true;
	if (is_punct(peek(p), '{')) {
		if (title.kind == TOKEN_WORD)
			config_lex_complain(&p->lx, title.scalar.place,
			    "the title %.80s has no quotes; expected %.40s \"%.80s\" {",
			    title.scalar.text, it->name, title.scalar.text);
		return open_block(p, it);
	}
	complain_ahead(p, "after '%.40s %s%.60s%s'; expected '{' to open a block, or %.40s = value",
	    it->name, title.kind == TOKEN_TEXT ? "\"" : "", title.scalar.text,
	    title.kind == TOKEN_TEXT ? "\"" : "", it->name);
	skip_item(p, it);
	return false;
}

/* A word stands where neither a key nor a block can be meant. */
static void
complain_of_stray(struct config_parser *p, const struct config_token *word)
{
	const struct config_token *bare = &p->bare;
	char name[80], next[80];

	if (peek(p)->kind == TOKEN_BAD)
		return;
	if (bare->kind == TOKEN_WORD && bare->scalar.place.line == word->scalar.place.line)
		config_lex_complain(&p->lx, word->scalar.place,
		    "%s is not expected here; a value of several words needs quotes: '%.*s ...'",
		    describe(p, word, name),
		    bare->next - bare->start > 40 ? 40 : (int)(bare->next - bare->start),
		    p->lx.bytes + bare->start);
	else
		config_lex_complain(&p->lx, word->scalar.place,
		    "%s is followed by %s; expected '=' and a value, or '{' to open a block",
		    describe(p, word, name), describe(p, peek(p), next));
}

/* What begins with a word. False when it is broken, which has been complained of. */
static bool
parse_named(struct config_parser *p, struct config_item *it)
{
	struct config_token word = take(p);

	*it = (struct config_item){
		.name = word.scalar.text, .place = word.scalar.place, .offset = word.start
	};
	if (p->no_memory)
		return false;
	if (is_punct(peek(p), '=')) {
		take(p);
		return parse_value(p, it);
	}
	if (is_punct(peek(p), '{'))
		return open_block(p, it);
	if (is_scalar(peek(p)) && strcmp(it->name, "include") == 0) {
		it->kind = ITEM_INCLUDE;
		it->title = take(p).scalar;
		return true;
	}
	if (peek(p)->kind == TOKEN_TEXT)
		return parse_titled(p, it);
	if (peek(p)->kind == TOKEN_WORD) {
		/* Two words: a title without its quotes, if a block is opened, else text without them. */
		struct config_token t = look_further(p);

		if (is_punct(&t, '{'))
			return parse_titled(p, it);
	}
	complain_of_stray(p, &word);
	skip_item(p, it);
	return false;
}

/* The end of the bytes closes what is open, with a complaint about the innermost block. */
static void
close_all(struct config_parser *p)
{
	if (p->depth > 0)
		config_lex_complain(&p->lx, peek(p)->scalar.place,
		    "the end of the file inside the block %s opened on line %u; expected '}'",
		    p->open[p->depth - 1].name, p->open[p->depth - 1].line);
	p->closing = p->depth;
	p->depth = 0;
}

/* One step. 1 = *out is an item, 0 = go on, -1 = the end. */
static int
step(struct config_parser *p, struct config_item *out)
{
	const struct config_token *t = peek(p);

	if (t->kind == TOKEN_END) {
		close_all(p);
		if (p->closing == 0)
			return -1;
	}
	if (p->closing > 0 || (is_punct(t, '}') && p->depth > 0)) {
		*out = (struct config_item){ .kind = ITEM_CLOSE, .place = t->scalar.place };
		p->bare.kind = TOKEN_END;
		if (p->closing > 0) {
			p->closing--;
		} else {
			p->depth--;
			take(p);
		}
		return 1;
	}
	if (t->kind == TOKEN_WORD)
		return parse_named(p, out) ? 1 : 0;
	if (is_punct(t, '}')) {
		complain_ahead(p, "closes no block; expected a block or a key");
		take(p);
		return 0;
	}
	complain_ahead(p, "is not expected here; expected a block or a key");
	skip_ahead(p);
	return 0;
}

int
config_parser_next(struct config_parser *p, struct config_item *out, struct error *err)
{
	int more;

	do {
		more = step(p, out);
	} while (more == 0 && !p->no_memory);
	if (p->no_memory)
		return err_nomem(err, "configuration");
	return more == 1 ? 1 : 0;
}

void
config_parser_to_top(struct config_parser *p, const struct config_item *opened)
{
	if (p->depth >= 2)
		config_lex_complain(&p->lx, opened->place,
		    "'%.40s' inside the block %s opened on line %u; expected '}' before it",
		    opened->name, p->open[p->depth - 2].name, p->open[p->depth - 2].line);
	p->open[0] = p->open[p->depth - 1];
	p->depth = 1;
}
