#include "config/keys.h"

#include <string.h>

enum { MAX_WORD = 40, MAX_EDITS = 2 };

static unsigned
least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Optimal string alignment: insertions, deletions, replacements and swapped neighbours. */
static unsigned
distance(const char *a, size_t na, const char *b, size_t nb)
{
	unsigned rows[3][MAX_WORD + 1];

	for (unsigned j = 0; j <= nb; j++)
		rows[0][j] = j;
	for (unsigned i = 1; i <= na; i++) {
		unsigned *now = rows[i % 3], *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];

		now[0] = i;
		for (unsigned j = 1; j <= nb; j++) {
			unsigned cost = a[i - 1] != b[j - 1];

			now[j] = least(last[j - 1] + cost, least(last[j], now[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = least(now[j], before[j - 2] + 1);
		}
	}
	return rows[na % 3][nb];
}

const char *
config_nearest(const char *word, const char *const *names)
{
	const char *best = NULL;
	unsigned best_edits = MAX_EDITS + 1;
	size_t len = strlen(word);

	for (; *names != NULL && len <= MAX_WORD; names++) {
		size_t n = strlen(*names);
		unsigned edits;

		/* Within two edits of a word of two letters is everything. */
		if (n > MAX_WORD || n <= MAX_EDITS)
			continue;
		edits = distance(word, len, *names, n);
		if (edits < best_edits && edits < n) {
			best = *names;
			best_edits = edits;
		}
	}
	return best;
}
