#include "digest/text.h"

#include <string.h>

enum { MAX_WORD = 64, MAX_EDITS = 2 };

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Insertions, deletions, substitutions and swaps of neighbours that make b of a, by three rows of
 * the table. */
static size_t
edits(const char *a, size_t alen, const char *b, size_t blen)
{
	size_t rows[3][MAX_WORD + 1];
	size_t *older = rows[0], *old = rows[1], *row = rows[2];

	for (size_t j = 0; j <= blen; j++)
		old[j] = j;
	for (size_t i = 1; i <= alen; i++) {
		size_t *spare = older;

		row[0] = i;
		for (size_t j = 1; j <= blen; j++) {
			row[j] = least(
			    old[j - 1] + (a[i - 1] != b[j - 1]), least(old[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], older[j - 2] + 1);
		}
		older = old;
		old = row;
		row = spare;
	}
	return old[blen];
}

const char *
text_nearest(const char *word, const char *const *names)
{
	size_t len = strlen(word), best = MAX_EDITS + 1;
	const char *found = NULL;

	if (len > MAX_WORD)
		return NULL;
	for (; *names != NULL; names++) {
		size_t n = strlen(*names), d;

		if (n > MAX_WORD || n > len + MAX_EDITS || len > n + MAX_EDITS)
			continue;
		d = edits(word, len, *names, n);
		/* Two edits make any short word of any other. */
		if (d < best && 2 * d < least(len, n) + 1) {
			best = d;
			found = *names;
		}
	}
	return found;
}
