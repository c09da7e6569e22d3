#include "digest/quote.h"

#include <ctype.h>
#include <string.h>

bool
quote_is_plain(const char *text)
{
	const char *p = text;

	while (*p != '\0' && (isalnum((unsigned char)*p) || strchr("+,-./:=@_", *p) != NULL))
		p++;
	return *p == '\0' && p > text;
}

void
quote_add_shell(struct strbuf *out, const char *text)
{
	if (quote_is_plain(text)) {
		strbuf_add(out, text);
		return;
	}
	strbuf_addc(out, '\'');
	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '\'')
			strbuf_add(out, "'\\'");
		strbuf_addc(out, *p);
	}
	strbuf_addc(out, '\'');
}

const char *
quote_shell(struct arena *a, const char *text)
{
	const char *word = NULL;
	struct strbuf sb;

	strbuf_init(&sb, 4 * strlen(text) + 2);
	quote_add_shell(&sb, text);
	if (strbuf_check(&sb, NULL) == 0)
		word = arena_strdup(a, sb.buf);
	strbuf_release(&sb);
	return word != NULL ? word : text;
}

/*
 * cron takes the backslash from \% and, by the version, from two of them; and of two the second does not escape. So each is
 * parted from a backslash or % behind it, by leaving the quotes in which alone quote_add_shell() has these side by side.
 */
bool
quote_add_cron(struct strbuf *out, const char *command)
{
	if (strchr(command, '\n') != NULL)
		return false;
	for (const char *p = command; *p != '\0'; p++) {
		if (*p == '%')
			strbuf_addc(out, '\\');
		strbuf_addc(out, *p);
		if (*p == '\\' && (p[1] == '%' || p[1] == '\\'))
			strbuf_add(out, "''");
	}
	return true;
}

void
quote_add_unit(struct strbuf *out, const char *text)
{
	if (quote_is_plain(text)) {
		strbuf_add(out, text);
		return;
	}
	strbuf_addc(out, '"');
	for (const char *p = text; *p != '\0'; p++) {
		/* systemd.unit(5): a specifier; systemd.service(5): a variable. */
		if (*p == '%' || *p == '$')
			strbuf_addc(out, *p);
		if (*p == '"' || *p == '\\')
			strbuf_addc(out, '\\');
		if (*p == '\n')
			strbuf_add(out, "\\n");
		else
			strbuf_addc(out, *p);
	}
	strbuf_addc(out, '"');
}
