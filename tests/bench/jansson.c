/* jansson FILE: parse a JSON file and throw it away, as a peer of reading the same as a configuration. */
#include <jansson.h>

#include <stdio.h>

int
main(int argc, char **argv)
{
	json_error_t why;
	json_t *json = argc == 2 ? json_load_file(argv[1], 0, &why) : NULL;

	if (json == NULL) {
		fputs("jansson: no JSON file\n", stderr);
		return 1;
	}
	json_decref(json);
	return 0;
}
