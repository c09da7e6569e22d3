/* parse.h - the syntax of digest.conf: bytes in, blocks, keys and values with their places out. Knows no key. It goes on
 * after an error, so that one reading finds them all. */
#ifndef DIGEST_CONFIG_PARSE_H
#define DIGEST_CONFIG_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/lex.h"
#include "digest/arena.h"
#include "digest/error.h"

enum config_item_kind { ITEM_OPEN, ITEM_CLOSE, ITEM_KEY, ITEM_INCLUDE };

struct config_item {
	enum config_item_kind kind;
	const char *name;		/* of the block or key */
	struct config_place place;	/* of the name */
	size_t offset;			/* of the name */
	bool has_title;
	struct config_scalar title;	/* of a block; what an include names */
	bool is_list;
	struct config_scalar *values;	/* of a key; one unless is_list */
	size_t nvalues;
};

enum { CONFIG_MAX_NESTING = 4 };	/* subscriber and filter are two */

struct config_parser {
	struct config_lexer lx;		/* complaints go where its fields say */
	struct arena *arena;		/* receives names, texts and lists; may be reset between two items */
	/* Private. */
	struct config_token ahead;
	bool has_ahead, no_memory;
	struct {
		char name[80];
		uint32_t line;
	} open[CONFIG_MAX_NESTING];	/* the blocks around the next item */
	unsigned depth;
	unsigned closing;		/* ITEM_CLOSE still owed at the end of the bytes */
	struct config_token bare;	/* the last bare value: what follows it may belong to it */
};

/* Read the bytes from an offset and its place; a byte order mark at 0 is passed over. */
void	config_parser_init(struct config_parser *p, const char *bytes, size_t len, size_t offset,
	    struct config_place place, struct arena *arena, config_complain *complain, void *arg);

/*
 * The next item. Every ITEM_OPEN has its ITEM_CLOSE, also when the brace is missing.
 * Returns 1, 0 at the end, -1 when memory is short.
 */
int	config_parser_next(struct config_parser *p, struct config_item *out, struct error *err);

/*
 * Take the block just opened for one of the top level: complain that the blocks around it are not closed. Their
 * ITEM_CLOSE do not come.
 */
void	config_parser_to_top(struct config_parser *p, const struct config_item *opened);

#endif
