#include "digest/source.h"

#include "digest/text.h"
#include "types.h"

#include <string.h>

static const struct source_type types[] = {
	{
	    .name = "huggingface",
	    .help = "Daily Papers of huggingface.co, with votes, comments and stars",
	    .base_url = HUGGINGFACE_BASE,
	    .interval_s = HUGGINGFACE_INTERVAL_S,
	    .settle_s = 12 * 3600,
	    .service = "",
	    .request_gap_ms =
		200, /* 500 requests in 5 minutes are allowed; a back-fill waits longer */
	    .plan = huggingface_plan,
	    .read = huggingface_read,
	    .status = huggingface_status,
	},
	{
	    .name = "file",
	    .help = "files on this machine: JSON lines, or saved answers of Hugging Face",
	    .base_url = "",
	    .service = "",
	    .plan = files_plan,
	    .read = files_read,
	    .status = files_status,
	},
};

enum { NTYPES = sizeof(types) / sizeof(types[0]) };

const struct source_type *
source_type_at(size_t i)
{
	return i < NTYPES ? &types[i] : NULL;
}

const struct source_type *
source_type_find(const char *name, struct error *err)
{
	const char *names[NTYPES + 1], *near;

	for (size_t i = 0; i < NTYPES; i++) {
		if (strcmp(types[i].name, name) == 0)
			return &types[i];
		names[i] = types[i].name;
	}
	names[NTYPES] = NULL;
	near = text_nearest(name, names);
	if (near != NULL)
		err_set(err, ERR_CONFIG, "type '%s' is not known; did you mean '%s'?", name, near);
	else
		err_set(
		    err, ERR_CONFIG, "type '%s' is not known; expected huggingface or file", name);
	return NULL;
}
