#!/bin/sh
# mandoc looks for manuals that are referred to in the installed ones, where ours are not yet.
out=$(mandoc -Tlint -W warning man/*.[157] 2>&1 | grep -v 'referenced manual not found')
[ -z "$out" ] && exit 0
echo "$out"
exit 1
