/* strings.h - the fixed words of a digest in one language, from a file "de.strings" of lines "key = text". */
#ifndef DIGEST_RENDER_STRINGS_H
#define DIGEST_RENDER_STRINGS_H

#include <stddef.h>
#include <stdint.h>

#include "digest/arena.h"
#include "digest/error.h"
#include "digest/strbuf.h"
#include "digest/value.h"

struct strings;

/* What stands for {name} in a text. */
struct word {
	const char *name, *text;
};

/*
 * Read a file of words.
 * name		for messages
 * base		the language whose keys these must be and whose texts stand in for missing ones; NULL for English itself
 * faults	who is told each thing that is wrong, after which the file is read on; NULL = the first one is the error
 * Everything lives in a. Fails with ERR_CONFIG and name:line:column, or as tell() does; where tell() was told of something, it
 * returns 0 and leaves out as it is.
 */
struct strings_faults {
	int (*tell)(void *arg, struct error *err); /* 0 = go on, with err cleared; -1 = stop */
	void *arg;
};
int strings_parse(struct arena *a, const char *name, const char *text, size_t len,
    const struct strings *base, const struct strings_faults *faults, const struct strings **out,
    struct error *err);

/* The text of a key; every key of the English file has one. */
const char *strings_get(const struct strings *s, const char *key);

/*
 * Append the text of a key with its {words} filled in. With a number {n} is the number, and of the forms between bars the
 * one that the language wants for it is taken.
 * words	ends with a NULL name; NULL = none
 */
void strings_add(
    struct strbuf *out, const struct strings *s, const char *key, const struct word *words);
void strings_add_count(struct strbuf *out, const struct strings *s, const char *key, int64_t n,
    const struct word *words);

/* A date in the format of a key: "date-long", "date", "date-short". */
void strings_add_date(struct strbuf *out, const struct strings *s, const char *key, int32_t day);

/* The keys, at most max of them, whose texts are those of the base; returns how many there are. */
size_t strings_missing(const struct strings *s, const char **keys, size_t max);

/* All texts by key, for templates. */
struct value *strings_value(const struct strings *s);

#endif
