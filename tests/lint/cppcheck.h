/* Loops of jansson as cppcheck can read them; it does not look into the headers of the system. */
#define json_object_foreach(object, key, value)	for (key = "", value = object; value; value = 0)
#define json_array_foreach(array, i, value)	for (i = 0, value = array; value; value = 0)
