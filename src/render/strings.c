#include "render/strings.h"

#include "digest/date.h"
#include "digest/text.h"

#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

enum { MAX_STRINGS = 200, NSLOTS = 512, MAX_MARK = 4 }; /* bytes between thousands: one character */

static const char tag_letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
static const char date_words[] = "{weekday} {day} {month} {year}";

struct strings {
	const char *name;
	const char *keys[MAX_STRINGS + 1]; /* NULL after the last, for text_nearest() */
	const char *texts[MAX_STRINGS];
	unsigned lines[MAX_STRINGS]; /* of its file, 0 = it stands in for one that is left out */
	size_t len;
	uint8_t slots[NSLOTS]; /* by the hash of a key: 1 + its index, 0 = free */
	size_t (*plural)(int64_t n);
	size_t nforms; /* that rule chooses from */
	struct value *value;
	const struct strings_faults *faults; /* while it is read */
	bool faulty;
};

/* What to return for something wrong: 0 = it was told, read on. */
static int
take_fault(struct strings *s, struct error *err)
{
	s->faulty = true;
	return s->faults != NULL ? s->faults->tell(s->faults->arg, err) : -1;
}

static size_t
plural_none(int64_t n)
{
	(void)n;
	return 0;
}

static size_t
plural_one(int64_t n)
{
	return n == 1 ? 0 : 1;
}

static size_t
plural_zero_one(int64_t n)
{
	return n == 0 || n == 1 ? 0 : 1;
}

/* 2-4, 22-24 ... but not 12-14. */
static bool
is_few(int64_t n)
{
	return n % 10 >= 2 && n % 10 <= 4 && (n % 100 < 12 || n % 100 > 14);
}

static size_t
plural_slavic(int64_t n)
{
	if (n % 10 == 1 && n % 100 != 11)
		return 0;
	return is_few(n) ? 1 : 2;
}

static size_t
plural_polish(int64_t n)
{
	if (n == 1)
		return 0;
	return is_few(n) ? 1 : 2;
}

static const struct {
	const char *name;
	size_t (*choose)(int64_t n);
	size_t nforms;
} plurals[] = {
	{ "none", plural_none, 1 },
	{ "one", plural_one, 2 },
	{ "zero-one", plural_zero_one, 2 },
	{ "slavic", plural_slavic, 3 },
	{ "polish", plural_polish, 3 },
};

enum { NPLURALS = sizeof(plurals) / sizeof(plurals[0]) };

/* Keys whose text is a list of words, and how many. */
static const struct {
	const char *key;
	size_t nwords;
} word_lists[] = {
	{ "months", 12 },
	{ "weekdays", 7 },
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The slot of a key, or the free one where it belongs. */
static size_t
find_slot(const struct strings *s, const char *key)
{
	uint32_t h = 2166136261u; /* FNV-1a */

	for (const char *k = key; *k != '\0'; k++)
		h = (h ^ (unsigned char)*k) * 16777619u;
	h = (h ^ h >> 16) % NSLOTS;
	while (s->slots[h] != 0 && strcmp(s->keys[s->slots[h] - 1], key) != 0)
		h = (h + 1) % NSLOTS;
	return h;
}

/* The index of a key; s->len when there is none. */
static size_t
find_key(const struct strings *s, const char *key)
{
	size_t slot = find_slot(s, key);

	return s->slots[slot] != 0 ? s->slots[slot] - 1u : s->len;
}

static void
add_key(struct strings *s, const char *key, const char *text)
{
	s->keys[s->len] = key;
	s->texts[s->len] = text;
	s->slots[find_slot(s, key)] = (uint8_t)++s->len;
}

/* len bytes of text, trimmed, in the arena. */
static char *
take(struct arena *a, const char *text, size_t len)
{
	while (len > 0 && is_blank(text[len - 1]))
		len--;
	while (len > 0 && is_blank(text[0])) {
		text++;
		len--;
	}
	return arena_strndup(a, text, len);
}

static int
parse_line(struct strings *s, struct arena *a, const struct strings *base, const char *line,
    size_t len, unsigned number, struct error *err)
{
	const char *equals = memchr(line, '=', len), *key, *text, *near;

	if (equals == NULL)
		return err_set(
		    err, ERR_CONFIG, "%s:%u:1: no '='; expected 'key = text'", s->name, number);
	key = take(a, line, (size_t)(equals - line));
	text = take(a, equals + 1, len - (size_t)(equals + 1 - line));
	if (key == NULL || text == NULL)
		return err_nomem(err, s->name);
	if (base != NULL && find_key(base, key) == base->len) {
		near = text_nearest(key, base->keys);
		return err_set(err, ERR_CONFIG,
		    "%s:%u:1: no text is called '%s'; expected one of en.strings%s%s%s", s->name,
		    number, key, near != NULL ? ", perhaps '" : "", near != NULL ? near : "",
		    near != NULL ? "'" : "");
	}
	if (find_key(s, key) < s->len)
		return err_set(err, ERR_CONFIG,
		    "%s:%u:1: '%s' a second time; expected each text once", s->name, number, key);
	if (s->len == MAX_STRINGS)
		return err_set(
		    err, ERR_CONFIG, "%s:%u:1: more than %d texts", s->name, number, MAX_STRINGS);
	s->lines[s->len] = number;
	add_key(s, key, text);
	return 0;
}

static int fail_text(struct strings *s, const char *key, struct error *err, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Something is wrong with a text; returns as take_fault() does. */
static int
fail_text(struct strings *s, const char *key, struct error *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	err_vset(err, ERR_CONFIG, fmt, ap);
	va_end(ap);
	err_prefix(err, "%s:%u:1: %s", s->name, s->lines[find_key(s, key)], key);
	return take_fault(s, err);
}

static size_t
count_words(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += !is_blank(text[0]) && (text[1] == '\0' || is_blank(text[1]));
	return n;
}

static int
choose_plural(struct strings *s, struct error *err)
{
	const char *name = strings_get(s, "plural");

	for (size_t i = 0; i < NPLURALS; i++)
		if (strcmp(plurals[i].name, name) == 0) {
			s->plural = plurals[i].choose;
			s->nforms = plurals[i].nforms;
			return 0;
		}
	s->nforms = SIZE_MAX; /* nobody knows */
	return fail_text(
	    s, "plural", err, "'%s'; expected none, one, zero-one, slavic or polish", name);
}

/* Lists have as many words as there are; what goes into an attribute is what it is for. */
static int
check_lists(struct strings *s, struct error *err)
{
	const char *dir = strings_get(s, "dir"), *lang = strings_get(s, "lang");

	for (size_t i = 0; i < sizeof(word_lists) / sizeof(word_lists[0]); i++) {
		size_t n = count_words(strings_get(s, word_lists[i].key));

		if (n != word_lists[i].nwords &&
		    fail_text(s, word_lists[i].key, err, "%zu words; expected %zu", n,
			word_lists[i].nwords) == -1)
			return -1;
	}
	if (strcmp(dir, "ltr") != 0 && strcmp(dir, "rtl") != 0 &&
	    fail_text(s, "dir", err, "'%s'; expected ltr or rtl", dir) == -1)
		return -1;
	if ((lang[0] == '\0' || lang[strspn(lang, tag_letters)] != '\0') &&
	    fail_text(s, "lang", err, "'%s'; expected a language tag such as fr or pt-BR", lang) ==
		-1)
		return -1;
	if (strlen(strings_get(s, "thousands")) > MAX_MARK)
		return fail_text(s, "thousands", err, "'%s'; expected one character, or nothing",
		    strings_get(s, "thousands"));
	return 0;
}

/* Whether text has {name}, of len bytes with its braces. */
static bool
has_word(const char *text, const char *word, size_t len)
{
	return memmem(text, strlen(text), word, len) != NULL;
}

/* A {name} that nothing stands for would be printed as it is, a form too many never. */
static int
check_text(struct strings *s, size_t i, const char *english, struct error *err)
{
	bool is_date = strncmp(s->keys[i], "date", 4) == 0;
	const char *open = s->texts[i], *close;
	size_t nforms = 1;

	for (; (open = strchr(open, '{')) != NULL && (close = strchr(open, '}')) != NULL;
	     open = close) {
		size_t len = (size_t)(close + 1 - open);

		if (!has_word(is_date ? date_words : english, open, len))
			return fail_text(s, s->keys[i], err, "nothing is called %.*s; expected %s",
			    len < 100 ? (int)len : 100, open,
			    is_date ? date_words : "those of en.strings");
	}
	for (const char *bar = s->texts[i]; (bar = strchr(bar, '|')) != NULL; bar++)
		nforms++;
	if (nforms > s->nforms && has_word(english, "{n}", 3))
		return fail_text(s, s->keys[i], err, "%zu forms; plural = %s has %zu", nforms,
		    strings_get(s, "plural"), s->nforms);
	return 0;
}

/* The language that a file is called by: "fr" of "own/fr.strings". */
static const char *
language_of(const struct strings *s, struct arena *a)
{
	const char *slash = strrchr(s->name, '/'), *stem = slash != NULL ? slash + 1 : s->name;

	return arena_strndup(a, stem, strspn(stem, tag_letters));
}

/* A text that the translation leaves out stays as in the base. */
static int
add_missing(struct strings *s, struct arena *a, const struct strings *base, struct error *err)
{
	for (size_t i = 0; i < base->len && s->len < MAX_STRINGS; i++) {
		const char *text;

		if (find_key(s, base->keys[i]) < s->len)
			continue;
		text = strcmp(base->keys[i], "lang") == 0 ? language_of(s, a) : base->texts[i];
		if (text == NULL)
			return err_nomem(err, s->name);
		add_key(s, base->keys[i], text);
	}
	return 0;
}

static int
check_texts(struct strings *s, const struct strings *base, struct error *err)
{
	for (size_t i = 0; i < s->len; i++)
		if (s->lines[i] > 0 && check_text(s, i, strings_get(base, s->keys[i]), err) == -1)
			return -1;
	return 0;
}

static int
parse_lines(struct strings *s, struct arena *a, const struct strings *base, const char *text,
    size_t len, struct error *err)
{
	unsigned number = 1;

	for (const char *end = text + len; text < end; number++) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *stop = newline != NULL ? newline : end;

		while (text < stop && is_blank(*text))
			text++;
		if (text < stop && *text != '#' &&
		    parse_line(s, a, base, text, (size_t)(stop - text), number, err) == -1 &&
		    take_fault(s, err) == -1)
			return -1;
		text = newline != NULL ? newline + 1 : end;
	}
	return 0;
}

int
strings_parse(struct arena *a, const char *name, const char *text, size_t len,
    const struct strings *base, const struct strings_faults *faults, const struct strings **out,
    struct error *err)
{
	struct strings *s = arena_zalloc(a, sizeof(*s));

	if (s == NULL || (s->name = arena_strdup(a, name)) == NULL)
		return err_nomem(err, name);
	s->faults = faults;
	if (parse_lines(s, a, base, text, len, err) == -1)
		return -1;
	if (base != NULL && add_missing(s, a, base, err) == -1)
		return -1;
	if (choose_plural(s, err) == -1 || check_lists(s, err) == -1 ||
	    check_texts(s, base != NULL ? base : s, err) == -1)
		return -1;
	s->faults = NULL;
	if (s->faulty)
		return 0;
	s->value = value_object(a);
	for (size_t i = 0; i < s->len; i++)
		value_set_string(a, s->value, s->keys[i], s->texts[i]);
	if (value_check(a, err) == -1)
		return -1;
	*out = s;
	return 0;
}

const char *
strings_get(const struct strings *s, const char *key)
{
	size_t i = find_key(s, key);

	return i < s->len ? s->texts[i] : "";
}

size_t
strings_missing(const struct strings *s, const char **keys, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < s->len; i++)
		if (s->lines[i] == 0 && strcmp(s->keys[i], "lang") != 0 && n++ < max)
			keys[n - 1] = s->keys[i];
	return n;
}

struct value *
strings_value(const struct strings *s)
{
	return s->value;
}

/* Text of len bytes with {names} replaced; a name that is not among the words stays as it is. */
static void
expand(struct strbuf *out, const char *text, size_t len, const struct word *words)
{
	const char *end = text + len;

	while (text < end) {
		const char *brace = memchr(text, '{', (size_t)(end - text));
		const char *close =
		    brace == NULL ? NULL : memchr(brace, '}', (size_t)(end - brace));
		const struct word *w = words;

		if (close == NULL || words == NULL)
			break;
		while (w->name != NULL &&
		    (strlen(w->name) != (size_t)(close - brace - 1) ||
			memcmp(w->name, brace + 1, strlen(w->name)) != 0))
			w++;
		strbuf_addn(out, text, (size_t)(brace - text));
		if (w->name != NULL)
			strbuf_add(out, w->text);
		else
			strbuf_addn(out, brace, (size_t)(close + 1 - brace));
		text = close + 1;
	}
	strbuf_addn(out, text, (size_t)(end - text));
}

void
strings_add(struct strbuf *out, const struct strings *s, const char *key, const struct word *words)
{
	const char *text = strings_get(s, key);

	expand(out, text, strlen(text), words);
}

/* 12,345 as the language writes it; "thousands" may be empty. */
static void
format_number(char out[64], const struct strings *s, int64_t n)
{
	const char *mark = strings_get(s, "thousands");
	struct strbuf digits;
	size_t used = 0;

	strbuf_init(&digits, 24);
	strbuf_add_number(&digits, n);
	for (size_t i = 0, len = digits.len; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0 && digits.buf[i - 1] != '-' &&
		    strlen(mark) <= MAX_MARK) {
			memcpy(out + used, mark, strlen(mark));
			used += strlen(mark);
		}
		out[used++] = digits.buf[i];
	}
	out[used] = '\0';
	strbuf_release(&digits);
}

void
strings_add_count(struct strbuf *out, const struct strings *s, const char *key, int64_t n,
    const struct word *words)
{
	const char *form = strings_get(s, key), *bar;
	struct word all[8];
	size_t nall = 0, len;
	char number[64];

	format_number(number, s, n);
	all[nall++] = (struct word){ "n", number };
	while (words != NULL && words->name != NULL && nall < sizeof(all) / sizeof(all[0]) - 1)
		all[nall++] = *words++;
	all[nall] = (struct word){ NULL, NULL };
	/* A text with fewer forms than the language has is the same for the rest. */
	for (size_t i = s->plural(n); i > 0 && (bar = strchr(form, '|')) != NULL; i--)
		form = bar + 1;
	while (is_blank(*form))
		form++;
	len = strcspn(form, "|");
	while (len > 0 && is_blank(form[len - 1]))
		len--;
	expand(out, form, len, all);
}

/* The i-th of the words of a text. */
static void
pick_word(char *out, size_t size, const char *text, int i)
{
	for (;; i--) {
		size_t n;

		text += strspn(text, " \t");
		n = strcspn(text, " \t");
		if (i == 0 || n == 0) {
			n = n < size ? n : size - 1;
			memcpy(out, text, n);
			out[n] = '\0';
			return;
		}
		text += n;
	}
}

void
strings_add_date(struct strbuf *out, const struct strings *s, const char *key, int32_t day)
{
	char month[64], weekday[64];
	struct strbuf year, mday;
	struct civil c;

	date_civil_of_day(day, &c);
	pick_word(month, sizeof(month), strings_get(s, "months"), c.month - 1);
	pick_word(weekday, sizeof(weekday), strings_get(s, "weekdays"), date_weekday(day));
	strbuf_init(&year, 24);
	strbuf_init(&mday, 24);
	strbuf_add_number(&year, c.year);
	strbuf_add_number(&mday, c.day);
	strings_add(out, s, key,
	    (const struct word[]){ { "day", mday.buf }, { "month", month }, { "year", year.buf },
		{ "weekday", weekday }, { NULL, NULL } });
	strbuf_release(&year);
	strbuf_release(&mday);
}
