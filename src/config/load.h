/* load.h - the text of a configuration in memory: its files, the blocks found in them and what was wrong. */
#ifndef DIGEST_CONFIG_LOAD_H
#define DIGEST_CONFIG_LOAD_H

#include <sys/types.h>

#include "config/keys.h"
#include "digest/limits.h"
#include "digest/map.h"

struct config_file {
	const char *path;		/* as messages name it */
	struct strbuf bytes;
	const struct config_file *from;	/* the file that includes it, NULL = the main file */
	dev_t dev;
	ino_t ino;
	uint32_t number;
};

/* A block outside the readers, in the order of the files. */
struct config_given {
	const struct config_block *block;
	const char *title;
	void *record;
	const struct config_file *file;
	struct config_place place;
	struct config_place places[CONFIG_MAX_KEYS];	/* of each row of the block, line 0 = not given */
	bool literal_secret;			/* a password stands in the file */
	bool broken;				/* keys may be missing because they cannot be read */
	struct config_lost_zone lost_zone;	/* of defaults: stops no run */
};

/* A subscriber block: where it stands is all that is kept of it. */
struct config_entry {
	uint64_t hash;		/* of the canonical address */
	uint32_t offset, line;
	uint32_t file : 30;
	uint32_t bad : 1;	/* it has an error */
	uint32_t repeated : 1;	/* an earlier block has the same address */
};

struct config_text {
	struct config_file **files;
	size_t nfiles, total_bytes;
	struct config_given **given;
	size_t ngiven;
	struct map names;		/* "smtp main" to its number in given */
	struct config_entry *entries;	/* nreaders of them */
	struct config_reader defaults;
	struct config_checks checks;
	struct config_zones zones;
};

struct config_problem {
	const struct config_file *file;
	struct config_place place;	/* line 0: the file as a whole */
	const char *reader;		/* NULL = global */
	char message[400];
	const char *shown;		/* lines that show the place, "" = none */
};

struct config_problems {
	struct config_problem list[MAX_CONFIG_ERRORS];
	size_t n, more;
};

/* One reading of a configuration. */
struct config_loader {
	struct config *cfg;
	struct config_text *text;
	const struct config_file *file;	/* that complaints are about */
	struct config_problems pending;	/* of what is being read; not yet known whose they are */
	struct config_problems global, readers;
	struct arena scratch;		/* of one reader */
};

/* How values of a file are read: complaints go to ld->pending. */
struct config_setting config_loader_setting(struct config_loader *ld, const struct config_file *file,
    struct arena *arena);

/* Forget the pending complaints from number first on that are not before a place. */
void	config_drop_from(struct config_problems *pending, size_t first, struct config_place place);
/* Move the pending complaints to the global ones, or to those of the reader called so. Returns how many there were. */
size_t	config_commit(struct config_loader *ld, const char *reader);

/* The filters inside a subscriber block, as they are found. */
struct config_filters {
	const struct config_text *text;
	struct filter *list;
	size_t n, room;
};

/* Complain of a filter in the file of these settings whose @names lead nowhere. reader NULL: it is a shared one. Returns 0,
 * or -1 when memory is short. */
int	config_check_names(struct config_loader *ld, const struct config_setting *set,
	    const struct subscriber *reader, const struct filter *f, struct error *err);

/*
 * Read what is in the block just opened into its record.
 * places	CONFIG_MAX_KEYS of them: where each row was given
 * filters	of a subscriber, else NULL
 * next		gets the block of the top level that interrupts this one, whose brace is missing
 * Returns 0 at the end of the block, 1 when it was interrupted, -1 when memory is short.
 */
int	config_read_block(const struct config_setting *set, struct config_parser *p,
	    const struct config_block *block, void *record, struct config_place *places,
	    bool *literal_secret, struct config_filters *filters, struct config_item *next, struct error *err);

/* Pass over the block just opened. As above. */
int	config_skip_block(struct config_parser *p, struct config_item *next, struct error *err);

/* The title a block must have, else "" with a complaint. */
const char *config_block_title(const struct config_setting *set, const struct config_block *block,
    const struct config_item *it);

/* The shared filter called name, or NULL. */
const struct filter *config_find_shared(const struct config_text *text, const char *name);
/* Complain that there is none, with the nearest name. */
void	config_complain_no_shared(const struct config_setting *set, const struct config_text *text,
	    struct config_place place, const char *name);

/* What concerns several keys or blocks: required ones, secrets, TLS; and the defaults that depend on others. */
int	config_check_whole(struct config_loader *ld, struct error *err);

/* Check every reader, mark the broken ones. */
int	config_check_readers(struct config_loader *ld, struct error *err);

#endif
