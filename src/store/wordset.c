#include "store/wordset.h"

#include "store/db.h"

#include <string.h>

/* No English plural is longer; what is longer is compared as it is, as in filters. */
enum { MAX_ENGLISH_WORD = 64 };

/* As what a form was met: one that is a normal form may still have another one itself. */
enum form_kind { FORM_FOLDED = 1, FORM_NORMAL = 2 };

void
wordset_init(struct wordset *w)
{
	tokens_init(&w->tokens);
	strbuf_init(&w->plain, MAX_PACKED_BYTES);
	strbuf_init(&w->form, MAX_PACKED_BYTES);
	strbuf_init(&w->out, MAX_PACKED_BYTES);
	map_init(&w->met);
	arena_init(&w->keys, SCRATCH_BYTES);
}

void
wordset_release(struct wordset *w)
{
	arena_release(&w->keys);
	map_release(&w->met);
	strbuf_release(&w->out);
	strbuf_release(&w->form);
	strbuf_release(&w->plain);
	tokens_release(&w->tokens);
}

void
wordset_reset(struct wordset *w)
{
	strbuf_reset(&w->out);
	map_release(&w->met);
	map_init(&w->met);
	arena_reset(&w->keys);
}

static bool
is_plain(unsigned char c)
{
	return c >= 0x80 || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
	    c == '#' || c == '.';
}

void
wordset_add_form(struct strbuf *out, const char *form)
{
	while (*form != '\0') {
		size_t n = 0;

		while (is_plain((unsigned char)form[n]))
			n++;
		strbuf_addn(out, form, n);
		form += n;
		if (*form == '\0')
			break;
		strbuf_addc(out, '_');
		form++;
	}
}

/* 1 = this form was not met before as it is given, 0 = it was, -1. */
static int
add_form(struct wordset *w, const char *form, enum form_kind kind, struct error *err)
{
	const char *key;
	uint64_t met = 0;
	bool there;

	strbuf_reset(&w->form);
	wordset_add_form(&w->form, form);
	if (strbuf_check(&w->form, err) == -1)
		return -1;
	there = map_get(&w->met, w->form.buf, w->form.len, &met);
	if ((met & kind) != 0)
		return 0;
	if ((key = arena_strndup(&w->keys, w->form.buf, w->form.len)) == NULL ||
	    map_set(&w->met, key, w->form.len, met | kind) == -1)
		return err_nomem(err, "words of a paper");
	if (there)
		return 1;
	if (w->out.len > 0)
		strbuf_addc(&w->out, ' ');
	strbuf_addn(&w->out, key, w->form.len);
	return 1;
}

static int
add_forms(struct wordset *w, const char *folded, struct error *err)
{
	char normal[2 * MAX_ENGLISH_WORD];
	int added = add_form(w, folded, FORM_FOLDED, err);

	/* What was there was normalised then. */
	if (added != 1 || strlen(folded) >= MAX_ENGLISH_WORD)
		return added == -1 ? -1 : 0;
	text_normal_word(folded, normal, sizeof(normal));
	return strcmp(normal, folded) != 0 && add_form(w, normal, FORM_NORMAL, err) == -1 ? -1 : 0;
}

int
wordset_add(struct wordset *w, const char *text, struct error *err)
{
	if (text[0] == '\0')
		return 0;
	tokens_reset(&w->tokens);
	strbuf_reset(&w->plain);
	text_add_latex(&w->plain, text, strlen(text));
	if (strbuf_check(&w->plain, err) == -1 ||
	    tokens_add(&w->tokens, w->plain.buf, w->plain.len, 0, err) == -1)
		return -1;
	for (size_t i = 0; i < w->tokens.len; i++) {
		const struct token *t = &w->tokens.tokens[i];

		if (add_forms(w, token_form(&w->tokens, t), err) == -1 ||
		    (t->njoined > 0 && add_forms(w, w->tokens.forms.buf + t->joined, err) == -1))
			return -1;
	}
	return strbuf_check(&w->out, err);
}
