#include "stages.h"
#include "digest/file.h"
#include "digest/json.h"
#include "digest/limits.h"

#include <string.h>

int
run_load_templates(const struct run *run, struct render **out, struct error *err)
{
	const char *dir = run->cfg->templates.dir;

	return render_new(dir[0] != '\0' ? dir : NULL, out, err);
}

/* JSON as the values templates read; numbers with a fraction keep their digits as text. */
static struct value *
value_of_json(const json_t *json, struct arena *a)
{
	struct value *v;
	const char *key;
	json_t *item;
	size_t i;

	switch (json_typeof(json)) {
	case JSON_OBJECT:
		v = value_object(a);
		json_object_foreach((json_t *)(uintptr_t)json, key, item)
		    value_set(a, v, arena_strdup(a, key), value_of_json(item, a));
		return v;
	case JSON_ARRAY:
		v = value_list(a);
		json_array_foreach(json, i, item) value_append(a, v, value_of_json(item, a));
		return v;
	case JSON_STRING:
		return value_string(a, arena_strdup(a, json_string_value(json)));
	case JSON_INTEGER:
		return value_number(a, json_integer_value(json));
	case JSON_REAL:
		return value_string(a, arena_printf(a, "%.15g", json_real_value(json)));
	case JSON_TRUE:
		return value_bool(a, true);
	case JSON_FALSE:
		return value_bool(a, false);
	case JSON_NULL:
		break;
	}
	return NULL;
}

int
run_read_data(const char *path, struct arena *a, struct value **out, struct error *err)
{
	struct strbuf bytes;
	json_t *json = NULL;
	int rc = -1;

	strbuf_init(&bytes, MAX_JSON_BYTES);
	if (file_read(path, &bytes, err) == -1)
		goto out;
	if (json_read(bytes.buf, bytes.len, MAX_JSON_BYTES, &json, err) == -1) {
		err_prefix(err, "%s", path);
		goto out;
	}
	if (!json_is_object(json)) {
		err_set(err, ERR_DATA, "%s: expected a JSON object", path);
		goto out;
	}
	*out = value_of_json(json, a);
	rc = *out == NULL ? err_nomem(err, path) : 0;
out:
	json_decref(json);
	strbuf_release(&bytes);
	return rc;
}
