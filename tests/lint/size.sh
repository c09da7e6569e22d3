#!/bin/sh
# Functions of at most 80 lines and a cyclomatic complexity of at most 20, files of at most 800 lines.
rc=0
pmccabe src/*/*.c | awk '$5 > 80 || $1 > 20 {
	printf "%s: complexity %d, %d lines\n", $6 " " $7, $1, $5; bad = 1 }
	END { exit bad }' || rc=1
wc -l src/*/*.[ch] include/digest/*.h |
	awk '$2 != "total" && $1 > 800 { print $2 ": " $1 " lines"; bad = 1 } END { exit bad }' || rc=1
exit "$rc"
