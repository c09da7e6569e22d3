#include "digest/text.h"
#include "digest/utf8.h"

#include <utf8proc.h>

#include <stdlib.h>
#include <string.h>

enum { MAX_TOKENS = 1 << 20, MAX_FORM_BYTES = 1 << 30 };

enum char_class {
	CHAR_OTHER,
	CHAR_END, /* of the text */
	CHAR_BLANK,
	CHAR_OPENING, /* brackets and quotes: a word may begin behind them with a dot */
	CHAR_LETTER,
	CHAR_DIGIT,
	CHAR_MARK,
	CHAR_CJK,
	CHAR_IGNORABLE,
	CHAR_HYPHEN,
	CHAR_APOSTROPHE,
	CHAR_DOT,
	CHAR_PLUS, /* '+' or '#' */
};

struct character {
	enum char_class class;
	size_t len;
};

/* What is read, and the run of words joined by hyphens or apostrophes that is open. */
struct scanner {
	const char *text;
	size_t len;
	struct token_list *list;
	uint32_t position;
	size_t run_first, run_len;
};

static const struct {
	uint32_t first, last;
} cjk_ranges[] = {
	{ 0x2e80, 0x2fdf }, /* radicals */
	{ 0x3005, 0x3007 },
	{ 0x3021, 0x3029 },
	{ 0x3041, 0x3096 }, /* hiragana */
	{ 0x309d, 0x309f },
	{ 0x30a1, 0x30fa }, /* katakana */
	{ 0x30fc, 0x30ff },
	{ 0x3105, 0x312f }, /* bopomofo */
	{ 0x31a0, 0x31bf },
	{ 0x31f0, 0x31ff },
	{ 0x3400, 0x4dbf }, /* ideographs */
	{ 0x4e00, 0x9fff },
	{ 0xac00, 0xd7a3 }, /* hangul syllables */
	{ 0xf900, 0xfaff },
	{ 0xff66, 0xff9d }, /* half-width katakana */
	{ 0x20000, 0x3fffd },
};

static bool
is_cjk(uint32_t cp)
{
	if (cp < cjk_ranges[0].first)
		return false;
	for (size_t i = 0; i < sizeof(cjk_ranges) / sizeof(cjk_ranges[0]); i++)
		if (cp >= cjk_ranges[i].first && cp <= cjk_ranges[i].last)
			return true;
	return false;
}

/* What is not listed is CHAR_OTHER. */
static const unsigned char ascii_classes[128] = {
	[' '] = CHAR_BLANK,
	['\t'] = CHAR_BLANK,
	['\n'] = CHAR_BLANK,
	['\r'] = CHAR_BLANK,
	['('] = CHAR_OPENING,
	['['] = CHAR_OPENING,
	['{'] = CHAR_OPENING,
	['"'] = CHAR_OPENING,
	['/'] = CHAR_OPENING,
	['-'] = CHAR_HYPHEN,
	['\''] = CHAR_APOSTROPHE,
	['.'] = CHAR_DOT,
	['+'] = CHAR_PLUS,
	['#'] = CHAR_PLUS,
};

static const unsigned char category_classes[] = {
	[UTF8PROC_CATEGORY_LU] = CHAR_LETTER,
	[UTF8PROC_CATEGORY_LL] = CHAR_LETTER,
	[UTF8PROC_CATEGORY_LT] = CHAR_LETTER,
	[UTF8PROC_CATEGORY_LM] = CHAR_LETTER,
	[UTF8PROC_CATEGORY_LO] = CHAR_LETTER,
	[UTF8PROC_CATEGORY_ND] = CHAR_DIGIT,
	[UTF8PROC_CATEGORY_NL] = CHAR_DIGIT,
	[UTF8PROC_CATEGORY_NO] = CHAR_DIGIT,
	[UTF8PROC_CATEGORY_MN] = CHAR_MARK,
	[UTF8PROC_CATEGORY_MC] = CHAR_MARK,
	[UTF8PROC_CATEGORY_ME] = CHAR_MARK,
	[UTF8PROC_CATEGORY_ZS] = CHAR_BLANK,
	[UTF8PROC_CATEGORY_ZL] = CHAR_BLANK,
	[UTF8PROC_CATEGORY_ZP] = CHAR_BLANK,
	[UTF8PROC_CATEGORY_PS] = CHAR_OPENING,
	[UTF8PROC_CATEGORY_PI] = CHAR_OPENING,
	[UTF8PROC_CATEGORY_CO] = CHAR_OTHER, /* the last category */
};

static enum char_class
classify_ascii(unsigned char c)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
		return CHAR_LETTER;
	if (c >= '0' && c <= '9')
		return CHAR_DIGIT;
	return ascii_classes[c];
}

static enum char_class
classify(uint32_t cp)
{
	switch (cp) {
	case 0x2010: /* hyphen */
	case 0x2011: /* that does not break */
	case 0xff0d: /* full-width */
		return CHAR_HYPHEN;
	case 0x2018:
	case 0x2019: /* the curly ones */
	case 0x02bc:
	case 0xff07:
		return CHAR_APOSTROPHE;
	case 0xff9e:
	case 0xff9f: /* half-width voiced marks */
		return CHAR_MARK;
	default:
		break;
	}
	if (is_cjk(cp))
		return CHAR_CJK;
	if (utf8proc_get_property((utf8proc_int32_t)cp)->ignorable)
		return CHAR_IGNORABLE;
	return category_classes[utf8proc_category((utf8proc_int32_t)cp)];
}

static struct character
look(const struct scanner *s, size_t at)
{
	struct character c = { CHAR_END, 0 };
	uint32_t cp;

	if (at >= s->len)
		return c;
	if ((unsigned char)s->text[at] < 0x80) {
		c.class = classify_ascii((unsigned char)s->text[at]);
		c.len = 1;
		return c;
	}
	c.len = utf8_decode(s->text + at, s->len - at, &cp);
	c.class = c.len > 0 ? classify(cp) : CHAR_OTHER;
	if (c.len == 0)
		c.len = 1;
	return c;
}

static bool is_word(enum char_class class)
{
	return class == CHAR_LETTER || class == CHAR_DIGIT;
}

/* "C++" and "C#", at most two signs; but "A+B" are two words, and "C++17" begins with C++. */
static size_t
skip_plus(const struct scanner *s, size_t at)
{
	size_t n = 0;

	while (look(s, at + n).class == CHAR_PLUS && n < 3)
		n++;
	return n == 2 || (n == 1 && !is_word(look(s, at + 1).class)) ? at + n : at;
}

/* The dot of "0.5", "v1.2" and "2312.00752". */
static bool
is_inner_dot(const struct scanner *s, size_t at, enum char_class previous)
{
	return previous == CHAR_DIGIT && look(s, at).class == CHAR_DOT &&
	    look(s, at + 1).class == CHAR_DIGIT;
}

/* The end of the word that begins at at. Characters that vanish stay inside but do not end it. */
static size_t
word_end(const struct scanner *s, size_t at)
{
	enum char_class previous = CHAR_OTHER;
	bool has_letters = false;
	size_t end = at;

	for (;;) {
		struct character c = look(s, at);

		if (!is_word(c.class) && c.class != CHAR_MARK && c.class != CHAR_IGNORABLE &&
		    !is_inner_dot(s, at, previous))
			break;
		at += c.len;
		if (c.class == CHAR_IGNORABLE)
			continue;
		has_letters = has_letters || c.class == CHAR_LETTER;
		if (c.class != CHAR_MARK)
			previous = c.class;
		end = at;
	}
	return has_letters && end == at ? skip_plus(s, end) : end;
}

static size_t
skip_class(const struct scanner *s, size_t at, enum char_class class)
{
	struct character c;

	while ((c = look(s, at)).class == class)
		at += c.len;
	return at;
}

static int
grow_tokens(struct token_list *list, struct error *err)
{
	size_t alloc = list->alloc == 0 ? 64 : list->alloc * 2;
	struct token *tokens;

	if (list->len < list->alloc)
		return 0;
	if (list->len >= MAX_TOKENS)
		return err_set(err, ERR_NOMEM, "text has more than %d words", MAX_TOKENS);
	tokens = realloc(list->tokens, alloc * sizeof(*tokens));
	if (tokens == NULL)
		return err_nomem(err, "words");
	list->tokens = tokens;
	list->alloc = alloc;
	return 0;
}

/* The word from start to end, unless nothing is left of it when it is folded. */
static int
add_word(struct scanner *s, size_t start, size_t end, struct error *err)
{
	struct token_list *list = s->list;
	size_t form = list->forms.len;
	struct token *t;

	text_add_folded(&list->forms, s->text + start, end - start);
	if (list->forms.len == form)
		return strbuf_check(&list->forms, err);
	strbuf_addc(&list->forms, '\0');
	if (strbuf_check(&list->forms, err) == -1 || grow_tokens(list, err) == -1)
		return -1;
	t = &list->tokens[list->len++];
	memset(t, 0, sizeof(*t));
	t->start = (uint32_t)start;
	t->end = (uint32_t)end;
	t->position = s->position++;
	t->form = (uint32_t)form;
	s->run_len++;
	return 0;
}

/* "pretraining" is written beside "pre" and "training". */
static int
close_run(struct scanner *s, struct error *err)
{
	struct token_list *list = s->list;
	size_t joined = list->forms.len;

	if (s->run_len > 1) {
		for (size_t i = 0; i < s->run_len; i++) {
			/* The forms may move while they grow: copy by the byte. */
			for (size_t at = list->tokens[s->run_first + i].form;
			     list->forms.buf[at] != '\0'; at++)
				strbuf_addc(&list->forms, list->forms.buf[at]);
		}
		strbuf_addc(&list->forms, '\0');
		list->tokens[s->run_first].joined = (uint32_t)joined;
		list->tokens[s->run_first].njoined = (uint32_t)s->run_len;
	}
	s->run_len = 0;
	s->run_first = list->len;
	return strbuf_check(&list->forms, err);
}

/* One word and the hyphen behind it, if another word follows that. Moves *at over both. */
static int
scan_word(struct scanner *s, size_t *at, struct error *err)
{
	size_t start = *at, end, next;
	enum char_class sign;

	end = word_end(s, look(s, start).class == CHAR_DOT ? start + 1 : start);
	if (add_word(s, start, end, err) == -1)
		return -1;
	next = skip_class(s, end, CHAR_IGNORABLE);
	*at = next;
	sign = look(s, next).class;
	if (sign == CHAR_HYPHEN || sign == CHAR_APOSTROPHE) {
		next = skip_class(s, next + look(s, next).len, CHAR_IGNORABLE);
		if (is_word(look(s, next).class)) {
			*at = next;
			return 0;
		}
	}
	return close_run(s, err);
}

int
tokens_add(struct token_list *list, const char *text, size_t len, uint32_t first_position,
    struct error *err)
{
	struct scanner s = { .text = text, .len = len, .list = list, .position = first_position };
	enum char_class previous = CHAR_BLANK;

	if (len > UINT32_MAX)
		return err_set(err, ERR_NOMEM, "text of %zu bytes is too long", len);
	if (list->forms.len == 0)
		strbuf_addc(&list->forms, '\0');
	s.run_first = list->len;
	for (size_t at = 0; at < len;) {
		struct character c = look(&s, at);
		bool dotted = c.class == CHAR_DOT &&
		    (previous == CHAR_BLANK || previous == CHAR_OPENING) &&
		    look(&s, at + 1).class == CHAR_LETTER;
		size_t end = at + c.len;

		if (is_word(c.class) || dotted) {
			end = at;
			if (scan_word(&s, &end, err) == -1)
				return -1;
		} else if (c.class == CHAR_CJK) {
			end = skip_class(&s, end, CHAR_MARK);
			if (add_word(&s, at, end, err) == -1)
				return -1;
			s.run_len = 0;
			s.run_first = list->len;
		}
		previous = c.class;
		at = end;
	}
	return strbuf_check(&list->forms, err);
}

void
tokens_init(struct token_list *list)
{
	memset(list, 0, sizeof(*list));
	strbuf_init(&list->forms, MAX_FORM_BYTES);
}

void
tokens_release(struct token_list *list)
{
	free(list->tokens);
	strbuf_release(&list->forms);
	tokens_init(list);
}

void
tokens_reset(struct token_list *list)
{
	list->len = 0;
	strbuf_reset(&list->forms);
}

const char *
token_form(const struct token_list *list, const struct token *t)
{
	return list->forms.buf + t->form;
}
