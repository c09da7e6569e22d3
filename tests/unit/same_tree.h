/* same_tree.h - whether two queries mean the same, wherever their parts stand in the text. */
#ifndef DIGEST_TEST_SAME_TREE_H
#define DIGEST_TEST_SAME_TREE_H

#include <string.h>

#include "digest/query.h"

static bool
same_words(const struct query *x, const struct query *y)
{
	if (x->nwords != y->nwords)
		return false;
	for (size_t i = 0; i < x->nwords; i++)
		if (strcmp(x->words[i].form, y->words[i].form) != 0 ||
		    strcmp(x->words[i].joined, y->words[i].joined) != 0 ||
		    x->words[i].njoined != y->words[i].njoined)
			return false;
	return true;
}

static bool
same_tree(const struct query *x, const struct query *y)
{
	if (x->op != y->op || x->nchildren != y->nchildren || x->field != y->field ||
	    x->kind != y->kind || strcmp(x->text, y->text) != 0 || x->distance != y->distance ||
	    x->measure != y->measure || x->compare != y->compare || x->number != y->number ||
	    x->property != y->property || !same_words(x, y))
		return false;
	for (size_t i = 0; i < x->nchildren; i++)
		if (!same_tree(x->children[i], y->children[i]))
			return false;
	return true;
}

#endif
