/* Encoded lines, and the text part: S-06, S-27 to S-29. */
#include "lint.h"

#include <utf8proc.h>

#include <stdlib.h>
#include <string.h>

enum { CODED_COLUMNS = 76, TEXT_COLUMNS = 78 };

static bool
is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F');
}

static bool
is_continuation(const char *hex)
{
	return (hex[0] == '8' || hex[0] == '9' || hex[0] == 'A' || hex[0] == 'B');
}

/* RFC 2045 6.7, and two things servers stumble over (S-06). */
static void
check_line(struct mail *m, const char *subtype, const char *line, size_t n, bool after_soft)
{
	if (n > CODED_COLUMNS)
		find(m, "S-28", "text/%s has a line of %zu columns", subtype, n);
	if (n > 0 && (line[n - 1] == ' ' || line[n - 1] == '\t'))
		find(m, "S-28", "text/%s has a line that ends in a blank", subtype);
	if (n > 0 && (line[0] == '.' || (n >= 5 && memcmp(line, "From ", 5) == 0)))
		find(m, "S-06", "text/%s has a line that begins with a dot or 'From '", subtype);
	for (size_t i = 0; i < n; i++) {
		if ((unsigned char)line[i] > 0x7e)
			find(m, "S-28", "text/%s holds 8-bit bytes", subtype);
		if (line[i] == '=' && i + 1 < n &&
		    (i + 2 >= n || !is_hex(line[i + 1]) || !is_hex(line[i + 2])))
			find(m, "S-28", "text/%s has a '=' that means nothing", subtype);
	}
	if (after_soft && n >= 3 && line[0] == '=' && is_hex(line[1]) && is_continuation(line + 1))
		find(m, "S-28", "text/%s has a soft break inside a character", subtype);
}

void
check_coding(struct mail *m, const char *subtype, const char *body, size_t len)
{
	const char *end = body + len;
	bool after_soft = false;

	for (const char *line = body; line < end;) {
		const char *lf = memchr(line, '\n', (size_t)(end - line));
		size_t n = lf != NULL ? (size_t)(lf - line) : (size_t)(end - line);

		if (n > 0 && line[n - 1] == '\r')
			n--;
		check_line(m, subtype, line, n, after_soft);
		after_soft = n > 0 && line[n - 1] == '=';
		line = lf != NULL ? lf + 1 : end;
	}
}

/* Columns on a terminal, and whether blanks stand between words; -1 = no UTF-8. */
static int
measure(const char *line, size_t n, bool *words)
{
	const utf8proc_uint8_t *at = (const utf8proc_uint8_t *)line;
	int width = 0;
	bool blank = false;

	*words = false;
	while (n > 0) {
		utf8proc_int32_t c;
		utf8proc_ssize_t step = utf8proc_iterate(at, (utf8proc_ssize_t)n, &c);

		if (step <= 0)
			return -1;
		*words = *words || (blank && width > 0 && c != ' ');
		blank = c == ' ' && width > 0 ? true : blank && c == ' ';
		width += utf8proc_charwidth(c);
		at += step;
		n -= (size_t)step;
	}
	return width;
}

/* The number of "  1. Title", 0 = the line begins otherwise. */
static unsigned long
number_of(const char *line)
{
	size_t indent = strspn(line, " "), digits = strspn(line + indent, "0123456789");
	const char *behind = line + indent + digits;

	if (indent > 3 || digits == 0 || digits > 4 || behind[0] != '.' || behind[1] != ' ' ||
	    (unsigned char)behind[2] <= ' ')
		return 0;
	return strtoul(line + indent, NULL, 10);
}

/* S-26: the papers have numbers, each higher than the one before. */
static void
check_numbers(struct mail *m)
{
	unsigned long last = 0;

	for (const char *line = m->text; *line != '\0';) {
		unsigned long number = number_of(line);

		if (number > 0 && number <= last)
			find(m, "S-26", "paper %lu of the text follows paper %lu", number, last);
		if (number > 0)
			last = number;
		line += strcspn(line, "\n");
		line += *line != '\0';
	}
}

void
check_plain(struct mail *m)
{
	size_t number = 1;

	check_numbers(m);
	for (const char *line = m->text; *line != '\0'; number++) {
		size_t n = strcspn(line, "\n"), indent = strspn(line, " ");
		bool words;
		int width = measure(line + indent, n - indent, &words);

		if (width == -1)
			find(m, "S-29", "line %zu of the text is not UTF-8", number);
		else if (width + (int)indent > TEXT_COLUMNS && words)
			find(m, "S-27", "line %zu of the text is %d columns wide", number, width);
		line += n + (line[n] != '\0');
	}
}
