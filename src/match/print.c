#include "lex.h"
#include "digest/date.h"
#include "digest/error.h"
#include "digest/query.h"
#include "digest/text.h"
#include "digest/utf8.h"

#include <string.h>

static void add_query(struct strbuf *out, const struct query *q);

static void
add_quoted(struct strbuf *out, const char *text, bool quotes, const char *tail)
{
	if (quotes)
		strbuf_addc(out, '"');
	strbuf_add(out, text);
	strbuf_add(out, tail);
	if (quotes)
		strbuf_addc(out, '"');
}

static void
add_term(struct strbuf *out, const struct query *q)
{
	if (q->field != FIELD_TEXT)
		strbuf_addf(out, "%s:", lex_field_names[q->field]);
	if (q->kind == TERM_EXACT)
		strbuf_addc(out, '=');
	add_quoted(out, q->text, q->kind == TERM_NEAR || !lex_is_plain(q->text),
	    q->kind == TERM_PREFIX ? "*" : "");
	if (q->kind == TERM_NEAR)
		strbuf_addf(out, "~%u", (unsigned)q->distance);
}

static void
add_condition(struct strbuf *out, const struct query *q)
{
	char day[DATE_RFC3339_SIZE];

	strbuf_addf(out, "%s%s", lex_measure_names[q->measure], lex_compare_signs[q->compare]);
	if (q->measure == MEASURE_PUBLISHED) {
		date_format_day((int32_t)(q->number / 86400), day);
		strbuf_add(out, day);
	} else if (q->measure == MEASURE_AGE) {
		bool days = q->number % 86400 == 0;

		strbuf_addf(out, "%lld%c", (long long)(q->number / (days ? 86400 : 3600)),
		    days ? 'd' : 'h');
	} else {
		strbuf_addf(out, "%lld", (long long)q->number);
	}
}

/* In brackets where the operators around it would take it apart. */
static void
add_operand(struct strbuf *out, const struct query *q, bool brackets)
{
	if (brackets)
		strbuf_addc(out, '(');
	add_query(out, q);
	if (brackets)
		strbuf_addc(out, ')');
}

static void
add_list(struct strbuf *out, const struct query *q)
{
	for (size_t i = 0; i < q->nchildren; i++) {
		const struct query *child = q->children[i];

		if (i > 0)
			strbuf_add(out, q->op == QUERY_OR ? " OR " : " ");
		add_operand(out, child, child->op == QUERY_OR);
	}
}

static void
add_not(struct strbuf *out, const struct query *q)
{
	const struct query *child = q->children[0];

	strbuf_add(out, child->op == QUERY_NOT ? "NOT " : "-");
	add_operand(out, child, child->op == QUERY_AND || child->op == QUERY_OR);
}

static void
add_query(struct strbuf *out, const struct query *q)
{
	switch (q->op) {
	case QUERY_ALL:
		strbuf_addc(out, '*');
		break;
	case QUERY_AND:
	case QUERY_OR:
		add_list(out, q);
		break;
	case QUERY_NOT:
		add_not(out, q);
		break;
	case QUERY_TERM:
		add_term(out, q);
		break;
	case QUERY_CONDITION:
		add_condition(out, q);
		break;
	case QUERY_PROPERTY:
		strbuf_add(out, lex_property_names[q->property]);
		break;
	case QUERY_NAMED:
		strbuf_addc(out, '@');
		add_quoted(out, q->text, !lex_is_plain(q->text), "");
		break;
	}
}

void
query_add_text(struct strbuf *out, const struct query *q)
{
	add_query(out, q);
}

const char *
query_asks_for(const struct query *q)
{
	if (q->op == QUERY_CONDITION)
		return lex_measure_names[q->measure];
	return q->op == QUERY_TERM && q->field != FIELD_TEXT ? lex_field_names[q->field] : NULL;
}

const char *
query_field_name(enum query_field field)
{
	return lex_field_names[field];
}

bool
query_reads_signals(const struct query *q)
{
	if (q->op == QUERY_CONDITION)
		return q->measure == MEASURE_VOTES || q->measure == MEASURE_COMMENTS ||
		    q->measure == MEASURE_STARS || q->measure == MEASURE_RANK;
	for (size_t i = 0; i < q->nchildren; i++)
		if (query_reads_signals(q->children[i]))
			return true;
	return false;
}

bool
query_reads_versions(const struct query *q)
{
	if (q->op == QUERY_PROPERTY)
		return q->property == IS_REPLACED || q->property == IS_WITHDRAWN;
	for (size_t i = 0; i < q->nchildren; i++)
		if (query_reads_versions(q->children[i]))
			return true;
	return false;
}
