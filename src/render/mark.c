#include "render/parts.h"

#include "digest/limits.h"
#include "digest/qp.h"
#include "digest/text.h"

#include <string.h>

/* No text of a mark's template: where the found word goes. */
static const char word[] = "\x01";

/* A piece of the template as the parts take it in the middle of a line. NULL when memory is short. */
static const char *
keep_piece(struct arena *a, const char *text, size_t len, size_t *coded_len)
{
	struct strbuf sb;
	const char *kept;

	strbuf_init(&sb, 4 * MAX_TEMPLATE_BYTES);
	qp_add(&(struct qp){ &sb, 0, QP_CARD_COLUMNS }, text, len);
	*coded_len = sb.len;
	kept = sb.state == STRBUF_OK ? arena_strndup(a, sb.buf, sb.len) : NULL;
	strbuf_release(&sb);
	return kept;
}

int
mark_load(struct render *r, const char *name, struct mark_style *out, struct error *err)
{
	struct value *data = value_object(&r->arena);
	struct mark_style style = { .open = NULL };
	struct strbuf sb;
	const char *at;
	int rc;

	value_set_string(&r->arena, data, "label", word);
	if (value_check(&r->arena, err) == -1)
		return -1;
	strbuf_init(&sb, MAX_TEMPLATE_BYTES);
	rc = render_template(r, name, data, &sb, err);
	while (sb.len > 0 && sb.buf[sb.len - 1] == '\n')
		strbuf_truncate(&sb, sb.len - 1);
	at = strstr(sb.buf, word);
	if (rc == 0 && (at == NULL || strstr(at + 1, word) != NULL || strchr(sb.buf, '\n') != NULL))
		rc = err_set(err, ERR_CONFIG, "expected {{label}} once, and one line");
	if (rc == 0) {
		style.open = keep_piece(&r->arena, sb.buf, (size_t)(at - sb.buf), &style.open_len);
		style.close = keep_piece(&r->arena, at + 1, strlen(at + 1), &style.close_len);
		if (strstr(name, ".txt") != NULL)
			style.columns = text_width(sb.buf, sb.len) - text_width(word, strlen(word));
		if (style.columns > CARD_MARK_COLUMNS)
			rc = err_set(err, ERR_CONFIG,
			    "expected at most %d columns beside {{label}}", CARD_MARK_COLUMNS);
		if (style.open == NULL || style.close == NULL)
			rc = err_nomem(err, name);
	}
	strbuf_release(&sb);
	if (rc == 0)
		*out = style;
	return rc;
}
