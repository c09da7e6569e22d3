#!/bin/sh
# sql.sh - SQL is written in src/store alone, so that another database can take its place, and is never put together
# from pieces: values are bound.
set -u
bad=0
statement='"[^"]*\<(SELECT .*|INSERT (OR [A-Z]+ )?INTO|REPLACE INTO|UPDATE [a-z_]+ SET|DELETE FROM|(CREATE|DROP|ALTER) (TEMP |VIRTUAL |UNIQUE )?(TABLE|INDEX|VIEW|TRIGGER)|PRAGMA|ATTACH|VACUUM|BEGIN (IMMEDIATE|EXCLUSIVE|DEFERRED|TRANSACTION)|SAVEPOINT)\>'
elsewhere=$(find src include -name '*.[ch]' ! -path 'src/store/*' | sort)

# shellcheck disable=SC2086 # names of ours, without blanks
if grep -nE "$statement" $elsewhere /dev/null; then
	echo 'SQL outside src/store' >&2
	bad=1
fi
# shellcheck disable=SC2086
if grep -nwE 'sqlite3|sqlite3_[a-z0-9_]+' $elsewhere /dev/null; then
	echo 'SQLite outside src/store' >&2
	bad=1
fi
if grep -rnE 'sqlite3_(v?mprintf|v?snprintf|str_appendf|str_vappendf|get_table)' src/store ||
    grep -rnE "${statement}[^\"]*%[-0-9.*]*(s|d|i|u|l|ll|z|\" *PRI)" src/store; then
	echo 'SQL put together from pieces; bind its values' >&2
	bad=1
fi
exit "$bad"
