#!/bin/sh
# The manuals are well-formed; they, the help, the completions and the example configuration have what the tables of the
# program have. Argument: the build folder.
# mandoc looks for manuals that are referred to in the installed ones, where ours are not yet.
out=$(mandoc -Tlint -W warning man/*.[157] 2>&1 | grep -v 'referenced manual not found')
rc=0
[ -z "$out" ] || { echo "$out"; rc=1; }
PYTHONDONTWRITEBYTECODE=1 python3 tests/e2e/manual.py "$1/digest" . || rc=1
exit $rc
