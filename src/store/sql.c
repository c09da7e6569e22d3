#include "store/sql.h"

/* Columns that several statements share; the functions that read them count on this order. */
#define PAPER_COLUMNS "p.id, p.revision, p.change_seq, p.first_listed_utc, s.card"
#define READER_COLUMNS                                                                            \
	"r.id, r.canonical, r.origin, r.state, r.broken, r.vanished, r.created_utc, r.ended_utc," \
	" r.paused_until, r.consent, r.file, r.line, r.profile, c.change_seq, c.last_period,"     \
	" c.last_edition_utc, EXISTS(SELECT 1 FROM suppression s WHERE s.hash = r.hash),"         \
	" r.programs"
#define EDITION_COLUMNS                                                                            \
	"e.period, e.reader, e.state, e.cursor_from, e.cursor_to, e.composed_utc, e.nread,"        \
	" e.nmatched, e.attempts, e.copies, e.next_utc, e.hash, e.reply, (SELECT list FROM picks " \
	"WHERE id = e.picks),"                                                                     \
	" e.tried_utc, e.via"
/* Whether reader ?1 may get mail. */
#define READER_MAILED                                                                      \
	"EXISTS(SELECT 1 FROM reader r WHERE r.id = ?1 AND r.state = 0 AND r.vanished = 0" \
	" AND NOT EXISTS(SELECT 1 FROM suppression s WHERE s.hash = r.hash))"
/* Every period there is, highest first. */
#define PERIODS                                                                           \
	"WITH RECURSIVE p(period) AS (SELECT max(period) FROM edition UNION ALL SELECT "  \
	"(SELECT max(period) FROM edition WHERE period < p.period) FROM p WHERE p.period" \
	" IS NOT NULL) "

/* 1 by mail, 6 as a refusal */
#define IS_BOUNCE "kind IN (1, 6)"

#define INCOMING_COLUMNS                                                                       \
	"id, reader, period, at_utc, kind, class, status, reply, decided, counted, answered, " \
	"paused_until"

/* Numbers of states are those of the enums in store.h. "state = 4 AND state BETWEEN 4 AND 6" lets
 * SQLite see that the partial index edition_open holds all of them; LIMIT -1 makes it go through
 * the cursors and not through all editions; +id keeps it from walking all papers for the
 * smallest. */
const char *const sql_text[SQL_COUNT] = {
	/* what is remembered of the store itself */
	[SQL_META_GET] = "SELECT value FROM meta WHERE name = ?1",
	[SQL_META_SET] =
	    "INSERT INTO meta(name, value) VALUES(?1, ?2) ON CONFLICT(name) DO UPDATE SET "
	    "value = excluded.value",
	[SQL_META_UNCLEAN] = "UPDATE meta SET value = 0 WHERE name = 'clean' AND value = 1",
	[SQL_IDENTITY_GET] =
	    "SELECT i.value, k.value FROM meta i, meta k WHERE i.name = 'instance' AND "
	    "k.name = 'suppress-key'",
	[SQL_IDENTITY_SET] =
	    "INSERT INTO meta(name, value) VALUES('instance', ?1), ('suppress-key', ?2)",
	[SQL_DATA_VERSION] = "PRAGMA data_version",
	[SQL_NOTE_GET] = "SELECT text FROM note WHERE name = ?1",
	[SQL_NOTE_SET] =
	    "INSERT INTO note(name, text) VALUES(?1, ?2) ON CONFLICT(name) DO UPDATE SET "
	    "text = excluded.text",
	[SQL_NOTE_FORGET] = "UPDATE note SET text = '' WHERE instr(text, ?1) > 0",
	[SQL_SIZES] =
	    "SELECT (SELECT count(*) FROM paper), (SELECT count(*) FROM listing), (SELECT "
	    "count(*) FROM reader), (SELECT count(*) FROM suppression), (SELECT page_count "
	    "* page_size FROM pragma_page_count, pragma_page_size)",

	/* the table is in backups only, see backup.c */
	[SQL_BACKUP_THERE] =
	    "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'backup'",
	[SQL_BACKUP_GET] = "SELECT bytes FROM backup WHERE name = ?1",
	[SQL_BACKUP_SET] =
	    "INSERT INTO backup(name, bytes) VALUES(?1, ?2) ON CONFLICT(name) DO UPDATE SET "
	    "bytes = excluded.bytes",

	/* papers */
	[SQL_ALIAS_GET] = "SELECT paper FROM alias WHERE key = ?1",
	[SQL_ALIAS_ADD] =
	    "INSERT INTO alias(key, paper) VALUES(?1, ?2) ON CONFLICT(key) DO NOTHING",
	[SQL_ALIAS_OTHER] = "SELECT key FROM alias WHERE paper = ?1 AND key <> ?2 ORDER BY key",
	[SQL_ALIAS_ALL] = "SELECT key FROM alias WHERE paper = ?1 ORDER BY key",
	[SQL_PAPER_NEXT_ID] =
	    "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'paper'), 0) + 1",
	[SQL_PAPER_GET] =
	    "SELECT p.revision, p.first_listed_utc, p.origins, s.card FROM paper p JOIN "
	    "snapshot s ON s.paper = p.id AND s.revision = p.revision WHERE p.id = ?1",
	[SQL_PAPER_ADD] =
	    "INSERT INTO paper(id, key, title, published_utc, revision, change_seq, "
	    "first_listed_utc, seen_utc, origins) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, "
	    "?9)",
	[SQL_PAPER_UPDATE] =
	    "UPDATE paper SET key = ?2, title = ?3, published_utc = ?4, revision = ?5, "
	    "change_seq = ?6, first_listed_utc = ?7, seen_utc = ?8, origins = ?9 WHERE id ="
	    " ?1",
	[SQL_PAPER_ORIGINS] = "UPDATE paper SET seen_utc = ?2, origins = ?3 WHERE id = ?1",
	[SQL_PAPER_FROM] = "SELECT origins FROM paper WHERE id = ?1",
	[SQL_PAPER_SEEN] = "UPDATE paper SET seen_utc = ?2 WHERE id = ?1",
	[SQL_PAPER_LISTED] =
	    "UPDATE paper SET change_seq = ?2, first_listed_utc = (SELECT min(day) * 86400 "
	    "FROM listing WHERE paper = ?1 AND counted = 1) WHERE id = ?1",
	[SQL_PAPER_FULL] =
	    "SELECT " PAPER_COLUMNS
	    " FROM paper p JOIN snapshot s ON s.paper = p.id AND s.revision = p.revision "
	    "WHERE p.id = ?1",
	[SQL_PAPER_AFTER] =
	    "SELECT " PAPER_COLUMNS
	    " FROM paper p JOIN snapshot s ON s.paper = p.id AND s.revision = p.revision "
	    "WHERE p.id > ?1 ORDER BY p.id LIMIT 1",
	[SQL_PAPER_MOVED] =
	    "UPDATE paper SET version = ?2, withdrawn = ?3, moved_utc = ?4 WHERE id = ?1",
	[SQL_PAPER_MOVES] =
	    "SELECT id, revision, version, withdrawn FROM paper WHERE moved_utc >= ?1 "
	    "AND moved_utc > 0 ORDER BY id",
	[SQL_PAPER_OLD] = "SELECT id FROM paper WHERE seen_utc < ?1 ORDER BY id",
	[SQL_TITLE_ALL] = "SELECT id, title FROM paper ORDER BY published_utc DESC, id DESC",
	[SQL_WINDOW_COUNT] =
	    "SELECT count(*) FROM paper WHERE first_listed_utc >= ?1 AND first_listed_utc >"
	    " 0",
	[SQL_WINDOW] =
	    "SELECT " PAPER_COLUMNS
	    " FROM paper p JOIN snapshot s ON s.paper = p.id AND s.revision = p.revision "
	    "WHERE p.id IN (SELECT id FROM paper WHERE first_listed_utc >= ?1 AND "
	    "first_listed_utc > 0) ORDER BY p.id",
	[SQL_SNAPSHOT_ADD] =
	    "INSERT INTO snapshot(paper, revision, made_utc, card) VALUES(?1, ?2, ?3, ?4)",
	[SQL_SNAPSHOT_TRIM] =
	    "DELETE FROM snapshot WHERE paper = ?1 AND revision < ?2 AND made_utc < ?3 AND "
	    "pinned = 0",
	[SQL_SNAPSHOT_GET] = "SELECT card FROM snapshot WHERE paper = ?1 AND revision = ?2",
	[SQL_SNAPSHOT_PIN] =
	    "UPDATE snapshot SET pinned = 1 WHERE paper = ?1 AND revision = ?2 AND pinned ="
	    " 0",
	[SQL_LISTING_GET] =
	    "SELECT votes, kind FROM listing WHERE paper = ?1 AND source = ?2 AND day = ?3",
	[SQL_LISTING_PAPERS] = "SELECT count(DISTINCT paper) FROM listing WHERE source = ?1",
	[SQL_LISTING_NEW] =
	    "SELECT 1 FROM listing WHERE paper = ?1 AND source = ?2 AND kind = 0 LIMIT 1",
	[SQL_LISTING_PUT] =
	    "INSERT INTO listing(paper, source, day, kind, votes, seen_utc, counts_utc, late)"
	    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT(paper, source, day) DO UPDATE "
	    "SET kind = min(kind, excluded.kind), rank = CASE WHEN excluded.votes IN (votes, -1)"
	    " THEN rank ELSE 0 END, votes = CASE WHEN excluded.votes >= 0 THEN "
	    "excluded.votes ELSE votes END",
	[SQL_LISTING_UNRANKED] =
	    "SELECT source, day FROM listing WHERE rank = 0 AND votes >= 0 LIMIT 1",
	[SQL_LISTING_RANK] =
	    "UPDATE listing SET rank = r.place FROM (SELECT l.paper AS paper, row_number() "
	    "OVER (ORDER BY l.votes DESC, p.key) AS place FROM listing l JOIN paper p ON "
	    "p.id = l.paper WHERE l.source = ?1 AND l.day = ?2 AND l.votes >= 0) r WHERE "
	    "listing.paper = r.paper AND listing.source = ?1 AND listing.day = ?2 AND "
	    "listing.rank <> r.place",
	[SQL_LISTING_ALL] =
	    "SELECT source, day, kind, rank, seen_utc, counts_utc, counted, late FROM listing "
	    "WHERE paper = ?1 ORDER BY day, seen_utc, source",
	[SQL_LISTING_DUE] =
	    "SELECT paper FROM listing WHERE counted = 0 AND counts_utc <= ?1 ORDER BY "
	    "counts_utc LIMIT 1",
	[SQL_LISTING_SETTLE] =
	    "UPDATE listing SET counted = 1 WHERE paper = ?1 AND counted = 0 AND counts_utc"
	    " <= ?2",
	[SQL_LISTING_WAITING] =
	    "SELECT count(*), coalesce(min(counts_utc), 0) FROM listing WHERE counted = 0",
	[SQL_LISTING_LAST] =
	    "SELECT coalesce(max(first_listed_utc), 0) FROM paper WHERE first_listed_utc > 0",
	[SQL_LISTING_NEWEST] = "SELECT coalesce(max(day), 0) FROM listing WHERE source = ?1",
	[SQL_LISTING_DAYS] =
	    "SELECT day, count(*), sum(counted) FROM listing WHERE source = ?1 AND day >= "
	    "?2 GROUP BY day ORDER BY day",
	[SQL_LISTING_POSTPONE] = "UPDATE listing SET counts_utc = ?3 WHERE source = ?1 AND day "
				 "= ?2 AND counted = 0",
	[SQL_SIGNAL_ADD] =
	    "INSERT INTO signal(paper, at_utc, votes, comments, stars) VALUES(?1, ?2, ?3, "
	    "?4, ?5) ON CONFLICT(paper, at_utc) DO UPDATE SET votes = excluded.votes, "
	    "comments = excluded.comments, stars = excluded.stars",
	[SQL_SIGNAL_ALL] =
	    "SELECT at_utc, votes, comments, stars FROM signal WHERE paper = ?1 ORDER BY "
	    "at_utc",
	[SQL_SIGNAL_NEWEST] = "SELECT coalesce(max(at_utc), 0) FROM signal WHERE paper = ?1",
	[SQL_SIGNAL_FORGET_VOTES] = "UPDATE signal SET votes = -1 WHERE paper = ?1 AND votes >= 0",
	[SQL_SIGNAL_FORGET_COMMENTS] =
	    "UPDATE signal SET comments = -1 WHERE paper = ?1 AND comments >= 0",
	[SQL_SIGNAL_FORGET_STARS] = "UPDATE signal SET stars = -1 WHERE paper = ?1 AND stars >= 0",
	[SQL_SIGNAL_TIDY] =
	    "DELETE FROM signal WHERE paper = ?1 AND votes < 0 AND comments < 0 AND stars < "
	    "0",

	/* papers that turn out to be one: ?1 goes into ?2 */
	[SQL_MERGE_ALIASES] = "UPDATE alias SET paper = ?2 WHERE paper = ?1",
	[SQL_MERGE_LISTINGS] =
	    "INSERT INTO listing(paper, source, day, kind, votes, rank, seen_utc, "
	    "counts_utc, counted, late) SELECT ?2, source, day, kind, votes, rank, "
	    "seen_utc, counts_utc, counted, late FROM listing WHERE paper = ?1 ON CONFLICT("
	    "paper, source, day) DO UPDATE SET kind = min(kind, excluded.kind), votes = "
	    "max(votes, excluded.votes), seen_utc = min(seen_utc, excluded.seen_utc), "
	    "counts_utc = min(counts_utc, excluded.counts_utc), counted = max(counted, "
	    "excluded.counted), late = min(late, excluded.late)",
	[SQL_MERGE_SIGNALS] =
	    "INSERT INTO signal(paper, at_utc, votes, comments, stars) SELECT ?2, at_utc, "
	    "votes, comments, stars FROM signal WHERE paper = ?1 ON CONFLICT(paper, at_utc)"
	    " DO UPDATE SET votes = max(votes, excluded.votes), comments = max(comments, "
	    "excluded.comments), stars = max(stars, excluded.stars)",
	[SQL_MERGE_EARLIER] = "UPDATE merged SET new_id = ?2 WHERE new_id = ?1",
	[SQL_MERGE_END_LISTINGS] = "DELETE FROM listing WHERE paper = ?1",
	[SQL_MERGE_END_SIGNALS] = "DELETE FROM signal WHERE paper = ?1",
	[SQL_MERGE_END_PAPER] = "DELETE FROM paper WHERE id = ?1",
	[SQL_MERGED_ADD] = "INSERT INTO merged(old_id, new_id) VALUES(?1, ?2)",
	[SQL_MERGED_NEWEST] = "SELECT coalesce(max(seq), 0) FROM merged",
	[SQL_MERGED_COUNT] = "SELECT count(*) FROM merged",
	[SQL_MERGED_ALL] = "SELECT old_id, new_id FROM merged",

	/* the index of words: rows that are due are read again from their papers */
	[SQL_SEARCH_DUE_ADD] =
	    "INSERT INTO search_due(paper) VALUES(?1) ON CONFLICT(paper) DO NOTHING",
	[SQL_SEARCH_DUE_NEXT] =
	    "SELECT paper FROM search_due WHERE paper > ?1 ORDER BY paper LIMIT 1",
	[SQL_SEARCH_DUE_COUNT] = "SELECT count(*) FROM search_due",
	[SQL_SEARCH_DUE_END] = "DELETE FROM search_due WHERE paper <= ?1",
	[SQL_SEARCH_CARD] =
	    "SELECT s.card FROM paper p JOIN snapshot s ON s.paper = p.id AND s.revision = "
	    "p.revision WHERE p.id = ?1",
	[SQL_SEARCH_DROP] = "DELETE FROM search WHERE rowid = ?1",
	[SQL_SEARCH_ADD] =
	    "INSERT INTO search(rowid, title, abstract, authors, keywords, org, venue) "
	    "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	[SQL_SEARCH_FIND] =
	    "SELECT rowid FROM search WHERE search MATCH ?1 ORDER BY bm25(search, 10, 1, 5, "
	    "2, 1, 1), rowid DESC LIMIT ?2",
	[SQL_SEARCH_ALL] = "SELECT rowid FROM search WHERE search MATCH ?1 ORDER BY rowid",
	[SQL_SEARCH_COUNT] = "SELECT count(*) FROM search WHERE search MATCH ?1",
	[SQL_SEARCH_WORDS] = "SELECT term, doc FROM search_word WHERE term >= ?1 AND term < ?2",
	[SQL_SEARCH_DUE_ALL] = "SELECT paper FROM search_due ORDER BY paper",
	[SQL_PAPER_ALL] = "SELECT id FROM paper ORDER BY id",
	[SQL_PAPER_SINCE] = "SELECT id FROM paper WHERE first_listed_utc >= ?1 AND "
			    "first_listed_utc > 0 ORDER BY id",
	[SQL_PAPER_COUNT] = "SELECT count(*) FROM paper",

	/* sources */
	[SQL_SOURCE_CURSOR] = "SELECT cursor_day FROM source WHERE name = ?1",
	[SQL_SOURCE_GET] =
	    "SELECT cursor_day, last_try_utc, last_success_utc, failing_since_utc, "
	    "next_allowed_utc, nfailures, last_error, fault, newest, newest_since_utc, "
	    "made_utc, nlisted FROM source WHERE name = ?1",
	[SQL_SOURCE_PUT] =
	    "INSERT INTO source(name, cursor_day, last_try_utc, last_success_utc, "
	    "failing_since_utc, next_allowed_utc, nfailures, last_error, fault, newest, "
	    "newest_since_utc, made_utc, nlisted) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, "
	    "?9, ?10, ?11, ?12, ?13) ON CONFLICT(name) DO UPDATE SET cursor_day = "
	    "excluded.cursor_day, last_try_utc = excluded.last_try_utc, last_success_utc = "
	    "excluded.last_success_utc, failing_since_utc = excluded.failing_since_utc, "
	    "next_allowed_utc = excluded.next_allowed_utc, nfailures = excluded.nfailures, "
	    "last_error = excluded.last_error, fault = excluded.fault, newest = "
	    "excluded.newest, newest_since_utc = excluded.newest_since_utc, made_utc = "
	    "excluded.made_utc, nlisted = excluded.nlisted",
	[SQL_PAGE_ALL] =
	    "SELECT key, etag, last_modified, read_utc FROM page WHERE source = ?1 ORDER BY"
	    " key",
	[SQL_PAGE_PUT] =
	    "INSERT INTO page(source, key, etag, last_modified, read_utc) VALUES(?1, ?2, "
	    "?3, ?4, ?5) ON CONFLICT(source, key) DO UPDATE SET etag = excluded.etag, "
	    "last_modified = excluded.last_modified, read_utc = excluded.read_utc",

	[SQL_SERVICE_GET] = "SELECT request_ms, pause_utc FROM service WHERE name = ?1",
	[SQL_SERVICE_REQUEST] =
	    "INSERT INTO service(name, request_ms) VALUES(?1, ?2) ON CONFLICT(name) DO "
	    "UPDATE SET request_ms = excluded.request_ms",
	[SQL_SERVICE_PAUSE] =
	    "INSERT INTO service(name, pause_utc) VALUES(?1, ?2) ON CONFLICT(name) DO "
	    "UPDATE SET pause_utc = max(pause_utc, excluded.pause_utc)",

	/* readers */
	[SQL_READER_BY_ADDRESS] =
	    "SELECT " READER_COLUMNS
	    " FROM reader r LEFT JOIN cursor c ON c.reader = r.id AND c.slot = 0 WHERE "
	    "r.canonical = ?1",
	[SQL_READER_BY_ID] =
	    "SELECT " READER_COLUMNS
	    " FROM reader r LEFT JOIN cursor c ON c.reader = r.id AND c.slot = 0 WHERE r.id"
	    " = ?1",
	[SQL_READER_BATCH] =
	    "SELECT " READER_COLUMNS
	    " FROM reader r LEFT JOIN cursor c ON c.reader = r.id AND c.slot = 0 WHERE r.id"
	    " > ?1 AND (?2 OR (r.state = 0 AND r.vanished = 0)) ORDER BY r.id LIMIT ?3",
	[SQL_READER_COUNT] = "SELECT count(*) FROM reader WHERE state = 0 AND vanished = 0",
	[SQL_READER_MAILED] = "SELECT " READER_MAILED,
	[SQL_READER_ADD] =
	    "INSERT INTO reader(canonical, hash, origin, state, created_utc, consent, file,"
	    " line, digest, profile) VALUES(?1, ?2, ?3, 0, ?4, ?5, ?6, ?7, ?8, ?9)",
	[SQL_READER_NEWEST] = "SELECT max(id) FROM reader",
	[SQL_READER_UPDATE] =
	    "UPDATE reader SET origin = ?2, state = 0, ended_utc = 0, broken = 0, vanished "
	    "= 0, consent = CASE WHEN ?3 <> '' THEN ?3 ELSE consent END, file = ?4, line = "
	    "?5, digest = ?6, profile = ?7, programs = x'' WHERE id = ?1",
	[SQL_READER_RENAME] =
	    "UPDATE OR IGNORE reader SET canonical = ?2, hash = ?3 WHERE canonical = ?1",
	[SQL_READER_RESUME] =
	    "UPDATE reader SET consent = ?2, state = 0, ended_utc = 0 WHERE id = ?1",
	[SQL_READER_BROKEN] =
	    "UPDATE reader SET broken = 1, vanished = 0 WHERE id = ?1 AND (broken = 0 OR "
	    "vanished = 1)",
	[SQL_READER_VANISHED] = "UPDATE reader SET vanished = 1 WHERE id = ?1 AND vanished = 0",
	[SQL_READER_END] =
	    "UPDATE reader SET state = 1, ended_utc = ?2, vanished = 0 WHERE id = ?1 AND "
	    "state = 0",
	[SQL_READER_PAUSE] = "UPDATE reader SET paused_until = ?2 WHERE id = ?1",
	[SQL_READER_MOVE_IN] =
	    "UPDATE reader SET created_utc = ?2 WHERE id = ?1 AND created_utc > ?2",
	[SQL_READER_OF_FILE] = "SELECT id FROM reader WHERE origin = 0 AND state = 0 ORDER BY id",
	[SQL_READER_LONG_ENDED] =
	    "SELECT id FROM reader WHERE state = 1 AND ended_utc < ?1 AND NOT EXISTS(SELECT"
	    " 1 FROM cursor WHERE reader = reader.id AND open_period <> 0) ORDER BY id "
	    "LIMIT 1",
	[SQL_SYNC_GET] =
	    "SELECT id, origin, state, broken, vanished, file, line, digest FROM reader "
	    "WHERE canonical = ?1",
	[SQL_ERASE_READER] = "DELETE FROM reader WHERE id = ?1",
	[SQL_ERASE_CURSOR] = "DELETE FROM cursor WHERE reader = ?1",
	[SQL_ERASE_SENT] = "DELETE FROM sent WHERE reader = ?1",
	[SQL_ERASE_PICKS] =
	    "DELETE FROM picks WHERE id IN (SELECT picks FROM edition WHERE reader = ?1)",
	[SQL_ERASE_EDITIONS] = "DELETE FROM edition WHERE reader = ?1",
	[SQL_SUPPRESSION_GET] = "SELECT reason, since_utc FROM suppression WHERE hash = ?1",
	[SQL_SUPPRESSION_ADD] =
	    "INSERT INTO suppression(hash, reason, since_utc) VALUES(?1, ?2, ?3) ON "
	    "CONFLICT(hash) DO UPDATE SET reason = min(reason, excluded.reason)",
	[SQL_SUPPRESSION_NEWEST] = "SELECT r.canonical, s.reason, s.since_utc FROM reader r JOIN "
				   "suppression s ON s.hash = "
				   "r.hash ORDER BY s.since_utc DESC, r.id DESC LIMIT ?1",
	[SQL_SUPPRESSION_END] = "DELETE FROM suppression WHERE hash = ?1",
	[SQL_SUPPRESSION_ALL] = "SELECT hash, reason, since_utc FROM suppression ORDER BY hash",
	[SQL_SUPPRESSION_COUNT] = "SELECT count(*) FROM suppression",
	[SQL_READER_NAMES] = "SELECT id, canonical FROM reader WHERE id > ?1 ORDER BY id LIMIT 1",
	[SQL_READER_REHASH] = "UPDATE reader SET hash = ?2 WHERE id = ?1",

	[SQL_READER_PROGRAMS] = "UPDATE reader SET programs = ?2 WHERE id = ?1",
	[SQL_LITERAL_ALL] = "SELECT number, bytes FROM literal ORDER BY number",
	[SQL_LITERAL_ADD] = "INSERT INTO literal(number, bytes) VALUES(?1, ?2)",
	[SQL_LITERAL_CLEAR] = "DELETE FROM literal",

	/* cursors and sent lists */
	[SQL_CURSOR_ADD] =
	    "INSERT INTO cursor(reader, slot, change_seq, last_period, last_edition_utc, "
	    "open_period) VALUES(?1, 0, -1, 0, 0, 0)",
	[SQL_CURSOR_MOVE_IN] =
	    "UPDATE cursor SET change_seq = 0, last_edition_utc = ?2 WHERE reader = ?1 AND slot = "
	    "0 AND change_seq = -1 AND last_period = 0",
	[SQL_CURSOR_SKIP] =
	    "UPDATE cursor SET change_seq = max(change_seq, ?2), last_period = max(last_period, "
	    "?3) WHERE reader = ?1 AND change_seq >= 0",
	[SQL_CURSOR_LEASE] =
	    "UPDATE cursor SET change_seq = ?2, last_period = ?3, open_period = ?4, "
	    "last_edition_utc = max(last_edition_utc, ?5) WHERE reader = ?1 AND slot = 0 "
	    "AND (open_period = 0 OR EXISTS(SELECT 1 FROM edition e WHERE e.period = "
	    "open_period AND e.reader = ?1 AND (e.state IN (5, 6) OR e.copies > 0 AND (e.state "
	    "= 4 OR EXISTS(SELECT 1 FROM cursor a WHERE a.reader = ?1 AND a.slot = -1 AND "
	    "a.open_period = e.period))))) AND " READER_MAILED,
	[SQL_SLOT_ALL] =
	    "SELECT slot, change_seq, last_period FROM cursor WHERE reader = ?1 AND slot > 0",
	[SQL_SLOT_PUT] =
	    "INSERT INTO cursor(reader, slot, change_seq, last_period, last_edition_utc, "
	    "open_period) VALUES(?1, ?2, ?3, ?4, 0, 0) ON CONFLICT(reader, slot) DO UPDATE SET "
	    "change_seq = excluded.change_seq, last_period = excluded.last_period",
	[SQL_CURSOR_SETTLE] =
	    "UPDATE cursor SET open_period = 0, last_edition_utc = max(last_edition_utc, "
	    "coalesce((SELECT composed_utc FROM edition e WHERE e.period = ?2 AND e.reader "
	    "= ?1 AND e.state IN (2, 3)), 0)) WHERE reader = ?1 AND slot = 0 AND "
	    "open_period = ?2",
	[SQL_CURSOR_GIVE_BACK] =
	    "UPDATE cursor SET change_seq = ?3, open_period = 0 WHERE reader = ?1 AND slot = "
	    "0 AND open_period = ?2",
	[SQL_CURSOR_REOPEN] =
	    "UPDATE cursor SET open_period = ?2 WHERE reader = ?1 AND slot = 0 AND "
	    "(open_period IN (0, ?2) OR EXISTS(SELECT 1 FROM edition e WHERE e.period = "
	    "open_period AND e.reader = ?1 AND e.state IN (5, 6)))",
	[SQL_CURSOR_AGAIN] =
	    "INSERT INTO cursor(reader, slot, change_seq, last_period, last_edition_utc, "
	    "open_period) VALUES(?1, -1, 0, 0, 0, ?2) ON CONFLICT(reader, slot) DO UPDATE SET "
	    "open_period = excluded.open_period WHERE NOT EXISTS(SELECT 1 FROM edition e WHERE "
	    "e.period = cursor.open_period AND e.reader = ?1 AND e.state IN (0, 1))",
	[SQL_ADOPT_PICKS] =
	    "DELETE FROM picks WHERE id IN (SELECT picks FROM edition WHERE period > ?1 AND "
	    "period < ?2 AND state NOT IN (0, 1, 4, 5, 6))",
	[SQL_ADOPT_EDITIONS] =
	    "DELETE FROM edition WHERE period > ?1 AND period < ?2 AND state NOT IN (0, 1, 4, 5, "
	    "6)",
	[SQL_ADOPT_LAST] =
	    "UPDATE cursor SET last_period = m.period FROM (SELECT reader, max(period) AS period "
	    "FROM edition WHERE period <= ?1 GROUP BY reader) m WHERE m.reader = cursor.reader "
	    "AND slot = 0 AND last_period > ?1 AND last_period < ?2",
	[SQL_ADOPT_CURSORS] =
	    "UPDATE cursor SET last_period = CASE WHEN last_period > ?1 AND last_period < ?2 THEN "
	    "?1 - 2 ELSE last_period END, last_edition_utc = min(last_edition_utc, ?3)",
	[SQL_SENT_GET] = "SELECT papers FROM sent WHERE reader = ?1 AND slot = 0",
	[SQL_SENT_PUT] =
	    "INSERT INTO sent(reader, slot, papers) VALUES(?1, 0, ?2) ON CONFLICT(reader, "
	    "slot) DO UPDATE SET papers = excluded.papers",
	[SQL_SENT_FLOOR] =
	    "SELECT coalesce(min(+id), 1) FROM paper WHERE first_listed_utc >= ?1 AND "
	    "first_listed_utc > 0",

	/* editions: 0 leased, 1 intent, 2 sent, 3 failed, 4 deferred, 5 unknown, 6 held, 7
	 * expired, 8 merged, 9 empty */
	[SQL_EDITION_ADD] =
	    "INSERT INTO edition(period, reader, state, boot, cursor_from, cursor_to, "
	    "composed_utc, nread, nmatched, attempts, copies, next_utc, hash, reply, picks)"
	    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, 0, 0, ?10, ?11, "
	    "last_insert_rowid()) ON CONFLICT(period, reader) DO NOTHING",
	[SQL_PICKS_ADD] = "INSERT INTO picks(list) VALUES(?1)",
	[SQL_EDITION_GET] =
	    "SELECT " EDITION_COLUMNS " FROM edition e WHERE e.period = ?1 AND e.reader = ?2",
	[SQL_EDITION_OPEN] =
	    "SELECT " EDITION_COLUMNS
	    " FROM cursor c JOIN edition e ON e.period = c.open_period AND e.reader = "
	    "c.reader WHERE c.reader = ?1 AND c.slot = 0 AND c.open_period <> 0",
	[SQL_EDITION_OPEN_AFTER] =
	    "SELECT " EDITION_COLUMNS
	    " FROM cursor c CROSS JOIN edition e ON e.period = c.open_period AND e.reader ="
	    " c.reader WHERE c.slot = ?1 AND c.reader > ?2 AND c.open_period <> 0 AND (?1 = 0 OR "
	    "NOT EXISTS(SELECT 1 FROM cursor o WHERE o.reader = c.reader AND o.slot = 0 AND "
	    "o.open_period = c.open_period)) ORDER BY c.reader LIMIT 1",
	[SQL_EDITION_WAITING_AFTER] =
	    "SELECT " EDITION_COLUMNS
	    " FROM edition e WHERE e.state BETWEEN 4 AND 6 AND (e.period, e.reader) > (?1, ?2)"
	    " ORDER BY e.period, e.reader LIMIT 1",
	[SQL_EDITION_NEWEST] = "SELECT " EDITION_COLUMNS
			       " FROM edition e ORDER BY e.period DESC, e.reader DESC LIMIT ?1",
	[SQL_EDITION_NEWEST_OF] = PERIODS
	"SELECT " EDITION_COLUMNS
	" FROM p CROSS JOIN edition e ON e.period = p.period AND e.reader = ?2 LIMIT ?1",
	[SQL_EDITION_STATES_OF] =
	    PERIODS "SELECT e.state FROM p CROSS JOIN edition e ON e.period = p.period AND "
		    "e.reader = ?1",
	[SQL_EDITION_INTEND] =
	    "UPDATE edition SET state = 1, copies = copies + 1, boot = ?3 WHERE period = ?1"
	    " AND reader = ?2 AND state = 0",
	[SQL_EDITION_REHASH] =
	    "UPDATE edition SET hash = ?3, composed_utc = ?4 WHERE period = ?1 AND reader ="
	    " ?2 AND state IN (0, 4, 6) AND copies = 0",
	[SQL_EDITION_SETTLE] =
	    "UPDATE edition SET attempts = attempts + (state IN (0, 1)), copies = copies - "
	    "(state = 1 AND ?3 IN (3, 4)), state = ?3, reply = ?4, next_utc = ?5, tried_utc = "
	    "coalesce(?6, tried_utc), via = coalesce(?7, via) WHERE "
	    "period = ?1 AND reader = ?2 AND state <= 6 AND state NOT IN (2, 3)",
	[SQL_EDITION_LEASE] =
	    "UPDATE edition SET state = 0, boot = ?3 WHERE period = ?1 AND reader = ?2 AND "
	    "state = 4",
	[SQL_EDITION_DUE] =
	    "SELECT e.period, e.reader, e.copies FROM edition e WHERE e.state = 4 AND e.state "
	    "BETWEEN 4 AND 6 AND e.next_utc <= ?1 AND (e.period, e.reader) > (?2, ?3) ORDER BY "
	    "e.period, e.reader LIMIT 1",
	[SQL_EDITION_FREE] =
	    "UPDATE edition SET state = 4, next_utc = ?3 WHERE period = ?1 AND reader = ?2 AND "
	    "state = 0",
	[SQL_EDITION_HOLD_WAITING] =
	    "UPDATE edition SET state = 6, reply = ?1 WHERE state = 4 AND state BETWEEN 4 AND 6",
	[SQL_EDITION_STALE] =
	    "SELECT " EDITION_COLUMNS
	    " FROM edition e WHERE e.state = 4 AND e.state BETWEEN 4 AND 6 AND e.copies = 0 "
	    "AND e.composed_utc < ?1 ORDER BY e.period, e.reader LIMIT 1",
	[SQL_EDITION_HOLD_STALE] =
	    "UPDATE edition SET state = 6 WHERE period = ?1 AND reader = ?2 AND state = 4 AND "
	    "copies > 0 AND composed_utc < ?3",
	[SQL_EDITION_UNKNOWN] =
	    "SELECT " EDITION_COLUMNS
	    " FROM edition e WHERE e.state = 5 AND e.state BETWEEN 4 AND 6 ORDER BY e.period, "
	    "e.reader LIMIT 1",
	[SQL_SWEEP_FREE] =
	    "UPDATE edition SET state = 4, next_utc = ?2 FROM (SELECT open_period, reader "
	    "FROM cursor WHERE open_period <> 0 AND slot <= 0 LIMIT -1) c WHERE "
	    "edition.period = c.open_period AND edition.reader = c.reader AND edition.state"
	    " = 0 AND edition.boot = ?1 AND ?1 <> 0",
	[SQL_SWEEP_UNKNOWN] =
	    "UPDATE edition SET copies = copies + (edition.state = 0), state = 5 FROM "
	    "(SELECT open_period, reader FROM cursor WHERE open_period <> 0 AND slot <= 0 "
	    "LIMIT -1) c WHERE edition.period = c.open_period AND edition.reader = c.reader"
	    " AND edition.state IN (0, 1)",

	/* mails from outside */
	[SQL_INCOMING_ADD] =
	    "INSERT INTO incoming(id, reader, period, at_utc, kind, class, status, reply, "
	    "decided, counted, answered, paused_until) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, "
	    "?10, ?11, 0) ON CONFLICT(id) DO NOTHING",
	[SQL_INCOMING_OF] = "SELECT " INCOMING_COLUMNS
			    " FROM incoming WHERE reader = ?1 AND at_utc >= ?2 ORDER BY at_utc "
			    "DESC, period DESC LIMIT ?3",
	[SQL_INCOMING_SINCE] =
	    "SELECT " INCOMING_COLUMNS
	    " FROM incoming WHERE at_utc >= ?1 ORDER BY at_utc DESC, period DESC LIMIT ?2",
	[SQL_INCOMING_WAITING] =
	    "SELECT reader FROM incoming WHERE counted = 0 AND reader > ?1 ORDER BY reader LIMIT 1",
	[SQL_INCOMING_NEXT] =
	    "SELECT reader FROM incoming WHERE reader > ?1 ORDER BY reader LIMIT 1",
	[SQL_INCOMING_COUNT] = "UPDATE incoming SET counted = 1 WHERE reader = ?1 AND counted = 0",
	[SQL_INCOMING_DECIDE] = "UPDATE incoming SET decided = ?2, paused_until = ?3 WHERE id = ?1",
	[SQL_INCOMING_FORGET] = "UPDATE incoming SET counted = 2, decided = ?1 WHERE counted = 0",
	/* 1 dead */
	[SQL_INCOMING_DEAD] =
	    "SELECT period, count(*) FROM incoming WHERE at_utc >= ?1 AND " IS_BOUNCE
	    " AND class = 1 AND counted <> 2 GROUP BY period HAVING count(*) >= ?2",
	[SQL_INCOMING_CLASS] =
	    "SELECT count(*) FROM incoming WHERE at_utc >= ?1 AND kind = 1 AND class = ?2",
	[SQL_INCOMING_ANSWERED] =
	    "SELECT 1 FROM incoming WHERE reader = ?1 AND at_utc > ?2 AND answered = 1 LIMIT 1",
	/* 1 bounce by mail. A domain has no '@', a local part may have. */
	[SQL_INCOMING_DOMAINS] =
	    "SELECT replace(r.canonical, rtrim(r.canonical, replace(r.canonical, '@', '')), '') d "
	    "FROM incoming i JOIN reader r ON r.id = i.reader WHERE i.at_utc >= ?1 AND i.kind = 1 "
	    "AND i.class = ?2 AND i.counted <> 2 GROUP BY d HAVING count(*) >= ?3 ORDER BY d",
	[SQL_INCOMING_ROW] =
	    "SELECT coalesce(i.class, 0), coalesce(i.reply, '') FROM (SELECT DISTINCT period FROM "
	    "incoming WHERE at_utc >= ?1 AND kind = 1 AND class = ?2) p CROSS JOIN edition e ON "
	    "e.period = p.period AND (e.state = 2 OR e.copies > 0) JOIN reader r ON r.id = "
	    "e.reader AND substr(r.canonical, -length(?3) - 1) = '@' || ?3 LEFT JOIN incoming i ON "
	    "i.reader = e.reader AND i.period = e.period AND i.kind = 1 AND i.counted <> 2 ORDER "
	    "BY e.tried_utc, e.period, e.reader",
	[SQL_INCOMING_WAIT_COUNT] = "SELECT count(*) FROM incoming WHERE counted = 0",
	/* 2 sent */
	[SQL_DELIVERY_GET] =
	    "SELECT period, composed_utc, tried_utc, state = 2 OR copies > 0 FROM edition WHERE "
	    "period = ?1 AND reader = ?2",
	[SQL_DELIVERY_SINCE] = PERIODS
	"SELECT e.period, e.composed_utc, e.tried_utc, e.state = 2 OR e.copies > 0 FROM p CROSS "
	"JOIN edition e ON e.period = p.period AND e.reader = ?1 WHERE e.composed_utc >= ?2",
	/* 3 failed */
	[SQL_DELIVERY_COUNT] =
	    "SELECT count(*) FROM edition WHERE period = ?1 AND (state = 2 OR copies > 0 OR "
	    "(state = 3 AND attempts > 0))",
	[SQL_SUPPRESSION_REASONS] = "SELECT count(*) FROM suppression WHERE reason = ?1",
	[SQL_INCOMING_FORGIVE] = "UPDATE incoming SET counted = 2 WHERE reader = ?1 AND " IS_BOUNCE,
	[SQL_INCOMING_MOVED] = "UPDATE incoming SET counted = 2 WHERE " IS_BOUNCE
			       " AND reader = (SELECT id FROM reader WHERE canonical = ?1)",
	[SQL_ERASE_INCOMING] = "DELETE FROM incoming WHERE reader = ?1",
	[SQL_PRUNE_INCOMING] = "DELETE FROM incoming WHERE at_utc < ?1 AND counted <> 0",
	[SQL_PRUNE_SAID] = "UPDATE incoming SET reply = '' WHERE at_utc < ?1 AND reply <> ''",

	/* runs and retention */
	[SQL_RUN_ADD] = "INSERT INTO run(started_utc) VALUES(?1)",
	[SQL_RUN_FINISH] =
	    "UPDATE run SET finished_utc = ?2, npapers_new = ?3, nplanned = ?4, nsent = ?5,"
	    " ndeferred = ?6, nfailed = ?7, nheld = ?8, nempty = ?9, nskipped = ?10, "
	    "exit_code = ?11, summary = ?12 WHERE id = ?1",
	[SQL_RUN_FORGET] = "UPDATE run SET summary = '' WHERE instr(summary, ?1) > 0",
	[SQL_RUN_NEWEST] =
	    "SELECT id, started_utc, finished_utc, npapers_new, nplanned, nsent, ndeferred,"
	    " nfailed, nheld, nempty, nskipped, exit_code, summary FROM run ORDER BY id "
	    "DESC LIMIT ?1",
	[SQL_PRUNE_SNAPSHOTS] =
	    "DELETE FROM snapshot WHERE paper = ?1 OR paper IN (SELECT old_id FROM merged "
	    "WHERE new_id = ?1)",
	[SQL_PRUNE_ALIASES] = "DELETE FROM alias WHERE paper = ?1",
	[SQL_PRUNE_SIGNALS] = "DELETE FROM signal WHERE at_utc < ?1",
	[SQL_PRUNE_PICKS] =
	    "DELETE FROM picks WHERE id IN (SELECT picks FROM edition WHERE composed_utc < ?1 "
	    "AND state NOT IN (0, 1, 4, 5, 6))",
	[SQL_PRUNE_EDITIONS] =
	    "DELETE FROM edition WHERE composed_utc < ?1 AND state NOT IN (0, 1, 4, 5, 6)",
	/* 2 sent, 3 failed; the reply of one that was empty is why */
	[SQL_PRUNE_REPLIES] =
	    "UPDATE edition SET reply = '' WHERE composed_utc < ?1 AND reply <> '' AND state IN "
	    "(2, 3)",
	[SQL_PRUNE_RUNS] = "DELETE FROM run WHERE started_utc < ?1",
	[SQL_PRUNE_PAGES] = "DELETE FROM page WHERE read_utc < ?1",
};
