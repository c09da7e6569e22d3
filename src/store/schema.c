#include "store/db.h"

/* Steps that only grow; user_version says how many were applied. Each runs in a transaction of its own and ends by
 * writing its number. Times are seconds since 1970-01-01T00:00:00Z, days are whole days since then. */
const char *const schema_steps[] = {
	/* 1 */
	"CREATE TABLE meta("
	"  name TEXT PRIMARY KEY," /* 'instance', 'suppress-key', 'change-seq', 'clean', those of acting.c */
	"  value NOT NULL) WITHOUT ROWID;" /* text, bytes or a number, by name */

	"CREATE TABLE note(" /* small texts that other parts remember */
	"  name TEXT PRIMARY KEY,"
	"  text TEXT NOT NULL) WITHOUT ROWID;"

	"CREATE TABLE paper("
	"  id INTEGER PRIMARY KEY AUTOINCREMENT," /* grows; never used twice, sent lists hold it */
	"  key TEXT NOT NULL,"			  /* arXiv, else DOI, else the source's own */
	"  title TEXT NOT NULL,"	    /* of the newest card, to find a paper by its words */
	"  published_utc INTEGER NOT NULL," /* of the newest card; 0 = unknown */
	"  revision INTEGER NOT NULL,"	    /* newest in snapshot, from 1 */
	"  change_seq INTEGER NOT NULL,"    /* of its last change */
	"  first_listed_utc INTEGER NOT NULL," /* start of the day of its first listing that counts; 0 = none counts */
	"  seen_utc INTEGER NOT NULL,"	  /* when a source last delivered it */
	"  base_source TEXT NOT NULL,"	  /* who delivered title, abstract, authors, categories */
	"  social_source TEXT NOT NULL);" /* who delivered votes, organisation, summary; '' = nobody */
	"CREATE INDEX paper_by_listing ON paper(first_listed_utc) WHERE first_listed_utc > 0;"

	"CREATE TABLE alias("
	"  key TEXT PRIMARY KEY," /* every key known to mean the paper, its own included */
	"  paper INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE INDEX alias_by_paper ON alias(paper);"

	"CREATE TABLE merged(" /* papers that turned out to be one */
	"  seq INTEGER PRIMARY KEY,"
	"  old_id INTEGER NOT NULL UNIQUE,"
	"  new_id INTEGER NOT NULL);"

	"CREATE TABLE snapshot(" /* what a card showed, frozen */
	"  paper INTEGER NOT NULL,"
	"  revision INTEGER NOT NULL,"
	"  made_utc INTEGER NOT NULL,"
	"  pinned INTEGER NOT NULL DEFAULT 0," /* 1 = an edition was planned with it */
	"  card BLOB NOT NULL,"		       /* paper_pack */
	"  PRIMARY KEY(paper, revision));"

	"CREATE TABLE listing("
	"  paper INTEGER NOT NULL,"
	"  source TEXT NOT NULL,"
	"  day INTEGER NOT NULL,"	     /* UTC */
	"  kind INTEGER NOT NULL,"	     /* enum paper_kind */
	"  votes INTEGER NOT NULL,"	     /* as this listing told last; -1 = not told */
	"  rank INTEGER NOT NULL DEFAULT 0," /* place by votes in this listing, 1 = first; 0 = unknown */
	"  seen_utc INTEGER NOT NULL,"	     /* when it was first read */
	"  counts_utc INTEGER NOT NULL,"	/* when it begins to count */
	"  counted INTEGER NOT NULL DEFAULT 0," /* 1 = it counts */
	"  PRIMARY KEY(paper, source, day)) WITHOUT ROWID;"
	"CREATE INDEX listing_by_day ON listing(source, day);"
	"CREATE INDEX listing_waiting ON listing(counts_utc) WHERE counted = 0;"

	"CREATE TABLE signal(" /* written when a value changed */
	"  paper INTEGER NOT NULL,"
	"  at_utc INTEGER NOT NULL,"
	"  votes INTEGER NOT NULL," /* -1 = not told, as the next two */
	"  comments INTEGER NOT NULL,"
	"  stars INTEGER NOT NULL,"
	"  PRIMARY KEY(paper, at_utc)) WITHOUT ROWID;"

	"CREATE TABLE source("
	"  name TEXT PRIMARY KEY,"
	"  cursor_day INTEGER NOT NULL," /* newest day read to its end; 0 = never read */
	"  last_try_utc INTEGER NOT NULL,"
	"  last_success_utc INTEGER NOT NULL,"
	"  failing_since_utc INTEGER NOT NULL," /* 0 = the last try was a success */
	"  next_allowed_utc INTEGER NOT NULL,"	/* Retry-After and back-off */
	"  nfailures INTEGER NOT NULL,"		/* in a row */
	"  last_error TEXT NOT NULL) WITHOUT ROWID;"

	"CREATE TABLE page(" /* one URL or file of a source */
	"  source TEXT NOT NULL,"
	"  key TEXT NOT NULL," /* stable name within the source */
	"  etag TEXT NOT NULL,"
	"  last_modified TEXT NOT NULL,"
	"  read_utc INTEGER NOT NULL," /* when it was last read whole */
	"  PRIMARY KEY(source, key)) WITHOUT ROWID;"

	"CREATE TABLE reader("
	"  id INTEGER PRIMARY KEY AUTOINCREMENT," /* never used twice: mails and tokens carry it */
	"  canonical TEXT NOT NULL UNIQUE,"	  /* identity: folded local part @ A-label domain */
	"  hash BLOB NOT NULL,"		       /* keyed, of canonical; looked up in suppression */
	"  origin INTEGER NOT NULL,"	       /* enum reader_origin */
	"  state INTEGER NOT NULL,"	       /* enum reader_state */
	"  broken INTEGER NOT NULL DEFAULT 0," /* 1 = its block has an error; profile is the last good one */
	"  vanished INTEGER NOT NULL DEFAULT 0," /* 1 = block gone, nobody confirmed it; not mailed */
	"  created_utc INTEGER NOT NULL,"
	"  ended_utc INTEGER NOT NULL DEFAULT 0," /* 0 = not ended */
	"  paused_until INTEGER NOT NULL DEFAULT 0," /* day, by command or mail; the block has its own */
	"  consent TEXT NOT NULL,"		     /* how and when */
	"  file TEXT NOT NULL," /* where the block stands; '' = not from a file */
	"  line INTEGER NOT NULL,"
	"  digest BLOB NOT NULL," /* 128 bits of profile, so that an unchanged block writes nothing */
	"  profile BLOB NOT NULL);" /* address, schedule, limits and filters, see readers_pack */

	/* Slot 0 is the reader's own, -1 of an older edition that is tried once more; a filter with a schedule has another. */
	"CREATE TABLE cursor("
	"  reader INTEGER NOT NULL,"
	"  slot INTEGER NOT NULL,"
	"  change_seq INTEGER NOT NULL,"  /* up to which papers were considered; -1 = new reader */
	"  last_period INTEGER NOT NULL," /* of the last edition planned; 0 = none */
	"  last_edition_utc INTEGER NOT NULL," /* when the last settled one was composed; 0 = none */
	"  open_period INTEGER NOT NULL,"      /* of the one unsettled edition; 0 = none */
	"  PRIMARY KEY(reader, slot)) WITHOUT ROWID;"

	"CREATE TABLE sent(" /* a table of its own, because moving a cursor must not rewrite it */
	"  reader INTEGER NOT NULL,"
	"  slot INTEGER NOT NULL,"
	"  papers BLOB NOT NULL," /* see struct sent_list */
	"  PRIMARY KEY(reader, slot)) WITHOUT ROWID;"

	"CREATE TABLE suppression("
	"  hash BLOB PRIMARY KEY," /* BLAKE2b, 128 bits, keyed by 'suppress-key', of the canonical address */
	"  reason INTEGER NOT NULL," /* enum suppression_reason */
	"  since_utc INTEGER NOT NULL) WITHOUT ROWID;"

	"CREATE TABLE edition("
	"  period INTEGER NOT NULL," /* nominal local day; run number for readers of every run */
	"  reader INTEGER NOT NULL,"
	"  state INTEGER NOT NULL,"	   /* enum edition_state */
	"  boot INTEGER NOT NULL,"	   /* the machine's boot in which it was leased */
	"  cursor_from INTEGER NOT NULL,"  /* change_seq the reader's cursor had */
	"  cursor_to INTEGER NOT NULL,"	   /* and got */
	"  composed_utc INTEGER NOT NULL," /* Date of the mail */
	"  nread INTEGER NOT NULL,"	   /* papers in the window */
	"  nmatched INTEGER NOT NULL,"	   /* of them, those some filter matched */
	"  attempts INTEGER NOT NULL,"	   /* tries with an outcome */
	"  copies INTEGER NOT NULL,"	   /* how often it may have left */
	"  next_utc INTEGER NOT NULL,"	   /* when a deferred one is due */
	"  hash BLOB NOT NULL,"		   /* 128 bits of the mail's bytes */
	"  reply TEXT NOT NULL,"	   /* of the relay, or why it was held */
	"  picks BLOB NOT NULL,"	   /* see editions.c */
	"  PRIMARY KEY(period, reader)) WITHOUT ROWID;"
	/* Few rows; the usual way leased, intent, sent never enters it. 4 deferred, 5 unknown, 6 held. */
	"CREATE INDEX edition_open ON edition(period, reader) WHERE state IN (4, 5, 6);"

	"CREATE TABLE run("
	"  id INTEGER PRIMARY KEY AUTOINCREMENT,"
	"  started_utc INTEGER NOT NULL,"
	"  finished_utc INTEGER NOT NULL DEFAULT 0," /* 0 = killed, or under way */
	"  npapers_new INTEGER NOT NULL DEFAULT 0,"
	"  nplanned INTEGER NOT NULL DEFAULT 0," /* editions, as all below */
	"  nsent INTEGER NOT NULL DEFAULT 0,"
	"  ndeferred INTEGER NOT NULL DEFAULT 0,"
	"  nfailed INTEGER NOT NULL DEFAULT 0,"
	"  nheld INTEGER NOT NULL DEFAULT 0,"
	"  nempty INTEGER NOT NULL DEFAULT 0,"
	"  nskipped INTEGER NOT NULL DEFAULT 0,"
	"  exit_code INTEGER NOT NULL DEFAULT 0,"
	"  summary TEXT NOT NULL DEFAULT '');"

	"INSERT INTO meta(name, value) VALUES('change-seq', 0), ('clean', 1);"
	"PRAGMA application_id = 0x64696765;" /* 'dige' */
	"PRAGMA user_version = 1;",

	/* 2 */
	"ALTER TABLE source ADD COLUMN fault INTEGER NOT NULL DEFAULT 0;" /* enum source_fault */
	"ALTER TABLE source ADD COLUMN newest TEXT NOT NULL DEFAULT '';" /* key of the newest paper of its list */
	"ALTER TABLE source ADD COLUMN newest_since_utc INTEGER NOT NULL DEFAULT 0;" /* since when it is that */
	"ALTER TABLE source ADD COLUMN made_utc INTEGER NOT NULL DEFAULT 0;" /* when the service says it made the list */
	"ALTER TABLE source ADD COLUMN nlisted INTEGER NOT NULL DEFAULT 0;" /* papers in the list */

	"CREATE TABLE service("			   /* several sources may ask one */
	"  name TEXT PRIMARY KEY,"		   /* 'arxiv.org' */
	"  request_ms INTEGER NOT NULL DEFAULT 0," /* when the last request may begin; ms since 1970 */
	"  pause_utc INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;" /* nothing may be asked before; 0 = no pause */

	/* Where each field is from, see merge.c. Of papers put before only two types are known: whose words they
	 * are, and whose the social fields. As merge_pack writes it: version 1; each origin as name '', type and
	 * version 0; then 24 fields, 13 of them the authors' own. */
	"ALTER TABLE paper ADD COLUMN origins BLOB NOT NULL DEFAULT x'';"
	"UPDATE paper SET origins = CAST("
	"  CASE social_source WHEN '' THEN x'0101' ELSE x'0102' END"
	"  || x'00' || char(length(base_source)) || base_source || x'00'"
	"  || CASE social_source WHEN '' THEN ''"
	"     ELSE x'00' || char(length(social_source)) || social_source || x'00' END"
	"  || x'18' || x'01010101010101010101010101'"
	"  || CASE social_source WHEN '' THEN x'0000000000000000000000'"
	"     ELSE x'0202020202020202020202' END"
	"  || x'000000' AS BLOB);"
	"ALTER TABLE paper DROP COLUMN base_source;"
	"ALTER TABLE paper DROP COLUMN social_source;"

	"ALTER TABLE listing ADD COLUMN late INTEGER NOT NULL DEFAULT 0;" /* 1 = read too late to make a paper new */

	"CREATE INDEX listing_unranked ON listing(source, day) WHERE rank = 0 AND votes >= 0;"

	"CREATE VIRTUAL TABLE search USING fts5(" /* rowid = number of the paper */
	"  title, abstract, authors, keywords, org,"
	"  tokenize = 'unicode61 remove_diacritics 2');"
	"CREATE TABLE search_due(paper INTEGER PRIMARY KEY);" /* to be indexed anew, or gone */
	"INSERT INTO search_due(paper) SELECT id FROM paper;"

	"PRAGMA user_version = 2;",

	/* 3 */
	/* What happened to a paper after it was known: a new version, a withdrawal. */
	"ALTER TABLE paper ADD COLUMN version INTEGER NOT NULL DEFAULT 0;" /* as of moved_utc */
	"ALTER TABLE paper ADD COLUMN withdrawn INTEGER NOT NULL DEFAULT 0;" /* 1 = it is, as of moved_utc */
	"ALTER TABLE paper ADD COLUMN moved_utc INTEGER NOT NULL DEFAULT 0;" /* of the last of them; 0 = none */
	"CREATE INDEX paper_by_move ON paper(moved_utc) WHERE moved_utc > 0;"

	/* Compiled filters; written by one compiler in one generation, others are compiled anew. */
	"ALTER TABLE reader ADD COLUMN programs BLOB NOT NULL DEFAULT x'';" /* of profile; '' = none */
	"CREATE TABLE literal("		/* what programs ask papers for, by the numbers they use */
	"  number INTEGER PRIMARY KEY," /* from 0, without a gap */
	"  bytes BLOB NOT NULL);"

	"PRAGMA user_version = 3;",

	/* 4 */
	/* The index has words as the tokenizer of the filters reads them, so that both find the same. */
	"DROP TABLE search;"
	"CREATE VIRTUAL TABLE search USING fts5(" /* rowid = number of the paper; each word of a text once, see wordset.h */
	"  title, abstract, authors, keywords, org, venue,"
	"  detail = 'column', tokenize = \"ascii tokenchars '+#._'\");"
	"CREATE VIRTUAL TABLE search_word USING fts5vocab(search, row);"
	"INSERT INTO search_due(paper) SELECT id FROM paper WHERE true ON CONFLICT(paper) DO "
	"NOTHING;"

	"PRAGMA user_version = 4;",

	/* 5 */
	/* The picks are written once, the row of an edition four times: it is better short. */
	"CREATE TABLE picks("
	"  id INTEGER PRIMARY KEY,"
	"  list BLOB NOT NULL);" /* see picks.c */
	"INSERT INTO picks(id, list)"
	"  SELECT row_number() OVER (ORDER BY period, reader), picks FROM edition;"
	"CREATE TABLE short_edition("
	"  period INTEGER NOT NULL," /* the columns of step 1 */
	"  reader INTEGER NOT NULL,"
	"  state INTEGER NOT NULL,"
	"  boot INTEGER NOT NULL,"
	"  cursor_from INTEGER NOT NULL,"
	"  cursor_to INTEGER NOT NULL,"
	"  composed_utc INTEGER NOT NULL,"
	"  nread INTEGER NOT NULL,"
	"  nmatched INTEGER NOT NULL,"
	"  attempts INTEGER NOT NULL,"
	"  copies INTEGER NOT NULL,"
	"  next_utc INTEGER NOT NULL,"
	"  hash BLOB NOT NULL,"
	"  reply TEXT NOT NULL,"
	"  picks INTEGER NOT NULL," /* their id */
	"  tried_utc INTEGER NOT NULL DEFAULT 0," /* when its last try had an outcome; 0 = none had, or before this step */
	"  via TEXT NOT NULL DEFAULT ''," /* smtp block of that try */
	"  PRIMARY KEY(period, reader)) WITHOUT ROWID;"
	"INSERT INTO short_edition"
	"  SELECT period, reader, state, boot, cursor_from, cursor_to, composed_utc, nread, "
	"nmatched,"
	"  attempts, copies, next_utc, hash, reply, row_number() OVER (ORDER BY period, reader), "
	"0, ''"
	"  FROM edition;"
	"DROP TABLE edition;"
	"ALTER TABLE short_edition RENAME TO edition;"
	"CREATE INDEX edition_open ON edition(period, reader) WHERE state BETWEEN 4 AND 6;" /* a list of three would be a table each time */

	"PRAGMA user_version = 5;",

	/* 6 */
	/* Mails from outside that had an effect, or may come to have one. */
	"CREATE TABLE incoming("
	"  id BLOB PRIMARY KEY," /* 128 bits that are the same for all mails that say the same; see run/bounces.h */
	"  reader INTEGER NOT NULL,"
	"  period INTEGER NOT NULL,"   /* of the edition it is about; 0 = not told */
	"  at_utc INTEGER NOT NULL,"   /* when it was read */
	"  kind INTEGER NOT NULL,"     /* enum returned_kind */
	"  class INTEGER NOT NULL,"    /* of a bounce enum bounce_class, else 0 */
	"  status TEXT NOT NULL,"      /* enhanced code, '5.1.1'; '' = not told */
	"  reply TEXT NOT NULL,"       /* the beginning of what was said */
	"  decided TEXT NOT NULL,"     /* what was done, in words */
	"  counted INTEGER NOT NULL,"  /* enum returned_count */
	"  answered INTEGER NOT NULL," /* 1 = the reader was told */
	"  paused_until INTEGER NOT NULL)" /* day until which it made the reader pause; 0 = it did not */
	"  WITHOUT ROWID;"
	"CREATE INDEX incoming_of ON incoming(reader, at_utc);"
	"CREATE INDEX incoming_at ON incoming(at_utc);"
	"CREATE INDEX incoming_waits ON incoming(reader) WHERE counted = 0;"

	"PRAGMA user_version = 6;",
};

int
schema_newest(void)
{
	return (int)(sizeof(schema_steps) / sizeof(schema_steps[0]));
}

int
schema_apply(struct store *store, int64_t version, struct error *err)
{
	for (int64_t i = version; i < schema_newest(); i++) {
		if (db_exec_whole(store, "BEGIN IMMEDIATE", err) == -1)
			return -1;
		if (db_exec(store, schema_steps[i], err) == -1 ||
		    db_exec(store, "COMMIT", err) == -1) {
			db_exec(store, "ROLLBACK", NULL);
			return -1;
		}
	}
	return 0;
}
