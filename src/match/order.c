#include "index.h"

#include <stdlib.h>
#include <string.h>

/* A paper while an order is made. */
struct ordered {
	const struct paper *p;
	double first, second; /* higher is earlier */
	uint32_t number;
};

/* Ties: the newer first, then by key, so that every run can be repeated. */
static int
compare(const void *x, const void *y)
{
	const struct ordered *p = x, *q = y;

	if (p->first != q->first)
		return p->first > q->first ? -1 : 1;
	if (p->second != q->second)
		return p->second > q->second ? -1 : 1;
	if (p->p->published_utc != q->p->published_utc)
		return p->p->published_utc > q->p->published_utc ? -1 : 1;
	return strcmp(p->p->key, q->p->key);
}

static double
positive(int64_t n)
{
	return n > 0 ? (double)n : 0;
}

static void
set_values(const struct match_index *index, enum index_order order, struct ordered *o)
{
	const struct paper_score *s = &index->scores[o->number];

	o->first = o->second = 0;
	switch (order) {
	case ORDER_WORTH:
		o->first = score_sum(0, s);
		break;
	case ORDER_VOTES:
		o->first = positive(o->p->votes);
		break;
	case ORDER_TREND:
		o->first = o->p->trend;
		break;
	case ORDER_POPULAR:
		o->first = o->p->trend;
		o->second = positive(o->p->votes);
		break;
	case ORDER_NEWEST:
	case NORDERS:
		break;
	}
}

int
index_make_orders(struct match_index *index, struct error *err)
{
	struct ordered *list = malloc((index->npapers + 1) * sizeof(*list));
	uint32_t *numbers =
	    arena_array(&index->arena, (NORDERS + 1) * index->npapers, sizeof(*numbers));

	if (list == NULL || numbers == NULL) {
		free(list);
		return err_nomem(err, "index");
	}
	for (enum index_order order = 0; order < NORDERS; order++) {
		for (uint32_t i = 0; i < index->npapers; i++) {
			list[i].p = index->papers[i];
			list[i].number = i;
			set_values(index, order, &list[i]);
		}
		if (index->npapers > 1)
			qsort(list, index->npapers, sizeof(*list), compare);
		for (uint32_t i = 0; i < index->npapers; i++)
			numbers[i] = list[i].number;
		index->orders[order] = numbers;
		numbers += index->npapers;
	}
	for (uint32_t i = 0; i < index->npapers; i++)
		numbers[index->orders[ORDER_NEWEST][i]] = i;
	index->ties = numbers;
	free(list);
	return 0;
}
