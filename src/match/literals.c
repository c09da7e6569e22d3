#include "literals.h"

#include "digest/strbuf.h"

#include <stdlib.h>
#include <string.h>

enum {
	MAX_KEY_BYTES = 1024 * 1024,	/* a query of 16 KB is a few times as long folded */
	MAX_BYTES = 1024 * 1024 * 1024, /* of all: ten million phrases */
	MAX_SPELLINGS = 16, /* of one key; then the first spelling is shown for all others */
};

/* The numbers of a literal, as they stand at the beginning of its key. No padding: keys are
 * compared as bytes. */
struct key_head {
	int64_t number;
	uint32_t distance, nwords;
	uint8_t op, field, kind, measure, compare, property, unused[2];
};

int
match_literals_new(struct match_literals **out, struct error *err)
{
	struct match_literals *literals = calloc(1, sizeof(*literals));

	if (literals == NULL)
		return err_nomem(err, "literals");
	map_init(&literals->by_key);
	strbuf_init(&literals->scratch, MAX_KEY_BYTES);
	arena_init(&literals->arena, MAX_BYTES);
	*out = literals;
	return 0;
}

void
match_literals_free(struct match_literals *literals)
{
	if (literals == NULL)
		return;
	arena_release(&literals->arena);
	strbuf_release(&literals->scratch);
	map_release(&literals->by_key);
	free(literals->entries);
	free(literals);
}

static void
add_key(struct strbuf *out, const struct query *q)
{
	struct key_head head;

	memset(&head, 0, sizeof(head));
	head.op = (uint8_t)q->op;
	head.number = q->number;
	head.distance = q->distance;
	head.nwords = (uint32_t)q->nwords;
	head.field = (uint8_t)q->field;
	head.kind = (uint8_t)q->kind;
	head.measure = (uint8_t)q->measure;
	head.compare = (uint8_t)q->compare;
	head.property = (uint8_t)q->property;
	strbuf_addn(out, &head, sizeof(head));
	for (size_t i = 0; i < q->nwords; i++) {
		const struct query_word *w = &q->words[i];

		strbuf_addn(out, &w->njoined, sizeof(w->njoined));
		strbuf_addn(out, w->form, strlen(w->form) + 1);
		strbuf_addn(out, w->joined, strlen(w->joined) + 1);
	}
}

/* What a reader sees: the words themselves where the field is the text, else the canonical form. */
static void
add_label(struct strbuf *out, const struct query *q)
{
	if (q->op == QUERY_TERM && (q->field <= FIELD_ABSTRACT || q->field == FIELD_KEYWORD)) {
		strbuf_add(out, q->text);
		if (q->kind == TERM_PREFIX)
			strbuf_addc(out, '*');
	} else {
		query_add_text(out, q);
	}
}

static int
grow(struct match_literals *literals, struct error *err)
{
	uint32_t alloc = literals->alloc == 0 ? 256 : literals->alloc + literals->alloc / 2;
	struct literal_entry *entries;

	if (literals->len < literals->alloc)
		return 0;
	/* A step of a program holds twice the number. */
	if (literals->len >= UINT32_MAX / 4)
		return err_set(err, ERR_NOMEM, "too many different words in the filters");
	if ((entries = realloc(literals->entries, alloc * sizeof(*entries))) == NULL)
		return err_nomem(err, "literals");
	literals->entries = entries;
	literals->alloc = alloc;
	return 0;
}

/* The literal in scratch, key_len bytes of which are its key, behind the ones of the same key. */
static int
add(struct match_literals *literals, size_t key_len, uint32_t meaning, uint32_t last, uint32_t *out,
    struct error *err)
{
	const struct strbuf *scratch = &literals->scratch;
	const char *bytes;

	if (grow(literals, err) == -1)
		return -1;
	*out = literals->len;
	if ((bytes = arena_strndup(&literals->arena, scratch->buf, scratch->len)) == NULL ||
	    (last == NO_LITERAL && map_set(&literals->by_key, bytes, key_len, *out) == -1))
		return err_nomem(err, "literals");
	literals->entries[literals->len++] = (struct literal_entry){ .bytes = bytes,
		.key_len = (uint32_t)key_len,
		.meaning = last == NO_LITERAL ? *out : meaning,
		.next = NO_LITERAL };
	if (last != NO_LITERAL)
		literals->entries[last].next = *out;
	return 0;
}

int
literals_intern(
    struct match_literals *literals, const struct query *q, uint32_t *out, struct error *err)
{
	struct strbuf *scratch = &literals->scratch;
	uint64_t first = NO_LITERAL;
	uint32_t last = NO_LITERAL;
	size_t key_len;
	int n = 0;

	strbuf_reset(scratch);
	add_key(scratch, q);
	key_len = scratch->len;
	add_label(scratch, q);
	if (strbuf_check(scratch, err) == -1)
		return -1;
	map_get(&literals->by_key, scratch->buf, key_len, &first);
	for (uint32_t i = (uint32_t)first; i != NO_LITERAL; i = literals->entries[i].next) {
		last = i;
		if (strcmp(literals->entries[i].bytes + key_len, scratch->buf + key_len) == 0) {
			*out = i;
			return 0;
		}
		if (++n == MAX_SPELLINGS) {
			*out = (uint32_t)first;
			return 0;
		}
	}
	return add(literals, key_len, (uint32_t)first, last, out, err);
}

int
literals_add(struct match_literals *literals, const char *bytes, size_t key_len, size_t len,
    struct error *err)
{
	struct strbuf *scratch = &literals->scratch;
	uint64_t first = NO_LITERAL;
	uint32_t last = NO_LITERAL, number;

	strbuf_reset(scratch);
	strbuf_addn(scratch, bytes, len);
	if (strbuf_check(scratch, err) == -1)
		return -1;
	map_get(&literals->by_key, scratch->buf, key_len, &first);
	for (uint32_t i = (uint32_t)first; i != NO_LITERAL; i = literals->entries[i].next)
		last = i;
	return add(literals, key_len, (uint32_t)first, last, &number, err);
}

bool
literals_is_key(const char *bytes, size_t len)
{
	const char *end = bytes + len;
	struct key_head head;

	if (len < sizeof(head))
		return false;
	memcpy(&head, bytes, sizeof(head));
	if (head.op < QUERY_TERM || head.op > QUERY_PROPERTY || head.field > FIELD_ID ||
	    head.kind > TERM_NEAR || head.measure > MEASURE_PUBLISHED ||
	    head.compare > COMPARE_GT || head.property > IS_SENT ||
	    (head.op == QUERY_TERM && head.nwords == 0))
		return false;
	bytes += sizeof(head);
	for (uint32_t i = 0; i < head.nwords; i++) {
		uint32_t njoined;

		if (end - bytes < (ptrdiff_t)sizeof(njoined))
			return false;
		memcpy(&njoined, bytes, sizeof(njoined));
		if (njoined > head.nwords - i)
			return false;
		bytes += sizeof(njoined);
		for (int k = 0; k < 2; k++) {
			const char *nul = memchr(bytes, '\0', (size_t)(end - bytes));

			if (nul == NULL)
				return false;
			bytes = nul + 1;
		}
	}
	return bytes == end;
}

const char *
literals_label(const struct match_literals *literals, uint32_t number)
{
	const struct literal_entry *e = &literals->entries[number];

	return e->bytes + e->key_len;
}

int
literals_read(const struct match_literals *literals, uint32_t number, struct arena *a,
    struct literal_spec *out, struct error *err)
{
	const char *at = literals->entries[number].bytes;
	struct query_word *words;
	struct key_head head;

	memcpy(&head, at, sizeof(head));
	at += sizeof(head);
	if ((words = arena_array(a, head.nwords, sizeof(*words))) == NULL)
		return err_nomem(err, "query");
	for (uint32_t i = 0; i < head.nwords; i++) {
		memcpy(&words[i].njoined, at, sizeof(words[i].njoined));
		words[i].form = at + sizeof(words[i].njoined);
		words[i].joined = words[i].form + strlen(words[i].form) + 1;
		at = words[i].joined + strlen(words[i].joined) + 1;
	}
	*out = (struct literal_spec){
		.op = (enum query_op)head.op,
		.field = (enum query_field)head.field,
		.kind = (enum query_term_kind)head.kind,
		.distance = head.distance,
		.measure = (enum query_measure)head.measure,
		.compare = (enum query_compare)head.compare,
		.property = (enum query_property)head.property,
		.number = head.number,
		.words = words,
		.nwords = head.nwords,
	};
	return 0;
}
