#!/bin/sh
# All checks of `make lint`, each silent when there is nothing to say. Argument: the build folder.
set -u
build=$1
dir=tests/lint
rc=0
for check in format includes state size sql words tidy cppcheck shell manuals tables; do
	if ! sh "$dir/$check.sh" "$build"; then
		echo "lint: $check failed" >&2
		rc=1
	fi
done
exit "$rc"
