#!/bin/sh
# No mutable object at file scope, nor a static one in a function: state lives in a struct that somebody passes. The one
# exception is the flag that a signal handler sets. Tables of pointers are read-only after relocation and stand in
# .data.rel.ro, which is fine. Argument: the build folder.
find "$1/src" -name '*.o' -exec objdump -t {} + | awk '
/:[ \t]+file format/ { object = $1; sub(/:$/, "", object); n++ }
/ (\.t?data|\.t?bss|\*COM\*)[^ \t]*\t/ && !/ \.data\.rel\.ro/ && $NF !~ /^(\..*|run_signal)$/ {
	print object ": " $NF " is mutable"
	bad = 1
}
END {
	if (n == 0)
		print "no object to look at"
	exit bad || n == 0
}'
