#include "digest/source.h"

#include <string.h>

#include "digest/text.h"
#include "fields.h"

static const struct source_type *const types[] = { &source_huggingface, &source_file };

enum { NTYPES = sizeof(types) / sizeof(types[0]) };

const struct source_type *
source_type_at(size_t i)
{
	return i < NTYPES ? types[i] : NULL;
}

const struct source_type *
source_type_find(const char *name, struct error *err)
{
	const char *names[NTYPES + 1], *near;

	for (size_t i = 0; i < NTYPES; i++) {
		if (strcmp(types[i]->name, name) == 0)
			return types[i];
		names[i] = types[i]->name;
	}
	names[NTYPES] = NULL;
	near = text_nearest(name, names);
	err_set(err, ERR_CONFIG, "type '%s' is not known; expected huggingface or file%s%s%s", name,
	    near != NULL ? "; did you mean '" : "", near != NULL ? near : "",
	    near != NULL ? "'?" : "");
	return NULL;
}
