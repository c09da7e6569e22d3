#!/bin/sh
# No mutable object at file scope: state lives in a struct that somebody passes. The one exception is the flag that a
# signal handler sets. Tables of pointers are read-only after relocation and stand in .data.rel.ro, which is fine.
# Argument: the build folder.
find "$1/src" -name '*.o' -exec objdump -t {} + | awk '
/^[^ ].*:[ \t]*file format/ { object = $1; sub(/:$/, "", object) }
$0 ~ / O (\.data|\.bss|\*COM\*)/ && $0 !~ /\.data\.rel\.ro/ && $NF != "run_signal" {
	print object ": " $NF " is mutable and at file scope"
	bad = 1
}
END { exit bad }'
