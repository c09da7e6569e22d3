#include "words.h"

#include "digest/limits.h"
#include "digest/paper.h"
#include "digest/utf8.h"

#include <string.h>

/* No English plural is longer; what is longer (a URL, a formula) is compared as it is. */
enum { MAX_ENGLISH_WORD = 64 };

void
words_init(struct word_maker *m)
{
	tokens_init(&m->tokens);
	strbuf_init(&m->plain, 4 * MAX_QUERY_BYTES);
	strbuf_init(&m->form, 16 * MAX_QUERY_BYTES);
}

void
words_release(struct word_maker *m)
{
	tokens_release(&m->tokens);
	strbuf_release(&m->plain);
	strbuf_release(&m->form);
}

void
words_add_normal(struct strbuf *out, const char *folded)
{
	char normal[2 * MAX_ENGLISH_WORD];

	if (strlen(folded) >= MAX_ENGLISH_WORD) {
		strbuf_add(out, folded);
		return;
	}
	text_normal_word(folded, normal, sizeof(normal));
	strbuf_add(out, normal);
}

static bool
is_author(enum query_field field)
{
	return field == FIELD_AUTHOR || field == FIELD_FIRST_AUTHOR || field == FIELD_LAST_AUTHOR;
}

/* As written, white space of any kind one blank, none at the ends. */
static const char *
copy_written(const char *text, size_t len, struct arena *a)
{
	char *copy = arena_alloc(a, len + 1);
	size_t n = 0;

	if (copy == NULL)
		return NULL;
	for (size_t i = 0; i < len; i++) {
		bool blank = strchr(" \t\r\n", text[i]) != NULL;

		if (!blank)
			copy[n++] = text[i];
		else if (n > 0 && copy[n - 1] != ' ')
			copy[n++] = ' ';
	}
	if (n > 0 && copy[n - 1] == ' ')
		n--;
	copy[n] = '\0';
	return copy;
}

/* A form as it will be compared, in the arena. */
static const char *
copy_form(struct word_maker *m, const char *folded, bool normal, struct arena *a)
{
	strbuf_reset(&m->form);
	if (normal)
		words_add_normal(&m->form, folded);
	else
		strbuf_add(&m->form, folded);
	return m->form.state == STRBUF_OK ? arena_strdup(a, m->form.buf) : NULL;
}

/* "pre training" is tried as "pretraining" too, though nothing joins the two. */
static const char *
join_two(struct word_maker *m, bool normal, struct arena *a)
{
	struct strbuf *folded = &m->plain;

	strbuf_reset(folded);
	strbuf_add(folded, token_form(&m->tokens, &m->tokens.tokens[0]));
	strbuf_add(folded, token_form(&m->tokens, &m->tokens.tokens[1]));
	return folded->state == STRBUF_OK ? copy_form(m, folded->buf, normal, a) : NULL;
}

/* Word i of a term that is compared by folded or normal forms. */
static int
make_word(struct word_maker *m, struct query *q, size_t i, struct arena *a)
{
	const struct token *t = &m->tokens.tokens[i];
	struct query_word *w = &q->words[i];
	bool english = !is_author(q->field), prefix = q->kind == TERM_PREFIX;

	w->joined = "";
	w->form =
	    copy_form(m, token_form(&m->tokens, t), english && !(prefix && i + 1 == q->nwords), a);
	if (w->form == NULL)
		return -1;
	if (q->kind == TERM_NEAR)
		return 0;
	if (t->njoined > 0) {
		w->njoined = t->njoined;
		w->joined = copy_form(m, m->tokens.forms.buf + t->joined,
		    english && !(prefix && i + t->njoined == q->nwords), a);
	} else if (i == 0 && q->nwords == 2) {
		w->njoined = 2;
		w->joined = join_two(m, english && !prefix, a);
	}
	return w->joined != NULL ? 0 : -1;
}

/* Words of a term: folded forms, or the spelling for TERM_EXACT. */
static int
make_words(struct word_maker *m, struct query *q, struct arena *a, struct error *err)
{
	q->nwords = m->tokens.len;
	if ((q->words = arena_array(a, q->nwords, sizeof(*q->words))) == NULL)
		return err_nomem(err, "query");
	for (size_t i = 0; i < q->nwords; i++) {
		const struct token *t = &m->tokens.tokens[i];

		if (q->kind != TERM_EXACT) {
			if (make_word(m, q, i, a) == -1)
				return err_nomem(err, "query");
			continue;
		}
		q->words[i].joined = "";
		q->words[i].form = arena_strndup(a, m->plain.buf + t->start, t->end - t->start);
		if (q->words[i].form == NULL)
			return err_nomem(err, "query");
	}
	return 0;
}

static int
fail_term(const struct lexeme *lx, struct error *err, const char *why)
{
	return err_set(err, ERR_DATA, "'%.*s' %s", lex_clip(lx->text, lx->len), lx->text, why);
}

static int
make_text_term(struct word_maker *m, const struct lexeme *lx, struct arena *a, struct query *q,
    struct error *err)
{
	size_t n;

	tokens_reset(&m->tokens);
	strbuf_reset(&m->plain);
	text_add_latex(&m->plain, lx->text, lx->len);
	if (strbuf_check(&m->plain, err) == -1 ||
	    tokens_add(&m->tokens, m->plain.buf, m->plain.len, 0, err) == -1)
		return -1;
	n = m->tokens.len;
	if (n == 0)
		return fail_term(lx, err, "holds no letter or digit to look for");
	if (lx->prefix && m->tokens.tokens[n - 1].end != m->plain.len)
		return err_set(err, ERR_DATA,
		    "'*' wants a letter or digit directly before it, not '%.*s'",
		    lex_clip(lx->text, lx->len), lx->text);
	q->kind = n > 1 ? TERM_PHRASE : TERM_WORD;
	if (lx->exact || lx->prefix)
		q->kind = lx->exact ? TERM_EXACT : TERM_PREFIX;
	if (lx->near) {
		q->kind = TERM_NEAR;
		q->distance = lx->distance;
		if (is_author(q->field))
			return fail_term(
			    lx, err, "with '~': names are found in any order without it");
		if (n < 2)
			return fail_term(lx, err, "is one word; '~' takes two or more");
		if (n - 2 > lx->distance)
			return err_set(err, ERR_DATA,
			    "'~%u' leaves no room: %zu word%s between the first and the last of "
			    "'%.*s'; write at least ~%zu",
			    lx->distance, n - 2, n == 3 ? " stands" : "s stand",
			    lex_clip(lx->text, lx->len), lx->text, n - 2);
	}
	return make_words(m, q, a, err);
}

/* The key that an id means, in m->form: "arxiv:2312.00752". */
static int
make_id(struct word_maker *m, const struct lexeme *lx, const char *text, struct error *err)
{
	strbuf_reset(&m->form);
	if (paper_add_key(&m->form, text, NULL) == 1)
		return 0;
	if (strchr(text, ':') == NULL)
		return fail_term(lx, err,
		    "is no id; expected an arXiv id, a DOI or a key such as arxiv:2312.00752");
	strbuf_add(&m->form, text);
	return 0;
}

/* cat:, primary: and id: compare whole strings. */
static int
make_string_term(struct word_maker *m, const struct lexeme *lx, struct arena *a, struct query *q,
    struct error *err)
{
	size_t len = strlen(q->text);

	if (lx->near)
		return fail_term(lx, err, "with '~': this field holds no running text");
	if (q->field == FIELD_ID && (lx->prefix || lx->exact))
		return fail_term(lx, err, "is no id: leave out '*' and '='");
	if (q->field != FIELD_ID && strchr(q->text, '*') != NULL)
		return fail_term(lx, err, "is no category: '*' may stand only at its end");
	q->kind = lx->exact ? TERM_EXACT : lx->prefix ? TERM_PREFIX : TERM_WORD;
	/* cat:cs.* is the archive cs, and so is cat:cs. */
	if (lx->prefix && len > 1 && q->text[len - 1] == '.') {
		q->kind = TERM_WORD;
		q->text = arena_strndup(a, q->text, len - 1);
		if (q->text == NULL)
			return err_nomem(err, "query");
	}
	if (q->field == FIELD_ID) {
		if (make_id(m, lx, q->text, err) == -1)
			return -1;
	} else {
		strbuf_reset(&m->form);
		if (q->kind == TERM_EXACT)
			strbuf_add(&m->form, q->text);
		else
			text_add_folded(&m->form, q->text, strlen(q->text));
	}
	q->nwords = 1;
	if (strbuf_check(&m->form, err) == -1)
		return -1;
	if ((q->words = arena_array(a, 1, sizeof(*q->words))) == NULL ||
	    (q->words[0].form = arena_strdup(a, m->form.buf)) == NULL)
		return err_nomem(err, "query");
	q->words[0].joined = "";
	return 0;
}

int
words_make(struct word_maker *m, const struct lexeme *lx, struct arena *a, struct query *q,
    struct error *err)
{
	if ((q->text = copy_written(lx->text, lx->len, a)) == NULL)
		return err_nomem(err, "query");
	if (q->field == FIELD_CAT || q->field == FIELD_PRIMARY || q->field == FIELD_ID)
		return make_string_term(m, lx, a, q, err);
	return make_text_term(m, lx, a, q, err);
}
