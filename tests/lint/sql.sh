#!/bin/sh
# SQL stands in src/store only, and there is never made by printf.
rc=0
grep -nE '"[^"]*\b(SELECT .* FROM|INSERT INTO|UPDATE .* SET|DELETE FROM|CREATE TABLE)\b' src/*/*.[ch] |
	grep -v '^src/store/' && rc=1
grep -nE 'strbuf_addf?\(.*\b(SELECT|INSERT INTO|UPDATE|DELETE FROM)\b' src/store/*.c && rc=1
exit "$rc"
