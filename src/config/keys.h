/* keys.h - the table of blocks and keys at work: what a key accepts and where its value goes. */
#ifndef DIGEST_CONFIG_KEYS_H
#define DIGEST_CONFIG_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/parse.h"
#include "digest/config.h"
#include "digest/map.h"

enum config_kind {
	KIND_STRING,	/* const char * */
	KIND_SECRET,	/* const char *, never shown */
	KIND_PATH,	/* const char *, relative to the file it stands in */
	KIND_URL,	/* const char *, with a beginning of the range */
	KIND_ADDRESS,	/* const char * */
	KIND_SCHEDULE,	/* const char * */
	KIND_ZONE,	/* const char * */
	KIND_RATE,	/* const char *, "600/min" */
	KIND_SOURCE,	/* const char *, a type of source */
	KIND_CHOICE,	/* const char *, one of the type's words */
	KIND_ENUM,	/* enum, its number in the type's words */
	KIND_BOOL,	/* bool; "one of a|b": a is true */
	KIND_NUMBER,	/* uint32_t */
	KIND_DURATION,	/* int64_t, seconds; -1 without a default */
	KIND_SIZE,	/* int64_t, bytes */
	KIND_REAL,	/* double */
	KIND_DAY,	/* int32_t, days since 1970 */
	KIND_QUERY,	/* the match of a struct filter, with its place */
	KIND_LIST,	/* const char ** and size_t */
	KIND_NETWORKS,	/* a list of CIDRs */
	KIND_DAYS,	/* a list of days, "2026-11-26" */
	KIND_USE,	/* the use of a struct config_reader */
};

/* One block of the syntax. */
struct config_block {
	const char *name;
	const char *keys;	/* block in the table of keys whose rows it takes */
	const char *title;	/* "name", "address"; "" = it has none and stands once */
	size_t size;		/* of its record; 0 = it stands in struct config */
	const char *without[2];	/* rows it does not take */
};

/* A subscriber as its block says, before shared filters are put in. */
struct config_reader {
	struct subscriber sub;
	const struct config_scalar *use;	/* names of shared filters */
	size_t nuse;
};

enum { CONFIG_MAX_KEYS = 24 };	/* rows of one block */

/* Names of time zones that have passed the check, so that no file is read for each reader. */
struct config_zones {
	struct map names;
	struct arena arena;	/* owns them */
};

/* A time zone that this machine does not have, and where it is asked for. name NULL = none such. */
struct config_lost_zone {
	const char *name;
	struct config_place place;
};

/* Where values come from and go to. */
struct config_setting {
	const char *path;	/* the file, as messages name it */
	const char *bytes;	/* of the file */
	const struct config_checks *checks;	/* NULL: the values have passed them before */
	struct arena *arena;
	struct config_zones *zones;	/* NULL = none are kept */
	struct config_lost_zone *lost_zone;	/* takes a zone that is not there; NULL = that is complained of */
	config_complain *complain;	/* NULL = silence */
	void *arg;
};

extern const struct config_block config_blocks[];	/* of the top level; ends with a NULL name */
extern const struct config_block config_reader_filter;	/* the filter of a subscriber */
const struct config_block *config_find_block(const char *name);

/* The rows of a block; *n of them. */
const struct config_key_info *config_block_keys(const struct config_block *block, size_t *n);
/* Number of the row called name, or -1. */
int	config_find_key(const struct config_block *block, const char *name);

/* Complain that a block, or a key in a block, is not known, with the nearest name there is. */
void	config_complain_unknown(const struct config_setting *set, const struct config_block *block,
	    const struct config_item *it);

/*
 * Put a value where its row says in the record. A value that is not what the row takes is complained of and left out.
 * Returns -1 only when memory is short.
 */
int	config_set_key(const struct config_setting *set, const struct config_key_info *key,
	    const struct config_item *it, void *record, struct error *err);

/* Give every key of a block its default. */
int	config_set_defaults(const struct config_block *block, struct arena *arena, void *record,
	    struct error *err);

/* Complain at a place, if anybody listens. */
void	config_complain_at(const struct config_setting *set, struct config_place place, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));
/* The same of a query that is wrong at offset, which is shown below the message. */
void	config_complain_query(const struct config_setting *set, struct config_place place, const char *query,
	    size_t offset, const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* The word of "one of a|b|c" with number i; its length in *len, NULL when there are fewer. */
const char *config_choice(const char *type, unsigned i, size_t *len);

#endif
